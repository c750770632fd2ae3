//! What a webhook is told, and the signature by which it knows who says so.
//!
//! The law kept here: the message has the numbers of a run and what to do next, and nothing of a person. Of an error it has
//! the first line, because what follows may list rows.

use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::Serialize;
use sha2::Sha256;

use super::FinishedRun;
use crate::config::Occasion;
use crate::model::Secret;
use crate::report::record::HeldKind;
use crate::report::summary::SummaryOutcome;
use crate::report::visible::shortened;
use crate::report::{Invocation, Summary, next_steps};

/// Under this name the signature travels.
pub(super) const SIGNATURE: &str = "x-headcount-signature";

/// An error's first line is cut behind so many characters.
const LONGEST_ERROR: usize = 500;

/// Everything that a run is an occasion for: one that was done in part may have failed accounts and held ones.
pub(super) fn summary_occasions(summary: &Summary) -> Vec<Occasion> {
    let by_outcome = match summary.outcome {
        SummaryOutcome::Complete | SummaryOutcome::NoChanges | SummaryOutcome::Planned => Occasion::Success,
        SummaryOutcome::Partial | SummaryOutcome::Failed => Occasion::Failure,
        SummaryOutcome::Held => Occasion::Held,
        SummaryOutcome::Paused => Occasion::Paused,
    };
    let is = |occasion: &Occasion| {
        *occasion == by_outcome
            || match occasion {
                Occasion::Failure => summary.failed > 0 || summary.unknown > 0,
                Occasion::Held => summary.held > 0,
                Occasion::Success | Occasion::Paused => false,
            }
    };
    Occasion::ALL.into_iter().filter(is).collect()
}

/// The body as it is sent: JSON in one line. `id` is the same in every repeat.
pub(super) fn message_body(over: &FinishedRun, occasions: &[Occasion], id: u64, called: &Invocation) -> Vec<u8> {
    let mut head = over.head.clone();
    if let Some(problem) = &mut head.summary.error {
        problem.message = first_line(&problem.message);
        problem.hint = problem.hint.as_deref().map(|hint| first_line(&called.complete_commands(hint)));
    }
    let next = if head.summary.run.is_empty() {
        // Nothing began, so there is nothing to resume; what to fix is the error's to say.
        head.summary
            .error
            .iter()
            .filter_map(|problem| problem.hint.clone())
            .map(|why| NextInMessage { why, command: None })
            .collect()
    } else {
        let steps = next_steps(&head, called).into_iter();
        steps.map(|step| NextInMessage { why: step.why, command: step.command }).collect()
    };
    let message = Message {
        headcount_webhook: 1,
        id: format!("{id:016x}"),
        occasions: occasions.iter().map(|occasion| occasion.name()).collect(),
        text: summary_text(&head.summary),
        ended_at: over.at,
        target: &head.target,
        summary: &head.summary,
        held: &head.held,
        next,
    };
    // Texts, numbers and lists of them; there is nothing in it that JSON could not hold.
    serde_json::to_vec(&message).unwrap_or_default()
}

/// `t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256 over the seconds as they stand there, a full stop, and the body. The time
/// is part of what is signed, so that whoever recorded a message cannot send it again later.
pub(super) fn sign_body(key: &Secret, at: Timestamp, body: &[u8]) -> String {
    let seconds = at.as_second().to_string();
    #[allow(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key.expose().as_bytes()).expect("a key of any length will do");
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body);
    let code = mac.finalize().into_bytes();
    let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

#[derive(Serialize)]
struct Message<'a> {
    /// The version of this form.
    headcount_webhook: u32,
    id: String,
    occasions: Vec<&'static str>,
    /// All of it in a line, as chat services show it.
    text: String,
    ended_at: Timestamp,
    target: &'a str,
    summary: &'a Summary,
    held: &'a [HeldKind],
    next: Vec<NextInMessage>,
}

#[derive(Serialize)]
struct NextInMessage {
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim_end_matches(':');
    shortened(line, LONGEST_ERROR).into_owned()
}

