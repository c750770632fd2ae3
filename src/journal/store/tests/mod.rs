mod codec;
mod damage;
mod durable;
mod memory;

use std::path::Path;

use jiff::Timestamp;

use super::*;
use crate::journal::StateDir;
use crate::journal::state::{Ending, Outcome, RunHead, Step};

fn now() -> Timestamp {
    "2026-11-22T17:12:33Z".parse().unwrap()
}

fn options() -> Options {
    Options { now: now(), cache_bytes: 4 << 20 }
}

fn open(dir: &Path) -> Result<Journal, JournalError> {
    Journal::open(dir, options())
}

fn id(salt: u64) -> RunId {
    RunId::new(now(), salt)
}

fn started(run: RunId, actions: u64) -> Event {
    Event::RunStarted { run, at: now(), head: Box::new(RunHead { actions, ..RunHead::default() }) }
}

fn intent(run: RunId, seq: u64) -> Event {
    Event::Intent { run, at: now(), seq, step: Step::First, attempt: 1 }
}

fn outcome(run: RunId, seq: u64, result: Outcome) -> Event {
    Event::Outcome { run, at: now(), seq, step: Step::First, result }
}

fn applied(run: RunId, seq: u64) -> Event {
    outcome(run, seq, Outcome::Applied { account: None })
}

fn ended(run: RunId, at: Timestamp) -> Event {
    Event::RunEnded { run, at, outcome: Ending::Complete }
}

/// One whole run: 2 + 2 × `actions` records.
fn whole_run(run: RunId, actions: u64) -> Vec<Event> {
    let mut events = vec![started(run, actions)];
    events.extend((1..=actions).flat_map(|seq| [intent(run, seq), applied(run, seq)]));
    events.push(ended(run, now()));
    events
}

fn append_all(journal: &Journal, events: &[Event]) {
    for event in events {
        journal.append_blocking(event.clone()).unwrap();
    }
}

fn events(journal: &Journal, run: RunId) -> Vec<Event> {
    journal.events_of(run).map(Result::unwrap).collect()
}

/// What a kill at this moment would leave: the files as the operating system has them now.
fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_files(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
