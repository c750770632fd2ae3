//! Bounds how deep a template may be nested, before the engine reads it. The engine's parser, its compiler and its values
//! call themselves once for each level, and a stack that overflows ends the process.

use std::borrow::Cow;
use std::ops::Range;

use minijinja::machinery::{Token, tokenize};

/// Operators and brackets that may stand within one another. A thread with 2 MiB of stack takes five times as many.
pub(super) const MOST_NESTED: usize = 500;
/// Calls that may be within one another where a loop calls itself.
pub(super) const RECURSION: usize = 25;
/// The filter through which everything passes that is kept in a namespace.
pub(super) const KEEP: &str = "kept";

const OPERATOR_WORDS: [&str; 7] = ["not", "and", "or", "in", "is", "if", "else"];
/// Blocks whose values another block can build upon.
const CARRYING_BLOCKS: [&str; 4] = ["set", "with", "for", "elif"];

/// Lines, and bytes of a line: the engine numbers both with 16 bits.
const MOST_LINES: usize = 65_000;

/// Why the engine must not read a template, if that is so.
pub(super) fn check_bounds(source: &str) -> Result<(), String> {
    let is_long = |(line, text): (usize, &str)| line >= MOST_LINES || text.len() > MOST_LINES;
    if source.split('\n').enumerate().any(is_long) {
        return Err(format!("the template has more than {MOST_LINES} lines, or bytes in a line"));
    }
    if is_too_deep(source) {
        return Err(format!("more than {MOST_NESTED} operators or brackets are nested"));
    }
    Ok(())
}

/// Whether more than [`MOST_NESTED`] operators stand within one another. It counts rather too many than too few: all that
/// a part between two commas has, whether they are beside or within one another.
fn is_too_deep(source: &str) -> bool {
    let recursive = source.contains("recursive")
        && read_tokens(source).any(|(token, _)| matches!(token, Token::Ident("recursive")));
    let limit = if recursive { MOST_NESTED / RECURSION } else { MOST_NESTED };
    let mut nesting = Nesting::default();
    let mut at_start = false;
    read_tokens(source).any(|(token, _)| {
        match token {
            Token::TemplateData(_) => {}
            Token::BlockStart | Token::VariableStart => nesting.start_piece(),
            Token::BlockEnd | Token::VariableEnd => nesting.end_piece(),
            Token::Ident(word) if at_start && CARRYING_BLOCKS.contains(&word) => nesting.carries = true,
            ref token => nesting.add_token(token),
        }
        at_start = matches!(token, Token::BlockStart);
        nesting.depth > limit
    })
}

/// The template with [`KEEP`] behind each value that is kept in a namespace. A loop could otherwise put the value of the
/// last turn into a larger one in each turn, or a namespace into itself.
pub(super) fn keep_copies(source: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut copied, mut at_start, mut is_kept) = (0, false, false);
    // While the target of a `set` is read: whether it has a dot.
    let mut target: Option<bool> = None;
    for (token, at) in read_tokens(source) {
        match token {
            Token::Ident("set") if at_start => target = Some(false),
            Token::Dot => target = target.map(|_| true),
            Token::Assign => {
                is_kept |= target == Some(true);
                if target.take() == Some(true) {
                    out.push_str(&source[copied..at.end]);
                    out.push('(');
                    copied = at.end;
                }
            }
            Token::BlockEnd => {
                target = None;
                if std::mem::take(&mut is_kept) {
                    out.push_str(&source[copied..at.start]);
                    out.push_str(")|");
                    out.push_str(KEEP);
                    copied = at.start;
                }
            }
            _ => {}
        }
        at_start = matches!(token, Token::BlockStart);
    }
    if copied == 0 {
        return Cow::Borrowed(source);
    }
    out.push_str(&source[copied..]);
    Cow::Owned(out)
}

/// The tokens up to the first mistake, which is where the engine stops reading as well.
fn read_tokens(source: &str) -> impl Iterator<Item = (Token<'_>, Range<usize>)> {
    let sound = tokenize(source, false, Default::default()).map_while(Result::ok);
    sound.map(|(token, span)| (token, span.start_offset as usize..span.end_offset as usize))
}

