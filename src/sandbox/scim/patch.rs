//! `PatchOp` as RFC 7644, section 3.5.2, has it.

use serde_json::{Map, Value};

use super::filter::{ElementFilter, Operator};
use super::path::{self, PatchPath, PatchPlace};
use super::refusal::ScimRefusal;
use super::resource::{self, Resource};
use super::schema::{ENTERPRISE, EXTENSION};

pub(super) const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

/// Takes the passwords out of the operations, so that nothing of them can be kept or said; the last one counts.
pub(super) fn take_password(body: &mut Map<String, Value>) -> Result<Option<String>, ScimRefusal> {
    let mut password = None;
    let Some(Value::Array(operations)) = member_mut(body, "Operations") else { return Ok(None) };
    for operation in operations.iter_mut().filter_map(Value::as_object_mut) {
        let names_it = find_member(operation, "path").and_then(Value::as_str).is_some_and(is_password);
        match member_mut(operation, "value") {
            Some(value) if names_it => match value.take() {
                Value::String(text) => password = Some(text),
                _ => return Err(ScimRefusal::bad_request("invalidValue", "password is not a text")),
            },
            Some(Value::Object(object)) => password = resource::take_password(object)?.or(password),
            _ => {}
        }
    }
    // What is left of an operation on the password alone has nothing to do any more.
    operations.retain(|operation| !operation.get("path").and_then(Value::as_str).is_some_and(is_password));
    Ok(password)
}

fn is_password(path: &str) -> bool {
    path.rsplit(':').next().is_some_and(|name| name.eq_ignore_ascii_case("password"))
}

/// The user after the operations of a body, in their order; all of them or none.
pub(super) fn apply(user: &Resource, body: &Map<String, Value>) -> Result<Resource, ScimRefusal> {
    let syntax = |why: &str| ScimRefusal::bad_request("invalidSyntax", why);
    let named = find_member(body, "schemas").and_then(Value::as_array);
    if !named.is_some_and(|schemas| schemas.iter().any(|schema| schema == SCHEMA)) {
        return Err(syntax("schemas does not name PatchOp"));
    }
    let Some(Value::Array(operations)) = find_member(body, "Operations") else {
        return Err(syntax("Operations is missing"));
    };
    let mut user = user.clone();
    for operation in operations {
        let operation = operation.as_object().ok_or_else(|| syntax("an operation is not an object"))?;
        let verb = find_member(operation, "op").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        let verb = match verb.as_str() {
            "add" => Verb::Add,
            "replace" => Verb::Replace,
            "remove" => Verb::Remove,
            _ => return Err(syntax("op is none of add, replace, remove")),
        };
        let value = find_member(operation, "value").cloned();
        match find_member(operation, "path") {
            Some(Value::String(path)) => change_one(&mut user, verb, path, value)?,
            Some(_) => return Err(ScimRefusal::bad_request("invalidPath", "path is not a text")),
            None => change_all(&mut user, verb, value)?,
        }
    }
    resource::check(&user)?;
    Ok(user)
}

/// An operation without a path: its value is an object, whose names are the paths.
fn change_all(user: &mut Resource, verb: Verb, value: Option<Value>) -> Result<(), ScimRefusal> {
    if verb == Verb::Remove {
        return Err(ScimRefusal::bad_request("noTarget", "remove needs a path"));
    }
    let Some(Value::Object(values)) = value else {
        return Err(ScimRefusal::bad_request("invalidValue", "without a path the value is an object"));
    };
    for (path, value) in values.into_iter().filter(|(path, _)| !path.eq_ignore_ascii_case("schemas")) {
        change_one(user, verb, &path, Some(value))?;
    }
    Ok(())
}

fn change_one(user: &mut Resource, verb: Verb, path: &str, value: Option<Value>) -> Result<(), ScimRefusal> {
    let value = match (verb, value) {
        (Verb::Remove, _) => Value::Null,
        (_, Some(value)) => value,
        (_, None) => return Err(ScimRefusal::bad_request("invalidValue", "value is missing")),
    };
    let place = match path::parse(path)? {
        PatchPath::Extension => return change_extension(user, verb, value),
        PatchPath::At(place) => place,
    };
    if !place.is_writable() {
        return Err(ScimRefusal::bad_request("mutability", format!("{} cannot be written", place.attribute.name)));
    }
    if !place.extension {
        return change_member(user, verb, &place, value);
    }
    let mut object = match user.remove(ENTERPRISE) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    change_member(&mut object, verb, &place, value)?;
    if !object.is_empty() {
        user.insert(ENTERPRISE.to_owned(), Value::Object(object));
    }
    Ok(())
}

fn change_extension(user: &mut Resource, verb: Verb, value: Value) -> Result<(), ScimRefusal> {
    if verb == Verb::Remove {
        user.remove(ENTERPRISE);
        return Ok(());
    }
    let Value::Object(values) = value else {
        return Err(ScimRefusal::bad_request("invalidValue", "the enterprise extension is an object"));
    };
    let sent = resource::typed_parts(values, EXTENSION)?;
    match user.get_mut(ENTERPRISE) {
        Some(Value::Object(object)) => object.extend(sent),
        _ => {
            user.insert(ENTERPRISE.to_owned(), Value::Object(sent));
        }
    }
    Ok(())
}

