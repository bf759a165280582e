//! The edge cases 7.15 to 7.24: plans that shrink, empty and doubled things, cycles, completions nobody expected.

use rollcall::learning::plan::SubscriptionPlan;

use super::edges::sales;
use super::examples::*;
use crate::harness::build::rows;
use crate::harness::{GROUP, TestApp, Value, add_members, json, patch, remove_member};

#[test]
fn c_7_15_a_downgrade_freezes_and_deletes_nothing() {
    // 4.12: no renewal under a plan without groups, and none for who waits.
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, team) = sales(&app, json!({"mandatory": true, "recert_months": 1}));
    let (ann, who) = person(&app, "ann");
    let (bob, waits) = person(&app, "bob");
    join(&app, &team, &[&ann, &bob]);
    for learner in [&who, &waits] {
        complete(&app, learner, &course, "2026-03-01T08:00:00Z");
    }
    app.api()
        .post(&format!("/learners/{waits}/revoke"), &json!({}))
        .expect(200);
    app.set_plan(SubscriptionPlan::Starter);
    app.at("2026-03-25T08:00:00Z");
    app.reconcile();
    let api = app.api();
    assert_eq!(
        enrollment(&app, &who)["status"],
        "expiring",
        "still computed"
    );
    assert_eq!(enrollment(&app, &who)["cycle"]["n"], 1);
    let (path, body) = (format!("/groups/{team}"), json!({"name": "New"}));
    assert_eq!(api.get(&path).expect(200).json["frozen"], true);
    for read in [
        "timeline",
        "members",
        "compliance",
        "progress",
        "members.csv",
    ] {
        api.get(&format!("{path}/{read}")).expect(200);
    }
    api.get("/exports/enrollments.csv").expect(200);
    for refused in [
        api.patch(&path, &body),
        api.delete(&path),
        api.post(
            &format!("{path}/members"),
            &json!({"learners": [{"id": who}]}),
        ),
        api.post(
            &format!("{path}/assignments"),
            &json!({"course_id": course}),
        ),
        api.delete(&format!("{path}/members/{who}")),
    ] {
        assert_eq!(
            (refused.status, &refused.json["code"]),
            (403, &json!("plan_upgrade_required")),
            "{refused:?}"
        );
    }
    // Leaver handling does not depend on billing, and the directory keeps its groups in step.
    activate(&app, &ann, false);
    activate(&app, &ann, true);
    app.scim()
        .patch(
            &format!("/Groups/{team}"),
            &patch(json!([remove_member(&ann)])),
        )
        .expect(204);
    join(&app, &team, &[&ann]);
    app.set_plan(SubscriptionPlan::Professional);
    app.reconcile();
    assert_eq!(enrollment(&app, &who)["cycle"]["n"], 2);
    assert_eq!(
        enrollment(&app, &waits)["cycle"]["n"],
        1,
        "who waits gets none"
    );
    app.check();
}

#[test]
fn c_7_17_to_7_19_empty_groups_doubles_and_repeats_are_fine() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (_, team) = sales(&app, json!({}));
    let bare = group(&app, "Bare");
    let (ann, who) = person(&app, "ann");
    // 7.18: twice in one request, then in and out and in again.
    let body = patch(json!([
        add_members(&[&ann, &ann]),
        remove_member(&ann),
        add_members(&[&ann]),
        add_members(&[&ann])
    ]));
    app.scim()
        .patch(&format!("/Groups/{team}"), &body)
        .expect(204);
    join(&app, &bare, &[&ann]);
    assert_eq!(enrollments(&app, &who).len(), 1);
    assert_eq!(
        app.scim().get(&format!("/Groups/{team}")).members().len(),
        1
    );
    // 7.19
    let shown = app.scim().get(&format!("/Groups/{team}"));
    let body = json!({"schemas": [GROUP], "displayName": "Sales", "members": [{"value": ann}]});
    let same = app.scim().put(&format!("/Groups/{team}"), &body);
    let row = app.api().get(&format!(
        "/sync/requests/{}",
        same.expect(200).header("x-request-id")
    ));
    assert_eq!(row.expect(200).json["outcome"], "no_op");
    let after = app.scim().get(&format!("/Groups/{team}"));
    assert_eq!(shown.json["meta"]["version"], after.json["meta"]["version"]);
    app.check();
}

