//! Reads Rust source as far as the questions of the tests go: which modules there are, which of them are for tests
//! alone, and which paths the others name. Comments, and what stands in texts, are no code.

use std::path::{Path, PathBuf};

/// A token and the line it stands on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token<'a> {
    pub kind: Kind<'a>,
    pub line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind<'a> {
    Word(&'a str),
    /// A text, with its quotes.
    Text(&'a str),
    Mark(char),
}

impl Token<'_> {
    pub fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word(word)
    }
    pub fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// A path in the code of a module, from the root of its crate: `crate::plan::Action` is `["plan", "Action"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub root: Root,
    pub segments: Vec<String>,
    pub line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// This crate.
    Here,
    /// Another crate, or a name that is known in the module; its first segment says which.
    Elsewhere,
}

/// What one file holds outside its tests.
#[derive(Debug, Default)]
pub struct Code<'a> {
    pub tokens: Vec<Token<'a>>,
    pub children: Vec<Child>,
}

/// A module in a file of its own.
#[derive(Debug)]
pub struct Child {
    /// The inline modules it is declared in, and its name.
    pub module: Vec<String>,
    /// From `#[path = "…"]`.
    pub path: Option<String>,
    pub used: Used,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    Always,
    InTestsAlone,
}

/// A file of the crate and the module it is.
#[derive(Clone, Debug)]
pub struct Module {
    pub file: PathBuf,
    pub path: Vec<String>,
    pub used: Used,
}

/// Every module of the crate that has a file, from its root on.
pub fn modules(root: &Path) -> Vec<Module> {
    let mut found = vec![Module { file: root.to_owned(), path: Vec::new(), used: Used::Always }];
    let mut next = 0;
    while let Some(module) = found.get(next).cloned() {
        next += 1;
        let text = read(&module.file);
        for child in outside_tests(&tokens(&text)).children {
            let used = if module.used == Used::Always { child.used } else { Used::InTestsAlone };
            let file = file_of(&module, &child);
            let path = module.path.iter().cloned().chain(child.module).collect();
            found.push(Module { file, path, used });
        }
    }
    found
}

pub fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn file_of(parent: &Module, child: &Child) -> PathBuf {
    let folder = parent.file.parent().unwrap();
    if let Some(path) = &child.path {
        return folder.join(path);
    }
    let stem = parent.file.file_stem().unwrap();
    let own_folder = parent.path.is_empty() || stem == "mod";
    let mut file = if own_folder { folder.to_owned() } else { folder.join(stem) };
    file.extend(&child.module);
    let alone = file.with_extension("rs");
    if alone.is_file() { alone } else { file.join("mod.rs") }
}

/// Cuts Rust source into tokens.
pub fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let (length, kind) = if first.is_whitespace() {
            (first.len_utf8(), None)
        } else if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), None)
        } else if rest.starts_with("/*") {
            (block_comment(rest), None)
        } else if let Some(length) = text(rest) {
            (length, Some(Kind::Text(&rest[..length])))
        } else if first == '\'' {
            quote(rest)
        } else if first.is_alphanumeric() || first == '_' {
            let length = word(rest);
            (length, Some(Kind::Word(&rest[..length])))
        } else {
            (first.len_utf8(), Some(Kind::Mark(first)))
        };
        found.extend(kind.map(|kind| Token { kind, line }));
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    found
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of the text that `rest` begins with: `"…"`, `b"…"`, `c"…"`, `r#"…"#` and their mixtures.
fn text(rest: &str) -> Option<usize> {
    let prefix = rest.find(|c| !matches!(c, 'b' | 'c' | 'r')).filter(|length| *length <= 2)?;
    let hashes = rest[prefix..].find(|c| c != '#')?;
    let raw = rest[..prefix].ends_with('r');
    let start = prefix + hashes + 1;
    if !rest[prefix + hashes..].starts_with('"') || (hashes > 0 && !raw) {
        return None;
    }
    if raw {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len()));
    }
    Some(start + closing(&rest[start..], '"'))
}

