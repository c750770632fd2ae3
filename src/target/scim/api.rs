//! The requests of the protocol. What the server can do is what it announced, until it proves otherwise: a PATCH that it
//! does not have becomes a PUT, a content type that it does not know becomes plain JSON, and both stay so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, LOCATION,
};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value as Json};
use tokio::sync::OnceCell;
use tracing::warn;

use super::answer::{Asked, body, is_too_many, no_scim, refusal};
use super::change::Changes;
use super::discovery::{Abilities, abilities, definitions, endpoint};
use super::path::member;
use super::resource;
use super::schema::Layout;
use super::twice;
use super::walk::{Ask, Page, PageRead};
use super::{Login, Settings, UpdateMethod};
use crate::clock::{Clock, Stop};
use crate::model::{Account, AccountId, AttrId, Attributes, Secret};
use crate::target::http::{
    Answer, Authorization, Client, ClientCredentials, ClientSettings, Rate, Repeat, Request, Verdict, segment,
};
use crate::target::{CallError, Effect, Purpose, Trouble};

const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");
const PLAIN_JSON: HeaderValue = HeaderValue::from_static("application/json");
const EITHER_JSON: HeaderValue = HeaderValue::from_static("application/scim+json, application/json");

/// One server's API, and what is known of it.
pub(super) struct Api {
    pub http: Client,
    auth: Authorization,
    pub layout: Layout,
    /// The path of the users.
    endpoint: String,
    abilities: Abilities,
    page_size: u64,
    method: UpdateMethod,
    /// Updates are PUTs.
    puts: AtomicBool,
    /// The server does not take `application/scim+json`.
    plain: AtomicBool,
    /// Filters are not to be trusted.
    unfiltered: AtomicBool,
    /// How many accounts the last listing showed, plus one; 0 before the first.
    listed: AtomicU64,
    /// How many accounts the server puts on a page.
    step: AtomicU64,
    /// Requests that it took to sign in and to learn what the server is.
    pub connecting: u64,
    let_in: OnceCell<()>,
}

/// A resource as it is, and its version.
pub(super) struct Current {
    pub resource: Map<String, Json>,
    version: Option<HeaderValue>,
}

/// What a try to change an account came to.
enum Tried {
    Done,
    /// The account is not what it was when it was read.
    Changed(CallError),
    /// The server has no PATCH.
    NoPatch,
}

impl Api {
    /// Signs in and asks the server what it is.
    pub async fn discover(
        settings: &Settings,
        base_url: &str,
        rate: &Rate,
        clock: Arc<dyn Clock>,
        stop: Arc<Stop>,
        login: Login,
        layout: Layout,
    ) -> Result<Self, CallError> {
        let http = Client::new(ClientSettings {
            base_url,
            rate,
            clock,
            stop,
            secret_headers: vec![AUTHORIZATION],
            transaction_header: Some(HeaderName::from_static("x-request-id")),
            read_quota: None,
        })?;
        let auth = authorization(login)?;
        auth.redact(&http);
        auth.sign_in(&http).await?;
        let (config, types, schemas) = futures::join!(
            announced(&http, &auth, "/ServiceProviderConfig"),
            announced(&http, &auth, "/ResourceTypes"),
            announced(&http, &auth, "/Schemas"),
        );
        let abilities = config?.as_ref().map(abilities).unwrap_or_default();
        let announced = types?.and_then(|types| endpoint(&types, http.base_url()));
        let layout = schemas?.map_or(layout.clone(), |schemas| layout.refined(&definitions(&schemas)));
        let puts = match settings.update_method {
            UpdateMethod::Auto => abilities.patch == Some(false),
            UpdateMethod::Patch => false,
            UpdateMethod::Put => true,
        };
        let page_size = u64::from(settings.page_size);
        let page_size = abilities.page_size.map_or(page_size, |most| page_size.min(most)).max(1);
        let mut api = Self {
            http,
            auth,
            layout,
            endpoint: announced.clone().unwrap_or_else(|| "/Users".to_owned()),
            abilities,
            page_size,
            method: settings.update_method,
            puts: AtomicBool::new(puts),
            plain: AtomicBool::new(false),
            unfiltered: AtomicBool::new(false),
            listed: AtomicU64::new(0),
            step: AtomicU64::new(page_size),
            connecting: 0,
            let_in: OnceCell::new(),
        };
        if announced.is_none() {
            api.find_users().await?;
        }
        let sent = api.http.meter().sent();
        api.connecting = sent.total - sent.retried;
        Ok(api)
    }

