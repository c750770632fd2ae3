//! Bright Pattern, end to end: a small contact center, a small export, the real program between them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and so do its helpers")]

use std::collections::HashMap;
use std::fs;
use std::process::Output;
use std::sync::Arc;

use headcount::sandbox::brightpattern::BrightpatternBehaviour;
use headcount::sandbox::{CLIENT_ID, CLIENT_SECRET, DOMAIN, LedgerOperation, Options, Sandbox, Seed, start};
use serde_json::{Value, json};
use tempfile::TempDir;

const CONFIG: &str = r#"
[source]
path     = "hr.csv"
identity = "id"

[target]
kind          = "brightpattern"
base_url      = "BASE"
client_id     = "CLIENT"
client_secret = { file = "secret" }
scope         = "SCOPE"

[match]
rules = [["loginId"]]

[map]
loginId        = "login"
firstName      = "first"
lastName       = "last"
email          = "mail"
team           = "team"
disabled       = "{{ 'true' if status == 'left' else 'false' }}"
skills         = "skills"
changePassword = { value = true, on = "create" }
password       = { generate = { length = 20 } }

[rate]
requests_per_second = 0
concurrency = 4

[passwords]
deliver_to = "discard"
"#;

const HR: &str = "\
id,login,first,last,mail,team,skills,status
1,ana,Ana,Díaz,ana@example.com,Sales,English:100,here
2,bo,Bo,Li,bo@example.com,Sales,,left
3,cy,Cy,New,cy@example.com,Ops,English:50;Spanish:70,here
4,di,Di,Married,di@example.com,Ops,,here
5,eve,Eve,Back,eve@example.com,Ops,,here
6,flo,Flo,Same,flo@example.com,Ops,English:10,here
";

/// A contact center with five of the six people and one more, and a folder whose configuration leads there.
struct Setting {
    sandbox: Sandbox,
    dir: Arc<TempDir>,
}

async fn setting() -> Setting {
    let user = |login: &str, last: &str, team: &str, disabled: bool, skills: Value, extension: u64| {
        let first = format!("{}{}", login[..1].to_uppercase(), &login[1..]);
        json!({"loginId": login, "firstName": first, "lastName": last, "team": team, "disabled": disabled,
            "extension": extension.to_string(), "email": format!("{login}@example.com"), "skills": skills,
            "roles": ["Agent"]})
    };
    let tenant = json!({"teams": ["Sales", "Ops"], "accounts": [
        user("ana", "Díaz", "Ops", false, json!({"English": 80, "French": 5}), 1001),
        user("bo", "Li", "Sales", false, json!({}), 1002),
        user("di", "Single", "Ops", false, json!({}), 1003),
        user("eve", "Back", "Ops", true, json!({}), 1004),
        user("flo", "Same", "Ops", false, json!({"English": 10}), 1005),
        user("zoe", "Other", "Ops", false, json!({}), 1006),
    ]});
    let options = Options {
        system: Arc::new(BrightpatternBehaviour::default()),
        seed: Seed::Text(tenant.to_string()),
        ..Options::default()
    };
    let sandbox = start(options).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let config = CONFIG.replace("BASE", &sandbox.base_url()).replace("CLIENT", CLIENT_ID).replace("SCOPE", DOMAIN);
    fs::write(dir.path().join("config.toml"), config).unwrap();
    fs::write(dir.path().join("hr.csv"), HR).unwrap();
    fs::write(dir.path().join("secret"), CLIENT_SECRET).unwrap();
    Setting { sandbox, dir: Arc::new(dir) }
}

