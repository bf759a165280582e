//! Microsoft Entra ID with and without `aadOptscim062020`. Bodies as Entra's provisioning service sends them.

use crate::harness::build::pairs;
use crate::harness::{Client, ENT, GROUP, TestApp, USER, Value, json, patch};

const FOREIGN_GROUP: &str =
    "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";

fn entra(app: &TestApp) -> Client {
    app.scim()
        .with_header("Content-Type", "application/scim+json; charset=utf-8")
}

fn tindra(manager: &str) -> Value {
    json!({ "schemas": [USER, ENT], "externalId": "t.okonjo", "userName": "t.okonjo@acme.example", "active": true,
        "displayName": "Tindra Okonjo", "title": null,
        "emails": [{ "primary": true, "type": "work", "value": "t.okonjo@acme.example" }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": "Tindra Okonjo", "familyName": "Okonjo", "givenName": "Tindra" },
        "roles": [], ENT: { "department": "Field", "manager": manager } })
}

/// Tindra as pushed, and her path.
fn pushed(app: &TestApp) -> (String, String) {
    let id = entra(app)
        .post("/Users", &tindra("0199a2c4-0000-7000-8000-00000000003f"))
        .expect(201)
        .id();
    (format!("/Users/{id}"), id)
}

#[test]
fn the_connection_test_finds_nobody_and_that_is_fine() {
    let app = TestApp::with_entra();
    for flag in ["", "&aadOptscim062020", "&aadOptscim062020="] {
        let reply = entra(&app).get(&format!(
            "/Users?filter=userName+eq+%22b1c9c3a2-5d0e-4d8e-a3f4-7a2b6d1f00aa%22{flag}"
        ));
        assert_eq!(reply.expect(200).json["totalResults"], 0);
    }
    let without_agent = entra(&app)
        .without_header("User-Agent")
        .get("/Users?filter=externalId eq \"none\"");
    without_agent.expect(200);
}

#[test]
fn every_matching_attribute_finds_the_account() {
    let app = TestApp::with_entra();
    let (_, id) = pushed(&app);
    for filter in [
        "userName eq \"T.Okonjo@acme.example\"",
        "externalId eq \"t.okonjo\"",
        "emails[type eq \"work\"].value eq \"t.okonjo@acme.example\"",
    ] {
        let found = entra(&app).get(&format!("/Users?filter={filter}"));
        assert_eq!(found.expect(200).names("id"), [id.as_str()], "{filter}");
    }
}

#[test]
fn a_create_with_nulls_empty_lists_and_a_manager_as_text_succeeds() {
    let app = TestApp::with_entra();
    let manager = "0199a2c4-0000-7000-8000-00000000003f";
    let created = entra(&app).post("/Users", &tindra(manager));
    created.expect(201);
    assert_eq!(created.json[ENT]["manager"]["value"], manager);
    assert!(created.json.get("title").is_none() && created.json.get("roles").is_none());
    assert_eq!(
        created.json["userName"], "t.okonjo@acme.example",
        "values stay as they were sent"
    );
}

#[test]
fn the_misspelt_extension_is_accepted_and_left_out_of_the_answer() {
    let app = TestApp::with_entra();
    let misspelt = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User";
    let created = entra(&app).post(
        "/Users",
        &json!({ "schemas": [USER, misspelt], "userName": "x@acme.example" }),
    );
    created.expect(201);
    assert!(!created.text.contains(misspelt));
    let group = entra(&app).post("/Groups", &json!({ "schemas": [GROUP, FOREIGN_GROUP], "externalId": "0b7e", "displayName": "Cohort 7", "meta": { "resourceType": "Group" } }));
    assert_eq!(group.expect(201).json["externalId"], "0b7e");
    assert!(!group.text.contains("schemas.microsoft.com"));
}

#[test]
fn an_update_without_the_flag_is_one_operation_per_path() {
    let app = TestApp::with_entra();
    let (path, _) = pushed(&app);
    let manager = "0199a2c4-0000-7000-8000-0000000000aa";
    let reply = entra(&app).patch(
        &path,
        &patch(json!([
            { "op": "Replace", "path": "displayName", "value": "Tindra O." },
            { "op": "Add", "path": "emails[type eq \"work\"].value", "value": "tindra@acme.example" },
            { "op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "Gdynia" },
            { "op": "Add", "path": "addresses[type eq \"work\"].country", "value": "PL" },
            { "op": "Add", "path": format!("{ENT}:manager"), "value": manager },
            { "op": "Replace", "path": "active", "value": "False" },
        ])),
    );
    reply.expect(200);
    assert_eq!(reply.json["displayName"], "Tindra O.");
    assert_eq!(
        reply.json["emails"],
        json!([{ "primary": true, "type": "work", "value": "tindra@acme.example" }])
    );
    assert_eq!(
        reply.json["addresses"],
        json!([{ "type": "work", "locality": "Gdynia", "country": "PL" }]),
        "one address, not two"
    );
    assert_eq!(reply.json[ENT]["manager"]["value"], manager);
    assert_eq!(reply.json["active"], false);
    assert_eq!(
        entra(&app)
            .patch(
                &path,
                &patch(json!([{ "op": "Add", "path": "active", "value": "True" }]))
            )
            .expect(200)
            .json["active"],
        true
    );
}

#[test]
fn an_update_with_the_flag_has_paths_as_keys() {
    let app = TestApp::with_entra();
    let (path, _) = pushed(&app);
    let reply = entra(&app).patch(
        &format!("{path}?aadOptscim062020"),
        &patch(json!([
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "tindra@acme.example" },
            { "op": "replace", "value": { "displayName": "Tindra O.", "name.givenName": "Tin", format!("{ENT}:department"): "Ops", "active": false } },
        ])),
    );
    reply.expect(200);
    assert_eq!(
        (&reply.json["displayName"], &reply.json["name"]["givenName"]),
        (&json!("Tindra O."), &json!("Tin"))
    );
    assert_eq!(reply.json["name"]["familyName"], "Okonjo");
    assert_eq!(
        (&reply.json[ENT]["department"], &reply.json["active"]),
        (&json!("Ops"), &json!(false))
    );
    assert!(reply.json.get("name.givenName").is_none());
}

#[test]
fn replace_without_a_match_creates_here_and_the_log_says_so() {
    let app = TestApp::with_entra();
    let (path, _) = pushed(&app);
    let reply = entra(&app).patch(&path, &patch(json!([{ "op": "Replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+48 22 555 01 23" }])));
    assert_eq!(
        reply.expect(200).json["phoneNumbers"],
        json!([{ "type": "mobile", "value": "+48 22 555 01 23" }])
    );
    let row = app.logged("the patch", |row| row["operation"] == "patch");
    assert!(
        !row["warnings"].as_array().is_none_or(Vec::is_empty),
        "the rewrite is named: {row}"
    );
    let generic = TestApp::new();
    let path = format!("/Users/{}", generic.user("x"));
    generic
        .scim()
        .patch(&path, &patch(json!([{ "op": "replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "1" }])))
        .scim_error("noTarget");
}

#[test]
fn roles_keep_their_texts_and_a_primary_written_as_text() {
    let app = TestApp::with_entra();
    let (path, _) = pushed(&app);
    let tutor = "{\"id\":\"18d1\",\"value\":\"tutor\",\"displayName\":\"Tutor\"}";
    let reply = entra(&app).patch(
        &path,
        &patch(json!([{ "op": "Add", "path": "roles", "value": [{ "value": tutor }] }])),
    );
    assert_eq!(reply.expect(200).json["roles"][0]["value"], tutor);
    let reply = entra(&app).patch(
        &path,
        &patch(
            json!([{ "op": "Add", "path": "roles[primary eq \"True\"].value", "value": "tutor" }]),
        ),
    );
    let roles = reply.expect(200).json["roles"].clone();
    assert!(
        roles.as_array().is_some_and(|all| all
            .iter()
            .any(|one| one["value"] == "tutor" && one["primary"] == true)),
        "{roles}"
    );
}

#[test]
fn empty_and_null_both_clear() {
    let app = TestApp::with_entra();
    for nothing in [json!(""), json!(null)] {
        let name = format!("user of {nothing}");
        let id = entra(&app)
            .post("/Users", &json!({ "schemas": [USER], "userName": name, "title": "Lead", "nickName": "T",
                "phoneNumbers": [{ "type": "mobile", "value": "1" }, { "type": "work", "value": "2" }] }))
            .expect(201)
            .id();
        let path = format!("/Users/{id}");
        entra(&app)
            .patch(
                &path,
                &patch(json!([{ "op": "Replace", "path": "title", "value": nothing }])),
            )
            .expect(200);
        entra(&app)
            .patch(
                &path,
                &patch(json!([{ "op": "replace", "value": { "nickName": nothing } }])),
            )
            .expect(200);
        let reply = entra(&app).patch(&path, &patch(json!([{ "op": "Replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": nothing }])));
        reply.expect(200);
        assert!(
            reply.json.get("title").is_none() && reply.json.get("nickName").is_none(),
            "{reply:?}"
        );
        assert_eq!(
            reply.json["phoneNumbers"],
            json!([{ "type": "work", "value": "2" }]),
            "{reply:?}"
        );
    }
    let (path, _) = pushed(&app);
    let reply = entra(&app).patch(
        &path,
        &patch(json!([{ "op": "Replace", "path": "userName", "value": null }])),
    );
    assert_eq!(reply.status, 400, "{reply:?}");
}

#[test]
fn a_manager_is_set_and_removed_in_every_form() {
    let app = TestApp::with_entra();
    let (path, _) = pushed(&app);
    let target = format!("{ENT}:manager");
    for value in [
        json!("m-1"),
        json!({ "value": "m-2" }),
        json!([{ "$ref": "https://x.test/Users/m-3", "value": "m-3" }]),
    ] {
        let reply = entra(&app).patch(
            &path,
            &patch(json!([{ "op": "Replace", "path": target, "value": value }])),
        );
        assert!(
            reply.expect(200).json[ENT]["manager"]["value"]
                .as_str()
                .is_some_and(|id| id.starts_with("m-")),
            "{reply:?}"
        );
        assert!(reply.json[ENT]["manager"].is_object());
    }
    for removal in [
        json!({ "op": "Replace", "path": target, "value": "" }),
        json!({ "op": "Replace", "path": target, "value": { "value": "" } }),
        json!({ "op": "Remove", "path": target }),
    ] {
        entra(&app)
            .patch(
                &path,
                &patch(json!([{ "op": "Add", "path": target, "value": "m-1" }])),
            )
            .expect(200);
        let reply = entra(&app).patch(&path, &patch(json!([removal])));
        assert!(
            reply.expect(200).json[ENT].get("manager").is_none(),
            "{removal}\n{reply:?}"
        );
    }
}

#[test]
fn references_are_probed_added_and_removed_one_by_one() {
    let app = TestApp::with_entra();
    let (_, id) = pushed(&app);
    let other = app.user("other@acme.example");
    let group = entra(&app).post("/Groups", &json!({ "schemas": [GROUP, FOREIGN_GROUP], "displayName": "Cohort 7", "meta": { "resourceType": "Group" } })).expect(201).id();
    app.assign(&group, &app.course("Fire safety"));
    let path = format!("/Groups/{group}");
    let probes = |expected: u64| {
        for member in ["members eq", "members.value eq"] {
            let filter =
                format!("/Groups?attributes=id&filter=id eq \"{group}\" and {member} \"{id}\"");
            assert_eq!(
                entra(&app).get(&filter).expect(200).json["totalResults"],
                expected,
                "{filter}"
            );
        }
        let filter = format!(
            "/Groups?attributes=id&filter=id eq \"{group}\" and members[value eq \"{id}\"]"
        );
        assert_eq!(
            entra(&app).get(&filter).expect(200).json["totalResults"],
            expected
        );
    };
    probes(0);
    entra(&app).patch(&path, &patch(json!([{ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": id }, { "$ref": null, "value": other }] }]))).expect(204);
    probes(1);
    let lean = entra(&app).get(&format!("{path}?excludedAttributes=members"));
    assert!(lean.expect(200).json.get("members").is_none());
    entra(&app).patch(&path, &patch(json!([{ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": id }] }]))).expect(204);
    probes(0);
    assert_eq!(
        entra(&app).get(&path).members(),
        [other.as_str()],
        "only the named one went"
    );
    entra(&app)
        .patch(
            &path,
            &patch(json!([{ "op": "remove", "path": format!("members[value eq \"{other}\"]") }])),
        )
        .expect(204);
    assert!(entra(&app).get(&path).members().is_empty());
    assert_eq!(pairs(&app.enrollments()).len(), 2);
    for form in [
        "manager eq",
        &format!("{ENT}:manager eq"),
        &format!("{ENT}:manager.value eq"),
    ] {
        let filter = format!(
            "/Users?attributes=id&filter=id eq \"{id}\" and {form} \"0199a2c4-0000-7000-8000-00000000003f\""
        );
        assert_eq!(
            entra(&app).get(&filter).expect(200).names("id"),
            [id.as_str()],
            "{form}"
        );
    }
}

#[test]
fn who_leaves_and_comes_back_is_still_a_member() {
    let app = TestApp::with_entra();
    let (path, id) = pushed(&app);
    let group = app.group("Cohort 7", &[&id]);
    entra(&app)
        .patch(
            &path,
            &patch(json!([{ "op": "Replace", "path": "active", "value": "False" }])),
        )
        .expect(200);
    let found = entra(&app).get("/Users?filter=userName eq \"t.okonjo@acme.example\"");
    assert_eq!(
        found.expect(200).names("id"),
        [id.as_str()],
        "inactive people are found"
    );
    app.assign(&group, &app.course("Fire safety"));
    assert!(app.enrollments().is_empty());
    entra(&app)
        .patch(
            &path,
            &patch(json!([{ "op": "Replace", "path": "active", "value": "True" }])),
        )
        .expect(200);
    assert_eq!(
        entra(&app).get(&format!("/Groups/{group}")).members(),
        [id.as_str()]
    );
    assert_eq!(
        pairs(&app.enrollments()).len(),
        1,
        "enrolled in what was assigned meanwhile"
    );
}

#[test]
fn hundreds_of_members_come_in_one_patch() {
    let app = TestApp::with_entra();
    let users = app.users(300);
    let group = app.group("Cohort 7", &[]);
    app.assign(&group, &app.course("Fire safety"));
    let batch: Vec<Value> = users
        .iter()
        .map(|id| json!({ "$ref": null, "value": id }))
        .collect();
    entra(&app)
        .patch(
            &format!("/Groups/{group}"),
            &patch(json!([{ "op": "Add", "path": "members", "value": batch }])),
        )
        .expect(204);
    assert_eq!(
        entra(&app).get(&format!("/Groups/{group}")).members().len(),
        300
    );
    assert_eq!(pairs(&app.enrollments()).len(), 300);
}
