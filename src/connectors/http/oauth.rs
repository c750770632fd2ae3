//! OAuth 2.0 client credentials (RFC 6749, section 4.4): a token for the id and the secret of a client, fetched again
//! shortly before it expires, and once when the server refuses it earlier.
//!
//! The id and the secret go into the form, which is what the systems spoken with here document.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::Value as Json;

use super::auth::{Token, TokenCell};
use super::client::Client;
use super::message::{AnswerVerdict, HttpAnswer, HttpRequest};
use super::retry::{Repeat, Tries};
use crate::connectors::{CallError, Purpose, TokenLife, Trouble};
use crate::model::Secret;

/// A token is renewed this long before it expires, or a tenth of its life before, whichever is less.
const MARGIN: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug)]
struct Due {
    at: Duration,
    lasts: Duration,
}

/// The credentials of a client, and the token they brought.
#[derive(Debug)]
pub struct ClientCredentials {
    token_url: String,
    client_id: String,
    client_secret: Secret,
    scope: Option<String>,
    token: TokenCell,
    /// When the token is to be renewed, in [`crate::clock::Clock::elapsed`], and how long one like it lasts; none while
    /// nobody said.
    due: Mutex<Option<Due>>,
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
        Self {
            token_url: token_url.into(),
            client_id: client_id.into(),
            client_secret,
            scope,
            token: TokenCell::new(),
            due: Mutex::new(None),
        }
    }

    /// A token that is not about to expire; newer than the one of this generation where that one was refused.
    ///
    /// # Errors
    /// [`Trouble::Configuration`] when the server does not accept the credentials, or answers with something else than
    /// a bearer token; what keeps the answer from coming.
    pub async fn get_token(&self, http: &Client, refused: Option<u64>) -> Result<Token, CallError> {
        let stale =
            refused.or_else(|| self.token.current_token().filter(|_| self.is_due(http)).map(|old| old.generation));
        match stale {
            None => self.token.get(|| self.fetch_token(http)).await,
            Some(generation) => self.token.refresh_token(generation, || self.fetch_token(http)).await,
        }
    }

    /// The token as it is now, without waiting.
    pub fn current_token(&self) -> Option<Token> {
        self.token.current_token()
    }

    /// How long tokens live, as far as the server says.
    pub fn token_life(&self, http: &Client) -> Option<TokenLife> {
        let Due { at, lasts } = (*self.due.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(TokenLife { left: at.saturating_sub(http.clock().elapsed()), lasts })
    }

    /// The secret of the client, for redaction.
    pub(super) fn client_secret(&self) -> &Secret {
        &self.client_secret
    }

    fn is_due(&self, http: &Client) -> bool {
        let due = *self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.is_some_and(|due| http.clock().elapsed() >= due.at)
    }

    async fn fetch_token(&self, http: &Client) -> Result<Secret, CallError> {
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
        // From before the request, because that is the earliest that the server can count from.
        let asked = http.clock().elapsed();
        let granted = http.send(&request, &mut Tries::default(), stamp, judge_grant).await.map_err(|error| {
            let hint = error.hint.map(|hint| hint.replace("target.base_url", "target.base_url, target.token_url"));
            CallError { hint, ..error }
        })?;
        http.redact_token(granted.token.clone());
        let lasts = granted.life.map(|life| life - (life / 10).min(MARGIN));
        let due = lasts.map(|lasts| Due { at: asked.saturating_add(lasts), lasts });
        *self.due.lock().unwrap_or_else(PoisonError::into_inner) = due;
        Ok(granted.token)
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

/// What a token endpoint grants.
struct Granted {
    token: Secret,
    /// None where the server does not say.
    life: Option<Duration>,
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

fn judge_grant(answer: &HttpAnswer) -> AnswerVerdict<Granted> {
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
    AnswerVerdict::Done(Granted { token: Secret::new(token), life })
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
