//! The attribute table of a target: which attributes an account has, and what the API allows for each. It is data, so
//! that planning, comparing and reporting know no attribute by name.

use std::collections::{BTreeMap, HashMap};

use super::{AttrId, Attribute, Attributes, Capabilities, Value, normal};

/// The attribute that says whether an account is in use, and its two values.
#[derive(Clone, Debug, PartialEq)]
pub struct Lifecycle {
    pub attribute: AttrId,
    pub active: Value,
    pub inactive: Value,
}

/// A value that puts an account out of reach: accounts that have it are never touched.
#[derive(Clone, Debug, PartialEq)]
pub struct Protects {
    pub attribute: AttrId,
    pub value: Value,
    /// As people call such an account: `Administrative account`.
    pub reason: &'static str,
}

/// The attribute table of one target.
#[derive(Clone, Debug)]
pub struct Schema {
    attributes: Vec<Attribute>,
    by_name: HashMap<String, AttrId>,
    pub lifecycle: Option<Lifecycle>,
    pub protects: Vec<Protects>,
    /// Whether the API can delete an account.
    pub can_delete: bool,
    /// Whether an update sends every mapped updatable attribute rather than only what changed.
    pub full_updates: bool,
}

impl Schema {
    /// So many attributes an [`AttrId`] can tell apart.
    pub const MOST: usize = 256;

    /// A schema without lifecycle, deletion or full updates; set the public fields for those.
    ///
    /// # Panics
    /// With more than [`Schema::MOST`] attributes.
    #[must_use]
    pub fn new(attributes: Vec<Attribute>) -> Self {
        assert!(attributes.len() <= Self::MOST, "a schema has at most {} attributes", Self::MOST);
        let by_name = (0..=u8::MAX).zip(&attributes).map(|(at, a)| (a.name.clone(), AttrId(at))).collect();
        Self { attributes, by_name, lifecycle: None, protects: Vec::new(), can_delete: false, full_updates: false }
    }

    /// The schema with what was learnt of its attributes, by their names.
    #[must_use]
    pub fn with(mut self, learnt: &BTreeMap<String, Capabilities>) -> Self {
        for attribute in &mut self.attributes {
            if let Some(learnt) = learnt.get(&attribute.name) {
                *attribute = attribute.clone().with(learnt.clone());
            }
        }
        self
    }

    #[must_use]
    pub fn id(&self, name: &str) -> Option<AttrId> {
        self.by_name.get(name).copied()
    }

    #[must_use]
    pub fn get(&self, id: AttrId) -> &Attribute {
        &self.attributes[usize::from(id.0)]
    }

    #[must_use]
    pub fn name(&self, id: AttrId) -> &str {
        &self.get(id).name
    }

    /// Why the target's own rules forbid to touch an account with these values.
    #[must_use]
    pub fn protection(&self, values: &Attributes) -> Option<&'static str> {
        self.protects
            .iter()
            .find(|p| values.get(p.attribute).is_some_and(|v| normal::same(self.get(p.attribute), v, &p.value)))
            .map(|p| p.reason)
    }

    /// Whether an account with these values is in use; none where the schema or the account does not say.
    #[must_use]
    pub fn is_active(&self, values: &Attributes) -> Option<bool> {
        let lifecycle = self.lifecycle.as_ref()?;
        let value = values.get(lifecycle.attribute).filter(|value| !value.is_blank())?;
        Some(normal::same(self.get(lifecycle.attribute), value, &lifecycle.active))
    }

    /// Every attribute, in the schema's order.
    pub fn iter(&self) -> impl Iterator<Item = (AttrId, &Attribute)> {
        (0..=u8::MAX).map(AttrId).zip(&self.attributes)
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{AttrSet, Kind};

    use super::*;

    #[test]
    fn a_set_holds_every_attribute_of_the_largest_schema() {
        let schema = Schema::new((0..Schema::MOST).map(|at| Attribute::new(&at.to_string(), Kind::Text)).collect());
        let ids: Vec<AttrId> = schema.iter().map(|(id, _)| id).collect();
        assert_eq!(ids.len(), Schema::MOST);
        assert!(ids.iter().all(|id| schema.id(schema.name(*id)) == Some(*id)));
        let odd: AttrSet = ids.iter().copied().filter(|id| id.0 % 2 == 1).collect();
        let even: AttrSet = ids.iter().copied().filter(|id| id.0 % 2 == 0).collect();
        assert!(ids.iter().all(|id| odd.contains(*id) != even.contains(*id)));
        assert_eq!(odd.into_iter().collect::<Vec<_>>(), ids.iter().copied().skip(1).step_by(2).collect::<Vec<_>>());
        assert_eq!(odd.union(even).into_iter().collect::<Vec<_>>(), ids);
    }

    #[test]
    fn what_was_learnt_of_an_attribute_changes_that_one_and_no_other() {
        let schema = Schema::new(vec![Attribute::new("number", Kind::Text), Attribute::new("name", Kind::Text)]);
        let learnt = Attribute::new("number", Kind::Int).allows("CR").unique().capabilities();
        let text = serde_json::to_string(&BTreeMap::from([("number".to_owned(), learnt)])).unwrap();
        let refined = schema.clone().with(&serde_json::from_str(&text).unwrap());
        assert_eq!(*refined.get(AttrId(0)), Attribute::new("number", Kind::Int).allows("CR").unique());
        assert_eq!(refined.get(AttrId(1)), schema.get(AttrId(1)));
    }
}
