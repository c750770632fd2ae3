//! What is left of a plan that was applied in part: by a canary (`--limit`), for some people (`--only`), or without what
//! was held. What an earlier run of the same plan did is known from the journal, so that nobody is done twice.

use std::collections::HashSet;
use std::io::BufWriter;
use std::path::Path;

use super::error::{AppError, ErrorKind};
use super::stored_records::{find_run, open_plan, verify_run_plan};
use super::workspace::Workspace;
use crate::files::write_atomically;
use crate::journal::{Journal, RunId, RunOverview, StepState};
use crate::model::AccountId;
use crate::plan::action::ActionCounts;
use crate::plan::cost::{ActionRequests, Reread};
use crate::plan::file::{PlanHeader, PlanRequests, PlanWriter};
use crate::plan::safety::ActionGroup;
use crate::plan::{Action, ActionKind};
use crate::planning::PlanFiles;

/// Earlier runs of the same plan of the same tenant.
pub fn earlier_runs<'r>(runs: &'r [RunOverview], header: &'r PlanHeader) -> impl Iterator<Item = &'r RunOverview> {
    runs.iter().filter(move |run| {
        (&run.head.tenant, &run.head.target, &run.head.plan) == (&header.tenant, &header.target, &header.plan)
    })
}

/// The plan without what earlier runs of it have done, written into `dir`; none where none of it was applied before.
pub fn write_remaining_plan(
    workspace: &Workspace,
    journal: &Journal,
    header: &PlanHeader,
    files: &PlanFiles,
    dir: &Path,
) -> Result<Option<(PlanHeader, String, PlanFiles)>, AppError> {
    let runs = journal.runs();
    let mut done = HashSet::new();
    for run in earlier_runs(&runs, header) {
        collect_done(workspace, journal, run.run, &mut done)?;
    }
    if done.is_empty() {
        return Ok(None);
    }
    let mut rest = PlanHeader { counts: header.counts.clone(), ..header.clone() };
    (rest.counts.actions, rest.requests.lookup, rest.requests.write) = (ActionCounts::default(), 0, 0);
    rest.held.values_mut().for_each(|held| held.count = 0);
    for_each_left(files, &done, |action| {
        *rest.counts.actions.count_mut(action.action) += 1;
        if !action.held {
            let takes = ActionRequests::of_action(&action, 0);
            rest.requests.lookup += u64::from(takes.reread == Reread::Always);
            rest.requests.write += takes.writes;
        }
        if let Some(held) = rest.held.get_mut(&ActionGroup::of_kind(action.action)) {
            held.count += 1;
        }
        Ok(())
    })?;
    rest.held.retain(|_, held| held.count > 0);
    let PlanRequests { auth, list, lookup, write, .. } = rest.requests;
    rest.requests.total = auth + list + lookup + write;
    // What the plan learnt was remembered by the run that came first.
    let left = PlanFiles { plan: dir.join("plan.jsonl"), notes: dir.join("none"), ..files.clone() };
    let digest = write_atomically(&left.plan, 0o600, |out| {
        let mut writer = PlanWriter::new(BufWriter::new(out), &rest)?;
        for_each_left(files, &done, |action| writer.write_action(action)).map_err(std::io::Error::other)?;
        writer.seal_plan().map(|(_, digest)| digest)
    })?;
    Ok(Some((rest, digest, left)))
}

/// An action, whatever its number in the plan.
type DoneAction = (ActionKind, String, Option<AccountId>);

fn collect_done(
    workspace: &Workspace,
    journal: &Journal,
    run: RunId,
    done: &mut HashSet<DoneAction>,
) -> Result<(), AppError> {
    let state = find_run(journal, run)?;
    // Who was done is known by this file alone, and whoever is not known to be done is done once more.
    verify_run_plan(&workspace.state, run, state.head())?;
    let mut plan = open_plan(&PlanFiles::in_dir(&workspace.state.run(run)).plan)?;
    while let Some(action) = plan.next()? {
        if matches!(state.action(action.seq).first, StepState::Applied | StepState::Adopted) {
            done.insert((action.action, action.key, action.account));
        }
    }
    Ok(())
}

fn for_each_left(
    files: &PlanFiles,
    done: &HashSet<DoneAction>,
    mut take: impl FnMut(Action) -> std::io::Result<()>,
) -> Result<(), AppError> {
    let mut plan = open_plan(&files.plan)?;
    while let Some(action) = plan.next()? {
        if !done.contains(&(action.action, action.key.clone(), action.account.clone())) {
            take(action).map_err(|error| AppError::new(ErrorKind::Plan, error.to_string()))?;
        }
    }
    Ok(())
}
