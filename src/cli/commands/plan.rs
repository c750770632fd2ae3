//! `headcount plan`: the dry run. Nothing here writes to the target.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::cli::app::App;
use crate::cli::args::PlanArgs;
use crate::cli::connect::Connected;
use crate::cli::failure::{Exit, Failure};
use crate::cli::records;
use crate::cli::workbench::{Configured, Mapped, shown};
use crate::journal::Memory;
use crate::journal::paths::write_atomically;
use crate::plan::Forecast;
use crate::plan::file::Header;
use crate::report::Extent;
use crate::survey::{Accounts, Estimate, Inputs, PlanFiles, References, Surveyed, ToDo, survey};
use crate::target::Target;

pub async fn run(app: &App, args: &PlanArgs) -> Result<Exit, Failure> {
    let started = app.clock.elapsed();
    let configured = app.configured()?;
    app.start_log(Some(&configured))?;
    app.listen_for_signals();
    let journal = configured.journal(&*app.clock)?;
    let memory = configured.memory(&journal);
    match &args.against {
        Some(file) => {
            let configured = configured.last_seen()?;
            let made = make(app, &configured, &memory, Accounts::Recorded(file)).await?;
            let cost = (made.surveyed.header.requests.total, None);
            present(app, &configured, args, &made, (None, cost), started)
        }
        None => {
            let connected = configured.connect(app.clock.clone(), &app.stop).await?;
            let exit = live(app, configured, args, &memory, &connected, started).await;
            close_after(connected, exit).await
        }
    }
}

async fn live(
    app: &App,
    configured: Configured,
    args: &PlanArgs,
    memory: &Memory,
    connected: &Connected,
    started: Duration,
) -> Result<Exit, Failure> {
    let target = &*connected.target;
    let configured = configured.seen_by(target)?;
    let made = make(app, &configured, memory, Accounts::Live(target)).await?;
    let cost = to_apply(&configured, target, &made.surveyed)?;
    present(app, &configured, args, &made, (Some(target), cost), started)
}

fn present(
    app: &App,
    configured: &Configured,
    args: &PlanArgs,
    made: &Made,
    (target, cost): (Option<&dyn Target>, (u64, Option<Forecast>)),
    started: Duration,
) -> Result<Exit, Failure> {
    let header = &made.surveyed.header;
    let meter = target.map(Target::meter);
    if let Some(output) = &args.output {
        copy_plan(&made.surveyed.files.plan, output)?;
    }
    let requests = records::requests(meter, meter.map_or(0, records::spent) + cost.0);
    let mut summary = records::plan_summary(header, "plan", requests, records::quota(meter));
    summary.forecast = cost.1;
    summary.elapsed_seconds = seconds(app.clock.elapsed().saturating_sub(started));
    let exit = exit_of(header, args.detailed_exitcode);
    summary.exit_code = exit as u8;
    summary.error = stopped(header);
    let head = records::head("plan", header, summary.clone(), &[]);
    app.show(configured, records::of_plan(head, &made.surveyed.files)?, Extent::Whole)?;
    if let Some(output) = &args.output {
        app.say(&format!("The plan is in {}.", shown(output)));
    }
    app.close(&summary);
    Ok(exit)
}

/// What `apply` will take for a plan that was just made, signing in again included, and the days that makes.
fn to_apply(
    configured: &Configured,
    target: &dyn Target,
    surveyed: &Surveyed,
) -> Result<(u64, Option<Forecast>), Failure> {
    let Configured { schema, rules, settings, .. } = configured;
    // Every account is read again, because the plan may be hours old by then.
    let fresh_for = Duration::ZERO;
    let target = Some(target);
    let estimate = Estimate { schema, rules, target, rate: &settings.rate, pace: surveyed.pace, fresh_for };
    let plan = &surveyed.files.plan;
    let mut cost = estimate.of_plan(plan, |action| if action.held { ToDo::Nothing } else { ToDo::Whole })?;
    if cost.total() == 0 {
        return Ok((0, None));
    }
    cost.auth += target.map_or(0, Target::connecting_cost);
    cost.lookup += References::of_plan(plan, schema, |action| !action.held)?.lists();
    let (cost, forecast) = estimate.over_days(cost);
    Ok((cost.total(), forecast))
}

/// A plan, and what it was made with.
pub struct Made {
    pub surveyed: Surveyed,
    pub mapped: Mapped,
}

/// Makes a plan and keeps it in the state directory.
pub async fn make(
    app: &App,
    configured: &Configured,
    memory: &Memory,
    accounts: Accounts<'_>,
) -> Result<Made, Failure> {
    let dir = configured.new_plan_dir(&*app.clock)?;
    let made = make_in(app, configured, memory, accounts, &dir).await;
    match made {
        Ok((mut surveyed, mapped)) => {
            let kept = configured.keep_plan(&dir, &surveyed.header.plan)?;
            surveyed.files = PlanFiles::within(&kept);
            Ok(Made { surveyed, mapped })
        }
        Err(failure) => {
            // What is left of a plan that was not made means nothing.
            let _ = std::fs::remove_dir_all(&dir);
            Err(failure)
        }
    }
}

async fn make_in(
    app: &App,
    configured: &Configured,
    memory: &Memory,
    accounts: Accounts<'_>,
    dir: &Path,
) -> Result<(Surveyed, Mapped), Failure> {
    let mapped = configured.source(&*app.clock)?;
    let monitor = app.monitor();
    let inputs = Inputs {
        settings: &configured.settings,
        schema: &configured.schema,
        rules: &configured.rules,
        source: &mapped.source,
        mapping: &mapped.mapping,
        memory,
        clock: &*app.clock,
        monitor: &*monitor,
        target: configured.target_name(),
        accounts,
        dir,
        snapshot: matches!(accounts, Accounts::Live(_)).then(|| configured.state.snapshot()),
    };
    let surveyed = tokio::select! {
        surveyed = survey(&inputs) => surveyed?,
        () = app.stop.requested() => {
            return Err(Failure::new("signal", "stopped before anything was changed").exit(Exit::Paused));
        }
    };
    Ok((surveyed, mapped))
}

/// Why nothing of a plan may be done, as a script is told.
pub fn stopped(header: &Header) -> Option<crate::report::Problem> {
    (!header.stopped.is_empty()).then(|| {
        Failure::new("safety", header.stopped.join("; "))
            .hint("look at the export; where it is right, change the limit in [safety]")
            .problem()
    })
}

fn exit_of(header: &Header, detailed: bool) -> Exit {
    if records::held_actions(header) > 0 || !header.stopped.is_empty() {
        Exit::Held
    } else if detailed && header.counts.actions.total() > 0 {
        Exit::Changes
    } else {
        Exit::Done
    }
}

pub fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

fn copy_plan(plan: &Path, output: &Path) -> Result<(), Failure> {
    let mut input =
        std::fs::File::open(plan).map_err(|error| Failure::new("plan", format!("{}: {error}", plan.display())))?;
    write_atomically(output, 0o600, |out| io::copy(&mut input, out))
        .map_err(|error| Failure::new("plan", error.to_string()).hint("-o names a file that can be written"))?;
    Ok(())
}

/// Ends the connection and keeps what went wrong first.
pub async fn close_after<T>(connected: Connected, result: Result<T, Failure>) -> Result<T, Failure> {
    let closed = connected.close().await;
    let value = result?;
    closed?;
    Ok(value)
}
