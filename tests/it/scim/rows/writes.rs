//! Rules for all writes. Checklist §10; RFC 7644 §3.1, §3.5.

use rollcall::scim::switches::Switches;

use crate::harness::{ENT, GROUP, TestApp, USER, Value, add_members, json, patch, user};

/// The endpoints that take a body, for a user.
fn doors(app: &TestApp) -> Vec<(&'static str, String)> {
    let ada = app.user("ada");
    vec![
        ("POST", "/Users".to_owned()),
        ("PUT", format!("/Users/{ada}")),
        ("PATCH", format!("/Users/{ada}")),
        ("POST", "/Groups".to_owned()),
        ("POST", "/Users/.search".to_owned()),
        ("POST", "/.search".to_owned()),
        ("POST", "/Bulk".to_owned()),
    ]
}

#[test]
fn a_body_is_a_json_object() {
    // W-01
    let app = TestApp::new();
    let doors = doors(&app);
    for body in [
        "",
        "[]",
        "\"x\"",
        "7",
        "null",
        "[{}]",
        "{",
        "{\"a\":1}}",
        "userName=ada",
    ] {
        for (method, path) in &doors {
            let reply = app.scim().send(method, path, Some(body.as_bytes()));
            reply.scim_error("invalidSyntax");
        }
    }
    for (method, path) in &doors {
        app.scim()
            .send(method, path, None)
            .scim_error("invalidSyntax");
    }
    assert_eq!(app.scim().get("/").json["totalResults"], 1);
}

#[test]
fn schemas_is_a_list_of_urns_that_names_the_base() {
    // W-02, W-03, W-04, W-05
    let app = TestApp::new();
    let path = format!("/Users/{}", app.user("ada"));
    let long = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
    for (schemas, keyword) in [
        (json!(USER), "invalidSyntax"),
        (json!({ "0": USER }), "invalidSyntax"),
        (json!([7]), "invalidSyntax"),
        (json!([USER, null]), "invalidSyntax"),
        (json!([]), "invalidSyntax"),
        (json!(null), "invalidSyntax"),
        (json!([ENT]), "invalidValue"),
        (json!(["urn:nobody:1"]), "invalidValue"),
        (json!([GROUP]), "invalidValue"),
        (json!([USER, GROUP]), "invalidValue"),
        (json!([long]), "invalidValue"),
    ] {
        let body = json!({ "schemas": schemas, "userName": "bo" });
        app.scim().post("/Users", &body).scim_error(keyword);
        app.scim().put(&path, &body).scim_error(keyword);
    }
    let body = json!({ "userName": "bo" });
    app.scim().post("/Users", &body).scim_error("invalidSyntax");
    app.scim().put(&path, &body).scim_error("invalidSyntax");
    let group = json!({ "schemas": [USER], "displayName": "Ops" });
    app.scim()
        .post("/Groups", &group)
        .scim_error("invalidValue");
    assert_eq!(app.scim().get("/").json["totalResults"], 1);
}

#[test]
fn urns_of_scim_1_are_understood() {
    // W-04: with their containers
    let app = TestApp::new();
    for (number, (schemas, container)) in [
        (
            json!([
                "urn:scim:schemas:core:1.0",
                "urn:scim:schemas:extension:enterprise:1.0"
            ]),
            "urn:scim:schemas:extension:enterprise:1.0",
        ),
        (
            json!([
                "urn:scim:schemas:core:2.0",
                "urn:scim:schemas:extension:enterprise:2.0"
            ]),
            "urn:scim:schemas:extension:enterprise:2.0",
        ),
        (
            json!(["urn:scim:schemas:core:2.0:User"]),
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "schemas": schemas, "userName": format!("u{number}"), container: { "department": "Ops" } });
        let made = app.scim().post("/Users", &body);
        assert_eq!(
            made.expect(201).json["schemas"],
            json!([USER, ENT]),
            "{made:?}"
        );
        assert_eq!(made.json[ENT]["department"], "Ops");
        assert!(!made.text.contains("urn:scim:") && !made.text.contains("2.0User"));
    }
    let body = json!({ "schemas": ["urn:scim:schemas:core:1.0"], "displayName": "Ops" });
    app.scim().post("/Groups", &body).expect(201);
}

#[test]
fn what_is_read_only_is_ignored_even_when_it_differs() {
    // W-06, PO-08, D-03
    let app = TestApp::new();
    let mut body = user("ada");
    body["id"] = json!("other");
    body["meta"] = json!({ "version": "W/\"9\"", "resourceType": 7 });
    body["groups"] = json!("nonsense");
    body[ENT] = json!({ "manager": { "value": "x", "displayName": "Nobody", "$ref": "y" } });
    let made = app.scim().post("/Users", &body);
    assert_eq!(
        made.expect(201).json[ENT]["manager"],
        json!({ "value": "x" })
    );
    assert_ne!(made.id(), "other");
    let put = app.scim().put(&format!("/Users/{}", made.id()), &body);
    assert_eq!(put.expect(200).json, made.json);
    // beside a known path a path-less PATCH ignores it too
    let change = json!([{ "op": "replace", "value": { "id": "other", "title": "x" } }]);
    let patched = app
        .scim()
        .patch(&format!("/Users/{}", made.id()), &patch(change));
    assert_eq!(patched.expect(200).json["title"], "x");
    assert_eq!(patched.id(), made.id());
}

