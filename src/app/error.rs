//! Why a use case has no outcome: one kind, one message, one hint, and how things stand now.

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
use crate::report::{ProblemKind, SummaryProblem};
use crate::sandbox::SandboxError;
use crate::source::SourceError;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    Configuration,
    Source,
    Target,
    Quota,
    /// Somebody asked for an end.
    Signal,
    Plan,
    /// An approval releases nothing of the plan.
    Approval,
    Journal,
    /// Another run holds the state directory.
    Locked,
    Safety,
    Passwords,
    Sandbox,
    System,
    Output,
    /// What was asked for makes no sense.
    Usage,
    /// Nobody agreed, or nobody could be asked.
    Declined,
}

impl ErrorKind {
    /// As summaries have it.
    #[must_use]
    pub fn to_problem_kind(self) -> ProblemKind {
        match self {
            Self::Configuration => ProblemKind::Configuration,
            Self::Source => ProblemKind::Source,
            Self::Target => ProblemKind::Target,
            Self::Quota => ProblemKind::Quota,
            Self::Signal => ProblemKind::Signal,
            Self::Plan | Self::Approval => ProblemKind::Plan,
            Self::Journal => ProblemKind::Journal,
            Self::Locked => ProblemKind::Locked,
            Self::Safety => ProblemKind::Safety,
            Self::Passwords => ProblemKind::Passwords,
            Self::Sandbox => ProblemKind::Sandbox,
            Self::System => ProblemKind::System,
            Self::Output => ProblemKind::Output,
            Self::Usage | Self::Declined => ProblemKind::Usage,
        }
    }
}

/// How things stand after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aftermath {
    NothingChanged,
    /// A run has begun, and can be resumed.
    Resumable,
}

/// Why a use case has no outcome.
#[derive(Debug)]
pub struct AppError {
    pub kind: ErrorKind,
    pub message: String,
    pub hint: Option<String>,
    pub aftermath: Aftermath,
    /// What points into a file, shown with its lines.
    pub pointing: Option<Box<dyn Diagnostic + Send + Sync>>,
}

impl AppError {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, aftermath: Aftermath::NothingChanged, pointing: None }
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn leaving_resumable(self) -> Self {
        Self { aftermath: Aftermath::Resumable, ..self }
    }

    #[must_use]
    pub fn to_problem(&self) -> SummaryProblem {
        SummaryProblem { kind: self.kind.to_problem_kind(), message: self.message.clone(), hint: self.hint.clone() }
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AppError {}

impl From<ConfigError> for AppError {
    fn from(error: ConfigError) -> Self {
        let hint = error.problems().iter().find_map(|problem| problem.help.clone());
        let message = error.to_string();
        Self { hint, pointing: Some(Box::new(error)), ..Self::new(ErrorKind::Configuration, message) }
    }
}

impl From<SourceError> for AppError {
    fn from(error: SourceError) -> Self {
        let hint = error.hint();
        Self { hint, ..Self::new(ErrorKind::Source, error.to_string()) }
    }
}

impl From<CallError> for AppError {
    fn from(error: CallError) -> Self {
        let kind = match error.trouble {
            Trouble::Quota { .. } => ErrorKind::Quota,
            Trouble::Stopped => ErrorKind::Signal,
            Trouble::Configuration => ErrorKind::Configuration,
            _ => ErrorKind::Target,
        };
        let hint = error.hint.clone().or_else(|| match error.trouble {
            Trouble::Unavailable => {
                Some("try again later; rate.retries and rate.timeout say how long a run keeps trying".to_owned())
            }
            _ => None,
        });
        Self { hint, ..Self::new(kind, error.to_string()) }
    }
}

impl From<JournalError> for AppError {
    fn from(error: JournalError) -> Self {
        let failure = Self::new(ErrorKind::Journal, error.to_string());
        match &error {
            JournalError::Locked { .. } => Self { kind: ErrorKind::Locked, ..failure }
                .with_hint("wait for the other run to end, or use another state directory (--state)"),
            JournalError::Damaged { dir, .. } => failure.with_hint(format!(
                "move {} aside and run `headcount sync`: it compares everything again, which is always safe",
                dir.display()
            )),
            JournalError::Form { dir, .. } => failure.with_hint(format!(
                "use the version of headcount that wrote it, or move {} aside and run `headcount sync`: it compares \
                 everything again, which is always safe",
                dir.display()
            )),
            JournalError::File(error) => Self { hint: Some(hint_of(error).to_owned()), ..failure },
            JournalError::Failed(_) => failure.with_hint(
                "check the disk and its free space; then `headcount resume` looks up what is unknown and continues",
            ),
            _ => failure,
        }
    }
}

impl From<FileError> for AppError {
    fn from(error: FileError) -> Self {
        Self::new(ErrorKind::Journal, error.to_string()).with_hint(hint_of(&error))
    }
}

fn hint_of(error: &FileError) -> &'static str {
    match error.source.kind() {
        io::ErrorKind::InvalidData => {
            "the file was changed or cut: move the state directory aside and run `headcount sync`, which compares \
             everything again"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "free some space on the disk, or use another state directory (--state)"
        }
        _ => "make the state directory writable, or use another one (--state)",
    }
}

