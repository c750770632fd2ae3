//! What a client may send: each field of the reference's two pages, its type, and nothing else.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::account::{Privilege, Role, Status};
use super::wire::{Code, ImichatRefusal};

/// The body of a create.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImichatCreate {
    pub login_id: Option<String>,
    pub email_id: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub job_description: Option<String>,
    pub login_using_email: Option<bool>,
    pub skill_attributes: Option<Map<String, Value>>,
    /// The reference lists it; it is a live counter, so what is sent is not used.
    #[serde(rename = "active_chats")]
    _active_chats: Option<u64>,
    #[serde(skip)]
    pub privileges: Vec<Privilege>,
}

/// The body of an update. The outer `None` is a field that is left out; `null` clears.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ImichatUpdate {
    #[serde(deserialize_with = "read_given")]
    pub first_name: Option<Option<String>>,
    #[serde(deserialize_with = "read_given")]
    pub last_name: Option<Option<String>>,
    #[serde(deserialize_with = "read_given")]
    pub status: Option<Option<Status>>,
    #[serde(deserialize_with = "read_given")]
    pub job_description: Option<Option<String>>,
    #[serde(deserialize_with = "read_given")]
    pub login_using_email: Option<Option<bool>>,
    #[serde(deserialize_with = "read_given")]
    pub custom_attributes: Option<Option<Map<String, Value>>>,
    #[serde(deserialize_with = "read_given")]
    pub skill_attributes: Option<Option<Map<String, Value>>>,
}

fn read_given<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// The body as an object.
pub(super) fn read_object(body: &[u8]) -> Result<Map<String, Value>, ImichatRefusal> {
    if body.trim_ascii().is_empty() {
        return Err(Code::BodyMissing.into());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ImichatRefusal::with_detail("the body is not a JSON object")),
        Err(_) => Err(ImichatRefusal::with_detail("the body is not JSON")),
    }
}

/// Reads a create without its password.
pub(super) fn create(mut fields: Map<String, Value>, privilege_key: &str) -> Result<ImichatCreate, ImichatRefusal> {
    let privileges = match fields.remove("privileges") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => {
            list.iter().map(|value| read_privilege(value, privilege_key)).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(ImichatRefusal::with_detail("privileges is not an array")),
    };
    let create = ImichatCreate { privileges, ..read_typed(fields)? };
    check_skills(create.skill_attributes.as_ref())?;
    Ok(create)
}

/// Takes the password out of a create, so that nothing of it can be kept or said.
pub(super) fn take_password(fields: &mut Map<String, Value>) -> Result<String, ImichatRefusal> {
    match fields.remove("password") {
        Some(Value::String(password)) if !password.is_empty() => Ok(password),
        Some(Value::String(_)) | None => Err(ImichatRefusal::with_detail("password is missing")),
        Some(_) => Err(ImichatRefusal::with_detail("password is not a string")),
    }
}

pub(super) fn update(fields: Map<String, Value>) -> Result<ImichatUpdate, ImichatRefusal> {
    let update: ImichatUpdate = read_typed(fields)?;
    if matches!(&update.first_name, Some(name) if name.as_ref().is_none_or(|name| name.trim().is_empty())) {
        return Err(ImichatRefusal::with_detail("first_name cannot be empty"));
    }
    if matches!(update.status, Some(None)) {
        return Err(ImichatRefusal::with_detail("status is active or inactive"));
    }
    check_skills(update.skill_attributes.as_ref().and_then(Option::as_ref))?;
    Ok(update)
}

fn read_typed<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, ImichatRefusal> {
    serde_json::from_value(Value::Object(fields)).map_err(|error| ImichatRefusal::with_detail(error.to_string()))
}

fn read_privilege(value: &Value, key: &str) -> Result<Privilege, ImichatRefusal> {
    let Value::Object(object) = value else {
        return Err(ImichatRefusal::with_detail("a privilege is not an object"));
    };
    if let Some(unknown) = object.keys().find(|name| *name != key && *name != "role") {
        return Err(ImichatRefusal::with_detail(format!("a privilege has no {unknown}")));
    }
    let teamid = object.get(key).and_then(Value::as_u64);
    let teamid =
        teamid.ok_or_else(|| ImichatRefusal::with_detail(format!("{key} of a privilege is not an integer")))?;
    let role = object.get("role").cloned().unwrap_or_default();
    let role: Role = serde_json::from_value(role).map_err(|_| {
        ImichatRefusal::with_detail("role of a privilege is none of Team Manager, Team Agent, Team Analyst")
    })?;
    Ok(Privilege { teamid, role })
}

fn check_skills(skills: Option<&Map<String, Value>>) -> Result<(), ImichatRefusal> {
    let nested = skills.into_iter().flatten().find(|(_, value)| value.is_array() || value.is_object());
    match nested {
        Some((name, _)) => Err(ImichatRefusal::with_detail(format!("the value of skill {name} is not a single value"))),
        None => Ok(()),
    }
}
