//! What a report is made from: a head, then one entry for each person that anything is said of, as a stream.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Summary;
use crate::plan::action::ActionCounts;
use crate::plan::safety::ActionGroup;
use crate::plan::{Action, Change, Finding, SourceLine};

/// A plan or a run, ready to be rendered once.
pub struct RunRecord<'a> {
    pub head: Head,
    /// The runs before it, oldest first, for whoever compares.
    pub past: Vec<PastRun>,
    /// Actions in their order of execution, then findings.
    pub entries: Box<dyn Iterator<Item = std::io::Result<Entry>> + 'a>,
}

impl<'a> RunRecord<'a> {
    /// A record of a head and a stream of entries; an error in the stream ends the rendering with it.
    pub fn from_parts(head: Head, entries: impl Iterator<Item = std::io::Result<Entry>> + 'a) -> Self {
        Self { head, past: Vec::new(), entries: Box::new(entries) }
    }

    /// The record beside the runs before it, oldest first.
    #[must_use]
    pub fn with_past(self, past: Vec<PastRun>) -> Self {
        Self { past, ..self }
    }
}

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    Plan,
    Run,
}

impl RecordKind {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Run => "run",
        }
    }
}

/// What stands above the entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    pub of: RecordKind,
    pub started_at: Timestamp,
    /// `imichat https://…`.
    pub target: String,
    pub summary: Summary,
    /// Held kinds: how many, the limit, the hash that releases them.
    pub held: Vec<HeldKind>,
    /// How many accounts the target had when it was listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<u64>,
    /// What else a reader must know: why a listing is incomplete, which limit stopped the plan.
    pub notes: Vec<String>,
    /// The file that a plan was compared with instead of the live tenant: such a plan can be read, not applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// What is taken back, where this is a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes_back: Option<TakesBack>,
    /// The plan of which this run executed a part, where the rest can be executed by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<String>,
}

/// A rollback: whose changes it takes back, and the plan by which it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakesBack {
    pub run: String,
    pub plan: String,
}

/// Actions that wait for an approval because there are more of their kind than the limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldKind {
    pub kind: ActionGroup,
    pub count: u64,
    pub limit: u64,
    pub approve: String,
}

impl Head {
    #[must_use]
    pub fn is_run(&self) -> bool {
        self.of == RecordKind::Run
    }
}

/// An earlier run in numbers: what it did, not what it had planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRun {
    pub run: String,
    pub at: Timestamp,
    /// Accounts when it began, where that is known.
    pub accounts: Option<u64>,
    pub applied: ActionCounts,
    /// Failed, or of unknown outcome.
    pub failed: u64,
}

/// One person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    Action {
        #[serde(flatten)]
        action: Action,
        /// None in a plan.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<ActionOutcome>,
    },
    Finding(Finding),
}

/// What an action and a finding have in common, for every form.
pub(super) struct EntryFacts<'e> {
    pub kind: &'static str,
    pub key: &'e str,
    pub identity: Option<&'e str>,
    pub account: Option<&'e str>,
    pub matched: Option<&'e str>,
    pub source: Option<&'e SourceLine>,
    pub changes: &'e [Change],
    pub outcome: Option<&'e ActionOutcome>,
    /// Why; none where nothing is said.
    pub reason: Option<&'e str>,
    pub warnings: &'e [String],
}

impl Entry {
    pub(super) fn facts(&self) -> EntryFacts<'_> {
        match self {
            Self::Action { action, outcome } => EntryFacts {
                kind: action.action.as_str(),
                key: &action.key,
                identity: action.identity.as_deref(),
                account: action.account.as_ref().map(|id| id.as_str()),
                matched: action.matched.as_deref(),
                source: action.source.as_ref(),
                changes: &action.changes,
                outcome: outcome.as_ref(),
                reason: action.reason.as_deref(),
                warnings: &action.warnings,
            },
            Self::Finding(finding) => EntryFacts {
                kind: finding.finding.as_str(),
                key: &finding.key,
                identity: finding.identity.as_deref(),
                account: finding.account.as_ref().map(|id| id.as_str()),
                matched: finding.matched.as_deref(),
                source: finding.source.as_ref(),
                changes: &finding.changes,
                outcome: None,
                reason: Some(finding.reason.as_str()).filter(|reason| !reason.is_empty()),
                warnings: &[],
            },
        }
    }
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionOutcome {
    pub result: OutcomeResult,
    /// Why, for everything but `applied`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trxid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeResult {
    Applied,
    /// The account existed already and is as it was wanted.
    Adopted,
    Failed,
    /// Left alone: it changed since the plan, or vanished.
    Skipped,
    Unknown,
    Held,
    /// Not reached yet: the run was paused before it.
    Pending,
}

impl OutcomeResult {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Adopted => "adopted",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
            Self::Held => "held",
            Self::Pending => "pending",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_back_as_they_were_written() {
        for text in [
            r#"{"seq":1,"action":"update","key":"bo.li","changes":[{"attribute":"a","from":null,"to":7}],"requests":1,"held":false,"outcome":{"result":"failed","code":3111}}"#,
            r#"{"finding":"invalid","key":"x","reason":"no date"}"#,
        ] {
            let entry: Entry = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&entry).unwrap(), text);
        }
    }
}
