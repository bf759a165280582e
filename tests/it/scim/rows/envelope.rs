//! What every resource carries: `schemas` and the common attributes. Checklist §3; RFC 7643 §3, §3.1.

use super::acme::{ACME, app};
use crate::harness::{
    ENT, GROUP, LEARNER_GROUP, LIST, Reply, TestApp, USER, Value, add_members, group, json, patch,
    user,
};

fn urns(value: &Value) -> Vec<&str> {
    let all = value["schemas"].as_array().map(Vec::as_slice);
    all.unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

#[test]
fn everything_says_by_its_schemas_what_it_is() {
    // C-01: resources, lists and their items, errors, discovery
    let app = TestApp::new();
    let ada = app.user("ada");
    app.group("Ops", &[&ada]);
    let scim = app.scim();
    for path in ["/Users", "/Groups", "/", "/Schemas", "/ResourceTypes"] {
        let list = scim.get(path);
        assert_eq!(urns(&list.expect(200).json), [LIST]);
        for one in list.json["Resources"].as_array().expect("resources") {
            assert!(!urns(one).is_empty(), "{path}: {one}");
        }
    }
    for path in [
        format!("/Users/{ada}"),
        "/ServiceProviderConfig".to_owned(),
        format!("/Schemas/{USER}"),
        "/ResourceTypes/User".to_owned(),
        "/Users/nobody".to_owned(),
        "/Nothing".to_owned(),
    ] {
        assert!(!urns(&scim.get(&path).json).is_empty(), "{path}");
    }
}

#[test]
fn schemas_names_the_core_and_each_extension_that_has_a_value() {
    // C-02, C-03, C-04: recomputed by every write, whatever the client says
    let app = app();
    let scim = app.scim();
    let body = json!({ "schemas": [USER, USER, ENT, ACME], "userName": "ada", ENT: { "department": "Ops" } });
    let made = scim.post("/Users", &body);
    assert_eq!(urns(&made.expect(201).json), [USER, ENT]);
    let path = format!("/Users/{}", made.id());
    let change = |operations: Value| scim.patch(&path, &patch(operations));
    let added = change(json!([{ "op": "add", "path": format!("{ACME}:badge"), "value": 7 }]));
    assert_eq!(urns(&added.expect(200).json), [USER, ENT, ACME]);
    let cleared = change(json!([{ "op": "remove", "path": format!("{ENT}:department") }]));
    assert_eq!(urns(&cleared.expect(200).json), [USER, ACME]);
    assert!(cleared.json.get(ENT).is_none());
    let replaced = scim.put(&path, &json!({ "schemas": [USER, ENT], "userName": "ada" }));
    assert_eq!(urns(&replaced.expect(200).json), [USER]);

    let described =
        json!({ "schemas": [GROUP], "displayName": "Ops", LEARNER_GROUP: { "description": "x" } });
    let made = scim.post("/Groups", &described);
    assert_eq!(urns(&made.expect(201).json), [GROUP, LEARNER_GROUP]);
    let change = json!([{ "op": "remove", "path": format!("{LEARNER_GROUP}:description") }]);
    let path = format!("/Groups/{}", made.id());
    scim.patch(&path, &patch(change)).expect(204);
    assert_eq!(urns(&scim.get(&path).json), [GROUP]);
}

#[test]
fn schemas_is_shown_whatever_the_projection() {
    // C-05: complete, by GET, in lists, and in the answers to writes
    let app = TestApp::new();
    let body = json!({ "schemas": [USER, ENT], "userName": "ada", ENT: { "department": "Ops" } });
    let made = app.scim().post("/Users?attributes=userName", &body);
    let mut answers = vec![made.expect(201).json.clone()];
    let path = format!("/Users/{}", made.id());
    for query in [
        "attributes=userName",
        "excludedAttributes=schemas",
        "attributes=id",
    ] {
        answers.push(
            app.scim()
                .get(&format!("{path}?{query}"))
                .expect(200)
                .json
                .clone(),
        );
        let list = app.scim().get(&format!("/Users?{query}"));
        answers.push(list.expect(200).json["Resources"][0].clone());
        let put = app.scim().put(&format!("{path}?{query}"), &body);
        answers.push(put.expect(200).json.clone());
    }
    for answer in answers {
        assert_eq!(urns(&answer), [USER, ENT], "{answer}");
    }
}

#[test]
fn messages_are_not_schemas() {
    // C-06
    let app = TestApp::new();
    let list = app.scim().get("/Schemas");
    for schema in list.expect(200).json["Resources"]
        .as_array()
        .expect("schemas")
    {
        let id = schema["id"].as_str().unwrap_or_default();
        assert!(!id.contains(":api:messages:"), "{id}");
    }
    app.scim()
        .get("/Schemas/urn:ietf:params:scim:api:messages:2.0:PatchOp")
        .scim_failure(404);
}

#[test]
fn an_id_is_the_servers_unique_and_for_ever() {
    // C-10, C-11, C-12, PO-07
    let app = TestApp::new();
    let scim = app.scim();
    let mut ids = app.users(3);
    ids.push(app.group("Ops", &[]));
    ids.push(app.group("Dev", &[]));
    for id in &ids {
        assert!(
            !id.is_empty() && !id.to_lowercase().contains("bulkid"),
            "{id}"
        );
    }
    let mut body = user("eve");
    body["id"] = json!(ids[0]);
    let made = scim.post("/Users", &body);
    assert!(!ids.contains(&made.expect(201).id()));
    let path = format!("/Users/{}", made.id());
    body["id"] = json!("mine");
    let put = scim.put(&path, &body);
    assert_eq!(put.expect(200).id(), made.id());
    assert_eq!(put.etag(), made.etag());
    scim.delete(&path).expect(204);
    let again = scim.post("/Users", &user("eve"));
    assert_ne!(again.expect(201).id(), made.id(), "never used again");
    scim.get(&path).scim_failure(404);
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), ids.len());
}

