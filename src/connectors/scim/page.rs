//! A page of a listing, as the server sends it.

use serde_json::Value as Json;

use super::path::member;
use super::resource::{self, entries};
use super::schema::Layout;
use crate::model::Account;

#[derive(Debug, Default)]
pub(super) struct Page {
    /// One for each record, none for a record that has no id.
    pub records: Vec<Option<Account>>,
    pub total: Option<u64>,
    pub per_page: Option<u64>,
    pub next: Option<String>,
}

impl Page {
    /// None for what is no list. `Resources` may be missing where there are none.
    pub fn read(layout: &Layout, list: &Json) -> Option<Self> {
        let list = list.as_object()?;
        let number = |name: &str| match member(list, name)? {
            Json::String(text) => text.trim().parse().ok(),
            number => number.as_u64(),
        };
        let (resources, total) = (member(list, "Resources"), number("totalResults"));
        if resources.is_none() && total.is_none() {
            return None;
        }
        let records = resources.map(entries).unwrap_or_default();
        Some(Self {
            records: records.iter().map(|record| resource::account(layout, record)).collect(),
            total,
            per_page: number("itemsPerPage"),
            next: member(list, "nextCursor").and_then(Json::as_str).filter(|c| !c.is_empty()).map(str::to_owned),
        })
    }
}
