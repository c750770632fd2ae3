//! Goes through the plan: what an earlier process left open first, then what gives access, then what takes it away.

use std::fs::File;
use std::io::BufReader;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};

use super::request::{ActionStanding, LostRequest, MadeAccount, MadeBy, StepRequest};
use super::{ExecuteError, ExecutionInputs, ExecutionResult, Halt, Mode};
use crate::journal::state::{ActionState, RemarkCause};
use crate::journal::{Event, JournalError, Note, Outcome, RunState, Step, StepState};
use crate::model::monitor::Done;
use crate::model::{AccountId, Attributes, Schema};
use crate::plan::file::PlanReader;
use crate::plan::safety::ActionGroup;
use crate::plan::{Action, ActionKind, ActionSelector, Begun, Selected};
use crate::planning::fingerprint_value;
use crate::testing::failpoints::{self, Failpoint};

/// What stops the executor from within an action.
#[derive(Debug)]
pub(super) enum Interruption {
    /// The run was stopped by another action before this one sent anything.
    Left,
    Halt(Halt),
    Error(ExecuteError),
}

impl<E: Into<ExecuteError>> From<E> for Interruption {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// What became of an action in this process.
#[derive(Debug)]
pub(super) enum EndedAction {
    Applied(ActionKind),
    Failed,
    Skipped,
    /// To be settled before anything is sent again.
    Lost(Box<LostRequest>),
}

/// One execution under way.
pub(super) struct Engine<'a> {
    pub execution: &'a ExecutionInputs<'a>,
    pub schema: &'a Schema,
    tally: Mutex<ExecutionResult>,
    /// What is to be remembered of applied actions.
    learnt: Mutex<Vec<Note>>,
    /// Actions to execute.
    of: AtomicU64,
    /// Answers lost in a row: a target that is down must not be asked about everybody.
    pub silent: AtomicU32,
    /// Something failed: an action that has not sent anything yet sends nothing.
    stopped: AtomicBool,
}

/// What was learnt is written in portions.
const PORTION: usize = 1_000;

