//! A report for people at a terminal. Every line stands under a sign that means the same without colour, every value is
//! made visible, and the only escape sequences are the colours that this file writes.

use std::io::{self, Write};

use crate::plan::{Action, ActionKind, Change, Finding, FindingKind};

use super::counts::{Count, counts};
use super::next::{next_steps, release_command};
use super::section::{Limit, Section, is_held};
use super::visible::{shortened, visible};
use super::words::{self, LONGEST_MESSAGE, LONGEST_NAME, transition};
use super::{Entries, Entry, Head, Outcome, Style};

pub(super) fn write(head: &Head, entries: &mut Entries<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let ink = Ink(style.color);
    write_head(head, ink, out)?;
    write_counts(head, ink, out)?;

    let mut limit = Limit::new(style.limit, |section| section);
    let mut last = None;
    for entry in entries {
        let entry = entry?;
        let section = Section::of(&entry);
        if limit.admits(section) {
            if last != Some(section) {
                writeln!(out)?;
                last = Some(section);
            }
            write_entry(head, &entry, section, style, out)?;
        }
    }
    if let Some(rest) = limit.rest() {
        writeln!(out, "\n… not shown: {rest}")?;
    }
    write_next(head, ink, out)
}

fn write_head(head: &Head, ink: Ink, out: &mut dyn Write) -> io::Result<()> {
    let summary = &head.summary;
    let title = format!("{} {} of {}", visible(&head.of), visible(&summary.run), visible(&summary.tenant));
    let at = words::moment(head.started_at);
    writeln!(out, "{}, {}, {at}: {}", ink.bold(&title), visible(&head.target), summary.outcome.words())?;
    if let Some(problem) = &summary.error {
        let text = format!("! {} error: {}", visible(&problem.kind), shortened(&problem.message, LONGEST_MESSAGE));
        writeln!(out, "{}", ink.paint(RED, &text))?;
    }
    for note in &head.notes {
        writeln!(out, "note: {}", shortened(note, LONGEST_MESSAGE))?;
    }
    writeln!(out)
}

fn write_counts(head: &Head, ink: Ink, out: &mut dyn Write) -> io::Result<()> {
    if head.is_run() {
        writeln!(out, "{}", ink.dim(&format!("  {:<12}{:>8}  {:>8}", "", "planned", "done")))?;
    }
    for Count { name, planned, applied, remark } in counts(head) {
        let applied = applied.map(|applied| format!("  {applied:>8}")).unwrap_or_default();
        let remark = remark.map(|remark| format!("  {remark}")).unwrap_or_default();
        writeln!(out, "  {name:<12}{planned:>8}{applied}{remark}")?;
    }
    Ok(())
}

fn write_entry(head: &Head, entry: &Entry, section: Section, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let ink = Ink(style.color);
    match entry {
        Entry::Action { action, outcome } => {
            let Action { action: kind, key, account, matched, source, changes, reason, warnings, .. } = action;
            let place = place(source.as_ref(), account.as_ref(), matched.as_deref());
            write_person(section, kind.name(), key, &place, ink, out)?;
            write_changes(changes, style, out)?;
            if let Some(reason) = reason {
                writeln!(out, "    because: {}", shortened(reason, LONGEST_MESSAGE))?;
            }
            for warning in warnings {
                let text = format!("warning: {}", shortened(warning, LONGEST_MESSAGE));
                writeln!(out, "    {}", ink.paint(YELLOW, &text))?;
            }
            if is_held(entry) {
                let held = head.held.iter().find(|held| held.kind == kind.name());
                let by = held.map(|held| format!(", released by: {}", release_command(head, held))).unwrap_or_default();
                writeln!(out, "    {}{by}", ink.bold("held"))?;
            }
            write_outcome(outcome.as_ref(), section, ink, out)
        }
        Entry::Finding(finding) => {
            let Finding { finding: kind, key, account, matched, source, changes, reason, .. } = finding;
            let place = place(source.as_ref(), account.as_ref(), matched.as_deref());
            // A row that nobody could read has no other name than its place.
            let place = if place == *key { "" } else { &place };
            write_person(section, kind.name(), key, place, ink, out)?;
            write_changes(changes, style, out)?;
            if reason.is_empty() { Ok(()) } else { writeln!(out, "    {}", shortened(reason, LONGEST_MESSAGE)) }
        }
    }
}

