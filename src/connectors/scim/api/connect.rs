//! Signing in, and finding out what the server is, what it can do and where its users are.

use std::sync::atomic::{AtomicBool, AtomicU64};

use reqwest::header::{ACCEPT, HeaderMap, HeaderName};
use serde_json::Value as Json;
use tokio::sync::OnceCell;

use super::super::discovery::{find_endpoint, read_abilities, read_definitions};
use super::super::schema::Layout;
use super::super::{ScimLogin, ScimSettings, UpdateMethod};
use super::{EITHER_JSON, ScimApi};
use crate::connectors::http::{
    AnswerVerdict, Authorization, AuthorizedClient, Client, ClientCredentials, ClientSettings, HttpRequest,
    ServerAccess,
};
use crate::connectors::{CallError, Purpose, Trouble};

impl ScimApi {
    /// Signs in and asks the server what it is.
    pub async fn discover_service(
        settings: &ScimSettings,
        access: ServerAccess<'_>,
        login: ScimLogin,
        layout: Layout,
    ) -> Result<Self, CallError> {
        let client = Client::new(ClientSettings {
            transaction_header: Some(HeaderName::from_static("x-request-id")),
            ..ClientSettings::new(access)
        })?;
        let http = AuthorizedClient::new(client, make_authorization(login)?);
        http.sign_in().await?;
        let (config, types, schemas) = futures::join!(
            get_announced(&http, "/ServiceProviderConfig"),
            get_announced(&http, "/ResourceTypes"),
            get_announced(&http, "/Schemas"),
        );
        let abilities = config?.as_ref().map(read_abilities).unwrap_or_default();
        let announced = types?.and_then(|types| find_endpoint(&types, http.client.base_url()));
        let layout = schemas?.map_or(layout.clone(), |schemas| layout.refine_layout(&read_definitions(&schemas)));
        let puts = match settings.update_method {
            UpdateMethod::Auto => abilities.patch == Some(false),
            UpdateMethod::Patch => false,
            UpdateMethod::Put => true,
        };
        let page_size = u64::from(settings.page_size);
        let page_size = abilities.page_size.map_or(page_size, |most| page_size.min(most)).max(1);
        let mut api = Self {
            http,
            layout,
            endpoint: announced.clone().unwrap_or_else(|| "/Users".to_owned()),
            abilities,
            page_size,
            method: settings.update_method,
            puts: AtomicBool::new(puts),
            plain: AtomicBool::new(false),
            unfiltered: AtomicBool::new(false),
            listed: AtomicU64::new(0),
            step: AtomicU64::new(page_size),
            connecting: 0,
            let_in: OnceCell::new(),
        };
        if announced.is_none() {
            api.find_users().await?;
        }
        let sent = api.http.client.meter().sent_so_far();
        api.connecting = sent.total - sent.retried;
        Ok(api)
    }

    /// Asks for one account, because only that tells whether the credentials are accepted: what a server says of itself
    /// it often says to everybody.
    pub async fn sign_in(&self) -> Result<(), CallError> {
        self.let_in.get_or_try_init(|| self.try_endpoint(&self.endpoint)).await.map(|_| ())
    }

    /// Where the server does not say where its users are, they are at `/Users`, which some servers write small.
    async fn find_users(&mut self) -> Result<(), CallError> {
        match self.try_endpoint(&self.endpoint).await {
            Ok(()) => {}
            Err(error) if error.code == Some(404) => {
                if self.try_endpoint("/users").await.is_err() {
                    return Err(error);
                }
                self.endpoint = "/users".to_owned();
            }
            Err(error) => return Err(error),
        }
        self.let_in = OnceCell::new_with(Some(()));
        Ok(())
    }

    async fn try_endpoint(&self, endpoint: &str) -> Result<(), CallError> {
        let path = format!("{endpoint}?count=1");
        self.send(&HttpRequest::get(&path, Purpose::Auth), None, |answer| self.judge_page(answer).map_done(|_| ()))
            .await
    }
}

fn make_authorization(login: ScimLogin) -> Result<Authorization, CallError> {
    match login {
        ScimLogin::Bearer(token) => Authorization::bearer_token(&token),
        ScimLogin::Basic { username, password } => Authorization::basic_credentials(&username, &password),
        ScimLogin::ClientCredentials { token_url, client_id, client_secret, scope } => {
            Ok(Authorization::client_credentials(ClientCredentials::new(token_url, client_id, client_secret, scope)))
        }
    }
}

/// What the server says of itself at this path; none where it says nothing that can be understood. That the credentials
/// are refused here proves nothing: some servers keep this from everybody.
async fn get_announced(http: &AuthorizedClient, path: &str) -> Result<Option<Json>, CallError> {
    let stamp = |headers: &mut HeaderMap| {
        headers.insert(ACCEPT, EITHER_JSON);
    };
    let request = HttpRequest::get(path, Purpose::Auth);
    let asked = http.send(&request, stamp, |answer| match answer.status.as_u16() {
        200..300 => AnswerVerdict::Done(serde_json::from_slice::<Json>(&answer.body).ok()),
        500 | 502..=504 => AnswerVerdict::ServerError(CallError::new(Trouble::Unavailable, "the server fails")),
        _ => AnswerVerdict::Done(None),
    });
    match asked.await {
        // It answers, if only with errors: whether it works will show where it matters.
        Err(error) if error.trouble == Trouble::Unavailable && error.code.is_some() => Ok(None),
        asked => asked,
    }
}
