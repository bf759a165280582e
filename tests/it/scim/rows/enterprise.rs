//! The Enterprise User extension and ours. Checklist §6; RFC 7643 §4.3.

use crate::harness::{ENT, Reply, TestApp, USER, json, patch, user};

const LEARNER: &str = "urn:rollcall:params:scim:schemas:extension:learner:2.0:User";

/// Pushes a user with a manager.
fn managed(app: &TestApp, name: &str, manager: &str) -> Reply {
    let mut body = user(name);
    body[ENT] = json!({ "manager": { "value": manager } });
    let made = app.scim().post("/Users", &body);
    made.expect(201);
    made
}

#[test]
fn its_attributes_stand_in_the_object_of_its_urn() {
    // N-01: beside the core they are unknown
    let app = TestApp::new();
    let body = json!({
        "schemas": [USER, ENT], "userName": "ada", "department": "Lost", "costCenter": "Lost",
        ENT: { "department": "Ops", "employeeNumber": "7", "costCenter": "c", "organization": "o", "division": "d" },
    });
    let made = app.scim().post("/Users", &body);
    assert_eq!(made.expect(201).json[ENT], body[ENT]);
    assert!(made.json.get("department").is_none() && !made.text.contains("Lost"));
    let found = app
        .scim()
        .get(&format!("/Users?filter={ENT}:costCenter eq \"C\""));
    assert_eq!(found.expect(200).json["totalResults"], 1);
}

#[test]
fn a_managers_name_is_the_managers_and_not_what_a_client_says() {
    // N-02
    let app = TestApp::new();
    let mut boss = user("boss");
    boss["displayName"] = json!("Grace Hopper");
    let boss_id = app.scim().post("/Users", &boss).expect(201).id();
    let mut body = user("ada");
    body[ENT] = json!({ "manager": { "value": boss_id, "displayName": "Somebody Else" } });
    let made = app.scim().post("/Users", &body);
    let path = format!("/Users/{}", made.expect(201).id());
    // shown when asked for: clients that compare what they wrote with what they read would take it for a difference
    assert_eq!(made.json[ENT]["manager"]["displayName"], json!(null));
    let asked = format!("{path}?attributes={ENT}:manager.displayName");
    let name = || app.scim().get(&asked).json[ENT]["manager"]["displayName"].clone();
    assert_eq!(name(), "Grace Hopper");
    let change =
        json!([{ "op": "replace", "path": format!("{ENT}:manager.displayName"), "value": "X" }]);
    app.scim()
        .patch(&path, &patch(change))
        .scim_error("mutability");
    let change = json!([{ "op": "replace", "path": "displayName", "value": "Grace B. Hopper" }]);
    app.scim()
        .patch(&format!("/Users/{boss_id}"), &patch(change))
        .expect(200);
    assert_eq!(name(), "Grace B. Hopper");
    let read = app.scim().get(&path);
    assert_eq!(read.etag(), made.etag(), "whose name it is has changed");
    let found = app.scim().get(&format!(
        "/Users?filter={ENT}:manager.displayName co \"hopper\""
    ));
    assert_eq!(found.expect(200).names("userName"), ["ada"]);
    let found = app.scim().get(&format!(
        "/Users?filter={ENT}:manager.$ref ew \"{boss_id}\""
    ));
    assert_eq!(found.expect(200).names("userName"), ["ada"]);
}

#[test]
fn a_manager_may_be_text_that_is_no_id() {
    // N-03
    let app = TestApp::new();
    for text in [
        "CN=Boss,OU=People",
        "0199a2c4-0000-7000-8000-000000000000",
        "boss@acme.test",
    ] {
        let made = managed(&app, text, text);
        assert_eq!(made.json[ENT]["manager"], json!({ "value": text }));
        let read = app.scim().get(&format!("/Users/{}", made.id()));
        assert_eq!(read.json[ENT]["manager"], json!({ "value": text }));
    }
    let boss = app.user("boss");
    let made = managed(&app, "ada", &boss);
    assert!(made.json[ENT]["manager"]["$ref"].is_string());
}

#[test]
fn managers_may_go_round_in_a_circle() {
    // N-04
    let app = TestApp::new();
    let ada = app.user("ada");
    let bo = managed(&app, "bo", &ada).id();
    for manager in [&bo, &ada] {
        let change = json!([{ "op": "replace", "path": format!("{ENT}:manager"), "value": { "value": manager } }]);
        let changed = app.scim().patch(&format!("/Users/{ada}"), &patch(change));
        assert_eq!(changed.expect(200).json[ENT]["manager"]["value"], **manager);
    }
    assert_eq!(app.scim().get("/Users").expect(200).json["totalResults"], 2);
}

#[test]
fn an_extension_that_schemas_does_not_name_is_taken_and_named() {
    // N-05: by POST, PUT and PATCH
    let app = TestApp::new();
    let body = json!({ "schemas": [USER], "userName": "ada", ENT: { "department": "Ops" } });
    let made = app.scim().post("/Users", &body);
    assert_eq!(made.expect(201).json["schemas"], json!([USER, ENT]));
    let path = format!("/Users/{}", app.user("bo"));
    let mut put = body.clone();
    put["userName"] = json!("bo");
    let put = app.scim().put(&path, &put);
    assert_eq!(put.expect(200).json["schemas"], json!([USER, ENT]));
    let path = format!("/Users/{}", app.user("cy"));
    let change = json!([{ "op": "add", "value": { ENT: { "department": "Ops" } } }]);
    let patched = app.scim().patch(&path, &patch(change));
    assert_eq!(patched.expect(200).json["schemas"], json!([USER, ENT]));
}

#[test]
fn what_we_say_of_a_learner_can_be_searched() {
    // C-04: our read-only extension is found by filters like any other
    let app = TestApp::new();
    let ada = app.user("ada");
    app.user("bo");
    let ops = app.group("Ops", &[&ada]);
    app.assign(&ops, &app.course("Fire safety"));
    let names = |filter: &str| {
        let found = app.scim().get(&format!("/Users?filter={LEARNER}:{filter}"));
        found.expect(200).names("userName")
    };
    assert_eq!(names("approval eq \"approved\""), ["ada", "bo"]);
    assert_eq!(names("enrollments.total gt 0"), ["ada"]);
    let change =
        json!([{ "op": "replace", "path": format!("{LEARNER}:approval"), "value": "rejected" }]);
    app.scim()
        .patch(&format!("/Users/{ada}"), &patch(change))
        .scim_error("mutability");
}
