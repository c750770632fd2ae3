//! What the tests stand on: a simulated tenant served from within the test, a project folder whose configuration points
//! at it, and the program as a child process. The tenant's ledger is the judge; the journal is never asked whether the
//! journal is right.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use age::x25519::Identity;
use headcount::sandbox::imichat::ImichatAccount;
use headcount::sandbox::{
    API_KEY, DOMAIN, Faults, Ledger, LedgerOperation, Options, Sandbox, Seed, password_hash, start,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Nothing that a test waits for takes longer, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tenant that is being served.
pub struct Tenant {
    // Dropped before the runtime that it runs on.
    sandbox: Option<Sandbox>,
    runtime: Runtime,
}

impl Tenant {
    pub fn start(options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sandbox = Some(runtime.block_on(start(options)).unwrap());
        Self { sandbox, runtime }
    }

    /// With faults, in the form of a fault file.
    pub fn with_faults(options: Options, faults: &str) -> Self {
        Self::start(Options { faults: Faults::parse(faults).unwrap(), ..options })
    }

    fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().unwrap()
    }

    pub fn base_url(&self) -> String {
        self.sandbox().base_url()
    }

    pub fn port(&self) -> u16 {
        self.sandbox().address().port()
    }

    pub fn ledger(&self) -> Ledger {
        self.sandbox().ledger()
    }

    pub fn requests(&self) -> u64 {
        self.sandbox().requests()
    }

    pub fn accounts(&self) -> Vec<ImichatAccount> {
        self.sandbox().accounts()
    }

    /// The accounts of a tenant of any kind, in the form of its seed.
    pub fn accounts_json(&self) -> Vec<Value> {
        self.sandbox().accounts_json()
    }

    /// The one account of that login.
    pub fn account(&self, login: &str) -> ImichatAccount {
        let mut found: Vec<_> = self.accounts().into_iter().filter(|account| account.login_id == login).collect();
        assert_eq!(found.len(), 1, "accounts of {login}");
        found.remove(0)
    }

    /// Goes down as a machine does that loses its power.
    pub fn crash(mut self) {
        drop(self.sandbox.take());
        self.runtime.shutdown_background();
    }

    /// Somebody else creates an account.
    pub fn create(&self, fields: Value) {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        use base64::Engine;
        let code = base64::engine::general_purpose::STANDARD.encode(format!("{API_KEY}@{DOMAIN}"));
        let base = self.base_url();
        self.runtime.block_on(async {
            let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
            let answer = http.get(format!("{base}/authorize")).header("auth_code", code).send().await.unwrap();
            let token = answer.headers()["access_token"].clone();
            let request = http.post(format!("{base}/users")).header("access_token", token).json(&fields);
            let answer: Value = request.send().await.unwrap().json().await.unwrap();
            assert_eq!(answer["status_code"], 4308, "{answer}");
        });
    }

    /// The logins that headcount created, each as often as it did.
    pub fn created(&self) -> Vec<String> {
        let mut logins: Vec<_> =
            self.ledger().effects_of(LedgerOperation::Create).map(|effect| effect.login_id.clone()).collect();
        logins.sort();
        logins
    }

    /// How often the account of that login was updated.
    pub fn updates_of(&self, login: &str) -> usize {
        self.ledger().effects_of(LedgerOperation::Update).filter(|effect| effect.login_id == login).count()
    }

    /// What the tenant holds, without what differs from run to run by its nature: ids, times, passwords.
    pub fn content(&self) -> Vec<Value> {
        content(self.accounts())
    }
}

pub fn content(accounts: Vec<ImichatAccount>) -> Vec<Value> {
    let mut accounts = accounts;
    accounts.sort_by(|a, b| (&a.login_id, a.id).cmp(&(&b.login_id, b.id)));
    let plain = |account: &ImichatAccount| {
        let mut value = serde_json::to_value(account).unwrap();
        for name in ["id", "created_at", "updated_at", "password"] {
            value.as_object_mut().unwrap().remove(name);
        }
        value
    };
    accounts.iter().map(plain).collect()
}

/// The sample tenant.
pub fn sample() -> Options {
    Options { seed: Seed::Sample, ..Options::default() }
}

/// A small tenant and an export for it.
#[derive(Clone, Default)]
pub struct Small {
    /// People without an account: `new01`…
    pub newcomers: usize,
    /// People whose account has another last name: `old01`…
    pub changed: usize,
    /// Leavers whose account is active: `gone01`…
    pub leavers: usize,
}

impl Small {
    pub fn options(&self) -> Options {
        Options { seed: Seed::Text(self.seed()), ..Options::default() }
    }

