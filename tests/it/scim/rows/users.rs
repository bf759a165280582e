//! The User schema. Checklist §4; RFC 7643 §4.1.

use crate::harness::{TestApp, USER, Value, add_members, group, json, patch, user};

#[test]
fn a_user_name_is_required_and_unique_ignoring_case_and_form() {
    // U-01, U-02, U-03: full width, composed and decomposed, dotted and sharp; spaces and symbols are fine
    let app = TestApp::new();
    for (first, same) in [
        ("Ada", "aDA"),
        ("bo", "ＢＯ"),
        ("José", "JOSE\u{301}"),
        ("straße", "STRASSE"),
        ("ada okafor", "ADA OKAFOR"),
        ("x+y!#$@acme.test", "X+Y!#$@ACME.TEST"),
    ] {
        let made = app.scim().post("/Users", &user(first));
        assert_eq!(made.expect(201).json["userName"], first);
        app.scim()
            .post("/Users", &user(same))
            .scim_error("uniqueness");
        let found = app.scim().get(&format!(
            "/Users?filter=userName eq \"{}\"",
            super::acme::percent(same)
        ));
        assert_eq!(found.expect(200).names("userName"), [first], "{same}");
    }
    for empty in [json!(""), json!(null), json!([])] {
        let body = json!({ "schemas": [USER], "userName": empty });
        app.scim().post("/Users", &body).scim_error("invalidValue");
    }
}

#[test]
fn a_password_is_accepted_discarded_and_leaves_no_trace() {
    // U-04, U-07: on every verb; alone in a PATCH it changes nothing and succeeds; the log says that it was ignored
    let app = TestApp::new();
    let scim = app.scim();
    let secret = "Tr0ub4dor-and-3";
    let mut body = user("ada");
    body["password"] = json!(secret);
    let made = scim.post("/Users", &body);
    let path = format!("/Users/{}", made.expect(201).id());
    let put = scim.put(&path, &body);
    let alone = patch(json!([{ "op": "replace", "path": "password", "value": secret }]));
    let patched = scim.patch(&path, &alone);
    let without_path = patch(json!([{ "op": "replace", "value": { "password": secret } }]));
    let again = scim.patch(&path, &without_path);
    for reply in [&put, &patched, &again, &scim.get(&path)] {
        assert_eq!(reply.expect(200).json, made.json);
        assert_eq!(reply.etag(), made.etag(), "a no-op");
        assert!(!reply.text.contains("password"), "{reply:?}");
    }
    let config = scim.get("/ServiceProviderConfig");
    assert_eq!(config.json["changePassword"], json!({ "supported": false }));
    let logged = app.logged("the PATCH", |row| row["operation"] == "patch");
    assert_eq!(logged["outcome"], "no_op");
    let whole = app.logged("the creation", |row| row["operation"] == "create");
    assert!(
        whole["warnings"].to_string().contains("password_discarded"),
        "{whole}"
    );
    for row in [&logged, &whole] {
        let id = row["id"].as_str().expect("an id");
        let one = app.api().get(&format!("/sync/requests/{id}"));
        assert!(!one.expect(200).text.contains(secret), "{one:?}");
    }
}

#[test]
fn a_password_is_nowhere_at_rest() {
    // U-04: not in any table of the database
    let app = TestApp::new();
    let secret = "N0-trace-at-rest";
    let mut body = user("ada");
    body["password"] = json!(secret);
    app.scim().post("/Users", &body).expect(201);
    app.logged("the creation", |row| row["operation"] == "create");
    let everything = app.everything_at_rest();
    assert!(everything.contains("ada"), "the search sees the rows");
    assert!(!everything.contains(secret));
}

