//! Generated passwords: whoever got an account gets its password, also when the file cannot be written at first.

use std::fs;

use crate::support::{Small, Tenant, assert_passwords_are_told};

const SMALL: Small = Small { newcomers: 5, changed: 2, leavers: 1 };

#[test]
fn a_run_whose_passwords_cannot_be_delivered_waits_until_they_can() {
    let tenant = Tenant::start(SMALL.options());
    let project = SMALL.project(&tenant);
    project.set("file", "\"there/passwords.age\"");
    let ran = project.sync(6);
    assert_eq!((ran.outcome(), ran.error_kind()), ("paused".to_owned(), "passwords".to_owned()));
    assert_eq!(ran.number("applied.create"), 5, "{ran}");
    assert_eq!(project.states(), ["paused"]);

    fs::create_dir(project.path("there")).unwrap();
    let effects = tenant.ledger().effects.len();
    let ran = project.run(&["resume", "--yes"]);
    assert_eq!((ran.code, ran.outcome().as_str()), (Some(0), "complete"), "{ran}");
    assert_eq!(tenant.ledger().effects.len(), effects, "nobody is touched again");
    fs::rename(project.path("there/passwords.age"), project.path("passwords.age")).unwrap();
    assert_passwords_are_told(&project, &tenant.ledger());
    let runs = fs::read_dir(project.path(".headcount/runs")).unwrap();
    assert!(runs.map(|run| run.unwrap().path().join("secret")).all(|secret| !secret.exists()), "the secret is gone");
}

#[test]
fn each_run_has_a_file_of_its_own_for_its_owner_alone() {
    let tenant = Tenant::start(SMALL.options());
    let project = SMALL.project(&tenant);
    project.sync(0);
    let more = SMALL.export() + &crate::support::row("late01", "After", "Active");
    project.write("samples/hr_export.csv", &more);
    project.sync(0);
    let delivered = project.delivered();
    assert_eq!(delivered.len(), 2);
    assert_passwords_are_told(&project, &tenant.ledger());
    #[cfg(unix)]
    for (path, _) in delivered {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn no_password_stands_anywhere_but_in_its_file() {
    let tenant = Tenant::start(SMALL.options());
    let project = SMALL.project(&tenant);
    let ran = project.run(&["-vv", "sync", "--yes"]);
    assert_eq!(ran.code, Some(0), "{ran}");
    let passwords: Vec<String> =
        project.delivered().into_iter().flat_map(|(_, told)| told.into_values().flatten()).collect();
    assert_eq!(passwords.len(), 5);
    let mut folders = vec![project.path("")];
    let mut texts = vec![ran.out.into_bytes(), ran.err.into_bytes()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { texts.push(fs::read(path).unwrap()) }
        }
    }
    for password in passwords {
        let shown = |text: &Vec<u8>| text.windows(password.len()).any(|window| window == password.as_bytes());
        assert!(!texts.iter().any(shown));
    }
}
