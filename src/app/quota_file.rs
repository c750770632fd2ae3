//! What the target last said of its quota, kept between two commands: who comes next need not spend a request on learning
//! that none is left.
//!
//! Law: nothing that stands in the file, and nothing that keeps it from being read or written, does worse than to let a
//! command ask the target once more, or wait. The file is sealed, so a changed one counts as none; one that cannot be
//! used is no failure; and a reading is believed for a day at most, so a misread reset time far in the future blocks
//! nobody for longer.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::clock::Clock;
use crate::connectors::{Connector, Meter, Quota};
use crate::files::sealed;

/// Where the reading of one tenant is kept.
pub struct QuotaFile {
    pub path: PathBuf,
    /// The tenant and its target: a reading of another says nothing.
    pub of: String,
    pub clock: Arc<dyn Clock>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredQuota {
    of: String,
    seen_at: Timestamp,
    quota: Quota,
    others_at_once: u64,
}

/// The quota is one of each day: after so long it was reset, whatever was said of its reset time.
const BELIEVED: SignedDuration = SignedDuration::from_hours(24);

/// So much may a clock have been set back since.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

impl QuotaFile {
    /// Tells the target what an earlier command saw, where that still counts.
    pub fn recall_reading(&self, target: &dyn Connector) {
        if let Some(last) = self.read_last() {
            target.recall(last.quota, last.others_at_once);
        }
    }

    /// Keeps what the target said. A command that asked for nothing has heard nothing new.
    pub fn keep_reading(&self, meter: &Meter) {
        let Some(quota) = meter.quota().filter(|_| meter.sent_so_far().total > 0) else { return };
        let (of, seen_at) = (self.of.clone(), self.clock.now());
        let last = StoredQuota { of, seen_at, quota, others_at_once: meter.others().at_once };
        if let Err(error) = sealed::write(&self.path, &last) {
            warn!(%error, "the remaining quota could not be saved: the next command asks for it again");
        }
    }

    fn read_last(&self) -> Option<StoredQuota> {
        let last = sealed::read::<StoredQuota>(&self.path);
        let last = last.inspect_err(|error| warn!(%error, "the saved quota cannot be used")).ok()??;
        let age = self.clock.now().duration_since(last.seen_at);
        (last.of == self.of && (-SKEW..BELIEVED).contains(&age)).then_some(last)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::clock::TestClock;
    use crate::connectors::Purpose;

    const NOW: &str = "2026-11-22T03:00:00Z";

    fn used_up() -> Meter {
        let meter = Meter::default();
        let resets_at = "2026-12-20T00:00:00Z".parse().ok();
        meter.saw_quota(Quota { limit: Some(10_000), remaining: 500, resets_at });
        meter
    }

    fn file() -> (TempDir, Arc<TestClock>, QuotaFile) {
        let dir = tempfile::tempdir().unwrap();
        let clock = TestClock::new(NOW.parse().unwrap(), 1);
        let file = QuotaFile { path: dir.path().join("quota.json"), of: "acme".to_owned(), clock: clock.clone() };
        (dir, clock, file)
    }

    #[test]
    fn a_reading_is_believed_for_a_day_at_most_and_no_command_that_asks_nothing_renews_it() {
        let (_dir, clock, file) = file();
        let meter = used_up();
        file.keep_reading(&meter);
        assert!(file.read_last().is_none(), "nothing was sent");
        meter.count_request(Purpose::Lookup);
        file.keep_reading(&meter);
        for _ in 0..23 {
            clock.advance(Duration::from_secs(3600));
            file.keep_reading(&used_up());
            assert_eq!(file.read_last().unwrap().quota.remaining, 500);
        }
        clock.advance(Duration::from_secs(3600));
        assert!(file.read_last().is_none(), "whatever its reset time says");
    }

    #[test]
    fn a_reading_of_another_tenant_or_of_the_future_says_nothing() {
        let (_dir, clock, file) = file();
        let meter = used_up();
        meter.count_request(Purpose::Lookup);
        file.keep_reading(&meter);
        let other = QuotaFile { path: file.path.clone(), of: "globex".to_owned(), clock: clock.clone() };
        assert!(file.read_last().is_some() && other.read_last().is_none());
        clock.advance(Duration::from_secs(40 * 86_400));
        file.keep_reading(&meter);
        // As if the clock had been wrong when it was kept.
        let earlier = QuotaFile { clock: TestClock::new(NOW.parse().unwrap(), 1), ..file };
        assert!(earlier.read_last().is_none());
    }

    #[test]
    fn a_file_that_was_changed_or_cut_counts_as_none_and_one_that_cannot_be_written_is_no_failure() {
        let (dir, clock, file) = file();
        let meter = used_up();
        meter.count_request(Purpose::Lookup);
        file.keep_reading(&meter);
        let whole = fs::read(&file.path).unwrap();
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                fs::write(&file.path, bytes).unwrap();
                assert!(file.read_last().is_none(), "bit {bit} of byte {at}");
            }
            fs::write(&file.path, &whole[..at]).unwrap();
            assert!(file.read_last().is_none(), "cut at {at}");
        }
        let nowhere = QuotaFile { path: dir.path().join("quota.json/quota.json"), of: String::new(), clock };
        nowhere.keep_reading(&meter);
        assert!(nowhere.read_last().is_none());
    }
}
