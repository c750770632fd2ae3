//! What can be read only once (standard input, a pipe) is written to a file first, because a source is read twice.

use std::fs::DirBuilder;
use std::io::{self, Read};
use std::path::Path;

use tempfile::TempPath;

use super::error::Fault;

/// Copies everything into `prefix-….csv` in `folder`, which only the user can read and which goes when the returned
/// path is dropped. The folder is made if it is not there, for the user only.
pub(super) fn spool(from: &mut dyn Read, prefix: &str, folder: &Path) -> Result<TempPath, Fault> {
    copy(from, prefix, folder).map_err(|e| Fault::Copy { folder: folder.to_owned(), message: e.to_string() })
}

fn copy(from: &mut dyn Read, prefix: &str, folder: &Path) -> io::Result<TempPath> {
    make_folder(folder)?;
    // The crate makes its files with mode 0600.
    let mut file = tempfile::Builder::new().prefix(&format!("{prefix}-")).suffix(".csv").tempfile_in(folder)?;
    io::copy(from, file.as_file_mut())?;
    Ok(file.into_temp_path())
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
