//! A client for the tests of the simulated tenants.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::{Options, Sandbox, start};

pub(super) struct Client {
    http: reqwest::Client,
    pub base: String,
    /// The header `authorization`; none where it is empty.
    pub authorization: String,
    /// Of the bodies that are sent.
    pub media_type: &'static str,
}

pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The HTTP status and the text.
    pub(super) fn status_and_text(&self) -> (u16, &str) {
        (self.status.as_u16(), &self.text)
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
    }
}

impl Client {
    pub(super) fn new(sandbox: &Sandbox, authorization: &str, media_type: &'static str) -> Self {
        Self::at(sandbox.base_url(), authorization, media_type)
    }

    pub(super) fn at(base: String, authorization: &str, media_type: &'static str) -> Self {
        // Another test may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, base, authorization: authorization.to_owned(), media_type }
    }

    /// A request with this client's credentials.
    pub(super) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        if self.authorization.is_empty() { request } else { request.header("authorization", &self.authorization) }
    }

    pub(super) async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.header("content-type", self.media_type).body(body.to_string());
        }
        take_answer(request).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.try_send(Method::GET, path, None).await.unwrap()
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_send(Method::POST, path, Some(body)).await.unwrap()
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.try_send(Method::PUT, path, Some(body)).await.unwrap()
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.try_send(Method::PATCH, path, Some(body)).await.unwrap()
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.try_send(Method::DELETE, path, None).await.unwrap()
    }

    /// Signs in with a form.
    pub(super) async fn sign_in(&self, form: &str) -> Answer {
        let request = self.http.post(format!("{}/oauth/token", self.base));
        take_answer(request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned()))
            .await
            .unwrap()
    }
}

pub(super) async fn take_answer(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    Ok(Answer { status: response.status(), headers: response.headers().clone(), text: response.text().await? })
}

/// A sandbox and a client with these credentials.
pub(super) async fn serve_sandbox(
    options: Options,
    authorization: &str,
    media_type: &'static str,
) -> (Sandbox, Client) {
    let sandbox = start(options).await.unwrap();
    let client = Client::new(&sandbox, authorization, media_type);
    (sandbox, client)
}
