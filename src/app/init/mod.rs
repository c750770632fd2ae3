//! From an export that nobody has described yet to a configuration. What is written was read before with the reader of
//! configurations, and compiled for the columns of the export.

mod export_survey;
mod team_table;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use self::export_survey::{SurveyedExport, survey_export};
use self::team_table::find_team_table;
use super::check::make_temporary_folder;
use super::error::{AppError, ErrorKind};
use super::session::Session;
use super::workspace::{Workspace, display_path};
use crate::connectors::KINDS;
use crate::discovery::{Answers, Blueprint, ExportForm, ExportPlace, Proposal, TeamLookup, config_text, propose};
use crate::source::Form;

/// What a configuration is proposed from, but for the answers.
pub struct ConfigDraft<'a> {
    blueprint: &'static Blueprint,
    survey: &'a SurveyedExport,
    place: ExportPlace,
    lookup: Option<TeamLookup>,
}

impl<'a> ConfigDraft<'a> {
    /// For an export, and the configuration file that is to name it.
    #[must_use]
    pub fn new(blueprint: &'static Blueprint, survey: &'a SurveyedExport, config: &Path, export: &Path) -> Self {
        let lookup = find_team_table(survey, &folder_of(config), export);
        Self { blueprint, survey, place: place_export(survey, config, export), lookup }
    }

    /// None where nothing in the export tells one person from another.
    #[must_use]
    pub fn propose_config(&self, answers: &Answers) -> Option<Proposal> {
        let Self { blueprint, survey, place, lookup } = self;
        propose(blueprint, &survey.recognised, &survey.census, place, lookup.clone(), answers)
    }
}

/// The text of a configuration, which was read with the reader of configurations and compiled for the export. Where an
/// attribute is to be filled in, nobody can be created yet; everything else has to be right all the same.
///
/// # Errors
/// The proposal cannot be used as it is.
pub fn write_config_text(
    session: &Session,
    proposal: &Proposal,
    config: &Path,
    state: Option<&Path>,
) -> Result<String, AppError> {
    let text = config_text(proposal, &KINDS.map(|kind| kind.name));
    let mut workspace = Workspace::from_settings(crate::config::parse(&text, config)?, state)?;
    workspace.settings.policy.create = proposal.missing.is_empty();
    workspace.open_source_in(&*session.clock, make_temporary_folder()?.path())?;
    Ok(text)
}

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    Replace,
    Keep,
}

/// Writes the configuration whole or not at all, and never over one that came there meanwhile.
///
/// # Errors
/// The file cannot be written.
pub fn write_config_file(config: &Path, text: &str, existing: Existing) -> Result<(), AppError> {
    let failed = |error: io::Error| {
        AppError::new(ErrorKind::Output, format!("{} cannot be written: {error}", display_path(config)))
            .with_hint("-c FILE names another file")
    };
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.prefix(".config-").tempfile_in(folder_of(config)).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    let kept = match existing {
        Existing::Replace => file.persist(config),
        Existing::Keep => file.persist_noclobber(config),
    };
    kept.map(drop).map_err(|error| failed(error.error))
}

/// How the configuration is to name the file, and to read it.
fn place_export(survey: &SurveyedExport, config: &Path, export: &Path) -> ExportPlace {
    let export = std::path::absolute(export).unwrap_or_else(|_| export.to_owned());
    let folder = folder_of(config);
    let source = export.strip_prefix(&folder).unwrap_or(&export);
    let (form, delimiter) = match survey.guess.as_ref().map(|guess| &guess.form) {
        Some(Form::Workbook) => (ExportForm::Workbook { sheet: survey.settings.sheet.clone() }, None),
        Some(Form::Objects) => (ExportForm::Objects, None),
        Some(Form::Text(text)) => {
            (ExportForm::Text, Some(text.delimiter).filter(|delimiter| *delimiter != text.usual_delimiter))
        }
        None => (ExportForm::Text, None),
    };
    let stem = config.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    ExportPlace {
        source: source.to_string_lossy().into_owned(),
        form,
        delimiter: delimiter.map(char::from),
        encoding: survey.settings.encoding.as_ref().map(|label| label.to_lowercase()),
        header_row: survey.settings.header_row,
        // Two configurations of one folder have two journals.
        state: if stem == "config" { ".headcount".to_owned() } else { format!(".headcount-{stem}") },
    }
}

fn folder_of(config: &Path) -> PathBuf {
    let config = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
    config.parent().map(Path::to_owned).unwrap_or_default()
}
