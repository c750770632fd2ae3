//! The sandbox as a client sees it, over real HTTP.

mod api;
mod faults;
mod listing;
mod state;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::sandbox::{API_KEY, DOMAIN, Faults, Options, Sandbox, Seed, start};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A tenant with two teams, allowed custom attributes, an Administrative account and a Customer Care one.
const SEED: &str = r#"{
  "teams": [{"id": 1, "name": "Sales"}, {"id": 7, "name": "Support"}],
  "custom_attributes": {"business": ["retail"], "location": ["Lyon"]},
  "accounts": [
    {"id": 5, "created_at": "2024-01-02T03:04:05Z", "updated_at": "2024-05-06T07:08:09Z", "first_name": "Ada",
     "login_id": "admin", "email_id": "admin@example.com", "role_type": "Administrative"},
    {"id": 9, "created_at": "2024-01-02T03:04:05Z", "updated_at": "2024-05-06T07:08:09Z", "first_name": "Ben",
     "last_name": "Katz", "login_id": "ben.katz", "email_id": "ben.katz@example.com", "job_description": "Agent",
     "login_using_email": true, "skill_attributes": {"English": 90, "Chess": "5"}}
  ]}"#;

fn options() -> Options {
    Options { seed: Seed::Text(SEED.to_owned()), ..Options::default() }
}

fn generated(count: u64) -> Options {
    Options { seed: Seed::Generated(count), ..Options::default() }
}

fn with_faults(faults: &str) -> Options {
    Options { faults: Faults::parse(faults).unwrap(), ..options() }
}

fn ana() -> Value {
    json!({
        "login_id": "ana.silva", "email_id": "ana.silva@example.com", "first_name": "Ana", "last_name": "Silva",
        "password": "correct horse", "job_description": "Agent", "login_using_email": true,
        "privileges": [{"teamid": 7, "role": "Team Agent"}], "skill_attributes": {"English": "100"},
    })
}

/// A value with one of its fields set, or removed where the value is `null`.
fn but(mut value: Value, field: &str, to: Value) -> Value {
    let object = value.as_object_mut().unwrap();
    object.remove(field);
    if !to.is_null() {
        object.insert(field.to_owned(), to);
    }
    value
}

/// A client that is signed in.
struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

struct Answer {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    fn response(&self) -> Value {
        self.json()["response"].clone()
    }

    /// The HTTP status and the envelope's code.
    fn codes(&self) -> (u16, u64) {
        (self.status.as_u16(), self.json()["status_code"].as_u64().unwrap())
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
    }

    fn logins(&self) -> Vec<String> {
        let users = self.response()["users"].as_array().unwrap().clone();
        users.iter().map(|user| user["login_id"].as_str().unwrap().to_owned()).collect()
    }
}

impl Client {
    async fn new(sandbox: &Sandbox) -> Self {
        let mut client = Self::stranger(sandbox);
        client.sign_in().await;
        client
    }

    /// Without a token.
    fn stranger(sandbox: &Sandbox) -> Self {
        Self::at(sandbox.base_url())
    }

    fn at(base: String) -> Self {
        // Another test may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, base, token: String::new() }
    }

    async fn sign_in(&mut self) {
        let answer = self.authorize(Some(&auth_code(API_KEY, DOMAIN))).await;
        assert_eq!(answer.status, 200);
        self.token = answer.header("access_token").to_owned();
    }

    async fn authorize(&self, code: Option<&str>) -> Answer {
        let mut request = self.http.get(format!("{}/authorize", self.base));
        if let Some(code) = code {
            request = request.header("auth_code", code);
        }
        take(request).await.unwrap()
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).header("access_token", &self.token)
    }

    async fn try_send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, reqwest::Error> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        take(request).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.try_send(Method::GET, path, None).await.unwrap()
    }

    async fn create(&self, body: &Value) -> Answer {
        self.try_send(Method::POST, "/users", Some(body)).await.unwrap()
    }

    async fn update(&self, id: u64, body: &Value) -> Answer {
        self.try_send(Method::PATCH, &format!("/users/{id}"), Some(body)).await.unwrap()
    }
}

async fn take(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    Ok(Answer { status: response.status(), headers: response.headers().clone(), text: response.text().await? })
}

fn auth_code(key: &str, domain: &str) -> String {
    STANDARD.encode(format!("{key}@{domain}"))
}

/// A sandbox and a client signed in to it.
async fn served(options: Options) -> (Sandbox, Client) {
    let sandbox = start(options).await.unwrap();
    let client = Client::new(&sandbox).await;
    (sandbox, client)
}
