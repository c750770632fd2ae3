//! Simulated tenants over real HTTP on loopback: for rehearsals without a tenant, and for tests of everything else.
//!
//! Written from the reference pages, with wire types of its own: a mistake in `target` must not hide in a type that
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
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use serde_json::Value;
use tokio::net::TcpListener;

pub use faults::Faults;
pub use ledger::{Effect, Ledger, Op, password_hash};
pub use oauth::ExpiresIn;
pub use quota::{Day, Others, Quota, ResetFormat};
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

/// The system that is simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Imichat,
    Brightpattern,
    Scim,
}

impl FromStr for Kind {
    type Err = SandboxError;

    fn from_str(name: &str) -> Result<Self, SandboxError> {
        match name {
            "imichat" => Ok(Self::Imichat),
            "brightpattern" => Ok(Self::Brightpattern),
            "scim" => Ok(Self::Scim),
            _ => Err(SandboxError::Kind { name: name.to_owned() }),
        }
    }
}

/// What the tenant holds when it is first started.
#[derive(Clone, Debug, Default)]
pub enum Seed {
    /// No account; every team is known.
    #[default]
    Empty,
    /// The accounts of `samples/accounts.json`, `samples/brightpattern_accounts.json` or `samples/scim_accounts.json`,
    /// which every build carries.
    Sample,
    /// A file of the form of the kind's sample.
    File(PathBuf),
    /// The text of such a file.
    Text(String),
    /// So many invented accounts, the same ones each time.
    Generated(u64),
}

/// How a sandbox behaves. `Options::default()` is an empty tenant on any free port that behaves well.
#[derive(Clone)]
pub struct Options {
    pub kind: Kind,
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
    pub quota: Quota,
    /// Who may sign in, by kind: the key of an imi.chat tenant.
    pub api_key: String,
    /// The domain of an imi.chat tenant, and the scope of a Bright Pattern token.
    pub domain: String,
    pub imichat: imichat::Behaviour,
    pub brightpattern: brightpattern::Behaviour,
    pub scim: scim::Behaviour,
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kind: Kind::Imichat,
            port: 0,
            seed: Seed::Empty,
            state: None,
            faults: Faults::default(),
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            quota: Quota::default(),
            api_key: API_KEY.to_owned(),
            domain: DOMAIN.to_owned(),
            imichat: imichat::Behaviour::default(),
            brightpattern: brightpattern::Behaviour::default(),
            scim: scim::Behaviour::default(),
            clock: SystemClock::new(),
        }
    }
}

/// Why a sandbox could not be started, or could not keep its state.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("there is no sandbox for {name:?}; there are imichat, brightpattern and scim")]
    Kind { name: String },
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
    let (tenant, router) = match options.kind {
        Kind::Imichat => hosted(imichat::open(options, address)?),
        Kind::Brightpattern => hosted(brightpattern::open(options, address)?),
        Kind::Scim => hosted(scim::open(options, address)?),
    };
    let serving = server::serve(listener, router);
    Ok(Sandbox { address, tenant, serving: Some(serving) })
}

fn hosted<A: host::Api>(host: Host<A>) -> (Arc<dyn Hosted>, Router) {
    let host = Arc::new(host);
    (host.clone(), host::router(host))
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
    /// `http://127.0.0.1:PORT/v3.1`, or `/configapi/v2` or `/scim/v2`, by kind.
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

    /// The accounts of an imi.chat tenant as they are now, in the order in which they are listed; none of another kind.
    #[must_use]
    pub fn accounts(&self) -> Vec<imichat::Account> {
        let tenant: &dyn Any = &*self.tenant;
        tenant
            .downcast_ref::<Host<imichat::Imichat>>()
            .map(|host| host::Tenant::accounts(&*host.read()))
            .unwrap_or_default()
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
            serving.stop().await;
        }
        self.tenant.save()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The state file is free for the next sandbox at once, even while a connection still holds the tenant.
        self.tenant.shut();
    }
}
