//! How requests are authorised: with a token or a password that stays, or with a token that is fetched and renewed. A
//! request whose token is refused is repeated once with a new one; one renewal serves all who wait.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::auth::{GrantedToken, TokenCell, TokenSource};
use super::client::Client;
use super::message::{AnswerVerdict, HttpAnswer, HttpRequest};
use super::oauth::ClientCredentials;
use super::retry::Tries;
use crate::connectors::{CallError, Effect, Purpose, TokenLife, Trouble};
use crate::model::Secret;

/// A token is renewed this long before it expires, or a tenth of its life before, whichever is less.
const MARGIN: Duration = Duration::from_secs(60);

/// How requests are authorised. Name its header among the secret headers of the [`Client`].
#[derive(Debug)]
pub struct Authorization {
    way: Way,
    header: HeaderName,
    /// Which settings to check when the server refuses.
    hint: &'static str,
    /// What no error or log line may show.
    secrets: Vec<Secret>,
}

#[derive(Debug)]
enum Way {
    Fixed(HeaderValue),
    Fetched { token: Box<RenewedToken>, scheme: &'static str, refused_by: RefusedBy },
}

/// Who says that a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefusedBy {
    /// HTTP 401, whatever the rest of the answer says.
    Status,
    /// [`AnswerVerdict::Stale`] alone: the body of an answer says more than its status.
    Judge,
}

/// A token that is fetched when it is needed, and again shortly before it expires.
#[derive(Debug)]
struct RenewedToken {
    source: Box<dyn TokenSource>,
    cell: TokenCell,
    /// None while nobody said.
    due: Mutex<Option<Due>>,
}

#[derive(Clone, Copy, Debug)]
struct Due {
    /// When the token is to be renewed, in [`crate::clock::Clock::elapsed`].
    at: Duration,
    /// How long one like it lasts.
    lasts: Duration,
}

impl Authorization {
    /// # Errors
    /// [`Trouble::Configuration`] for a token that no header can carry.
    pub fn bearer_token(token: &Secret) -> Result<Self, CallError> {
        let value = secret_header(&format!("Bearer {}", token.expose()), "target.token")?;
        Ok(Self::fixed_header(value, "check target.token", vec![token.clone()]))
    }

    /// # Errors
    /// [`Trouble::Configuration`] for a name with a colon, which RFC 7617 has no room for.
    pub fn basic_credentials(username: &str, password: &Secret) -> Result<Self, CallError> {
        if username.contains(':') {
            return Err(CallError::new(Trouble::Configuration, "target.username must not contain a colon"));
        }
        let code = BASE64_STANDARD.encode(format!("{username}:{}", password.expose()));
        let value = secret_header(&format!("Basic {code}"), "target.password")?;
        let secrets = vec![password.clone(), Secret::new(code)];
        Ok(Self::fixed_header(value, "check target.username and target.password", secrets))
    }

    fn fixed_header(value: HeaderValue, hint: &'static str, secrets: Vec<Secret>) -> Self {
        Self { way: Way::Fixed(value), header: AUTHORIZATION, hint, secrets }
    }

    #[must_use]
    pub fn client_credentials(credentials: ClientCredentials) -> Self {
        let secrets = vec![credentials.client_secret().clone()];
        let token = Box::new(RenewedToken::new(Box::new(credentials)));
        Self {
            way: Way::Fetched { token, scheme: "Bearer ", refused_by: RefusedBy::Status },
            header: AUTHORIZATION,
            hint: "a token that was just fetched is refused: check target.scope and what this client may do",
            secrets,
        }
    }

    /// A token that the system hands out in a way of its own and takes back in this header. Only
    /// [`AnswerVerdict::Stale`] says that it is refused; `hint` is for when a new one is refused as well.
    #[must_use]
    pub fn exchanged_token(
        source: impl TokenSource + 'static,
        header: HeaderName,
        hint: &'static str,
        secrets: Vec<Secret>,
    ) -> Self {
        let token = Box::new(RenewedToken::new(Box::new(source)));
        Self { way: Way::Fetched { token, scheme: "", refused_by: RefusedBy::Judge }, header, hint, secrets }
    }

    /// Puts the header on a request that is about to leave; returns the generation of its token.
    fn add_header(&self, headers: &mut HeaderMap) -> u64 {
        let (value, generation) = match &self.way {
            Way::Fixed(value) => (Some(value.clone()), 0),
            Way::Fetched { token, scheme, .. } => match token.cell.current_token() {
                // Only what fits into a header is taken for a token.
                Some(token) => {
                    (HeaderValue::from_str(&format!("{scheme}{}", token.secret.expose())).ok(), token.generation)
                }
                None => (None, 0),
            },
        };
        if let Some(value) = value {
            headers.insert(self.header.clone(), value);
        }
        generation
    }

    /// Whether an answer says that the token is refused, as far as its status can say so.
    fn is_refused_by_status(&self, answer: &HttpAnswer) -> bool {
        !matches!(self.way, Way::Fetched { refused_by: RefusedBy::Judge, .. })
            && answer.status == StatusCode::UNAUTHORIZED
    }
}

/// A client whose requests are authorised.
pub struct AuthorizedClient {
    pub client: Client,
    authorization: Authorization,
}

