//! What reaches the tenant in memory, what really happens there, and what goes wrong on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::model::{AccountId, Attributes};

/// What really happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    Created { account: AccountId, login: String, password: String },
    Updated { account: AccountId, values: Attributes },
    Deleted { account: AccountId },
}

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    Create,
    Update,
    Delete,
    Get,
    Find,
    List,
}

/// A request that reached the tenant: its kind, the login or the account, and the password where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub op: Op,
    pub whom: String,
    pub password: Option<String>,
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It never arrived, and nobody knows.
    LostBefore,
    /// It had its effect, and the answer was lost.
    LostAfter,
    /// Its answer was given up, and it has its effect so much later.
    Late(Duration),
    Refused,
    Exists,
    /// Server errors only, without effect.
    Unavailable,
    Quota,
    Configuration,
    Garbled,
}

/// Where the process can die: each point counts down, and at zero it does, at once and without a word.
#[derive(Clone, Default)]
pub struct Points(Arc<AtomicU64>);

impl Points {
    /// Dies at the `n`th point from now; never, where `n` is zero.
    pub fn die_at(&self, n: u64) {
        self.0.store(n, Ordering::SeqCst);
    }

    /// Whether nobody died yet.
    pub fn alive(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }

    pub fn pass(&self) {
        let left = self.0.load(Ordering::SeqCst);
        if left > 0 {
            self.0.store(left - 1, Ordering::SeqCst);
            if left == 1 {
                // As a panic, but without its message.
                std::panic::resume_unwind(Box::new("died"));
            }
        }
    }
}
