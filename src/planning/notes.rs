//! Writes what a plan learnt that is worth remembering once somebody executes it: which account each identity means, and
//! which accounts had no row.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use super::{PlanFiles, SurveyError};
use crate::plan::beside::{Learnt, LinesWriter};

pub(super) struct Notes {
    out: LinesWriter<BufWriter<File>>,
    path: PathBuf,
}

impl Notes {
    pub fn create(dir: &Path) -> Result<Self, SurveyError> {
        let path = PlanFiles::within(dir).notes;
        let file = super::drafts::create_private(&path).map_err(SurveyError::file(&path))?;
        Ok(Self { out: LinesWriter::new(BufWriter::new(file)), path })
    }

    pub fn push(&mut self, learnt: &Learnt) -> Result<(), SurveyError> {
        self.out.push(learnt).map_err(SurveyError::file(&self.path))
    }

    pub fn finish(self) -> Result<(), SurveyError> {
        self.out.finish().map(drop).map_err(SurveyError::file(&self.path))
    }
}
