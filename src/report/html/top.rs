//! The first screen of a page: what it is of, how it ended, the numbers with a picture, what is held and what releases it,
//! what to do next, and how all of it compares with the runs before.

use std::io;

use super::charts::{self, MOVES, TrendPoint};
use super::page::{HtmlPage, group_digits};
use crate::plan::FindingKind;
use crate::report::next::{NextStep, held_steps, next_steps};
use crate::report::summary::SummaryOutcome;
use crate::report::visible::shortened;
use crate::report::words::{self, LONGEST_MESSAGE, list_counts, record_title, unrepeated_notes};
use crate::report::{Head, Invocation, PastRun};

/// Earlier runs that are drawn.
const RUNS: usize = 9;

pub(super) fn write(head: &Head, past: &[PastRun], called: &Invocation, page: &mut HtmlPage<'_>) -> io::Result<()> {
    write_title(head, page)?;
    let past = &past[past.len().saturating_sub(RUNS)..];
    let points: Vec<TrendPoint> = past.iter().map(TrendPoint::from_past).chain([TrendPoint::from_head(head)]).collect();
    write_figures(head, &points, page)?;
    write_held(head, called, page)?;
    write_next(head, called, page)?;
    write_trend(head, &points, page)
}

fn write_title(head: &Head, page: &mut HtmlPage<'_>) -> io::Result<()> {
    let summary = &head.summary;
    page.write_markup("<header>\n<p class=\"over\">headcount</p>\n<h1>")?;
    let mut letters = record_title(head);
    if let Some(first) = letters.get(..1).map(str::to_ascii_uppercase) {
        letters.replace_range(..1, &first);
    }
    page.write_text(&letters)?.write_markup("</h1>\n<p class=\"how\"><strong class=\"")?;
    page.write_markup(match summary.outcome {
        SummaryOutcome::Planned | SummaryOutcome::NoChanges | SummaryOutcome::Complete => "fine",
        SummaryOutcome::Held | SummaryOutcome::Paused => "held",
        SummaryOutcome::Partial | SummaryOutcome::Failed => "failed",
    })?;
    page.write_markup("\">")?
        .write_text(&capitalize(summary.outcome.status_text()))?
        .write_markup("</strong></p>\n<p class=\"soft\">")?;
    page.write_foreign(&head.target)?.write_markup(" · <time>")?.write_text(&words::moment_text(head.started_at))?;
    page.write_markup("</time></p>\n")?;
    if let Some(problem) = &summary.error {
        page.write_markup("<p class=\"box failed\"><strong>")?
            .write_text(&capitalize(problem.kind.name()))?
            .write_markup(" error:</strong> ")?;
        page.write_foreign(&shortened(&problem.message, LONGEST_MESSAGE))?.write_markup("</p>\n")?;
    }
    for note in unrepeated_notes(head) {
        page.write_markup("<p class=\"box\">Note: ")?
            .write_foreign(&shortened(note, LONGEST_MESSAGE))?
            .write_markup("</p>\n")?;
    }
    page.write_markup("</header>\n")?;
    Ok(())
}

