//! Plan and apply in one run that nobody watches. An unfinished run comes first.

use jiff::SignedDuration;

use super::connection::Connection;
use super::error::{AppError, ErrorKind};
use super::execution::{ActionChoice, ReadyPlan, RunEnd, count_actions};
use super::plan::{notify_error_sheet, survey_plan};
use super::resume::continue_or_settle;
use super::run_driver::RunDriver;
use super::session::{Consent, ConsentQuestion, LeftOut, Session};
use super::stored_records::{open_plan_record, release_groups};
use super::summaries::{
    count_requests, count_spent, exit_code_of, read_quota, report_head, round_seconds, stop_error, summarise_plan,
};
use super::workspace::Workspace;
use crate::journal::{Journal, Memory};
use crate::model::CommandName;
use crate::plan::selected_actions;
use crate::planning::Accounts;
use crate::report::{Extent, RecordKind};

#[derive(Clone, Debug)]
pub struct SyncRequest {
    pub consent: Consent,
    pub choice: ActionChoice,
}

/// Makes a plan and executes it.
///
/// # Errors
/// Whatever goes wrong before the first request that writes; and a journal that fails later, which leaves a run that can be
/// resumed.
pub async fn sync_accounts(session: &Session, workspace: Workspace, request: &SyncRequest) -> Result<RunEnd, AppError> {
    let journal = workspace.open_journal(&*session.clock)?;
    let memory = workspace.tenant_memory(&journal);
    let connection = workspace.connect_tenant(session).await?;
    let end = match workspace.with_live_schema(&*connection.target) {
        Ok(workspace) => sync_connected(session, &workspace, &journal, &memory, &connection, request).await,
        Err(error) => Err(error),
    };
    connection.close_after_end(session, end).await
}

/// Over a tenant that is connected.
pub(super) async fn sync_connected(
    session: &Session,
    workspace: &Workspace,
    journal: &Journal,
    memory: &Memory,
    connection: &Connection,
    SyncRequest { consent, choice }: &SyncRequest,
) -> Result<RunEnd, AppError> {
    let started = session.clock.elapsed();
    if let Some(run) = journal.unfinished_run() {
        if *consent == Consent::AskFirst {
            return Err(AppError::new(ErrorKind::Journal, format!("the run {run} has not ended"))
                .with_hint("`headcount resume` finishes it, `headcount sync --yes` finishes it first"));
        }
        if let Some(end) = continue_or_settle(session, workspace, journal, memory, connection, run).await? {
            return Ok(end);
        }
    }
    let made = survey_plan(session, workspace, memory, Accounts::Live(&*connection.target)).await?;
    let surveyed = &made.surveyed;
    let header = &surveyed.header;
    let released = release_groups(header, &choice.approve)?;
    let meter = connection.target.meter();
    let requests = count_requests(meter, header.requests.total);
    let mut summary = summarise_plan(header, CommandName::Sync, requests, read_quota(meter));
    summary.error = stop_error(header).map(|error| error.to_problem());
    let is_stopped = summary.error.is_some();
    let mut head = report_head(RecordKind::Plan, header, summary, &released);
    let asks = header.counts.actions.count_all() > 0 && *consent == Consent::AskFirst;
    // Whoever is asked sees the plan; whoever is not sees the same actions with what came of them.
    // No run follows a plan that was stopped: who fixes the export must see all of it now.
    let extent = if is_stopped { Extent::Whole } else { Extent::Preview };
    if is_stopped || asks {
        session.show_record(open_plan_record(head.clone(), &surveyed.files)?, extent)?;
    }
    if is_stopped {
        notify_error_sheet(session, workspace, &made)?;
        head.summary.exit_code = exit_code_of(head.summary.outcome);
        head.summary.elapsed_seconds = round_seconds(session.clock.elapsed().saturating_sub(started));
        return Ok(RunEnd { head });
    }
    if asks {
        let to_do = count_actions(&surveyed.files, selected_actions(&released, &choice.to_selection()))?;
        session.require_consent(&ConsentQuestion { head: &head, to_do, left_out: LeftOut::NotChosen }).await?;
    }
    let driver = RunDriver {
        session,
        workspace,
        journal,
        memory,
        connection,
        source: Some(&made.source),
        command: CommandName::Sync,
        started,
    };
    let fresh = SignedDuration::try_from(workspace.settings.safety.fresh_for).unwrap_or(SignedDuration::ZERO);
    let plan = ReadyPlan {
        header,
        digest: &surveyed.digest,
        files: &surveyed.files,
        fresh_until: surveyed.listed_at.checked_add(fresh).ok(),
        pace: surveyed.pace,
        spent: count_spent(meter),
    };
    driver.begin_run(&plan, choice).await
}
