//! One expression of `[map]` meets the kind of value that belongs where it stands, and becomes a [`ValueRecipe`].

use std::collections::BTreeSet;
use std::ops::Range;

use super::build::{Leaf, LeafSource, ObjectField, ValueRecipe};
use super::convert::{Convert, coerce_value, describe_kind};
use super::problem::MapError;
use super::spec::{Entry, Expression, Located, Parse};
use super::template::{RowTemplate, TemplateEngine, explain_error};
use super::template_check::{compile_template, unknown_column};
use crate::model::text::nearest;
use crate::model::{Attribute, Columns, CompactText, Field, Kind, Record, Value};

/// Compiles expressions over the columns of one source, and collects what is wrong with them.
pub(super) struct ExpressionCompiler<'a> {
    pub columns: &'a Columns,
    pub engine: TemplateEngine,
    pub errors: Vec<MapError>,
}

impl ExpressionCompiler<'_> {
    pub(super) fn error(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.errors.push(MapError::new(span, message));
    }

    /// What there is, unless it is errors.
    pub(super) fn keep_errors<T>(&mut self, result: Result<T, Vec<MapError>>) -> Option<T> {
        result.map_err(|errors| self.errors.extend(errors)).ok()
    }

    /// A secret comes from the row; what stands in the file is not one.
    pub(super) fn compile_secret(&mut self, attribute: &Attribute, entry: &Entry) -> Option<ValueRecipe> {
        let span = &entry.expression.span;
        let in_clear = |compiler: &mut Self| {
            let error = MapError::new(span, format!("{} would be in this file in clear text", attribute.name));
            compiler.errors.push(error.with_help("map a column to it, or write { generate = { length = 20 } }"));
            None
        };
        if entry.parse.is_some_and(|parse| parse != Parse::Text) {
            self.error(span, format!("{} is a secret, and a secret is always a text", attribute.name));
            return None;
        }
        match &entry.expression.value {
            Expression::Column(name) => {
                let column = self.find_column(name, span)?;
                Some(ValueRecipe::Leaf(self.column_leaf(column, Convert::Secret, true)))
            }
            Expression::Template(source) => {
                let template = self.find_template(&attribute.name, source, span)?;
                if template.visible_columns().is_empty() {
                    return in_clear(self);
                }
                Some(ValueRecipe::Leaf(self.template_leaf(template, Convert::Secret, true)))
            }
            _ => in_clear(self),
        }
    }

    pub(super) fn compile_value(
        &mut self,
        name: &str,
        kind: &Kind,
        at: &Located<Expression>,
        parse: Option<Parse>,
    ) -> Option<ValueRecipe> {
        let span = &at.span;
        match &at.value {
            Expression::Column(column) => {
                let column = self.find_column(column, span)?;
                let convert = self.choose_conversion(name, kind, parse, span)?;
                Some(ValueRecipe::Leaf(self.column_leaf(column, convert, false)))
            }
            Expression::Template(source) => {
                let template = self.find_template(name, source, span)?;
                let convert = self.choose_conversion(name, kind, parse, span)?;
                if template.visible_columns().is_empty() {
                    return self.constant_template(name, &template, &convert, span);
                }
                Some(ValueRecipe::Leaf(self.template_leaf(template, convert, false)))
            }
            Expression::Bool(b) => self.constant_value(name, kind, Value::Bool(*b), parse, span),
            Expression::Int(n) => self.constant_value(name, kind, Value::Int(*n), parse, span),
            Expression::Float(n) => self.constant_value(name, kind, Value::Float(*n), parse, span),
            Expression::Text(text) => {
                if parse.is_none() && matches!(kind, Kind::Text | Kind::Json | Kind::Any | Kind::DateTime) {
                    return Some(ValueRecipe::Constant(Value::text(text)));
                }
                let convert = self.choose_conversion(name, kind, parse, span)?;
                match text.trim() {
                    "" => Some(ValueRecipe::Constant(Value::Null)),
                    text => self.read_constant(name, text, &convert, span),
                }
            }
            Expression::List(items) => {
                let item = match kind {
                    Kind::List(item) => item,
                    Kind::Json => &Kind::Json,
                    _ => return self.refuse_kind(name, "a list", kind, span),
                };
                self.refuse_parse(name, parse, span)?;
                let nodes = items
                    .iter()
                    .map(|at| self.compile_value(name, cell_kind(item, &at.value, None), at, None))
                    .collect::<Vec<_>>();
                nodes.into_iter().collect::<Option<_>>().map(ValueRecipe::List)
            }
            Expression::Object(entries) => {
                self.refuse_parse(name, parse, span)?;
                self.compile_object(name, kind, entries, span)
            }
            Expression::Generate(_) => {
                self.error(span, format!("nothing is generated inside {name}"));
                None
            }
        }
    }

    fn compile_object(
        &mut self,
        name: &str,
        kind: &Kind,
        entries: &[(String, Located<Expression>)],
        span: &Range<usize>,
    ) -> Option<ValueRecipe> {
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
                _ => return self.refuse_kind(name, "an object", kind, span),
            };
            match self.compile_value(&format!("{name}.{key}"), cell_kind(kind, &at.value, None), at, None) {
                Some(recipe) => nodes.push(ObjectField { name: key.clone(), recipe, required }),
                None => sound = false,
            }
        }
        if let Kind::Object(fields) = kind {
            for field in fields.iter().filter(|field| field.required && !seen.contains(field.name.as_str())) {
                self.error(span, format!("{name} needs `{}`", field.name));
                sound = false;
            }
        }
        sound.then_some(ValueRecipe::Object(nodes))
    }

    pub(super) fn find_column(&mut self, name: &str, span: &Range<usize>) -> Option<usize> {
        let found = self.columns.position(name);
        if found.is_none() {
            self.errors.push(unknown_column(name, self.columns, span));
        }
        found
    }

    fn find_template(&mut self, name: &str, source: &str, span: &Range<usize>) -> Option<RowTemplate> {
        let template = compile_template(&mut self.engine, name, source, self.columns, span);
        self.keep_errors(template)
    }

    fn choose_conversion(
        &mut self,
        name: &str,
        kind: &Kind,
        parse: Option<Parse>,
        span: &Range<usize>,
    ) -> Option<Convert> {
        match Convert::new(kind, parse) {
            Ok(convert) => Some(convert),
            Err(reason) => {
                self.error(span, format!("{name}: {reason}"));
                None
            }
        }
    }

    /// A template that uses no column gives the same for every row, so it is worked out now.
    fn constant_template(
        &mut self,
        name: &str,
        template: &RowTemplate,
        convert: &Convert,
        span: &Range<usize>,
    ) -> Option<ValueRecipe> {
        match self.engine.render_row(template, &Record::default()) {
            Ok(text) if text.trim().is_empty() => Some(ValueRecipe::Constant(Value::Null)),
            Ok(text) => self.read_constant(name, text.trim(), convert, span),
            Err(error) => {
                self.error(span, format!("{name}: {}", explain_error(&error)));
                None
            }
        }
    }

    fn read_constant(&mut self, name: &str, text: &str, convert: &Convert, span: &Range<usize>) -> Option<ValueRecipe> {
        match convert.read_text(text, &mut CompactText::default()) {
            Ok(value) => Some(ValueRecipe::Constant(value.unwrap_or(Value::Null))),
            Err(reason) => {
                self.error(span, format!("{name}: \"{text}\" is {reason}"));
                None
            }
        }
    }

    fn constant_value(
        &mut self,
        name: &str,
        kind: &Kind,
        value: Value,
        parse: Option<Parse>,
        span: &Range<usize>,
    ) -> Option<ValueRecipe> {
        self.refuse_parse(name, parse, span)?;
        match coerce_value(kind, value) {
            Ok(value) => Some(ValueRecipe::Constant(value)),
            Err(reason) => {
                self.error(span, format!("{name}: {reason}"));
                None
            }
        }
    }

    fn refuse_parse(&mut self, name: &str, parse: Option<Parse>, span: &Range<usize>) -> Option<()> {
        if parse.is_some() {
            self.error(span, format!("{name}: `parse` needs a text"));
            return None;
        }
        Some(())
    }

    fn refuse_kind(&mut self, name: &str, what: &str, kind: &Kind, span: &Range<usize>) -> Option<ValueRecipe> {
        self.error(span, format!("{name}: {what} where {} belongs", describe_kind(kind)));
        None
    }

    fn column_leaf(&self, column: usize, convert: Convert, hidden: bool) -> Leaf {
        self.new_leaf(LeafSource::Column(column), vec![column], convert, hidden)
    }

    pub(super) fn template_leaf(&self, template: RowTemplate, convert: Convert, hidden: bool) -> Leaf {
        let columns = template.visible_columns();
        self.new_leaf(LeafSource::Template(template), columns, convert, hidden)
    }

    fn new_leaf(&self, source: LeafSource, columns: Vec<usize>, convert: Convert, hidden: bool) -> Leaf {
        let column = match columns.as_slice() {
            [column] => Some(self.columns.names()[*column].clone()),
            _ => None,
        };
        Leaf { source, columns, column, convert, hidden, cache: None }
    }
}

