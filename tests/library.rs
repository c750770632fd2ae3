//! A program that uses the library does everything that the commands do, without a terminal.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and so do its helpers")]

#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../examples/nightly_sync.rs"]
mod nightly_sync;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_plans_applies_syncs_resumes_explains_exports_and_rolls_back_without_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let mut out = Vec::new();
    nightly_sync::run_night(folder.path(), &mut out).await.unwrap();
    let said = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..2], ["plan: 5 to create", "apply: complete, 1 created, 0 deactivated"], "{said}");
    assert!(lines[2].starts_with("sync: paused, ") && lines[3].starts_with("resume: complete, "), "{said}");
    assert!(lines[4].starts_with("explain ana: unchanged: "), "{said}");
    assert_eq!(lines[5], "export: 5 accounts", "{said}");
    assert_eq!(lines[6..8], ["rollback: 4 to deactivate", "apply: complete, 0 created, 4 deactivated"], "{said}");
    assert_eq!(lines[8..], ["resume again: there is no unfinished run"], "{said}");
}
