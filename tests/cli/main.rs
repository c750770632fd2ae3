//! The program from outside: arguments, files, exit codes and output, judged by what people and scripts are promised.
//!
//! Every test has a folder of its own and, where it needs a tenant, a sandbox of its own on a free port, so that all of
//! them run at the same time. What a run did is read from the sandbox's ledger, never from what the run says of itself.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and so do its helpers")]

mod sheets;
mod support;

mod after;
mod apply;
mod bad_config;
mod bad_source;
mod bad_state;
mod bad_target;
mod check;
mod explain;
mod history;
mod init;
mod init_formats;
mod mending;
mod meta;
mod people;
mod plan;
mod rollback;
mod safety;
#[cfg(target_os = "linux")]
mod screen;
mod secrets;
mod sources;
mod sync;
#[cfg(target_os = "linux")]
mod terminal;
