//! The checks of `architecture.rs` on made-up code: what they must find, and what they must leave alone.

use super::*;

fn module(path: &str) -> Vec<String> {
    path.split("::").map(str::to_owned).collect()
}

#[test]
fn find_every_way_to_name_a_room() {
    let ways = [
        "use crate::connectors::Connector;",
        "use crate::{model::Value, connectors::Target};",
        "use crate::{\n  model::Value,\n  connectors,\n};",
        "use crate::connectors::{self as t};",
        "use crate::connectors as elsewhere;",
        "pub use super::super::connectors::*;",
        "use super::super::*;",
        "use crate as all;",
        "fn f() -> crate::connectors::Quota { crate::model::f() }",
        "fn f() { super::super::connectors::connect() }",
        "mod inner { use super::super::super::connectors::Target; }",
        "macro_rules! m { () => { $crate::connectors::connect() } }",
        "fn f(c: char) -> bool { c == '\"' || c == '\\'' || crate::connectors::is(c) } // \"",
        "const A: &str = r#\"\"\"#; use crate::connectors::Connector;",
        "/* /* */ */ use crate::connectors::Connector;",
        "#[cfg(not(test))] use crate::connectors::Connector;",
        "#[cfg(test)] use crate::model::Value; use crate::connectors::Connector;",
        "struct S { #[cfg(test)] a: u8, b: crate::connectors::Quota }",
        "fn f<'a>(a: &'a str) -> crate::connectors::Quota { 'b': loop {} }",
    ];
    for way in ways {
        assert_eq!(strangers(&module("plan::steps"), way).len(), 1, "{way}");
    }
}

#[test]
fn see_nothing_where_nothing_is_named() {
    let harmless = [
        "use crate::model::Value; use super::Action; use self::inner::A; use std::io;",
        "// use crate::connectors::Connector;\n/// [t](crate::connectors)\nfn f() {}",
        "const A: &str = \"use crate::connectors::Connector;\"; const B: &str = r\"crate::cli::run\";",
        "#[cfg(test)]\nmod tests { use crate::connectors::Connector; #[test] fn f() { crate::cli::run() } }",
        "#[cfg(test)]\n#[allow(dead_code)]\nuse crate::connectors::{Connector, Quota};",
        "#[cfg(all(test, unix))] fn f() { crate::connectors::connect() }",
        "pub(crate) fn f() {} pub(super) fn g() { super::super::reconcile::compare() }",
        "use super::super::model::{Value, key::{Key, KeyHash}};",
    ];
    for code in harmless {
        assert_eq!(strangers(&module("plan::steps"), code), Vec::<String>::new(), "{code}");
    }
}

#[test]
fn allow_a_part_of_a_room_without_the_rest() {
    let config = module("config::policy");
    assert!(strangers(&config, "use crate::plan::policy::{Limit, Policy}; use crate::mapping::spec::On;").is_empty());
    for more in ["use crate::plan;", "use crate::plan::*;", "use crate::plan::Action;", "use crate::plan::policyx;"] {
        assert_eq!(strangers(&config, more).len(), 1, "{more}");
    }
}

#[test]
fn tell_a_room_from_the_room_within_it() {
    let store = "use crate::journal::store::Journal;";
    assert_eq!(strangers(&module("journal::state::run"), store).len(), 1);
    assert_eq!(strangers(&module("journal::state::run"), "use super::super::RunId;").len(), 1);
    assert!(strangers(&module("journal::state::run"), "use super::event::Event; use crate::plan::Action;").is_empty());
    assert!(strangers(&module("journal::store::codec"), "use crate::journal::state::Event;").is_empty());
    assert!(strangers(&module("execute"), store).is_empty());
}

#[test]
fn say_where_it_is() {
    assert_eq!(strangers(&module("model"), "fn f() {}\nuse crate::cli::run;\n"), ["2: cli::run"]);
}

#[test]
fn let_nobody_use_the_shell() {
    for room in HOUSE {
        assert_eq!(strangers(&module(room.path), "fn f() { crate::cli::run() }").len(), 1, "{}", room.path);
    }
}

#[test]
fn find_what_makes_a_room_impure() {
    let found = |text| impurities(&module("reconcile::index"), text).len();
    assert_eq!(found("use std::{fmt, fs::File}; use tokio::sync::Mutex;"), 2);
    assert_eq!(found("async fn f() { std::env::var(\"A\"); jiff::Timestamp::now(); }"), 3);
    assert_eq!(found("use std::io::{self, Write}; fn f(now: jiff::Timestamp) {}"), 0);
    assert_eq!(impurities(&module("source"), "use std::fs::File;").len(), 0);
}

#[test]
fn find_prints_and_what_is_left_to_be_written() {
    let at = |path| Module { file: PathBuf::new(), path: module(path), used: Used::Always };
    let text = "fn f() { println!(\"a\"); std::io::stderr().lock(); command.stdout(pipe); println(); }";
    assert_eq!(prints(&at("execute"), text), ["1: println!", "1: stderr"]);
    assert!(prints(&at("cli::progress"), text).is_empty());
    assert_eq!(
        gaps("fn f() {\n    todo!()\n}\nfn g() { unimplemented!(\"h\") } // todo!()"),
        ["2: todo!", "4: unimplemented!"]
    );
    assert!(names_sled("use sled::Db;") && names_sled("fn f() -> sled::Result<()> {}"));
    assert!(!names_sled("// sled::Db\nfn sled_failure() {}"));
}
