//! Resources as the engine knows them: the accounts in answers, and the value that a path names in a resource.
//!
//! Reading is lenient where a tolerant reading has one meaning: names in any case, booleans and numbers as texts, one
//! value where a list belongs, roles as texts or objects.

use serde_json::{Map, Value as Json};

use super::path::{ScimPath, find_member};
use super::schema::Layout;
use crate::model::{Account, AccountId, Attributes, Kind, Value};

/// The account of a resource; none without an id.
pub(super) fn read_account(layout: &Layout, resource: &Json) -> Option<Account> {
    let resource = resource.as_object()?;
    let id = match find_member(resource, "id")? {
        Json::String(id) if !id.is_empty() => id.clone(),
        Json::Number(id) => id.to_string(),
        _ => return None,
    };
    let mut values = Attributes::new();
    for (at, attribute, path) in layout.iter() {
        if attribute.read
            && let Some(value) = find_value(resource, path)
        {
            values.set(at, typed_value(&attribute.kind, value));
        }
    }
    Some(Account { id: AccountId(id), values, protected: None })
}

/// The value that a path names; with a filter, of the first entry that it selects.
pub(super) fn find_value<'j>(resource: &'j Map<String, Json>, path: &ScimPath) -> Option<&'j Json> {
    let holder = match &path.urn {
        Some(urn) => find_member(resource, urn)?.as_object()?,
        None => resource,
    };
    let whole = find_member(holder, &path.name)?;
    let of = match &path.filter {
        Some(filter) => list_entries(whole).iter().find(|entry| filter.selects_entry(entry))?,
        None => whole,
    };
    match &path.part {
        None => Some(of),
        Some(part) => match of {
            Json::Object(object) => find_member(object, part),
            // A complex attribute that is shown as its value alone.
            scalar if part.eq_ignore_ascii_case("value") && !scalar.is_array() => Some(scalar),
            _ => None,
        },
    }
}

/// The entries of a multi-valued attribute, of which there may be one without a list.
pub(super) fn list_entries(whole: &Json) -> &[Json] {
    match whole {
        Json::Array(list) => list,
        Json::Null => &[],
        one => std::slice::from_ref(one),
    }
}

/// A value as its attribute holds it. What does not fit stays what it is, and compares as different.
fn typed_value(kind: &Kind, value: &Json) -> Value {
    match (kind, value) {
        (_, Json::Null) => Value::Null,
        (Kind::Bool, Json::String(text)) if text.trim().eq_ignore_ascii_case("true") => Value::Bool(true),
        (Kind::Bool, Json::String(text)) if text.trim().eq_ignore_ascii_case("false") => Value::Bool(false),
        (Kind::Int, Json::String(text)) => text.trim().parse().map_or_else(|_| Value::text(text), Value::Int),
        (Kind::Text | Kind::DateTime, Json::Number(number)) => Value::text(number.to_string()),
        (Kind::Text | Kind::DateTime, Json::Bool(flag)) => Value::text(flag.to_string()),
        (Kind::List(item), whole) => {
            Value::List(list_entries(whole).iter().map(|entry| typed_entry(item, entry)).collect())
        }
        (_, value) => Value::from(value.clone()),
    }
}

/// An entry of a list; of an object where a text belongs, its value.
fn typed_entry(item: &Kind, entry: &Json) -> Value {
    match entry {
        Json::Object(object) if *item != Kind::Json => {
            typed_value(item, find_member(object, "value").unwrap_or(&Json::Null))
        }
        entry => typed_value(item, entry),
    }
}

#[cfg(test)]
#[path = "resource_tests.rs"]
mod tests;
