use reqwest::Method;

use super::*;
use crate::sandbox::scim::{Conflict, Etags, Patch, PatchAnswer, ScimBooleans, ScimUniqueness};
use crate::sandbox::testing::take_answer;
use crate::sandbox::{LedgerOperation, password_hash};

async fn create(client: &Client) -> String {
    let answer = client.post("/Users", &ana()).await;
    assert_eq!(answer.status, 201);
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_user_is_created_where_the_answer_says() {
    let (sandbox, client) = served(options()).await;
    let answer = client.post("/Users", &ana()).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (201, "W/\"1\""));
    let user = answer.json();
    assert_eq!(answer.header("location"), user["meta"]["location"].as_str().unwrap());
    assert!(user.get("password").is_none());
    assert_eq!(user[ENTERPRISE], json!({"department": "Support", "manager": {"value": "b1"}}));
    assert_eq!(client.get(&format!("/Users/{}", user["id"].as_str().unwrap())).await.json(), user);
    let effect = &sandbox.ledger().effects[0];
    assert_eq!((effect.op, effect.login_id.as_str()), (LedgerOperation::Create, "ana@example.com"));
    assert_eq!(effect.password, Some(password_hash("correct horse")));
    assert!(!serde_json::to_string(&effect).unwrap().contains("correct horse"));
    assert_eq!(sandbox.accounts_json()[2]["resource"]["externalId"], "E2");
}

#[tokio::test]
async fn names_are_unique_whatever_their_case() {
    let mut taken = ana();
    taken["userName"] = json!("BEN@EXAMPLE.COM");
    let refused = async |scim: ScimBehaviour| {
        let (_sandbox, client) = served(behaving(scim)).await;
        client.post("/Users", &taken).await
    };
    let answer = refused(ScimBehaviour::default()).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["scimType"]), (409, &json!("uniqueness")));
    let silent = refused(ScimBehaviour { conflict: Conflict::WithoutScimType, ..ScimBehaviour::default() }).await;
    assert_eq!((silent.status.as_u16(), silent.json().get("scimType")), (409, None));
    let free = refused(ScimBehaviour { uniqueness: ScimUniqueness::NotEnforced, ..ScimBehaviour::default() }).await;
    assert_eq!(free.status, 201);
}

#[tokio::test]
async fn a_body_must_be_a_user_and_said_to_be_json() {
    let (sandbox, mut client) = served(options()).await;
    for (field, value) in
        [("userName", Value::Null), ("userName", json!(7)), ("active", json!("perhaps")), ("name", json!("Ana"))]
    {
        let mut wrong = ana();
        wrong[field] = value;
        let answer = client.post("/Users", &wrong).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["scimType"]), (400, &json!("invalidValue")), "{field}");
    }
    assert_eq!(client.post("/Users", &json!([])).await.json()["scimType"], "invalidSyntax");
    client.media_type = "text/plain";
    for answer in [client.post("/Users", &ana()).await, client.put("/Users/b1", &ana()).await] {
        assert_eq!(answer.status, 415);
    }
    assert!(sandbox.ledger().effects.is_empty());
    client.media_type = "application/json";
    assert_eq!(client.post("/Users", &ana()).await.status, 201);
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_counts_the_version() {
    let (sandbox, client) = served(options()).await;
    let operations = json!([
        {"op": "replace", "path": "name.givenName", "value": "Benjamin"},
        {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "b@example.com"},
        {"op": "add", "path": format!("{ENTERPRISE}:division"), "value": "EU"},
        {"op": "remove", "path": "title"},
        {"op": "replace", "path": "password", "value": "second"},
    ]);
    let answer = client.patch("/Users/b1", &patch(operations)).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "W/\"4\""));
    let ben = answer.json();
    assert_eq!(ben["name"], json!({"givenName": "Benjamin", "familyName": "Katz"}));
    assert_eq!(ben["emails"], json!([{"value": "b@example.com", "type": "work"}]));
    assert_eq!(ben[ENTERPRISE], json!({"department": "Sales", "division": "EU"}));
    assert!(ben.get("title").is_none());
    assert_eq!(sandbox.accounts_json()[0]["password"], password_hash("second"));
    assert!(!serde_json::to_string(&sandbox.ledger().effects).unwrap().contains("second"));
}

#[tokio::test]
async fn a_patch_is_done_as_a_whole_or_not_at_all() {
    let (sandbox, client) = served(options()).await;
    let operations = json!([
        {"op": "replace", "path": "title", "value": "Lead"},
        {"op": "replace", "path": "colour", "value": "red"},
    ]);
    let answer = client.patch("/Users/b1", &patch(operations)).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["scimType"]), (400, &json!("invalidPath")));
    assert_eq!(client.get("/Users/b1").await.json()["title"], "Agent");
    let taken = patch(json!([{"op": "replace", "path": "userName", "value": "CLEO@example.com"}]));
    assert_eq!(client.patch("/Users/b1", &taken).await.status, 409);
    assert_eq!(client.patch("/Users/nobody", &taken).await.status, 404);
    assert!(sandbox.ledger().effects.is_empty());
}

#[tokio::test]
async fn a_patch_may_be_answered_without_a_body() {
    let behaviour = ScimBehaviour { patch_answer: PatchAnswer::NoContent, ..ScimBehaviour::default() };
    let (_sandbox, client) = served(behaving(behaviour)).await;
    let lead = patch(json!([{"op": "replace", "path": "title", "value": "Lead"}]));
    let answer = client.patch("/Users/b1", &lead).await;
    assert_eq!((answer.status_and_text(), answer.header("etag")), ((204, ""), "W/\"4\""));
    assert_eq!(client.get("/Users/b1").await.json()["title"], "Lead");
}

