//! A report that fits a pull request: counts, what is held and how to release it, the first changes; the rest is
//! counted. Nothing foreign is taken for markup: every letter that could be is written as a character reference, and
//! foreign text stands in `<code>`, where GitHub and GitLab make neither mentions nor links of it.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::plan::{ActionKind, Change, FindingKind, SourceLine};

use super::counts::{CountRow, count_rows};
use super::next::{held_steps, next_steps};
use super::record::EntryFacts;
use super::section::{EntrySection, SectionLimit, is_held};
use super::visible::{shortened, visible};
use super::words::{self, LONGEST_MESSAGE, LONGEST_NAME, change_text, unrepeated_notes};
use super::{Entries, Entry, Head, Style};

/// How many changes, how many failures and how many findings are shown where the reader does not say.
const LIMIT: usize = 50;
/// Bytes that their rows take at most together then: a comment on GitHub holds 65,536 letters.
const ROOM: usize = 48 * 1024;
/// Attributes of one entry that are shown.
const CHANGES: usize = 12;
/// Letters of the values of one change.
const VALUES: usize = 80;

pub(super) fn write(head: &Head, entries: &mut Entries<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    write_head(head, out)?;
    write_counts(head, out)?;
    write_held(head, style, out)?;

    let mut limit = SectionLimit::new(Some(style.limit.unwrap_or(LIMIT)), limit_group);
    let mut room = if style.limit.is_none() { ROOM } else { usize::MAX };
    let mut table = None;
    for entry in entries {
        let entry = entry?;
        let section = EntrySection::from_entry(&entry);
        if !limit.admits_one(section) {
            continue;
        }
        let row = entry_row(&entry, section);
        if row.len() > room {
            limit.count_hidden(section);
            continue;
        }
        room -= row.len();
        let wanted = EntryTable::from_entry(&entry);
        if table != Some(wanted) {
            wanted.write_titles_of(out)?;
            table = Some(wanted);
        }
        writeln!(out, "{row}")?;
    }
    if let Some(rest) = limit.hidden_counts() {
        writeln!(out, "\nNot shown: {rest}.")?;
    }
    write_next(head, style, out)
}

/// All changes share one limit, all that went wrong another, all findings a third.
fn limit_group(section: EntrySection) -> EntrySection {
    match section {
        EntrySection::Action(_) => EntrySection::Action(ActionKind::Create),
        EntrySection::Failed | EntrySection::Unknown => EntrySection::Failed,
        EntrySection::Finding(_) => EntrySection::Finding(FindingKind::Drift),
    }
}

fn write_head(head: &Head, out: &mut dyn Write) -> io::Result<()> {
    let summary = &head.summary;
    writeln!(out, "## headcount {} {} of {}\n", head.of.name(), code_text(&summary.run), code_text(&summary.tenant))?;
    let at = words::moment_text(head.started_at);
    writeln!(out, "{}, {at}: **{}**", code_text(&head.target), summary.outcome.status_text())?;
    if let Some(problem) = &summary.error {
        let message = shortened(&problem.message, LONGEST_MESSAGE);
        writeln!(out, "\n**{} error:** {}", problem.kind.name(), code_text(&message))?;
    }
    for note in unrepeated_notes(head) {
        writeln!(out, "\n> {}", code_text(&shortened(note, LONGEST_MESSAGE)))?;
    }
    Ok(())
}

fn write_counts(head: &Head, out: &mut dyn Write) -> io::Result<()> {
    let titles: &[&str] = if head.is_run() { &["", "planned", "done", ""] } else { &["", "planned", ""] };
    write_titles(titles, out)?;
    for CountRow { name, planned, applied, remark } in count_rows(head) {
        let remark = remark.unwrap_or_default();
        let applied = applied.map(|applied| format!(" {applied} |"));
        let applied = applied.unwrap_or_else(|| if head.is_run() { "  |".into() } else { String::new() });
        writeln!(out, "| {name} | {planned} |{applied} {remark} |")?;
    }
    Ok(())
}