/// The four numbers that a page begins with, and what went wrong beside them.
fn write_figures(head: &Head, points: &[TrendPoint], page: &mut HtmlPage<'_>) -> io::Result<()> {
    let (now, before) = match points {
        [.., before, now] => (now, Some(before)),
        [now] => (now, None),
        [] => return Ok(()),
    };
    let summary = &head.summary;
    page.write_markup(
        "<section aria-labelledby=\"glance\">\n<h2 id=\"glance\">At a glance</h2>\n<div class=\"glance\">\n",
    )?;
    page.write_markup("<div>\n<dl class=\"figures\">\n")?;
    for (at, (word, kinds)) in MOVES.into_iter().enumerate() {
        let counts = charts::shown_counts(head);
        let parts = list_counts(kinds.iter().map(|kind| (counts.get(*kind), kind.as_str())));
        let planned: u64 = kinds.iter().map(|kind| summary.planned.get(*kind)).sum();
        let mut lines = Vec::new();
        if head.is_run() && planned != now.moves[at] {
            lines.push(format!("of {} planned", group_digits(planned)));
        }
        if !parts.is_empty() {
            lines.push(parts);
        }
        lines.extend(before.map(|before| format!("last run: {}", group_digits(before.moves[at]))));
        let class = ["join", "change", "leave"][at];
        write_figure(class, word, now.moves[at], &lines, page)?;
    }
    let is_stopped = !head.is_run() && summary.error.is_some();
    let held = match summary.held {
        _ if is_stopped => "nothing of this plan may be applied",
        0 => "no limit was reached",
        1 => "waits for an approval",
        _ => "wait for an approval",
    };
    write_figure("held", "held", summary.held, &[held.to_owned()], page)?;
    if head.is_run() {
        let before = before.map(|before| format!("last run: {}", group_digits(before.failed)));
        let wrong = list_counts([(summary.failed, "failed"), (summary.unknown, "of unknown outcome")]);
        let wrong = if wrong.is_empty() { "nothing went wrong".to_owned() } else { wrong };
        let lines: Vec<String> = [wrong].into_iter().chain(before).collect();
        write_figure("failed", "failed", now.failed, &lines, page)?;
    }
    page.write_markup("</dl>\n")?;
    write_facts(head, page)?;
    write_words(head, page)?;
    page.write_markup("</div>\n")?;
    let is_left = head.is_run() && summary.planned.count_all() > summary.applied.count_all() + summary.held;
    let keys = [(summary.held > 0, ("held", "held")), (is_left, ("failed", "not done"))];
    let keys: Vec<_> = keys.into_iter().filter(|(is_drawn, _)| *is_drawn).map(|(_, key)| key).collect();
    let caption = if head.is_run() { "What was done" } else { "What is to be done" };
    write_chart(charts::draw_moves(head), caption, &keys, page)?;
    page.write_markup("</div>\n</section>\n")?;
    Ok(())
}

/// What the findings are called that the facts count: who approves a plan is rarely who configured it.
fn write_words(head: &Head, page: &mut HtmlPage<'_>) -> io::Result<()> {
    let found = &head.summary.found;
    let kinds: Vec<_> = FindingKind::ALL.into_iter().filter(|kind| found.get(*kind) > 0).collect();
    if kinds.is_empty() {
        return Ok(());
    }
    page.write_markup("<details class=\"numbers\"><summary>What these words mean</summary>\n<dl class=\"facts\">\n")?;
    for kind in kinds {
        page.write_markup("<div><dt>")?.write_markup(kind.as_str())?.write_markup("</dt><dd>")?;
        page.write_markup(match kind {
            FindingKind::Unchanged => "the account already matches the export",
            FindingKind::Drift => "the account differs, and the system does not let it be changed from outside",
            FindingKind::Conflict => "nobody can say which account is whose, so nothing is done",
            FindingKind::Invalid => "the row cannot be used, so nothing is done",
            FindingKind::Skipped => "left alone, because the configuration says so",
            FindingKind::Absent => "an account without a person in the export",
            FindingKind::Protected => "an account that is never touched",
        })?;
        page.write_markup("</dd></div>\n")?;
    }
    page.write_markup("</dl></details>\n")?;
    Ok(())
}

fn write_figure(
    class: &'static str,
    word: &'static str,
    count: u64,
    lines: &[String],
    page: &mut HtmlPage<'_>,
) -> io::Result<()> {
    let zero = if count == 0 { " zero" } else { "" };
    page.write_markup("<div class=\"")?
        .write_markup(class)?
        .write_markup(zero)?
        .write_markup("\"><dt>")?
        .write_markup(word)?
        .write_markup("</dt><dd><b id=\"n-")?;
    page.write_markup(class)?.write_markup("\">")?.write_number(count)?.write_markup("</b>")?;
    for line in lines {
        page.write_markup("<span>")?.write_text(line)?.write_markup("</span>")?;
    }
    page.write_markup("</dd></div>\n")?;
    Ok(())
}

/// A chart with its caption, and what its colours mean.
fn write_chart(
    svg: Option<String>,
    caption: &'static str,
    keys: &[(&'static str, &'static str)],
    page: &mut HtmlPage<'_>,
) -> io::Result<()> {
    let Some(svg) = svg else { return Ok(()) };
    page.write_markup("<figure><figcaption>")?.write_markup(caption)?;
    for (class, word) in keys {
        page.write_markup("<span class=\"key ")?
            .write_markup(class)?
            .write_markup("\">")?
            .write_markup(word)?
            .write_markup("</span>")?;
    }
    page.write_markup("</figcaption>\n")?.stream().write_all(svg.as_bytes())?;
    page.write_markup("</figure>\n")?;
    Ok(())
}

