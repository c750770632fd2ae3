//! What is read, what is left out, and what fits.

use super::*;
use crate::model::Value;
use crate::plan::ActionKind;
use crate::plan::person::{AccountMatch, AttributeStanding, PersonAccount, PersonHold, PersonRow, SourceCell};
use crate::report::samples::rich;
use crate::report::{OutcomeResult, Style};

/// Somebody of whom there is a lot to say, some of it hostile.
fn person() -> Explanation {
    let entries: Vec<Entry> = rich().entries.map(Result::unwrap).collect();
    let Some(Entry::Action { action, outcome: Some(outcome) }) = entries.into_iter().nth(2) else { unreachable!() };
    let cell = |column: &str, value: &str| SourceCell { column: column.into(), value: value.into() };
    let attribute = |name: &str, standing, wanted: Value| MappedAttribute {
        attribute: name.into(),
        expression: format!("{{{{ {name} | lower }}}}"),
        cells: vec![cell(name, "Lead \x1b[2J\nhush-hush")],
        on: "always",
        wanted: Some(wanted),
        has: Some(Value::text("Agent")),
        standing,
        problems: vec!["hush-hush is no number".into()],
    };
    let at = "2026-11-22T03:00:00Z".parse().unwrap();
    Explanation {
        headcount_explain: 1,
        asked: "bo.li".into(),
        tenant: "acme".into(),
        target: "imichat https://acme.imi.chat/v3.1".into(),
        listing: Listing { listed_at: Some(at), age_seconds: Some(7200), ..Listing::default() },
        person: Some(PersonHistory {
            person: Person {
                key: "bo.li".into(),
                decision: PersonDecision::Action(ActionKind::Update),
                because: "the account differs from the row in 3 attributes, of which one says hush-hush".into(),
                row: Some(PersonRow {
                    source: SourceLine { file: "hr.csv".into(), line: 3 },
                    identity: Some("E-2".into()),
                    included: true,
                    include_cells: Vec::new(),
                    problem: None,
                }),
                account: Some(PersonAccount {
                    id: AccountId("4711".into()),
                    active: Some(true),
                    protected: None,
                    values: vec![("note".into(), Value::text("hush-hush")), ("a".into(), Value::Int(1))],
                }),
                matching: AccountMatch { by: Some("login_id".into()), ..AccountMatch::default() },
                attributes: vec![
                    attribute("note", AttributeStanding::Differs, Value::text("hush-hush")),
                    attribute("job_description", AttributeStanding::Drift, Value::text("x".repeat(300))),
                    attribute("first_name", AttributeStanding::Invalid, Value::Null),
                ],
                action: Some(action.clone()),
                finding: None,
                held: Some(PersonHold {
                    kind: "update".into(),
                    count: 80,
                    limit: 50,
                    setting: "safety.max_update".into(),
                    approve: "9f2c41".into(),
                }),
                stopped: vec!["the source has 3 rows, at least 1000 are needed (safety.min_rows)".into()],
                desired: None,
            },
            history: vec![Touched {
                run: "r-7".into(),
                command: CommandName::Sync,
                started_at: at,
                action,
                outcome: ActionOutcome { result: OutcomeResult::Failed, message: Some("hush-hush".into()), ..outcome },
            }],
        }),
        candidates: Vec::new(),
        nearest: Vec::new(),
        notes: vec!["`headcount plan` lists the accounts".into()],
    }
}

fn rendered(explanation: &Explanation, style: &Style) -> (String, String) {
    let (mut text, mut json) = (Vec::new(), Vec::new());
    write_text(explanation, style, &mut text).unwrap();
    write_json(explanation, style, &mut json).unwrap();
    (String::from_utf8(text).unwrap(), String::from_utf8(json).unwrap())
}

#[test]
fn a_text_fits_the_terminal_and_nothing_in_it_moves_the_cursor() {
    for width in [40, 80, 200] {
        let (text, _) = rendered(&person(), &Style { width, ..Style::default() });
        assert!(!text.contains('\x1b'), "{text}");
        // A command is never broken: it is there to be pasted.
        let long = text.lines().filter(|line| line.chars().count() > width && !line.contains("headcount "));
        assert_eq!(long.collect::<Vec<_>>(), [""; 0], "{width}");
    }
}

#[test]
fn colours_are_the_only_escapes_and_mean_nothing_alone() {
    let plain = rendered(&person(), &Style::default()).0;
    let coloured = rendered(&person(), &Style { color: true, ..Style::default() }).0;
    assert!(coloured.contains("\x1b[33m"));
    let mut stripped = String::new();
    for (at, part) in coloured.split("\x1b[").enumerate() {
        stripped.push_str(if at == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(stripped, plain);
}

#[test]
fn what_is_to_be_done_comes_first_then_why_it_waits_and_how_it_is_released() {
    let (text, json) = rendered(&person(), &Style { width: 80, ..Style::default() });
    assert!(text.starts_with("bo.li: update, held\n"), "{text}");
    assert!(text.contains("held: 80 to update, and safety.max_update allows 50"), "{text}");
    assert!(text.contains("\n    headcount sync --approve 9f2c41\n"), "{text}");
    assert!(text.replace('\n', " ").contains("2 hours ago. acme was not asked"), "{text}");
    assert!(json.contains(r#""values":{"note":"hush-hush","a":1}"#), "{json}");
    assert_eq!(json.lines().count(), 1);
}

#[test]
fn a_redacted_value_is_gone_with_its_cells_and_every_echo_of_it() {
    let (text, json) = rendered(&person(), &Style { redact: vec!["note".into()], ..Style::default() });
    assert!(rendered(&person(), &Style::default()).1.contains("hush"));
    for said in [text, json] {
        assert!(!said.contains("hush") && said.contains("(redacted)"), "{said}");
        assert!(said.contains("Agent"), "other values stay: {said}");
    }
}
