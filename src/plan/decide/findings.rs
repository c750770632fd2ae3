//! Findings about one row or one account, and the names by which people know them.

use super::Context;
use crate::model::{Account, AttrId, Desired, Value};
use crate::plan::{Finding, FindingKind, SourceLine};

/// A finding about a row that no account takes part in.
#[must_use]
pub fn row_finding(
    ctx: &Context<'_>,
    finding: FindingKind,
    desired: &Desired,
    source: SourceLine,
    reason: String,
) -> Finding {
    Finding {
        finding,
        key: key_of_row(ctx, desired),
        identity: identity_of(desired),
        account: None,
        matched: None,
        source: Some(source),
        changes: Vec::new(),
        reason,
    }
}

/// A finding about an account that no row takes part in.
#[must_use]
pub fn account_finding(ctx: &Context<'_>, finding: FindingKind, account: &Account, reason: String) -> Finding {
    Finding {
        finding,
        key: key_of_account(ctx, account),
        identity: None,
        account: Some(account.id.clone()),
        matched: None,
        source: None,
        changes: Vec::new(),
        reason,
    }
}

/// The name by which people know a row: its value under the first match rule that it has a value for.
#[must_use]
pub fn key_of_row(ctx: &Context<'_>, desired: &Desired) -> String {
    first_key(ctx, |id| desired.value(id)).unwrap_or_else(|| desired.identity.clone())
}

/// The name by which people know an account.
#[must_use]
pub fn key_of_account(ctx: &Context<'_>, account: &Account) -> String {
    first_key(ctx, |id| account.values.get(id)).unwrap_or_else(|| account.id.to_string())
}

fn first_key<'v>(ctx: &Context<'_>, value: impl Fn(AttrId) -> Option<&'v Value>) -> Option<String> {
    ctx.rules.iter().find_map(|rule| {
        let parts: Option<Vec<_>> =
            rule.attributes.iter().map(|id| value(*id).filter(|v| !v.is_blank()).map(ToString::to_string)).collect();
        parts.map(|parts| parts.join("+"))
    })
}

pub(super) fn identity_of(desired: &Desired) -> Option<String> {
    (!desired.identity.is_empty()).then(|| desired.identity.clone())
}
