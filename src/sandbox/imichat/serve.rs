//! Where a request goes, and what stands around every answer.

use std::path::{Path, PathBuf};

use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::operate::page;
use super::reply::{Failed, refuse};
use super::tenant::{Tenant, TenantFile};
use super::wire::{self, Code, Refusal};
use super::{Imichat, body, seed};
use crate::sandbox::faults::{Headers, Op as AskedOp, Shift};
use crate::sandbox::host::{Api, Call, Host};
use crate::sandbox::quota::Standing;
use crate::sandbox::reply::{Cut, Reply};
use crate::sandbox::{SandboxError, Seed};

/// Where a request goes.
#[derive(Debug, PartialEq)]
pub(super) enum Route<'a> {
    Authorize,
    List,
    Create,
    Get(&'a str),
    Update(&'a str),
    WrongMethod,
    Nowhere,
}

impl<'a> Route<'a> {
    pub(super) fn of(method: &Method, path: &'a str) -> Self {
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

    pub(super) fn op(&self) -> Option<AskedOp> {
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

impl Api for Imichat {
    type Tenant = Tenant;
    const BASE: &'static str = "/v3.1";
    const DAILY: bool = true;

    fn seed(seed: &Seed) -> Result<(PathBuf, TenantFile), SandboxError> {
        crate::sandbox::seed::read(seed, &seed::SAMPLE, seed::generated)
    }

    fn tenant(&self, file: TenantFile, path: &Path) -> Result<Tenant, SandboxError> {
        Tenant::new(file, self.behaviour.clone(), path)
    }

    fn op(&self, method: &Method, path: &str) -> Option<AskedOp> {
        Route::of(method, path).op()
    }

    fn login(host: &Host<Self>, call: &Call<'_>) -> Option<String> {
        match Route::of(call.method, call.path) {
            Route::Create => {
                let fields = body::object(&call.body).unwrap_or_default();
                fields.get("login_id").and_then(Value::as_str).map(str::to_owned)
            }
            Route::Get(id) | Route::Update(id) => {
                id.parse().ok().and_then(|id| host.read().get(id).map(|account| account.login_id.clone()))
            }
            _ => None,
        }
    }

    fn page(&self, call: &Call<'_>) -> Option<u64> {
        let list = Route::of(call.method, call.path) == Route::List;
        list.then(|| page(call.query).ok()).flatten()
    }

    fn perform(host: &Host<Self>, call: &Call<'_>) -> Result<Reply, Cut> {
        let admitted = || host.check_headers(call);
        Failed::settle(match Route::of(call.method, call.path) {
            Route::Nowhere => Ok(Reply::nowhere()),
            Route::WrongMethod => Err(Code::MethodNotAllowed.into()),
            Route::Authorize => host.authorize(call),
            Route::List => admitted().and_then(|()| host.list(call.query)),
            Route::Get(id) => admitted().and_then(|()| host.show(id)),
            Route::Create => admitted().and_then(|()| host.create(call)),
            Route::Update(id) => admitted().and_then(|()| host.update(id, call)),
        })
    }

    fn shift(host: &Host<Self>, shift: Shift, trxid: &str) {
        host.shift_list(shift, trxid);
    }

    fn error(&self, status: StatusCode, code: u32, description: &str) -> Reply {
        Reply::json(status, wire::envelope(code, description, b"\"\""))
    }

    fn unreadable(&self, why: &str) -> Reply {
        refuse(&Refusal::because(why))
    }

    fn broken_off(&self, status: StatusCode) -> Reply {
        Reply::json(status, &b"{\"status_code\":4306,\"resp"[..])
    }

    fn headers(&self, trxid: &str, standing: &Standing, reset: &str) -> Headers {
        [
            ("trxid", HeaderValue::try_from(trxid)),
            ("rate-limit-limit", Ok(HeaderValue::from(standing.limit))),
            ("rate-limit-remaining", Ok(HeaderValue::from(standing.remaining))),
            ("rate-limit-reset", HeaderValue::try_from(reset)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), value.ok()?)))
        .collect()
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
