//! A simulated SCIM 2.0 service (RFC 7643, RFC 7644, RFC 9865) with one resource type: users, with the enterprise
//! extension.

mod discovery;
mod filter;
mod list;
mod operate;
mod patch;
mod path;
mod refusal;
mod resource;
mod schema;
mod seed;
mod serve;
mod tenant;
#[cfg(test)]
mod tests;
mod user_filter;

use std::net::SocketAddr;

pub use tenant::{ScimAccount, ScimFile};

use super::host::Host;
use super::oauth::{ExpiresIn, OauthClient};
use super::tokens::TokenLife;
use super::{CLIENT_ID, CLIENT_SECRET, OpenTenant, Options, SandboxError, Simulation};

/// What services differ in, and what some of them get wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScimBehaviour {
    pub auth: Auth,
    pub service_provider_config: Discovery,
    pub resource_types: Discovery,
    pub schemas: Discovery,
    pub patch: Patch,
    pub patch_answer: PatchAnswer,
    pub etags: Etags,
    pub cursors: Cursors,
    /// How many resources one page holds at most, and where no `count` is given.
    pub max_count: usize,
    pub count: Obeyed,
    /// Ignored: every page is the first one.
    pub start_index: Obeyed,
    pub filter: FilterSupport,
    /// Names of attributes that no filter finds anybody by, as a client writes them: `externalId`.
    pub not_indexed: Vec<String>,
    pub conflict: Conflict,
    pub booleans: ScimBooleans,
    pub empty: Empty,
    pub media_type: MediaType,
    pub uniqueness: ScimUniqueness,
    pub expires_in: ExpiresIn,
    pub token_life: TokenLife,
}

impl Default for ScimBehaviour {
    fn default() -> Self {
        Self {
            auth: Auth::Bearer,
            service_provider_config: Discovery::Present,
            resource_types: Discovery::Present,
            schemas: Discovery::Present,
            patch: Patch::Supported,
            patch_answer: PatchAnswer::Resource,
            etags: Etags::Supported,
            cursors: Cursors::Absent,
            max_count: 200,
            count: Obeyed::Yes,
            start_index: Obeyed::Yes,
            filter: FilterSupport::Supported,
            not_indexed: Vec::new(),
            conflict: Conflict::WithScimType,
            booleans: ScimBooleans::Json,
            empty: Empty::Array,
            media_type: MediaType::Scim,
            uniqueness: ScimUniqueness::Enforced,
            expires_in: ExpiresIn::Number,
            token_life: TokenLife::default(),
        }
    }
}

/// How a client signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// [`TOKEN`](super::TOKEN).
    Bearer,
    /// [`CLIENT_ID`](super::CLIENT_ID) and [`CLIENT_SECRET`](super::CLIENT_SECRET).
    Basic,
    /// The same two, for a token from `/oauth/token` below the base URL.
    ClientCredentials,
}

/// Whether one of the endpoints that describe the service is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    Present,
    /// 404.
    Missing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patch {
    Supported,
    /// Announced, and answered with 501.
    OnlyAnnounced,
    /// Not announced, and answered with 501.
    Unsupported,
}

/// What a PATCH that was done is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchAnswer {
    /// 200 and the resource.
    Resource,
    /// 204.
    NoContent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Etags {
    Supported,
    /// No versions, and `If-Match` is not looked at.
    Unsupported,
}

/// Whether pages can be asked for by cursor (RFC 9865).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursors {
    Absent,
    /// Announced, beside the index.
    Offered,
    /// Announced, and a `startIndex` is refused.
    Only,
}

/// Whether a parameter is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obeyed {
    Yes,
    Ignored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterSupport {
    Supported,
    /// Everybody is found, whatever is asked for.
    Ignored,
    /// Not announced, and refused with 400.
    Unsupported,
}

/// What a 409 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// `scimType: uniqueness`.
    WithScimType,
    WithoutScimType,
}

/// How a boolean is written; a text is understood then too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScimBooleans {
    Json,
    /// `"True"` and `"False"`.
    Text,
}

/// What a list of nobody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// `"Resources": []`.
    Array,
    /// No `Resources`.
    NoResources,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// `application/scim+json`.
    Scim,
    /// `application/json`.
    Json,
}

/// Whether two users may have one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScimUniqueness {
    Enforced,
    NotEnforced,
}

/// The API: how it behaves, and who may sign in.
pub(super) struct Scim {
    behaviour: ScimBehaviour,
    client: OauthClient,
    base_url: String,
}

impl Simulation for ScimBehaviour {
    fn open(&self, options: Options, address: SocketAddr) -> Result<OpenTenant, SandboxError> {
        let client = OauthClient { id: CLIENT_ID.to_owned(), secret: CLIENT_SECRET.to_owned(), scope: None };
        let base_url = super::host::base_url::<Scim>(address);
        let api = Scim { behaviour: self.clone(), client, base_url };
        Ok(Host::open(api, self.token_life, options, address)?.into())
    }
}