#[test]
fn nobody_filters_or_sorts_by_a_password() {
    // U-06
    let app = TestApp::new();
    app.user("ada");
    for filter in [
        "password eq \"x\"",
        "password pr",
        "not (password pr)",
        "userName pr or password sw \"x\"",
    ] {
        app.scim()
            .get(&format!("/Users?filter={filter}"))
            .scim_error("invalidFilter");
    }
    app.scim().get("/Users?sortBy=password").scim_failure(400);
}

#[test]
fn a_user_is_active_unless_somebody_says_otherwise() {
    // U-08, U-09, PO-06
    let app = TestApp::new();
    let scim = app.scim();
    let made = scim.post("/Users", &user("ada"));
    assert_eq!(made.expect(201).json["active"], true);
    let path = format!("/Users/{}", made.id());
    let set = |value: Value| {
        let change = json!([{ "op": "replace", "path": "active", "value": value }]);
        scim.patch(&path, &patch(change))
    };
    assert_eq!(set(json!(false)).expect(200).json["active"], false);
    assert_eq!(scim.get(&path).expect(200).json["active"], false);
    let found = scim.get("/Users?filter=userName eq \"ada\"");
    assert_eq!(found.names("userName"), ["ada"]);
    assert_eq!(scim.get("/Users").json["totalResults"], 1);
    let remove = json!([{ "op": "remove", "path": "active" }]);
    let removed = scim.patch(&path, &patch(remove));
    assert!(removed.expect(200).json.get("active").is_none());
    assert!(scim.get(&path).json.get("active").is_none());
    let mut body = user("bo");
    body["active"] = json!(null);
    let made = scim.post("/Users", &body);
    assert!(made.expect(201).json.get("active").is_none());
    let total = |filter: &str| {
        scim.get(&format!("/Users?filter={filter}"))
            .expect(200)
            .json["totalResults"]
            .clone()
    };
    assert_eq!(total("active pr"), 0);
    assert_eq!(total("active eq true"), 0);
    assert_eq!(total("active eq false"), 0);
}

#[test]
fn an_unassigned_active_is_not_enabled() {
    // U-08: fail closed; nothing is owed to such a learner
    let app = TestApp::new();
    let course = app.course("Fire safety");
    let mut body = user("ada");
    body["active"] = json!(null);
    let ada = app.scim().post("/Users", &body).expect(201).id();
    let bo = app.user("bo");
    let ops = app.group("Ops", &[&ada, &bo]);
    app.assign(&ops, &course);
    assert_eq!(app.enrollments().len(), 1);
    let change = json!([{ "op": "replace", "path": "active", "value": true }]);
    app.scim()
        .patch(&format!("/Users/{ada}"), &patch(change))
        .expect(200);
    assert_eq!(app.enrollments().len(), 2);
}

#[test]
fn the_groups_of_a_user_follow_from_the_groups() {
    // U-10, U-11, U-12
    let app = TestApp::new();
    let scim = app.scim();
    let ada = app.user("ada");
    let ops = app.group("Ops", &[&ada]);
    let dev = app.group("Dev", &[]);
    let path = format!("/Users/{ada}");
    let expected = json!([{
        "value": ops, "$ref": format!("{}/Groups/{ops}", app.scim_base()), "display": "Ops", "type": "direct",
    }]);
    let read = scim.get(&path);
    assert_eq!(read.expect(200).json["groups"], expected);
    let mut body = user("ada");
    body["groups"] = json!([{ "value": dev }]);
    let put = scim.put(&path, &body);
    assert_eq!(put.expect(200).json["groups"], expected);
    let inside = json!([{ "op": "add", "value": { "groups": [{ "value": dev }] } }]);
    let patched = scim.patch(&path, &patch(inside));
    assert_eq!(patched.expect(200).json["groups"], expected);
    for op in ["add", "replace", "remove"] {
        let change = json!([{ "op": op, "path": "groups", "value": [{ "value": dev }] }]);
        scim.patch(&path, &patch(change)).scim_error("mutability");
    }
    assert!(scim.get(&format!("/Groups/{dev}")).members().is_empty());
    body["userName"] = json!("bo");
    let made = scim.post("/Users", &body);
    assert!(made.expect(201).json.get("groups").is_none());
    let change = json!([add_members(&[&ada])]);
    scim.patch(&format!("/Groups/{dev}"), &patch(change))
        .expect(204);
    assert_eq!(
        scim.get(&path).json["groups"].as_array().map(Vec::len),
        Some(2)
    );
}

