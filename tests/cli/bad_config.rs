//! Bad configurations: file, line, column, the line itself, and what would be right; no request.

use crate::support::{Project, Tenant, three_accounts, three_rows};

#[track_caller]
fn refused(change: impl FnOnce(&Project) -> &Project, pieces: &[&str]) {
    let tenant: Tenant = three_accounts();
    let project = tenant.project(&three_rows());
    change(&project);
    for args in [&["check"][..], &["plan"], &["sync", "--yes"]] {
        let ran = project.run(args);
        ran.expect(1).says(pieces);
        assert_eq!(ran.stdout, "");
    }
    let (_, summary) = project.json(&["sync", "--yes"]);
    assert_eq!((&summary["outcome"], &summary["error"]["kind"]), (&"failed".into(), &"configuration".into()));
    assert_eq!(tenant.requests(), 0);
}

#[test]
fn no_configuration() {
    refused(
        |project| {
            std::fs::remove_file(project.path("config.toml")).unwrap();
            project
        },
        &["config.toml", "--config"],
    );
}

#[test]
fn a_configuration_that_is_not_text() {
    refused(|project| project.write("config.toml", b"[source]\npath = \"\xff\"\n"), &["config.toml", "UTF-8"]);
}

#[test]
fn toml_that_does_not_parse_is_shown_with_line_and_column() {
    refused(|project| project.edit("identity = \"id\"", "identity = \"id"), &["config.toml:3:", "identity = \"id"]);
    refused(|project| project.edit("[match]", "[match"), &["config.toml:12:", "[match"]);
    refused(|project| project.edit("tenant = \"acme\"", "tenant = acme"), &["config.toml:", "tenant = acme"]);
    refused(|project| project.edit("[policy]", "[policy]\ncreate = true\ncreate = false"), &["create", "config.toml:"]);
}

#[test]
fn a_value_of_the_wrong_type_is_shown_with_line_and_column() {
    refused(
        |project| project.edit("identity = \"id\"", "identity = 7"),
        &["config.toml:3:12", "identity = 7", "source.identity", "string"],
    );
    refused(|project| project.set("retries", "\"often\""), &["config.toml:", "retries = \"often\"", "whole number"]);
    refused(|project| project.add("policy", "create = \"yes\""), &["create = \"yes\"", "true"]);
    refused(|project| project.add("safety", "max_update = \"lots\""), &["max_update = \"lots\"", "20%"]);
    refused(|project| project.add("safety", "plan_max_age = \"soon\""), &["plan_max_age = \"soon\"", "24h"]);
    refused(|project| project.add("policy", "leavers = \"deactvate\""), &["leavers = \"deactvate\"", "deactivate"]);
}

#[test]
fn an_unknown_setting_suggests_the_nearest_name() {
    refused(|project| project.add("rate", "concurency = 3"), &["concurency = 3", "config.toml:", "concurrency"]);
    refused(|project| project.edit("[policy]", "[polizy]"), &["[polizy]", "policy"]);
    refused(|project| project.edit("identity = \"id\"", "idenity = \"id\""), &["idenity", "identity"]);
}

#[test]
fn an_unknown_column_filter_or_attribute_suggests_the_nearest_name() {
    refused(|project| project.edit("\"first\"", "\"frist\""), &["config.toml:", "frist", "first"]);
    refused(|project| project.edit("first_name = \"first\"", "frst_name = \"first\""), &["frst_name", "first_name"]);
    refused(|project| project.edit("login_id = \"login\"", "login_id = \"{{ login | lowr }}\""), &["lowr", "lower"]);
    refused(|project| project.edit("login_id = \"login\"", "login_id = \"{{ logn }}\""), &["logn", "login"]);
    refused(
        |project| project.edit("login_id = \"login\"", "login_id = \"{{ login\""),
        &["login_id = \"{{ login\"", "config.toml:"],
    );
}

#[test]
fn a_match_rule_must_name_an_attribute_that_is_mapped_and_shown() {
    refused(|project| project.edit("[\"login_id\"]", "[\"logn_id\"]"), &["logn_id", "login_id"]);
    refused(|project| project.edit("[\"login_id\"]", "[\"password\"]"), &["password", "config.toml:"]);
    refused(|project| project.edit("email_id = \"email\"\n", ""), &["email_id", "config.toml:"]);
}

#[test]
fn a_required_attribute_that_is_not_mapped() {
    refused(|project| project.edit("password = { generate = { length = 20 } }\n", ""), &["password", "[map]"]);
}

#[test]
fn an_address_that_leaks_or_that_is_none() {
    let elsewhere = |url: &str, pieces: &[&str]| {
        refused(|project| project.set("base_url", &format!("\"{url}\"")), pieces);
    };
    elsewhere("http://acme.imi.chat/v3.1", &["https://", "base_url"]);
    elsewhere("sandbx", &["sandbx", "sandbox"]);
    elsewhere("https://user:word@acme.imi.chat/v3.1", &["base_url", "a user or a password"]);
}

#[test]
fn a_live_tenant_needs_a_key_and_a_domain() {
    refused(
        |project| project.edit("api_key = { env = \"HEADCOUNT_TEST_KEY\" }\n", ""),
        &["api_key", "config.toml", "env"],
    );
    refused(|project| project.edit("domain = \"acme.imi.chat\"\n", ""), &["domain", "config.toml"]);
}

#[test]
fn a_key_that_is_not_where_the_configuration_says() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.edit("HEADCOUNT_TEST_KEY", "HEADCOUNT_NO_KEY");
    project.run(&["sync", "--yes"]).expect(1).says(&["HEADCOUNT_NO_KEY", "target.api_key", "not set"]);
    project.edit("{ env = \"HEADCOUNT_NO_KEY\" }", "{ file = \"no.key\" }");
    project.run(&["sync", "--yes"]).expect(1).says(&["no.key", "target.api_key"]);
    project.edit("{ file = \"no.key\" }", "{ command = \"false\" }");
    project.run(&["sync", "--yes"]).expect(1).says(&["target.api_key", "false", "failed"]);
    assert_eq!(tenant.requests(), 0);
}

#[test]
fn several_mistakes_are_told_at_once() {
    refused(
        |project| project.add("rate", "concurency = 3").add("policy", "creat = true").set("retries", "-1"),
        &["concurency", "creat", "retries"],
    );
}

#[test]
fn a_recipient_that_is_none_or_a_private_key() {
    let with = |recipient: &str, pieces: &[&str]| {
        let lines = format!("\n[passwords]\ndeliver_to = \"{recipient}\"\n");
        refused(|project| project.write("config.toml", project.read("config.toml") + &lines), pieces);
    };
    with("age1nonsense", &["age1nonsense", "age-keygen"]);
    with("AGE-SECRET-KEY-1QQQQ", &["private key", "age-keygen -y"]);
}
