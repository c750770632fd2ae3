//! The head of the chain, in a file of its own: what was durable once is known to be missing when it is.
//!
//! The file has two slots in two blocks of 4 KiB, each with a checksum; a write goes to the slot that does not hold the
//! newest head, so a write that is cut short leaves the head before it. One fdatasync makes it durable. Why
//! not a new file and a rename: see the module above, with numbers.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::codec::{Chain, GENESIS, half_hash};
use crate::files::disk::{DiskOp, may};
use crate::files::{FileError, write_new};
use crate::testing::failpoints::{self, Failpoint};

/// The last byte says in which form the journal is: a later version of the program that changes it counts on.
const MAGIC: [u8; 8] = *b"hcanchr1";
/// The form that this program knows.
pub const FORM: u8 = MAGIC[7];
const BLOCK: u64 = 4096;
const SLOT: usize = 8 + 8 + 16 + 16;

/// The newest record, by number and chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub seq: u64,
    pub chain: Chain,
}

/// Before the first record.
pub const BEGINNING: Head = Head { seq: 0, chain: GENESIS };

/// What an anchor file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundAnchor {
    Head(Head),
    /// Neither slot can be read.
    Garbage,
    /// It was written in a form of that mark, which this program does not know.
    Form(u8),
}

impl FoundAnchor {
    #[must_use]
    pub fn head(self) -> Option<Head> {
        match self {
            Self::Head(head) => Some(head),
            Self::Garbage | Self::Form(_) => None,
        }
    }
}

/// The open anchor file.
#[derive(Debug)]
pub struct Anchor {
    pub path: PathBuf,
    pub file: File,
    slot: u64,
}

impl Anchor {
    /// Makes the file, durably.
    ///
    /// # Errors
    /// It is there already, or the disk's.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let mut contents = vec![0; 2 * BLOCK as usize];
        contents[..SLOT].copy_from_slice(&encode_slot(BEGINNING));
        write_new(path, 0o600, &contents)?;
        let file = open(path).map_err(FileError::at_path(path, "cannot be opened"))?;
        Ok(Self { path: path.to_owned(), file, slot: 1 })
    }

    /// Opens the file; none where there is none.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(path: &Path) -> Result<Option<(Self, FoundAnchor)>, FileError> {
        let mut file = match open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::at_path(path, "cannot be opened")(error)),
        };
        let mut read = |slot| -> io::Result<FoundAnchor> {
            let mut bytes = Vec::with_capacity(SLOT);
            file.seek(SeekFrom::Start(slot * BLOCK))?;
            (&mut file).take(SLOT as u64).read_to_end(&mut bytes)?;
            Ok(decode_slots(&bytes))
        };
        let failed = FileError::at_path(path, "cannot be read");
        let (first, second) = (read(0).map_err(&failed)?, read(1).map_err(&failed)?);
        let (one, two) = (first.head(), second.head());
        let (head, slot) = if two.map(|h| h.seq) > one.map(|h| h.seq) { (two, 0) } else { (one, 1) };
        let found = match (head, first, second) {
            // One slot of another form is enough: its program writes them in turn.
            (_, FoundAnchor::Form(form), _) | (_, _, FoundAnchor::Form(form)) => FoundAnchor::Form(form),
            (Some(head), ..) => FoundAnchor::Head(head),
            (None, ..) => FoundAnchor::Garbage,
        };
        Ok(Some((Self { path: path.to_owned(), file, slot }, found)))
    }

    /// Makes the head durable.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&mut self, head: Head) -> io::Result<()> {
        may(DiskOp::Write, &self.path)?;
        self.file.seek(SeekFrom::Start(self.slot * BLOCK))?;
        self.file.write_all(&encode_slot(head))?;
        failpoints::reach(Failpoint::AnchorWritten);
        may(DiskOp::Sync, &self.path)?;
        self.file.sync_data()?;
        self.slot ^= 1;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

fn encode_slot(head: Head) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..16].copy_from_slice(&head.seq.to_be_bytes());
    bytes[16..32].copy_from_slice(&head.chain);
    let check = half_hash(&blake3::hash(&bytes[..32]));
    bytes[32..].copy_from_slice(&check);
    bytes
}

