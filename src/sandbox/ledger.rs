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
pub enum LedgerOperation {
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
pub struct LedgerEffect {
    /// Counts from 1 without a gap.
    pub n: u64,
    pub at: Timestamp,
    pub op: LedgerOperation,
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
    pub effects: Vec<LedgerEffect>,
}

impl Ledger {
    /// The effects of one kind, in order.
    pub fn effects_of(&self, op: LedgerOperation) -> impl Iterator<Item = &LedgerEffect> {
        self.effects.iter().filter(move |effect| effect.op == op)
    }

    #[must_use]
    pub fn count_effects(&self, op: LedgerOperation) -> usize {
        self.effects_of(op).count()
    }

    /// Logins that were created again while they were there, without regard to case: people who were doubled.
    #[must_use]
    pub fn doubled_logins(&self) -> Vec<String> {
        let mut there = HashSet::new();
        let mut doubled = BTreeSet::new();
        for effect in &self.effects {
            let login = effect.login_id.to_lowercase();
            match effect.op {
                LedgerOperation::Create => {
                    if let Some(login) = there.replace(login) {
                        doubled.insert(login);
                    }
                }
                LedgerOperation::Delete | LedgerOperation::OutsideRemove => {
                    there.remove(&login);
                }
                LedgerOperation::Update | LedgerOperation::OutsideCreate | LedgerOperation::OutsideUpdate => {}
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
pub(super) struct LedgerBook {
    effects: Vec<LedgerEffect>,
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

impl LedgerBook {
    pub(super) fn new(effects: Vec<LedgerEffect>, file: Option<File>) -> Self {
        Self { effects, keeping: file.map_or(Keeping::Memory, Keeping::File) }
    }

    /// How many effects there are.
    pub(super) fn len(&self) -> u64 {
        self.effects.len() as u64
    }

    /// Records an effect that is about to happen. One `write` call a line: the operating system has all of it or none
    /// when the process is killed.
    pub(super) fn append_effect(&mut self, effect: &LedgerEffect) -> Result<(), Unrecorded> {
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

    pub(super) fn close_book(&mut self) {
        if let Keeping::File(file) = &self.keeping {
            // Closing is not enough: a child process that is being started holds a copy of the file for a moment, and the
            // lock with it. Where this fails, the lock ends with that copy.
            let _ = file.unlock();
        }
        self.keeping = Keeping::Shut;
    }

    pub(super) fn copy_ledger(&self) -> Ledger {
        Ledger { effects: self.effects.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(n: u64, op: LedgerOperation, login: &str) -> LedgerEffect {
        LedgerEffect {
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
            effect(1, LedgerOperation::Create, "ana"),
            effect(2, LedgerOperation::Create, "ben"),
            effect(3, LedgerOperation::Update, "ben"),
            effect(4, LedgerOperation::Create, "ANA"),
        ];
        assert_eq!(Ledger { effects }.doubled_logins(), ["ana"]);
    }

    #[test]
    fn a_login_created_again_after_it_was_deleted_is_not_doubled() {
        let effects = vec![
            effect(1, LedgerOperation::Create, "ana"),
            effect(2, LedgerOperation::Delete, "ana"),
            effect(3, LedgerOperation::Create, "ana"),
        ];
        assert!(Ledger { effects }.doubled_logins().is_empty());
    }

    #[test]
    fn nothing_is_recorded_once_the_book_is_shut() {
        let mut book = LedgerBook::new(Vec::new(), None);
        assert!(book.append_effect(&effect(1, LedgerOperation::Create, "ana")).is_ok());
        book.close_book();
        assert!(matches!(book.append_effect(&effect(2, LedgerOperation::Create, "ben")), Err(Unrecorded::Shut)));
        assert_eq!(book.copy_ledger().effects.len(), 1);
    }
}
