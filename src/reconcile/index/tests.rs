use proptest::prelude::*;

use super::*;
use crate::model::{AccountId, AttrId, Attribute, Attributes, Desired, Kind, Value, Wanted};
use crate::reconcile::compared_attributes;
use crate::reconcile::verdict::{RowVerdict, Settled};

fn schema() -> Schema {
    Schema::new(vec![
        Attribute::new("login", Kind::Text).ignoring_case(),
        Attribute::new("email", Kind::Text).ignoring_case(),
        Attribute::new("name", Kind::Text),
    ])
}

fn rules(schema: &Schema) -> Vec<MatchRule> {
    vec![MatchRule::new(schema, vec![AttrId(0)]), MatchRule::new(schema, vec![AttrId(1)])]
}

fn facts(identity: &str, cells: [&str; 3]) -> RowFacts {
    let schema = schema();
    let values = (0u8..)
        .zip(cells)
        .filter(|(_, cell)| !cell.is_empty())
        .map(|(at, cell)| (AttrId(at), Wanted::Set(Value::text(cell))))
        .collect();
    let desired = Desired { identity: identity.into(), place: Place::default(), values };
    let compared = compared_attributes(&schema, (0..3).map(AttrId).collect());
    RowFacts::of_row(&schema, &rules(&schema), compared, &desired, &mut Vec::new())
}

fn account(id: u64, cells: [&str; 3]) -> Account {
    let values: Attributes = (0u8..).zip(cells).map(|(at, cell)| (AttrId(at), Value::text(cell))).collect();
    Account { id: AccountId(id.to_string()), values, protected: None }
}

/// Rows are (identity, cells, link); accounts are (position, cells). Rows get the lines 2, 3, ….
fn settle(rows: &[(&str, [&str; 3], Option<&str>)], accounts: &[(u64, [&str; 3])]) -> Settled {
    let mut index = RowIndex::new(rules(&schema()));
    for (line, (identity, cells, link)) in (2u32..).zip(rows) {
        let link = link.map(KeyHash::of_text);
        index.add(&facts(identity, *cells), Place { file: 0, line }, link, RowFlags::default());
    }
    for (at, cells) in accounts {
        index.observe_account(&schema(), &account(*at, *cells), *at);
    }
    index.settle_rows()
}

#[test]
fn forgotten_accounts_leave_nothing_behind() {
    let rows = [("1", ["ana", "a@x", "Ana"]), ("2", ["bo", "b@x", "Bo"]), ("3", ["cy", "c@x", "Cy"])];
    let index = |accounts: &[&[(u64, [&str; 3])]]| {
        let mut index = RowIndex::new(rules(&schema()));
        for (line, (identity, cells)) in (2u32..).zip(&rows) {
            index.add(&facts(identity, *cells), Place { file: 0, line }, None, RowFlags::default());
        }
        for (reading, accounts) in accounts.iter().enumerate() {
            if reading > 0 {
                index.forget_accounts();
            }
            for (at, cells) in *accounts {
                index.observe_account(&schema(), &account(*at, *cells), *at);
            }
        }
        let settled = index.settle_rows();
        (settled.verdicts, settled.unclaimed)
    };
    // One account for two rows, two for one row, and one for none.
    let first = [(1, ["ana", "b@x", "?"]), (2, ["bo", "", "?"]), (3, ["cy", "c@x", "Cy"]), (4, ["zoe", "", ""])];
    let second = [(1, ["bo", "b@x", "Bo"])];
    assert_eq!(index(&[&first, &second]), index(&[&second]));
    // What two rows had in common before is nobody's now, and not absent either: it is not there.
    let elsewhere = [(9, ["bo", "b@x", "Bo"])];
    assert_eq!(index(&[&first, &elsewhere]), index(&[&elsewhere]));
    assert_eq!(index(&[&first, &elsewhere]).1, Vec::<u64>::new());
}

