//! Every command that stands in the documents is run, and is one.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::documents::{Document, all, document, file};
use crate::stage::{NOT_RUN, SCENES, Scene, Stage, lines, scene_at, subcommand};

/// A test for each document, so that they run side by side; and a list of them, so that none is forgotten.
macro_rules! can_be_followed {
    ($($name:ident: $file:literal,)*) => {
        $(#[test]
        fn $name() {
            follow(&document($file));
        })*

        const FOLLOWED: &[&str] = &[$($file),*];
    };
}

can_be_followed! {
    the_readme_can_be_followed: "README.md",
    the_index_can_be_followed: "docs/README.md",
    the_commands_can_be_followed: "docs/commands.md",
    the_concepts_can_be_followed: "docs/concepts.md",
    the_mapping_can_be_followed: "docs/mapping.md",
    the_sources_can_be_followed: "docs/sources.md",
    the_targets_can_be_followed: "docs/targets/README.md",
    imichat_can_be_followed: "docs/targets/imichat.md",
    brightpattern_can_be_followed: "docs/targets/brightpattern.md",
    scim_can_be_followed: "docs/targets/scim.md",
    troubleshooting_can_be_followed: "docs/troubleshooting.md",
    the_recipes_can_be_followed: "docs/recipes/README.md",
    the_recipe_of_the_night_can_be_followed: "docs/recipes/nightly-sync.md",
    the_recipe_of_kubernetes_can_be_followed: "docs/recipes/kubernetes.md",
    the_recipe_of_notifications_can_be_followed: "docs/recipes/notifications.md",
    the_recipe_of_the_roll_out_can_be_followed: "docs/recipes/staged-roll-out.md",
    the_recipe_of_approval_can_be_followed: "docs/recipes/approval-by-pull-request.md",
    the_recipe_of_two_tenants_can_be_followed: "docs/recipes/two-tenants.md",
    the_recipe_of_the_migration_can_be_followed: "docs/recipes/migration.md",
    the_recipe_of_undoing_can_be_followed: "docs/recipes/undoing-a-run.md",
    reliability_can_be_followed: "docs/reliability.md",
}

#[test]
fn every_document_is_followed() {
    let names: BTreeSet<String> = all().into_iter().map(|document| document.name).collect();
    assert_eq!(names, FOLLOWED.iter().map(|name| (*name).to_owned()).collect());
}

/// Runs the commands of a document in their order, and looks for what it says they print.
fn follow(document: &Document) {
    let mut stage = None;
    let (mut heading, mut begun) = (String::new(), 0);
    for block in document.blocks() {
        if block.heading != heading {
            heading.clone_from(&block.heading);
            if let Some(scene) = scene_at(&document.name, &heading) {
                stage = Some(Stage::new(scene));
                begun += 1;
            }
        }
        let commands = match block.language.as_str() {
            "sh" => lines(&block),
            "cron" => block.lines.iter().map(|line| (of_cron(line), 0)).collect(),
            "" => {
                let said =
                    squeezed(&stage.as_ref().unwrap_or_else(|| panic!("{}: nothing was run before", block.at)).said);
                for line in block.lines.iter().filter(|line| !line.trim().is_empty()) {
                    assert!(said.contains(&squeezed(line)), "{}: {line:?} is not in\n{said}", block.at);
                }
                continue;
            }
            _ => continue,
        };
        let stage = stage.get_or_insert_with(|| Stage::new(Scene::Sample));
        for (command, code) in commands {
            let ran = stage.run(&command);
            assert_eq!(ran.code, Some(code), "{}: {command}\n{}\n{}", block.at, ran.stdout, ran.stderr);
        }
    }
    let scenes = SCENES.iter().filter(|(of, _, _)| *of == document.name).count();
    assert_eq!(begun, scenes, "{}: a scene has a heading that is not there, or no block", document.name);
}