#[test]
fn a_write_that_fails_leaves_no_trace() {
    // W-07, W-08: each value is checked before anything is stored; a fault in the last operation undoes the first
    let app = TestApp::new();
    let scim = app.scim();
    let (ada, bo) = (app.user("ada"), app.user("bo"));
    let ops = app.group("Ops", &[&ada]);
    let course = app.course("Fire safety");
    app.assign(&ops, &course);
    let world = || {
        (
            scim.get("/").expect(200).json.clone(),
            app.enrollments().len(),
        )
    };
    let before = world();
    app.clock.advance_millis(1_000);
    let path = format!("/Users/{ada}");
    for operations in [
        json!([{ "op": "replace", "path": "title", "value": "x" }, { "op": "replace", "path": "active", "value": "maybe" }]),
        json!([{ "op": "replace", "path": "title", "value": "x" }, { "op": "replace", "path": "userName", "value": "BO" }]),
        json!([{ "op": "replace", "path": "title", "value": "x" }, { "op": "remove", "path": "userName" }]),
        json!([{ "op": "add", "path": "emails", "value": [{ "value": "a@x.test", "primary": true }, { "value": "b@x.test", "primary": true }] }]),
    ] {
        assert!(scim.patch(&path, &patch(operations)).status >= 400);
    }
    let group = format!("/Groups/{ops}");
    for operations in [
        json!([add_members(&[&bo]), { "op": "replace", "path": "displayName", "value": "" }]),
        json!([add_members(&[&bo]), add_members(&["ghost"])]),
        json!([{ "op": "remove", "path": "members" }, { "op": "add", "path": "color", "value": "x" }]),
    ] {
        assert!(scim.patch(&group, &patch(operations)).status >= 400);
    }
    let mut body = user("ada");
    body["title"] = json!("x");
    body["emails"] = json!(7);
    scim.put(&path, &body).scim_error("invalidValue");
    body["userName"] = json!("new");
    scim.post("/Users", &body).scim_error("invalidValue");
    assert_eq!(world(), before);
}

#[test]
fn names_nobody_knows_are_left_out_and_logged() {
    // W-09, W-11: by POST, PUT and a PATCH without path; a path must be known
    let app = TestApp::new();
    let scim = app.scim();
    let odd = json!({ "schemas": [USER], "userName": "ada", "favColor": "red", "name": { "givenName": "Ada", "preferred": "A" }, ENT: { "shoeSize": 7 } });
    let made = scim.post("/Users", &odd);
    let clean = |reply: &crate::harness::Reply| {
        for gone in ["favColor", "preferred", "shoeSize"] {
            assert!(!reply.text.contains(gone), "{reply:?}");
        }
        assert_eq!(reply.json["name"], json!({ "givenName": "Ada" }));
    };
    clean(made.expect(201));
    let logged = app.logged("the creation", |row| row["operation"] == "create");
    for name in ["favColor", "name.preferred", "shoeSize"] {
        assert!(logged["warnings"].to_string().contains(name), "{logged}");
    }
    let path = format!("/Users/{}", made.id());
    clean(scim.put(&path, &odd).expect(200));
    let change =
        json!([{ "op": "add", "value": { "favColor": "red", "name": { "preferred": "A" } } }]);
    clean(scim.patch(&path, &patch(change)).expect(200));
    let logged = app.logged("the PATCH", |row| row["operation"] == "patch");
    assert!(
        logged["warnings"].to_string().contains("favColor"),
        "{logged}"
    );
    for target in ["favColor", "name.preferred", &format!("{ENT}:shoeSize")] {
        let change = json!([{ "op": "add", "path": target, "value": "x" }]);
        scim.patch(&path, &patch(change)).scim_error("invalidPath");
    }
    assert_eq!(
        scim.get(&path).etag(),
        made.etag(),
        "nothing was changed by any of it"
    );
}

#[test]
fn schemas_nobody_knows_are_left_out_and_logged_with_their_path() {
    // W-10, D-08: the array and the containers; under the strict switch they are refused by name
    let app = TestApp::new();
    let body = |name: &str| json!({ "schemas": [USER, "urn:nobody:1", "urn:okta:custom:group:1.0"], "userName": name, "urn:nobody:1": { "x": 1 }, "urn:else:2": 7 });
    let made = app.scim().post("/Users", &body("ada"));
    assert!(!made.expect(201).text.contains("nobody") && !made.text.contains("urn:else"));
    let logged = app.logged("the creation", |row| row["operation"] == "create");
    for urn in ["urn:nobody:1", "urn:else:2", "urn:okta:custom:group:1.0"] {
        assert!(logged["warnings"].to_string().contains(urn), "{logged}");
    }
    let put = app
        .scim()
        .put(&format!("/Users/{}", made.id()), &body("ada"));
    assert_eq!(put.expect(200).json, made.json);
    let strict = Switches {
        ignore_unknown_schemas: false,
        ..Switches::default()
    };
    let refused = app.scim_with("strict", strict).post("/Users", &body("bo"));
    refused.scim_error("invalidValue");
    assert!(refused.text.contains("urn:nobody:1"), "{refused:?}");
}

