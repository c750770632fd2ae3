//! Private files, written whole: to a temporary name, synced, renamed, the folder synced. A reader sees the old file or
//! the new one, never a half. [`sealed`] adds a checksum, [`disk`] lets tests fail any operation.

pub mod disk;
pub mod sealed;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use self::disk::{DiskOp, may};
use crate::testing::failpoints::{self, Failpoint};

/// A file or folder that could not be read, written or made, by name.
#[derive(Debug, thiserror::Error)]
#[error("{}: {doing}: {source}", path.display())]
pub struct FileError {
    pub path: PathBuf,
    /// What was being done to it.
    pub doing: &'static str,
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// For `map_err`: names the file and what was being done to it.
    pub fn at_path(path: &Path, doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self { path: path.to_owned(), doing, source }
    }
}

/// Makes the folder (and those above it that are missing) with mode 0700, and takes away what an existing one allows
/// to others.
///
/// # Errors
/// It cannot be made, is no folder, or belongs to somebody else and is open to others.
pub fn make_private_dir(dir: &Path) -> Result<(), FileError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    may(DiskOp::Open, dir).and_then(|()| builder.create(dir)).map_err(FileError::at_path(dir, "cannot be made"))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(dir).map_err(FileError::at_path(dir, "cannot be read"))?.permissions().mode();
        if mode & 0o077 != 0 {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
                .map_err(FileError::at_path(dir, "can be read by others, and its permissions cannot be changed"))?;
        }
    }
    Ok(())
}

/// Writes a file so that a crash leaves the old one or the new one: `write` fills a temporary file beside it, which is
/// synced and renamed; then the folder is synced. `mode` counts on Unix only. The folder has to be there.
///
/// # Errors
/// Whatever `write` gives, or the disk: the file of that name is as it was before.
///
/// A link is followed, and what is no file (`/dev/stdout`, a pipe) is written to as it stands: to rename a file into its
/// place would take it away from everybody else.
pub fn write_atomically<T>(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> Result<T, FileError> {
    let failed = FileError::at_path(path, "cannot be written");
    if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let device = fs::OpenOptions::new().write(true).open(path).map_err(&failed)?;
        let mut writer = BufWriter::new(device);
        let value = write(&mut writer).map_err(&failed)?;
        writer.flush().map_err(&failed)?;
        return Ok(value);
    }
    let resolved = fs::canonicalize(path);
    let path = resolved.as_deref().unwrap_or(path);
    let (temporary, value) = write_beside(path, mode, write).map_err(&failed)?;
    may(DiskOp::Rename, path).map_err(&failed)?;
    temporary.persist(path).map_err(|error| failed(error.error))?;
    failpoints::reach_file(Failpoint::FileRenamed, path);
    sync_dir(parent_folder(path)).map_err(&failed)?;
    failpoints::reach_file(Failpoint::FolderSynced, path);
    Ok(value)
}

/// Like [`write_atomically`], but never in the place of a file that is there already.
///
/// # Errors
/// As there; [`io::ErrorKind::AlreadyExists`] where there is such a file.
pub fn write_new(path: &Path, mode: u32, contents: &[u8]) -> Result<(), FileError> {
    let failed = FileError::at_path(path, "cannot be written");
    let (temporary, ()) = write_beside(path, mode, |file| file.write_all(contents)).map_err(&failed)?;
    may(DiskOp::Rename, path).map_err(&failed)?;
    temporary.persist_noclobber(path).map_err(|error| failed(error.error))?;
    failpoints::reach_file(Failpoint::FileRenamed, path);
    sync_dir(parent_folder(path)).map_err(&failed)?;
    failpoints::reach_file(Failpoint::FolderSynced, path);
    Ok(())
}

/// How the names begin that files have while they are written.
const UNNAMED: &str = ".new-";

/// Whether a file of this name was being written and never got its own.
#[must_use]
pub fn is_unnamed(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(UNNAMED.as_bytes())
}

/// Makes new, renamed and removed names in the folder durable.
///
/// # Errors
/// The disk's.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    may(DiskOp::Sync, dir)?;
    // Elsewhere a folder cannot be opened as a file, and names are durable without it.
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

fn write_beside<T>(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<(tempfile::NamedTempFile, T)> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNNAMED);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    let folder = parent_folder(path);
    if !folder.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no folder {}", folder.display())));
    }
    may(DiskOp::Open, path)?;
    let temporary = builder.tempfile_in(folder)?;
    let mut writer = BufWriter::new(temporary);
    let value = write(&mut writer)?;
    may(DiskOp::Write, path)?;
    let temporary = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    failpoints::reach_file(Failpoint::FileWritten, path);
    may(DiskOp::Sync, path)?;
    temporary.as_file().sync_all()?;
    failpoints::reach_file(Failpoint::FileSynced, path);
    Ok((temporary, value))
}

fn parent_folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert_eq!(write_atomically(&path, 0o600, |w| w.write_all(b"one").map(|()| 7)).unwrap(), 7);
        let error = write_atomically(&path, 0o600, |w| {
            w.write_all(b"half of two")?;
            Err::<(), _>(io::Error::other("no"))
        })
        .unwrap_err();
        assert!(error.to_string().contains("file: cannot be written: no"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
        write_atomically(&path, 0o600, |w| w.write_all(b"two")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        #[cfg(unix)]
        assert_eq!(mode(&path), 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_a_pipe_is_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&path, "one").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write_atomically(&link, 0o600, |w| w.write_all(b"two")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

        let (mut reader, writer) = io::pipe().unwrap();
        let pipe = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writer));
        // Where there is no such folder (a chroot, another system) there is nothing to try.
        if Path::new(&pipe).exists() {
            write_atomically(Path::new(&pipe), 0o600, |w| w.write_all(b"three")).unwrap();
            drop(writer);
            let mut got = String::new();
            io::Read::read_to_string(&mut reader, &mut got).unwrap();
            assert_eq!(got, "three");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = write_atomically(&dir.path().join("no").join("file"), 0o600, |_| Ok(())).unwrap_err().to_string();
        assert!(error.contains("there is no folder") && !error.contains(".new-"), "{error}");
    }

    #[test]
    fn a_new_file_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write_new(&path, 0o600, b"one").unwrap();
        assert_eq!(write_new(&path, 0o600, b"two").unwrap_err().source.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }

    #[cfg(unix)]
    #[test]
    fn an_open_folder_is_closed_to_others() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("a").join("b");
        make_private_dir(&made).unwrap();
        assert_eq!(mode(&made), 0o700);
        fs::set_permissions(&made, fs::Permissions::from_mode(0o755)).unwrap();
        make_private_dir(&made).unwrap();
        assert_eq!(mode(&made), 0o700);
    }
}
