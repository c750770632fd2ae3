//! Findings and policy become a plan: changes as data, ordered, counted, held where a safety rule says so. Planning has
//! no side effects, and execution makes no choices.

pub mod absence;
pub mod action;
pub mod cost;
pub mod decide;
pub mod duplicates;
pub mod file;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod header;
pub mod inverse;
pub mod person;
pub mod policy;
pub mod protect;
pub mod safety;
pub mod selection;
pub mod sidecar;
pub mod steps;
pub mod unusable;

pub use action::{Action, ActionKind, Change, Counts, Finding, FindingKind, SourceLine};
pub use cost::{Cost, Forecast};
pub use policy::{Absent, AbsentFor, InactiveNewcomers, Leavers, OnExceed, Policy, Safety, SafetyLimit};
pub use selection::{ActionSelector, Begun, Selected, Selection, selected_actions};
pub use steps::{Steps, seen_values, split_steps};
