//! The first screen of a page: what it is of, how it ended, the numbers with a picture, what is held and what releases it,
//! what to do next, and how all of it compares with the runs before.

use std::io;

use super::charts::{self, MOVES, TrendPoint};
use super::page::{Page, grouped};
use crate::plan::FindingKind;
use crate::report::next::{Step, held_steps, next_steps};
use crate::report::summary::SummaryOutcome;
use crate::report::visible::shortened;
use crate::report::words::{self, LONGEST_MESSAGE, listed, record_title, unrepeated_notes};
use crate::report::{Head, Invocation, Past};

/// Earlier runs that are drawn.
const RUNS: usize = 9;

pub(super) fn write(head: &Head, past: &[Past], called: &Invocation, page: &mut Page<'_>) -> io::Result<()> {
    write_title(head, page)?;
    let past = &past[past.len().saturating_sub(RUNS)..];
    let points: Vec<TrendPoint> = past.iter().map(TrendPoint::from_past).chain([TrendPoint::from_head(head)]).collect();
    write_figures(head, &points, page)?;
    write_held(head, called, page)?;
    write_next(head, called, page)?;
    write_trend(head, &points, page)
}

fn write_title(head: &Head, page: &mut Page<'_>) -> io::Result<()> {
    let summary = &head.summary;
    page.markup("<header>\n<p class=\"over\">headcount</p>\n<h1>")?;
    let mut letters = record_title(head);
    if let Some(first) = letters.get(..1).map(str::to_ascii_uppercase) {
        letters.replace_range(..1, &first);
    }
    page.text(&letters)?.markup("</h1>\n<p class=\"how\"><strong class=\"")?;
    page.markup(match summary.outcome {
        SummaryOutcome::Planned | SummaryOutcome::NoChanges | SummaryOutcome::Complete => "fine",
        SummaryOutcome::Held | SummaryOutcome::Paused => "held",
        SummaryOutcome::Partial | SummaryOutcome::Failed => "failed",
    })?;
    page.markup("\">")?.text(&capital(summary.outcome.words()))?.markup("</strong></p>\n<p class=\"soft\">")?;
    page.foreign(&head.target)?.markup(" · <time>")?.text(&words::moment(head.started_at))?;
    page.markup("</time></p>\n")?;
    if let Some(problem) = &summary.error {
        page.markup("<p class=\"box failed\"><strong>")?.text(&capital(&problem.kind))?.markup(" error:</strong> ")?;
        page.foreign(&shortened(&problem.message, LONGEST_MESSAGE))?.markup("</p>\n")?;
    }
    for note in unrepeated_notes(head) {
        page.markup("<p class=\"box\">Note: ")?.foreign(&shortened(note, LONGEST_MESSAGE))?.markup("</p>\n")?;
    }
    page.markup("</header>\n")?;
    Ok(())
}

