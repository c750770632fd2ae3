//! Builds one attribute's value from a row: leaves are columns and templates, and lists and objects stand around them.

use std::collections::BTreeMap;
use std::fmt;

use super::cache::{self, Cache, Outcome};
use super::convert::{Convert, owned};
use super::problem::Invalid;
use super::spec::Blank;
use super::template::{Engine, How, Text};
use crate::model::{CompactText, Record, Value};

/// What builds a value.
#[derive(Debug)]
pub(super) enum Node {
    /// The same for every row.
    Constant(Value),
    Leaf(Leaf),
    List(Vec<Node>),
    Object(Vec<ObjectField>),
    /// Some keys of an object whose other keys are left alone.
    Keys(Vec<Key>),
}

#[derive(Debug)]
pub(super) struct ObjectField {
    pub name: String,
    pub node: Node,
    pub required: bool,
}

#[derive(Debug)]
pub(super) struct Key {
    pub name: String,
    pub node: Node,
    pub blank: Blank,
}

/// A text of the row and how it is read.
#[derive(Debug)]
pub(super) struct Leaf {
    pub text: Text,
    /// The column's name, where there is exactly one.
    pub column: Option<String>,
    pub convert: Convert,
    /// Whether messages must not show what it reads.
    pub hidden: bool,
    /// Its place among the caches, where its results are kept.
    pub cache: Option<usize>,
}

/// What a thread needs for itself while it maps: caches and buffers. Made by [`super::Mapping::scratch`].
#[derive(Default)]
pub struct Scratch {
    pub(super) mapping: std::sync::Arc<()>,
    pub(super) caches: Vec<Cache>,
    pub(super) text: String,
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

impl Node {
    /// Whether it depends on the row.
    pub(super) fn is_dynamic(&self) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Leaf(_) => true,
            Self::List(items) => items.iter().any(Self::is_dynamic),
            Self::Object(fields) => fields.iter().any(|field| field.node.is_dynamic()),
            Self::Keys(keys) => keys.iter().any(|key| key.node.is_dynamic()),
        }
    }

    /// Every leaf in it.
    pub(super) fn each_leaf(&mut self, visit: &mut dyn FnMut(&mut Leaf)) {
        match self {
            Self::Constant(_) => {}
            Self::Leaf(leaf) => visit(leaf),
            Self::List(items) => items.iter_mut().for_each(|node| node.each_leaf(visit)),
            Self::Object(fields) => fields.iter_mut().for_each(|field| field.node.each_leaf(visit)),
            Self::Keys(keys) => keys.iter_mut().for_each(|key| key.node.each_leaf(visit)),
        }
    }

    /// Every leaf in it, to be looked at.
    pub(super) fn visit_leaves(&self, visit: &mut dyn FnMut(&Leaf)) {
        match self {
            Self::Constant(_) => {}
            Self::Leaf(leaf) => visit(leaf),
            Self::List(items) => items.iter().for_each(|node| node.visit_leaves(visit)),
            Self::Object(fields) => fields.iter().for_each(|field| field.node.visit_leaves(visit)),
            Self::Keys(keys) => keys.iter().for_each(|key| key.node.visit_leaves(visit)),
        }
    }

    pub(super) fn column(&self) -> Option<&str> {
        match self {
            Self::Leaf(leaf) => leaf.column.as_deref(),
            _ => None,
        }
    }
}

