//! What can be wrong with a source as a whole. What is wrong with a single row is a
//! [`RowProblem`](super::RowProblem) and stops nothing.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::looks::Looks;
use super::row_shape::MAX_RECORD;

/// Why a source cannot be read: which file, where in it, what, and with [`SourceError::hint`] what to do about it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}: {fault}{}", LinePlace(file, *line), Byte(*byte))]
pub struct SourceError {
    /// As the user knows it: relative to the working folder where it lies below it, `-` for standard input.
    pub file: String,
    /// 1-based, as an editor counts.
    pub line: Option<u32>,
    /// Bytes of the file before the trouble, as `xxd` and `head -c` count.
    pub byte: Option<u64>,
    pub fault: Fault,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    #[error("no file is named")]
    NoFiles,
    #[error("{0} files are named, but the maximum is 65535")]
    TooManyFiles(usize),
    #[error("standard input is named twice, but can be read only once")]
    StdinTwice,
    #[error("there is no such file")]
    Missing {
        /// The file beside it that was probably meant, or the folder that is not there either.
        hint: String,
    },
    #[error("this is a folder")]
    Folder,
    #[error("it cannot be read: permission denied")]
    Denied,
    #[error("{doing} failed: {message}")]
    Io { doing: &'static str, kind: io::ErrorKind, message: String },
    /// Of what can be read only once.
    #[error("it cannot be copied to {}: {message}", folder.display())]
    Copy { folder: PathBuf, message: String },
    #[error("format {0:?} cannot be read by this version; {advice}", advice = format_advice(.0))]
    Format(String),
    #[error("{} cannot be the delimiter", QuotedByte(*.0))]
    Delimiter(u8),
    #[error("{label:?} is not a known encoding{}", DidYouMean(nearest.as_deref()))]
    UnknownEncoding { label: String, nearest: Option<&'static str> },
    #[error("this is not text: {0}")]
    Binary(Looks),
    #[error("the bytes {} are not {encoding}{}", Hex(bytes), AtEnd(*at_end))]
    Encoding {
        encoding: &'static str,
        /// The first of the bytes that could not be read.
        bytes: Vec<u8>,
        /// The file ends in the middle of a character.
        at_end: bool,
        /// What these bytes say in windows-1252, where that makes sense.
        windows_1252: Option<char>,
    },
    #[error("the file is empty")]
    Empty,
    #[error("there is no header: line {header_row} and all lines below it are empty")]
    NoHeader { header_row: u32 },
    #[error("{} without a name in the header", ColumnList(.0))]
    UnnamedColumns(Vec<usize>),
    #[error("the name {name:?} is in the header twice: {}", ColumnList(columns))]
    DuplicateColumn { name: String, columns: Vec<usize> },
    #[error("the quotes of the header do not match")]
    HeaderQuotes,
    #[error("the file looks delimited by {}: set source.delimiter = {}", QuotedByte(*.0), QuotedByte(*.0))]
    LooksDelimited(u8),
    #[error("its columns are not those of {first}{}{}", Names("missing", missing), Names("not expected", extra))]
    ColumnsDiffer { first: String, missing: Vec<String>, extra: Vec<String> },
    #[error("a row of more than {} MiB begins here", MAX_RECORD >> 20)]
    RowTooLong {
        /// The line of the quote that nothing closes, if that is why.
        quote: Option<u32>,
    },
    #[error("its name says {packing}, but its content is not packed")]
    NotPacked { packing: &'static str },
    #[error("the {packing} file ends before its content does: it was cut short")]
    CutShort { packing: &'static str },
    #[error("the {what} file is damaged: {message}")]
    Damaged { what: &'static str, message: String },
    /// Refused before it fills disk or memory.
    #[error("{from} bytes expand to {bytes} or more, which no export does")]
    Expands { bytes: u64, from: u64 },
    #[error("this is not a workbook but {0}")]
    NoWorkbook(&'static str),
    #[error("the workbook is encrypted with a password")]
    Encrypted,
    #[error("the workbook cannot be read: {0}")]
    Workbook(String),
    #[error("there is no sheet {sheet:?}; there is {}", QuotedList(sheets))]
    NoSheet { sheet: String, sheets: Vec<String> },
    #[error("the workbook has several sheets: {}", QuotedList(sheets))]
    WhichSheet { sheets: Vec<String> },
    #[error("the header has merged cells ({cells}), so not every column has its own name")]
    MergedHeader { cells: String },
    #[error("no line of the file is a JSON object with a name in it")]
    NoObjects,
    #[error("this is a JSON list: JSON Lines has one object on each line")]
    JsonArray,
    #[error("more than {0} columns: the names of the objects seem to be data")]
    TooManyColumns(usize),
    #[error("the last row does not begin with {mark:?}: the trailer is missing")]
    NoTrailer { mark: String },
    #[error("rows follow the trailer")]
    AfterTrailer,
    #[error("cell {cell} of the trailer is not a number of rows")]
    TrailerWithoutCount { cell: usize },
    #[error("a JSON Lines file has no row that could be the trailer")]
    TrailerOfJson,
    #[error("there is no number of rows in it: it must hold only a number, or JSON with {name:?}")]
    NoCount { name: String },
    #[error("{by} says {said} rows, but there {} {found}", if *found == 1 { "is" } else { "are" })]
    Count { by: String, said: u64, found: u64 },
    #[error("the header changed while the file was in use")]
    Changed,
    /// Only where every row counts, as in a lookup table.
    #[error("{0}")]
    Row(String),
}

impl SourceError {
    /// What to do about it, where the message does not say so already.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match &self.fault {
            Fault::NoFiles => "set source.path to the export".into(),
            Fault::TooManyFiles(_) => "join them into fewer files".into(),
            Fault::StdinTwice => "name \"-\" once in source.path".into(),
            Fault::Missing { hint } => hint.clone(),
            Fault::Folder => "name the files in it: source.path may be a list".into(),
            Fault::Denied => "let the user who runs headcount read it".into(),
            Fault::Copy { .. } => "a source is read twice, so standard input or a pipe is copied to a file there; \
                use a file instead, or another state directory"
                .into(),
            Fault::Delimiter(_) => {
                "a delimiter is one ASCII character other than a quote or a line break, such as \";\", \",\", \
                 \"\\t\", \"|\""
                    .into()
            }
            Fault::UnknownEncoding { .. } => {
                "such as \"utf-8\", \"windows-1252\", \"iso-8859-15\", \"utf-16le\", \"shift_jis\"".into()
            }
            Fault::Binary(looks) => looks.advice().into(),
            Fault::Encoding { at_end: true, .. } => "it may have been cut short: export it again".into(),
            Fault::Encoding { windows_1252: Some(meant), .. } => {
                format!("in windows-1252 this is {meant:?}: if that is right, set source.encoding = \"windows-1252\"")
            }
            Fault::Encoding { .. } => {
                "set source.encoding to the one the export was written in, or export it as UTF-8".into()
            }
            Fault::Empty => "the export probably failed: make it again".into(),
            Fault::NoHeader { .. } => "source.header_row is the line that names the columns".into(),
            Fault::UnnamedColumns(_) => {
                "name each column; a delimiter at the end of the header makes one more column; \
                 if the names are further down, set source.header_row"
                    .into()
            }
            Fault::DuplicateColumn { .. } => "give each column its own name".into(),
            Fault::HeaderQuotes => "a quote inside a name must be doubled, and each quoted name closed".into(),
            Fault::ColumnsDiffer { .. } => "all files of a source must have the same columns, in any order".into(),
            Fault::RowTooLong { quote: Some(line) } => {
                format!(
                    "the quote on line {line} is probably never closed: close it, or double it if it is part of the text"
                )
            }
            Fault::RowTooLong { quote: None } => "this is probably the wrong export".into(),
            Fault::Changed => "run again when the export is complete".into(),
            Fault::NotPacked { .. } => "rename it, or pack it".into(),
            Fault::CutShort { .. } | Fault::Damaged { .. } => "copy or export it again".into(),
            Fault::Expands { .. } => "unpack it, check it, and use the unpacked file".into(),
            Fault::NoWorkbook("text, such as CSV") => {
                "set source.format = \"csv\", or give it the name of its format".into()
            }
            Fault::NoWorkbook(_) => "open it in a spreadsheet program and save it as xlsx".into(),
            Fault::Encrypted => {
                "save it without a password: access to the file itself can be restricted instead".into()
            }
            Fault::Workbook(_) => "open it in a spreadsheet program and save it again".into(),
            Fault::NoSheet { sheet, sheets } => {
                match crate::model::text::nearest(sheet, sheets.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean source.sheet = {near:?}?"),
                    None => "set source.sheet to one of them".into(),
                }
            }
            Fault::WhichSheet { .. } => "set source.sheet to the one with the people".into(),
            Fault::MergedHeader { .. } => {
                "unmerge them; if the names are further down, set source.header_row to their row".into()
            }
            Fault::NoObjects => "this is probably the wrong export".into(),
            Fault::JsonArray => "`jq -c '.[]'` writes each element of a list on a line of its own".into(),
            Fault::TooManyColumns(_) => "give the objects the same names".into(),
            Fault::NoTrailer { .. } | Fault::Count { .. } => {
                "the export is incomplete, or not the one that was counted: export it again".into()
            }
            Fault::AfterTrailer => "source.trailer.mark must be a text that only the last row begins with".into(),
            Fault::TrailerWithoutCount { .. } => {
                "source.trailer.count is the cell of the trailer that holds the number".into()
            }
            Fault::TrailerOfJson => "use source.manifest instead of source.trailer".into(),
            Fault::NoCount { .. } => "source.manifest.count names the member that holds the number".into(),
            Fault::Io { .. } | Fault::Format(_) | Fault::LooksDelimited(_) | Fault::Row(_) => return None,
        };
        Some(hint)
    }
}

/// A fault that does not know its file yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trouble {
    pub line: Option<u32>,
    pub byte: Option<u64>,
    pub fault: Fault,
}

impl Trouble {
    pub(super) fn in_file(self, file: &str) -> SourceError {
        SourceError { file: file.to_owned(), line: self.line, byte: self.byte, fault: self.fault }
    }

    pub(super) fn at_line(self, line: u32) -> Self {
        Self { line: Some(line), ..self }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self { line: None, byte: None, fault }
    }
}

impl Fault {
    pub(super) fn io(doing: &'static str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::Denied,
            io::ErrorKind::IsADirectory => Self::Folder,
            kind => Self::Io { doing, kind, message: error.to_string() },
        }
    }
}

fn format_advice(format: &str) -> &'static str {
    match format {
        "json" => "write one object on each line (`jq -c '.[]'` does) and call it .jsonl",
        "xls" | "xlsb" => "save it as xlsx, or export the sheet as CSV",
        _ => "unpack it first",
    }
}

/// A delimiter as it would stand in the configuration.
pub(super) struct QuotedByte(pub(super) u8);

impl fmt::Display for QuotedByte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", char::from(self.0).to_string())
    }
}

