//! What `kind = "imichat"` needs.

use reqwest::header::HeaderName;
use toml::de::DeValue;

use crate::config::reader::{Folder, Item, Problems, Table};
use crate::config::reference::{HEADER, TEAM_ID_SAID, TEAM_NUMBER, UPDATE_BODIES, VERBS};
use crate::connectors::imichat::ImichatSettings;

pub(super) fn read(
    mut table: Table<'_>,
    sandbox: bool,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Option<ImichatSettings> {
    let before = problems.list.len();
    // The sandbox knows its own key and domain.
    let api_key = if sandbox {
        table.get("api_key")
    } else {
        table.need("api_key", "add api_key = { env = \"IMICHAT_API_KEY\" } below [target]", problems)
    };
    let domain = if sandbox {
        table.get("domain")
    } else {
        table.need("domain", "add domain = \"acme.imi.chat\" below [target]: your tenant's own", problems)
    };
    let api_key = api_key.and_then(|item| item.secret("IMICHAT_API_KEY", folder, problems));
    let domain = domain.and_then(|item| item.owned(problems));
    let team_id = table.get("team_id").and_then(|item| team_id(&item, problems));
    let default = ImichatSettings::default();
    let mut text = |key, default: String, check: fn(&Item<'_>, &mut Problems) -> Option<String>| {
        table.get(key).and_then(|item| check(&item, problems)).unwrap_or(default)
    };
    let authorize_path = text("authorize_path", default.authorize_path, path);
    let auth_header = text("auth_header", default.auth_header, header);
    let token_header = text("token_header", default.token_header, header);
    let privilege_key = text("privilege_key", default.privilege_key, |item, problems| item.owned(problems));
    let update_method = table.get("update_method").and_then(|item| item.choice(&VERBS, problems));
    let update_body = table.get("update_body").and_then(|item| item.choice(&UPDATE_BODIES, problems));
    table.finish_hiding(problems);
    (problems.list.len() == before).then(|| ImichatSettings {
        api_key,
        domain,
        team_id,
        authorize_path,
        auth_header,
        token_header,
        update_method: update_method.map_or(default.update_method, str::to_owned),
        update_body: update_body.unwrap_or(default.update_body),
        privilege_key,
    })
}

fn team_id(item: &Item<'_>, problems: &mut Problems) -> Option<String> {
    match item.value {
        DeValue::String(_) => {
            let text = item.string(problems)?;
            if text.bytes().all(|b| b.is_ascii_graphic()) {
                Some(text.to_owned())
            } else {
                item.refuse("must be without blanks: it is sent as a header", None, problems)
            }
        }
        DeValue::Integer(_) => item.integer::<i64>(TEAM_NUMBER, problems).map(|id| id.to_string()),
        _ => item.wrong(TEAM_ID_SAID, problems),
    }
}

fn path(item: &Item<'_>, problems: &mut Problems) -> Option<String> {
    let text = item.owned(problems)?;
    if text.starts_with('/') { Some(text) } else { item.refuse("must begin with /", None, problems) }
}

fn header(item: &Item<'_>, problems: &mut Problems) -> Option<String> {
    let text = item.owned(problems)?;
    match HeaderName::from_bytes(text.as_bytes()) {
        Ok(_) => Some(text),
        Err(_) => item.refuse(&format!("must be {}", HEADER.said), None, problems),
    }
}
