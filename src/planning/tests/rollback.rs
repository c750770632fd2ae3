//! Runs that are taken back: who is, who is not, and how the accounts are read for it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::applied::{account, apply, export, office, person};
use super::*;
use crate::connectors::fake::{CUSTOM, Fault, Op, TITLE};
use crate::journal::{Ending, Event, Outcome, RunHead, RunState, Step};
use crate::model::{Attributes, normal};
use crate::plan::sidecar::LinesWriter;

/// The plan that takes a run back, whose own plan is this one.
fn try_back(office: &Office, run: &RunState, made: &Made, dir: &str) -> Result<Made, PlanningError> {
    let dir = office.dir.path().join(dir);
    std::fs::create_dir_all(&dir).unwrap();
    let settings = office.settings();
    let rules = fake::rules(office.target.schema());
    let memory = office.memory();
    let inputs = RollbackInputs {
        settings: &settings,
        schema: office.target.schema(),
        rules: &rules,
        memory: &memory,
        clock: &*office.clock,
        monitor: &Silent,
        name: "fake".into(),
        target: &office.target,
        dir: &dir,
        run,
        plan: &made.surveyed.files.plan,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let surveyed = runtime.block_on(plan_rollback(&inputs))?;
    assert!(!surveyed.files.notes.exists(), "a rollback learns nothing of who is who and who is there");
    LinesWriter::new(std::fs::File::create(&surveyed.files.notes).unwrap()).seal_file().unwrap();
    Ok(read(surveyed))
}

/// The same, of the run that executed the plan.
fn back(office: &Office, made: &Made, dir: &str) -> Made {
    let run = office.journal.run(made.surveyed.id).unwrap().unwrap();
    try_back(office, &run, made, dir).unwrap()
}

/// A run of a plan to whose actions this happened, each at its first step, and that ended so.
fn run_with(office: &Office, made: &Made, outcomes: Vec<Option<Outcome>>, outcome: Ending) -> RunState {
    let (run, at) = (made.surveyed.id, office.clock.now());
    let append = |event| office.journal.append_blocking(event).unwrap();
    let head = Box::new(RunHead { actions: made.actions.len() as u64, ..RunHead::default() });
    append(Event::RunStarted { run, at, head });
    for (seq, result) in (1..).zip(outcomes) {
        if let Some(result) = result {
            if !matches!(result, Outcome::Skipped { .. }) {
                append(Event::Intent { run, at, seq, step: Step::First, attempt: 1 });
            }
            append(Event::Outcome { run, at, seq, step: Step::First, result });
        }
    }
    append(Event::RunEnded { run, at, outcome });
    office.journal.run(run).unwrap().unwrap()
}

/// People with an account of that title, whose rows say another.
fn updates(office: &Office, count: usize) -> (Vec<AccountId>, Made) {
    let logins: Vec<String> = (0..count).map(|n| format!("p{n:02}")).collect();
    let ids = logins.iter().map(|login| office.account(login, "Before", "active")).collect();
    let rows: Vec<String> = logins.iter().map(|login| format!("E{login},{login},{login}@x.org,After,,,")).collect();
    (ids, office.survey(&csv(&rows.iter().map(String::as_str).collect::<Vec<_>>())))
}

#[test]
fn what_came_of_each_action_decides_what_is_taken_back() {
    let office = Office::new();
    let (ids, _) = updates(&office, 6);
    let rows: Vec<String> = (0..6)
        .map(|n| format!("Ep{n:02},p{n:02},p{n:02}@x.org,After,,,"))
        .chain(["E8,a1,a1@x.org,A,,,".into(), "E9,a2,a2@x.org,B,,,".into()])
        .collect();
    let made = office.survey(&csv(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(made.actions.len(), 8);
    let adopted = office.account("a1", "A", "active");
    let created = office.account("a2", "B", "active");
    let failed = |message: &str| Outcome::Failed { message: message.into(), code: None, trxid: None };
    let outcomes = vec![
        Some(Outcome::Adopted { account: adopted }),
        Some(Outcome::Applied { account: Some(created.clone()) }),
        Some(Outcome::Applied { account: None }),
        Some(failed("refused")),
        Some(Outcome::NeverLearnt),
        Some(Outcome::Unknown { message: "timed out".into() }),
        Some(Outcome::Skipped { message: "changed since the plan".into() }),
        None,
    ];
    office.target.meddle(&ids[0], NAME, Value::text("After"));
    let run = run_with(&office, &made, outcomes, Ending::Superseded);
    let back = try_back(&office, &run, &made, "back").unwrap();
    assert_eq!(back.actions(), ["update p00: name", "deactivate a2: status"]);
    assert_eq!(back.actions[1].account, Some(created));
    assert!(back.actions.iter().all(|action| action.source.is_none() && action.requests == 2));
    let told: Vec<_> = back.findings.iter().map(|finding| (finding.key.as_str(), finding.finding)).collect();
    let skipped = |key| (key, FindingKind::Skipped);
    assert_eq!(told, [skipped("a1"), skipped("p02"), skipped("p03")]);
    assert_eq!(back.unchanged(), 0);
    let header = &back.surveyed.header;
    assert_eq!(header.rollback_of, Some(run.run().to_string()));
    assert_eq!(header.source.files[0].path, format!("run {}", run.run()));
}

#[test]
fn few_accounts_are_asked_for_by_id_and_many_are_listed() {
    for (count, touched) in [(6, 1), (40, 40)] {
        let office = Office::new();
        let (_, made) = updates(&office, count);
        let mut outcomes = vec![Some(Outcome::Applied { account: None }); touched];
        outcomes.resize(count, None);
        let run = run_with(&office, &made, outcomes, Ending::Superseded);
        for id in office.target.shown().into_iter().map(|account| account.id).take(touched) {
            office.target.meddle(&id, NAME, Value::text("After"));
        }
        let (lists, gets) = (office.target.count(Op::List), office.target.count(Op::Get));
        let back = try_back(&office, &run, &made, "back").unwrap();
        assert_eq!(back.actions.len(), touched);
        let (listed, got) = (office.target.count(Op::List) - lists, office.target.count(Op::Get) - gets);
        assert_eq!((listed > 0, got), if touched == 1 { (false, 1) } else { (true, 0) });
        assert_eq!(back.surveyed.header.requests.list, (listed + got) as u64);
        assert_eq!(back.surveyed.header.listing.in_scope, count as u64);
    }
}

#[test]
fn what_a_listing_does_not_show_as_the_run_left_it_is_asked_for_by_id() {
    let office = Office::new();
    let (ids, made) = updates(&office, 40);
    let run = run_with(&office, &made, vec![Some(Outcome::Applied { account: None }); 40], Ending::Complete);
    for id in &ids {
        office.target.meddle(id, NAME, Value::text("After"));
    }
    office.target.meddle(&ids[3], NAME, Value::text("Else"));
    office.target.remove(&ids[5]);
    office.target.incomplete("it shifted");
    let gets = office.target.count(Op::Get);
    let back = try_back(&office, &run, &made, "back").unwrap();
    assert_eq!(office.target.count(Op::Get) - gets, 2);
    assert_eq!(back.actions.len(), 38);
    assert_eq!(
        back.findings(),
        [
            "skipped p03: changed since the run: name was left as After and is Else",
            "skipped p05: changed since the run: the account is gone"
        ]
    );
}

#[test]
fn one_account_that_cannot_be_read_stops_nobody_and_a_target_that_is_down_stops_all() {
    let office = Office::new();
    let (ids, made) = updates(&office, 18);
    let mut outcomes = vec![Some(Outcome::Applied { account: None }); 5];
    outcomes.resize(18, None);
    let run = run_with(&office, &made, outcomes, Ending::Superseded);
    for id in &ids {
        office.target.meddle(id, NAME, Value::text("After"));
    }
    office.target.fault(Op::Get, ids[0].as_str(), Fault::Refused);
    office.target.fault(Op::Get, ids[1].as_str(), Fault::Garbled);
    let back = try_back(&office, &run, &made, "back").unwrap();
    assert_eq!(back.actions(), ["update p02: name", "update p03: name", "update p04: name"]);
    for (key, told) in ["p00", "p01"].iter().zip(back.findings()) {
        assert!(told.starts_with(&format!("skipped {key}: its present state could not be read")), "{told}");
    }
    for fault in [Fault::Configuration, Fault::Quota, Fault::Unavailable] {
        office.target.chaos(move |op| (op == Op::Get).then_some(fault));
        let error = try_back(&office, &run, &made, "again").unwrap_err();
        assert!(matches!(error, PlanningError::Target(_)), "{error}");
    }
}

#[test]
fn who_is_protected_by_now_is_left_alone_whatever_the_name() {
    for pattern in ["p00", "Ep00", "p00@x.org"] {
        let office = Office::new();
        let (ids, made) = updates(&office, 2);
        let run = run_with(&office, &made, vec![Some(Outcome::Applied { account: None }); 2], Ending::Complete);
        for id in &ids {
            office.target.meddle(id, NAME, Value::text("After"));
        }
        office.target.meddle(&ids[1], fake::ROLE, Value::text("Administrative"));
        let office = office.policy(&format!("protect = [\"{pattern}\"]"));
        let back = try_back(&office, &run, &made, "back").unwrap();
        assert_eq!(back.actions(), Vec::<String>::new());
        let kinds: Vec<_> = back.findings.iter().map(|finding| finding.finding).collect();
        assert_eq!(kinds, [FindingKind::Protected; 2], "{pattern}");
    }
}

#[test]
fn more_than_a_limit_allows_is_held_whatever_no_source_says() {
    let office = Office::new().safety("max_create = 1000\nmax_update = 3\nmin_rows = 50\nmax_row_drop = 0");
    let (ids, made) = updates(&office, 4);
    let run = run_with(&office, &made, vec![Some(Outcome::Applied { account: None }); 4], Ending::Complete);
    for id in &ids {
        office.target.meddle(id, NAME, Value::text("After"));
    }
    let back = try_back(&office, &run, &made, "back").unwrap();
    let header = &back.surveyed.header;
    assert!(header.stopped.is_empty(), "{:?}", header.stopped);
    assert_eq!(header.held.keys().copied().collect::<Vec<_>>(), [ActionGroup::Update]);
    assert!(back.actions.iter().all(|action| action.held));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_run_that_is_applied_and_taken_back_leaves_the_accounts_as_they_were(
        people in prop::collection::btree_map(0u32..12, person(), 1..10),
        accounts in prop::collection::btree_map(0u32..12, account(), 0..10),
        (full, fresh, clear, absent) in any::<(bool, bool, bool, bool)>(),
        order in 0u64..4,
    ) {
        let office = office(&accounts, (full, absent, clear), order);
        for account in office.target.shown() {
            office.target.meddle(&account.id, TITLE, Value::text("Agent"));
            office.target.meddle(&account.id, CUSTOM, Value::text("theirs"));
        }
        let (before, rows) = (office.target.accounts(), export(&people));
        let made = office.survey(&rows);
        apply(&office, &made, fresh);
        let between = office.target.accounts();

        let first = back(&office, &made, "back");
        prop_assert_eq!(first.findings(), Vec::<String>::new());
        prop_assert_eq!(first.actions.len() as u64 + first.unchanged(), made.actions.len() as u64);
        apply(&office, &first, false);
        let after = office.target.accounts();
        for (login, values) in &after {
            match before.get(login) {
                Some(before) => prop_assert!(same(&office, before, values), "{}: {:?}, {:?}", login, before, values),
                None => prop_assert_eq!(values.get(STATUS), Some(&Value::text("inactive"))),
            }
        }

        let second = back(&office, &first, "forth");
        apply(&office, &second, false);
        let again: BTreeMap<_, _> = office.target.accounts();
        for (login, values) in &between {
            prop_assert!(same(&office, values, &again[login]), "{}: {:?}, {:?}", login, values, again[login]);
        }
    }
}

/// Whether two states of an account are the same, what the API hides included.
fn same(office: &Office, a: &Attributes, b: &Attributes) -> bool {
    let schema = office.target.schema();
    let value = |of: &Attributes, id| of.get(id).cloned().unwrap_or(Value::Null);
    schema.iter().all(|(id, attribute)| normal::same(attribute, &value(a, id), &value(b, id)))
}
