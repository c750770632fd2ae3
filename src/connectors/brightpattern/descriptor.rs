//! Bright Pattern as the program knows it: the settings of `kind = "brightpattern"`, and how they become a connection.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::BrightpatternLogin;
use crate::connectors::{ConnectError, Connector, Descriptor, Link, SystemSettings};
use crate::discovery::{Blueprint, InUse, Meaning, ValueOrigin, Wish};
use crate::model::Schema;
use crate::sandbox;
use crate::settings::{SecretSource, SettingsTable, TEXT, secret_place, settings_table, to_sign_in};

/// All that the program knows of the system.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "brightpattern",
    system: "Bright Pattern",
    says: "Bright Pattern Contact Center, configuration API v2",
    settings: || BrightpatternTable.settings(),
    ways: &[&["client_id", "client_secret", "scope"]],
    deletes: true,
    example: "[target]\n\
                  kind          = \"brightpattern\"\n\
                  base_url      = \"https://acme.brightpattern.com/configapi/v2\"\n\
                  client_id     = \"api.user\"\n\
                  client_secret = { file = \"brightpattern.key\" }\n\
                  scope         = \"acme.brightpattern.com\"\n",
    read: |table, reading| Some(Arc::new(BrightpatternTable.fill(table, reading)?)),
    sandbox_login: &[
        ("client_id", sandbox::CLIENT_ID),
        ("client_secret", sandbox::CLIENT_SECRET),
        ("scope", sandbox::DOMAIN),
    ],
    simulate: || Arc::new(sandbox::brightpattern::BrightpatternBehaviour::default()),
    blueprint: &BLUEPRINT,
};

/// What `init` writes for it.
const BLUEPRINT: Blueprint = Blueprint {
    kind: "brightpattern",
    address: "https://acme.brightpattern.com/configapi/v2",
    to_go_live: &[
        ("client_id", "\"api.user\"", "to go live: the login of an API user"),
        ("client_secret", "{ env = \"BRIGHTPATTERN_CLIENT_SECRET\" }", "to go live: where its key is kept"),
        ("scope", "\"acme.brightpattern.com\"", "to go live: the contact center's domain"),
    ],
    attributes: &[
        Wish::Needed {
            attribute: "loginId",
            from: ValueOrigin::Login,
            wants: "a column with the name that people sign in with",
        },
        Wish::Names { first: "firstName", last: "lastName" },
        Wish::Needed {
            attribute: "team",
            from: ValueOrigin::Team,
            wants: "a column with the team, or { value = \"…\" } for one team for everybody",
        },
        Wish::Welcome { attribute: "email", from: ValueOrigin::Address },
        Wish::Welcome { attribute: "workPhone", from: ValueOrigin::Column(&[Meaning::WorkPhone]) },
        Wish::Welcome { attribute: "mobilePhone", from: ValueOrigin::Column(&[Meaning::MobilePhone]) },
        Wish::Welcome { attribute: "extension", from: ValueOrigin::Column(&[Meaning::Extension]) },
        Wish::InUse { attribute: "disabled", as_: InUse::TrueForLeavers },
        Wish::Skills { attribute: "skills" },
        Wish::Off {
            attribute: "roles",
            value: "{ value = [\"Agent\"], on = \"create\" }",
            comment: "switched on, newcomers get these roles, which must exist",
            unless_missing: None,
        },
        Wish::Password { attribute: "password" },
    ],
    rules: &["loginId"],
};

settings_table! {
    /// The settings of `kind = "brightpattern"`; all are there unless `base_url` is the sandbox.
    struct BrightpatternSettings read by BrightpatternTable {
        client_id: Option<String> =
            to_sign_in(TEXT, "add client_id = \"…\" below [target]: the login of an API user"),
            "The login of an API user.";
        client_secret: Option<SecretSource> = to_sign_in(
            secret_place("BRIGHTPATTERN_CLIENT_SECRET"),
            "add client_secret = { env = \"BRIGHTPATTERN_CLIENT_SECRET\" } below [target]: the API user's key"
        ),
            "The API user's key.";
        scope: Option<String> =
            to_sign_in(TEXT, "add scope = \"…\" below [target]: the contact center's domain"),
            "The contact center's domain.";
    }
}

impl SystemSettings for BrightpatternSettings {
    fn schema(&self, _mapped: &[String]) -> Schema {
        super::make_schema()
    }

    fn connect<'a>(&'a self, link: Link<'a>) -> BoxFuture<'a, Result<Box<dyn Connector>, ConnectError>> {
        Box::pin(async move {
            let login = BrightpatternLogin {
                client_id: link.text("client_id", self.client_id.as_ref())?,
                client_secret: link.secret("client_secret", self.client_secret.as_ref())?,
                scope: link.text("scope", self.scope.as_ref())?,
            };
            let center = super::connect_tenant(link.access, login, link.shown)?;
            Ok(Box::new(center) as Box<dyn Connector>)
        })
    }
}
