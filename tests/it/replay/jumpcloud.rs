//! JumpCloud. Interop notes §5: a rehearsal against the live tenant; one failed step refuses the integration.

use crate::harness::{TestApp, USER, add_members, group, json, patch};

#[test]
fn the_rehearsal_with_a_test_user_and_a_test_group_succeeds_step_by_step() {
    let app = TestApp::new();
    let course = app.course("Fire safety");
    let scim = app.scim();
    assert_eq!(scim.get("/Users").expect(200).json["Resources"], json!([]));
    let body = json!({
        "schemas": [USER], "userName": "test.user@acme.test", "active": true, "name": { "givenName": "Test", "familyName": "User" },
        "emails": [{ "value": "test.user@acme.test", "type": "work", "primary": true }], "password": "Rehearsal-1",
    });
    let user = scim.post("/Users", &body);
    assert_eq!(
        user.expect(201).header("location"),
        user.json["meta"]["location"].as_str().unwrap_or_default()
    );
    let path = format!("/Users/{}", user.id());
    let operations = json!([
        { "op": "Replace", "path": "name.givenName", "value": "Tess" },
        { "op": "Replace", "path": "name.familyName", "value": "Tester" },
        { "op": "Add", "path": "title", "value": "Rehearsal" },
        { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "tess@acme.test" },
        { "op": "Replace", "path": "active", "value": "True" },
    ]);
    let patched = scim.patch(&path, &patch(operations));
    assert_eq!(
        patched.expect(200).json["name"],
        json!({ "givenName": "Tess", "familyName": "Tester" })
    );
    assert_eq!(
        (&patched.json["emails"][0]["value"], &patched.json["active"]),
        (&json!("tess@acme.test"), &json!(true))
    );
    let made = scim
        .post("/Groups", &group("Test group", &[]))
        .expect(201)
        .id();
    app.assign(&made, &course);
    let place = format!("/Groups/{made}");
    scim.patch(&place, &patch(json!([add_members(&[&user.id()])])))
        .expect(204);
    assert_eq!(scim.get(&place).members(), [user.id()]);
    scim.patch(
        &place,
        &patch(json!([{ "op": "remove", "path": "members", "value": [{ "value": user.id() }] }])),
    )
    .expect(204);
    assert!(scim.get(&place).members().is_empty());
    assert_eq!(app.enrollments().len(), 1, "who leaves stays enrolled");
    assert_eq!(
        scim.patch(
            &path,
            &patch(json!([{ "op": "replace", "path": "active", "value": false }]))
        )
        .expect(200)
        .json["active"],
        false
    );
    scim.delete(&place).expect(204);
    scim.delete(&path).expect(204);
    assert_eq!(scim.get("/").expect(200).json["totalResults"], 0);
}