impl<'a> Engine<'a> {
    pub fn new(execution: &'a ExecutionInputs<'a>) -> Self {
        Self {
            execution,
            schema: execution.target.schema(),
            tally: Mutex::new(ExecutionResult::default()),
            learnt: Mutex::new(Vec::new()),
            of: AtomicU64::new(0),
            silent: AtomicU32::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    /// What was counted, and how many actions there were to execute.
    pub fn into_counts(self) -> (ExecutionResult, u64) {
        (self.tally.into_inner().unwrap_or_else(PoisonError::into_inner), self.of.into_inner())
    }

    pub async fn run_all(&self, state: &RunState) -> Result<(), Interruption> {
        let is_needed = self.count_actions(state).await?;
        failpoints::reach(Failpoint::Counted);
        // What an earlier process left open is settled before anything is sent.
        let lost = self.left_open(state)?;
        self.with_tally(|tally| tally.unknown = lost.len() as u64);
        self.settle_lost(lost).await?;
        failpoints::reach(Failpoint::Settled);
        if self.execution.mode == Mode::SettleOnly {
            return Ok(());
        }
        for takes_away in [law_is_broken!(DeactivationsFirst), !law_is_broken!(DeactivationsFirst)] {
            if is_needed[usize::from(takes_away)] {
                self.run_phase(state, takes_away).await?;
            }
            failpoints::reach_kind(Failpoint::PhaseDone, if takes_away { "takes" } else { "gives" });
        }
        Ok(())
    }

    /// Counts what is to do and what is done already, so that progress and totals are right from the start. What an
    /// earlier process applied is learnt again: it may have been killed before it wrote that down. Returns whether
    /// anything is to be sent that gives access, and whether anything that takes it away.
    async fn count_actions(&self, state: &RunState) -> Result<[bool; 2], ExecuteError> {
        let mut plan = self.open_plan()?;
        let mut selector = self.new_selector();
        let (mut of, mut is_needed) = (0, [false; 2]);
        while let Some(action) = plan.next()? {
            match selector.select_action(&action, is_begun(state, &action)) {
                Selected::LeftOut => continue,
                Selected::Held => {
                    self.with_tally(|tally| tally.held += 1);
                    continue;
                }
                Selected::Executed => of += 1,
            }
            match self.action_standing(state, &action)? {
                ActionStanding::Applied => {
                    self.with_tally(|tally| *tally.applied.count_mut(action.action) += 1);
                    self.learn_again(state, action)?;
                    self.remember_learnt(PORTION).await?;
                }
                ActionStanding::Failed => self.with_tally(|tally| tally.failed += 1),
                ActionStanding::Skipped => self.with_tally(|tally| tally.skipped += 1),
                ActionStanding::ToDo | ActionStanding::FollowUpToDo => {
                    is_needed[usize::from(action.action.takes_away())] = true;
                }
                ActionStanding::Open => {}
            }
        }
        self.of.store(of, Ordering::Relaxed);
        Ok(is_needed)
    }

    /// What says which actions are executed, for one pass over the plan.
    fn new_selector(&self) -> ActionSelector {
        let released = if law_is_broken!(HeldExecuted) { &ActionGroup::ALL } else { self.execution.released };
        ActionSelector::new(released, self.execution.selection)
    }

    fn action_standing(&self, state: &RunState, action: &Action) -> Result<ActionStanding, ExecuteError> {
        ActionStanding::of_state(state.action(action.seq), || {
            let steps = crate::plan::split_steps(self.schema, action).map_err(ExecuteError::Foreign)?;
            Ok(!steps.then.is_empty())
        })
    }

    /// The requests of earlier processes whose outcome is unknown.
    fn left_open(&self, state: &RunState) -> Result<Vec<LostRequest>, ExecuteError> {
        let mut open = state.undecided_steps().peekable();
        let mut lost = Vec::new();
        if open.peek().is_none() {
            return Ok(lost);
        }
        let mut plan = self.open_plan()?;
        while let Some(action) = plan.next()? {
            let seq = action.seq;
            // One at most: a follow-up is only sent once its first step is decided.
            let Some((_, step)) = open.next_if(|(open, _)| *open == seq) else { continue };
            let said = state.remark_of(seq, step).is_some_and(|remark| remark.cause == RemarkCause::ExistsAlready);
            lost.push(LostRequest {
                request: self.build_request(state, action, step)?,
                exists: said && step == Step::First,
                open: state.step_state(seq, step) == StepState::Open,
                since: self.execution.clock.elapsed(),
            });
        }
        Ok(lost)
    }

    /// All actions that take access away, or all that do not.
    async fn run_phase(&self, state: &RunState, takes_away: bool) -> Result<(), Interruption> {
        let mut plan = self.open_plan()?;
        let mut under_way = FuturesUnordered::new();
        // Twice the requests that the target sends at once: while some wait for answers, others make their intents
        // durable.
        let most = self.execution.concurrency.max(1) * 2;
        let mut lost = Vec::new();
        let mut broken = None;
        let mut selector = self.new_selector();
        let mut more = true;
        while more || !under_way.is_empty() {
            while more && under_way.len() < most {
                let Some(action) = plan.next()? else {
                    more = false;
                    break;
                };
                let selected = selector.select_action(&action, is_begun(state, &action));
                if selected != Selected::Executed || action.action.takes_away() != takes_away {
                    continue;
                }
                let step = match self.action_standing(state, &action)? {
                    ActionStanding::ToDo => Step::First,
                    ActionStanding::FollowUpToDo => Step::FollowUp,
                    _ => continue,
                };
                under_way.push(self.perform_action(self.build_request(state, action, step)?));
            }
            match under_way.next().await {
                Some(Ok(ended)) => self.count_ended(ended, &mut lost).await?,
                Some(Err(error)) => {
                    self.keep_graver(&mut broken, error);
                    more = false;
                }
                None => {}
            }
        }
        drop(under_way);
        match broken {
            Some(broken) => Err(broken),
            None => self.settle_lost(lost).await,
        }
    }

    /// A step of an action as the run's state leaves it.
    fn build_request(&self, state: &RunState, action: Action, step: Step) -> Result<StepRequest, ExecuteError> {
        let seq = action.seq;
        let made = state.account_of(seq).filter(|_| action.action == ActionKind::Create);
        let made = made.map(|account| MadeAccount { account: account.clone(), by: made_by(state.action(seq)) });
        Ok(StepRequest { step, attempts: state.attempts_of(seq, step), made, ..StepRequest::new(self.schema, action)? })
    }

    /// Books what became of an action.
    pub async fn count_ended(&self, ended: EndedAction, lost: &mut Vec<LostRequest>) -> Result<(), ExecuteError> {
        self.with_tally(|tally| match &ended {
            EndedAction::Applied(kind) => *tally.applied.count_mut(*kind) += 1,
            EndedAction::Failed => tally.failed += 1,
            EndedAction::Skipped => tally.skipped += 1,
            EndedAction::Lost(_) => tally.unknown += 1,
        });
        if let EndedAction::Lost(one) = ended {
            lost.push(*one);
        }
        self.show_progress();
        Ok(self.remember_learnt(PORTION).await?)
    }

    /// A lost request is unknown no longer: it is settled, or sent again.
    pub fn found_again(&self) {
        self.with_tally(|tally| tally.unknown = tally.unknown.saturating_sub(1));
    }

    fn show_progress(&self) {
        let meter = self.execution.target.meter();
        let done = self.with_tally(|tally| Done {
            done: tally.applied.count_all() + tally.failed + tally.skipped + tally.unknown,
            of: self.of.load(Ordering::Relaxed),
            failed: tally.failed,
            unknown: tally.unknown,
            retries: meter.sent_so_far().retried,
            quota_left: meter.quota().map(|quota| quota.remaining),
        });
        self.execution.monitor.actions_done(&done);
    }

    pub fn open_plan(&self) -> Result<PlanReader<BufReader<File>>, ExecuteError> {
        Ok(PlanReader::new(BufReader::new(File::open(self.execution.plan)?))?)
    }

    fn with_tally<T>(&self, change: impl FnOnce(&mut ExecutionResult) -> T) -> T {
        change(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Stopping.
impl Engine<'_> {
    /// Whether a request may leave now.
    pub fn may_send(&self) -> Result<(), Interruption> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Interruption::Left);
        }
        if self.execution.stop.is_requested() {
            return Err(Interruption::Halt(Halt::Signal));
        }
        Ok(())
    }

    /// Of two reasons to stop keeps the one that says more. Nothing is sent after either.
    pub fn keep_graver(&self, known: &mut Option<Interruption>, new: Interruption) {
        self.stopped.store(true, Ordering::Relaxed);
        let weight = |broken: &Interruption| match broken {
            Interruption::Left => 0,
            Interruption::Halt(Halt::Signal) => 1,
            Interruption::Halt(Halt::Quota(_) | Halt::Down(_)) => 2,
            Interruption::Halt(Halt::Configuration(_)) => 3,
            Interruption::Error(_) => 4,
        };
        if known.as_ref().is_none_or(|known| weight(known) < weight(&new)) {
            *known = Some(new);
        }
    }
}

/// The journal.
impl Engine<'_> {
    /// Makes an intent durable, so that its request may leave. Where the run was stopped meanwhile, it does not.
    pub async fn write_intent(&self, request: &StepRequest) -> Result<(), Interruption> {
        self.may_send()?;
        let (run, at) = (self.execution.run, self.execution.clock.now());
        let (seq, step, attempt) = (request.seq(), request.step, request.attempts + 1);
        failpoints::reach_kind(Failpoint::IntentDue, request.kind_name());
        let intent = self.execution.journal.append(Event::Intent { run, at, seq, step, attempt });
        if law_is_broken!(IntentNotAwaited) {
            intent.now_or_never();
        } else if let Err(error) = intent.await
            && !law_is_broken!(JournalFailureIgnored)
        {
            return Err(error.into());
        }
        failpoints::reach_kind(Failpoint::IntentDurable, request.kind_name());
        if let Err(broken) = self.may_send() {
            self.write_outcome(request, Outcome::NotThere).await?;
            return Err(broken);
        }
        Ok(())
    }

