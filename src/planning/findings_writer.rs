//! The findings file of a plan: one JSON line each, counted as they are written, and sealed.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use super::{PlanFiles, PlanningError};
use crate::plan::action::FindingCounts;
use crate::plan::sidecar::{LinesWriter, read_lines};
use crate::plan::{Finding, FindingKind};

pub(super) struct FindingsWriter {
    out: LinesWriter<BufWriter<File>>,
    path: PathBuf,
    pub counts: FindingCounts,
}

impl FindingsWriter {
    pub fn create(dir: &Path) -> Result<Self, PlanningError> {
        let path = PlanFiles::in_dir(dir).findings;
        let file = super::draft_actions::create_private(&path).map_err(PlanningError::file_error(&path))?;
        Ok(Self { out: LinesWriter::new(BufWriter::new(file)), path, counts: FindingCounts::default() })
    }

    pub fn push(&mut self, finding: &Finding) -> Result<(), PlanningError> {
        *self.counts.count_mut(finding.finding) += 1;
        self.out.push(finding).map_err(PlanningError::file_error(&self.path))
    }

    pub fn count_unchanged(&mut self) {
        *self.counts.count_mut(FindingKind::Unchanged) += 1;
    }

    pub fn seal_findings(self) -> Result<FindingCounts, PlanningError> {
        self.out.seal_file().map_err(PlanningError::file_error(&self.path))?;
        Ok(self.counts)
    }
}

/// The findings of a plan, as a stream; nothing where the file is gone. That it was cut or changed is said at its end.
///
/// # Errors
/// When the file is there and cannot be opened.
pub fn read_findings(path: &Path) -> io::Result<impl Iterator<Item = io::Result<Finding>> + use<>> {
    let lines = match File::open(path) {
        Ok(file) => Some(read_lines(BufReader::new(file))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(lines.into_iter().flatten())
}
