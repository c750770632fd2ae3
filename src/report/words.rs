//! Numbers, values and summaries as a person says them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::Value;
use crate::plan::{Change, FindingKind, Forecast};

use super::columns::text_width;
use super::summary::SummaryOutcome;
use super::visible::{shortened, visible};
use super::{ActionOutcome, Head, OutcomeResult, Summary};

/// The facts of a summary beside its actions, each under its label: what was not done, what else was found, what it cost.
/// What would say nothing is left out.
pub(super) fn summary_facts(summary: &Summary, is_run: bool) -> Vec<(&'static str, String)> {
    let Summary { found, requests, .. } = summary;
    let mut facts = Vec::new();
    let mut fact = |label, text: String| {
        if !text.is_empty() {
            facts.push((label, text));
        }
    };
    if is_run {
        let left = match summary.outcome {
            SummaryOutcome::Paused | SummaryOutcome::Failed => "not reached",
            _ => "not chosen",
        };
        let counts = [(summary.held, "held"), (summary.failed, "failed"), (summary.unknown, "unknown")];
        fact("not done", list_counts(counts.into_iter().chain([(untouched_actions(summary), left)])));
    } else if summary.held > 0 {
        fact("held", summary.held.to_string());
    }
    fact("found", list_counts(FindingKind::ALL.map(|kind| (found.get(kind), kind.as_str()))));

    let kinds = list_counts([
        (requests.auth, "auth"),
        (requests.list, "list"),
        (requests.lookup, "lookup"),
        (requests.write, "write"),
    ]);
    let kinds = if kinds.is_empty() { kinds } else { format!(": {kinds}") };
    let retried = if requests.retried > 0 { format!("; {} of them repeats", requests.retried) } else { String::new() };
    let sent = if requests.total > 0 { format!("{} sent, ", requests.total) } else { String::new() };
    fact("requests", format!("{sent}{} estimated{kinds}{retried}", requests.estimated));
    if let Some(quota) = &summary.quota {
        let limit = quota.limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
        let reset = quota.resets_at.map(|at| format!(", resets at {}", moment_text(at))).unwrap_or_default();
        fact("quota", format!("{}{limit} left{reset}", quota.remaining));
    }
    if let Some(forecast) = summary.forecast.filter(|forecast| forecast.days != Some(1) || is_run) {
        fact("days", forecast_text(forecast));
    }
    if summary.elapsed_seconds > 0.0 {
        fact("took", elapsed_text(summary.elapsed_seconds));
    }
    facts
}

/// What a report is of, the same above its entries and below them.
pub(super) fn record_title(head: &Head) -> String {
    format!("{} {} of {}", head.of.name(), visible(&head.summary.run), visible(&head.summary.tenant))
}

/// The notes that the error does not say already.
pub(super) fn unrepeated_notes(head: &Head) -> impl Iterator<Item = &str> {
    let error = head.summary.error.as_ref().map(|problem| problem.message.as_str());
    head.notes.iter().map(String::as_str).filter(move |note| error.is_none_or(|error| !error.contains(note)))
}

/// How many days the quota makes of what is still to be sent, and what each of them costs again.
fn forecast_text(forecast: Forecast) -> String {
    let Forecast { requests, today, per_day, each_day, days } = forecast;
    if today >= requests {
        return format!("{requests} more requests, which today still has room for");
    }
    let today = if today > 0 { format!(", {} fit into today", today.min(requests)) } else { String::new() };
    let per_day = match per_day {
        Some(per_day) => format!(", {per_day} into a whole day"),
        None => ", how many a day allows is not known".to_owned(),
    };
    let days = match days {
        Some(1) => "1 more day".to_owned(),
        Some(days) => format!("{days} days"),
        None => "an unknown number of days".to_owned(),
    };
    format!(
        "{days} for {requests} more requests{today}{per_day}, and each day takes {each_day} to sign in again and none \
         to list"
    )
}

/// Actions of a run's plan of which nothing came, good or bad: `--only` or `--limit` left them out, or the run was paused
/// or failed before them.
pub(super) fn untouched_actions(summary: &Summary) -> u64 {
    let Summary { planned, applied, held, failed, unknown, .. } = summary;
    [applied.count_all(), *held, *failed, *unknown].into_iter().fold(planned.count_all(), u64::saturating_sub)
}

