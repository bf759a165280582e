//! Data types. Checklist §2.3; RFC 7643 §2.3.

use super::acme::{ACME, app};
use crate::harness::{Client, ENT, Reply, TestApp, USER, Value, group, json, patch, user};

/// Creates a user with one attribute of the made-up extension as it stands in the text.
fn create(scim: &Client, name: &str, attribute: &str, value: &str) -> Reply {
    let body = format!(
        r#"{{"schemas":["{USER}"],"userName":"{name}","{ACME}":{{"{attribute}":{value}}}}}"#
    );
    scim.send("POST", "/Users", Some(body.as_bytes()))
}

#[test]
fn a_string_is_a_string() {
    // T-01
    let app = TestApp::new();
    for value in [json!(5), json!(true), json!({ "value": "x" })] {
        let mut body = user("ada");
        body["title"] = value.clone();
        let refused = app.scim().post("/Users", &body);
        refused.scim_error("invalidValue");
        assert!(refused.text.contains("title"), "{refused:?}");
    }
    let mut body = user("ada");
    body["title"] = json!("Ingénieure 工程师 🎓");
    let made = app.scim().post("/Users", &body);
    assert_eq!(made.expect(201).json["title"], "Ingénieure 工程师 🎓");
}

#[test]
fn a_boolean_is_true_or_false_and_may_be_spelled_as_a_string() {
    // T-02, T-03
    let app = TestApp::new();
    let scim = app.scim();
    for (number, (sent, stored)) in [
        (json!(true), true),
        (json!(false), false),
        (json!("True"), true),
        (json!("FALSE"), false),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = user(&format!("u{number}"));
        body["active"] = sent.clone();
        body["emails"] = json!([{ "value": "a@x.test", "primary": sent }]);
        let made = scim.post("/Users", &body);
        assert_eq!(made.expect(201).json["active"], stored, "{sent}");
        assert_eq!(made.json["emails"][0]["primary"], stored);
        let path = format!("/Users/{}", made.id());
        body["active"] = json!(!stored);
        scim.put(&path, &body).expect(200);
        body["active"] = sent.clone();
        assert_eq!(scim.put(&path, &body).expect(200).json["active"], stored);
        let change =
            |value: Value| patch(json!([{ "op": "replace", "path": "active", "value": value }]));
        scim.patch(&path, &change(json!(!stored))).expect(200);
        let changed = scim.patch(&path, &change(sent.clone()));
        assert_eq!(changed.expect(200).json["active"], stored);
    }
    let active = scim.get("/Users?filter=active eq \"True\"");
    assert_eq!(active.expect(200).names("userName"), ["u0", "u2"]);
    let path = format!("/Users/{}", app.user("eve"));
    for wrong in [
        json!("yes"),
        json!("0"),
        json!(1),
        json!(0),
        json!("truee"),
        json!([true, false]),
    ] {
        let mut body = user("zoe");
        body["active"] = wrong.clone();
        scim.post("/Users", &body).scim_error("invalidValue");
        scim.put(&path, &body).scim_error("invalidValue");
        let change = json!([{ "op": "replace", "path": "active", "value": wrong }]);
        scim.patch(&path, &patch(change)).scim_error("invalidValue");
    }
    for literal in ["\"yes\"", "\"0\"", "\"\"", "1"] {
        scim.get(&format!("/Users?filter=active eq {literal}"))
            .scim_error("invalidFilter");
    }
}

#[test]
fn an_empty_text_for_a_boolean_is_no_boolean() {
    // T-03: "" → 400
    let app = TestApp::new();
    let path = format!("/Users/{}", app.user("eve"));
    let mut body = user("zoe");
    body["active"] = json!("");
    app.scim().post("/Users", &body).scim_error("invalidValue");
    app.scim().put(&path, &body).scim_error("invalidValue");
    let change = json!([{ "op": "replace", "path": "active", "value": "" }]);
    app.scim()
        .patch(&path, &patch(change))
        .scim_error("invalidValue");
}

