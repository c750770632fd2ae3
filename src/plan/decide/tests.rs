use super::*;
use crate::model::{AccountId, Attribute, Attributes, Kind, Lifecycle, Place};
use crate::plan::{Absent, AbsentFor};
use crate::reconcile::compare_desired;

fn schema(full_updates: bool) -> Schema {
    let status = Kind::Choice(vec!["active".into(), "inactive".into()]);
    let mut schema = Schema::new(vec![
        Attribute::new("login", Kind::Text).allows("CR").ignoring_case().required(),
        Attribute::new("name", Kind::Text),
        Attribute::new("title", Kind::Text),
        Attribute::new("status", status).allows("RU"),
        Attribute::new("custom", Kind::Json).allows("U"),
        Attribute::new("chats", Kind::Int).allows("R").live().warns_leavers("has open chats"),
    ]);
    let [active, inactive] = ["active", "inactive"].map(Value::text);
    schema.lifecycle = Some(Lifecycle { attribute: AttrId(3), active, inactive });
    schema.full_updates = full_updates;
    schema
}

struct World {
    schema: Schema,
    policy: Policy,
    rules: Vec<MatchRule>,
    always: AttrSet,
    on_create: AttrSet,
}

impl World {
    fn new() -> Self {
        let schema = schema(false);
        let rules = vec![MatchRule::new(&schema, vec![AttrId(0)])];
        let always = [0, 1, 3].map(AttrId).into_iter().collect();
        Self { schema, policy: Policy::default(), rules, always, on_create: AttrSet::default() }
    }

    fn ctx(&self) -> Context<'_> {
        Context {
            schema: &self.schema,
            policy: &self.policy,
            rules: &self.rules,
            always: self.always,
            on_create: self.on_create,
        }
    }

    fn newcomer(&self, cells: &[(u8, &str)]) -> Decision {
        decide_newcomer(&self.ctx(), &desired(cells), source(), &[])
    }

    fn known(&self, cells: &[(u8, &str)], account: &[(u8, &str)]) -> Decision {
        let (desired, account) = (desired(cells), self.account(account));
        let comparison = compare_desired(&self.schema, &desired, &account, |id| self.always.contains(id), |_, _| None);
        decide_known(&self.ctx(), &desired, source(), &account, "login", comparison)
    }

    fn absent(&self, account: &[(u8, &str)], runs: u32, days: u32, doubt: Option<&str>) -> Decision {
        let absence = AbsenceAge { runs, days, doubt: doubt.map(str::to_owned) };
        decide_absent(&self.ctx(), &self.account(account), &absence)
    }

    fn account(&self, cells: &[(u8, &str)]) -> Account {
        let values: Attributes = cells
            .iter()
            .map(|(id, text)| (AttrId(*id), text.parse().map_or_else(|_| Value::text(*text), Value::Int)))
            .collect();
        Account { id: AccountId("7".into()), protected: self.schema.protection(&values).map(str::to_owned), values }
    }
}

fn desired(cells: &[(u8, &str)]) -> Desired {
    let values = cells.iter().map(|(id, text)| (AttrId(*id), Wanted::Set(Value::text(*text)))).collect();
    Desired { identity: "E1".into(), place: Place { file: 0, line: 2 }, values }
}

fn source() -> SourceLine {
    SourceLine { file: "hr.csv".into(), line: 2 }
}

fn action(decision: &Decision) -> (ActionKind, Vec<&str>) {
    let action = decision.action.as_ref().expect("an action");
    (action.action, action.changes.iter().map(|change| change.attribute.as_str()).collect())
}

fn finding(decision: &Decision) -> (FindingKind, &str) {
    assert_eq!(decision.action, None);
    let finding = decision.finding.as_ref().expect("a finding");
    (finding.finding, &finding.reason)
}

#[test]
fn a_newcomer_is_created_without_what_is_so_anyway() {
    let decision = World::new().newcomer(&[(0, "ana"), (1, "Ana"), (3, "active")]);
    assert_eq!(action(&decision), (ActionKind::Create, vec!["login", "name"]));
    let action = decision.action.unwrap();
    assert_eq!((action.requests, action.key.as_str(), action.identity.as_deref()), (1, "ana", Some("E1")));
}

#[test]
fn a_leaver_without_an_account_is_skipped() {
    let decision = World::new().newcomer(&[(0, "ana"), (3, "inactive")]);
    assert_eq!(finding(&decision), (FindingKind::Skipped, "a leaver without an account"));
}