fn write_person(section: Section, kind: &str, key: &str, place: &str, ink: Ink, out: &mut dyn Write) -> io::Result<()> {
    let what = format!("{} {kind:<10}", section.sign());
    let what = ink.paint(color(section), &what);
    let gap = if place.is_empty() { "" } else { "  " };
    writeln!(out, "{what}  {}{gap}{}", ink.bold(&shortened(key, LONGEST_NAME)), ink.dim(place))
}

/// Where the row stands and which account it is: `hr.csv:12, account 4711 by login_id`.
fn place(
    source: Option<&crate::plan::Source>,
    account: Option<&crate::model::AccountId>,
    matched: Option<&str>,
) -> String {
    let row = source.map(|source| format!("{}:{}", shortened(&source.file, LONGEST_NAME), source.line));
    let by = matched.map(|rule| format!(" by {}", shortened(rule, LONGEST_NAME))).unwrap_or_default();
    let account = account.map(|id| format!("account {}{by}", shortened(id.as_str(), LONGEST_NAME)));
    row.into_iter().chain(account).collect::<Vec<_>>().join(", ")
}

fn write_changes(changes: &[Change], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    /// In less room than this values say nothing, whatever the terminal's width.
    const NARROWEST: usize = 36;
    for change in changes {
        let attribute = shortened(&change.attribute, LONGEST_NAME);
        let room = style.width.saturating_sub(attribute.chars().count() + "    : ".len());
        writeln!(out, "    {attribute}: {}", transition(change, room.max(NARROWEST)))?;
    }
    Ok(())
}

fn write_outcome(outcome: Option<&Outcome>, section: Section, ink: Ink, out: &mut dyn Write) -> io::Result<()> {
    match outcome.and_then(words::outcome) {
        Some(text) if matches!(section, Section::Failed | Section::Unknown) => {
            writeln!(out, "    {}", ink.paint(color(section), &text))
        }
        Some(text) => writeln!(out, "    {text}"),
        None => Ok(()),
    }
}

fn write_next(head: &Head, ink: Ink, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    for step in next_steps(head) {
        match step.command {
            Some(command) => writeln!(out, "{}\n    {}", step.why, ink.bold(&command))?,
            None => writeln!(out, "{}", step.why)?,
        }
    }
    Ok(())
}

/// The number of a colour in the terminal's own palette, so that it suits dark and light backgrounds alike.
type Color = u8;
const RED: Color = 31;
const GREEN: Color = 32;
const YELLOW: Color = 33;
const MAGENTA: Color = 35;
const CYAN: Color = 36;

fn color(section: Section) -> Color {
    match section {
        Section::Action(ActionKind::Create | ActionKind::Reactivate) => GREEN,
        Section::Action(ActionKind::Update) => CYAN,
        Section::Action(ActionKind::Deactivate) => YELLOW,
        Section::Action(ActionKind::Delete) | Section::Failed => RED,
        Section::Finding(FindingKind::Invalid | FindingKind::Conflict) => RED,
        Section::Unknown => MAGENTA,
        Section::Finding(_) => YELLOW,
    }
}

/// Puts text in colour, or leaves it. What is given to it has been made visible before.
#[derive(Clone, Copy)]
struct Ink(bool);