#[tokio::test]
async fn patch_may_be_announced_and_not_be_there() {
    for (support, announced) in [(Patch::OnlyAnnounced, true), (Patch::Unsupported, false)] {
        let (sandbox, client) = served(behaving(ScimBehaviour { patch: support, ..ScimBehaviour::default() })).await;
        assert_eq!(client.get("/ServiceProviderConfig").await.json()["patch"]["supported"], announced);
        let lead = patch(json!([{"op": "replace", "path": "title", "value": "Lead"}]));
        assert_eq!(client.patch("/Users/b1", &lead).await.status, 501);
        assert!(sandbox.ledger().effects.is_empty());
    }
}

#[tokio::test]
async fn a_replacement_leaves_nothing_of_what_was_there() {
    let (_sandbox, client) = served(options()).await;
    let answer = client.put("/Users/b1", &json!({"id": "other", "userName": "ben@example.com", "active": false})).await;
    assert_eq!(answer.status, 200);
    let ben = answer.json();
    assert_eq!((&ben["id"], &ben["active"]), (&json!("b1"), &json!(false)));
    assert!(ben.get("title").is_none() && ben.get(ENTERPRISE).is_none());
    assert_eq!(client.put("/Users/b1", &json!({"userName": "cleo@example.com"})).await.status, 409);
    assert_eq!(client.put("/Users/b1", &json!({"active": true})).await.status, 400);
    assert_eq!(client.put("/Users/nobody", &ana()).await.status, 404);
}

#[tokio::test]
async fn a_name_that_was_given_up_is_free() {
    let (_sandbox, client) = served(options()).await;
    assert_eq!(client.put("/Users/b1", &json!({"userName": "benjamin@example.com"})).await.status, 200);
    let mut again = ana();
    again["userName"] = json!("ben@example.com");
    assert_eq!(client.post("/Users", &again).await.status, 201);
    assert_eq!(client.delete("/Users/c2").await.status, 204);
    again["userName"] = json!("cleo@example.com");
    assert_eq!(client.post("/Users", &again).await.status, 201);
}

#[tokio::test]
async fn a_write_to_another_version_than_the_one_seen_is_refused() {
    let lead = patch(json!([{"op": "replace", "path": "title", "value": "Lead"}]));
    let write = async |client: &Client, method: Method, version: &str, body: &Value| {
        let request = client.request(method, "/Users/b1").header("if-match", version);
        take_answer(request.header("content-type", MEDIA_TYPE).body(body.to_string())).await.unwrap().status.as_u16()
    };
    let (sandbox, client) = served(options()).await;
    for method in [Method::PATCH, Method::PUT, Method::DELETE] {
        assert_eq!(write(&client, method, "W/\"2\"", &lead).await, 412);
    }
    assert!(sandbox.ledger().effects.is_empty());
    assert_eq!(write(&client, Method::PATCH, "W/\"3\"", &lead).await, 200);
    assert_eq!(write(&client, Method::PATCH, "W/\"1\", \"4\"", &lead).await, 200);
    assert_eq!(write(&client, Method::PATCH, "*", &lead).await, 200);
    let (_sandbox, client) =
        served(behaving(ScimBehaviour { etags: Etags::Unsupported, ..ScimBehaviour::default() })).await;
    assert_eq!(write(&client, Method::PATCH, "W/\"2\"", &lead).await, 200);
    let ben = client.get("/Users/b1").await;
    assert!(ben.headers.get("etag").is_none() && ben.json()["meta"].get("version").is_none());
}

#[tokio::test]
async fn what_is_immutable_is_set_once() {
    let seed = SEED.replacen('{', r#"{"immutable": ["employeeNumber"], "#, 1);
    let (sandbox, client) = served(Options { seed: Seed::Text(seed), ..options() }).await;
    let number =
        |number: &str| patch(json!([{"op": "add", "path": format!("{ENTERPRISE}:employeeNumber"), "value": number}]));
    assert_eq!(client.patch("/Users/b1", &number("E1")).await.status, 200);
    assert_eq!(client.patch("/Users/b1", &number("E1")).await.status, 200);
    let refused = client.patch("/Users/b1", &number("E2")).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["scimType"]), (400, &json!("mutability")));
    assert_eq!(sandbox.ledger().count_effects(LedgerOperation::Update), 2);
    let schema = client.get(&format!("/Schemas/{ENTERPRISE}")).await.json();
    assert_eq!(schema["attributes"][0]["mutability"], "immutable");
}

#[tokio::test]
async fn a_user_is_deleted_once() {
    let (sandbox, client) = served(options()).await;
    let answer = client.delete("/Users/b1").await;
    assert_eq!(answer.status_and_text(), (204, ""));
    assert_eq!(client.delete("/Users/b1").await.status, 404);
    assert_eq!((sandbox.ledger().count_effects(LedgerOperation::Delete), sandbox.accounts_json().len()), (1, 1));
}

#[tokio::test]
async fn booleans_may_be_texts() {
    let (_sandbox, client) =
        served(behaving(ScimBehaviour { booleans: ScimBooleans::Text, ..ScimBehaviour::default() })).await;
    assert_eq!(client.get("/Users/b1").await.json()["active"], "True");
    let off = patch(json!([{"op": "Replace", "path": "active", "value": "False"}]));
    assert_eq!(client.patch("/Users/b1", &off).await.json()["active"], "False");
    let id = create(&client).await;
    assert_eq!(client.get(&format!("/Users/{id}")).await.json()["active"], "True");
}
