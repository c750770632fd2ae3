//! Where everything lies in the state directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::RunId;
use crate::files::FileError;

/// The state directory (`journal.path`, `--state`). Asking for a path creates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir(PathBuf);

impl StateDir {
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self(dir.into())
    }
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
    /// Held by the one process that may write here.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }
    /// The database of the journal.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal")
    }
    /// The head of the journal's chain.
    #[must_use]
    pub fn anchor(&self) -> PathBuf {
        self.0.join("anchor")
    }
    /// The accounts of the last complete listing.
    #[must_use]
    pub fn snapshot(&self) -> PathBuf {
        self.0.join("snapshot.jsonl")
    }
    /// What the live target last said of its attributes.
    #[must_use]
    pub fn schema(&self) -> PathBuf {
        self.0.join("schema.json")
    }
    /// What the live target last said of its quota.
    #[must_use]
    pub fn quota(&self) -> PathBuf {
        self.0.join("quota.json")
    }
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.0.join("log").join("headcount.log")
    }
    /// The folder of one run.
    #[must_use]
    pub fn run(&self, run: RunId) -> PathBuf {
        self.0.join("runs").join(run.to_string())
    }
    #[must_use]
    pub fn run_plan(&self, run: RunId) -> PathBuf {
        self.run(run).join("plan.jsonl")
    }
    #[must_use]
    pub fn run_findings(&self, run: RunId) -> PathBuf {
        self.run(run).join("findings.jsonl")
    }
    #[must_use]
    pub fn run_summary(&self, run: RunId) -> PathBuf {
        self.run(run).join("summary.json")
    }
    /// What the run's generated passwords are derived from; see [`super::secret`].
    #[must_use]
    pub fn run_secret(&self, run: RunId) -> PathBuf {
        self.run(run).join("secret")
    }
    /// What was settled of the run's generated passwords before the first was sent.
    #[must_use]
    pub fn run_passwords(&self, run: RunId) -> PathBuf {
        self.run(run).join("passwords.json")
    }
    /// The folder of one plan; none where the id is no plain name, which a path must not be made of.
    #[must_use]
    pub fn plan(&self, plan: &str) -> Option<PathBuf> {
        let plain = !plan.is_empty()
            && !plan.starts_with('.')
            && plan.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        plain.then(|| self.0.join("plans").join(plan))
    }

    /// Removes the folder of one run with all that is in it; nothing happens where there is none.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn remove_run(&self, run: RunId) -> Result<(), FileError> {
        let dir = self.run(run);
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(FileError::at_path(&dir, "cannot be removed")(error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::make_private_dir;

    #[test]
    fn a_plan_id_that_leads_elsewhere_makes_no_path() {
        let dir = StateDir::new("state");
        assert_eq!(dir.plan("p-1.a"), Some(Path::new("state").join("plans").join("p-1.a")));
        for id in ["", "..", ".x", "a/b", "/etc", "a\\b", "a\0"] {
            assert_eq!(dir.plan(id), None, "{id:?}");
        }
    }

    #[test]
    fn a_run_is_removed_with_its_files_and_removing_it_again_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        let run = RunId::new(jiff::Timestamp::UNIX_EPOCH, 1);
        make_private_dir(&state.run(run)).unwrap();
        fs::write(state.run_plan(run), "x").unwrap();
        state.remove_run(run).unwrap();
        assert!(!state.run(run).exists());
        state.remove_run(run).unwrap();
    }
}
