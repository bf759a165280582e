//! `attributes`, `excludedAttributes` and `returned`. Checklist §17.

use super::acme::{SEARCH, SHOWN, app};
use crate::harness::{Client, ENT, LEARNER_GROUP, Reply, TestApp, USER, Value, json, patch, user};
use crate::scim::people::people;

/// A user with a value of every kind of `returned`.
fn everything() -> Value {
    json!({
        "schemas": [USER, SHOWN], "userName": "eve", "title": "CTO",
        SHOWN: {
            "badgeCode": "B-7", "pin": "p1n-9173", "remark": "likes tea", "shift": "early",
            "locker": { "number": "12", "code": "c0de-5521", "note": "by the door", "color": "red" },
            "devices": [{ "value": "phone", "label": "work phone", "secret": "s3cret-8842" }],
        },
    })
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .map(|all| all.keys().map(String::as_str).collect())
        .unwrap_or_default();
    keys.sort_unstable();
    keys
}

// on every operation that returns a resource
#[test]
fn every_answer_with_a_resource_takes_the_shape_that_was_asked_for() {
    let app = TestApp::new();
    let scim = app.scim();
    let created = scim.post(
        "/Users?attributes=title",
        &json!({ "schemas": [USER], "userName": "eve", "title": "CTO" }),
    );
    assert_eq!(created.expect(201).keys(), ["id", "schemas", "title"]);
    let path = format!("/Users/{}", created.id());
    let body = json!({ "schemas": [USER], "userName": "eve", "title": "CEO" });
    assert_eq!(
        scim.put(&format!("{path}?attributes=title"), &body)
            .expect(200)
            .keys(),
        ["id", "schemas", "title"]
    );
    let change = patch(json!([{ "op": "replace", "path": "nickName", "value": "Evi" }]));
    let patched = scim.patch(
        &format!("{path}?excludedAttributes=title,id,schemas"),
        &change,
    );
    assert_eq!(
        patched.expect(200).keys(),
        ["active", "id", "meta", "nickName", "schemas", "userName"]
    );
    assert_eq!(
        scim.get(&format!("{path}?attributes=nickName"))
            .expect(200)
            .keys(),
        ["id", "nickName", "schemas"]
    );
    let list = scim.get("/Users?attributes=nickName");
    let found = scim.post(
        "/Users/.search",
        &json!({ "schemas": [SEARCH], "attributes": ["nickName"] }),
    );
    let root = scim.get("/?attributes=nickName");
    for page in [list, found, root] {
        assert_eq!(
            keys(&page.expect(200).json["Resources"][0]),
            ["id", "nickName", "schemas"]
        );
    }
    let group = scim.post(
        "/Groups?excludedAttributes=members,meta",
        &crate::harness::group("Ops", &[&created.id()]),
    );
    assert_eq!(group.expect(201).keys(), ["displayName", "id", "schemas"]);
}

//
#[test]
fn what_is_excluded_goes_and_the_rest_stays() {
    let p = people();
    let scim = p.app.scim();
    let get = |query: &str| {
        scim.get(&format!("/Users/{}?{query}", p.u1))
            .expect(200)
            .json
            .clone()
    };
    let whole = get("");
    let less = get("excludedAttributes=emails,name");
    assert!(less.get("emails").is_none() && less.get("name").is_none());
    assert_eq!(keys(&less).len() + 2, keys(&whole).len());
    let emails = get("excludedAttributes=emails.type,emails.primary");
    assert_eq!(
        emails["emails"],
        json!([{ "value": "ada@acme.test" }, { "value": "ada@home.test" }])
    );
    let hollow = get("excludedAttributes=name.givenName,name.familyName");
    assert!(
        hollow.get("name").is_none(),
        "an object left empty disappears: {hollow}"
    );
    // of elements, too, one by one; and the list with the last of them
    let mails = json!([{ "value": "a@x.test", "type": "work" }, { "value": "b@x.test" }]);
    let mut bo = user("bo");
    bo["emails"] = mails;
    let bo = scim.post("/Users", &bo).expect(201).id();
    let of_bo =
        |query: &str| scim.get(&format!("/Users/{bo}?{query}")).expect(200).json["emails"].clone();
    assert_eq!(
        of_bo("excludedAttributes=emails.value"),
        json!([{ "type": "work" }])
    );
    assert_eq!(
        of_bo("excludedAttributes=emails.value,emails.type"),
        Value::Null
    );
    assert_eq!(of_bo("attributes=emails.type"), json!([{ "type": "work" }]));
    assert_eq!(of_bo("attributes=emails.primary"), Value::Null);
    let without = get(&format!("excludedAttributes={ENT}"));
    assert!(without.get(ENT).is_none() && without["title"] == "Engineer");
    let part = get(&format!("excludedAttributes={ENT}:department"));
    assert_eq!(keys(&part[ENT]), ["employeeNumber", "manager"]);
    assert!(get("excludedAttributes=meta").get("meta").is_none());
    let meta = get("attributes=meta.lastModified,meta.version");
    assert_eq!(keys(&meta["meta"]), ["lastModified", "version"]);
    assert!(
        get("excludedAttributes=meta.location")["meta"]
            .get("location")
            .is_none()
    );
}

