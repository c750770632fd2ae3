//! Goes through the plan: what an earlier process left open first, then what gives access, then what takes it away.

use std::fs::File;
use std::io::BufReader;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};

use super::lost::said_exists;
use super::request::{By, Lost, Made, Request, Standing};
use super::{ExecuteError, Executed, Execution, Halt, Mode};
use crate::journal::state::ActionState;
use crate::journal::{Event, JournalError, Note, Outcome, RunState, Step, StepState};
use crate::model::monitor::Done;
use crate::model::{AccountId, Attributes, Schema};
use crate::plan::file::PlanReader;
use crate::plan::safety::Group;
use crate::plan::{Action, ActionKind, ActionSelector, Begun, Selected};
use crate::planning::fingerprint;
use crate::testing::failpoints::{self, Failpoint};

/// What stops the executor from within an action.
#[derive(Debug)]
pub(super) enum Broken {
    /// The run was stopped by another action before this one sent anything.
    Left,
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
pub(super) enum Ended {
    Applied(ActionKind),
    Failed,
    Skipped,
    /// To be settled before anything is sent again.
    Lost(Box<Lost>),
}

/// One execution under way.
pub(super) struct Engine<'a> {
    pub execution: &'a Execution<'a>,
    pub schema: &'a Schema,
    tally: Mutex<Executed>,
    /// What is to be remembered of applied actions.
    learnt: Mutex<Vec<Note>>,
    /// Actions to execute.
    of: AtomicU64,
    /// Answers lost in a row: a target that is down must not be asked about everybody.
    pub silent: AtomicU32,
    /// Something broke: whatever has not sent anything yet leaves it.
    stopped: AtomicBool,
}

/// What was learnt is written in portions.
const PORTION: usize = 1_000;

