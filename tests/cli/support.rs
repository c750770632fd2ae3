//! A project in a temporary folder, the binary run in it, and a tenant to run it against.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use headcount::sandbox::imichat::ImichatAccount;
use headcount::sandbox::{Faults, LedgerEffect, Options, Sandbox, Seed, start};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The key of every tenant here; nothing that the program writes may hold it.
pub const KEY: &str = "hk-7f3a91c2e5d8b604";
/// The token that [`answering`] gives out.
pub const TOKEN: &str = "tok-4b1d90ce77a2";
pub const DOMAIN: &str = "acme.imi.chat";

/// The header of the small exports here.
pub const COLUMNS: &str = "id,login,email,first,last,title,status\n";

/// A folder with a configuration and an export.
pub struct Project {
    dir: TempDir,
}

impl Project {
    pub fn empty() -> Self {
        // In memory, where syncing a journal costs nothing; what a sync is worth on a disk is tested elsewhere.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self { dir: dir.unwrap() }
    }

    /// The samples as the repository has them, against the built-in sandbox, without its leisurely pace.
    pub fn sample() -> Self {
        let project = Self::empty();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir(project.path("samples")).unwrap();
        for file in ["config.toml", "samples/hr_export.csv", "samples/teams.csv"] {
            fs::copy(root.join(file), project.path(file)).unwrap();
        }
        project.set("requests_per_second", "0").set("concurrency", "8");
        project
    }

    /// A small configuration for the export `people.csv`, whose columns are [`COLUMNS`], against the built-in sandbox.
    pub fn small(people: &str) -> Self {
        let project = Self::empty();
        project.write("people.csv", people);
        project.write("config.toml", SMALL);
        project
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The small export, anew.
    pub fn people(&self, rows: &str) -> &Self {
        self.write("people.csv", format!("{COLUMNS}{rows}"))
    }

    /// Replaces a piece of the configuration that stands there once.
    pub fn edit(&self, from: &str, to: &str) -> &Self {
        let text = self.read("config.toml");
        assert_eq!(text.matches(from).count(), 1, "{from:?} in\n{text}");
        self.write("config.toml", text.replace(from, to))
    }

    /// Gives a setting another value, whatever it has now; `key` must be written once.
    pub fn set(&self, key: &str, value: &str) -> &Self {
        let text = self.read("config.toml");
        let is_it = |line: &&str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
        let lines: Vec<&str> = text.lines().filter(is_it).collect();
        let [line] = lines[..] else { panic!("{} lines set {key:?} in\n{text}", lines.len()) };
        self.write("config.toml", text.replacen(line, &format!("{key} = {value}"), 1))
    }

    /// Adds lines below a table's header.
    pub fn add(&self, table: &str, lines: &str) -> &Self {
        let header = format!("[{table}]");
        self.edit(&header, &format!("{header}\n{lines}"))
    }

    pub fn command(&self, args: &[&str]) -> Command {
        self.through(env!("CARGO_BIN_EXE_headcount"), args)
    }

    /// A program in this folder, in an environment that is the same everywhere.
    pub fn through(&self, program: impl AsRef<OsStr>, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("TMPDIR", std::env::temp_dir())
            .env("TZ", "UTC")
            .env("HEADCOUNT_TEST_KEY", KEY)
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        ran(&mut self.command(args))
    }

    /// Runs with `--format json`; the summary is the second part.
    pub fn json(&self, args: &[&str]) -> (Ran, Value) {
        let ran = self.run(&[&["--format", "json"], args].concat());
        let summary = ran.summary();
        (ran, summary)
    }

    /// `sync --yes`, which must end like this.
    pub fn sync(&self, code: i32) -> Value {
        let (ran, summary) = self.json(&["sync", "--yes"]);
        ran.expect(code);
        summary
    }

    /// `plan`, which must end well.
    pub fn plan(&self) -> Value {
        let (ran, summary) = self.json(&["plan", "-o", "plan.jsonl"]);
        ran.expect(0);
        summary
    }

    /// The actions of `plan.jsonl`.
    pub fn actions(&self) -> Vec<Value> {
        let lines = lines(&self.read("plan.jsonl"));
        lines.into_iter().filter(|line| line.get("action").is_some()).collect()
    }

    /// The findings and actions of `report --as json`.
    pub fn entries(&self, of: &str) -> Vec<Value> {
        let ran = self.run(&["report", of, "--as", "json"]);
        ran.expect(0);
        serde_json::from_str::<Value>(&ran.stdout).unwrap()["entries"].as_array().unwrap().clone()
    }

    /// The one entry of that report about this person.
    pub fn entry(&self, of: &str, key: &str) -> Value {
        let mut entries = self.entries(of);
        entries.retain(|entry| entry["key"] == key);
        assert_eq!(entries.len(), 1, "{key}: {entries:#?}");
        entries.remove(0)
    }

    pub fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o7777
    }

