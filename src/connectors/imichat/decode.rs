//! The JSON of answers, straight from the bytes into the engine's types: thousands of pages pass here, so nothing is
//! built twice.
//!
//! Reading is lenient where a tolerant reading has one meaning (numbers as texts, `null` or `""` for nothing, `[]` for
//! an empty object, as PHP writes it) and says so where it has none.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::schema::{ADMINISTRATIVE, AttributeShape, PLACES, at, shown_attribute};
use super::value::{AsShape, TextValue};
use crate::connectors::listing::PageFacts;
use crate::model::{Account, AccountId, AttrId, AttrSet, Attributes, Value};

/// Every answer: what came of the request, and what it brought.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<R> {
    #[serde(deserialize_with = "decode_code")]
    pub status_code: u32,
    #[serde(default, deserialize_with = "decode_words")]
    pub description: String,
    #[serde(default)]
    pub response: R,
}

/// The `response` of a page of the listing.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ImichatPage {
    /// One for each record, none for a record that is no user; nothing at all where the answer has no list of users.
    pub records: Option<Vec<Option<Account>>>,
    pub facts: PageFacts,
}

/// The `response` about one user: the user itself, or in `user`, or the first of a list.
#[derive(Debug, Default, PartialEq)]
pub(super) struct One(pub Option<Account>);

/// A `response` that does not matter.
#[derive(Debug, Default)]
pub(super) struct Whatever;

impl<'de> Deserialize<'de> for Whatever {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// One record of a listing.
struct DecodedRecord(Option<Account>);

/// A key of a user.
enum Key {
    Shown(AttrId, AttributeShape),
    User,
    Other,
}

/// The visitors below answer for every JSON type; numbers and booleans mean nothing to most of them.
macro_rules! scalars_mean_nothing {
    ($nothing:expr) => {
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
}

impl<'de> Deserialize<'de> for ImichatPage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PageVisitor;
        impl<'de> Visitor<'de> for PageVisitor {
            type Value = ImichatPage;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a page of users")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ImichatPage, A::Error> {
                let mut page = ImichatPage::default();
                let mut bare = true;
                while let Some(key) = map.next_key::<TextValue<'de>>()? {
                    bare = false;
                    match &*key.0 {
                        "users" => page.records = map.next_value::<DecodedUsers>()?.0,
                        "links" => page.facts = map.next_value::<ImichatLinks>()?.0,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                if bare {
                    page.records = Some(Vec::new());
                }
                Ok(page)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<ImichatPage, A::Error> {
                Ok(ImichatPage { records: Some(decode_records(seq)?), facts: PageFacts::default() })
            }
            fn visit_unit<E: Error>(self) -> Result<ImichatPage, E> {
                Ok(ImichatPage { records: Some(Vec::new()), facts: PageFacts::default() })
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<ImichatPage, E> {
                Ok(ImichatPage { records: text.trim().is_empty().then(Vec::new), facts: PageFacts::default() })
            }
            scalars_mean_nothing!(ImichatPage::default());
        }
        deserializer.deserialize_any(PageVisitor)
    }
}

/// `response.users`.
struct DecodedUsers(Option<Vec<Option<Account>>>);

impl<'de> Deserialize<'de> for DecodedUsers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UsersVisitor;
        impl<'de> Visitor<'de> for UsersVisitor {
            type Value = DecodedUsers;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of users")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<DecodedUsers, A::Error> {
                Ok(DecodedUsers(Some(decode_records(seq)?)))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DecodedUsers, A::Error> {
                let mut entries = 0;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    entries += 1;
                }
                Ok(DecodedUsers((entries == 0).then(Vec::new)))
            }
            fn visit_unit<E: Error>(self) -> Result<DecodedUsers, E> {
                Ok(DecodedUsers(Some(Vec::new())))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<DecodedUsers, E> {
                Ok(DecodedUsers(text.trim().is_empty().then(Vec::new)))
            }
            scalars_mean_nothing!(DecodedUsers(None));
        }
        deserializer.deserialize_any(UsersVisitor)
    }
}

fn decode_records<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Vec<Option<Account>>, A::Error> {
    let mut records = Vec::with_capacity(super::PAGE_SIZE);
    while let Some(DecodedRecord(account)) = seq.next_element()? {
        records.push(account);
    }
    Ok(records)
}

/// `response.links`: what the server says of the pages of the listing.
#[derive(Default)]
struct ImichatLinks(PageFacts);

