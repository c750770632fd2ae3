//! Reads an export twice: the first rows to recognise it, then all of them to count what only all of them can tell.

use std::path::{Path, PathBuf};

use crate::cli::failure::{Exit, Failure};
use crate::cli::workbench::shown;
use crate::config::{Duplicates, SourceSettings};
use crate::discovery::{Census, ExportSample, Recognised, is_usual_name, recognise};
use crate::model::Record;
use crate::report::visible::shortened;
use crate::source::{self, Fault, Form, Guess, Header, RowProblem, RowShape, Source, SourceError};

/// What was seen of an export.
pub struct Seen {
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
pub fn look(
    export: &Path,
    sheet: Option<&str>,
    choose: impl FnOnce(&[Seen]) -> Result<usize, Failure>,
) -> Result<Seen, Failure> {
    if export.as_os_str() == "-" {
        return Err(Failure::new("usage", "init needs a file, because the dry run reads it again").exit(Exit::Usage));
    }
    match look_at(export, sheet) {
        Err(Stopped::Source(SourceError { fault: Fault::WhichSheet { sheets }, file, .. })) => {
            among(export, &file, &sheets, choose)
        }
        Err(Stopped::Source(error @ SourceError { fault: Fault::NoSheet { .. }, .. })) => {
            Err(Failure::new("source", error.to_string()).hint("--sheet names one of them"))
        }
        seen => Ok(seen?),
    }
}

/// The sheet of several that has the people.
fn among(
    export: &Path,
    file: &str,
    sheets: &[String],
    choose: impl FnOnce(&[Seen]) -> Result<usize, Failure>,
) -> Result<Seen, Failure> {
    let mut seen: Vec<Seen> = sheets.iter().filter_map(|sheet| look_at(export, Some(sheet)).ok()).collect();
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
            return Err(
                Failure::new("source", message).hint("--sheet NAME names the one that is, and says what is wrong")
            );
        }
        1 => 0,
        _ => choose(&seen)?,
    };
    Ok(Seen { sheets: sheets.to_vec(), ..seen.swap_remove(chosen) })
}

fn look_at(export: &Path, sheet: Option<&str>) -> Result<Seen, Stopped> {
    let guess = source::recognise(export, sheet, is_usual_name);
    if let Some(Guess { header: Header::None { line, values }, .. }) = &guess {
        return Err(Stopped::Failure(no_header(export, *line, values)));
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
    match read(settings.clone(), guess.clone()) {
        // The beginning of the file was UTF-8 because there was nothing but ASCII in it.
        Err(Stopped::Source(SourceError { fault: Fault::Encoding { windows_1252: Some(_), .. }, .. }))
            if settings.encoding.is_none() =>
        {
            let guess = guess.map(|mut guess| {
                if let Form::Text(text) = &mut guess.form {
                    (text.encoding, text.encoding_name) = (Some("windows-1252"), "windows-1252".to_owned());
                }
                guess
            });
            let settings = SourceSettings { encoding: Some("windows-1252".to_owned()), ..settings };
            read(settings, guess)
        }
        read => read,
    }
}

enum Stopped {
    Source(SourceError),
    Failure(Failure),
}

impl From<SourceError> for Stopped {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Source(error) => error.into(),
            Stopped::Failure(failure) => failure,
        }
    }
}

fn read(settings: SourceSettings, guess: Option<Guess>) -> Result<Seen, Stopped> {
    let spool = tempfile::tempdir()
        .map_err(|error| Stopped::Failure(Failure::new("system", format!("no temporary folder: {error}"))))?;
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
        let failure = Failure::new("source", format!("{file}: there is a header, but no row that can be read"))
            .hint("init learns from rows: make the export again, with some people in it");
        return Err(Stopped::Failure(failure));
    }
    Ok(Seen { settings, guess, recognised, census, bad, first_bad, file, sheets: Vec::new() })
}

fn no_header(export: &Path, line: u32, values: &[String]) -> Failure {
    let some: Vec<_> = values.iter().take(4).map(|value| shortened(value, 24).into_owned()).collect();
    let more = if values.len() > 4 { ", …" } else { "" };
    let message =
        format!("{}:{line}: there is no header: this line has values ({}{more})", shown(export), some.join(", "));
    Failure::new("source", message).hint(format!(
        "put a line above it that names the {} columns, such as employee_id, first_name, last_name, work_email, status",
        values.len()
    ))
}
