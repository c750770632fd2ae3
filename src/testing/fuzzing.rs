//! What the fuzzers check, checked without a fuzzer: every file of the corpus, which holds whatever was ever found, and
//! some thousand seeded changes to each target's files. `fuzz/README.md` says how to look further.

use std::path::{Path, PathBuf};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// A target of the fuzzer, and how many changed inputs are tried here: as many as take about a second.
struct FuzzTarget {
    name: &'static str,
    check: fn(&[u8]),
    changes: usize,
}

const TARGETS: [FuzzTarget; 8] = [
    FuzzTarget { name: "csv", check: crate::source::fuzzing::any_file, changes: 1500 },
    FuzzTarget { name: "config", check: crate::config::fuzzing::any_text, changes: 300 },
    FuzzTarget { name: "template", check: crate::mapping::fuzzing::any_template, changes: 200 },
    FuzzTarget { name: "plan", check: crate::plan::fuzzing::any_file, changes: 3000 },
    FuzzTarget { name: "imichat", check: crate::connectors::imichat::fuzzing::any_answers, changes: 5000 },
    FuzzTarget { name: "brightpattern", check: crate::connectors::brightpattern::fuzzing::any_answer, changes: 5000 },
    FuzzTarget { name: "scim", check: crate::connectors::scim::fuzzing::any_answers, changes: 2000 },
    FuzzTarget { name: "journal", check: crate::journal::store::fuzzing::any_bytes, changes: 3000 },
];
/// Runs of bytes that mean something somewhere, beside those of a target's dictionary.
const PIECES: [&[u8]; 8] = [b"\"", b"\r\n", b"\0", b"\xEF\xBB\xBF", b"\xFF", b"9223372036854775808", b"1e999", b"[[[["];

#[test]
fn the_csv_source_keeps_its_laws_over_the_corpus_and_around_it() {
    over_and_around("csv");
}

#[test]
fn the_configuration_keeps_its_laws_over_the_corpus_and_around_it() {
    over_and_around("config");
}

#[test]
fn templates_keep_their_laws_over_the_corpus_and_around_it() {
    over_and_around("template");
}

#[test]
fn the_plan_file_keeps_its_laws_over_the_corpus_and_around_it() {
    over_and_around("plan");
}

#[test]
fn answers_of_imichat_keep_their_laws_over_the_corpus_and_around_it() {
    over_and_around("imichat");
}

#[test]
fn answers_of_bright_pattern_keep_their_laws_over_the_corpus_and_around_it() {
    over_and_around("brightpattern");
}

#[test]
fn answers_of_scim_keep_their_laws_over_the_corpus_and_around_it() {
    over_and_around("scim");
}

#[test]
fn the_journal_keeps_its_laws_over_the_corpus_and_around_it() {
    over_and_around("journal");
}

#[test]
fn every_fuzzer_has_its_target_and_every_target_its_corpus() {
    let Some(folder) = fuzz_folder() else { return };
    let manifest: toml::Table = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
    let fuzzers: Vec<&str> =
        manifest["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap()).collect();
    assert_eq!(fuzzers, TARGETS.map(|target| target.name));
    for target in TARGETS {
        assert!(read_corpus(&folder, target.name).len() >= 10, "{} has hardly a corpus", target.name);
        assert!(folder.join(format!("targets/{}.rs", target.name)).is_file());
    }
}

/// The folder of the fuzzers; a package that was published has none.
fn fuzz_folder() -> Option<PathBuf> {
    Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")).filter(|folder| folder.is_dir())
}

fn read_corpus(folder: &Path, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder.join("corpus").join(name)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// The words of a target's dictionary, in the form that libFuzzer reads.
fn read_dictionary(folder: &Path, name: &str) -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(folder.join(format!("dictionaries/{name}.dict"))).unwrap_or_default();
    let words = text.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix('"'));
    words.map(unescape_word).chain(PIECES.map(<[u8]>::to_vec)).collect()
}

fn unescape_word(word: &str) -> Vec<u8> {
    let mut bytes = word.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        out.push(match (byte, (byte == b'\\').then(|| bytes.next()).flatten()) {
            (b'\\', Some(b'x')) => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            (b'\\', Some(other)) => other,
            (byte, _) => byte,
        });
    }
    out
}

fn over_and_around(name: &str) {
    let Some(folder) = fuzz_folder() else { return };
    let target = TARGETS.into_iter().find(|target| target.name == name).unwrap();
    let corpus = read_corpus(&folder, name);
    let words = read_dictionary(&folder, name);
    for (path, input) in &corpus {
        let _said = FuzzVerdict { name, what: path.display().to_string(), input };
        (target.check)(input);
    }
    for seed in 0..target.changes {
        let mut random = SmallRng::seed_from_u64(seed as u64);
        let mut input = corpus[random.random_range(0..corpus.len())].1.clone();
        for _ in 0..random.random_range(1..5) {
            change_input(&mut input, &corpus, &words, &mut random);
        }
        let _said = FuzzVerdict { name, what: format!("seed {seed}"), input: &input };
        (target.check)(&input);
    }
}

fn change_input(input: &mut Vec<u8>, corpus: &[(PathBuf, Vec<u8>)], words: &[Vec<u8>], random: &mut SmallRng) {
    let at = random.random_range(0..=input.len());
    let end = random.random_range(at..=input.len().min(at + 40));
    match random.random_range(0..6) {
        0 if at < input.len() => input[at] ^= 1 << random.random_range(0..8),
        1 if at < input.len() => input[at] = random.random(),
        2 => drop(input.drain(at..end)),
        3 => {
            let again = input[at..end].to_vec();
            input.splice(at..at, again).for_each(drop);
        }
        4 => {
            let other = &corpus[random.random_range(0..corpus.len())].1;
            let from = random.random_range(0..=other.len());
            let to = random.random_range(from..=other.len().min(from + 200));
            input.splice(at..end, other[from..to].iter().copied()).for_each(drop);
        }
        _ => {
            let word = &words[random.random_range(0..words.len())];
            input.splice(at..at, word.iter().copied()).for_each(drop);
        }
    }
    // What is large is for the fuzzer, which has time.
    input.truncate(16 << 10);
}

/// Says on which input a check failed, in the form that `printf` reads.
struct FuzzVerdict<'a> {
    name: &'a str,
    what: String,
    input: &'a [u8],
}

impl Drop for FuzzVerdict<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}, {}: '{}'", self.name, self.what, self.input.escape_ascii());
        }
    }
}
