//! Sign-in, pacing, quota, retry and redaction for every target that speaks HTTP.
//!
//! The law kept here: every request is counted, paced and bounded; `Retry-After` is never undercut; one token refresh
//! serves all who wait; only what is safe is repeated; no secret is printed or logged; a redirect is never followed and
//! nothing but https leaves, loopback aside.

mod address;
mod auth;
mod authorization;
mod client;
mod instant;
mod message;
mod network;
mod oauth;
mod pace;
mod quota;
mod redact;
mod retry;
#[cfg(test)]
pub(crate) mod testing;
mod transport;

use std::time::Duration;

use crate::model::Percent;

pub use address::path_segment;
pub use auth::{GrantedToken, TokenSource};
pub use authorization::{Authorization, AuthorizedClient, secret_header};
pub use client::{Client, ClientSettings, ReadQuota, ServerAccess};
pub use instant::{reset_time, retry_after};
pub use message::{AnswerVerdict, HttpAnswer, HttpRequest};
pub use network::{Network, NetworkError, ProxyChoice};
pub use oauth::ClientCredentials;
pub use quota::kept_back;
pub use retry::{Repeat, Tries};
#[cfg(test)]
pub(crate) use transport::{LONGEST_BODY, Loss, Proof, Received, Transport};

/// `[rate]`: how fast, how many at once, how patient.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// At most 1,000,000; 0 means no limit.
    pub requests_per_second: f64,
    pub burst: u32,
    /// Requests under way at once.
    pub concurrency: usize,
    /// Of the tenant's daily quota, left for others.
    pub daily_reserve: Percent,
    /// Repeats of one request, at most.
    pub retries: u32,
    /// For the whole request, from connecting to the last byte.
    pub timeout: Duration,
    /// Sleep until the quota resets instead of pausing the run.
    pub wait_for_quota: bool,
}
