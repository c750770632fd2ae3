//! SCIM against a server that nobody here wrote: `scim2-server` from PyPI, with the extra `cursor`, on a loopback port of
//! its own. What became of the people is judged by asking that server, without any of headcount's own reading.
//!
//! `.ci/run` installs it and runs this; by hand, with the program's path in `SCIM2_SERVER`:
//! `cargo test --test scim_server -- --ignored`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and so do its helpers")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const TOKEN: &str = "a-token-for-the-tests";
const PEOPLE: u32 = 300;
const PATIENCE: Duration = Duration::from_secs(60);
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

const CONFIG: &str = r#"
[source]
path     = "hr.csv"
identity = "employee_id"

[target]
kind      = "scim"
base_url  = "BASE"
tenant    = "real"
token     = { env = "SCIM_TOKEN" }
page_size = 20

[match]
rules = [["userName"], ["externalId"]]

[map]
userName    = "{{ email | lower }}"
externalId  = "employee_id"
displayName = "{{ first }} {{ last }}"
title       = "title"
active      = "{{ status == 'Active' }}"
password    = { generate = { length = 20 } }
"name.givenName"  = "first"
"name.familyName" = "last"
'emails[type eq "work"].value'         = "email"
'phoneNumbers[type eq "mobile"].value' = "phone"
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"    = "dept"
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value" = "manager"

[policy]
absent     = "ABSENT"
absent_for = { runs = 1, days = 0 }

[passwords]
deliver_to = "discard"

[rate]
requests_per_second = 0
concurrency = 4
"#;

/// What the server announces, and what becomes of people without a row.
#[derive(Clone, Copy)]
struct Case {
    /// A file beside this one; none for what the server announces by itself.
    announces: Option<&'static str>,
    absent: Absent,
}

#[derive(Clone, Copy, PartialEq)]
enum Absent {
    Delete,
    Deactivate,
}

#[test]
#[ignore = "needs scim2-server; .ci/run runs it"]
fn people_come_in_spite_of_kills_change_and_go_on_a_server_that_can_do_all() {
    come_change_and_go(Case { announces: None, absent: Absent::Delete });
}

#[test]
#[ignore = "needs scim2-server; .ci/run runs it"]
fn people_come_in_spite_of_kills_change_and_go_on_a_server_with_cursors() {
    come_change_and_go(Case { announces: Some("cursor.json"), absent: Absent::Deactivate });
}

#[test]
#[ignore = "needs scim2-server; .ci/run runs it"]
fn people_come_in_spite_of_kills_change_and_go_on_a_server_that_can_do_little() {
    come_change_and_go(Case { announces: Some("minimal.json"), absent: Absent::Delete });
}

fn come_change_and_go(case: Case) {
    let setting = Setting::new(case);
    setting.write(Some);
    for so_many in [40, 160] {
        setting.sync_killed_at(so_many);
        let users = setting.users();
        let there = users.len();
        assert!((so_many..PEOPLE as usize).contains(&there), "killed in the middle, not at {there}");
        assert_nobody_is_doubled(&users);
    }
    let first = setting.sync();
    assert_eq!((first["failed"].as_u64(), first["unknown"].as_u64()), (Some(0), Some(0)), "{first}");
    let users = setting.users();
    assert_nobody_is_doubled(&users);
    assert_eq!(users.len(), PEOPLE as usize);
    for n in 1..=PEOPLE {
        assert_is(&users[&id(n)], &Person::new(n));
    }
    let second = setting.sync_changes_nothing();
    assert!(second["requests"]["list"].as_u64().unwrap() >= u64::from(PEOPLE / 20), "in pages: {second}");

    // What nobody mapped is somebody else's.
    let before = setting.add_by_hand(&users[&id(5)]);
    let changed = |mut person: Person| {
        match person.n {
            1..=30 => {
                (person.title, person.dept, person.manager) = ("Lead", "New".to_owned(), id(50));
                person.phone = format!("+1 777 {:04}", person.n);
            }
            31..=40 => person.email = format!("renamed{}@example.com", person.n),
            41..=50 => person.status = "Terminated",
            51..=60 => return None,
            _ => {}
        }
        Some(person)
    };
    setting.write(changed);
    let third = setting.sync();
    let (deleted, inactive) = if case.absent == Absent::Delete { (10, 10) } else { (0, 20) };
    assert_eq!(
        third["applied"],
        json!({"create": 0, "update": 40, "deactivate": inactive, "reactivate": 0, "delete": deleted}),
        "{third}"
    );
    let after = setting.users();
    assert_nobody_is_doubled(&after);
    assert_eq!(after.len(), PEOPLE as usize - deleted);
    for n in 1..=PEOPLE {
        match changed(Person::new(n)) {
            Some(person) => {
                assert_is(&after[&id(n)], &person);
                assert_eq!(after[&id(n)]["id"], users[&id(n)]["id"], "they are who they were");
            }
            None if case.absent == Absent::Delete => assert!(!after.contains_key(&id(n))),
            None => assert_eq!(after[&id(n)]["active"], false),
        }
    }
    for n in 61..=PEOPLE {
        assert_eq!(after[&id(n)], users[&id(n)], "nobody touches who has not changed");
    }
    let five = &after[&id(5)];
    assert_eq!(five["nickName"], before["nickName"]);
    assert!(five["emails"].as_array().unwrap().iter().any(|email| email["value"] == "home5@example.com"), "{five}");
    setting.sync_changes_nothing();

    // Whoever was inactive and has a row again is back.
    setting.write(Some);
    let back = setting.sync();
    assert_eq!((back["failed"].as_u64(), back["held"].as_u64()), (Some(0), Some(0)), "{back}");
    let users = setting.users();
    assert_nobody_is_doubled(&users);
    for n in 1..=PEOPLE {
        assert_is(&users[&id(n)], &Person::new(n));
    }
    setting.sync_changes_nothing();
}

