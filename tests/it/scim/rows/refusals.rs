//! Status codes and error bodies. Checklist §9; RFC 7644 §3.12.

use crate::harness::{GROUP, Reply, TestApp, USER, add_members, group, json, patch, user};

/// Every `scimType` there is.
const KEYWORDS: [&str; 13] = [
    "invalidFilter",
    "tooMany",
    "uniqueness",
    "mutability",
    "invalidSyntax",
    "invalidPath",
    "noTarget",
    "invalidValue",
    "invalidVers",
    "sensitive",
    "invalidCursor",
    "expiredCursor",
    "invalidCount",
];

/// One refusal of each kind there is, with what it should be.
fn refusals(app: &TestApp) -> Vec<(Reply, u16, &'static str)> {
    let scim = app.scim();
    let ada = app.user("ada");
    let path = format!("/Users/{ada}");
    let ops = format!("/Groups/{}", app.group("Ops", &[]));
    let one = |operation| patch(json!([operation]));
    let reader = app.client(
        "/scim/v2",
        Some(&app.token("scim", Some("scim:read"), None)),
    );
    let root = app.client("", Some(&app.token("scim", None, None)));
    vec![
        (scim.get("/Users?filter=userName regex \"x\""), 400, "invalidFilter"),
        (scim.get("/Users?filter=favColor eq \"x\""), 400, "invalidFilter"),
        (scim.post("/Users", &user("ADA")), 409, "uniqueness"),
        (scim.post("/Groups", &group("ops", &[])), 409, "uniqueness"),
        (scim.patch(&path, &one(json!({ "op": "replace", "path": "id", "value": "x" }))), 400, "mutability"),
        (scim.patch(&path, &one(json!({ "op": "remove", "path": "userName" }))), 400, "mutability"),
        (scim.send("POST", "/Users", Some(b"{")), 400, "invalidSyntax"),
        (scim.patch(&path, &json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"] })), 400, "invalidSyntax"),
        (scim.patch(&path, &one(json!({ "op": "swap", "path": "title", "value": "x" }))), 400, "invalidSyntax"),
        (scim.patch(&path, &one(json!({ "op": "add", "path": "favColor", "value": "x" }))), 400, "invalidPath"),
        (scim.patch(&path, &one(json!({ "op": "add", "path": "emails[", "value": "x" }))), 400, ""),
        (scim.patch(&path, &one(json!({ "op": "remove" }))), 400, "noTarget"),
        (scim.patch(&path, &one(json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@x.test" }))), 400, "noTarget"),
        (scim.post("/Users", &json!({ "schemas": [USER] })), 400, "invalidValue"),
        (scim.patch(&ops, &patch(json!([add_members(&["ghost"])]))), 400, "invalidValue"),
        (scim.get("/Users?count=ten"), 400, "invalidValue"),
        (root.get("/scim/v3/Users"), 400, "invalidVers"),
        (scim.get("/Users/nobody"), 404, ""),
        (scim.get("/Robots"), 404, ""),
        (scim.send("PUT", "/Users", None), 405, ""),
        (scim.with_header("If-Match", "W/\"9\"").delete(&path), 412, ""),
        (scim.send("POST", "/Users", Some(&vec![b' '; 3 << 20])), 413, ""),
        (scim.with_header("Content-Type", "text/csv").send("POST", "/Users", Some(b"x")), 415, ""),
        (reader.post("/Users", &user("x")), 403, ""),
        (scim.get("/Schemas?filter=name eq \"User\""), 403, ""),
        (app.client("/scim/v2", None).get("/Users"), 401, ""),
        (scim.post("/Me", &user("x")), 501, ""),
    ]
}

#[test]
fn every_refusal_is_a_scim_error_of_its_status() {
    // H-16
    let app = TestApp::new();
    for (reply, status, keyword) in refusals(&app) {
        reply.scim_failure(status);
        match reply.json.get("scimType") {
            None => assert_eq!(keyword, "", "{reply:?}"),
            Some(said) => {
                assert!(KEYWORDS.iter().any(|known| said == known), "{reply:?}");
                assert!(keyword.is_empty() || said == keyword, "{reply:?}");
            }
        }
    }
}

#[test]
fn a_detail_names_what_is_wrong_and_never_what_is_secret() {
    // the attribute or operator, no value of a password, no SQL, no place in the code
    let app = TestApp::new();
    for (reply, ..) in refusals(&app) {
        for leak in [
            "SELECT", "sqlite", "postgres", "panicked", ".rs:", "src/", "diesel", "stack",
        ] {
            assert!(!reply.text.contains(leak), "{leak}: {reply:?}");
        }
    }
    let mut body = user("bo");
    body["password"] = json!("Hunter2-secret");
    body["emails"] =
        json!([{ "value": "a@x.test", "primary": true }, { "value": "b@x.test", "primary": true }]);
    let refused = app.scim().post("/Users", &body);
    refused.scim_error("invalidValue");
    assert!(
        refused.json["detail"]
            .as_str()
            .is_some_and(|text| text.contains("emails[1].primary")),
        "{refused:?}"
    );
    assert!(!refused.text.contains("Hunter2"));
    let refused = app.scim().get("/Users?filter=title regex \"x\"");
    assert!(refused.text.contains("regex"), "{refused:?}");
}

#[test]
fn the_trace_of_a_request_is_a_header() {
    //
    let app = TestApp::new();
    let mut seen = Vec::new();
    for (reply, ..) in refusals(&app) {
        let id = reply.header("x-request-id").to_owned();
        assert!(!id.is_empty() && !seen.contains(&id), "{reply:?}");
        assert!(reply.json.as_object().is_some_and(|body| {
            body.keys()
                .all(|key| ["schemas", "status", "scimType", "detail"].contains(&key.as_str()))
        }));
        seen.push(id);
    }
}

#[test]
fn a_name_that_is_taken_is_409_on_create() {
    // X-10, PO-05
    let app = TestApp::new();
    app.user("ada");
    app.group("Ops", &[]);
    app.scim()
        .post("/Users", &user("ADA"))
        .scim_error("uniqueness");
    app.scim()
        .post("/Groups", &group("OPS", &[]))
        .scim_error("uniqueness");
    assert_eq!(app.scim().get("/").json["totalResults"], 2);
}

#[test]
fn an_unknown_operator_is_named() {
    //
    let app = TestApp::new();
    for operator in ["regex", "lte", "like", "=="] {
        let refused = app
            .scim()
            .get(&format!("/Users?filter=userName {operator} \"x\""));
        refused.scim_error("invalidFilter");
        assert!(
            refused.json["detail"]
                .as_str()
                .is_some_and(|text| text.contains(operator)),
            "{refused:?}"
        );
    }
}

#[test]
fn nothing_can_be_asked_without_a_token() {
    // X-13, PO-13: and a bad one is called so
    let app = TestApp::new();
    let reply = app.client("/scim/v2", None).get("/Users");
    reply.scim_failure(401);
    let challenge = reply.header("www-authenticate");
    assert!(
        challenge.starts_with("Bearer realm=") && !challenge.contains("error"),
        "{challenge}"
    );
    for bad in ["x", "x.y.z", "", "Bearer"] {
        let reply = app.client("/scim/v2", Some(bad)).get("/Users");
        reply.scim_failure(401);
        assert!(
            reply
                .header("www-authenticate")
                .contains("error=\"invalid_token\""),
            "{reply:?}"
        );
    }
    let anonymous = app.client("/scim/v2", None).post("/Users", &user("eve"));
    anonymous.scim_failure(401);
    assert_eq!(app.scim().get("/Users").json["totalResults"], 0);
}

#[test]
fn what_belongs_to_another_tenant_is_not_there_and_what_is_seen_but_forbidden_is_403() {
    //
    let app = TestApp::new();
    let ada = app.user("ada");
    let ops = app.group("Ops", &[]);
    let (theirs, _) = app.other_tenant();
    for path in [format!("/Users/{ada}"), format!("/Groups/{ops}")] {
        let (foreign, missing) = (
            theirs.get(&path),
            theirs.get(
                &path
                    .replace(&ada[..8], "00000000")
                    .replace(&ops[..8], "00000000"),
            ),
        );
        assert_eq!(
            foreign.scim_failure(404).json["detail"]
                .as_str()
                .map(str::len),
            missing.scim_failure(404).json["detail"]
                .as_str()
                .map(str::len)
        );
        theirs.delete(&path).scim_failure(404);
        theirs.put(&path, &user("x")).scim_failure(404);
        let reader = app.client(
            "/scim/v2",
            Some(&app.token("scim", Some("scim:read"), None)),
        );
        reader.get(&path).expect(200);
        reader.delete(&path).scim_failure(403);
        app.scim().get(&path).expect(200);
    }
}

#[test]
fn a_missing_value_and_a_wrong_shape_are_different_mistakes() {
    // X-15, D-04
    let app = TestApp::new();
    let scim = app.scim();
    let path = format!("/Users/{}", app.user("ada"));
    scim.post("/Users", &json!({ "schemas": [USER] }))
        .scim_error("invalidValue");
    scim.post("/Groups", &json!({ "schemas": [GROUP] }))
        .scim_error("invalidValue");
    scim.patch(
        &path,
        &json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"] }),
    )
    .scim_error("invalidSyntax");
    scim.patch(
        &path,
        &json!({ "Operations": [{ "op": "add", "path": "title", "value": "x" }] }),
    )
    .scim_error("invalidSyntax");
    scim.post("/Users", &json!({ "schemas": "x", "userName": "a" }))
        .scim_error("invalidSyntax");
    scim.post("/Users/.search", &json!({ "filter": "userName pr" }))
        .scim_error("invalidSyntax");
}
