//! The words of a template: which columns it may use, which filters, tests and functions it names.
//!
//! The template engine finds an unknown filter only when a row reaches it, and does not say which columns a template reads
//! through `row["…"]`. This reads the source the way the engine's lexer does, so both are known before the first row. Where
//! it is not sure it errs to one side: it names rather too many columns than too few, because a cache is keyed by them.

/// A piece of a template.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'s> {
    Text(&'s str),
    /// `{{ … }}`; `plain` without `-` or `+` at either end, which would eat text around it.
    Output {
        tokens: Vec<Token<'s>>,
        plain: bool,
    },
    /// `{% … %}`
    Block(Vec<Token<'s>>),
    /// A comment, or `{% raw %}` with what it protects.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'s> {
    Name(&'s str),
    /// A quoted text without escapes.
    Text(&'s str),
    /// A quoted text with escapes, or a number: something whose value is not worked out here.
    Literal,
    Symbol(u8),
}

/// Names that an expression uses, each in the order of its first use.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Facts<'s> {
    /// Names that may be variables.
    pub names: Vec<&'s str>,
    /// `row["…"]` and `row.…`.
    pub row_columns: Vec<&'s str>,
    /// `row` is used in a way that may reach any column.
    pub whole_row: bool,
    pub filters: Vec<Call<'s>>,
    pub tests: Vec<&'s str>,
    pub functions: Vec<&'s str>,
    /// Names that a `{% set %}` makes.
    pub assigned: Vec<&'s str>,
}

/// A filter with its arguments; an argument that is not a plain quoted text is none.
#[derive(Debug, PartialEq)]
pub(super) struct Call<'s> {
    pub name: &'s str,
    pub arguments: Vec<Option<&'s str>>,
}

const KEYWORDS: [&str; 29] = [
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "elif",
    "endif",
    "for",
    "endfor",
    "recursive",
    "set",
    "endset",
    "with",
    "endwith",
    "filter",
    "endfilter",
    "do",
    "autoescape",
    "endautoescape",
    "raw",
    "endraw",
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
];

/// Cuts a template into its pieces. A template that the engine would refuse gives some pieces or other.
pub(super) fn pieces(source: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while !rest.is_empty() {
        let Some(start) = marker(rest) else {
            pieces.push(Piece::Text(rest));
            break;
        };
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        let inner = &rest[start + 2..];
        let (trimmed, body) = match inner.as_bytes().first() {
            Some(b'-' | b'+') => (true, &inner[1..]),
            _ => (false, inner),
        };
        match rest.as_bytes()[start + 1] {
            b'#' => {
                pieces.push(Piece::Other);
                rest = inner.split_once("#}").map_or("", |(_, after)| after);
            }
            b'%' => {
                let (tokens, _, after) = tokens(body, b'%');
                if tokens.first() == Some(&Token::Name("raw")) {
                    pieces.push(Piece::Other);
                    rest = skip_raw(after);
                } else {
                    pieces.push(Piece::Block(tokens));
                    rest = after;
                }
            }
            _ => {
                let (tokens, trimmed_after, after) = tokens(body, b'}');
                pieces.push(Piece::Output { tokens, plain: !trimmed && !trimmed_after });
                rest = after;
            }
        }
    }
    pieces
}

/// What all pieces of a template name.
pub(super) fn facts<'s>(pieces: &[Piece<'s>]) -> Facts<'s> {
    let mut facts = Facts::default();
    for piece in pieces {
        match piece {
            Piece::Output { tokens, .. } => expression(tokens, &mut facts),
            Piece::Block(tokens) => {
                match tokens.as_slice() {
                    [Token::Name("set"), rest @ ..] => {
                        for token in rest.iter().take_while(|token| **token != Token::Symbol(b'=')) {
                            if let Token::Name(name) = token {
                                add(&mut facts.assigned, name);
                            }
                        }
                    }
                    [Token::Name("filter"), Token::Name(name), rest @ ..] => {
                        facts.filters.push(Call { name, arguments: arguments(rest) });
                    }
                    _ => {}
                }
                expression(tokens, &mut facts);
            }
            Piece::Text(_) | Piece::Other => {}
        }
    }
    facts
}

