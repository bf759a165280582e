//! An operator's extensions of User and Group: every verb, filters, sorting, PATCH paths, projection, uniqueness.
//! RFC 7643 §3.3, §7, for attributes nobody has built in.

use std::path::PathBuf;

use crate::harness::{Client, GROUP, Reply, TestApp, USER, Value, json, patch};

pub const EMPLOYEE: &str = "urn:example:params:scim:schemas:extension:employee:1.0:User";
pub const COSTS: &str = "urn:example:params:scim:schemas:extension:costs:1.0:Group";

/// The operator's folder of the examples.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schemas")
}

fn app() -> TestApp {
    TestApp::with_folder(&folder())
}

fn employee(name: &str, of: &Value) -> Value {
    json!({ "schemas": [USER, EMPLOYEE], "userName": name, EMPLOYEE: of })
}

fn make(scim: &Client, name: &str, of: &Value) -> String {
    scim.post("/Users", &employee(name, of)).expect(201).id()
}

fn found(scim: &Client, filter: &str) -> Vec<String> {
    let mut names = scim
        .get(&format!("/Users?filter={filter}"))
        .expect(200)
        .names("userName");
    names.sort();
    names
}

fn change(scim: &Client, id: &str, operations: Value) -> Reply {
    scim.patch(&format!("/Users/{id}"), &patch(operations))
}

