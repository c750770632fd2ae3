//! Blots secrets out of the configuration's text before any of it is shown. Every byte keeps its place, so spans into
//! the file are spans into the redacted text.

use std::ops::Range;

/// Names of settings whose value is a secret, as they end.
const SECRET_NAMES: [&str; 7] = ["api_key", "apikey", "secret", "token", "password", "passwd", "webhook"];

/// The text without what stands in the spans; quotes around it and line ends stay.
pub(super) fn spans(text: &str, hidden: &[Range<usize>]) -> String {
    if hidden.is_empty() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let within = hidden
            .iter()
            .any(|span| span.contains(&at) && !(matches!(c, '"' | '\'') && (at == span.start || at + 1 == span.end)));
        if within && !matches!(c, '\n' | '\r') {
            out.extend(std::iter::repeat_n('*', c.len_utf8()));
        } else {
            out.push(c);
        }
    }
    out
}

/// The text without what looks like a secret in a comment: a setting that was tried once and switched off.
pub(super) fn comments(text: &str) -> String {
    spans(text, &suspects(text, |line| line.trim_start().starts_with('#')))
}

/// The text without whatever looks like a secret anywhere: for a file that TOML cannot read, where only the look is
/// left to go by.
pub(super) fn everything(text: &str) -> String {
    spans(text, &suspects(text, |_| true))
}

/// What follows `api_key =` and its like, to the end of the line or of the multi-line string; a table (`{ env = … }`)
/// only names where the secret is.
fn suspects(text: &str, line_counts: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line_counts(line) {
            for (at, _) in line.match_indices('=') {
                if !is_secret_name(&line[..at]) {
                    continue;
                }
                let value = line[at + 1..].trim();
                if value.is_empty() || value.starts_with('{') {
                    continue;
                }
                let from = start + at + 1 + line[at + 1..].find(value).unwrap_or(0);
                let multi = ["\"\"\"", "'''"].into_iter().find(|quotes| value.starts_with(quotes));
                let to = match multi {
                    Some(quotes) => text[from + 3..].find(quotes).map_or(text.len(), |end| from + 3 + end + 3),
                    None => from + value.len(),
                };
                found.push(from..to);
            }
        }
        start += line.len();
    }
    found
}

/// Whether a text before `=` ends with the name of a secret.
fn is_secret_name(before: &str) -> bool {
    let name = before.trim_end().trim_end_matches(['"', '\'']).to_ascii_lowercase();
    let last = name.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).next().unwrap_or_default();
    last == "url" || SECRET_NAMES.iter().any(|secret| last.replace('-', "_").ends_with(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_span_keeps_its_length_quotes_and_lines() {
        assert_eq!(spans("k = \"sé\"\nx", &[4..9]), "k = \"***\"\nx");
        assert_eq!(spans("k = '''a\r\nb'''", &[4..14]), "k = '***\r\n***'");
    }

    #[test]
    fn comments_lose_their_secrets_and_nothing_else_does() {
        let text = "# api_key = \"hunter2\"\npassword = \"column\"\n# api_key = { env = \"KEY\" }\n# burst = 5\n";
        let shown = comments(text);
        assert_eq!(shown.len(), text.len());
        assert_eq!(
            shown,
            "# api_key = \"*******\"\npassword = \"column\"\n# api_key = { env = \"KEY\" }\n# burst = 5\n"
        );
    }

    #[test]
    fn broken_text_loses_whatever_looks_like_a_secret() {
        for text in [
            "api_key = \"hunter2",
            "api_key = hunter2",
            "api_key=hunter2\n",
            "\"api-key\" = hunter2",
            "target = { client_secret = \"hunter2\"",
            "TOKEN = '''\nhunter2\n'''",
            "password = \"\"\"hunter2\nhunter2",
            "webhook = { url = \"hunter2\"",
        ] {
            let shown = everything(text);
            assert!(!shown.contains("hunter2"), "{shown}");
            assert_eq!(shown.len(), text.len());
        }
        assert_eq!(everything("token_header = \"x\""), "token_header = \"x\"");
    }
}
