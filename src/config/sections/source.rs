//! `[source]` and `[lookup.NAME]`.

use std::path::PathBuf;

use super::{ConfigSection, SectionKeys};
use crate::mapping::spec::{Blank, Located};
use crate::plan::policy::Duplicates;
use crate::settings::{
    COLUMN, CONDITION, Choices, ConfigReading, Doubles, Either, FILE, InTable, ItemList, Sees, SettingForm,
    SettingsTable, ShapedText, TEXT, TableRule, TextShape, TomlItem, TomlTable, ValueKind, WordChoice, default_setting,
    mapped_form, named_choice, needed_setting, optional_setting, plain_text, settings_table, whole_number,
};

/// `[source]`: what reads the files, and what the mapping needs of it.
pub(crate) struct SourceSection {
    pub settings: SourceSettings,
    pub include: Option<Located<String>>,
    pub identity: Option<Located<String>>,
    pub blank: Blank,
}

/// `[source]`, but for what the mapping needs of it (`include`, `identity`, `blank` are in [`MapSpec`]).
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSettings {
    /// Absolute paths; `-` is standard input.
    pub paths: Vec<PathBuf>,
    pub format: Option<Format>,
    pub delimiter: Option<u8>,
    /// A label that encoding_rs knows.
    pub encoding: Option<String>,
    pub sheet: Option<String>,
    /// 1-based.
    pub header_row: u32,
    pub duplicates: Duplicates,
    /// The last row of each file says how many there are.
    pub trailer: Option<TrailerSettings>,
    /// Another file says how many rows there are in all.
    pub manifest: Option<ManifestSettings>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Tsv,
    Xlsx,
    Ods,
    Jsonl,
}

/// `[lookup.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct LookupSettings {
    pub name: Located<String>,
    pub path: PathBuf,
    pub key: Located<String>,
}

settings_table! {
    SourceTable makes SourceSection {
        path = needed_setting(source_path(), "add path = \"hr_export.csv\" below [source]: a file, a list of files, or \"-\""),
            "The export. Several files are read one after the other and must have the same columns; `\"-\"` is \
             standard input. Files packed with gzip or zstd are unpacked.";
        format = optional_setting(
            Choices(FORMATS),
            "the file's name tells: `.tsv` and `.tab`, `.xlsx` and `.xlsm`, `.ods`, `.jsonl` and `.ndjson`, each also with `.gz` \
 or `.zst` behind it; any other name, and standard input, means csv, but for those of formats that cannot be read, \
 such as `.xls` and `.json`, which are refused",
        ),
            "How the export is written.";
        delimiter = optional_setting(DELIMITER, "it is a comma, and for tsv a tab"),
            "The character between two cells of csv or tsv (ASCII).";
        encoding = optional_setting(ENCODING, "it is what the file's byte order mark says, else UTF-8"),
            "How csv, tsv and jsonl write characters as bytes. Usual ones are `\"utf-8\"`, `\"windows-1252\"`, \
             `\"iso-8859-15\"`, `\"utf-16le\"` and `\"shift_jis\"`.";
        sheet = optional_setting(TEXT, "the workbook must have one sheet only, hidden ones aside"),
            "The sheet of a workbook (xlsx, ods) that holds the export.";
        header_row = default_setting(whole_number::<u32>(1..=i64::from(u32::MAX)), "1"),
            "The line that names the columns, counted from 1; lines above it are skipped. Blank lines before the \
             names are allowed. It has no effect on jsonl.";
        trailer = optional_setting(
            InTable { of: TrailerTable, rule: TableRule::Free, said: "a table such as { mark = \"TRAILER\", count = 2 }" },
            "every row is one"
        ),
            "For an export whose last row says how many rows there are. An export with another number of rows, or \
             without this last row, was cut short or is the wrong one, and is refused. If there are several files, \
             each has its own trailer; jsonl has none.";
        manifest = optional_setting(manifest_form(), "nothing is counted"),
            "A file that says how many rows the export has in all. It holds only that number, or is JSON. An export \
             with another number of rows is refused.";
        include = optional_setting(CONDITION, "every row counts"),
            "Which rows count: an expression over the row's columns, as in a template but without `{{ }}`, that is \
             true or false. A row for which it is false counts as not in the export, so the account of its person is \
             absent.";
        identity = optional_setting(COLUMN, "people are found only by the match rules"),
            "The column that never changes for a person, such as the personnel number. It finds a person again even \
             if login and address have both changed. A row whose cell is empty is invalid.";
        duplicates = default_setting(Choices(DUPLICATES), "\"error\""),
            "What two rows with the same `identity` mean. With `\"first\"` and `\"last\"`, two rows of different \
             identity that lead to one account are a conflict, and nothing is done for either.";
        blank = default_setting(Choices(BLANK), "\"ignore\""),
            "What an empty cell means, and a template that gives an empty text. Each attribute can have its own \
             setting: see [`blank` in `[map]`](#map).";
    } => SourceSection {
        settings: SourceSettings {
            paths: path, format, delimiter, encoding, sheet, header_row, duplicates, trailer, manifest
        },
        include,
        identity,
        blank,
    }
}

