//! The listing as a stream. Where the number of pages is known, several are under way at once: each lane is a task that
//! fetches one page after another, so that pages go on arriving while the reader is busy with others, or with other
//! requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::api::Api;
use super::walk::Walk;
use crate::target::{CallError, Listed, Purpose, Trouble};

/// Pages that a lane hands over together at most, and how long after a handover the next one is due: waking the reader
/// can take longer than fetching a page from nearby. A page from afar is handed over when it arrives.
const BUNDLE: usize = 8;
const DUE: Duration = Duration::from_millis(2);

/// What a lane hands over: pages, or the error that ends it.
type Bundle = Result<Vec<Listed>, CallError>;

struct Listing {
    shared: Arc<Shared>,
    /// Dropping it stops the requests.
    lanes: JoinSet<()>,
    /// For new lanes. It is bounded, so that a slow reader does not fill the memory.
    sender: mpsc::Sender<Bundle>,
    bundles: mpsc::Receiver<Bundle>,
    ready: VecDeque<Listed>,
    over: bool,
}

struct Shared {
    api: Arc<Api>,
    purpose: Purpose,
    walk: Mutex<Walk>,
}

/// Every account, page by page. Needs a tokio runtime.
pub(super) fn list(api: Arc<Api>, purpose: Purpose) -> BoxStream<'static, Result<Listed, CallError>> {
    let (sender, bundles) = mpsc::channel(api.http.concurrency());
    let shared = Arc::new(Shared { api, purpose, walk: Mutex::new(Walk::new()) });
    let listing = Listing { shared, lanes: JoinSet::new(), sender, bundles, ready: VecDeque::new(), over: false };
    stream::unfold(listing, |mut listing| async move { listing.next().await.map(|piece| (piece, listing)) }).boxed()
}

impl Listing {
    async fn next(&mut self) -> Option<Result<Listed, CallError>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some(Ok(piece));
            }
            if self.over {
                return None;
            }
            self.open_lanes();
            let bundle = if self.lanes.is_empty() {
                // The last words of a lane may still wait.
                self.bundles.try_recv().ok()
            } else {
                tokio::select! {
                    biased;
                    bundle = self.bundles.recv() => bundle,
                    Some(ended) = self.lanes.join_next() => match ended {
                        Ok(()) => continue,
                        Err(error) => {
                            Some(Err(CallError::new(Trouble::Garbled, format!("reading a page failed: {error}"))))
                        }
                    },
                }
            };
            match bundle {
                Some(Ok(pages)) => self.ready.extend(pages),
                Some(Err(error)) => {
                    self.over = true;
                    self.lanes.abort_all();
                    return Some(Err(error));
                }
                None => {
                    self.over = true;
                    let walk = std::mem::replace(&mut *self.shared.walk(), Walk::new());
                    let (complete, notes) = walk.finish();
                    return Some(Ok(Listed::End { complete, notes }));
                }
            }
        }
    }

    /// As many lanes as requests can be under way, where there are pages for them.
    fn open_lanes(&mut self) {
        while self.lanes.len() < self.shared.api.http.concurrency() {
            let Some(page) = self.shared.walk().step() else { return };
            self.lanes.spawn(lane(Arc::clone(&self.shared), page, self.sender.clone()));
        }
    }
}

impl Shared {
    fn walk(&self) -> MutexGuard<'_, Walk> {
        // No code that could panic runs while it is held but for the walk's own, after which the listing has failed.
        self.walk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fetches one page after another until there is none left to begin.
async fn lane(shared: Arc<Shared>, first: u64, out: mpsc::Sender<Bundle>) {
    let mut bundle = Vec::new();
    let mut handed_over = shared.api.http.clock().elapsed();
    let mut next = Some(first);
    while let Some(page) = next {
        let read = match shared.api.page(page, shared.purpose).await {
            Ok(read) => read,
            Err(error) => {
                // Where nobody listens any more there is nobody to tell.
                let _ = out.send(Ok(bundle)).await;
                let _ = out.send(Err(error)).await;
                return;
            }
        };
        let (accounts, pages) = {
            let mut walk = shared.walk();
            let accounts = walk.read(page, read);
            next = walk.step();
            (accounts, walk.announced())
        };
        if !accounts.is_empty() {
            bundle.push(Listed::Page { accounts, pages });
        }
        let now = shared.api.http.clock().elapsed();
        // What the first page says opens the other lanes.
        if page == first || next.is_none() || bundle.len() >= BUNDLE || now.saturating_sub(handed_over) >= DUE {
            if out.send(Ok(std::mem::take(&mut bundle))).await.is_err() {
                return;
            }
            handed_over = now;
        }
    }
}
