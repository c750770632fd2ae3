//! What use cases say on their way, in words.

use std::path::Path;

use crate::app::session::{FirstPage, TenantAnswer};
use crate::app::workspace::display_path;
use crate::app::{AppError, Notice};

/// A notice as a line for people.
#[must_use]
pub fn describe_notice(notice: Notice<'_>) -> String {
    match notice {
        Notice::PasswordsDelivered(path) => format!("Generated passwords: {}", display_path(path)),
        Notice::ErrorSheetWritten(path) => format!("The rows to fix are in {}.", display_path(path)),
        Notice::ReportsWritten(paths) => match paths {
            [path] => format!("The report is in {}.", display_path(path)),
            paths => {
                let paths: Vec<_> = paths.iter().map(|path| display_path(Path::new(path))).collect();
                format!("The reports are in\n    {}", paths.join("\n    "))
            }
        },
        Notice::TenantAnswered(answer) => describe_answer(answer),
        Notice::NobodyChosen(name) => name.to_owned(),
        Notice::FailedBesides(AppError { message, .. }) => message.clone(),
    }
}

fn describe_answer(answer: &TenantAnswer) -> String {
    let mut text = format!("Signed in to {}.", answer.target);
    match answer.first_page {
        FirstPage::Accounts { accounts, pages } => {
            let pages = pages.map(|pages| format!(" of {pages}")).unwrap_or_default();
            text.push_str(&format!(" The first page{pages} has {accounts} accounts."));
        }
        FirstPage::NoAccounts => text.push_str(" There are no accounts yet."),
        FirstPage::Unclear => {}
    }
    if let Some(quota) = answer.quota {
        let limit = quota.limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
        text.push_str(&format!(" {}{limit} requests are left for today.", quota.remaining));
    }
    text
}
