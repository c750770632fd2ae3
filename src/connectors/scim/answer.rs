//! What an answer means: the HTTP status, and SCIM's error body (RFC 7644, section 3.12) where there is one. A body that
//! is not SCIM's JSON is a failure of the server, whatever its status says.

use reqwest::StatusCode;
use serde_json::Value as Json;

use super::path::find_member;
use crate::connectors::http::{AnswerVerdict, HttpAnswer};
use crate::connectors::{CallError, Trouble};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AskedFor {
    Listing,
    /// One account: to show, change or delete it.
    Account,
    Create,
}

/// The resource or the list that a success brings.
pub(super) fn answer_body(answer: &HttpAnswer) -> Result<Json, CallError> {
    match serde_json::from_slice::<Json>(&answer.body) {
        Ok(json) if json.is_object() => Ok(json),
        _ => Err(no_scim(answer)),
    }
}

/// Why the server did not do it.
pub(super) fn refusal_verdict<T>(answer: &HttpAnswer, asked: AskedFor) -> AnswerVerdict<T> {
    let error = |trouble| CallError::new(trouble, refusal_reason(answer));
    let refused = |trouble| AnswerVerdict::Refused(error(trouble));
    let hinted = |trouble, hint: &str| AnswerVerdict::Refused(error(trouble).with_hint(hint));
    let address = "check that target.base_url is the address of the SCIM service";
    match (answer.status.as_u16(), asked) {
        (400, _) if is_scim_type(answer, "uniqueness") => taken_verdict(error, asked),
        (401, _) => refused(Trouble::Configuration),
        (403, AskedFor::Account) => hinted(Trouble::Refused, "the credentials may not do this to this account"),
        (403, _) => hinted(Trouble::Configuration, "the credentials may not do this: check what they are allowed"),
        (404, AskedFor::Account) => refused(Trouble::NotFound),
        (404, _) => hinted(Trouble::Configuration, address),
        (405 | 501, AskedFor::Account) => hinted(
            Trouble::Configuration,
            "the server does not offer this: check target.update_method and policy.absent",
        ),
        (405 | 501, _) => hinted(Trouble::Configuration, address),
        (409, _) if scim_type(answer).is_none_or(|kind| kind.eq_ignore_ascii_case("uniqueness")) => {
            taken_verdict(error, asked)
        }
        (415, _) => {
            hinted(Trouble::Configuration, "the server takes neither application/scim+json nor application/json")
        }
        (500.., _) => AnswerVerdict::ServerError(error(Trouble::Unavailable)),
        (400..500, _) => refused(Trouble::Refused),
        _ => AnswerVerdict::ServerError(error(Trouble::Garbled)),
    }
}

/// Whether the error is of this `scimType`.
pub(super) fn is_scim_type(answer: &HttpAnswer, kind: &str) -> bool {
    scim_type(answer).is_some_and(|said| said.eq_ignore_ascii_case(kind))
}

/// Whether a page was refused for its size.
pub(super) fn is_too_many(answer: &HttpAnswer) -> bool {
    answer.status == StatusCode::PAYLOAD_TOO_LARGE
        || (answer.status.is_client_error() && is_scim_type(answer, "tooMany"))
}

/// What an answer that is not SCIM's JSON is.
pub(super) fn no_scim(answer: &HttpAnswer) -> CallError {
    let start = answer.body.iter().find(|b| !b.is_ascii_whitespace());
    let what = match start {
        None => "empty".to_owned(),
        Some(b'<') => "a web page".to_owned(),
        Some(_) => {
            let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok());
            kind.map_or_else(|| "something else".to_owned(), |kind| format!("something else, announced as {kind}"))
        }
    };
    let trouble = if answer.status.is_server_error() { Trouble::Unavailable } else { Trouble::Garbled };
    CallError::new(trouble, format!("the answer is not SCIM's JSON but {what}"))
        .with_hint("check that target.base_url is the address of the SCIM service")
}

fn taken_verdict<T>(error: impl Fn(Trouble) -> CallError, asked: AskedFor) -> AnswerVerdict<T> {
    AnswerVerdict::Refused(match asked {
        AskedFor::Create => error(Trouble::Exists),
        _ => error(Trouble::Refused).with_hint("the value already belongs to another account"),
    })
}

fn refusal_reason(answer: &HttpAnswer) -> String {
    let Ok(json) = serde_json::from_slice::<Json>(&answer.body) else { return no_scim(answer).message };
    let text = |name: &str| json.as_object().and_then(|object| find_member(object, name)?.as_str().map(str::to_owned));
    let said: Vec<String> =
        [text("scimType"), text("detail")].into_iter().flatten().filter(|t| !t.is_empty()).collect();
    if said.is_empty() { "the server does not say why".to_owned() } else { said.join(": ") }
}

fn scim_type(answer: &HttpAnswer) -> Option<String> {
    let json = serde_json::from_slice::<Json>(&answer.body).ok()?;
    let kind = find_member(json.as_object()?, "scimType")?.as_str()?;
    (!kind.is_empty()).then(|| kind.to_owned())
}
