//! SCIM as the program knows it: the settings of `kind = "scim"`, and how they become a connection.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::ScimLogin;
use crate::connectors::{ConnectError, Connector, Descriptor, Link, SystemSettings};
use crate::discovery::{Blueprint, InUse, Meaning, ValueOrigin, Wish};
use crate::model::Schema;
use crate::sandbox;
use crate::settings::{
    Choices, SecretSource, SettingsTable, TEXT, WordChoice, default_setting, named_choice, optional_setting,
    secret_place, settings_table, to_sign_in, whole_number,
};

/// All that the program knows of the system.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "scim",
    system: "SCIM",
    says: "any SCIM 2.0 service",
    settings: || ScimTable.settings(),
    ways: &[&["token"], &["username", "password"], &["token_url", "client_id", "client_secret"]],
    deletes: true,
    example: "[target]\n\
                  kind      = \"scim\"\n\
                  base_url  = \"https://acme.example.com/scim/v2\"\n\
                  token     = { command = [\"pass\", \"show\", \"scim\"] }\n\
                  page_size = 200\n",
    read: |table, reading| Some(Arc::new(ScimTable.fill(table, reading)?)),
    sandbox_login: &[("token", sandbox::TOKEN)],
    simulate: || Arc::new(sandbox::scim::ScimBehaviour::default()),
    blueprint: &BLUEPRINT,
};

/// What `init` writes for it.
const BLUEPRINT: Blueprint = Blueprint {
    kind: "scim",
    address: "https://acme.example.com/scim/v2",
    to_go_live: &[("token", "{ env = \"SCIM_TOKEN\" }", "to go live: where the bearer token is kept, never in clear")],
    attributes: &[
        Wish::Needed {
            attribute: "userName",
            from: ValueOrigin::AddressOrLogin,
            wants: "a column with the name that people sign in with",
        },
        Wish::Welcome { attribute: "externalId", from: ValueOrigin::Identity },
        Wish::Names { first: "name.givenName", last: "name.familyName" },
        Wish::Welcome { attribute: "title", from: ValueOrigin::Column(&[Meaning::Title]) },
        Wish::InUse { attribute: "active", as_: InUse::TrueForOthers },
        Wish::Welcome { attribute: "emails[type eq \"work\"].value", from: ValueOrigin::Address },
        Wish::Welcome {
            attribute: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            from: ValueOrigin::Column(&[Meaning::Department, Meaning::Team]),
        },
        Wish::Welcome {
            attribute: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division",
            from: ValueOrigin::Column(&[Meaning::Division]),
        },
        Wish::Welcome {
            attribute: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter",
            from: ValueOrigin::Column(&[Meaning::CostCenter]),
        },
    ],
    rules: &["externalId", "userName"],
};

/// The settings of `kind = "scim"`.
#[derive(Clone, Debug)]
pub struct ScimSettings {
    /// None only where `base_url` is the sandbox.
    pub credentials: Option<Credentials>,
    /// How many resources a page is asked for; servers may give fewer.
    pub page_size: u32,
    pub update_method: UpdateMethod,
}

settings_table! {
    ScimTable makes ScimSettings {
        token = to_sign_in(secret_place("SCIM_TOKEN"), ""),
            "A bearer token.";
        username = to_sign_in(TEXT, ""),
            "The user of Basic authentication.";
        password = to_sign_in(secret_place("SCIM_PASSWORD"), ""),
            "The password of that user.";
        token_url = to_sign_in(TEXT, ""),
            "Where tokens are fetched, for OAuth client credentials: an address, or a path below `base_url`.";
        client_id = to_sign_in(TEXT, ""),
            "The client's id, for OAuth.";
        client_secret = to_sign_in(secret_place("SCIM_CLIENT_SECRET"), ""),
            "The client's secret, for OAuth.";
        scope = optional_setting(TEXT, "no scope is requested"),
            "The scope of an OAuth token, if the service needs one. It has no effect with `token` or `username`.";
        page_size = default_setting(whole_number::<u32>(1..=10_000), "100"),
            "How many users one request asks for. A service may return fewer.";
        update_method = default_setting(Choices(UPDATE_METHODS), "\"auto\""),
            "How a user is changed. A `PATCH` that the service turns out not to have becomes a `PUT` with `\"auto\"`.";
    } => {
        // The ways to sign in exclude each other, which is checked with those of all kinds.
        let credentials = match (token, (username, password), (token_url, client_id, client_secret)) {
            (Some(token), ..) => Some(Credentials::Bearer { token }),
            (_, (Some(username), Some(password)), _) => Some(Credentials::Basic { username, password }),
            (.., (Some(token_url), Some(client_id), Some(client_secret))) => {
                Some(Credentials::ClientCredentials { token_url, client_id, client_secret, scope })
            }
            _ => None,
        };
        ScimSettings { credentials, page_size, update_method }
    }
}

/// How to sign in.
#[derive(Clone, Debug)]
pub enum Credentials {
    Bearer { token: SecretSource },
    Basic { username: String, password: SecretSource },
    ClientCredentials { token_url: String, client_id: String, client_secret: SecretSource, scope: Option<String> },
}

/// How an account is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateMethod {
    /// As the server's ServiceProviderConfig says; a PATCH that it turns out not to have becomes a PUT.
    Auto,
    Patch,
    Put,
}

const UPDATE_METHODS: &[WordChoice<UpdateMethod>] = &[
    named_choice("auto", UpdateMethod::Auto, "`PATCH` where the service announces it, else `PUT`"),
    named_choice("patch", UpdateMethod::Patch, "always `PATCH`"),
    named_choice("put", UpdateMethod::Put, "always `PUT`, with what nobody mapped kept"),
];

impl SystemSettings for ScimSettings {
    fn schema(&self, mapped: &[String]) -> Schema {
        super::make_schema(mapped)
    }

    fn connect<'a>(&'a self, link: Link<'a>) -> BoxFuture<'a, Result<Box<dyn Connector>, ConnectError>> {
        Box::pin(async move {
            let login = self.read_login(&link)?;
            Ok(super::connect_tenant(self, link.access, login, link.mapped).await?)
        })
    }
}

impl ScimSettings {
    /// The credentials, read where they are kept. The sandbox knows a token, whatever the settings say.
    fn read_login(&self, link: &Link<'_>) -> Result<ScimLogin, ConnectError> {
        Ok(match self.credentials.as_ref().filter(|_| link.sandbox.is_none()) {
            None => ScimLogin::Bearer(link.secret("token", None)?),
            Some(Credentials::Bearer { token }) => ScimLogin::Bearer(link.secret("token", Some(token))?),
            Some(Credentials::Basic { username, password }) => {
                ScimLogin::Basic { username: username.clone(), password: link.secret("password", Some(password))? }
            }
            Some(Credentials::ClientCredentials { token_url, client_id, client_secret, scope }) => {
                ScimLogin::ClientCredentials {
                    token_url: token_url.clone(),
                    client_id: client_id.clone(),
                    client_secret: link.secret("client_secret", Some(client_secret))?,
                    scope: scope.clone(),
                }
            }
        })
    }
}
