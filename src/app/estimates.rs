//! What `apply`, `sync` and `resume` will take: before a run, of what is left of one, and over how many days. All of it is
//! one arithmetic, [`Estimate`]; this only says which actions count.

use std::time::Duration;

use super::error::AppError;
use super::workspace::Workspace;
use crate::connectors::Connector;
use crate::journal::state::ActionState;
use crate::journal::{RunState, StepState};
use crate::plan::file::PlanHeader;
use crate::plan::safety::ActionGroup;
use crate::plan::{Action, ActionKind, ActionSelector, Begun, Forecast, Selected, Selection};
use crate::planning::{Estimate, MadePlan, PlanFiles, References, ToDo};

/// What a run that begins now does for each action.
pub fn whole_work(mut is_selected: impl FnMut(&Action) -> bool) -> impl FnMut(&Action) -> ToDo {
    move |action| if is_selected(action) { ToDo::Whole } else { ToDo::Nothing }
}

/// What a run that is resumed still has to do for each action.
pub fn remaining_work<'a>(
    estimate: Estimate<'a>,
    state: &'a RunState,
    released: &'a [ActionGroup],
    selection: &'a Selection,
) -> impl FnMut(&Action) -> ToDo + use<'a> {
    let mut selector = ActionSelector::new(released, selection);
    move |action: &Action| {
        let ActionState { first, follow_up, .. } = state.action(action.seq);
        let begun = if first == StepState::Pending { Begun::No } else { Begun::Yes };
        if selector.select_action(action, begun) != Selected::Executed {
            return ToDo::Nothing;
        }
        match (first, follow_up) {
            (StepState::Pending | StepState::NotThere, _) => ToDo::Whole,
            (StepState::Open | StepState::Unknown, _) if action.action == ActionKind::Create => ToDo::Sought,
            (StepState::Open | StepState::Unknown, _) => ToDo::Read,
            (StepState::Applied | StepState::Adopted, StepState::Open | StepState::Unknown) => ToDo::Read,
            (StepState::Applied | StepState::Adopted, StepState::Pending | StepState::NotThere)
                if estimate.has_follow_up(action) =>
            {
                ToDo::FollowUp
            }
            (StepState::Applied | StepState::Adopted, _) => ToDo::Done,
            (StepState::Failed | StepState::Skipped, _) => ToDo::Nothing,
        }
    }
}

/// Requests that `apply` will take for a plan that was just made, signing in again included, and the days that makes.
pub fn estimate_apply(
    workspace: &Workspace,
    target: &dyn Connector,
    surveyed: &MadePlan,
) -> Result<(u64, Option<Forecast>), AppError> {
    let estimate = Estimate { target: Some(target), pace: surveyed.pace, ..estimate_hours_later(workspace) };
    let mut references = References::default();
    let mut cost = estimate.of_plan(&surveyed.files.plan, |action| {
        if action.held {
            return ToDo::Nothing;
        }
        references.add_action(&workspace.schema, action);
        ToDo::Whole
    })?;
    if cost.count_requests() == 0 {
        return Ok((0, None));
    }
    cost.auth += target.costs().connecting;
    cost.lookup += references.count_lists();
    let (cost, forecast) = estimate.over_days(cost);
    Ok((cost.count_requests(), forecast))
}

/// Requests that it takes to apply what is selected of a plan, as far as that is known before anything is connected; none
/// where nothing is selected.
pub fn estimate_before_connecting(
    workspace: &Workspace,
    header: &PlanHeader,
    files: &PlanFiles,
    is_selected: impl FnMut(&Action) -> bool,
) -> Result<u64, AppError> {
    let requests = estimate_hours_later(workspace).of_plan(&files.plan, whole_work(is_selected))?.count_requests();
    // Signing in comes first.
    Ok(if requests > 0 { header.requests.auth + requests } else { 0 })
}

/// Every account is read again before it is changed, because the plan may be hours old by then.
pub fn estimate_hours_later(workspace: &Workspace) -> Estimate<'_> {
    let Workspace { schema, rules, settings, .. } = workspace;
    Estimate { schema, rules, target: None, rate: &settings.rate, pace: None, fresh_for: Duration::ZERO }
}
