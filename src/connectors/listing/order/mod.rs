//! Which page of a list is asked for next, and which pages are read once more. The order knows how many records a page had
//! and what the page says of the list, and nothing of accounts, so that the requests of a listing can be counted without
//! one.
//!
//! The first page comes first and the last page second, before any other: whoever goes later leaves a gap that moves the
//! last page. The rest is asked for side by side. Where nothing says how long the list is, the last numbered page is
//! searched for, with doubled steps and then by halves; by place, one page leads to the next until one is empty. At the
//! end those pages are read once more that show whether the list stood still: the first, the last, those that were read
//! before the last was known, and every [`SPACING`]th. A list of places without a total is read twice. With cursors
//! nothing is read twice.

mod count;
mod numbers;
mod places;
mod request;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use count::count_requests;
pub use request::{FIRST, PageFacts, PageRequest, Paging};

/// No tenant has this many pages. A list that goes on has no end.
pub const MOST_PAGES: u64 = 1_000_000;
/// One page in so many is read twice, in addition to the first and the last.
const SPACING: u64 = 50;
/// Pages without accounts that a chain of cursors may have in a row.
const MOST_EMPTY: u32 = 100;

/// What an answer shows of the listing so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The list changed.
    Shifted(String),
    /// The list cannot be read to its end.
    Endless(String),
}

/// What the page of an answer is in the order.
#[derive(Debug, PartialEq, Eq)]
pub enum PageRole {
    /// It was read before, and starts at this place.
    ReadAgain(u64),
    ReadFirst {
        /// Where it starts, if it will be read once more.
        kept: Option<u64>,
        /// How many of its accounts other pages may have shown, because the server puts more on a page than asked for.
        overlap: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    First,
    /// The page that is said to be the last starts here.
    Last(u64),
    /// Pages up to `low` go on after it; there is none from `high` on.
    Search {
        low: u64,
        high: Option<u64>,
    },
    Rest,
    Again,
}

/// The way through a list. A page is known by its number, or by the place where it starts.
#[derive(Debug)]
pub struct PageOrder {
    paging: Paging,
    stage: Stage,
    /// Asked for before anything else.
    queue: VecDeque<PageRequest>,
    /// The next page of those that are asked for side by side, if any are.
    next: Option<u64>,
    /// From the start of one page to the next: 1, or the records on the first page.
    stride: u64,
    asked: u64,
    under_way: u64,
    /// Pages with records.
    filled: u64,
    /// How many pages there are, or how many places, as the server says.
    announced: Option<u64>,
    /// A page beyond those announced that a link leads to all the same.
    linked: u64,
    /// The last page that is worth asking for, once that is certain.
    end: Option<u64>,
    /// Read before their turn.
    ahead: BTreeSet<u64>,
    /// Up to here pages have shown everybody, because they had more than they were asked for.
    covered: u64,
    /// Pages without accounts in a row.
    empty: u32,
    /// To be read once more.
    again: BTreeMap<u64, PageRequest>,
    /// Being read once more.
    checking: BTreeSet<u64>,
    /// Every page that is to be read once more was asked for, or none has to be.
    checked: bool,
    stopped: bool,
    signs: Vec<Sign>,
}

impl PageOrder {
    pub fn new(paging: Paging) -> Self {
        let numbered = paging.is_numbered();
        Self {
            paging,
            stage: Stage::First,
            queue: VecDeque::new(),
            next: numbered.then_some(FIRST + 1),
            stride: u64::from(numbered),
            asked: 0,
            under_way: 0,
            filled: 0,
            announced: None,
            linked: 0,
            end: None,
            ahead: BTreeSet::new(),
            covered: 0,
            empty: 0,
            again: BTreeMap::new(),
            checking: BTreeSet::new(),
            checked: false,
            stopped: false,
            signs: Vec::new(),
        }
    }

    /// How many pages there are, where the server says.
    pub fn announced_pages(&self) -> Option<u64> {
        let announced = self.announced.filter(|_| self.stride > 0)?;
        Some(if self.paging.is_numbered() { announced } else { announced.div_ceil(self.stride).max(1) })
    }

    /// How many accounts there are, where the server says.
    pub fn announced_accounts(&self) -> Option<u64> {
        self.announced.filter(|_| !self.paging.is_numbered())
    }

