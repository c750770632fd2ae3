//! The table of counts that stands above the entries, for every form that people read.

use crate::plan::{ActionKind, FindingKind};

use super::Head;

/// One line of the table.
pub(super) struct Count {
    pub name: &'static str,
    /// In a plan and of findings: how many. For requests: how many were estimated.
    pub planned: u64,
    /// In a run, of actions and requests: how many of them came to be.
    pub applied: Option<u64>,
    pub remark: Option<String>,
}

/// The lines whose numbers are not zero, and the requests in any case.
pub(super) fn counts(head: &Head) -> Vec<Count> {
    let summary = &head.summary;
    let is_run = head.is_run();
    let plain = |name, planned| Count { name, planned, applied: None, remark: None };

    let actions = ActionKind::ALL.into_iter().map(|kind| Count {
        name: kind.name(),
        planned: summary.planned.get(kind),
        applied: is_run.then(|| summary.applied.get(kind)),
        remark: remark(head, kind),
    });
    let troubles = [plain("held", summary.held), plain("failed", summary.failed), plain("unknown", summary.unknown)];
    let findings = FindingKind::ALL.into_iter().map(|kind| plain(kind.name(), summary.found.get(kind)));
    let requests = Count {
        name: "requests",
        planned: summary.requests.estimated,
        applied: is_run.then_some(summary.requests.total),
        remark: None,
    };

    let is_something = |count: &Count| count.planned > 0 || count.applied.is_some_and(|applied| applied > 0);
    actions.chain(troubles).chain(findings).filter(is_something).chain([requests]).collect()
}

fn remark(head: &Head, kind: ActionKind) -> Option<String> {
    let held = head.held.iter().find(|held| held.kind == kind.name())?;
    Some(format!("{} held, the limit is {}", held.count, held.limit))
}