struct LinePlace<'a>(&'a str, Option<u32>);

impl fmt::Display for LinePlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        self.1.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

struct Byte(Option<u64>);

impl fmt::Display for Byte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |byte| write!(f, " (at byte {byte})"))
    }
}

struct DidYouMean<'a>(Option<&'a str>);

impl fmt::Display for DidYouMean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |nearest| write!(f, "; did you mean {nearest:?}?"))
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if at == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

struct AtEnd(bool);

impl fmt::Display for AtEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { ": the file ends in the middle of a character" } else { "" })
    }
}

struct ColumnList<'a>(&'a [usize]);

impl fmt::Display for ColumnList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.len() == 1 { "column " } else { "columns " })?;
        for (at, column) in self.0.iter().enumerate() {
            let before = match at {
                0 => "",
                at if at + 1 == self.0.len() => " and ",
                _ => ", ",
            };
            write!(f, "{before}{column}")?;
        }
        Ok(())
    }
}

struct QuotedList<'a>(&'a [String]);

impl fmt::Display for QuotedList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 20;
        for (at, name) in self.0.iter().take(SHOWN).enumerate() {
            write!(f, "{}{name:?}", if at == 0 { "" } else { ", " })?;
        }
        match self.0.len() {
            0 => f.write_str("none"),
            count if count > SHOWN => write!(f, " and {} more", count - SHOWN),
            _ => Ok(()),
        }
    }
}

