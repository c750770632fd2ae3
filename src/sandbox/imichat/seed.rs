//! What a tenant holds when it is first started.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::tenant::{Account, RoleType, Status, Team, TenantFile};
use super::unnamed;
use crate::sandbox::{SandboxError, Seed, state};

const SAMPLE: &str = include_str!("../../../samples/accounts.json");

/// The tenant and the name that errors give its file.
pub(super) fn read(seed: &Seed) -> Result<(PathBuf, TenantFile), SandboxError> {
    let (path, text) = match seed {
        Seed::Empty => return Ok((unnamed(), TenantFile::default())),
        Seed::Generated(count) => return Ok((unnamed(), generated(*count))),
        Seed::Sample => (PathBuf::from("samples/accounts.json"), SAMPLE.to_owned()),
        Seed::Text(text) => (unnamed(), text.clone()),
        Seed::File(path) => {
            let text =
                std::fs::read_to_string(path).map_err(|source| SandboxError::Read { path: path.clone(), source })?;
            (path.clone(), text)
        }
    };
    let file = state::parse(&path, &text)?;
    Ok((path, file))
}

/// `user000001`, `user000002`, …: plain, but of the size that real ones have.
fn generated(count: u64) -> TenantFile {
    let account = |id: u64| Account {
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
    TenantFile {
        teams: vec![Team { id: 1, name: "Everybody".to_owned() }],
        accounts: (1..=count).map(account).collect(),
        ..TenantFile::default()
    }
}
