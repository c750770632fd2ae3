//! The requests of the API: signing in, and the five calls that the engine needs.

use std::sync::atomic::AtomicBool;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::future::BoxFuture;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::ImichatSettings;
use super::codes::{Rejection, classify_code, open};
use super::decode::{Envelope, read_user};
use super::schema::make_schema;
use super::wire::request_body;
use crate::connectors::http::{
    AnswerVerdict, Authorization, AuthorizedClient, Client, ClientSettings, GrantedToken, HttpAnswer, HttpRequest,
    Repeat, ServerAccess, TokenSource, Tries, path_segment, reset_time, secret_header,
};
use crate::connectors::{CallError, Effect, Purpose, Quota, Trouble};
use crate::model::{Account, AccountId, Attributes, Schema, Secret};

/// One tenant's API.
pub(super) struct ImichatApi {
    pub http: AuthorizedClient,
    pub schema: Schema,
    team: Option<HeaderValue>,
    update_method: Method,
    privilege_key: String,
    /// Whether the server says how many pages a listing has; supposed until a listing showed otherwise.
    pub announces: AtomicBool,
}

impl ImichatApi {
    /// `open` makes the client; it is told which headers are secret.
    pub fn new(
        settings: &ImichatSettings,
        api_key: &Secret,
        domain: &str,
        open: impl FnOnce(Vec<HeaderName>) -> Result<Client, CallError>,
    ) -> Result<Self, CallError> {
        let auth_header = header_name("target.auth_header", &settings.auth_header)?;
        let token_header = header_name("target.token_header", &settings.token_header)?;
        let update_method = match settings.update_method.to_ascii_uppercase().as_str() {
            "PATCH" => Method::PATCH,
            "PUT" => Method::PUT,
            "POST" => Method::POST,
            other => {
                let message = format!("target.update_method is {other}");
                return Err(CallError::new(Trouble::Configuration, message).with_hint("it can be PATCH, PUT or POST"));
            }
        };
        let team = settings.team_id.as_deref().map(|id| header_value("target.team_id", id)).transpose()?;
        let code = BASE64_STANDARD.encode(format!("{}@{domain}", api_key.expose()));
        let client = open(vec![auth_header.clone(), token_header.clone()])?;
        let source = KeyExchange {
            auth_code: secret_header(&code, "target.api_key")?,
            auth_header,
            token_header: token_header.clone(),
            authorize_path: settings.authorize_path.clone(),
        };
        let hint = "a token that was just fetched is refused: check target.api_key, target.domain and \
                    target.token_header";
        let secrets = vec![api_key.clone(), Secret::new(code)];
        Ok(Self {
            http: AuthorizedClient::new(client, Authorization::exchanged_token(source, token_header, hint, secrets)),
            schema: make_schema(settings.update_body),
            team,
            update_method,
            privilege_key: settings.privilege_key.clone(),
            announces: AtomicBool::new(true),
        })
    }

    pub async fn get_user(&self, id: &AccountId) -> Result<Option<Account>, CallError> {
        let Some(id) = path_segment(id.as_str()) else { return Ok(None) };
        let path = format!("/users/{id}");
        self.send_call(&HttpRequest::get(&path, Purpose::Lookup), |answer| match self.open_user(answer) {
            Ok(Some(account)) => Ok(Some(account)),
            Ok(None) => Err(Rejection::Refused(CallError::new(
                Trouble::Garbled,
                "the answer holds no user with an id where one was expected",
            ))),
            Err(Rejection::Refused(error)) if error.trouble == Trouble::NotFound => Ok(None),
            Err(Rejection::NoEnvelope(_)) if answer.status == 404 => Ok(None),
            Err(rejection) => Err(rejection),
        })
        .await
    }

    /// Sends the one create. Only what certainly was not carried out is repeated.
    pub async fn create(&self, values: &Attributes) -> Result<AccountId, CallError> {
        let (body, secrets) = request_body(&self.schema, values, &self.privilege_key)?;
        let request = HttpRequest {
            method: Method::POST,
            path: "/users",
            body: Some(body),
            purpose: Purpose::Write,
            repeat: Repeat::IfUnsent,
            secrets: &secrets,
        };
        self.send_call(&request, |answer| match self.open_user(answer)? {
            Some(account) => Ok(account.id),
            None => Err(Rejection::Refused(
                CallError::new(Trouble::Garbled, "the user was created, but the answer does not say its id")
                    .with_effect(Effect::Unknown),
            )),
        })
        .await
    }

    pub async fn update(&self, id: &AccountId, values: &Attributes) -> Result<(), CallError> {
        let (body, secrets) = request_body(&self.schema, values, &self.privilege_key)?;
        let Some(id) = path_segment(id.as_str()) else {
            return Err(CallError::new(Trouble::NotFound, format!("{id:?} is not an account's id")));
        };
        let path = format!("/users/{id}");
        let request = HttpRequest {
            method: self.update_method.clone(),
            path: &path,
            body: Some(body),
            purpose: Purpose::Write,
            // Setting the same values twice is setting them once, whatever the verb.
            repeat: Repeat::Safe,
            secrets: &secrets,
        };
        self.send_call(&request, |answer| open(answer).map(|_| ())).await
    }

    fn open_user(&self, answer: &HttpAnswer) -> Result<Option<Account>, Rejection> {
        open(answer).map(|response| read_user(&self.schema, response))
    }

