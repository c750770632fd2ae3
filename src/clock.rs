//! Time, sleep and randomness, passed in so that tests need no waiting and a run can be replayed; and the wish to stop,
//! which everything that waits listens to.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::Notify;

/// Where the engine learns the time, waits, and draws random numbers. Everything that does one of the three takes a
/// `&dyn Clock` or an `Arc<dyn Clock>`; nothing calls the system's clock itself.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment; never goes back, and is not moved by changes of the wall clock.
    fn elapsed(&self) -> Duration;
    /// Waits.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;
    /// A uniformly distributed number: jitter, names of runs, secrets of runs.
    fn random(&self) -> u64;
}

/// The machine's clock, tokio's timer, the operating system's randomness.
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now() })
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }
    fn random(&self) -> u64 {
        rand::random()
    }
}

/// A clock that stands still until somebody sleeps on it: a sleep moves it forward and returns at once. Its random
/// numbers follow from the seed.
pub struct TestClock {
    start: Timestamp,
    passed: Mutex<Duration>,
    seed: AtomicU64,
}

impl TestClock {
    #[must_use]
    pub fn new(start: Timestamp, seed: u64) -> Arc<Self> {
        Arc::new(Self { start, passed: Mutex::new(Duration::ZERO), seed: AtomicU64::new(seed) })
    }

    /// Moves the clock forward without anybody sleeping.
    pub fn advance(&self, time: Duration) {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let passed = self.elapsed();
        self.start.checked_add(passed).unwrap_or(Timestamp::MAX)
    }
    fn elapsed(&self) -> Duration {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        self.advance(time);
        Box::pin(tokio::task::yield_now())
    }
    fn random(&self) -> u64 {
        // SplitMix64: one addition and three mixes give a well distributed sequence for each seed.
        let mut z = self.seed.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// The wish to stop: no new request, those under way finish, the journal is written. Set once, by a signal; seen by
/// everything that is about to send something or to wait.
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
    pub async fn wait_requested(&self) {
        let wake = self.wake.notified();
        tokio::pin!(wake);
        // Enlisted before looking, so that a request between the two is not missed.
        wake.as_mut().enable();
        if !self.is_requested() {
            wake.await;
        }
    }
}

/// Does what blocks the thread: reads a file to its end, asks a question. Tasks that wait beside it, such as the one
/// that hears signals, go on meanwhile.
pub fn blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // There is no other thread that could take the tasks over.
        _ => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_beside_what_blocks_goes_on_even_with_a_single_worker() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let (said, heard) = std::sync::mpsc::channel();
        let task = runtime.spawn(async move {
            tokio::spawn(async move { said.send(()) });
            blocking(|| heard.recv_timeout(Duration::from_secs(20)))
        });
        assert_eq!(runtime.block_on(task).unwrap(), Ok(()));
    }
}