impl Setting {
    /// Runs the program while the sandbox serves.
    async fn run(&self, args: &'static [&'static str]) -> Output {
        let dir = Arc::clone(&self.dir);
        tokio::task::spawn_blocking(move || {
            let mut command = assert_cmd::Command::cargo_bin("headcount").unwrap();
            command.current_dir(dir.path()).args(args).arg("--no-progress").output().unwrap()
        })
        .await
        .unwrap()
    }

    /// Runs it for its summary.
    async fn summary(&self, code: i32, args: &'static [&'static str]) -> Value {
        let output = self.run(args).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What the contact center shows, by login.
    async fn accounts(&self) -> HashMap<String, HashMap<String, String>> {
        let output = self.run(&["export"]).await;
        let mut reader = csv::Reader::from_reader(&output.stdout[..]);
        let rows = reader.deserialize::<HashMap<String, String>>().map(Result::unwrap);
        rows.map(|row| (row["account"].clone(), row)).collect()
    }

    fn effects(&self) -> Vec<LedgerOperation> {
        self.sandbox.ledger().effects.iter().map(|effect| effect.op).collect()
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.dir.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_brings_everybody_to_what_the_rows_say_and_a_second_one_does_nothing() {
    let setting = setting().await;
    let first = setting.summary(0, &["sync", "--yes", "--format", "json"]).await;
    assert_eq!(
        first["applied"],
        json!({"create": 1, "update": 1, "deactivate": 1, "reactivate": 1, "delete": 0}),
        "{first}"
    );
    assert_eq!((&first["found"]["drift"], &first["found"]["absent"]), (&json!(1), &json!(1)));
    // The directory, six users, the directory again; the teams; four writes.
    let requests = &first["requests"];
    assert_eq!((&requests["list"], &requests["lookup"], &requests["write"]), (&json!(8), &json!(1), &json!(4)));
    assert_eq!(requests["total"], requests["estimated"], "{requests}");
    let accounts = setting.accounts().await;
    let show = |login: &str, name: &str| accounts[login][name].clone();
    assert_eq!((show("ana", "skills"), show("ana", "team")), ("English:100;French:5".into(), "Sales".into()));
    assert_eq!((show("bo", "disabled"), show("eve", "disabled")), ("true".into(), "false".into()));
    assert_eq!((show("cy", "skills"), show("cy", "team")), ("English:50;Spanish:70".into(), "Ops".into()));
    assert_eq!((show("di", "lastName"), show("zoe", "disabled")), ("Single".into(), "false".into()));
    let effects = setting.effects();
    let second = setting.summary(0, &["sync", "--yes", "--format", "json"]).await;
    assert_eq!((&second["outcome"], &second["requests"]["write"]), (&json!("no_changes"), &json!(0)));
    assert_eq!(setting.effects(), effects);
    setting.sandbox.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_there_is_not_is_said_before_anything_is_written() {
    let setting = setting().await;
    setting.edit("hr.csv", "cy@example.com,Ops", "cy@example.com,Opps");
    for args in [&["sync", "--yes"][..], &["check", "--online"][..]] {
        let output = setting.run(args).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {error}");
        assert!(error.contains("team \"Opps\": ") && error.contains("hr.csv:4"), "{error}");
        assert!(error.contains("did you mean \"Ops\"?"), "{error}");
    }
    assert!(setting.effects().is_empty());
    // Nobody else has to wait for it.
    let summary = setting.summary(0, &["sync", "--yes", "--only", "ana", "bo", "--format", "json"]).await;
    assert_eq!((&summary["applied"]["update"], &summary["applied"]["deactivate"]), (&json!(1), &json!(1)));
    setting.sandbox.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_row_is_deleted_only_where_the_policy_says_so() {
    let setting = setting().await;
    let policy =
        "[safety]\nmax_deactivate = 2\n\n[policy]\nabsent = \"delete\"\nabsent_for = { runs = 1, days = 0 }\n\n[rate]";
    setting.edit("config.toml", "[rate]", policy);
    let summary = setting.summary(0, &["sync", "--yes", "--format", "json"]).await;
    assert_eq!(summary["applied"]["delete"], 1, "{summary}");
    assert!(!setting.accounts().await.contains_key("zoe"));
    setting.sandbox.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_against_an_export_finds_the_same_as_the_live_plan() {
    let setting = setting().await;
    let live = setting.summary(0, &["plan", "--format", "json", "-o", "live.jsonl"]).await;
    assert!(setting.run(&["export", "-o", "accounts.csv"]).await.status.success());
    let against = &["plan", "--against", "accounts.csv", "--format", "json", "-o", "recorded.jsonl"];
    let recorded = setting.summary(0, against).await;
    assert_eq!((&live["planned"], &live["found"]), (&recorded["planned"], &recorded["found"]));
    let actions = |file: &str| {
        let text = fs::read_to_string(setting.dir.path().join(file)).unwrap();
        text.lines().filter(|line| line.contains("\"action\"")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(actions("live.jsonl"), actions("recorded.jsonl"));
    assert_eq!(actions("live.jsonl").len(), 4);
    setting.sandbox.stop().await.unwrap();
}
