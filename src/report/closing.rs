//! The end of a text, which is what a person sees first: how it ended, the numbers, what to do next.

use std::io::{self, Write};

use super::columns::columns;
use super::counts::{Count, actions};
use super::form::Extent;
use super::ink::{Ink, RED};
use super::narrow::{self, is_narrow};
use super::next::next_steps;
use super::summary::SummaryOutcome;
use super::visible::{shortened, visible};
use super::words::{self, LONGEST_MESSAGE};
use super::{Head, Style};

/// `whole` is the command that shows what was left out above.
pub(super) fn write(head: &Head, style: &Style, whole: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let ink = Ink(style.color);
    write_how(head, style, ink, out)?;
    write_counts(head, style.width, ink, out)?;
    if let Some(command) = whole {
        let gap = if is_narrow(style.width) { "\n    " } else { "   " };
        writeln!(out, "  all of it{gap}{}", ink.bold(command))?;
    }
    // What comes next after a preview is the question or the run, unless nothing may be done.
    if style.extent != Extent::Preview || head.summary.error.is_some() {
        write_next(head, style, ink, out)?;
    }
    Ok(())
}

/// What a report is of, the same above its entries and below them.
pub(super) fn title(head: &Head) -> String {
    format!("{} {} of {}", visible(&head.of), visible(&head.summary.run), visible(&head.summary.tenant))
}

fn write_how(head: &Head, style: &Style, ink: Ink, out: &mut dyn Write) -> io::Result<()> {
    let summary = &head.summary;
    let how = match (style.extent, summary.outcome) {
        (Extent::Preview, SummaryOutcome::Planned) => "planned, nothing was changed yet",
        (_, outcome) => outcome.words(),
    };
    if is_narrow(style.width) {
        narrow::write(&format!("{}: {how}", title(head)), style.width, 0, |line| ink.bold(line), out)?;
    } else {
        writeln!(out, "{}: {how}", ink.bold(&title(head)))?;
    }
    let place = format!("{}, {}", visible(&head.target), words::moment(head.started_at));
    narrow::write(&place, style.width, 0, |line| ink.dim(line), out)?;
    if let Some(problem) = &summary.error {
        let message = shortened(&problem.message, LONGEST_MESSAGE);
        let text = match problem.kind.as_str() {
            // Somebody wanted it so.
            "signal" => format!("! {message}"),
            kind => format!("! {} error: {message}", visible(kind)),
        };
        narrow::write(&text, style.width, 0, |line| ink.paint(RED, line), out)?;
    }
    for note in notes(head) {
        let note = format!("note: {}", shortened(note, LONGEST_MESSAGE));
        narrow::write(&note, style.width, 0, str::to_owned, out)?;
    }
    writeln!(out)
}

/// The notes that the error does not say already.
pub(super) fn notes(head: &Head) -> impl Iterator<Item = &str> {
    let error = head.summary.error.as_ref().map(|problem| problem.message.as_str());
    head.notes.iter().map(String::as_str).filter(move |note| error.is_none_or(|error| !error.contains(note)))
}

fn write_counts(head: &Head, width: usize, ink: Ink, out: &mut dyn Write) -> io::Result<()> {
    if is_narrow(width) {
        return write_few_columns(head, width, ink, out);
    }
    let mut is_first = true;
    for Count { name, planned, applied, remark } in actions(head) {
        if is_first && head.is_run() {
            writeln!(out, "{}", ink.dim(&format!("  {:<10}{:>8}  {:>8}", "", "planned", "done")))?;
        }
        is_first = false;
        let applied = applied.map(|applied| format!("  {applied:>8}")).unwrap_or_default();
        let remark = remark.map(|remark| format!("  {remark}")).unwrap_or_default();
        writeln!(out, "  {name:<10}{planned:>8}{applied}{remark}")?;
    }
    for (label, fact) in words::facts(&head.summary, head.is_run()) {
        let mut label = label;
        for line in folded(&fact, width.saturating_sub(INDENT)) {
            writeln!(out, "  {label:<10}  {line}")?;
            label = "";
        }
    }
    Ok(())
}

/// The same where there is no room for columns: each label above what it labels.
fn write_few_columns(head: &Head, width: usize, ink: Ink, out: &mut dyn Write) -> io::Result<()> {
    let mut is_first = true;
    for Count { name, planned, applied, remark } in actions(head) {
        if is_first && head.is_run() {
            writeln!(out, "{}", ink.dim("  (done/planned)"))?;
        }
        is_first = false;
        let applied = applied.map(|applied| format!("{applied}/")).unwrap_or_default();
        writeln!(out, "  {name:<10} {applied}{planned}")?;
        if let Some(remark) = remark {
            narrow::write(&remark, width, 4, str::to_owned, out)?;
        }
    }
    for (label, fact) in words::facts(&head.summary, head.is_run()) {
        writeln!(out, "  {label}")?;
        for line in folded(&fact, width.saturating_sub(4)) {
            narrow::write(&line, width, 4, str::to_owned, out)?;
        }
    }
    Ok(())
}

/// What stands before a fact.
const INDENT: usize = "  requests    ".len();

/// A list on as many lines as it needs, broken behind its commas.
fn folded(list: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in list.split_inclusive(", ") {
        match lines.last_mut() {
            Some(line) if columns(line) + columns(piece.trim_end()) <= room => line.push_str(piece),
            _ => lines.push(piece.to_owned()),
        }
    }
    lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    lines
}

fn write_next(head: &Head, style: &Style, ink: Ink, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    for step in next_steps(head, &style.invocation) {
        match step.command {
            Some(command) => {
                narrow::write(&step.why, style.width, 0, str::to_owned, out)?;
                // Whole, so that it can be pasted.
                writeln!(out, "    {}", ink.bold(&command))?;
            }
            None => narrow::write(&step.why, style.width, 0, str::to_owned, out)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_broken_behind_commas_and_loses_nothing() {
        let list = "174 unchanged, 2 drift, 5 absent";
        assert_eq!(folded(list, 80), [list]);
        assert_eq!(folded(list, 23), ["174 unchanged, 2 drift,", "5 absent"]);
        assert_eq!(folded(list, 0), ["174 unchanged,", "2 drift,", "5 absent"]);
    }

    #[test]
    fn a_note_that_the_error_repeats_is_said_once() {
        let mut head = crate::report::samples::quiet().head;
        head.notes = vec!["too few rows".into(), "the listing shifted".into()];
        assert_eq!(notes(&head).count(), 2);
        let message = "too few rows; too many are invalid".into();
        head.summary.error = Some(crate::report::Problem { kind: "safety".into(), message, hint: None });
        assert_eq!(notes(&head).collect::<Vec<_>>(), ["the listing shifted"]);
    }
}
