//! `headcount runs` and `headcount show`: the journal's history.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Write;

use crate::cli::app::App;
use crate::cli::args::ShowArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Format, Out, To};
use crate::cli::records;
use crate::cli::workbench::Configured;
use crate::files::sealed;
use crate::journal::state::{Phase, Tally};
use crate::journal::{Ending, Journal, JournalError, Options, RunId, RunOverview, StateDir};
use crate::planning::PlanFiles;
use crate::report::columns::{Fitted, pad_text, text_width};
use crate::report::summary::SummaryOutcome;
use crate::report::visible::{shortened, visible};
use crate::report::{Form, Head, LineBreaks, RecordKind, Style, Summary, render};

pub fn list(app: &App) -> Result<Exit, Failure> {
    let configured = app.configured()?;
    let inspection = if configured.state.path().exists() {
        Journal::inspect_journal(configured.state.path(), Options::new(app.clock.now()))?
    } else {
        Default::default()
    };
    let state = &configured.state;
    let mut damaged: BTreeMap<RunId, String> =
        inspection.damaged.iter().map(|(run, damage)| (*run, format!("the journal: {damage}"))).collect();
    for run in &inspection.runs {
        if let Entry::Vacant(entry) = damaged.entry(run.run)
            && let Some(why) = records::damage_of_files(state, run)
        {
            entry.insert(why);
        }
    }
    let mut out = Out::stdout();
    let written = if app.global.format == Format::Json {
        let damage = inspection.damage.iter().map(ToString::to_string).collect();
        list_json(state, &inspection.runs, damage, &damaged, &mut out)
    } else {
        let style = app.style(&configured, To::Stdout);
        match style.lines {
            LineBreaks::Whole => list_text(&inspection.runs, &damaged, &style, &mut out),
            LineBreaks::Fitted => {
                let mut out = Fitted::new(style.width, &mut out);
                list_text(&inspection.runs, &damaged, &style, &mut out).and_then(|()| out.flush())
            }
        }
    };
    written.and_then(|()| out.flush()).map_err(output)?;
    if let Some(damage) = inspection.damage.first() {
        return Err(JournalError::Damaged { dir: state.path().to_owned(), damage: damage.clone() }.into());
    }
    match damaged.iter().next_back() {
        None => Ok(Exit::Done),
        Some((run, why)) => {
            let failure = records::damaged_run(state, *run, why);
            let overview = inspection.runs.iter().find(|overview| overview.run == *run);
            Err(match overview {
                Some(overview) => hint_by_phase(overview, failure),
                None => failure,
            })
        }
    }
}

/// What to do about a run that is damaged depends on whether somebody is still to go on with it.
fn hint_by_phase(run: &RunOverview, failure: Failure) -> Failure {
    match run.phase {
        Phase::Ended(_) => failure.hint(
            "the run has ended: but for its reports, what is left of its plan, and its rollback, nothing depends on its \
             files",
        ),
        Phase::Running | Phase::Paused => failure,
    }
}

fn list_text(
    runs: &[RunOverview],
    damaged: &BTreeMap<RunId, String>,
    style: &Style,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    if runs.is_empty() && damaged.is_empty() {
        return writeln!(out, "No runs yet.");
    }
    let mut lines: Vec<Line> = runs.iter().map(|run| Line::of(run, damaged.contains_key(&run.run))).collect();
    lines.extend(without_beginning(runs, damaged).map(|run| Line::lost(*run)));
    write_table(&lines, style, out)?;
    for run in runs.iter().filter(|run| !damaged.contains_key(&run.run)) {
        let why = match run.phase {
            Phase::Paused => run.paused_because.as_deref().unwrap_or("somebody asked it to stop"),
            Phase::Running => "its process died",
            Phase::Ended(_) => continue,
        };
        writeln!(out, "\n{} is {}: {}", run.run, state_of(run), visible(why))?;
        writeln!(out, "    {}", style.invocation.whole_command(&format!("resume {}", run.run)))?;
    }
    if !damaged.is_empty() {
        writeln!(out)?;
    }
    for (run, why) in damaged {
        writeln!(out, "{run} is damaged: {}", visible(why))?;
    }
    Ok(())
}

/// A run in the table.
struct Line {
    run: String,
    command: String,
    tenant: String,
    state: &'static str,
    /// Applied, failed, unknown; none where not even that is known.
    counts: Option<[u64; 3]>,
}

impl Line {
    fn of(run: &RunOverview, is_damaged: bool) -> Self {
        /// A longer name of a tenant is shortened.
        const TENANT: usize = 24;
        let Tally { applied, adopted, failed, unknown, open, .. } = run.tally;
        Self {
            run: run.run.to_string(),
            command: visible(&run.head.command).into_owned(),
            tenant: shortened(&run.head.tenant, TENANT).into_owned(),
            state: if is_damaged { DAMAGED } else { state_of(run) },
            counts: Some([applied + adopted, failed, unknown + open]),
        }
    }

    fn lost(run: RunId) -> Self {
        Self { run: run.to_string(), command: "?".into(), tenant: "?".into(), state: DAMAGED, counts: None }
    }
}

