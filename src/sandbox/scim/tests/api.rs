use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;

use super::*;
use crate::sandbox::scim::{Auth, Cursors, Discovery, Etags, FilterSupport, MediaType, Patch};
use crate::sandbox::{CLIENT_ID, CLIENT_SECRET, ExpiresIn};

#[tokio::test]
async fn every_endpoint_but_the_token_needs_credentials() {
    let (_sandbox, mut client) = served(options()).await;
    assert_eq!(client.get("/Users").await.status, 200);
    for wrong in ["", "Bearer other", "Basic eDp5"] {
        client.authorization = wrong.to_owned();
        for path in ["/Users", "/Users/b1", "/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] {
            let answer = client.get(path).await;
            assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, "Bearer"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_service_may_want_basic_credentials() {
    let (_sandbox, mut client) =
        served(behaving(ScimBehaviour { auth: Auth::Basic, ..ScimBehaviour::default() })).await;
    assert_eq!(client.get("/Users").await.status, 401);
    client.authorization = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}")));
    assert_eq!(client.get("/Users").await.status, 200);
    let scheme = &client.get("/ServiceProviderConfig").await.json()["authenticationSchemes"][0];
    assert_eq!(scheme["type"], "httpbasic");
}

#[tokio::test]
async fn a_service_may_want_client_credentials() {
    let behaviour =
        ScimBehaviour { auth: Auth::ClientCredentials, expires_in: ExpiresIn::Missing, ..ScimBehaviour::default() };
    let (_sandbox, mut client) = served(behaving(behaviour)).await;
    assert_eq!(client.get("/Users").await.status, 401);
    let form = format!("grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}");
    assert_eq!(client.sign_in(&form.replace(CLIENT_SECRET, "other")).await.status, 401);
    let answer = client.sign_in(&form).await.json();
    assert!(answer.get("expires_in").is_none());
    client.authorization = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    assert_eq!(client.get("/Users").await.status, 200);
    // The client may name itself in the header as well.
    client.authorization = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}")));
    let request = client.request(Method::POST, "/oauth/token").body("grant_type=client_credentials");
    assert_eq!(crate::sandbox::testing::take_answer(request).await.unwrap().status, 200);
}

#[tokio::test]
async fn the_service_describes_itself() {
    let (sandbox, client) = served(options()).await;
    let answer = client.get("/ServiceProviderConfig").await;
    assert_eq!(answer.header("content-type"), MEDIA_TYPE);
    let config = answer.json();
    for (feature, supported) in [("patch", true), ("filter", true), ("etag", true), ("bulk", false), ("sort", false)] {
        assert_eq!(config[feature]["supported"], supported, "{feature}");
    }
    assert!(config.get("pagination").is_none());
    let types = client.get("/ResourceTypes").await.json();
    assert_eq!((&types["totalResults"], &types["Resources"][0]["endpoint"]), (&json!(1), &json!("/Users")));
    assert_eq!(client.get("/ResourceTypes/User").await.json()["schemaExtensions"][0]["schema"], ENTERPRISE);
    let schemas = client.get("/Schemas").await.json();
    assert_eq!(schemas["totalResults"], 2);
    let user = client.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User").await.json();
    let of =
        |name: &str| user["attributes"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    assert_eq!((&of("userName")["required"], &of("userName")["uniqueness"]), (&json!(true), &json!("server")));
    assert_eq!((&of("password")["mutability"], &of("password")["returned"]), (&json!("writeOnly"), &json!("never")));
    assert_eq!((&of("emails")["multiValued"], &of("groups")["mutability"]), (&json!(true), &json!("readOnly")));
    assert_eq!(of("name")["subAttributes"][2]["name"], "givenName");
    assert_eq!(client.get(&format!("/Schemas/{ENTERPRISE}")).await.json()["name"], "EnterpriseUser");
    assert_eq!(client.get("/Schemas/urn:x").await.status, 404);
    assert!(config["meta"]["location"].as_str().unwrap().starts_with(&sandbox.base_url()));
}

#[tokio::test]
async fn what_is_announced_can_be_chosen() {
    let behaviour = ScimBehaviour {
        patch: Patch::Unsupported,
        filter: FilterSupport::Unsupported,
        etags: Etags::Unsupported,
        cursors: Cursors::Offered,
        media_type: MediaType::Json,
        max_count: 50,
        ..ScimBehaviour::default()
    };
    let (_sandbox, client) = served(behaving(behaviour)).await;
    let answer = client.get("/ServiceProviderConfig").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let config = answer.json();
    for feature in ["patch", "filter", "etag"] {
        assert_eq!(config[feature]["supported"], false, "{feature}");
    }
    let pagination = &config["pagination"];
    assert_eq!((&pagination["cursor"], &pagination["index"]), (&json!(true), &json!(true)));
    assert_eq!((&pagination["defaultPaginationMethod"], &pagination["maxPageSize"]), (&json!("index"), &json!(50)));
}

#[tokio::test]
async fn each_description_may_be_missing() {
    let missing = Discovery::Missing;
    for (path, scim) in [
        ("/ServiceProviderConfig", ScimBehaviour { service_provider_config: missing, ..ScimBehaviour::default() }),
        ("/ResourceTypes", ScimBehaviour { resource_types: missing, ..ScimBehaviour::default() }),
        ("/Schemas", ScimBehaviour { schemas: missing, ..ScimBehaviour::default() }),
    ] {
        let (_sandbox, client) = served(behaving(scim)).await;
        for other in ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] {
            assert_eq!(client.get(other).await.status, if other == path { 404 } else { 200 });
        }
    }
}

#[tokio::test]
async fn a_user_is_shown_with_where_it_is_and_its_version() {
    let (sandbox, client) = served(options()).await;
    let answer = client.get("/users/b1").await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "W/\"3\""));
    let location = format!("{}/Users/b1", sandbox.base_url());
    let expected = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "id": "b1", "userName": "Ben@example.com", "externalId": "E1", "active": true, "title": "Agent",
        "name": {"givenName": "Ben", "familyName": "Katz"},
        "emails": [{"value": "ben@example.com", "type": "work"}],
        ENTERPRISE: {"department": "Sales"},
        "meta": {"resourceType": "User", "created": "2024-01-02T03:04:05Z", "lastModified": "2024-05-06T07:08:09Z",
                 "location": location, "version": "W/\"3\""},
    });
    assert_eq!(answer.json(), expected);
    let nobody = client.get("/Users/x").await;
    assert_eq!((nobody.status.as_u16(), &nobody.json()["status"]), (404, &json!("404")));
}

#[tokio::test]
async fn wrong_methods_and_unknown_paths_are_refused() {
    let (_sandbox, client) = served(options()).await;
    assert_eq!(client.delete("/Users").await.status, 405);
    assert_eq!(client.post("/Users/b1", &ana()).await.status, 405);
    assert_eq!(client.get("/Groups").await.status, 404);
    assert_eq!(client.sign_in("").await.status, 404, "there is no token to be had");
}
