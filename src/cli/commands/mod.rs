//! One file for each command.

pub mod apply;
pub mod check;
mod cost;
pub mod drive;
mod errors;
pub mod explain;
pub mod export;
pub mod init;
mod left;
pub mod meta;
pub mod plan;
pub mod references;
pub mod report;
pub mod rest;
pub mod resume;
pub mod rollback;
pub mod runs;
pub mod sandbox;
pub mod sync;
