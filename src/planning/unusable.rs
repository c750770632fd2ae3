//! Rows that cannot be used still stand for somebody. Whoever they may stand for is not absent.

use std::collections::HashMap;

use super::Inputs;
use crate::model::{Account, AttrId, KeyHash, Place, Record, Value};

/// What an invalid row still shows of its person: accounts that its identity was linked to, and keys under the match
/// rules, by the number of the rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Traces {
    links: Vec<KeyHash>,
    keys: Vec<(usize, KeyHash)>,
}

impl Traces {
    /// Of a row whose cells stand under their columns.
    pub fn of(inputs: &Inputs<'_>, record: &Record) -> Self {
        let identity = inputs.mapping.identity(record);
        let link = (!identity.is_empty()).then(|| inputs.memory.link(identity)).flatten();
        let values = inputs.mapping.usable_values(record);
        let mut traces = Self::default();
        traces.links.extend(link.map(|account| KeyHash::of_text(account.as_str())));
        traces.note(inputs, |id| values.get(id));
        traces
    }

    /// Of a row with too few or too many cells: any of them may stand under a wrong column, so that each may be the
    /// identity, and each may be a key. A row of which no cell can be told shows nothing.
    pub fn of_any_cell(inputs: &Inputs<'_>, record: &Record) -> Self {
        if record.is_empty() {
            return Self::default();
        }
        let mut traces = Self::of(inputs, record);
        if traces.is_empty() {
            return traces;
        }
        for cell in record.cells().map(str::trim).filter(|cell| !cell.is_empty()) {
            traces.links.extend(inputs.memory.link(cell).map(|account| KeyHash::of_text(account.as_str())));
            let value = Value::text(cell);
            traces.note(inputs, |_| Some(&value));
        }
        traces
    }

    fn note<'v>(&mut self, inputs: &Inputs<'_>, value: impl Fn(AttrId) -> Option<&'v Value>) {
        let mut scratch = Vec::new();
        let keys = inputs.rules.iter().map(|rule| rule.key(inputs.schema, &value, &mut scratch));
        self.keys.extend(keys.enumerate().filter_map(|(rule, key)| Some((rule, key?))));
    }

    fn is_empty(&self) -> bool {
        self.links.is_empty() && self.keys.is_empty()
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
