//! One attribute of an account: what it can hold, what the API allows for it, and sets of such attributes.

use serde::{Deserialize, Serialize};

/// The position of an attribute in its schema, which has at most [`Schema::MOST`](super::Schema::MOST).
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
