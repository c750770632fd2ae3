//! Reads an export twice: the first rows to recognise it, then all of them to count what only all of them can tell.

use std::path::{Path, PathBuf};

use crate::cli::failure::{Exit, Failure};
use crate::cli::workbench::shown;
use crate::config::{Duplicates, SourceSettings};
use crate::model::Record;
use crate::profile::{Census, Recognised, Sample, is_usual_name, recognise};
use crate::report::visible::shortened;
use crate::source::{self, Fault, Guess, Header, RowProblem, RowShape, Source, SourceError};

/// What was seen of an export.
pub struct Seen {
    pub settings: SourceSettings,
    /// None for what is no delimited text.
    pub guess: Option<Guess>,
    pub recognised: Recognised,
    pub census: Census,
    /// Rows that cannot be read, and the first of them.
    pub bad: u64,
    pub first_bad: Option<RowProblem>,
    /// As people know the file.
    pub file: String,
}

pub fn look(export: &Path) -> Result<Seen, Failure> {
    if export.as_os_str() == "-" {
        return Err(Failure::new("usage", "init needs a file, because the dry run reads it again").exit(Exit::Usage));
    }
    let guess = source::recognise(export, is_usual_name);
    if let Some(Guess { header: Header::None { line, values }, .. }) = &guess {
        return Err(no_header(export, *line, values));
    }
    let header_row = match &guess {
        Some(Guess { header: Header::Line(line), .. }) => *line,
        _ => 1,
    };
    let settings = SourceSettings {
        paths: vec![std::path::absolute(export).unwrap_or_else(|_| PathBuf::from(export))],
        format: None,
        delimiter: guess.as_ref().map(|guess| guess.delimiter),
        encoding: guess.as_ref().and_then(|guess| guess.encoding).map(str::to_owned),
        sheet: None,
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
            let guess = guess.map(|guess| Guess {
                encoding: Some("windows-1252"),
                encoding_name: "windows-1252".to_owned(),
                ..guess
            });
            let settings = SourceSettings { encoding: Some("windows-1252".to_owned()), ..settings };
            read(settings, guess).map_err(Failure::from)
        }
        read => read.map_err(Failure::from),
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
    let mut sample = Sample::new(source.columns());
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
    Ok(Seen { settings, guess, recognised, census, bad, first_bad, file })
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