#[test]
fn an_external_id_is_the_clients_and_need_not_be_unique() {
    // C-13, C-14: one per tenant, shown to every client of it
    let app = TestApp::new();
    let scim = app.scim();
    let mut body = user("ada");
    body["externalId"] = json!("HR-001");
    let ada = scim.post("/Users", &body).expect(201).id();
    body["userName"] = json!("bo");
    scim.post("/Users", &body).expect(201);
    assert!(
        scim.post("/Users", &user("cy"))
            .expect(201)
            .json
            .get("externalId")
            .is_none()
    );
    let okta = app.client("/scim/v2", Some(&app.token("scim", None, Some("okta"))));
    let found = okta.get("/Users?filter=externalId eq \"HR-001\"");
    assert_eq!(found.expect(200).names("userName"), ["ada", "bo"]);
    let found = okta.get("/Users?filter=externalId eq \"hr-001\"");
    assert_eq!(found.expect(200).json["totalResults"], 0, "case counts");
    let change = json!([{ "op": "replace", "path": "externalId", "value": "HR-002" }]);
    let changed = okta.patch(&format!("/Users/{ada}"), &patch(change));
    assert_eq!(changed.expect(200).json["externalId"], "HR-002");
    assert_eq!(
        scim.get(&format!("/Users/{ada}")).json["externalId"],
        "HR-002"
    );
}

#[test]
fn meta_is_the_servers() {
    // C-15, C-16, C-17
    let app = TestApp::new();
    let now = app.clock.now().to_string();
    let meta = json!({ "resourceType": "Robot", "created": "2000-01-01T00:00:00Z", "lastModified": "2000-01-01T00:00:00Z", "location": "https://evil.test", "version": "W/\"99\"" });
    for (endpoint, kind, mut body) in [
        ("/Users", "User", user("ada")),
        ("/Groups", "Group", group("Ops", &[])),
    ] {
        body["meta"] = meta.clone();
        let made = app.scim().post(endpoint, &body);
        assert_eq!(made.expect(201).json["meta"]["resourceType"], kind);
        assert_eq!(made.json["meta"]["created"], now);
        assert_eq!(made.json["meta"]["lastModified"], now);
        assert!(!made.text.contains("evil.test") && made.etag() == "W/\"1\"");
        let path = format!("{endpoint}/{}", made.id());
        app.clock.advance_millis(5_000);
        let same = app.scim().put(&path, &body);
        assert_eq!(same.expect(200).json["meta"], made.json["meta"]);
        body["externalId"] = json!("x");
        let changed = app.scim().put(&path, &body);
        assert_eq!(changed.expect(200).json["meta"]["created"], now);
        assert_eq!(
            changed.json["meta"]["lastModified"],
            app.clock.now().to_string()
        );
        app.clock.advance_millis(-5_000);
    }
}

#[test]
fn the_time_of_change_does_not_move_when_nothing_changes() {
    // C-18
    let app = TestApp::new();
    let ada = app.user("ada");
    let ops = app.group("Ops", &[&ada]);
    let title = json!([{ "op": "add", "path": "title", "value": "Engineer" }]);
    let (user_path, group_path) = (format!("/Users/{ada}"), format!("/Groups/{ops}"));
    app.scim()
        .patch(&user_path, &patch(title.clone()))
        .expect(200);
    let state = || {
        (
            app.scim().get(&user_path).json.clone(),
            app.scim().get(&group_path).json.clone(),
        )
    };
    let before = state();
    app.clock.advance_millis(60_000);
    app.scim().patch(&user_path, &patch(title)).expect(200);
    app.scim()
        .patch(&group_path, &patch(json!([add_members(&[&ada])])))
        .expect(204);
    app.scim()
        .put(&group_path, &group("Ops", &[&ada]))
        .expect(200);
    assert_eq!(state(), before);
}

