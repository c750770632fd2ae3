//! Finds files that import each other in a circle. What a `mod.rs` takes from the files below it is no import: it is
//! their door. A name that it passes on counts as taken from the file that has it.

use std::collections::{BTreeMap, BTreeSet};

use super::here;
use super::reading::{Root, Used, modules, named, outside_tests, read, tokens};

type Path = Vec<String>;

/// Circles that are still to be untied. One that is gone has to be taken out here, and no other may come.
const REMAINING: &[&[&str]] = &[];

#[test]
fn no_more_files_import_each_other() {
    let files: Vec<(Path, String)> = modules(&here("src/lib.rs"))
        .into_iter()
        .filter(|module| module.used == Used::Always)
        .map(|module| (module.path, read(&module.file)))
        .collect();
    assert!(files.len() > 50, "the crate has more modules than {}", files.len());
    assert_eq!(circles(&imports(&files)), REMAINING, "these modules import each other");
}

#[test]
fn a_circle_is_found_through_a_door_and_a_door_is_none() {
    let module = |path: &str, text: &str| (path.split("::").map(str::to_owned).collect(), text.to_owned());
    let files = [
        module("plan", "mod action; mod cost; mod file; pub use action::Action; pub use cost::{Cost as Price, total};"),
        module("plan::action", "use super::Price; struct Action;"),
        module("plan::cost", "use crate::plan::Action; struct Cost; fn total() {}"),
        module("plan::file", "use super::{Action, total};"),
    ];
    let found = circles(&imports(&files));
    assert_eq!(found, [vec!["plan::action".to_owned(), "plan::cost".to_owned()]]);
}

/// Which modules each module takes names from.
fn imports(files: &[(Path, String)]) -> BTreeMap<Path, BTreeSet<Path>> {
    let known: BTreeSet<&Path> = files.iter().map(|(path, _)| path).collect();
    let doors: BTreeMap<&Path, BTreeMap<String, Path>> =
        files.iter().map(|(path, text)| (path, passed_on(path, text))).collect();
    let owner = |segments: &[String]| -> Path {
        let mut target = segments.to_vec();
        // A door may lead to a door; more than a few are none.
        for _ in 0..4 {
            let module =
                (0..=target.len()).rev().map(|length| target[..length].to_vec()).find(|path| known.contains(path));
            let Some(module) = module else { return Path::new() };
            let name = target.get(module.len());
            match name.and_then(|name| doors.get(&module)?.get(name)) {
                Some(path) if *path != target => target.clone_from(path),
                _ => return module,
            }
        }
        target
    };
    let mut found: BTreeMap<Path, BTreeSet<Path>> = BTreeMap::new();
    for (path, text) in files {
        let code = outside_tests(&tokens(text));
        let taken = named(&code, path).into_iter().filter(|named| named.root == Root::Here);
        let from = taken.map(|named| owner(&named.segments)).filter(|other| !other.starts_with(path));
        found.entry(path.clone()).or_default().extend(from);
    }
    found
}

/// The names that a module passes on, and where each is from.
fn passed_on(path: &Path, text: &str) -> BTreeMap<String, Path> {
    let text = outside_tests(&tokens(text));
    let mut found = BTreeMap::new();
    let mut at = 0;
    while let Some(offset) = text.tokens[at..].iter().position(|token| token.is("use")) {
        let start = at + offset;
        let end = text.tokens[start..]
            .iter()
            .position(|token| token.is_mark(';'))
            .map_or(text.tokens.len(), |end| start + end);
        let is_public = start > 0 && (text.tokens[start - 1].is("pub") || text.tokens[start - 1].is_mark(')'));
        if is_public {
            collect_names(&text.tokens[start + 1..end], path, &mut found);
        }
        at = end;
    }
    found
}

/// Reads one `use` tree whose names are passed on.
fn collect_names(tree: &[super::Token<'_>], path: &Path, found: &mut BTreeMap<String, Path>) {
    let mut before: Vec<Path> = vec![path.clone()];
    let mut current = path.clone();
    let mut at = 0;
    while at < tree.len() {
        let word = super::text_of(tree[at]);
        if tree[at].is_mark('{') {
            before.push(current.clone());
        } else if tree[at].is_mark('}') {
            before.pop();
        } else if tree[at].is_mark(',') {
            current = before.last().cloned().unwrap_or_default();
        } else if word == "crate" {
            current = Path::new();
        } else if word == "super" {
            current.pop();
        } else if word == "as" {
            let renamed = tree.get(at + 1).map(|token| super::text_of(*token).to_owned());
            if let Some(name) = renamed {
                found.insert(name, current.clone());
            }
            at += 1;
        } else if !word.is_empty() && word != "self" {
            current.push(word.to_owned());
            let goes_on = tree.get(at + 1).is_some_and(|token| token.is_mark(':') || token.is("as"));
            if !goes_on {
                found.insert(word.to_owned(), current.clone());
            }
        }
        at += 1;
    }
}

/// Sets of modules each of which reaches all others of its set.
fn circles(imports: &BTreeMap<Path, BTreeSet<Path>>) -> Vec<Vec<String>> {
    let reached: BTreeMap<&Path, BTreeSet<&Path>> =
        imports.keys().map(|from| (from, reachable(imports, from))).collect();
    let mut found = BTreeSet::new();
    for (from, reached_from) in &reached {
        let circle: Vec<String> = reached_from
            .iter()
            .filter(|to| reached.get(**to).is_some_and(|back| back.contains(*from)))
            .map(|path| path.join("::"))
            .collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn reachable<'a>(imports: &'a BTreeMap<Path, BTreeSet<Path>>, from: &Path) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut to_visit: Vec<&Path> = imports.get(from).into_iter().flatten().collect();
    while let Some(path) = to_visit.pop() {
        if reached.insert(path) {
            to_visit.extend(imports.get(path).into_iter().flatten());
        }
    }
    reached
}
