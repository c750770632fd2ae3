//! Bright Pattern Contact Center configuration API v2.

use std::sync::Arc;

use crate::clock::{Clock, Stop};
use crate::config::SecretSource;
use crate::model::{Schema, Secret};
use crate::target::http::Rate;
use crate::target::{CallError, Target};

/// The settings of `kind = "brightpattern"`; all are there unless `base_url` is the sandbox.
#[derive(Clone, Debug)]
pub struct Settings {
    /// An API user's login.
    pub client_id: Option<String>,
    /// The API user's key.
    pub client_secret: Option<SecretSource>,
    /// The contact center's domain.
    pub scope: Option<String>,
}

/// How to sign in, resolved.
pub struct Login {
    pub client_id: String,
    pub client_secret: Secret,
    pub scope: String,
}

#[must_use]
pub fn schema() -> Schema {
    Schema::new(Vec::new())
}

pub fn connect(
    _base_url: &str,
    _rate: &Rate,
    _clock: Arc<dyn Clock>,
    _stop: Arc<Stop>,
    _login: Login,
    _mapped: &[String],
) -> Result<Box<dyn Target>, CallError> {
    Err(CallError::new(crate::target::Trouble::Configuration, "to be written"))
}