#[test]
fn rows_beyond_the_patterns_of_blank_cells_that_are_kept_are_compared_attribute_by_attribute() {
    const OPTIONAL: u8 = 17;
    let attributes = (0..=OPTIONAL).map(|at| Attribute::new(&format!("a{at}"), Kind::Text)).collect();
    let schema = Schema::new(attributes);
    let rules = vec![MatchRule::new(&schema, vec![AttrId(0)])];
    let compared = compared_attributes(&schema, (0..=OPTIONAL).map(AttrId).collect());
    let mut index = RowIndex::new(rules.clone());
    let rows = 70_000u32;
    let cells = |row: u32| {
        let optional =
            (1..=OPTIONAL).filter(move |at| row & (1 << (at - 1)) != 0).map(|at| (AttrId(at), Value::text("x")));
        std::iter::once((AttrId(0), Value::text(format!("p{row}")))).chain(optional)
    };
    for row in 0..rows {
        let values = cells(row).map(|(id, value)| (id, Wanted::Set(value))).collect();
        let desired = Desired { identity: row.to_string(), place: line(row), values };
        let facts = RowFacts::of_row(&schema, &rules, compared, &desired, &mut Vec::new());
        index.add(&facts, line(row), None, RowFlags::default());
    }
    for row in 0..rows {
        let account = Account { id: AccountId(row.to_string()), values: cells(row).collect(), protected: None };
        index.observe_account(&schema, &account, u64::from(row));
    }
    let settled = index.settle_rows();
    for (row, settlement) in (0..rows).zip(&settled.verdicts) {
        let (account, found) = (u64::from(row), FoundBy::Rule(0));
        let listed = row < u32::from(UNLISTED);
        let wanted = if listed { RowVerdict::Equal { account, found } } else { RowVerdict::Matched { account, found } };
        assert_eq!(settlement.verdict, wanted, "row {row}");
    }
}

#[test]
fn a_digest_covers_the_last_attribute_of_a_large_schema() {
    let schema = Schema::new((0..200).map(|at| Attribute::new(&format!("a{at}"), Kind::Text)).collect());
    let rules = vec![MatchRule::new(&schema, vec![AttrId(0)])];
    let ids = || schema.iter().map(|(id, _)| id);
    for (last, is_equal) in [("v", true), ("w", false)] {
        let mut index = RowIndex::new(rules.clone());
        let values = ids().map(|id| (id, Wanted::Set(Value::text("v")))).collect();
        let desired = Desired { identity: "1".into(), place: line(2), values };
        let compared = compared_attributes(&schema, ids().collect());
        let facts = RowFacts::of_row(&schema, &rules, compared, &desired, &mut Vec::new());
        index.add(&facts, line(2), None, RowFlags::default());
        let values = ids().map(|id| (id, Value::text(if id.0 == 199 { last } else { "v" }))).collect();
        index.observe_account(&schema, &Account { id: AccountId("1".into()), values, protected: None }, 1);
        assert_eq!(matches!(index.settle_rows().verdicts[0].verdict, RowVerdict::Equal { .. }), is_equal);
    }
}

fn verdicts(settled: &Settled) -> Vec<RowVerdict> {
    settled.verdicts.iter().map(|s| s.verdict.clone()).collect()
}

const fn line(line: u32) -> Place {
    Place { file: 0, line }
}

#[test]
fn an_equal_account_is_settled_by_its_digest_whatever_the_case_of_its_keys() {
    let found = settle(&[("1", ["ana", "ana@x.org", "Ana"], None)], &[(7, ["ANA", "Ana@x.org", "Ana"])]);
    assert_eq!(verdicts(&found), [RowVerdict::Equal { account: 7, found: FoundBy::Rule(0) }]);
    assert!(found.unclaimed.is_empty());
}

#[test]
fn a_blank_cell_is_not_compared() {
    let found = settle(&[("1", ["ana", "", ""], None)], &[(7, ["ana", "any@x.org", "Any"])]);
    assert_eq!(verdicts(&found), [RowVerdict::Equal { account: 7, found: FoundBy::Rule(0) }]);
}

#[test]
fn the_first_rule_with_one_answer_wins() {
    let rows = [("1", ["ana", "ana@x.org", "Ana"], None)];
    let found = settle(&rows, &[(7, ["old", "ana@x.org", "Ana"]), (8, ["ana", "b@x.org", "Ana"])]);
    assert_eq!(verdicts(&found), [RowVerdict::Matched { account: 8, found: FoundBy::Rule(0) }]);
    assert_eq!(found.unclaimed, [7]);
    let found = settle(&rows, &[(7, ["old", "ana@x.org", "Ana"])]);
    assert_eq!(verdicts(&found), [RowVerdict::Matched { account: 7, found: FoundBy::Rule(1) }]);
}

#[test]
fn the_remembered_link_comes_before_the_rules() {
    let rows = [("1", ["ana.new", "new@x.org", "Ana"], Some("7"))];
    let found = settle(&rows, &[(7, ["ana.old", "old@x.org", "Ana"]), (8, ["ana.new", "new@x.org", "Ana"])]);
    assert_eq!(verdicts(&found), [RowVerdict::Matched { account: 7, found: FoundBy::Link }]);
    assert!(found.verdicts[0].linked);
}

