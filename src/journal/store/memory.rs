//! What is kept beside runs: the link from a person's identity to an account, since when an account has had no row, the
//! fingerprints of what was last written to write-only attributes, the shape of the last good source.
//!
//! These are remembered, not relied upon: each value carries a checksum, and one that does not fit is as good as none,
//! and said. All of it belongs to one scope (a tenant of a system), because account ids of one tenant name other people
//! in another.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::codec::{Bytes, put_number, put_text, put_time};
use super::{Journal, JournalError};
use crate::model::AccountId;

/// The memory of one tenant of one system; see [`Journal::memory`].
#[derive(Clone, Debug)]
pub struct Memory {
    pub(super) journal: Journal,
    pub(super) scope: [u8; SCOPE],
}

/// Something to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The person of this `source.identity` has this account.
    Link { identity: String, account: AccountId },
    /// Nothing more is known of this identity: neither link nor fingerprints.
    Forget { identity: String },
    /// What was last written to the person's write-only attributes: all of them, by name.
    Fingerprint { identity: String, attributes: Vec<(String, u64)> },
    /// The account has had no row, for so many runs in a row.
    Absence { account: AccountId, first_seen_absent: Timestamp, runs: u32 },
    /// The account has a row (again).
    Present { account: AccountId },
    /// The source as it was when it was last good.
    Shape(SourceShape),
}

/// Since when an account has had no row, and for how many runs in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RememberedAbsence {
    pub since: Timestamp,
    pub runs: u32,
}

/// What a good source looked like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceShape {
    pub columns: Vec<String>,
    pub rows: u64,
    /// Whether every file ended with a line break; none where a version of the program that did not look wrote it.
    pub terminated: Option<bool>,
    pub at: Timestamp,
}

/// A key, and its new value; none removes it.
pub(super) type Put = (Vec<u8>, Option<Vec<u8>>);

/// Notes are written in groups of so many.
const GROUP: usize = 1_000;

pub(super) const SCOPE: usize = 8;
const CHECK: usize = 8;
const VERSION: u8 = 1;

#[derive(Clone, Copy)]
#[repr(u8)]
enum NoteKind {
    Absence = b'a',
    Fingerprint = b'f',
    Link = b'l',
    Shape = b's',
}

impl Memory {
    /// The account last seen to belong to this identity.
    #[must_use]
    pub fn link_of(&self, identity: &str) -> Option<AccountId> {
        self.get(NoteKind::Link, identity, |bytes| bytes.read_text().map(AccountId))
    }

    /// What was last written to the person's write-only attributes, by name.
    #[must_use]
    pub fn fingerprints_of(&self, identity: &str) -> Vec<(String, u64)> {
        self.get(NoteKind::Fingerprint, identity, |bytes| {
            let count = bytes.read_number()?;
            (0..count).map(|_| Ok((bytes.read_text()?, bytes.read_number()?))).collect()
        })
        .unwrap_or_default()
    }

    /// Since when the account has had no row.
    #[must_use]
    pub fn absence_of(&self, account: &AccountId) -> Option<RememberedAbsence> {
        self.get(NoteKind::Absence, account.as_str(), read_absence)
    }

    /// Every account that has had no row.
    pub fn all_absences(&self) -> impl Iterator<Item = (AccountId, RememberedAbsence)> + use<> {
        let prefix = self.note_key(NoteKind::Absence, "");
        let start = prefix.len();
        self.journal.place.notes_under(prefix).filter_map(move |(key, value)| {
            let account = std::str::from_utf8(&key[start..]).ok()?.to_owned();
            Some((AccountId(account), open(&key, &value, read_absence)?))
        })
    }

    /// The shape of the last good source.
    #[must_use]
    pub fn source_shape(&self) -> Option<SourceShape> {
        self.get(NoteKind::Shape, "", |bytes| {
            let (at, rows, columns) = (bytes.read_time()?, bytes.read_number()?, bytes.read_texts()?);
            let terminated = match bytes.0 {
                [] => None,
                _ => Some(bytes.read_byte()? == 1),
            };
            Ok(SourceShape { columns, rows, terminated, at })
        })
    }

    /// Writes the notes in their order, a thousand a group, by the thread that writes the journal. They are durable
    /// when it returns; until then a crash leaves some beginning of them.
    ///
    /// # Errors
    /// [`JournalError::Failed`]; the journal takes no more then.
    pub async fn remember_notes(&self, notes: Vec<Note>) -> Result<(), JournalError> {
        let groups = notes.len().div_ceil(GROUP);
        let mut notes = notes.into_iter();
        for group in 1..=groups {
            let puts = notes.by_ref().take(GROUP).flat_map(|note| self.note_puts(note)).collect();
            self.journal.place.put_notes(puts, group == groups).await?;
        }
        Ok(())
    }

