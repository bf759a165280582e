//! What is told of the past: approval and deletion (§5, §8), moved time zones (§9), explanations as of a day (§10), the audit
//! trail, dry runs.

use super::edges::sales;
use super::examples::*;
use crate::harness::build::rows;
use crate::harness::{TestApp, USER, Value, add_members, json, patch};

#[test]
fn r_10_whose_enrollment_a_job_still_writes_is_told_so() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, team) = sales(&app, json!({}));
    let (ann, who) = person(&app, "ann");
    join(&app, &team, &[&ann]);
    // As between the answer to a very large assignment and its job.
    for table in ["enrollment_reasons", "enrollment_cycles", "enrollments"] {
        app.execute(&format!("DELETE FROM {table}"));
    }
    let why = explained(&app, &who, &course);
    assert_eq!(
        (&why["enrolled"], &why["first_blocker"]["code"]),
        (&json!(false), &json!("job_running"))
    );
    assert!(why["first_blocker"]["fix"]["label"].is_string());
    app.reconcile();
    assert_eq!(explained(&app, &who, &course)["enrolled"], true);
}

#[test]
fn p_5_a_waiting_member_who_leaves_leaves_nothing_and_a_rejected_one_may_be_approved() {
    // §5.6, §5.7
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    app.approve_by_hand("okta");
    let (_, team) = sales(&app, json!({"mandatory": true}));
    let (gone, rejected) = (person(&app, "ann"), person(&app, "bob"));
    join(&app, &team, &[&gone.0, &rejected.0]);
    leave(&app, &team, &gone.0);
    let decide = |learner: &str, verb: &str| {
        app.api()
            .post(&format!("/learners/{learner}/{verb}"), &json!({}))
            .expect(200)
            .json["enrollments_created"]
            .clone()
    };
    assert_eq!(decide(&gone.1, "approve"), 0);
    decide(&rejected.1, "reject");
    let members = rows(&app.api(), &format!("/groups/{team}/members"));
    assert_eq!(
        (
            members.len(),
            &members[0]["state"],
            &members[0]["waiting_for"]
        ),
        (1, &json!("pending"), &json!("rejected"))
    );
    let body = patch(json!([add_members(&[&rejected.0])]));
    app.scim()
        .patch(&format!("/Groups/{team}"), &body)
        .expect(204);
    app.at("2026-03-05T08:00:00Z");
    assert_eq!(decide(&rejected.1, "approve"), 1);
    let since = through(&enrollment(&app, &rejected.1), &team)["since"].clone();
    assert_eq!(since, "2026-03-05T08:00:00.000Z");
    // §5.5: all who wait, by their connection.
    app.at("2026-03-06T08:00:00Z");
    let late = person(&app, "carl");
    join(&app, &team, &[&late.0]);
    let id = rows(&app.api(), "/connections")[0]["id"].clone();
    let all = json!({"connection_id": id, "all_pending": true});
    let plan = app.api().post("/learners:approve?dry_run=true", &all);
    assert_eq!(plan.expect(200).json["summary"]["enrollments"]["create"], 1);
    let done = app.api().post("/learners:approve", &all);
    assert!([200, 202].contains(&done.status), "{done:?}");
    assert_eq!(enrollments(&app, &late.1).len(), 1);
    app.check();
}

#[test]
fn d_8_who_was_deleted_is_former_in_what_was_and_absent_from_what_is() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, team) = sales(&app, json!({"mandatory": true}));
    let (dora, who) = person(&app, "dora");
    let (ann, _) = person(&app, "ann");
    join(&app, &team, &[&dora, &ann]);
    complete(&app, &who, &course, "2026-03-01T08:00:00Z");
    app.at("2026-03-10T08:00:00Z");
    app.scim().delete(&format!("/Users/{dora}")).expect(204);
    for gone in [
        app.scim().get(&format!("/Users/{dora}")),
        app.scim().put(
            &format!("/Users/{dora}"),
            &json!({"schemas": [USER], "userName": "dora"}),
        ),
        app.scim().patch(
            &format!("/Users/{dora}"),
            &patch(json!([{"op": "replace", "path": "active", "value": true}])),
        ),
        app.scim().delete(&format!("/Users/{dora}")),
    ] {
        gone.scim_failure(404);
    }
    let found = app.scim().get("/Users?filter=userName eq \"dora\"");
    assert_eq!(found.expect(200).json["totalResults"], 0);
    app.at("2026-03-11T08:00:00Z");
    let obligations = |at: &str| {
        let path = format!("/groups/{team}/compliance?as_of={at}");
        app.api().get(&path).expect(200).json["total"]["mandatory"]["obligations"].clone()
    };
    assert_eq!(obligations("2026-03-11T08:00:00Z"), 1);
    assert_eq!(obligations("2026-03-09T08:00:00Z"), 2, "as it was");
    let export = app.api().get("/exports/completions.csv");
    assert!(export.expect(200).text.contains("2026-03-01"), "{export:?}");
    // The userName is free; without the externalId it is another person.
    let other = json!({"schemas": [USER], "userName": "dora", "externalId": "somebody else"});
    app.scim().post("/Users", &other).expect(201);
    let stranger = learner(&app.api(), "dora");
    assert_ne!(stranger, who);
    assert!(enrollments(&app, &stranger).is_empty());
    app.check();
}