/// A row for each run, as wide as it has to be; a few lines for each where the terminal has no room for rows.
fn write_table(lines: &[Line], style: &Style, out: &mut dyn Write) -> std::io::Result<()> {
    const COUNTS: [&str; 3] = ["applied", "failed", "unknown"];
    let names = ["run", "command", "tenant", "state"];
    let mut widths = names.map(str::len);
    for line in lines {
        let cells = [&*line.run, &*line.command, &*line.tenant, line.state].map(text_width);
        widths.iter_mut().zip(cells).for_each(|(width, takes)| *width = takes.max(*width));
    }
    let takes = widths.iter().sum::<usize>() + 2 * widths.len() + "applied  failed  unknown".len();
    if style.lines == LineBreaks::Fitted && takes > style.width {
        for Line { run, command, tenant, state, counts } in lines {
            writeln!(out, "{run}")?;
            writeln!(out, "    {command} of {tenant}: {state}")?;
            if let Some([applied, failed, unknown]) = counts {
                writeln!(out, "    {applied} applied, {failed} failed, {unknown} unknown")?;
            }
        }
        return Ok(());
    }
    let row = |cells: [&str; 4], counts: [String; 3]| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| pad_text(cell, width));
        let counts = counts.iter().zip(COUNTS).map(|(count, name)| format!("{count:>0$}", name.len()));
        cells.chain(counts).collect::<Vec<_>>().join("  ")
    };
    writeln!(out, "{}", row(names, COUNTS.map(str::to_owned)))?;
    for Line { run, command, tenant, state, counts } in lines {
        let counts = counts.map_or([const { String::new() }; 3], |counts| counts.map(|count| count.to_string()));
        writeln!(out, "{}", row([run, command, tenant, state], counts).trim_end())?;
    }
    Ok(())
}

/// Damaged runs of which the journal has no beginning any more: nothing but their names is known.
fn without_beginning<'a>(
    runs: &'a [RunOverview],
    damaged: &'a BTreeMap<RunId, String>,
) -> impl Iterator<Item = &'a RunId> {
    damaged.keys().filter(|run| !runs.iter().any(|overview| overview.run == **run))
}

const DAMAGED: &str = "damaged";

fn list_json(
    state: &StateDir,
    runs: &[RunOverview],
    damage: Vec<String>,
    damaged: &BTreeMap<RunId, String>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let lost = without_beginning(runs, damaged).map(
        |run| serde_json::json!({ "run": run.to_string(), "state": DAMAGED, "damaged_because": damaged.get(run) }),
    );
    let mut listed: Vec<_> = runs
        .iter()
        .map(|run| {
            let why = damaged.get(&run.run);
            described(state, run, if why.is_some() { DAMAGED } else { state_of(run) }, why)
        })
        .collect();
    listed.extend(lost);
    serde_json::to_writer(&mut *out, &serde_json::json!({ "runs": listed, "damage": damage }))?;
    writeln!(out)
}

/// Everything that is known of a run beside its actions.
fn described(state: &StateDir, run: &RunOverview, word: &str, damaged_because: Option<&String>) -> serde_json::Value {
    let tally = run.tally;
    let kept = sealed::read::<Head>(&state.run_summary(run.run)).ok().flatten();
    let summary = kept.map(|head| head.summary).filter(|summary| is_of_its_end(summary, run));
    let summary = summary.as_ref();
    let files = PlanFiles::in_dir(&state.run(run.run));
    let selection = run.head.selection.clone().unwrap_or_default();
    serde_json::json!({
        "run": run.run.to_string(),
        "started_at": run.started,
        "ended_at": matches!(run.phase, Phase::Ended(_)).then_some(run.phase_since),
        "command": run.head.command,
        "tenant": run.head.tenant,
        "target": run.head.target,
        "plan": run.head.plan,
        "state": word,
        "damaged_because": damaged_because,
        "since": run.phase_since,
        "paused_because": run.paused_because,
        "resumed": run.resumed,
        "approved": run.head.approved,
        "only": selection.only,
        "limit": selection.limit,
        "actions": run.head.actions,
        "applied": tally.applied + tally.adopted,
        "failed": tally.failed,
        "skipped": tally.skipped,
        "unknown": tally.unknown + tally.open,
        "pending": tally.pending + tally.not_there,
        "outcome": summary.map(|summary| summary.outcome),
        "planned": summary.map(|summary| summary.planned),
        "applied_by_kind": summary.map(|summary| summary.applied),
        "found": summary.map(|summary| summary.found),
        "held": summary.map(|summary| summary.held),
        "requests": summary.map(|summary| &summary.requests),
        "elapsed_seconds": summary.map(|summary| summary.elapsed_seconds),
        "files": { "plan": files.plan, "findings": files.findings, "summary": state.run_summary(run.run) },
    })
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
    let (header, _) = records::plan_of_run(&configured.state, run, &overview.head)
        .map_err(|failure| hint_by_phase(&overview, failure))?;
    let released = records::released(&header, &overview.head.approved)?;
    let (head, damage) = match sealed::read::<Head>(&configured.state.run_summary(run)) {
        Ok(head) => (head, None),
        Err(error) => (None, Some(format!("its summary is made anew from the journal: {error}"))),
    };
    let head = head.filter(|head| is_of_its_end(&head.summary, &overview));
    // A run that was killed wrote no summary: what the journal knows stands in for it.
    let mut head = head.map_or_else(
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
            Ok(records::head(RecordKind::Run, &header, summary, &released))
        },
        Ok,
    )?;
    head.notes.extend(damage);
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
