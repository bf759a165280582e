//! Names, URNs and structure. Checklist §2.1; RFC 7643 §2.1, §3.3.

use super::acme::{ACME, app};
use crate::harness::{ENT, TestApp, USER, Value, json, patch, user};

#[test]
fn a_resource_is_one_object_with_a_key_per_attribute_and_one_per_extension() {
    // M-01, M-12: what an extension adds stands in its own object, nothing of it beside the core attributes
    let app = app();
    let body = json!({
        "schemas": [USER, ENT, ACME], "userName": "ada",
        ENT: { "department": "Ops" }, ACME: { "badge": 7 },
    });
    let made = app.scim().post("/Users", &body);
    made.expect(201);
    assert_eq!(made.json[ENT], json!({ "department": "Ops" }));
    assert_eq!(made.json[ACME], json!({ "badge": 7 }));
    assert!(made.json.get("department").is_none() && made.json.get("badge").is_none());
    let again = app.scim().get(&format!("/Users/{}", made.id()));
    assert_eq!(again.json, made.json);
}

#[test]
fn names_match_in_any_case_everywhere_and_come_back_as_the_schema_spells_them() {
    // M-02, M-03
    let app = TestApp::new();
    let scim = app.scim();
    let body = json!({ "SCHEMAS": [USER], "USERNAME": "ada", "Name": { "GIVENNAME": "Ada" }, "eMails": [{ "VALUE": "a@x.test", "Type": "work" }] });
    let made = scim.post("/Users", &body);
    made.expect(201);
    let path = format!("/Users/{}", made.id());
    assert_eq!(made.json["userName"], "ada");
    assert_eq!(made.json["name"], json!({ "givenName": "Ada" }));
    assert_eq!(
        made.json["emails"],
        json!([{ "value": "a@x.test", "type": "work" }])
    );
    let found = scim.get("/Users?filter=USERNAME eq \"ada\" and EMAILS[TYPE eq \"work\"]&attributes=NAME.givenname&sortBy=username");
    assert_eq!(found.expect(200).json["totalResults"], 1);
    assert_eq!(
        found.json["Resources"][0]["name"],
        json!({ "givenName": "Ada" })
    );
    assert!(found.json["Resources"][0].get("userName").is_none());
    let change = json!([{ "op": "replace", "path": "NICKNAME", "value": "Ad" }, { "op": "replace", "path": "emails[TYPE eq \"work\"].VALUE", "value": "b@x.test" }]);
    let changed = scim.patch(&path, &patch(change));
    changed.expect(200);
    assert_eq!(changed.json["nickName"], "Ad");
    assert_eq!(changed.json["emails"][0]["value"], "b@x.test");
}

#[test]
fn a_name_begins_with_a_letter_and_may_hold_digits_dollar_hyphen_and_underscore() {
    // M-04: a name of good form that no schema has is unknown, not malformed
    let app = TestApp::new();
    app.user("ada");
    let scim = app.scim();
    for unknown in ["nick-name_2", "x$y", "a1"] {
        let reply = scim.get(&format!("/Users?filter={unknown} pr"));
        reply.scim_error("invalidFilter");
        assert!(
            reply.text.contains(unknown),
            "the detail names it: {reply:?}"
        );
        scim.get(&format!("/Users?attributes={unknown}"))
            .expect(200);
    }
    for malformed in ["2nd", "-a", "_a", "a.", "a..b", ".a"] {
        scim.get(&format!("/Users?attributes={malformed}"))
            .scim_error("invalidValue");
        scim.get(&format!("/Users?filter={malformed} pr"))
            .scim_error("invalidFilter");
    }
}

#[test]
fn a_reference_is_a_name_too_though_it_begins_with_a_dollar() {
    // M-05
    let app = TestApp::new();
    let ada = app.user("ada");
    app.group("Ops", &[&ada]);
    app.group("Empty", &[]);
    let found = app.scim().get("/Groups?filter=members.$ref pr");
    assert_eq!(found.expect(200).names("displayName"), ["Ops"]);
    let shown = app
        .scim()
        .get("/Groups?attributes=members.$ref&filter=displayName eq \"Ops\"");
    let member = shown.expect(200).json["Resources"][0]["members"][0].clone();
    assert!(
        member["$ref"]
            .as_str()
            .is_some_and(|uri| uri.ends_with(&ada)),
        "{member}"
    );
}

