//! What one connection may do with which attributes: read, write, name in a URL.

use crate::harness::build::rows;
use crate::harness::{Client, ENT, GROUP, TestApp, USER, Value, json, patch, user};

/// An app, and a client whose connection has these rights.
fn limited(attributes: &Value) -> (TestApp, Client) {
    limited_in(TestApp::new(), attributes)
}

fn limited_in(app: TestApp, attributes: &Value) -> (TestApp, Client) {
    let body = json!({ "name": "Lms", "idp": "generic", "attributes": attributes });
    let made = app.api().post("/connections", &body);
    assert_eq!(
        made.expect(201).json["attributes"]["writable"],
        attributes["writable"]
    );
    let scim = app.client("/scim/v2", Some(&app.token("scim", None, Some("Lms"))));
    (app, scim)
}

fn ada() -> Value {
    json!({
        "schemas": [USER, ENT], "userName": "ada", "externalId": "HR-1", "title": "Engineer", "nickName": "Ad",
        "emails": [{ "value": "ada@acme.test", "type": "work" }], ENT: { "department": "Ops", "costCenter": "7" },
    })
}

#[test]
fn what_a_client_may_not_read_is_absent_wherever_a_resource_is_shown() {
    // AU-06, AU-08, SE-11: GET, list, search, POST, PUT, PATCH; asked for by name or not
    let allowed = json!(["userName", "title", format!("{ENT}:department")]);
    let (app, scim) = limited(&json!({ "readable": allowed }));
    let whole = app.scim().post("/Users", &ada()).expect(201).json.clone();
    let path = format!("/Users/{}", whole["id"].as_str().expect("an id"));
    let seen = ["id", "meta", "schemas", "title", ENT, "userName"];
    let read = scim.get(&path);
    assert_eq!(read.expect(200).keys(), seen);
    assert_eq!(read.json[ENT], json!({ "department": "Ops" }));
    let named = scim.get(&format!(
        "{path}?attributes=title,emails,nickName,{ENT},groups"
    ));
    assert_eq!(named.expect(200).keys(), ["id", "schemas", "title", ENT]);
    assert_eq!(named.json[ENT], json!({ "department": "Ops" }));
    let except = scim.get(&format!("{path}?excludedAttributes=title"));
    assert_eq!(
        except.expect(200).keys(),
        ["id", "meta", "schemas", ENT, "userName"]
    );
    let listed = scim.get("/Users");
    assert_eq!(listed.expect(200).json["Resources"][0], read.json);
    let everything = scim.get("/");
    assert_eq!(everything.expect(200).json["Resources"][0], read.json);
    let search = json!({ "schemas": [super::rows::acme::SEARCH], "attributes": ["emails"] });
    let found = scim.post("/Users/.search", &search);
    assert!(!found.expect(200).text.contains("acme.test"), "{found:?}");
    let mut bo = ada();
    bo["userName"] = json!("bo");
    let made = scim.post("/Users", &bo);
    assert_eq!(made.expect(201).keys(), seen);
    let nick = patch(json!([{ "op": "replace", "path": "nickName", "value": "B" }]));
    let changed = scim.patch(&format!("/Users/{}", made.id()), &nick);
    assert_eq!(changed.expect(200).keys(), seen);
    assert_eq!(app.scim().get(&path).json, whole, "others see it all");
}

#[test]
fn what_a_client_may_not_read_filters_as_unassigned_and_orders_nothing() {
    // AU-08, F-54, S-09: no question tells what an answer would not
    let (app, scim) = limited(&json!({ "readable": ["userName"] }));
    app.scim().post("/Users", &ada()).expect(201);
    let matches = |filter: &str| {
        let found = scim.get(&format!("/Users?filter={filter}"));
        found.expect(200).json["totalResults"].clone()
    };
    for nothing in [
        "title pr",
        "title eq \"Engineer\"",
        "title gt \"A\"",
        "emails[type eq \"work\"]",
        "emails co \"acme\"",
        "externalId eq \"HR-1\"",
        "department eq \"Ops\"",
        "userName eq \"ada\" and title eq \"Engineer\"",
    ] {
        assert_eq!(matches(nothing), 0, "{nothing}");
    }
    for all in [
        "title ne \"Engineer\"",
        "title eq null",
        "not (title pr)",
        "not (emails[value co \"a\"])",
        "userName eq \"ada\" or title eq \"Engineer\"",
    ] {
        assert_eq!(matches(all), 1, "{all}");
    }
    let root = scim.get("/?filter=title eq \"Engineer\"");
    assert_eq!(root.expect(200).json["totalResults"], 0);
    scim.get("/Users?sortBy=title").scim_error("invalidValue");
    scim.get("/Users?sortBy=userName").expect(200);
    // K-16: a walk that began with other rights ends
    app.user("bo");
    let first = scim.get("/Users?cursor&count=1");
    let next = first.expect(200).json["nextCursor"].clone();
    let next = format!("/Users?count=1&cursor={}", next.as_str().expect("a cursor"));
    scim.get(&next).expect(200);
    let id = rows(&app.api(), "/connections")[0]["id"].clone();
    let path = format!("/connections/{}", id.as_str().expect("an id"));
    let more = json!({ "attributes": { "readable": ["userName", "title"] } });
    app.api().patch(&path, &more).expect(200);
    scim.get(&next).scim_error("invalidCursor");
}

