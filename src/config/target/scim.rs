//! What `kind = "scim"` needs.

use crate::config::reader::{Folder, Problems, Table};
use crate::config::reference::{PAGE_SIZE, UPDATE_METHODS};
use crate::connectors::scim::{Credentials, ScimSettings, UpdateMethod};

/// What the three ways of signing in are told apart by.
const WAYS: &str = "set one of: token; username and password; token_url, client_id and client_secret";

pub(super) fn read(
    mut table: Table<'_>,
    sandbox: bool,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Option<ScimSettings> {
    let before = problems.list.len();
    let token = table.get("token").and_then(|item| item.secret("SCIM_TOKEN", folder, problems));
    let username = table.get("username").and_then(|item| item.owned(problems));
    let password = table.get("password").and_then(|item| item.secret("SCIM_PASSWORD", folder, problems));
    let token_url = table.get("token_url").and_then(|item| item.owned(problems));
    let client_id = table.get("client_id").and_then(|item| item.owned(problems));
    let client_secret = table.get("client_secret").and_then(|item| item.secret("SCIM_CLIENT_SECRET", folder, problems));
    let scope = table.get("scope").and_then(|item| item.owned(problems));
    let page_size = table.get("page_size").and_then(|item| item.integer::<u32>(PAGE_SIZE, problems));
    let update_method = table.get("update_method").and_then(|item| item.choice(&UPDATE_METHODS, problems));
    let credentials = match (token, (username, password), (token_url, client_id, client_secret)) {
        (Some(token), (None, None), (None, None, None)) => Some(Credentials::Bearer { token }),
        (None, (Some(username), Some(password)), (None, None, None)) => Some(Credentials::Basic { username, password }),
        (None, (None, None), (Some(token_url), Some(client_id), Some(client_secret))) => {
            Some(Credentials::ClientCredentials { token_url, client_id, client_secret, scope })
        }
        // The sandbox knows its own token.
        (None, (None, None), (None, None, None)) if sandbox => None,
        _ => {
            if problems.list.len() == before {
                problems.say(&table.span, "`target` must say how to sign in, in exactly one way", WAYS.to_owned());
            }
            None
        }
    };
    table.finish_hiding(problems);
    (problems.list.len() == before).then(|| ScimSettings {
        credentials,
        page_size: page_size.unwrap_or(100),
        update_method: update_method.unwrap_or(UpdateMethod::Auto),
    })
}
