//! A request that is refused, as RFC 7644, section 3.12, has it.

use axum::http::StatusCode;
use serde_json::{Value, json};

const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ScimRefusal {
    pub status: StatusCode,
    pub scim_type: Option<&'static str>,
    pub detail: String,
}

impl ScimRefusal {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, scim_type: None, detail: detail.into() }
    }

    /// 400, with one of the RFC's words for why.
    pub(super) fn bad_request(scim_type: &'static str, detail: impl Into<String>) -> Self {
        Self { scim_type: Some(scim_type), ..Self::new(StatusCode::BAD_REQUEST, detail) }
    }

    pub(super) fn not_found(id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("Resource {id} not found"))
    }

    pub(super) fn error_body(&self) -> Value {
        let mut body = json!({ "schemas": [SCHEMA], "status": self.status.as_str(), "detail": self.detail });
        if let Some(scim_type) = self.scim_type {
            body["scimType"] = scim_type.into();
        }
        body
    }
}
