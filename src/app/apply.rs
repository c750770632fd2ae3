//! Executes exactly one plan, no other.

use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;

use super::connection::Connection;
use super::error::{AppError, ErrorKind};
use super::estimates::estimate_before_connecting;
use super::execution::{ActionChoice, ReadyPlan, RunEnd, count_actions};
use super::remaining_plan::write_remaining_plan;
use super::run_driver::RunDriver;
use super::session::{Consent, ConsentQuestion, LeftOut, Session};
use super::stored_records::{find_plan_files, open_plan_record, release_groups, verify_plan};
use super::summaries::{estimated_requests, report_head, stop_error, summarise_plan};
use super::workspace::Workspace;
use crate::journal::Journal;
use crate::journal::state::Tally;
use crate::model::CommandName;
use crate::plan::file::PlanHeader;
use crate::plan::selected_actions;
use crate::planning::PlanFiles;
use crate::report::visible::visible;
use crate::report::words::elapsed_text;
use crate::report::{Extent, RecordKind};

#[derive(Clone, Debug)]
pub struct ApplyRequest {
    /// A plan file, or the name of a plan in the state directory.
    pub plan: PathBuf,
    pub consent: Consent,
    pub choice: ActionChoice,
}

/// Executes a plan, or what earlier runs of it have left.
///
/// # Errors
/// A plan that may not be executed, and whatever keeps [`sync_accounts`](super::sync::sync_accounts) from its end.
pub async fn apply_plan(session: &Session, workspace: Workspace, request: &ApplyRequest) -> Result<RunEnd, AppError> {
    let started = session.clock.elapsed();
    let files = find_plan_files(&workspace, &request.plan);
    let (header, digest) = verify_plan(&files.plan)?;
    require_usable(session, &workspace, &header)?;
    let journal = workspace.open_journal(&*session.clock)?;
    if let Some(run) = journal.unfinished_run() {
        return Err(AppError::new(ErrorKind::Journal, format!("the run {run} has not ended"))
            .with_hint("`headcount resume` finishes it; then make a new plan"));
    }
    require_current(&workspace, &journal, &header)?;
    let dir = workspace.new_plan_dir(&*session.clock)?;
    let end = match write_remaining_plan(&workspace, &journal, &header, &files, &dir) {
        Ok(remaining) => {
            let (header, digest, files) = remaining.unwrap_or((header, digest, files));
            let plan = UsablePlan { header, digest, files };
            apply_usable(session, workspace, &journal, &plan, request, started).await
        }
        Err(error) => Err(error),
    };
    // The run has a copy of what it executes.
    let _ = std::fs::remove_dir_all(&dir);
    end
}

/// A plan that may be executed.
struct UsablePlan {
    header: PlanHeader,
    digest: String,
    files: PlanFiles,
}

async fn apply_usable(
    session: &Session,
    workspace: Workspace,
    journal: &Journal,
    plan: &UsablePlan,
    ApplyRequest { consent, choice, .. }: &ApplyRequest,
    started: Duration,
) -> Result<RunEnd, AppError> {
    let UsablePlan { header, files, .. } = plan;
    let released = release_groups(header, &choice.approve)?;
    if *consent == Consent::AskFirst {
        let selection = choice.to_selection();
        let is_chosen = || selected_actions(&released, &selection);
        let estimated = estimate_before_connecting(&workspace, header, files, is_chosen())?;
        let summary = summarise_plan(header, CommandName::Apply, estimated_requests(estimated), None);
        let head = report_head(RecordKind::Plan, header, summary, &released);
        session.show_record(open_plan_record(head.clone(), files)?, Extent::Preview)?;
        let to_do = count_actions(files, is_chosen())?;
        session.require_consent(&ConsentQuestion { head: &head, to_do, left_out: LeftOut::NotChosen }).await?;
    }
    let connection = workspace.connect_tenant(session).await?;
    let end = match workspace.with_live_schema(&*connection.target) {
        Ok(workspace) => drive_plan(session, &workspace, journal, &connection, plan, choice, started).await,
        Err(error) => Err(error),
    };
    connection.close_after_end(session, end).await
}

async fn drive_plan(
    session: &Session,
    workspace: &Workspace,
    journal: &Journal,
    connection: &Connection,
    UsablePlan { header, digest, files }: &UsablePlan,
    choice: &ActionChoice,
    started: Duration,
) -> Result<RunEnd, AppError> {
    let memory = &workspace.tenant_memory(journal);
    let command = CommandName::Apply;
    let driver = RunDriver { session, workspace, journal, memory, connection, source: None, command, started };
    // Every account is read again before it is changed: the plan may be hours old.
    let spent = connection.target.costs().connecting;
    driver.begin_run(&ReadyPlan { header, digest, files, fresh_until: None, pace: None, spent }, choice).await
}

/// Whether the plan knows of everything that was done here. A create of a plan that does not would be sent for people
/// who were created meanwhile, and a target that lets two accounts have one name would double them.
fn require_current(workspace: &Workspace, journal: &Journal, header: &PlanHeader) -> Result<(), AppError> {
    let target = workspace.target_name();
    let changed = |tally: Tally| tally.applied + tally.adopted + tally.unknown + tally.open > 0;
    let later = journal.runs().into_iter().rev().find(|run| {
        (&run.head.tenant, &run.head.target) == (&header.tenant, &target)
            // What an earlier run of the same plan did is left out of this one.
            && run.head.plan != header.plan
            && run.phase_since > header.created_at
            && changed(run.tally)
    });
    match later {
        None => Ok(()),
        Some(run) => Err(AppError::new(
            ErrorKind::Plan,
            format!("the run {} changed accounts after this plan was made: the plan is out of date", run.run),
        )
        .with_hint(advise_new_plan(header))),
    }
}

/// How a plan that cannot be used is replaced.
fn advise_new_plan(header: &PlanHeader) -> String {
    match &header.rollback_of {
        Some(run) => format!("make a new plan: `headcount rollback {} -o PLAN`", visible(run)),
        None => "make a new plan: `headcount plan -o PLAN`".to_owned(),
    }
}

/// Whether the plan is for this tenant, this configuration and this hour.
fn require_usable(session: &Session, workspace: &Workspace, header: &PlanHeader) -> Result<(), AppError> {
    let refuse = |message: String, hint: &str| Err(AppError::new(ErrorKind::Plan, message).with_hint(hint));
    let anew = &advise_new_plan(header);
    if let Some(file) = &header.against {
        return refuse(
            format!("the plan was made against {file}, not against the live tenant: it can be read, not applied"),
            anew,
        );
    }
    let (tenant, target) = (&workspace.settings.target.tenant, workspace.target_name());
    if header.tenant != *tenant || header.target != target {
        return refuse(
            format!(
                "the plan is for tenant {} ({}), the configuration is for {tenant} ({target})",
                header.tenant, header.target
            ),
            "use the configuration that the plan was made with",
        );
    }
    if header.config_digest != workspace.config_digest() {
        return refuse("the configuration changed since the plan was made".to_owned(), anew);
    }
    let age = session.clock.now().duration_since(header.created_at);
    let most = workspace.settings.safety.plan_max_age;
    if age > SignedDuration::try_from(most).unwrap_or(SignedDuration::MAX) {
        return refuse(
            format!("the plan is {} old, older than safety.plan_max_age allows", elapsed_text(age.as_secs_f64())),
            anew,
        );
    }
    if age < SignedDuration::from_mins(-5) {
        return refuse(format!("the plan was made in the future, at {}", header.created_at), "check the clocks");
    }
    stop_error(header).map_or(Ok(()), Err)
}
