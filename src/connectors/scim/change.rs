//! What leaves: new resources, patches, and resources with changes merged in. A patch and a merge of the same changes
//! lead to the same resource. Nothing here touches what nobody mapped.

use serde_json::{Map, Value as Json, json};

use super::path::{CORE, ScimPath, find_member};
use super::resource::{find_value, list_entries};
use super::schema::Layout;
use crate::connectors::json::to_json;
use crate::connectors::{CallError, Trouble};
use crate::model::{Attributes, Kind, Secret};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Values by path as they are sent; null removes.
#[derive(Debug, Default)]
pub(super) struct Changes<'l> {
    pub values: Vec<(&'l ScimPath, Json)>,
    /// The secrets among the values.
    pub secrets: Vec<Secret>,
}

impl<'l> Changes<'l> {
    /// # Errors
    /// [`Trouble::Refused`] for a value that has no form on the wire; nothing is sent then.
    pub fn new(layout: &'l Layout, values: &Attributes) -> Result<Self, CallError> {
        let mut changes = Self::default();
        for (id, value) in values.iter() {
            let attribute = layout.schema.get(id);
            let json = to_json(value, &mut changes.secrets)
                .map_err(|why| CallError::new(Trouble::Refused, format!("{} cannot be sent: {why}", attribute.name)))?;
            let path = layout.path_of(id);
            let json = match json {
                // Nothing that a person would call a value is no value.
                _ if value.is_blank() => Json::Null,
                Json::Array(list) if attribute.kind == Kind::List(Box::new(Kind::Text)) => frame_list(path, list),
                json => json,
            };
            changes.values.push((path, json));
        }
        Ok(changes)
    }

    /// Whether what is to be sent depends on what is there.
    pub fn need_current(&self) -> bool {
        self.values.iter().any(|(path, _)| path.filter.is_some())
    }

    /// The resource of a new account.
    pub fn new_resource(&self) -> Json {
        let mut resource = Map::new();
        resource.insert("schemas".to_owned(), json!([CORE]));
        self.merge_into(&mut resource);
        Json::Object(resource)
    }

    /// Lays the changes over a resource; everything else in it stays.
    pub fn merge_into(&self, resource: &mut Map<String, Json>) {
        for (path, value) in &self.values {
            set(resource, path, value.clone());
        }
    }

    /// The fewest operations that make the difference; none where there is none. `current` is the resource as it is,
    /// which is only looked at for paths with filters.
    pub fn patch_operations(&self, current: Map<String, Json>) -> Option<Json> {
        let mut known = current;
        let mut operations = Vec::new();
        // The operations that add an entry, so that its other parts can join it.
        let mut added: Vec<(&ScimPath, usize)> = Vec::new();
        for (path, value) in &self.values {
            match entry_operation(path, value, &known, &added) {
                Some(Operation::New(operation)) => {
                    if operation["op"] == "add" {
                        added.push((path, operations.len()));
                    } else if operation["op"] == "remove" {
                        added.retain(|(other, _)| !same_entry(other, path));
                    }
                    operations.push(operation);
                }
                Some(Operation::Join(at)) => join_value(&mut operations[at], path, value),
                Some(Operation::Nothing) => {}
                None if value.is_null() => operations.push(json!({"op": "remove", "path": path.to_string()})),
                None => operations.push(json!({"op": "replace", "path": path.to_string(), "value": value})),
            }
            set(&mut known, path, value.clone());
        }
        (!operations.is_empty()).then(|| json!({"schemas": [PATCH_OP], "Operations": operations}))
    }
}

/// What a change of one entry of a multi-valued attribute takes.
enum Operation {
    New(Json),
    /// It joins the operation that adds the entry.
    Join(usize),
    Nothing,
}

/// None for a path without a filter.
fn entry_operation(
    path: &ScimPath,
    new: &Json,
    known: &Map<String, Json>,
    added: &[(&ScimPath, usize)],
) -> Option<Operation> {
    let (filter, part) = (path.filter.as_ref()?, path.part.as_ref()?);
    if find_value(known, path).unwrap_or(&Json::Null) == new {
        return Some(Operation::Nothing);
    }
    if let Some((_, at)) = added.iter().find(|(other, _)| same_entry(other, path))
        && !new.is_null()
    {
        return Some(Operation::Join(*at));
    }
    let whole = ScimPath { filter: None, part: None, ..path.clone() };
    let entries = find_value(known, &whole).map(list_entries).unwrap_or_default();
    let mut selected = entries.iter().filter(|entry| filter.selects_entry(entry)).filter_map(Json::as_object);
    let Some(entry) = selected.next() else {
        return Some(Operation::New(json!({
            "op": "add",
            "path": path.attribute_name(),
            "value": [new_entry(path, new)],
        })));
    };
    // As the entry writes it, for servers that compare exactly.
    let wanted = find_member(entry, &filter.part).unwrap_or(&filter.value);
    let mut select = format!("{} eq {wanted}", filter.part);
    // Only the first is the account's value; others that the filter selects as well are not to be touched.
    if selected.next().is_some()
        && !filter.part.eq_ignore_ascii_case("value")
        && let Some(value) = find_member(entry, "value").filter(|value| value.is_string())
    {
        select = format!("{select} and value eq {value}");
    }
    let attribute = path.attribute_name();
    Some(Operation::New(if !new.is_null() {
        json!({"op": "replace", "path": format!("{attribute}[{select}].{part}"), "value": new})
    } else if part.eq_ignore_ascii_case("value") {
        // An entry without its value says nothing.
        json!({"op": "remove", "path": format!("{attribute}[{select}]")})
    } else {
        json!({"op": "remove", "path": format!("{attribute}[{select}].{part}")})
    }))
}

