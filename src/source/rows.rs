//! A pass over the rows of all files.

use std::sync::Arc;

use crate::model::{Place, Record};

use super::Inner;
use super::error::{Fault, Quoted, SourceError, Trouble};
use super::quotes::Quoting;
use super::records::{Raw, Records};

/// One pass over all rows, file after file. It holds one window of text and no rows.
pub struct Rows {
    source: Arc<Inner>,
    current: Option<Current>,
    digests: Vec<FileDigest>,
    blank_rows: u64,
    failed: Option<SourceError>,
}

/// What a row is by its shape alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowShape {
    /// It has a cell for each column.
    Good,
    /// It cannot be used; the rows after it can.
    Bad(RowProblem),
}

/// What is wrong with one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    pub place: Place,
    /// Without the place.
    pub message: String,
    pub fault: RowFault,
}

/// How far a bad row can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFault {
    /// It has too few or too many cells; the record has those that are there, under the columns that come first.
    Cells,
    /// Where its cells end is not certain: an open quote, text behind one, the end of the file. The record is empty.
    Torn,
}

/// What a pass found of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDigest {
    /// As [`FileName::shown`](super::FileName::shown).
    pub path: String,
    /// Half of a BLAKE3 hash over the bytes of the file, in hexadecimal. Two passes with different digests did not read
    /// the same rows.
    pub digest: String,
    /// Good and bad rows; not the header, and not what [`Rows::blank_rows`] counts.
    pub rows: u64,
    /// The last row (blank or not) is not ended by a line break, though the lines before it are: the file may have been
    /// cut there.
    pub ends_without_newline: bool,
    /// It is not ended, and it cannot be used: that the file was cut there is as good as certain.
    pub ends_within_row: bool,
}

struct Current {
    file: u16,
    records: Records,
    /// For each column of the source, where this file has it.
    order: Vec<usize>,
    rows: u64,
    ends_without_newline: bool,
    ends_within_row: bool,
}

impl Rows {
    pub(super) fn start(source: Arc<Inner>) -> Result<Self, SourceError> {
        let current = Some(open(&source, 0)?);
        Ok(Self { source, current, digests: Vec::new(), blank_rows: 0, failed: None })
    }

    /// Fills `record` with the next row, in the order of [`Source::columns`](super::Source::columns). Of a bad row the
    /// record has what [`RowFault`] says. `None` is the end of the last file. After an error there are no more rows:
    /// the same error is given again.
    ///
    /// # Errors
    /// What spoils the whole source: bytes that are not text, a row that does not end, a read that fails.
    pub fn next_into(&mut self, record: &mut Record) -> Result<Option<RowShape>, SourceError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = self.advance(record);
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        }
        result
    }

    /// For each file that was read to its end, its digest and how many rows it has. All files, once
    /// [`Rows::next_into`] has given `None`.
    #[must_use]
    pub fn digests(&self) -> Vec<FileDigest> {
        self.digests.clone()
    }

    /// Rows so far that had only blank cells (`;;;;`), of whatever number. They are skipped.
    #[must_use]
    pub fn blank_rows(&self) -> u64 {
        self.blank_rows
    }

    /// Whether some file's last row is not ended by a line break, though the lines before it are. Many programs write
    /// files so; but a file that was cut short inside its last cell, or between two cells of the right number, looks
    /// the same and cannot be told from it in any other way.
    #[must_use]
    pub fn ends_without_newline(&self) -> bool {
        self.digests.iter().any(|file| file.ends_without_newline)
    }

    /// Whether the row that was read last is not ended by a line break: the file ends with it.
    #[must_use]
    pub fn last_is_unterminated(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.ends_without_newline)
    }

    fn advance(&mut self, record: &mut Record) -> Result<Option<RowShape>, SourceError> {
        record.clear();
        loop {
            let Some(current) = &mut self.current else { return Ok(None) };
            let input = &self.source.files[usize::from(current.file)];
            let located = |trouble: Trouble| trouble.in_file(&input.name.shown);
            let expected = self.source.columns.names().len();
            let delimiter = current.records.delimiter;
            let Some(raw) = current.records.next().map_err(located)? else {
                self.digests.push(FileDigest {
                    path: input.name.shown.clone(),
                    digest: current.records.text.digest(),
                    rows: current.rows,
                    ends_without_newline: current.ends_without_newline,
                    ends_within_row: current.ends_within_row,
                });
                let next = current.file + 1;
                let more = usize::from(next) < self.source.files.len();
                self.current = if more { Some(open(&self.source, next)?) } else { None };
                continue;
            };
            current.ends_without_newline = !raw.terminated;
            if raw.quoting == Quoting::Sound && raw.is_blank() {
                self.blank_rows += 1;
                continue;
            }
            current.rows += 1;
            record.place = Place { file: current.file, line: raw.line };
            if let Some(message) = problem(&raw, expected, delimiter) {
                current.ends_within_row = !raw.terminated;
                let torn = raw.quoting != Quoting::Sound || !raw.terminated;
                let fault = if torn { RowFault::Torn } else { RowFault::Cells };
                if fault == RowFault::Cells {
                    current.order.iter().for_each(|at| record.push(if *at < raw.len() { raw.cell(*at) } else { "" }));
                }
                return Ok(Some(RowShape::Bad(RowProblem { place: record.place, message, fault })));
            }
            current.order.iter().for_each(|at| record.push(raw.cell(*at)));
            return Ok(Some(RowShape::Good));
        }
    }
}

/// Opens a file of a source that was checked before, at its first row.
fn open(source: &Inner, file: u16) -> Result<Current, SourceError> {
    let input = &source.files[usize::from(file)];
    let (records, names) = input.open(source.header_row)?;
    let changed = || Trouble::from(Fault::Changed).in_file(&input.name.shown);
    let order = order(source.columns.names(), &names).ok_or_else(changed)?;
    Ok(Current { file, records, order, rows: 0, ends_without_newline: false, ends_within_row: false })
}

/// Where each of `columns` stands among `names`; none where they are not the same set.
fn order(columns: &[String], names: &[String]) -> Option<Vec<usize>> {
    if columns.len() != names.len() {
        return None;
    }
    columns.iter().map(|column| names.iter().position(|name| name == column)).collect()
}

/// Why a row cannot be used.
fn problem(raw: &Raw<'_>, expected: usize, delimiter: u8) -> Option<String> {
    match raw.quoting {
        Quoting::Open { at } => {
            let line = raw.line_of(at);
            return Some(format!(
                "the file ends inside a quoted cell that began on line {line}: it may have been cut short"
            ));
        }
        Quoting::TextAfter { at } => {
            let line = raw.line_of(at);
            return Some(format!(
                "text follows a closing quote on line {line}: a quote inside a cell must be doubled{}",
                extent(raw)
            ));
        }
        Quoting::Sound => {}
    }
    let found = raw.len();
    if found == expected {
        return None;
    }
    let cells = if found == 1 { "cell" } else { "cells" };
    let why = match () {
        () if found < expected && !raw.terminated => {
            ", and the file ends within it: it may have been cut short".to_owned()
        }
        () if found > expected => {
            format!(": a cell that holds the delimiter {} must stand in quotes", Quoted(delimiter))
        }
        () => String::new(),
    };
    Some(format!("the row has {found} {cells} instead of {expected}{why}{}", extent(raw)))
}

/// How far a row reaches that is not on one line: the rows it has swallowed are not read on their own.
fn extent(raw: &Raw<'_>) -> String {
    if raw.last_line == raw.line {
        return String::new();
    }
    format!("; the row reaches to line {}, so a quote may not be closed", raw.last_line)
}
