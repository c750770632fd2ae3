//! Accounts that somebody else touched between plan and execution.

use std::sync::Arc;
use std::time::Duration;

use headcount::clock::Clock;
use headcount::execute::{ExecutionInputs, Mode, Secrets, Selection, execute_run};
use headcount::journal::{Event, Journal, RunHead, RunId, Step};
use headcount::model::monitor::Silent;
use headcount::model::{AccountId, AttrId, Attributes, MatchRule, Secret, Value};
use headcount::plan::file::{PlanHeader, PlanWriter};
use headcount::plan::{Action, ActionKind, Change, SourceLine};

use super::subject::Subject;
use super::support::{Setting, setting};

/// One is changed, one made inactive, one removed where the system can; the fourth is as the plan saw it.
pub async fn whom_somebody_else_touched_is_left_alone_and_the_others_go_on(subject: &'static dyn Subject) {
    let setting = setting(subject, 6, "").await;
    let lifecycle = setting.target.schema().lifecycle.clone().unwrap();
    let inactive: Attributes = [(lifecycle.attribute, lifecycle.inactive.clone())].into_iter().collect();
    let changed = update(&setting, 1).await;
    let left = change(&setting, 2, ActionKind::Deactivate, lifecycle.attribute, lifecycle.inactive).await;
    let removed = update(&setting, 3).await;
    let untouched = update(&setting, 4).await;
    let actions = [&changed, &removed, &untouched, &left].map(|(action, _)| action.clone());

    // Somebody else is at work.
    setting.target.update(&changed.1, &wanted(&setting, &changed.0)).await.unwrap();
    setting.target.update(&left.1, &inactive).await.unwrap();
    let can_delete = setting.target.schema().can_delete;
    if can_delete {
        setting.target.delete(&removed.1).await.unwrap();
    }
    let before = setting.tenant.ledger().effects.len();

    let remarks = run(&setting, &actions).await;
    let same = Some("changed since the plan: somebody else made the same change");
    assert_eq!((remarks[0].as_deref(), remarks[3].as_deref()), (same, same));
    assert_eq!(remarks[1].as_deref(), can_delete.then_some("the account vanished since the plan"));
    assert_eq!(remarks[2], None);
    let ours = setting.tenant.ledger().effects.split_off(before);
    let mut touched: Vec<String> = ours.into_iter().map(|effect| effect.login_id).collect();
    let mut expected: Vec<String> = [3, 4].map(|n| subject.login(n).1).to_vec();
    expected.drain(..usize::from(can_delete));
    touched.sort();
    assert_eq!(touched, expected);
}

/// The planned update of the n-th account.
async fn update(setting: &Setting, n: u64) -> (Action, AccountId) {
    let update = setting.subject.updates().remove(0);
    change(setting, n, ActionKind::Update, setting.id(update.attribute), update.value).await
}

async fn change(setting: &Setting, n: u64, kind: ActionKind, attribute: AttrId, to: Value) -> (Action, AccountId) {
    let id = setting.account(n).await;
    let account = setting.target.get(&id).await.unwrap().unwrap();
    let from = account.values.get(attribute).cloned().unwrap_or(Value::Null);
    let to = match (&from, to) {
        (Value::Object(there), Value::Object(added)) => Value::Object(there.clone().into_iter().chain(added).collect()),
        (_, to) => to,
    };
    let (name, login) = setting.subject.login(n);
    let action = Action {
        account: Some(id.clone()),
        matched: Some(name.to_owned()),
        source: Some(SourceLine { file: "hr.csv".into(), line: 2 }),
        changes: vec![Change { attribute: setting.target.schema().name(attribute).to_owned(), from: Some(from), to }],
        held: false,
        ..Action::new(kind, login)
    };
    (action, id)
}

fn wanted(setting: &Setting, action: &Action) -> Attributes {
    action.changes.iter().map(|change| (setting.id(&change.attribute), change.to.clone())).collect()
}

/// Nobody has a secret here.
struct Nobody;

impl Secrets for Nobody {
    fn find_secret(&self, action: &Action, _attribute: AttrId) -> Result<Secret, String> {
        Err(format!("{} has no secret", action.key))
    }
}

/// Executes a plan whose listing is old; gives for each action why it was left alone.
async fn run(setting: &Setting, actions: &[Action]) -> Vec<Option<String>> {
    let dir = tempfile::tempdir().unwrap();
    let plan = dir.path().join("plan.jsonl");
    let header = PlanHeader::new("p", setting.clock.now(), "t", &setting.target.describe());
    let mut writer = PlanWriter::new(std::fs::File::create(&plan).unwrap(), &header).unwrap();
    for action in actions {
        writer.write_action(action.clone()).unwrap();
    }
    writer.seal_plan().unwrap();
    let (journal, at) = (Journal::in_memory(), setting.clock.now());
    let run = RunId::new(at, 1);
    let head = Box::new(RunHead { actions: actions.len() as u64, ..RunHead::default() });
    journal.append(Event::RunStarted { run, at, head }).await.unwrap();
    let rules = [MatchRule::new(setting.target.schema(), vec![setting.login()])];
    let executed = execute_run(&ExecutionInputs {
        run,
        plan: &plan,
        target: &*setting.target,
        rules: &rules,
        journal: &journal,
        memory: &journal.memory("t"),
        secrets: &Nobody,
        clock: &*setting.clock,
        monitor: &Silent,
        stop: &Arc::default(),
        released: &[],
        selection: &Selection::default(),
        fresh_until: None,
        concurrency: 2,
        timeout: Duration::from_secs(20),
        mode: Mode::Everything,
    })
    .await
    .unwrap();
    assert_eq!((executed.failed, executed.unknown, executed.pending), (0, 0, 0), "{executed:?}");
    let state = journal.run(run).unwrap().unwrap();
    let remark = |seq| state.remark_of(seq, Step::First).map(|remark| remark.message.clone());
    (1..=actions.len() as u64).map(remark).collect()
}
