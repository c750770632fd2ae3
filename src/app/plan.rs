//! The dry run: a plan is made, shown and kept. Nothing here writes to the target.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::connection::Connection;
use super::error::{AppError, ErrorKind};
use super::error_sheet::write_error_sheet;
use super::estimates::estimate_apply;
use super::session::{NOTHING_CHANGED, Notice, Session};
use super::stored_records::open_plan_record;
use super::summaries::{
    count_requests, count_spent, estimated_requests, exit_code_of, read_quota, report_head, round_seconds, stop_error,
    summarise_plan,
};
use super::workspace::{OpenSource, Workspace};
use crate::connectors::Connector;
use crate::files::write_atomically;
use crate::journal::Memory;
use crate::model::CommandName;
use crate::plan::file::PlanHeader;
use crate::planning::{self, Accounts, MadePlan, PlanFiles};
use crate::report::{Extent, Head, RecordKind, RunRecord};

/// What a plan is asked for.
#[derive(Clone, Debug, Default)]
pub struct PlanRequest {
    /// An earlier export of accounts that stands for the live tenant; such a plan can be read, not applied.
    pub against: Option<PathBuf>,
    /// Where a copy of the plan is written; it is kept in the state directory in any case.
    pub output: Option<PathBuf>,
}

/// A plan that was made, and was shown.
#[derive(Clone, Debug)]
pub struct PlanOutcome {
    pub header: PlanHeader,
    /// What a report says above its entries; the summary is in it.
    pub head: Head,
    pub files: PlanFiles,
}

impl PlanOutcome {
    /// Everything that the plan says.
    ///
    /// # Errors
    /// Its files cannot be read.
    pub fn open_record(&self) -> Result<RunRecord<'static>, AppError> {
        open_plan_record(self.head.clone(), &self.files)
    }
}

/// Makes a plan.
///
/// # Errors
/// Whatever keeps it from being made: the source, the target, the state directory.
pub async fn make_plan(
    session: &Session,
    workspace: Workspace,
    request: &PlanRequest,
) -> Result<PlanOutcome, AppError> {
    make_plan_for(session, workspace, request, CommandName::Plan).await
}

/// As [`make_plan`], with which `init` ends: over a simulated tenant that nobody is in yet.
///
/// # Errors
/// As [`make_plan`].
pub async fn make_first_plan(session: &Session, workspace: Workspace) -> Result<PlanOutcome, AppError> {
    workspace.prepare_empty_sandbox(&session.clock).await?;
    make_plan_for(session, workspace, &PlanRequest::default(), CommandName::Init).await
}

async fn make_plan_for(
    session: &Session,
    workspace: Workspace,
    request: &PlanRequest,
    command: CommandName,
) -> Result<PlanOutcome, AppError> {
    let started = session.clock.elapsed();
    let journal = workspace.open_journal(&*session.clock)?;
    let memory = workspace.tenant_memory(&journal);
    let output = request.output.as_deref();
    match &request.against {
        Some(file) => {
            let workspace = workspace.with_last_schema()?;
            let made = survey_plan(session, &workspace, &memory, Accounts::Recorded(file)).await?;
            notify_error_sheet(session, &workspace, &made)?;
            present_plan(session, &workspace, command, output, made.surveyed, None, started)
        }
        None => {
            let connection = workspace.connect_tenant(session).await?;
            let outcome = plan_live(session, workspace, command, output, &memory, &connection, started).await;
            connection.close_after_end(session, outcome).await
        }
    }
}

async fn plan_live(
    session: &Session,
    workspace: Workspace,
    command: CommandName,
    output: Option<&Path>,
    memory: &Memory,
    connection: &Connection,
    started: Duration,
) -> Result<PlanOutcome, AppError> {
    let target = &*connection.target;
    let workspace = workspace.with_live_schema(target)?;
    let made = survey_plan(session, &workspace, memory, Accounts::Live(target)).await?;
    notify_error_sheet(session, &workspace, &made)?;
    present_plan(session, &workspace, command, output, made.surveyed, Some(target), started)
}

