//! Holds the README to the program: every command that it prints is one, every exit code and every setting too, and what
//! it walks through can be walked.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and so do its helpers")]

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

/// Every command line of the README: the words after `headcount`, a configuration before the command left out.
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
        .map(|words| without_configuration(&words).1)
        .collect()
}

/// The file of a `-c FILE` that comes first, and the words after it.
fn without_configuration(words: &str) -> (Option<String>, Vec<String>) {
    let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    match words.split_first() {
        Some((flag, rest)) if flag == "-c" => {
            let (config, rest) = rest.split_first().unwrap();
            (Some(config.clone()), rest.to_vec())
        }
        _ => (None, words),
    }
}

/// A part of the README, from its heading to the next that is as high or higher.
fn section(heading: &str) -> String {
    let text = file("README.md");
    let after = text.split(&format!("\n{heading}\n")).nth(1).unwrap_or_else(|| panic!("no {heading}"));
    let level = heading.split(' ').next().unwrap().len();
    let ends = (2..=level).filter_map(|level| after.find(&format!("\n{} ", "#".repeat(level))));
    after[..ends.min().unwrap_or(after.len())].to_owned()
}

/// A folder with the configurations and what they read, at full speed.
fn folder() -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("samples")).unwrap();
    let files = ["config.toml", "hr_export.csv", "teams.csv", "brightpattern.toml", "migration.toml", "scim.toml"];
    for name in files.map(|name| if name == "config.toml" { name.to_owned() } else { format!("samples/{name}") }) {
        let text = fs::read_to_string(root.join(&name)).unwrap();
        let lines = text.lines().map(|line| {
            if line.starts_with("requests_per_second") { "requests_per_second = 0" } else { line }.to_owned() + "\n"
        });
        fs::write(folder.path().join(name), lines.collect::<String>()).unwrap();
    }
    folder
}

fn headcount(folder: &Path, words: &[impl AsRef<std::ffi::OsStr>]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    command.current_dir(folder).args(words).output().unwrap()
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

/// The sections of these files and their settings, `[target]` and `target.kind`.
fn settings(files: &[&str]) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for config in files.iter().map(|name| file(name)) {
        // A setting that is switched off is one all the same.
        let switched_on: Vec<&str> = config.lines().map(|line| line.trim_start_matches("# ")).collect();
        let mut section = "";
        for line in switched_on {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                section = name;
                known.insert(format!("[{name}]"));
            } else if let Some((key, _)) = line.split_once('=') {
                known.insert(format!("{section}.{}", key.trim()));
            }
        }
    }
    known
}

#[test]
fn every_setting_is_one_of_the_configuration() {
    let known = settings(&["config.toml", "samples/brightpattern.toml", "samples/scim.toml", "samples/migration.toml"]);
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
    let mut section = "";
    let lines: Vec<String> = blocks(&text, "toml").into_iter().flatten().collect();
    for line in &lines {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _)) = line.split_once('=') {
            assert!(
                known.contains(&format!("{section}.{}", key.trim())),
                "no configuration has `{key}` in [{section}]"
            );
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
        let heading = heading.replace('-', " ");
        assert!(text.to_lowercase().contains(&format!("\n## {heading}\n")), "#{heading} is no heading");
    }
}

/// The rows of the settings of one kind: name and default.
fn settings_of(heading: &str) -> Vec<(String, String)> {
    section(heading)
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(name, rest)| (name.to_owned(), rest.split(" | ").next().unwrap().trim_matches('`').to_owned()))
        .collect()
}

const KINDS: [(&str, &str, &str); 3] = [
    ("imichat", "### imi.chat", "config.toml"),
    ("brightpattern", "### Bright Pattern", "samples/brightpattern.toml"),
    ("scim", "### SCIM", "samples/scim.toml"),
];

