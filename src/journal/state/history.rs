//! All runs of one state directory: one after the other, at most one of them unfinished.

use std::collections::HashMap;

use jiff::Timestamp;

use super::run::check_start;
use super::{Event, Illegal, Phase, RunHead, RunId, RunState, Tally};

/// Every run, in the order in which they started. Of runs that ended only the overview is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    ended: Vec<RunOverview>,
    by_run: HashMap<RunId, usize>,
    unfinished: Option<RunState>,
}

/// One run in numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOverview {
    pub run: RunId,
    pub started: Timestamp,
    pub head: RunHead,
    pub phase: Phase,
    /// When the run last started, paused, resumed or ended.
    pub phase_since: Timestamp,
    pub paused_because: Option<String>,
    pub resumed: u32,
    pub tally: Tally,
}

impl History {
    /// Takes the event, or refuses it and stays as it was.
    ///
    /// # Errors
    /// An event that may not follow what came before it.
    pub fn apply(&mut self, event: &Event) -> Result<(), Illegal> {
        self.check(event)?;
        if let Event::RunStarted { .. } = event {
            self.unfinished = Some(RunState::from_start(event)?);
        } else if let Some(state) = &mut self.unfinished {
            state.apply(event)?;
        }
        if let Some(state) = self.unfinished.take_if(|state| matches!(state.phase(), Phase::Ended(_))) {
            self.by_run.insert(state.run(), self.ended.len());
            self.ended.push(RunOverview::from_state(&state));
        }
        Ok(())
    }

    /// Whether the event may come next.
    ///
    /// # Errors
    /// It may not, and why.
    pub fn check(&self, event: &Event) -> Result<(), Illegal> {
        let run = event.run();
        if let Some(ended) = self.by_run.get(&run).and_then(|at| self.ended.get(*at)) {
            return Err(match event {
                Event::RunStarted { .. } => Illegal::AlreadyStarted { run },
                _ => Illegal::Phase { run, phase: ended.phase, event: event.name() },
            });
        }
        match (&self.unfinished, event) {
            (Some(state), _) if state.run() == run => state.check(event),
            (Some(state), Event::RunStarted { .. }) => Err(Illegal::Unfinished { run, unfinished: state.run() }),
            (None, Event::RunStarted { head, .. }) => check_start(run, head),
            (_, _) => Err(Illegal::NotStarted { run }),
        }
    }

    /// Lists the unfinished run as it is, so that others can follow it: for reading on past damage, where its end is lost.
    pub fn abandon_runs(&mut self) {
        if let Some(state) = self.unfinished.take() {
            self.by_run.insert(state.run(), self.ended.len());
            self.ended.push(RunOverview::from_state(&state));
        }
    }

    /// The run that has not ended, where there is one.
    #[must_use]
    pub fn unfinished(&self) -> Option<&RunState> {
        self.unfinished.as_ref()
    }

    /// Every run, oldest first.
    #[must_use]
    pub fn run_overviews(&self) -> Vec<RunOverview> {
        self.ended.iter().cloned().chain(self.unfinished.as_ref().map(RunOverview::from_state)).collect()
    }

    /// Whether there is such a run.
    #[must_use]
    pub fn knows_run(&self, run: RunId) -> bool {
        self.by_run.contains_key(&run) || self.unfinished.as_ref().is_some_and(|state| state.run() == run)
    }

    /// The oldest runs, as long as each ended before `time`.
    pub fn ended_before(&self, time: Timestamp) -> impl Iterator<Item = RunId> {
        self.ended.iter().take_while(move |run| run.phase_since < time).map(|run| run.run)
    }

    /// Drops the `count` oldest runs that ended.
    pub fn forget_oldest(&mut self, count: usize) {
        self.ended.drain(..count.min(self.ended.len()));
        self.by_run = self.ended.iter().enumerate().map(|(at, run)| (run.run, at)).collect();
    }
}

impl RunOverview {
    #[must_use]
    pub fn from_state(state: &RunState) -> Self {
        Self {
            run: state.run(),
            started: state.started(),
            head: state.head().clone(),
            phase: state.phase(),
            phase_since: state.phase_since(),
            paused_because: state.paused_because().map(str::to_owned),
            resumed: state.resumed(),
            tally: state.tally(),
        }
    }
}