#[test]
fn location_and_version_stand_in_headers_and_body_alike() {
    // C-19, C-20, PO-02, PO-09, GE-04
    let app = TestApp::new();
    let check = |reply: &Reply, endpoint: &str, id: &str| {
        let location = reply.header("location");
        assert_eq!(reply.json["meta"]["location"], location, "{reply:?}");
        assert_eq!(location, format!("{}{endpoint}/{id}", app.scim_base()));
        assert_eq!(reply.json["meta"]["version"], reply.etag());
        assert!(reply.etag().starts_with("W/\"") && reply.etag().ends_with('"'));
    };
    for (endpoint, body) in [("/Users", user("ada")), ("/Groups", group("Ops", &[]))] {
        let made = app.scim().post(endpoint, &body);
        let id = made.expect(201).id();
        check(&made, endpoint, &id);
        let path = format!("{endpoint}/{id}");
        check(&app.scim().get(&path), endpoint, &id);
        check(&app.scim().put(&path, &body), endpoint, &id);
        let change = json!([{ "op": "replace", "path": "externalId", "value": "x" }]);
        let patched = app
            .scim()
            .with_header("Prefer", "return=representation")
            .patch(&path, &patch(change));
        check(patched.expect(200), endpoint, &id);
        assert_ne!(patched.etag(), made.etag());
        let listed = app.scim().get(endpoint);
        assert_eq!(
            listed.json["Resources"][0]["meta"], patched.json["meta"],
            "and in lists"
        );
    }
}

#[test]
fn addresses_never_come_from_a_host_nobody_configured() {
    // C-21
    let app = TestApp::new();
    let ada = app.user("ada");
    let ops = app.group("Ops", &[&ada]);
    let evil = app
        .scim()
        .with_header("X-Forwarded-Host", "evil.test")
        .with_header("Forwarded", "host=evil.test;proto=https")
        .with_header("X-Forwarded-Proto", "https")
        .with_header("Host", "evil.test");
    for path in [
        format!("/Users/{ada}"),
        format!("/Groups/{ops}"),
        "/Users".to_owned(),
        "/ResourceTypes".to_owned(),
        "/ServiceProviderConfig".to_owned(),
        format!("/Schemas/{USER}"),
    ] {
        let reply = evil.get(&path);
        assert!(!reply.expect(200).text.contains("evil"), "{reply:?}");
        assert!(!reply.header("location").contains("evil"), "{reply:?}");
    }
    let made = evil.post("/Users", &user("bo"));
    assert!(!made.expect(201).header("location").contains("evil"));
}

#[test]
fn a_change_moves_the_version_of_the_resource_that_owns_it_and_of_no_other() {
    // C-22, G-08, G-10
    let app = TestApp::new();
    let (ada, bo) = (app.user("ada"), app.user("bo"));
    let ops = app.group("Ops", &[&ada]);
    let meta = |path: String| app.scim().get(&path).expect(200).json["meta"].clone();
    let (ada_before, bo_before) = (meta(format!("/Users/{ada}")), meta(format!("/Users/{bo}")));
    let group_before = meta(format!("/Groups/{ops}"));
    app.clock.advance_millis(1_000);
    let change = json!([add_members(&[&bo]), { "op": "replace", "path": "displayName", "value": "Operations" }]);
    app.scim()
        .patch(&format!("/Groups/{ops}"), &patch(change))
        .expect(204);
    let read = app.scim().get(&format!("/Users/{ada}"));
    assert_eq!(read.json["groups"][0]["display"], "Operations");
    assert_eq!(read.json["meta"], ada_before);
    assert_eq!(meta(format!("/Users/{bo}")), bo_before);
    let group_after = meta(format!("/Groups/{ops}"));
    assert_ne!(group_after["version"], group_before["version"]);
    app.clock.advance_millis(1_000);
    app.scim().delete(&format!("/Users/{bo}")).expect(204);
    let left = app.scim().get(&format!("/Groups/{ops}"));
    assert_eq!(left.members(), [ada.as_str()]);
    assert_ne!(left.json["meta"]["version"], group_after["version"]);
    assert_eq!(
        left.json["meta"]["lastModified"],
        app.clock.now().to_string()
    );
    app.scim().delete(&format!("/Groups/{ops}")).expect(204);
    let read = app.scim().get(&format!("/Users/{ada}"));
    assert!(read.json.get("groups").is_none());
    assert_eq!(read.json["meta"], ada_before);
}
