//! The wish to stop: no new request, those under way finish, the journal is written.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Set once, by a signal; seen by everything that is about to send something or to wait.
#[derive(Debug, Default)]
pub struct Stop {
    requested: AtomicBool,
    wake: Notify,
}

impl Stop {
    pub fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
        self.wake.notify_waiters();
    }

    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// Returns when somebody wants to stop.
    pub async fn requested(&self) {
        let wake = self.wake.notified();
        tokio::pin!(wake);
        // Enlisted before looking, so that a request between the two is not missed.
        wake.as_mut().enable();
        if !self.is_requested() {
            wake.await;
        }
    }
}
