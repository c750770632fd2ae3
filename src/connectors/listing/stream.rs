//! A listing in pages as a stream. Once the length of the list is known, several pages are under way at once: each lane
//! is a task that fetches one page after another, so that pages go on arriving while the reader is busy with others, or
//! with other requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::order::{PageRequest, Paging};
use super::readings::{Chance, Readings};
use super::seen::AccountNames;
use super::walk::{PageAnswer, PageWalk, ReadingFacts};
use crate::connectors::{CallError, Listed, Purpose, Trouble};

/// A system whose accounts are listed in pages.
pub trait PagedList: Send + Sync + 'static {
    fn paging(&self) -> Paging;

    fn names(&self) -> AccountNames;

    /// Requests that can be under way at once.
    fn concurrency(&self) -> usize;

    /// Asks for one page.
    fn fetch_page(
        &self,
        request: &PageRequest,
        purpose: Purpose,
    ) -> impl Future<Output = Result<PageAnswer, CallError>> + Send;

    /// Takes what a reading that came to its end showed.
    fn learn_facts(&self, facts: ReadingFacts);
}

/// What a lane hands over: a page, or the error that ends the listing.
type Piece = Result<Listed, CallError>;

struct PageStream<L> {
    shared: Arc<SharedWalk<L>>,
    /// Dropping it stops the requests.
    lanes: JoinSet<()>,
    /// For new lanes. It is bounded, so that a slow reader does not fill the memory.
    sender: mpsc::Sender<Piece>,
    pieces: mpsc::Receiver<Piece>,
    readings: Readings,
    /// The first piece was heard, and somebody wants more.
    begun: bool,
    over: bool,
}

struct SharedWalk<L> {
    list: Arc<L>,
    purpose: Purpose,
    walk: Mutex<PageWalk>,
}

/// Every account, page by page. Needs a tokio runtime.
pub fn list_pages<L: PagedList>(list: Arc<L>, purpose: Purpose) -> BoxStream<'static, Result<Listed, CallError>> {
    let (sender, pieces) = mpsc::channel(list.concurrency());
    let readings = Readings::default();
    let walk = Mutex::new(PageWalk::new(list.paging(), list.names(), readings.next_chance()));
    let shared = Arc::new(SharedWalk { list, purpose, walk });
    let pages = PageStream { shared, lanes: JoinSet::new(), sender, pieces, readings, begun: false, over: false };
    stream::unfold(pages, |mut pages| async move { pages.next().await.map(|piece| (piece, pages)) }).boxed()
}

impl<L: PagedList> PageStream<L> {
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
        let gives_up = walk.gives_up();
        let reading = std::mem::replace(&mut *walk, self.shared.new_walk(Chance::Last));
        if gives_up {
            let again = self.readings.begin_again(reading.finish_reading().1.join("; "));
            *walk = self.shared.new_walk(self.readings.next_chance());
            return again;
        }
        self.over = true;
        self.shared.list.learn_facts(reading.reading_facts());
        let (complete, notes) = reading.finish_reading();
        self.readings.end_listing(complete, notes)
    }

    /// As many lanes as requests can be under way, where there are pages for them. Whoever only wants the first page pays
    /// for no other.
    fn open_lanes(&mut self) {
        let most = if self.begun { self.shared.list.concurrency() } else { 1 };
        while self.lanes.len() < most {
            let Some(request) = self.shared.walk().next_request() else { return };
            self.lanes.spawn(fetch_pages(Arc::clone(&self.shared), request, self.sender.clone()));
        }
    }
}

impl<L: PagedList> SharedWalk<L> {
    fn new_walk(&self, chance: Chance) -> PageWalk {
        PageWalk::new(self.list.paging(), self.list.names(), chance)
    }

    fn walk(&self) -> MutexGuard<'_, PageWalk> {
        // No code that could panic runs while it is held but for the walk's own, after which the listing has failed.
        self.walk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fetches one page after another until there is none left to begin.
async fn fetch_pages<L: PagedList>(shared: Arc<SharedWalk<L>>, first: PageRequest, out: mpsc::Sender<Piece>) {
    let mut next = Some(first);
    while let Some(request) = next {
        let is_first = request.is_first();
        let piece = match shared.list.fetch_page(&request, shared.purpose).await {
            Ok(answer) => {
                let mut walk = shared.walk();
                let accounts = walk.take_answer(request, answer);
                // What comes after the first page is for the reader to ask for.
                next = if is_first { None } else { walk.next_request() };
                if accounts.is_empty() {
                    continue;
                }
                Ok(Listed::Page { accounts, pages: walk.announced_pages() })
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
