//! Everything that the program knows of one kind of system, as a value: what `[target]` takes for it, and how settings
//! become a connection. Each system has one in its folder; `registry` lists them.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use futures::future::BoxFuture;

use super::http::ServerAccess;
use super::{CallError, Connector};
use crate::discovery::Blueprint;
use crate::model::{Schema, Secret};
use crate::sandbox::Simulation;
use crate::settings::{ConfigReading, SecretError, SecretSource, Setting, TomlTable};

/// One kind of system.
pub struct Descriptor {
    /// As `target.kind` names it.
    pub name: &'static str,
    /// The system, as people call it.
    pub system: &'static str,
    /// What `target.kind` says of it, as Markdown.
    pub says: &'static str,
    /// What `[target]` has for it alone.
    pub settings: fn() -> Vec<Setting>,
    /// The ways to sign in: the settings of exactly one of them are needed, but for the sandbox.
    pub ways: &'static [&'static [&'static str]],
    /// Whether it can delete an account at all.
    pub deletes: bool,
    /// `[target]` as it may stand in a file.
    pub example: &'static str,
    /// Reads the settings of `[target]` that it has for itself; none, and `ConfigReading` says why.
    pub read: fn(&TomlTable<'_>, &mut ConfigReading) -> Option<Arc<dyn SystemSettings>>,
    /// What signs in to its built-in sandbox, by the names of the settings. It protects nothing.
    pub sandbox_login: &'static [(&'static str, &'static str)],
    /// Its built-in sandbox, which behaves as the published pages have it.
    pub simulate: fn() -> Arc<dyn Simulation>,
    /// What `init` writes for it.
    pub blueprint: &'static Blueprint,
}

impl Debug for Descriptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The settings of one system, checked.
pub trait SystemSettings: Any + Debug + Send + Sync {
    /// The schema of the system; where that depends on it, for these attributes, which are mapped or matched.
    fn schema(&self, mapped: &[String]) -> Schema;

    /// Prepares to speak with a tenant.
    ///
    /// # Errors
    /// A secret that cannot be read, a setting that is missing, and whatever keeps the system from being asked.
    fn connect<'a>(&'a self, link: Link<'a>) -> BoxFuture<'a, Result<Box<dyn Connector>, ConnectError>>;
}

/// What every connection needs.
pub struct Link<'a> {
    pub access: ServerAccess<'a>,
    /// The attributes that the configuration maps or matches.
    pub mapped: &'a [String],
    /// The attributes that a listing must show of every account.
    pub shown: &'a [String],
    /// What signs in to the built-in sandbox, by the names of the settings; none for a live tenant.
    pub sandbox: Option<&'a [(&'static str, &'static str)]>,
}

/// Why nobody can be asked.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("target.{setting} is missing")]
    Missing { setting: &'static str },
    #[error("target.{setting}: {source}")]
    Secret { setting: &'static str, source: SecretError },
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Link<'_> {
    /// The secret of a setting, read where it is kept.
    ///
    /// # Errors
    /// A secret that is not named or cannot be read.
    pub fn secret(&self, setting: &'static str, source: Option<&SecretSource>) -> Result<Secret, ConnectError> {
        if let Some(known) = self.known_to_sandbox(setting) {
            return Ok(Secret::new(known));
        }
        let source = source.ok_or(ConnectError::Missing { setting })?;
        source.resolve().map_err(|source| ConnectError::Secret { setting, source })
    }

    /// The text of a setting.
    ///
    /// # Errors
    /// A setting that is not there.
    pub fn text(&self, setting: &'static str, text: Option<&String>) -> Result<String, ConnectError> {
        let known = self.known_to_sandbox(setting).map(str::to_owned);
        known.or_else(|| text.cloned()).ok_or(ConnectError::Missing { setting })
    }

    fn known_to_sandbox(&self, setting: &str) -> Option<&'static str> {
        let known = self.sandbox.unwrap_or_default();
        known.iter().find(|(name, _)| *name == setting).map(|(_, value)| *value)
    }
}
