//! Runs from end to end: the program as a child process against a simulated tenant that misbehaves, is killed, stopped
//! and started again. The tenant's ledger says who was created, how often, and with which password.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and so do its helpers")]

mod changes;
mod damage;
mod down;
mod kill_points;
mod killed;
mod lost;
mod quota;
mod refused;
mod signals;
mod soak;
mod support;
mod told;
