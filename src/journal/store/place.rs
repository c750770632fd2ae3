//! The two places a journal can be in: on the disk, behind the writing thread; or in memory, with the same checks.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::anchor::{self, Anchor, BEGINNING, Head};
use super::codec::{GENESIS, decode_event};
use super::error::{Damage, JournalError, WriteFailure};
use super::lock::{self, Lock};
use super::log::{self, Database, JournalBook, LogReading, record_key};
use super::memory::{NoteReader, Put};
#[cfg(test)]
use super::simulated::Simulated;
use super::writer::{self, Job, Writer, WriterShared};
use super::{Event, Events, Inspection, Options, RunId};
use crate::files::{FileError, make_private_dir};
use crate::journal::StateDir;
use crate::journal::state::History;
use crate::testing::failpoints::{self, Failpoint};

/// So many appends can wait in the queue; a run has far fewer under way.
const QUEUE: usize = 4_096;

pub enum JournalPlace {
    Disk(Disk),
    Twin(Box<Twin>),
    /// In memory, and lost like on a disk.
    #[cfg(test)]
    Simulated(Arc<Simulated>),
}

/// On the disk.
pub struct Disk {
    // Fields are dropped in this order: the thread is gone by then, the database is closed before the lock is released.
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<WriterShared>,
    database: Database,
    state: StateDir,
    _lock: Lock,
}

/// In memory.
#[derive(Default)]
pub struct Twin(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    book: JournalBook,
    events: Vec<Event>,
    notes: NoteReader,
}

/// Everything that is open, verified, before the thread starts.
pub struct Opened {
    pub state: StateDir,
    pub lock: Lock,
    pub database: Database,
    pub anchor: Anchor,
    /// The head that the anchor holds.
    pub anchored: Head,
    pub book: JournalBook,
}

/// # Errors
/// See [`super::Journal::open`].
pub fn open(dir: &Path, options: Options) -> Result<Opened, JournalError> {
    let state = StateDir::new(dir);
    make_private_dir(dir)?;
    let lock = lock::take_lock(&state, options.now)?;
    let damaged = |damage| JournalError::Damaged { dir: dir.to_owned(), damage };
    let found = Anchor::open(&state.anchor())?;
    let anchored = match &found {
        Some((_, anchor::FoundAnchor::Garbage)) => return Err(damaged(Damage::BadAnchor)),
        Some((_, anchor::FoundAnchor::Form(found))) => return Err(other_form(dir, *found)),
        Some((_, anchor::FoundAnchor::Head(head))) => Some(*head),
        None => None,
    };
    if let Some(head) = anchored
        && head.seq > 0
        && !log::journal_exists(&state)
    {
        // Said before sled makes an empty database in its place.
        return Err(damaged(Damage::Short { head: 0, anchored: head.seq }));
    }
    let database = log::open_database(&state, options.cache_bytes)?;
    failpoints::reach(Failpoint::DatabaseOpened);
    let LogReading { book, mut damage, .. } = log::read(&database.log, anchored);
    if !damage.is_empty() {
        return Err(damaged(damage.swap_remove(0)));
    }
    let anchor = match found {
        Some((anchor, _)) => anchor,
        // Nothing was ever recorded: `read` has just seen that there is no record without an anchor.
        None => {
            let anchor = Anchor::create(&state.anchor())?;
            failpoints::reach(Failpoint::AnchorMade);
            anchor
        }
    };
    Ok(Opened { state, lock, database, anchor, anchored: anchored.unwrap_or(BEGINNING), book })
}

