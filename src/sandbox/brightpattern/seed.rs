//! What a contact center holds when it is first started.

use serde_json::Map;

use super::tenant::{Account, TenantFile};
use crate::sandbox::seed::Sample;

pub(super) const SAMPLE: Sample = Sample {
    path: "samples/brightpattern_accounts.json",
    text: include_str!("../../../samples/brightpattern_accounts.json"),
};

/// `user000001`, `user000002`, …: plain, but of the size that real ones have.
pub(super) fn generated(count: u64) -> TenantFile {
    let account = |n: u64| Account {
        login_id: format!("user{n:06}"),
        first_name: format!("First{n}"),
        last_name: format!("Last{n}"),
        team: "Everybody".to_owned(),
        extension: (10_000 + n).to_string(),
        work_phone: format!("415{n:07}"),
        mobile_phone: String::new(),
        email: format!("user{n:06}@example.com"),
        disabled: n.is_multiple_of(20),
        change_password: false,
        skills: Map::from_iter([("English".to_owned(), (50 + n % 50).into())]),
        roles: vec!["Agent".to_owned()],
        password: None,
    };
    TenantFile {
        teams: vec!["Everybody".to_owned()],
        accounts: (1..=count).map(account).collect(),
        ..TenantFile::default()
    }
}
