//! `[rate]`, `[journal]`, `[passwords]` and `[report]`: how a run goes and where it leaves what it has to tell.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use reqwest::Url;

use super::{ConfigSection, SectionKeys};
use crate::connectors::http::{Network, ProxyChoice, Rate};
use crate::settings::{
    ATTRIBUTE, Choices, ConfigReading, DURATION, Doubles, FILE, InTable, ItemList, LONGER_DURATION, Number, PERCENT,
    SecretSource, Sees, SettingForm, SettingsTable, ShapedText, TableRule, TextShape, TomlItem, TomlTable, WordChoice,
    Zero, default_setting, mapped_form, named_choice, needed_setting, optional_setting, secret_place, settings_table,
    true_or_false, whole_number,
};

/// Where generated passwords go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// An age recipient (`age1…`), checked.
    Recipient(String),
    Discard,
}

/// What a run can come to, as far as somebody wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    Success,
    Failure,
    Held,
    Paused,
}

impl Occasion {
    pub const ALL: [Self; 4] = [Self::Success, Self::Failure, Self::Held, Self::Paused];

    /// As the configuration names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Held => "held",
            Self::Paused => "paused",
        }
    }
}

settings_table! {
    RateTable fills Rate {
        requests_per_second = default_setting(PACE, "5"),
            "How many requests are sent in a second, at most. 0 means no limit.";
        burst = default_setting(whole_number::<u32>(1..=1_000_000), "5"),
            "How many requests may be sent at once after a pause.";
        concurrency = default_setting(whole_number::<usize>(1..=256), "4"),
            "How many requests may be under way at once.";
        daily_reserve = default_setting(PERCENT, "\"5%\""),
            "The share of the tenant's daily quota that is left for others. If a server does not say how large the \
             quota is, nothing can be reserved.";
        retries = default_setting(whole_number::<u32>(0..=100), "5"),
            "How often one request is repeated, at most, after a failure that may pass. What is not safe to send \
             twice, such as a create, is repeated only if it was certainly not carried out.";
        timeout = default_setting(LONGER_DURATION, "\"30s\""),
            "How long one request may take, from connecting to the last byte of its answer.";
        wait_for_quota = default_setting(true_or_false(), "false"),
            "Whether a run sleeps until the daily quota resets, instead of pausing with exit code 6.";
    }
}

settings_table! {
    NetworkTable fills Network {
        proxy = optional_setting(PROXY, "requests go straight to the target"),
            "The proxy that requests to the target and to the webhook go through: its address, or `\"environment\"` for \
             the one that the variable `HTTPS_PROXY` names, except for the hosts in `NO_PROXY`. If the proxy asks for \
             a login, use `\"environment\"`: an address with a password does not belong into this file.";
        ca_file = optional_setting(FILE, "only the authorities that the system trusts are trusted"),
            "Certificates (PEM) of authorities that are trusted as well, for instance your company's own.";
        client_cert = optional_setting(FILE, "no client certificate is sent"),
            "The certificate (PEM) that identifies headcount to a server that asks for one, followed by those that \
             signed it. It needs `client_key`.";
        client_key = optional_setting(secret_place("HEADCOUNT_CLIENT_KEY"), "no client certificate is sent"),
            "The private key of `client_cert` (PEM, without a passphrase).";
    }
}

/// Reads `[network]`. A certificate and its key only make sense together.
pub(in crate::config) fn read_network(table: &TomlTable<'_>, reading: &mut ConfigReading) -> Option<Network> {
    let network = NetworkTable.read(table, reading)?;
    let (there, missing) = match (&network.client_cert, &network.client_key) {
        (Some(_), None) => {
            ("client_cert", "add client_key = { file = \"hr.key\" }: the private key of the certificate")
        }
        (None, Some(_)) => ("client_key", "add client_cert = \"hr.pem\": the certificate that the key belongs to"),
        _ => return Some(network),
    };
    table.find_item(there)?.refuse("is only half of an identity", missing.to_owned(), reading)
}

settings_table! {
    /// `[journal]`.
    struct JournalSettings read by JournalTable {
        path: PathBuf = default_setting(FILE, "\".headcount\""),
            "The state directory. It is created if it is missing, for its owner only (mode 0700), and only one run \
             at a time can use it. Each configuration needs its own. `--state DIR` uses another.";
        keep: Duration = default_setting(DURATION, "\"90d\""),
            "Runs that ended longer ago are deleted after the next run, and so are plans that were made longer ago.";
    }
}

