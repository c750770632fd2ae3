//! headcount turns an HR export into the state of an application's user accounts, and can be killed at any instant
//! without losing or doubling a person.
//!
//! The rooms and who may use whom are drawn in `ARCHITECTURE.md`; `tests/architecture/` keeps them apart.

// Tests may panic: that is how they report.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr))]

// Its macro is for every room, so it comes first.
#[macro_use]
pub mod testing;

pub mod clock;
pub mod files;
pub mod model;

pub mod discovery;
pub mod mapping;
pub mod plan;
pub mod reconcile;
pub mod report;

pub mod config;
pub mod connectors;
pub mod execute;
pub mod journal;
pub mod notify;
pub mod planning;
pub mod sandbox;
pub mod settings;
pub mod source;

pub mod app;
pub mod cli;
