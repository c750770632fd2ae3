//! The question before anything is changed. Only a clear yes is one: an empty line, the end of the input and what nobody
//! understands mean no.

use std::io::{self, BufRead, Write};

use crate::app::{ConsentQuestion, LeftOut};
use crate::plan::ActionKind;
use crate::report::visible::visible;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YesOrNo {
    Yes,
    No,
}

/// What is asked before a run: which tenant, what will be done to how many accounts, what stays held, and how many actions
/// of the plan are not for this run, with the reason.
#[must_use]
pub fn consent_question(ConsentQuestion { head, to_do, left_out }: &ConsentQuestion<'_>) -> String {
    let summary = &head.summary;
    let actions: Vec<String> = ActionKind::ALL
        .into_iter()
        .map(|kind| (to_do.get(kind), kind))
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {kind}"))
        .collect();
    let actions = if actions.is_empty() { "nothing".to_owned() } else { actions.join(", ") };
    let held: u64 = head.held.iter().map(|held| held.count).sum();
    let others = [to_do.count_all(), held].into_iter().fold(summary.planned.count_all(), u64::saturating_sub);
    let held = if held > 0 { format!("; {held} held, left alone") } else { String::new() };
    let why_not = match left_out {
        LeftOut::NotChosen => "left out (--only, --limit)",
        LeftOut::DoneOrNotChosen => "done already or left out",
    };
    let others = if others > 0 { format!("; {others} {why_not}") } else { String::new() };
    let (tenant, target) = (visible(&summary.tenant), visible(&head.target));
    format!("\nApply to {tenant} ({target}):\n{actions}{held}{others}?")
}

/// Asks, and reads one line. After three lines that are neither yes nor no the answer is no.
///
/// # Errors
/// When the question cannot be written or the answer cannot be read.
pub fn ask_yes_or_no(question: &str, input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<YesOrNo> {
    for _ in 0..3 {
        write!(output, "{question} [y/N] ")?;
        output.flush()?;
        let mut line = Vec::new();
        // Bytes, not text: an answer that is not UTF-8 is no yes, and no error.
        if input.read_until(b'\n', &mut line)? == 0 {
            // The cursor still stands behind the question.
            writeln!(output)?;
            return Ok(YesOrNo::No);
        }
        match line.trim_ascii().to_ascii_lowercase().as_slice() {
            b"y" | b"yes" => return Ok(YesOrNo::Yes),
            b"" | b"n" | b"no" => return Ok(YesOrNo::No),
            _ => writeln!(output, "Please answer yes or no.")?,
        }
    }
    Ok(YesOrNo::No)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::action::ActionCounts;
    use crate::report::Head;

    fn answer(typed: &[u8]) -> (YesOrNo, String) {
        let (mut input, mut output) = (typed, Vec::new());
        let answer = ask_yes_or_no("Apply?", &mut input, &mut output).unwrap();
        (answer, String::from_utf8(output).unwrap())
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        for yes in ["y\n", "YES\r\n", "  yes  \n", "y"] {
            assert_eq!(answer(yes.as_bytes()).0, YesOrNo::Yes, "{yes:?}");
        }
        for no in ["\n", "n\n", "No\n", "", "\n y\n"] {
            assert_eq!(answer(no.as_bytes()).0, YesOrNo::No, "{no:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_asked_again_and_then_means_no() {
        assert_eq!(answer(b"perhaps\ny\n").0, YesOrNo::Yes);
        let (answer, said) = answer(b"a\n\xff\nc\ny\n");
        assert_eq!(answer, YesOrNo::No);
        assert_eq!(said.matches("Apply? [y/N] ").count(), 3);
    }

    #[test]
    fn the_end_of_the_input_means_no_and_ends_the_line() {
        assert_eq!(answer(b""), (YesOrNo::No, "Apply? [y/N] \n".to_owned()));
    }

    #[test]
    fn the_question_says_what_will_happen_and_what_will_not() {
        let mut head: Head = serde_json::from_str(
            r#"{"of":"plan","started_at":"2026-11-22T03:00:00Z","target":"imichat https://acme.imi.chat/v3.1","summary":{"headcount_summary":1,"command":"plan","run":"p-1","tenant":"acme","outcome":"held","planned":{"create":10,"update":5,"deactivate":80,"reactivate":0,"delete":0},"found":{"unchanged":1,"drift":0,"conflict":0,"invalid":0,"skipped":0,"absent":0,"protected":0},"applied":{"create":0,"update":0,"deactivate":0,"reactivate":0,"delete":0},"held":80,"failed":0,"unknown":0,"requests":{"auth":1,"list":1,"lookup":0,"write":15,"retried":0,"total":2,"estimated":17},"elapsed_seconds":0.5,"exit_code":5},"held":[{"kind":"deactivate","count":80,"limit":50,"approve":"9f"}],"notes":[]}"#,
        )
        .unwrap();
        let question = |head: &Head, to_do: &ActionCounts| {
            let question = consent_question(&ConsentQuestion { head, to_do: *to_do, left_out: LeftOut::NotChosen });
            question.replace("left out (--only, --limit)", "left out")
        };
        let mut to_do = ActionCounts { create: 10, update: 5, ..ActionCounts::default() };
        assert_eq!(
            question(&head, &to_do),
            "\nApply to acme (imichat https://acme.imi.chat/v3.1):\n10 create, 5 update; 80 held, left alone?"
        );
        (to_do.create, to_do.update) = (1, 0);
        assert!(question(&head, &to_do).ends_with("\n1 create; 80 held, left alone; 14 left out?"));
        head.held.clear();
        head.summary.planned = to_do;
        assert!(question(&head, &to_do).ends_with("\n1 create?"));
        assert!(question(&head, &ActionCounts::default()).ends_with("\nnothing; 1 left out?"));
    }
}
