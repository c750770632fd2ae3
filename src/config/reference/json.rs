//! JSON whose objects keep the order in which they are written, whatever serde_json does with its own: the schema is
//! committed, and read by people.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// A part of a document.
#[derive(Clone, Debug)]
pub(super) enum SchemaNode {
    Leaf(Value),
    List(Vec<SchemaNode>),
    Object(Vec<(String, SchemaNode)>),
}

impl Serialize for SchemaNode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Leaf(value) => value.serialize(serializer),
            Self::List(items) => items.serialize(serializer),
            Self::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<T: Into<Value>> From<T> for SchemaNode {
    fn from(value: T) -> Self {
        Self::Leaf(value.into())
    }
}

pub(super) fn json_object(entries: impl IntoIterator<Item = (impl Into<String>, SchemaNode)>) -> SchemaNode {
    SchemaNode::Object(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

pub(super) fn json_list(items: impl IntoIterator<Item = impl Into<SchemaNode>>) -> SchemaNode {
    SchemaNode::List(items.into_iter().map(Into::into).collect())
}
