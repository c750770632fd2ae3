//! The JSON of answers: the directory, one user, the teams. Numbers and booleans that come as texts are read as what
//! the attribute is; what has no such meaning is kept as it is, so that it compares as different and is seen.

use serde::Deserialize;
use serde_json::Value as Json;

use super::schema::at;
use crate::model::{Attributes, Kind, Schema, Value};

/// One user as the directory shows them.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    /// As the server spells it; empty where the entry has none.
    pub login: String,
    pub values: Attributes,
}

/// The users in a directory, without entries that are no users of this contact center; none where it is no directory.
pub(super) fn directory(body: &[u8]) -> Option<Vec<Entry>> {
    let entries: Vec<RawEntry> = serde_json::from_slice(body).ok()?;
    Some(entries.into_iter().filter(|entry| !entry.is_external()).map(Entry::from).collect())
}

/// The user in an answer; none where it holds no user with a login.
pub(super) fn user(schema: &Schema, body: &[u8]) -> Option<(String, Attributes)> {
    let Ok(Json::Object(mut object)) = serde_json::from_slice(body) else { return None };
    let values: Attributes = schema
        .iter()
        .filter(|(_, attribute)| attribute.read)
        .filter_map(|(id, attribute)| Some((id, read(&attribute.kind, object.remove(&attribute.name)?)?)))
        .collect();
    let login = values.get(at::LOGIN_ID)?.as_str()?.to_owned();
    (!login.is_empty()).then_some((login, values))
}