#[test]
fn writing_what_a_client_may_not_write_is_refused_by_name_and_changes_nothing() {
    // AU-08, AU-06: POST, PUT, PATCH and Bulk; values that stay as they are may be sent along
    let writable = json!(["userName", "title", format!("{ENT}:department")]);
    let (app, scim) = limited(&json!({ "writable": writable }));
    scim.post("/Users", &ada()).scim_failure(403);
    let plain = json!({ "schemas": [USER], "userName": "eve", "title": "x" });
    assert_eq!(scim.post("/Users", &plain).expect(201).json["active"], true);
    let made = app.scim().post("/Users", &ada());
    let path = format!("/Users/{}", made.expect(201).id());
    for (attribute, value) in [
        ("nickName", json!("N")),
        ("active", json!(false)),
        ("emails", json!([{ "value": "x@x.test" }])),
        ("externalId", json!("HR-2")),
        ("costCenter", json!("8")),
    ] {
        let change = patch(json!([
            { "op": "replace", "path": "title", "value": "Boss" }, { "op": "replace", "path": attribute, "value": value },
        ]));
        let refused = scim.patch(&path, &change);
        refused.scim_failure(403);
        assert!(refused.text.contains(attribute), "{refused:?}");
        let data = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{ "method": "PATCH", "path": path, "data": change }] });
        let bulk = scim.post("/Bulk", &data);
        assert_eq!(
            bulk.expect(200).json["Operations"][0]["status"],
            "403",
            "{bulk:?}"
        );
    }
    assert_eq!(
        app.scim().get(&path).json,
        made.json,
        "nothing of it happened"
    );
    let mut whole = made.json.clone();
    whole["title"] = json!("Boss");
    whole[ENT]["department"] = json!("Lab");
    let put = scim.put(&path, &whole);
    assert_eq!(put.expect(200).json["title"], "Boss");
    assert_eq!(
        put.json[ENT],
        json!({ "department": "Lab", "costCenter": "7" })
    );
    whole["nickName"] = json!("N");
    scim.put(&path, &whole).scim_failure(403);
    // what it leaves out and may not write, stays
    let short = scim.put(&path, &json!({ "schemas": [USER], "userName": "ada" }));
    short.expect(200);
    assert_eq!(short.json["emails"], made.json["emails"]);
    assert_eq!(short.json[ENT], json!({ "costCenter": "7" }));
    assert!(short.json["title"].is_null(), "{short:?}");
    let blocked = patch(json!([{ "op": "remove", "path": "emails" }]));
    scim.patch(&path, &blocked).scim_failure(403);
}

#[test]
fn a_put_keeps_what_the_client_could_not_read() {
    // SE-11, R-13: what was read and is sent back changes nothing
    let (app, scim) = limited(&json!({ "readable": ["userName", "title"] }));
    let made = app.scim().post("/Users", &ada());
    let path = format!("/Users/{}", made.expect(201).id());
    let read = scim.get(&path);
    let put = scim.put(&path, &read.json);
    assert_eq!(put.expect(200).etag(), read.etag());
    assert_eq!(app.scim().get(&path).json, made.json);
}

