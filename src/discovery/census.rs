//! What only all rows can tell: whether a key is there for everybody and different for everybody, and which values a
//! column of choices has. Of a key eight bytes a row are kept, of choices a bounded list.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hasher};

use super::meaning::Meaning;
use super::recognise::Recognised;
use super::status::{Sense, sense_of};
use crate::model::{Record, text};

/// Different values of a column of choices that are kept.
const VALUES: usize = 200;

/// How a key turned out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    pub column: usize,
    pub filled: u64,
    /// Rows whose key an earlier row has already.
    pub repeated: u64,
    seen: HashSet<u64>,
}

/// The values of a column of choices.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    pub column: usize,
    /// Each value with how many rows have it.
    pub counts: BTreeMap<String, u64>,
    /// There are more than are kept.
    pub are_too_many: bool,
}

/// All rows, counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Census {
    pub rows: u64,
    /// In the order of the candidates for the identity.
    pub identities: Vec<Keys>,
    pub login: Option<Keys>,
    pub email: Option<Keys>,
    /// What stands before the `@` of the addresses.
    pub local: Option<Keys>,
    pub values: BTreeMap<Meaning, Values>,
}

impl Census {
    #[must_use]
    pub fn new(recognised: &Recognised) -> Self {
        let keys = |column: usize| Keys { column, ..Keys::default() };
        let of = |meaning: Meaning| recognised.column(meaning);
        let choices = [Meaning::Status, Meaning::Team, Meaning::Department, Meaning::Role];
        Self {
            rows: 0,
            identities: recognised.identities.iter().map(|found| keys(found.column)).collect(),
            login: of(Meaning::Login).map(keys),
            email: of(Meaning::Email).map(keys),
            local: of(Meaning::Email).map(keys),
            values: choices
                .into_iter()
                .filter_map(|meaning| Some((meaning, Values { column: of(meaning)?, ..Values::default() })))
                .collect(),
        }
    }

    pub fn take(&mut self, row: &Record) {
        self.rows += 1;
        for keys in &mut self.identities {
            keys.count_key(row.cell(keys.column).trim());
        }
        for keys in [&mut self.login, &mut self.email].into_iter().flatten() {
            keys.count_key(&text::normal(row.cell(keys.column).trim(), false));
        }
        if let Some(keys) = &mut self.local {
            let address = text::normal(row.cell(keys.column).trim(), false);
            keys.count_key(address.split('@').next().unwrap_or_default());
        }
        for values in self.values.values_mut() {
            values.count_value(row.cell(values.column).trim());
        }
    }

    /// The first candidate that is there for everybody and different for everybody.
    #[must_use]
    pub fn identity(&self) -> Option<&Keys> {
        self.identities.iter().find(|keys| self.is_key(keys))
    }

    /// Whether everybody has this key, and no two the same.
    #[must_use]
    pub fn is_key(&self, keys: &Keys) -> bool {
        self.rows > 0 && keys.filled == self.rows && keys.repeated == 0
    }
}

impl Keys {
    fn count_key(&mut self, key: &str) {
        if key.is_empty() {
            return;
        }
        self.filled += 1;
        let mut hasher = DefaultHasher::new();
        hasher.write(key.as_bytes());
        if !self.seen.insert(hasher.finish()) {
            self.repeated += 1;
        }
    }
}

impl Values {
    /// The values with this sense.
    pub fn that_are(&self, wanted: Sense) -> impl Iterator<Item = (&str, u64)> {
        self.counts
            .iter()
            .filter(move |(value, _)| sense_of(value) == wanted)
            .map(|(value, count)| (value.as_str(), *count))
    }

    fn count_value(&mut self, value: &str) {
        if value.is_empty() || self.are_too_many {
            return;
        }
        if let Some(count) = self.counts.get_mut(value) {
            *count += 1;
        } else if self.counts.len() == VALUES {
            self.are_too_many = true;
        } else {
            self.counts.insert(value.to_owned(), 1);
        }
    }
}
