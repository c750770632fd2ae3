//! The template engine, set up so that nothing in a template reaches outside: the row's columns, text filters, the
//! lookup tables and the day of the run are all there is.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use minijinja::value::{Enumerator, Object, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::check::FUNCTIONS;
use super::lookup::Lookups;
use super::native::Native;
use super::problem::MapError;
use super::scan::{self, Facts, Piece};
use super::{date, text};
use crate::model::{Columns, Record};

/// The work that one template may do for one row: an instruction costs 1, and so do 64 bytes of text. Any useful template
/// takes less than a thousandth of it; what takes more is a slip (a loop within a loop, a text times a number) that would
/// take all the time or all the memory there is.
const FUEL: u64 = 500_000;
/// Bytes of a list or a map that a template makes a text of; no attribute takes as many.
const LONGEST_JSON: usize = 128 << 10;

/// The engine with every template of a mapping in it.
pub(super) struct Engine {
    pub(super) environment: Environment<'static>,
    pub(super) lookups: Arc<Lookups>,
    pub(super) today: Date,
}

/// A text made from a row: a column as it is, or a template.
#[derive(Debug)]
pub(super) struct Text {
    pub how: How,
    /// Every column that it may use, in the order of the row.
    pub columns: Vec<usize>,
}

#[derive(Debug)]
pub(super) enum How {
    Column(usize),
    Native(Native),
    Engine(Template),
}

/// A template that the engine renders.
#[derive(Debug)]
pub(super) struct Template {
    name: String,
    uses: Arc<Uses>,
}

/// What a template sees of a row.
#[derive(Debug)]
struct Uses {
    columns: Vec<Used>,
}

#[derive(Debug)]
struct Used {
    name: String,
    column: usize,
    /// Whether it is a variable too, beside being a key of `row`.
    variable: bool,
}

impl Engine {
    pub(super) fn new(lookups: Lookups, today: Date) -> Self {
        let lookups = Arc::new(lookups);
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_debug(false);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_formatter(|out, state, value| match value.kind() {
            // `none`, and an `if` without an `else`, are an empty cell, not the word.
            ValueKind::None | ValueKind::Undefined => Ok(()),
            // In the form of JSON, which texts and `parse` both read.
            ValueKind::Bool => out.write_str(if value.is_true() { "true" } else { "false" }).map_err(Error::from),
            // Lists and maps are written in the form that cells are read in.
            ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => out.write_str(&json(value)?).map_err(Error::from),
            _ => minijinja::escape_formatter(out, state, value),
        });
        // It prints the state of the engine, other cells included.
        environment.remove_global("debug");
        let day = today.to_string();
        environment.add_function("today", move || day.clone());
        environment.add_filter("before", |value: &Value, separator: &Value| {
            Ok::<_, Error>(text::before(&text_of(value)?, &argument_of(separator)?).to_owned())
        });
        environment.add_filter("after", |value: &Value, separator: &Value| {
            Ok::<_, Error>(text::after(&text_of(value)?, &argument_of(separator)?).to_owned())
        });
        environment.add_filter("ascii", |value: &Value| Ok::<_, Error>(text::ascii(&text_of(value)?).into_owned()));
        environment.add_filter("slug", |value: &Value| Ok::<_, Error>(text::slug(&text_of(value)?)));
        environment.add_filter("digits", |value: &Value| Ok::<_, Error>(text::digits(&text_of(value)?).into_owned()));
        environment.add_filter("date", |value: &Value, format: &Value| {
            date::format(&text_of(value)?, &argument_of(format)?).map_err(refused)
        });
        let tables = Arc::clone(&lookups);
        environment.add_filter("lookup", move |value: &Value, table: &Value, column: &Value| {
            let (table, column) = (argument_of(table)?, argument_of(column)?);
            tables.find(&text_of(value)?, &table, &column).map(str::to_owned).map_err(refused)
        });
        Self { environment, lookups, today }
    }

