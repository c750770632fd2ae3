//! imi.chat as the program knows it: the settings of `kind = "imichat"`, and how they become a connection.

use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::header::HeaderName;

use super::schema::{UpdateBody, make_schema};
use crate::connectors::{ConnectError, Connector, Descriptor, Link, SystemSettings};
use crate::discovery::{Blueprint, InUse, Meaning, ValueOrigin, Wish};
use crate::model::Schema;
use crate::sandbox;
use crate::settings::{
    Choices, Either, SecretSource, Sees, SettingForm, SettingsTable, ShapedText, TEXT, TextShape, WordChoice,
    default_setting, mapped_form, named_choice, optional_setting, secret_place, settings_table, to_sign_in,
    whole_number,
};

/// All that the program knows of the system.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "imichat",
    system: "imi.chat",
    says: "imi.chat (Webex Engage), REST API v3.1",
    settings: || ImichatTable.settings(),
    ways: &[&["api_key", "domain"]],
    deletes: false,
    example: "[target]\n\
                  kind     = \"imichat\"\n\
                  base_url = \"https://acme.imi.chat/v3.1\"\n\
                  api_key  = { env = \"IMICHAT_API_KEY\" }\n\
                  domain   = \"acme.imi.chat\"\n",
    read: |table, reading| Some(Arc::new(ImichatTable.fill(table, reading)?)),
    sandbox_login: &[("api_key", sandbox::API_KEY), ("domain", sandbox::DOMAIN)],
    simulate: || Arc::new(sandbox::imichat::ImichatBehaviour::default()),
    blueprint: &BLUEPRINT,
};

/// What `init` writes for it.
const BLUEPRINT: Blueprint = Blueprint {
    kind: "imichat",
    address: "https://acme.imi.chat/v3.1",
    to_go_live: &[
        ("api_key", "{ env = \"IMICHAT_API_KEY\" }", "to go live: where the key is kept, never in clear"),
        ("domain", "\"acme.imi.chat\"", "to go live: the tenant's domain, part of signing in"),
        ("team_id", "\"1\"", "sent as the header `teamid`, where the tenant asks for one"),
    ],
    attributes: &[
        Wish::Needed {
            attribute: "login_id",
            from: ValueOrigin::Login,
            wants: "a column with the name that people sign in with",
        },
        Wish::Needed { attribute: "email_id", from: ValueOrigin::Address, wants: "a column with the work address" },
        Wish::Names { first: "first_name", last: "last_name" },
        Wish::Welcome { attribute: "job_description", from: ValueOrigin::Column(&[Meaning::Title]) },
        Wish::InUse { attribute: "status", as_: InUse::Word },
        Wish::Off {
            attribute: "login_using_email",
            value: "{ value = true }",
            comment: "switched on, people may sign in with their address as well",
            unless_missing: Some(ValueOrigin::Address),
        },
        Wish::Skills { attribute: "skill_attributes" },
        Wish::Membership {
            attribute: "privileges",
            roles: &["Team Manager", "Team Agent", "Team Analyst"],
            usual_role: "Team Agent",
        },
        Wish::Password { attribute: "password" },
    ],
    rules: &["login_id", "email_id"],
};

settings_table! {
    /// The settings of `kind = "imichat"`. Key and domain may be missing where `base_url` is the sandbox.
    struct ImichatSettings read by ImichatTable {
        api_key: Option<SecretSource> =
            to_sign_in(secret_place("IMICHAT_API_KEY"), "add api_key = { env = \"IMICHAT_API_KEY\" } below [target]"),
            "The API key.";
        domain: Option<String> =
            to_sign_in(TEXT, "add domain = \"acme.imi.chat\" below [target]: your tenant's own"),
            "The tenant's domain, which is part of signing in.";
        team_id: Option<String> = optional_setting(team_id(), "no such header is sent"),
            "Sent as the header `teamid`, for tenants that ask for one.";
        authorize_path: String = default_setting(SUB_PATH, "\"/authorize\""),
            "Where signing in happens, below `base_url`.";
        auth_header: String = default_setting(HEADER, "\"auth_code\""),
            "The request header that carries key and domain when signing in.";
        token_header: String = default_setting(HEADER, "\"access_token\""),
            "The response header that brings the token, and the request header that takes it back.";
        update_method: String = default_setting(mapped_form(Choices(VERBS), str::to_owned), "\"PATCH\""),
            "The HTTP method of an update.";
        update_body: UpdateBody = default_setting(Choices(UPDATE_BODIES), "\"full\""),
            "What an update carries. The API's pages do not say whether an attribute that is left out keeps its \
             value, so all of them are sent unless you know better.";
        privilege_key: String = default_setting(TEXT, "\"teamid\""),
            "How a privilege names its team on the wire; some tenants want `\"team_id\"`. In `[map]` it is `teamid` \
             either way.";
    }
}

