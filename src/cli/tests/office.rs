//! Commands in one process with a clock that nobody waits for, over a sandbox whose own count of requests judges.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::cli::app::App;
use crate::cli::args::{Cli, Command};
use crate::cli::commands::{plan::close_after, sync::sync};
use crate::cli::failure::{Exit, Failure};
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
    pub async fn sync(&self) -> (Result<Exit, Failure>, Option<Summary>) {
        let config = self.path("config.toml");
        let state = self.path("state");
        let [config, state] = [&config, &state].map(|path| path.to_str().unwrap());
        let cli =
            Cli::try_parse_from(["headcount", "-q", "--no-progress", "-c", config, "--state", state, "sync", "--yes"]);
        let Cli { global, command: Command::Sync(args) } = cli.unwrap() else { unreachable!() };
        let mut app = App::new(global);
        app.clock = self.clock.clone();
        let configured = app.configured().unwrap();
        let journal = configured.journal(&*app.clock).unwrap();
        let memory = configured.memory(&journal);
        let connected = configured.connect(app.clock.clone(), &app.stop).await.unwrap();
        let configured = configured.seen_by(&*connected.target).unwrap();
        let exit = sync(&app, &args, &configured, &journal, &memory, &connected).await;
        let exit = close_after(connected, exit).await;
        let run = journal.runs().into_iter().map(|run| run.run).max();
        let head = run.and_then(|run| sealed::read::<Head>(&configured.state.run_summary(run)).unwrap());
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