/// SH-10: what the file says is what is enforced.
#[test]
fn an_extension_is_validated_stored_and_shown_as_its_file_says() {
    let app = app();
    let scim = app.scim();
    let made = scim.post(
        "/Users",
        &employee(
            "ada",
            &json!({
                "SITE": "aachen", "badgeNumber": "A-1", "grade": 7, "quota": 0.5, "contractor": "False",
                "hiredAt": "2020-05-01T02:00:00+02:00", "skills": ["Welding", "Go", "go"], "unheard": 1,
                "homepage": "https://x.test/ada", "mentor": { "value": "m1" },
                "certificates": [{ "value": "Crane", "level": 3, "primary": true }, { "value": "First aid", "type": "SAFETY" }],
            }),
        ),
    );
    made.expect(201);
    assert_eq!(made.json["schemas"], json!([USER, EMPLOYEE]));
    let expected = json!({
        "site": "Aachen", "badgeNumber": "A-1", "grade": 7, "quota": 0.5, "contractor": false,
        "hiredAt": "2020-05-01T00:00:00.000Z", "skills": ["Welding", "go"],
        "homepage": "https://x.test/ada", "mentor": { "value": "m1" },
        "certificates": [{ "value": "Crane", "level": 3, "primary": true }, { "value": "First aid", "type": "safety" }],
    });
    let shown = &made.json[EMPLOYEE];
    for (name, value) in expected.as_object().into_iter().flatten() {
        if name != "skills" {
            assert_eq!(&shown[name], value, "{name}\n{made:?}");
        }
    }
    assert_eq!(shown["skills"].as_array().map(Vec::len), Some(2));
    assert!(shown.get("unheard").is_none());
    assert_eq!(scim.get(&format!("/Users/{}", made.id())).json, made.json);
    let put_back = scim.put(&format!("/Users/{}", made.id()), &made.json);
    assert_eq!(put_back.expect(200).etag(), made.etag(), "{put_back:?}");

    for (wrong, word) in [
        (json!({ "grade": "7" }), "grade"),
        (json!({ "grade": 1.5 }), "grade"),
        (json!({ "hiredAt": "yesterday" }), "hiredAt"),
        (json!({ "skills": "one" }), "skills"),
        (json!({ "mentor": [1] }), "mentor"),
        (
            json!({ "certificates": [{ "level": 1 }] }),
            "certificates[0].value",
        ),
        (
            json!({ "certificates": [{ "value": "a", "primary": true }, { "value": "b", "primary": true }] }),
            "primary",
        ),
        (json!("text"), EMPLOYEE),
    ] {
        let refused = scim.post("/Users", &employee("bob", &wrong));
        refused.scim_error("invalidValue");
        assert!(
            refused.json["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains(word)),
            "{refused:?}"
        );
    }
    assert_eq!(scim.get("/Users").json["totalResults"], 1);
}

/// By URN, by bare name, in brackets; whichever attribute the file defines.
#[test]
fn an_extension_can_be_searched_and_sorted() {
    let app = app();
    let scim = app.scim();
    make(
        &scim,
        "ada",
        &json!({ "site": "Aachen", "grade": 7, "contractor": true, "hiredAt": "2020-01-01T00:00:00Z",
        "skills": ["Welding"], "quota": 0.5, "badgeNumber": "B1", "certificates": [{ "value": "Crane", "level": 3, "issuer": "TÜV" }] }),
    );
    make(
        &scim,
        "bob",
        &json!({ "site": "berlin", "grade": 11, "contractor": false, "hiredAt": "2021-01-01T00:00:00Z",
        "skills": ["welding", "Go"], "certificates": [{ "value": "Crane", "level": 1 }, { "value": "First aid", "level": 3 }] }),
    );
    app.user("cleo");
    for (filter, expected) in [
        (format!("{EMPLOYEE}:site eq \"BERLIN\""), vec!["bob"]),
        ("site eq \"aachen\"".to_owned(), vec!["ada"]),
        (
            format!("{EMPLOYEE}:site ne \"aachen\""),
            vec!["bob", "cleo"],
        ),
        ("site co \"e\"".to_owned(), vec!["ada", "bob"]),
        ("site sw \"b\" and grade gt 7".to_owned(), vec!["bob"]),
        ("grade ge 7 and userName pr".to_owned(), vec!["ada", "bob"]),
        ("quota lt 0.75".to_owned(), vec!["ada"]),
        ("contractor eq true".to_owned(), vec!["ada"]),
        (
            "hiredAt gt \"2020-06-01T00:00:00Z\"".to_owned(),
            vec!["bob"],
        ),
        ("skills eq \"GO\"".to_owned(), vec!["bob"]),
        ("badgeNumber eq \"b1\"".to_owned(), vec![]),
        ("badgeNumber eq \"B1\"".to_owned(), vec!["ada"]),
        (
            format!("{EMPLOYEE}:certificates[value eq \"crane\" and level eq 3]"),
            vec!["ada"],
        ),
        ("certificates.level eq 3".to_owned(), vec!["ada", "bob"]),
        ("certificates[issuer pr]".to_owned(), vec!["ada"]),
        (format!("{EMPLOYEE}:skills pr"), vec!["ada", "bob"]),
        (format!("schemas eq \"{EMPLOYEE}\""), vec!["ada", "bob"]),
        (format!("not ({EMPLOYEE}:grade pr)"), vec!["cleo"]),
    ] {
        assert_eq!(found(&scim, &filter), expected, "{filter}");
    }
    scim.get(&format!("/Users?filter={EMPLOYEE}:sight eq \"x\""))
        .scim_error("invalidFilter");
    scim.get("/Users?filter=grade eq \"seven\"")
        .scim_error("invalidFilter");
    for (by, expected) in [
        (format!("{EMPLOYEE}:grade"), ["ada", "bob", "cleo"]),
        (
            format!("{EMPLOYEE}:grade&sortOrder=descending"),
            ["cleo", "bob", "ada"],
        ),
        (
            format!("{EMPLOYEE}:site&sortOrder=ascending"),
            ["ada", "bob", "cleo"],
        ),
    ] {
        let names = scim
            .get(&format!("/Users?sortBy={by}"))
            .expect(200)
            .names("userName");
        assert_eq!(names, expected, "{by}");
    }
    let page = scim.get(&format!(
        "/Users?filter={EMPLOYEE}:grade pr&startIndex=2&count=1"
    ));
    assert_eq!(
        (
            page.json["totalResults"].as_i64(),
            page.names("userName").len()
        ),
        (Some(2), 1)
    );
}

/// Paths with the URN, containers, value paths; no-op detection.
#[test]
fn an_extension_can_be_patched_by_every_kind_of_path() {
    let app = app();
    let scim = app.scim();
    let id = app.user("ada");
    let steps = [
        (
            json!([{ "op": "add", "path": format!("{EMPLOYEE}:site"), "value": "Aachen" }]),
            json!({ "site": "Aachen" }),
        ),
        (
            json!([{ "op": "add", "path": EMPLOYEE, "value": { "grade": 3 } }]),
            json!({ "site": "Aachen", "grade": 3 }),
        ),
        (
            json!([{ "op": "replace", "value": { EMPLOYEE: { "grade": 4 } } }]),
            json!({ "site": "Aachen", "grade": 4 }),
        ),
        (
            json!([{ "op": "replace", "value": { format!("{EMPLOYEE}:grade"): 5 } }]),
            json!({ "site": "Aachen", "grade": 5 }),
        ),
        (
            json!([{ "op": "add", "path": format!("{EMPLOYEE}:certificates"), "value": [{ "value": "Crane", "primary": true }] },
                   { "op": "add", "path": format!("{EMPLOYEE}:certificates"), "value": { "value": "First aid", "primary": true } }]),
            json!({ "site": "Aachen", "grade": 5, "certificates": [{ "value": "Crane" }, { "value": "First aid", "primary": true }] }),
        ),
        (
            json!([{ "op": "replace", "path": format!("{EMPLOYEE}:certificates[value eq \"crane\"].level"), "value": 2 },
                   { "op": "remove", "path": format!("{EMPLOYEE}:certificates[value eq \"first aid\"]") }]),
            json!({ "site": "Aachen", "grade": 5, "certificates": [{ "value": "Crane", "level": 2 }] }),
        ),
        (
            json!([{ "op": "remove", "path": format!("{EMPLOYEE}:certificates") }]),
            json!({ "site": "Aachen", "grade": 5 }),
        ),
    ];
    for (operations, expected) in steps {
        let reply = change(&scim, &id, operations);
        let mut shown = reply.expect(200).json[EMPLOYEE].clone();
        for certificate in shown["certificates"].as_array_mut().into_iter().flatten() {
            if certificate["primary"] == false {
                certificate
                    .as_object_mut()
                    .map(|object| object.remove("primary"));
            }
        }
        if shown["certificates"].is_null() {
            shown
                .as_object_mut()
                .map(|object| object.remove("certificates"));
        }
        assert_eq!(shown, expected, "{reply:?}");
    }
    let before = scim.get(&format!("/Users/{id}")).etag();
    let same = change(
        &scim,
        &id,
        json!([{ "op": "replace", "path": format!("{EMPLOYEE}:grade"), "value": 5 }]),
    );
    assert_eq!(same.expect(200).etag(), before);
    assert_eq!(found(&scim, "grade eq 5"), ["ada"]);
    change(&scim, &id, json!([{ "op": "remove", "path": EMPLOYEE }])).expect(200);
    let after = scim.get(&format!("/Users/{id}"));
    assert_eq!(after.json["schemas"], json!([USER]), "C-04");
    assert!(found(&scim, "grade eq 5").is_empty());
}

/// M-24: immutable once set.
#[test]
fn an_immutable_attribute_of_an_extension_stays() {
    let app = app();
    let scim = app.scim();
    let id = make(
        &scim,
        "ada",
        &json!({ "hiredAt": "2020-01-01T00:00:00Z", "grade": 1 }),
    );
    let path = format!("/Users/{id}");
    let other = json!({ "hiredAt": "2021-01-01T00:00:00Z" });
    scim.put(&path, &employee("ada", &other))
        .scim_error("mutability");
    change(
        &scim,
        &id,
        json!([{ "op": "remove", "path": format!("{EMPLOYEE}:hiredAt") }]),
    )
    .scim_error("mutability");
    let kept = scim.put(&path, &employee("ada", &json!({ "grade": 2 })));
    assert_eq!(
        kept.expect(200).json[EMPLOYEE],
        json!({ "grade": 2, "hiredAt": "2020-01-01T00:00:00.000Z" })
    );
}

/// M-26, M-28: never, request, and projections by URN; also in the log.
#[test]
fn what_is_never_returned_is_nowhere_and_what_is_on_request_is_there_when_asked() {
    let app = app();
    let scim = app.scim();
    let made = scim.post(
        "/Users",
        &employee(
            "ada",
            &json!({ "pin": "4711-secret", "note": "tall", "grade": 1 }),
        ),
    );
    assert_eq!(
        made.expect(201).json[EMPLOYEE],
        json!({ "note": "tall", "grade": 1 }),
        "M-28: named by the body"
    );
    let path = format!("/Users/{}", made.id());
    assert_eq!(scim.get(&path).json[EMPLOYEE], json!({ "grade": 1 }));
    for (query, expected) in [
        (
            format!("attributes={EMPLOYEE}:note"),
            json!({ "note": "tall" }),
        ),
        (
            format!("attributes={EMPLOYEE}:pin,{EMPLOYEE}:grade"),
            json!({ "grade": 1 }),
        ),
        (
            format!("attributes={EMPLOYEE}"),
            json!({ "note": "tall", "grade": 1 }),
        ),
        (format!("excludedAttributes={EMPLOYEE}:grade"), Value::Null),
    ] {
        assert_eq!(
            scim.get(&format!("{path}?{query}")).expect(200).json[EMPLOYEE],
            expected,
            "{query}"
        );
        let listed = scim.get(&format!("/Users?{query}"));
        assert_eq!(listed.json["Resources"][0][EMPLOYEE], expected, "{query}");
    }
    let id = made.id();
    let patched = change(
        &scim,
        &id,
        json!([{ "op": "replace", "path": format!("{EMPLOYEE}:pin"), "value": "0815-secret" }]),
    );
    assert!(!patched.expect(200).text.contains("secret"), "{patched:?}");
    scim.put(&path, &employee("ada", &json!({ "pin": "0816-secret" })))
        .expect(200);
    for reply in [
        scim.get("/Users"),
        scim.get(&format!("/?attributes={EMPLOYEE}:pin")),
    ] {
        assert!(!reply.expect(200).text.contains("secret"), "{reply:?}");
    }
    let log = crate::harness::build::writes_in_log(&app.api());
    for row in &log {
        let whole = app.api().get(&format!(
            "/sync/requests/{}",
            row["id"].as_str().unwrap_or_default()
        ));
        assert!(!whole.expect(200).text.contains("-secret"), "{whole:?}");
    }
    assert_eq!(log.len(), 3);
}

/// RFC 7643 §2.4: `server` uniqueness holds at every verb, under contention, and ends with the resource.
#[test]
fn a_unique_attribute_of_an_extension_is_taken_once() {
    let app = app();
    let scim = app.scim();
    let ada = make(&scim, "ada", &json!({ "badgeNumber": "B1" }));
    let bob = make(&scim, "bob", &json!({ "badgeNumber": "b1" }));
    let clash = scim.post("/Users", &employee("cleo", &json!({ "badgeNumber": "B1" })));
    clash.scim_error("uniqueness");
    assert!(
        clash.json["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("badgeNumber")),
        "{clash:?}"
    );
    scim.put(
        &format!("/Users/{bob}"),
        &employee("bob", &json!({ "badgeNumber": "B1" })),
    )
    .scim_error("uniqueness");
    change(
        &scim,
        &bob,
        json!([{ "op": "add", "path": format!("{EMPLOYEE}:badgeNumber"), "value": "B1" }]),
    )
    .scim_error("uniqueness");
    assert_eq!(
        scim.get(&format!("/Users/{bob}")).json[EMPLOYEE]["badgeNumber"],
        "b1"
    );
    assert_eq!(scim.get("/Users").json["totalResults"], 2);
    change(
        &scim,
        &ada,
        json!([{ "op": "replace", "path": format!("{EMPLOYEE}:badgeNumber"), "value": "B2" }]),
    )
    .expect(200);
    change(
        &scim,
        &bob,
        json!([{ "op": "replace", "path": format!("{EMPLOYEE}:badgeNumber"), "value": "B1" }]),
    )
    .expect(200);
    scim.delete(&format!("/Users/{bob}")).expect(204);
    make(&scim, "bob", &json!({ "badgeNumber": "B1" }));
    let (other, _) = app.other_tenant();
    make(&other, "bob", &json!({ "badgeNumber": "B1" }));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..12)
            .map(|n| {
                let scim = scim.clone();
                scope.spawn(move || {
                    scim.post(
                        "/Users",
                        &employee(&format!("many{n}"), &json!({ "badgeNumber": "X9" })),
                    )
                    .status
                })
            })
            .collect();
        tries
            .into_iter()
            .map(|one| one.join().expect("no panic"))
            .collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses.iter().all(|status| matches!(status, 201 | 409)),
        "{statuses:?}"
    );
}

