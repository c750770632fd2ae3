//! What stays of a run: its summary, its reports, the sheet of rows to fix. And what is old enough to be forgotten.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::AppError;
use super::error_sheet::write_error_sheet;
use super::past_runs::past_runs_before;
use super::session::{Notice, Session};
use super::stored_records::StoredRecord;
use super::workspace::{OpenSource, Workspace, make_report_folder};
use crate::clock::Clock;
use crate::files::{sealed, write_atomically};
use crate::journal::{Journal, RunId};
use crate::plan::file::PlanHeader;
use crate::plan::safety::ActionGroup;
use crate::report::{Extent, Form, Head, Style, render};
use crate::testing::failpoints::{self, Failpoint};

/// A run whose reports are due.
pub struct Publication<'a> {
    pub session: &'a Session,
    pub workspace: &'a Workspace,
    pub journal: &'a Journal,
    pub source: Option<&'a OpenSource>,
    pub header: &'a PlanHeader,
    pub run: RunId,
}

impl Publication<'_> {
    /// Keeps the summary with the run, writes the reports, and shows what a person must know. What was done is done,
    /// whether or not it can be shown: what goes wrong here is a note.
    pub fn publish_run(&self, head: &Head, released: Vec<ActionGroup>) {
        let Self { session, workspace, journal, source, header, run } = *self;
        if let Err(error) = sealed::write(&workspace.state.run_summary(run), head) {
            session.note(&format!("the summary is not saved, and is rebuilt from the journal instead: {error}"));
        }
        let record = StoredRecord::from_run(head.clone(), &workspace.state, journal, run, released);
        let report = &workspace.settings.report;
        let mut written = Vec::new();
        for (form, path) in [(Form::Html, &report.html), (Form::Markdown, &report.markdown)] {
            let Some(path) = path else { continue };
            let path = PathBuf::from(path.to_string_lossy().replace("{run}", &run.to_string()));
            match self.write_report(&record, head, form, &path) {
                Ok(()) => written.push(path),
                // The run itself is unharmed, and `report` writes it again.
                Err(error) => {
                    let again = session.invocation.whole_command(&format!("report {run} --as {form}"));
                    let path = path.display();
                    session.note(&format!("the report {path} is not written: {error}; `{again}` writes it"));
                }
            }
        }
        let sheet = record
            .open_record()
            .ok()
            .and_then(|record| write_error_sheet(session, workspace, source, header, record, &run.to_string()));
        let shown = record
            .open_record()
            .map_err(|error| error.message)
            .and_then(|record| session.show_record(record, Extent::Result).map_err(|error| error.message));
        if let Err(error) = shown {
            let again = session.invocation.whole_command(&format!("show {run}"));
            session.note(&format!("{error}; `{again}` shows it again"));
        }
        if let Some(path) = sheet {
            session.notify(Notice::ErrorSheetWritten(&path));
        }
        if !written.is_empty() {
            session.notify(Notice::ReportsWritten(&written));
        }
    }

    fn write_report(&self, record: &StoredRecord<'_>, head: &Head, form: Form, path: &Path) -> io::Result<()> {
        let Workspace { state, settings, .. } = self.workspace;
        let invocation = self.session.invocation.clone();
        let style = Style { redact: settings.report.redact.clone(), invocation, ..Style::default() };
        make_report_folder(path)?;
        let record = record.open_record().map_err(io::Error::other)?;
        let record = record.with_past(past_runs_before(head, &self.journal.runs(), state));
        write_atomically(path, 0o600, |out| render(record, form, &style, out)).map_err(io::Error::other)
    }
}

/// Forgets what is older than `journal.keep`.
pub async fn prune_history(workspace: &Workspace, journal: &Journal, clock: &dyn Clock) -> Result<(), AppError> {
    let (state, keep) = (&workspace.state, workspace.settings.journal.keep);
    for run in journal.prune_runs(keep, clock.now()).await? {
        state.remove_run(run)?;
        failpoints::reach(Failpoint::RunRemoved);
    }
    prune_plans(&state.path().join("plans"), keep);
    failpoints::reach(Failpoint::Pruned);
    Ok(())
}

/// Removes plans that were made longer ago than `keep`, and what was to become one longer than a day ago: whoever made it
/// was killed.
fn prune_plans(plans: &Path, keep: Duration) {
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
