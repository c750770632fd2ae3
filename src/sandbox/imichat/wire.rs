//! What an imi.chat tenant says on the wire: status codes, the envelope, a user as the API shows it.

use axum::http::StatusCode;
use bytes::Bytes;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::account::ImichatAccount;
use super::{ImichatBehaviour, ImichatBooleans, Stamps};
use crate::sandbox::reply::json_bytes;
use crate::sandbox::tokens::Denied;

/// The status codes of the reference, and one for what it leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// Not in the reference, which has no answer for it.
    SignedIn = 4000,
    HeaderMissing = 2002,
    InvalidToken = 2003,
    TokenExpired = 2004,
    ServerError = 2007,
    TeamNotFound = 2010,
    MethodNotAllowed = 2099,
    UserNotFound = 3101,
    UserExists = 3102,
    InvalidBusiness = 3107,
    InvalidLocation = 3110,
    EmailExists = 3111,
    BodyMissing = 3114,
    RequestInvalid = 3115,
    Retrieved = 4306,
    Created = 4308,
    Updated = 4309,
}

impl Code {
    pub(super) fn http_status(self) -> StatusCode {
        match self {
            Self::SignedIn | Self::Retrieved | Self::Created | Self::Updated => StatusCode::OK,
            Self::TokenExpired => StatusCode::UNAUTHORIZED,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TeamNotFound | Self::UserNotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::UserExists => StatusCode::CONFLICT,
            Self::HeaderMissing
            | Self::InvalidToken
            | Self::InvalidBusiness
            | Self::InvalidLocation
            | Self::EmailExists
            | Self::BodyMissing
            | Self::RequestInvalid => StatusCode::BAD_REQUEST,
        }
    }

    /// As the reference words it.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::SignedIn => "Authorized successfully",
            Self::HeaderMissing => "Invalid header param - could not find mandatory header parameters",
            Self::InvalidToken => "Invalid Access Token",
            Self::TokenExpired => "Access Token expired",
            Self::ServerError => "Internal Server Error",
            Self::TeamNotFound => "Could not find details of team based on the teamid passed in the header",
            Self::MethodNotAllowed => "Method not allowed",
            Self::UserNotFound => "Requested user was not found",
            Self::UserExists => "The requested user already exists",
            Self::InvalidBusiness => "The value provided for the custom attribute 'business' is not valid",
            Self::InvalidLocation => "The value provided for the custom attribute 'location' is not valid",
            Self::EmailExists => "The email id already exists in the system",
            Self::BodyMissing => "Request body not provided",
            Self::RequestInvalid => "Request is invalid",
            Self::Retrieved => "The user details retrieved successfully",
            Self::Created => "User created successfully",
            Self::Updated => "User updated successfully",
        }
    }
}

/// A request that is refused, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ImichatRefusal {
    pub code: Code,
    /// Added to the description, where there is more to say.
    pub detail: Option<String>,
}

impl ImichatRefusal {
    pub(super) fn with_detail(detail: impl Into<String>) -> Self {
        Self { code: Code::RequestInvalid, detail: Some(detail.into()) }
    }

    pub(super) fn description(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}: {detail}", self.code.description()),
            None => self.code.description().to_owned(),
        }
    }
}

impl From<Code> for ImichatRefusal {
    fn from(code: Code) -> Self {
        Self { code, detail: None }
    }
}

impl From<Denied> for Code {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Missing => Self::HeaderMissing,
            Denied::Unknown => Self::InvalidToken,
            Denied::Expired => Self::TokenExpired,
        }
    }
}

/// The envelope around a `response` that is JSON already.
pub(super) fn envelope_bytes(code: u32, description: &str, response: &[u8]) -> Bytes {
    let mut body = Vec::with_capacity(response.len() + description.len() + 64);
    open_envelope(code, description, &mut body);
    body.extend_from_slice(response);
    body.push(b'}');
    body.into()
}

/// The envelope up to where the `response` begins; a `}` ends it.
pub(super) fn open_envelope(code: u32, description: &str, body: &mut Vec<u8>) {
    body.extend_from_slice(b"{\"status_code\":");
    body.extend_from_slice(code.to_string().as_bytes());
    body.extend_from_slice(b",\"description\":");
    body.extend_from_slice(&json_bytes(&description));
    body.extend_from_slice(b",\"response\":");
}

/// A user as the API shows it.
pub(super) fn user_json(account: &ImichatAccount, behaviour: &ImichatBehaviour) -> Box<[u8]> {
    json_bytes(&ImichatUser { account, behaviour }).into()
}

struct ImichatUser<'a> {
    account: &'a ImichatAccount,
    behaviour: &'a ImichatBehaviour,
}

impl Serialize for ImichatUser<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let account = self.account;
        let updated_at = match self.behaviour.stamps {
            Stamps::Distinct => "updated_at",
            Stamps::CreatedTwice => "created_at",
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &account.id)?;
        map.serialize_entry("created_at", &account.created_at)?;
        map.serialize_entry(updated_at, &account.updated_at)?;
        map.serialize_entry("first_name", &account.first_name)?;
        map.serialize_entry("last_name", &account.last_name)?;
        map.serialize_entry("login_id", &account.login_id)?;
        map.serialize_entry("email_id", &account.email_id)?;
        map.serialize_entry("status", &account.status)?;
        self.write_boolean(&mut map, "logged_in", account.logged_in)?;
        map.serialize_entry("job_description", &account.job_description)?;
        self.write_boolean(&mut map, "login_using_email", account.login_using_email)?;
        map.serialize_entry("role_type", &account.role_type)?;
        self.write_boolean(&mut map, "accepting_chats", account.accepting_chats)?;
        map.serialize_entry("skill_attributes", &account.skill_attributes)?;
        map.serialize_entry("active_chats", &account.active_chats)?;
        map.end()
    }
}

impl ImichatUser<'_> {
    fn write_boolean<M: SerializeMap>(&self, map: &mut M, name: &str, value: bool) -> Result<(), M::Error> {
        match self.behaviour.booleans {
            ImichatBooleans::Json => map.serialize_entry(name, &value),
            ImichatBooleans::Text => map.serialize_entry(name, if value { "true" } else { "false" }),
        }
    }
}