impl Ink {
    fn bold(self, text: &str) -> String {
        self.paint(1, text)
    }
    fn dim(self, text: &str) -> String {
        self.paint(2, text)
    }
    fn paint(self, code: u8, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use crate::report::samples::{quiet, rendered, rich, rich_plan};
    use crate::report::{Form, Style};

    #[test]
    fn a_run_reads_like_this() {
        insta::assert_snapshot!(rendered(rich(), Form::Text, &Style::default()), @r#"
        run r-7 of acme, imichat https://acme.imi.chat/v3.1, 2026-11-22 03:00:00 UTC: finished, but some accounts failed or are of unknown outcome

                       planned      done
          create             2         2
          update             2         1
          reactivate         1         0
          deactivate         1         0  1 held, the limit is 0
          held               1
          failed             1
          unknown            1
          unchanged       1170
          drift              1
          invalid            1
          absent             1
          requests         125       127

        + create      ana.diaz  hr.csv:2
            first_name: Ana
            phone: +34 600 111
            password: (generated)
        + create      cy.o'neil  hr.csv:4
            first_name: Cy
            adopted, the account existed already: it was created meanwhile

        ~ update      bo.li  hr.csv:3, account 4711 by login_id
            first_name: Bo → 李 Zoë
            job_description: (empty) → Lead | <b>Ops</b>\n2nd line
            skill_attributes: {"English":80} → {"English":100,"Spanish":80}

        ! update      fay.wong  hr.csv:7, account 4712 by login_id+email_id
            last_name: Wang → Wong
            failed: PATCH users/4712: email already exists (code 3111, trxid 7f-0a)

        ? reactivate  gus.ode  hr.csv:8, account 4713 by link
            status: inactive → active
            unknown, the answer was lost: timed out after 30 s

        - deactivate  dee.ray  hr.csv:9, account 4714 by login_id
            status: active → inactive
            because: the row says Terminated
            warning: has 2 open chats
            held, released by: headcount sync --approve 9f2c41

        = drift       hal.ito  hr.csv:11, account 4715 by login_id
            email_id: hal@old.example → hal@new.example
            the API cannot change email_id

        ! invalid     =E-9  hr.csv:12
            column `start`: `31.02.2026` is not a date

        o absent      old.hand  account 4716
            without a row since 2026-11-20, 2 of 3 runs

        1 account of unknown outcome: looked up before anything is sent again
            headcount resume r-7
        1 account failed: mend what the messages name, the next plan tries again
        1 account to deactivate held, the limit is 0: look at them, then release them
            headcount sync --approve 9f2c41
        1 row cannot be used: mend the export
            headcount check
        "#);
    }

    #[test]
    fn a_plan_reads_like_this() {
        insta::assert_snapshot!(rendered(rich_plan(), Form::Text, &Style { width: 60, ..Style::default() }), @r#"
        plan r-7 of acme, imichat https://acme.imi.chat/v3.1, 2026-11-22 03:00:00 UTC: planned, nothing was changed
        note: the listing shifted while it was read

          create             2
          update             2
          reactivate         1
          deactivate         1  1 held, the limit is 0
          held               1
          unchanged       1170
          drift              1
          invalid            1
          absent             1
          requests         125

        + create      ana.diaz  hr.csv:2
            first_name: Ana
            phone: +34 600 111
            password: (generated)
        + create      cy.o'neil  hr.csv:4
            first_name: Cy

        ~ update      bo.li  hr.csv:3, account 4711 by login_id
            first_name: Bo → 李 Zoë
            job_description: (empty) → Lead | <b>Ops</b>\n2nd line
            skill_attributes: {"English":80} → {"English"…anish":80}
        ~ update      fay.wong  hr.csv:7, account 4712 by login_id+email_id
            last_name: Wang → Wong

        ^ reactivate  gus.ode  hr.csv:8, account 4713 by link
            status: inactive → active

        - deactivate  dee.ray  hr.csv:9, account 4714 by login_id
            status: active → inactive
            because: the row says Terminated
            warning: has 2 open chats
            held, released by: headcount apply PLAN --approve 9f2c41

        = drift       hal.ito  hr.csv:11, account 4715 by login_id
            email_id: hal@old.example → hal@new.example
            the API cannot change email_id

        ! invalid     =E-9  hr.csv:12
            column `start`: `31.02.2026` is not a date

        o absent      old.hand  account 4716
            without a row since 2026-11-20, 2 of 3 runs

        1 account to deactivate held, the limit is 0: look at them, then release them
            headcount apply PLAN --approve 9f2c41
        5 accounts to change
            headcount apply PLAN
        1 row cannot be used: mend the export
            headcount check
        "#);
    }

    #[test]
    fn a_plan_without_changes_reads_like_this() {
        insta::assert_snapshot!(rendered(quiet(), Form::Text, &Style::default()), @"
        plan p-1 of acme, imichat https://acme.imi.chat/v3.1, 2026-11-22 03:00:00 UTC: nothing to change

          unchanged       1187
          requests         120

        Nothing to do.
        ");
    }

    #[test]
    fn a_limit_hides_successes_but_never_the_first_failures() {
        let style = Style { limit: Some(1), ..Style::default() };
        let text = rendered(rich(), Form::Text, &style);
        assert!(text.contains("… not shown: 1 create"), "{text}");
        assert!(text.contains("fay.wong") && text.contains("gus.ode"), "{text}");
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let colored = rendered(rich(), Form::Text, &Style { color: true, ..Style::default() });
        assert!(colored.contains("\x1b[32m+ create"));
        let mut plain = String::new();
        for (at, part) in colored.split('\x1b').enumerate() {
            plain.push_str(if at == 0 { part } else { part.split_once('m').unwrap().1 });
        }
        assert_eq!(plain, rendered(rich(), Form::Text, &Style::default()));
    }
}
