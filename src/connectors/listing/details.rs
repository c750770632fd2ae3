//! A listing with details: the directory in one answer, then one request for each user, several under way at once.
//!
//! Nobody may be taken for absent, or for new, because their details could not be read: such a user is shown with what
//! the directory says, and as out of reach. The directory is read once more at the end, because users may have come and
//! gone while their colleagues were read: who is new is read too, and who was not found must be gone from it.

use std::sync::{Arc, Mutex, PoisonError};
use std::vec::IntoIter;

use futures::stream::{self, BoxStream, StreamExt};
use hashbrown::HashSet;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::connectors::{CallError, Listed, Purpose, Trouble};
use crate::model::text::normal;
use crate::model::{Account, AccountId, Attributes, KeyHash};

/// Accounts handed on at once.
const PAGE: usize = 50;
/// How often those are read who are new in the directory; after that it is said that it keeps changing.
const ROUNDS: u32 = 2;
/// Users in a row whose details cannot be read, after which nothing is wrong with the users.
const MOST_IN_A_ROW: u32 = 10;
/// Names that a note shows.
const NAMED: usize = 5;

/// What is shown of each user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryExtent {
    /// What the directory has.
    Directory,
    /// Everything; a request for each.
    Details,
}

/// A system that shows all users in one answer, and the rest of their attributes only for one user at a time.
pub trait DetailedList: Send + Sync + 'static {
    /// What the system calls the login that users are asked for by.
    const LOGIN: &'static str;

    /// Requests that can be under way at once.
    fn concurrency(&self) -> usize;

    fn fetch_directory(&self, purpose: Purpose) -> impl Future<Output = Result<Vec<DirectoryEntry>, CallError>> + Send;

    /// Everything that is shown of one user; none where there is no such user.
    fn fetch_details(
        &self,
        login: &str,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Option<Attributes>, CallError>> + Send;
}

/// One user as the directory shows them.
#[derive(Debug, PartialEq)]
pub struct DirectoryEntry {
    /// As the server spells it; empty where the entry has none.
    pub login: String,
    pub values: Attributes,
}

/// Every account, page by page.
pub fn list_details<L: DetailedList>(
    list: Arc<L>,
    extent: DirectoryExtent,
    purpose: Purpose,
) -> BoxStream<'static, Result<Listed, CallError>> {
    let pages = async move {
        let (to_reader, pages) = mpsc::channel(2);
        // A task of its own, so that requests go on while the reader is busy; dropping the set ends it and them.
        let mut reading = JoinSet::new();
        reading.spawn(read_directory(list, extent, purpose, to_reader));
        stream::unfold((pages, reading), |(mut pages, reading)| async move {
            pages.recv().await.map(|piece| (piece, (pages, reading)))
        })
    };
    stream::once(pages).flatten().boxed()
}

async fn read_directory<L: DetailedList>(
    list: Arc<L>,
    extent: DirectoryExtent,
    purpose: Purpose,
    to_reader: mpsc::Sender<Result<Listed, CallError>>,
) {
    let mut listing = DetailsListing {
        list,
        purpose,
        to_reader: to_reader.clone(),
        ready: Vec::with_capacity(PAGE),
        seen: HashSet::new(),
        folded: HashSet::new(),
        unreadable: 0,
        in_a_row: 0,
        flaws: Vec::new(),
        notes: Vec::new(),
    };
    let end = listing.read(extent).await;
    // A reader that has gone wants no end.
    let _ = to_reader.send(end).await;
}

/// A listing under way.
struct DetailsListing<L> {
    list: Arc<L>,
    purpose: Purpose,
    to_reader: mpsc::Sender<Result<Listed, CallError>>,
    /// Accounts to be handed on.
    ready: Vec<Account>,
    /// Every login that the directory showed.
    seen: HashSet<KeyHash>,
    /// The same, without case.
    folded: HashSet<KeyHash>,
    unreadable: u64,
    in_a_row: u32,
    /// Why the listing is not complete.
    flaws: Vec<String>,
    /// What else is worth saying.
    notes: Vec<String>,
}

