//! One file for each command.

pub mod apply;
pub mod check;
pub mod drive;
pub mod meta;
pub mod plan;
pub mod report;
pub mod rest;
pub mod resume;
pub mod runs;
pub mod sandbox;
pub mod sync;
