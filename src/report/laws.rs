//! What holds for every form, whatever text stands in a record.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::record::HeldKind;
use super::samples::{quiet, rendered, rich};
use super::{ActionOutcome, Entry, Form, Head, OutcomeResult, ProblemKind, RunRecord, Style, SummaryProblem, render};
use crate::model::{AccountId, Secret, Value};
use crate::plan::safety::ActionGroup;
use crate::plan::{Action, ActionKind, Change, Finding, FindingKind, SourceLine};

/// Text that means to do harm, and text that does not know that it does.
fn nasty() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "\x1b[2J",
        "\x1b]0;x\x07",
        "\u{9b}31m",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "\0",
        "\u{7f}",
        "\u{202e}",
        "\u{200f}",
        "\u{2028}",
        "|",
        "\\",
        "\\|",
        "`",
        "```",
        "<script>",
        "<!--",
        "&lt;",
        "*",
        "_",
        "#",
        "\n| a |",
        "\n\n## x",
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\"",
        "'",
        ",",
        ";",
        "\u{feff}",
        "Zoë",
        "李",
        "🙂",
        "…",
        " ",
        "word",
    ]);
    prop_oneof![vec(pieces, 0..5).prop_map(|pieces| pieces.concat()), any::<String>()]
}

/// No strategy makes this text but as a secret.
const SECRET_TEXT: &str = "correct horse battery staple";

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        nasty().prop_map(Value::text),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
        Just(Value::Generated),
        Just(Value::Secret(Secret::new(SECRET_TEXT))),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::List),
            btree_map(nasty(), inner, 0..3).prop_map(Value::Object)
        ]
    })
}

fn change() -> impl Strategy<Value = Change> {
    (nasty(), option::of(value()), value()).prop_map(|(attribute, from, to)| Change { attribute, from, to })
}

fn source() -> impl Strategy<Value = Option<SourceLine>> {
    option::of((nasty(), any::<u32>()).prop_map(|(file, line)| SourceLine { file, line }))
}

fn outcome() -> impl Strategy<Value = ActionOutcome> {
    use OutcomeResult::{Adopted, Applied, Failed, Held, Pending, Skipped, Unknown};
    let result = select(vec![Applied, Adopted, Failed, Skipped, Unknown, Held, Pending]);
    (result, option::of(nasty()), option::of(any::<u32>()), option::of(nasty()))
        .prop_map(|(result, message, code, trxid)| ActionOutcome { result, message, code, trxid, at: None })
}

fn action() -> impl Strategy<Value = Entry> {
    let person = (nasty(), option::of(nasty()), option::of(nasty().prop_map(AccountId)), option::of(nasty()), source());
    let work = (select(ActionKind::ALL.to_vec()), vec(change(), 0..4), btree_map(nasty(), value(), 0..2));
    let rest = (option::of(nasty()), vec(nasty(), 0..2), any::<bool>(), option::of(outcome()));
    (person, work, rest).prop_map(|((key, identity, account, matched, source), (action, changes, also), rest)| {
        let (reason, warnings, held, outcome) = rest;
        let action = Action {
            seq: 1,
            action,
            key,
            identity,
            account,
            matched,
            source,
            changes,
            also,
            about: BTreeMap::new(),
            active: None,
            reason,
            warnings,
            requests: 1,
            held,
        };
        Entry::Action { action, outcome }
    })
}

fn finding() -> impl Strategy<Value = Entry> {
    let person = (nasty(), option::of(nasty()), option::of(nasty().prop_map(AccountId)), option::of(nasty()), source());
    (select(FindingKind::ALL.to_vec()), person, vec(change(), 0..3), nasty()).prop_map(
        |(finding, (key, identity, account, matched, source), changes, reason)| {
            Entry::Finding(Finding { finding, key, identity, account, matched, source, changes, reason })
        },
    )
}

pub(super) fn head() -> impl Strategy<Value = Head> {
    let texts = (nasty(), nasty(), nasty(), vec(nasty(), 0..2), option::of((nasty(), option::of(nasty()))));
    let held = option::of((select(ActionGroup::ALL.to_vec()), nasty()));
    (any::<bool>(), texts, held).prop_map(|(is_run, (run, tenant, target, notes, error), held)| {
        let mut head = if is_run { rich().head } else { quiet().head };
        (head.summary.run, head.summary.tenant, head.target, head.notes) = (run, tenant, target, notes);
        head.held.extend(held.map(|(kind, approve)| HeldKind { kind, count: 2, limit: 1, approve }));
        head.summary.error = error.map(|(message, hint)| SummaryProblem { kind: ProblemKind::Target, message, hint });
        head
    })
}

