//! Files become rows: formats, encodings, shape checks.
//!
//! A source is opened once, which checks every file and finds the columns, and can then be passed over as often as
//! needed, each time as a stream in constant memory. Every row knows its file and the line its first cell begins on. A row
//! of the wrong shape is a [`RowProblem`] and stops nothing (one bad row never stops the others); what makes every row
//! doubtful, such as a wrong encoding, is a [`SourceError`].
//!
//! What a file cut short looks like: a cut inside a quoted cell, or one that leaves a row with too few cells, makes that
//! row bad. A cut inside the last cell of a row, or after it, leaves a whole row behind and cannot be told from a
//! file that was written so; [`Rows::ends_without_newline`] says that the last row has no line break. A plan
//! says so too; and where the export of the last good run had one, `survey` takes that row for one that was cut. A cut
//! between two rows shows only in their number (`safety.max_row_drop`).

mod error;
mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod header;
mod quotes;
mod records;
mod rows;
mod sniff;
mod spool;
mod table;
mod text;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use error::{Fault, SourceError};
pub use files::FileName;
pub use rows::{FileDigest, RowFault, RowProblem, RowShape, Rows};
pub use sniff::Looks;
pub use table::read_table;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::SourceSettings;
use crate::model::Columns;

use error::Trouble;
use files::{InputFile, Reading};

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
}

impl Source {
    /// Checks every file, reads its header and finds the columns. Standard input (`-`), and any other file that can
    /// be read only once, is copied to a file in `spool_dir` first (mode 0600), because a source is read twice; the
    /// copy goes when the source and the last of its [`Rows`] are dropped.
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
        let encoding = encoding.map_err(|fault| about(&settings.paths, fault))?;
        let reading = Reading { format: settings.format, delimiter: settings.delimiter, encoding };
        Self::open_from(&settings.paths, &reading, settings.header_row, stdin, spool_dir)
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

    fn open_from(
        paths: &[PathBuf],
        reading: &Reading,
        header_row: u32,
        stdin: &mut dyn Read,
        spool_dir: &Path,
    ) -> Result<Self, SourceError> {
        if paths.is_empty() {
            return Err(about(paths, Fault::NoFiles));
        }
        if paths.len() > usize::from(u16::MAX) {
            return Err(about(paths, Fault::TooManyFiles(paths.len())));
        }
        if paths.iter().filter(|path| files::is_stdin(path)).count() > 1 {
            return Err(about(&[PathBuf::from("-")], Fault::StdinTwice));
        }
        let names = files::names(paths);
        let mut files = Vec::with_capacity(names.len());
        let mut columns: Option<Vec<String>> = None;
        for name in &names {
            let file = InputFile::check(name.clone(), reading, stdin, spool_dir)?;
            let (_, found) = file.open(header_row)?;
            match &columns {
                None => columns = Some(found),
                Some(first) => same_columns(&names[0], first, name, &found)?,
            }
            files.push(file);
        }
        let columns = Columns::new(columns.unwrap_or_default());
        Ok(Self { inner: Arc::new(Inner { files, names, columns, header_row }) })
    }
}

/// A fault of the settings rather than of one file.
fn about(paths: &[PathBuf], fault: Fault) -> SourceError {
    let file = files::names(paths).first().map_or_else(|| "source.path".to_owned(), |name| name.shown.clone());
    Trouble::from(fault).in_file(&file)
}

fn same_columns(first: &FileName, columns: &[String], name: &FileName, found: &[String]) -> Result<(), SourceError> {
    let not_in = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|name| !those.contains(name)).cloned().collect()
    };
    let (missing, extra) = (not_in(columns, found), not_in(found, columns));
    if missing.is_empty() && extra.is_empty() {
        return Ok(());
    }
    let fault = Fault::ColumnsDiffer { first: first.shown.clone(), missing, extra };
    Err(Trouble::from(fault).in_file(&name.shown))
}
