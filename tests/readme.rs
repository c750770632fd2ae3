//! Holds the README to the program: every command that it prints is one, every exit code and every setting too.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The lines inside code blocks of one language; `""` for blocks that name none.
fn blocks(text: &str, language: &str) -> Vec<Vec<String>> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, Vec<String>)> = None;
    for line in text.lines().map(str::trim) {
        match (line.strip_prefix("```"), open.take()) {
            (Some(language), None) => open = Some((language.to_owned(), Vec::new())),
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some((of, mut lines))) => {
                lines.push(line.to_owned());
                open = Some((of, lines));
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a code block does not end");
    blocks.into_iter().filter(|(of, _)| of == language).map(|(_, lines)| lines).collect()
}

/// What stands in backticks on one line.
fn quoted(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

/// Every command line of the README: the words after `headcount`.
fn commands() -> BTreeSet<Vec<String>> {
    let text = file("README.md");
    let lines = blocks(&text, "sh").into_iter().chain(blocks(&text, "")).flatten();
    let quoted = quoted(&text).into_iter().map(str::to_owned).collect::<Vec<_>>();
    lines
        .chain(quoted)
        .filter_map(|line| {
            let line = line.split(" #").next().unwrap_or_default().trim().to_owned();
            let cron = line.rsplit_once("/headcount ").map(|(_, words)| words.to_owned());
            let plain = || line.strip_prefix("headcount ").or_else(|| line.strip_prefix("cargo run --release -- "));
            // In cron's line the program is called by its path.
            cron.or_else(|| plain().map(str::to_owned))
        })
        .map(|words| words.split_whitespace().map(str::to_owned).collect())
        .collect()
}

fn help(subcommand: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_headcount")).args([subcommand, "--help"]).output().unwrap();
    assert!(output.status.success(), "headcount {subcommand} --help: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The flags that a help text explains, each with whether it takes a value.
fn flags(help: &str) -> BTreeMap<String, bool> {
    let mut flags = BTreeMap::new();
    for line in help.lines().map(str::trim).filter(|line| line.starts_with('-')) {
        let words: Vec<&str> = line.split_whitespace().take_while(|word| word.starts_with(['-', '<'])).collect();
        let takes_value = words.iter().any(|word| word.starts_with('<'));
        for flag in words.iter().filter(|word| word.starts_with('-')) {
            flags.insert(flag.trim_end_matches([',', '.']).to_owned(), takes_value);
        }
    }
    flags
}

#[test]
fn every_command_is_one_with_its_flags_and_as_many_words_as_it_takes() {
    let commands = commands();
    assert!(commands.len() > 20, "only {commands:?} were found");
    for words in &commands {
        let (subcommand, rest) = words.split_first().unwrap();
        if subcommand == "help" {
            help(&rest[0]);
            continue;
        }
        let help = help(subcommand);
        let flags = flags(&help);
        let usage = help.lines().find(|line| line.starts_with("Usage:")).unwrap();
        let (mut plain, mut values) = (0, 0);
        for word in rest {
            if word.starts_with('-') {
                let takes_value = flags.get(word).unwrap_or_else(|| panic!("{words:?}: {word} is not in {help}"));
                // `--only` takes all that follow.
                values = match (takes_value, word.as_str()) {
                    (false, _) => 0,
                    (true, "--only") => usize::MAX,
                    (true, _) => 1,
                };
            } else if values > 0 {
                values -= 1;
            } else {
                plain += 1;
            }
        }
        let takes = usage.split_whitespace().skip(3).filter(|word| *word != "[OPTIONS]").count();
        assert!(plain <= takes, "{words:?}: {usage}");
    }
}

#[test]
fn every_subcommand_stands_in_the_table_and_the_table_has_no_other() {
    let output = Command::new(env!("CARGO_BIN_EXE_headcount")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let listed = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let program: BTreeSet<&str> =
        listed.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    let text = file("README.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `headcount "));
    let table: BTreeSet<&str> = rows.filter_map(|row| row.split([' ', '`']).next()).collect();
    assert_eq!(table, program);
}

#[test]
fn the_exit_codes_are_those_that_other_programs_rely_on() {
    let text = file("README.md");
    let section = text.split("### Exit codes").nth(1).unwrap().split("\n## ").next().unwrap();
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
        (4, "finished, but some accounts failed or are of unknown outcome; the report lists each"),
        (5, "a safety rule held something back (all of it, or the held subset while the rest was applied)"),
        (6, "paused and resumable: quota, signal, target down for too long"),
        (7, "another run holds the state directory"),
    ];
    assert_eq!(rows, fixed);
}

#[test]
fn the_commands_at_the_top_are_the_run_of_the_sample_and_the_test_of_every_merge() {
    let text = file("README.md");
    assert_eq!(blocks(&text, "sh")[0], ["cargo run --release -- sync --yes", "cargo test --locked"]);
    let ci = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run");
    // A published crate comes without it.
    if let Ok(script) = fs::read_to_string(ci) {
        assert!(script.lines().any(|line| line == "cargo test --locked"), "{script}");
    }
}

#[test]
fn every_setting_is_one_of_the_configuration() {
    let config = file("config.toml");
    // A setting that is switched off is one all the same.
    let switched_on: String = config.lines().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
    let mut known = BTreeSet::new();
    let mut section = "";
    for line in switched_on.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            section = name;
            known.insert(format!("[{name}]"));
        } else if let Some((key, _)) = line.split_once('=') {
            known.insert(format!("{section}.{}", key.trim()));
        }
    }
    let text = file("README.md");
    let sections = ["source", "target", "match", "map", "policy", "safety", "rate", "journal", "passwords", "report"];
    let mut seen = 0;
    for word in quoted(&text) {
        let is_setting = word.split_once('.').is_some_and(|(section, key)| {
            sections.contains(&section) && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        });
        let is_section = word.starts_with('[') && word.ends_with(']') && word != "[lookup.NAME]";
        if is_setting || is_section {
            assert!(known.contains(word), "config.toml has no `{word}`");
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} settings were found");
    for line in blocks(&text, "toml").into_iter().flatten() {
        if let Some((key, _)) = line.split_once('=') {
            assert!(known.contains(&format!("map.{}", key.trim())), "config.toml maps no `{key}`");
        }
    }
}

#[test]
fn the_files_that_it_points_to_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = file("README.md");
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let images = text.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next());
    for link in links.chain(images).filter(|link| !link.starts_with('#')) {
        assert!(root.join(link).exists(), "{link} is not there");
    }
    for heading in text.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(text.to_lowercase().contains(&format!("\n## {heading}\n")), "#{heading} is no heading");
    }
}
