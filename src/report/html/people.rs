//! Everybody that a page says something of. All of them lie in the page as data, from which its script draws those that
//! are in sight; the first of them stand in the page itself, for whoever reads it without a script. Of more people than a
//! page can hold, the first of each kind stand there alone.

use std::io;

use super::page::{HtmlPage, group_digits};
use super::page_data::PageData;
use super::row::{ChangeCells, PersonRow, ValueRoom};
use crate::plan::{ActionKind, FindingKind};
use crate::report::section::{EntrySection, SectionLimit};
use crate::report::summary::SummaryOutcome;
use crate::report::words::untouched_actions;
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
    page: &mut HtmlPage<'_>,
) -> io::Result<()> {
    let (actions, findings) = expected_entries(head);
    page.write_markup("<section aria-labelledby=\"people\">\n<h2 id=\"people\" tabindex=\"-1\">People</h2>\n")?;
    let run = &head.summary.run;
    // A record without a name cannot be called by it.
    let all = (!run.is_empty()).then(|| called.whole_command(&format!("report {run} --as csv -o {run}.csv")));
    if actions > MOST || findings > MOST {
        write_first(actions + findings, entries, all.as_deref(), page)?;
    } else {
        write_all(actions + findings, entries, all.as_deref(), page)?;
    }
    page.write_markup("</section>\n")?;
    Ok(())
}

/// How many actions and findings the entries are.
fn expected_entries(head: &Head) -> (u64, u64) {
    let summary = &head.summary;
    let chosen = match summary.outcome {
        // What was not reached is among the entries.
        SummaryOutcome::Paused | SummaryOutcome::Failed => summary.planned.count_all(),
        _ if head.is_run() => summary.planned.count_all() - untouched_actions(summary).min(summary.planned.count_all()),
        _ => summary.planned.count_all(),
    };
    let kept = FindingKind::ALL.into_iter().filter(|kind| *kind != FindingKind::Unchanged);
    (chosen, kept.map(|kind| summary.found.get(kind)).sum())
}

fn write_all(people: u64, entries: &mut Entries<'_>, all: Option<&str>, page: &mut HtmlPage<'_>) -> io::Result<()> {
    let mut first = Vec::new();
    while first.len() < FIRST {
        match entries.next() {
            Some(entry) => first.push(entry?),
            None => break,
        }
    }
    write_filters(page)?;
    page.write_markup("<p class=\"count\"><output id=\"count\" aria-live=\"polite\">")?;
    page.write_text(&match people {
        0 => "Nobody is changed, and nothing was found.".to_owned(),
        1 => "1 person".to_owned(),
        people => format!("{} people", group_digits(people)),
    })?;
    page.write_markup("</output></p>\n")?;
    write_csv_hint(all, page)?;
    if first.len() == FIRST {
        page.write_markup("<noscript><p class=\"box\">Without its script the page shows the first ")?;
        page.write_number(FIRST as u64)?.write_markup(", and has no filters.</p></noscript>\n")?;
    }
    let mut room = ValueRoom::new();
    begin_table(page)?;
    for (at, entry) in first.iter().enumerate() {
        write_row(&PersonRow::from_entry(entry, &mut room), at, page)?;
    }
    page.write_markup("</tbody></table>\n")?;
    page.write_markup("<p id=\"printed\" class=\"printed\" hidden></p>\n")?;

    let (mut data, mut room) = (PageData::default(), ValueRoom::new());
    page.write_markup("<script type=\"application/json\" id=\"data\">")?;
    data.begin_object(page.stream())?;
    for entry in first.into_iter().map(Ok).chain(entries) {
        data.write_row(&PersonRow::from_entry(&entry?, &mut room), page.stream())?;
    }
    data.end_object(page.stream())?;
    page.write_markup("</script>\n")?;
    Ok(())
}

/// Where there are too many: the first changes, the first that went wrong, the first findings.
fn write_first(people: u64, entries: &mut Entries<'_>, all: Option<&str>, page: &mut HtmlPage<'_>) -> io::Result<()> {
    page.write_markup("<p class=\"count\">")?
        .write_number(people)?
        .write_markup(" people are more than one page can hold: here are the ")?;
    page.write_markup("first changes, the first that went wrong, and the first findings.</p>\n")?;
    write_csv_hint(all, page)?;
    let mut limit = SectionLimit::new(Some(FIRST), |section| match section {
        EntrySection::Action(_) => EntrySection::Action(ActionKind::Create),
        EntrySection::Failed | EntrySection::Unknown => EntrySection::Failed,
        EntrySection::Finding(_) => EntrySection::Finding(FindingKind::Drift),
    });
    let (mut room, mut at) = (ValueRoom::new(), 0);
    begin_table(page)?;
    for entry in entries {
        let entry = entry?;
        if limit.admits_one(EntrySection::from_entry(&entry)) {
            write_row(&PersonRow::from_entry(&entry, &mut room), at, page)?;
            at += 1;
        }
    }
    page.write_markup("</tbody></table>\n")?;
    if let Some(rest) = limit.hidden_counts() {
        page.write_markup("<p class=\"soft\">Not shown: ")?.write_text(&rest)?.write_markup(".</p>\n")?;
    }
    Ok(())
}

