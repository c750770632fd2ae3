//! What a service holds when it is first started.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::schema::ENTERPRISE;
use super::tenant::{ScimAccount, ScimFile, format_id};
use crate::sandbox::seed::SampleFile;

pub(super) const SAMPLE: SampleFile =
    SampleFile { path: "samples/scim_accounts.json", text: include_str!("../../../samples/scim_accounts.json") };

/// `user000001@example.com`, `user000002@example.com`, …: plain, but of the size that real ones have.
pub(super) fn generate_users(count: u64) -> ScimFile {
    let account = |n: u64| {
        let email = format!("user{n:06}@example.com");
        let resource = json!({
            "externalId": format!("E{n:06}"),
            "userName": email,
            "name": { "givenName": format!("First{n}"), "familyName": format!("Last{n}") },
            "title": "Customer Care Agent",
            "active": !n.is_multiple_of(20),
            "emails": [{ "value": email, "type": "work", "primary": true }],
            ENTERPRISE: { "department": "Everybody" },
        });
        let resource = match resource {
            Value::Object(resource) => resource,
            _ => serde_json::Map::new(),
        };
        let at = Timestamp::UNIX_EPOCH;
        ScimAccount { id: format_id(n), created: at, last_modified: at, version: 1, resource, password: None }
    };
    ScimFile { accounts: (1..=count).map(account).collect(), last_id: count, ..ScimFile::default() }
}
