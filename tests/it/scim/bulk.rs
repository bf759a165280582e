//! Bulk: many operations in one request, each as the single request. RFC 7644 §3.7.

use super::people::people;
use crate::harness::{
    Client, ENT, GROUP, Reply, TestApp, USER, Value, add_members, json, patch, user,
};

const REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

pub(super) fn bulk(operations: Value) -> Value {
    json!({ "schemas": [REQUEST], "Operations": operations })
}

pub(super) fn send(scim: &Client, operations: Value) -> Vec<Value> {
    results(scim.post("/Bulk", &bulk(operations)).expect(200))
}

pub(super) fn results(reply: &Reply) -> Vec<Value> {
    assert_eq!(
        reply.json["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"])
    );
    reply.json["Operations"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

pub(super) fn statuses(results: &[Value]) -> Vec<&str> {
    results
        .iter()
        .map(|one| one["status"].as_str().unwrap_or_default())
        .collect()
}

/// The id at the end of a result's location.
pub(super) fn id(result: &Value) -> String {
    let location = result["location"].as_str().unwrap_or_default();
    location.rsplit('/').next().unwrap_or_default().to_owned()
}

pub(super) fn post_user(bulk_id: &str, name: &str) -> Value {
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": user(name) })
}

pub(super) fn post_report(bulk_id: &str, name: &str, manager: &str) -> Value {
    let data = json!({ "schemas": [USER, ENT], "userName": name, ENT: { "manager": { "value": manager } } });
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data })
}

