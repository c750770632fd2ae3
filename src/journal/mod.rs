//! What was about to be done and what came of it, so that a run killed at any instant loses and doubles nobody.
//!
//! [`state`] is the one table of legal transitions: pure, and the same for live runs and for replay. [`store`] makes it
//! durable: an intent is on disk before its request leaves, an outcome before it is believed, and an append that fails
//! stops the run. [`secret`] keeps what generated passwords are derived from, [`state_dir`] says where everything lies.

pub mod secret;
pub mod state;
pub mod state_dir;
pub mod store;

pub use secret::RunSecret;
pub use state::{Ending, Event, History, Outcome, RunHead, RunId, RunOverview, RunState, Step, StepState};
pub use state_dir::StateDir;
pub use store::{Inspection, Journal, JournalError, Memory, Note, Options, RememberedAbsence, SourceShape};
