//! Accounts in the order in which they are listed, each found by its key at once.

use std::collections::HashMap;

pub(super) struct Roster<T> {
    accounts: Vec<(String, T)>,
    /// Where each key stands; the first of several.
    by_key: HashMap<String, usize>,
}

impl<T> Roster<T> {
    pub(super) fn with_capacity(count: usize) -> Self {
        Self { accounts: Vec::with_capacity(count), by_key: HashMap::with_capacity(count) }
    }

    pub(super) fn push(&mut self, key: String, account: T) {
        self.by_key.entry(key.clone()).or_insert(self.accounts.len());
        self.accounts.push((key, account));
    }

    /// Moves the last account in front of all others.
    pub(super) fn last_to_front(&mut self) {
        self.accounts.rotate_right(1);
        self.rebuild_index();
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<T> {
        let at = *self.by_key.get(key)?;
        let (_, account) = self.accounts.remove(at);
        self.rebuild_index();
        Some(account)
    }

    /// Turns the order round.
    pub(super) fn reverse_order(&mut self) {
        self.accounts.reverse();
        self.rebuild_index();
    }

    pub(super) fn get(&self, key: &str) -> Option<&T> {
        self.by_key.get(key).map(|at| &self.accounts[*at].1)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        self.by_key.get(key).map(|at| &mut self.accounts[*at].1)
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    pub(super) fn len(&self) -> usize {
        self.accounts.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.accounts.iter().map(|(_, account)| account)
    }

    pub(super) fn last_account(&self) -> Option<&T> {
        self.accounts.last().map(|(_, account)| account)
    }

    fn rebuild_index(&mut self) {
        self.by_key.clear();
        for (at, (key, _)) in self.accounts.iter().enumerate() {
            self.by_key.entry(key.clone()).or_insert(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_finds_its_account_wherever_that_has_moved() {
        let mut roster = Roster::with_capacity(3);
        for key in ["a", "b", "c"] {
            roster.push(key.to_owned(), key);
        }
        roster.last_to_front();
        assert_eq!(roster.iter().copied().collect::<String>(), "cab");
        assert_eq!(roster.remove("a"), Some("a"));
        roster.reverse_order();
        assert_eq!((roster.get("b"), roster.get("c"), roster.get("a")), (Some(&"b"), Some(&"c"), None));
        assert_eq!(roster.iter().copied().collect::<String>(), "bc");
    }

    #[test]
    fn of_two_accounts_with_one_key_the_first_is_found() {
        let mut roster = Roster::with_capacity(2);
        roster.push("a".to_owned(), 1);
        roster.push("a".to_owned(), 2);
        assert_eq!(roster.remove("a"), Some(1));
        assert_eq!(roster.get("a"), Some(&2));
    }
}
