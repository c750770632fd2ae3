//! Files become rows: formats, encodings, shape checks.
//!
//! A source is opened once, which checks every file and finds the columns, and can then be passed over as often as
//! needed, each time as a stream in constant memory. Every row knows its file and the line its first cell begins on. A row
//! of the wrong shape is a [`RowProblem`] and stops nothing (one bad row never stops the others); what makes every row
//! doubtful, such as a wrong encoding, is a [`SourceError`].
//!
//! Delimited text is read where it lies. What is packed is unpacked into a private file first, and the rows of a
//! spreadsheet or of JSON Lines are written into one, once, when the source is opened; from there all formats go one way.
//!
//! What a file cut short looks like: a cut inside a quoted cell, or one that leaves a row with too few cells, makes that
//! row bad. A cut inside the last cell of a row, or after it, leaves a whole row behind and cannot be told from a
//! file that was written so; [`Rows::ends_without_newline`] says that the last row has no line break. A plan
//! says so too; and where the export of the last good run had one, `survey` takes that row for one that was cut. A cut
//! between two rows shows only in their number (`safety.max_row_drop`).

mod archive;
mod count;
mod error;
mod errors;
mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod grid;
mod header;
mod jsonl;
mod looks;
mod number_pattern;
mod ods;
mod ods_cells;
mod packed;
mod quotes;
mod recognise;
mod records;
mod row_shape;
mod rows;
mod shown;
mod sniff;
mod spool;
mod table;
mod text;
mod workbook;
mod xml;

#[cfg(test)]
mod formats;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod sheets;
#[cfg(test)]
mod tests;

pub use error::{Fault, SourceError};
pub use errors::{Complaint, SheetForm};
pub use files::FileName;
pub use looks::Looks;
pub use recognise::{Form, Guess, Header, TextForm, recognise};
pub use row_shape::{RowFault, RowProblem, RowShape};
pub use rows::{FileDigest, Rows};
pub use table::read_table;

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Format;
use crate::config::{SourceSettings, TrailerSettings};
use crate::model::Columns;

use error::Trouble;
use files::{InputFile, ReadSettings};
use records::Records;

/// An opened source: its files, checked, and its columns. Clones are the same source.
#[derive(Clone)]
pub struct Source {
    inner: Arc<Inner>,
}

struct Inner {
    files: Vec<InputFile>,
    names: Vec<FileName>,
    columns: Columns,
    header_row: u32,
    trailer: Option<TrailerSettings>,
    expected: Option<count::Expected>,
    /// That of the first file.
    look: errors::Look,
}

/// Columns that headcount adds to rows that it gives back to be mended. They are no part of a source: rows that come back
/// with them are read as they were.
pub const OWN_COLUMNS: [&str; 3] = ["headcount_line", "headcount_error", "headcount_hint"];

pub(crate) fn is_own_column(name: &str) -> bool {
    OWN_COLUMNS.contains(&name)
}

impl Source {
    /// Checks every file, reads its header and finds the columns. Standard input (`-`), and any other file that can
    /// be read only once, is copied to a file in `spool_dir` first (mode 0600), because a source is read twice; what is
    /// packed, or no delimited text, is turned into such text there as well. These files go when the source and the last
    /// of its [`Rows`] are dropped.
    ///
    /// # Errors
    /// A file that is missing, may not be read, is empty, of a format or encoding that cannot be read, not text at all;
    /// a header with a name missing or doubled; files whose columns differ; a delimiter that is plainly the wrong one.
    pub fn open(settings: &SourceSettings, spool_dir: &Path) -> Result<Self, SourceError> {
        Self::open_with(settings, &mut std::io::stdin(), spool_dir)
    }

