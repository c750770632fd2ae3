//! Builds one attribute's value from a row: leaves are columns and templates, and lists and objects stand around them.

use std::collections::BTreeMap;
use std::fmt;

use super::cache::{Cache, ReadOutcome, write_cache_key};
use super::convert::{Convert, text_value};
use super::problem::Invalid;
use super::spec::Blank;
use super::template::{RowTemplate, TemplateEngine, explain_error};
use crate::model::{CompactText, Record, Value};

/// What builds a value.
#[derive(Debug)]
pub(super) enum ValueRecipe {
    /// The same for every row.
    Constant(Value),
    Leaf(Leaf),
    List(Vec<ValueRecipe>),
    Object(Vec<ObjectField>),
    /// Some keys of an object whose other keys are left alone.
    Keys(Vec<KeyRecipe>),
}

#[derive(Debug)]
pub(super) struct ObjectField {
    pub name: String,
    pub recipe: ValueRecipe,
    pub required: bool,
}

#[derive(Debug)]
pub(super) struct KeyRecipe {
    pub name: String,
    pub recipe: ValueRecipe,
    pub blank: Blank,
}

/// A text of the row and how it is read.
#[derive(Debug)]
pub(super) struct Leaf {
    pub source: LeafSource,
    /// Every column that it may use, in the order of the row.
    pub columns: Vec<usize>,
    /// The column's name, where there is exactly one.
    pub column: Option<String>,
    pub convert: Convert,
    /// Whether messages must not show what it reads.
    pub hidden: bool,
    /// Its place among the caches, where its results are kept.
    pub cache: Option<usize>,
}

/// What makes the text of a leaf.
#[derive(Debug)]
pub(super) enum LeafSource {
    Column(usize),
    Template(RowTemplate),
}

/// What a thread needs for itself while it maps: caches and buffers. Made by [`super::Mapping::scratch`].
#[derive(Default)]
pub struct Scratch {
    pub(super) mapping: std::sync::Arc<()>,
    pub(super) caches: Vec<Cache>,
    pub(super) key: Vec<u8>,
    /// A buffer that the next text may take.
    pub(super) spare: CompactText,
}

/// It holds cells, which may be secret, so it prints none of them.
impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// What a node came to.
pub(super) enum Built {
    Value(Value),
    /// Nothing but empty cells.
    Blank,
    /// The reasons are among the others.
    Bad,
}

impl ValueRecipe {
    /// Whether it depends on the row.
    pub(super) fn is_dynamic(&self) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Leaf(_) => true,
            Self::List(items) => items.iter().any(Self::is_dynamic),
            Self::Object(fields) => fields.iter().any(|field| field.recipe.is_dynamic()),
            Self::Keys(keys) => keys.iter().any(|key| key.recipe.is_dynamic()),
        }
    }

    /// Every leaf in it.
    pub(super) fn each_leaf(&mut self, visit: &mut dyn FnMut(&mut Leaf)) {
        match self {
            Self::Constant(_) => {}
            Self::Leaf(leaf) => visit(leaf),
            Self::List(items) => items.iter_mut().for_each(|recipe| recipe.each_leaf(visit)),
            Self::Object(fields) => fields.iter_mut().for_each(|field| field.recipe.each_leaf(visit)),
            Self::Keys(keys) => keys.iter_mut().for_each(|key| key.recipe.each_leaf(visit)),
        }
    }

    /// Every leaf in it, to be looked at.
    pub(super) fn visit_leaves(&self, visit: &mut dyn FnMut(&Leaf)) {
        match self {
            Self::Constant(_) => {}
            Self::Leaf(leaf) => visit(leaf),
            Self::List(items) => items.iter().for_each(|recipe| recipe.visit_leaves(visit)),
            Self::Object(fields) => fields.iter().for_each(|field| field.recipe.visit_leaves(visit)),
            Self::Keys(keys) => keys.iter().for_each(|key| key.recipe.visit_leaves(visit)),
        }
    }

    pub(super) fn single_column(&self) -> Option<&str> {
        match self {
            Self::Leaf(leaf) => leaf.column.as_deref(),
            _ => None,
        }
    }
}

