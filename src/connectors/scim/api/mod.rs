//! The requests of the protocol. What the server can do is what it announced, until it proves otherwise: a PATCH that it
//! does not have becomes a PUT, a content type that it does not know becomes plain JSON, and both stay so.

mod connect;
mod update;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH, LOCATION};
use reqwest::{Method, StatusCode};
use serde_json::Value as Json;
use tokio::sync::OnceCell;
use tracing::warn;

use super::UpdateMethod;
use super::answer::{AskedFor, answer_body, refusal_verdict};
use super::change::Changes;
use super::discovery::Abilities;
use super::page::read_page;
use super::path::{ScimPath, find_member};
use super::resource;
use super::schema::Layout;
use crate::connectors::http::{AnswerVerdict, AuthorizedClient, HttpAnswer, HttpRequest, Repeat, path_segment};
use crate::connectors::listing::{Paging, ShownPage};
use crate::connectors::{CallError, Effect, ListingCost, LookupCost, Purpose, RequestCosts, Trouble};
use crate::model::{Account, AccountId, AttrId, Attributes};

const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");
const PLAIN_JSON: HeaderValue = HeaderValue::from_static("application/json");
const EITHER_JSON: HeaderValue = HeaderValue::from_static("application/scim+json, application/json");

/// One server's API, and what is known of it.
pub(super) struct ScimApi {
    pub http: AuthorizedClient,
    pub layout: Layout,
    /// The path of the users.
    pub(super) endpoint: String,
    abilities: Abilities,
    pub(super) page_size: u64,
    method: UpdateMethod,
    /// Updates are PUTs.
    puts: AtomicBool,
    /// The server does not take `application/scim+json`.
    plain: AtomicBool,
    /// Filters are not to be trusted.
    unfiltered: AtomicBool,
    /// How many accounts the last listing showed, plus one; 0 before the first.
    pub(super) listed: AtomicU64,
    /// How many accounts the server puts on a page.
    pub(super) step: AtomicU64,
    /// Requests that it took to sign in and to learn what the server is.
    pub connecting: u64,
    let_in: OnceCell<()>,
}

impl ScimApi {
    /// Looking up with filters costs this as long as they can be relied on, which only shows when they are used.
    pub fn costs(&self) -> RequestCosts {
        let listing = self.listing_cost();
        let puts = self.puts.load(Ordering::Relaxed);
        let reads = |(id, _, path): (AttrId, _, &ScimPath)| (puts || path.filter.is_some()).then_some(id);
        RequestCosts {
            connecting: self.connecting,
            listing,
            lookup: if self.can_filter() { LookupCost::Filters(listing) } else { LookupCost::Listing(listing) },
            read_first: self.layout.iter().filter_map(reads).collect(),
            token: self.http.token_life(),
        }
    }

    pub fn has_cursors(&self) -> bool {
        self.abilities.cursor
    }

    /// How many accounts there are, where a listing was read.
    pub fn listed_total(&self) -> Option<u64> {
        self.listed.load(Ordering::Relaxed).checked_sub(1)
    }

    /// A listing that is one full page takes another request to be sure that it is all.
    pub fn listing_cost(&self) -> ListingCost {
        let page_size = self.step.load(Ordering::Relaxed).max(1);
        ListingCost::Pages { paging: choose_paging(page_size, self.has_cursors()), announces: true }
    }

    pub fn can_filter(&self) -> bool {
        self.abilities.filter != Some(false) && !self.unfiltered.load(Ordering::Relaxed)
    }

    pub fn distrust_filters(&self) {
        if !self.unfiltered.swap(true, Ordering::Relaxed) {
            warn!("the server ignores filters: accounts are looked up in whole listings");
        }
    }

    /// The accounts that a filter finds; none where the server does not know this filter.
    pub async fn get_filtered(&self, filter: &str) -> Result<Option<ShownPage>, CallError> {
        let path = format!("{}?filter={}&count={}", self.endpoint, query_value(filter), self.page_size);
        self.send(&HttpRequest::get(&path, Purpose::Lookup), None, |answer| match answer.status.as_u16() {
            400 | 403 | 404 | 405 | 413 | 501 => AnswerVerdict::Done(None),
            _ => self.judge_page(answer).map_done(Some),
        })
        .await
    }

    pub async fn get_user(&self, id: &AccountId) -> Result<Option<Account>, CallError> {
        let Some(path) = self.user_path(id) else { return Ok(None) };
        let current = self.get_current(&path).await?;
        let shown = |current: update::CurrentResource| {
            let resource = Json::Object(current.resource);
            resource::read_account(&self.layout, &resource).ok_or_else(|| {
                CallError::new(Trouble::Garbled, format!("the answer about {id} holds no user with an id"))
            })
        };
        current.map(shown).transpose()
    }

