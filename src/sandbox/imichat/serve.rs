//! Where a request goes, and what stands around every answer.

use std::path::{Path, PathBuf};

use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::account::ImichatFile;
use super::operate::page_number;
use super::reply::{ImichatFailedCall, refusal_reply};
use super::tenant::ImichatTenant;
use super::wire::{self, Code, ImichatRefusal};
use super::{Imichat, body, seed};
use crate::sandbox::faults::{FaultOperation as AskedOp, Headers, Shift};
use crate::sandbox::host::{Host, SandboxApi, SandboxCall};
use crate::sandbox::quota::QuotaStanding;
use crate::sandbox::reply::{Cut, SandboxReply};
use crate::sandbox::{SandboxError, Seed};

/// Where a request goes.
#[derive(Debug, PartialEq)]
pub(super) enum ImichatRoute<'a> {
    Authorize,
    List,
    Create,
    Get(&'a str),
    Update(&'a str),
    WrongMethod,
    Nowhere,
}

impl<'a> ImichatRoute<'a> {
    pub(super) fn find_route(method: &Method, path: &'a str) -> Self {
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

    pub(super) fn requested_operation(&self) -> Option<AskedOp> {
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

impl SandboxApi for Imichat {
    type TenantOf = ImichatTenant;
    const BASE: &'static str = "/v3.1";
    const DAILY: bool = true;

    fn seed(seed: &Seed) -> Result<(PathBuf, ImichatFile), SandboxError> {
        crate::sandbox::seed::read(seed, &seed::SAMPLE, seed::generate_users)
    }

    fn open_tenant(&self, file: ImichatFile, path: &Path) -> Result<ImichatTenant, SandboxError> {
        ImichatTenant::new(file, self.behaviour.clone(), path)
    }

    fn requested_operation(&self, method: &Method, path: &str) -> Option<AskedOp> {
        ImichatRoute::find_route(method, path).requested_operation()
    }

    fn named_login(host: &Host<Self>, call: &SandboxCall<'_>) -> Option<String> {
        match ImichatRoute::find_route(call.method, call.path) {
            ImichatRoute::Create => {
                let fields = body::read_object(&call.body).unwrap_or_default();
                fields.get("login_id").and_then(Value::as_str).map(str::to_owned)
            }
            ImichatRoute::Get(id) | ImichatRoute::Update(id) => {
                id.parse().ok().and_then(|id| host.read().get(id).map(|account| account.login_id.clone()))
            }
            _ => None,
        }
    }

    fn requested_page(&self, call: &SandboxCall<'_>) -> Option<u64> {
        let list = ImichatRoute::find_route(call.method, call.path) == ImichatRoute::List;
        list.then(|| page_number(call.query).ok()).flatten()
    }

    fn perform_operation(host: &Host<Self>, call: &SandboxCall<'_>) -> Result<SandboxReply, Cut> {
        let admitted = || host.check_headers(call);
        ImichatFailedCall::settle_outcome(match ImichatRoute::find_route(call.method, call.path) {
            ImichatRoute::Nowhere => Ok(SandboxReply::unknown_path()),
            ImichatRoute::WrongMethod => Err(Code::MethodNotAllowed.into()),
            ImichatRoute::Authorize => host.give_token(call),
            ImichatRoute::List => admitted().and_then(|()| host.list(call.query)),
            ImichatRoute::Get(id) => admitted().and_then(|()| host.show_user(id)),
            ImichatRoute::Create => admitted().and_then(|()| host.create(call)),
            ImichatRoute::Update(id) => admitted().and_then(|()| host.update(id, call)),
        })
    }

    fn shift_list(host: &Host<Self>, shift: Shift, trxid: &str) {
        host.shift_list(shift, trxid);
    }

    fn error_reply(&self, status: StatusCode, code: u32, description: &str) -> SandboxReply {
        SandboxReply::from_json(status, wire::envelope_bytes(code, description, b"\"\""))
    }

    fn unreadable_reply(&self, why: &str) -> SandboxReply {
        refusal_reply(&ImichatRefusal::with_detail(why))
    }

    fn broken_off(&self, status: StatusCode) -> SandboxReply {
        SandboxReply::from_json(status, &b"{\"status_code\":4306,\"resp"[..])
    }

    fn reply_headers(&self, trxid: &str, standing: &QuotaStanding, reset: &str) -> Headers {
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
        let of = |method: Method, path| format!("{:?}", ImichatRoute::find_route(&method, path));
        assert_eq!(of(Method::GET, "/users"), of(Method::GET, "/users/"));
        assert_eq!(ImichatRoute::find_route(&Method::POST, "/users"), ImichatRoute::Create);
        assert_eq!(ImichatRoute::find_route(&Method::PATCH, "/users/7"), ImichatRoute::Update("7"));
        assert_eq!(ImichatRoute::find_route(&Method::PUT, "/users/7"), ImichatRoute::WrongMethod);
        assert_eq!(ImichatRoute::find_route(&Method::DELETE, "/users"), ImichatRoute::WrongMethod);
        assert_eq!(ImichatRoute::find_route(&Method::POST, "/authorize"), ImichatRoute::WrongMethod);
        assert_eq!(ImichatRoute::find_route(&Method::GET, "/users/7/teams"), ImichatRoute::Nowhere);
        assert_eq!(ImichatRoute::find_route(&Method::GET, ""), ImichatRoute::Nowhere);
    }
}
