//! A simulated imi.chat tenant: REST API v3.1 as the reference pages have it.

mod body;
mod operate;
mod reply;
mod seed;
mod serve;
mod tenant;
#[cfg(test)]
mod tests;
mod tokens;
mod wire;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use tenant::{Account, Allowed, Privilege, Role, RoleType, Status, Team, TenantFile};
pub use tokens::TokenLife;

use super::faults::Script;
use super::ledger::{Book, Ledger};
use super::quota::Counter;
use super::state::{Found, Store};
use super::{Options, SandboxError};
use crate::clock::Clock;
use tenant::Tenant;
use tokens::Tokens;

/// What the reference leaves open, or contradicts itself about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    pub links: Links,
    pub list: ListShape,
    pub past_the_end: PastTheEnd,
    pub omitted: Omitted,
    pub uniqueness: Uniqueness,
    pub stamps: Stamps,
    pub booleans: Booleans,
    /// The name of a team's id in `privileges`.
    pub privilege_key: String,
    pub token_life: TokenLife,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            links: Links::NextAndPages,
            list: ListShape::Users,
            past_the_end: PastTheEnd::NotFound,
            omitted: Omitted::Keep,
            uniqueness: Uniqueness::Enforced,
            stamps: Stamps::Distinct,
            booleans: Booleans::Json,
            privilege_key: "teamid".to_owned(),
            token_life: TokenLife::default(),
        }
    }
}

/// What `response.links` holds; `next` is an address, `null` on the last page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    NextAndPages,
    Next,
    Pages,
    Absent,
}

/// Where the users of a page stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListShape {
    /// `response.users`, with `response.links`.
    Users,
    /// `response` is the array; there is no place for links then.
    Array,
}

/// What a page past the end is. The first page of an empty tenant is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastTheEnd {
    /// 404 with 3101.
    NotFound,
    EmptyPage,
}

/// What becomes of a field that an update leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Omitted {
    Keep,
    /// All but the name and the status, which cannot be empty.
    Clear,
}

/// Whether two accounts may have one login or email.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    Enforced,
    NotEnforced,
}

/// How the two times of an account are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    /// `created_at` and `updated_at`.
    Distinct,
    /// `created_at` twice, as the pages print it.
    CreatedTwice,
}

/// How a boolean is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Booleans {
    Json,
    /// `"true"` and `"false"`.
    Text,
}

/// The base URL of a tenant served there.
pub(super) fn base_url(address: SocketAddr) -> String {
    format!("http://{address}{}", serve::BASE)
}

/// Every path and method is looked at in one place, because each must be answered as this API would.
pub(super) fn router(server: Arc<Server>) -> Router {
    Router::new().fallback(serve::answer).with_state(server)
}

/// A tenant and all that is shared between its requests.
pub(super) struct Server {
    behaviour: Behaviour,
    /// What the header `auth_code` has to be.
    auth_code: String,
    base_url: String,
    latency: Duration,
    jitter: Duration,
    clock: Arc<dyn Clock>,
    script: Script,
    counter: Counter,
    tokens: Tokens,
    /// Taken before `book` where both are needed.
    tenant: RwLock<Tenant>,
    book: Mutex<Book>,
    store: Option<Store>,
    shut: AtomicBool,
    trxid_prefix: u32,
    trxids: AtomicU64,
}

impl Server {
    /// Opens the tenant: from its state where there is one, from the seed otherwise.
    pub(super) fn open(options: Options, address: SocketAddr) -> Result<Self, SandboxError> {
        let store = options.state.clone().map(Store::new);
        let found = store.as_ref().map(Store::open::<TenantFile>).transpose()?;
        let (snapshot, effects, count, ledger, quota) = match found {
            Some(Found { snapshot, effects, count, ledger, quota }) => {
                (snapshot, effects, count, Some(ledger), Some(quota))
            }
            None => (None, Vec::new(), None, None, None),
        };
        let (path, file) = match snapshot {
            Some(file) => (options.state.clone().unwrap_or_default(), file),
            None => seed::read(&options.seed)?,
        };
        let done = file.effects;
        let mut tenant = Tenant::new(file, options.imichat.clone(), &path)?;
        for effect in effects.iter().filter(|effect| effect.n > done) {
            tenant.apply(effect);
        }
        if let Some(store) = &store {
            // From here on the tenant no longer depends on the seed, and what was replayed need not be again.
            store.save(&tenant.file(effects.len() as u64))?;
        }
        let random = options.clock.random();
        Ok(Self {
            tokens: Tokens::new(options.imichat.token_life),
            behaviour: options.imichat,
            auth_code: STANDARD.encode(format!("{}@{}", options.api_key, options.domain)),
            base_url: base_url(address),
            latency: options.latency,
            jitter: options.jitter,
            script: Script::new(options.faults),
            counter: Counter::new(options.quota, count, quota),
            tenant: RwLock::new(tenant),
            book: Mutex::new(Book::new(effects, ledger)),
            store,
            shut: AtomicBool::new(false),
            // Half of the number is enough to tell two runs of a sandbox apart.
            trxid_prefix: (random >> 32) as u32,
            trxids: AtomicU64::new(0),
            clock: options.clock,
        })
    }

    pub(super) fn ledger(&self) -> Ledger {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).snapshot()
    }

    pub(super) fn accounts(&self) -> Vec<Account> {
        self.tenant.read().unwrap_or_else(PoisonError::into_inner).accounts()
    }

    pub(super) fn requests(&self) -> u64 {
        self.counter.used()
    }

    /// Nothing takes effect from here on, and no connection gets another answer.
    pub(super) fn shut(&self) {
        self.shut.store(true, Ordering::Release);
        self.counter.shut();
        self.book.lock().unwrap_or_else(PoisonError::into_inner).shut();
    }

    /// Saves the state; the tenant is of no use afterwards.
    pub(super) fn save(&self) -> Result<(), SandboxError> {
        // Saved before the ledger is let go, so that no other sandbox can come between; effects wait for the tenant.
        let tenant = self.tenant.write().unwrap_or_else(PoisonError::into_inner);
        let effects = self.book.lock().unwrap_or_else(PoisonError::into_inner).len();
        let saved = match &self.store {
            Some(store) => store.save(&tenant.file(effects)),
            None => Ok(()),
        };
        self.shut();
        saved
    }
}

/// The name that errors give a seed that is no file.
fn unnamed() -> PathBuf {
    PathBuf::from("seed")
}
