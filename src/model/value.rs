//! One value of an attribute.

use std::collections::BTreeMap;
use std::fmt;

use compact_str::CompactString;
use secrecy::{ExposeSecret, SecretString};
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// How a generated secret is written in plans and reports.
pub const GENERATED: &str = "(generated)";
/// How a secret that the source holds is written in plans and reports.
pub const SECRET: &str = "(secret)";

/// A text as a value holds it. Most are short (a login, a name, a role, a date), and those take no memory of their own:
/// millions of them come and go while a listing streams past.
pub type CompactText = CompactString;

/// A value as the mapping makes it, as an account has it, and as a plan carries it. Secrets have variants of their own
/// that serialise and print as a mark, so that no plan, log or report can hold one by accident.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(CompactText),
    List(Vec<Value>),
    Object(BTreeMap<String, Value>),
    /// A secret taken from the source; prints and serialises as [`SECRET`].
    Secret(Secret),
    /// A secret to be generated when the request is made; prints and serialises as [`GENERATED`].
    Generated,
}

/// A secret text. `Debug` never shows it, and it has no `Display`.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SECRET)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Value {
    pub fn text(text: impl Into<CompactText>) -> Self {
        Self::Text(text.into())
    }

    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    #[must_use]
    pub fn as_object(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Null, an empty text, an empty list or object: nothing a person would call a value.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Object(object) => object.is_empty(),
            _ => false,
        }
    }

    /// True, or a number other than zero: what makes a warning attribute (open chats, logged in) worth a warning.
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Bool(b) => *b,
            Self::Int(n) => *n != 0,
            Self::Float(n) => *n != 0.0,
            _ => false,
        }
    }
}

/// The value as a person reads it: text bare, everything else as compact JSON, secrets as their mark.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Secret(_) => f.write_str(SECRET),
            Self::Generated => f.write_str(GENERATED),
            other => f.write_str(&serde_json::to_string(other).map_err(|_| fmt::Error)?),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Int(n) => serializer.serialize_i64(*n),
            Self::Float(n) => serializer.serialize_f64(*n),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => list.serialize(serializer),
            Self::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.len()))?;
                for (key, value) in object {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Secret(_) => serializer.serialize_str(SECRET),
            Self::Generated => serializer.serialize_str(GENERATED),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(Self::from)
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(b),
            Json::Number(n) => n.as_i64().map_or_else(|| Self::Float(n.as_f64().unwrap_or(f64::NAN)), Self::Int),
            Json::String(text) => Self::Text(text.into()),
            Json::Array(list) => Self::List(list.into_iter().map(Self::from).collect()),
            Json::Object(object) => Self::Object(object.into_iter().map(|(k, v)| (k, Self::from(v))).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_never_print_and_never_serialise() {
        let secret = Value::Secret(Secret::new("hunter2"));
        assert_eq!(format!("{secret:?} {secret}"), "Secret((secret)) (secret)");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"(secret)\"");
        assert_eq!(serde_json::to_string(&Value::Generated).unwrap(), "\"(generated)\"");
    }

    #[test]
    fn json_survives_a_round_trip() {
        let text = r#"{"a":[1,2.5,true,null,"x"],"b":{}}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
    }
}
