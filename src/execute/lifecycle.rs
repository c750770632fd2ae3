//! The beginning and the end of a run: what is kept of it, and what is remembered for the next.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::{ExecutionResult, Halt, Selection};
use crate::clock::Clock;
use crate::files::{FileError, is_unnamed, make_private_dir, write_atomically};
use crate::journal::state::Phase;
use crate::journal::{
    Ending, Event, Journal, JournalError, Memory, Note, RunHead, RunId, RunSecret, RunState, SourceShape, StateDir,
    secret,
};
use crate::model::{AccountId, CommandName};
use crate::plan::file::PlanHeader;
use crate::plan::sidecar::{LinesWriter, PlanFiles, PlanNote, read_notes};
use crate::testing::failpoints::{self, Failpoint};

/// What a run starts from.
pub struct RunBeginning<'a> {
    pub journal: &'a Journal,
    pub memory: &'a Memory,
    pub state: &'a StateDir,
    pub clock: &'a dyn Clock,
    pub header: &'a PlanHeader,
    /// The plan file's seal.
    pub digest: &'a str,
    pub files: &'a PlanFiles,
    pub command: CommandName,
    pub approved: &'a [String],
    pub selection: &'a Selection,
    /// Actions in the plan.
    pub actions: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: {error}", path.display())]
    Copy { path: PathBuf, error: std::io::Error },
}

/// Starts a run: its folder with the plan and the secret, its record in the journal, and what the plan learnt.
///
/// # Errors
/// A file or the journal that cannot be written; nothing was sent then.
pub async fn begin_run(beginning: &RunBeginning<'_>) -> Result<(RunId, RunSecret), LifecycleError> {
    let RunBeginning { journal, state, clock, header, .. } = *beginning;
    // Before the run begins: a link or an absence that was read wrong would be remembered of somebody else.
    verify_notes(&beginning.files.notes)?;
    let at = clock.now();
    let run = RunId::new(at, clock.random());
    let dir = state.run(run);
    make_private_dir(&dir)?;
    failpoints::reach(Failpoint::FolderMade);
    let to = PlanFiles::in_dir(&dir);
    let from = beginning.files;
    copy_plan(&from.plan, &to.plan)?;
    for (from, to) in [(&from.findings, &to.findings), (&from.notes, &to.notes)] {
        if from.exists() {
            copy_plan(from, to)?;
        }
    }
    // A rollback learns nothing, and the rest of a plan nothing that the run before it did not remember.
    let learns = header.rollback_of.is_none() && journal.runs().iter().all(|run| run.head.plan != header.plan);
    if learns && !from.notes.exists() {
        // The plan was moved without its other files, so it is unknown who had no row when it was made. Without any note
        // every grace begins anew, as for an account that has a row.
        write_atomically(&to.notes, 0o600, |out| LinesWriter::new(out).seal_file().map(drop))?;
    }
    let secret = secret::create(state, run, rand::random())?;
    failpoints::reach(Failpoint::RunPrepared);
    let head = RunHead {
        tenant: header.tenant.clone(),
        target: header.target.clone(),
        plan: header.plan.clone(),
        plan_digest: beginning.digest.to_owned(),
        command: beginning.command,
        actions: beginning.actions,
        approved: beginning.approved.to_vec(),
        selection: (*beginning.selection != Selection::default()).then(|| beginning.selection.clone()),
        source_digest: source_digest(header),
        config_digest: header.config_digest.clone(),
    };
    journal.append(Event::RunStarted { run, at, head: Box::new(head) }).await?;
    failpoints::reach(Failpoint::RunStarted);
    learn_notes(beginning.memory, &to.notes, at, AbsenceCounting::OneMore).await?;
    failpoints::reach(Failpoint::PlanRemembered);
    Ok((run, secret))
}

