//! A form, and what counts where a setting of that form is left out.

use toml::de::DeTable;

use super::{Form, Otherwise, Reading, Setting, TomlItem, TomlTable};

/// How a setting stands in its table.
pub trait Presence {
    type Value;

    fn describe(&self, name: &'static str, says: &'static str) -> Setting;

    /// The setting's value in this table; `None` has said why.
    fn read(&self, name: &'static str, table: &TomlTable<'_>, reading: &mut Reading) -> Option<Self::Value>;
}

/// It has to be there.
pub struct Needed<F> {
    form: F,
    add: &'static str,
}

/// Without it a default counts.
pub struct Defaulted<F> {
    form: F,
    default: &'static str,
}

/// Without it there is none.
pub struct Optional<F> {
    form: F,
    otherwise: Otherwise,
}

/// A setting that has to be there; whoever forgot it is told what to `add`.
pub const fn needed<F: Form>(form: F, add: &'static str) -> Needed<F> {
    Needed { form, add }
}

/// A setting with a default, written in TOML.
pub const fn default<F: Form>(form: F, default: &'static str) -> Defaulted<F> {
    Defaulted { form, default }
}

/// A setting that may be left out; `without` says what then counts.
pub const fn optional<F: Form>(form: F, without: &'static str) -> Optional<F> {
    Optional { form, otherwise: Otherwise::Without(without) }
}

/// One of several settings, of which exactly one has to be there.
pub const fn one_of<F: Form>(form: F, names: &'static [&'static str]) -> Optional<F> {
    Optional { form, otherwise: Otherwise::OneOf(names) }
}

/// A part of a way to sign in; whoever forgot it is told what to `add`.
pub const fn to_sign_in<F: Form>(form: F, add: &'static str) -> Optional<F> {
    Optional { form, otherwise: Otherwise::ToSignIn(add) }
}

impl<F: Form> Presence for Needed<F> {
    type Value = F::Value;

    fn describe(&self, name: &'static str, says: &'static str) -> Setting {
        Setting { name, takes: self.form.takes(), otherwise: Otherwise::Needed(self.add), says }
    }

    fn read(&self, name: &'static str, table: &TomlTable<'_>, reading: &mut Reading) -> Option<F::Value> {
        if let Some(item) = table.find_item(name) {
            return self.form.read(&item, reading);
        }
        table.refuse_absence(name, self.add, reading);
        None
    }
}

impl<F: Form> Presence for Defaulted<F> {
    type Value = F::Value;

    fn describe(&self, name: &'static str, says: &'static str) -> Setting {
        Setting { name, takes: self.form.takes(), otherwise: Otherwise::Default(self.default), says }
    }

    /// A default that cannot be read would be a slip in its table, and every configuration would show it.
    fn read(&self, name: &'static str, table: &TomlTable<'_>, reading: &mut Reading) -> Option<F::Value> {
        if let Some(item) = table.find_item(name) {
            return self.form.read(&item, reading);
        }
        let text = format!("{name} = {}", self.default);
        let written = DeTable::parse(&text).ok()?;
        let value = written.get_ref().get(name)?;
        let item = TomlItem { name: name.to_owned(), key: 0..0, span: 0..0, value: value.get_ref() };
        self.form.read(&item, reading)
    }
}

impl<F: Form> Presence for Optional<F> {
    type Value = Option<F::Value>;

    fn describe(&self, name: &'static str, says: &'static str) -> Setting {
        Setting { name, takes: self.form.takes(), otherwise: self.otherwise, says }
    }

    fn read(&self, name: &'static str, table: &TomlTable<'_>, reading: &mut Reading) -> Option<Option<F::Value>> {
        match table.find_item(name) {
            Some(item) => self.form.read(&item, reading).map(Some),
            None => Some(None),
        }
    }
}
