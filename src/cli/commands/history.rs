//! `headcount runs`: the runs of the journal, as a table or as an object.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use crate::app::AppError;
use crate::app::history::{ListedRun, RunHistory, RunStanding, list_runs};
use crate::cli::exit::Exit;
use crate::cli::output::{Out, StdoutFormat, To, output_error};
use crate::cli::terminal::Terminal;
use crate::report::columns::{Fitted, pad_text, text_width};
use crate::report::visible::{shortened, visible};
use crate::report::{LineBreaks, Style};

pub fn run_list(terminal: &Arc<Terminal>) -> Result<u8, AppError> {
    let workspace = terminal.open_workspace()?;
    let history = list_runs(&terminal.session(), &workspace)?;
    let mut out = Out::stdout();
    let style = terminal.report_style(To::Stdout);
    let written = match (terminal.global.format, style.lines) {
        (StdoutFormat::Json, _) => write_object(&history, &mut out),
        (StdoutFormat::Text, LineBreaks::Whole) => write_list(&history, &style, &mut out),
        (StdoutFormat::Text, LineBreaks::Fitted) => {
            let mut out = Fitted::new(style.width, &mut out);
            write_list(&history, &style, &mut out).and_then(|()| out.flush())
        }
    };
    written.and_then(|()| out.flush()).map_err(output_error)?;
    history.error.map_or(Ok(Exit::Done as u8), Err)
}

fn write_list(RunHistory { runs, lost, .. }: &RunHistory, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    if runs.is_empty() && lost.is_empty() {
        return writeln!(out, "No runs yet.");
    }
    let mut lines: Vec<RunLine> = runs.iter().map(RunLine::describe).collect();
    lines.extend(lost.keys().map(|run| RunLine::describe_lost(run.to_string())));
    write_table(&lines, style, out)?;
    for listed in runs {
        let run = &listed.overview;
        let why = match listed.standing() {
            RunStanding::Paused => run.paused_because.as_deref().unwrap_or("somebody asked it to stop"),
            RunStanding::Interrupted => "its process died",
            _ => continue,
        };
        writeln!(out, "\n{} is {}: {}", run.run, listed.standing().name(), visible(why))?;
        writeln!(out, "    {}", style.invocation.whole_command(&format!("resume {}", run.run)))?;
    }
    let damaged = runs.iter().filter_map(|listed| Some((listed.overview.run, listed.damage.as_ref()?)));
    let damaged: BTreeMap<_, _> = damaged.chain(lost.iter().map(|(run, why)| (*run, why))).collect();
    if !damaged.is_empty() {
        writeln!(out)?;
    }
    for (run, why) in damaged {
        writeln!(out, "{run} is damaged: {}", visible(why))?;
    }
    Ok(())
}

/// A run in the table.
struct RunLine {
    run: String,
    command: String,
    tenant: String,
    state: &'static str,
    /// Applied, failed, unknown; none where not even that is known.
    counts: Option<[u64; 3]>,
}

impl RunLine {
    fn describe(listed: &ListedRun) -> Self {
        /// A longer name of a tenant is shortened.
        const TENANT: usize = 24;
        let (run, tally) = (&listed.overview, listed.overview.tally);
        Self {
            run: run.run.to_string(),
            command: run.head.command.to_string(),
            tenant: shortened(&run.head.tenant, TENANT).into_owned(),
            state: listed.standing().name(),
            counts: Some([tally.applied + tally.adopted, tally.failed, tally.unknown + tally.open]),
        }
    }

    fn describe_lost(run: String) -> Self {
        Self { run, command: "?".into(), tenant: "?".into(), state: RunStanding::Damaged.name(), counts: None }
    }
}

/// A row for each run, as wide as it has to be; a few lines for each where the terminal has no room for rows.
fn write_table(lines: &[RunLine], style: &Style, out: &mut dyn Write) -> std::io::Result<()> {
    const COUNTS: [&str; 3] = ["applied", "failed", "unknown"];
    let names = ["run", "command", "tenant", "state"];
    let mut widths = names.map(str::len);
    for line in lines {
        let cells = [&*line.run, &*line.command, &*line.tenant, line.state].map(text_width);
        widths.iter_mut().zip(cells).for_each(|(width, takes)| *width = takes.max(*width));
    }
    let takes = widths.iter().sum::<usize>() + 2 * widths.len() + "applied  failed  unknown".len();
    if style.lines == LineBreaks::Fitted && takes > style.width {
        for RunLine { run, command, tenant, state, counts } in lines {
            writeln!(out, "{run}")?;
            writeln!(out, "    {command} of {tenant}: {state}")?;
            if let Some([applied, failed, unknown]) = counts {
                writeln!(out, "    {applied} applied, {failed} failed, {unknown} unknown")?;
            }
        }
        return Ok(());
    }
    let join_row = |cells: [&str; 4], counts: [String; 3]| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| pad_text(cell, width));
        let counts = counts.iter().zip(COUNTS).map(|(count, name)| format!("{count:>0$}", name.len()));
        cells.chain(counts).collect::<Vec<_>>().join("  ")
    };
    writeln!(out, "{}", join_row(names, COUNTS.map(str::to_owned)))?;
    for RunLine { run, command, tenant, state, counts } in lines {
        let counts = counts.map_or([const { String::new() }; 3], |counts| counts.map(|count| count.to_string()));
        writeln!(out, "{}", join_row([run, command, tenant, state], counts).trim_end())?;
    }
    Ok(())
}

fn write_object(RunHistory { runs, lost, damage, .. }: &RunHistory, out: &mut dyn Write) -> io::Result<()> {
    let mut listed: Vec<_> = runs.iter().map(describe_run).collect();
    listed.extend(lost.iter().map(|(run, why)| {
        serde_json::json!({
            "run": run.to_string(), "state": RunStanding::Damaged.name(), "damaged_because": why
        })
    }));
    serde_json::to_writer(&mut *out, &serde_json::json!({ "runs": listed, "damage": damage }))?;
    writeln!(out)
}

/// Everything that is known of a run beside its actions.
fn describe_run(listed: &ListedRun) -> serde_json::Value {
    let run = &listed.overview;
    let (tally, summary) = (run.tally, listed.summary.as_ref());
    let selection = run.head.selection.clone().unwrap_or_default();
    serde_json::json!({
        "run": run.run.to_string(),
        "started_at": run.started,
        "ended_at": listed.is_ended().then_some(run.phase_since),
        "command": run.head.command,
        "tenant": run.head.tenant,
        "target": run.head.target,
        "plan": run.head.plan,
        "state": listed.standing().name(),
        "damaged_because": listed.damage,
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
        "files": { "plan": listed.files.plan, "findings": listed.files.findings, "summary": listed.summary_file },
    })
}
