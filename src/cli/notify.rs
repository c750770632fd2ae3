//! What machines are told once a command that executes is over: the metrics and the webhook of `[report]`. Whatever becomes
//! of it, the exit code stays what it is; what could not be told is a note.

use std::io::{self, IsTerminal};

use super::app::App;
use super::args::Command;
use super::workbench::shown;
use crate::config::ReportSettings;
use crate::notify::{metrics, webhook};
use crate::report::{Head, RecordKind, Summary};

/// What the configuration says of it, and the target's name, once they are known.
pub struct Wanted {
    pub report: ReportSettings,
    pub target: String,
}

/// What a command that failed before there was a run leaves to tell.
pub fn failed(app: &App, command: &str, summary: &Summary) {
    let Some(wanted) = app.wanted.get().filter(|_| Command::executes(command)) else { return };
    let is_usage = summary.error.as_ref().is_some_and(|problem| problem.kind == "usage");
    if is_usage && io::stdin().is_terminal() {
        // Somebody said no, or mistyped, and knows.
        return;
    }
    let head = Head {
        of: RecordKind::Run,
        started_at: app.clock.now(),
        target: wanted.target.clone(),
        summary: summary.clone(),
        accounts: None,
        held: Vec::new(),
        notes: Vec::new(),
        against: None,
        takes_back: None,
        rest: None,
    };
    app.over(head, None);
}

/// Tells what there is to tell.
pub async fn tell(app: &App) {
    let (Some(wanted), Some(over)) = (app.wanted.get(), app.take_over()) else { return };
    // Another run holds the state directory, and writes its own numbers when it ends: these would stand there meanwhile
    // as if nothing were under way.
    let is_locked = over.head.summary.error.as_ref().is_some_and(|problem| problem.kind == "locked");
    if let Some(path) = wanted.report.metrics.as_ref().filter(|_| !is_locked)
        && let Err(error) = metrics::write(path, &over)
    {
        let error = error.to_string().replace(&path.display().to_string(), &shown(path));
        app.monitor().note(&format!("the metrics are not written: {error}"));
    }
    if let Some(webhook) = &wanted.report.webhook
        && let Err(error) =
            webhook::send_webhook(webhook, &over, &app.global.invocation(), &*app.clock, &app.stop).await
    {
        app.monitor().note(&format!("the webhook was not told: {error}"));
    }
}
