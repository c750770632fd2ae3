//! One step of one action on its way: what it sends, how often it was sent, and where an action stands by its steps.

use std::time::Duration;

use super::ExecuteError;
use crate::connectors::CallError;
use crate::journal::state::ActionState;
use crate::journal::state::event::EXISTS_ALREADY;
use crate::journal::{Outcome, Step, StepState};
use crate::model::{AccountId, AttrId, Attributes, Schema};
use crate::plan::file::restore_secrets;
use crate::plan::{Action, ActionKind, Steps, split_steps};

/// A step of an action, to be sent or to be looked up.
#[derive(Clone, Debug)]
pub(super) struct StepRequest {
    pub action: Action,
    pub steps: Steps,
    pub step: Step,
    /// How often the step was sent, by this process or an earlier one.
    pub attempts: u32,
    /// How often this process sent it.
    pub tries: u32,
    /// Where the action is a create whose first step is done: the account.
    pub made: Option<MadeAccount>,
}

/// The account of a create.
#[derive(Clone, Debug)]
pub(super) struct MadeAccount {
    pub account: AccountId,
    pub by: MadeBy,
}

/// Who made an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MadeBy {
    Us,
    /// It was there already: its secrets and what the API does not show are unknown.
    SomebodyElse,
}

/// A request whose answer was lost.
#[derive(Debug)]
pub(super) struct LostRequest {
    pub request: StepRequest,
    /// The target said that the account exists already.
    pub exists: bool,
    /// The journal has an intent and no outcome: the process that sent it is gone.
    pub open: bool,
    /// On the monotonic clock: when the answer was given up.
    pub since: Duration,
}

impl StepRequest {
    /// The first step of an action as a plan file has it.
    ///
    /// # Errors
    /// [`ExecuteError::Foreign`]
    pub fn new(schema: &Schema, mut action: Action) -> Result<Self, ExecuteError> {
        restore_secrets(schema, &mut action);
        let steps = split_steps(schema, &action).map_err(ExecuteError::Foreign)?;
        Ok(Self { action, steps, step: Step::First, attempts: 0, tries: 0, made: None })
    }

    pub fn seq(&self) -> u64 {
        self.action.seq
    }

    /// What it is, in one word.
    pub fn kind_name(&self) -> &'static str {
        match (self.action.action, self.step) {
            (ActionKind::Create, Step::First) => "create",
            (ActionKind::Create, Step::FollowUp) => "create-then",
            (ActionKind::Update, _) => "update",
            (ActionKind::Deactivate, _) => "deactivate",
            (ActionKind::Reactivate, _) => "reactivate",
            (ActionKind::Delete, _) => "delete",
        }
    }

    /// What the step sends.
    pub fn sent_values(&self) -> &Attributes {
        match self.step {
            Step::First => &self.steps.first,
            Step::FollowUp => &self.steps.then,
        }
    }

    /// The account, where it is known before the request is sent.
    pub fn known_account(&self) -> Option<&AccountId> {
        self.made.as_ref().map(|made| &made.account).or(self.action.account.as_ref())
    }

    /// Whether it makes an account: only such a request must never have its effect twice.
    pub fn creates_account(&self) -> bool {
        self.action.action == ActionKind::Create && self.step == Step::First
    }

    pub fn deletes_account(&self) -> bool {
        self.action.action == ActionKind::Delete
    }

    /// Whether it changes something that the account does not show, so that nobody can see whether it happened. Of a
    /// create the account itself can be seen.
    pub fn has_unseen(&self, schema: &Schema) -> bool {
        if self.creates_account() {
            return false;
        }
        let changes = |id: AttrId| self.action.changes.iter().any(|change| change.attribute == schema.name(id));
        self.sent_values().iter().any(|(id, _)| changes(id) && !schema.get(id).comparable())
    }

    /// The same request, sent once more.
    pub fn count_try(mut self) -> Self {
        self.attempts += 1;
        self.tries += 1;
        self
    }

    /// The update after a create.
    pub fn into_follow_up(self, made: MadeAccount) -> Self {
        Self { step: Step::FollowUp, attempts: 0, tries: 0, made: Some(made), ..self }
    }
}

/// Where an action stands by its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ActionStanding {
    ToDo,
    FollowUpToDo,
    /// A step was sent and its outcome is unknown.
    Open,
    Applied,
    Failed,
    Skipped,
}

impl ActionStanding {
    /// `has_follow_up` is only asked where it matters.
    ///
    /// # Errors
    /// What `has_follow_up` says.
    pub fn of_state<E>(state: ActionState, has_follow_up: impl FnOnce() -> Result<bool, E>) -> Result<Self, E> {
        Ok(match state.first {
            StepState::Pending | StepState::NotThere => Self::ToDo,
            StepState::Open | StepState::Unknown => Self::Open,
            StepState::Failed => Self::Failed,
            StepState::Skipped => Self::Skipped,
            StepState::Applied | StepState::Adopted => match state.follow_up {
                StepState::Applied | StepState::Adopted => Self::Applied,
                StepState::Open | StepState::Unknown => Self::Open,
                StepState::Failed | StepState::Skipped => Self::Failed,
                StepState::Pending | StepState::NotThere => {
                    if has_follow_up()? {
                        Self::FollowUpToDo
                    } else {
                        Self::Applied
                    }
                }
            },
        })
    }
}

/// The account that a step changes. Only a plan that this program did not make has none.
pub(super) fn account_of(request: &StepRequest) -> Result<AccountId, ExecuteError> {
    request.known_account().cloned().ok_or_else(|| ExecuteError::NoAccount(request.seq()))
}

/// The outcome of a request that may have had its effect or not. That the account exists is kept apart: without it an
/// account that somebody else made would count as ours when the run is resumed.
pub(super) fn unknown_outcome(error: &CallError, exists: bool) -> Outcome {
    if exists {
        Outcome::ExistsAlready { message: format!("{EXISTS_ALREADY}{error}") }
    } else {
        Outcome::Unknown { message: error.to_string() }
    }
}
