//! Where a listing goes and where it ends: which page to ask for next, what a page proves, and whether in the end every
//! account was shown. No I/O; the requests are made by `list`.
//!
//! The end is where the server's links say so; without links at a short page, an empty page, or one that the server
//! does not find. Only a listing without any sign that it shifted while it was read is complete.

use hashbrown::HashSet;

use super::PAGE_SIZE;
use super::decode::Links;
use super::schema::at;
use crate::model::{Account, AccountId, KeyHash, Value};

/// The number of the first page.
pub(super) const FIRST: u64 = 1;
/// No tenant has this many pages; a server that says so, or never ends, is wrong.
const MOST_PAGES: u64 = 1_000_000;

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
    next: u64,
    under_way: u64,
    /// How many pages there are, as the server said last.
    announced: Option<u64>,
    /// A page beyond those announced that a link leads to all the same.
    linked: u64,
    /// The last page that is worth asking for, once that is certain.
    end: Option<u64>,
    /// Without an announcement one page leads to the next.
    continues: bool,
    seen: Seen,
    repeated: u64,
    unreadable: u64,
    /// Why the listing is not complete.
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
    pub fn new() -> Self {
        Self {
            next: FIRST,
            under_way: 0,
            announced: None,
            linked: 0,
            end: None,
            continues: true,
            seen: Seen::default(),
            repeated: 0,
            unreadable: 0,
            flaws: Vec::new(),
        }
    }

    /// The next page to ask for, if one can be asked for now.
    pub fn step(&mut self) -> Option<u64> {
        let wanted = match (self.end, self.announced) {
            (Some(end), _) => self.next <= end,
            (None, Some(pages)) => self.next <= pages.max(self.linked),
            (None, None) => self.continues && self.under_way == 0,
        };
        if !wanted {
            return None;
        }
        if self.next > MOST_PAGES {
            self.flaws.push(format!("the listing does not end after {MOST_PAGES} pages"));
            self.end = Some(MOST_PAGES);
            return None;
        }
        let page = self.next;
        self.next += 1;
        self.under_way += 1;
        Some(page)
    }

    /// How many pages there are, where the server says.
    pub fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// Takes what a page brought; returns the accounts that were not shown before.
    pub fn read(&mut self, page: u64, read: PageRead) -> Vec<Account> {
        self.under_way -= 1;
        let (records, links) = match read {
            PageRead::Page { records, links } => (records, links),
            PageRead::Past => (Vec::new(), Links::default()),
        };
        self.heed(page, links);
        if records.is_empty() {
            self.nothing_on(page);
            return Vec::new();
        }
        let shown = records.len();
        let accounts = self.first_seen(records);
        self.advance(page, shown, links);
        if accounts.is_empty() && shown >= PAGE_SIZE && page > 1 && self.unreadable == 0 {
            self.stop_at(page);
            self.flaw(format!(
                "page {page} shows only accounts that earlier pages showed: the server seems to ignore the page number"
            ));
        }
        accounts
    }

    /// Whether every account was shown, and why not.
    pub fn finish(mut self) -> (bool, Vec<String>) {
        if self.repeated > 0 {
            self.flaws.push(format!(
                "{} accounts were shown twice: the list shifted while it was read, so others may have been missed",
                self.repeated
            ));
        }
        if self.unreadable > 0 {
            self.flaws
                .push(format!("{} records are no users with an id and a login and were left out", self.unreadable));
        }
        (self.flaws.is_empty(), self.flaws)
    }

    /// What the links of a page say of the number of pages.
    fn heed(&mut self, page: u64, links: Links) {
        // No pages at all is what an empty listing says of itself; its first page is read all the same.
        let Some(pages) = links.pages.filter(|pages| *pages > 0) else { return };
        match self.announced {
            Some(before) if pages < before => {
                self.flaw(format!(
                    "the list shrank from {before} to {pages} pages while it was read, so accounts may have been missed"
                ));
                self.announced = Some(pages.max(page));
            }
            _ => self.announced = Some(pages),
        }
    }

    /// A page without records is past the end.
    fn nothing_on(&mut self, page: u64) {
        if page > 1 && self.announced.is_some_and(|pages| page <= pages) {
            self.flaw("the list has fewer pages than the server said, so accounts may have been missed".to_owned());
        }
        self.stop_at(page - 1);
    }

    /// A page with records leads on, or is the last.
    fn advance(&mut self, page: u64, shown: usize, links: Links) {
        match (self.announced, links.next) {
            // The links contradict each other; asking for one page too many costs less than missing one.
            (Some(pages), Some(true)) if page >= pages => self.linked = page + 1,
            (Some(_), _) => {}
            (None, Some(true)) => {}
            (None, Some(false)) => self.continues = false,
            (None, None) => self.continues = shown >= PAGE_SIZE,
        }
    }

    fn first_seen(&mut self, records: Vec<Option<Account>>) -> Vec<Account> {
        let mut accounts = Vec::with_capacity(records.len());
        for record in records {
            match record {
                None => self.unreadable += 1,
                // Nobody could be found by it, so everybody would look new.
                Some(account) if account.values.get(at::LOGIN_ID).is_none_or(Value::is_blank) => self.unreadable += 1,
                Some(account) if self.seen.first_time(&account.id) => accounts.push(account),
                Some(_) => self.repeated += 1,
            }
        }
        accounts
    }

    fn stop_at(&mut self, page: u64) {
        self.end = Some(self.end.map_or(page, |end| end.min(page)));
    }

    /// Each flaw is said once, however many pages show it.
    fn flaw(&mut self, text: String) {
        if !self.flaws.contains(&text) {
            self.flaws.push(text);
        }
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