fn write_held(head: &Head, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let held = held_steps(head, &style.invocation);
    if held.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### Held")?;
    write_titles(&["action", "accounts", "limit", "released by"], out)?;
    for (held, step) in held {
        let command = step.command.as_deref().map(code_text).unwrap_or_default();
        writeln!(out, "| {} | {} | {} | {command} |", held.kind.as_str(), held.count, held.limit)?;
    }
    Ok(())
}

/// The two tables of entries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EntryTable {
    Actions,
    Findings,
}

impl EntryTable {
    fn from_entry(entry: &Entry) -> Self {
        match entry {
            Entry::Action { .. } => Self::Actions,
            Entry::Finding(_) => Self::Findings,
        }
    }

    fn write_titles_of(self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Actions => {
                writeln!(out, "\n### Changes")?;
                write_titles(&["", "action", "person", "row", "changes", "outcome"], out)
            }
            Self::Findings => {
                writeln!(out, "\n### Findings")?;
                write_titles(&["", "finding", "person", "row", "difference", "reason"], out)
            }
        }
    }
}

fn write_titles(titles: &[&str], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n| {} |", titles.join(" | "))?;
    writeln!(out, "|{}", " --- |".repeat(titles.len()))
}

fn entry_row(entry: &Entry, section: EntrySection) -> String {
    let EntryFacts { kind, key, source, changes, outcome, reason, warnings, .. } = entry.facts();
    let held = is_held(entry).then(|| "**held**".to_owned());
    let outcome = outcome.and_then(words::outcome_text).map(|text| code_text(&text));
    let reason = reason.map(|text| code_text(&shortened(text, LONGEST_MESSAGE)));
    let warnings = warnings.iter().map(|text| format!("warning: {}", code_text(&shortened(text, LONGEST_MESSAGE))));
    let last: Vec<String> = held.into_iter().chain(outcome).chain(reason).chain(warnings).collect();
    let sign = escape_markdown(section.sign().encode_utf8(&mut [0; 4]));
    let key = code_text(&shortened(key, LONGEST_NAME));
    let place = source.map(source_place).unwrap_or_default();
    format!("| {sign} | {kind} | {key} | {place} | {} | {} |", cell_of(changes), last.join("<br>"))
}

fn source_place(source: &SourceLine) -> String {
    code_text(&format!("{}:{}", shortened(&source.file, LONGEST_NAME), source.line))
}

fn cell_of(changes: &[Change]) -> String {
    let line = |change: &Change| {
        let attribute = code_text(&shortened(&change.attribute, LONGEST_NAME));
        format!("{attribute}: {}", code_text(&change_text(change, VALUES)))
    };
    let mut lines: Vec<String> = changes.iter().take(CHANGES).map(line).collect();
    if changes.len() > CHANGES {
        lines.push(format!("and {} more", changes.len() - CHANGES));
    }
    lines.join("<br>")
}

fn write_next(head: &Head, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n### Next\n")?;
    for step in next_steps(head, &style.invocation) {
        let command = step.command.map(|command| format!(": {}", code_text(&command))).unwrap_or_default();
        writeln!(out, "- {}{command}", escape_markdown(&step.why))?;
    }
    Ok(())
}

/// Foreign text as code; nothing where there is none.
fn code_text(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<code>{}</code>", escape_markdown(text)) }
}

