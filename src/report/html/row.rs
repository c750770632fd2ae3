//! One person as a page shows it: everything as text, bounded. The rows that stand in the page and those that its script
//! draws are made from the same.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::Value;
use crate::plan::{ActionKind, FindingKind};
use crate::report::record::EntryFacts;
use crate::report::section::{EntrySection, is_held};
use crate::report::visible::{shortened, visible};
use crate::report::words::{self, LONGEST_MESSAGE, LONGEST_NAME, shown_value};
use crate::report::{Entry, OutcomeResult};

/// Letters of a value that are kept as long as there is room.
const WHOLE: usize = 12_000;
/// Letters of a value after that.
const SHORT: usize = 160;
/// Bytes of values that are kept whole; in the values of 20,000 usual changes there are not half as many.
const ROOM: usize = 4 * 1024 * 1024;

/// The states that a person can be in, as a reader filters by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PersonState {
    ToDo,
    /// Of a finding.
    NoAction,
    Came(OutcomeResult),
}

impl PersonState {
    pub(super) const ALL: [Self; 9] = [
        Self::ToDo,
        Self::Came(OutcomeResult::Held),
        Self::NoAction,
        Self::Came(OutcomeResult::Applied),
        Self::Came(OutcomeResult::Adopted),
        Self::Came(OutcomeResult::Failed),
        Self::Came(OutcomeResult::Skipped),
        Self::Came(OutcomeResult::Unknown),
        Self::Came(OutcomeResult::Pending),
    ];

    fn from_entry(entry: &Entry) -> Self {
        match entry {
            _ if is_held(entry) => Self::Came(OutcomeResult::Held),
            Entry::Finding(_) => Self::NoAction,
            Entry::Action { outcome, .. } => outcome.as_ref().map_or(Self::ToDo, |outcome| Self::Came(outcome.result)),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ToDo => "to do",
            Self::NoAction => "no action",
            Self::Came(OutcomeResult::Skipped) => "left alone",
            Self::Came(OutcomeResult::Pending) => "not reached",
            Self::Came(result) => result.name(),
        }
    }
}

/// What can stand in the first column, with its sign: actions, then findings.
pub(super) fn kinds_and_signs() -> impl Iterator<Item = (&'static str, char)> {
    let actions = ActionKind::ALL.into_iter().map(EntrySection::Action);
    let findings = FindingKind::ALL.into_iter().map(EntrySection::Finding);
    actions.chain(findings).map(|section| (section.name(), section.sign()))
}

pub(super) struct PersonRow<'e> {
    pub kind: &'static str,
    pub sign: char,
    pub state: PersonState,
    pub key: Cow<'e, str>,
    pub identity: Cow<'e, str>,
    pub account: Cow<'e, str>,
    pub matched: Cow<'e, str>,
    pub file: Cow<'e, str>,
    /// None where the source has no row of this person.
    pub line: Option<u32>,
    pub changes: Vec<ChangeCells<'e>>,
    /// Reasons, warnings, what came of it: a line each.
    pub why: Vec<Cow<'e, str>>,
    /// What is sent along unchanged, and what else the account has, which say more of who this is.
    pub also: [Option<&'e BTreeMap<String, Value>>; 2],
}

/// An attribute, its value before where one is known, its value after.
pub(super) type ChangeCells<'e> = (Cow<'e, str>, Option<Cow<'e, str>>, Cow<'e, str>);

/// How much of long values is still kept.
pub(super) struct ValueRoom(usize);

impl ValueRoom {
    pub(super) fn new() -> Self {
        Self(ROOM)
    }

    fn longest_value(&self) -> usize {
        if self.0 > 0 { WHOLE } else { SHORT }
    }
}

