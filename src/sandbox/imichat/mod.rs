//! A simulated imi.chat tenant: REST API v3.1 as the reference pages have it.

mod account;
mod body;
mod operate;
mod reply;
mod seed;
mod serve;
mod tenant;
#[cfg(test)]
mod tests;
mod wire;

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use super::tokens::TokenLife;
pub use account::{Allowed, ImichatAccount, ImichatFile, ImichatTeam, Privilege, Role, RoleType, Status};

use super::host::{self, Host};
use super::{OpenTenant, Options, Sandbox, SandboxError, Simulation};

/// What the reference leaves open, or contradicts itself about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImichatBehaviour {
    pub links: PageLinks,
    pub list: ListShape,
    pub past_the_end: PastTheEnd,
    pub omitted: Omitted,
    pub uniqueness: ImichatUniqueness,
    pub stamps: Stamps,
    pub booleans: ImichatBooleans,
    /// The name of a team's id in `privileges`.
    pub privilege_key: String,
    pub token_life: TokenLife,
}

impl Default for ImichatBehaviour {
    fn default() -> Self {
        Self {
            links: PageLinks::NextAndPages,
            list: ListShape::Users,
            past_the_end: PastTheEnd::NotFound,
            omitted: Omitted::Keep,
            uniqueness: ImichatUniqueness::Enforced,
            stamps: Stamps::Distinct,
            booleans: ImichatBooleans::Json,
            privilege_key: "teamid".to_owned(),
            token_life: TokenLife::default(),
        }
    }
}

/// What `response.links` holds; `next` is an address, `null` on the last page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageLinks {
    NextAndPages,
    Next,
    Pages,
    Absent,
}

/// Where the users of a page stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListShape {
    /// `response.users`, with `response.links`.
    Users,
    /// `response` is the array; there is no place for links then.
    Array,
}

/// What a page past the end is. The first page of an empty tenant is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastTheEnd {
    /// 404 with 3101.
    NotFound,
    EmptyPage,
}

/// What becomes of a field that an update leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Omitted {
    Keep,
    /// All but the name and the status, which cannot be empty.
    Clear,
}

/// Whether two accounts may have one login or email.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImichatUniqueness {
    Enforced,
    NotEnforced,
}

/// How the two times of an account are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    /// `created_at` and `updated_at`.
    Distinct,
    /// `created_at` twice, as the pages print it.
    CreatedTwice,
}

/// How a boolean is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImichatBooleans {
    Json,
    /// `"true"` and `"false"`.
    Text,
}

/// The API: how it behaves, and who may sign in.
pub(super) struct Imichat {
    behaviour: ImichatBehaviour,
    /// What the header `auth_code` has to be.
    auth_code: String,
}

impl Simulation for ImichatBehaviour {
    fn open(&self, options: Options, address: SocketAddr) -> Result<OpenTenant, SandboxError> {
        let auth_code = STANDARD.encode(format!("{}@{}", options.api_key, options.domain));
        let api = Imichat { behaviour: self.clone(), auth_code };
        Ok(Host::open(api, self.token_life, options, address)?.into())
    }
}

impl Default for Options {
    /// A tenant of imi.chat.
    fn default() -> Self {
        Self::new(Arc::new(ImichatBehaviour::default()))
    }
}

impl Sandbox {
    /// The accounts of an imi.chat tenant as they are now, in the order in which they are listed; none of another system.
    #[must_use]
    pub fn accounts(&self) -> Vec<ImichatAccount> {
        let tenant: &dyn Any = &*self.tenant;
        tenant.downcast_ref::<Host<Imichat>>().map(|host| host::Tenant::accounts(&*host.read())).unwrap_or_default()
    }
}
