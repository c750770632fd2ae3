//! A report for people at a terminal. Every line stands under a sign that means the same without colour, every value is
//! made visible, and the only escape sequences are the colours of `ink`. The numbers come last, because the end of a long
//! text is what is seen.

use std::io::{self, Write};

use crate::plan::{Action, ActionKind, Change, Finding, FindingKind};

use super::form::Extent;
use super::ink::{CYAN, GREEN, Ink, MAGENTA, RED, YELLOW};
use super::next::whole_command;
use super::section::{Limit, Section, is_held};
use super::visible::{shortened, visible};
use super::words::{self, LONGEST_MESSAGE, LONGEST_NAME, transition};
use super::{Entries, Entry, Head, Outcome, OutcomeResult, Style, closing};

pub(super) fn write(head: &Head, entries: &mut Entries<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { head, style, ink: Ink(style.color), last: None, out };
    let mut limit = Limit::new(style.limit, |section| section);
    // Whoever is about to say yes must see a warning, however many actions stand before it.
    let mut warned = Limit::new(style.limit.map(|most| most.max(MOST_WARNED)), |section| section);
    let mut findings = Vec::new();
    for entry in entries {
        let entry = entry?;
        let section = Section::of(&entry);
        match admission(&entry, style.extent) {
            Admission::Always => {}
            Admission::Never => continue,
            Admission::Within if is_warned(&entry, style.extent) && warned.admits(section) => {}
            Admission::Within if limit.admits(section) => {}
            Admission::Within => continue,
        }
        match (&entry, style.limit) {
            // Findings come as they were found. The few that a limit lets through are put in the order of their kinds.
            (Entry::Finding(_), Some(_)) => findings.push((section, entry)),
            _ => page.entry(&entry, section)?,
        }
    }
    findings.sort_by_key(|(section, _)| *section);
    for (section, entry) in &findings {
        page.entry(entry, *section)?;
    }
    page.end(limit.rest().as_deref())
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

fn admission(entry: &Entry, extent: Extent) -> Admission {
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
struct Page<'p> {
    head: &'p Head,
    style: &'p Style,
    ink: Ink,
    /// The section of the last entry; none before the first.
    last: Option<Section>,
    out: &'p mut dyn Write,
}

impl Page<'_> {
    fn entry(&mut self, entry: &Entry, section: Section) -> io::Result<()> {
        if self.last.is_none() {
            writeln!(self.out, "{}", self.ink.bold(&closing::title(self.head)))?;
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

    fn end(self, rest: Option<&str>) -> io::Result<()> {
        let Self { head, style, last, out, .. } = self;
        if let Some(rest) = rest {
            writeln!(out, "\n… not shown: {rest}")?;
        }
        if last.is_some() || rest.is_some() {
            writeln!(out)?;
        }
        let is_whole = rest.is_none() && (style.extent == Extent::Whole || head.summary.planned.total() == 0);
        closing::write(head, style, whole_command(head).filter(|_| !is_whole).as_deref(), out)
    }
}

/// An action on one line, with as much of its changes as fits.
fn write_line(action: &Action, is_held: bool, section: Section, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    /// In less room than this a change says nothing.
    const NARROWEST: usize = 16;
    let Action { action: kind, key, account, source, changes, warnings, .. } = action;
    let ink = Ink(style.color);
    // How the account was found stands in the whole report.
    let account = account.as_ref().filter(|_| source.is_none());
    let mut place = place(source.as_ref(), account, None);
    if is_held {
        place.push_str("  held");
    }
    let person = shortened(key, LONGEST_NAME);
    let takes = "+ reactivate    ".len() + person.chars().count() + place.chars().count();
    let room = style.width.saturating_sub(takes + 2);
    // Of a new account every attribute is new.
    if *kind != ActionKind::Create && room >= NARROWEST {
        let said =
            |change: &Change| format!("{}: {}", shortened(&change.attribute, LONGEST_NAME), transition(change, room));
        let all = changes.iter().map(said).collect::<Vec<_>>().join("; ");
        let names = || changes.iter().map(|change| visible(&change.attribute)).collect::<Vec<_>>().join(", ");
        let what = if all.chars().count() <= room { all } else { shortened(&names(), room).into_owned() };
        if !what.is_empty() {
            place = format!("{place}  {what}");
        }
    }
    write_person(section, kind.name(), key, &place, ink, out)?;
    write_warnings(warnings, ink, out)
}

fn write_entry(entry: &Entry, section: Section, style: &Style, out: &mut dyn Write) -> io::Result<()> {
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
            write_warnings(warnings, ink, out)?;
            if is_held(entry) {
                writeln!(out, "    {}", ink.bold("held"))?;
            }
            write_outcome(outcome.as_ref(), section, ink, out)
        }
        Entry::Finding(finding) => {
            let Finding { finding: kind, key, account, matched, source, changes, reason, .. } = finding;
            let place = place(source.as_ref(), account.as_ref(), matched.as_deref());
            // A row of which nothing but its place is known goes by that.
            let place = if place == shortened(key, LONGEST_NAME) { "" } else { &place };
            write_person(section, kind.name(), key, place, ink, out)?;
            write_changes(changes, style, out)?;
            if reason.is_empty() { Ok(()) } else { writeln!(out, "    {}", shortened(reason, LONGEST_MESSAGE)) }
        }
    }
}

