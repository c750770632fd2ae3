//! The database, and the log in it read from its beginning: every record bound to the one before it, the whole bound to
//! the anchor.
//!
//! Key 0 of the log holds the base: number and chain of the last record that was pruned. Records follow under their
//! numbers, big-endian, from 1.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::anchor::{BEGINNING, Head};
use super::codec::{Chain, chain_record, decode_event, half_hash};
use super::error::{Damage, JournalError};
use crate::files::disk::{DiskOp, may};
use crate::files::{FileError, make_private_dir, sync_dir};
use crate::journal::StateDir;
use crate::journal::state::{Event, History, RunId, RunState};

/// As many damages are listed; one is enough to refuse.
const LISTED: usize = 100;

/// The open database. A clone is another handle to the same one.
#[derive(Clone)]
pub struct Database {
    pub log: sled::Tree,
    pub memory: sled::Tree,
    /// The file that holds all of it, to be synced: sled's own flush leaves that out on Linux.
    pub path: PathBuf,
    /// The last field, so that whatever sled does when it is closed is done here.
    _db: Closing,
}

/// Closes sled: it syncs its file then, and panics where that fails. What was acknowledged is on the disk by then.
#[derive(Clone)]
struct Closing(Option<sled::Db>);

impl Drop for Closing {
    fn drop(&mut self) {
        let db = self.0.take();
        if let Err(trouble) = catch_panic(|| drop(db)) {
            tracing::warn!(%trouble, "the journal's database could not be closed cleanly");
        }
    }
}

/// What the log says.
#[derive(Debug, Default)]
pub struct JournalBook {
    pub history: History,
    /// First and last record of each run.
    pub spans: HashMap<RunId, (u64, u64)>,
    pub head: Option<Head>,
}

impl JournalBook {
    pub fn head(&self) -> Head {
        self.head.unwrap_or(BEGINNING)
    }

    /// Notes that the event, found legal, is the record after the head.
    pub fn advance_head(&mut self, head: Head, event: &Event) -> Result<(), super::Illegal> {
        self.head = Some(head);
        self.history.apply(event)?;
        self.spans.entry(event.run()).or_insert((head.seq, head.seq)).1 = head.seq;
        Ok(())
    }

    /// Drops the oldest runs.
    pub fn forget_runs(&mut self, runs: &[RunId]) {
        self.history.forget_oldest(runs.len());
        for run in runs {
            self.spans.remove(run);
        }
    }
}

/// The log as it was read, with everything that is wrong with it.
#[derive(Default)]
pub struct LogReading {
    pub book: JournalBook,
    pub records: u64,
    pub damage: Vec<Damage>,
    /// The runs that records are missing from, or wrong in, with the first reason.
    pub damaged: BTreeMap<RunId, Damage>,
}

/// Opens the database, making it where there is none.
///
/// # Errors
/// The disk's, or a database that cannot be read.
pub fn open_database(state: &StateDir, cache_bytes: u64) -> Result<Database, JournalError> {
    let dir = state.journal();
    make_private_dir(&dir)?;
    let new = is_without_a_byte(&dir.join("db"))?;
    if new {
        // sled writes its settings in two pieces, and refuses a database whose settings are half there. A process that
        // died in between had no database yet, so they say nothing.
        remove_if_there(&dir.join("conf"))?;
    }
    remove_half_made_snapshots(&dir)?;
    let config = sled::Config::new()
        .path(&dir)
        .cache_capacity(cache_bytes)
        // The writer flushes each group itself; a second flusher would only compete with it.
        .flush_every_ms(None);
    let open = || -> sled::Result<Database> {
        may(DiskOp::Open, &dir.join("db"))?;
        let db = config.open()?;
        Ok(Database {
            log: db.open_tree("log")?,
            memory: db.open_tree("memory")?,
            path: dir.join("db"),
            _db: Closing(Some(db)),
        })
    };
    let database = catch_panic(|| open_patiently(open)).and_then(|opened| opened.map_err(StoreTrouble::from));
    let database = database.map_err(|trouble| trouble.into_error(state, &dir))?;
    if new {
        // An empty database that is durable, before the anchor says that there is one.
        let sync = |path: &Path| may(DiskOp::Sync, path).and_then(|()| File::open(path)?.sync_all());
        let flush = || {
            may(DiskOp::Flush, &database.path)?;
            database.log.flush()
        };
        flush().map_err(|error: sled::Error| StoreTrouble::from(error).into_error(state, &dir))?;
        for path in [dir.join("conf"), dir.join("db")] {
            sync(&path).map_err(FileError::at_path(&path, "cannot be synced"))?;
        }
        for path in [&dir, state.path()] {
            sync_dir(path).map_err(FileError::at_path(path, "cannot be synced"))?;
        }
    }
    Ok(database)
}

