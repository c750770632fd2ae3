//! A state directory that was damaged while a run was under way: whatever became of its files, nobody is created twice,
//! nobody is told a password that was not set, and what is damaged is said or does not matter.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::journal::{Journal, store::Options};

/// Numbers that follow from a seed (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// What happens to one file.
#[derive(Clone, Copy, Debug)]
enum Harm {
    Flip { byte: usize, bit: u8 },
    Cut { at: usize },
}

impl Harm {
    fn on(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Flip { byte, bit } => bytes[byte] ^= 1 << bit,
            Self::Cut { at } => bytes.truncate(at),
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// Refused, and moving the directory aside brought everybody.
    Said,
    /// Everybody came, with the right passwords.
    Harmless,
}

/// A shop in which a run died: some people were created, one of them without an answer, others not yet. An earlier run
/// ended, and somebody has been absent once.
struct Scene {
    shop: Shop,
    good: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
    /// The tenant as the death left it.
    tenant: Fake,
    /// The passwords that the first run delivered.
    delivered: Vec<u8>,
    rows: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let mut shop = Shop::new();
        // More than enough, and kept in a file as well.
        shop.tenant.budget(Some(1_000_000));
        shop.account("gone", "Gone");
        let known = ["old1", "old2", "old3"].map(|login| row(login, "Before", "active")).to_vec();
        let newcomers = |from: usize, to: usize| (from..to).map(|n| row(&format!("new{n:02}"), "New", "active"));
        let first: Vec<String> = known.iter().cloned().chain(newcomers(0, 4)).collect();
        shop.export(&first);
        assert_eq!(shop.sync().unwrap().unwrap(), Exit::Done);
        shop.clock.advance(Duration::from_secs(86_400));
        let changed = [row("old1", "After", "active"), row("old2", "Before", "left"), row("old3", "Before", "active")];
        let rows: Vec<String> = changed.into_iter().chain(newcomers(0, 16)).collect();
        shop.export(&rows);
        shop.tenant.fault(fake::Op::Create, "new05", fake::Fault::LostAfter);
        // Each create has a point when it arrives and one after its effect: the sixth dies without an answer.
        shop.tenant.points.die_at(16);
        assert!(shop.sync().is_none(), "the second run dies");
        let created = shop.tenant.created().len();
        assert!((8..23).contains(&created), "{created} of 23 were created");
        let good = shop.path("good");
        fs::rename(shop.state(), &good).unwrap();
        let mut files = Vec::new();
        collect(&good, &good, &mut files);
        let tenant = std::mem::replace(&mut shop.tenant, Fake::new(&shop.clock));
        let delivered = fs::read(shop.path("passwords.age")).unwrap();
        Self { shop, good, files, tenant, delivered, rows }
    }

    /// What becomes of a directory with this harm; `n` says which command meets it.
    fn suffer(&mut self, file: usize, harm: Harm, n: usize) -> Verdict {
        let (path, mut bytes) = self.files[file].clone();
        let what = format!("{} of {} bytes: {harm:?} (case {n})", path.display(), bytes.len());
        harm.on(&mut bytes);
        self.restore();
        fs::write(self.shop.state().join(path), bytes).unwrap();
        // A source that is another one now: what is unknown is settled, and the rest is planned anew.
        let mut rows = self.rows.clone();
        if n % 2 == 1 {
            rows.push(row("late", "Late", "active"));
        }
        self.shop.export(&rows);
        let said = match self.shop.sync().expect("nobody dies") {
            Ok(exit) => {
                assert_eq!(exit, Exit::Done, "{what}");
                false
            }
            Err(failure) => {
                assert!(!failure.message.is_empty() && failure.hint.is_some(), "{what}: {failure:?}");
                self.nobody_is_doubled(&what);
                fs::rename(self.shop.state(), self.shop.path("aside")).unwrap();
                assert_eq!(self.shop.sync().unwrap().unwrap(), Exit::Done, "{what}, moved aside");
                true
            }
        };
        self.nobody_is_doubled(&what);
        let logins: Vec<String> = self.shop.tenant.accounts().into_keys().collect();
        let mut expected: Vec<String> = rows.iter().map(|row| row.split(',').nth(1).unwrap().to_owned()).collect();
        expected.push("gone".to_owned());
        expected.sort();
        assert_eq!(logins, expected, "{what}");
        let (told, set) = (self.shop.told(), self.shop.set());
        if said {
            assert!(told.iter().all(|told| set.contains(told)), "{what}: {told:?} of {set:?}");
            Verdict::Said
        } else {
            assert_eq!(told, set, "{what}");
            Verdict::Harmless
        }
    }

    /// Whether it is a cut of what sled never used of its file, after which the journal is what it was. Then everything
    /// else is as well, and there are thousands of such cuts.
    fn is_untouched(&mut self, file: usize, harm: Harm) -> bool {
        let (path, bytes) = &self.files[file];
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or_default();
        let Harm::Cut { at } = harm else { return false };
        if !path.ends_with("db") || at <= used {
            return false;
        }
        let dir = self.shop.path("cut");
        copy_files(&self.good, &dir);
        fs::write(dir.join(path), &bytes[..at]).unwrap();
        let options = Options { cache_bytes: 1 << 20, now: START.parse().unwrap() };
        let (cut, whole) = [&dir, &self.good].map(|dir| Journal::inspect_journal(dir, options).unwrap()).into();
        fs::remove_dir_all(dir).unwrap();
        assert!(whole.damage.is_empty());
        (cut.damage, cut.records, cut.runs) == (whole.damage, whole.records, whole.runs)
    }

