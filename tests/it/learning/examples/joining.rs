//! Examples A, B, C and G: who is obliged by what, who waits, who leaves and comes back.

use super::*;
use crate::harness::user;

#[test]
fn a_two_groups_one_course() {
    let app = TestApp::in_zone(BERLIN, "2026-02-01T09:00:00Z");
    let course = app.course("Security");
    let (sales, berlin) = (group(&app, "Sales"), group(&app, "Berlin"));
    assign(
        &app,
        &sales,
        &course,
        json!({"mandatory": true, "due": {"kind": "date", "date": "2026-03-31"}}),
    );
    assign(
        &app,
        &berlin,
        &course,
        json!({"due": {"kind": "relative", "days": 10}, "recert_months": 12}),
    );
    let (ann, who) = person(&app, "ann");
    app.at("2026-03-01T09:00:00Z");
    join(&app, &sales, &[&ann]);
    app.at("2026-03-05T10:00:00Z");
    join(&app, &berlin, &[&ann]);

    let one = enrollment(&app, &who);
    assert_eq!(one["reasons"].as_array().map(Vec::len), Some(2));
    assert_eq!(through(&one, &sales)["standing"]["due"], "2026-03-31");
    assert_eq!(through(&one, &berlin)["standing"]["due"], "2026-03-15");
    assert_eq!(
        (&one["mandatory"], &one["due"], &one["due_set_by"]["group"]),
        (&json!(true), &json!("2026-03-15"), &json!("Berlin"))
    );

    app.at("2026-03-16T12:00:00Z");
    assert_eq!(in_report(&app, &sales), "not_started");
    assert_eq!(in_report(&app, &berlin), "overdue");
    let one = enrollment(&app, &who);
    assert_eq!(one["status"], "not_started", "from the mandatory one");
    assert_eq!(one["due"], "2026-03-15");

    app.at("2026-03-20T15:00:00Z");
    complete(&app, &who, &course, "2026-03-20T14:00:00Z");
    let one = enrollment(&app, &who);
    assert_eq!(
        through(&one, &sales)["outcomes"],
        json!([{"cycle": 1, "due": "2026-03-31", "on_time": true}])
    );
    assert_eq!(
        through(&one, &berlin)["outcomes"],
        json!([{"cycle": 1, "due": "2026-03-15", "on_time": false}])
    );
    assert_eq!(
        (&one["valid_until"], &one["valid_until_set_by"]["group"]),
        (&json!("2027-03-20"), &json!("Berlin"))
    );

    app.at("2027-01-31T23:00:00Z");
    let tokens = fresh(&app);
    app.at("2027-02-17T22:59:59Z");
    app.reconcile();
    assert_eq!(cycle(&tokens, &who)["n"], 1);
    app.at("2027-02-17T23:00:00Z");
    app.reconcile();
    let second = cycle(&tokens, &who);
    assert_eq!(
        (&second["n"], &second["opened_at"], &second["opened_by"]),
        (
            &json!(2),
            &json!("2027-02-17T23:00:00.000Z"),
            &json!("recertification")
        )
    );
    app.reconcile();
    assert_eq!(cycle(&tokens, &who)["n"], 2, "once");

    app.at("2027-03-25T12:00:00Z");
    let page = tokens.get(&format!("/enrollments?learner_id={who}"));
    let one = &page.expect(200).json["data"][0];
    assert_eq!(through(one, &berlin)["standing"]["status"], "expired");
    assert_eq!(through(one, &sales)["standing"]["status"], "compliant");
    app.check();
}

#[test]
fn b_a_push_of_somebody_who_is_not_approved() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    app.approve_by_hand("okta");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    assign(&app, &sales, &course, json!({"mandatory": true}));
    let ann = app.scim().post("/Users", &user("ann")).expect(201).id();
    let ann_learner = learner(&app.api(), "ann");
    app.api()
        .post(&format!("/learners/{ann_learner}/approve"), &json!({}))
        .expect(200);
    let made = app.scim().post(
        "/Users",
        &json!({"schemas": [crate::harness::USER], "userName": "bob", "active": true}),
    );
    assert_eq!(
        made.expect(201).json["active"],
        true,
        "approval is never folded into active"
    );
    let (bob, who) = (made.id(), learner(&app.api(), "bob"));
    join(&app, &sales, &[&ann, &bob]);
    let mut members = app.scim().get(&format!("/Groups/{sales}")).members();
    members.sort();
    let mut both = vec![ann, bob.clone()];
    both.sort();
    assert_eq!(members, both, "the directory reads back what it wrote");
    let shown = app.api().get(&format!("/groups/{sales}"));
    assert_eq!(
        (
            &shown.json["counts"]["active"],
            &shown.json["counts"]["pending"]
        ),
        (&json!(1), &json!(1))
    );
    assert!(enrollments(&app, &who).is_empty());
    let logged = app.logged("the push", |row| row["operation"] == "patch");
    let push = app.api().get(&format!(
        "/sync/requests/{}",
        logged["id"].as_str().unwrap_or_default()
    ));
    let warned = &push.json["warnings"][0];
    assert_eq!(warned["code"], "member_pending_approval");
    assert_eq!(
        warned["path"],
        json!(format!("members[value eq \"{bob}\"]")),
        "it names Bob"
    );
    app.at("2026-03-04T10:00:00Z");
    let approved = app
        .api()
        .post(&format!("/learners/{who}/approve"), &json!({}));
    assert_eq!(approved.expect(200).json["enrollments_created"], 1);
    let one = enrollment(&app, &who);
    assert_eq!(through(&one, &sales)["since"], "2026-03-04T10:00:00.000Z");
    let chain = explained(&app, &who, &course)["chain"].to_string();
    let request = format!("sync_request/{}", push.id());
    assert!(chain.contains(&request), "back to the PATCH: {chain}");
    app.check();
}

