//! The rows of §21 that `bulk.rs` leaves: shapes, paths, methods, references everywhere, and that a bulk request is the
//! same as its operations sent one by one.

use super::bulk::{bulk, id, post_group, post_report, post_user, results, send, statuses};
use crate::harness::{ENT, TestApp, USER, Value, json, patch, user};

/// B-02, B-14, B-32: what is wrong with the message refuses it whole; no operations are no mistake.
#[test]
fn a_message_of_the_wrong_shape_does_nothing() {
    let app = TestApp::new();
    let scim = app.scim();
    let good = post_user("a", "a");
    for (body, keyword) in [
        (
            json!({ "schemas": [USER], "Operations": [good] }),
            "invalidSyntax",
        ),
        (
            json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"] }),
            "invalidSyntax",
        ),
        (bulk(json!({ "0": good })), "invalidSyntax"),
        (bulk(json!([good, 7])), "invalidSyntax"),
        (bulk(json!([good, { "path": "/Users" }])), "invalidSyntax"),
        (json!([good]), "invalidSyntax"),
    ] {
        scim.post("/Bulk", &body).scim_error(keyword);
    }
    for wrong in [json!(0), json!(-1), json!(1.5), json!("1"), json!(true)] {
        let mut body = bulk(json!([good]));
        body["failOnErrors"] = wrong;
        scim.post("/Bulk", &body).scim_error("invalidValue");
    }
    assert_eq!(scim.get("/Users").json["totalResults"], 0);
    let empty = scim.post("/Bulk", &bulk(json!([])));
    assert_eq!(empty.expect(200).json["Operations"], json!([]));
}

/// B-03, B-04, B-24: methods in any case, paths in every form that means the endpoint, nothing else.
#[test]
fn methods_and_paths_are_read_as_they_are_meant() {
    let app = TestApp::new();
    let scim = app.scim();
    let data = |name: &str| user(name);
    let base = app.scim_base();
    let at = |method: &str, path: &str, name: &str| json!({ "method": method, "path": path, "bulkId": name, "data": data(name) });
    let done = send(
        &scim,
        json!([
            at("post", "/Users", "a"),
            at("PoSt", "Users", "b"),
            at("POST", &format!("{base}/Users"), "c")
        ]),
    );
    assert_eq!(statuses(&done), ["201", "201", "201"]);
    assert!(done.iter().all(|one| one["method"] == "POST"));
    let one = id(&done[0]);
    let refused = send(
        &scim,
        json!([
            { "method": "GET", "path": format!("/Users/{one}") },
            { "method": "HEAD", "path": format!("/Users/{one}") },
            at("POST", &format!("/Users/{one}"), "d"),
            { "method": "DELETE", "path": "/Users" },
            { "method": "DELETE", "path": "/Pets/1" },
            { "method": "DELETE", "path": format!("https://elsewhere.test/scim/v2/Users/{one}") },
            at("POST", "/Bulk", "e"),
            at("POST", "/Users/.search", "f"),
            { "method": "PATCH", "path": "/Me", "data": {} },
            at("POST", "/Schemas", "g"),
            { "method": "DELETE", "path": "/ResourceTypes/User" },
            { "method": "DELETE", "path": "/ServiceProviderConfig" },
        ]),
    );
    assert_eq!(
        statuses(&refused),
        [
            "400", "400", "400", "400", "404", "404", "400", "400", "400", "400", "400", "400"
        ]
    );
    assert!(
        refused.iter().all(|one| one["response"]["schemas"]
            == json!(["urn:ietf:params:scim:api:messages:2.0:Error"]))
    );
    assert_eq!(scim.get("/Users").json["totalResults"], 3);
}

/// B-05, B-06: a POST needs a bulkId of its own; POST, PUT and PATCH need data.
#[test]
fn a_post_needs_a_bulk_id_and_every_write_its_data() {
    let app = TestApp::new();
    let scim = app.scim();
    let ada = app.user("ada");
    let path = format!("/Users/{ada}");
    let done = send(
        &scim,
        json!([
            { "method": "POST", "path": "/Users", "data": user("x") },
            { "method": "POST", "path": "/Users", "bulkId": "", "data": user("x") },
            { "method": "POST", "path": "/Users", "bulkId": "b" },
            { "method": "PUT", "path": path },
            { "method": "PATCH", "path": path, "data": null },
            { "method": "PATCH", "path": path, "data": [{ "op": "add", "path": "title", "value": "x" }] },
            { "method": "PUT", "path": path, "bulkId": "mine", "data": user("ada2") },
        ]),
    );
    assert_eq!(
        statuses(&done),
        ["400", "400", "400", "400", "400", "400", "200"]
    );
    assert_eq!(done[0]["response"]["scimType"], "invalidValue");
    assert_eq!(done[6]["bulkId"], "mine");
    scim.post(
        "/Bulk",
        &bulk(json!([post_user("a", "a"), post_user("a", "b")])),
    )
    .scim_error("invalidSyntax");
    assert_eq!(scim.get("/Users").names("userName"), ["ada2"]);
}