impl<'de> Deserialize<'de> for ImichatLinks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LinksVisitor;
        impl<'de> Visitor<'de> for LinksVisitor {
            type Value = ImichatLinks;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("links")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ImichatLinks, A::Error> {
                let mut links = PageFacts::default();
                while let Some(key) = map.next_key::<TextValue<'de>>()? {
                    match &*key.0 {
                        "next" => {
                            links.more = Some(match map.next_value_seed(AsShape(AttributeShape::Int))? {
                                Value::Bool(next) => next,
                                Value::Int(page) => page > 0,
                                other => !other.is_blank(),
                            });
                        }
                        "pages" => {
                            links.pages = match map.next_value_seed(AsShape(AttributeShape::Int))? {
                                Value::Int(pages) => u64::try_from(pages).ok(),
                                _ => None,
                            };
                        }
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(ImichatLinks(links))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ImichatLinks, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(ImichatLinks::default())
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<ImichatLinks, E> {
                Ok(ImichatLinks::default())
            }
            fn visit_unit<E: Error>(self) -> Result<ImichatLinks, E> {
                Ok(ImichatLinks::default())
            }
            scalars_mean_nothing!(ImichatLinks::default());
        }
        deserializer.deserialize_any(LinksVisitor)
    }
}

impl<'de> Deserialize<'de> for One {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneVisitor;
        impl<'de> Visitor<'de> for OneVisitor {
            type Value = One;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a user")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<One, A::Error> {
                decode_account(map).map(One)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<One, A::Error> {
                let first = seq.next_element::<DecodedRecord>()?.and_then(|DecodedRecord(account)| account);
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(One(first))
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<One, E> {
                Ok(One(None))
            }
            fn visit_unit<E: Error>(self) -> Result<One, E> {
                Ok(One(None))
            }
            scalars_mean_nothing!(One(None));
        }
        deserializer.deserialize_any(OneVisitor)
    }
}

impl<'de> Deserialize<'de> for DecodedRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RecordVisitor;
        impl<'de> Visitor<'de> for RecordVisitor {
            type Value = DecodedRecord;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a user")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DecodedRecord, A::Error> {
                decode_account(map).map(DecodedRecord)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<DecodedRecord, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(DecodedRecord(None))
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<DecodedRecord, E> {
                Ok(DecodedRecord(None))
            }
            fn visit_unit<E: Error>(self) -> Result<DecodedRecord, E> {
                Ok(DecodedRecord(None))
            }
            scalars_mean_nothing!(DecodedRecord(None));
        }
        deserializer.deserialize_any(RecordVisitor)
    }
}

/// A user; none without an id.
fn decode_account<'de, A: MapAccess<'de>>(mut map: A) -> Result<Option<Account>, A::Error> {
    // In whatever order they come, each has its place; putting them in order one by one would move most of them often.
    let mut values: Vec<(AttrId, Value)> = (0..PLACES).map(|at| (AttrId(at), Value::Null)).collect();
    let mut shown = AttrSet::default();
    let mut within = None;
    let mut administrative = false;
    while let Some(key) = map.next_key()? {
        match key {
            Key::Shown(id, shape) => {
                let value = map.next_value_seed(AsShape(shape))?;
                administrative |= id == at::ROLE_TYPE && is_administrative(&value);
                values[usize::from(id.0)].1 = value;
                shown.insert(id);
            }
            Key::User => within = map.next_value::<One>()?.0,
            Key::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    values.retain(|(id, _)| shown.contains(*id));
    let values = Attributes::in_order(values);
    let protected = administrative.then(|| ADMINISTRATIVE.to_owned());
    let id = match values.get(at::ID) {
        Some(Value::Int(id)) => id.to_string(),
        Some(Value::Text(id)) if !id.trim().is_empty() => id.trim().to_owned(),
        _ => return Ok(within.map(|user: Account| Account { protected: user.protected.or(protected), ..user })),
    };
    Ok(Some(Account { id: AccountId(id), values, protected }))
}

/// Whether a role, or one of several, manages the tenant. "Administrator" would mean the same, and touching one by mistake
/// would cost more than leaving one alone; nor does it matter in what form the role is written.
fn is_administrative(role: &Value) -> bool {
    match role {
        Value::Text(role) => role.trim().get(..11).is_some_and(|start| start.eq_ignore_ascii_case("administrat")),
        Value::List(roles) => roles.iter().any(is_administrative),
        Value::Object(role) => role.values().any(is_administrative),
        _ => false,
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
                Ok(match shown_attribute(name) {
                    Some((id, shape)) => Key::Shown(id, shape),
                    None if name == "user" => Key::User,
                    None => Key::Other,
                })
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// A status code: a number, or one written as a text.
fn decode_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match AsShape(AttributeShape::Int).deserialize(deserializer)? {
        Value::Int(code) => u32::try_from(code).map_err(|_| Error::custom("not a status code")),
        _ => Err(Error::custom("not a status code")),
    }
}

fn decode_words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match AsShape(AttributeShape::Text).deserialize(deserializer)? {
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
