//! HR systems. Interop notes §9: the cohort by Bulk, absent `active`, pushes that repeat without probing.

use crate::harness::{ENT, GROUP, PATCH_OP, TestApp, USER, Value, json, patch, user};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

fn cohort(manager: &str, leaver: &str, group: &str) -> Value {
    json!({ "schemas": [BULK], "failOnErrors": 5, "Operations": [
        { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "schemas": [GROUP], "displayName": "New hires 2026-11", "members": [{ "value": "bulkId:p1" }, { "value": "bulkId:p2" }] } },
        { "method": "POST", "path": "/Users", "bulkId": "p1", "data": { "schemas": [USER, ENT], "userName": "p1@acme.test", "externalId": "E-1001", ENT: { "employeeNumber": "1001", "department": "Onboarding", "manager": { "value": manager } } } },
        { "method": "POST", "path": "/Users", "bulkId": "p2", "data": { "schemas": [USER, ENT], "userName": "p2@acme.test", "externalId": "E-1002", ENT: { "employeeNumber": "1002", "manager": { "value": "bulkId:p1" } } } },
        { "method": "PATCH", "path": format!("/Users/{leaver}"), "data": { "schemas": [PATCH_OP], "Operations": [{ "op": "replace", "path": "active", "value": false }] } },
        { "method": "PATCH", "path": format!("/Groups/{group}"), "data": { "schemas": [PATCH_OP], "Operations": [{ "op": "remove", "path": format!("members[value eq \"{leaver}\"]") }] } },
        { "method": "DELETE", "path": "/Users/0199a2c4-0000-7000-8000-000000000000" },
    ] })
}

#[test]
fn a_cohort_in_one_file_is_applied_and_the_same_file_twice_makes_nobody_twice() {
    let app = TestApp::new();
    let scim = app.scim();
    let (boss, leaver) = (app.user("boss"), app.user("leaver"));
    let old = app.group("Staff", &[&leaver, &boss]);
    let answer = scim.post("/Bulk", &cohort(&boss, &leaver, &old));
    let statuses = |reply: &Value| -> Vec<String> {
        reply["Operations"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| one["status"].as_str().unwrap_or("no text").to_owned())
            .collect()
    };
    assert_eq!(
        statuses(&answer.expect(200).json),
        ["201", "201", "201", "200", "204", "404"],
        "{answer:?}"
    );
    assert_eq!(answer.json["Operations"][1]["bulkId"], "p1");
    assert_eq!(answer.json["Operations"][5]["response"]["status"], "404");
    let found = scim.get(&format!("/Users?filter={ENT}:employeeNumber eq \"1002\""));
    let second = found.expect(200).json["Resources"][0].clone();
    let first = scim
        .get("/Users?filter=externalId eq \"E-1001\"")
        .expect(200)
        .json["Resources"][0]
        .clone();
    assert_eq!(
        second[ENT]["manager"]["value"], first["id"],
        "a reference forward"
    );
    assert_eq!(first["active"], true);
    let group = scim.get("/Groups?filter=displayName eq \"new hires 2026-11\"");
    assert_eq!(
        group.expect(200).json["Resources"][0]["members"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert_eq!(
        scim.get(&format!("/Groups/{old}")).members(),
        [boss.as_str()]
    );
    assert_eq!(scim.get(&format!("/Users/{leaver}")).json["active"], false);
    let total = scim.get("/").json["totalResults"].clone();
    let again = scim.post("/Bulk", &cohort(&boss, &leaver, &old));
    let repeated = statuses(&again.expect(200).json);
    assert_eq!(repeated[1..3], ["409", "409"], "{again:?}");
    assert!(["400", "409"].contains(&repeated[0].as_str()), "{again:?}");
    assert_eq!(scim.get("/").json["totalResults"], total);
}

#[test]
fn a_record_without_active_switches_nobody_off_or_on() {
    let app = TestApp::new();
    let scim = app.scim();
    let record = |title: &str| json!({ "schemas": [USER], "userName": "eve@acme.test", "externalId": "E-1", "title": title });
    let path = format!(
        "/Users/{}",
        scim.post("/Users", &record("A")).expect(201).id()
    );
    assert_eq!(
        scim.put(&path, &record("B")).expect(200).json["active"],
        true
    );
    scim.patch(
        &path,
        &patch(json!([{ "op": "replace", "path": "active", "value": false }])),
    )
    .expect(200);
    assert_eq!(
        scim.put(&path, &record("C")).expect(200).json["active"],
        false
    );
    assert_eq!(
        scim.patch(
            &path,
            &patch(json!([{ "op": "replace", "value": { "title": "D" } }]))
        )
        .expect(200)
        .json["active"],
        false
    );
}

#[test]
fn a_push_that_repeats_without_asking_is_told_so_and_changes_nothing() {
    let app = TestApp::new();
    let scim = app.scim();
    let id = scim.post("/Users", &user("eve@acme.test")).expect(201).id();
    let clash = scim.post("/Users", &user("eve@acme.test"));
    clash.scim_error("uniqueness");
    assert!(clash.text.contains("userName"), "{clash:?}");
    assert_eq!(
        scim.get("/Users?filter=userName eq \"eve@acme.test\"")
            .expect(200)
            .names("id"),
        [id.as_str()],
        "the clash is visible to the probe"
    );
    let group = app.group("Staff", &[]);
    for _ in 0..3 {
        scim.patch(
            &format!("/Groups/{group}"),
            &patch(json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }])),
        )
        .expect(204);
    }
    assert_eq!(
        scim.get(&format!("/Groups/{group}")).json["members"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    scim.delete(&format!("/Users/{id}")).expect(204);
    scim.delete(&format!("/Users/{id}")).scim_failure(404);
}

#[test]
fn what_scripts_look_up_is_found() {
    let app = TestApp::new();
    let scim = app.scim();
    for number in 1..=3 {
        app.clock.advance_millis(60_000);
        scim.post("/Users", &json!({ "schemas": [USER, ENT], "userName": format!("e{number}"), "externalId": format!("E-{number}"), ENT: { "employeeNumber": format!("{number}") } })).expect(201);
    }
    let found = |filter: &str| {
        scim.get(&format!("/Users?filter={filter}"))
            .expect(200)
            .names("userName")
    };
    assert_eq!(found("externalId eq \"E-2\""), ["e2"]);
    assert_eq!(found(&format!("{ENT}:employeeNumber eq \"3\"")), ["e3"]);
    assert_eq!(found("employeeNumber eq \"3\""), ["e3"]);
    assert_eq!(
        found(
            "meta.lastModified gt \"2026-03-02T09:01:30Z\" and (externalId eq \"E-1\" or externalId eq \"E-2\")"
        ),
        ["e2"]
    );
}
