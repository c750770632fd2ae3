//! `[target]`, with what each kind has of its own.

use std::ops::RangeInclusive;

use super::super::{BASE_URL, Choice, HEADER, SUB_PATH, TEAM_ID, TEXT, choice, words};
use super::super::{Keys, Kind, Otherwise, Presence, Section, Setting, Takes};
use crate::connectors::imichat::UpdateBody;
use crate::connectors::scim::UpdateMethod;

/// The systems; what each has of its own stands in [`KINDS`], in the same order.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) enum System {
    Imichat,
    Brightpattern,
    Scim,
}

pub(in crate::config) const SYSTEMS: [Choice<System>; 3] = [
    choice("imichat", System::Imichat, "imi.chat (Webex Engage), REST API v3.1"),
    choice("brightpattern", System::Brightpattern, "Bright Pattern Contact Center, configuration API v2"),
    choice("scim", System::Scim, "any SCIM 2.0 service"),
];

pub(in crate::config) const VERBS: [Choice<&str>; 3] = [
    choice("PATCH", "PATCH", "what other clients of the API use"),
    choice("PUT", "PUT", "for a tenant that wants it"),
    choice("POST", "POST", "for a tenant that wants it"),
];

pub(in crate::config) const UPDATE_BODIES: [Choice<UpdateBody>; 2] = [
    choice(
        "full",
        UpdateBody::Full,
        "every mapped attribute that can be updated, with the values of the account where they do not change",
    ),
    choice("changed", UpdateBody::Changed, "only those that differ"),
];

pub(in crate::config) const UPDATE_METHODS: [Choice<UpdateMethod>; 3] = [
    choice("auto", UpdateMethod::Auto, "`PATCH` where the service announces it, else `PUT`"),
    choice("patch", UpdateMethod::Patch, "always `PATCH`"),
    choice("put", UpdateMethod::Put, "always `PUT`, with what nobody mapped kept"),
];

pub(in crate::config) const PAGE_SIZE: RangeInclusive<i64> = 1..=10_000;
pub(in crate::config) const TEAM_NUMBER: RangeInclusive<i64> = 0..=i64::MAX;

pub(in crate::config) const TEAM_ID_SAID: &str = "a string or a whole number";

pub(in crate::config) const TARGET: Section = Section {
    name: "target",
    says: "The system whose accounts are kept in step. Three settings are the same for every kind of it; the others belong \
           to one kind, and another kind refuses them.",
    presence: Presence::Needed,
    keys: Keys::OfKinds {
        common: &[
            Setting {
                name: "kind",
                takes: Takes::Choice(&words(&SYSTEMS)),
                otherwise: Otherwise::Needed,
                says: "Which system it is.",
            },
            Setting {
                name: "base_url",
                takes: Takes::Text(&BASE_URL),
                otherwise: Otherwise::Needed,
                says: "Where its API is. `\"sandbox\"` is the built-in simulated tenant, which needs no credentials and keeps \
                       its state between runs. Nothing but `https://` leaves this machine; plain `http://` is for \
                       `localhost`, `127.0.0.1` and `[::1]`.",
            },
            Setting {
                name: "tenant",
                takes: Takes::Text(&TEXT),
                otherwise: Otherwise::Without("it is the host of `base_url`, or `sandbox`"),
                says: "A name for this tenant in plans, journal and reports. A plan made for one tenant is refused by another.",
            },
        ],
        kinds: &KINDS,
    },
    more: "",
    example: "[target]\nkind     = \"imichat\"\nbase_url = \"sandbox\"   # the built-in simulated tenant\ntenant   = \"acme\"\n",
};

pub(in crate::config) const KINDS: [Kind; 3] = [
    Kind {
        name: "imichat",
        system: "imi.chat",
        settings: &IMICHAT,
        ways: &[&["api_key", "domain"]],
        deletes: false,
        example: "[target]\n\
                  kind     = \"imichat\"\n\
                  base_url = \"https://acme.imi.chat/v3.1\"\n\
                  api_key  = { env = \"IMICHAT_API_KEY\" }\n\
                  domain   = \"acme.imi.chat\"\n",
    },
    Kind {
        name: "brightpattern",
        system: "Bright Pattern",
        settings: &BRIGHTPATTERN,
        ways: &[&["client_id", "client_secret", "scope"]],
        deletes: true,
        example: "[target]\n\
                  kind          = \"brightpattern\"\n\
                  base_url      = \"https://acme.brightpattern.com/configapi/v2\"\n\
                  client_id     = \"api.user\"\n\
                  client_secret = { file = \"brightpattern.key\" }\n\
                  scope         = \"acme.brightpattern.com\"\n",
    },
    Kind {
        name: "scim",
        system: "SCIM",
        settings: &SCIM,
        ways: &[&["token"], &["username", "password"], &["token_url", "client_id", "client_secret"]],
        deletes: true,
        example: "[target]\n\
                  kind      = \"scim\"\n\
                  base_url  = \"https://acme.example.com/scim/v2\"\n\
                  token     = { command = [\"pass\", \"show\", \"scim\"] }\n\
                  page_size = 200\n",
    },
];

