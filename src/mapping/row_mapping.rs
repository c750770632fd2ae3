//! `[map]`, compiled: what it makes of each row.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::build::{Built, Leaf, Scratch, ValueRecipe, build_value, read_leaf};
use super::cache::Cache;
use super::problem::Invalid;
use super::spec::{Blank, On};
use super::template::TemplateEngine;
use crate::model::{AttrId, Attributes, Desired, Record, Value, Wanted};

/// `[map]`, compiled for one schema and the columns of one source. Shared by all threads; each has its own [`Scratch`].
pub struct Mapping {
    pub(super) engine: TemplateEngine,
    /// The column's position and name.
    pub(super) identity: Option<(usize, String)>,
    pub(super) include: Option<Leaf>,
    pub(super) mapped: Vec<Mapped>,
    /// In the order of `mapped`, which is the schema's.
    pub(super) builders: Vec<AttributeBuilder>,
    pub(super) required: Vec<AttrId>,
    pub(super) caches: usize,
    /// Tells the scratches of this mapping from those of another.
    pub(super) token: Arc<()>,
}

/// Builds one attribute.
pub(super) struct AttributeBuilder {
    pub attr: AttrId,
    pub name: String,
    pub recipe: ValueRecipe,
    pub blank: Blank,
}

/// One mapped attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    pub attr: AttrId,
    pub on: On,
    /// Only some keys of the object are mapped (`skill_attributes.English`).
    pub partial: bool,
    /// The value is a secret that is generated when the account is created.
    pub generated: bool,
    pub secret: bool,
    /// The expression as the configuration has it.
    pub expression: String,
    /// Where the configuration names the attribute.
    pub span: Range<usize>,
}

/// What one expression came to for one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained<'m> {
    pub mapped: &'m Mapped,
    /// The columns that the expression reads, by position, each once; rather too many than too few.
    pub reads: Vec<usize>,
    /// Whether what it reads makes a secret, so that no cell of it may be shown.
    pub hidden: bool,
    /// None where the cell is empty and the target's value is left as it is.
    pub result: Result<Option<Wanted>, Vec<Invalid>>,
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping").field("mapped", &self.mapped).finish_non_exhaustive()
    }
}

impl Mapping {
    /// A scratch for one thread.
    #[must_use]
    pub fn scratch(&self) -> Scratch {
        let mut scratch = Scratch::default();
        self.adopt_scratch(&mut scratch);
        scratch
    }

    /// Whether the row counts (`source.include`); every row does where nothing is said.
    ///
    /// # Errors
    /// When the expression fails for this row, or gives something other than true or false.
    pub fn includes(&self, row: &Record, scratch: &mut Scratch) -> Result<bool, Invalid> {
        let Some(include) = &self.include else { return Ok(true) };
        self.adopt_scratch(scratch);
        match read_leaf(include, None, &self.engine, row, scratch) {
            Ok(Some(Value::Bool(counts))) => Ok(counts),
            Ok(_) => Err(in_include(Invalid::new(None, include.column.as_deref(), "neither true nor false"))),
            Err(invalid) => Err(in_include(*invalid)),
        }
    }

    /// What the row says an account should be.
    ///
    /// # Errors
    /// Every reason why the row cannot be used.
    pub fn map(&self, row: &Record, scratch: &mut Scratch) -> Result<Desired, Vec<Invalid>> {
        let mut desired = Desired { identity: String::new(), place: row.place, values: Vec::new() };
        self.map_into(row, scratch, &mut desired)?;
        Ok(desired)
    }

    /// As [`Mapping::map`], into a desired state whose memory is used again. After an error it holds nothing of use.
    ///
    /// # Errors
    /// Every reason why the row cannot be used.
    pub fn map_into(&self, row: &Record, scratch: &mut Scratch, desired: &mut Desired) -> Result<(), Vec<Invalid>> {
        self.adopt_scratch(scratch);
        let mut bad = Vec::new();
        desired.place = row.place;
        desired.identity.clear();
        desired.identity.push_str(self.identity(row));
        if let Some((_, name)) = &self.identity
            && desired.identity.is_empty()
        {
            bad.push(Invalid::new(None, Some(name), "the identity is empty"));
        }
        let values = &mut desired.values;
        values.reserve(self.builders.len().saturating_sub(values.len()));
        let mut filled = 0;
        for builder in &self.builders {
            // The text of the value that stood here before is the buffer of the one that will.
            if let Some((_, Wanted::Set(Value::Text(text)))) = values.get_mut(filled) {
                std::mem::swap(text, &mut scratch.spare);
            }
            let Some(wanted) = builder.wanted_value(&self.engine, row, scratch, &mut bad) else { continue };
            match values.get_mut(filled) {
                Some(slot) => *slot = (builder.attr, wanted),
                None => values.push((builder.attr, wanted)),
            }
            filled += 1;
        }
        values.truncate(filled);
        if bad.is_empty() { Ok(()) } else { Err(bad) }
    }

