//! JSON as it came: texts borrowed from the bytes where they have no escapes, and the members of an object in their
//! order, also those that come twice. Thousands of pages pass here, so nothing is copied that nobody asks for.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value as Json};

/// Any JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum JsonTree<'a> {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<JsonTree<'a>>),
    Object(JsonMembers<'a>),
}

/// The members of an object.
pub type JsonMembers<'a> = Vec<(Cow<'a, str>, JsonTree<'a>)>;

impl<'a> JsonTree<'a> {
    /// None for what is not JSON.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether it is one of the ways in which systems write that there is nothing.
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Object(members) => members.is_empty(),
            Self::Bool(_) | Self::Number(_) => false,
        }
    }
}

impl<'a> From<&'a Json> for JsonTree<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => Self::Number(number.clone()),
            Json::String(text) => Self::Text(text.into()),
            Json::Array(list) => Self::List(list.iter().map(Self::from).collect()),
            Json::Object(object) => {
                Self::Object(object.iter().map(|(name, value)| (name.into(), value.into())).collect())
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for JsonTree<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = JsonTree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<JsonTree<'de>, E> {
        Ok(JsonTree::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<JsonTree<'de>, E> {
        Ok(JsonTree::Bool(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<JsonTree<'de>, E> {
        Ok(JsonTree::Number(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<JsonTree<'de>, E> {
        Ok(JsonTree::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<JsonTree<'de>, E> {
        Ok(Number::from_f64(number).map_or(JsonTree::Null, JsonTree::Number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<JsonTree<'de>, E> {
        Ok(JsonTree::Text(text.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<JsonTree<'de>, E> {
        Ok(JsonTree::Text(text.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<JsonTree<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(JsonTree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonTree<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry()? {
            // The names of JSON are texts.
            if let JsonTree::Text(name) = name {
                members.push((name, value));
            }
        }
        Ok(JsonTree::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_member_is_kept_in_its_order_and_texts_are_borrowed() {
        let text = |text: &'static str| JsonTree::Text(text.into());
        let tree = JsonTree::parse(br#"{"b":"x","a":[1,null],"b":"\u00e9"}"#).unwrap();
        let JsonTree::Object(members) = &tree else { panic!("{tree:?}") };
        assert_eq!(members.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["b", "a", "b"]);
        assert!(matches!(members[0], (Cow::Borrowed("b"), JsonTree::Text(Cow::Borrowed("x")))));
        assert_eq!(members[1].1, JsonTree::List(vec![JsonTree::Number(1.into()), JsonTree::Null]));
        assert_eq!(members[2].1, text("é"));
    }

    #[test]
    fn what_is_no_json_is_no_tree() {
        for bytes in ["", "{", "[1] x", "<p>", "\u{feff}{}"] {
            assert_eq!(JsonTree::parse(bytes.as_bytes()), None, "{bytes}");
        }
    }

    #[test]
    fn a_tree_of_json_is_the_tree_of_its_text() {
        let json = json!({"a": [1, -2, 2.5, true, null, "x"], "b": {}, "c": u64::MAX});
        assert_eq!(JsonTree::from(&json), JsonTree::parse(json.to_string().as_bytes()).unwrap());
    }
}