#[test]
fn several_accounts_are_a_conflict_unless_a_later_rule_tells_them_apart() {
    let rows = [("1", ["ana", "ana@x.org", "Ana"], None)];
    let twins = [(7, ["ana", "x@x.org", "Ana"]), (8, ["ana", "y@x.org", "Ana"])];
    assert_eq!(verdicts(&settle(&rows, &twins)), [RowVerdict::Ambiguous { accounts: vec![7, 8] }]);
    // An account outside the twins cannot decide between them.
    let stranger = [twins[0], twins[1], (9, ["bo", "ana@x.org", "Bo"])];
    assert_eq!(verdicts(&settle(&rows, &stranger)), [RowVerdict::Ambiguous { accounts: vec![7, 8] }]);
    let told = [twins[0], (8, ["ana", "ana@x.org", "Ana"])];
    assert_eq!(verdicts(&settle(&rows, &told)), [RowVerdict::Equal { account: 8, found: FoundBy::Rule(1) }]);
}

#[test]
fn two_rows_that_claim_one_account_are_both_in_conflict() {
    let rows = [("1", ["ana", "a@x.org", "Ana"], None), ("2", ["bo", "b@x.org", "Bo"], None)];
    let found = settle(&rows, &[(7, ["ana", "b@x.org", "Ana"])]);
    assert_eq!(
        verdicts(&found),
        [RowVerdict::Claimed { account: 7, other: line(3) }, RowVerdict::Claimed { account: 7, other: line(2) }]
    );
    assert!(found.unclaimed.is_empty(), "an account in dispute is not absent");
}

#[test]
fn two_rows_with_one_key_are_in_conflict_and_the_account_is_not_absent() {
    let rows = [("1", ["ana", "a@x.org", "Ana"], None), ("2", ["Ana", "b@x.org", "Bo"], None)];
    let found = settle(&rows, &[(7, ["ana", "a@x.org", "Ana"])]);
    assert_eq!(
        verdicts(&found),
        [
            RowVerdict::SameKey { other: line(3), by: FoundBy::Rule(0) },
            RowVerdict::SameKey { other: line(2), by: FoundBy::Rule(0) }
        ]
    );
    assert!(found.unclaimed.is_empty());
}

#[test]
fn of_two_rows_for_one_person_the_one_that_counts_is_found() {
    for keep_last in [false, true] {
        let mut index = RowIndex::new(rules(&schema()));
        let flags = RowFlags::default();
        assert_eq!(index.add(&facts("1", ["ana", "a@x.org", "A"]), line(2), None, flags), Added::New);
        let added = index.add(&facts("1", ["ana.b", "a@x.org", "B"]), line(3), None, flags);
        assert_eq!(added, Added::SameIdentity { row: 0, place: line(2) });
        let (dropped, counts) = if keep_last { (0, 1) } else { (1, 0) };
        assert_eq!(index.drop_row(dropped, counts), Added::New);
        index.observe_account(&schema(), &account(7, ["ana.b", "c@x.org", "B"]), 7);
        let found = index.settle_rows();
        let expected = if keep_last {
            [RowVerdict::Dropped { other: line(3) }, RowVerdict::Matched { account: 7, found: FoundBy::Rule(0) }]
        } else {
            [RowVerdict::Missing, RowVerdict::Dropped { other: line(2) }]
        };
        assert_eq!(verdicts(&found), expected);
    }
}

#[test]
fn a_key_that_a_row_shares_with_one_that_is_left_out_is_its_own() {
    let mut index = RowIndex::new(rules(&schema()));
    let mut add =
        |identity, login, at| index.add(&facts(identity, [login, "", ""]), line(at), None, RowFlags::default());
    assert_eq!(add("1", "ana", 2), Added::New);
    assert_eq!(add("2", "ana", 3), Added::SameKey { row: 0, place: line(2), by: FoundBy::Rule(0) });
    assert_eq!(add("1", "zoe", 4), Added::SameIdentity { row: 0, place: line(2) });
    assert_eq!(index.drop_row(0, 2), Added::New);
    for (at, login) in [(7, "ana"), (8, "zoe")] {
        index.observe_account(&schema(), &account(at, [login, "", ""]), at);
    }
    let found = index.settle_rows();
    let equal = |account| RowVerdict::Equal { account, found: FoundBy::Rule(0) };
    assert_eq!(verdicts(&found), [RowVerdict::Dropped { other: line(4) }, equal(7), equal(8)]);
    assert!(found.unclaimed.is_empty(), "whoever has a row is not absent");
}

