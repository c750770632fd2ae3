//! What becomes of one row, once every account was seen.

use super::{Context, Decision, decide_known, decide_newcomer, row_finding};
use crate::model::{Account, AccountId, AttrId, Desired, Value};
use crate::plan::protect::ProtectPatterns;
use crate::plan::{Finding, FindingKind, SourceLine};
use crate::reconcile::{Comparison, FoundBy, RowVerdict, Settlement, compare_desired};

/// A row, its verdict, and what the verdict names.
pub struct RowCase<'a> {
    pub settlement: &'a Settlement,
    pub desired: &'a Desired,
    pub source: SourceLine,
    /// The other row that the verdict names.
    pub other: Option<SourceLine>,
    /// The accounts that the verdict names, in its order.
    pub accounts: &'a [Account],
    /// What a new account must have and the row has no value for.
    pub missing: &'a [AttrId],
}

/// What is made of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowDecision {
    /// Neither action nor finding: the account already matches the row.
    pub decision: Decision,
    /// The account that is to be remembered for the row's identity.
    pub link: Option<AccountId>,
    /// None where it did not come to comparing.
    pub comparison: Option<Comparison>,
}

/// Decides about a row. `written` answers whether a write-only attribute still has the value that was last written, as
/// far as anybody remembers.
#[must_use]
pub fn decide_row(
    ctx: &Context<'_>,
    protect: &ProtectPatterns,
    case: &RowCase<'_>,
    written: impl Fn(AttrId, &Value) -> Option<bool>,
) -> RowDecision {
    let RowCase { settlement, desired, source, accounts, .. } = case;
    let other = || case.other.as_ref().map(ToString::to_string).unwrap_or_default();
    let conflict =
        |reason: String| only_finding(row_finding(ctx, FindingKind::Conflict, desired, source.clone(), reason));
    match (&settlement.verdict, accounts.first()) {
        (RowVerdict::Dropped { .. }, _) => {
            let reason = format!("{} is the row that counts for this person (source.duplicates)", other());
            only_finding(row_finding(ctx, FindingKind::Skipped, desired, source.clone(), reason))
        }
        (RowVerdict::Equal { .. }, account) => RowDecision {
            link: account.and_then(|account| new_link(desired, account)),
            comparison: Some(Comparison::default()),
            ..RowDecision::default()
        },
        _ if settlement.protected => {
            let reason = "a pattern of policy.protect matches the row".to_owned();
            only_finding(row_finding(ctx, FindingKind::Protected, desired, source.clone(), reason))
        }
        (RowVerdict::SameKey { by, .. }, _) => {
            let what = match by {
                FoundBy::Link => "remembered account",
                FoundBy::Rule(_) => found_by(ctx, *by),
            };
            conflict(format!("{source} and {} have the same {what}", other()))
        }
        (RowVerdict::Ambiguous { .. }, _) => {
            let ids: Vec<_> = accounts.iter().map(|account| account.id.as_str()).collect();
            conflict(format!("several accounts match this row: {}", ids.join(", ")))
        }
        (RowVerdict::Claimed { .. }, Some(Account { id, .. })) => {
            let reason = format!("{source} and {} both match account {id}", other());
            let about = row_finding(ctx, FindingKind::Conflict, desired, source.clone(), reason);
            only_finding(Finding { account: Some(id.clone()), ..about })
        }
        (RowVerdict::Matched { found, .. }, Some(account)) => {
            decide_matched(ctx, protect, case, account, found_by(ctx, *found), written)
        }
        (RowVerdict::Missing, _) => RowDecision {
            decision: decide_newcomer(ctx, desired, source.clone(), case.missing),
            ..RowDecision::default()
        },
        (RowVerdict::Claimed { .. } | RowVerdict::Matched { .. }, None) => {
            conflict("the account that matches this row cannot be read".to_owned())
        }
    }
}

fn decide_matched(
    ctx: &Context<'_>,
    protect: &ProtectPatterns,
    RowCase { settlement, desired, source, .. }: &RowCase<'_>,
    account: &Account,
    matched: &str,
    written: impl Fn(AttrId, &Value) -> Option<bool>,
) -> RowDecision {
    if let Some(reason) = protect.why_untouched(ctx.rules, account) {
        return only_finding(Finding {
            account: Some(account.id.clone()),
            matched: Some(matched.to_owned()),
            ..row_finding(ctx, FindingKind::Protected, desired, source.clone(), reason)
        });
    }
    let comparison = compare_desired(ctx.schema, desired, account, |id| ctx.always.contains(id), written);
    let decision = if comparison.is_equal() {
        Decision::default()
    } else {
        decide_known(ctx, desired, source.clone(), account, matched, comparison.clone())
    };
    let link = if settlement.linked { None } else { new_link(desired, account) };
    RowDecision { decision, link, comparison: Some(comparison) }
}

/// How plans name the rule by which an account was found.
#[must_use]
pub fn found_by<'a>(ctx: &Context<'a>, found: FoundBy) -> &'a str {
    match found {
        FoundBy::Link => "link",
        FoundBy::Rule(rule) => ctx.rules.get(rule).map_or("", |rule| rule.label.as_str()),
    }
}

fn new_link(desired: &Desired, account: &Account) -> Option<AccountId> {
    (!desired.identity.is_empty()).then(|| account.id.clone())
}

fn only_finding(finding: Finding) -> RowDecision {
    RowDecision { decision: Decision { action: None, finding: Some(finding) }, ..RowDecision::default() }
}
