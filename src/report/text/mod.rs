//! A report for people at a terminal. Every line stands under a sign that means the same without colour, every value is
//! made visible, and the only escape sequences are the colours of `colors`. The numbers come last, because the end of a long
//! text is what is seen.

mod closing_lines;
mod lines;

use std::io::{self, Write};

use self::closing_lines::write_closing_lines;
use self::lines::{write_entry, write_line};
use crate::plan::FindingKind;

use super::columns::Fitted;
use super::form::{Extent, LineBreaks};
use super::next::show_command;
use super::section::{EntrySection, SectionLimit, is_held};
use super::text_colors::TextColors;
use super::words::record_title;
use super::{Entries, Entry, Head, OutcomeResult, Style};

pub(super) fn write(head: &Head, entries: &mut Entries<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    match style.lines {
        LineBreaks::Whole => write_lines(head, entries, style, out),
        LineBreaks::Fitted => {
            let mut fitted = Fitted::new(style.width, out);
            write_lines(head, entries, style, &mut fitted)?;
            fitted.flush()
        }
    }
}

fn write_lines(head: &Head, entries: &mut Entries<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = TextPage { head, style, colors: TextColors(style.color), last: None, out };
    let mut limit = SectionLimit::new(style.limit, |section| section);
    // Whoever is about to say yes must see a warning, however many actions stand before it.
    let mut warned = SectionLimit::new(style.limit.map(|most| most.max(MOST_WARNED)), |section| section);
    let mut findings = Vec::new();
    for entry in entries {
        let entry = entry?;
        let section = EntrySection::from_entry(&entry);
        match admission_of(&entry, style.extent) {
            Admission::Always => {}
            Admission::Never => continue,
            Admission::Within if is_warned(&entry, style.extent) && warned.admits_one(section) => {}
            Admission::Within if limit.admits_one(section) => {}
            Admission::Within => continue,
        }
        match (&entry, style.limit) {
            // Findings come as they were found. The few that a limit lets through are put in the order of their kinds.
            (Entry::Finding(_), Some(_)) => findings.push((section, entry)),
            _ => page.write_entry(&entry, section)?,
        }
    }
    findings.sort_by_key(|(section, _)| *section);
    for (section, entry) in &findings {
        page.write_entry(entry, *section)?;
    }
    page.write_end(limit.hidden_counts().as_deref())
}

/// How many actions with a warning a preview shows of each kind beside the others.
const MOST_WARNED: usize = 10;

fn is_warned(entry: &Entry, extent: Extent) -> bool {
    matches!((extent, entry), (Extent::Preview, Entry::Action { action, .. }) if !action.warnings.is_empty())
}

/// Whether an entry is shown.
enum Admission {
    Always,
    /// As long as there are not more of its kind than the limit.
    Within,
    Never,
}

fn admission_of(entry: &Entry, extent: Extent) -> Admission {
    use FindingKind::{Conflict, Drift, Invalid};
    match (extent, entry) {
        (Extent::Whole, _) | (Extent::Preview, Entry::Action { .. }) => Admission::Within,
        (Extent::Preview, Entry::Finding(_)) => Admission::Never,
        (Extent::Result, Entry::Action { outcome, .. }) => match outcome.as_ref().map(|outcome| outcome.result) {
            Some(OutcomeResult::Applied | OutcomeResult::Adopted | OutcomeResult::Pending) => Admission::Never,
            _ => Admission::Always,
        },
        (Extent::Result, Entry::Finding(finding)) => match finding.finding {
            Conflict | Invalid | Drift => Admission::Within,
            _ => Admission::Never,
        },
    }
}

/// A text on its way out.
struct TextPage<'p> {
    head: &'p Head,
    style: &'p Style,
    colors: TextColors,
    /// The section of the last entry; none before the first.
    last: Option<EntrySection>,
    out: &'p mut dyn Write,
}

impl TextPage<'_> {
    fn write_entry(&mut self, entry: &Entry, section: EntrySection) -> io::Result<()> {
        if self.last.is_none() {
            writeln!(self.out, "{}", self.colors.paint_bold(&record_title(self.head)))?;
        }
        if self.last != Some(section) {
            writeln!(self.out)?;
            self.last = Some(section);
        }
        match (entry, self.style.extent) {
            (Entry::Action { action, .. }, Extent::Preview) => {
                write_line(action, is_held(entry), section, self.style, self.out)
            }
            _ => write_entry(entry, section, self.style, self.out),
        }
    }

    fn write_end(self, rest: Option<&str>) -> io::Result<()> {
        let Self { head, style, last, out, .. } = self;
        if let Some(rest) = rest {
            writeln!(out, "\n… not shown: {rest}")?;
        }
        if last.is_some() || rest.is_some() {
            writeln!(out)?;
        }
        let whole = show_command(head, &style.invocation);
        let is_whole = rest.is_none() && (style.extent == Extent::Whole || head.summary.planned.count_all() == 0);
        write_closing_lines(head, style, whole.filter(|_| !is_whole).as_deref(), out)
    }
}

#[cfg(test)]
mod tests;
