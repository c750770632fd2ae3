//! Simulated tenants over real HTTP on loopback: for rehearsals without a tenant, and for tests of everything else.
//!
//! Written from the reference pages, with wire types of its own: a mistake in a connector must not hide in a type that
//! both sides share. Whatever the pages leave open is a setting here, so that a client can be tried against each
//! reading of them.
//!
//! Laws: only 127.0.0.1 is listened on. An effect stands in the ledger before its answer leaves, and where a state file
//! is kept it is in the operating system's hands by then, so that a process killed at any instant loses nothing that it
//! acknowledged. No password is kept, only its hash.

pub mod brightpattern;
mod faults;
mod host;
pub mod imichat;
mod ledger;
mod oauth;
mod query;
mod quota;
mod reply;
mod roster;
pub mod scim;
mod seed;
mod server;
mod state;
#[cfg(test)]
mod testing;
mod tokens;

use std::any::Any;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use serde_json::Value;
use tokio::net::TcpListener;

pub use faults::Faults;
pub use ledger::{Ledger, LedgerEffect, LedgerOperation, password_hash};
pub use oauth::ExpiresIn;
pub use quota::{Day, OtherClients, ResetFormat, SimulatedQuota};
pub use tokens::TokenLife;

use host::{Host, Hosted};

use crate::clock::{Clock, SystemClock};

/// The key that a sandbox accepts where none is given. It protects nothing.
pub const API_KEY: &str = "sandbox-key-not-a-secret";

/// The domain that a sandbox accepts where none is given.
pub const DOMAIN: &str = "sandbox.imi.chat";

/// The API user's login that a Bright Pattern sandbox accepts.
pub const CLIENT_ID: &str = "sandbox-api-user";

/// The API user's key that a Bright Pattern sandbox accepts. It protects nothing.
pub const CLIENT_SECRET: &str = "sandbox-secret-not-a-secret";

/// The bearer token that a SCIM sandbox accepts. It protects nothing.
pub const TOKEN: &str = "sandbox-token-not-a-secret";

/// A system that can be simulated, and how it behaves where its pages leave that open. Each has a folder here.
pub trait Simulation: Any + Send + Sync {
    /// Opens a tenant that answers at this address.
    ///
    /// # Errors
    /// A seed or state file that cannot be read, has the wrong shape, or is in use.
    fn open(&self, options: Options, address: SocketAddr) -> Result<OpenTenant, SandboxError>;
}

/// A tenant that nobody can reach yet.
pub struct OpenTenant {
    tenant: Arc<dyn Hosted>,
    router: Router,
}

impl<A: host::SandboxApi> From<Host<A>> for OpenTenant {
    fn from(host: Host<A>) -> Self {
        let host = Arc::new(host);
        Self { tenant: host.clone(), router: host::make_router(host) }
    }
}

/// What the tenant holds when it is first started.
#[derive(Clone, Debug, Default)]
pub enum Seed {
    /// No account; every team is known.
    #[default]
    Empty,
    /// The accounts of the system's sample in `samples/`, which every build carries.
    Sample,
    /// A file of the form of the kind's sample.
    File(PathBuf),
    /// The text of such a file.
    Text(String),
    /// So many invented accounts, the same ones each time.
    Generated(u64),
}

/// How a sandbox behaves.
#[derive(Clone)]
pub struct Options {
    pub system: Arc<dyn Simulation>,
    /// 0 for any free port.
    pub port: u16,
    /// Not read where `state` has something already.
    pub seed: Seed,
    /// The JSON file where the tenant is kept between runs. Two more stand beside it: `NAME.ledger.jsonl` with every
    /// effect and `NAME.quota` with the day's count. Nothing is kept where this is `None`.
    pub state: Option<PathBuf>,
    pub faults: Faults,
    /// Added to every request, and up to so much more at random.
    pub latency: Duration,
    pub jitter: Duration,
    /// `per_day` is for imi.chat alone; the other APIs have no such limit.
    pub quota: SimulatedQuota,
    /// Who may sign in, by kind: the key of an imi.chat tenant.
    pub api_key: String,
    /// The domain of an imi.chat tenant, and the scope of a Bright Pattern token.
    pub domain: String,
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// An empty tenant of a system on any free port that behaves well.
    #[must_use]
    pub fn new(system: Arc<dyn Simulation>) -> Self {
        Self {
            system,
            port: 0,
            seed: Seed::Empty,
            state: None,
            faults: Faults::default(),
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            quota: SimulatedQuota::default(),
            api_key: API_KEY.to_owned(),
            domain: DOMAIN.to_owned(),
            clock: SystemClock::new(),
        }
    }
}

/// Why a sandbox could not be started, or could not keep its state.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Bind { port: u16, source: std::io::Error },
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{}, line {line}, column {column}: {message}", path.display())]
    Shape { path: PathBuf, line: usize, column: usize, message: String },
    #[error("{}: {message}", path.display())]
    Seed { path: PathBuf, message: String },
    #[error("{} is in use by another sandbox", path.display())]
    InUse { path: PathBuf },
    #[error("faults in {name}: {message}")]
    Faults { name: String, message: String },
}

/// Starts a sandbox on 127.0.0.1; it serves until it is stopped or dropped.
///
/// # Errors
/// A port that is taken; a seed or state file that cannot be read, has the wrong shape, or is in use.
pub async fn start(options: Options) -> Result<Sandbox, SandboxError> {
    let port = options.port;
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|source| SandboxError::Bind { port, source })?;
    let address = listener.local_addr().map_err(|source| SandboxError::Bind { port, source })?;
    let system = Arc::clone(&options.system);
    let OpenTenant { tenant, router } = system.open(options, address)?;
    let serving = server::serve_router(listener, router);
    Ok(Sandbox { address, tenant, serving: Some(serving) })
}

/// A simulated tenant that is being served.
///
/// To drop it without [`Sandbox::stop`] is what a crash is: connections are cut, nothing more is acknowledged, and the
/// state is left as the last effect left it.
pub struct Sandbox {
    address: SocketAddr,
    tenant: Arc<dyn Hosted>,
    serving: Option<server::Serving>,
}

impl Sandbox {
    /// `http://127.0.0.1:PORT/v3.1`, or with the path of another system.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.tenant.base_url().to_owned()
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every effect so far, of earlier runs too where a state is kept.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.tenant.ledger()
    }

    /// The accounts of any kind as they are now, in the order in which they are listed, in the form of the kind's seed.
    #[must_use]
    pub fn accounts_json(&self) -> Vec<Value> {
        self.tenant.accounts_json()
    }

    /// Requests of the day so far, those of others included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.tenant.requests()
    }

    /// The days on which anybody came, since the start; the first one first.
    #[must_use]
    pub fn days(&self) -> Vec<Day> {
        self.tenant.days()
    }

    /// Lets the requests under way finish, then saves the state.
    ///
    /// # Errors
    /// The state cannot be written; the effects are in the ledger all the same, and the next start finds them there.
    pub async fn stop(mut self) -> Result<(), SandboxError> {
        if let Some(serving) = self.serving.take() {
            serving.stop_serving().await;
        }
        self.tenant.save_state()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The state file is free for the next sandbox at once, even while a connection still holds the tenant.
        self.tenant.refuse_requests();
    }
}
