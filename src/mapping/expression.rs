//! One expression of `[map]` meets the kind of value that belongs where it stands, and becomes a [`Node`].

use std::collections::BTreeSet;
use std::ops::Range;

use super::build::{Leaf, Node, ObjectField};
use super::check::unknown_column;
use super::compile::Compiler;
use super::convert::{Convert, coerce, describe};
use super::problem::MapError;
use super::spec::{Entry, Expression, Located, Parse};
use super::template::{How, Text};
use crate::model::text::nearest;
use crate::model::{Attribute, CompactText, Field, Kind, Record, Value};

impl Compiler<'_> {
    /// A secret comes from the row; what stands in the file is not one.
    pub(super) fn secret(&mut self, attribute: &Attribute, entry: &Entry) -> Option<Node> {
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

    pub(super) fn node(
        &mut self,
        name: &str,
        kind: &Kind,
        at: &Located<Expression>,
        parse: Option<Parse>,
    ) -> Option<Node> {
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

    pub(super) fn template(&mut self, source: &str, span: &Range<usize>) -> Option<Text> {
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
        match convert.text(text, &mut CompactText::default()) {
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

    pub(super) fn leaf(&self, text: Text, convert: Convert, hidden: bool) -> Leaf {
        let column = match text.columns.as_slice() {
            [column] => Some(self.columns.names()[*column].clone()),
            _ => None,
        };
        Leaf { text, column, convert, hidden, cache: None }
    }
}

/// A cell inside free JSON is a plain value unless `parse` says otherwise: nobody writes a cell as a JSON text with
/// quotes.
pub(super) fn free<'k>(kind: &'k Kind, expression: &Expression, parse: Option<Parse>) -> &'k Kind {
    match (kind, expression, parse) {
        (Kind::Json, Expression::Column(_) | Expression::Template(_), None) => &Kind::Any,
        _ => kind,
    }
}

pub(super) fn unknown_field(name: &str, key: &str, fields: &[Field], span: &Range<usize>) -> MapError {
    let known = || fields.iter().map(|field| field.name.as_str());
    let error = MapError::new(span, format!("{name} has no `{key}`"));
    match nearest(key, known()) {
        Some(near) => error.nearest(Some(near)),
        None => error.help(format!("it has {}", known().collect::<Vec<_>>().join(", "))),
    }
}

/// An expression as `[map]` writes it.
pub(super) fn shown(expression: &Expression) -> String {
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
