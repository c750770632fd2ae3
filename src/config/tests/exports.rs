//! `source.trailer`, `source.manifest` and `report.errors`: how an export says that it is whole, and where its rows go that
//! could not be used.

use std::path::{Path, PathBuf};

use super::{LEAST, read, wrong};
use crate::config::{ManifestSettings, ReportSettings, SourceSettings, TrailerSettings};

/// `[source]` with one more line.
fn source(line: &str) -> SourceSettings {
    let settings = read(&LEAST.replacen("[target]", &format!("{line}\n[target]"), 1));
    settings.unwrap_or_else(|error| panic!("{error:#}")).source
}

/// What is wrong with one more line of `[source]`, which is line 3 of the file.
fn wrong_source(line: &str) -> String {
    let error = read(&LEAST.replacen("[target]", &format!("{line}\n[target]"), 1)).unwrap_err();
    super::lines(&error, 2)
}

fn report(line: &str) -> ReportSettings {
    super::with(&format!("[report]\n{line}\n")).report
}

/// What is wrong with a line of `[report]`.
fn wrong_report(line: &str) -> String {
    wrong(&format!("[report]\n{line}\n"))
}

#[test]
fn an_export_need_not_say_how_many_rows_it_has() {
    let source = source("");
    assert_eq!((source.trailer, source.manifest), (None, None));
    assert_eq!(report("").errors, None);
}

#[test]
fn a_trailer_is_a_mark_and_the_cell_of_the_number() {
    let trailer = |mark: &str, count| Some(TrailerSettings { mark: mark.into(), count });
    assert_eq!(source("trailer = { mark = \"TOTAL\" }").trailer, trailer("TOTAL", 2));
    assert_eq!(source("trailer = { mark = \" TOTAL \", count = 1 }").trailer, trailer("TOTAL", 1));
    assert_eq!(source("trailer = { count = 16384, mark = \"T\" }").trailer, trailer("T", 16_384));
    assert_eq!(source("[source.trailer]\nmark = \"T\"\ncount = 0x10").trailer, trailer("T", 16));
}

#[test]
fn a_wrong_trailer_is_named_with_what_it_should_be() {
    for (line, expected) in [
        (
            "trailer = \"TOTAL\"",
            "1:11: `source.trailer` must be a table such as { mark = \"TRAILER\", count = 2 }, not a string",
        ),
        (
            "trailer = 2",
            "1:11: `source.trailer` must be a table such as { mark = \"TRAILER\", count = 2 }, not a whole number",
        ),
        (
            "trailer = {}",
            "1:11: `source.trailer.mark` is missing (add mark = \"TRAILER\": what the first cell of the last row \
             begins with)",
        ),
        ("trailer = { mark = \"\" }", "1:20: `source.trailer.mark` is empty"),
        ("trailer = { mark = \"\\t\" }", "1:20: `source.trailer.mark` is empty"),
        ("trailer = { mark = 7 }", "1:20: `source.trailer.mark` must be a string, not a whole number"),
        ("trailer = { mark = \"T\", count = 0 }", "1:33: `source.trailer.count` must be 1 to 16384"),
        ("trailer = { mark = \"T\", count = 16385 }", "1:33: `source.trailer.count` must be 1 to 16384"),
        (
            "trailer = { mark = \"T\", count = \"2\" }",
            "1:33: `source.trailer.count` must be a whole number, not a string",
        ),
        (
            "trailer = { mark = \"T\", cuont = 2 }",
            "1:25: unknown setting `cuont` in `source.trailer` (did you mean `count`?)",
        ),
    ] {
        assert_eq!(wrong_source(line), expected, "{line}");
    }
}

#[test]
fn a_manifest_is_a_file_and_the_name_of_the_number_in_it() {
    let manifest = |path: &str, count: &str| Some(ManifestSettings { path: path.into(), count: count.into() });
    assert_eq!(source("manifest = \"hr.json\"").manifest, manifest("/etc/headcount/hr.json", "rows"));
    assert_eq!(source("manifest = { path = \"/var/hr.json\" }").manifest, manifest("/var/hr.json", "rows"));
    assert_eq!(
        source("manifest = { path = \"../hr.json\", count = \"record_count\" }").manifest.map(|found| found.count),
        Some("record_count".to_owned())
    );
}

#[test]
fn a_wrong_manifest_is_named_with_what_it_should_be() {
    for (line, expected) in [
        (
            "manifest = 3",
            "1:12: `source.manifest` must be a file, or a table such as { path = \"hr_export.json\", count = \"rows\" }, \
             not a whole number",
        ),
        ("manifest = \" \"", "1:12: `source.manifest` is empty"),
        (
            "manifest = { count = \"rows\" }",
            "1:12: `source.manifest.path` is missing (add path = \"hr_export.json\": the file that says how many rows \
             there are)",
        ),
        ("manifest = { path = [\"a\"] }", "1:21: `source.manifest.path` must be a string, not a list"),
        (
            "manifest = { path = \"a\", count = 3 }",
            "1:34: `source.manifest.count` must be a string, not a whole number",
        ),
        ("manifest = { path = \"a\", count = \"\" }", "1:34: `source.manifest.count` is empty"),
        (
            "manifest = { path = \"a\", counts = \"x\" }",
            "1:26: unknown setting `counts` in `source.manifest` (did you mean `count`?)",
        ),
    ] {
        assert_eq!(wrong_source(line), expected, "{line}");
    }
}

#[test]
fn the_error_sheet_has_a_path_of_its_own_for_every_run_or_one_for_all() {
    let errors = |value: &str| report(&format!("errors = {value:?}")).errors;
    let below = |path: &str| Some(Path::new("/etc/headcount").join(path));
    assert_eq!(errors("errors.csv"), below("errors.csv"));
    assert_eq!(errors("reports/{run}-errors"), below("reports/{run}-errors"));
    assert_eq!(errors("/var/log/{run}/{run}.XLSX"), Some(PathBuf::from("/var/log/{run}/{run}.XLSX")));
    for extension in ["tsv", "jsonl", "ndjson", "txt"] {
        assert_eq!(errors(&format!("e.{extension}")), below(&format!("e.{extension}")));
    }
}

#[test]
fn an_error_sheet_that_cannot_be_is_refused_before_anything_is_done() {
    for (line, expected) in [
        ("errors = true", "2:10: `report.errors` must be a string, not true or false"),
        ("errors = \"\"", "2:10: `report.errors` is empty"),
        ("errors = \"{date}.csv\"", "2:10: `report.errors` can only have {run} in braces"),
        ("errors = \"{run.csv\"", "2:10: `report.errors` can only have {run} in braces"),
    ] {
        assert_eq!(wrong_report(line), expected, "{line}");
    }
    for extension in ["ods", "xls", "json", "gz", "ZST"] {
        assert_eq!(
            wrong_report(&format!("errors = \"errors.{extension}\"")),
            format!(
                "2:10: `report.errors` cannot be written as .{} (leave it out to use the format of the source, \
                 or name a .csv, .tsv, .xlsx or .jsonl file)",
                extension.to_lowercase()
            )
        );
    }
}
