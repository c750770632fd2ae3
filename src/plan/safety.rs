//! Limits on a plan, checked before the first write. A limit holds back the kind of action that exceeds it; a source
//! that looks broken stops everything.

use serde::{Deserialize, Serialize};

use super::{ActionKind, OnExceed, Safety, SafetyLimit};
use crate::model::Digest;
use crate::plan::action::ActionCounts;

/// Kinds of action that one limit counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionGroup {
    Create,
    /// Updates and reactivations.
    Update,
    /// Deactivations and deletions.
    Deactivate,
}

impl ActionGroup {
    pub const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Deactivate];

    #[must_use]
    pub fn of_kind(kind: ActionKind) -> Self {
        match kind {
            ActionKind::Create => Self::Create,
            ActionKind::Update | ActionKind::Reactivate => Self::Update,
            ActionKind::Deactivate | ActionKind::Delete => Self::Deactivate,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Deactivate => "deactivate",
        }
    }

    /// The setting that limits it.
    #[must_use]
    pub fn setting_name(self) -> &'static str {
        match self {
            Self::Create => "safety.max_create",
            Self::Update => "safety.max_update",
            Self::Deactivate => "safety.max_deactivate",
        }
    }
}

/// What the limits are measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    pub listed: ListingExtent,
    /// Accounts that are not protected.
    pub in_scope: u64,
    /// Rows that count: those that `source.include` lets through.
    pub rows: u64,
    pub invalid: u64,
    /// Rows of the last good run.
    pub last_rows: Option<u64>,
}

/// Whether the listing showed every account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListingExtent {
    #[default]
    Whole,
    /// Who was not found may be there all the same, so nobody is created without an approval.
    InPart,
}

/// A limit that a plan exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    pub group: ActionGroup,
    pub count: u64,
    pub limit: u64,
}

/// What the safety rules say of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    pub held: Vec<Exceeded>,
    /// Nothing at all may be done, for these reasons.
    pub stopped: Vec<String>,
}

/// Fewer accounts than this make a first load, to which a share of them means nothing.
const FIRST_LOAD: u64 = 10;

#[must_use]
pub fn judge_plan(safety: &Safety, measure: &Measure, planned: &ActionCounts) -> Judgement {
    let mut judgement = judge_actions(safety, measure.listed, measure.in_scope, planned);
    judgement.stopped.splice(0..0, source_stops(safety, measure));
    judgement
}

/// [`judge_plan`] for a plan that no source speaks for.
#[must_use]
pub fn judge_actions(safety: &Safety, listed: ListingExtent, in_scope: u64, planned: &ActionCounts) -> Judgement {
    let mut judgement = Judgement::default();
    for group in ActionGroup::ALL {
        let count = ActionKind::ALL
            .iter()
            .filter(|kind| ActionGroup::of_kind(**kind) == group)
            .map(|kind| planned.get(*kind))
            .sum();
        let limit = match (group, listed) {
            (ActionGroup::Create, ListingExtent::InPart) => Some(0),
            _ => limit_of(safety, group, in_scope),
        };
        if let Some(limit) = limit
            && count > limit
        {
            judgement.held.push(Exceeded { group, count, limit });
        }
    }
    if safety.on_exceed == OnExceed::Stop {
        for Exceeded { group, count, limit } in judgement.held.drain(..) {
            if group == ActionGroup::Create && listed == ListingExtent::InPart {
                judgement.stopped.push(format!(
                    "{count} accounts to create, but the listing is not complete and they may exist already; \
                     safety.on_exceed is \"stop\""
                ));
                continue;
            }
            judgement.stopped.push(format!(
                "{count} accounts to {}, at most {limit} are allowed ({}); safety.on_exceed is \"stop\"",
                group.as_str(),
                group.setting_name()
            ));
        }
    }
    judgement
}