/// The four numbers that a page begins with, and what went wrong beside them.
fn write_figures(head: &Head, points: &[TrendPoint], page: &mut Page<'_>) -> io::Result<()> {
    let (now, before) = match points {
        [.., before, now] => (now, Some(before)),
        [now] => (now, None),
        [] => return Ok(()),
    };
    let summary = &head.summary;
    page.markup("<section aria-labelledby=\"glance\">\n<h2 id=\"glance\">At a glance</h2>\n<div class=\"glance\">\n")?;
    page.markup("<div>\n<dl class=\"figures\">\n")?;
    for (at, (word, kinds)) in MOVES.into_iter().enumerate() {
        let counts = charts::shown_counts(head);
        let parts = listed(kinds.iter().map(|kind| (counts.get(*kind), kind.name())));
        let planned: u64 = kinds.iter().map(|kind| summary.planned.get(*kind)).sum();
        let mut lines = Vec::new();
        if head.is_run() && planned != now.moves[at] {
            lines.push(format!("of {} planned", grouped(planned)));
        }
        if !parts.is_empty() {
            lines.push(parts);
        }
        lines.extend(before.map(|before| format!("last run: {}", grouped(before.moves[at]))));
        let class = ["join", "change", "leave"][at];
        write_figure(class, word, now.moves[at], &lines, page)?;
    }
    let is_stopped = !head.is_run() && summary.error.is_some();
    let held = match summary.held {
        _ if is_stopped => "nothing of this plan may be done",
        0 => "no limit was reached",
        1 => "waits for an approval",
        _ => "wait for an approval",
    };
    write_figure("held", "held", summary.held, &[held.to_owned()], page)?;
    if head.is_run() {
        let before = before.map(|before| format!("last run: {}", grouped(before.failed)));
        let wrong = listed([(summary.failed, "failed"), (summary.unknown, "of unknown outcome")]);
        let wrong = if wrong.is_empty() { "nothing went wrong".to_owned() } else { wrong };
        let lines: Vec<String> = [wrong].into_iter().chain(before).collect();
        write_figure("failed", "failed", now.failed, &lines, page)?;
    }
    page.markup("</dl>\n")?;
    write_facts(head, page)?;
    write_words(head, page)?;
    page.markup("</div>\n")?;
    let is_left = head.is_run() && summary.planned.total() > summary.applied.total() + summary.held;
    let keys = [(summary.held > 0, ("held", "held")), (is_left, ("failed", "not done"))];
    let keys: Vec<_> = keys.into_iter().filter(|(is_drawn, _)| *is_drawn).map(|(_, key)| key).collect();
    let caption = if head.is_run() { "What was done" } else { "What is to be done" };
    write_chart(charts::draw_moves(head), caption, &keys, page)?;
    page.markup("</div>\n</section>\n")?;
    Ok(())
}

/// What the findings are called that the facts count: who approves a plan is rarely who configured it.
fn write_words(head: &Head, page: &mut Page<'_>) -> io::Result<()> {
    let found = &head.summary.found;
    let kinds: Vec<_> = FindingKind::ALL.into_iter().filter(|kind| found.get(*kind) > 0).collect();
    if kinds.is_empty() {
        return Ok(());
    }
    page.markup("<details class=\"numbers\"><summary>What these words mean</summary>\n<dl class=\"facts\">\n")?;
    for kind in kinds {
        page.markup("<div><dt>")?.markup(kind.name())?.markup("</dt><dd>")?;
        page.markup(match kind {
            FindingKind::Unchanged => "the account is as the export wants it",
            FindingKind::Drift => "the account differs, and the system does not let it be changed from outside",
            FindingKind::Conflict => "nobody can say which account is whose, so nothing is done",
            FindingKind::Invalid => "the row cannot be used, so nothing is done",
            FindingKind::Skipped => "left alone, because the configuration wants it so",
            FindingKind::Absent => "an account of nobody in the export",
            FindingKind::Protected => "an account that is never touched",
        })?;
        page.markup("</dd></div>\n")?;
    }
    page.markup("</dl></details>\n")?;
    Ok(())
}

fn write_figure(
    class: &'static str,
    word: &'static str,
    count: u64,
    lines: &[String],
    page: &mut Page<'_>,
) -> io::Result<()> {
    let zero = if count == 0 { " zero" } else { "" };
    page.markup("<div class=\"")?
        .markup(class)?
        .markup(zero)?
        .markup("\"><dt>")?
        .markup(word)?
        .markup("</dt><dd><b id=\"n-")?;
    page.markup(class)?.markup("\">")?.number(count)?.markup("</b>")?;
    for line in lines {
        page.markup("<span>")?.text(line)?.markup("</span>")?;
    }
    page.markup("</dd></div>\n")?;
    Ok(())
}

/// A chart with its caption, and what its colours mean.
fn write_chart(
    svg: Option<String>,
    caption: &'static str,
    keys: &[(&'static str, &'static str)],
    page: &mut Page<'_>,
) -> io::Result<()> {
    let Some(svg) = svg else { return Ok(()) };
    page.markup("<figure><figcaption>")?.markup(caption)?;
    for (class, word) in keys {
        page.markup("<span class=\"key ")?.markup(class)?.markup("\">")?.markup(word)?.markup("</span>")?;
    }
    page.markup("</figcaption>\n")?.stream().write_all(svg.as_bytes())?;
    page.markup("</figure>\n")?;
    Ok(())
}

