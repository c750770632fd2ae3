//! A pass over the rows of all files.

use std::sync::Arc;

use crate::model::{Columns, Place, Record};

use super::Inner;
use super::error::{Fault, QuotedByte, SourceError, Trouble};
use super::files::InputFile;
use super::quotes::Quoting;
use super::records::{RawRecord, Records};
use super::row_shape::{RowFault, RowProblem, RowShape};
use super::spool::Mark;
use super::{count, is_own_column};

/// One pass over all rows, file after file. It holds one window of text and no rows.
pub struct Rows {
    source: Arc<Inner>,
    current: Option<OpenFile>,
    digests: Vec<FileDigest>,
    blank_rows: u64,
    failed: Option<SourceError>,
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

struct OpenFile {
    file: u16,
    records: Records,
    /// For each column of the source, where this file has it.
    order: Vec<usize>,
    /// How many columns this file has.
    width: usize,
    rows: u64,
    /// What the trailer said, once it was read.
    trailer: Option<u64>,
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
        let result = self.read_next(record);
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

    fn read_next(&mut self, record: &mut Record) -> Result<Option<RowShape>, SourceError> {
        record.clear();
        loop {
            let Some(current) = &mut self.current else { return Ok(None) };
            let input = &self.source.files[usize::from(current.file)];
            let located = |trouble: Trouble| trouble.in_file(&input.name.shown);
            let delimiter = current.records.delimiter;
            let Some(raw) = current.records.next().map_err(located)? else {
                current.check_trailer(&self.source).map_err(located)?;
                self.blank_rows += input.spooled.as_ref().map_or(0, |spooled| spooled.blank_rows);
                self.digests.push(current.digest(input));
                let next = current.file + 1;
                let more = usize::from(next) < self.source.files.len();
                self.current = if more { Some(open(&self.source, next)?) } else { None };
                if !more {
                    self.check_count()?;
                }
                continue;
            };
            let mark = match &input.spooled {
                None => None,
                Some(_) => Some(Mark::read(raw.cell(0)).ok_or_else(|| located(Fault::Changed.into()))?),
            };
            let line = mark.map_or(raw.line, |mark| mark.line);
            let skipped = mark.map_or(0, Mark::cells);
            current.ends_without_newline = !raw.terminated;
            if mark.is_none() && raw.quoting == Quoting::Sound && is_blank(&current.order, current.width, &raw) {
                self.blank_rows += 1;
                continue;
            }
            if current.trailer.is_some() {
                return Err(located(Trouble::from(Fault::AfterTrailer).at_line(line)));
            }
            if let Some(settings) = &self.source.trailer {
                let first = current.order.iter().min().copied().unwrap_or(0);
                let cell = |at: usize| (first + skipped + at < raw.len()).then(|| raw.cell(first + skipped + at));
                if let Some(said) = count::of_trailer(settings, cell) {
                    current.trailer = Some(said.map_err(|fault| located(Trouble::from(fault).at_line(line)))?);
                    // The number says that nothing is missing, whatever stands behind it.
                    current.ends_without_newline = false;
                    continue;
                }
            }
            current.rows += 1;
            record.place = Place { file: current.file, line };
            let bad = match mark {
                None => shape_problem(&raw, current.width, delimiter).map(|message| {
                    current.ends_within_row = !raw.terminated;
                    let torn = raw.quoting != Quoting::Sound || !raw.terminated;
                    (message, if torn { RowFault::Torn } else { RowFault::Cells })
                }),
                Some(mark) => mark.fault.map(|fault| (raw.cell(skipped - 1).to_owned(), fault)),
            };
            let cell = |at: usize| if at + skipped < raw.len() { raw.cell(at + skipped) } else { "" };
            if let Some((message, fault)) = bad {
                if fault == RowFault::Cells {
                    current.order.iter().for_each(|at| record.push(cell(*at)));
                }
                return Ok(Some(RowShape::Bad(RowProblem { place: record.place, message, fault })));
            }
            current.order.iter().for_each(|at| record.push(cell(*at)));
            return Ok(Some(RowShape::Good));
        }
    }

    /// Whether there are as many rows as the manifest says.
    fn check_count(&self) -> Result<(), SourceError> {
        let Some(expected) = &self.source.expected else { return Ok(()) };
        let found = self.digests.iter().map(|file| file.rows).sum();
        if found == expected.rows {
            return Ok(());
        }
        let fault = Fault::Count { by: expected.by.clone(), said: expected.rows, found };
        let shown = self.source.names.first().map_or("", |name| &name.shown);
        Err(Trouble::from(fault).in_file(shown))
    }
}

impl OpenFile {
    fn check_trailer(&self, source: &Inner) -> Result<(), Trouble> {
        let Some(settings) = &source.trailer else { return Ok(()) };
        match self.trailer {
            None => Err(Fault::NoTrailer { mark: settings.mark.clone() }.into()),
            Some(said) if said != self.rows => {
                Err(Fault::Count { by: "the trailer".to_owned(), said, found: self.rows }.into())
            }
            Some(_) => Ok(()),
        }
    }

    fn digest(&self, input: &InputFile) -> FileDigest {
        FileDigest {
            path: input.name.shown.clone(),
            digest: input.digest.clone().unwrap_or_else(|| self.records.text.digest()),
            rows: self.rows,
            ends_without_newline: self.ends_without_newline,
            ends_within_row: self.ends_within_row
                || input.spooled.as_ref().is_some_and(|spooled| spooled.ends_within_row),
        }
    }
}

/// Opens a file of a source that was checked before, at its first row.
fn open(source: &Inner, file: u16) -> Result<OpenFile, SourceError> {
    let input = &source.files[usize::from(file)];
    let (records, names) = input.open(source.header_row)?;
    let changed = || Trouble::from(Fault::Changed).in_file(&input.name.shown);
    let order = column_order(&source.columns, &names).ok_or_else(changed)?;
    Ok(OpenFile {
        file,
        records,
        order,
        width: names.len(),
        rows: 0,
        trailer: None,
        ends_without_newline: false,
        ends_within_row: false,
    })
}

/// Whether no cell of the source's own columns says anything.
fn is_blank(order: &[usize], width: usize, raw: &RawRecord<'_>) -> bool {
    if order.len() == width || raw.len() > width {
        return raw.is_blank();
    }
    order.iter().all(|at| *at >= raw.len() || raw.cell(*at).chars().all(char::is_whitespace))
}

/// Where each of `columns` stands among `names`; none where they are not the same set.
fn column_order(columns: &Columns, names: &[String]) -> Option<Vec<usize>> {
    let mut order = vec![None; columns.names().len()];
    for (at, name) in names.iter().enumerate().filter(|(_, name)| !is_own_column(name)) {
        *order.get_mut(columns.position(name)?)? = Some(at);
    }
    order.into_iter().collect()
}

/// Why a row cannot be used.
fn shape_problem(raw: &RawRecord<'_>, expected: usize, delimiter: u8) -> Option<String> {
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
                describe_extent(raw)
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
            format!(": a cell that holds the delimiter {} must be in quotes", QuotedByte(delimiter))
        }
        () => String::new(),
    };
    Some(format!("the row has {found} {cells} instead of {expected}{why}{}", describe_extent(raw)))
}

/// How far a row reaches that is not on one line: the rows it has swallowed are not read on their own.
fn describe_extent(raw: &RawRecord<'_>) -> String {
    if raw.last_line == raw.line {
        return String::new();
    }
    format!("; the row reaches to line {}, so a quote may not be closed", raw.last_line)
}
