//! Where a listing goes and where it ends: what to ask for next, what a page proves, and whether in the end every
//! account was shown. No I/O; the requests are made by `list`.
//!
//! The first page says how many accounts there are and how many the server puts on a page, whatever it was asked for.
//! The last page is asked for next and alone, the others then side by side. What is missing on a page is asked for again.
//! At the end the first page, the last and every [`SPACING`]th one are read once more; where the server does not say how many
//! accounts there are, every page is.
//!
//! A listing is complete when every page announces as many accounts as were shown, none was shown twice, and the pages
//! that are read once more still have everybody whom they had. That is a proof unless, while it was read, accounts were
//! removed *and* as many others came in between, and between no two pages that are read twice. With cursors nothing is
//! read twice: that each account is shown is then the server's word, and the numbers must agree with it.

use std::collections::VecDeque;

pub(super) use super::page::Page;
use super::seen::{AllNew, Seen};
use super::twice::{SPACING, Twice};
use crate::connectors::again::Chance;
use crate::model::Account;

/// No tenant has this many pages; a listing that goes on is a listing without an end.
const MOST_PAGES: u64 = 1_000_000;
/// Pages without accounts that a chain of cursors may have in a row.
const MOST_EMPTY: u32 = 100;

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// From 1.
    Index { start: u64, count: u64 },
    /// None for the first page.
    Cursor { cursor: Option<String>, count: u64 },
}

/// What asking brought.
#[derive(Debug)]
pub(super) enum PageRead {
    Page(Page),
    /// The page would be too large for the server.
    TooMany,
}

/// A listing under way.
#[derive(Debug)]
pub(super) struct Walk {
    chance: Chance,
    /// Asked for before anything else.
    queue: VecDeque<Ask>,
    /// Where the last page begins, and whether it was answered; nothing else is asked for before.
    last: Option<(u64, Answered)>,
    twice: Twice,
    /// Pages with accounts.
    filled: u64,
    asked: u64,
    under_way: u64,
    stopped: bool,
    /// How many accounts there are, as the first page says.
    total: Option<u64>,
    /// The next place to ask for and the size of a page, once the pages can be asked for side by side.
    rest: Option<(u64, u64)>,
    /// Accounts on the first page.
    step: u64,
    /// Up to here pages have shown everybody, because they had more than they were asked for.
    covered: u64,
    empty: u32,
    seen: Seen,
    /// How it shows that the list did not stand still.
    shifts: Vec<String>,
    /// Why the listing is not complete and would not be, however often it were read.
    flaws: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    Yes,
    NotYet,
}

impl Walk {
    pub fn new(page_size: u64, cursors: bool, chance: Chance) -> Self {
        let count = page_size;
        let first = if cursors { Ask::Cursor { cursor: None, count } } else { Ask::Index { start: 1, count } };
        Self {
            chance,
            queue: VecDeque::from([first]),
            last: None,
            twice: Twice::default(),
            filled: 0,
            asked: 0,
            under_way: 0,
            stopped: false,
            total: None,
            rest: None,
            step: 0,
            covered: 0,
            empty: 0,
            seen: Seen::default(),
            shifts: Vec::new(),
            flaws: Vec::new(),
        }
    }

    /// What to ask for next, if anything can be asked for now.
    pub fn step(&mut self) -> Option<Ask> {
        if self.stopped || self.gives_up() {
            return None;
        }
        if self.asked >= MOST_PAGES {
            self.stopped = true;
            self.flaws.push(format!("the listing does not end after {MOST_PAGES} pages"));
            return None;
        }
        let ask = match self.queue.pop_front() {
            Some(ask) => ask,
            None if matches!(self.last, Some((_, Answered::NotYet))) => return None,
            None => match self.in_turn() {
                Some(ask) => ask,
                None if self.under_way > 0 => return None,
                None => {
                    self.read_again();
                    self.queue.pop_front()?
                }
            },
        };
        self.asked += 1;
        self.under_way += 1;
        Some(ask)
    }

    /// The next of the pages that can be asked for side by side.
    fn in_turn(&mut self) -> Option<Ask> {
        let total = self.total?;
        let last = self.last.map(|(start, _)| start);
        let (next, step) = self.rest.as_mut()?;
        if Some(*next) == last {
            *next = next.saturating_add(*step);
        }
        if *next > total {
            return None;
        }
        let ask = Ask::Index { start: *next, count: *step };
        *next = next.saturating_add(*step);
        Some(ask)
    }