fn write_facts(head: &Head, page: &mut HtmlPage<'_>) -> io::Result<()> {
    page.write_markup("<dl class=\"facts\">\n")?;
    // What is held stands among the figures.
    for (label, fact) in
        words::summary_facts(&head.summary, head.is_run()).into_iter().filter(|(label, _)| *label != "held")
    {
        page.write_markup("<div><dt>")?
            .write_markup(label)?
            .write_markup("</dt><dd>")?
            .write_text(&fact)?
            .write_markup("</dd></div>\n")?;
    }
    page.write_markup("</dl>\n")?;
    Ok(())
}

/// What waits for an approval, why, and the command that releases it.
fn write_held(head: &Head, called: &Invocation, page: &mut HtmlPage<'_>) -> io::Result<()> {
    let held = held_steps(head, called);
    if held.is_empty() {
        return Ok(());
    }
    page.write_markup("<section aria-labelledby=\"held\">\n<h2 id=\"held\">Held</h2>\n")?;
    for (held, step) in held {
        page.write_markup("<div class=\"box held\"><p>")?.write_text(&step.why)?.write_markup(".</p>\n")?;
        page.write_markup("<p class=\"release\">")?;
        if let Some(command) = &step.command {
            page.write_command(command)?;
        }
        page.write_markup("<button class=\"js\" type=\"button\" data-held=\"")?.write_text(held.kind.as_str())?;
        page.write_markup("\">Show them</button></p></div>\n")?;
    }
    page.write_markup("</section>\n")?;
    Ok(())
}

/// All that is left to do beside what is held.
fn write_next(head: &Head, called: &Invocation, page: &mut HtmlPage<'_>) -> io::Result<()> {
    let held = held_steps(head, called);
    let is_said = |step: &NextStep| held.iter().any(|(_, held)| held == step);
    let steps: Vec<_> = next_steps(head, called).into_iter().filter(|step| !is_said(step)).collect();
    if steps.is_empty() {
        return Ok(());
    }
    page.write_markup(
        "<section aria-labelledby=\"next\">\n<h2 id=\"next\">What to do next</h2>\n<ul class=\"next\">\n",
    )?;
    for step in steps {
        page.write_markup("<li>")?.write_text(&step.why)?;
        if let Some(command) = &step.command {
            page.write_markup("<br>")?.write_command(command)?;
        }
        page.write_markup("</li>\n")?;
    }
    page.write_markup("</ul>\n</section>\n")?;
    Ok(())
}

/// How it compares with the runs before; nothing where there are none.
fn write_trend(head: &Head, points: &[TrendPoint], page: &mut HtmlPage<'_>) -> io::Result<()> {
    if points.len() < 2 {
        return Ok(());
    }
    page.write_markup("<section aria-labelledby=\"trend\">\n<h2 id=\"trend\">Compared with previous runs</h2>\n")?;
    page.write_markup("<div class=\"pictures\">\n")?;
    write_chart(charts::draw_accounts(points), "Accounts when the run began", &[], page)?;
    let keys = [("join", "join"), ("leave", "leave"), ("failed", "failed")];
    write_chart(charts::draw_trend(points), "People from run to run", &keys, page)?;
    page.write_markup("</div>\n<details class=\"numbers\"><summary>The same as numbers</summary>\n")?;
    page.write_markup("<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">run</th><th scope=\"col\">when</th>")?;
    page.write_markup("<th scope=\"col\">accounts</th><th scope=\"col\">join</th><th scope=\"col\">change</th>")?;
    page.write_markup("<th scope=\"col\">leave</th><th scope=\"col\">failed</th></tr></thead>\n<tbody>\n")?;
    for (at, point) in points.iter().enumerate() {
        let is_this = at + 1 == points.len();
        page.write_markup(if is_this { "<tr class=\"this\">" } else { "<tr>" })?;
        page.write_markup("<th scope=\"row\">")?.write_foreign(&point.name)?;
        page.write_markup(match (is_this, head.is_run()) {
            (true, true) => " (this run)",
            (true, false) => " (this plan)",
            (false, _) => "",
        })?;
        page.write_markup("</th><td>")?.write_text(&words::moment_text(point.at))?.write_markup("</td>")?;
        let [join, change, leave] = point.moves.map(Some);
        for count in [point.accounts, join, change, leave, Some(point.failed)] {
            page.write_markup("<td>")?
                .write_text(&count.map(group_digits).unwrap_or_default())?
                .write_markup("</td>")?;
        }
        page.write_markup("</tr>\n")?;
    }
    page.write_markup("</tbody></table></div></details>\n</section>\n")?;
    Ok(())
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
