//! Taking back what a run did to one account: its action, the account as it is now, and the action that puts the recorded
//! values back.
//!
//! What was changed since is never put back: an account in which anything that the run wrote has another value now is
//! left alone as a whole. What cannot be put back is said. Of `policy` only `protect` has a say in it, because the rest says
//! what follows from an export, and a rollback follows from an order.

use super::decide::{Context, Decision, as_changes, describe_account, leaver_warnings, sent_along, status_change};
use super::protect::ProtectPatterns;
use super::steps::follow_up;
use super::{Action, ActionKind, Change, Finding, FindingKind};
use crate::model::{Account, AccountId, AttrId, Schema, Value, normal};
use crate::reconcile::Difference;
use crate::reconcile::compare::has_all;

/// What came of an action, as its run's journal has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastOutcome {
    /// The target did nothing for it.
    Nothing,
    Applied,
    /// The account was made, and what a create cannot carry was not set.
    AppliedInPart,
    /// The account was there already, made by somebody else.
    Adopted,
    Unknown,
}

/// An account that a run touched, as it is now.
#[derive(Clone, Copy, Debug)]
pub enum CurrentAccount<'a> {
    There(&'a Account),
    Gone,
    /// It could not be read, for this reason.
    Unreadable(&'a str),
}

/// One action of a run that is taken back.
#[derive(Clone, Copy, Debug)]
pub struct UndoneAction<'a> {
    /// The run's name, for the reasons.
    pub run: &'a str,
    pub action: &'a Action,
    pub past: PastOutcome,
    /// The account: of a create the one that was made.
    pub account: Option<&'a AccountId>,
}

impl UndoneAction<'_> {
    /// Whether it takes a look at the account to say what can be taken back.
    #[must_use]
    pub fn needs_account(&self) -> bool {
        match (self.past, self.action.action) {
            (PastOutcome::Nothing | PastOutcome::Unknown, _) | (_, ActionKind::Delete) => false,
            (past, kind) => past != PastOutcome::Adopted || kind != ActionKind::Create,
        }
    }

    /// What the run wrote.
    fn written_changes<'s>(&'s self, schema: &'s Schema) -> impl Iterator<Item = &'s Change> {
        let in_part = self.past == PastOutcome::AppliedInPart;
        self.action.changes.iter().filter(move |change| !(in_part && follow_up(schema, &change.attribute)))
    }

    /// Why the account is not as the run left it; none where it is. What the API does not show counts as left.
    #[must_use]
    pub fn changed_since(&self, schema: &Schema, account: &Account) -> Option<String> {
        let values =
            self.written_changes(schema).filter_map(|change| Some((schema.id(&change.attribute)?, &change.to)));
        if self.action.action == ActionKind::Create {
            // What the server added to a new account by itself is unknown, so keys other than those of the run prove nothing.
            let difference = has_all(schema, account, values).err()?;
            let now = difference.from.unwrap_or(Value::Null);
            let left = values_of(self, schema, difference.attribute).unwrap_or(&difference.to);
            return Some(describe_difference(schema.name(difference.attribute), left, &now));
        }
        values.filter(|(id, _)| schema.get(*id).comparable()).find_map(|(id, left)| {
            let now = account.values.get(id).unwrap_or(&Value::Null);
            (!normal::same(schema.get(id), left, now)).then(|| describe_difference(schema.name(id), left, now))
        })
    }
}

/// [`invert_action`], unless the account is one that is never touched: that is nobody's to order.
#[must_use]
pub fn decide_undone(
    ctx: &Context<'_>,
    protect: &ProtectPatterns,
    undone: &UndoneAction<'_>,
    now: CurrentAccount<'_>,
    written: impl Fn(AttrId, &Value) -> Option<bool>,
) -> Decision {
    if let CurrentAccount::There(account) = now {
        let names: Vec<&str> =
            std::iter::once(undone.action.key.as_str()).chain(undone.action.identity.as_deref()).collect();
        if let Some(reason) = protect.why_person_untouched(ctx.rules, account, &names) {
            let finding = undone_finding(undone, FindingKind::Protected, Vec::new(), reason);
            return Decision { finding: Some(finding), action: None };
        }
    }
    invert_action(ctx, undone, now, written)
}

