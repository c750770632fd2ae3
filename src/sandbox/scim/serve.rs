//! Where a request goes, and the form of a refusal.

use std::path::{Path, PathBuf};

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::list::AskedPage;
use super::refusal::ScimRefusal;
use super::tenant::{ScimFile, ScimTenant};
use super::{MediaType, Scim, seed};
use crate::sandbox::faults::{FaultOperation as AskedOp, Shift};
use crate::sandbox::host::{Host, SandboxApi, SandboxCall};
use crate::sandbox::reply::{self, Cut, FailedCall, SandboxReply};
use crate::sandbox::{SandboxError, Seed, oauth, query};

/// Where a request goes.
#[derive(Debug, PartialEq)]
enum ScimRoute {
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

impl ScimRoute {
    /// Some clients write the paths in lower case, and many services take them.
    fn find_route(method: &Method, path: &str) -> Self {
        if path == oauth::PATH {
            // A wrong method is answered there, in the form that OAuth has for it.
            return Self::Token;
        }
        let path = path.trim_end_matches('/');
        let mut parts = path.strip_prefix('/').unwrap_or_default().splitn(2, '/');
        let kind = parts.next().unwrap_or_default().to_lowercase();
        let id = parts.next().map(query::decode_text);
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

impl SandboxApi for Scim {
    type TenantOf = ScimTenant;
    const BASE: &'static str = "/scim/v2";
    const DAILY: bool = false;

    fn seed(seed: &Seed) -> Result<(PathBuf, ScimFile), SandboxError> {
        crate::sandbox::seed::read(seed, &seed::SAMPLE, seed::generate_users)
    }

    fn open_tenant(&self, file: ScimFile, path: &Path) -> Result<ScimTenant, SandboxError> {
        ScimTenant::new(file, self.behaviour.clone(), self.base_url.clone(), path)
    }

    fn requested_operation(&self, method: &Method, path: &str) -> Option<AskedOp> {
        match ScimRoute::find_route(method, path) {
            ScimRoute::Token => Some(AskedOp::Authorize),
            ScimRoute::List => Some(AskedOp::List),
            ScimRoute::Create => Some(AskedOp::Create),
            ScimRoute::Get(_) => Some(AskedOp::Get),
            ScimRoute::Patch(_) | ScimRoute::Replace(_) => Some(AskedOp::Update),
            ScimRoute::Delete(_) => Some(AskedOp::Delete),
            ScimRoute::Config
            | ScimRoute::ResourceTypes(_)
            | ScimRoute::Schemas(_)
            | ScimRoute::WrongMethod
            | ScimRoute::Nowhere => None,
        }
    }

    fn named_login(host: &Host<Self>, call: &SandboxCall<'_>) -> Option<String> {
        match ScimRoute::find_route(call.method, call.path) {
            ScimRoute::Create => {
                let body: Value = serde_json::from_slice(&call.body).ok()?;
                body.get("userName")?.as_str().map(str::to_owned)
            }
            ScimRoute::Get(id) | ScimRoute::Patch(id) | ScimRoute::Replace(id) | ScimRoute::Delete(id) => {
                let tenant = host.read();
                tenant.get(&id)?.resource.get("userName")?.as_str().map(str::to_owned)
            }
            _ => None,
        }
    }

    fn requested_page(&self, call: &SandboxCall<'_>) -> Option<u64> {
        if ScimRoute::find_route(call.method, call.path) != ScimRoute::List {
            return None;
        }
        AskedPage::read(call.query).ok()?.page_number(&self.behaviour)
    }

    fn perform_operation(host: &Host<Self>, call: &SandboxCall<'_>) -> Result<SandboxReply, Cut> {
        let admitted = || host.admit_call(call);
        FailedCall::settle_outcome(match ScimRoute::find_route(call.method, call.path) {
            ScimRoute::Nowhere => Ok(SandboxReply::unknown_path()),
            ScimRoute::WrongMethod => {
                Err(host.refuse_call(&ScimRefusal::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")).into())
            }
            ScimRoute::Token => host.sign_in(call),
            ScimRoute::Config => admitted().and_then(|()| host.show_config()),
            ScimRoute::ResourceTypes(id) => admitted().and_then(|()| host.resource_types(id.as_deref())),
            ScimRoute::Schemas(id) => admitted().and_then(|()| host.show_schemas(id.as_deref())),
            ScimRoute::List => admitted().and_then(|()| host.list(call)),
            ScimRoute::Get(id) => admitted().and_then(|()| host.show_user(&id)),
            ScimRoute::Create => admitted().and_then(|()| host.create(call)),
            ScimRoute::Patch(id) => admitted().and_then(|()| host.patch_user(&id, call)),
            ScimRoute::Replace(id) => admitted().and_then(|()| host.replace_user(&id, call)),
            ScimRoute::Delete(id) => admitted().and_then(|()| host.delete(&id, call)),
        })
    }

    fn shift_list(host: &Host<Self>, shift: Shift, trxid: &str) {
        host.shift_list(shift, trxid);
    }

    fn error_reply(&self, status: StatusCode, _code: u32, description: &str) -> SandboxReply {
        self.json_reply(status, reply::json_bytes(&ScimRefusal::new(status, description).error_body()))
    }

    fn unreadable_reply(&self, why: &str) -> SandboxReply {
        self.json_reply(
            StatusCode::BAD_REQUEST,
            reply::json_bytes(&ScimRefusal::bad_request("invalidSyntax", why).error_body()),
        )
    }

    fn broken_off(&self, status: StatusCode) -> SandboxReply {
        self.json_reply(status, b"{\"schemas\":[\"urn:ie".to_vec())
    }
}

impl Scim {
    pub(super) fn json_reply(&self, status: StatusCode, body: Vec<u8>) -> SandboxReply {
        let media_type = match self.behaviour.media_type {
            MediaType::Scim => "application/scim+json",
            MediaType::Json => "application/json",
        };
        SandboxReply::new(status, media_type, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_and_method_has_its_place() {
        let of = ScimRoute::find_route;
        assert_eq!(of(&Method::GET, "/Users"), ScimRoute::List);
        assert_eq!(of(&Method::GET, "/users/"), ScimRoute::List);
        assert_eq!(of(&Method::PUT, "/Users/a%20b"), ScimRoute::Replace("a b".into()));
        assert_eq!(of(&Method::GET, "/Schemas/urn:x"), ScimRoute::Schemas(Some("urn:x".into())));
        assert_eq!(of(&Method::GET, "/ServiceProviderConfig"), ScimRoute::Config);
        assert_eq!(of(&Method::POST, "/Users/7"), ScimRoute::WrongMethod);
        assert_eq!(of(&Method::DELETE, "/Users"), ScimRoute::WrongMethod);
        for path in ["", "/", "/Groups", "/Users/7/x"] {
            assert_eq!(of(&Method::GET, path), ScimRoute::Nowhere);
        }
    }
}
