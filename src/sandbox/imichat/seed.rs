//! What a tenant holds when it is first started.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::account::{ImichatAccount, ImichatFile, ImichatTeam, RoleType, Status};
use crate::sandbox::seed::SampleFile;

pub(super) const SAMPLE: SampleFile =
    SampleFile { path: "samples/accounts.json", text: include_str!("../../../samples/accounts.json") };

/// `user000001`, `user000002`, …: plain, but of the size that real ones have.
pub(super) fn generate_users(count: u64) -> ImichatFile {
    let account = |id: u64| ImichatAccount {
        id,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        first_name: format!("First{id}"),
        last_name: format!("Last{id}"),
        login_id: format!("user{id:06}"),
        email_id: format!("user{id:06}@example.com"),
        status: if id.is_multiple_of(20) { Status::Inactive } else { Status::Active },
        logged_in: false,
        job_description: "Customer Care Agent".to_owned(),
        login_using_email: true,
        role_type: RoleType::CustomerCare,
        accepting_chats: false,
        skill_attributes: Map::from_iter([("English".to_owned(), Value::from(50 + id % 50))]),
        active_chats: 0,
        privileges: Vec::new(),
        custom_attributes: Map::new(),
        password: None,
    };
    ImichatFile {
        teams: vec![ImichatTeam { id: 1, name: "Everybody".to_owned() }],
        accounts: (1..=count).map(account).collect(),
        ..ImichatFile::default()
    }
}
