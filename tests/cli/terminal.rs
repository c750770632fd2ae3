//! Questions on a terminal. `script` makes one, of which the program knows nothing, and types what it is given.

use std::io::{Read, Write};
use std::process::Stdio;

use headcount::sandbox::{Options, Seed, SimulatedQuota};

use crate::sheets::xlsx;
use crate::support::{Project, Ran, Tenant, counts, fed};

/// Runs the program in a terminal in which somebody types.
fn typing(project: &Project, command: &str, typed: &str) -> Ran {
    let line = format!("stty -echo cols 80; '{}' {command}", env!("CARGO_BIN_EXE_headcount"));
    let mut script = project.through("script", &["-qec", &line, "/dev/null"]);
    script.env("SHELL", "/bin/sh").env("TERM", "xterm").stdout(Stdio::piped());
    fed(script, typed.as_bytes())
}

/// Runs the program in a terminal in which somebody types once something is shown.
fn typing_after(project: &Project, command: &str, shown: &str, typed: &str) -> Ran {
    let line = format!("stty -echo cols 80; exec '{}' {command}", env!("CARGO_BIN_EXE_headcount"));
    let mut script = project.through("script", &["-qec", &line, "/dev/null"]);
    script.env("SHELL", "/bin/sh").env("TERM", "xterm");
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut seen, mut piece, mut is_typed) = (Vec::new(), [0; 4096], false);
    loop {
        let count = stdout.read(&mut piece).unwrap();
        seen.extend_from_slice(&piece[..count]);
        if !is_typed && String::from_utf8_lossy(&seen).contains(shown) {
            stdin.write_all(typed.as_bytes()).unwrap();
            is_typed = true;
        }
        if count == 0 {
            break;
        }
    }
    let ended = child.wait_with_output().unwrap();
    Ran::of(std::process::Output { stdout: seen, ..ended })
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
    typing(&project, "init hr.csv", "\n\n\n").expect(0).says(&["Overwrite it? [y/N]", "Nothing was written."]);
    assert_eq!(project.read("config.toml"), "mine");
    typing(&project, "init hr.csv", "\n\ny\n").expect(0);
    assert!(project.read("config.toml").contains("[map]"));
}

#[test]
fn a_question_says_what_this_run_would_do_and_not_what_the_plan_holds() {
    let project = Project::small("");
    project.people("E1,ana,ana@example.com,Ana,Diaz,Agent,active\nE2,bo,bo@example.com,Bo,Li,Agent,active\n");
    typing(&project, "sync --limit 1", "no\n").expect(1).says(&["1 create; 1 left out (--only, --limit)? [y/N]"]);
}

#[test]
fn ctrl_c_at_the_question_is_an_answer() {
    let project = Project::small("");
    project.people("E1,ana,ana@example.com,Ana,Diaz,Agent,active\n");
    let ran = typing_after(&project, "sync", "[y/N]", "\x03");
    ran.expect(6).says(&["[y/N]", "stopped before anything was changed"]);
    assert!(!ran.stdout.contains("stopping:"), "{}", ran.stdout);
    project.run(&["runs"]).expect(0).says(&["No runs yet"]);
}

#[test]
fn resume_asks_for_what_is_left() {
    // The quota is used up in the middle of the run.
    let quota = SimulatedQuota { per_day: 12, ..SimulatedQuota::default() };
    let tenant =
        Tenant::start(Options { seed: Seed::Text(r#"{"accounts":[]}"#.to_owned()), quota, ..Options::default() });
    let people: String = (10..30).map(|n| format!("E{n},p{n},p{n}@example.com,P,{n},Agent,active\n")).collect();
    let project = tenant.project(&people);
    let done = project.sync(6)["applied"]["create"].as_u64().unwrap();
    assert!((1..20).contains(&done), "{done}");
    project.run(&["runs"]).expect(0).says(&["is paused:", "headcount resume"]);
    let question = format!("{} create; {done} done already or left out? [y/N]", 20 - done);
    typing(&project, "resume", "no\n").expect(1).says(&[&question, "nothing was applied"]);
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
