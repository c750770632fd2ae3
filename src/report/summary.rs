//! The summary: what `--format json` prints, and the end of every report.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::CommandName;
use crate::plan::Forecast;
use crate::plan::action::{ActionCounts, FindingCounts};

/// One plan or run in numbers. The names are fixed: scripts read them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The version of this form: 1.
    pub headcount_summary: u32,
    pub command: CommandName,
    /// The run's name; for a plan the plan's.
    pub run: String,
    pub tenant: String,
    pub outcome: SummaryOutcome,
    pub planned: ActionCounts,
    pub found: FindingCounts,
    pub applied: ActionCounts,
    pub held: u64,
    pub failed: u64,
    pub unknown: u64,
    pub requests: Requests,
    #[serde(default)]
    pub quota: Option<QuotaSummary>,
    /// What is still to be sent, and on how many days the quota lets it be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    pub elapsed_seconds: f64,
    pub exit_code: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<SummaryProblem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SummaryOutcome {
    Planned,
    NoChanges,
    Complete,
    Partial,
    Held,
    Paused,
    Failed,
}

impl SummaryOutcome {
    /// Whether nobody has to look: nothing failed, waits for an approval, or is left for later.
    #[must_use]
    pub fn is_as_wanted(self) -> bool {
        matches!(self, Self::Planned | Self::NoChanges | Self::Complete)
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::NoChanges => "no_changes",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Held => "held",
            Self::Paused => "paused",
            Self::Failed => "failed",
        }
    }

    /// As a person says it.
    #[must_use]
    pub fn status_text(self) -> &'static str {
        match self {
            Self::Planned => "planned, nothing was changed",
            Self::NoChanges => "nothing to change",
            Self::Complete => "complete",
            Self::Partial => "finished, but some accounts failed or have an unknown outcome",
            Self::Held => "a safety rule held something back",
            Self::Paused => "paused, can be resumed",
            Self::Failed => "failed",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    pub auth: u64,
    pub list: u64,
    pub lookup: u64,
    pub write: u64,
    pub retried: u64,
    pub total: u64,
    pub estimated: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaSummary {
    pub limit: Option<u64>,
    pub remaining: u64,
    pub resets_at: Option<Timestamp>,
}

/// Why a command failed before anything was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryProblem {
    /// One word a script can switch on.
    pub kind: ProblemKind,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What a command failed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    Configuration,
    Source,
    Target,
    Quota,
    Signal,
    Plan,
    Journal,
    Locked,
    Safety,
    Passwords,
    Sandbox,
    System,
    Output,
    Usage,
}

impl ProblemKind {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Source => "source",
            Self::Target => "target",
            Self::Quota => "quota",
            Self::Signal => "signal",
            Self::Plan => "plan",
            Self::Journal => "journal",
            Self::Locked => "locked",
            Self::Safety => "safety",
            Self::Passwords => "passwords",
            Self::Sandbox => "sandbox",
            Self::System => "system",
            Self::Output => "output",
            Self::Usage => "usage",
        }
    }
}
