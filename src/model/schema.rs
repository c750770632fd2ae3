//! The attribute table of a target: which attributes an account has, and what the API allows for each. It is data, so
//! that planning, comparing and reporting know no attribute by name.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{Attributes, Value, normal};

/// The position of an attribute in its schema, which has at most [`Schema::MOST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttrId(pub u8);

impl AttrId {
    /// The word of a set that holds this attribute, and its bit in it.
    fn bit(self) -> (usize, u64) {
        (usize::from(self.0 / 64), 1 << (self.0 % 64))
    }
}

/// A set of attributes of one schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AttrSet([u64; 4]);

impl AttrSet {
    #[must_use]
    pub fn contains(self, id: AttrId) -> bool {
        let (word, bit) = id.bit();
        self.0[word] & bit != 0
    }

    pub fn insert(&mut self, id: AttrId) {
        let (word, bit) = id.bit();
        self.0[word] |= bit;
    }

    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
        self
    }
}

impl FromIterator<AttrId> for AttrSet {
    fn from_iter<T: IntoIterator<Item = AttrId>>(ids: T) -> Self {
        let mut set = Self::default();
        ids.into_iter().for_each(|id| set.insert(id));
        set
    }
}

impl IntoIterator for AttrSet {
    type Item = AttrId;
    type IntoIter = AttrSetIter;
    fn into_iter(self) -> AttrSetIter {
        AttrSetIter(self)
    }
}

/// The attributes of a set, in the schema's order.
pub struct AttrSetIter(AttrSet);

impl Iterator for AttrSetIter {
    type Item = AttrId;
    fn next(&mut self) -> Option<AttrId> {
        let (at, word) = [0u8, 64, 128, 192].into_iter().zip(&mut self.0.0).find(|(_, word)| **word != 0)?;
        // Less than 64, as the word has a bit.
        #[allow(clippy::cast_possible_truncation)]
        let bit = word.trailing_zeros() as u8;
        *word &= *word - 1;
        Some(AttrId(at + bit))
    }
}

/// What values an attribute can hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Text,
    Bool,
    Int,
    /// One of the listed texts, compared and accepted without case, sent as listed.
    Choice(Vec<String>),
    /// A calendar date and time, kept as text.
    DateTime,
    /// Any scalar: used where the system does not say (the values of skills).
    Any,
    /// An object with free keys and values of one kind.
    Map(Box<Kind>),
    /// An object with the named fields.
    Object(Vec<Field>),
    /// A list; the order of its items means nothing.
    List(Box<Kind>),
    /// Whatever JSON says.
    Json,
}

/// One field of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    pub kind: Kind,
    pub required: bool,
}

/// One attribute of an account and what the API allows for it.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each flag is a column of the published attribute table, and most combinations of them exist"
)]
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    pub name: String,
    pub kind: Kind,
    /// Sent when an account is created.
    pub create: bool,
    /// Shown in the listing.
    pub read: bool,
    /// Sent when an account is updated.
    pub update: bool,
    /// A create without it is refused.
    pub required: bool,
    /// Never printed, logged, journalled or reported.
    pub secret: bool,
    /// No two accounts have the same value.
    pub unique: bool,
    /// Upper and lower case differ.
    pub case_exact: bool,
    /// A live value (a counter, a login state) that is never compared and never sent.
    pub live: bool,
    /// An object whose keys that the mapping does not name are kept as they are.
    pub merge: bool,
    /// Names something else of the tenant (a team), which must exist before an account can refer to it.
    pub reference: bool,
    /// What to warn of when a leaver's account has this attribute set (true, or a number other than zero): "has open chats".
    pub leaver_warning: Option<&'static str>,
}

impl Attribute {
    /// A readable, creatable, updatable attribute; the builder methods below take away and add.
    #[must_use]
    pub fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            create: true,
            read: true,
            update: true,
            required: false,
            secret: false,
            unique: false,
            case_exact: true,
            live: false,
            merge: false,
            reference: false,
            leaver_warning: None,
        }
    }

    /// What the API allows, as a table writes it: any of `C`, `R`, `U`.
    #[must_use]
    pub fn allows(mut self, letters: &str) -> Self {
        self.create = letters.contains('C');
        self.read = letters.contains('R');
        self.update = letters.contains('U');
        self
    }

    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }
    #[must_use]
    pub fn ignoring_case(mut self) -> Self {
        self.case_exact = false;
        self
    }
    #[must_use]
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }
    #[must_use]
    pub fn merged(mut self) -> Self {
        self.merge = true;
        self
    }
    #[must_use]
    pub fn refers(mut self) -> Self {
        self.reference = true;
        self
    }
    #[must_use]
    pub fn warns_leavers(mut self, words: &'static str) -> Self {
        self.leaver_warning = Some(words);
        self
    }

    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        let Self { kind, create, read, update, required, unique, case_exact, merge, .. } = self.clone();
        Capabilities { kind, create, read, update, required, unique, case_exact, merge }
    }

    #[must_use]
    pub fn with(self, learnt: Capabilities) -> Self {
        let Capabilities { kind, create, read, update, required, unique, case_exact, merge } = learnt;
        Self { kind, create, read, update, required, unique, case_exact, merge, ..self }
    }

    /// Whether a difference in it can be seen at all.
    #[must_use]
    pub fn comparable(&self) -> bool {
        self.read && !self.live && !self.secret
    }

    /// Sent, but never shown: only its fingerprint tells whether it changed.
    #[must_use]
    pub fn write_only(&self) -> bool {
        !self.read && !self.secret && (self.create || self.update)
    }
}

/// What a live server may say of an attribute otherwise than the standard: the part of [`Attribute`] that is learnt.
#[allow(clippy::struct_excessive_bools, reason = "the flags are those of the attribute table")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capabilities {
    pub kind: Kind,
    pub create: bool,
    pub read: bool,
    pub update: bool,
    pub required: bool,
    pub unique: bool,
    pub case_exact: bool,
    pub merge: bool,
}

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