#[test]
fn an_inactive_newcomer_takes_a_create_and_an_update() {
    let mut world = World::new();
    world.policy.inactive_newcomers = InactiveNewcomers::Create;
    let decision = world.newcomer(&[(0, "ana"), (3, "inactive")]);
    assert_eq!(action(&decision), (ActionKind::Create, vec!["login", "status"]));
    assert_eq!(decision.action.unwrap().requests, 2);

    let mut world = World::new();
    world.always = [0, 1].map(AttrId).into_iter().collect();
    world.on_create = [3].map(AttrId).into_iter().collect();
    assert_eq!(action(&world.newcomer(&[(0, "ana"), (3, "inactive")])).1, ["login", "status"]);
}

#[test]
fn what_a_create_cannot_carry_is_counted_as_a_second_request() {
    let mut world = World::new();
    world.always.insert(AttrId(4));
    let decision = world.newcomer(&[(0, "ana"), (4, "x")]);
    assert_eq!(decision.action.unwrap().requests, 2);
}

#[test]
fn a_newcomer_without_a_key_or_a_required_value_is_invalid() {
    let world = World::new();
    assert_eq!(finding(&world.newcomer(&[(1, "Ana")])).0, FindingKind::Invalid);
    let decision = decide_newcomer(&world.ctx(), &desired(&[(0, "ana")]), source(), &[AttrId(1)]);
    assert_eq!(finding(&decision), (FindingKind::Invalid, "a new account needs a value for name"));
}

#[test]
fn policy_can_forbid_creates_and_updates() {
    let mut world = World::new();
    world.policy.create = false;
    world.policy.update = false;
    assert_eq!(finding(&world.newcomer(&[(0, "ana")])).0, FindingKind::Skipped);
    let account = [(0, "ana"), (1, "Anna"), (3, "active")];
    assert_eq!(finding(&world.known(&[(0, "ana"), (1, "Ana")], &account)).0, FindingKind::Skipped);
    // A leaver is not an update, but then nothing else of the account is.
    let left = world.known(&[(0, "ana"), (1, "Ana"), (3, "inactive")], &account);
    assert_eq!(action(&left), (ActionKind::Deactivate, vec!["status"]));
}

#[test]
fn leavers_and_returners_carry_their_other_changes_along() {
    let world = World::new();
    let left = world.known(&[(0, "ana"), (1, "Ana"), (3, "inactive")], &[(0, "ana"), (1, "Anna"), (3, "active")]);
    assert_eq!(action(&left), (ActionKind::Deactivate, vec!["name", "status"]));
    let back = world.known(&[(0, "ana"), (1, "Ana"), (3, "active")], &[(0, "ana"), (1, "Anna"), (3, "inactive")]);
    assert_eq!(action(&back), (ActionKind::Reactivate, vec!["name", "status"]));
}

#[test]
fn whoever_leaves_or_changes_is_told_apart_by_what_stays_as_it_is() {
    let mut world = World::new();
    world.on_create.insert(AttrId(2));
    world.always.insert(AttrId(5));
    world.policy.absent = Absent::Deactivate;
    let account = [(0, "ana"), (1, "Ana"), (2, "Agent"), (3, "active"), (5, "2")];
    let about = |decision: Decision| decision.action.unwrap().about.into_keys().collect::<Vec<_>>();
    let left = [(0, "ana"), (1, "Ana"), (3, "inactive")];
    assert_eq!(about(world.known(&left, &account)), ["name", "title"], "no key, no live counter, not what changes");
    assert_eq!(about(world.known(&[(0, "ana"), (1, "Anne")], &account)), ["status", "title"]);
    assert_eq!(about(world.absent(&account, 9, 9, None)), ["name", "title"]);
    world.schema = schema(true);
    assert_eq!(about(world.known(&left, &account)), [""; 0], "it is sent along");
}

#[test]
fn policy_can_leave_leavers_and_returners_alone() {
    let mut world = World::new();
    world.policy.leavers = Leavers::Report;
    world.policy.reactivate = false;
    let left = world.known(&[(0, "ana"), (3, "inactive")], &[(0, "ana"), (3, "active")]);
    assert_eq!(finding(&left).0, FindingKind::Skipped);
    let back = world.known(&[(0, "ana"), (3, "active")], &[(0, "ana"), (3, "inactive")]);
    assert_eq!(finding(&back).0, FindingKind::Skipped);
}

