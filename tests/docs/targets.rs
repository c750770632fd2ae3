//! The pages of the targets: settings with their defaults, attributes, what deletes, what a listing takes.

use std::collections::BTreeSet;

use headcount::connectors::imichat::ImichatSettings;
use headcount::connectors::{brightpattern, imichat, scim};
use headcount::model::Schema;

use crate::documents::{document, file};
use crate::stage::{Scene, Stage};

/// Each kind, its page, and its sample.
const KINDS: [(&str, &str, &str); 3] = [
    ("imichat", "docs/targets/imichat.md", "config.toml"),
    ("brightpattern", "docs/targets/brightpattern.md", "samples/brightpattern.toml"),
    ("scim", "docs/targets/scim.md", "samples/scim.toml"),
];

/// The settings of one kind as the reference has them: name and default. The page of the kind leads there.
fn settings_of(page: &str) -> Vec<(String, String)> {
    let text = document(page).section("## Settings");
    let anchor = text.split("](../configuration.md#").nth(1).unwrap().split(')').next().unwrap();
    let heading = match anchor {
        "imichat" => "### imi.chat",
        "bright-pattern" => "### Bright Pattern",
        "scim" => "### SCIM",
        other => panic!("{page} leads to {other}"),
    };
    let reference = document("docs/configuration.md").section(heading);
    let settings = reference.split("\n#### `target.").skip(1);
    settings
        .map(|setting| {
            let (name, text) = setting.split_once('`').unwrap();
            let chosen = text.lines().find_map(|line| line.strip_prefix("- `")?.split_once("` (default)"));
            let default = match (text.split_once("Default: `"), chosen) {
                (Some((_, rest)), _) => rest.split('`').next().unwrap(),
                (None, Some((choice, _))) => choice,
                (None, None) if text.contains("**Needed**") => "needed",
                (None, None) => "none",
            };
            (name.to_owned(), default.to_owned())
        })
        .collect()
}

#[test]
fn the_settings_of_each_kind_are_those_that_the_program_knows() {
    for (kind, page, config) in KINDS {
        let stage = Stage::new(Scene::Sample);
        let text = stage.project.read(config);
        stage.project.write(config, text.replace("[target]\n", "[target]\nno_such_setting = 1\n"));
        let said = stage.project.run(&["-c", config, "check"]).stderr;
        let known = said.split("known here:").nth(1).unwrap_or_else(|| panic!("{kind}: {said}"));
        // The list may be broken into lines, which begin with what draws the box.
        let known = known.split('╰').next().unwrap().replace(['│', '·', '\n'], " ");
        let known: BTreeSet<&str> = known.split(',').map(str::trim).collect();
        let rows = settings_of(page);
        let written: BTreeSet<&str> =
            rows.iter().map(|(name, _)| name.as_str()).chain(["kind", "base_url", "tenant"]).collect();
        assert_eq!(written, known, "{kind}");
    }
}

#[test]
fn the_defaults_of_each_kind_are_what_the_samples_say() {
    for (kind, page, config) in KINDS {
        let config = file(config);
        let target = config.split("[target]").nth(1).unwrap().split("\n[").next().unwrap();
        let mut literal = 0;
        for (name, default) in settings_of(page) {
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

fn schema_of(kind: &str) -> Schema {
    match kind {
        "imichat" => imichat::make_schema(ImichatSettings::default().update_body),
        "brightpattern" => brightpattern::make_schema(),
        _ => scim::make_schema(&[]),
    }
}

#[test]
fn the_attributes_of_each_kind_are_those_of_its_schema() {
    for (kind, page, _) in KINDS {
        let section = document(page).section("## Attributes");
        let rows: BTreeSet<String> = section
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
            .map(|(name, rest)| {
                let cells: Vec<&str> = rest.split('|').map(str::trim).collect();
                format!("{name}: {} {} {}", cells[0], cells[1], cells[2])
            })
            .collect();
        let said = |is: bool, word: &'static str| if is { word } else { "" };
        let attributes: BTreeSet<String> = schema_of(kind)
            .iter()
            .map(|(_, attribute)| {
                let create = if attribute.required { "needed" } else { said(attribute.create, "yes") };
                let (read, update) = (said(attribute.read, "yes"), said(attribute.update, "yes"));
                format!("{}: {create} {read} {update}", attribute.name)
            })
            .collect();
        assert_eq!(rows, attributes, "{kind}");
    }
}

#[test]
fn what_deletes_and_what_a_listing_takes_is_as_the_table_of_the_targets_says() {
    let table = document("docs/targets/README.md").text;
    let row = |start: &str| {
        let row = table.lines().find(|line| line.starts_with(&format!("| {start}"))).unwrap();
        row.trim_matches('|').split(" | ").skip(1).map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    let (deletes, takes) = (row("deletes"), row("a listing of N accounts takes"));
    for (at, (kind, _, config)) in KINDS.into_iter().enumerate() {
        let stage = Stage::new(Scene::Sample);
        let project = &stage.project;
        let text = project.read(config);
        let (_, summary) = project.json(&["-c", config, "plan"]);
        project.run(&["-c", config, "export", "-o", "accounts.csv"]).expect(0);
        let accounts = csv::Reader::from_path(project.path("accounts.csv")).unwrap().records().count();
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
        project.write(config, deleting);
        let can = project.run(&["-c", config, "check"]).code == Some(0);
        assert_eq!(can, !deletes[at].starts_with("never"), "{kind}: {deletes:?}");
    }
}