/// Says that another process goes on with a run. What its plan learnt is remembered again: the process that started it
/// may have been killed in the middle of that.
///
/// # Errors
/// The journal cannot be written, or what the plan learnt cannot be read; nothing was sent then.
pub async fn resume_run(
    journal: &Journal,
    memory: &Memory,
    state: &StateDir,
    clock: &dyn Clock,
    run: &RunState,
) -> Result<(), LifecycleError> {
    failpoints::reach(Failpoint::ResumeDue);
    journal.append(Event::RunResumed { run: run.run(), at: clock.now() }).await?;
    failpoints::reach(Failpoint::RunResumed);
    let notes = PlanFiles::in_dir(&state.run(run.run())).notes;
    learn_notes(memory, &notes, run.started(), AbsenceCounting::AsItIs).await
}

/// Puts away what killed processes left behind: secrets of runs that have ended, because a run does not end before its
/// passwords are delivered; folders of runs that never began, or that were forgotten longer ago than `keep`; files that
/// never got their names. To be called while the journal is open, so that nobody else is at work here.
///
/// A folder that the journal does not know although its run sent something is left alone: whoever moves a damaged journal
/// aside may still need what lies there.
///
/// # Errors
/// A secret that cannot be destroyed. Whatever else cannot be removed is tried again the next time.
pub fn tidy_state(state: &StateDir, journal: &Journal, keep: Duration, now: Timestamp) -> Result<(), FileError> {
    remove_unnamed(state.path());
    let Ok(folders) = fs::read_dir(state.path().join("runs")) else { return Ok(()) };
    let phases: HashMap<RunId, Phase> = journal.runs().into_iter().map(|run| (run.run, run.phase)).collect();
    let forgotten = now.checked_sub(keep).unwrap_or(Timestamp::MIN);
    for folder in folders.flatten() {
        let Some(run) = folder.file_name().to_str().and_then(|name| name.parse::<RunId>().ok()) else { continue };
        match phases.get(&run) {
            Some(Phase::Ended(_)) => secret::destroy_secret(state, run)?,
            Some(_) => {}
            // What is settled of its passwords stands there before anything is sent.
            None if run.start_time() < forgotten || !state.run_passwords(run).exists() => match state.remove_run(run) {
                Ok(()) => failpoints::reach(Failpoint::LeftoverRemoved),
                Err(error) => tracing::warn!(%error, "a folder that no run needs any more could not be deleted"),
            },
            None => {}
        }
        remove_unnamed(&state.run(run));
    }
    Ok(())
}

/// As old as this, a file without its name belongs to nobody any more: not every writer holds the lock.
const ABANDONED: Duration = Duration::from_secs(86_400);

/// Removes the files of the folder that were being written when their process was killed.
fn remove_unnamed(dir: &Path) {
    for file in fs::read_dir(dir).into_iter().flatten().flatten() {
        let age = || file.metadata().ok().filter(fs::Metadata::is_file)?.modified().ok()?.elapsed().ok();
        if is_unnamed(&file.file_name()) && age().is_some_and(|age| age > ABANDONED) {
            // What cannot be removed now is tried again the next time.
            let _ = fs::remove_file(file.path());
        }
    }
}

/// One text for all files of a source.
#[must_use]
pub fn source_digest(header: &PlanHeader) -> String {
    header.source.files.iter().map(|file| file.digest.as_str()).collect::<Vec<_>>().join("+")
}

/// How a run is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunFinish {
    Ended(Ending),
    /// It can be resumed.
    Paused,
}

