//! A page of a listing, as the server sends it.

use serde_json::Value as Json;

use super::path::find_member;
use super::resource::{self, list_entries};
use super::schema::Layout;
use crate::connectors::listing::{PageFacts, ShownPage};

/// None for what is no list. `Resources` may be missing where there are none.
pub(super) fn read_page(layout: &Layout, list: &Json) -> Option<ShownPage> {
    let list = list.as_object()?;
    let number = |name: &str| match find_member(list, name)? {
        Json::String(text) => text.trim().parse().ok(),
        number => number.as_u64(),
    };
    let (resources, total) = (find_member(list, "Resources"), number("totalResults"));
    if resources.is_none() && total.is_none() {
        return None;
    }
    let records = resources.map(list_entries).unwrap_or_default();
    let facts = PageFacts {
        total,
        per_page: number("itemsPerPage"),
        cursor: find_member(list, "nextCursor").and_then(Json::as_str).filter(|c| !c.is_empty()).map(str::to_owned),
        ..PageFacts::default()
    };
    Some(ShownPage { records: records.iter().map(|record| resource::read_account(layout, record)).collect(), facts })
}
