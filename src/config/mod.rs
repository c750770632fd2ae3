//! `config.toml` becomes checked settings. Every error names the file, the line and the column, shows the line, and
//! says what would be right. Secrets are resolved late and never print.
//!
//! The file is walked by hand rather than deserialised, so that all that is wrong with it is said at once, each at its
//! place, and so that no text that is shown has a secret in it.

mod digest;
pub mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod redact;
pub mod reference;
mod sections;
pub mod settings;

#[cfg(test)]
mod tests;

use std::path::Path;

use toml::de::DeTable;

pub use error::{ConfigError, Problem};
pub use sections::{
    Delivery, Format, JournalSettings, LookupSettings, ManifestSettings, Occasion, PasswordSettings, ReportSettings,
    SourceSettings, TrailerSettings, WebhookSettings,
};
pub use settings::{SANDBOX, Settings, TargetSettings};

pub use crate::plan::policy::Duplicates;

use crate::mapping::spec::MapSpec;
use crate::settings::{ConfigReading, SettingsTable, TomlTable};
use sections::{
    JournalTable, MatchTable, PasswordTable, RateTable, ReportTable, SafetyTable, SectionKeys, SourceTable,
    all_sections, read_lookups, read_map, read_network, read_policy, read_target,
};

/// Reads a configuration file.
///
/// # Errors
/// A file that cannot be read or is not UTF-8, and everything that [`parse`] finds.
pub fn load(path: &Path) -> Result<Settings, ConfigError> {
    let bytes = std::fs::read(path).map_err(|error| {
        let help = "`--config FILE` names another";
        let problem = Problem { message: format!("cannot be read: {error}"), span: None, help: Some(help.to_owned()) };
        ConfigError::new(path, "", vec![problem])
    })?;
    match String::from_utf8(bytes) {
        // Editors on Windows put a mark before the text that is no part of it.
        Ok(text) => parse(text.strip_prefix('\u{feff}').unwrap_or(&text), path),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let text = redact::hide_everything(&String::from_utf8_lossy(error.as_bytes()));
            let problem = Problem {
                message: format!("is not UTF-8: byte {at}"),
                // Up to here the readable form is as long as the file, and the mark for what is not is three bytes.
                span: Some(at..at + char::REPLACEMENT_CHARACTER.len_utf8()),
                help: Some("save the file as UTF-8".to_owned()),
            };
            Err(ConfigError::new(path, &text, vec![problem]))
        }
    }
}

/// Reads a configuration from its text; the folder of `file` is where relative paths start.
///
/// # Errors
/// TOML that is none; settings that are unknown, missing, of a wrong type or out of range; a secret in clear: all that
/// can be found in one go.
pub fn parse(text: &str, file: &Path) -> Result<Settings, ConfigError> {
    let (root, broken) = DeTable::parse_recoverable(text);
    if !broken.is_empty() {
        return Err(syntax_error(text, file, &broken));
    }
    let mut reading = ConfigReading::new(&settings::folder_of(file));
    let settings = read_settings(root.get_ref(), text, file, &mut reading);
    match settings {
        Some(settings) if reading.problems.is_empty() => Ok(settings),
        _ => Err(ConfigError::new(file, &redact::hide_spans(text, &reading.hidden), reading.problems)),
    }
}

/// What TOML could not make sense of. One slip often has others follow in its line, so only the first of a line is
/// told; what the file says beyond that is not judged.
fn syntax_error(text: &str, file: &Path, errors: &[toml::de::Error]) -> ConfigError {
    let line = |problem: &Problem| {
        let start = problem.span.as_ref().map_or(0, |span| span.start);
        text.bytes().take(start).filter(|byte| *byte == b'\n').count()
    };
    let mut problems: Vec<Problem> = errors
        .iter()
        .map(|error| Problem { message: error.message().to_owned(), span: error.span(), help: None })
        .collect();
    problems.sort_by_key(|problem| problem.span.as_ref().map_or(usize::MAX, |span| span.start));
    problems.dedup_by_key(|problem| line(problem));
    ConfigError::new(file, &redact::hide_everything(text), problems)
}

/// The settings, unless something is missing or wrong; then `reading` says what.
fn read_settings(root: &DeTable<'_>, text: &str, file: &Path, reading: &mut ConfigReading) -> Option<Settings> {
    let file_table = TomlTable::new("", 0..0, root);
    let names: Vec<_> = all_sections().iter().map(|section| section.name).collect();
    file_table.hide_unknown(&names, reading);
    file_table.refuse_unknown(&names, reading);
    let nothing = DeTable::new();
    let mut table_of = |name: &'static str| match file_table.find_item(name) {
        Some(item) => item.read_table(reading),
        None if is_needed(name, reading) => None,
        None => Some(TomlTable::new(name, 0..0, &nothing)),
    };
    let [source, target, rules, map] = ["source", "target", "match", "map"].map(&mut table_of);
    let [lookup, policy, safety, rate] = ["lookup", "policy", "safety", "rate"].map(&mut table_of);
    let [network, journal, passwords, report] = ["network", "journal", "passwords", "report"].map(&mut table_of);

    // All are read before the first that is wrong ends it, so that everything wrong is said.
    let source = source.and_then(|table| SourceTable.read(&table, reading));
    let target = target.and_then(|table| read_target(&table, reading));
    let kind = target.as_ref().map(|target| target.kind);
    let rules = rules.and_then(|table| MatchTable.read(&table, reading));
    let entries = map.map(|table| read_map(&table, text, reading));
    let lookups = lookup.map(|table| read_lookups(&table, reading));
    let policy = policy.and_then(|table| read_policy(&table, kind, reading));
    let safety = safety.and_then(|table| SafetyTable.read(&table, reading));
    let rate = rate.and_then(|table| RateTable.read(&table, reading));
    let network = network.and_then(|table| read_network(&table, reading));
    let journal = journal.and_then(|table| JournalTable.read(&table, reading));
    let passwords = passwords.and_then(|table| PasswordTable.read(&table, reading));
    let report = report.and_then(|table| ReportTable.read(&table, reading));

    let source = source?;
    let map = MapSpec { entries: entries?, include: source.include, identity: source.identity, blank: source.blank };
    Some(Settings {
        file: file.to_owned(),
        text: text.to_owned(),
        source: source.settings,
        lookups: lookups?,
        target: target?,
        rules: rules?,
        map,
        policy: policy?,
        safety: safety?,
        rate: rate?,
        network: network?,
        journal: journal?,
        passwords: passwords?,
        report: report?,
        digest: digest::digest_of(root),
    })
}

/// Whether a section has to be there; then it is said to be missing, with the setting that it is needed for, where that
/// is one alone.
fn is_needed(name: &str, reading: &mut ConfigReading) -> bool {
    let Some(section) = all_sections().iter().find(|section| section.name == name) else { return false };
    let Some(help) = section.missing else { return false };
    let needed = match &section.keys {
        SectionKeys::These(settings) => settings.iter().filter(|setting| setting.otherwise.is_needed()).collect(),
        _ => Vec::new(),
    };
    let message = match needed.as_slice() {
        [only] => format!("there is no [{name}]: `{name}.{}` is missing", only.name),
        _ => format!("there is no [{name}]"),
    };
    reading.note_missing(&message, help);
    true
}