/// B-01, B-09, B-11, B-12: announced; everything possible is done, and told with method, status, location, version.
#[test]
fn results_tell_what_the_single_request_would() {
    let app = TestApp::new();
    let scim = app.scim();
    assert_eq!(
        scim.get("/ServiceProviderConfig").json["bulk"]["supported"],
        true
    );
    let bob = app.user("bob");
    let path = format!("/Users/{bob}");
    let done = send(
        &scim,
        json!([
            post_user("a", "ada"),
            post_user("b", "BOB"),
            { "method": "PUT", "path": path, "data": user("bob2") },
            { "method": "PATCH", "path": path, "data": patch(json!([{ "op": "replace", "path": "nothing", "value": 1 }])) },
            { "method": "DELETE", "path": path },
            { "method": "DELETE", "path": path },
        ]),
    );
    assert_eq!(statuses(&done), ["201", "409", "200", "400", "204", "404"]);
    for (at, keys) in [
        (0, vec!["bulkId", "location", "method", "status", "version"]),
        (1, vec!["bulkId", "method", "response", "status"]),
        (2, vec!["location", "method", "status", "version"]),
        (3, vec!["location", "method", "response", "status"]),
        (4, vec!["location", "method", "status"]),
        (5, vec!["location", "method", "response", "status"]),
    ] {
        let mut found: Vec<&str> = done[at]
            .as_object()
            .into_iter()
            .flat_map(|one| one.keys())
            .map(String::as_str)
            .collect();
        found.sort_unstable();
        assert_eq!(found, keys, "{}", done[at]);
    }
    assert_eq!(done[2]["location"], format!("{}{path}", app.scim_base()));
    assert_eq!(done[1]["response"]["scimType"], "uniqueness");
    assert_eq!(done[1]["response"]["status"], "409");
}

/// B-16, B-20: in nested values, in PATCH value paths and filters, behind a URI, in a manager; text stays text.
#[test]
fn references_are_resolved_wherever_ids_stand() {
    let app = TestApp::new();
    let scim = app.scim();
    let done = send(
        &scim,
        json!([
            post_group("g", "Ops", "bulkId:u"),
            post_user("u", "u"),
            post_user("v", "v"),
            post_report("r", "r", "bulkId:u"),
            { "method": "PATCH", "path": "/Groups/bulkId:g", "data": { "Operations": [
                { "op": "add", "path": "members", "value": [{ "value": "bulkId:v", "$ref": "../Users/bulkId:v" }, { "$ref": "../Users/bulkId:r" }] },
                { "op": "remove", "path": "members[value eq \"bulkId:u\"]" },
            ] } },
            { "method": "PATCH", "path": "/Users/bulkId:r", "data": { "Operations": [
                { "op": "replace", "path": format!("{ENT}:manager.value"), "value": "bulkId:v" },
                { "op": "replace", "value": { "title": "bulkId:v" } },
            ] } },
            { "method": "PATCH", "path": "/Groups/bulkId:g", "data": { "Operations": [
                { "op": "add", "path": "members", "value": [{ "value": "bulkId:nobody" }] },
            ] } },
        ]),
    );
    assert_eq!(
        statuses(&done),
        ["201", "201", "201", "201", "204", "200", "400"]
    );
    let group = scim.get(&format!("/Groups/{}", id(&done[0])));
    assert_eq!(group.members(), [id(&done[2]), id(&done[3])]);
    let report = scim.get(&format!("/Users/{}", id(&done[3])));
    assert_eq!(report.json[ENT]["manager"]["value"], id(&done[2]));
    assert_eq!(report.json["title"], "bulkId:v");
}

/// B-25: an operation that fails has done nothing, not half; its neighbors hold.
#[test]
fn each_operation_is_done_whole_or_not_at_all() {
    let app = TestApp::new();
    let scim = app.scim();
    let (ada, group) = (app.user("ada"), app.group("Ops", &[]));
    let half = patch(json!([
        { "op": "add", "path": "members", "value": [{ "value": ada }] },
        { "op": "replace", "path": "displayName", "value": "" },
    ]));
    let done = send(
        &scim,
        json!([
            post_user("x", "x"),
            { "method": "PATCH", "path": format!("/Groups/{group}"), "data": half },
            post_user("y", "y"),
        ]),
    );
    assert_eq!(statuses(&done), ["201", "400", "201"]);
    let after = scim.get(&format!("/Groups/{group}"));
    assert!(
        after.members().is_empty() && after.json["displayName"] == "Ops",
        "{after:?}"
    );
    assert_eq!(after.etag(), "W/\"1\"");
}

/// What ids and times are differs between two servers; everything else must not.
fn leveled(value: &Value, ids: &[String]) -> String {
    let mut text = value.to_string();
    for (at, id) in ids.iter().enumerate() {
        text = text.replace(id.as_str(), &format!("<{at}>"));
    }
    text
}

