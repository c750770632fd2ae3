//! Goes on with a run that was interrupted or paused.

use jiff::SignedDuration;

use super::connection::Connection;
use super::error::{AppError, ErrorKind};
use super::estimates::{estimate_hours_later, remaining_work};
use super::execution::{ReadyPlan, RunEnd, count_actions};
use super::run_driver::RunDriver;
use super::session::{Consent, ConsentQuestion, LeftOut, Session};
use super::stored_records::{find_run, no_run_error, open_plan, release_groups, verify_plan, verify_run_plan};
use super::summaries::{estimated_requests, report_head, summarise_plan};
use super::workspace::{OpenSource, Workspace};
use crate::execute::lifecycle;
use crate::journal::{Ending, Event, Journal, Memory, Outcome, RunId, RunState, Step, secret};
use crate::model::{CommandName, Record};
use crate::plan::ActionKind;
use crate::planning::{PlanFiles, ToDo};
use crate::report::RecordKind;
use crate::source::Source;
use crate::testing::failpoints::{self, Failpoint};

#[derive(Clone, Debug)]
pub struct ResumeRequest {
    /// The run's name; the one that has not ended where there is none.
    pub run: Option<String>,
    pub consent: Consent,
}

/// Goes on with a run. It keeps the choice of actions that it began with.
///
/// # Errors
/// As [`sync_accounts`](super::sync::sync_accounts), and where no such run waits, or where it is not of this configuration.
pub async fn resume_run(session: &Session, workspace: Workspace, request: &ResumeRequest) -> Result<RunEnd, AppError> {
    let journal = workspace.open_journal(&*session.clock)?;
    let run = find_resumable(&journal, request.run.as_deref())?;
    let state = require_same_target(&workspace, &journal, run)?;
    if state.head().config_digest != workspace.config_digest() {
        return Err(AppError::new(ErrorKind::Plan, format!("the configuration changed since the run {run} began"))
            .with_hint(
                "`headcount sync --yes` looks up unknown outcomes and plans the rest again; or use the run's \
                 configuration",
            ));
    }
    if request.consent == Consent::AskFirst {
        ask_to_resume(session, &workspace, &state).await?;
    }
    let connection = workspace.connect_tenant(session).await?;
    let end = match workspace.with_live_schema(&*connection.target) {
        Ok(workspace) => {
            let memory = workspace.tenant_memory(&journal);
            go_on(&driver(session, &workspace, &journal, &memory, &connection, None), run).await
        }
        Err(error) => Err(error),
    };
    connection.close_after_end(session, end).await
}

async fn ask_to_resume(session: &Session, workspace: &Workspace, state: &RunState) -> Result<(), AppError> {
    let (header, _) = verify_run_plan(&workspace.state, state.run(), state.head())?;
    let summary = summarise_plan(&header, CommandName::Resume, estimated_requests(0), None);
    let released = release_groups(&header, &state.head().approved)?;
    let head = report_head(RecordKind::Run, &header, summary, &released);
    let selection = state.head().selection.clone().unwrap_or_default();
    let files = PlanFiles::in_dir(&workspace.state.run(state.run()));
    let mut work = remaining_work(estimate_hours_later(workspace), state, &released, &selection);
    let to_do = count_actions(&files, |action| !matches!(work(action), ToDo::Nothing | ToDo::Done))?;
    session.require_consent(&ConsentQuestion { head: &head, to_do, left_out: LeftOut::DoneOrNotChosen }).await
}

fn driver<'a>(
    session: &'a Session,
    workspace: &'a Workspace,
    journal: &'a Journal,
    memory: &'a Memory,
    connection: &'a Connection,
    source: Option<&'a OpenSource>,
) -> RunDriver<'a> {
    let (command, started) = (CommandName::Resume, session.clock.elapsed());
    RunDriver { session, workspace, journal, memory, connection, source, command, started }
}

/// For `sync`: an unfinished run is continued, without another listing, where source and configuration are still the
/// same and the run is not older than `safety.run_max_age`, which ends the command; otherwise what is unknown of it is
/// settled, and the rest is planned anew by the caller.
pub(super) async fn continue_or_settle(
    session: &Session,
    workspace: &Workspace,
    journal: &Journal,
    memory: &Memory,
    connection: &Connection,
    run: RunId,
) -> Result<Option<RunEnd>, AppError> {
    let state = require_same_target(workspace, journal, run)?;
    let open = workspace.open_source(&*session.clock)?;
    let (header, _) = verify_plan(&PlanFiles::in_dir(&workspace.state.run(run)).plan)?;
    // What a rollback is made from is a run, which changes no more.
    let same = state.head().config_digest == workspace.config_digest()
        && (header.rollback_of.is_some() || state.head().source_digest == digest_source(&open.source)?);
    let age = session.clock.now().duration_since(state.started());
    let most = SignedDuration::try_from(workspace.settings.safety.run_max_age).unwrap_or(SignedDuration::MAX);
    // Nothing of a rollback is planned anew here, and each account is compared before it is taken back.
    let is_young = header.rollback_of.is_some() || age <= most;
    let driver = driver(session, workspace, journal, memory, connection, Some(&open));
    if same && is_young {
        session.note(&format!("the run {run} has not ended: continuing it"));
        return go_on(&driver, run).await.map(Some);
    }
    let why = if same { "is older than safety.run_max_age" } else { "source or configuration changed" };
    session.note(&format!(
        "the run {run} has not ended, and {why}: unknown outcomes are looked up, the rest is planned again"
    ));
    settle_run(&driver, run).await?;
    Ok(None)
}

