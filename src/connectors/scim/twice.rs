//! The pages of a listing that are read twice, to see whether the list stood still between.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;

use crate::model::{Account, KeyHash};

/// One page in so many is read twice, beside the first and the last.
pub(super) const SPACING: u64 = 50;

/// Requests that this takes, of a listing of so many pages.
pub(super) fn requests(pages: u64) -> u64 {
    if pages < 2 { 0 } else { 2 + (pages - 1) / SPACING }
}

/// Pages by their first place.
#[derive(Debug, Default)]
pub(super) struct Twice {
    kept: BTreeMap<u64, Kept>,
    under_way: BTreeSet<u64>,
    /// They were asked for, or need not be.
    over: bool,
}

#[derive(Debug)]
struct Kept {
    count: u64,
    ids: HashSet<KeyHash>,
}

impl Twice {
    /// Notes whom a page shows that is to be read once more.
    pub fn keep(&mut self, start: u64, count: u64, records: &[Option<Account>]) {
        if !records.is_empty() {
            let ids = records.iter().flatten().map(|account| KeyHash::of_text(account.id.as_str())).collect();
            self.kept.insert(start, Kept { count, ids });
        }
    }

    /// The pages to ask for once more, by place and size; none when that was done.
    pub fn begin(&mut self) -> Vec<(u64, u64)> {
        if std::mem::replace(&mut self.over, true) {
            return Vec::new();
        }
        self.under_way = self.kept.keys().copied().collect();
        self.kept.iter().map(|(start, kept)| (*start, kept.count)).collect()
    }

    /// It is known already that the list did not stand still.
    pub fn spare(&mut self) {
        self.over = true;
    }

    /// Whether the answer from this place on is of a page that is read once more.
    pub fn is_of(&mut self, start: u64) -> bool {
        self.under_way.remove(&start)
    }

    /// Whether the page from this place on is being read once more.
    pub fn has_asked(&self, start: u64) -> bool {
        self.under_way.contains(&start)
    }

    /// Whether a page still shows everybody whom it showed, and what else it shows.
    pub fn compare(&mut self, start: u64, records: Vec<Option<Account>>) -> (bool, Vec<Option<Account>>) {
        let mut ids = self.kept.remove(&start).map(|kept| kept.ids).unwrap_or_default();
        let mut is_known = |account: &Account| ids.remove(&KeyHash::of_text(account.id.as_str()));
        let others = records.into_iter().filter(|record| !record.as_ref().is_some_and(&mut is_known)).collect();
        (ids.is_empty(), others)
    }
}