/// The same for groups, whose attributes are columns and whose members are rows.
#[test]
fn an_extension_of_groups_works_like_one_of_users() {
    let app = app();
    let scim = app.scim();
    let ada = app.user("ada");
    let body = |name: &str, costs: Value| json!({ "schemas": [GROUP, COSTS], "displayName": name, "members": [{ "value": ada }], COSTS: costs });
    let made = scim.post(
        "/Groups",
        &body("Ops", json!({ "costCenter": "C-1", "budget": 1000 })),
    );
    assert_eq!(
        made.expect(201).json[COSTS],
        json!({ "costCenter": "C-1", "budget": 1000 })
    );
    let path = format!("/Groups/{}", made.id());
    let second = scim
        .post("/Groups", &body("Dev", json!({ "budget": 5 })))
        .expect(201)
        .id();
    scim.post("/Groups", &body("Third", json!({ "costCenter": "c-1" })))
        .scim_error("uniqueness");
    for (filter, expected) in [
        (format!("{COSTS}:costCenter eq \"c-1\""), vec!["Ops"]),
        ("budget lt 10".to_owned(), vec!["Dev"]),
        (
            format!("{COSTS}:budget pr and displayName sw \"o\""),
            vec!["Ops"],
        ),
        (
            format!("members eq \"{ada}\" and budget gt 10"),
            vec!["Ops"],
        ),
    ] {
        assert_eq!(
            scim.get(&format!("/Groups?filter={filter}"))
                .expect(200)
                .names("displayName"),
            expected,
            "{filter}"
        );
    }
    let sorted = scim.get(&format!(
        "/Groups?sortBy={COSTS}:budget&attributes={COSTS}:budget"
    ));
    assert_eq!(sorted.json["Resources"][0][COSTS], json!({ "budget": 5 }));
    let operations = json!([{ "op": "replace", "path": format!("{COSTS}:budget"), "value": 7 }]);
    scim.patch(&path, &patch(operations)).expect(204);
    let shown = scim.get(&path);
    assert_eq!(shown.json[COSTS]["budget"], 7);
    assert_eq!(shown.members(), std::slice::from_ref(&ada));
    assert_eq!(
        scim.get("/Groups?filter=budget eq 7").names("displayName"),
        ["Ops"]
    );
    scim.put(&path, &json!({ "schemas": [GROUP], "displayName": "Ops" }))
        .expect(200);
    let after = scim.get(&path);
    assert!(
        after.json.get(COSTS).is_none() && after.json["schemas"] == json!([GROUP]),
        "{after:?}"
    );
    assert_eq!(after.members(), [ada]);
    scim.delete(&format!("/Groups/{second}")).expect(204);
    assert!(
        scim.get("/Groups?filter=budget pr")
            .names("displayName")
            .is_empty()
    );
}
