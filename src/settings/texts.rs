//! Forms of text: how a message and the reference name each, and what an editor can see of it. Those that only one table
//! has stand beside it.
//!
//! A pattern is never stricter than the reader. Where the reader knows more, the shape says so, because an editor that stays
//! silent then has not said that all is well.

use std::path::PathBuf;

use super::{ConfigReading, SettingForm, TomlItem, ValueKind};
use crate::model::Located;

/// A text of some shape, and how it becomes a value.
#[derive(Clone, Copy, Debug)]
pub struct ShapedText<T> {
    pub shape: TextShape,
    pub read: fn(&TomlItem<'_>, &mut ConfigReading) -> Option<T>,
}

/// What a text looks like.
#[derive(Clone, Copy, Debug)]
pub struct TextShape {
    /// As a message says what was expected.
    pub said: &'static str,
    /// A regular expression of JSON Schema that matches every text that is taken.
    pub pattern: &'static str,
    /// How much of what is wrong with a text its pattern can see.
    pub sees: Sees,
    /// Texts that are taken, the first of them a good example.
    pub taken: &'static [&'static str],
    /// Texts that are refused.
    pub refused: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sees {
    All,
    /// Not, say, whether a key is one.
    NotAll,
}

impl<T> SettingForm for ShapedText<T> {
    type Output = T;

    fn takes(&self) -> ValueKind {
        ValueKind::Text(self.shape)
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<T> {
        (self.read)(item, reading)
    }
}

/// A text that says anything at all.
pub const fn plain_text<T>(
    said: &'static str,
    taken: &'static [&'static str],
    read: fn(&TomlItem<'_>, &mut ConfigReading) -> Option<T>,
) -> ShapedText<T> {
    ShapedText { shape: TextShape { said, pattern: r"\S", sees: Sees::All, taken, refused: &["", "  "] }, read }
}

pub const TEXT: ShapedText<String> = plain_text("a string", &["acme", " a b "], |item, r| item.read_string(r));

pub const FILE: ShapedText<PathBuf> = plain_text("a path", &["teams.csv", "/srv/a b.csv"], |item, r| item.read_path(r));

pub const COLUMN: ShapedText<Located<String>> =
    plain_text("the name of a column", &["employee_id", "Job Title"], |item, r| item.read_located(r));

pub const CONDITION: ShapedText<Located<String>> = plain_text(
    "an expression over the row's columns",
    &["status != 'Applicant'", "row['Job Title'] and active == 'yes'"],
    |item, r| item.read_located(r),
);

pub const ATTRIBUTE: ShapedText<Located<String>> =
    plain_text("the name of an attribute", &["login_id", "name.givenName"], |item, r| item.read_located(r));
