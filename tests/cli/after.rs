//! What machines are told after a run: the metrics file and the webhook, of runs that ended well, were held, or failed
//! before anything was changed. The server here is a socket; what a server can do otherwise is tested beside the code.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::support::{KEY, Project, row, three_accounts, three_rows};

const PROM: &str = "reports/headcount.prom";

const WEBHOOK_KEY: &str = "wk-5d0b77e1";

/// A server that answers so many messages with 204 and ends with what it got: headers in lower case, and the body.
struct Hook {
    url: String,
    server: JoinHandle<Vec<(String, Vec<u8>)>>,
}

impl Hook {
    fn answering(messages: usize, answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/services/hk-secret-path", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let mut got = Vec::new();
            for connection in listener.incoming().take(messages) {
                let mut connection = BufReader::new(connection.unwrap());
                let mut headers = String::new();
                while !headers.ends_with("\r\n\r\n") {
                    assert_ne!(connection.read_line(&mut headers).unwrap(), 0, "{headers}");
                }
                let headers = headers.to_lowercase();
                let length = headers.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                let mut body = vec![0; length.parse().unwrap()];
                connection.read_exact(&mut body).unwrap();
                connection.get_mut().write_all(answer.as_bytes()).unwrap();
                got.push((headers, body));
            }
            got
        });
        Self { url, server }
    }

    fn taking(messages: usize) -> Self {
        Self::answering(messages, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    }

    fn got(self) -> Vec<(String, Value)> {
        let got = self.server.join().unwrap();
        got.into_iter().map(|(headers, body)| (headers, serde_json::from_slice(&body).unwrap())).collect()
    }
}

/// A project that wants to be told of everything.
fn telling(project: Project, url: &str) -> Project {
    project.write("hook.url", url).write("hook.key", WEBHOOK_KEY);
    project.edit(
        "[journal]",
        "[report]\nmetrics = \"reports/headcount.prom\"\nwebhook = { url = { file = \"hook.url\" }, on = [\"always\"], \
         secret = { file = \"hook.key\" } }\n\n[journal]",
    );
    project
}

/// One number of the metrics file.
fn metric(project: &Project, name: &str, label: &str) -> Option<f64> {
    let text = project.read(PROM);
    let line = text.lines().find(|line| line.starts_with(&format!("{name}{{")) && line.contains(label))?;
    line.rsplit(' ').next().unwrap().parse().ok()
}

