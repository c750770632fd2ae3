//! The rows of a source, waiting for their accounts.
//!
//! A row takes a fixed number of bytes whatever its cells hold. An account that finds its row and is equal leaves
//! nothing behind but a mark in the row; any other leaves its position, so that it can be read again.

mod settle;

use std::collections::{HashMap, HashSet};

use hashbrown::HashTable;

use super::facts::{RowFacts, account_digest};
use super::verdict::{Added, FoundBy, RowFlags};
use crate::model::{Account, AttrSet, Digest, KeyHash, MatchRule, Place, Schema};

/// Every row of the source, and what the accounts that streamed past had to do with it.
pub struct RowIndex {
    rules: Vec<MatchRule>,
    rows: Vec<IndexedRow>,
    /// `rules.len()` keys for each row, in the order of the rows.
    keys: Vec<KeyHash>,
    by_identity: HashTable<u32>,
    by_link: HashTable<u32>,
    by_key: Vec<HashTable<u32>>,
    /// A row that is left out had a key in common with others, which may have it for themselves now.
    freed: bool,
    /// The distinct sets of attributes that digests cover: one for each pattern of blank cells.
    masks: Vec<AttrSet>,
    mask_ids: HashMap<AttrSet, u16>,
    /// Rows with more than one candidate; all candidates of such a row are here.
    several: HashMap<u32, Vec<MatchCandidate>>,
    /// Accounts that are a candidate for more than one row.
    contested: HashSet<u64>,
    /// Accounts that no row means.
    unclaimed: Vec<u64>,
    scratch: Vec<u8>,
}

/// The mask of rows whose pattern of blank cells came when `masks` was full: no digest settles them.
const UNLISTED: u16 = u16::MAX;
/// No key, no link.
const NONE: KeyHash = KeyHash([0, 0]);
const DROPPED: u8 = 1;
const PROTECTED: u8 = 2;
const UNSETTLED: u8 = 4;
const SAME_KEY: u8 = 8;
/// The row has exactly one candidate, in its slot.
const ONE: u8 = 16;
/// The row's candidates are in `several`.
const MANY: u8 = 32;

struct IndexedRow {
    identity: KeyHash,
    link: KeyHash,
    digest: Digest,
    place: Place,
    slot: MatchCandidate,
    /// The other row's index, where the row is dropped or shares a key.
    other: u32,
    mask: u16,
    flags: u8,
    /// What the row has in common with the other: a bit as in [`MatchCandidate::rules`].
    shared: u8,
}

/// An account that a row may mean.
#[derive(Clone, Copy, Debug, PartialEq)]
struct MatchCandidate {
    account: u64,
    /// Bit 0 for the link, bit n + 1 for rule n.
    rules: u8,
    equal: bool,
}