#[test]
fn a_country_is_kept_as_the_directory_spells_it() {
    // U-13: by default
    let app = TestApp::new();
    for (name, country) in [("ada", "NO"), ("bo", "Norway")] {
        let mut body = user(name);
        body["addresses"] = json!([{ "country": country, "type": "work", "primary": true }]);
        let made = app.scim().post("/Users", &body);
        assert_eq!(made.expect(201).json["addresses"], body["addresses"]);
    }
}

#[test]
fn a_certificate_is_base64() {
    // U-14: the DER within is not looked at by default
    let app = TestApp::new();
    let with = |value: Value| {
        let mut body = user("ada");
        body["x509Certificates"] = json!([{ "value": value }]);
        app.scim().post("/Users", &body)
    };
    for wrong in [json!("@@"), json!(7), json!("QUJ D")] {
        with(wrong).scim_error("invalidValue");
    }
    let made = with(json!("cmFuZG9tIGJ5dGVz"));
    assert_eq!(
        made.expect(201).json["x509Certificates"],
        json!([{ "value": "cmFuZG9tIGJ5dGVz" }])
    );
}

#[test]
fn an_address_of_mail_is_checked_loosely() {
    // U-15
    let app = TestApp::new();
    for (number, mail) in [
        "ada@acme.test",
        "用户@例子.公司",
        "o'malley+x@[192.0.2.1]",
        "a@b",
    ]
    .iter()
    .enumerate()
    {
        let mut body = user(&format!("u{number}"));
        body["emails"] = json!([{ "value": mail }]);
        let made = app.scim().post("/Users", &body);
        assert_eq!(made.expect(201).json["emails"][0]["value"], *mail);
    }
    for wrong in ["ada", "ada@", "@acme.test", "ada okafor@acme.test"] {
        let mut body = user("x");
        body["emails"] = json!([{ "value": wrong }]);
        app.scim().post("/Users", &body).scim_error("invalidValue");
    }
}

#[test]
fn a_name_is_kept_in_the_parts_it_came_in() {
    // U-16
    let app = TestApp::new();
    for (number, name) in [
        json!({ "formatted": "Ada Okafor" }),
        json!({ "givenName": "Ada", "familyName": "Okafor" }),
        json!({ "formatted": "Dr. Ada Okafor", "givenName": "Ada" }),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = user(&format!("u{number}"));
        body["name"] = name.clone();
        let made = app.scim().post("/Users", &body);
        assert_eq!(made.expect(201).json["name"], name);
        let change = json!([{ "op": "replace", "path": "name.middleName", "value": "B." }]);
        let changed = app
            .scim()
            .patch(&format!("/Users/{}", made.id()), &patch(change));
        let mut expected = name;
        expected["middleName"] = json!("B.");
        assert_eq!(changed.expect(200).json["name"], expected);
    }
}

#[test]
fn no_value_is_made_primary_by_the_server() {
    // U-17
    let app = TestApp::new();
    let mut body = user("ada");
    body["phoneNumbers"] = json!([{ "value": "tel:+1-201-555-0123" }, { "value": "tel:+1-201-555-0124", "primary": false }]);
    let made = app.scim().post("/Users", &body);
    assert_eq!(made.expect(201).json["phoneNumbers"], body["phoneNumbers"]);
    let ada = made.id();
    let read = app.scim().post("/Groups", &group("Ops", &[&ada]));
    assert!(read.expect(201).json["members"][0].get("primary").is_none());
}
