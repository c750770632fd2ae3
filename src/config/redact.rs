//! Blots secrets out of the configuration's text before any of it is shown. Every byte keeps its place, so spans into
//! the file are spans into the redacted text.

use std::ops::Range;

/// Names of settings whose value is a secret, as they end, without what joins words.
const SECRET_NAMES: [&str; 6] = ["apikey", "secret", "token", "password", "passwd", "webhook"];

/// The text without what stands in the spans; quotes around it and line ends stay.
pub(super) fn hide_spans(text: &str, hidden: &[Range<usize>]) -> String {
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
pub(super) fn hide_in_comments(text: &str) -> String {
    let mut found = Vec::new();
    for (start, line) in numbered_lines(text) {
        let begin = line.find('#').unwrap_or(line.len());
        let assigned = secret_assignments(line).filter(|at| *at >= begin);
        found.extend(assigned.filter_map(|at| value_after(text, start + at + 1)));
    }
    hide_spans(text, &found)
}

/// The text without whatever looks like a secret anywhere: for a file that TOML cannot read, where only the look is
/// left to go by. Since a quote or a sign may be what is missing, a line that has the name of a secret in it is enough.
pub(super) fn hide_everything(text: &str) -> String {
    let mut found = Vec::new();
    for (start, line) in numbered_lines(text) {
        found.extend(
            secret_assignments(line).chain(find_secret_name(line)).filter_map(|at| value_after(text, start + at + 1)),
        );
    }
    hide_spans(text, &found)
}

/// Each line with where it starts.
fn numbered_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |next, line| {
        let start = *next;
        *next += line.len();
        Some((start, line))
    })
}

/// Where in a line a `=` follows the name of a secret.
fn secret_assignments(line: &str) -> impl Iterator<Item = usize> {
    line.match_indices('=').map(|(at, _)| at).filter(|at| is_secret_name(&line[..*at]))
}

/// The value that begins somewhere after a place: to the end of its line, or of the multi-line string, or of the next
/// line where this one says nothing. A table (`{ env = … }`) only names where the secret is.
fn value_after(text: &str, after: usize) -> Option<Range<usize>> {
    let from = after + text.get(after..)?.find(|c: char| !c.is_whitespace() && c != '=')?;
    let rest = &text[from..];
    if rest.starts_with('{') {
        return None;
    }
    // Of the three quotes before a multi-line string one may be missing.
    let multi = [("\"\"", "\"\"\""), ("''", "'''")].into_iter().find(|(quotes, _)| rest.starts_with(quotes));
    let length = match multi {
        Some((_, end)) => rest[2..].find(end).map_or(rest.len(), |at| at + 2 + end.len()),
        None => rest.find('\n').unwrap_or(rest.len()),
    };
    Some(from..from + rest[..length].trim_end().len())
}

/// Whether a text before `=` ends with the name of a secret.
fn is_secret_name(before: &str) -> bool {
    let name = before.trim_end().trim_end_matches(['"', '\'']).to_ascii_lowercase();
    let last = name.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).next().unwrap_or_default();
    last == "url" || SECRET_NAMES.iter().any(|secret| last.replace(['-', '_'], "").ends_with(secret))
}

/// The last letter of the first name of a secret in a line, whatever signs have got into it.
fn find_secret_name(line: &str) -> Option<usize> {
    let letters: Vec<(usize, char)> = line.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()).collect();
    let squeezed: String = letters.iter().map(|(_, c)| c.to_ascii_lowercase()).collect();
    let end = SECRET_NAMES.iter().filter_map(|name| squeezed.find(name).map(|at| at + name.len() - 1)).min()?;
    letters.get(end).map(|(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(start: usize, end: usize) -> Vec<Range<usize>> {
        vec![Range { start, end }]
    }

    #[test]
    fn a_hidden_span_keeps_its_length_quotes_and_lines() {
        assert_eq!(hide_spans("k = \"sé\"\nx", &hidden(4, 9)), "k = \"***\"\nx");
        assert_eq!(hide_spans("k = '''a\r\nb'''", &hidden(4, 14)), "k = '***\r\n***'");
    }

    #[test]
    fn comments_lose_their_secrets_and_nothing_else_does() {
        let text = "x = 1 # api_key = \"hunter2\"\npassword = \"column\"\n# api_key = { env = \"KEY\" }\n# burst = 5\n";
        let shown = hide_in_comments(text);
        assert_eq!(shown.len(), text.len());
        assert_eq!(shown, text.replace("hunter2", "*******"));
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
            "api_key \"hunter2\"",
            "api\"_key = 'hunter2'",
            "domain = 'd'api_key = 'hunter2'",
            "api_key =\n'hunter2'",
            "api_key = ''\nhunter2\n'''",
        ] {
            let shown = hide_everything(text);
            assert!(!shown.contains("hunter2"), "{shown}");
            assert_eq!(shown.len(), text.len());
        }
    }

    #[test]
    fn broken_text_keeps_what_is_no_secret() {
        for text in ["domain = \"x\"\nburst = ", "api_key = { env = \"KEY\"", "base_url = \"https://x"] {
            assert_eq!(hide_everything(text), text);
        }
    }
}
