//! What is sent and what comes back, and what a target says that it means.

use bytes::Bytes;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, StatusCode, Url};

use super::retry::Repeat;
use crate::connectors::{CallError, Purpose, Trouble};
use crate::model::Secret;

/// A request, repeatable.
#[derive(Clone, Debug)]
pub struct HttpRequest<'a> {
    pub method: Method,
    /// Beneath the base address, with its query; or an address of its own, as checked as the base address is.
    pub path: &'a str,
    /// JSON, unless the stamp says another content type.
    pub body: Option<Bytes>,
    pub purpose: Purpose,
    pub repeat: Repeat,
    /// The secrets in the body, so that an answer which repeats them is not repeated to people.
    pub secrets: &'a [Secret],
}

impl<'a> HttpRequest<'a> {
    /// A request that reads.
    #[must_use]
    pub fn get(path: &'a str, purpose: Purpose) -> Self {
        Self { method: Method::GET, path, body: None, purpose, repeat: Repeat::Safe, secrets: &[] }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct HttpAnswer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What an answer means. Errors need no more than the trouble, what the server said, its code and a hint; the request,
/// the HTTP status and the transaction are added, and secrets taken out.
#[derive(Debug)]
pub enum AnswerVerdict<T> {
    Done(T),
    /// The server understood, and will not do it. Nothing was done, unless the error says otherwise.
    Refused(CallError),
    /// The token is not valid (any more). Nothing was done.
    Stale(CallError),
    /// The server failed; whether it did anything is unknown. Repeated where that is safe.
    ServerError(CallError),
}

impl<T> AnswerVerdict<T> {
    /// The same verdict with something else made of what is done.
    pub fn map_done<U>(self, make: impl FnOnce(T) -> U) -> AnswerVerdict<U> {
        match self {
            Self::Done(done) => AnswerVerdict::Done(make(done)),
            Self::Refused(error) => AnswerVerdict::Refused(error),
            Self::Stale(error) => AnswerVerdict::Stale(error),
            Self::ServerError(error) => AnswerVerdict::ServerError(error),
        }
    }
}

/// The error that a redirect is.
pub(super) fn redirect_error(answer: &HttpAnswer) -> CallError {
    let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    // Only the host: the rest of such an address may hold a session.
    let to = location.and_then(|text| Url::parse(text).ok()).and_then(|url| url.host_str().map(str::to_owned));
    let to = to.map_or_else(|| "elsewhere".to_owned(), |host| format!("to {host}"));
    CallError::new(Trouble::Configuration, format!("the server redirects {to}, and no redirect is followed"))
        .with_hint("target.base_url must be the API's final address")
}
