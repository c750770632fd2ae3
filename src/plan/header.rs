//! The first line of a plan file: what the plan was made from, what it comes to, and what of it may be done.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::safety::ActionGroup;
use super::{Cost, Counts};

/// The version of the form.
pub const VERSION: u32 = 1;

/// The first line of a plan file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanHeader {
    pub headcount_plan: u32,
    /// The plan's name.
    pub plan: String,
    pub created_at: Timestamp,
    pub tenant: String,
    /// Kind and address.
    pub target: String,
    pub config_digest: String,
    pub source: SourceDigest,
    pub listing: ListingDigest,
    pub counts: Counts,
    pub requests: PlanRequests,
    pub held: BTreeMap<ActionGroup, HeldGroup>,
    /// Why nothing of the plan may be done, even with approvals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<String>,
    /// The file that stood in for the live tenant; such a plan can be read, not applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// The run whose changes this plan takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_of: Option<String>,
}

impl PlanHeader {
    /// The header of a plan of nothing, made from nothing, for this tenant.
    #[must_use]
    pub fn new(plan: &str, created_at: Timestamp, tenant: &str, target: &str) -> Self {
        Self {
            headcount_plan: VERSION,
            plan: plan.to_owned(),
            created_at,
            tenant: tenant.to_owned(),
            target: target.to_owned(),
            config_digest: String::new(),
            source: SourceDigest::default(),
            listing: ListingDigest::default(),
            counts: Counts::default(),
            requests: PlanRequests::default(),
            held: BTreeMap::new(),
            stopped: Vec::new(),
            against: None,
            rollback_of: None,
        }
    }

    /// Which groups of held actions these hashes release.
    ///
    /// # Errors
    /// A hash that releases nothing of this plan: it was given for another.
    pub fn released_groups<'h>(&self, approved: &'h [String]) -> Result<Vec<ActionGroup>, &'h str> {
        approved
            .iter()
            .map(|hash| {
                let held = self.held.iter().find(|(_, held)| held.approve == *hash);
                held.map(|(group, _)| *group).ok_or(hash.as_str())
            })
            .collect()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceDigest {
    pub files: Vec<SourceFileDigest>,
    /// The columns, in their order: with the rows of the files, the shape of the source.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Rows that `source.include` lets through.
    #[serde(default)]
    pub included: u64,
    /// The last row of some file has no line break at its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unterminated: bool,
    /// What is odd about the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFileDigest {
    pub path: String,
    pub digest: String,
    pub rows: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListingDigest {
    pub accounts: u64,
    pub complete: bool,
    /// Accounts that are not protected; shares in `[safety]` are of these.
    #[serde(default)]
    pub in_scope: u64,
    #[serde(default)]
    pub digest: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What listing and applying take in one go, without repeats and without what is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRequests {
    /// Signing in; once, and again on each further day that the quota makes of it.
    #[serde(default)]
    pub auth: u64,
    pub list: u64,
    /// Accounts that are read again before they are changed, and what else is asked before a write.
    #[serde(default)]
    pub lookup: u64,
    pub write: u64,
    pub total: u64,
}

impl From<Cost> for PlanRequests {
    fn from(cost: Cost) -> Self {
        Self { auth: cost.auth, list: cost.list, lookup: cost.lookup, write: cost.write, total: cost.count_requests() }
    }
}

/// Actions of one group that wait for an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldGroup {
    pub count: u64,
    pub limit: u64,
    /// What `--approve` takes.
    pub approve: String,
}
