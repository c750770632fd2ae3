//! Progress where there is no terminal: at most one line every five seconds, and one at the end of each phase that took
//! a second or more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{LogWriter, describe_troubles, phase_name, steps_per_second, waiting_line, warning_line};
use crate::clock::Clock;
use crate::model::{Done, Monitor, Phase};
use crate::report::words::elapsed_text;

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(5);
/// A phase that is over sooner says nothing: what came of it is in the report.
const SHORTEST: Duration = Duration::from_secs(1);

pub struct ProgressLines {
    clock: Arc<dyn Clock>,
    log: LogWriter,
    state: Mutex<LinesState>,
}

struct LinesState {
    last_line: Duration,
    last_wait: Option<Duration>,
    phases: [Option<Running>; 3],
}

/// A phase of which something was told since it last ended.
struct Running {
    began: Duration,
    latest: Latest,
}

#[derive(Clone, Copy)]
enum Latest {
    Rows { rows: u64, total: Option<u64> },
    Pages { accounts: u64, pages: u64, of: Option<u64> },
    Actions(Done),
}

impl ProgressLines {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, log: LogWriter) -> Self {
        let last_line = clock.elapsed();
        let state = Mutex::new(LinesState { last_line, last_wait: None, phases: [None, None, None] });
        Self { clock, log, state }
    }

    /// Says the last numbers of each phase that did not end.
    pub fn finish(&self) {
        for phase in [Phase::Reading, Phase::Listing, Phase::Executing] {
            self.ended(phase);
        }
    }

    fn update_phase(&self, phase: Phase, latest: Latest) {
        let now = self.clock.elapsed();
        let mut state = self.lock_state();
        let running = state.phases[phase as usize].get_or_insert(Running { began: now, latest });
        running.latest = latest;
        let took = now.saturating_sub(running.began);
        if now.saturating_sub(state.last_line) >= PAUSE {
            state.last_line = now;
            // Said under the lock, so that lines come in the order of their numbers.
            let (numbers, outlook, troubles) =
                (latest.describe_numbers(), latest.describe_outlook(took), latest.describe_troubles());
            self.log.write_line(&format!("{}: {numbers}{outlook}{troubles}", phase_name(phase)));
        }
    }

    fn lock_state(&self) -> MutexGuard<'_, LinesState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Monitor for ProgressLines {
    fn rows_read(&self, rows: u64, total: Option<u64>) {
        self.update_phase(Phase::Reading, Latest::Rows { rows, total });
    }

    fn pages_listed(&self, accounts: u64, pages: u64, of: Option<u64>) {
        self.update_phase(Phase::Listing, Latest::Pages { accounts, pages, of });
    }

    fn actions_done(&self, progress: &Done) {
        self.update_phase(Phase::Executing, Latest::Actions(*progress));
    }

    fn note(&self, text: &str) {
        self.log.write_line(&warning_line(text));
    }

    fn waiting(&self, why: &str, seconds: u64) {
        let now = self.clock.elapsed();
        let mut state = self.lock_state();
        // Many requests wait for one reason; it is said once.
        if seconds >= PAUSE.as_secs() && state.last_wait.is_none_or(|last| now.saturating_sub(last) >= PAUSE) {
            state.last_wait = Some(now);
            self.log.write_line(&waiting_line(why, seconds));
        }
    }

    fn ended(&self, phase: Phase) {
        let now = self.clock.elapsed();
        let mut state = self.lock_state();
        if let Some(Running { began, latest }) = state.phases[phase as usize].take() {
            let took = now.saturating_sub(began);
            if took < SHORTEST {
                return;
            }
            state.last_line = now;
            let took = elapsed_text(took.as_secs_f64());
            self.log.write_line(&format!(
                "{}: {} in {took}{}",
                phase_name(phase),
                latest.describe_numbers(),
                latest.describe_troubles()
            ));
        }
    }
}

impl Latest {
    fn describe_numbers(&self) -> String {
        match self {
            Self::Rows { rows, total } => format!("{rows}{} rows", describe_total(*total)),
            Self::Pages { accounts, pages, of: total } => {
                format!("{accounts} accounts on {pages}{} pages", describe_total(*total))
            }
            Self::Actions(done) => format!("{} of {} accounts", done.done, done.of),
        }
    }