/// One person, as the export has them.
struct Person {
    n: u32,
    email: String,
    dept: String,
    phone: String,
    manager: String,
    status: &'static str,
    title: &'static str,
}

impl Person {
    fn new(n: u32) -> Self {
        Self {
            n,
            email: format!("User{n}@example.com"),
            dept: format!("Dept {}", n % 7),
            phone: format!("+1 555 {n:04}"),
            manager: id(n % 10 + 1),
            status: "Active",
            title: "Agent",
        }
    }

    fn row(&self) -> String {
        let Self { n, email, dept, phone, manager, status, title } = self;
        format!("{},First{n},Last{n},{email},{dept},{phone},{manager},{status},{title}\n", id(*n))
    }
}

fn id(n: u32) -> String {
    format!("E{n:04}")
}

/// That a user is what the row says.
fn assert_is(user: &Value, person: &Person) {
    let n = person.n;
    let of = |list: &str, kind: &str| {
        let all = user[list].as_array().unwrap_or_else(|| panic!("no {list}: {user}"));
        let found: Vec<_> = all.iter().filter(|one| one["type"] == kind).collect();
        assert_eq!(found.len(), 1, "one {kind} in {list}: {user}");
        found[0]["value"].clone()
    };
    assert_eq!(user["userName"], person.email.to_lowercase(), "{user}");
    assert_eq!(user["name"]["givenName"], format!("First{n}"), "{user}");
    assert_eq!(user["name"]["familyName"], format!("Last{n}"), "{user}");
    assert_eq!(user["displayName"], format!("First{n} Last{n}"), "{user}");
    assert_eq!((&user["title"], &user["active"]), (&json!(person.title), &json!(person.status == "Active")), "{user}");
    // A leaver keeps the address that they had.
    assert_eq!(of("emails", "work").as_str().unwrap().to_lowercase(), person.email.to_lowercase());
    assert_eq!(of("phoneNumbers", "mobile"), json!(person.phone));
    assert_eq!(user[ENTERPRISE]["department"], person.dept, "{user}");
    assert_eq!(user[ENTERPRISE]["manager"]["value"], person.manager, "{user}");
}

fn assert_nobody_is_doubled(users: &BTreeMap<String, Value>) {
    let names: BTreeSet<String> =
        users.values().map(|user| user["userName"].as_str().unwrap().to_lowercase()).collect();
    assert_eq!(names.len(), users.len());
}

/// A server, and a folder whose configuration leads there.
struct Setting {
    server: Server,
    dir: TempDir,
    runtime: Runtime,
    client: Client,
}

impl Setting {
    fn new(case: Case) -> Self {
        let server = Server::start(case.announces);
        let dir = tempfile::tempdir().unwrap();
        let absent = if case.absent == Absent::Delete { "delete" } else { "deactivate" };
        let config = CONFIG.replace("BASE", &server.base_url).replace("ABSENT", absent);
        fs::write(dir.path().join("config.toml"), config).unwrap();
        // Where another test has done so already, that is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = Runtime::new().unwrap();
        Self { server, dir, runtime, client: Client::builder().no_proxy().build().unwrap() }
    }

    /// The export, each person as the function leaves them.
    fn write(&self, change: impl Fn(Person) -> Option<Person>) {
        let mut rows = String::from("employee_id,first,last,email,dept,phone,manager,status,title\n");
        for person in (1..=PEOPLE).filter_map(|n| change(Person::new(n))) {
            rows.push_str(&person.row());
        }
        fs::write(self.dir.path().join("hr.csv"), rows).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
        command.current_dir(self.dir.path()).args(["sync", "--yes", "--format", "json", "--no-progress"]);
        command.env("SCIM_TOKEN", TOKEN).stdin(Stdio::null());
        command
    }

