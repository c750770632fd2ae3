//! A form, and what counts where a setting of that form is left out.

use toml::de::DeTable;

use super::{ConfigReading, Otherwise, Setting, SettingForm, TomlItem, TomlTable};

/// How a setting stands in its table.
pub trait Presence {
    type Output;

    fn describe(&self, name: &'static str, says: &'static str) -> Setting;

    /// The setting's value in this table; `None` has said why.
    fn read(&self, name: &'static str, table: &TomlTable<'_>, reading: &mut ConfigReading) -> Option<Self::Output>;
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
pub const fn needed_setting<F: SettingForm>(form: F, add: &'static str) -> Needed<F> {
    Needed { form, add }
}

/// A setting with a default, written in TOML.
pub const fn default_setting<F: SettingForm>(form: F, default: &'static str) -> Defaulted<F> {
    Defaulted { form, default }
}

/// A setting that may be left out; `without` says what then counts.
pub const fn optional_setting<F: SettingForm>(form: F, without: &'static str) -> Optional<F> {
    Optional { form, otherwise: Otherwise::Without(without) }
}

/// One of several settings, of which exactly one has to be there.
pub const fn one_of<F: SettingForm>(form: F, names: &'static [&'static str]) -> Optional<F> {
    Optional { form, otherwise: Otherwise::OneOf(names) }
}

/// A part of a way to sign in; whoever forgot it is told what to `add`.
pub const fn to_sign_in<F: SettingForm>(form: F, add: &'static str) -> Optional<F> {
    Optional { form, otherwise: Otherwise::ToSignIn(add) }
}

impl<F: SettingForm> Presence for Needed<F> {
    type Output = F::Output;

    fn describe(&self, name: &'static str, says: &'static str) -> Setting {
        Setting { name, takes: self.form.takes(), otherwise: Otherwise::Needed(self.add), says }
    }

    fn read(&self, name: &'static str, table: &TomlTable<'_>, reading: &mut ConfigReading) -> Option<F::Output> {
        if let Some(item) = table.find_item(name) {
            return self.form.read(&item, reading);
        }
        table.refuse_absence(name, self.add, reading);
        None
    }
}

impl<F: SettingForm> Presence for Defaulted<F> {
    type Output = F::Output;

    fn describe(&self, name: &'static str, says: &'static str) -> Setting {
        Setting { name, takes: self.form.takes(), otherwise: Otherwise::Default(self.default), says }
    }

    /// A default that cannot be read would be a slip in its table, and every configuration would show it.
    fn read(&self, name: &'static str, table: &TomlTable<'_>, reading: &mut ConfigReading) -> Option<F::Output> {
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

impl<F: SettingForm> Presence for Optional<F> {
    type Output = Option<F::Output>;

    fn describe(&self, name: &'static str, says: &'static str) -> Setting {
        Setting { name, takes: self.form.takes(), otherwise: self.otherwise, says }
    }

    fn read(
        &self,
        name: &'static str,
        table: &TomlTable<'_>,
        reading: &mut ConfigReading,
    ) -> Option<Option<F::Output>> {
        match table.find_item(name) {
            Some(item) => self.form.read(&item, reading).map(Some),
            None => Some(None),
        }
    }
}