    fn nobody_is_doubled(&self, what: &str) {
        let mut times: BTreeMap<String, u32> = BTreeMap::new();
        for login in self.shop.tenant.created() {
            *times.entry(login).or_default() += 1;
        }
        assert!(times.values().all(|times| *times == 1), "{what}: {times:?}");
    }

    fn restore(&mut self) {
        for dir in [self.shop.state(), self.shop.path("aside")] {
            if dir.exists() {
                fs::remove_dir_all(dir).unwrap();
            }
        }
        copy_files(&self.good, &self.shop.state());
        for entry in fs::read_dir(self.shop.dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "age") {
                fs::remove_file(path).unwrap();
            }
        }
        fs::write(self.shop.path("passwords.age"), &self.delivered).unwrap();
        // Two minutes later: no request of the run that died can land any more.
        let clock = TestClock::new(START.parse().unwrap(), 99);
        clock.advance(Duration::from_secs(86_400 + 120));
        self.shop.tenant = self.tenant.fork(&clock);
        self.shop.clock = clock;
    }
}

fn collect(root: &Path, dir: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            files.push((path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap()));
        }
    }
}

/// Flips in every file as often as in any other, three quarters of them where the file holds something.
fn flips(files: &[(PathBuf, Vec<u8>)], count: usize) -> Vec<(usize, Harm)> {
    let mut numbers = Numbers(20_261_122);
    let flippable: Vec<usize> = (0..files.len()).filter(|file| !files[*file].1.is_empty()).collect();
    let flip = |_| {
        let file = flippable[numbers.below(flippable.len())];
        let bytes = &files[file].1;
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(bytes.len(), |last| last + 1);
        let end = if numbers.below(4) > 0 { used } else { bytes.len() };
        (file, Harm::Flip { byte: numbers.below(end), bit: numbers.below(8) as u8 })
    };
    (0..count).map(flip).collect()
}

/// A cut at every `step`th byte of every file.
fn cuts(files: &[(PathBuf, Vec<u8>)], step: usize) -> Vec<(usize, Harm)> {
    let of = |file: usize| (0..files[file].1.len()).step_by(step).map(move |at| (file, Harm::Cut { at }));
    (0..files.len()).flat_map(of).collect()
}

/// No case takes longer, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a process that survives all of it has had in memory at most, in KiB.
const MOST_MEMORY: u64 = 1 << 20;

/// Runs the cases on two threads; gives how often each file was harmed with which verdict.
fn suffer(cases: impl Fn(&[(PathBuf, Vec<u8>)]) -> Vec<(usize, Harm)> + Send + Sync + 'static) -> usize {
    const THREADS: usize = 2;
    let cases = Arc::new(cases);
    let (report, reports) = mpsc::channel();
    for thread in 0..THREADS {
        let (report, cases) = (report.clone(), Arc::clone(&cases));
        std::thread::spawn(move || {
            let mut scene = Scene::new();
            for (n, (file, harm)) in cases(&scene.files).into_iter().enumerate() {
                if n % THREADS == thread {
                    let name = scene.files[file].0.display().to_string();
                    report.send((name.clone(), harm, None)).unwrap();
                    let verdict = if n % 16 < 14 && scene.is_untouched(file, harm) {
                        Verdict::Harmless
                    } else {
                        scene.suffer(file, harm, n / THREADS)
                    };
                    report.send((name, harm, Some(verdict))).unwrap();
                }
            }
        });
    }
    drop(report);
    let mut table: BTreeMap<(String, Verdict), usize> = BTreeMap::new();
    let mut under_way = Vec::new();
    loop {
        match reports.recv_timeout(PATIENCE) {
            Ok((name, harm, None)) => under_way.push((name, format!("{harm:?}"))),
            Ok((name, harm, Some(verdict))) => {
                under_way.retain(|case| *case != (name.clone(), format!("{harm:?}")));
                // Run folders have other names each time.
                let kind = name.rsplit('/').next().unwrap_or_default().to_owned();
                *table.entry((kind, verdict)).or_default() += 1;
                assert!(peak_memory() < MOST_MEMORY, "{name}: {harm:?}: {} KiB", peak_memory());
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("these hang: {under_way:?}"),
        }
    }
    assert!(under_way.is_empty(), "these panicked: {under_way:?}");
    for ((name, verdict), count) in &table {
        println!("{name:<20} {verdict:?}: {count}");
    }
    for verdict in [Verdict::Said, Verdict::Harmless] {
        assert!(table.keys().any(|(_, of)| *of == verdict), "no case was {verdict:?}");
    }
    table.values().sum()
}

/// In KiB; nothing where the system does not say.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

#[test]
fn a_damaged_state_directory_creates_nobody_twice() {
    assert_eq!(suffer(|files| flips(files, 120)), 120);
}

#[test]
#[ignore = "takes a minute; .ci/run runs it"]
fn two_thousand_flipped_bits_create_nobody_twice() {
    assert_eq!(suffer(|files| flips(files, 2_000)), 2_000);
}

#[test]
#[ignore = "takes a minute; .ci/run runs it"]
fn a_cut_at_every_64th_byte_creates_nobody_twice() {
    assert!(suffer(|files| cuts(files, 64)) > 1_000);
}
