//! What to do next, which is what every report ends with.

use super::summary::SummaryOutcome;
use super::visible::visible;
use super::{Head, record::HeldKind};

/// One thing to do: why, and the command that does it where there is one. Both are safe to show on a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub why: String,
    pub command: Option<String>,
}

impl Step {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), command: None }
    }

    fn by(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }
}

/// What to do next, the most urgent first; never empty.
#[must_use]
pub fn next_steps(head: &Head) -> Vec<Step> {
    let summary = &head.summary;
    let run = visible(&summary.run);
    let mut steps = Vec::new();

    if let Some(problem) = &summary.error {
        steps.push(Step::new(visible(problem.hint.as_ref().unwrap_or(&problem.message))));
    }
    if summary.unknown > 0 {
        let why = format!("{} of unknown outcome: looked up before anything is sent again", accounts(summary.unknown));
        steps.push(Step::new(why).by(format!("headcount resume {run}")));
    } else if summary.outcome == SummaryOutcome::Paused {
        let until = summary.quota.as_ref().and_then(|quota| quota.resets_at).map(super::words::moment);
        let until = until.map(|at| format!(" (the quota resets at {at})")).unwrap_or_default();
        steps.push(
            Step::new(format!("Paused; it goes on where it stopped{until}")).by(format!("headcount resume {run}")),
        );
    }
    if summary.failed > 0 {
        let why =
            format!("{} failed: mend what the messages name, the next plan tries again", accounts(summary.failed));
        steps.push(Step::new(why));
    }
    // Of a plan that was stopped nothing can be released.
    let is_stopped = !head.is_run() && summary.error.is_some();
    for held in head.held.iter().filter(|_| !is_stopped) {
        let HeldKind { kind, count, limit, .. } = held;
        let kind = visible(kind);
        let why = format!("{} to {kind} held, the limit is {limit}: look at them, then release them", accounts(*count));
        steps.push(Step::new(why).by(release_command(head, held)));
    }
    let free = summary.planned.total().saturating_sub(summary.held);
    let is_to_be_applied = matches!(summary.command.as_str(), "apply" | "sync");
    if !head.is_run() && !is_to_be_applied && free > 0 && summary.error.is_none() {
        steps.push(Step::new(format!("{} to change", accounts(free))).by("headcount apply PLAN"));
    }
    if summary.found.invalid > 0 {
        steps.push(
            Step::new(format!("{} cannot be used: mend the export", rows(summary.found.invalid))).by("headcount check"),
        );
    }
    if steps.is_empty() {
        steps.push(Step::new("Nothing to do."));
    }
    steps
}

/// The command that releases one held kind of action.
#[must_use]
pub fn release_command(head: &Head, held: &HeldKind) -> String {
    let hash = visible(&held.approve);
    if head.is_run() || head.summary.command == "sync" {
        // A run that has ended is not continued: the next one plans the same actions, which the same hash releases.
        format!("headcount sync --approve {hash}")
    } else {
        format!("headcount apply PLAN --approve {hash}")
    }
}

fn accounts(count: u64) -> String {
    if count == 1 { "1 account".into() } else { format!("{count} accounts") }
}

fn rows(count: u64) -> String {
    if count == 1 { "1 row".into() } else { format!("{count} rows") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{quiet, rich};

    fn commands(head: &Head) -> Vec<String> {
        next_steps(head).into_iter().filter_map(|step| step.command).collect()
    }

    #[test]
    fn what_is_unknown_comes_before_what_is_held() {
        assert_eq!(
            commands(&rich().head),
            ["headcount resume r-7", "headcount sync --approve 9f2c41", "headcount check"]
        );
    }

    #[test]
    fn a_plan_is_applied_and_a_sync_is_released_by_a_sync() {
        let mut head = rich().head;
        head.summary.unknown = 0;
        head.summary.found.invalid = 0;
        head.summary.command = "sync".into();
        assert_eq!(commands(&head), ["headcount sync --approve 9f2c41"]);
        head.of = "plan".into();
        assert_eq!(commands(&head), ["headcount sync --approve 9f2c41"]);
        head.summary.command = "plan".into();
        assert_eq!(commands(&head), ["headcount apply PLAN --approve 9f2c41", "headcount apply PLAN"]);
    }

    #[test]
    fn of_a_plan_that_was_stopped_nothing_is_released() {
        let mut head = rich().head;
        head.of = "plan".into();
        head.summary.error =
            Some(crate::report::Problem { kind: "safety".into(), message: "too few rows".into(), hint: None });
        assert!(commands(&head).iter().all(|command| !command.contains("--approve")));
    }

    #[test]
    fn a_paused_run_is_resumed_and_says_when_the_quota_resets() {
        let mut head = quiet().head;
        head.of = "run".into();
        head.summary.outcome = SummaryOutcome::Paused;
        head.summary.quota =
            Some(crate::report::summary::Quota { limit: None, remaining: 0, resets_at: Some(head.started_at) });
        let steps = next_steps(&head);
        assert_eq!(steps[0].command.as_deref(), Some("headcount resume p-1"));
        assert!(steps[0].why.contains("2026-11-22 03:00:00 UTC"), "{steps:?}");
    }

    #[test]
    fn where_nothing_is_to_do_it_says_so() {
        assert_eq!(next_steps(&quiet().head), [Step::new("Nothing to do.")]);
    }
}
