//! What to do next, which is what every report ends with.

use super::summary::SummaryOutcome;
use super::visible::visible;
use super::words::untouched_actions;
use super::{Head, Invocation, ProblemKind, record::HeldKind};
use crate::model::CommandName;

/// One thing to do: why, and the command that does it where there is one. Both are safe to show on a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextStep {
    pub why: String,
    pub command: Option<String>,
}

impl NextStep {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), command: None }
    }

    fn with_command(mut self, command: String) -> Self {
        self.command = Some(command);
        self
    }
}

/// What to do next, the most urgent first; never empty. `called` is how the program is to be called for it.
#[must_use]
pub fn next_steps(head: &Head, called: &Invocation) -> Vec<NextStep> {
    let summary = &head.summary;
    let run = visible(&summary.run);
    let mut steps = Vec::new();

    // Where a run was asked to stop, the way on is the only step.
    if let Some(problem) = summary.error.as_ref().filter(|problem| problem.kind != ProblemKind::Signal) {
        let what = called.complete_commands(problem.hint.as_ref().unwrap_or(&problem.message));
        steps.push(NextStep::new(capitalize_hint(&visible(&what))));
    }
    if summary.unknown > 0 {
        let why =
            format!("{} of unknown outcome: looked up before anything is sent again", count_accounts(summary.unknown));
        steps.push(NextStep::new(why).with_command(called.whole_command(&format!("resume {run}"))));
    } else if summary.outcome == SummaryOutcome::Paused {
        let is_for_quota = summary.error.as_ref().is_some_and(|problem| problem.kind == ProblemKind::Quota);
        let quota = summary.quota.as_ref().filter(|_| is_for_quota);
        let until = quota.and_then(|quota| quota.resets_at).map(super::words::moment_text);
        let until = until.map(|at| format!(" (the quota resets at {at})")).unwrap_or_default();
        steps.push(
            NextStep::new(format!("Paused; it continues where it stopped{until}"))
                .with_command(called.whole_command(&format!("resume {run}"))),
        );
    }
    if summary.failed > 0 {
        let again = if head.takes_back.is_some() { "next rollback of the same run" } else { "next plan" };
        let why =
            format!("{} failed: fix what the messages name, the {again} tries again", count_accounts(summary.failed));
        steps.push(NextStep::new(why));
    }
    steps.extend(held_steps(head, called).into_iter().map(|(_, step)| step));
    if head.is_run()
        && summary.error.is_none()
        && summary.outcome != SummaryOutcome::Paused
        && untouched_actions(summary) > 0
    {
        let why = format!("{} left out of this run (--only, --limit)", count_accounts(untouched_actions(summary)));
        let rest = head.takes_back.as_ref().map(|rollback| &rollback.plan).or(head.rest.as_ref());
        let rest = rest.map(|plan| format!("apply {}", visible(plan)));
        steps.push(NextStep::new(why).with_command(called.whole_command(rest.as_deref().unwrap_or("sync"))));
    }
    let free = summary.planned.count_all().saturating_sub(summary.held);
    let is_to_be_applied = matches!(summary.command, CommandName::Apply | CommandName::Sync);
    if !head.is_run() && !is_to_be_applied && free > 0 && summary.error.is_none() {
        let step = NextStep::new(format!("{} to change", count_accounts(free)));
        steps.push(if head.against.is_none() {
            step.with_command(called.whole_command(&format!("apply {run}")))
        } else {
            step
        });
    }
    if summary.found.conflict > 0 {
        let conflicts = if summary.found.conflict == 1 { "conflict" } else { "conflicts" };
        let why =
            format!("{} {conflicts}: nothing is done for them until it is clear who is who", summary.found.conflict);
        let step = NextStep::new(why);
        steps.push(match show_command(head, called) {
            Some(command) => step.with_command(command),
            None => step,
        });
    }
    if summary.found.invalid > 0 {
        steps.push(
            NextStep::new(format!("{} cannot be used: fix the export", count_rows(summary.found.invalid)))
                .with_command(called.whole_command("check")),
        );
    }
    // Of a rollback that found nothing to take back nothing can be made again.
    if head.takes_back.is_some() && summary.error.is_none() && summary.planned.count_all() > 0 {
        let why = "The next sync makes these changes again as long as the export asks for them: fix the export first";
        steps.push(NextStep::new(why));
    }
    if steps.is_empty() {
        steps.push(NextStep::new("Nothing to do."));
    }
    steps
}

