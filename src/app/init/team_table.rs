//! A table beside the export that has the ids of its teams, where there is one: a small CSV file in which every team of
//! the export stands, with a whole number behind it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::export_survey::SurveyedExport;
use crate::discovery::{Meaning, TeamLookup};
use crate::model::{Columns, Record, shape};
use crate::source::read_table;

/// Files that are looked into, and how large they may be.
const FILES: usize = 50;
const BYTES: u64 = 1 << 20;

pub fn find_team_table(seen: &SurveyedExport, config_folder: &Path, export: &Path) -> Option<TeamLookup> {
    let teams = [Meaning::Team, Meaning::Department].into_iter().find_map(|m| seen.census.values.get(&m))?;
    let wanted: HashSet<&str> = teams.counts.keys().map(String::as_str).collect();
    if wanted.is_empty() || teams.are_too_many {
        return None;
    }
    let export = std::path::absolute(export).ok()?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(export.parent()?)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| *path != export && path.extension().is_some_and(|e| e == "csv" || e == "tsv"))
        .filter(|path| path.metadata().is_ok_and(|found| found.is_file() && found.len() <= BYTES))
        .collect();
    // Every time the same one, whatever order the folder gives.
    files.sort();
    files.truncate(FILES);
    files.iter().find_map(|path| {
        let (columns, rows) = read_table(path, None, None).ok()?;
        let (key, id) = find_key_and_id(&columns, &rows, &wanted)?;
        let stem = path.file_stem()?.to_string_lossy();
        let is_name = !stem.is_empty() && stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let relative = path.strip_prefix(config_folder).unwrap_or(path);
        Some(TeamLookup {
            name: if is_name { stem.into_owned() } else { "teams".to_owned() },
            path: relative.to_string_lossy().into_owned(),
            key: columns.names()[key].clone(),
            id: columns.names()[id].clone(),
        })
    })
}

/// The column in which all that is wanted stands once, and the first beside it that has nothing but whole numbers.
fn find_key_and_id(columns: &Columns, rows: &[Record], wanted: &HashSet<&str>) -> Option<(usize, usize)> {
    let width = columns.names().len();
    let is_key = |column: &usize| {
        let keys: HashSet<&str> = rows.iter().map(|row| row.cell(*column).trim()).collect();
        keys.len() == rows.len() && wanted.is_subset(&keys)
    };
    let is_id = |column: &usize| rows.iter().all(|row| shape::is_number(row.cell(*column).trim()));
    let key = (0..width).find(is_key)?;
    let id = (0..width).find(|column| *column != key && is_id(column))?;
    Some((key, id))
}
