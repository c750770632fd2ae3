//! `[rate]`, `[journal]`, `[passwords]` and `[report]`: how a run goes and where it leaves what it has to tell.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use toml::de::DeValue;

use super::reader::{Folder, Item, Problems, Table};
use super::reference::{BURST, CONCURRENCY, OCCASIONS, OCCASIONS_SAID, PACE, RETRIES, WEBHOOK_SAID};
use super::settings::{Delivery, JournalSettings, Occasion, PasswordSettings, ReportSettings, WebhookSettings};
use crate::connectors::http::Rate;
use crate::model::Percent;

pub(super) fn rate(mut table: Table<'_>, problems: &mut Problems) -> Rate {
    let default = default_rate();
    let rate = Rate {
        requests_per_second: table
            .get("requests_per_second")
            .and_then(|item| requests_per_second(&item, problems))
            .unwrap_or(default.requests_per_second),
        burst: table.get("burst").and_then(|item| item.integer(BURST, problems)).unwrap_or(default.burst),
        concurrency: table
            .get("concurrency")
            .and_then(|item| item.integer(CONCURRENCY, problems))
            .unwrap_or(default.concurrency),
        daily_reserve: table
            .get("daily_reserve")
            .and_then(|item| item.percent(problems))
            .unwrap_or(default.daily_reserve),
        retries: table.get("retries").and_then(|item| item.integer(RETRIES, problems)).unwrap_or(default.retries),
        timeout: table.get("timeout").and_then(|item| item.some_duration(problems)).unwrap_or(default.timeout),
        wait_for_quota: table
            .get("wait_for_quota")
            .and_then(|item| item.boolean(problems))
            .unwrap_or(default.wait_for_quota),
    };
    table.finish(problems);
    rate
}

pub(super) fn journal(mut table: Table<'_>, folder: Folder<'_>, problems: &mut Problems) -> JournalSettings {
    let path = table.get("path").and_then(|item| item.path(folder, problems));
    let keep = table.get("keep").and_then(|item| item.duration(problems));
    table.finish(problems);
    JournalSettings {
        path: path.unwrap_or_else(|| folder.path(".headcount")),
        keep: keep.unwrap_or(Duration::from_secs(90 * 86_400)),
    }
}

pub(super) fn passwords(mut table: Table<'_>, folder: Folder<'_>, problems: &mut Problems) -> PasswordSettings {
    let deliver_to = table.get("deliver_to").and_then(|item| delivery(&item, problems));
    let file = table.get("file").and_then(|item| item.path(folder, problems));
    table.finish(problems);
    PasswordSettings {
        deliver_to: deliver_to.unwrap_or(Delivery::Discard),
        file: file.unwrap_or_else(|| folder.path("passwords.age")),
    }
}

pub(super) fn report(mut table: Table<'_>, folder: Folder<'_>, problems: &mut Problems) -> ReportSettings {
    let mut file = |key| table.get(key).and_then(|item| report_path(&item, folder, problems));
    let (html, markdown) = (file("html"), file("markdown"));
    let errors = table.get("errors").and_then(|item| errors_path(&item, folder, problems));
    let metrics = table.get("metrics").and_then(|item| metrics_path(&item, folder, problems));
    let redact = table.get("redact").and_then(|item| item.strings(problems));
    let webhook = table.get("webhook").and_then(|item| webhook(&item, folder, problems));
    table.finish(problems);
    let redact = match redact {
        Some(names) => names.into_iter().map(|name| name.value).collect(),
        None => ReportSettings::default().redact,
    };
    ReportSettings { html, markdown, errors, redact, metrics, webhook }
}

fn default_rate() -> Rate {
    // 5 lies between 0 and 100, which is all that a percentage asks.
    #[allow(clippy::expect_used)]
    let daily_reserve = Percent::new(5.0).expect("5 % is a percentage");
    Rate {
        requests_per_second: 5.0,
        burst: 5,
        concurrency: 4,
        daily_reserve,
        retries: 5,
        timeout: Duration::from_secs(30),
        wait_for_quota: false,
    }
}

