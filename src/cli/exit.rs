//! The exit codes, which are fixed, and the one that each error has.

use crate::app::error::Aftermath;
use crate::app::{AppError, ErrorKind};
use crate::report::summary::SummaryOutcome;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// Before anything was changed.
    Failed = 1,
    Usage = 2,
    Changes = 3,
    /// A safety rule held something back.
    Held = 5,
    Paused = 6,
    Locked = 7,
}

impl Exit {
    #[must_use]
    pub fn of_error(error: &AppError) -> Self {
        match (error.kind, error.aftermath) {
            (ErrorKind::Locked, _) => Self::Locked,
            (ErrorKind::Safety | ErrorKind::Approval, _) => Self::Held,
            (ErrorKind::Usage, _) => Self::Usage,
            (ErrorKind::Quota | ErrorKind::Signal, _) | (_, Aftermath::Resumable) => Self::Paused,
            (_, Aftermath::NothingChanged) => Self::Failed,
        }
    }

    /// How the summary of a command that fails with it says that it ended.
    #[must_use]
    pub fn to_outcome(self) -> SummaryOutcome {
        match self {
            Self::Paused => SummaryOutcome::Paused,
            Self::Held => SummaryOutcome::Held,
            _ => SummaryOutcome::Failed,
        }
    }
}
