//! Accounts on disk, one JSON line each: written while the listing streams past, read again by position where a row
//! and its account differ. The last listing stays in the state directory and answers later questions.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::{Account, AccountId, Attributes, Digest, Schema, Value};

#[derive(Serialize)]
struct SpoolLine<'a> {
    id: &'a AccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    protected: &'a Option<String>,
    values: BTreeMap<&'a str, &'a Value>,
}

#[derive(Deserialize)]
struct OwnedLine {
    id: AccountId,
    #[serde(default)]
    protected: Option<String>,
    values: BTreeMap<String, Value>,
}

/// Accounts being written.
pub struct SpoolWriter {
    out: BufWriter<File>,
    at: u64,
    digest: [u64; 2],
    line: Vec<u8>,
}

impl SpoolWriter {
    #[must_use]
    pub fn new(file: File) -> Self {
        Self { out: BufWriter::with_capacity(1 << 16, file), at: 0, digest: [0, 0], line: Vec::new() }
    }

    /// Writes an account and says where it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push(&mut self, schema: &Schema, account: &Account) -> io::Result<u64> {
        self.line.clear();
        let values = account.values.iter().map(|(id, value)| (schema.name(id), value)).collect();
        let line = SpoolLine { id: &account.id, protected: &account.protected, values };
        serde_json::to_writer(&mut self.line, &line)?;
        self.line.push(b'\n');
        self.out.write_all(&self.line)?;
        add(&mut self.digest, &self.line);
        let at = self.at;
        self.at += self.line.len() as u64;
        Ok(at)
    }

    /// Throws away what was written, and begins anew in the same file.
    ///
    /// # Errors
    /// When the file cannot be emptied.
    pub fn empty_file(self) -> io::Result<Self> {
        // What is still buffered belongs to what is thrown away.
        let (mut file, _) = self.out.into_parts();
        file.set_len(0)?;
        file.rewind()?;
        Ok(Self::new(file))
    }

    /// The digest of everything written, whatever its order, and the file for reading.
    ///
    /// # Errors
    /// When it cannot be written out.
    pub fn finish_spool(self) -> io::Result<(String, Spool)> {
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        let digest = format_sum(self.digest);
        Ok((digest, Spool { input: BufReader::new(file), line: String::new() }))
    }
}

/// Accounts to be read by position.
pub struct Spool {
    input: BufReader<File>,
    line: String,
}

impl Spool {
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { input: BufReader::new(File::open(path)?), line: String::new() })
    }

    /// How many accounts a file has, and the digest that [`SpoolWriter::finish_spool`] gave.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn file_digest(path: &Path) -> io::Result<(u64, String)> {
        let (mut input, mut line) = (BufReader::new(File::open(path)?), Vec::new());
        let (mut count, mut digest) = (0, [0, 0]);
        while input.read_until(b'\n', &mut line)? > 0 {
            add(&mut digest, &line);
            count += 1;
            line.clear();
        }
        Ok((count, format_sum(digest)))
    }

    /// The account at a position that [`SpoolWriter::push`] gave.
    ///
    /// # Errors
    /// When it cannot be read, or is no account.
    pub fn read(&mut self, schema: &Schema, at: u64) -> io::Result<Account> {
        self.input.seek(SeekFrom::Start(at))?;
        self.next(schema)?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
    }

    /// The account after the last one read; none at the end.
    ///
    /// # Errors
    /// When it cannot be read, or is no account.
    pub fn next(&mut self, schema: &Schema) -> io::Result<Option<Account>> {
        self.line.clear();
        if self.input.read_line(&mut self.line)? == 0 {
            return Ok(None);
        }
        let line: OwnedLine = serde_json::from_str(&self.line)?;
        let values: Attributes =
            line.values.into_iter().filter_map(|(name, value)| Some((schema.id(&name)?, value))).collect();
        Ok(Some(Account { id: line.id, values, protected: line.protected }))
    }
}

/// A sum, so that the order of the lines means nothing.
fn add(digest: &mut [u64; 2], line: &[u8]) {
    for (sum, half) in digest.iter_mut().zip(Digest::of(line).0) {
        *sum = sum.wrapping_add(half);
    }
}

fn format_sum([a, b]: [u64; 2]) -> String {
    format!("{a:016x}{b:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AttrId, Attribute, Kind};

    fn account(id: &str, name: &str) -> Account {
        let values = [(AttrId(0), Value::text(name))].into_iter().collect();
        Account { id: AccountId(id.into()), values, protected: (id == "2").then(|| "Administrative".into()) }
    }

    #[test]
    fn accounts_read_back_by_position_and_the_digest_ignores_their_order() {
        let schema = Schema::new(vec![Attribute::new("name", Kind::Text)]);
        let accounts = [account("1", "Ana"), account("2", "B\u{f6}\n"), account("3", "")];
        let spool = |order: [usize; 3]| {
            let mut writer = SpoolWriter::new(tempfile::tempfile().unwrap());
            let at: Vec<_> = order.iter().map(|n| writer.push(&schema, &accounts[*n]).unwrap()).collect();
            let (digest, spool) = writer.finish_spool().unwrap();
            (at, digest, spool)
        };
        let (at, digest, mut reader) = spool([0, 1, 2]);
        for n in [2, 0, 1] {
            assert_eq!(reader.read(&schema, at[n]).unwrap(), accounts[n]);
        }
        assert_eq!(digest, spool([2, 1, 0]).1);
    }

    #[test]
    fn what_was_written_before_a_restart_is_gone() {
        let schema = Schema::new(vec![Attribute::new("name", Kind::Text)]);
        let write = |accounts: &[Account], mut writer: SpoolWriter| {
            for account in accounts {
                writer.push(&schema, account).unwrap();
            }
            writer
        };
        let many: Vec<Account> = (0..5_000).map(|n| account(&format!("x{n}"), "Somebody")).collect();
        let new = || SpoolWriter::new(tempfile::tempfile().unwrap());
        let writer = write(&many, new()).empty_file().unwrap();
        let (digest, mut spool) = write(&[account("1", "Ana")], writer).finish_spool().unwrap();
        assert_eq!(digest, write(&[account("1", "Ana")], new()).finish_spool().unwrap().0);
        assert_eq!(spool.read(&schema, 0).unwrap(), account("1", "Ana"));
        assert_eq!(spool.next(&schema).unwrap(), None);
    }
}