//
#[test]
fn names_are_read_as_people_write_them() {
    let p = people();
    let scim = p.app.scim();
    let get = |query: &str| scim.get(&format!("/Users/{}?{query}", p.u1));
    let ada = get("").expect(200).json.clone();
    let wanted = get(&format!(
        "attributes=USERNAME , {ENT}:department,{USER}:title"
    ));
    assert_eq!(
        wanted.expect(200).keys(),
        ["id", "schemas", "title", ENT, "userName"]
    );
    assert_eq!(wanted.json[ENT], json!({ "department": "Platform" }));
    assert_eq!(
        get("attributes=title&attributes=userName")
            .expect(200)
            .keys(),
        ["id", "schemas", "title", "userName"]
    );
    let parts = get("attributes=name.givenName,emails.value");
    assert_eq!(
        (&parts.json["name"], &parts.json["emails"]),
        (
            &json!({ "givenName": "Ada" }),
            &json!([{ "value": "ada@acme.test" }, { "value": "ada@home.test" }])
        )
    );
    for query in [
        "attributes=name",
        "attributes=name,name.givenName",
        "attributes=name.givenName,name",
    ] {
        assert_eq!(get(query).expect(200).json["name"], ada["name"], "{query}");
    }
    assert_eq!(
        get("attributes=nosuch").expect(200).keys(),
        ["id", "schemas"]
    );
    assert_eq!(
        get("attributes=name.nosuch").expect(200).keys(),
        ["id", "schemas"]
    );
    for malformed in [
        "attributes=1x",
        "attributes=a b",
        "attributes=emails[type",
        "excludedAttributes=a..b",
        "attributes=(x)",
        "attributes=a.b.c",
    ] {
        get(malformed).scim_error("invalidValue");
    }
    assert_eq!(
        get("attributes=emails[type eq \"work\"]").expect(200).json["emails"],
        ada["emails"]
    );
    for empty in [
        "attributes=",
        "excludedAttributes=",
        "attributes=&excludedAttributes=",
        "attributes=%20",
    ] {
        assert_eq!(get(empty).expect(200).json, ada, "{empty}");
    }
    assert_eq!(
        get("attributes=&excludedAttributes=title")
            .expect(200)
            .json
            .get("title"),
        None
    );
}

//
#[test]
fn both_at_once_is_refused_and_an_error_is_shown_whole() {
    let p = people();
    let scim = p.app.scim();
    let both = "attributes=userName&excludedAttributes=title";
    for path in [
        format!("/Users?{both}"),
        format!("/Users/{}?{both}", p.u1),
        format!("/?{both}"),
        format!("/Groups/{}?{both}", p.g1),
    ] {
        scim.get(&path).scim_error("invalidValue");
    }
    scim.post(&format!("/Users?{both}"), &user("eve"))
        .scim_error("invalidValue");
    scim.post(
        "/Users/.search",
        &json!({ "schemas": [SEARCH], "attributes": ["title"], "excludedAttributes": ["name"] }),
    )
    .scim_error("invalidValue");
    assert_eq!(scim.get("/Users").json["totalResults"], 4);
    let missing = scim.get("/Users/ghost?attributes=userName");
    missing.scim_failure(404);
    let taken = scim.post("/Users?attributes=id", &user("dave"));
    taken.scim_error("uniqueness");
    assert_eq!(taken.keys(), ["detail", "schemas", "scimType", "status"]);
}

