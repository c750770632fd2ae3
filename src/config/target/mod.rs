//! `[target]`: which system, where, and what its kind needs. Nothing but https leaves this machine.

use std::net::IpAddr;

use reqwest::Url;

use super::reader::{Folder, Item, Problems, Table};
use super::reference::{SYSTEMS, System};
use super::settings::{KindSettings, SANDBOX, TargetSettings};
use crate::mapping::spec::Located;

mod brightpattern;
mod imichat;
mod scim;

/// The settings of `[target]` that hold secrets, of every kind.
pub(super) const SECRETS: [&str; 4] = ["api_key", "client_secret", "password", "token"];

pub(super) fn read(mut table: Table<'_>, folder: Folder<'_>, problems: &mut Problems) -> Option<TargetSettings> {
    let kind = table
        .need("kind", "add kind = \"imichat\" below [target]", problems)
        .and_then(|item| item.choice(&SYSTEMS, problems));
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
        System::Imichat => imichat::read(table, sandbox, folder, problems).map(KindSettings::Imichat),
        System::Brightpattern => brightpattern::read(table, sandbox, folder, problems).map(KindSettings::Brightpattern),
        System::Scim => scim::read(table, sandbox, folder, problems).map(KindSettings::Scim),
    };
    let (base_url, host) = base_url?;
    Some(TargetSettings { base_url, tenant: tenant.unwrap_or(host), kind: kind? })
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
