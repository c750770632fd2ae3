//! Plans and runs from their files, as the one record that every report is rendered from.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use serde::de::IgnoredAny;

use super::failure::Failure;
use crate::connectors::Meter;
use crate::execute::passwords::PasswordPromise;
use crate::files::sealed;
use crate::journal::{Event, Journal, RunHead, RunId, RunOverview, RunState, StateDir, Step, StepState, secret};
use crate::plan::action::ActionCounts;
use crate::plan::file::{PlanFileError, PlanHeader, PlanReader, verify_plan, verify_seal};
use crate::plan::safety::ActionGroup;
use crate::plan::sidecar::read_lines;
use crate::plan::{Action, ActionSelector, Begun, Selected};
use crate::planning::{PlanFiles, read_findings};
use crate::report::record::HeldKind;
use crate::report::summary::{QuotaSummary, Requests, SummaryOutcome};
use crate::report::{ActionOutcome, Entry, Head, OutcomeResult, RecordKind, RunRecord, Summary, TakesBack};

/// A plan file, verified.
pub fn verified(path: &Path) -> Result<(PlanHeader, String), Failure> {
    let file = File::open(path).map_err(|error| {
        Failure::new("plan", format!("{}: {error}", path.display())).hint("`headcount plan -o PLAN` writes a plan")
    })?;
    let (header, digest) = verify_plan(BufReader::new(file)).map_err(|error| {
        let failure = Failure::from(error);
        Failure { message: format!("{}: {}", path.display(), failure.message), ..failure }
    })?;
    Ok((header, digest))
}

/// The plan of a run, verified to be the one that the run began with: an action read from another plan, or under another
/// number, would be taken for done, or sent for somebody who has it already.
pub fn plan_of_run(state: &StateDir, run: RunId, head: &RunHead) -> Result<(PlanHeader, String), Failure> {
    let path = PlanFiles::in_dir(&state.run(run)).plan;
    let (header, digest) = verified(&path).map_err(|failure| damaged_run(state, run, &failure.message))?;
    if digest != head.plan_digest {
        let why = format!("{}: it is not the plan that the run began with", path.display());
        return Err(damaged_run(state, run, &why));
    }
    Ok((header, digest))
}

/// A run of which a file was lost, cut or changed.
pub fn damaged_run(state: &StateDir, run: RunId, why: &str) -> Failure {
    Failure::new("journal", format!("the run {run} is damaged: {why}")).hint(format!(
        "nothing is sent on its word; move {} aside and run `headcount sync`: it compares everything anew, which is always \
         safe. A generated password that this run has not delivered must be set anew",
        state.path().display()
    ))
}

/// What is wrong with the files of a run, where something is. Nothing of them is decoded that need not be.
pub fn damage_of_files(state: &StateDir, run: &RunOverview) -> Option<String> {
    let files = PlanFiles::in_dir(&state.run(run.run));
    let said = |path: &Path, error: &dyn std::fmt::Display| Some(format!("{}: {error}", path.display()));
    match File::open(&files.plan).map_err(PlanFileError::from).and_then(|file| verify_seal(BufReader::new(file))) {
        Ok(digest) if digest == run.head.plan_digest => {}
        Ok(_) => return said(&files.plan, &"it is not the plan that the run began with"),
        Err(error) => return said(&files.plan, &error),
    }
    if let Err(error) = checked_findings(&files.findings) {
        return said(&files.findings, &error);
    }
    let kept = sealed::read::<IgnoredAny>(&state.run_summary(run.run))
        .and_then(|_| PasswordPromise::load_promise(state, run.run))
        .and_then(|_| secret::load_secret(state, run.run));
    kept.err().map(|error| error.to_string())
}