    /// Also an Administrative account that the export knows under another name, and that must never be touched.
    fn seed(&self) -> String {
        let mut accounts = vec![json!({
            "id": 1, "created_at": "2024-01-02T03:04:05Z", "updated_at": "2024-01-02T03:04:05Z", "first_name": "The",
            "last_name": "Boss", "login_id": "chief", "email_id": "chief@example.com", "role_type": "Administrative",
        })];
        let known = logins("old", self.changed).chain(logins("gone", self.leavers));
        accounts.extend(known.enumerate().map(|(at, login)| {
            json!({
                "id": 100 + at, "created_at": "2024-01-02T03:04:05Z", "updated_at": "2024-01-02T03:04:05Z",
                "first_name": "Ana", "last_name": "Before", "login_id": login,
                "email_id": format!("{login}@example.com"), "job_description": "Agent", "login_using_email": true,
            })
        }));
        json!({ "accounts": accounts }).to_string()
    }

    pub fn export(&self) -> String {
        let mut rows = String::from(HEADER);
        let active = logins("new", self.newcomers).chain(logins("old", self.changed));
        let everybody = active
            .map(|login| (login, "After", "Active"))
            .chain(logins("gone", self.leavers).map(|login| (login, "Before", "Terminated")))
            .chain([("chief".to_owned(), "Changed", "Terminated")]);
        for (login, last_name, status) in everybody {
            rows.push_str(&row(&login, last_name, status));
        }
        rows
    }

    pub fn project(&self, tenant: &Tenant) -> Project {
        let project = Project::new(tenant);
        project.write("samples/hr_export.csv", &self.export());
        project
    }

    pub fn newcomers(&self) -> Vec<String> {
        logins("new", self.newcomers).collect()
    }
}

pub const HEADER: &str =
    "employee_id,first_name,last_name,work_email,job_title,team,role,skills,status,manager_id,location,start_date\n";

pub fn row(login: &str, last_name: &str, status: &str) -> String {
    format!(
        "E-{login},Ana,{last_name},{login}@example.com,Agent,Billing,Team Agent,English:90,{status},,Lyon,2024-01-02\n"
    )
}

fn logins(prefix: &'static str, count: usize) -> impl Iterator<Item = String> {
    (1..=count).map(move |at| format!("{prefix}{at:02}"))
}

/// A folder with a configuration, an export, a state directory and a place for passwords.
pub struct Project {
    dir: TempDir,
    identity: Identity,
}

impl Project {
    /// The samples, against that tenant: without a rate limit, with short timeouts, with passwords delivered.
    pub fn new(tenant: &Tenant) -> Self {
        let project = Self { dir: TempDir::new().unwrap(), identity: Identity::generate() };
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir(project.path("samples")).unwrap();
        for name in ["samples/hr_export.csv", "samples/teams.csv", "config.toml"] {
            fs::copy(root.join(name), project.path(name)).unwrap();
        }
        project.set("base_url", &format!("{:?}", tenant.base_url()));
        project.set("api_key", "{ env = \"HEADCOUNT_TEST_KEY\" }");
        project.set("domain", &format!("{DOMAIN:?}"));
        project.set("requests_per_second", "0");
        project.set("timeout", "\"2s\"");
        project.set("retries", "2");
        project.set("deliver_to", &format!("{:?}", project.recipient()));
        for limit in ["max_create", "max_update", "max_deactivate"] {
            project.set(limit, "1000");
        }
        project
    }

    /// Whom passwords are encrypted for.
    pub fn recipient(&self) -> String {
        self.identity.to_public().to_string()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Gives a setting of `config.toml` another value, also where it is switched off there.
    pub fn set(&self, key: &str, value: &str) {
        let text = self.read("config.toml");
        let named = |line: &&str| {
            let line = line.strip_prefix("# ").unwrap_or(line);
            line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
        };
        let line = text.lines().find(named).unwrap_or_else(|| panic!("config.toml has no {key}")).to_owned();
        self.write("config.toml", &text.replacen(&line, &format!("{key} = {value}"), 1));
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
        command.current_dir(self.dir.path()).args(args).stdin(Stdio::null());
        command.env("HEADCOUNT_TEST_KEY", API_KEY).env_remove("NO_COLOR").env("TERM", "dumb");
        command
    }

    pub fn spawn(&self, args: &[&str]) -> Running {
        self.spawn_command(self.command(&[&["--format", "json"], args].concat()))
    }

    pub fn spawn_command(&self, mut command: Command) -> Running {
        let (out, err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        command.stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap());
        Running { child: command.spawn().unwrap(), out, err }
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.spawn(args).wait()
    }

    /// `sync --yes`, which must end with that exit code.
    pub fn sync(&self, code: i32) -> Ran {
        let ran = self.run(&["sync", "--yes"]);
        assert_eq!(ran.code, Some(code), "{ran}");
        ran
    }

    /// Every run of the journal, as `headcount runs` tells.
    pub fn runs(&self) -> Vec<Value> {
        let ran = self.run(&["runs"]);
        assert_eq!(ran.code, Some(0), "{ran}");
        ran.json()["runs"].as_array().unwrap().clone()
    }

    /// The states of all runs, the first one first.
    pub fn states(&self) -> Vec<String> {
        self.runs().iter().map(|run| run["state"].as_str().unwrap().to_owned()).collect()
    }

    /// The delivered passwords: account id to what was delivered for it, each file by itself.
    pub fn delivered(&self) -> Vec<(PathBuf, BTreeMap<String, Vec<String>>)> {
        let mut files: Vec<_> = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "age"));
        files.sort();
        files.into_iter().map(|path| (path.clone(), self.decrypted(&path))).collect()
    }

    fn decrypted(&self, path: &Path) -> BTreeMap<String, Vec<String>> {
        let bytes = age::decrypt(&self.identity, &fs::read(path).unwrap()).unwrap();
        let mut table = csv::Reader::from_reader(bytes.as_slice());
        assert_eq!(table.headers().unwrap(), vec!["key", "identity", "account", "attribute", "value"]);
        let mut passwords = BTreeMap::<_, Vec<_>>::new();
        for record in table.records() {
            let record = record.unwrap();
            assert_eq!(&record[3], "password");
            passwords.entry(record[2].to_owned()).or_default().push(record[4].to_owned());
        }
        passwords
    }
}

