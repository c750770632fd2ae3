//! What was about to be done and what came of it, so that a run killed at any instant loses and doubles nobody.
//!
//! [`state`] is the one table of legal transitions: pure, and the same for live runs and for replay. [`store`] makes it
//! durable: an intent is on disk before its request leaves, an outcome before it is believed, and an append that fails
//! stops the run. [`secret`] keeps what generated passwords are derived from, [`sealed`] other small files that decide
//! something, [`paths`] says where everything lies.

pub(crate) mod disk;
pub mod paths;
pub mod sealed;
pub mod secret;
pub mod state;
pub mod store;

pub use paths::StateDir;
pub use secret::RunSecret;
pub use state::{Ending, Event, History, Outcome, RunHead, RunId, RunOverview, RunState, Selection, Step, StepState};
pub use store::{Absence, Inspection, Journal, JournalError, Memory, Note, Options, Shape};
