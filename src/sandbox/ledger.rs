//! Every effect on a tenant, in order: what tests judge by, and what the state is rebuilt from after a crash.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::Write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What an effect did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    Create,
    Update,
    Delete,
    /// By somebody else than the client, while it was looking: what `shift_list` does.
    OutsideCreate,
    OutsideUpdate,
    OutsideRemove,
}

/// One effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Counts from 1 without a gap.
    pub n: u64,
    pub at: Timestamp,
    pub op: Op,
    /// The account's id.
    pub id: String,
    /// The account's login, as the account has it: `login_id`, `loginId` or `userName`.
    pub login_id: String,
    /// What was sent, but for the password.
    pub fields: Map<String, Value>,
    /// [`password_hash`] of the password that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The transaction id of the request.
    pub trxid: String,
    /// Whether the server meant to say so: `false` where a fault withholds the answer or puts another in its place.
    pub answered: bool,
}

/// A copy of all effects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    pub effects: Vec<Effect>,
}

impl Ledger {
    /// The effects of one kind, in order.
    pub fn of(&self, op: Op) -> impl Iterator<Item = &Effect> {
        self.effects.iter().filter(move |effect| effect.op == op)
    }

    #[must_use]
    pub fn count(&self, op: Op) -> usize {
        self.of(op).count()
    }

    /// Logins that were created again while they were there, without regard to case: people who were doubled.
    #[must_use]
    pub fn doubled(&self) -> Vec<String> {
        let mut there = HashSet::new();
        let mut doubled = BTreeSet::new();
        for effect in &self.effects {
            let login = effect.login_id.to_lowercase();
            match effect.op {
                Op::Create => {
                    if let Some(login) = there.replace(login) {
                        doubled.insert(login);
                    }
                }
                Op::Delete | Op::OutsideRemove => {
                    there.remove(&login);
                }
                Op::Update | Op::OutsideCreate | Op::OutsideUpdate => {}
            }
        }
        doubled.into_iter().collect()
    }
}

/// How a password stands in a ledger and in a state file: BLAKE3, in hexadecimal.
#[must_use]
pub fn password_hash(password: &str) -> String {
    blake3::hash(password.as_bytes()).to_hex().to_string()
}

/// The ledger that is being written.
pub(super) struct Book {
    effects: Vec<Effect>,
    keeping: Keeping,
}

enum Keeping {
    Memory,
    File(File),
    /// The sandbox is gone; nothing may take effect any more.
    Shut,
}

/// Why an effect could not be recorded; it must not happen then.
pub(super) enum Unrecorded {
    Shut,
    Failed,
}

impl Book {
    pub(super) fn new(effects: Vec<Effect>, file: Option<File>) -> Self {
        Self { effects, keeping: file.map_or(Keeping::Memory, Keeping::File) }
    }

    /// How many effects there are.
    pub(super) fn len(&self) -> u64 {
        self.effects.len() as u64
    }

    /// Records an effect that is about to happen. One `write` call a line: the operating system has all of it or none
    /// when the process is killed.
    pub(super) fn append(&mut self, effect: &Effect) -> Result<(), Unrecorded> {
        match &mut self.keeping {
            Keeping::Memory => {}
            Keeping::Shut => return Err(Unrecorded::Shut),
            Keeping::File(file) => {
                let mut line = serde_json::to_vec(effect).map_err(|_| Unrecorded::Failed)?;
                line.push(b'\n');
                if file.write_all(&line).is_err() {
                    // Half a line may stand there now; a line after it would be lost with it.
                    self.keeping = Keeping::Shut;
                    return Err(Unrecorded::Failed);
                }
            }
        }
        self.effects.push(effect.clone());
        Ok(())
    }

    pub(super) fn shut(&mut self) {
        if let Keeping::File(file) = &self.keeping {
            // Closing is not enough: a child process that is being started holds a copy of the file for a moment, and the
            // lock with it. Where this fails, the lock ends with that copy.
            let _ = file.unlock();
        }
        self.keeping = Keeping::Shut;
    }

    pub(super) fn snapshot(&self) -> Ledger {
        Ledger { effects: self.effects.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(n: u64, op: Op, login: &str) -> Effect {
        Effect {
            n,
            at: Timestamp::UNIX_EPOCH,
            op,
            id: n.to_string(),
            login_id: login.into(),
            fields: Map::new(),
            password: None,
            trxid: "t".into(),
            answered: true,
        }
    }

    #[test]
    fn a_login_created_twice_is_doubled_whatever_its_case() {
        let effects = vec![
            effect(1, Op::Create, "ana"),
            effect(2, Op::Create, "ben"),
            effect(3, Op::Update, "ben"),
            effect(4, Op::Create, "ANA"),
        ];
        assert_eq!(Ledger { effects }.doubled(), ["ana"]);
    }

    #[test]
    fn a_login_created_again_after_it_was_deleted_is_not_doubled() {
        let effects = vec![effect(1, Op::Create, "ana"), effect(2, Op::Delete, "ana"), effect(3, Op::Create, "ana")];
        assert!(Ledger { effects }.doubled().is_empty());
    }

    #[test]
    fn nothing_is_recorded_once_the_book_is_shut() {
        let mut book = Book::new(Vec::new(), None);
        assert!(book.append(&effect(1, Op::Create, "ana")).is_ok());
        book.shut();
        assert!(matches!(book.append(&effect(2, Op::Create, "ben")), Err(Unrecorded::Shut)));
        assert_eq!(book.snapshot().effects.len(), 1);
    }
}