/// # Errors
/// See [`super::Journal::inspect`].
pub fn inspect(dir: &Path, options: Options) -> Result<Inspection, JournalError> {
    let state = StateDir::new(dir);
    if !dir.exists() {
        return Ok(Inspection::default());
    }
    let _lock = lock::take_lock(&state, options.now)?;
    let anchor = Anchor::open(&state.anchor())?;
    if let Some((_, anchor::FoundAnchor::Form(found))) = anchor {
        return Err(other_form(dir, found));
    }
    let anchored = anchor.as_ref().and_then(|(_, found)| found.head());
    let mut inspection = Inspection::default();
    if log::journal_exists(&state) {
        match log::open_database(&state, options.cache_bytes) {
            Ok(database) => {
                // An anchor that cannot be read is said once, below, and not also as missing.
                let unreadable = anchor.is_some() && anchored.is_none();
                let assumed = if unreadable { Some(BEGINNING) } else { anchored };
                let LogReading { book, records, damage, damaged } = log::read(&database.log, assumed);
                inspection = Inspection { runs: book.history.run_overviews(), records, damage, damaged };
            }
            Err(JournalError::Damaged { damage, .. }) => inspection.damage.push(damage),
            Err(error) => return Err(error),
        }
    } else if let Some(head) = anchored.filter(|head| head.seq > 0) {
        inspection.damage.push(Damage::Short { head: 0, anchored: head.seq });
    }
    if anchor.is_some() && anchored.is_none() {
        inspection.damage.push(Damage::BadAnchor);
    }
    Ok(inspection)
}

fn other_form(dir: &Path, found: u8) -> JournalError {
    JournalError::Form { dir: dir.to_owned(), found: char::from(found), known: char::from(anchor::FORM) }
}

impl Disk {
    /// Brings the anchor up to the head, and starts the thread.
    ///
    /// # Errors
    /// The disk's.
    pub fn start(opened: Opened) -> Result<Self, JournalError> {
        let Opened { state, lock, database, mut anchor, anchored, book } = opened;
        let file = writer::open_file(&database)?;
        if anchored != book.head() {
            // What a killed process left in the operating system's hands is made durable before it is built upon.
            file.sync_data().map_err(FileError::at_path(&database.path, "cannot be synced"))?;
            failpoints::reach(Failpoint::LeftoverSynced);
            let path = anchor.path.clone();
            anchor.write(book.head()).map_err(FileError::at_path(&path, "cannot be written"))?;
            failpoints::reach(Failpoint::LeftoverAnchored);
        }
        let shared = Arc::new(WriterShared::new(book));
        let (queue, jobs) = mpsc::channel(QUEUE);
        let writer = Writer { database: database.clone(), file, anchor, shared: Arc::clone(&shared) };
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.write_groups(jobs))
            .map_err(FileError::at_path(&database.path, "no thread can be started to write it"))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), shared, database, state, _lock: lock })
    }

    async fn ask_writer<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, JournalError>>) -> Job,
    ) -> Result<T, JournalError> {
        let (done, answer) = oneshot::channel();
        self.send(job(done)).await?;
        answer.await.unwrap_or_else(|_| Err(self.writer_is_gone()))
    }

    async fn send(&self, job: Job) -> Result<(), JournalError> {
        match &self.queue {
            Some(queue) => queue.send(job).await.map_err(|_| self.writer_is_gone()),
            None => Err(self.writer_is_gone()),
        }
    }

    /// The thread is gone, which only a panic in sled can bring about.
    fn writer_is_gone(&self) -> JournalError {
        self.shared.failure().unwrap_or_else(|| {
            JournalError::Failed(Arc::new(WriteFailure {
                file: self.database.path.clone(),
                step: "write",
                reason: "the thread that writes it is gone".to_owned(),
                kind: None,
            }))
        })
    }

    fn events(&self, run: RunId) -> Events {
        let Some((first, last)) = self.shared.lock_book().spans.get(&run).copied() else {
            return Box::new(std::iter::empty());
        };
        let dir = self.state.path().to_owned();
        let records = self.database.log.range(record_key(first)..=record_key(last));
        Box::new((first..=last).zip(records).map(move |(seq, record)| {
            let read = record.map_err(|error| Damage::Database { why: error.to_string() }).and_then(|(_, value)| {
                decode_event(value.get(GENESIS.len()..).unwrap_or_default())
                    .map_err(|why| Damage::Undecodable { seq, why })
            });
            read.map_err(|damage| JournalError::Damaged { dir: dir.clone(), damage })
        }))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The thread ends when nobody can ask any more, after it has done what it was asked.
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(file = %self.database.path.display(), "the thread that writes the journal panicked");
        }
    }
}

