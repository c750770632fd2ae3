//! Questions on a terminal. `script` makes one, of which the program knows nothing, and types what it is given.

use std::process::Stdio;

use crate::sheets::xlsx;
use crate::support::{Project, Ran, counts, fed};

/// Runs the program in a terminal in which somebody types.
fn typing(project: &Project, command: &str, typed: &str) -> Ran {
    let line = format!("stty -echo cols 80; '{}' {command}", env!("CARGO_BIN_EXE_headcount"));
    let mut script = project.through("script", &["-qec", &line, "/dev/null"]);
    script.env("SHELL", "/bin/sh").env("TERM", "xterm").stdout(Stdio::piped());
    fed(script, typed.as_bytes())
}

const PEOPLE: &str = "SV-Nr,Badge No,Email,Status\n\
    71,9,ana@example.com,Active\n72,8,bo@example.com,Violet\n73,7,cy@example.com,Terminated\n";

fn export() -> Project {
    let project = Project::empty();
    project.write("hr.csv", PEOPLE);
    project
}

#[test]
fn init_asks_what_is_left_open_and_takes_the_answers() {
    let project = export();
    let ran = typing(&project, "init hr.csv", "2\n1\n");
    ran.expect(0).says(&["Which column never changes", "1 SV-Nr", "2 Badge No", "1 Violet (1)"]);
    let config = project.read("config.toml");
    assert!(config.contains("identity = \"Badge No\"") && config.contains("in ['Terminated', 'Violet']"), "{config}");
    assert_eq!(counts(&project.plan(), "planned"), "create 1");
}

#[test]
fn init_takes_enter_for_what_it_proposes() {
    let project = export();
    typing(&project, "init hr.csv", "\n\n").expect(0).says(&["people who keep their account: Violet (1)"]);
    let config = project.read("config.toml");
    assert!(config.contains("identity = \"SV-Nr\"") && config.contains("in ['Terminated']"), "{config}");
}

#[test]
fn init_writes_nothing_where_a_question_has_no_answer() {
    let project = export();
    typing(&project, "init hr.csv", "7\n7\n7\n").expect(1).says(&["a question has no answer"]);
    assert!(!project.path("config.toml").exists());
}

#[test]
fn init_asks_which_of_several_sheets_has_the_people() {
    let project = Project::empty();
    let old = "SV-Nr,Email\n61,old@example.com\n62,older@example.com\n";
    let notes = "Note\nof no use\nof no use\n";
    project.write("hr.xlsx", xlsx(&[("Old", old), ("Now", &PEOPLE.replace("Violet", "Active")), ("Notes", notes)]));
    let ran = typing(&project, "init hr.xlsx", "2\n\n");
    ran.expect(0).says(&[
        "several sheets. Which one has the people?",
        "1 Now (3)",
        "2 Old (2)",
        "sheet \"Old\": 2 rows",
    ]);
    assert!(project.read("config.toml").contains("sheet = \"Old\""));
    typing(&project, "init hr.xlsx --force", "\n\n\n").expect(0).says(&["sheet \"Now\": 3 rows"]);
    typing(&project, "init hr.xlsx --force", "9\n9\n9\n").expect(1).says(&["a question has no answer"]);
}

#[test]
fn init_asks_before_it_writes_over_a_file() {
    let project = export();
    project.write("config.toml", "mine");
    typing(&project, "init hr.csv", "\n\n\n").expect(0).says(&["Write over it? [y/N]", "Nothing was written."]);
    assert_eq!(project.read("config.toml"), "mine");
    typing(&project, "init hr.csv", "\n\ny\n").expect(0);
    assert!(project.read("config.toml").contains("[map]"));
}

#[test]
fn apply_asks_and_only_a_clear_yes_is_one() {
    let project = Project::small("");
    project.people("E1,ana,ana@example.com,Ana,Diaz,Agent,active\n");
    let created = |ran: &Ran| ran.stdout.contains("planned      done");
    project.plan();
    assert!(!created(typing(&project, "apply plan.jsonl", "\n").says(&["Apply to acme", "[y/N]"])));
    let ran = typing(&project, "apply plan.jsonl", "yes\n");
    assert!(created(ran.expect(0)), "{}", ran.stdout);
}
