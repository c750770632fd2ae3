//! What an answer means: the table of status codes, and what stands for it where there is no code.
//!
//! The envelope is read before the HTTP status, because HTTP 200 is not success by itself.

use super::decode::Envelope;
use crate::connectors::http::{AnswerVerdict, HttpAnswer};
use crate::connectors::json::JsonTree;
use crate::connectors::{CallError, Effect, Trouble};

/// Why an answer is not a success.
#[derive(Debug)]
pub(super) enum Rejection {
    /// The token is not valid (any more). Nothing was done.
    Stale(CallError),
    /// The server failed.
    Server(CallError),
    /// The body is not the API's envelope, which counts as a failure of the server.
    NoEnvelope(CallError),
    /// The server understood, and will not.
    Refused(CallError),
}

impl<T> From<Result<T, Rejection>> for AnswerVerdict<T> {
    fn from(result: Result<T, Rejection>) -> Self {
        match result {
            Ok(done) => Self::Done(done),
            Err(Rejection::Stale(error)) => Self::Stale(error),
            Err(Rejection::Server(error) | Rejection::NoEnvelope(error)) => Self::ServerError(error),
            Err(Rejection::Refused(error)) => Self::Refused(error),
        }
    }
}

/// The `response` of a success.
pub(super) fn open(answer: &HttpAnswer) -> Result<JsonTree<'_>, Rejection> {
    match serde_json::from_slice::<Envelope>(&answer.body) {
        Ok(envelope) => match classify_code(envelope.status_code, &envelope.description, answer) {
            None => Ok(envelope.response),
            Some(rejection) => Err(rejection),
        },
        Err(_) => Err(no_envelope(answer)),
    }
}

/// What a status code means; none for success.
pub(super) fn classify_code(code: u32, description: &str, answer: &HttpAnswer) -> Option<Rejection> {
    let error = |trouble| {
        let space = if description.is_empty() { "" } else { " " };
        CallError { code: Some(code), ..CallError::new(trouble, format!("{code}{space}{description}")) }
    };
    let refused = |trouble, hint: &str| Rejection::Refused(error(trouble).with_hint(hint));
    Some(match code {
        4306 | 4308 | 4309 => return None,
        2002 => refused(
            Trouble::Configuration,
            "a header that the API needs is missing: check target.token_header, target.auth_header and target.team_id",
        ),
        2003 | 2004 => Rejection::Stale(error(Trouble::Configuration)),
        2007 | 3104 | 3105 => Rejection::Server(error(Trouble::Unavailable)),
        2010 => refused(Trouble::Configuration, "there is no such team: check target.team_id"),
        2099 => refused(
            Trouble::Configuration,
            "this tenant does not have this method or path: check target.update_method for updates, and the path in \
             target.base_url",
        ),
        3101 => Rejection::Refused(error(Trouble::NotFound)),
        3102 => Rejection::Refused(error(Trouble::Exists)),
        3107 => refused(Trouble::Refused, "the tenant does not know this value of custom_attributes.business"),
        3110 => refused(Trouble::Refused, "the tenant does not know this value of custom_attributes.location"),
        3111 => refused(Trouble::Refused, "the email already belongs to another account"),
        3114 | 3115 => Rejection::Refused(error(Trouble::Refused)),
        _ => {
            // Nobody documented this code. With an HTTP status that does not say "refused", it may have been done.
            let status = answer.status;
            let effect = if status.is_client_error() { Effect::None } else { Effect::Unknown };
            Rejection::Refused(error(Trouble::Refused).with_effect(effect))
        }
    })
}

/// What a body that is not the envelope means.
fn no_envelope(answer: &HttpAnswer) -> Rejection {
    let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or("a body of no type");
    let trouble = if answer.status.is_server_error() { Trouble::Unavailable } else { Trouble::Garbled };
    let message = if answer.body.is_empty() {
        "the answer is empty, not the API's JSON".to_owned()
    } else {
        format!("the answer is not the API's JSON but {kind}")
    };
    let error = CallError::new(trouble, message).with_hint("check that target.base_url is the address of the API");
    match answer.status.as_u16() {
        401 => Rejection::Stale(CallError { trouble: Trouble::Configuration, ..error }),
        405 => Rejection::Refused(CallError { trouble: Trouble::Configuration, ..error }.with_hint(
            "the method or the path is wrong: check target.update_method and the path in \
                    target.base_url",
        )),
        _ => Rejection::NoEnvelope(error),
    }
}
