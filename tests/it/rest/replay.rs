//! The sync log beyond its list: sessions, simulation, replay (A7).

use serde_json::Value;

use crate::harness::build::rows;
use crate::harness::{TestApp, USER, add_members, group, json, patch, user};

/// The newest request of the log that fits.
fn newest(app: &TestApp, outcome: &str) -> Value {
    app.logged(outcome, |row| row["outcome"] == outcome)
}

fn replay(row: &Value, more: &str) -> String {
    let id = row["id"].as_str().expect("an id");
    format!("/sync/requests/{id}/replay{more}")
}

#[test]
fn what_was_rejected_runs_again_when_the_obstacle_is_gone() {
    let app = TestApp::with_okta();
    let (api, scim) = (app.api(), app.scim());
    let ann = app.user("ann@acme.test");
    scim.post("/Users", &user("ANN@acme.test")).expect(409);
    let refused = newest(&app, "rejected");
    // Still in the way: it is tried, refused again, and told.
    let again = api.post(&replay(&refused, ""), &json!({}));
    let result = &again.expect(200).json["results"][0];
    assert_eq!(
        (&result["outcome"], &result["status"], &result["scim_type"]),
        (&json!("error"), &json!(409), &json!("uniqueness"))
    );
    scim.delete(&format!("/Users/{ann}")).expect(204);

    let plan = api.post(&replay(&refused, "?dry_run=true"), &json!({}));
    let planned = &plan.expect(200).json;
    assert_eq!(
        planned["response"]["body"]["results"][0]["outcome"],
        "success"
    );
    let find =
        || scim.get("/Users?filter=userName eq \"ann@acme.test\"").json["totalResults"].clone();
    assert_eq!(find(), 0, "a dry run makes nobody");

    let done = api.post(&replay(&refused, ""), &json!({}));
    let result = &done.expect(200).json["results"][0];
    assert_eq!(
        (&result["outcome"], &result["status"]),
        (&json!("success"), &json!(201))
    );
    assert_eq!(find(), 1);
    // Its own row in the log, linked to the first, of the same connection.
    let made = result["request_id"].as_str().expect("an id");
    let row = api
        .get(&format!("/sync/requests/{made}"))
        .expect(200)
        .json
        .clone();
    assert_eq!(row["outcome"], "success");
    assert_eq!(row["connection_id"], refused["connection_id"]);
    let link = json!({"code": "replay_of", "path": refused["id"]});
    assert!(
        row["warnings"]
            .as_array()
            .is_some_and(|all| all.contains(&link)),
        "{row}"
    );
    // Who did it stands with what was done.
    let people = rows(&api, "/learners");
    let who: Vec<&str> = people
        .iter()
        .filter_map(|one| one["approved_by"].as_str())
        .collect();
    assert!(
        who.iter().any(|who| who.contains("replayed by api:")),
        "{who:?}"
    );
    app.check();
}

#[test]
fn what_succeeded_or_was_written_since_does_not_run_again() {
    let app = TestApp::with_okta();
    let (api, scim) = (app.api(), app.scim());
    let ann = scim
        .post(
            "/Users",
            &json!({"schemas": [USER], "userName": "ann", "title": "One"}),
        )
        .expect(201)
        .id();
    let path = format!("/Users/{ann}");
    let created = app.logged("create", |row| row["operation"] == "create");
    let refused = api.post(&replay(&created, ""), &json!({}));
    assert_eq!(refused.expect(409).json["code"], "not_replayable");

    let set = |op: &str, name: &str, value: &str| {
        patch(json!([{"op": op, "path": name, "value": value}]))
    };
    scim.patch(&path, &set("replace", "title", "Two"))
        .expect(200);
    let bad = json!([{"op": "replace", "path": "title", "value": "Three"},
        {"op": "replace", "path": "nickName", "value": 3}]);
    scim.patch(&path, &patch(bad)).expect(400);
    let rejected = newest(&app, "rejected");
    // Another attribute is nobody's business; the same one is.
    scim.patch(&path, &set("replace", "displayName", "Ann"))
        .expect(200);
    let tried = api.post(&replay(&rejected, ""), &json!({}));
    assert_eq!(tried.expect(200).json["results"][0]["outcome"], "error");
    scim.patch(&path, &set("replace", "title", "Four"))
        .expect(200);
    let refused = api.post(&replay(&rejected, ""), &json!({}));
    assert_eq!(refused.expect(409).json["code"], "superseded");
    assert!(refused.text.contains("title"), "{}", refused.text);
    let forced = api.post(&replay(&rejected, ""), &json!({"force": true}));
    assert_eq!(forced.expect(200).json["results"][0]["status"], 400);
    let weak = app.token("api", Some("sync:read,sync:replay"), None);
    let weak = app.client("/api/v1", Some(&weak));
    let denied = weak.post(&replay(&rejected, ""), &json!({"force": true}));
    assert_eq!(denied.expect(403).json["code"], "forbidden");
    weak.get(&format!(
        "/sync/requests/{}",
        rejected["id"].as_str().expect("an id")
    ))
    .expect(200);
    weak.post(
        "/sync/requests/0199a2c4-0000-7000-8000-000000000001/replay",
        &json!({}),
    )
    .expect(404);
}

