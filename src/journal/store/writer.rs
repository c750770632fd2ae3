//! The one thread that writes. It drains the queue, writes what came as one group, flushes, syncs, anchors, and only
//! then lets those who wait go on. What it shows to others is what is durable.
//!
//! Concurrent flushes deadlock in sled 0.34, and one sync for a group costs as much as one for a record: hence one
//! thread and groups.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::anchor::{Anchor, Head};
use super::codec::{chain_record, encode_event};
use super::error::{JournalError, WriteFailure};
use super::log::{Database, JournalBook, encode_base, record_key};
use super::memory::Put;
use crate::files::FileError;
use crate::files::disk::{DiskOp, may};
use crate::journal::state::{Event, RunId};
use crate::testing::failpoints::{self, Failpoint};

/// As many events or notes go into one group.
const GROUP: usize = 1_000;
/// A larger record would be kept by sled in a file of its own, which nothing here syncs.
pub const MOST_BYTES: usize = 64 * 1024;

type JobAnswer<T> = oneshot::Sender<Result<T, JournalError>>;

/// What the thread is asked to do.
pub enum Job {
    Event {
        event: Event,
        done: JobAnswer<()>,
    },
    /// `done` is none where more notes follow: nobody waits for these to be durable.
    Notes {
        puts: Vec<Put>,
        done: Option<JobAnswer<()>>,
    },
    /// Drops the oldest runs, those that ended before the time.
    Prune {
        before: Timestamp,
        done: JobAnswer<Vec<RunId>>,
    },
}

/// What the thread shares with those who ask and read.
#[derive(Default)]
pub struct WriterShared {
    book: Mutex<JournalBook>,
    /// The first failure; after it nothing is written any more.
    failure: OnceLock<Arc<WriteFailure>>,
}

/// What the thread owns.
pub struct Writer {
    pub database: Database,
    /// sled's file, once more: a sync concerns the file, not the handle.
    pub file: File,
    pub anchor: Anchor,
    pub shared: Arc<WriterShared>,
}

impl WriterShared {
    pub fn new(book: JournalBook) -> Self {
        Self { book: Mutex::new(book), failure: OnceLock::new() }
    }

    pub fn lock_book(&self) -> MutexGuard<'_, JournalBook> {
        // A panic while the book was held left it as it was before the event or after it.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn failure(&self) -> Option<JournalError> {
        self.failure.get().map(|failure| JournalError::Failed(Arc::clone(failure)))
    }

    fn record_failure(&self, failure: WriteFailure) -> JournalError {
        JournalError::Failed(Arc::clone(self.failure.get_or_init(|| Arc::new(failure))))
    }
}

/// Events and notes that become durable together.
#[derive(Default)]
struct WriteGroup {
    events: Vec<(Event, JobAnswer<()>)>,
    /// The actions that the events are about: no two of one action, so that each can be checked against what is
    /// durable, and none is checked against one that may yet fail.
    actions: HashSet<u64>,
    puts: Vec<Put>,
    waiting: Vec<JobAnswer<()>>,
}

impl WriteGroup {
    fn takes_job(&self, job: &Job) -> bool {
        if self.events.len() + self.puts.len() >= GROUP {
            return false;
        }
        match job {
            Job::Event { event, .. } => match event.seq() {
                Some(seq) => !self.is_closed() && !self.actions.contains(&seq),
                None => self.events.is_empty(),
            },
            Job::Notes { .. } => true,
            Job::Prune { .. } => false,
        }
    }

    /// What concerns the whole run stands alone: everything after it depends on it.
    fn is_closed(&self) -> bool {
        self.events.first().is_some_and(|(event, _)| event.seq().is_none())
    }

    fn is_durable(&self) -> bool {
        !self.events.is_empty() || !self.waiting.is_empty()
    }

    /// What it is, in one word.
    fn kind(&self) -> &'static str {
        match self.events.first() {
            None => "notes",
            Some((Event::RunStarted { .. }, _)) => "started",
            Some((Event::RunPaused { .. }, _)) => "paused",
            Some((Event::RunResumed { .. }, _)) => "resumed",
            Some((Event::RunEnded { .. }, _)) => "ended",
            Some((Event::Intent { .. }, _)) => "intent",
            Some((Event::Outcome { .. }, _)) => "outcome",
        }
    }
}

