//! Everything that `config.toml` can say, for people and for editors: `docs/configuration.md` and the JSON Schema, made
//! from the same tables that read the file.
//!
//! That the schema refuses nothing that the readers take, is what the tests beside this file hold.

mod json;
mod markdown;
mod schema;
mod templates;

#[cfg(test)]
mod tests;

pub use markdown::markdown;
pub use schema::json_schema;

/// A value of this file, as it is after parsing; none would be a slip in it, and a test finds that.
fn toml_value(text: &str) -> Option<toml::Value> {
    toml::from_str::<toml::Table>(&format!("value = {text}")).ok()?.remove("value")
}