/// Whether nothing was ever written there. What cannot be looked at is not taken for nothing.
fn is_without_a_byte(path: &Path) -> Result<bool, FileError> {
    match std::fs::metadata(path) {
        Ok(file) => Ok(file.len() == 0),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(FileError::at_path(path, "cannot be read")(error)),
    }
}

/// sled writes its list of pages to `snap.N.generating`, renames it to `snap.N`, and only then removes the one before.
/// When it opens, it takes the highest name of both kinds, and refuses the database if that file is not whole. What a
/// killed process left half written repeats what `db` and the last whole list say.
fn remove_half_made_snapshots(dir: &Path) -> Result<(), FileError> {
    let unlisted = FileError::at_path(dir, "cannot be listed");
    for entry in std::fs::read_dir(dir).map_err(&unlisted)? {
        let path = entry.map_err(&unlisted)?.path();
        if path.extension().is_some_and(|extension| extension == "generating") {
            remove_if_there(&path)?;
        }
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> Result<(), FileError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(FileError::at_path(path, "cannot be removed")(error))
        }
        _ => Ok(()),
    }
}

/// Whether there is a database.
pub fn journal_exists(state: &StateDir) -> bool {
    state.journal().join("db").exists()
}

/// Reads the log from its base and goes on past damage, so that all that is wrong and all that is readable is known.
/// `anchor` is none where its file is missing.
pub fn read(log: &sled::Tree, anchor: Option<Head>) -> LogReading {
    match catch_panic(|| read_all(log, anchor)) {
        Ok(reading) => reading,
        Err(trouble) => {
            LogReading { damage: vec![Damage::Database { why: trouble.to_string() }], ..LogReading::default() }
        }
    }
}

fn read_all(log: &sled::Tree, anchor: Option<Head>) -> LogReading {
    let mut reading = LogReading::default();
    let mut head = match log.get(record_key(0)) {
        Ok(None) => BEGINNING,
        Ok(Some(value)) => decode_base(&value).unwrap_or_else(|| {
            reading.damage.push(Damage::BadBase);
            BEGINNING
        }),
        Err(error) => {
            reading.damage.push(Damage::Database { why: error.to_string() });
            return reading;
        }
    };
    reading.book.head = Some(head);
    for item in log.range(record_key(head.seq.saturating_add(1))..) {
        let (number, value) = match item {
            Ok(item) => item,
            Err(error) => {
                reading.damage.push(Damage::Database { why: error.to_string() });
                break;
            }
        };
        head = reading.check_record(head, &number, &value, anchor);
        if reading.damage.len() >= LISTED {
            break;
        }
    }
    reading.compare_anchor(head, anchor);
    reading
}

impl LogReading {
    fn check_record(&mut self, before: Head, number: &[u8], value: &[u8], anchor: Option<Head>) -> Head {
        let expected = before.seq.saturating_add(1);
        let (Ok(number), Some((stored, payload))) = (<[u8; 8]>::try_from(number), value.split_first_chunk::<16>())
        else {
            self.damage.push(Damage::Undecodable { seq: expected, why: "it is cut short".to_owned() });
            return Head { seq: expected, ..before };
        };
        let seq = u64::from_be_bytes(number);
        let head = Head { seq, chain: *stored };
        self.records += 1;
        let known = self.damage.len();
        let whole = known == 0;
        if seq != expected {
            self.damage.push(Damage::Gap { expected, found: seq });
        } else if chain_record(&before.chain, seq, payload) != *stored
            || anchor.is_some_and(|a| a.seq == seq && a != head)
        {
            self.damage.push(Damage::Mismatch { seq });
        }
        match decode_event(payload) {
            Ok(event) => {
                self.blame_event(known, &event);
                let refused = self.book.advance_head(head, &event).err();
                // After a gap this is no surprise, and says nothing new.
                if let Some(why) = refused.clone().filter(|_| whole && self.damage.is_empty()) {
                    self.damage.push(Damage::Contradiction { seq, why });
                }
                if let (Some(_), Some(first)) = (refused, self.damage.first()) {
                    self.damaged.entry(event.run()).or_insert_with(|| first.clone());
                }
            }
            Err(why) => {
                self.damage.push(Damage::Undecodable { seq, why });
                self.blame_unfinished(known);
            }
        }
        self.book.head = Some(head);
        head
    }

