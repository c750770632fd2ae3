//! What a plan and a report are made of: actions, changes, findings, counts.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{AccountId, Value};

/// What is done to one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionKind {
    Create,
    Update,
    Reactivate,
    Deactivate,
    Delete,
}

impl ActionKind {
    pub const ALL: [Self; 5] = [Self::Create, Self::Update, Self::Reactivate, Self::Deactivate, Self::Delete];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Reactivate => "reactivate",
            Self::Deactivate => "deactivate",
            Self::Delete => "delete",
        }
    }

    /// Whether it takes access away; such actions come last.
    #[must_use]
    pub fn takes_away(self) -> bool {
        matches!(self, Self::Deactivate | Self::Delete)
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where in the source a person stands, by the name of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLine {
    pub file: String,
    pub line: u32,
}

impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One attribute's difference. `from` is missing where the account does not exist yet, or where the API does not show
/// the attribute; `to` is null where it is cleared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub attribute: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read_present")]
    pub from: Option<Value>,
    pub to: Value,
}

/// A `from` of null is a value that the plan saw (the attribute was empty); only a missing `from` is none.
fn read_present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The changes to make to one account; one line of a plan file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The place in the order of execution, from 1.
    pub seq: u64,
    pub action: ActionKind,
    /// The person's first match key, as people know it (`ana.diaz`).
    pub key: String,
    /// The person's `source.identity`; none where the source has no row of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The rule that found the account: the rule's label, `link`, or none.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLine>,
    pub changes: Vec<Change>,
    /// Values that are sent along unchanged, where the target's updates carry every mapped attribute.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub also: BTreeMap<String, Value>,
    /// What else the account has of what is mapped, so that a reader of the plan finds a team's people in it. It is not
    /// sent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub about: BTreeMap<String, Value>,
    /// Whether the account was active when the plan saw it, where the changes do not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Why, where the changes do not say it: "absent since …".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Requests that it takes, without repeats.
    pub requests: u64,
    /// Waits for an approval.
    pub held: bool,
}

impl Action {
    /// An action of this kind that changes nothing yet and takes one request.
    #[must_use]
    pub fn new(kind: ActionKind, key: impl Into<String>) -> Self {
        Self {
            seq: 0,
            action: kind,
            key: key.into(),
            identity: None,
            account: None,
            matched: None,
            source: None,
            changes: Vec::new(),
            also: BTreeMap::new(),
            about: BTreeMap::new(),
            active: None,
            reason: None,
            warnings: Vec::new(),
            requests: 1,
            held: false,
        }
    }
}

/// What comparing came to, where nothing is sent for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingKind {
    Unchanged,
    /// A difference that the API cannot mend.
    Drift,
    /// Nobody can say which account is meant, or two rows claim one.
    Conflict,
    /// A row that cannot be used.
    Invalid,
    /// The policy says to leave it.
    Skipped,
    /// An account without a row.
    Absent,
    /// An account that is never touched.
    Protected,
}

impl FindingKind {
    pub const ALL: [Self; 7] =
        [Self::Unchanged, Self::Drift, Self::Conflict, Self::Invalid, Self::Skipped, Self::Absent, Self::Protected];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Drift => "drift",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Skipped => "skipped",
            Self::Absent => "absent",
            Self::Protected => "protected",
        }
    }
}

/// One finding that needs no request, with where it comes from. `unchanged` is counted, not kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub finding: FindingKind,
    /// The person's first match key, or what is known of it.
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLine>,
    /// For drift: the attributes with both values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// One sentence for a person.
    pub reason: String,
}

/// How many of each; the part of a plan's header and of the summary that people read first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    #[serde(flatten)]
    pub actions: ActionCounts,
    #[serde(flatten)]
    pub findings: FindingCounts,
}

/// Actions by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionCounts {
    pub create: u64,
    pub update: u64,
    pub deactivate: u64,
    pub reactivate: u64,
    pub delete: u64,
}

/// Findings by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingCounts {
    pub unchanged: u64,
    pub drift: u64,
    pub conflict: u64,
    pub invalid: u64,
    pub skipped: u64,
    pub absent: u64,
    pub protected: u64,
}

impl ActionCounts {
    pub fn count_mut(&mut self, kind: ActionKind) -> &mut u64 {
        match kind {
            ActionKind::Create => &mut self.create,
            ActionKind::Update => &mut self.update,
            ActionKind::Deactivate => &mut self.deactivate,
            ActionKind::Reactivate => &mut self.reactivate,
            ActionKind::Delete => &mut self.delete,
        }
    }

    #[must_use]
    pub fn get(&self, kind: ActionKind) -> u64 {
        let mut copy = *self;
        *copy.count_mut(kind)
    }

    #[must_use]
    pub fn count_all(&self) -> u64 {
        ActionKind::ALL.iter().map(|kind| self.get(*kind)).sum()
    }
}

impl FindingCounts {
    pub fn count_mut(&mut self, kind: FindingKind) -> &mut u64 {
        match kind {
            FindingKind::Unchanged => &mut self.unchanged,
            FindingKind::Drift => &mut self.drift,
            FindingKind::Conflict => &mut self.conflict,
            FindingKind::Invalid => &mut self.invalid,
            FindingKind::Skipped => &mut self.skipped,
            FindingKind::Absent => &mut self.absent,
            FindingKind::Protected => &mut self.protected,
        }
    }

    #[must_use]
    pub fn get(&self, kind: FindingKind) -> u64 {
        let mut copy = *self;
        *copy.count_mut(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_reads_back_as_it_was_written() {
        let text = r#"{"seq":2,"action":"update","key":"bo.li","account":"4711","match":"login_id","source":{"file":"hr.csv","line":3},"changes":[{"attribute":"job_description","from":null,"to":"Lead"}],"requests":1,"held":false}"#;
        let action: Action = serde_json::from_str(text).unwrap();
        assert_eq!(action.changes[0].from, Some(Value::Null));
        assert_eq!(serde_json::to_string(&action).unwrap(), text);
    }
}