fn same_entry(one: &ScimPath, other: &ScimPath) -> bool {
    let entry = |path: &ScimPath| ScimPath { part: None, ..path.clone() };
    entry(one).is_same_path(&entry(other))
}

fn join_value(operation: &mut Json, path: &ScimPath, value: &Json) {
    if let Some(part) = &path.part
        && let Some(entry) = operation.pointer_mut("/value/0").and_then(Json::as_object_mut)
    {
        put_member(entry, part, value.clone());
    }
}

/// Sets what a path names, or removes it.
fn set(resource: &mut Map<String, Json>, path: &ScimPath, new: Json) {
    let Some(urn) = &path.urn else { return set_in(resource, path, new) };
    let key = server_spelling(resource, urn);
    let mut holder = match resource.remove(&key) {
        Some(Json::Object(holder)) => holder,
        _ => Map::new(),
    };
    set_in(&mut holder, path, new);
    if holder.is_empty() {
        return;
    }
    resource.insert(key, Json::Object(holder));
    let schemas = resource.entry("schemas").or_insert_with(|| json!([CORE]));
    if let Json::Array(schemas) = schemas
        && !schemas.iter().any(|schema| schema.as_str().is_some_and(|schema| schema.eq_ignore_ascii_case(urn)))
    {
        schemas.push(Json::String(urn.clone()));
    }
}

fn set_in(holder: &mut Map<String, Json>, path: &ScimPath, new: Json) {
    let Some(part) = &path.part else { return put_member(holder, &path.name, new) };
    let key = server_spelling(holder, &path.name);
    let old = holder.remove(&key);
    let whole = match &path.filter {
        None => {
            let mut object = match old {
                Some(Json::Object(object)) => object,
                _ => Map::new(),
            };
            put_member(&mut object, part, new);
            if object.is_empty() { Json::Null } else { Json::Object(object) }
        }
        Some(filter) => {
            let mut list = match old {
                Some(Json::Array(list)) => list,
                Some(Json::Null) | None => Vec::new(),
                Some(one) => vec![one],
            };
            match list.iter().position(|entry| filter.selects_entry(entry)) {
                Some(at) if new.is_null() && part.eq_ignore_ascii_case("value") => {
                    // What has no value does not lose it.
                    if list[at].as_object().is_some_and(|entry| find_member(entry, part).is_some()) {
                        list.remove(at);
                    }
                }
                Some(at) => {
                    if let Json::Object(entry) = &mut list[at] {
                        put_member(entry, part, new);
                    }
                }
                None if new.is_null() => {}
                None => list.push(new_entry(path, &new)),
            }
            if list.is_empty() { Json::Null } else { Json::Array(list) }
        }
    };
    if !whole.is_null() {
        holder.insert(key, whole);
    }
}

/// The entry that a path's filter selects, with a value.
fn new_entry(path: &ScimPath, value: &Json) -> Json {
    let mut entry = Map::new();
    if let (Some(filter), Some(part)) = (&path.filter, &path.part) {
        entry.insert(filter.part.clone(), filter.value.clone());
        put_member(&mut entry, part, value.clone());
    }
    Json::Object(entry)
}

fn put_member(object: &mut Map<String, Json>, name: &str, value: Json) {
    let key = server_spelling(object, name);
    if value.is_null() {
        object.remove(&key);
    } else {
        object.insert(key, value);
    }
}

/// A name as the object spells it.
fn server_spelling(object: &Map<String, Json>, name: &str) -> String {
    if object.contains_key(name) {
        return name.to_owned();
    }
    object.keys().find(|key| key.eq_ignore_ascii_case(name)).map_or_else(|| name.to_owned(), Clone::clone)
}

/// A list of texts as SCIM has it: `roles` and `entitlements` are objects with a value, lists of extensions are texts.
fn frame_list(path: &ScimPath, list: Vec<Json>) -> Json {
    if super::table::is_foreign(path) {
        return Json::Array(list);
    }
    Json::Array(list.into_iter().map(|value| json!({"value": value})).collect())
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