#[test]
fn a_decimal_keeps_its_value() {
    // T-04
    let app = app();
    for (number, (sent, same)) in [
        ("1.10", vec!["1.10", "1.1"]),
        ("0.1", vec!["0.1"]),
        ("-2.5", vec!["-2.5"]),
        ("1234567890.125", vec!["1234567890.125"]),
        ("7", vec!["7", "7.0"]),
    ]
    .into_iter()
    .enumerate()
    {
        let made = create(&app.scim(), &format!("u{number}"), "score", sent);
        made.expect(201);
        let again = app.scim().get(&format!("/Users/{}", made.id()));
        assert!(
            same.iter()
                .any(|form| again.text.contains(&format!("\"score\":{form}}}"))),
            "{sent}\n{again:?}"
        );
    }
    // digits that would be lost are refused, not rounded
    create(&app.scim(), "x", "score", "0.12345678901234567890123").scim_error("invalidValue");
    create(&app.scim(), "x", "score", "\"1.5\"").scim_error("invalidValue");
    for malformed in ["1.", ".5"] {
        create(&app.scim(), "x", "score", malformed).scim_error("invalidSyntax");
    }
}

#[test]
fn an_integer_has_neither_fraction_nor_exponent() {
    // T-05
    let app = app();
    for wrong in ["5.0", "1e3", "\"5\"", "true", "9223372036854775808"] {
        create(&app.scim(), "x", "badge", wrong).scim_error("invalidValue");
    }
    let made = create(&app.scim(), "ada", "badge", "-9223372036854775808");
    assert_eq!(made.expect(201).json[ACME]["badge"], i64::MIN);
}

#[test]
fn an_instant_has_date_and_time_and_is_compared_as_an_instant() {
    // T-06, T-07
    let app = app();
    let scim = app.scim();
    for (number, (sent, stored)) in [
        ("2026-03-01T12:00:00.5+02:00", "2026-03-01T10:00:00.500Z"),
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000Z"),
        ("2026-03-01T12:00:00", "2026-03-01T12:00:00.000Z"),
        ("2026-03-01T10:00:00-02:00", "2026-03-01T12:00:00.000Z"),
    ]
    .into_iter()
    .enumerate()
    {
        let made = create(
            &scim,
            &format!("u{number}"),
            "hired",
            &format!("\"{sent}\""),
        );
        assert_eq!(made.expect(201).json[ACME]["hired"], stored, "{sent}");
    }
    for wrong in [
        "2026-03-01",
        "12:00:00Z",
        "2026-03-01t12:00:00Z",
        "2026-03-01T12:00:00z",
        "2026-02-30T12:00:00Z",
        "2026-03-01 12:00:00Z",
        "soon",
    ] {
        create(&scim, "x", "hired", &format!("\"{wrong}\"")).scim_error("invalidValue");
    }
    create(&scim, "x", "hired", "1772366400").scim_error("invalidValue");
    let found = scim.get(&format!(
        "/Users?filter={ACME}:hired eq \"2026-03-01T14:00:00%2B02:00\""
    ));
    assert_eq!(found.expect(200).names("userName"), ["u1", "u2", "u3"]);
    let found = scim.get(&format!(
        "/Users?filter={ACME}:hired lt \"2026-03-01T13:00:00%2B02:00\""
    ));
    assert_eq!(found.expect(200).names("userName"), ["u0"]);
}

#[test]
fn binary_is_base64_of_either_alphabet() {
    // T-08, T-09
    let app = app();
    let scim = app.scim();
    for (number, (sent, stored)) in [
        ("QUJD", "QUJD"),
        ("QQ", "QQ=="),
        ("QQ==", "QQ=="),
        ("-_8=", "+/8="),
        ("+/8", "+/8="),
    ]
    .into_iter()
    .enumerate()
    {
        let made = create(&scim, &format!("u{number}"), "blob", &format!("\"{sent}\""));
        assert_eq!(made.expect(201).json[ACME]["blob"], stored);
    }
    for wrong in ["@@", "Q", "QUJ D", "QQ=Q"] {
        create(&scim, "x", "blob", &format!("\"{wrong}\"")).scim_error("invalidValue");
    }
    let names = |filter: &str| {
        let found = scim.get(&format!(
            "/Users?filter={ACME}:blob {}",
            super::acme::percent(filter)
        ));
        found.expect(200).names("userName")
    };
    assert_eq!(names("eq \"-_8=\""), ["u3", "u4"]);
    assert_eq!(names("eq \"+/8\""), ["u3", "u4"]);
    assert!(names("eq \"qujd\"").is_empty(), "case counts");
}

