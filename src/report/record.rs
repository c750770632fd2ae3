//! What a report is made from: a head, then one entry for each person that anything is said of, as a stream.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Summary;
use crate::plan::{Action, Finding};

/// A plan or a run, ready to be rendered once.
pub struct RunRecord<'a> {
    pub head: Head,
    /// Actions in their order of execution, then findings.
    pub entries: Box<dyn Iterator<Item = std::io::Result<Entry>> + 'a>,
}

/// What stands above the entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// `plan` or `run`.
    pub of: String,
    pub started_at: Timestamp,
    /// `imichat https://…`.
    pub target: String,
    pub summary: Summary,
    /// Held kinds: how many, the limit, the hash that releases them.
    pub held: Vec<HeldKind>,
    /// What else a reader must know: why a listing is incomplete, which limit stopped the plan.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldKind {
    pub kind: String,
    pub count: u64,
    pub limit: u64,
    pub approve: String,
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
        outcome: Option<Outcome>,
    },
    Finding(Finding),
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
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