impl<'a> Engine<'a> {
    pub fn new(execution: &'a Execution<'a>) -> Self {
        Self {
            execution,
            schema: execution.target.schema(),
            tally: Mutex::new(Executed::default()),
            learnt: Mutex::new(Vec::new()),
            of: AtomicU64::new(0),
            silent: AtomicU32::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    /// What was counted, and how many actions there were to execute.
    pub fn finish(self) -> (Executed, u64) {
        (self.tally.into_inner().unwrap_or_else(PoisonError::into_inner), self.of.into_inner())
    }

    pub async fn all(&self, state: &RunState) -> Result<(), Broken> {
        self.count(state).await?;
        failpoints::reach(Failpoint::Counted);
        // What an earlier process left open is settled before anything is sent.
        let lost = self.left_open(state)?;
        self.with_tally(|tally| tally.unknown = lost.len() as u64);
        self.settle(lost).await?;
        failpoints::reach(Failpoint::Settled);
        if self.execution.mode == Mode::SettleOnly {
            return Ok(());
        }
        for takes_away in [law_is_broken!(DeactivationsFirst), !law_is_broken!(DeactivationsFirst)] {
            self.phase(state, takes_away).await?;
            failpoints::reach_kind(Failpoint::PhaseDone, if takes_away { "takes" } else { "gives" });
        }
        Ok(())
    }

    /// Counts what is to do and what is done already, so that progress and totals are right from the start. What an
    /// earlier process applied is learnt again: it may have been killed before it wrote that down.
    async fn count(&self, state: &RunState) -> Result<(), ExecuteError> {
        let mut plan = self.plan()?;
        let mut selector = self.selector();
        let mut of = 0;
        while let Some(action) = plan.next()? {
            match selector.select_action(&action, begun(state, &action)) {
                Selected::LeftOut => continue,
                Selected::Held => {
                    self.with_tally(|tally| tally.held += 1);
                    continue;
                }
                Selected::Executed => of += 1,
            }
            match self.standing(state, &action)? {
                Standing::Applied => {
                    self.with_tally(|tally| *tally.applied.of(action.action) += 1);
                    self.learn_again(state, action)?;
                    self.remember(PORTION).await?;
                }
                Standing::Failed => self.with_tally(|tally| tally.failed += 1),
                Standing::Skipped => self.with_tally(|tally| tally.skipped += 1),
                Standing::ToDo | Standing::FollowUpToDo | Standing::Open => {}
            }
        }
        self.of.store(of, Ordering::Relaxed);
        Ok(())
    }

    /// What says which actions are executed, for one pass over the plan.
    fn selector(&self) -> ActionSelector {
        let released = if law_is_broken!(HeldExecuted) { &Group::ALL } else { self.execution.released };
        ActionSelector::new(released, self.execution.selection)
    }

    fn standing(&self, state: &RunState, action: &Action) -> Result<Standing, ExecuteError> {
        Standing::of(state.action(action.seq), || {
            let steps = crate::plan::steps(self.schema, action).map_err(ExecuteError::Foreign)?;
            Ok(!steps.then.is_empty())
        })
    }

    /// The requests of earlier processes of which nobody knows what came of them.
    fn left_open(&self, state: &RunState) -> Result<Vec<Lost>, ExecuteError> {
        let mut open = state.undecided_steps().peekable();
        let mut lost = Vec::new();
        if open.peek().is_none() {
            return Ok(lost);
        }
        let mut plan = self.plan()?;
        while let Some(action) = plan.next()? {
            let seq = action.seq;
            // One at most: a follow-up is only sent once its first step is decided.
            let Some((_, step)) = open.next_if(|(open, _)| *open == seq) else { continue };
            let said = state.remark_of(seq, step).is_some_and(|remark| said_exists(&remark.message));
            lost.push(Lost {
                request: self.request(state, action, step)?,
                exists: said && step == Step::First,
                open: state.step_state(seq, step) == StepState::Open,
                since: self.execution.clock.elapsed(),
            });
        }
        Ok(lost)
    }

    /// All actions that take access away, or all that do not.
    async fn phase(&self, state: &RunState, takes_away: bool) -> Result<(), Broken> {
        let mut plan = self.plan()?;
        let mut under_way = FuturesUnordered::new();
        // Twice the requests that the target sends at once: while some wait for answers, others make their intents
        // durable.
        let most = self.execution.concurrency.max(1) * 2;
        let mut lost = Vec::new();
        let mut broken = None;
        let mut selector = self.selector();
        let mut more = true;
        while more || !under_way.is_empty() {
            while more && under_way.len() < most {
                let Some(action) = plan.next()? else {
                    more = false;
                    break;
                };
                let selected = selector.select_action(&action, begun(state, &action));
                if selected != Selected::Executed || action.action.takes_away() != takes_away {
                    continue;
                }
                let step = match self.standing(state, &action)? {
                    Standing::ToDo => Step::First,
                    Standing::FollowUpToDo => Step::FollowUp,
                    _ => continue,
                };
                under_way.push(self.perform(self.request(state, action, step)?));
            }
            match under_way.next().await {
                Some(Ok(ended)) => self.ended(ended, &mut lost).await?,
                Some(Err(error)) => {
                    self.broke(&mut broken, error);
                    more = false;
                }
                None => {}
            }
        }
        drop(under_way);
        match broken {
            Some(broken) => Err(broken),
            None => self.settle(lost).await,
        }
    }

    /// A step of an action as the run's state leaves it.
    fn request(&self, state: &RunState, action: Action, step: Step) -> Result<Request, ExecuteError> {
        let seq = action.seq;
        let made = state.account_of(seq).filter(|_| action.action == ActionKind::Create);
        let made = made.map(|account| Made { account: account.clone(), by: maker(state.action(seq)) });
        Ok(Request { step, attempts: state.attempts_of(seq, step), made, ..Request::new(self.schema, action)? })
    }

    /// Books what became of an action.
    pub async fn ended(&self, ended: Ended, lost: &mut Vec<Lost>) -> Result<(), ExecuteError> {
        self.with_tally(|tally| match &ended {
            Ended::Applied(kind) => *tally.applied.of(*kind) += 1,
            Ended::Failed => tally.failed += 1,
            Ended::Skipped => tally.skipped += 1,
            Ended::Lost(_) => tally.unknown += 1,
        });
        if let Ended::Lost(one) = ended {
            lost.push(*one);
        }
        self.progress();
        Ok(self.remember(PORTION).await?)
    }

    /// A lost request is unknown no longer: it is settled, or sent again.
    pub fn found_again(&self) {
        self.with_tally(|tally| tally.unknown = tally.unknown.saturating_sub(1));
    }

    fn progress(&self) {
        let meter = self.execution.target.meter();
        let done = self.with_tally(|tally| Done {
            done: tally.applied.total() + tally.failed + tally.skipped + tally.unknown,
            of: self.of.load(Ordering::Relaxed),
            failed: tally.failed,
            unknown: tally.unknown,
            retries: meter.sent_so_far().retried,
            quota_left: meter.quota().map(|quota| quota.remaining),
        });
        self.execution.monitor.actions_done(&done);
    }

    pub fn plan(&self) -> Result<PlanReader<BufReader<File>>, ExecuteError> {
        Ok(PlanReader::new(BufReader::new(File::open(self.execution.plan)?))?)
    }

    fn with_tally<T>(&self, change: impl FnOnce(&mut Executed) -> T) -> T {
        change(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Stopping.
impl Engine<'_> {
    /// Whether a request may leave now.
    pub fn may_send(&self) -> Result<(), Broken> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Broken::Left);
        }
        if self.execution.stop.is_requested() {
            return Err(Broken::Halt(Halt::Signal));
        }
        Ok(())
    }

    /// Of two reasons to stop keeps the one that says more. Nothing is sent after either.
    pub fn broke(&self, known: &mut Option<Broken>, new: Broken) {
        self.stopped.store(true, Ordering::Relaxed);
        let weight = |broken: &Broken| match broken {
            Broken::Left => 0,
            Broken::Halt(Halt::Signal) => 1,
            Broken::Halt(Halt::Quota(_) | Halt::Down(_)) => 2,
            Broken::Halt(Halt::Configuration(_)) => 3,
            Broken::Error(_) => 4,
        };
        if known.as_ref().is_none_or(|known| weight(known) < weight(&new)) {
            *known = Some(new);
        }
    }
}

/// The journal.
impl Engine<'_> {
    /// Makes an intent durable, so that its request may leave. Where the run was stopped meanwhile, it does not.
    pub async fn intend(&self, request: &Request) -> Result<(), Broken> {
        self.may_send()?;
        let (run, at) = (self.execution.run, self.execution.clock.now());
        let (seq, step, attempt) = (request.seq(), request.step, request.attempts + 1);
        failpoints::reach_kind(Failpoint::IntentDue, request.kind());
        let intent = self.execution.journal.append(Event::Intent { run, at, seq, step, attempt });
        if law_is_broken!(IntentNotAwaited) {
            intent.now_or_never();
        } else if let Err(error) = intent.await
            && !law_is_broken!(JournalFailureIgnored)
        {
            return Err(error.into());
        }
        failpoints::reach_kind(Failpoint::IntentDurable, request.kind());
        if let Err(broken) = self.may_send() {
            self.write(request, Outcome::NotThere).await?;
            return Err(broken);
        }
        Ok(())
    }

