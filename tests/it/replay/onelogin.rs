//! OneLogin. Interop notes §4: templates the admin edits, PUT for everything, `Eq` with pluses and a trailing `&`.

use crate::harness::{ENT, TestApp, USER, Value, add_members, group, json, patch};

/// What a template of OneLogin's makes of a person.
fn template(active: &str) -> Value {
    json!({
        "schemas": [USER, ENT], "id": null, "externalId": "42", "userName": "runa@acme.test", "active": active,
        "meta": { "resourceType": "User", "created": null }, "name": { "givenName": "Runa", "familyName": "Dahl", "formatted": null },
        "title": null, "phoneNumbers": [{ "value": null, "type": "work" }], "emails": { "value": "runa@acme.test", "type": "work" },
        ENT: { "department": "Ops", "manager": { "managerId": "", "displayName": "" } },
    })
}

#[test]
fn saving_the_connector_reads_configuration_and_users() {
    let app = TestApp::new();
    let scim = app.scim();
    scim.get("/ServiceProviderConfig").expect(200);
    assert_eq!(scim.get("/Users").expect(200).json["Resources"], json!([]));
    let probe = scim.get("/Users?filter=userName+Eq+%22runa%40acme.test%22&");
    assert_eq!(
        (
            probe.expect(200).json["totalResults"].clone(),
            probe.json["Resources"].clone()
        ),
        (json!(0), json!([]))
    );
}

#[test]
fn a_template_full_of_nulls_creates_a_user_and_a_put_updates_it() {
    let app = TestApp::new();
    let scim = app.scim().with_header("Content-Type", "application/json");
    let created = scim.post("/Users", &template("true"));
    assert_eq!(created.expect(201).json["active"], true);
    assert_ne!(created.json["id"], Value::Null);
    assert_eq!(
        created.json["emails"],
        json!([{ "value": "runa@acme.test", "type": "work" }])
    );
    assert_eq!(
        (
            created.json.get("phoneNumbers"),
            created.json[ENT].get("manager")
        ),
        (None, None)
    );
    let found = scim.get("/Users?filter=userName+Eq+%22RUNA%40acme.test%22&");
    assert_eq!(found.expect(200).names("id"), [created.id()]);
    let path = format!("/Users/{}", created.id());
    let group = app.group("Ops", &[&created.id()]);
    let suspended = scim.put(&format!("{path}?"), &template("false"));
    assert_eq!(suspended.expect(200).json["active"], false);
    assert_eq!(
        scim.get(&format!("/Groups/{group}")).members(),
        [created.id()],
        "a PUT of a user touches no membership"
    );
    assert_eq!(
        scim.put(&format!("{path}?"), &template("true"))
            .expect(200)
            .json["active"],
        true
    );
}

#[test]
fn a_manager_named_by_manager_id_is_the_manager() {
    let app = TestApp::new();
    let boss = app.user("boss");
    let mut body = template("true");
    body[ENT]["manager"] = json!({ "managerId": boss, "displayName": "The boss" });
    let created = app.scim().post("/Users", &body);
    assert_eq!(
        created.expect(201).json[ENT]["manager"]["value"],
        json!(boss)
    );
}

#[test]
fn urns_of_scim_1_1_are_read_as_those_of_2_0_or_refused_by_name() {
    let app = TestApp::new();
    let mut body = template("true");
    body["schemas"] = json!([
        "urn:scim:schemas:core:2.0",
        "urn:scim:schemas:extension:enterprise:2.0"
    ]);
    body["urn:scim:schemas:extension:enterprise:2.0"] = body[ENT].clone();
    if let Some(body) = body.as_object_mut() {
        body.remove(ENT);
    }
    let reply = app.scim().post("/Users", &body);
    if reply.status == 201 {
        assert_eq!(
            reply.json[ENT]["department"], "Ops",
            "never half a user: {reply:?}"
        );
    } else {
        reply.scim_failure(400);
        assert!(reply.text.contains("urn:"), "{reply:?}");
    }
}

#[test]
fn groups_are_made_by_post_and_kept_by_patch() {
    let app = TestApp::new();
    let scim = app.scim();
    let people = app.users(3);
    let made = scim.post("/Groups", &group("Crew", &[])).expect(201).id();
    let path = format!("/Groups/{made}");
    scim.patch(
        &path,
        &patch(json!([add_members(&[&people[0], &people[1]])])),
    )
    .expect(204);
    scim.patch(
        &path,
        &patch(json!([{ "op": "remove", "path": "members", "value": [{ "value": people[0] }] }])),
    )
    .expect(204);
    assert_eq!(scim.get(&path).members(), [people[1].as_str()]);
    scim.patch(
        &path,
        &patch(json!([{ "op": "replace", "path": "members", "value": [{ "value": people[2] }] }])),
    )
    .expect(204);
    assert_eq!(scim.get(&path).members(), [people[2].as_str()]);
}
