//! What a run is driven with, for whoever drives it or a part of it.

use std::time::Duration;

use super::connection::Connection;
use super::session::Session;
use super::workspace::{OpenSource, Workspace};
use crate::journal::{Journal, Memory};
use crate::model::CommandName;

/// What a run is driven with.
pub struct RunDriver<'a> {
    pub session: &'a Session,
    pub workspace: &'a Workspace,
    pub journal: &'a Journal,
    pub memory: &'a Memory,
    pub connection: &'a Connection,
    /// The source, where it is open already; a run needs it only for secrets that it holds.
    pub source: Option<&'a OpenSource>,
    pub command: CommandName,
    pub started: Duration,
}