/// The quoted arguments after a filter's name, where the tokens go on with a parenthesis.
pub(super) fn arguments<'s>(tokens: &[Token<'s>]) -> Vec<Option<&'s str>> {
    let [Token::Symbol(b'('), rest @ ..] = tokens else { return Vec::new() };
    let mut depth = 0_u32;
    let mut current: Vec<Token<'s>> = Vec::new();
    let mut found = Vec::new();
    for token in rest {
        match token {
            Token::Symbol(b')') if depth == 0 => break,
            Token::Symbol(b',') if depth == 0 => {
                found.push(quoted(&current));
                current.clear();
                continue;
            }
            Token::Symbol(b'(' | b'[' | b'{') => depth += 1,
            Token::Symbol(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        current.push(*token);
    }
    if !current.is_empty() {
        found.push(quoted(&current));
    }
    found
}

fn quoted<'s>(tokens: &[Token<'s>]) -> Option<&'s str> {
    match tokens {
        [Token::Text(text)] => Some(text),
        _ => None,
    }
}

fn expression<'s>(tokens: &[Token<'s>], facts: &mut Facts<'s>) {
    let at = |index: Option<usize>| index.and_then(|index| tokens.get(index)).copied();
    for (index, token) in tokens.iter().enumerate() {
        let Token::Name(name) = *token else { continue };
        let (before, before_that) = (at(index.checked_sub(1)), at(index.checked_sub(2)));
        let next = at(Some(index + 1));
        match before {
            Some(Token::Symbol(b'|')) => {
                facts.filters.push(Call { name, arguments: arguments(&tokens[index + 1..]) });
                continue;
            }
            Some(Token::Symbol(b'.')) => {
                if before_that == Some(Token::Name("row")) {
                    add(&mut facts.row_columns, name);
                }
                continue;
            }
            Some(Token::Name("is")) if name != "not" => {
                add(&mut facts.tests, name);
                continue;
            }
            Some(Token::Name("not")) if before_that == Some(Token::Name("is")) => {
                add(&mut facts.tests, name);
                continue;
            }
            _ => {}
        }
        if KEYWORDS.contains(&name) {
            continue;
        }
        if name == "row" {
            match (next, at(Some(index + 2)), at(Some(index + 3))) {
                (Some(Token::Symbol(b'[')), Some(Token::Text(column)), Some(Token::Symbol(b']'))) => {
                    add(&mut facts.row_columns, column);
                }
                (Some(Token::Symbol(b'.')), Some(Token::Name(_)), _) => {}
                _ => facts.whole_row = true,
            }
            continue;
        }
        if next == Some(Token::Symbol(b'(')) {
            add(&mut facts.functions, name);
        }
        add(&mut facts.names, name);
    }
}

fn add<'s>(names: &mut Vec<&'s str>, name: &'s str) {
    if !names.contains(&name) {
        names.push(name);
    }
}

