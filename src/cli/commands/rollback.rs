//! `headcount rollback`: the plan that takes back what a run changed. Like `plan` it writes nothing to the target; `apply`
//! executes what it makes.

use std::time::Duration;

use super::plan::{Asked, close_after, kept, present};
use super::runs::{history, named};
use crate::cli::app::App;
use crate::cli::args::RollbackArgs;
use crate::cli::connect::Connected;
use crate::cli::failure::{Exit, Failure};
use crate::cli::records;
use crate::cli::workbench::Configured;
use crate::journal::state::Phase;
use crate::journal::{Journal, RunState};
use crate::planning::{MadePlan, PlanFiles, RollbackInputs, plan_rollback};

pub async fn run(app: &App, args: &RollbackArgs) -> Result<Exit, Failure> {
    let started = app.clock.elapsed();
    let configured = app.configured()?;
    // Where there never was a run, no state directory is made.
    let journal = history(app, &configured)?;
    app.start_log(Some(&configured))?;
    app.listen_for_signals();
    let run = named(&journal, &args.run)?;
    let state = journal.run(run)?.ok_or_else(|| records::no_run(&args.run))?;
    over(&configured, &state)?;
    let files = PlanFiles::in_dir(&configured.state.run(run));
    let (_, digest) = records::verified(&files.plan)?;
    if digest != state.head().plan_digest {
        return Err(Failure::new(
            "plan",
            format!("{} is not the plan that the run {run} executed", files.plan.display()),
        )
        .hint("without it nobody knows what was there before; `headcount show` has no other source either"));
    }
    let connected = configured.connect(app.clock.clone(), &app.stop).await?;
    let exit = take_back(app, configured, args, &journal, &state, &connected, started).await;
    close_after(connected, exit).await
}

async fn take_back(
    app: &App,
    configured: Configured,
    args: &RollbackArgs,
    journal: &Journal,
    state: &RunState,
    connected: &Connected,
    started: Duration,
) -> Result<Exit, Failure> {
    let target = &*connected.target;
    let configured = configured.seen_by(target)?;
    let dir = configured.new_plan_dir(&*app.clock)?;
    let made = make(app, &configured, journal, state, connected, &dir).await;
    let surveyed = kept(&configured, &dir, made, |surveyed| surveyed)?;
    let asked =
        Asked { command: "rollback", output: args.output.as_deref(), detailed_exitcode: args.detailed_exitcode };
    present(app, &configured, &asked, &surveyed, Some(target), started)
}

async fn make(
    app: &App,
    configured: &Configured,
    journal: &Journal,
    state: &RunState,
    connected: &Connected,
    dir: &std::path::Path,
) -> Result<MadePlan, Failure> {
    let memory = configured.memory(journal);
    let monitor = app.monitor();
    let plan = PlanFiles::in_dir(&configured.state.run(state.run())).plan;
    let inputs = RollbackInputs {
        settings: &configured.settings,
        schema: &configured.schema,
        rules: &configured.rules,
        memory: &memory,
        clock: &*app.clock,
        monitor: &*monitor,
        name: configured.target_name(),
        target: &*connected.target,
        dir,
        run: state,
        plan: &plan,
    };
    tokio::select! {
        surveyed = plan_rollback(&inputs) => Ok(surveyed?),
        () = app.stop.wait_requested() => {
            Err(Failure::new("signal", "stopped before anything was changed").exit(Exit::Paused))
        }
    }
}

/// Whether the run is of this tenant, and has ended: what is still to come of it cannot be taken back.
fn over(configured: &Configured, state: &RunState) -> Result<(), Failure> {
    let (run, head, tenant) = (state.run(), state.head(), &configured.settings.target.tenant);
    if head.tenant != *tenant || head.target != configured.target_name() {
        return Err(Failure::new("plan", format!("the run {run} is for tenant {} ({})", head.tenant, head.target))
            .hint("roll it back with its own configuration"));
    }
    if !matches!(state.phase(), Phase::Ended(_)) {
        return Err(Failure::new(
            "journal",
            format!("the run {run} has not ended: what it changed is not all known, and it may change more"),
        )
        .hint("`headcount resume` ends it; then roll it back"));
    }
    Ok(())
}
