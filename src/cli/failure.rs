//! What went wrong, as a person and a script are told: one kind, one message, one hint, one exit code.

use std::io;

use miette::Diagnostic;

use crate::config::ConfigError;
use crate::connectors::{CallError, Trouble};
use crate::execute::ExecuteError;
use crate::execute::lifecycle::LifecycleError;
use crate::execute::passwords::DeliveryError;
use crate::files::FileError;
use crate::journal::JournalError;
use crate::plan::file::PlanFileError;
use crate::planning::PlanningError;
use crate::report::SummaryProblem;
use crate::sandbox::SandboxError;
use crate::source::SourceError;

/// The exit codes, which are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// Before anything was changed.
    Failed = 1,
    Usage = 2,
    Changes = 3,
    /// Some accounts failed or are of unknown outcome.
    Partial = 4,
    /// A safety rule held something back.
    Held = 5,
    Paused = 6,
    Locked = 7,
}

/// An error on its way to the person.
#[derive(Debug)]
pub struct Failure {
    pub kind: &'static str,
    pub message: String,
    pub hint: Option<String>,
    pub exit: Exit,
    /// What points into a file, shown with its lines.
    pub pointing: Option<Box<dyn Diagnostic + Send + Sync>>,
}

impl Failure {
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, exit: Exit::Failed, pointing: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    #[must_use]
    pub fn problem(&self) -> SummaryProblem {
        SummaryProblem { kind: self.kind.to_owned(), message: self.message.clone(), hint: self.hint.clone() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = error.problems().iter().find_map(|problem| problem.help.clone());
        Self {
            kind: "configuration",
            message: error.to_string(),
            hint,
            exit: Exit::Failed,
            pointing: Some(Box::new(error)),
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let hint = error.hint();
        Self { hint, ..Self::new("source", error.to_string()) }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let (kind, exit) = match error.trouble {
            Trouble::Quota { .. } => ("quota", Exit::Paused),
            Trouble::Stopped => ("signal", Exit::Paused),
            Trouble::Configuration => ("configuration", Exit::Failed),
            _ => ("target", Exit::Failed),
        };
        let hint = error.hint.clone().or_else(|| match error.trouble {
            Trouble::Unavailable => {
                Some("try again later; rate.retries and rate.timeout say how patient a run is".to_owned())
            }
            _ => None,
        });
        Self { hint, exit, ..Self::new(kind, error.to_string()) }
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let failure = Self::new("journal", error.to_string());
        match &error {
            JournalError::Locked { .. } => Self { kind: "locked", ..failure }
                .exit(Exit::Locked)
                .hint("wait for the other run to end, or give this one a directory of its own with --state"),
            JournalError::Damaged { dir, .. } => failure.hint(format!(
                "move {} aside and run `headcount sync`: it compares everything anew, which is always safe",
                dir.display()
            )),
            JournalError::Form { dir, .. } => failure.hint(format!(
                "use the version of headcount that wrote it, or move {} aside and run `headcount sync`: it compares \
                 everything anew, which is always safe",
                dir.display()
            )),
            JournalError::File(error) => Self { hint: Some(hint_of(error).to_owned()), ..failure },
            JournalError::Failed(_) => failure
                .hint("check the space and the disk; then `headcount resume` looks up what it must know and goes on"),
            _ => failure,
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::new("journal", error.to_string()).hint(hint_of(&error))
    }
}

fn hint_of(error: &FileError) -> &'static str {
    match error.source.kind() {
        io::ErrorKind::InvalidData => {
            "the file was changed or cut: move the state directory aside and run `headcount sync`, which compares \
             everything anew"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "make room on the disk, or name another state directory with --state"
        }
        _ => "the state directory must be writable; --state names another",
    }
}

impl From<PlanningError> for Failure {
    fn from(error: PlanningError) -> Self {
        match error {
            PlanningError::Source(error) => error.into(),
            PlanningError::Target(error) => error.into(),
            PlanningError::Journal(error) => error.into(),
            error @ PlanningError::Plan(_) => {
                Self::new("journal", error.to_string()).hint("what is not as the run left it cannot be taken back")
            }
            error @ PlanningError::Duplicates(_) => Self::new("source", error.to_string()).hint(
                "mend the export, or set source.duplicates to \"first\" or \"last\": rows of different people that \
                 share a key are then conflicts, and nobody of them is touched",
            ),
            error @ PlanningError::SourceChanged(_) => {
                Self::new("source", error.to_string()).hint("run again once the export is written completely")
            }
            error @ PlanningError::Recorded { .. } => Self::new("source", error.to_string()).hint(
                "--against takes a table of accounts: a column \"account\" with their ids, and a column for each attribute \
                 that is compared",
            ),
            error @ PlanningError::File { .. } => {
                Self::new("journal", error.to_string()).hint("check the space and the permissions there")
            }
        }
    }
}

impl From<PlanFileError> for Failure {
    fn from(error: PlanFileError) -> Self {
        Self::new("plan", error.to_string()).hint(error.repair_hint())
    }
}

impl From<ExecuteError> for Failure {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Plan(error) => error.into(),
            ExecuteError::Journal(error) => Self::from(error).exit(Exit::Paused),
            error => Self::new("plan", error.to_string()),
        }
    }
}

impl From<LifecycleError> for Failure {
    fn from(error: LifecycleError) -> Self {
        match error {
            LifecycleError::Journal(error) => error.into(),
            LifecycleError::File(error) => error.into(),
            error @ LifecycleError::Copy { .. } => Self::new("journal", error.to_string())
                .hint("check the space and the permissions there; where the file is damaged, make the plan again"),
        }
    }
}

impl From<DeliveryError> for Failure {
    fn from(error: DeliveryError) -> Self {
        Self::new("passwords", format!("the generated passwords are not delivered: {error}"))
            .hint("`headcount resume` tries again; the passwords are the same")
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Self::new("sandbox", error.to_string())
    }
}