settings_table! {
    /// `source.trailer`: the last row of each file says how many there are.
    struct TrailerSettings read by TrailerTable {
        mark: String = needed_setting(MARK, "add mark = \"TRAILER\": what the first cell of the last row begins with"),
            "What the first cell of the last row begins with.";
        count: usize = default_setting(whole_number::<usize>(1..=16_384), "2"),
            "Which cell of that row holds the number, counted from 1. If it is the first cell, the number follows \
             the mark.";
    }
}

settings_table! {
    /// `source.manifest`: another file says how many rows there are in all.
    struct ManifestSettings read by ManifestTable {
        path: PathBuf =
            needed_setting(FILE, "add path = \"hr_export.json\": the file that says how many rows there are"), "The file.";
        count: String = default_setting(TEXT, MANIFEST_COUNT),
            "If the file is JSON, the member that holds the number; a dot leads into an object (`\"export.rows\"`).";
    }
}

settings_table! {
    LookupTable makes (PathBuf, Located<String>) {
        path = needed_setting(FILE, "add path = \"teams.csv\": a file whose rows are looked up"),
            "The table: a file with a header, in any format of `source.format`, as its name tells.";
        key = needed_setting(COLUMN, "add key = \"team_name\": the column that is looked in"),
            "The column that is searched. Upper and lower case do not matter, and its cells must not be empty.";
    } => (path, key)
}

/// Each `[lookup.NAME]`, in the order of the file.
pub(in crate::config) fn read_lookups(table: &TomlTable<'_>, reading: &mut ConfigReading) -> Vec<LookupSettings> {
    let read = |item: &TomlItem<'_>| {
        let (path, key) = LookupTable.read(&item.read_table(reading)?, reading)?;
        let name = Located { value: table.key_of(item).to_owned(), span: item.key.clone() };
        Some(LookupSettings { name, path, key })
    };
    table.all_items().iter().filter_map(read).collect()
}

const FORMATS: &[WordChoice<Format>] = &[
    named_choice("csv", Format::Csv, "text with a delimiter between cells"),
    named_choice("tsv", Format::Tsv, "the same with tabs"),
    named_choice("xlsx", Format::Xlsx, "a workbook of Excel"),
    named_choice("ods", Format::Ods, "a workbook of LibreOffice"),
    named_choice(
        "jsonl",
        Format::Jsonl,
        "JSON Lines: an object in each line; objects within it become columns with a dot in their names",
    ),
];

const DUPLICATES: &[WordChoice<Duplicates>] = &[
    named_choice(
        "error",
        Duplicates::Error,
        "the export is refused, with both lines; so it is where two rows agree in all attributes of a match rule",
    ),
    named_choice(
        "first",
        Duplicates::First,
        "if two rows have one identity, the first counts and the other is \
       skipped",
    ),
    named_choice("last", Duplicates::Last, "if two rows have one identity, the last counts and the other is skipped"),
];

pub(in crate::config) const BLANK: &[WordChoice<Blank>] = &[
    named_choice("ignore", Blank::Ignore, "the account keeps the value that it has"),
    named_choice("clear", Blank::Clear, "the value is removed from the account"),
    named_choice("error", Blank::Error, "the row is invalid, and its account is left as it is"),
];

const MANIFEST_COUNT: &str = "\"rows\"";

const SOURCE_FILE: ShapedText<Located<PathBuf>> =
    plain_text("a file", &["hr_export.csv", "-", "/srv/hr.xlsx"], |item, reading| {
        let text = item.read_str(reading)?;
        // Standard input is no path.
        let path = if text == "-" { PathBuf::from(text) } else { reading.absolute_path(text) };
        Some(Located { value: path, span: item.span.clone() })
    });

const MARK: ShapedText<String> =
    ShapedText { shape: TEXT.shape, read: |item, reading| Some(item.read_str(reading)?.trim().to_owned()) };

