//! What each command does, without a terminal: a typed request in, a typed outcome out. A program that uses the library
//! starts here.
//!
//! A use case takes a [`Session`], an opened [`Workspace`] and its request. Nothing here prints, asks a terminal or knows an exit
//! code: progress goes to the session's `Monitor`, everything else that somebody may want to see to its [`Interaction`].

pub mod connection;
pub mod error;
mod error_sheet;
mod estimates;
mod execution;
mod explanation;
mod past_runs;
mod published_reports;
mod quota_file;
mod reference_check;
mod remaining_plan;
mod run_driver;
pub mod run_notice;
mod run_secrets;
pub mod session;
mod stored_records;
pub mod summaries;
pub mod workspace;

pub mod apply;
pub mod check;
pub mod explain;
pub mod export;
pub mod history;
pub mod init;
pub mod plan;
pub mod report;
pub mod resume;
pub mod rollback;
pub mod sync;

pub use crate::model::CommandName;
pub use error::{AppError, ErrorKind};
pub use execution::{ActionChoice, RunEnd};
pub use session::{Consent, ConsentQuestion, ConsentReply, Interaction, LeftOut, Notice, Session, Unattended};
pub use workspace::Workspace;

#[cfg(test)]
mod tests;
