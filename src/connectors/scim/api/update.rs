//! Changing an account: with PATCH where the server has it, with PUT of the whole resource where not, and in either case
//! against the version that was seen.

use std::sync::atomic::Ordering;

use reqwest::header::{ETAG, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value as Json};
use tracing::warn;

use super::super::UpdateMethod;
use super::super::answer::{AskedFor, answer_body, no_scim, refusal_verdict};
use super::super::change::Changes;
use super::super::path::find_member;
use super::{ScimApi, no_account};
use crate::connectors::http::{AnswerVerdict, HttpAnswer, HttpRequest, Repeat};
use crate::connectors::{CallError, Purpose, Trouble};
use crate::model::{AccountId, Attributes, Secret};

/// A resource as it is, and its version.
pub(super) struct CurrentResource {
    pub resource: Map<String, Json>,
    version: Option<HeaderValue>,
}

/// What a try to change an account came to.
enum Tried {
    Done,
    /// The account is not what it was when it was read.
    Changed(CallError),
    /// The server has no PATCH.
    NoPatch,
}

impl ScimApi {
    pub async fn update(&self, id: &AccountId, values: &Attributes) -> Result<(), CallError> {
        let changes = Changes::new(&self.layout, values)?;
        let path = self.user_path(id).ok_or_else(|| no_account(id))?;
        let mut again = true;
        loop {
            let puts = self.puts.load(Ordering::Relaxed);
            let current = if puts || changes.need_current() {
                Some(self.get_current(&path).await?.ok_or_else(|| no_account(id))?)
            } else {
                None
            };
            let version = current.as_ref().and_then(|current| current.version.clone());
            let tried = if puts {
                let mut resource = current.map(|current| current.resource).unwrap_or_default();
                changes.merge_into(&mut resource);
                // The server's own, which some servers refuse to be told.
                resource.retain(|name, _| !["meta", "groups"].iter().any(|own| name.eq_ignore_ascii_case(own)));
                self.put_user(&path, Json::Object(resource), version, &changes.secrets).await?
            } else {
                match changes.patch_operations(current.map(|current| current.resource).unwrap_or_default()) {
                    Some(patch) => self.patch_user(&path, &patch, version, &changes.secrets).await?,
                    None => Tried::Done,
                }
            };
            match tried {
                Tried::Done => return Ok(()),
                Tried::Changed(_) if again => again = false,
                Tried::Changed(error) => return Err(error),
                Tried::NoPatch => {
                    if !self.puts.swap(true, Ordering::Relaxed) {
                        warn!("the server has no PATCH, whatever it announces: accounts are changed with PUT");
                    }
                }
            }
        }
    }

    async fn patch_user(
        &self,
        path: &str,
        patch: &Json,
        version: Option<HeaderValue>,
        secrets: &[Secret],
    ) -> Result<Tried, CallError> {
        let may_put = self.method == UpdateMethod::Auto;
        self.write(Method::PATCH, path, patch, version, secrets, |answer| match answer.status {
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED if may_put => Some(Tried::NoPatch),
            _ => None,
        })
        .await
    }

    async fn put_user(
        &self,
        path: &str,
        resource: Json,
        version: Option<HeaderValue>,
        secrets: &[Secret],
    ) -> Result<Tried, CallError> {
        self.write(Method::PUT, path, &resource, version, secrets, |_| None).await
    }

    /// Changes an account. Setting the same values twice is setting them once, so it is repeated when its answer is
    /// lost.
    async fn write(
        &self,
        method: Method,
        path: &str,
        body: &Json,
        version: Option<HeaderValue>,
        secrets: &[Secret],
        special: impl Fn(&HttpAnswer) -> Option<Tried> + Send + Sync,
    ) -> Result<Tried, CallError> {
        let body = Some(body.to_string().into());
        let request = HttpRequest { method, path, body, purpose: Purpose::Write, repeat: Repeat::Safe, secrets };
        self.send(&request, version, |answer| {
            if let Some(tried) = special(answer) {
                return AnswerVerdict::Done(tried);
            }
            match answer.status {
                StatusCode::PRECONDITION_FAILED => AnswerVerdict::Done(Tried::Changed(CallError {
                    code: Some(412),
                    ..CallError::new(Trouble::Refused, "the account was changed meanwhile, twice (HTTP 412)")
                })),
                // A page of a proxy is no proof that anything was done.
                status if status.is_success() && answer.body.trim_ascii_start().starts_with(b"<") => {
                    AnswerVerdict::ServerError(no_scim(answer))
                }
                status if status.is_success() => AnswerVerdict::Done(Tried::Done),
                _ => refusal_verdict(answer, AskedFor::Account),
            }
        })
        .await
    }

    /// A resource as it is now.
    pub(super) async fn get_current(&self, path: &str) -> Result<Option<CurrentResource>, CallError> {
        let versions = self.abilities.etag != Some(false);
        self.send(&HttpRequest::get(path, Purpose::Lookup), None, |answer| {
            if answer.status == StatusCode::NOT_FOUND {
                return AnswerVerdict::Done(None);
            }
            if !answer.status.is_success() {
                return refusal_verdict(answer, AskedFor::Account);
            }
            match answer_body(answer) {
                Ok(Json::Object(resource)) => {
                    let version = versions.then(|| resource_version(answer, &resource)).flatten();
                    AnswerVerdict::Done(Some(CurrentResource { resource, version }))
                }
                Ok(_) => AnswerVerdict::ServerError(no_scim(answer)),
                Err(error) => AnswerVerdict::ServerError(error),
            }
        })
        .await
    }
}

fn resource_version(answer: &HttpAnswer, resource: &Map<String, Json>) -> Option<HeaderValue> {
    answer.headers.get(ETAG).cloned().or_else(|| {
        let version = find_member(find_member(resource, "meta")?.as_object()?, "version")?.as_str()?;
        HeaderValue::from_str(version).ok().filter(|version| !version.is_empty())
    })
}
