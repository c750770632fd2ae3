//! How the listing is asked for: by place, or with cursors where the server announces them.

use std::sync::atomic::Ordering;

use super::answer::is_too_many;
use super::api::{ScimApi, choose_paging, query_value};
use super::schema::USER_NAME;
use crate::connectors::http::{AnswerVerdict, HttpRequest};
use crate::connectors::listing::{AccountNames, PageAnswer, PageRequest, PagedList, Paging, ReadingFacts};
use crate::connectors::{CallError, Purpose, Trouble};

pub(super) const NAMES: AccountNames = AccountNames::Unique(USER_NAME);

impl PagedList for ScimApi {
    fn paging(&self) -> Paging {
        choose_paging(self.page_size, self.has_cursors())
    }

    fn names(&self) -> AccountNames {
        NAMES
    }

    fn concurrency(&self) -> usize {
        self.http.client.concurrency()
    }

    async fn fetch_page(&self, request: &PageRequest, purpose: Purpose) -> Result<PageAnswer, CallError> {
        let query = match request {
            PageRequest::Places { start, count } => format!("startIndex={start}&count={count}"),
            PageRequest::Cursor { cursor, count } => {
                format!("cursor={}&count={count}", cursor.as_deref().map(query_value).unwrap_or_default())
            }
            PageRequest::Number(_) => {
                return Err(CallError::new(Trouble::Configuration, "SCIM does not list users by page number"));
            }
        };
        let path = format!("{}?{query}", self.endpoint);
        self.send(&HttpRequest::get(&path, purpose), None, |answer| {
            if is_too_many(answer) {
                return AnswerVerdict::Done(PageAnswer::TooLarge);
            }
            self.judge_page(answer).map_done(PageAnswer::Page)
        })
        .await
    }

    fn learn_facts(&self, facts: ReadingFacts) {
        self.listed.store(facts.accounts.saturating_add(1), Ordering::Relaxed);
        self.step.store(facts.page_size.max(1).min(self.page_size), Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod walk_tests;

#[cfg(test)]
#[path = "shift_tests.rs"]
mod shift_tests;
