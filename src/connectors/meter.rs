//! Counts the requests of one target, and keeps what the server says of its quota.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a request is for; the summary counts by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Auth,
    List,
    Lookup,
    Write,
}

/// Requests sent so far, and the server's quota as last seen. Shared by all requests of one target.
#[derive(Debug, Default)]
pub struct Meter {
    sent: [AtomicU64; 4],
    retried: AtomicU64,
    quota: Mutex<Option<Quota>>,
    others: Mutex<Others>,
}

/// What others were seen to take of the quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// Requests since the quota was last reset, or first seen, at least.
    pub taken: u64,
    /// The most between two answers, lately.
    pub at_once: u64,
}

/// The daily quota as the server last showed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    pub limit: Option<u64>,
    pub remaining: u64,
    pub resets_at: Option<Timestamp>,
}

/// A reading of a [`Meter`]. A repeat counts under its purpose and under `retried`; `total` counts it once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub auth: u64,
    pub list: u64,
    pub lookup: u64,
    pub write: u64,
    pub retried: u64,
    pub total: u64,
}

impl Meter {
    /// Counts a request that is about to leave.
    pub fn count_request(&self, purpose: Purpose) {
        self.sent[purpose as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts that the request about to leave repeats an earlier one.
    pub fn count_retry(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    #[must_use]
    pub fn sent_so_far(&self) -> Sent {
        let of = |purpose: Purpose| self.sent[purpose as usize].load(Ordering::Relaxed);
        let (auth, list, lookup, write) =
            (of(Purpose::Auth), of(Purpose::List), of(Purpose::Lookup), of(Purpose::Write));
        let retried = self.retried.load(Ordering::Relaxed);
        Sent { auth, list, lookup, write, retried, total: auth + list + lookup + write }
    }

    pub fn saw_quota(&self, quota: Quota) {
        *self.quota.lock().unwrap_or_else(PoisonError::into_inner) = Some(quota);
    }

    pub fn saw_others(&self, others: Others) {
        *self.others.lock().unwrap_or_else(PoisonError::into_inner) = others;
    }

    #[must_use]
    pub fn others(&self) -> Others {
        *self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[must_use]
    pub fn quota(&self) -> Option<Quota> {
        *self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requests ({} list, {} write, {} retried)", self.total, self.list, self.write, self.retried)
    }
}
