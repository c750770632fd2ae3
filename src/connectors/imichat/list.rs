//! How the listing is asked for: by page number, ten users a page, with links that may say how many pages there are.

use std::sync::atomic::Ordering;

use super::PAGE_SIZE;
use super::api::ImichatApi;
use super::codes::{Rejection, open};
use super::decode::{ImichatPage, read_page};
use super::schema::at;
use crate::connectors::http::HttpRequest;
use crate::connectors::listing::{AccountNames, PageAnswer, PageRequest, PagedList, Paging, ReadingFacts, ShownPage};
use crate::connectors::{CallError, Purpose, Trouble};

pub(super) const PAGING: Paging = Paging::Numbers { page_size: PAGE_SIZE as u64 };
pub(super) const NAMES: AccountNames = AccountNames::Needed(at::LOGIN_ID);

impl PagedList for ImichatApi {
    fn paging(&self) -> Paging {
        PAGING
    }

    fn names(&self) -> AccountNames {
        NAMES
    }

    fn concurrency(&self) -> usize {
        self.http.client.concurrency()
    }

    async fn fetch_page(&self, request: &PageRequest, purpose: Purpose) -> Result<PageAnswer, CallError> {
        let PageRequest::Number(page) = *request else {
            return Err(CallError::new(Trouble::Configuration, "imi.chat lists users by page number only"));
        };
        let path = format!("/users/?page={page}");
        self.send_call(&HttpRequest::get(&path, purpose), |answer| {
            match open(answer).map(|response| read_page(&self.schema, response)) {
                Ok(ImichatPage { records: Some(records), facts }) => Ok(PageAnswer::Page(ShownPage { records, facts })),
                Ok(ImichatPage { records: None, .. }) => Err(Rejection::Refused(
                    CallError::new(Trouble::Garbled, "the answer holds no list of users where one was expected")
                        .with_hint("check that target.base_url is the address of API v3.1"),
                )),
                Err(Rejection::Refused(error)) if error.trouble == Trouble::NotFound => Ok(PageAnswer::Past),
                Err(Rejection::NoEnvelope(error)) if answer.status == 404 => {
                    if page > 1 {
                        return Ok(PageAnswer::Past);
                    }
                    Err(Rejection::Refused(CallError { trouble: Trouble::Configuration, ..error }))
                }
                Err(rejection) => Err(rejection),
            }
        })
        .await
    }

    fn learn_facts(&self, facts: ReadingFacts) {
        if let Some(announces) = facts.announces {
            self.announces.store(announces, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod walk_tests;

#[cfg(test)]
#[path = "shift_tests.rs"]
mod shift_tests;
