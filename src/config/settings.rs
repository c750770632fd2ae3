//! The settings, checked, with defaults filled in and relative paths made absolute against the configuration's folder.
//! Rooms define the types that they are steered by; what no room owns is defined here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use super::sections::{
    JournalSettings, ManifestSettings, PasswordSettings, ReportSettings, TrailerSettings, WebhookSettings,
};
use crate::connectors::http::Rate;
use crate::connectors::{Descriptor, SystemSettings};
use crate::mapping::spec::{Located, MapSpec};
use crate::model::Digest;
pub use crate::plan::policy::Duplicates;
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Tsv,
    Xlsx,
    Ods,
    Jsonl,
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
    pub kind: &'static Descriptor,
    /// What the kind has of its own.
    pub settings: Arc<dyn SystemSettings>,
}

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

/// The folder of a file, absolute where the working directory is known.
pub(super) fn folder_of(file: &Path) -> PathBuf {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    file.parent().map(Path::to_owned).unwrap_or_default()
}