    /// The identity cell, without outer blanks; empty where none is configured.
    #[must_use]
    pub fn identity<'r>(&self, row: &'r Record) -> &'r str {
        self.identity.as_ref().map_or("", |(column, _)| row.cell(*column).trim())
    }

    /// The mapped attributes, in the schema's order.
    #[must_use]
    pub fn attributes(&self) -> &[Mapped] {
        &self.mapped
    }

    /// The attributes without which a create is refused, and which this row leaves empty.
    #[must_use]
    pub fn missing_required(&self, desired: &Desired) -> Vec<AttrId> {
        let missing = |id: &&AttrId| desired.value(**id).is_none_or(Value::is_blank);
        self.required.iter().filter(missing).copied().collect()
    }

    /// Whatever can be made of a row, whether or not it can be used as a whole.
    #[must_use]
    pub fn usable_values(&self, row: &Record) -> Attributes {
        let set = |explained: Explained<'_>| match explained.result {
            Ok(Some(Wanted::Set(value))) => Some((explained.mapped.attr, value)),
            _ => None,
        };
        self.explain(row).into_iter().filter_map(set).collect()
    }

    /// Each mapped attribute with the expression behind it and what that comes to for the row.
    #[must_use]
    pub fn explain(&self, row: &Record) -> Vec<Explained<'_>> {
        let mut scratch = self.scratch();
        let mut explained = Vec::with_capacity(self.mapped.len());
        for (mapped, builder) in self.mapped.iter().zip(&self.builders) {
            let mut bad = Vec::new();
            let wanted = builder.wanted_value(&self.engine, row, &mut scratch, &mut bad);
            let (mut reads, mut hidden) = (Vec::new(), mapped.secret);
            builder.recipe.visit_leaves(&mut |leaf| {
                reads.extend(&leaf.columns);
                hidden |= leaf.hidden;
            });
            reads.sort_unstable();
            reads.dedup();
            let result = if bad.is_empty() { Ok(wanted) } else { Err(bad) };
            explained.push(Explained { mapped, reads, hidden, result });
        }
        explained
    }

    /// The columns that `source.include` reads, by position; none where one of them makes a secret.
    #[must_use]
    pub fn include_reads(&self) -> &[usize] {
        self.include.as_ref().filter(|leaf| !leaf.hidden).map_or(&[], |leaf| &leaf.columns)
    }

    /// Makes a scratch this mapping's own: what another mapping cached in it would be wrong here.
    fn adopt_scratch(&self, scratch: &mut Scratch) {
        if !Arc::ptr_eq(&scratch.mapping, &self.token) {
            scratch.mapping = Arc::clone(&self.token);
            scratch.caches.clear();
            scratch.caches.resize_with(self.caches, Cache::default);
        }
    }
}

impl AttributeBuilder {
    /// What the row wants of the attribute; none where it wants nothing, or where there are reasons why not.
    fn wanted_value(
        &self,
        engine: &TemplateEngine,
        row: &Record,
        scratch: &mut Scratch,
        bad: &mut Vec<Invalid>,
    ) -> Option<Wanted> {
        match build_value(&self.recipe, &self.name, engine, row, scratch, bad) {
            Built::Value(value) => Some(Wanted::Set(value)),
            Built::Bad => None,
            Built::Blank => match self.blank {
                Blank::Ignore => None,
                Blank::Clear => Some(Wanted::Clear),
                Blank::Error => {
                    bad.push(Invalid::new(Some(&self.name), self.recipe.single_column(), "the cell is empty"));
                    None
                }
            },
        }
    }
}

fn in_include(mut invalid: Invalid) -> Invalid {
    invalid.reason = format!("source.include: {}", invalid.reason);
    invalid
}
