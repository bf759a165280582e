//! Okta, both dialects: apps from the catalog (PATCH) and from the wizard (PUT). Paths, headers and bodies as Okta sends them.

use crate::harness::build::pairs;
use crate::harness::{Client, GROUP, LIST, TestApp, USER, Value, json, patch};

fn okta(app: &TestApp) -> Client {
    app.scim()
        .with_header("User-Agent", "Okta SCIM Client 1.0.0")
        .with_header("Accept", "application/scim+json")
        .with_header("Accept-Charset", "utf-8")
        .with_header("Content-Type", "application/scim+json; charset=utf-8")
}

fn ines() -> Value {
    json!({ "schemas": [USER], "userName": "ines.valdarno@acme.example",
        "name": { "givenName": "Ines", "familyName": "Valdarno" },
        "emails": [{ "primary": true, "value": "ines.valdarno@acme.example", "type": "work" }],
        "displayName": "Ines Valdarno", "locale": "en-US", "externalId": "00u7kd3k9wQx",
        "groups": [], "password": "8fj39d!kDl", "active": true })
}

const PROBE: &str =
    "/Users?filter=userName%20eq%20%22ines.valdarno%40acme.example%22&startIndex=1&count=100";

#[test]
fn the_connection_test_reads_a_page_of_each() {
    let app = TestApp::with_okta();
    for path in [
        "/Users?startIndex=1&count=2",
        "/Users?startIndex=1&count=1",
        "/Groups?startIndex=1&count=100",
    ] {
        let page = okta(&app).get(path);
        page.expect(200);
        assert_eq!(
            (
                &page.json["schemas"],
                &page.json["totalResults"],
                &page.json["Resources"]
            ),
            (&json!([LIST]), &json!(0), &json!([]))
        );
    }
    app.client("/scim/v2", Some("wrong"))
        .get("/Users?startIndex=1&count=2")
        .scim_failure(401);
}

#[test]
fn assigning_a_person_probes_creates_and_finds_again() {
    let app = TestApp::with_okta();
    let none = okta(&app).get(PROBE);
    assert_eq!(
        none.expect(200).json,
        json!({ "schemas": [LIST], "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": [] })
    );
    let created = okta(&app).post("/Users", &ines());
    created.expect(201);
    assert!(created.json.get("password").is_none());
    assert!(created.header("location").ends_with(&created.id()));
    let found = okta(&app).get(PROBE);
    assert_eq!(found.expect(200).names("id"), [created.id()]);
    okta(&app).post("/Users", &ines()).scim_error("uniqueness");
}

#[test]
fn an_update_puts_back_what_was_read_with_empty_texts() {
    let app = TestApp::with_okta();
    let created = okta(&app).post("/Users", &ines()).expect(201).clone();
    let path = format!("/Users/{}", created.id());
    let mut whole = okta(&app).get(&path).expect(200).json.clone();
    assert_eq!(
        okta(&app).put(&path, &whole).expect(200).etag(),
        created.etag(),
        "nothing changed"
    );
    whole["name"]["givenName"] = json!("Inés");
    whole["profileUrl"] = json!("");
    whole["nickName"] = json!("");
    whole["groups"] = json!([{ "value": "nonsense", "display": "ignored" }]);
    whole["meta"] = json!({ "location": "https://elsewhere.test/x", "resourceType": "User" });
    let after = okta(&app).put(&path, &whole);
    assert_eq!(after.expect(200).json["name"]["givenName"], "Inés");
    assert!(after.json.get("profileUrl").is_none() && after.json.get("nickName").is_none());
    assert_eq!(after.id(), created.id());
    whole.as_object_mut().map(|object| object.remove("locale"));
    assert!(
        okta(&app)
            .put(&path, &whole)
            .expect(200)
            .json
            .get("locale")
            .is_none(),
        "what is left out is cleared"
    );
}

