//! Laws that hold for any cells.

use proptest::prelude::*;

use super::*;

/// Texts that exports are full of: blanks, accents, separators, numbers, dates, odd Unicode.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        r"[ a-zA-Z@.'é:;|0-9-]{0,12}",
        r#"[{}\["':,1a ]{0,10}"#,
        "North|South|yes|2024-03-01|03/04/2024|1.3.2024",
        proptest::collection::vec(any::<char>(), 0..6).prop_map(|chars| chars.into_iter().collect()),
        "[İßΣς\u{300}\u{a0}\u{200b}ﬀ]{0,4}",
    ]
}

fn cells() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(cell(), COLUMNS.len())
}

fn record(cells: &[String]) -> Record {
    let mut row = Record::default();
    cells.iter().for_each(|cell| row.push(cell));
    row
}

/// A mapping that uses everything there is.
fn everything() -> MapSpec {
    let item =
        object(&[("teamid", text("{{ team | lookup('teams', 'team_id') }}")), ("role", text("{{ role ~ '' }}"))]);
    let mut spec = spec(vec![
        entry("login_id", text("{{ work_email | lower | before('@') }}")),
        entry("email_id", text("{{ work_email ~ team }}")),
        entry("first_name", text("{{ hired | date('%d.%m.%Y') }}")),
        entry("job_description", text("{{ row['Job Title'] | title }}")),
        entry("login_using_email", text("by_mail")),
        entry("skill_attributes", text("skills")),
        entry("custom_attributes.a", text("role")),
        entry("custom_attributes.b", text("{% for c in row %}{{ row[c] }}{% endfor %}")),
        entry("password", text("initial_password")),
        entry("privileges", list(vec![item])),
        entry("status", text("{{ 'inactive' if status in ['Terminated', 'Leave'] else status }}")),
        entry("level", text("employee_id")),
        entry("tags", text("skills")),
    ]);
    spec.include = Some(at("status != 'Applicant' and (team < role or first_name)".into()));
    spec
}

proptest! {
    #[test]
    fn mapping_any_cells_gives_a_state_or_reasons_and_never_panics(rows in proptest::collection::vec(cells(), 1..4)) {
        let mapping = compiled(&everything());
        let mut scratch = mapping.scratch();
        for cells in &rows {
            let row = record(cells);
            let _ = mapping.includes(&row, &mut scratch);
            match mapping.map(&row, &mut scratch) {
                Ok(desired) => prop_assert!(desired.values.is_sorted_by_key(|(id, _)| *id)),
                Err(invalid) => prop_assert!(!invalid.is_empty()),
            }
            let _ = mapping.explain(&row);
        }
    }

    /// Caches, reused memory and a scratch that served another mapping change nothing.
    #[test]
    fn a_used_scratch_gives_what_a_fresh_one_gives(rows in proptest::collection::vec(cells(), 1..6)) {
        let (mapping, other) = (compiled(&everything()), compiled(&one("login_id", "{{ team ~ role }}")));
        let (mut used, mut reused) = (other.scratch(), Desired {
            identity: "old".into(), place: Place::default(), values: Vec::new()
        });
        for cells in rows.iter().chain(&rows) {
            let row = record(cells);
            let _ = other.map(&row, &mut used);
            for _ in 0..2 {
                let fresh = mapping.map(&row, &mut mapping.scratch());
                prop_assert_eq!(mapping.includes(&row, &mut used), mapping.includes(&row, &mut mapping.scratch()));
                prop_assert_eq!(&mapping.map(&row, &mut used), &fresh);
                let again = mapping.map_into(&row, &mut used, &mut reused).map(|()| reused.clone());
                prop_assert_eq!(again, fresh);
            }
        }
    }
}

#[test]
fn a_mapping_serves_several_threads() {
    let mapping = compiled(&everything());
    std::thread::scope(|scope| {
        for n in 0..4 {
            let mapping = &mapping;
            scope.spawn(move || {
                let mut scratch = mapping.scratch();
                for m in 0..50 {
                    let login = format!("user{n}.{m}@x.org");
                    let desired = mapping.map(&row(&[("work_email", &login)]), &mut scratch).unwrap();
                    assert_eq!(desired.values[0].1, Wanted::Set(Value::text(format!("user{n}.{m}"))));
                }
            });
        }
    });
}

#[test]
fn a_scratch_that_served_another_mapping_gives_none_of_its_results() {
    let (one_way, other_way) =
        (compiled(&one("login_id", "{{ team | title }}")), compiled(&one("login_id", "{{ team | capitalize }}")));
    let row = row(&[("team", "north west")]);
    let mut scratch = one_way.scratch();
    for _ in 0..2 {
        let login = |desired: Desired| desired.values[0].1.clone();
        assert_eq!(one_way.map(&row, &mut scratch).map(login), Ok(Wanted::Set(Value::text("North West"))));
        assert_eq!(other_way.map(&row, &mut scratch).map(login), Ok(Wanted::Set(Value::text("North west"))));
    }
}

#[test]
fn memory_that_is_used_again_keeps_nothing_of_the_row_before() {
    let mut spec = spec(vec![entry("login_id", text("work_email")), entry("first_name", text("first_name"))]);
    spec.identity = Some(at("employee_id".into()));
    let mapping = compiled(&spec);
    let mut scratch = mapping.scratch();
    let full = row(&[("employee_id", "1"), ("work_email", "ana@x.org"), ("first_name", "Ana")]);
    let mut desired = mapping.map(&full, &mut scratch).unwrap();
    for cells in [&[("employee_id", "2"), ("first_name", "Bo")][..], &[("employee_id", "3")]] {
        let next = row(cells);
        mapping.map_into(&next, &mut scratch, &mut desired).unwrap();
        assert_eq!(desired, mapping.map(&next, &mut mapping.scratch()).unwrap());
    }
    assert!(desired.values.is_empty());
}
