//! Where a request goes, and the form of a refusal.

use std::path::{Path, PathBuf};

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::list::Asked;
use super::refusal::Refusal;
use super::tenant::{Tenant, TenantFile};
use super::{MediaType, Scim, seed};
use crate::sandbox::faults::{Op as AskedOp, Shift};
use crate::sandbox::host::{Api, Call, Host};
use crate::sandbox::reply::{self, Cut, Failed, Reply};
use crate::sandbox::{SandboxError, Seed, oauth, query};

/// Where a request goes.
#[derive(Debug, PartialEq)]
enum Route {
    Token,
    Config,
    ResourceTypes(Option<String>),
    Schemas(Option<String>),
    List,
    Create,
    Get(String),
    Patch(String),
    Replace(String),
    Delete(String),
    WrongMethod,
    Nowhere,
}

impl Route {
    /// Some clients write the paths in lower case, and many services take them.
    fn of(method: &Method, path: &str) -> Self {
        if path == oauth::PATH {
            // A wrong method is answered there, in the form that OAuth has for it.
            return Self::Token;
        }
        let path = path.trim_end_matches('/');
        let mut parts = path.strip_prefix('/').unwrap_or_default().splitn(2, '/');
        let kind = parts.next().unwrap_or_default().to_lowercase();
        let id = parts.next().map(query::decode);
        match (kind.as_str(), id, method) {
            ("users", None, &Method::GET) => Self::List,
            ("users", None, &Method::POST) => Self::Create,
            ("users", Some(id), _) if id.contains('/') => Self::Nowhere,
            ("users", Some(id), &Method::GET) => Self::Get(id),
            ("users", Some(id), &Method::PATCH) => Self::Patch(id),
            ("users", Some(id), &Method::PUT) => Self::Replace(id),
            ("users", Some(id), &Method::DELETE) => Self::Delete(id),
            ("serviceproviderconfig", None, &Method::GET) => Self::Config,
            ("resourcetypes", id, &Method::GET) => Self::ResourceTypes(id),
            ("schemas", id, &Method::GET) => Self::Schemas(id),
            ("users" | "serviceproviderconfig" | "resourcetypes" | "schemas", ..) => Self::WrongMethod,
            _ => Self::Nowhere,
        }
    }
}

impl Api for Scim {
    type Tenant = Tenant;
    const BASE: &'static str = "/scim/v2";
    const DAILY: bool = false;

    fn seed(seed: &Seed) -> Result<(PathBuf, TenantFile), SandboxError> {
        crate::sandbox::seed::read(seed, &seed::SAMPLE, seed::generated)
    }

    fn tenant(&self, file: TenantFile, path: &Path) -> Result<Tenant, SandboxError> {
        Tenant::new(file, self.behaviour.clone(), self.base_url.clone(), path)
    }

    fn op(&self, method: &Method, path: &str) -> Option<AskedOp> {
        match Route::of(method, path) {
            Route::Token => Some(AskedOp::Authorize),
            Route::List => Some(AskedOp::List),
            Route::Create => Some(AskedOp::Create),
            Route::Get(_) => Some(AskedOp::Get),
            Route::Patch(_) | Route::Replace(_) => Some(AskedOp::Update),
            Route::Delete(_) => Some(AskedOp::Delete),
            Route::Config | Route::ResourceTypes(_) | Route::Schemas(_) | Route::WrongMethod | Route::Nowhere => None,
        }
    }

    fn login(host: &Host<Self>, call: &Call<'_>) -> Option<String> {
        match Route::of(call.method, call.path) {
            Route::Create => {
                let body: Value = serde_json::from_slice(&call.body).ok()?;
                body.get("userName")?.as_str().map(str::to_owned)
            }
            Route::Get(id) | Route::Patch(id) | Route::Replace(id) | Route::Delete(id) => {
                let tenant = host.read();
                tenant.get(&id)?.resource.get("userName")?.as_str().map(str::to_owned)
            }
            _ => None,
        }
    }

    fn page(&self, call: &Call<'_>) -> Option<u64> {
        if Route::of(call.method, call.path) != Route::List {
            return None;
        }
        Asked::read(call.query).ok()?.page(&self.behaviour)
    }

    fn perform(host: &Host<Self>, call: &Call<'_>) -> Result<Reply, Cut> {
        let admitted = || host.admit(call);
        Failed::settle(match Route::of(call.method, call.path) {
            Route::Nowhere => Ok(Reply::nowhere()),
            Route::WrongMethod => {
                Err(host.refuse(&Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")).into())
            }
            Route::Token => host.sign_in(call),
            Route::Config => admitted().and_then(|()| host.config()),
            Route::ResourceTypes(id) => admitted().and_then(|()| host.resource_types(id.as_deref())),
            Route::Schemas(id) => admitted().and_then(|()| host.schemas(id.as_deref())),
            Route::List => admitted().and_then(|()| host.list(call)),
            Route::Get(id) => admitted().and_then(|()| host.show(&id)),
            Route::Create => admitted().and_then(|()| host.create(call)),
            Route::Patch(id) => admitted().and_then(|()| host.patch(&id, call)),
            Route::Replace(id) => admitted().and_then(|()| host.replace(&id, call)),
            Route::Delete(id) => admitted().and_then(|()| host.delete(&id, call)),
        })
    }

    fn shift(host: &Host<Self>, shift: Shift, trxid: &str) {
        host.shift_list(shift, trxid);
    }

    fn error(&self, status: StatusCode, _code: u32, description: &str) -> Reply {
        self.json(status, reply::json(&Refusal::new(status, description).body()))
    }

    fn unreadable(&self, why: &str) -> Reply {
        self.json(StatusCode::BAD_REQUEST, reply::json(&Refusal::bad("invalidSyntax", why).body()))
    }

    fn broken_off(&self, status: StatusCode) -> Reply {
        self.json(status, b"{\"schemas\":[\"urn:ie".to_vec())
    }
}

impl Scim {
    pub(super) fn json(&self, status: StatusCode, body: Vec<u8>) -> Reply {
        let media_type = match self.behaviour.media_type {
            MediaType::Scim => "application/scim+json",
            MediaType::Json => "application/json",
        };
        Reply::new(status, media_type, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_and_method_has_its_place() {
        let of = Route::of;
        assert_eq!(of(&Method::GET, "/Users"), Route::List);
        assert_eq!(of(&Method::GET, "/users/"), Route::List);
        assert_eq!(of(&Method::PUT, "/Users/a%20b"), Route::Replace("a b".into()));
        assert_eq!(of(&Method::GET, "/Schemas/urn:x"), Route::Schemas(Some("urn:x".into())));
        assert_eq!(of(&Method::GET, "/ServiceProviderConfig"), Route::Config);
        assert_eq!(of(&Method::POST, "/Users/7"), Route::WrongMethod);
        assert_eq!(of(&Method::DELETE, "/Users"), Route::WrongMethod);
        for path in ["", "/", "/Groups", "/Users/7/x"] {
            assert_eq!(of(&Method::GET, path), Route::Nowhere);
        }
    }
}
