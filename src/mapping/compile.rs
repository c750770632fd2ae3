//! `[map]` meets the schema of the target and the columns of the source. Everything that can be known to be wrong before
//! the first row is found here, all of it at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::build::{Key, Leaf, Node};
use super::check::unknown_column;
use super::convert::{Convert, describe};
use super::expression::{free, shown, unknown_field};
use super::problem::MapError;
use super::spec::{Blank, Entry, Expression, Located, MapSpec, On};
use super::template::{Engine, How};
use super::{Builder, Creates, Mapped, Mapping, Options};
use crate::model::text::nearest;
use crate::model::{AttrId, Attribute, Columns, Kind, Schema, Value};

pub(super) fn compile(
    spec: &MapSpec,
    schema: &Schema,
    columns: &Columns,
    engine: Engine,
    options: &Options,
) -> Result<Mapping, Vec<MapError>> {
    let mut compiler = Compiler { schema, columns, engine, named: BTreeSet::new(), errors: Vec::new() };
    let identity = spec.identity.as_ref().and_then(|name| {
        let found = columns.position(&name.value);
        if found.is_none() {
            compiler.errors.push(unknown_column(&name.value, columns, &name.span));
        }
        found
    });
    let mut include = spec.include.as_ref().and_then(|source| compiler.include(source));
    let mut attributes = compiler.attributes(spec);
    compiler.check_required(&attributes, options);
    let Compiler { engine, mut errors, .. } = compiler;
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.span.start);
        return Err(errors);
    }
    hide_secrets(&mut attributes, include.as_mut());
    let mut caches = 0;
    let mut number = |leaf: &mut Leaf| {
        // A cache is keyed by cells, so one that is a secret would stay in memory; chains are faster than a cache.
        if matches!(leaf.text.how, How::Engine(_)) && !leaf.hidden {
            leaf.cache = Some(caches);
            caches += 1;
        }
    };
    include.iter_mut().for_each(&mut number);
    let (mut mapped, mut builders) = (Vec::new(), Vec::new());
    for (_, Whole { summary, mut builder }) in attributes {
        builder.node.each_leaf(&mut number);
        mapped.push(summary);
        builders.push(builder);
    }
    let required = schema.iter().filter(|(_, attribute)| attribute.required).map(|(id, _)| id).collect();
    let identity = identity.map(|at| (at, columns.names()[at].clone()));
    Ok(Mapping { engine, identity, include, mapped, builders, required, caches, token: std::sync::Arc::default() })
}

/// One attribute, compiled.
struct Whole {
    summary: Mapped,
    builder: Builder,
}

pub(super) struct Compiler<'a> {
    schema: &'a Schema,
    pub(super) columns: &'a Columns,
    pub(super) engine: Engine,
    /// The attributes that `[map]` names, rightly or wrongly.
    named: BTreeSet<AttrId>,
    pub(super) errors: Vec<MapError>,
}

/// The entries of one attribute, as they stand in `[map]`.
#[derive(Default)]
struct Group<'a> {
    whole: Vec<&'a Entry>,
    keys: Vec<(&'a str, &'a Entry)>,
}

