//! Before anything is written: whether the tenant has what the accounts refer to, its teams for instance.

use super::error::{AppError, ErrorKind};
use super::session::Session;
use crate::connectors::Connector;
use crate::model::Schema;
use crate::planning::References;
use crate::report::visible::visible;

/// Unknown names that a message shows.
const SHOWN: usize = 20;

/// Refuses when the tenant lacks any of them; returns how many requests it took to know.
pub async fn check_references(
    session: &Session,
    references: &References,
    schema: &Schema,
    target: &dyn Connector,
) -> Result<u64, AppError> {
    let referred = references.ask_tenant(schema, target).await?;
    for attribute in &referred.unsaid {
        session.note(&format!("the target does not list the values of {attribute}: not checked"));
    }
    if referred.unknown.is_empty() {
        return Ok(referred.asked);
    }
    let mut message = "accounts refer to values that the target does not have, so nothing was changed:".to_owned();
    for unknown in referred.unknown.iter().take(SHOWN) {
        message.push_str(&format!("\n  {}", visible(&unknown.to_string())));
    }
    match referred.unknown.len().saturating_sub(SHOWN) {
        0 => {}
        more => message.push_str(&format!("\n  and {more} more")),
    }
    Err(AppError::new(ErrorKind::Target, message).with_hint(
        "create what is missing in the target, correct the rows or the mapping, or leave people out with --only",
    ))
}