#[test]
fn rights_tell_types_apart_and_members_are_an_attribute_too() {
    // AU-06, AU-08: `displayName` of groups is not `displayName` of users
    let writable = json!([USER, format!("{GROUP}:displayName")]);
    let rights =
        json!({ "readable": [USER, format!("{GROUP}:displayName")], "writable": writable });
    let (app, scim) = limited_in(TestApp::with_group_memberships(), &rights);
    let (u, v) = (app.user("u"), app.user("v"));
    let group = app.group("Ops", &[&u]);
    let path = format!("/Groups/{group}");
    let read = scim.get(&path);
    assert_eq!(
        read.expect(200).keys(),
        ["displayName", "id", "meta", "schemas"]
    );
    assert_eq!(
        scim.get("/Groups?filter=members pr").json["totalResults"],
        0
    );
    let rename = patch(json!([{ "op": "replace", "path": "displayName", "value": "Lab" }]));
    scim.patch(&path, &rename).expect(204);
    for change in [
        json!([{ "op": "add", "path": "members", "value": [{ "value": v }] }]),
        json!([{ "op": "remove", "path": format!("members[value eq \"{u}\"]") }]),
        json!([{ "op": "replace", "path": "members", "value": [] }]),
    ] {
        let refused = scim.patch(&path, &patch(change));
        refused.scim_failure(403);
        assert!(refused.text.contains("members"), "{refused:?}");
    }
    let there = json!([{ "op": "add", "path": "members", "value": [{ "value": u }] }]);
    scim.patch(&path, &patch(there)).expect(204);
    let join = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:GroupMembership"], "group": { "value": group },
        "member": { "value": v } });
    scim.post("/GroupMemberships", &join).scim_failure(403);
    let one = app.scim().get("/GroupMemberships").json["Resources"][0]["id"].clone();
    let one = format!("/GroupMemberships/{}", one.as_str().expect("an id"));
    scim.delete(&one).scim_failure(403);
    assert_eq!(app.scim().get(&path).members(), [u]);
    scim.post("/Users", &user("new")).expect(201);
}

#[test]
fn a_filter_on_what_is_confidential_does_not_go_through_a_url() {
    // 403 `sensitive`, which says where it does go
    let (app, scim) =
        limited(&json!({ "confidential": [format!("{ENT}:employeeNumber"), "emails"] }));
    app.scim().post("/Users", &ada()).expect(201);
    let filters = [
        "employeeNumber eq \"1001\"".to_owned(),
        format!("userName pr and not ({ENT}:employeeNumber pr)"),
        "EMAILS[type eq \"work\"]".to_owned(),
        "emails.value co \"acme\"".to_owned(),
    ];
    for filter in &filters {
        for path in ["/Users", "/"] {
            let refused = scim.get(&format!("{path}?filter={filter}"));
            refused.scim_failure(403);
            assert_eq!(refused.json["scimType"], "sensitive", "{refused:?}");
            assert!(refused.text.contains(".search"), "{refused:?}");
        }
        let search = json!({ "schemas": [super::rows::acme::SEARCH], "filter": filter });
        scim.post("/Users/.search", &search).expect(200);
        app.scim()
            .get(&format!("/Users?filter={filter}"))
            .expect(200);
    }
    scim.get("/Users?filter=userName eq \"ada\"").expect(200);
    scim.get("/Users?filter=emails eq")
        .scim_error("invalidFilter");
}

#[test]
fn rights_are_checked_when_they_are_set_and_count_at_once() {
    // AU-06: a name that means nothing is refused by its place; absent and empty mean everything
    let (app, scim) = limited(&json!({}));
    let id = rows(&app.api(), "/connections")[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/connections/{id}");
    for (attributes, pointer) in [
        (
            json!({ "readable": ["userName", "nosuch"] }),
            "/attributes/readable/1",
        ),
        (
            json!({ "writable": ["name.givenName"] }),
            "/attributes/writable/0",
        ),
        (
            json!({ "confidential": ["urn:nobody:1"] }),
            "/attributes/confidential/0",
        ),
        (json!({ "unreadable": [] }), "/attributes/unreadable"),
    ] {
        let refused = app.api().patch(&path, &json!({ "attributes": attributes }));
        assert!(refused.expect(422).text.contains(pointer), "{refused:?}");
    }
    let made = scim.post("/Users", &ada());
    assert_eq!(made.expect(201).json["title"], "Engineer");
    let at = format!("/Users/{}", made.id());
    app.api()
        .patch(&path, &json!({ "attributes": { "readable": [] } }))
        .expect(200);
    assert_eq!(scim.get(&at).keys(), ["id", "meta", "schemas"]);
    app.api()
        .patch(&path, &json!({ "name": "Lms 2" }))
        .expect(200);
    assert_eq!(scim.get(&at).keys(), ["id", "meta", "schemas"]);
    app.api()
        .patch(&path, &json!({ "attributes": {} }))
        .expect(200);
    assert_eq!(scim.get(&at).json, made.json);
}