/// The number of actions that a limit allows; none where there is no limit.
#[must_use]
pub fn limit_of(safety: &Safety, group: ActionGroup, in_scope: u64) -> Option<u64> {
    let (limit, floor) = match group {
        ActionGroup::Create => (&safety.max_create, 10),
        ActionGroup::Update => (&safety.max_update, 10),
        ActionGroup::Deactivate => (&safety.max_deactivate, 1),
    };
    let share = limit
        .percent
        .filter(|_| group != ActionGroup::Create || in_scope >= FIRST_LOAD)
        .map(|percent| percent.of(in_scope).max(floor));
    smaller_limit(share, limit.count)
}

fn smaller_limit(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// A limit on a part of `whole` that has no lower bound.
fn absolute_limit(limit: &SafetyLimit, whole: u64) -> Option<u64> {
    smaller_limit(limit.percent.map(|percent| percent.of(whole)), limit.count)
}

fn source_stops(safety: &Safety, measure: &Measure) -> Vec<String> {
    let mut stops = Vec::new();
    let Measure { rows, invalid, .. } = *measure;
    if rows < safety.min_rows {
        stops.push(format!(
            "the source has {rows} rows that count, fewer than safety.min_rows = {}: the export looks broken",
            safety.min_rows
        ));
    }
    if let Some(limit) = absolute_limit(&safety.max_invalid, rows)
        && invalid > limit
    {
        stops
            .push(format!("{invalid} of {rows} rows cannot be used, at most {limit} are allowed (safety.max_invalid)"));
    }
    if let Some(last) = measure.last_rows
        && let Some(limit) = absolute_limit(&safety.max_row_drop, last)
        && last.saturating_sub(rows) > limit
    {
        stops.push(format!(
            "the source has {rows} rows, the last good run had {last}: {} fewer, at most {limit} are allowed \
             (safety.max_row_drop)",
            last - rows
        ));
    }
    stops
}

/// The hash that releases held actions: it names exactly these actions of this tenant, so an approval given for one
/// set never releases another. `actions` are digests of the actions; their order does not matter.
#[must_use]
pub fn approval_hash(tenant: &str, group: ActionGroup, actions: impl IntoIterator<Item = Digest>) -> String {
    let mut digests: Vec<[u64; 2]> = actions.into_iter().map(|digest| digest.0).collect();
    digests.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    hasher.update(tenant.as_bytes()).update(&[0]).update(group.as_str().as_bytes()).update(&[0]);
    for half in digests.iter().flatten() {
        hasher.update(&half.to_le_bytes());
    }
    hasher.finalize().to_hex()[..12].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Percent;

    fn planned(create: u64, update: u64, deactivate: u64) -> ActionCounts {
        ActionCounts { create, update, deactivate, ..ActionCounts::default() }
    }

    fn measure(in_scope: u64) -> Measure {
        Measure { in_scope, rows: 100, ..Measure::default() }
    }

    fn held(safety: &Safety, in_scope: u64, planned: &ActionCounts) -> Vec<(ActionGroup, u64)> {
        judge_plan(safety, &measure(in_scope), planned).held.iter().map(|e| (e.group, e.limit)).collect()
    }

    #[test]
    fn a_limit_holds_its_own_kind_and_no_other() {
        let safety = Safety::default();
        assert_eq!(held(&safety, 1000, &planned(200, 300, 51)), [(ActionGroup::Deactivate, 50)]);
        assert_eq!(held(&safety, 1000, &planned(201, 300, 50)), [(ActionGroup::Create, 200)]);
        assert_eq!(held(&safety, 1000, &planned(0, 0, 0)), []);
    }

    #[test]
    fn shares_never_fall_below_their_floor() {
        let safety = Safety::default();
        assert_eq!(held(&safety, 5, &planned(0, 10, 1)), []);
        assert_eq!(held(&safety, 5, &planned(0, 11, 2)), [(ActionGroup::Update, 10), (ActionGroup::Deactivate, 1)]);
    }

    #[test]
    fn a_first_load_may_create_any_share_but_not_more_than_a_count() {
        let mut safety = Safety::default();
        assert_eq!(held(&safety, 9, &planned(5000, 0, 0)), []);
        assert_eq!(held(&safety, 10, &planned(5000, 0, 0)), [(ActionGroup::Create, 10)]);
        safety.max_create.count = Some(500);
        assert_eq!(held(&safety, 0, &planned(501, 0, 0)), [(ActionGroup::Create, 500)]);
    }

    #[test]
    fn nobody_is_created_on_the_strength_of_a_listing_that_is_not_complete() {
        let measure = Measure { listed: ListingExtent::InPart, ..measure(100) };
        let judged = |safety: &Safety, planned| judge_plan(safety, &measure, &planned);
        let held = judged(&Safety::default(), planned(1, 1, 1)).held;
        assert_eq!(held, [Exceeded { group: ActionGroup::Create, count: 1, limit: 0 }]);
        assert_eq!(judged(&Safety::default(), planned(0, 1, 1)), Judgement::default());
        let stopped = judged(&Safety { on_exceed: OnExceed::Stop, ..Safety::default() }, planned(1, 0, 0)).stopped;
        assert!(stopped.len() == 1 && stopped[0].contains("the listing is not complete"), "{stopped:?}");
    }

    #[test]
    fn of_share_and_count_the_smaller_counts() {
        let safety = Safety {
            max_deactivate: SafetyLimit { percent: Percent::new(10.0).ok(), count: Some(50) },
            ..Safety::default()
        };
        assert_eq!(limit_of(&safety, ActionGroup::Deactivate, 100), Some(10));
        assert_eq!(limit_of(&safety, ActionGroup::Deactivate, 10_000), Some(50));
    }

    #[test]
    fn reactivations_count_as_updates_and_deletions_as_deactivations() {
        let safety = Safety::default();
        let planned = ActionCounts { update: 6, reactivate: 5, deactivate: 1, delete: 1, ..ActionCounts::default() };
        assert_eq!(held(&safety, 10, &planned), [(ActionGroup::Update, 10), (ActionGroup::Deactivate, 1)]);
    }

    #[test]
    fn stop_stops_everything() {
        let safety = Safety { on_exceed: OnExceed::Stop, ..Safety::default() };
        let judgement = judge_plan(&safety, &measure(100), &planned(0, 0, 11));
        assert!(judgement.held.is_empty());
        assert_eq!(judgement.stopped.len(), 1);
        assert!(judgement.stopped[0].contains("at most 10"), "{:?}", judgement.stopped);
    }

    #[test]
    fn a_source_that_looks_broken_stops_everything() {
        let stops = |rows, invalid, last_rows| {
            let measure = Measure { listed: ListingExtent::Whole, in_scope: 100, rows, invalid, last_rows };
            judge_plan(&Safety::default(), &measure, &planned(0, 0, 0)).stopped.len()
        };
        assert_eq!(stops(100, 5, None), 0);
        assert_eq!(stops(100, 6, None), 1);
        assert_eq!(stops(0, 0, None), 1);
        assert_eq!(stops(80, 0, Some(100)), 0);
        assert_eq!(stops(79, 0, Some(100)), 1);
        assert_eq!(stops(300, 0, Some(100)), 0);
    }

    #[test]
    fn an_approval_names_one_set_of_one_tenant_whatever_its_order() {
        let (a, b, c) = (Digest::of(b"a"), Digest::of(b"b"), Digest::of(b"c"));
        let hash = approval_hash("acme", ActionGroup::Update, [a, b]);
        assert_eq!(hash, approval_hash("acme", ActionGroup::Update, [b, a]));
        assert_ne!(hash, approval_hash("acme", ActionGroup::Update, [a, c]));
        assert_ne!(hash, approval_hash("acme", ActionGroup::Deactivate, [a, b]));
        assert_ne!(hash, approval_hash("other", ActionGroup::Update, [a, b]));
    }
}