/// A length of time: `31.2 s`, `3 min 20 s`, `2 h 5 min`.
#[must_use]
pub fn elapsed_text(seconds: f64) -> String {
    // What is negative or not a number becomes no time at all.
    let seconds = seconds.max(0.0);
    // The cast saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = seconds.round() as u64;
    match whole {
        0..60 if seconds < 59.95 => format!("{seconds:.1} s"),
        ..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A moment, to the second.
pub(super) fn moment_text(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `10 create, 5 update`: the numbers that are not zero, with their names.
pub(super) fn list_counts<'n>(counts: impl IntoIterator<Item = (u64, &'n str)>) -> String {
    let some: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    some.join(", ")
}

/// A value in at most so many columns: what is empty says so, and blanks at an end stand in quotes, because nobody
/// sees them otherwise.
pub(super) fn shown_value(value: &Value, most: usize) -> Cow<'_, str> {
    match value {
        value if value.is_blank() => Cow::Borrowed("(empty)"),
        Value::Text(text) if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) => {
            Cow::Owned(format!("\"{}\"", shortened(text, most.saturating_sub(2))))
        }
        Value::Text(text) => shortened(text, most),
        value => Cow::Owned(shortened(&value.to_string(), most).into_owned()),
    }
}

/// Both values of a change: `Agent → Lead`, or only the new one where there is no old one to show. Together they take
/// at most so many columns, and what the one does not need the other has. Of two objects only the keys are shown that
/// differ, and of two long values that begin and end alike the place where they do: whoever approves a change must see it.
pub(super) fn change_text(change: &Change, most: usize) -> String {
    const ARROW: &str = " → ";
    let Some(from) = &change.from else { return shown_value(&change.to, most).into_owned() };
    if let (Value::Object(from), Value::Object(to)) = (from, &change.to)
        && !from.is_empty()
        && !to.is_empty()
    {
        return changed_keys_text(from, to, most);
    }
    let most = most.saturating_sub(text_width(ARROW));
    let (from_all, to_all) = (shown_value(from, most), shown_value(&change.to, most));
    let (from_takes, to_takes) = (text_width(&from_all), text_width(&to_all));
    if from_takes + to_takes <= most && from_all != to_all {
        return format!("{from_all}{ARROW}{to_all}");
    }
    let half = most / 2;
    let from_most = half.max(most.saturating_sub(to_takes));
    let to_most = half.max(most.saturating_sub(from_takes));
    let (from_said, to_said) = (shown_value(from, from_most), shown_value(&change.to, to_most));
    if from_said != to_said {
        return format!("{from_said}{ARROW}{to_said}");
    }
    let (from, to) = (from.to_string(), change.to.to_string());
    let alike = from.chars().zip(to.chars()).take_while(|(one, other)| one == other).count();
    let rest = |text: &str| {
        let rest: String = text.chars().skip(alike.saturating_sub(LEAD)).collect();
        shortened(&format!("…{rest}"), half).into_owned()
    };
    format!("{}{ARROW}{}", rest(&from), rest(&to))
}

/// How many letters are shown of what two values have in common before they differ.
const LEAD: usize = 3;

/// The keys in which two objects differ: `French: 60 → 80, German: (none) → 40`. As many as fit; the others are counted.
fn changed_keys_text(from: &BTreeMap<String, Value>, to: &BTreeMap<String, Value>, most: usize) -> String {
    let names: BTreeSet<&String> = from.keys().chain(to.keys()).filter(|key| from.get(*key) != to.get(*key)).collect();
    let value = |object: &BTreeMap<String, Value>, key: &str| {
        object.get(key).map_or(Value::text("(none)"), |value| match value {
            // A text that reads like a number, beside the number.
            Value::Text(text)
                if from.get(key).zip(to.get(key)).is_some_and(|(a, b)| a.to_string() == b.to_string()) =>
            {
                Value::text(format!("\"{text}\""))
            }
            value => value.clone(),
        })
    };
    let mut said = String::new();
    for (number, key) in names.iter().enumerate() {
        let left = names.len() - number;
        let comma = if said.is_empty() { "" } else { ", " };
        let name = shortened(key, most / 2);
        // Room is kept for saying how many keys are left out.
        let reserve = if left > 1 { ", 99 more".len() } else { 0 };
        let room = most.saturating_sub(text_width(&said) + comma.len() + text_width(&name) + ": ".len() + reserve);
        let change = Change { attribute: String::new(), from: Some(value(from, key)), to: value(to, key) };
        let all = change_text(&change, usize::MAX / 2);
        if text_width(&all) > room && !said.is_empty() {
            said.push_str(&format!(", {left} more"));
            return said;
        }
        let all = if text_width(&all) > room { change_text(&change, room) } else { all };
        said.push_str(&format!("{comma}{name}: {all}"));
    }
    said
}