#[test]
fn several_requests_run_again_in_the_order_they_came() {
    let app = TestApp::with_okta();
    let (api, scim) = (app.api(), app.scim());
    let ann = app.user("ann");
    scim.post("/Users", &user("ANN")).expect(409);
    let first = newest(&app, "rejected");
    scim.post("/Users", &user("Ann")).expect(409);
    let second = app.logged("the second", |row| {
        row["outcome"] == "rejected" && row["id"] != first["id"]
    });
    scim.delete(&format!("/Users/{ann}")).expect(204);
    let ids = json!([second["id"], first["id"]]);
    let plan = api.post(
        "/sync/requests:replay?dry_run=true",
        &json!({"requests": ids}),
    );
    assert_eq!(
        plan.expect(200).json["skipped"].as_array().map(Vec::len),
        Some(1)
    );
    let done = api.post("/sync/requests:replay", &json!({"requests": ids}));
    let results = &done.expect(200).json["results"];
    assert_eq!(results[0]["replay_of"], first["id"]);
    assert_eq!(
        (&results[0]["outcome"], &results[1]["outcome"]),
        (&json!("success"), &json!("error"))
    );
    let again = json!({"requests": ids, "stop_on_failure": true});
    let done = api.post("/sync/requests:replay", &again);
    assert_eq!(
        done.expect(200).json["results"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_simulation_tells_what_a_push_would_do_and_does_nothing() {
    let app = TestApp::with_okta();
    let (api, scim) = (app.api(), app.scim());
    let connection = rows(&api, "/connections")[0]["id"].clone();
    let ann = app.user("ann");
    let team = scim.post("/Groups", &group("Sales", &[])).expect(201).id();
    app.assign(&team, &app.course("Fire safety"));
    let before = rows(&api, "/sync/requests").len();
    let push = json!({"connection_id": connection, "requests": [
        {"method": "PATCH", "path": format!("/scim/v2/Groups/{team}"), "body": patch(json!([add_members(&[&ann])]))},
        {"method": "POST", "path": "/Users", "body": user("ANN")},
        {"method": "PUT", "path": "/Nothing/1", "body": {}},
    ]});
    let plan = api.post("/sync/simulate", &push);
    let plan = &plan.expect(200).json;
    assert_eq!(plan["summary"]["enrollments"]["create"], 1, "{plan}");
    assert_eq!(plan["summary"]["memberships"]["add"], 1);
    let results = plan["response"]["body"]["results"]
        .as_array()
        .expect("results");
    let told: Vec<(&Value, &Value)> = results
        .iter()
        .map(|one| (&one["status"], &one["outcome"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!(204), &json!("success")),
            (&json!(409), &json!("error")),
            (&json!(404), &json!("error")),
        ]
    );
    assert_eq!(plan["skipped"].as_array().map(Vec::len), Some(2));
    assert!(app.enrollments().is_empty());
    scim.get(&format!("/Users/{ann}")).expect(200);
    assert_eq!(rows(&api, "/sync/requests?operation=patch,delete").len(), 0);
    assert!(rows(&api, "/sync/requests").len() <= before + 1);
    let odd = api.post("/sync/simulate?dry_run=perhaps", &push);
    assert_eq!(odd.expect(400).json["code"], "invalid_parameter");
    let unknown =
        json!({"connection_id": team, "requests": [{"method": "DELETE", "path": "/Users/1"}]});
    api.post("/sync/simulate", &unknown).expect(404);
}

#[test]
fn calls_of_a_connection_without_a_long_silence_are_one_session() {
    let app = TestApp::in_zone("UTC", "2026-03-02T09:00:00Z");
    let (api, scim) = (app.api(), app.scim());
    let entra = app.token("scim", None, Some("entra"));
    let entra = app.client("/scim/v2", Some(&entra));
    let at = |time: &str| app.at(&format!("2026-03-02T{time}Z"));
    app.user("a");
    at("09:00:59");
    app.user("b");
    entra.post("/Users", &user("c")).expect(201);
    at("09:01:30");
    scim.post("/Users", &user("A")).expect(409);
    at("09:02:30");
    app.user("d");
    at("09:02:31");
    entra.post("/Users", &user("e")).expect(201);
    app.settle(|| rows(&api, "/sync/requests").len() == 6);
    let shown = |rows: &[Value]| -> Vec<(String, i64, i64)> {
        let one = |row: &Value| {
            (
                row["began_at"].as_str().expect("an instant")[11..19].to_owned(),
                row["calls"].as_i64().expect("a number"),
                row["outcomes"]["rejected"].as_i64().expect("a number"),
            )
        };
        rows.iter().map(one).collect()
    };
    let all = rows(&api, "/sync/sessions");
    let expected = [
        ("09:02:31".to_owned(), 1, 0),
        ("09:02:30".to_owned(), 1, 0),
        ("09:00:00".to_owned(), 3, 1),
        ("09:00:59".to_owned(), 1, 0),
    ];
    assert_eq!(shown(&all), expected);
    assert_eq!(
        all[2]["resources"],
        json!(["b", "a"]),
        "what was written, latest first"
    );
    assert!(all.iter().all(|one| one["complete"] == true), "{all:?}");
    // The same, a page at a time.
    let (mut walked, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/sync/sessions?limit=1{cursor}"));
        walked.extend(
            page.expect(200).json["data"]
                .as_array()
                .expect("rows")
                .clone(),
        );
        match page.json["page"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(walked, all);
    let okta = all[1]["connection_id"].as_str().expect("an id");
    let of_one = rows(&api, &format!("/sync/sessions?connection={okta}"));
    assert_eq!(shown(&of_one), [expected[1].clone(), expected[2].clone()]);
}