#[test]
fn a_row_that_a_digest_cannot_settle_is_compared() {
    let mut index = RowIndex::new(rules(&schema()));
    let flags = RowFlags { unsettled: true, protected: true };
    index.add(&facts("1", ["ana", "a@x.org", "A"]), line(2), None, flags);
    index.observe_account(&schema(), &account(7, ["ana", "a@x.org", "A"]), 7);
    let found = index.settle_rows();
    assert_eq!(verdicts(&found), [RowVerdict::Matched { account: 7, found: FoundBy::Rule(0) }]);
    assert!(found.verdicts[0].protected);
}

#[test]
fn a_row_takes_a_small_fixed_number_of_bytes() {
    assert!(size_of::<IndexedRow>() <= 88, "{} bytes", size_of::<IndexedRow>());
}

proptest! {
    /// Where the last row of a person counts, those before it might as well not be there.
    #[test]
    fn a_row_that_is_left_out_leaves_nothing_behind(
        rows in prop::collection::vec((0u8..4, 0u8..5, 0u8..5, prop::option::of(0u8..6)), 0..10),
        accounts in prop::collection::vec((0u8..5, 0u8..5), 0..8),
    ) {
        let name = |n: u8| if n == 0 { String::new() } else { format!("k{n}") };
        let counts = |at: usize| rows[at + 1..].iter().all(|(identity, ..)| *identity != rows[at].0);
        let settled = |all: bool| {
            let mut index = RowIndex::new(rules(&schema()));
            for (at, (identity, login, email, link)) in rows.iter().enumerate().filter(|(at, _)| all || counts(*at)) {
                let facts = facts(&identity.to_string(), [&name(*login), &name(*email), ""]);
                let link = link.map(|n| KeyHash::of_text(&n.to_string()));
                let place = line(u32::try_from(at).unwrap());
                let last = u32::try_from(index.len()).unwrap();
                if let Added::SameIdentity { row, .. } = index.add(&facts, place, link, RowFlags::default()) {
                    index.drop_row(row, last);
                }
            }
            for (at, (login, email)) in (0..).zip(&accounts) {
                index.observe_account(&schema(), &account(at, [&name(*login), &name(*email), ""]), at);
            }
            let mut settled = index.settle_rows();
            settled.verdicts.retain(|settlement| !matches!(settlement.verdict, RowVerdict::Dropped { .. }));
            (settled.verdicts, settled.unclaimed)
        };
        prop_assert_eq!(settled(true), settled(false));
    }

    /// Neither the order of the accounts nor that of the rows changes any verdict.
    #[test]
    fn order_does_not_matter(
        rows in prop::collection::vec((0u8..6, 0u8..6, 0u8..3, prop::option::of(0u8..8)), 0..8),
        accounts in prop::collection::vec((0u8..6, 0u8..6, 0u8..3), 0..8),
        seed in any::<u64>(),
    ) {
        let name = |n: u8| if n == 0 { String::new() } else { format!("k{n}") };
        let row_cells: Vec<_> = rows.iter().map(|(l, e, n, _)| [name(*l), name(*e), name(*n)]).collect();
        let account_cells: Vec<_> = accounts.iter().map(|(l, e, n)| [name(*l), name(*e), name(*n)]).collect();
        let outcome = |row_order: &[usize], account_order: &[usize]| {
            let mut index = RowIndex::new(rules(&schema()));
            for at in row_order {
                let cells = &row_cells[*at];
                let link = rows[*at].3.map(|n| KeyHash::of_text(&n.to_string()));
                let place = line(u32::try_from(*at).unwrap());
                let facts = facts(&format!("id{at}"), [&cells[0], &cells[1], &cells[2]]);
                index.add(&facts, place, link, RowFlags::default());
            }
            for at in account_order {
                let cells = &account_cells[*at];
                let at = *at as u64;
                index.observe_account(&schema(), &account(at, [&cells[0], &cells[1], &cells[2]]), at);
            }
            let mut settled = index.settle_rows();
            settled.verdicts.sort_by_key(|s| s.place);
            settled.unclaimed.sort_unstable();
            let kinds: Vec<String> = settled.verdicts.iter().map(|s| match &s.verdict {
                // Which of several rivals is named may differ; that there is one may not.
                RowVerdict::SameKey { .. } => "same key".to_owned(),
                RowVerdict::Claimed { account, .. } => format!("claimed {account}"),
                other => format!("{other:?}"),
            }).collect();
            (kinds, settled.unclaimed)
        };
        let straight = |n: usize| (0..n).collect::<Vec<_>>();
        let shuffled = |n: usize| {
            let mut order = straight(n);
            order.sort_by_key(|at| (*at as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
            order
        };
        prop_assert_eq!(
            outcome(&straight(rows.len()), &straight(accounts.len())),
            outcome(&shuffled(rows.len()), &shuffled(accounts.len()))
        );
    }
}
