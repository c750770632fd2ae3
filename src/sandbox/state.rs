//! The files that a tenant is kept in: a snapshot, the ledger of all effects, the day's count of requests.
//!
//! What the tenant is follows from the snapshot and the ledger's effects after it. The snapshot is only ever replaced as
//! a whole; the ledger only grows, one write a line.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ledger::LedgerEffect;
use super::{SandboxError, quota};

/// Where a tenant is kept.
pub(super) struct Store {
    path: PathBuf,
}

/// What was found there.
pub(super) struct FoundState<T> {
    pub snapshot: Option<T>,
    pub effects: Vec<LedgerEffect>,
    pub count: Option<(i64, u64)>,
    /// To be appended to, and locked until it is closed.
    pub ledger: File,
    pub quota: File,
}

impl Store {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Opens or creates the files.
    pub(super) fn open<T: DeserializeOwned>(&self) -> Result<FoundState<T>, SandboxError> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| SandboxError::Write { path: folder.to_owned(), source })?;
        }
        let ledger_path = self.path.with_extension("ledger.jsonl");
        let mut ledger = open_file(&ledger_path)?;
        ledger.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => SandboxError::InUse { path: self.path.clone() },
            TryLockError::Error(source) => SandboxError::Write { path: ledger_path.clone(), source },
        })?;
        let effects = read_effects(&mut ledger, &ledger_path)?;
        let snapshot = match std::fs::read_to_string(&self.path) {
            Ok(text) => Some(parse(&self.path, &text)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(source) => return Err(SandboxError::Read { path: self.path.clone(), source }),
        };
        let quota_path = self.path.with_extension("quota");
        let mut quota = open_file(&quota_path)?;
        let mut text = String::new();
        quota.read_to_string(&mut text).map_err(|source| SandboxError::Read { path: quota_path, source })?;
        Ok(FoundState { snapshot, effects, count: quota::parse(&text), ledger, quota })
    }

    /// Replaces the snapshot: a temporary file, written, synced, renamed.
    pub(super) fn save_snapshot(&self, snapshot: &impl Serialize) -> Result<(), SandboxError> {
        let failed = |source: std::io::Error| SandboxError::Write { path: self.path.clone(), source };
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        let mut text = serde_json::to_vec_pretty(snapshot).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        file.write_all(&text).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&self.path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

/// JSON of a known shape; the error says where it is wrong.
pub(super) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, SandboxError> {
    serde_json::from_str(text).map_err(|error| SandboxError::Shape {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    })
}

fn open_file(path: &Path) -> Result<File, SandboxError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(|source| SandboxError::Write { path: path.to_owned(), source })
}

/// Reads every whole line, and leaves the file ready for the next: a last line without its end was never acknowledged
/// and is cut off.
fn read_effects(file: &mut File, path: &Path) -> Result<Vec<LedgerEffect>, SandboxError> {
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(|source| SandboxError::Read { path: path.to_owned(), source })?;
    let whole = memchr::memrchr(b'\n', &text).map_or(0, |at| at + 1);
    let mut effects = Vec::new();
    for (at, line) in text[..whole].split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let effect: LedgerEffect = serde_json::from_slice(line).map_err(|error| SandboxError::Shape {
            path: path.to_owned(),
            line: at + 1,
            column: error.column(),
            message: error.to_string(),
        })?;
        effects.push(effect);
    }
    let ready = file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::Start(whole as u64)));
    ready.map_err(|source| SandboxError::Write { path: path.to_owned(), source })?;
    Ok(effects)
}
