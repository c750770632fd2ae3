//! A disk in memory, for simulations: what is appended waits in a queue until somebody flushes it, and a crash loses the
//! queue but for a beginning of it, which had reached the disk when the process died. So a group can be torn, and a
//! record can be there that nobody was told of.
//!
//! Unlike the thread that writes a real journal, it lets whoever simulates decide when a flush happens and how it ends.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::anchor::Head;
use super::codec::GENESIS;
use super::error::{JournalError, WriteFailure};
use super::log::JournalBook;
use super::memory::{NoteReader, Put};
use super::{Event, Events, RunId};
use crate::journal::state::History;

/// The disk.
pub struct Simulated {
    state: Mutex<State>,
    /// Told of every write that waits for a flush.
    asked: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct State {
    book: JournalBook,
    events: Vec<Event>,
    notes: NoteReader,
    queue: VecDeque<Waiting>,
    failure: Option<Arc<WriteFailure>>,
}

type Answer = oneshot::Sender<Result<(), JournalError>>;

struct Waiting {
    write: Write,
    done: Answer,
}

enum Write {
    Event(Event),
    Notes(Vec<Put>),
}

impl Simulated {
    /// A disk that tells of every write that waits.
    pub fn asking(asked: impl Fn() + Send + Sync + 'static) -> Self {
        Self { state: Mutex::default(), asked: Box::new(asked) }
    }

    /// How many writes wait.
    pub fn waiting(&self) -> usize {
        self.state().queue.len()
    }

    /// Everything that waits becomes durable, and whoever waits for it goes on.
    pub fn flush(&self) {
        let mut answers = Vec::new();
        let state = &mut *self.state();
        while let Some(Waiting { write, done }) = state.queue.pop_front() {
            answers.push((done, state.write(write)));
        }
        for (done, result) in answers {
            let _ = done.send(result);
        }
    }

    /// A flush fails after so many writes, and the journal takes no more.
    pub fn fail(&self, survive: usize) {
        let state = &mut *self.state();
        let failure = Arc::new(WriteFailure {
            file: PathBuf::from("journal/db"),
            step: "flush",
            reason: "no space left on device".to_owned(),
            kind: Some(std::io::ErrorKind::StorageFull),
        });
        state.failure = Some(Arc::clone(&failure));
        // Those whose write reached the disk cannot know it either.
        let torn = state.tear(survive);
        for done in torn.into_iter().chain(state.queue.drain(..).map(|waiting| waiting.done)) {
            let _ = done.send(Err(JournalError::Failed(Arc::clone(&failure))));
        }
    }

    /// The process dies: of what waits so many writes are on the disk, the others are lost. What is left is read anew,
    /// as the next process reads it.
    pub fn crash(&self, survive: usize) {
        let state = &mut *self.state();
        let _nobody = state.tear(survive);
        state.queue.clear();
        state.failure = None;
        state.book = JournalBook::default();
        for event in &state.events {
            let head = state.book.head();
            state
                .book
                .advance_head(Head { seq: head.seq + 1, ..head }, event)
                .expect("what is durable can be read back");
        }
    }

    pub(super) async fn append(&self, event: Event) -> Result<(), JournalError> {
        self.ask(Write::Event(event)).await
    }

    pub(super) async fn remember(&self, puts: Vec<Put>) -> Result<(), JournalError> {
        self.ask(Write::Notes(puts)).await
    }

    async fn ask(&self, write: Write) -> Result<(), JournalError> {
        let (done, answer) = oneshot::channel();
        {
            let state = &mut *self.state();
            if let Some(failure) = &state.failure {
                return Err(JournalError::Failed(Arc::clone(failure)));
            }
            state.queue.push_back(Waiting { write, done });
        }
        (self.asked)();
        // Whoever waited when the process died is not there any more to hear of it.
        answer.await.expect("an answer to every write")
    }

    /// What is durable.
    pub fn history<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(&self.state().book.history)
    }

    pub(super) fn events(&self, run: RunId) -> Events {
        let events: Vec<Event> = self.state().events.iter().filter(|event| event.run() == run).cloned().collect();
        Box::new(events.into_iter().map(Ok))
    }

    pub(super) fn note(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.state().notes.get(key).cloned()
    }

    pub(super) fn notes_under(&self, prefix: &[u8]) -> Box<dyn Iterator<Item = (Vec<u8>, Vec<u8>)> + Send> {
        let under = |(key, _): &(&Vec<u8>, &Vec<u8>)| key.starts_with(prefix);
        let notes: Vec<_> = self.state().notes.iter().filter(under).map(|(k, v)| (k.clone(), v.clone())).collect();
        Box::new(notes.into_iter())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The first of what waits reach the disk; gives those who wait for them and were not told.
    fn tear(&mut self, survive: usize) -> Vec<Answer> {
        let survive = survive.min(self.queue.len());
        let torn: Vec<Waiting> = self.queue.drain(..survive).collect();
        torn.into_iter()
            .map(|Waiting { write, done }| {
                // One that may not follow was never written.
                let _ = self.write(write);
                done
            })
            .collect()
    }

    fn write(&mut self, write: Write) -> Result<(), JournalError> {
        match write {
            Write::Event(event) => {
                self.book.history.check(&event)?;
                let head = Head { seq: self.book.head().seq + 1, chain: GENESIS };
                self.book.advance_head(head, &event)?;
                self.events.push(event);
            }
            Write::Notes(puts) => {
                for (key, value) in puts {
                    match value {
                        Some(value) => self.notes.insert(key, value),
                        None => self.notes.remove(&key),
                    };
                }
            }
        }
        Ok(())
    }
}