#[test]
fn urns_match_in_any_case_as_prefix_as_container_and_in_schemas() {
    // M-06
    let app = TestApp::new();
    let scim = app.scim();
    let (loud_user, loud_ent) = (USER.to_uppercase(), ENT.to_uppercase());
    let body = json!({ "schemas": [loud_user, loud_ent], "userName": "ada", loud_ent.as_str(): { "department": "Ops" } });
    let made = scim.post("/Users", &body);
    made.expect(201);
    assert_eq!(made.json["schemas"][0], USER);
    assert_eq!(made.json[ENT]["department"], "Ops");
    for filter in [
        format!("{loud_user}:userName eq \"ada\""),
        format!("{loud_ent}:department eq \"ops\""),
    ] {
        let found = scim.get(&format!("/Users?filter={filter}"));
        assert_eq!(found.expect(200).json["totalResults"], 1, "{found:?}");
    }
    let change =
        json!([{ "op": "replace", "path": format!("{loud_ent}:department"), "value": "Dev" }]);
    let changed = scim.patch(&format!("/Users/{}", made.id()), &patch(change));
    assert_eq!(changed.expect(200).json[ENT]["department"], "Dev");
}

#[test]
fn the_order_of_keys_means_nothing() {
    // M-09: the extension before `schemas`, `value` behind `type`
    let app = TestApp::new();
    let text = format!(
        r#"{{"{ENT}":{{"department":"Ops"}},"emails":[{{"type":"work","primary":true,"value":"a@x.test"}}],"userName":"ada","schemas":["{ENT}","{USER}"]}}"#
    );
    let made = app.scim().send("POST", "/Users", Some(text.as_bytes()));
    made.expect(201);
    let body = json!({
        "schemas": [USER, ENT], "userName": "ada",
        "emails": [{ "value": "a@x.test", "type": "work", "primary": true }], ENT: { "department": "Ops" },
    });
    let before = app.scim().get(&format!("/Users/{}", made.id()));
    let put = app.scim().put(&format!("/Users/{}", made.id()), &body);
    assert_eq!(put.expect(200).json, before.json, "the same resource");
    assert_eq!(put.etag(), before.etag(), "and no change");
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    // M-10
    let app = TestApp::new();
    let scim = app.scim();
    let ada = app.user("ada");
    let before = scim.get(&format!("/Users/{ada}")).json;
    for twice in [
        r#""userName":"a","username":"b""#,
        r#""userName":"a","userName":"a""#,
        r#""userName":"a","name":{"givenName":"x","GIVENNAME":"y"}"#,
        r#""userName":"a","emails":[{"value":"x@x.test","value":"y@x.test"}]"#,
    ] {
        let body = format!(r#"{{"schemas":["{USER}"],{twice}}}"#);
        scim.send("POST", "/Users", Some(body.as_bytes()))
            .scim_error("invalidSyntax");
        scim.send("PUT", &format!("/Users/{ada}"), Some(body.as_bytes()))
            .scim_error("invalidSyntax");
    }
    assert_eq!(scim.get("/Users").json["totalResults"], 1);
    assert_eq!(scim.get(&format!("/Users/{ada}")).json, before);
}

#[test]
fn every_published_definition_is_at_most_two_levels_deep() {
    // M-07: no complex attribute holds a complex sub-attribute
    let app = app();
    let schemas = app.scim().get("/Schemas");
    let mut complex = 0;
    for schema in schemas.expect(200).json["Resources"]
        .as_array()
        .expect("schemas")
    {
        // the schema of schemas describes definitions, which hold definitions; RFC 7643 §8.7.2 draws it so
        if schema["name"] == "Schema" {
            continue;
        }
        for attribute in schema["attributes"].as_array().expect("attributes") {
            if attribute["type"] != "complex" {
                assert!(
                    attribute
                        .get("subAttributes")
                        .is_none_or(|subs| subs == &json!([])),
                    "{attribute}"
                );
                continue;
            }
            complex += 1;
            for sub in attribute["subAttributes"]
                .as_array()
                .expect("sub-attributes")
            {
                assert_ne!(sub["type"], "complex", "{attribute}");
            }
        }
    }
    assert!(complex > 10);
}

#[test]
fn a_part_of_a_value_may_itself_have_several_values() {
    // M-08, of a simple type: published as such, stored and found
    let app = TestApp::with_schemas(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/scim/schemas"),
        "2026-03-02T09:00:00Z",
    );
    let licenses =
        json!([{ "vendor": "Acme", "skus": ["A", "B"] }, { "vendor": "Zeta", "skus": ["C"] }]);
    let mut body = user("ada");
    body[super::acme::LICENSED] = json!({ "licenses": licenses });
    let made = app.scim().post("/Users", &body);
    assert_eq!(
        made.expect(201).json[super::acme::LICENSED]["licenses"],
        licenses
    );
    let mut wrong: Value = user("bo");
    wrong[super::acme::LICENSED] = json!({ "licenses": [{ "skus": "A" }] });
    app.scim().post("/Users", &wrong).scim_error("invalidValue");
    let found = app.scim().get(&format!(
        "/Users?filter={}:licenses[skus eq \"B\"]",
        super::acme::LICENSED
    ));
    assert_eq!(found.expect(200).names("userName"), ["ada"]);
}
