//! What every simulated tenant does alike, whatever its API: it counts requests, follows the script of faults, takes its
//! time, records effects before they happen, keeps its state between runs, and dies like a crash when it is dropped.
//!
//! Law: an effect is recorded first, then it happens, then it is answered; where it cannot be recorded it does not happen.

use std::any::Any;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::faults::{AskedRequest, FaultOperation as AskedOp, Headers, Instead, Reaction, Script, Shift, When};
use super::ledger::{Ledger, LedgerBook, LedgerEffect, LedgerOperation, Unrecorded};
use super::quota::{Counter, Day, Passage, QuotaStanding, SimulatedQuota};
use super::reply::{Cut, SandboxReply};
use super::server::Wire;
use super::state::{FoundState, Store};
use super::tokens::{TokenLife, Tokens};
use super::{Options, SandboxError, Seed};
use crate::clock::Clock;

const MAX_BODY: usize = 1 << 20;

/// A simulated tenant, whatever its kind.
pub(super) trait Hosted: Any + Send + Sync {
    fn base_url(&self) -> &str;
    fn ledger(&self) -> Ledger;
    /// The accounts as they are kept, in the order in which they are listed.
    fn accounts_json(&self) -> Vec<Value>;
    fn requests(&self) -> u64;
    fn days(&self) -> Vec<Day>;
    /// Nothing takes effect from here on, and no connection gets another answer.
    fn refuse_requests(&self);
    /// Saves the state; the tenant is of no use afterwards.
    fn save_state(&self) -> Result<(), SandboxError>;
}

/// The accounts of one tenant, and what may become of them.
pub(super) trait Tenant: Send + Sync + 'static {
    /// What a seed says and what is kept between runs.
    type File: Serialize + DeserializeOwned;
    type AccountOf: Serialize;

    /// The tenant as a file that has so many effects in it already.
    fn state_file(&self, effects: u64) -> Self::File;
    /// How many effects are in a file already.
    fn effects_of(file: &Self::File) -> u64;
    /// In the order in which they are listed.
    fn accounts(&self) -> Vec<Self::AccountOf>;
    /// Does what an effect says: once when it happens, and again whenever the tenant is rebuilt.
    fn apply(&mut self, effect: &LedgerEffect);
}

pub(super) type FileOf<A> = <<A as SandboxApi>::TenantOf as Tenant>::File;

/// One API: what is asked for, what it does, how it is answered.
pub(super) trait SandboxApi: Send + Sync + Sized + 'static {
    type TenantOf: Tenant;
    /// The path that everything is below.
    const BASE: &'static str;
    /// Whether the requests of a day are limited.
    const DAILY: bool;

    /// What the seed holds, and the name that errors give it.
    fn seed(seed: &Seed) -> Result<(PathBuf, FileOf<Self>), SandboxError>;
    fn open_tenant(&self, file: FileOf<Self>, path: &Path) -> Result<Self::TenantOf, SandboxError>;
    /// What a request is for, as faults name it.
    fn requested_operation(&self, method: &Method, path: &str) -> Option<AskedOp>;
    /// The login of the person that a request is about, as faults name it.
    fn named_login(host: &Host<Self>, call: &SandboxCall<'_>) -> Option<String>;
    /// The page of a list that is asked for.
    fn requested_page(&self, call: &SandboxCall<'_>) -> Option<u64>;
    /// Does what is asked.
    fn perform_operation(host: &Host<Self>, call: &SandboxCall<'_>) -> Result<SandboxReply, Cut>;
    /// Somebody else changes the tenant.
    fn shift_list(host: &Host<Self>, shift: Shift, trxid: &str);
    /// A refusal in the form that this API gives them.
    fn error_reply(&self, status: StatusCode, code: u32, description: &str) -> SandboxReply;
    /// What is said of a body that cannot be read.
    fn unreadable_reply(&self, why: &str) -> SandboxReply;
    /// A body that breaks off.
    fn broken_off(&self, status: StatusCode) -> SandboxReply;
    /// The headers that all answers have.
    fn reply_headers(&self, _trxid: &str, _standing: &QuotaStanding, _reset: &str) -> Headers {
        Headers::new()
    }
}

/// A request as the operations see it.
pub(super) struct SandboxCall<'a> {
    pub method: &'a Method,
    /// Below the base URL.
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
    pub body: Bytes,
    pub trxid: &'a str,
    /// Whether what is done will be said.
    pub answered: bool,
}

impl SandboxCall<'_> {
    /// A header's text; empty where it is none.
    pub(super) fn header_text(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap_or_default())
    }
}

/// An effect that is about to be recorded.
pub(super) struct Draft {
    pub op: LedgerOperation,
    pub id: String,
    pub login_id: String,
    pub fields: Map<String, Value>,
    pub password: Option<String>,
}