impl Twin {
    fn lock_kept(&self) -> MutexGuard<'_, Kept> {
        // A panic while it was held left it as it was before the event or after it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JournalPlace {
    pub async fn append(&self, event: Event) -> Result<(), JournalError> {
        match self {
            Self::Disk(disk) => disk.ask_writer(|done| Job::Event { event, done }).await,
            #[cfg(test)]
            Self::Simulated(disk) => disk.append(event).await,
            Self::Twin(twin) => {
                let kept = &mut *twin.lock_kept();
                kept.book.history.check(&event)?;
                let head = Head { seq: kept.book.head().seq + 1, chain: GENESIS };
                kept.book.advance_head(head, &event)?;
                kept.events.push(event);
                Ok(())
            }
        }
    }

    pub async fn put_notes(&self, puts: Vec<Put>, last: bool) -> Result<(), JournalError> {
        match self {
            #[cfg(test)]
            Self::Simulated(disk) => disk.remember(puts).await,
            Self::Disk(disk) if last => disk.ask_writer(|done| Job::Notes { puts, done: Some(done) }).await,
            Self::Disk(disk) => disk.send(Job::Notes { puts, done: None }).await,
            Self::Twin(twin) => {
                let notes = &mut twin.lock_kept().notes;
                for (key, value) in puts {
                    match value {
                        Some(value) => notes.insert(key, value),
                        None => notes.remove(&key),
                    };
                }
                Ok(())
            }
        }
    }

    pub async fn prune(&self, before: Timestamp) -> Result<Vec<RunId>, JournalError> {
        match self {
            Self::Disk(disk) => disk.ask_writer(|done| Job::Prune { before, done }).await,
            #[cfg(test)]
            Self::Simulated(_) => Ok(Vec::new()),
            Self::Twin(twin) => {
                let kept = &mut *twin.lock_kept();
                let runs: Vec<RunId> = kept.book.history.ended_before(before).collect();
                kept.book.forget_runs(&runs);
                kept.events.retain(|event| !runs.contains(&event.run()));
                Ok(runs)
            }
        }
    }

    pub fn with_history<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        match self {
            Self::Disk(disk) => look(&disk.shared.lock_book().history),
            #[cfg(test)]
            Self::Simulated(disk) => disk.history(look),
            Self::Twin(twin) => look(&twin.lock_kept().book.history),
        }
    }

    pub fn events(&self, run: RunId) -> Events {
        match self {
            Self::Disk(disk) => disk.events(run),
            #[cfg(test)]
            Self::Simulated(disk) => disk.events(run),
            Self::Twin(twin) => {
                let events: Vec<Event> = twin.lock_kept().events.iter().filter(|e| e.run() == run).cloned().collect();
                Box::new(events.into_iter().map(Ok))
            }
        }
    }

    pub fn note(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Disk(disk) => disk.database.memory.get(key).map_or_else(
                |error| {
                    tracing::warn!(%error, "a remembered value cannot be read and is left out of account");
                    None
                },
                |value| value.map(|value| value.to_vec()),
            ),
            Self::Twin(twin) => twin.lock_kept().notes.get(key).cloned(),
            #[cfg(test)]
            Self::Simulated(disk) => disk.note(key),
        }
    }

    pub fn notes_under(&self, prefix: Vec<u8>) -> Box<dyn Iterator<Item = (Vec<u8>, Vec<u8>)> + Send> {
        match self {
            Self::Disk(disk) => Box::new(disk.database.memory.scan_prefix(prefix).filter_map(|note| {
                note.inspect_err(|error| {
                    tracing::warn!(%error, "a remembered value cannot be read and is left out of account");
                })
                .ok()
                .map(|(key, value)| (key.to_vec(), value.to_vec()))
            })),
            Self::Twin(twin) => {
                let notes: Vec<_> = twin
                    .lock_kept()
                    .notes
                    .range(prefix.clone()..)
                    .take_while(|(key, _)| key.starts_with(&prefix))
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect();
                Box::new(notes.into_iter())
            }
            #[cfg(test)]
            Self::Simulated(disk) => disk.notes_under(&prefix),
        }
    }
}
