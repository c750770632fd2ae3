//! Plans and runs from their files, as the one record that every report is rendered from.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use super::failure::Failure;
use crate::journal::{Event, Journal, RunId, RunState, StateDir, Step, StepState};
use crate::plan::Action;
use crate::plan::file::{Header, PlanReader, verify};
use crate::plan::safety::Group;
use crate::report::record::HeldKind;
use crate::report::summary::{Quota, Requests, SummaryOutcome};
use crate::report::{Entry, Head, Outcome, OutcomeResult, RunRecord, Summary};
use crate::survey::{PlanFiles, read_findings};
use crate::target::Meter;

/// A plan file, verified.
pub fn verified(path: &Path) -> Result<(Header, String), Failure> {
    let file = File::open(path).map_err(|error| {
        Failure::new("plan", format!("{}: {error}", path.display())).hint("`headcount plan -o PLAN` writes a plan")
    })?;
    let (header, digest) = verify(BufReader::new(file)).map_err(|error| {
        let failure = Failure::from(error);
        Failure { message: format!("{}: {}", path.display(), failure.message), ..failure }
    })?;
    Ok((header, digest))
}

/// The summary of a plan.
pub fn plan_summary(header: &Header, command: &str, requests: Requests, quota: Option<Quota>) -> Summary {
    let held = held_actions(header);
    let outcome = if held > 0 || !header.stopped.is_empty() {
        SummaryOutcome::Held
    } else if header.counts.actions.total() == 0 {
        SummaryOutcome::NoChanges
    } else {
        SummaryOutcome::Planned
    };
    Summary {
        headcount_summary: 1,
        command: command.to_owned(),
        run: header.plan.clone(),
        tenant: header.tenant.clone(),
        outcome,
        planned: header.counts.actions,
        found: header.counts.findings,
        applied: Default::default(),
        held,
        failed: 0,
        unknown: 0,
        requests,
        quota,
        elapsed_seconds: 0.0,
        exit_code: 0,
        error: None,
    }
}

/// How many of a plan's actions wait for an approval, or for a source that is not broken.
pub fn held_actions(header: &Header) -> u64 {
    if header.stopped.is_empty() {
        header.held.values().map(|held| held.count).sum()
    } else {
        header.counts.actions.total()
    }
}

/// What a meter says, as the summary has it.
pub fn requests(meter: Option<&Meter>, estimated: u64) -> Requests {
    let sent = meter.map(Meter::sent).unwrap_or_default();
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

pub fn quota(meter: Option<&Meter>) -> Option<Quota> {
    meter.and_then(Meter::quota).map(|quota| Quota {
        limit: quota.limit,
        remaining: quota.remaining,
        resets_at: quota.resets_at,
    })
}

/// The head of a report on a plan or a run.
pub fn head(of: &str, header: &Header, mut summary: Summary, released: &[Group]) -> Head {
    let held: Vec<_> = header
        .held
        .iter()
        .filter(|(group, _)| !released.contains(group))
        .map(|(group, held)| HeldKind {
            kind: group.name().to_owned(),
            count: held.count,
            limit: held.limit,
            approve: held.approve.clone(),
        })
        .collect();
    // What is about to be released is not held any more; of a run the executor knows.
    if of == "plan" && header.stopped.is_empty() {
        summary.held = held.iter().map(|held: &HeldKind| held.count).sum();
    }
    // Where that is the summary's error it is said there.
    let mut notes = if summary.error.is_some() { Vec::new() } else { header.stopped.clone() };
    if !header.listing.complete {
        notes.push("the listing is not complete: nothing is done on the strength of an absence".to_owned());
    }
    notes.extend(header.listing.notes.iter().cloned());
    if let Some(file) = &header.against {
        notes.push(format!("compared with {file}, not with the live tenant: this plan can be read, not applied"));
    }
    Head {
        of: of.to_owned(),
        started_at: header.created_at,
        target: header.target.clone(),
        summary,
        held,
        accounts: Some(header.listing.accounts),
        notes,
        against: header.against.clone(),
    }
}

/// Everything that a plan says: its actions, then its findings.
pub fn of_plan<'a>(head: Head, files: &PlanFiles) -> Result<RunRecord<'a>, Failure> {
    let actions = actions(&files.plan)?.map(|action| Ok(Entry::Action { action: action?, outcome: None }));
    Ok(RunRecord::from_parts(head, Box::new(actions.chain(findings(&files.findings)?))))
}

/// Everything that a run says: its actions with what came of them, then its findings.
pub fn of_run<'a>(
    head: Head,
    state: &StateDir,
    journal: &Journal,
    run: RunId,
    released: Vec<Group>,
) -> Result<RunRecord<'a>, Failure> {
    let files = PlanFiles::within(&state.run(run));
    let history = journal.run(run)?.ok_or_else(|| no_run(&run.to_string()))?;
    let mut times = std::collections::HashMap::new();
    for event in journal.events(run) {
        if let Event::Outcome { at, seq, .. } = event? {
            times.insert(seq, at);
        }
    }
    let selection = history.head().selection.clone().unwrap_or_default();
    let mut taken = 0;
    let actions = actions(&files.plan)?.filter_map(move |action| {
        let action = match action {
            Ok(action) => action,
            Err(error) => return Some(Err(error)),
        };
        let held = action.held && !released.contains(&Group::of(action.action));
        if !selection.matches(&action) || (!held && !selection.takes(&mut taken)) {
            return None;
        }
        let mut outcome = outcome(&history, &action, held);
        outcome.at = times.get(&action.seq).copied();
        Some(Ok(Entry::Action { action, outcome: Some(outcome) }))
    });
    Ok(RunRecord::from_parts(head, Box::new(actions.chain(findings(&files.findings)?))))
}

