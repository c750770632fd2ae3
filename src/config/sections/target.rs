//! `[target]`: which system, where, and what its kind needs. Nothing but https leaves this machine.

use std::net::IpAddr;
use std::sync::LazyLock;

use reqwest::Url;

use super::{ConfigSection, KindKeys, SectionKeys};
use crate::config::settings::{SANDBOX, TargetSettings};
use crate::connectors::{Descriptor, KINDS};
use crate::mapping::spec::Located;
use crate::settings::{
    Choices, ConfigReading, Otherwise, Sees, Setting, SettingForm, SettingsTable, ShapedText, TEXT, TextShape,
    TomlItem, TomlTable, WordChoice, named_choice, needed_setting, optional_setting, settings_table,
};

settings_table! {
    CommonTable makes (TenantAddress, Option<String>) {
        kind = needed_setting(Choices(&SYSTEMS), "add kind = \"imichat\" below [target]"),
            "Which system it is.";
        base_url = needed_setting(BASE_URL, "add base_url = \"sandbox\", or the address of your tenant"),
            "The address of its API. `\"sandbox\"` is the built-in simulated tenant, which needs no credentials and \
             keeps its state between runs. Requests leave this machine only with `https://`; plain `http://` is for \
             `localhost`, `127.0.0.1` and `[::1]`.";
        tenant = optional_setting(TEXT, "it is the host of `base_url`, or `sandbox`"),
            "A name for this tenant in plans, journal and reports. A plan made for one tenant is refused by another.";
    } => {
        // Which kind it is was found out before.
        let _: &Descriptor = kind;
        (base_url, tenant)
    }
}

/// Where a tenant is.
pub(crate) struct TenantAddress {
    url: Located<String>,
    /// The name that the tenant has where none is given.
    host: String,
}

static SYSTEMS: LazyLock<Vec<WordChoice<&'static Descriptor>>> =
    LazyLock::new(|| KINDS.iter().map(|kind| named_choice(kind.name, *kind, kind.says)).collect());

pub(in crate::config) fn read_target(table: &TomlTable<'_>, reading: &mut ConfigReading) -> Option<TargetSettings> {
    let common = CommonTable.fill(table, reading);
    let quiet = &mut ConfigReading::default();
    let Some(kind) = table.find_item("kind").and_then(|item| Choices(&SYSTEMS).read(&item, quiet)) else {
        // Which other settings are right is not known; which of them are secrets is not, either.
        table.hide_unknown(&["kind", "base_url"], reading);
        return None;
    };
    let url = table.find_item("base_url").and_then(|item| BASE_URL.read(&item, quiet));
    let is_sandbox = url.is_none_or(|url| url.url.value == SANDBOX);
    let own = (kind.settings)();
    let names: Vec<_> = CommonTable.settings().iter().chain(&own).map(|setting| setting.name).collect();
    table.hide_unknown(&names, reading);
    let settings = (kind.read)(table, reading);
    if let Some(way) = kind.ways.first().filter(|_| kind.ways.len() == 1) {
        let missing = |setting: &&Setting| !is_sandbox && way.contains(&setting.name) && !table.has_key(setting.name);
        own.iter().filter(missing).for_each(|setting| refuse_missing(setting, table, reading));
    } else if settings.is_some() && !signs_in_one_way(kind, is_sandbox, table) {
        reading.note_problem(&table.span, "`target` must say how to sign in, in exactly one way", ways_help(kind));
    }
    table.refuse_unknown(&names, reading);
    let (TenantAddress { url, host }, tenant) = common?;
    Some(TargetSettings { base_url: url, tenant: tenant.unwrap_or(host), kind, settings: settings? })
}

fn refuse_missing(setting: &Setting, table: &TomlTable<'_>, reading: &mut ConfigReading) {
    if let Otherwise::ToSignIn(add) = setting.otherwise {
        table.refuse_absence(setting.name, add, reading);
    }
}

