//! The files of a source: what they are called, whether they are there, how each is to be read.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;
use tempfile::TempPath;

use crate::config::Format;

use super::error::{Fault, SourceError, Trouble};
use super::packed::{self, Packing};
use super::records::Records;
use super::spool::Spooled;
use super::text::Text;
use super::workbook::{self, SheetRequest};
use super::{header, jsonl, spool};

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
    pub(super) format: Format,
    /// What is read in place of the file: the copy of what could be read only once, or what was packed in it.
    copy: Option<TempPath>,
    /// Its rows, where it is no delimited text.
    pub(super) spooled: Option<Spooled>,
    /// The digest of the file itself, where something else is read in its place.
    pub(super) digest: Option<String>,
}

/// How files are to be read, but for what their own names say.
pub(super) struct ReadSettings {
    pub format: Option<Format>,
    pub delimiter: Option<u8>,
    pub encoding: Option<&'static Encoding>,
    pub sheet: Option<String>,
    /// 1-based.
    pub header_row: u32,
}

impl InputFile {
    /// Checks that the file is there and of a format that can be read, and copies it if it can be read only once.
    pub(super) fn check(
        name: FileName,
        reading: &ReadSettings,
        stdin: &mut dyn Read,
        spool_dir: &Path,
    ) -> Result<Self, SourceError> {
        let shown = name.shown.clone();
        Self::check_file(name, reading, stdin, spool_dir).map_err(|trouble| trouble.in_file(&shown))
    }

    fn check_file(
        name: FileName,
        reading: &ReadSettings,
        stdin: &mut dyn Read,
        spool_dir: &Path,
    ) -> Result<Self, Trouble> {
        let by_name = packed::of_name(&name.path);
        let inner = if by_name.is_some() { name.path.with_extension("") } else { name.path.clone() };
        let format = format_of(&inner, reading.format)?;
        let delimiter = reading.delimiter.unwrap_or(if format == Format::Tsv { b'\t' } else { b',' });
        // Beyond ASCII one byte is no character; a NUL is refused wherever it stands.
        if !delimiter.is_ascii() || matches!(delimiter, b'"' | b'\r' | b'\n' | 0) {
            return Err(Fault::Delimiter(delimiter).into());
        }
        let copy = if is_stdin(&name.path) {
            Some(spool::spool_copy(stdin, "stdin", spool_dir)?)
        } else {
            let kind = std::fs::metadata(&name.path).map_err(|e| opening(&name.path, &e))?.file_type();
            if kind.is_dir() {
                return Err(Fault::Folder.into());
            }
            if kind.is_file() {
                None
            } else {
                let mut pipe = File::open(&name.path).map_err(|e| opening(&name.path, &e))?;
                Some(spool::spool_copy(&mut pipe, "pipe", spool_dir)?)
            }
        };
        let encoding = reading.encoding;
        let mut file = Self { name, delimiter, encoding, format, copy, spooled: None, digest: None };
        file.unpack(by_name, spool_dir)?;
        file.spool_rows(reading, spool_dir)?;
        Ok(file)
    }

    /// What is read: the file, or what stands in for it.
    fn path(&self) -> &Path {
        self.copy.as_deref().unwrap_or(&self.name.path)
    }

    /// What is packed is told by its first bytes, whatever it is called; a name that promises it is taken at its word.
    fn unpack(&mut self, by_name: Option<Packing>, spool_dir: &Path) -> Result<(), Trouble> {
        let mut head = Vec::with_capacity(4);
        let file = File::open(self.path()).map_err(|e| opening(self.path(), &e))?;
        file.take(4).read_to_end(&mut head).map_err(|e| Fault::io("reading", &e))?;
        let Some(packing) = packed::of_bytes(&head) else {
            return match by_name {
                Some(_) if head.is_empty() => Err(Fault::Empty.into()),
                Some(packing) => Err(Fault::NotPacked { packing: packing.name() }.into()),
                None => Ok(()),
            };
        };
        let (unpacked, digest) = packed::unpack_file(packing, self.path(), spool_dir, packed::BOUNDS)?;
        (self.copy, self.digest) = (Some(unpacked), Some(digest));
        Ok(())
    }

    fn spool_rows(&mut self, reading: &ReadSettings, spool_dir: &Path) -> Result<(), Trouble> {
        let kind = match self.format {
            Format::Csv | Format::Tsv => return Ok(()),
            Format::Jsonl => {
                let (spooled, digest) = jsonl::spool_objects(self.path(), self.encoding, spool_dir)?;
                self.spooled = Some(spooled);
                self.digest.get_or_insert(digest);
                return Ok(());
            }
            Format::Xlsx => workbook::WorkbookKind::Xlsx,
            Format::Ods => workbook::WorkbookKind::Ods,
        };
        let asked = SheetRequest { kind, sheet: reading.sheet.as_deref(), header_row: reading.header_row };
        let (spooled, digest) = workbook::spool_sheet(self.path(), &asked, spool_dir)?;
        self.spooled = Some(spooled);
        self.digest.get_or_insert(digest);
        Ok(())
    }

    /// Opens the file anew, at its first row, with the names of its columns.
    pub(super) fn open(&self, header_row: u32) -> Result<(Records, Vec<String>), SourceError> {
        self.begin(header_row).map_err(|trouble| trouble.in_file(&self.name.shown))
    }

    fn begin(&self, header_row: u32) -> Result<(Records, Vec<String>), Trouble> {
        let opened = |path: &Path| File::open(path).map_err(|e| opening(path, &e));
        if let Some(spooled) = &self.spooled {
            let text = Text::open(opened(&spooled.path)?, None)?;
            return Ok((Records::new(text, spool::DELIMITER), spooled.names.clone()));
        }
        let mut records = Records::new(Text::open(opened(self.path())?, self.encoding)?, self.delimiter);
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

/// The format of a file. Without a setting its name tells; a name that says nothing means CSV.
pub(super) fn format_of(path: &Path, format: Option<Format>) -> Result<Format, Fault> {
    if let Some(format) = format {
        return Ok(format);
    }
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "tsv" | "tab" => Ok(Format::Tsv),
        "xlsx" | "xlsm" => Ok(Format::Xlsx),
        "ods" => Ok(Format::Ods),
        "jsonl" | "ndjson" => Ok(Format::Jsonl),
        "xls" | "xlsb" | "json" | "zip" | "bz2" | "xz" | "7z" => Err(Fault::Format(extension)),
        _ => Ok(Format::Csv),
    }
}

pub(super) fn opening(path: &Path, error: &io::Error) -> Fault {
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