impl RowIndex {
    /// # Panics
    /// With more than seven rules: the rules that found an account are kept as the bits of a byte. The configuration
    /// is checked for that.
    #[must_use]
    pub fn new(rules: Vec<MatchRule>) -> Self {
        assert!(rules.len() <= 7, "at most seven match rules");
        Self {
            by_key: rules.iter().map(|_| HashTable::new()).collect(),
            rules,
            rows: Vec::new(),
            keys: Vec::new(),
            by_identity: HashTable::new(),
            by_link: HashTable::new(),
            freed: false,
            masks: Vec::new(),
            mask_ids: HashMap::new(),
            several: HashMap::new(),
            contested: HashSet::new(),
            unclaimed: Vec::new(),
            scratch: Vec::new(),
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row, with the hash of the account id that its identity was linked to, where one is remembered.
    ///
    /// # Panics
    /// Beyond 2^32 rows, which no export has.
    pub fn add(&mut self, facts: &RowFacts, place: Place, link: Option<KeyHash>, flags: RowFlags) -> Added {
        let at = u32::try_from(self.rows.len()).unwrap_or_else(|_| panic!("more than 2^32 rows"));
        let mask = self.mask_id(facts.mask);
        let mut added = Added::New;
        if let Some(row) = find(&self.by_identity, &self.rows, facts.identity, |row| row.identity) {
            added = Added::SameIdentity { row, place: self.rows[row as usize].place };
        }
        self.rows.push(IndexedRow {
            identity: facts.identity,
            link: link.unwrap_or(NONE),
            digest: facts.digest,
            place,
            slot: MatchCandidate { account: 0, rules: 0, equal: false },
            other: 0,
            mask,
            flags: if flags.protected { PROTECTED } else { 0 } | if flags.unsettled { UNSETTLED } else { 0 },
            shared: 0,
        });
        self.keys.extend((0..self.rules.len()).map(|rule| facts.keys.get(rule).copied().flatten().unwrap_or(NONE)));
        if added == Added::New {
            added = self.enter_row(at);
        }
        added
    }

    fn mask_id(&mut self, mask: AttrSet) -> u16 {
        if let Some(known) = self.mask_ids.get(&mask) {
            return *known;
        }
        let id = u16::try_from(self.masks.len()).unwrap_or(UNLISTED);
        if id != UNLISTED {
            self.masks.push(mask);
            self.mask_ids.insert(mask, id);
        }
        id
    }

    /// The row of the two that `Added::SameIdentity` named is to be left out; the other one counts. Leaving out an
    /// earlier row enters the later one in its place.
    pub fn drop_row(&mut self, dropped: u32, counts: u32) -> Added {
        let row = &mut self.rows[dropped as usize];
        row.flags |= DROPPED;
        row.other = counts;
        if counts < dropped {
            return Added::New;
        }
        let row = &self.rows[dropped as usize];
        self.freed |= row.flags & SAME_KEY != 0;
        remove(&mut self.by_identity, dropped, row.identity);
        remove(&mut self.by_link, dropped, row.link);
        for (rule, table) in self.by_key.iter_mut().enumerate() {
            remove(table, dropped, self.keys[dropped as usize * self.rules.len() + rule]);
        }
        self.enter_row(counts)
    }

    /// Puts a row into the tables, where accounts find it.
    fn enter_row(&mut self, at: u32) -> Added {
        let mut added = Added::New;
        let row = &self.rows[at as usize];
        let (identity, link) = (row.identity, row.link);
        self.by_identity.insert_unique(spread_hash(identity), at, |row| spread_hash(self.rows[*row as usize].identity));
        if link != NONE {
            if let Some(other) = find(&self.by_link, &self.rows, link, |row| row.link) {
                added = self.mark_shared(at, other, 0);
            } else {
                self.by_link.insert_unique(spread_hash(link), at, |row| spread_hash(self.rows[*row as usize].link));
            }
        }
        let stride = self.rules.len();
        for rule in 0..stride {
            let key_of = |row: u32| self.keys[row as usize * stride + rule];
            let key = key_of(at);
            if key == NONE {
                continue;
            }
            if let Some(other) = self.by_key[rule].find(spread_hash(key), |row| key_of(*row) == key).copied() {
                added = self.mark_shared(at, other, rule + 1);
            } else {
                let keys = &self.keys;
                let hash = |row: &u32| spread_hash(keys[*row as usize * stride + rule]);
                self.by_key[rule].insert_unique(spread_hash(key), at, hash);
            }
        }
        added
    }

    /// Marks two rows as having the same key under the rule of this bit (0 is the link).
    fn mark_shared(&mut self, at: u32, other: u32, bit: usize) -> Added {
        for (row, other) in [(at, other), (other, at)] {
            let row = &mut self.rows[row as usize];
            row.flags |= SAME_KEY;
            row.other = other;
            row.shared = 1 << bit;
        }
        Added::SameKey { row: other, place: self.rows[other as usize].place, by: found_by(bit) }
    }

    /// Enters every row that counts anew, as if those that are left out had never been there.
    fn enter_anew(&mut self) {
        self.freed = false;
        self.by_identity.clear();
        self.by_link.clear();
        self.by_key.iter_mut().for_each(HashTable::clear);
        for row in &mut self.rows {
            row.flags &= !SAME_KEY;
            row.shared = 0;
        }
        for at in (0u32..).take(self.rows.len()) {
            if self.rows[at as usize].flags & DROPPED == 0 {
                self.enter_row(at);
            }
        }
    }

    /// Shows an account to the rows. `at` is where the caller can read it again; it is unique among accounts.
    pub fn observe_account(&mut self, schema: &Schema, account: &Account, at: u64) {
        if self.freed {
            self.enter_anew();
        }
        let mut candidates: [(u32, u8); 8] = [(0, 0); 8];
        let mut count = 0;
        let mut note = |row: Option<u32>, bit: u8| {
            let Some(row) = row else { return };
            if let Some(known) = candidates[..count].iter_mut().find(|(known, _)| *known == row) {
                known.1 |= bit;
            } else {
                candidates[count] = (row, bit);
                count += 1;
            }
        };
        if !self.by_link.is_empty() {
            note(find(&self.by_link, &self.rows, KeyHash::of_text(account.id.as_str()), |row| row.link), 1);
        }
        let stride = self.rules.len();
        for (rule, table) in self.by_key.iter().enumerate() {
            let key = self.rules[rule].key(schema, |id| account.values.get(id), &mut self.scratch);
            if let Some(key) = key {
                let row = table.find(spread_hash(key), |row| self.keys[*row as usize * stride + rule] == key).copied();
                note(row, 2 << rule);
            }
        }
        if count == 0 {
            self.unclaimed.push(at);
            return;
        }
        if count > 1 {
            self.contested.insert(at);
        }
        for (row_at, rules) in &candidates[..count] {
            let row = &mut self.rows[*row_at as usize];
            let mask = self.masks.get(usize::from(row.mask));
            let equal =
                mask.is_some_and(|mask| account_digest(schema, account, *mask, &mut self.scratch) == row.digest);
            let candidate = MatchCandidate { account: at, rules: *rules, equal };
            if row.flags & MANY != 0 {
                self.several.entry(*row_at).or_default().push(candidate);
            } else if row.flags & ONE != 0 {
                row.flags = row.flags & !ONE | MANY;
                self.several.insert(*row_at, vec![row.slot, candidate]);
            } else {
                row.flags |= ONE;
                row.slot = candidate;
            }
        }
    }

    /// The accounts that were shown are shown anew, and others than these may come.
    pub fn forget_accounts(&mut self) {
        for row in &mut self.rows {
            row.flags &= !(ONE | MANY);
            row.slot = MatchCandidate { account: 0, rules: 0, equal: false };
        }
        self.several.clear();
        self.contested.clear();
        self.unclaimed.clear();
    }
}

/// The meaning of a bit of [`MatchCandidate::rules`].
fn found_by(bit: usize) -> FoundBy {
    bit.checked_sub(1).map_or(FoundBy::Link, FoundBy::Rule)
}

/// A key is a hash already.
fn spread_hash(key: KeyHash) -> u64 {
    key.0[0]
}

fn find(
    table: &HashTable<u32>,
    rows: &[IndexedRow],
    key: KeyHash,
    key_of: impl Fn(&IndexedRow) -> KeyHash,
) -> Option<u32> {
    table.find(spread_hash(key), |at| key_of(&rows[*at as usize]) == key).copied()
}

fn remove(table: &mut HashTable<u32>, row: u32, key: KeyHash) {
    if let Ok(entry) = table.find_entry(spread_hash(key), |at| *at == row) {
        entry.remove();
    }
}

#[cfg(test)]
mod tests;
