//! What an answer means. The HTTP status decides; the body says why, as text or as JSON.

use serde_json::Value as Json;

use crate::connectors::http::{AnswerVerdict, HttpAnswer};
use crate::connectors::{CallError, Trouble};

/// Judges an answer: `read` takes what was asked for from a success, and nothing where it is no answer of this API;
/// `explain` may say more of a refusal.
pub(super) fn judge_answer<T>(
    answer: &HttpAnswer,
    read: &impl Fn(&HttpAnswer) -> Option<T>,
    explain: &impl Fn(u16, CallError) -> CallError,
) -> AnswerVerdict<T> {
    let status = answer.status.as_u16();
    let error = |trouble| CallError::new(trouble, answer_text(answer));
    match status {
        200..300 => match read(answer) {
            Some(done) => AnswerVerdict::Done(done),
            None => AnswerVerdict::ServerError(
                CallError::new(
                    Trouble::Garbled,
                    format!("the answer is not what was asked for: {}", answer_text(answer)),
                )
                .with_hint("check that target.base_url is the address of the configuration API"),
            ),
        },
        500.. => AnswerVerdict::ServerError(error(Trouble::Unavailable)),
        401 => AnswerVerdict::Refused(error(Trouble::Configuration)),
        404 => AnswerVerdict::Refused(explain(status, error(Trouble::NotFound))),
        405 => AnswerVerdict::Refused(error(Trouble::Configuration).with_hint(
            "the server does not know this method at this path: check that target.base_url ends with /configapi/v2",
        )),
        415 => AnswerVerdict::Refused(error(Trouble::Configuration).with_hint(
            "the server does not take JSON here: check that target.base_url ends with /configapi/v2, and any proxy \
             in between",
        )),
        _ => AnswerVerdict::Refused(explain(status, error(Trouble::Refused))),
    }
}

/// What a success of a request that writes brings: `OK`, the user, or nothing. None for a web page (somebody else
/// answered), for JSON that breaks off and for what calls itself an error.
pub(super) fn accept_done(answer: &HttpAnswer) -> Option<()> {
    let is_wrong = match serde_json::from_slice(&answer.body) {
        Ok(Json::Object(object)) => object.get("error").is_some_and(|error| !error.is_null()),
        Ok(_) => false,
        Err(_) => matches!(answer.body.trim_ascii_start().first(), Some(b'{' | b'[')),
    };
    (!is_wrong && !is_page(answer)).then_some(())
}

/// What the server says, as far as it says anything.
fn answer_text(answer: &HttpAnswer) -> String {
    if is_page(answer) {
        return "a web page instead of the API's answer".to_owned();
    }
    let text = match serde_json::from_slice(&answer.body) {
        Ok(Json::Object(object)) => {
            let words: Vec<_> = ["error", "error_description", "message"]
                .iter()
                .filter_map(|key| object.get(*key)?.as_str())
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .collect();
            if words.is_empty() { Json::Object(object).to_string() } else { words.join(": ") }
        }
        Ok(Json::String(text)) => text,
        _ => String::from_utf8_lossy(&answer.body).trim().to_owned(),
    };
    if text.is_empty() {
        return answer.status.canonical_reason().unwrap_or("no reason given").to_lowercase();
    }
    text
}

fn is_page(answer: &HttpAnswer) -> bool {
    answer.body.trim_ascii_start().starts_with(b"<")
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;

    use super::*;

    fn answer(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.to_owned().into(),
        }
    }

    fn judged(status: u16, body: &str) -> (&'static str, Option<CallError>) {
        match judge_answer(&answer(status, body), &accept_done, &|_, error| error) {
            AnswerVerdict::Done(()) => ("done", None),
            AnswerVerdict::Refused(error) | AnswerVerdict::Stale(error) => ("refused", Some(error)),
            AnswerVerdict::ServerError(error) => ("server error", Some(error)),
        }
    }

    #[test]
    fn ok_the_user_and_nothing_are_successes() {
        for body in ["OK", "\"OK\"", "", r#"{"loginId":"ana"}"#, r#"{"error":null}"#] {
            assert_eq!(judged(200, body), ("done", None), "{body}");
        }
    }

    #[test]
    fn a_page_an_error_and_half_an_answer_under_200_are_no_successes() {
        for body in [" <html>Sign in</html>", r#"{"error":"failed"}"#, r#" {"loginId":"an"#, "[1,"] {
            let (verdict, error) = judged(200, body);
            assert_eq!((verdict, error.unwrap().trouble), ("server error", Trouble::Garbled), "{body}");
        }
    }

    #[test]
    fn the_status_decides_whose_trouble_it_is() {
        for (status, verdict, trouble) in [
            (400, "refused", Trouble::Refused),
            (401, "refused", Trouble::Configuration),
            (403, "refused", Trouble::Refused),
            (404, "refused", Trouble::NotFound),
            (405, "refused", Trouble::Configuration),
            (409, "refused", Trouble::Refused),
            (415, "refused", Trouble::Configuration),
            (418, "refused", Trouble::Refused),
            (500, "server error", Trouble::Unavailable),
            (503, "server error", Trouble::Unavailable),
        ] {
            let (is, error) = judged(status, "why");
            let error = error.unwrap();
            assert_eq!((is, error.trouble, error.message.as_str()), (verdict, trouble, "why"), "{status}");
        }
    }

    #[test]
    fn what_the_server_says_is_kept_in_each_of_its_forms() {
        let message = |body| judged(400, body).1.unwrap().message;
        assert_eq!(message("  no such skill\n"), "no such skill");
        assert_eq!(message("\"no such skill\""), "no such skill");
        assert_eq!(message(r#"{"error":"invalid","error_description":"no skill"}"#), "invalid: no skill");
        assert_eq!(message(r#"{"code":7}"#), r#"{"code":7}"#);
        assert_eq!(message(""), "bad request");
        assert_eq!(message("<html>Bad</html>"), "a web page instead of the API's answer");
    }
}