impl Writer {
    /// Works until nobody can ask any more.
    pub fn write_groups(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut group = WriteGroup::default();
        let mut next = queue.blocking_recv();
        while let Some(job) = next.take() {
            self.take_job(job, &mut group);
            while next.is_none() {
                match queue.try_recv() {
                    Ok(job) if group.takes_job(&job) => self.take_job(job, &mut group),
                    Ok(job) => next = Some(job),
                    Err(_) => break,
                }
            }
            self.settle_group(mem::take(&mut group));
            if next.is_none() {
                next = queue.blocking_recv();
            }
        }
    }

    fn take_job(&mut self, job: Job, group: &mut WriteGroup) {
        match job {
            Job::Event { event, done } => {
                let legal = self.shared.failure().map_or(Ok(()), Err);
                match legal.and_then(|()| Ok(self.shared.lock_book().history.check(&event)?)) {
                    Ok(()) => {
                        group.actions.extend(event.seq());
                        group.events.push((event, done));
                    }
                    Err(error) => answer_job(done, Err(error)),
                }
            }
            Job::Notes { mut puts, done } => {
                group.puts.append(&mut puts);
                group.waiting.extend(done);
            }
            Job::Prune { before, done } => {
                let pruned = self.shared.failure().map_or_else(|| self.prune(before), Err);
                answer_job(done, pruned);
            }
        }
    }

    /// Makes the group durable and answers everybody in it.
    fn settle_group(&mut self, mut group: WriteGroup) {
        let kind = group.kind();
        failpoints::reach_kind(Failpoint::GroupTaken, kind);
        let mut head = self.shared.lock_book().head();
        let mut records = Vec::with_capacity(group.events.len());
        let mut written = Vec::with_capacity(group.events.len());
        for (event, done) in mem::take(&mut group.events) {
            let payload = encode_event(&event);
            if payload.len() > MOST_BYTES {
                answer_job(done, Err(JournalError::TooLarge { bytes: payload.len(), most: MOST_BYTES }));
                continue;
            }
            let seq = head.seq + 1;
            head = Head { seq, chain: chain_record(&head.chain, seq, &payload) };
            records.push((head, payload));
            written.push((head, event, done));
        }
        let durable = !records.is_empty() || group.is_durable();
        let result = match self.shared.failure() {
            Some(error) => Err(error),
            None => self.commit_group(&records, &mut group.puts, durable, kind),
        };
        if result.is_ok() {
            let mut book = self.shared.lock_book();
            for (head, event, _) in &written {
                if let Err(illegal) = book.advance_head(*head, event) {
                    // Each was found legal, and none depends on another; were it otherwise, nothing may go on.
                    let reason = illegal.to_string();
                    self.shared.record_failure(self.failure("check", reason, None));
                }
            }
        }
        failpoints::reach_kind(Failpoint::GroupBelieved, kind);
        let everybody = written.into_iter().map(|(_, _, done)| done).chain(group.waiting);
        for done in everybody {
            let result = match (&result, self.shared.failure()) {
                (_, Some(error)) => Err(error),
                _ => Ok(()),
            };
            answer_job(done, result);
        }
        failpoints::reach_kind(Failpoint::GroupAnswered, kind);
    }

    /// `kind` says what the group is, for the points between the steps.
    fn commit_group(
        &mut self,
        records: &[(Head, Vec<u8>)],
        puts: &mut Vec<Put>,
        durable: bool,
        kind: &str,
    ) -> Result<(), JournalError> {
        self.write(records, puts, kind)?;
        if durable {
            self.flush()?;
            failpoints::reach_kind(Failpoint::GroupFlushed, kind);
            self.sync()?;
            failpoints::reach_kind(Failpoint::GroupSynced, kind);
        }
        if let Some((head, _)) = records.last() {
            self.write_anchor(*head)?;
            failpoints::reach_kind(Failpoint::AnchorSynced, kind);
        }
        Ok(())
    }

    /// One batch for the log and one for the memory.
    fn write(&self, records: &[(Head, Vec<u8>)], puts: &mut Vec<Put>, kind: &str) -> Result<(), JournalError> {
        if !records.is_empty() {
            let mut batch = sled::Batch::default();
            for (head, payload) in records {
                batch.insert(&record_key(head.seq), [&head.chain[..], payload].concat());
            }
            self.apply(&self.database.log, batch)?;
            failpoints::reach_kind(Failpoint::RecordsWritten, kind);
        }
        if !puts.is_empty() {
            let mut batch = sled::Batch::default();
            for (key, value) in puts.drain(..) {
                match value {
                    Some(value) => batch.insert(key, value),
                    None => batch.remove(key),
                }
            }
            self.apply(&self.database.memory, batch)?;
            failpoints::reach_kind(Failpoint::NotesWritten, kind);
        }
        Ok(())
    }