/// The names of the teams; none where the answer is no list of teams.
pub(super) fn teams(body: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Team {
        name: String,
    }
    let teams: Vec<Team> = serde_json::from_slice(body).ok()?;
    Some(teams.into_iter().map(|team| team.name).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEntry {
    #[serde(default)]
    login_id: Json,
    #[serde(default)]
    first_name: Json,
    #[serde(default)]
    last_name: Json,
    #[serde(default)]
    extension: Json,
    #[serde(default)]
    external: Json,
}

impl RawEntry {
    fn is_external(&self) -> bool {
        matches!(boolean(&self.external), Some(true))
    }
}

impl From<RawEntry> for Entry {
    fn from(entry: RawEntry) -> Self {
        let shown = [
            (at::LOGIN_ID, entry.login_id),
            (at::FIRST_NAME, entry.first_name),
            (at::LAST_NAME, entry.last_name),
            (at::EXTENSION, entry.extension),
        ];
        let values: Attributes =
            shown.into_iter().filter_map(|(id, json)| Some((id, read(&Kind::Text, json)?))).collect();
        let login = values.get(at::LOGIN_ID).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { login, values }
    }
}

/// A value as its kind reads it; none for nothing.
fn read(kind: &Kind, json: Json) -> Option<Value> {
    Some(match (kind, json) {
        (_, Json::Null) => return None,
        // The page types an extension as a number and shows it as a text.
        (Kind::Text, Json::Number(n)) => Value::Text(n.to_string()),
        (Kind::Bool, json) => boolean(&json).map_or_else(|| Value::from(json), Value::Bool),
        (Kind::Int, Json::String(text)) => text.trim().parse().map_or_else(|_| Value::Text(text), Value::Int),
        (Kind::Map(inner), Json::Object(object)) => Value::Object(
            object.into_iter().filter_map(|(key, json)| read(inner, json).map(|value| (key, value))).collect(),
        ),
        (Kind::List(inner), Json::Array(list)) => {
            Value::List(list.into_iter().filter_map(|json| read(inner, json)).collect())
        }
        // The only one of its list.
        (Kind::List(inner), Json::String(text)) if !text.is_empty() => {
            Value::List(read(inner, Json::String(text)).into_iter().collect())
        }
        (_, json) => Value::from(json),
    })
}

fn boolean(json: &Json) -> Option<bool> {
    match json {
        Json::Bool(b) => Some(*b),
        Json::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Json::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    /// The user of the reference page, as an answer.
    const SHEILA: &str = r#"{"loginId":"sheila.thomas","firstName":"Sheila","lastName":"Thomas",
        "team":"Customer Service","extension":"1072","workPhone":"4151234567","mobilePhone":"6501234567",
        "email":"sheila.thomas@nowhere.net","disabled":false,"skills":{"Spanish":100,"English":100},
        "roles":["Agent","Supervisor"],"locked":false,"password":"ChangeMe"}"#;

    fn shown(body: &str) -> Vec<(String, Value)> {
        let schema = schema();
        let (_, values) = user(&schema, body.as_bytes()).unwrap();
        values.iter().map(|(id, value)| (schema.name(id).to_owned(), value.clone())).collect()
    }

    fn value(name: &str, json: &str) -> Option<Value> {
        let body = format!(r#"{{"loginId":"ana","{name}":{json}}}"#);
        shown(&body).into_iter().find(|(at, _)| at == name).map(|(_, value)| value)
    }

    #[test]
    fn a_user_is_read_with_everything_that_can_be_read() {
        let names: Vec<_> = shown(SHEILA).into_iter().map(|(name, _)| name).collect();
        let schema = schema();
        let readable: Vec<_> = schema.iter().filter(|(_, a)| a.read).map(|(_, a)| a.name.clone()).collect();
        assert_eq!(names, readable);
    }

    #[test]
    fn a_password_that_an_answer_repeats_is_not_read() {
        assert!(shown(SHEILA).iter().all(|(name, _)| name != "password"));
    }

    #[test]
    fn both_types_of_extension_disabled_and_skills_are_read() {
        assert_eq!(value("extension", "1072"), value("extension", "\"1072\""));
        assert_eq!(value("extension", "\"0072\""), Some(Value::text("0072")));
        assert_eq!(value("disabled", "\"true\""), Some(Value::Bool(true)));
        assert_eq!(value("disabled", "\" False \""), Some(Value::Bool(false)));
        assert_eq!(value("skills", r#"{"a":"80"}"#), value("skills", r#"{"a":80}"#));
        assert_eq!(value("roles", "\"Agent\""), value("roles", r#"["Agent"]"#));
    }

    #[test]
    fn what_has_no_such_meaning_is_kept_and_null_is_nothing() {
        assert_eq!(value("disabled", "\"maybe\""), Some(Value::text("maybe")));
        assert_eq!(value("skills", r#"{"a":"good"}"#).unwrap().to_string(), r#"{"a":"good"}"#);
        assert_eq!(value("email", "null"), None);
    }

    #[test]
    fn an_answer_without_a_login_is_no_user() {
        let schema = schema();
        for body in ["", "OK", "[]", "{}", r#"{"loginId":""}"#, r#"{"loginId":null}"#, "<html></html>"] {
            assert_eq!(user(&schema, body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn the_directory_is_read_without_those_who_are_no_users() {
        let body = r#"[{"extension":1001,"loginId":"ana","firstName":"Ana","lastName":"Díaz","voiceMail":true,"greeting":null},
            {"extension":"2","loginId":"pizza","external":true},{"loginId":"bo","external":"false"},{"extension":"9"}]"#;
        let entries = directory(body.as_bytes()).unwrap();
        assert_eq!(entries.iter().map(|entry| entry.login.as_str()).collect::<Vec<_>>(), ["ana", "bo", ""]);
        assert_eq!(entries[0].values.get(at::EXTENSION), Some(&Value::text("1001")));
        assert_eq!(entries[0].values.get(at::LAST_NAME), Some(&Value::text("Díaz")));
        assert_eq!(directory(b"{}"), None);
        assert_eq!(directory(b"<html>"), None);
    }

    #[test]
    fn teams_are_a_list_of_names() {
        assert_eq!(teams(br#"[{"name":"Sales","id":1},{"name":"Ops"}]"#), Some(vec!["Sales".into(), "Ops".into()]));
        assert_eq!(teams(b"[]"), Some(Vec::new()));
        assert_eq!(teams(b"{}"), None);
    }
}