/// What came of an action, where it is worth a word: nothing for what was applied as planned.
pub(super) fn outcome_text(outcome: &ActionOutcome) -> Option<String> {
    let said = match outcome.result {
        OutcomeResult::Applied if outcome.message.is_none() => return None,
        OutcomeResult::Held => return None,
        OutcomeResult::Applied => "applied",
        OutcomeResult::Adopted => "adopted, the account existed already",
        OutcomeResult::Failed => "failed",
        OutcomeResult::Skipped => "left alone",
        OutcomeResult::Unknown => "unknown, the answer was lost",
        OutcomeResult::Pending => "not reached yet",
    };
    let message = outcome.message.as_deref().map(|text| format!(": {}", shortened(text, LONGEST_MESSAGE)));
    let code = outcome.code.map(|code| format!("code {code}"));
    let trxid = outcome.trxid.as_deref().map(|trxid| format!("trxid {}", shortened(trxid, LONGEST_NAME)));
    let facts: Vec<String> = code.into_iter().chain(trxid).collect();
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    Some(format!("{said}{}{facts}", message.unwrap_or_default()))
}

/// Messages come from servers, which may answer with a page.
pub(super) const LONGEST_MESSAGE: usize = 400;
/// Keys, files, attributes, transaction ids.
pub(super) const LONGEST_NAME: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::rich;

    #[test]
    fn lengths_of_time_read_as_people_say_them() {
        let said = [0.0, 31.24, 59.96, 60.0, 200.4, 7500.0, -1.0, f64::NAN].map(elapsed_text);
        assert_eq!(said, ["0.0 s", "31.2 s", "1 min 0 s", "1 min 0 s", "3 min 20 s", "2 h 5 min", "0.0 s", "0.0 s"]);
    }

    #[test]
    fn a_value_that_nobody_would_see_is_shown() {
        let said = |json: &str| shown_value(&serde_json::from_str(json).unwrap(), 30).into_owned();
        assert_eq!(said("null"), "(empty)");
        assert_eq!(said(r#""""#), "(empty)");
        assert_eq!(said(r#""Ana ""#), "\"Ana \"");
        assert_eq!(said(r#"{"English":100}"#), r#"{"English":100}"#);
    }

    #[test]
    fn a_short_value_leaves_its_room_to_a_long_one() {
        let change = |from: &str, to: &str| Change {
            attribute: "title".into(),
            from: Some(Value::text(from)),
            to: Value::text(to),
        };
        assert_eq!(change_text(&change("abc", "abcdefghijklmnopqrstuvwxyz"), 20), "abc → abcdefg…uvwxyz");
        assert_eq!(change_text(&change("abcdefghijklmnopqrstuvwxyz", "abc"), 20), "abcdefg…uvwxyz → abc");
        assert_eq!(change_text(&change("abcdefghijkl", "abcdefghijklm"), 19), "abcd…jkl → abcd…klm");
        assert_eq!(change_text(&change("a", "b"), 0), "… → …");
    }

    #[test]
    fn of_two_objects_only_what_differs_is_shown() {
        let said = |from: &str, to: &str, most| {
            let value = |json: &str| serde_json::from_str(json).unwrap();
            change_text(&Change { attribute: "skills".into(), from: Some(value(from)), to: value(to) }, most)
        };
        let from = r#"{"English":70,"French":60,"Legacy Queue":"yes","Turkish":55}"#;
        assert_eq!(
            said(from, r#"{"English":70,"French":60,"Legacy Queue":"yes","Turkish":70}"#, 60),
            "Turkish: 55 → 70"
        );
        let many = r#"{"English":70,"German":40,"Legacy Queue":"yes","Turkish":70}"#;
        assert_eq!(said(from, many, 80), "French: 60 → (none), German: (none) → 40, Turkish: 55 → 70");
        assert_eq!(said(from, many, 40), "French: 60 → (none), 2 more");
        assert_eq!(said(r#"{"French":60}"#, r#"{"French":"60"}"#, 60), "French: 60 → \"60\"");
        assert_eq!(said("{}", r#"{"French":60}"#, 60), r#"(empty) → {"French":60}"#);
        let long = format!(r#"{{"note":"{}"}}"#, "x".repeat(9_000));
        assert!(text_width(&said(r#"{"note":"a"}"#, &long, 40)) <= 40);
    }

    #[test]
    fn values_that_begin_and_end_alike_are_shown_where_they_differ() {
        let (from, to) =
            (format!("{}red{}", "a".repeat(50), "b".repeat(50)), format!("{}blue{}", "a".repeat(50), "b".repeat(50)));
        let change = Change { attribute: "note".into(), from: Some(Value::text(from)), to: Value::text(to) };
        assert_eq!(change_text(&change, 43), "…aaaredbbb…bbbbbbbbb → …aaabluebb…bbbbbbbbb");
        let lists = Change {
            attribute: "roles".into(),
            from: Some(serde_json::from_str(r#"["Team Agent","Team Analyst","Supervisor"]"#).unwrap()),
            to: serde_json::from_str(r#"["Team Agent","Team Manager","Supervisor"]"#).unwrap(),
        };
        assert!(change_text(&lists, 40).contains("Ana"), "{}", change_text(&lists, 40));
    }

    #[test]
    fn wide_letters_are_counted_as_wide_as_they_are() {
        let change = Change {
            attribute: "title".into(),
            from: Some(Value::text("佐藤健太".repeat(6))),
            to: Value::text("한국".repeat(12)),
        };
        assert!(text_width(&change_text(&change, 40)) <= 40, "{}", change_text(&change, 40));
    }

    #[test]
    fn what_says_nothing_is_left_out_of_the_facts() {
        let labels =
            |summary: &Summary| summary_facts(summary, true).into_iter().map(|(label, _)| label).collect::<Vec<_>>();
        let mut summary = rich().head.summary;
        assert_eq!(labels(&summary), ["not done", "found", "requests", "quota", "took"]);
        (summary.held, summary.failed, summary.unknown, summary.quota) = (0, 0, 0, None);
        summary.applied = summary.planned;
        (summary.found, summary.elapsed_seconds) = (Default::default(), 0.0);
        assert_eq!(labels(&summary), ["requests"]);
    }

    #[test]
    fn the_days_that_a_quota_makes_of_a_plan_are_said_with_what_each_costs_again() {
        let forecast = |today, per_day, days| days_of(today, per_day, days);
        assert_eq!(
            forecast(2_310, Some(9_500), Some(6)),
            "6 days for 41207 more requests, 2310 fit into today, 9500 into a whole day, and each day takes 1 to sign \
             in again and none to list"
        );
        assert!(
            forecast(0, Some(50_000), Some(1)).starts_with("1 more day for 41207 more requests, 50000 into a whole")
        );
        assert_eq!(forecast(50_000, Some(50_000), Some(1)), "41207 more requests, which today still has room for");
        assert!(forecast(10, None, None).starts_with("an unknown number of days for 41207 more requests, 10 fit into"));
        let mut summary = rich().head.summary;
        let of = |summary: &Summary, is_run| summary_facts(summary, is_run).iter().any(|(label, _)| *label == "days");
        assert!(!of(&summary, false));
        let in_days = |days| Forecast { requests: 10, today: 5, per_day: Some(9), each_day: 1, days };
        summary.forecast = Some(in_days(Some(1)));
        assert!(!of(&summary, false), "what fits into today takes no days");
        summary.forecast = Some(in_days(Some(2)));
        assert!(of(&summary, false));
    }

    fn days_of(today: u64, per_day: Option<u64>, of: Option<u64>) -> String {
        forecast_text(Forecast { requests: 41_207, today, per_day, each_day: 1, days: of })
    }

    #[test]
    fn what_nothing_came_of_is_not_passed_over() {
        let mut summary = rich().head.summary;
        summary.planned.create += 71;
        let not_done = |summary: &Summary| summary_facts(summary, true).remove(0).1;
        assert_eq!(not_done(&summary), "1 held, 1 failed, 1 unknown, 71 not chosen");
        summary.outcome = SummaryOutcome::Paused;
        assert_eq!(not_done(&summary), "1 held, 1 failed, 1 unknown, 71 not reached");
    }

    #[test]
    fn a_note_that_the_error_repeats_is_said_once() {
        let mut head = crate::report::samples::quiet().head;
        head.notes = vec!["too few rows".into(), "the listing shifted".into()];
        assert_eq!(unrepeated_notes(&head).count(), 2);
        let message = "too few rows; too many are invalid".into();
        head.summary.error =
            Some(crate::report::SummaryProblem { kind: crate::report::ProblemKind::Safety, message, hint: None });
        assert_eq!(unrepeated_notes(&head).collect::<Vec<_>>(), ["the listing shifted"]);
    }
}
