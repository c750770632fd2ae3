//! What stays of a run and what is shown of it: its summary, its reports, and what is old enough to be forgotten.

use std::io;
use std::time::Duration;

use super::drive::{Drive, Planned};
use super::errors;
use super::plan::seconds;
use crate::cli::failure::{Exit, Failure};
use crate::cli::workbench::{Configured, shown};
use crate::cli::{past, records};
use crate::execute::{ExecutionResult, Halt};
use crate::files::sealed;
use crate::files::{make_private_dir, write_atomically};
use crate::journal::RunId;
use crate::plan::file::PlanHeader;
use crate::plan::safety::ActionGroup;
use crate::report::summary::SummaryOutcome;
use crate::report::{Extent, Form, RecordKind, Style, Summary, SummaryProblem, render};
use crate::testing::failpoints::{self, Failpoint};

impl Drive<'_> {
    pub(super) fn summary(
        &self,
        run: RunId,
        plan: &Planned<'_>,
        estimated: u64,
        executed: &ExecutionResult,
        exit: Exit,
    ) -> Summary {
        let meter = Some(self.connected.target.meter());
        let requests = records::requests(meter, estimated);
        let mut summary = records::plan_summary(plan.header, self.command, requests, records::quota(meter));
        summary.run = run.to_string();
        summary.applied = executed.applied;
        summary.held = executed.held;
        // An account that was left alone because it changed is not done, and must not look as if it were.
        summary.failed = executed.failed + executed.skipped;
        summary.unknown = executed.unknown;
        summary.exit_code = exit as u8;
        summary.elapsed_seconds = seconds(self.app.clock.elapsed().saturating_sub(self.started));
        summary.outcome = match exit {
            Exit::Paused => SummaryOutcome::Paused,
            Exit::Partial => SummaryOutcome::Partial,
            Exit::Held => SummaryOutcome::Held,
            Exit::Done if summary.planned.count_all() == 0 => SummaryOutcome::NoChanges,
            Exit::Done => SummaryOutcome::Complete,
            _ => SummaryOutcome::Failed,
        };
        summary.error = executed.halt.as_ref().map(problem);
        summary
    }

    /// Keeps the summary with the run, writes the reports, and shows what a person must know.
    pub(super) fn publish(&self, run: RunId, header: &PlanHeader, summary: &Summary, released: Vec<ActionGroup>) {
        let Configured { state, settings, .. } = self.configured;
        let mut head = records::head(RecordKind::Run, header, summary.clone(), &released);
        // A plan that was read and applied in part is gone on with; a sync would make another that nobody has read.
        let is_kept = state.plan(&header.plan).is_some_and(|dir| dir.exists());
        head.rest = (summary.command == "apply" && is_kept).then(|| header.plan.clone());
        if let Err(error) = sealed::write(&state.run_summary(run), &head) {
            self.app.monitor().note(&format!("the summary is not kept, and is made from the journal instead: {error}"));
        }
        let record = || records::of_run(head.clone(), state, self.journal, run, released.clone());
        let invocation = self.app.global.invocation();
        let mut written = Vec::new();
        let wanted = [(Form::Html, &settings.report.html), (Form::Markdown, &settings.report.markdown)];
        for (form, path) in wanted.into_iter().filter_map(|(form, path)| Some((form, path.as_ref()?))) {
            let path = std::path::PathBuf::from(path.to_string_lossy().replace("{run}", &run.to_string()));
            let (redact, invocation) = (settings.report.redact.clone(), invocation.clone());
            let again = invocation.whole_command(&format!("report {run} --as {form}"));
            let style = Style { redact, invocation, ..Style::default() };
            let result = path.parent().map_or(Ok(()), make_parent).and_then(|()| {
                let record = record().map_err(|failure| io::Error::other(failure.message))?;
                let record = record.with_past(past::before(&head, &self.journal.runs(), state));
                write_atomically(&path, 0o600, |out| render(record, form, &style, out)).map_err(io::Error::other)
            });
            match result {
                Ok(()) => written.push(shown(&path)),
                // The run itself is unharmed, and `report` writes it again.
                Err(error) => self
                    .app
                    .monitor()
                    .note(&format!("the report {} is not written: {error}; `{again}` writes it", path.display())),
            }
        }
        let sheet = record()
            .ok()
            .and_then(|record| errors::write(self.app, self.configured, self.mapped, header, record, &run.to_string()));
        // What was done is done, whether or not it can be shown: the exit code says how it went.
        if let Err(failure) = record().and_then(|record| self.app.show(self.configured, record, Extent::Result)) {
            let again = invocation.whole_command(&format!("show {run}"));
            self.app.monitor().note(&format!("{}; `{again}` shows it again", failure.message));
        }
        if let Some(path) = sheet {
            self.app.say(&errors::told(&path));
        }
        match written.as_slice() {
            [] => {}
            [path] => self.app.say(&format!("The report is in {path}.")),
            paths => self.app.say(&format!("The reports are in\n    {}", paths.join("\n    "))),
        }
    }

    /// Forgets what is older than `journal.keep`.
    pub(super) async fn prune(&self) -> Result<(), Failure> {
        let (state, keep, now) = (&self.configured.state, self.configured.settings.journal.keep, self.app.clock.now());
        for run in self.journal.prune_runs(keep, now).await? {
            state.remove_run(run)?;
            failpoints::reach(Failpoint::RunRemoved);
        }
        prune_plans(&state.path().join("plans"), keep);
        failpoints::reach(Failpoint::Pruned);
        Ok(())
    }
}

/// Removes plans that were made longer ago than `keep`, and what was to become one longer than a day ago: whoever made it
/// was killed.
fn prune_plans(plans: &std::path::Path, keep: Duration) {
    const ABANDONED: Duration = Duration::from_secs(86_400);
    let Ok(entries) = std::fs::read_dir(plans) else { return };
    for entry in entries.flatten() {
        let is_made = !entry.file_name().as_encoded_bytes().starts_with(b".");
        let keep = if is_made { keep } else { keep.min(ABANDONED) };
        let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > keep) {
            // What cannot be removed now is tried again after the next run.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

pub(super) fn make_parent(dir: &std::path::Path) -> io::Result<()> {
    if dir.as_os_str().is_empty() || dir.exists() {
        return Ok(());
    }
    // Reports hold names and mail addresses: a folder made for them is its owner's.
    make_private_dir(dir).map_err(io::Error::other)
}

fn problem(halt: &Halt) -> SummaryProblem {
    let (kind, error) = match halt {
        Halt::Signal => {
            return SummaryProblem {
                kind: "signal".to_owned(),
                message: halt.to_string(),
                hint: Some("`headcount resume` goes on where it stopped".to_owned()),
            };
        }
        Halt::Quota(error) => ("quota", error),
        Halt::Down(error) => ("target", error),
        Halt::Configuration(error) => ("configuration", error),
    };
    SummaryProblem { kind: kind.to_owned(), message: error.to_string(), hint: error.hint.clone() }
}
