//! To be written.

pub mod ask;
pub mod output;
pub mod progress;
