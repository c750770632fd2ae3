//! The error sheet: the rows that something was wrong with, in the format, the columns and the encoding that the source
//! has, so that they can be mended there and come back as they are.
//!
//! The cells are those of the source, unchanged, even where one looks like a formula: anything else would come back as
//! another value. To the right of them stand [`OWN_COLUMNS`], which a source does not read. Of a row whose cells cannot be
//! told only these are there; such a row counts as blank when it comes back.
//!
//! An xlsx file is written for the rows of an ods file, which spreadsheet programs open alike, and what was packed is
//! written unpacked, so that it can be mended: a source is known by its name, so that both are read again as they are.

use std::collections::BTreeMap;
use std::io::{self, Write};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use rust_xlsxwriter::Workbook;

use super::{OWN_COLUMNS, Source};
use crate::config::{Format, TrailerSettings};
use crate::model::{Place, Record};

/// What is wrong with a row, and what to do about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaint {
    pub error: String,
    pub hint: String,
}

/// How a source looks, as far as rows that come back must look the same.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub format: Format,
    /// What the settings say, whatever a file is called.
    pub set_format: Option<Format>,
    pub set_delimiter: Option<u8>,
    pub encoding: &'static Encoding,
    /// The file begins with a byte order mark.
    pub marked: bool,
    pub line_end: LineEnd,
    pub sheet: Option<String>,
}

/// What stands behind each row of delimited text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    Lf,
    CrLf,
    Cr,
}

impl LineEnd {
    fn text(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
            Self::Cr => "\r",
        }
    }

    fn terminator(self) -> csv::Terminator {
        match self {
            Self::Lf => csv::Terminator::Any(b'\n'),
            Self::CrLf => csv::Terminator::CRLF,
            Self::Cr => csv::Terminator::Any(b'\r'),
        }
    }
}

/// The most characters that a cell of a workbook holds.
const MOST_CHARS: usize = 32_767;

/// How an error sheet is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SheetForm {
    Csv,
    Tsv,
    Workbook,
    JsonLines,
}

impl SheetForm {
    /// What the extension of a file's name asks for; anything unknown is CSV, as it is when such a file is read.
    #[must_use]
    pub fn of_extension(extension: &str) -> Self {
        match extension.to_ascii_lowercase().as_str() {
            "xlsx" => Self::Workbook,
            "jsonl" | "ndjson" => Self::JsonLines,
            "tsv" | "tab" => Self::Tsv,
            _ => Self::Csv,
        }
    }
}

impl Source {
    /// The extension of files in this source's own format, as far as it can be written: rows of an ods file are written
    /// as xlsx.
    #[must_use]
    pub fn own_extension(&self) -> &'static str {
        match self.inner.look.format {
            Format::Csv => "csv",
            Format::Tsv => "tsv",
            Format::Xlsx | Format::Ods => "xlsx",
            Format::Jsonl => "jsonl",
        }
    }

    /// Writes the rows that `complaints` names, in the order of the source, each with what is wrong with it. What else
    /// makes the source readable is there as well: the lines above its header, and its trailer, with the number of these
    /// rows.
    ///
    /// `digests` are those of the files when the complaints were made.
    ///
    /// # Errors
    /// A source that cannot be read any more, or is another by now; a sheet that cannot be written.
    pub fn write_errors<'d>(
        &self,
        complaints: &BTreeMap<Place, Complaint>,
        digests: impl IntoIterator<Item = &'d str>,
        form: SheetForm,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut sheet = SheetWriter::begin(self, form)?;
        let mut rows = self.rows().map_err(io::Error::other)?;
        let mut record = Record::default();
        let mut counted = 0;
        let width = self.columns().names().len();
        while rows.next_into(&mut record).map_err(io::Error::other)?.is_some() {
            let Some(complaint) = complaints.get(&record.place) else { continue };
            counted += u64::from(record.cells().any(|cell| !cell.trim().is_empty()));
            let line = match self.files() {
                [_] => record.place.line.to_string(),
                files => format!("{}:{}", files[usize::from(record.place.file)].short, record.place.line),
            };
            let cells: Vec<&str> = (0..width).map(|at| record.cell(at)).collect();
            sheet.row(&cells, &[&line, &inert_cell(&complaint.error), &inert_cell(&complaint.hint)])?;
        }
        if !rows.digests().iter().map(|file| file.digest.as_str()).eq(digests) {
            return Err(io::Error::other("the source changed since these rows were read"));
        }
        // No line of JSON can be one.
        if let Some(trailer) = self.inner.trailer.as_ref().filter(|_| form != SheetForm::JsonLines) {
            sheet.row(&trailer_cells(trailer, counted).iter().map(String::as_str).collect::<Vec<_>>(), &[])?;
        }
        sheet.finish(out)
    }
}

