use serde_json::json;

use super::super::schema::make_layout;
use super::*;

fn read(mapped: &[&str], resource: Json) -> Option<Account> {
    read_account(&make_layout(&mapped.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()), &resource)
}

/// The value of one attribute of an account that has these members.
fn shown(name: &str, mut resource: Json) -> Option<String> {
    resource["id"] = json!("1");
    let layout = make_layout(&[name.to_owned()]);
    let account = read_account(&layout, &resource).unwrap();
    account.values.get(layout.schema.id(name).unwrap()).map(|value| serde_json::to_string(value).unwrap())
}

#[test]
fn every_path_finds_its_value() {
    let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value";
    let emails = json!({"emails": [{"type": "home", "value": "h"}, {"type": "Work", "value": "w"}, {"type": "work", "value": "x"}]});
    for (name, resource, expected) in [
        ("userName", json!({"userName": "ana"}), Some(r#""ana""#)),
        ("userName", json!({"USERNAME": "ana"}), Some(r#""ana""#)),
        ("name.givenName", json!({"name": {"givenName": "Ana"}}), Some(r#""Ana""#)),
        ("name.givenName", json!({"name": null}), None),
        ("name.givenName", json!({}), None),
        (r#"emails[type eq "work"].value"#, emails, Some(r#""w""#)),
        (r#"emails[type eq "work"].value"#, json!({"emails": {"type": "work", "value": "w"}}), Some(r#""w""#)),
        (r#"emails[type eq "work"].value"#, json!({"emails": ["w"]}), None),
        (
            "emails[primary eq true].value",
            json!({"emails": [{"value": "a"}, {"primary": "true", "value": "b"}]}),
            Some(r#""b""#),
        ),
        (
            manager,
            json!({"urn:ietf:params:scim:schemas:extension:enterprise:2.0:user": {"manager": {"value": "7"}}}),
            Some(r#""7""#),
        ),
        (
            manager,
            json!({"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": "7"}}),
            Some(r#""7""#),
        ),
        ("name", json!({"name": {"givenName": "Ana"}}), Some(r#"{"givenName":"Ana"}"#)),
    ] {
        assert_eq!(shown(name, resource.clone()).as_deref(), expected, "{name} in {resource}");
    }
}

#[test]
fn values_are_what_their_attribute_holds_however_they_are_written() {
    for (name, resource, expected) in [
        ("active", json!({"active": "True"}), "true"),
        ("active", json!({"active": " false "}), "false"),
        ("active", json!({"active": true}), "true"),
        ("active", json!({"active": "maybe"}), r#""maybe""#),
        ("externalId", json!({"externalId": 1072}), r#""1072""#),
        ("title", json!({"title": null}), "null"),
        ("roles", json!({"roles": ["agent", {"value": "lead", "primary": true}]}), r#"["agent","lead"]"#),
        ("roles", json!({"roles": "agent"}), r#"["agent"]"#),
        ("roles", json!({"roles": []}), "[]"),
        ("emails", json!({"emails": [{"value": "a"}]}), r#"[{"value":"a"}]"#),
    ] {
        assert_eq!(shown(name, resource.clone()).as_deref(), Some(expected), "{name} in {resource}");
    }
}

#[test]
fn an_id_is_a_text_and_without_one_there_is_no_account() {
    assert_eq!(read(&[], json!({"id": 7})).unwrap().id.as_str(), "7");
    assert_eq!(read(&[], json!({"ID": "a-b"})).unwrap().id.as_str(), "a-b");
    for resource in [json!({}), json!({"id": ""}), json!({"id": null}), json!({"id": {}}), json!("7"), json!(null)] {
        assert_eq!(read(&[], resource), None);
    }
}

#[test]
fn what_is_never_shown_is_never_read() {
    let account = read(&["password"], json!({"id": "1", "password": "hunter2"})).unwrap();
    assert!(account.values.is_empty() && account.protected.is_none());
}
