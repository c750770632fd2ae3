//! `[source]` and `[lookup.NAME]`.

use std::ops::RangeInclusive;

use super::super::{COLUMN, CONDITION, Choice, DELIMITER, ENCODING, FILE, SOURCE_FILE, TEXT, choice, words};
use super::super::{Doubles, Keys, Otherwise, Presence, Rule, Section, Setting, Takes};
use crate::config::settings::{Duplicates, Format};
use crate::mapping::spec::Blank;

pub(in crate::config) const FORMATS: [Choice<Format>; 5] = [
    choice("csv", Format::Csv, "text with a delimiter between cells"),
    choice("tsv", Format::Tsv, "the same with tabs"),
    choice("xlsx", Format::Xlsx, "a workbook of Excel"),
    choice("ods", Format::Ods, "a workbook of LibreOffice"),
    choice(
        "jsonl",
        Format::Jsonl,
        "JSON Lines: an object in each line; objects within it become columns with a dot in their names",
    ),
];

pub(in crate::config) const DUPLICATES: [Choice<Duplicates>; 3] = [
    choice(
        "error",
        Duplicates::Error,
        "the export is refused, with both lines; so it is where two rows agree in all attributes of a match rule",
    ),
    choice("first", Duplicates::First, "of two rows with one identity the first counts, the other is skipped"),
    choice("last", Duplicates::Last, "of two rows with one identity the last counts, the other is skipped"),
];

pub(in crate::config) const BLANK: [Choice<Blank>; 3] = [
    choice("ignore", Blank::Ignore, "the account keeps the value that it has"),
    choice("clear", Blank::Clear, "the value is taken away from the account"),
    choice("error", Blank::Error, "the row is invalid, and its account is left as it is"),
];

pub(in crate::config) const HEADER_ROW: RangeInclusive<i64> = 1..=u32::MAX as i64;
pub(in crate::config) const TRAILER_CELL: RangeInclusive<i64> = 1..=16_384;

pub(in crate::config) const PATH_SAID: &str = "a file, a list of files, or \"-\"";
pub(in crate::config) const TRAILER_SAID: &str = "a table such as { mark = \"TRAILER\", count = 2 }";
pub(in crate::config) const MANIFEST_SAID: &str =
    "a file, or a table such as { path = \"hr_export.json\", count = \"rows\" }";

