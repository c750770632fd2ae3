//! What is left of a plan that was applied in part: by a canary (`--limit`), for some people (`--only`), or without what
//! was held. What an earlier run of the same plan did is known from the journal, so that nobody is done twice.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use super::drive::read_plan;
use crate::cli::failure::Failure;
use crate::cli::records;
use crate::cli::workbench::Configured;
use crate::files::write_atomically;
use crate::journal::{Journal, RunId, RunOverview, StepState};
use crate::model::AccountId;
use crate::plan::action::ActionCounts;
use crate::plan::cost::{ActionRequests, Reread};
use crate::plan::file::{PlanHeader, PlanReader, PlanRequests, PlanWriter};
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
pub fn of(
    configured: &Configured,
    journal: &Journal,
    header: &PlanHeader,
    files: &PlanFiles,
    dir: &Path,
) -> Result<Option<(PlanHeader, String, PlanFiles)>, Failure> {
    let runs = journal.runs();
    let mut done = HashSet::new();
    for run in earlier_runs(&runs, header) {
        collect_done(configured, journal, run.run, &mut done)?;
    }
    if done.is_empty() {
        return Ok(None);
    }
    let mut rest = PlanHeader { counts: header.counts.clone(), ..header.clone() };
    (rest.counts.actions, rest.requests.lookup, rest.requests.write) = (ActionCounts::default(), 0, 0);
    rest.held.values_mut().for_each(|held| held.count = 0);
    each_left(files, &done, |action| {
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
        each_left(files, &done, |action| writer.write_action(action))
            .map_err(|failure| std::io::Error::other(failure.message))?;
        writer.seal_plan().map(|(_, digest)| digest)
    })?;
    Ok(Some((rest, digest, left)))
}

/// An action, whatever its number in the plan.
type Done = (ActionKind, String, Option<AccountId>);

fn collect_done(
    configured: &Configured,
    journal: &Journal,
    run: RunId,
    done: &mut HashSet<Done>,
) -> Result<(), Failure> {
    let state = journal.run(run)?.ok_or_else(|| records::no_run(&run.to_string()))?;
    // Who was done is known by this file alone, and whoever is not known to be done is done once more.
    records::plan_of_run(&configured.state, run, state.head())?;
    let path = PlanFiles::in_dir(&configured.state.run(run)).plan;
    let file = File::open(&path).map_err(|error| Failure::new("journal", format!("{}: {error}", path.display())))?;
    let mut plan = PlanReader::new(BufReader::new(file))?;
    while let Some(action) = plan.next()? {
        if matches!(state.action(action.seq).first, StepState::Applied | StepState::Adopted) {
            done.insert((action.action, action.key, action.account));
        }
    }
    Ok(())
}

fn each_left(
    files: &PlanFiles,
    done: &HashSet<Done>,
    mut take: impl FnMut(Action) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let mut plan = read_plan(files)?;
    while let Some(action) = plan.next()? {
        if !done.contains(&(action.action, action.key.clone(), action.account.clone())) {
            take(action).map_err(|error| Failure::new("plan", error.to_string()))?;
        }
    }
    Ok(())
}
