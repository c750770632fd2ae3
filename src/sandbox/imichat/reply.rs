//! An answer of this API, and why an operation has none of its own.

use super::wire::{self, Code, ImichatRefusal};
use crate::sandbox::ledger::Unrecorded;
use crate::sandbox::reply::{Cut, SandboxReply};
use crate::sandbox::tokens::Denied;

/// Why an operation has no answer of its own.
#[derive(Debug)]
pub(super) enum ImichatFailedCall {
    Refused(ImichatRefusal),
    /// The connection is to be cut.
    Cut,
}

impl ImichatFailedCall {
    /// What is answered in the end.
    pub(super) fn settle_outcome(outcome: Result<SandboxReply, Self>) -> Result<SandboxReply, Cut> {
        match outcome {
            Ok(reply) => Ok(reply),
            Err(Self::Refused(refusal)) => Ok(refusal_reply(&refusal)),
            Err(Self::Cut) => Err(Cut),
        }
    }
}

impl From<ImichatRefusal> for ImichatFailedCall {
    fn from(refusal: ImichatRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Code> for ImichatFailedCall {
    fn from(code: Code) -> Self {
        Self::Refused(code.into())
    }
}

impl From<Denied> for ImichatFailedCall {
    fn from(denied: Denied) -> Self {
        Code::from(denied).into()
    }
}

impl From<Unrecorded> for ImichatFailedCall {
    fn from(unrecorded: Unrecorded) -> Self {
        match unrecorded {
            Unrecorded::Shut => Self::Cut,
            Unrecorded::Failed => Code::ServerError.into(),
        }
    }
}

pub(super) fn success_reply(code: Code, response: &[u8]) -> SandboxReply {
    SandboxReply::from_json(code.http_status(), wire::envelope_bytes(code as u32, code.description(), response))
}

pub(super) fn refusal_reply(refusal: &ImichatRefusal) -> SandboxReply {
    let code = refusal.code;
    SandboxReply::from_json(code.http_status(), wire::envelope_bytes(code as u32, &refusal.description(), b"\"\""))
}