fn marker(text: &str) -> Option<usize> {
    text.as_bytes().windows(2).position(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
}

/// What follows the block that ends a `{% raw %}`.
fn skip_raw(text: &str) -> &str {
    let mut rest = text;
    while let Some(start) = rest.find("{%") {
        let (tokens, _, after) = tokens(rest[start + 2..].trim_start_matches(['-', '+']), b'%');
        if tokens.first() == Some(&Token::Name("endraw")) {
            return after;
        }
        rest = &rest[start + 2..];
    }
    ""
}

/// The tokens up to `}}` or `%}` (said by its first byte), whether that has a `-` or `+`, and what follows it.
fn tokens(text: &str, end: u8) -> (Vec<Token<'_>>, bool, &str) {
    let bytes = text.as_bytes();
    let ends = |at: usize| bytes.get(at) == Some(&end) && bytes.get(at + 1) == Some(&b'}');
    let mut found = Vec::new();
    let (mut at, mut depth) = (0, 0_i32);
    while let Some(&byte) = bytes.get(at) {
        if depth == 0 && ends(at) {
            return (found, false, &text[at + 2..]);
        }
        if depth == 0 && matches!(byte, b'-' | b'+') && ends(at + 1) {
            return (found, true, &text[at + 3..]);
        }
        let start = at;
        at += 1;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0c => {}
            b'\'' | b'"' => {
                let mut escapes = false;
                while let Some(&inner) = bytes.get(at) {
                    at += 1;
                    match inner {
                        b'\\' => {
                            escapes = true;
                            at += 1;
                        }
                        inner if inner == byte => break,
                        _ => {}
                    }
                }
                // The bytes at both ends are ASCII, so the cut is at a character; an unfinished text is an error anyway.
                let inner = text.get(start + 1..at.min(text.len()).saturating_sub(1));
                found.push(match inner {
                    Some(inner) if !escapes => Token::Text(inner),
                    _ => Token::Literal,
                });
            }
            b'0'..=b'9' => {
                while bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
                    at += 1;
                }
                found.push(Token::Literal);
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                while bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
                    at += 1;
                }
                found.push(Token::Name(&text[start..at]));
            }
            _ => {
                match byte {
                    b'(' | b'[' | b'{' => depth += 1,
                    b')' | b']' | b'}' => depth -= 1,
                    _ => {}
                }
                found.push(Token::Symbol(byte));
            }
        }
    }
    (found, false, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scan(source: &str) -> Facts<'_> {
        facts(&pieces(source))
    }

    #[test]
    fn a_template_names_its_columns_filters_tests_and_functions() {
        let facts = scan(
            "Hi {{ work_email | lower | before('@') }} {% if hired is not defined and x is odd %}{{ today() }}{% endif %}",
        );
        assert_eq!(facts.names, ["work_email", "hired", "x", "today"]);
        assert_eq!(facts.filters.iter().map(|f| f.name).collect::<Vec<_>>(), ["lower", "before"]);
        assert_eq!(facts.filters[1].arguments, [Some("@")]);
        assert_eq!(facts.tests, ["defined", "odd"]);
        assert_eq!(facts.functions, ["today"]);
        assert!(!facts.whole_row);
    }

    #[test]
    fn the_row_is_known_by_literal_columns_or_as_a_whole() {
        let known = scan(r#"{{ row["Job Title"] ~ row.team ~ row['a}}b'] }}"#);
        assert_eq!((known.row_columns, known.whole_row), (vec!["Job Title", "team", "a}}b"], false));
        assert!(scan("{{ row[which] }}").whole_row);
        assert!(scan(r#"{{ row["a\"b"] }}"#).whole_row);
        assert!(scan("{% for k in row %}{{ k }}{% endfor %}").whole_row);
    }

    #[test]
    fn braces_comments_and_raw_blocks_do_not_confuse_it() {
        let facts = scan("{# {{ a }} #}{% raw %}{{ b }}{% endraw %}{{ {'k': {'l': c}} }}{%- set d = e -%}{{- f -}}");
        assert_eq!(facts.names, ["c", "d", "e", "f"]);
        assert_eq!(facts.assigned, ["d"]);
        assert_eq!(scan("{% filter upper %}x{% endfilter %}").filters[0].name, "upper");
    }

    #[test]
    fn arguments_that_are_not_quoted_texts_are_none() {
        let facts = scan("{{ a | lookup('teams', b) | replace(f(1, 2), 'x') }}");
        assert_eq!(facts.filters[0].arguments, [Some("teams"), None]);
        assert_eq!(facts.filters[1].arguments, [None, Some("x")]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(source in r#"([{}%#'"\\|.()\[\]a-z é-]|\{\{|\}\}|raw|row){0,40}"#) {
            scan(&source);
        }
    }
}
