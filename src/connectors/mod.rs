//! The systems that have accounts. [`Connector`] is all that the engine knows of one; each system has a folder that holds
//! everything known of it, and `http` beneath them signs in, paces, counts, retries and redacts.
//!
//! A target decides nothing: it says what it can do ([`Schema`]), shows what is there, and does what it is told once.

pub mod brightpattern;
mod call_error;
mod costs;
mod descriptor;
#[cfg(test)]
pub mod fake;
mod find_by_listing;
pub mod http;
pub mod imichat;
mod json;
mod listing;
mod meter;
mod registry;
pub mod scim;

use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::model::{Account, AccountId, AttrId, Attributes, MatchRule, Schema};

pub use call_error::{CallError, Effect, Trouble};
pub use costs::{ListingCost, LookupCost, RequestCosts, TokenLife};
pub use descriptor::{ConnectError, Descriptor, Link, SystemSettings};
pub use find_by_listing::find_by_listing;
pub use meter::{Meter, Others, Purpose, Quota, Sent};
pub use registry::{KINDS, find_kind};

/// One tenant of one system.
pub trait Connector: Send + Sync {
    fn schema(&self) -> &Schema;

    /// The kind and the address, as plans name it: `imichat https://acme.imi.chat/v3.1`.
    fn describe(&self) -> String;

    /// Signs in, so that a wrong key is known before anything else happens.
    fn sign_in(&self) -> BoxFuture<'_, Result<(), CallError>>;

    /// Every account, page by page, in no particular order, no id twice between two [`Listed::Again`]. Ends with exactly
    /// one [`Listed::End`], or with the first error.
    fn list(&self) -> BoxStream<'_, Result<Listed, CallError>>;

    /// One account as it is now; `None` when there is none of that id.
    fn get<'a>(&'a self, id: &'a AccountId) -> BoxFuture<'a, Result<Option<Account>, CallError>>;

    /// For each person sought, every account that any of the rules finds for these values. May cost a whole listing,
    /// so ask for many at once.
    fn find<'a>(
        &'a self,
        rules: &'a [MatchRule],
        sought: &'a [Attributes],
    ) -> BoxFuture<'a, Result<Vec<Vec<Account>>, CallError>>;

    /// Creates one account with exactly these values (all of them creatable). Sends at most one create: an answer that
    /// is lost is an error with [`Effect::Unknown`], never a repeat.
    fn create<'a>(&'a self, values: &'a Attributes) -> BoxFuture<'a, Result<AccountId, CallError>>;

    /// Sets exactly these values (all of them updatable).
    fn update<'a>(&'a self, id: &'a AccountId, values: &'a Attributes) -> BoxFuture<'a, Result<(), CallError>>;

    /// Deletes one account; only called where [`Schema::can_delete`].
    fn delete<'a>(&'a self, id: &'a AccountId) -> BoxFuture<'a, Result<(), CallError>>;

    /// Every value that an [`Attribute::reference`](crate::model::Attribute::reference) can have: the names of the
    /// tenant's teams, for instance. None where the system does not say.
    fn references(&self, _attribute: AttrId) -> BoxFuture<'_, Result<Option<Vec<String>>, CallError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// What its requests cost, as it knows at the moment.
    fn costs(&self) -> RequestCosts;

    /// What was sent so far, and what the server says of its quota.
    fn meter(&self) -> &Meter;

    /// What an earlier process saw of the quota, and how many requests others sent between two answers: believed until
    /// it resets or an answer says otherwise.
    fn recall(&self, _quota: Quota, _others_at_once: u64) {}
}

/// A piece of a listing.
#[derive(Debug)]
pub enum Listed {
    Page {
        accounts: Vec<Account>,
        /// How many pages there are, where the server says.
        pages: Option<u64>,
    },
    /// The list shifted while it was read, and is read from its beginning: what was shown so far is void.
    Again { why: String },
    End {
        /// Every account was shown since the last [`Listed::Again`]; only then may an absence mean anything, of an
        /// account as of a row.
        complete: bool,
        /// Why not, and anything else worth saying.
        notes: Vec<String>,
    },
}
