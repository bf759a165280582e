//! Null, empty and unassigned. Checklist §2.5; RFC 7643 §2.5, D-38.

use crate::harness::{ENT, Reply, TestApp, USER, Value, json, patch, user};

/// A user with a value for each kind of attribute, and where it lives.
fn full(app: &TestApp, name: &str) -> (String, Reply) {
    let body = json!({
        "schemas": [USER, ENT], "userName": name, "title": "Engineer", "name": { "givenName": "Ada", "familyName": "Okafor" },
        "roles": [{ "value": "admin" }], "emails": [{ "value": "a@x.test", "display": "A" }],
        ENT: { "department": "Ops", "manager": { "value": "boss" } },
    });
    let made = app.scim().post("/Users", &body);
    (format!("/Users/{}", made.expect(201).id()), made)
}

/// What counts as no value, for an attribute of each kind.
fn empties() -> Vec<(&'static str, Value)> {
    vec![
        ("title", json!(null)),
        ("title", json!([])),
        ("title", json!("")),
        ("roles", json!(null)),
        ("roles", json!([])),
        ("name", json!(null)),
        ("name", json!({})),
        ("name", json!({ "givenName": "", "familyName": null })),
    ]
}

#[test]
fn null_empty_and_absent_are_one_state() {
    // M-60, M-62, M-63, M-64: by POST and PUT, and nothing of it is written out
    let app = TestApp::new();
    let bare = app.scim().post("/Users", &user("bare")).expect(201).keys();
    for (number, (name, empty)) in empties().into_iter().enumerate() {
        let mut body = user(&format!("u{number}"));
        body[name] = empty.clone();
        let made = app.scim().post("/Users", &body);
        assert_eq!(made.expect(201).keys(), bare, "{name}: {empty}");
        let (path, _) = full(&app, &format!("full{number}"));
        let mut body = json!({ "schemas": [USER], "userName": format!("full{number}") });
        let cleared = app.scim().put(&path, &body);
        assert_eq!(cleared.expect(200).keys(), bare);
        body[name] = empty.clone();
        let same = app.scim().put(&path, &body);
        assert_eq!(same.expect(200).json, cleared.json, "{name}: {empty}");
        let found = app.scim().get(&format!("/Users?filter={name} pr"));
        assert_eq!(found.expect(200).json["totalResults"], 0, "{name}: {empty}");
    }
}

#[test]
fn assigning_nothing_clears() {
    // M-61, M-63, M-64 by PATCH
    let app = TestApp::new();
    for (number, (name, empty)) in empties().into_iter().enumerate() {
        if empty == json!({}) {
            continue; // a PATCH merges an object, so an empty one says nothing (D-32)
        }
        let (path, made) = full(&app, &format!("u{number}"));
        let change = json!([{ "op": "replace", "path": name, "value": empty }]);
        let changed = app.scim().patch(&path, &patch(change));
        let mut left = changed.expect(200).keys();
        left.push(name.to_owned());
        left.sort();
        assert_eq!(left, made.keys(), "{name}: {empty}\n{changed:?}");
        let change = json!([{ "op": "replace", "value": { name: empty } }]);
        let again = app.scim().patch(&path, &patch(change));
        assert_eq!(again.expect(200).etag(), changed.etag(), "nothing is left");
    }
}