/// Changes one attribute of an object that holds attributes.
fn change_member(
    object: &mut Map<String, Value>,
    verb: Verb,
    place: &PatchPlace,
    value: Value,
) -> Result<(), ScimRefusal> {
    let attribute = place.attribute;
    if attribute.many {
        let mut elements = match object.remove(attribute.name) {
            Some(Value::Array(elements)) => elements,
            _ => Vec::new(),
        };
        change_elements(&mut elements, verb, place, value)?;
        if !elements.is_empty() {
            object.insert(attribute.name.to_owned(), Value::Array(elements));
        }
        return Ok(());
    }
    match place.part {
        Some(part) => {
            let mut parts = match object.remove(attribute.name) {
                Some(Value::Object(parts)) => parts,
                _ => Map::new(),
            };
            set(&mut parts, part.name, resource::typed_value(part, value)?);
            set(object, attribute.name, Some(Value::Object(parts)).filter(|parts| parts != &Value::Object(Map::new())));
        }
        None => {
            let sent = resource::typed_value(attribute, value)?;
            match (object.get_mut(attribute.name), sent) {
                // A complex attribute keeps the parts that are not named.
                (Some(Value::Object(parts)), Some(Value::Object(sent))) => parts.extend(sent),
                (_, sent) => set(object, attribute.name, sent),
            }
        }
    }
    Ok(())
}

fn change_elements(elements: &mut Vec<Value>, verb: Verb, place: &PatchPlace, value: Value) -> Result<(), ScimRefusal> {
    let attribute = place.attribute;
    let Some(only) = &place.only else {
        return match (place.part, verb) {
            (Some(part), _) => change_each(elements, part.name, resource::typed_value(part, value)?, |_| true),
            (None, Verb::Remove) => {
                elements.clear();
                Ok(())
            }
            (None, verb) => {
                if verb == Verb::Replace {
                    elements.clear();
                }
                let sent = resource::typed_value(attribute, value)?;
                for element in sent.and_then(|sent| sent.as_array().cloned()).unwrap_or_default() {
                    if !elements.contains(&element) {
                        elements.push(element);
                    }
                }
                Ok(())
            }
        };
    };
    if !elements.iter().any(|element| only.picks_element(element)) {
        match verb {
            Verb::Remove => return Ok(()),
            Verb::Replace => return Err(ScimRefusal::bad_request("noTarget", "no element is as the path says")),
            Verb::Add => elements.push(Value::Object(described_element(only))),
        }
    }
    match place.part {
        Some(part) => {
            change_each(elements, part.name, resource::typed_value(part, value)?, |element| only.picks_element(element))
        }
        None if verb == Verb::Remove => {
            elements.retain(|element| !only.picks_element(element));
            Ok(())
        }
        None => {
            let sent = resource::typed_element(attribute, value)?;
            for element in elements.iter_mut().filter(|element| only.picks_element(element)) {
                match (element.as_object_mut(), &sent) {
                    (Some(parts), Value::Object(sent)) => parts.extend(sent.clone()),
                    _ => *element = sent.clone(),
                }
            }
            Ok(())
        }
    }
}

/// Sets or removes a part of each element that is meant; an element without parts is gone.
fn change_each(
    elements: &mut Vec<Value>,
    part: &str,
    value: Option<Value>,
    meant: impl Fn(&Value) -> bool,
) -> Result<(), ScimRefusal> {
    for element in elements.iter_mut().filter(|element| meant(element)) {
        if let Some(parts) = element.as_object_mut() {
            set(parts, part, value.clone());
        }
    }
    elements.retain(|element| element.as_object().is_none_or(|parts| !parts.is_empty()));
    Ok(())
}

/// What a filter says that an element is.
fn described_element(filter: &ElementFilter) -> Map<String, Value> {
    let equals = filter.conditions.iter().filter(|condition| condition.operator == Operator::Equal);
    equals.map(|condition| (condition.of.name.to_owned(), condition.value.clone())).collect()
}

fn set(object: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            object.insert(name.to_owned(), value);
        }
        None => {
            object.remove(name);
        }
    }
}

