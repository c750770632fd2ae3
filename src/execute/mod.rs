//! The only place where plan, journal and target meet: intent, call, outcome.
//!
//! An executor makes no choices; they are all in the plan. What it keeps is the law: an intent is durable before its
//! request leaves and an outcome before it is believed; a create whose answer was lost is looked up before anything is
//! sent again; an update only meets the account that the plan saw; what takes access away comes last.

mod engine;
pub mod lifecycle;
mod lost_answers;
pub mod passwords;
mod perform;
mod request;

#[cfg(test)]
mod tests;

pub use crate::plan::Selection;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use self::engine::{Engine, Interruption};
use crate::clock::{Clock, Stop};
use crate::connectors::{CallError, Connector};
use crate::journal::{Journal, JournalError, Memory, RunId};
use crate::model::monitor::{Monitor, Phase};
use crate::model::{AttrId, MatchRule, Secret};
use crate::plan::Action;
use crate::plan::action::ActionCounts;
use crate::plan::file::PlanFileError;
use crate::plan::safety::ActionGroup;

/// One execution of a plan whose file was verified and whose start is in the journal.
pub struct ExecutionInputs<'a> {
    pub run: RunId,
    pub plan: &'a Path,
    pub target: &'a dyn Connector,
    pub rules: &'a [MatchRule],
    pub journal: &'a Journal,
    pub memory: &'a Memory,
    pub secrets: &'a dyn Secrets,
    pub clock: &'a dyn Clock,
    pub monitor: &'a dyn Monitor,
    pub stop: &'a Stop,
    /// Groups whose held actions were released.
    pub released: &'a [ActionGroup],
    pub selection: &'a Selection,
    /// Until when the plan's listing counts as the present state of the accounts; none where it never does.
    pub fresh_until: Option<Timestamp>,
    /// Requests under way at once.
    pub concurrency: usize,
    /// After so long a request that got no answer cannot land any more.
    pub timeout: Duration,
    pub mode: Mode,
}

/// How much of a run is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Everything,
    /// Only what an earlier process left open is looked up; nothing that writes is sent.
    SettleOnly,
}

/// Where the values of secret attributes come from.
pub trait Secrets: Send + Sync {
    /// The secret value of an action's attribute: derived where the plan says `(generated)`, read from the source where
    /// it says `(secret)`.
    ///
    /// # Errors
    /// Why there is none, for the report.
    fn find_secret(&self, action: &Action, attribute: AttrId) -> Result<Secret, String>;
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct ExecutionResult {
    pub applied: ActionCounts,
    pub held: u64,
    pub failed: u64,
    /// Left alone because the account changed since the plan, or vanished.
    pub skipped: u64,
    pub unknown: u64,
    /// Selected actions that were not reached.
    pub pending: u64,
    pub halt: Option<Halt>,
}

/// Why a run stopped before its end.
#[derive(Clone, Debug)]
pub enum Halt {
    /// Somebody asked for it.
    Signal,
    /// The quota is used up to the reserve.
    Quota(CallError),
    /// The target does not answer.
    Down(CallError),
    /// No request can succeed until the configuration is fixed.
    Configuration(CallError),
}

impl std::fmt::Display for Halt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Signal => f.write_str("stopped by a signal"),
            Self::Quota(error) | Self::Down(error) | Self::Configuration(error) => error.fmt(f),
        }
    }
}

/// What makes executing impossible. Nothing more is sent after it.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    #[error(transparent)]
    Plan(#[from] PlanFileError),
    #[error("the plan cannot be opened: {0}")]
    Open(#[from] std::io::Error),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the run {0} is not in the journal")]
    NoRun(RunId),
    #[error("action {0} of the plan names no account: it was not made by this program")]
    NoAccount(u64),
    #[error("the plan has an attribute \"{0}\" that the target does not have: it was made for another target")]
    Foreign(String),
}

/// Executes what is left of the run, which is running as far as the journal knows.
///
/// # Errors
/// A plan or a journal that cannot be read or written. What the target refuses is an outcome, not an error.
pub async fn execute_run(execution: &ExecutionInputs<'_>) -> Result<ExecutionResult, ExecuteError> {
    let state = execution.journal.run(execution.run)?.ok_or(ExecuteError::NoRun(execution.run))?;
    let engine = Engine::new(execution);
    let broken = engine.run_all(&state).await;
    engine.remember_all().await?;
    execution.monitor.ended(Phase::Executing);
    let (mut executed, of) = engine.into_counts();
    match broken {
        Ok(()) | Err(Interruption::Left) => {}
        Err(Interruption::Halt(halt)) => executed.halt = Some(halt),
        Err(Interruption::Error(error)) => return Err(error),
    }
    // The journal alone knows what is unknown: an answer lost on the way out counts as well.
    let state = execution.journal.run(execution.run)?.ok_or(ExecuteError::NoRun(execution.run))?;
    executed.unknown = state.undecided_steps().map(|(seq, _)| seq).collect::<BTreeSet<_>>().len() as u64;
    let done = executed.applied.count_all() + executed.failed + executed.skipped + executed.unknown;
    executed.pending = of.saturating_sub(done);
    Ok(executed)
}