#[test]
fn a_reference_is_kept_as_sent_and_an_external_one_is_any_text() {
    // T-10
    let app = TestApp::new();
    for (number, uri) in ["https://acme.test/Ada", "Users/u1", "any word"]
        .iter()
        .enumerate()
    {
        let mut body = user(&format!("u{number}"));
        body["profileUrl"] = json!(uri);
        let made = app.scim().post("/Users", &body);
        assert_eq!(made.expect(201).json["profileUrl"], *uri);
    }
    let mut body = user("empty");
    body["profileUrl"] = json!("");
    let made = app.scim().post("/Users", &body);
    assert!(made.expect(201).json.get("profileUrl").is_none());
    let total = |uri: &str| {
        app.scim()
            .get(&format!("/Users?filter=profileUrl eq \"{uri}\""))
            .expect(200)
            .json["totalResults"]
            .clone()
    };
    assert_eq!(total("https://acme.test/Ada"), 1);
    assert_eq!(total("https://acme.test/ada"), 0, "case counts");
}

#[test]
fn every_reference_can_be_followed() {
    // T-11
    let app = TestApp::new();
    let boss = app.user("boss");
    let mut body = user("ada");
    body[ENT] = json!({ "manager": { "value": boss } });
    let ada = app.scim().post("/Users", &body).expect(201).id();
    let ops = app.group("Ops", &[&ada]);
    let base = |uri: &Value| {
        let uri = uri.as_str().expect("a reference");
        uri.split_once("/scim/v2")
            .expect("below the base")
            .1
            .to_owned()
    };
    let read = app.scim().get(&format!("/Users/{ada}"));
    let manager = app.scim().get(&base(&read.json[ENT]["manager"]["$ref"]));
    assert_eq!(manager.expect(200).id(), boss);
    let group = app.scim().get(&base(&read.json["groups"][0]["$ref"]));
    assert_eq!(group.expect(200).id(), ops);
    let member = app.scim().get(&base(&group.json["members"][0]["$ref"]));
    assert_eq!(member.expect(200).id(), ada);
}

#[test]
fn of_members_those_that_exist_are_taken_and_the_others_named() {
    // T-12: `skip_and_warn`; a request that names only unknown ids changes nothing
    let app = TestApp::new();
    let ada = app.user("ada");
    let ghost = "0199a2c4-0000-7000-8000-000000000000";
    let made = app.scim().post("/Groups", &group("Ops", &[&ada, ghost]));
    assert_eq!(made.expect(201).members(), [ada.as_str()]);
    let logged = app.logged("partial", |row| row["outcome"] == "partial");
    assert!(logged["warnings"].to_string().contains(ghost), "{logged}");
    let path = format!("/Groups/{}", made.id());
    let before = app.scim().get(&path).json;
    for refused in [
        app.scim().post("/Groups", &group("New", &[ghost])),
        app.scim().put(&path, &group("Ops", &[ghost])),
        app.scim().patch(
            &path,
            &patch(json!([crate::harness::add_members(&[ghost])])),
        ),
        app.scim().patch(
            &path,
            &patch(json!([{ "op": "replace", "path": "members", "value": [{ "value": ghost }] }])),
        ),
    ] {
        refused.scim_error("invalidValue");
        assert!(refused.text.contains(ghost), "{refused:?}");
    }
    assert_eq!(app.scim().get(&path).json, before);
    assert_eq!(app.scim().get("/Groups").json["totalResults"], 1);
    // `manager.value` is not checked
    let mut body = user("bo");
    body[ENT] = json!({ "manager": { "value": ghost } });
    let made = app.scim().post("/Users", &body);
    assert_eq!(
        made.expect(201).json[ENT]["manager"],
        json!({ "value": ghost })
    );
}

#[test]
fn a_reference_stands_in_for_a_missing_value_and_is_otherwise_the_servers() {
    // T-13, T-14: with and without the version in its path
    let app = TestApp::new();
    let (ada, bo) = (app.user("ada"), app.user("bo"));
    let members = json!([{ "$ref": format!("../Users/{ada}") }, { "$ref": format!("https://elsewhere.test/scim/v2/Users/{bo}") }]);
    let body =
        json!({ "schemas": [crate::harness::GROUP], "displayName": "Ops", "members": members });
    let made = app.scim().post("/Groups", &body);
    let mut expected = vec![ada.clone(), bo.clone()];
    expected.sort();
    assert_eq!(made.expect(201).members(), expected);
    for member in made.json["members"].as_array().expect("members") {
        let uri = member["$ref"].as_str().unwrap_or_default();
        let id = member["value"].as_str().unwrap_or_default();
        assert!(
            uri.starts_with(&app.scim_base()) && uri.ends_with(&format!("/scim/v2/Users/{id}")),
            "{member}"
        );
    }
    let mut cy = user("cy");
    cy[ENT] = json!({ "manager": { "$ref": format!("https://x.test/Users/{ada}") } });
    let made = app.scim().post("/Users", &cy);
    assert_eq!(made.expect(201).json[ENT]["manager"]["value"], ada);
    let wrong = json!({ "value": bo, "$ref": format!("../Users/{ada}") });
    let change = json!([{ "op": "replace", "path": format!("{ENT}:manager"), "value": wrong }]);
    let changed = app
        .scim()
        .patch(&format!("/Users/{}", made.id()), &patch(change));
    assert_eq!(changed.expect(200).json[ENT]["manager"]["value"], bo);
    assert!(
        changed.json[ENT]["manager"]["$ref"]
            .as_str()
            .is_some_and(|uri| uri.ends_with(&bo))
    );
}

