//! The only place where plan, journal and target meet: intent, call, outcome.
//!
//! An executor makes no choices; they are all in the plan. What it keeps is the law: an intent is durable before its
//! request leaves and an outcome before it is believed; a create whose answer was lost is looked up before anything is
//! sent again; an update only meets the account that the plan saw; what takes access away comes last.

pub mod lifecycle;
mod lost;
pub mod passwords;
mod perform;
mod select;

#[cfg(test)]
mod tests;

pub use select::Selection;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;

use crate::clock::{Clock, Stop};
use crate::journal::{Event, Journal, JournalError, Memory, Note, Outcome, RunId, RunState, Step, StepState};
use crate::model::monitor::{Done, Monitor, Phase};
use crate::model::{AttrId, MatchRule, Schema, Secret};
use crate::plan::Action;
use crate::plan::action::Planned;
use crate::plan::file::{PlanFileError, PlanReader, restore_secrets};
use crate::plan::safety::Group;
use crate::target::{CallError, Target};

/// One execution of a plan whose file was verified and whose start is in the journal.
pub struct Execution<'a> {
    pub run: RunId,
    pub plan: &'a Path,
    pub target: &'a dyn Target,
    pub rules: &'a [MatchRule],
    pub journal: &'a Journal,
    pub memory: &'a Memory,
    pub secrets: &'a dyn Secrets,
    pub clock: &'a dyn Clock,
    pub monitor: &'a dyn Monitor,
    pub stop: &'a Stop,
    /// Groups whose held actions were released.
    pub released: &'a [Group],
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
    fn secret(&self, action: &Action, attribute: AttrId) -> Result<Secret, String>;
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Executed {
    pub applied: Planned,
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
    /// No request can succeed until the configuration is mended.
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
    #[error("the plan has an attribute \"{0}\" that the target does not have: it was made for another target")]
    Foreign(String),
}

/// What stops the executor from within an action.
#[derive(Debug)]
enum Broken {
    Halt(Halt),
    Error(ExecuteError),
}

impl<E: Into<ExecuteError>> From<E> for Broken {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// What became of an action in this process.
#[derive(Debug)]
enum Ended {
    Applied(Box<Action>),
    Failed,
    Skipped,
    /// To be settled before anything is sent again.
    Lost(Box<Lost>),
}

/// A step whose outcome is not known.
#[derive(Debug)]
struct Lost {
    action: Action,
    step: Step,
    /// The target said that the account exists already.
    exists: bool,
    /// Requests sent for this step so far.
    attempts: u32,
    /// On the monotonic clock: when the answer was given up.
    since: Duration,
}

/// Executes what is left of the run.
///
/// # Errors
/// A plan or a journal that cannot be read or written. What the target refuses is an outcome, not an error.
pub async fn execute(execution: &Execution<'_>) -> Result<Executed, ExecuteError> {
    let state = execution.journal.run(execution.run)?.ok_or(ExecuteError::NoRun(execution.run))?;
    let engine = Engine {
        execution,
        schema: execution.target.schema(),
        tally: Mutex::new(Executed::default()),
        learnt: Mutex::new(Vec::new()),
        of: AtomicU64::new(0),
        silent: AtomicU32::new(0),
    };
    let broken = engine.all(&state).await;
    engine.remember_all().await?;
    execution.monitor.ended(Phase::Executing);
    let mut executed = engine.tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    match broken {
        Ok(()) => {}
        Err(Broken::Halt(halt)) => executed.halt = Some(halt),
        Err(Broken::Error(error)) => return Err(error),
    }
    // The journal alone knows what is unknown: an answer lost on the way out counts as well.
    let state = execution.journal.run(execution.run)?.ok_or(ExecuteError::NoRun(execution.run))?;
    executed.unknown = state.undecided().map(|(seq, _)| seq).collect::<std::collections::BTreeSet<_>>().len() as u64;
    let done = executed.applied.total() + executed.failed + executed.skipped + executed.unknown;
    executed.pending = engine.of.into_inner().saturating_sub(done);
    Ok(executed)
}

struct Engine<'a> {
    execution: &'a Execution<'a>,
    schema: &'a Schema,
    tally: Mutex<Executed>,
    /// What is to be remembered of applied actions.
    learnt: Mutex<Vec<Note>>,
    /// Actions to execute.
    of: AtomicU64,
    /// Answers lost in a row: a target that is down must not be asked about everybody.
    silent: AtomicU32,
}

