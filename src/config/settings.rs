//! The settings, checked, with defaults filled in and relative paths made absolute against the configuration's folder.
//! Rooms define the types that they are steered by; what no room owns is defined here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::connectors::http::Rate;
use crate::mapping::spec::{Located, MapSpec};
use crate::model::Digest;
use crate::plan::policy::{Policy, Safety};

/// The base URL that stands for the built-in simulated tenant.
pub const SANDBOX: &str = "sandbox";

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
    /// The last row of each file says how many there are.
    pub trailer: Option<TrailerSettings>,
    /// Another file says how many rows there are in all.
    pub manifest: Option<ManifestSettings>,
}

/// `source.trailer`.
#[derive(Clone, Debug, PartialEq)]
pub struct TrailerSettings {
    /// What the first cell of the trailer begins with.
    pub mark: String,
    /// The cell that holds the number of rows, 1-based; in the first it stands behind the mark.
    pub count: usize,
}

/// `source.manifest`.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestSettings {
    pub path: PathBuf,
    /// The member that holds the number of rows, where the file is JSON; a dot leads into an object.
    pub count: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Tsv,
    Xlsx,
    Ods,
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
    Imichat(crate::connectors::imichat::ImichatSettings),
    Brightpattern(crate::connectors::brightpattern::BrightpatternSettings),
    Scim(crate::connectors::scim::ScimSettings),
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
#[derive(Clone, Debug)]
pub struct ReportSettings {
    pub html: Option<PathBuf>,
    pub markdown: Option<PathBuf>,
    /// The rows that something was wrong with, to be mended.
    pub errors: Option<PathBuf>,
    pub redact: Vec<String>,
    pub metrics: Option<PathBuf>,
    pub webhook: Option<WebhookSettings>,
}

/// `[report] webhook`.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// The address: whoever knows it can send messages there.
    pub url: SecretSource,
    /// What it is told of, each once.
    pub on: Vec<Occasion>,
    /// The key that messages are signed with; none, and they are not signed.
    pub secret: Option<SecretSource>,
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

impl Settings {
    /// The folder of the configuration file, absolute; relative paths start from here.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        folder_of(&self.file)
    }
}

impl TargetSettings {
    /// Whether the target is the built-in simulated tenant.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.base_url.value == SANDBOX
    }
}

impl KindSettings {
    /// The kind as the configuration names it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Imichat(_) => "imichat",
            Self::Brightpattern(_) => "brightpattern",
            Self::Scim(_) => "scim",
        }
    }

    /// Whether the system can delete an account at all.
    #[must_use]
    pub fn can_delete(&self) -> bool {
        match self {
            Self::Imichat(_) => false,
            Self::Brightpattern(_) | Self::Scim(_) => true,
        }
    }
}

impl Default for ReportSettings {
    /// No reports; were there some, they would show neither passwords nor free-form attributes.
    fn default() -> Self {
        let redact = ["password", "custom_attributes"].map(str::to_owned).to_vec();
        Self { html: None, markdown: None, errors: None, redact, metrics: None, webhook: None }
    }
}

/// The folder of a file, absolute where the working directory is known.
pub(super) fn folder_of(file: &Path) -> PathBuf {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    file.parent().map(Path::to_owned).unwrap_or_default()
}