fn summary_text(summary: &Summary) -> String {
    let counts = [
        (summary.applied.count_all(), "applied"),
        (summary.held, "held"),
        (summary.failed, "failed"),
        (summary.unknown, "unknown"),
    ];
    let counts: Vec<_> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    let counts = if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) };
    let why = summary.error.as_ref().map(|problem| format!(": {}", problem.message)).unwrap_or_default();
    let tenant = shortened(&summary.tenant, LONGEST_ERROR);
    format!("headcount {} of {tenant}: {}{counts}{why}", summary.command, summary.outcome.status_text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::samples::{failed, partial};

    fn told(over: &FinishedRun) -> serde_json::Value {
        let called = Invocation::new(Some("prod.toml".as_ref()), None);
        serde_json::from_slice(&message_body(over, &summary_occasions(&over.head.summary), 7, &called)).unwrap()
    }

    #[test]
    fn a_message_has_the_summary_and_what_to_do_next() {
        let over = partial();
        let told = told(&over);
        assert_eq!(told["id"], "0000000000000007");
        assert_eq!(told["occasions"], serde_json::json!(["failure", "held"]));
        assert_eq!(told["summary"], serde_json::to_value(&over.head.summary).unwrap());
        assert_eq!(told["held"][0]["approve"], "7132b6b6c29d");
        let text = "headcount sync of acme: finished, but some accounts failed or have an unknown outcome (66 applied, 80 held, \
                    1 failed)";
        assert_eq!(told["text"], text);
        let commands: Vec<_> =
            told["next"].as_array().unwrap().iter().filter_map(|next| next["command"].as_str()).collect();
        assert_eq!(commands[0], "headcount -c prod.toml sync --approve 7132b6b6c29d");
    }

    #[test]
    fn of_an_error_that_lists_rows_only_the_first_line_is_told() {
        let mut over =
            failed("2 rows stand for a person who has a row already:\n  hr.csv:2 and hr.csv:3 have the same ana");
        over.head.summary.error.as_mut().unwrap().hint = Some("`headcount check` names them".into());
        let told = told(&over);
        assert_eq!(told["summary"]["error"]["message"], "2 rows stand for a person who has a row already");
        assert_eq!(told["next"], serde_json::json!([{ "why": "`headcount -c prod.toml check` names them" }]));
        assert!(!told.to_string().contains("ana"), "{told}");
    }

    #[test]
    fn every_outcome_is_an_occasion() {
        let mut summary = partial().head.summary;
        (summary.held, summary.failed) = (0, 0);
        for (outcome, occasion) in [
            (SummaryOutcome::Complete, Occasion::Success),
            (SummaryOutcome::NoChanges, Occasion::Success),
            (SummaryOutcome::Partial, Occasion::Failure),
            (SummaryOutcome::Failed, Occasion::Failure),
            (SummaryOutcome::Held, Occasion::Held),
            (SummaryOutcome::Paused, Occasion::Paused),
        ] {
            summary.outcome = outcome;
            assert_eq!(summary_occasions(&summary), [occasion]);
        }
        summary.unknown = 1;
        assert_eq!(summary_occasions(&summary), [Occasion::Failure, Occasion::Paused]);
    }

    #[test]
    fn a_signature_is_what_other_programs_compute() {
        // printf '1795316420.{"a":1}' | openssl dgst -sha256 -hmac hunter2
        let at = "2026-11-22T03:00:20Z".parse().unwrap();
        let signed = sign_body(&Secret::new("hunter2"), at, br#"{"a":1}"#);
        assert_eq!(signed, "t=1795316420,v1=d60a49aaea46deafff335bcd22455aa93467d0dd91f3fe81f55d21e601b94ada");
        let later = sign_body(&Secret::new("hunter2"), at + jiff::SignedDuration::from_secs(1), br#"{"a":1}"#);
        assert_ne!(signed.split_once("v1="), later.split_once("v1="));
    }
}