#[test]
fn deactivated_people_are_found_and_keep_everything() {
    let app = TestApp::with_okta();
    let created = okta(&app).post("/Users", &ines()).expect(201).clone();
    let id = created.id();
    let group = okta(&app).post("/Groups", &json!({ "schemas": [GROUP], "displayName": "Cohort", "members": [{ "value": id, "display": "ines" }] })).expect(201).id();
    app.assign(&group, &app.course("Fire safety"));
    let path = format!("/Users/{id}");
    let active = |value: bool| patch(json!([{ "op": "replace", "value": { "active": value } }]));
    assert_eq!(
        okta(&app).patch(&path, &active(false)).expect(200).json["active"],
        false
    );
    assert_eq!(okta(&app).get(PROBE).expect(200).names("id"), [id.as_str()]);
    let back = okta(&app).patch(&path, &active(true));
    assert_eq!(back.expect(200).json["active"], true);
    assert_eq!(back.json["emails"], created.json["emails"]);
    assert_eq!(
        okta(&app).get(&format!("/Groups/{group}")).members(),
        [id.as_str()]
    );
    assert_eq!(pairs(&app.enrollments()).len(), 1);
    // The other dialect does the same by PUT.
    let mut whole = okta(&app).get(&path).json.clone();
    whole["active"] = json!(false);
    assert_eq!(
        okta(&app).put(&path, &whole).expect(200).json["active"],
        false
    );
    whole["active"] = json!(true);
    assert_eq!(
        okta(&app).put(&path, &whole).expect(200).json["active"],
        true
    );
}

#[test]
fn a_pushed_password_succeeds_and_is_nowhere() {
    let app = TestApp::with_okta();
    let created = okta(&app).post("/Users", &ines()).expect(201).clone();
    let path = format!("/Users/{}", created.id());
    let reply = okta(&app).patch(
        &path,
        &patch(json!([{ "op": "replace", "value": { "password": "n3w-S3cret" } }])),
    );
    assert!(matches!(reply.status, 200 | 204), "{reply:?}");
    assert!(!okta(&app).get(&path).text.contains("n3w-S3cret"));
    assert_eq!(okta(&app).get(&path).etag(), created.etag());
}

#[test]
fn a_group_push_creates_renames_swaps_members_and_deletes() {
    let app = TestApp::with_okta();
    let (ines, tom) = (
        app.user("ines@acme.example"),
        app.user("tom.berg@acme.example"),
    );
    okta(&app)
        .get(
            "/Groups?filter=displayName%20eq%20%22Cohort%20%5C%22A%5C%22%22&startIndex=1&count=100",
        )
        .expect(200);
    let created = okta(&app).post(
        "/Groups",
        &json!({ "schemas": [GROUP], "displayName": "Cohort \"A\"", "members": [] }),
    );
    let id = created.expect(201).id();
    let found = okta(&app).get(
        "/Groups?filter=displayName%20eq%20%22Cohort%20%5C%22A%5C%22%22&startIndex=1&count=100",
    );
    assert_eq!(found.expect(200).names("id"), [id.as_str()]);
    let path = format!("/Groups/{id}");
    let course = app.course("Fire safety");
    app.assign(&id, &course);

    let rename =
        patch(json!([{ "op": "replace", "value": { "id": id, "displayName": "Cohort A" } }]));
    let reply = okta(&app).patch(&path, &rename);
    assert!(matches!(reply.status, 200 | 204), "{reply:?}");
    assert_eq!(okta(&app).get(&path).json["displayName"], "Cohort A");

    let push_now =
        |members: Value| patch(json!([{ "op": "replace", "path": "members", "value": members }]));
    okta(&app)
        .patch(
            &path,
            &push_now(json!([{ "value": ines, "display": "ines@acme.example" }])),
        )
        .expect(204);
    let swap = patch(json!([
        { "op": "remove", "path": format!("members[value eq \"{ines}\"]") },
        { "op": "add", "path": "members", "value": [{ "value": tom, "display": "tom.berg@acme.example" }] },
    ]));
    okta(&app).patch(&path, &swap).expect(204);
    assert_eq!(okta(&app).get(&path).members(), [tom.as_str()]);
    okta(&app).patch(&path, &push_now(json!([]))).expect(204);
    assert!(okta(&app).get(&path).members().is_empty());
    assert_eq!(pairs(&app.enrollments()).len(), 2, "both were members once");

    okta(&app).delete(&path).expect(204);
    okta(&app).get(&path).scim_failure(404);
    let again = okta(&app).post(
        "/Groups",
        &json!({ "schemas": [GROUP], "displayName": "Cohort A", "members": [] }),
    );
    assert_ne!(again.expect(201).id(), id, "a new push makes a new group");
}

