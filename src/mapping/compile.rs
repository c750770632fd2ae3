//! `[map]` meets the schema of the target and the columns of the source. Everything that can be known to be wrong before
//! the first row is found here, all of it at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::civil::Date;

use super::build::{KeyRecipe, Leaf, LeafSource, ValueRecipe};
use super::convert::{Convert, describe_kind};
use super::expression::{ExpressionCompiler, cell_kind, show_expression, unknown_field};
use super::lookup::Lookups;
use super::problem::MapError;
use super::row_mapping::{AttributeBuilder, Mapped, Mapping};
use super::spec::{Blank, Entry, Expression, Located, MapSpec, On};
use super::template::TemplateEngine;
use super::template_check::compile_condition;
use crate::model::text::nearest;
use crate::model::{AttrId, Attribute, Columns, Kind, Schema, Value};

/// What [`Mapping::compile`] must know beside the words of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub creates: Creates,
    /// Where `[map]` stands in the configuration file: what is missing in it is shown there.
    pub table: Range<usize>,
}

/// Whether the policy lets accounts be created, which needs every required attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creates {
    Possible,
    Never,
}

impl Mapping {
    /// Compiles once, for all rows. `today` is the day that templates see.
    ///
    /// # Errors
    /// Everything that is wrong with the expressions, in the order of the file.
    pub fn compile(
        spec: &MapSpec,
        schema: &Schema,
        columns: &Columns,
        lookups: Lookups,
        today: Date,
        options: &Options,
    ) -> Result<Self, Vec<MapError>> {
        let engine = TemplateEngine::new(lookups, today);
        let mut compiler = MapCompiler {
            schema,
            named: BTreeSet::new(),
            expressions: ExpressionCompiler { columns, engine, errors: Vec::new() },
        };
        let identity = spec.identity.as_ref().and_then(|at| compiler.expressions.find_column(&at.value, &at.span));
        let mut include = spec.include.as_ref().and_then(|source| compiler.compile_include(source));
        let mut attributes = compiler.compile_attributes(spec);
        compiler.check_required(&attributes, options);
        let ExpressionCompiler { engine, mut errors, .. } = compiler.expressions;
        if !errors.is_empty() {
            errors.sort_by_key(|error| error.span.start);
            return Err(errors);
        }
        hide_secrets(&mut attributes, include.as_mut());
        let mut caches = 0;
        let mut number = |leaf: &mut Leaf| {
            // A cache is keyed by cells, so one that is a secret would stay in memory.
            if matches!(leaf.source, LeafSource::Template(_)) && !leaf.hidden {
                leaf.cache = Some(caches);
                caches += 1;
            }
        };
        include.iter_mut().for_each(&mut number);
        let (mut mapped, mut builders) = (Vec::new(), Vec::new());
        for (_, CompiledAttribute { summary, mut builder }) in attributes {
            builder.recipe.each_leaf(&mut number);
            mapped.push(summary);
            builders.push(builder);
        }
        let required = schema.iter().filter(|(_, attribute)| attribute.required).map(|(id, _)| id).collect();
        let identity = identity.map(|at| (at, columns.names()[at].clone()));
        Ok(Self { engine, identity, include, mapped, builders, required, caches, token: std::sync::Arc::default() })
    }
}

/// One attribute, compiled.
struct CompiledAttribute {
    summary: Mapped,
    builder: AttributeBuilder,
}

struct MapCompiler<'a> {
    schema: &'a Schema,
    /// The attributes that `[map]` names, rightly or wrongly.
    named: BTreeSet<AttrId>,
    expressions: ExpressionCompiler<'a>,
}

/// The entries of one attribute, as they stand in `[map]`.
#[derive(Default)]
struct AttributeEntries<'a> {
    whole: Vec<&'a Entry>,
    keys: Vec<(&'a str, &'a Entry)>,
}

