//! One process at a time: the lock of the state directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};

use jiff::Timestamp;

use super::error::{Holder, JournalError};
use crate::files::FileError;
use crate::files::disk::{DiskOp, may};
use crate::journal::StateDir;
use crate::testing::failpoints::{self, Failpoint};

/// Held as long as the value lives; the operating system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child process that is being started holds a copy of the file for a moment, and the
        // lock with it. Where this fails, the lock ends with that copy.
        let _ = self.file.unlock();
    }
}

/// # Errors
/// [`JournalError::Locked`] with what is known of the holder; or the file cannot be made or written.
pub fn take_lock(state: &StateDir, now: Timestamp) -> Result<Lock, JournalError> {
    let path = state.lock();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(FileError::at_path(&path, "cannot be opened"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = read_holder(&mut file);
            return Err(JournalError::Locked { dir: state.path().to_owned(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(FileError::at_path(&path, "cannot be locked")(error).into()),
    }
    // Only for the message of whoever comes second: the lock itself is the operating system's.
    let mut write = || {
        may(DiskOp::Write, &path)?;
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        writeln!(file, "{} {now}", std::process::id())
    };
    write().map_err(FileError::at_path(&path, "cannot be written"))?;
    failpoints::reach(Failpoint::LockTaken);
    Ok(Lock { file })
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(200).read_to_string(&mut text).ok()?;
    let (pid, since) = text.trim().split_once(' ')?;
    Some(Holder { pid: pid.parse().ok()?, since: since.parse().ok()? })
}
