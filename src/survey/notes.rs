//! What a plan learnt that is worth remembering once somebody executes it: which account each identity means, and which
//! accounts had no row. A plan that nobody executes leaves no trace in the journal.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{PlanFiles, SurveyError};
use crate::model::AccountId;

/// One thing learnt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learnt {
    Link {
        identity: String,
        account: AccountId,
    },
    /// The account has no row, and the listing and the source are good enough to say so.
    Absent {
        account: AccountId,
    },
}

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

/// What a plan learnt, as a stream; nothing where the file is gone.
///
/// # Errors
/// When the file is there and cannot be opened.
pub fn read_notes(path: &Path) -> io::Result<impl Iterator<Item = io::Result<Learnt>> + use<>> {
    let lines = match File::open(path) {
        Ok(file) => Some(BufReader::new(file).lines()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(lines.into_iter().flatten().map(|line| Ok(serde_json::from_str(&line?)?)))
}
