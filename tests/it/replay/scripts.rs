//! Scripts and the regression list. Interop notes §11, §13, §19: what people type, and what other servers got wrong.

use crate::harness::{ENT, GROUP, TestApp, USER, Value, add_members, group, json, patch, user};

#[test]
fn what_people_type_into_curl_is_understood() {
    let app = TestApp::new();
    let scim = app.scim();
    app.users(3);
    let list = |query: &str| {
        scim.get(&format!("/Users?{query}"))
            .expect(200)
            .json
            .clone()
    };
    assert_eq!(
        list("filter=userName Eq \"learner2@acme.test\"")["totalResults"],
        1
    );
    assert_eq!(
        list("filter=userName%20eq%20%22learner2%40acme.test%22&")["totalResults"],
        1
    );
    for (query, start, shown) in [
        ("count=1000", 1, 3),
        ("count=0", 1, 0),
        ("startIndex=0", 1, 3),
        ("startIndex=-7", 1, 3),
        ("count=-1", 1, 0),
        ("count=99999", 1, 3),
    ] {
        let page = list(query);
        assert_eq!(
            (
                &page["totalResults"],
                &page["startIndex"],
                &page["itemsPerPage"]
            ),
            (&json!(3), &json!(start), &json!(shown)),
            "{query}"
        );
        assert!(page["Resources"].is_array());
    }
    let form = scim.with_header("Content-Type", "application/x-www-form-urlencoded");
    form.get("/Users").expect(200);
    let shaped = list(&format!(
        "attributes=userName,emails.value,{ENT}:department"
    ));
    assert!(
        shaped["Resources"][0].get("active").is_none() && shaped["Resources"][0]["id"].is_string()
    );
    assert!(list("excludedAttributes=id,emails,name.familyName")["Resources"][0]["id"].is_string());
    for accept in [
        "text/html",
        "application/json",
        "*/*",
        "application/scim+json",
        "",
    ] {
        let reply = scim.with_header("Accept", accept).get("/Users");
        assert_eq!(
            reply.expect(200).header("content-type"),
            "application/scim+json",
            "{accept}"
        );
    }
    for body in ["", "[]", "null", "{", "\"x\"", "7"] {
        scim.send("POST", "/Users", Some(body.as_bytes()))
            .scim_error("invalidSyntax");
    }
    scim.get("/Users?count=many").scim_error("invalidValue");
    for (method, path) in [
        ("DELETE", "/Users"),
        ("PUT", "/Users"),
        ("PATCH", "/Groups"),
        ("POST", "/Schemas"),
    ] {
        scim.send(method, path, Some(b"{}")).scim_failure(405);
    }
    assert_eq!(scim.get("/Users").json["totalResults"], 3);
}

#[test]
fn names_with_signs_are_found_as_they_are() {
    let app = TestApp::new();
    let scim = app.scim();
    for name in [
        "o'malley@acme.test",
        "a+b@acme.test",
        "x#y@acme.test",
        "r&d@acme.test",
        "a=b@acme.test",
        "50%@acme.test",
        "m\u{fc}ller@acme.test",
        "ada_acme.test#EXT#@tenant.test",
        "quo\"te@acme.test",
        "back\\slash@acme.test",
    ] {
        let id = scim.post("/Users", &user(name)).expect(201).id();
        let encoded: String = format!("userName eq {}", json!(name))
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
        assert_eq!(
            scim.get(&format!("/Users?filter={encoded}"))
                .expect(200)
                .names("id"),
            [id],
            "{name}"
        );
    }
}

// the regression list, line by line: each was seen in a real server
#[test]
fn members_come_and_go_one_by_one() {
    let app = TestApp::new();
    let scim = app.scim();
    let people = app.users(4);
    let ids: Vec<&str> = people.iter().map(String::as_str).collect();
    let path = format!("/Groups/{}", app.group("Crew", &ids[..2]));
    let run = |operation: Value| scim.patch(&path, &patch(json!([operation])));
    run(add_members(&ids[2..])).expect(204);
    assert_eq!(scim.get(&path).members().len(), 4, "add does not replace");
    run(json!({ "op": "remove", "path": "members", "value": [{ "value": ids[0] }, { "value": ids[1] }] })).expect(204);
    assert_eq!(
        scim.get(&path).members().len(),
        2,
        "not all, and not only the first"
    );
    run(add_members(&[ids[2], ids[2]])).expect(204);
    assert_eq!(scim.get(&path).members().len(), 2, "nobody twice");
    run(json!({ "op": "replace", "path": "displayName", "value": "Night crew" })).expect(204);
    assert_eq!(
        scim.get(&path).members().len(),
        2,
        "a PATCH without members keeps them"
    );
    let unknown = run(add_members(&["0199a2c4-0000-7000-8000-000000000000"]));
    unknown.scim_error("invalidValue");
    assert!(!unknown.text.contains(ids[2]), "good ids are not blamed");
    run(json!({ "op": "replace", "path": "members", "value": [] })).expect(204);
    assert!(scim.get(&path).members().is_empty());
    run(add_members(&ids)).expect(204);
    scim.delete(&format!("/Users/{}", ids[0])).expect(204);
    assert_eq!(
        scim.get(&path).members().len(),
        3,
        "a deleted user is in no group"
    );
}

#[test]
fn values_arrive_as_they_were_meant() {
    let app = TestApp::new();
    let scim = app.scim();
    let path = format!("/Users/{}", app.user("eve"));
    let run = |operation: Value| scim.patch(&path, &patch(json!([operation])));
    for (text, value) in [
        ("False", false),
        ("True", true),
        ("false", false),
        ("TRUE", true),
    ] {
        assert_eq!(
            run(json!({ "op": "Add", "path": "active", "value": text }))
                .expect(200)
                .json["active"],
            value,
            "{text}"
        );
    }
    for wrong in [json!("yes"), json!("0"), json!(1), json!("banana")] {
        run(json!({ "op": "replace", "path": "active", "value": wrong }))
            .scim_error("invalidValue");
    }
    let boss = app.user("boss");
    assert_eq!(
        run(json!({ "op": "Add", "path": "manager", "value": boss }))
            .expect(200)
            .json[ENT]["manager"]["value"],
        json!(boss)
    );
    run(json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "x@x.test" }))
        .scim_error("noTarget");
    run(json!({ "op": "copy", "path": "title", "value": "x" })).scim_error("invalidSyntax");
    let silent = scim.put(&path, &json!({ "schemas": [USER], "userName": "eve" }));
    assert_eq!(
        silent.expect(200).json["active"],
        true,
        "active missing is not deactivated"
    );
    for number in 0..30 {
        scim.post("/Groups", &group(&format!("Group {number}"), &[]))
            .expect(201);
    }
    assert_eq!(
        scim.get("/Groups").expect(200).json["Resources"]
            .as_array()
            .map(Vec::len),
        Some(30),
        "without startIndex too"
    );
    assert_eq!(
        scim.get("/Groups?filter=displayName eq \"Group 29\"")
            .expect(200)
            .json["totalResults"],
        1
    );
    let failure = scim.post("/Groups", &json!({ "schemas": [GROUP] }));
    failure.scim_error("invalidValue");
    assert_eq!(failure.json["status"], json!("400"));
    assert!(
        !failure.text.contains("serde") && !failure.text.contains("http"),
        "no words of a library: {failure:?}"
    );
}