    fn describe_troubles(&self) -> String {
        match self {
            Self::Rows { .. } | Self::Pages { .. } => String::new(),
            Self::Actions(done) => match describe_troubles(done) {
                troubles if troubles.is_empty() => troubles,
                troubles => format!(", {troubles}"),
            },
        }
    }

    /// How fast it goes and how long it will take, where that can be told.
    fn describe_outlook(&self, took: Duration) -> String {
        let (steps, all) = match self {
            Self::Rows { rows, total } => (*rows, *total),
            Self::Pages { pages, of, .. } => (*pages, *of),
            Self::Actions(done) => (done.done, Some(done.of)),
        };
        let Some(rate) = steps_per_second(steps, took) else { return String::new() };
        // Counts stay far below 2^53.
        let left = all.map(|all| format!(", about {} left", elapsed_text(all.saturating_sub(steps) as f64 / rate)));
        format!(", {rate:.1}/s{}", left.unwrap_or_default())
    }
}

fn describe_total(total: Option<u64>) -> String {
    total.map(|total| format!(" of {total}")).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{self, Write};

    use jiff::Timestamp;

    use super::*;
    use crate::clock::TestClock;

    /// A stream that remembers.
    #[derive(Clone, Default)]
    pub struct Page(Arc<Mutex<Vec<u8>>>);

    impl Page {
        pub fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines() -> (Arc<TestClock>, Page, ProgressLines) {
        let clock = TestClock::new(Timestamp::UNIX_EPOCH, 0);
        let page = Page::default();
        let lines = ProgressLines::new(clock.clone(), LogWriter::to(page.clone()));
        (clock, page, lines)
    }

    #[test]
    fn a_line_comes_at_most_every_five_seconds_and_at_the_end_of_a_phase() {
        let (clock, page, lines) = lines();
        for second in 0..12 {
            let done = Done { done: second * 10, of: 200, retries: 3, quota_left: Some(4880), ..Done::default() };
            lines.actions_done(&done);
            clock.advance(Duration::from_secs(1));
        }
        lines.ended(Phase::Executing);
        lines.ended(Phase::Executing);
        insta::assert_snapshot!(page.text(), @"
        executing: 50 of 200 accounts, 10.0/s, about 15.0 s left, 3 retries, quota left 4880
        executing: 100 of 200 accounts, 10.0/s, about 10.0 s left, 3 retries, quota left 4880
        executing: 110 of 200 accounts in 12.0 s, 3 retries, quota left 4880
        ");
    }

    #[test]
    fn a_phase_of_a_few_seconds_says_only_its_end() {
        let (clock, page, lines) = lines();
        lines.rows_read(1000, None);
        clock.advance(Duration::from_secs(1));
        lines.rows_read(1200, Some(1200));
        lines.ended(Phase::Reading);
        assert_eq!(page.text(), "reading: 1200 of 1200 rows in 1.0 s\n");
    }

    #[test]
    fn a_phase_of_less_than_a_second_says_nothing() {
        let (clock, page, lines) = lines();
        lines.rows_read(262, None);
        clock.advance(Duration::from_millis(999));
        lines.ended(Phase::Reading);
        assert_eq!(page.text(), "");
    }

    #[test]
    fn what_did_not_end_is_said_when_all_ends() {
        let (clock, page, lines) = lines();
        lines.pages_listed(10, 1, Some(119));
        clock.advance(Duration::from_millis(1500));
        lines.pages_listed(20, 2, Some(119));
        lines.finish();
        assert_eq!(page.text(), "listing: 20 accounts on 2 of 119 pages in 1.5 s\n");
    }

    #[test]
    fn a_long_wait_is_said_once_for_all_who_wait_and_a_short_one_not_at_all() {
        let (clock, page, lines) = lines();
        lines.waiting("the bucket is empty", 1);
        for _ in 0..4 {
            lines.waiting("the server answered 429", 30);
        }
        clock.advance(Duration::from_secs(30));
        lines.waiting("the server answered 429", 60);
        assert_eq!(page.text(), "waiting 30 s: the server answered 429\nwaiting 1 min 0 s: the server answered 429\n");
    }

    #[test]
    fn a_warning_is_said_at_once() {
        let (_, page, lines) = lines();
        lines.note("the listing shifted");
        assert_eq!(page.text(), "warning: the listing shifted\n");
    }
}
