//! One entry of a text: an action on a single line or with all that is known of it, a finding.

use std::io::{self, Write};

use crate::plan::{Action, ActionKind, Change, FindingKind, SourceLine};
use crate::report::columns::text_width;
use crate::report::record::EntryFacts;
use crate::report::section::{EntrySection, is_held};
use crate::report::text_colors::{CYAN, GREEN, MAGENTA, RED, TextColors, YELLOW};
use crate::report::visible::{shortened, visible};
use crate::report::words::{self, LONGEST_MESSAGE, LONGEST_NAME, change_text};
use crate::report::wrapping::{is_narrow, write_wrapped};
use crate::report::{ActionOutcome, Entry, Style};

/// An action on one line, with as much of its changes as fits.
pub(super) fn write_line(
    action: &Action,
    is_held: bool,
    section: EntrySection,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    /// In less room than this a change says nothing.
    const NARROWEST: usize = 16;
    let Action { action: kind, key, account, source, changes, warnings, .. } = action;
    // How the account was found stands in the whole report.
    let account = account.as_ref().filter(|_| source.is_none()).map(|id| id.as_str());
    let mut place = entry_place(source.as_ref(), account, None);
    if is_held {
        place.push_str("  held");
    }
    let person = shortened(key, LONGEST_NAME);
    let takes = "+ reactivate    ".len() + text_width(&person) + text_width(&place);
    let room = style.width.saturating_sub(takes + 2);
    // Of a new account every attribute is new.
    if *kind != ActionKind::Create && room >= NARROWEST {
        let said =
            |change: &Change| format!("{}: {}", shortened(&change.attribute, LONGEST_NAME), change_text(change, room));
        let all = changes.iter().map(said).collect::<Vec<_>>().join("; ");
        let names = || changes.iter().map(|change| visible(&change.attribute)).collect::<Vec<_>>().join(", ");
        let what = if text_width(&all) <= room { all } else { shortened(&names(), room).into_owned() };
        if !what.is_empty() {
            place = format!("{place}  {what}");
        }
    }
    write_person(section, kind.as_str(), key, &place, style, out)?;
    write_warnings(warnings, style, out)
}

pub(super) fn write_entry(entry: &Entry, section: EntrySection, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let EntryFacts { kind, key, account, matched, source, changes, outcome, reason, warnings, .. } = entry.facts();
    let place = entry_place(source, account, matched);
    // A row of which nothing but its place is known goes by that.
    let place = if place == shortened(key, LONGEST_NAME) { "" } else { &place };
    write_person(section, kind, key, place, style, out)?;
    write_changes(changes, style, out)?;
    if let Some(reason) = reason {
        let because = if matches!(entry, Entry::Action { .. }) { "because: " } else { "" };
        write_below(&format!("{because}{}", shortened(reason, LONGEST_MESSAGE)), style, str::to_owned, out)?;
    }
    write_warnings(warnings, style, out)?;
    if is_held(entry) {
        writeln!(out, "    {}", TextColors(style.color).paint_bold("held"))?;
    }
    write_outcome(outcome, section, style, out)
}

fn write_warnings(warnings: &[String], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for warning in warnings {
        let text = format!("warning: {}", shortened(warning, LONGEST_MESSAGE));
        write_below(&text, style, |line| TextColors(style.color).paint_color(YELLOW, line), out)?;
    }
    Ok(())
}

fn write_person(
    section: EntrySection,
    kind: &str,
    key: &str,
    place: &str,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let colors = TextColors(style.color);
    if is_narrow(style.width) {
        let what = format!("{} {kind}", section.sign());
        writeln!(out, "{}", colors.paint_color(section_color(section), &what))?;
        writeln!(out, "    {}", colors.paint_bold(&shortened(key, LONGEST_NAME)))?;
        return if place.is_empty() { Ok(()) } else { write_below(place, style, |line| colors.paint_dim(line), out) };
    }
    let what = format!("{} {kind:<10}", section.sign());
    let what = colors.paint_color(section_color(section), &what);
    let gap = if place.is_empty() { "" } else { "  " };
    writeln!(out, "{what}  {}{gap}{}", colors.paint_bold(&shortened(key, LONGEST_NAME)), colors.paint_dim(place))
}

/// A line that belongs to the one above it.
fn write_below(text: &str, style: &Style, paint: impl Fn(&str) -> String, out: &mut dyn Write) -> io::Result<()> {
    write_wrapped(text, style.width, 4, paint, out)
}

/// Where the row stands and which account it is: `hr.csv:12, account 4711 by login_id`.
fn entry_place(source: Option<&SourceLine>, account: Option<&str>, matched: Option<&str>) -> String {
    let row = source.map(|source| format!("{}:{}", shortened(&source.file, LONGEST_NAME), source.line));
    let by = matched.map(|rule| format!(" by {}", shortened(rule, LONGEST_NAME))).unwrap_or_default();
    let account = account.map(|id| format!("account {}{by}", shortened(id, LONGEST_NAME)));
    row.into_iter().chain(account).collect::<Vec<_>>().join(", ")
}

fn write_changes(changes: &[Change], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    /// In less room than this values say nothing, whatever the terminal's width.
    const NARROWEST: usize = 36;
    for change in changes {
        let attribute = shortened(&change.attribute, LONGEST_NAME);
        let room = style.width.saturating_sub(text_width(&attribute) + "    : ".len());
        writeln!(out, "    {attribute}: {}", change_text(change, room.max(NARROWEST)))?;
    }
    Ok(())
}

fn write_outcome(
    outcome: Option<&ActionOutcome>,
    section: EntrySection,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    match outcome.and_then(words::outcome_text) {
        Some(text) if matches!(section, EntrySection::Failed | EntrySection::Unknown) => {
            write_below(&text, style, |line| TextColors(style.color).paint_color(section_color(section), line), out)
        }
        Some(text) => write_below(&text, style, str::to_owned, out),
        None => Ok(()),
    }
}

fn section_color(section: EntrySection) -> u8 {
    match section {
        EntrySection::Action(ActionKind::Create | ActionKind::Reactivate) => GREEN,
        EntrySection::Action(ActionKind::Update) => CYAN,
        EntrySection::Action(ActionKind::Deactivate) => YELLOW,
        EntrySection::Action(ActionKind::Delete) | EntrySection::Failed => RED,
        EntrySection::Finding(FindingKind::Invalid | FindingKind::Conflict) => RED,
        EntrySection::Unknown => MAGENTA,
        EntrySection::Finding(_) => YELLOW,
    }
}
