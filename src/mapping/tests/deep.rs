//! What is nested without end is refused, or is an invalid row: no stack overflows, not even the smallest that a thread
//! of the program has.

use super::super::template_bounds::MOST_NESTED;
use super::*;

const SMALLEST_STACK: usize = 2 << 20;

fn on_the_smallest_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(SMALLEST_STACK);
        thread.spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

/// The text many times, in lines.
fn repeat(text: &str, times: usize) -> String {
    let line = text.repeat(500) + "\n";
    line.repeat(times / 500) + &text.repeat(times % 500)
}

fn repeat_around(levels: usize, open: &str, inner: &str, close: &str) -> String {
    [&repeat(open, levels), inner, &repeat(close, levels)].concat()
}

/// Expressions over the columns with so many operators or brackets within one another.
fn deep_expressions(levels: usize) -> Vec<String> {
    let around = |open: &str, inner: &str, close: &str| repeat_around(levels, open, inner, close);
    vec![
        around("not ", "team", ""),
        around("-", "1", ""),
        around("- - ", "1", ""),
        around("(", "team", ")"),
        around("[", "team", "]"),
        around("{'a': ", "team", "}"),
        around("team and (", "role", ")"),
        around("team and not (", "role", ")"),
        around("team if role else (", "role", ")"),
        around("team if role else ", "role", ""),
        around("team if role else [", "role", "]"),
        around("team | default(", "role", ")"),
        around("team | replace('a', role | default(", "role", "))"),
        around("today(", "role", ")"),
        around("team in ", "role", ""),
        around("team is in ", "role", ""),
        around("team[", "role", "]"),
        around("", "team", " + team"),
        around("", "team", " ~ team"),
        around("", "team", " ** 2"),
        around("", "team", " and role"),
        around("", "team", " or role"),
        around("", "team", " if role"),
        around("", "team", " == role"),
        around("", "team", " is defined"),
        around("", "team", " | lower"),
        around("", "team", " | default('x', true)"),
        around("", "team", ".x"),
        around("", "team", "[0]"),
        around("", "team", "[0:]"),
        around("", "today", "()"),
        around("(", "team", ", role)"),
        around("", "1", " + 1"),
        // Without an end.
        repeat("(", levels),
        repeat("[{", levels),
        format!("'{}", repeat("(", levels)),
    ]
}

fn deep_templates(levels: usize) -> Vec<String> {
    let around = |open: &str, inner: &str, close: &str| repeat_around(levels, open, inner, close);
    let mut templates: Vec<_> = deep_expressions(levels).iter().map(|inner| format!("{{{{ {inner} }}}}")).collect();
    templates.extend([
        around("{% if team %}", "x", "{% endif %}"),
        around("{% if team %}", "x", ""),
        around("{% for c in team %}", "x", "{% endfor %}"),
        around("{% with a = team %}", "{{ a }}", "{% endwith %}"),
        around("{% filter lower %}", "x", "{% endfilter %}"),
        around("{% set x %}", "x", "{% endset %}"),
        format!("{{% if team %}}{}{{% endif %}}{{{{ role }}}}", repeat("{% elif role %}x", levels)),
        format!("{{% set a = [] %}}{}{{{{ a }}}}{{{{ team }}}}", repeat("{% set a = [a] %}", levels)),
        format!("{{% set a = [] %}}{}{{{{ a }}}}{{{{ team }}}}", repeat("{% set a = a, %}", levels)),
        format!("{{% set {}a{} = 1 %}}{{{{ team }}}}", repeat("(", levels), repeat(")", levels)),
        format!("{{% set a{} = 1 %}}{{{{ team }}}}", repeat(".b", levels)),
    ]);
    templates
}

#[test]
fn what_is_nested_without_end_is_an_error_of_its_setting_at_its_place() {
    for levels in [12_000, 100_000] {
        for source in deep_templates(levels) {
            let start: String = source.chars().take(50).collect();
            let mut whole = one("first_name", &source);
            whole.entries[0].expression.span = 10..20;
            let fields = &[("a", list(vec![object(&[("b", text(&source))])]))];
            let mut within = spec(vec![entry("custom_attributes", object(fields))]);
            let Expression::Object(entries) = &mut within.entries[0].expression.value else { unreachable!() };
            let Expression::List(items) = &mut entries[0].1.value else { unreachable!() };
            let Expression::Object(entries) = &mut items[0].value else { unreachable!() };
            entries[0].1.span = 10..20;
            for (spec, name) in [(whole, "first_name"), (within, "custom_attributes.a.b")] {
                let errors = on_the_smallest_stack(|| errors(&spec));
                assert_eq!(errors.len(), 1, "{start}");
                assert_eq!(errors[0].span, 10..20, "{start}");
                let expected = format!("{name}: more than {MOST_NESTED} operators or brackets are nested");
                assert!(
                    errors[0].message == expected || errors[0].message.starts_with("not a template: "),
                    "{start}: {}",
                    errors[0].message
                );
            }
        }
        for source in deep_expressions(levels) {
            let mut spec = one("first_name", "team");
            spec.include = Some(Located { value: source.clone(), span: 30..40 });
            let errors = on_the_smallest_stack(|| errors(&spec));
            assert!(errors.len() == 1 && errors[0].span == (30..40), "{errors:?}");
        }
    }
}

