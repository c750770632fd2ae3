//! What answers show: the envelope of each, pages of the listing, and users.
//!
//! Reading is lenient where a tolerant reading has one meaning (numbers as texts, `null` or `""` for nothing, `[]` for
//! an empty object, as PHP writes it) and says so where it has none.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::schema::{ADMINISTRATIVE, at};
use crate::connectors::json::{JsonMembers, JsonTree, read_members, read_value};
use crate::connectors::listing::PageFacts;
use crate::model::{Account, AccountId, Attributes, Kind, Schema, Value};

/// Every answer: what came of the request, and what it brought.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(deserialize_with = "decode_code")]
    pub status_code: u32,
    #[serde(default, deserialize_with = "decode_words")]
    pub description: String,
    #[serde(default, borrow)]
    pub response: JsonTree<'a>,
}

/// A page of the listing.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ImichatPage {
    /// One for each record, none for a record that is no user; nothing at all where the answer has no list of users.
    pub records: Option<Vec<Option<Account>>>,
    pub facts: PageFacts,
}

/// The page in a response: its users and links, or the list of users alone.
pub(super) fn read_page(schema: &Schema, response: JsonTree<'_>) -> ImichatPage {
    match response {
        JsonTree::Object(members) if !members.is_empty() => {
            let mut page = ImichatPage::default();
            for (name, value) in members {
                match &*name {
                    "users" => page.records = read_records(schema, value),
                    "links" => page.facts = read_links(value),
                    _ => {}
                }
            }
            page
        }
        response => ImichatPage { records: read_records(schema, response), facts: PageFacts::default() },
    }
}

/// The user in a response about one: the user itself, or in `user`, or the first of a list.
pub(super) fn read_user(schema: &Schema, response: JsonTree<'_>) -> Option<Account> {
    match response {
        JsonTree::List(list) => list.into_iter().next().and_then(|first| read_record(schema, first)),
        response => read_record(schema, response),
    }
}

fn read_records(schema: &Schema, users: JsonTree<'_>) -> Option<Vec<Option<Account>>> {
    match users {
        JsonTree::List(list) => Some(list.into_iter().map(|record| read_record(schema, record)).collect()),
        users => users.is_nothing().then(Vec::new),
    }
}

/// What the server says of the pages of the listing.
fn read_links(links: JsonTree<'_>) -> PageFacts {
    let JsonTree::Object(members) = links else { return PageFacts::default() };
    let mut facts = PageFacts::default();
    for (name, value) in members {
        match (&*name, read_value(&Kind::Int, value)) {
            ("next", Value::Bool(next)) => facts.more = Some(next),
            ("next", Value::Int(page)) => facts.more = Some(page > 0),
            ("next", other) => facts.more = Some(!other.is_blank()),
            ("pages", Value::Int(pages)) => facts.pages = u64::try_from(pages).ok(),
            ("pages", _) => facts.pages = None,
            _ => {}
        }
    }
    facts
}

fn read_record(schema: &Schema, record: JsonTree<'_>) -> Option<Account> {
    match record {
        JsonTree::Object(members) => read_account(schema, members),
        _ => None,
    }
}

/// A user; none without an id.
fn read_account(schema: &Schema, mut members: JsonMembers<'_>) -> Option<Account> {
    let administrative = members.iter().any(|(name, role)| name == "role_type" && is_administrative(role));
    let protected = administrative.then(|| ADMINISTRATIVE.to_owned());
    let within = members.iter().rposition(|(name, _)| name == "user").map(|at| members.remove(at).1);
    let values = Attributes::in_order(read_members(schema, members));
    let id = match values.get(at::ID) {
        Some(Value::Int(id)) => id.to_string(),
        Some(Value::Text(id)) if !id.trim().is_empty() => id.trim().to_owned(),
        _ => {
            let user = read_user(schema, within?)?;
            return Some(Account { protected: user.protected.or(protected), ..user });
        }
    };
    Some(Account { id: AccountId(id), values, protected })
}

/// Whether a role, or one of several, manages the tenant. "Administrator" would mean the same, and touching one by mistake
/// would cost more than leaving one alone; nor does it matter in what form the role is written.
fn is_administrative(role: &JsonTree<'_>) -> bool {
    match role {
        JsonTree::Text(role) => role.trim().get(..11).is_some_and(|start| start.eq_ignore_ascii_case("administrat")),
        JsonTree::List(roles) => roles.iter().any(is_administrative),
        JsonTree::Object(members) => members.iter().any(|(_, role)| is_administrative(role)),
        _ => false,
    }
}

/// A status code: a number, or one written as a text.
fn decode_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match read_value(&Kind::Int, JsonTree::deserialize(deserializer)?) {
        Value::Int(code) => u32::try_from(code).map_err(|_| Error::custom("not a status code")),
        _ => Err(Error::custom("not a status code")),
    }
}

fn decode_words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match read_value(&Kind::Text, JsonTree::deserialize(deserializer)?) {
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
