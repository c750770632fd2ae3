//! Who was shown so far. An id that is shown twice, or a name that is shown with two ids, says that the list shifted.

use hashbrown::HashSet;

use crate::model::{Account, AccountId, AttrId, KeyHash, Value};

/// What the names to sign in with say of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountNames {
    /// An account without a name is left out: nobody could be found by it, so everybody would look new.
    Needed(AttrId),
    /// An account may be without one. Two accounts with one name say that ids changed.
    Unique(AttrId),
}

/// The accounts of one reading.
#[derive(Debug)]
pub struct SeenAccounts {
    names_are: AccountNames,
    /// Most ids are plain numbers, which need no hash to be kept small.
    numbers: HashSet<u64>,
    other_ids: HashSet<KeyHash>,
    names: HashSet<KeyHash>,
    pub repeated: u64,
    pub renumbered: u64,
    /// Records that are no account.
    pub unreadable: u64,
}

impl SeenAccounts {
    pub fn new(names_are: AccountNames) -> Self {
        Self {
            names_are,
            numbers: HashSet::new(),
            other_ids: HashSet::new(),
            names: HashSet::new(),
            repeated: 0,
            renumbered: 0,
            unreadable: 0,
        }
    }

    /// How many accounts were shown.
    pub fn count(&self) -> u64 {
        (self.numbers.len() + self.other_ids.len()) as u64
    }

    /// Whether it shows that the list did not stand still.
    pub fn has_shifted(&self) -> bool {
        self.repeated > 0 || self.renumbered > 0
    }

    /// What shows that the list did not stand still.
    pub fn describe_shifts(&self) -> Vec<String> {
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

    /// What was left out.
    pub fn describe_unreadable(&self) -> Option<String> {
        let needed = match self.names_are {
            AccountNames::Needed(_) => "an id and a login",
            AccountNames::Unique(_) => "an id",
        };
        let unreadable = self.unreadable;
        (unreadable > 0).then(|| format!("{unreadable} records are no users with {needed} and were left out"))
    }

    /// Takes the records of a page; returns the accounts that were not shown before.
    pub fn take_records(&mut self, records: Vec<Option<Account>>) -> Vec<Account> {
        let mut accounts = Vec::with_capacity(records.len());
        for record in records {
            match record.filter(|account| self.is_complete(account)) {
                None => self.unreadable += 1,
                Some(account) if self.is_new_id(&account.id) => {
                    self.count_name(&account);
                    accounts.push(account);
                }
                Some(_) => self.repeated += 1,
            }
        }
        accounts
    }

    /// Whether an id was not shown before. "007" is another account than "7".
    pub fn is_new_id(&mut self, id: &AccountId) -> bool {
        let text = id.as_str();
        match text.parse() {
            Ok(number) if text == "0" || !text.starts_with(['0', '+']) => self.numbers.insert(number),
            _ => self.other_ids.insert(KeyHash::of_text(text)),
        }
    }

    fn is_complete(&self, account: &Account) -> bool {
        match self.names_are {
            AccountNames::Needed(name) => account.values.get(name).is_some_and(|name| !name.is_blank()),
            AccountNames::Unique(_) => true,
        }
    }

    /// Names count as they are written.
    fn count_name(&mut self, account: &Account) {
        let AccountNames::Unique(name) = self.names_are else { return };
        let name = account.values.get(name).and_then(Value::as_str).filter(|name| !name.is_empty());
        if name.is_some_and(|name| !self.names.insert(KeyHash::of_text(name))) {
            self.renumbered += 1;
        }
    }
}
