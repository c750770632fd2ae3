//! What `apply`, `sync` and `resume` will take: before a run, of what is left of one, and over how many days. All of it is
//! one arithmetic, [`Estimate`]; this only says which actions count.

use std::time::Duration;

use super::drive::{Drive, Planned};
use crate::cli::args::Execution;
use crate::cli::failure::Failure;
use crate::cli::records;
use crate::cli::workbench::Configured;
use crate::connectors::Connector;
use crate::journal::state::ActionState;
use crate::journal::{RunId, RunState, StepState};
use crate::plan::file::PlanHeader;
use crate::plan::safety::ActionGroup;
use crate::plan::{Action, ActionKind, ActionSelector, Begun, Cost, Forecast, Selected, Selection, selected_actions};
use crate::planning::{Estimate, MadePlan, PlanFiles, References, ToDo};

/// Which actions a run that is resumed still has to do something for.
pub fn left_of<'a>(
    configured: &'a Configured,
    state: &'a RunState,
    released: &'a [ActionGroup],
    selection: &'a Selection,
) -> impl FnMut(&Action) -> bool + use<'a> {
    let estimate = hours_later(configured);
    let mut is_selected = selected_actions(released, selection);
    move |action: &Action| {
        let ActionState { first, follow_up, .. } = state.action(action.seq);
        let has_more = || !follow_up.is_final() && estimate.has_follow_up(action);
        is_selected(action) && (!first.is_final() || (first.is_done() && has_more()))
    }
}

/// Requests that `apply` will take for a plan that was just made, signing in again included, and the days that makes.
pub fn to_apply(
    configured: &Configured,
    target: &dyn Connector,
    surveyed: &MadePlan,
) -> Result<(u64, Option<Forecast>), Failure> {
    let estimate = Estimate { target: Some(target), pace: surveyed.pace, ..hours_later(configured) };
    let plan = &surveyed.files.plan;
    let mut cost = estimate.of_plan(plan, |action| if action.held { ToDo::Nothing } else { ToDo::Whole })?;
    if cost.count_requests() == 0 {
        return Ok((0, None));
    }
    cost.auth += target.connecting_cost();
    cost.lookup += References::of_plan(plan, &configured.schema, |action| !action.held)?.count_lists();
    let (cost, forecast) = estimate.over_days(cost);
    Ok((cost.count_requests(), forecast))
}

/// Requests that it takes to apply what is selected of a plan, as far as that is known before anything is connected; none
/// where nothing is selected.
pub fn before_connecting(
    configured: &Configured,
    header: &PlanHeader,
    files: &PlanFiles,
    released: &[ActionGroup],
    execution: &Execution,
) -> Result<u64, Failure> {
    let selection = Selection { only: execution.only.clone(), limit: execution.limit };
    let requests =
        hours_later(configured).of_plan(&files.plan, whole(selected_actions(released, &selection)))?.count_requests();
    // Signing in comes first.
    Ok(if requests > 0 { header.requests.auth + requests } else { 0 })
}

/// Every account is read again before it is changed, because the plan may be hours old by then.
fn hours_later(configured: &Configured) -> Estimate<'_> {
    let Configured { schema, rules, settings, .. } = configured;
    Estimate { schema, rules, target: None, rate: &settings.rate, pace: None, fresh_for: Duration::ZERO }
}

fn whole(mut is_selected: impl FnMut(&Action) -> bool) -> impl FnMut(&Action) -> ToDo {
    move |action| if is_selected(action) { ToDo::Whole } else { ToDo::Nothing }
}

impl Drive<'_> {
    /// What a run that begins now takes.
    pub(super) fn whole(
        &self,
        plan: &Planned<'_>,
        released: &[ActionGroup],
        selection: &Selection,
    ) -> Result<Cost, Failure> {
        Ok(self.estimate(plan).over_plan(&plan.files.plan, whole(selected_actions(released, selection)))?.0)
    }

    /// Requests of the whole command, of which so many follow the connection and the planning. Where none do, nobody
    /// signs in for them.
    pub(super) fn estimated(&self, plan: &Planned<'_>, to_come: u64) -> u64 {
        if to_come > 0 { plan.spent + to_come } else { records::spent(self.connected.target.meter()) }
    }

    /// How many days what is left of a run takes; none where nobody can say. The run is told of in any case.
    pub(super) fn forecast(
        &self,
        run: RunId,
        plan: &Planned<'_>,
        released: &[ActionGroup],
        selection: &Selection,
    ) -> Option<Forecast> {
        let state = self.journal.run(run).ok()??;
        self.left(&state, plan, released, selection).ok()?.1
    }

    /// What is left of a run takes.
    pub(super) fn left(
        &self,
        state: &RunState,
        plan: &Planned<'_>,
        released: &[ActionGroup],
        selection: &Selection,
    ) -> Result<(Cost, Option<Forecast>), Failure> {
        let estimate = self.estimate(plan);
        let mut selector = ActionSelector::new(released, selection);
        let left = |action: &Action| {
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
        };
        Ok(estimate.over_plan(&plan.files.plan, left)?)
    }

    fn estimate(&self, plan: &Planned<'_>) -> Estimate<'_> {
        let fresh_for = plan.fresh_until.map(|until| until.duration_since(self.app.clock.now()));
        let fresh_for = fresh_for.and_then(|time| Duration::try_from(time).ok()).unwrap_or_default();
        let target = Some(&*self.connected.target);
        let Configured { schema, rules, settings, .. } = self.configured;
        Estimate { schema, rules, target, rate: &settings.rate, pace: plan.pace, fresh_for }
    }
}
