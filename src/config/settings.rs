//! The settings, checked, with defaults filled in and relative paths made absolute against the configuration's folder.
//! Rooms define the types that they are steered by; what no room owns is defined here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::sections::{JournalSettings, LookupSettings, PasswordSettings, ReportSettings, SourceSettings};
use crate::connectors::http::{Network, Rate};
use crate::connectors::{Descriptor, SystemSettings};
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
    pub network: Network,
    pub journal: JournalSettings,
    pub passwords: PasswordSettings,
    pub report: ReportSettings,
    /// Over everything that decides what a plan holds: `[source]`, `[lookup]`, `[target]`, `[match]`, `[map]`,
    /// `[policy]`, `[safety]`; not over comments, layout, secrets, or how fast and where reports go.
    pub digest: Digest,
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
