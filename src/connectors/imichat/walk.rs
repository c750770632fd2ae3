//! A listing under way: what a page proves, and whether in the end every account was shown. No I/O; the requests are made
//! by `list`, in the order of `route`.
//!
//! A listing is complete when no account was shown twice, the number of pages stood still, and the pages that are read
//! once more still have everybody whom they had. That is a proof unless, while it was read, accounts were removed *and*
//! others came in between, and between no two pages that are read twice: see [`Walk::finish`].

use std::collections::HashMap;

use hashbrown::HashSet;

use super::PAGE_SIZE;
use super::decode::Links;
use super::route::{FIRST, Route, Sign};
use super::schema::at;
use crate::connectors::again::Chance;
use crate::model::{Account, AccountId, KeyHash, Value};

/// What asking for a page brought.
#[derive(Debug)]
pub(super) enum PageRead {
    Page {
        records: Vec<Option<Account>>,
        links: Links,
    },
    /// The server says that there is nothing of that number.
    Past,
}

/// A listing under way.
#[derive(Debug)]
pub(super) struct Walk {
    route: Route,
    chance: Chance,
    seen: Seen,
    /// Whom the pages showed that are read once more.
    kept: HashMap<u64, Vec<KeyHash>>,
    repeated: u64,
    unreadable: u64,
    /// How it shows that the list did not stand still.
    shifts: Vec<String>,
    /// Why the listing is not complete and would not be, however often it were read.
    flaws: Vec<String>,
}

/// The ids of the accounts that were shown. Most are plain numbers, which need no hash to be kept small.
#[derive(Debug, Default)]
struct Seen {
    numbers: HashSet<u64>,
    others: HashSet<KeyHash>,
}

impl Seen {
    fn first_time(&mut self, id: &AccountId) -> bool {
        let text = id.as_str();
        match text.parse() {
            // "007" is another account than "7".
            Ok(number) if text == "0" || !text.starts_with(['0', '+']) => self.numbers.insert(number),
            _ => self.others.insert(KeyHash::of_text(text)),
        }
    }
}

impl Walk {
    pub fn new(chance: Chance) -> Self {
        Self {
            route: Route::new(),
            chance,
            seen: Seen::default(),
            kept: HashMap::new(),
            repeated: 0,
            unreadable: 0,
            shifts: Vec::new(),
            flaws: Vec::new(),
        }
    }

    /// The next page to ask for, if one can be asked for now.
    pub fn step(&mut self) -> Option<u64> {
        if self.gives_up() { None } else { self.route.step() }
    }

    /// How many pages there are, where the server says.
    pub fn announced(&self) -> Option<u64> {
        self.route.announced()
    }

    /// Whether the server left it to the reader to find the last page.
    pub fn searched(&self) -> bool {
        self.route.searched()
    }

    /// Whether it is known that this reading proves nothing, and another may. Nothing more is asked for then.
    pub fn gives_up(&self) -> bool {
        let shifted = self.repeated > 0 || !self.shifts.is_empty();
        self.chance == Chance::Another && shifted && self.unreadable == 0 && self.flaws.is_empty()
    }

    /// Takes what a page brought; returns the accounts that were not shown before.
    pub fn read(&mut self, page: u64, read: PageRead) -> Vec<Account> {
        let (records, links) = match read {
            PageRead::Page { records, links } => (records, links),
            PageRead::Past => (Vec::new(), Links::default()),
        };
        let shown = records.len();
        let checking = self.route.is_checking(page);
        for sign in self.route.answered(page, shown, links) {
            match sign {
                Sign::Shifted(text) => self.shift(text),
                Sign::Endless(text) => {
                    self.route.doubt();
                    self.flaws.push(text);
                }
            }
        }
        if checking {
            return self.check(page, records);
        }
        if self.route.keeps(page) {
            self.kept.insert(page, ids(&records).collect());
        }
        let accounts = self.first_seen(records);
        // A short page may show nobody new because the list became shorter; one beyond the last says more.
        let is_telling = shown >= PAGE_SIZE || self.route.announced().is_some_and(|pages| page > pages);
        if shown > 0 && accounts.is_empty() && is_telling && page > FIRST && self.unreadable == 0 {
            self.route.stop_at(FIRST);
            self.shift(format!(
                "page {page} shows only accounts that earlier pages showed: the server seems to ignore the page number"
            ));
        }
        accounts
    }

    /// Whether every account was shown, and why not.
    ///
    /// Whoever was there all the time and is not shown stood on a page that was read while somebody else had their
    /// place. Where nobody was removed, there would be fewer places than accounts, so somebody is shown twice or the
    /// pages become more while none of their content moves. Where nobody came, the last page, which is read before the
    /// others and after them, has lost somebody. Where both happened and they who came stand at an end of the list, the
    /// first or the last page has moved. What is left is that accounts went and as many others came in their
    /// neighbourhood, with no page between them that is read twice.
    pub fn finish(self) -> (bool, Vec<String>) {
        let mut notes = self.shifts;
        if self.repeated > 0 {
            notes.push(format!(
                "{} accounts were shown twice: the list shifted while it was read, so others may have been missed",
                self.repeated
            ));
        }
        notes.extend(self.flaws);
        if self.unreadable > 0 {
            notes.push(format!("{} records are no users with an id and a login and were left out", self.unreadable));
        }
        (notes.is_empty(), notes)
    }

    /// A page that is read once more has everybody whom it had; others may have come behind them.
    fn check(&mut self, page: u64, records: Vec<Option<Account>>) -> Vec<Account> {
        let kept = self.kept.remove(&page).unwrap_or_default();
        let now: HashSet<KeyHash> = ids(&records).collect();
        if kept.iter().any(|id| !now.contains(id)) {
            self.shift(format!(
                "page {page} does not show everybody whom it showed before: the list shifted while it was read, so \
                 accounts may have been missed"
            ));
        }
        let kept: HashSet<KeyHash> = kept.into_iter().collect();
        let others = records.into_iter().filter(|record| match record {
            Some(account) => !kept.contains(&KeyHash::of_text(account.id.as_str())),
            // Those that could not be read the first time are counted already.
            None => self.unreadable == 0,
        });
        let others = others.collect();
        self.first_seen(others)
    }

    fn first_seen(&mut self, records: Vec<Option<Account>>) -> Vec<Account> {
        let mut accounts = Vec::with_capacity(records.len());
        let before = (self.repeated, self.unreadable);
        for record in records {
            match record {
                None => self.unreadable += 1,
                // Nobody could be found by it, so everybody would look new.
                Some(account) if account.values.get(at::LOGIN_ID).is_none_or(Value::is_blank) => self.unreadable += 1,
                Some(account) if self.seen.first_time(&account.id) => accounts.push(account),
                Some(_) => self.repeated += 1,
            }
        }
        if before != (self.repeated, self.unreadable) {
            self.route.doubt();
        }
        accounts
    }

    /// Each sign is said once, however many pages show it.
    fn shift(&mut self, text: String) {
        self.route.doubt();
        if !self.shifts.contains(&text) {
            self.shifts.push(text);
        }
    }
}

fn ids(records: &[Option<Account>]) -> impl Iterator<Item = KeyHash> {
    records.iter().flatten().map(|account| KeyHash::of_text(account.id.as_str()))
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "shift_tests.rs"]
mod shift_tests;
