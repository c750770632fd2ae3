//! `headcount plan` and `headcount rollback`: they make a plan and execute nothing.

use std::path::Path;
use std::sync::Arc;

use crate::app::AppError;
use crate::app::plan::{PlanOutcome, PlanRequest, make_plan};
use crate::app::rollback::{RollbackRequest, plan_rollback};
use crate::app::workspace::display_path;
use crate::cli::args::{PlanArgs, RollbackArgs};
use crate::cli::exit::Exit;
use crate::cli::terminal::{LogFile, Terminal};
use crate::report::summary::SummaryOutcome;

pub async fn run_plan(terminal: &Arc<Terminal>, args: &PlanArgs) -> Result<u8, AppError> {
    let workspace = terminal.begin_work(LogFile::InState)?;
    let request = PlanRequest { against: args.against.clone(), output: args.output.clone() };
    let outcome = make_plan(&terminal.session(), workspace, &request).await?;
    Ok(close_plan(terminal, outcome, args.output.as_deref(), args.detailed_exitcode))
}

pub async fn run_rollback(terminal: &Arc<Terminal>, args: &RollbackArgs) -> Result<u8, AppError> {
    // Where there never was a run, no state directory is made for the log.
    terminal.open_workspace()?.require_history()?;
    let workspace = terminal.begin_work(LogFile::InState)?;
    let request = RollbackRequest { run: args.run.clone(), output: args.output.clone() };
    let outcome = plan_rollback(&terminal.session(), workspace, &request).await?;
    Ok(close_plan(terminal, outcome, args.output.as_deref(), args.detailed_exitcode))
}

/// Says where the copy of a plan is, and closes with its summary.
pub fn close_plan(terminal: &Terminal, outcome: PlanOutcome, output: Option<&Path>, has_detailed_exit: bool) -> u8 {
    let mut summary = outcome.head.summary;
    if has_detailed_exit && summary.outcome == SummaryOutcome::Planned {
        summary.exit_code = Exit::Changes as u8;
    }
    if let Some(output) = output {
        terminal.say(&format!("The plan is in {}.", display_path(output)));
    }
    terminal.close_with(&summary)
}