pub(in crate::config) const SOURCE: Section = Section {
    name: "source",
    says: "The export of the HR system: where it is, how it is read, and which of its rows count.",
    presence: Presence::Needed,
    keys: Keys::These(&[
        Setting {
            name: "path",
            takes: Takes::Any {
                of: &[
                    Takes::Text(&SOURCE_FILE),
                    Takes::List {
                        of: &Takes::Text(&SOURCE_FILE),
                        least: 1,
                        doubles: Doubles::Refused,
                        said: "a list of files",
                    },
                ],
                said: PATH_SAID,
            },
            otherwise: Otherwise::Needed,
            says: "The export. Several files are read one after the other and must have the same columns; `\"-\"` is \
                   standard input. What is packed with gzip or zstd is unpacked.",
        },
        Setting {
            name: "format",
            takes: Takes::Choice(&words(&FORMATS)),
            otherwise: Otherwise::Without(
                "the file's name tells: `.tsv` and `.tab`, `.xlsx` and `.xlsm`, `.ods`, `.jsonl` and `.ndjson`, each also \
                 with `.gz` or `.zst` behind it; any other name, and standard input, means csv, but for those of formats that cannot be read, such as `.xls` and \
                 `.json`, which are refused",
            ),
            says: "How the export is written.",
        },
        Setting {
            name: "delimiter",
            takes: Takes::Text(&DELIMITER),
            otherwise: Otherwise::Without("it is a comma, and for tsv a tab"),
            says: "What stands between two cells of csv or tsv: one character of ASCII.",
        },
        Setting {
            name: "encoding",
            takes: Takes::Text(&ENCODING),
            otherwise: Otherwise::Without("it is what the file's byte order mark says, else UTF-8"),
            says: "How csv, tsv and jsonl write characters as bytes. Usual ones are `\"utf-8\"`, `\"windows-1252\"`, \
                   `\"iso-8859-15\"`, `\"utf-16le\"` and `\"shift_jis\"`.",
        },
        Setting {
            name: "sheet",
            takes: Takes::Text(&TEXT),
            otherwise: Otherwise::Without("the workbook must have one sheet only, hidden ones aside"),
            says: "The sheet of a workbook (xlsx, ods) that holds the export.",
        },
        Setting {
            name: "header_row",
            takes: Takes::Integer(HEADER_ROW),
            otherwise: Otherwise::Default("1"),
            says: "The line that names the columns, counted from 1; what stands above it is skipped. Blank lines in front of \
                   the names do no harm. It means nothing for jsonl.",
        },
        Setting {
            name: "trailer",
            takes: Takes::Table { settings: &TRAILER, rule: Rule::Free, said: TRAILER_SAID },
            otherwise: Otherwise::Without("every row is one"),
            says: "For an export whose last row says how many rows there are. An export that has another number of rows, or \
                   no such row at its end, was cut short or is another one, and is refused. Each of several files has a \
                   trailer of its own; jsonl has none.",
        },
        Setting {
            name: "manifest",
            takes: Takes::Any {
                of: &[Takes::Text(&FILE), Takes::Table { settings: &MANIFEST, rule: Rule::Free, said: "a table" }],
                said: MANIFEST_SAID,
            },
            otherwise: Otherwise::Without("nothing is counted"),
            says: "A file beside the export that says how many rows there are in all. It holds nothing but that number, or \
                   is JSON. An export that has another number of rows is refused.",
        },
        Setting {
            name: "include",
            takes: Takes::Text(&CONDITION),
            otherwise: Otherwise::Without("every row counts"),
            says: "Which rows count: an expression over the row's columns, as in a template but without `{{ }}`, that is \
                   true or false. A row for which it is false is as good as not in the export; the account of its person \
                   is therefore absent.",
        },
        Setting {
            name: "identity",
            takes: Takes::Text(&COLUMN),
            otherwise: Otherwise::Without("a person is known by the match rules alone"),
            says: "The column that never changes for a person, such as the personnel number. By it somebody is found again \
                   whose login and address have both changed. A row whose cell is empty is invalid.",
        },
        Setting {
            name: "duplicates",
            takes: Takes::Choice(&words(&DUPLICATES)),
            otherwise: Otherwise::Default("\"error\""),
            says: "What two rows with the same `identity` mean. Two rows of different identity that lead to one account are \
                   a conflict with `\"first\"` and `\"last\"`, and nothing is done for either.",
        },
        Setting {
            name: "blank",
            takes: Takes::Choice(&words(&BLANK)),
            otherwise: Otherwise::Default("\"ignore\""),
            says: "What an empty cell means, and a template that comes to nothing. An attribute can have its own answer: see \
                   [`blank` in `[map]`](#map).",
        },
    ]),
    more: "",
    example: "[source]\n\
              path     = \"hr_export.csv\"\n\
              include  = \"status != 'Applicant'\"   # applicants are not people yet\n\
              identity = \"employee_id\"\n\
              trailer  = { mark = \"TOTAL\", count = 2 }\n",
};

pub(in crate::config) const TRAILER: [Setting; 2] = [
    Setting {
        name: "mark",
        takes: Takes::Text(&TEXT),
        otherwise: Otherwise::Needed,
        says: "What the first cell of the last row begins with.",
    },
    Setting {
        name: "count",
        takes: Takes::Integer(TRAILER_CELL),
        otherwise: Otherwise::Default("2"),
        says: "Which cell of that row holds the number, counted from 1. In the first, the number follows the mark.",
    },
];

pub(in crate::config) const MANIFEST: [Setting; 2] = [
    Setting { name: "path", takes: Takes::Text(&FILE), otherwise: Otherwise::Needed, says: "The file." },
    Setting {
        name: "count",
        takes: Takes::Text(&TEXT),
        otherwise: Otherwise::Default("\"rows\""),
        says: "Where the file is JSON, the member that holds the number; a dot leads into an object (`\"export.rows\"`).",
    },
];

pub(in crate::config) const LOOKUP: Section = Section {
    name: "lookup",
    says: "Tables for the filter [`lookup`](#filters) of templates, each under a name of your own: `[lookup.teams]`. They \
           turn what the export says into what the application calls it. Every table is read whole, at the beginning; a \
           row of it that is broken, or a key that stands there twice, is an error.",
    presence: Presence::Optional,
    keys: Keys::Named(&[
        Setting {
            name: "path",
            takes: Takes::Text(&FILE),
            otherwise: Otherwise::Needed,
            says: "The table: a file with a header, in any format of `source.format`, as its name tells.",
        },
        Setting {
            name: "key",
            takes: Takes::Text(&COLUMN),
            otherwise: Otherwise::Needed,
            says: "The column that is looked in. It is compared without regard to case, and must not be empty.",
        },
    ]),
    more: "",
    example: "[lookup.teams]\n\
              path = \"teams.csv\"     # with the columns team_name and team_id\n\
              key  = \"team_name\"     # {{ team | lookup('teams', 'team_id') }}\n",
};
