//! The process dies at every named point of `headcount::testing::failpoints`, in every kind of action, at the first, a middle and the
//! last time that it passes there, while it begins, goes on, settles, pauses and ends. Then another process goes on. The
//! tenant's ledger judges: everybody is there, once, with the password that was delivered.
//!
//! A scenario is first played without a death, which says what it passes and what it must leave behind. What no scenario
//! passes fails the test: a point that is never tried proves nothing.

// A release build has no points.
#![cfg(debug_assertions)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use headcount::journal::{Journal, Options as JournalOptions, RunId};
use headcount::sandbox::imichat::{ImichatBehaviour, ImichatUniqueness};
use headcount::sandbox::{Faults, LedgerOperation, Options, Seed, Simulation, TOKEN, scim};
use headcount::testing::failpoints::Failpoint;
use serde_json::{Value, json};

use crate::support::{HEADER, Project, Ran, Tenant, assert_passwords_are_told, row, told};

/// As many of each kind of action: a first, a middle and a last.
const EACH: usize = 3;

/// Something that is done to a tenant with one command, and what came before.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    system: &'static str,
    faults: &'static str,
    settings: &'static [(&'static str, &'static str)],
    before: Before,
    /// Before whoever goes on: what somebody mends.
    mend: fn(&Project),
    /// The exit code of the command where nobody dies.
    code: i32,
    known: Known,
}

/// What becomes of the points that an earlier scenario passes as well.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    /// They are tried again, in the middle.
    Again,
    Left,
}