    pub async fn write(&self, request: &Request, result: Outcome) -> Result<(), ExecuteError> {
        let (run, at) = (self.execution.run, self.execution.clock.now());
        let (seq, step) = (request.seq(), request.step);
        failpoints::reach_kind(Failpoint::OutcomeDue, request.kind());
        let outcome = self.execution.journal.append(Event::Outcome { run, at, seq, step, result });
        if law_is_broken!(OutcomeNotAwaited) {
            outcome.now_or_never();
            return Ok(());
        }
        outcome.await?;
        failpoints::reach_kind(Failpoint::OutcomeDurable, request.kind());
        Ok(())
    }

    /// Notes what is worth remembering: whose account it is, and what was written that the API does not show.
    pub fn learn(&self, action: &Action, account: &AccountId, written: &[&Attributes]) {
        let Some(identity) = &action.identity else { return };
        let mut learnt = self.lock_learnt();
        if action.action == ActionKind::Create {
            learnt.push(Note::Link { identity: identity.clone(), account: account.clone() });
        }
        let prints: Vec<(String, u64)> = written
            .iter()
            .flat_map(|values| values.iter())
            .filter(|(id, _)| self.schema.get(*id).write_only())
            .map(|(id, value)| (self.schema.name(id).to_owned(), fingerprint(self.schema, id, value)))
            .collect();
        if !prints.is_empty() {
            // What other write-only attributes had stays known.
            let mut attributes = self.execution.memory.fingerprints_of(identity);
            attributes.retain(|(name, _)| prints.iter().all(|(new, _)| new != name));
            attributes.extend(prints);
            learnt.push(Note::Fingerprint { identity: identity.clone(), attributes });
        }
    }

    /// [`Engine::learn`] for an action that an earlier process applied.
    fn learn_again(&self, state: &RunState, action: Action) -> Result<(), ExecuteError> {
        let seq = action.seq;
        let request = Request::new(self.schema, action)?;
        if let Some(account) = state.account_of(seq).or(request.action.account.as_ref()) {
            self.learn(&request.action, account, &written(&request.steps, maker(state.action(seq))));
        }
        Ok(())
    }

    /// Writes down what was learnt, where it is at least so much.
    async fn remember(&self, at_least: usize) -> Result<(), JournalError> {
        let notes = {
            let mut learnt = self.lock_learnt();
            if learnt.len() < at_least.max(1) {
                return Ok(());
            }
            std::mem::take(&mut *learnt)
        };
        failpoints::reach(Failpoint::LearntDue);
        self.execution.memory.remember_notes(notes).await?;
        failpoints::reach(Failpoint::LearntRemembered);
        Ok(())
    }

    pub async fn remember_all(&self) -> Result<(), JournalError> {
        self.remember(1).await
    }

    fn lock_learnt(&self) -> MutexGuard<'_, Vec<Note>> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was written to an account by a whole action: of an account that was there already, the follow-up alone.
pub(super) fn written(steps: &crate::plan::Steps, by: By) -> Vec<&Attributes> {
    match by {
        By::Us => vec![&steps.first, &steps.then],
        By::SomebodyElse => vec![&steps.then],
    }
}

fn begun(state: &RunState, action: &Action) -> Begun {
    if state.action(action.seq).first == StepState::Pending { Begun::No } else { Begun::Yes }
}

fn maker(state: ActionState) -> By {
    if state.first == StepState::Adopted { By::SomebodyElse } else { By::Us }
}
