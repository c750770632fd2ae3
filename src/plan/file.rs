//! The plan file: JSON Lines, a header, one line for each action, an end that seals it. It is written and read as a
//! stream, and nothing of it is believed before its seal was checked.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use super::Action;
pub use super::header::{HeldGroup, ListingDigest, PlanHeader, PlanRequests, SourceDigest, SourceFileDigest, VERSION};
use crate::model::value::{GENERATED, SECRET, Secret};
use crate::model::{Schema, Value};

#[derive(Serialize, Deserialize)]
struct End {
    end: u64,
    digest: String,
}

/// Why a plan file cannot be used. `line` is 1-based.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    #[error("the plan cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("line {line} is not part of a plan: {message}")]
    Form { line: u64, message: String },
    #[error("the plan has version {0}, this program reads version {VERSION}")]
    Version(u32),
    #[error("the plan was cut short: it ends after line {line} without its end line")]
    Cut { line: u64 },
    #[error("the plan was edited: {0}")]
    Edited(String),
}

impl PlanFileError {
    #[must_use]
    pub fn repair_hint(&self) -> &'static str {
        match self {
            Self::Io(_) => "check the path and its permissions",
            Self::Version(_) => "make the plan again with this version",
            _ => "make the plan again: only a whole, unchanged plan is applied",
        }
    }
}

/// Writes a plan: the header first, then actions in their order, then the end.
pub struct PlanWriter<W> {
    out: Hashing<W>,
    written: u64,
}

impl<W: Write> PlanWriter<W> {
    /// # Errors
    /// When the header cannot be written.
    pub fn new(out: W, header: &PlanHeader) -> io::Result<Self> {
        let mut out = Hashing { inner: out, hasher: blake3::Hasher::new() };
        write_line(&mut out, header)?;
        Ok(Self { out, written: 0 })
    }

    /// Writes the next action under the next number.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_action(&mut self, mut action: Action) -> io::Result<()> {
        self.written += 1;
        action.seq = self.written;
        write_line(&mut self.out, &action)
    }

    /// Seals the plan and says its digest.
    ///
    /// # Errors
    /// When the end cannot be written.
    pub fn seal_plan(self) -> io::Result<(W, String)> {
        let digest = format_seal(&self.out.hasher);
        let mut out = self.out.inner;
        write_line(&mut out, &End { end: self.written, digest: digest.clone() })?;
        out.flush()?;
        Ok((out, digest))
    }
}

/// Reads a whole plan without keeping it: checks every line and the seal.
///
/// # Errors
/// Everything that makes a plan unusable.
pub fn verify_plan(input: impl BufRead) -> Result<(PlanHeader, String), PlanFileError> {
    let mut reader = PlanReader::new(input)?;
    while reader.next()?.is_some() {}
    let digest = reader.digest.take().unwrap_or_default();
    Ok((reader.header, digest))
}

/// Checks the seal alone, without reading what it seals, and says the digest: many times faster than [`verify_plan`], and as
/// good for a file that this program wrote.
///
/// # Errors
/// A file that cannot be read, was cut or was changed.
pub fn verify_seal(mut input: impl BufRead) -> Result<String, PlanFileError> {
    let (mut hasher, mut lines) = (blake3::Hasher::new(), 0);
    let (mut line, mut next) = (Vec::new(), Vec::new());
    input.read_until(b'\n', &mut line)?;
    loop {
        next.clear();
        if input.read_until(b'\n', &mut next)? == 0 {
            break;
        }
        hasher.update(&line);
        lines += 1;
        std::mem::swap(&mut line, &mut next);
    }
    if !line.ends_with(b"\n") || !line.starts_with(b"{\"end\"") {
        return Err(PlanFileError::Cut { line: lines });
    }
    let end: End = serde_json::from_slice(&line)
        .map_err(|error| PlanFileError::Form { line: lines + 1, message: error.to_string() })?;
    if end.end.checked_add(1) != Some(lines) || end.digest != format_seal(&hasher) {
        return Err(PlanFileError::Edited("its contents do not match its digest".to_owned()));
    }
    Ok(end.digest)
}

/// A plan file as a stream of actions. Only [`verify_plan`] says whether it is whole, so verify first.
pub struct PlanReader<R> {
    input: R,
    pub header: PlanHeader,
    hasher: blake3::Hasher,
    line: u64,
    seq: u64,
    buffer: String,
    digest: Option<String>,
}