settings_table! {
    /// `[passwords]`.
    struct PasswordSettings read by PasswordTable {
        deliver_to: Delivery = default_setting(RECIPIENT, "\"discard\""),
            "Who gets them: the owner of an [age](https://age-encryption.org) key (write its public half here), or \
             nobody (`\"discard\"`); then people reset their passwords.";
        file: PathBuf = default_setting(FILE, "\"passwords.age\""),
            "The file that they are written to, encrypted for that key (CSV with `key`, `identity`, `account`, \
             `attribute` and `value`). `{run}` stands for the run's name; without it, the name is added if the file \
             exists already.";
    }
}

settings_table! {
    /// `[report]`. In paths `{run}` stands for the run's name.
    struct ReportSettings read by ReportTable {
        html: Option<PathBuf> = optional_setting(REPORT_FILE, "none is written"),
            "A report for a browser: one file that can be mailed or printed, written after every run.";
        markdown: Option<PathBuf> = optional_setting(REPORT_FILE, "none is written"),
            "A short report for a ticket, a pull request or a chat, written after every run.";
        errors: Option<PathBuf> = optional_setting(SHEET_FILE, "none is written"),
            "The rows that were invalid, in conflict, or failed, as they are in the export, with what is wrong, so \
             that you can fix them and give them to headcount again. Written after every plan and every run that has \
             such rows. The ending says the format: `.csv`, `.tsv`, `.xlsx` or `.jsonl`. Without an ending it is the \
             format of the export; an ending of another format is refused.";
        redact: Vec<String> = default_setting(attribute_names(), "[\"password\", \"custom_attributes\"]"),
            "Attributes whose values no report shows, in a file or on the terminal. A name may point inside an \
             object (`custom_attributes.business`).";
        metrics: Option<PathBuf> = optional_setting(ONE_FILE, "none are written"),
            "The last run in numbers, for the textfile collector of Prometheus' node exporter. All runs write the \
             same file; each configuration needs its own.";
        webhook: Option<WebhookSettings> = optional_setting(
            InTable {
                of: WebhookTable,
                rule: TableRule::Free,
                said: "a table such as { url = { env = \"HEADCOUNT_WEBHOOK\" }, on = [\"failure\"] }",
            },
            "nobody is notified"
        ),
            "Where a message (JSON) about the end of a run is sent. A webhook that fails does not change how the run \
             ended.";
    }
}

settings_table! {
    /// `report.webhook`.
    struct WebhookSettings read by WebhookTable {
        url: SecretSource = needed_setting(secret_place("HEADCOUNT_WEBHOOK"), "add url = { env = \"HEADCOUNT_WEBHOOK\" }"),
            "The address. It is a secret, because anybody who knows it can send messages there.";
        on: Vec<Occasion> = default_setting(occasion_list(), "[\"failure\", \"held\"]"),
            "When a message is sent.";
        secret: Option<SecretSource> = optional_setting(secret_place("HEADCOUNT_WEBHOOK_SECRET"), "messages are not signed"),
            "The key that messages are signed with (HMAC-SHA256, in the header `X-Headcount-Signature`).";
    }
}

const OCCASIONS: &[WordChoice<&'static [Occasion]>] = &[
    named_choice("success", &[Occasion::Success], "everything was done, or there was nothing to do"),
    named_choice(
        "failure",
        &[Occasion::Failure],
        "accounts failed or have an unknown outcome, or the run failed before anything was changed",
    ),
    named_choice("held", &[Occasion::Held], "a limit of `[safety]` held some or all actions"),
    named_choice("paused", &[Occasion::Paused], "the run was paused, and can be resumed"),
    named_choice("always", &Occasion::ALL, "each of these"),
];

/// Requests per second: one in a thousand seconds is the slowest.
const PACE: Number<f64> = Number {
    range: 0.001..=1_000_000.0,
    zero: Zero::Allowed,
    check: |pace| match pace {
        none if none.abs() < f64::EPSILON => Ok(0.0),
        pace if PACE.range.contains(&pace) => Ok(pace),
        _ => Err("must be 0.001 to 1,000,000, or 0 for no limit".to_owned()),
    },
};

