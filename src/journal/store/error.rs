//! What can go wrong with the journal. Each names the file and, where there is one, the record.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::files::FileError;
use crate::journal::state::Illegal;

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process works with the state directory.
    #[error("another run holds {}{}", dir.display(), holder.map(|h| format!(" ({h})")).unwrap_or_default())]
    Locked { dir: PathBuf, holder: Option<Holder> },
    /// A file of the journal cannot be made, read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The journal does not hold what was once durable in it. Nothing may be sent on its word; a full reconcile is
    /// always safe once it is moved aside.
    #[error("the journal in {} is damaged: {damage}", dir.display())]
    Damaged { dir: PathBuf, damage: Damage },
    /// Another version of the program wrote the journal, in a form that this one does not know.
    #[error("the journal in {} has format {found}, but this program reads format {known}", dir.display())]
    Form { dir: PathBuf, found: char, known: char },
    /// The event may not follow what came before it; nothing was written.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// An earlier append, or this one, could not be made durable. The journal takes no more.
    #[error(transparent)]
    Failed(Arc<WriteFailure>),
    /// A record would be too large; nothing was written.
    #[error("a record of {bytes} bytes is too large for the journal, which takes {most}")]
    TooLarge { bytes: usize, most: usize },
}

/// Who holds the lock, as the lock file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    pub pid: u32,
    pub since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} since {}", self.pid, self.since)
    }
}

/// What is wrong with a journal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("record {expected} is missing (the next one is {found})")]
    Gap { expected: u64, found: u64 },
    #[error("record {seq} is not the one that was written")]
    Mismatch { seq: u64 },
    #[error("record {seq} cannot be read: {why}")]
    Undecodable { seq: u64, why: String },
    #[error("record {seq} contradicts those before it: {why}")]
    Contradiction { seq: u64, why: Illegal },
    #[error("it ends with record {head}, but record {anchored} was durable")]
    Short { head: u64, anchored: u64 },
    #[error("the anchor file is missing, and there are records up to {head}")]
    NoAnchor { head: u64 },
    #[error("the anchor file cannot be read")]
    BadAnchor,
    #[error("its beginning is not marked as it should be")]
    BadBase,
    #[error("its database cannot be read: {why}")]
    Database { why: String },
}

impl Damage {
    /// The record's number, where one is to blame.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        match self {
            Self::Gap { expected: seq, .. }
            | Self::Mismatch { seq }
            | Self::Undecodable { seq, .. }
            | Self::Contradiction { seq, .. } => Some(*seq),
            Self::Short { head, .. } => Some(head.saturating_add(1)),
            Self::NoAnchor { .. } | Self::BadAnchor | Self::BadBase | Self::Database { .. } => None,
        }
    }
}

/// The first append that could not be made durable.
#[derive(Debug, thiserror::Error)]
#[error("the journal could not be written, so nothing more is sent: {}: {step}: {reason}", file.display())]
pub struct WriteFailure {
    pub file: PathBuf,
    /// Which step failed: write, flush, sync, anchor.
    pub step: &'static str,
    pub reason: String,
    /// The disk's own word for it, where it has one.
    pub kind: Option<io::ErrorKind>,
}
