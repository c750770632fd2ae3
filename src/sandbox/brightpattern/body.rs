//! What a client may send: each parameter of the reference page and its type.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A request that is refused, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BrightpatternRefusal {
    pub status: StatusCode,
    pub why: String,
}

impl BrightpatternRefusal {
    pub(super) fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self { status, why: why.into() }
    }

    pub(super) fn bad_request(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    pub(super) fn unknown_reference(what: &str, name: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} {name} does not exist"))
    }
}

/// The body of a create, without its password.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct BrightpatternCreate {
    pub login_id: String,
    pub first_name: String,
    pub last_name: String,
    pub team: String,
    #[serde(deserialize_with = "read_digits")]
    pub extension: Option<String>,
    pub work_phone: String,
    pub mobile_phone: String,
    pub email: String,
    #[serde(deserialize_with = "read_flag")]
    pub disabled: bool,
    #[serde(deserialize_with = "read_flag")]
    pub change_password: bool,
    pub skills: Map<String, Value>,
    pub roles: Vec<String>,
}

/// What an update changes; whatever else its body holds is ignored.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct BrightpatternUpdate {
    pub team: Option<String>,
    #[serde(deserialize_with = "given_flag")]
    pub disabled: Option<bool>,
    #[serde(deserialize_with = "given_flag")]
    pub change_password: Option<bool>,
    pub skills: Option<Map<String, Value>>,
}

/// The body as an object.
pub(super) fn read_object(body: &[u8]) -> Result<Map<String, Value>, BrightpatternRefusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(BrightpatternRefusal::bad_request("the body is not a JSON object")),
        Err(_) => Err(BrightpatternRefusal::bad_request("the body is not JSON")),
    }
}

/// Takes the password out of a body, so that nothing of it can be kept or said.
pub(super) fn take_password(fields: &mut Map<String, Value>) -> Result<Option<String>, BrightpatternRefusal> {
    match fields.remove("password") {
        None => Ok(None),
        Some(Value::String(password)) if !password.is_empty() => Ok(Some(password)),
        Some(_) => Err(BrightpatternRefusal::bad_request("password is not a text")),
    }
}

pub(super) fn create(fields: Map<String, Value>) -> Result<BrightpatternCreate, BrightpatternRefusal> {
    let create: BrightpatternCreate = serde_json::from_value(Value::Object(fields))
        .map_err(|error| BrightpatternRefusal::bad_request(error.to_string()))?;
    for (name, value) in [("loginId", &create.login_id), ("team", &create.team)] {
        if value.trim().is_empty() {
            return Err(BrightpatternRefusal::bad_request(format!("{name} is missing")));
        }
    }
    check_skills(&create.skills)?;
    Ok(create)
}

pub(super) fn update(fields: Map<String, Value>) -> Result<BrightpatternUpdate, BrightpatternRefusal> {
    let update: BrightpatternUpdate = serde_json::from_value(Value::Object(fields))
        .map_err(|error| BrightpatternRefusal::bad_request(error.to_string()))?;
    update.skills.as_ref().map_or(Ok(()), check_skills)?;
    Ok(update)
}

fn check_skills(skills: &Map<String, Value>) -> Result<(), BrightpatternRefusal> {
    match skills.iter().find(|(_, level)| level.as_u64().is_none_or(|level| level > 100)) {
        Some((name, _)) => {
            Err(BrightpatternRefusal::bad_request(format!("the level of skill {name} is not a number from 0 to 100")))
        }
        None => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOr<T> {
    Text(String),
    Other(T),
}

fn read_digits<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    let text = match Option::<TextOr<u64>>::deserialize(value)? {
        None => return Ok(None),
        Some(TextOr::Text(text)) => text,
        Some(TextOr::Other(number)) => number.to_string(),
    };
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(Some(text).filter(|text| !text.is_empty()))
    } else {
        Err(serde::de::Error::custom("extension is not a number"))
    }
}

fn read_flag<'de, D: serde::Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    match TextOr::<bool>::deserialize(value)? {
        TextOr::Other(flag) => Ok(flag),
        TextOr::Text(text) => text.parse().map_err(|_| serde::de::Error::custom("not true or false")),
    }
}

fn given_flag<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<bool>, D::Error> {
    read_flag(value).map(Some)
}
