//! The targets that there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use headcount::connectors::{CallError, Connector, brightpattern, imichat, scim};
use headcount::model::{Secret, Value};
use headcount::sandbox::{API_KEY, CLIENT_ID, CLIENT_SECRET, DOMAIN, ExpiresIn, Options, scim as tenant};

use super::subject::{Place, Subject, Update};

/// What the simulated system makes of all that its pages leave open.
#[derive(Clone, Copy)]
pub enum Reading {
    Usual,
    /// All of it the other way.
    Other,
}

pub struct Imichat(pub Reading);

impl Subject for Imichat {
    fn tenant(&self) -> Options {
        use headcount::sandbox::imichat as tenant;
        let imichat = match self.0 {
            Reading::Usual => tenant::ImichatBehaviour::default(),
            Reading::Other => tenant::ImichatBehaviour {
                links: tenant::PageLinks::Absent,
                list: tenant::ListShape::Array,
                past_the_end: tenant::PastTheEnd::EmptyPage,
                stamps: tenant::Stamps::CreatedTwice,
                booleans: tenant::ImichatBooleans::Text,
                ..tenant::ImichatBehaviour::default()
            },
        };
        Options { system: Arc::new(imichat), ..Options::default() }
    }

    fn secret(&self) -> &'static str {
        API_KEY
    }

    fn connect<'a>(&'a self, place: Place<'a>) -> BoxFuture<'a, Result<Box<dyn Connector>, CallError>> {
        Box::pin(async move {
            let settings = imichat::ImichatSettings::default();
            let Place { access, secret } = place;
            let target = imichat::connect_tenant(&settings, access, &Secret::new(secret), DOMAIN)?;
            Ok(Box::new(target) as Box<dyn Connector>)
        })
    }

    fn login(&self, n: u64) -> (&'static str, String) {
        ("login_id", format!("user{n:06}"))
    }

    fn person(&self, n: u64) -> Vec<(&'static str, Value)> {
        vec![
            ("login_id", Value::text(format!("new{n}"))),
            ("email_id", Value::text(format!("new{n}@example.com"))),
            ("first_name", Value::text("Zoë")),
            ("last_name", Value::text("O'Neil \"Z\"")),
            ("job_description", Value::text("Agent")),
            ("login_using_email", Value::Bool(true)),
            ("skill_attributes", object("French", 70)),
        ]
    }

    fn updates(&self) -> Vec<Update> {
        vec![
            Update { attribute: "last_name", value: Value::text("Díaz"), changes: "/last_name" },
            Update { attribute: "skill_attributes", value: object("French", 70), changes: "/skill_attributes/French" },
        ]
    }

    fn nobody(&self) -> &'static str {
        "999999999"
    }

    fn midway(&self) -> &'static str {
        "op = 'list', page = 50"
    }

    fn failure(&self) -> &'static str {
        "status = 500, code = 2007"
    }

    fn sample(&self) -> &'static str {
        "config.toml"
    }
}

pub struct Brightpattern(pub Reading);

impl Subject for Brightpattern {
    fn tenant(&self) -> Options {
        use headcount::sandbox::brightpattern as tenant;
        let brightpattern = match self.0 {
            Reading::Usual => tenant::BrightpatternBehaviour::default(),
            Reading::Other => tenant::BrightpatternBehaviour {
                created: tenant::Created::User,
                extension: tenant::Extension::Number,
                booleans: tenant::BrightpatternBooleans::Text,
                directory: tenant::Directory::UsersAndExternals,
                errors: tenant::Errors::Json,
                expires_in: ExpiresIn::Number,
                ..tenant::BrightpatternBehaviour::default()
            },
        };
        Options { system: Arc::new(brightpattern), ..Options::default() }
    }

