use proptest::prelude::*;

use super::super::schema::make_layout;
use super::*;
use crate::model::Value;

const WORK: &str = r#"emails[type eq "work"].value"#;
const URN: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn changed<T>(pairs: &[(&str, Value)], then: impl FnOnce(Changes<'_>) -> T) -> T {
    let layout = make_layout(&pairs.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
    let values = pairs.iter().map(|(name, value)| (layout.schema.id(name).unwrap(), value.clone())).collect();
    then(Changes::new(&layout, &values).unwrap())
}

fn resource(pairs: &[(&str, Value)]) -> Json {
    changed(pairs, |changes| changes.new_resource())
}

fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(object) => object,
        other => panic!("{other} is an object"),
    }
}

fn operations(current: Json, pairs: &[(&str, Value)]) -> Json {
    let patch = changed(pairs, |changes| changes.patch_operations(object(current)));
    patch.map_or_else(|| json!([]), |patch| patch["Operations"].clone())
}

fn merged(current: Json, pairs: &[(&str, Value)]) -> Json {
    let mut resource = object(current);
    changed(pairs, |changes| changes.merge_into(&mut resource));
    Json::Object(resource)
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn department() -> String {
    format!("{URN}:department")
}

#[test]
fn a_new_resource_is_built_from_its_paths() {
    let manager = format!("{URN}:manager.value");
    let built = resource(&[
        ("userName", text("ana")),
        ("name.givenName", text("Ana")),
        ("name.familyName", text("Díaz")),
        ("active", Value::Bool(false)),
        (WORK, text("a@x.org")),
        (r#"emails[type eq "work"].display"#, text("Ana")),
        (r#"emails[type eq "home"].value"#, text("h@x.org")),
        ("title", Value::Null),
        ("roles", Value::List(vec![text("agent")])),
        (&department(), text("Care")),
        (&manager, text("7")),
        ("password", Value::Secret(Secret::new("hunter2"))),
    ]);
    assert_eq!(
        built,
        json!({
            "schemas": [CORE, URN],
            "userName": "ana",
            "name": {"givenName": "Ana", "familyName": "Díaz"},
            "active": false,
            "emails": [{"type": "work", "value": "a@x.org", "display": "Ana"}, {"type": "home", "value": "h@x.org"}],
            "roles": [{"value": "agent"}],
            "password": "hunter2",
            URN: {"department": "Care", "manager": {"value": "7"}},
        })
    );
}

#[test]
fn without_an_extension_only_the_core_is_named() {
    assert_eq!(resource(&[("userName", text("ana"))]), json!({"schemas": [CORE], "userName": "ana"}));
    assert_eq!(resource(&[(&department(), Value::Null)]), json!({"schemas": [CORE]}));
}

#[test]
fn secrets_are_handed_back_and_the_mark_of_a_generated_one_never_leaves() {
    changed(&[("password", Value::Secret(Secret::new("hunter2")))], |changes| {
        assert_eq!(changes.secrets, [Secret::new("hunter2")]);
    });
    let layout = make_layout(&["password".to_owned()]);
    let values = [(layout.schema.id("password").unwrap(), Value::Generated)].into_iter().collect();
    let error = Changes::new(&layout, &values).unwrap_err();
    assert_eq!(
        (error.trouble, error.message.as_str()),
        (Trouble::Refused, "password cannot be sent: it was never generated")
    );
}

#[test]
fn a_simple_attribute_takes_one_operation() {
    assert_eq!(
        operations(
            json!({}),
            &[("name.givenName", text("Ana")), ("title", Value::Null), ("active", Value::Bool(false))]
        ),
        json!([
            {"op": "replace", "path": "active", "value": false},
            {"op": "replace", "path": "name.givenName", "value": "Ana"},
            {"op": "remove", "path": "title"},
        ])
    );
    assert_eq!(
        operations(json!({}), &[(&department(), text("Care"))]),
        json!([{"op": "replace", "path": department(), "value": "Care"}])
    );
    let patch = changed(&[("title", text("x"))], |changes| changes.patch_operations(Map::new())).unwrap();
    assert_eq!(patch["schemas"], json!([PATCH_OP]));
}

#[test]
fn an_entry_that_is_there_is_replaced_and_one_that_is_not_is_added() {
    let change = [(WORK, text("new@x.org"))];
    assert_eq!(
        operations(json!({"emails": [{"type": "home", "value": "h"}, {"type": "WORK", "value": "old"}]}), &change),
        json!([{"op": "replace", "path": r#"emails[type eq "WORK"].value"#, "value": "new@x.org"}])
    );
    assert_eq!(
        operations(json!({"emails": [{"type": "home", "value": "h"}]}), &change),
        json!([{"op": "add", "path": "emails", "value": [{"type": "work", "value": "new@x.org"}]}])
    );
}

#[test]
fn what_is_that_way_already_takes_no_operation() {
    let current = json!({"emails": [{"type": "work", "value": "w"}]});
    assert_eq!(operations(current, &[(WORK, text("w"))]), json!([]));
    assert_eq!(operations(json!({}), &[(WORK, Value::Null)]), json!([]));
}

#[test]
fn the_parts_of_an_entry_are_added_together() {
    let street = r#"addresses[type eq "work"].streetAddress"#;
    let city = r#"addresses[type eq "work"].locality"#;
    assert_eq!(
        operations(json!({}), &[(street, text("1 Main St")), (city, text("Lisbon"))]),
        json!([{"op": "add", "path": "addresses", "value": [
            {"type": "work", "streetAddress": "1 Main St", "locality": "Lisbon"}
        ]}])
    );
}

#[test]
fn an_entry_without_its_value_goes_and_a_part_goes_alone() {
    let current = json!({"emails": [{"type": "work", "value": "w", "display": "W"}]});
    assert_eq!(
        operations(current.clone(), &[(WORK, Value::Null)]),
        json!([{"op": "remove", "path": r#"emails[type eq "work"]"#}])
    );
    assert_eq!(
        operations(current.clone(), &[(r#"emails[type eq "work"].display"#, Value::Null)]),
        json!([{"op": "remove", "path": r#"emails[type eq "work"].display"#}])
    );
    assert_eq!(merged(current, &[(WORK, Value::Null)]), json!({}));
}

#[test]
fn of_several_entries_only_the_first_is_touched() {
    let current = json!({"emails": [{"type": "work", "value": "a\"b"}, {"type": "work", "value": "c"}]});
    assert_eq!(
        operations(current.clone(), &[(WORK, text("new"))]),
        json!([{"op": "replace", "path": r#"emails[type eq "work" and value eq "a\"b"].value"#, "value": "new"}])
    );
    assert_eq!(
        merged(current, &[(WORK, text("new"))]),
        json!({"emails": [{"type": "work", "value": "new"}, {"type": "work", "value": "c"}]})
    );
}

#[test]
fn merging_keeps_what_nobody_mapped() {
    let current = json!({
        "schemas": [CORE], "id": "7", "nickName": "A", "NAME": {"givenName": "Anna", "middleName": "B"},
        "emails": [{"type": "work", "value": "old", "primary": true}, {"type": "home", "value": "h"}],
        "urn:acme:1.0": {"x": 1},
    });
    let merged =
        merged(current, &[("name.givenName", text("Ana")), (WORK, text("new")), (&department(), text("Care"))]);
    assert_eq!(
        merged,
        json!({
            "schemas": [CORE, URN], "id": "7", "nickName": "A", "NAME": {"givenName": "Ana", "middleName": "B"},
            "emails": [{"type": "work", "value": "new", "primary": true}, {"type": "home", "value": "h"}],
            "urn:acme:1.0": {"x": 1},
            URN: {"department": "Care"},
        })
    );
}

/// A SCIM server's way of applying operations, by itself: it shares nothing with the code above.
fn apply(resource: &mut Json, operation: &Json) {
    let path = operation["path"].as_str().unwrap();
    let (holder, path) = match path.strip_prefix(&format!("{URN}:")) {
        Some(rest) => {
            let object = resource.as_object_mut().unwrap();
            (object.entry(URN).or_insert_with(|| json!({})), rest)
        }
        None => (resource, path),
    };
    let removes = operation["op"] == "remove";
    let value = operation["value"].clone();
    let Some((attribute, rest)) = path.split_once('[') else {
        if operation["op"] == "add" {
            let object = holder.as_object_mut().unwrap();
            let list = object.entry(path).or_insert_with(|| json!([])).as_array_mut().unwrap();
            list.extend(value.as_array().unwrap().iter().cloned());
            return;
        }
        let (parent, leaf) = path.split_once('.').map_or((None, path), |(parent, leaf)| (Some(parent), leaf));
        if let Some(parent) = parent {
            if removes && holder.get(parent).is_none() {
                return;
            }
            let object = holder.as_object_mut().unwrap();
            let inner = object.entry(parent).or_insert_with(|| json!({})).as_object_mut().unwrap();
            if removes {
                inner.remove(leaf)
            } else {
                inner.insert(leaf.to_owned(), value)
            };
            if inner.is_empty() {
                object.remove(parent);
            }
        } else if removes {
            holder.as_object_mut().unwrap().remove(leaf);
        } else {
            holder[leaf] = value;
        }
        return;
    };
    let (filter, part) = rest.rsplit_once(']').unwrap();
    let conditions: Vec<(&str, Json)> = filter
        .split(" and ")
        .map(|one| one.split_once(" eq ").map(|(key, value)| (key, serde_json::from_str(value).unwrap())).unwrap())
        .collect();
    let selected = |entry: &Json| conditions.iter().all(|(key, value)| entry[*key] == *value);
    let list = holder[attribute].as_array_mut().unwrap();
    assert!(list.iter().any(selected), "noTarget");
    match part.strip_prefix('.') {
        None => list.retain(|entry| !selected(entry)),
        Some(part) => {
            for entry in list.iter_mut().filter(|entry| selected(entry)) {
                let entry = entry.as_object_mut().unwrap();
                if removes {
                    entry.remove(part)
                } else {
                    entry.insert(part.to_owned(), value.clone())
                };
            }
        }
    }
    if list.is_empty() {
        holder.as_object_mut().unwrap().remove(attribute);
    }
}

/// Without what an empty extension leaves behind, and without the list of schemas, which only a whole resource needs.
fn bare(mut resource: Json) -> Json {
    let object = resource.as_object_mut().unwrap();
    object.remove("schemas");
    if object.get(URN).is_some_and(|inner| *inner == json!({})) {
        object.remove(URN);
    }
    resource
}

fn entry() -> impl Strategy<Value = Json> {
    ("work|home|Work", "[ab]", any::<bool>()).prop_map(|(kind, value, display)| {
        let mut entry = json!({"type": kind, "value": value});
        if display {
            entry["display"] = json!("D");
        }
        entry
    })
}

proptest! {
    #[test]
    fn a_patch_and_a_merge_lead_to_the_same_resource(
        entries in prop::collection::vec(entry(), 0..4),
        given in prop::option::of("[cd]"),
        care in prop::option::of("[cd]"),
        wants in prop::collection::vec((0usize..9, prop::option::of("[cd]")), 1..6),
    ) {
        // Two entries of one type and value cannot be told apart by any filter, so what is wanted makes none either.
        let mut entries = entries;
        entries.sort_by_key(|entry| (entry["type"].to_string().to_lowercase(), entry["value"].to_string()));
        entries.dedup_by(|a, b| {
            a["value"] == b["value"] && a["type"].to_string().eq_ignore_ascii_case(&b["type"].to_string())
        });
        let mut current = json!({"nickName": "kept", "name": {"middleName": "kept"}});
        if !entries.is_empty() {
            current["emails"] = Json::Array(entries);
        }
        if let Some(given) = given {
            current["name"]["givenName"] = json!(given);
        }
        if let Some(care) = care {
            current[URN] = json!({"department": care});
        }
        let paths = [
            "name.givenName".to_owned(), "title".to_owned(), WORK.to_owned(), department(),
            r#"emails[type eq "work"].display"#.to_owned(), r#"emails[type eq "home"].value"#.to_owned(),
            format!("{URN}:manager.value"), r#"phoneNumbers[type eq "mobile"].value"#.to_owned(),
            r#"phoneNumbers[type eq "mobile"].display"#.to_owned(),
        ];
        let mut pairs: Vec<(&str, Value)> = Vec::new();
        for (at, value) in wants {
            let path = paths[at].as_str();
            if pairs.iter().all(|(other, _)| *other != path) {
                pairs.push((path, value.map_or(Value::Null, Value::text)));
            }
        }
        let mut patched = current.clone();
        let operations = operations(current.clone(), &pairs);
        for operation in operations.as_array().unwrap() {
            apply(&mut patched, operation);
        }
        prop_assert!(operations.as_array().unwrap().len() <= pairs.len());
        prop_assert_eq!(bare(patched), bare(merged(current, &pairs)), "{}", operations);
    }
}
