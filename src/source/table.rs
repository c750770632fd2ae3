//! A small table read whole, for lookups.

use std::path::{Path, PathBuf};

use crate::model::{Columns, Record};

use super::error::{Fault, SourceError};
use super::files::ReadSettings;
use super::{RowShape, Source, text};

/// Reads all rows of a file. A table decides what other rows become, so that a bad row in it is an error
/// here; rows of blank cells are skipped.
///
/// # Errors
/// As [`Source::open`] and [`Rows::next_into`](super::Rows::next_into), and for the first bad row.
pub fn read_table(
    path: &Path,
    delimiter: Option<u8>,
    encoding: Option<&str>,
) -> Result<(Columns, Vec<Record>), SourceError> {
    let paths: [PathBuf; 1] = [path.to_owned()];
    let encoding = encoding.map(text::encoding).transpose().map_err(|fault| super::about_settings(&paths, fault))?;
    let reading = ReadSettings { format: None, delimiter, encoding, sheet: None, header_row: 1 };
    // Only what is not a regular file, or no plain text, is copied to a folder.
    let source = Source::open_from(&paths, &reading, &mut std::io::empty(), &std::env::temp_dir())?;
    let mut rows = source.rows()?;
    let mut records = Vec::new();
    let mut record = Record::default();
    while let Some(shape) = rows.next_into(&mut record)? {
        if let RowShape::Bad(problem) = shape {
            return Err(SourceError {
                file: source.files()[0].shown.clone(),
                line: Some(problem.place.line),
                byte: None,
                fault: Fault::Row(problem.message),
            });
        }
        records.push(record.clone());
    }
    Ok((source.columns().clone(), records))
}
