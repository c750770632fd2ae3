//! What is noted while a configuration is read: what is wrong with it, and which parts of its text must not be shown.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
    /// Bytes of the configuration file; none where nothing in it can be pointed at.
    pub span: Option<Range<usize>>,
    /// What would be right.
    pub help: Option<String>,
}

/// One reading of a file.
#[derive(Debug, Default)]
pub struct ConfigReading {
    /// Where relative paths start.
    folder: PathBuf,
    pub problems: Vec<Problem>,
    pub hidden: Vec<Range<usize>>,
}

impl ConfigReading {
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), ..Self::default() }
    }

    pub fn note_problem(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.problems.push(Problem { message: message.into(), span: Some(span.clone()), help: help.into() });
    }

    /// Something that is not in the file at all.
    pub fn note_missing(&mut self, message: &str, help: &str) {
        self.problems.push(Problem { message: message.into(), span: None, help: Some(help.into()) });
    }

    /// Keeps a value from being shown, and all that is in it.
    pub fn hide_value(&mut self, value: &DeValue<'_>, span: &Range<usize>) {
        match value {
            DeValue::Table(table) => table.values().for_each(|value| self.hide_value(value.get_ref(), &value.span())),
            DeValue::Array(list) => list.iter().for_each(|value| self.hide_value(value.get_ref(), &value.span())),
            _ => self.hidden.push(span.clone()),
        }
    }

    #[must_use]
    pub fn absolute_path(&self, path: &str) -> PathBuf {
        let joined = self.folder.join(path);
        // Takes out `.`; fails only on an empty path, which a join with an absolute folder is not.
        std::path::absolute(&joined).unwrap_or(joined)
    }
}