#[test]
fn t_9_1_a_tenant_that_moves_keeps_its_dates_and_their_frozen_outcomes() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let due = json!({"kind": "date", "date": "2026-03-29"});
    let (course, team) = sales(&app, json!({"mandatory": true, "due": due}));
    let (open, done) = (person(&app, "ann"), person(&app, "bob"));
    join(&app, &team, &[&open.0, &done.0]);
    // 00:30 on 30 March in Berlin.
    app.at("2026-03-29T22:30:00Z");
    complete(&app, &done.1, &course, "2026-03-29T22:30:00Z");
    assert_eq!(enrollment(&app, &open.1)["status"], "overdue");
    let zone = json!({"time_zone": "America/New_York"});
    app.api().patch("/settings", &zone).expect(200);
    let one = enrollment(&app, &open.1);
    assert_eq!(
        (&one["status"], &one["due"]),
        (&json!("not_started"), &json!("2026-03-29")),
        "still that day in New York"
    );
    assert_eq!(
        through(&enrollment(&app, &done.1), &team)["outcomes"],
        json!([{"cycle": 1, "due": "2026-03-29", "on_time": false}]),
        "what is frozen does not move"
    );
    app.at("2026-03-30T04:00:00Z");
    assert_eq!(enrollment(&app, &open.1)["status"], "overdue");
    app.check();
}

#[test]
fn r_10_as_of_tells_what_was_so_by_the_knowledge_of_then_or_of_now() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, team) = sales(&app, json!({"mandatory": true}));
    let (ann, who) = person(&app, "ann");
    join(&app, &team, &[&ann]);
    app.at("2026-03-20T08:00:00Z");
    // Done on the 5th, recorded on the 20th.
    complete(&app, &who, &course, "2026-03-05T08:00:00Z");
    let compliant = |at: &str, knowledge: &str| {
        let path = format!("/groups/{team}/compliance?as_of={at}&knowledge={knowledge}");
        app.api().get(&path).expect(200).json["total"]["mandatory"]["compliant"].clone()
    };
    for (at, knowledge, expected) in [
        ("2026-03-04T08:00:00Z", "now", 0),
        ("2026-03-10T08:00:00Z", "now", 1),
        ("2026-03-10T08:00:00Z", "then", 0),
        ("2026-03-20T08:00:00Z", "then", 1),
    ] {
        assert_eq!(compliant(at, knowledge), expected, "{at} {knowledge}");
    }
}

#[test]
fn i_2_11_who_joined_and_who_left_stands_in_the_audit_trail_whoever_wrote_it() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let team = group(&app, "Sales");
    let people: Vec<(String, String)> = (0..3).map(|n| person(&app, &format!("p{n}"))).collect();
    let who = |n: usize| json!(people[n].1);
    join(&app, &team, &[&people[0].0, &people[1].0]);
    leave(&app, &team, &people[0].0);
    let members = format!("/groups/{team}/members");
    let body = json!({"learners": [{"id": who(2)}]});
    app.api().post(&members, &body).expect(200);
    app.api()
        .delete(&format!("{members}/{}", people[1].1))
        .expect(204);
    let file = format!("group,email,user_name,action\n{team},,p0,add\n{team},,p2,remove\n");
    crate::csv::import(&app.api(), "kind=members", &file);
    // A repeat says nothing.
    join(&app, &team, &[&people[0].0]);
    let mut told = rows(&app.api(), "/audit-events?type=group.members_changed");
    told.sort_by_key(|row| row["id"].as_str().map(str::to_owned));
    let told: Vec<(Value, Value)> = told
        .iter()
        .map(|row| {
            assert_eq!(row["entity_id"], json!(team));
            (
                row["data"]["who_joined"].clone(),
                row["data"]["who_left"].clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (json!([who(0), who(1)]), json!([])),
            (json!([]), json!([who(0)])),
            (json!([who(2)]), json!([])),
            (json!([]), json!([who(1)])),
            (json!([who(0)]), json!([who(2)])),
        ]
    );
    // The timeline tells each of them once, by the membership itself.
    let timeline = rows(&app.api(), &format!("/groups/{team}/timeline"));
    assert!(
        !timeline
            .iter()
            .any(|row| row["what"] == "group.members_changed")
    );
}

#[test]
fn a5_a_dry_run_says_who_becomes_expired_by_it() {
    let app = TestApp::in_zone(BERLIN, "2026-01-10T08:00:00Z");
    let (course, team) = sales(&app, json!({"mandatory": true, "recert_months": 2}));
    let (ann, who) = person(&app, "ann");
    join(&app, &team, &[&ann]);
    complete(&app, &who, &course, "2026-01-10T08:00:00Z");
    app.at("2026-03-08T08:00:00Z");
    complete(&app, &who, &course, "2026-03-08T08:00:00Z");
    let last = rows(&app.api(), "/completions")
        .into_iter()
        .find(|row| row["completed_at"] == "2026-03-08T08:00:00.000Z")
        .expect("the second")["id"]
        .clone();
    // Taking the second completion away leaves a certificate that has lapsed on 10 March.
    app.at("2026-03-20T08:00:00Z");
    let path = format!("/completions/{}/void", last.as_str().unwrap_or_default());
    let why = json!({"reason": "a mistake"});
    let plan = app.api().post(&format!("{path}?dry_run=true"), &why);
    let summary = plan.expect(200).json["summary"].clone();
    assert_eq!(
        (&summary["becomes_expired"], &summary["becomes_overdue"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(
        enrollment(&app, &who)["status"],
        "compliant",
        "nothing stayed"
    );
    app.api().post(&path, &why).expect(200);
    assert_eq!(enrollment(&app, &who)["status"], "expired");
    // §7.2: who comes back soon has the old clock, and what lapsed meanwhile has lapsed while owed.
    leave(&app, &team, &ann);
    let members = format!("/groups/{team}/members");
    let body = json!({"learners": [{"id": who}]});
    let plan = app.api().post(&format!("{members}?dry_run=true"), &body);
    assert_eq!(plan.expect(200).json["summary"]["becomes_expired"], 1);
    app.api().post(&members, &body).expect(200);
    assert_eq!(enrollment(&app, &who)["status"], "expired");
    app.check();
}