    /// A run that must go well; its summary.
    fn sync(&self) -> Value {
        let output = self.command().output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{error}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn sync_changes_nothing(&self) -> Value {
        let before = self.users();
        let summary = self.sync();
        assert_eq!(
            (&summary["outcome"], &summary["requests"]["write"]),
            (&json!("no_changes"), &json!(0)),
            "{summary}"
        );
        // The versions and the times of every account are among what is the same.
        assert!(before == self.users());
        summary
    }

    /// A run that is killed as soon as the server has so many users.
    fn sync_killed_at(&self, so_many: usize) {
        let mut child = Running(self.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let start = Instant::now();
        while self.total() < so_many {
            assert!(child.0.try_wait().unwrap().is_none(), "it is over before it has created {so_many}");
            assert!(start.elapsed() < PATIENCE, "nothing happens");
        }
    }

    fn ask(&self, method: Method, address: &str, body: Option<&Value>) -> Value {
        self.runtime.block_on(async {
            let mut request = self.client.request(method, address).bearer_auth(TOKEN);
            if let Some(body) = body {
                request = request.header("content-type", "application/scim+json").body(body.to_string());
            }
            let answer = request.send().await.unwrap();
            let status = answer.status();
            let text = answer.text().await.unwrap();
            assert!(status.is_success(), "{address}: {status} {text}");
            serde_json::from_str(&text).unwrap()
        })
    }

    fn page(&self, query: &str) -> Value {
        self.ask(Method::GET, &format!("{}/Users?{query}", self.server.base_url), None)
    }

    fn total(&self) -> usize {
        usize::try_from(self.page("count=1")["totalResults"].as_u64().unwrap()).unwrap()
    }

    /// Every user that the server has, by `externalId`; no two may have the same one.
    fn users(&self) -> BTreeMap<String, Value> {
        // What was under way when its client was killed may land while the server is read.
        for _ in 0..50 {
            if let Some(users) = self.users_at_once().filter(|users| users.len() == self.total()) {
                return users;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("somebody is there twice, or the server's pages and its total never agree");
    }

    /// None where a page shows somebody whom an earlier one showed: a user who came meanwhile moved the pages.
    fn users_at_once(&self) -> Option<BTreeMap<String, Value>> {
        let mut users = BTreeMap::new();
        let mut shown = 0;
        let mut cursor = String::new();
        loop {
            let place =
                if self.server.cursors { format!("cursor={cursor}") } else { format!("startIndex={}", shown + 1) };
            let mut page = self.page(&format!("count=40&{place}"));
            let resources = page["Resources"].as_array_mut().map(std::mem::take).unwrap_or_default();
            let is_last = resources.is_empty();
            shown += resources.len();
            for user in resources {
                let id = user["externalId"].as_str().unwrap().to_owned();
                if users.insert(id, user).is_some() {
                    return None;
                }
            }
            match page["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None if self.server.cursors || is_last => break,
                None => {}
            }
        }
        Some(users)
    }

    /// Gives a user a nickname and a second address; the user as it is then.
    fn add_by_hand(&self, user: &Value) -> Value {
        let mut user = user.clone();
        user["nickName"] = json!("Nick");
        user["emails"].as_array_mut().unwrap().push(json!({"type": "home", "value": "home5@example.com"}));
        user.as_object_mut().unwrap().remove("meta");
        let address = format!("{}/Users/{}", self.server.base_url, user["id"].as_str().unwrap());
        self.ask(Method::PUT, &address, Some(&user))
    }
}

/// A process that is killed when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Server {
    base_url: String,
    cursors: bool,
    _running: Running,
}

impl Server {
    /// Starts the server on a free port, and waits until it serves.
    fn start(announces: Option<&str>) -> Self {
        let program = std::env::var_os("SCIM2_SERVER").expect(
            "SCIM2_SERVER must be the path of the program scim2-server (pip install 'scim2-server[cursor]'); .ci/run sets it",
        );
        let said = announces.map(|file| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scim_server").join(file));
        // Somebody else may take a port between its being free and the server's taking it.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut command = Command::new(&program);
            command.args(["--port", &port.to_string(), "--bearer-token", TOKEN]);
            if let Some(file) = &said {
                command.arg("--service-provider-config").arg(file);
            }
            command.env("PYTHONUNBUFFERED", "1").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
            let out = child.stdout.take().unwrap();
            let running = Running(child);
            let (to_us, says) = mpsc::channel();
            // Reads on until the server ends, so that it never waits for somebody to read what it says.
            std::thread::spawn(move || {
                for line in BufReader::new(out).lines().map_while(Result::ok) {
                    if line.contains("Serving SCIM") {
                        let _ = to_us.send(());
                    }
                }
            });
            if says.recv_timeout(PATIENCE).is_ok() {
                let base_url = format!("http://127.0.0.1:{port}/v2");
                return Self { base_url, cursors: announces == Some("cursor.json"), _running: running };
            }
        }
        panic!("{} does not say that it serves", program.display());
    }
}