    /// Every file below a folder of the project.
    pub fn files(&self, below: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.path(below)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() { folders.push(entry.path()) } else { found.push(entry.path()) }
            }
        }
        found
    }
}

const SMALL: &str = r#"[source]
path = "people.csv"
identity = "id"

[target]
kind = "imichat"
base_url = "sandbox"
tenant = "acme"

[match]
rules = [["login_id"], ["email_id"]]

[map]
login_id = "login"
email_id = "email"
first_name = "first"
last_name = "last"
job_description = "title"
status = "{{ 'inactive' if status == 'left' else 'active' }}"
password = { generate = { length = 20 } }

[policy]

[safety]

[rate]
requests_per_second = 0
retries = 0

[journal]
path = ".headcount"
"#;

/// How the program ended.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub fn ran(command: &mut Command) -> Ran {
    Ran::of(command.output().unwrap())
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Each piece stands in what people are told, on whichever stream. Layout is left out of account: a message may be
    /// broken into lines.
    #[track_caller]
    pub fn says(&self, pieces: &[&str]) -> &Self {
        let said = flat(&format!("{}\n{}", self.stdout, self.stderr));
        for piece in pieces {
            assert!(
                said.contains(&flat(piece)),
                "{piece:?} is not in\nstdout: {}\nstderr: {}",
                self.stdout,
                self.stderr
            );
        }
        self
    }

    #[track_caller]
    pub fn says_nothing_of(&self, pieces: &[&str]) -> &Self {
        for piece in pieces {
            assert!(
                !self.stdout.contains(piece) && !self.stderr.contains(piece),
                "{piece:?} is in\n{}{}",
                self.stdout,
                self.stderr
            );
        }
        self
    }

    /// The one object on standard output.
    #[track_caller]
    pub fn summary(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        let summary: Value = serde_json::from_str(&self.stdout).unwrap();
        assert_eq!(summary["headcount_summary"], 1);
        assert_eq!(summary["exit_code"].as_i64(), self.code.map(i64::from), "{summary:#}\n{}", self.stderr);
        summary
    }
}

fn flat(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c == '│').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A simulated tenant in this process.
pub struct Tenant {
    runtime: Runtime,
    sandbox: Option<Sandbox>,
}

impl Tenant {
    /// A tenant with these accounts.
    pub fn with(accounts: &[Value]) -> Self {
        let teams = json!([{ "id": 1, "name": "Care" }, { "id": 12, "name": "Billing" }]);
        let text = json!({ "teams": teams, "accounts": accounts }).to_string();
        Self::start(Options { seed: Seed::Text(text), ..Options::default() })
    }

    /// A tenant that misbehaves as a script of faults says.
    pub fn with_faults(accounts: &[Value], faults: &str) -> Self {
        let text = json!({ "accounts": accounts }).to_string();
        let faults = Faults::parse(faults).unwrap();
        Self::start(Options { seed: Seed::Text(text), faults, ..Options::default() })
    }

    /// The sample tenant.
    pub fn sample() -> Self {
        Self::start(Options { seed: Seed::Sample, ..Options::default() })
    }

