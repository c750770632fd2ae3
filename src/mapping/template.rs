//! The template engine, set up so that nothing in a template reaches outside: the row's columns, text filters, the
//! lookup tables and the day of the run are all there is.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use hashbrown::HashMap;
use jiff::civil::Date;
use minijinja::value::{Enumerator, Object, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::lookup::Lookups;
use super::template_bounds::{KEEP, RECURSION};
use super::template_words::TemplateWords;
use super::{date, text};
use crate::model::{Columns, Record};

/// The work that one template may do for one row: an instruction costs 1, and so do 64 bytes of text. Any useful template
/// takes less than a thousandth of it; what takes more is a slip (a loop within a loop, a text times a number) that would
/// take all the time or all the memory there is.
const FUEL: u64 = 500_000;
/// Bytes of a list or a map that a template makes a text of; no attribute takes as many.
const LONGEST_JSON: usize = 128 << 10;

/// Levels of lists and maps in what a namespace keeps.
const KEPT_LEVELS: usize = 8;
/// Items of all lists and maps in it.
const KEPT_ITEMS: usize = 10_000;

/// The functions a template can call.
pub(super) const FUNCTIONS: [&str; 4] = ["today", "range", "dict", "namespace"];

/// The engine with every template of a mapping in it.
pub(super) struct TemplateEngine {
    pub(super) environment: Environment<'static>,
    pub(super) lookups: Arc<Lookups>,
    pub(super) today: Date,
}

/// A template that the engine renders.
#[derive(Debug)]
pub(super) struct RowTemplate {
    name: String,
    visible: Arc<VisibleColumns>,
}

/// The columns that a template sees, in the order of the row.
#[derive(Debug)]
struct VisibleColumns {
    columns: Vec<VisibleColumn>,
    by_name: HashMap<String, usize>,
}

#[derive(Debug)]
struct VisibleColumn {
    column: usize,
    /// Whether it is a variable too, and not only a key of `row`.
    is_variable: bool,
}

impl TemplateEngine {
    pub(super) fn new(lookups: Lookups, today: Date) -> Self {
        let lookups = Arc::new(lookups);
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_debug(false);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(RECURSION);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_formatter(|out, state, value| match value.kind() {
            // `none`, and an `if` without an `else`, are an empty cell, not the word.
            ValueKind::None | ValueKind::Undefined => Ok(()),
            // In the form of JSON, which texts and `parse` both read.
            ValueKind::Bool => out.write_str(if value.is_true() { "true" } else { "false" }).map_err(Error::from),
            // Lists and maps are written in the form that cells are read in.
            ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => {
                out.write_str(&json_of(value)?).map_err(Error::from)
            }
            _ => minijinja::escape_formatter(out, state, value),
        });
        // It prints the state of the engine, other cells included.
        environment.remove_global("debug");
        let day = today.to_string();
        environment.add_function("today", move || day.clone());
        environment.add_filter("before", |value: &Value, separator: &Value| {
            Ok::<_, Error>(text::text_before(&text_of(value)?, &argument_of(separator)?).to_owned())
        });
        environment.add_filter("after", |value: &Value, separator: &Value| {
            Ok::<_, Error>(text::text_after(&text_of(value)?, &argument_of(separator)?).to_owned())
        });
        environment.add_filter("ascii", |value: &Value| Ok::<_, Error>(text::to_ascii(&text_of(value)?).into_owned()));
        environment.add_filter("slug", |value: &Value| Ok::<_, Error>(text::to_slug(&text_of(value)?)));
        environment
            .add_filter("digits", |value: &Value| Ok::<_, Error>(text::only_digits(&text_of(value)?).into_owned()));
        environment.add_filter("date", |value: &Value, format: &Value| {
            date::format_date(&text_of(value)?, &argument_of(format)?).map_err(refuse_value)
        });
        environment.add_filter(KEEP, |value: &Value| plain_copy(value, KEPT_LEVELS, &mut 0));
        let tables = Arc::clone(&lookups);
        environment.add_filter("lookup", move |value: &Value, table: &Value, column: &Value| {
            let (table, column) = (argument_of(table)?, argument_of(column)?);
            tables.find(&text_of(value)?, &table, &column).map(str::to_owned).map_err(refuse_value)
        });
        Self { environment, lookups, today }
    }

    /// Adds a template that was checked. What is named in it decides what it sees of a row.
    ///
    /// # Errors
    /// As the engine has, where it is no template.
    pub(super) fn add_template(
        &mut self,
        source: String,
        words: &TemplateWords,
        columns: &Columns,
    ) -> Result<RowTemplate, Error> {
        let name = self.environment.templates().count().to_string();
        self.environment.add_template_owned(name.clone(), source)?;
        Ok(RowTemplate { name, visible: Arc::new(VisibleColumns::new(words, columns)) })
    }

    /// The names in a template that no statement in it makes.
    pub(super) fn undeclared_names(&self, template: &RowTemplate) -> HashSet<String> {
        match self.environment.get_template(&template.name) {
            Ok(template) => template.undeclared_variables(false),
            Err(_) => HashSet::new(),
        }
    }

    /// The text that a template makes of a row.
    ///
    /// # Errors
    /// As the engine has, where the template fails for this row.
    pub(super) fn render_row(&self, template: &RowTemplate, row: &Record) -> Result<String, Error> {
        let columns = template.visible.columns.iter();
        let cells = columns.map(|visible| Value::from(row.cell(visible.column).trim())).collect();
        let context = Value::from_object(RowVariables { visible: Arc::clone(&template.visible), cells });
        self.environment.get_template(&template.name)?.render(context)
    }
}

impl RowTemplate {
    /// The columns that it sees, in the order of the row.
    pub(super) fn visible_columns(&self) -> Vec<usize> {
        self.visible.columns.iter().map(|visible| visible.column).collect()
    }
}

impl VisibleColumns {
    fn new(words: &TemplateWords, columns: &Columns) -> Self {
        let mut seen: BTreeMap<usize, bool> = BTreeMap::new();
        if words.whole_row {
            seen.extend((0..columns.names().len()).map(|column| (column, false)));
        }
        let positions = |names: &[String]| names.iter().filter_map(|name| columns.position(name)).collect::<Vec<_>>();
        seen.extend(positions(&words.row_columns).into_iter().map(|column| (column, false)));
        for column in positions(&words.names) {
            // A column that has the name of a function does not hide the function where that is called.
            let name = &columns.names()[column];
            let is_called = FUNCTIONS.contains(&name.as_str()) && words.functions.contains(name);
            seen.insert(column, !is_called);
        }
        let by_name = seen.keys().zip(0..).map(|(column, at)| (columns.names()[*column].clone(), at)).collect();
        let columns = seen.into_iter().map(|(column, is_variable)| VisibleColumn { column, is_variable }).collect();
        Self { columns, by_name }
    }
}

/// The variables of a template: its columns by name, and `row`.
struct RowVariables {
    visible: Arc<VisibleColumns>,
    cells: Arc<[Value]>,
}

/// `row`: the columns of a template by any name.
struct RowObject {
    visible: Arc<VisibleColumns>,
    cells: Arc<[Value]>,
}

/// Cells may be secret, so neither prints them.
impl fmt::Debug for RowVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowVariables").finish_non_exhaustive()
    }
}

