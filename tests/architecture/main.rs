//! Keeps the rooms of the house apart, as `ARCHITECTURE.md` draws them: who may use whom, what only one room may do, and
//! that the map says what is there. The source is read as text, without what is under `#[cfg(test)]`: a test may reach
//! into any room.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and so do its helpers")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

mod circles;
mod names;
mod reading;
mod the_checks;

use reading::{Module, Named, Root, Token, Used, modules, named, outside_tests, read, tokens};

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// No I/O, no clock, no async; uses no edge room.
    Pure,
    Edge,
    Shell,
}

struct Room {
    path: &'static str,
    kind: Kind,
    /// Paths of other rooms, whole or in part, that this room may name; its own it always may.
    may_use: &'static [&'static str],
}

/// The house. A room within a room (`journal::state`) has a row of its own and is no part of the outer one.
const HOUSE: &[Room] = &[
    Room { path: "model", kind: Kind::Pure, may_use: &[] },
    Room { path: "mapping", kind: Kind::Pure, may_use: &["model"] },
    Room { path: "reconcile", kind: Kind::Pure, may_use: &["model"] },
    Room { path: "plan", kind: Kind::Pure, may_use: &["model", "reconcile"] },
    Room { path: "journal::state", kind: Kind::Pure, may_use: &["model", "plan"] },
    Room { path: "report", kind: Kind::Pure, may_use: &["model", "plan"] },
    Room { path: "discovery", kind: Kind::Pure, may_use: &["model"] },
    Room { path: "clock", kind: Kind::Edge, may_use: &[] },
    Room { path: "testing", kind: Kind::Edge, may_use: &[] },
    Room { path: "files", kind: Kind::Edge, may_use: &["testing"] },
    // Reads secrets where they are kept, which is why it is no pure room.
    Room { path: "settings", kind: Kind::Edge, may_use: &["model"] },
    Room {
        path: "config",
        kind: Kind::Edge,
        // The rooms define the types that they are steered by; the configuration fills them in. What a kind of system has
        // of its own stands in its descriptor.
        may_use: &[
            "model",
            "settings",
            "mapping::spec",
            "plan::policy",
            "connectors::http::Network",
            "connectors::http::ProxyChoice",
            "connectors::http::Rate",
            "connectors::Descriptor",
            "connectors::SystemSettings",
            "connectors::KINDS",
        ],
    },
    Room { path: "source", kind: Kind::Edge, may_use: &["model", "config", "clock"] },
    Room {
        path: "connectors",
        kind: Kind::Edge,
        // A descriptor says what settings a system has, what `init` proposes for it, and which sandbox plays it.
        may_use: &["model", "settings", "discovery", "sandbox", "clock", "testing"],
    },
    Room { path: "journal", kind: Kind::Edge, may_use: &["model", "journal::state", "files", "clock", "testing"] },
    Room {
        path: "planning",
        kind: Kind::Edge,
        may_use: &[
            "model",
            "mapping",
            "reconcile",
            "plan",
            "journal",
            "journal::state",
            "config",
            "source",
            "connectors",
            "files",
            "clock",
        ],
    },
    Room {
        path: "execute",
        kind: Kind::Edge,
        may_use: &[
            "model",
            "plan",
            "journal",
            "journal::state",
            "connectors",
            "reconcile::compare",
            "planning::fingerprint_value",
            "files",
            "clock",
            "testing",
        ],
    },
    Room {
        path: "notify",
        kind: Kind::Edge,
        // A server that asks for patience is understood as a target is.
        may_use: &["model", "plan", "report", "settings", "config", "clock", "files", "connectors::http"],
    },
    Room { path: "sandbox", kind: Kind::Edge, may_use: &["clock"] },
    // Uses everybody but the terminal.
    Room {
        path: "app",
        kind: Kind::Shell,
        may_use: &[
            "model",
            "mapping",
            "reconcile",
            "plan",
            "journal",
            "journal::state",
            "report",
            "discovery",
            "clock",
            "testing",
            "files",
            "config",
            "source",
            "connectors",
            "planning",
            "execute",
            "notify",
            "sandbox",
        ],
    },
];

/// Nobody uses it.
const SHELL: Room = Room {
    path: "cli",
    kind: Kind::Shell,
    may_use: &[
        "app",
        "report",
        "clock",
        "config::reference",
        "model::Done",
        "model::Monitor",
        "model::Phase",
        "model::monitor",
        // `--kind` takes the names of the registry.
        "connectors::KINDS",
        "connectors::find_kind",
        // The words for what is done.
        "plan::ActionKind",
        // `init` shows what was recognised and asks what is not clear.
        "discovery",
        "source::Form",
        // `report -o` writes whole files.
        "files::write_atomically",
        // A caught panic of sled is no panic of the program.
        "journal::store::panics_are_caught",
        // The command `sandbox` is a sandbox.
        "sandbox",
        "testing",
    ],
};

