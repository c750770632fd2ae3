//! The bodies of requests that write, and what in them refers to something else of the contact center.

use bytes::Bytes;
use serde_json::{Map, Value as Json};

use super::schema::at;
use crate::connectors::json::to_json;
use crate::connectors::{CallError, Trouble};
use crate::model::{Attributes, Schema, Secret, Value};

/// A body, and the secrets in it.
pub(super) struct Body {
    pub bytes: Bytes,
    pub secrets: Vec<Secret>,
}

/// The body that sets exactly these values.
///
/// # Errors
/// [`Trouble::Refused`] for a value that has no form on the wire; nothing is sent then.
pub(super) fn request_body(schema: &Schema, values: &Attributes) -> Result<Body, CallError> {
    let mut object = Map::new();
    let mut secrets = Vec::new();
    for (id, value) in values.iter() {
        let name = schema.name(id);
        let json = match value {
            // Skills are replaced as a whole, so that none are left by sending none.
            Value::Null if id == at::SKILLS => Json::Object(Map::new()),
            value => to_json(value, &mut secrets)
                .map_err(|why| CallError::new(Trouble::Refused, format!("{name} cannot be sent: {why}")))?,
        };
        object.insert(name.to_owned(), json);
    }
    let bytes = serde_json::to_vec(&Json::Object(object))
        .map_err(|error| CallError::new(Trouble::Refused, format!("the values cannot be sent: {error}")))?;
    Ok(Body { bytes: bytes.into(), secrets })
}

/// The teams, roles and skills that values name, as a message names them; none where they name none.
pub(super) fn first_reference(schema: &Schema, values: &Attributes) -> Option<String> {
    let named: Vec<String> = [at::TEAM, at::ROLES, at::SKILLS]
        .into_iter()
        .filter_map(|id| {
            let names: Vec<String> = match values.get(id)? {
                Value::Object(object) => object.keys().map(|name| format!("\"{name}\"")).collect(),
                Value::List(list) => list.iter().map(|name| format!("\"{name}\"")).collect(),
                value if value.is_blank() => Vec::new(),
                value => vec![format!("\"{value}\"")],
            };
            (!names.is_empty()).then(|| format!("{} {}", schema.name(id), names.join(", ")))
        })
        .collect();
    (!named.is_empty()).then(|| named.join("; "))
}

#[cfg(test)]
mod tests {
    use super::super::make_schema;
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Attributes {
        let schema = make_schema();
        pairs.iter().map(|(name, json)| (schema.id(name).unwrap(), serde_json::from_str(json).unwrap())).collect()
    }

    fn sent(pairs: &[(&str, &str)]) -> String {
        String::from_utf8(request_body(&make_schema(), &values(pairs)).unwrap().bytes.to_vec()).unwrap()
    }

    #[test]
    fn exactly_the_values_given_are_sent_and_an_extension_as_a_text() {
        let pairs =
            [("loginId", "\"ana\""), ("extension", "\"1072\""), ("skills", r#"{"a":80}"#), ("disabled", "true")];
        let body: Json = serde_json::from_str(&sent(&pairs)).unwrap();
        assert_eq!(
            body,
            serde_json::json!({"loginId": "ana", "extension": "1072", "skills": {"a": 80}, "disabled": true})
        );
    }

    #[test]
    fn to_have_no_skills_is_to_be_sent_none() {
        assert_eq!(sent(&[("skills", "null")]), r#"{"skills":{}}"#);
        assert_eq!(sent(&[("team", "null")]), r#"{"team":null}"#);
    }

    #[test]
    fn a_password_is_sent_in_clear_and_handed_back_for_redaction() {
        let schema = make_schema();
        let one = |value| [(schema.id("password").unwrap(), value)].into_iter().collect::<Attributes>();
        let sent = request_body(&schema, &one(Value::Secret(Secret::new("hunter2")))).unwrap();
        assert_eq!((&sent.bytes[..], sent.secrets), (&br#"{"password":"hunter2"}"#[..], vec![Secret::new("hunter2")]));
        assert!(request_body(&schema, &one(Value::Generated)).is_err());
    }

    #[test]
    fn teams_roles_and_skills_are_named_by_their_names() {
        let pairs = [("skills", r#"{"x":1,"y":2}"#), ("team", "\"Sales\""), ("roles", "[\"Agent\"]")];
        let named = first_reference(&make_schema(), &values(&pairs));
        assert_eq!(named.as_deref(), Some(r#"team "Sales"; roles "Agent"; skills "x", "y""#));
        assert_eq!(
            first_reference(&make_schema(), &values(&[("disabled", "true"), ("skills", "{}"), ("team", "\"\"")])),
            None
        );
    }
}
