//! JSON as values of attributes: read as what the attribute is, where what arrives has that one meaning, and else kept
//! as it is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::schema::AttributeShape;
use crate::model::Value;

/// Reads any JSON as a value of an attribute of this shape.
pub(super) struct AsShape(pub AttributeShape);

/// A key, borrowed from the bytes where it has no escapes.
pub(super) struct TextValue<'de>(pub Cow<'de, str>);

impl<'de> DeserializeSeed<'de> for AsShape {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AsShape {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(if self.0 == AttributeShape::Map { Value::Object(BTreeMap::new()) } else { Value::Null })
    }

    fn visit_bool<E: Error>(self, b: bool) -> Result<Value, E> {
        Ok(if self.0 == AttributeShape::Text { Value::text(if b { "true" } else { "false" }) } else { Value::Bool(b) })
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Value, E> {
        Ok(match self.0 {
            AttributeShape::Text => Value::text(n.to_string()),
            AttributeShape::Bool if n == 0 || n == 1 => Value::Bool(n == 1),
            _ => Value::Int(n),
        })
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Value, E> {
        match i64::try_from(n) {
            Ok(n) => self.visit_i64(n),
            // Beyond i64 the digits matter more than the arithmetic.
            Err(_) => Ok(Value::text(n.to_string())),
        }
    }

    fn visit_f64<E: Error>(self, n: f64) -> Result<Value, E> {
        Ok(if self.0 == AttributeShape::Text { Value::text(n.to_string()) } else { Value::Float(n) })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(match self.0 {
            AttributeShape::Text => Value::text(text),
            AttributeShape::Bool => match text.trim() {
                word if word.eq_ignore_ascii_case("true") || word == "1" => Value::Bool(true),
                word if word.eq_ignore_ascii_case("false") || word == "0" => Value::Bool(false),
                _ => Value::text(text),
            },
            AttributeShape::Int => text.trim().parse().map_or_else(|_| Value::text(text), Value::Int),
            AttributeShape::Map if text.trim().is_empty() => Value::Object(BTreeMap::new()),
            AttributeShape::Map => Value::text(text),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Any(value)) = seq.next_element()? {
            list.push(value);
        }
        let empty_object = self.0 == AttributeShape::Map && list.is_empty();
        Ok(if empty_object { Value::Object(BTreeMap::new()) } else { Value::List(list) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = BTreeMap::new();
        while let Some((key, Any(value))) = map.next_entry()? {
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// A value exactly as JSON has it.
struct Any(Value);

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyVisitor;
        impl<'de> Visitor<'de> for AnyVisitor {
            type Value = Any;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Any, E> {
                Ok(Any(Value::text(text)))
            }
            fn visit_unit<E: Error>(self) -> Result<Any, E> {
                Ok(Any(Value::Null))
            }
            // Numbers, booleans, lists and objects are what they are when a whole number is expected.
            fn visit_bool<E: Error>(self, b: bool) -> Result<Any, E> {
                AsShape(AttributeShape::Int).visit_bool(b).map(Any)
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Any, E> {
                AsShape(AttributeShape::Int).visit_i64(n).map(Any)
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Any, E> {
                AsShape(AttributeShape::Int).visit_u64(n).map(Any)
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<Any, E> {
                AsShape(AttributeShape::Int).visit_f64(n).map(Any)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Any, A::Error> {
                AsShape(AttributeShape::Int).visit_seq(seq).map(Any)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Any, A::Error> {
                AsShape(AttributeShape::Int).visit_map(map).map(Any)
            }
        }
        deserializer.deserialize_any(AnyVisitor)
    }
}

impl<'de> Deserialize<'de> for TextValue<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor<'de>(PhantomData<&'de ()>);
        impl<'de> Visitor<'de> for TextVisitor<'de> {
            type Value = TextValue<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<TextValue<'de>, E> {
                Ok(TextValue(text.into()))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<TextValue<'de>, E> {
                Ok(TextValue(text.to_owned().into()))
            }
        }
        deserializer.deserialize_str(TextVisitor(PhantomData))
    }
}
