//! People who are looked at more closely while a plan is made. The plan is the same whether anybody watches or not: what
//! is written down here is what the planner found out anyway.

use std::collections::{HashMap, HashSet};

use crate::model::{Account, AccountId, Desired, Place};
use crate::reconcile::{Comparison, RowVerdict, Settlement};

/// Who is watched, and what was seen of them. The default watches nobody.
#[derive(Default)]
pub(super) struct WatchedPeople {
    rows: HashSet<Place>,
    accounts: HashSet<AccountId>,
    /// Where the watched accounts stand in the listing.
    at: HashMap<u64, Account>,
    /// Those of them that no row claims.
    alone: HashSet<AccountId>,
    pub seen: Vec<WatchedRow>,
}

/// What the planner knew of one row.
pub(super) struct WatchedRow {
    pub settlement: Settlement,
    pub desired: Desired,
    /// The account that was found, or those that nobody could choose between.
    pub accounts: Vec<Account>,
    /// None where it did not come to comparing.
    pub comparison: Option<Comparison>,
}

impl WatchedPeople {
    pub fn new(rows: impl IntoIterator<Item = Place>, accounts: impl IntoIterator<Item = AccountId>) -> Self {
        Self { rows: rows.into_iter().collect(), accounts: accounts.into_iter().collect(), ..Self::default() }
    }

    pub fn note_account(&mut self, account: &Account, at: u64) {
        if self.accounts.contains(&account.id) {
            self.at.insert(at, account.clone());
        }
    }

    /// The watched accounts that the listing has.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.at.values()
    }

    /// Which accounts no row claims, once every account was seen.
    pub fn note_unclaimed(&mut self, positions: &[u64]) {
        let alone = positions.iter().filter_map(|at| Some(self.at.get(at)?.id.clone()));
        self.alone.extend(alone);
    }

    pub fn is_alone(&self, account: &AccountId) -> bool {
        self.alone.contains(account)
    }

    /// Whether a row is watched, or has to do with an account that is.
    pub fn is_watched(&self, settlement: &Settlement) -> bool {
        self.rows.contains(&settlement.place)
            || (!self.at.is_empty() && settlement.verdict.found_accounts().iter().any(|at| self.at.contains_key(at)))
    }

    pub fn note_row(
        &mut self,
        settlement: Settlement,
        desired: Desired,
        accounts: Vec<Account>,
        comparison: Option<Comparison>,
    ) {
        self.seen.push(WatchedRow { settlement, desired, accounts, comparison });
    }
}

impl WatchedRow {
    /// Whether another row of the same person counts.
    pub fn is_dropped(&self) -> bool {
        matches!(self.settlement.verdict, RowVerdict::Dropped { .. })
    }
}