impl<L: DetailedList> DetailsListing<L> {
    async fn read(&mut self, extent: DirectoryExtent) -> Result<Listed, CallError> {
        let entries = self.list.fetch_directory(self.purpose).await?;
        let mut todo = self.new_entries(entries);
        if extent == DirectoryExtent::Directory {
            for entry in todo {
                self.show_account(AccountId(entry.login), entry.values, None).await?;
            }
        } else {
            let mut rounds = 0;
            while !todo.is_empty() {
                if rounds == ROUNDS {
                    self.flaws.push(format!(
                        "the directory keeps changing: {} users are new since it was last read",
                        todo.len()
                    ));
                    for entry in todo {
                        self.show_out_of_reach(entry, "the account is new since the listing began").await?;
                    }
                    break;
                }
                rounds += 1;
                let not_found = self.read_details(todo).await?;
                let entries = self.list.fetch_directory(self.purpose).await?;
                self.settle_not_found(not_found, &entries).await?;
                todo = self.new_entries(entries);
            }
        }
        self.hand_on_page().await?;
        if self.unreadable > 0 {
            self.flaws.push(format!("the details of {} users could not be read", self.unreadable));
        }
        let complete = self.flaws.is_empty();
        self.flaws.append(&mut self.notes);
        Ok(Listed::End { complete, notes: std::mem::take(&mut self.flaws) })
    }

    /// Those whom the directory did not show before.
    fn new_entries(&mut self, entries: Vec<DirectoryEntry>) -> Vec<DirectoryEntry> {
        let (mut nameless, mut twice, mut alike) = (0, Vec::new(), Vec::new());
        let mut here = HashSet::with_capacity(entries.len());
        let mut new = Vec::with_capacity(if self.seen.is_empty() { entries.len() } else { 0 });
        for entry in entries {
            if entry.login.trim().is_empty() {
                nameless += 1;
                continue;
            }
            let login = KeyHash::of_text(&entry.login);
            if !here.insert(login) {
                twice.push(entry.login);
            } else if self.seen.insert(login) {
                if !self.folded.insert(KeyHash::of_text(&normal(&entry.login, false))) {
                    alike.push(entry.login.clone());
                }
                new.push(entry);
            }
        }
        if nameless > 0 {
            self.add_flaw(format!("the directory has {nameless} users without a {}", L::LOGIN));
        }
        if !twice.is_empty() {
            self.add_flaw(format!("the directory shows users twice: {}", joined_names(&twice)));
        }
        if !alike.is_empty() {
            self.add_flaw(format!(
                "the directory has users that differ from another only in case: {}",
                joined_names(&alike)
            ));
        }
        new
    }

    /// Asks for each of them; gives back those whom the server does not find.
    async fn read_details(&mut self, entries: Vec<DirectoryEntry>) -> Result<Vec<DirectoryEntry>, CallError> {
        let lanes = self.list.concurrency().min(entries.len());
        let todo = Arc::new(Mutex::new(entries.into_iter()));
        let (to_here, mut answers) = mpsc::channel(lanes.max(1) * 2);
        // As many as can be under way, each with one user after the other, so that no request waits for this loop.
        let mut under_way = JoinSet::new();
        for _ in 0..lanes {
            under_way.spawn(fetch_users(Arc::clone(&self.list), self.purpose, Arc::clone(&todo), to_here.clone()));
        }
        drop(to_here);
        let mut not_found = Vec::new();
        while let Some((entry, read)) = answers.recv().await {
            match read {
                Ok(Some(mut values)) => {
                    self.in_a_row = 0;
                    for (id, value) in entry.values.iter() {
                        if values.get(id).is_none() {
                            values.set(id, value.clone());
                        }
                    }
                    self.show_account(AccountId(entry.login), values, None).await?;
                }
                Ok(None) => not_found.push(entry),
                Err(error) if is_of_one_user(&error) => {
                    self.in_a_row += 1;
                    if self.in_a_row >= MOST_IN_A_ROW {
                        return Err(error);
                    }
                    if self.unreadable < NAMED as u64 {
                        self.notes.push(error.message);
                    }
                    self.unreadable += 1;
                    self.show_out_of_reach(entry, "its details could not be read").await?;
                }
                Err(error) => return Err(error),
            }
        }
        while let Some(ended) = under_way.join_next().await {
            ended.map_err(|error| CallError::new(Trouble::Garbled, format!("reading a user failed: {error}")))?;
        }
        Ok(not_found)
    }