#[test]
fn c_7_20_to_7_22_one_open_cycle_short_periods_and_retakes() {
    let app = TestApp::in_zone(BERLIN, "2026-01-20T08:00:00Z");
    let (course, team) = sales(&app, json!({"mandatory": true, "recert_months": 2}));
    let (ann, who) = person(&app, "ann");
    join(&app, &team, &[&ann]);
    complete(&app, &who, &course, "2026-01-20T08:00:00Z");
    // Valid for 59 days to 20 March: the window is half of it, rounded down.
    for (at, status) in [
        ("2026-02-18T22:59:59Z", "compliant"),
        ("2026-02-18T23:00:00Z", "expiring"),
    ] {
        app.at(at);
        app.reconcile();
        assert_eq!(enrollment(&app, &who)["status"], status, "7.21 {at}");
    }
    assert_eq!(cycle(&app.api(), &who)["n"], 2);
    // 7.20: neither time nor another cause opens a third while the second is open.
    let other = group(&app, "Berlin");
    assign(&app, &other, &course, json!({"recert_months": 1}));
    join(&app, &other, &[&ann]);
    app.at("2026-05-01T08:00:00Z");
    app.reconcile();
    let id = enrollment(&app, &who)["id"].clone();
    let by_hand = json!({"learner_id": who, "course_id": course});
    let again = app.api().post("/enrollments", &by_hand);
    assert!([200, 201].contains(&again.status), "{again:?}");
    assert_eq!(again.json["id"], id);
    assert_eq!(cycle(&app.api(), &who)["n"], 2);
    complete(&app, &who, &course, "2026-05-01T08:00:00Z");
    // 7.22: an early retake extends and opens nothing; one that is reported late shortens nothing.
    app.at("2026-05-10T08:00:00Z");
    complete(&app, &who, &course, "2026-05-10T08:00:00Z");
    complete(&app, &who, &course, "2026-05-05T08:00:00Z");
    let one = enrollment(&app, &who);
    assert_eq!(
        (
            through(&one, &team)["standing"]["valid_until"].clone(),
            &one["cycle"]["n"]
        ),
        (json!("2026-07-10"), &json!(2))
    );
    app.check();
}

#[test]
fn c_7_23_and_7_24_completions_of_strangers_and_of_impossible_days() {
    let app = TestApp::in_zone(BERLIN, "2026-03-02T08:00:00Z");
    let (course, team) = sales(&app, json!({"mandatory": true}));
    let (ann, who) = person(&app, "ann");
    let report = |at: &str| {
        let body = json!({"completions": [{"learner_id": who, "course_id": course, "completed_at": at, "source": "import"}]});
        app.api().post("/completions", &body)
    };
    for impossible in ["1969-12-31T23:59:59Z", "2026-03-03T08:00:01Z"] {
        let refused = report(impossible);
        refused.expect(422);
        assert!(
            refused.json["errors"][0]["pointer"]
                .as_str()
                .is_some_and(|pointer| pointer.ends_with("completed_at")),
            "{refused:?}"
        );
    }
    assert!(enrollments(&app, &who).is_empty());
    report("2026-03-03T07:59:59Z").expect(200);
    let one = enrollment(&app, &who);
    assert_eq!(
        (
            &one["reasons"][0]["kind"],
            &one["withdrawn_at"],
            &one["status"]
        ),
        (&json!("import"), &Value::Null, &json!("compliant"))
    );
    let kept = rows(&app.api(), "/completions");
    assert_eq!(
        kept[0]["completed_at"], "2026-03-02T08:00:00.000Z",
        "clamped to now"
    );
    join(&app, &team, &[&ann]);
    let reason = through(&enrollment(&app, &who), &team);
    assert_eq!(reason["standing"]["status"], "compliant", "it counts");
    app.check();
}