/// What happened before the command that is to die.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    /// Another process died there.
    Death(&'static str),
    /// And then somebody changed the source, so that the run is not continued but settled.
    DeathAndChange(&'static str),
}

fn nothing(_: &Project) {}

const BEGIN: Scenario = Scenario {
    name: "sync",
    system: "imichat",
    faults: "",
    settings: &[],
    before: Before::Nothing,
    mend: nothing,
    code: 0,
    known: Known::Again,
};

const LATER: Scenario = Scenario { known: Known::Left, ..BEGIN };

const GOING_ON: &str = "going on";
const PAUSES: &str = "a run that pauses";

const SCENARIOS: [Scenario; 9] = [
    BEGIN,
    Scenario { name: "sync of a system with deletion", system: "scim", ..BEGIN },
    Scenario {
        name: "lost answers",
        faults: "[[rule]]\non = { op = 'create', every = 2 }\nthen = { drop = 'after' }\ntimes = 2\n\
                 [[rule]]\non = { op = 'create', nth = 3 }\nthen = { drop = 'before' }\n\
                 [[rule]]\non = { op = 'update', login = 'old2' }\nthen = { drop = 'after' }\ntimes = 3",
        ..BEGIN
    },
    // Before the others that begin with a death: here something is left beyond the anchor each time. There it is chance,
    // as the journal writes on while a request is answered.
    Scenario { name: GOING_ON, before: Before::Death("group-flushed/outcome:5"), ..LATER },
    Scenario { name: "settling", before: Before::DeathAndChange("answered/create:2"), ..BEGIN },
    // The folder of the passwords is not there.
    Scenario {
        name: PAUSES,
        settings: &[("file", "\"there/passwords.age\"")],
        mend: |project| fs::create_dir_all(project.path("there")).unwrap(),
        code: 6,
        known: Known::Left,
        ..BEGIN
    },
    Scenario { name: "runs that are forgotten", settings: &[("keep", "\"0s\"")], known: Known::Left, ..BEGIN },
    Scenario { name: "after a run that never began", before: Before::Death("run-prepared/-:1"), ..LATER },
    Scenario { name: "after a run that nobody heard the end of", before: Before::Death("run-ended/-:1"), ..LATER },
];

/// Going on after a death in each kind of action, with and without an effect that nobody heard of.
const DEATHS: [(&str, &str); 7] = [
    // Certain to leave something beyond the anchor, which the others do by chance.
    ("imichat", "group-flushed/outcome:5"),
    ("imichat", "intent-durable/create:1"),
    ("imichat", "answered/create:3"),
    ("imichat", "answered/create-then:2"),
    ("imichat", "answered/update:2"),
    ("imichat", "answered/deactivate:2"),
    ("scim", "answered/delete:2"),
];

fn logins(prefix: &str) -> Vec<String> {
    (1..=EACH).map(|n| format!("{prefix}{n}")).collect()
}

/// Everybody who is to be created.
fn newcomers(scenario: &Scenario) -> Vec<String> {
    let left = if scenario.system == "imichat" { logins("late") } else { Vec::new() };
    let mut all: Vec<String> = [left, logins("new")].concat();
    if matches!(scenario.before, Before::DeathAndChange(_)) {
        all.push("new9".to_owned());
    }
    all
}

impl Scenario {
    fn tenant(&self) -> Tenant {
        let accounts = logins("old").into_iter().map(|login| (login, "Before", true));
        let accounts = accounts.chain(logins("gone").into_iter().map(|login| (login, "After", true)));
        let accounts = accounts.chain(logins("back").into_iter().map(|login| (login, "After", false)));
        let accounts = accounts.chain(logins("absent").into_iter().map(|login| (login, "After", true)));
        let accounts = accounts.enumerate();
        let seed = match self.system {
            "scim" => json!({ "accounts": accounts.map(|(at, (login, last, active))| json!({
                "id": format!("id-{at}"), "created": "2024-01-02T03:04:05Z", "lastModified": "2024-01-02T03:04:05Z",
                "version": 1, "resource": { "userName": login, "active": active,
                    "name": { "givenName": "Ana", "familyName": last } },
            })).collect::<Vec<_>>() }),
            _ => json!({ "accounts": accounts.map(|(at, (login, last, active))| json!({
                "id": 100 + at, "created_at": "2024-01-02T03:04:05Z", "updated_at": "2024-01-02T03:04:05Z",
                "first_name": "Ana", "last_name": last, "login_id": login, "email_id": format!("{login}@example.com"),
                "status": if active { "active" } else { "inactive" }, "job_description": "Agent",
                "login_using_email": true, "skill_attributes": { "English": 90 },
            })).collect::<Vec<_>>() }),
        };
        // Nobody but the program keeps people from being doubled.
        let system: Arc<dyn Simulation> = match self.system {
            "scim" => Arc::new(scim::ScimBehaviour {
                uniqueness: scim::ScimUniqueness::NotEnforced,
                ..scim::ScimBehaviour::default()
            }),
            _ => {
                Arc::new(ImichatBehaviour { uniqueness: ImichatUniqueness::NotEnforced, ..ImichatBehaviour::default() })
            }
        };
        Tenant::start(Options {
            system,
            seed: Seed::Text(seed.to_string()),
            faults: Faults::parse(self.faults).unwrap(),
            ..Options::default()
        })
    }

    fn project(&self, tenant: &Tenant) -> Project {
        let project = Project::new(tenant);
        match self.system {
            "scim" => {
                let config = SCIM.replace("BASE", &tenant.base_url()).replace("RECIPIENT", &project.recipient());
                project.write("config.toml", &config);
                project.write("token", TOKEN);
            }
            _ => project.set("inactive_newcomers", "\"create\""),
        }
        project.set("timeout", "\"1500ms\"");
        // One at a time, so that a scenario passes the same points each time.
        project.set("concurrency", "1");
        for (key, value) in self.settings {
            project.set(key, value);
        }
        project.write("samples/hr_export.csv", &self.export());
        project
    }

    fn export(&self) -> String {
        let active = logins("new").into_iter().chain(logins("old")).chain(logins("back"));
        let left = if self.system == "imichat" { logins("late") } else { Vec::new() };
        let left = left.into_iter().chain(logins("gone"));
        let rows = active.map(|login| row(&login, "After", "Active"));
        HEADER.to_owned() + &rows.chain(left.map(|login| row(&login, "After", "Terminated"))).collect::<String>()
    }

    /// Everything that comes before the command that is to die.
    fn prepare(&self, project: &Project) {
        let (Before::Death(point) | Before::DeathAndChange(point)) = self.before else { return };
        let ran = killed(project, point);
        assert_eq!(ran.code, None, "{}: nobody died at {point}\n{ran}", self.name);
        if let Before::DeathAndChange(_) = self.before {
            project.write("samples/hr_export.csv", &(self.export() + &row("new9", "After", "Active")));
        }
    }
}

const SCIM: &str = r#"
[source]
path     = "samples/hr_export.csv"
identity = "employee_id"

[target]
kind     = "scim"
base_url = "BASE"
tenant   = "acme"
token    = { file = "token" }

[match]
rules = [["userName"]]

[map]
userName          = "{{ work_email | before('@') }}"
active            = "{{ status != 'Terminated' }}"
"name.givenName"  = "first_name"
"name.familyName" = "last_name"
password          = { generate = { length = 20 } }

[policy]
absent     = "delete"
absent_for = { runs = 1, days = 0 }

[safety]
max_create     = 1000
max_update     = 1000
max_deactivate = 1000

[rate]
requests_per_second = 0
concurrency         = 1
retries             = 2
timeout             = "2s"

[passwords]
deliver_to = "RECIPIENT"
file       = "passwords.age"
"#;

/// `sync` with a death at a point, such as `answered/create:2`.
fn killed(project: &Project, at: &str) -> Ran {
    let mut command = project.command(&["--format", "json", "sync", "--yes"]);
    command.env("HEADCOUNT_KILL_AT", at);
    project.spawn_command(command).wait()
}

/// How often each point is passed, by its name and what it is of.
type Passes = BTreeMap<(String, String), u64>;

/// What a scenario passes, and what it leaves behind.
struct Undisturbed {
    passes: Passes,
    content: Vec<Value>,
}

fn undisturbed(scenario: &Scenario) -> Undisturbed {
    let tenant = scenario.tenant();
    let project = scenario.project(&tenant);
    scenario.prepare(&project);
    project.write("trace", "");
    let mut command = project.command(&["--format", "json", "sync", "--yes"]);
    command.env("HEADCOUNT_KILL_TRACE", project.path("trace"));
    let ran = project.spawn_command(command).wait();
    assert_eq!(ran.code, Some(scenario.code), "{}: {ran}", scenario.name);
    let mut passes = Passes::new();
    for line in project.read("trace").lines() {
        let (point, kind) = line.split_once(' ').unwrap();
        *passes.entry((point.to_owned(), kind.to_owned())).or_default() += 1;
    }
    judge(scenario, &tenant, &project, None);
    Undisturbed { passes, content: content(&tenant) }
}

/// One death, and whoever goes on. Whether somebody died: where threads come in another order, a point may be passed less
/// often than before.
fn trial(scenario: &Scenario, at: &str, expected: &Undisturbed) -> bool {
    told(&format!("{}: killed at {at}", scenario.name), || {
        let tenant = scenario.tenant();
        let project = scenario.project(&tenant);
        scenario.prepare(&project);
        let ran = killed(&project, at);
        let died = ran.code.is_none();
        assert!(died || ran.code == Some(scenario.code) || ran.code == Some(6), "{ran}");
        judge(scenario, &tenant, &project, Some(&expected.content));
        died
    })
}

/// Lets another process finish, and looks at what there is then.
fn judge(scenario: &Scenario, tenant: &Tenant, project: &Project, expected: Option<&[Value]>) {
    (scenario.mend)(project);
    finish(project);
    if let Before::DeathAndChange(_) = scenario.before {
        // What is continued is the run of before; whoever came after it has a run of their own.
        finish(project);
    }
    let ledger = tenant.ledger();
    assert_eq!(ledger.doubled_logins(), Vec::<String>::new());
    let mut created = tenant.created();
    created.sort();
    assert_eq!(created, newcomers(scenario));
    if scenario.system == "scim" {
        let deleted: BTreeSet<_> =
            ledger.effects_of(LedgerOperation::Delete).map(|effect| effect.login_id.clone()).collect();
        assert_eq!(deleted, logins("absent").into_iter().collect());
    }
    if let Some(expected) = expected {
        assert_eq!(content(tenant), expected);
    }
    if let Ok(there) = fs::read(project.path("there/passwords.age")) {
        fs::write(project.path("passwords.age"), there).unwrap();
    }
    assert_passwords_are_told(project, &ledger);
    judge_state(scenario, tenant, project);
}

/// Goes on as often as it takes: on a machine that is busy with other things an answer may come too late, and a run
/// pauses then.
fn finish(project: &Project) {
    let ran = (0..5).map(|_| project.run(&["sync", "--yes"])).find(|ran| !matches!(ran.code, Some(6) | None));
    let ran = ran.expect("it ends some time");
    assert_eq!(ran.code, Some(0), "{ran}");
}

/// What the state directory holds once everything is done: no run that waits, no secret, nobody forgotten, no folder that
/// belongs to nothing.
fn judge_state(scenario: &Scenario, tenant: &Tenant, project: &Project) {
    let state = project.path(".headcount");
    let journal = Journal::open(&state, JournalOptions::new("2027-01-01T00:00:00Z".parse().unwrap())).unwrap();
    let runs = journal.runs();
    assert_eq!(journal.unfinished_run(), None);
    for run in &runs {
        assert_eq!((run.tally.unknown, run.tally.open, run.tally.failed), (0, 0, 0), "{run:?}");
    }
    let memory = journal.memory(&format!("acme\n{} {}", scenario.system, tenant.base_url()));
    for login in newcomers(scenario) {
        assert!(memory.link_of(&format!("E-{login}")).is_some(), "the account of {login} is forgotten");
    }
    for entry in fs::read_dir(state.join("runs")).unwrap() {
        let folder = entry.unwrap().path();
        assert!(!folder.join("secret").exists(), "the secret of {} is still there", folder.display());
        let run: RunId = name(&folder).parse().unwrap();
        assert!(runs.iter().any(|known| known.run == run), "{} belongs to no run", folder.display());
    }
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// What the tenant holds, without what differs from run to run by its nature.
fn content(tenant: &Tenant) -> Vec<Value> {
    let mut accounts = tenant.accounts_json();
    for account in &mut accounts {
        let account = account.as_object_mut().unwrap();
        for name in ["id", "created_at", "updated_at", "created", "lastModified", "version", "password"] {
            account.remove(name);
        }
    }
    accounts.sort_by_key(Value::to_string);
    accounts
}

/// One death to try.
struct Death<'a> {
    scenario: &'a Scenario,
    expected: &'a Undisturbed,
    point: &'a str,
    kind: &'a str,
    nth: u64,
}

impl Death<'_> {
    /// Tries it; where the point is passed less often this time, the time before, and the first time thrice. Whether it
    /// was reached at all: which requests meet a fault, and so which are looked up, is not the same each time.
    fn die(&self) -> bool {
        (1..=self.nth)
            .rev()
            .chain([1, 1])
            .any(|nth| trial(self.scenario, &format!("{}/{}:{nth}", self.point, self.kind), self.expected))
    }
}

