//! The plan that takes back what a run changed. Nothing here writes to the target; `apply` executes what is made.

use std::path::PathBuf;
use std::time::Duration;

use super::connection::Connection;
use super::error::{AppError, ErrorKind};
use super::plan::{PlanOutcome, keep_plan, present_plan};
use super::session::{NOTHING_CHANGED, Session};
use super::stored_records::{find_run, find_run_id, verify_plan};
use super::workspace::Workspace;
use crate::journal::state::Phase;
use crate::journal::{Journal, RunState};
use crate::model::CommandName;
use crate::planning::{self, MadePlan, PlanFiles, RollbackInputs};

#[derive(Clone, Debug)]
pub struct RollbackRequest {
    /// The run's name; `last` is the last one.
    pub run: String,
    /// Where a copy of the plan is written.
    pub output: Option<PathBuf>,
}

/// Makes the plan that takes back what a run changed.
///
/// # Errors
/// A run that has not ended or is of another tenant; and as for any plan.
pub async fn plan_rollback(
    session: &Session,
    workspace: Workspace,
    request: &RollbackRequest,
) -> Result<PlanOutcome, AppError> {
    let started = session.clock.elapsed();
    let journal = workspace.open_history(&*session.clock)?;
    let run = find_run_id(&journal, &request.run)?;
    let state = find_run(&journal, run)?;
    require_ended(&workspace, &state)?;
    let files = PlanFiles::in_dir(&workspace.state.run(run));
    let (_, digest) = verify_plan(&files.plan)?;
    if digest != state.head().plan_digest {
        let message = format!("{} is not the plan that the run {run} executed", files.plan.display());
        return Err(
            AppError::new(ErrorKind::Plan, message).with_hint("only that plan says what was there before the run")
        );
    }
    let connection = workspace.connect_tenant(session).await?;
    let outcome = plan_connected(session, workspace, request, &journal, &state, &connection, started).await;
    connection.close_after_end(session, outcome).await
}

async fn plan_connected(
    session: &Session,
    workspace: Workspace,
    request: &RollbackRequest,
    journal: &Journal,
    state: &RunState,
    connection: &Connection,
    started: Duration,
) -> Result<PlanOutcome, AppError> {
    let target = &*connection.target;
    let workspace = workspace.with_live_schema(target)?;
    let dir = workspace.new_plan_dir(&*session.clock)?;
    let plan = PlanFiles::in_dir(&workspace.state.run(state.run())).plan;
    let inputs = RollbackInputs {
        settings: &workspace.settings,
        schema: &workspace.schema,
        rules: &workspace.rules,
        memory: &workspace.tenant_memory(journal),
        clock: &*session.clock,
        monitor: &*session.monitor,
        name: workspace.target_name(),
        target,
        dir: &dir,
        run: state,
        plan: &plan,
    };
    let made: Result<MadePlan, AppError> =
        session.until_stopped(planning::plan_rollback(&inputs), NOTHING_CHANGED).await;
    let surveyed = keep_plan(&workspace, &dir, made, |surveyed| surveyed)?;
    let output = request.output.as_deref();
    present_plan(session, &workspace, CommandName::Rollback, output, surveyed, Some(target), started)
}

/// Whether the run is of this tenant, and has ended: what is still to come of it cannot be taken back.
fn require_ended(workspace: &Workspace, state: &RunState) -> Result<(), AppError> {
    let (run, head) = (state.run(), state.head());
    if !workspace.is_for(&head.tenant, &head.target) {
        let message = format!("the run {run} is for tenant {} ({})", head.tenant, head.target);
        return Err(AppError::new(ErrorKind::Plan, message).with_hint("roll it back with its own configuration"));
    }
    if !matches!(state.phase(), Phase::Ended(_)) {
        let message = format!("the run {run} has not ended: not all its changes are known, and it may make more");
        return Err(
            AppError::new(ErrorKind::Journal, message).with_hint("`headcount resume` finishes it; then roll it back")
        );
    }
    Ok(())
}
