//! A simulated Bright Pattern contact center: configuration API v2 as the reference page and the vendor's public pages
//! have it. There is no list of users: a directory names them, and each is asked for by its login.

mod body;
mod operate;
mod seed;
mod serve;
mod tenant;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

pub use tenant::{BrightpatternAccount, BrightpatternFile, External};

use super::host::Host;
use super::oauth::{ExpiresIn, OauthClient};
use super::tokens::TokenLife;
use super::{CLIENT_ID, CLIENT_SECRET, OpenTenant, Options, SandboxError, Simulation};

/// What the pages leave open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrightpatternBehaviour {
    pub created: Created,
    pub extension: Extension,
    pub booleans: BrightpatternBooleans,
    pub directory: Directory,
    pub errors: Errors,
    pub uniqueness: BrightpatternUniqueness,
    pub expires_in: ExpiresIn,
    pub token_life: TokenLife,
}

/// What the answer to a create or an update holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Created {
    /// `OK`.
    #[default]
    Ok,
    User,
}

/// How an extension is written; the page types it as a number and shows it as a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extension {
    #[default]
    Text,
    Number,
}

/// How a boolean is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BrightpatternBooleans {
    #[default]
    Json,
    /// `"true"` and `"false"`.
    Text,
}

/// Who stands in the directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Directory {
    #[default]
    Users,
    /// And the seed's external telephones, which have no user.
    UsersAndExternals,
}

/// What the body of a refusal is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Errors {
    #[default]
    Text,
    /// `{error, error_description}`.
    Json,
}

/// Whether two users may have one login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BrightpatternUniqueness {
    #[default]
    Enforced,
    NotEnforced,
}

/// The API: how it behaves, and who may sign in.
pub(super) struct Brightpattern {
    behaviour: BrightpatternBehaviour,
    client: OauthClient,
}

impl Simulation for BrightpatternBehaviour {
    fn open(&self, options: Options, address: SocketAddr) -> Result<OpenTenant, SandboxError> {
        let scope = Some(options.domain.clone());
        let client = OauthClient { id: CLIENT_ID.to_owned(), secret: CLIENT_SECRET.to_owned(), scope };
        let api = Brightpattern { behaviour: self.clone(), client };
        Ok(Host::open(api, self.token_life, options, address)?.into())
    }
}