    /// As [`Source::open`], with `stdin` for standard input.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub fn open_with(settings: &SourceSettings, stdin: &mut dyn Read, spool_dir: &Path) -> Result<Self, SourceError> {
        let encoding = settings.encoding.as_deref().map(text::encoding).transpose();
        let encoding = encoding.map_err(|fault| about_settings(&settings.paths, fault))?;
        let reading = ReadSettings {
            format: settings.format,
            delimiter: settings.delimiter,
            encoding,
            sheet: settings.sheet.clone(),
            header_row: settings.header_row,
        };
        let source = Self::open_from(&settings.paths, &reading, stdin, spool_dir)?;
        source.with_row_count(settings)
    }

    /// The columns of the first file. All files have these; the cells of each row come in this order.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.inner.columns
    }

    /// What the files are called, in the order of the settings: `Place::file` counts in it.
    #[must_use]
    pub fn files(&self) -> &[FileName] {
        &self.inner.names
    }

    /// Starts a pass over all rows, from the first.
    ///
    /// # Errors
    /// The first file cannot be opened any more, or has another header.
    pub fn rows(&self) -> Result<Rows, SourceError> {
        Rows::start(Arc::clone(&self.inner))
    }

    /// The source, with the number of its rows to be checked.
    fn with_row_count(mut self, settings: &SourceSettings) -> Result<Self, SourceError> {
        let expected = settings.manifest.as_ref().map(count::read_manifest).transpose()?;
        // Nobody else has the source yet.
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            if let (Some(_), Some(file)) =
                (&settings.trailer, inner.files.iter().find(|file| file.format == Format::Jsonl))
            {
                return Err(Trouble::from(Fault::TrailerOfJson).in_file(&file.name.shown));
            }
            (inner.trailer, inner.expected) = (settings.trailer.clone(), expected);
        }
        Ok(self)
    }

    fn open_from(
        paths: &[PathBuf],
        reading: &ReadSettings,
        stdin: &mut dyn Read,
        spool_dir: &Path,
    ) -> Result<Self, SourceError> {
        if paths.is_empty() {
            return Err(about_settings(paths, Fault::NoFiles));
        }
        if paths.len() > usize::from(u16::MAX) {
            return Err(about_settings(paths, Fault::TooManyFiles(paths.len())));
        }
        if paths.iter().filter(|path| files::is_stdin(path)).count() > 1 {
            return Err(about_settings(&[PathBuf::from("-")], Fault::StdinTwice));
        }
        let names = files::names(paths);
        let mut files = Vec::with_capacity(names.len());
        let mut columns: Option<Vec<String>> = None;
        let mut look = None;
        for name in &names {
            let file = InputFile::check(name.clone(), reading, stdin, spool_dir)?;
            let (mut records, mut found) = file.open(reading.header_row)?;
            if look.is_none() {
                look = Some(look_of(&file, reading, &mut records).map_err(|trouble| trouble.in_file(&name.shown))?);
            }
            found.retain(|name| !is_own_column(name));
            if found.is_empty() {
                return Err(Trouble::from(Fault::Empty).in_file(&name.shown));
            }
            match &columns {
                None => columns = Some(found),
                Some(first) => same_columns(&names[0], first, name, &found)?,
            }
            files.push(file);
        }
        let columns = Columns::new(columns.unwrap_or_default());
        // There is a first file: an empty list was refused above.
        let Some(look) = look else { return Err(about_settings(paths, Fault::NoFiles)) };
        let header_row = reading.header_row;
        Ok(Self { inner: Arc::new(Inner { files, names, columns, header_row, trailer: None, expected: None, look }) })
    }
}

/// How a file looks whose header was read.
fn look_of(file: &InputFile, reading: &ReadSettings, records: &mut Records) -> Result<errors::Look, Trouble> {
    let (encoding, marked) = match &file.spooled {
        Some(spooled) => (spooled.encoding, spooled.marked),
        None => (records.text.encoding, records.text.bom > 0),
    };
    let line_end = if file.spooled.is_some() { errors::LineEnd::Lf } else { records.line_end()? };
    Ok(errors::Look {
        format: file.format,
        set_format: reading.format,
        set_delimiter: reading.delimiter,
        encoding,
        marked,
        line_end,
        sheet: reading.sheet.clone(),
    })
}

/// A fault of the settings rather than of one file.
fn about_settings(paths: &[PathBuf], fault: Fault) -> SourceError {
    let file = files::names(paths).first().map_or_else(|| "source.path".to_owned(), |name| name.shown.clone());
    Trouble::from(fault).in_file(&file)
}

fn same_columns(first: &FileName, columns: &[String], name: &FileName, found: &[String]) -> Result<(), SourceError> {
    let not_in = |these: &[String], those: &[String]| -> Vec<String> {
        let those: HashSet<&String> = those.iter().collect();
        these.iter().filter(|name| !those.contains(name)).cloned().collect()
    };
    let (missing, extra) = (not_in(columns, found), not_in(found, columns));
    if missing.is_empty() && extra.is_empty() {
        return Ok(());
    }
    let fault = Fault::ColumnsDiffer { first: first.shown.clone(), missing, extra };
    Err(Trouble::from(fault).in_file(&name.shown))
}
