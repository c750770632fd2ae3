//! The numbers of a report, for every form that people read.

use crate::plan::safety::ActionGroup;
use crate::plan::{ActionKind, FindingKind};

use super::Head;
use super::record::HeldKind;

/// One line of the table.
pub(super) struct CountRow {
    pub name: &'static str,
    /// In a plan and of findings: how many. For requests: how many were estimated.
    pub planned: u64,
    /// In a run, of actions and requests: how many of them came to be.
    pub applied: Option<u64>,
    pub remark: Option<String>,
}

/// The lines whose numbers are not zero, and the requests in any case.
pub(super) fn count_rows(head: &Head) -> Vec<CountRow> {
    let summary = &head.summary;
    let is_run = head.is_run();
    let plain = |name, planned| CountRow { name, planned, applied: None, remark: None };

    let actions = action_rows(head);
    let troubles = [plain("held", summary.held), plain("failed", summary.failed), plain("unknown", summary.unknown)];
    let findings = FindingKind::ALL.into_iter().map(|kind| plain(kind.as_str(), summary.found.get(kind)));
    let requests = CountRow {
        name: "requests",
        planned: summary.requests.estimated,
        applied: is_run.then_some(summary.requests.total),
        remark: None,
    };

    actions.chain(troubles.into_iter().chain(findings).filter(|count| count.planned > 0)).chain([requests]).collect()
}

/// The kinds of action of which there are any.
pub(super) fn action_rows(head: &Head) -> impl Iterator<Item = CountRow> {
    let (summary, is_run) = (&head.summary, head.is_run());
    let counts = ActionKind::ALL.into_iter().map(move |kind| CountRow {
        name: kind.as_str(),
        planned: summary.planned.get(kind),
        applied: is_run.then(|| summary.applied.get(kind)),
        remark: held_remark(head, kind),
    });
    counts.filter(|count| count.planned > 0 || count.applied.is_some_and(|applied| applied > 0))
}

/// How many actions of this kind are held, of what limit. A limit counts several kinds together and holds all of them.
pub(super) fn held_of(head: &Head, kind: ActionKind) -> Option<(u64, &HeldKind)> {
    let held = head.held.iter().find(|held| held.kind == ActionGroup::of_kind(kind))?;
    Some((head.summary.planned.get(kind).min(held.count), held))
}

fn held_remark(head: &Head, kind: ActionKind) -> Option<String> {
    let (own, held) = held_of(head, kind)?;
    let together = if own == held.count { String::new() } else { format!(" of {} together", held.count) };
    Some(format!("{own} held{together}, the limit is {}", held.limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::rich_plan;

    #[test]
    fn a_limit_that_counts_two_kinds_together_is_told_of_both() {
        let mut head = rich_plan().head;
        (head.held[0].kind, head.held[0].count, head.held[0].limit) = (ActionGroup::Update, 3, 1);
        assert_eq!(held_remark(&head, ActionKind::Reactivate).unwrap(), "1 held of 3 together, the limit is 1");
        assert_eq!(held_remark(&head, ActionKind::Update).unwrap(), "2 held of 3 together, the limit is 1");
        assert_eq!(held_remark(&head, ActionKind::Create), None);
    }
}
