//! Where a request goes, and the form of a refusal.

use std::path::{Path, PathBuf};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::body::Refusal;
use super::tenant::{Tenant, TenantFile};
use super::{Brightpattern, Errors, body, seed};
use crate::sandbox::faults::{Op as AskedOp, Shift};
use crate::sandbox::host::{Api, Call, Host};
use crate::sandbox::reply::{Cut, Failed, Reply};
use crate::sandbox::{SandboxError, Seed, oauth, query};

/// Where a request goes.
#[derive(Debug, PartialEq)]
enum Route {
    Token,
    Directory,
    Teams,
    Create,
    Get(String),
    Update(String),
    Delete(String),
    WrongMethod,
    Nowhere,
}

impl Route {
    fn of(method: &Method, path: &str) -> Self {
        match (path, method) {
            // A wrong method is answered there, in the form that OAuth has for it.
            (oauth::PATH, _) => Self::Token,
            ("/phone/user", &Method::GET) => Self::Directory,
            ("/team", &Method::GET) => Self::Teams,
            ("/user", &Method::POST) => Self::Create,
            ("/phone/user" | "/team" | "/user", _) => Self::WrongMethod,
            _ => match path.strip_prefix("/user/") {
                Some(login) if !login.is_empty() && !login.contains('/') => {
                    let login = query::decode(login);
                    match *method {
                        Method::GET => Self::Get(login),
                        Method::PUT => Self::Update(login),
                        Method::DELETE => Self::Delete(login),
                        _ => Self::WrongMethod,
                    }
                }
                _ => Self::Nowhere,
            },
        }
    }
}

impl Api for Brightpattern {
    type Tenant = Tenant;
    const BASE: &'static str = "/configapi/v2";
    const DAILY: bool = false;

    fn seed(seed: &Seed) -> Result<(PathBuf, TenantFile), SandboxError> {
        crate::sandbox::seed::read(seed, &seed::SAMPLE, seed::generated)
    }

    fn tenant(&self, file: TenantFile, path: &Path) -> Result<Tenant, SandboxError> {
        Tenant::new(file, self.behaviour.clone(), path)
    }

    fn op(&self, method: &Method, path: &str) -> Option<AskedOp> {
        match Route::of(method, path) {
            Route::Token => Some(AskedOp::Authorize),
            Route::Directory => Some(AskedOp::List),
            Route::Create => Some(AskedOp::Create),
            Route::Get(_) => Some(AskedOp::Get),
            Route::Update(_) => Some(AskedOp::Update),
            Route::Delete(_) => Some(AskedOp::Delete),
            Route::Teams | Route::WrongMethod | Route::Nowhere => None,
        }
    }

    fn login(_host: &Host<Self>, call: &Call<'_>) -> Option<String> {
        match Route::of(call.method, call.path) {
            Route::Create => {
                let fields = body::object(&call.body).unwrap_or_default();
                fields.get("loginId").and_then(Value::as_str).map(str::to_owned)
            }
            Route::Get(login) | Route::Update(login) | Route::Delete(login) => Some(login),
            _ => None,
        }
    }

    /// The directory comes in one answer.
    fn page(&self, call: &Call<'_>) -> Option<u64> {
        (Route::of(call.method, call.path) == Route::Directory).then_some(1)
    }

    fn perform(host: &Host<Self>, call: &Call<'_>) -> Result<Reply, Cut> {
        let admitted = || host.admit(call);
        Failed::settle(match Route::of(call.method, call.path) {
            Route::Nowhere => Ok(Reply::nowhere()),
            Route::WrongMethod => {
                Err(host.refuse(&Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")).into())
            }
            Route::Token => Ok(host.sign_in(call)),
            Route::Directory => admitted().map(|()| host.directory()),
            Route::Teams => admitted().map(|()| host.teams()),
            Route::Get(login) => admitted().and_then(|()| host.show(&login)),
            Route::Create => admitted().and_then(|()| host.create(call)),
            Route::Update(login) => admitted().and_then(|()| host.update(&login, call)),
            Route::Delete(login) => admitted().and_then(|()| host.delete(&login, call)),
        })
    }

    fn shift(host: &Host<Self>, shift: Shift, trxid: &str) {
        host.shift_directory(shift, trxid);
    }

    fn error(&self, status: StatusCode, code: u32, description: &str) -> Reply {
        match self.behaviour.errors {
            Errors::Text => Reply::text(status, description.to_owned()),
            Errors::Json => {
                let body = json!({ "error": code.to_string(), "error_description": description });
                Reply::json(status, crate::sandbox::reply::json(&body))
            }
        }
    }

    fn unreadable(&self, why: &str) -> Reply {
        self.error(StatusCode::BAD_REQUEST, 400, why)
    }

    fn broken_off(&self, status: StatusCode) -> Reply {
        Reply::json(status, &b"{\"loginId\":\"br"[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_and_method_has_its_place() {
        let of = Route::of;
        assert_eq!(of(&Method::POST, "/oauth/token"), Route::Token);
        assert_eq!(of(&Method::GET, "/user/bo%40x"), Route::Get("bo@x".into()));
        assert_eq!(of(&Method::PUT, "/user/bo"), Route::Update("bo".into()));
        assert_eq!(of(&Method::DELETE, "/user/bo"), Route::Delete("bo".into()));
        for (method, path) in [(Method::GET, "/user"), (Method::PATCH, "/user/bo"), (Method::POST, "/team")] {
            assert_eq!(of(&method, path), Route::WrongMethod);
        }
        for path in ["", "/user/", "/user/a/b", "/users"] {
            assert_eq!(of(&Method::GET, path), Route::Nowhere);
        }
    }
}
