//! The runs of the journal: all of them, or one with every account that it touched.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::error::AppError;
use super::session::Session;
use super::stored_records::{
    count_applied, damaged_run_error, find_file_damage, find_run_id, no_run_error, open_run_record, release_groups,
    verify_run_plan,
};
use super::summaries::{estimated_requests, report_head, summarise_plan};
use super::workspace::Workspace;
use crate::files::sealed;
use crate::journal::state::Phase;
use crate::journal::{Ending, Journal, JournalError, Options, RunId, RunOverview};
use crate::model::CommandName;
use crate::planning::PlanFiles;
use crate::report::summary::SummaryOutcome;
use crate::report::{Head, RecordKind, RunRecord, Summary};

/// The runs of a journal, oldest first.
#[derive(Default)]
pub struct RunHistory {
    pub runs: Vec<ListedRun>,
    /// Damaged runs whose beginning the journal does not have any more: nothing but their names is known.
    pub lost: BTreeMap<RunId, String>,
    /// What is wrong with the journal as a whole.
    pub damage: Vec<String>,
    /// The error that the damage comes to, where there is any.
    pub error: Option<AppError>,
}

/// A run with what is kept beside the journal.
pub struct ListedRun {
    pub overview: RunOverview,
    /// Why it cannot be believed.
    pub damage: Option<String>,
    /// The summary of how it stands, where one was kept.
    pub summary: Option<Summary>,
    pub files: PlanFiles,
    pub summary_file: PathBuf,
}

/// How a run stands, as whoever lists runs says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStanding {
    /// It has no end, and nobody works on it.
    Interrupted,
    Paused,
    Complete,
    Partial,
    Failed,
    Superseded,
    Damaged,
}

impl RunStanding {
    /// Scripts read it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Paused => "paused",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
            Self::Damaged => "damaged",
        }
    }
}

impl ListedRun {
    #[must_use]
    pub fn standing(&self) -> RunStanding {
        if self.damage.is_some() {
            return RunStanding::Damaged;
        }
        match self.overview.phase {
            // The lock is free, or nobody could list: a run that has no end was interrupted.
            Phase::Running => RunStanding::Interrupted,
            Phase::Paused => RunStanding::Paused,
            Phase::Ended(Ending::Complete) => RunStanding::Complete,
            Phase::Ended(Ending::Partial) => RunStanding::Partial,
            Phase::Ended(Ending::Failed) => RunStanding::Failed,
            Phase::Ended(Ending::Superseded) => RunStanding::Superseded,
        }
    }

    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(self.overview.phase, Phase::Ended(_))
    }
}

/// Lists the runs of the journal. Nothing is locked, and damage is part of the list.
///
/// # Errors
/// The journal cannot be read at all.
pub fn list_runs(session: &Session, workspace: &Workspace) -> Result<RunHistory, AppError> {
    let state = &workspace.state;
    if !state.path().exists() {
        return Ok(RunHistory::default());
    }
    let inspection = Journal::inspect_journal(state.path(), Options::new(session.clock.now()))?;
    let mut lost: BTreeMap<RunId, String> =
        inspection.damaged.iter().map(|(run, damage)| (*run, format!("the journal: {damage}"))).collect();
    let runs = inspection.runs.into_iter().map(|overview| {
        let damage = lost.remove(&overview.run).or_else(|| find_file_damage(state, &overview));
        let summary_file = state.run_summary(overview.run);
        let kept = sealed::read::<Head>(&summary_file).ok().flatten();
        let summary = kept.map(|head| head.summary).filter(|summary| is_of_its_end(summary, &overview));
        let files = PlanFiles::in_dir(&state.run(overview.run));
        ListedRun { overview, damage, summary, files, summary_file }
    });
    let runs: Vec<ListedRun> = runs.collect();
    let error = match inspection.damage.first() {
        Some(damage) => Some(JournalError::Damaged { dir: state.path().to_owned(), damage: damage.clone() }.into()),
        None => {
            let damaged =
                runs.iter().filter_map(|run| Some((run.overview.run, run.damage.as_ref()?, Some(&run.overview))));
            let lost = lost.iter().map(|(run, why)| (*run, why, None));
            damaged.chain(lost).max_by_key(|(run, ..)| *run).map(|(run, why, overview)| {
                let error = damaged_run_error(state, run, why);
                match overview {
                    Some(overview) => hint_by_phase(overview, error),
                    None => error,
                }
            })
        }
    };
    let damage = inspection.damage.iter().map(ToString::to_string).collect();
    Ok(RunHistory { runs, lost, damage, error })
}

/// A run by its name with every account it touched; `last` is the last run.
///
/// # Errors
/// There is no such run, or its files cannot be believed.
pub fn show_run(session: &Session, workspace: &Workspace, name: &str) -> Result<RunRecord<'static>, AppError> {
    let journal = workspace.open_history(&*session.clock)?;
    open_run(workspace, &journal, find_run_id(&journal, name)?)
}

/// A run with every account it touched.
pub(super) fn open_run(workspace: &Workspace, journal: &Journal, run: RunId) -> Result<RunRecord<'static>, AppError> {
    let overview = journal.runs().into_iter().find(|overview| overview.run == run);
    let overview = overview.ok_or_else(|| no_run_error(&run.to_string()))?;
    let (header, _) =
        verify_run_plan(&workspace.state, run, &overview.head).map_err(|error| hint_by_phase(&overview, error))?;
    let released = release_groups(&header, &overview.head.approved)?;
    let (head, damage) = match sealed::read::<Head>(&workspace.state.run_summary(run)) {
        Ok(head) => (head, None),
        Err(error) => (None, Some(format!("its summary is rebuilt from the journal: {error}"))),
    };
    let head = head.filter(|head| is_of_its_end(&head.summary, &overview));
    // A run that was killed wrote no summary: what the journal knows stands in for it.
    let mut head = head.map_or_else(
        || -> Result<Head, AppError> {
            let requests = estimated_requests(header.requests.total);
            let mut summary = summarise_plan(&header, CommandName::Sync, requests, None);
            summary.command = overview.head.command;
            summary.run = run.to_string();
            summary.applied = count_applied(&workspace.state, journal, run)?;
            summary.outcome = match overview.phase {
                Phase::Ended(Ending::Complete) => SummaryOutcome::Complete,
                Phase::Ended(Ending::Partial) => SummaryOutcome::Partial,
                Phase::Ended(_) => SummaryOutcome::Failed,
                Phase::Running | Phase::Paused => SummaryOutcome::Paused,
            };
            summary.failed = overview.tally.failed + overview.tally.skipped;
            summary.unknown = overview.tally.unknown + overview.tally.open;
            Ok(report_head(RecordKind::Run, &header, summary, &released))
        },
        Ok,
    )?;
    head.notes.extend(damage);
    open_run_record(head, &workspace.state, journal, run, released)
}

/// Whether a summary that was kept says how the run stands: one that was kept when it paused does not say how it ended.
fn is_of_its_end(summary: &Summary, run: &RunOverview) -> bool {
    let fits = match run.phase {
        Phase::Running => false,
        Phase::Paused => true,
        Phase::Ended(_) => summary.outcome != SummaryOutcome::Paused,
    };
    fits && summary.unknown == run.tally.unknown + run.tally.open
}

/// What to do about a run that is damaged depends on whether somebody is still to go on with it.
fn hint_by_phase(run: &RunOverview, error: AppError) -> AppError {
    match run.phase {
        Phase::Ended(_) => {
            error.with_hint("the run has ended: only its reports, the rest of its plan and its rollback need its files")
        }
        Phase::Running | Phase::Paused => error,
    }
}