/// Judges the passwords by the ledger: each account that was created got exactly one that somebody was told, and it is
/// the one that was set; nobody else got one.
pub fn assert_passwords_are_told(project: &Project, ledger: &Ledger) {
    let mut told = BTreeMap::<String, Vec<String>>::new();
    for (_, passwords) in project.delivered() {
        for (account, passwords) in passwords {
            told.entry(account).or_default().extend(passwords);
        }
    }
    for (account, passwords) in &told {
        assert_eq!(passwords.len(), 1, "passwords told for account {account}");
    }
    let told: BTreeMap<_, _> = told.iter().map(|(account, all)| (account.clone(), password_hash(&all[0]))).collect();
    let set: BTreeMap<_, _> = ledger
        .effects_of(LedgerOperation::Create)
        .map(|effect| (effect.id.clone(), effect.password.clone().unwrap()))
        .collect();
    assert_eq!(told, set);
    let different: BTreeSet<_> = set.values().collect();
    assert_eq!(different.len(), set.len(), "no two people have one password");
}

/// Says what was tried where it fails.
pub fn told<T>(what: &str, tried: impl FnOnce() -> T) -> T {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(tried)) {
        Ok(value) => value,
        // What went wrong was said already.
        Err(_) => panic!("{what}"),
    }
}

/// The next number of a seed: SplitMix64.
pub fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A child process.
pub struct Running {
    child: Child,
    out: File,
    err: File,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    pub fn signal(&self, name: &str) {
        // The shell's own: not every machine has a program of that name.
        let sent = Command::new("sh").arg("-c").arg(format!("kill -s {name} {}", self.pid())).status().unwrap();
        assert!(sent.success());
    }

    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until something holds, or the process has ended; whether it held.
    pub fn until(&mut self, holds: impl Fn() -> bool) -> bool {
        let start = Instant::now();
        loop {
            if holds() {
                return true;
            }
            if self.is_over() {
                return false;
            }
            assert!(start.elapsed() < PATIENCE, "nothing happens");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn wait(mut self) -> Ran {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > PATIENCE {
                self.kill();
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let text = |mut file: File| {
            let mut text = String::new();
            std::io::Seek::rewind(&mut file).unwrap();
            file.read_to_string(&mut text).unwrap();
            text
        };
        Ran { code: status.code(), out: text(self.out), err: text(self.err) }
    }
}

/// What a process left behind.
#[derive(Debug)]
pub struct Ran {
    /// None where a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tail: Vec<_> = self.err.lines().rev().take(40).collect();
        writeln!(f, "exit {:?}\n{}", self.code, self.out)?;
        tail.iter().rev().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl Ran {
    /// The one object on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON object: {error}\n{self}"))
    }

    /// A number of the summary, by its path: `applied.create`.
    pub fn number(&self, path: &str) -> u64 {
        let pointer = format!("/{}", path.replace('.', "/"));
        let json = self.json();
        json.pointer(&pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {path} in {json}"))
    }

    pub fn outcome(&self) -> String {
        self.json()["outcome"].as_str().unwrap().to_owned()
    }

    /// The kind of what went wrong.
    pub fn error_kind(&self) -> String {
        self.json()["error"]["kind"].as_str().unwrap_or_else(|| panic!("no error\n{self}")).to_owned()
    }

    pub fn error_message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap_or_else(|| panic!("no error\n{self}")).to_owned()
    }
}
