//! State directories that cannot be used: not writable, locked, damaged, on a full disk. Nothing is written to the tenant.

use headcount::journal::{Journal, Options};
use jiff::Timestamp;

use crate::support::{Project, Ran, Tenant, ran, three_accounts, three_rows};

fn project() -> (Tenant, Project) {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    (tenant, project)
}

#[test]
fn a_state_directory_that_cannot_be_written() {
    let (tenant, project) = project();
    // Below a file, and where not even root may write.
    for state in ["people.csv/state", "/proc/headcount"] {
        for args in [&["plan"][..], &["sync", "--yes"]] {
            let (ran, summary) = project.json(&[&["--state", state], args].concat());
            ran.expect(1).says(&[state, "--state"]);
            assert_eq!(summary["error"]["kind"], "journal");
        }
    }
    assert_eq!(tenant.requests(), 0);
}

#[test]
fn a_state_directory_that_another_run_holds() {
    let (tenant, project) = project();
    project.plan();
    let asked = tenant.requests();
    let held = Journal::open(&project.path(".headcount"), Options::new(Timestamp::now())).unwrap();
    let pid = format!("process {}", std::process::id());
    for args in [&["plan"][..], &["sync", "--yes"], &["apply", "plan.jsonl", "--yes"], &["resume", "--yes"]] {
        let (ran, summary) = project.json(args);
        ran.expect(7).says(&["another run holds", ".headcount", &pid, "--state"]);
        assert_eq!(summary["error"]["kind"], "locked");
    }
    for args in [&["show", "last"][..], &["runs"]] {
        project.run(args).expect(7).says(&["another run holds"]);
    }
    assert_eq!(tenant.requests(), asked);
    drop(held);
    project.sync(0);
}

#[test]
fn a_journal_that_is_damaged_is_never_trusted() {
    let (tenant, project) = project();
    project.sync(0);
    std::fs::remove_file(project.path(".headcount/anchor")).unwrap();
    let asked = tenant.requests();
    for args in [&["plan"][..], &["sync", "--yes"]] {
        let (ran, summary) = project.json(args);
        ran.expect(1).says(&["damaged", "anchor", "move", ".headcount", "headcount sync"]);
        assert_eq!(summary["error"]["kind"], "journal");
    }
    assert_eq!(tenant.requests(), asked);
    // What the message says works.
    std::fs::rename(project.path(".headcount"), project.path("aside")).unwrap();
    assert_eq!(project.sync(0)["outcome"], "no_changes");
}

/// Runs where no file may grow beyond so many blocks of 1024 bytes; the signal for it is ignored, so that writes fail as
/// they do on a disk that is full.
fn limited(project: &Project, blocks: u32, args: &str) -> Ran {
    let binary = env!("CARGO_BIN_EXE_headcount");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec '{binary}' {args}");
    ran(&mut project.through("bash", &["-c", &script]))
}

#[test]
fn a_disk_that_is_full_from_the_beginning() {
    let (tenant, project) = project();
    let ran = limited(&project, 0, "--format json sync --yes");
    ran.expect(1).says(&[".headcount", "File too large"]);
    assert_eq!(ran.summary()["error"]["kind"], "journal");
    tenant.unchanged();
    // With room again, the next run does everything.
    project.sync(0);
    assert_eq!(tenant.writes().len(), 2);
}

#[test]
fn a_disk_that_fills_up_while_the_plan_is_written() {
    let tenant = Tenant::sample();
    let project = tenant.connect(Project::sample());
    project.plan();
    // The journal exists and need not grow; the listing's snapshot and the plan do.
    let ran = limited(&project, 24, "--format json sync --yes");
    ran.expect(1).says(&["File too large"]);
    tenant.unchanged();
    project.sync(0);
    assert_eq!(tenant.writes().len(), 74);
}

#[test]
fn a_plan_that_finds_no_room_is_an_error_and_a_device_stays_what_it_is() {
    let (tenant, project) = project();
    project.plan();
    // By a link: to replace the device itself would take it away from the whole machine.
    std::os::unix::fs::symlink("/dev/full", project.path("full")).unwrap();
    for args in [&["plan"][..], &["report", "plan.jsonl"]] {
        let ran = project.run(&[args, &["-o", "full"]].concat());
        ran.expect(1).says(&["full", "No space left", "-o"]);
        assert!(std::fs::symlink_metadata(project.path("full")).unwrap().is_symlink());
    }
    tenant.unchanged();
}

#[test]
fn a_plan_can_be_written_to_a_pipe() {
    let (_tenant, project) = project();
    std::os::unix::fs::symlink("/dev/stdout", project.path("out")).unwrap();
    let ran = project.run(&["plan", "-q", "-o", "out"]);
    ran.expect(0);
    assert!(ran.stdout.starts_with("{\"headcount_plan\":1") && ran.stdout.contains("{\"end\":2"), "{}", ran.stdout);
}

/// Runs with standard output on a disk that is full.
fn on_a_full_disk(project: &Project, args: &str) -> Ran {
    let binary = env!("CARGO_BIN_EXE_headcount");
    ran(&mut project.through("bash", &["-c", &format!("exec '{binary}' {args} > /dev/full")]))
}

#[test]
fn a_result_that_cannot_be_shown_does_not_make_a_run_a_failure() {
    for format in ["text", "json"] {
        let (tenant, project) = project();
        let ran = on_a_full_disk(&project, &format!("--format {format} sync --yes"));
        ran.expect(0).says(&["No space left", "cannot be written"]);
        assert_eq!(tenant.writes().len(), 2);
        // What is nothing but output is an error where it cannot be written.
        for args in ["runs", "show last", "report last", "export"] {
            on_a_full_disk(&project, &format!("--format {format} {args}")).expect(1).says(&["No space left"]);
        }
    }
}

#[test]
fn an_export_that_finds_no_room_is_an_error_that_names_the_file() {
    let (_tenant, project) = project();
    std::os::unix::fs::symlink("/dev/full", project.path("full.csv")).unwrap();
    project.run(&["export", "-o", "full.csv"]).expect(1).says(&["full.csv", "No space left"]);
}