impl From<PlanningError> for AppError {
    fn from(error: PlanningError) -> Self {
        match error {
            PlanningError::Source(error) => error.into(),
            PlanningError::Target(error) => error.into(),
            PlanningError::Journal(error) => error.into(),
            error @ PlanningError::Plan(_) => Self::new(ErrorKind::Journal, error.to_string())
                .with_hint("what is not as the run left it cannot be taken back"),
            error @ PlanningError::Duplicates(_) => Self::new(ErrorKind::Source, error.to_string()).with_hint(
                "fix the export, or set source.duplicates to \"first\" or \"last\": rows of different people that \
                 share a key are then conflicts, and none of these people is changed",
            ),
            error @ PlanningError::SourceChanged(_) => {
                Self::new(ErrorKind::Source, error.to_string()).with_hint("run again when the export is complete")
            }
            error @ PlanningError::Recorded { .. } => Self::new(ErrorKind::Source, error.to_string()).with_hint(
                "--against needs a table of accounts: a column \"account\" with the ids, and a column for each \
                 attribute to compare",
            ),
            error @ PlanningError::File { .. } => {
                Self::new(ErrorKind::Journal, error.to_string()).with_hint("check the free space and the permissions")
            }
        }
    }
}

impl From<PlanFileError> for AppError {
    fn from(error: PlanFileError) -> Self {
        Self::new(ErrorKind::Plan, error.to_string()).with_hint(error.repair_hint())
    }
}

impl From<ExecuteError> for AppError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Plan(error) => error.into(),
            ExecuteError::Journal(error) => Self::from(error).leaving_resumable(),
            error => Self::new(ErrorKind::Plan, error.to_string()),
        }
    }
}

impl From<LifecycleError> for AppError {
    fn from(error: LifecycleError) -> Self {
        match error {
            LifecycleError::Journal(error) => error.into(),
            LifecycleError::File(error) => error.into(),
            error @ LifecycleError::Copy { .. } => Self::new(ErrorKind::Journal, error.to_string())
                .with_hint("check the free space and the permissions; if the file is damaged, make the plan again"),
        }
    }
}

impl From<DeliveryError> for AppError {
    fn from(error: DeliveryError) -> Self {
        Self::new(ErrorKind::Passwords, format!("the generated passwords are not delivered: {error}"))
            .with_hint("`headcount resume` tries again; the passwords are the same")
    }
}

impl From<SandboxError> for AppError {
    fn from(error: SandboxError) -> Self {
        Self::new(ErrorKind::Sandbox, error.to_string())
    }
}