    pub async fn write_outcome(&self, request: &StepRequest, result: Outcome) -> Result<(), ExecuteError> {
        let (run, at) = (self.execution.run, self.execution.clock.now());
        let (seq, step) = (request.seq(), request.step);
        failpoints::reach_kind(Failpoint::OutcomeDue, request.kind_name());
        let outcome = self.execution.journal.append(Event::Outcome { run, at, seq, step, result });
        if law_is_broken!(OutcomeNotAwaited) {
            outcome.now_or_never();
            return Ok(());
        }
        outcome.await?;
        failpoints::reach_kind(Failpoint::OutcomeDurable, request.kind_name());
        Ok(())
    }

    /// Notes what is worth remembering: whose account it is, and what was written that the API does not show.
    pub fn learn_action(&self, action: &Action, account: &AccountId, written: &[&Attributes]) {
        let Some(identity) = &action.identity else { return };
        let mut learnt = self.lock_learnt();
        if action.action == ActionKind::Create {
            learnt.push(Note::Link { identity: identity.clone(), account: account.clone() });
        }
        let prints: Vec<(String, u64)> = written
            .iter()
            .flat_map(|values| values.iter())
            .filter(|(id, _)| self.schema.get(*id).write_only())
            .map(|(id, value)| (self.schema.name(id).to_owned(), fingerprint_value(self.schema, id, value)))
            .collect();
        if !prints.is_empty() {
            // What other write-only attributes had stays known.
            let mut attributes = self.execution.memory.fingerprints_of(identity);
            attributes.retain(|(name, _)| prints.iter().all(|(new, _)| new != name));
            attributes.extend(prints);
            learnt.push(Note::Fingerprint { identity: identity.clone(), attributes });
        }
    }

