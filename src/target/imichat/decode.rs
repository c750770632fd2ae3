//! The JSON of answers, straight from the bytes into the engine's types: thousands of pages pass here, so nothing is
//! built twice.
//!
//! Reading is lenient where a tolerant reading has one meaning (numbers as texts, `null` or `""` for nothing, `[]` for
//! an empty object, as PHP writes it) and says so where it has none.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::schema::{Shape, at, shown};
use crate::model::{Account, AccountId, Attributes, Value};

/// Every answer: what came of the request, and what it brought.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<R> {
    #[serde(deserialize_with = "code")]
    pub status_code: u32,
    #[serde(default, deserialize_with = "words")]
    pub description: String,
    #[serde(default)]
    pub response: R,
}

/// The `response` of a page of the listing.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Page {
    /// One for each record, none for a record that is no user; nothing at all where the answer has no list of users.
    pub records: Option<Vec<Option<Account>>>,
    pub links: Links,
}

/// What the server says of the pages of the listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Links {
    /// Whether there is a page after this one.
    pub next: Option<bool>,
    /// How many pages there are.
    pub pages: Option<u64>,
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
struct Record(Option<Account>);

/// Any JSON as a value of an attribute.
struct As(Shape);

/// A key of a user.
enum Key {
    Shown(crate::model::AttrId, Shape),
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

impl<'de> Deserialize<'de> for Page {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PageVisitor;
        impl<'de> Visitor<'de> for PageVisitor {
            type Value = Page;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a page of users")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page, A::Error> {
                let mut page = Page::default();
                let mut bare = true;
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    bare = false;
                    match &*key.0 {
                        "users" => page.records = map.next_value::<Users>()?.0,
                        "links" => page.links = map.next_value()?,
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
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Page, A::Error> {
                Ok(Page { records: Some(records(seq)?), links: Links::default() })
            }
            fn visit_unit<E: Error>(self) -> Result<Page, E> {
                Ok(Page { records: Some(Vec::new()), links: Links::default() })
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Page, E> {
                Ok(Page { records: text.trim().is_empty().then(Vec::new), links: Links::default() })
            }
            scalars_mean_nothing!(Page::default());
        }
        deserializer.deserialize_any(PageVisitor)
    }
}

/// `response.users`.
struct Users(Option<Vec<Option<Account>>>);

impl<'de> Deserialize<'de> for Users {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UsersVisitor;
        impl<'de> Visitor<'de> for UsersVisitor {
            type Value = Users;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of users")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Users, A::Error> {
                Ok(Users(Some(records(seq)?)))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Users, A::Error> {
                let mut entries = 0;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    entries += 1;
                }
                Ok(Users((entries == 0).then(Vec::new)))
            }
            fn visit_unit<E: Error>(self) -> Result<Users, E> {
                Ok(Users(Some(Vec::new())))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Users, E> {
                Ok(Users(text.trim().is_empty().then(Vec::new)))
            }
            scalars_mean_nothing!(Users(None));
        }
        deserializer.deserialize_any(UsersVisitor)
    }
}

fn records<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Vec<Option<Account>>, A::Error> {
    let mut records = Vec::with_capacity(super::PAGE_SIZE);
    while let Some(Record(account)) = seq.next_element()? {
        records.push(account);
    }
    Ok(records)
}

impl<'de> Deserialize<'de> for Links {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LinksVisitor;
        impl<'de> Visitor<'de> for LinksVisitor {
            type Value = Links;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("links")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Links, A::Error> {
                let mut links = Links::default();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    match &*key.0 {
                        "next" => {
                            links.next = Some(match map.next_value_seed(As(Shape::Int))? {
                                Value::Bool(next) => next,
                                Value::Int(page) => page > 0,
                                other => !other.is_blank(),
                            });
                        }
                        "pages" => {
                            links.pages = match map.next_value_seed(As(Shape::Int))? {
                                Value::Int(pages) => u64::try_from(pages).ok(),
                                _ => None,
                            };
                        }
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(links)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Links, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Links::default())
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<Links, E> {
                Ok(Links::default())
            }
            fn visit_unit<E: Error>(self) -> Result<Links, E> {
                Ok(Links::default())
            }
            scalars_mean_nothing!(Links::default());
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
                account(map).map(One)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<One, A::Error> {
                let first = seq.next_element::<Record>()?.and_then(|Record(account)| account);
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

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RecordVisitor;
        impl<'de> Visitor<'de> for RecordVisitor {
            type Value = Record;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a user")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Record, A::Error> {
                account(map).map(Record)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Record, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Record(None))
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<Record, E> {
                Ok(Record(None))
            }
            fn visit_unit<E: Error>(self) -> Result<Record, E> {
                Ok(Record(None))
            }
            scalars_mean_nothing!(Record(None));
        }
        deserializer.deserialize_any(RecordVisitor)
    }
}

/// A user; none without an id.
fn account<'de, A: MapAccess<'de>>(mut map: A) -> Result<Option<Account>, A::Error> {
    let mut values = Attributes::new();
    let mut within = None;
    while let Some(key) = map.next_key()? {
        match key {
            Key::Shown(id, shape) => values.set(id, map.next_value_seed(As(shape))?),
            Key::User => within = map.next_value::<One>()?.0,
            Key::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    let id = match values.get(at::ID) {
        Some(Value::Int(id)) => id.to_string(),
        Some(Value::Text(id)) if !id.trim().is_empty() => id.trim().to_owned(),
        _ => return Ok(within),
    };
    let administrative = values.get(at::ROLE_TYPE).and_then(Value::as_str).is_some_and(|role| {
        // "Administrator" would mean the same, and touching one by mistake would cost more than leaving one alone.
        role.trim().get(..11).is_some_and(|start| start.eq_ignore_ascii_case("administrat"))
    });
    let protected = administrative.then(|| "Administrative account".to_owned());
    Ok(Some(Account { id: AccountId(id), values, protected }))
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
                Ok(match shown(name) {
                    Some((id, shape)) => Key::Shown(id, shape),
                    None if name == "user" => Key::User,
                    None => Key::Other,
                })
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

impl<'de> DeserializeSeed<'de> for As {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for As {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(if self.0 == Shape::Map { Value::Object(BTreeMap::new()) } else { Value::Null })
    }

    fn visit_bool<E: Error>(self, b: bool) -> Result<Value, E> {
        Ok(if self.0 == Shape::Text { Value::text(if b { "true" } else { "false" }) } else { Value::Bool(b) })
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Value, E> {
        Ok(match self.0 {
            Shape::Text => Value::Text(n.to_string()),
            Shape::Bool if n == 0 || n == 1 => Value::Bool(n == 1),
            _ => Value::Int(n),
        })
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Value, E> {
        match i64::try_from(n) {
            Ok(n) => self.visit_i64(n),
            // Beyond i64 the digits matter more than the arithmetic.
            Err(_) => Ok(Value::Text(n.to_string())),
        }
    }

    fn visit_f64<E: Error>(self, n: f64) -> Result<Value, E> {
        Ok(if self.0 == Shape::Text { Value::Text(n.to_string()) } else { Value::Float(n) })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(match self.0 {
            Shape::Text => Value::text(text),
            Shape::Bool => match text.trim() {
                word if word.eq_ignore_ascii_case("true") || word == "1" => Value::Bool(true),
                word if word.eq_ignore_ascii_case("false") || word == "0" => Value::Bool(false),
                _ => Value::text(text),
            },
            Shape::Int => text.trim().parse().map_or_else(|_| Value::text(text), Value::Int),
            Shape::Map if text.trim().is_empty() => Value::Object(BTreeMap::new()),
            Shape::Map => Value::text(text),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Any(value)) = seq.next_element()? {
            list.push(value);
        }
        let empty_object = self.0 == Shape::Map && list.is_empty();
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
                As(Shape::Int).visit_bool(b).map(Any)
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Any, E> {
                As(Shape::Int).visit_i64(n).map(Any)
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Any, E> {
                As(Shape::Int).visit_u64(n).map(Any)
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<Any, E> {
                As(Shape::Int).visit_f64(n).map(Any)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Any, A::Error> {
                As(Shape::Int).visit_seq(seq).map(Any)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Any, A::Error> {
                As(Shape::Int).visit_map(map).map(Any)
            }
        }
        deserializer.deserialize_any(AnyVisitor)
    }
}

/// A key, borrowed from the bytes where it has no escapes.
struct Text<'de>(std::borrow::Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor<'de>(PhantomData<&'de ()>);
        impl<'de> Visitor<'de> for TextVisitor<'de> {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(text.into()))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(text.to_owned().into()))
            }
        }
        deserializer.deserialize_str(TextVisitor(PhantomData))
    }
}

/// A status code: a number, or one written as a text.
fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match As(Shape::Int).deserialize(deserializer)? {
        Value::Int(code) => u32::try_from(code).map_err(|_| Error::custom("not a status code")),
        _ => Err(Error::custom("not a status code")),
    }
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match As(Shape::Text).deserialize(deserializer)? {
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(json: &str) -> Option<Account> {
        serde_json::from_str::<One>(json).unwrap().0
    }

    fn page(json: &str) -> Page {
        serde_json::from_str(json).unwrap()
    }

    fn ids(page: &Page) -> Vec<Option<&str>> {
        page.records.as_ref().unwrap().iter().map(|record| record.as_ref().map(|a| a.id.as_str())).collect()
    }

    #[test]
    fn a_user_is_read_with_what_the_api_shows_and_nothing_else() {
        let account =
            one(r#"{"id":4711,"created_at":"2024-01-02 03:04:05","login_id":"ana.diaz","email_id":"ana@acme.org",
            "first_name":"Ana","last_name":"D\u00edaz","status":"active","logged_in":false,"job_description":null,
            "login_using_email":"true","role_type":"Customer Care","accepting_chats":0,"active_chats":"2",
            "skill_attributes":{"English":100,"Level":"80","Deep":{"a":[1,2.5,null,true]}},"secret_sauce":{"x":1}}"#)
            .unwrap();
        assert_eq!((account.id.as_str(), &account.protected), ("4711", &None));
        let shown = |id| serde_json::to_string(account.values.get(id).unwrap()).unwrap();
        assert_eq!(shown(at::ID), "4711");
        assert_eq!(shown(at::LAST_NAME), "\"Díaz\"");
        assert_eq!(shown(at::JOB_DESCRIPTION), "null");
        assert_eq!(shown(at::LOGIN_USING_EMAIL), "true");
        assert_eq!(shown(at::ACCEPTING_CHATS), "false");
        assert_eq!(shown(at::ACTIVE_CHATS), "2");
        assert_eq!(shown(at::SKILL_ATTRIBUTES), r#"{"Deep":{"a":[1,2.5,null,true]},"English":100,"Level":"80"}"#);
        assert_eq!(account.values.get(at::UPDATED_AT), None);
        assert_eq!(account.values.len(), 14);
    }

    #[test]
    fn skills_that_are_nothing_are_an_empty_object() {
        for nothing in ["null", "\"\"", "[]", "{}"] {
            let account = one(&format!(r#"{{"id":1,"skill_attributes":{nothing}}}"#)).unwrap();
            assert_eq!(account.values.get(at::SKILL_ATTRIBUTES), Some(&Value::Object(BTreeMap::new())), "{nothing}");
        }
    }

    #[test]
    fn texts_that_arrive_as_numbers_are_texts() {
        let account = one(r#"{"id":" 12 ","login_id":1072,"first_name":1.5,"last_name":true}"#).unwrap();
        assert_eq!(account.id.as_str(), "12");
        assert_eq!(account.values.get(at::LOGIN_ID), Some(&Value::text("1072")));
        assert_eq!(account.values.get(at::FIRST_NAME), Some(&Value::text("1.5")));
        assert_eq!(account.values.get(at::LAST_NAME), Some(&Value::text("true")));
    }

    #[test]
    fn administrative_accounts_are_protected_however_it_is_written() {
        for (role, protected) in [
            ("Administrative", true),
            ("administrative", true),
            ("ADMINISTRATIVE ", true),
            ("Administrator", true),
            ("Customer Care", false),
            ("", false),
        ] {
            let account = one(&format!(r#"{{"id":1,"role_type":"{role}"}}"#)).unwrap();
            assert_eq!(account.protected.is_some(), protected, "{role}");
        }
        assert_eq!(one(r#"{"id":1,"role_type":null}"#).unwrap().protected, None);
    }

    #[test]
    fn one_user_is_found_in_each_form_of_the_response() {
        for json in [r#"{"id":7}"#, r#"{"user":{"id":"7"}}"#, r#"[{"id":7},{"id":8}]"#, r#"{"user":[{"id":7}]}"#] {
            assert_eq!(one(json).unwrap().id.as_str(), "7", "{json}");
        }
        for json in ["null", "\"\"", "{}", "[]", "5", "true", r#"{"id":null}"#, r#"{"id":""}"#, r#"{"id":{}}"#] {
            assert_eq!(one(json), None, "{json}");
        }
    }

    #[test]
    fn a_page_is_found_in_each_form_of_the_response() {
        for json in [r#"{"users":[{"id":1},{"id":2}]}"#, r#"[{"id":1},{"id":2}]"#] {
            assert_eq!(ids(&page(json)), [Some("1"), Some("2")], "{json}");
        }
        for json in ["null", "\"\"", "[]", "{}", r#"{"users":null}"#, r#"{"users":""}"#, r#"{"users":{}}"#] {
            assert_eq!(page(json).records, Some(Vec::new()), "{json}");
        }
    }

    #[test]
    fn a_response_of_a_wrong_shape_is_no_page() {
        for json in ["5", "true", "1.5", "\"users\"", r#"{"people":[]}"#, r#"{"users":5}"#, r#"{"users":{"0":{}}}"#] {
            assert_eq!(page(json).records, None, "{json}");
        }
    }

    #[test]
    fn a_record_that_is_no_user_is_a_gap_and_the_others_stay() {
        let page = page(r#"{"users":[{"id":1},null,"x",[1],{"first_name":"Ana"},7,{"id":2}]}"#);
        assert_eq!(ids(&page), [Some("1"), None, None, None, None, None, Some("2")]);
    }

    #[test]
    fn links_are_read_in_every_form() {
        let links = |json: &str| page(&format!(r#"{{"users":[],"links":{json}}}"#)).links;
        assert_eq!(links(r#"{"next":"https://x/?page=2","pages":12}"#), Links { next: Some(true), pages: Some(12) });
        assert_eq!(links(r#"{"next":null,"pages":"12"}"#), Links { next: Some(false), pages: Some(12) });
        for none in [r#""""#, "false", "0", "[]", "{}"] {
            assert_eq!(links(&format!(r#"{{"next":{none}}}"#)).next, Some(false), "{none}");
        }
        for some in ["2", "\"2\"", "true"] {
            assert_eq!(links(&format!(r#"{{"next":{some}}}"#)).next, Some(true), "{some}");
        }
        for nothing in ["null", "[]", "\"\"", "5", r#"{"pages":-1}"#, r#"{"pages":[1]}"#] {
            assert_eq!(links(nothing), Links::default(), "{nothing}");
        }
    }

    #[test]
    fn an_envelope_needs_nothing_but_its_code() {
        let open =
            |json: &str| serde_json::from_str::<Envelope<Whatever>>(json).ok().map(|e| (e.status_code, e.description));
        assert_eq!(open(r#"{"status_code":4306,"description":"ok","response":""}"#), Some((4306, "ok".into())));
        assert_eq!(open(r#"{"status_code":"4306"}"#), Some((4306, String::new())));
        assert_eq!(open(r#"{"response":[1],"description":["a"],"status_code":1,"x":2}"#), Some((1, "[\"a\"]".into())));
        for json in
            ["{}", "[]", "5", r#"{"status_code":null}"#, r#"{"status_code":"x"}"#, r#"{"status_code":-1}"#, "<p>"]
        {
            assert_eq!(open(json), None, "{json}");
        }
    }
}