/// What is to be done about each kind of action that is held. Of a plan that was stopped nothing can be released, and what
/// was made against a file cannot be applied.
pub(super) fn held_steps<'h>(head: &'h Head, called: &Invocation) -> Vec<(&'h HeldKind, NextStep)> {
    let is_stopped = !head.is_run() && head.summary.error.is_some();
    head.held.iter().filter(|_| !is_stopped).map(|held| (held, held_step(head, held, called))).collect()
}

fn held_step(head: &Head, held: &HeldKind, called: &Invocation) -> NextStep {
    let HeldKind { kind, count, limit, .. } = held;
    let step = NextStep::new(format!(
        "{} to {} held, the limit is {limit} ({}): look at them, then release them",
        count_accounts(*count),
        kind.as_str(),
        kind.setting_name()
    ));
    if head.against.is_none() { step.with_command(release_command(head, held, called)) } else { step }
}

/// The command that releases one held kind of action.
#[must_use]
pub fn release_command(head: &Head, held: &HeldKind, called: &Invocation) -> String {
    let (run, hash) = (visible(&head.summary.run), visible(&held.approve));
    called.whole_command(&if let Some(rollback) = &head.takes_back {
        // What its plan held is still in it.
        format!("apply {} --approve {hash}", visible(&rollback.plan))
    } else if let Some(plan) = &head.rest {
        format!("apply {} --approve {hash}", visible(plan))
    } else if head.is_run() || head.summary.command == CommandName::Sync {
        // A run that has ended is not continued: the next one plans the same actions, which the same hash releases.
        format!("sync --approve {hash}")
    } else {
        format!("apply {run} --approve {hash}")
    })
}

/// The command that shows every entry; none where the record has no name to call it by.
pub(super) fn show_command(head: &Head, called: &Invocation) -> Option<String> {
    let run = visible(&head.summary.run);
    let command = if head.is_run() { "show" } else { "report" };
    (!run.is_empty()).then(|| called.whole_command(&format!("{command} {run}")))
}

