//! Walking the parsed TOML by hand: every value knows its setting's full name and its place, every table knows which
//! settings were asked for, and every problem is noted while reading goes on, so that one look at the file tells all.
//!
//! A function that returns `None` has said why.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Problem;
use super::reference::Choice;
use crate::mapping::spec::Located;
use crate::model::text::nearest;

/// What was found wrong so far, and which parts of the text must not be shown.
#[derive(Debug, Default)]
pub(super) struct Problems {
    pub list: Vec<Problem>,
    pub hidden: Vec<Range<usize>>,
}

impl Problems {
    pub fn say(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.list.push(Problem { message: message.into(), span: Some(span.clone()), help: help.into() });
    }

    /// Something that is not in the file at all.
    pub fn missing(&mut self, message: &str, help: &str) {
        self.list.push(Problem { message: message.into(), span: None, help: Some(help.into()) });
    }

    /// Keeps a value from being shown, and all that is in it.
    pub fn hide(&mut self, value: &DeValue<'_>, span: &Range<usize>) {
        match value {
            DeValue::Table(table) => table.values().for_each(|value| self.hide(value.get_ref(), &value.span())),
            DeValue::Array(list) => list.iter().for_each(|value| self.hide(value.get_ref(), &value.span())),
            _ => self.hidden.push(span.clone()),
        }
    }
}

/// The folder that relative paths start from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folder<'a>(pub &'a Path);

impl Folder<'_> {
    pub fn path(self, path: &str) -> PathBuf {
        let joined = self.0.join(path);
        // Takes out `.`; fails only on an empty path, which a join with an absolute folder is not.
        std::path::absolute(&joined).unwrap_or(joined)
    }
}

/// A table and what was asked of it.
pub(super) struct Table<'a> {
    /// The name in dots; empty for the file itself.
    pub name: String,
    pub span: Range<usize>,
    entries: &'a DeTable<'a>,
    asked: Vec<&'static str>,
}

/// A setting's value.
#[derive(Clone)]
pub(super) struct Item<'a> {
    /// The setting's name in dots.
    pub name: String,
    pub key: Range<usize>,
    pub span: Range<usize>,
    pub value: &'a DeValue<'a>,
}

impl<'a> Table<'a> {
    pub fn new(name: impl Into<String>, span: Range<usize>, entries: &'a DeTable<'a>) -> Self {
        Self { name: name.into(), span, entries, asked: Vec::new() }
    }

    /// The value of a setting that may be there.
    pub fn get(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.asked.push(key);
        self.entries.get_key_value(key).map(|(key, value)| self.item(key, value))
    }

    /// The value of a setting that must be there; `help` says what to add.
    pub fn need(&mut self, key: &'static str, help: &str, problems: &mut Problems) -> Option<Item<'a>> {
        let item = self.get(key);
        if item.is_none() {
            problems.say(&self.span, format!("`{}` is missing", self.setting(key)), help.to_owned());
        }
        item
    }

    /// All entries in the order of the file, for tables whose keys are the user's own.
    pub fn items(&self) -> Vec<Item<'a>> {
        let mut items: Vec<_> = self.entries.iter().map(|(key, value)| self.item(key, value)).collect();
        items.sort_by_key(|item| item.key.start);
        items
    }

