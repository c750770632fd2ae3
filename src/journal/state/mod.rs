//! The table of legal transitions, for live runs and for replay: nothing else decides what may follow what.
//!
//! An action takes one request, or two (a create that needs an update after it). Each request, a *step*, goes its way
//! through [`StepState`] by the [`table`]; a run goes its way through [`Phase`]. Everything here is a pure function of
//! the events: the same events give the same state, and every beginning of a legal sequence is legal.

pub mod event;
pub mod history;
mod past_outcome;
pub mod run;
pub mod run_id;
pub mod table;

#[cfg(test)]
mod tests;

pub use crate::plan::Selection;
pub use event::{Ending, Event, Outcome, RunHead, Step};
pub use history::{History, RunOverview};
pub use run::{ActionState, Remark, RemarkCause, RunState, Tally};
pub use run_id::RunId;
pub use table::{Move, Phase, StepState};

/// Why an event may not follow what came before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    #[error("run {run} has started already")]
    AlreadyStarted { run: RunId },
    #[error("run {run} cannot start while run {unfinished} is unfinished")]
    Unfinished { run: RunId, unfinished: RunId },
    #[error("run {run} never started")]
    NotStarted { run: RunId },
    #[error("run {run} has {actions} actions, which is more than one run can have")]
    TooManyActions { run: RunId, actions: u64 },
    #[error("run {run} is {phase}: it cannot take `{event}`")]
    Phase { run: RunId, phase: Phase, event: &'static str },
    #[error("run {run} has actions 1 to {actions}, not {seq}")]
    NoSuchAction { run: RunId, seq: u64, actions: u64 },
    #[error("run {run}, action {seq}: the follow-up comes after its request is applied, which is {first}")]
    FollowUpTooEarly { run: RunId, seq: u64, first: StepState },
    #[error("run {run}, action {seq}, {step}: `{to}` cannot follow {from}")]
    Transition { run: RunId, seq: u64, step: Step, from: StepState, to: Move },
    #[error("run {run}, action {seq}, {step}: attempt {attempt} where attempt {expected} is next")]
    Attempt { run: RunId, seq: u64, step: Step, attempt: u32, expected: u32 },
    #[error("run {run} cannot end as {ending}: {count} of its actions are {state}")]
    Ending { run: RunId, ending: Ending, count: u64, state: StepState },
}
