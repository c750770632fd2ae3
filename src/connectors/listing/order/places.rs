//! How pages by place go on, and those that name the next one.

use super::{MOST_EMPTY, PageFacts, PageOrder, PageRequest, Stage};

impl PageOrder {
    /// A server that puts more on a page than it was asked for shows what other pages were asked for.
    pub(super) fn allowed_overlap(&mut self, request: &PageRequest, shown: u64) -> u64 {
        let PageRequest::Places { start, count } = *request else { return 0 };
        if start < self.covered {
            return shown;
        }
        if shown <= count {
            return 0;
        }
        self.covered = start.saturating_add(shown);
        self.next = self.next.map(|next| next.max(self.covered));
        shown - count
    }

    pub(super) fn go_on_after_place(&mut self, start: u64, count: u64, shown: u64, facts: &PageFacts) {
        let was_first = self.stage == Stage::First;
        if was_first {
            self.stage = Stage::Rest;
        } else if self.stage == Stage::Last(start) {
            self.ahead.insert(start);
            self.stage = Stage::Rest;
        }
        match self.announced {
            Some(_) if was_first && shown == 0 => {}
            Some(total) if was_first && total > shown => {
                self.next = Some(start.saturating_add(shown));
                self.stage = Stage::Last(start + (total - start) / shown * shown);
            }
            // Some servers announce what the page has and not what there is; only one page more can tell.
            Some(_) if was_first && shown >= count => self.queue_page_after(start, shown, count),
            Some(_) if was_first => {}
            Some(total) if self.next.is_some() => {
                let expected = count.min(total.saturating_add(1).saturating_sub(start));
                if shown > 0 && shown < expected {
                    // What is missing on the page.
                    self.queue_page_after(start, shown, expected - shown);
                }
            }
            // Without a number of accounts to believe, one page leads to the next until one is empty.
            _ if shown > 0 && facts.per_page.is_none_or(|per_page| shown >= per_page) => {
                self.queue_page_after(start, shown, count);
            }
            _ => {}
        }
    }

    pub(super) fn go_on_after_cursor(&mut self, cursor: Option<&String>, count: u64, shown: u64, facts: &PageFacts) {
        self.stage = Stage::Rest;
        let Some(next) = &facts.cursor else { return };
        if Some(next) == cursor {
            return self.refuse_reading("a cursor leads to itself, so the listing does not go on".to_owned());
        }
        self.empty = if shown == 0 { self.empty + 1 } else { 0 };
        if self.empty > MOST_EMPTY {
            return self.refuse_reading(format!("more than {MOST_EMPTY} pages in a row show nobody"));
        }
        self.queue.push_back(PageRequest::Cursor { cursor: Some(next.clone()), count });
    }

    /// Beyond all numbers there is no page.
    fn queue_page_after(&mut self, start: u64, shown: u64, count: u64) {
        if let Some(start) = start.checked_add(shown) {
            self.queue.push_back(PageRequest::Places { start, count });
        }
    }
}