/// A text that no spreadsheet program takes for a formula. What a server said stands in it, and it does not come back.
fn inert_cell(text: &str) -> std::borrow::Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text.into() }
}

fn trailer_cells(trailer: &TrailerSettings, rows: u64) -> Vec<String> {
    let mut cells = vec![String::new(); trailer.count.max(1)];
    cells[0].clone_from(&trailer.mark);
    match trailer.count {
        1 => cells[0] = format!("{} {rows}", trailer.mark),
        count => cells[count - 1] = rows.to_string(),
    }
    cells
}

/// A sheet being written; its rows are few, and are held in memory.
enum SheetWriter {
    Delimited { out: Vec<u8>, text: TextLook, delimiter: u8, line_end: LineEnd },
    Workbook { book: Box<Workbook>, row: u32 },
    JsonLines { out: Vec<u8>, text: TextLook, names: Vec<String> },
}

/// How text becomes bytes.
struct TextLook {
    encoding: &'static Encoding,
    marked: bool,
    /// A cell of the source has a character that the encoding has not: of several files each may have its own.
    misfits: bool,
}

impl SheetWriter {
    fn begin(source: &Source, form: SheetForm) -> io::Result<Self> {
        let Look { format, set_format, set_delimiter, encoding, marked, line_end, sheet } = source.inner.look.clone();
        let names: Vec<&str> = source.columns().names().iter().map(String::as_str).collect();
        let lines_above = source.inner.header_row - 1;
        // A spreadsheet program takes a file of rows without a mark for one of its own encoding.
        let is_text = matches!(format, Format::Csv | Format::Tsv);
        let marks = !is_text && encoding == UTF_8 && form != SheetForm::JsonLines;
        let text = TextLook { encoding, marked: marked || marks, misfits: false };
        let mut sheet = match form {
            SheetForm::JsonLines => {
                let names = names.into_iter().chain(OWN_COLUMNS).map(str::to_owned).collect();
                return Ok(Self::JsonLines { out: Vec::new(), text, names });
            }
            SheetForm::Csv | SheetForm::Tsv => {
                // As the file will be read: a format that is set counts before what its name says.
                let is_tsv = match set_format {
                    Some(Format::Tsv) => true,
                    Some(Format::Csv) => false,
                    _ => form == SheetForm::Tsv,
                };
                let delimiter = set_delimiter.unwrap_or(if is_tsv { b'\t' } else { b',' });
                let out = line_end.text().repeat(lines_above as usize).into_bytes();
                Self::Delimited { out, text, delimiter, line_end }
            }
            SheetForm::Workbook => {
                let mut book = Box::new(Workbook::new());
                let worksheet = book.add_worksheet();
                if let Some(name) = &sheet {
                    worksheet.set_name(name).map_err(io::Error::other)?;
                }
                Self::Workbook { book, row: lines_above }
            }
        };
        sheet.row(&names, &OWN_COLUMNS)?;
        Ok(sheet)
    }

