//! One person as a page shows it: everything as text, bounded. The rows that stand in the page and those that its script
//! draws are made from the same.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::Value;
use crate::plan::{ActionKind, FindingKind, Source};
use crate::report::section::{Section, is_held};
use crate::report::visible::{shortened, visible};
use crate::report::words::{self, LONGEST_MESSAGE, LONGEST_NAME, shown};
use crate::report::{Entry, OutcomeResult};

/// Letters of a value that are kept as long as there is room.
const WHOLE: usize = 12_000;
/// Letters of a value after that.
const SHORT: usize = 160;
/// Bytes of values that are kept whole; in the values of 20,000 usual changes there are not half as many.
const ROOM: usize = 4 * 1024 * 1024;

/// The states that a person can be in, as a reader filters by them.
pub(super) const STATES: [&str; 9] =
    ["to do", "held", "no action", "applied", "adopted", "failed", "left alone", "unknown", "not reached"];

/// What can stand in the first column, with its sign: actions, then findings.
pub(super) fn kinds() -> impl Iterator<Item = (&'static str, char)> {
    let actions = ActionKind::ALL.into_iter().map(Section::Action);
    let findings = FindingKind::ALL.into_iter().map(Section::Finding);
    actions.chain(findings).map(|section| (section.name(), section.sign()))
}

pub(super) struct Row<'e> {
    pub kind: &'static str,
    pub sign: char,
    pub state: &'static str,
    pub key: Cow<'e, str>,
    pub identity: Cow<'e, str>,
    pub account: Cow<'e, str>,
    pub matched: Cow<'e, str>,
    pub file: Cow<'e, str>,
    /// None where the source has no row of this person.
    pub line: Option<u32>,
    pub changes: Vec<Changed<'e>>,
    /// Reasons, warnings, what came of it: a line each.
    pub why: Vec<Cow<'e, str>>,
    /// What is sent along unchanged, and what else the account has, which say more of who this is.
    pub also: [Option<&'e BTreeMap<String, Value>>; 2],
}

/// An attribute, its value before where one is known, its value after.
pub(super) type Changed<'e> = (Cow<'e, str>, Option<Cow<'e, str>>, Cow<'e, str>);

/// How much of long values is still kept.
pub(super) struct Room(usize);

impl Room {
    pub(super) fn new() -> Self {
        Self(ROOM)
    }

    fn longest(&self) -> usize {
        if self.0 > 0 { WHOLE } else { SHORT }
    }
}

impl<'e> Row<'e> {
    pub(super) fn of(entry: &'e Entry, room: &mut Room) -> Self {
        let sign = Section::of(entry).sign();
        let most = room.longest();
        let (kind, state, key, identity, account, matched, source, changes, why, also) = match entry {
            Entry::Action { action, outcome } => {
                let mut why = Vec::new();
                why.extend(outcome.as_ref().and_then(words::outcome).map(Cow::Owned));
                why.extend(action.reason.as_deref().map(message));
                why.extend(action.warnings.iter().map(|warning| Cow::Owned(format!("warning: {}", message(warning)))));
                let state = match outcome.as_ref().map(|outcome| outcome.result) {
                    _ if is_held(entry) => "held",
                    None => "to do",
                    Some(result) => words_of(result),
                };
                let account = action.account.as_ref();
                (
                    action.action.name(),
                    state,
                    &action.key,
                    &action.identity,
                    account,
                    &action.matched,
                    &action.source,
                    &action.changes,
                    why,
                    [Some(&action.also), Some(&action.about)],
                )
            }
            Entry::Finding(finding) => {
                let why = if finding.reason.is_empty() { Vec::new() } else { vec![message(&finding.reason)] };
                (
                    finding.finding.name(),
                    "no action",
                    &finding.key,
                    &finding.identity,
                    finding.account.as_ref(),
                    &finding.matched,
                    &finding.source,
                    &finding.changes,
                    why,
                    [None, None],
                )
            }
        };
        let changes: Vec<Changed<'e>> = changes
            .iter()
            .map(|change| {
                let name = attribute(&change.attribute);
                if let (Some(Value::Object(from)), Value::Object(to)) = (&change.from, &change.to)
                    && from.iter().any(|(key, value)| to.get(key) == Some(value))
                {
                    return (name, Some(differing(from, to, most)), differing(to, from, most));
                }
                (name, change.from.as_ref().map(|from| shown(from, most)), shown(&change.to, most))
            })
            .collect();
        let taken = changes.iter().map(|(_, from, to)| from.as_ref().map_or(0, |from| from.len()) + to.len());
        room.0 = room.0.saturating_sub(taken.sum());
        let (file, line) = source.as_ref().map_or((Cow::Borrowed(""), None), place);
        Self {
            kind,
            sign,
            state,
            key: shortened(key, WHOLE.min(most)),
            identity: identity.as_deref().map(name).unwrap_or_default(),
            account: account.map(|id| name(id.as_str())).unwrap_or_default(),
            matched: matched.as_deref().map(name).unwrap_or_default(),
            file,
            line,
            changes,
            why,
            also,
        }
    }

    /// Whether the state says more than that all goes as planned.
    pub(super) fn shows_state(&self) -> bool {
        !matches!(self.state, "to do" | "no action")
    }

