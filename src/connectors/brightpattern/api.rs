//! The requests of the API: signing in, and the calls that the engine needs.

use reqwest::Method;

use super::BrightpatternLogin;
use super::answer::{accept_done, judge_answer};
use super::decode;
use super::schema::at;
use super::wire::{Body, first_reference, request_body};
use crate::connectors::http::{
    Authorization, AuthorizedClient, Client, ClientCredentials, ClientSettings, HttpAnswer, HttpRequest, Repeat,
    ServerAccess, path_segment,
};
use crate::connectors::listing::{DetailedList, DirectoryEntry};
use crate::connectors::{CallError, Purpose, Trouble};
use crate::model::text::normal;
use crate::model::{AccountId, Attributes, Schema};

/// Where the list of users, and one user, are found below the base address.
const DIRECTORY: &str = "/phone/user";
const USER: &str = "/user";

/// One tenant's API.
pub(super) struct BrightpatternApi {
    pub http: AuthorizedClient,
    pub schema: Schema,
}

impl BrightpatternApi {
    pub fn new(access: ServerAccess<'_>, login: BrightpatternLogin, schema: Schema) -> Result<Self, CallError> {
        let client = Client::new(ClientSettings::new(access))?;
        let credentials =
            ClientCredentials::new("/oauth/token", login.client_id, login.client_secret, Some(login.scope));
        let http = AuthorizedClient::new(client, Authorization::client_credentials(credentials));
        Ok(Self { http, schema })
    }

