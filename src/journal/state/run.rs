//! One run, as its events leave it.

use std::collections::HashMap;

use jiff::Timestamp;

use super::event::NEVER_LEARNT;
use super::table::next;
use super::{Ending, Event, Illegal, Move, Outcome, Phase, RunHead, RunId, Step, StepState};
use crate::model::AccountId;

/// Actions are counted in one word of 32 bits where it matters.
const MOST_ACTIONS: u64 = u32::MAX as u64;

/// A run in progress or read back: one byte for each action, texts and ids only where there are any.
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    run: RunId,
    started: Timestamp,
    head: RunHead,
    phase: Phase,
    /// When the run last started, paused, resumed or ended.
    phase_since: Timestamp,
    paused_because: Option<String>,
    resumed: u32,
    /// Both steps of each action reached so far, three bits each.
    slots: Vec<u8>,
    /// How often a step was sent, where its state does not say it: more than once, or failed without being sent.
    attempts: HashMap<(u64, Step), u32>,
    accounts: HashMap<u64, AccountId>,
    remarks: HashMap<(u64, Step), Remark>,
    steps: [u64; 8],
    tally: Tally,
}

/// Where an action's two steps stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionState {
    pub first: StepState,
    pub follow_up: StepState,
}

/// Why a step failed, was skipped or is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remark {
    pub message: String,
    pub code: Option<u32>,
    pub trxid: Option<String>,
    pub cause: RemarkCause,
}

/// What else follows from a remark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RemarkCause {
    #[default]
    Ordinary,
    /// See [`Outcome::ExistsAlready`].
    ExistsAlready,
    /// See [`Outcome::NeverLearnt`].
    NeverLearnt,
}

/// Actions by where they stand (see [`ActionState::overall`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub pending: u64,
    pub open: u64,
    pub applied: u64,
    pub adopted: u64,
    pub failed: u64,
    pub skipped: u64,
    pub unknown: u64,
    pub not_there: u64,
}

impl RunState {
    /// The state right after [`Event::RunStarted`].
    ///
    /// # Errors
    /// An event that starts no run, or one with more actions than can be numbered.
    pub fn from_start(event: &Event) -> Result<Self, Illegal> {
        let Event::RunStarted { run, at, head } = event else {
            return Err(Illegal::NotStarted { run: event.run() });
        };
        check_start(*run, head)?;
        let mut steps = [0; 8];
        steps[usize::from(StepState::Pending.bits())] = head.actions.saturating_mul(2);
        Ok(Self {
            run: *run,
            started: *at,
            head: RunHead::clone(head),
            phase: Phase::Running,
            phase_since: *at,
            paused_because: None,
            resumed: 0,
            slots: Vec::new(),
            attempts: HashMap::new(),
            accounts: HashMap::new(),
            remarks: HashMap::new(),
            steps,
            tally: Tally { pending: head.actions, ..Tally::default() },
        })
    }

    /// Takes the event, or refuses it and stays as it was.
    ///
    /// # Errors
    /// An event that may not follow what came before it.
    pub fn apply(&mut self, event: &Event) -> Result<(), Illegal> {
        self.check(event)?;
        match event {
            Event::RunStarted { .. } => {}
            Event::Intent { seq, step, attempt, .. } => {
                self.set(*seq, *step, StepState::Open, *attempt);
            }
            Event::Outcome { seq, step, result, .. } => self.settle_step(*seq, *step, result),
            Event::RunPaused { at, why, .. } => {
                self.enter_phase(Phase::Paused, *at);
                self.paused_because = Some(why.clone());
            }
            Event::RunResumed { at, .. } => {
                self.enter_phase(Phase::Running, *at);
                self.resumed += 1;
            }
            Event::RunEnded { at, outcome, .. } => self.enter_phase(Phase::Ended(*outcome), *at),
        }
        Ok(())
    }

