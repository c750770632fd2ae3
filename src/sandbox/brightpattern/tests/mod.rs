//! The contact center as a client sees it, over real HTTP.

mod api;
mod faults;

use serde_json::{Value, json};
use std::sync::Arc;

use crate::sandbox::brightpattern::BrightpatternBehaviour;
use crate::sandbox::testing::{Client, serve_sandbox as started};
use crate::sandbox::{CLIENT_ID, CLIENT_SECRET, DOMAIN, Faults, Options, Sandbox, Seed};

const SEED: &str = r#"{
  "teams": ["Sales", "Support"], "skills": ["English", "Chess"], "roles": ["Agent", "Supervisor"],
  "externals": [{"extension": "9001", "firstName": "Front", "lastName": "Desk"}],
  "accounts": [
    {"loginId": "Ben.Katz", "firstName": "Ben", "lastName": "Katz", "team": "Sales", "extension": "1040",
     "email": "ben@example.com", "skills": {"English": 90, "Chess": 5}, "roles": ["Agent"]},
    {"loginId": "cleo@x", "firstName": "Cleo", "team": "Support", "extension": "1041", "disabled": true}
  ]}"#;

fn options() -> Options {
    Options {
        system: Arc::new(BrightpatternBehaviour::default()),
        seed: Seed::Text(SEED.to_owned()),
        ..Options::default()
    }
}

fn with_faults(faults: &str) -> Options {
    Options { faults: Faults::parse(faults).unwrap(), ..options() }
}

fn form() -> String {
    format!("grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&scope={DOMAIN}")
}

/// A sandbox and a client signed in to it.
async fn served(options: Options) -> (Sandbox, Client) {
    let (sandbox, mut client) = started(options, "", "application/json").await;
    sign_in(&mut client).await;
    (sandbox, client)
}

async fn sign_in(client: &mut Client) {
    let answer = client.sign_in(&form()).await;
    assert_eq!(answer.status, 200);
    client.authorization = format!("Bearer {}", answer.json()["access_token"].as_str().unwrap());
}

fn ana() -> Value {
    json!({
        "loginId": "ana.silva", "password": "correct horse", "firstName": "Ana", "lastName": "Silva", "team": "Support",
        "email": "ana@example.com", "skills": {"English": 100}, "roles": ["Agent", "Supervisor"],
    })
}

/// Ana with one field set, or removed where the value is `null`.
fn but(field: &str, to: Value) -> Value {
    let mut ana = ana();
    let object = ana.as_object_mut().unwrap();
    object.remove(field);
    if !to.is_null() {
        object.insert(field.to_owned(), to);
    }
    ana
}
