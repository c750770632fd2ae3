//! A listing in pages: what a page proves, and whether in the end every account was shown. No I/O: the requests are made
//! by `stream`, in the order of `order`.
//!
//! A listing is complete when no account was shown twice, the announced numbers of pages and accounts stood still and
//! agree with what was shown, and the pages that are read once more still have everybody whom they had. That is a proof
//! unless, while the list was read, accounts were removed *and* others came in between, and between no two pages that
//! are read twice: see [`PageWalk::finish_reading`]. With cursors nothing is read twice: that each account is shown is then the
//! server's word, and the numbers must agree with it.

use std::collections::HashMap;

use hashbrown::HashSet;

use super::order::{PageFacts, PageOrder, PageRequest, PageRole, Paging, Sign};
use super::readings::Chance;
use super::seen::{AccountNames, SeenAccounts};
use crate::model::{Account, KeyHash};

/// What asking for a page brought.
#[derive(Debug)]
pub enum PageAnswer {
    Page(ShownPage),
    /// The server says that there is nothing of that number.
    Past,
    /// The page would be too large for the server.
    TooLarge,
}

/// A page as the server shows it.
#[derive(Debug, Default, PartialEq)]
pub struct ShownPage {
    /// One for each record, none for a record that is no account.
    pub records: Vec<Option<Account>>,
    pub facts: PageFacts,
}

/// What a whole reading showed of the way in which the server makes its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadingFacts {
    pub accounts: u64,
    /// Records on the first page, where pages have no numbers.
    pub page_size: u64,
    /// Whether numbered pages say how many there are, where they had any occasion to.
    pub announces: Option<bool>,
}

/// A listing under way.
#[derive(Debug)]
pub struct PageWalk {
    order: PageOrder,
    chance: Chance,
    seen: SeenAccounts,
    /// Whom the pages showed that are read once more.
    kept: HashMap<u64, HashSet<KeyHash>>,
    /// How it shows that the list did not stand still.
    shifts: Vec<String>,
    /// Why the listing is not complete and would not be, however often it were read.
    flaws: Vec<String>,
}

impl PageWalk {
    pub fn new(paging: Paging, names: AccountNames, chance: Chance) -> Self {
        Self {
            order: PageOrder::new(paging),
            chance,
            seen: SeenAccounts::new(names),
            kept: HashMap::new(),
            shifts: Vec::new(),
            flaws: Vec::new(),
        }
    }

    /// The next page to ask for, if one can be asked for now.
    pub fn next_request(&mut self) -> Option<PageRequest> {
        if self.gives_up() {
            return None;
        }
        let request = self.order.next_request();
        self.take_signs();
        request
    }

    /// How many pages there are, where the server says.
    pub fn announced_pages(&self) -> Option<u64> {
        self.order.announced_pages()
    }

    pub fn reading_facts(&self) -> ReadingFacts {
        let searched = self.order.was_searched();
        let said = searched || self.order.announced_pages().is_some();
        ReadingFacts {
            accounts: self.seen.count(),
            page_size: self.order.measure_stride(),
            announces: said.then_some(!searched),
        }
    }

    /// Whether it is known that this reading proves nothing, and another may. Nothing more is asked for then.
    pub fn gives_up(&self) -> bool {
        let shifted = self.seen.has_shifted() || !self.shifts.is_empty();
        self.chance == Chance::Another && shifted && self.seen.unreadable == 0 && self.flaws.is_empty()
    }

    /// Takes what a request brought; returns the accounts that were not shown before.
    pub fn take_answer(&mut self, request: PageRequest, answer: PageAnswer) -> Vec<Account> {
        let page = match answer {
            PageAnswer::Page(page) => page,
            PageAnswer::Past => ShownPage::default(),
            PageAnswer::TooLarge => {
                self.order.ask_for_less(request);
                self.take_signs();
                return Vec::new();
            }
        };
        let shown = page.records.len() as u64;
        let role = self.order.take_answer(&request, shown, &page.facts);
        self.take_signs();
        let (kept, overlap) = match role {
            PageRole::ReadAgain(place) => return self.compare_page(place, &request, page.records),
            PageRole::ReadFirst { kept, overlap } => (kept, overlap),
        };
        if let Some(place) = kept {
            self.kept.insert(place, hashed_ids(&page.records));
        }
        let before = self.seen.repeated;
        let accounts = self.take_records(page.records);
        self.seen.repeated -= overlap.min(self.seen.repeated - before);
        let shows_nobody_new = shown > 0 && self.seen.repeated - before == shown;
        if shows_nobody_new
            && !request.is_first()
            && self.order.tells_ignored_number(&request, shown)
            && self.order.stop_order()
        {
            let ignored = match request {
                PageRequest::Number(_) => "the page number",
                PageRequest::Places { .. } | PageRequest::Cursor { .. } => "which page it is asked for",
            };
            let page = request.describe();
            self.add_shift(format!(
                "{page} shows only accounts that earlier pages showed: the server seems to ignore {ignored}"
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
    pub fn finish_reading(self) -> (bool, Vec<String>) {
        let mut notes = self.shifts;
        notes.extend(self.seen.describe_shifts());
        notes.extend(self.flaws);
        notes.extend(self.seen.describe_unreadable());
        let shown = self.seen.count() + self.seen.unreadable;
        if let Some(total) = self.order.announced_accounts().filter(|total| *total != shown) {
            notes.push(format!("the server announces {total} accounts and shows {shown}"));
        }
        (notes.is_empty(), notes)
    }

    /// A page that is read once more has everybody whom it had; others may have come behind them.
    fn compare_page(&mut self, place: u64, request: &PageRequest, records: Vec<Option<Account>>) -> Vec<Account> {
        let mut missing = self.kept.remove(&place).unwrap_or_default();
        let unreadable_before = self.seen.unreadable > 0;
        let others = records.into_iter().filter(|record| match record {
            Some(account) => !missing.remove(&KeyHash::of_text(account.id.as_str())),
            // Those that could not be read the first time are counted already.
            None => !unreadable_before,
        });
        let others = others.collect();
        if !missing.is_empty() {
            let page = request.describe();
            self.add_shift(format!(
                "{page} does not show everybody that it showed before: the list shifted while it was read, so accounts \
                 may have been missed"
            ));
        }
        self.take_records(others)
    }

    fn take_records(&mut self, records: Vec<Option<Account>>) -> Vec<Account> {
        let count = records.len();
        let renumbered = self.seen.renumbered;
        let accounts = self.seen.take_records(records);
        // Where something is wrong already, no page has to be read once more to know it.
        if accounts.len() < count || self.seen.renumbered > renumbered {
            self.order.skip_second_reading();
        }
        accounts
    }

    fn take_signs(&mut self) {
        for sign in self.order.take_signs() {
            match sign {
                Sign::Shifted(text) => self.add_shift(text),
                Sign::Endless(text) => self.flaws.push(text),
            }
        }
    }

    /// Each sign is said once, however many pages show it. No page has to be read once more to know it.
    fn add_shift(&mut self, text: String) {
        self.order.skip_second_reading();
        if !self.shifts.contains(&text) {
            self.shifts.push(text);
        }
    }
}

fn hashed_ids(records: &[Option<Account>]) -> HashSet<KeyHash> {
    records.iter().flatten().map(|account| KeyHash::of_text(account.id.as_str())).collect()
}
