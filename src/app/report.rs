//! A run or a plan once more, as the record that every report is rendered from.

use std::path::Path;

use super::error::AppError;
use super::history::open_run;
use super::past_runs::{past_runs_before, read_past_runs};
use super::session::Session;
use super::stored_records::{find_plan_files, find_run_id, open_plan_record, verify_plan};
use super::summaries::{estimated_requests, report_head, summarise_plan};
use super::workspace::Workspace;
use crate::model::CommandName;
use crate::report::{RecordKind, RunRecord};

/// Whether a report on a plan is compared with earlier runs, which needs the journal, and so the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastComparison {
    WithEarlierRuns,
    None,
}

/// The record of a run or a plan, by a run's name, a plan's name or a plan's file; `last` is the last run.
///
/// # Errors
/// There is no such plan or run, or its files cannot be read.
pub fn open_report(
    session: &Session,
    workspace: &Workspace,
    name: &str,
    comparison: PastComparison,
) -> Result<RunRecord<'static>, AppError> {
    let path = Path::new(name);
    let is_plan = path.exists() || workspace.state.plan(name).is_some_and(|dir| dir.exists());
    if !is_plan {
        let journal = workspace.open_history(&*session.clock)?;
        let record = open_run(workspace, &journal, find_run_id(&journal, name)?)?;
        let past = past_runs_before(&record.head, &journal.runs(), &workspace.state);
        return Ok(record.with_past(past));
    }
    let files = find_plan_files(workspace, path);
    let (header, _) = verify_plan(&files.plan)?;
    let summary = summarise_plan(&header, CommandName::Plan, estimated_requests(header.requests.total), None);
    let mut head = report_head(RecordKind::Plan, &header, summary, &[]);
    let past = match comparison {
        PastComparison::WithEarlierRuns => read_past_runs(workspace, session.clock.now(), &mut head),
        PastComparison::None => Vec::new(),
    };
    Ok(open_plan_record(head, &files)?.with_past(past))
}