#[test]
fn the_settings_of_each_kind_are_those_that_the_program_knows() {
    for (kind, heading, config) in KINDS {
        let folder = folder();
        let path = folder.path().join(config);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("[target]\n", "[target]\nno_such_setting = 1\n")).unwrap();
        let output = headcount(folder.path(), &["-c", config, "check"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let known = said.split("known here:").nth(1).unwrap_or_else(|| panic!("{kind}: {said}"));
        // The list may be broken into lines, which begin with what draws the box.
        let known = known.split('╰').next().unwrap().replace(['│', '·', '\n'], " ");
        let known: BTreeSet<&str> = known.split(',').map(str::trim).collect();
        let rows = settings_of(heading);
        let written: BTreeSet<&str> =
            rows.iter().map(|(name, _)| name.as_str()).chain(["kind", "base_url", "tenant"]).collect();
        assert_eq!(written, known, "{kind}");
    }
}

#[test]
fn the_defaults_of_each_kind_are_what_the_samples_say() {
    for (kind, heading, config) in KINDS {
        let config = file(config);
        let target = config.split("[target]").nth(1).unwrap().split("\n[").next().unwrap();
        let mut literal = 0;
        for (name, default) in settings_of(heading) {
            let set = target.lines().find_map(|line| {
                let (key, rest) = line.split_once('=')?;
                (key.trim() == name).then(|| rest.split(" #").next().unwrap().trim().to_owned())
            });
            if default != "none" && default != "needed" {
                assert_eq!(set.as_deref(), Some(default.as_str()), "{kind}: {name}");
                literal += 1;
            }
            // What is needed elsewhere the sandbox knows itself, so the sample switches it off.
            if default == "needed" {
                assert_eq!(set, None, "{kind}: {name}");
                assert!(target.contains(&format!("# {name}")), "{kind}: {name}");
            }
        }
        assert_eq!(
            literal,
            [("imichat", 6), ("brightpattern", 0), ("scim", 2)].iter().find(|(k, _)| *k == kind).unwrap().1
        );
    }
}

#[test]
fn what_deletes_and_what_a_listing_takes_is_as_the_table_of_the_targets_says() {
    let table = section("## The targets");
    let row = |start: &str| {
        let row = table.lines().find(|line| line.starts_with(&format!("| {start}"))).unwrap();
        row.trim_matches('|').split(" | ").skip(1).map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    let (deletes, takes) = (row("deletes"), row("a listing of N accounts takes"));
    for (at, (kind, _, config)) in KINDS.into_iter().enumerate() {
        let folder = folder();
        let path = folder.path().join(config);
        let text = fs::read_to_string(&path).unwrap();
        let plan = headcount(folder.path(), &["--format", "json", "-c", config, "plan"]);
        let summary: serde_json::Value = serde_json::from_slice(&plan.stdout).unwrap();
        headcount(folder.path(), &["-c", config, "export", "-o", "accounts.csv"]);
        let accounts = csv::Reader::from_path(folder.path().join("accounts.csv")).unwrap().records().count();
        let in_pages = |size| accounts.div_ceil(size) + 2 + accounts.div_ceil(size) / 50;
        let (requests, promise) = match kind {
            "imichat" => (in_pages(10), "N / 10 requests, two more, and one more for each 50 pages"),
            "brightpattern" => (accounts + 2, "N + 2 requests"),
            _ => (in_pages(100), "N / `page_size` requests, two more, and one more for each 50 pages"),
        };
        assert!(takes[at].starts_with(promise), "{kind}: {takes:?}");
        assert_eq!(summary["requests"]["list"], requests, "{kind}: {summary}");
        let deleting = text.replace("absent     = \"report\"", "absent     = \"delete\"");
        assert_ne!(deleting, text, "{kind}");
        fs::write(&path, deleting).unwrap();
        let can = headcount(folder.path(), &["-c", config, "check"]).status.success();
        assert_eq!(can, !deletes[at].starts_with("never"), "{kind}: {deletes:?}");
    }
}

#[test]
fn the_samples_of_the_other_targets_run_with_the_command_that_stands_there() {
    for (heading, config) in [("### Bright Pattern", "samples/brightpattern.toml"), ("### SCIM", "samples/scim.toml")] {
        let command = format!("cargo run --release -- -c {config} sync --yes");
        assert_eq!(blocks(&section(heading), "sh"), [[command]]);
        let output = headcount(folder().path(), &["-c", config, "sync", "--yes"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_first_five_minutes_can_be_walked_and_show_what_stands_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    fs::copy(root.join("samples/hr_export.csv"), folder.path().join("export.csv")).unwrap();
    fs::copy(root.join("samples/teams.csv"), folder.path().join("teams.csv")).unwrap();
    let text = section("## The first five minutes");
    let mut said = Vec::new();
    for line in blocks(&text, "sh").into_iter().flatten() {
        let command = line.split(" #").next().unwrap().trim();
        let mut words: Vec<&str> = command.strip_prefix("headcount ").unwrap().split_whitespace().collect();
        words.extend((words[0] == "init").then_some("--yes"));
        let output = headcount(folder.path(), &words);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        said.push(String::from_utf8(output.stdout).unwrap());
        // At full speed from then on.
        let config = folder.path().join("config.toml");
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, text.replace("requests_per_second = 5 ", "requests_per_second = 0 ")).unwrap();
    }
    let [init, _, _, plan] = &said[..] else { panic!("{} commands", said.len()) };
    assert!(plan.contains("nothing to change"), "{plan}");
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = words(init);
    for line in blocks(&text, "").into_iter().flatten().filter(|line| !line.is_empty()) {
        assert!(shown.contains(&words(&line)), "{line:?} is not in\n{init}");
    }
}

#[test]
fn the_migration_can_be_walked_and_ends_with_nothing_to_change() {
    let text = section("## Migration: from imi.chat to Bright Pattern");
    let folder = folder();
    let mut walked = Vec::new();
    for line in blocks(&text, "sh").into_iter().flatten() {
        let (config, mut words) = without_configuration(line.strip_prefix("headcount ").unwrap());
        walked.push(words[0].clone());
        if words[0] == "apply" {
            words.push("--yes".to_owned());
        }
        if let Some(config) = config {
            words.splice(0..0, ["-c".to_owned(), config]);
        }
        let output = headcount(folder.path(), &words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{line}: {said}{}", String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(walked, ["export", "check", "plan", "apply", "apply", "plan"]);
}

#[test]
fn the_mapping_of_the_migration_is_that_of_its_sample() {
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let sample: Vec<String> =
        file("samples/migration.toml").lines().map(|line| squeezed(line.split(" #").next().unwrap())).collect();
    let text = section("## Migration: from imi.chat to Bright Pattern");
    let lines: Vec<String> = blocks(&text, "toml").into_iter().flatten().filter(|line| !line.is_empty()).collect();
    assert!(lines.len() > 9, "{lines:?}");
    for line in lines {
        assert!(sample.contains(&squeezed(&line)), "samples/migration.toml has no `{line}`");
    }
}