#[test]
fn a_complex_value_is_an_object_and_one_value_is_no_list() {
    // T-15, T-16, on every write
    let app = TestApp::new();
    let scim = app.scim();
    let boss = app.user("boss");
    let path = format!("/Users/{}", app.user("ada"));
    for (name, wrong) in [
        ("name", json!("Ada")),
        ("name", json!(7)),
        ("title", json!(["x"])),
        ("title", json!(["x", "y"])),
        ("emails", json!("a@x.test")),
        ("roles", json!(7)),
    ] {
        let mut body = user("zoe");
        body[name] = wrong.clone();
        scim.post("/Users", &body).scim_error("invalidValue");
        scim.put(&path, &body).scim_error("invalidValue");
        let change = json!([{ "op": "replace", "path": name, "value": wrong }]);
        scim.patch(&path, &patch(change)).scim_error("invalidValue");
    }
    let mut body = user("bo");
    body[ENT] = json!({ "manager": boss });
    body["emails"] = json!({ "value": "b@x.test", "type": "work" });
    let made = scim.post("/Users", &body);
    assert_eq!(made.expect(201).json[ENT]["manager"]["value"], boss);
    assert_eq!(
        made.json["emails"],
        json!([{ "value": "b@x.test", "type": "work" }])
    );
    body["userName"] = json!("ada");
    let put = scim.put(&path, &body);
    assert_eq!(put.expect(200).json["emails"], made.json["emails"]);
    let change = json!([{ "op": "replace", "path": "emails", "value": { "value": "c@x.test" } }]);
    let changed = scim.patch(&path, &patch(change));
    assert_eq!(
        changed.expect(200).json["emails"],
        json!([{ "value": "c@x.test" }])
    );
}

#[test]
fn strings_lists_and_bodies_have_limits_that_are_named() {
    // T-17
    let app = TestApp::new();
    let scim = app.scim();
    let path = format!("/Users/{}", app.user("ada"));
    let certificate = |bytes: usize| {
        use base64::Engine as _;
        json!([{ "value": base64::engine::general_purpose::STANDARD.encode(vec![7; bytes]) }])
    };
    let emails = |count: usize| -> Value {
        (0..count)
            .map(|n| json!({ "value": format!("a{n}@x.test") }))
            .collect()
    };
    for (name, fits, too_much, limit) in [
        (
            "title",
            json!("é".repeat(4096)),
            json!("é".repeat(4097)),
            "4096",
        ),
        (
            "externalId",
            json!("x".repeat(512)),
            json!("x".repeat(513)),
            "512",
        ),
        (
            "profileUrl",
            json!("x".repeat(8192)),
            json!("x".repeat(8193)),
            "8192",
        ),
        (
            "x509Certificates",
            certificate(65_536),
            certificate(65_537),
            "65536",
        ),
        ("emails", emails(200), emails(201), "200"),
    ] {
        let mut body = user("ada");
        body[name] = fits;
        scim.put(&path, &body).expect(200);
        body[name] = too_much.clone();
        let refused = scim.put(&path, &body);
        refused.scim_error("invalidValue");
        assert!(
            refused.text.contains(name) && refused.text.contains(limit),
            "{name}: {}",
            refused.json["detail"]
        );
        let change = json!([{ "op": "replace", "path": name, "value": too_much }]);
        scim.patch(&path, &patch(change)).scim_error("invalidValue");
        body["userName"] = json!("bo");
        scim.post("/Users", &body).scim_error("invalidValue");
    }
}