struct Names<'a>(&'static str, &'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1.is_empty() {
            return Ok(());
        }
        write!(f, "; {}: ", self.0)?;
        for (at, name) in self.1.iter().enumerate() {
            write!(f, "{}{name:?}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(fault: Fault) -> SourceError {
        SourceError { file: "hr.csv".into(), line: Some(3), byte: Some(17), fault }
    }

    #[test]
    fn a_message_names_file_line_and_byte() {
        let encoding =
            Fault::Encoding { encoding: "UTF-8", bytes: vec![0xE9, b'n'], at_end: false, windows_1252: Some('é') };
        assert_eq!(error(encoding.clone()).to_string(), "hr.csv:3: the bytes E9 6E are not UTF-8 (at byte 17)");
        assert!(error(encoding).hint().unwrap().contains("source.encoding = \"windows-1252\""));
    }

    #[test]
    fn lists_read_as_people_write_them() {
        assert_eq!(ColumnList(&[2]).to_string(), "column 2");
        assert_eq!(ColumnList(&[1, 3, 7]).to_string(), "columns 1, 3 and 7");
    }

    #[test]
    fn a_format_that_cannot_be_read_says_what_can() {
        let message = error(Fault::Format("xls".into())).fault.to_string();
        assert_eq!(
            message,
            "format \"xls\" cannot be read by this version; save it as xlsx, or export the sheet as CSV"
        );
    }
}
