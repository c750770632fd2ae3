//! Values as JSON on their way into a request: the one place where a secret becomes readable.

use serde_json::{Map, Number, Value as Json};

use crate::model::{Secret, Value};

/// A value as it is sent. The secrets in it are added to `secrets`, so that an answer which repeats them is redacted.
///
/// # Errors
/// Why the value has no form on the wire.
pub fn to_json(value: &Value, secrets: &mut Vec<Secret>) -> Result<Json, &'static str> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n) => Json::Number((*n).into()),
        Value::Float(n) => Json::Number(Number::from_f64(*n).ok_or("it is not a number that JSON has")?),
        Value::Text(text) => Json::String(text.to_string()),
        Value::List(list) => {
            Json::Array(list.iter().map(|value| to_json(value, secrets)).collect::<Result<Vec<_>, _>>()?)
        }
        Value::Object(object) => {
            let mut map = Map::new();
            for (key, value) in object {
                map.insert(key.clone(), to_json(value, secrets)?);
            }
            Json::Object(map)
        }
        Value::Secret(secret) => {
            secrets.push(secret.clone());
            Json::String(secret.expose().to_owned())
        }
        // The mark of a plan, which must have become a secret before the request is made.
        Value::Generated => return Err("it was never generated"),
    })
}
