//! The files of a source: what they are called, whether they are there, how each is to be read.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;
use tempfile::TempPath;

use crate::config::settings::Format;

use super::error::{Fault, SourceError, Trouble};
use super::records::Records;
use super::text::Text;
use super::{header, spool};

/// What a file is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    pub path: PathBuf,
    /// As the user knows it: relative to the working folder where it lies below it; `-` for standard input.
    pub shown: String,
    /// The last part of it, for rows; the same as `shown` where two files of the source have the same.
    pub short: String,
}

/// One file, checked.
pub(super) struct InputFile {
    pub(super) name: FileName,
    pub(super) delimiter: u8,
    pub(super) encoding: Option<&'static Encoding>,
    /// The copy of what could be read only once.
    copy: Option<TempPath>,
}

/// How files are to be read, but for what their own names say.
pub(super) struct Reading {
    pub format: Option<Format>,
    pub delimiter: Option<u8>,
    pub encoding: Option<&'static Encoding>,
}

impl InputFile {
    /// Checks that the file is there and of a format that can be read, and copies it if it can be read only once.
    pub(super) fn check(
        name: FileName,
        reading: &Reading,
        stdin: &mut dyn Read,
        spool_dir: &Path,
    ) -> Result<Self, SourceError> {
        let shown = name.shown.clone();
        Self::checked(name, reading, stdin, spool_dir).map_err(|fault| Trouble::from(fault).in_file(&shown))
    }

    fn checked(name: FileName, reading: &Reading, stdin: &mut dyn Read, spool_dir: &Path) -> Result<Self, Fault> {
        let by_format = format_delimiter(&name.path, reading.format)?;
        let delimiter = reading.delimiter.unwrap_or(by_format);
        // Beyond ASCII one byte is no character; a NUL is refused wherever it stands.
        if !delimiter.is_ascii() || matches!(delimiter, b'"' | b'\r' | b'\n' | 0) {
            return Err(Fault::Delimiter(delimiter));
        }
        let copy = if is_stdin(&name.path) {
            Some(spool::spool(stdin, "stdin", spool_dir)?)
        } else {
            let kind = std::fs::metadata(&name.path).map_err(|e| opening(&name.path, &e))?.file_type();
            if kind.is_dir() {
                return Err(Fault::Folder);
            }
            if kind.is_file() {
                None
            } else {
                let mut pipe = File::open(&name.path).map_err(|e| opening(&name.path, &e))?;
                Some(spool::spool(&mut pipe, "pipe", spool_dir)?)
            }
        };
        Ok(Self { name, delimiter, encoding: reading.encoding, copy })
    }

    /// Opens the file anew, at its first row, with the names of its columns.
    pub(super) fn open(&self, header_row: u32) -> Result<(Records, Vec<String>), SourceError> {
        self.begin(header_row).map_err(|trouble| trouble.in_file(&self.name.shown))
    }

    fn begin(&self, header_row: u32) -> Result<(Records, Vec<String>), Trouble> {
        let path = self.copy.as_deref().unwrap_or(&self.name.path);
        let file = File::open(path).map_err(|e| opening(path, &e))?;
        let mut records = Records::new(Text::open(file, self.encoding)?, self.delimiter);
        let names = header::read(&mut records, header_row)?;
        Ok((records, names))
    }
}

pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The names of all files, as they are shown.
pub(super) fn names(paths: &[PathBuf]) -> Vec<FileName> {
    let working = std::env::current_dir().ok();
    let last = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    paths
        .iter()
        .map(|path| {
            let below = working.as_deref().and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(path);
            let shown = below.to_string_lossy().into_owned();
            let same = paths.iter().filter(|other| last(other) == last(path)).count();
            let short = last(path).filter(|_| same == 1).unwrap_or_else(|| shown.clone());
            FileName { path: path.clone(), shown, short }
        })
        .collect()
}

/// The delimiter that a format has by nature. Without a setting the name of the file tells the format; a name that says
/// nothing means CSV.
fn format_delimiter(path: &Path, format: Option<Format>) -> Result<u8, Fault> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    let name = match format {
        Some(Format::Csv) => "csv",
        Some(Format::Tsv) => "tsv",
        Some(Format::Xlsx) => "xlsx",
        Some(Format::Jsonl) => "jsonl",
        None => extension.as_deref().unwrap_or("csv"),
    };
    match name {
        "tsv" | "tab" => Ok(b'\t'),
        "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" | "jsonl" | "ndjson" | "json" | "gz" | "zip" | "zst" | "bz2"
        | "xz" | "7z" => Err(Fault::Format(if name == "gz" { "gzip" } else { name }.to_owned())),
        _ => Ok(b','),
    }
}

fn opening(path: &Path, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Fault::Missing { hint: missing_hint(path) },
        _ => Fault::io("opening", error),
    }
}

/// The file that was probably meant, or the folder that is missing.
fn missing_hint(path: &Path) -> String {
    let general = "a relative path counts from the folder of the configuration file";
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return general.to_owned() };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return format!("there is no folder {}; {general}", folder.display());
    };
    let there: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|n| !n.starts_with('.'))
        .collect();
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match crate::model::text::nearest(&wanted, there.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {}?", folder.join(near).display()),
        None => format!("looked in {}; {general}", folder.display()),
    }
}