    /// Records on the first page, where pages have no numbers.
    pub fn measure_stride(&self) -> u64 {
        self.stride
    }

    /// Whether the last page had to be searched for.
    pub fn was_searched(&self) -> bool {
        self.announced.is_none() && self.ahead.len() > 1
    }

    pub fn take_signs(&mut self) -> Vec<Sign> {
        std::mem::take(&mut self.signs)
    }

    /// The list is known to have changed: no page has to be read once more to know it.
    pub fn skip_second_reading(&mut self) {
        self.checked = true;
        self.again.clear();
        if self.stage == Stage::Again {
            self.queue.clear();
        }
    }

    /// Asks for nothing more. Returns whether it did until now.
    pub fn stop_order(&mut self) -> bool {
        !std::mem::replace(&mut self.stopped, true)
    }

    /// The next page to ask for, if one can be asked for now.
    pub fn next_request(&mut self) -> Option<PageRequest> {
        if self.stopped {
            return None;
        }
        if self.asked >= MOST_PAGES && !self.paging.is_numbered() {
            self.refuse_reading(format!("the listing does not end after {MOST_PAGES} pages"));
            return None;
        }
        let request = match self.queue.pop_front() {
            Some(request) => request,
            None => self.request_of_stage()?,
        };
        self.asked += 1;
        self.under_way += 1;
        Some(request)
    }

    fn request_of_stage(&mut self) -> Option<PageRequest> {
        loop {
            match self.stage {
                Stage::Rest => {
                    if let Some(place) = self.next_in_turn() {
                        return Some(self.request_at(place));
                    }
                    if self.under_way > 0 || self.checked {
                        return None;
                    }
                    self.checked = true;
                    // One page alone, which says that it is all, is what it was at one moment.
                    if self.filled > 1 || self.announced.is_none() && self.asked > 1 {
                        self.stage = Stage::Again;
                        self.queue_second_reading();
                        if let Some(request) = self.queue.pop_front() {
                            return Some(request);
                        }
                    }
                }
                // Whatever comes next depends on the answer.
                _ if self.under_way > 0 => return None,
                Stage::First => {
                    let count = self.paging.page_size();
                    return Some(match self.paging {
                        Paging::Numbers { .. } => PageRequest::Number(FIRST),
                        Paging::Places { .. } => PageRequest::Places { start: FIRST, count },
                        Paging::Cursors { .. } => PageRequest::Cursor { cursor: None, count },
                    });
                }
                Stage::Last(place) => return Some(self.request_at(place)),
                Stage::Search { low, high: None } => return Some(PageRequest::Number(low * 2)),
                Stage::Search { low, high: Some(high) } => return Some(PageRequest::Number(low + (high - low) / 2)),
                // A list that grew has pages more.
                Stage::Again => self.stage = Stage::Rest,
            }
        }
    }

    fn request_at(&self, place: u64) -> PageRequest {
        match self.paging {
            Paging::Numbers { .. } => PageRequest::Number(place),
            Paging::Places { .. } | Paging::Cursors { .. } => PageRequest::Places { start: place, count: self.stride },
        }
    }

    /// The next of the pages that can be asked for side by side. A total beyond all numbers has no page behind it.
    fn next_in_turn(&mut self) -> Option<u64> {
        let mut place = self.next?;
        while self.ahead.contains(&place) {
            place = self.place_after(place)?;
        }
        self.next = Some(place);
        if place > self.last_place() {
            return None;
        }
        self.next = self.place_after(place);
        Some(place)
    }

    fn place_after(&self, place: u64) -> Option<u64> {
        place.checked_add(self.stride).filter(|next| *next > place)
    }

    fn last_place(&self) -> u64 {
        self.end.unwrap_or_else(|| self.announced.unwrap_or(FIRST).max(self.linked))
    }

    /// The last page first, where it is known: it is the one that most changes move.
    fn queue_second_reading(&mut self) {
        let again = std::mem::take(&mut self.again);
        self.checking.extend(again.keys());
        if self.ahead.is_empty() {
            self.queue.extend(again.into_values());
        } else {
            self.queue.extend(again.into_values().rev());
        }
    }

