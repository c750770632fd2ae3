//! What can be read only once (standard input, a pipe) is written to a file first, because a source is read twice.

use std::fs::DirBuilder;
use std::io::{self, Read, Write};
use std::path::Path;

use tempfile::{NamedTempFile, TempPath};

use super::error::Fault;

/// Copies everything into `prefix-….csv` in `folder`, which only the user can read and which goes when the returned
/// path is dropped. The folder is made if it is not there, for the user only.
pub(super) fn spool(from: &mut dyn Read, prefix: &str, folder: &Path) -> Result<TempPath, Fault> {
    make_folder(folder).map_err(|e| Fault::io("making the folder for a copy of it", &e))?;
    let mut file = create(prefix, folder).map_err(|e| Fault::io("making a file for a copy of it", &e))?;
    io::copy(from, file.as_file_mut()).map_err(|e| Fault::io("copying it to a file", &e))?;
    file.flush().map_err(|e| Fault::io("copying it to a file", &e))?;
    Ok(file.into_temp_path())
}

fn create(prefix: &str, folder: &Path) -> io::Result<NamedTempFile> {
    // The crate makes its files with mode 0600.
    tempfile::Builder::new().prefix(&format!("{prefix}-")).suffix(".csv").tempfile_in(folder)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
