//! What answers show: the directory, one user, the teams.

use serde::Deserialize;

use super::schema::{DIRECTORY, at};
use crate::connectors::json::{JsonMembers, JsonTree, read_members, read_value};
use crate::connectors::listing::DirectoryEntry;
use crate::model::{Attributes, Kind, Schema, Value};

/// The users in a directory, without entries that are no users of this contact center; none where it is no directory.
pub(super) fn decode_directory(schema: &Schema, body: &[u8]) -> Option<Vec<DirectoryEntry>> {
    let JsonTree::List(list) = JsonTree::parse(body)? else { return None };
    let mut entries = Vec::with_capacity(list.len());
    for entry in list {
        let JsonTree::Object(mut members) = entry else { return None };
        let external = members.iter().rposition(|(name, _)| name == "external").map(|at| members.remove(at).1);
        if external.is_some_and(|external| read_value(&Kind::Bool, external) == Value::Bool(true)) {
            continue;
        }
        members.retain(|(name, _)| schema.id(name).is_some_and(|id| DIRECTORY.contains(&id)));
        let values = read_shown(schema, members);
        let login = values.get(at::LOGIN_ID).and_then(Value::as_str).unwrap_or_default().to_owned();
        entries.push(DirectoryEntry { login, values });
    }
    Some(entries)
}

/// The user in an answer; none where it holds no user with a login.
pub(super) fn decode_user(schema: &Schema, body: &[u8]) -> Option<(String, Attributes)> {
    let JsonTree::Object(members) = JsonTree::parse(body)? else { return None };
    let values = read_shown(schema, members);
    let login = values.get(at::LOGIN_ID)?.as_str()?.to_owned();
    (!login.is_empty()).then_some((login, values))
}

/// The names of the teams; none where the answer is no list of teams.
pub(super) fn decode_teams(body: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Team {
        name: String,
    }
    let teams: Vec<Team> = serde_json::from_slice(body).ok()?;
    Some(teams.into_iter().map(|team| team.name).collect())
}

/// What is shown of a user; `null` is nothing.
fn read_shown(schema: &Schema, members: JsonMembers<'_>) -> Attributes {
    let mut values = read_members(schema, members);
    values.retain(|(_, value)| *value != Value::Null);
    Attributes::in_order(values)
}

#[cfg(test)]
mod tests {
    use super::super::make_schema;
    use super::*;

    /// The user of the reference page, as an answer.
    const SHEILA: &str = r#"{"loginId":"sheila.thomas","firstName":"Sheila","lastName":"Thomas",
        "team":"Customer Service","extension":"1072","workPhone":"4151234567","mobilePhone":"6501234567",
        "email":"sheila.thomas@nowhere.net","disabled":false,"skills":{"Spanish":100,"English":100},
        "roles":["Agent","Supervisor"],"locked":false,"password":"ChangeMe"}"#;

    fn shown(body: &str) -> Vec<(String, Value)> {
        let schema = make_schema();
        let (_, values) = decode_user(&schema, body.as_bytes()).unwrap();
        values.iter().map(|(id, value)| (schema.name(id).to_owned(), value.clone())).collect()
    }

    fn value(name: &str, json: &str) -> Option<Value> {
        let body = format!(r#"{{"loginId":"ana","{name}":{json}}}"#);
        shown(&body).into_iter().find(|(at, _)| at == name).map(|(_, value)| value)
    }

    #[test]
    fn a_user_is_read_with_everything_that_can_be_read() {
        let names: Vec<_> = shown(SHEILA).into_iter().map(|(name, _)| name).collect();
        let schema = make_schema();
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
    fn of_a_key_that_comes_twice_the_last_counts() {
        let body = r#"{"email":"old@x","loginId":"ana","email":"new@x","workPhone":"1","workPhone":null}"#;
        let shown = shown(body);
        assert_eq!(shown, [("loginId".to_owned(), Value::text("ana")), ("email".to_owned(), Value::text("new@x"))]);
    }

    #[test]
    fn what_follows_the_user_makes_it_no_answer() {
        assert_eq!(decode_user(&make_schema(), br#"{"loginId":"ana"} trailing"#), None);
    }

    #[test]
    fn an_answer_without_a_login_is_no_user() {
        let schema = make_schema();
        for body in ["", "OK", "[]", "{}", r#"{"loginId":""}"#, r#"{"loginId":null}"#, "<html></html>"] {
            assert_eq!(decode_user(&schema, body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn the_directory_is_read_without_those_who_are_no_users() {
        let body = r#"[{"extension":1001,"loginId":"ana","firstName":"Ana","lastName":"Díaz","voiceMail":true,"greeting":null},
            {"extension":"2","loginId":"pizza","external":true},{"loginId":"bo","external":"false"},{"extension":"9"}]"#;
        let entries = decode_directory(&make_schema(), body.as_bytes()).unwrap();
        assert_eq!(entries.iter().map(|entry| entry.login.as_str()).collect::<Vec<_>>(), ["ana", "bo", ""]);
        assert_eq!(entries[0].values.get(at::EXTENSION), Some(&Value::text("1001")));
        assert_eq!(entries[0].values.get(at::LAST_NAME), Some(&Value::text("Díaz")));
        assert_eq!(decode_directory(&make_schema(), b"{}"), None);
        assert_eq!(decode_directory(&make_schema(), b"<html>"), None);
    }

    #[test]
    fn teams_are_a_list_of_names() {
        assert_eq!(
            decode_teams(br#"[{"name":"Sales","id":1},{"name":"Ops"}]"#),
            Some(vec!["Sales".into(), "Ops".into()])
        );
        assert_eq!(decode_teams(b"[]"), Some(Vec::new()));
        assert_eq!(decode_teams(b"{}"), None);
    }
}