impl Default for ImichatSettings {
    fn default() -> Self {
        // Each setting has a default or may be left out, so an empty table is read.
        #[allow(clippy::expect_used)]
        ImichatTable.defaults().expect("nothing is needed")
    }
}

impl SystemSettings for ImichatSettings {
    fn schema(&self, _mapped: &[String]) -> Schema {
        make_schema(self.update_body)
    }

    fn connect<'a>(&'a self, link: Link<'a>) -> BoxFuture<'a, Result<Box<dyn Connector>, ConnectError>> {
        Box::pin(async move {
            let key = link.secret("api_key", self.api_key.as_ref())?;
            let domain = link.text("domain", self.domain.as_ref())?;
            let chat = super::connect_tenant(self, link.access, &key, &domain)?;
            Ok(Box::new(chat) as Box<dyn Connector>)
        })
    }
}

const VERBS: &[WordChoice<&'static str>] = &[
    named_choice("PATCH", "PATCH", "what other clients of the API use"),
    named_choice("PUT", "PUT", "for a tenant that wants it"),
    named_choice("POST", "POST", "for a tenant that wants it"),
];

const UPDATE_BODIES: &[WordChoice<UpdateBody>] = &[
    named_choice(
        "full",
        UpdateBody::Full,
        "every mapped attribute that can be updated, with the values of the account where they do not change",
    ),
    named_choice("changed", UpdateBody::Changed, "only those that differ"),
];

const SUB_PATH: ShapedText<String> = ShapedText {
    shape: TextShape {
        said: "a path that begins with /",
        pattern: "^/",
        sees: Sees::All,
        taken: &["/authorize", "/v2/authorize"],
        refused: &["", "authorize", " /authorize"],
    },
    read: |item, reading| match item.read_string(reading)? {
        path if path.starts_with('/') => Some(path),
        _ => item.refuse("must begin with /", None, reading),
    },
};

const HEADER: ShapedText<String> = ShapedText {
    shape: TextShape {
        said: "the name of an HTTP header",
        pattern: r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
        sees: Sees::All,
        taken: &["auth_code", "X-Auth", "access_token"],
        refused: &["", "a b", "a:b", "é"],
    },
    read: |item, reading| {
        let name = item.read_string(reading)?;
        match HeaderName::from_bytes(name.as_bytes()) {
            Ok(_) => Some(name),
            Err(_) => item.refuse(&format!("must be {}", HEADER.shape.said), None, reading),
        }
    },
};

const TEAM_ID: ShapedText<String> = ShapedText {
    shape: TextShape {
        said: "a string without blanks",
        pattern: "^[!-~]+$",
        sees: Sees::All,
        taken: &["1", "team-7"],
        refused: &["", "a b", "é"],
    },
    read: |item, reading| match item.read_string(reading)? {
        id if id.bytes().all(|b| b.is_ascii_graphic()) => Some(id),
        _ => item.refuse("must be without blanks: it is sent as a header", None, reading),
    },
};

fn team_id() -> impl SettingForm<Output = String> {
    let number = mapped_form(whole_number::<i64>(0..=i64::MAX), |id| id.to_string());
    Either { one: TEAM_ID, other: number, said: "a string or a whole number" }
}
