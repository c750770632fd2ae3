//! The sections of the file, in the order in which a person writes them: what each is for, and the table of its settings.

mod map;
mod policy;
mod running;
mod safety;
mod source;
mod target;

use std::sync::LazyLock;

use crate::connectors::Descriptor;
use crate::mapping::spec::Located;
use crate::settings::{
    ATTRIBUTE, ConfigReading, Doubles, ItemList, Otherwise, Setting, SettingForm, SettingsTable, ShapedText, TomlItem,
    ValueKind, needed_setting, settings_table,
};

pub(super) use map::{EXPRESSION, FORM_WORDS, SOURCES, read_map};
pub(super) use policy::{ABSENT, read_policy};
pub use running::{Delivery, JournalSettings, Occasion, PasswordSettings, ReportSettings, WebhookSettings};
pub(super) use running::{JournalTable, PasswordTable, RateTable, ReportTable, read_network};
pub(super) use safety::SafetyTable;
pub use source::{Format, LookupSettings, ManifestSettings, SourceSettings, TrailerSettings};
pub(super) use source::{SourceTable, read_lookups};
pub(super) use target::read_target;

/// A table at the top of the file.
#[derive(Debug)]
pub(super) struct ConfigSection {
    pub name: &'static str,
    /// What it is for, as Markdown.
    pub says: &'static str,
    /// What to add where it has to be there and is not.
    pub missing: Option<&'static str>,
    pub keys: SectionKeys,
    /// What follows the example, as Markdown: what no single setting is the place for.
    pub more: &'static str,
    /// The section as it may stand in a file.
    pub example: &'static str,
}

/// What stands in a section.
#[derive(Debug)]
pub(super) enum SectionKeys {
    These(Vec<Setting>),
    /// Settings that every kind of target has, then those of each kind.
    OfKinds {
        common: Vec<Setting>,
        kinds: Vec<KindKeys>,
    },
    /// Tables of the user's own names, each with these settings.
    Named(Vec<Setting>),
    /// Attributes of the target, each mapped in one of several ways, of which one is a table with these settings.
    Attributes(Vec<Setting>),
}

/// What one kind of target has of its own.
#[derive(Debug)]
pub(super) struct KindKeys {
    pub kind: &'static Descriptor,
    pub settings: Vec<Setting>,
}

static SECTIONS: LazyLock<[ConfigSection; 12]> = LazyLock::new(|| {
    [
        source::source_section(),
        source::lookup_section(),
        target::target_section(),
        match_section(),
        map::map_section(),
        policy::policy_section(),
        safety::safety_section(),
        running::rate_section(),
        running::network_section(),
        running::journal_section(),
        running::password_section(),
        running::report_section(),
    ]
});

pub(super) fn all_sections() -> &'static [ConfigSection] {
    &*SECTIONS
}

impl ConfigSection {
    /// Its settings, each with the kind of target that has it; none for a section whose keys are the user's own.
    pub fn settings(&'static self) -> Vec<(Option<&'static KindKeys>, &'static Setting)> {
        match &self.keys {
            SectionKeys::These(settings) => settings.iter().map(|setting| (None, setting)).collect(),
            SectionKeys::OfKinds { common, kinds } => {
                let own = |kind: &'static KindKeys| kind.settings.iter().map(move |setting| (Some(kind), setting));
                common.iter().map(|setting| (None, setting)).chain(kinds.iter().flat_map(own)).collect()
            }
            SectionKeys::Named(_) | SectionKeys::Attributes(_) => Vec::new(),
        }
    }
}

/// The default of a setting of a section, for this kind of target, in TOML.
pub(super) fn default_of(section: &str, key: &str, kind: Option<&str>) -> Option<&'static str> {
    let section = all_sections().iter().find(|known| known.name == section)?;
    let is_it = |of: Option<&KindKeys>, setting: &Setting| {
        setting.name == key && of.is_none_or(|of| Some(of.kind.name) == kind)
    };
    let (_, setting) = section.settings().into_iter().find(|(of, setting)| is_it(*of, setting))?;
    match setting.otherwise {
        Otherwise::Default(toml) => Some(toml),
        _ => None,
    }
}

/// Whether a setting of a section is a secret, for some kind of target.
pub(super) fn is_secret(section: &str, key: &str) -> bool {
    let settings = all_sections().iter().filter(|known| known.name == section).flat_map(ConfigSection::settings);
    settings.into_iter().any(|(_, setting)| setting.name == key && matches!(setting.takes, ValueKind::Secret(_)))
}

const MATCH_HELP: &str = "add rules = [[\"login_id\"], [\"email_id\"]] below [match]";

settings_table! {
    MatchTable makes Vec<Vec<Located<String>>> {
        rules = needed_setting(RULES, MATCH_HELP),
            "Each rule is a list of attributes that must all agree. The rules are tried in order, and the first rule \
             that finds exactly one account wins. If several accounts fit and no rule tells them apart, the row is \
             in conflict and nothing is done for it. The attributes must be mapped, and the API must show them. If \
             `source.identity` is set, the account that was found for the person in an earlier run comes before the \
             rules.";
    } => rules
}

const RULES: ItemList<MatchRuleForm> = ItemList {
    of: MatchRuleForm,
    said: "a list of rules such as [[\"login_id\"], [\"email_id\"]]",
    doubles: Doubles::Allowed,
    empty: Some(("is empty: nobody could be found", Some(MATCH_HELP))),
};

/// The attributes that together name an account.
struct MatchRuleForm;

const RULE_ATTRIBUTES: ItemList<ShapedText<Located<String>>> = ItemList {
    of: ATTRIBUTE,
    said: "a list of the names of attributes",
    doubles: Doubles::Allowed,
    empty: Some(("has a rule without attributes", None)),
};

impl SettingForm for MatchRuleForm {
    type Output = Vec<Located<String>>;

    fn takes(&self) -> ValueKind {
        RULE_ATTRIBUTES.takes()
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<Vec<Located<String>>> {
        if let Some(name) = item.value.as_str() {
            let help = format!("write [\"{name}\"]: attributes that must agree together stand in one list");
            return item.refuse("must have a list of attributes for each rule, not a string", help, reading);
        }
        RULE_ATTRIBUTES.read(item, reading)
    }
}

fn match_section() -> ConfigSection {
    ConfigSection {
        name: "match",
        says: "How a row finds its account.",
        missing: Some("add [match] with rules = [[\"login_id\"], [\"email_id\"]]"),
        keys: SectionKeys::These(MatchTable.settings()),
        more: "",
        example: "[match]\nrules = [[\"login_id\"], [\"email_id\"]]   # by login; if that finds nobody, by address\n",
    }
}
