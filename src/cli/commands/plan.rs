//! `headcount plan`: the dry run. Nothing here writes to the target.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::cost::to_apply;
use super::errors;
use crate::cli::app::App;
use crate::cli::args::PlanArgs;
use crate::cli::connect::Connected;
use crate::cli::failure::{Exit, Failure};
use crate::cli::records;
use crate::cli::workbench::{Configured, Mapped, shown};
use crate::connectors::Connector;
use crate::files::write_atomically;
use crate::journal::Memory;
use crate::plan::file::PlanHeader;
use crate::planning::{Accounts, MadePlan, PlanFiles, make_plan};
use crate::report::{Extent, RecordKind};

pub async fn run(app: &App, args: &PlanArgs) -> Result<Exit, Failure> {
    planned(app, &asked(args), args.against.as_deref()).await
}

/// The dry run with which `init` ends.
pub async fn dry_run(app: &App) -> Result<Exit, Failure> {
    planned(app, &Asked { command: "init", output: None, detailed_exitcode: false }, None).await
}

async fn planned(app: &App, asked: &Asked<'_>, against: Option<&Path>) -> Result<Exit, Failure> {
    let started = app.clock.elapsed();
    let configured = app.configured()?;
    app.start_log(Some(&configured))?;
    app.listen_for_signals();
    let journal = configured.journal(&*app.clock)?;
    let memory = configured.memory(&journal);
    match against {
        Some(file) => {
            let configured = configured.last_seen()?;
            let made = make(app, &configured, &memory, Accounts::Recorded(file)).await?;
            write_errors(app, &configured, &made)?;
            present(app, &configured, asked, &made.surveyed, None, started)
        }
        None => {
            let connected = configured.connect(app.clock.clone(), &app.stop).await?;
            let exit = live(app, configured, asked, &memory, &connected, started).await;
            close_after(connected, exit).await
        }
    }
}

async fn live(
    app: &App,
    configured: Configured,
    asked: &Asked<'_>,
    memory: &Memory,
    connected: &Connected,
    started: Duration,
) -> Result<Exit, Failure> {
    let target = &*connected.target;
    let configured = configured.seen_by(target)?;
    let made = make(app, &configured, memory, Accounts::Live(target)).await?;
    write_errors(app, &configured, &made)?;
    present(app, &configured, asked, &made.surveyed, Some(target), started)
}

/// Writes the error sheet of a plan that no run follows, where one is asked for.
pub fn write_errors(app: &App, configured: &Configured, made: &Made) -> Result<(), Failure> {
    if configured.settings.report.errors.is_none() {
        return Ok(());
    }
    let MadePlan { header, files, .. } = &made.surveyed;
    let requests = records::requests(None, 0);
    let head = records::head(RecordKind::Plan, header, records::plan_summary(header, "plan", requests, None), &[]);
    let record = records::of_plan(head, files)?;
    if let Some(path) = errors::write(app, configured, Some(&made.mapped), header, record, &header.plan) {
        app.say(&errors::told(&path));
    }
    Ok(())
}

fn asked(args: &PlanArgs) -> Asked<'_> {
    Asked { command: "plan", output: args.output.as_deref(), detailed_exitcode: args.detailed_exitcode }
}

/// What was asked of a command that makes a plan and executes nothing.
pub struct Asked<'a> {
    pub command: &'static str,
    pub output: Option<&'a Path>,
    pub detailed_exitcode: bool,
}

/// Shows a plan that was made, and keeps a copy of it where one was asked for.
pub fn present(
    app: &App,
    configured: &Configured,
    asked: &Asked<'_>,
    surveyed: &MadePlan,
    target: Option<&dyn Connector>,
    started: Duration,
) -> Result<Exit, Failure> {
    let header = &surveyed.header;
    let (cost, forecast) = match target {
        Some(target) => to_apply(configured, target, surveyed)?,
        None => (header.requests.total, None),
    };
    if let Some(output) = asked.output {
        copy_plan(&surveyed.files.plan, output)?;
    }
    let meter = target.map(Connector::meter);
    let requests = records::requests(meter, meter.map_or(0, records::spent) + cost);
    let mut summary = records::plan_summary(header, asked.command, requests, records::quota(meter));
    summary.forecast = forecast;
    summary.elapsed_seconds = seconds(app.clock.elapsed().saturating_sub(started));
    let exit = exit_of(header, asked.detailed_exitcode);
    summary.exit_code = exit as u8;
    summary.error = stopped(header);
    let head = records::head(RecordKind::Plan, header, summary.clone(), &[]);
    app.show(configured, records::of_plan(head, &surveyed.files)?, Extent::Whole)?;
    if let Some(output) = asked.output {
        app.say(&format!("The plan is in {}.", shown(output)));
    }
    app.close(&summary);
    Ok(exit)
}

/// A plan, and what it was made with.
pub struct Made {
    pub surveyed: MadePlan,
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
    kept(configured, &dir, made.map(|(surveyed, mapped)| Made { surveyed, mapped }), |made| &mut made.surveyed)
}

/// Gives the folder of a plan that was made its name; of one that was not nothing is left.
pub fn kept<T>(
    configured: &Configured,
    dir: &Path,
    made: Result<T, Failure>,
    surveyed: impl FnOnce(&mut T) -> &mut MadePlan,
) -> Result<T, Failure> {
    match made {
        Ok(mut made) => {
            let surveyed = surveyed(&mut made);
            surveyed.files = PlanFiles::in_dir(&configured.keep_plan(dir, &surveyed.header.plan)?);
            Ok(made)
        }
        Err(failure) => {
            // What is left of a plan that was not made means nothing.
            let _ = std::fs::remove_dir_all(dir);
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
) -> Result<(MadePlan, Mapped), Failure> {
    let mapped = configured.source(&*app.clock)?;
    let monitor = app.monitor();
    let inputs = configured.inputs(&mapped, memory, (&*app.clock, &*monitor), accounts, dir);
    let surveyed = tokio::select! {
        surveyed = make_plan(&inputs) => surveyed?,
        () = app.stop.wait_requested() => {
            return Err(Failure::new("signal", "stopped before anything was changed").exit(Exit::Paused));
        }
    };
    Ok((surveyed, mapped))
}

/// Why nothing of a plan may be done, as a script is told.
pub fn stopped(header: &PlanHeader) -> Option<crate::report::SummaryProblem> {
    (!header.stopped.is_empty()).then(|| {
        Failure::new("safety", header.stopped.join("; "))
            .hint("look at the export; where it is right, change the limit in [safety]")
            .problem()
    })
}

fn exit_of(header: &PlanHeader, detailed: bool) -> Exit {
    if records::held_actions(header) > 0 || !header.stopped.is_empty() {
        Exit::Held
    } else if detailed && header.counts.actions.count_all() > 0 {
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