    /// Everything was asked for and has come: whether the list stood still is left to be seen.
    fn read_again(&mut self) {
        // One page alone, which says that it is all, is what it was at one moment.
        if self.filled > 1 || self.total.is_none() && self.asked > 1 {
            let pages = self.twice.begin().into_iter();
            self.queue.extend(pages.map(|(start, count)| Ask::Index { start, count }));
        }
    }

    /// Whether it is known that this reading proves nothing, and another may. Nothing more is asked for then.
    pub fn gives_up(&self) -> bool {
        let shifted = self.seen.shifted() || !self.shifts.is_empty();
        self.chance == Chance::Another && shifted && self.seen.unreadable() == 0 && self.flaws.is_empty()
    }

    /// How many pages there are, where the server says how many accounts there are.
    pub fn announced(&self) -> Option<u64> {
        (self.step > 0).then(|| self.total.map(|total| total.div_ceil(self.step).max(1))).flatten()
    }

    /// Accounts shown so far, and how many of them a page has.
    pub fn shown(&self) -> (u64, u64) {
        (self.seen.accounts(), self.step)
    }

    /// Takes what was brought; returns the accounts that were not shown before.
    pub fn read(&mut self, ask: Ask, read: PageRead) -> Vec<Account> {
        self.under_way -= 1;
        let first = self.asked == 1;
        let page = match read {
            PageRead::Page(page) => page,
            PageRead::TooMany => {
                self.take_less(ask);
                return Vec::new();
            }
        };
        let shown = page.records.len() as u64;
        if let Ask::Index { start, .. } = ask
            && let Some((_, answered)) = self.last.as_mut().filter(|(last, _)| *last == start)
        {
            *answered = Answered::Yes;
        }
        if first {
            (self.total, self.step) = (page.total, shown);
        } else if let (Some(before), Some(now)) = (self.total, page.total)
            && before != now
        {
            self.shift(format!(
                "the number of accounts changed from {before} while they were listed, so some may have been missed"
            ));
        }
        if let Ask::Index { start, .. } = ask
            && self.twice.is_of(start)
        {
            return self.check(start, page.records);
        }
        self.filled += u64::from(shown > 0);
        self.keep(&ask, &page.records);
        let before = self.seen.repeated();
        let accounts = self.first_seen(page.records);
        let overlap = self.overlap(&ask, shown);
        self.seen.forgive(overlap.min(self.seen.repeated() - before));
        if !first && shown > 0 && self.seen.repeated() - before == shown {
            self.stopped = true;
            self.shift(
                "a page shows only accounts that earlier pages showed: the server seems to ignore which page it is asked for"
                    .to_owned(),
            );
            return accounts;
        }
        match ask {
            Ask::Cursor { cursor, count } => self.follow(first, cursor, count, shown, page.next),
            Ask::Index { start, count } if first => self.spread(start, count, shown, page.per_page),
            Ask::Index { start, count } => self.fill(start, count, shown, page.per_page),
        }
        accounts
    }

    /// How many accounts of a page others may have shown without anything being wrong: a server that puts more on a
    /// page than it was asked for shows what other pages were asked for.
    fn overlap(&mut self, ask: &Ask, shown: u64) -> u64 {
        let Ask::Index { start, count } = *ask else { return 0 };
        if start < self.covered {
            return shown;
        }
        if shown <= count {
            return 0;
        }
        self.covered = start.saturating_add(shown);
        if let Some((next, _)) = &mut self.rest {
            *next = (*next).max(self.covered);
        }
        shown - count
    }

    /// Whether every account was shown, and why not.
    pub fn finish(self) -> (bool, Vec<String>) {
        let mut notes = self.shifts;
        notes.extend(self.seen.shifts());
        notes.extend(self.flaws);
        if self.seen.unreadable() > 0 {
            notes.push(format!("{} records are no users with an id and were left out", self.seen.unreadable()));
        }
        let shown = self.seen.accounts() + self.seen.unreadable();
        if let Some(total) = self.total.filter(|total| *total != shown) {
            notes.push(format!("the server announces {total} accounts and shows {shown}"));
        }
        (notes.is_empty(), notes)
    }

    /// Notes whom a page shows that is to be read once more.
    fn keep(&mut self, ask: &Ask, records: &[Option<Account>]) {
        let Ask::Index { start, count } = *ask else { return };
        let in_turn = self.total.is_none()
            || start == 1
            || self.last.is_some_and(|(last, _)| last == start)
            || (start - 1).is_multiple_of(self.step.max(1))
                && ((start - 1) / self.step.max(1) + 1).is_multiple_of(SPACING);
        if in_turn {
            self.twice.keep(start, count, records);
        }
    }