/// What takes the action back, and what cannot be taken back of it. Neither, where the account is as it was before the
/// run. `written` answers whether an attribute that the API never shows still has the value that was last written, as
/// far as anybody remembers.
#[must_use]
fn invert_action(
    ctx: &Context<'_>,
    undone: &UndoneAction<'_>,
    now: CurrentAccount<'_>,
    written: impl Fn(AttrId, &Value) -> Option<bool>,
) -> Decision {
    let kind = undone.action.action;
    let say = |kind, reason: String| Decision {
        finding: Some(undone_finding(undone, kind, Vec::new(), reason)),
        action: None,
    };
    match undone.past {
        PastOutcome::Nothing => return Decision::default(),
        PastOutcome::Unknown => {
            let reason = format!("the outcome of the {kind} is unknown, so it cannot be undone");
            return say(FindingKind::Skipped, reason);
        }
        PastOutcome::Adopted if kind == ActionKind::Create => {
            let reason = "the account existed before the run: the run did not create it, so this is not undone";
            return say(FindingKind::Skipped, reason.to_owned());
        }
        PastOutcome::Adopted | PastOutcome::Applied | PastOutcome::AppliedInPart => {}
    }
    if kind == ActionKind::Delete {
        return say(FindingKind::Drift, "the account was deleted, and a deletion cannot be undone".to_owned());
    }
    match now {
        CurrentAccount::Gone => say(FindingKind::Skipped, "changed since the run: the account is gone".to_owned()),
        CurrentAccount::Unreadable(why) => {
            say(FindingKind::Skipped, format!("its present state could not be read: {why}"))
        }
        CurrentAccount::There(account) if kind == ActionKind::Create => {
            close_made_account(ctx, undone, account, &written)
        }
        CurrentAccount::There(account) => restore_values(ctx, undone, account, &written),
    }
}

/// An account that the run made is not taken away but closed: deleting it would take along what happened there since.
fn close_made_account(
    ctx: &Context<'_>,
    undone: &UndoneAction<'_>,
    account: &Account,
    written: &impl Fn(AttrId, &Value) -> Option<bool>,
) -> Decision {
    let schema = ctx.schema;
    let say = |kind, reason: String| Decision {
        finding: Some(undone_finding(undone, kind, Vec::new(), reason)),
        action: None,
    };
    let Some(lifecycle) = &schema.lifecycle else {
        return say(FindingKind::Drift, "the run created the account, but this target cannot deactivate it".into());
    };
    if schema.is_active(&account.values) == Some(false) {
        return say(FindingKind::Skipped, "the run created the account, and it is inactive already".into());
    }
    if let Some(why) = undone.changed_since(schema, account) {
        return say(FindingKind::Skipped, format!("changed since the run: {why}"));
    }
    let from = account.values.get(lifecycle.attribute).cloned().unwrap_or(Value::Null);
    let back = vec![Difference { attribute: lifecycle.attribute, from: Some(from), to: lifecycle.inactive.clone() }];
    let reason = format!("the run {} created the account; it stays, but inactive", undone.run);
    let action = restoring_action(ctx, undone, account, back, reason, written);
    Decision { action: Some(action), finding: None }
}

fn restore_values(
    ctx: &Context<'_>,
    undone: &UndoneAction<'_>,
    account: &Account,
    written: &impl Fn(AttrId, &Value) -> Option<bool>,
) -> Decision {
    let schema = ctx.schema;
    let mut lost = NotRestored::default();
    let mut back = Vec::new();
    let mut is_as_before = true;
    for change in undone.written_changes(schema) {
        let Some(id) = schema.id(&change.attribute) else {
            lost.unknown.push(change.clone());
            continue;
        };
        let attribute = schema.get(id);
        let Some(before) = change.from.as_ref().filter(|_| attribute.comparable()) else {
            lost.unseen.push(Change { from: None, ..change.clone() });
            continue;
        };
        let now = account.values.get(id).unwrap_or(&Value::Null);
        is_as_before &= normal::same(attribute, before, now);
        if attribute.update {
            back.push(Difference { attribute: id, from: Some(now.clone()), to: before_of(schema, id, before, change) });
        } else {
            lost.fixed.push(Change {
                attribute: change.attribute.clone(),
                from: Some(now.clone()),
                to: before.clone(),
            });
        }
    }
    let kept = |lost: NotRestored| lost.into_finding(undone);
    if !back.is_empty() && is_as_before {
        return Decision { action: None, finding: kept(lost) };
    }
    if let Some(why) = undone.changed_since(schema, account) {
        let reason = format!("changed since the run: {why}");
        return Decision {
            finding: Some(undone_finding(undone, FindingKind::Skipped, Vec::new(), reason)),
            action: None,
        };
    }
    let finding = kept(lost);
    if back.is_empty() {
        return Decision { action: None, finding };
    }
    let reason = format!("takes back the {} of the run {}", undone.action.action, undone.run);
    let taken = taken_keys(schema, &back);
    let mut action = restoring_action(ctx, undone, account, back, reason, written);
    action.warnings.extend(taken);
    Decision { action: Some(action), finding }
}

