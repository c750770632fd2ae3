//! The `Authorization` header of every request: a token or a password that stays, or one that OAuth brings and renews.
//! A request that is refused with 401 is repeated once with a new token where there can be a new one.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::client::Client;
use super::message::{AnswerVerdict, HttpAnswer, HttpRequest};
use super::oauth::ClientCredentials;
use super::retry::Tries;
use crate::connectors::{CallError, Effect, Purpose, TokenLife, Trouble};
use crate::model::Secret;

/// How requests are authorised. Name `Authorization` among the secret headers of the [`Client`].
#[derive(Debug)]
pub struct Authorization {
    way: Way,
    /// Which settings to check when the server refuses.
    hint: &'static str,
    /// What no error or log line may show.
    secrets: Vec<Secret>,
}

#[derive(Debug)]
enum Way {
    Fixed(HeaderValue),
    OAuth(Box<ClientCredentials>),
}

/// What a request came to once the transport is through with it.
enum AuthorizedReply<T> {
    Done(T),
    /// The token was refused, for the first time.
    Stale,
}

impl Authorization {
    /// # Errors
    /// [`Trouble::Configuration`] for a token that no header can carry.
    pub fn bearer_token(token: &Secret) -> Result<Self, CallError> {
        let way = Way::Fixed(secret_header(&format!("Bearer {}", token.expose()), "target.token")?);
        Ok(Self { way, hint: "check target.token", secrets: vec![token.clone()] })
    }

    /// # Errors
    /// [`Trouble::Configuration`] for a name with a colon, which RFC 7617 has no room for.
    pub fn basic_credentials(username: &str, password: &Secret) -> Result<Self, CallError> {
        if username.contains(':') {
            return Err(CallError::new(Trouble::Configuration, "target.username must not contain a colon"));
        }
        let code = BASE64_STANDARD.encode(format!("{username}:{}", password.expose()));
        let way = Way::Fixed(secret_header(&format!("Basic {code}"), "target.password")?);
        let secrets = vec![password.clone(), Secret::new(code)];
        Ok(Self { way, hint: "check target.username and target.password", secrets })
    }

    #[must_use]
    pub fn client_credentials(credentials: ClientCredentials) -> Self {
        let secrets = vec![credentials.client_secret().clone()];
        let hint = "a token that was just fetched is refused: check target.scope and what this client may do";
        Self { way: Way::OAuth(Box::new(credentials)), hint, secrets }
    }

    /// Makes sure that nothing which this client says shows the secrets. Call it once, before anything is sent.
    pub fn redact_secrets(&self, http: &Client) {
        for secret in &self.secrets {
            http.redact_secret(secret.clone());
        }
    }

    /// Fetches a token, where one is needed and there is none yet.
    ///
    /// # Errors
    /// As [`ClientCredentials::token`].
    pub async fn sign_in(&self, http: &Client) -> Result<(), CallError> {
        match &self.way {
            Way::Fixed(_) => Ok(()),
            Way::OAuth(credentials) => credentials.get_token(http, None).await.map(|_| ()),
        }
    }

    /// How long tokens live, as far as the server says.
    #[must_use]
    pub fn token_life(&self, http: &Client) -> Option<TokenLife> {
        match &self.way {
            Way::Fixed(_) => None,
            Way::OAuth(credentials) => credentials.token_life(http),
        }
    }

    /// Sends a request, and once more with a new token when the token was refused. `stamp` puts on the headers beside
    /// `Authorization`. A refusal with 401 is a matter of configuration, whatever the judge makes of the rest of it.
    ///
    /// # Errors
    /// As [`Client::send`], and as [`ClientCredentials::token`].
    pub async fn send<T>(
        &self,
        http: &Client,
        request: &HttpRequest<'_>,
        stamp: impl Fn(&mut HeaderMap) + Send + Sync,
        judge: impl Fn(&HttpAnswer) -> AnswerVerdict<T> + Send + Sync,
    ) -> Result<T, CallError> {
        let mut tries = Tries::default();
        let mut refused = None;
        loop {
            if let Way::OAuth(credentials) = &self.way {
                credentials.get_token(http, refused).await.map_err(|error| {
                    let lost = tries.lost && request.purpose == Purpose::Write;
                    error.with_effect(if lost { Effect::Unknown } else { Effect::None })
                })?;
            }
            let may_refresh = matches!(self.way, Way::OAuth(_)) && refused.is_none();
            let mut generation = 0;
            let put_on = |headers: &mut HeaderMap| {
                stamp(headers);
                generation = self.add_authorization(headers);
            };
            let reply = http
                .send(request, &mut tries, put_on, |answer| match answer.status {
                    StatusCode::UNAUTHORIZED if may_refresh => AnswerVerdict::Done(AuthorizedReply::Stale),
                    StatusCode::UNAUTHORIZED => match judge(answer) {
                        AnswerVerdict::Done(done) => AnswerVerdict::Done(AuthorizedReply::Done(done)),
                        AnswerVerdict::Refused(error) | AnswerVerdict::ServerError(error) => AnswerVerdict::Refused(
                            CallError { trouble: Trouble::Configuration, ..error }.with_hint(self.hint),
                        ),
                    },
                    _ => judge(answer).map_done(AuthorizedReply::Done),
                })
                .await?;
            match reply {
                AuthorizedReply::Done(done) => return Ok(done),
                AuthorizedReply::Stale => refused = Some(generation),
            }
        }
    }

    /// Puts the header on a request that is about to leave; returns the generation of its token.
    fn add_authorization(&self, headers: &mut HeaderMap) -> u64 {
        let (value, generation) = match &self.way {
            Way::Fixed(value) => (Some(value.clone()), 0),
            Way::OAuth(credentials) => match credentials.current_token() {
                // Only what fits into a header is taken for a token.
                Some(token) => {
                    (HeaderValue::from_str(&format!("Bearer {}", token.secret.expose())).ok(), token.generation)
                }
                None => (None, 0),
            },
        };
        if let Some(value) = value {
            headers.insert(AUTHORIZATION, value);
        }
        generation
    }
}

fn secret_header(text: &str, setting: &str) -> Result<HeaderValue, CallError> {
    HeaderValue::from_str(text).map_err(|_| {
        CallError::new(Trouble::Configuration, format!("{setting} has a character that no header can carry"))
    })
}