#[test]
fn c_leaving_and_coming_back() {
    for (back, due_since) in [
        ("2026-03-12T09:00:00Z", "2026-03-01T09:00:00.000Z"),
        ("2026-06-01T09:00:00Z", "2026-06-01T09:00:00.000Z"),
    ] {
        let app = TestApp::in_zone(BERLIN, "2026-03-01T09:00:00Z");
        let (course, sales) = (app.course("Security"), group(&app, "Sales"));
        assign(
            &app,
            &sales,
            &course,
            json!({"mandatory": true, "due": {"kind": "date", "date": "2026-03-31"}}),
        );
        let (ann, who) = person(&app, "ann");
        join(&app, &sales, &[&ann]);
        let id = enrollment(&app, &who)["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        app.api()
            .post(
                &format!("/enrollments/{id}/progress"),
                &json!({"progress_pct": 20}),
            )
            .expect(200);
        app.at("2026-03-10T09:00:00Z");
        leave(&app, &sales, &ann);
        let gone = enrollment(&app, &who);
        assert_eq!(
            (&gone["obligation"], &gone["status"]),
            (&json!(false), &json!("in_progress"))
        );
        app.at(back);
        let again = app.scim().patch(
            &format!("/Groups/{sales}"),
            &patch(json!([add_members(&[&ann])])),
        );
        let log = format!(
            "/sync/requests/{}",
            again.expect(204).header("x-request-id")
        );
        let warnings = app.api().get(&log).expect(200).json["warnings"].to_string();
        let late = back > "2026-04";
        assert_eq!(warnings.contains("due_date_in_past"), late, "{warnings}");
        let one = enrollment(&app, &who);
        assert_eq!(
            (&one["id"], &one["cycle"]["progress_pct"]),
            (&json!(id), &json!(20))
        );
        assert_eq!(one["due"], "2026-03-31");
        assert_eq!(through(&one, &sales)["since"], due_since);
        let status = if back < "2026-04" {
            "in_progress"
        } else {
            "overdue"
        };
        assert_eq!(one["status"], status);
        app.check();
    }
}

#[test]
fn g_removing_an_assignment_then_the_group_takes_nothing_away() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (one, two, sales) = (
        app.course("Security"),
        app.course("First aid"),
        group(&app, "Sales"),
    );
    let assignment = assign(
        &app,
        &sales,
        &one,
        json!({"mandatory": true, "due": {"kind": "date", "date": "2026-03-05"}}),
    );
    assign(&app, &sales, &two, json!({}));
    let (ann, who) = person(&app, "ann");
    join(&app, &sales, &[&ann]);
    complete(&app, &who, &two, "2026-03-01T08:00:00Z");
    let count = || {
        (
            enrollments(&app, &who).len(),
            rows(&app.api(), "/completions").len(),
        )
    };
    let before = count();
    app.at("2026-03-10T08:00:00Z");
    app.api()
        .delete(&format!("/assignments/{assignment}"))
        .expect(204);
    app.api().delete(&format!("/groups/{sales}")).expect(204);
    assert_eq!(count(), before);
    for one in enrollments(&app, &who) {
        let cause = if one["course_id"] == two.as_str() {
            "group_deleted"
        } else {
            "assignment_removed"
        };
        assert_eq!(one["reasons"][0]["end_cause"], cause);
        assert_eq!(
            (&one["obligation"], &one["due"]),
            (&json!(false), &Value::Null)
        );
        let status = if one["course_id"] == two.as_str() {
            "compliant"
        } else {
            "not_started"
        };
        assert_eq!(one["status"], status, "never overdue again");
    }
    app.check();
}
