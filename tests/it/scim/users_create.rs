//! POST. RFC 7644 §3.3.

use super::people::people;
use crate::harness::{ENT, TestApp, USER, json, user};

#[test]
fn a_created_user_has_an_id_a_place_a_version_and_what_was_sent() {
    let app = TestApp::new();
    let reply = app.scim().post(
        "/Users",
        &json!({ "schemas": [USER], "userName": "ada@acme.test", "externalId": "HR-001", "name": { "givenName": "Ada", "familyName": "Okafor" },
            "emails": [{ "value": "ada@acme.test", "type": "work", "primary": true }] }),
    );
    reply.expect(201);
    let now = app.clock.now().to_string();
    assert_eq!(reply.header("content-type"), "application/scim+json");
    assert_eq!(reply.header("location"), reply.json["meta"]["location"]);
    assert!(
        reply
            .header("location")
            .ends_with(&format!("/scim/v2/Users/{}", reply.id()))
    );
    assert_eq!(reply.etag(), reply.json["meta"]["version"]);
    assert!(reply.etag().starts_with("W/\""));
    assert_eq!(reply.json["meta"]["resourceType"], "User");
    assert_eq!(
        (
            &reply.json["meta"]["created"],
            &reply.json["meta"]["lastModified"]
        ),
        (&json!(now), &json!(now))
    );
    assert_eq!(reply.json["externalId"], "HR-001");
    assert_eq!(reply.json["active"], true);
    assert_eq!(
        reply.json["emails"],
        json!([{ "value": "ada@acme.test", "type": "work", "primary": true }])
    );
    assert_eq!(
        app.scim()
            .get(&format!("/Users/{}", reply.id()))
            .expect(200)
            .json,
        reply.json
    );
}

#[test]
fn hv_27_a_user_name_is_taken_whatever_its_case() {
    let p = people();
    p.app
        .scim()
        .post("/Users", &user("ADA@acme.test"))
        .scim_error("uniqueness");
    assert_eq!(p.app.scim().get("/Users").json["totalResults"], 4);
}

#[test]
fn hv_28_what_only_the_server_may_say_is_ignored() {
    let p = people();
    let reply = p.app.scim().post(
        "/Users",
        &json!({ "schemas": [USER], "userName": "eve", "id": "mine", "meta": { "created": "2000-01-01T00:00:00Z" },
            "groups": [{ "value": p.g1 }], "favColor": "red" }),
    );
    reply.expect(201);
    assert_ne!(reply.id(), "mine");
    assert_eq!(reply.json["meta"]["created"], p.app.clock.now().to_string());
    assert_eq!(reply.json["active"], true);
    assert!(reply.json.get("favColor").is_none());
    assert!(reply.json["groups"].as_array().is_none_or(Vec::is_empty));
    assert_eq!(
        p.app.scim().get(&format!("/Groups/{}", p.g1)).members(),
        [p.u3.as_str()]
    );
}

#[test]
fn hv_29_a_user_without_a_name_is_refused() {
    let app = TestApp::new();
    app.scim()
        .post("/Users", &json!({ "schemas": [USER] }))
        .scim_error("invalidValue");
}

#[test]
fn hv_30_an_unknown_schema_is_left_out_and_logged() {
    let app = TestApp::new();
    let reply = app.scim().post(
        "/Users",
        &json!({ "schemas": [USER, "urn:nobody:1"], "userName": "f", "urn:nobody:1": { "x": 1 } }),
    );
    reply.expect(201);
    assert!(!reply.text.contains("urn:nobody:1"));
    let logged = app.logged("the creation", |row| row["operation"] == "create");
    let warnings = logged["warnings"].to_string();
    assert!(warnings.contains("urn:nobody:1"), "{logged}");
}

#[test]
fn hv_31_half_a_body_is_refused() {
    let app = TestApp::new();
    app.scim()
        .send("POST", "/Users", Some(b"{\"schemas\":"))
        .scim_error("invalidSyntax");
}

#[test]
fn hv_32_a_spreadsheet_is_refused() {
    let app = TestApp::new();
    app.scim()
        .with_header("Content-Type", "text/csv")
        .send("POST", "/Users", Some(b"userName\neve\n"))
        .scim_failure(415);
}

#[test]
fn hv_33_two_primary_values_are_refused() {
    let app = TestApp::new();
    let emails =
        json!([{ "value": "a@x.test", "primary": true }, { "value": "b@x.test", "primary": true }]);
    app.scim()
        .post(
            "/Users",
            &json!({ "schemas": [USER], "userName": "eve", "emails": emails }),
        )
        .scim_error("invalidValue");
    assert_eq!(app.scim().get("/Users").json["totalResults"], 0);
}

#[test]
fn hv_47_a_deleted_user_name_is_free_again() {
    let p = people();
    p.app.scim().delete(&format!("/Users/{}", p.u4)).expect(204);
    let again = p.app.scim().post("/Users", &user("dave"));
    assert_ne!(again.expect(201).id(), p.u4);
}

#[test]
fn a_missing_active_is_true_and_a_null_one_is_absent() {
    let app = TestApp::new();
    assert_eq!(
        app.scim().post("/Users", &user("a")).expect(201).json["active"],
        true
    );
    let reply = app.scim().post(
        "/Users",
        &json!({ "schemas": [USER], "userName": "b", "active": null }),
    );
    assert!(reply.expect(201).json.get("active").is_none());
    let reply = app.scim().post(
        "/Users",
        &json!({ "schemas": [USER], "userName": "c", "active": "False" }),
    );
    assert_eq!(reply.expect(201).json["active"], false);
}

#[test]
fn attribute_names_ignore_case_and_come_back_in_their_own_spelling() {
    let app = TestApp::new();
    let reply = app.scim().post("/Users", &json!({ "schemas": [USER.to_uppercase()], "USERNAME": "eve", "NickName": "Evie", "EMAILS": [{ "VALUE": "e@x.test" }] }));
    reply.expect(201);
    assert_eq!(
        (&reply.json["userName"], &reply.json["nickName"]),
        (&json!("eve"), &json!("Evie"))
    );
    assert_eq!(reply.json["emails"][0]["value"], "e@x.test");
    assert_eq!(reply.json["schemas"], json!([USER]));
}

#[test]
fn the_base_schema_must_be_named() {
    let app = TestApp::new();
    app.scim()
        .post("/Users", &json!({ "userName": "eve" }))
        .scim_error("invalidSyntax");
    app.scim()
        .post("/Users", &json!({ "schemas": [], "userName": "eve" }))
        .scim_error("invalidSyntax");
    app.scim()
        .post("/Users", &json!({ "schemas": USER, "userName": "eve" }))
        .scim_error("invalidSyntax");
    app.scim()
        .post("/Users", &json!({ "schemas": [ENT], "userName": "eve" }))
        .scim_error("invalidValue");
}

#[test]
fn the_same_name_in_two_tenants_is_two_people() {
    let app = TestApp::new();
    let (theirs, _) = app.other_tenant();
    app.scim()
        .post("/Users", &user("ada@acme.test"))
        .expect(201);
    theirs.post("/Users", &user("ada@acme.test")).expect(201);
}
