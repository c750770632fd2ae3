//! Plans and runs from their files: verified, and as the one record that every report is rendered from.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;

use super::error::{AppError, ErrorKind};
use super::workspace::{Workspace, no_runs};
use crate::execute::passwords::PasswordPromise;
use crate::files::sealed;
use crate::journal::{Event, Journal, RunHead, RunId, RunOverview, RunState, StateDir, Step, StepState, secret};
use crate::plan::action::ActionCounts;
use crate::plan::file::{PlanFileError, PlanHeader, PlanReader, verify_seal};
use crate::plan::safety::ActionGroup;
use crate::plan::sidecar::read_lines;
use crate::plan::{Action, ActionSelector, Begun, Finding, Selected};
use crate::planning::{PlanFiles, read_findings};
use crate::report::{ActionOutcome, Entry, Head, OutcomeResult, RunRecord};

/// A plan file, verified.
pub fn verify_plan(path: &Path) -> Result<(PlanHeader, String), AppError> {
    let file = File::open(path).map_err(|error| {
        AppError::new(ErrorKind::Plan, format!("{}: {error}", path.display()))
            .with_hint("`headcount plan -o PLAN` writes a plan")
    })?;
    let (header, digest) = crate::plan::file::verify_plan(BufReader::new(file)).map_err(|error| {
        let failure = AppError::from(error);
        AppError { message: format!("{}: {}", path.display(), failure.message), ..failure }
    })?;
    Ok((header, digest))
}

/// A plan by its path, or by its name in the state directory.
pub fn find_plan_files(workspace: &Workspace, plan: &Path) -> PlanFiles {
    let named = plan.to_str().filter(|_| !plan.exists()).and_then(|name| workspace.state.plan(name));
    if let Some(dir) = named.filter(|dir| dir.exists()) {
        return PlanFiles::in_dir(&dir);
    }
    // A plan file that was copied out of the state directory; what else is known of the plan stayed there.
    let header = File::open(plan).ok().and_then(|file| PlanReader::new(BufReader::new(file)).ok());
    let dir = header.and_then(|reader| workspace.state.plan(&reader.header.plan));
    PlanFiles { plan: plan.to_owned(), ..PlanFiles::in_dir(&dir.unwrap_or_else(|| PathBuf::from("."))) }
}

pub fn open_plan(path: &Path) -> Result<PlanReader<BufReader<File>>, AppError> {
    let file =
        File::open(path).map_err(|error| AppError::new(ErrorKind::Plan, format!("{}: {error}", path.display())))?;
    Ok(PlanReader::new(BufReader::new(file))?)
}

pub fn find_run(journal: &Journal, run: RunId) -> Result<RunState, AppError> {
    journal.run(run)?.ok_or_else(|| no_run_error(&run.to_string()))
}

/// A run by its name, or the last one.
pub fn find_run_id(journal: &Journal, name: &str) -> Result<RunId, AppError> {
    if name == "last" {
        return journal.runs().last().map(|run| run.run).ok_or_else(no_runs);
    }
    name.parse().map_err(|_| no_run_error(name))
}

/// The plan of a run, verified to be the one that the run began with: an action read from another plan, or under another
/// number, would be taken for done, or sent for somebody who has it already.
pub fn verify_run_plan(state: &StateDir, run: RunId, head: &RunHead) -> Result<(PlanHeader, String), AppError> {
    let path = PlanFiles::in_dir(&state.run(run)).plan;
    let (header, digest) = verify_plan(&path).map_err(|failure| damaged_run_error(state, run, &failure.message))?;
    if digest != head.plan_digest {
        let why = format!("{}: it is not the plan that the run began with", path.display());
        return Err(damaged_run_error(state, run, &why));
    }
    Ok((header, digest))
}

/// A run of which a file was lost, cut or changed.
pub fn damaged_run_error(state: &StateDir, run: RunId, why: &str) -> AppError {
    AppError::new(ErrorKind::Journal, format!("the run {run} is damaged: {why}")).with_hint(format!(
        "nothing is sent for it; move {} aside and run `headcount sync`: it compares everything again, which is \
         always safe. Passwords that this run generated but did not deliver must be reset",
        state.path().display()
    ))
}

/// What is wrong with the files of a run, where something is. Nothing of them is decoded that need not be.
pub fn find_file_damage(state: &StateDir, run: &RunOverview) -> Option<String> {
    let files = PlanFiles::in_dir(&state.run(run.run));
    let said = |path: &Path, error: &dyn std::fmt::Display| Some(format!("{}: {error}", path.display()));
    match File::open(&files.plan).map_err(PlanFileError::from).and_then(|file| verify_seal(BufReader::new(file))) {
        Ok(digest) if digest == run.head.plan_digest => {}
        Ok(_) => return said(&files.plan, &"it is not the plan that the run began with"),
        Err(error) => return said(&files.plan, &error),
    }
    if let Err(error) = check_findings(&files.findings) {
        return said(&files.findings, &error);
    }
    let kept = sealed::read::<IgnoredAny>(&state.run_summary(run.run))
        .and_then(|_| PasswordPromise::load_promise(state, run.run))
        .and_then(|_| secret::load_secret(state, run.run));
    kept.err().map(|error| error.to_string())
}

