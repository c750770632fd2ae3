//! The metrics and the webhook of `[report]`, once a use case that executes is over. Whatever becomes of them, how it ended
//! stays what it is; a machine that could not be notified is a note.

use super::error::ErrorKind;
use super::session::Session;
use super::workspace::display_path;
use crate::config::{ReportSettings, Settings};
use crate::connectors::http::Network;
use crate::notify::{FinishedRun, metrics, webhook};
use crate::report::{Head, RecordKind, Summary};

/// Who is notified, and how they are reached.
pub struct NoticeSettings {
    pub report: ReportSettings,
    network: Network,
}

impl From<&Settings> for NoticeSettings {
    fn from(settings: &Settings) -> Self {
        Self { report: settings.report.clone(), network: settings.network.clone() }
    }
}

/// Notifies whoever the settings name. `error` is why there was no run, where there was none.
pub async fn notify_machines(session: &Session, settings: &NoticeSettings, head: Head, error: Option<ErrorKind>) {
    // A rollback has no listing.
    let accounts = head.accounts.filter(|_| head.takes_back.is_none());
    let over = FinishedRun { head, accounts, at: session.clock.now() };
    // Another run holds the state directory, and writes its own numbers when it ends: these would stand there meanwhile
    // as if nothing were under way.
    let is_locked = error == Some(ErrorKind::Locked);
    if let Some(path) = settings.report.metrics.as_ref().filter(|_| !is_locked)
        && let Err(error) = metrics::write(path, &over)
    {
        let error = error.to_string().replace(&path.display().to_string(), &display_path(path));
        session.note(&format!("the metrics are not written: {error}"));
    }
    if let Some(webhook) = &settings.report.webhook
        && let Err(error) = webhook::send_webhook(
            webhook,
            &settings.network,
            &over,
            &session.invocation,
            &*session.clock,
            &session.stop,
        )
        .await
    {
        session.note(&format!("the webhook was not notified: {error}"));
    }
}

/// The head of a run that failed before it was one.
#[must_use]
pub fn failed_run_head(session: &Session, target: &str, summary: Summary) -> Head {
    Head {
        of: RecordKind::Run,
        started_at: session.clock.now(),
        target: target.to_owned(),
        summary,
        accounts: None,
        held: Vec::new(),
        notes: Vec::new(),
        against: None,
        takes_back: None,
        rest: None,
    }
}