fn decode_slots(bytes: &[u8]) -> FoundAnchor {
    let Some(head) = slot_head(bytes) else { return FoundAnchor::Garbage };
    let expected = encode_slot(head);
    let (prefix, mark) = (&MAGIC[..7], bytes[7]);
    if expected == bytes {
        FoundAnchor::Head(head)
    } else if bytes.starts_with(prefix) && mark.is_ascii_alphanumeric() && mark != FORM && !differs_in_mark(bytes) {
        FoundAnchor::Form(mark)
    } else {
        FoundAnchor::Garbage
    }
}

fn slot_head(bytes: &[u8]) -> Option<Head> {
    Some(Head {
        seq: u64::from_be_bytes(bytes.get(8..16)?.try_into().ok()?),
        chain: bytes.get(16..32)?.try_into().ok()?,
    })
}

/// Whether it is a slot of this form in all but its mark: then the mark is what is wrong with it.
fn differs_in_mark(bytes: &[u8]) -> bool {
    let mut mended = bytes.to_vec();
    mended[7] = FORM;
    slot_head(&mended).is_some_and(|head| encode_slot(head) == mended.as_slice())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn head(seq: u64) -> Head {
        Head { seq, chain: [seq as u8; 16] }
    }

    fn reopen(path: &Path) -> Option<Head> {
        Anchor::open(path).unwrap().unwrap().1.head()
    }

    #[test]
    fn the_newest_head_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("anchor");
        assert!(Anchor::open(&path).unwrap().is_none());
        let mut anchor = Anchor::create(&path).unwrap();
        assert_eq!(reopen(&path), Some(BEGINNING));
        for seq in 1..6 {
            anchor.write(head(seq)).unwrap();
            assert_eq!(reopen(&path), Some(head(seq)));
        }
        let (mut anchor, _) = Anchor::open(&path).unwrap().unwrap();
        anchor.write(head(6)).unwrap();
        assert_eq!(reopen(&path), Some(head(6)));
        assert!(Anchor::create(&path).is_err(), "an anchor is never replaced by a fresh one");
    }

    #[test]
    fn a_write_that_is_cut_short_leaves_the_head_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("anchor");
        let mut anchor = Anchor::create(&path).unwrap();
        anchor.write(head(1)).unwrap();
        let before = fs::read(&path).unwrap();
        anchor.write(head(2)).unwrap();
        let after = fs::read(&path).unwrap();
        let changed: Vec<usize> = (0..after.len()).filter(|at| before[*at] != after[*at]).collect();
        for cut in &changed {
            let mut torn = after.clone();
            torn[*cut..].copy_from_slice(&before[*cut..]);
            fs::write(&path, torn).unwrap();
            assert_eq!(reopen(&path), Some(head(1)), "cut at {cut}");
        }
    }

    #[test]
    fn a_file_of_garbage_has_no_head() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("anchor");
        for garbage in [vec![], vec![0; 8192], vec![7; 100]] {
            fs::write(&path, garbage).unwrap();
            assert_eq!(reopen(&path), None);
        }
    }

    #[test]
    fn another_form_is_known_by_its_mark_and_a_flipped_mark_is_no_other_form() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("anchor");
        let found = || Anchor::open(&path).unwrap().unwrap().1;
        let mut anchor = Anchor::create(&path).unwrap();
        anchor.write(head(1)).unwrap();
        let ours = fs::read(&path).unwrap();
        for (mark, slot) in [(b'0', 0), (b'2', 0), (b'2', BLOCK as usize)] {
            let mut other = ours.clone();
            other[slot + 7] = mark;
            fs::write(&path, &other).unwrap();
            assert!(found().head().is_some(), "the other slot counts");
            // What another form holds behind its mark is its own affair.
            other[slot + 40] ^= 0xFF;
            fs::write(&path, &other).unwrap();
            assert_eq!(found(), FoundAnchor::Form(mark));
        }
    }
}