/// The kinds of system, each with folders of its own.
const KINDS: [&str; 3] = ["imichat", "brightpattern", "scim"];

/// What would make a pure room impure: the world outside the process, the time, chance, and waiting.
const WORLD: [&str; 19] = [
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "tokio",
    "futures",
    "reqwest",
    "axum",
    "sled",
    "rand",
];

#[test]
fn every_room_uses_only_what_the_table_allows() {
    let wrong = in_every_file(|module, text| strangers(&module.path, text));
    assert!(wrong.is_empty(), "the table in tests/architecture.rs does not allow this:\n{}", wrong.join("\n"));
}

#[test]
fn a_pure_room_touches_nothing_outside_the_process() {
    let wrong = in_every_file(|module, text| impurities(&module.path, text));
    assert!(wrong.is_empty(), "a pure room does this:\n{}", wrong.join("\n"));
}

#[test]
fn only_the_shell_prints() {
    let wrong =
        in_every_file(|module, text| if home(&module.path).is_none() { Vec::new() } else { prints(module, text) });
    assert!(wrong.is_empty(), "only cli prints:\n{}", wrong.join("\n"));
}

#[test]
fn only_the_journal_store_names_sled() {
    let outside = |file: &Path| !file.starts_with(here("src/journal/store"));
    let wrong: Vec<_> = rust_files("src").into_iter().filter(|file| outside(file) && names_sled(&read(file))).collect();
    assert!(wrong.is_empty(), "only journal::store names sled, not {wrong:?}");
    assert!(rust_files("src/journal/store").iter().any(|file| names_sled(&read(file))), "then who keeps the journal?");
}

/// A new system touches its own folders and one line of the registry.
#[test]
fn only_the_registry_names_a_kind_of_system() {
    let wrong = in_every_file(kinds_named);
    assert!(
        wrong.is_empty(),
        "these name a kind of system, which only its own folders and the registry do:\n{}",
        wrong.join("\n")
    );
    let kinds = read(&here("src/connectors/registry.rs"));
    assert!(KINDS.iter().all(|kind| kinds.contains(kind)), "the registry has other kinds than {KINDS:?}");
}

