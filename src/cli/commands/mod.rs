//! What each command takes from the command line, and what it prints of the outcome.

pub mod check;
pub mod execute;
pub mod explain;
pub mod export;
pub mod history;
pub mod init;
pub mod meta;
pub mod plan;
pub mod report;
pub mod sandbox;
