use serde_json::json;

use super::*;

#[test]
fn a_server_says_what_it_can_do_even_in_texts() {
    let config = json!({
        "Patch": {"supported": "True"}, "etag": {"supported": false}, "filter": {"supported": true, "maxResults": 200},
        "pagination": {"cursor": "true", "index": true, "maxPageSize": 50},
    });
    let expected =
        Abilities { patch: Some(true), etag: Some(false), filter: Some(true), cursor: true, page_size: Some(50) };
    assert_eq!(read_abilities(&config), expected);
}

#[test]
fn what_a_server_does_not_say_is_unknown() {
    for config in [json!({}), json!([]), json!({"patch": true, "filter": {"maxResults": 0}, "pagination": null})] {
        assert_eq!(read_abilities(&config), Abilities::default(), "{config}");
    }
}

#[test]
fn the_users_are_where_resource_types_says() {
    let base = "https://acme.org/scim/v2";
    let at = |endpoint: &str| {
        endpoint_of(&json!({"Resources": [
            {"id": "Group", "endpoint": "/Groups"}, {"name": "User", "endpoint": endpoint},
        ]}))
    };
    fn endpoint_of(types: &Json) -> Option<String> {
        find_endpoint(types, "https://acme.org/scim/v2")
    }
    for text in ["/Users", "Users", "/scim/v2/Users", "https://acme.org/scim/v2/Users/"] {
        assert_eq!(at(text).as_deref(), Some("/Users"), "{text} {base}");
    }
    assert_eq!(at("/users").as_deref(), Some("/users"));
    for text in ["", "/", "https://evil.org/scim/v2/Users", "/Users?x=1", "/Us ers"] {
        assert_eq!(at(text), None, "{text}");
    }
    let alone = json!([{"schema": CORE, "endpoint": "/People"}]);
    assert_eq!(endpoint_of(&alone).as_deref(), Some("/People"));
    assert_eq!(endpoint_of(&json!({"Resources": []})), None);
}
