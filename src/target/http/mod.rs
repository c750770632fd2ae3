//! Sign-in, pacing, quota, retry and redaction for every target that speaks HTTP.

use std::time::Duration;

use crate::model::Percent;

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
