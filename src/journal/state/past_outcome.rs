//! What came of an action of a run that ended, for whoever takes the run back.

use super::{RemarkCause, RunState, Step, StepState};
use crate::model::Schema;
use crate::plan::inverse::PastOutcome;
use crate::plan::steps::follow_up;
use crate::plan::{Action, ActionKind};

impl RunState {
    #[must_use]
    pub fn past_outcome(&self, schema: &Schema, action: &Action) -> PastOutcome {
        let steps = self.action(action.seq);
        let creates = action.action == ActionKind::Create;
        let remark = self.remark_of(action.seq, Step::First);
        match steps.first {
            StepState::Pending | StepState::NotThere | StepState::Skipped => PastOutcome::Nothing,
            StepState::Open | StepState::Unknown => PastOutcome::Unknown,
            StepState::Failed if remark.is_some_and(|remark| remark.cause == RemarkCause::NeverLearnt) => {
                PastOutcome::Unknown
            }
            StepState::Failed => PastOutcome::Nothing,
            StepState::Adopted if creates => PastOutcome::Adopted,
            // Who was to be deleted was gone already.
            StepState::Adopted => PastOutcome::Nothing,
            StepState::Applied => {
                let has_follow_up = creates && action.changes.iter().any(|change| follow_up(schema, &change.attribute));
                if has_follow_up && !steps.follow_up.is_done() {
                    PastOutcome::AppliedInPart
                } else {
                    PastOutcome::Applied
                }
            }
        }
    }
}
