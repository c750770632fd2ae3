//! Arguments, commands, progress, questions, exit codes. The only room that prints, and the only one that knows all
//! others; nothing imports it.

mod app;
mod args;
pub mod ask;
mod commands;
mod connect;
mod failure;
mod notify;
pub mod output;
mod past;
mod people;
pub mod progress;
mod quota;
mod records;
mod workbench;

#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use app::App;
use args::{Cli, Command};
use failure::{Exit, Failure};

use crate::report::Summary;
use crate::report::summary::SummaryOutcome;

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
    let app = App::new(cli.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::new("system", format!("no runtime: {error}"));
            return ExitCode::from(failed(&app, cli.command.name(), &failure));
        }
    };
    let app = Arc::new(app);
    // A task of its own, so that what hears the answers runs where they arrive: the main thread would have to be woken
    // for each, and would free what others allocated.
    let task = runtime.spawn(outcome(Arc::clone(&app), cli.command));
    let exit = runtime.block_on(task).unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // Nobody aborts it.
        Err(_) => Exit::Failed as u8,
    });
    app.pause_progress();
    // Nothing that still runs matters any more: what had to be durable is.
    runtime.shutdown_background();
    ExitCode::from(exit)
}

/// Runs the command, says why where it fails, and tells whoever wants to be told of a run.
async fn outcome(app: Arc<App>, command: Command) -> u8 {
    let name = command.name();
    let exit = match run(&app, command).await {
        Ok(exit) => exit as u8,
        Err(failure) => failed(&app, name, &failure),
    };
    notify::tell(&app).await;
    exit
}

/// Says why a command failed. What goes wrong once its summary was told, as a connection that does not end well, changes
/// nothing of what that says: not the exit code, and there is no second summary.
fn failed(app: &App, name: &str, failure: &Failure) -> u8 {
    app.lament(failure);
    if let Some(exit) = app.told() {
        return exit;
    }
    if Command::summarises(name) {
        let summary = failed_summary(app, name, failure);
        app.close(&summary);
        notify::failed(app, name, &summary);
    }
    failure.exit as u8
}

async fn run(app: &App, command: Command) -> Result<Exit, Failure> {
    use commands::{apply, check, explain, export, init, meta, plan, report, resume, rollback, runs, sandbox, sync};
    match command {
        Command::Init(args) => init::run(app, &args).await,
        Command::Check(args) => check::run(app, &args).await,
        Command::Plan(args) => plan::run(app, &args).await,
        Command::Apply(args) => apply::run(app, &args).await,
        Command::Sync(args) => sync::run(app, &args).await,
        Command::Resume(args) => resume::run(app, &args).await,
        Command::Runs => runs::list(app),
        Command::Show(args) => runs::show(app, &args),
        Command::Report(args) => report::run(app, &args),
        Command::Explain(args) => explain::run(app, &args).await,
        Command::Rollback(args) => rollback::run(app, &args).await,
        Command::Export(args) => export::run(app, &args).await,
        Command::Sandbox(args) => sandbox::run(app, &args).await,
        Command::Schema => meta::schema(),
        Command::Completions { shell } => meta::completions(shell),
        Command::Man { out } => meta::man(out.as_deref()),
    }
}

/// The summary of a command that failed before anything was changed.
fn failed_summary(app: &App, command: &str, failure: &Failure) -> Summary {
    Summary {
        headcount_summary: 1,
        command: command.to_owned(),
        run: String::new(),
        tenant: app.tenant.get().cloned().unwrap_or_default(),
        outcome: match failure.exit {
            Exit::Paused => SummaryOutcome::Paused,
            Exit::Held => SummaryOutcome::Held,
            _ => SummaryOutcome::Failed,
        },
        planned: Default::default(),
        found: Default::default(),
        applied: Default::default(),
        held: 0,
        failed: 0,
        unknown: 0,
        requests: Default::default(),
        quota: None,
        forecast: None,
        elapsed_seconds: commands::plan::seconds(app.clock.elapsed()),
        exit_code: failure.exit as u8,
        error: Some(failure.problem()),
    }
}

#[cfg(test)]
mod one_summary {
    use super::*;
    use crate::clock::SystemClock;

    fn app() -> App {
        let cli = Cli::try_parse_from(["headcount", "--quiet", "--no-progress", "runs"]).unwrap();
        App::unheard(cli.global, SystemClock::new())
    }

    #[test]
    fn what_goes_wrong_after_the_summary_changes_neither_it_nor_the_exit_code() {
        let (app, failure) = (app(), Failure::new("sandbox", "the connection did not end well"));
        let summary = Summary { exit_code: Exit::Partial as u8, ..failed_summary(&app, "sync", &failure) };
        app.close(&summary);
        assert_eq!(failed(&app, "sync", &failure), Exit::Partial as u8);
        assert_eq!(app.told(), Some(Exit::Partial as u8));
        assert!(app.take_over().is_none(), "a run that is told of already");
    }

    #[test]
    fn a_command_that_fails_before_has_its_one_summary_then() {
        let (app, failure) = (app(), Failure::new("target", "down").exit(Exit::Paused));
        assert_eq!((app.told(), failed(&app, "sync", &failure)), (None, Exit::Paused as u8));
        assert_eq!(app.told(), Some(Exit::Paused as u8));
        let app = self::app();
        failed(&app, "runs", &failure);
        assert_eq!(app.told(), None, "`runs` ends with no summary");
    }
}