/// Where the first `quote` without a backslash ends.
fn closing(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

/// A character, or the mark and the name of a lifetime or label, neither of which says anything here.
fn quote(rest: &str) -> (usize, Option<Kind<'_>>) {
    let mut inner = rest[1..].chars();
    let (first, second) = (inner.next(), inner.next());
    if first == Some('\\') || second == Some('\'') {
        let length = first.map_or(0, char::len_utf8);
        // An escape's second letter may itself be a quote.
        let skipped = if first == Some('\\') { length + second.map_or(0, char::len_utf8) } else { length };
        let length = 1 + skipped + closing(&rest[1 + skipped..], '\'');
        return (length, Some(Kind::Text(&rest[..length])));
    }
    (1 + word(&rest[1..]), None)
}

/// Takes away every item under `#[cfg(test)]`, and finds the modules that have files of their own.
pub fn outside_tests<'a>(tokens: &[Token<'a>]) -> Code<'a> {
    let mut code = Code::default();
    let (mut at, mut attributes) = (0, 0);
    while at < tokens.len() {
        let Some(end) = attribute(tokens, at) else {
            // An item that begins here has its attributes before it.
            if tokens[at].is("mod") && tokens.get(at + 2).is_some_and(|token| token.is_mark(';')) {
                code.children.extend(child(&tokens[attributes..at + 3], Used::Always));
            }
            code.tokens.push(tokens[at]);
            let public = tokens[at].is("pub") || tokens[at].is("crate") || "()".contains(mark(tokens[at]));
            at += 1;
            attributes = if public { attributes } else { at };
            continue;
        };
        if for_tests(&tokens[at..end]) {
            let after = item(tokens, end);
            code.children.extend(child(&tokens[attributes..after], Used::InTestsAlone));
            (at, attributes) = (after, after);
        } else {
            code.tokens.extend(&tokens[at..end]);
            at = end;
        }
    }
    let modules = inline_modules(&code.tokens);
    for child in &mut code.children {
        // A test module is not among the tokens any more; those that have files stand at the top of their file.
        let name = child.module[0].clone();
        let declared = code.tokens.windows(3).position(|w| w[0].is("mod") && w[1].is(&name) && w[2].is_mark(';'));
        child.module = declared.map_or(Vec::new(), |at| modules[at].clone());
        child.module.push(name);
    }
    code
}

fn mark(token: Token<'_>) -> char {
    if let Kind::Mark(mark) = token.kind { mark } else { ' ' }
}

/// Where the attribute that begins at `at` ends.
fn attribute(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let opening = at + 1 + usize::from(tokens.get(at + 1)?.is_mark('!'));
    (tokens[at].is_mark('#') && tokens.get(opening)?.is_mark('[')).then(|| balanced(tokens, opening))
}

/// Where the bracket that opens at `at` has closed.
fn balanced(tokens: &[Token<'_>], at: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, token) in tokens[at..].iter().enumerate() {
        match mark(*token) {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + offset + 1;
        }
    }
    tokens.len()
}

