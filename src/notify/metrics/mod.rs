//! The last run as numbers in the text format of Prometheus, for the textfile collector of its node exporter. All of them
//! are gauges about the last run, because the process that knows them is gone when they are read.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::FinishedRun;
use crate::files::{FileError, write_atomically};
use crate::plan::{ActionKind, FindingKind};
use crate::report::summary::SummaryOutcome;

/// Whether the last good run was long ago is what an alert asks first.
const LAST_SUCCESS: &str = "headcount_last_success_timestamp_seconds";

/// What a run can come to; a plan that nobody executes is no run.
const OUTCOMES: [SummaryOutcome; 6] = [
    SummaryOutcome::Complete,
    SummaryOutcome::NoChanges,
    SummaryOutcome::Partial,
    SummaryOutcome::Held,
    SummaryOutcome::Paused,
    SummaryOutcome::Failed,
];

/// As much of an earlier file as is read to find the last success in it.
const LONGEST: u64 = 1 << 20;

/// Writes the file in the place of the one before, whose last success is kept. Everybody may read it: the collector runs
/// under a user of its own, and no person is in it.
///
/// # Errors
/// A folder that cannot be made, a file that cannot be written.
pub fn write(path: &Path, over: &FinishedRun) -> Result<(), FileError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(FileError::at_path(folder, "cannot be made"))?;
    }
    let before = if path.is_file() { read_beginning(path).unwrap_or_default() } else { String::new() };
    let text = render_metrics(over, last_success(&before, over));
    write_atomically(path, 0o644, |out| out.write_all(text.as_bytes()))
}

/// What is not to be read is as good as nothing: the next success is written all the same.
fn read_beginning(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// When a run of this tenant last ended well, in seconds since 1970, as the earlier file says it.
fn last_success(before: &str, over: &FinishedRun) -> Option<i64> {
    let sample = format!("{LAST_SUCCESS}{{{}}} ", metric_labels(over));
    before.lines().find_map(|line| line.strip_prefix(&sample)?.parse().ok())
}

fn is_success(outcome: SummaryOutcome) -> bool {
    matches!(outcome, SummaryOutcome::Complete | SummaryOutcome::NoChanges)
}

/// The whole file; `before` is when an earlier run last ended well.
#[must_use]
pub fn render_metrics(over: &FinishedRun, before: Option<i64>) -> String {
    let summary = &over.head.summary;
    let mut page = MetricsPage { text: String::new(), labels: metric_labels(over) };
    let ended = over.at.as_second();
    let success = if is_success(summary.outcome) { Some(ended) } else { before };
    page.write_gauge("headcount_last_run_timestamp_seconds", "When the last run ended.", Some(ended));
    page.write_gauge(LAST_SUCCESS, "When a run last ended with exit code 0.", success);
    page.write_gauge("headcount_last_run_exit_code", "The exit code of the last run.", Some(summary.exit_code));
    page.write_gauges(
        "headcount_last_run_outcome",
        "1 for the outcome of the last run, 0 for the others.",
        "outcome",
        OUTCOMES.map(|outcome| (outcome.name(), u64::from(outcome == summary.outcome))),
    );
    page.write_gauge(
        "headcount_last_run_duration_seconds",
        "How long the last run took.",
        Some(summary.elapsed_seconds),
    );
    page.write_gauge("headcount_accounts", "Accounts that the target listed for the last run.", over.accounts);
    let (planned, applied) = (summary.planned, summary.applied);
    page.write_gauges(
        "headcount_last_run_planned_accounts",
        "Accounts that the last run was to change.",
        "action",
        ActionKind::ALL.map(|kind| (kind.as_str(), planned.get(kind))),
    );
    page.write_gauges(
        "headcount_last_run_applied_accounts",
        "Accounts that the last run changed.",
        "action",
        ActionKind::ALL.map(|kind| (kind.as_str(), applied.get(kind))),
    );
    let held = "Accounts that a safety rule held back in the last run.";
    page.write_gauge("headcount_last_run_held_accounts", held, Some(summary.held));
    let failed = "Accounts that failed in the last run, or were left alone because they had changed.";
    page.write_gauge("headcount_last_run_failed_accounts", failed, Some(summary.failed));
    let unknown = "Accounts whose outcome is unknown.";
    page.write_gauge("headcount_last_run_unknown_accounts", unknown, Some(summary.unknown));
    let mut found = summary.found;
    page.write_gauges(
        "headcount_last_run_findings",
        "Rows and accounts that needed no request in the last run.",
        "finding",
        FindingKind::ALL.map(|kind| (kind.as_str(), *found.count_mut(kind))),
    );
    let sent = &summary.requests;
    page.write_gauges(
        "headcount_last_run_requests",
        "Requests that the last run sent, repeats included.",
        "kind",
        [("auth", sent.auth), ("list", sent.list), ("lookup", sent.lookup), ("write", sent.write)],
    );
    let retried = "Requests that the last run sent again.";
    page.write_gauge("headcount_last_run_retried_requests", retried, Some(sent.retried));
    let quota = summary.quota.as_ref();
    let (limit, remaining) = (quota.and_then(|quota| quota.limit), quota.map(|quota| quota.remaining));
    page.write_gauge("headcount_quota_limit_requests", "Requests that the tenant is allowed in a day.", limit);
    page.write_gauge(
        "headcount_quota_remaining_requests",
        "Requests that were left when the last run ended.",
        remaining,
    );
    let reset = quota.and_then(|quota| quota.resets_at).map(|at| at.as_second());
    page.write_gauge("headcount_quota_reset_timestamp_seconds", "When the quota resets.", reset);
    page.text
}

/// The labels of every sample.
fn metric_labels(over: &FinishedRun) -> String {
    format!("tenant=\"{}\",target=\"{}\"", escape_label(&over.head.summary.tenant), escape_label(&over.head.target))
}

/// A label's value as the format wants it.
fn escape_label(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

/// A text on its way.
struct MetricsPage {
    text: String,
    labels: String,
}

impl MetricsPage {
    /// One number; what is not known is left out.
    fn write_gauge(&mut self, name: &str, help: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.write_head(name, help);
            self.text.push_str(&format!("{name}{{{}}} {value}\n", self.labels));
        }
    }

    /// One number for each value of a label.
    fn write_gauges<const N: usize>(&mut self, name: &str, help: &str, label: &str, values: [(&str, u64); N]) {
        self.write_head(name, help);
        for (value, number) in values {
            self.text.push_str(&format!("{name}{{{},{label}=\"{}\"}} {number}\n", self.labels, escape_label(value)));
        }
    }

    fn write_head(&mut self, name: &str, help: &str) {
        self.text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
    }
}

#[cfg(test)]
mod tests;