    pub async fn send_call<T>(
        &self,
        request: &HttpRequest<'_>,
        judge: impl Fn(&HttpAnswer) -> Result<T, Rejection> + Send + Sync,
    ) -> Result<T, CallError> {
        let put_team = |headers: &mut HeaderMap| {
            if let Some(team) = &self.team {
                headers.insert(HeaderName::from_static("teamid"), team.clone());
            }
        };
        self.http.send(request, put_team, |answer| judge(answer).into()).await
    }
}

/// How the key and the domain become a token.
#[derive(Debug)]
struct KeyExchange {
    /// `base64(API_KEY@DOMAIN)`.
    auth_code: HeaderValue,
    auth_header: HeaderName,
    token_header: HeaderName,
    authorize_path: String,
}

impl TokenSource for KeyExchange {
    fn fetch_token<'a>(&'a self, http: &'a Client) -> BoxFuture<'a, Result<GrantedToken, CallError>> {
        Box::pin(async move {
            let request = HttpRequest::get(&self.authorize_path, Purpose::Auth);
            let stamp = |headers: &mut HeaderMap| {
                headers.insert(self.auth_header.clone(), self.auth_code.clone());
            };
            let token = http.send(&request, &mut Tries::default(), stamp, |answer| self.judge_token(answer)).await?;
            Ok(GrantedToken { token, life: None })
        })
    }
}

impl KeyExchange {
    /// The token is in a header; the body says only why there is none.
    fn judge_token(&self, answer: &HttpAnswer) -> AnswerVerdict<Secret> {
        let not_accepted = |error: CallError| {
            let said = error.message;
            let message = format!("the key or the domain is not accepted: {said}");
            AnswerVerdict::Refused(
                CallError { trouble: Trouble::Configuration, message, ..error }
                    .with_hint("check target.api_key and target.domain"),
            )
        };
        let configuration = |error: CallError| {
            AnswerVerdict::Refused(
                CallError { trouble: Trouble::Configuration, ..error }
                    .with_hint("check target.base_url, target.authorize_path and target.auth_header"),
            )
        };
        let envelope = serde_json::from_slice::<Envelope>(&answer.body).ok();
        let said = envelope.and_then(|said| classify_code(said.status_code, &said.description, answer));
        let token = answer.headers.get(&self.token_header).and_then(|token| token.to_str().ok()).map(str::trim);
        let token = token.filter(|token| !token.is_empty());
        let status = answer.status;
        match (said, token) {
            (Some(Rejection::Stale(error)), _) => not_accepted(error),
            (Some(Rejection::Server(error)), _) => AnswerVerdict::ServerError(error),
            (_, Some(token)) if status.is_success() => AnswerVerdict::Done(Secret::new(token)),
            (said, _) if status == 401 || status == 403 => {
                not_accepted(error_of(said).unwrap_or_else(|| silent_error(format!("HTTP {}", status.as_u16()))))
            }
            (said, _) if status.is_server_error() => {
                let error = error_of(said).unwrap_or_else(|| silent_error("the sign-in fails".to_owned()));
                AnswerVerdict::ServerError(CallError { trouble: Trouble::Unavailable, ..error })
            }
            (said, _) if !status.is_success() => configuration(
                error_of(said).unwrap_or_else(|| silent_error("there is no sign-in at this path".to_owned())),
            ),
            (said, _) => {
                let said = error_of(said).map(|error| format!(": {}", error.message)).unwrap_or_default();
                let message = format!("the sign-in returns no token in the header {}{said}", self.token_header);
                AnswerVerdict::Refused(
                    silent_error(message)
                        .with_hint("check target.token_header, target.authorize_path and target.base_url"),
                )
            }
        }
    }
}

fn error_of(rejection: Option<Rejection>) -> Option<CallError> {
    match rejection? {
        Rejection::Stale(error)
        | Rejection::Server(error)
        | Rejection::NoEnvelope(error)
        | Rejection::Refused(error) => Some(error),
    }
}

fn silent_error(message: String) -> CallError {
    CallError::new(Trouble::Configuration, message)
}

fn header_name(setting: &str, name: &str) -> Result<HeaderName, CallError> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| silent_error(format!("{setting} is {name:?}, which cannot be the name of a header")))
}

fn header_value(setting: &str, value: &str) -> Result<HeaderValue, CallError> {
    HeaderValue::from_str(value)
        .map_err(|_| silent_error(format!("{setting} has a character that no header can carry")))
}

/// How to speak with a tenant.
pub(super) fn client_settings(access: ServerAccess<'_>, secret_headers: Vec<HeaderName>) -> ClientSettings<'_> {
    let transaction_header = Some(HeaderName::from_static("trxid"));
    ClientSettings { access, secret_headers, transaction_header, read_quota: Some(read_quota) }
}

/// `Rate-Limit-Remaining` counts the requests that are left for the day.
fn read_quota(headers: &HeaderMap, now: Timestamp) -> Option<Quota> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    Some(Quota {
        limit: text("rate-limit-limit").and_then(|limit| limit.parse().ok()),
        remaining: text("rate-limit-remaining")?.parse().ok()?,
        resets_at: text("rate-limit-reset").and_then(|text| reset_time(text, now)),
    })
}