/// Writes the error sheet of a plan that no run follows, where one is asked for.
pub(super) fn notify_error_sheet(
    session: &Session,
    workspace: &Workspace,
    made: &PlanWithSource,
) -> Result<(), AppError> {
    if workspace.settings.report.errors.is_none() {
        return Ok(());
    }
    let MadePlan { header, files, .. } = &made.surveyed;
    let summary = summarise_plan(header, CommandName::Plan, estimated_requests(0), None);
    let record = open_plan_record(report_head(RecordKind::Plan, header, summary, &[]), files)?;
    if let Some(path) = write_error_sheet(session, workspace, Some(&made.source), header, record, &header.plan) {
        session.notify(Notice::ErrorSheetWritten(&path));
    }
    Ok(())
}

/// Shows a plan that was made, and keeps a copy of it where one was asked for.
pub(super) fn present_plan(
    session: &Session,
    workspace: &Workspace,
    command: CommandName,
    output: Option<&Path>,
    surveyed: MadePlan,
    target: Option<&dyn Connector>,
    started: Duration,
) -> Result<PlanOutcome, AppError> {
    let header = &surveyed.header;
    let (requests, quota, forecast) = match target {
        Some(target) => {
            let (cost, forecast) = estimate_apply(workspace, target, &surveyed)?;
            let meter = target.meter();
            (count_requests(meter, count_spent(meter) + cost), read_quota(meter), forecast)
        }
        None => (estimated_requests(header.requests.total), None, None),
    };
    if let Some(output) = output {
        copy_plan(&surveyed.files.plan, output)?;
    }
    let mut summary = summarise_plan(header, command, requests, quota);
    summary.forecast = forecast;
    summary.elapsed_seconds = round_seconds(session.clock.elapsed().saturating_sub(started));
    summary.exit_code = exit_code_of(summary.outcome);
    summary.error = stop_error(header).map(|error| error.to_problem());
    let head = report_head(RecordKind::Plan, header, summary, &[]);
    session.show_record(open_plan_record(head.clone(), &surveyed.files)?, Extent::Whole)?;
    Ok(PlanOutcome { header: surveyed.header, head, files: surveyed.files })
}

/// A plan, and what it was made with.
pub(super) struct PlanWithSource {
    pub surveyed: MadePlan,
    pub source: OpenSource,
}

/// Makes a plan and keeps it in the state directory.
pub(super) async fn survey_plan(
    session: &Session,
    workspace: &Workspace,
    memory: &Memory,
    accounts: Accounts<'_>,
) -> Result<PlanWithSource, AppError> {
    let dir = workspace.new_plan_dir(&*session.clock)?;
    let made = survey_in(session, workspace, memory, accounts, &dir).await;
    keep_plan(workspace, &dir, made, |made| &mut made.surveyed)
}

async fn survey_in(
    session: &Session,
    workspace: &Workspace,
    memory: &Memory,
    accounts: Accounts<'_>,
    dir: &Path,
) -> Result<PlanWithSource, AppError> {
    let source = workspace.open_source(&*session.clock)?;
    let inputs = workspace.planning_inputs(&source, memory, session, accounts, dir);
    let surveyed = session.until_stopped(planning::make_plan(&inputs), NOTHING_CHANGED).await?;
    Ok(PlanWithSource { surveyed, source })
}

/// Gives the folder of a plan that was made its name; of one that was not nothing is left.
pub(super) fn keep_plan<T>(
    workspace: &Workspace,
    dir: &Path,
    made: Result<T, AppError>,
    surveyed: impl FnOnce(&mut T) -> &mut MadePlan,
) -> Result<T, AppError> {
    match made {
        Ok(mut made) => {
            let surveyed = surveyed(&mut made);
            surveyed.files = PlanFiles::in_dir(&workspace.keep_plan_dir(dir, &surveyed.header.plan)?);
            Ok(made)
        }
        Err(error) => {
            // What is left of a plan that was not made means nothing.
            let _ = std::fs::remove_dir_all(dir);
            Err(error)
        }
    }
}

fn copy_plan(plan: &Path, output: &Path) -> Result<(), AppError> {
    let mut input = std::fs::File::open(plan)
        .map_err(|error| AppError::new(ErrorKind::Plan, format!("{}: {error}", plan.display())))?;
    write_atomically(output, 0o600, |out| io::copy(&mut input, out)).map_err(|error| {
        AppError::new(ErrorKind::Plan, error.to_string()).with_hint("use -o to name a file that can be written")
    })?;
    Ok(())
}
