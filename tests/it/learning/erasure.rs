//! A person who is erased on request: nothing names them any more, and no figure changes (7.25, B49 to B52).

use super::examples::*;
use crate::harness::build::rows;
use crate::harness::{Reply, TestApp, USER, Value, json, patch};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What must not be found anywhere afterwards, in any case.
const MARKERS: [&str; 6] = [
    "zyxmail",
    "zyxname",
    "zyxold",
    "zyxnumber",
    "zyxphone",
    "zyxsecond",
];

fn zyx() -> Value {
    json!({"schemas": [USER, ENTERPRISE], "userName": "zyxold", "externalId": "zyxnumber-1", "active": true,
        "displayName": "Zyxname Fox", "name": {"givenName": "Zyxname", "familyName": "Fox", "formatted": "Zyxname Fox"},
        "emails": [{"value": "zyxmail@acme.test", "primary": true}], "phoneNumbers": [{"value": "+49 zyxphone 1"}],
        (ENTERPRISE): {"employeeNumber": "zyxnumber"}})
}

fn erase(app: &TestApp, learner: &str, query: &str) -> Reply {
    let why = json!({"reason": "asked for by Zyxname Fox"});
    app.api()
        .post(&format!("/learners/{learner}/erase{query}"), &why)
}

/// Waits for the job that looks for the rest.
fn swept(app: &TestApp, erased: &Reply) -> Value {
    let job = format!("/jobs/{}", erased.json["job"].as_str().expect("a job"));
    let state = || app.api().get(&job).json["state"].clone();
    app.settle(|| state() == "done" || state() == "failed");
    app.api().get(&job).json.clone()
}

fn remembered(app: &TestApp) -> Vec<&'static str> {
    let all = app.everything_at_rest().to_lowercase();
    MARKERS
        .into_iter()
        .filter(|marker| all.contains(marker))
        .collect()
}

/// Waits until the database's own log is empty, too: that happens behind the job.
#[track_caller]
fn forgotten(app: &TestApp, but: &[&str]) {
    let started = std::time::Instant::now();
    while remembered(app) != but {
        if started.elapsed().as_secs() >= 10 {
            let all = app.everything_at_rest().to_lowercase();
            let left = remembered(app);
            let around: Vec<String> = left
                .iter()
                .filter_map(|marker| all.split_once(marker))
                .map(|(before, after)| {
                    let before: String = before.chars().rev().take(200).collect();
                    let before: String = before.chars().rev().collect();
                    let after: String = after.chars().take(60).collect();
                    format!("{before}|{after}")
                })
                .collect();
            panic!("{left:?} is still there: {around:#?}");
        }
        std::thread::yield_now();
    }
}

#[test]
fn c_7_25_who_is_erased_is_named_nowhere_and_what_they_did_stays_counted() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (api, scim) = (app.api(), app.scim());
    let (course, team) = (app.course("Security"), group(&app, "Sales"));
    assign(&app, &team, &course, json!({"mandatory": true}));
    let (bob, _) = person(&app, "bob");
    let user = scim.post("/Users", &zyx()).expect(201).id();
    let who = learner(&api, "Zyxname Fox");
    join(&app, &team, &[&bob, &user]);
    complete(&app, &who, &course, "2026-02-02T08:00:00Z");
    // Everything that may keep a name: a change of it, a push that shows it, a probe, a refusal, an answer kept for
    // repeats, an imported file, a text of an administrator, a second account.
    let rename = json!([{"op": "replace", "path": "userName", "value": "zyxmail@acme.test"}]);
    scim.patch(&format!("/Users/{user}"), &patch(rename));
    let shown = json!([{"op": "add", "path": "members", "value": [{"value": user, "display": "Zyxname Fox"}]}]);
    scim.patch(&format!("/Groups/{team}"), &patch(shown))
        .expect(204);
    scim.get("/Users?filter=userName eq \"zyxold\"").expect(200);
    scim.get("/Users?filter=emails.value eq \"ZYXMAIL@acme.test\"")
        .expect(200);
    scim.post(
        "/Users",
        &json!({"schemas": [USER], "userName": "Zyxmail@acme.test"}),
    )
    .expect(409);
    let second =
        json!({"user_name": "zyxsecond", "email": "zyxmail@acme.test", "registered": true});
    let keyed = api.with_header("Idempotency-Key", "once");
    let other = keyed.post("/learners", &second).expect(201).id();
    crate::csv::import(
        &api,
        "kind=members",
        &format!("group,email\n{team},zyxmail@acme.test\n"),
    );
    let refused = crate::csv::upload(
        &api,
        "kind=members",
        "group,email\nNowhere,zyxmail@acme.test\n",
    );
    refused.expect(201);
    let enrolled = enrollment(&app, &who)["id"].clone();
    let waiver = format!("/enrollments/{}/waiver", enrolled.as_str().expect("an id"));
    api.post(&waiver, &json!({"reason": "Zyxname Fox teaches it"}))
        .expect(200);
    api.post(
        &format!("/learners/{who}/link"),
        &json!({"learner_id": other, "reason": "zyxsecond is Zyxname Fox"}),
    )
    .expect(200);
    let figures = || {
        (
            app.enrollments().len(),
            rows(&api, "/completions").len(),
            api.get("/reports/compliance").json["groups"].clone(),
        )
    };
    app.at("2026-03-02T08:00:00Z");
    api.delete(&format!("/learners/{who}")).expect(204);
    let before = figures();
    let remains = app.everything_at_rest();
    let plan = erase(&app, &who, "?dry_run=true");
    assert_eq!(plan.expect(200).json["response"]["status"], 202, "{plan:?}");
    assert!(
        remembered(&app).len() == MARKERS.len() && !remains.is_empty(),
        "I-14"
    );

    let erased = erase(&app, &who, "");
    erased.expect(202);
    assert_eq!(erased.json["accounts"], 2, "{erased:?}");
    assert_eq!(erased.json["kept"].as_array().map(Vec::len), Some(1));
    let job = swept(&app, &erased);
    assert_eq!(job["state"], "done", "{job}");
    forgotten(&app, &[]);
    assert_eq!(figures(), before);
    for id in [&who, &other] {
        let one = api.get(&format!("/learners/{id}"));
        assert_eq!(one.json["name"], "anonymized learner");
        assert!(!one.json["anonymized_at"].is_null() && one.json["email"].is_null());
    }
    assert_eq!(enrollment(&app, &who)["learner_name"], "anonymized learner");
    let why = explained(&app, &who, &course);
    assert_eq!(why["learner"], "anonymized learner", "{why}");
    assert!(
        rows(&api, "/audit-events")
            .iter()
            .any(|event| event["type"] == "learner.erased")
    );
    app.check();

    // Once is enough; and whoever comes under the old externalId is somebody else.
    let again = erase(&app, &who, "");
    assert_eq!(again.expect(200).json["outcome"], "no_op");
    scim.post("/Users", &zyx()).expect(201);
    let new = learner(&api, "Zyxname Fox");
    assert!(new != who && rows(&api, "/learner-suggestions").is_empty());
    let link = json!({"learner_id": new, "reason": "the same"});
    let refused = api.post(&format!("/learners/{who}/link"), &link);
    assert_eq!(refused.expect(409).json["code"], "erased");
    app.check();
}