const IMICHAT: [Setting; 9] = [
    Setting {
        name: "api_key",
        takes: Takes::Secret("IMICHAT_API_KEY"),
        otherwise: Otherwise::ToSignIn,
        says: "The API key.",
    },
    Setting {
        name: "domain",
        takes: Takes::Text(&TEXT),
        otherwise: Otherwise::ToSignIn,
        says: "The tenant's domain, which is part of signing in.",
    },
    Setting {
        name: "team_id",
        takes: Takes::Any { of: &[Takes::Text(&TEAM_ID), Takes::Integer(TEAM_NUMBER)], said: TEAM_ID_SAID },
        otherwise: Otherwise::Without("no such header is sent"),
        says: "Sent as the header `teamid`, for tenants that ask for one.",
    },
    Setting {
        name: "authorize_path",
        takes: Takes::Text(&SUB_PATH),
        otherwise: Otherwise::Default("\"/authorize\""),
        says: "Where signing in happens, below `base_url`.",
    },
    Setting {
        name: "auth_header",
        takes: Takes::Text(&HEADER),
        otherwise: Otherwise::Default("\"auth_code\""),
        says: "The request header that carries key and domain when signing in.",
    },
    Setting {
        name: "token_header",
        takes: Takes::Text(&HEADER),
        otherwise: Otherwise::Default("\"access_token\""),
        says: "The response header that brings the token, and the request header that takes it back.",
    },
    Setting {
        name: "update_method",
        takes: Takes::Choice(&words(&VERBS)),
        otherwise: Otherwise::Default("\"PATCH\""),
        says: "The verb of an update.",
    },
    Setting {
        name: "update_body",
        takes: Takes::Choice(&words(&UPDATE_BODIES)),
        otherwise: Otherwise::Default("\"full\""),
        says: "What an update carries. The API's pages do not say whether an attribute that is left out is kept, so all of \
               them are sent unless you know better.",
    },
    Setting {
        name: "privilege_key",
        takes: Takes::Text(&TEXT),
        otherwise: Otherwise::Default("\"teamid\""),
        says: "How a privilege names its team on the wire; some tenants want `\"team_id\"`. In `[map]` it is `teamid` either \
               way.",
    },
];

const BRIGHTPATTERN: [Setting; 3] = [
    Setting {
        name: "client_id",
        takes: Takes::Text(&TEXT),
        otherwise: Otherwise::ToSignIn,
        says: "The login of an API user.",
    },
    Setting {
        name: "client_secret",
        takes: Takes::Secret("BRIGHTPATTERN_CLIENT_SECRET"),
        otherwise: Otherwise::ToSignIn,
        says: "The API user's key.",
    },
    Setting {
        name: "scope",
        takes: Takes::Text(&TEXT),
        otherwise: Otherwise::ToSignIn,
        says: "The contact center's domain.",
    },
];

const SCIM: [Setting; 9] = [
    Setting {
        name: "token",
        takes: Takes::Secret("SCIM_TOKEN"),
        otherwise: Otherwise::ToSignIn,
        says: "A bearer token.",
    },
    Setting {
        name: "username",
        takes: Takes::Text(&TEXT),
        otherwise: Otherwise::ToSignIn,
        says: "The user of Basic authentication.",
    },
    Setting {
        name: "password",
        takes: Takes::Secret("SCIM_PASSWORD"),
        otherwise: Otherwise::ToSignIn,
        says: "The password of that user.",
    },
    Setting {
        name: "token_url",
        takes: Takes::Text(&TEXT),
        otherwise: Otherwise::ToSignIn,
        says: "Where tokens are fetched, for OAuth client credentials: an address, or a path below `base_url`.",
    },
    Setting {
        name: "client_id",
        takes: Takes::Text(&TEXT),
        otherwise: Otherwise::ToSignIn,
        says: "The client's id, for OAuth.",
    },
    Setting {
        name: "client_secret",
        takes: Takes::Secret("SCIM_CLIENT_SECRET"),
        otherwise: Otherwise::ToSignIn,
        says: "The client's secret, for OAuth.",
    },
    Setting {
        name: "scope",
        takes: Takes::Text(&TEXT),
        otherwise: Otherwise::Without("no scope is asked for"),
        says: "What an OAuth token is asked for, where the service wants to know. It means nothing with `token` or \
               `username`.",
    },
    Setting {
        name: "page_size",
        takes: Takes::Integer(PAGE_SIZE),
        otherwise: Otherwise::Default("100"),
        says: "How many users are asked for at once. A service may give fewer.",
    },
    Setting {
        name: "update_method",
        takes: Takes::Choice(&words(&UPDATE_METHODS)),
        otherwise: Otherwise::Default("\"auto\""),
        says: "How a user is changed. A `PATCH` that the service turns out not to have becomes a `PUT` with `\"auto\"`.",
    },
];