/// The command of a line of cron's table: five fields, then a command, which goes to its folder first.
fn of_cron(line: &str) -> String {
    let fields: Vec<&str> = line.split_whitespace().take(5).collect();
    let number = |field: &str| field == "*" || field.parse::<u8>().is_ok_and(|number| number < 60);
    assert!(fields.len() == 5 && fields.iter().all(|field| number(field)), "{line}");
    let (folder, command) = line.split_once(" cd ").unwrap().1.split_once(" && ").unwrap();
    assert!(folder.starts_with("/srv/headcount"), "{line}");
    // Of several tenants each has a folder below that one.
    let below = folder.trim_start_matches("/srv/headcount").trim_start_matches('/');
    let program = command.strip_prefix("/usr/local/bin/").unwrap();
    if below.is_empty() { program.to_owned() } else { format!("cd {below} && {program}") }
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every command line of headcount that stands anywhere: in blocks, in tables, in the middle of a sentence.
fn everywhere() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for document in all() {
        let of_blocks = document.of("sh").into_iter().flat_map(|block| lines(&block)).map(|(line, _)| line);
        let lines =
            of_blocks.chain(document.quoted()).map(|line| line.replace("cargo run --release -- ", "headcount "));
        found.extend(lines.filter(|line| line.starts_with("headcount ")));
    }
    found
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
    let lines = everywhere();
    assert!(lines.len() > 60, "only {lines:?} were found");
    for line in &lines {
        let name = subcommand(line).unwrap_or_else(|| panic!("{line}: no command"));
        if name == "help" {
            continue;
        }
        let help = help(name);
        let flags = flags(&help);
        let usage = help.lines().find(|line| line.starts_with("Usage:")).unwrap();
        let (mut plain, mut values) = (0, 0);
        // What stands behind these is the shell's.
        let own = line.split_whitespace().skip(1).take_while(|word| !["|", ">", "&&"].contains(word));
        for word in own {
            if word.starts_with('-') && word.len() > 1 {
                let known = flags.get(word).or_else(|| flags.get(word.get(..2)?).filter(|_| word == "-vv"));
                let takes_value = known.unwrap_or_else(|| panic!("{line}: {word} is not in {help}"));
                // `--only` takes all that follow.
                values = match (takes_value, word) {
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
        assert!(plain <= takes + 1, "{line}: {usage}");
    }
}

#[test]
fn every_flag_in_a_table_is_one_of_every_command() {
    let flags = flags(&help("runs"));
    let document = document("docs/commands.md");
    let rows = document.section("## Flags that every command takes");
    let named: BTreeSet<&str> = rows
        .lines()
        .filter_map(|row| row.strip_prefix("| `-"))
        .flat_map(|row| row.split('|').next().unwrap().split('`').step_by(2))
        .map(|flag| flag.split_whitespace().next().unwrap_or_default().trim_start_matches('-'))
        .filter(|flag| !flag.is_empty() && *flag != ",")
        .collect();
    assert!(named.len() > 7, "{named:?}");
    for flag in named {
        let long = format!("--{flag}");
        assert!(flags.contains_key(&long) || flag.chars().all(|c| flags.contains_key(&format!("-{c}"))), "{flag}");
    }
}

#[test]
fn every_command_that_other_programs_see_is_run_by_the_readme_or_the_page_of_commands() {
    let run: BTreeSet<String> = ["README.md", "docs/commands.md", "docs/recipes/migration.md"]
        .into_iter()
        .flat_map(|name| document(name).of("sh"))
        .flat_map(|block| lines(&block))
        .filter_map(|(line, _)| subcommand(&line).map(str::to_owned))
        .collect();
    let table = document("README.md").section("## Commands");
    for row in table.lines().filter_map(|row| row.strip_prefix("| `headcount ")) {
        let name = row.split([' ', '`']).next().unwrap();
        // What is left unfinished takes more than a line; `tests/runs` is about it.
        assert!(name == "resume" || run.contains(name), "nobody runs {name}");
    }
}

#[test]
fn programs_that_are_not_run_are_called_somewhere() {
    let blocks = all().into_iter().flat_map(|document| document.blocks());
    let called = blocks.filter(|block| block.language == "sh" || block.language == "yaml").map(|block| block.text());
    let text: String = called.collect();
    let words: BTreeSet<&str> = text.split(|c: char| c.is_whitespace() || "'($".contains(c)).collect();
    for (name, why, _) in NOT_RUN {
        assert!(words.contains(name), "{name} is called nowhere: take it out of the table");
        assert!(why.len() > 5, "{name}");
    }
}

#[test]
fn the_service_of_systemd_runs_a_command_that_works() {
    let unit = file("samples/headcount.service");
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/")).unwrap();
    let mut stage = Stage::new(Scene::Live);
    let ran = stage.run(command);
    ran.expect(0);
    assert!(!stage.tenant().ledger().is_empty());
}
