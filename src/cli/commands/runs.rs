//! `headcount runs` and `headcount show`: the journal's history.

use std::io::Write;

use crate::cli::app::App;
use crate::cli::args::ShowArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Format, Out, To};
use crate::cli::records;
use crate::cli::workbench::Configured;
use crate::journal::state::{Phase, Tally};
use crate::journal::{Ending, Journal, JournalError, Options, RunId, RunOverview};
use crate::report::summary::SummaryOutcome;
use crate::report::visible::visible;
use crate::report::{Form, Head, Summary, render};

pub fn list(app: &App) -> Result<Exit, Failure> {
    let configured = app.configured()?;
    let inspection = if configured.state.path().exists() {
        Journal::inspect(configured.state.path(), Options::new(app.clock.now()))?
    } else {
        Default::default()
    };
    let mut out = Out::stdout();
    let written = if app.global.format == Format::Json {
        list_json(&inspection.runs, inspection.damage.iter().map(ToString::to_string).collect(), &mut out)
    } else {
        list_text(&inspection.runs, &mut out)
    };
    written.and_then(|()| out.flush()).map_err(output)?;
    if let Some(damage) = inspection.damage.first() {
        return Err(JournalError::Damaged { dir: configured.state.path().to_owned(), damage: damage.clone() }.into());
    }
    Ok(Exit::Done)
}

fn list_text(runs: &[RunOverview], out: &mut dyn Write) -> std::io::Result<()> {
    if runs.is_empty() {
        return writeln!(out, "No runs yet.");
    }
    writeln!(
        out,
        "{:<23} {:<8} {:<11} {:<11} {:>7} {:>6} {:>7}",
        "run", "command", "tenant", "state", "applied", "failed", "unknown"
    )?;
    for run in runs {
        let Tally { applied, adopted, failed, unknown, open, .. } = run.tally;
        writeln!(
            out,
            "{:<23} {:<8} {:<11} {:<11} {:>7} {:>6} {:>7}",
            run.run.to_string(),
            visible(&run.head.command),
            visible(&run.head.tenant),
            state_of(run),
            applied + adopted,
            failed,
            unknown + open
        )?;
    }
    Ok(())
}

fn list_json(runs: &[RunOverview], damage: Vec<String>, out: &mut dyn Write) -> std::io::Result<()> {
    let runs: Vec<_> = runs
        .iter()
        .map(|run| {
            let tally = run.tally;
            serde_json::json!({
                "run": run.run.to_string(),
                "started_at": run.started,
                "command": run.head.command,
                "tenant": run.head.tenant,
                "target": run.head.target,
                "plan": run.head.plan,
                "state": state_of(run),
                "since": run.phase_since,
                "paused_because": run.paused_because,
                "actions": run.head.actions,
                "applied": tally.applied + tally.adopted,
                "failed": tally.failed,
                "skipped": tally.skipped,
                "unknown": tally.unknown + tally.open,
                "pending": tally.pending + tally.not_there,
            })
        })
        .collect();
    serde_json::to_writer(&mut *out, &serde_json::json!({ "runs": runs, "damage": damage }))?;
    writeln!(out)
}

/// What state a run is in, in one word.
fn state_of(run: &RunOverview) -> &'static str {
    match run.phase {
        // The lock is free, or nobody could list: a run that has no end was interrupted.
        Phase::Running => "interrupted",
        Phase::Paused => "paused",
        Phase::Ended(Ending::Complete) => "complete",
        Phase::Ended(Ending::Partial) => "partial",
        Phase::Ended(Ending::Failed) => "failed",
        Phase::Ended(Ending::Superseded) => "superseded",
    }
}

pub fn show(app: &App, args: &ShowArgs) -> Result<Exit, Failure> {
    let configured = app.configured()?;
    let journal = history(app, &configured)?;
    let run = named(&journal, &args.run)?;
    let form = if app.global.format == Format::Json { Form::Json } else { Form::Text };
    let mut out = Out::stdout();
    let style = app.style(&configured, To::Stdout);
    render(record(&configured, &journal, run)?, form, &style, &mut out).and_then(|()| out.flush()).map_err(output)?;
    Ok(Exit::Done)
}

/// A run by its name, or the last one.
pub fn named(journal: &Journal, name: &str) -> Result<RunId, Failure> {
    if name == "last" {
        return journal.runs().last().map(|run| run.run).ok_or_else(no_runs);
    }
    name.parse().map_err(|_| records::no_run(name))
}

/// Opens the journal for reading; where there is none, none is made.
pub fn history(app: &App, configured: &Configured) -> Result<Journal, Failure> {
    if configured.state.path().exists() { configured.journal(&*app.clock) } else { Err(no_runs()) }
}

fn no_runs() -> Failure {
    Failure::new("journal", "there are no runs yet").hint("`headcount sync` makes one")
}

/// A run with every account it touched.
pub fn record<'a>(
    configured: &Configured,
    journal: &Journal,
    run: RunId,
) -> Result<crate::report::RunRecord<'a>, Failure> {
    let overview = journal
        .runs()
        .into_iter()
        .find(|overview| overview.run == run)
        .ok_or_else(|| records::no_run(&run.to_string()))?;
    let plan = crate::survey::PlanFiles::within(&configured.state.run(run)).plan;
    let (header, _) = records::verified(&plan)?;
    let released = records::released(&header, &overview.head.approved)?;
    let head = match std::fs::read(configured.state.run_summary(run)) {
        Ok(bytes) => serde_json::from_slice::<Head>(&bytes).ok(),
        Err(_) => None,
    };
    let head = head.filter(|head| is_of_its_end(&head.summary, &overview));
    // A run that was killed wrote no summary: what the journal knows stands in for it.
    let head = head.map_or_else(
        || -> Result<Head, Failure> {
            let requests = records::requests(None, header.requests.total);
            let mut summary = records::plan_summary(&header, &overview.head.command, requests, None);
            summary.run = run.to_string();
            summary.applied = records::applied(&configured.state, journal, run)?;
            summary.outcome = match overview.phase {
                Phase::Ended(Ending::Complete) => SummaryOutcome::Complete,
                Phase::Ended(Ending::Partial) => SummaryOutcome::Partial,
                Phase::Ended(_) => SummaryOutcome::Failed,
                Phase::Running | Phase::Paused => SummaryOutcome::Paused,
            };
            summary.failed = overview.tally.failed + overview.tally.skipped;
            summary.unknown = overview.tally.unknown + overview.tally.open;
            Ok(records::head("run", &header, summary, &released))
        },
        Ok,
    )?;
    records::of_run(head, &configured.state, journal, run, released)
}

/// Whether a summary that was kept says how the run stands: one that was kept when it paused does not say how it ended.
fn is_of_its_end(summary: &Summary, run: &RunOverview) -> bool {
    let fits = match run.phase {
        Phase::Running => false,
        Phase::Paused => true,
        Phase::Ended(_) => summary.outcome != SummaryOutcome::Paused,
    };
    fits && summary.unknown == run.tally.unknown + run.tally.open
}

pub fn output(error: std::io::Error) -> Failure {
    Failure::new("output", format!("the output cannot be written: {error}"))
}