    fn secret(&self) -> &'static str {
        CLIENT_SECRET
    }

    fn connect<'a>(&'a self, place: Place<'a>) -> BoxFuture<'a, Result<Box<dyn Connector>, CallError>> {
        Box::pin(async move {
            let Place { access, secret } = place;
            let login = brightpattern::BrightpatternLogin {
                client_id: CLIENT_ID.to_owned(),
                client_secret: Secret::new(secret),
                scope: DOMAIN.to_owned(),
            };
            let needed: Vec<_> =
                brightpattern::make_schema().iter().map(|(_, attribute)| attribute.name.clone()).collect();
            let target = brightpattern::connect_tenant(access, login, &needed)?;
            Ok(Box::new(target) as Box<dyn Connector>)
        })
    }

    fn login(&self, n: u64) -> (&'static str, String) {
        ("loginId", format!("user{n:06}"))
    }

    fn person(&self, n: u64) -> Vec<(&'static str, Value)> {
        vec![
            ("loginId", Value::text(format!("new{n}"))),
            ("firstName", Value::text("Zoë")),
            ("lastName", Value::text("O'Neil \"Z\"")),
            ("team", Value::text("Everybody")),
            ("email", Value::text(format!("new{n}@example.com"))),
            ("disabled", Value::Bool(false)),
            ("skills", object("French", 70)),
            ("roles", Value::List(vec![Value::text("Agent")])),
        ]
    }

    fn updates(&self) -> Vec<Update> {
        vec![
            Update { attribute: "skills", value: object("French", 70), changes: "/skills/French" },
            Update { attribute: "disabled", value: Value::Bool(true), changes: "/disabled" },
        ]
    }

    fn nobody(&self) -> &'static str {
        "nobody"
    }

    fn midway(&self) -> &'static str {
        "op = 'get', login = 'user000500'"
    }

    fn sample(&self) -> &'static str {
        "samples/brightpattern.toml"
    }
}

pub struct Scim(pub Reading);

const WORK: &str = r#"emails[type eq "work"].value"#;
const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

impl Subject for Scim {
    fn tenant(&self) -> Options {
        let usual = tenant::ScimBehaviour { auth: tenant::Auth::ClientCredentials, ..tenant::ScimBehaviour::default() };
        let scim = match self.0 {
            Reading::Usual => usual,
            Reading::Other => tenant::ScimBehaviour {
                schemas: tenant::Discovery::Missing,
                resource_types: tenant::Discovery::Missing,
                patch: tenant::Patch::Unsupported,
                etags: tenant::Etags::Unsupported,
                cursors: tenant::Cursors::Only,
                filter: tenant::FilterSupport::Ignored,
                conflict: tenant::Conflict::WithoutScimType,
                booleans: tenant::ScimBooleans::Text,
                empty: tenant::Empty::NoResources,
                media_type: tenant::MediaType::Json,
                expires_in: ExpiresIn::Missing,
                ..usual
            },
        };
        Options { system: Arc::new(scim), ..Options::default() }
    }

    fn secret(&self) -> &'static str {
        CLIENT_SECRET
    }

    fn connect<'a>(&'a self, place: Place<'a>) -> BoxFuture<'a, Result<Box<dyn Connector>, CallError>> {
        Box::pin(async move {
            let settings =
                scim::ScimSettings { credentials: None, page_size: 100, update_method: scim::UpdateMethod::Auto };
            let Place { access, secret } = place;
            let login = scim::ScimLogin::ClientCredentials {
                token_url: format!("{}/oauth/token", access.base_url),
                client_id: CLIENT_ID.to_owned(),
                client_secret: Secret::new(secret),
                scope: None,
            };
            let mapped = ["title", "password", WORK, DEPARTMENT].map(str::to_owned);
            scim::connect_tenant(&settings, access, login, &mapped).await
        })
    }

    fn login(&self, n: u64) -> (&'static str, String) {
        ("userName", format!("user{n:06}@example.com"))
    }

    fn person(&self, n: u64) -> Vec<(&'static str, Value)> {
        vec![
            ("userName", Value::text(format!("new{n}@example.com"))),
            ("externalId", Value::text(format!("N{n}"))),
            ("active", Value::Bool(true)),
            ("name.givenName", Value::text("Zoë")),
            ("name.familyName", Value::text("O'Neil \"Z\"")),
            ("title", Value::text("Agent")),
            (WORK, Value::text(format!("new{n}@example.com"))),
            (DEPARTMENT, Value::text("Ops")),
        ]
    }

    fn updates(&self) -> Vec<Update> {
        vec![
            Update { attribute: "title", value: Value::text("Lead"), changes: "/resource/title" },
            Update { attribute: "name.familyName", value: Value::text("Díaz"), changes: "/resource/name/familyName" },
            Update { attribute: WORK, value: Value::text("a@example.org"), changes: "/resource/emails/0/value" },
        ]
    }

    fn nobody(&self) -> &'static str {
        "00000000-0000-4000-8000-000000000000"
    }

    fn midway(&self) -> &'static str {
        "op = 'list', page = 5"
    }

    /// What a server says of itself it says to everybody, so an account is asked for.
    fn listings_of_signing_in(&self) -> u64 {
        1
    }

    fn sample(&self) -> &'static str {
        "samples/scim.toml"
    }
}

fn object(name: &str, level: i64) -> Value {
    Value::Object(BTreeMap::from([(name.to_owned(), Value::Int(level))]))
}
