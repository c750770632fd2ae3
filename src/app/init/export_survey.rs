//! Reads an export twice: the first rows to recognise it, then all of them to count what only all of them can tell.

use std::path::{Path, PathBuf};

use crate::app::check::make_temporary_folder;
use crate::app::error::{AppError, ErrorKind};
use crate::app::workspace::display_path;
use crate::config::{Duplicates, SourceSettings};
use crate::discovery::{Census, ExportSample, Recognised, is_usual_name, recognise};
use crate::model::Record;
use crate::report::visible::shortened;
use crate::source::{self, Fault, Form, Guess, Header, RowProblem, RowShape, Source, SourceError};

/// What was seen of an export.
pub struct SurveyedExport {
    pub settings: SourceSettings,
    /// None for what calls itself text and is none.
    pub guess: Option<Guess>,
    pub recognised: Recognised,
    pub census: Census,
    /// Rows that cannot be read, and the first of them.
    pub bad: u64,
    pub first_bad: Option<RowProblem>,
    /// As people know the file.
    pub file: String,
    /// All sheets that can be seen, where this is one of several.
    pub sheets: Vec<String>,
}

/// Looks at an export, of a workbook at the sheet that is named. Where none is, and there are several, `choose` is asked
/// which of those it is that could be an export, the likeliest first.
pub fn survey_export(
    export: &Path,
    sheet: Option<&str>,
    choose: impl FnOnce(&[SurveyedExport]) -> Result<usize, AppError>,
) -> Result<SurveyedExport, AppError> {
    if export.as_os_str() == "-" {
        return Err(AppError::new(ErrorKind::Usage, "init needs a file, because the dry run reads it again"));
    }
    match survey_sheet(export, sheet) {
        Err(SurveyFailure::Source(SourceError { fault: Fault::WhichSheet { sheets }, file, .. })) => {
            survey_sheets(export, &file, &sheets, choose)
        }
        Err(SurveyFailure::Source(error @ SourceError { fault: Fault::NoSheet { .. }, .. })) => {
            Err(AppError::new(ErrorKind::Source, error.to_string()).with_hint("--sheet names one of them"))
        }
        seen => Ok(seen?),
    }
}

/// The sheet of several that has the people.
fn survey_sheets(
    export: &Path,
    file: &str,
    sheets: &[String],
    choose: impl FnOnce(&[SurveyedExport]) -> Result<usize, AppError>,
) -> Result<SurveyedExport, AppError> {
    let mut seen: Vec<SurveyedExport> =
        sheets.iter().filter_map(|sheet| survey_sheet(export, Some(sheet)).ok()).collect();
    seen.retain(|seen| seen.census.identity().is_some() || seen.recognised.found.len() > 1);
    // Of two that are alike the first one counts.
    seen.sort_by_key(|seen| {
        let known = seen.census.identity().is_some();
        std::cmp::Reverse((known, seen.recognised.found.len(), seen.census.rows))
    });
    let chosen = match seen.len() {
        0 => {
            let names: Vec<_> = sheets.iter().map(|name| shortened(name, 40).into_owned()).collect();
            let message = format!("{file}: none of its sheets looks like a list of people: {}", names.join(", "));
            return Err(AppError::new(ErrorKind::Source, message)
                .with_hint("use --sheet NAME to see what is wrong with one of them"));
        }
        1 => 0,
        _ => choose(&seen)?,
    };
    Ok(SurveyedExport { sheets: sheets.to_vec(), ..seen.swap_remove(chosen) })
}

fn survey_sheet(export: &Path, sheet: Option<&str>) -> Result<SurveyedExport, SurveyFailure> {
    let guess = source::recognise(export, sheet, is_usual_name);
    if let Some(Guess { header: Header::None { line, values }, .. }) = &guess {
        return Err(SurveyFailure::Other(no_header_error(export, *line, values)));
    }
    let header_row = match &guess {
        Some(Guess { header: Header::Line(line), .. }) => *line,
        _ => 1,
    };
    let text = match &guess {
        Some(Guess { form: Form::Text(text), .. }) => Some(text),
        _ => None,
    };
    let settings = SourceSettings {
        paths: vec![std::path::absolute(export).unwrap_or_else(|_| PathBuf::from(export))],
        format: None,
        delimiter: text.map(|text| text.delimiter),
        encoding: text.and_then(|text| text.encoding).map(str::to_owned),
        sheet: sheet.map(str::to_owned),
        header_row,
        duplicates: Duplicates::Error,
        trailer: None,
        manifest: None,
    };
    match read_rows(settings.clone(), guess.clone()) {
        // The beginning of the file was UTF-8 because there was nothing but ASCII in it.
        Err(SurveyFailure::Source(SourceError { fault: Fault::Encoding { windows_1252: Some(_), .. }, .. }))
            if settings.encoding.is_none() =>
        {
            let guess = guess.map(|mut guess| {
                if let Form::Text(text) = &mut guess.form {
                    (text.encoding, text.encoding_name) = (Some("windows-1252"), "windows-1252".to_owned());
                }
                guess
            });
            let settings = SourceSettings { encoding: Some("windows-1252".to_owned()), ..settings };
            read_rows(settings, guess)
        }
        read => read,
    }
}

enum SurveyFailure {
    Source(SourceError),
    Other(AppError),
}

impl From<SourceError> for SurveyFailure {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<SurveyFailure> for AppError {
    fn from(stopped: SurveyFailure) -> Self {
        match stopped {
            SurveyFailure::Source(error) => error.into(),
            SurveyFailure::Other(failure) => failure,
        }
    }
}

fn read_rows(settings: SourceSettings, guess: Option<Guess>) -> Result<SurveyedExport, SurveyFailure> {
    let spool = make_temporary_folder().map_err(SurveyFailure::Other)?;
    let source = Source::open(&settings, spool.path())?;
    let mut record = Record::default();
    let mut sample = ExportSample::new(source.columns());
    let mut rows = source.rows()?;
    while let Some(shape) = rows.next_into(&mut record)? {
        if shape == RowShape::Good && !sample.take(&record) {
            break;
        }
    }
    let recognised = recognise(&sample.finish());
    let mut census = Census::new(&recognised);
    let (mut bad, mut first_bad) = (0, None);
    let mut rows = source.rows()?;
    while let Some(shape) = rows.next_into(&mut record)? {
        match shape {
            RowShape::Good => census.take(&record),
            RowShape::Bad(problem) => {
                bad += 1;
                first_bad.get_or_insert(problem);
            }
        }
    }
    let file = source.files()[0].shown.clone();
    if census.rows == 0 {
        let failure =
            AppError::new(ErrorKind::Source, format!("{file}: there is a header, but no row that can be read"))
                .with_hint("init needs some rows: export again, with some people in it");
        return Err(SurveyFailure::Other(failure));
    }
    Ok(SurveyedExport { settings, guess, recognised, census, bad, first_bad, file, sheets: Vec::new() })
}

fn no_header_error(export: &Path, line: u32, values: &[String]) -> AppError {
    let some: Vec<_> = values.iter().take(4).map(|value| shortened(value, 24).into_owned()).collect();
    let more = if values.len() > 4 { ", …" } else { "" };
    let message = format!(
        "{}:{line}: there is no header: this line has values ({}{more})",
        display_path(export),
        some.join(", ")
    );
    AppError::new(ErrorKind::Source, message).with_hint(format!(
        "put a line above it that names the {} columns, such as employee_id, first_name, last_name, work_email, status",
        values.len()
    ))
}
