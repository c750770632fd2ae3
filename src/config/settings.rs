//! The settings, checked, with defaults filled in and relative paths made absolute against the configuration's folder.
//! Rooms define the types that they are steered by; what no room owns is defined here.

use std::path::PathBuf;
use std::time::Duration;

use crate::mapping::spec::{Located, MapSpec};
use crate::model::Digest;
use crate::plan::{Policy, Safety};
use crate::target::http::Rate;

/// All of `config.toml`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file as it was named, and its text: errors found later (an unknown column, say) point into it.
    pub file: PathBuf,
    pub text: String,
    pub source: SourceSettings,
    pub lookups: Vec<LookupSettings>,
    pub target: TargetSettings,
    /// `match.rules`: attribute names, resolved against the schema by the caller.
    pub rules: Vec<Vec<Located<String>>>,
    pub map: MapSpec,
    pub policy: Policy,
    pub safety: Safety,
    pub rate: Rate,
    pub journal: JournalSettings,
    pub passwords: PasswordSettings,
    pub report: ReportSettings,
    /// Over everything that decides what a plan holds: `[source]`, `[lookup]`, `[target]`, `[match]`, `[map]`,
    /// `[policy]`, `[safety]`; not over comments, layout, secrets, or how fast and where reports go.
    pub digest: Digest,
}

/// `[source]`, but for what the mapping needs of it (`include`, `identity`, `blank` are in [`MapSpec`]).
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSettings {
    /// Absolute paths; `-` is standard input.
    pub paths: Vec<PathBuf>,
    pub format: Option<Format>,
    pub delimiter: Option<u8>,
    /// A label that encoding_rs knows.
    pub encoding: Option<String>,
    pub sheet: Option<String>,
    /// 1-based.
    pub header_row: u32,
    pub duplicates: Duplicates,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Tsv,
    Xlsx,
    Jsonl,
}

/// What two rows for one person mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    Error,
    First,
    Last,
}

/// `[lookup.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct LookupSettings {
    pub name: Located<String>,
    pub path: PathBuf,
    pub key: Located<String>,
}

/// `[target]`.
#[derive(Clone, Debug)]
pub struct TargetSettings {
    /// The address, or `sandbox`.
    pub base_url: Located<String>,
    pub tenant: String,
    pub kind: KindSettings,
}

/// What each kind of target has of its own.
#[derive(Clone, Debug)]
pub enum KindSettings {
    Imichat(crate::target::imichat::Settings),
}

/// Where a secret is found; it is read when it is needed, and not kept in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    Env(String),
    File(PathBuf),
    Command(Vec<String>),
}

/// `[journal]`.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalSettings {
    pub path: PathBuf,
    pub keep: Duration,
}

/// `[passwords]`.
#[derive(Clone, Debug)]
pub struct PasswordSettings {
    pub deliver_to: Delivery,
    pub file: PathBuf,
}

/// Where generated passwords go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// An age recipient (`age1…`), checked.
    Recipient(String),
    Discard,
}

/// `[report]`. In paths `{run}` stands for the run's name.
#[derive(Clone, Debug, Default)]
pub struct ReportSettings {
    pub html: Option<PathBuf>,
    pub markdown: Option<PathBuf>,
    pub redact: Vec<String>,
    pub metrics: Option<PathBuf>,
    pub webhook: Option<WebhookSettings>,
}

/// `[report] webhook`.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    pub url: SecretSource,
    pub on: Vec<String>,
}
