//! Walking the parsed TOML by hand: every value knows its setting's full name and its place.
//!
//! A function that returns `None` has said why.

use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigReading, Setting, ValueKind, WordChoice};
use crate::model::Located;
use crate::model::text::nearest;

/// A table.
pub struct TomlTable<'a> {
    /// The name in dots; empty for the file itself.
    pub name: String,
    pub span: Range<usize>,
    entries: &'a DeTable<'a>,
}

/// A setting's value.
#[derive(Clone)]
pub struct TomlItem<'a> {
    /// The setting's name in dots.
    pub name: String,
    pub key: Range<usize>,
    pub span: Range<usize>,
    pub value: &'a DeValue<'a>,
}

impl<'a> TomlTable<'a> {
    pub fn new(name: impl Into<String>, span: Range<usize>, entries: &'a DeTable<'a>) -> Self {
        Self { name: name.into(), span, entries }
    }

    /// The value of a setting that may be there.
    #[must_use]
    pub fn find_item(&self, key: &str) -> Option<TomlItem<'a>> {
        self.entries.get_key_value(key).map(|(key, value)| self.item_of(key, value))
    }

    /// All entries in the order of the file, for tables whose keys are the user's own.
    #[must_use]
    pub fn all_items(&self) -> Vec<TomlItem<'a>> {
        let mut items: Vec<_> = self.entries.iter().map(|(key, value)| self.item_of(key, value)).collect();
        items.sort_by_key(|item| item.key.start);
        items
    }

    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Says which settings are not among the known ones.
    pub fn refuse_unknown(&self, known: &[&str], reading: &mut ConfigReading) {
        for item in self.all_items() {
            let key = self.key_of(&item);
            if known.contains(&key) {
                continue;
            }
            let message = match self.name.as_str() {
                "" => format!("unknown setting `{key}`"),
                table => format!("unknown setting `{key}` in `{table}`"),
            };
            let help = match nearest(key, known.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            reading.note_problem(&item.key, message, help);
        }
    }

    /// Hides the values of settings that are not among the known ones: in a table that holds secrets, the value of a
    /// mistyped setting may be one.
    pub fn hide_unknown(&self, known: &[&str], reading: &mut ConfigReading) {
        for item in self.all_items().iter().filter(|item| !known.contains(&self.key_of(item))) {
            reading.hide_value(item.value, &item.span);
        }
    }

    /// Says that a setting is missing, and what to add.
    pub fn refuse_absence(&self, key: &str, add: &str, reading: &mut ConfigReading) {
        reading.note_problem(&self.span, format!("`{}` is missing", self.full_name(key)), add.to_owned());
    }

    /// The key as it stands, which may itself have dots in it (`'emails[type eq "work"].value'`).
    #[must_use]
    pub fn key_of<'i>(&self, item: &'i TomlItem<'_>) -> &'i str {
        if self.name.is_empty() { &item.name } else { &item.name[self.name.len() + 1..] }
    }

    fn full_name(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn item_of(&self, key: &Spanned<std::borrow::Cow<'_, str>>, value: &'a Spanned<DeValue<'a>>) -> TomlItem<'a> {
        TomlItem { name: self.full_name(key.get_ref()), key: key.span(), span: value.span(), value: value.get_ref() }
    }
}

impl<'a> TomlItem<'a> {
    /// Says what the value should have been and what it is.
    pub fn refuse_type<T>(&self, expected: &str, reading: &mut ConfigReading) -> Option<T> {
        reading.note_problem(
            &self.span,
            format!("`{}` must be {expected}, not {}", self.name, type_of(self.value)),
            None,
        );
        None
    }

    /// Says what is wrong with a value of the right type.
    pub fn refuse<T>(&self, what: &str, help: impl Into<Option<String>>, reading: &mut ConfigReading) -> Option<T> {
        reading.note_problem(&self.span, format!("`{}` {what}", self.name), help);
        None
    }

    /// A string that says something.
    pub fn read_str(&self, reading: &mut ConfigReading) -> Option<&'a str> {
        match self.value {
            DeValue::String(text) if text.trim().is_empty() => self.refuse("is empty", None, reading),
            DeValue::String(text) => Some(text),
            _ => self.refuse_type("a string", reading),
        }
    }

    pub fn read_string(&self, reading: &mut ConfigReading) -> Option<String> {
        self.read_str(reading).map(str::to_owned)
    }

    pub fn read_located(&self, reading: &mut ConfigReading) -> Option<Located<String>> {
        Some(Located { value: self.read_string(reading)?, span: self.span.clone() })
    }

    pub fn read_path(&self, reading: &mut ConfigReading) -> Option<PathBuf> {
        self.read_str(reading).map(|path| reading.absolute_path(path))
    }

    pub fn read_boolean(&self, reading: &mut ConfigReading) -> Option<bool> {
        self.value.as_bool().or_else(|| self.refuse_type("true or false", reading))
    }

    /// A whole number within the range, in whatever type can hold all of the range.
    pub fn read_integer<T: TryFrom<i64>>(&self, range: &RangeInclusive<i64>, reading: &mut ConfigReading) -> Option<T> {
        let DeValue::Integer(number) = self.value else {
            return self.refuse_type("a whole number", reading);
        };
        let number = i64::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| range.contains(n));
        number.and_then(|n| T::try_from(n).ok()).or_else(|| {
            let (low, high) = (range.start(), range.end());
            let range = if *high == i64::MAX { format!("at least {low}") } else { format!("{low} to {high}") };
            self.refuse(&format!("must be {range}"), None, reading)
        })
    }

    /// Any number, as a float.
    pub fn read_number(&self, reading: &mut ConfigReading) -> Option<f64> {
        let number = match self.value {
            DeValue::Float(number) => number.as_str().parse().ok(),
            // Numbers of settings stay far below 2^53, where a float is exact.
            #[allow(clippy::cast_precision_loss)]
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number as f64)
            }
            _ => None,
        };
        number.or_else(|| self.refuse_type("a number", reading))
    }

    /// One of the names, as what it stands for.
    pub fn read_choice<T: Copy>(&self, choices: &[WordChoice<T>], reading: &mut ConfigReading) -> Option<T> {
        let names = choices.iter().map(|choice| format!("\"{}\"", choice.name)).collect::<Vec<_>>().join(", ");
        let expected = if choices.len() == 1 { names } else { format!("one of {names}") };
        let DeValue::String(text) = self.value else {
            return self.refuse_type(&expected, reading);
        };
        choices.iter().find(|choice| choice.name == text).map(|choice| choice.stands_for).or_else(|| {
            let near = nearest(text, choices.iter().map(|choice| choice.name));
            let help = near.map(|near| format!("did you mean \"{near}\"?"));
            self.refuse(&format!("must be {expected}, not \"{text}\""), help, reading)
        })
    }

    pub fn read_list(&self, expected: &str, reading: &mut ConfigReading) -> Option<Vec<TomlItem<'a>>> {
        let Some(list) = self.value.as_array() else {
            return self.refuse_type(expected, reading);
        };
        let item = |value: &'a Spanned<DeValue<'a>>| TomlItem {
            name: self.name.clone(),
            key: self.key.clone(),
            span: value.span(),
            value: value.get_ref(),
        };
        Some(list.iter().map(item).collect())
    }

    pub fn read_table(&self, reading: &mut ConfigReading) -> Option<TomlTable<'a>> {
        match self.value {
            DeValue::Table(entries) => Some(TomlTable::new(self.name.clone(), self.span.clone(), entries)),
            _ => self.refuse_type("a table", reading),
        }
    }
}

/// The names of settings.
pub(super) fn names_of(settings: &[Setting]) -> Vec<&'static str> {
    settings.iter().map(|setting| setting.name).collect()
}

/// Whether one of them is a secret.
pub(super) fn has_secret(settings: &[Setting]) -> bool {
    settings.iter().any(|setting| matches!(setting.takes, ValueKind::Secret(_)))
}

/// The kind of a value, as a sentence wants it.
pub(super) fn type_of(value: &DeValue<'_>) -> &'static str {
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