/// Ends or pauses the run. A run whose outcomes are not all known is never ended, so that they are looked up later; nor
/// is one that was stopped on its way.
///
/// # Errors
/// The journal cannot be written.
pub async fn finish_run(
    journal: &Journal,
    memory: &Memory,
    clock: &dyn Clock,
    run: RunId,
    header: &PlanHeader,
    executed: &ExecutionResult,
) -> Result<RunFinish, LifecycleError> {
    let at = clock.now();
    let nothing_done = executed.applied.count_all() == 0 && executed.failed == 0 && executed.unknown == 0;
    let left = match &executed.halt {
        Some(Halt::Configuration(_)) if nothing_done => RunFinish::Ended(Ending::Failed),
        Some(_) => RunFinish::Paused,
        None if executed.unknown > 0 => RunFinish::Paused,
        // Who was left alone is not done either.
        None if executed.failed + executed.skipped > 0 => RunFinish::Ended(Ending::Partial),
        None => RunFinish::Ended(Ending::Complete),
    };
    match left {
        RunFinish::Ended(outcome) => {
            // A rollback has no source whose shape the next one could be held against.
            if outcome != Ending::Failed && header.rollback_of.is_none() {
                let shape = SourceShape {
                    columns: header.source.columns.clone(),
                    rows: header.source.included,
                    terminated: Some(!header.source.unterminated),
                    at: header.created_at,
                };
                memory.remember_notes(vec![Note::Shape(shape)]).await?;
                failpoints::reach(Failpoint::ShapeRemembered);
            }
            journal.append(Event::RunEnded { run, at, outcome }).await?;
            failpoints::reach(Failpoint::RunEnded);
        }
        RunFinish::Paused => {
            let why = executed
                .halt
                .as_ref()
                .map_or_else(|| format!("{} outcomes are unknown", executed.unknown), ToString::to_string);
            journal.append(Event::RunPaused { run, at, why }).await?;
            failpoints::reach(Failpoint::RunPaused);
        }
    }
    Ok(left)
}

/// Whether an absence that is known already counts for one run more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AbsenceCounting {
    OneMore,
    /// It may have been counted already, and a run too few takes nothing away from anybody.
    AsItIs,
}

/// Writes what a plan learnt into the memory: links, and who has had no row for how long.
async fn learn_notes(
    memory: &Memory,
    notes: &Path,
    started: Timestamp,
    counting: AbsenceCounting,
) -> Result<(), LifecycleError> {
    if !notes.exists() {
        return Ok(());
    }
    let mut batch = Vec::new();
    let mut absent: HashSet<AccountId> = HashSet::new();
    for learnt in open_notes(notes)? {
        match learnt.map_err(copy_error(notes))? {
            PlanNote::Link { identity, account } => batch.push(Note::Link { identity, account }),
            PlanNote::Absent { account } => {
                let before = memory.absence_of(&account);
                if before.is_none() || counting == AbsenceCounting::OneMore {
                    batch.push(Note::Absence {
                        first_seen_absent: before.map_or(started, |absence| absence.since),
                        runs: before.map_or(0, |absence| absence.runs).saturating_add(1),
                        account: account.clone(),
                    });
                }
                absent.insert(account);
            }
        }
        if batch.len() >= 10_000 {
            memory.remember_notes(std::mem::take(&mut batch)).await?;
        }
    }
    // Whoever was not found absent starts anew, also where the plan could not tell: a grace that begins too late takes
    // nothing away, and one that counts a run in which the person may have been there does.
    let back = memory.all_absences().map(|(account, _)| account).filter(|account| !absent.contains(account));
    batch.extend(back.map(|account| Note::Present { account }));
    memory.remember_notes(batch).await?;
    Ok(())
}

/// Reads the notes to their seal; a plan may have none.
fn verify_notes(notes: &Path) -> Result<(), LifecycleError> {
    if notes.exists() {
        for learnt in open_notes(notes)? {
            learnt.map_err(copy_error(notes))?;
        }
    }
    Ok(())
}

fn open_notes(notes: &Path) -> Result<impl Iterator<Item = std::io::Result<PlanNote>>, LifecycleError> {
    let file = fs::File::open(notes).map_err(copy_error(notes))?;
    Ok(read_notes(BufReader::new(file)))
}

fn copy_error(path: &Path) -> impl Fn(std::io::Error) -> LifecycleError {
    move |error| LifecycleError::Copy { path: path.to_owned(), error }
}

/// Copies to a temporary name and renames, so that a crash leaves no half plan.
fn copy_plan(from: &Path, to: &Path) -> Result<(), LifecycleError> {
    let mut input = fs::File::open(from).map_err(|error| LifecycleError::Copy { path: from.to_owned(), error })?;
    write_atomically(to, 0o600, |out| std::io::copy(&mut input, out))?;
    Ok(())
}