    /// Users whom the server did not find: gone, if the directory does not show them any more.
    async fn settle_not_found(
        &mut self,
        not_found: Vec<DirectoryEntry>,
        directory: &[DirectoryEntry],
    ) -> Result<(), CallError> {
        if not_found.is_empty() {
            return Ok(());
        }
        let there: HashSet<&str> = directory.iter().map(|entry| entry.login.as_str()).collect();
        let (hidden, gone): (Vec<_>, Vec<_>) =
            not_found.into_iter().partition(|entry| there.contains(entry.login.as_str()));
        let logins = |entries: &[DirectoryEntry]| entries.iter().map(|entry| entry.login.clone()).collect::<Vec<_>>();
        if !gone.is_empty() {
            self.notes.push(format!("vanished while the users were read: {}", joined_names(&logins(&gone))));
        }
        if !hidden.is_empty() {
            self.add_flaw(format!(
                "the directory shows users that the server does not find: {}",
                joined_names(&logins(&hidden))
            ));
        }
        for entry in hidden {
            self.show_out_of_reach(entry, "the directory shows it, but the server does not find it").await?;
        }
        Ok(())
    }

    fn add_flaw(&mut self, flaw: String) {
        if !self.flaws.contains(&flaw) {
            self.flaws.push(flaw);
        }
    }

    async fn show_out_of_reach(&mut self, entry: DirectoryEntry, why: &str) -> Result<(), CallError> {
        self.show_account(AccountId(entry.login), entry.values, Some(why.to_owned())).await
    }

    async fn show_account(
        &mut self,
        id: AccountId,
        values: Attributes,
        protected: Option<String>,
    ) -> Result<(), CallError> {
        self.ready.push(Account { id, values, protected });
        if self.ready.len() >= PAGE { self.hand_on_page().await } else { Ok(()) }
    }

    async fn hand_on_page(&mut self) -> Result<(), CallError> {
        if self.ready.is_empty() {
            return Ok(());
        }
        let accounts = std::mem::replace(&mut self.ready, Vec::with_capacity(PAGE));
        let page = Listed::Page { accounts, pages: Some(self.seen.len().div_ceil(PAGE) as u64) };
        let gone = |_| CallError::new(Trouble::Stopped, "nobody reads the listing any more");
        self.to_reader.send(Ok(page)).await.map_err(gone)
    }
}

/// A user, and what came of asking for their details.
type DetailsAnswer = (DirectoryEntry, Result<Option<Attributes>, CallError>);

/// Asks for one user after the other until none is left, or nobody wants to know any more.
async fn fetch_users<L: DetailedList>(
    list: Arc<L>,
    purpose: Purpose,
    todo: Arc<Mutex<IntoIter<DirectoryEntry>>>,
    answers: mpsc::Sender<DetailsAnswer>,
) {
    let next = || todo.lock().unwrap_or_else(PoisonError::into_inner).next();
    while let Some(entry) = next() {
        let read = list.fetch_details(&entry.login, purpose).await;
        if answers.send((entry, read)).await.is_err() {
            return;
        }
    }
}

/// Whether the next user may be read all the same: the server answered, and what it said is about this one.
fn is_of_one_user(error: &CallError) -> bool {
    match error.trouble {
        Trouble::Refused | Trouble::Garbled => true,
        Trouble::Unavailable => error.code.is_some_and(|status| status >= 500),
        _ => false,
    }
}

fn joined_names(logins: &[String]) -> String {
    let shown = logins.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match logins.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
