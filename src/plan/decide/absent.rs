//! An account without a row: how long it must be absent, and what follows then.

use std::collections::BTreeMap;

use super::{
    Context, Decision, account_finding, as_changes, describe_account, key_of_account, leaver_warnings, sent_along,
};
use crate::model::{Account, Value};
use crate::plan::{Absent, Action, ActionKind, FindingKind};
use crate::reconcile::Difference;

/// How an account without a row stands against the grace that `policy.absent_for` asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsenceAge {
    /// Runs in a row without it, this one included.
    pub runs: u32,
    /// Whole days since it was first found absent.
    pub days: u32,
    /// Why nothing may be concluded from an absence now: an incomplete listing, a source of another shape.
    pub doubt: Option<String>,
}

/// An account without a row.
#[must_use]
pub fn decide_absent(ctx: &Context<'_>, account: &Account, absence: &AbsenceAge) -> Decision {
    let say = |reason: String| Decision {
        finding: Some(account_finding(ctx, FindingKind::Absent, account, reason)),
        action: None,
    };
    let active = ctx.schema.is_active(&account.values);
    let kind = match ctx.policy.absent {
        Absent::Ignore => return Decision::default(),
        Absent::Report if active == Some(false) => return say("no row; the account is inactive".to_owned()),
        Absent::Report => return say("no row; policy.absent is \"report\"".to_owned()),
        Absent::Deactivate if active == Some(false) => return say("no row; the account is inactive already".to_owned()),
        Absent::Deactivate => ActionKind::Deactivate,
        Absent::Delete => ActionKind::Delete,
    };
    if let Some(doubt) = &absence.doubt {
        return say(format!("no row, but that proves nothing: {doubt}"));
    }
    let grace = ctx.policy.absent_for;
    if absence.runs < grace.runs || absence.days < grace.days {
        return say(format!(
            "no row for {} of {} runs and {} of {} days",
            absence.runs.min(grace.runs),
            grace.runs,
            absence.days.min(grace.days),
            grace.days
        ));
    }
    let changes: Vec<_> = match (&ctx.schema.lifecycle, kind) {
        (Some(lifecycle), ActionKind::Deactivate) => vec![Difference {
            attribute: lifecycle.attribute,
            from: Some(account.values.get(lifecycle.attribute).cloned().unwrap_or(Value::Null)),
            to: lifecycle.inactive.clone(),
        }],
        (None, ActionKind::Deactivate) => return say("no row; this target has no way to deactivate".to_owned()),
        _ => Vec::new(),
    };
    let also =
        if kind == ActionKind::Deactivate { sent_along(ctx, account, |_| None, &changes) } else { BTreeMap::new() };
    let about = describe_account(ctx, account, &changes, &also);
    let action = Action {
        seq: 0,
        action: kind,
        key: key_of_account(ctx, account),
        identity: None,
        account: Some(account.id.clone()),
        matched: None,
        source: None,
        changes: as_changes(ctx.schema, changes),
        also,
        about,
        active: None,
        reason: Some(format!("no row for {} runs and {} days", absence.runs, absence.days)),
        warnings: leaver_warnings(ctx.schema, account),
        // The account is read once more before access is taken away for an absence.
        requests: 2,
        held: false,
    };
    Decision { action: Some(action), finding: None }
}
