//! The program itself: help, version, the schema, completions, manual pages, global flags, colour, logs.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Project, Tenant, ran, three_accounts, three_rows};

const COMMANDS: [&str; 12] =
    ["check", "plan", "apply", "sync", "resume", "runs", "show", "report", "sandbox", "schema", "completions", "man"];

#[test]
fn help_and_version_are_answers_and_not_errors() {
    let project = Project::small("");
    let help = project.run(&["--help"]);
    help.expect(0).says(&COMMANDS);
    assert_eq!(help.stderr, "");
    let version = project.run(&["--version"]);
    version.expect(0);
    assert_eq!(version.stdout, format!("headcount {}\n", env!("CARGO_PKG_VERSION")));
    for command in COMMANDS {
        project.run(&[command, "--help"]).expect(0).says(&["Usage: headcount", command]);
    }
}

#[test]
fn wrong_usage_exits_with_2_and_says_what_would_be_right() {
    let project = Project::small("");
    project.run(&[]).expect(2).says(&["Usage"]);
    project.run(&["snyc"]).expect(2).says(&["snyc", "sync"]);
    project.run(&["plan", "--detailed-exit-code"]).expect(2).says(&["--detailed-exitcode"]);
    project.run(&["apply"]).expect(2).says(&["<PLAN>"]);
    project.run(&["show"]).expect(2).says(&["<RUN>"]);
    project.run(&["sync", "--limit", "some"]).expect(2).says(&["--limit", "some"]);
    project.run(&["--format", "yaml", "plan"]).expect(2).says(&["yaml", "json"]);
    project.run(&["completions", "cmd"]).expect(2).says(&["cmd", "bash", "zsh", "fish"]);
    // The choice of actions belongs to the run.
    project.run(&["plan", "--yes"]).expect(2).says(&["--yes"]);
}

#[test]
fn the_schema_is_that_of_the_documents_and_needs_no_configuration() {
    let project = Project::small("");
    std::fs::remove_file(project.path("config.toml")).unwrap();
    let ran = project.run(&["schema"]);
    ran.expect(0);
    let committed = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.schema.json");
    assert_eq!((ran.stdout, ran.stderr.as_str()), (std::fs::read_to_string(committed).unwrap(), ""));
}

#[test]
fn completions_name_every_command_and_bash_accepts_them() {
    let project = Project::small("");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = project.run(&["completions", shell]);
        ran.expect(0).says(&COMMANDS);
        assert_eq!(ran.stderr, "");
    }
    let script = project.run(&["completions", "bash"]).stdout;
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let project = Project::small("");
    project.run(&["man"]).expect(0).says(&[".TH headcount 1"]);
    project.run(&["man", "--out", "man"]).expect(0);
    for command in COMMANDS {
        assert!(project.read(&format!("man/headcount-{command}.1")).contains(".SH SYNOPSIS"), "{command}");
    }
    project.run(&["man", "--out", "config.toml/man"]).expect(1).says(&["config.toml/man"]);
}

#[test]
fn global_flags_stand_before_or_after_the_command() {
    let project = Project::small("");
    project.people(&three_rows());
    std::fs::create_dir(project.path("conf")).unwrap();
    std::fs::rename(project.path("config.toml"), project.path("conf/hr.toml")).unwrap();
    std::fs::rename(project.path("people.csv"), project.path("conf/people.csv")).unwrap();
    // Paths of the configuration start from its folder.
    project.run(&["-c", "conf/hr.toml", "check"]).expect(0);
    project.run(&["check", "--config", "conf/hr.toml"]).expect(0);
    project.run(&["check"]).expect(1).says(&["config.toml", "--config"]);
}

#[test]
fn state_names_another_directory() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let (ran, summary) = project.json(&["sync", "--yes", "--state", "elsewhere/state"]);
    ran.expect(0);
    assert!(!project.path(".headcount").exists());
    assert_eq!(project.mode("elsewhere/state"), 0o700);
    let run = summary["run"].as_str().unwrap();
    project.run(&["runs"]).expect(0).says(&["No runs yet"]);
    project.run(&["--state", "elsewhere/state", "runs"]).expect(0).says(&[run]);
}

#[test]
fn a_state_directory_that_is_open_to_others_is_closed_to_them() {
    use std::os::unix::fs::PermissionsExt;
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    std::fs::create_dir(project.path(".headcount")).unwrap();
    std::fs::set_permissions(project.path(".headcount"), std::fs::Permissions::from_mode(0o755)).unwrap();
    project.sync(0);
    assert_eq!(project.mode(".headcount"), 0o700);
}