    /// Whether the event may come next.
    ///
    /// # Errors
    /// It may not, and why.
    pub fn check(&self, event: &Event) -> Result<(), Illegal> {
        let run = self.run;
        if event.run() != run {
            return Err(Illegal::NotStarted { run: event.run() });
        }
        let fits = match event {
            Event::RunStarted { .. } => return Err(Illegal::AlreadyStarted { run }),
            Event::Intent { .. } => self.phase.may_send(),
            Event::Outcome { .. } => self.phase.may_learn(),
            Event::RunPaused { .. } => self.phase.may_pause(),
            Event::RunResumed { .. } => self.phase.may_resume(),
            Event::RunEnded { outcome, .. } => self.phase.may_end(*outcome),
        };
        if !fits {
            return Err(Illegal::Phase { run, phase: self.phase, event: event.name() });
        }
        match event {
            Event::Intent { seq, step, attempt, .. } => {
                self.check_step(*seq, *step, Move::Intent)?;
                let expected = self.attempts_of(*seq, *step).saturating_add(1);
                if *attempt != expected {
                    return Err(Illegal::Attempt { run, seq: *seq, step: *step, attempt: *attempt, expected });
                }
                Ok(())
            }
            Event::Outcome { seq, step, result, .. } => self.check_step(*seq, *step, Move::from(result)),
            Event::RunEnded { outcome, .. } => self.check_ending(*outcome),
            _ => Ok(()),
        }
    }

    #[must_use]
    pub fn run(&self) -> RunId {
        self.run
    }
    #[must_use]
    pub fn head(&self) -> &RunHead {
        &self.head
    }
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }
    #[must_use]
    pub fn started(&self) -> Timestamp {
        self.started
    }
    /// When the run last started, paused, resumed or ended.
    #[must_use]
    pub fn phase_since(&self) -> Timestamp {
        self.phase_since
    }
    /// Why it is paused, where it is.
    #[must_use]
    pub fn paused_because(&self) -> Option<&str> {
        self.paused_because.as_deref()
    }
    /// How often it was resumed.
    #[must_use]
    pub fn resumed(&self) -> u32 {
        self.resumed
    }
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Where an action stands; an action that the run does not have is pending for ever.
    #[must_use]
    pub fn action(&self, seq: u64) -> ActionState {
        ActionState::of_bits(slot_of(seq).and_then(|at| self.slots.get(at)).copied().unwrap_or(0))
    }

    #[must_use]
    pub fn step_state(&self, seq: u64, step: Step) -> StepState {
        self.action(seq).step_state(step)
    }

    /// How often the step was sent.
    #[must_use]
    pub fn attempts_of(&self, seq: u64, step: Step) -> u32 {
        match self.attempts.get(&(seq, step)) {
            Some(attempts) => *attempts,
            None => u32::from(!matches!(self.step_state(seq, step), StepState::Pending | StepState::Skipped)),
        }
    }

    /// The account that the action created or adopted, where one is recorded.
    #[must_use]
    pub fn account_of(&self, seq: u64) -> Option<&AccountId> {
        self.accounts.get(&seq)
    }

    /// Why the step failed, was skipped or is unknown.
    #[must_use]
    pub fn remark_of(&self, seq: u64, step: Step) -> Option<&Remark> {
        self.remarks.get(&(seq, step))
    }

    /// Steps that were sent and of which nobody knows what came of them, in order: open intents and unknowns.
    pub fn undecided_steps(&self) -> impl Iterator<Item = (u64, Step)> {
        (1..).zip(&self.slots).flat_map(|(seq, slot)| {
            let state = ActionState::of_bits(*slot);
            Step::BOTH
                .into_iter()
                .filter(move |step| state.step_state(*step).is_undecided())
                .map(move |step| (seq, step))
        })
    }

    fn check_step(&self, seq: u64, step: Step, happens: Move) -> Result<(), Illegal> {
        let run = self.run;
        if seq == 0 || seq > self.head.actions {
            return Err(Illegal::NoSuchAction { run, seq, actions: self.head.actions });
        }
        let state = self.action(seq);
        if step == Step::FollowUp && !state.first.is_done() {
            return Err(Illegal::FollowUpTooEarly { run, seq, first: state.first });
        }
        let from = state.step_state(step);
        match next(from, happens) {
            Some(_) => Ok(()),
            None => Err(Illegal::Transition { run, seq, step, from, to: happens }),
        }
    }

    fn check_ending(&self, ending: Ending) -> Result<(), Illegal> {
        for state in StepState::ALL {
            let count = self.steps[usize::from(state.bits())];
            if count > 0 && !ending.allows_state(state) {
                return Err(Illegal::Ending { run: self.run, ending, count, state });
            }
        }
        Ok(())
    }

    fn settle_step(&mut self, seq: u64, step: Step, result: &Outcome) {
        let state = match next(self.step_state(seq, step), Move::from(result)) {
            Some(state) => state,
            // `check` has just found it legal.
            None => return,
        };
        self.set(seq, step, state, self.attempts_of(seq, step));
        let remark = match result {
            Outcome::Applied { account } => {
                if let Some(account) = account {
                    self.accounts.insert(seq, account.clone());
                }
                None
            }
            Outcome::Adopted { account } => {
                self.accounts.insert(seq, account.clone());
                None
            }
            Outcome::Failed { message, code, trxid } => {
                Some(Remark { code: *code, trxid: trxid.clone(), ..Remark::new(message) })
            }
            Outcome::NeverLearnt => Some(Remark { cause: RemarkCause::NeverLearnt, ..Remark::new(NEVER_LEARNT) }),
            Outcome::ExistsAlready { message } => {
                Some(Remark { cause: RemarkCause::ExistsAlready, ..Remark::new(message) })
            }
            Outcome::Skipped { message } | Outcome::Unknown { message } => Some(Remark::new(message)),
            Outcome::NotThere => None,
        };
        match remark {
            Some(remark) => self.remarks.insert((seq, step), remark),
            None => self.remarks.remove(&(seq, step)),
        };
    }

    fn set(&mut self, seq: u64, step: Step, state: StepState, attempts: u32) {
        let Some(at) = slot_of(seq) else { return };
        if self.slots.len() <= at {
            self.slots.resize(at + 1, 0);
        }
        let before = self.action(seq);
        let after = match step {
            Step::First => ActionState { first: state, ..before },
            Step::FollowUp => ActionState { follow_up: state, ..before },
        };
        self.slots[at] = after.bits();
        self.steps[usize::from(before.step_state(step).bits())] -= 1;
        self.steps[usize::from(state.bits())] += 1;
        *self.tally.count_of(before.overall_state()) -= 1;
        *self.tally.count_of(after.overall_state()) += 1;
        if self.attempts_of(seq, step) != attempts {
            self.attempts.insert((seq, step), attempts);
        }
    }

    fn enter_phase(&mut self, phase: Phase, at: Timestamp) {
        self.phase = phase;
        self.phase_since = at;
        self.paused_because = None;
    }
}

