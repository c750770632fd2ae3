//! One person, one decision. Everything that policy has a say in is decided here and nowhere else.

mod absent;
mod findings;
mod row;

pub use absent::{AbsenceAge, decide_absent};
pub use findings::{account_finding, key_of_account, key_of_row, row_finding};
pub use row::{RowCase, RowDecision, decide_row, found_by};

use std::collections::BTreeMap;

use self::findings::identity_of;
use super::steps::follow_up;
use super::{Action, ActionKind, Change, Finding, FindingKind, InactiveNewcomers, Leavers, Policy, SourceLine};
use crate::model::{Account, AttrId, AttrSet, Desired, MatchRule, Schema, Value, Wanted, normal};
use crate::reconcile::{Comparison, Difference};

/// What holds for every decision of one plan.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub schema: &'a Schema,
    pub policy: &'a Policy,
    pub rules: &'a [MatchRule],
    /// Mapped with `on = "always"`.
    pub always: AttrSet,
    /// Mapped with `on = "create"`.
    pub on_create: AttrSet,
}

/// What is done, and what is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    pub action: Option<Action>,
    pub finding: Option<Finding>,
}

/// A row without an account.
#[must_use]
pub fn decide_newcomer(ctx: &Context<'_>, desired: &Desired, source: SourceLine, missing: &[AttrId]) -> Decision {
    let finding = |kind, reason: String| Decision {
        finding: Some(row_finding(ctx, kind, desired, source.clone(), reason)),
        action: None,
    };
    if !has_key(ctx, desired) {
        return finding(FindingKind::Invalid, no_key(ctx.rules));
    }
    let inactive = wants_inactive(ctx, desired);
    if inactive && !creates_inactive(ctx) {
        return finding(FindingKind::Skipped, "a leaver without an account".to_owned());
    }
    if !ctx.policy.create {
        return finding(FindingKind::Skipped, "policy.create is false".to_owned());
    }
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|id| ctx.schema.name(*id)).collect();
        return finding(FindingKind::Invalid, format!("a new account needs a value for {}", names.join(", ")));
    }
    let changes: Vec<Change> = desired
        .values
        .iter()
        .filter(|(id, _)| ctx.always.union(ctx.on_create).contains(*id))
        .filter_map(|(id, wanted)| match wanted {
            Wanted::Set(value) => Some((*id, value)),
            Wanted::Clear => None,
        })
        .filter(|(id, value)| {
            let attribute = ctx.schema.get(*id);
            attribute.create || (attribute.update && !is_default(ctx.schema, *id, value))
        })
        .map(|(id, value)| Change { attribute: ctx.schema.name(id).to_owned(), from: None, to: value.clone() })
        .collect();
    let requests = 1 + u64::from(changes.iter().any(|change| follow_up(ctx.schema, &change.attribute)));
    Decision {
        action: Some(Action {
            seq: 0,
            action: ActionKind::Create,
            key: key_of_row(ctx, desired),
            identity: identity_of(desired),
            account: None,
            matched: None,
            source: Some(source),
            changes,
            also: BTreeMap::new(),
            about: BTreeMap::new(),
            active: None,
            reason: None,
            warnings: Vec::new(),
            requests,
            held: false,
        }),
        finding: None,
    }
}

/// Whether a row has a value for any match rule.
#[must_use]
pub fn has_key(ctx: &Context<'_>, desired: &Desired) -> bool {
    let mut scratch = Vec::new();
    ctx.rules.iter().any(|rule| rule.key(ctx.schema, |id| desired.value(id), &mut scratch).is_some())
}

/// Why a row without a value for any match rule cannot be used.
#[must_use]
pub fn no_key(rules: &[MatchRule]) -> String {
    let rules: Vec<_> = rules.iter().map(|rule| rule.label.as_str()).collect();
    format!("the row has no value for any match rule ({})", rules.join(", "))
}

/// A row and its account.
#[must_use]
pub fn decide_known(
    ctx: &Context<'_>,
    desired: &Desired,
    source: SourceLine,
    account: &Account,
    matched: &str,
    comparison: Comparison,
) -> Decision {
    let finding = |kind, changes: Vec<Change>, reason: String| Finding {
        account: Some(account.id.clone()),
        matched: Some(matched.to_owned()),
        changes,
        ..row_finding(ctx, kind, desired, source.clone(), reason)
    };
    let Comparison { mut changes, drift } = comparison;
    let drift = (!drift.is_empty()).then(|| {
        let names: Vec<_> = drift.iter().map(|d| ctx.schema.name(d.attribute)).collect();
        let reason = format!("the API cannot change {}", names.join(", "));
        finding(FindingKind::Drift, as_changes(ctx.schema, drift), reason)
    });
    let skipped = |reason: &str| Decision {
        finding: Some(finding(FindingKind::Skipped, Vec::new(), reason.to_owned())),
        action: None,
    };
    let kind = match status_change(ctx.schema, &changes) {
        Some(false) if ctx.policy.leavers == Leavers::Report => {
            return skipped("a leaver whose account is active; policy.leavers is \"report\"");
        }
        Some(true) if !ctx.policy.reactivate => {
            return skipped("a returner whose account is inactive; policy.reactivate is false");
        }
        Some(active) => {
            if !ctx.policy.update {
                changes.retain(|change| is_lifecycle(ctx.schema, change.attribute));
            }
            if active { ActionKind::Reactivate } else { ActionKind::Deactivate }
        }
        None if changes.is_empty() => return Decision { finding: drift, action: None },
        None if !ctx.policy.update => return skipped("differs; policy.update is false"),
        None => ActionKind::Update,
    };
    let also = sent_along(ctx, account, |id| desired.value(id), &changes);
    let about = describe_account(ctx, account, &changes, &also);
    let action = Action {
        seq: 0,
        action: kind,
        key: key_of_row(ctx, desired),
        identity: identity_of(desired),
        account: Some(account.id.clone()),
        matched: Some(matched.to_owned()),
        source: Some(source.clone()),
        changes: as_changes(ctx.schema, changes),
        also,
        about,
        active: if kind == ActionKind::Update { ctx.schema.is_active(&account.values) } else { None },
        reason: None,
        warnings: if kind.takes_away() { leaver_warnings(ctx.schema, account) } else { Vec::new() },
        requests: 1,
        held: false,
    };
    Decision { action: Some(action), finding: drift }
}