/// A member whose name's case does not count.
fn find_member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn member_mut<'a>(object: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Value> {
    object.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ana() -> Value {
        json!({
            "userName": "ana", "title": "Agent", "name": {"givenName": "Ana", "familyName": "Silva"},
            "emails": [{"value": "a@x", "type": "work"}, {"value": "h@x", "type": "home"}],
            ENTERPRISE: {"department": "Sales"},
        })
    }

    fn patched(operations: Value) -> Result<Value, ScimRefusal> {
        let body = json!({ "schemas": [SCHEMA], "Operations": operations });
        apply(ana().as_object().unwrap(), body.as_object().unwrap()).map(Value::Object)
    }

    /// One operation, and one value of the user after it.
    fn after(operation: Value, pointer: &str) -> Value {
        patched(json!([operation])).unwrap().pointer(pointer).cloned().unwrap_or_default()
    }

    fn refused(operation: Value) -> &'static str {
        patched(json!([operation])).unwrap_err().scim_type.unwrap()
    }

    #[test]
    fn simple_and_complex_attributes_are_set_and_removed() {
        assert_eq!(after(json!({"op": "Replace", "path": "title", "value": "Lead"}), "/title"), "Lead");
        assert_eq!(after(json!({"op": "remove", "path": "title"}), "/title"), Value::Null);
        let renamed = json!({"op": "add", "path": "name.givenName", "value": "Anna"});
        assert_eq!(after(renamed, "/name"), json!({"givenName": "Anna", "familyName": "Silva"}));
        let merged = json!({"op": "replace", "path": "name", "value": {"givenName": "Anna"}});
        assert_eq!(after(merged, "/name"), json!({"givenName": "Anna", "familyName": "Silva"}));
    }

    #[test]
    fn elements_are_picked_by_a_filter() {
        let work = r#"emails[type eq "work"]"#;
        let changed = json!({"op": "replace", "path": format!("{work}.value"), "value": "b@x"});
        assert_eq!(after(changed, "/emails")[0], json!({"value": "b@x", "type": "work"}));
        assert_eq!(after(json!({"op": "remove", "path": work}), "/emails").as_array().unwrap().len(), 1);
        let new = json!({"op": "add", "path": r#"emails[type eq "other"].value"#, "value": "o@x"});
        assert_eq!(after(new, "/emails")[2], json!({"value": "o@x", "type": "other"}));
        assert_eq!(refused(json!({"op": "replace", "path": r#"emails[type eq "x"].value"#, "value": "o"})), "noTarget");
    }

    #[test]
    fn whole_lists_are_added_to_and_replaced() {
        let same = json!({"op": "add", "path": "emails", "value": [{"value": "a@x", "type": "work"}]});
        assert_eq!(after(same, "/emails").as_array().unwrap().len(), 2);
        let all = json!({"op": "replace", "path": "emails", "value": [{"value": "z@x"}]});
        assert_eq!(after(all, "/emails"), json!([{"value": "z@x"}]));
        assert_eq!(after(json!({"op": "remove", "path": "emails"}), "/emails"), Value::Null);
    }

    #[test]
    fn the_extension_is_reached_by_its_urn() {
        let department = format!("{ENTERPRISE}:department");
        let of = |user: Value| user[ENTERPRISE].clone();
        let set = patched(json!([{"op": "replace", "path": department, "value": "Ops"}])).unwrap();
        assert_eq!(of(set), json!({"department": "Ops"}));
        assert_eq!(of(patched(json!([{"op": "remove", "path": department}])).unwrap()), Value::Null);
        let both = json!([{"op": "add", "value": {"title": "Lead", ENTERPRISE: {"division": "EU"}}}]);
        assert_eq!(of(patched(both).unwrap()), json!({"department": "Sales", "division": "EU"}));
        assert_eq!(of(patched(json!([{"op": "remove", "path": ENTERPRISE}])).unwrap()), Value::Null);
    }

    #[test]
    fn without_a_path_the_names_of_the_value_are_the_paths() {
        let operation = json!({"op": "replace", "value": {"active": "False", "name.familyName": "Sá"}});
        let ana = patched(json!([operation])).unwrap();
        assert_eq!((&ana["active"], &ana["name"]["familyName"]), (&json!(false), &json!("Sá")));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(refused(json!({"op": "remove"})), "noTarget");
        assert_eq!(refused(json!({"op": "move", "path": "title"})), "invalidSyntax");
        assert_eq!(refused(json!({"op": "add", "path": "colour", "value": "red"})), "invalidPath");
        assert_eq!(refused(json!({"op": "add", "path": "id", "value": "1"})), "mutability");
        assert_eq!(refused(json!({"op": "add", "path": "active", "value": "perhaps"})), "invalidValue");
        assert_eq!(refused(json!({"op": "remove", "path": "userName"})), "invalidValue");
        assert!(apply(&Resource::new(), json!({"Operations": []}).as_object().unwrap()).is_err());
    }

    #[test]
    fn passwords_are_taken_out_wherever_they_stand() {
        let mut body = json!({"schemas": [SCHEMA], "Operations": [
            {"op": "replace", "path": "password", "value": "first"},
            {"op": "replace", "value": {"password": "second", "title": "Lead"}},
        ]});
        let body = body.as_object_mut().unwrap();
        assert_eq!(take_password(body).unwrap().as_deref(), Some("second"));
        let left = Value::Object(body.clone()).to_string();
        assert!(!left.contains("first") && !left.contains("second") && left.contains("Lead"));
    }
}
