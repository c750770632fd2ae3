//! The findings beside a plan: one JSON line each, counted as they are written, and sealed.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use super::{PlanFiles, SurveyError};
use crate::plan::action::Found;
use crate::plan::beside::{LinesWriter, read_lines};
use crate::plan::{Finding, FindingKind};

pub(super) struct Findings {
    out: LinesWriter<BufWriter<File>>,
    path: PathBuf,
    pub counts: Found,
}

impl Findings {
    pub fn create(dir: &Path) -> Result<Self, SurveyError> {
        let path = PlanFiles::within(dir).findings;
        let file = super::drafts::create_private(&path).map_err(SurveyError::file(&path))?;
        Ok(Self { out: LinesWriter::new(BufWriter::new(file)), path, counts: Found::default() })
    }

    pub fn push(&mut self, finding: &Finding) -> Result<(), SurveyError> {
        *self.counts.of(finding.finding) += 1;
        self.out.push(finding).map_err(SurveyError::file(&self.path))
    }

    pub fn unchanged(&mut self) {
        *self.counts.of(FindingKind::Unchanged) += 1;
    }

    pub fn finish(self) -> Result<Found, SurveyError> {
        self.out.finish().map_err(SurveyError::file(&self.path))?;
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
