//! The runs before one, in numbers, for reports that compare. What cannot be read any more is left out: no report fails for
//! the sake of a comparison.

use std::fs::File;
use std::io::BufReader;

use jiff::Timestamp;

use super::workspace::Workspace;
use crate::files::sealed;
use crate::journal::{Journal, Options, RunOverview, StateDir};
use crate::plan::file::{PlanHeader, PlanReader};
use crate::report::{Head, PastRun};

/// So many runs before it are looked at.
const MOST: usize = 30;

/// The runs on the same tenant that were started before what this head is of, oldest first.
#[must_use]
pub fn past_runs_before(head: &Head, runs: &[RunOverview], state: &StateDir) -> Vec<PastRun> {
    let is_earlier = |run: &&RunOverview| match head.is_run() {
        true => run.run.to_string() != head.summary.run,
        false => run.started < head.started_at,
    };
    // Runs come one after the other, so that those before one are those listed before it.
    let earlier = runs.iter().take_while(is_earlier);
    let earlier: Vec<&RunOverview> =
        earlier.filter(|run| run.head.tenant == head.summary.tenant && run.head.target == head.target).collect();
    earlier[earlier.len().saturating_sub(MOST)..].iter().map(|run| summarise_past(run, state)).collect()
}

/// As [`past_runs_before`], for who has no journal open. Where it cannot be read, the head says so.
pub fn read_past_runs(workspace: &Workspace, now: Timestamp, head: &mut Head) -> Vec<PastRun> {
    if !workspace.state.journal().exists() {
        return Vec::new();
    }
    match Journal::inspect_journal(workspace.state.path(), Options::new(now)) {
        Ok(inspection) => past_runs_before(head, &inspection.runs, &workspace.state),
        Err(error) => {
            head.notes.push(format!("the report has no comparison with previous runs: {error}"));
            Vec::new()
        }
    }
}

fn summarise_past(run: &RunOverview, state: &StateDir) -> PastRun {
    let head = sealed::read::<Head>(&state.run_summary(run.run)).ok().flatten();
    let accounts = || read_header(state, run).map(|header| header.listing.accounts);
    match head {
        Some(head) => PastRun {
            run: run.run.to_string(),
            at: run.started,
            accounts: head.accounts.or_else(accounts),
            applied: head.summary.applied,
            failed: head.summary.failed + head.summary.unknown,
        },
        // A run that was killed wrote no summary, and the journal does not count by kind.
        None => PastRun {
            run: run.run.to_string(),
            at: run.started,
            accounts: accounts(),
            applied: Default::default(),
            failed: run.tally.failed + run.tally.skipped + run.tally.unknown + run.tally.open,
        },
    }
}

/// The first line of the run's plan, which is believed here for the number of accounts alone.
fn read_header(state: &StateDir, run: &RunOverview) -> Option<PlanHeader> {
    let plan = File::open(state.run_plan(run.run)).ok()?;
    PlanReader::new(BufReader::new(plan)).ok().map(|reader| reader.header)
}