const DELIMITER: ShapedText<u8> = ShapedText {
    shape: TextShape {
        said: "one character such as \",\", \";\", \"|\" or \"\\t\"",
        pattern: r"^[\u0001-\u0009\u000B\u000C\u000E-\u0021\u0023-\u007F]$",
        sees: Sees::All,
        taken: &[";", ",", "|", "\t", " "],
        refused: &["", ";;", "\"", "\n", "ä", "—"],
    },
    read: |item, reading| match item.value.as_str().map(str::as_bytes) {
        Some([byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Some(*byte),
        Some(_) => item.refuse(&format!("must be {}", DELIMITER.shape.said), None, reading),
        None => item.refuse_type("a string of one character", reading),
    },
};

const ENCODING: ShapedText<String> = ShapedText {
    shape: TextShape {
        said: "the name of an encoding",
        pattern: r"\S",
        sees: Sees::NotAll,
        taken: &["windows-1252", "utf-8", "iso-8859-15", "utf-16le", "shift_jis", "UTF8"],
        refused: &["", "  "],
    },
    read: |item, reading| {
        let label = item.read_string(reading)?;
        if encoding_rs::Encoding::for_label(label.as_bytes()).is_some() {
            return Some(label);
        }
        let help = "usual ones: \"utf-8\", \"windows-1252\", \"iso-8859-15\", \"utf-16le\", \"shift_jis\"";
        item.refuse(&format!("is not an encoding: \"{label}\""), help.to_owned(), reading)
    },
};

fn source_path() -> impl SettingForm<Output = Vec<PathBuf>> {
    let one = mapped_form(SOURCE_FILE, |file| vec![file.value]);
    Either { one, other: DifferentFiles, said: "a file, a list of files, or \"-\"" }
}

/// Several files, none of them twice.
struct DifferentFiles;

const FILES: ItemList<ShapedText<Located<PathBuf>>> = ItemList {
    of: SOURCE_FILE,
    said: "a list of files",
    doubles: Doubles::Refused,
    empty: Some(("names no file", None)),
};

impl SettingForm for DifferentFiles {
    type Output = Vec<PathBuf>;

    fn takes(&self) -> ValueKind {
        FILES.takes()
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<Vec<PathBuf>> {
        let mut paths: Vec<PathBuf> = Vec::new();
        let written = item.read_list(FILES.said, reading)?;
        for file in FILES.read(item, reading)? {
            if paths.contains(&file.value) {
                let text = written.iter().find(|item| item.span == file.span).and_then(|item| item.value.as_str());
                let message = format!("`{}` names {} twice", item.name, text.unwrap_or_default());
                reading.note_problem(&file.span, message, None);
            }
            paths.push(file.value);
        }
        Some(paths)
    }
}

fn manifest_form() -> impl SettingForm<Output = ManifestSettings> {
    let alone = mapped_form(FILE, |path| ManifestSettings { path, count: MANIFEST_COUNT.trim_matches('"').to_owned() });
    let table = InTable { of: ManifestTable, rule: TableRule::Free, said: "a table" };
    Either {
        one: alone,
        other: table,
        said: "a file, or a table such as { path = \"hr_export.json\", count = \"rows\" }",
    }
}

pub(super) fn source_section() -> ConfigSection {
    ConfigSection {
        name: "source",
        says: "The export of the HR system: where it is, how it is read, and which of its rows count.",
        missing: Some("add [source] with path = \"hr_export.csv\""),
        keys: SectionKeys::These(SourceTable.settings()),
        more: "",
        example: "[source]\n\
              path     = \"hr_export.csv\"\n\
              include  = \"status != 'Applicant'\"   # applicants are not people yet\n\
              identity = \"employee_id\"\n\
              trailer  = { mark = \"TOTAL\", count = 2 }\n",
    }
}

pub(super) fn lookup_section() -> ConfigSection {
    ConfigSection {
        name: "lookup",
        says: "Tables for the filter [`lookup`](#filters) of templates, each under a name of your own: \
           `[lookup.teams]`. They translate the words of the export into those of the application. Every table is \
           read at the beginning; a broken row, or a key that is there twice, is an error.",
        missing: None,
        keys: SectionKeys::Named(LookupTable.settings()),
        more: "",
        example: "[lookup.teams]\n\
              path = \"teams.csv\"     # with the columns team_name and team_id\n\
              key  = \"team_name\"     # {{ team | lookup('teams', 'team_id') }}\n",
    }
}
