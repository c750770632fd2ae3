//! An answer of this API, and why an operation has none of its own.

use super::wire::{self, Code, Refusal};
use crate::sandbox::ledger::Unrecorded;
use crate::sandbox::reply::{Cut, Reply};
use crate::sandbox::tokens::Denied;

/// Why an operation has no answer of its own.
#[derive(Debug)]
pub(super) enum Failed {
    Refused(Refusal),
    /// The connection is to be cut.
    Cut,
}

impl Failed {
    /// What is answered in the end.
    pub(super) fn settle(outcome: Result<Reply, Self>) -> Result<Reply, Cut> {
        match outcome {
            Ok(reply) => Ok(reply),
            Err(Self::Refused(refusal)) => Ok(refuse(&refusal)),
            Err(Self::Cut) => Err(Cut),
        }
    }
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

impl From<Denied> for Failed {
    fn from(denied: Denied) -> Self {
        Code::from(denied).into()
    }
}

impl From<Unrecorded> for Failed {
    fn from(unrecorded: Unrecorded) -> Self {
        match unrecorded {
            Unrecorded::Shut => Self::Cut,
            Unrecorded::Failed => Code::ServerError.into(),
        }
    }
}

pub(super) fn ok(code: Code, response: &[u8]) -> Reply {
    Reply::json(code.http(), wire::envelope(code as u32, code.description(), response))
}

pub(super) fn refuse(refusal: &Refusal) -> Reply {
    let code = refusal.code;
    Reply::json(code.http(), wire::envelope(code as u32, &refusal.description(), b"\"\""))
}
