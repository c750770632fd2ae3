//! Where a request goes, and the form of a refusal.

use std::path::{Path, PathBuf};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::body::BrightpatternRefusal;
use super::tenant::{BrightpatternFile, BrightpatternTenant};
use super::{Brightpattern, Errors, body, seed};
use crate::sandbox::faults::{FaultOperation as AskedOp, Shift};
use crate::sandbox::host::{Host, SandboxApi, SandboxCall};
use crate::sandbox::reply::{Cut, FailedCall, SandboxReply};
use crate::sandbox::{SandboxError, Seed, oauth, query};

/// Where a request goes.
#[derive(Debug, PartialEq)]
enum BrightpatternRoute {
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

impl BrightpatternRoute {
    fn find_route(method: &Method, path: &str) -> Self {
        match (path, method) {
            // A wrong method is answered there, in the form that OAuth has for it.
            (oauth::PATH, _) => Self::Token,
            ("/phone/user", &Method::GET) => Self::Directory,
            ("/team", &Method::GET) => Self::Teams,
            ("/user", &Method::POST) => Self::Create,
            ("/phone/user" | "/team" | "/user", _) => Self::WrongMethod,
            _ => match path.strip_prefix("/user/") {
                Some(login) if !login.is_empty() && !login.contains('/') => {
                    let login = query::decode_text(login);
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

impl SandboxApi for Brightpattern {
    type TenantOf = BrightpatternTenant;
    const BASE: &'static str = "/configapi/v2";
    const DAILY: bool = false;

    fn seed(seed: &Seed) -> Result<(PathBuf, BrightpatternFile), SandboxError> {
        crate::sandbox::seed::read(seed, &seed::SAMPLE, seed::generate_users)
    }

    fn open_tenant(&self, file: BrightpatternFile, path: &Path) -> Result<BrightpatternTenant, SandboxError> {
        BrightpatternTenant::new(file, self.behaviour.clone(), path)
    }

    fn requested_operation(&self, method: &Method, path: &str) -> Option<AskedOp> {
        match BrightpatternRoute::find_route(method, path) {
            BrightpatternRoute::Token => Some(AskedOp::Authorize),
            BrightpatternRoute::Directory => Some(AskedOp::List),
            BrightpatternRoute::Create => Some(AskedOp::Create),
            BrightpatternRoute::Get(_) => Some(AskedOp::Get),
            BrightpatternRoute::Update(_) => Some(AskedOp::Update),
            BrightpatternRoute::Delete(_) => Some(AskedOp::Delete),
            BrightpatternRoute::Teams | BrightpatternRoute::WrongMethod | BrightpatternRoute::Nowhere => None,
        }
    }

    fn named_login(_host: &Host<Self>, call: &SandboxCall<'_>) -> Option<String> {
        match BrightpatternRoute::find_route(call.method, call.path) {
            BrightpatternRoute::Create => {
                let fields = body::read_object(&call.body).unwrap_or_default();
                fields.get("loginId").and_then(Value::as_str).map(str::to_owned)
            }
            BrightpatternRoute::Get(login) | BrightpatternRoute::Update(login) | BrightpatternRoute::Delete(login) => {
                Some(login)
            }
            _ => None,
        }
    }

    /// The directory comes in one answer.
    fn requested_page(&self, call: &SandboxCall<'_>) -> Option<u64> {
        (BrightpatternRoute::find_route(call.method, call.path) == BrightpatternRoute::Directory).then_some(1)
    }

    fn perform_operation(host: &Host<Self>, call: &SandboxCall<'_>) -> Result<SandboxReply, Cut> {
        let admitted = || host.admit_call(call);
        FailedCall::settle_outcome(match BrightpatternRoute::find_route(call.method, call.path) {
            BrightpatternRoute::Nowhere => Ok(SandboxReply::unknown_path()),
            BrightpatternRoute::WrongMethod => Err(host
                .refuse_call(&BrightpatternRefusal::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"))
                .into()),
            BrightpatternRoute::Token => Ok(host.sign_in(call)),
            BrightpatternRoute::Directory => admitted().map(|()| host.show_directory()),
            BrightpatternRoute::Teams => admitted().map(|()| host.show_teams()),
            BrightpatternRoute::Get(login) => admitted().and_then(|()| host.show_user(&login)),
            BrightpatternRoute::Create => admitted().and_then(|()| host.create(call)),
            BrightpatternRoute::Update(login) => admitted().and_then(|()| host.update(&login, call)),
            BrightpatternRoute::Delete(login) => admitted().and_then(|()| host.delete(&login, call)),
        })
    }

    fn shift_list(host: &Host<Self>, shift: Shift, trxid: &str) {
        host.shift_directory(shift, trxid);
    }

    fn error_reply(&self, status: StatusCode, code: u32, description: &str) -> SandboxReply {
        match self.behaviour.errors {
            Errors::Text => SandboxReply::from_text(status, description.to_owned()),
            Errors::Json => {
                let body = json!({ "error": code.to_string(), "error_description": description });
                SandboxReply::from_json(status, crate::sandbox::reply::json_bytes(&body))
            }
        }
    }

    fn unreadable_reply(&self, why: &str) -> SandboxReply {
        self.error_reply(StatusCode::BAD_REQUEST, 400, why)
    }

    fn broken_off(&self, status: StatusCode) -> SandboxReply {
        SandboxReply::from_json(status, &b"{\"loginId\":\"br"[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_and_method_has_its_place() {
        let of = BrightpatternRoute::find_route;
        assert_eq!(of(&Method::POST, "/oauth/token"), BrightpatternRoute::Token);
        assert_eq!(of(&Method::GET, "/user/bo%40x"), BrightpatternRoute::Get("bo@x".into()));
        assert_eq!(of(&Method::PUT, "/user/bo"), BrightpatternRoute::Update("bo".into()));
        assert_eq!(of(&Method::DELETE, "/user/bo"), BrightpatternRoute::Delete("bo".into()));
        for (method, path) in [(Method::GET, "/user"), (Method::PATCH, "/user/bo"), (Method::POST, "/team")] {
            assert_eq!(of(&method, path), BrightpatternRoute::WrongMethod);
        }
        for path in ["", "/user/", "/user/a/b", "/users"] {
            assert_eq!(of(&Method::GET, path), BrightpatternRoute::Nowhere);
        }
    }
}
