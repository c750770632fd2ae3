//! Records that the tests of all forms share.

use serde_json::json;

use super::{Entry, Form, Head, PastRun, RunRecord, Style, render};
use crate::model::CommandName;
use crate::plan::action::ActionCounts;

/// Renders to a text; what is not UTF-8 fails the test.
pub fn rendered(record: RunRecord<'_>, form: Form, style: &Style) -> String {
    let mut out = Vec::new();
    render(record, form, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A run that met nearly everything that a run can meet.
pub fn rich() -> RunRecord<'static> {
    record(
        head("run"),
        json!([
            {"seq": 1, "action": "create", "key": "ana.diaz", "identity": "E-1", "source": {"file": "hr.csv", "line": 2},
             "changes": [{"attribute": "first_name", "to": "Ana"}, {"attribute": "phone", "to": "+34 600 111"},
                         {"attribute": "password", "to": "(generated)"}],
             "requests": 1, "held": false, "outcome": {"result": "applied"}},
            {"seq": 2, "action": "create", "key": "cy.o'neil", "source": {"file": "hr.csv", "line": 4},
             "changes": [{"attribute": "first_name", "to": "Cy"}], "requests": 1, "held": false,
             "outcome": {"result": "adopted", "message": "it was created meanwhile"}},
            {"seq": 3, "action": "update", "key": "bo.li", "identity": "E-2", "account": "4711", "match": "login_id",
             "source": {"file": "hr.csv", "line": 3},
             "changes": [{"attribute": "first_name", "from": "Bo", "to": "李 Zoë"},
                         {"attribute": "job_description", "from": null, "to": "Lead | <b>Ops</b>\n2nd line"},
                         {"attribute": "skill_attributes", "from": {"English": 80}, "to": {"English": 100, "Spanish": 80}}],
             "requests": 1, "held": false, "outcome": {"result": "applied"}},
            {"seq": 4, "action": "update", "key": "fay.wong", "account": "4712", "match": "login_id+email_id",
             "source": {"file": "hr.csv", "line": 7},
             "changes": [{"attribute": "last_name", "from": "Wang", "to": "Wong"}], "requests": 1, "held": false,
             "outcome": {"result": "failed", "message": "PATCH users/4712: email already exists", "code": 3111,
                         "trxid": "7f-0a"}},
            {"seq": 5, "action": "reactivate", "key": "gus.ode", "account": "4713", "match": "link",
             "source": {"file": "hr.csv", "line": 8},
             "changes": [{"attribute": "status", "from": "inactive", "to": "active"}], "requests": 1, "held": false,
             "outcome": {"result": "unknown", "message": "timed out after 30 s"}},
            {"seq": 6, "action": "deactivate", "key": "dee.ray", "account": "4714", "match": "login_id",
             "source": {"file": "hr.csv", "line": 9},
             "changes": [{"attribute": "status", "from": "active", "to": "inactive"}],
             "reason": "the row says Terminated", "warnings": ["has 2 open chats"],
             "requests": 1, "held": true, "outcome": {"result": "held"}},
            {"finding": "drift", "key": "hal.ito", "account": "4715", "match": "login_id",
             "source": {"file": "hr.csv", "line": 11},
             "changes": [{"attribute": "email_id", "from": "hal@old.example", "to": "hal@new.example"}],
             "reason": "the API cannot change email_id"},
            {"finding": "invalid", "key": "=E-9", "source": {"file": "hr.csv", "line": 12},
             "reason": "column `start`: `31.02.2026` is not a date"},
            {"finding": "absent", "key": "old.hand", "account": "4716", "reason": "without a row since 2026-11-20, 2 of 3 runs"},
        ]),
    )
}

/// The plan that the run executed.
pub fn rich_plan() -> RunRecord<'static> {
    let RunRecord { entries, .. } = rich();
    let mut head = head("plan");
    head.summary.command = CommandName::Plan;
    head.summary.outcome = super::summary::SummaryOutcome::Planned;
    (head.summary.failed, head.summary.unknown, head.summary.applied) = (0, 0, Default::default());
    head.notes = vec!["the listing shifted while it was read".into()];
    RunRecord::from_parts(
        head,
        entries.map(|entry| {
            Ok(match entry? {
                Entry::Action { action, .. } => Entry::Action { action, outcome: None },
                finding => finding,
            })
        }),
    )
}

/// The runs before [`rich`].
pub fn past() -> Vec<PastRun> {
    let run = |day: u64, accounts: u64, create: u64, deactivate: u64, failed: u64| PastRun {
        run: format!("r-{day}"),
        at: format!("2026-11-{:02}T03:00:00Z", 15 + day).parse().unwrap(),
        accounts: Some(accounts),
        applied: ActionCounts { create, deactivate, update: 3, ..ActionCounts::default() },
        failed,
    };
    vec![run(4, 1180, 4, 1, 0), run(5, 1183, 6, 2, 2), run(6, 1187, 0, 0, 0)]
}

/// A plan in which nothing is to do.
pub fn quiet() -> RunRecord<'static> {
    let mut head = head("plan");
    head.summary.command = CommandName::Plan;
    head.held.clear();
    head.summary = serde_json::from_value(json!({
        "headcount_summary": 1, "command": "plan", "run": "p-1", "tenant": "acme", "outcome": "no_changes",
        "planned": {"create": 0, "update": 0, "deactivate": 0, "reactivate": 0, "delete": 0},
        "found": {"unchanged": 1187, "drift": 0, "conflict": 0, "invalid": 0, "skipped": 0, "absent": 0, "protected": 0},
        "applied": {"create": 0, "update": 0, "deactivate": 0, "reactivate": 0, "delete": 0},
        "held": 0, "failed": 0, "unknown": 0,
        "requests": {"auth": 1, "list": 119, "lookup": 0, "write": 0, "retried": 0, "total": 120, "estimated": 120},
        "elapsed_seconds": 24.1, "exit_code": 0
    }))
    .unwrap();
    RunRecord::from_parts(head, std::iter::empty())
}

fn head(of: &str) -> Head {
    serde_json::from_value(json!({
        "of": of, "started_at": "2026-11-22T03:00:00Z", "target": "imichat https://acme.imi.chat/v3.1",
        "summary": {
            "headcount_summary": 1, "command": "apply", "run": "r-7", "tenant": "acme", "outcome": "partial",
            "planned": {"create": 2, "update": 2, "deactivate": 1, "reactivate": 1, "delete": 0},
            "found": {"unchanged": 1170, "drift": 1, "conflict": 0, "invalid": 1, "skipped": 0, "absent": 1, "protected": 0},
            "applied": {"create": 2, "update": 1, "deactivate": 0, "reactivate": 0, "delete": 0},
            "held": 1, "failed": 1, "unknown": 1,
            "requests": {"auth": 1, "list": 119, "lookup": 1, "write": 6, "retried": 2, "total": 127, "estimated": 125},
            "quota": {"limit": 10000, "remaining": 9863, "resets_at": "2026-11-23T00:00:00Z"},
            "elapsed_seconds": 31.2, "exit_code": 4
        },
        "held": [{"kind": "deactivate", "count": 1, "limit": 0, "approve": "9f2c41"}],
        "accounts": 1177, "notes": []
    }))
    .unwrap()
}

fn record(head: Head, entries: serde_json::Value) -> RunRecord<'static> {
    let entries: Vec<Entry> = serde_json::from_value(entries).unwrap();
    RunRecord::from_parts(head, entries.into_iter().map(Ok))
}