/// Reads the findings to their seal.
fn check_findings(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Ok(file) => read_lines::<IgnoredAny>(BufReader::new(file)).try_for_each(|line| line.map(drop)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// A run from its files, to be rendered as often as somebody wants. A small one is read once.
pub struct StoredRecord<'a> {
    head: Head,
    stored: StoredEntries<'a>,
}

enum StoredEntries<'a> {
    InMemory(Vec<Entry>),
    OfPlan(&'a PlanFiles),
    OfRun(&'a StateDir, &'a Journal, RunId, Vec<ActionGroup>),
}

impl<'a> StoredRecord<'a> {
    /// Everything that a run says: its actions with what came of them, then its findings.
    pub fn from_run(
        head: Head,
        state: &'a StateDir,
        journal: &'a Journal,
        run: RunId,
        released: Vec<ActionGroup>,
    ) -> Self {
        Self::read_once(head, StoredEntries::OfRun(state, journal, run, released))
    }

    fn read_once(head: Head, stored: StoredEntries<'a>) -> Self {
        let unread = Self { head, stored };
        let read = unread.open_record().ok().and_then(|RunRecord { head, entries, .. }| {
            // One more tells whether that is all of them. What cannot be read is said by whoever renders it.
            let entries = entries.take(MOST_KEPT + 1).collect::<io::Result<Vec<_>>>().ok()?;
            (entries.len() <= MOST_KEPT).then_some((head, entries))
        });
        match read {
            Some((head, entries)) => Self { head, stored: StoredEntries::InMemory(entries) },
            None => unread,
        }
    }

    /// The record, from its beginning.
    pub fn open_record(&self) -> Result<RunRecord<'_>, AppError> {
        if let StoredEntries::InMemory(entries) = &self.stored {
            return Ok(RunRecord::from_parts(self.head.clone(), Box::new(entries.iter().cloned().map(Ok))));
        }
        self.stored.open_files(self.head.clone())
    }
}

impl StoredEntries<'_> {
    fn open_files<'r>(&self, mut head: Head) -> Result<RunRecord<'r>, AppError> {
        let (actions, findings): (EntryStream, _) = match self {
            Self::InMemory(entries) => (Box::new(entries.clone().into_iter().map(Ok)), None),
            Self::OfPlan(files) => {
                let actions = read_actions(&files.plan)?;
                let entries = actions.map(|action| Ok(Entry::Action { action: action?, outcome: None }));
                (Box::new(entries), Some(files.findings.clone()))
            }
            Self::OfRun(state, journal, run, released) => {
                let actions = executed_actions(state, journal, *run, released.clone())?;
                (Box::new(actions), Some(PlanFiles::in_dir(&state.run(*run)).findings))
            }
        };
        let findings = findings.map(|path| open_findings(&path, &mut head.notes)).transpose()?;
        Ok(RunRecord::from_parts(head, Box::new(actions.chain(findings.into_iter().flatten()))))
    }
}

/// Everything that a plan says, once: its actions, then its findings.
pub fn open_plan_record<'r>(head: Head, files: &PlanFiles) -> Result<RunRecord<'r>, AppError> {
    StoredEntries::OfPlan(files).open_files(head)
}

/// Everything that a run says, once.
pub fn open_run_record<'r>(
    head: Head,
    state: &StateDir,
    journal: &Journal,
    run: RunId,
    released: Vec<ActionGroup>,
) -> Result<RunRecord<'r>, AppError> {
    StoredEntries::OfRun(state, journal, run, released).open_files(head)
}

type EntryStream = Box<dyn Iterator<Item = io::Result<Entry>>>;

/// So many entries or findings are kept in memory at most; of more the files are read again.
const MOST_KEPT: usize = 10_000;

/// The actions of a run with what came of them, as far as its plan can be believed.
pub fn read_run_actions(
    state: &StateDir,
    journal: &Journal,
    run: &RunOverview,
) -> Result<impl Iterator<Item = io::Result<Entry>> + use<>, AppError> {
    let (header, _) = verify_run_plan(state, run.run, &run.head)?;
    let released = release_groups(&header, &run.head.approved)?;
    executed_actions(state, journal, run.run, released)
}

