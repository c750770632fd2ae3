//! The error sheet: the rows that something was wrong with, in the format, the columns and the encoding that the source
//! has, so that they can be mended there and come back as they are.
//!
//! The cells are those of the source, unchanged, even where one looks like a formula: anything else would come back as
//! another value. To the right of them stand [`OWN_COLUMNS`], which a source does not read. Of a row whose cells cannot be
//! told only these are there; such a row counts as blank when it comes back.

use std::collections::BTreeMap;
use std::io::{self, Write};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use rust_xlsxwriter::Workbook;

use super::{OWN_COLUMNS, Source};
use crate::config::settings::{Format, TrailerSettings};
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
    pub delimiter: u8,
    pub encoding: &'static Encoding,
    /// The file begins with a byte order mark.
    pub marked: bool,
    pub sheet: Option<String>,
}

/// The most characters that a cell of a workbook holds.
const MOST_CHARS: usize = 32_767;

/// How an error sheet is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SheetForm {
    /// As CSV or TSV.
    Delimited,
    Workbook,
    JsonLines,
}

impl SheetForm {
    /// What the extension of a file's name asks for; anything unknown is delimited text.
    #[must_use]
    pub fn of_extension(extension: &str) -> Self {
        match extension.to_ascii_lowercase().as_str() {
            "xlsx" => Self::Workbook,
            "jsonl" | "ndjson" => Self::JsonLines,
            _ => Self::Delimited,
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
        let mut sheet = Sheet::begin(self, form)?;
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
            let own = [line.as_str(), complaint.error.as_str(), complaint.hint.as_str()];
            let cells: Vec<&str> = (0..width).map(|at| record.cell(at)).chain(own).collect();
            sheet.row(&cells)?;
        }
        if !rows.digests().iter().map(|file| file.digest.as_str()).eq(digests) {
            return Err(io::Error::other("the source is not what it was when these rows were read"));
        }
        if let Some(trailer) = &self.inner.trailer {
            sheet.row(&trailer_cells(trailer, counted).iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        sheet.finish(out)
    }
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
enum Sheet {
    Delimited { out: Vec<u8>, look: Look },
    Workbook { book: Box<Workbook>, row: u32 },
    JsonLines { out: Vec<u8>, names: Vec<String> },
}

impl Sheet {
    fn begin(source: &Source, form: SheetForm) -> io::Result<Self> {
        let inner = &source.inner;
        let names: Vec<&str> = source.columns().names().iter().map(String::as_str).chain(OWN_COLUMNS).collect();
        let mut sheet = match form {
            SheetForm::JsonLines => {
                return Ok(Self::JsonLines { out: Vec::new(), names: names.into_iter().map(str::to_owned).collect() });
            }
            SheetForm::Delimited => {
                let mut look = inner.look.clone();
                if !matches!(look.format, Format::Csv | Format::Tsv) {
                    // A spreadsheet program takes a file without a mark for one of its own encoding.
                    look = Look { delimiter: b',', encoding: UTF_8, marked: true, ..look };
                }
                let blank =
                    if inner.header_row > 1 { "\n".repeat(inner.header_row as usize - 1) } else { String::new() };
                Self::Delimited { out: blank.into_bytes(), look }
            }
            SheetForm::Workbook => {
                let mut book = Box::new(Workbook::new());
                let worksheet = book.add_worksheet();
                if let Some(name) = &inner.look.sheet {
                    worksheet.set_name(name).map_err(io::Error::other)?;
                }
                Self::Workbook { book, row: inner.header_row - 1 }
            }
        };
        sheet.row(&names)?;
        Ok(sheet)
    }

    fn row(&mut self, cells: &[&str]) -> io::Result<()> {
        match self {
            Self::Delimited { out, look } => {
                let mut table = csv::WriterBuilder::new().delimiter(look.delimiter).flexible(true).from_writer(out);
                table.write_record(cells)?;
                table.flush()
            }
            Self::Workbook { book, row } => {
                let worksheet = book.worksheet_from_index(0).map_err(io::Error::other)?;
                for (column, cell) in (0_u16..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
                    let cell: String = cell.chars().take(MOST_CHARS).collect();
                    worksheet.write_string(*row, column, cell).map_err(io::Error::other)?;
                }
                *row += 1;
                Ok(())
            }
            Self::JsonLines { out, names } => {
                let object: serde_json::Map<String, serde_json::Value> = names
                    .iter()
                    .zip(cells)
                    .filter(|(_, cell)| !cell.is_empty())
                    .map(|(name, cell)| (name.clone(), (*cell).into()))
                    .collect();
                serde_json::to_writer(&mut *out, &object)?;
                out.push(b'\n');
                Ok(())
            }
        }
    }

    fn finish(self, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Delimited { out, look } => {
                // What a csv writer was given as text it gives back as text.
                let text = String::from_utf8(out).map_err(io::Error::other)?;
                if look.marked {
                    to.write_all(&encoded("\u{FEFF}", look.encoding))?;
                }
                to.write_all(&encoded(&text, look.encoding))
            }
            Self::Workbook { mut book, .. } => to.write_all(&book.save_to_buffer().map_err(io::Error::other)?),
            Self::JsonLines { out, .. } => to.write_all(&out),
        }
    }
}

/// The text in an encoding. The cells of the source fit into it; of what is said of them, a character that does not is
/// replaced by a question mark.
fn encoded(text: &str, encoding: &'static Encoding) -> Vec<u8> {
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
mod tests {
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;
    use crate::config::SourceSettings;
    use crate::source::tests::{pass, settings, write};

    fn open(settings: &SourceSettings, folder: &TempDir) -> Source {
        Source::open_with(settings, &mut io::empty(), &folder.path().join("spool")).unwrap()
    }

    /// The sheet for the rows on these lines, as bytes.
    fn sheet(source: &Source, lines: &[u32], form: SheetForm) -> io::Result<Vec<u8>> {
        let complaint = Complaint { error: "not “so”, =1".into(), hint: "mend it".into() };
        let complaints = lines.iter().map(|line| (Place { file: 0, line: *line }, complaint.clone())).collect();
        let digests: Vec<String> = pass(source).unwrap().digests.into_iter().map(|file| file.digest).collect();
        let mut out = Vec::new();
        source.write_errors(&complaints, digests.iter().map(String::as_str), form, &mut out)?;
        Ok(out)
    }

    /// Writes a sheet for rows of a source, and reads it with the same settings.
    fn again(name: &str, bytes: &[u8], lines: &[u32], set: impl Fn(&mut SourceSettings)) -> (Vec<u8>, Vec<String>) {
        let folder = TempDir::new().unwrap();
        let mut given = settings(vec![write(&folder, name, bytes)]);
        set(&mut given);
        let source = open(&given, &folder);
        let form = SheetForm::of_extension(source.own_extension());
        let written = sheet(&source, lines, form).unwrap();
        let mended: PathBuf = write(&folder, &format!("mended.{}", source.own_extension()), &written);
        let back = open(&SourceSettings { paths: vec![mended], ..given }, &folder);
        assert_eq!(back.columns(), source.columns());
        let rows = pass(&back).unwrap().good.into_iter().map(|row| row.2.join("|")).collect();
        (written, rows)
    }

    #[test]
    fn rows_come_back_as_they_were_in_every_format_and_encoding() {
        let text = "id;name;note\n1;José;=1+1\n2;\"B;\no\";\n00123;Cy;\"q\"\"\"\n";
        let expected = ["1|José|=1+1", "00123|Cy|q\""];
        let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(text);
        let utf_16: Vec<u8> = format!("\u{FEFF}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let semicolon = |settings: &mut SourceSettings| settings.delimiter = Some(b';');
        assert_eq!(again("hr.csv", text.as_bytes(), &[2, 5], semicolon).1, expected);
        let marked = format!("\u{FEFF}{text}");
        let (written, rows) = again("hr.csv", marked.as_bytes(), &[2, 5], semicolon);
        assert!(written.starts_with(b"\xEF\xBB\xBFid;name;note;headcount_line;headcount_error;headcount_hint\n"));
        assert_eq!(rows, expected);
        let (written, rows) = again("hr.csv", &utf_16, &[2, 5], semicolon);
        assert!(written.starts_with(b"\xFF\xFEi\0d\0"));
        assert_eq!(rows, expected);
        let (written, rows) = again("hr.csv", &latin, &[2, 5], |settings| {
            semicolon(settings);
            settings.encoding = Some("windows-1252".into());
        });
        assert!(memchr::memmem::find(&written, b"Jos\xE9").is_some());
        assert_eq!(rows, expected);
    }

    #[test]
    fn the_sheet_of_a_workbook_is_a_workbook_and_of_json_lines_json_lines() {
        let mut book = Workbook::new();
        let worksheet = book.add_worksheet();
        worksheet.set_name("People").unwrap();
        for (row, cells) in [(2, ["id", "joined"]), (3, ["00123", "2024-03-01"]), (4, ["2", "x"])] {
            worksheet.write_string(row, 0, cells[0]).unwrap().write_string(row, 1, cells[1]).unwrap();
        }
        let bytes = book.save_to_buffer().unwrap();
        let (_, rows) = again("hr.xlsx", &bytes, &[4], |settings| {
            (settings.sheet, settings.header_row) = (Some("People".into()), 3);
        });
        assert_eq!(rows, ["00123|2024-03-01"]);
        let lines = "{\"id\":\"00123\",\"name\":{\"given\":\"Ana\"},\"skills\":[1, 2]}\n{\"id\":2}\n";
        let (written, rows) = again("hr.jsonl", lines.as_bytes(), &[1], |_| {});
        assert_eq!(rows, ["00123|Ana|[1, 2]"]);
        assert!(String::from_utf8(written).unwrap().contains("\"headcount_line\":\"1\""));
    }

    #[test]
    fn a_sheet_has_the_lines_above_the_header_and_a_trailer_of_its_own() {
        let text = "made by HR\n\nid,name\n1,Ana\n2,Bo\n3,short,\"open\nTRAILER,3\n";
        let text = text.replace("3,short,\"open\n", "3\n");
        let set = |settings: &mut SourceSettings| {
            settings.header_row = 3;
            settings.trailer = Some(TrailerSettings { mark: "TRAILER".into(), count: 2 });
        };
        let (written, rows) = again("hr.csv", text.as_bytes(), &[5, 6], set);
        assert_eq!(rows, ["2|Bo", "3|"]);
        assert!(String::from_utf8(written).unwrap().ends_with("TRAILER,2\n"));
    }

    #[test]
    fn a_source_that_is_another_by_now_gives_no_sheet() {
        let folder = TempDir::new().unwrap();
        let source = open(&settings(vec![write(&folder, "hr.csv", "id\n1\n")]), &folder);
        let complaints = BTreeMap::from([(Place { file: 0, line: 2 }, Complaint::default())]);
        let error = source.write_errors(&complaints, ["another"], SheetForm::Delimited, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("not what it was"), "{error}");
    }
}