    pub fn start(options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = Options { api_key: KEY.to_owned(), domain: DOMAIN.to_owned(), ..options };
        let sandbox = runtime.block_on(start(options)).unwrap();
        Self { runtime, sandbox: Some(sandbox) }
    }

    fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().unwrap()
    }

    /// A small project against this tenant.
    pub fn project(&self, rows: &str) -> Project {
        self.connect(Project::small(&format!("{COLUMNS}{rows}")))
    }

    /// Points a project at this tenant.
    pub fn connect(&self, project: Project) -> Project {
        let url = self.sandbox().base_url();
        project.set(
            "base_url",
            &format!("\"{url}\"\napi_key = {{ env = \"HEADCOUNT_TEST_KEY\" }}\ndomain = \"{DOMAIN}\""),
        );
        project
    }

    /// Every effect so far.
    pub fn writes(&self) -> Vec<LedgerEffect> {
        self.sandbox().ledger().effects
    }

    /// Every effect so far as `Create ana`.
    pub fn ledger(&self) -> Vec<String> {
        self.writes().iter().map(|effect| format!("{:?} {}", effect.op, effect.login_id)).collect()
    }

    #[track_caller]
    pub fn unchanged(&self) -> &Self {
        assert_eq!(self.ledger(), Vec::<String>::new());
        self
    }

    /// Requests of every kind so far.
    pub fn requests(&self) -> u64 {
        self.sandbox().requests()
    }

    pub fn accounts(&self) -> Vec<ImichatAccount> {
        self.sandbox().accounts()
    }

    pub fn account(&self, login: &str) -> ImichatAccount {
        self.accounts().into_iter().find(|account| account.login_id == login).unwrap_or_else(|| panic!("no {login}"))
    }

    pub fn port(&self) -> u16 {
        self.sandbox().address().port()
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        let _entered = self.runtime.enter();
        self.sandbox = None;
    }
}

/// An account as a seed has it.
pub fn account(id: u64, login: &str, first: &str, last: &str) -> Value {
    json!({
        "id": id, "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z",
        "login_id": login, "email_id": format!("{login}@example.com"), "first_name": first, "last_name": last,
        "job_description": "Agent",
    })
}

/// The same with some of it otherwise.
pub fn but(mut account: Value, other: Value) -> Value {
    account.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    account
}

/// A row of the small export.
pub fn row(id: &str, login: &str, first: &str, last: &str) -> String {
    format!("{id},{login},{login}@example.com,{first},{last},Agent,active\n")
}

/// Three people, of whom the tenant of [`three_accounts`] has two, one of them under an old name.
pub fn three_rows() -> String {
    [row("E1", "ana", "Ana", "Diaz"), row("E2", "bo", "Bo", "Lindqvist"), row("E3", "cy", "Cy", "Young")].concat()
}

pub fn three_accounts() -> Tenant {
    Tenant::with(&[account(1, "ana", "Ana", "Diaz"), account(2, "bo", "Bo", "Li")])
}

pub fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Runs with something on standard input.
pub fn fed(mut command: Command, input: &[u8]) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The program may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input);
    Ran::of(child.wait_with_output().unwrap())
}

/// The counts of a summary that are not zero: `create 31, update 32`.
pub fn counts(summary: &Value, of: &str) -> String {
    let counts = summary[of].as_object().unwrap();
    let counts: Vec<_> =
        counts.iter().filter(|(_, count)| **count != 0).map(|(name, n)| format!("{name} {n}")).collect();
    counts.join(", ")
}

/// A project whose tenant is at this address.
pub fn at(url: &str) -> Project {
    let project = Project::small("");
    project.people(&three_rows());
    project.set("base_url", &format!("\"{url}\"\napi_key = {{ env = \"HEADCOUNT_TEST_KEY\" }}\ndomain = \"{DOMAIN}\""));
    project
}

/// A server that gives every request the same answer, and with it [`TOKEN`].
pub fn answering(body: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\naccess_token: {TOKEN}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        }
    });
    port
}
