//! Arguments, questions, progress, rendering, exit codes. The only room that prints; what a command does is in `app`.

mod args;
mod ask;
mod commands;
mod exit;
mod notices;
mod output;
mod progress;
mod signals;
mod terminal;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use args::{Cli, Command, CommandFacts};
use exit::Exit;
use terminal::Terminal;

use crate::app::run_notice::failed_run_head;
use crate::app::summaries::{blank_summary, round_seconds};
use crate::app::{AppError, CommandName, ErrorKind};
use crate::report::Summary;

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no mistakes; a reader that is gone is none either.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage as u8 } else { 0 });
        }
    };
    let say_panic = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::journal::store::panics_are_caught() {
            say_panic(panic);
        }
    }));
    let terminal = Arc::new(Terminal::new(cli.global));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let error = AppError::new(ErrorKind::System, format!("no runtime: {error}"));
            return ExitCode::from(close_failed(&terminal, cli.command.facts(), &error));
        }
    };
    // A task of its own, so that what hears the answers runs where they arrive: the main thread would have to be woken
    // for each, and would free what others allocated.
    let task = runtime.spawn(run_and_notify(Arc::clone(&terminal), cli.command));
    let exit = runtime.block_on(task).unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // Nobody aborts it.
        Err(_) => Exit::Failed as u8,
    });
    terminal.pause_progress();
    // Nothing that still runs matters any more: what had to be durable is.
    runtime.shutdown_background();
    ExitCode::from(exit)
}

/// Runs the command, says why where it fails, and notifies the machines that wait for the end of a run.
async fn run_and_notify(terminal: Arc<Terminal>, command: Command) -> u8 {
    let facts = command.facts();
    let exit = match run_command(&terminal, command).await {
        Ok(exit) => exit,
        Err(error) => close_failed(&terminal, facts, &error),
    };
    terminal.notify_end().await;
    exit
}

/// Says why a command failed. What goes wrong once its summary was told changes nothing of what that says: not the exit
/// code, and there is no second summary.
fn close_failed(terminal: &Arc<Terminal>, command: CommandFacts, error: &AppError) -> u8 {
    terminal.print_error(error);
    if let Some(exit) = terminal.told_exit() {
        return exit;
    }
    if let Some(name) = command.summary_name {
        let summary = failed_summary(terminal, name, error);
        terminal.close_with(&summary);
        keep_failed_end(terminal, command, summary, error.kind);
    }
    Exit::of_error(error) as u8
}

/// Machines are notified of a command too that failed before there was a run.
fn keep_failed_end(terminal: &Arc<Terminal>, command: CommandFacts, summary: Summary, kind: ErrorKind) {
    let Some(configured) = terminal.configured().filter(|_| command.changes_accounts) else { return };
    // Somebody who said no, or mistyped, knows.
    let is_known = matches!(kind, ErrorKind::Usage | ErrorKind::Declined) && std::io::stdin().is_terminal();
    if !is_known {
        terminal.keep_end(failed_run_head(&terminal.session(), &configured.target, summary), Some(kind));
    }
}

async fn run_command(terminal: &Arc<Terminal>, command: Command) -> Result<u8, AppError> {
    use commands::{check, execute, explain, export, history, init, meta, plan, report, sandbox};
    match command {
        Command::Init(args) => init::run_init(terminal, &args).await,
        Command::Check(args) => check::run_check(terminal, &args).await,
        Command::Plan(args) => plan::run_plan(terminal, &args).await,
        Command::Apply(args) => execute::run_apply(terminal, &args).await,
        Command::Sync(args) => execute::run_sync(terminal, &args).await,
        Command::Resume(args) => execute::run_resume(terminal, &args).await,
        Command::Runs => history::run_list(terminal),
        Command::Show(args) => report::run_show(terminal, &args),
        Command::Report(args) => report::run_report(terminal, &args),
        Command::Explain(args) => explain::run_explain(terminal, &args).await,
        Command::Rollback(args) => plan::run_rollback(terminal, &args).await,
        Command::Export(args) => export::run_export(terminal, &args).await,
        Command::Sandbox(args) => sandbox::run_sandbox(terminal, &args).await,
        Command::Schema => meta::print_schema(),
        Command::Completions { shell } => meta::print_completions(shell),
        Command::Man { out } => meta::write_man(out.as_deref()),
    }
}

/// The summary of a command that failed before anything was changed.
fn failed_summary(terminal: &Terminal, command: CommandName, error: &AppError) -> Summary {
    let exit = Exit::of_error(error);
    let tenant = terminal.configured().map(|known| known.tenant.clone()).unwrap_or_default();
    Summary {
        elapsed_seconds: round_seconds(terminal.clock.elapsed()),
        exit_code: exit as u8,
        error: Some(error.to_problem()),
        ..blank_summary(command, tenant, exit.to_outcome())
    }
}

#[cfg(test)]
mod one_summary {
    use super::*;

    /// After the summary of a run that finished with failures.
    const PARTIAL: u8 = 4;

    fn terminal() -> Arc<Terminal> {
        let cli = Cli::try_parse_from(["headcount", "--quiet", "--no-progress", "runs"]).unwrap();
        Arc::new(Terminal::unheard(cli.global))
    }

    fn facts(command: &str) -> CommandFacts {
        Cli::try_parse_from(["headcount", command]).unwrap().command.facts()
    }

    #[test]
    fn what_goes_wrong_after_the_summary_changes_neither_it_nor_the_exit_code() {
        let error = AppError::new(ErrorKind::Sandbox, "the connection did not end well");
        let terminal = terminal();
        let summary = Summary { exit_code: PARTIAL, ..failed_summary(&terminal, CommandName::Sync, &error) };
        terminal.close_with(&summary);
        assert_eq!(close_failed(&terminal, facts("sync"), &error), PARTIAL);
        assert_eq!(terminal.told_exit(), Some(PARTIAL));
        assert!(terminal.take_end().is_none(), "a run that is told of already");
    }

    #[test]
    fn a_command_that_fails_before_has_its_one_summary_then() {
        let (app, error) = (terminal(), AppError::new(ErrorKind::Target, "down").leaving_resumable());
        assert_eq!((app.told_exit(), close_failed(&app, facts("sync"), &error)), (None, Exit::Paused as u8));
        assert_eq!(app.told_exit(), Some(Exit::Paused as u8));
        let app = terminal();
        close_failed(&app, facts("runs"), &error);
        assert_eq!(app.told_exit(), None, "`runs` ends with no summary");
    }
}
