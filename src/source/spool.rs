//! Files that are written before a source is read: copies of what can be read only once (standard input, a pipe), because
//! a source is read twice, and the rows of what is no delimited text (a spreadsheet, JSON Lines), because such a file
//! cannot be passed over in constant memory, or its columns are not known before its end.
//!
//! Such rows are CSV in UTF-8, so that one reader serves all formats. The first cell of each is a mark that says where the
//! row stands in the file that a person sees, and whether it can be used: `17`, or `17c` and `17t` with the reason in the
//! second cell. There is no header. Only the user can read these files, and they go with the source.

use std::fs::DirBuilder;
use std::io::{self, BufWriter, Read};
use std::path::Path;

use encoding_rs::Encoding;
use tempfile::{NamedTempFile, TempPath};

use super::error::Fault;
use super::row_shape::{MAX_RECORD, RowFault};

/// The delimiter of spooled rows.
pub(super) const DELIMITER: u8 = b',';

/// A file whose rows were spooled.
pub(super) struct Spooled {
    pub path: TempPath,
    /// The names of the columns, as the header is in a delimited file.
    pub names: Vec<String>,
    /// Rows without a value in any cell; they are not in the spool.
    pub blank_rows: u64,
    /// The file ends within its last row.
    pub ends_within_row: bool,
    /// That of the file, where it is text, and whether it begins with a byte order mark.
    pub encoding: &'static Encoding,
    pub marked: bool,
}

/// What the first cell of a spooled row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub line: u32,
    pub fault: Option<RowFault>,
}

impl Mark {
    /// How many cells stand before those of the row.
    pub(super) fn cells(self) -> usize {
        1 + usize::from(self.fault.is_some())
    }

    /// None where the spool is not as it was written.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (digits, fault) = match text.strip_suffix(['c', 't']) {
            None => (text, None),
            Some(digits) if text.ends_with('c') => (digits, Some(RowFault::Cells)),
            Some(digits) => (digits, Some(RowFault::Torn)),
        };
        Some(Self { line: digits.parse().ok()?, fault })
    }
}

/// Spooled rows, being written.
pub(super) struct RowSpool {
    out: csv::Writer<BufWriter<NamedTempFile>>,
    folder: std::path::PathBuf,
}

impl RowSpool {
    pub(super) fn create(folder: &Path) -> Result<Self, Fault> {
        let file = private_file(folder, "rows").map_err(|error| no_copy(folder, &error))?;
        let out = csv::WriterBuilder::new().delimiter(DELIMITER).flexible(true).from_writer(BufWriter::new(file));
        Ok(Self { out, folder: folder.to_owned() })
    }

    /// A row with a cell for each column. One that no delimited file could hold is bad.
    pub(super) fn write_row<T: AsRef<str>>(&mut self, line: u32, cells: &[T]) -> Result<(), Fault> {
        // Quotes may be doubled, and each cell may be quoted.
        let length: usize = cells.iter().map(|cell| cell.as_ref().len() * 2 + 3).sum();
        if length > MAX_RECORD / 2 {
            return self.too_long(line);
        }
        if let Some(at) = cells.iter().position(|cell| cell.as_ref().contains('\0')) {
            let message = format!("cell {} holds a NUL character, which no text has", at + 1);
            return self.write_bad_row(line, RowFault::Torn, &message, &cells[..0]);
        }
        self.write(&line.to_string(), None, cells)
    }

    /// A row that is longer than any can be.
    pub(super) fn too_long(&mut self, line: u32) -> Result<(), Fault> {
        self.write_bad_row::<&str>(line, RowFault::Torn, "the row holds more text than a row can", &[])
    }

    /// A row that cannot be used, with the cells that can be told.
    pub(super) fn write_bad_row<T: AsRef<str>>(
        &mut self,
        line: u32,
        fault: RowFault,
        message: &str,
        cells: &[T],
    ) -> Result<(), Fault> {
        let length: usize = cells.iter().map(|cell| cell.as_ref().len() * 2 + 3).sum();
        let fits = length <= MAX_RECORD / 2 && cells.iter().all(|cell| !cell.as_ref().contains('\0'));
        let (mark, cells) = match fault {
            RowFault::Cells if fits => ('c', cells),
            _ => ('t', &cells[..0]),
        };
        self.write(&format!("{line}{mark}"), Some(&message.replace('\0', "\u{FFFD}")), cells)
    }

    pub(super) fn finish(self) -> Result<TempPath, Fault> {
        let folder = self.folder;
        let file = self.out.into_inner().map_err(|error| io::Error::other(error.to_string()));
        let file = file.and_then(|out| out.into_inner().map_err(io::IntoInnerError::into_error));
        Ok(file.map_err(|error| no_copy(&folder, &error))?.into_temp_path())
    }

    fn write<T: AsRef<str>>(&mut self, mark: &str, message: Option<&str>, cells: &[T]) -> Result<(), Fault> {
        let Self { out, folder } = self;
        let mut write = || {
            out.write_field(mark)?;
            message.map_or(Ok(()), |message| out.write_field(message))?;
            cells.iter().try_for_each(|cell| out.write_field(cell.as_ref()))?;
            out.write_record(None::<&[u8]>)
        };
        write().map_err(|error| no_copy(folder, &io::Error::other(error)))
    }
}

/// Copies everything into a file in `folder` that goes when the returned path is dropped. The folder is made if it is not
/// there, for the user only.
pub(super) fn spool_copy(from: &mut dyn Read, prefix: &str, folder: &Path) -> Result<TempPath, Fault> {
    copy_all(from, prefix, folder).map_err(|error| no_copy(folder, &error))
}

fn copy_all(from: &mut dyn Read, prefix: &str, folder: &Path) -> io::Result<TempPath> {
    let mut file = private_file(folder, prefix)?;
    io::copy(from, file.as_file_mut())?;
    Ok(file.into_temp_path())
}

/// A new file `prefix-….csv` in `folder` that only the user can read.
pub(super) fn private_file(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    make_folder(folder)?;
    // The crate makes its files with mode 0600.
    tempfile::Builder::new().prefix(&format!("{prefix}-")).suffix(".csv").tempfile_in(folder)
}

pub(super) fn no_copy(folder: &Path, error: &io::Error) -> Fault {
    Fault::Copy { folder: folder.to_owned(), message: error.to_string() }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_nothing_else_is() {
        for (text, fault) in [("17", None), ("17c", Some(RowFault::Cells)), ("17t", Some(RowFault::Torn))] {
            assert_eq!(Mark::read(text), Some(Mark { line: 17, fault }), "{text}");
        }
        for text in ["", "c", "17x", "-1", "17cc"] {
            assert_eq!(Mark::read(text), None, "{text}");
        }
    }
}
