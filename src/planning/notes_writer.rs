//! Writes what a plan learnt that is worth remembering once somebody executes it: which account each identity means, and
//! which accounts had no row.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use super::{PlanFiles, PlanningError};
use crate::plan::sidecar::{LinesWriter, PlanNote};

pub(super) struct NotesWriter {
    out: LinesWriter<BufWriter<File>>,
    path: PathBuf,
}

impl NotesWriter {
    pub fn create(dir: &Path) -> Result<Self, PlanningError> {
        let path = PlanFiles::in_dir(dir).notes;
        let file = super::draft_actions::create_private(&path).map_err(PlanningError::file_error(&path))?;
        Ok(Self { out: LinesWriter::new(BufWriter::new(file)), path })
    }

    pub fn push(&mut self, learnt: &PlanNote) -> Result<(), PlanningError> {
        self.out.push(learnt).map_err(PlanningError::file_error(&self.path))
    }

    pub fn seal_notes(self) -> Result<(), PlanningError> {
        self.out.seal_file().map(drop).map_err(PlanningError::file_error(&self.path))
    }
}
