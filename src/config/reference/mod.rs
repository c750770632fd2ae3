//! Everything that `config.toml` can say, as data: each setting with what it takes, what counts where it is left out, and
//! what it means. From it come `docs/configuration.md`, for people, and the JSON Schema, for editors.
//!
//! The law kept here: nothing is described that is not so. The words, ranges and shapes that a setting takes stand here
//! and nowhere else, and the readers use them; that the readers ask for exactly these settings, that their defaults are
//! these, and that the schema refuses nothing that they take, is what the tests beside this file hold.

mod form;
mod json;
mod markdown;
mod schema;
mod settings;
mod templates;

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

pub(super) use form::*;
pub use markdown::markdown;
pub use schema::json_schema;
pub(super) use settings::*;

/// A table at the top of the file.
#[derive(Debug)]
pub(super) struct Section {
    pub name: &'static str,
    /// What it is for, as Markdown.
    pub says: &'static str,
    pub presence: Presence,
    pub keys: Keys,
    /// What follows the example, as Markdown: what no single setting is the place for.
    pub more: &'static str,
    /// The section as it may stand in a file.
    pub example: &'static str,
}

/// Whether a section has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Needed,
    Optional,
}

/// What stands in a section.
#[derive(Debug)]
pub(super) enum Keys {
    These(&'static [Setting]),
    /// Settings that every kind has, then those of each kind.
    OfKinds {
        common: &'static [Setting],
        kinds: &'static [Kind],
    },
    /// Tables of the user's own names, each with these settings.
    Named(&'static [Setting]),
    /// Attributes of the target, each mapped in one of several ways, of which one is a table with these settings.
    Attributes(&'static [Setting]),
}

/// What one kind of target has of its own.
#[derive(Debug)]
pub(super) struct Kind {
    /// As `target.kind` names it.
    pub name: &'static str,
    /// The system, as people call it.
    pub system: &'static str,
    pub settings: &'static [Setting],
    /// The ways to sign in: the settings of exactly one of them are needed, but for the sandbox.
    pub ways: &'static [&'static [&'static str]],
    /// Whether `policy.absent` may be `"delete"`.
    pub deletes: bool,
    pub example: &'static str,
}

/// One setting.
#[derive(Debug)]
pub(super) struct Setting {
    pub name: &'static str,
    pub takes: Takes,
    pub otherwise: Otherwise,
    /// What it means, as Markdown.
    pub says: &'static str,
}

/// What counts where a setting is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// The same as this, in TOML.
    Default(&'static str),
    /// What no single value says; in words that follow "Without it, ".
    Without(&'static str),
    /// Nothing: it has to be there.
    Needed,
    /// Nothing: exactly one of these settings, of which it is one, has to be there.
    OneOf(&'static [&'static str]),
    /// It is part of a way to sign in, so it has to be there with the others of that way, but for the sandbox.
    ToSignIn,
}

/// What a setting takes.
#[derive(Debug)]
pub(super) enum Takes {
    /// `true` or `false`.
    Boolean,
    /// Nothing but `true`.
    True,
    Integer(RangeInclusive<i64>),
    /// A number, whole or not; with `zero`, 0 too although the range begins above it.
    Number {
        range: RangeInclusive<f64>,
        zero: Zero,
    },
    Text(&'static Form),
    Choice(&'static [Word]),
    /// `least` items at least.
    List {
        of: &'static Takes,
        least: usize,
        doubles: Doubles,
        said: &'static str,
    },
    Table {
        settings: &'static [Setting],
        rule: Rule,
        said: &'static str,
    },
    /// Any of several, which differ in their type of TOML.
    Any {
        of: &'static [Takes],
        said: &'static str,
    },
    /// Where a secret is kept; usually in the environment variable of this name.
    Secret(&'static str),
    /// What stands for itself in `[map]`: text as it is, numbers, lists and objects of them.
    Literal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zero {
    Allowed,
    /// No more than the range says.
    AsTheRange,
}

/// Whether a list may say the same twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubles {
    Allowed,
    Refused,
}

/// Which settings of a table have to be there, beside what each of them says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Free,
    NotEmpty,
    ExactlyOne,
}

/// A word that a setting can be, what it stands for, and what it means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<T> {
    pub name: &'static str,
    pub stands_for: T,
    /// As Markdown.
    pub says: &'static str,
}

/// A [`Choice`] without what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub name: &'static str,
    pub says: &'static str,
}

pub(super) const fn choice<T>(name: &'static str, stands_for: T, says: &'static str) -> Choice<T> {
    Choice { name, stands_for, says }
}

/// The words of choices.
pub(super) const fn words<T: Copy, const N: usize>(choices: &[Choice<T>; N]) -> [Word; N] {
    let mut words = [Word { name: "", says: "" }; N];
    let mut at = 0;
    while at < N {
        words[at] = Word { name: choices[at].name, says: choices[at].says };
        at += 1;
    }
    words
}

impl Section {
    /// Its settings, each with the kind of target that has it; none for a section whose keys are the user's own.
    pub fn settings(&self) -> Vec<(Option<&'static Kind>, &'static Setting)> {
        match self.keys {
            Keys::These(settings) => settings.iter().map(|setting| (None, setting)).collect(),
            Keys::OfKinds { common, kinds } => {
                let own = |kind: &'static Kind| kind.settings.iter().map(move |setting| (Some(kind), setting));
                common.iter().map(|setting| (None, setting)).chain(kinds.iter().flat_map(own)).collect()
            }
            Keys::Named(_) | Keys::Attributes(_) => Vec::new(),
        }
    }
}

/// The default of a setting of a section, for this kind of target, in TOML.
pub(super) fn default_of(section: &str, key: &str, kind: Option<&str>) -> Option<&'static str> {
    let section = SECTIONS.iter().find(|known| known.name == section)?;
    let is_it = |of: Option<&Kind>, setting: &Setting| setting.name == key && of.is_none_or(|of| Some(of.name) == kind);
    let (_, setting) = section.settings().into_iter().find(|(of, setting)| is_it(*of, setting))?;
    match setting.otherwise {
        Otherwise::Default(toml) => Some(toml),
        _ => None,
    }
}

/// A value of this file, as it is after parsing; none would be a slip in it, and a test finds that.
fn toml_value(text: &str) -> Option<toml::Value> {
    toml::from_str::<toml::Table>(&format!("value = {text}")).ok()?.remove("value")
}
