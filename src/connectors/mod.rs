//! The systems that have accounts. [`Connector`] is all that the engine knows of one; each system has a folder that holds
//! everything known of it, and `http` beneath them signs in, paces, counts, retries and redacts.
//!
//! A target decides nothing: it says what it can do ([`Schema`]), shows what is there, and does what it is told once.

pub mod brightpattern;
mod descriptor;
#[cfg(test)]
pub mod fake;
pub mod http;
pub mod imichat;
mod json;
mod listing;
mod registry;
pub mod scim;

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Account, AccountId, AttrId, Attributes, KeyHash, MatchRule, Schema};

pub use descriptor::{ConnectError, Descriptor, Link, SystemSettings};
pub use registry::{KINDS, find_kind};

/// One tenant of one system.
pub trait Connector: Send + Sync {
    fn schema(&self) -> &Schema;

    /// The kind and the address, as plans name it: `imichat https://acme.imi.chat/v3.1`.
    fn describe(&self) -> String;

    /// Signs in, so that a wrong key is known before anything else happens.
    fn sign_in(&self) -> BoxFuture<'_, Result<(), CallError>>;

    /// Every account, page by page, in no particular order, no id twice between two [`Listed::Again`]. Ends with exactly
    /// one [`Listed::End`], or with the first error.
    fn list(&self) -> BoxStream<'_, Result<Listed, CallError>>;

    /// One account as it is now; `None` when there is none of that id.
    fn get<'a>(&'a self, id: &'a AccountId) -> BoxFuture<'a, Result<Option<Account>, CallError>>;

    /// For each person sought, every account that any of the rules finds for these values. May cost a whole listing,
    /// so ask for many at once.
    fn find<'a>(
        &'a self,
        rules: &'a [MatchRule],
        sought: &'a [Attributes],
    ) -> BoxFuture<'a, Result<Vec<Vec<Account>>, CallError>>;

    /// Creates one account with exactly these values (all of them creatable). Sends at most one create: an answer that
    /// is lost is an error with [`Effect::Unknown`], never a repeat.
    fn create<'a>(&'a self, values: &'a Attributes) -> BoxFuture<'a, Result<AccountId, CallError>>;

    /// Sets exactly these values (all of them updatable).
    fn update<'a>(&'a self, id: &'a AccountId, values: &'a Attributes) -> BoxFuture<'a, Result<(), CallError>>;

    /// Deletes one account; only called where [`Schema::can_delete`].
    fn delete<'a>(&'a self, id: &'a AccountId) -> BoxFuture<'a, Result<(), CallError>>;

    /// Every value that an [`Attribute::reference`](crate::model::Attribute::reference) can have: the names of the
    /// tenant's teams, for instance. None where the system does not say.
    fn references(&self, _attribute: AttrId) -> BoxFuture<'_, Result<Option<Vec<String>>, CallError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Requests that listing `accounts` accounts takes while nobody changes them.
    fn listing_cost(&self, accounts: u64) -> u64;

    /// Requests that connecting and signing in take, each time.
    fn connecting_cost(&self) -> u64 {
        1
    }

    /// Requests that an update of these attributes takes beside the one that writes, because what is sent depends on
    /// what is there.
    fn reading_cost(&self, _attributes: &[AttrId]) -> u64 {
        0
    }

    /// Requests that looking up so many people takes, each of whom can be asked for by all of the rules, where there are
    /// so many accounts.
    fn finding_cost(&self, _rules: &[MatchRule], _people: u64, accounts: u64) -> u64 {
        self.listing_cost(accounts)
    }

    /// How often the token has to be renewed within so long from now, as far as the target says.
    fn renewals(&self, _within: Duration) -> u64 {
        0
    }

    /// What was sent so far, and what the server says of its quota.
    fn meter(&self) -> &Meter;

    /// What an earlier process saw of the quota, and how many requests others sent between two answers: believed until
    /// it resets or an answer says otherwise.
    fn recall(&self, _quota: Quota, _others_at_once: u64) {}
}

/// A piece of a listing.
#[derive(Debug)]
pub enum Listed {
    Page {
        accounts: Vec<Account>,
        /// How many pages there are, where the server says.
        pages: Option<u64>,
    },
    /// The list shifted while it was read, and is read from its beginning: what was shown so far is void.
    Again { why: String },
    End {
        /// Every account was shown since the last [`Listed::Again`]; only then may an absence mean anything, of an
        /// account as of a row.
        complete: bool,
        /// Why not, and anything else worth saying.
        notes: Vec<String>,
    },
}

