//! Rows that cannot be used still stand for somebody. Whoever they may stand for is not absent.

use std::collections::HashMap;

use super::SourceLine;
use super::decide::Context;
use crate::model::{Account, AccountId, AttrId, KeyHash, Place, Value};

/// What an invalid row still shows of its person: accounts that its identity was linked to, and keys under the match
/// rules, by the number of the rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowTraces {
    links: Vec<KeyHash>,
    keys: Vec<(usize, KeyHash)>,
}

impl RowTraces {
    /// The account may be the person's.
    pub fn add_account(&mut self, account: &AccountId) {
        self.links.push(KeyHash::of_text(account.as_str()));
    }

    /// The values may be the person's.
    pub fn add_values<'v>(&mut self, ctx: &Context<'_>, value: impl Fn(AttrId) -> Option<&'v Value>) {
        let mut scratch = Vec::new();
        let keys = ctx.rules.iter().map(|rule| rule.key(ctx.schema, &value, &mut scratch));
        self.keys.extend(keys.enumerate().filter_map(|(rule, key)| Some((rule, key?))));
    }

    /// Whether the row shows nothing of its person.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.links.is_empty() && self.keys.is_empty()
    }
}

/// Why a row that looks whole cannot be used, where that is so. Where the files of the last good run ended with a line
/// break, a row without one may have been cut.
#[must_use]
pub fn why_cut(was_terminated: Option<bool>, is_unterminated: bool) -> Option<&'static str> {
    (was_terminated == Some(true) && is_unterminated).then_some(
        "the file ends with this row and without a line break, unlike in the last good run: it may have been cut short",
    )
}

/// All rows that cannot be used, by what they show of their person.
#[derive(Debug)]
pub struct UnusableRows {
    links: HashMap<KeyHash, Place>,
    /// For each match rule.
    keys: Vec<HashMap<KeyHash, Place>>,
    /// The first of the rows that show nothing, and their number: they may stand for anybody.
    anybody: Option<(Place, u64)>,
}

impl UnusableRows {
    #[must_use]
    pub fn new(rules: usize) -> Self {
        Self { links: HashMap::new(), keys: vec![HashMap::new(); rules], anybody: None }
    }

    pub fn add_row(&mut self, place: Place, traces: &RowTraces) {
        if traces.is_empty() {
            let (_, count) = self.anybody.get_or_insert((place, 0));
            *count += 1;
            return;
        }
        for link in &traces.links {
            self.links.insert(*link, place);
        }
        for (rule, key) in &traces.keys {
            self.keys[*rule].insert(*key, place);
        }
    }

    /// Why no account at all can be called absent, where that is so.
    pub(super) fn doubt_everybody(&self, source_of: impl Fn(Place) -> SourceLine) -> Option<String> {
        let (place, count) = self.anybody?;
        let source = source_of(place);
        Some(match count {
            1 => format!("the row {source} cannot be used, and it is unknown whose it is"),
            _ => format!("{count} rows cannot be used, and it is unknown whose they are (the first is {source})"),
        })
    }

    /// The row that may stand for an account.
    pub(super) fn row_of(&self, ctx: &Context<'_>, account: &Account) -> Option<Place> {
        let linked = self.links.get(&KeyHash::of_text(account.id.as_str()));
        let keyed = || {
            let mut scratch = Vec::new();
            ctx.rules.iter().zip(&self.keys).find_map(|(rule, known)| {
                if known.is_empty() {
                    return None;
                }
                known.get(&rule.key(ctx.schema, |id| account.values.get(id), &mut scratch)?)
            })
        };
        linked.or_else(keyed).copied()
    }
}