#[test]
fn a_leaver_with_open_chats_is_a_warning() {
    let world = World::new();
    let left = world.known(&[(0, "ana"), (3, "inactive")], &[(0, "ana"), (3, "active"), (5, "3")]);
    assert_eq!(left.action.unwrap().warnings, ["has open chats (3)"]);
    let left = world.known(&[(0, "ana"), (3, "inactive")], &[(0, "ana"), (3, "active"), (5, "0")]);
    assert!(left.action.unwrap().warnings.is_empty());
}

#[test]
fn drift_is_said_beside_an_update_and_alone() {
    let world = World::new();
    let both = world.known(&[(0, "anna"), (1, "Ana")], &[(0, "ana"), (1, "Anna"), (3, "active")]);
    assert_eq!(action(&both), (ActionKind::Update, vec!["name"]));
    let drift = both.finding.unwrap();
    assert_eq!((drift.finding, drift.changes[0].attribute.as_str()), (FindingKind::Drift, "login"));
    let alone = world.known(&[(0, "anna"), (1, "Ana")], &[(0, "ana"), (1, "Ana"), (3, "active")]);
    assert_eq!(finding(&alone).0, FindingKind::Drift);
}

#[test]
fn equal_is_no_decision_at_all() {
    let decision = World::new().known(&[(0, "ANA"), (1, "Ana")], &[(0, "ana"), (1, "Ana"), (3, "active")]);
    assert_eq!(decision, Decision::default());
}

#[test]
fn full_updates_carry_what_is_mapped_and_nothing_else() {
    let mut world = World::new();
    world.schema = schema(true);
    world.always.insert(AttrId(4));
    world.policy.absent = Absent::Deactivate;
    let account = [(0, "ana"), (1, "Ana"), (2, "Agent"), (3, "active")];
    let update = world.known(&[(0, "ana"), (1, "Anne"), (4, "x")], &account).action.unwrap();
    assert_eq!(update.changes.iter().map(|c| &*c.attribute).collect::<Vec<_>>(), ["name", "custom"]);
    assert_eq!(update.also.keys().collect::<Vec<_>>(), ["status"], "title is not mapped, login cannot be updated");
    world.on_create.insert(AttrId(2));
    let gone = world.absent(&account, 9, 9, None).action.unwrap();
    assert_eq!(gone.also.keys().collect::<Vec<_>>(), ["name", "title"]);
}

#[test]
fn an_absence_counts_only_after_both_graces_and_without_doubt() {
    let mut world = World::new();
    world.policy.absent = Absent::Deactivate;
    world.policy.absent_for = AbsentFor { runs: 3, days: 7 };
    let account = [(0, "ana"), (3, "active")];
    assert_eq!(
        finding(&world.absent(&account, 2, 9, None)),
        (FindingKind::Absent, "no row for 2 of 3 runs and 7 of 7 days")
    );
    assert_eq!(finding(&world.absent(&account, 3, 6, None)).0, FindingKind::Absent);
    assert_eq!(finding(&world.absent(&account, 9, 9, Some("the listing is incomplete"))).0, FindingKind::Absent);
    let gone = world.absent(&account, 3, 7, None);
    assert_eq!(action(&gone), (ActionKind::Deactivate, vec!["status"]));
    assert_eq!(gone.action.unwrap().requests, 2);
}

#[test]
fn an_absence_does_what_the_policy_says() {
    let mut world = World::new();
    let account = [(0, "ana"), (3, "active")];
    assert_eq!(finding(&world.absent(&account, 9, 9, None)).0, FindingKind::Absent);
    world.policy.absent = Absent::Ignore;
    assert_eq!(world.absent(&account, 9, 9, None), Decision::default());
    world.policy.absent = Absent::Delete;
    assert_eq!(action(&world.absent(&account, 9, 9, None)), (ActionKind::Delete, vec![]));
    world.policy.absent = Absent::Deactivate;
    assert_eq!(finding(&world.absent(&[(0, "ana"), (3, "inactive")], 9, 9, None)).0, FindingKind::Absent);
}

#[test]
fn an_update_says_whether_the_account_was_active_when_the_plan_saw_it() {
    let world = World::new();
    for (status, active) in [("active", Some(true)), ("inactive", Some(false))] {
        let decision = world.known(&[(0, "ana"), (1, "New"), (3, status)], &[(0, "ana"), (1, "Old"), (3, status)]);
        assert_eq!(decision.action.unwrap().active, active);
    }
    let unseen = world.known(&[(0, "ana"), (1, "New")], &[(0, "ana"), (1, "Old")]);
    assert_eq!(unseen.action.unwrap().active, None);
}
