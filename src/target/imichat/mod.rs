//! imi.chat (Webex Engage) REST API v3.1.

use crate::config::SecretSource;

/// The settings of `kind = "imichat"`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// None only with the built-in sandbox, which has a key and a domain of its own.
    pub api_key: Option<SecretSource>,
    /// As `api_key`.
    pub domain: Option<String>,
    pub team_id: Option<String>,
    pub authorize_path: String,
    pub auth_header: String,
    pub token_header: String,
    pub update_method: String,
    pub update_body: UpdateBody,
    pub privilege_key: String,
}

/// What an update carries. Whether the server keeps or clears an attribute that is left out is not documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateBody {
    /// Every mapped updatable attribute.
    Full,
    /// Only what changed.
    Changed,
}
