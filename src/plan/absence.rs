//! Accounts without a row. An absence proves nothing by itself: not while the listing is incomplete, not while the source
//! looks broken or unlike the last good one, and not while a row that cannot be used may be the one that is missing.

use super::action::ActionCounts;
use super::decide::{AbsenceAge, Context, Decision, account_finding, decide_absent};
use super::file::ListingDigest;
use super::protect::ProtectPatterns;
use super::safety::{Measure, judge_plan};
use super::unusable::UnusableRows;
use super::{Absent, FindingKind, Safety, SourceLine};
use crate::model::{Account, Place};

/// How the source of a plan ended, and what is known of the last good one.
#[derive(Clone, Copy, Debug)]
pub struct SourceCondition<'a> {
    pub columns: &'a [String],
    /// Some file ends within a row.
    pub ends_within_row: bool,
    /// The last row of some file has no line break at its end.
    pub is_unterminated: bool,
    pub last_columns: Option<&'a [String]>,
    /// Whether every file of the last good source ended with a line break, where anybody looked.
    pub was_terminated: Option<bool>,
}

impl SourceCondition<'_> {
    /// What is to be said of a source whose last row is not ended, unless that is its habit.
    #[must_use]
    pub fn find_oddity(&self) -> Option<String> {
        (self.is_unterminated && self.was_terminated != Some(false)).then(|| {
            "the last row of the source has no line break at its end: if the file was cut short there, the row is not whole"
                .to_owned()
        })
    }

    /// Why nobody who is missing in it can be called absent, where that is so.
    fn find_doubt(&self) -> Option<&'static str> {
        if self.ends_within_row {
            return Some("the source ends within a row: it may have been cut short");
        }
        if self.last_columns.is_some_and(|last| last != self.columns) {
            return Some("the source has other columns than in the last good run");
        }
        (self.is_unterminated && self.was_terminated == Some(true))
            .then_some("the source ends without a line break, unlike in the last good run")
    }
}

/// What decides about every account without a row.
pub struct AbsenceRule<'a> {
    ctx: Context<'a>,
    protect: &'a ProtectPatterns,
    unusable: &'a UnusableRows,
    source_of: &'a dyn Fn(Place) -> SourceLine,
    /// Why no absence proves anything now, where that is so.
    doubt: Option<String>,
}

/// What is made of an account without a row.
#[derive(Clone, Debug, PartialEq)]
pub struct AbsenceDecision {
    pub decision: Decision,
    /// It is to be remembered that the account has no row: that is certain.
    pub is_certain: bool,
}

impl<'a> AbsenceRule<'a> {
    /// The rule of one plan; none where accounts without a row are nobody's business (`policy.absent`).
    #[must_use]
    pub fn new(
        ctx: Context<'a>,
        protect: &'a ProtectPatterns,
        unusable: &'a UnusableRows,
        source_of: &'a dyn Fn(Place) -> SourceLine,
        (listing, shape): (&ListingDigest, &SourceCondition<'_>),
        (safety, measure): (&Safety, &Measure),
    ) -> Option<Self> {
        if ctx.policy.absent == Absent::Ignore {
            return None;
        }
        let doubt = if listing.complete {
            // Without any action the rules speak of the source alone.
            let stopped = || judge_plan(safety, measure, &ActionCounts::default()).stopped.into_iter().next();
            let shape = shape.find_doubt().map(str::to_owned);
            shape.or_else(stopped).or_else(|| unusable.doubt_everybody(source_of))
        } else {
            let why = if listing.notes.is_empty() { String::new() } else { format!(" ({})", listing.notes.join("; ")) };
            Some(format!("the listing is not complete{why}"))
        };
        Some(Self { ctx, protect, unusable, source_of, doubt })
    }

    /// Decides about an account that had no row in so many runs before this one, the first of them so many days ago.
    #[must_use]
    pub fn decide_account(&self, account: &Account, runs_before: u32, days: u32) -> AbsenceDecision {
        if let Some(reason) = self.protect.why_untouched(self.ctx.rules, account) {
            let finding = Some(account_finding(&self.ctx, FindingKind::Protected, account, reason));
            return AbsenceDecision { decision: Decision { action: None, finding }, is_certain: false };
        }
        let doubt = self.doubt.clone().or_else(|| {
            let place = self.unusable.row_of(&self.ctx, account)?;
            Some(format!("the row {} cannot be used", (self.source_of)(place)))
        });
        let is_certain = doubt.is_none();
        let absence = AbsenceAge { runs: runs_before.saturating_add(1), days, doubt };
        AbsenceDecision { decision: decide_absent(&self.ctx, account, &absence), is_certain }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, AttrId, AttrSet, Attribute, Kind, Lifecycle, MatchRule, Schema, Value};
    use crate::plan::unusable::RowTraces;
    use crate::plan::{AbsentFor, ActionKind, Policy};

    struct World {
        schema: Schema,
        policy: Policy,
        rules: Vec<MatchRule>,
        unusable: UnusableRows,
        listing: ListingDigest,
        measure: Measure,
    }

    impl World {
        fn new() -> Self {
            let mut schema =
                Schema::new(vec![Attribute::new("login", Kind::Text), Attribute::new("status", Kind::Text)]);
            let [active, inactive] = ["active", "inactive"].map(Value::text);
            schema.lifecycle = Some(Lifecycle { attribute: AttrId(1), active, inactive });
            let absent_for = AbsentFor { runs: 1, days: 0 };
            Self {
                rules: vec![MatchRule::new(&schema, vec![AttrId(0)])],
                schema,
                policy: Policy { absent: Absent::Deactivate, absent_for, ..Policy::default() },
                unusable: UnusableRows::new(1),
                listing: ListingDigest { complete: true, ..ListingDigest::default() },
                measure: Measure { rows: 10, last_rows: Some(10), ..Measure::default() },
            }
        }

        fn ctx(&self) -> Context<'_> {
            let Self { schema, policy, rules, .. } = self;
            Context { schema, policy, rules, always: AttrSet::default(), on_create: AttrSet::default() }
        }

        /// What is made of the account `ana`, and whether her absence is certain.
        fn decide(&self, shape: &SourceCondition<'_>) -> Option<AbsenceDecision> {
            let protect = ProtectPatterns::new(&self.policy.protect);
            let source_of = |place: Place| SourceLine { file: "hr.csv".into(), line: place.line };
            let about = (&self.listing, shape);
            let safety = Safety::default();
            let rule =
                AbsenceRule::new(self.ctx(), &protect, &self.unusable, &source_of, about, (&safety, &self.measure))?;
            let values = [(AttrId(0), Value::text("ana")), (AttrId(1), Value::text("active"))].into_iter().collect();
            Some(rule.decide_account(&Account { id: AccountId("7".into()), values, protected: None }, 0, 0))
        }

        fn doubt(&self, shape: &SourceCondition<'_>) -> String {
            let decided = self.decide(shape).unwrap();
            assert!(!decided.is_certain && decided.decision.action.is_none(), "{decided:?}");
            let reason = decided.decision.finding.unwrap().reason;
            reason.trim_start_matches("no row, but that proves nothing: ").to_owned()
        }
    }

