//! authentik and the Keycloak extension. Interop notes §10: one operation per member, `value: null`, relative references.

use crate::harness::{GROUP, TestApp, USER, json, patch};

#[test]
fn authentik_replaces_a_missing_user_and_links_after_a_conflict() {
    let app = TestApp::new();
    let scim = app.scim();
    let body =
        json!({ "schemas": [USER], "userName": "noa", "externalId": "uid-1", "active": true });
    scim.put("/Users/0199a2c4-0000-7000-8000-000000000000", &body)
        .scim_failure(404);
    let id = scim.post("/Users", &body).expect(201).id();
    scim.post("/Users", &body).scim_error("uniqueness");
    assert_eq!(
        scim.get("/Users?filter=userName eq \"noa\"")
            .expect(200)
            .names("id"),
        [id.as_str()]
    );
    scim.put(&format!("/Users/{id}"), &body).expect(200);
    assert_eq!(
        scim.get("/Users?startIndex=2").expect(200).json["Resources"],
        json!([])
    );
    assert_eq!(
        scim.get("/ServiceProviderConfig").json["patch"]["supported"],
        true
    );
}

#[test]
fn authentik_sends_one_operation_for_each_member() {
    let app = TestApp::new();
    let scim = app.scim();
    let people = app.users(5);
    let group = scim.post(
        "/Groups",
        &json!({ "schemas": [GROUP], "displayName": "Crew", "externalId": "gid-1" }),
    );
    assert_eq!(
        group.expect(201).json.get("members"),
        None,
        "absent, not null"
    );
    let path = format!("/Groups/{}", group.id());
    let each = |op: &str, ids: &[String]| {
        patch(
            ids.iter()
                .map(|id| json!({ "op": op, "path": "members", "value": [{ "value": id }] }))
                .collect(),
        )
    };
    scim.patch(&path, &each("add", &people)).expect(204);
    assert_eq!(scim.get(&path).members().len(), 5);
    scim.patch(&path, &each("remove", &people[..3])).expect(204);
    assert_eq!(scim.get(&path).members().len(), 2);
    let update = json!([{ "op": "replace", "value": { "schemas": [GROUP], "id": group.id(), "externalId": "gid-1", "displayName": "Night crew" } }]);
    scim.patch(&path, &patch(update)).expect(204);
    let after = scim.get(&path);
    assert_eq!(
        (after.json["displayName"].as_str(), after.members().len()),
        (Some("Night crew"), 2)
    );
}

#[test]
fn keycloak_replaces_name_and_members_at_once_and_removes_everybody_with_null() {
    let app = TestApp::new();
    let scim = app
        .scim()
        .with_header("Content-Type", "application/json;charset=UTF-8");
    let people = app.users(3);
    let group = app.group("Crew", &[&people[0]]);
    let path = format!("/Groups/{group}");
    let all = json!([
        { "op": "replace", "path": "members", "value": [{ "value": people[1], "$ref": format!("Users/{}", people[1]) }, { "value": people[2], "$ref": format!("Users/{}", people[2]) }] },
        { "op": "replace", "path": "displayName", "value": "Late crew" },
        { "op": "replace", "path": "externalId", "value": "kc-1" },
    ]);
    scim.patch(&path, &patch(all)).expect(204);
    let after = scim.get(&path);
    assert_eq!(
        (
            after.members().len(),
            after.json["displayName"].as_str(),
            after.json["externalId"].as_str()
        ),
        (2, Some("Late crew"), Some("kc-1"))
    );
    for member in after.json["members"].as_array().into_iter().flatten() {
        assert!(
            member["$ref"]
                .as_str()
                .is_some_and(|url| url.starts_with("http")),
            "absolute, whatever was sent: {member}"
        );
    }
    let put = json!({ "schemas": [GROUP], "displayName": "Late crew", "members": [{ "value": people[0], "$ref": format!("Users/{}", people[0]) }] });
    assert_eq!(
        scim.put(&path, &put).expect(200).members(),
        [people[0].as_str()]
    );
    scim.patch(
        &path,
        &patch(json!([{ "op": "remove", "path": "members", "value": null }])),
    )
    .expect(204);
    assert!(scim.get(&path).members().is_empty());
    let doubled = app
        .client("/scim/v2", Some(&app.token("scim", None, None)))
        .get("//Users");
    assert_eq!(
        doubled.expect(200).json["totalResults"],
        3,
        "a doubled slash is one"
    );
}