fn write_warnings(warnings: &[String], ink: Ink, out: &mut dyn Write) -> io::Result<()> {
    for warning in warnings {
        let text = format!("warning: {}", shortened(warning, LONGEST_MESSAGE));
        writeln!(out, "    {}", ink.paint(YELLOW, &text))?;
    }
    Ok(())
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

fn color(section: Section) -> u8 {
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

#[cfg(test)]
mod tests {
    use crate::report::samples::{quiet, rendered, rich, rich_plan};
    use crate::report::{Extent, Form, RunRecord, Style};

    #[test]
    fn a_run_reads_like_this() {
        insta::assert_snapshot!(rendered(rich(), Form::Text, &Style::default()), @r#"
        run r-7 of acme

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
            held

        = drift       hal.ito  hr.csv:11, account 4715 by login_id
            email_id: hal@old.example → hal@new.example
            the API cannot change email_id

        ! invalid     =E-9  hr.csv:12
            column `start`: `31.02.2026` is not a date

        o absent      old.hand  account 4716
            without a row since 2026-11-20, 2 of 3 runs

        run r-7 of acme: finished, but some accounts failed or are of unknown outcome
        imichat https://acme.imi.chat/v3.1, 2026-11-22 03:00:00 UTC

                     planned      done
          create           2         2
          update           2         1
          reactivate       1         0
          deactivate       1         0  1 held, the limit is 0
          not done    1 held, 1 failed, 1 unknown
          found       1170 unchanged, 1 drift, 1 invalid, 1 absent
          requests    127 sent, 125 estimated: 1 auth, 119 list, 1 lookup, 6 write; 2 of them repeats
          quota       9863 of 10000 left, resets at 2026-11-23 00:00:00 UTC
          took        31.2 s

        1 account of unknown outcome: looked up before anything is sent again
            headcount resume r-7
        1 account failed: mend what the messages name, the next plan tries again
        1 account to deactivate held, the limit is 0 (safety.max_deactivate): look at them, then release them
            headcount sync --approve 9f2c41
        1 row cannot be used: mend the export
            headcount check
        "#);
    }

    #[test]
    fn a_plan_reads_like_this() {
        insta::assert_snapshot!(rendered(rich_plan(), Form::Text, &Style { width: 60, ..Style::default() }), @r#"
        plan r-7 of acme

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
            held

        = drift       hal.ito  hr.csv:11, account 4715 by login_id
            email_id: hal@old.example → hal@new.example
            the API cannot change email_id

        ! invalid     =E-9  hr.csv:12
            column `start`: `31.02.2026` is not a date

        o absent      old.hand  account 4716
            without a row since 2026-11-20, 2 of 3 runs

        plan r-7 of acme: planned, nothing was changed
        imichat https://acme.imi.chat/v3.1, 2026-11-22 03:00:00 UTC
        note: the listing shifted while it was read

          create           2
          update           2
          reactivate       1
          deactivate       1  1 held, the limit is 0
          held        1
          found       1170 unchanged, 1 drift, 1 invalid, 1 absent
          requests    127 sent, 125 estimated: 1 auth, 119 list,
                      1 lookup, 6 write; 2 of them repeats
          quota       9863 of 10000 left,
                      resets at 2026-11-23 00:00:00 UTC
          took        31.2 s

        1 account to deactivate held, the limit is 0 (safety.max_deactivate): look at them, then release them
            headcount apply r-7 --approve 9f2c41
        5 accounts to change
            headcount apply r-7
        1 row cannot be used: mend the export
            headcount check
        "#);
    }

    #[test]
    fn a_plan_without_changes_reads_like_this() {
        insta::assert_snapshot!(rendered(quiet(), Form::Text, &Style::default()), @r#"
        plan p-1 of acme: nothing to change
        imichat https://acme.imi.chat/v3.1, 2026-11-22 03:00:00 UTC

          found       1187 unchanged
          requests    120 sent, 120 estimated: 1 auth, 119 list
          took        24.1 s

        Nothing to do.
        "#);
    }

    #[test]
    fn before_a_run_each_action_is_a_line() {
        let style = Style { extent: Extent::Preview, limit: Some(1), width: 80, ..Style::default() };
        insta::assert_snapshot!(rendered(rich_plan(), Form::Text, &style), @r#"
        plan r-7 of acme

        + create      ana.diaz  hr.csv:2

        ~ update      bo.li  hr.csv:3  first_name, job_description, skill_attributes

        ^ reactivate  gus.ode  hr.csv:8  status: inactive → active

        - deactivate  dee.ray  hr.csv:9  held  status: active → inactive
            warning: has 2 open chats

        … not shown: 1 create, 1 update

        plan r-7 of acme: planned, nothing was changed yet
        imichat https://acme.imi.chat/v3.1, 2026-11-22 03:00:00 UTC
        note: the listing shifted while it was read

          create           2
          update           2
          reactivate       1
          deactivate       1  1 held, the limit is 0
          held        1
          found       1170 unchanged, 1 drift, 1 invalid, 1 absent
          requests    127 sent, 125 estimated: 1 auth, 119 list, 1 lookup,
                      6 write; 2 of them repeats
          quota       9863 of 10000 left, resets at 2026-11-23 00:00:00 UTC
          took        31.2 s
          all of it   headcount report r-7
        "#);
    }

    #[test]
    fn a_preview_hides_no_warning_behind_its_limit() {
        let RunRecord { head, entries, .. } = rich_plan();
        let mut entries: Vec<_> = entries.map(Result::unwrap).collect();
        let mut unwarned = entries[5].clone();
        if let super::Entry::Action { action, .. } = &mut unwarned {
            action.warnings.clear();
        }
        entries.splice(5..5, [unwarned.clone(), unwarned]);
        let style = Style { extent: Extent::Preview, limit: Some(1), ..Style::default() };
        let text = rendered(RunRecord::from_parts(head, entries.into_iter().map(Ok)), Form::Text, &style);
        assert!(text.contains("warning: has 2 open chats"), "{text}");
        assert!(text.contains("1 deactivate"), "{text}");
    }

    #[test]
    fn after_a_run_what_was_not_done_is_told_and_the_rest_is_counted() {
        let style = Style { extent: Extent::Result, limit: Some(10), width: 80, ..Style::default() };
        insta::assert_snapshot!(rendered(rich(), Form::Text, &style), @r#"
        run r-7 of acme

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
            held

        = drift       hal.ito  hr.csv:11, account 4715 by login_id
            email_id: hal@old.example → hal@new.example
            the API cannot change email_id

        ! invalid     =E-9  hr.csv:12
            column `start`: `31.02.2026` is not a date

        run r-7 of acme: finished, but some accounts failed or are of unknown outcome
        imichat https://acme.imi.chat/v3.1, 2026-11-22 03:00:00 UTC

                     planned      done
          create           2         2
          update           2         1
          reactivate       1         0
          deactivate       1         0  1 held, the limit is 0
          not done    1 held, 1 failed, 1 unknown
          found       1170 unchanged, 1 drift, 1 invalid, 1 absent
          requests    127 sent, 125 estimated: 1 auth, 119 list, 1 lookup,
                      6 write; 2 of them repeats
          quota       9863 of 10000 left, resets at 2026-11-23 00:00:00 UTC
          took        31.2 s
          all of it   headcount show r-7

        1 account of unknown outcome: looked up before anything is sent again
            headcount resume r-7
        1 account failed: mend what the messages name, the next plan tries again
        1 account to deactivate held, the limit is 0 (safety.max_deactivate): look at them, then release them
            headcount sync --approve 9f2c41
        1 row cannot be used: mend the export
            headcount check
        "#);
    }

    #[test]
    fn no_limit_hides_what_was_not_done() {
        let RunRecord { head, entries, .. } = rich();
        let entries: Vec<_> = entries.map(Result::unwrap).collect();
        let many = entries.iter().cycle().take(30 * entries.len()).cloned().map(Ok);
        let style = Style { extent: Extent::Result, limit: Some(2), ..Style::default() };
        let text = rendered(RunRecord::from_parts(head, many), Form::Text, &style);
        for (line, times) in [
            ("! update      fay.wong", 30),
            ("? reactivate  gus.ode", 30),
            ("- deactivate  dee.ray", 30),
            ("! invalid ", 2),
        ] {
            assert_eq!(text.matches(line).count(), times, "{line} in {text}");
        }
        assert!(text.contains("… not shown: 28 drift, 28 invalid"), "{text}");
    }

    #[test]
    fn findings_within_a_limit_stand_together_by_their_kind() {
        let RunRecord { head, entries, .. } = rich();
        let findings: Vec<_> = entries.map(Result::unwrap).skip(6).collect();
        let mixed = findings.iter().chain(&findings).cloned().map(Ok);
        let style = Style { limit: Some(5), ..Style::default() };
        let text = rendered(RunRecord::from_parts(head, mixed), Form::Text, &style);
        assert!(text.find("! invalid").unwrap() > text.rfind("= drift").unwrap(), "{text}");
    }

    #[test]
    fn a_row_known_by_its_place_names_it_once() {
        let RunRecord { head, entries, .. } = rich();
        let mut invalid = entries.map(Result::unwrap).nth(7).unwrap();
        if let super::Entry::Finding(finding) = &mut invalid {
            finding.key = "hr.csv:12".into();
        }
        let text = rendered(RunRecord::from_parts(head, [Ok(invalid)].into_iter()), Form::Text, &Style::default());
        assert!(text.contains("! invalid     hr.csv:12\n"), "{text}");
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
