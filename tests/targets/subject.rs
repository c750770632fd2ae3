//! What the suite has to be told of a target, and nothing else: how to reach it, how its people are written, and where
//! its listing can be disturbed.

use futures::future::BoxFuture;
use headcount::connectors::http::ServerAccess;
use headcount::connectors::{CallError, Connector};
use headcount::model::Value;
use headcount::sandbox::Options;

/// One target.
pub trait Subject: Sync {
    /// Its simulated tenant, as it is when nothing is said of it: the accounts are generated, and signing in takes a
    /// token that can expire.
    fn tenant(&self) -> Options;

    /// The secret that this tenant accepts.
    fn secret(&self) -> &'static str;

    /// Connects to a tenant as the program would, everything mapped.
    fn connect<'a>(&'a self, place: Place<'a>) -> BoxFuture<'a, Result<Box<dyn Connector>, CallError>>;

    /// The attribute by which people are told apart, and the value it has for the n-th.
    fn login(&self, n: u64) -> (&'static str, String);

    /// The n-th person, who has no account: all that a create should carry but the password, each attribute one that
    /// can be read.
    fn person(&self, n: u64) -> Vec<(&'static str, Value)>;

    /// Updates of a generated account, one by one. Where an attribute is merged, the value has what is added.
    fn updates(&self) -> Vec<Update>;

    /// The id of an account that no tenant has.
    fn nobody(&self) -> &'static str;

    /// Which request of a listing of a thousand is in its middle, as faults name it.
    fn midway(&self) -> &'static str;

    /// Requests that signing in takes which faults count as listings.
    fn listings_of_signing_in(&self) -> u64 {
        0
    }

    /// What the system answers when it fails, as faults name it.
    fn failure(&self) -> &'static str {
        "status = 500"
    }

    /// The configuration of the samples, as it stands in the repository.
    fn sample(&self) -> &'static str;
}

/// Where a tenant is, and what a connection needs.
pub struct Place<'a> {
    pub access: ServerAccess<'a>,
    /// The secret to sign in with.
    pub secret: &'a str,
}

/// One attribute of an account, changed.
pub struct Update {
    pub attribute: &'static str,
    pub value: Value,
    /// The one place in the simulated tenant's own record of the account that may be another afterwards, as a JSON
    /// pointer.
    pub changes: &'static str,
}