#[test]
fn quiet_says_nothing_where_nothing_is_wrong() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    for args in [&["check", "-q"][..], &["plan", "-q"], &["sync", "--yes", "-q"]] {
        let ran = project.run(args);
        ran.expect(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{args:?}");
    }
    project.run(&["apply", "none", "-q"]).expect(1).says(&["none"]);
    let (ran, _) = project.json(&["plan", "-q"]);
    ran.expect(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn quiet_says_what_is_held_what_failed_and_what_stops_everything_and_nothing_to_a_script() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.add("safety", "max_create = 0");
    for args in [&["plan", "-q"][..], &["sync", "--yes", "-q"]] {
        let ran = project.run(args);
        ran.expect(5).says(&["1 account to create held", "--approve"]);
        assert_eq!(ran.stdout, "", "{args:?}");
    }
    project.edit("max_create = 0", "min_rows = 9");
    for args in [&["check", "-q"][..], &["plan", "-q"], &["sync", "--yes", "-q"]] {
        let ran = project.run(args);
        ran.expect(5).says(&["fewer than safety.min_rows = 9"]);
        assert_eq!(ran.stdout, "", "{args:?}");
    }
    let faults = "[[rule]]\non = { op = \"create\" }\nthen = { status = 400, code = 3111, description = \"taken\" }\n";
    let tenant = Tenant::with_faults(&[], faults);
    let ran = tenant.project(&three_rows()).run(&["sync", "--yes", "-q"]);
    ran.expect(4).says(&["3111 taken", "1 account failed"]);
    assert_eq!(ran.stdout, "");
}

#[test]
fn progress_needs_no_terminal_and_can_be_left_out() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let ran = project.run(&["plan"]);
    assert!(!ran.stderr.contains('\r') && !ran.stderr.contains('\x1b'), "{:?}", ran.stderr);
    assert_eq!(project.run(&["plan", "--no-progress"]).stderr, "");
}

#[test]
fn log_lines_can_be_json() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let ran = project.run(&["sync", "--yes", "-vv", "--log-format", "json", "--no-progress"]);
    ran.expect(0);
    let lines: Vec<Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line.to_string().contains("trxid")), "{lines:#?}");
    let ran = project.run(&["plan", "-vv", "--no-progress"]);
    assert!(ran.stderr.contains("trxid"), "{}", ran.stderr);
}

#[test]
fn the_log_file_has_every_request_by_its_transaction() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.sync(0);
    let log = project.read(".headcount/log/headcount.log");
    for effect in tenant.writes() {
        assert!(log.contains(&effect.trxid), "{} is not in {log}", effect.trxid);
    }
    assert!(!log.contains('\x1b'));
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let colourful = |args: &[&str], no_color: Option<&str>| {
        let mut command = project.command(args);
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        let ran = ran(&mut command);
        ran.expect(0);
        ran.stdout.contains('\x1b') || ran.stderr.contains('\x1b')
    };
    assert!(!colourful(&["plan"], None));
    assert!(!colourful(&["plan"], Some("1")));
    assert!(!colourful(&["plan", "--color", "never"], None));
    assert!(colourful(&["plan", "--color", "always"], None));
    // What a person says on the command line counts more than the environment.
    assert!(colourful(&["plan", "--color", "always"], Some("1")));
    let json = project.run(&["plan", "--format", "json", "--color", "always"]);
    assert!(!json.stdout.contains('\x1b'));
    json.summary();
}

#[test]
fn an_error_in_colour_and_without() {
    let project = Project::small("");
    project.edit("[match]", "[mach]");
    assert!(!project.run(&["check"]).stderr.contains('\x1b'));
    assert!(project.run(&["check", "--color", "always"]).stderr.contains('\x1b'));
}

#[test]
fn the_sandbox_serves_until_it_is_told_to_end() {
    let project = Project::small("");
    let mut child = project
        .command(&["sandbox", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let served: Value = serde_json::from_str(&line).unwrap();
    project.people(&three_rows());
    project.set(
        "base_url",
        &format!("{}\napi_key = {{ env = \"SANDBOX_KEY\" }}\ndomain = {}", served["base_url"], served["domain"]),
    );
    let mut check = project.command(&["check", "--online"]);
    check.env("SANDBOX_KEY", served["api_key"].as_str().unwrap());
    ran(&mut check).expect(0).says(&["Signed in"]);
    // The shell's own: not every machine has a program of that name.
    let kill = Command::new("sh").arg("-c").arg(format!("kill {}", child.id())).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_sandbox_of_another_kind_or_on_a_taken_port_is_an_error() {
    let tenant = three_accounts();
    let project = Project::small("");
    project.run(&["sandbox", "--kind", "scmi"]).expect(1).says(&["scmi", "imichat"]);
    project.run(&["sandbox", "--port", &tenant.port().to_string()]).expect(1).says(&["cannot listen", "127.0.0.1"]);
    project.run(&["sandbox", "--seed", "none.json"]).expect(1).says(&["none.json"]);
    project.write("faults.toml", "[[rule]]\non = { op = \"lst\" }\nthen = { status = 500 }\n");
    project.run(&["sandbox", "--faults", "faults.toml"]).expect(1).says(&["faults.toml", "lst"]);
}