#[test]
fn what_is_nested_to_the_limit_has_stack_enough() {
    for levels in [10, MOST_NESTED / 7, MOST_NESTED / 4, MOST_NESTED / 2, MOST_NESTED - 5] {
        for source in deep_templates(levels) {
            let cells = row(&[("team", "North"), ("role", "x")]);
            on_the_smallest_stack(|| {
                if let Ok(mapping) = compile_for(&one("first_name", &source), Creates::Never) {
                    let _ = mapping.map(&cells, &mut mapping.scratch());
                    let _ = mapping.explain(&cells);
                }
            });
        }
    }
    let chain = format!("{{{{ team{} }}}}", " ~ role".repeat(MOST_NESTED));
    let spec = one("first_name", &chain);
    on_the_smallest_stack(|| value(&spec, "first_name", &[("team", "a"), ("role", "b")]));
}

#[test]
fn values_that_grow_with_each_turn_of_a_loop_make_the_row_invalid() {
    let grown =
        |step: &str| format!("{{% set n = namespace(a=[]) %}}{{% for i in range(60000) %}}{step}{{% endfor %}}");
    for source in [
        grown("{% set n.a = [n.a] %}") + "{{ team }}",
        grown("{% set n.a = {'a': n.a} %}") + "{{ team }}{{ n.a }}",
        grown("{% set n.a = n.a, %}") + "{{ team }}{{ n.a == [n.a] }}",
        grown("{% set n.a = [n.a] | batch(1) | list %}") + "{{ team }}",
        grown("{% set n.a = namespace(a=n.a) %}") + "{{ team }}{{ n.a | string }}",
        grown("{% set n.a = dict(a=n.a) %}") + "{{ team }}",
        grown("{% for x in [[n.a]] %}{% set n.a = x %}{% endfor %}") + "{{ team }}",
        grown("{% set n.a, b = [n.a], 1 %}") + "{{ team }}",
        "{% set n = namespace() %}{% set n.a = n %}{% set n.a = n %}{{ n }}{{ n.a == n }}{{ team }}".into(),
        "{% for x in [team] recursive %}{{ loop([[x]]) }}{% endfor %}".into(),
        "{% for x in [team] recursive %}{{ loop([[[[[x]]]], x] | batch(1)) }}{% endfor %}".into(),
    ] {
        let spec = one("first_name", &source);
        let cells = &[("team", "North")];
        let result = on_the_smallest_stack(|| {
            compile_for(&spec, Creates::Never).map(|mapping| mapping.map(&row(cells), &mut mapping.scratch()))
        });
        if source.contains("{{ n.a == n }}") {
            continue;
        }
        let refused = matches!(&result, Err(_) | Ok(Err(_)));
        assert!(refused, "{source}: {result:?}");
    }
}

#[test]
fn a_namespace_keeps_texts_numbers_and_lists_of_them() {
    for (source, expected) in [
        ("{% set n = namespace(a='') %}{% for c in team %}{% set n.a = c ~ n.a %}{% endfor %}{{ n.a }}", "cba"),
        (
            "{% set n = namespace(a=[]) %}{% for c in team %}{% set n.a = n.a + [c] %}{% endfor %}{{ n.a | join('-') }}",
            "a-b-c",
        ),
        ("{% set n = namespace(a=0) %}{% for c in team %}{% set n.a = n.a + 1 -%} {% endfor %}{{ n.a }}", "3"),
        ("{% set n = namespace() %}{% set n.a = {'x': [team]} %}{{ n.a.x[0] }}", "abc"),
        ("{% set n = namespace() %}{% set n.a %}<{{ team }}>{% endset %}{{ n.a }}", "<abc>"),
        (
            "{% for x in ['a', ['b', ['c']]] recursive %}{{ x if x is string else loop(x) }}{% endfor %}{{ team }}",
            "abcabc",
        ),
    ] {
        let expected = serde_json::to_string(expected).unwrap();
        assert_eq!(value(&one("first_name", source), "first_name", &[("team", "abc")]), expected, "{source}");
    }
}

#[test]
fn deep_json_in_a_cell_makes_the_row_invalid() {
    let mut json = spec(vec![entry("custom_attributes", text("skills"))]);
    json.entries[0].parse = Some(Parse::Json);
    let (pairs, list) = (one("skill_attributes", "skills"), one("tags", "skills"));
    for (spec, open, close) in [
        (&json, "[", "]"),
        (&json, "[", ""),
        (&json, r#"{"a":"#, "}"),
        (&pairs, r#"{"a":"#, "}"),
        (&pairs, r#"{"a":["#, "]}"),
        (&list, "[", "]"),
        (&list, r#"[{"a":"#, "}]"),
    ] {
        for levels in [1_000, 100_000] {
            let cell = repeat_around(levels, open, "1", close);
            let reason = on_the_smallest_stack(|| invalid(spec, &[("skills", &cell)])).reason;
            assert!(reason.starts_with("not JSON (at character"), "{reason}");
        }
    }
}

#[test]
fn a_line_that_the_engine_cannot_count_is_refused() {
    for source in [format!("{{{{ team }}}}{}", " ".repeat(70_000)), format!("{{{{ team }}}}{}", "\n".repeat(70_000))] {
        let message = error(&one("first_name", &source));
        assert!(message.starts_with("first_name: the template has more than 65000 lines, or bytes"), "{message}");
    }
}
