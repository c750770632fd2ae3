//! The table of legal transitions, made durable in sled 0.34. No other module names sled.
//!
//! **What is promised.** When an append returns, its event is on the disk, and so is the proof that it was: a process
//! that is killed, or a machine that loses power, loses none of them, and a file that loses one is found out. An event
//! that the table does not allow is refused, and nothing is written. An append that fails makes every later one fail
//! with the first reason, because what stands on the disk is no longer known.
//!
//! **How.** One thread writes (see `writer`): a group of events is one batch, then sled's blocking flush, then an
//! fdatasync of sled's file (its flush does none on Linux), then the anchor, and then those who wait go on. Records
//! carry contiguous numbers and a hash chain, because flipped bits can make sled drop records silently; the chain's
//! head is anchored in a file of its own, because the last records could be dropped as well. On opening, a gap, a
//! mismatch or a head behind the anchor refuses the journal and names the record; a full reconcile is always safe, so
//! the way out is to move the journal aside. Records beyond the anchor that chain are what a crash between flush and
//! anchor leaves: their requests may have left, and they count.
//!
//! **The anchor** is written in place, in turn into one of two checksummed slots, with one fdatasync, rather than to a
//! new file that is synced and renamed. Both leave an old head or a new one after a crash; on ext4 the slots took
//! 0.14 ms (as much as the fdatasync of sled's file), the rename with its two fsyncs 0.57 ms, medians of 400 writes in
//! turn. Whole appends, in a release build on two cores while the disk was quiet: 64 appenders reached 49,600 a second
//! with slots, 30,100 with a rename, 64,300 with no anchor at all; one appender 1,980, 1,110 and 2,730. With other work
//! on the same disk these rates fall to a third, and differ more from run to run than from one form to the other.
//!
//! **Time and memory.** An append takes two fdatasyncs for its whole group. Of runs that ended only overviews are in
//! memory; sled's cache is bounded by [`Options::cache_bytes`].

mod anchor;
mod codec;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod lock;
mod log;
mod memory;
mod place;
#[cfg(test)]
mod simulated;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use jiff::Timestamp;

pub use self::error::{Damage, Holder, JournalError, WriteFailure};
pub use self::log::panics_are_caught;
pub use self::memory::{Memory, Note, RememberedAbsence, SourceShape};
use self::place::{Disk, JournalPlace, Twin};
#[cfg(test)]
pub use self::simulated::Simulated;
use super::state::{Event, Illegal, RunId, RunOverview, RunState};

/// The journal of one state directory. A clone is another handle to the same one; when the last is dropped, what is
/// queued is written, and the lock is released.
#[derive(Clone)]
pub struct Journal {
    place: Arc<JournalPlace>,
}

/// How a journal is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Written into the lock file, for whoever comes second.
    pub now: Timestamp,
    /// What sled may keep in memory, in bytes.
    pub cache_bytes: u64,
}

impl Options {
    /// A cache of 64 MiB.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { now, cache_bytes: 64 << 20 }
    }
}

/// What can be read of a journal that may be damaged.
#[derive(Debug, Default)]
pub struct Inspection {
    /// Oldest first. Where records are missing, a run may be missing or show too little.
    pub runs: Vec<RunOverview>,
    /// How many records could be read.
    pub records: u64,
    /// Everything that is wrong, in the order of the records; a hundred at most. Empty: the journal is whole.
    pub damage: Vec<Damage>,
    /// The runs that are not as they were written, each with the first reason. One of them may be missing from `runs`:
    /// its beginning is lost.
    pub damaged: BTreeMap<RunId, Damage>,
}

/// The events of one run, in order.
pub type Events = Box<dyn Iterator<Item = Result<Event, JournalError>> + Send>;

impl Journal {
    /// Opens the journal of a state directory, making what is missing, with mode 0700.
    ///
    /// # Errors
    /// [`JournalError::Locked`] while another process has it open, [`JournalError::Damaged`] when it does not hold what
    /// was once durable in it, [`JournalError::File`] when a file cannot be made or read.
    pub fn open(dir: &Path, options: Options) -> Result<Self, JournalError> {
        Ok(Self { place: Arc::new(JournalPlace::Disk(Disk::start(place::open(dir, options)?)?)) })
    }

