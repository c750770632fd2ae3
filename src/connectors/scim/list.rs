//! The listing as a stream. Where the number of accounts is known, several pages are under way at once; each is a task
//! of its own, so that a page goes on arriving while the reader is busy with another.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use tokio::task::JoinSet;

use super::api::Api;
use super::walk::{Ask, PageRead, Walk};
use crate::connectors::again::Readings;
use crate::connectors::{CallError, Listed, Purpose, Trouble};

struct Listing {
    api: Arc<Api>,
    purpose: Purpose,
    walk: Option<Walk>,
    readings: Readings,
    /// Dropping it stops the requests.
    pages: JoinSet<(Ask, Result<PageRead, CallError>)>,
    ready: VecDeque<Listed>,
}

/// Every account, page by page. Needs a tokio runtime.
pub(super) fn list(api: Arc<Api>, purpose: Purpose) -> BoxStream<'static, Result<Listed, CallError>> {
    let readings = Readings::default();
    let walk = Some(Walk::new(api.page_size(), api.has_cursors(), readings.chance()));
    let listing = Listing { api, purpose, walk, readings, pages: JoinSet::new(), ready: VecDeque::new() };
    stream::unfold(listing, |mut listing| async move { listing.next().await.map(|piece| (piece, listing)) }).boxed()
}

impl Listing {
    async fn next(&mut self) -> Option<Result<Listed, CallError>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some(Ok(piece));
            }
            let walk = self.walk.as_mut()?;
            // As many again as can be under way, so that a connection never waits for the reader; no more, so that a
            // slow reader does not fill the memory.
            while self.pages.len() < self.api.http.concurrency() * 2 {
                let Some(ask) = walk.step() else { break };
                let (api, purpose) = (Arc::clone(&self.api), self.purpose);
                self.pages.spawn(async move {
                    let read = api.page(&ask, purpose).await;
                    (ask, read)
                });
            }
            match self.pages.join_next().await {
                Some(Ok((ask, Ok(read)))) => {
                    let accounts = walk.read(ask, read);
                    if !accounts.is_empty() {
                        self.ready.push_back(Listed::Page { accounts, pages: walk.announced() });
                    }
                }
                Some(Ok((_, Err(error)))) => return Some(Err(self.give_up(error))),
                Some(Err(error)) => {
                    let error = CallError::new(Trouble::Garbled, format!("reading a page failed: {error}"));
                    return Some(Err(self.give_up(error)));
                }
                None => {
                    let walk = self.walk.take()?;
                    if walk.gives_up() {
                        let again = self.readings.again(walk.finish().1.join("; "));
                        let (page_size, cursors) = (self.api.page_size(), self.api.has_cursors());
                        self.walk = Some(Walk::new(page_size, cursors, self.readings.chance()));
                        return Some(Ok(again));
                    }
                    let (accounts, step) = walk.shown();
                    self.api.learn(accounts, step.max(1).min(self.api.page_size()));
                    let (complete, notes) = walk.finish();
                    return Some(Ok(self.readings.end(complete, notes)));
                }
            }
        }
    }

    fn give_up(&mut self, error: CallError) -> CallError {
        self.walk = None;
        self.pages.abort_all();
        error
    }
}