#[test]
fn the_answer_is_what_is_stored_and_the_next_read_sees_it() {
    // W-12, W-13, PO-03
    let app = TestApp::new();
    let mut body = user("ada");
    body["active"] = json!("True");
    body["emails"] =
        json!([{ "value": "a@x.test", "type": "WORK" }, { "value": "a@x.test", "type": "work" }]);
    body["favColor"] = json!("red");
    let made = app.scim().post("/Users", &body);
    assert_eq!(made.expect(201).json["active"], true);
    assert_eq!(
        made.json["emails"],
        json!([{ "value": "a@x.test", "type": "work" }])
    );
    let path = format!("/Users/{}", made.id());
    let same = |reply: &crate::harness::Reply| {
        assert_eq!(app.scim().get(&path).json, reply.json);
        assert_eq!(app.scim().get("/Users").json["Resources"][0], reply.json);
    };
    same(&made);
    same(app.scim().put(&path, &body).expect(200));
    let change = json!([{ "op": "replace", "path": "title", "value": "x" }]);
    same(app.scim().patch(&path, &patch(change)).expect(200));
}

#[test]
fn strings_are_stored_to_the_character() {
    // W-14: nothing trimmed, no other form of Unicode; comparison normalizes
    let app = TestApp::new();
    let decomposed = "Jose\u{301} ";
    for (number, title) in [
        "  two  spaces ",
        decomposed,
        "ﬁ",
        "a\tb\nc",
        "\u{200b}x",
        "👩‍🚀",
    ]
    .iter()
    .enumerate()
    {
        let mut body = user(&format!("u{number}"));
        body["title"] = json!(title);
        let made = app.scim().post("/Users", &body);
        assert_eq!(made.expect(201).json["title"], *title);
        assert_eq!(
            app.scim().get(&format!("/Users/{}", made.id())).json["title"],
            *title
        );
    }
    let found = app.scim().get("/Users?filter=title eq \"JOS%C3%89 \"");
    assert_eq!(found.expect(200).names("userName"), ["u1"]);
    for broken in [r#""a\u0000b""#, r#""\ud800""#, r#""\udc00x""#] {
        let body = format!(r#"{{"schemas":["{USER}"],"userName":"eve","title":{broken}}}"#);
        app.scim()
            .send("POST", "/Users", Some(body.as_bytes()))
            .scim_error("invalidValue");
    }
}

#[test]
fn bodies_too_deep_or_too_large_are_refused_and_a_megabyte_is_not() {
    // W-15
    let app = TestApp::new();
    let nested = |levels: usize| {
        format!(
            r#"{{"schemas":["{USER}"],"userName":"ada","x":{}{}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    let deep = app
        .scim()
        .send("POST", "/Users", Some(nested(40).as_bytes()));
    deep.scim_error("invalidSyntax");
    assert!(deep.text.contains("32"), "the limit is named: {deep:?}");
    app.scim()
        .send("POST", "/Users", Some(nested(30).as_bytes()))
        .expect(201);
    let padded = |bytes: usize| {
        let mut text = user("bo").to_string();
        text.push_str(&" ".repeat(bytes - text.len()));
        text
    };
    app.scim()
        .send("POST", "/Users", Some(padded((1 << 20) + 1).as_bytes()))
        .expect(201);
    let refused = app
        .scim()
        .send("POST", "/Users", Some(padded((2 << 20) + 1).as_bytes()));
    refused.scim_failure(413);
    assert!(refused.text.contains("2097152"), "{refused:?}");
}

#[test]
fn every_write_takes_the_same_shape_of_value() {
    // W-07: what POST refuses, PUT and PATCH refuse, with the same keyword
    let app = TestApp::new();
    let path = format!("/Users/{}", app.user("ada"));
    let wrong: Vec<(&str, Value)> = vec![
        ("title", json!(7)),
        ("active", json!("maybe")),
        ("emails", json!([{ "value": "no mail" }])),
        ("x509Certificates", json!([{ "value": "@@" }])),
        ("name", json!({ "givenName": 7 })),
        ("userName", json!("x".repeat(513))),
    ];
    for (name, value) in wrong {
        let mut body = user("bo");
        body[name] = value.clone();
        app.scim().post("/Users", &body).scim_error("invalidValue");
        app.scim().put(&path, &body).scim_error("invalidValue");
        for change in [
            json!([{ "op": "replace", "path": name, "value": value }]),
            json!([{ "op": "add", "value": { name: value } }]),
        ] {
            app.scim()
                .patch(&path, &patch(change))
                .scim_error("invalidValue");
        }
    }
    assert_eq!(app.scim().get(&path).etag(), "W/\"1\"");
}
