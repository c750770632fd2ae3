//! Bright Pattern Contact Center configuration API v2, and everything that is known of it.
//!
//! The facts that shape this folder: a user's login is the account's id; there is no list of users, only a directory
//! that shows a few attributes of everybody, and one request for each user that shows them all; an update changes five
//! attributes and leaves the rest; the HTTP status decides.

mod answer;
mod api;
mod decode;
mod descriptor;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod schema;
mod wire;

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::connectors::http::ServerAccess;
use crate::connectors::listing::{DirectoryExtent, list_details};
use crate::connectors::{
    CallError, Connector, Listed, ListingCost, LookupCost, Meter, Purpose, RequestCosts, find_by_listing,
};
use crate::model::{Account, AccountId, AttrId, Attributes, KeyHash, MatchRule, Schema, Secret, Value};

use api::BrightpatternApi;
pub use descriptor::{BrightpatternSettings, DESCRIPTOR};
use schema::at;
pub use schema::make_schema;

/// How to sign in, resolved.
pub struct BrightpatternLogin {
    pub client_id: String,
    pub client_secret: Secret,
    pub scope: String,
}

/// One contact center.
pub struct BrightpatternConnector {
    api: Arc<BrightpatternApi>,
    extent: DirectoryExtent,
}

/// Prepares to speak with a contact center; sends nothing yet. `needed` names the attributes that a listing must show:
/// where the directory has all of them, nobody is asked for one by one.
///
/// # Errors
/// [`Trouble::Configuration`](crate::connectors::Trouble::Configuration) for an address that cannot be used.
pub fn connect_tenant(
    access: ServerAccess<'_>,
    login: BrightpatternLogin,
    needed: &[String],
) -> Result<BrightpatternConnector, CallError> {
    let schema = make_schema();
    let extent =
        if schema::needs_details(&schema, needed) { DirectoryExtent::Details } else { DirectoryExtent::Directory };
    let api = BrightpatternApi::new(access, login, schema)?;
    Ok(BrightpatternConnector { api: Arc::new(api), extent })
}

impl BrightpatternConnector {
    async fn get_account(&self, id: &AccountId) -> Result<Option<Account>, CallError> {
        let values = self.api.get_user(id.as_str(), Purpose::Lookup).await?;
        Ok(values.map(|values| Account { id: id.clone(), values, protected: None }))
    }

    /// Whoever can be found by login is asked for; any other rule needs the whole listing.
    async fn look_up(&self, rules: &[MatchRule], sought: &[Attributes]) -> Result<Vec<Vec<Account>>, CallError> {
        let needs_listing = rules
            .iter()
            .filter(|rule| !rule.attributes.contains(&at::LOGIN_ID))
            .any(|rule| sought.iter().any(|values| self.match_key(rule, values).is_some()));
        if needs_listing {
            let listing = list_details(Arc::clone(&self.api), DirectoryExtent::Details, Purpose::Lookup);
            return find_by_listing(&self.api.schema, listing, rules, sought).await;
        }
        // Made at once, sent as places become free.
        let requests: Vec<_> = sought.iter().map(|values| self.by_login(rules, values)).collect();
        stream::iter(requests).buffered(self.api.http.client.concurrency() * 2).try_collect().await
    }

    /// Whoever has this login, if any rule says that they are the one.
    async fn by_login(&self, rules: &[MatchRule], values: &Attributes) -> Result<Vec<Account>, CallError> {
        let login = values.get(at::LOGIN_ID).and_then(Value::as_str).map(str::trim);
        let Some(login) = login.filter(|login| !login.is_empty()) else { return Ok(Vec::new()) };
        let found = self.get_account(&AccountId(login.to_owned())).await?;
        let matches = |account: &Account| {
            rules.iter().any(|rule| {
                let wanted = self.match_key(rule, values);
                wanted.is_some() && wanted == self.match_key(rule, &account.values)
            })
        };
        // By its own spelling of its login, as a listing shows it, however it was asked for.
        let named = |account: Account| match account.values.get(at::LOGIN_ID).and_then(Value::as_str) {
            Some(shown) => Account { id: AccountId(shown.to_owned()), ..account },
            None => account,
        };
        Ok(found.into_iter().filter(matches).map(named).collect())
    }

    fn match_key(&self, rule: &MatchRule, values: &Attributes) -> Option<KeyHash> {
        rule.key(&self.api.schema, |id| values.get(id), &mut Vec::new())
    }
}

impl Connector for BrightpatternConnector {
    fn schema(&self) -> &Schema {
        &self.api.schema
    }

    fn describe(&self) -> String {
        format!("brightpattern {}", self.api.http.client.base_url())
    }

    fn sign_in(&self) -> BoxFuture<'_, Result<(), CallError>> {
        Box::pin(self.api.http.sign_in())
    }

    fn list(&self) -> BoxStream<'_, Result<Listed, CallError>> {
        list_details(Arc::clone(&self.api), self.extent, Purpose::List)
    }

    fn get<'a>(&'a self, id: &'a AccountId) -> BoxFuture<'a, Result<Option<Account>, CallError>> {
        Box::pin(self.get_account(id))
    }

    fn find<'a>(
        &'a self,
        rules: &'a [MatchRule],
        sought: &'a [Attributes],
    ) -> BoxFuture<'a, Result<Vec<Vec<Account>>, CallError>> {
        Box::pin(self.look_up(rules, sought))
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

    fn references(&self, attribute: AttrId) -> BoxFuture<'_, Result<Option<Vec<String>>, CallError>> {
        Box::pin(async move { if attribute == at::TEAM { self.api.list_teams().await } else { Ok(None) } })
    }

    fn costs(&self) -> RequestCosts {
        let listing = match self.extent {
            DirectoryExtent::Details => ListingCost::Details,
            DirectoryExtent::Directory => ListingCost::Whole,
        };
        RequestCosts {
            // With the details, whatever the listing shows.
            lookup: LookupCost::ByAttribute(at::LOGIN_ID, ListingCost::Details),
            token: self.api.http.token_life(),
            ..RequestCosts::of_listing(listing)
        }
    }

    fn meter(&self) -> &Meter {
        self.api.http.client.meter()
    }
}

#[cfg(test)]
mod tests;
