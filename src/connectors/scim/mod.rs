//! Any SCIM 2.0 server (RFC 7643, RFC 7644, and RFC 9865 for cursors), and everything that is known of the protocol.
//!
//! Attributes are named by their SCIM paths. What a server can do is what it says of itself, as far as it says anything
//! and as long as it keeps to it. The facts that shape this folder: servers clamp pages, ignore filters, announce what
//! they do not have and write attributes in more ways than one, so every answer is checked before it is believed; and
//! what nobody mapped is never touched.

mod answer;
mod api;
mod change;
mod descriptor;
mod discovery;
mod find;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod list;
mod page;
mod path;
mod resource;
mod schema;
mod table;

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::connectors::http::ServerAccess;
use crate::connectors::listing::list_pages;
use crate::connectors::{CallError, Connector, Listed, Meter, Purpose, RequestCosts};
use crate::model::{Account, AccountId, Attributes, MatchRule, Schema, Secret};

use api::ScimApi;
pub use descriptor::{Credentials, DESCRIPTOR, ScimSettings, UpdateMethod};
pub use schema::make_schema;

/// How to sign in, resolved.
#[derive(Debug)]
pub enum ScimLogin {
    Bearer(Secret),
    Basic { username: String, password: Secret },
    ClientCredentials { token_url: String, client_id: String, client_secret: Secret, scope: Option<String> },
}

/// One tenant of a SCIM service.
struct ScimConnector {
    api: Arc<ScimApi>,
}

/// Signs in and asks the server what it is and what it can do. `mapped` are the attributes that the configuration maps
/// or matches, as for [`schema`].
///
/// # Errors
/// [`Trouble::Configuration`](crate::connectors::Trouble::Configuration) for an address or a credential that cannot be used
/// or that the server refuses; what kept the server from answering. A server that says nothing of itself is none.
pub async fn connect_tenant(
    settings: &ScimSettings,
    access: ServerAccess<'_>,
    login: ScimLogin,
    mapped: &[String],
) -> Result<Box<dyn Connector>, CallError> {
    let layout = schema::make_layout(mapped);
    let api = ScimApi::discover_service(settings, access, login, layout).await?;
    Ok(Box::new(ScimConnector { api: Arc::new(api) }))
}

impl Connector for ScimConnector {
    fn schema(&self) -> &Schema {
        &self.api.layout.schema
    }

    fn describe(&self) -> String {
        format!("scim {}", self.api.http.client.base_url())
    }

    fn sign_in(&self) -> BoxFuture<'_, Result<(), CallError>> {
        Box::pin(self.api.sign_in())
    }

    fn list(&self) -> BoxStream<'_, Result<Listed, CallError>> {
        list_pages(Arc::clone(&self.api), Purpose::List)
    }

    fn get<'a>(&'a self, id: &'a AccountId) -> BoxFuture<'a, Result<Option<Account>, CallError>> {
        Box::pin(self.api.get_user(id))
    }

    fn find<'a>(
        &'a self,
        rules: &'a [MatchRule],
        sought: &'a [Attributes],
    ) -> BoxFuture<'a, Result<Vec<Vec<Account>>, CallError>> {
        Box::pin(find::find(&self.api, rules, sought))
    }

    fn create<'a>(&'a self, values: &'a Attributes) -> BoxFuture<'a, Result<AccountId, CallError>> {
        Box::pin(self.api.create(values))
    }

    fn update<'a>(&'a self, id: &'a AccountId, values: &'a Attributes) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(self.api.update(id, values))
    }

    fn delete<'a>(&'a self, id: &'a AccountId) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(self.api.delete(id))
    }

    fn costs(&self) -> RequestCosts {
        self.api.costs()
    }

    fn meter(&self) -> &Meter {
        self.api.http.client.meter()
    }
}

#[cfg(test)]
mod tests;
