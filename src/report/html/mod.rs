//! A report as one HTML file, for whoever approves a plan or answers for a run: what happens to whom, and why.
//!
//! The file needs nothing else and asks nobody for anything, so that it can be read where it lies, in a mail or on paper.
//! Its policy lets a browser run the one script and use the one style sheet that belong to it, by their digests, and
//! nothing else; foreign text reaches the page as text alone (`page.rs`) or as data (`page_data.rs`), which the script shows as
//! text.

mod charts;
mod page;
mod page_data;
mod people;
mod row;
mod top;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use self::page::HtmlPage;
use super::words::record_title;
use super::{Entries, Head, PastRun, Style};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What a browser may do with the page.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; \
         form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
});

pub(super) fn write(
    head: &Head,
    past: &[PastRun],
    entries: &mut Entries<'_>,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let called = &style.invocation;
    let mut page = HtmlPage::new(out);
    page.write_markup("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")?;
    page.write_markup("<meta http-equiv=\"Content-Security-Policy\" content=\"")?
        .write_text(&POLICY)?
        .write_markup("\">\n")?;
    page.write_markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")?;
    page.write_markup("<meta name=\"color-scheme\" content=\"light dark\">\n")?;
    page.write_markup(
        "<meta name=\"referrer\" content=\"no-referrer\">\n<link rel=\"icon\" href=\"data:,\">\n<title>headcount ",
    )?;
    page.write_text(&record_title(head))?
        .write_markup("</title>\n<style>")?
        .write_markup(STYLE)?
        .write_markup("</style>\n</head>\n<body>\n")?;
    page.write_markup("<a class=\"skip\" href=\"#people\">To the people</a>\n<main>\n")?;
    top::write(head, past, called, &mut page)?;
    people::write(head, entries, called, &mut page)?;
    page.write_markup("</main>\n<script>")?.write_markup(SCRIPT)?.write_markup("</script>\n</body>\n</html>\n")?;
    Ok(())
}