    const GOOD: SourceCondition<'_> = SourceCondition {
        columns: &[],
        ends_within_row: false,
        is_unterminated: false,
        last_columns: Some(&[]),
        was_terminated: Some(true),
    };

    #[test]
    fn who_is_absent_for_certain_loses_access() {
        let decided = World::new().decide(&GOOD).unwrap();
        assert!(decided.is_certain);
        assert_eq!(decided.decision.action.unwrap().action, ActionKind::Deactivate);
    }

    #[test]
    fn whatever_casts_doubt_on_an_absence_takes_nothing_away() {
        let world = World::new();
        let cut = SourceCondition { ends_within_row: true, ..GOOD };
        assert!(world.doubt(&cut).contains("ends within a row"));
        let columns = ["login".to_owned()];
        assert!(world.doubt(&SourceCondition { columns: &columns, ..GOOD }).contains("other columns"));
        assert!(world.doubt(&SourceCondition { is_unterminated: true, ..GOOD }).contains("without a line break"));
        let mut incomplete = World::new();
        incomplete.listing = ListingDigest { notes: vec!["a page is missing".into()], ..ListingDigest::default() };
        assert_eq!(incomplete.doubt(&GOOD), "the listing is not complete (a page is missing)");
        let mut fewer = World::new();
        fewer.measure.rows = 1;
        assert!(fewer.doubt(&GOOD).contains("safety.max_row_drop"));
    }

    #[test]
    fn a_row_that_cannot_be_used_stands_for_whom_it_shows_and_else_for_anybody() {
        let place = Place { file: 0, line: 3 };
        let mut world = World::new();
        let (mut traces, login) = (RowTraces::default(), Value::text("ana"));
        traces.add_values(&world.ctx(), |_| Some(&login));
        world.unusable.add_row(place, &traces);
        assert_eq!(world.doubt(&GOOD), "the row hr.csv:3 cannot be used");
        let mut linked = World::new();
        let mut traces = RowTraces::default();
        traces.add_account(&AccountId("7".into()));
        linked.unusable.add_row(place, &traces);
        assert_eq!(linked.doubt(&GOOD), "the row hr.csv:3 cannot be used");
        let mut other = World::new();
        let mut traces = RowTraces::default();
        traces.add_account(&AccountId("8".into()));
        other.unusable.add_row(place, &traces);
        assert!(other.decide(&GOOD).unwrap().is_certain);
        other.unusable.add_row(place, &RowTraces::default());
        assert!(other.doubt(&GOOD).contains("it is unknown whose it is"));
    }

    #[test]
    fn who_is_protected_is_no_leaver_and_who_is_ignored_is_not_looked_at() {
        let mut world = World::new();
        world.policy.protect = vec!["an*".into()];
        let decided = world.decide(&GOOD).unwrap();
        assert_eq!(decided.decision.finding.unwrap().finding, FindingKind::Protected);
        assert!(!decided.is_certain && decided.decision.action.is_none());
        world.policy.absent = Absent::Ignore;
        assert_eq!(world.decide(&GOOD), None);
    }

    #[test]
    fn a_source_without_a_line_break_at_its_end_is_odd_unless_that_is_its_habit() {
        let unterminated = SourceCondition { is_unterminated: true, ..GOOD };
        assert!(unterminated.find_oddity().is_some() && GOOD.find_oddity().is_none());
        assert!(SourceCondition { was_terminated: None, ..unterminated }.find_oddity().is_some());
        assert!(SourceCondition { was_terminated: Some(false), ..unterminated }.find_oddity().is_none());
    }
}
