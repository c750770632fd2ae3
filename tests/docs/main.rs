//! Holds the documents to the program: README.md and everything below docs/. Every command that stands in them is run, in
//! the order in which it stands there, and ends with the exit code that stands beside it; every piece of a configuration is
//! accepted; every setting, flag, attribute and message exists; every link leads somewhere.

// Tests may panic, and say what they could not try.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod blocks;
mod commands;
mod documents;
mod links;
mod messages;
mod readme;
mod recipes;
mod stage;
mod targets;

// Projects and tenants are made as the tests of the command line make them; not all of that is needed here.
#[allow(dead_code)]
#[path = "../cli/support.rs"]
mod support;