/// B-15, TS-03: a bulk request leaves the same rows and answers the same as its operations sent singly.
#[test]
fn a_bulk_request_is_its_operations_sent_singly() {
    let (bulked, single) = (TestApp::new(), TestApp::new());
    let seed = |app: &TestApp| {
        let users = app.users(3);
        let group = app.group("Ops", &[&users[0]]);
        (users, group)
    };
    let operations = |users: &[String], group: &str| -> Vec<Value> {
        vec![
            json!({ "method": "POST", "path": "/Users", "bulkId": "n", "data": { "schemas": [USER], "userName": "new", "active": "False", "emails": [{ "value": "n@x.test", "primary": true }] } }),
            post_user("taken", "LEARNER1@acme.test"),
            json!({ "method": "POST", "path": "/Users", "bulkId": "bad", "data": { "schemas": [USER] } }),
            json!({ "method": "PUT", "path": format!("/Users/{}", users[0]), "data": { "schemas": [USER], "userName": "renamed", "title": "Dr" } }),
            json!({ "method": "PATCH", "path": format!("/Users/{}", users[1]), "data": patch(json!([{ "op": "replace", "path": "active", "value": false }])) }),
            json!({ "method": "PATCH", "path": format!("/Users/{}", users[1]), "version": "W/\"1\"", "data": patch(json!([{ "op": "replace", "path": "title", "value": "x" }])) }),
            json!({ "method": "PATCH", "path": format!("/Groups/{group}"), "data": patch(json!([{ "op": "add", "path": "members", "value": [{ "value": users[2] }] }])) }),
            json!({ "method": "PATCH", "path": format!("/Groups/{group}"), "data": patch(json!([{ "op": "add", "path": "members", "value": [{ "value": users[2] }] }])) }),
            json!({ "method": "PATCH", "path": format!("/Users/{}", users[2]), "data": patch(json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "x@x.test" }])) }),
            json!({ "method": "DELETE", "path": format!("/Users/{}", users[0]) }),
            json!({ "method": "DELETE", "path": format!("/Users/{}", users[0]) }),
            json!({ "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "schemas": [crate::harness::GROUP], "displayName": "ops" } }),
            // nobody is there, and the path is nonsense: the first is said first
            json!({ "method": "PATCH", "path": "/Users/nobody", "data": patch(json!([{ "op": "replace", "path": "nothing", "value": "x" }])) }),
            json!({ "method": "PATCH", "path": "/Users/nobody", "data": { "Operations": [] } }),
        ]
    };
    let state = |app: &TestApp, users: &[String], group: &str| -> (String, String) {
        let users_now = app.scim().get("/Users?sortBy=userName");
        let mut ids = users.to_vec();
        ids.push(group.to_owned());
        for one in users_now.json["Resources"].as_array().into_iter().flatten() {
            let id = one["id"].as_str().unwrap_or_default().to_owned();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let groups = app.scim().get("/Groups?sortBy=displayName");
        ids.push(app.scim_base());
        (leveled(&users_now.json, &ids), leveled(&groups.json, &ids))
    };
    let (users, group) = seed(&bulked);
    let reply = bulked
        .scim()
        .post("/Bulk", &bulk(json!(operations(&users, &group))));
    let told = results(reply.expect(200));
    let after = state(&bulked, &users, &group);

    let (users, group) = seed(&single);
    let scim = single.scim();
    for (operation, result) in operations(&users, &group).iter().zip(&told) {
        let method = operation["method"].as_str().unwrap_or_default();
        let path = operation["path"].as_str().unwrap_or_default();
        let body = operation.get("data").map(Value::to_string);
        let client = match operation["version"].as_str() {
            Some(tag) => scim.with_header("If-Match", tag),
            None => scim.clone(),
        };
        let reply = client.send(method, path, body.as_deref().map(str::as_bytes));
        assert_eq!(
            reply.status.to_string(),
            result["status"].as_str().unwrap_or_default(),
            "{operation}\n{reply:?}"
        );
        if reply.status >= 400 {
            assert_eq!(
                reply.json["scimType"], result["response"]["scimType"],
                "{operation}"
            );
            assert_eq!(reply.json["status"], result["response"]["status"]);
        } else {
            assert_eq!(
                reply.header("etag"),
                result["version"].as_str().unwrap_or_default(),
                "{operation}\n{reply:?}"
            );
        }
    }
    assert_eq!(state(&single, &users, &group), after);
    let outcomes = |app: &TestApp| -> Vec<String> {
        let rows = crate::harness::build::rows(&app.api(), "/sync/requests");
        let mut told: Vec<String> = rows
            .iter()
            .filter(|row| {
                row["operation"] != "read"
                    && row["operation"] != "probe"
                    && row["outcome"] != "rejected"
            })
            .map(|row| {
                format!(
                    "{} {} {}",
                    row["operation"], row["outcome"], row["http_status"]
                )
            })
            .collect();
        told.sort();
        told
    };
    assert_eq!(outcomes(&bulked), outcomes(&single));
}