    /// Asks for one account, because only that tells whether the credentials are accepted: what a server says of itself
    /// it often says to everybody.
    pub async fn sign_in(&self) -> Result<(), CallError> {
        self.let_in.get_or_try_init(|| self.knock(&self.endpoint)).await.map(|_| ())
    }

    /// Whether an account is read before these attributes of it are changed.
    pub fn reads_before(&self, attributes: &[AttrId]) -> bool {
        self.puts.load(Ordering::Relaxed) || attributes.iter().any(|id| self.layout.path(*id).filter.is_some())
    }

    pub fn renewals(&self, within: Duration) -> u64 {
        self.auth.renewals(&self.http, within)
    }

    /// Accounts on a page, as far as is known.
    pub fn page_size(&self) -> u64 {
        self.page_size
    }

    pub fn has_cursors(&self) -> bool {
        self.abilities.cursor
    }

    /// What a listing showed.
    pub fn learn(&self, accounts: u64, step: u64) {
        self.listed.store(accounts.saturating_add(1), Ordering::Relaxed);
        self.step.store(step.max(1), Ordering::Relaxed);
    }

    /// How many accounts there are, where a listing was read.
    pub fn listed(&self) -> Option<u64> {
        self.listed.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Requests that listing this many accounts takes.
    pub fn pages(&self, accounts: u64) -> u64 {
        let step = self.step.load(Ordering::Relaxed).max(1);
        let pages = accounts.div_ceil(step).max(1);
        if self.has_cursors() {
            return pages;
        }
        // One full page may or may not be all there is.
        if accounts <= step { accounts / step + 1 } else { pages + twice::requests(pages) }
    }

    pub fn filters(&self) -> bool {
        self.abilities.filter != Some(false) && !self.unfiltered.load(Ordering::Relaxed)
    }

    pub fn distrust_filters(&self) {
        if !self.unfiltered.swap(true, Ordering::Relaxed) {
            warn!("the server ignores filters: accounts are looked up in whole listings");
        }
    }

    /// One page of the listing.
    pub async fn page(&self, ask: &Ask, purpose: Purpose) -> Result<PageRead, CallError> {
        let query = match ask {
            Ask::Index { start, count } => format!("startIndex={start}&count={count}"),
            Ask::Cursor { cursor, count } => {
                format!("cursor={}&count={count}", cursor.as_deref().map(query_value).unwrap_or_default())
            }
        };
        let path = format!("{}?{query}", self.endpoint);
        self.send(&Request::get(&path, purpose), None, |answer| {
            if is_too_many(answer) {
                return Verdict::Done(PageRead::TooMany);
            }
            self.judge_page(answer).map_done(PageRead::Page)
        })
        .await
    }

    /// The accounts that a filter finds; none where the server does not know this filter.
    pub async fn filtered(&self, filter: &str) -> Result<Option<Page>, CallError> {
        let path = format!("{}?filter={}&count={}", self.endpoint, query_value(filter), self.page_size);
        self.send(&Request::get(&path, Purpose::Lookup), None, |answer| match answer.status.as_u16() {
            400 | 403 | 404 | 405 | 413 | 501 => Verdict::Done(None),
            _ => self.judge_page(answer).map_done(Some),
        })
        .await
    }

    pub async fn user(&self, id: &AccountId) -> Result<Option<Account>, CallError> {
        let Some(path) = self.path(id) else { return Ok(None) };
        let current = self.current(&path).await?;
        let shown = |current: Current| {
            let resource = Json::Object(current.resource);
            resource::account(&self.layout, &resource).ok_or_else(|| {
                CallError::new(Trouble::Garbled, format!("the answer about {id} holds no user with an id"))
            })
        };
        current.map(shown).transpose()
    }

    /// Sends the one create. Only what certainly was not carried out is repeated.
    pub async fn create(&self, values: &Attributes) -> Result<AccountId, CallError> {
        let changes = Changes::new(&self.layout, values)?;
        let request = Request {
            method: Method::POST,
            path: &self.endpoint,
            body: Some(changes.resource().to_string().into()),
            purpose: Purpose::Write,
            repeat: Repeat::IfUnsent,
            secrets: &changes.secrets,
        };
        self.send(&request, None, |answer| {
            if !answer.status.is_success() {
                return refusal(answer, Asked::Create);
            }
            if let Some(id) = created(answer) {
                return Verdict::Done(id);
            }
            Verdict::Refused(
                CallError::new(Trouble::Garbled, "the account may be created, but the answer does not say its id")
                    .with_effect(Effect::Unknown),
            )
        })
        .await
    }

    pub async fn update(&self, id: &AccountId, values: &Attributes) -> Result<(), CallError> {
        let changes = Changes::new(&self.layout, values)?;
        let path = self.path(id).ok_or_else(|| no_account(id))?;
        let mut again = true;
        loop {
            let puts = self.puts.load(Ordering::Relaxed);
            let current = if puts || changes.need_current() {
                Some(self.current(&path).await?.ok_or_else(|| no_account(id))?)
            } else {
                None
            };
            let version = current.as_ref().and_then(|current| current.version.clone());
            let tried = if puts {
                let mut resource = current.map(|current| current.resource).unwrap_or_default();
                changes.merge_into(&mut resource);
                // The server's own, which some servers refuse to be told.
                resource.retain(|name, _| !["meta", "groups"].iter().any(|own| name.eq_ignore_ascii_case(own)));
                self.put(&path, Json::Object(resource), version, &changes.secrets).await?
            } else {
                match changes.patch(current.map(|current| current.resource).unwrap_or_default()) {
                    Some(patch) => self.patch(&path, &patch, version, &changes.secrets).await?,
                    None => Tried::Done,
                }
            };
            match tried {
                Tried::Done => return Ok(()),
                Tried::Changed(_) if again => again = false,
                Tried::Changed(error) => return Err(error),
                Tried::NoPatch => {
                    if !self.puts.swap(true, Ordering::Relaxed) {
                        warn!("the server has no PATCH, whatever it announces: accounts are changed with PUT");
                    }
                }
            }
        }
    }

    pub async fn delete(&self, id: &AccountId) -> Result<(), CallError> {
        let path = self.path(id).ok_or_else(|| no_account(id))?;
        let request = Request {
            method: Method::DELETE,
            path: &path,
            body: None,
            purpose: Purpose::Write,
            repeat: Repeat::Safe,
            secrets: &[],
        };
        self.send(&request, None, |answer| match answer.status.is_success() {
            true => Verdict::Done(()),
            false => refusal(answer, Asked::Account),
        })
        .await
    }

    async fn patch(
        &self,
        path: &str,
        patch: &Json,
        version: Option<HeaderValue>,
        secrets: &[Secret],
    ) -> Result<Tried, CallError> {
        let may_put = self.method == UpdateMethod::Auto;
        self.write(Method::PATCH, path, patch, version, secrets, |answer| match answer.status {
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED if may_put => Some(Tried::NoPatch),
            _ => None,
        })
        .await
    }

    async fn put(
        &self,
        path: &str,
        resource: Json,
        version: Option<HeaderValue>,
        secrets: &[Secret],
    ) -> Result<Tried, CallError> {
        self.write(Method::PUT, path, &resource, version, secrets, |_| None).await
    }

    /// Changes an account. Setting the same values twice is setting them once, so it is repeated when its answer is
    /// lost.
    async fn write(
        &self,
        method: Method,
        path: &str,
        body: &Json,
        version: Option<HeaderValue>,
        secrets: &[Secret],
        special: impl Fn(&Answer) -> Option<Tried> + Send + Sync,
    ) -> Result<Tried, CallError> {
        let body = Some(body.to_string().into());
        let request = Request { method, path, body, purpose: Purpose::Write, repeat: Repeat::Safe, secrets };
        self.send(&request, version, |answer| {
            if let Some(tried) = special(answer) {
                return Verdict::Done(tried);
            }
            match answer.status {
                StatusCode::PRECONDITION_FAILED => Verdict::Done(Tried::Changed(CallError {
                    code: Some(412),
                    ..CallError::new(Trouble::Refused, "the account was changed meanwhile, twice (HTTP 412)")
                })),
                // A page of a proxy is no proof that anything was done.
                status if status.is_success() && answer.body.trim_ascii_start().starts_with(b"<") => {
                    Verdict::ServerError(no_scim(answer))
                }
                status if status.is_success() => Verdict::Done(Tried::Done),
                _ => refusal(answer, Asked::Account),
            }
        })
        .await
    }

    /// A resource as it is now.
    async fn current(&self, path: &str) -> Result<Option<Current>, CallError> {
        let versions = self.abilities.etag != Some(false);
        self.send(&Request::get(path, Purpose::Lookup), None, |answer| {
            if answer.status == StatusCode::NOT_FOUND {
                return Verdict::Done(None);
            }
            if !answer.status.is_success() {
                return refusal(answer, Asked::Account);
            }
            match body(answer) {
                Ok(Json::Object(resource)) => {
                    let version = versions.then(|| version(answer, &resource)).flatten();
                    Verdict::Done(Some(Current { resource, version }))
                }
                Ok(_) => Verdict::ServerError(no_scim(answer)),
                Err(error) => Verdict::ServerError(error),
            }
        })
        .await
    }

    fn judge_page(&self, answer: &Answer) -> Verdict<Page> {
        if !answer.status.is_success() {
            return refusal(answer, Asked::Listing);
        }
        let list = match body(answer) {
            Ok(list) => list,
            Err(error) => return Verdict::ServerError(error),
        };
        match Page::read(&self.layout, &list) {
            Some(page) => Verdict::Done(page),
            None => Verdict::Refused(
                CallError::new(Trouble::Garbled, "the answer holds no list of users where one was expected")
                    .with_hint("check that target.base_url is the address of the SCIM service"),
            ),
        }
    }

    /// Where the server does not say where its users are, they are at `/Users`, which some servers write small.
    async fn find_users(&mut self) -> Result<(), CallError> {
        match self.knock(&self.endpoint).await {
            Ok(()) => {}
            Err(error) if error.code == Some(404) => {
                if self.knock("/users").await.is_err() {
                    return Err(error);
                }
                self.endpoint = "/users".to_owned();
            }
            Err(error) => return Err(error),
        }
        self.let_in = OnceCell::new_with(Some(()));
        Ok(())
    }

    async fn knock(&self, endpoint: &str) -> Result<(), CallError> {
        let path = format!("{endpoint}?count=1");
        self.send(&Request::get(&path, Purpose::Auth), None, |answer| self.judge_page(answer).map_done(|_| ())).await
    }

    /// The path of an account; none for what cannot be one.
    fn path(&self, id: &AccountId) -> Option<String> {
        segment(id.as_str()).map(|id| format!("{}/{id}", self.endpoint))
    }

    /// Sends a request; again with plain JSON where the server does not take SCIM's own type, which it says before it
    /// does anything.
    async fn send<T>(
        &self,
        request: &Request<'_>,
        version: Option<HeaderValue>,
        judge: impl Fn(&Answer) -> Verdict<T> + Send + Sync,
    ) -> Result<T, CallError> {
        loop {
            let plain = self.plain.load(Ordering::Relaxed);
            let stamp = |headers: &mut HeaderMap| {
                headers.insert(ACCEPT, EITHER_JSON);
                if request.body.is_some() {
                    headers.insert(CONTENT_TYPE, if plain { PLAIN_JSON } else { SCIM_JSON });
                }
                if let Some(version) = &version {
                    headers.insert(IF_MATCH, version.clone());
                }
            };
            let sent = self.auth.send(&self.http, request, stamp, |answer| {
                if answer.status == StatusCode::UNSUPPORTED_MEDIA_TYPE && request.body.is_some() && !plain {
                    return Verdict::Done(None);
                }
                judge(answer).map_done(Some)
            });
            if let Some(done) = sent.await? {
                return Ok(done);
            }
            if !self.plain.swap(true, Ordering::Relaxed) {
                warn!("the server does not take application/scim+json: requests are sent as application/json");
            }
        }
    }
}

fn authorization(login: Login) -> Result<Authorization, CallError> {
    match login {
        Login::Bearer(token) => Authorization::bearer(&token),
        Login::Basic { username, password } => Authorization::basic(&username, &password),
        Login::ClientCredentials { token_url, client_id, client_secret, scope } => {
            Ok(Authorization::client_credentials(ClientCredentials::new(token_url, client_id, client_secret, scope)))
        }
    }
}

/// What the server says of itself at this path; none where it says nothing that can be understood. That the credentials
/// are refused here proves nothing: some servers keep this from everybody.
async fn announced(http: &Client, auth: &Authorization, path: &str) -> Result<Option<Json>, CallError> {
    let stamp = |headers: &mut HeaderMap| {
        headers.insert(ACCEPT, EITHER_JSON);
    };
    let request = Request::get(path, Purpose::Auth);
    let asked = auth.send(http, &request, stamp, |answer| match answer.status.as_u16() {
        200..300 => Verdict::Done(serde_json::from_slice::<Json>(&answer.body).ok()),
        500 | 502..=504 => Verdict::ServerError(CallError::new(Trouble::Unavailable, "the server fails")),
        _ => Verdict::Done(None),
    });
    match asked.await {
        // It answers, if only with errors: whether it works will show where it matters.
        Err(error) if error.trouble == Trouble::Unavailable && error.code.is_some() => Ok(None),
        asked => asked,
    }
}

/// The id of a new account: from the resource, or from its address.
fn created(answer: &Answer) -> Option<AccountId> {
    let shown = serde_json::from_slice::<Json>(&answer.body).ok();
    let id = shown.as_ref().and_then(Json::as_object).and_then(|resource| member(resource, "id"));
    match id {
        Some(Json::String(id)) if !id.is_empty() => Some(AccountId(id.clone())),
        Some(Json::Number(id)) => Some(AccountId(id.to_string())),
        _ => {
            let address = answer.headers.get(LOCATION)?.to_str().ok()?;
            let last = address.split(['?', '#']).next()?.trim_end_matches('/').rsplit('/').next()?;
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '@');
            (!last.is_empty() && last.chars().all(plain)).then(|| AccountId(last.to_owned()))
        }
    }
}

fn version(answer: &Answer, resource: &Map<String, Json>) -> Option<HeaderValue> {
    answer.headers.get(ETAG).cloned().or_else(|| {
        let version = member(member(resource, "meta")?.as_object()?, "version")?.as_str()?;
        HeaderValue::from_str(version).ok().filter(|version| !version.is_empty())
    })
}

fn no_account(id: &AccountId) -> CallError {
    CallError::new(Trouble::NotFound, format!("there is no account {id}"))
}

/// A text as a value in a query.
fn query_value(text: &str) -> String {
    segment(text).unwrap_or_else(|| text.to_owned())
}