fn executed_actions(
    state: &StateDir,
    journal: &Journal,
    run: RunId,
    released: Vec<ActionGroup>,
) -> Result<impl Iterator<Item = io::Result<Entry>> + use<>, AppError> {
    let files = PlanFiles::in_dir(&state.run(run));
    let history = find_run(journal, run)?;
    let mut times = std::collections::HashMap::new();
    for event in journal.events_of(run) {
        if let Event::Outcome { at, seq, .. } = event? {
            times.insert(seq, at);
        }
    }
    let selection = history.head().selection.clone().unwrap_or_default();
    let mut selector = ActionSelector::new(&released, &selection);
    Ok(read_actions(&files.plan)?.filter_map(move |action| {
        let mut action = match action {
            Ok(action) => action,
            Err(error) => return Some(Err(error)),
        };
        let is_pending = history.action(action.seq).first == StepState::Pending;
        let selected = selector.select_action(&action, if is_pending { Begun::No } else { Begun::Yes });
        if selected == Selected::LeftOut {
            return None;
        }
        let mut outcome = action_outcome(&history, &action, selected == Selected::Held);
        outcome.at = times.get(&action.seq).copied();
        // Whose account was made is known since.
        action.account = action.account.or_else(|| history.account_of(action.seq).cloned());
        Some(Ok(Entry::Action { action, outcome: Some(outcome) }))
    }))
}

/// What a run has applied, as the journal knows it.
pub fn count_applied(state: &StateDir, journal: &Journal, run: RunId) -> Result<ActionCounts, AppError> {
    let history = find_run(journal, run)?;
    let mut applied = ActionCounts::default();
    for action in read_actions(&PlanFiles::in_dir(&state.run(run)).plan)? {
        let action = action.map_err(|error| AppError::new(ErrorKind::Plan, error.to_string()))?;
        if matches!(action_outcome(&history, &action, false).result, OutcomeResult::Applied | OutcomeResult::Adopted) {
            *applied.count_mut(action.action) += 1;
        }
    }
    Ok(applied)
}

pub fn no_run_error(name: &str) -> AppError {
    AppError::new(ErrorKind::Journal, format!("there is no run {name}")).with_hint("`headcount runs` lists the runs")
}

/// What came of an action, by its steps.
fn action_outcome(history: &RunState, action: &Action, held: bool) -> ActionOutcome {
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

fn read_actions(plan: &Path) -> Result<impl Iterator<Item = io::Result<Action>> + use<>, AppError> {
    let file =
        File::open(plan).map_err(|error| AppError::new(ErrorKind::Plan, format!("{}: {error}", plan.display())))?;
    let mut reader = PlanReader::new(BufReader::new(file))?;
    Ok(std::iter::from_fn(move || reader.next().map_err(io::Error::other).transpose()))
}

/// The findings; where they are damaged they are left out, and a note says so: nothing follows from them, and what was
/// done must be told all the same.
fn open_findings(path: &Path, notes: &mut Vec<String>) -> Result<EntryStream, AppError> {
    let describe = |error: &io::Error| format!("{}: {error}", path.display());
    let mut kept: Vec<Finding> = Vec::new();
    let mut total = 0;
    // The seal comes last, so all of them are read before any is believed.
    let whole = read_findings(path).and_then(|mut findings| {
        findings.try_for_each(|finding| {
            let finding = finding?;
            total += 1;
            if total <= MOST_KEPT {
                kept.push(finding);
            }
            Ok(())
        })
    });
    if let Err(error) = whole {
        notes.push(format!("the findings are not shown: {}", describe(&error)));
        return Ok(Box::new(std::iter::empty()));
    }
    if total <= MOST_KEPT {
        return Ok(Box::new(kept.into_iter().map(|finding| Ok(Entry::Finding(finding)))));
    }
    drop(kept);
    let again = read_findings(path).map_err(|error| AppError::new(ErrorKind::Plan, describe(&error)))?;
    Ok(Box::new(again.map(|finding| finding.map(Entry::Finding))))
}

/// Which groups of held actions the hashes release.
///
/// # Errors
/// A hash that names nothing that is held: the plan is not the one that was approved.
pub fn release_groups(header: &PlanHeader, approved: &[String]) -> Result<Vec<ActionGroup>, AppError> {
    header.released_groups(approved).map_err(|hash| {
        let known: Vec<_> =
            header.held.iter().map(|(group, held)| format!("{} ({})", held.approve, group.as_str())).collect();
        let hint = if known.is_empty() {
            "nothing of this plan is held".to_owned()
        } else {
            format!("held are: {}", known.join(", "))
        };
        AppError::new(ErrorKind::Approval, format!("--approve {hash} releases nothing of this plan")).with_hint(hint)
    })
}