/// Builds a node's value of a row. Every reason why not is added to `bad`.
pub(super) fn build_value(
    recipe: &ValueRecipe,
    attribute: &str,
    engine: &TemplateEngine,
    row: &Record,
    scratch: &mut Scratch,
    bad: &mut Vec<Invalid>,
) -> Built {
    match recipe {
        ValueRecipe::Constant(value) if value.is_blank() => Built::Blank,
        ValueRecipe::Constant(Value::Text(text)) => Built::Value(text_value(text, &mut scratch.spare)),
        ValueRecipe::Constant(value) => Built::Value(value.clone()),
        ValueRecipe::Leaf(leaf) => match read_leaf(leaf, Some(attribute), engine, row, scratch) {
            Ok(Some(value)) => Built::Value(value),
            Ok(None) => Built::Blank,
            Err(invalid) => {
                bad.push(*invalid);
                Built::Bad
            }
        },
        ValueRecipe::List(items) => {
            let mut list = Vec::with_capacity(items.len());
            let mut sound = true;
            for item in items {
                match build_value(item, attribute, engine, row, scratch, bad) {
                    Built::Value(value) => list.push(value),
                    Built::Blank => {}
                    Built::Bad => sound = false,
                }
            }
            match (sound, list.is_empty()) {
                (false, _) => Built::Bad,
                (true, true) => Built::Blank,
                (true, false) => Built::Value(Value::List(list)),
            }
        }
        ValueRecipe::Object(fields) => build_object(fields, attribute, engine, row, scratch, bad),
        ValueRecipe::Keys(keys) => {
            let mut object = BTreeMap::new();
            let mut sound = true;
            for key in keys {
                match build_value(&key.recipe, attribute, engine, row, scratch, bad) {
                    Built::Value(value) => {
                        object.insert(key.name.clone(), value);
                    }
                    Built::Bad => sound = false,
                    Built::Blank => match key.blank {
                        Blank::Ignore => {}
                        Blank::Clear => {
                            object.insert(key.name.clone(), Value::Null);
                        }
                        Blank::Error => {
                            let reason = format!("{} is empty", key.name);
                            bad.push(Invalid::new(Some(attribute), key.recipe.single_column(), reason));
                            sound = false;
                        }
                    },
                }
            }
            match (sound, object.is_empty()) {
                (false, _) => Built::Bad,
                (true, true) => Built::Blank,
                (true, false) => Built::Value(Value::Object(object)),
            }
        }
    }
}

/// An object for which the row has nothing is nothing, whatever constants stand in it.
fn build_object(
    fields: &[ObjectField],
    attribute: &str,
    engine: &TemplateEngine,
    row: &Record,
    scratch: &mut Scratch,
    bad: &mut Vec<Invalid>,
) -> Built {
    let mut object = BTreeMap::new();
    let mut missing: Option<&ObjectField> = None;
    let (mut sound, mut dynamic, mut filled) = (true, false, false);
    for field in fields {
        let is_dynamic = field.recipe.is_dynamic();
        dynamic |= is_dynamic;
        match build_value(&field.recipe, attribute, engine, row, scratch, bad) {
            Built::Value(value) => {
                filled |= is_dynamic;
                object.insert(field.name.clone(), value);
            }
            Built::Blank if field.required => missing = missing.or(Some(field)),
            Built::Blank => {}
            Built::Bad => sound = false,
        }
    }
    if !sound {
        return Built::Bad;
    }
    if object.is_empty() || (dynamic && !filled) {
        return Built::Blank;
    }
    if let Some(field) = missing {
        let reason = format!("{} is empty while the rest is not", field.name);
        bad.push(Invalid::new(Some(attribute), field.recipe.single_column(), reason));
        return Built::Bad;
    }
    Built::Value(Value::Object(object))
}

/// Reads a leaf, from its cache where it was read before.
pub(super) fn read_leaf(
    leaf: &Leaf,
    attribute: Option<&str>,
    engine: &TemplateEngine,
    row: &Record,
    scratch: &mut Scratch,
) -> ReadOutcome {
    let Scratch { caches, key, spare, .. } = scratch;
    let template = match &leaf.source {
        LeafSource::Column(column) => return convert_text(leaf, attribute, row.cell(*column).trim(), spare),
        LeafSource::Template(template) => template,
    };
    let cache = leaf.cache.and_then(|at| caches.get_mut(at)).filter(|cache| cache.is_on());
    let Some(cache) = cache else { return render_leaf(leaf, template, attribute, engine, row, spare) };
    write_cache_key(row, &leaf.columns, key);
    if let Some(found) = cache.get(key) {
        return match found {
            Ok(Some(Value::Text(text))) => Ok(Some(text_value(text, spare))),
            other => other.clone(),
        };
    }
    let outcome = render_leaf(leaf, template, attribute, engine, row, spare);
    cache.insert_outcome(key, &outcome);
    outcome
}

fn render_leaf(
    leaf: &Leaf,
    template: &RowTemplate,
    attribute: Option<&str>,
    engine: &TemplateEngine,
    row: &Record,
    spare: &mut CompactText,
) -> ReadOutcome {
    match engine.render_row(template, row) {
        Ok(text) => convert_text(leaf, attribute, text.trim(), spare),
        Err(_) if leaf.hidden => {
            Err(Box::new(Invalid::new(attribute, leaf.column.as_deref(), "the template fails for this row's secret")))
        }
        Err(error) => {
            let invalid = Invalid::new(attribute, leaf.column.as_deref(), explain_error(&error));
            Err(Box::new(match leaf.columns.as_slice() {
                [column] => invalid.with_value(row.cell(*column).trim()),
                _ => invalid,
            }))
        }
    }
}

fn convert_text(leaf: &Leaf, attribute: Option<&str>, text: &str, spare: &mut CompactText) -> ReadOutcome {
    if text.is_empty() {
        return Ok(None);
    }
    leaf.convert.read_text(text, spare).map_err(|reason| {
        let column = leaf.column.as_deref();
        Box::new(if leaf.hidden {
            Invalid::new(attribute, column, "the secret cannot be read as what belongs here")
        } else {
            Invalid::new(attribute, column, reason).with_value(text)
        })
    })
}
