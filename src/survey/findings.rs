//! The findings beside a plan: one JSON line each, counted as they are written.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{PlanFiles, SurveyError};
use crate::plan::action::Found;
use crate::plan::{Finding, FindingKind};

pub(super) struct Findings {
    out: BufWriter<File>,
    path: PathBuf,
    pub counts: Found,
}

impl Findings {
    pub fn create(dir: &Path) -> Result<Self, SurveyError> {
        let path = PlanFiles::within(dir).findings;
        let out = BufWriter::new(super::drafts::create_private(&path).map_err(SurveyError::file(&path))?);
        Ok(Self { out, path, counts: Found::default() })
    }

    pub fn push(&mut self, finding: &Finding) -> Result<(), SurveyError> {
        *self.counts.of(finding.finding) += 1;
        serde_json::to_writer(&mut self.out, finding)
            .map_err(io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(SurveyError::file(&self.path))
    }

    pub fn unchanged(&mut self) {
        *self.counts.of(FindingKind::Unchanged) += 1;
    }

    pub fn finish(mut self) -> Result<Found, SurveyError> {
        self.out.flush().map_err(SurveyError::file(&self.path))?;
        Ok(self.counts)
    }
}

/// The findings of a plan, as a stream; nothing where the file is gone.
///
/// # Errors
/// When the file is there and cannot be opened.
pub fn read_findings(path: &Path) -> io::Result<impl Iterator<Item = io::Result<Finding>> + use<>> {
    let lines = match File::open(path) {
        Ok(file) => Some(BufReader::new(file).lines()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(lines.into_iter().flatten().map(|line| Ok(serde_json::from_str(&line?)?)))
}