/// A tenant and all that is shared between its requests.
pub(super) struct Host<A: SandboxApi> {
    pub api: A,
    pub tokens: Tokens,
    pub clock: Arc<dyn Clock>,
    base_url: String,
    latency: Duration,
    jitter: Duration,
    script: Script,
    counter: Counter,
    /// Taken before `book` where both are needed.
    tenant: RwLock<A::TenantOf>,
    book: Mutex<LedgerBook>,
    store: Option<Store>,
    shut: AtomicBool,
    trxid_prefix: u32,
    trxids: AtomicU64,
}

/// The base URL of an API that is served there.
pub(super) fn base_url<A: SandboxApi>(address: SocketAddr) -> String {
    format!("http://{address}{}", A::BASE)
}

/// Every path and method is looked at in one place, because each must be answered as the API would.
pub(super) fn make_router<A: SandboxApi>(host: Arc<Host<A>>) -> Router {
    Router::new().fallback(answer_request::<A>).with_state(host)
}

impl<A: SandboxApi> Host<A> {
    /// Opens the tenant: from its state where there is one, from the seed otherwise.
    pub(super) fn open(api: A, life: TokenLife, options: Options, address: SocketAddr) -> Result<Self, SandboxError> {
        let store = options.state.clone().map(Store::new);
        let found = store.as_ref().map(Store::open::<FileOf<A>>).transpose()?;
        let (snapshot, effects, count, ledger, quota) = match found {
            Some(FoundState { snapshot, effects, count, ledger, quota }) => {
                (snapshot, effects, count, Some(ledger), Some(quota))
            }
            None => (None, Vec::new(), None, None, None),
        };
        let (path, file) = match snapshot {
            Some(file) => (options.state.clone().unwrap_or_default(), file),
            None => A::seed(&options.seed)?,
        };
        let done = A::TenantOf::effects_of(&file);
        let mut tenant = api.open_tenant(file, &path)?;
        for effect in effects.iter().filter(|effect| effect.n > done) {
            tenant.apply(effect);
        }
        if let Some(store) = &store {
            // From here on the tenant no longer depends on the seed, and what was replayed need not be again.
            store.save_snapshot(&tenant.state_file(effects.len() as u64))?;
        }
        let limits = if A::DAILY { options.quota } else { SimulatedQuota { per_day: u64::MAX, ..options.quota } };
        let random = options.clock.random();
        Ok(Self {
            api,
            tokens: Tokens::new(life),
            base_url: base_url::<A>(address),
            latency: options.latency,
            jitter: options.jitter,
            script: Script::new(options.faults),
            counter: Counter::new(limits, count, quota),
            tenant: RwLock::new(tenant),
            book: Mutex::new(LedgerBook::new(effects, ledger)),
            store,
            shut: AtomicBool::new(false),
            // Half of the number is enough to tell two runs of a sandbox apart.
            trxid_prefix: (random >> 32) as u32,
            trxids: AtomicU64::new(0),
            clock: options.clock,
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.base_url
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, A::TenantOf> {
        self.tenant.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, A::TenantOf> {
        self.tenant.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an effect, then lets it happen.
    pub(super) fn record_effect(
        &self,
        tenant: &mut A::TenantOf,
        draft: Draft,
        trxid: &str,
        answered: bool,
    ) -> Result<(), Unrecorded> {
        let Draft { op, id, login_id, fields, password } = draft;
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let n = book.len() + 1;
        let at = self.clock.now();
        let effect = LedgerEffect { n, at, op, id, login_id, fields, password, trxid: trxid.to_owned(), answered };
        book.append_effect(&effect)?;
        drop(book);
        tenant.apply(&effect);
        Ok(())
    }

    fn next_trxid(&self) -> String {
        format!("sbx-{:08x}-{:08}", self.trxid_prefix, self.trxids.fetch_add(1, Ordering::Relaxed) + 1)
    }

    async fn reply_to(&self, request: Request, trxid: &str) -> Result<SandboxReply, Cut> {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, MAX_BODY).await else {
            return Ok(self.api.unreadable_reply("the body is too long or broke off"));
        };
        let path = parts.uri.path().strip_prefix(A::BASE).unwrap_or_default();
        let query = parts.uri.query();
        let mut call =
            SandboxCall { method: &parts.method, path, query, headers: &parts.headers, body, trxid, answered: true };
        let reaction = self.react_to(&call);
        call.answered = reaction.instead.is_none();

        self.wait_for(self.latency + self.random_jitter()).await;
        if let Some(shift) = reaction.shift {
            A::shift_list(self, shift, trxid);
        }
        if reaction.expire {
            self.tokens.expire_all();
        }
        if let Some(remaining) = reaction.remaining {
            self.counter.leave_remaining(remaining);
        }
        let mut reply = match reaction.when {
            When::Before => {
                self.wait_for(reaction.delay).await;
                match reaction.instead {
                    Some(instead) => self.instead_of_the_truth(instead)?,
                    None => A::perform_operation(self, &call)?,
                }
            }
            When::After => {
                let truth = A::perform_operation(self, &call)?;
                self.wait_for(reaction.delay).await;
                reaction.instead.map_or(Ok(truth), |instead| self.instead_of_the_truth(instead))?
            }
        };
        reply.remaining = reaction.remaining;
        Ok(reply)
    }

    fn react_to(&self, call: &SandboxCall<'_>) -> Reaction {
        if self.script.is_empty() {
            return Reaction::default();
        }
        let login = A::named_login(self, call);
        self.script.react_to(&AskedRequest {
            op: self.api.requested_operation(call.method, call.path),
            method: call.method,
            path: call.path,
            login: login.as_deref(),
            page: self.api.requested_page(call),
        })
    }

    fn instead_of_the_truth(&self, instead: Instead) -> Result<SandboxReply, Cut> {
        let (mut reply, headers) = match instead {
            Instead::Nothing => return Err(Cut),
            Instead::Envelope { status, code, description, headers } => {
                (self.api.error_reply(status, code, &description), headers)
            }
            Instead::Html { status, headers } => (SandboxReply::from_html(status), headers),
            Instead::Garbage { status, headers } => (self.api.broken_off(status), headers),
        };
        reply.headers.extend(headers);
        Ok(reply)
    }

    async fn wait_for(&self, time: Duration) {
        if !time.is_zero() {
            self.clock.sleep(time).await;
        }
    }

    fn random_jitter(&self) -> Duration {
        if self.jitter.is_zero() {
            return Duration::ZERO;
        }
        let nanos = u64::try_from(self.jitter.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.clock.random() % nanos.max(1))
    }
}

impl<A: SandboxApi> Hosted for Host<A> {
    fn base_url(&self) -> &str {
        &self.base_url
    }

    fn ledger(&self) -> Ledger {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).copy_ledger()
    }

    fn accounts_json(&self) -> Vec<Value> {
        // An account's keys are texts, so that it always is a JSON value.
        self.read().accounts().iter().map(|account| serde_json::to_value(account).unwrap_or_default()).collect()
    }

    fn requests(&self) -> u64 {
        self.counter.used_today()
    }

    fn days(&self) -> Vec<Day> {
        self.counter.days()
    }

    fn refuse_requests(&self) {
        self.shut.store(true, Ordering::Release);
        self.counter.exhaust_day();
        self.book.lock().unwrap_or_else(PoisonError::into_inner).close_book();
    }

    fn save_state(&self) -> Result<(), SandboxError> {
        // Saved before the ledger is let go, so that no other sandbox can come between; effects wait for the tenant.
        let tenant = self.write();
        let effects = self.book.lock().unwrap_or_else(PoisonError::into_inner).len();
        let saved = match &self.store {
            Some(store) => store.save_snapshot(&tenant.state_file(effects)),
            None => Ok(()),
        };
        self.refuse_requests();
        saved
    }
}

/// Answers every request, whatever its path and method.
async fn answer_request<A: SandboxApi>(
    State(host): State<Arc<Host<A>>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    if host.shut.load(Ordering::Acquire) {
        return wire.cut_connection();
    }
    let trxid = host.next_trxid();
    let (passage, mut standing) = host.counter.spend_request(host.clock.now());
    let too_many = |why: &str, seconds: i64| {
        let reply = host.api.error_reply(StatusCode::TOO_MANY_REQUESTS, 429, why);
        Ok(reply.with_header(RETRY_AFTER, HeaderValue::from(seconds)))
    };
    let reply = match passage {
        // In a task of its own: what has arrived is carried out, whether or not whoever sent it is still there.
        Passage::Free => {
            let (host, trxid) = (Arc::clone(&host), trxid.clone());
            tokio::spawn(async move { host.reply_to(request, &trxid).await }).await.unwrap_or(Err(Cut))
        }
        Passage::TooFast => too_many("Too many requests", 1),
        Passage::OverTheDay => {
            too_many("Too many requests: the daily request limit is exceeded", standing.seconds_left)
        }
    };
    let Ok(reply) = reply else { return wire.cut_connection() };
    if let Some(remaining) = reply.remaining {
        standing.remaining = remaining;
    }
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    if !reply.content_type.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    }
    let of_all = host.api.reply_headers(&trxid, &standing, &host.counter.write_reset(&standing));
    headers.extend(of_all.into_iter().chain(reply.headers).map(|(name, value)| (Some(name), value)));
    response
}
