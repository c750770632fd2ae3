//! Any SCIM 2.0 server (RFC 7643, RFC 7644, RFC 9865).

use std::sync::Arc;

use crate::clock::{Clock, Stop};
use crate::config::SecretSource;
use crate::model::{Schema, Secret};
use crate::target::http::Rate;
use crate::target::{CallError, Target};

/// The settings of `kind = "scim"`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// None only where `base_url` is the sandbox.
    pub credentials: Option<Credentials>,
    /// How many resources a page is asked for; servers may give fewer.
    pub page_size: u32,
    pub update_method: UpdateMethod,
}

/// How to sign in.
#[derive(Clone, Debug)]
pub enum Credentials {
    Bearer { token: SecretSource },
    Basic { username: String, password: SecretSource },
    ClientCredentials { token_url: String, client_id: String, client_secret: SecretSource, scope: Option<String> },
}

/// How an account is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateMethod {
    /// As the server's ServiceProviderConfig says.
    Auto,
    Patch,
    Put,
}

/// How to sign in, resolved.
pub enum Login {
    Bearer(Secret),
    Basic { username: String, password: Secret },
    ClientCredentials { token_url: String, client_id: String, client_secret: Secret, scope: Option<String> },
}

#[must_use]
pub fn schema(_mapped: &[String]) -> Schema {
    Schema::new(Vec::new())
}

pub async fn connect(
    _settings: &Settings,
    _base_url: &str,
    _rate: &Rate,
    _clock: Arc<dyn Clock>,
    _stop: Arc<Stop>,
    _login: Login,
    _mapped: &[String],
) -> Result<Box<dyn Target>, CallError> {
    Err(CallError::new(crate::target::Trouble::Configuration, "to be written"))
}
