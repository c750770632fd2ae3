//! What a contact center holds when it is first started.

use serde_json::Map;

use super::tenant::{BrightpatternAccount, BrightpatternFile};
use crate::sandbox::seed::SampleFile;

pub(super) const SAMPLE: SampleFile = SampleFile {
    path: "samples/brightpattern_accounts.json",
    text: include_str!("../../../samples/brightpattern_accounts.json"),
};

/// `user000001`, `user000002`, …: plain, but of the size that real ones have.
pub(super) fn generate_users(count: u64) -> BrightpatternFile {
    let account = |n: u64| BrightpatternAccount {
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
    BrightpatternFile {
        teams: vec!["Everybody".to_owned()],
        accounts: (1..=count).map(account).collect(),
        ..BrightpatternFile::default()
    }
}
