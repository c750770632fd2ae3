//! Blocks that are no commands: pieces of a configuration, JSON, YAML, Python. Every one of them is held to the program
//! that would read it.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use toml::{Table, Value as Toml};

use crate::documents::{Block, all, document, file};
use crate::stage::{Scene, Stage, which};
use crate::support::Project;

/// What a block may be, and what becomes of it.
const LANGUAGES: [(&str, &str); 9] = [
    ("sh", "run, line by line"),
    ("cron", "run, without the time"),
    ("", "printed by the commands above it"),
    ("toml", "accepted as a configuration"),
    ("json", "read, and its names compared with what the program prints"),
    ("yaml", "read; its commands are run"),
    ("python", "run where there is Python"),
    ("dockerfile", "not run: it needs a machine that builds images, and the network; its version of Rust is checked"),
    ("text", "a drawing"),
];

#[test]
fn every_block_is_of_a_language_that_is_looked_at() {
    for block in all().iter().flat_map(|document| document.blocks()) {
        assert!(LANGUAGES.iter().any(|(known, _)| *known == block.language), "{}: {}", block.at, block.language);
    }
}

/// Lays one configuration over another, setting by setting.
fn lay_over(below: &mut Table, above: Table) {
    for (name, value) in above {
        match (below.get_mut(&name), value) {
            (Some(Toml::Table(below)), Toml::Table(above)) => below.extend(above),
            (_, value) => drop(below.insert(name, value)),
        }
    }
}

/// The sample that a piece belongs to.
fn sample_of(block: &Block, piece: &Table) -> &'static str {
    let kind = piece.get("target").and_then(|target| target.get("kind")).and_then(Toml::as_str);
    let of_document = |name: &str| block.at.contains(name);
    match kind {
        _ if of_document("migration") => "samples/migration.toml",
        Some("brightpattern") => "samples/brightpattern.toml",
        Some("scim") => "samples/scim.toml",
        None if of_document("targets/scim") => "samples/scim.toml",
        _ => "config.toml",
    }
}

/// A folder in which the files are that a piece names.
fn prepared(block: &Block) -> Stage {
    let stage = Stage::new(Scene::Sample);
    let export = file("samples/hr_export.csv");
    let rows = csv::ReaderBuilder::new().flexible(true).from_reader(export.as_bytes()).records().count();
    let text = block.text();
    if text.contains("trailer") {
        stage.project.write("samples/hr_export.csv", format!("{export}TOTAL,{rows}\n"));
    }
    if text.contains("manifest") {
        stage.project.write("hr.json", format!("{{\"rows\": {rows}}}"));
    }
    if text.contains("company") {
        stage.project.write("samples/hr_export.csv", "employee_id,work_email,company\nE1,ana@example.com,Globex\n");
    }
    if block.at.contains("migration") {
        stage.project.run(&["export", "-o", "samples/accounts.csv"]).expect(0);
    }
    stage
}

#[test]
fn every_piece_of_a_configuration_is_accepted() {
    let mut seen = 0;
    for block in all().iter().flat_map(|document| document.of("toml")) {
        let piece: Table = block.text().parse().unwrap_or_else(|error| panic!("{}: {error}", block.at));
        let sample = sample_of(&block, &piece);
        let mut whole: Table = file(sample).parse().unwrap();
        let is_whole = ["source", "target", "match", "map"].iter().all(|section| piece.contains_key(*section));
        // Another target's address wants its own keys, which the piece has; those of the sample do not hinder.
        if is_whole {
            whole = piece
        } else {
            lay_over(&mut whole, piece)
        };
        let stage = prepared(&block);
        let name = sample.replace(".toml", ".piece.toml");
        stage.project.write(&name, toml::to_string(&whole).unwrap());
        let ran = stage.project.run(&["-c", &name, "check"]);
        assert_eq!(ran.code, Some(0), "{}\n{}\n{}", block.at, ran.stdout, ran.stderr);
        seen += 1;
    }
    assert!(seen > 12, "only {seen} pieces were found");
}