fn requests_per_second(item: &Item<'_>, problems: &mut Problems) -> Option<f64> {
    match item.number(problems)? {
        rate if rate.abs() < f64::EPSILON => Some(0.0),
        rate if PACE.contains(&rate) => Some(rate),
        _ => item.refuse("must be 0.001 to 1,000,000, or 0 for no limit", None, problems),
    }
}

fn delivery(item: &Item<'_>, problems: &mut Problems) -> Option<Delivery> {
    let text = item.string(problems)?;
    if text == "discard" {
        return Some(Delivery::Discard);
    }
    if text.trim().to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
        problems.hide(item.value, &item.span);
        let help = "use its public half, age1…: `age-keygen -y` prints it".to_owned();
        return item.refuse("is a private key, and stands here in clear", help, problems);
    }
    match age::x25519::Recipient::from_str(text) {
        Ok(_) => Some(Delivery::Recipient(text.to_owned())),
        Err(why) => {
            let help = "use the public key that `age-keygen` prints (age1…), or \"discard\"".to_owned();
            item.refuse(&format!("is no age recipient: {why}"), help, problems)
        }
    }
}

/// A path in which `{run}` stands for the run's name, and nothing else is in braces.
fn report_path(item: &Item<'_>, folder: Folder<'_>, problems: &mut Problems) -> Option<PathBuf> {
    let text = item.string(problems)?;
    if text.replace("{run}", "").contains(['{', '}']) {
        return item.refuse("can only have {run} in braces", None, problems);
    }
    Some(folder.path(text))
}

/// Names that promise what no error sheet can be, so that a source of that name could not be read.
const NO_SHEETS: [&str; 14] =
    ["ods", "xls", "xlsb", "xlsm", "json", "gz", "gzip", "zst", "zstd", "zip", "bz2", "xz", "7z", "html"];

fn errors_path(item: &Item<'_>, folder: Folder<'_>, problems: &mut Problems) -> Option<PathBuf> {
    let path = report_path(item, folder, problems)?;
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if NO_SHEETS.contains(&extension.as_str()) {
        let help =
            "leave it out, and the file is of the source's own format; or name a .csv, .tsv, .xlsx or .jsonl file";
        return item.refuse(&format!("cannot be written as .{extension}"), help.to_owned(), problems);
    }
    Some(path)
}

/// A path that is the same for every run: whoever collects metrics reads all files of a folder, and would find those of
/// each run beside those of all others.
fn metrics_path(item: &Item<'_>, folder: Folder<'_>, problems: &mut Problems) -> Option<PathBuf> {
    let text = item.string(problems)?;
    if text.contains(['{', '}']) {
        return item.refuse("must be one file for all runs, without braces", None, problems);
    }
    Some(folder.path(text))
}

fn webhook(item: &Item<'_>, folder: Folder<'_>, problems: &mut Problems) -> Option<WebhookSettings> {
    let DeValue::Table(_) = item.value else {
        // An address that takes messages from whoever knows it is a secret.
        problems.hide(item.value, &item.span);
        return item.wrong(WEBHOOK_SAID, problems);
    };
    let mut table = item.table(problems)?;
    let url = table
        .need("url", "add url = { env = \"HEADCOUNT_WEBHOOK\" }", problems)
        .and_then(|item| item.secret("HEADCOUNT_WEBHOOK", folder, problems));
    let secret = table.get("secret").and_then(|item| item.secret("HEADCOUNT_WEBHOOK_SECRET", folder, problems));
    let on = table.get("on").map_or(vec![Occasion::Failure, Occasion::Held], |on| occasions(&on, problems));
    table.finish_hiding(problems);
    Some(WebhookSettings { url: url?, on, secret })
}

fn occasions(item: &Item<'_>, problems: &mut Problems) -> Vec<Occasion> {
    let Some(items) = item.list(OCCASIONS_SAID, problems) else { return Vec::new() };
    if items.is_empty() {
        let help = "leave it out for [\"failure\", \"held\"]".to_owned();
        let _: Option<()> = item.refuse("names nothing to be told of", help, problems);
    }
    let mut named = Vec::new();
    for occasion in items.iter().filter_map(|item| item.choice(&OCCASIONS, problems)).flatten() {
        if !named.contains(occasion) {
            named.push(*occasion);
        }
    }
    named
}
