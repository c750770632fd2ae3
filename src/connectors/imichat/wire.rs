//! The bodies of requests that write.

use bytes::Bytes;
use serde_json::{Map, Value as Json};

use super::schema::{TEAM_KEY, at};
use crate::connectors::json::to_json;
use crate::connectors::{CallError, Trouble};
use crate::model::{Attributes, Schema, Secret};

/// The body that sets exactly these values, and the secrets in it.
///
/// # Errors
/// [`Trouble::Refused`] for a value that has no form on the wire; nothing is sent then.
pub(super) fn request_body(
    schema: &Schema,
    values: &Attributes,
    privilege_key: &str,
) -> Result<(Bytes, Vec<Secret>), CallError> {
    let mut object = Map::new();
    let mut secrets = Vec::new();
    for (id, value) in values.iter() {
        let name = schema.name(id);
        let mut json = to_json(value, &mut secrets)
            .map_err(|why| CallError::new(Trouble::Refused, format!("{name} cannot be sent: {why}")))?;
        if id == at::PRIVILEGES && privilege_key != TEAM_KEY {
            rename_team_key(&mut json, privilege_key);
        }
        object.insert(name.to_owned(), json);
    }
    let text = serde_json::to_vec(&Json::Object(object))
        .map_err(|error| CallError::new(Trouble::Refused, format!("the values cannot be sent: {error}")))?;
    Ok((text.into(), secrets))
}

fn rename_team_key(privileges: &mut Json, key: &str) {
    for privilege in privileges.as_array_mut().into_iter().flatten() {
        if let Some(object) = privilege.as_object_mut()
            && let Some(team) = object.remove(TEAM_KEY)
        {
            object.insert(key.to_owned(), team);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connectors::imichat::{UpdateBody, make_schema};
    use crate::model::Value;

    fn sent(pairs: &[(&str, Value)], key: &str) -> Result<String, CallError> {
        let schema = make_schema(UpdateBody::Full);
        let values = pairs.iter().map(|(name, value)| (schema.id(name).unwrap(), value.clone())).collect();
        request_body(&schema, &values, key).map(|(bytes, _)| String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn privileges() -> Value {
        serde_json::from_str(r#"[{"teamid":3,"role":"Team Agent"},{"teamid":4,"role":"Team Analyst"}]"#).unwrap()
    }

    #[test]
    fn exactly_the_values_given_are_sent() {
        let body = sent(&[("login_id", Value::text("ana")), ("login_using_email", Value::Bool(true))], TEAM_KEY);
        assert_eq!(body.unwrap(), r#"{"login_id":"ana","login_using_email":true}"#);
    }

    #[test]
    fn a_secret_is_sent_in_clear_and_handed_back_for_redaction() {
        let schema = make_schema(UpdateBody::Full);
        let password = Value::Secret(Secret::new("hunter2"));
        let values = [(schema.id("password").unwrap(), password)].into_iter().collect();
        let (bytes, secrets) = request_body(&schema, &values, TEAM_KEY).unwrap();
        assert_eq!(&bytes[..], br#"{"password":"hunter2"}"#);
        assert_eq!(secrets, [Secret::new("hunter2")]);
    }

    #[test]
    fn the_mark_of_a_generated_secret_never_leaves() {
        let error = sent(&[("password", Value::Generated)], TEAM_KEY).unwrap_err();
        assert_eq!(error.message, "password cannot be sent: it was never generated");
    }

    #[test]
    fn the_team_key_of_privileges_is_what_the_settings_say() {
        let body = sent(&[("privileges", privileges())], "team_id").unwrap();
        assert!(
            body.contains(r#""team_id":3"#) && body.contains(r#""team_id":4"#) && !body.contains("teamid"),
            "{body}"
        );
        assert!(sent(&[("privileges", privileges())], TEAM_KEY).unwrap().contains(r#""teamid":3"#));
    }
}
