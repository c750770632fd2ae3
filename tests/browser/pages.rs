//! Pages to look at: made by the program from an export, and from records of any size.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use headcount::report::{Entry, Form, Head, PastRun, RunRecord, Style, render};
use serde_json::{Value, json};

/// A folder with the sample configuration, in which the program runs.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir(folder.path("samples")).unwrap();
        for file in ["config.toml", "samples/hr_export.csv", "samples/teams.csv"] {
            fs::copy(root.join(file), folder.path(file)).unwrap();
        }
        let config = fs::read_to_string(folder.path("config.toml")).unwrap();
        let config = config.replacen("requests_per_second = 5 ", "requests_per_second = 0 ", 1);
        fs::write(folder.path("config.toml"), config).unwrap();
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Adds people to the export.
    pub fn hire(&self, rows: &str) {
        let export = fs::read_to_string(self.path("samples/hr_export.csv")).unwrap();
        fs::write(self.path("samples/hr_export.csv"), export + rows).unwrap();
    }

    pub fn run(&self, args: &[&str]) -> String {
        let ran = Command::new(env!("CARGO_BIN_EXE_headcount")).args(args).current_dir(self.0.path()).output().unwrap();
        assert!(matches!(ran.status.code(), Some(0 | 5)), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    /// The page of a plan or a run.
    pub fn page(&self, of: &str) -> PathBuf {
        self.run(&["report", of, "--as", "html", "-o", "page.html"]);
        self.path("page.html")
    }

    /// The header and the actions of `plan.jsonl`.
    pub fn plan(&self) -> (Value, Vec<Value>) {
        let text = fs::read_to_string(self.path("plan.jsonl")).unwrap();
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let header = lines.next().unwrap();
        (header, lines.filter(|line| !line["action"].is_null()).collect())
    }
}

/// A head of a run or a plan of these actions.
pub fn head(of: &str, planned: Value, held: Value) -> Head {
    let count = |group: &Value| group["count"].as_u64().unwrap();
    let waiting: u64 = held.as_array().unwrap().iter().map(count).sum();
    serde_json::from_value(json!({
        "of": of, "started_at": "2026-11-22T03:00:00Z", "target": "imichat https://acme.imi.chat/v3.1",
        "summary": {
            "headcount_summary": 1, "command": "sync", "run": "20261122T030000Z-5b1e07", "tenant": "acme",
            "outcome": if of == "run" { "partial" } else if waiting > 0 { "held" } else { "planned" },
            "planned": planned, "applied": if of == "run" { planned.clone() } else { json!({"create": 0, "update": 0, "deactivate": 0, "reactivate": 0, "delete": 0}) },
            "found": {"unchanged": 1170, "drift": 0, "conflict": 0, "invalid": 0, "skipped": 0, "absent": 0, "protected": 0},
            "held": waiting, "failed": 0, "unknown": 0,
            "requests": {"auth": 1, "list": 119, "lookup": 0, "write": 0, "retried": 0, "total": 120, "estimated": 184},
            "quota": {"limit": 10000, "remaining": 9863, "resets_at": "2026-11-23T00:00:00Z"},
            "elapsed_seconds": 31.2, "exit_code": 0
        },
        "held": held, "accounts": 1187, "notes": []
    }))
    .unwrap()
}

/// Two weeks of runs.
pub fn past() -> Vec<PastRun> {
    let days = [
        (1152, 9, 4, 0),
        (1157, 3, 2, 0),
        (1158, 5, 0, 1),
        (1163, 0, 3, 0),
        (1160, 12, 1, 0),
        (1171, 4, 2, 2),
        (1173, 2, 6, 0),
        (1169, 8, 2, 0),
        (1175, 6, 1, 0),
        (1180, 1, 4, 0),
        (1177, 7, 3, 1),
        (1181, 9, 3, 0),
    ];
    let runs = days.into_iter().enumerate().map(|(day, (accounts, create, deactivate, failed))| PastRun {
        run: format!("202611{:02}T030000Z-1c20a{day:x}", day + 10),
        at: format!("2026-11-{:02}T03:00:00Z", day + 10).parse().unwrap(),
        accounts: Some(accounts),
        applied: serde_json::from_value(
            json!({"create": create, "update": 14, "deactivate": deactivate, "reactivate": 0, "delete": 0}),
        )
        .unwrap(),
        failed,
    });
    runs.collect()
}

/// A record as a page in this folder.
pub fn write(dir: &Path, head: Head, past: Vec<PastRun>, entries: impl Iterator<Item = Value>) -> PathBuf {
    let entries = entries.map(|entry| serde_json::from_value::<Entry>(entry).map_err(Into::into));
    let path = dir.join("page.html");
    let mut file = fs::File::create(&path).unwrap();
    render(RunRecord::from_parts(head, entries).with_past(past), Form::Html, &Style::default(), &mut file).unwrap();
    path
}

/// A change of a usual size.
pub fn update(seq: u64) -> Value {
    json!({"seq": seq, "action": "update", "key": format!("given.family{seq}"), "identity": format!("E-{seq:06}"),
        "account": (40_000 + seq).to_string(), "match": "login_id", "source": {"file": "hr_export.csv", "line": seq + 1},
        "changes": [
            {"attribute": "job_description", "from": "Customer Support Agent", "to": "Senior Customer Support Agent"},
            {"attribute": "skill_attributes", "from": {"English": 80}, "to": {"English": 100, "Spanish": 80}},
        ],
        "also": {"email_id": format!("given.family{seq}@acme.example"), "team": format!("Team {}", seq % 40)},
        "requests": 1, "held": false})
}

/// A plan as a company of some size has one: joiners, changes, leavers beyond their limit, findings.
pub fn company(dir: &Path) -> PathBuf {
    let first = [
        "Ana", "Bo", "Chidi", "Dana", "Elif", "Farid", "Grete", "Hal", "Ines", "Jun", "Kofi", "Lena", "Mira", "Noor",
        "Oskar", "Priya",
    ];
    let last = [
        "Díaz",
        "Li",
        "Okafor",
        "Novák",
        "Yılmaz",
        "Haddad",
        "Lindqvist",
        "Ito",
        "Costa",
        "Park",
        "Mensah",
        "Vogel",
        "Rossi",
        "Rahman",
        "Berg",
        "Nair",
    ];
    let teams = ["Support", "Sales", "Billing", "Back office"];
    let person = |n: usize| {
        let (given, family) = (first[n % 16], last[(n * 7 + n / 16) % 16]);
        (
            given,
            family,
            format!(
                "{}.{}{}",
                given.to_lowercase(),
                deunicode::deunicode(family).to_lowercase(),
                if n >= 16 { format!("{n}") } else { String::new() }
            ),
        )
    };
    let source = |n: usize| json!({"file": "hr_export.csv", "line": n * 13 + 2});
    let mut entries = Vec::new();
    let mut seq = 0;
    let mut next = || {
        seq += 1;
        seq
    };
    for n in 0..12 {
        let (given, family, key) = person(n);
        entries.push(json!({"seq": next(), "action": "create", "key": key, "identity": format!("E-2{n:03}"), "source": source(n + 80),
            "changes": [{"attribute": "first_name", "to": given}, {"attribute": "last_name", "to": family},
                {"attribute": "email_id", "to": format!("{key}@acme.example")}, {"attribute": "team", "to": teams[n % 4]},
                {"attribute": "password", "to": "(generated)"}],
            "requests": 1, "held": false}));
    }
    for n in 12..40 {
        let (_, family, key) = person(n);
        let change = match n % 3 {
            0 => json!([{"attribute": "job_description", "from": "Agent", "to": "Team lead"}]),
            1 => {
                json!([{"attribute": "team", "from": teams[n % 4], "to": teams[(n + 1) % 4]}, {"attribute": "skill_attributes", "from": {"English": 80}, "to": {"English": 100, "Spanish": 80}}])
            }
            _ => json!([{"attribute": "last_name", "from": family, "to": format!("{family}-Meyer")}]),
        };
        entries.push(json!({"seq": next(), "action": "update", "key": key, "identity": format!("E-1{n:03}"), "account": (4_700 + n).to_string(),
            "match": "login_id", "source": source(n), "changes": change, "also": if n % 3 == 1 { json!({}) } else { json!({"team": teams[n % 4]}) }, "requests": 1, "held": false}));
    }
    for n in 40..43 {
        let (_, _, key) = person(n);
        entries.push(json!({"seq": next(), "action": "reactivate", "key": key, "identity": format!("E-1{n:03}"), "account": (4_700 + n).to_string(),
            "match": "link", "source": source(n), "changes": [{"attribute": "status", "from": "inactive", "to": "active"}], "requests": 1, "held": false}));
    }
    for n in 43..104 {
        let (_, _, key) = person(n);
        let warnings = if n % 20 == 4 { json!(["has 2 open chats"]) } else { json!([]) };
        entries.push(json!({"seq": next(), "action": "deactivate", "key": key, "identity": format!("E-1{n:03}"), "account": (4_700 + n).to_string(),
            "match": "login_id", "source": source(n), "changes": [{"attribute": "status", "from": "active", "to": "inactive"}],
            "reason": "the row says Terminated", "warnings": warnings, "requests": 1, "held": true}));
    }
    for (n, (kind, reason)) in [
        ("drift", "the API cannot change email_id"),
        ("invalid", "column `start`: `31.02.2026` is not a date"),
        ("conflict", "two accounts have this email_id: 4811 and 4907"),
        ("absent", "without a row since 2026-11-20, 2 of 3 runs"),
    ]
    .into_iter()
    .enumerate()
    {
        let (_, _, key) = person(n + 104);
        let changes = if kind == "drift" {
            json!([{"attribute": "email_id", "from": format!("{key}@old.example"), "to": format!("{key}@acme.example")}])
        } else {
            json!([])
        };
        entries.push(
            json!({"finding": kind, "key": key, "source": source(n + 104), "changes": changes, "reason": reason}),
        );
    }
    let mut head = head(
        "plan",
        json!({"create": 12, "update": 28, "deactivate": 61, "reactivate": 3, "delete": 0}),
        json!([{"kind": "deactivate", "count": 61, "limit": 50, "approve": "9f2c41d07be3"}]),
    );
    head.summary.found = serde_json::from_value(
        json!({"unchanged": 1079, "drift": 1, "conflict": 1, "invalid": 1, "skipped": 0, "absent": 1, "protected": 4}),
    )
    .unwrap();
    head.summary.command = headcount::model::CommandName::Plan;
    write(dir, head, past(), entries.into_iter())
}
