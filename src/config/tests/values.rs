//! What is read from a file that is right.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{LEAST, read, with};
use crate::config::{Delivery, Duplicates, Format, Occasion};
use crate::config::{load, parse};
use crate::connectors::imichat::{ImichatSettings, UpdateBody};
use crate::mapping::spec::{Blank, Entry, Expression, Generate, On, Parse};
use crate::plan::{Absent, InactiveNewcomers, Leavers, OnExceed, Policy, Safety, SafetyLimit};
use crate::settings::SecretSource;

fn imichat(more: &str) -> ImichatSettings {
    let settings = read(&LEAST.replacen("[match]", &format!("{more}\n[match]"), 1));
    let settings: Arc<dyn Any> = settings.unwrap_or_else(|error| panic!("{error:#}")).target.settings;
    settings.downcast_ref::<ImichatSettings>().unwrap().clone()
}

fn entry(line: &str) -> Entry {
    with(line).map.entries.remove(1)
}

fn expression(line: &str) -> Expression {
    entry(line).expression.value
}

#[test]
fn the_configuration_at_the_top_of_the_repository_is_right() {
    let settings = load(Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml").as_path())
        .unwrap_or_else(|error| panic!("{error:#}"));
    assert!(settings.target.is_sandbox());
    assert_eq!(settings.dir(), Path::new(env!("CARGO_MANIFEST_DIR")));
    assert_eq!(settings.source.paths, [settings.dir().join("samples/hr_export.csv")]);
    assert_eq!(settings.map.entries.len(), 10);
    assert_eq!(settings.passwords.deliver_to, Delivery::Discard);
    assert_eq!(settings.report.markdown, Some(settings.dir().join("reports/{run}.md")));
    assert_eq!(settings.report.html, Some(settings.dir().join("reports/{run}.html")));
}

#[test]
fn the_configuration_at_the_top_says_nothing_but_the_defaults_in_its_limits() {
    let settings = load(Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml").as_path()).unwrap();
    let least = with("");
    assert_eq!(settings.safety, least.safety);
    assert_eq!(settings.rate, least.rate);
    assert_eq!(Policy { protect: Vec::new(), ..settings.policy }, least.policy);
    assert_eq!(settings.journal.keep, least.journal.keep);
    assert_eq!(settings.report.redact, least.report.redact);
}

#[test]
fn what_is_left_out_has_its_default() {
    let settings = with("");
    assert_eq!((settings.policy, settings.safety), (Policy::default(), Safety::default()));
    assert_eq!(settings.rate.requests_per_second.to_bits(), 5.0_f64.to_bits());
    assert_eq!((settings.rate.burst, settings.rate.concurrency, settings.rate.retries), (5, 4, 5));
    assert_eq!(settings.rate.daily_reserve.of(10_000), 500);
    assert_eq!(settings.rate.timeout, Duration::from_secs(30));
    assert!(!settings.rate.wait_for_quota);
    assert_eq!(settings.journal.path, Path::new("/etc/headcount/.headcount"));
    assert_eq!(settings.journal.keep, Duration::from_secs(90 * 24 * 3600));
    assert_eq!(settings.passwords.deliver_to, Delivery::Discard);
    assert_eq!(settings.passwords.file, Path::new("/etc/headcount/passwords.age"));
    assert_eq!(settings.report.redact, ["password", "custom_attributes"]);
    assert!(settings.report.html.is_none() && settings.report.markdown.is_none());
    assert!(settings.report.metrics.is_none() && settings.report.webhook.is_none());
    assert_eq!(settings.target.tenant, "sandbox");
    assert!(settings.lookups.is_empty());
    assert!(settings.map.identity.is_none() && settings.map.include.is_none());
    assert_eq!((settings.source.header_row, settings.source.duplicates), (1, Duplicates::Error));
    assert_eq!((settings.source.format, settings.source.delimiter), (None, None));
    let imichat = imichat("");
    assert!(imichat.api_key.is_none() && imichat.domain.is_none() && imichat.team_id.is_none());
    assert_eq!((imichat.authorize_path.as_str(), imichat.auth_header.as_str()), ("/authorize", "auth_code"));
    assert_eq!((imichat.token_header.as_str(), imichat.privilege_key.as_str()), ("access_token", "teamid"));
    assert_eq!((imichat.update_method.as_str(), imichat.update_body), ("PATCH", UpdateBody::Full));
}

#[test]
fn paths_start_from_the_folder_of_the_file_and_standard_input_stays() {
    let paths = |path: &str| read(&LEAST.replacen("\"people.csv\"", path, 1)).unwrap().source.paths;
    assert_eq!(paths("'./a/people.csv'"), [PathBuf::from("/etc/headcount/a/people.csv")]);
    assert_eq!(paths("'/srv/people.csv'"), [PathBuf::from("/srv/people.csv")]);
    assert_eq!(paths("'-'"), [PathBuf::from("-")]);
    assert_eq!(paths("['a.csv', '-']"), [PathBuf::from("/etc/headcount/a.csv"), PathBuf::from("-")]);
    let settings = parse(LEAST, Path::new("config.toml")).unwrap();
    assert_eq!(settings.dir(), std::env::current_dir().unwrap());
    assert_eq!(settings.source.paths, [std::env::current_dir().unwrap().join("people.csv")]);
}

#[test]
fn every_setting_of_the_source_is_read() {
    let text = "path = 'x'\nformat = 'tsv'\ndelimiter = \"\\t\"\nencoding = 'windows-1252'\nsheet = 'Staff'\n\
                header_row = 3\ninclude = 'a > 1'\nidentity = 'id'\nduplicates = 'last'\nblank = 'clear'";
    let settings = read(&LEAST.replacen("path = \"people.csv\"", text, 1)).unwrap();
    assert_eq!((settings.source.format, settings.source.delimiter), (Some(Format::Tsv), Some(b'\t')));
    assert_eq!(settings.source.encoding.as_deref(), Some("windows-1252"));
    assert_eq!((settings.source.sheet.as_deref(), settings.source.header_row), (Some("Staff"), 3));
    assert_eq!((settings.source.duplicates, settings.map.blank), (Duplicates::Last, Blank::Clear));
    let (include, identity) = (settings.map.include.unwrap(), settings.map.identity.unwrap());
    assert_eq!((include.value.as_str(), &settings.text[include.span]), ("a > 1", "'a > 1'"));
    assert_eq!((identity.value.as_str(), &settings.text[identity.span]), ("id", "'id'"));
}

#[test]
fn lookups_have_names_paths_and_keys() {
    let settings = with("[lookup.teams]\npath = 't.csv'\nkey = 'name'\n[lookup.a]\npath = 'a.csv'\nkey = 'k'");
    let lookups: Vec<_> = settings.lookups.iter().map(|l| (l.name.value.as_str(), l.key.value.as_str())).collect();
    assert_eq!(lookups, [("teams", "name"), ("a", "k")]);
    assert_eq!(settings.lookups[0].path, Path::new("/etc/headcount/t.csv"));
}

#[test]
fn every_setting_of_imichat_is_read() {
    let imichat = imichat(
        "api_key = { file = 'key' }\ndomain = 'd'\nteam_id = 7\nauthorize_path = '/auth'\nauth_header = 'x-code'\n\
         token_header = 'x-token'\nupdate_method = 'PUT'\nupdate_body = 'changed'\nprivilege_key = 'team_id'",
    );
    assert_eq!(imichat.api_key, Some(SecretSource::File("/etc/headcount/key".into())));
    assert_eq!((imichat.domain.as_deref(), imichat.team_id.as_deref()), (Some("d"), Some("7")));
    assert_eq!((imichat.authorize_path.as_str(), imichat.auth_header.as_str()), ("/auth", "x-code"));
    assert_eq!((imichat.token_header.as_str(), imichat.privilege_key.as_str()), ("x-token", "team_id"));
    assert_eq!((imichat.update_method.as_str(), imichat.update_body), ("PUT", UpdateBody::Changed));
}

#[test]
fn secrets_are_only_named() {
    let key = |line: &str| imichat(&format!("api_key = {line}")).api_key.unwrap();
    assert_eq!(key("{ env = 'KEY' }"), SecretSource::Env("KEY".into()));
    assert_eq!(key("{ file = '/run/key' }"), SecretSource::File("/run/key".into()));
    let words = SecretSource::Command(vec!["pass".into(), "show".into(), "key".into()]);
    assert_eq!(key("{ command = 'pass show  key' }"), words);
    assert_eq!(key("{ command = ['pass', 'show', 'key'] }"), words);
}

#[test]
fn addresses_are_https_or_loopback_and_lose_their_slash() {
    let target = |url: &str| {
        let settings = "api_key = { env = 'K' }\ndomain = 'd'\n[match]";
        let text = LEAST.replacen("\"sandbox\"", url, 1).replacen("[match]", settings, 1);
        read(&text).unwrap_or_else(|error| panic!("{error:#}")).target
    };
    assert_eq!(target("'https://Acme.imi.chat/v3.1/'").base_url.value, "https://acme.imi.chat/v3.1");
    assert_eq!(target("'https://acme.imi.chat/v3.1/'").tenant, "acme.imi.chat");
    for url in ["http://localhost:8080", "http://127.0.0.1:1/v3.1", "http://127.1.2.3:1", "http://[::1]:9"] {
        assert_eq!(target(&format!("'{url}'")).base_url.value, url);
    }
}

#[test]
fn limits_are_shares_counts_or_both() {
    let limit = |value: &str| {
        let SafetyLimit { percent, count } = with(&format!("[safety]\nmax_create = {value}")).safety.max_create;
        (percent.map(|percent| percent.of(100)), count)
    };
    assert_eq!(limit("'25%'"), (Some(25), None));
    assert_eq!(limit("7"), (None, Some(7)));
    assert_eq!(limit("0"), (None, Some(0)));
    assert_eq!(limit("{ percent = 20, count = 500 }"), (Some(20), Some(500)));
    assert_eq!(limit("{ percent = '20%' }"), (Some(20), None));
    assert_eq!(limit("{ percent = 12.5 }"), (Some(13), None));
    assert_eq!(limit("{ count = 500 }"), (None, Some(500)));
    let safety = with("[safety]\nmax_row_drop = 9\nmax_invalid = '1%'\nmax_deactivate = 3").safety;
    assert_eq!((safety.max_row_drop.count, safety.max_deactivate.count), (Some(9), Some(3)));
    assert_eq!(safety.max_invalid.percent.map(|percent| percent.of(100)), Some(1));
}

#[test]
fn policy_and_safety_are_read() {
    let settings = with(
        "[policy]\ncreate = false\nupdate = false\nleavers = 'report'\nabsent = 'deactivate'\nabsent_for = { days = 30 }\n\
         reactivate = false\nprotect = ['admin*']\ninactive_newcomers = 'create'\n\
         [safety]\nmin_rows = 10\non_exceed = 'stop'\nplan_max_age = '1h'\nfresh_for = '0s'\nrun_max_age = '2d'",
    );
    let policy = settings.policy;
    assert!(!policy.create && !policy.update && !policy.reactivate);
    assert_eq!((policy.leavers, policy.absent), (Leavers::Report, Absent::Deactivate));
    assert_eq!((policy.absent_for.runs, policy.absent_for.days), (3, 30));
    assert_eq!((policy.protect, policy.inactive_newcomers), (vec!["admin*".to_owned()], InactiveNewcomers::Create));
    let safety = settings.safety;
    assert_eq!((safety.min_rows, safety.on_exceed), (10, OnExceed::Stop));
    assert_eq!((safety.plan_max_age, safety.fresh_for), (Duration::from_secs(3600), Duration::ZERO));
    assert_eq!(safety.run_max_age, Duration::from_secs(2 * 24 * 3600));
}

#[test]
fn rate_journal_passwords_and_reports_are_read() {
    let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let settings = with(&format!(
        "[rate]\nrequests_per_second = 0.5\nburst = 1\nconcurrency = 256\ndaily_reserve = '0%'\nretries = 0\n\
         timeout = '500ms'\nwait_for_quota = true\n[journal]\npath = 'state'\nkeep = '1w'\n\
         [passwords]\ndeliver_to = '{recipient}'\nfile = 'p.age'\n\
         [report]\nhtml = 'r/{{run}}.html'\nredact = []\nmetrics = 'm.prom'\n\
         webhook = {{ url = {{ env = 'HOOK' }}, on = ['success'], secret = {{ file = 'hook.key' }} }}"
    ));
    assert_eq!(settings.rate.requests_per_second.to_bits(), 0.5_f64.to_bits());
    assert_eq!((settings.rate.burst, settings.rate.concurrency, settings.rate.retries), (1, 256, 0));
    assert_eq!((settings.rate.daily_reserve.of(100), settings.rate.timeout), (0, Duration::from_millis(500)));
    assert!(settings.rate.wait_for_quota);
    assert_eq!(settings.journal.path, Path::new("/etc/headcount/state"));
    assert_eq!(settings.journal.keep, Duration::from_secs(7 * 24 * 3600));
    assert_eq!(settings.passwords.deliver_to, Delivery::Recipient(recipient.into()));
    assert_eq!(settings.report.html.as_deref(), Some(Path::new("/etc/headcount/r/{run}.html")));
    assert!(settings.report.redact.is_empty());
    let webhook = settings.report.webhook.unwrap();
    assert_eq!((webhook.url, webhook.on), (SecretSource::Env("HOOK".into()), vec![Occasion::Success]));
    assert_eq!(webhook.secret, Some(SecretSource::File("/etc/headcount/hook.key".into())));
    assert_eq!(with("[rate]\nrequests_per_second = 1_000_000").rate.requests_per_second.to_bits(), 1e6_f64.to_bits());
    assert_eq!(with("[rate]\nrequests_per_second = 0").rate.requests_per_second.to_bits(), 0);
}

#[test]
fn a_webhook_is_told_of_what_went_wrong_unless_it_wants_more() {
    let on =
        |on: &str| with(&format!("[report]\nwebhook = {{ url = {{ env = 'H' }}{on} }}")).report.webhook.unwrap().on;
    assert_eq!(on(""), [Occasion::Failure, Occasion::Held]);
    assert_eq!(on(", on = ['paused', 'always', 'paused']").len(), 4);
}

#[test]
fn a_string_of_the_map_is_a_column_or_a_template() {
    assert_eq!(expression("a = 'work_email'"), Expression::Column("work_email".into()));
    assert_eq!(expression("a = '{{ x }}'"), Expression::Template("{{ x }}".into()));
    assert_eq!(expression("a = '{% if x %}y{% endif %}'"), Expression::Template("{% if x %}y{% endif %}".into()));
    assert_eq!(expression("a = true"), Expression::Bool(true));
}

#[test]
fn the_table_form_says_how_an_attribute_is_read_and_written() {
    let entry = entry("a = { column = 'c', on = 'create', parse = 'pairs', blank = 'error' }");
    assert_eq!(entry.expression.value, Expression::Column("c".into()));
    assert_eq!((entry.on, entry.parse, entry.blank), (On::Create, Some(Parse::Pairs), Some(Blank::Error)));
    assert_eq!(expression("a = { template = '{{ c }}', on = 'never' }"), Expression::Template("{{ c }}".into()));
    assert_eq!(expression("[map.a]\ncolumn = 'c'"), Expression::Column("c".into()));
    assert_eq!(expression("a.column = 'c'"), Expression::Column("c".into()));
}

#[test]
fn a_value_stands_for_itself() {
    assert_eq!(expression("a = { value = true }"), Expression::Bool(true));
    assert_eq!(expression("a = { value = -7 }"), Expression::Int(-7));
    assert_eq!(expression("a = { value = 1.5 }"), Expression::Float(1.5));
    assert_eq!(expression("a = { value = '{{ x }}' }"), Expression::Text("{{ x }}".into()));
    assert_eq!(expression("a = { value = '' }"), Expression::Text(String::new()));
    let Expression::List(list) = expression("a = { value = ['x'] }") else { panic!("a list") };
    assert_eq!(list[0].value, Expression::Text("x".into()));
}

#[test]
fn a_generated_secret_has_a_length() {
    let generate = |length| Expression::Generate(Generate { length });
    assert_eq!(expression("a = { generate = { length = 8 } }"), generate(8));
    assert_eq!(expression("a = { generate = { length = 128 } }"), generate(128));
    assert_eq!(expression("a = { generate = true }"), generate(20));
    assert_eq!(expression("a = { generate = {} }"), generate(20));
}

#[test]
fn lists_and_objects_have_columns_and_templates_in_them() {
    let settings = with("privileges = [{ teamid = \"{{ t }}\", role = 'role', n = 1 }]");
    let Expression::List(list) = &settings.map.entries[1].expression.value else { panic!("a list") };
    let Expression::Object(fields) = &list[0].value else { panic!("an object") };
    let fields: Vec<_> =
        fields.iter().map(|(name, field)| (name.as_str(), &field.value, &settings.text[field.span.clone()])).collect();
    assert_eq!(
        fields,
        [
            ("teamid", &Expression::Template("{{ t }}".into()), "\"{{ t }}\""),
            ("role", &Expression::Column("role".into()), "'role'"),
            ("n", &Expression::Int(1), "1"),
        ]
    );
}

#[test]
fn dotted_keys_are_one_entry_for_each_leaf_and_know_their_place() {
    let settings = with(
        "skills.English = 'en'\nskills.Spanish = { column = 'es', blank = 'clear' }\nname = { given.first = 'g' }\n\
         'emails[type eq \"work\"].value' = 'mail'\n[map.custom]\nbusiness = 'b'",
    );
    let entries: Vec<_> = settings.map.entries[1..]
        .iter()
        .map(|entry| (entry.attribute.value.as_str(), &settings.text[entry.attribute.span.clone()]))
        .collect();
    assert_eq!(
        entries,
        [
            ("skills.English", "skills.English"),
            ("skills.Spanish", "skills.Spanish"),
            ("name.given.first", "given.first"),
            ("emails[type eq \"work\"].value", "'emails[type eq \"work\"].value'"),
            ("custom.business", "business"),
        ]
    );
    assert_eq!(settings.map.entries[2].blank, Some(Blank::Clear));
    let span = settings.map.entries[1].expression.span.clone();
    assert_eq!(&settings.text[span], "'en'");
}

#[test]
fn rules_know_their_place() {
    let settings = read(&LEAST.replacen("[[\"login_id\"]]", "[['a', 'b'], ['c']]", 1)).unwrap();
    let rules: Vec<Vec<_>> =
        settings.rules.iter().map(|rule| rule.iter().map(|a| &settings.text[a.span.clone()]).collect()).collect();
    assert_eq!(rules, [vec!["'a'", "'b'"], vec!["'c'"]]);
}

#[test]
fn a_mark_before_the_text_and_windows_line_ends_are_no_part_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    std::fs::write(&file, format!("\u{feff}{}", LEAST.replace('\n', "\r\n"))).unwrap();
    let settings = load(&file).unwrap();
    assert_eq!(&settings.text[settings.rules[0][0].span.clone()], "\"login_id\"");
    assert_eq!(settings.digest, with("").digest);
}