    /// A journal that checks the same transitions and keeps nothing: for measuring, and for rehearsals.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { place: Arc::new(JournalPlace::Twin(Box::<Twin>::default())) }
    }

    /// A journal on a disk that loses what was not flushed.
    #[cfg(test)]
    pub fn on(disk: &Arc<Simulated>) -> Self {
        Self { place: Arc::new(JournalPlace::Simulated(Arc::clone(disk))) }
    }

    /// Lists what can be read of a journal, damaged or not. The database is opened for it, so it takes the lock.
    ///
    /// # Errors
    /// [`JournalError::Locked`], or the disk's.
    pub fn inspect_journal(dir: &Path, options: Options) -> Result<Inspection, JournalError> {
        place::inspect(dir, options)
    }

    /// Records the event; returns when it is durable. Dropping the future does not take the event back.
    ///
    /// # Errors
    /// [`JournalError::Illegal`] and [`JournalError::TooLarge`]: nothing was written, the journal goes on.
    /// [`JournalError::Failed`]: the run must stop.
    pub async fn append(&self, event: Event) -> Result<(), JournalError> {
        self.place.append(event.bound_texts()).await
    }

    /// [`Journal::append`] for code that is not async; blocks the thread.
    ///
    /// # Errors
    /// As there.
    pub fn append_blocking(&self, event: Event) -> Result<(), JournalError> {
        block_on(self.append(event))
    }

    /// Every run, oldest first.
    #[must_use]
    pub fn runs(&self) -> Vec<RunOverview> {
        self.place.with_history(|history| history.run_overviews())
    }

    /// The run that has not ended, where there is one: it comes first.
    #[must_use]
    pub fn unfinished_run(&self) -> Option<RunId> {
        self.place.with_history(|history| history.unfinished().map(RunState::run))
    }

    /// One run as its events leave it; none where there is no such run. Of a run that ended the events are read again.
    ///
    /// # Errors
    /// A record that could be read when the journal was opened, and cannot be read now.
    pub fn run(&self, run: RunId) -> Result<Option<RunState>, JournalError> {
        let (live, known) = self.place.with_history(|history| {
            (history.unfinished().filter(|state| state.run() == run).cloned(), history.knows_run(run))
        });
        if live.is_some() || !known {
            return Ok(live);
        }
        let mut events = self.events_of(run);
        let Some(first) = events.next() else { return Ok(None) };
        let mut state = RunState::from_start(&first?)?;
        for event in events {
            state.apply(&event?)?;
        }
        Ok(Some(state))
    }

    /// The events of one run, in order; none where there is no such run.
    #[must_use]
    pub fn events_of(&self, run: RunId) -> Events {
        self.place.events(run)
    }

    /// What is kept beside runs. `scope` names the tenant in a way that stays the same between runs: account ids of
    /// one tenant mean other people in another, so nothing is shared between scopes.
    #[must_use]
    pub fn memory(&self, scope: &str) -> Memory {
        Memory { journal: self.clone(), scope: memory::scope_prefix(scope) }
    }

    /// Drops the records of the oldest runs, as long as each ended more than `keep` before `now`, and names them, so
    /// that their files can go too. What is kept stays verifiable: the chain begins after the last record dropped.
    ///
    /// # Errors
    /// [`JournalError::Failed`].
    pub async fn prune_runs(&self, keep: Duration, now: Timestamp) -> Result<Vec<RunId>, JournalError> {
        // Before the calendar began nothing ended.
        let before = now.checked_sub(keep).unwrap_or(Timestamp::MIN);
        self.place.prune(before).await
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.place {
            JournalPlace::Disk(_) => "Journal",
            JournalPlace::Twin(_) => "Journal (in memory)",
            #[cfg(test)]
            JournalPlace::Simulated(_) => "Journal (simulated)",
        })
    }
}

/// Waits for a future on this thread, inside a runtime or not; nothing here needs one.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        thread::park();
    }
}