/// The visible text without anything that markdown, HTML or a forge's own extensions (mentions, links to addresses and
/// issues, emoji, formulas) give a meaning to. What means nothing where it stands stays readable in the source.
fn escape_markdown(text: &str) -> String {
    let text = visible(text);
    let mut safe = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let after = text[at + c.len_utf8()..].chars().next().unwrap_or(' ');
        let is_safe = match c {
            '&' | '<' | '>' | '|' | '`' | '*' | '[' | ']' | '\\' | '~' | '$' | '#' | '@' => false,
            // An underscore inside a name means nothing.
            '_' => before.is_alphanumeric() && after.is_alphanumeric(),
            // After a name it begins an emoji or an address, unless a number or a blank follows.
            ':' => after == ' ' || after.is_ascii_digit(),
            // `www.` is made a link.
            '.' => !text.as_bytes()[at.saturating_sub(3)..at].eq_ignore_ascii_case(b"www"),
            _ => true,
        };
        if is_safe {
            safe.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(safe, "&#{};", u32::from(c));
        }
        before = c;
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{rendered, rich, rich_plan};
    use crate::report::{Form, ProblemKind, RunRecord, SummaryProblem};

    #[test]
    fn a_run_reads_like_this() {
        insta::assert_snapshot!(rendered(rich(), Form::Markdown, &Style::default()), @r#"
        ## headcount run <code>r-7</code> of <code>acme</code>

        <code>imichat https&#58;//acme.imi.chat/v3.1</code>, 2026-11-22 03:00:00 UTC: **finished, but some accounts failed or have an unknown outcome**

        |  | planned | done |  |
        | --- | --- | --- | --- |
        | create | 2 | 2 |  |
        | update | 2 | 1 |  |
        | reactivate | 1 | 0 |  |
        | deactivate | 1 | 0 | 1 held, the limit is 0 |
        | held | 1 |  |  |
        | failed | 1 |  |  |
        | unknown | 1 |  |  |
        | unchanged | 1170 |  |  |
        | drift | 1 |  |  |
        | invalid | 1 |  |  |
        | absent | 1 |  |  |
        | requests | 125 | 127 |  |

        ### Held

        | action | accounts | limit | released by |
        | --- | --- | --- | --- |
        | deactivate | 1 | 0 | <code>headcount sync --approve 9f2c41</code> |

        ### Changes

        |  | action | person | row | changes | outcome |
        | --- | --- | --- | --- | --- | --- |
        | + | create | <code>ana.diaz</code> | <code>hr.csv:2</code> | <code>first_name</code>: <code>Ana</code><br><code>phone</code>: <code>+34 600 111</code><br><code>password</code>: <code>(generated)</code> |  |
        | + | create | <code>cy.o'neil</code> | <code>hr.csv:4</code> | <code>first_name</code>: <code>Cy</code> | <code>adopted, the account existed already: it was created meanwhile</code> |
        | &#126; | update | <code>bo.li</code> | <code>hr.csv:3</code> | <code>first_name</code>: <code>Bo → 李 Zoë</code><br><code>job_description</code>: <code>(empty) → Lead &#124; &#60;b&#62;Ops&#60;/b&#62;&#92;n2nd line</code><br><code>skill_attributes</code>: <code>English: 80 → 100, Spanish: (none) → 80</code> |  |
        | ! | update | <code>fay.wong</code> | <code>hr.csv:7</code> | <code>last_name</code>: <code>Wang → Wong</code> | <code>failed: PATCH users/4712: email already exists (code 3111, trxid 7f-0a)</code> |
        | ? | reactivate | <code>gus.ode</code> | <code>hr.csv:8</code> | <code>status</code>: <code>inactive → active</code> | <code>unknown, the answer was lost: timed out after 30 s</code> |
        | - | deactivate | <code>dee.ray</code> | <code>hr.csv:9</code> | <code>status</code>: <code>active → inactive</code> | **held**<br><code>the row says Terminated</code><br>warning: <code>has 2 open chats</code> |

        ### Findings

        |  | finding | person | row | difference | reason |
        | --- | --- | --- | --- | --- | --- |
        | = | drift | <code>hal.ito</code> | <code>hr.csv:11</code> | <code>email_id</code>: <code>hal&#64;old.example → hal&#64;new.example</code> | <code>the API cannot change email_id</code> |
        | ! | invalid | <code>=E-9</code> | <code>hr.csv:12</code> |  | <code>column &#96;start&#96;: &#96;31.02.2026&#96; is not a date</code> |
        | o | absent | <code>old.hand</code> |  |  | <code>without a row since 2026-11-20, 2 of 3 runs</code> |

        ### Next

        - 1 account of unknown outcome: looked up before anything is sent again: <code>headcount resume r-7</code>
        - 1 account failed: fix what the messages name, the next plan tries again
        - 1 account to deactivate held, the limit is 0 (safety.max_deactivate): look at them, then release them: <code>headcount sync --approve 9f2c41</code>
        - 1 row cannot be used: fix the export: <code>headcount check</code>
        "#);
    }

    #[test]
    fn a_plan_reads_like_this() {
        insta::assert_snapshot!(rendered(rich_plan(), Form::Markdown, &Style::default()), @r#"
        ## headcount plan <code>r-7</code> of <code>acme</code>

        <code>imichat https&#58;//acme.imi.chat/v3.1</code>, 2026-11-22 03:00:00 UTC: **planned, nothing was changed**

        > <code>the listing shifted while it was read</code>

        |  | planned |  |
        | --- | --- | --- |
        | create | 2 |  |
        | update | 2 |  |
        | reactivate | 1 |  |
        | deactivate | 1 | 1 held, the limit is 0 |
        | held | 1 |  |
        | unchanged | 1170 |  |
        | drift | 1 |  |
        | invalid | 1 |  |
        | absent | 1 |  |
        | requests | 125 |  |

        ### Held

        | action | accounts | limit | released by |
        | --- | --- | --- | --- |
        | deactivate | 1 | 0 | <code>headcount apply r-7 --approve 9f2c41</code> |

        ### Changes

        |  | action | person | row | changes | outcome |
        | --- | --- | --- | --- | --- | --- |
        | + | create | <code>ana.diaz</code> | <code>hr.csv:2</code> | <code>first_name</code>: <code>Ana</code><br><code>phone</code>: <code>+34 600 111</code><br><code>password</code>: <code>(generated)</code> |  |
        | + | create | <code>cy.o'neil</code> | <code>hr.csv:4</code> | <code>first_name</code>: <code>Cy</code> |  |
        | &#126; | update | <code>bo.li</code> | <code>hr.csv:3</code> | <code>first_name</code>: <code>Bo → 李 Zoë</code><br><code>job_description</code>: <code>(empty) → Lead &#124; &#60;b&#62;Ops&#60;/b&#62;&#92;n2nd line</code><br><code>skill_attributes</code>: <code>English: 80 → 100, Spanish: (none) → 80</code> |  |
        | &#126; | update | <code>fay.wong</code> | <code>hr.csv:7</code> | <code>last_name</code>: <code>Wang → Wong</code> |  |
        | ^ | reactivate | <code>gus.ode</code> | <code>hr.csv:8</code> | <code>status</code>: <code>inactive → active</code> |  |
        | - | deactivate | <code>dee.ray</code> | <code>hr.csv:9</code> | <code>status</code>: <code>active → inactive</code> | **held**<br><code>the row says Terminated</code><br>warning: <code>has 2 open chats</code> |

        ### Findings

        |  | finding | person | row | difference | reason |
        | --- | --- | --- | --- | --- | --- |
        | = | drift | <code>hal.ito</code> | <code>hr.csv:11</code> | <code>email_id</code>: <code>hal&#64;old.example → hal&#64;new.example</code> | <code>the API cannot change email_id</code> |
        | ! | invalid | <code>=E-9</code> | <code>hr.csv:12</code> |  | <code>column &#96;start&#96;: &#96;31.02.2026&#96; is not a date</code> |
        | o | absent | <code>old.hand</code> |  |  | <code>without a row since 2026-11-20, 2 of 3 runs</code> |

        ### Next

        - 1 account to deactivate held, the limit is 0 (safety.max_deactivate): look at them, then release them: <code>headcount apply r-7 --approve 9f2c41</code>
        - 5 accounts to change: <code>headcount apply r-7</code>
        - 1 row cannot be used: fix the export: <code>headcount check</code>
        "#);
    }

    #[test]
    fn no_command_is_named_that_would_be_refused() {
        let mut head = rich_plan().head;
        head.against = Some("accounts.csv".into());
        let text = rendered(RunRecord::from_parts(head, std::iter::empty()), Form::Markdown, &Style::default());
        assert!(text.contains("| deactivate | 1 | 0 |  |") && !text.contains("--approve"), "{text}");

        let mut head = rich_plan().head;
        head.summary.error =
            Some(SummaryProblem { kind: ProblemKind::Safety, message: "too few rows".into(), hint: None });
        let text = rendered(RunRecord::from_parts(head, std::iter::empty()), Form::Markdown, &Style::default());
        assert!(!text.contains("### Held") && !text.contains("--approve"), "{text}");
    }

    #[test]
    fn a_report_of_any_size_fits_a_comment_and_counts_the_rest() {
        let wordy = |seq: u64, outcome: &str| {
            let changes: Vec<_> = (0..40)
                .map(|at| serde_json::json!({"attribute": format!("attribute_{at}"), "from": "<>".repeat(500), "to": at}))
                .collect();
            let action = serde_json::json!({"seq": seq, "action": "update", "key": "x".repeat(500), "changes": changes,
                "requests": 1, "held": false, "outcome": {"result": outcome, "message": "|".repeat(5000)}});
            serde_json::from_value(action).map_err(Into::into)
        };
        let entries = (1..=200).map(|seq| wordy(seq, if seq % 2 == 0 { "applied" } else { "failed" }));
        let text = rendered(RunRecord::from_parts(rich().head, entries), Form::Markdown, &Style::default());
        assert!(text.len() < 65_536, "{} bytes", text.len());
        let shown = text.lines().filter(|line| line.contains(" | update | ")).count();
        let counts = text.lines().find_map(|line| line.strip_prefix("Not shown: ")).unwrap();
        let hidden: usize = counts.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<usize>().ok()).sum();
        assert!(shown > 5);
        assert_eq!(shown + hidden, 200);
    }

    #[test]
    fn the_first_fifty_changes_and_the_first_fifty_failures_are_shown() {
        let action = |seq: u64| {
            let kind = if seq <= 30 { "create" } else { "update" };
            let outcome = if seq > 120 { "failed" } else { "applied" };
            let action = serde_json::json!({"seq": seq, "action": kind, "key": seq.to_string(), "changes": [],
                "requests": 1, "held": false, "outcome": {"result": outcome}});
            serde_json::from_value(action).map_err(Into::into)
        };
        let text =
            rendered(RunRecord::from_parts(rich().head, (1..=130).map(action)), Form::Markdown, &Style::default());
        assert!(text.contains("<code>50</code>") && !text.contains("<code>51</code>"), "{text}");
        assert!(text.contains("<code>121</code>") && text.contains("<code>130</code>"), "{text}");
        assert!(text.contains("\nNot shown: 70 update.\n"), "{text}");
    }

    #[test]
    fn foreign_text_is_never_markup_and_names_stay_readable() {
        assert_eq!(escape_markdown("job_description hr.csv:12"), "job_description hr.csv:12");
        assert_eq!(escape_markdown("<b>|`*_x_"), "&#60;b&#62;&#124;&#96;&#42;&#95;x&#95;");
        assert_eq!(escape_markdown("@all #1 www.x.org http://x"), "&#64;all &#35;1 www&#46;x.org http&#58;//x");
        assert_eq!(escape_markdown("a\nb"), "a&#92;nb");
    }
}
