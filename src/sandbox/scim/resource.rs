//! A user as a client sends it: each attribute under its own name and of its type, and nothing that there is not.

use serde_json::{Map, Value};

use super::refusal::ScimRefusal;
use super::schema::{self, ENTERPRISE, EXTENSION, ScimUserAttribute, Type, USER, UserAttributeMutability};

/// A user's attributes: neither `id`, `meta` and `schemas`, which are the server's, nor the password.
pub(super) type Resource = Map<String, Value>;

/// The attributes of a create or a replacement. What a client may not write is left out, and so is what there is not.
///
/// # Errors
/// `invalidValue` where an attribute is of another type, or `userName` is missing.
pub(super) fn read(sent: Map<String, Value>) -> Result<Resource, ScimRefusal> {
    let mut resource = Resource::new();
    for (name, value) in sent {
        if name.eq_ignore_ascii_case(ENTERPRISE) {
            let Value::Object(object) = value else {
                return Err(ScimRefusal::bad_request("invalidValue", "the enterprise extension is not an object"));
            };
            let extension = typed_parts(object, EXTENSION)?;
            if !extension.is_empty() {
                resource.insert(ENTERPRISE.to_owned(), Value::Object(extension));
            }
        } else if let Some(attribute) =
            schema::top_attribute(&name).filter(|one| one.mutability == UserAttributeMutability::ReadWrite)
            && let Some(value) = typed_value(attribute, value)?
        {
            resource.insert(attribute.name.to_owned(), value);
        }
    }
    check(&resource)?;
    Ok(resource)
}

/// Takes the password out, so that nothing of it can be kept or said.
pub(super) fn take_password(sent: &mut Map<String, Value>) -> Result<Option<String>, ScimRefusal> {
    let name = sent.keys().find(|name| name.eq_ignore_ascii_case("password")).cloned();
    match name.and_then(|name| sent.remove(&name)) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(password)) => Ok(Some(password)),
        Some(_) => Err(ScimRefusal::bad_request("invalidValue", "password is not a text")),
    }
}

/// What must hold for every user.
pub(super) fn check(resource: &Resource) -> Result<(), ScimRefusal> {
    match user_name(resource) {
        name if name.trim().is_empty() => Err(ScimRefusal::bad_request("invalidValue", "userName is missing")),
        _ => Ok(()),
    }
}

pub(super) fn user_name(resource: &Map<String, Value>) -> &str {
    resource.get("userName").and_then(Value::as_str).unwrap_or_default()
}

/// The URNs of the schemas that a user has attributes of.
pub(super) fn schemas_of(resource: &Resource) -> Vec<&'static str> {
    if resource.contains_key(ENTERPRISE) { vec![USER, ENTERPRISE] } else { vec![USER] }
}

/// A value of an attribute's type; `None` where it is none at all.
pub(super) fn typed_value(attribute: &'static ScimUserAttribute, value: Value) -> Result<Option<Value>, ScimRefusal> {
    match value {
        Value::Null => Ok(None),
        Value::Array(elements) if attribute.many => {
            let elements =
                elements.into_iter().map(|value| typed_element(attribute, value)).collect::<Result<Vec<_>, _>>()?;
            Ok(Some(Value::Array(elements)).filter(|value| value != &Value::Array(Vec::new())))
        }
        value if attribute.many => Ok(Some(Value::Array(vec![typed_element(attribute, value)?]))),
        value => typed_single(attribute, value).map(Some),
    }
}

/// An element of a multi-valued attribute; a mere text is its value, as some clients write roles.
pub(super) fn typed_element(attribute: &'static ScimUserAttribute, value: Value) -> Result<Value, ScimRefusal> {
    match value {
        Value::String(text) => Ok(serde_json::json!({ "value": text })),
        value => typed_single(attribute, value),
    }
}

/// One value of an attribute or of a part of one.
pub(super) fn typed_single(attribute: &'static ScimUserAttribute, value: Value) -> Result<Value, ScimRefusal> {
    match (attribute.kind, value) {
        (Type::Text | Type::Exact, value @ Value::String(_)) | (Type::Boolean, value @ Value::Bool(_)) => Ok(value),
        (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        (Type::Complex(known), Value::Object(object)) => typed_parts(object, known).map(Value::Object),
        // A manager is often sent as the id alone.
        (Type::Complex(known), value @ Value::String(_)) if schema::find(known, "$ref").is_some() => {
            Ok(serde_json::json!({ "value": value }))
        }
        _ => Err(ScimRefusal::bad_request("invalidValue", format!("{} is of another type", attribute.name))),
    }
}

/// The parts of a complex value, without those that are none or not there.
pub(super) fn typed_parts(
    object: Map<String, Value>,
    known: &'static [ScimUserAttribute],
) -> Result<Map<String, Value>, ScimRefusal> {
    let mut parts = Map::new();
    for (name, value) in object {
        if let Some(part) = schema::find(known, &name)
            && let Some(value) = typed_value(part, value)?
        {
            parts.insert(part.name.to_owned(), value);
        }
    }
    Ok(parts)
}
