//! The JSON of answers: the directory, one user, the teams, straight from the bytes into the engine's types, because a
//! listing is an answer for each user. Numbers and booleans that come as texts are read as what the attribute is; what
//! has no such meaning is kept as it is, so that it compares as different and is seen.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::schema::at;
use crate::connectors::listing::DirectoryEntry;
use crate::model::{AttrId, Attributes, Kind, Schema, Value};

/// The users in a directory, without entries that are no users of this contact center; none where it is no directory.
pub(super) fn decode_directory(body: &[u8]) -> Option<Vec<DirectoryEntry>> {
    let entries: Vec<RawEntry> = serde_json::from_slice(body).ok()?;
    Some(entries.into_iter().filter(|entry| !entry.is_external()).map(DirectoryEntry::from).collect())
}

/// The user in an answer; none where it holds no user with a login.
pub(super) fn decode_user(schema: &Schema, body: &[u8]) -> Option<(String, Attributes)> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let values = User(schema).deserialize(&mut json).ok()?;
    json.end().ok()?;
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEntry {
    #[serde(default, deserialize_with = "decode_text")]
    login_id: Option<Value>,
    #[serde(default, deserialize_with = "decode_text")]
    first_name: Option<Value>,
    #[serde(default, deserialize_with = "decode_text")]
    last_name: Option<Value>,
    #[serde(default, deserialize_with = "decode_text")]
    extension: Option<Value>,
    #[serde(default, deserialize_with = "decode_truth")]
    external: Option<Value>,
}

impl RawEntry {
    fn is_external(&self) -> bool {
        matches!(self.external, Some(Value::Bool(true)))
    }
}

impl From<RawEntry> for DirectoryEntry {
    fn from(entry: RawEntry) -> Self {
        let shown = [
            (at::LOGIN_ID, entry.login_id),
            (at::FIRST_NAME, entry.first_name),
            (at::LAST_NAME, entry.last_name),
            (at::EXTENSION, entry.extension),
        ];
        let values: Attributes = shown.into_iter().filter_map(|(id, value)| Some((id, value?))).collect();
        let login = values.get(at::LOGIN_ID).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { login, values }
    }
}

fn decode_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    AsKind(&Kind::Text).deserialize(deserializer)
}

fn decode_truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    AsKind(&Kind::Bool).deserialize(deserializer)
}

/// Reads a user's object.
struct User<'s>(&'s Schema);

impl<'de> DeserializeSeed<'de> for User<'_> {
    type Value = Attributes;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Attributes, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for User<'_> {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a user")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
        let mut values = Vec::with_capacity(self.0.iter().count());
        while let Some(id) = map.next_key_seed(Readable(self.0))? {
            let Some(id) = id else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value_seed(AsKind(&self.0.get(id).kind))?;
            // What is said last counts, also where it says that there is nothing.
            values.push((id, value));
        }
        values.reverse();
        values.sort_by_key(|(id, _)| *id);
        values.dedup_by_key(|(id, _)| *id);
        Ok(Attributes::in_order(values.into_iter().filter_map(|(id, value)| Some((id, value?))).collect()))
    }
}

/// Reads a key as the attribute of that name, where it is one that can be read.
struct Readable<'s>(&'s Schema);

impl<'de> DeserializeSeed<'de> for Readable<'_> {
    type Value = Option<AttrId>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<AttrId>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Readable<'_> {
    type Value = Option<AttrId>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<AttrId>, E> {
        Ok(self.0.id(name).filter(|id| self.0.get(*id).read))
    }
}

/// Reads any JSON as a value of this kind; none for nothing.
struct AsKind<'k>(&'k Kind);

impl<'de> DeserializeSeed<'de> for AsKind<'_> {
    type Value = Option<Value>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl AsKind<'_> {
    /// A number, which an extension may come as and is not.
    fn decode_number(&self, number: serde_json::Number) -> Value {
        match self.0 {
            Kind::Text => Value::text(number.to_string()),
            _ => Value::from(serde_json::Value::Number(number)),
        }
    }
}

impl<'de> Visitor<'de> for AsKind<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, b: bool) -> Result<Option<Value>, E> {
        Ok(Some(Value::Bool(b)))
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Option<Value>, E> {
        Ok(Some(self.decode_number(n.into())))
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Option<Value>, E> {
        Ok(Some(self.decode_number(n.into())))
    }

    fn visit_f64<E: Error>(self, n: f64) -> Result<Option<Value>, E> {
        Ok(serde_json::Number::from_f64(n).map(|n| self.decode_number(n)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<Value>, E> {
        Ok(Some(match self.0 {
            Kind::Bool if text.trim().eq_ignore_ascii_case("true") => Value::Bool(true),
            Kind::Bool if text.trim().eq_ignore_ascii_case("false") => Value::Bool(false),
            Kind::Int => text.trim().parse().map_or_else(|_| Value::text(text), Value::Int),
            // The only one of its list.
            Kind::List(inner) if !text.is_empty() => Value::List(AsKind(inner).visit_str(text)?.into_iter().collect()),
            _ => Value::text(text),
        }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Value>, A::Error> {
        let mut list = Vec::new();
        if let Kind::List(inner) = self.0 {
            while let Some(value) = seq.next_element_seed(AsKind(inner))? {
                list.extend(value);
            }
        } else {
            while let Some(value) = seq.next_element()? {
                list.push(value);
            }
        }
        Ok(Some(Value::List(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Value>, A::Error> {
        let mut object = BTreeMap::new();
        if let Kind::Map(inner) = self.0 {
            while let Some(key) = map.next_key::<String>()? {
                match map.next_value_seed(AsKind(inner))? {
                    Some(value) => object.insert(key, value),
                    None => object.remove(&key),
                };
            }
        } else {
            while let Some((key, value)) = map.next_entry()? {
                object.insert(key, value);
            }
        }
        Ok(Some(Value::Object(object)))
    }
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
        let entries = decode_directory(body.as_bytes()).unwrap();
        assert_eq!(entries.iter().map(|entry| entry.login.as_str()).collect::<Vec<_>>(), ["ana", "bo", ""]);
        assert_eq!(entries[0].values.get(at::EXTENSION), Some(&Value::text("1001")));
        assert_eq!(entries[0].values.get(at::LAST_NAME), Some(&Value::text("Díaz")));
        assert_eq!(decode_directory(b"{}"), None);
        assert_eq!(decode_directory(b"<html>"), None);
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