pub(super) fn entries() -> impl Strategy<Value = Vec<Entry>> {
    (vec(action(), 0..5), vec(finding(), 0..3)).prop_map(|(actions, findings)| [actions, findings].concat())
}

fn show(head: &Head, entries: &[Entry], form: Form, style: &Style) -> String {
    rendered(RunRecord::from_parts(head.clone(), entries.iter().cloned().map(Ok)), form, style)
}

fn changes_of(entry: &Entry) -> &[Change] {
    match entry {
        Entry::Action { action, .. } => &action.changes,
        Entry::Finding(finding) => &finding.changes,
    }
}

proptest! {
    #[test]
    fn csv_has_a_line_for_each_change_and_no_formula(head in head(), entries in entries()) {
        let text = show(&head, &entries, Form::Csv, &Style::default());
        let mut table = ::csv::Reader::from_reader(text.as_bytes());
        let lines: Vec<_> = table.records().collect::<Result<_, _>>().unwrap();
        let wanted: usize = entries.iter().map(|entry| changes_of(entry).len().max(1)).sum();
        prop_assert_eq!(lines.len(), wanted);
        prop_assert!(lines.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])));
    }

    #[test]
    fn csv_cells_hold_the_text_as_it_is(key in nasty(), reason in nasty()) {
        let finding = Finding {
            finding: FindingKind::Invalid, key: key.clone(), identity: None, account: None, matched: None, source: None,
            changes: Vec::new(), reason: reason.clone(),
        };
        let text = show(&quiet().head, &[Entry::Finding(finding)], Form::Csv, &Style::default());
        let line = ::csv::Reader::from_reader(text.as_bytes()).into_records().next().unwrap().unwrap();
        for (cell, wanted) in [(&line[2], key), (&line[16], reason)] {
            prop_assert!(cell == wanted || cell.strip_prefix('\'') == Some(wanted.as_str()), "{:?} {:?}", cell, wanted);
        }
    }

    #[test]
    fn json_parses_and_has_every_entry(head in head(), entries in entries()) {
        let text = show(&head, &entries, Form::Json, &Style::default());
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        // Through text as well, because reading a float back can differ in its last bit.
        let parsed = |entry| serde_json::from_str(&serde_json::to_string(entry).unwrap()).unwrap();
        let wanted: Vec<serde_json::Value> = entries.iter().map(parsed).collect();
        prop_assert_eq!(json["entries"].as_array(), Some(&wanted));
        prop_assert_eq!(&json["summary"]["run"], &serde_json::Value::from(head.summary.run));
    }

    #[test]
    fn text_holds_no_control_character_of_others(head in head(), entries in entries(), width in 0usize..120) {
        let style = Style { width, ..Style::default() };
        let plain = show(&head, &entries, Form::Text, &style);
        prop_assert!(plain.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", plain);
        let hidden = ['\u{202e}', '\u{200f}', '\u{2028}', '\u{feff}'];
        prop_assert!(!plain.contains(hidden), "{:?}", plain);

        let colored = show(&head, &entries, Form::Text, &Style { color: true, ..style });
        let ours = ["1", "2", "31", "32", "33", "35", "36", "0"];
        for sequence in colored.split('\x1b').skip(1) {
            let code = sequence.strip_prefix('[').and_then(|rest| rest.split_once('m')).map(|(code, _)| code);
            prop_assert!(code.is_some_and(|code| ours.contains(&code)), "{:?}", sequence);
        }
        prop_assert!(colored.chars().all(|c| matches!(c, '\n' | '\x1b') || !c.is_control()));
    }

    #[test]
    fn each_person_of_a_text_is_one_line_under_a_sign(head in head(), entries in entries()) {
        let text = show(&head, &entries, Form::Text, &Style::default());
        let kinds: Vec<&str> = ActionKind::ALL.map(ActionKind::as_str).into_iter().chain(FindingKind::ALL.map(FindingKind::as_str)).collect();
        let is_person = |line: &&str| {
            let mut words = line.split(' ');
            words.next().is_some_and(|sign| "+~^-x!?.=&>o#".contains(sign) && sign.len() == 1) && words.next().is_some_and(|kind| kinds.contains(&kind))
        };
        prop_assert_eq!(text.lines().filter(is_person).count(), entries.len(), "{}", text);
    }

    #[test]
    fn markdown_rows_have_as_many_cells_as_their_table(head in head(), entries in entries()) {
        let text = show(&head, &entries, Form::Markdown, &Style::default());
        let (mut columns, mut rows) = (0, 0);
        for line in text.lines() {
            let bars = line.matches('|').count();
            if !line.starts_with('|') {
                prop_assert_eq!(bars, 0, "{}", line);
                columns = 0;
                continue;
            }
            if columns == 0 {
                columns = bars;
            }
            prop_assert_eq!(bars, columns, "{}", line);
            prop_assert!(line.ends_with('|'));
            rows += usize::from(columns == 7);
        }
        let tables = usize::from(entries.iter().any(|e| matches!(e, Entry::Action { .. })))
            + usize::from(entries.iter().any(|e| matches!(e, Entry::Finding(_))));
        prop_assert_eq!(rows, entries.len() + 2 * tables);
    }

    #[test]
    fn markdown_holds_no_markup_of_others(head in head(), entries in entries()) {
        let text = show(&head, &entries, Form::Markdown, &Style::default());
        let bare = text.replace("<code>", "").replace("</code>", "").replace("<br>", "");
        prop_assert!(!bare.contains(['<', '`', '[', ']', '@', '\\', '\x1b', '\r']), "{}", bare);
        let titles = text.lines().filter(|line| line.starts_with('#')).count();
        prop_assert!(titles <= 5, "{}", text);
    }

    #[test]
    fn no_secret_appears_in_any_form(head in head(), entries in entries()) {
        for form in Form::ALL {
            let text = show(&head, &entries, form, &Style { width: 1000, ..Style::default() });
            prop_assert!(!text.contains(SECRET_TEXT), "{}: {}", form, text);
        }
    }

    #[test]
    fn no_redacted_value_appears_in_any_form(mut entries in entries(), head in head(), number in 1_000_000_000i64..) {
        const HIDDEN: &str = "hush 'n <hush>";
        let names = vec!["private".to_owned(), "open.private".to_owned()];
        let hidden = [Value::text(HIDDEN), Value::Int(number), Value::List(vec![Value::text(HIDDEN)])];
        for entry in &mut entries {
            let (changes, text) = match entry {
                Entry::Action { action, outcome } => {
                    action.also.insert("private".into(), hidden[0].clone());
                    action.about.insert("private".into(), hidden[0].clone());
                    (&mut action.changes, outcome.as_mut().and_then(|outcome| outcome.message.as_mut()))
                }
                Entry::Finding(finding) => (&mut finding.changes, Some(&mut finding.reason)),
            };
            if let Some(text) = text {
                *text = format!("{text} {HIDDEN} {number}");
            }
            for value in &hidden {
                let open = Value::Object([("private".to_owned(), value.clone())].into());
                changes.push(Change { attribute: "private".into(), from: Some(value.clone()), to: value.clone() });
                changes.push(Change { attribute: "private.x".into(), from: None, to: value.clone() });
                changes.push(Change { attribute: "open".into(), from: Some(open.clone()), to: open });
            }
        }
        for form in Form::ALL {
            let text = show(&head, &entries, form, &Style { width: 1000, redact: names.clone(), ..Style::default() });
            prop_assert!(!text.contains("hush"), "{}: {}", form, text);
            prop_assert!(!text.contains(&number.to_string()), "{}: {}", form, text);
            prop_assert_eq!(text.contains("(redacted)"), !entries.is_empty(), "{}: {}", form, text);
        }
    }
}

/// Counts what passes through it.
struct Counting<'c>(&'c Cell<usize>);

impl io::Write for Counting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn every_form_writes_while_it_reads() {
    const ENTRIES: usize = 3000;
    let entry = rich().entries.next().unwrap().unwrap();
    for form in Form::ALL {
        let written = Cell::new(0);
        let at_the_last = Cell::new(0);
        let entries = (1..=ENTRIES).map(|at| {
            if at == ENTRIES {
                at_the_last.set(written.get());
            }
            Ok(entry.clone())
        });
        let style = Style { limit: Some(usize::MAX), ..Style::default() };
        render(RunRecord::from_parts(quiet().head, entries), form, &style, &mut Counting(&written)).unwrap();
        // All but a buffer's worth had left by then.
        assert!(at_the_last.get() + 64 * 1024 > written.get(), "{form}: {} of {}", at_the_last.get(), written.get());
        assert!(written.get() > 4 * 64 * 1024, "{form}: {} bytes prove nothing", written.get());
    }
}
