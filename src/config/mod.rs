//! `config.toml` becomes checked settings. Every error names the file, the line and the column, shows the line, and
//! says what would be right. Secrets are resolved late and never print.

pub mod settings;

pub use settings::{
    Delivery, Duplicates, Format, JournalSettings, LookupSettings, PasswordSettings, ReportSettings, SecretSource,
    Settings, SourceSettings, TargetSettings, WebhookSettings,
};
