//! One request: who asks, what for, what the script has in store for it, what it does, what is answered.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::tenant::{Account, Status};
use super::wire::{self, Code, Refusal};
use super::{Links, ListShape, PastTheEnd, Server, body};
use crate::sandbox::faults::{Asked, Headers, Instead, Op as AskedOp, Reaction, Shift, When};
use crate::sandbox::ledger::{Effect, Op, Unrecorded, password_hash};
use crate::sandbox::quota::Passage;
use crate::sandbox::server::Wire;

/// The path that everything is below.
pub(super) const BASE: &str = "/v3.1";

const MAX_BODY: usize = 1 << 20;
const HTML_NOT_FOUND: &str = "<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n";
const HTML_FAULT: &str =
    "<html><head><title>Service unavailable</title></head><body><h1>Please try again later</h1></body></html>\n";

/// Answers every request, whatever its path and method.
pub(super) async fn answer(
    State(server): State<Arc<Server>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    if server.shut.load(Ordering::Acquire) {
        return wire.cut();
    }
    let trxid = server.next_trxid();
    let (passage, mut standing) = server.counter.spend(server.clock.now());
    let reply = match passage {
        Passage::Free => server.reply(request, &trxid).await,
        Passage::TooFast => Ok(Reply::refuse(Code::TooManyRequests.into()).with(RETRY_AFTER, HeaderValue::from(1))),
        Passage::OverTheDay => {
            let refusal =
                Refusal { code: Code::TooManyRequests, detail: Some("the daily request limit is exceeded".into()) };
            Ok(Reply::refuse(refusal).with(RETRY_AFTER, HeaderValue::from(standing.seconds_left)))
        }
    };
    let Ok(reply) = reply else { return wire.cut() };
    if let Some(remaining) = reply.remaining {
        standing.remaining = remaining;
    }
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    let reset = server.counter.write_reset(&standing);
    for (name, value) in [
        ("trxid", HeaderValue::try_from(trxid)),
        ("rate-limit-limit", Ok(HeaderValue::from(standing.limit))),
        ("rate-limit-remaining", Ok(HeaderValue::from(standing.remaining))),
        ("rate-limit-reset", HeaderValue::try_from(reset)),
    ] {
        if let Ok(value) = value {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers.extend(reply.headers.into_iter().map(|(name, value)| (Some(name), value)));
    response
}

/// The connection is to be cut without an answer.
struct Cut;

struct Reply {
    status: StatusCode,
    content_type: &'static str,
    body: Bytes,
    headers: Headers,
    /// What `Rate-Limit-Remaining` is to say, where a fault decides that.
    remaining: Option<u64>,
}

impl Reply {
    fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, body: body.into(), headers: Headers::new(), remaining: None }
    }

    fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, "application/json", body)
    }

    fn ok(code: Code, response: &[u8]) -> Self {
        Self::json(code.http(), wire::envelope(code as u32, code.description(), response))
    }

    fn refuse(refusal: Refusal) -> Self {
        let code = refusal.code;
        Self::json(code.http(), wire::envelope(code as u32, &refusal.description(), b"\"\""))
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// Where a request goes.
#[derive(Debug, PartialEq)]
enum Route<'a> {
    Authorize,
    List,
    Create,
    Get(&'a str),
    Update(&'a str),
    WrongMethod,
    Nowhere,
}

impl<'a> Route<'a> {
    fn of(method: &Method, path: &'a str) -> Self {
        match (path, method) {
            ("/authorize", &Method::GET) => Self::Authorize,
            ("/users" | "/users/", &Method::GET) => Self::List,
            ("/users" | "/users/", &Method::POST) => Self::Create,
            ("/authorize" | "/users" | "/users/", _) => Self::WrongMethod,
            _ => match path.strip_prefix("/users/") {
                Some(id) if !id.contains('/') => match *method {
                    Method::GET => Self::Get(id),
                    Method::PATCH => Self::Update(id),
                    _ => Self::WrongMethod,
                },
                _ => Self::Nowhere,
            },
        }
    }

    fn op(&self) -> Option<AskedOp> {
        match self {
            Self::Authorize => Some(AskedOp::Authorize),
            Self::List => Some(AskedOp::List),
            Self::Create => Some(AskedOp::Create),
            Self::Get(_) => Some(AskedOp::Get),
            Self::Update(_) => Some(AskedOp::Update),
            Self::WrongMethod | Self::Nowhere => None,
        }
    }
}

/// A request as the operations see it.
struct Call<'a> {
    route: Route<'a>,
    headers: &'a HeaderMap,
    query: Option<&'a str>,
    body: Bytes,
    trxid: &'a str,
    /// Whether what is done will be said.
    answered: bool,
}

impl Server {
    fn next_trxid(&self) -> String {
        format!("sbx-{:08x}-{:08}", self.trxid_prefix, self.trxids.fetch_add(1, Ordering::Relaxed) + 1)
    }

    async fn reply(&self, request: Request, trxid: &str) -> Result<Reply, Cut> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().strip_prefix(BASE).unwrap_or_default();
        let route = Route::of(&parts.method, path);
        let body = match route {
            Route::Create | Route::Update(_) => match to_bytes(body, MAX_BODY).await {
                Ok(body) => body,
                Err(_) => return Ok(Reply::refuse(Refusal::because("the body is too long or broke off"))),
            },
            _ => Bytes::new(),
        };
        let query = parts.uri.query();
        let reaction = self.react(&route, &parts.method, path, query, &body);
        let answered = reaction.instead.is_none();
        let call = Call { route, headers: &parts.headers, query, body, trxid, answered };

        self.wait(self.latency + self.random_jitter()).await;
        if let Some(shift) = reaction.shift {
            self.shift(shift, trxid)?;
        }
        if reaction.expire {
            self.tokens.expire_all();
        }
        if let Some(remaining) = reaction.remaining {
            self.counter.leave(remaining);
        }
        let truth = match (&reaction.when, &reaction.instead) {
            (When::Before, Some(_)) => None,
            (When::Before, None) => {
                self.wait(reaction.delay).await;
                Some(self.perform(&call)?)
            }
            (When::After, _) => Some(self.perform(&call)?),
        };
        if truth.is_none() || reaction.when == When::After {
            self.wait(reaction.delay).await;
        }
        let mut reply = match (reaction.instead, truth) {
            (Some(instead), _) => instead_of_the_truth(instead)?,
            (None, Some(truth)) => truth,
            // Without anything instead, the request was performed.
            (None, None) => return Err(Cut),
        };
        reply.remaining = reaction.remaining;
        Ok(reply)
    }

    fn react(&self, route: &Route<'_>, method: &Method, path: &str, query: Option<&str>, body: &[u8]) -> Reaction {
        if self.script.is_empty() {
            return Reaction::default();
        }
        let login = match route {
            Route::Create => {
                let fields = body::object(body).unwrap_or_default();
                fields.get("login_id").and_then(Value::as_str).map(str::to_owned)
            }
            Route::Get(id) | Route::Update(id) => {
                let tenant = self.tenant.read().unwrap_or_else(PoisonError::into_inner);
                id.parse().ok().and_then(|id| tenant.get(id)).map(|account| account.login_id.clone())
            }
            _ => None,
        };
        let page = matches!(route, Route::List).then(|| page(query).ok()).flatten();
        self.script.react(&Asked { op: route.op(), method, path, login: login.as_deref(), page })
    }

    async fn wait(&self, time: Duration) {
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

    /// Does what is asked. Answers the truth.
    fn perform(&self, call: &Call<'_>) -> Result<Reply, Cut> {
        match call.route {
            Route::Nowhere => {
                return Ok(Reply::new(StatusCode::NOT_FOUND, "text/html; charset=utf-8", HTML_NOT_FOUND));
            }
            Route::WrongMethod => return Ok(Reply::refuse(Code::MethodNotAllowed.into())),
            Route::Authorize => return Ok(self.authorize(call.headers)),
            _ => {}
        }
        if let Err(code) = self.check_headers(call.headers) {
            return Ok(Reply::refuse(code.into()));
        }
        let done = match call.route {
            Route::List => self.list(call.query),
            Route::Get(id) => self.show(id),
            Route::Create => self.create(call)?,
            Route::Update(id) => self.update(id, call)?,
            Route::Nowhere | Route::WrongMethod | Route::Authorize => Err(Code::ServerError.into()),
        };
        Ok(done.unwrap_or_else(Reply::refuse))
    }

    fn authorize(&self, headers: &HeaderMap) -> Reply {
        match header(headers, "auth_code") {
            None => Reply::refuse(Code::HeaderMissing.into()),
            Some(code) if code != self.auth_code => Reply::refuse(Code::InvalidToken.into()),
            Some(_) => {
                let token = format!("{:016x}{:016x}", self.clock.random(), self.clock.random());
                // The token is hexadecimal, so it can always be a header.
                let value = HeaderValue::try_from(token.as_str()).unwrap_or(HeaderValue::from_static(""));
                self.tokens.give(token, self.clock.elapsed());
                Reply::ok(Code::SignedIn, b"null").with(HeaderName::from_static("access_token"), value)
            }
        }
    }

    fn check_headers(&self, headers: &HeaderMap) -> Result<(), Code> {
        self.tokens.check(header(headers, "access_token"), self.clock.elapsed())?;
        match header(headers, "teamid") {
            None => Ok(()),
            Some(team) => {
                let tenant = self.tenant.read().unwrap_or_else(PoisonError::into_inner);
                let known = team.trim().parse().is_ok_and(|team| tenant.knows_team(team));
                if known { Ok(()) } else { Err(Code::TeamNotFound) }
            }
        }
    }

    fn list(&self, query: Option<&str>) -> Result<Reply, Refusal> {
        let page = page(query)?;
        let mut body = Vec::with_capacity(6 * 1024);
        wire::open_envelope(Code::Retrieved as u32, Code::Retrieved.description(), &mut body);
        let in_object = self.behaviour.list == ListShape::Users;
        body.extend_from_slice(if in_object { b"{\"users\":[" } else { b"[" });
        let pages = {
            let tenant = self.tenant.read().unwrap_or_else(PoisonError::into_inner);
            if tenant.write_page(page, &mut body).is_none() && self.behaviour.past_the_end == PastTheEnd::NotFound {
                return Err(Code::UserNotFound.into());
            }
            tenant.pages()
        };
        body.push(b']');
        if in_object {
            self.write_links(page, pages, &mut body);
            body.push(b'}');
        }
        body.push(b'}');
        Ok(Reply::json(StatusCode::OK, body))
    }

    fn write_links(&self, page: u64, pages: u64, body: &mut Vec<u8>) {
        let next = if page < pages { format!("\"{}/users/?page={}\"", self.base_url, page + 1) } else { "null".into() };
        let links = match self.behaviour.links {
            Links::NextAndPages => format!(",\"links\":{{\"next\":{next},\"pages\":{pages}}}"),
            Links::Next => format!(",\"links\":{{\"next\":{next}}}"),
            Links::Pages => format!(",\"links\":{{\"pages\":{pages}}}"),
            Links::Absent => return,
        };
        body.extend_from_slice(links.as_bytes());
    }

    fn show(&self, id: &str) -> Result<Reply, Refusal> {
        let tenant = self.tenant.read().unwrap_or_else(PoisonError::into_inner);
        let shown = id.parse().ok().and_then(|id| tenant.shown(id)).ok_or(Code::UserNotFound)?;
        Ok(Reply::ok(Code::Retrieved, shown))
    }

    fn create(&self, call: &Call<'_>) -> Result<Result<Reply, Refusal>, Cut> {
        let read = body::object(&call.body).and_then(|mut fields| {
            let password = body::take_password(&mut fields)?;
            Ok((fields, password))
        });
        let (fields, password) = match read {
            Ok(read) => read,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut tenant = self.tenant.write().unwrap_or_else(PoisonError::into_inner);
        let login_id = match tenant.check_create(&fields) {
            Ok(create) => create.login_id.unwrap_or_default(),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let id = tenant.next_id();
        let draft = Draft { op: Op::Create, id, login_id, fields, password: Some(password_hash(&password)) };
        let recorded = self.record(&mut tenant, draft, call.trxid, call.answered)?;
        Ok(recorded.map(|()| Reply::ok(Code::Created, tenant.shown(id).unwrap_or(b"null"))).map_err(Refusal::from))
    }

    fn update(&self, id: &str, call: &Call<'_>) -> Result<Result<Reply, Refusal>, Cut> {
        let fields = match body::object(&call.body) {
            Ok(fields) => fields,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Ok(id) = id.parse::<u64>() else { return Ok(Err(Code::UserNotFound.into())) };
        let mut tenant = self.tenant.write().unwrap_or_else(PoisonError::into_inner);
        if let Err(refusal) = tenant.check_update(id, &fields) {
            return Ok(Err(refusal));
        }
        let login_id = tenant.get(id).map(|account| account.login_id.clone()).unwrap_or_default();
        let draft = Draft { op: Op::Update, id, login_id, fields, password: None };
        let recorded = self.record(&mut tenant, draft, call.trxid, call.answered)?;
        Ok(recorded.map(|()| Reply::ok(Code::Updated, tenant.shown(id).unwrap_or(b"null"))).map_err(Refusal::from))
    }

    /// Records an effect, then lets it happen. Where it cannot be recorded it does not happen.
    fn record(
        &self,
        tenant: &mut super::Tenant,
        draft: Draft,
        trxid: &str,
        answered: bool,
    ) -> Result<Result<(), Code>, Cut> {
        let Draft { op, id, login_id, fields, password } = draft;
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let effect = Effect {
            n: book.len() + 1,
            at: self.clock.now(),
            op,
            id: id.to_string(),
            login_id,
            fields,
            password,
            trxid: trxid.to_owned(),
            answered,
        };
        match book.append(&effect) {
            Ok(()) => {}
            Err(Unrecorded::Shut) => return Err(Cut),
            Err(Unrecorded::Failed) => return Ok(Err(Code::ServerError)),
        }
        drop(book);
        tenant.apply(&effect);
        Ok(Ok(()))
    }

    /// Somebody else changes the tenant.
    fn shift(&self, shift: Shift, trxid: &str) -> Result<(), Cut> {
        let mut tenant = self.tenant.write().unwrap_or_else(PoisonError::into_inner);
        let of = |op, account: &Account, fields| Draft {
            op,
            id: account.id,
            login_id: account.login_id.clone(),
            fields,
            password: None,
        };
        let draft = match shift {
            Shift::Resort => {
                tenant.reverse();
                return Ok(());
            }
            Shift::Insert => {
                let id = tenant.next_id();
                let login_id = format!("outsider-{id}");
                let fields = object(json!({
                    "login_id": login_id,
                    "email_id": format!("{login_id}@example.com"),
                    "first_name": "Somebody",
                    "last_name": "Else",
                }));
                Some(Draft { op: Op::OutsideCreate, id, login_id, fields, password: None })
            }
            Shift::Remove => tenant.first().map(|account| of(Op::OutsideRemove, account, Map::new())),
            Shift::Status => tenant.first().map(|account| {
                let status = if account.status == Status::Active { "inactive" } else { "active" };
                of(Op::OutsideUpdate, account, object(json!({ "status": status })))
            }),
        };
        match draft {
            Some(draft) => self.record(&mut tenant, draft, trxid, true).map(|_| ()),
            None => Ok(()),
        }
    }
}

/// An effect that is about to be recorded.
struct Draft {
    op: Op,
    id: u64,
    login_id: String,
    fields: Map<String, Value>,
    password: Option<String>,
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn instead_of_the_truth(instead: Instead) -> Result<Reply, Cut> {
    let (mut reply, headers) = match instead {
        Instead::Nothing => return Err(Cut),
        Instead::Envelope { status, code, description, headers } => {
            (Reply::json(status, wire::envelope(code, &description, b"\"\"")), headers)
        }
        Instead::Html { status, headers } => (Reply::new(status, "text/html; charset=utf-8", HTML_FAULT), headers),
        Instead::Garbage { status, headers } => (Reply::json(status, &b"{\"status_code\":4306,\"resp"[..]), headers),
    };
    reply.headers.extend(headers);
    Ok(reply)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

/// The page asked for; the first where none is.
fn page(query: Option<&str>) -> Result<u64, Refusal> {
    let asked = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("page="));
    match asked.map(str::parse::<u64>) {
        None => Ok(1),
        Some(Ok(page)) if page > 0 => Ok(page),
        Some(_) => Err(Refusal::because("page is not a number from 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_and_method_has_its_place() {
        let of = |method: Method, path| format!("{:?}", Route::of(&method, path));
        assert_eq!(of(Method::GET, "/users"), of(Method::GET, "/users/"));
        assert_eq!(Route::of(&Method::POST, "/users"), Route::Create);
        assert_eq!(Route::of(&Method::PATCH, "/users/7"), Route::Update("7"));
        assert_eq!(Route::of(&Method::PUT, "/users/7"), Route::WrongMethod);
        assert_eq!(Route::of(&Method::DELETE, "/users"), Route::WrongMethod);
        assert_eq!(Route::of(&Method::POST, "/authorize"), Route::WrongMethod);
        assert_eq!(Route::of(&Method::GET, "/users/7/teams"), Route::Nowhere);
        assert_eq!(Route::of(&Method::GET, ""), Route::Nowhere);
    }

    #[test]
    fn a_page_is_a_number_from_one() {
        assert_eq!(page(None), Ok(1));
        assert_eq!(page(Some("a=b&page=12")), Ok(12));
        for wrong in ["page=0", "page=-1", "page=x", "page="] {
            assert_eq!(page(Some(wrong)).unwrap_err().code, Code::RequestInvalid);
        }
    }
}
