use serde_json::json;

use super::super::discovery::read_definitions;
use super::super::path::{CORE, ENTERPRISE};
use super::*;

const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

fn named(mapped: &[&str]) -> Layout {
    make_layout(&mapped.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
}

fn one(name: &str) -> Attribute {
    let layout = named(&[name]);
    layout.schema.get(layout.schema.id(name).unwrap_or_else(|| panic!("{name} is known"))).clone()
}

fn letters(attribute: &Attribute) -> String {
    let letters = [(attribute.create, 'C'), (attribute.read, 'R'), (attribute.update, 'U')];
    letters.iter().filter_map(|(is, letter)| is.then_some(*letter)).collect()
}

fn refine(name: &str, schema: &str, attributes: serde_json::Value) -> Attribute {
    let layout = named(&[name]);
    let schemas = json!({"Resources": [{"id": schema, "attributes": attributes}]});
    let refined = layout.refine_layout(&read_definitions(&schemas)).schema;
    refined.get(refined.id(name).unwrap()).clone()
}

#[test]
fn what_finds_shows_and_deactivates_people_is_always_there() {
    let layout = named(&[]);
    let names: Vec<_> = layout.schema.iter().map(|(_, attribute)| attribute.name.as_str()).collect();
    assert_eq!(names, ALWAYS);
    let spelt_out = named(&["title", "urn:ietf:params:scim:schemas:core:2.0:User:userName"]);
    assert!(
        [layout.path_of(USER_NAME), spelt_out.path_of(USER_NAME)].iter().all(|path| path.to_string() == "userName")
    );
    let lifecycle = layout.schema.lifecycle.clone().unwrap();
    assert_eq!(layout.schema.name(lifecycle.attribute), "active");
    assert_eq!((lifecycle.active, lifecycle.inactive), (Value::Bool(true), Value::Bool(false)));
    assert!(layout.schema.can_delete && !layout.schema.full_updates);
    assert!(layout.schema.get(lifecycle.attribute).create);
}

#[test]
fn attributes_have_the_capabilities_that_the_rfc_gives_them() {
    let user_name = one("userName");
    assert!(user_name.required && user_name.unique && !user_name.case_exact);
    assert_eq!(letters(&user_name), "CRU");
    let password = one("password");
    assert!(password.secret && !password.required);
    assert_eq!(letters(&password), "C");
    assert_eq!(letters(&one("id")), "R");
    assert_eq!(letters(&one("groups")), "R");
    assert!(one("externalId").case_exact);
    assert!(!one(r#"emails[type eq "work"].value"#).case_exact);
    assert_eq!(one("active").kind, Kind::Bool);
    assert_eq!(one("emails[primary eq true].primary").kind, Kind::Bool);
    assert_eq!(one("roles").kind, Kind::List(Box::new(Kind::Text)));
    assert_eq!(one("emails").kind, Kind::List(Box::new(Kind::Json)));
    assert!(one("name").merge);
    assert_eq!(letters(&one(DEPARTMENT)), "CRU");
}

#[test]
fn the_case_of_what_people_read_counts() {
    assert!(one("name.familyName").case_exact);
    let smith = refine(
        "name.familyName",
        CORE,
        json!([{"name": "name", "subAttributes": [{"name": "familyName", "caseExact": false}]}]),
    );
    assert!(smith.case_exact);
}

#[test]
fn what_the_standard_does_not_have_is_not_there() {
    for name in [
        "login",
        "username",
        "name.first",
        "userName.first",
        "emails.value",
        r#"emails[type eq "work"]"#,
        "meta",
        r#"emails[kind eq "work"].value"#,
        "meta.created",
        "",
        "name[type eq \"x\"].givenName",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:shoeSize",
    ] {
        assert_eq!(named(&[name]).schema.id(name), None, "{name}");
        assert_eq!(named(&[name]).schema.iter().count(), ALWAYS.len());
    }
}

#[test]
fn an_extension_that_nobody_knows_is_taken_for_texts() {
    let badge = one("urn:acme:params:scim:schemas:1.0:User:badge");
    assert_eq!((badge.kind.clone(), letters(&badge).as_str()), (Kind::Text, "CRU"));
}

#[test]
fn a_mapped_path_is_named_as_the_configuration_spells_it_and_there_once() {
    let work = r#"emails[type eq "Work"].value"#;
    let layout = named(&[work, "title", "title", "urn:ietf:params:scim:schemas:core:2.0:User:title"]);
    assert!(layout.schema.id(work).is_some());
    assert_eq!(layout.schema.id(r#"emails[type eq "work"].value"#), None);
    assert_eq!(layout.schema.iter().count(), ALWAYS.len() + 1);
    assert_eq!(layout.path_of(layout.schema.id("title").unwrap()).to_string(), "title");
}

#[test]
fn there_are_never_more_attributes_than_a_schema_holds() {
    let mapped: Vec<String> = (0..300).map(|n| format!("urn:acme:1.0:User:a{n}")).collect();
    assert_eq!(make_schema(&mapped).iter().count(), Schema::MOST);
}

#[test]
fn the_server_says_what_may_be_written_and_what_is_shown() {
    for (mutability, returned, expected) in [
        ("readWrite", "default", "CRU"),
        ("readOnly", "always", "R"),
        ("immutable", "default", "CR"),
        ("writeOnly", "never", "CU"),
        ("readWrite", "request", "CU"),
        ("READWRITE", "default", "CRU"),
        ("nonsense", "nonsense", "CRU"),
    ] {
        let definition = json!([{"name": "Title", "mutability": mutability, "returned": returned}]);
        assert_eq!(letters(&refine("title", CORE, definition)), expected, "{mutability} {returned}");
    }
    let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value";
    let definition = json!([{"name": "manager", "mutability": "readOnly", "subAttributes": [
        {"name": "value", "mutability": "readWrite"}
    ]}]);
    assert_eq!(letters(&refine(manager, ENTERPRISE, definition)), "R");
}

#[test]
fn the_server_says_what_is_required_unique_and_compared_with_case() {
    let title = refine("title", CORE, json!([{"name": "title", "required": "True", "uniqueness": "server"}]));
    assert!(title.required && title.unique);
    assert!(refine("userName", CORE, json!([{"name": "userName", "caseExact": true}])).case_exact);
    // The server may leave out what the standard demands.
    assert!(refine("userName", CORE, json!([{"name": "userName"}])).required);
    let email = r#"emails[type eq "work"].value"#;
    let required =
        json!([{"name": "emails", "required": true, "subAttributes": [{"name": "value", "required": true}]}]);
    assert!(!refine(email, CORE, required).required);
}

#[test]
fn a_password_stays_a_secret_whatever_the_server_says() {
    let password =
        refine("password", CORE, json!([{"name": "password", "mutability": "readWrite", "returned": "always"}]));
    assert!(password.secret);
    assert_eq!(letters(&password), "C");
}

#[test]
fn the_server_says_what_its_own_extensions_hold() {
    let kinds = [
        (json!({"type": "boolean"}), Kind::Bool),
        (json!({"type": "integer"}), Kind::Int),
        (json!({"type": "dateTime"}), Kind::DateTime),
        (json!({"type": "string", "multiValued": true}), Kind::List(Box::new(Kind::Text))),
        (json!({"type": "complex", "multiValued": true}), Kind::List(Box::new(Kind::Json))),
        (json!({"type": "complex"}), Kind::Map(Box::new(Kind::Any))),
    ];
    for (mut definition, kind) in kinds {
        definition["name"] = json!("badge");
        let badge = refine("urn:acme:1.0:User:badge", "URN:acme:1.0:user", json!([definition]));
        assert_eq!(badge.merge, matches!(kind, Kind::Map(_)));
        assert_eq!(badge.kind, kind);
    }
}

#[test]
fn a_server_without_definitions_changes_nothing_and_the_order_never_changes() {
    let layout = named(&["title", "password"]);
    for schemas in [json!({}), json!([]), json!({"Resources": [{"id": CORE}]}), json!({"Resources": null})] {
        let refined = layout.refine_layout(&read_definitions(&schemas)).schema;
        assert!(refined.iter().eq(layout.schema.iter()));
    }
}

#[test]
fn hundreds_of_attributes_can_be_mapped() {
    for many in [70, 200] {
        let names: Vec<String> = (0..many).map(|at| format!("urn:acme:1.0:User:field{at}")).collect();
        let layout = make_layout(&names);
        for name in &names {
            let id = layout.schema.id(name).unwrap_or_else(|| panic!("{name} of {many} is known"));
            assert_eq!(layout.path_of(id).to_string(), *name);
        }
    }
}