fn write_facts(head: &Head, page: &mut Page<'_>) -> io::Result<()> {
    page.markup("<dl class=\"facts\">\n")?;
    // What is held stands among the figures.
    for (label, fact) in words::facts(&head.summary, head.is_run()).into_iter().filter(|(label, _)| *label != "held") {
        page.markup("<div><dt>")?.markup(label)?.markup("</dt><dd>")?.text(&fact)?.markup("</dd></div>\n")?;
    }
    page.markup("</dl>\n")?;
    Ok(())
}

/// What waits for an approval, why, and the command that releases it.
fn write_held(head: &Head, called: &Invocation, page: &mut Page<'_>) -> io::Result<()> {
    let held = held_steps(head, called);
    if held.is_empty() {
        return Ok(());
    }
    page.markup("<section aria-labelledby=\"held\">\n<h2 id=\"held\">Held</h2>\n")?;
    for (held, step) in held {
        page.markup("<div class=\"box held\"><p>")?.text(&step.why)?.markup(".</p>\n")?;
        page.markup("<p class=\"release\">")?;
        if let Some(command) = &step.command {
            page.command(command)?;
        }
        page.markup("<button class=\"js\" type=\"button\" data-held=\"")?.text(held.kind.name())?;
        page.markup("\">Show them</button></p></div>\n")?;
    }
    page.markup("</section>\n")?;
    Ok(())
}

/// All that is left to do beside what is held.
fn write_next(head: &Head, called: &Invocation, page: &mut Page<'_>) -> io::Result<()> {
    let held = held_steps(head, called);
    let is_said = |step: &Step| held.iter().any(|(_, held)| held == step);
    let steps: Vec<_> = next_steps(head, called).into_iter().filter(|step| !is_said(step)).collect();
    if steps.is_empty() {
        return Ok(());
    }
    page.markup("<section aria-labelledby=\"next\">\n<h2 id=\"next\">What to do next</h2>\n<ul class=\"next\">\n")?;
    for step in steps {
        page.markup("<li>")?.text(&step.why)?;
        if let Some(command) = &step.command {
            page.markup("<br>")?.command(command)?;
        }
        page.markup("</li>\n")?;
    }
    page.markup("</ul>\n</section>\n")?;
    Ok(())
}

/// How it compares with the runs before; nothing where there are none.
fn write_trend(head: &Head, points: &[TrendPoint], page: &mut Page<'_>) -> io::Result<()> {
    if points.len() < 2 {
        return Ok(());
    }
    page.markup("<section aria-labelledby=\"trend\">\n<h2 id=\"trend\">Compared with previous runs</h2>\n")?;
    page.markup("<div class=\"pictures\">\n")?;
    write_chart(charts::draw_accounts(points), "Accounts when the run began", &[], page)?;
    let keys = [("join", "join"), ("leave", "leave"), ("failed", "failed")];
    write_chart(charts::draw_trend(points), "People from run to run", &keys, page)?;
    page.markup("</div>\n<details class=\"numbers\"><summary>The same as numbers</summary>\n")?;
    page.markup("<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">run</th><th scope=\"col\">when</th>")?;
    page.markup("<th scope=\"col\">accounts</th><th scope=\"col\">join</th><th scope=\"col\">change</th>")?;
    page.markup("<th scope=\"col\">leave</th><th scope=\"col\">failed</th></tr></thead>\n<tbody>\n")?;
    for (at, point) in points.iter().enumerate() {
        let is_this = at + 1 == points.len();
        page.markup(if is_this { "<tr class=\"this\">" } else { "<tr>" })?;
        page.markup("<th scope=\"row\">")?.foreign(&point.name)?;
        page.markup(match (is_this, head.is_run()) {
            (true, true) => " (this run)",
            (true, false) => " (this plan)",
            (false, _) => "",
        })?;
        page.markup("</th><td>")?.text(&words::moment(point.at))?.markup("</td>")?;
        let [join, change, leave] = point.moves.map(Some);
        for count in [point.accounts, join, change, leave, Some(point.failed)] {
            page.markup("<td>")?.text(&count.map(grouped).unwrap_or_default())?.markup("</td>")?;
        }
        page.markup("</tr>\n")?;
    }
    page.markup("</tbody></table></div></details>\n</section>\n")?;
    Ok(())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