const RECIPIENT: ShapedText<Delivery> = ShapedText {
    shape: TextShape {
        said: "\"discard\", or the public key that age-keygen prints, \"age1…\"",
        pattern: "^(discard|age1[0-9a-z]+)$",
        sees: Sees::NotAll,
        taken: &["discard", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"],
        refused: &["", "me", "discarded", "AGE-SECRET-KEY-1QQQQ"],
    },
    read: read_recipient,
};

const PROXY: ShapedText<ProxyChoice> = ShapedText {
    shape: TextShape {
        said: "\"environment\", or an address such as \"http://proxy.acme.example:3128\"",
        pattern: r"^\s*(environment|[hH][tT][tT][pP][sS]?://[^/?#@\s]+/?)\s*$",
        sees: Sees::NotAll,
        taken: &[
            "environment",
            "http://proxy.acme.example:3128",
            "https://proxy.acme.example",
            "http://10.0.0.1:3128/",
        ],
        refused: &["", "proxy:3128", "socks5://proxy:1080", "http://me:word@proxy:3128", "http://proxy/path", "system"],
    },
    read: read_proxy,
};

const REPORT_FILE: ShapedText<PathBuf> = ShapedText {
    shape: TextShape {
        said: "a path, in which {run} stands for the run's name",
        pattern: r"^\s*([^{}\s]|\{run\})([^{}]|\{run\})*$",
        sees: Sees::All,
        taken: &["reports/{run}.html", "last.html", "{run}"],
        refused: &["", "  ", "{date}.html", "a{.html", "{run}}"],
    },
    read: read_report_path,
};

/// A file of rows, which promises no format that rows are not written in.
const SHEET_FILE: ShapedText<PathBuf> = ShapedText {
    shape: TextShape {
        pattern: r"^(?![\s\S]*[^/]\.(ods|xls|xlsb|xlsm|json|gz|gzip|zst|zstd|zip|bz2|xz|7z|html)$)\s*([^{}\s]|\{run\})([^{}]|\{run\})*$",
        sees: Sees::NotAll,
        taken: &["reports/{run}-errors.csv", "errors", "{run}", "a.b/errors.xlsx", "a/.html"],
        refused: &["", "  ", "{date}.csv", "{run}}", "errors.html", "reports/{run}.ods", "errors.csv.gz"],
        ..REPORT_FILE.shape
    },
    read: read_sheet_path,
};

/// A path that is the same for every run: whoever collects metrics reads all files of a folder, and would find those of
/// each run beside those of all others.
const ONE_FILE: ShapedText<PathBuf> = ShapedText {
    shape: TextShape {
        said: "a path without braces",
        pattern: r"^\s*[^{}\s][^{}]*$",
        sees: Sees::All,
        taken: &["reports/headcount.prom"],
        refused: &["", "{run}.prom", "a}"],
    },
    read: |item, reading| {
        if item.read_str(reading)?.contains(['{', '}']) {
            return item.refuse("must be one file for all runs, without braces", None, reading);
        }
        item.read_path(reading)
    },
};

fn attribute_names() -> impl SettingForm<Output = Vec<String>> {
    let said = "a list of the names of attributes";
    let attributes = ItemList { of: ATTRIBUTE, said, doubles: Doubles::Allowed, empty: None };
    mapped_form(attributes, |names| names.into_iter().map(|name| name.value).collect())
}

/// Each occasion once, however often it is named.
fn occasion_list() -> impl SettingForm<Output = Vec<Occasion>> {
    let help = "leave it out for [\"failure\", \"held\"]";
    let occasions = ItemList {
        of: Choices(OCCASIONS),
        said: "a list such as [\"failure\", \"held\"]",
        doubles: Doubles::Allowed,
        empty: Some(("names nothing to notify about", Some(help))),
    };
    mapped_form(occasions, |named| {
        let mut once = Vec::new();
        for occasion in named.into_iter().flatten() {
            if !once.contains(occasion) {
                once.push(*occasion);
            }
        }
        once
    })
}

fn read_proxy(item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<ProxyChoice> {
    let text = item.read_str(reading)?.trim();
    if text == "environment" {
        return Some(ProxyChoice::Environment);
    }
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else {
        let help = "write \"http://HOST:PORT\", or \"environment\" for what HTTPS_PROXY says".to_owned();
        return item.refuse("is no address of a proxy", help, reading);
    };
    if !url.username().is_empty() || url.password().is_some() {
        reading.hide_value(item.value, &item.span);
        let help = "set HTTPS_PROXY where headcount runs, and write proxy = \"environment\"".to_owned();
        return item.refuse("must not contain a login", help, reading);
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return item.refuse("must be a host and a port alone", None, reading);
    }
    Some(ProxyChoice::Address(text.to_owned()))
}

fn read_recipient(item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<Delivery> {
    let text = item.read_str(reading)?;
    if text == "discard" {
        return Some(Delivery::Discard);
    }
    if text.trim().to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
        reading.hide_value(item.value, &item.span);
        let help = "use its public half, age1…: `age-keygen -y` prints it".to_owned();
        return item.refuse("is a private key, in clear text", help, reading);
    }
    match age::x25519::Recipient::from_str(text) {
        Ok(_) => Some(Delivery::Recipient(text.to_owned())),
        Err(why) => {
            let help = "use the public key that `age-keygen` prints (age1…), or \"discard\"".to_owned();
            item.refuse(&format!("is not an age recipient: {why}"), help, reading)
        }
    }
}

/// A path in which `{run}` stands for the run's name, and nothing else is in braces.
fn read_report_path(item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<PathBuf> {
    if item.read_str(reading)?.replace("{run}", "").contains(['{', '}']) {
        return item.refuse("can only have {run} in braces", None, reading);
    }
    item.read_path(reading)
}

/// Names that promise what no error sheet can be, so that a source of that name could not be read.
const NO_SHEETS: [&str; 14] =
    ["ods", "xls", "xlsb", "xlsm", "json", "gz", "gzip", "zst", "zstd", "zip", "bz2", "xz", "7z", "html"];

fn read_sheet_path(item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<PathBuf> {
    let path = read_report_path(item, reading)?;
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if NO_SHEETS.contains(&extension.as_str()) {
        let help = "leave it out to use the format of the source, or name a .csv, .tsv, .xlsx or .jsonl file";
        return item.refuse(&format!("cannot be written as .{extension}"), help.to_owned(), reading);
    }
    Some(path)
}

pub(super) fn rate_section() -> ConfigSection {
    ConfigSection {
        name: "rate",
        says: "How fast requests are sent, and how long a run keeps trying. If a server asks headcount to wait \
           (`Retry-After`), it waits; if that is more than five minutes, the run stops.",
        missing: None,
        keys: SectionKeys::These(RateTable.settings()),
        more: "",
        example: "[rate]\nrequests_per_second = 20\nconcurrency         = 8\ndaily_reserve       = \"20%\"\ntimeout             = \"1m\"\n",
    }
}

pub(super) fn network_section() -> ConfigSection {
    ConfigSection {
        name: "network",
        says: "How requests get to the target and to the webhook, where a company network has a proxy or authorities of \
               its own. Nothing of this concerns the built-in sandbox.",
        missing: None,
        keys: SectionKeys::These(NetworkTable.settings()),
        more: "",
        example: "[network]\n\
                  proxy       = \"http://proxy.acme.example:3128\"\n\
                  ca_file     = \"acme-ca.pem\"\n\
                  client_cert = \"hr.pem\"\n\
                  client_key  = { file = \"hr.key\" }\n",
    }
}

pub(super) fn journal_section() -> ConfigSection {
    ConfigSection {
        name: "journal",
        says: "Where headcount keeps the journal of its runs, their plans and reports, who has which account, and \
           the last listing.",
        missing: None,
        keys: SectionKeys::These(JournalTable.settings()),
        more: "",
        example: "[journal]\npath = \"/var/lib/headcount/acme\"\nkeep = \"1w\"\n",
    }
}

pub(super) fn password_section() -> ConfigSection {
    ConfigSection {
        name: "passwords",
        says: "Where [generated](#map) passwords go. They are never printed, logged or stored in clear.",
        missing: None,
        keys: SectionKeys::These(PasswordTable.settings()),
        more: "",
        example: "[passwords]\n\
              deliver_to = \"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\"   # its owner: age -d -i key.txt\n\
              file       = \"passwords-{run}.age\"\n",
    }
}

pub(super) fn report_section() -> ConfigSection {
    ConfigSection {
        name: "report",
        says: "What is written and who is notified after a run, in addition to the output on the terminal.",
        missing: None,
        keys: SectionKeys::These(ReportTable.settings()),
        more: "In a path, `{run}` stands for the run's name. Missing folders are created.",
        example: "[report]\n\
              html    = \"reports/{run}.html\"\n\
              errors  = \"reports/{run}-errors.xlsx\"\n\
              webhook = { url = { env = \"HEADCOUNT_WEBHOOK\" }, on = [\"failure\", \"held\"] }\n",
    }
}