    fn note_puts(&self, note: Note) -> Vec<Put> {
        match note {
            Note::Link { identity, account } => {
                vec![self.note_put(NoteKind::Link, &identity, |out| put_text(out, account.as_str()))]
            }
            Note::Forget { identity } => {
                vec![
                    (self.note_key(NoteKind::Link, &identity), None),
                    (self.note_key(NoteKind::Fingerprint, &identity), None),
                ]
            }
            Note::Fingerprint { identity, attributes } => {
                vec![self.note_put(NoteKind::Fingerprint, &identity, |out| {
                    put_number(out, attributes.len() as u64);
                    for (name, print) in &attributes {
                        put_text(out, name);
                        put_number(out, *print);
                    }
                })]
            }
            Note::Absence { account, first_seen_absent, runs } => {
                vec![self.note_put(NoteKind::Absence, account.as_str(), |out| {
                    put_time(out, first_seen_absent);
                    put_number(out, u64::from(runs));
                })]
            }
            Note::Present { account } => vec![(self.note_key(NoteKind::Absence, account.as_str()), None)],
            Note::Shape(shape) => vec![self.note_put(NoteKind::Shape, "", |out| {
                put_time(out, shape.at);
                put_number(out, shape.rows);
                put_number(out, shape.columns.len() as u64);
                for column in &shape.columns {
                    put_text(out, column);
                }
                out.extend(shape.terminated.map(u8::from));
            })],
        }
    }

    fn note_put(&self, kind: NoteKind, name: &str, write: impl FnOnce(&mut Vec<u8>)) -> Put {
        let key = self.note_key(kind, name);
        let mut value = vec![0; CHECK];
        value.push(VERSION);
        write(&mut value);
        let check = check(&key, &value[CHECK..]);
        value[..CHECK].copy_from_slice(&check);
        (key, Some(value))
    }

    fn get<T>(&self, kind: NoteKind, name: &str, read: impl FnOnce(&mut Bytes<'_>) -> Result<T, String>) -> Option<T> {
        let key = self.note_key(kind, name);
        let value = self.journal.place.note(&key)?;
        open(&key, &value, read)
    }

    fn note_key(&self, kind: NoteKind, name: &str) -> Vec<u8> {
        let mut key = Vec::with_capacity(1 + SCOPE + name.len());
        key.push(kind as u8);
        key.extend(self.scope);
        key.extend(name.as_bytes());
        key
    }
}

fn read_absence(bytes: &mut Bytes<'_>) -> Result<RememberedAbsence, String> {
    let since = bytes.read_time()?;
    let runs = u32::try_from(bytes.read_number()?).map_err(|_| "more runs than can be counted".to_owned())?;
    Ok(RememberedAbsence { since, runs })
}

/// The value, where its checksum fits and it can be read.
fn open<T>(key: &[u8], value: &[u8], read: impl FnOnce(&mut Bytes<'_>) -> Result<T, String>) -> Option<T> {
    let read = || {
        let (stored, rest) = value.split_first_chunk::<CHECK>().ok_or("it is cut short")?;
        if check(key, rest) != *stored {
            return Err("its checksum does not fit".to_owned());
        }
        let mut bytes = Bytes(rest);
        match bytes.read_byte()? {
            VERSION => read(&mut bytes),
            version => Err(format!("its form is version {version}, and this program knows {VERSION}")),
        }
    };
    read()
        .inspect_err(|why| {
            let name = String::from_utf8_lossy(key.get(1 + SCOPE..).unwrap_or_default());
            tracing::warn!(kind = %char::from(key.first().copied().unwrap_or(b'?')), %name, why, "a remembered value is left out of account");
        })
        .ok()
}

/// The key is part of it, so that a value under another's key does not fit.
fn check(key: &[u8], rest: &[u8]) -> [u8; CHECK] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_be_bytes()).update(key).update(rest);
    let mut check = [0; CHECK];
    check.copy_from_slice(&hasher.finalize().as_bytes()[..CHECK]);
    check
}

/// Eight bytes that stand for the scope in keys.
pub(super) fn scope_prefix(name: &str) -> [u8; SCOPE] {
    let mut scope = [0; SCOPE];
    scope.copy_from_slice(&blake3::hash(name.as_bytes()).as_bytes()[..SCOPE]);
    scope
}

/// Notes in memory, for the twin.
pub(super) type NoteReader = BTreeMap<Vec<u8>, Vec<u8>>;
