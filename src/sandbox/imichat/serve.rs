//! One request: who asks, what for, what the script has in store for it, what it does, what is answered.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Method;
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

use super::operate::page;
use super::reply::{Cut, Failed, Reply, instead_of_the_truth};
use super::wire::{Code, Refusal};
use super::{Server, body};
use crate::sandbox::faults::{Asked, Op as AskedOp, Reaction, When};
use crate::sandbox::quota::Passage;
use crate::sandbox::server::Wire;

/// The path that everything is below.
pub(super) const BASE: &str = "/v3.1";

const MAX_BODY: usize = 1 << 20;

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
pub(super) struct Call<'a> {
    route: Route<'a>,
    pub headers: &'a HeaderMap,
    pub query: Option<&'a str>,
    pub body: Bytes,
    pub trxid: &'a str,
    /// Whether what is done will be said.
    pub answered: bool,
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
            self.shift(shift, trxid);
        }
        if reaction.expire {
            self.tokens.expire_all();
        }
        if let Some(remaining) = reaction.remaining {
            self.counter.leave(remaining);
        }
        let mut reply = match reaction.when {
            When::Before => {
                self.wait(reaction.delay).await;
                match reaction.instead {
                    Some(instead) => instead_of_the_truth(instead)?,
                    None => self.truth(&call)?,
                }
            }
            When::After => {
                let truth = self.truth(&call)?;
                self.wait(reaction.delay).await;
                reaction.instead.map_or(Ok(truth), instead_of_the_truth)?
            }
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

    fn truth(&self, call: &Call<'_>) -> Result<Reply, Cut> {
        match self.perform(call) {
            Ok(reply) => Ok(reply),
            Err(Failed::Refused(refusal)) => Ok(Reply::refuse(refusal)),
            Err(Failed::Cut) => Err(Cut),
        }
    }

    /// Does what is asked.
    fn perform(&self, call: &Call<'_>) -> Result<Reply, Failed> {
        let admitted = || self.check_headers(call.headers);
        match call.route {
            Route::Nowhere => Ok(Reply::nowhere()),
            Route::WrongMethod => Err(Code::MethodNotAllowed.into()),
            Route::Authorize => self.authorize(call.headers),
            Route::List => admitted().and_then(|()| self.list(call.query)),
            Route::Get(id) => admitted().and_then(|()| self.show(id)),
            Route::Create => admitted().and_then(|()| self.create(call)),
            Route::Update(id) => admitted().and_then(|()| self.update(id, call)),
        }
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
}