fn for_tests(attribute: &[Token<'_>]) -> bool {
    let names = |word| attribute.iter().any(|token| token.is(word));
    attribute.get(2).is_some_and(|token| token.is("cfg")) && names("test") && !names("not") && !names("any")
}

/// Where the item ends that begins at `at`. Where that is in doubt, too early: what is taken for code is judged.
fn item(tokens: &[Token<'_>], mut at: usize) -> usize {
    while at < tokens.len() {
        match mark(tokens[at]) {
            ';' | ',' => return at + 1,
            '{' => return balanced(tokens, at),
            '(' | '[' => at = balanced(tokens, at),
            ')' | ']' | '}' => return at,
            _ => at += 1,
        }
    }
    at
}

/// The module that an item with its attributes declares, where it has a file.
fn child(item: &[Token<'_>], used: Used) -> Option<Child> {
    let [.., keyword, name, end] = item else { return None };
    let Kind::Word(name) = name.kind else { return None };
    let path = item.windows(3).find_map(|tokens| match tokens[2].kind {
        Kind::Text(text) if tokens[0].is("path") && tokens[1].is_mark('=') => Some(text.trim_matches('"').to_owned()),
        _ => None,
    });
    (keyword.is("mod") && end.is_mark(';')).then(|| Child { module: vec![name.to_owned()], path, used })
}

/// For every token, the inline modules that it stands in.
fn inline_modules(tokens: &[Token<'_>]) -> Vec<Vec<String>> {
    let mut open: Vec<Option<String>> = Vec::new();
    let mut found = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        match (mark(*token), at.checked_sub(2).map(|before| (tokens[before], tokens[at - 1].kind))) {
            ('{', Some((keyword, Kind::Word(name)))) if keyword.is("mod") => open.push(Some(name.to_owned())),
            ('{', _) => open.push(None),
            ('}', _) => drop(open.pop()),
            _ => {}
        }
        found.push(open.iter().flatten().cloned().collect());
    }
    found
}

/// Every path that the code of a module names, in `use` and in place.
pub fn named(code: &Code<'_>, module: &[String]) -> Vec<Named> {
    let tokens = &code.tokens;
    let inline = inline_modules(tokens);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let within: Vec<String> = module.iter().chain(&inline[at]).cloned().collect();
        let mut paths = Vec::new();
        // `impl Trait + use<'a>` names nothing.
        if tokens[at].is("use") && !tokens.get(at + 1).is_some_and(|token| token.is_mark('<')) {
            at = tree(tokens, at + 1, &mut Vec::new(), &mut paths);
        } else if matches!(tokens[at].kind, Kind::Word(_)) && joined(tokens, at + 1) {
            let mut path = Vec::new();
            let line = tokens[at].line;
            while let Some(Token { kind: Kind::Word(word), .. }) = tokens.get(at) {
                path.push((*word).to_owned());
                at += 1;
                if !joined(tokens, at) {
                    break;
                }
                at += 2;
            }
            paths.push((path, line));
        } else {
            at += 1;
        }
        found.extend(paths.into_iter().map(|(path, line)| resolve(path, line, &within)));
    }
    found
}

fn joined(tokens: &[Token<'_>], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.is_mark(':')) && tokens.get(at + 1).is_some_and(|token| token.is_mark(':'))
}

type Paths = Vec<(Vec<String>, usize)>;

/// Reads one tree of a `use` and says where it ends.
fn tree(tokens: &[Token<'_>], mut at: usize, before: &mut Vec<String>, paths: &mut Paths) -> usize {
    let depth = before.len();
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Word("as") => at += 2,
            // `plan::{self}` is `plan`.
            Kind::Word("self") if !before.is_empty() => {
                paths.push((before.clone(), token.line));
                at += 1;
            }
            Kind::Word(word) => {
                before.push(word.to_owned());
                at += 1;
                if !joined(tokens, at) {
                    paths.push((before.clone(), token.line));
                }
            }
            Kind::Mark('*') => {
                paths.push((before.iter().cloned().chain(["*".to_owned()]).collect(), token.line));
                at += 1;
            }
            Kind::Mark('{') => {
                at += 1;
                while tokens.get(at).is_some_and(|token| !token.is_mark('}')) {
                    at = tree(tokens, at, before, paths);
                    at += usize::from(tokens.get(at).is_some_and(|token| token.is_mark(',')));
                }
                at += 1;
            }
            Kind::Mark(':') => at += 1,
            _ => break,
        }
    }
    before.truncate(depth);
    at
}

fn resolve(path: Vec<String>, line: usize, module: &[String]) -> Named {
    let mut rest = path.iter().map(String::as_str).peekable();
    let mut segments = match rest.peek() {
        Some(&"crate") => Vec::new(),
        Some(&"self" | &"super") => module.to_vec(),
        _ => return Named { root: Root::Elsewhere, segments: path, line },
    };
    for segment in rest {
        match segment {
            "crate" | "self" => {}
            "super" => drop(segments.pop()),
            name => segments.push(name.to_owned()),
        }
    }
    Named { root: Root::Here, segments, line }
}
