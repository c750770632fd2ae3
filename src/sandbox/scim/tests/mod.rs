//! The service as a client sees it, over real HTTP.

mod api;
mod faults;
mod listing;
mod writing;

use serde_json::{Value, json};
use std::sync::Arc;

use crate::sandbox::scim::ScimBehaviour;
use crate::sandbox::testing::{Answer, Client, serve_sandbox as started};
use crate::sandbox::{Faults, Options, Sandbox, Seed, TOKEN};

const MEDIA_TYPE: &str = "application/scim+json";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

const SEED: &str = r#"{"accounts": [
    {"id": "b1", "created": "2024-01-02T03:04:05Z", "lastModified": "2024-05-06T07:08:09Z", "version": 3, "resource": {
        "userName": "Ben@example.com", "externalId": "E1", "active": true, "title": "Agent",
        "name": {"givenName": "Ben", "familyName": "Katz"},
        "emails": [{"value": "ben@example.com", "type": "work"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Sales"}}},
    {"id": "c2", "created": "2024-01-02T03:04:05Z", "lastModified": "2024-05-06T07:08:09Z", "version": 1, "resource": {
        "userName": "cleo@example.com", "active": false}}
  ]}"#;

fn options() -> Options {
    Options { system: Arc::new(ScimBehaviour::default()), seed: Seed::Text(SEED.to_owned()), ..Options::default() }
}

fn behaving(scim: ScimBehaviour) -> Options {
    Options { system: Arc::new(scim), ..options() }
}

fn with_faults(faults: &str) -> Options {
    Options { faults: Faults::parse(faults).unwrap(), ..options() }
}

/// A sandbox and a client with its token.
async fn served(options: Options) -> (Sandbox, Client) {
    started(options, &format!("Bearer {TOKEN}"), MEDIA_TYPE).await
}

fn ana() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": "ana@example.com", "externalId": "E2", "password": "correct horse", "active": true,
        "name": {"givenName": "Ana", "familyName": "Silva"},
        "emails": [{"value": "ana@example.com", "type": "work"}],
        ENTERPRISE: {"department": "Support", "manager": {"value": "b1"}},
    })
}

fn patch(operations: Value) -> Value {
    json!({ "schemas": [PATCH_OP], "Operations": operations })
}

fn names(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let users = json["Resources"].as_array().unwrap();
    users.iter().map(|user| user["userName"].as_str().unwrap().to_owned()).collect()
}