impl MapCompiler<'_> {
    fn error(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.expressions.error(span, message);
    }

    /// `source.include` as a template that prints what the expression gives.
    fn compile_include(&mut self, source: &Located<String>) -> Option<Leaf> {
        let ExpressionCompiler { engine, columns, .. } = &mut self.expressions;
        let template = compile_condition(engine, "source.include", &source.value, columns, &source.span);
        let template = self.expressions.keep_errors(template)?;
        Some(self.expressions.template_leaf(template, Convert::Truth, false))
    }

    fn compile_attributes(&mut self, spec: &MapSpec) -> BTreeMap<AttrId, CompiledAttribute> {
        let mut groups: BTreeMap<AttrId, AttributeEntries<'_>> = BTreeMap::new();
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
                let most = Schema::MOST;
                let room = if known().count() < most { String::new() } else { format!(", or more than {most}") };
                let message = format!("the target has no attribute `{name}`{room}");
                let error = MapError::new(&entry.attribute.span, message);
                let error = match nearest(name, known()) {
                    Some(near) => error.with_nearest(Some(near)),
                    None => error.with_help(format!("its attributes are {}", known().collect::<Vec<_>>().join(", "))),
                };
                self.expressions.errors.push(error);
            }
        }
        self.named = groups.keys().copied().collect();
        groups
            .into_iter()
            .filter_map(|(id, group)| Some((id, self.compile_attribute(id, &group, spec.blank)?)))
            .collect()
    }

    fn compile_attribute(
        &mut self,
        id: AttrId,
        group: &AttributeEntries<'_>,
        blank: Blank,
    ) -> Option<CompiledAttribute> {
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
        let (recipe, blank) = match (group.whole.first(), group.keys.first()) {
            (Some(_), Some((key, entry))) => {
                let name = &attribute.name;
                let error =
                    MapError::new(&entry.attribute.span, format!("{name} is mapped as a whole and by its keys"));
                self.expressions
                    .errors
                    .push(error.with_help(format!("map either {name} or keys of it such as {name}.{key}")));
                return None;
            }
            (Some(entry), None) => (self.compile_whole(attribute, entry)?, entry.blank.unwrap_or(blank)),
            // Each key has its own say about blank cells; nothing of all of them is nothing.
            _ => (self.compile_keys(attribute, &group.keys, blank)?, Blank::Ignore),
        };
        let generated = matches!(recipe, ValueRecipe::Constant(Value::Generated));
        let expression = match group.keys.as_slice() {
            [] => show_expression(&first.expression.value),
            keys => {
                let key =
                    |(key, entry): &(&str, &Entry)| format!("{key} = {}", show_expression(&entry.expression.value));
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
        Some(CompiledAttribute {
            summary,
            builder: AttributeBuilder { attr: id, name: attribute.name.clone(), recipe, blank },
        })
    }

    /// Whether the API lets the attribute be used in this way at all.
    fn check_use(&mut self, attribute: &Attribute, entry: &Entry) {
        let (name, span) = (&attribute.name, &entry.attribute.span);
        if attribute.live {
            self.error(span, format!("{name} is a live value of the account: it is never sent and never compared"));
        } else if entry.on == On::Never && !attribute.comparable() {
            let error = MapError::new(span, format!("{name} is never shown, so no account can be found by it"));
            self.expressions
                .errors
                .push(error.with_help("`on = \"never\"` is for attributes that are only used to find the account"));
        } else if !attribute.create && !attribute.update && !attribute.comparable() {
            self.error(span, format!("{name} can be neither set nor compared"));
        } else if entry.on == On::Create && !attribute.create && !attribute.update {
            self.error(span, format!("{name} can only be read, so `on = \"create\"` has nothing to do"));
        }
    }

    fn check_required(&mut self, attributes: &BTreeMap<AttrId, CompiledAttribute>, options: &Options) {
        if options.creates == Creates::Never {
            return;
        }
        for (id, attribute) in self.schema.iter().filter(|(_, attribute)| attribute.required) {
            let name = &attribute.name;
            match attributes.get(&id) {
                Some(CompiledAttribute { summary: Mapped { on: On::Never, span, .. }, .. }) => {
                    let error = MapError::new(span, format!("{name} is needed to create an account"));
                    self.expressions
                        .errors
                        .push(error.with_help("remove `on = \"never\"`, or set `policy.create = false`"));
                }
                Some(_) => {}
                // An entry that is there but wrong has its own error.
                None if self.named.contains(&id) => {}
                None => {
                    let message = format!("{name} is not mapped, and a create without it is refused");
                    let example = if attribute.secret { "{ generate = { length = 20 } }" } else { "\"a_column\"" };
                    let help = format!("add `{name} = {example}` to [map], or set `policy.create = false`");
                    self.expressions.errors.push(MapError::new(&options.table, message).with_help(help));
                }
            }
        }
    }

    fn compile_whole(&mut self, attribute: &Attribute, entry: &Entry) -> Option<ValueRecipe> {
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
            return Some(ValueRecipe::Constant(Value::Generated));
        }
        if attribute.secret {
            return self.expressions.compile_secret(attribute, entry);
        }
        self.expressions.compile_value(&attribute.name, &attribute.kind, &entry.expression, entry.parse)
    }

    fn compile_keys(&mut self, attribute: &Attribute, keys: &[(&str, &Entry)], blank: Blank) -> Option<ValueRecipe> {
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
                    let kind = cell_kind(kind, &entry.expression.value, entry.parse);
                    match self.expressions.compile_value(&format!("{name}.{key}"), kind, &entry.expression, entry.parse)
                    {
                        Some(recipe) => {
                            let blank = entry.blank.unwrap_or(blank);
                            nodes.push(KeyRecipe { name: (*key).to_owned(), recipe, blank });
                        }
                        None => sound = false,
                    }
                }
                (None, Some(error)) => {
                    self.expressions.errors.push(error);
                    sound = false;
                }
                (None, None) => {
                    self.error(span, format!("{name} has no keys: it holds {}", describe_kind(&attribute.kind)));
                    sound = false;
                }
            }
        }
        sound.then_some(ValueRecipe::Keys(nodes))
    }
}

/// A column that by itself makes a secret is a secret wherever else it is used.
fn hide_secrets(attributes: &mut BTreeMap<AttrId, CompiledAttribute>, include: Option<&mut Leaf>) {
    let mut secret = BTreeSet::new();
    for whole in attributes.values_mut() {
        whole.builder.recipe.each_leaf(&mut |leaf| {
            if let (true, [column]) = (leaf.hidden, leaf.columns.as_slice()) {
                secret.insert(*column);
            }
        });
    }
    let hide = &mut |leaf: &mut Leaf| {
        leaf.hidden |= leaf.columns.iter().any(|column| secret.contains(column));
    };
    include.into_iter().for_each(&mut *hide);
    for whole in attributes.values_mut() {
        whole.builder.recipe.each_leaf(hide);
    }
}