/// Whether a run with this head can start.
pub(super) fn check_start(run: RunId, head: &RunHead) -> Result<(), Illegal> {
    if head.actions > MOST_ACTIONS {
        return Err(Illegal::TooManyActions { run, actions: head.actions });
    }
    Ok(())
}

/// Actions are numbered from 1.
fn slot_of(seq: u64) -> Option<usize> {
    usize::try_from(seq).ok()?.checked_sub(1)
}

impl Remark {
    fn new(message: &str) -> Self {
        Self { message: message.to_owned(), ..Self::default() }
    }
}

impl ActionState {
    /// Three bits for each step; 0 is both pending.
    fn bits(self) -> u8 {
        self.first.bits() | (self.follow_up.bits() << 3)
    }

    fn of_bits(bits: u8) -> Self {
        Self { first: StepState::of_bits(bits), follow_up: StepState::of_bits(bits >> 3) }
    }

    #[must_use]
    pub fn step_state(self, step: Step) -> StepState {
        match step {
            Step::First => self.first,
            Step::FollowUp => self.follow_up,
        }
    }

    /// The action as a whole: its first step, until the follow-up takes it further or goes wrong. Whether an action
    /// needs a follow-up is for the plan to say.
    #[must_use]
    pub fn overall_state(self) -> StepState {
        if self.follow_up == StepState::Pending || self.follow_up.is_done() { self.first } else { self.follow_up }
    }
}

impl Tally {
    pub fn count_of(&mut self, state: StepState) -> &mut u64 {
        match state {
            StepState::Pending => &mut self.pending,
            StepState::Open => &mut self.open,
            StepState::Applied => &mut self.applied,
            StepState::Adopted => &mut self.adopted,
            StepState::Failed => &mut self.failed,
            StepState::Skipped => &mut self.skipped,
            StepState::Unknown => &mut self.unknown,
            StepState::NotThere => &mut self.not_there,
        }
    }

    #[must_use]
    pub fn get(mut self, state: StepState) -> u64 {
        *self.count_of(state)
    }
}
