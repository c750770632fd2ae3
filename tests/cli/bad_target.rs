//! Bad tenants: not there, not trusted, not the right one, or out of their mind. Nothing is written, and the message
//! says which setting to look at.

use std::io::Write;
use std::net::TcpListener;

use headcount::sandbox::Options;

use crate::support::{Project, Tenant, account, answering, at, row, three_accounts, three_rows};

#[track_caller]
fn refused(project: &Project, code: i32, pieces: &[&str]) {
    for args in [&["sync", "--yes"][..], &["plan"], &["check", "--online"]] {
        let (ran, summary) = project.json(args);
        ran.expect(code).says(pieces);
        assert_eq!(summary["applied"]["create"], 0);
        assert!(summary["error"]["hint"].is_string(), "{summary:#}");
    }
}

#[test]
fn a_host_that_does_not_answer() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/v3.1");
    refused(&at(&url), 1, &["GET", &format!("127.0.0.1:{port}"), "refused", "target.base_url"]);
}

#[test]
fn a_host_without_a_name() {
    refused(&at("https://no-such-tenant.invalid/v3.1"), 1, &["no-such-tenant.invalid", "target.base_url"]);
}

#[test]
fn tls_that_fails() {
    let tenant = three_accounts();
    let url = format!("https://127.0.0.1:{}/v3.1", tenant.port());
    refused(&at(&url), 1, &[&format!("127.0.0.1:{}", tenant.port()), "no trusted connection", "target.base_url"]);
    assert_eq!(tenant.requests(), 0);
}

#[test]
fn a_wrong_key() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.edit("HEADCOUNT_TEST_KEY", "OTHER_KEY");
    for args in [&["sync", "--yes"][..], &["check", "--online"]] {
        let mut command = project.command(&[&["--format", "json"], args].concat());
        let ran = crate::support::ran(command.env("OTHER_KEY", "hk-0000-wrong"));
        ran.expect(1).says(&["2003", "target.api_key", "trxid"]).says_nothing_of(&["hk-0000-wrong"]);
        assert_eq!(ran.summary()["error"]["kind"], "configuration");
    }
    tenant.unchanged();
}

#[test]
fn a_wrong_domain() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.set("domain", "\"other.imi.chat\"");
    refused(&project, 1, &["2003", "target.domain"]);
    tenant.unchanged();
}

#[test]
fn a_wrong_path() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.edit("/v3.1", "/v9");
    refused(&project, 1, &["target.base_url"]);
    tenant.unchanged();
}

#[test]
fn a_wrong_verb() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.edit("domain =", "update_method = \"PUT\"\ndomain =");
    let (ran, summary) = project.json(&["sync", "--yes"]);
    // The create that came before it is done; the run stops at the first update.
    ran.expect(6).says(&["2099", "PUT", "target.update_method"]);
    assert_eq!(summary["error"]["kind"], "configuration");
    assert!(tenant.ledger().iter().all(|effect| effect == "Create cy"), "{:?}", tenant.ledger());
    assert_eq!(tenant.account("bo").last_name, "Li");
    // With the verb mended the next run does what is left.
    project.set("update_method", "\"PATCH\"");
    project.sync(0);
    assert_eq!(tenant.account("bo").last_name, "Lindqvist");
    assert_eq!(tenant.writes().len(), 2);
}

#[test]
fn a_wrong_team() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.edit("domain =", "team_id = \"999\"\ndomain =");
    refused(&project, 1, &["2010", "target.team_id"]);
    tenant.unchanged();
}

#[track_caller]
fn listing_answers(then: &str, pieces: &[&str]) {
    let faults = format!("[[rule]]\non = {{ op = \"list\" }}\ntimes = 1000\nthen = {{ {then} }}\n");
    let tenant = Tenant::with_faults(&[account(1, "ana", "Ana", "Diaz")], &faults);
    let project = tenant.project(&three_rows());
    refused(&project, 1, pieces);
    tenant.unchanged();
}

#[test]
fn answers_of_a_wrong_shape() {
    listing_answers("garbage = true", &["users", "not the API's JSON", "target.base_url"]);
    listing_answers("html = true, status = 200", &["users", "text/html", "target.base_url"]);
    listing_answers("html = true, status = 502", &["502", "text/html"]);
    listing_answers(
        "status = 500, code = 2007, description = \"Internal error\"",
        &["2007", "Internal error", "trxid"],
    );
    listing_answers("drop = \"before\"", &["GET", "users"]);
}

#[test]
fn json_of_a_wrong_shape() {
    for body in [
        "{}",
        "[]",
        "null",
        r#"{"status_code":4306,"description":"ok","response":{"users":"none"}}"#,
        r#"{"status_code":4306,"description":"ok","response":{"people":[]}}"#,
        r#"{"status_code":"fine","description":"ok","response":{"users":[]}}"#,
    ] {
        let url = format!("http://127.0.0.1:{}/v3.1", answering(body.to_owned()));
        let project = at(&url);
        let (ran, summary) = project.json(&["plan"]);
        assert_eq!(ran.code, Some(1), "{body}\n{}", ran.stderr);
        assert!(summary["error"]["hint"].is_string(), "{body}\n{summary:#}");
    }
}

#[test]
fn users_that_nobody_could_be_found_by_are_said_and_prove_nothing() {
    let body = r#"{"status_code":4306,"description":"ok","response":{"users":[{"id":1},{"id":2}]}}"#;
    let project = at(&format!("http://127.0.0.1:{}/v3.1", answering(body.to_owned())));
    project.add("policy", "absent = \"deactivate\"\nabsent_for = { runs = 0, days = 0 }");
    let (ran, summary) = project.json(&["plan"]);
    ran.expect(5).says(&["2 records are no users with an id and a login", "the listing is not complete", "--approve"]);
    assert_eq!(summary["planned"]["deactivate"], 0);
    assert_eq!(summary["planned"]["create"], summary["held"], "who was not found may be one of them");
}

#[test]
fn a_redirect_is_never_followed() {
    let tenant = three_accounts();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let to = tenant.port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let _ = std::io::Read::read(&mut stream, &mut request);
            let head = format!(
                "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{to}/v3.1/authorize\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(head.as_bytes());
        }
    });
    refused(&at(&format!("http://127.0.0.1:{port}/v3.1")), 1, &["redirect", "target.base_url"]);
    assert_eq!(tenant.requests(), 0);
}

#[test]
fn a_tenant_that_is_slow_beyond_the_timeout() {
    let tenant = Tenant::start(Options { latency: std::time::Duration::from_secs(20), ..Options::default() });
    let project = tenant.project(&row("E1", "ana", "Ana", "Diaz"));
    project.add("rate", "timeout = \"300ms\"");
    let (ran, _) = project.json(&["plan"]);
    ran.expect(1).says(&["no answer", "within 300ms", "rate.timeout"]);
}