/// Tries all of them. A few may not be reached, but at every point somebody died.
fn die(deaths: &[Death<'_>]) {
    let missed = Mutex::new(Vec::new());
    let points = Mutex::new(BTreeSet::new());
    each(deaths, |death| {
        if death.die() {
            points.lock().unwrap().insert(death.point);
        } else {
            missed.lock().unwrap().push(format!("{}: {}/{}", death.scenario.name, death.point, death.kind));
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.len() <= deaths.len() / 50, "of {} deaths these were not reached: {missed:#?}", deaths.len());
    let planned: BTreeSet<_> = deaths.iter().map(|death| death.point).collect();
    let points = points.into_inner().unwrap();
    let untried: Vec<_> = planned.difference(&points).collect();
    assert!(untried.is_empty(), "nobody died at {untried:?}: {missed:#?}");
}

/// Waits for requests that may still arrive leave the processor to others: more of them than there are processors.
const AT_ONCE: usize = 8;

fn each<T: Sync>(of: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(one) = of.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(one);
                }
            });
        }
    });
}

fn play(scenarios: &[Scenario]) -> Vec<(&Scenario, Undisturbed)> {
    let played = Mutex::new(Vec::new());
    let numbered: Vec<_> = scenarios.iter().enumerate().collect();
    each(&numbered, |(at, scenario)| {
        let undisturbed = undisturbed(scenario);
        played.lock().unwrap().push((*at, *scenario, undisturbed));
    });
    let mut played = played.into_inner().unwrap();
    played.sort_by_key(|(at, ..)| *at);
    played.into_iter().map(|(_, scenario, undisturbed)| (scenario, undisturbed)).collect()
}