// A-05, M-26, A-18: what is never returned is in no answer, whoever asks how
#[test]
fn what_is_never_returned_is_in_no_answer() {
    let app = app();
    let scim = app.scim();
    let clean = |reply: &Reply| {
        for secret in ["p1n-9173", "c0de-5521", "s3cret-8842", "pass-3310"] {
            assert!(!reply.text.contains(secret), "{secret}\n{reply:?}");
        }
    };
    let mut body = everything();
    body["password"] = json!("pass-3310");
    let created = scim.post("/Users", &body);
    clean(created.expect(201));
    let path = format!("/Users/{}", created.id());
    let queries = [
        "",
        "?attributes=password",
        &format!(
            "?attributes={SHOWN}:pin,{SHOWN}:locker,{SHOWN}:locker.code,{SHOWN}:devices.secret"
        ),
        &format!("?attributes={SHOWN}"),
        "?excludedAttributes=title",
    ];
    for query in queries {
        clean(scim.get(&format!("{path}{query}")).expect(200));
        clean(scim.get(&format!("/Users{query}")).expect(200));
        clean(scim.get(&format!("/{query}")).expect(200));
    }
    clean(scim.put(&path, &body).expect(200));
    let change = json!([{ "op": "replace", "path": format!("{SHOWN}:pin"), "value": "p1n-9173" }, { "op": "replace", "path": format!("{SHOWN}:locker.code"), "value": "c0de-5521" }, { "op": "replace", "value": { "password": "pass-3310", "title": "x" } }]);
    clean(
        scim.patch(&format!("{path}?attributes={SHOWN}:pin"), &patch(change))
            .expect(200),
    );
    let bulk = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [{ "method": "PUT", "path": path, "data": body }] });
    clean(scim.post("/Bulk", &bulk).expect(200));
    let mut wrong = body.clone();
    wrong["active"] = json!("perhaps");
    clean(&scim.put(&path, &wrong));
    for row in crate::harness::build::rows(&app.api(), "/sync/requests") {
        assert!(!row.to_string().contains("pass-3310"), "{row}");
    }
}

// M-27: characteristics of sub-attributes count too
#[test]
fn a_sub_attribute_is_shown_as_its_own_definition_says() {
    let app = app();
    let scim = app.scim();
    let id = scim.post("/Users", &everything()).expect(201).id();
    let get =
        |query: &str| scim.get(&format!("/Users/{id}?{query}")).expect(200).json[SHOWN].clone();
    let plain = get("");
    assert_eq!(keys(&plain), ["badgeCode", "devices", "locker", "shift"]);
    assert_eq!(plain["locker"], json!({ "number": "12", "color": "red" }));
    assert_eq!(
        plain["devices"],
        json!([{ "value": "phone", "label": "work phone" }])
    );
    assert_eq!(
        get("attributes=title"),
        json!({ "badgeCode": "B-7" }),
        "always comes along"
    );
    assert_eq!(
        get(&format!("attributes={SHOWN}:locker.color"))["locker"],
        json!({ "number": "12", "color": "red" })
    );
    assert_eq!(
        get(&format!("attributes={SHOWN}:locker.note"))["locker"],
        json!({ "number": "12", "note": "by the door" })
    );
    assert_eq!(
        get(&format!(
            "excludedAttributes={SHOWN}:badgeCode,{SHOWN}:locker.number"
        ))["locker"],
        plain["locker"]
    );
    assert_eq!(
        get(&format!("excludedAttributes={SHOWN}:badgeCode"))["badgeCode"],
        "B-7"
    );
}

