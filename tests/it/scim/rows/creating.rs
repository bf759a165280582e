//! Create. Checklist §11; RFC 7644 §3.3.

use super::acme::{ACME, app};
use crate::harness::{GROUP, TestApp, USER, group, json, user};

#[test]
fn a_created_resource_is_201_whole_and_where_it_says() {
    // PO-01, PO-02, PO-03, PO-07, PO-09
    let app = TestApp::new();
    let ada = app.user("ada");
    for (endpoint, body) in [
        (
            "/Users",
            json!({ "schemas": [USER], "userName": "bo", "name": { "givenName": "Bo" }, "roles": [{ "value": "x" }] }),
        ),
        ("/Groups", group("Ops", &[&ada])),
    ] {
        let made = app.scim().post(endpoint, &body);
        made.expect(201);
        let location = made.header("location").to_owned();
        assert_eq!(
            location,
            format!("{}{endpoint}/{}", app.scim_base(), made.id())
        );
        assert_eq!(made.json["meta"]["location"], location);
        assert_eq!(made.etag(), "W/\"1\"");
        assert_eq!(made.json["meta"]["version"], made.etag());
        let path = location
            .strip_prefix(&app.scim_base())
            .expect("below the base");
        let read = app.scim().get(path);
        assert_eq!(read.expect(200).json, made.json);
        for (name, value) in body.as_object().expect("an object") {
            if name != "members" {
                assert_eq!(&made.json[name], value);
            }
        }
    }
    assert_eq!(
        app.scim().get("/Groups").json["Resources"][0]["members"][0]["value"],
        ada
    );
}

#[test]
fn a_projection_shapes_the_answer_but_not_the_headers() {
    // PO-04
    let app = TestApp::new();
    let mut body = user("ada");
    body["title"] = json!("x");
    let made = app.scim().post("/Users?attributes=userName", &body);
    assert_eq!(made.expect(201).keys(), ["id", "schemas", "userName"]);
    assert!(made.header("location").ends_with(&made.id()) && made.etag() == "W/\"1\"");
    body["userName"] = json!("bo");
    let made = app
        .scim()
        .post("/Users?excludedAttributes=meta,title", &body);
    assert!(made.expect(201).json.get("meta").is_none() && made.json.get("title").is_none());
    assert_eq!(made.json["userName"], "bo");
    assert!(made.header("location").ends_with(&made.id()));
    let stored = app.scim().get(&format!("/Users/{}", made.id()));
    assert_eq!(stored.json["title"], "x");
    let group = app.scim().post(
        "/Groups?attributes=displayName",
        &json!({ "schemas": [GROUP], "displayName": "Ops" }),
    );
    assert_eq!(group.expect(201).keys(), ["displayName", "id", "schemas"]);
    // a broken projection refuses before anything is made
    app.scim()
        .post("/Users?attributes=2nd", &user("cy"))
        .scim_error("invalidValue");
    assert_eq!(app.scim().get("/Users").json["totalResults"], 2);
}

#[test]
fn the_only_default_is_that_a_user_is_active() {
    // PO-06
    let app = TestApp::new();
    let made = app.scim().post("/Users", &user("ada"));
    assert_eq!(
        made.expect(201).keys(),
        ["active", "id", "meta", "schemas", "userName"]
    );
    assert_eq!(made.json["active"], true);
    for none in [json!(null), json!([])] {
        let body = json!({ "schemas": [USER], "userName": format!("of {none}"), "active": none });
        let made = app.scim().post("/Users", &body);
        assert!(made.expect(201).json.get("active").is_none());
    }
}

#[test]
fn what_is_immutable_is_stored_on_create() {
    // PO-08
    let app = app();
    let body = json!({ "schemas": [USER, ACME], "userName": "ada", "id": "mine", ACME: { "serial": "A-1" } });
    let made = app.scim().post("/Users", &body);
    assert_eq!(made.expect(201).json[ACME]["serial"], "A-1");
    assert_ne!(made.id(), "mine");
}

#[test]
fn the_names_of_the_deleted_are_free() {
    // PO-10
    let app = TestApp::new();
    for (endpoint, body) in [("/Users", user("ada")), ("/Groups", group("Ops", &[]))] {
        let first = app.scim().post(endpoint, &body).expect(201).id();
        app.scim().post(endpoint, &body).scim_error("uniqueness");
        app.scim()
            .delete(&format!("{endpoint}/{first}"))
            .expect(204);
        let second = app.scim().post(endpoint, &body).expect(201).id();
        assert_ne!(first, second);
        app.scim()
            .get(&format!("{endpoint}/{first}"))
            .scim_failure(404);
    }
}

#[test]
fn of_many_creates_at_once_one_succeeds() {
    // PO-11: users and groups, in different spellings
    let app = TestApp::new();
    for (endpoint, name) in [("/Users", "userName"), ("/Groups", "displayName")] {
        let scim = app.scim();
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..50)
                .map(|number| {
                    let scim = scim.clone();
                    let spelled = if number % 2 == 0 { "Same" } else { "sAME" };
                    let urn = if name == "userName" { USER } else { GROUP };
                    scope.spawn(move || {
                        scim.post(endpoint, &json!({ "schemas": [urn], name: spelled }))
                            .status
                    })
                })
                .collect();
            writers
                .into_iter()
                .map(|writer| writer.join().expect("no panic"))
                .collect()
        });
        assert_eq!(
            statuses.iter().filter(|status| **status == 201).count(),
            1,
            "{statuses:?}"
        );
        assert_eq!(
            statuses.iter().filter(|status| **status == 409).count(),
            49,
            "{statuses:?}"
        );
        assert_eq!(app.scim().get(endpoint).json["totalResults"], 1);
    }
}

#[test]
fn looking_first_and_creating_agree_on_what_is_the_same() {
    // PO-12: whatever the filter finds, the create refuses, and the other way round
    let app = TestApp::new();
    for (number, (first, other)) in [
        ("Ada@Acme.Test", "ada@acme.test"),
        ("JOSÉ", "jose\u{301}"),
        ("bo", "bo "),
        ("İpek", "i̇pek"),
        ("straße", "strasse"),
    ]
    .into_iter()
    .enumerate()
    {
        let first = format!("{number}{first}");
        let other = format!("{number}{other}");
        app.scim().post("/Users", &user(&first)).expect(201);
        let found = app.scim().get(&format!(
            "/Users?filter=userName eq \"{}\"",
            super::acme::percent(&other)
        ));
        let hits = found.expect(200).json["totalResults"]
            .as_i64()
            .unwrap_or(-1);
        let made = app.scim().post("/Users", &user(&other));
        assert_eq!(
            made.status,
            if hits == 1 { 409 } else { 201 },
            "{first:?} {other:?}"
        );
    }
}