    fn apply(&self, tree: &sled::Tree, batch: sled::Batch) -> Result<(), JournalError> {
        self.may_write(DiskOp::Write)
            .and_then(|()| tree.apply_batch(batch))
            .map_err(|error| self.sled_failure("write", error))
    }

    /// As [`may`], of the database.
    fn may_write(&self, op: DiskOp) -> sled::Result<()> {
        Ok(may(op, &self.database.path)?)
    }

    /// From sled's buffers to the operating system: after this a killed process loses nothing.
    fn flush(&self) -> Result<(), JournalError> {
        self.may_write(DiskOp::Flush)
            .and_then(|()| self.database.log.flush())
            .map(drop)
            .map_err(|error| self.sled_failure("flush", error))
    }

    /// From the operating system to the disk: after this a power cut loses nothing.
    fn sync(&self) -> Result<(), JournalError> {
        may(DiskOp::Sync, &self.database.path)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| self.shared.record_failure(self.failure("sync", error.to_string(), Some(error.kind()))))
    }

    /// After this a loss of what is durable is noticed.
    fn write_anchor(&mut self, head: Head) -> Result<(), JournalError> {
        self.anchor.write(head).map_err(|error| {
            let failure = self.failure("anchor", error.to_string(), Some(error.kind()));
            self.shared.record_failure(WriteFailure { file: self.anchor.path.clone(), ..failure })
        })
    }

    /// The new base is durable before anything is removed: a crash between the two leaves records before the base,
    /// which nobody reads, and which the next prune removes.
    fn prune(&mut self, before: Timestamp) -> Result<Vec<RunId>, JournalError> {
        let (runs, last) = {
            let book = self.shared.lock_book();
            let runs: Vec<RunId> = book.history.ended_before(before).collect();
            let last = runs.last().and_then(|run| book.spans.get(run)).map(|(_, last)| *last);
            (runs, last)
        };
        let Some(last) = last else { return Ok(Vec::new()) };
        let log = self.database.log.clone();
        let failed = |error| self.sled_failure("prune", error);
        let chain = log.get(record_key(last)).map_err(failed)?.and_then(|value| value.first_chunk::<16>().copied());
        let Some(chain) = chain else {
            let reason = format!("record {last} is missing");
            return Err(self.shared.record_failure(self.failure("prune", reason, None)));
        };
        let base = encode_base(Head { seq: last, chain });
        self.may_write(DiskOp::Write).and_then(|()| log.insert(record_key(0), base)).map_err(failed)?;
        failpoints::reach(Failpoint::BaseWritten);
        self.flush()?;
        self.sync()?;
        failpoints::reach(Failpoint::BaseSynced);
        let mut old = log.range(record_key(1)..=record_key(last)).keys();
        loop {
            let mut batch = sled::Batch::default();
            let mut count = 0;
            for key in old.by_ref().take(GROUP) {
                batch.remove(key.map_err(failed)?);
                count += 1;
            }
            if count == 0 {
                break;
            }
            self.apply(&log, batch)?;
        }
        failpoints::reach(Failpoint::RecordsRemoved);
        self.flush()?;
        self.sync()?;
        failpoints::reach(Failpoint::RemovalSynced);
        self.shared.lock_book().forget_runs(&runs);
        Ok(runs)
    }

    fn sled_failure(&self, step: &'static str, error: sled::Error) -> JournalError {
        let kind = match &error {
            sled::Error::Io(error) => Some(error.kind()),
            _ => None,
        };
        self.shared.record_failure(self.failure(step, error.to_string(), kind))
    }

    fn failure(&self, step: &'static str, reason: String, kind: Option<io::ErrorKind>) -> WriteFailure {
        WriteFailure { file: self.database.path.clone(), step, reason, kind }
    }
}

/// Opens sled's file once more, to be synced.
pub fn open_file(database: &Database) -> Result<File, FileError> {
    // Windows syncs only what is open for writing.
    File::options()
        .read(true)
        .write(true)
        .open(&database.path)
        .map_err(FileError::at_path(&database.path, "cannot be opened"))
}

fn answer_job<T>(done: JobAnswer<T>, result: Result<T, JournalError>) {
    // Whoever asked may have gone; what was asked for is done all the same.
    let _ = done.send(result);
}