#[test]
fn an_empty_text_is_never_stored() {
    // M-64: in parts too; no manager is meant by `""` and by `{"value": ""}`
    let app = TestApp::new();
    let (path, _) = full(&app, "ada");
    let change = json!([{ "op": "replace", "path": "name.givenName", "value": "" }, { "op": "replace", "path": format!("{ENT}:department"), "value": "" }]);
    let changed = app.scim().patch(&path, &patch(change));
    assert_eq!(
        changed.expect(200).json["name"],
        json!({ "familyName": "Okafor" })
    );
    assert!(changed.json[ENT].get("department").is_none());
    for name in ["title", "nickName", "name.givenName"] {
        let found = app.scim().get(&format!("/Users?filter={name} eq \"\""));
        assert_eq!(found.expect(200).json["totalResults"], 0, "{name}");
    }
    for none in [json!(""), json!({ "value": "" }), json!(null)] {
        let (path, _) = full(&app, &format!("of {none}"));
        let change = json!([{ "op": "replace", "path": format!("{ENT}:manager"), "value": none }]);
        let changed = app.scim().patch(&path, &patch(change));
        assert_eq!(
            changed.expect(200).json[ENT],
            json!({ "department": "Ops" }),
            "{none}"
        );
        let mut body = user(&format!("of {none}"));
        body[ENT] = json!({ "department": "Ops", "manager": none });
        let put = app.scim().put(&path, &body);
        assert_eq!(put.expect(200).json[ENT], json!({ "department": "Ops" }));
        body["userName"] = json!(format!("new {none}"));
        let made = app.scim().post("/Users", &body);
        assert_eq!(made.expect(201).json[ENT], json!({ "department": "Ops" }));
    }
}

#[test]
fn a_required_attribute_cannot_be_emptied() {
    // M-64, M-65
    let app = TestApp::new();
    let (path, made) = full(&app, "ada");
    for empty in [json!(null), json!("")] {
        let body = json!({ "schemas": [USER], "userName": empty });
        app.scim().post("/Users", &body).scim_error("invalidValue");
        app.scim().put(&path, &body).scim_error("invalidValue");
        let change = json!([{ "op": "replace", "path": "userName", "value": empty }]);
        app.scim().patch(&path, &patch(change)).scim_failure(400);
    }
    assert_eq!(app.scim().get(&path).etag(), made.etag());
}

#[test]
fn a_name_that_nobody_can_see_is_no_name() {
    // U-01, G-01, M-33: blank is empty, in every verb; around a name blanks are kept (W-14)
    let app = TestApp::new();
    let scim = app.scim();
    let (path, made) = full(&app, "ada");
    let group = app.group("Ops", &[]);
    for blank in [
        " ",
        "   ",
        "\t",
        "\u{a0}",
        "\u{3000}",
        "\u{200b}",
        "\u{feff} \u{2060}",
        "\u{1}",
    ] {
        let body = json!({ "schemas": [USER], "userName": blank });
        let refused = scim.post("/Users", &body);
        refused.scim_error("invalidValue");
        assert!(refused.text.contains("userName"), "{refused:?}");
        scim.put(&path, &body).scim_error("invalidValue");
        let change = json!([{ "op": "replace", "path": "userName", "value": blank }]);
        scim.patch(&path, &patch(change)).scim_error("invalidValue");
        let named = crate::harness::group(blank, &[]);
        let refused = scim.post("/Groups", &named);
        refused.scim_error("invalidValue");
        assert!(refused.text.contains("displayName"), "{refused:?}");
        scim.put(&format!("/Groups/{group}"), &named)
            .scim_error("invalidValue");
    }
    assert_eq!(scim.get(&path).etag(), made.etag());
    assert_eq!(scim.get("/Users").json["totalResults"], 1);
    let spaced = scim.post("/Users", &user("  a b  "));
    assert_eq!(spaced.expect(201).json["userName"], "  a b  ");
}

#[test]
fn null_for_what_the_server_owns_is_ignored_like_any_other_value() {
    // M-66
    let app = TestApp::new();
    let mut body = user("ada");
    body["id"] = json!(null);
    body["meta"] = json!(null);
    body["groups"] = json!(null);
    let made = app.scim().post("/Users", &body);
    made.expect(201);
    let put = app.scim().put(&format!("/Users/{}", made.id()), &body);
    assert_eq!(put.expect(200).json, made.json);
    assert_eq!(put.json["meta"]["resourceType"], "User");
}
