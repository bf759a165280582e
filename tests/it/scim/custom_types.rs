//! A resource type that an operator declares, end to end: the Badge of `tests/fixtures/schemas/badge.json`. Nothing in the
//! server knows it.

use super::custom::folder;
use crate::harness::{Reply, TestApp, USER, Value, json, patch};

const BADGE: &str = "urn:example:params:scim:schemas:badge:1.0:Badge";
const PRINT: &str = "urn:example:params:scim:schemas:extension:print:1.0:Badge";

fn app() -> TestApp {
    TestApp::with_folder(&folder())
}

fn badge(serial: &str, more: Value) -> Value {
    let mut body =
        json!({ "schemas": [BADGE], "displayName": format!("Badge {serial}"), "serial": serial });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

/// RT-01, RT-09, SH-01: discovery lists what the folder holds, for a client to find.
#[test]
fn discovery_lists_the_types_and_schemas_of_the_folder() {
    let app = app();
    let scim = app.scim();
    let types = scim.get("/ResourceTypes");
    assert_eq!(types.expect(200).names("name"), ["User", "Group", "Badge"]);
    let one = scim.get("/ResourceTypes/Badge");
    assert_eq!(one.expect(200).json["endpoint"], "/Badges");
    assert_eq!(one.json["schema"], BADGE);
    assert_eq!(
        one.json["schemaExtensions"],
        json!([{ "schema": PRINT, "required": false }])
    );
    let schemas = scim.get("/Schemas").expect(200).names("id");
    let users = scim.get("/ResourceTypes/User").json["schemaExtensions"].clone();
    for urn in [BADGE, PRINT, super::custom::EMPLOYEE, super::custom::COSTS] {
        assert!(schemas.contains(&urn.to_owned()), "{urn}");
        let schema = scim.get(&format!("/Schemas/{urn}"));
        assert_eq!(schema.expect(200).json["id"], urn);
        assert!(
            !schema.text.contains("\"rollcall\"") && !schema.text.contains("null"),
            "{schema:?}"
        );
    }
    assert!(
        users.to_string().contains(super::custom::EMPLOYEE),
        "{users}"
    );
    let serial = &scim.get(&format!("/Schemas/{BADGE}")).json["attributes"][1];
    assert_eq!(
        (&serial["uniqueness"], &serial["mutability"]),
        (&json!("server"), &json!("immutable"))
    );
}

/// Envelope, versions and deletion as for users, for a type of the operator's.
#[test]
fn a_badge_is_created_read_replaced_patched_and_deleted() {
    let app = app();
    let scim = app.scim();
    let made = scim.post(
        "/Badges",
        &badge("S-1", json!({ "id": "mine", "externalId": "x1", "enabled": true, "secret": "abc-key", PRINT: { "color": "red" },
            "doors": [{ "value": "Main", "type": "entrance", "primary": true }] })),
    );
    made.expect(201);
    assert_ne!(made.id(), "mine");
    assert_eq!(made.json["schemas"], json!([BADGE, PRINT]));
    assert_eq!(made.json["meta"]["resourceType"], "Badge");
    assert_eq!(made.json["meta"]["location"], made.header("location"));
    assert_eq!(made.json["meta"]["version"], made.etag());
    assert!(
        made.header("location")
            .ends_with(&format!("/scim/v2/Badges/{}", made.id()))
    );
    assert!(!made.text.contains("abc-key"), "{made:?}");
    let path = format!("/Badges/{}", made.id());
    let read = scim.get(&path);
    assert_eq!(read.expect(200).json, made.json);
    scim.with_header("If-None-Match", &made.etag())
        .get(&path)
        .expect(304);
    assert_eq!(
        scim.send("HEAD", &path, None).expect(200).etag(),
        made.etag()
    );

    app.clock.advance_millis(5000);
    let same = scim.put(&path, &read.json);
    assert_eq!(
        same.expect(200).json["meta"]["version"],
        made.json["meta"]["version"]
    );
    let replaced = scim.put(&path, &badge("S-1", json!({ "enabled": false })));
    replaced.expect(200);
    assert!(replaced.json.get(PRINT).is_none() && replaced.json.get("externalId").is_none());
    assert_ne!(replaced.etag(), made.etag());
    assert_ne!(
        replaced.json["meta"]["lastModified"],
        made.json["meta"]["lastModified"]
    );
    assert_eq!(
        replaced.json["meta"]["created"],
        made.json["meta"]["created"]
    );
    scim.put(&path, &badge("S-2", json!({})))
        .scim_error("mutability");
    scim.with_header("If-Match", &made.etag())
        .put(&path, &badge("S-1", json!({})))
        .scim_failure(412);

    let patched = scim.patch(
        &path,
        &patch(json!([
            { "op": "add", "path": "doors", "value": [{ "value": "Lab 1", "type": "lab" }, { "value": "Main" }] },
            { "op": "replace", "path": format!("{PRINT}:copies"), "value": 2 },
            { "op": "replace", "path": "doors[type eq \"lab\"].primary", "value": true },
        ])),
    );
    assert_eq!(patched.expect(200).json[PRINT]["copies"], 2);
    assert_eq!(patched.json["doors"][0]["primary"], true);
    scim.patch(
        &path,
        &patch(json!([{ "op": "remove", "path": "displayName" }])),
    )
    .scim_failure(400);
    scim.patch(
        &path,
        &patch(json!([{ "op": "replace", "path": "nothing", "value": 1 }])),
    )
    .scim_failure(400);
    let projected = scim.get(&format!("{path}?attributes=serial,doors.value"));
    assert_eq!(projected.keys(), ["doors", "id", "schemas", "serial"]);
    let without = scim.get(&format!("{path}?excludedAttributes=doors,{PRINT}"));
    assert!(without.json.get("doors").is_none() && without.json.get(PRINT).is_none());

    scim.with_header("If-Match", "W/\"1\"")
        .delete(&path)
        .scim_failure(412);
    scim.delete(&path).expect(204);
    for gone in [
        scim.get(&path),
        scim.delete(&path),
        scim.put(&path, &badge("S-1", json!({}))),
    ] {
        gone.scim_failure(404);
    }
    // counted, not only not shown
    for page in ["/Badges", "/Badges?count=0"] {
        assert_eq!(scim.get(page).json["totalResults"], 0, "{page}");
    }
    scim.post("/Badges", &badge("S-1", json!({}))).expect(201);
    assert_eq!(scim.get("/Badges?count=0").json["totalResults"], 1);
    app.check();
}

/// What a badge is found and ordered by follows every kind of change.
#[test]
fn a_badge_is_found_by_what_it_has_now() {
    let app = app();
    let scim = app.scim();
    let path = |serial: &str, external: &str| {
        let more = json!({ "externalId": external, "enabled": true, PRINT: { "copies": 1 } });
        let made = scim.post("/Badges", &badge(serial, more));
        format!("/Badges/{}", made.expect(201).id())
    };
    let (one, two) = (path("S-1", "e1"), path("S-2", "e2"));
    let found = |filter: &str| labels(&scim.get(&format!("/Badges?filter={filter}")));
    let by = |sort: &str| labels(&scim.get(&format!("/Badges?sortBy={sort}")));
    let change = |path: &str, at: &str, value: Value| {
        let operation = json!({ "op": "replace", "path": at, "value": value });
        scim.patch(path, &patch(json!([operation])))
            .expect(200)
            .etag()
    };
    assert_eq!(by("externalId"), ["S-1", "S-2"]);
    change(&one, "externalId", json!("e9"));
    assert_eq!(by("externalId"), ["S-2", "S-1"]);
    assert_eq!(found("externalId eq \"e9\""), ["S-1"]);
    assert!(found("externalId eq \"e1\"").is_empty());
    change(&two, "enabled", json!(false));
    assert_eq!(found("enabled eq true"), ["S-1"]);
    change(&two, &format!("{PRINT}:copies"), json!(12));
    assert_eq!(found("copies gt 1"), ["S-2"]);
    assert_eq!(by("copies"), ["S-1", "S-2"]);
    let bare = badge("S-2", json!({ "externalId": "e0" }));
    scim.put(&two, &bare).expect(200);
    assert!(found("copies gt 1").is_empty() && found("enabled eq false").is_empty());
    assert_eq!(found("externalId eq \"e0\""), ["S-2"]);
    assert_eq!(by("externalId"), ["S-2", "S-1"]);
    // If-None-Match of another version, and the version before
    let tag = scim.get(&two).etag();
    scim.with_header("If-Match", &tag)
        .put(&two, &bare)
        .expect(200);
    assert_eq!(scim.get(&two).etag(), tag, "the same again is no change");
    app.check();
}

/// P-*, K-*, A-*: pages by index and by cursor, projections, back and forth, as for users.
#[test]
fn badges_come_page_by_page() {
    use super::cursor::{cursor, ids, sizes, walk};
    let app = app();
    let scim = app.scim();
    let mut made: Vec<String> = (0..7)
        .map(|n| {
            let more = json!({ "enabled": n % 2 == 0, PRINT: { "copies": n % 3 } });
            let made = scim.post("/Badges", &badge(&format!("S-{n}"), more));
            made.expect(201).id()
        })
        .collect();
    made.sort();
    for query in [
        "",
        "&sortBy=serial&sortOrder=descending",
        "&sortBy=copies",
        "&sortBy=externalId",
        "&filter=copies ge 0",
        "&filter=enabled eq true or copies gt 0&sortBy=copies",
    ] {
        let whole = scim
            .get(&format!("/Badges?x=1{query}"))
            .expect(200)
            .names("id");
        let mut by_index = Vec::new();
        for start in [1, 4, 7] {
            let page = scim.get(&format!("/Badges?startIndex={start}&count=3{query}"));
            assert_eq!(page.expect(200).json["totalResults"], whole.len());
            by_index.extend(page.names("id"));
        }
        assert_eq!(by_index, whole, "{query}");
        let there = walk(&scim, "/Badges", &format!("count=3{query}"));
        assert_eq!(ids(&there), whole, "{query}");
        let previous = cursor(&there[1], "previousCursor").expect("a way back");
        let back = scim.get(&format!("/Badges?count=3&cursor={previous}{query}"));
        assert_eq!(back.expect(200).names("id"), whole[..3], "{query}");
    }
    let pages = walk(&scim, "/Badges", "count=3&attributes=serial");
    assert_eq!(sizes(&pages), [3, 3, 1]);
    let mut seen = ids(&pages);
    seen.sort();
    assert_eq!(seen, made);
    let shown = &pages[0].json["Resources"][0];
    assert_eq!(
        shown.as_object().map(|one| one.len()),
        Some(3),
        "schemas, id and serial: {shown}"
    );
    // a cursor of one type is none of another
    let next = cursor(&pages[0], "nextCursor").expect("a next page");
    scim.get(&format!("/Users?count=3&attributes=serial&cursor={next}"))
        .scim_error("invalidCursor");
}

/// AU-08: what a client may not write or read of a type nobody has built in.
#[test]
fn rights_hold_for_badges_too() {
    let app = app();
    let all = json!(["displayName", "serial"].map(|name| format!("{BADGE}:{name}")));
    let body = json!({ "name": "Gate", "idp": "generic", "attributes": { "readable": all, "writable": all } });
    app.api().post("/connections", &body).expect(201);
    let gate = app.client("/scim/v2", Some(&app.token("scim", None, Some("Gate"))));
    let more = json!({ "enabled": true, PRINT: { "copies": 4 } });
    let refused = gate.post("/Badges", &badge("S-0", more.clone()));
    refused.scim_failure(403);
    assert!(refused.text.contains("enabled"), "{refused:?}");
    let id = app
        .scim()
        .post("/Badges", &badge("S-1", more))
        .expect(201)
        .id();
    let path = format!("/Badges/{id}");
    let whole = app.scim().get(&path);
    let read = gate.get(&path);
    assert_eq!(
        read.expect(200).keys(),
        ["displayName", "id", "meta", "schemas", "serial"]
    );
    assert!(labels(&gate.get("/Badges?filter=enabled eq true")).is_empty());
    for attribute in ["enabled".to_owned(), format!("{PRINT}:copies")] {
        let operation = json!({ "op": "remove", "path": attribute });
        gate.patch(&path, &patch(json!([operation])))
            .scim_failure(403);
    }
    assert_eq!(app.scim().get(&path).json, whole.json);
    let renamed = json!([{ "op": "replace", "path": "displayName", "value": "Side door" }]);
    gate.patch(&path, &patch(renamed)).expect(200);
    gate.put(&path, &gate.get(&path).json).expect(200);
    assert_eq!(app.scim().get(&path).json["enabled"], true);
}

/// What is wrong is refused as for users, naming the attribute.
#[test]
fn a_wrong_badge_is_refused_and_nothing_is_kept() {
    let app = app();
    let scim = app.scim();
    for (body, keyword) in [
        (json!({ "schemas": [BADGE], "serial": "S" }), "invalidValue"),
        (
            json!({ "schemas": [BADGE], "displayName": "x" }),
            "invalidValue",
        ),
        (
            json!({ "schemas": [USER], "displayName": "x", "serial": "S" }),
            "invalidValue",
        ),
        (badge("S", json!({ "enabled": 1 })), "invalidValue"),
        (
            badge(
                "S",
                json!({ "doors": [{ "value": "a", "primary": true }, { "value": "b", "primary": true }] }),
            ),
            "invalidValue",
        ),
        (badge(&"x".repeat(600), json!({})), "invalidValue"),
        (json!([]), "invalidSyntax"),
    ] {
        scim.post("/Badges", &body).scim_error(keyword);
    }
    assert_eq!(scim.get("/Badges").json["totalResults"], 0);
    let id = app.user("ada");
    scim.get(&format!("/Badges/{id}")).scim_failure(404);
    scim.delete(&format!("/Badges/{id}")).scim_failure(404);
    let made = scim
        .post("/Badges", &badge("S", json!({})))
        .expect(201)
        .id();
    scim.get(&format!("/Users/{made}")).scim_failure(404);
    let (other, _) = app.other_tenant();
    other.get(&format!("/Badges/{made}")).scim_failure(404);
    other
        .patch(
            &format!("/Badges/{made}"),
            &patch(json!([{ "op": "replace", "path": "enabled", "value": true }])),
        )
        .scim_failure(404);
    assert_eq!(other.get("/Badges").json["totalResults"], 0);
    let reader = app.client(
        "/scim/v2",
        Some(&app.token("scim", Some("scim:read"), None)),
    );
    reader.get("/Badges").expect(200);
    reader
        .post("/Badges", &badge("T", json!({})))
        .scim_failure(403);
    for (method, path) in [
        ("DELETE", "/Badges"),
        ("PUT", "/Badges"),
        ("POST", "/Badges/x"),
        ("GET", "/Badges/.search"),
    ] {
        let refused = scim.send(method, path, None);
        refused.scim_failure(405);
        assert!(!refused.header("allow").is_empty());
    }
}

fn labels(reply: &Reply) -> Vec<String> {
    reply.expect(200).names("serial")
}

/// Lists, `.search`, the root.
#[test]
fn badges_are_listed_searched_sorted_and_found_from_the_root() {
    let app = app();
    let scim = app.scim();
    let holder = app.user("ada");
    for (n, serial) in ["b-3", "A-1", "c-2"].into_iter().enumerate() {
        app.clock.advance_millis(1000);
        let more = json!({ "enabled": n == 1, "holder": { "value": holder, "$ref": format!("../Users/{holder}") }, "externalId": format!("e{n}"),
            PRINT: { "copies": n }, "doors": [{ "value": format!("Door {n}"), "type": "lab" }] });
        scim.post("/Badges", &badge(serial, more)).expect(201);
    }
    assert_eq!(labels(&scim.get("/Badges")), ["b-3", "A-1", "c-2"]);
    for (query, expected) in [
        ("filter=serial eq \"a-1\"", vec!["A-1"]),
        ("filter=serial eq \"A-1\" and enabled eq true", vec!["A-1"]),
        ("filter=enabled eq false", vec!["b-3", "c-2"]),
        ("filter=externalId eq \"e2\"", vec!["c-2"]),
        ("filter=externalId eq \"E2\"", vec![]),
        ("filter=copies ge 1", vec!["A-1", "c-2"]),
        (
            "filter=doors[type eq \"lab\" and value eq \"door 0\"]",
            vec!["b-3"],
        ),
        ("filter=doors.value co \"2\"", vec!["c-2"]),
        (
            "filter=meta.created gt \"2026-03-02T09:00:01Z\"",
            vec!["A-1", "c-2"],
        ),
        (
            "filter=displayName sw \"badge\"&sortBy=serial",
            vec!["A-1", "b-3", "c-2"],
        ),
        (
            "sortBy=serial&sortOrder=descending",
            vec!["c-2", "b-3", "A-1"],
        ),
        (
            "sortBy=externalId&sortOrder=descending",
            vec!["c-2", "A-1", "b-3"],
        ),
        (
            "sortBy=meta.lastModified&sortOrder=descending&count=1",
            vec!["c-2"],
        ),
        ("startIndex=2&count=1", vec!["A-1"]),
    ] {
        assert_eq!(
            labels(&scim.get(&format!("/Badges?{query}"))),
            expected,
            "{query}"
        );
    }
    let by_holder = scim.get(&format!(
        "/Badges?filter=holder.value eq \"{holder}\"&count=0"
    ));
    assert_eq!(by_holder.json["totalResults"], 3);
    let counted = scim.get("/Badges?count=1");
    assert_eq!(
        (&counted.json["totalResults"], &counted.json["itemsPerPage"]),
        (&json!(3), &json!(1))
    );
    scim.get("/Badges?filter=userName eq \"x\"")
        .scim_error("invalidFilter");
    let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "copies gt 0", "attributes": ["serial"], "sortBy": "serial" });
    let posted = scim.post("/Badges/.search", &search);
    assert_eq!(labels(&posted), ["A-1", "c-2"]);
    assert!(posted.json["Resources"][0].get("displayName").is_none());

    let all = scim.get("/?filter=meta.resourceType eq \"Badge\"");
    assert_eq!(labels(&all).len(), 3);
    let mixed = scim.get("/?filter=displayName sw \"Badge\" or userName eq \"ada\"");
    assert_eq!(mixed.expect(200).json["totalResults"], 4);
    let root = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "startIndex": 2, "count": 2 });
    let page = scim.post("/.search", &root);
    assert_eq!(page.expect(200).names("serial"), ["b-3", "A-1"]);
    assert_eq!(page.json["totalResults"], 4);
}

