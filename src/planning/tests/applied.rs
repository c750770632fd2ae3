//! A plan that is applied reaches the desired state, and then there is nothing left to do.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::clock::Stop;
use crate::execute::{ExecutionInputs, Mode, Secrets, Selection, execute_run};
use crate::journal::{Ending, Event, RunHead};
use crate::model::{AttrId, Secret};

struct Fixed;

impl Secrets for Fixed {
    fn find_secret(&self, action: &Action, _: AttrId) -> Result<Secret, String> {
        Ok(Secret::new(format!("secret of {}", action.key)))
    }
}

/// Applies a plan without any trouble.
pub(super) fn apply(office: &Office, made: &Made, fresh: bool) {
    let run = made.surveyed.id;
    let at = office.clock.now();
    let head = Box::new(RunHead { actions: made.actions.len() as u64, ..RunHead::default() });
    office.journal.append_blocking(Event::RunStarted { run, at, head }).unwrap();
    let rules = fake::rules(office.target.schema());
    let memory = office.memory();
    let execution = ExecutionInputs {
        run,
        plan: &made.surveyed.files.plan,
        target: &office.target,
        rules: &rules,
        journal: &office.journal,
        memory: &memory,
        secrets: &Fixed,
        clock: &*office.clock,
        monitor: &Silent,
        stop: &Stop::default(),
        released: &[],
        selection: &Selection::default(),
        fresh_until: fresh.then_some(made.surveyed.listed_at),
        concurrency: 3,
        timeout: std::time::Duration::from_secs(30),
        mode: Mode::Everything,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let executed = runtime.block_on(execute_run(&execution)).unwrap();
    assert_eq!(executed.applied, made.surveyed.header.counts.actions, "{executed:?}");
    office.journal.append_blocking(Event::RunEnded { run, at, outcome: Ending::Complete }).unwrap();
    office.learn(made);
}

#[derive(Clone, Debug)]
pub(super) struct Person {
    pub name: &'static str,
    pub status: &'static str,
    pub skills: &'static str,
}

pub(super) fn person() -> impl Strategy<Value = Person> {
    let name = prop::sample::select(vec!["Ana", "ana", "Zo\u{eb}", "O'Neil", ""]);
    let status = prop::sample::select(vec!["", "left", "active"]);
    let skills = prop::sample::select(vec!["", "English:100", "English:90;Chess:1"]);
    (name, status, skills).prop_map(|(name, status, skills)| Person { name, status, skills })
}

pub(super) fn account() -> impl Strategy<Value = (&'static str, &'static str, Option<&'static str>)> {
    let name = prop::sample::select(vec!["Ana", "Zoe\u{308}", "Else", ""]);
    let status = prop::sample::select(vec!["active", "inactive"]);
    let skills = prop::sample::select(vec![None, Some(r#"{"English":"100"}"#), Some(r#"{"Polish":5,"English":90}"#)]);
    (name, status, skills)
}

/// An office with these accounts; whether updates carry everything, absences count, and a blank cell clears.
pub(super) fn office(
    accounts: &BTreeMap<u32, (&str, &str, Option<&str>)>,
    (full, absent, clear): (bool, bool, bool),
    order: u64,
) -> Office {
    let mut schema = fake::schema();
    schema.full_updates = full;
    let office = Office::with_schema(schema)
        .policy(if absent { "absent = \"deactivate\"\nabsent_for = { runs = 1, days = 0 }" } else { "" })
        .source(&format!("blank = \"{}\"", if clear { "clear" } else { "ignore" }));
    office.target.shuffle(order);
    for (n, (name, status, skills)) in accounts {
        let id = office.account(&format!("P{n}"), name, status);
        if let Some(skills) = skills {
            office.target.meddle(&id, SKILLS, serde_json::from_str(skills).unwrap());
        }
    }
    office
}

/// The export that these people stand in.
pub(super) fn export(people: &BTreeMap<u32, Person>) -> String {
    let rows: Vec<String> = people
        .iter()
        .map(|(n, p)| format!("E{n},p{n},p{n}@x.org,{},Agent,{},{}", p.name, p.status, p.skills))
        .collect();
    csv(&rows.iter().map(String::as_str).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn applying_a_plan_reaches_what_was_desired_and_planning_again_finds_nothing(
        people in prop::collection::btree_map(0u32..12, person(), 1..10),
        accounts in prop::collection::btree_map(0u32..12, account(), 0..10),
        (full, fresh, clear, absent) in any::<(bool, bool, bool, bool)>(),
        order in 0u64..4,
    ) {
        let office = office(&accounts, (full, absent, clear), order);
        let (before, rows) = (office.target.accounts(), export(&people));
        let made = office.survey(&rows);
        apply(&office, &made, fresh);

        let after: BTreeMap<String, _> =
            office.target.accounts().into_iter().map(|(login, values)| (login.to_lowercase(), values)).collect();
        for (n, person) in &people {
            let left = person.status == "left";
            let Some(values) = after.get(&format!("p{n}")) else {
                prop_assert!(left && !accounts.contains_key(n));
                continue;
            };
            let text = |id| values.get(id).unwrap_or(&Value::Null).to_string();
            prop_assert_eq!(text(STATUS), if left { "inactive" } else { "active" });
            if !person.name.is_empty() {
                prop_assert!(crate::model::text::normal(&text(NAME), true) == person.name, "{}", text(NAME));
            } else if clear {
                prop_assert!(values.get(NAME).is_none_or(Value::is_blank));
            }
            let had = accounts.get(n).and_then(|(_, _, skills)| *skills).unwrap_or_default();
            if had.contains("Polish") && !(clear && person.skills.is_empty()) {
                prop_assert!(text(SKILLS).contains("\"Polish\":5"), "keys that nobody mapped are kept");
            }
        }
        for (n, (_, status, _)) in accounts.iter().filter(|(n, _)| !people.contains_key(n)) {
            let values = &after[&format!("p{n}")];
            let expected = if absent { "inactive" } else { status };
            prop_assert_eq!(values.get(STATUS), Some(&Value::text(expected)));
            prop_assert_eq!(values.get(NAME), before[&format!("P{n}")].get(NAME));
        }

        let again = office.survey(&rows);
        prop_assert_eq!(again.actions(), Vec::<String>::new());
        let drift = again.findings.iter().filter(|finding| finding.finding == FindingKind::Drift).count();
        prop_assert_eq!(drift, 0);
    }
}
