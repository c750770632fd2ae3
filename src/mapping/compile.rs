//! `[map]` meets the schema of the target and the columns of the source. Everything that can be known to be wrong before
//! the first row is found here, all of it at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::build::{Key, Leaf, Node, ObjectField};
use super::convert::{Convert, coerce, describe};
use super::problem::MapError;
use super::spec::{Blank, Entry, Expression, Located, MapSpec, On, Parse};
use super::template::{Engine, How, Text, unknown_column};
use super::{Builder, Creates, Mapped, Mapping, Options};
use crate::model::text::nearest;
use crate::model::{AttrId, Attribute, Columns, Field, Kind, Record, Schema, Value};

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
        // Secrets are not kept anywhere, chains are faster than a cache, and constants were worked out above.
        if matches!(leaf.text.how, How::Engine(_)) && leaf.convert != Convert::Secret {
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

struct Compiler<'a> {
    schema: &'a Schema,
    columns: &'a Columns,
    engine: Engine,
    /// The attributes that `[map]` names, rightly or wrongly.
    named: BTreeSet<AttrId>,
    errors: Vec<MapError>,
}

/// The entries of one attribute, as they stand in `[map]`.
#[derive(Default)]
struct Group<'a> {
    whole: Vec<&'a Entry>,
    keys: Vec<(&'a str, &'a Entry)>,
}

impl Compiler<'_> {
    fn error(&mut self, span: &Range<usize>, message: impl Into<String>) {
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

    /// A secret comes from the row; what stands in the file is not one.
    fn secret(&mut self, attribute: &Attribute, entry: &Entry) -> Option<Node> {
        let span = &entry.expression.span;
        let in_clear = |compiler: &mut Self| {
            let error = MapError::new(span, format!("{} would stand in this file in clear", attribute.name));
            compiler.errors.push(error.help("map a column onto it, or write { generate = { length = 20 } }"));
            None
        };
        if entry.parse.is_some_and(|parse| parse != Parse::Text) {
            self.error(span, format!("{} is a secret, which is only ever a text", attribute.name));
            return None;
        }
        match &entry.expression.value {
            Expression::Column(name) => {
                let text = self.column(name, span)?;
                Some(Node::Leaf(self.leaf(text, Convert::Secret, true)))
            }
            Expression::Template(source) => {
                let text = self.template(source, span)?;
                if text.columns.is_empty() {
                    return in_clear(self);
                }
                Some(Node::Leaf(self.leaf(text, Convert::Secret, true)))
            }
            _ => in_clear(self),
        }
    }

    fn node(&mut self, name: &str, kind: &Kind, at: &Located<Expression>, parse: Option<Parse>) -> Option<Node> {
        let span = &at.span;
        match &at.value {
            Expression::Column(column) => {
                let text = self.column(column, span)?;
                let convert = self.convert(name, kind, parse, span)?;
                Some(Node::Leaf(self.leaf(text, convert, false)))
            }
            Expression::Template(source) => {
                let text = self.template(source, span)?;
                let convert = self.convert(name, kind, parse, span)?;
                if text.columns.is_empty() {
                    return self.constant_template(name, &text, &convert, span);
                }
                Some(Node::Leaf(self.leaf(text, convert, false)))
            }
            Expression::Bool(b) => self.constant(name, kind, Value::Bool(*b), parse, span),
            Expression::Int(n) => self.constant(name, kind, Value::Int(*n), parse, span),
            Expression::Float(n) => self.constant(name, kind, Value::Float(*n), parse, span),
            Expression::Text(text) => {
                if parse.is_none() && matches!(kind, Kind::Text | Kind::Json | Kind::Any | Kind::DateTime) {
                    return Some(Node::Constant(Value::text(text)));
                }
                let convert = self.convert(name, kind, parse, span)?;
                match text.trim() {
                    "" => Some(Node::Constant(Value::Null)),
                    text => self.read_constant(name, text, &convert, span),
                }
            }
            Expression::List(items) => {
                let item = match kind {
                    Kind::List(item) => item,
                    Kind::Json => &Kind::Json,
                    _ => return self.misfit(name, "a list", kind, span),
                };
                self.no_parse(name, parse, span)?;
                let nodes =
                    items.iter().map(|at| self.node(name, free(item, &at.value, None), at, None)).collect::<Vec<_>>();
                nodes.into_iter().collect::<Option<_>>().map(Node::List)
            }
            Expression::Object(entries) => {
                self.no_parse(name, parse, span)?;
                self.object(name, kind, entries, span)
            }
            Expression::Generate(_) => {
                self.error(span, format!("nothing is generated inside {name}"));
                None
            }
        }
    }

    fn object(
        &mut self,
        name: &str,
        kind: &Kind,
        entries: &[(String, Located<Expression>)],
        span: &Range<usize>,
    ) -> Option<Node> {
        let mut seen = BTreeSet::new();
        let mut nodes = Vec::new();
        let mut sound = true;
        for (key, at) in entries {
            if !seen.insert(key.as_str()) {
                self.error(&at.span, format!("{name}.{key} is mapped twice"));
                sound = false;
            }
            let (kind, required) = match kind {
                Kind::Object(fields) => match fields.iter().find(|field| field.name == *key) {
                    Some(field) => (&field.kind, field.required),
                    None => {
                        self.errors.push(unknown_field(name, key, fields, &at.span));
                        sound = false;
                        continue;
                    }
                },
                Kind::Map(values) => (&**values, false),
                Kind::Json => (&Kind::Json, false),
                _ => return self.misfit(name, "an object", kind, span),
            };
            match self.node(&format!("{name}.{key}"), free(kind, &at.value, None), at, None) {
                Some(node) => nodes.push(ObjectField { name: key.clone(), node, required }),
                None => sound = false,
            }
        }
        if let Kind::Object(fields) = kind {
            for field in fields.iter().filter(|field| field.required && !seen.contains(field.name.as_str())) {
                self.error(span, format!("{name} needs `{}`", field.name));
                sound = false;
            }
        }
        sound.then_some(Node::Object(nodes))
    }

    fn column(&mut self, name: &str, span: &Range<usize>) -> Option<Text> {
        match self.columns.position(name) {
            Some(at) => Some(Text { how: How::Column(at), columns: vec![at] }),
            None => {
                self.errors.push(unknown_column(name, self.columns, span));
                None
            }
        }
    }

    fn template(&mut self, source: &str, span: &Range<usize>) -> Option<Text> {
        match self.engine.compile(source, self.columns, span) {
            Ok(text) => Some(text),
            Err(errors) => {
                self.errors.extend(errors);
                None
            }
        }
    }

    fn convert(&mut self, name: &str, kind: &Kind, parse: Option<Parse>, span: &Range<usize>) -> Option<Convert> {
        match Convert::new(kind, parse) {
            Ok(convert) => Some(convert),
            Err(reason) => {
                self.error(span, format!("{name}: {reason}"));
                None
            }
        }
    }

    /// A template that uses no column gives the same for every row, so it is worked out now.
    fn constant_template(&mut self, name: &str, text: &Text, convert: &Convert, span: &Range<usize>) -> Option<Node> {
        let mut made = String::new();
        match self.engine.text(&text.how, &Record::default(), &mut made) {
            Ok(()) if made.trim().is_empty() => Some(Node::Constant(Value::Null)),
            Ok(()) => self.read_constant(name, made.trim(), convert, span),
            Err(reason) => {
                self.error(span, format!("{name}: {reason}"));
                None
            }
        }
    }

    fn read_constant(&mut self, name: &str, text: &str, convert: &Convert, span: &Range<usize>) -> Option<Node> {
        match convert.text(text, &mut String::new()) {
            Ok(value) => Some(Node::Constant(value.unwrap_or(Value::Null))),
            Err(reason) => {
                self.error(span, format!("{name}: \"{text}\" is {reason}"));
                None
            }
        }
    }

    fn constant(
        &mut self,
        name: &str,
        kind: &Kind,
        value: Value,
        parse: Option<Parse>,
        span: &Range<usize>,
    ) -> Option<Node> {
        self.no_parse(name, parse, span)?;
        match coerce(kind, value) {
            Ok(value) => Some(Node::Constant(value)),
            Err(reason) => {
                self.error(span, format!("{name}: {reason}"));
                None
            }
        }
    }

    fn no_parse(&mut self, name: &str, parse: Option<Parse>, span: &Range<usize>) -> Option<()> {
        if parse.is_some() {
            self.error(span, format!("{name}: `parse` reads texts; here is none"));
            return None;
        }
        Some(())
    }

    fn misfit(&mut self, name: &str, what: &str, kind: &Kind, span: &Range<usize>) -> Option<Node> {
        self.error(span, format!("{name}: {what} where {} belongs", describe(kind)));
        None
    }

    fn leaf(&self, text: Text, convert: Convert, hidden: bool) -> Leaf {
        let column = match text.columns.as_slice() {
            [column] => Some(self.columns.names()[*column].clone()),
            _ => None,
        };
        Leaf { text, column, convert, hidden, cache: None }
    }
}