impl<R: BufRead> PlanReader<R> {
    /// # Errors
    /// When the first line is no header of a plan of this version.
    pub fn new(mut input: R) -> Result<Self, PlanFileError> {
        let mut buffer = String::new();
        if !read_line(&mut input, &mut buffer, 1)? {
            return Err(PlanFileError::Cut { line: 0 });
        }
        #[derive(Deserialize)]
        struct Probe {
            headcount_plan: u32,
        }
        let form = |error: serde_json::Error| PlanFileError::Form { line: 1, message: error.to_string() };
        let probe: Probe = serde_json::from_str(&buffer).map_err(form)?;
        if probe.headcount_plan != VERSION {
            return Err(PlanFileError::Version(probe.headcount_plan));
        }
        let header = serde_json::from_str(&buffer).map_err(form)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(buffer.as_bytes());
        Ok(Self { input, header, hasher, line: 1, seq: 0, buffer, digest: None })
    }

    /// The next action; none after the end line, which is checked then.
    ///
    /// # Errors
    /// When the line is no action, out of order, or the seal is broken.
    #[allow(clippy::should_implement_trait, reason = "no iterator: an error ends the reading, and adaptors hide that")]
    pub fn next(&mut self) -> Result<Option<Action>, PlanFileError> {
        if self.digest.is_some() {
            return Ok(None);
        }
        self.buffer.clear();
        if !read_line(&mut self.input, &mut self.buffer, self.line + 1)? {
            return Err(PlanFileError::Cut { line: self.line });
        }
        self.line += 1;
        if self.buffer.starts_with("{\"end\"") {
            return self.read_end().map(|()| None);
        }
        let action: Action = serde_json::from_str(&self.buffer)
            .map_err(|error| PlanFileError::Form { line: self.line, message: error.to_string() })?;
        self.seq += 1;
        if action.seq != self.seq {
            return Err(PlanFileError::Edited(format!(
                "line {} has number {} instead of {}",
                self.line, action.seq, self.seq
            )));
        }
        self.hasher.update(self.buffer.as_bytes());
        Ok(Some(action))
    }

    fn read_end(&mut self) -> Result<(), PlanFileError> {
        let end: End = serde_json::from_str(&self.buffer)
            .map_err(|error| PlanFileError::Form { line: self.line, message: error.to_string() })?;
        if end.end != self.seq {
            return Err(PlanFileError::Edited(format!("it has {} actions and says {}", self.seq, end.end)));
        }
        if end.digest != format_seal(&self.hasher) {
            return Err(PlanFileError::Edited("its contents do not match its digest".to_owned()));
        }
        self.buffer.clear();
        if read_line(&mut self.input, &mut self.buffer, self.line + 1)? {
            return Err(PlanFileError::Edited(format!("something follows its end on line {}", self.line + 1)));
        }
        self.digest = Some(end.digest);
        Ok(())
    }
}

/// Gives the marks of secrets their meaning back: a plan's text `(generated)` in a secret attribute is a value to be
/// generated, never a value to be sent.
pub fn restore_secrets(schema: &Schema, action: &mut Action) {
    for change in &mut action.changes {
        if schema.id(&change.attribute).is_some_and(|id| schema.get(id).secret) {
            match change.to.as_str() {
                Some(GENERATED) => change.to = Value::Generated,
                Some(SECRET) => change.to = Value::Secret(Secret::new(String::new())),
                _ => {}
            }
        }
    }
}

fn format_seal(hasher: &blake3::Hasher) -> String {
    format!("blake3:{}", hasher.finalize().to_hex())
}

fn write_line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Appends one line with its end; false at the end of the file. A last line without its end was cut.
fn read_line(input: &mut impl BufRead, buffer: &mut String, line: u64) -> Result<bool, PlanFileError> {
    let read = input.read_line(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => PlanFileError::Form { line, message: "it is not UTF-8".to_owned() },
        _ => PlanFileError::Io(error),
    })?;
    if read > 0 && !buffer.ends_with('\n') {
        return Err(PlanFileError::Cut { line: line - 1 });
    }
    Ok(read > 0)
}

struct Hashing<W> {
    inner: W,
    hasher: blake3::Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::safety::ActionGroup;
    use super::super::{ActionKind, Change, Counts};
    use super::*;

    fn header() -> PlanHeader {
        PlanHeader {
            headcount_plan: VERSION,
            plan: "p1".into(),
            created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            tenant: "acme".into(),
            target: "imichat https://acme.imi.chat/v3.1".into(),
            config_digest: "c".into(),
            source: SourceDigest {
                files: vec![SourceFileDigest { path: "hr.csv".into(), digest: "d".into(), rows: 3 }],
                columns: vec!["a".into()],
                included: 3,
                ..SourceDigest::default()
            },
            listing: ListingDigest { accounts: 2, complete: true, in_scope: 2, ..ListingDigest::default() },
            counts: Counts::default(),
            requests: PlanRequests { auth: 1, list: 1, lookup: 0, write: 2, total: 4 },
            held: BTreeMap::from([(
                ActionGroup::Deactivate,
                HeldGroup { count: 80, limit: 50, approve: "abc".into() },
            )]),
            stopped: Vec::new(),
            against: None,
            rollback_of: None,
        }
    }