/// What a request came to once the transport is through with it.
enum AuthorizedReply<T> {
    Done(T),
    /// The token was refused, for the first time.
    Stale,
}

impl AuthorizedClient {
    /// Sends nothing yet. From now on nothing that the client says shows the secrets.
    #[must_use]
    pub fn new(client: Client, authorization: Authorization) -> Self {
        for secret in &authorization.secrets {
            client.redact_secret(secret.clone());
        }
        Self { client, authorization }
    }

    /// Fetches a token, where one is needed and there is none yet.
    ///
    /// # Errors
    /// As [`TokenSource::fetch_token`].
    pub async fn sign_in(&self) -> Result<(), CallError> {
        match &self.authorization.way {
            Way::Fixed(_) => Ok(()),
            Way::Fetched { token, .. } => token.provide_token(&self.client, None).await,
        }
    }

    /// How long tokens live, as far as the server says.
    #[must_use]
    pub fn token_life(&self) -> Option<TokenLife> {
        let Way::Fetched { token, .. } = &self.authorization.way else { return None };
        let Due { at, lasts } = token.look_at_due()?;
        Some(TokenLife { left: at.saturating_sub(self.client.clock().elapsed()), lasts })
    }

    /// Sends a request, and once more with a new token when the token was refused. `stamp` puts on the other headers. A
    /// refusal for the second time, or where there is no other token, is a matter of configuration.
    ///
    /// # Errors
    /// As [`Client::send`], and as [`TokenSource::fetch_token`].
    pub async fn send<T>(
        &self,
        request: &HttpRequest<'_>,
        stamp: impl Fn(&mut HeaderMap) + Send + Sync,
        judge: impl Fn(&HttpAnswer) -> AnswerVerdict<T> + Send + Sync,
    ) -> Result<T, CallError> {
        let authorization = &self.authorization;
        let mut tries = Tries::default();
        let mut refused = None;
        loop {
            if let Way::Fetched { token, .. } = &authorization.way {
                token.provide_token(&self.client, refused).await.map_err(|error| {
                    let lost = tries.lost && request.purpose == Purpose::Write;
                    error.with_effect(if lost { Effect::Unknown } else { Effect::None })
                })?;
            }
            let may_renew = matches!(authorization.way, Way::Fetched { .. }) && refused.is_none();
            let mut generation = 0;
            let put_on = |headers: &mut HeaderMap| {
                stamp(headers);
                generation = authorization.add_header(headers);
            };
            let not_authorized = |error: CallError| {
                let error = CallError { trouble: Trouble::Configuration, ..error };
                AnswerVerdict::Refused(error.with_hint(authorization.hint))
            };
            let reply = self
                .client
                .send(request, &mut tries, put_on, |answer| {
                    let is_refused = authorization.is_refused_by_status(answer);
                    if is_refused && may_renew {
                        return AnswerVerdict::Done(AuthorizedReply::Stale);
                    }
                    match judge(answer) {
                        AnswerVerdict::Stale(_) if may_renew => AnswerVerdict::Done(AuthorizedReply::Stale),
                        AnswerVerdict::Stale(error) => not_authorized(error),
                        AnswerVerdict::Refused(error) | AnswerVerdict::ServerError(error) if is_refused => {
                            not_authorized(error)
                        }
                        verdict => verdict.map_done(AuthorizedReply::Done),
                    }
                })
                .await?;
            match reply {
                AuthorizedReply::Done(done) => return Ok(done),
                AuthorizedReply::Stale => refused = Some(generation),
            }
        }
    }
}

impl RenewedToken {
    fn new(source: Box<dyn TokenSource>) -> Self {
        Self { source, cell: TokenCell::new(), due: Mutex::new(None) }
    }

    /// Makes sure that there is a token that is not about to expire; one newer than that of this generation where that
    /// one was refused.
    async fn provide_token(&self, http: &Client, refused: Option<u64>) -> Result<(), CallError> {
        let is_due = self.look_at_due().is_some_and(|due| http.clock().elapsed() >= due.at);
        let old = refused.or_else(|| self.cell.current_token().filter(|_| is_due).map(|old| old.generation));
        self.cell.get_newer_than(old.unwrap_or(0), || self.fetch_token(http)).await.map(|_| ())
    }

    async fn fetch_token(&self, http: &Client) -> Result<Secret, CallError> {
        // From before the request, because that is the earliest that the server can count from.
        let asked = http.clock().elapsed();
        let GrantedToken { token, life } = self.source.fetch_token(http).await?;
        http.redact_token(token.clone());
        let lasts = life.map(|life| life - (life / 10).min(MARGIN));
        let due = lasts.map(|lasts| Due { at: asked.saturating_add(lasts), lasts });
        *self.due.lock().unwrap_or_else(PoisonError::into_inner) = due;
        Ok(token)
    }

    fn look_at_due(&self) -> Option<Due> {
        *self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A header whose value is never printed.
pub fn secret_header(text: &str, setting: &str) -> Result<HeaderValue, CallError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        CallError::new(Trouble::Configuration, format!("{setting} has a character that no header can carry"))
    })?;
    value.set_sensitive(true);
    Ok(value)
}