    /// Takes how many records a page had, and what it says of the list.
    pub fn take_answer(&mut self, request: &PageRequest, shown: u64, facts: &PageFacts) -> PageRole {
        self.under_way -= 1;
        let is_first = self.stage == Stage::First;
        // Cursors are announced, but this was a page like any other.
        let by_place = match request {
            PageRequest::Cursor { count, .. } if is_first && facts.cursor.is_none() => {
                Some(PageRequest::Places { start: FIRST, count: *count })
            }
            _ => None,
        };
        let request = by_place.as_ref().unwrap_or(request);
        self.compare_announced(request, shown, facts);
        if let Some(place) = request.place()
            && self.checking.remove(&place)
        {
            return PageRole::ReadAgain(place);
        }
        self.filled += u64::from(shown > 0);
        let overlap = self.allowed_overlap(request, shown);
        match *request {
            PageRequest::Number(page) => self.go_on_after_number(page, shown, facts),
            PageRequest::Places { start, count } => self.go_on_after_place(start, count, shown, facts),
            PageRequest::Cursor { ref cursor, count } => self.go_on_after_cursor(cursor.as_ref(), count, shown, facts),
        }
        let kept = request.place().filter(|place| shown > 0 && self.is_read_twice(*place));
        if let Some(place) = kept {
            self.again.insert(place, request.clone());
        }
        PageRole::ReadFirst { kept, overlap }
    }

    /// A page that was asked for is too large for the server.
    pub fn ask_for_less(&mut self, request: PageRequest) {
        self.under_way -= 1;
        let half = |count: u64| count.div_ceil(2);
        let less = match request {
            PageRequest::Places { start, count } if count > 1 => PageRequest::Places { start, count: half(count) },
            PageRequest::Cursor { cursor: None, count } if count > 1 => {
                PageRequest::Cursor { cursor: None, count: half(count) }
            }
            _ => return self.refuse_reading("the server finds the smallest page too large".to_owned()),
        };
        // Of the pages that are asked for side by side nobody else asks for what this one leaves out. One that is read
        // once more was not too large the first time: then it is not the page that it was.
        if let (PageRequest::Places { start, count }, PageRequest::Places { count: half, .. }) = (&request, &less)
            && self.next.is_some()
            && !self.checking.contains(start)
        {
            let rest = PageRequest::Places { start: start.saturating_add(*half), count: count - half };
            self.queue.push_front(rest);
        }
        self.queue.push_front(less);
    }

    /// Whether this page shows that the server ignores which page it is asked for, if it shows nobody new. A short page
    /// may do that because the list became shorter; one beyond the last says more.
    pub fn tells_ignored_number(&self, request: &PageRequest, shown: u64) -> bool {
        match *request {
            PageRequest::Number(page) => {
                shown >= self.paging.page_size() || self.announced.is_some_and(|pages| page > pages)
            }
            PageRequest::Places { .. } | PageRequest::Cursor { .. } => true,
        }
    }

    fn is_read_twice(&self, place: u64) -> bool {
        let before = place - FIRST;
        let stride = self.stride.max(1);
        place == FIRST
            || self.ahead.contains(&place)
            || before.is_multiple_of(stride) && (before / stride + 1).is_multiple_of(SPACING)
            || self.announced.is_none() && !self.paging.is_numbered()
    }

    /// Compares what the server said of the length of the list with what it says now.
    fn compare_announced(&mut self, request: &PageRequest, shown: u64, facts: &PageFacts) {
        match (request, self.announced) {
            (PageRequest::Number(page), before) => {
                // No pages at all is what an empty list says of itself; its first page is read all the same.
                let Some(pages) = facts.pages.filter(|pages| *pages > 0) else { return };
                self.announced = Some(pages);
                if let Some(before) = before.filter(|before| pages < *before) {
                    self.announced = Some(pages.max(*page));
                    self.signs.push(Sign::Shifted(format!(
                        "the list shrank from {before} to {pages} pages while it was read, so accounts may have been missed"
                    )));
                }
            }
            _ if self.stage == Stage::First => (self.announced, self.stride) = (facts.total, shown),
            (_, Some(before)) if facts.total.is_some_and(|now| now != before) => {
                self.signs.push(Sign::Shifted(format!(
                    "the number of accounts changed from {before} while they were listed, so some may have been missed"
                )));
            }
            _ => {}
        }
    }

    fn refuse_reading(&mut self, why: String) {
        self.stopped = true;
        self.signs.push(Sign::Endless(why));
    }
}
