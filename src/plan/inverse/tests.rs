use proptest::prelude::*;

use super::*;
use crate::model::{AttrSet, Attribute, Attributes, Kind, Lifecycle, MatchRule};
use crate::plan::{Policy, split_steps};

const LOGIN: AttrId = AttrId(0);
const NAME: AttrId = AttrId(1);
const TITLE: AttrId = AttrId(2);
const STATUS: AttrId = AttrId(3);
const SKILLS: AttrId = AttrId(4);
const CUSTOM: AttrId = AttrId(5);
/// What an update can change of what an account shows.
const RESTORABLE: [AttrId; 4] = [NAME, TITLE, STATUS, SKILLS];

fn schema() -> Schema {
    let mut schema = Schema::new(vec![
        Attribute::new("login", Kind::Text).allows("CR").ignoring_case(),
        Attribute::new("name", Kind::Text),
        Attribute::new("title", Kind::Text),
        Attribute::new("status", Kind::Choice(vec!["active".into(), "inactive".into()])).allows("RU"),
        Attribute::new("skills", Kind::Map(Box::new(Kind::Any))).merged(),
        Attribute::new("custom", Kind::Json).allows("U"),
        Attribute::new("password", Kind::Text).allows("C").secret(),
        Attribute::new("chats", Kind::Int).allows("R").live().warns_leavers("has open chats"),
    ]);
    let [active, inactive] = ["active", "inactive"].map(Value::text);
    schema.lifecycle = Some(Lifecycle { attribute: STATUS, active, inactive });
    schema
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn account(values: &[(AttrId, &str)]) -> Account {
    let values = values.iter().map(|(id, text)| (*id, json(text))).collect();
    Account { id: AccountId("7".into()), values, protected: None }
}

fn action_of(kind: ActionKind, changes: &[(&str, Option<&str>, &str)]) -> Action {
    let change = |(name, from, to): &(&str, Option<&str>, &str)| Change {
        attribute: (*name).to_owned(),
        from: from.map(json),
        to: json(to),
    };
    Action {
        seq: 1,
        identity: Some("E1".into()),
        account: (kind != ActionKind::Create).then(|| AccountId("7".into())),
        changes: changes.iter().map(change).collect(),
        held: false,
        ..Action::new(kind, "ana")
    }
}

fn take_back(schema: &Schema, action: &Action, past: PastOutcome, now: CurrentAccount<'_>) -> Decision {
    let (policy, rules) = (Policy::default(), vec![MatchRule::new(schema, vec![LOGIN])]);
    let always: AttrSet = [LOGIN, NAME, STATUS, SKILLS, CUSTOM].into_iter().collect();
    let on_create: AttrSet = [TITLE].into_iter().collect();
    let ctx = Context { schema, policy: &policy, rules: &rules, always, on_create };
    let id = AccountId("7".into());
    let undone = UndoneAction { run: "r-1", action, past, account: Some(&id) };
    decide_undone(&ctx, &ProtectPatterns::new(&policy.protect), &undone, now, |_, _| Some(true))
}

fn restored(action: &Action, account: &Account) -> Decision {
    take_back(&schema(), action, PastOutcome::Applied, CurrentAccount::There(account))
}

/// What was found, and why.
fn said(decision: &Decision) -> (Option<ActionKind>, Option<FindingKind>, String) {
    let finding = decision.finding.as_ref();
    let reason = finding.map(|finding| finding.reason.clone()).unwrap_or_default();
    (decision.action.as_ref().map(|action| action.action), finding.map(|finding| finding.finding), reason)
}

/// What a target does with an action on an account.
fn apply(schema: &Schema, action: &Action, account: &mut Account) {
    let steps = split_steps(schema, action).unwrap();
    for (id, value) in steps.first.iter().chain(steps.then.iter()) {
        account.values.set(id, value.clone());
    }
}

#[test]
fn what_was_opened_is_closed_and_what_was_closed_is_opened() {
    let closed = action_of(ActionKind::Deactivate, &[("status", Some("\"active\""), "\"inactive\"")]);
    let back = restored(&closed, &account(&[(STATUS, "\"inactive\"")])).action.unwrap();
    assert_eq!((back.action, &back.changes[0].to), (ActionKind::Reactivate, &Value::text("active")));
    assert_eq!(back.reason.as_deref(), Some("takes back the deactivate of the run r-1"));
    let opened = action_of(ActionKind::Reactivate, &[("status", Some("\"inactive\""), "\"active\"")]);
    let back = restored(&opened, &account(&[(STATUS, "\"active\""), (AttrId(7), "2")])).action.unwrap();
    assert_eq!(back.action, ActionKind::Deactivate);
    assert_eq!(back.warnings, ["has open chats (2)"]);
}

#[test]
fn an_account_that_did_not_say_that_it_was_in_use_is_opened_all_the_same() {
    let closed = action_of(ActionKind::Deactivate, &[("status", Some("null"), "\"inactive\"")]);
    let back = restored(&closed, &account(&[(STATUS, "\"inactive\"")])).action.unwrap();
    assert_eq!((back.action, &back.changes[0].to), (ActionKind::Reactivate, &Value::text("active")));
}

#[test]
fn an_account_that_the_run_made_is_closed_and_no_other() {
    let made = action_of(
        ActionKind::Create,
        &[
            ("login", None, "\"ana\""),
            ("name", None, "\"Ana\""),
            ("skills", None, r#"{"English":9}"#),
            ("password", None, "\"(generated)\""),
        ],
    );
    let there = [(LOGIN, "\"Ana\""), (NAME, "\"Ana\""), (STATUS, "\"active\""), (SKILLS, r#"{"English":9,"Own":1}"#)];
    let back = restored(&made, &account(&there)).action.unwrap();
    assert_eq!((back.action, back.changes.len()), (ActionKind::Deactivate, 1));
    assert_eq!(back.changes[0].from, Some(Value::text("active")));
    assert!(back.reason.unwrap().contains("the run r-1 created the account"));

    let mut other = there;
    other[1].1 = "\"Anna\"";
    let (action, finding, reason) = said(&restored(&made, &account(&other)));
    assert_eq!((action, finding), (None, Some(FindingKind::Skipped)));
    assert_eq!(reason, "changed since the run: name was left as Ana and is Anna");
    other[1].1 = "\"Ana\"";
    other[2].1 = "\"inactive\"";
    assert!(said(&restored(&made, &account(&other))).2.contains("inactive already"));
    let (action, finding, reason) = said(&take_back(&schema(), &made, PastOutcome::Adopted, CurrentAccount::Gone));
    assert_eq!((action, finding), (None, Some(FindingKind::Skipped)));
    assert!(reason.contains("existed before the run"), "{reason}");
}

#[test]
fn of_an_account_that_was_made_by_half_only_that_half_is_asked_for() {
    let made = action_of(ActionKind::Create, &[("name", None, "\"Ana\""), ("status", None, "\"inactive\"")]);
    let now = account(&[(NAME, "\"Ana\""), (STATUS, "\"active\"")]);
    let half = take_back(&schema(), &made, PastOutcome::AppliedInPart, CurrentAccount::There(&now));
    assert_eq!(half.action.unwrap().action, ActionKind::Deactivate);
    let (action, _, reason) = said(&restored(&made, &now));
    assert_eq!((action, reason.contains("status was left as inactive")), (None, true), "{reason}");
}

#[test]
fn what_cannot_be_taken_back_is_said_and_the_rest_is() {
    let changed = action_of(
        ActionKind::Update,
        &[
            ("login", Some("\"a\""), "\"b\""),
            ("name", Some("\"A\""), "\"B\""),
            ("custom", None, r#"{"x":1}"#),
            ("gone", Some("1"), "2"),
        ],
    );
    let decision = restored(&changed, &account(&[(LOGIN, "\"b\""), (NAME, "\"B\"")]));
    let action = decision.action.clone().unwrap();
    assert_eq!(action.changes, [Change { attribute: "name".into(), from: Some(json("\"B\"")), to: json("\"A\"") }]);
    let (_, finding, reason) = said(&decision);
    assert_eq!(finding, Some(FindingKind::Drift));
    for piece in ["never shows custom", "cannot change login", "has no gone"] {
        assert!(reason.contains(piece), "{reason}");
    }
    let names: Vec<_> = decision.finding.unwrap().changes.into_iter().map(|change| change.attribute).collect();
    assert_eq!(names, ["custom", "login", "gone"]);

    let deleted = action_of(ActionKind::Delete, &[]);
    let (action, finding, reason) = said(&take_back(&schema(), &deleted, PastOutcome::Applied, CurrentAccount::Gone));
    assert_eq!((action, finding), (None, Some(FindingKind::Drift)));
    assert!(reason.contains("deletion"), "{reason}");
}

#[test]
fn who_is_gone_unreadable_or_of_unknown_outcome_is_left_alone() {
    let changed = action_of(ActionKind::Update, &[("name", Some("\"A\""), "\"B\"")]);
    let of = |past, now| {
        let (action, finding, reason) = said(&take_back(&schema(), &changed, past, now));
        assert_eq!((action, finding), (None, Some(FindingKind::Skipped)));
        reason
    };
    assert!(of(PastOutcome::Applied, CurrentAccount::Gone).contains("the account is gone"));
    assert!(of(PastOutcome::Applied, CurrentAccount::Unreadable("code 500")).contains("code 500"));
    assert!(of(PastOutcome::Unknown, CurrentAccount::There(&account(&[(NAME, "\"B\"")]))).contains("is unknown"));
    assert_eq!(take_back(&schema(), &changed, PastOutcome::Nothing, CurrentAccount::Gone), Decision::default());
}

#[test]
fn an_account_that_is_as_before_needs_nothing_and_one_that_is_half_so_changed() {
    let changed = action_of(ActionKind::Update, &[("name", Some("\"A\""), "\"B\""), ("title", Some("null"), "\"T\"")]);
    assert_eq!(restored(&changed, &account(&[(NAME, "\"A\"")])), Decision::default());
    let (action, finding, reason) = said(&restored(&changed, &account(&[(NAME, "\"B\"")])));
    assert_eq!((action, finding), (None, Some(FindingKind::Skipped)));
    assert_eq!(reason, "changed since the run: title was left as T and is empty");
}

#[test]
fn a_key_that_the_run_added_is_told_of_before_it_goes() {
    let changed = action_of(ActionKind::Update, &[("skills", Some(r#"{"a":1}"#), r#"{"a":2,"b":1}"#)]);
    let back = restored(&changed, &account(&[(SKILLS, r#"{"a":2,"b":1}"#)])).action.unwrap();
    assert_eq!(back.changes[0].to, json(r#"{"a":1}"#));
    assert_eq!(back.warnings, ["b of skills is removed, unless the API keeps it"]);
    // A key that somebody added since is no business of the rollback.
    assert!(restored(&changed, &account(&[(SKILLS, r#"{"a":2,"b":1,"c":3}"#)])).action.is_none());
}

#[test]
fn full_updates_send_along_what_is_there_and_what_the_run_wrote_unseen() {
    let mut schema = schema();
    schema.full_updates = true;
    let mut changed = action_of(ActionKind::Update, &[("name", Some("\"A\""), "\"B\"")]);
    changed.also.insert("custom".into(), json(r#"{"x":1}"#));
    let now = account(&[(LOGIN, "\"a\""), (NAME, "\"B\""), (TITLE, "\"T\""), (STATUS, "\"active\"")]);
    let back = take_back(&schema, &changed, PastOutcome::Applied, CurrentAccount::There(&now)).action.unwrap();
    let also: Vec<_> = back.also.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(also, [r#"custom={"x":1}"#, "status=active", "title=T"]);
}

/// An account, and what a run makes of some of it.
fn changes() -> impl Strategy<Value = (Account, Vec<(AttrId, Value)>, bool)> {
    let name = || prop::sample::select(vec!["null", "\"Ana\"", "\"Zo\u{eb}\"", "\"\""]).prop_map(json);
    let status = || prop::sample::select(vec!["\"active\"", "\"inactive\""]).prop_map(json);
    let skills = || prop::sample::select(vec!["null", "{}", r#"{"a":1}"#, r#"{"a":"2","b":[1]}"#]).prop_map(json);
    let values = || (name(), name(), status(), skills()).prop_map(|(a, b, c, d)| [a, b, c, d]);
    (values(), values(), any::<[bool; 5]>(), any::<bool>()).prop_map(|(before, after, chosen, full)| {
        let account = Account {
            id: AccountId("7".into()),
            values: RESTORABLE.into_iter().zip(before).collect::<Attributes>(),
            protected: None,
        };
        let mut wanted: Vec<_> =
            RESTORABLE.into_iter().zip(after).zip(chosen).filter(|(_, is)| *is).map(|(pair, _)| pair).collect();
        if chosen[4] {
            wanted.push((CUSTOM, json(r#"{"x":1}"#)));
        }
        (account, wanted, full)
    })
}

/// The action by which a run does that; none where nothing differs.
fn run_of(schema: &Schema, account: &Account, wanted: &[(AttrId, Value)]) -> Option<Action> {
    let empty = Value::Null;
    let now = |id: AttrId| account.values.get(id).unwrap_or(&empty);
    let differs = |(id, to): &&(AttrId, Value)| *id == CUSTOM || !normal::same(schema.get(*id), now(*id), to);
    let differences: Vec<Difference> = wanted
        .iter()
        .filter(differs)
        .map(|(id, to)| Difference { attribute: *id, from: (*id != CUSTOM).then(|| now(*id).clone()), to: to.clone() })
        .collect();
    let kind = match status_change(schema, &differences) {
        Some(true) => ActionKind::Reactivate,
        Some(false) => ActionKind::Deactivate,
        None => ActionKind::Update,
    };
    (!differences.is_empty()).then(|| Action { changes: as_changes(schema, differences), ..action_of(kind, &[]) })
}

fn equal(schema: &Schema, a: &Account, b: &Account) -> bool {
    let value = |account: &Account, id| account.values.get(id).cloned().unwrap_or(Value::Null);
    RESTORABLE.into_iter().all(|id| normal::same(schema.get(id), &value(a, id), &value(b, id)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_run_that_is_taken_back_leaves_everything_restorable_as_it_was((before, wanted, full) in changes()) {
        let mut schema = schema();
        schema.full_updates = full;
        let Some(action) = run_of(&schema, &before, &wanted) else { return Ok(()) };
        let mut now = before.clone();
        apply(&schema, &action, &mut now);
        let decision = take_back(&schema, &action, PastOutcome::Applied, CurrentAccount::There(&now));
        let wrote_unseen = action.changes.iter().any(|change| change.attribute == "custom");
        prop_assert_eq!(decision.finding.as_ref().map(|f| f.finding), wrote_unseen.then_some(FindingKind::Drift));
        let Some(back) = decision.action else {
            prop_assert!(wrote_unseen && action.changes.len() == 1);
            return Ok(());
        };
        let left = now.clone();
        apply(&schema, &back, &mut now);
        prop_assert!(equal(&schema, &now, &before), "{:?} instead of {:?}", now, before);

        // Taking back what took back leads to where the run had left it, and a second time there is nothing left.
        let again = take_back(&schema, &action, PastOutcome::Applied, CurrentAccount::There(&now));
        prop_assert!(again.action.is_none());
        let forth = take_back(&schema, &back, PastOutcome::Applied, CurrentAccount::There(&now)).action.unwrap();
        apply(&schema, &forth, &mut now);
        prop_assert!(equal(&schema, &now, &left), "{:?} instead of {:?}", now, left);
    }

    #[test]
    fn what_somebody_else_changed_since_is_never_overwritten(
        (before, wanted, full) in changes(), at in 0..RESTORABLE.len(), by in 0..3_usize,
    ) {
        let mut schema = schema();
        schema.full_updates = full;
        let Some(action) = run_of(&schema, &before, &wanted) else { return Ok(()) };
        let mut now = before.clone();
        apply(&schema, &action, &mut now);
        let id = RESTORABLE[at];
        let theirs = match id {
            STATUS => json(["\"active\"", "\"inactive\"", "\"active\""][by]),
            SKILLS => json([r#"{"a":1,"z":0}"#, r#"{"a":1}"#, "null"][by]),
            _ => json(["\"Else\"", "\"Ana\"", "null"][by]),
        };
        now.values.set(id, theirs.clone());
        let decision = take_back(&schema, &action, PastOutcome::Applied, CurrentAccount::There(&now));
        if let Some(back) = decision.action {
            let mut after = now.clone();
            apply(&schema, &back, &mut after);
            let wrote = action.changes.iter().find(|change| change.attribute == schema.name(id));
            let is_theirs = wrote.is_none_or(|change| !normal::same(schema.get(id), &change.to, &theirs));
            if is_theirs {
                prop_assert!(normal::same(schema.get(id), after.values.get(id).unwrap(), &theirs));
            }
        }
    }
}