    /// The names of the teams; none where this release does not say.
    pub async fn list_teams(&self) -> Result<Option<Vec<String>>, CallError> {
        let request = HttpRequest::get("/team", Purpose::Lookup);
        match self.send_call(&request, |answer| decode::decode_teams(&answer.body), |_, error| error).await {
            Ok(teams) => Ok(Some(teams)),
            Err(error) if matches!(error.code, Some(404 | 405)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the server shows of one user.
    pub async fn get_user(&self, login: &str, purpose: Purpose) -> Result<Option<Attributes>, CallError> {
        let Some(path) = user_path(login) else { return Ok(None) };
        let read = |answer: &HttpAnswer| decode::decode_user(&self.schema, &answer.body);
        match self.send_call(&HttpRequest::get(&path, purpose), read, |_, error| error).await {
            Ok((shown, values)) if is_same_login(&shown, login) => Ok(Some(values)),
            Ok((shown, _)) => {
                let message = format!("GET {}: the answer is about {shown:?}", path.trim_start_matches('/'));
                Err(CallError::new(Trouble::Garbled, message))
            }
            Err(error) if error.trouble == Trouble::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends the one create. Only what certainly was not carried out is repeated.
    pub async fn create(&self, values: &Attributes) -> Result<AccountId, CallError> {
        let Some(login) = values.get(at::LOGIN_ID).and_then(|value| value.as_str()) else {
            return Err(CallError::new(Trouble::Refused, "a user cannot be created without a loginId"));
        };
        if path_segment(login).is_none() {
            let message = format!("{login:?} cannot be a loginId: no address can name such a user");
            return Err(CallError::new(Trouble::Refused, message));
        }
        let Body { bytes, secrets } = request_body(&self.schema, values)?;
        let request = HttpRequest {
            method: Method::POST,
            path: USER,
            body: Some(bytes),
            purpose: Purpose::Write,
            repeat: Repeat::IfUnsent,
            secrets: &secrets,
        };
        let read = |answer: &HttpAnswer| match decode::decode_user(&self.schema, &answer.body) {
            Some((shown, _)) => is_same_login(&shown, login).then_some(AccountId(shown)),
            None => accept_done(answer).map(|()| AccountId(login.to_owned())),
        };
        let explain = |status, error| match status {
            404 => self.names_nothing(values, error),
            409 => CallError { trouble: Trouble::Exists, ..error },
            _ => error,
        };
        self.send_call(&request, read, explain).await
    }

    pub async fn update(&self, id: &AccountId, values: &Attributes) -> Result<(), CallError> {
        let Body { bytes, secrets } = request_body(&self.schema, values)?;
        let path = user_path(id.as_str()).ok_or_else(|| no_id(id))?;
        let request = HttpRequest {
            method: Method::PUT,
            path: &path,
            body: Some(bytes),
            purpose: Purpose::Write,
            // Setting the same values twice is setting them once.
            repeat: Repeat::Safe,
            secrets: &secrets,
        };
        match self.send_call(&request, accept_done, |_, error| error).await {
            // Either the user is not there, or what the values refer to; only asking tells.
            Err(error) if error.trouble == Trouble::NotFound && first_reference(&self.schema, values).is_some() => {
                match self.get_user(id.as_str(), Purpose::Lookup).await {
                    Ok(Some(_)) => Err(self.names_nothing(values, error)),
                    _ => Err(error),
                }
            }
            result => result,
        }
    }

    pub async fn delete(&self, id: &AccountId) -> Result<(), CallError> {
        let path = user_path(id.as_str()).ok_or_else(|| no_id(id))?;
        let request = HttpRequest {
            method: Method::DELETE,
            path: &path,
            body: None,
            purpose: Purpose::Write,
            repeat: Repeat::Safe,
            secrets: &[],
        };
        self.send_call(&request, accept_done, |_, error| error).await
    }

    /// Sends a request. `read` takes from a success what was asked for, and nothing where it is no answer of this API;
    /// `explain` may say more of a refusal with an HTTP status.
    async fn send_call<T>(
        &self,
        request: &HttpRequest<'_>,
        read: impl Fn(&HttpAnswer) -> Option<T> + Send + Sync,
        explain: impl Fn(u16, CallError) -> CallError + Send + Sync,
    ) -> Result<T, CallError> {
        self.http.send(request, |_| {}, |answer| judge_answer(answer, &read, &explain)).await
    }

    /// The server does not find what the values refer to, and does not say which of it.
    fn names_nothing(&self, values: &Attributes, error: CallError) -> CallError {
        let Some(named) = first_reference(&self.schema, values) else { return error };
        let message = format!("{}: the contact center does not have one of: {named}", error.message);
        CallError { trouble: Trouble::Refused, message, ..error }
            .with_hint("create it in Contact Center Administrator, or map a name that exists")
    }
}

impl DetailedList for BrightpatternApi {
    const LOGIN: &'static str = "loginId";

    fn concurrency(&self) -> usize {
        self.http.client.concurrency()
    }

    async fn fetch_directory(&self, purpose: Purpose) -> Result<Vec<DirectoryEntry>, CallError> {
        let request = HttpRequest::get(DIRECTORY, purpose);
        self.send_call(&request, |answer| decode::decode_directory(&self.schema, &answer.body), unusable_answer).await
    }

    async fn fetch_details(&self, login: &str, purpose: Purpose) -> Result<Option<Attributes>, CallError> {
        self.get_user(login, purpose).await
    }
}

fn user_path(login: &str) -> Option<String> {
    path_segment(login).map(|login| format!("{USER}/{login}"))
}

fn no_id(id: &AccountId) -> CallError {
    CallError::new(Trouble::NotFound, format!("{:?} is not an account id", id.as_str()))
}

/// Whether two logins are one.
pub(super) fn is_same_login(a: &str, b: &str) -> bool {
    normal(a.trim(), false) == normal(b.trim(), false)
}

/// Without the directory there is nothing that could be done with this address.
fn unusable_answer(status: u16, error: CallError) -> CallError {
    match status {
        403 => CallError { trouble: Trouble::Configuration, ..error }
            .with_hint("the API user of target.client_id must be allowed to read users"),
        404 => CallError { trouble: Trouble::Configuration, ..error }
            .with_hint("check that target.base_url ends with /configapi/v2"),
        _ => error,
    }
}
