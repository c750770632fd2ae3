//! `headcount apply`, `headcount sync` and `headcount resume`: they change accounts.

use std::sync::Arc;

use crate::app::apply::{ApplyRequest, apply_plan};
use crate::app::resume::{ResumeRequest, resume_run};
use crate::app::sync::{SyncRequest, sync_accounts};
use crate::app::{ActionChoice, AppError, Consent, ErrorKind};
use crate::cli::args::{ApplyArgs, ExecutionArgs, ResumeArgs, SyncArgs};
use crate::cli::terminal::{LogFile, Terminal};

pub async fn run_apply(terminal: &Arc<Terminal>, args: &ApplyArgs) -> Result<u8, AppError> {
    let workspace = terminal.begin_work(LogFile::InState)?;
    let (consent, choice) = read_execution(&args.execution);
    let request = ApplyRequest { plan: args.plan.clone(), consent, choice };
    Ok(terminal.close_run(apply_plan(&terminal.session(), workspace, &request).await?))
}

pub async fn run_sync(terminal: &Arc<Terminal>, args: &SyncArgs) -> Result<u8, AppError> {
    let workspace = terminal.begin_work(LogFile::InState)?;
    let (consent, choice) = read_execution(&args.execution);
    Ok(terminal.close_run(sync_accounts(&terminal.session(), workspace, &SyncRequest { consent, choice }).await?))
}

pub async fn run_resume(terminal: &Arc<Terminal>, args: &ResumeArgs) -> Result<u8, AppError> {
    let workspace = terminal.begin_work(LogFile::InState)?;
    let (consent, choice) = read_execution(&args.execution);
    if choice != ActionChoice::default() {
        let message = "a resumed run keeps the choice of actions that it began with";
        return Err(AppError::new(ErrorKind::Usage, message)
            .with_hint("use --only, --limit and --approve with `apply` and `sync`"));
    }
    let request = ResumeRequest { run: args.run.clone(), consent };
    Ok(terminal.close_run(resume_run(&terminal.session(), workspace, &request).await?))
}

fn read_execution(args: &ExecutionArgs) -> (Consent, ActionChoice) {
    let ExecutionArgs { yes, only, limit, approve } = args.clone();
    (if yes { Consent::Given } else { Consent::AskFirst }, ActionChoice { only, limit, approve })
}
