//! What is wrong with a configuration is said before the first row, with the place and the cure.

use super::*;

#[test]
fn unknown_names_are_errors_that_suggest_the_nearest() {
    for (attribute, source, expected) in [
        ("first_name", "frist_name", "the source has no column `frist_name` (did you mean `first_name`?)"),
        ("first_name", "{{ work_emial | lower }}", "no column `work_emial` (did you mean `work_email`?)"),
        ("first_name", "{{ row['Job Titel'] }}", "no column `Job Titel` (did you mean `Job Title`?)"),
        ("first_name", "{{ row.temas }}", "no column `temas` (did you mean `team`?)"),
        ("first_name", "{{ 'a' if team else statsu }}", "no column `statsu` (did you mean `status`?)"),
        ("frist_name", "first_name", "the target has no attribute `frist_name` (did you mean `first_name`?)"),
        ("zzz", "first_name", "the target has no attribute `zzz` (its attributes are id, login_id"),
        ("first_name", "{{ team | lowre }}", "there is no filter `lowre` (did you mean `lower`?)"),
        ("first_name", "{{ 'a' if team else (role | uper) }}", "no filter `uper` (did you mean `upper`?)"),
        ("first_name", "{{ 'a' if team is defind }}", "no test `is defind` (did you mean `defined`?)"),
        ("first_name", "{{ env('HOME') }}", "there is no function `env` (a template sees the row and nothing outside"),
        ("first_name", "{{ debug() }}", "there is no function `debug`"),
        ("first_name", "{{ today }}", "`today` is a function: write `today()`"),
        ("first_name", "{{ team | lookup('tems', 'team_id') }}", "there is no lookup `tems` (did you mean `teams`?)"),
        (
            "first_name",
            "{{ team | lookup('teams', 'tem_id') }}",
            "lookup teams (samples/teams.csv) has no column `tem_id` (did you mean `team_id`?)",
        ),
        ("first_name", "{{ team | lookup('teams') }}", "`lookup` takes a table and a column"),
        ("first_name", "{{ team | before }}", "`before` takes one argument"),
        ("first_name", "{{ team | slug('x') }}", "`slug` takes no argument"),
        ("first_name", "{{ team | replace('x') }}", "the template cannot work"),
        ("first_name", "{{ hired | date('%Q!') }}", "\"%Q!\" is not a date format"),
        ("first_name", "{{ team ", "not a template: "),
        ("first_name", "{{ Job Title }}", "(a column whose name is not an identifier is written row[\"Job Title\"])"),
        ("first_name", "{% include 'x' %}", "not a template: "),
    ] {
        let message = error(&one(attribute, source));
        assert!(message.contains(expected), "{source}: {message}");
    }
}