/// A cell inside free JSON is a plain value unless `parse` says otherwise: nobody writes a cell as a JSON text with
/// quotes.
fn free<'k>(kind: &'k Kind, expression: &Expression, parse: Option<Parse>) -> &'k Kind {
    match (kind, expression, parse) {
        (Kind::Json, Expression::Column(_) | Expression::Template(_), None) => &Kind::Any,
        _ => kind,
    }
}

fn unknown_field(name: &str, key: &str, fields: &[Field], span: &Range<usize>) -> MapError {
    let known = || fields.iter().map(|field| field.name.as_str());
    let error = MapError::new(span, format!("{name} has no `{key}`"));
    match nearest(key, known()) {
        Some(near) => error.nearest(Some(near)),
        None => error.help(format!("it has {}", known().collect::<Vec<_>>().join(", "))),
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

/// An expression as `[map]` writes it.
fn shown(expression: &Expression) -> String {
    match expression {
        Expression::Column(text) | Expression::Template(text) => text.clone(),
        Expression::Bool(b) => b.to_string(),
        Expression::Int(n) => n.to_string(),
        Expression::Float(n) => n.to_string(),
        Expression::Text(text) => format!("{text:?}"),
        Expression::List(items) => {
            format!("[{}]", items.iter().map(|item| shown(&item.value)).collect::<Vec<_>>().join(", "))
        }
        Expression::Object(fields) => {
            let field = |(key, at): &(String, Located<Expression>)| format!("{key} = {}", shown(&at.value));
            format!("{{ {} }}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        Expression::Generate(generate) => format!("generate (length {})", generate.length),
    }
}
