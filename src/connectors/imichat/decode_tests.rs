use std::collections::BTreeMap;

use super::super::schema::{UpdateBody, make_schema};
use super::*;

fn schema() -> Schema {
    make_schema(UpdateBody::Full)
}

fn one(json: &str) -> Option<Account> {
    read_user(&schema(), JsonTree::parse(json.as_bytes()).unwrap())
}

fn page(json: &str) -> ImichatPage {
    read_page(&schema(), JsonTree::parse(json.as_bytes()).unwrap())
}

fn get<'a>(account: &'a Account, name: &str) -> Option<&'a Value> {
    account.values.get(schema().id(name).unwrap())
}

fn ids(page: &ImichatPage) -> Vec<Option<&str>> {
    page.records.as_ref().unwrap().iter().map(|record| record.as_ref().map(|a| a.id.as_str())).collect()
}

#[test]
fn a_user_is_read_with_what_the_api_shows_and_nothing_else() {
    let account =
        one(r#"{"id":4711,"created_at":"2024-01-02 03:04:05","login_id":"ana.diaz","email_id":"ana@acme.org",
        "first_name":"Ana","last_name":"D\u00edaz","status":"active","logged_in":false,"job_description":null,
        "login_using_email":"true","role_type":"Customer Care","accepting_chats":0,"active_chats":"2",
        "skill_attributes":{"English":100,"Level":"80","Deep":{"a":[1,2.5,null,true]}},"secret_sauce":{"x":1}}"#)
        .unwrap();
    assert_eq!((account.id.as_str(), &account.protected), ("4711", &None));
    let shown = |name| serde_json::to_string(get(&account, name).unwrap()).unwrap();
    assert_eq!(shown("id"), "4711");
    assert_eq!(shown("last_name"), "\"Díaz\"");
    assert_eq!(shown("job_description"), "null");
    assert_eq!(shown("login_using_email"), "true");
    assert_eq!(shown("accepting_chats"), "false");
    assert_eq!(shown("active_chats"), "2");
    assert_eq!(shown("skill_attributes"), r#"{"Deep":{"a":[1,2.5,null,true]},"English":100,"Level":"80"}"#);
    assert_eq!(get(&account, "updated_at"), None);
    assert_eq!(account.values.len(), 14);
}

#[test]
fn skills_that_are_nothing_are_an_empty_object() {
    for nothing in ["null", "\"\"", "[]", "{}"] {
        let account = one(&format!(r#"{{"id":1,"skill_attributes":{nothing}}}"#)).unwrap();
        assert_eq!(get(&account, "skill_attributes"), Some(&Value::Object(BTreeMap::new())), "{nothing}");
    }
}

#[test]
fn texts_that_arrive_as_numbers_are_texts() {
    let account = one(r#"{"id":" 12 ","login_id":1072,"first_name":1.5,"last_name":true}"#).unwrap();
    assert_eq!(account.id.as_str(), "12");
    assert_eq!(get(&account, "login_id"), Some(&Value::text("1072")));
    assert_eq!(get(&account, "first_name"), Some(&Value::text("1.5")));
    assert_eq!(get(&account, "last_name"), Some(&Value::text("true")));
}

#[test]
fn administrative_accounts_are_protected_however_it_is_written() {
    for (role, protected) in [
        ("Administrative", true),
        ("administrative", true),
        ("ADMINISTRATIVE ", true),
        ("Administrator", true),
        ("Customer Care", false),
        ("", false),
    ] {
        let account = one(&format!(r#"{{"id":1,"role_type":"{role}"}}"#)).unwrap();
        assert_eq!(account.protected.is_some(), protected, "{role}");
    }
    assert_eq!(one(r#"{"id":1,"role_type":null}"#).unwrap().protected, None);
    for user in [
        r#"{"id":1,"role_type":["Customer Care","Administrative"]}"#,
        r#"{"id":1,"role_type":{"name":"Administrative"}}"#,
        r#"{"id":1,"role_type":"Administrative","role_type":"Customer Care"}"#,
        r#"{"role_type":"Administrative","user":{"id":1}}"#,
    ] {
        assert!(one(user).unwrap().protected.is_some(), "{user}");
    }
}

#[test]
fn one_user_is_found_in_each_form_of_the_response() {
    for json in [r#"{"id":7}"#, r#"{"user":{"id":"7"}}"#, r#"[{"id":7},{"id":8}]"#, r#"{"user":[{"id":7}]}"#] {
        assert_eq!(one(json).unwrap().id.as_str(), "7", "{json}");
    }
    for json in ["null", "\"\"", "{}", "[]", "5", "true", r#"{"id":null}"#, r#"{"id":""}"#, r#"{"id":{}}"#] {
        assert_eq!(one(json), None, "{json}");
    }
}

#[test]
fn a_page_is_found_in_each_form_of_the_response() {
    for json in [r#"{"users":[{"id":1},{"id":2}]}"#, r#"[{"id":1},{"id":2}]"#] {
        assert_eq!(ids(&page(json)), [Some("1"), Some("2")], "{json}");
    }
    for json in ["null", "\"\"", "[]", "{}", r#"{"users":null}"#, r#"{"users":""}"#, r#"{"users":{}}"#] {
        assert_eq!(page(json).records, Some(Vec::new()), "{json}");
    }
}

#[test]
fn a_response_of_a_wrong_shape_is_no_page() {
    for json in ["5", "true", "1.5", "\"users\"", r#"{"people":[]}"#, r#"{"users":5}"#, r#"{"users":{"0":{}}}"#] {
        assert_eq!(page(json).records, None, "{json}");
    }
}

#[test]
fn a_record_that_is_no_user_is_a_gap_and_the_others_stay() {
    let page = page(r#"{"users":[{"id":1},null,"x",[1],{"first_name":"Ana"},7,{"id":2}]}"#);
    assert_eq!(ids(&page), [Some("1"), None, None, None, None, None, Some("2")]);
}

#[test]
fn links_are_read_in_every_form() {
    let links = |json: &str| page(&format!(r#"{{"users":[],"links":{json}}}"#)).facts;
    let said = |more, pages| PageFacts { more, pages, ..PageFacts::default() };
    assert_eq!(links(r#"{"next":"https://x/?page=2","pages":12}"#), said(Some(true), Some(12)));
    assert_eq!(links(r#"{"next":null,"pages":"12"}"#), said(Some(false), Some(12)));
    for none in [r#""""#, "false", "0", "[]", "{}"] {
        assert_eq!(links(&format!(r#"{{"next":{none}}}"#)).more, Some(false), "{none}");
    }
    for some in ["2", "\"2\"", "true"] {
        assert_eq!(links(&format!(r#"{{"next":{some}}}"#)).more, Some(true), "{some}");
    }
    for nothing in ["null", "[]", "\"\"", "5", r#"{"pages":-1}"#, r#"{"pages":[1]}"#] {
        assert_eq!(links(nothing), PageFacts::default(), "{nothing}");
    }
}

#[test]
fn an_envelope_needs_nothing_but_its_code() {
    let open = |json: &str| serde_json::from_str::<Envelope>(json).ok().map(|e| (e.status_code, e.description));
    assert_eq!(open(r#"{"status_code":4306,"description":"ok","response":""}"#), Some((4306, "ok".into())));
    assert_eq!(open(r#"{"status_code":"4306"}"#), Some((4306, String::new())));
    assert_eq!(open(r#"{"response":[1],"description":["a"],"status_code":1,"x":2}"#), Some((1, "[\"a\"]".into())));
    for json in ["{}", "[]", "5", r#"{"status_code":null}"#, r#"{"status_code":"x"}"#, r#"{"status_code":-1}"#, "<p>"] {
        assert_eq!(open(json), None, "{json}");
    }
}