    /// Notes which runs the damage found since is of: the one that had not ended, and the one that the record is of. A
    /// run whose end is lost must not keep those after it from being listed.
    fn blame_event(&mut self, known: usize, event: &Event) {
        self.blame_unfinished(known);
        if let Some(damage) = self.damage.get(known) {
            self.damaged.entry(event.run()).or_insert_with(|| damage.clone());
        }
        if let (Event::RunStarted { run, .. }, Some(first)) = (event, self.damage.first())
            && let Some(before) = self.book.history.unfinished().map(RunState::run).filter(|before| before != run)
        {
            self.damaged.entry(before).or_insert_with(|| first.clone());
            self.book.history.abandon_runs();
        }
    }

    fn blame_unfinished(&mut self, known: usize) {
        if let (Some(damage), Some(run)) = (self.damage.get(known), self.book.history.unfinished()) {
            self.damaged.entry(run.run()).or_insert_with(|| damage.clone());
        }
    }

    fn compare_anchor(&mut self, head: Head, anchor: Option<Head>) {
        let known = self.damage.len();
        match anchor {
            None if head.seq > 0 => self.damage.push(Damage::NoAnchor { head: head.seq }),
            Some(anchor) if anchor.seq > head.seq => {
                self.damage.push(Damage::Short { head: head.seq, anchored: anchor.seq });
                self.blame_unfinished(known);
            }
            _ => {}
        }
    }
}

pub fn record_key(seq: u64) -> [u8; 8] {
    seq.to_be_bytes()
}

/// The base: number, chain, and a checksum over both.
pub fn encode_base(base: Head) -> Vec<u8> {
    let bytes = [&base.seq.to_be_bytes()[..], &base.chain].concat();
    let check = half_hash(&blake3::hash(&bytes));
    [bytes.as_slice(), &check].concat()
}

fn decode_base(bytes: &[u8]) -> Option<Head> {
    let (seq, rest) = bytes.split_first_chunk::<8>()?;
    let (chain, _) = rest.split_first_chunk::<16>()?;
    let base = Head { seq: u64::from_be_bytes(*seq), chain: Chain::from(*chain) };
    (encode_base(base) == bytes).then_some(base)
}

/// What sled has to say, as far as it matters here.
#[derive(Debug, thiserror::Error)]
enum StoreTrouble {
    #[error("{0}")]
    Disk(std::io::Error),
    #[error("{0}")]
    Damage(String),
}

impl From<sled::Error> for StoreTrouble {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => Self::Disk(error),
            other => Self::Damage(other.to_string()),
        }
    }
}

impl StoreTrouble {
    fn into_error(self, state: &StateDir, file: &Path) -> JournalError {
        match self {
            Self::Disk(error) => FileError::at_path(file, "cannot be opened")(error).into(),
            Self::Damage(why) => {
                JournalError::Damaged { dir: state.path().to_owned(), damage: Damage::Database { why } }
            }
        }
    }
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread is about to become an error, so that nobody need hear of it.
#[must_use]
pub fn panics_are_caught() -> bool {
    GUARDED.get()
}

/// sled asserts much of what it reads: on some damage it panics where it should give an error. Nothing of a database
/// that panicked is used again, so nothing half-changed is seen.
fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, StoreTrouble> {
    let before = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    result.map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        StoreTrouble::Damage(
            said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given").to_owned(),
        )
    })
}

/// sled's threads can hold its own lock for a moment after a database is closed. The state directory's lock is ours
/// already, so nobody else can be the holder.
fn open_patiently<T>(open: impl Fn() -> sled::Result<T>) -> sled::Result<T> {
    for _ in 0..400 {
        match open() {
            Err(sled::Error::Io(error)) if error.to_string().contains("could not acquire lock") => {
                thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
    open()
}
