//! Signing in with OAuth client credentials (RFC 6749, section 4.4), and the header that returns the token.

use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::query;
use super::reply::{self, SandboxReply};
use super::tokens::Tokens;
use crate::clock::Clock;

/// Where a client signs in, below the base URL.
pub(super) const PATH: &str = "/oauth/token";

/// How the life of a token is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExpiresIn {
    /// `"3600"`.
    #[default]
    Text,
    /// `3600`.
    Number,
    Missing,
}

/// Who may sign in.
pub(super) struct OauthClient {
    pub id: String,
    pub secret: String,
    /// Must be asked for where there is one.
    pub scope: Option<String>,
}

/// Gives a token to the client that names itself rightly, in the form or in the header.
pub(super) fn sign_in(
    client: &OauthClient,
    expires_in: ExpiresIn,
    tokens: &Tokens,
    clock: &dyn Clock,
    request: (&Method, &HeaderMap, &[u8]),
) -> SandboxReply {
    let (method, headers, body) = request;
    if *method != Method::POST {
        return refuse_token(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "a token is asked for with POST");
    }
    let form = query::query_pairs(&String::from_utf8_lossy(body));
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let (user, key) = basic_credentials(headers).unzip();
    if field("grant_type") != Some("client_credentials") {
        return refuse_token(
            StatusCode::UNAUTHORIZED,
            "unsupported_grant_type",
            "grant_type is not client_credentials",
        );
    }
    let named = field("client_id").or(user.as_deref()) == Some(&client.id);
    if !named || field("client_secret").or(key.as_deref()) != Some(&client.secret) {
        return refuse_token(StatusCode::UNAUTHORIZED, "invalid_client", "client_id or client_secret is wrong");
    }
    if client.scope.is_some() && field("scope") != client.scope.as_deref() {
        return refuse_token(StatusCode::UNAUTHORIZED, "invalid_scope", "scope is not the domain");
    }
    let token = format!("{:016x}{:016x}", clock.random(), clock.random());
    let seconds = tokens.life().time.map_or(3600, |time| time.as_secs());
    let mut answer = json!({ "access_token": token, "token_type": "Bearer", "scope": field("scope") });
    match expires_in {
        ExpiresIn::Text => answer["expires_in"] = Value::from(seconds.to_string()),
        ExpiresIn::Number => answer["expires_in"] = Value::from(seconds),
        ExpiresIn::Missing => {}
    }
    tokens.give_token(token, clock.elapsed());
    SandboxReply::from_json(StatusCode::OK, reply::json_bytes(&answer))
}

/// The bearer token of a request.
pub(super) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    scheme_credentials(headers, "bearer")
}

/// The name and the password of a request that names them.
pub(super) fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let decoded = STANDARD.decode(scheme_credentials(headers, "basic")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// What a 401 says besides: how to sign in.
pub(super) fn add_challenge(reply: SandboxReply) -> SandboxReply {
    reply.with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

fn scheme_credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (named, rest) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    named.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

fn refuse_token(status: StatusCode, error: &str, description: &str) -> SandboxReply {
    SandboxReply::from_json(status, reply::json_bytes(&json!({ "error": error, "error_description": description })))
}
