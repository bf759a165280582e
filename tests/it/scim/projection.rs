//! `attributes` and `excludedAttributes`. RFC 7644 §3.9.

use super::people::people;
use crate::harness::{ENT, TestApp, USER, json, patch};

#[test]
fn hv_11_only_what_was_named_and_what_is_always_returned() {
    let p = people();
    let reply = p
        .app
        .scim()
        .get(&format!("/Users/{}?attributes=userName", p.u1));
    assert_eq!(reply.expect(200).keys(), ["id", "schemas", "userName"]);
}

#[test]
fn hv_12_sub_attributes_select_inside_complex_values() {
    let p = people();
    let reply = p.app.scim().get(&format!(
        "/Users/{}?attributes=emails.value,name.givenName",
        p.u1
    ));
    assert_eq!(
        reply.expect(200).keys(),
        ["emails", "id", "name", "schemas"]
    );
    assert_eq!(reply.json["name"], json!({ "givenName": "Ada" }));
    assert_eq!(
        reply.json["emails"],
        json!([{ "value": "ada@acme.test" }, { "value": "ada@home.test" }])
    );
}

#[test]
fn hv_13_what_is_always_returned_cannot_be_excluded() {
    let p = people();
    let reply = p.app.scim().get(&format!(
        "/Users/{}?excludedAttributes=id,schemas,emails",
        p.u1
    ));
    assert!(reply.expect(200).json["emails"].is_null());
    assert_eq!(reply.id(), p.u1);
    assert!(reply.json["schemas"].is_array());
    assert_eq!(reply.json["userName"], "ada@acme.test");
}

#[test]
fn hv_14_naming_and_excluding_at_once_is_refused() {
    let p = people();
    p.app
        .scim()
        .get(&format!(
            "/Users/{}?attributes=userName&excludedAttributes=emails",
            p.u1
        ))
        .scim_error("invalidValue");
}

#[test]
fn hv_15_a_password_is_never_returned() {
    let app = TestApp::new();
    let created = app.scim().post(
        "/Users",
        &json!({ "schemas": [USER], "userName": "eve", "password": "s3cret-9" }),
    );
    created.expect(201);
    assert!(!created.text.contains("s3cret-9"));
    let reply = app
        .scim()
        .get(&format!("/Users/{}?attributes=password", created.id()));
    assert_eq!(reply.expect(200).keys(), ["id", "schemas"]);
    assert!(!app.scim().get("/Users").text.contains("s3cret-9"));
}

#[test]
fn hv_16_the_name_of_an_extension_selects_all_of_it() {
    let p = people();
    let reply = p
        .app
        .scim()
        .get(&format!("/Users/{}?attributes={ENT}", p.u1));
    assert_eq!(reply.expect(200).keys(), ["id", "schemas", ENT]);
    assert_eq!(reply.json[ENT]["department"], "Platform");
}

#[test]
fn hv_21_members_can_be_left_out() {
    let p = people();
    let scim = p.app.scim();
    let reply = scim.get(&format!("/Groups/{}?excludedAttributes=members", p.g1));
    assert!(reply.expect(200).json.get("members").is_none());
    assert_eq!(
        scim.get(&format!("/Groups/{}", p.g1)).expect(200).members(),
        [p.u3.as_str()]
    );
}

#[test]
fn hv_40_a_patch_answers_in_the_shape_that_was_asked_for() {
    let p = people();
    let change = patch(json!([{ "op": "replace", "path": "title", "value": "Lead" }]));
    let reply = p
        .app
        .scim()
        .patch(&format!("/Users/{}?attributes=title", p.u1), &change);
    assert_eq!(reply.expect(200).keys(), ["id", "schemas", "title"]);
    assert_eq!(reply.json["title"], "Lead");
}

#[test]
fn names_ignore_case_and_unknown_names_select_nothing() {
    let p = people();
    let reply = p
        .app
        .scim()
        .get(&format!("/Users/{}?attributes=USERNAME, nosuch", p.u1));
    assert_eq!(reply.expect(200).keys(), ["id", "schemas", "userName"]);
    let reply = p.app.scim().get(&format!("/Users/{}?attributes=", p.u1));
    assert_eq!(reply.expect(200).json["title"], "Engineer");
}

#[test]
fn a_created_resource_takes_the_shape_that_was_asked_for_and_still_names_its_place() {
    let app = TestApp::new();
    let reply = app.scim().post(
        "/Users?attributes=userName",
        &json!({ "schemas": [USER], "userName": "eve", "title": "CTO" }),
    );
    assert_eq!(reply.expect(201).keys(), ["id", "schemas", "userName"]);
    assert!(
        reply
            .header("location")
            .ends_with(&format!("/scim/v2/Users/{}", reply.id()))
    );
}
