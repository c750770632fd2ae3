//! What machines are told once a run is over, however it ended: numbers in a file for whoever collects metrics, a
//! message to a webhook.
//!
//! The law kept here: nothing of it can change how the run ended, or hold it up for longer than a fixed time; and neither
//! the file nor the message holds a secret, or anything of a person.

mod message;
pub mod metrics;
pub mod webhook;
mod wire;

use jiff::Timestamp;

use crate::report::Head;

/// A run that is over, or what was to become one and failed before anything was changed.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedRun {
    pub head: Head,
    /// Accounts of the listing that the run's plan was made from; none where there was no such listing.
    pub accounts: Option<u64>,
    pub at: Timestamp,
}

#[cfg(test)]
mod samples {
    use super::FinishedRun;
    use crate::model::CommandName;
    use crate::plan::action::{ActionCounts, FindingCounts};
    use crate::plan::safety::ActionGroup;
    use crate::report::record::HeldKind;
    use crate::report::summary::{ProblemKind, QuotaSummary, Requests, SummaryOutcome, SummaryProblem};
    use crate::report::{Head, RecordKind, Summary};

    /// A run of which some things went well, some were held, and some failed.
    pub fn partial() -> FinishedRun {
        let summary = Summary {
            headcount_summary: 1,
            command: CommandName::Sync,
            run: "20261122T030000Z-0ce93e".into(),
            tenant: "acme".into(),
            outcome: SummaryOutcome::Partial,
            planned: ActionCounts { create: 31, update: 32, deactivate: 80, reactivate: 4, delete: 0 },
            found: FindingCounts { unchanged: 174, drift: 2, invalid: 2, ..FindingCounts::default() },
            applied: ActionCounts { create: 30, update: 32, deactivate: 0, reactivate: 4, delete: 0 },
            held: 80,
            failed: 1,
            unknown: 0,
            requests: Requests { auth: 1, list: 25, lookup: 0, write: 67, retried: 2, total: 93, estimated: 93 },
            quota: Some(QuotaSummary {
                limit: Some(10_000),
                remaining: 9_907,
                resets_at: Some("2026-11-23T00:00:00Z".parse().unwrap()),
            }),
            elapsed_seconds: 20.7,
            exit_code: 4,
            forecast: None,
            error: None,
        };
        let approve = "7132b6b6c29d".into();
        let head = Head {
            of: RecordKind::Run,
            started_at: "2026-11-22T03:00:00Z".parse().unwrap(),
            target: "imichat https://acme.imi.chat/v3.1".into(),
            summary,
            accounts: Some(1187),
            held: vec![HeldKind { kind: ActionGroup::Deactivate, count: 80, limit: 50, approve }],
            notes: Vec::new(),
            against: None,
            takes_back: None,
            rest: None,
        };
        FinishedRun { head, accounts: Some(1187), at: "2026-11-22T03:00:20Z".parse().unwrap() }
    }

    /// One that failed before anything was changed.
    pub fn failed(message: &str) -> FinishedRun {
        let mut over = partial();
        over.accounts = None;
        over.head.held.clear();
        let summary = &mut over.head.summary;
        (summary.planned, summary.applied, summary.found) = Default::default();
        (summary.held, summary.failed, summary.exit_code) = (0, 0, 1);
        (summary.run, summary.outcome, summary.quota) = (String::new(), SummaryOutcome::Failed, None);
        summary.error = Some(SummaryProblem { kind: ProblemKind::Source, message: message.into(), hint: None });
        over
    }
}