    /// How the account was found and under which names the person is known, each with the words before it.
    pub(super) fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("", &self.identity), ("account ", &self.account), ("found by ", &self.matched)]
            .into_iter()
            .filter(|(_, name)| !name.is_empty())
            .map(|(word, name)| (word, name.as_ref()))
    }
}

/// What of an object is not the same in another one; `…` stands for what is.
fn differing<'e>(object: &BTreeMap<String, Value>, other: &BTreeMap<String, Value>, most: usize) -> Cow<'e, str> {
    let differs = |(key, value): &(&String, &Value)| other.get(*key) != Some(*value);
    let kept = object.iter().filter(differs).map(|(key, value)| (key.clone(), value.clone()));
    let kept = Value::Object(kept.collect());
    let most = most.saturating_sub(",…".chars().count());
    let shown = if kept.is_blank() { "{}".to_owned() } else { shortened(&kept.to_string(), most).into_owned() };
    let open = shown.strip_suffix('}').unwrap_or(&shown);
    Cow::Owned(format!("{open}{}…}}", if kept.is_blank() { "" } else { "," }))
}

fn words_of(result: OutcomeResult) -> &'static str {
    match result {
        OutcomeResult::Applied => "applied",
        OutcomeResult::Adopted => "adopted",
        OutcomeResult::Failed => "failed",
        OutcomeResult::Skipped => "left alone",
        OutcomeResult::Unknown => "unknown",
        OutcomeResult::Held => "held",
        OutcomeResult::Pending => "not reached",
    }
}

fn place(source: &Source) -> (Cow<'_, str>, Option<u32>) {
    (name(&source.file), Some(source.line))
}

fn name(text: &str) -> Cow<'_, str> {
    shortened(text, LONGEST_NAME)
}

fn message(text: &str) -> Cow<'_, str> {
    shortened(text, LONGEST_MESSAGE)
}

/// The name of an attribute as rows show it.
pub(super) fn attribute(name: &str) -> Cow<'_, str> {
    shortened(name, LONGEST_NAME)
}

/// A value that others may have too, as a filter names it; none where it is too long to be one.
pub(super) fn shared(value: &Value) -> Option<Cow<'_, str>> {
    const LONGEST: usize = 80;
    match value {
        value if value.is_blank() => None,
        Value::Text(text) => (text.len() <= LONGEST).then(|| visible(text)),
        value => Some(shown(value, LONGEST).into_owned().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{rich, rich_plan};

    fn states(record: crate::report::RunRecord<'_>) -> Vec<(&'static str, &'static str, char)> {
        let row = |entry: Entry| {
            let row = Row::of(&entry, &mut Room::new());
            (row.kind, row.state, row.sign)
        };
        record.entries.map(|entry| row(entry.unwrap())).collect()
    }

    #[test]
    fn every_state_of_a_row_is_one_to_filter_by() {
        let run = states(rich());
        assert_eq!(
            run,
            [
                ("create", "applied", '+'),
                ("create", "adopted", '+'),
                ("update", "applied", '~'),
                ("update", "failed", '!'),
                ("reactivate", "unknown", '?'),
                ("deactivate", "held", '-'),
                ("drift", "no action", '='),
                ("invalid", "no action", '!'),
                ("absent", "no action", 'o'),
            ]
        );
        for (kind, state, _) in run.into_iter().chain(states(rich_plan())) {
            assert!(STATES.contains(&state) && kinds().any(|(name, _)| name == kind), "{kind} {state}");
        }
    }

    #[test]
    fn of_an_object_that_changes_only_what_differs_is_shown() {
        let changed = |from: &str, to: &str| {
            let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
            let action = serde_json::json!({"seq": 1, "action": "update", "key": "x", "requests": 1, "held": false,
                "changes": [{"attribute": "skills", "from": value(from), "to": value(to)}]});
            let entry: Entry = serde_json::from_value(action).unwrap();
            let row = Row::of(&entry, &mut Room::new());
            format!("{} → {}", row.changes[0].1.as_ref().unwrap(), row.changes[0].2)
        };
        assert_eq!(
            changed(r#"{"en":70,"fr":60,"tr":55}"#, r#"{"en":70,"fr":60,"tr":70}"#),
            r#"{"tr":55,…} → {"tr":70,…}"#
        );
        assert_eq!(changed(r#"{"en":70}"#, r#"{"en":70,"it":60}"#), r#"{…} → {"it":60,…}"#);
        assert_eq!(changed(r#"{"en":70}"#, r#"{"it":60}"#), r#"{"en":70} → {"it":60}"#);
        assert_eq!(changed("{}", r#"{"it":60}"#), r#"(empty) → {"it":60}"#);
    }

    #[test]
    fn long_values_are_whole_until_there_is_no_room_for_more_of_them() {
        let long = "é".repeat(10_000);
        let action = serde_json::json!({"seq": 1, "action": "create", "key": "x", "requests": 1, "held": false,
            "changes": [{"attribute": "name", "to": long}]});
        let entry: Entry = serde_json::from_value(action).unwrap();
        let mut room = Room::new();
        assert_eq!(Row::of(&entry, &mut room).changes[0].2, long);
        for _ in 0..ROOM / 20_000 + 1 {
            Row::of(&entry, &mut room);
        }
        assert_eq!(Row::of(&entry, &mut room).changes[0].2.chars().count(), SHORT);
    }
}