fn wants_inactive(ctx: &Context<'_>, desired: &Desired) -> bool {
    ctx.schema.lifecycle.as_ref().is_some_and(|lifecycle| {
        desired
            .value(lifecycle.attribute)
            .is_some_and(|value| normal::same(ctx.schema.get(lifecycle.attribute), value, &lifecycle.inactive))
    })
}

/// A status that is mapped for creation only says how newcomers start, not that somebody left.
fn creates_inactive(ctx: &Context<'_>) -> bool {
    ctx.policy.inactive_newcomers == InactiveNewcomers::Create
        || ctx.schema.lifecycle.as_ref().is_some_and(|lifecycle| ctx.on_create.contains(lifecycle.attribute))
}

/// Whether a new account has this value by itself.
fn is_default(schema: &Schema, id: AttrId, value: &Value) -> bool {
    schema
        .lifecycle
        .as_ref()
        .is_some_and(|lifecycle| lifecycle.attribute == id && normal::same(schema.get(id), value, &lifecycle.active))
}

fn is_lifecycle(schema: &Schema, id: AttrId) -> bool {
    schema.lifecycle.as_ref().is_some_and(|lifecycle| lifecycle.attribute == id)
}

/// Whether the changes make the account active or inactive; none where they do neither.
pub(super) fn status_change(schema: &Schema, changes: &[Difference]) -> Option<bool> {
    let lifecycle = schema.lifecycle.as_ref()?;
    let change = changes.iter().find(|change| change.attribute == lifecycle.attribute)?;
    Some(normal::same(schema.get(lifecycle.attribute), &change.to, &lifecycle.active))
}

/// What the account has of what is mapped and what neither changes nor is sent along: short values that several people
/// may have in common, and nobody's name to sign in with.
pub(super) fn describe_account(
    ctx: &Context<'_>,
    account: &Account,
    changes: &[Difference],
    also: &BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    let is_key = |id: AttrId| ctx.rules.iter().any(|rule| rule.attributes.contains(&id));
    let shared = account.values.iter().filter(|(id, value)| {
        ctx.always.union(ctx.on_create).contains(*id)
            && !ctx.schema.get(*id).secret
            && !ctx.schema.get(*id).live
            && !is_key(*id)
            && !value.is_blank()
            && matches!(value, Value::Text(_) | Value::Bool(_) | Value::Int(_))
            && !changes.iter().any(|change| change.attribute == *id)
            && !also.contains_key(ctx.schema.name(*id))
    });
    shared.map(|(id, value)| (ctx.schema.name(id).to_owned(), value.clone())).collect()
}

/// Everything mapped and updatable that does not change, for targets whose updates carry all of it. `unseen` gives the
/// value of what the API never shows, where it is known.
pub(super) fn sent_along<'v>(
    ctx: &Context<'_>,
    account: &'v Account,
    unseen: impl Fn(AttrId) -> Option<&'v Value>,
    changes: &[Difference],
) -> BTreeMap<String, Value> {
    if !ctx.schema.full_updates {
        return BTreeMap::new();
    }
    ctx.always
        .union(ctx.on_create)
        .into_iter()
        .filter(|id| changes.iter().all(|change| change.attribute != *id))
        .filter_map(|id| {
            let attribute = ctx.schema.get(id);
            if !attribute.update || attribute.live || attribute.secret {
                return None;
            }
            let value = if attribute.read { account.values.get(id) } else { unseen(id) };
            value.filter(|value| !value.is_blank()).map(|value| (attribute.name.clone(), value.clone()))
        })
        .collect()
}

pub(super) fn as_changes(schema: &Schema, differences: Vec<Difference>) -> Vec<Change> {
    differences
        .into_iter()
        .map(|d| Change { attribute: schema.name(d.attribute).to_owned(), from: d.from, to: d.to })
        .collect()
}

pub(super) fn leaver_warnings(schema: &Schema, account: &Account) -> Vec<String> {
    schema
        .iter()
        .filter_map(|(id, attribute)| {
            let words = attribute.leaver_warning?;
            let value = account.values.get(id).filter(|value| value.is_truthy())?;
            Some(match value {
                Value::Bool(_) => words.to_owned(),
                value => format!("{words} ({value})"),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
