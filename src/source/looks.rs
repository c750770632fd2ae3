//! What a file that is no text looks like, and what to do with such a file.

use std::fmt;

/// What a file that is not text in the encoding asked for looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// A zip archive, which is what xlsx and ods files are.
    Zip,
    OldExcel,
    Gzip,
    Pdf,
    /// UTF-16 without a byte order mark.
    Utf16Le,
    Utf16Be,
    /// A NUL byte, which no text has.
    Nul,
}

impl Looks {
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Zip => {
                "if it is a workbook, set source.format = \"xlsx\" or \"ods\"; otherwise export the data as CSV"
            }
            Self::OldExcel => "open it in a spreadsheet program and save it as xlsx",
            Self::Gzip => "unpack it first",
            Self::Pdf => "export the data as CSV instead",
            Self::Utf16Le => "set source.encoding = \"utf-16le\"",
            Self::Utf16Be => "set source.encoding = \"utf-16be\"",
            Self::Nul => "it is damaged, or not an export: make it again",
        }
    }
}

impl fmt::Display for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zip => "it begins with \"PK\" and looks like an xlsx or zip file",
            Self::OldExcel => "it looks like an old Excel file (xls)",
            Self::Gzip => "it looks like a gzip file",
            Self::Pdf => "it looks like a PDF file",
            Self::Utf16Le => "it looks like UTF-16 (little endian) without a byte order mark",
            Self::Utf16Be => "it looks like UTF-16 (big endian) without a byte order mark",
            Self::Nul => "it looks like binary, there is a NUL byte in it",
        })
    }
}
