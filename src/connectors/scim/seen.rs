//! Who was shown so far: an id that is shown twice, or a name that is shown with two ids, says that the list shifted.

use hashbrown::HashSet;

use super::schema::USER_NAME;
use crate::model::{Account, KeyHash, Value};

/// The accounts of one reading, by hash.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: HashSet<KeyHash>,
    /// The names to sign in with, as they are written.
    names: HashSet<KeyHash>,
    repeated: u64,
    renumbered: u64,
    /// Records that are no account.
    unreadable: u64,
}

/// Whether every record of a page was a new account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AllNew {
    Yes,
    No,
}

impl Seen {
    /// Accounts shown so far.
    pub fn accounts(&self) -> u64 {
        self.ids.len() as u64
    }

    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// So many of those that were shown twice had to be, as the server overlaps its pages.
    pub fn forgive(&mut self, repeated: u64) {
        self.repeated -= repeated;
    }

    /// Whether it shows that the list did not stand still.
    pub fn shifted(&self) -> bool {
        self.repeated > 0 || self.renumbered > 0
    }

    /// The same as people say it.
    pub fn shifts(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.repeated > 0 {
            notes.push(format!(
                "{} accounts were shown twice: the list shifted while it was read, so others may have been missed",
                self.repeated
            ));
        }
        if self.renumbered > 0 {
            notes.push(format!(
                "{} names were shown with two ids: ids changed while the list was read, so others may have been missed",
                self.renumbered
            ));
        }
        notes
    }

    /// Takes the records of a page; returns the accounts that were not shown before.
    pub fn take(&mut self, records: Vec<Option<Account>>) -> (Vec<Account>, AllNew) {
        let mut accounts = Vec::with_capacity(records.len());
        let mut all = AllNew::Yes;
        for record in records {
            let Some(account) = record else {
                self.unreadable += 1;
                all = AllNew::No;
                continue;
            };
            if !self.ids.insert(KeyHash::of_text(account.id.as_str())) {
                self.repeated += 1;
                all = AllNew::No;
                continue;
            }
            let name = account.values.get(USER_NAME).and_then(Value::as_str).filter(|name| !name.is_empty());
            if name.is_some_and(|name| !self.names.insert(KeyHash::of_text(name))) {
                self.renumbered += 1;
                all = AllNew::No;
            }
            accounts.push(account);
        }
        (accounts, all)
    }
}
