//! The configuration and every row of the source, without a tenant; and, apart from it, the tenant.

use std::time::Duration;

use futures::StreamExt;
use tempfile::TempDir;

use super::error::{AppError, ErrorKind};
use super::reference_check::check_references;
use super::session::{FirstPage, Notice, Session, TenantAnswer};
use super::summaries::{blank_summary, count_requests, count_spent, exit_code_of, read_quota, round_seconds};
use super::workspace::{OpenSource, Workspace};
use crate::connectors::{Connector, Listed};
use crate::journal::Journal;
use crate::model::CommandName;
use crate::plan::FindingKind;
use crate::planning::{Accounts, References, check_rows, read_findings};
use crate::report::Summary;
use crate::report::summary::{QuotaSummary, Requests, SummaryOutcome};

/// A source whose rows were checked. What can be read only once of it is kept until this is dropped.
pub struct SourceCheck {
    /// Rows that count.
    pub included: u64,
    /// Rows among them that cannot be used.
    pub invalid: u64,
    /// Where such a row stands, and why it cannot be used.
    pub problems: Vec<(String, String)>,
    /// What stops every run.
    pub stopped: Vec<String>,
    open: OpenSource,
    folder: TempDir,
    started: Duration,
}

/// What it took to ask a tenant.
#[derive(Clone, Debug)]
pub struct CheckedTenant {
    pub requests: Requests,
    pub quota: Option<QuotaSummary>,
}

/// Checks every row of the source. Nothing is asked of the tenant, and nothing is kept.
///
/// # Errors
/// A source that cannot be read, or a mapping that does not fit it.
pub fn check_source(session: &Session, workspace: &Workspace) -> Result<SourceCheck, AppError> {
    let started = session.clock.elapsed();
    let folder = make_temporary_folder()?;
    let open = workspace.open_source_in(&*session.clock, folder.path())?;
    // Nothing is remembered by a check, and nothing has to be locked for it.
    let memory = Journal::in_memory().memory("check");
    let accounts = Accounts::Recorded(folder.path());
    let checked = check_rows(&workspace.planning_inputs(&open, &memory, session, accounts, folder.path()))?;
    let findings = read_findings(&checked.findings)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .map_err(|error| AppError::new(ErrorKind::System, error.to_string()))?;
    let problems = findings.into_iter().filter(|finding| finding.finding == FindingKind::Invalid).map(|finding| {
        let place = finding.source.as_ref().map(ToString::to_string).unwrap_or_default();
        (place, finding.reason)
    });
    let problems = problems.collect();
    let (included, invalid, stopped) = (checked.included, checked.invalid, checked.stopped);
    Ok(SourceCheck { included, invalid, problems, stopped, open, folder, started })
}

/// Signs in, reads one page, and asks for what the rows refer to.
///
/// # Errors
/// The tenant does not answer as it has to, or lacks what the rows refer to.
pub async fn check_tenant(
    session: &Session,
    workspace: &Workspace,
    source: &SourceCheck,
) -> Result<CheckedTenant, AppError> {
    let memory = Journal::in_memory().memory("check");
    let accounts = Accounts::Recorded(source.folder.path());
    let inputs = workspace.planning_inputs(&source.open, &memory, session, accounts, source.folder.path());
    let references = References::of_rows(&inputs)?;
    let connection = workspace.connect_tenant(session).await?;
    let checked = check_connected(session, &*connection.target, &references).await;
    connection.close_after(checked).await
}

async fn check_connected(
    session: &Session,
    target: &dyn Connector,
    references: &References,
) -> Result<CheckedTenant, AppError> {
    target.sign_in().await?;
    // What this takes without a fault: signing in, and a page.
    let estimated = count_spent(target.meter()) + 1;
    let first = {
        let mut listing = target.list();
        listing.next().await
    };
    let first_page = match first.transpose()? {
        Some(Listed::Page { accounts, pages }) => FirstPage::Accounts { accounts: accounts.len(), pages },
        Some(Listed::End { .. }) => FirstPage::NoAccounts,
        Some(Listed::Again { .. }) | None => FirstPage::Unclear,
    };
    let (name, quota) = (target.describe(), read_quota(target.meter()));
    session.notify(Notice::TenantAnswered(&TenantAnswer { target: name, first_page, quota }));
    let asked = check_references(session, references, target.schema(), target).await?;
    let requests = count_requests(target.meter(), estimated + asked);
    Ok(CheckedTenant { requests, quota: read_quota(target.meter()) })
}

/// The summary of a check; `tenant` where it was asked.
#[must_use]
pub fn summarise_check(
    session: &Session,
    workspace: &Workspace,
    source: &SourceCheck,
    tenant: Option<&CheckedTenant>,
) -> Summary {
    let outcome = if source.stopped.is_empty() { SummaryOutcome::Complete } else { SummaryOutcome::Held };
    let name = workspace.settings.target.tenant.clone();
    let mut summary = blank_summary(CommandName::Check, name, outcome);
    summary.found.invalid = source.invalid;
    if let Some(tenant) = tenant {
        (summary.requests, summary.quota) = (tenant.requests, tenant.quota);
    }
    summary.error = (outcome == SummaryOutcome::Held)
        .then(|| AppError::new(ErrorKind::Safety, source.stopped.join("; ")).to_problem());
    summary.exit_code = exit_code_of(outcome);
    summary.elapsed_seconds = round_seconds(session.clock.elapsed().saturating_sub(source.started));
    summary
}

pub(super) fn make_temporary_folder() -> Result<TempDir, AppError> {
    let failed = |error| AppError::new(ErrorKind::System, format!("cannot make a temporary folder: {error}"));
    tempfile::tempdir().map_err(failed)
}