/// Whether the request that failed may have changed the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The target certainly did not do it.
    None,
    /// It may have: the answer was lost, or did not say.
    Unknown,
}

/// What kind of failure it is, which decides who must act.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// The request for this account was refused; others may go on.
    Refused,
    /// There is no such account (any more).
    NotFound,
    /// The account exists already.
    Exists,
    /// Credentials, path, verb, header: no request will succeed until the configuration is mended.
    Configuration,
    /// The daily quota is used up to the reserve.
    Quota { resets_at: Option<Timestamp> },
    /// The target does not answer, or only with server errors, for longer than the retries allow.
    Unavailable,
    /// An answer whose shape nobody documented.
    Garbled,
    /// Somebody asked to stop before the request left.
    Stopped,
}

/// A failed call. The message carries what a person needs: what was asked, status, code, description, `trxid`; never a
/// secret.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    pub trouble: Trouble,
    pub effect: Effect,
    pub message: String,
    /// The system's own status code, or the HTTP status where it has none.
    pub code: Option<u32>,
    /// The server's transaction id.
    pub trxid: Option<String>,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl CallError {
    /// A failure without effect.
    pub fn new(trouble: Trouble, message: impl Into<String>) -> Self {
        Self { trouble, effect: Effect::None, message: message.into(), code: None, trxid: None, hint: None }
    }

    /// Whether the server answered, and said that it failed; not that it asked for patience.
    #[must_use]
    pub fn is_server_error(&self) -> bool {
        self.trouble == Trouble::Unavailable && self.code.is_some_and(|code| code != 429)
    }

    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What a request is for; the summary counts by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Auth,
    List,
    Lookup,
    Write,
}

/// Requests sent so far, and the server's quota as last seen. Shared by all requests of one target.
#[derive(Debug, Default)]
pub struct Meter {
    sent: [AtomicU64; 4],
    retried: AtomicU64,
    quota: Mutex<Option<Quota>>,
    others: Mutex<Others>,
}

/// What others were seen to take of the quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// Requests since the quota was last reset, or first seen, at least.
    pub taken: u64,
    /// The most between two answers, lately.
    pub at_once: u64,
}

/// The daily quota as the server last showed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    pub limit: Option<u64>,
    pub remaining: u64,
    pub resets_at: Option<Timestamp>,
}

/// A reading of a [`Meter`]. A repeat counts under its purpose and under `retried`; `total` counts it once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub auth: u64,
    pub list: u64,
    pub lookup: u64,
    pub write: u64,
    pub retried: u64,
    pub total: u64,
}