async fn go_on(driver: &RunDriver<'_>, run: RunId) -> Result<RunEnd, AppError> {
    let RunDriver { workspace, journal, connection, .. } = *driver;
    let files = PlanFiles::in_dir(&workspace.state.run(run));
    let state = find_run(journal, run)?;
    let (header, digest) = verify_run_plan(&workspace.state, run, state.head())?;
    // A plan that was applied was looked at by somebody first: its accounts are read again whatever its age.
    let is_of_sync = state.head().command == CommandName::Sync;
    let fresh_for = SignedDuration::try_from(workspace.settings.safety.fresh_for).unwrap_or(SignedDuration::ZERO);
    let fresh_until = header.created_at.checked_add(fresh_for).ok().filter(|_| is_of_sync);
    let spent = connection.target.costs().connecting;
    let plan = ReadyPlan { header: &header, digest: &digest, files: &files, fresh_until, pace: None, spent };
    driver.resume_run(run, &plan).await
}

/// Looks up what the run left open and ends it; nothing that writes is sent. The passwords of the accounts that it made
/// are delivered: nobody would do it later.
async fn settle_run(driver: &RunDriver<'_>, run: RunId) -> Result<(), AppError> {
    let RunDriver { session, workspace, journal, memory, .. } = *driver;
    let state = find_run(journal, run)?;
    verify_run_plan(&workspace.state, run, state.head())?;
    lifecycle::resume_run(journal, memory, &workspace.state, &*session.clock, &state).await?;
    let files = PlanFiles::in_dir(&workspace.state.run(run));
    let executed = driver.look_up_open(run, &files).await?;
    driver.deliver_left_passwords(run)?;
    failpoints::reach(Failpoint::Delivered);
    let at = session.clock.now();
    let state = find_run(journal, run)?;
    let why = match executed.halt {
        Some(halt) => Some(halt.to_string()),
        None => {
            find_unknown_create(&files, &state)?.map(|key| format!("the create of {key} still has an unknown outcome"))
        }
    };
    if let Some(why) = why {
        driver.pause_run(run, why.clone()).await?;
        return Err(AppError::new(ErrorKind::Target, format!("the run {run} could not be settled: {why}"))
            .with_hint("run again later: nothing is sent for a person whose outcome is unknown")
            .leaving_resumable());
    }
    // Of creates everything is known now. What came of a change of an account that cannot be read does not matter to
    // the next plan, which compares what the account is, and one such account must not keep everybody else waiting.
    for (seq, step) in state.undecided_steps() {
        journal.append(Event::Outcome { run, at, seq, step, result: Outcome::NeverLearnt }).await?;
    }
    journal.append(Event::RunEnded { run, at, outcome: Ending::Superseded }).await?;
    failpoints::reach(Failpoint::RunEnded);
    secret::destroy_secret(&workspace.state, run)?;
    Ok(())
}

/// The key of somebody whose create has no known outcome: a new plan could create that person twice.
fn find_unknown_create(files: &PlanFiles, state: &RunState) -> Result<Option<String>, AppError> {
    let open: Vec<u64> = state.undecided_steps().filter(|(_, step)| *step == Step::First).map(|(seq, _)| seq).collect();
    if open.is_empty() {
        return Ok(None);
    }
    let mut plan = open_plan(&files.plan)?;
    while let Some(action) = plan.next()? {
        if action.action == ActionKind::Create && open.contains(&action.seq) {
            return Ok(Some(action.key));
        }
    }
    Ok(None)
}

fn find_resumable(journal: &Journal, name: Option<&str>) -> Result<RunId, AppError> {
    let unfinished = journal.unfinished_run();
    let Some(name) = name else {
        return unfinished.ok_or_else(|| {
            AppError::new(ErrorKind::Journal, "there is no unfinished run").with_hint("`headcount runs` lists all")
        });
    };
    let run: RunId = name.parse().map_err(|_| no_run_error(name))?;
    if unfinished == Some(run) {
        return Ok(run);
    }
    match journal.run(run)? {
        None => Err(no_run_error(name)),
        Some(_) => Err(AppError::new(ErrorKind::Journal, format!("the run {run} has ended"))
            .with_hint("`headcount sync` plans what is left")),
    }
}

fn require_same_target(workspace: &Workspace, journal: &Journal, run: RunId) -> Result<RunState, AppError> {
    let state = find_run(journal, run)?;
    let head = state.head();
    if !workspace.is_for(&head.tenant, &head.target) {
        let message = format!("the unfinished run {run} is for tenant {} ({})", head.tenant, head.target);
        return Err(AppError::new(ErrorKind::Plan, message)
            .with_hint("resume it with its own configuration, or use another state directory for this tenant"));
    }
    Ok(state)
}

/// The digest of the source as it is now, in the form in which runs keep it.
fn digest_source(source: &Source) -> Result<String, AppError> {
    let mut rows = source.rows()?;
    let mut record = Record::default();
    while rows.next_into(&mut record)?.is_some() {}
    Ok(rows.digests().into_iter().map(|file| file.digest).collect::<Vec<_>>().join("+"))
}
