//! What is said of a file that is wrong.

use std::path::Path;

use super::{LEAST, rendered, replaced, with, wrong};
use crate::config::{ConfigError, load, parse};

#[test]
fn one_error_is_shown_with_its_line() {
    let error = parse(&format!("{LEAST}[policy]\nleavrs = \"report\"\n"), Path::new("config.toml")).unwrap_err();
    assert_eq!(error.to_string(), "config.toml:11:1: unknown setting `leavrs` in `policy`");
    insta::assert_snapshot!(rendered(&error), @r#"
     × config.toml:11:1: unknown setting `leavrs` in `policy`
       ╭─[config.toml:11:1]
    10 │ [policy]
    11 │ leavrs = "report"
       · ──────
       ╰────
     help: did you mean `leavers`?
    "#);
}

#[test]
fn several_errors_are_shown_each_with_its_help_at_its_place() {
    let text = LEAST.replacen("\"imichat\"", "\"imchat\"", 1).replacen("path", "pth", 1);
    let error = parse(&format!("{text}[safety]\nplan_max_age = 24\n"), Path::new("config.toml")).unwrap_err();
    insta::assert_snapshot!(rendered(&error), @r#"
     × config.toml:1:1: `source.path` is missing
     │ config.toml:2:1: unknown setting `pth` in `source`
     │ config.toml:4:8: `target.kind` must be one of "imichat", "brightpattern", "scim", not "imchat"
     │ config.toml:11:16: `safety.plan_max_age` must be a duration such as "30s", "15m", "24h" or "90d", not a whole
     │ number
      ╭─[config.toml:1:1]
    1 │ [source]
      · ────┬───
      ·     ╰── add path = "hr_export.csv" below [source]: a file, a list of files, or "-"
    2 │ pth = "people.csv"
      · ─┬─
      ·  ╰── did you mean `path`?
    3 │ [target]
    4 │ kind = "imchat"
      ·        ────┬───
      ·            ╰── did you mean "imichat"?
    5 │ base_url = "sandbox"
      ╰────
       ╭─[config.toml:11:16]
    10 │ [safety]
    11 │ plan_max_age = 24
       ·                ──
       ╰────
    "#);
}

#[test]
fn a_slip_of_syntax_is_shown_where_it_is() {
    let error = parse("[source]\npath = \"a\n[target]\n", Path::new("config.toml")).unwrap_err();
    insta::assert_snapshot!(rendered(&error), @r#"
     × config.toml:2:10: invalid basic string, expected `"`
      ╭─[config.toml:2:10]
    1 │ [source]
    2 │ path = "a
      ·          ▲
    3 │ [target]
      ╰────
    "#);
}

#[test]
fn what_is_missing_altogether_is_said_with_what_to_add() {
    let error = parse("", Path::new("config.toml")).unwrap_err();
    insta::assert_snapshot!(rendered(&error), @r#"
    × config.toml: there is no [source]: `source.path` is missing
    │ config.toml: there is no [target]
    │ config.toml: there is no [match]: `match.rules` is missing
    │ config.toml: there is no [map]
    help: add [source] with path = "hr_export.csv"
          add [target] with kind = "imichat" and base_url = "sandbox"
          add [match] with rules = [["login_id"], ["email_id"]]
          add [map] with lines such as email_id = "work_email"
    "#);
}

#[test]
fn what_is_missing_in_a_table_is_said_at_the_table() {
    assert_eq!(
        replaced("path = \"people.csv\"", ""),
        "1:1: `source.path` is missing (add path = \"hr_export.csv\" below [source]: a file, a list of files, or \"-\")"
    );
    assert_eq!(
        replaced("kind = \"imichat\"", ""),
        "3:1: `target.kind` is missing (add kind = \"imichat\" below [target])"
    );
    assert_eq!(
        replaced("rules = [[\"login_id\"]]", ""),
        "6:1: `match.rules` is missing (add rules = [[\"login_id\"], [\"email_id\"]] below [match])"
    );
    assert_eq!(
        replaced("login_id = \"login\"", ""),
        "8:1: `map` maps nothing (add lines such as email_id = \"work_email\")"
    );
    assert_eq!(
        replaced("\"sandbox\"", "\"https://acme.imi.chat\""),
        "3:1: `target.api_key` is missing (add api_key = { env = \"IMICHAT_API_KEY\" } below [target])\n\
         3:1: `target.domain` is missing (add domain = \"acme.imi.chat\" below [target]: your tenant's own)"
    );
}

#[test]
fn unknown_settings_are_found_in_every_table() {
    assert_eq!(wrong("[polcy]\n"), "1:2: unknown setting `polcy` (did you mean `policy`?)");
    let cases = [
        (
            "[policy]\nabsent_for = { dayz = 1 }",
            "2:16: unknown setting `dayz` in `policy.absent_for` (did you mean `days`?)",
        ),
        ("[safety]\nmax_creat = 1", "2:1: unknown setting `max_creat` in `safety` (did you mean `max_create`?)"),
        (
            "[safety]\nmax_create = { cuont = 1 }",
            "2:16: unknown setting `cuont` in `safety.max_create` (did you mean `count`?)",
        ),
        ("[rate]\nburts = 1", "2:1: unknown setting `burts` in `rate` (did you mean `burst`?)"),
        ("[journal]\nzzz = 1", "2:1: unknown setting `zzz` in `journal` (known here: path, keep)"),
        (
            "[passwords]\ndeliverto = 'x'",
            "2:1: unknown setting `deliverto` in `passwords` (did you mean `deliver_to`?)",
        ),
        ("[report]\nhtlm = 'x'", "2:1: unknown setting `htlm` in `report` (did you mean `html`?)"),
        ("a = { column = 'c', bank = 'clear' }", "1:21: unknown setting `bank` in `map.a` (did you mean `blank`?)"),
        (
            "[lookup.t]\npath = 'p'\nkey = 'k'\nkeyy = 'k'",
            "4:1: unknown setting `keyy` in `lookup.t` (did you mean `key`?)",
        ),
    ];
    for (more, said) in cases {
        assert_eq!(wrong(more), said);
    }
    assert_eq!(
        replaced("[match]", "tennant = 'x'\n[match]"),
        "6:1: unknown setting `tennant` in `target` (did you mean `tenant`?)"
    );
    assert_eq!(replaced("rules =", "x = 1\nrules ="), "7:1: unknown setting `x` in `match` (known here: rules)");
}

#[test]
fn a_value_of_another_type_says_what_was_expected_and_found() {
    let cases = [
        ("[policy]\ncreate = 'yes'", "2:10: `policy.create` must be true or false, not a string"),
        ("[policy]\nprotect = 'admin*'", "2:11: `policy.protect` must be a list of strings, not a string"),
        ("[policy]\nprotect = ['a', 1]", "2:17: `policy.protect` must be a string, not a whole number"),
        (
            "[policy]\nabsent_for = 7",
            "2:14: `policy.absent_for` must be a table such as { runs = 3, days = 7 }, not a whole number",
        ),
        ("[safety]\nmin_rows = 1.5", "2:12: `safety.min_rows` must be a whole number, not a decimal number"),
        (
            "[safety]\nmax_create = 0.2",
            "2:14: `safety.max_create` must be a percentage such as \"20%\", a count, or { percent = 20, count = 500 }, not a decimal number",
        ),
        (
            "[safety]\nplan_max_age = 24",
            "2:16: `safety.plan_max_age` must be a duration such as \"30s\", \"15m\", \"24h\" or \"90d\", not a whole number",
        ),
        ("[rate]\nrequests_per_second = '5'", "2:23: `rate.requests_per_second` must be a number, not a string"),
        (
            "[rate]\ndaily_reserve = 5",
            "2:17: `rate.daily_reserve` must be a percentage such as \"5%\", not a whole number",
        ),
        ("[journal]\npath = []", "2:8: `journal.path` must be a string, not a list"),
        ("[[rate]]\n", "1:1: `rate` must be a table, not a list"),
        ("a = 2024-01-01", "1:5: `map.a` must be a column, a template or a table (a date goes in quotes), not a date"),
        ("a = { generate = false }", "1:18: `map.a.generate` must be { length = 20 } or true, not true or false"),
    ];
    for (more, said) in cases {
        assert_eq!(wrong(more), said);
    }
    assert_eq!(
        replaced("\"people.csv\"", "7"),
        "2:8: `source.path` must be a file, a list of files, or \"-\", not a whole number"
    );
}

#[test]
fn a_value_out_of_range_says_the_range() {
    let cases = [
        ("[rate]\nconcurrency = 0", "2:15: `rate.concurrency` must be 1 to 256"),
        ("[rate]\nconcurrency = 257", "2:15: `rate.concurrency` must be 1 to 256"),
        ("[rate]\nburst = 0", "2:9: `rate.burst` must be 1 to 1000000"),
        (
            "[rate]\nrequests_per_second = 1_000_001",
            "2:23: `rate.requests_per_second` must be 0.001 to 1,000,000, or 0 for no limit",
        ),
        (
            "[rate]\nrequests_per_second = -1",
            "2:23: `rate.requests_per_second` must be 0.001 to 1,000,000, or 0 for no limit",
        ),
        (
            "[rate]\nrequests_per_second = nan",
            "2:23: `rate.requests_per_second` must be 0.001 to 1,000,000, or 0 for no limit",
        ),
        ("[rate]\ntimeout = '0s'", "2:11: `rate.timeout` must be longer than nothing"),
        ("[safety]\nmin_rows = -1", "2:12: `safety.min_rows` must be at least 0"),
        (
            "[safety]\nmax_create = '120%'",
            "2:14: `safety.max_create` must be a percentage such as \"20%\", a count, or { percent = 20, count = 500 }: 120 % is not between 0 % and 100 %",
        ),
        ("[safety]\nmax_create = {}", "2:14: `safety.max_create` names neither `percent` nor `count`"),
        (
            "[journal]\nkeep = '90'",
            "2:8: `journal.keep` must be a duration such as \"30s\", \"15m\", \"24h\" or \"90d\": \"90\" has no unit (ms, s, m, h, d, w)",
        ),
        ("a = { generate = { length = 7 } }", "1:29: `map.a.generate.length` must be 8 to 128"),
        ("a = { value = 99999999999999999999 }", "1:15: `map.a.value` must be at least -9223372036854775808"),
        ("a = ''", "1:5: `map.a` is empty"),
    ];
    for (more, said) in cases {
        assert_eq!(wrong(more), said);
    }
}

#[test]
fn a_name_that_is_none_suggests_the_nearest() {
    assert_eq!(
        replaced("\"imichat\"", "\"imichta\""),
        "4:8: `target.kind` must be one of \"imichat\", \"brightpattern\", \"scim\", not \"imichta\" (did you mean \"imichat\"?)"
    );
    assert_eq!(
        wrong("[policy]\nleavers = 'deactivat'"),
        "2:11: `policy.leavers` must be one of \"deactivate\", \"report\", not \"deactivat\" (did you mean \"deactivate\"?)"
    );
    assert_eq!(
        wrong("a = { column = 'c', parse = 'zzz' }"),
        "1:29: `map.a.parse` must be one of \"text\", \"bool\", \"int\", \"pairs\", \"list\", \"json\", not \"zzz\""
    );
    assert_eq!(
        replaced("\"sandbox\"", "\"sandbx\""),
        "5:12: `target.base_url` is neither an address nor \"sandbox\" (did you mean \"sandbox\"?)"
    );
}

#[test]
fn every_problem_is_told_at_once() {
    let said = wrong("a = 2024-01-01\n[policy]\nx = 1\ncreate = 1\n[rate]\nburst = 0\n[passwords]\ndeliver_to = 'me'");
    let places: Vec<_> = said.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["1:5", "3:1", "4:10", "6:9", "8:14"]);
}

#[test]
fn nothing_but_https_leaves_this_machine() {
    let help = "(use https://; plain http:// is for this machine alone (localhost, 127.0.0.1))";
    for url in
        ["http://acme.imi.chat", "http://localhost.acme.org", "ftp://acme.imi.chat", "http://0.0.0.0", "localhost:80"]
    {
        let said = replaced("\"sandbox\"", &format!("\"{url}\""));
        assert!(
            said.contains("5:12: `target.base_url` must begin with https://: nothing leaves unencrypted"),
            "{said}"
        );
        assert!(said.contains(help), "{said}");
    }
}

#[test]
fn settings_that_cannot_be_headers_or_paths_are_refused() {
    for (line, said) in [
        ("authorize_path = 'authorize'", "`target.authorize_path` must begin with /"),
        ("auth_header = 'a b'", "`target.auth_header` must be the name of an HTTP header"),
        ("team_id = 'a b'", "`target.team_id` must be without blanks: it is sent as a header"),
        ("team_id = 1.5", "`target.team_id` must be a string or a whole number, not a decimal number"),
        ("update_method = 'GET'", "`target.update_method` must be one of \"PATCH\", \"PUT\", \"POST\", not \"GET\""),
    ] {
        let told = replaced("[match]", &format!("{line}\n[match]"));
        assert!(told.starts_with("6:") && told.contains(said) && !told.contains('\n'), "{told}");
    }
}

#[test]
fn rules_are_lists_of_lists_that_are_not_empty() {
    let rules = |value: &str| replaced("[[\"login_id\"]]", value);
    assert_eq!(
        rules("[]"),
        "7:9: `match.rules` is empty: nobody could be found (add rules = [[\"login_id\"], [\"email_id\"]] below [match])"
    );
    assert_eq!(rules("[[]]"), "7:10: `match.rules` has a rule without attributes");
    assert_eq!(
        rules("['a']"),
        "7:10: `match.rules` must have a list of attributes for each rule, not a string (write [\"a\"]: attributes that must agree together stand in one list)"
    );
    assert_eq!(
        rules("'a'"),
        "7:9: `match.rules` must be a list of rules such as [[\"login_id\"], [\"email_id\"]], not a string"
    );
}

#[test]
fn the_map_says_which_table_form_is_meant() {
    let form = "must have one of `column`, `template`, `value` and `generate`";
    for (more, said) in [
        ("a = { column = 'c', value = 1 }", format!("1:5: `map.a` {form}")),
        ("a = { on = 'create' }", format!("1:5: `map.a` {form}")),
        ("a = {}", "1:5: `map.a` says nothing (use { column = \"…\" } or { value = … })".to_owned()),
        (
            "a = { column = '{{ c }}' }",
            "1:16: `map.a.column` is a template, not the name of a column (write a template as a plain string, or with on, parse and blank as template = \"{{ … }}\")"
                .to_owned(),
        ),
        (
            "a = { column = 'c', lookup = 't' }",
            "1:21: `lookup` is a filter of templates (look up in a template: \"{{ team | lookup('teams', 'team_id') }}\")"
                .to_owned(),
        ),
        (
            "a = { generate = true, parse = 'int' }",
            "1:32: `map.a.parse` has no effect on a generated value".to_owned(),
        ),
        ("a.b = 'x'\n\"a.b\" = 'y'", "2:1: `a.b` is mapped twice".to_owned()),
        ("a = { value = inf }", "1:15: `map.a.value` must be a finite number".to_owned()),
    ] {
        assert_eq!(wrong(more), said);
    }
}

#[test]
fn what_the_target_cannot_do_is_refused() {
    assert_eq!(
        wrong("[policy]\nabsent = 'delete'"),
        "2:10: `policy.absent` cannot be \"delete\": imichat has no way to delete an account (use \"deactivate\")"
    );
}

#[test]
fn patterns_encodings_delimiters_and_recipients_are_checked() {
    assert_eq!(
        wrong("[policy]\nprotect = ['ok*', 'a[']"),
        "2:19: `policy.protect` has a pattern that cannot be used: unclosed character class; missing ']'"
    );
    assert!(
        replaced("[target]", "encoding = 'latin-99'\n[target]")
            .starts_with("3:12: `source.encoding` is not an encoding: \"latin-99\" (usual ones: ")
    );
    assert!(
        replaced("[target]", "delimiter = ';;'\n[target]")
            .starts_with("3:13: `source.delimiter` must be one character")
    );
    assert_eq!(replaced("\"people.csv\"", "[]"), "2:8: `source.path` names no file");
    assert_eq!(replaced("\"people.csv\"", "['a', './a']"), "2:14: `source.path` names ./a twice");
    assert!(
        wrong("[passwords]\ndeliver_to = 'age1zzz'")
            .starts_with("2:14: `passwords.deliver_to` is not an age recipient: ")
    );
    assert_eq!(wrong("[report]\nhtml = '{date}.html'"), "2:8: `report.html` can only have {run} in braces");
    assert_eq!(
        wrong("[report]\nmetrics = '{run}.prom'"),
        "2:11: `report.metrics` must be one file for all runs, without braces"
    );
    assert!(
        wrong("[report]\nwebhook = { url = { env = 'H' }, on = [] }")
            .starts_with("2:39: `report.webhook.on` names nothing to notify about")
    );
    assert_eq!(
        wrong("[report]\nwebhook = { url = { env = 'H' }, on = ['fail'] }"),
        "2:40: `report.webhook.on` must be one of \"success\", \"failure\", \"held\", \"paused\", \"always\", not \"fail\" (did you mean \"failure\"?)"
    );
}

#[test]
fn a_file_that_is_not_there_or_not_text_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    let error = load(&file).unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}: cannot be read: ", file.display())), "{error}");
    assert!(rendered(&error).contains("--config FILE"));
    std::fs::write(&file, b"# caf\xe9\napi_key = 'hunter2'\n").unwrap();
    let error = load(&file).unwrap_err();
    assert_eq!(error.to_string(), format!("{}:1:6: is not UTF-8: byte 5", file.display()));
    assert!(!rendered(&error).contains("hunter2"));
}

#[test]
fn later_stages_point_into_the_file() {
    let settings = with("");
    let rule = &settings.rules[0][0];
    let error = ConfigError::at(&settings, rule.span.clone(), "no such attribute", Some("did you mean x?".into()));
    assert_eq!(error.to_string(), "/etc/headcount/config.toml:7:11: no such attribute");
    assert!(rendered(&error).contains("did you mean x?"));
    assert!(rendered(&error).contains("rules = [["));
    assert!(!rendered(&error.hiding(&rule.span)).contains("login_id\""));
}

#[test]
fn a_place_at_the_very_end_can_be_shown() {
    let error = ConfigError::at(&with(""), LEAST.len()..LEAST.len(), "ends too early", None);
    assert!(rendered(&error).contains("ends too early"));
}
