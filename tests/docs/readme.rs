//! The README: its length, its first screen, its tables.

use std::collections::BTreeSet;
use std::process::Command;

use crate::documents::{document, file, root};

#[test]
fn it_sells_in_one_screen_and_teaches_in_three() {
    let readme = document("README.md");
    // A screen has some sixty lines.
    assert!(readme.text.lines().count() <= 4 * 60, "{} lines", readme.text.lines().count());
    let place = |heading: &str| readme.text.find(&format!("\n## {heading}\n")).unwrap();
    let order = ["What it is for", "The first five minutes", "Going live", "The words", "Commands"];
    let places: Vec<usize> =
        order.into_iter().chain(["What is promised, and what is not", "Documents"]).map(place).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn the_commands_at_the_top_are_the_run_of_the_sample_and_the_test_of_every_merge() {
    let first = document("README.md").of("sh").remove(0);
    assert_eq!(first.lines, ["cargo run --release -- sync --yes", "cargo test --locked"]);
    // A published crate comes without it.
    if let Ok(script) = std::fs::read_to_string(root().join(".ci/run")) {
        assert!(script.lines().any(|line| line == "cargo test --locked"), "{script}");
    }
}

#[test]
fn what_it_says_of_the_first_run_is_so() {
    let rows = file("samples/hr_export.csv");
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(rows.as_bytes());
    let status = reader.headers().unwrap().iter().position(|name| name == "status").unwrap();
    // Applicants do not count, and one row has too few cells to say.
    let people = reader.records().map(Result::unwrap).filter(|row| row.get(status) != Some("Applicant")).count();
    assert!(
        document("README.md").text.contains(&format!("brings the {people} people of `samples/hr_export.csv`")),
        "{people}"
    );
}

#[test]
fn every_subcommand_stands_in_the_table_and_the_table_has_no_other() {
    let output = Command::new(env!("CARGO_BIN_EXE_headcount")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let listed = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    // What is explained in more than one line goes on further to the right.
    let names = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let program: BTreeSet<&str> = names.filter(|name| !name.is_empty() && *name != "help").collect();
    let text = file("README.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `headcount "));
    let table: BTreeSet<&str> = rows.filter_map(|row| row.split([' ', '`']).next()).collect();
    assert_eq!(table, program);
}

#[test]
fn the_exit_codes_are_those_that_other_programs_rely_on() {
    let section = document("README.md").section("### Exit codes");
    let rows: Vec<(u8, &str)> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "))
        .filter_map(|(code, meaning)| Some((code.parse().ok()?, meaning)))
        .collect();
    let fixed = [
        (0, "done; for `plan`, done (with `--detailed-exitcode`: nothing to change)"),
        (1, "failed before anything was changed (configuration, source, target unreachable, bad plan file)"),
        (2, "wrong usage of the command line"),
        (3, "`plan --detailed-exitcode`: there are changes"),
        (4, "finished, but some accounts failed or have an unknown outcome; the report lists each"),
        (5, "a safety rule held something back (all of it, or the held subset while the rest was applied)"),
        (6, "paused and resumable: quota, signal, target down for too long"),
        (7, "another run holds the state directory"),
    ];
    assert_eq!(rows, fixed);
}
