//! Everything that a configuration is written from.

use std::collections::BTreeSet;

use super::blueprint::Blueprint;
use super::literals::{template_reference, toml_text};

/// What a person answered, or what is taken where nobody was asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// The column of the identity, where another than the proposed one was chosen.
    pub identity: Option<usize>,
    /// Values of the status that mean that nobody needs the account, beside those that are known to.
    pub inactive: BTreeSet<String>,
    /// The team of newcomers, where the system needs one and the export has none.
    pub team: Option<String>,
}

/// How the file is to be read, and where things are, as the configuration is to say it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExportPlace {
    pub source: String,
    pub form: ExportForm,
    pub delimiter: Option<char>,
    pub encoding: Option<String>,
    pub header_row: u32,
    pub state: String,
}

/// What kind of file the source is, and so which settings are about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ExportForm {
    #[default]
    Text,
    Workbook {
        /// None where there is no other.
        sheet: Option<String>,
    },
    Objects,
}

/// A table that turns the names of teams into their ids.
#[derive(Clone, Debug, PartialEq)]
pub struct TeamLookup {
    pub name: String,
    pub path: String,
    pub key: String,
    pub id: String,
}

/// A line of a table of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MapLine {
    pub key: String,
    pub value: String,
    pub comment: String,
    pub is_off: bool,
}

/// An attribute that the system needs and that nothing in the export gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    pub attribute: String,
    pub what: &'static str,
}

/// Everything that a configuration is written from.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub blueprint: &'static Blueprint,
    pub place: ExportPlace,
    /// The column of the identity, and why.
    pub identity: Option<(String, String)>,
    /// The rows that count.
    pub(super) include: Option<(String, String)>,
    pub lookup: Option<TeamLookup>,
    pub(super) rules: Vec<Vec<String>>,
    pub(super) lines: Vec<MapLine>,
    pub missing: Vec<Missing>,
}

impl Proposal {
    /// Whether anything is made from this column.
    #[must_use]
    pub fn uses(&self, column: &str) -> bool {
        let (plain, template) = (toml_text(column), toml_text(&template_reference(column)));
        // Within a text a template stands without its quotes.
        let template = &template[1..template.len() - 1];
        let names = |value: &str| value.contains(&plain) || value.contains("{{") && value.contains(template);
        let is_identity = self.identity.as_ref().is_some_and(|(name, _)| name == column);
        let includes = self.include.as_ref().is_some_and(|(value, _)| value.contains(template));
        is_identity || includes || self.lines.iter().any(|line| !line.is_off && names(&line.value))
    }
}