    fn action(key: &str) -> Action {
        Action {
            changes: vec![Change { attribute: "password".into(), from: None, to: Value::Generated }],
            held: false,
            ..Action::new(ActionKind::Create, key)
        }
    }

    fn plan() -> Vec<u8> {
        let mut writer = PlanWriter::new(Vec::new(), &header()).unwrap();
        writer.write_action(action("ana")).unwrap();
        writer.write_action(action("b\u{f6}")).unwrap();
        writer.seal_plan().unwrap().0
    }

    #[test]
    fn a_plan_reads_back_as_it_was_written() {
        let bytes = plan();
        let (read, digest) = verify_plan(&*bytes).unwrap();
        assert_eq!(read, header());
        assert!(digest.starts_with("blake3:"));
        let mut reader = PlanReader::new(&*bytes).unwrap();
        assert_eq!(reader.next().unwrap().unwrap().key, "ana");
        assert_eq!(reader.next().unwrap().unwrap().seq, 2);
        assert!(reader.next().unwrap().is_none());
        assert!(reader.next().unwrap().is_none());
    }

    #[test]
    fn a_number_with_a_fraction_reads_back_as_it_was_written() {
        for number in [123_456_789.123_456_79, 0.1 + 0.2, 5e-324, f64::MAX, -0.0, 7.038_531e-26] {
            let mut action = action("ana");
            action.changes[0].to = Value::Float(number);
            let mut writer = PlanWriter::new(Vec::new(), &header()).unwrap();
            writer.write_action(action.clone()).unwrap();
            let bytes = writer.seal_plan().unwrap().0;
            let read = PlanReader::new(&*bytes).unwrap().next().unwrap().unwrap();
            assert_eq!(read.changes, action.changes);
        }
    }

    #[test]
    fn the_first_words_are_those_that_other_programs_look_for() {
        let text = String::from_utf8(plan()).unwrap();
        assert!(
            text.starts_with(
                "{\"headcount_plan\":1,\"plan\":\"p1\",\"created_at\":\"2026-01-02T03:04:05Z\",\"tenant\":"
            )
        );
        assert!(text.contains("\"held\":{\"deactivate\":{\"count\":80,\"limit\":50,\"approve\":\"abc\"}}"));
        assert!(text.contains("{\"attribute\":\"password\",\"to\":\"(generated)\"}"));
        assert!(text.lines().last().unwrap().starts_with("{\"end\":2,\"digest\":\"blake3:"));
    }

    #[test]
    fn a_plan_that_was_cut_anywhere_is_refused() {
        let bytes = plan();
        for end in 0..bytes.len() {
            assert!(verify_plan(&bytes[..end]).is_err(), "cut at byte {end}");
        }
    }

    #[test]
    fn a_plan_with_any_bit_flipped_is_refused() {
        let bytes = plan();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut edited = bytes.clone();
                edited[at] ^= 1 << bit;
                assert!(verify_plan(&*edited).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn a_line_removed_added_or_moved_is_noticed() {
        let bytes = plan();
        let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
        for order in [vec![0, 1, 3], vec![0, 2, 1, 3], vec![0, 1, 1, 2, 3], vec![0, 1, 2, 3, 1], vec![0, 1, 2, 3, 3]] {
            let edited: Vec<u8> = order.iter().flat_map(|at| lines[*at].iter().copied()).collect();
            assert!(verify_plan(&*edited).is_err(), "{order:?}");
        }
    }

    #[test]
    fn an_end_that_counts_beyond_all_measure_seals_nothing() {
        let plan = plan();
        let (actions, end) = plan.split_at(plan.windows(6).rposition(|six| six == b"{\"end\"").unwrap());
        let end = String::from_utf8(end.to_vec()).unwrap().replacen(":2,", &format!(":{},", u64::MAX), 1);
        let edited = [actions, end.as_bytes()].concat();
        assert!(matches!(verify_seal(&*edited), Err(PlanFileError::Edited(_))));
        assert!(matches!(verify_plan(&*edited), Err(PlanFileError::Edited(_))));
    }

    #[test]
    fn an_approval_releases_its_own_group_and_a_foreign_one_none() {
        let approved = |hash: &str| header().released_groups(&[hash.to_owned()]).map_err(str::to_owned);
        assert_eq!(approved("abc"), Ok(vec![ActionGroup::Deactivate]));
        assert_eq!(approved("abd"), Err("abd".to_owned()));
    }

    #[test]
    fn a_plan_of_another_version_says_so() {
        let text = String::from_utf8(plan()).unwrap().replacen("\"headcount_plan\":1", "\"headcount_plan\":2", 1);
        assert!(matches!(verify_plan(text.as_bytes()), Err(PlanFileError::Version(2))));
    }
}
