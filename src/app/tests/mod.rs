//! Use cases from end to end in one process, over a tenant in memory whose ledger judges: what would take minutes with
//! child processes and sockets takes milliseconds.

mod damage;
mod days;
mod estimates;
mod full;
mod office;
mod people;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::x25519::Identity;
use futures::FutureExt;
use tempfile::TempDir;

use super::connection::Connection;
use super::sync::{SyncRequest, sync_connected};
use super::{ActionChoice, AppError, Consent, RunEnd, Session, Workspace};
use crate::clock::TestClock;
use crate::connectors::fake::{self, EMAIL, Fake, LOGIN, NAME, STATUS};
use crate::journal::StateDir;
use crate::model::{AccountId, Value};
use crate::report::summary::SummaryOutcome;

const START: &str = "2026-11-22T03:00:00Z";
pub const HEADER: &str = "id,login,name,status\n";

/// How a sync ended, as its exit code says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    Partial,
    Held,
    Paused,
    Failed,
}

impl From<RunEnd> for Exit {
    fn from(end: RunEnd) -> Self {
        match end.head.summary.outcome {
            SummaryOutcome::Planned | SummaryOutcome::NoChanges | SummaryOutcome::Complete => Self::Done,
            SummaryOutcome::Partial => Self::Partial,
            SummaryOutcome::Held => Self::Held,
            SummaryOutcome::Paused => Self::Paused,
            SummaryOutcome::Failed => Self::Failed,
        }
    }
}

/// What `headcount sync --yes` asks for.
pub fn unattended_sync() -> SyncRequest {
    SyncRequest { consent: Consent::Given, choice: ActionChoice::default() }
}

/// A tenant, an export, a configuration and a state directory.
pub struct Shop {
    dir: TempDir,
    identity: Identity,
    pub clock: Arc<TestClock>,
    pub tenant: Fake,
}

impl Shop {
    /// With a tenant that would let a login be used twice.
    pub fn new() -> Self {
        // In memory, where that can be: nothing here is about the disk's speed.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let clock = TestClock::new(START.parse().unwrap(), 1);
        let tenant = Fake::new(&clock);
        tenant.allow_twins();
        Self { dir: dir.unwrap(), identity: Identity::generate(), clock, tenant }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// Adds an account that was always there.
    pub fn account(&self, login: &str, name: &str) -> AccountId {
        self.tenant.has(
            &[(LOGIN, login), (EMAIL, &format!("{login}@x.org")), (NAME, name), (STATUS, "active")]
                .map(|(id, text)| (id, Value::text(text))),
        )
    }

    pub fn export(&self, rows: &[String]) {
        fs::write(self.path("hr.csv"), format!("{HEADER}{}\n", rows.join("\n"))).unwrap();
    }

    pub fn workspace(&self) -> Workspace {
        let text = format!(
            r#"
[source]
path = "hr.csv"
identity = "id"
[target]
kind = "imichat"
base_url = "sandbox"
tenant = "acme"
[match]
rules = [["login"], ["email"]]
[map]
login = "login"
email = "{{{{ login }}}}@x.org"
name = "name"
status = "{{{{ 'inactive' if status == 'left' else 'active' }}}}"
password = {{ generate = {{ length = 12 }} }}
[policy]
absent = "deactivate"
absent_for = {{ runs = 2, days = 0 }}
[safety]
max_create = 1000
max_update = 1000
max_deactivate = 1000
[passwords]
deliver_to = "{}"
file = "passwords.age"
"#,
            self.identity.to_public()
        );
        let settings = crate::config::parse(&text, &self.path("config.toml")).unwrap_or_else(|e| panic!("{e:?}"));
        let schema = fake::schema();
        let rules = fake::rules(&schema);
        Workspace { settings, schema, rules, state: StateDir::new(self.state()) }
    }

    /// What `headcount sync --yes` does once it is connected; none where the process died.
    pub fn sync(&self) -> Option<Result<Exit, AppError>> {
        let session = Session { clock: self.clock.clone(), ..Session::unattended() };
        let workspace = self.workspace();
        let work = async {
            let journal = workspace.open_journal(&*session.clock)?;
            let memory = workspace.tenant_memory(&journal);
            let connection = Connection::to(self.tenant.connect(), workspace.quota_file(session.clock.clone()));
            let request = unattended_sync();
            let end = sync_connected(&session, &workspace, &journal, &memory, &connection, &request).await;
            connection.close_after(end.map(Exit::from)).await
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(std::panic::AssertUnwindSafe(work).catch_unwind()).map_or_else(
            |panic| match panic.downcast_ref::<&str>() {
                Some(&"died") => None,
                _ => std::panic::resume_unwind(panic),
            },
            Some,
        )
    }

    /// Every password that was told, as `account password`, in order.
    pub fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        for entry in fs::read_dir(self.dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "age") {
                let bytes = age::decrypt(&self.identity, &fs::read(path).unwrap()).unwrap();
                let mut table = csv::Reader::from_reader(bytes.as_slice());
                told.extend(table.records().map(Result::unwrap).map(|row| format!("{} {}", &row[2], &row[4])));
            }
        }
        told.sort();
        told
    }

    /// Every password that was set, in the same form.
    pub fn set(&self) -> Vec<String> {
        let of = |entry: fake::Entry| match entry {
            fake::Entry::Created { account, password, .. } => Some(format!("{account} {password}")),
            _ => None,
        };
        let mut set: Vec<String> = self.tenant.ledger().into_iter().filter_map(of).collect();
        set.sort();
        set
    }
}

pub fn row(login: &str, name: &str, status: &str) -> String {
    format!("E-{login},{login},{name},{status}")
}

pub fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_files(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
