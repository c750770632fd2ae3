//! What no error may show.

use std::path::Path;

use proptest::prelude::*;

use super::{LEAST, lines, read, rendered, replaced, wrong};
use crate::config::parse;

/// Asserts that a text is in no form of the error.
fn hides(text: &str, secret: &str) {
    let error = read(text).unwrap_err();
    for shown in [rendered(&error), format!("{error:#}"), format!("{error:?}"), error.text().to_owned()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_secret_in_clear_is_shown_without_the_secret() {
    let text = LEAST.replacen("[match]", "api_key = \"hunter2\"\n[match]", 1);
    hides(&text, "hunter2");
    insta::assert_snapshot!(rendered(&parse(&text, Path::new("config.toml")).unwrap_err()), @r#"
     × config.toml:6:11: `target.api_key` is here in clear text
      ╭─[config.toml:6:11]
    5 │ base_url = "sandbox"
    6 │ api_key = "*******"
      ·           ─────────
    7 │ [match]
      ╰────
     help: use { env = "IMICHAT_API_KEY" }, { file = … } or { command = … }
    "#);
}

#[test]
fn a_secret_in_clear_is_refused_wherever_it_stands() {
    let said = replaced("[match]", "api_key = 'hunter2'\n[match]");
    assert_eq!(
        said,
        "6:11: `target.api_key` is here in clear text (use { env = \"IMICHAT_API_KEY\" }, { file = … } or { command = … })"
    );
    let said = wrong("[report]\nwebhook = { url = 'https://hunter2' }");
    assert_eq!(
        said,
        "2:19: `report.webhook.url` is here in clear text (use { env = \"HEADCOUNT_WEBHOOK\" }, { file = … } or { command = … })"
    );
    let target = |line: &str| LEAST.replacen("[match]", &format!("{line}\n[match]"), 1);
    for text in [
        target("api_key = 'hunter2'"),
        target("api_key = 4242424242").replace("4242424242", "4242424242 # hunter"),
        target("api_key = ['hunter2']"),
        target("api_key = '''\nhunter2\n'''"),
        target("api_key = { env = 'hunter2-' }"),
        target("api_key = { envv = 'hunter2' }"),
        target("api_kye = 'hunter2'"),
        target("client_secret = 'hunter2'"),
        target("auth = { deep = [{ token = 'hunter2' }] }"),
        target("client_secret = 'hunter2'").replacen("imichat", "brightpattern", 1),
        format!("{LEAST}[taget]\napi_key = 'hunter2'"),
        format!("{LEAST}[report]\nwebhook = 'hunter2'"),
        format!("{LEAST}[report]\nwebhook = {{ ulr = 'hunter2' }}"),
        format!("{LEAST}[passwords]\ndeliver_to = 'AGE-SECRET-KEY-hunter2'"),
        // Beside another error, in a comment, and in a file that cannot be parsed.
        format!("{}[policy]\nx = 1", target("api_key = 'hunter2'\ntenant = 1")),
        format!("{LEAST}[policy]\n# api_key = 'hunter2'\nx = 1"),
        target("api_key = 'hunter2"),
        target("api_key = 'hunter2'\ndomain ="),
    ] {
        hides(&text, "hunter2");
    }
    hides(&target("api_key = 4242424242"), "4242424242");
}

#[test]
fn an_address_holds_no_credentials_and_no_query() {
    for (url, said) in [
        (
            "https://me:hunter2@acme.imi.chat",
            "must not hold a user or a password (credentials have settings of their own)",
        ),
        ("https://acme.imi.chat?token=hunter2", "must be an address without ? and #"),
        ("me:hunter2@acme.imi.chat", "must begin with https://: nothing leaves unencrypted"),
    ] {
        let text = LEAST.replacen("\"sandbox\"", &format!("\"{url}\""), 1);
        hides(&text, "hunter2");
        let told = lines(&read(&text).unwrap_err(), 0);
        assert!(told.contains(&format!("5:12: `target.base_url` {said}")), "{told}");
    }
}

#[test]
fn a_secret_has_one_source() {
    let api_key = |value: &str| replaced("[match]", &format!("api_key = {value}\n[match]"));
    assert_eq!(api_key("{}"), "6:11: `target.api_key` must name one of `env`, `file` and `command`");
    assert_eq!(
        api_key("{ env = 'A', file = 'b' }"),
        "6:11: `target.api_key` must name one of `env`, `file` and `command`"
    );
    assert_eq!(api_key("{ command = [] }"), "6:23: `target.api_key.command` is empty");
    assert_eq!(
        api_key("{ command = 1 }"),
        "6:23: `target.api_key.command` must be a list of words or a string, not a whole number"
    );
    assert_eq!(
        api_key("{ env = '1A' }"),
        "6:19: `target.api_key.env` must be the name of an environment variable (letters, digits, _)"
    );
}

/// A configuration with a secret in clear.
fn planted() -> String {
    let text = include_str!("../../../config.toml");
    text.replacen("\nteam_id", "\napi_key = 'hunter2'\nteam_id", 1)
}

const SLIPS: [char; 12] = ['"', '\'', '=', '[', ']', '{', '}', '.', ',', '#', 'x', ' '];

proptest! {
    /// A slip anywhere in the file may make it no TOML at all, or turn any name into another.
    #[test]
    fn no_slip_of_one_character_shows_a_secret_or_keeps_an_error_from_being_shown(
        at in 0..planted().len(),
        slip in prop::option::of(prop::sample::select(SLIPS.to_vec())),
    ) {
        let mut text = planted();
        prop_assume!(text.is_char_boundary(at));
        match slip {
            Some(slip) => text.insert(at, slip),
            None => { text.remove(at); }
        }
        if let Err(error) = read(&text) {
            prop_assert!(!error.problems().is_empty());
            prop_assert_eq!(error.text().len(), text.len());
            for shown in [rendered(&error), format!("{error:#}"), format!("{error:?}"), error.text().to_owned()] {
                prop_assert!(!shown.contains("hunter2"), "{}", shown);
            }
        }
    }
}