/// Builds a node's value of a row. Every reason why not is added to `bad`.
pub(super) fn build(
    node: &Node,
    attribute: &str,
    engine: &Engine,
    row: &Record,
    scratch: &mut Scratch,
    bad: &mut Vec<Invalid>,
) -> Built {
    match node {
        Node::Constant(value) if value.is_blank() => Built::Blank,
        Node::Constant(Value::Text(text)) => Built::Value(owned(text, &mut scratch.spare)),
        Node::Constant(value) => Built::Value(value.clone()),
        Node::Leaf(leaf) => match read(leaf, Some(attribute), engine, row, scratch) {
            Ok(Some(value)) => Built::Value(value),
            Ok(None) => Built::Blank,
            Err(invalid) => {
                bad.push(*invalid);
                Built::Bad
            }
        },
        Node::List(items) => {
            let mut list = Vec::with_capacity(items.len());
            let mut sound = true;
            for item in items {
                match build(item, attribute, engine, row, scratch, bad) {
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
        Node::Object(fields) => object(fields, attribute, engine, row, scratch, bad),
        Node::Keys(keys) => {
            let mut object = BTreeMap::new();
            let mut sound = true;
            for key in keys {
                match build(&key.node, attribute, engine, row, scratch, bad) {
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
                            bad.push(Invalid::new(Some(attribute), key.node.column(), reason));
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
fn object(
    fields: &[ObjectField],
    attribute: &str,
    engine: &Engine,
    row: &Record,
    scratch: &mut Scratch,
    bad: &mut Vec<Invalid>,
) -> Built {
    let mut object = BTreeMap::new();
    let mut missing: Option<&ObjectField> = None;
    let (mut sound, mut dynamic, mut filled) = (true, false, false);
    for field in fields {
        let is_dynamic = field.node.is_dynamic();
        dynamic |= is_dynamic;
        match build(&field.node, attribute, engine, row, scratch, bad) {
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
        bad.push(Invalid::new(Some(attribute), field.node.column(), reason));
        return Built::Bad;
    }
    Built::Value(Value::Object(object))
}

/// Reads a leaf, from its cache where it was read before.
pub(super) fn read(
    leaf: &Leaf,
    attribute: Option<&str>,
    engine: &Engine,
    row: &Record,
    scratch: &mut Scratch,
) -> Outcome {
    let Scratch { caches, text, key, spare, .. } = scratch;
    if let How::Column(column) = leaf.text.how {
        return finish(leaf, attribute, row.cell(column).trim(), spare);
    }
    let cache = leaf.cache.and_then(|at| caches.get_mut(at)).filter(|cache| cache.is_on());
    let Some(cache) = cache else { return fresh(leaf, attribute, engine, row, text, spare) };
    cache::key(row, &leaf.text.columns, key);
    if let Some(found) = cache.get(key) {
        return match found {
            Ok(Some(Value::Text(text))) => Ok(Some(owned(text, spare))),
            other => other.clone(),
        };
    }
    let outcome = fresh(leaf, attribute, engine, row, text, spare);
    cache.insert(key, &outcome);
    outcome
}

fn fresh(
    leaf: &Leaf,
    attribute: Option<&str>,
    engine: &Engine,
    row: &Record,
    text: &mut String,
    spare: &mut CompactText,
) -> Outcome {
    text.clear();
    match engine.text(&leaf.text.how, row, text) {
        Ok(()) => finish(leaf, attribute, text.trim(), spare),
        Err(reason) if leaf.hidden => {
            drop(reason);
            Err(Box::new(Invalid::new(attribute, leaf.column.as_deref(), "the template fails for this row's secret")))
        }
        Err(reason) => {
            let invalid = Invalid::new(attribute, leaf.column.as_deref(), reason);
            Err(Box::new(match leaf.text.columns.as_slice() {
                [column] => invalid.value(row.cell(*column).trim()),
                _ => invalid,
            }))
        }
    }
}

fn finish(leaf: &Leaf, attribute: Option<&str>, text: &str, spare: &mut CompactText) -> Outcome {
    if text.is_empty() {
        return Ok(None);
    }
    leaf.convert.text(text, spare).map_err(|reason| {
        let column = leaf.column.as_deref();
        Box::new(if leaf.hidden {
            Invalid::new(attribute, column, "the secret cannot be read as what belongs here")
        } else {
            Invalid::new(attribute, column, reason).value(text)
        })
    })
}
