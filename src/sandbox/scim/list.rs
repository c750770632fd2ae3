//! The list of users: by index (RFC 7644, section 3.4.2.4), by cursor (RFC 9865), by filter.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::refusal::ScimRefusal;
use super::tenant::ScimTenant;
use super::user_filter::UserFilter;
use super::{Cursors, Empty, FilterSupport, Obeyed, ScimBehaviour};
use crate::sandbox::{query, reply};

const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// What is asked for.
#[derive(Debug, Default, PartialEq)]
pub(super) struct AskedPage {
    start: Option<i64>,
    count: Option<i64>,
    cursor: Option<String>,
    filter: Option<String>,
}

impl AskedPage {
    pub(super) fn read(query: Option<&str>) -> Result<Self, ScimRefusal> {
        let mut asked = Self::default();
        for (name, value) in query::query_pairs(query.unwrap_or_default()) {
            let number = || {
                value.parse().map_err(|_| ScimRefusal::bad_request("invalidValue", format!("{name} is not a number")))
            };
            match name.to_lowercase().as_str() {
                "startindex" => asked.start = Some(number()?),
                "count" => asked.count = Some(number()?),
                "cursor" => asked.cursor = Some(value),
                "filter" => asked.filter = Some(value),
                _ => {}
            }
        }
        Ok(asked)
    }

    /// How many users a page of this list has at most.
    fn page_size(&self, behaviour: &ScimBehaviour) -> usize {
        match (self.count, behaviour.count) {
            (Some(count), Obeyed::Yes) => usize::try_from(count).unwrap_or(0).min(behaviour.max_count),
            _ => behaviour.max_count,
        }
    }

    /// How many users stand before the page, and whether it was asked for by cursor.
    fn page_start(&self, behaviour: &ScimBehaviour) -> Result<(usize, bool), ScimRefusal> {
        let by_index = || match (self.start, behaviour.start_index) {
            (Some(start), Obeyed::Yes) => usize::try_from(start - 1).unwrap_or(0),
            _ => 0,
        };
        match (behaviour.cursors, &self.cursor) {
            (Cursors::Absent, _) | (Cursors::Offered, None) => Ok((by_index(), false)),
            (Cursors::Only, None) if self.start.is_some() => {
                Err(ScimRefusal::bad_request("invalidValue", "startIndex is not supported; use cursor"))
            }
            (_, None) => Ok((0, true)),
            (_, Some(cursor)) if cursor.is_empty() => Ok((0, true)),
            (_, Some(cursor)) => from_cursor(cursor)
                .map(|start| (start, true))
                .ok_or_else(|| ScimRefusal::bad_request("invalidCursor", "the cursor is not one of this service")),
        }
    }

    /// The number of the page, as faults count them.
    pub(super) fn page_number(&self, behaviour: &ScimBehaviour) -> Option<u64> {
        let (start, _) = self.page_start(behaviour).ok()?;
        Some((start / self.page_size(behaviour).max(1)) as u64 + 1)
    }
}

/// The `ListResponse`.
pub(super) fn answer_list(
    tenant: &ScimTenant,
    behaviour: &ScimBehaviour,
    asked: &AskedPage,
) -> Result<Vec<u8>, ScimRefusal> {
    let (start, by_cursor) = asked.page_start(behaviour)?;
    let size = asked.page_size(behaviour);
    let filter = match (&asked.filter, behaviour.filter) {
        (None, _) | (Some(_), FilterSupport::Ignored) => None,
        (Some(_), FilterSupport::Unsupported) => {
            return Err(ScimRefusal::bad_request("invalidFilter", "filters are not supported"));
        }
        (Some(text), FilterSupport::Supported) => Some(UserFilter::parse(text)?),
    };
    let (total, page): (usize, Vec<&[u8]>) = match &filter {
        None => (tenant.len(), tenant.shown_users().skip(start).take(size).collect()),
        Some(filter) if filter.conditions.iter().any(|one| not_indexed(behaviour, &one.written)) => (0, Vec::new()),
        Some(filter) => {
            let found = tenant.filtered_users(filter);
            (found.len(), found.into_iter().skip(start).take(size).collect())
        }
    };
    let end = start.saturating_add(page.len());
    let position = if by_cursor {
        let next = (!page.is_empty() && end < total).then(|| format!(",\"nextCursor\":\"{}\"", to_cursor(end)));
        next.unwrap_or_default()
    } else {
        format!(",\"startIndex\":{}", start.saturating_add(1))
    };
    let mut body =
        format!("{{\"schemas\":[\"{SCHEMA}\"],\"totalResults\":{total},\"itemsPerPage\":{}{position}", page.len())
            .into_bytes();
    if !page.is_empty() || behaviour.empty == Empty::Array {
        body.extend_from_slice(b",\"Resources\":[");
        for (at, user) in page.iter().enumerate() {
            if at > 0 {
                body.push(b',');
            }
            body.extend_from_slice(user);
        }
        body.push(b']');
    }
    body.push(b'}');
    Ok(body)
}

/// A list of what describes the service.
pub(super) fn of_all(items: &[Value]) -> Vec<u8> {
    reply::json_bytes(&serde_json::json!({
        "schemas": [SCHEMA],
        "totalResults": items.len(),
        "itemsPerPage": items.len(),
        "startIndex": 1,
        "Resources": items,
    }))
}

fn not_indexed(behaviour: &ScimBehaviour, written: &str) -> bool {
    behaviour.not_indexed.iter().any(|name| name.eq_ignore_ascii_case(written))
}

/// A cursor means nothing to a client, so that none can be made up from a number.
fn to_cursor(start: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{start}"))
}

fn from_cursor(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("after:")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> AskedPage {
        AskedPage::read(Some(query)).unwrap()
    }

    #[test]
    fn a_page_is_numbered_by_its_size() {
        let behaviour = ScimBehaviour::default();
        assert_eq!(asked("startIndex=1&count=10").page_number(&behaviour), Some(1));
        assert_eq!(asked("startIndex=21&count=10").page_number(&behaviour), Some(3));
        assert_eq!(asked("startIndex=-5&count=10").page_number(&behaviour), Some(1));
        assert_eq!(asked("startIndex=201&count=5000").page_number(&behaviour), Some(2));
        assert!(AskedPage::read(Some("count=ten")).is_err());
    }

    #[test]
    fn a_cursor_is_read_back_and_no_other_is() {
        assert_eq!(from_cursor(&to_cursor(40)), Some(40));
        assert_eq!(from_cursor("40"), None);
    }
}
