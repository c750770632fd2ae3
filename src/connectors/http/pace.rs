//! How fast requests leave: the rate asked for (governor, driven by the engine's clock), and the moment before which
//! the server wants to hear nothing, which everybody waits for.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::Rate;
use crate::clock::Clock;

/// The slowest rate there is: one request a day.
const SLOWEST: Duration = Duration::from_secs(24 * 3600);

/// Says when the next request may leave. It does not wait itself; see [`Pacer::pass`].
pub struct Pacer {
    clock: Arc<dyn Clock>,
    limiter: Option<RateLimiter<NotKeyed, InMemoryState, PaceClock, NoOpMiddleware<Duration>>>,
    /// In [`Clock::elapsed`].
    not_before: Mutex<Duration>,
}

/// The engine's clock as governor reads it.
#[derive(Clone)]
struct PaceClock(Arc<dyn Clock>);

impl governor::clock::Clock for PaceClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Pacer {
    pub fn new(rate: &Rate, clock: Arc<dyn Clock>) -> Self {
        let limiter = request_period(rate.requests_per_second).and_then(Quota::with_period).map(|quota| {
            let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
            RateLimiter::direct_with_clock(quota.allow_burst(burst), PaceClock(Arc::clone(&clock)))
        });
        Self { clock, limiter, not_before: Mutex::new(Duration::ZERO) }
    }

    /// Nobody sends anything for this long.
    pub fn hold_back(&self, wait: Duration) {
        let wait = if law_is_broken!(RetryAfterUndercut) { wait / 2 } else { wait };
        let until = self.clock.elapsed().saturating_add(wait);
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *not_before = until.max(*not_before);
    }

    /// How long everybody is held back still.
    pub fn held_back(&self) -> Duration {
        let until = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        until.saturating_sub(self.clock.elapsed())
    }

    /// Lets one request through, or says how long to wait before asking again.
    pub fn try_pass(&self) -> Result<(), Duration> {
        let held = self.held_back();
        if !held.is_zero() {
            return Err(held);
        }
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter.check().map_err(|not_until| {
            // Never nothing, or a clock that stands still between the two readings would make a busy loop of it.
            not_until.wait_time_from(self.clock.elapsed()).max(Duration::from_nanos(1))
        })
    }
}

/// The time between two requests, rounded up so that the rate asked for is never exceeded. None where there is no limit.
fn request_period(per_second: f64) -> Option<Duration> {
    if per_second <= 0.0 || !per_second.is_finite() {
        return None;
    }
    let nanos = (1e9 / per_second).ceil().clamp(1.0, 1e18);
    // Clamped to what u64 holds exactly enough.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let period = Duration::from_nanos(nanos as u64);
    Some(period.min(SLOWEST))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::super::testing::rate;
    use super::*;
    use crate::clock::TestClock;

    /// When each of `n` requests leaves.
    fn departures(rate: &Rate, n: usize) -> Vec<Duration> {
        let clock = TestClock::new(Timestamp::UNIX_EPOCH, 1);
        let pacer = Pacer::new(rate, clock.clone());
        (0..n)
            .map(|_| {
                while let Err(wait) = pacer.try_pass() {
                    clock.advance(wait);
                }
                clock.elapsed()
            })
            .collect()
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_sees_more_than_the_burst_and_the_rate(
            per_second in 0.01f64..5000.0, burst in 1u32..20, n in 2usize..80,
        ) {
            let rate = Rate { requests_per_second: per_second, burst, ..rate() };
            let times = departures(&rate, n);
            for (from, start) in times.iter().enumerate() {
                for (to, end) in times.iter().enumerate().skip(from) {
                    let allowed = f64::from(burst) + (*end - *start).as_secs_f64() * per_second;
                    prop_assert!((to - from + 1) as f64 <= allowed + 1e-6, "{from}..{to} of {times:?}");
                }
            }
        }
    }

    #[test]
    fn the_burst_goes_at_once_and_the_rest_at_the_rate() {
        let times = departures(&Rate { requests_per_second: 5.0, burst: 3, ..rate() }, 5);
        assert_eq!(times.iter().map(Duration::as_millis).collect::<Vec<_>>(), [0, 0, 0, 200, 400]);
    }

    #[test]
    fn no_limit_waits_for_nothing_and_odd_numbers_do_no_harm() {
        for per_second in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(departures(&Rate { requests_per_second: per_second, ..rate() }, 50)[49], Duration::ZERO);
        }
        let slow = departures(&Rate { requests_per_second: 1e-300, burst: 0, ..rate() }, 2);
        assert_eq!(slow[1], SLOWEST);
    }

    #[test]
    fn being_held_back_comes_before_the_rate_and_the_longest_wait_counts() {
        let clock = TestClock::new(Timestamp::UNIX_EPOCH, 1);
        let pacer = Pacer::new(&Rate { requests_per_second: 0.0, ..rate() }, clock.clone());
        pacer.hold_back(Duration::from_secs(60));
        pacer.hold_back(Duration::from_secs(5));
        assert_eq!(pacer.try_pass(), Err(Duration::from_secs(60)));
        clock.advance(Duration::from_millis(59_999));
        assert_eq!(pacer.try_pass(), Err(Duration::from_millis(1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(pacer.try_pass(), Ok(()));
    }
}