    /// Compiles a template over the columns. Every name in it is checked now, also in branches that no row may reach.
    pub(super) fn compile(
        &mut self,
        source: &str,
        columns: &Columns,
        span: &Range<usize>,
    ) -> Result<Text, Vec<MapError>> {
        let name = self.environment.templates().count().to_string();
        if let Err(error) = self.environment.add_template_owned(name.clone(), source.to_owned()) {
            return Err(vec![syntax(&error, columns, span)]);
        }
        let pieces = scan::pieces(source);
        let facts = scan::facts(&pieces);
        let mut errors = self.check_names(&name, &facts, columns, span);
        errors.extend(self.check_calls(&facts, span));
        if !errors.is_empty() {
            return Err(errors);
        }
        let template = Template::new(name, &facts, columns);
        let used = template.uses.columns.iter().map(|used| used.column).collect();
        let pieces: &[Piece<'_>] = &pieces;
        if let Some(native) = Native::compile(pieces, &facts, columns, &self.lookups) {
            return Ok(Text { how: How::Native(native), columns: used });
        }
        if let Err(error) = self.render(&template, &Record::default())
            && matches!(
                error.kind(),
                ErrorKind::MissingArgument
                    | ErrorKind::TooManyArguments
                    | ErrorKind::UnknownFunction
                    | ErrorKind::UnknownMethod
                    | ErrorKind::UnknownFilter
                    | ErrorKind::UnknownTest
                    | ErrorKind::OutOfFuel
            )
        {
            return Err(vec![MapError::new(span, format!("the template cannot work: {}", explain(&error)))]);
        }
        Ok(Text { how: How::Engine(template), columns: used })
    }

    /// What is wrong with an expression (`source.include`) as such, so that the message is about it and not about the
    /// template that it is put into.
    pub(super) fn check_expression(&self, source: &str, columns: &Columns, span: &Range<usize>) -> Option<MapError> {
        let error = self.environment.compile_expression(source).err()?;
        Some(syntax(&error, columns, span))
    }

    /// Appends the text that the row gives.
    ///
    /// # Errors
    /// Why the template fails for this row.
    pub(super) fn text(&self, how: &How, row: &Record, out: &mut String) -> Result<(), String> {
        match how {
            How::Column(column) => out.push_str(row.cell(*column).trim()),
            How::Native(native) => native.run(row, &self.lookups, out)?,
            How::Engine(template) => {
                let text = self.render(template, row).map_err(|error| explain(&error))?;
                out.push_str(&text);
            }
        }
        Ok(())
    }

    fn render(&self, template: &Template, row: &Record) -> Result<String, Error> {
        let cells = template.uses.columns.iter().map(|used| Value::from(row.cell(used.column).trim())).collect();
        let context = Value::from_object(Variables { uses: Arc::clone(&template.uses), cells });
        self.environment.get_template(&template.name)?.render(context)
    }
}

impl Template {
    /// The template that the engine has under this name.
    pub(super) fn new(name: String, facts: &Facts<'_>, columns: &Columns) -> Self {
        Self { name, uses: Arc::new(Uses::new(facts, columns)) }
    }
}

impl Uses {
    fn new(facts: &Facts<'_>, columns: &Columns) -> Self {
        let columns = columns.names().iter().zip(0..).filter_map(|(name, column)| {
            let named = facts.names.contains(&name.as_str());
            if !named && !facts.whole_row && !facts.row_columns.contains(&name.as_str()) {
                return None;
            }
            // A column that has the name of a function does not hide the function where that is called.
            let function = FUNCTIONS.contains(&name.as_str()) && facts.functions.contains(&name.as_str());
            Some(Used { name: name.clone(), column, variable: named && !function })
        });
        Self { columns: columns.collect() }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|used| used.name == name)
    }
}

/// The variables of a template: its columns by name, and `row`.
struct Variables {
    uses: Arc<Uses>,
    cells: Arc<[Value]>,
}

/// The columns of a template by any name.
struct Row {
    uses: Arc<Uses>,
    cells: Arc<[Value]>,
}

/// Cells may be secret, so neither prints them.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variables").finish_non_exhaustive()
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").finish_non_exhaustive()
    }
}

impl Object for Variables {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if key == "row" {
            let row = Row { uses: Arc::clone(&self.uses), cells: Arc::clone(&self.cells) };
            return Some(Value::from_object(row));
        }
        let at = self.uses.position(key)?;
        if self.uses.columns[at].variable { self.cells.get(at).cloned() } else { None }
    }
}

impl Object for Row {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.cells.get(self.uses.position(key)?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.uses.columns.iter().map(|used| Value::from(used.name.as_str())).collect())
    }
}

fn syntax(error: &Error, columns: &Columns, span: &Range<usize>) -> MapError {
    let problem = MapError::new(span, format!("not a template: {}", explain(error)));
    // The usual reason is a column that is not an identifier.
    let odd = columns.names().iter().find(|name| !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    match odd {
        Some(name) => problem.help(format!("a column whose name is not an identifier is written row[\"{name}\"]")),
        None => problem,
    }
}

fn explain(error: &Error) -> String {
    match error.detail() {
        _ if error.kind() == ErrorKind::OutOfFuel => "it does more work than one row may take".to_owned(),
        Some(detail) => detail.to_owned(),
        None => error.kind().to_string(),
    }
}

fn refused(reason: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason)
}

/// A value as the text that a filter works on.
fn text_of(value: &Value) -> Result<Cow<'_, str>, Error> {
    match value.kind() {
        ValueKind::None => Ok(Cow::Borrowed("")),
        _ => argument_of(value),
    }
}

/// A value as the text that a filter is told.
fn argument_of(value: &Value) -> Result<Cow<'_, str>, Error> {
    if let Some(text) = value.as_str() {
        return Ok(Cow::Borrowed(text));
    }
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => json(value).map(Cow::Owned),
        _ => Ok(Cow::Owned(value.to_string())),
    }
}

/// A list or a map as JSON. The engine makes lists only as they are read, so that a short template may have one of any
/// length, and counts no work for what is read here.
fn json(value: &Value) -> Result<String, Error> {
    let mut out = Bounded(Vec::new());
    match serde_json::to_writer(&mut out, value) {
        Ok(()) => String::from_utf8(out.0).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string())),
        Err(error) if error.is_io() => Err(Error::from(ErrorKind::OutOfFuel)),
        Err(error) => Err(Error::new(ErrorKind::BadSerialization, error.to_string())),
    }
}

/// Takes no more than [`LONGEST_JSON`].
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST_JSON {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
