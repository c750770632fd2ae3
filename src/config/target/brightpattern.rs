//! What `kind = "brightpattern"` needs.

use crate::config::reader::{Folder, Problems, Table};
use crate::connectors::brightpattern::BrightpatternSettings;

pub(super) fn read(
    mut table: Table<'_>,
    sandbox: bool,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Option<BrightpatternSettings> {
    let before = problems.list.len();
    // The sandbox knows its own user, key and scope.
    let mut need = |key: &'static str, how: &str, problems: &mut Problems| {
        if sandbox { table.get(key) } else { table.need(key, how, problems) }
    };
    let client_id = need("client_id", "add client_id = \"…\" below [target]: the login of an API user", problems);
    let client_secret = need(
        "client_secret",
        "add client_secret = { env = \"BRIGHTPATTERN_CLIENT_SECRET\" } below [target]: the API user's key",
        problems,
    );
    let scope = need("scope", "add scope = \"…\" below [target]: the contact center's domain", problems);
    let client_id = client_id.and_then(|item| item.owned(problems));
    let client_secret = client_secret.and_then(|item| item.secret("BRIGHTPATTERN_CLIENT_SECRET", folder, problems));
    let scope = scope.and_then(|item| item.owned(problems));
    table.finish_hiding(problems);
    (problems.list.len() == before).then_some(BrightpatternSettings { client_id, client_secret, scope })
}
