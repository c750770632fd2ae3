//! `[source]` and `[lookup.NAME]`.

use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::reader::{Folder, Item, Problems, Table};
use super::reference::{
    BLANK, DELIMITER, DUPLICATES, FORMATS, HEADER_ROW, MANIFEST_SAID, PATH_SAID, TRAILER_CELL, TRAILER_SAID,
};
use super::settings::{Duplicates, LookupSettings, ManifestSettings, SourceSettings, TrailerSettings};
use crate::mapping::spec::{Blank, Located};

/// Standard input, where a path is asked for.
const STDIN: &str = "-";

/// `[source]`: what reads the files, and what the mapping needs of it.
pub(super) struct Source {
    pub settings: SourceSettings,
    pub include: Option<Located<String>>,
    pub identity: Option<Located<String>>,
    pub blank: Blank,
}

pub(super) fn read(mut table: Table<'_>, folder: Folder<'_>, problems: &mut Problems) -> Option<Source> {
    let paths = table
        .need("path", "add path = \"hr_export.csv\" below [source]: a file, a list of files, or \"-\"", problems)
        .and_then(|item| paths(&item, folder, problems));
    let format = table.get("format").and_then(|item| item.choice(&FORMATS, problems));
    let delimiter = table.get("delimiter").and_then(|item| delimiter(&item, problems));
    let encoding = table.get("encoding").and_then(|item| encoding(&item, problems));
    let sheet = table.get("sheet").and_then(|item| item.owned(problems));
    let header_row = table.get("header_row").and_then(|item| item.integer(HEADER_ROW, problems));
    let include = table.get("include").and_then(|item| item.located(problems));
    let identity = table.get("identity").and_then(|item| item.located(problems));
    let duplicates = table.get("duplicates").and_then(|item| item.choice(&DUPLICATES, problems));
    let blank = table.get("blank").and_then(|item| item.choice(&BLANK, problems));
    let trailer = table.get("trailer").and_then(|item| trailer(&item, problems));
    let manifest = table.get("manifest").and_then(|item| manifest(&item, folder, problems));
    table.finish(problems);
    let settings = SourceSettings {
        paths: paths?,
        format,
        delimiter,
        encoding,
        sheet,
        header_row: header_row.unwrap_or(1),
        duplicates: duplicates.unwrap_or(Duplicates::Error),
        trailer,
        manifest,
    };
    Some(Source { settings, include, identity, blank: blank.unwrap_or_default() })
}

fn trailer(item: &Item<'_>, problems: &mut Problems) -> Option<TrailerSettings> {
    let DeValue::Table(_) = item.value else {
        return item.wrong(TRAILER_SAID, problems);
    };
    let mut table = item.table(problems)?;
    let mark = table
        .need("mark", "add mark = \"TRAILER\": what the first cell of the last row begins with", problems)
        .and_then(|item| match item.owned(problems)? {
            text if text.trim().is_empty() => item.refuse("must not be blank", None, problems),
            text => Some(text.trim().to_owned()),
        });
    let count = table.get("count").and_then(|item| item.integer::<u32>(TRAILER_CELL, problems));
    table.finish(problems);
    Some(TrailerSettings { mark: mark?, count: count.unwrap_or(2) as usize })
}

fn manifest(item: &Item<'_>, folder: Folder<'_>, problems: &mut Problems) -> Option<ManifestSettings> {
    let default = || "rows".to_owned();
    match item.value {
        DeValue::String(_) => Some(ManifestSettings { path: item.path(folder, problems)?, count: default() }),
        DeValue::Table(_) => {
            let mut table = item.table(problems)?;
            let path = table
                .need("path", "add path = \"hr_export.json\": the file that says how many rows there are", problems)
                .and_then(|item| item.path(folder, problems));
            let count = table.get("count").and_then(|item| item.owned(problems));
            table.finish(problems);
            Some(ManifestSettings { path: path?, count: count.unwrap_or_else(default) })
        }
        _ => item.wrong(MANIFEST_SAID, problems),
    }
}

/// Each `[lookup.NAME]`, in the order of the file.
pub(super) fn lookups(table: &Table<'_>, folder: Folder<'_>, problems: &mut Problems) -> Vec<LookupSettings> {
    table.items().iter().filter_map(|item| lookup(item, folder, problems)).collect()
}

fn lookup(item: &Item<'_>, folder: Folder<'_>, problems: &mut Problems) -> Option<LookupSettings> {
    let mut table = item.table(problems)?;
    let path = table
        .need("path", "add path = \"teams.csv\": a file whose rows are looked up", problems)
        .and_then(|item| item.path(folder, problems));
    let key = table
        .need("key", "add key = \"team_name\": the column that is looked in", problems)
        .and_then(|item| item.located(problems));
    table.finish(problems);
    let name = item.name.trim_start_matches("lookup.").to_owned();
    Some(LookupSettings { name: Located { value: name, span: item.key.clone() }, path: path?, key: key? })
}

fn paths(item: &Item<'_>, folder: Folder<'_>, problems: &mut Problems) -> Option<Vec<PathBuf>> {
    let one = |text: &str| if text == STDIN { PathBuf::from(STDIN) } else { folder.path(text) };
    match item.value {
        DeValue::String(_) => Some(vec![one(item.string(problems)?)]),
        DeValue::Array(_) => {
            let named = item.strings(problems)?;
            if named.is_empty() {
                return item.refuse("names no file", None, problems);
            }
            let mut paths: Vec<PathBuf> = Vec::with_capacity(named.len());
            for Located { value, span } in named {
                let path = one(&value);
                if paths.contains(&path) {
                    problems.say(&span, format!("`{}` names {} twice", item.name, Path::new(&value).display()), None);
                }
                paths.push(path);
            }
            Some(paths)
        }
        _ => item.wrong(PATH_SAID, problems),
    }
}

fn delimiter(item: &Item<'_>, problems: &mut Problems) -> Option<u8> {
    match item.value {
        DeValue::String(text) => match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Some(*byte),
            _ => item.refuse(&format!("must be {}", DELIMITER.said), None, problems),
        },
        _ => item.wrong("a string of one character", problems),
    }
}

fn encoding(item: &Item<'_>, problems: &mut Problems) -> Option<String> {
    let label = item.string(problems)?;
    if encoding_rs::Encoding::for_label(label.as_bytes()).is_some() {
        return Some(label.to_owned());
    }
    let help = "usual ones: \"utf-8\", \"windows-1252\", \"iso-8859-15\", \"utf-16le\", \"shift_jis\"".to_owned();
    item.refuse(&format!("is no encoding: \"{label}\""), help, problems)
}