#[test]
fn a_run_that_ends_well_is_told_with_a_signature_and_counted() {
    let (hook, tenant) = (Hook::taking(1), three_accounts());
    let project = telling(tenant.project(&three_rows()), &hook.url);
    let url = hook.url.clone();
    let (ran, summary) = project.json(&["sync", "--yes"]);
    ran.expect(0).says_nothing_of(&["warning", &url, "hk-secret-path", WEBHOOK_KEY]);
    let (headers, body) = hook.server.join().unwrap().remove(0);
    assert!(headers.starts_with("post /services/hk-secret-path http/1.1\r\n"), "{headers}");
    assert!(headers.contains("\r\ncontent-type: application/json\r\n"), "{headers}");
    // As whoever gets it would verify it.
    let signature = headers.lines().find_map(|line| line.strip_prefix("x-headcount-signature: t=")).unwrap();
    let (at, code) = signature.split_once(",v1=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_KEY.as_bytes()).unwrap();
    mac.update(&[at.as_bytes(), b".", &body].concat());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(code, hex);
    let told: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(told["occasions"], json!(["success"]));
    assert_eq!(told["summary"], summary);
    let text = String::from_utf8(body).unwrap();
    for person in ["Lindqvist", "ana", "example.com", KEY] {
        assert!(!text.contains(person) && !project.read(PROM).contains(person), "{person} is in {text}");
    }

    assert_eq!(metric(&project, "headcount_last_run_applied_accounts", "action=\"create\""), Some(1.0));
    assert_eq!(metric(&project, "headcount_last_run_outcome", "outcome=\"complete\""), Some(1.0));
    assert_eq!(metric(&project, "headcount_accounts", "tenant=\"acme\""), Some(2.0));
    let ended = metric(&project, "headcount_last_run_timestamp_seconds", "").unwrap();
    assert_eq!(metric(&project, "headcount_last_success_timestamp_seconds", ""), Some(ended));
}

#[test]
fn held_runs_and_runs_that_never_began_are_told_and_the_last_success_is_kept() {
    let (hook, tenant) = (Hook::taking(4), three_accounts());
    let project = telling(tenant.project(&three_rows()), &hook.url);
    project.sync(0);
    let success = metric(&project, "headcount_last_success_timestamp_seconds", "").unwrap();
    let outcome = |name: &str| {
        let label = format!("outcome=\"{name}\"");
        assert_eq!(metric(&project, "headcount_last_run_outcome", &label), Some(1.0), "{name}");
        assert_eq!(metric(&project, "headcount_last_success_timestamp_seconds", ""), Some(success));
    };

    // Stopped: the whole plan waits for somebody to look at the export.
    project.people(&row("E1", "ana", "Ana", "Diaz"));
    project.sync(5);
    outcome("held");
    // Held: the run goes on without some of it.
    project.people(&[three_rows(), row("E4", "di", "Di", "Moe")].concat()).add("safety", "max_create = 0");
    project.sync(5);
    outcome("held");
    assert_eq!(metric(&project, "headcount_last_run_held_accounts", ""), Some(1.0));
    // Failed before anything was changed.
    std::fs::remove_file(project.path("people.csv")).unwrap();
    project.sync(1);
    outcome("failed");
    assert_eq!(metric(&project, "headcount_last_run_exit_code", ""), Some(1.0));

    let told: Vec<_> = hook.got().into_iter().map(|(_, body)| body).collect();
    let occasions: Vec<_> = told.iter().map(|body| body["occasions"][0].as_str().unwrap()).collect();
    assert_eq!(occasions, ["success", "held", "held", "failure"]);
    assert_eq!(told[2]["held"][0]["kind"], "create");
    let release = told[2]["next"][0]["command"].as_str().unwrap();
    assert_eq!(release, format!("headcount sync --approve {}", told[2]["held"][0]["approve"].as_str().unwrap()));
    assert_eq!(told[3]["summary"]["error"]["kind"], "source");
}

#[test]
fn a_webhook_that_cannot_be_told_changes_nothing_and_its_address_is_not_shown() {
    let moved = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/hk-elsewhere\r\nContent-Length: 0\r\n\r\n";
    let refused = "HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\nConnection: close\r\n\r\nhk-secret-path";
    for (answer, says) in
        [(moved, "it answered 302 Found, and redirects are not followed"), (refused, "it answered 404 Not Found")]
    {
        let (hook, tenant) = (Hook::answering(1, answer), three_accounts());
        let project = telling(tenant.project(&three_rows()), &hook.url);
        let ran = project.run(&["sync", "--yes", "-v"]);
        ran.expect(0).says(&["warning: the webhook was not notified: ", says]);
        ran.says_nothing_of(&["hk-secret-path", "hk-elsewhere", &hook.url]);
        hook.server.join().unwrap();
        for file in project.files(".headcount") {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!bytes.windows(14).any(|there| there == b"hk-secret-path"), "it is in {}", file.display());
        }
    }
}

#[test]
fn metrics_that_cannot_be_written_are_a_note_and_the_run_is_unharmed() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.add("journal", "").edit("[journal]", "[report]\nmetrics = \"people.csv/headcount.prom\"\n[journal]");
    project.run(&["sync", "--yes"]).expect(0).says(&["warning: the metrics are not written: ", "people.csv"]);
    assert_eq!(tenant.accounts().len(), 3);
}

#[test]
fn a_run_that_finds_another_under_way_leaves_its_numbers_alone_and_is_told() {
    let (hook, tenant) = (Hook::taking(2), three_accounts());
    let project = telling(tenant.project(&three_rows()), &hook.url);
    project.sync(0);
    let before = project.read(PROM);
    let _held = headcount::journal::Journal::open(
        &project.path(".headcount"),
        headcount::journal::Options::new("2026-11-22T03:00:00Z".parse().unwrap()),
    )
    .unwrap();
    project.sync(7);
    assert_eq!(project.read(PROM), before);
    assert_eq!(hook.got()[1].1["summary"]["error"]["kind"], "locked");
}

#[test]
fn commands_that_change_nothing_are_not_told() {
    let tenant = three_accounts();
    // Nobody listens there, and nobody is called.
    let project = telling(tenant.project(&three_rows()), "http://127.0.0.1:9/hk-secret-path");
    for args in [&["plan"][..], &["check"], &["runs"]] {
        project.run(args).expect(0).says_nothing_of(&["webhook"]);
    }
    assert!(!project.path(PROM).exists());
}
