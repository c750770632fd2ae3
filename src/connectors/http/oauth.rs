//! OAuth 2.0 client credentials (RFC 6749, section 4.4): a token for the id and the secret of a client.
//!
//! The id and the secret go into the form, which is what the systems spoken with here document.

use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::Value as Json;

use super::auth::{GrantedToken, TokenSource};
use super::client::Client;
use super::message::{AnswerVerdict, HttpAnswer, HttpRequest};
use super::retry::{Repeat, Tries};
use crate::connectors::{CallError, Purpose, Trouble};
use crate::model::Secret;

/// The credentials of a client.
#[derive(Debug)]
pub struct ClientCredentials {
    token_url: String,
    client_id: String,
    client_secret: Secret,
    scope: Option<String>,
}

impl ClientCredentials {
    /// Sends nothing yet. The token's address is a path beneath the base address, or an address of its own.
    #[must_use]
    pub fn new(
        token_url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: Secret,
        scope: Option<String>,
    ) -> Self {
        Self { token_url: token_url.into(), client_id: client_id.into(), client_secret, scope }
    }

    /// The secret of the client, for redaction.
    pub(super) fn client_secret(&self) -> &Secret {
        &self.client_secret
    }

    fn token_form(&self) -> Result<String, CallError> {
        let mut pairs = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose()),
        ];
        pairs.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        encode_form(&pairs)
    }
}

impl TokenSource for ClientCredentials {
    fn fetch_token<'a>(&'a self, http: &'a Client) -> BoxFuture<'a, Result<GrantedToken, CallError>> {
        Box::pin(async move {
            let form = self.token_form()?;
            // As it stands in the form, where a server may repeat it from.
            let secrets = [self.client_secret.clone(), Secret::new(encode_text(self.client_secret.expose())?)];
            let request = HttpRequest {
                method: Method::POST,
                path: &self.token_url,
                body: Some(form.into()),
                purpose: Purpose::Auth,
                repeat: Repeat::Safe,
                secrets: &secrets,
            };
            let stamp = |headers: &mut HeaderMap| {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
                headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            };
            http.send(&request, &mut Tries::default(), stamp, judge_grant).await.map_err(|error| {
                let hint = error.hint.map(|hint| hint.replace("target.base_url", "target.base_url, target.token_url"));
                CallError { hint, ..error }
            })
        })
    }
}

/// The answer of a token endpoint, or what it says instead.
#[derive(Deserialize)]
struct OauthRefusal {
    access_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<Json>,
    error: Option<Json>,
    error_description: Option<Json>,
}

fn judge_grant(answer: &HttpAnswer) -> AnswerVerdict<GrantedToken> {
    let said = serde_json::from_slice::<OauthRefusal>(&answer.body).ok();
    let why = said.as_ref().map(refusal_reason).filter(|why| !why.is_empty());
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    let refused = |message: String, hint: &str| {
        AnswerVerdict::Refused(CallError::new(Trouble::Configuration, message).with_hint(hint))
    };
    let status = answer.status;
    if status.is_server_error() {
        return AnswerVerdict::ServerError(CallError::new(Trouble::Unavailable, format!("the sign-in fails{why}")));
    }
    if matches!(status.as_u16(), 400 | 401 | 403) {
        return refused(
            format!("the credentials are not accepted{why}"),
            "check target.client_id, target.client_secret and target.scope",
        );
    }
    if !status.is_success() {
        return refused(
            format!("there is no sign-in at this address{why}"),
            "check target.base_url and its token path",
        );
    }
    let token = said.as_ref().and_then(|said| said.access_token.as_deref()).map(str::trim);
    let Some(token) = token.filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic())) else {
        return refused(format!("the sign-in returns no token{why}"), "check target.base_url and its token path");
    };
    let kind = said.as_ref().and_then(|said| said.token_type.as_deref()).unwrap_or("Bearer");
    if !kind.eq_ignore_ascii_case("bearer") {
        return refused(
            format!("the sign-in returns a token of type {kind:?}, but only bearer tokens are supported"),
            "ask for client credentials that return a bearer token",
        );
    }
    let life = said.as_ref().and_then(|said| said.expires_in.as_ref()).and_then(parse_seconds);
    AnswerVerdict::Done(GrantedToken { token: Secret::new(token), life })
}

/// The life of a token, as a number or as its digits. Nothing sensible is as good as nothing at all.
fn parse_seconds(value: &Json) -> Option<Duration> {
    let seconds = match value {
        Json::Number(number) => number.as_f64()?,
        Json::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok().filter(|life| !life.is_zero())
}

fn refusal_reason(said: &OauthRefusal) -> String {
    let texts = [&said.error, &said.error_description].into_iter().flatten();
    texts.filter_map(Json::as_str).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
}

/// `application/x-www-form-urlencoded`.
fn encode_form(pairs: &[(&str, &str)]) -> Result<String, CallError> {
    let wrong = |error| CallError::new(Trouble::Configuration, format!("the sign-in cannot be written: {error}"));
    let url = Url::parse_with_params("form:", pairs).map_err(wrong)?;
    Ok(url.query().unwrap_or_default().to_owned())
}

fn encode_text(text: &str) -> Result<String, CallError> {
    encode_form(&[("", text)]).map(|form| form.trim_start_matches('=').to_owned())
}

#[cfg(test)]
#[path = "oauth_tests.rs"]
mod tests;