pub fn no_run(name: &str) -> Failure {
    Failure::new("journal", format!("there is no run {name}")).hint("`headcount runs` lists the runs")
}

/// What came of an action, by its steps.
fn outcome(history: &RunState, action: &Action, held: bool) -> Outcome {
    let steps = history.action(action.seq);
    let (step, state) = match steps.first {
        StepState::Applied | StepState::Adopted if steps.follow_up != StepState::Pending => {
            (Step::FollowUp, steps.follow_up)
        }
        state => (Step::First, state),
    };
    let result = match state {
        StepState::Pending | StepState::NotThere if held => OutcomeResult::Held,
        StepState::Pending | StepState::NotThere => OutcomeResult::Pending,
        StepState::Open | StepState::Unknown => OutcomeResult::Unknown,
        StepState::Applied => OutcomeResult::Applied,
        StepState::Adopted => OutcomeResult::Adopted,
        StepState::Failed => OutcomeResult::Failed,
        StepState::Skipped => OutcomeResult::Skipped,
    };
    let remark = history.remark(action.seq, step);
    let message = remark.map(|remark| remark.message.clone());
    let message = match (step, message) {
        (Step::FollowUp, Some(message)) => Some(format!("created, but not completed: {message}")),
        (_, message) => message,
    };
    Outcome {
        result,
        message,
        code: remark.and_then(|remark| remark.code),
        trxid: remark.and_then(|remark| remark.trxid.clone()),
        at: None,
    }
}

fn actions(plan: &Path) -> Result<impl Iterator<Item = io::Result<Action>> + use<>, Failure> {
    let file = File::open(plan).map_err(|error| Failure::new("plan", format!("{}: {error}", plan.display())))?;
    let mut reader = PlanReader::new(BufReader::new(file))?;
    Ok(std::iter::from_fn(move || reader.next().map_err(io::Error::other).transpose()))
}

fn findings(path: &Path) -> Result<impl Iterator<Item = io::Result<Entry>> + use<>, Failure> {
    let findings = read_findings(path).map_err(|error| Failure::new("plan", format!("{}: {error}", path.display())))?;
    Ok(findings.map(|finding| finding.map(Entry::Finding)))
}

/// Which groups of held actions the hashes release.
///
/// # Errors
/// A hash that names nothing that is held: the plan is not the one that was approved.
pub fn released(header: &Header, approved: &[String]) -> Result<Vec<Group>, Failure> {
    header.released(approved).map_err(|hash| {
        let known: Vec<_> =
            header.held.iter().map(|(group, held)| format!("{} ({})", held.approve, group.name())).collect();
        let hint = if known.is_empty() {
            "nothing of this plan is held".to_owned()
        } else {
            format!("held are: {}", known.join(", "))
        };
        Failure::new("plan", format!("--approve {hash} releases nothing of this plan"))
            .hint(hint)
            .exit(super::failure::Exit::Held)
    })
}
