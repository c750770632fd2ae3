//! Where the journal's own files meet the disk: every write, sync and rename asks here first, so that a test can let any
//! one of them fail as a full or a broken disk would. Outside of tests nothing is asked and nothing is in the way.

use std::io;
use std::path::Path;

/// What is about to be done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskOp {
    Open,
    Write,
    Flush,
    Sync,
    Rename,
    Remove,
}

/// Asks whether it may be done.
///
/// # Errors
/// The failure that a test wants.
#[cfg(not(test))]
#[inline]
#[allow(clippy::unnecessary_wraps, reason = "in tests it fails")]
pub fn may(_op: DiskOp, _path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub use faults::may;

/// Disks that fail.
#[cfg(test)]
pub mod faults {
    use std::path::PathBuf;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::*;

    /// No space left on the device.
    pub const ENOSPC: i32 = 28;
    /// Input/output error.
    pub const EIO: i32 = 5;

    /// For how long a disk fails.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Lasting {
        Once,
        /// Until it is mended.
        On,
    }

    struct Disk {
        dir: PathBuf,
        left: u64,
        errno: i32,
        lasting: Lasting,
        hit: Option<(DiskOp, PathBuf)>,
    }

    static DISKS: Mutex<Vec<Disk>> = Mutex::new(Vec::new());

    fn disks() -> MutexGuard<'static, Vec<Disk>> {
        DISKS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `nth` operation on files below this folder fails, counted from 1.
    pub fn fail(dir: &Path, nth: u64, errno: i32, lasting: Lasting) {
        mend(dir);
        disks().push(Disk { dir: dir.to_owned(), left: nth, errno, lasting, hit: None });
    }

    /// What failed first, where anything did.
    pub fn hit(dir: &Path) -> Option<(DiskOp, PathBuf)> {
        disks().iter().find(|disk| disk.dir == dir)?.hit.clone()
    }

    pub fn mend(dir: &Path) {
        disks().retain(|disk| disk.dir != dir);
    }

    /// # Errors
    /// The failure that a test wants.
    pub fn may(op: DiskOp, path: &Path) -> io::Result<()> {
        let mut disks = disks();
        let Some(disk) = disks.iter_mut().find(|disk| path.starts_with(&disk.dir)) else { return Ok(()) };
        if disk.hit.is_some() {
            return match disk.lasting {
                Lasting::Once => Ok(()),
                Lasting::On => Err(io::Error::from_raw_os_error(disk.errno)),
            };
        }
        disk.left -= 1;
        if disk.left > 0 {
            return Ok(());
        }
        disk.hit = Some((op, path.to_owned()));
        Err(io::Error::from_raw_os_error(disk.errno))
    }
}
