//! Counts what makes names riddles: functions of one word, and types that share their name with another type.
//!
//! What the standard library or a trait names is not counted, nor are constructors and getters.

use std::collections::BTreeMap;

use super::reading::{Kind, Module, Token, Used, modules, outside_tests, read, tokens};
use super::{Path, here, text_of};

/// At most this share of the functions that are counted has a name of one word, in percent.
const MOST_ONE_WORD_FUNCTIONS: usize = 25;
/// At most this share of the types shares its name with another type, in percent.
const MOST_SHARED_TYPES: usize = 3;

/// Names that say what they do because every Rust program uses them so.
const USUAL: [&str; 40] = [
    "add", "apply", "build", "clear", "close", "contains", "create", "default", "delete", "drop", "export", "extend",
    "find", "flush", "fmt", "from", "get", "index", "insert", "into", "is_empty", "iter", "len", "list", "main", "new",
    "next", "open", "parse", "plan", "poll", "pop", "push", "read", "remove", "run", "send", "set", "update", "write",
];

/// The names of the functions and types of a file, outside its tests.
#[derive(Debug, Default, PartialEq)]
struct Names {
    functions: Vec<String>,
    types: Vec<String>,
}

#[test]
fn most_functions_are_named_by_a_verb_and_its_object() {
    let mut one_word: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut all = 0;
    for (file, names) in names_of_all_files() {
        all += names.functions.len();
        let short = names.functions.into_iter().filter(|name| !name.trim_matches('_').contains('_'));
        one_word.entry(file).or_default().extend(short);
    }
    let count: usize = one_word.values().map(Vec::len).sum();
    assert!(all > 1000, "the crate has more functions than {all}");
    one_word.retain(|_, names| !names.is_empty());
    assert!(
        100 * count <= MOST_ONE_WORD_FUNCTIONS * all,
        "{count} of {all} functions have a name of one word, more than {MOST_ONE_WORD_FUNCTIONS} %: {one_word:#?}"
    );
}

#[test]
fn hardly_any_two_types_share_a_name() {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, names) in names_of_all_files() {
        for name in names.types {
            files.entry(name).or_default().push(file.clone());
        }
    }
    let all: usize = files.values().map(Vec::len).sum();
    files.retain(|_, files| files.len() > 1);
    let count: usize = files.values().map(Vec::len).sum();
    assert!(all > 400, "the crate has more types than {all}");
    assert!(
        100 * count <= MOST_SHARED_TYPES * all,
        "{count} of {all} types share their name with another, more than {MOST_SHARED_TYPES} %: {files:#?}"
    );
}

#[test]
fn names_are_found_where_they_stand() {
    let text = "
        pub struct Plan { a: u8 } enum Kind { A } type Names = Vec<u8>; trait Walk { type Item; fn step(&mut self); }
        impl Plan { pub fn new() -> Self { Self { a: 1 } } fn a(&self) -> u8 { self.a }
            fn total(&self) -> u8 { self.a + 1 } async fn send_all(&self, f: impl Fn() -> u8) { fn inner() {} } }
        impl<T> Walk for Plan where T: Fn(fn()) { type Item = u8; fn step(&mut self) { fn deep() {} } }
        impl From<u8> for Plan { fn from(a: u8) -> Self { Self { a } } }
        fn higher(f: &dyn for<'a> Fn(&'a str)) {}
        #[cfg(test)] mod tests { struct Other; fn tested() {} }
    ";
    let names = names_of(&outside_tests(&tokens(text)).tokens);
    assert_eq!(names.types, ["Plan", "Kind", "Names", "Walk", "Item"]);
    assert_eq!(names.functions, ["step", "total", "send_all", "inner", "higher"]);
}

fn names_of_all_files() -> Vec<(String, Names)> {
    let built = modules(&here("src/lib.rs")).into_iter().filter(|module| module.used == Used::Always);
    built
        .filter(|module| !module.path.iter().any(|name| name == "fuzzing"))
        .map(|Module { file, .. }| {
            let text = read(&file);
            (shown(&file), names_of(&outside_tests(&tokens(&text)).tokens))
        })
        .collect()
}

fn shown(file: &Path) -> String {
    file.strip_prefix(here("")).unwrap_or(file).display().to_string()
}

fn names_of(tokens: &[Token<'_>]) -> Names {
    let mut names = Names::default();
    let mut at = 0;
    while at < tokens.len() {
        if let Some(end) = trait_implementation(tokens, at) {
            at = end;
            continue;
        }
        let name = tokens.get(at + 1).filter(|token| matches!(token.kind, Kind::Word(_)));
        if let Some(name) = name.map(|token| text_of(*token)) {
            let is_definition = |words: &[&str]| words.iter().any(|word| tokens[at].is(word));
            if is_definition(&["struct", "enum", "trait", "type", "union"]) {
                names.types.push(name.to_owned());
            } else if tokens[at].is("fn") && !USUAL.contains(&name) && !is_getter(tokens, at) {
                names.functions.push(name.to_owned());
            }
        }
        at += 1;
    }
    names
}

/// Where the implementation of a trait ends that begins here: its names are the trait's.
fn trait_implementation(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let before = at.checked_sub(1).map(|before| tokens[before]);
    let begins_item = before.is_none_or(|token| "{};]".chars().any(|mark| token.is_mark(mark)) || token.is("unsafe"));
    if !tokens[at].is("impl") || !begins_item {
        return None;
    }
    let open = at + tokens[at..].iter().position(|token| token.is_mark('{'))?;
    let is_of_trait = tokens[at..open].windows(2).any(|two| two[0].is("for") && !two[1].is_mark('<'));
    is_of_trait.then(|| block_end(tokens, open))
}

/// Where the block ends that opens here.
fn block_end(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, token) in tokens[open..].iter().enumerate() {
        depth += usize::from(token.is_mark('{'));
        depth -= usize::from(token.is_mark('}'));
        if depth == 0 {
            return open + offset + 1;
        }
    }
    tokens.len()
}

/// Whether all that the function does is to give a part of `self`.
fn is_getter(tokens: &[Token<'_>], at: usize) -> bool {
    let end = tokens[at..].iter().position(|token| token.is_mark('{') || token.is_mark(';'));
    let Some(open) = end.map(|offset| at + offset).filter(|open| tokens[*open].is_mark('{')) else { return false };
    let body = &tokens[open + 1..block_end(tokens, open).saturating_sub(1).max(open + 1)];
    let is_part =
        |token: &Token<'_>| matches!(token.kind, Kind::Word(_)) || ".()&".chars().any(|mark| token.is_mark(mark));
    body.iter().any(|token| token.is("self")) && body.iter().all(is_part) && !body.iter().any(|token| token.is("match"))
}
