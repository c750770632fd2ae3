//! Rows that cannot be used still stand for somebody. Whoever they may stand for is not absent.

use std::collections::HashMap;

use super::Inputs;
use crate::model::{Account, Attributes, KeyHash, Place, Record, Wanted};

/// What an invalid row still shows of its person: the account that its identity was linked to, and its keys under the
/// match rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Traces {
    link: Option<KeyHash>,
    keys: Vec<Option<KeyHash>>,
}

impl Traces {
    pub fn of(inputs: &Inputs<'_>, record: &Record) -> Self {
        let identity = inputs.mapping.identity(record);
        let link = (!identity.is_empty()).then(|| inputs.memory.link(identity)).flatten();
        let values: Attributes = inputs
            .mapping
            .explain(record)
            .into_iter()
            .filter_map(|explained| match explained.result {
                Ok(Some(Wanted::Set(value))) => Some((explained.mapped.attr, value)),
                _ => None,
            })
            .collect();
        let mut scratch = Vec::new();
        let keys = inputs.rules.iter().map(|rule| rule.key(inputs.schema, |id| values.get(id), &mut scratch)).collect();
        Self { link: link.map(|account| KeyHash::of_text(account.as_str())), keys }
    }
}

/// All rows that cannot be used, by what they show of their person.
pub(super) struct Unusable {
    links: HashMap<KeyHash, Place>,
    /// For each match rule.
    keys: Vec<HashMap<KeyHash, Place>>,
    /// Rows that show nothing: they may stand for anybody.
    anybody: Option<(Place, u64)>,
}

impl Unusable {
    pub fn new(inputs: &Inputs<'_>) -> Self {
        Self { links: HashMap::new(), keys: vec![HashMap::new(); inputs.rules.len()], anybody: None }
    }

    pub fn add(&mut self, place: Place, traces: &Traces) {
        if traces.link.is_none() && traces.keys.iter().all(Option::is_none) {
            let (_, count) = self.anybody.get_or_insert((place, 0));
            *count += 1;
            return;
        }
        if let Some(link) = traces.link {
            self.links.insert(link, place);
        }
        for (known, key) in self.keys.iter_mut().zip(&traces.keys) {
            if let Some(key) = key {
                known.insert(*key, place);
            }
        }
    }

    /// Why no account at all can be called absent, where that is so.
    pub fn anybody(&self, inputs: &Inputs<'_>) -> Option<String> {
        let (place, count) = self.anybody?;
        let source = inputs.source_of(place);
        Some(match count {
            1 => format!("the row {source} cannot be used, and nobody knows whose it is"),
            _ => format!("{count} rows cannot be used, and nobody knows whose they are (the first is {source})"),
        })
    }

    /// The row that may stand for an account.
    pub fn about(&self, inputs: &Inputs<'_>, account: &Account, scratch: &mut Vec<u8>) -> Option<Place> {
        let linked = self.links.get(&KeyHash::of_text(account.id.as_str()));
        let keyed = || {
            inputs.rules.iter().zip(&self.keys).find_map(|(rule, known)| {
                if known.is_empty() {
                    return None;
                }
                known.get(&rule.key(inputs.schema, |id| account.values.get(id), scratch)?)
            })
        };
        linked.or_else(keyed).copied()
    }
}
