//! Plans and runs in numbers: the summary that scripts read, and the head of every report.

use std::time::Duration;

use super::error::{AppError, ErrorKind};
use crate::connectors::Meter;
use crate::model::CommandName;
use crate::plan::file::PlanHeader;
use crate::plan::safety::ActionGroup;
use crate::report::record::HeldKind;
use crate::report::summary::{QuotaSummary, Requests, SummaryOutcome};
use crate::report::{Head, RecordKind, Summary, TakesBack};

/// A summary of nothing yet.
#[must_use]
pub fn blank_summary(command: CommandName, tenant: String, outcome: SummaryOutcome) -> Summary {
    Summary {
        headcount_summary: 1,
        command,
        run: String::new(),
        tenant,
        outcome,
        planned: Default::default(),
        found: Default::default(),
        applied: Default::default(),
        held: 0,
        failed: 0,
        unknown: 0,
        requests: Default::default(),
        quota: None,
        forecast: None,
        elapsed_seconds: 0.0,
        exit_code: exit_code_of(outcome),
        error: None,
    }
}

/// The number by which scripts know an outcome.
#[must_use]
pub fn exit_code_of(outcome: SummaryOutcome) -> u8 {
    match outcome {
        SummaryOutcome::Planned | SummaryOutcome::NoChanges | SummaryOutcome::Complete => 0,
        SummaryOutcome::Failed => 1,
        SummaryOutcome::Partial => 4,
        SummaryOutcome::Held => 5,
        SummaryOutcome::Paused => 6,
    }
}

/// The summary of a plan that is not over yet, with whatever command it is worked on.
pub(super) fn summarise_plan(
    header: &PlanHeader,
    command: CommandName,
    requests: Requests,
    quota: Option<QuotaSummary>,
) -> Summary {
    let held = count_held(header);
    let outcome = if held > 0 || !header.stopped.is_empty() {
        SummaryOutcome::Held
    } else if header.counts.actions.count_all() == 0 {
        SummaryOutcome::NoChanges
    } else {
        SummaryOutcome::Planned
    };
    Summary {
        run: header.plan.clone(),
        planned: header.counts.actions,
        found: header.counts.findings,
        held,
        requests,
        quota,
        exit_code: 0,
        ..blank_summary(command, header.tenant.clone(), outcome)
    }
}

/// Why nothing of a plan may be done.
pub(super) fn stop_error(header: &PlanHeader) -> Option<AppError> {
    (!header.stopped.is_empty()).then(|| {
        AppError::new(ErrorKind::Safety, header.stopped.join("; "))
            .with_hint("look at the export; if it is right, change the limit in [safety]")
    })
}

/// How many of a plan's actions wait for an approval, or for a source that is not broken.
fn count_held(header: &PlanHeader) -> u64 {
    if header.stopped.is_empty() {
        header.held.values().map(|held| held.count).sum()
    } else {
        header.counts.actions.count_all()
    }
}

/// Requests that were not sent yet.
pub(super) fn estimated_requests(estimated: u64) -> Requests {
    Requests { estimated, ..Requests::default() }
}

/// What a meter says, as the summary has it.
pub(super) fn count_requests(meter: &Meter, estimated: u64) -> Requests {
    let sent = meter.sent_so_far();
    Requests {
        auth: sent.auth,
        list: sent.list,
        lookup: sent.lookup,
        write: sent.write,
        retried: sent.retried,
        total: sent.total,
        estimated,
    }
}

/// What was sent so far, repeats left out: so much it would have taken without a fault.
pub(super) fn count_spent(meter: &Meter) -> u64 {
    let sent = meter.sent_so_far();
    sent.total.saturating_sub(sent.retried)
}

pub(super) fn read_quota(meter: &Meter) -> Option<QuotaSummary> {
    meter.quota().map(|quota| QuotaSummary {
        limit: quota.limit,
        remaining: quota.remaining,
        resets_at: quota.resets_at,
    })
}

/// Seconds as summaries have them, to the millisecond.
#[must_use]
pub fn round_seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

/// The head of a report on a plan or a run.
pub(super) fn report_head(
    subject: RecordKind,
    header: &PlanHeader,
    mut summary: Summary,
    released: &[ActionGroup],
) -> Head {
    let held: Vec<_> = header
        .held
        .iter()
        .filter(|(group, _)| !released.contains(group))
        .map(|(group, held)| HeldKind {
            kind: *group,
            count: held.count,
            limit: held.limit,
            approve: held.approve.clone(),
        })
        .collect();
    // What is about to be released is not held any more; of a run the executor knows.
    if subject == RecordKind::Plan && header.stopped.is_empty() {
        summary.held = held.iter().map(|held: &HeldKind| held.count).sum();
    }
    // Where that is the summary's error it is said there.
    let mut notes = if summary.error.is_some() { Vec::new() } else { header.stopped.clone() };
    if !header.listing.complete {
        notes.push("the listing is not complete, so nothing is done because a row or an account is missing".to_owned());
    }
    notes.extend(header.listing.notes.iter().cloned());
    notes.extend(header.source.notes.iter().cloned());
    if let Some(file) = &header.against {
        notes.push(format!("compared with {file}, not with the live tenant: this plan can be read, not applied"));
    }
    if let Some(run) = &header.rollback_of {
        notes.push(format!("takes back what the run {run} changed"));
    }
    Head {
        of: subject,
        started_at: header.created_at,
        target: header.target.clone(),
        summary,
        held,
        accounts: Some(header.listing.accounts),
        notes,
        against: header.against.clone(),
        takes_back: header.rollback_of.as_ref().map(|run| TakesBack { run: run.clone(), plan: header.plan.clone() }),
        rest: None,
    }
}
