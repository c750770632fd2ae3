//! What an imi.chat tenant holds, as its file says it: accounts, teams, the values that it allows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One account, with what the API shows of it and what it does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImichatAccount {
    pub id: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub first_name: String,
    #[serde(default)]
    pub last_name: String,
    pub login_id: String,
    pub email_id: String,
    #[serde(default)]
    pub status: Status,
    #[serde(default)]
    pub logged_in: bool,
    #[serde(default)]
    pub job_description: String,
    #[serde(default)]
    pub login_using_email: bool,
    #[serde(default)]
    pub role_type: RoleType,
    #[serde(default)]
    pub accepting_chats: bool,
    #[serde(default)]
    pub skill_attributes: Map<String, Value>,
    #[serde(default)]
    pub active_chats: u64,
    /// Never shown, as everything below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub privileges: Vec<Privilege>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub custom_attributes: Map<String, Value>,
    /// Its [hash](crate::sandbox::password_hash).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    #[default]
    Active,
    Inactive,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleType {
    #[default]
    #[serde(rename = "Customer Care")]
    CustomerCare,
    Administrative,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privilege {
    pub teamid: u64,
    pub role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    #[serde(rename = "Team Manager")]
    Manager,
    #[serde(rename = "Team Agent")]
    Agent,
    #[serde(rename = "Team Analyst")]
    Analyst,
}

/// One team of the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImichatTeam {
    pub id: u64,
    pub name: String,
}

/// The values that the tenant allows for two custom attributes; anything is allowed where a list is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Allowed {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Vec<String>>,
}

/// A tenant as a file: what a seed says, and what is kept between runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImichatFile {
    /// Empty: every team id is known.
    #[serde(default)]
    pub teams: Vec<ImichatTeam>,
    #[serde(default)]
    pub custom_attributes: Allowed,
    /// In the order in which they are listed.
    pub accounts: Vec<ImichatAccount>,
    /// The number of the last effect that is in the accounts already.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub effects: u64,
    /// The id of the next account is above this and above every id.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_id: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}