/// The first, a middle and the last of so many.
fn some(count: u64) -> Vec<u64> {
    let mut some = vec![1, middle(count), count];
    some.dedup();
    some
}

fn middle(count: u64) -> u64 {
    count.div_ceil(2)
}

/// All three times that each point is passed in each scenario, where somebody has an hour.
fn has_time() -> bool {
    std::env::var_os("HEADCOUNT_KILL_EVERYWHERE").is_some()
}

/// The deaths to try: of each point and all that it is of, the times that are chosen. `is_new` where no scenario before
/// passes it.
fn deaths<'a>(
    played: &'a [(&'a Scenario, Undisturbed)],
    chosen: impl Fn(&Scenario, &str, bool, u64) -> Vec<u64>,
) -> Vec<Death<'a>> {
    let mut seen = BTreeSet::new();
    let mut deaths = Vec::new();
    for (scenario, expected) in played {
        for ((point, kind), count) in &expected.passes {
            let is_new = seen.insert((point, kind));
            let times = if has_time() { some(*count) } else { chosen(scenario, point, is_new, *count) };
            deaths.extend(times.into_iter().map(|nth| Death { scenario, expected, point, kind, nth }));
        }
    }
    deaths
}

fn assert_all_are_passed(played: &[(&Scenario, Undisturbed)]) {
    let passed: BTreeSet<&str> =
        played.iter().flat_map(|(_, known)| known.passes.keys()).map(|(point, _)| point.as_str()).collect();
    let missed: Vec<_> =
        Failpoint::ALL.iter().map(|point| point.name()).filter(|name| !passed.contains(name)).collect();
    assert!(missed.is_empty(), "no scenario passes {missed:?}");
}