/// One row of the log per write, with a label an admin knows.
#[test]
fn writes_of_badges_are_in_the_sync_log() {
    let app = app();
    let scim = app.scim();
    let id = scim
        .post("/Badges", &badge("S-1", json!({ "secret": "hush-hush" })))
        .expect(201)
        .id();
    scim.post("/Badges", &badge("s-1", json!({})))
        .scim_error("uniqueness");
    let path = format!("/Badges/{id}");
    scim.patch(
        &path,
        &patch(json!([{ "op": "add", "path": "enabled", "value": true }])),
    )
    .expect(200);
    scim.patch(
        &path,
        &patch(json!([{ "op": "add", "path": "enabled", "value": true }])),
    )
    .expect(200);
    scim.delete(&path).expect(204);
    app.logged("the clash", |row| row["http_status"] == 409);
    let rows = crate::harness::build::writes_in_log(&app.api());
    let told: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| {
            (
                row["operation"].as_str().unwrap_or_default(),
                row["outcome"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("create", "success"),
            ("create", "rejected"),
            ("patch", "success"),
            ("patch", "no_op"),
            ("delete", "success")
        ]
    );
    assert!(
        rows.iter().all(|row| row["resource_type"] == "Badge"),
        "{rows:?}"
    );
    assert!(
        rows.iter()
            .all(|row| row["outcome"] == "rejected" || row["resource_label"] == "Badge S-1"),
        "{rows:?}"
    );
    assert!(!json!(rows).to_string().contains("hush-hush"));
}

/// Badges in Bulk, with references from and to them.
#[test]
fn badges_take_part_in_bulk() {
    let app = app();
    let scim = app.scim();
    let data = badge("S-1", json!({ "holder": { "value": "bulkId:u" } }));
    let operations = json!([
        { "method": "POST", "path": "/Badges", "bulkId": "b", "data": data },
        { "method": "POST", "path": "/Users", "bulkId": "u", "data": { "schemas": [USER], "userName": "ada" } },
        { "method": "PATCH", "path": "/Badges/bulkId:b", "data": { "Operations": [{ "op": "replace", "path": "enabled", "value": true }] } },
        { "method": "POST", "path": "/Badges", "bulkId": "c", "data": badge("s-1", json!({})) },
        { "method": "DELETE", "path": "/Badges/nobody" },
    ]);
    let reply = scim.post("/Bulk", &json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations }));
    let results = reply.expect(200).json["Operations"].clone();
    let statuses: Vec<&str> = results
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["status"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(statuses, ["201", "201", "200", "409", "404"], "{reply:?}");
    let user = results[1]["location"]
        .as_str()
        .unwrap_or_default()
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let badges = scim.get("/Badges");
    assert_eq!(badges.json["totalResults"], 1);
    assert_eq!(badges.json["Resources"][0]["holder"]["value"], user);
    assert_eq!(badges.json["Resources"][0]["enabled"], true);
    assert_eq!(
        results[2]["version"],
        badges.json["Resources"][0]["meta"]["version"]
    );
}
