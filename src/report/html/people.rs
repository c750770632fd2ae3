//! Everybody that a page says something of. All of them lie in the page as data, from which its script draws those that
//! are in sight; the first of them stand in the page itself, for whoever reads it without a script. Of more people than a
//! page can hold, the first of each kind stand there alone.

use std::io;

use super::island::Island;
use super::page::{Page, grouped};
use super::row::{Changed, Room, Row};
use crate::plan::{ActionKind, FindingKind};
use crate::report::section::{Limit, Section};
use crate::report::summary::SummaryOutcome;
use crate::report::words::untouched;
use crate::report::{Entries, Head, Invocation};

/// So many actions, and so many findings, a page holds.
pub(super) const MOST: u64 = 20_000;
/// So many people stand in the page itself.
const FIRST: usize = 100;
/// Letters of a value that are shown before a reader asks for the rest.
const SHOWN: usize = 240;

pub(super) fn write(
    head: &Head,
    entries: &mut Entries<'_>,
    called: &Invocation,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let (actions, findings) = expected(head);
    page.markup("<section aria-labelledby=\"people\">\n<h2 id=\"people\" tabindex=\"-1\">People</h2>\n")?;
    let run = &head.summary.run;
    // A record without a name cannot be called by it.
    let all = (!run.is_empty()).then(|| called.command(&format!("report {run} --as csv -o {run}.csv")));
    if actions > MOST || findings > MOST {
        write_first(actions + findings, entries, all.as_deref(), page)?;
    } else {
        write_all(actions + findings, entries, all.as_deref(), page)?;
    }
    page.markup("</section>\n")?;
    Ok(())
}

/// How many actions and findings the entries are.
fn expected(head: &Head) -> (u64, u64) {
    let summary = &head.summary;
    let chosen = match summary.outcome {
        // What was not reached is among the entries.
        SummaryOutcome::Paused | SummaryOutcome::Failed => summary.planned.total(),
        _ if head.is_run() => summary.planned.total() - untouched(summary).min(summary.planned.total()),
        _ => summary.planned.total(),
    };
    let kept = FindingKind::ALL.into_iter().filter(|kind| *kind != FindingKind::Unchanged);
    (chosen, kept.map(|kind| summary.found.get(kind)).sum())
}

fn write_all(people: u64, entries: &mut Entries<'_>, all: Option<&str>, page: &mut Page<'_>) -> io::Result<()> {
    let mut first = Vec::new();
    while first.len() < FIRST {
        match entries.next() {
            Some(entry) => first.push(entry?),
            None => break,
        }
    }
    write_filters(page)?;
    page.markup("<p class=\"count\"><output id=\"count\" aria-live=\"polite\">")?;
    page.text(&match people {
        0 => "Nobody is changed, and nothing was found.".to_owned(),
        1 => "1 person".to_owned(),
        people => format!("{} people", grouped(people)),
    })?;
    page.markup("</output></p>\n")?;
    write_csv_hint(all, page)?;
    if first.len() == FIRST {
        page.markup("<noscript><p class=\"box\">Without its script the page shows the first ")?;
        page.number(FIRST as u64)?.markup(", and has no filters.</p></noscript>\n")?;
    }
    let mut room = Room::new();
    begin_table(page)?;
    for (at, entry) in first.iter().enumerate() {
        write_row(&Row::of(entry, &mut room), at, page)?;
    }
    page.markup("</tbody></table>\n")?;
    page.markup("<p id=\"printed\" class=\"printed\" hidden></p>\n")?;

    let (mut island, mut room) = (Island::default(), Room::new());
    page.markup("<script type=\"application/json\" id=\"data\">")?;
    island.begin(page.stream())?;
    for entry in first.into_iter().map(Ok).chain(entries) {
        island.row(&Row::of(&entry?, &mut room), page.stream())?;
    }
    island.end(page.stream())?;
    page.markup("</script>\n")?;
    Ok(())
}

/// Where there are too many: the first changes, the first that went wrong, the first findings.
fn write_first(people: u64, entries: &mut Entries<'_>, all: Option<&str>, page: &mut Page<'_>) -> io::Result<()> {
    page.markup("<p class=\"count\">")?
        .number(people)?
        .markup(" people are more than one page can hold: here are the ")?;
    page.markup("first changes, the first that went wrong, and the first findings.</p>\n")?;
    write_csv_hint(all, page)?;
    let mut limit = Limit::new(Some(FIRST), |section| match section {
        Section::Action(_) => Section::Action(ActionKind::Create),
        Section::Failed | Section::Unknown => Section::Failed,
        Section::Finding(_) => Section::Finding(FindingKind::Drift),
    });
    let (mut room, mut at) = (Room::new(), 0);
    begin_table(page)?;
    for entry in entries {
        let entry = entry?;
        if limit.admits(Section::of(&entry)) {
            write_row(&Row::of(&entry, &mut room), at, page)?;
            at += 1;
        }
    }
    page.markup("</tbody></table>\n")?;
    if let Some(rest) = limit.rest() {
        page.markup("<p class=\"soft\">Not shown: ")?.text(&rest)?.markup(".</p>\n")?;
    }
    Ok(())
}