#[test]
fn a_death_at_any_point_loses_nobody_and_doubles_nobody() {
    let played = play(&SCENARIOS);
    assert_all_are_passed(&played);
    // Each point once, in the first scenario that passes it.
    let mut deaths = deaths(&played, |_, _, _, count| vec![middle(count)]);
    let mut tried = BTreeSet::new();
    deaths.retain(|death| tried.insert(death.point));
    assert_eq!(deaths.len(), Failpoint::ALL.len());
    die(&deaths);
}

/// What `headcount show` says of the last run.
fn shown(project: &Project) -> Value {
    let ran = project.run(&["show", "last"]);
    assert_eq!(ran.code, Some(0), "{ran}");
    ran.json()["summary"].clone()
}

#[test]
fn a_run_that_was_killed_before_it_wrote_its_summary_is_shown_as_the_journal_knows_it() {
    let said = |summary: Value| (summary["outcome"].clone(), summary["applied"].clone());
    let applied = json!({ "create": 6, "update": 3, "deactivate": 3, "reactivate": 3, "delete": 0 });
    let tenant = BEGIN.tenant();
    let project = BEGIN.project(&tenant);
    assert_eq!(killed(&project, "run-ended/-:1").code, None);
    assert_eq!(said(shown(&project)), ("complete".into(), applied.clone()));

    let paused = SCENARIOS.iter().find(|scenario| scenario.name == PAUSES).unwrap();
    let tenant = paused.tenant();
    let project = paused.project(&tenant);
    project.sync(6);
    assert_eq!(said(shown(&project)), ("paused".into(), applied.clone()));
    (paused.mend)(&project);
    assert_eq!(killed(&project, "run-ended/-:1").code, None);
    assert_eq!(said(shown(&project)), ("complete".into(), applied), "and not as it was when it paused");
}

/// The whole product: every point, in every kind of action, at the first, a middle and the last time that it is passed.
#[test]
#[ignore = "takes minutes; .ci/run runs it"]
fn nor_at_any_point_in_any_kind_of_action_wherever_it_stands() {
    let played = play(&SCENARIOS);
    assert_all_are_passed(&played);
    let deaths = deaths(&played, |scenario, _, is_new, count| match scenario.known {
        _ if is_new => some(count),
        Known::Again => vec![middle(count)],
        Known::Left => Vec::new(),
    });
    println!("{} points, {} deaths", Failpoint::ALL.len(), deaths.len());
    die(&deaths);
}

#[test]
#[ignore = "takes minutes; .ci/run runs it"]
fn nor_when_whoever_goes_on_dies_as_well() {
    let scenarios =
        DEATHS.map(|(system, death)| Scenario { name: GOING_ON, system, before: Before::Death(death), ..BEGIN });
    let played = play(&scenarios);
    // Files are written the same way whoever writes them.
    let is_file = |point: &str| point.starts_with("file-") || point.starts_with("folder-");
    let deaths = deaths(&played, |_, point, _, count| if is_file(point) { Vec::new() } else { vec![middle(count)] });
    println!("{} deaths after a death", deaths.len());
    die(&deaths);
}
