//! The two sides that are compared: what a row says an account should be, and the account as the API shows it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AttrId, Place, Value};

/// The target's own name for an account; never changes while the account lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub String);

impl AccountId {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Values by attribute, in the schema's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(Vec<(AttrId, Value)>);

impl Attributes {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Values that are in the schema's order already, each attribute once.
    #[must_use]
    pub fn in_order(values: Vec<(AttrId, Value)>) -> Self {
        debug_assert!(values.is_sorted_by(|(a, _), (b, _)| a < b));
        Self(values)
    }

    #[must_use]
    pub fn get(&self, id: AttrId) -> Option<&Value> {
        self.0.binary_search_by_key(&id, |(at, _)| *at).ok().map(|at| &self.0[at].1)
    }

    pub fn set(&mut self, id: AttrId, value: Value) {
        // Most come in order.
        if self.0.last().is_none_or(|(last, _)| *last < id) {
            return self.0.push((id, value));
        }
        match self.0.binary_search_by_key(&id, |(at, _)| *at) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (id, value)),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (AttrId, &Value)> {
        self.0.iter().map(|(id, value)| (*id, value))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl FromIterator<(AttrId, Value)> for Attributes {
    fn from_iter<T: IntoIterator<Item = (AttrId, Value)>>(pairs: T) -> Self {
        let mut attributes = Self::new();
        for (id, value) in pairs {
            attributes.set(id, value);
        }
        attributes
    }
}

/// One account as the target shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    pub id: AccountId,
    /// What the API shows of it; an attribute that it did not show is not there.
    pub values: Attributes,
    /// Why the target's own rules forbid to touch it ("Administrative"), where they do.
    pub protected: Option<String>,
}

/// What a row wants of one attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    Set(Value),
    /// The cell is empty and `blank = "clear"`.
    Clear,
}

/// What one row says an account should be. An attribute whose cell is empty under `blank = "ignore"` is not in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// The value of `source.identity`, as it stands in the row; empty where no identity is configured.
    pub identity: String,
    pub place: Place,
    /// In the schema's order.
    pub values: Vec<(AttrId, Wanted)>,
}

impl Desired {
    #[must_use]
    pub fn get(&self, id: AttrId) -> Option<&Wanted> {
        self.values.iter().find(|(at, _)| *at == id).map(|(_, wanted)| wanted)
    }

    /// The value wanted, where one is set.
    #[must_use]
    pub fn value(&self, id: AttrId) -> Option<&Value> {
        match self.get(id) {
            Some(Wanted::Set(value)) => Some(value),
            _ => None,
        }
    }
}