/// Answers lost in a row that count as a target that is down.
const SILENT: u32 = 5;
/// What was learnt is written in portions.
const PORTION: usize = 1_000;

impl Engine<'_> {
    async fn all(&self, state: &RunState) -> Result<(), Broken> {
        self.count(state)?;
        // What an earlier process left open is settled before anything is sent.
        let lost = self.left_open(state)?;
        self.settle(lost).await?;
        if self.execution.mode == Mode::SettleOnly {
            return Ok(());
        }
        for takes_away in [false, true] {
            self.phase(state, takes_away).await?;
        }
        Ok(())
    }

    /// Counts what is to do and what is done already, so that progress and totals are right from the start.
    fn count(&self, state: &RunState) -> Result<(), ExecuteError> {
        let mut plan = self.plan()?;
        let mut taken = 0;
        let mut of = 0;
        while let Some(action) = plan.next()? {
            if !self.execution.selection.matches(&action) {
                continue;
            }
            if self.is_held(&action) {
                self.with_tally(|tally| tally.held += 1);
                continue;
            }
            if !self.execution.selection.takes(&mut taken) {
                continue;
            }
            of += 1;
            let steps = state.action(action.seq);
            match Standing::of(steps.first, steps.follow_up, self.has_follow_up(&action)?) {
                Standing::Applied => self.with_tally(|tally| *tally.applied.of(action.action) += 1),
                Standing::Failed => self.with_tally(|tally| tally.failed += 1),
                Standing::Skipped => self.with_tally(|tally| tally.skipped += 1),
                Standing::ToDo | Standing::FollowUpToDo | Standing::Open => {}
            }
        }
        self.of.store(of, Ordering::Relaxed);
        Ok(())
    }

    fn left_open(&self, state: &RunState) -> Result<Vec<Lost>, ExecuteError> {
        let open: Vec<(u64, Step)> = state.undecided().collect();
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let mut lost = Vec::new();
        let mut plan = self.plan()?;
        while let Some(mut action) = plan.next()? {
            let seq = action.seq;
            restore_secrets(self.schema, &mut action);
            for (_, step) in open.iter().filter(|(open, _)| *open == seq) {
                lost.push(Lost {
                    attempts: state.attempts(action.seq, *step),
                    action: action.clone(),
                    step: *step,
                    exists: false,
                    since: self.execution.clock.elapsed(),
                });
            }
        }
        Ok(lost)
    }

    /// All actions that take access away, or all that do not.
    async fn phase(&self, state: &RunState, takes_away: bool) -> Result<(), Broken> {
        let mut plan = self.plan()?;
        let mut under_way = FuturesUnordered::new();
        // Twice the requests that may be under way: while some wait for answers, others make their intents durable.
        let most = self.execution.concurrency.max(1) * 2;
        let mut lost = Vec::new();
        let mut broken = None;
        let mut taken = 0;
        let mut more = true;
        while more || !under_way.is_empty() {
            while more && broken.is_none() && under_way.len() < most {
                let Some(mut action) = plan.next()? else {
                    more = false;
                    break;
                };
                let chosen = self.execution.selection.matches(&action)
                    && !self.is_held(&action)
                    && self.execution.selection.takes(&mut taken);
                if !chosen || action.action.takes_away() != takes_away {
                    continue;
                }
                let steps = state.action(action.seq);
                let todo = match Standing::of(steps.first, steps.follow_up, self.has_follow_up(&action)?) {
                    Standing::ToDo => Step::First,
                    Standing::FollowUpToDo => Step::FollowUp,
                    _ => continue,
                };
                restore_secrets(self.schema, &mut action);
                let attempts = state.attempts(action.seq, todo);
                let account = state.account(action.seq).cloned();
                under_way.push(self.perform(action, todo, attempts, account));
            }
            if broken.is_some() {
                more = false;
            }
            match under_way.next().await {
                Some(Ok(ended)) => self.ended(ended, &mut lost).await?,
                Some(Err(error)) => broken = Some(worse(broken, error)),
                None => {}
            }
        }
        drop(under_way);
        match broken {
            Some(broken) => Err(broken),
            None => self.settle(lost).await,
        }
    }

    /// Books what became of an action.
    async fn ended(&self, ended: Ended, lost: &mut Vec<Lost>) -> Result<(), ExecuteError> {
        match ended {
            Ended::Applied(action) => {
                self.with_tally(|tally| *tally.applied.of(action.action) += 1);
                let full = {
                    let mut learnt = self.lock_learnt();
                    (learnt.len() >= PORTION).then(|| std::mem::take(&mut *learnt))
                };
                if let Some(notes) = full {
                    self.execution.memory.remember(notes).await?;
                }
            }
            Ended::Failed => self.with_tally(|tally| tally.failed += 1),
            Ended::Skipped => self.with_tally(|tally| tally.skipped += 1),
            Ended::Lost(one) => lost.push(*one),
        }
        self.progress(lost.len() as u64);
        Ok(())
    }

    fn progress(&self, unknown: u64) {
        let done = self.with_tally(|tally| Done {
            done: tally.applied.total() + tally.failed + tally.skipped + unknown,
            of: self.of.load(Ordering::Relaxed),
            failed: tally.failed,
            unknown,
            retries: self.execution.target.meter().sent().retried,
            quota_left: self.execution.target.meter().quota().map(|quota| quota.remaining),
        });
        self.execution.monitor.actions_done(&done);
    }

    async fn remember_all(&self) -> Result<(), JournalError> {
        let notes = std::mem::take(&mut *self.lock_learnt());
        if notes.is_empty() {
            return Ok(());
        }
        self.execution.memory.remember(notes).await
    }

    fn plan(&self) -> Result<PlanReader<BufReader<File>>, ExecuteError> {
        Ok(PlanReader::new(BufReader::new(File::open(self.execution.plan)?))?)
    }

    fn is_held(&self, action: &Action) -> bool {
        action.held && !self.execution.released.contains(&Group::of(action.action))
    }

    fn has_follow_up(&self, action: &Action) -> Result<bool, ExecuteError> {
        Ok(!crate::plan::steps(self.schema, action).map_err(ExecuteError::Foreign)?.then.is_empty())
    }

    fn with_tally<T>(&self, change: impl FnOnce(&mut Executed) -> T) -> T {
        change(&mut self.tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn lock_learnt(&self) -> std::sync::MutexGuard<'_, Vec<Note>> {
        self.learnt.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn write(&self, seq: u64, step: Step, result: Outcome) -> Result<(), ExecuteError> {
        let (run, at) = (self.execution.run, self.execution.clock.now());
        Ok(self.execution.journal.append(Event::Outcome { run, at, seq, step, result }).await?)
    }

    async fn intend(&self, seq: u64, step: Step, attempt: u32) -> Result<(), ExecuteError> {
        let (run, at) = (self.execution.run, self.execution.clock.now());
        Ok(self.execution.journal.append(Event::Intent { run, at, seq, step, attempt }).await?)
    }
}

/// Where an action stands by its steps.
enum Standing {
    ToDo,
    FollowUpToDo,
    Open,
    Applied,
    Failed,
    Skipped,
}

impl Standing {
    fn of(first: StepState, follow_up: StepState, has_follow_up: bool) -> Self {
        let applied = |state| matches!(state, StepState::Applied | StepState::Adopted);
        match first {
            StepState::Pending | StepState::NotThere => Self::ToDo,
            StepState::Open | StepState::Unknown => Self::Open,
            StepState::Failed => Self::Failed,
            StepState::Skipped => Self::Skipped,
            StepState::Applied | StepState::Adopted if !has_follow_up || applied(follow_up) => Self::Applied,
            StepState::Applied | StepState::Adopted => match follow_up {
                StepState::Open | StepState::Unknown => Self::Open,
                StepState::Failed | StepState::Skipped => Self::Failed,
                _ => Self::FollowUpToDo,
            },
        }
    }
}

/// Of two reasons to stop the one that says more: an error of the journal before all, a signal last.
fn worse(known: Option<Broken>, new: Broken) -> Broken {
    let weight = |broken: &Broken| match broken {
        Broken::Error(_) => 3,
        Broken::Halt(Halt::Configuration(_)) => 2,
        Broken::Halt(Halt::Quota(_) | Halt::Down(_)) => 1,
        Broken::Halt(Halt::Signal) => 0,
    };
    match known {
        Some(known) if weight(&known) >= weight(&new) => known,
        _ => new,
    }
}