/// The sections of the samples and their settings, `[target]` and `target.kind`.
fn settings() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for name in ["config.toml", "samples/brightpattern.toml", "samples/scim.toml", "samples/migration.toml"] {
        let config = file(name);
        let mut section = "";
        // A setting that is switched off is one all the same.
        for line in config.lines().map(|line| line.trim_start_matches("# ")) {
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
    let mut known = settings();
    // Those of SCIM stand in one comment of its sample; `targets` holds the table of them to the program.
    known.extend(["token_url", "username", "password", "scope"].map(|key| format!("target.{key}")));
    let sections = ["source", "target", "match", "map", "policy", "safety", "rate", "journal", "passwords", "report"];
    let mut seen = 0;
    for document in all() {
        for word in document.quoted() {
            let is_setting = word.split_once('.').is_some_and(|(section, key)| {
                sections.contains(&section) && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            });
            let is_section = word.starts_with('[')
                && word.ends_with(']')
                && word.chars().all(|c| c.is_ascii_lowercase() || "[].".contains(c))
                && word != "[lookup]";
            if is_setting || is_section {
                assert!(known.contains(&word), "{}: no configuration has `{word}`", document.name);
                seen += 1;
            }
        }
    }
    assert!(seen > 120, "only {seen} settings were found");
}

#[test]
fn every_template_of_the_page_gives_what_stands_beside_it() {
    let table = document("docs/mapping.md").section("## Templates");
    // A bar within a cell of a table is written with a backslash.
    let unescaped = |cell: &str| cell.trim().trim_matches('`').replace('\u{1}', "|");
    let rows: Vec<Vec<String>> = table
        .lines()
        .filter(|line| line.starts_with("| `{{"))
        .map(|line| line.replace("\\|", "\u{1}").trim_matches('|').split('|').map(unescaped).collect())
        .collect();
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let [template, cell, gives] = &row[..] else { panic!("{row:?}") };
        let project = Project::small(&format!("id,login,email,cell\nE1,ana,ana@example.com,\"{cell}\"\n"));
        let map: String = project
            .read("config.toml")
            .lines()
            .take_while(|line| !line.starts_with("first_name"))
            .map(|line| format!("{line}\n"))
            .collect();
        project.write("config.toml", format!("{map}first_name = {template:?}\npassword = {{ generate = {{ length = 20 }} }}\n[rate]\nrequests_per_second = 0\n"));
        project.run(&["plan", "-o", "plan.jsonl"]).expect(0);
        let change = project.actions()[0]["changes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|change| change["attribute"] == "first_name")
            .cloned();
        assert_eq!(change.unwrap()["to"], gives.as_str(), "{template} of {cell}");
    }
}

#[test]
fn the_summary_is_what_a_run_prints_name_by_name() {
    let names = |value: &Value| -> BTreeSet<String> {
        let all = value.as_object().unwrap().iter();
        all.flat_map(|(name, value)| {
            let below = value.as_object().map(|below| below.keys().map(|key| format!("{name}.{key}")).collect());
            below.unwrap_or_else(|| vec![name.clone()])
        })
        .collect()
    };
    let blocks: Vec<_> = all().iter().flat_map(|document| document.of("json")).collect();
    assert_eq!(blocks.len(), 1, "who reads the other one?");
    let written: Value = serde_json::from_str(&blocks[0].text()).unwrap();
    let printed: Value =
        serde_json::from_str(&Stage::new(Scene::Sample).run("headcount sync --yes --format json").stdout).unwrap();
    assert_eq!(names(&written), names(&printed));
    // The numbers of the sample are the numbers of the sample.
    for part in ["planned", "found", "applied", "held", "failed", "requests", "outcome", "exit_code"] {
        assert_eq!(written[part], printed[part], "{part}");
    }
}

#[test]
fn whoever_checks_a_signature_as_the_recipe_does_takes_the_genuine_and_nothing_else() {
    let mut block = document("docs/recipes/notifications.md").of("python");
    let [Block { lines, .. }] = &mut block[..] else { panic!("{} blocks", block.len()) };
    let Some(python) = which("python3") else {
        eprintln!("there is no python3 here: the recipe that checks signatures was not tried");
        return;
    };
    let (body, key) = (r#"{"text":"acme: held"}"#, "wk-5d0b77e1");
    let signed = |at: i64, key: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(format!("{at}.{body}").as_bytes());
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={at},v1={hex}")
    };
    let now = jiff::Timestamp::now().as_second();
    let cases = [(signed(now, key), "True"), (signed(now, "other"), "False"), (signed(now - 3600, key), "False")];
    for (header, answer) in cases {
        let call = format!("\nprint(is_genuine({header:?}, {body:?}.encode(), {key:?}.encode()))\n");
        let output = Command::new(&python).arg("-c").arg(lines.join("\n") + &call).output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim(),
            answer,
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn an_image_is_built_with_a_rust_that_is_new_enough() {
    let block = document("docs/recipes/kubernetes.md").of("dockerfile").remove(0);
    let cargo: Table = file("Cargo.toml").parse().unwrap();
    let needed = cargo["package"]["rust-version"].as_str().unwrap();
    assert!(block.lines[0].starts_with(&format!("FROM rust:{needed}")), "{}: {needed} is needed", block.at);
    assert!(block.text().contains("ca-certificates"));
}

#[test]
fn a_report_that_is_named_is_written() {
    let mut stage = Stage::new(Scene::Sample);
    stage.run("headcount sync --yes").expect(0);
    let written: Vec<_> = fs::read_dir(stage.project.path("reports")).unwrap().map(Result::unwrap).collect();
    assert_eq!(written.len(), 2, "{written:?}");
}