    /// [`Engine::learn_action`] for an action that an earlier process applied.
    fn learn_again(&self, state: &RunState, action: Action) -> Result<(), ExecuteError> {
        let seq = action.seq;
        let request = StepRequest::new(self.schema, action)?;
        if let Some(account) = state.account_of(seq).or(request.action.account.as_ref()) {
            self.learn_action(&request.action, account, &written_values(&request.steps, made_by(state.action(seq))));
        }
        Ok(())
    }

    /// Writes down what was learnt, where it is at least so much.
    async fn remember_learnt(&self, at_least: usize) -> Result<(), JournalError> {
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
        self.remember_learnt(1).await
    }

    fn lock_learnt(&self) -> MutexGuard<'_, Vec<Note>> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was written to an account by a whole action: of an account that was there already, the follow-up alone.
pub(super) fn written_values(steps: &crate::plan::Steps, by: MadeBy) -> Vec<&Attributes> {
    match by {
        MadeBy::Us => vec![&steps.first, &steps.then],
        MadeBy::SomebodyElse => vec![&steps.then],
    }
}

fn is_begun(state: &RunState, action: &Action) -> Begun {
    if state.action(action.seq).first == StepState::Pending { Begun::No } else { Begun::Yes }
}

fn made_by(state: ActionState) -> MadeBy {
    if state.first == StepState::Adopted { MadeBy::SomebodyElse } else { MadeBy::Us }
}