    pub fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.entries.contains_key(*key))
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Says which settings nobody asked for.
    pub fn finish(self, problems: &mut Problems) {
        for item in self.items().iter().filter(|item| !self.asked.contains(&self.key_of(item))) {
            let key = self.key_of(item);
            let message = match self.name.as_str() {
                "" => format!("unknown setting `{key}`"),
                table => format!("unknown setting `{key}` in `{table}`"),
            };
            let help = match nearest(key, self.asked.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known here: {}", self.asked.join(", ")),
            };
            problems.say(&item.key, message, help);
        }
    }

    /// As [`Table::finish`], for a table that holds secrets: the value of a mistyped setting may be one.
    pub fn finish_hiding(self, problems: &mut Problems) {
        for item in self.items().iter().filter(|item| !self.asked.contains(&self.key_of(item))) {
            problems.hide(item.value, &item.span);
        }
        self.finish(problems);
    }

    fn key_of<'i>(&self, item: &'i Item<'_>) -> &'i str {
        if self.name.is_empty() { &item.name } else { &item.name[self.name.len() + 1..] }
    }

    fn setting(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn item(&self, key: &Spanned<std::borrow::Cow<'_, str>>, value: &'a Spanned<DeValue<'a>>) -> Item<'a> {
        Item { name: self.setting(key.get_ref()), key: key.span(), span: value.span(), value: value.get_ref() }
    }
}

impl<'a> Item<'a> {
    /// Says what the value should have been and what it is.
    pub fn wrong<T>(&self, expected: &str, problems: &mut Problems) -> Option<T> {
        problems.say(&self.span, format!("`{}` must be {expected}, not {}", self.name, found(self.value)), None);
        None
    }

    /// Says what is wrong with a value of the right type.
    pub fn refuse<T>(&self, what: &str, help: impl Into<Option<String>>, problems: &mut Problems) -> Option<T> {
        problems.say(&self.span, format!("`{}` {what}", self.name), help);
        None
    }

    /// A string that says something.
    pub fn string(&self, problems: &mut Problems) -> Option<&'a str> {
        match self.value {
            DeValue::String(text) if text.trim().is_empty() => self.refuse("is empty", None, problems),
            DeValue::String(text) => Some(text),
            _ => self.wrong("a string", problems),
        }
    }

    pub fn owned(&self, problems: &mut Problems) -> Option<String> {
        self.string(problems).map(str::to_owned)
    }

    pub fn located(&self, problems: &mut Problems) -> Option<Located<String>> {
        Some(Located { value: self.owned(problems)?, span: self.span.clone() })
    }

    pub fn path(&self, folder: Folder<'_>, problems: &mut Problems) -> Option<PathBuf> {
        Some(folder.path(self.string(problems)?))
    }

    pub fn boolean(&self, problems: &mut Problems) -> Option<bool> {
        self.value.as_bool().or_else(|| self.wrong("true or false", problems))
    }

    /// A whole number within the range, in whatever type can hold all of the range.
    pub fn integer<T: TryFrom<i64>>(&self, range: RangeInclusive<i64>, problems: &mut Problems) -> Option<T> {
        let DeValue::Integer(number) = self.value else {
            return self.wrong("a whole number", problems);
        };
        let number = i64::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| range.contains(n));
        number.and_then(|n| T::try_from(n).ok()).or_else(|| {
            let (low, high) = range.into_inner();
            let range = if high == i64::MAX { format!("at least {low}") } else { format!("{low} to {high}") };
            self.refuse(&format!("must be {range}"), None, problems)
        })
    }

    /// Any number.
    pub fn number(&self, problems: &mut Problems) -> Option<f64> {
        number(self.value).or_else(|| self.wrong("a number", problems))
    }

    /// One of the names, as what it stands for.
    pub fn choice<T: Copy>(&self, choices: &[Choice<T>], problems: &mut Problems) -> Option<T> {
        let names = choices.iter().map(|choice| format!("\"{}\"", choice.name)).collect::<Vec<_>>().join(", ");
        let expected = if choices.len() == 1 { names } else { format!("one of {names}") };
        let DeValue::String(text) = self.value else {
            return self.wrong(&expected, problems);
        };
        choices.iter().find(|choice| choice.name == text).map(|choice| choice.stands_for).or_else(|| {
            let near = nearest(text, choices.iter().map(|choice| choice.name));
            let help = near.map(|near| format!("did you mean \"{near}\"?"));
            self.refuse(&format!("must be {expected}, not \"{text}\""), help, problems)
        })
    }

    pub fn list(&self, expected: &str, problems: &mut Problems) -> Option<Vec<Item<'a>>> {
        let Some(list) = self.value.as_array() else {
            return self.wrong(expected, problems);
        };
        let item = |value: &'a Spanned<DeValue<'a>>| Item {
            name: self.name.clone(),
            key: self.key.clone(),
            span: value.span(),
            value: value.get_ref(),
        };
        Some(list.iter().map(item).collect())
    }

    /// A list of strings that say something; what is wrong with one does not hide the others.
    pub fn strings(&self, problems: &mut Problems) -> Option<Vec<Located<String>>> {
        let items = self.list("a list of strings", problems)?;
        Some(items.iter().filter_map(|item| item.located(problems)).collect())
    }

    pub fn table(&self, problems: &mut Problems) -> Option<Table<'a>> {
        match self.value {
            DeValue::Table(entries) => Some(Table::new(self.name.clone(), self.span.clone(), entries)),
            _ => self.wrong("a table", problems),
        }
    }
}

/// A number of either kind as a float.
pub(super) fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(number) => number.as_str().parse().ok(),
        // Numbers of settings stay far below 2^53, where a float is exact.
        #[allow(clippy::cast_precision_loss)]
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number as f64)
        }
        _ => None,
    }
}

/// The kind of a value, as a sentence wants it.
pub(super) fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
