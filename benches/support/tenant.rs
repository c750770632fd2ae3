//! A sandbox in a process of its own, so that it shares neither runtime nor allocator with what is measured: the bench
//! starts itself once more, and that copy does nothing but serve.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use headcount::clock::{Stop, SystemClock};
use headcount::connectors::http::{Network, Rate, ServerAccess};
use headcount::connectors::imichat::{ImichatConnector, ImichatSettings, connect_tenant};
use headcount::model::{Percent, Secret};
use headcount::sandbox::{API_KEY, DOMAIN, Options, Seed, SimulatedQuota};

/// Set for the copy that serves, to the number of accounts that it starts with.
const SERVE: &str = "HEADCOUNT_BENCH_SERVE";

/// Serves, where this process was started for that; true once it is over.
pub fn served() -> bool {
    let Ok(accounts) = env::var(SERVE) else { return false };
    let options = Options {
        seed: Seed::Generated(accounts.parse().unwrap()),
        quota: SimulatedQuota { per_day: 1 << 40, ..SimulatedQuota::default() },
        ..Options::default()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let sandbox = headcount::sandbox::start(options).await.unwrap();
        println!("{}", sandbox.base_url());
        io::stdout().flush().unwrap();
        // The end of the input is the end of the bench.
        tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    });
    true
}

/// A sandbox that serves until this is dropped.
pub struct Tenant {
    child: Child,
    /// Kept open, because a pipe without a reader would end the child.
    _output: BufReader<ChildStdout>,
    pub base_url: String,
}

impl Tenant {
    pub fn start(accounts: u64) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.env(SERVE, accounts.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut base_url = String::new();
        output.read_line(&mut base_url).unwrap();
        Self { child, _output: output, base_url: base_url.trim().to_owned() }
    }

    /// The process that serves.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn connect(&self, rate: &Rate) -> ImichatConnector {
        let settings = ImichatSettings::default();
        let (clock, stop) = (SystemClock::new(), Arc::new(Stop::default()));
        let access = ServerAccess { base_url: &self.base_url, rate, network: &Network::default(), clock, stop };
        connect_tenant(&settings, access, &Secret::new(API_KEY), DOMAIN).unwrap()
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        // It has nothing to save.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// So many requests a second, 0 for no limit, and so many under way.
pub fn rate(requests_per_second: f64, concurrency: usize) -> Rate {
    Rate {
        requests_per_second,
        burst: 5,
        concurrency,
        daily_reserve: Percent::new(5.0).unwrap(),
        retries: 5,
        timeout: Duration::from_secs(30),
        wait_for_quota: false,
    }
}

/// `cargo bench` passes --bench; anything else only wants to know that it works.
pub fn benching() -> bool {
    env::args().any(|arg| arg == "--bench")
}

/// A number that the environment can set.
pub fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