/// A hint, which begins in lower case, as a line of its own.
fn capitalize_hint(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn count_accounts(count: u64) -> String {
    if count == 1 { "1 account".into() } else { format!("{count} accounts") }
}

fn count_rows(count: u64) -> String {
    if count == 1 { "1 row".into() } else { format!("{count} rows") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::RecordKind;
    use crate::report::samples::{quiet, rich};

    fn commands(head: &Head) -> Vec<String> {
        next_steps(head, &Invocation::default()).into_iter().filter_map(|step| step.command).collect()
    }

    #[test]
    fn what_is_unknown_comes_before_what_is_held() {
        assert_eq!(
            commands(&rich().head),
            ["headcount resume r-7", "headcount sync --approve 9f2c41", "headcount check"]
        );
    }

    #[test]
    fn a_plan_is_applied_by_its_name_and_what_a_run_held_is_released_by_its_plan_or_a_sync() {
        let mut head = rich().head;
        (head.summary.unknown, head.summary.applied.reactivate) = (0, 1);
        head.summary.found.invalid = 0;
        for command in [CommandName::Sync, CommandName::Apply, CommandName::Resume] {
            head.summary.command = command;
            assert_eq!(commands(&head), ["headcount sync --approve 9f2c41"]);
        }
        head.rest = Some("p-7".into());
        assert_eq!(commands(&head), ["headcount apply p-7 --approve 9f2c41"]);
        (head.of, head.summary.command, head.rest) = (RecordKind::Plan, CommandName::Apply, None);
        assert_eq!(commands(&head), ["headcount apply r-7 --approve 9f2c41"]);
        head.summary.command = CommandName::Plan;
        assert_eq!(commands(&head), ["headcount apply r-7 --approve 9f2c41", "headcount apply r-7"]);
    }

    #[test]
    fn of_a_plan_that_was_stopped_nothing_is_released() {
        let mut head = rich().head;
        head.of = RecordKind::Plan;
        head.summary.error = Some(crate::report::SummaryProblem {
            kind: ProblemKind::Safety,
            message: "too few rows".into(),
            hint: None,
        });
        assert!(commands(&head).iter().all(|command| !command.contains("--approve")));
    }

    #[test]
    fn a_plan_that_cannot_be_applied_names_no_command_that_would() {
        let mut head = rich().head;
        (head.of, head.against) = (RecordKind::Plan, Some("accounts.csv".into()));
        (head.summary.unknown, head.summary.found.invalid) = (0, 0);
        assert_eq!(commands(&head), [""; 0]);
    }

    #[test]
    fn what_a_canary_left_out_is_for_the_rest_of_its_plan_or_the_next_sync() {
        let mut head = quiet().head;
        (head.of, head.summary.outcome) = (RecordKind::Run, SummaryOutcome::Complete);
        (head.summary.planned.create, head.summary.applied.create) = (5, 3);
        assert_eq!(commands(&head), ["headcount sync"]);
        head.rest = Some("p-1".into());
        assert_eq!(commands(&head), ["headcount apply p-1"]);
        head.summary.applied.create = 5;
        assert_eq!(commands(&head), [""; 0]);
    }

    #[test]
    fn a_conflict_is_for_a_person_to_look_at() {
        let mut head = quiet().head;
        head.summary.found.conflict = 2;
        assert_eq!(commands(&head), ["headcount report p-1"]);
    }

    #[test]
    fn a_run_that_was_asked_to_stop_says_once_how_it_goes_on() {
        let mut head = quiet().head;
        (head.of, head.summary.outcome) = (RecordKind::Run, SummaryOutcome::Paused);
        let hint = Some("`headcount resume` continues where it stopped".into());
        head.summary.error =
            Some(crate::report::SummaryProblem { kind: ProblemKind::Signal, message: "stopped".into(), hint });
        assert_eq!(next_steps(&head, &Invocation::default()).len(), 1);
        assert_eq!(commands(&head), ["headcount resume p-1"]);
    }

    #[test]
    fn a_run_that_paused_for_the_quota_says_when_it_resets() {
        let mut head = quiet().head;
        (head.of, head.summary.outcome) = (RecordKind::Run, SummaryOutcome::Paused);
        head.summary.quota =
            Some(crate::report::summary::QuotaSummary { limit: None, remaining: 0, resets_at: Some(head.started_at) });
        let mut paused_by = |kind| {
            let problem = crate::report::SummaryProblem { kind, message: "no more".into(), hint: None };
            head.summary.error = Some(problem);
            next_steps(&head, &Invocation::default())
                .into_iter()
                .find(|step| step.command.as_deref() == Some("headcount resume p-1"))
                .unwrap()
                .why
        };
        assert!(paused_by(ProblemKind::Quota).contains("2026-11-22 03:00:00 UTC"));
        assert_eq!(paused_by(ProblemKind::Signal), "Paused; it continues where it stopped");
    }

    #[test]
    fn where_nothing_is_to_do_it_says_so() {
        assert_eq!(next_steps(&quiet().head, &Invocation::default()), [NextStep::new("Nothing to do.")]);
    }

    #[test]
    fn every_command_works_where_this_one_did() {
        let called = Invocation::new(Some("prod.toml".as_ref()), Some("state".as_ref()));
        let (mut plan, mut left, mut conflict) = (rich().head, rich().head, quiet().head);
        plan.of = RecordKind::Plan;
        (plan.summary.command, plan.takes_back) = (CommandName::Rollback, Some(rollback()));
        (left.summary.held, left.summary.failed, left.summary.unknown) = (0, 0, 0);
        conflict.summary.found.conflict = 1;
        let mut stopped = quiet().head;
        let hint = Some("`headcount resume` goes on".into());
        stopped.summary.error =
            Some(crate::report::SummaryProblem { kind: ProblemKind::Target, message: "down".into(), hint });
        let mut seen = 0;
        for head in [rich().head, plan, left, conflict, stopped] {
            for step in next_steps(&head, &called) {
                for text in step.command.iter().chain([&step.why]).filter(|text| text.contains("headcount ")) {
                    assert!(text.contains("headcount -c prod.toml --state state "), "{text}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 10, "{seen}");
    }

    fn rollback() -> crate::report::TakesBack {
        crate::report::TakesBack { run: "r-6".into(), plan: "p-8".into() }
    }

    #[test]
    fn a_rollback_goes_on_by_its_own_plan_and_says_what_the_next_sync_does() {
        let mut head = rich().head;
        (head.summary.unknown, head.summary.found.invalid) = (0, 0);
        head.takes_back = Some(rollback());
        head.summary.planned.create += 1;
        assert_eq!(commands(&head), ["headcount apply p-8 --approve 9f2c41", "headcount apply p-8"]);
        let steps = next_steps(&head, &Invocation::default());
        assert!(steps.last().unwrap().why.starts_with("The next sync makes these changes again"), "{steps:?}");
        head.summary.planned = Default::default();
        assert!(next_steps(&head, &Invocation::default()).iter().all(|step| !step.why.contains("next sync")));
    }
}