// M-28: returned on request, or when the request itself brought it
#[test]
fn what_is_returned_on_request_is_shown_to_who_asks_or_brings_it() {
    let app = app();
    let scim = app.scim();
    let created = scim.post("/Users", &everything());
    assert_eq!(created.expect(201).json[SHOWN]["remark"], "likes tea");
    assert_eq!(
        created.json[SHOWN]["locker"],
        json!({ "number": "12", "color": "red", "note": "by the door" })
    );
    let path = format!("/Users/{}", created.id());
    let get = |query: &str| scim.get(&format!("{path}{query}")).expect(200).json[SHOWN].clone();
    assert_eq!(get("").get("remark"), None);
    assert_eq!(
        get(&format!("?attributes={SHOWN}:remark"))["remark"],
        "likes tea"
    );
    let again = scim.put(&path, &everything());
    assert_eq!(again.expect(200).json[SHOWN]["remark"], "likes tea");
    let change = |path: &str, value: &str| {
        patch(json!([{ "op": "replace", "path": format!("{SHOWN}:{path}"), "value": value }]))
    };
    let patched = scim.patch(&path, &change("remark", "prefers coffee"));
    assert_eq!(patched.expect(200).json[SHOWN]["remark"], "prefers coffee");
    let other = scim.patch(&path, &change("shift", "late"));
    assert_eq!(other.expect(200).json[SHOWN].get("remark"), None);
    let narrow = scim.patch(
        &format!("{path}?attributes=title"),
        &change("remark", "water"),
    );
    assert_eq!(
        narrow.expect(200).json[SHOWN],
        json!({ "badgeCode": "B-7" })
    );
    let without = scim.patch(
        &format!("{path}?excludedAttributes={SHOWN}:remark"),
        &change("remark", "juice"),
    );
    assert_eq!(without.expect(200).json[SHOWN].get("remark"), None);
    let mut silent = everything();
    silent[SHOWN] = json!({ "shift": "early" });
    assert_eq!(
        scim.put(&path, &silent).expect(200).json[SHOWN].get("remark"),
        None
    );
}

//
#[test]
fn projection_changes_neither_schemas_nor_the_version() {
    let p = people();
    let scim = p.app.scim();
    for path in [format!("/Users/{}", p.u1), format!("/Groups/{}", p.g1)] {
        let whole = scim.get(&path);
        for query in [
            "attributes=displayName",
            "excludedAttributes=meta,emails",
            &format!("excludedAttributes={ENT},{LEARNER_GROUP}"),
            "attributes=nosuch",
        ] {
            let less = scim.get(&format!("{path}?{query}"));
            assert_eq!(less.expect(200).etag(), whole.etag(), "{query}");
            assert_eq!(less.json["schemas"], whole.json["schemas"], "{query}");
        }
        let version = scim.get(&format!("{path}?attributes=meta.version"));
        assert_eq!(version.json["meta"], json!({ "version": whole.etag() }));
    }
    assert_eq!(
        scim.get(&format!("/Users/{}", p.u1)).json["schemas"],
        json!([USER, ENT])
    );
}

// A-19, G-09: what is not shown is not read; a group of many members answers in constant size and changes stay cheap
#[test]
fn members_and_groups_are_left_out_where_nobody_asks_for_them() {
    let p = people();
    let scim = p.app.scim();
    let shows = |client: &Client, path: &str, name: &str| {
        client
            .get(path)
            .expect(200)
            .text
            .contains(&format!("\"{name}\":"))
    };
    for query in [
        "?excludedAttributes=members",
        "?attributes=displayName",
        "?attributes=id",
    ] {
        assert!(
            !shows(&scim, &format!("/Groups/{}{query}", p.g1), "members"),
            "{query}"
        );
        assert!(
            !shows(&scim, &format!("/Groups{query}"), "members"),
            "{query}"
        );
        assert!(!shows(&scim, &format!("/{query}"), "members"), "{query}");
    }
    assert!(!shows(
        &scim,
        &format!("/Users/{}?excludedAttributes=groups", p.u3),
        "groups"
    ));
    assert!(shows(&scim, &format!("/Users/{}", p.u3), "groups"));
    assert!(shows(
        &scim,
        &format!("/Groups/{}?attributes=members.value", p.g1),
        "members"
    ));
    // a filter on members does not bring them along
    let page = scim.get(&format!(
        "/Groups?filter=members eq \"{}\"&excludedAttributes=members",
        p.u3
    ));
    assert_eq!(page.expect(200).names("id"), [p.g1.as_str()]);
    assert!(!page.text.contains("\"members\""));
}
