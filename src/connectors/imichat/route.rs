//! Which page of the listing is asked for next, and which are asked for once more. It knows how many records a page had
//! and what its links said, and nothing of accounts, so that what a listing takes can be reckoned without one.
//!
//! The first page comes first and the last one second, before any other: whoever goes later leaves a gap that moves the
//! last page. Where no link says how many pages there are, the end is searched for, with doubled steps and then by
//! halves; what is read on the way is needed anyway. The rest is asked for side by side. At the end those pages are read
//! once more that show whether the list stood still: the first, the last, those that were read before the last one was
//! known, and every [`SPACING`]th.

use std::collections::BTreeSet;

use super::PAGE_SIZE;
use super::decode::Links;

/// The number of the first page.
pub(super) const FIRST: u64 = 1;
/// No tenant has this many pages; a server that says so, or never ends, is wrong.
pub(super) const MOST_PAGES: u64 = 1_000_000;
/// One page in so many is read twice, beside the first and the last.
pub(super) const SPACING: u64 = 50;

/// The way through a listing.
#[derive(Debug)]
pub(super) struct Route {
    stage: Stage,
    /// Of the pages that are read in their order.
    next: u64,
    under_way: u64,
    /// How many pages there are, as the server said last.
    announced: Option<u64>,
    /// A page beyond those announced that a link leads to all the same.
    linked: u64,
    /// The last page that is worth asking for, once that is certain.
    end: Option<u64>,
    /// Read before their turn.
    ahead: BTreeSet<u64>,
    /// Pages that were answered.
    answered: u64,
    /// To be read once more.
    again: Vec<u64>,
    /// Being read once more.
    checking: BTreeSet<u64>,
    /// Every page that is to be read once more was asked for, or none has to be.
    checked: bool,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    First,
    /// The page that is said to be the last.
    Last(u64),
    /// Pages up to `low` go on after it; there is none from `high` on.
    Search {
        low: u64,
        high: Option<u64>,
    },
    Rest,
    Again,
}

/// What a page says of the listing as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It has fewer pages than it had.
    Shifted(String),
    /// It cannot be read to its end.
    Endless(String),
}

impl Route {
    pub fn new() -> Self {
        Self {
            stage: Stage::First,
            next: FIRST,
            under_way: 0,
            announced: None,
            linked: 0,
            end: None,
            ahead: BTreeSet::new(),
            answered: 0,
            again: Vec::new(),
            checking: BTreeSet::new(),
            checked: false,
        }
    }

    /// How many pages there are, where the server says.
    pub fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// Whether the end had to be searched for.
    pub fn searched(&self) -> bool {
        self.announced.is_none() && self.ahead.len() > 1
    }

    /// The next page to ask for, if one can be asked for now.
    pub fn step(&mut self) -> Option<u64> {
        let page = loop {
            match self.stage {
                // Whatever comes next depends on the answer.
                Stage::First | Stage::Last(_) | Stage::Search { .. } if self.under_way > 0 => return None,
                Stage::First => {
                    self.next = FIRST + 1;
                    break FIRST;
                }
                Stage::Last(page) => break page,
                Stage::Search { low, high: None } => break low * 2,
                Stage::Search { low, high: Some(high) } => break low + (high - low) / 2,
                Stage::Rest => {
                    while self.ahead.contains(&self.next) {
                        self.next += 1;
                    }
                    if self.next <= self.bound() {
                        self.next += 1;
                        break self.next - 1;
                    }
                    if self.under_way > 0 || self.checked {
                        return None;
                    }
                    self.checked = true;
                    // One page alone is what it was at one moment.
                    if self.answered > 1 {
                        self.stage = Stage::Again;
                    }
                }
                Stage::Again => match self.again.pop() {
                    Some(page) => {
                        self.checking.insert(page);
                        break page;
                    }
                    None if self.under_way > 0 => return None,
                    // A list that grew has pages more.
                    None => self.stage = Stage::Rest,
                },
            }
        };
        self.under_way += 1;
        Some(page)
    }

    /// Whether this page is being read once more.
    pub fn is_checking(&self, page: u64) -> bool {
        self.checking.contains(&page)
    }

    /// Whether this page, which was read, will be read once more.
    pub fn keeps(&self, page: u64) -> bool {
        page == FIRST || page.is_multiple_of(SPACING) || self.ahead.contains(&page)
    }

    /// That the list did not stand still is known already: no page has to be read once more.
    pub fn doubt(&mut self) {
        self.checked = true;
        self.again.clear();
    }

