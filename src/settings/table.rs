//! Tables of settings, the forms of a value that is such a table, and the macro that writes them.

use toml::de::DeTable;

use super::toml_reader::{has_secret, names_of};
use super::{ConfigReading, Setting, SettingForm, TableRule, TomlItem, TomlTable, ValueKind};

/// The settings of one table, and the value that they make.
pub trait SettingsTable {
    type Output;

    /// Its settings, in the order in which they are described.
    fn settings(&self) -> Vec<Setting>;

    /// Reads each setting; what else stands in the table is not looked at. `None` has said why.
    fn fill(&self, table: &TomlTable<'_>, reading: &mut ConfigReading) -> Option<Self::Output>;

    /// Reads the table, and refuses settings that it does not have. Where one of its settings is a secret, the value of
    /// one that is unknown is not shown.
    fn read(&self, table: &TomlTable<'_>, reading: &mut ConfigReading) -> Option<Self::Output> {
        let settings = self.settings();
        let value = self.fill(table, reading);
        if has_secret(&settings) {
            table.hide_unknown(&names_of(&settings), reading);
        }
        table.refuse_unknown(&names_of(&settings), reading);
        value
    }

    /// What counts where the table is empty; none where something is needed.
    fn defaults(&self) -> Option<Self::Output> {
        self.fill(&TomlTable::new("", 0..0, &DeTable::new()), &mut ConfigReading::default())
    }
}

/// A table with settings of its own.
pub struct InTable<S> {
    pub of: S,
    pub rule: TableRule,
    pub said: &'static str,
}

impl<S: SettingsTable> SettingForm for InTable<S> {
    type Output = S::Output;

    fn takes(&self) -> ValueKind {
        ValueKind::Table { settings: self.of.settings(), rule: self.rule, said: self.said }
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<S::Output> {
        if !item.value.is_table() {
            if has_secret(&self.of.settings()) {
                reading.hide_value(item.value, &item.span);
            }
            return item.refuse_type(self.said, reading);
        }
        let table = item.read_table(reading)?;
        if self.rule == TableRule::NotEmpty && table.is_empty() {
            let names: Vec<_> = self.of.settings().iter().map(|setting| format!("`{}`", setting.name)).collect();
            return item.refuse(&format!("names neither {}", names.join(" nor ")), None, reading);
        }
        self.of.read(&table, reading)
    }
}

/// Nothing but `true`, which stands for the defaults of a table.
pub struct OrTrue<S>(pub S);

impl<S: SettingsTable> SettingForm for OrTrue<S> {
    type Output = S::Output;

    fn takes(&self) -> ValueKind {
        ValueKind::True
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<S::Output> {
        if item.value.as_bool() == Some(true) { self.0.defaults() } else { item.refuse_type("true", reading) }
    }
}

/// Writes a [`SettingsTable`]: a line for each setting with its name, its [`Presence`](super::Presence), and what it
/// means.
///
/// - `struct VALUE read by TABLE { name: type = presence, says; }` declares the struct as well.
/// - `TABLE fills VALUE { name = presence, says; }` fills a struct whose fields have the names of the settings.
/// - `TABLE makes TYPE { name = presence, says; } => value` makes something else of them.
macro_rules! settings_table {
    ($(#[$about:meta])* struct $value:ident read by $table:ident {
        $($name:ident: $type:ty = $presence:expr, $says:expr;)*
    }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $value { $(#[doc = $says] pub $name: $type,)* }
        $crate::settings::settings_table! { $table fills $value { $($name = $presence, $says;)* } }
    };
    ($table:ident fills $value:ident { $($name:ident = $presence:expr, $says:expr;)* }) => {
        $crate::settings::settings_table! {
            $table makes $value { $($name = $presence, $says;)* } => $value { $($name),* }
        }
    };
    ($table:ident makes $value:ty { $($name:ident = $presence:expr, $says:expr;)* } => $made:expr) => {
        pub(crate) struct $table;

        impl $crate::settings::SettingsTable for $table {
            type Output = $value;

            fn settings(&self) -> Vec<$crate::settings::Setting> {
                vec![$($crate::settings::Presence::describe(&$presence, stringify!($name), $says)),*]
            }

            fn fill(
                &self,
                table: &$crate::settings::TomlTable<'_>,
                reading: &mut $crate::settings::ConfigReading,
            ) -> Option<Self::Output> {
                // All are read before the first that is wrong ends it, so that everything wrong is said.
                $(let $name = $crate::settings::Presence::read(&$presence, stringify!($name), table, reading);)*
                $(let $name = $name?;)*
                Some($made)
            }
        }
    };
}
pub(crate) use settings_table;