impl<'e> PersonRow<'e> {
    pub(super) fn from_entry(entry: &'e Entry, room: &mut ValueRoom) -> Self {
        let most = room.longest_value();
        let EntryFacts { kind, key, identity, account, matched, source, changes, outcome, reason, warnings } =
            entry.facts();
        let warnings = warnings.iter().map(|warning| Cow::Owned(format!("warning: {}", short_message(warning))));
        let why = outcome.and_then(words::outcome_text).map(Cow::Owned).into_iter();
        let changes: Vec<ChangeCells<'e>> = changes
            .iter()
            .map(|change| {
                let name = short_name(&change.attribute);
                if let (Some(Value::Object(from)), Value::Object(to)) = (&change.from, &change.to)
                    && from.iter().any(|(key, value)| to.get(key) == Some(value))
                {
                    return (name, Some(differing_keys(from, to, most)), differing_keys(to, from, most));
                }
                (name, change.from.as_ref().map(|from| shown_value(from, most)), shown_value(&change.to, most))
            })
            .collect();
        let taken = changes.iter().map(|(_, from, to)| from.as_ref().map_or(0, |from| from.len()) + to.len());
        room.0 = room.0.saturating_sub(taken.sum());
        Self {
            kind,
            sign: EntrySection::from_entry(entry).sign(),
            state: PersonState::from_entry(entry),
            key: shortened(key, WHOLE.min(most)),
            identity: identity.map(short_name).unwrap_or_default(),
            account: account.map(short_name).unwrap_or_default(),
            matched: matched.map(short_name).unwrap_or_default(),
            file: source.map(|source| short_name(&source.file)).unwrap_or_default(),
            line: source.map(|source| source.line),
            changes,
            why: why.chain(reason.map(short_message)).chain(warnings).collect(),
            also: match entry {
                Entry::Action { action, .. } => [Some(&action.also), Some(&action.about)],
                Entry::Finding(_) => [None, None],
            },
        }
    }

    /// Whether the state says more than that all goes as planned.
    pub(super) fn shows_state(&self) -> bool {
        matches!(self.state, PersonState::Came(_))
    }

    /// How the account was found and under which names the person is known, each with the words before it.
    pub(super) fn shown_names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("", &self.identity), ("account ", &self.account), ("found by ", &self.matched)]
            .into_iter()
            .filter(|(_, name)| !name.is_empty())
            .map(|(word, name)| (word, name.as_ref()))
    }
}

/// What of an object is not the same in another one; `…` stands for what is.
fn differing_keys<'e>(object: &BTreeMap<String, Value>, other: &BTreeMap<String, Value>, most: usize) -> Cow<'e, str> {
    let differs = |(key, value): &(&String, &Value)| other.get(*key) != Some(*value);
    let kept = object.iter().filter(differs).map(|(key, value)| (key.clone(), value.clone()));
    let kept = Value::Object(kept.collect());
    let most = most.saturating_sub(",…".chars().count());
    let shown = if kept.is_blank() { "{}".to_owned() } else { shortened(&kept.to_string(), most).into_owned() };
    let open = shown.strip_suffix('}').unwrap_or(&shown);
    Cow::Owned(format!("{open}{}…}}", if kept.is_blank() { "" } else { "," }))
}

/// A name as rows show it, of a file, a person or an attribute.
pub(super) fn short_name(text: &str) -> Cow<'_, str> {
    shortened(text, LONGEST_NAME)
}

fn short_message(text: &str) -> Cow<'_, str> {
    shortened(text, LONGEST_MESSAGE)
}

/// A value that others may have too, as a filter names it; none where it is too long to be one.
pub(super) fn shared_value(value: &Value) -> Option<Cow<'_, str>> {
    const LONGEST: usize = 80;
    match value {
        value if value.is_blank() => None,
        Value::Text(text) => (text.len() <= LONGEST).then(|| visible(text)),
        value => Some(shown_value(value, LONGEST).into_owned().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{rich, rich_plan};

    fn states(record: crate::report::RunRecord<'_>) -> Vec<(&'static str, &'static str, char)> {
        let row = |entry: Entry| {
            let row = PersonRow::from_entry(&entry, &mut ValueRoom::new());
            (row.kind, row.state.name(), row.sign)
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
            assert!(
                PersonState::ALL.iter().any(|known| known.name() == state)
                    && kinds_and_signs().any(|(name, _)| name == kind),
                "{kind} {state}"
            );
        }
    }

    #[test]
    fn of_an_object_that_changes_only_what_differs_is_shown() {
        let changed = |from: &str, to: &str| {
            let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
            let action = serde_json::json!({"seq": 1, "action": "update", "key": "x", "requests": 1, "held": false,
                "changes": [{"attribute": "skills", "from": value(from), "to": value(to)}]});
            let entry: Entry = serde_json::from_value(action).unwrap();
            let row = PersonRow::from_entry(&entry, &mut ValueRoom::new());
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
        let mut room = ValueRoom::new();
        assert_eq!(PersonRow::from_entry(&entry, &mut room).changes[0].2, long);
        for _ in 0..ROOM / 20_000 + 1 {
            PersonRow::from_entry(&entry, &mut room);
        }
        assert_eq!(PersonRow::from_entry(&entry, &mut room).changes[0].2.chars().count(), SHORT);
    }
}
