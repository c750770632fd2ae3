//! Writes what a plan learnt that is worth remembering once somebody executes it: which account each identity means, and
//! which accounts had no row.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{PlanFiles, SurveyError};
use crate::plan::beside::Learnt;

pub(super) struct Notes {
    out: BufWriter<File>,
    path: PathBuf,
}

impl Notes {
    pub fn create(dir: &Path) -> Result<Self, SurveyError> {
        let path = PlanFiles::within(dir).notes;
        let out = BufWriter::new(super::drafts::create_private(&path).map_err(SurveyError::file(&path))?);
        Ok(Self { out, path })
    }

    pub fn push(&mut self, learnt: &Learnt) -> Result<(), SurveyError> {
        serde_json::to_writer(&mut self.out, learnt)
            .map_err(io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(SurveyError::file(&self.path))
    }

    pub fn finish(mut self) -> Result<(), SurveyError> {
        self.out.flush().map_err(SurveyError::file(&self.path))
    }
}
