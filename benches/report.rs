//! The HTML report of 20,000 changes beside the JSON report of the same. `benches/README.md` says what the figures have to
//! reach.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be measured fails by panicking")]
#![allow(clippy::print_stdout, reason = "the figures are printed")]

use std::io;
use std::time::{Duration, Instant};

use headcount::report::{Entry, Form, Head, RunRecord, Style, render};
use serde_json::json;

fn main() {
    // Under `cargo test` a bench only has to work.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let number = |name: &str, otherwise: usize| {
        std::env::var(name).ok().map_or(otherwise, |value| value.parse().expect("a number"))
    };
    let changes = number("CHANGES", if is_bench { 20_000 } else { 20 });
    let rounds = number("ROUNDS", if is_bench { 31 } else { 1 });
    let lines: Vec<String> = (1..=changes).map(|seq| update(seq).to_string()).collect();
    let entries: Vec<Entry> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    println!("{changes} changes; {rounds} rounds");

    // As the program does: each line of the plan is read, then rendered.
    let read = || lines.iter().map(|line| serde_json::from_str::<Entry>(line).map_err(io::Error::from));
    compare("read and rendered", changes, rounds, read);
    compare("rendered alone   ", changes, rounds, || entries.iter().cloned().map(Ok));
}

fn compare<I: Iterator<Item = io::Result<Entry>>>(what: &str, changes: usize, rounds: usize, entries: impl Fn() -> I) {
    let (mut pages, mut objects, mut ratios, mut size) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for round in 0..=rounds {
        let (page, bytes) = timed(Form::Html, changes, entries());
        let (object, _) = timed(Form::Json, changes, entries());
        size = bytes;
        // The first round warms both sides up.
        if round > 0 {
            pages.push(page.as_secs_f64());
            objects.push(object.as_secs_f64());
            ratios.push(page.as_secs_f64() / object.as_secs_f64());
        }
    }
    println!(
        "{what}  html {:6.1} ms, json {:6.1} ms: {:.2} times; the page has {:.2} MB",
        1e3 * median(pages),
        1e3 * median(objects),
        median(ratios),
        size as f64 / 1e6
    );
}

fn timed(form: Form, changes: usize, entries: impl Iterator<Item = io::Result<Entry>>) -> (Duration, usize) {
    let mut out = Vec::with_capacity(16 << 20);
    let record = RunRecord::from_parts(head(changes), entries);
    let start = Instant::now();
    render(record, form, &Style::default(), &mut out).unwrap();
    (start.elapsed(), out.len())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn head(changes: usize) -> Head {
    let none = json!({"create": 0, "update": 0, "deactivate": 0, "reactivate": 0, "delete": 0});
    let mut planned = none.clone();
    planned["update"] = changes.into();
    serde_json::from_value(json!({
        "of": "plan", "started_at": "2026-11-22T03:00:00Z", "target": "imichat https://acme.imi.chat/v3.1",
        "summary": {"headcount_summary": 1, "command": "plan", "run": "p-1", "tenant": "acme", "outcome": "planned",
            "planned": planned, "applied": none, "held": 0, "failed": 0, "unknown": 0,
            "found": {"unchanged": 0, "drift": 0, "conflict": 0, "invalid": 0, "skipped": 0, "absent": 0, "protected": 0},
            "requests": {"auth": 1, "list": 119, "lookup": 0, "write": 0, "retried": 0, "total": 120, "estimated": 184},
            "elapsed_seconds": 1.0, "exit_code": 0},
        "held": [], "notes": []
    }))
    .unwrap()
}

/// A change of a usual size, as a plan has it.
fn update(seq: usize) -> serde_json::Value {
    json!({"seq": seq, "action": "update", "key": format!("given.family{seq}"), "identity": format!("E-{seq:06}"),
        "account": (40_000 + seq).to_string(), "match": "login_id", "source": {"file": "hr_export.csv", "line": seq + 1},
        "changes": [
            {"attribute": "job_description", "from": "Customer Support Agent", "to": "Senior Customer Support Agent"},
            {"attribute": "skill_attributes", "from": {"English": 80}, "to": {"English": 100, "Spanish": 80}},
        ],
        "also": {"first_name": "Given", "last_name": format!("Family{seq}"), "login_using_email": true,
            "team": format!("Team {}", seq % 40)},
        "requests": 1, "held": false})
}
