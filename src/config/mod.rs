//! `config.toml` becomes checked settings. Every error names the file, the line and the column, shows the line, and
//! says what would be right. Secrets are resolved late and never print.
//!
//! The file is walked by hand rather than deserialised, so that all that is wrong with it is said at once, each at its
//! place, and so that no text that is shown has a secret in it.

mod digest;
pub mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod map;
mod policy;
mod reader;
mod redact;
pub mod reference;
mod running;
pub mod secret;
pub mod settings;
mod source;
mod target;
mod units;

#[cfg(test)]
mod tests;

use std::path::Path;

use toml::de::DeTable;

pub use error::{ConfigError, Problem};
pub use secret::SecretError;
pub use settings::{
    Delivery, Duplicates, Format, JournalSettings, KindSettings, LookupSettings, ManifestSettings, Occasion,
    PasswordSettings, ReportSettings, SANDBOX, SecretSource, Settings, SourceSettings, TargetSettings, TrailerSettings,
    WebhookSettings,
};

use crate::mapping::spec::{Located, MapSpec};
use reader::{Folder, Item, Problems, Table};

const MATCH_HELP: &str = "add rules = [[\"login_id\"], [\"email_id\"]] below [match]";

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
            let text = redact::everything(&String::from_utf8_lossy(error.as_bytes()));
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
    let mut problems = Problems::default();
    let settings = read(root.get_ref(), text, file, &mut problems);
    match settings {
        Some(settings) if problems.list.is_empty() => Ok(settings),
        _ => Err(ConfigError::new(file, &redact::spans(text, &problems.hidden), problems.list)),
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
    ConfigError::new(file, &redact::everything(text), problems)
}

/// The settings, unless something without which there are none is missing or wrong; then `problems` says so.
fn read(root: &DeTable<'_>, text: &str, file: &Path, problems: &mut Problems) -> Option<Settings> {
    let folder = settings::folder_of(file);
    let folder = Folder(&folder);
    let mut file_table = Table::new("", 0..0, root);
    let mut needed = |name, message: &str, help: &str, problems: &mut Problems| match file_table.get(name) {
        Some(item) => item.table(problems),
        None => {
            problems.missing(message, help);
            None
        }
    };
    let help = "add [source] with path = \"hr_export.csv\"";
    let source = needed("source", "there is no [source]: `source.path` is missing", help, problems);
    let help = "add [target] with kind = \"imichat\" and base_url = \"sandbox\"";
    let target = needed("target", "there is no [target]", help, problems);
    let help = "add [match] with rules = [[\"login_id\"], [\"email_id\"]]";
    let rules = needed("match", "there is no [match]: `match.rules` is missing", help, problems);
    let help = "add [map] with lines such as email_id = \"work_email\"";
    let map = needed("map", "there is no [map]", help, problems);

    let nothing = DeTable::new();
    let mut optional = |name: &'static str, problems: &mut Problems| {
        let table = file_table.get(name).and_then(|item| item.table(problems));
        table.unwrap_or_else(|| Table::new(name, 0..0, &nothing))
    };
    let lookups = source::lookups(&optional("lookup", problems), folder, problems);
    let policy_table = optional("policy", problems);
    let safety = policy::safety(optional("safety", problems), problems);
    let rate = running::rate(optional("rate", problems), problems);
    let journal = running::journal(optional("journal", problems), folder, problems);
    let passwords = running::passwords(optional("passwords", problems), folder, problems);
    let report = running::report(optional("report", problems), folder, problems);
    file_table.finish_hiding(problems);

    let source = source.and_then(|table| source::read(table, folder, problems));
    let target = target.and_then(|table| target::read(table, folder, problems));
    let policy = policy::policy(policy_table, target.as_ref().map(|target| &target.kind), problems);
    let rules = rules.and_then(|table| match_rules(table, problems));
    let entries = map.map(|table| map::read(&table, text, problems));

    let source = source?;
    let map = MapSpec { entries: entries?, include: source.include, identity: source.identity, blank: source.blank };
    Some(Settings {
        file: file.to_owned(),
        text: text.to_owned(),
        source: source.settings,
        lookups,
        target: target?,
        rules: rules?,
        map,
        policy,
        safety,
        rate,
        journal,
        passwords,
        report,
        digest: digest::of(root),
    })
}

/// `[match]`.
fn match_rules(mut table: Table<'_>, problems: &mut Problems) -> Option<Vec<Vec<Located<String>>>> {
    let rules = table.need("rules", MATCH_HELP, problems);
    table.finish(problems);
    let item = rules?;
    let rules = item.list(reference::RULES_SAID, problems)?;
    if rules.is_empty() {
        return item.refuse("is empty: nobody could be found", MATCH_HELP.to_owned(), problems);
    }
    Some(rules.iter().filter_map(|rule| match_rule(rule, problems)).collect())
}

/// The attributes that together name an account.
fn match_rule(item: &Item<'_>, problems: &mut Problems) -> Option<Vec<Located<String>>> {
    if let Some(name) = item.value.as_str() {
        let help = format!("write [\"{name}\"]: attributes that must agree together stand in one list");
        return item.refuse("must have a list of attributes for each rule, not a string", help, problems);
    }
    let attributes = item.strings(problems)?;
    if item.value.as_array().is_some_and(|list| list.is_empty()) {
        return item.refuse("has a rule without attributes", None, problems);
    }
    Some(attributes)
}
