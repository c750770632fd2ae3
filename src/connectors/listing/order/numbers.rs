//! How numbered pages go on, and the search for the last of them where nobody says which it is.

use super::{FIRST, MOST_PAGES, PageFacts, PageOrder, Sign, Stage};

impl PageOrder {
    pub(super) fn go_on_after_number(&mut self, page: u64, shown: u64, facts: &PageFacts) {
        match self.stage {
            Stage::First => self.stage = self.stage_after_first(shown, facts),
            Stage::Last(_) => {
                self.ahead.insert(page);
                self.stage = Stage::Rest;
            }
            Stage::Search { low, high } => self.stage = self.stage_after_search(page, shown, facts, low, high),
            Stage::Rest | Stage::Again => {}
        }
        if shown == 0 {
            if page > FIRST && self.announced.is_some_and(|pages| page <= pages) {
                self.signs.push(Sign::Shifted(
                    "the list has fewer pages than the server said, so accounts may have been missed".to_owned(),
                ));
            }
            if !matches!(self.stage, Stage::Search { .. }) {
                self.end = Some(self.end.map_or(page - 1, |end| end.min(page - 1)));
            }
        } else if facts.more == Some(true) && self.announced.is_some_and(|pages| page >= pages) {
            // The links contradict each other; asking for one page too many costs less than missing one.
            self.linked = page + 1;
        }
        if self.last_place() > MOST_PAGES || matches!(self.stage, Stage::Search { low, .. } if low >= MOST_PAGES) {
            self.refuse_reading(format!("the listing does not end after {MOST_PAGES} pages"));
        }
    }

    fn stage_after_first(&self, shown: u64, facts: &PageFacts) -> Stage {
        match (self.announced, facts.more) {
            _ if shown == 0 => Stage::Rest,
            (Some(pages), _) if pages > FIRST && pages <= MOST_PAGES => Stage::Last(pages),
            (Some(_), _) => Stage::Rest,
            (None, Some(true)) => Stage::Search { low: FIRST, high: None },
            (None, None) if shown >= self.paging.page_size() => Stage::Search { low: FIRST, high: None },
            (None, _) => Stage::Rest,
        }
    }

    fn stage_after_search(
        &mut self,
        page: u64,
        shown: u64,
        facts: &PageFacts,
        mut low: u64,
        mut high: Option<u64>,
    ) -> Stage {
        // The first page is one of those that were read while nobody knew the last.
        self.ahead.insert(FIRST);
        if shown > 0 {
            self.ahead.insert(page);
        }
        if let Some(pages) = self.announced {
            return if self.ahead.contains(&pages) { Stage::Rest } else { Stage::Last(pages) };
        }
        if shown == 0 {
            high = Some(page);
        } else if facts.more.unwrap_or(shown >= self.paging.page_size()) {
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