fn write_csv_hint(all: Option<&str>, page: &mut HtmlPage<'_>) -> io::Result<()> {
    if let Some(command) = all {
        page.write_markup("<p class=\"soft\">All of it as a table for a spreadsheet: ")?
            .write_command(command)?
            .write_markup("</p>\n")?;
    }
    Ok(())
}

/// The script fills in what there is to choose from.
fn write_filters(page: &mut HtmlPage<'_>) -> io::Result<()> {
    page.write_markup(
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
fn begin_table(page: &mut HtmlPage<'_>) -> io::Result<()> {
    page.write_markup(
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
fn write_row(row: &PersonRow<'_>, at: usize, page: &mut HtmlPage<'_>) -> io::Result<()> {
    page.write_markup("<tr role=\"row\" aria-rowindex=\"")?.write_text(&(at + 2).to_string())?;
    page.write_markup("\"><td class=\"c-kind ")?.write_markup(row.kind)?;
    page.write_markup("\" role=\"cell\"><span class=\"sign\" aria-hidden=\"true\">")?;
    page.write_text(row.sign.encode_utf8(&mut [0; 4]))?.write_markup("</span> ")?.write_markup(row.kind)?;
    if row.shows_state() {
        let state = row.state.name();
        page.write_markup(" <span class=\"state s-")?.write_markup(state)?.write_markup("\">")?.write_markup(state)?;
        page.write_markup("</span>")?;
    }
    page.write_markup("</td><th class=\"c-key\" role=\"rowheader\" scope=\"row\">")?;
    write_value(&row.key, Side::None, page)?;
    for (word, name) in row.shown_names() {
        page.write_markup("<small>")?.write_markup(word)?.write_foreign(name)?.write_markup("</small>")?;
    }
    page.write_markup("</th><td class=\"c-what\" role=\"cell\">")?;
    if !row.changes.is_empty() {
        page.write_markup("<ul>")?;
        row.changes.iter().try_for_each(|change| write_change(change, page))?;
        page.write_markup("</ul>")?;
    }
    for line in &row.why {
        page.write_markup("<p>")?.write_foreign(line)?.write_markup("</p>")?;
    }
    page.write_markup("</td><td class=\"c-place\" role=\"cell\">")?;
    if let Some(line) = row.line {
        page.write_foreign(&row.file)?.write_markup(":")?.write_text(&line.to_string())?;
    }
    page.write_markup("</td></tr>\n")?;
    Ok(())
}

/// On which side of a change a value stands.
#[derive(Clone, Copy)]
enum Side {
    From,
    To,
    None,
}

fn write_change((attribute, from, to): &ChangeCells<'_>, page: &mut HtmlPage<'_>) -> io::Result<()> {
    page.write_markup("<li><bdi class=\"attribute\">")?.write_text(attribute)?.write_markup("</bdi> <span>")?;
    if let Some(from) = from {
        write_value(from, Side::From, page)?;
        page.write_markup(" <span class=\"arrow\" role=\"img\" aria-label=\"becomes\">→</span> ")?;
    }
    write_value(to, Side::To, page)?;
    page.write_markup("</span></li>")?;
    Ok(())
}

/// A value; of a long one the beginning, and the whole where the reader opens it.
fn write_value(value: &str, side: Side, page: &mut HtmlPage<'_>) -> io::Result<()> {
    let class = match side {
        Side::From => " class=\"from\">",
        Side::To => " class=\"to\">",
        Side::None => ">",
    };
    let Some((end, _)) = value.char_indices().nth(SHOWN) else {
        page.write_markup("<bdi")?.write_markup(class)?.write_text(value)?.write_markup("</bdi>")?;
        return Ok(());
    };
    page.write_markup("<details")?.write_markup(class)?.write_markup("<summary>")?.write_foreign(&value[..end])?;
    page.write_markup("…</summary>")?.write_foreign(value)?.write_markup("</details>")?;
    Ok(())
}