/// How many operators stand within one another.
#[derive(Default)]
struct Nesting {
    /// The brackets that are open, outermost first, after the piece itself.
    levels: Vec<NestingLevel>,
    depth: usize,
    /// What earlier blocks count for.
    carried: usize,
    carries: bool,
}

#[derive(Default)]
struct NestingLevel {
    /// Since the last comma or colon.
    operators: usize,
    /// Between any two.
    most: usize,
}

impl NestingLevel {
    fn deepest_operators(&self) -> usize {
        self.operators.max(self.most)
    }
}

impl Nesting {
    fn start_piece(&mut self) {
        self.levels = vec![NestingLevel::default()];
        self.depth = self.carried;
        self.carries = false;
    }

    fn end_piece(&mut self) {
        while self.levels.len() > 1 {
            self.close_level();
        }
        if self.carries {
            self.carried += self.levels.first().map_or(0, NestingLevel::deepest_operators).max(1);
        }
        self.depth = self.carried;
    }

    fn add_token(&mut self, token: &Token<'_>) {
        match token {
            Token::Str(_) | Token::String(_) | Token::Int(_) | Token::Int128(_) | Token::Float(_) => {}
            Token::Ident(word) if !OPERATOR_WORDS.contains(word) => {}
            Token::Comma | Token::Colon => {
                if let Some(level) = self.levels.last_mut() {
                    self.depth -= level.operators;
                    level.most = level.deepest_operators();
                    level.operators = 0;
                }
            }
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                self.add_operators(1);
                self.levels.push(NestingLevel::default());
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => self.close_level(),
            _ => self.add_operators(1),
        }
    }

    fn add_operators(&mut self, number: usize) {
        if let Some(level) = self.levels.last_mut() {
            level.operators += number;
            self.depth += number;
        }
    }

    fn close_level(&mut self) {
        // The piece itself is closed by its end.
        if self.levels.len() > 1
            && let Some(level) = self.levels.pop()
        {
            self.depth -= level.operators;
            self.add_operators(level.deepest_operators());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_each_other_is_not_deep() {
        let many = 10 * MOST_NESTED;
        for source in [
            format!("{{{{ team in [{}] }}}}", "'x', ".repeat(many)),
            format!("{{{{ {{{}}}[team] }}}}", "'x': 'y', ".repeat(many)),
            "{% if team == 'x' %}y{% endif %}{{ a ~ b }}".repeat(many),
            format!("{{{{ [{}] }}}}", "[a, b + c], ".repeat(many)),
            "((((".repeat(many),
        ] {
            assert!(!is_too_deep(&source), "{}", &source[..60]);
        }
    }

    #[test]
    fn what_stands_within_each_other_is_counted_to_the_limit() {
        let (fits, more) = (MOST_NESTED, MOST_NESTED + 1);
        let chain = |number| format!("{{{{ a{} }}}}", " ~ a".repeat(number));
        assert!(!is_too_deep(&chain(fits)) && is_too_deep(&chain(more)));
        let halves = |number| format!("{{{{ (a, b{}) ~ c{} }}}}", " ~ b".repeat(number), " ~ c".repeat(number));
        assert!(!is_too_deep(&halves(fits / 2 - 1)) && is_too_deep(&halves(fits / 2)));
        let sets = |number| "{% set a = [a] %}".repeat(number);
        assert!(!is_too_deep(&sets(fits / 2)) && is_too_deep(&sets(fits / 2 + 1)));
        let looped = |number| format!("{{% for a in b recursive %}}{{{{ loop({}) }}}}", "-".repeat(number));
        assert!(!is_too_deep(&looped(5)) && is_too_deep(&looped(fits / RECURSION)));
    }

    #[test]
    fn only_what_a_namespace_keeps_is_copied() {
        for (source, expected) in [
            ("{% set a = b.c %}{% set x %}{{ a.b == c }}{% endset %}", None),
            ("{%- set n.a = (b) + 1 -%} x", Some("{%- set n.a =( (b) + 1 )|kept-%} x")),
            ("{% set n.a, b = 1, x.y %}", Some("{% set n.a, b =( 1, x.y )|kept%}")),
            ("{% raw %}{% set n.a = 1 %}{% endraw %}", None),
        ] {
            assert_eq!(keep_copies(source), expected.unwrap_or(source));
        }
    }
}
