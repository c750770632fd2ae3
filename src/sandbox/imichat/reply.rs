//! What is answered: the truth, or what a fault puts in its place.

use axum::http::StatusCode;
use axum::http::header::{HeaderName, HeaderValue};
use bytes::Bytes;

use super::wire::{self, Code, Refusal};
use crate::sandbox::faults::{Headers, Instead};

const HTML: &str = "text/html; charset=utf-8";
const HTML_NOT_FOUND: &str = "<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n";
const HTML_FAULT: &str =
    "<html><head><title>Service unavailable</title></head><body><h1>Please try again later</h1></body></html>\n";

/// The connection is to be cut without an answer.
pub(super) struct Cut;

/// Why an operation has no answer of its own.
#[derive(Debug)]
pub(super) enum Failed {
    Refused(Refusal),
    /// The connection is to be cut.
    Cut,
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Code> for Failed {
    fn from(code: Code) -> Self {
        Self::Refused(code.into())
    }
}

/// An answer that is about to be given the headers that all answers have.
pub(super) struct Reply {
    pub status: StatusCode,
    pub content_type: &'static str,
    pub body: Bytes,
    pub headers: Headers,
    /// What `Rate-Limit-Remaining` is to say, where a fault decides that.
    pub remaining: Option<u64>,
}

impl Reply {
    fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, body: body.into(), headers: Headers::new(), remaining: None }
    }

    /// The page of whatever stands before the API.
    pub(super) fn nowhere() -> Self {
        Self::new(StatusCode::NOT_FOUND, HTML, HTML_NOT_FOUND)
    }

    pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, "application/json", body)
    }

    pub(super) fn ok(code: Code, response: &[u8]) -> Self {
        Self::json(code.http(), wire::envelope(code as u32, code.description(), response))
    }

    pub(super) fn refuse(refusal: Refusal) -> Self {
        let code = refusal.code;
        Self::json(code.http(), wire::envelope(code as u32, &refusal.description(), b"\"\""))
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// What a fault answers.
pub(super) fn instead_of_the_truth(instead: Instead) -> Result<Reply, Cut> {
    let (mut reply, headers) = match instead {
        Instead::Nothing => return Err(Cut),
        Instead::Envelope { status, code, description, headers } => {
            (Reply::json(status, wire::envelope(code, &description, b"\"\"")), headers)
        }
        Instead::Html { status, headers } => (Reply::new(status, HTML, HTML_FAULT), headers),
        Instead::Garbage { status, headers } => (Reply::json(status, &b"{\"status_code\":4306,\"resp"[..]), headers),
    };
    reply.headers.extend(headers);
    Ok(reply)
}
