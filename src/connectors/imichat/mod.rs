//! imi.chat (Webex Engage) REST API v3.1, and everything that is known of it.
//!
//! What the published pages say is built as they say it; what they leave open is a setting. The facts that shape this
//! folder: HTTP 200 is not success, the `status_code` in the body decides; ten users a page and a daily quota bound
//! every run; `status` cannot be set when a user is created; there is no deletion.

mod api;
mod codes;
mod decode;
mod descriptor;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod list;
mod schema;
mod wire;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::connectors::http::{Client, ServerAccess};
use crate::connectors::listing::list_pages;
use crate::connectors::{
    CallError, Connector, Listed, ListingCost, Meter, Purpose, Quota, RequestCosts, Trouble, find_by_listing,
};
use crate::model::{Account, AccountId, Attributes, MatchRule, Schema, Secret};

use api::{ImichatApi, client_settings};
pub use descriptor::{DESCRIPTOR, ImichatSettings};
pub use schema::{UpdateBody, make_schema};

/// Users on one page of the listing; there is no parameter for it.
const PAGE_SIZE: usize = 10;

/// One tenant of imi.chat.
pub struct ImichatConnector {
    api: Arc<ImichatApi>,
}

/// Prepares to speak with a tenant; sends nothing yet. The key and the domain are passed in, however the settings say
/// that they are found.
///
/// # Errors
/// [`Trouble::Configuration`], naming the setting, for an address, header name, header value or verb that cannot be
/// used.
pub fn connect_tenant(
    settings: &ImichatSettings,
    access: ServerAccess<'_>,
    api_key: &Secret,
    domain: &str,
) -> Result<ImichatConnector, CallError> {
    let api = ImichatApi::new(settings, api_key, domain, |secrets| Client::new(client_settings(access, secrets)))?;
    Ok(ImichatConnector { api: Arc::new(api) })
}

/// [`connect`] for the simulation: as the pages usually read, over another transport than the network.
#[cfg(test)]
pub fn connect_over(
    transport: Box<dyn crate::connectors::http::Transport>,
    rate: &crate::connectors::http::Rate,
    clock: Arc<dyn crate::clock::Clock>,
    stop: Arc<crate::clock::Stop>,
) -> ImichatConnector {
    let settings = tests::settings();
    let api = ImichatApi::new(&settings, &Secret::new("key-1"), "acme.imi.chat", |secrets| {
        let base_url = "https://acme.imi.chat/v3.1";
        let access = ServerAccess { base_url, rate, network: &Default::default(), clock, stop };
        Client::over_transport(client_settings(access, secrets), transport)
    });
    ImichatConnector { api: Arc::new(api.unwrap()) }
}

impl Connector for ImichatConnector {
    fn schema(&self) -> &Schema {
        &self.api.schema
    }

    fn describe(&self) -> String {
        format!("imichat {}", self.api.http.client.base_url())
    }

    fn sign_in(&self) -> BoxFuture<'_, Result<(), CallError>> {
        Box::pin(self.api.http.sign_in())
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
        let listing = list_pages(Arc::clone(&self.api), Purpose::Lookup);
        Box::pin(find_by_listing(&self.api.schema, listing, rules, sought))
    }

    fn create<'a>(&'a self, values: &'a Attributes) -> BoxFuture<'a, Result<AccountId, CallError>> {
        Box::pin(self.api.create(values))
    }

    fn update<'a>(&'a self, id: &'a AccountId, values: &'a Attributes) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(self.api.update(id, values))
    }

    fn delete<'a>(&'a self, id: &'a AccountId) -> BoxFuture<'a, Result<(), CallError>> {
        let error = CallError::new(Trouble::Configuration, format!("imi.chat cannot delete account {id}"))
            .with_hint("a leaver is status = inactive: use deactivate in [policy]");
        Box::pin(std::future::ready(Err(error)))
    }

    /// Where the server does not say how many pages there are, finding the last one takes a few requests that bring
    /// nobody.
    fn costs(&self) -> RequestCosts {
        let announces = self.api.announces.load(Ordering::Relaxed);
        RequestCosts::of_listing(ListingCost::Pages { paging: list::PAGING, announces })
    }

    fn meter(&self) -> &Meter {
        self.api.http.client.meter()
    }

    fn recall(&self, quota: Quota, others_at_once: u64) {
        self.api.http.client.recall_quota(quota, others_at_once);
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub use tests::settings as test_settings;