fn write_csv_hint(all: Option<&str>, page: &mut Page<'_>) -> io::Result<()> {
    if let Some(command) = all {
        page.markup("<p class=\"soft\">All of it as a table for a spreadsheet: ")?
            .command(command)?
            .markup("</p>\n")?;
    }
    Ok(())
}

/// The script fills in what there is to choose from.
fn write_filters(page: &mut Page<'_>) -> io::Result<()> {
    page.markup(
        r#"<form id="filters" class="filters js" role="search" aria-label="Filter people" autocomplete="off">
<div class="grow"><label for="f-text">Search</label><input id="f-text" type="search" spellcheck="false" placeholder="name, value, reason, line …"></div>
<div><label for="f-kind">Action</label><select id="f-kind"></select></div>
<div><label for="f-state">State</label><select id="f-state"></select></div>
<div><label for="f-attribute">Attribute</label><select id="f-attribute"></select></div>
<div><label for="f-value">Value</label><select id="f-value" disabled></select></div>
<div class="narrow"><label for="f-sort">Sort by</label><select id="f-sort"><option value="">plan order</option><option value="kind">action</option><option value="key">person</option><option value="place">row</option></select></div>
<div><button type="reset" id="f-clear">Clear</button></div>
</form>
"#,
    )?;
    Ok(())
}

/// Roles are written out, because a table that is laid out otherwise on a narrow screen loses those that it has.
fn begin_table(page: &mut Page<'_>) -> io::Result<()> {
    page.markup(
        r#"<table id="table" class="people" role="table" aria-labelledby="people">
<thead role="rowgroup"><tr role="row">
<th scope="col" role="columnheader" data-sort="kind" class="c-kind">Action</th>
<th scope="col" role="columnheader" data-sort="key" class="c-key">Person</th>
<th scope="col" role="columnheader" class="c-what">Before → after, and why</th>
<th scope="col" role="columnheader" data-sort="place" class="c-place">Row</th>
</tr></thead>
<tbody role="rowgroup">
"#,
    )?;
    Ok(())
}

/// One person. The script draws the same, letter by letter: `tests/browser/main.rs` holds the one against the other.
fn write_row(row: &Row<'_>, at: usize, page: &mut Page<'_>) -> io::Result<()> {
    page.markup("<tr role=\"row\" aria-rowindex=\"")?.text(&(at + 2).to_string())?;
    page.markup("\"><td class=\"c-kind ")?.markup(row.kind)?;
    page.markup("\" role=\"cell\"><span class=\"sign\" aria-hidden=\"true\">")?;
    page.text(row.sign.encode_utf8(&mut [0; 4]))?.markup("</span> ")?.markup(row.kind)?;
    if row.shows_state() {
        let state = row.state.name();
        page.markup(" <span class=\"state s-")?.markup(state)?.markup("\">")?.markup(state)?;
        page.markup("</span>")?;
    }
    page.markup("</td><th class=\"c-key\" role=\"rowheader\" scope=\"row\">")?;
    write_value(&row.key, Side::None, page)?;
    for (word, name) in row.names() {
        page.markup("<small>")?.markup(word)?.foreign(name)?.markup("</small>")?;
    }
    page.markup("</th><td class=\"c-what\" role=\"cell\">")?;
    if !row.changes.is_empty() {
        page.markup("<ul>")?;
        row.changes.iter().try_for_each(|change| write_change(change, page))?;
        page.markup("</ul>")?;
    }
    for line in &row.why {
        page.markup("<p>")?.foreign(line)?.markup("</p>")?;
    }
    page.markup("</td><td class=\"c-place\" role=\"cell\">")?;
    if let Some(line) = row.line {
        page.foreign(&row.file)?.markup(":")?.text(&line.to_string())?;
    }
    page.markup("</td></tr>\n")?;
    Ok(())
}

/// On which side of a change a value stands.
#[derive(Clone, Copy)]
enum Side {
    From,
    To,
    None,
}

fn write_change((attribute, from, to): &Changed<'_>, page: &mut Page<'_>) -> io::Result<()> {
    page.markup("<li><bdi class=\"attribute\">")?.text(attribute)?.markup("</bdi> <span>")?;
    if let Some(from) = from {
        write_value(from, Side::From, page)?;
        page.markup(" <span class=\"arrow\" role=\"img\" aria-label=\"becomes\">→</span> ")?;
    }
    write_value(to, Side::To, page)?;
    page.markup("</span></li>")?;
    Ok(())
}

/// A value; of a long one the beginning, and the whole where the reader opens it.
fn write_value(value: &str, side: Side, page: &mut Page<'_>) -> io::Result<()> {
    let class = match side {
        Side::From => " class=\"from\">",
        Side::To => " class=\"to\">",
        Side::None => ">",
    };
    let Some((end, _)) = value.char_indices().nth(SHOWN) else {
        page.markup("<bdi")?.markup(class)?.text(value)?.markup("</bdi>")?;
        return Ok(());
    };
    page.markup("<details")?.markup(class)?.markup("<summary>")?.foreign(&value[..end])?;
    page.markup("…</summary>")?.foreign(value)?.markup("</details>")?;
    Ok(())
}