impl Meter {
    /// Counts a request that is about to leave.
    pub fn count(&self, purpose: Purpose) {
        self.sent[purpose as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts that the request about to leave repeats an earlier one.
    pub fn count_retry(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    #[must_use]
    pub fn sent(&self) -> Sent {
        let of = |purpose: Purpose| self.sent[purpose as usize].load(Ordering::Relaxed);
        let (auth, list, lookup, write) =
            (of(Purpose::Auth), of(Purpose::List), of(Purpose::Lookup), of(Purpose::Write));
        let retried = self.retried.load(Ordering::Relaxed);
        Sent { auth, list, lookup, write, retried, total: auth + list + lookup + write }
    }

    pub fn saw_quota(&self, quota: Quota) {
        *self.quota.lock().unwrap_or_else(PoisonError::into_inner) = Some(quota);
    }

    pub fn saw_others(&self, others: Others) {
        *self.others.lock().unwrap_or_else(PoisonError::into_inner) = others;
    }

    #[must_use]
    pub fn others(&self) -> Others {
        *self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[must_use]
    pub fn quota(&self) -> Option<Quota> {
        *self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requests ({} list, {} write, {} retried)", self.total, self.list, self.write, self.retried)
    }
}

/// [`Connector::find`] for systems that cannot be asked for one key: reads a whole listing and keeps what any rule finds
/// for any of the sought. The listing is passed in, so that its requests count as look-ups.
///
/// # Errors
/// The first error of the listing; or [`Trouble::Unavailable`] when the listing does not prove itself complete, because
/// then "not found" would mean nothing.
pub async fn find_by_listing(
    schema: &Schema,
    mut listing: BoxStream<'_, Result<Listed, CallError>>,
    rules: &[MatchRule],
    sought: &[Attributes],
) -> Result<Vec<Vec<Account>>, CallError> {
    let mut scratch = Vec::new();
    // Who is sought under which rule by which key.
    let mut wanted: HashMap<(usize, KeyHash), Vec<usize>> = HashMap::new();
    for (person, values) in sought.iter().enumerate() {
        for (at, rule) in rules.iter().enumerate() {
            if let Some(key) = rule.key(schema, |id| values.get(id), &mut scratch) {
                wanted.entry((at, key)).or_default().push(person);
            }
        }
    }
    let mut found = vec![Vec::new(); sought.len()];
    while let Some(piece) = listing.next().await {
        match piece? {
            Listed::Page { accounts, .. } => {
                for account in accounts {
                    let mut people: Vec<usize> = Vec::new();
                    for (at, rule) in rules.iter().enumerate() {
                        let key = rule.key(schema, |id| account.values.get(id), &mut scratch);
                        people.extend(key.and_then(|key| wanted.get(&(at, key))).into_iter().flatten());
                    }
                    people.sort_unstable();
                    people.dedup();
                    for person in people {
                        found[person].push(account.clone());
                    }
                }
            }
            Listed::Again { .. } => found.iter_mut().for_each(Vec::clear),
            Listed::End { complete: true, .. } => return Ok(found),
            Listed::End { complete: false, notes } => {
                return Err(CallError::new(
                    Trouble::Unavailable,
                    format!("the listing is not complete, so nobody can be looked up in it: {}", notes.join("; ")),
                ));
            }
        }
    }
    Err(CallError::new(Trouble::Unavailable, "the listing has no end, so nobody can be looked up in it"))
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;
    use crate::model::{Attribute, Kind, Value};

    fn schema() -> Schema {
        let text = |name| Attribute::new(name, Kind::Text).ignoring_case();
        Schema::new(vec![text("login"), text("email")])
    }

    fn values(login: &str, email: &str) -> Attributes {
        [(AttrId(0), Value::text(login)), (AttrId(1), Value::text(email))].into_iter().collect()
    }

    fn account(id: &str, login: &str, email: &str) -> Account {
        Account { id: AccountId(id.to_owned()), values: values(login, email), protected: None }
    }

    async fn find(pieces: Vec<Listed>, sought: &[Attributes]) -> Result<Vec<Vec<String>>, CallError> {
        let schema = schema();
        let rules = [MatchRule::new(&schema, vec![AttrId(0)]), MatchRule::new(&schema, vec![AttrId(1)])];
        let listing = stream::iter(pieces.into_iter().map(Ok)).boxed();
        let found = find_by_listing(&schema, listing, &rules, sought).await?;
        Ok(found.into_iter().map(|accounts| accounts.into_iter().map(|account| account.id.0).collect()).collect())
    }

    fn pages() -> Vec<Listed> {
        vec![
            Listed::Page { accounts: vec![account("1", "ana", "ana@x"), account("2", "bo", "bo@x")], pages: None },
            Listed::Page { accounts: vec![account("3", "cy", "ANA@x")], pages: None },
        ]
    }

    #[tokio::test]
    async fn everybody_that_any_rule_finds_is_found_once_for_each_who_is_sought() {
        let mut listing = pages();
        listing.push(Listed::End { complete: true, notes: Vec::new() });
        let sought = [values("Ana", "ana@x"), values("", ""), values("zoe", "bo@x"), values("BO", "")];
        let found = find(listing, &sought).await.unwrap();
        assert_eq!(found, [vec!["1", "3"], vec![], vec!["2"], vec!["2"]]);
    }

    #[tokio::test]
    async fn what_was_shown_before_the_list_shifted_is_void() {
        let mut listing = pages();
        listing.push(Listed::Again { why: "it shifted".to_owned() });
        listing.push(Listed::Page { accounts: vec![account("2", "bo", "bo@x")], pages: None });
        listing.push(Listed::End { complete: true, notes: Vec::new() });
        let found = find(listing, &[values("ana", ""), values("bo", "")]).await.unwrap();
        assert_eq!(found, [vec![], vec!["2"]]);
    }

    #[tokio::test]
    async fn in_a_listing_that_is_not_complete_nobody_is_missing_for_certain() {
        let mut cut = pages();
        cut.push(Listed::End { complete: false, notes: vec!["it shifted".to_owned()] });
        let error = find(cut, &[values("zoe", "")]).await.unwrap_err();
        assert!(error.trouble == Trouble::Unavailable && error.message.contains("it shifted"));
        assert_eq!(find(pages(), &[values("ana", "")]).await.unwrap_err().trouble, Trouble::Unavailable);
    }
}