pub(super) fn post_group(bulk_id: &str, name: &str, member: &str) -> Value {
    let data = json!({ "schemas": [GROUP], "displayName": name, "members": [{ "value": member }] });
    json!({ "method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data })
}

/// B-30: refused before anything is done, naming the limit.
#[test]
fn hv_48_too_many_operations_are_refused_whole() {
    let app = TestApp::new();
    let all: Vec<Value> = (0..1001)
        .map(|n| post_user(&format!("b{n}"), &format!("u{n}")))
        .collect();
    let reply = app.scim().post("/Bulk", &bulk(json!(all)));
    reply.scim_failure(413);
    assert_eq!(
        reply.json["detail"],
        "1001 operations exceed maxOperations (1000)"
    );
    assert_eq!(app.scim().get("/Users").json["totalResults"], 0);
}

#[test]
fn a_body_over_the_limit_is_refused_by_its_name() {
    let app = TestApp::new();
    let mut operation = post_user("a", "a");
    operation["data"]["title"] = json!("x".repeat(2 << 20));
    let reply = app.scim().post("/Bulk", &bulk(json!([operation])));
    reply.scim_failure(413);
    assert!(reply.text.contains("maxPayloadSize"), "{reply:?}");
}

/// B-08, B-10, B-13: stopped at the n-th error, what was done stays.
#[test]
fn hv_49_fail_on_errors_stops_and_keeps_what_was_done() {
    let app = TestApp::new();
    let bad = json!({ "method": "POST", "path": "/Users", "bulkId": "bad", "data": { "schemas": [USER] } });
    let mut body = bulk(json!([
        post_user("first", "first"),
        bad,
        post_user("good", "good")
    ]));
    body["failOnErrors"] = json!(1);
    let results = results(app.scim().post("/Bulk", &body).expect(200));
    assert_eq!(statuses(&results), ["201", "400"]);
    assert_eq!(results[1]["bulkId"], "bad");
    assert!(results[1].get("location").is_none());
    assert_eq!(results[1]["response"]["status"], "400");
    assert_eq!(app.scim().get("/Users").names("userName"), ["first"]);
}

/// B-13: it is the n-th error that stops; what comes after it is neither done nor answered.
#[test]
fn as_many_errors_as_allowed_are_gone_past() {
    let bad = |name: &str| json!({ "method": "POST", "path": "/Users", "bulkId": name, "data": { "schemas": [USER] } });
    for (limit, expected) in [
        (1, vec!["400"]),
        (2, vec!["400", "201", "400"]),
        (3, vec!["400", "201", "400", "201", "404"]),
        (9, vec!["400", "201", "400", "201", "404", "201"]),
    ] {
        let app = TestApp::new();
        let mut body = bulk(json!([
            bad("1"),
            post_user("2", "two"),
            bad("3"),
            post_user("4", "four"),
            { "method": "DELETE", "path": "/Users/nobody" },
            post_user("6", "six"),
        ]));
        body["failOnErrors"] = json!(limit);
        let reply = app.scim().post("/Bulk", &body);
        let told = results(reply.expect(200));
        assert_eq!(statuses(&told), expected, "{limit}");
        let made = expected.iter().filter(|status| **status == "201").count();
        assert_eq!(app.scim().get("/Users").json["totalResults"], made);
    }
}

/// B-06, B-09, B-16: a PatchOp without `schemas`, a result as the single request would have.
#[test]
fn hv_50_a_new_user_joins_a_group() {
    let p = people();
    let path = format!("/Groups/{}", p.g1);
    let results = send(
        &p.app.scim(),
        json!([
            post_user("a", "anna"),
            { "method": "patch", "path": path, "data": { "Operations": [add_members(&["bulkId:a"])] } },
        ]),
    );
    assert_eq!(statuses(&results), ["201", "204"]);
    assert_eq!(results[1]["method"], "PATCH");
    assert!(p.app.scim().get(&path).members().contains(&id(&results[0])));
    let single = p.app.scim().get(&format!("/Users/{}", id(&results[0])));
    assert_eq!(
        single.etag(),
        results[0]["version"].as_str().unwrap_or_default()
    );
    assert_eq!(single.json["meta"]["location"], results[0]["location"]);
}

/// B-20: unknown is the request's mistake.
#[test]
fn hv_51_a_reference_to_nothing_fails_its_operation() {
    let app = TestApp::new();
    let results = send(
        &app.scim(),
        json!([post_group("g", "Ops", "bulkId:zz"), post_user("a", "a")]),
    );
    assert_eq!(statuses(&results), ["400", "201"]);
    assert_eq!(results[0]["response"]["scimType"], "invalidValue");
    assert_eq!(app.scim().get("/Groups").json["totalResults"], 0);
}

#[test]
fn a_reference_to_what_failed_is_a_conflict() {
    let app = TestApp::new();
    let bad =
        json!({ "method": "POST", "path": "/Users", "bulkId": "u", "data": { "schemas": [USER] } });
    let results = send(
        &app.scim(),
        json!([post_group("g", "Ops", "bulkId:u"), bad]),
    );
    assert_eq!(statuses(&results), ["409", "400"]);
}

/// B-17, B-21, B-22: forward references, a bulkId in a path, results in the order of the request.
#[test]
fn what_is_named_later_is_made_first_and_answered_in_order() {
    let app = TestApp::new();
    let results = send(
        &app.scim(),
        json!([
            { "method": "DELETE", "path": "/Users/bulkId:u" },
            post_group("g", "bulkId:u", "bulkId:v"),
            post_user("u", "u"),
            post_user("v", "v"),
        ]),
    );
    assert_eq!(statuses(&results), ["204", "201", "201", "201"]);
    let group = app.scim().get(&format!("/Groups/{}", id(&results[1])));
    assert_eq!(group.members(), [id(&results[3])]);
    assert_eq!(group.json["displayName"], "bulkId:u", "text stays text");
    app.scim()
        .get(&format!("/Users/{}", id(&results[2])))
        .expect(404);
}

/// B-18: circles of one, two, three, fifty.
#[test]
fn circles_of_managers_are_closed() {
    for size in [1_usize, 2, 3, 50] {
        let app = TestApp::new();
        let all: Vec<Value> = (0..size)
            .map(|n| {
                post_report(
                    &format!("b{n}"),
                    &format!("u{n}"),
                    &format!("bulkId:b{}", (n + 1) % size),
                )
            })
            .collect();
        let results = send(&app.scim(), json!(all));
        assert_eq!(statuses(&results), vec!["201"; size]);
        for (n, result) in results.iter().enumerate() {
            let one = app.scim().get(&format!("/Users/{}", id(result)));
            assert_eq!(
                one.json[ENT]["manager"]["value"],
                id(&results[(n + 1) % size]),
                "{one:?}"
            );
            assert_eq!(one.etag(), result["version"].as_str().unwrap_or_default());
        }
    }
}

/// B-19: its own error for one, 409 for the rest, nothing of it stored.
#[test]
fn a_circle_that_cannot_be_closed_leaves_nothing() {
    let app = TestApp::new();
    app.user("taken");
    let results = send(
        &app.scim(),
        json!([
            post_report("a", "a", "bulkId:b"),
            post_report("b", "TAKEN", "bulkId:a"),
            post_user("c", "c")
        ]),
    );
    assert_eq!(statuses(&results), ["409", "409", "201"]);
    assert_eq!(results[1]["response"]["scimType"], "uniqueness");
    assert!(results[0]["response"].get("scimType").is_none());
    assert_eq!(app.scim().get("/Users").json["totalResults"], 2);
}

/// B-07, B-23: `version` as If-Match; PATCH after PATCH in the order sent.
#[test]
fn operations_on_one_resource_keep_their_order_and_their_preconditions() {
    let p = people();
    let path = format!("/Users/{}", p.u1);
    let tag = p.app.scim().get(&path).etag();
    let title = |text: &str| patch(json!([{ "op": "replace", "path": "title", "value": text }]));
    let results = send(
        &p.app.scim(),
        json!([
            { "method": "PATCH", "path": path, "version": tag, "data": title("One") },
            { "method": "PATCH", "path": path, "version": tag, "data": title("Two") },
            { "method": "PATCH", "path": path, "data": title("Three") },
            { "method": "PATCH", "path": path, "data": patch(json!([{ "op": "replace", "path": "userName", "value": "dave" }])) },
            { "method": "DELETE", "path": "/Users/ghost" },
        ]),
    );
    assert_eq!(statuses(&results), ["200", "412", "200", "409", "404"]);
    assert!(results.iter().all(|result| result["location"].is_string()));
    let after = p.app.scim().get(&path);
    assert_eq!(after.json["title"], "Three");
    assert_eq!(
        after.etag(),
        results[2]["version"].as_str().unwrap_or_default()
    );
}

/// B-07: `version` holds every verb that has a resource to begin with.
#[test]
fn a_version_that_is_not_the_resources_stops_put_patch_and_delete() {
    let app = TestApp::new();
    let ada = app.user("ada");
    let path = format!("/Users/{ada}");
    let tag = app.scim().get(&path).etag();
    let change = patch(json!([{ "op": "replace", "path": "title", "value": "x" }]));
    let operation = |method: &str, version: &str, data: &Value| json!({ "method": method, "path": path, "version": version, "data": data });
    let told = send(
        &app.scim(),
        json!([
            operation("PUT", "W/\"9\"", &user("eve")),
            operation("PATCH", "W/\"9\"", &change),
            operation("DELETE", "W/\"9\"", &Value::Null),
        ]),
    );
    assert_eq!(statuses(&told), ["412", "412", "412"]);
    assert_eq!(app.scim().get(&path).etag(), tag);
    let put = send(&app.scim(), json!([operation("PUT", &tag, &user("eve"))]));
    assert_eq!(statuses(&put), ["200"]);
    let tag = put[0]["version"].as_str().unwrap_or_default();
    let gone = send(&app.scim(), json!([operation("DELETE", tag, &Value::Null)]));
    assert_eq!(statuses(&gone), ["204"]);
}

#[test]
fn many_operations_in_several_transactions_are_all_done_and_all_logged() {
    let app = TestApp::new();
    let mut all: Vec<Value> = (0..250)
        .map(|n| post_user(&format!("b{n}"), &format!("u{n}")))
        .collect();
    all.insert(0, post_group("g", "All", "bulkId:b249"));
    all.push(json!({ "method": "GET", "path": "/Users/x" }));
    let results = send(&app.scim(), json!(all));
    assert_eq!(results.len(), 252);
    assert!(
        results[..251]
            .iter()
            .all(|result| result["status"] == "201")
    );
    assert_eq!(results[251]["status"], "400");
    assert_eq!(
        crate::harness::build::rows(&app.api(), "/sync/requests").len(),
        252
    );
    assert!(
        send(&app.scim(), json!(all))[..251]
            .iter()
            .all(|result| result["status"] == "409"),
        "twice is nobody twice"
    );
}

#[test]
fn bulk_is_no_side_entrance() {
    let app = TestApp::new();
    let body = bulk(json!([post_user("a", "a")]));
    for scopes in ["scim:read", "scim:read,scim:write", "scim:read,scim:bulk"] {
        let client = app.client("/scim/v2", Some(&app.token("scim", Some(scopes), None)));
        client.post("/Bulk", &body).scim_failure(403);
    }
    app.client("/scim/v2", None)
        .post("/Bulk", &body)
        .scim_failure(401);
    app.scim().get("/Bulk").scim_failure(405);
    assert_eq!(app.scim().get("/Users").json["totalResults"], 0);
    assert!(send(&app.scim(), json!([])).is_empty());
}
