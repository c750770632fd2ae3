//! The files next to a plan in its folder: findings that need no request, and notes to be remembered once the plan is
//! executed. Planning writes them, execution reads them.
//!
//! Both are lines of JSON and a last line that seals them. A link or an absence that was read wrong would be remembered
//! for somebody else, so nothing of such a file is believed before all of it was read and its seal fits.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::AccountId;

/// The files of a plan in its folder.
#[derive(Clone, Debug)]
pub struct PlanFiles {
    pub plan: PathBuf,
    pub findings: PathBuf,
    pub notes: PathBuf,
}

impl PlanFiles {
    #[must_use]
    pub fn in_dir(dir: &Path) -> Self {
        Self { plan: dir.join("plan.jsonl"), findings: dir.join("findings.jsonl"), notes: dir.join("notes.jsonl") }
    }
}

/// One thing that a plan learnt. A plan that nobody executes leaves no trace in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanNote {
    Link {
        identity: String,
        account: AccountId,
    },
    /// The account has no row, and the listing and the source are good enough to say so.
    Absent {
        account: AccountId,
    },
}

/// What a plan learnt, from its notes. A wrong seal is an error at the end, so a caller that relies on the notes reads
/// them twice.
pub fn read_notes(notes: impl BufRead) -> impl Iterator<Item = io::Result<PlanNote>> {
    read_lines(notes)
}

/// Writes lines of JSON, and the seal after them.
#[derive(Debug)]
pub struct LinesWriter<W> {
    out: W,
    seal: Seal,
}

impl<W: Write> LinesWriter<W> {
    pub fn new(out: W) -> Self {
        Self { out, seal: Seal::default() }
    }

    /// # Errors
    /// When it cannot be written.
    pub fn push(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_string(value)?;
        line.push('\n');
        self.seal.add_line(&line);
        self.out.write_all(line.as_bytes())
    }

    /// Seals what was written.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn seal_file(mut self) -> io::Result<W> {
        writeln!(self.out, "{}", self.seal.to_line())?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// The lines of a file that [`LinesWriter`] wrote. A line that is none, and a seal that is missing or does not fit, is an
/// error, after which nothing comes.
pub fn read_lines<T: DeserializeOwned>(input: impl BufRead) -> impl Iterator<Item = io::Result<T>> {
    let mut input = Some((input, Seal::default()));
    std::iter::from_fn(move || {
        let (mut lines, mut seal) = input.take()?;
        match next_line(&mut lines, &mut seal) {
            Ok(Some(value)) => {
                input = Some((lines, seal));
                Some(Ok(value))
            }
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    })
}

fn next_line<T: DeserializeOwned>(input: &mut impl BufRead, seal: &mut Seal) -> io::Result<Option<T>> {
    let damaged = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidData, what.to_owned()));
    let mut line = String::new();
    input.read_line(&mut line)?;
    if !line.ends_with('\n') {
        return damaged("it was cut short: the line that seals it is missing");
    }
    if !line.starts_with("{\"end\"") {
        let value = serde_json::from_str(&line)?;
        seal.add_line(&line);
        return Ok(Some(value));
    }
    if line.trim_end_matches('\n') != seal.to_line() {
        return damaged("its contents do not match their seal");
    }
    if !input.fill_buf()?.is_empty() {
        return damaged("something follows its end");
    }
    Ok(None)
}

#[derive(Debug, Default)]
struct Seal {
    lines: u64,
    hasher: blake3::Hasher,
}

impl Seal {
    fn add_line(&mut self, line: &str) {
        self.lines += 1;
        self.hasher.update(line.as_bytes());
    }

    fn to_line(&self) -> String {
        format!("{{\"end\":{},\"digest\":\"blake3:{}\"}}", self.lines, self.hasher.finalize().to_hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> [PlanNote; 2] {
        let account = AccountId("4711".to_owned());
        [PlanNote::Link { identity: "E1".to_owned(), account: account.clone() }, PlanNote::Absent { account }]
    }

    fn written() -> Vec<u8> {
        let mut writer = LinesWriter::new(Vec::new());
        all().iter().for_each(|learnt| writer.push(learnt).unwrap());
        writer.seal_file().unwrap()
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<PlanNote>> {
        read_notes(bytes).collect()
    }

    #[test]
    fn notes_read_back_as_they_were_written() {
        assert_eq!(read(&written()).unwrap(), all());
        assert_eq!(read(&LinesWriter::new(Vec::new()).seal_file().unwrap()).unwrap(), []);
        assert!(read(b"{\"link\":{}}\n").is_err());
    }

    #[test]
    fn notes_with_any_bit_flipped_or_cut_anywhere_are_an_error() {
        let whole = written();
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                assert!(read(&bytes).is_err(), "byte {at}, bit {bit}");
            }
            assert!(read(&whole[..at]).is_err(), "cut at {at}");
        }
        assert!(read(&[whole.as_slice(), b"{}\n"].concat()).is_err());
    }
}