/// The value before a run. An account that did not say whether it is in use was in use if it was deactivated, and the
/// other way round: to send that it says nothing would not bring that back.
fn before_of(schema: &Schema, id: AttrId, before: &Value, change: &Change) -> Value {
    match &schema.lifecycle {
        Some(lifecycle) if lifecycle.attribute == id && before.is_blank() => {
            let was_closed = normal::same(schema.get(id), &change.to, &lifecycle.inactive);
            if was_closed { lifecycle.active.clone() } else { lifecycle.inactive.clone() }
        }
        _ => before.clone(),
    }
}

fn restoring_action(
    ctx: &Context<'_>,
    undone: &UndoneAction<'_>,
    account: &Account,
    back: Vec<Difference>,
    reason: String,
    written: &impl Fn(AttrId, &Value) -> Option<bool>,
) -> Action {
    let schema = ctx.schema;
    let kind = match status_change(schema, &back) {
        Some(true) => ActionKind::Reactivate,
        Some(false) => ActionKind::Deactivate,
        None => ActionKind::Update,
    };
    // What the API never shows is sent along as the run left it, where nobody wrote anything else since.
    let unseen = |id: AttrId| values_of(undone, schema, id).filter(|value| written(id, value) == Some(true));
    let also = sent_along(ctx, account, unseen, &back);
    let about = describe_account(ctx, account, &back, &also);
    Action {
        seq: 0,
        action: kind,
        key: undone.action.key.clone(),
        identity: undone.action.identity.clone(),
        account: Some(account.id.clone()),
        matched: None,
        // No row speaks for it, so the account is read once more before it is changed.
        source: None,
        changes: as_changes(schema, back),
        also,
        about,
        active: if kind == ActionKind::Update { schema.is_active(&account.values) } else { None },
        reason: Some(reason),
        warnings: if kind.takes_away() { leaver_warnings(schema, account) } else { Vec::new() },
        requests: 2,
        held: false,
    }
}

/// The value that the run sent of an attribute, changed or along with the others.
fn values_of<'u>(undone: &UndoneAction<'u>, schema: &Schema, id: AttrId) -> Option<&'u Value> {
    let name = schema.name(id);
    let changed = undone.action.changes.iter().find(|change| change.attribute == name).map(|change| &change.to);
    changed.or_else(|| undone.action.also.get(name))
}

/// Keys that the run added to an object and that are to go again.
fn taken_keys(schema: &Schema, back: &[Difference]) -> Vec<String> {
    let objects = back.iter().filter(|difference| schema.get(difference.attribute).merge);
    objects
        .filter_map(|Difference { attribute, from, to }| {
            let before = to.as_object();
            let added: Vec<&str> = from
                .as_ref()?
                .as_object()?
                .keys()
                .filter(|key| before.is_none_or(|before| !before.contains_key(*key)))
                .map(String::as_str)
                .collect();
            let name = schema.name(*attribute);
            (!added.is_empty()).then(|| format!("{} of {name} is removed, unless the API keeps it", added.join(", ")))
        })
        .collect()
}

/// What a run wrote and nobody can put back.
#[derive(Default)]
struct NotRestored {
    /// The API never showed what was there before.
    unseen: Vec<Change>,
    /// No update can set it.
    fixed: Vec<Change>,
    /// The target has no such attribute, as it is configured now.
    unknown: Vec<Change>,
}

impl NotRestored {
    fn into_finding(self, undone: &UndoneAction<'_>) -> Option<Finding> {
        let Self { unseen, fixed, unknown } = self;
        let names = |changes: &[Change]| changes.iter().map(|c| c.attribute.as_str()).collect::<Vec<_>>().join(", ");
        let reasons: Vec<String> = [
            (&unseen, "the API never shows", ", so what was there before the run is not known"),
            (&fixed, "the API cannot change", " back"),
            (&unknown, "the target has no", " as it is configured now"),
        ]
        .into_iter()
        .filter(|(changes, ..)| !changes.is_empty())
        .map(|(changes, why, end)| format!("{why} {}{end}", names(changes)))
        .collect();
        if reasons.is_empty() {
            return None;
        }
        let changes = unseen.into_iter().chain(fixed).chain(unknown).collect();
        Some(undone_finding(undone, FindingKind::Drift, changes, format!("not taken back: {}", reasons.join("; "))))
    }
}

fn undone_finding(undone: &UndoneAction<'_>, kind: FindingKind, changes: Vec<Change>, reason: String) -> Finding {
    Finding {
        finding: kind,
        key: undone.action.key.clone(),
        identity: undone.action.identity.clone(),
        account: undone.account.or(undone.action.account.as_ref()).cloned(),
        matched: None,
        source: None,
        changes,
        reason,
    }
}

fn describe_difference(name: &str, left: &Value, now: &Value) -> String {
    let shown = |value: &Value| if value.is_blank() { "empty".to_owned() } else { value.to_string() };
    format!("{name} was left as {} and is {}", shown(left), shown(now))
}

#[cfg(test)]
mod tests;
