//! How settings are described and read. A setting is described once: one entry of a table reads its value, fills the field
//! of a struct, and is what the reference, the JSON Schema and the messages say of it.
//!
//! A [`SettingForm`] is what a value can be. A [`Presence`] is a form and what counts where the setting is left out. A
//! [`SettingsTable`], which `settings_table!` writes, has a name, a presence and a sentence for each setting. What is wrong
//! is noted in [`ConfigReading`] while reading goes on, so that one look at the file tells all.

mod form;
mod presence;
mod reading;
pub mod secret;
mod table;
mod texts;
mod toml_reader;
mod units;

use std::ops::RangeInclusive;

use toml::de::DeValue;

pub use form::{
    Choices, Either, ItemList, MappedForm, Number, SettingForm, Whole, mapped_form, true_or_false, whole_number,
};
pub use presence::{Presence, default_setting, needed_setting, one_of, optional_setting, to_sign_in};
pub use reading::{ConfigReading, Problem};
pub use secret::{SecretError, SecretSource, secret_place, secret_settings, secret_table};
pub(crate) use table::settings_table;
pub use table::{InTable, OrTrue, SettingsTable};
pub use texts::{ATTRIBUTE, COLUMN, CONDITION, FILE, Sees, ShapedText, TEXT, TextShape, plain_text};
pub use toml_reader::{TomlItem, TomlTable};
pub use units::{DURATION, LONGER_DURATION, PERCENT, read_percent};

/// A setting as the reference, the schema and the checks see it.
#[derive(Clone, Debug)]
pub struct Setting {
    pub name: &'static str,
    pub takes: ValueKind,
    pub otherwise: Otherwise,
    /// What it means, as Markdown.
    pub says: &'static str,
}

/// What counts where a setting is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// The same as this, in TOML.
    Default(&'static str),
    /// What no single value says; in words that follow "Without it, ".
    Without(&'static str),
    /// Nothing: it has to be there. Whoever forgot it is told this.
    Needed(&'static str),
    /// Nothing: exactly one of these settings, of which it is one, has to be there.
    OneOf(&'static [&'static str]),
    /// It is part of a way to sign in, so it has to be there with the others of that way, but for the sandbox. Whoever
    /// forgot it is told this.
    ToSignIn(&'static str),
}

impl Otherwise {
    #[must_use]
    pub fn is_needed(self) -> bool {
        matches!(self, Self::Needed(_))
    }
}

/// What a setting takes.
#[derive(Clone, Debug)]
pub enum ValueKind {
    /// `true` or `false`.
    Boolean,
    /// Nothing but `true`.
    True,
    Integer(RangeInclusive<i64>),
    /// A number, whole or not.
    Number {
        range: RangeInclusive<f64>,
        zero: Zero,
    },
    Text(TextShape),
    Choice(Vec<Word>),
    /// `least` items at least.
    List {
        of: Box<ValueKind>,
        least: usize,
        doubles: Doubles,
        said: &'static str,
    },
    Table {
        settings: Vec<Setting>,
        rule: TableRule,
        said: &'static str,
    },
    /// Any of several, which differ in their type of TOML.
    Any {
        of: Vec<ValueKind>,
        said: &'static str,
    },
    /// Where a secret is kept; usually in the environment variable of this name.
    Secret(&'static str),
    /// What stands for itself in `[map]`: text as it is, numbers, lists and objects of them.
    Literal,
}

impl ValueKind {
    /// Whether a value has the type of TOML that is taken.
    pub(crate) fn is_type_of(&self, value: &DeValue<'_>) -> bool {
        match self {
            Self::Boolean => value.is_bool(),
            Self::True => value.as_bool() == Some(true),
            Self::Integer(_) => matches!(value, DeValue::Integer(_)),
            Self::Number { .. } => matches!(value, DeValue::Integer(_) | DeValue::Float(_)),
            Self::Text(_) | Self::Choice(_) => value.is_str(),
            Self::List { .. } => value.is_array(),
            Self::Table { .. } | Self::Secret(_) => value.is_table(),
            Self::Any { of, .. } => of.iter().any(|takes| takes.is_type_of(value)),
            Self::Literal => true,
        }
    }
}

/// Whether 0 is taken too although the range begins above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zero {
    Allowed,
    /// No more than the range says.
    AsTheRange,
}

/// Whether a list may say the same twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubles {
    Allowed,
    Refused,
}

/// Which settings of a table have to be there, beside what each of them says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableRule {
    Free,
    NotEmpty,
    ExactlyOne,
}

/// A word that a setting can be, what it stands for, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct WordChoice<T> {
    pub name: &'static str,
    pub stands_for: T,
    /// As Markdown.
    pub says: &'static str,
}

/// A [`WordChoice`] without what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    pub name: &'static str,
    pub says: &'static str,
}

pub const fn named_choice<T: Copy>(name: &'static str, stands_for: T, says: &'static str) -> WordChoice<T> {
    WordChoice { name, stands_for, says }
}
