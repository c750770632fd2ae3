//! The listing as a stream. Where the number of pages is known, several are under way at once: each lane is a task that
//! fetches one page after another, so that pages go on arriving while the reader is busy with others, or with other
//! requests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::api::Api;
use super::route::FIRST;
use super::walk::Walk;
use crate::connectors::again::{Chance, Readings};
use crate::connectors::{CallError, Listed, Purpose, Trouble};

/// What a lane hands over: a page, or the error that ends the listing.
type Piece = Result<Listed, CallError>;

struct Listing {
    shared: Arc<Shared>,
    /// Dropping it stops the requests.
    lanes: JoinSet<()>,
    /// For new lanes. It is bounded, so that a slow reader does not fill the memory.
    sender: mpsc::Sender<Piece>,
    pieces: mpsc::Receiver<Piece>,
    readings: Readings,
    /// Told whether the server says how many pages there are.
    announces: Arc<AtomicBool>,
    /// The first piece was heard, and somebody wants more.
    begun: bool,
    over: bool,
}

struct Shared {
    api: Arc<Api>,
    purpose: Purpose,
    walk: Mutex<Walk>,
}

/// Every account, page by page. Needs a tokio runtime. At the end `announces` is whether the server said how many pages
/// there are, where it had any occasion to.
pub(super) fn list(
    api: Arc<Api>,
    purpose: Purpose,
    announces: Arc<AtomicBool>,
) -> BoxStream<'static, Result<Listed, CallError>> {
    let (sender, pieces) = mpsc::channel(api.http.concurrency());
    let readings = Readings::default();
    let shared = Arc::new(Shared { api, purpose, walk: Mutex::new(Walk::new(readings.chance())) });
    let lanes = JoinSet::new();
    let listing = Listing { shared, lanes, sender, pieces, readings, announces, begun: false, over: false };
    stream::unfold(listing, |mut listing| async move { listing.next().await.map(|piece| (piece, listing)) }).boxed()
}

impl Listing {
    async fn next(&mut self) -> Option<Result<Listed, CallError>> {
        loop {
            if self.over {
                return None;
            }
            // What a lane said last comes before what follows from its end.
            let piece = match self.pieces.try_recv() {
                Ok(piece) => piece,
                Err(_) => {
                    self.open_lanes();
                    if self.lanes.is_empty() {
                        return Some(Ok(self.end_of_reading()));
                    }
                    // One of the two always comes: this side keeps a sender, and there is a lane.
                    tokio::select! {
                        biased;
                        Some(piece) = self.pieces.recv() => piece,
                        Some(ended) = self.lanes.join_next() => match ended {
                            Ok(()) => continue,
                            Err(error) => {
                                Err(CallError::new(Trouble::Garbled, format!("reading a page failed: {error}")))
                            }
                        },
                    }
                }
            };
            self.begun = true;
            if piece.is_err() {
                self.over = true;
                self.lanes.abort_all();
            }
            return Some(piece);
        }
    }

    /// Nothing is left to ask for: the listing is at its end, or it is read from its beginning.
    fn end_of_reading(&mut self) -> Listed {
        let mut walk = self.shared.walk();
        if walk.gives_up() {
            let why = std::mem::replace(&mut *walk, Walk::new(Chance::Last)).finish().1.join("; ");
            let again = self.readings.again(why);
            *walk = Walk::new(self.readings.chance());
            return again;
        }
        let walk = std::mem::replace(&mut *walk, Walk::new(Chance::Last));
        self.over = true;
        if walk.announced().is_some() || walk.searched() {
            self.announces.store(!walk.searched(), Ordering::Relaxed);
        }
        let (complete, notes) = walk.finish();
        self.readings.end(complete, notes)
    }

    /// As many lanes as requests can be under way, where there are pages for them. Whoever only wants the first page pays
    /// for no other.
    fn open_lanes(&mut self) {
        let most = if self.begun { self.shared.api.http.concurrency() } else { 1 };
        while self.lanes.len() < most {
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
async fn lane(shared: Arc<Shared>, first: u64, out: mpsc::Sender<Piece>) {
    let mut next = Some(first);
    while let Some(page) = next {
        let piece = match shared.api.page(page, shared.purpose).await {
            Ok(read) => {
                let mut walk = shared.walk();
                let accounts = walk.read(page, read);
                // What comes after the first page is for the reader to ask for.
                next = if page == FIRST { None } else { walk.step() };
                if accounts.is_empty() {
                    continue;
                }
                Ok(Listed::Page { accounts, pages: walk.announced() })
            }
            Err(error) => {
                next = None;
                Err(error)
            }
        };
        if out.send(piece).await.is_err() {
            // Nobody listens any more.
            return;
        }
        // The reader goes first, where it waited: on this thread, which has the page at hand and takes the memory back.
        // On another one it would fetch and free everything across, which takes longer than reading does.
        tokio::task::yield_now().await;
    }
}