    /// A page that is read once more has everybody whom it had.
    fn check(&mut self, start: u64, records: Vec<Option<Account>>) -> Vec<Account> {
        let (still_all, mut others) = self.twice.compare(start, records);
        // Those that could not be read the first time are counted already.
        others.retain(|record| record.is_some() || self.seen.unreadable() == 0);
        if !still_all {
            self.shift(format!(
                "the page from account {start} on does not show everybody whom it showed before: the list shifted while \
                 it was read, so accounts may have been missed"
            ));
        }
        self.first_seen(others)
    }

    /// After a page that a cursor brought.
    fn follow(&mut self, first: bool, cursor: Option<String>, count: u64, shown: u64, next: Option<String>) {
        match next {
            Some(next) if Some(&next) == cursor.as_ref() => {
                self.stop("a cursor leads to itself, so the listing does not go on".to_owned());
            }
            Some(next) => {
                self.empty = if shown == 0 { self.empty + 1 } else { 0 };
                if self.empty > MOST_EMPTY {
                    return self.stop(format!("more than {MOST_EMPTY} pages in a row show nobody"));
                }
                self.queue.push_back(Ask::Cursor { cursor: Some(next), count });
            }
            // Cursors are announced, but this was a page like any other.
            None if first => self.spread(1, count, shown, None),
            None => {}
        }
    }

    /// After the first page: how the others are asked for.
    fn spread(&mut self, start: u64, count: u64, shown: u64, per_page: Option<u64>) {
        match self.total {
            _ if shown == 0 => {}
            Some(total) if total > shown => {
                self.rest = Some((start.saturating_add(shown), shown));
                let last = start + (total - start) / shown * shown;
                self.last = Some((last, Answered::NotYet));
                self.queue.push_back(Ask::Index { start: last, count: shown });
            }
            // Some servers announce what the page has and not what there is; only one page more can tell.
            Some(_) if shown >= count => self.queue.push_back(Ask::Index { start: start.saturating_add(shown), count }),
            Some(_) => {}
            None => self.go_on(start, count, shown, per_page),
        }
    }

    /// After another page: what is missing on it.
    fn fill(&mut self, start: u64, count: u64, shown: u64, per_page: Option<u64>) {
        match (self.total, self.rest) {
            (Some(total), Some(_)) => {
                let expected = count.min(total.saturating_add(1).saturating_sub(start));
                if shown > 0 && shown < expected {
                    self.queue.push_back(Ask::Index { start: start.saturating_add(shown), count: expected - shown });
                }
            }
            _ => self.go_on(start, count, shown, per_page),
        }
    }

    /// Without a number of accounts to believe, one page leads to the next until one is empty.
    fn go_on(&mut self, start: u64, count: u64, shown: u64, per_page: Option<u64>) {
        if shown > 0 && per_page.is_none_or(|per_page| shown >= per_page) {
            self.queue.push_back(Ask::Index { start: start.saturating_add(shown), count });
        }
    }

    fn take_less(&mut self, ask: Ask) {
        let half = |count: u64| count.div_ceil(2);
        let less = match ask {
            Ask::Index { start, count } if count > 1 => Ask::Index { start, count: half(count) },
            Ask::Cursor { cursor: None, count } if count > 1 => Ask::Cursor { cursor: None, count: half(count) },
            _ => return self.stop("the server finds the smallest page too large".to_owned()),
        };
        if self.asked == 1 {
            // Still the first page.
            self.asked = 0;
        }
        // Of the pages that are asked for side by side nobody else asks for what this one leaves out. One that is read
        // once more was not too large the first time: then it is not the page that it was.
        if let (Ask::Index { start, count }, Ask::Index { count: half, .. }) = (&ask, &less)
            && self.rest.is_some()
            && !self.twice.has_asked(*start)
        {
            self.queue.push_front(Ask::Index { start: start.saturating_add(*half), count: count - half });
        }
        self.queue.push_front(less);
    }

    fn first_seen(&mut self, records: Vec<Option<Account>>) -> Vec<Account> {
        let (accounts, all) = self.seen.take(records);
        // Where something is wrong already, no page has to be read once more to know it.
        if all == AllNew::No {
            self.twice.spare();
        }
        accounts
    }

    fn stop(&mut self, why: String) {
        self.stopped = true;
        if !self.flaws.contains(&why) {
            self.flaws.push(why);
        }
    }

    /// Each sign is said once, however many pages show it. No page has to be read once more to know it.
    fn shift(&mut self, text: String) {
        self.twice.spare();
        if !self.shifts.contains(&text) {
            self.shifts.push(text);
        }
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "shift_tests.rs"]
mod shift_tests;