#[test]
fn c_7_25_a_live_account_ends_with_the_erasure_and_a_legal_hold_prevents_it() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let api = app.api();
    let (course, team) = (app.course("Security"), group(&app, "Sales"));
    assign(&app, &team, &course, json!({}));
    let user = app.scim().post("/Users", &zyx()).expect(201).id();
    let who = learner(&api, "Zyxname Fox");
    join(&app, &team, &[&user]);
    let path = format!("/learners/{who}");
    let held = api.patch(&path, &json!({"legal_hold": "Case 12"}));
    assert_eq!(held.expect(200).json["legal_hold"], "Case 12");
    let refused = erase(&app, &who, "");
    assert_eq!(refused.expect(409).json["code"], "legal_hold");
    assert!(refused.text.contains("Case 12"), "{refused:?}");
    app.scim().get(&format!("/Users/{user}")).expect(200);
    api.patch(&path, &json!({"legal_hold": null})).expect(200);
    // A token for learners is not enough.
    let weak = app.client(
        "/api/v1",
        Some(&app.token("api", Some("learners:read,learners:write"), None)),
    );
    weak.post(&format!("{path}/erase"), &json!({"reason": "x"}))
        .expect(403);
    let erased = erase(&app, &who, "");
    swept(&app, erased.expect(202));
    app.scim().get(&format!("/Users/{user}")).scim_failure(404);
    assert_eq!(app.enrollments().len(), 1, "S-13");
    forgotten(&app, &[]);
    app.check();
}

#[test]
fn b_50_a_duty_to_keep_training_records_keeps_their_name_until_its_day_and_nothing_else() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let api = app.api();
    let duty = json!({"retain_compliance_records_until": "2026-03-31"});
    api.patch("/settings", &duty).expect(200);
    app.scim().post("/Users", &zyx()).expect(201);
    let who = learner(&api, "Zyxname Fox");
    let erased = erase(&app, &who, "");
    swept(&app, erased.expect(202));
    assert_eq!(
        (
            &erased.json["kept"][1]["what"],
            &erased.json["kept"][1]["until"]
        ),
        (&json!("name"), &json!("2026-03-31"))
    );
    forgotten(&app, &["zyxname"]);
    app.check();
    app.at("2026-03-31T08:00:00Z");
    app.reconcile();
    forgotten(&app, &["zyxname"]);
    app.at("2026-04-01T08:00:00Z");
    app.reconcile();
    forgotten(&app, &[]);
    assert_eq!(
        api.get(&format!("/learners/{who}")).json["name"],
        "anonymized learner"
    );
    app.check();
    let lifted = api.patch(
        "/settings",
        &json!({"retain_compliance_records_until": null}),
    );
    assert!(lifted.expect(200).json["retain_compliance_records_until"].is_null());
}
