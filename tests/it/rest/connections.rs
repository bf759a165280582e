//! `/connections`: observe, go live with a preview, pause (A2, A8, §7.16).

use crate::harness::build::rows;
use crate::harness::{TestApp, group, json, user};

#[test]
fn an_observed_connection_owes_nothing_until_it_goes_live_and_says_before_what_will_be() {
    let app = TestApp::new();
    let api = app.api();
    let new = json!({"name": "Okta production", "idp": "okta", "mode": "observe"});
    let made = api.post("/connections", &new);
    let made = &made.expect(201).json;
    assert_eq!(
        (&made["lock_groups"], &made["approve"]),
        (&json!(true), &json!("inherit"))
    );
    let id = made["id"].as_str().expect("an id").to_owned();
    let token = api.post(
        "/tokens",
        &json!({"label": "Okta", "kind": "scim", "connection_id": id}),
    );
    let scim = app.client(
        "/scim/v2",
        Some(token.expect(201).json["token"].as_str().expect("a token")),
    );
    let people: Vec<String> = (1..=3)
        .map(|n| {
            scim.post("/Users", &user(&format!("p{n}@acme.test")))
                .expect(201)
                .id()
        })
        .collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let team = scim
        .post("/Groups", &group("Warehouse", &people))
        .expect(201)
        .id();
    let course = app.course("Fire safety");
    app.assign(&team, &course);
    assert!(app.enrollments().is_empty(), "observed");

    let owed = api.get(&format!("/connections/{id}/owed"));
    assert_eq!(owed.expect(200).json["summary"]["enrollments"]["create"], 3);
    let go_live = format!("/connections/{id}/go-live");
    let dry = api.post(&format!("{go_live}?dry_run=true"), &json!({}));
    assert_eq!(dry.expect(200).json["summary"]["enrollments"]["create"], 3);
    assert!(app.enrollments().is_empty(), "both were previews");
    assert_eq!(
        api.post(&go_live, &json!({})).expect(200).json["enrollments_created"],
        3
    );
    assert_eq!(app.enrollments().len(), 3);
    assert_eq!(
        api.post(&go_live, &json!({})).expect(200).json["enrollments_created"],
        0
    );
    // and from now on each push at once, on this node without waiting for the cache
    let fourth = scim.post("/Users", &user("p4@acme.test")).expect(201).id();
    let add = crate::harness::patch(json!([crate::harness::add_members(&[&fourth])]));
    scim.patch(&format!("/Groups/{team}"), &add).expect(204);
    assert_eq!(app.enrollments().len(), 4);
}

#[test]
fn a_paused_connection_is_told_to_come_back_later() {
    let app = TestApp::with_okta();
    let (api, scim) = (app.api(), app.scim());
    let id = rows(&api, "/connections")[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    scim.get("/Users").expect(200);
    api.patch(&format!("/connections/{id}"), &json!({"mode": "paused"}))
        .expect(200);
    let refused = scim.post("/Users", &user("ann@acme.test"));
    refused.scim_failure(503);
    assert_eq!(refused.header("retry-after"), "60");
    api.patch(&format!("/connections/{id}"), &json!({"mode": "live"}))
        .expect(200);
    scim.post("/Users", &user("ann@acme.test")).expect(201);
}

#[test]
fn edits_are_checked_switches_merge_and_names_stay_unique() {
    let app = TestApp::new();
    let api = app.api();
    let one = api
        .post("/connections", &json!({"name": "One", "idp": "entra"}))
        .expect(201)
        .id();
    api.post("/connections", &json!({"name": "Two", "idp": "generic"}))
        .expect(201);
    let path = format!("/connections/{one}");
    let edited = api.patch(
        &path,
        &json!({"switches": {"unknown_scim_member": "reject"}, "approve": "manual"}),
    );
    let edited = &edited.expect(200).json;
    assert_eq!(edited["switches"]["unknown_scim_member"], "reject");
    assert_eq!(
        edited["switches"]["replace_creates"], true,
        "the others stay"
    );
    assert_eq!(
        api.patch(&path, &json!({"name": "two"})).expect(409).json["code"],
        "already_taken"
    );
    assert_eq!(
        api.post("/connections", &json!({"name": " ONE ", "idp": "okta"}))
            .expect(409)
            .json["code"],
        "already_taken"
    );
    let wrong = api.patch(
        &path,
        &json!({"mode": "live!", "switches": {"replace_create": true}, "lock_groups": null}),
    );
    let wrong = &wrong.expect(422).json;
    let pointers: Vec<&str> = wrong["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .filter_map(|e| e["pointer"].as_str())
        .collect();
    assert_eq!(
        pointers,
        ["/mode", "/switches/replace_create", "/lock_groups"]
    );
    api.get("/connections/0199a2c4-0000-7000-8000-000000000001")
        .expect(404);
}
