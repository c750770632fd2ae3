//! What is answered: the truth, or what a fault puts in its place.

use axum::http::StatusCode;
use axum::http::header::{HeaderName, HeaderValue};
use bytes::Bytes;
use serde::Serialize;

use super::faults::Headers;

const HTML: &str = "text/html; charset=utf-8";
const HTML_NOT_FOUND: &str = "<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n";
const HTML_FAULT: &str =
    "<html><head><title>Service unavailable</title></head><body><h1>Please try again later</h1></body></html>\n";

/// The connection is to be cut without an answer.
pub(super) struct Cut;

/// Why an operation is not done.
pub(super) enum FailedCall {
    Refused(SandboxReply),
    /// The connection is to be cut.
    Cut,
}

impl From<SandboxReply> for FailedCall {
    fn from(reply: SandboxReply) -> Self {
        Self::Refused(reply)
    }
}

impl FailedCall {
    /// What is answered in the end.
    pub(super) fn settle_outcome(outcome: Result<SandboxReply, Self>) -> Result<SandboxReply, Cut> {
        match outcome {
            Ok(reply) | Err(Self::Refused(reply)) => Ok(reply),
            Err(Self::Cut) => Err(Cut),
        }
    }
}

/// An answer that is about to be given the headers that all answers have.
pub(super) struct SandboxReply {
    pub status: StatusCode,
    pub content_type: &'static str,
    pub body: Bytes,
    pub headers: Headers,
    /// What is said to be left of the day's quota, where a fault decides that.
    pub remaining: Option<u64>,
}

impl SandboxReply {
    pub(super) fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, body: body.into(), headers: Headers::new(), remaining: None }
    }

    /// The page of whatever stands before the API.
    pub(super) fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, HTML, HTML_NOT_FOUND)
    }

    /// The page of a proxy that has lost the API.
    pub(super) fn from_html(status: StatusCode) -> Self {
        Self::new(status, HTML, HTML_FAULT)
    }

    pub(super) fn from_json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, "application/json", body)
    }

    pub(super) fn from_text(status: StatusCode, text: impl Into<Bytes>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text)
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// A value as JSON.
pub(super) fn json_bytes(value: &impl Serialize) -> Vec<u8> {
    // Writing to memory cannot fail, and neither do the values here: their keys are texts.
    serde_json::to_vec(value).unwrap_or_default()
}
