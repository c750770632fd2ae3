//! `headcount resume`: goes on with a run that was interrupted or paused.

use jiff::SignedDuration;

use super::cost::left_of;
use super::drive::{Drive, Planned, confirmed};
use super::plan::close_after;
use crate::cli::app::App;
use crate::cli::args::ResumeArgs;
use crate::cli::connect::Connected;
use crate::cli::failure::{Exit, Failure};
use crate::cli::records;
use crate::cli::workbench::{Configured, Mapped};
use crate::execute::{ExecutionInputs, Mode, Secrets, Selection, execute_run, lifecycle};
use crate::journal::{Ending, Event, Journal, Memory, Outcome, RunId, RunState, Step, secret};
use crate::model::{AttrId, Record, Secret};
use crate::plan::{Action, ActionKind};
use crate::planning::{NEVER_LEARNT, PlanFiles};
use crate::report::RecordKind;
use crate::source::Source;
use crate::testing::failpoints::{self, Failpoint};

pub async fn run(app: &App, args: &ResumeArgs) -> Result<Exit, Failure> {
    let configured = app.configured()?;
    app.start_log(Some(&configured))?;
    app.listen_for_signals();
    let journal = configured.journal(&*app.clock)?;
    let run = wanted(&journal, args.run.as_deref())?;
    let state = same_target(&configured, &journal, run)?;
    if state.head().config_digest != configured.config_digest() {
        return Err(Failure::new("plan", format!("the configuration changed since the run {run} began")).hint(
            "`headcount sync --yes` settles what is unknown and plans the rest anew; or use the run's configuration",
        ));
    }
    if !args.execution.only.is_empty() || args.execution.limit.is_some() || !args.execution.approve.is_empty() {
        return Err(Failure::new("usage", "a resumed run keeps the choice of actions that it began with")
            .hint("--only, --limit and --approve belong to `apply` and `sync`")
            .exit(Exit::Usage));
    }
    if !args.execution.yes && !std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        return Err(Failure::new("usage", "nothing was applied: there is no terminal to ask")
            .hint("--yes applies without asking"));
    }
    if !args.execution.yes {
        let (header, _) = records::plan_of_run(&configured.state, run, state.head())?;
        let summary = records::plan_summary(&header, "resume", records::requests(None, 0), None);
        let released = records::released(&header, &state.head().approved)?;
        let head = records::head(RecordKind::Run, &header, summary, &released);
        let selection = state.head().selection.clone().unwrap_or_default();
        let is_left = left_of(&configured, &state, &released, &selection);
        let files = PlanFiles::in_dir(&configured.state.run(run));
        if !confirmed(app, &args.execution, &head, &files, is_left, "done already or left out").await? {
            return Err(Failure::new("usage", "nothing was applied"));
        }
    }
    let connected = configured.connect(app.clock.clone(), &app.stop).await?;
    let exit = resume(app, configured, &journal, &connected, run).await;
    close_after(connected, exit).await
}

async fn resume(
    app: &App,
    configured: Configured,
    journal: &Journal,
    connected: &Connected,
    run: RunId,
) -> Result<Exit, Failure> {
    let configured = configured.seen_by(&*connected.target)?;
    let memory = configured.memory(journal);
    go_on(app, &configured, journal, &memory, connected, None, run).await
}

/// For `sync`: an unfinished run is continued, without another listing, where source and configuration are still the
/// same and the run is not older than `safety.run_max_age`, which ends the command; otherwise what is unknown of it is
/// settled, and the rest is planned anew by the caller.
pub async fn continue_or_settle(
    app: &App,
    configured: &Configured,
    journal: &Journal,
    memory: &Memory,
    connected: &Connected,
    run: RunId,
) -> Result<Option<Exit>, Failure> {
    let state = same_target(configured, journal, run)?;
    let mapped = configured.source(&*app.clock)?;
    let (header, _) = records::verified(&PlanFiles::in_dir(&configured.state.run(run)).plan)?;
    // What a rollback is made from is a run, which changes no more.
    let same = state.head().config_digest == configured.config_digest()
        && (header.rollback_of.is_some() || state.head().source_digest == digest(&mapped.source)?);
    let age = app.clock.now().duration_since(state.started());
    let most = SignedDuration::try_from(configured.settings.safety.run_max_age).unwrap_or(SignedDuration::MAX);
    // Nothing of a rollback is planned anew here, and each account is compared before it is taken back.
    let is_young = header.rollback_of.is_some() || age <= most;
    if same && is_young {
        app.monitor().note(&format!("the run {run} has not ended: going on with it"));
        return go_on(app, configured, journal, memory, connected, Some(&mapped), run).await.map(Some);
    }
    let why = if same { "is older than safety.run_max_age" } else { "source or configuration changed" };
    app.monitor().note(&format!(
        "the run {run} has not ended, and {why}: what is unknown of it is settled, the rest is planned anew"
    ));
    let started = app.clock.elapsed();
    let drive =
        Drive { app, configured, journal, memory, connected, mapped: Some(&mapped), command: "resume", started };
    settle(&drive, run).await?;
    Ok(None)
}

async fn go_on(
    app: &App,
    configured: &Configured,
    journal: &Journal,
    memory: &Memory,
    connected: &Connected,
    mapped: Option<&Mapped>,
    run: RunId,
) -> Result<Exit, Failure> {
    let files = PlanFiles::in_dir(&configured.state.run(run));
    let state = journal.run(run)?.ok_or_else(|| records::no_run(&run.to_string()))?;
    let (header, digest) = records::plan_of_run(&configured.state, run, state.head())?;
    let drive =
        Drive { app, configured, journal, memory, connected, mapped, command: "resume", started: app.clock.elapsed() };
    // A plan that was applied was looked at by somebody first: its accounts are read again whatever its age.
    let fresh_for = SignedDuration::try_from(configured.settings.safety.fresh_for).unwrap_or(SignedDuration::ZERO);
    let fresh_until = header.created_at.checked_add(fresh_for).ok().filter(|_| state.head().command == "sync");
    let spent = connected.target.connecting_cost();
    let plan = Planned { header: &header, digest: &digest, files: &files, fresh_until, pace: None, spent };
    drive.resume(run, &plan).await
}

