//! The end of a text, which is what a person sees first: how it ended, the numbers, what to do next.

use std::io::{self, Write};

use crate::report::counts::{CountRow, action_rows};
use crate::report::form::Extent;
use crate::report::next::next_steps;
use crate::report::summary::{ProblemKind, SummaryOutcome};
use crate::report::text_colors::{RED, TextColors};
use crate::report::visible::{shortened, visible};
use crate::report::words::{self, LONGEST_MESSAGE, record_title, unrepeated_notes};
use crate::report::wrapping::{is_narrow, wrap_at, write_wrapped};
use crate::report::{Head, Style};

/// `whole` is the command that shows what was left out above.
pub(super) fn write_closing_lines(
    head: &Head,
    style: &Style,
    whole: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let colors = TextColors(style.color);
    write_how(head, style, colors, out)?;
    write_counts(head, style.width, colors, out)?;
    if let Some(command) = whole {
        let gap = if is_narrow(style.width) { "\n    " } else { "   " };
        writeln!(out, "  all of it{gap}{}", colors.paint_bold(command))?;
    }
    // What comes next after a preview is the question or the run, unless nothing may be done.
    if style.extent != Extent::Preview || head.summary.error.is_some() {
        write_next(head, style, colors, out)?;
    }
    Ok(())
}

fn write_how(head: &Head, style: &Style, colors: TextColors, out: &mut dyn Write) -> io::Result<()> {
    let summary = &head.summary;
    let how = match (style.extent, summary.outcome) {
        (Extent::Preview, SummaryOutcome::Planned) => "planned, nothing was changed yet",
        (_, outcome) => outcome.status_text(),
    };
    if is_narrow(style.width) {
        write_wrapped(&format!("{}: {how}", record_title(head)), style.width, 0, |line| colors.paint_bold(line), out)?;
    } else {
        writeln!(out, "{}: {how}", colors.paint_bold(&record_title(head)))?;
    }
    let place = format!("{}, {}", visible(&head.target), words::moment_text(head.started_at));
    write_wrapped(&place, style.width, 0, |line| colors.paint_dim(line), out)?;
    if let Some(problem) = &summary.error {
        let message = shortened(&problem.message, LONGEST_MESSAGE);
        let text = match problem.kind {
            // Somebody wanted it so.
            ProblemKind::Signal => format!("! {message}"),
            kind => format!("! {} error: {message}", kind.name()),
        };
        write_wrapped(&text, style.width, 0, |line| colors.paint_color(RED, line), out)?;
    }
    for note in unrepeated_notes(head) {
        let note = format!("note: {}", shortened(note, LONGEST_MESSAGE));
        write_wrapped(&note, style.width, 0, str::to_owned, out)?;
    }
    writeln!(out)
}

fn write_counts(head: &Head, width: usize, colors: TextColors, out: &mut dyn Write) -> io::Result<()> {
    if is_narrow(width) {
        return write_few_columns(head, width, colors, out);
    }
    let mut is_first = true;
    for CountRow { name, planned, applied, remark } in action_rows(head) {
        if is_first && head.is_run() {
            writeln!(out, "{}", colors.paint_dim(&format!("  {:<10}{:>8}  {:>8}", "", "planned", "done")))?;
        }
        is_first = false;
        let applied = applied.map(|applied| format!("  {applied:>8}")).unwrap_or_default();
        let remark = remark.map(|remark| format!("  {remark}")).unwrap_or_default();
        writeln!(out, "  {name:<10}{planned:>8}{applied}{remark}")?;
    }
    for (label, fact) in words::summary_facts(&head.summary, head.is_run()) {
        let mut label = label;
        for line in wrap_at(", ", &fact, width.saturating_sub(INDENT)) {
            writeln!(out, "  {label:<10}  {line}")?;
            label = "";
        }
    }
    Ok(())
}

/// The same where there is no room for columns: each label above what it labels.
fn write_few_columns(head: &Head, width: usize, colors: TextColors, out: &mut dyn Write) -> io::Result<()> {
    let mut is_first = true;
    for CountRow { name, planned, applied, remark } in action_rows(head) {
        if is_first && head.is_run() {
            writeln!(out, "{}", colors.paint_dim("  (done/planned)"))?;
        }
        is_first = false;
        let applied = applied.map(|applied| format!("{applied}/")).unwrap_or_default();
        writeln!(out, "  {name:<10} {applied}{planned}")?;
        if let Some(remark) = remark {
            write_wrapped(&remark, width, 4, str::to_owned, out)?;
        }
    }
    for (label, fact) in words::summary_facts(&head.summary, head.is_run()) {
        writeln!(out, "  {label}")?;
        for line in wrap_at(", ", &fact, width.saturating_sub(4)) {
            write_wrapped(&line, width, 4, str::to_owned, out)?;
        }
    }
    Ok(())
}

/// What stands before a fact.
const INDENT: usize = "  requests    ".len();

fn write_next(head: &Head, style: &Style, colors: TextColors, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    for step in next_steps(head, &style.invocation) {
        match step.command {
            Some(command) => {
                write_wrapped(&step.why, style.width, 0, str::to_owned, out)?;
                // Whole, so that it can be pasted.
                writeln!(out, "    {}", colors.paint_bold(&command))?;
            }
            None => write_wrapped(&step.why, style.width, 0, str::to_owned, out)?,
        }
    }
    Ok(())
}
