//! The use cases by the names that summaries and the journal have for them. The names are fixed; scripts read them.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandName {
    Init,
    Check,
    Plan,
    Apply,
    #[default]
    Sync,
    Resume,
    Rollback,
}

impl CommandName {
    pub const ALL: [Self; 7] =
        [Self::Init, Self::Check, Self::Plan, Self::Apply, Self::Sync, Self::Resume, Self::Rollback];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Check => "check",
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Sync => "sync",
            Self::Resume => "resume",
            Self::Rollback => "rollback",
        }
    }

    /// The command of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.name() == name)
    }
}

impl std::fmt::Display for CommandName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
