//! The triggers of §4, row by row: what each writes carries the id of its one request, and nothing else does; what it must not
//! do is not done. Enrollments only ever come of `enroll`, so each row is seen in its events.

use rollcall::learning::plan::SubscriptionPlan;

use super::examples::*;
use crate::harness::build::rows;
use crate::harness::{Reply, TestApp, add_members, json, patch, remove_member};

/// The types of what a request left in the audit trail, sorted, each once.
fn left(app: &TestApp, reply: &Reply) -> Vec<String> {
    assert!(reply.status < 300, "{reply:?}");
    let request = reply.header("x-request-id");
    let of_it = |row: &crate::harness::Value| row["request_id"] == request;
    types(app, of_it)
}

fn types(app: &TestApp, wanted: impl Fn(&crate::harness::Value) -> bool) -> Vec<String> {
    let mut types: Vec<String> = rows(&app.api(), "/audit-events")
        .iter()
        .filter(|row| wanted(row))
        .map(|row| row["type"].as_str().unwrap_or_default().to_owned())
        .collect();
    types.sort();
    types.dedup();
    types
}

#[test]
fn t_4_each_trigger_writes_its_row_in_one_request() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (api, scim) = (app.api(), app.scim());
    let course = app.course("Security");
    let made = api.post("/groups", &json!({"name": "Sales"}));
    assert_eq!(left(&app, &made), ["group.created"], "4.1");
    let team = made.id();
    let (path, group) = (format!("/Groups/{team}"), format!("/groups/{team}"));
    let people: Vec<(String, String)> = (0..4).map(|n| person(&app, &format!("p{n}"))).collect();
    let add = |n: usize| scim.patch(&path, &patch(json!([add_members(&[&people[n].0])])));
    let owed = |n: usize| enrollments(&app, &people[n].1).len();

    assert_eq!(left(&app, &add(0)), ["group.members_changed"], "4.2");
    let terms = json!({"course_id": course, "mandatory": true, "recert_months": 1});
    let assigned = api.post(&format!("{group}/assignments"), &terms);
    assert_eq!(
        left(&app, &assigned),
        ["assignment.created", "enrollment.created"],
        "4.3"
    );
    let joined = add(1);
    assert_eq!(
        left(&app, &joined),
        ["enrollment.created", "group.members_changed"],
        "4.2"
    );

    let learner =
        |n: usize, verb: &str| api.post(&format!("/learners/{}/{verb}", people[n].1), &json!({}));
    learner(2, "revoke").expect(200);
    add(2).expect(204);
    assert_eq!(owed(2), 0);
    let approved = learner(2, "approve");
    assert_eq!(
        left(&app, &approved),
        ["enrollment.created", "learner.approved"],
        "4.4"
    );
    activate(&app, &people[3].0, false);
    add(3).expect(204);
    assert_eq!(owed(3), 0);
    let active = patch(json!([{"op": "replace", "path": "active", "value": true}]));
    let back = scim.patch(&format!("/Users/{}", people[3].0), &active);
    assert_eq!(
        left(&app, &back),
        ["enrollment.created", "learner.activated"],
        "4.5"
    );

    let edited = api.patch(&group, &json!({"description": "Field sales"}));
    assert_eq!(left(&app, &edited), ["group.updated"], "4.9");
    let assignment = format!("/assignments/{}", assigned.id());
    let edited = api.patch(&assignment, &json!({"mandatory": false}));
    assert_eq!(left(&app, &edited), ["assignment.updated"], "4.10");
    let done = json!({"completions": [{"learner_id": people[0].1, "course_id": course,
        "completed_at": "2026-03-01T08:00:00Z", "source": "player"}]});
    assert_eq!(
        left(&app, &api.post("/completions", &done)),
        ["completion.recorded"],
        "4.11"
    );
    let one = enrollment(&app, &people[0].1);
    assert_eq!(
        one["cycle"]["completed_at"], "2026-03-01T08:00:00.000Z",
        "4.11"
    );
    assert_eq!(
        through(&one, &team)["outcomes"].as_array().map(Vec::len),
        Some(1),
        "4.11"
    );
    let id = enrollment(&app, &people[1].1)["id"].clone();
    let withdraw = format!("/enrollments/{}/withdraw", id.as_str().unwrap_or_default());
    let withdrawn = api.post(&withdraw, &json!({"reason": "by mistake"}));
    assert_eq!(left(&app, &withdrawn), ["enrollment.withdrawn"], "4.13");

    // 4.14, three ways of owing again what was held back.
    let second = app.course("First aid");
    let status =
        |status: &str| api.patch(&format!("/courses/{second}"), &json!({ "status": status }));
    assign(&app, &team, &second, json!({}));
    let both = |n: usize| (n, person(&app, &format!("late{n}")));
    let connection = rows(&api, "/connections")[0]["id"].clone();
    let connection = format!("/connections/{}", connection.as_str().unwrap_or_default());
    let mode = |mode: &str| api.patch(&connection, &json!({ "mode": mode }));
    status("archived").expect(200);
    let (_, (user, who)) = both(1);
    join(&app, &team, &[&user]);
    assert_eq!(enrollments(&app, &who).len(), 1);
    assert_eq!(
        left(&app, &status("published")),
        ["course.updated", "enrollment.created"],
        "4.14"
    );
    assert_eq!(enrollments(&app, &who).len(), 2);
    mode("observe").expect(200);
    let (_, (user, who)) = both(2);
    join(&app, &team, &[&user]);
    assert!(enrollments(&app, &who).is_empty());
    assert_eq!(
        left(&app, &mode("live")),
        ["connection.updated", "enrollment.created"],
        "4.14"
    );
    assert_eq!(enrollments(&app, &who).len(), 2);
    app.set_plan(SubscriptionPlan::Starter);
    let (_, (user, who)) = both(3);
    join(&app, &team, &[&user]);
    app.at("2026-03-02T08:00:00Z");
    app.set_plan(SubscriptionPlan::Business);
    let upgraded = |row: &crate::harness::Value| row["at"] == "2026-03-02T08:00:00.000Z";
    assert_eq!(
        types(&app, upgraded),
        ["enrollment.created", "plan.changed"],
        "4.14"
    );
    assert_eq!(enrollments(&app, &who).len(), 2);

    // 4.12: valid to 1 April, so the window of half the days opens on 17 March; once, and for nobody who never completed.
    app.at("2026-03-16T22:59:59Z");
    app.reconcile();
    assert_eq!(cycle(&api, &people[0].1)["n"], 1);
    app.at("2026-03-16T23:00:00Z");
    app.reconcile();
    let opened = |row: &crate::harness::Value| row["at"] == "2026-03-16T23:00:00.000Z";
    assert_eq!(types(&app, opened), ["enrollment.cycle_opened"], "4.12");
    app.reconcile();
    let n = |who: &str| enrollment_in(&app, who, &course)["cycle"]["n"].clone();
    assert_eq!(
        (n(&people[0].1), n(&people[2].1)),
        (json!(2), json!(1)),
        "4.12"
    );

    // What ends: no enrollment, no cycle, no completion.
    let before = rows(&api, "/enrollments").len();
    let leave = scim.patch(&path, &patch(json!([remove_member(&people[0].0)])));
    assert_eq!(left(&app, &leave), ["group.members_changed"], "4.7");
    let absent = scim.patch(&path, &patch(json!([remove_member(&people[0].0)])));
    assert!(left(&app, &absent).is_empty(), "4.7: an absent member");
    assert_eq!(
        left(&app, &api.delete(&assignment)),
        ["assignment.removed"],
        "4.6"
    );
    assert_eq!(left(&app, &api.delete(&group)), ["group.deleted"], "4.8");
    let kept = rows(&api, "/enrollments");
    assert_eq!(kept.len(), before);
    assert_eq!(
        kept.iter()
            .filter(|row| !row["withdrawn_at"].is_null())
            .count(),
        1,
        "4.13 alone"
    );
    assert_eq!(rows(&api, "/completions").len(), 1);
    let causes: Vec<String> = enrollments(&app, &people[2].1)
        .iter()
        .map(|one| {
            one["reasons"][0]["end_cause"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    assert!(
        causes.contains(&"assignment_removed".to_owned())
            && causes.contains(&"group_deleted".to_owned())
    );
    app.check();
}

#[test]
fn t_4_12_the_earliest_window_of_all_obligations_opens_the_cycle() {
    let app = TestApp::in_zone(BERLIN, "2026-01-15T08:00:00Z");
    let course = app.course("Security");
    let (ann, who) = person(&app, "ann");
    for (name, months) in [("Slow", 12), ("Fast", 6)] {
        let team = group(&app, name);
        assign(&app, &team, &course, json!({"recert_months": months}));
        join(&app, &team, &[&ann]);
    }
    complete(&app, &who, &course, "2026-01-15T08:00:00Z");
    // 15 July less 30 days.
    for (at, n) in [
        ("2026-06-14T21:59:59Z", 1),
        ("2026-06-14T22:00:00Z", 2),
        ("2026-12-20T08:00:00Z", 2),
    ] {
        app.at(at);
        app.reconcile();
        assert_eq!(cycle(&app.api(), &who)["n"], n, "{at}");
    }
    app.check();
}
