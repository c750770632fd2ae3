//! Resources as the engine knows them: the accounts in answers, and the value that a path names in a resource.
//!
//! Names are read in any case.

use serde_json::{Map, Value as Json};

use super::path::{ScimPath, find_member};
use super::schema::Layout;
use crate::connectors::json::read_value;
use crate::model::{Account, AccountId, Attributes};

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
            values.set(at, read_value(&attribute.kind, value.into()));
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

#[cfg(test)]
#[path = "resource_tests.rs"]
mod tests;