    /// There is nothing after this page that is worth asking for.
    pub fn stop_at(&mut self, page: u64) {
        self.end = Some(self.end.map_or(page, |end| end.min(page)));
        if !matches!(self.stage, Stage::Again) {
            self.stage = Stage::Rest;
        }
    }

    /// Takes how many records a page had, and its links.
    pub fn answered(&mut self, page: u64, shown: usize, links: Links) -> Vec<Sign> {
        self.under_way -= 1;
        self.answered += 1;
        let mut signs = Vec::new();
        self.heed(page, links, &mut signs);
        if self.checking.remove(&page) {
            return signs;
        }
        match self.stage {
            Stage::First => self.stage = self.after_first(shown, links),
            Stage::Last(_) => {
                self.ahead.insert(page);
                self.stage = Stage::Rest;
            }
            Stage::Search { low, high } => self.stage = self.searched_at(page, shown, links, low, high),
            Stage::Rest | Stage::Again => {}
        }
        if shown == 0 {
            if page > FIRST && self.announced.is_some_and(|pages| page <= pages) {
                signs.push(Sign::Shifted(
                    "the list has fewer pages than the server said, so accounts may have been missed".to_owned(),
                ));
            }
            if !matches!(self.stage, Stage::Search { .. }) {
                self.end = Some(self.end.map_or(page - 1, |end| end.min(page - 1)));
            }
        } else {
            if self.keeps(page) {
                self.again.push(page);
            }
            // The links contradict each other; asking for one page too many costs less than missing one.
            if links.next == Some(true) && self.announced.is_some_and(|pages| page >= pages) {
                self.linked = page + 1;
            }
        }
        if self.bound() > MOST_PAGES || matches!(self.stage, Stage::Search { low, .. } if low >= MOST_PAGES) {
            signs.push(Sign::Endless(format!("the listing does not end after {MOST_PAGES} pages")));
            self.stop_at(FIRST);
        }
        signs
    }

    fn bound(&self) -> u64 {
        self.end.unwrap_or_else(|| self.announced.unwrap_or(FIRST).max(self.linked))
    }

    /// What the links of a page say of the number of pages.
    fn heed(&mut self, page: u64, links: Links, signs: &mut Vec<Sign>) {
        // No pages at all is what an empty listing says of itself; its first page is read all the same.
        let Some(pages) = links.pages.filter(|pages| *pages > 0) else { return };
        match self.announced {
            Some(before) if pages < before => {
                signs.push(Sign::Shifted(format!(
                    "the list shrank from {before} to {pages} pages while it was read, so accounts may have been missed"
                )));
                self.announced = Some(pages.max(page));
            }
            _ => self.announced = Some(pages),
        }
    }

    fn after_first(&mut self, shown: usize, links: Links) -> Stage {
        match (self.announced, links.next) {
            _ if shown == 0 => Stage::Rest,
            (Some(pages), _) if pages > FIRST && pages <= MOST_PAGES => Stage::Last(pages),
            (Some(_), _) => Stage::Rest,
            (None, Some(true)) => Stage::Search { low: FIRST, high: None },
            (None, None) if shown >= PAGE_SIZE => Stage::Search { low: FIRST, high: None },
            (None, _) => Stage::Rest,
        }
    }

    fn searched_at(&mut self, page: u64, shown: usize, links: Links, low: u64, high: Option<u64>) -> Stage {
        // The first page is one of those that were read while nobody knew the last.
        self.ahead.insert(FIRST);
        if shown > 0 {
            self.ahead.insert(page);
        }
        if let Some(pages) = self.announced {
            return if self.ahead.contains(&pages) { Stage::Rest } else { Stage::Last(pages) };
        }
        let (mut low, mut high) = (low, high);
        if shown == 0 {
            high = Some(page);
        } else if links.next.unwrap_or(shown >= PAGE_SIZE) {
            low = page;
        } else {
            self.end = Some(page);
            return Stage::Rest;
        }
        if high == Some(low + 1) {
            self.end = Some(low);
            return Stage::Rest;
        }
        Stage::Search { low, high }
    }
}

/// Requests that a listing of so many accounts takes, whose links say how many pages there are or do not.
pub(super) fn requests(accounts: u64, announced: bool) -> u64 {
    let size = PAGE_SIZE as u64;
    let pages = accounts.div_ceil(size);
    let links = Links { next: None, pages: announced.then_some(pages) };
    let (mut route, mut requests) = (Route::new(), 0);
    while let Some(page) = route.step() {
        requests += 1;
        let shown = accounts.saturating_sub((page - 1).saturating_mul(size)).min(size);
        route.answered(page, usize::try_from(shown).unwrap_or(PAGE_SIZE), links);
    }
    requests
}