#[test]
fn nothing_is_left_to_be_written() {
    let wrong: Vec<_> = ["src", "tests", "benches"]
        .into_iter()
        .flat_map(rust_files)
        .flat_map(|file| gaps(&read(&file)).into_iter().map(move |what| format!("{}:{what}", file.display())))
        .collect();
    assert!(wrong.is_empty(), "this is not written yet:\n{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_is_forbidden() {
    let manifest: toml::Table = toml::from_str(&read(&here("Cargo.toml"))).unwrap();
    assert_eq!(manifest["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
}

#[test]
fn every_file_of_the_crate_is_in_a_room_and_part_of_its_tree() {
    let modules = modules(&here("src/lib.rs"));
    // What only tests use may reach into any room, and so may stand outside all of them.
    let built = |module: &&Module| !module.path.is_empty() && module.used == Used::Always;
    for module in modules.iter().filter(built) {
        assert!(home(&module.path).is_some(), "{} is in no room of the table", module.file.display());
    }
    let (lib, main) = (here("src/lib.rs"), here("src/main.rs"));
    for file in rust_files("src").into_iter().filter(|file| *file != lib && *file != main) {
        assert!(modules.iter().any(|module| module.file == file), "{} is part of nothing", file.display());
    }
}

#[test]
fn the_binary_uses_only_the_shell() {
    let text = read(&here("src/main.rs"));
    let code = outside_tests(&tokens(&text));
    for path in named(&code, &[]) {
        let inner = path.segments[0] == "headcount" && path.segments.get(1).is_none_or(|room| room != "cli");
        assert!(path.root == Root::Elsewhere && !inner, "src/main.rs:{}: {}", path.line, path.segments.join("::"));
    }
}

#[test]
fn the_table_keeps_pure_rooms_pure_and_the_shell_outermost() {
    for room in HOUSE {
        for other in room.may_use {
            let other = HOUSE.iter().filter(|there| within(other, there.path)).max_by_key(|there| there.path.len());
            let other = other.unwrap_or_else(|| panic!("{} uses what is no room, or the shell", room.path));
            let kept = room.kind != Kind::Pure || other.kind == Kind::Pure;
            assert!(kept, "{} is pure and {} is not", room.path, other.path);
            assert!(other.kind != Kind::Shell, "{} uses {}, which is the shell's", room.path, other.path);
        }
    }
}

// The map.

/// The table under "The house": for each room its kind, and the paths that it may use.
#[test]
fn the_drawing_in_the_map_is_the_house() {
    let map = read(&here("ARCHITECTURE.md"));
    let section = map.split("\n## ").find(|part| part.starts_with("The house")).expect("a section \"The house\"");
    let drawn: Vec<Vec<&str>> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(drawn.len(), HOUSE.len() + 1, "ARCHITECTURE.md draws another number of rooms");
    for (room, row) in HOUSE.iter().chain([&SHELL]).zip(&drawn) {
        let kind = match room.kind {
            Kind::Pure => "pure",
            Kind::Edge => "edge",
            Kind::Shell => "shell",
        };
        let may_use: Vec<&str> = quoted(row[3]).collect();
        assert_eq!((row[0].trim_matches('`'), row[1], may_use), (room.path, kind, room.may_use.to_vec()));
    }
}

#[test]
fn the_map_is_short_enough_to_be_read() {
    let lines = read(&here("ARCHITECTURE.md")).lines().count();
    assert!(lines <= 250, "ARCHITECTURE.md has {lines} lines, more than anybody reads");
}

#[test]
fn every_file_says_at_its_top_what_it_is_for() {
    let built = modules(&here("src/lib.rs")).into_iter().filter(|module| module.used == Used::Always);
    let silent: Vec<_> = built.map(|module| module.file).filter(|file| !read(file).starts_with("//! ")).collect();
    assert!(silent.is_empty(), "these files do not begin with a sentence that says what they are for: {silent:#?}");
}

#[test]
fn no_file_and_folder_of_one_name_lie_beside_each_other() {
    let twins: Vec<_> = ["src", "tests", "benches"]
        .into_iter()
        .flat_map(rust_files)
        .filter(|file| file.with_extension("").is_dir())
        .collect();
    assert!(twins.is_empty(), "these files lie beside a folder of the same name: {twins:#?}");
}

#[test]
fn the_map_names_only_files_and_tests_that_exist() {
    let (map, reliability) = (read(&here("ARCHITECTURE.md")), read(&here("docs/reliability.md")));
    let mut functions = BTreeSet::new();
    for file in ["src", "tests"].into_iter().flat_map(rust_files) {
        let text = read(&file);
        let tokens = tokens(&text);
        functions.extend(tokens.windows(2).filter(|two| two[0].is("fn")).map(|two| text_of(two[1]).to_owned()));
    }
    let laws = [&map, &reliability].map(|text| {
        let laws = text.split("\n## ").find(|part| part.starts_with("The laws"));
        laws.expect("a section \"The laws\"").split_once('\n').expect("more than its heading").1
    });
    let tests: Vec<_> = laws.iter().flat_map(|laws| quoted(laws)).filter(|name| is_name_of_test(name)).collect();
    let missing: Vec<_> = tests.iter().filter(|name| !functions.contains(**name)).collect();
    assert!(tests.len() > 100 && missing.is_empty(), "of {} tests these do not exist: {missing:#?}", tests.len());
    for file in [&map, &reliability].into_iter().flat_map(|text| quoted(text)).filter(|name| is_name_of_file(name)) {
        assert!(here("src").join(file).is_file() || here(file).is_file(), "a document names {file}, which is gone");
    }
}

fn is_name_of_test(name: &str) -> bool {
    name.matches('_').count() > 1 && !name.contains([' ', '.', ':', '/'])
}

fn is_name_of_file(name: &str) -> bool {
    name.ends_with(".rs") && !name.contains([' ', '*'])
}

// The checks.

/// Paths into rooms that the module's room may not use.
fn strangers(module: &[String], text: &str) -> Vec<String> {
    let Some(room) = home(module) else { return Vec::new() };
    let code = outside_tests(&tokens(text));
    let ours = named(&code, module).into_iter().filter(|path| path.root == Root::Here);
    ours.filter(|path| !allowed(room, path)).map(|path| line(&path)).collect()
}

fn allowed(room: &Room, path: &Named) -> bool {
    // In a path that names a room and no more, the room's own row decides.
    let name = path.segments.join("::");
    let owner = home(&path.segments);
    if owner.is_some_and(|owner| owner.path == room.path) {
        return true;
    }
    room.may_use.iter().any(|other| {
        // What is allowed of an outer room says nothing of the room within it.
        let same_room = owner.is_some_and(|owner| within(other, owner.path));
        within(&name, other) && same_room
    })
}

fn impurities(module: &[String], text: &str) -> Vec<String> {
    if home(module).is_none_or(|room| room.kind != Kind::Pure) {
        return Vec::new();
    }
    let code = outside_tests(&tokens(text));
    let waits = code.tokens.iter().filter(|token| token.is("async") || token.is("await"));
    let outside = named(&code, module).into_iter().filter(|path| path.root == Root::Elsewhere);
    let worldly = outside.filter(|path| WORLD.iter().any(|world| within(&path.segments.join("::"), world)));
    worldly.map(|path| line(&path)).chain(waits.map(|token| format!("{}: async", token.line))).collect()
}

fn prints(module: &Module, text: &str) -> Vec<String> {
    let code = outside_tests(&tokens(text));
    if home(&module.path).is_some_and(|room| room.path == SHELL.path) {
        return Vec::new();
    }
    let mut found = calls(&code.tokens, &["print", "println", "eprint", "eprintln", "dbg"]);
    let streams = code.tokens.windows(3).filter(|three| {
        // A child process has a stdout as well; it is a method's.
        let function = three[1].is("stdout") || three[1].is("stderr");
        function && three[2].is_mark('(') && !three[0].is_mark('.')
    });
    found.extend(streams.map(|three| format!("{}: {}", three[1].line, text_of(three[1]))));
    found
}

/// Where a file that is no part of a system names one: as a path or as a text. That its module is there has to be said.
fn kinds_named(module: &Module, text: &str) -> Vec<String> {
    let is_own = match module.path.as_slice() {
        [room, kind, ..] if room == "connectors" || room == "sandbox" => kind == "registry" || is_kind(kind),
        _ => false,
    };
    if is_own {
        return Vec::new();
    }
    let code = outside_tests(&tokens(text));
    let named = code.tokens.windows(2).filter(|two| is_kind(text_of(two[1])) && !two[0].is("mod"));
    named.map(|two| format!("{}: {}", two[1].line, text_of(two[1]))).collect()
}

fn is_kind(name: &str) -> bool {
    KINDS.iter().any(|kind| name.eq_ignore_ascii_case(kind))
}

fn names_sled(text: &str) -> bool {
    tokens(text).iter().any(|token| token.is("sled"))
}

fn gaps(text: &str) -> Vec<String> {
    calls(&tokens(text), &["todo", "unimplemented"])
}

fn calls(tokens: &[Token<'_>], macros: &[&str]) -> Vec<String> {
    let called = tokens.windows(2).filter(|two| two[1].is_mark('!') && macros.iter().any(|name| two[0].is(name)));
    called.map(|two| format!("{}: {}!", two[0].line, text_of(two[0]))).collect()
}

// What the checks stand on.

/// What a check finds in the code of every file, with the file's name.
fn in_every_file(check: impl Fn(&Module, &str) -> Vec<String>) -> Vec<String> {
    let modules = modules(&here("src/lib.rs"));
    assert!(modules.len() > 50, "the crate has more modules than {}", modules.len());
    let mut found = Vec::new();
    for module in modules.iter().filter(|module| module.used == Used::Always) {
        let file = module.file.strip_prefix(here("")).unwrap();
        found.extend(check(module, &read(&module.file)).iter().map(|what| format!("{}:{what}", file.display())));
    }
    found
}

/// The room that a module or an item is in.
fn home(path: &[String]) -> Option<&'static Room> {
    static SHELL_ROOM: Room = SHELL;
    let name = path.join("::");
    let rooms = HOUSE.iter().chain([&SHELL_ROOM]).filter(|room| within(&name, room.path));
    rooms.max_by_key(|room| room.path.len())
}

/// Whether a path is another one or beneath it.
fn within(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn line(path: &Named) -> String {
    let name = if path.segments.is_empty() { "the whole crate".to_owned() } else { path.segments.join("::") };
    format!("{}: {name}", path.line)
}

fn text_of<'a>(token: Token<'a>) -> &'a str {
    match token.kind {
        reading::Kind::Word(text) | reading::Kind::Text(text) => text,
        reading::Kind::Mark(_) => "",
    }
}

/// What stands in backticks.
fn quoted(markdown: &str) -> impl Iterator<Item = &str> {
    markdown.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![here(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
