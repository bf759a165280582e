//! Attributes of several values. Checklist §2.4; RFC 7643 §2.4.

use super::acme::{ACME, app};
use crate::harness::{GROUP, TestApp, USER, json, member_list, patch, user};

#[test]
fn values_are_all_simple_or_all_objects() {
    // M-50
    let app = app();
    let scim = app.scim();
    let mut body = user("ada");
    body["emails"] = json!(["a@x.test", { "value": "b@x.test" }]);
    scim.post("/Users", &body).scim_error("invalidValue");
    let mut body = user("ada");
    body[ACME] = json!({ "tags": ["a", { "value": "b" }] });
    scim.post("/Users", &body).scim_error("invalidValue");
    assert_eq!(scim.get("/Users").json["totalResults"], 0);
}

#[test]
fn the_usual_parts_keep_their_meaning() {
    // M-51: `value`, `display`, `type`, `primary` in each list of the core schema
    let app = TestApp::new();
    for name in [
        "emails",
        "phoneNumbers",
        "ims",
        "photos",
        "roles",
        "entitlements",
    ] {
        let value =
            json!([{ "value": "a@x.test", "display": "A", "type": "other", "primary": true }]);
        let mut body = user(name);
        body[name] = value.clone();
        let made = app.scim().post("/Users", &body);
        assert_eq!(made.expect(201).json[name], value, "{made:?}");
        let found = app.scim().get(&format!(
            "/Users?filter={name}[type eq \"other\" and primary eq true and display eq \"A\"] and {name} eq \"a@x.test\""
        ));
        assert_eq!(found.expect(200).names("userName"), [name]);
    }
}

#[test]
fn one_value_at_most_is_primary() {
    // M-52
    let app = TestApp::new();
    let scim = app.scim();
    let path = format!("/Users/{}", app.user("ada"));
    let mut body = user("ada");
    body["emails"] =
        json!([{ "value": "a@x.test", "primary": true }, { "value": "b@x.test", "primary": true }]);
    let refused = scim.put(&path, &body);
    refused.scim_error("invalidValue");
    assert!(refused.text.contains("primary"), "{refused:?}");
    body["userName"] = json!("bo");
    scim.post("/Users", &body).scim_error("invalidValue");
    body["emails"][1]["primary"] = json!(false);
    let made = scim.post("/Users", &body);
    assert_eq!(made.expect(201).json["emails"][1]["primary"], false);
}

#[test]
fn a_missing_primary_is_false() {
    // M-53, U-17: and none is made up
    let app = TestApp::new();
    let scim = app.scim();
    let mut body = user("ada");
    body["emails"] = json!([{ "value": "a@x.test", "type": "work" }]);
    let made = scim.post("/Users", &body);
    assert_eq!(made.expect(201).json["emails"], body["emails"]);
    body["userName"] = json!("bo");
    body["emails"] = json!([{ "value": "b@x.test", "primary": true }]);
    scim.post("/Users", &body).expect(201);
    let names = |filter: &str| {
        scim.get(&format!("/Users?filter={filter}"))
            .expect(200)
            .names("userName")
    };
    assert_eq!(names("emails[primary eq false]"), ["ada"]);
    assert_eq!(names("emails[primary ne true]"), ["ada"]);
    assert_eq!(names("emails[primary eq true]"), ["bo"]);
    let sorted = scim.get("/Users?sortBy=emails");
    assert_eq!(sorted.expect(200).names("userName"), ["ada", "bo"]);
}

#[test]
fn no_two_values_are_the_same() {
    // M-54, M-55: the same (type, value) is one value at the first one's place, the later parts win
    let app = TestApp::new();
    let scim = app.scim();
    let mut body = user("ada");
    body["emails"] = json!([
        { "value": "a@x.test", "type": "work", "display": "old", "primary": true },
        { "value": "b@x.test", "type": "work" },
        { "value": "A@x.test", "type": "work", "display": "new" },
        { "value": "b@x.test", "type": "work" },
        { "value": "b@x.test", "type": "home" },
    ]);
    let expected = json!([
        { "value": "A@x.test", "type": "work", "display": "new", "primary": true },
        { "value": "b@x.test", "type": "work" },
        { "value": "b@x.test", "type": "home" },
    ]);
    let made = scim.post("/Users", &body);
    assert_eq!(made.expect(201).json["emails"], expected);
    let path = format!("/Users/{}", made.id());
    let put = scim.put(&path, &body);
    assert_eq!(put.expect(200).json["emails"], expected);
    assert_eq!(put.etag(), made.etag(), "the same list is no change");
    let again = json!([{ "op": "add", "path": "emails", "value": [{ "value": "b@x.test", "type": "home" }] }]);
    let added = scim.patch(&path, &patch(again));
    assert_eq!(added.expect(200).json["emails"], expected);
    assert_eq!(added.etag(), made.etag());
}

#[test]
fn a_member_is_known_by_its_value_alone() {
    // M-55
    let app = TestApp::new();
    let ada = app.user("ada");
    let members = json!([{ "value": ada }, { "value": ada, "type": "User", "display": "x" }, { "value": ada }]);
    let body = json!({ "schemas": [GROUP], "displayName": "Ops", "members": members });
    let made = app.scim().post("/Groups", &body);
    assert_eq!(made.expect(201).members(), [ada.as_str()]);
    let path = format!("/Groups/{}", made.id());
    let put = app.scim().put(&path, &body);
    assert_eq!(put.expect(200).members(), [ada.as_str()]);
    let change = json!([{ "op": "add", "path": "members", "value": member_list(&[&ada, &ada]) }]);
    app.scim().patch(&path, &patch(change)).expect(204);
    assert_eq!(app.scim().get(&path).members(), [ada.as_str()]);
}

#[test]
fn values_stay_in_their_order_and_new_ones_come_last() {
    // M-56
    let app = TestApp::new();
    let mut body = user("ada");
    body["emails"] =
        json!([{ "value": "z@x.test" }, { "value": "a@x.test" }, { "value": "m@x.test" }]);
    let made = app.scim().post("/Users", &body);
    assert_eq!(made.expect(201).json["emails"], body["emails"]);
    let change = json!([{ "op": "add", "path": "emails", "value": [{ "value": "b@x.test" }] }]);
    let changed = app
        .scim()
        .patch(&format!("/Users/{}", made.id()), &patch(change));
    let values: Vec<&str> = changed.expect(200).json["emails"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["value"].as_str())
        .collect();
    assert_eq!(values, ["z@x.test", "a@x.test", "m@x.test", "b@x.test"]);
}

#[test]
fn a_value_that_says_nothing_is_left_out() {
    // M-58
    let app = TestApp::new();
    for (number, empty) in [
        json!([null]),
        json!([{}]),
        json!([{ "value": null, "type": "work" }]),
        json!([{ "type": "work", "primary": true }]),
        json!([{ "value": "" }, null, {}]),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "schemas": [USER], "userName": format!("u{number}"), "emails": empty });
        let made = app.scim().post("/Users", &body);
        assert!(made.expect(201).json.get("emails").is_none(), "{made:?}");
        let found = app.scim().get("/Users?filter=emails pr");
        assert_eq!(found.expect(200).json["totalResults"], 0);
    }
    let body = json!({ "schemas": [USER], "userName": "ada", "emails": [null, { "value": "a@x.test" }, { "type": "home" }] });
    let made = app.scim().post("/Users", &body);
    assert_eq!(
        made.expect(201).json["emails"],
        json!([{ "value": "a@x.test" }])
    );
}