/// A cell inside free JSON is a plain value unless `parse` says otherwise: nobody writes a cell as a JSON text with
/// quotes.
pub(super) fn cell_kind<'k>(kind: &'k Kind, expression: &Expression, parse: Option<Parse>) -> &'k Kind {
    match (kind, expression, parse) {
        (Kind::Json, Expression::Column(_) | Expression::Template(_), None) => &Kind::Any,
        _ => kind,
    }
}

pub(super) fn unknown_field(name: &str, key: &str, fields: &[Field], span: &Range<usize>) -> MapError {
    let known = || fields.iter().map(|field| field.name.as_str());
    let error = MapError::new(span, format!("{name} has no `{key}`"));
    match nearest(key, known()) {
        Some(near) => error.with_nearest(Some(near)),
        None => error.with_help(format!("it has {}", known().collect::<Vec<_>>().join(", "))),
    }
}

/// An expression as `[map]` writes it.
pub(super) fn show_expression(expression: &Expression) -> String {
    match expression {
        Expression::Column(text) | Expression::Template(text) => text.clone(),
        Expression::Bool(b) => b.to_string(),
        Expression::Int(n) => n.to_string(),
        Expression::Float(n) => n.to_string(),
        Expression::Text(text) => format!("{text:?}"),
        Expression::List(items) => {
            format!("[{}]", items.iter().map(|item| show_expression(&item.value)).collect::<Vec<_>>().join(", "))
        }
        Expression::Object(fields) => {
            let field = |(key, at): &(String, Located<Expression>)| format!("{key} = {}", show_expression(&at.value));
            format!("{{ {} }}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        Expression::Generate(generate) => format!("generate (length {})", generate.length),
    }
}
