//! The endpoints that describe the service: RFC 7643, sections 5 to 7, and RFC 9865, section 3.

use serde_json::{Value, json};

use super::schema::{CORE, ENTERPRISE, EXTENSION, ScimUserAttribute, Type, USER, UserAttributeMutability};
use super::{Auth, Cursors, Etags, FilterSupport, Patch, ScimBehaviour};

const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

pub(super) fn service_config(behaviour: &ScimBehaviour, base_url: &str) -> Value {
    let (kind, name) = match behaviour.auth {
        Auth::Bearer => ("oauthbearertoken", "Bearer token"),
        Auth::Basic => ("httpbasic", "HTTP Basic"),
        Auth::ClientCredentials => ("oauth2", "OAuth 2.0 client credentials"),
    };
    let mut config = json!({
        "schemas": [CONFIG],
        "patch": { "supported": behaviour.patch != Patch::Unsupported },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": behaviour.filter != FilterSupport::Unsupported, "maxResults": behaviour.max_count },
        "changePassword": { "supported": true },
        "sort": { "supported": false },
        "etag": { "supported": behaviour.etags == Etags::Supported },
        "authenticationSchemes": [{ "type": kind, "name": name, "description": name }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base_url}/ServiceProviderConfig"),
        },
    });
    if behaviour.cursors != Cursors::Absent {
        let index = behaviour.cursors != Cursors::Only;
        config["pagination"] = json!({
            "cursor": true,
            "index": index,
            "defaultPaginationMethod": if index { "index" } else { "cursor" },
            "defaultPageSize": behaviour.max_count,
            "maxPageSize": behaviour.max_count,
        });
    }
    config
}

pub(super) fn resource_type(base_url: &str) -> Value {
    json!({
        "schemas": [RESOURCE_TYPE],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "description": "User Account",
        "schema": USER,
        "schemaExtensions": [{ "schema": ENTERPRISE, "required": false }],
        "meta": { "resourceType": "ResourceType", "location": format!("{base_url}/ResourceTypes/User") },
    })
}

/// The schemas, in which nobody can change the attributes that `immutable` names.
pub(super) fn all_schemas(base_url: &str, immutable: &[String]) -> Vec<Value> {
    let described = |attribute: &ScimUserAttribute| {
        let mut told = describe_attribute(attribute);
        if immutable.iter().any(|name| name == attribute.name) {
            told["mutability"] = "immutable".into();
        }
        told
    };
    let schema = |id: &str, name: &str, attributes: &[ScimUserAttribute]| {
        json!({
            "schemas": [SCHEMA],
            "id": id,
            "name": name,
            "description": name,
            "attributes": attributes.iter().map(&described).collect::<Vec<_>>(),
            "meta": { "resourceType": "Schema", "location": format!("{base_url}/Schemas/{id}") },
        })
    };
    vec![schema(USER, "User", CORE), schema(ENTERPRISE, "EnterpriseUser", EXTENSION)]
}

fn describe_attribute(attribute: &ScimUserAttribute) -> Value {
    let is_name = attribute.name == "userName";
    let mut told = json!({
        "name": attribute.name,
        "type": match attribute.kind {
            Type::Text => "string",
            Type::Exact => match attribute.name {
                "profileUrl" | "$ref" => "reference",
                _ => "string",
            },
            Type::Boolean => "boolean",
            Type::Complex(_) => "complex",
        },
        "multiValued": attribute.many,
        "description": attribute.name,
        "required": is_name,
        "mutability": match attribute.mutability {
            UserAttributeMutability::ReadWrite => "readWrite",
            UserAttributeMutability::ReadOnly => "readOnly",
            UserAttributeMutability::WriteOnly => "writeOnly",
        },
        "returned": if attribute.mutability == UserAttributeMutability::WriteOnly { "never" } else { "default" },
        "uniqueness": if is_name { "server" } else { "none" },
    });
    match attribute.kind {
        Type::Complex(parts) => told["subAttributes"] = parts.iter().map(describe_attribute).collect(),
        Type::Text => told["caseExact"] = false.into(),
        Type::Exact => told["caseExact"] = true.into(),
        Type::Boolean => {}
    }
    told
}
