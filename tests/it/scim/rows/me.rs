//! `/Me`. Checklist §23; RFC 7644 §3.11.

use crate::harness::{Client, ENT, TestApp, USER, json, patch, user};

/// A person, their address, and a client with a token made for them.
fn person(app: &TestApp) -> (String, Client) {
    let body = json!({
        "schemas": [USER, ENT], "userName": "ada", "title": "Engineer", "roles": [{ "value": "staff" }], ENT: { "department": "Ops" },
    });
    let id = app.scim().post("/Users", &body).expect(201).id();
    let client = app.client("/scim/v2", Some(&app.token_for(&id)));
    (format!("/Users/{id}"), client)
}

#[test]
fn a_token_made_for_a_person_reads_them_at_me() {
    // ME-02, ME-03, ME-04: processed directly, the address is the permanent one
    let app = TestApp::new();
    let (path, me) = person(&app);
    let read = me.get("/Me");
    let same = app.scim().get(&path);
    assert_eq!(read.expect(200).json, same.json);
    assert_eq!(
        read.header("location"),
        format!("{}{path}", app.scim_base())
    );
    assert_eq!(read.json["meta"]["location"], read.header("location"));
    assert_eq!(read.etag(), same.etag());
    let narrow = me.get("/Me?attributes=userName");
    assert_eq!(narrow.expect(200).keys(), ["id", "schemas", "userName"]);
    me.with_header("If-None-Match", &read.etag())
        .get("/Me")
        .expect(304);
    let head = me.send("HEAD", "/Me", None);
    assert!(head.expect(200).text.is_empty());
    assert_eq!(head.etag(), read.etag());
}

#[test]
fn people_change_what_is_theirs_and_nothing_else() {
    // ME-05, AU-06: by PATCH and PUT; what stays as it is may be sent back
    let app = TestApp::new();
    let (path, me) = person(&app);
    let change = |name: &str, value: &str| {
        me.patch(
            "/Me",
            &patch(json!([{ "op": "replace", "path": name, "value": value }])),
        )
    };
    let changed = change("nickName", "Ad");
    assert_eq!(changed.expect(200).json["nickName"], "Ad");
    assert_eq!(
        changed.header("location"),
        format!("{}{path}", app.scim_base())
    );
    let mut whole = changed.json.clone();
    whole["timezone"] = json!("Europe/Oslo");
    let put = me.put("/Me", &whole);
    assert_eq!(put.expect(200).json["timezone"], "Europe/Oslo");
    let before = app.scim().get(&path).json;
    let department = format!("{ENT}:department");
    for name in ["title", "userName", "displayName", "active", &department] {
        let value = if name == "active" { "false" } else { "x" };
        let refused = change(name, value);
        refused.scim_failure(403);
        let named = if name == department { ENT } else { name };
        assert!(refused.text.contains(named), "{refused:?}");
    }
    let roles = json!([{ "op": "add", "path": "nickName", "value": "A" }, { "op": "add", "path": "roles", "value": [{ "value": "admin" }] }]);
    me.patch("/Me", &patch(roles)).scim_failure(403);
    whole["roles"] = json!([{ "value": "admin" }]);
    me.put("/Me", &whole).scim_failure(403);
    me.put("/Me", &user("ada")).scim_failure(403);
    me.delete("/Me").scim_failure(403);
    me.with_header("If-Match", "W/\"1\"")
        .patch(
            "/Me",
            &patch(json!([{ "op": "remove", "path": "nickName" }])),
        )
        .scim_failure(412);
    assert_eq!(app.scim().get(&path).json, before, "nothing of it happened");
}

#[test]
fn such_a_token_opens_nothing_else() {
    // ME-05, AU-06
    let app = TestApp::new();
    let (path, me) = person(&app);
    let other = format!("/Users/{}", app.user("bo"));
    for there in [&path, &other, "/Users", "/Groups", "/"] {
        me.get(there).scim_failure(403);
    }
    me.post("/Users", &user("new")).scim_failure(403);
    me.delete(&other).scim_failure(403);
    me.put(&path, &user("ada")).scim_failure(403);
}

#[test]
fn a_token_of_a_program_is_nobody_and_a_stranger_is_asked_for_a_token() {
    // ME-06: so is the token of somebody whose account has ended
    let app = TestApp::new();
    let (path, me) = person(&app);
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
        let body = user("x").to_string();
        let body = (method != "GET" && method != "HEAD").then_some(body.as_bytes());
        let nobody = app.scim().send(method, "/Me", body);
        assert_eq!(nobody.status, 404, "{nobody:?}");
        let stranger = app.client("/scim/v2", None).send(method, "/Me", body);
        assert_eq!(stranger.status, 401, "{stranger:?}");
    }
    app.scim().get("/Me").scim_failure(404);
    app.scim().delete(&path).expect(204);
    me.get("/Me").scim_failure(404);
}

#[test]
fn nobody_registers_at_me() {
    // ME-01, ME-07
    let app = TestApp::new();
    let (_, me) = person(&app);
    me.post("/Me", &user("new")).scim_failure(501);
    app.scim().post("/Me", &user("new")).scim_failure(501);
    assert_eq!(app.scim().get("/Users").json["totalResults"], 1);
}

#[test]
fn me_is_neither_searched_nor_part_of_a_bulk() {
    // ME-08
    let app = TestApp::new();
    let (_, me) = person(&app);
    let search = json!({ "schemas": [super::acme::SEARCH] });
    app.scim().post("/Me/.search", &search).scim_failure(404);
    me.post("/Me/.search", &search).scim_failure(404);
    me.get("/Me/x").scim_failure(404);
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{ "method": "PATCH", "path": "/Me", "data": patch(json!([{ "op": "add", "path": "nickName", "value": "x" }])) }],
    });
    let done = app.scim().post("/Bulk", &bulk);
    assert_eq!(
        done.expect(200).json["Operations"][0]["status"],
        "400",
        "{done:?}"
    );
    let options = me.send("OPTIONS", "/Me", None);
    assert!(options.expect(204).header("allow").contains("PATCH"));
    me.send("TRACE", "/Me", None).scim_failure(405);
}
