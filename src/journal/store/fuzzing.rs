//! What holds for any bytes whatever, read as a record of the journal, and for any events in any order. The fuzzer looks
//! for those for which it does not.

use std::collections::HashMap;

use jiff::Timestamp;

use super::codec::{decode_event, encode_event};
use crate::journal::state::{Ending, Event, History, Outcome, Phase, RunHead, RunId, Step, StepState};
use crate::model::AccountId;

/// The bytes are refused with a reason, or are one event, which is written and read back as it is. Then the same bytes
/// as a history: two bytes for each event.
pub fn any_bytes(data: &[u8]) {
    match decode_event(data) {
        Ok(event) => {
            let written = encode_event(&event);
            assert_eq!(decode_event(&written).as_ref(), Ok(&event), "what was written is not what was read");
            assert!(decode_event(&written[..written.len() - 1]).is_err(), "a record that was cut is read all the same");
        }
        Err(reason) => assert!(!reason.is_empty()),
    }
    any_history(data);
}

/// What may be known of a step without the table: how often it was sent, and what came of it last.
#[derive(Clone, Copy, Default, PartialEq)]
struct Told {
    sent: u32,
    last: Last,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Last {
    #[default]
    Nothing,
    Intent,
    Unknown,
    NotThere,
    Final,
}

/// Whatever is accepted keeps the laws, told here without the table; what is refused changes nothing.
fn any_history(data: &[u8]) {
    let mut history = History::default();
    let mut accepted = Vec::new();
    let mut steps: HashMap<(RunId, u64, Step), Told> = HashMap::new();
    for pair in data.chunks_exact(2).take(64) {
        let event = event(pair[0], pair[1], &steps);
        let before = history.clone();
        let (run, phase) = (event.run(), phase(&history, event.run()));
        if history.apply(&event).is_err() {
            assert!(history == before, "an event that was refused has changed something");
            continue;
        }
        match &event {
            Event::RunStarted { .. } => {
                assert!(phase.is_none() && before.unfinished().is_none(), "two runs at once, or one run twice");
            }
            Event::Intent { seq, step, attempt, .. } => {
                assert_eq!(phase, Some(Phase::Running), "an intent outside a running run");
                let told = steps.entry((run, *seq, *step)).or_default();
                assert!(matches!(told.last, Last::Nothing | Last::NotThere), "sent again after {:?}", told.last);
                assert_eq!(*attempt, told.sent + 1);
                *told = Told { sent: told.sent + 1, last: Last::Intent };
            }
            Event::Outcome { seq, step, result, .. } => {
                assert!(matches!(phase, Some(Phase::Running | Phase::Paused)), "an outcome outside a run");
                let told = steps.entry((run, *seq, *step)).or_default();
                assert_ne!(told.last, Last::Final, "a second outcome");
                let open = matches!(told.last, Last::Intent | Last::Unknown);
                told.last = match result {
                    Outcome::Applied { .. } | Outcome::Adopted { .. } => {
                        assert!(open, "applied without having been sent");
                        Last::Final
                    }
                    Outcome::Skipped { .. } => {
                        assert!(!open, "skipped, and it was sent");
                        Last::Final
                    }
                    Outcome::Failed { .. } | Outcome::NeverLearnt => Last::Final,
                    Outcome::Unknown { .. } | Outcome::ExistsAlready { .. } => {
                        assert_eq!(told.last, Last::Intent);
                        Last::Unknown
                    }
                    Outcome::NotThere => {
                        assert!(open);
                        Last::NotThere
                    }
                };
            }
            Event::RunPaused { .. } => assert_eq!(phase, Some(Phase::Running)),
            Event::RunResumed { .. } => assert!(matches!(phase, Some(Phase::Running | Phase::Paused))),
            Event::RunEnded { outcome, .. } => {
                let open = |told: &Told| told.last == Last::Intent;
                assert!(!steps.iter().any(|(at, told)| at.0 == run && open(told)), "ended with an open intent");
                let unknown = steps.iter().any(|(at, told)| at.0 == run && told.last == Last::Unknown);
                assert!(!unknown || *outcome != Ending::Complete, "complete, with something unknown");
            }
        }
        accepted.push(event);
        for overview in history.run_overviews() {
            let counted: u64 = StepState::ALL.into_iter().map(|state| overview.tally.get(state)).sum();
            assert_eq!(counted, overview.head.actions, "actions are counted once each");
        }
    }
    let mut replayed = History::default();
    for event in &accepted {
        let read = decode_event(&encode_event(event));
        assert_eq!(read.as_ref(), Ok(event));
        assert!(replayed.apply(event).is_ok(), "a live run takes what its replay refuses");
    }
    assert!(replayed == history, "a replay is not what was live");
}

fn phase(history: &History, run: RunId) -> Option<Phase> {
    history.run_overviews().iter().find(|overview| overview.run == run).map(|overview| overview.phase)
}

/// An event from two bytes; of intents most have the number that is next.
fn event(what: u8, whom: u8, steps: &HashMap<(RunId, u64, Step), Told>) -> Event {
    let run = RunId::new(Timestamp::UNIX_EPOCH, u64::from(whom >> 6));
    let at = Timestamp::UNIX_EPOCH;
    let seq = u64::from(whom & 7) % 5;
    let step = Step::BOTH[usize::from(whom >> 3 & 1)];
    let message = || "fuzzed".to_owned();
    let outcome = |result| Event::Outcome { run, at, seq, step, result };
    match what % 16 {
        0 => {
            let head = RunHead { actions: u64::from(whom & 7), ..RunHead::default() };
            Event::RunStarted { run, at, head: Box::new(head) }
        }
        1..=3 => {
            let sent = steps.get(&(run, seq, step)).map_or(0, |told| told.sent);
            let attempt = if what > 0xF0 { u32::from(whom) } else { sent + 1 };
            Event::Intent { run, at, seq, step, attempt }
        }
        4 | 5 => outcome(Outcome::Applied { account: (whom & 16 > 0).then(|| AccountId(message())) }),
        6 => outcome(Outcome::Adopted { account: AccountId(message()) }),
        7 => outcome(Outcome::Failed { message: message(), code: Some(u32::from(whom)), trxid: None }),
        8 => outcome(Outcome::Skipped { message: message() }),
        9 => outcome(Outcome::Unknown { message: message() }),
        10 => outcome(Outcome::NotThere),
        11 => Event::RunPaused { run, at, why: message() },
        12 | 13 => Event::RunResumed { run, at },
        _ => Event::RunEnded { run, at, outcome: Ending::ALL[usize::from(whom & 3)] },
    }
}