impl fmt::Debug for RowObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowObject").finish_non_exhaustive()
    }
}

impl Object for RowVariables {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if key == "row" {
            let row = RowObject { visible: Arc::clone(&self.visible), cells: Arc::clone(&self.cells) };
            return Some(Value::from_object(row));
        }
        let at = *self.visible.by_name.get(key)?;
        self.cells.get(at).filter(|_| self.visible.columns[at].is_variable).cloned()
    }
}

impl Object for RowObject {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.cells.get(*self.visible.by_name.get(key)?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let mut names: Vec<_> = self.visible.by_name.iter().map(|(name, at)| (*at, name)).collect();
        names.sort_unstable();
        Enumerator::Values(names.into_iter().map(|(_, name)| Value::from(name.as_str())).collect())
    }
}

/// What is wrong, in words, without the cells of the row.
pub(super) fn explain_error(error: &Error) -> String {
    match error.detail() {
        _ if error.kind() == ErrorKind::OutOfFuel => "it does more work than one row may take".to_owned(),
        Some(detail) => detail.to_owned(),
        None => error.kind().to_string(),
    }
}

fn refuse_value(reason: String) -> Error {
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
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => json_of(value).map(Cow::Owned),
        _ => Ok(Cow::Owned(value.to_string())),
    }
}

/// A list or a map with nothing lazy in it, and nothing that can be changed later.
fn plain_copy(value: &Value, levels: usize, items: &mut usize) -> Result<Value, Error> {
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::Iterable) {
        return Ok(value.clone());
    }
    if levels == 0 {
        return Err(refuse_value(format!("a namespace keeps at most {KEPT_LEVELS} nested lists or maps")));
    }
    let mut next = |item: Value| {
        *items += 1;
        if *items > KEPT_ITEMS { Err(Error::from(ErrorKind::OutOfFuel)) } else { plain_copy(&item, levels - 1, items) }
    };
    if value.kind() == ValueKind::Map {
        let pair = |key: Value| Ok((key.clone(), next(value.get_item(&key)?)?));
        return value.try_iter()?.map(pair).collect::<Result<BTreeMap<_, _>, Error>>().map(Value::from);
    }
    value.try_iter()?.map(next).collect::<Result<Vec<_>, _>>().map(Value::from)
}

/// A list or a map as JSON. The engine makes lists only as they are read, so that a short template may have one of any
/// length, and counts no work for what is read here.
fn json_of(value: &Value) -> Result<String, Error> {
    let mut out = BoundedJson(Vec::new());
    match serde_json::to_writer(&mut out, value) {
        Ok(()) => String::from_utf8(out.0).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string())),
        Err(error) if error.is_io() => Err(Error::from(ErrorKind::OutOfFuel)),
        Err(error) => Err(Error::new(ErrorKind::BadSerialization, error.to_string())),
    }
}

/// Takes no more than [`LONGEST_JSON`].
struct BoundedJson(Vec<u8>);

impl std::io::Write for BoundedJson {
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
