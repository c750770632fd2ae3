//! Rows that are mapped: every form of expression, and what each cell comes to.

use super::*;

fn privileges() -> MapSpec {
    let item = object(&[
        ("teamid", text("{{ team | lookup('teams', 'team_id') }}")),
        ("role", text("{{ role }}")),
        ("note", text("Job Title")),
    ]);
    spec(vec![entry("privileges", list(vec![item]))])
}

#[test]
fn expressions_give_their_values() {
    let cells = &[
        ("employee_id", " 42 "),
        ("work_email", " Zoë.D'Arc@X.org "),
        ("first_name", "Zoë"),
        ("last_name", "d’Arc"),
        ("Job Title", "Lead, Agent"),
        ("status", "Leave"),
        ("by_mail", "Yes"),
        ("skills", "English:100;Spanish:B2"),
        ("team", "North"),
        ("hired", "25/03/2023"),
    ];
    for (attribute, source, expected) in [
        ("email_id", "work_email", "Zoë.D'Arc@X.org"),
        ("first_name", "{{ first_name }}", "Zoë"),
        ("login_id", "{{ work_email | lower | before('@') }}", "zoë.d'arc"),
        ("login_id", "{{ work_email | after('@') | upper }}", "X.ORG"),
        ("login_id", "{{ first_name | ascii | lower }}.{{ last_name | slug }}", "zoe.d-arc"),
        ("login_id", "{{ row[\"Job Title\"] | slug }}", "lead-agent"),
        ("login_id", "{{ row['Job Title'] ~ '/' ~ row.team }}", "Lead, Agent/North"),
        ("login_id", "{{ hired | date('%d.%m.%Y') }}", "25.03.2023"),
        ("login_id", "{{ hired | digits }}", "25032023"),
        ("login_id", "{{ hired | date('%Y-%m-%d') <= today() }}", "true"),
        ("login_id", "{{ today() | date('%Y') }}", "2024"),
        ("login_id", "{% set t = team %}{{ t | replace('N', 'F') }}", "Forth"),
        ("login_id", "{% for c in row %}{% if 'mail' in c %}{{ c }},{% endif %}{% endfor %}", "work_email,by_mail,"),
        ("first_name", "{{ role | default('none', true) }}", "none"),
        ("first_name", "{{ none }}{{ team if team }}{{ 'x' if role }} ", "North"),
        ("status", "{{ 'INACTIVE' if status in ['Terminated', 'Leave'] else 'active' }}", "inactive"),
    ] {
        let spec = one(attribute, source);
        assert_eq!(value(&spec, attribute, cells), serde_json::to_string(expected).unwrap(), "{source}");
    }
    for (attribute, source, expected) in [
        ("login_using_email", "by_mail", "true"),
        ("login_using_email", "{{ status == 'Leave' }}", "true"),
        ("level", "employee_id", "42"),
        ("skill_attributes", "skills", r#"{"English":100,"Spanish":"B2"}"#),
        ("tags", "{{ row['Job Title'] | split(', ') }}", r#"["Lead","Agent"]"#),
        ("name.given", "first_name", r#""Zoë""#),
        ("custom_attributes", "{{ {'lead': status == 'Leave', 'n': [1]} }}", r#"{"lead":true,"n":[1]}"#),
        ("custom_attributes", "{{ status == 'Leave' }}", "true"),
        ("privileges", "{{ '' }}", "None"),
    ] {
        assert_eq!(value(&one(attribute, source), attribute, cells), expected, "{source}");
    }
}

#[test]
fn literals_are_values_of_the_attributes_kind() {
    for (attribute, expression, expected) in [
        ("login_using_email", Expression::Bool(true), "true"),
        ("login_using_email", Expression::Text("no".into()), "false"),
        ("level", Expression::Int(3), "3"),
        ("first_name", Expression::Int(3), "\"3\""),
        ("first_name", Expression::Text("first_name".into()), "\"first_name\""),
        ("first_name", Expression::Text(String::new()), "None"),
        ("status", Expression::Text("Active".into()), "\"active\""),
        ("skill_attributes", object(&[("A", Expression::Int(1)), ("B", text("team"))]), r#"{"A":1,"B":"North"}"#),
        ("custom_attributes", object(&[("a", object(&[("b", text("team"))]))]), r#"{"a":{"b":"North"}}"#),
        ("custom_attributes", object(&[("a", list(vec![text("team"), text("role")]))]), r#"{"a":["North"]}"#),
    ] {
        let spec = spec(vec![entry(attribute, expression)]);
        assert_eq!(value(&spec, attribute, &[("team", "North")]), expected, "{spec:?}");
    }
}

#[test]
fn parse_overrides_the_kind() {
    let mut spec = one("custom_attributes", "skills");
    for (parse, cell, expected) in [
        (Parse::Text, "{1}", "\"{1}\""),
        (Parse::Bool, "on", "true"),
        (Parse::Int, "7", "7"),
        (Parse::Pairs, "a:1", r#"{"a":1}"#),
        (Parse::List, "a|b", r#"["a","b"]"#),
        (Parse::Json, "[1]", "[1]"),
    ] {
        spec.entries[0].parse = Some(parse);
        assert_eq!(value(&spec, "custom_attributes", &[("skills", cell)]), expected);
    }
}

#[test]
fn a_list_of_objects_is_typed_and_leaves_out_what_is_empty() {
    let of = |cells: &[(&str, &str)]| value(&privileges(), "privileges", cells);
    assert_eq!(of(&[("team", "North"), ("role", "team agent")]), r#"[{"role":"Team Agent","teamid":12}]"#);
    assert_eq!(of(&[]), "None");
    assert_eq!(
        invalid(&privileges(), &[("team", "North")]).to_string(),
        "privileges: role is empty while the rest is not (column role)"
    );
    assert_eq!(
        invalid(&privileges(), &[("team", "Nort"), ("role", "Team Agent")]).to_string(),
        "privileges: no team_name \"Nort\" in lookup teams (samples/teams.csv) (column team)"
    );
    assert_eq!(
        invalid(&privileges(), &[("team", "North"), ("role", "Chief")]).to_string(),
        "privileges: not one of Team Manager, Team Agent, Team Analyst: \"Chief\" (column role)"
    );
    // A table's empty cell is as empty as the row's.
    assert!(invalid(&privileges(), &[("team", "Odd"), ("role", "Team Agent")]).reason.contains("teamid is empty"));
}

#[test]
fn a_constant_beside_empty_cells_makes_no_object() {
    let item = object(&[("teamid", text("team")), ("role", Expression::Text("Team Agent".into()))]);
    let spec = spec(vec![entry("privileges", list(vec![item.clone(), item]))]);
    assert_eq!(value(&spec, "privileges", &[]), "None");
    assert_eq!(
        value(&spec, "privileges", &[("team", "5")]),
        r#"[{"role":"Team Agent","teamid":5},{"role":"Team Agent","teamid":5}]"#
    );
}

#[test]
fn dotted_keys_build_one_object_key_by_key() {
    let mut spec =
        spec(vec![entry("skill_attributes.English", text("team")), entry("skill_attributes.Job", text("role"))]);
    let of = |spec: &MapSpec, cells: &[(&str, &str)]| value(spec, "skill_attributes", cells);
    assert_eq!(of(&spec, &[("team", "80"), ("role", "B")]), r#"{"English":80,"Job":"B"}"#);
    assert_eq!(of(&spec, &[("team", "80")]), r#"{"English":80}"#);
    assert_eq!(of(&spec, &[]), "None");
    let mapping = compiled(&spec);
    assert!(mapping.attributes()[0].partial);
    assert_eq!(mapping.attributes()[0].expression, "{ English = team, Job = role }");
    spec.entries[1].blank = Some(Blank::Clear);
    assert_eq!(of(&spec, &[("team", "80")]), r#"{"English":80,"Job":null}"#);
    spec.entries[1].blank = Some(Blank::Error);
    assert_eq!(invalid(&spec, &[("team", "80")]).to_string(), "skill_attributes: Job is empty (column role)");
}

#[test]
fn an_empty_cell_means_what_blank_says() {
    let mut spec = one("first_name", "first_name");
    for cell in ["", "  ", "\u{a0}\t"] {
        let cells = &[("first_name", cell)];
        spec.blank = Blank::Ignore;
        assert_eq!(wanted(&spec, "first_name", cells), None);
        spec.blank = Blank::Clear;
        assert_eq!(wanted(&spec, "first_name", cells), Some(Wanted::Clear));
        spec.blank = Blank::Error;
        assert_eq!(invalid(&spec, cells).to_string(), "first_name: the cell is empty (column first_name)");
    }
    spec.entries[0].blank = Some(Blank::Clear);
    assert_eq!(wanted(&spec, "first_name", &[]), Some(Wanted::Clear));
}

#[test]
fn an_empty_cell_finds_nothing_in_a_lookup_and_is_not_an_error() {
    assert_eq!(wanted(&one("level", "{{ team | lookup('teams', 'team_id') }}"), "level", &[]), None);
}

#[test]
fn all_reasons_of_a_row_are_said_at_once() {
    let mut spec = spec(vec![
        entry("login_using_email", text("by_mail")),
        entry("level", text("{{ role }}{{ team }}")),
        entry("first_name", text("first_name")),
    ]);
    spec.identity = Some(at("employee_id".into()));
    let reasons = map(&spec, &[("by_mail", "maybe"), ("role", "1,"), ("team", "000")]).unwrap_err();
    let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
    assert_eq!(
        reasons,
        [
            "the identity is empty (column employee_id)",
            "login_using_email: neither true nor false: \"maybe\" (column by_mail)",
            "level: not a whole number (digits only, no separators): \"1,000\"",
        ]
    );
}

#[test]
fn a_desired_state_has_identity_place_and_the_schemas_order() {
    let mut spec = spec(vec![
        entry("status", Expression::Text("active".into())),
        entry("first_name", text("first_name")),
        entry("login_id", text("work_email")),
    ]);
    spec.identity = Some(at("employee_id".into()));
    let cells = &[("employee_id", " E7 "), ("first_name", "Ana"), ("work_email", "a@x")];
    let desired = map(&spec, cells).unwrap();
    assert_eq!((desired.identity.as_str(), desired.place.line), ("E7", 7));
    let names: Vec<_> = desired.values.iter().map(|(id, _)| schema().name(*id).to_owned()).collect();
    assert_eq!(names, ["login_id", "first_name", "status"]);
    assert_eq!(compiled(&spec).identity(&row(cells)), "E7");
}

#[test]
fn what_a_create_needs_and_a_row_lacks_is_known() {
    let schema = schema();
    let mut password = entry("password", Expression::Generate(Generate { length: 20 }));
    password.on = On::Create;
    let mut spec = spec(vec![entry("login_id", text("work_email")), password]);
    spec.blank = Blank::Clear;
    let mapping = compile_for(&spec, Creates::Possible).unwrap();
    let mut scratch = mapping.scratch();
    let missing = |row: &Record, scratch: &mut _| {
        let desired = mapping.map(row, scratch).unwrap();
        mapping.missing_required(&desired).into_iter().map(|id| schema.name(id).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(missing(&row(&[("work_email", "a@x")]), &mut scratch), Vec::<String>::new());
    assert_eq!(missing(&row(&[]), &mut scratch), ["login_id"]);
    let summary = &mapping.attributes()[1];
    assert!(summary.generated && summary.secret && !summary.partial && summary.on == On::Create);
    let desired = mapping.map(&row(&[]), &mut scratch).unwrap();
    assert_eq!(desired.value(schema.id("password").unwrap()), Some(&Value::Generated));
}

#[test]
fn include_says_which_rows_count() {
    for (source, status, counts) in [
        ("status != 'Applicant'", "Applicant ", Some(false)),
        ("status != 'Applicant'", "Active", Some(true)),
        ("status in ['Active'] and row['Job Title'] == ''", "Active", Some(true)),
        ("status | lower == 'active' or 'x' in status", "ACTIVE", Some(true)),
        ("not status", "", Some(true)),
        ("true", "", Some(true)),
        ("status", "0", None),
        ("status", "", None),
        ("status + 1", "a", None),
    ] {
        let mut spec = one("first_name", "first_name");
        spec.include = Some(at(source.into()));
        let mapping = compiled(&spec);
        let included = mapping.includes(&row(&[("status", status)]), &mut mapping.scratch());
        assert_eq!(included.as_ref().ok(), counts.as_ref(), "{source}: {included:?}");
        if let Err(invalid) = included {
            assert!(invalid.reason.starts_with("source.include: "), "{invalid}");
        }
    }
    assert_eq!(compiled(&one("level", "role")).includes(&row(&[]), &mut super::super::Scratch::default()), Ok(true));
}

#[test]
fn a_secret_is_a_secret_and_in_no_message() {
    let schema = schema();
    let cells = &[("initial_password", " hunter2 ")];
    for source in ["initial_password", "{{ initial_password }}", "{{ initial_password ~ '' }}"] {
        let desired = map(&one("password", source), cells).unwrap();
        match desired.value(schema.id("password").unwrap()) {
            Some(Value::Secret(secret)) => assert_eq!(secret.expose(), "hunter2"),
            other => panic!("{other:?}"),
        }
    }
    for (attribute, source) in [
        ("password", "{{ initial_password | date('%Y') }}"),
        ("password", "{{ initial_password | lookup('teams', 'team_id') }}"),
        // The same column elsewhere is the same secret.
        ("level", "initial_password"),
        ("skill_attributes", "{{ initial_password }}"),
        ("level", "{{ initial_password | lookup('teams', 'team_id') }}"),
        ("level", "{{ initial_password ~ team }}"),
    ] {
        let mut both = one(attribute, source);
        if attribute != "password" {
            both.entries.push(entry("password", text("initial_password")));
        }
        let invalid = invalid(&both, cells);
        assert_eq!(invalid.value, None);
        assert!(!format!("{invalid:?} {invalid}").contains("hunter2"), "{invalid}");
    }
}

#[test]
fn explaining_a_row_shows_every_attribute_with_its_expression() {
    let spec = spec(vec![
        entry("level", text("role")),
        entry("first_name", text("{{ first_name | upper }}")),
        entry("status", Expression::Text("active".into())),
        entry("job_description", text("Job Title")),
        entry("privileges", list(vec![object(&[("teamid", text("team")), ("role", text("role"))])])),
    ]);
    let mapping = compiled(&spec);
    let explained: Vec<_> = mapping
        .explain(&row(&[("first_name", "Ana"), ("role", "x"), ("team", "1")]))
        .into_iter()
        .map(|it| {
            let result = match it.result {
                Ok(Some(Wanted::Set(value))) => value.to_string(),
                Ok(other) => format!("{other:?}"),
                Err(invalid) => invalid[0].reason.clone(),
            };
            format!("{} -> {result}", it.mapped.expression)
        })
        .collect();
    assert_eq!(
        explained,
        [
            "{{ first_name | upper }} -> ANA",
            "Job Title -> None",
            "[{ teamid = team, role = role }] -> not one of Team Manager, Team Agent, Team Analyst",
            "\"active\" -> active",
            "role -> not a whole number (digits only, no separators)",
        ]
    );
}

#[test]
fn a_column_that_only_the_row_names_must_exist() {
    for source in ["{{ row[team] }}", "{{ row[team] | lower }}", "{{ row[team] | before('@') }}", "{{ row[team].x }}"] {
        let reason = invalid(&one("first_name", source), &[("team", "nowhere")]).reason;
        assert!(reason.contains("undefined"), "{source}: {reason}");
    }
    assert_eq!(value(&one("first_name", "{{ row[team] }}"), "first_name", &[("team", "role"), ("role", "x")]), "\"x\"");
}

#[test]
fn a_template_over_a_secret_column_leaves_nothing_in_memory_that_prints() {
    let secret = || entry("password", text("initial_password"));
    for entries in [
        vec![entry("password", text("{{ initial_password | title }}"))],
        vec![entry("password", text("{{ employee_id | title }}-{{ initial_password }}"))],
        vec![secret(), entry("first_name", text("{{ initial_password | title }}"))],
    ] {
        let mapping = compiled(&spec(entries));
        let mut scratch = mapping.scratch();
        mapping.map(&row(&[("initial_password", "hunter2")]), &mut scratch).unwrap();
        assert_eq!(mapping.caches, 0);
        assert!(!format!("{scratch:?} {mapping:?}").to_lowercase().contains("hunter2"));
    }
    assert_eq!(compiled(&one("first_name", "{{ team | title }}")).caches, 1);
}

#[test]
fn a_column_with_the_name_of_a_function_hides_it_only_as_a_variable() {
    let columns = Columns::new(vec!["today".into(), "none".into()]);
    let mut row = Record::default();
    row.push("a cell");
    row.push("another");
    for (source, expected) in [
        ("{{ today() }}", "2024-03-01"),
        ("{{ today() ~ '/' ~ row.today }}", "2024-03-01/a cell"),
        ("{{ today }}", "a cell"),
        ("{{ row['none'] }}{{ none }}", "another"),
    ] {
        let options = Options { creates: Creates::Never, table: 0..0 };
        let (spec, day) = (one("first_name", source), Date::constant(2024, 3, 1));
        let mapping = Mapping::compile(&spec, &schema(), &columns, Lookups::default(), day, &options).unwrap();
        let desired = mapping.map(&row, &mut mapping.scratch()).unwrap();
        assert_eq!(desired.values[0].1, Wanted::Set(Value::text(expected)), "{source}");
    }
}

#[test]
fn a_name_that_only_some_rows_set_is_missing_for_the_others() {
    let spec = one("first_name", "{% if team %}{% set x = team %}{% endif %}{{ x }}");
    assert_eq!(value(&spec, "first_name", &[("team", "North")]), "\"North\"");
    assert!(invalid(&spec, &[]).reason.contains("undefined"));
}

#[test]
fn a_hundred_thousand_columns_are_compiled_and_mapped() {
    let columns = Columns::new((0..100_000).map(|at| format!("c{at}")).collect());
    let mut row = Record::default();
    (0..100_000).for_each(|at| row.push(&format!("c{}", at + 1)));
    let compile = |source: &str| {
        let spec = one("first_name", source);
        let (day, options) = (Date::constant(2024, 3, 1), Options { creates: Creates::Never, table: 0..0 });
        Mapping::compile(&spec, &schema(), &columns, Lookups::default(), day, &options)
    };
    for (source, expected) in [
        ("c99998", "c99999"),
        ("{{ c99998 | upper }}", "C99999"),
        ("{{ row['c5'] }}", "c6"),
        ("{{ row[row[c77777]] }}", "c77780"),
    ] {
        let mapping = compile(source).unwrap();
        let desired = mapping.map(&row, &mut mapping.scratch()).unwrap();
        assert_eq!(desired.values[0].1, Wanted::Set(Value::text(expected)), "{source}");
    }
    let errors = compile("{{ zzzz ~ yyyy }}").unwrap_err();
    assert_eq!(errors.len(), 2);
    assert!(errors.iter().all(|error| error.help.as_ref().unwrap().ends_with("and 99970 more")), "{:?}", errors[0]);
}