#[test]
fn what_does_not_fit_the_attribute_is_an_error() {
    let pairs = |expression: Expression| {
        let mut spec = spec(vec![entry("first_name", expression)]);
        spec.entries[0].parse = Some(Parse::Pairs);
        spec
    };
    let map = |attribute: &str, expression: Expression| spec(vec![entry(attribute, expression)]);
    let words = Expression::Text("x".into());
    for (spec, expected) in [
        (one("active_chats", "team"), "active_chats is a live value of the account: it is never sent"),
        (pairs(text("team")), "first_name: parse = \"pairs\" does not fit a text"),
        (pairs(Expression::Bool(true)), "`parse` needs a text"),
        (map("level", words.clone()), "level: \"x\" is not a whole number"),
        (map("status", words.clone()), "status: \"x\" is not one of active, inactive"),
        (map("login_using_email", Expression::Int(3)), "a number where true or false belongs"),
        (one("level", "{{ 'x' ~ 1 }}"), "level: \"x1\" is not a whole number"),
        (map("first_name", list(vec![])), "first_name: a list where a text belongs"),
        (map("first_name", object(&[("a", words.clone())])), "first_name: an object where a text belongs"),
        (one("first_name.x", "team"), "first_name has no keys: it holds a text"),
        (one("privileges.x", "team"), "privileges has no keys: it holds a list"),
        (map("first_name", Expression::Generate(Generate { length: 9 })), "first_name is not a secret"),
        (map("password", Expression::Generate(Generate { length: 0 })), "generated with no characters"),
        (map("tags", list(vec![Expression::Generate(Generate { length: 9 })])), "nothing is generated inside tags"),
    ] {
        let message = error(&spec);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn fields_of_objects_are_checked() {
    let item = |fields: &[(&str, Expression)]| spec(vec![entry("privileges", list(vec![object(fields)]))]);
    let message = error(&item(&[("teamid", text("team")), ("role", text("role")), ("nota", text("team"))]));
    assert_eq!(message, "privileges has no `nota` (did you mean `note`?)");
    assert!(error(&item(&[("teamid", text("team"))])).starts_with("privileges needs `role`"));
}

#[test]
fn a_secret_in_clear_is_refused() {
    for expression in [Expression::Text("Welcome1".into()), Expression::Int(1234), text("{{ 'Welcome' ~ 1 }}")] {
        let message = error(&spec(vec![entry("password", expression)]));
        assert!(message.starts_with("password would be in this file in clear text (map a column"), "{message}");
        assert!(!message.contains("Welcome"));
    }
    compiled(&one("password", "{{ employee_id }}-{{ hired }}"));
}

#[test]
fn an_attribute_is_mapped_once_and_in_one_way() {
    let twice = spec(vec![entry("level", text("team")), entry("level", text("role"))]);
    assert!(error(&twice).starts_with("level is mapped twice"));
    let mixed = spec(vec![entry("skill_attributes", text("skills")), entry("skill_attributes.A", text("team"))]);
    assert!(error(&mixed).contains("as a whole and by its keys"));
    let twice = spec(vec![entry("skill_attributes.A", text("role")), entry("skill_attributes.A", text("team"))]);
    assert!(error(&twice).starts_with("skill_attributes.A is mapped twice"));
    let mut torn = spec(vec![entry("skill_attributes.A", text("role")), entry("skill_attributes.B", text("team"))]);
    torn.entries[1].on = On::Create;
    assert!(error(&torn).contains("must agree on `on`"));
}

#[test]
fn on_never_is_for_what_the_target_shows() {
    let mut spec = one("custom_attributes", "team");
    spec.entries[0].on = On::Never;
    assert!(error(&spec).starts_with("custom_attributes is never shown"));
    let mut spec = one("email_id", "work_email");
    spec.entries[0].on = On::Never;
    compiled(&spec);
}

#[test]
fn what_a_create_needs_must_be_mapped_where_creates_are_possible() {
    let mut spec = one("login_id", "work_email");
    compiled(&spec);
    let problems = compile_for(&spec, Creates::Possible).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "password is not mapped, and a create without it is refused");
    assert_eq!(problems[0].span, 90..95);
    spec.entries.push(entry("password", Expression::Generate(Generate { length: 20 })));
    compile_for(&spec, Creates::Possible).unwrap();
    spec.entries[0].on = On::Never;
    let problems = compile_for(&spec, Creates::Possible).unwrap_err();
    assert_eq!(problems[0].message, "login_id is needed to create an account");
    // What is mapped wrongly is not missing as well.
    let broken = one("login_id", "nowhere");
    let problems = compile_for(&broken, Creates::Possible).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn a_template_that_would_take_all_the_time_or_all_the_memory_is_refused() {
    for source in [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(a='xx') %}{% for i in range(60) %}{% set n.a = n.a ~ n.a %}{% endfor %}{{ n.a }}",
        "{% set a = 'x' * 99999 %}{{ a | replace('x', a) }}",
        "{{ [0] * 3 * 31151150 }}",
        "{{ ([0] * 3 * 31151150) | ascii }}",
        "{{ role | before([0] * 3 * 31151150) }}",
        "{{ {'a': [0] * 3 * 31151150} | slug }}",
    ] {
        assert!(error(&one("login_id", source)).contains("more work than one row may take"), "{source}");
        // Where only the cells of a row make it large, the row is told.
        let mapping = compiled(&one("login_id", &format!("{{% if team %}}{source}{{% endif %}}{{{{ role }}}}")));
        let map = |team| mapping.map(&row(&[("team", team), ("role", "r")]), &mut mapping.scratch());
        assert!(map("").is_ok());
        assert!(map("x").unwrap_err()[0].reason.contains("more work than one row may take"), "{source}");
    }
}

#[test]
fn every_problem_is_found_at_once_in_the_order_of_the_file() {
    let mut spec = spec(vec![entry("level", text("nope_1")), entry("zzz", text("team"))]);
    spec.entries[0].expression.span = 50..60;
    spec.entries[1].attribute.span = 30..33;
    spec.identity = Some(Located { value: "emplyee_id".into(), span: 10..20 });
    spec.include = Some(Located { value: "status !=".into(), span: 20..29 });
    let problems = errors(&spec);
    assert_eq!(problems.iter().map(|e| e.span.start).collect::<Vec<_>>(), [10, 20, 30, 50]);
    assert_eq!(problems[0].help.as_deref(), Some("did you mean `employee_id`?"));
}

#[test]
fn an_include_is_an_expression_over_the_columns() {
    for (source, expected) in [
        ("statsu != 'x'", "no column `statsu`"),
        ("status | foo", "no filter `foo`"),
        ("status != 'x') }}{{ (status", "not a template"),
        ("{{ status }}", "not a template"),
    ] {
        let mut spec = one("level", "role");
        spec.include = Some(at(source.into()));
        assert!(error(&spec).contains(expected), "{source}: {}", error(&spec));
    }
}
