//! The use cases by the names that summaries and the journal have for them. The names are fixed; scripts read them.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandName {
    Init,
    Check,
    Plan,
    Apply,
    Sync,
    Resume,
    Rollback,
}

impl CommandName {
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

    /// Whether a text that was kept names this one.
    #[must_use]
    pub fn is(self, name: &str) -> bool {
        self.name() == name
    }
}