#[test]
fn group_names_keep_their_quotes_accents_and_signs() {
    let app = TestApp::with_okta();
    for name in [
        "R&D / Tools",
        "100% Équipe",
        "“Fancy” – dash",
        "a \\ b",
        "O'Hara \"x\"",
        "日本 チーム",
    ] {
        let id = okta(&app)
            .post(
                "/Groups",
                &json!({ "schemas": [GROUP], "displayName": name, "members": [] }),
            )
            .expect(201)
            .id();
        let mut target = String::from("/Groups?filter=");
        for byte in format!("displayName eq {}", json!(name)).bytes() {
            if byte.is_ascii_alphanumeric() {
                target.push(char::from(byte))
            } else {
                target.push_str(&format!("%{byte:02X}"))
            }
        }
        let found = okta(&app).get(&target);
        assert_eq!(found.expect(200).names("id"), [id.as_str()], "{name}");
        assert_eq!(found.names("displayName"), [name]);
    }
}

#[test]
fn one_bad_member_does_not_spoil_the_push() {
    let app = TestApp::with_okta();
    let ines = app.user("ines@acme.example");
    let group = app.group("Cohort", &[]);
    let push = patch(json!([{ "op": "replace", "path": "members", "value": [
        { "value": ines, "display": "ines" }, { "value": "5f0e0000-dead-7000-8000-000000000000", "display": "gone" }] }]));
    okta(&app)
        .patch(&format!("/Groups/{group}"), &push)
        .expect(204);
    assert_eq!(
        okta(&app).get(&format!("/Groups/{group}")).members(),
        [ines.as_str()]
    );
    let row = app.logged("the push", |row| row["operation"] == "patch");
    assert_eq!(row["outcome"], "partial");
    assert!(
        row["warnings"].to_string().contains("5f0e0000-dead"),
        "{row}"
    );
    assert!(
        !row["warnings"].to_string().contains(&ines),
        "only the unknown one is named: {row}"
    );
}

#[test]
fn an_unmapped_group_description_is_never_refused() {
    let app = TestApp::with_okta();
    let body = json!({ "schemas": [GROUP, "urn:okta:custom:group:1.0"], "displayName": "Cohort", "members": [],
        "urn:okta:custom:group:1.0": { "description": "from Okta" } });
    okta(&app).post("/Groups", &body).expect(201);
}

#[test]
fn an_import_reads_pages_of_a_hundred_in_the_same_order_every_time() {
    let app = TestApp::with_okta();
    let users = app.users(230);
    let read = || -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let page = okta(&app).get(&format!("/Users?startIndex={}&count=100", all.len() + 1));
            page.expect(200);
            assert_eq!(page.json["totalResults"], 230);
            let ids = page.names("id");
            if ids.is_empty() {
                return all;
            }
            assert!(
                ids.len() == 100 || all.len() + ids.len() == 230,
                "pages are full"
            );
            all.extend(ids);
        }
    };
    let (first, second) = (read(), read());
    assert_eq!(first, second);
    let mut sorted = first.clone();
    sorted.sort();
    let mut expected = users.clone();
    expected.sort();
    assert_eq!(sorted, expected);
}

#[test]
fn the_wizards_dialect_puts_the_whole_group() {
    let app = TestApp::with_okta();
    let users = app.users(3);
    let path = format!("/Groups/{}", app.group("Cohort", &[]));
    for wanted in [&users[..], &users[..1], &users[1..], &users[..0]] {
        let members: Vec<Value> = wanted
            .iter()
            .map(|id| json!({ "value": id, "display": "x" }))
            .collect();
        let mut whole = okta(&app).get(&path).expect(200).json.clone();
        whole["members"] = json!(members);
        okta(&app).put(&path, &whole).expect(200);
        let mut expected = wanted.to_vec();
        expected.sort();
        assert_eq!(okta(&app).get(&path).members(), expected);
    }
}