impl Compiler<'_> {
    pub(super) fn error(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.errors.push(MapError::new(span, message));
    }

    /// `source.include` as a template that prints what the expression gives.
    fn include(&mut self, source: &Located<String>) -> Option<Leaf> {
        if let Some(error) = self.engine.check_expression(&source.value, self.columns, &source.span) {
            self.errors.push(error);
            return None;
        }
        let text = self.template(&format!("{{{{ ({}) }}}}", source.value), &source.span)?;
        Some(self.leaf(text, Convert::Truth, false))
    }

    fn attributes(&mut self, spec: &MapSpec) -> BTreeMap<AttrId, Whole> {
        let mut groups: BTreeMap<AttrId, Group<'_>> = BTreeMap::new();
        for entry in &spec.entries {
            let name = entry.attribute.value.as_str();
            if let Some(id) = self.schema.id(name) {
                groups.entry(id).or_default().whole.push(entry);
            } else if let Some((id, key)) =
                name.split_once('.').and_then(|(base, key)| Some((self.schema.id(base)?, key)))
            {
                groups.entry(id).or_default().keys.push((key, entry));
            } else {
                let known = || self.schema.iter().map(|(_, attribute)| attribute.name.as_str());
                let error = MapError::new(&entry.attribute.span, format!("the target has no attribute `{name}`"));
                let error = match nearest(name, known()) {
                    Some(near) => error.nearest(Some(near)),
                    None => error.help(format!("its attributes are {}", known().collect::<Vec<_>>().join(", "))),
                };
                self.errors.push(error);
            }
        }
        self.named = groups.keys().copied().collect();
        groups.into_iter().filter_map(|(id, group)| Some((id, self.attribute(id, &group, spec.blank)?))).collect()
    }

    fn attribute(&mut self, id: AttrId, group: &Group<'_>, blank: Blank) -> Option<Whole> {
        let attribute = self.schema.get(id);
        let entries = || group.whole.iter().copied().chain(group.keys.iter().map(|(_, entry)| *entry));
        for entry in entries() {
            self.check_use(attribute, entry);
        }
        let first = entries().next()?;
        if let [_, second, ..] = group.whole.as_slice() {
            self.error(&second.attribute.span, format!("{} is mapped twice", attribute.name));
            return None;
        }
        let (node, blank) = match (group.whole.first(), group.keys.first()) {
            (Some(_), Some((key, entry))) => {
                let name = &attribute.name;
                let error =
                    MapError::new(&entry.attribute.span, format!("{name} is mapped as a whole and by its keys"));
                self.errors.push(error.help(format!("map either {name} or keys of it such as {name}.{key}")));
                return None;
            }
            (Some(entry), None) => (self.whole(attribute, entry)?, entry.blank.unwrap_or(blank)),
            // Each key has its own say about blank cells; nothing of all of them is nothing.
            _ => (self.keys(attribute, &group.keys, blank)?, Blank::Ignore),
        };
        let generated = matches!(node, Node::Constant(Value::Generated));
        let expression = match group.keys.as_slice() {
            [] => shown(&first.expression.value),
            keys => {
                let key = |(key, entry): &(&str, &Entry)| format!("{key} = {}", shown(&entry.expression.value));
                format!("{{ {} }}", keys.iter().map(key).collect::<Vec<_>>().join(", "))
            }
        };
        let summary = Mapped {
            attr: id,
            on: first.on,
            partial: !group.keys.is_empty(),
            generated,
            secret: attribute.secret,
            expression,
            span: first.attribute.span.clone(),
        };
        Some(Whole { summary, builder: Builder { attr: id, name: attribute.name.clone(), node, blank } })
    }

    /// Whether the API lets the attribute be used in this way at all.
    fn check_use(&mut self, attribute: &Attribute, entry: &Entry) {
        let (name, span) = (&attribute.name, &entry.attribute.span);
        if attribute.live {
            self.error(span, format!("{name} is a live value of the account: it is never sent and never compared"));
        } else if entry.on == On::Never && !attribute.comparable() {
            let error = MapError::new(span, format!("{name} is never shown, so no account can be found by it"));
            self.errors.push(error.help("`on = \"never\"` is for attributes that are only used to find the account"));
        } else if !attribute.create && !attribute.update && !attribute.comparable() {
            self.error(span, format!("{name} can be neither set nor compared"));
        } else if entry.on == On::Create && !attribute.create && !attribute.update {
            self.error(span, format!("{name} can only be read, so `on = \"create\"` has nothing to do"));
        }
    }

    fn check_required(&mut self, attributes: &BTreeMap<AttrId, Whole>, options: &Options) {
        if options.creates == Creates::Never {
            return;
        }
        for (id, attribute) in self.schema.iter().filter(|(_, attribute)| attribute.required) {
            let name = &attribute.name;
            match attributes.get(&id) {
                Some(Whole { summary: Mapped { on: On::Never, span, .. }, .. }) => {
                    let error = MapError::new(span, format!("{name} is needed to create an account"));
                    self.errors.push(error.help("take `on = \"never\"` away, or set `policy.create = false`"));
                }
                Some(_) => {}
                // An entry that is there but wrong has its own error.
                None if self.named.contains(&id) => {}
                None => {
                    let message = format!("{name} is not mapped, and a create without it is refused");
                    let example = if attribute.secret { "{ generate = { length = 20 } }" } else { "\"a_column\"" };
                    let help = format!("add `{name} = {example}` to [map], or set `policy.create = false`");
                    self.errors.push(MapError::new(&options.table, message).help(help));
                }
            }
        }
    }

    fn whole(&mut self, attribute: &Attribute, entry: &Entry) -> Option<Node> {
        let span = &entry.expression.span;
        if let Expression::Generate(generate) = &entry.expression.value {
            if !attribute.secret {
                self.error(span, format!("{} is not a secret, so nothing is generated for it", attribute.name));
                return None;
            }
            if generate.length == 0 {
                self.error(span, format!("{} would be generated with no characters", attribute.name));
                return None;
            }
            return Some(Node::Constant(Value::Generated));
        }
        if attribute.secret {
            return self.secret(attribute, entry);
        }
        self.node(&attribute.name, &attribute.kind, &entry.expression, entry.parse)
    }

    fn keys(&mut self, attribute: &Attribute, keys: &[(&str, &Entry)], blank: Blank) -> Option<Node> {
        let (name, mut seen) = (&attribute.name, BTreeSet::new());
        let mut nodes = Vec::new();
        let mut sound = true;
        let on = keys.first().map(|(_, entry)| entry.on);
        for (key, entry) in keys {
            let span = &entry.attribute.span;
            if !seen.insert(*key) {
                self.error(span, format!("{name}.{key} is mapped twice"));
                sound = false;
            }
            if Some(entry.on) != on {
                self.error(span, format!("the keys of {name} must agree on `on`: they are sent together"));
                sound = false;
            }
            let (kind, node) = match &attribute.kind {
                _ if attribute.secret => (None, None),
                Kind::Map(values) => (Some(&**values), None),
                Kind::Json => (Some(&Kind::Json), None),
                Kind::Object(fields) => match fields.iter().find(|field| field.name == *key) {
                    Some(field) => (Some(&field.kind), None),
                    None => (None, Some(unknown_field(name, key, fields, span))),
                },
                _ => (None, None),
            };
            match (kind, node) {
                (Some(kind), _) => {
                    let kind = free(kind, &entry.expression.value, entry.parse);
                    match self.node(&format!("{name}.{key}"), kind, &entry.expression, entry.parse) {
                        Some(node) => {
                            let blank = entry.blank.unwrap_or(blank);
                            nodes.push(Key { name: (*key).to_owned(), node, blank });
                        }
                        None => sound = false,
                    }
                }
                (None, Some(error)) => {
                    self.errors.push(error);
                    sound = false;
                }
                (None, None) => {
                    self.error(span, format!("{name} has no keys: it holds {}", describe(&attribute.kind)));
                    sound = false;
                }
            }
        }
        sound.then_some(Node::Keys(nodes))
    }
}

/// A column that by itself makes a secret is a secret wherever else it is used.
fn hide_secrets(attributes: &mut BTreeMap<AttrId, Whole>, include: Option<&mut Leaf>) {
    let mut secret = BTreeSet::new();
    for whole in attributes.values_mut() {
        whole.builder.node.each_leaf(&mut |leaf| {
            if let (true, [column]) = (leaf.hidden, leaf.text.columns.as_slice()) {
                secret.insert(*column);
            }
        });
    }
    let hide = &mut |leaf: &mut Leaf| {
        leaf.hidden |= leaf.text.columns.iter().any(|column| secret.contains(column));
    };
    include.into_iter().for_each(&mut *hide);
    for whole in attributes.values_mut() {
        whole.builder.node.each_leaf(hide);
    }
}
