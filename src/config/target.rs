//! `[target]`: which system, where, and what its kind needs. Nothing but https leaves this machine.

use std::net::IpAddr;

use reqwest::Url;
use reqwest::header::HeaderName;
use toml::de::DeValue;

use super::reader::{Folder, Item, Problems, Table};
use super::settings::{KindSettings, SANDBOX, TargetSettings};
use crate::mapping::spec::Located;
use crate::target::imichat::{Settings as ImichatSettings, UpdateBody};

/// The settings of `[target]` that hold secrets, of every kind.
pub(super) const SECRETS: [&str; 1] = ["api_key"];

#[derive(Clone, Copy)]
enum Kind {
    Imichat,
}

const KINDS: [(&str, Kind); 1] = [("imichat", Kind::Imichat)];

const UPDATE_METHODS: [(&str, &str); 3] = [("PATCH", "PATCH"), ("PUT", "PUT"), ("POST", "POST")];

const UPDATE_BODIES: [(&str, UpdateBody); 2] = [("full", UpdateBody::Full), ("changed", UpdateBody::Changed)];

pub(super) fn read(mut table: Table<'_>, folder: Folder<'_>, problems: &mut Problems) -> Option<TargetSettings> {
    let kind = table
        .need("kind", "add kind = \"imichat\" below [target]", problems)
        .and_then(|item| item.choice(&KINDS, problems));
    let base_url = table
        .need("base_url", "add base_url = \"sandbox\", or the address of your tenant", problems)
        .and_then(|item| base_url(&item, problems));
    let tenant = table.get("tenant").and_then(|item| item.owned(problems));
    let Some(kind) = kind else {
        // Which other settings are right is not known; which of them are secrets is not, either.
        for item in
            table.items().iter().filter(|item| !["target.kind", "target.base_url"].contains(&item.name.as_str()))
        {
            problems.hide(item.value, &item.span);
        }
        return None;
    };
    let sandbox = base_url.as_ref().is_none_or(|(url, _)| url.value == SANDBOX);
    let kind = match kind {
        Kind::Imichat => imichat(table, sandbox, folder, problems).map(KindSettings::Imichat),
    };
    let (base_url, host) = base_url?;
    Some(TargetSettings { base_url, tenant: tenant.unwrap_or(host), kind: kind? })
}

fn imichat(
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
    let mut text = |key, default: &str, check: fn(&Item<'_>, &mut Problems) -> Option<String>| {
        table.get(key).and_then(|item| check(&item, problems)).unwrap_or_else(|| default.to_owned())
    };
    let authorize_path = text("authorize_path", "/authorize", path);
    let auth_header = text("auth_header", "auth_code", header);
    let token_header = text("token_header", "access_token", header);
    let privilege_key = text("privilege_key", "teamid", |item, problems| item.owned(problems));
    let update_method = table.get("update_method").and_then(|item| item.choice(&UPDATE_METHODS, problems));
    let update_body = table.get("update_body").and_then(|item| item.choice(&UPDATE_BODIES, problems));
    table.finish_hiding(problems);
    (problems.list.len() == before).then(|| ImichatSettings {
        api_key,
        domain,
        team_id,
        authorize_path,
        auth_header,
        token_header,
        update_method: update_method.unwrap_or("PATCH").to_owned(),
        update_body: update_body.unwrap_or(UpdateBody::Full),
        privilege_key,
    })
}

/// The address without a slash at its end, and the name its tenant has where none is given.
fn base_url(item: &Item<'_>, problems: &mut Problems) -> Option<(Located<String>, String)> {
    let text = item.string(problems)?.trim();
    let located = |value: &str| Located { value: value.to_owned(), span: item.span.clone() };
    if text == SANDBOX {
        return Some((located(SANDBOX), SANDBOX.to_owned()));
    }
    if text.contains(['@', '?', '#']) {
        // A password or a token may be in it.
        problems.hide(item.value, &item.span);
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(_) => {
            let near = crate::model::text::nearest(text, [SANDBOX].into_iter());
            let help = near.map_or_else(
                || "use an address such as \"https://acme.imi.chat/v3.1\", or \"sandbox\"".to_owned(),
                |near| format!("did you mean \"{near}\"?"),
            );
            return item.refuse("is neither an address nor \"sandbox\"", help, problems);
        }
    };
    let host = url.host_str().unwrap_or_default();
    if !url.username().is_empty() || url.password().is_some() {
        return item.refuse(
            "must not hold a user or a password",
            "credentials have settings of their own".to_owned(),
            problems,
        );
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(host) => {}
        _ => {
            let help = "use https://; plain http:// is for this machine alone (localhost, 127.0.0.1)".to_owned();
            return item.refuse("must begin with https://: nothing leaves unencrypted", help, problems);
        }
    }
    if url.query().is_some() || url.fragment().is_some() {
        return item.refuse("must be an address without ? and #", None, problems);
    }
    Some((located(url.as_str().trim_end_matches('/')), host.to_owned()))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
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
        DeValue::Integer(_) => item.integer::<i64>(0..=i64::MAX, problems).map(|id| id.to_string()),
        _ => item.wrong("a string or a whole number", problems),
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
        Err(_) => item.refuse("must be the name of an HTTP header", None, problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["localhost", "127.0.0.1", "127.9.8.7", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.acme.org", "128.0.0.1", "0.0.0.0", "[::2]", "acme.imi.chat", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