/// Looks up what the run left open and ends it; nothing that writes is sent. The passwords of the accounts that it made
/// are delivered: nobody would do it later.
async fn settle(drive: &Drive<'_>, run: RunId) -> Result<(), Failure> {
    let Drive { app, configured, journal, memory, connected, .. } = *drive;
    let state = journal.run(run)?.ok_or_else(|| records::no_run(&run.to_string()))?;
    records::plan_of_run(&configured.state, run, state.head())?;
    lifecycle::resume_run(journal, memory, &configured.state, &*app.clock, &state).await?;
    let files = PlanFiles::in_dir(&configured.state.run(run));
    let monitor = app.monitor();
    let execution = ExecutionInputs {
        run,
        plan: &files.plan,
        target: &*connected.target,
        rules: &configured.rules,
        journal,
        memory,
        secrets: &NoSecrets,
        clock: &*app.clock,
        monitor: &*monitor,
        stop: &app.stop,
        released: &[],
        selection: &Selection::default(),
        fresh_until: None,
        concurrency: configured.settings.rate.concurrency,
        timeout: configured.settings.rate.timeout,
        mode: Mode::SettleOnly,
    };
    let executed = execute_run(&execution).await?;
    drive.deliver_of(run)?;
    failpoints::reach(Failpoint::Delivered);
    let at = app.clock.now();
    let state = journal.run(run)?.ok_or_else(|| records::no_run(&run.to_string()))?;
    let why = match executed.halt {
        Some(halt) => Some(halt.to_string()),
        None => unknown_create(&files, &state)?.map(|key| format!("what came of the create of {key} is still unknown")),
    };
    if let Some(why) = why {
        journal.append(Event::RunPaused { run, at, why: why.clone() }).await?;
        failpoints::reach(Failpoint::RunPaused);
        return Err(Failure::new("target", format!("the run {run} could not be settled: {why}"))
            .hint("run again later: nothing is sent to a person whose outcome is unknown")
            .exit(Exit::Paused));
    }
    // Of creates everything is known now. What came of a change of an account that cannot be read does not matter to
    // the next plan, which compares what the account is, and one such account must not keep everybody else waiting.
    for (seq, step) in state.undecided_steps() {
        let message = NEVER_LEARNT.to_owned();
        let result = Outcome::Failed { message, code: None, trxid: None };
        journal.append(Event::Outcome { run, at, seq, step, result }).await?;
    }
    journal.append(Event::RunEnded { run, at, outcome: Ending::Superseded }).await?;
    failpoints::reach(Failpoint::RunEnded);
    secret::destroy_secret(&configured.state, run)?;
    Ok(())
}

/// The key of somebody whose create has no known outcome: a new plan could create that person twice.
fn unknown_create(files: &PlanFiles, state: &RunState) -> Result<Option<String>, Failure> {
    let open: Vec<u64> = state.undecided_steps().filter(|(_, step)| *step == Step::First).map(|(seq, _)| seq).collect();
    if open.is_empty() {
        return Ok(None);
    }
    let mut plan = super::drive::read_plan(files)?;
    while let Some(action) = plan.next()? {
        if action.action == ActionKind::Create && open.contains(&action.seq) {
            return Ok(Some(action.key));
        }
    }
    Ok(None)
}

/// Settling sends nothing, so it needs no secret.
struct NoSecrets;

impl Secrets for NoSecrets {
    fn find_secret(&self, _action: &Action, _attribute: AttrId) -> Result<Secret, String> {
        Err("nothing is sent while a run is settled".to_owned())
    }
}

fn wanted(journal: &Journal, name: Option<&str>) -> Result<RunId, Failure> {
    let unfinished = journal.unfinished_run();
    match name {
        None => unfinished
            .ok_or_else(|| Failure::new("journal", "no run waits to be resumed").hint("`headcount runs` lists all")),
        Some(name) => {
            let run: RunId = name.parse().map_err(|_| records::no_run(name))?;
            if unfinished == Some(run) {
                return Ok(run);
            }
            match journal.run(run)? {
                None => Err(records::no_run(name)),
                Some(_) => Err(Failure::new("journal", format!("the run {run} has ended"))
                    .hint("`headcount sync` plans anew what is left")),
            }
        }
    }
}

fn same_target(configured: &Configured, journal: &Journal, run: RunId) -> Result<RunState, Failure> {
    let state = journal.run(run)?.ok_or_else(|| records::no_run(&run.to_string()))?;
    let (head, tenant) = (state.head(), &configured.settings.target.tenant);
    if head.tenant != *tenant || head.target != configured.target_name() {
        return Err(Failure::new(
            "plan",
            format!("the unfinished run {run} is for tenant {} ({})", head.tenant, head.target),
        )
        .hint("resume it with its own configuration, or give this tenant a state directory of its own"));
    }
    Ok(state)
}

/// The digest of the source as it is now, in the form in which runs keep it.
fn digest(source: &Source) -> Result<String, Failure> {
    let mut rows = source.rows()?;
    let mut record = Record::default();
    while rows.next_into(&mut record)?.is_some() {}
    Ok(rows.digests().into_iter().map(|file| file.digest).collect::<Vec<_>>().join("+"))
}
