//! Commands in one process with a clock that nobody waits for, over a sandbox whose own count of requests judges.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;

use super::{Exit, unattended_sync};
use crate::app::sync::sync_connected;
use crate::app::{AppError, Session, Workspace};
use crate::clock::{Clock, TestClock};
use crate::files::sealed;
use crate::plan::file::PlanHeader;
use crate::report::{Head, Summary};
use crate::sandbox::{API_KEY, CLIENT_SECRET, Options, Sandbox, TOKEN, start};

/// A folder with a configuration and an export, and a tenant for it.
pub struct Office {
    dir: TempDir,
    pub clock: Arc<TestClock>,
    pub tenant: Sandbox,
}

impl Office {
    /// `config` names the tenant's address `ADDRESS` and the file of its secret `SECRET`.
    pub async fn open(clock: Arc<TestClock>, options: Options, config: &str, export: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let kind = config.lines().find_map(|line| line.strip_prefix("kind")?.split('"').nth(1));
        let secret = match kind.unwrap() {
            "imichat" => API_KEY,
            "brightpattern" => CLIENT_SECRET,
            _ => TOKEN,
        };
        let tenant = start(Options { clock: clock.clone(), ..options }).await.unwrap();
        let office = Self { dir, clock, tenant };
        fs::write(office.path("secret"), secret).unwrap();
        fs::write(office.path("export.csv"), export).unwrap();
        let secret = format!("{{ file = {:?} }}", office.path("secret"));
        let config = config.replace("ADDRESS", &format!("{:?}", office.tenant.base_url())).replace("SECRET", &secret);
        fs::write(office.path("config.toml"), config).unwrap();
        office
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `headcount sync --yes`; the summary of its run, where there was one.
    pub async fn sync(&self) -> (Result<Exit, AppError>, Option<Summary>) {
        let session = Session { clock: self.clock.clone(), ..Session::unattended() };
        let workspace = Workspace::load(&self.path("config.toml"), Some(&self.path("state"))).unwrap();
        let journal = workspace.open_journal(&*session.clock).unwrap();
        let memory = workspace.tenant_memory(&journal);
        let connection = workspace.connect_tenant(&session).await.unwrap();
        let workspace = workspace.with_live_schema(&*connection.target).unwrap();
        let request = unattended_sync();
        let end = sync_connected(&session, &workspace, &journal, &memory, &connection, &request).await;
        let exit = connection.close_after(end.map(Exit::from)).await;
        let run = journal.runs().into_iter().map(|run| run.run).max();
        let head = run.and_then(|run| sealed::read::<Head>(&workspace.state.run_summary(run)).unwrap());
        (exit, head.map(|head| head.summary))
    }

    /// The headers of all plans that became runs, the first one first.
    pub fn plans(&self) -> Vec<PlanHeader> {
        let mut runs: Vec<_> = fs::read_dir(self.path("state/runs")).unwrap().map(|run| run.unwrap().path()).collect();
        runs.sort();
        let first_line =
            |path: PathBuf| fs::read_to_string(path.join("plan.jsonl")).unwrap().lines().next().unwrap().to_owned();
        runs.into_iter().map(|run| serde_json::from_str(&first_line(run)).unwrap()).collect()
    }

    /// Waits until that hour of the next day.
    pub fn sleep_until(&self, hour: u64) {
        let now = self.clock.now();
        let into_day = now.as_second().rem_euclid(86_400).unsigned_abs();
        self.clock.advance(Duration::from_secs(86_400 - into_day + hour * 3600));
    }
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