/// Whether what is there belongs to exactly one way to sign in, and is all of it; the sandbox knows its own.
fn signs_in_one_way(kind: &Descriptor, is_sandbox: bool, table: &TomlTable<'_>) -> bool {
    let there: Vec<_> = kind.ways.iter().copied().flatten().filter(|name| table.has_key(name)).collect();
    let is_way = |way: &&[&str]| there.len() == way.len() && there.iter().all(|name| way.contains(name));
    (is_sandbox && there.is_empty()) || kind.ways.iter().any(is_way)
}

/// `set one of: token; username and password; …`
fn ways_help(kind: &Descriptor) -> String {
    let way = |way: &&[&str]| match way {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        all => all.concat(),
    };
    format!("set one of: {}", kind.ways.iter().map(way).collect::<Vec<_>>().join("; "))
}

const BASE_URL: ShapedText<TenantAddress> = ShapedText {
    shape: TextShape {
        said: "an address such as \"https://acme.imi.chat/v3.1\", or \"sandbox\"",
        pattern: r"^\s*(sandbox|[hH][tT][tT][pP]([sS]://[^/?#@]+|://(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?)(/[^?#]*)?)\s*$",
        sees: Sees::NotAll,
        taken: &[
            "sandbox",
            "https://acme.imi.chat/v3.1",
            "https://acme.imi.chat/v3.1/",
            "HTTPS://acme.imi.chat:8443",
            "http://localhost:8080",
            "http://127.0.0.1:1/v3.1",
            "http://[::1]:9",
        ],
        refused: &[
            "",
            "sandbx",
            "acme.imi.chat",
            "http://acme.imi.chat",
            "http://localhost.acme.org",
            "ftp://acme.imi.chat",
            "https://me:word@acme.imi.chat",
            "https://acme.imi.chat?a=b",
            "https://acme.imi.chat/#a",
        ],
    },
    read: read_base_url,
};

/// The address without a slash at its end.
fn read_base_url(item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<TenantAddress> {
    let text = item.read_str(reading)?.trim();
    let address = |url: &str, host: &str| TenantAddress {
        url: Located { value: url.to_owned(), span: item.span.clone() },
        host: host.to_owned(),
    };
    if text == SANDBOX {
        return Some(address(SANDBOX, SANDBOX));
    }
    if text.contains(['@', '?', '#']) {
        // A password or a token may be in it.
        reading.hide_value(item.value, &item.span);
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(_) => {
            let near = crate::model::text::nearest(text, [SANDBOX].into_iter());
            let help = near.map_or_else(
                || "use an address such as \"https://acme.imi.chat/v3.1\", or \"sandbox\"".to_owned(),
                |near| format!("did you mean \"{near}\"?"),
            );
            return item.refuse("is neither an address nor \"sandbox\"", help, reading);
        }
    };
    let host = url.host_str().unwrap_or_default();
    if !url.username().is_empty() || url.password().is_some() {
        return item.refuse(
            "must not hold a user or a password",
            "credentials have settings of their own".to_owned(),
            reading,
        );
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(host) => {}
        _ => {
            let help = "use https://; plain http:// is for this machine alone (localhost, 127.0.0.1)".to_owned();
            return item.refuse("must begin with https://: nothing leaves unencrypted", help, reading);
        }
    }
    if url.query().is_some() || url.fragment().is_some() {
        return item.refuse("must be an address without ? and #", None, reading);
    }
    Some(address(url.as_str().trim_end_matches('/'), host))
}

pub(super) fn target_section() -> ConfigSection {
    ConfigSection {
        name: "target",
        says: "The system whose accounts are kept in step. Three settings are the same for every kind; each of the \
           others belongs to one kind, and other kinds refuse it.",
        missing: Some("add [target] with kind = \"imichat\" and base_url = \"sandbox\""),
        keys: SectionKeys::OfKinds { common: CommonTable.settings(), kinds: kind_keys() },
        more: "",
        example: "[target]\nkind     = \"imichat\"\nbase_url = \"sandbox\"   # the built-in simulated tenant\ntenant   = \"acme\"\n",
    }
}

fn kind_keys() -> Vec<KindKeys> {
    KINDS.iter().map(|kind| KindKeys { kind, settings: (kind.settings)() }).collect()
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
