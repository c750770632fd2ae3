//! How the engine says how far it is. A monitor is told, never asked: nothing that it does changes what a run does, and
//! it may be called from many threads at once, often, so it must be quick.

use std::sync::{Mutex, PoisonError};

/// The parts of a run whose progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Rows of the source.
    Reading,
    /// Pages of the target's accounts.
    Listing,
    /// Actions of the plan.
    Executing,
}

/// Told by whoever reads, lists and executes. All numbers are totals since the phase began, not steps.
pub trait Monitor: Send + Sync {
    /// So many rows of the source were read; `total` where it is known.
    fn rows_read(&self, rows: u64, total: Option<u64>);

    /// So many accounts arrived on so many pages; `of` where the server says how many pages there are.
    fn pages_listed(&self, accounts: u64, pages: u64, of: Option<u64>);

    fn actions_done(&self, progress: &Done);

    /// A warning that is worth saying at once.
    fn note(&self, text: &str);

    /// No request is sent for so many seconds, and why.
    fn waiting(&self, why: &str, seconds: u64);

    /// The phase is over; what was told of it last is its result.
    fn ended(&self, _phase: Phase) {}
}

/// How far the execution of a plan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Actions with an outcome, the failed and the unknown included.
    pub done: u64,
    /// Actions to execute; what is held is not among them.
    pub of: u64,
    pub failed: u64,
    pub unknown: u64,
    /// Requests that were repeated.
    pub retries: u64,
    /// Requests left for the day, where the server says.
    pub quota_left: Option<u64>,
}

/// Hears everything and says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn rows_read(&self, _rows: u64, _total: Option<u64>) {}
    fn pages_listed(&self, _accounts: u64, _pages: u64, _of: Option<u64>) {}
    fn actions_done(&self, _progress: &Done) {}
    fn note(&self, _text: &str) {}
    fn waiting(&self, _why: &str, _seconds: u64) {}
}

/// What a monitor was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    RowsRead { rows: u64, total: Option<u64> },
    PagesListed { accounts: u64, pages: u64, of: Option<u64> },
    ActionsDone(Done),
    Note(String),
    Waiting { why: String, seconds: u64 },
    Ended(Phase),
}

/// Remembers everything in the order in which it was told, for tests.
#[derive(Debug, Default)]
pub struct TestMonitor {
    events: Mutex<Vec<Event>>,
}

impl TestMonitor {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let note = |event| if let Event::Note(text) = event { Some(text) } else { None };
        self.events().into_iter().filter_map(note).collect()
    }

    fn push(&self, event: Event) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

impl Monitor for TestMonitor {
    fn rows_read(&self, rows: u64, total: Option<u64>) {
        self.push(Event::RowsRead { rows, total });
    }
    fn pages_listed(&self, accounts: u64, pages: u64, of: Option<u64>) {
        self.push(Event::PagesListed { accounts, pages, of });
    }
    fn actions_done(&self, progress: &Done) {
        self.push(Event::ActionsDone(*progress));
    }
    fn note(&self, text: &str) {
        self.push(Event::Note(text.to_owned()));
    }
    fn waiting(&self, why: &str, seconds: u64) {
        self.push(Event::Waiting { why: why.to_owned(), seconds });
    }
    fn ended(&self, phase: Phase) {
        self.push(Event::Ended(phase));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_monitor_remembers_what_it_was_told_in_order() {
        let monitor = TestMonitor::new();
        let told: &dyn Monitor = &monitor;
        told.rows_read(3, None);
        told.note("the listing shifted");
        told.ended(Phase::Reading);
        assert_eq!(
            monitor.events(),
            [
                Event::RowsRead { rows: 3, total: None },
                Event::Note("the listing shifted".into()),
                Event::Ended(Phase::Reading)
            ]
        );
        assert_eq!(monitor.notes(), ["the listing shifted"]);
    }
}