    /// Sends the one create. Only what certainly was not carried out is repeated.
    pub async fn create(&self, values: &Attributes) -> Result<AccountId, CallError> {
        let changes = Changes::new(&self.layout, values)?;
        let request = HttpRequest {
            method: Method::POST,
            path: &self.endpoint,
            body: Some(changes.new_resource().to_string().into()),
            purpose: Purpose::Write,
            repeat: Repeat::IfUnsent,
            secrets: &changes.secrets,
        };
        self.send(&request, None, |answer| {
            if !answer.status.is_success() {
                return refusal_verdict(answer, AskedFor::Create);
            }
            if let Some(id) = created_id(answer) {
                return AnswerVerdict::Done(id);
            }
            AnswerVerdict::Refused(
                CallError::new(Trouble::Garbled, "the account may be created, but the answer does not say its id")
                    .with_effect(Effect::Unknown),
            )
        })
        .await
    }

    pub async fn delete(&self, id: &AccountId) -> Result<(), CallError> {
        let path = self.user_path(id).ok_or_else(|| no_account(id))?;
        let request = HttpRequest {
            method: Method::DELETE,
            path: &path,
            body: None,
            purpose: Purpose::Write,
            repeat: Repeat::Safe,
            secrets: &[],
        };
        self.send(&request, None, |answer| match answer.status.is_success() {
            true => AnswerVerdict::Done(()),
            false => refusal_verdict(answer, AskedFor::Account),
        })
        .await
    }

    pub(super) fn judge_page(&self, answer: &HttpAnswer) -> AnswerVerdict<ShownPage> {
        if !answer.status.is_success() {
            return refusal_verdict(answer, AskedFor::Listing);
        }
        let list = match answer_body(answer) {
            Ok(list) => list,
            Err(error) => return AnswerVerdict::ServerError(error),
        };
        match read_page(&self.layout, &list) {
            Some(page) => AnswerVerdict::Done(page),
            None => AnswerVerdict::Refused(
                CallError::new(Trouble::Garbled, "the answer holds no list of users where one was expected")
                    .with_hint("check that target.base_url is the address of the SCIM service"),
            ),
        }
    }

    /// The path of an account; none for what cannot be one.
    fn user_path(&self, id: &AccountId) -> Option<String> {
        path_segment(id.as_str()).map(|id| format!("{}/{id}", self.endpoint))
    }

    /// Sends a request; again with plain JSON where the server does not take SCIM's own type, which it says before it
    /// does anything.
    pub(super) async fn send<T>(
        &self,
        request: &HttpRequest<'_>,
        version: Option<HeaderValue>,
        judge: impl Fn(&HttpAnswer) -> AnswerVerdict<T> + Send + Sync,
    ) -> Result<T, CallError> {
        loop {
            let plain = self.plain.load(Ordering::Relaxed);
            let stamp = |headers: &mut HeaderMap| {
                headers.insert(ACCEPT, EITHER_JSON);
                if request.body.is_some() {
                    headers.insert(CONTENT_TYPE, if plain { PLAIN_JSON } else { SCIM_JSON });
                }
                if let Some(version) = &version {
                    headers.insert(IF_MATCH, version.clone());
                }
            };
            let sent = self.http.send(request, stamp, |answer| {
                if answer.status == StatusCode::UNSUPPORTED_MEDIA_TYPE && request.body.is_some() && !plain {
                    return AnswerVerdict::Done(None);
                }
                judge(answer).map_done(Some)
            });
            if let Some(done) = sent.await? {
                return Ok(done);
            }
            if !self.plain.swap(true, Ordering::Relaxed) {
                warn!("the server does not take application/scim+json: requests are sent as application/json");
            }
        }
    }
}

/// Pages of so many accounts, as the server makes them.
pub(super) fn choose_paging(page_size: u64, cursors: bool) -> Paging {
    if cursors { Paging::Cursors { page_size } } else { Paging::Places { page_size } }
}

/// The id of a new account: from the resource, or from its address.
fn created_id(answer: &HttpAnswer) -> Option<AccountId> {
    let shown = serde_json::from_slice::<Json>(&answer.body).ok();
    let id = shown.as_ref().and_then(Json::as_object).and_then(|resource| find_member(resource, "id"));
    match id {
        Some(Json::String(id)) if !id.is_empty() => Some(AccountId(id.clone())),
        Some(Json::Number(id)) => Some(AccountId(id.to_string())),
        _ => {
            let address = answer.headers.get(LOCATION)?.to_str().ok()?;
            let last = address.split(['?', '#']).next()?.trim_end_matches('/').rsplit('/').next()?;
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '@');
            (!last.is_empty() && last.chars().all(plain)).then(|| AccountId(last.to_owned()))
        }
    }
}

fn no_account(id: &AccountId) -> CallError {
    CallError::new(Trouble::NotFound, format!("there is no account {id}"))
}

/// A text as a value in a query.
pub(super) fn query_value(text: &str) -> String {
    path_segment(text).unwrap_or_else(|| text.to_owned())
}
