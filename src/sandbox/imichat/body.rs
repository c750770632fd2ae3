//! What a client may send: each field of the reference's two pages, its type, and nothing else.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::tenant::{Privilege, Role, Status};
use super::wire::{Code, Refusal};

/// The body of a create.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
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
pub(super) struct Update {
    #[serde(deserialize_with = "given")]
    pub first_name: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    pub last_name: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    pub status: Option<Option<Status>>,
    #[serde(deserialize_with = "given")]
    pub job_description: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    pub login_using_email: Option<Option<bool>>,
    #[serde(deserialize_with = "given")]
    pub custom_attributes: Option<Option<Map<String, Value>>>,
    #[serde(deserialize_with = "given")]
    pub skill_attributes: Option<Option<Map<String, Value>>>,
}

fn given<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// The body as an object.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if body.trim_ascii().is_empty() {
        return Err(Code::BodyMissing.into());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Refusal::because("the body is not a JSON object")),
        Err(_) => Err(Refusal::because("the body is not JSON")),
    }
}

/// Reads a create without its password.
pub(super) fn create(mut fields: Map<String, Value>, privilege_key: &str) -> Result<Create, Refusal> {
    let privileges = match fields.remove("privileges") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => {
            list.iter().map(|value| privilege(value, privilege_key)).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(Refusal::because("privileges is not an array")),
    };
    let create = Create { privileges, ..typed(fields)? };
    check_skills(create.skill_attributes.as_ref())?;
    Ok(create)
}

/// Takes the password out of a create, so that nothing of it can be kept or said.
pub(super) fn take_password(fields: &mut Map<String, Value>) -> Result<String, Refusal> {
    match fields.remove("password") {
        Some(Value::String(password)) if !password.is_empty() => Ok(password),
        Some(Value::String(_)) | None => Err(Refusal::because("password is missing")),
        Some(_) => Err(Refusal::because("password is not a string")),
    }
}

pub(super) fn update(fields: Map<String, Value>) -> Result<Update, Refusal> {
    let update: Update = typed(fields)?;
    if matches!(&update.first_name, Some(name) if name.as_ref().is_none_or(|name| name.trim().is_empty())) {
        return Err(Refusal::because("first_name cannot be empty"));
    }
    if matches!(update.status, Some(None)) {
        return Err(Refusal::because("status is active or inactive"));
    }
    check_skills(update.skill_attributes.as_ref().and_then(Option::as_ref))?;
    Ok(update)
}

fn typed<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Refusal> {
    serde_json::from_value(Value::Object(fields)).map_err(|error| Refusal::because(error.to_string()))
}

fn privilege(value: &Value, key: &str) -> Result<Privilege, Refusal> {
    let Value::Object(object) = value else {
        return Err(Refusal::because("a privilege is not an object"));
    };
    if let Some(unknown) = object.keys().find(|name| *name != key && *name != "role") {
        return Err(Refusal::because(format!("a privilege has no {unknown}")));
    }
    let teamid = object.get(key).and_then(Value::as_u64);
    let teamid = teamid.ok_or_else(|| Refusal::because(format!("{key} of a privilege is not an integer")))?;
    let role = object.get("role").cloned().unwrap_or_default();
    let role: Role = serde_json::from_value(role)
        .map_err(|_| Refusal::because("role of a privilege is none of Team Manager, Team Agent, Team Analyst"))?;
    Ok(Privilege { teamid, role })
}

fn check_skills(skills: Option<&Map<String, Value>>) -> Result<(), Refusal> {
    let nested = skills.into_iter().flatten().find(|(_, value)| value.is_array() || value.is_object());
    match nested {
        Some((name, _)) => Err(Refusal::because(format!("the value of skill {name} is not a single value"))),
        None => Ok(()),
    }
}