    /// The cells of the source, and those that headcount adds.
    fn row(&mut self, cells: &[&str], own: &[&str]) -> io::Result<()> {
        match self {
            Self::Delimited { out, text, delimiter, line_end } => {
                text.look_at(cells);
                let mut table = csv::WriterBuilder::new();
                table.delimiter(*delimiter).flexible(true).terminator(line_end.terminator());
                let mut table = table.from_writer(out);
                table.write_record(cells.iter().chain(own))?;
                table.flush()
            }
            Self::Workbook { book, row } => {
                let worksheet = book.worksheet_from_index(0).map_err(io::Error::other)?;
                // Cut, a cell would come back as another value.
                if let Some(cell) = cells.iter().find(|cell| cell.encode_utf16().count() > MOST_CHARS) {
                    let length = cell.encode_utf16().count();
                    let message = format!("a cell of a workbook cannot hold {length} characters; use a .csv file");
                    return Err(io::Error::other(message));
                }
                // Half of it leaves room for those characters that are written as several.
                let own = own.iter().map(|text| text.chars().take(MOST_CHARS / 2).collect::<String>());
                let cells = cells.iter().map(|cell| (*cell).to_owned()).chain(own);
                for (column, cell) in (0_u16..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
                    worksheet.write_string(*row, column, cell).map_err(io::Error::other)?;
                }
                *row += 1;
                Ok(())
            }
            Self::JsonLines { out, text, names } => {
                text.look_at(cells);
                write_object(out, names, cells.iter().chain(own).copied())
            }
        }
    }

    fn finish(self, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Delimited { out, text, .. } => text.write(out, to),
            Self::Workbook { mut book, .. } => to.write_all(&book.save_to_buffer().map_err(io::Error::other)?),
            Self::JsonLines { mut out, text, names } => {
                if out.is_empty() {
                    write_object(&mut out, &names, std::iter::empty())?;
                }
                text.write(out, to)
            }
        }
    }
}

/// Adds a line with every name in it, because the columns of JSON Lines are the names that occur.
fn write_object<'c>(out: &mut Vec<u8>, names: &[String], cells: impl Iterator<Item = &'c str>) -> io::Result<()> {
    let values = cells.map(|cell| if cell.is_empty() { serde_json::Value::Null } else { cell.into() });
    let values = values.chain(std::iter::repeat(serde_json::Value::Null));
    out.push(b'{');
    for (at, (name, value)) in names.iter().zip(values).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, name)?;
        out.push(b':');
        serde_json::to_writer(&mut *out, &value)?;
    }
    out.extend_from_slice(b"}\n");
    Ok(())
}

impl TextLook {
    fn look_at(&mut self, cells: &[&str]) {
        let is_unicode = [UTF_8, UTF_16LE, UTF_16BE].contains(&self.encoding);
        self.misfits |= !is_unicode && cells.iter().any(|cell| self.encoding.encode(cell).2);
    }

    fn write(self, out: Vec<u8>, to: &mut dyn Write) -> io::Result<()> {
        // What a writer was given as text it gives back as text.
        let text = String::from_utf8(out).map_err(io::Error::other)?;
        // With its mark a file is read as UTF-8 whatever the settings say.
        let (encoding, marked) = if self.misfits { (UTF_8, true) } else { (self.encoding, self.marked) };
        if marked {
            to.write_all(&encode_text("\u{FEFF}", encoding))?;
        }
        to.write_all(&encode_text(&text, encoding))
    }
}

/// The text in an encoding that the cells of the source fit into; of what is said of them, a character that does not is
/// replaced by a question mark.
fn encode_text(text: &str, encoding: &'static Encoding) -> Vec<u8> {
    if encoding == UTF_16LE {
        return text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    }
    if encoding == UTF_16BE {
        return text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    }
    let (bytes, _, unmappable) = encoding.encode(text);
    if !unmappable {
        return bytes.into_owned();
    }
    let fits = |char: &char| !encoding.encode(char.encode_utf8(&mut [0; 4])).2;
    let replaced: String = text.chars().map(|char| if fits(&char) { char } else { '?' }).collect();
    encoding.encode(&replaced).0.into_owned()
}

#[cfg(test)]
mod tests;