/// Reads the findings to their seal.
fn checked_findings(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Ok(file) => read_lines::<IgnoredAny>(BufReader::new(file)).try_for_each(|line| line.map(drop)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// The summary of a plan.
pub fn plan_summary(header: &PlanHeader, command: &str, requests: Requests, quota: Option<QuotaSummary>) -> Summary {
    let held = held_actions(header);
    let outcome = if held > 0 || !header.stopped.is_empty() {
        SummaryOutcome::Held
    } else if header.counts.actions.count_all() == 0 {
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
        forecast: None,
        elapsed_seconds: 0.0,
        exit_code: 0,
        error: None,
    }
}

/// How many of a plan's actions wait for an approval, or for a source that is not broken.
pub fn held_actions(header: &PlanHeader) -> u64 {
    if header.stopped.is_empty() {
        header.held.values().map(|held| held.count).sum()
    } else {
        header.counts.actions.count_all()
    }
}

/// What a meter says, as the summary has it.
pub fn requests(meter: Option<&Meter>, estimated: u64) -> Requests {
    let sent = meter.map(Meter::sent_so_far).unwrap_or_default();
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
pub fn spent(meter: &Meter) -> u64 {
    let sent = meter.sent_so_far();
    sent.total.saturating_sub(sent.retried)
}

pub fn quota(meter: Option<&Meter>) -> Option<QuotaSummary> {
    meter.and_then(Meter::quota).map(|quota| QuotaSummary {
        limit: quota.limit,
        remaining: quota.remaining,
        resets_at: quota.resets_at,
    })
}

/// The head of a report on a plan or a run.
pub fn head(of: RecordKind, header: &PlanHeader, mut summary: Summary, released: &[ActionGroup]) -> Head {
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
    if of == RecordKind::Plan && header.stopped.is_empty() {
        summary.held = held.iter().map(|held: &HeldKind| held.count).sum();
    }
    // Where that is the summary's error it is said there.
    let mut notes = if summary.error.is_some() { Vec::new() } else { header.stopped.clone() };
    if !header.listing.complete {
        notes.push(
            "the listing is not complete: nothing is done on the strength of an absence, of a row or of an account"
                .to_owned(),
        );
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
        of,
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

/// Everything that a plan says: its actions, then its findings.
pub fn of_plan<'a>(mut head: Head, files: &PlanFiles) -> Result<RunRecord<'a>, Failure> {
    let actions = actions(&files.plan)?.map(|action| Ok(Entry::Action { action: action?, outcome: None }));
    let findings = findings(&files.findings, &mut head.notes)?;
    Ok(RunRecord::from_parts(head, Box::new(actions.chain(findings))))
}

/// Everything that a run says: its actions with what came of them, then its findings.
pub fn of_run<'a>(
    mut head: Head,
    state: &StateDir,
    journal: &Journal,
    run: RunId,
    released: Vec<ActionGroup>,
) -> Result<RunRecord<'a>, Failure> {
    let actions = executed(state, journal, run, released)?;
    let files = PlanFiles::in_dir(&state.run(run));
    let findings = findings(&files.findings, &mut head.notes)?;
    Ok(RunRecord::from_parts(head, Box::new(actions.chain(findings))))
}

/// The actions of a run with what came of them, as far as its plan can be believed.
pub fn done(
    state: &StateDir,
    journal: &Journal,
    run: &RunOverview,
) -> Result<impl Iterator<Item = io::Result<Entry>> + use<>, Failure> {
    let (header, _) = plan_of_run(state, run.run, &run.head)?;
    let released = released(&header, &run.head.approved)?;
    executed(state, journal, run.run, released)
}

fn executed(
    state: &StateDir,
    journal: &Journal,
    run: RunId,
    released: Vec<ActionGroup>,
) -> Result<impl Iterator<Item = io::Result<Entry>> + use<>, Failure> {
    let files = PlanFiles::in_dir(&state.run(run));
    let history = journal.run(run)?.ok_or_else(|| no_run(&run.to_string()))?;
    let mut times = std::collections::HashMap::new();
    for event in journal.events_of(run) {
        if let Event::Outcome { at, seq, .. } = event? {
            times.insert(seq, at);
        }
    }
    let selection = history.head().selection.clone().unwrap_or_default();
    let mut selector = ActionSelector::new(&released, &selection);
    Ok(actions(&files.plan)?.filter_map(move |action| {
        let mut action = match action {
            Ok(action) => action,
            Err(error) => return Some(Err(error)),
        };
        let is_pending = history.action(action.seq).first == StepState::Pending;
        let selected = selector.select_action(&action, if is_pending { Begun::No } else { Begun::Yes });
        if selected == Selected::LeftOut {
            return None;
        }
        let mut outcome = outcome(&history, &action, selected == Selected::Held);
        outcome.at = times.get(&action.seq).copied();
        // Whose account was made is known since.
        action.account = action.account.or_else(|| history.account_of(action.seq).cloned());
        Some(Ok(Entry::Action { action, outcome: Some(outcome) }))
    }))
}

/// What a run has applied, as the journal knows it.
pub fn applied(state: &StateDir, journal: &Journal, run: RunId) -> Result<ActionCounts, Failure> {
    let history = journal.run(run)?.ok_or_else(|| no_run(&run.to_string()))?;
    let mut applied = ActionCounts::default();
    for action in actions(&PlanFiles::in_dir(&state.run(run)).plan)? {
        let action = action.map_err(|error| Failure::new("plan", error.to_string()))?;
        if matches!(outcome(&history, &action, false).result, OutcomeResult::Applied | OutcomeResult::Adopted) {
            *applied.count_mut(action.action) += 1;
        }
    }
    Ok(applied)
}

pub fn no_run(name: &str) -> Failure {
    Failure::new("journal", format!("there is no run {name}")).hint("`headcount runs` lists the runs")
}

/// What came of an action, by its steps.
fn outcome(history: &RunState, action: &Action, held: bool) -> ActionOutcome {
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
    let remark = history.remark_of(action.seq, step);
    let message = remark.map(|remark| remark.message.clone());
    let message = match (step, message) {
        (Step::FollowUp, Some(message)) => Some(format!("created, but not completed: {message}")),
        (_, message) => message,
    };
    ActionOutcome {
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

/// The findings; where they are damaged they are left out, and a note says so: nothing follows from them, and what was
/// done must be told all the same.
fn findings(path: &Path, notes: &mut Vec<String>) -> Result<impl Iterator<Item = io::Result<Entry>> + use<>, Failure> {
    let whole = checked_findings(path);
    if let Err(error) = &whole {
        notes.push(format!("what was found beside the actions is not shown: {}: {error}", path.display()));
    }
    let findings = match whole {
        Ok(()) => {
            Some(read_findings(path).map_err(|error| Failure::new("plan", format!("{}: {error}", path.display())))?)
        }
        Err(_) => None,
    };
    Ok(findings.into_iter().flatten().map(|finding| finding.map(Entry::Finding)))
}

/// Which groups of held actions the hashes release.
///
/// # Errors
/// A hash that names nothing that is held: the plan is not the one that was approved.
pub fn released(header: &PlanHeader, approved: &[String]) -> Result<Vec<ActionGroup>, Failure> {
    header.released_groups(approved).map_err(|hash| {
        let known: Vec<_> =
            header.held.iter().map(|(group, held)| format!("{} ({})", held.approve, group.as_str())).collect();
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
