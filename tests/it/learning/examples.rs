//! The worked examples A to I of the domain document (§12), instant by instant, through SCIM and REST.

use rollcall::learning::plan::SubscriptionPlan;

use crate::harness::build::rows;
use crate::harness::{Client, TestApp, Value, add_members, json, patch, remove_member, user};

const BERLIN: &str = "Europe/Berlin";

fn person(app: &TestApp, name: &str) -> (String, String) {
    let body = json!({"schemas": [crate::harness::USER], "userName": name, "externalId": format!("x-{name}"), "active": true});
    let id = app.scim().post("/Users", &body).expect(201).id();
    (id, learner(&app.api(), name))
}

fn learner(api: &Client, name: &str) -> String {
    rows(api, "/learners")
        .into_iter()
        .find(|row| row["name"] == name)
        .unwrap_or_else(|| panic!("no learner {name}"))["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

fn group(app: &TestApp, name: &str) -> String {
    app.api()
        .post("/groups", &json!({ "name": name }))
        .expect(201)
        .id()
}

fn assign(app: &TestApp, group: &str, course: &str, options: Value) -> String {
    let mut body = options;
    body["course_id"] = json!(course);
    app.api()
        .post(&format!("/groups/{group}/assignments"), &body)
        .expect(201)
        .id()
}

fn join(app: &TestApp, group: &str, users: &[&str]) {
    app.scim()
        .patch(
            &format!("/Groups/{group}"),
            &patch(json!([add_members(users)])),
        )
        .expect(204);
}

fn leave(app: &TestApp, group: &str, user: &str) {
    app.scim()
        .patch(
            &format!("/Groups/{group}"),
            &patch(json!([remove_member(user)])),
        )
        .expect(204);
}

fn activate(app: &TestApp, user: &str, active: bool) {
    let operation = json!([{"op": "replace", "path": "active", "value": active}]);
    app.scim()
        .patch(&format!("/Users/{user}"), &patch(operation));
}

fn complete(app: &TestApp, learner: &str, course: &str, at: &str) {
    let body = json!({"completions": [{"learner_id": learner, "course_id": course, "completed_at": at, "source": "player"}]});
    let done = app.api().post("/completions", &body);
    done.expect(200);
    assert_eq!(done.json["results"][0]["outcome"], "recorded", "{done:?}");
}

fn enrollments(app: &TestApp, learner: &str) -> Vec<Value> {
    let report = app.api().get(&format!("/learners/{learner}/compliance"));
    report.expect(200);
    report.json["enrollments"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// The one enrollment of a learner.
#[track_caller]
fn enrollment(app: &TestApp, learner: &str) -> Value {
    let mut all = enrollments(app, learner);
    assert_eq!(all.len(), 1, "{}", json!(all));
    all.remove(0)
}

/// The live reason of a group.
fn through(enrollment: &Value, group: &str) -> Value {
    let reasons = enrollment["reasons"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    reasons
        .into_iter()
        .find(|one| one["group"]["id"] == group && one["ended_at"].is_null())
        .unwrap_or_else(|| panic!("no live reason: {enrollment}"))
}

/// How the only obligation of a group's only learner stands in the group's own report.
fn in_report(app: &TestApp, group: &str) -> Value {
    let rows = rows(&app.api(), &format!("/groups/{group}/progress"));
    rows[0]["courses"][0]["standing"]["status"].clone()
}

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

/// A REST client whose token was made now: the first one's year is over.
fn fresh(app: &TestApp) -> Client {
    app.client("/api/v1", Some(&app.token("api", None, None)))
}

fn cycle(api: &Client, learner: &str) -> Value {
    let page = api.get(&format!("/enrollments?learner_id={learner}"));
    page.expect(200);
    page.json["data"][0]["cycle"].clone()
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
        join(&app, &sales, &[&ann]);
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
fn d_leave_of_absence() {
    let app = TestApp::in_zone(BERLIN, "2025-05-01T08:00:00Z");
    let (first, sales) = (app.course("Security"), group(&app, "Sales"));
    assign(
        &app,
        &sales,
        &first,
        json!({"mandatory": true, "recert_months": 12}),
    );
    let (carl, who) = person(&app, "carl");
    join(&app, &sales, &[&carl]);
    app.at("2025-05-10T08:00:00Z");
    complete(&app, &who, &first, "2025-05-10T08:00:00Z");
    assert_eq!(enrollment(&app, &who)["valid_until"], "2026-05-10");
    app.at("2026-04-01T08:00:00Z");
    activate(&app, &carl, false);
    let report = app.api().get(&format!("/groups/{sales}/compliance"));
    report.expect(200);
    assert_eq!(report.json["counts"]["dormant"], 1);
    assert_eq!(
        report.json["total"]["mandatory"]["obligations"], 0,
        "outside the denominator"
    );
    assert_eq!(report.json["total"]["mandatory"]["rate"], Value::Null);
    app.at("2026-04-20T08:00:00Z");
    app.reconcile();
    assert_eq!(
        cycle(&app.api(), &who)["n"],
        1,
        "no cycle for somebody dormant"
    );
    let scim = app.client("/scim/v2", Some(&app.token("scim", None, Some("okta"))));
    let api = fresh(&app);
    app.at("2026-05-15T08:00:00Z");
    let second = crate::harness::build::course(&api, "First aid");
    api.post(
        &format!("/groups/{sales}/assignments"),
        &json!({"course_id": second}),
    )
    .expect(201);
    app.at("2026-06-01T08:00:00Z");
    let operation = patch(json!([{"op": "replace", "path": "active", "value": true}]));
    scim.patch(&format!("/Users/{carl}"), &operation);
    let mine = |title: &str| {
        let page = api.get(&format!("/enrollments?learner_id={who}"));
        let data = page.expect(200).json["data"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        data.into_iter()
            .find(|one| one["course_title"] == title)
            .unwrap_or_else(|| panic!("not enrolled in {title}"))
    };
    let one = mine("Security");
    assert_eq!(
        (&one["status"], &one["in_grace"], &one["due"]),
        (&json!("expiring"), &json!(true), &json!("2026-06-15"))
    );
    assert_eq!(
        through(&one, &sales)["standing"]["adjustments"],
        json!([{"kind": "return_grace", "from": "2026-05-10", "to": "2026-06-15"}])
    );
    assert_eq!(one["cycle"]["n"], 2);
    assert_eq!(mine("First aid")["status"], "not_started");
    app.at("2026-06-15T21:59:59Z");
    assert_eq!(mine("Security")["status"], "expiring");
    app.at("2026-06-15T22:00:00Z");
    assert_eq!(mine("Security")["status"], "expired");
    app.check();
}

#[test]
fn e_deleted_and_back_with_history() {
    let app = TestApp::in_zone(BERLIN, "2026-01-10T08:00:00Z");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    assign(&app, &sales, &course, json!({"mandatory": true}));
    let (dora, who) = person(&app, "dora");
    join(&app, &sales, &[&dora]);
    app.at("2026-02-02T08:00:00Z");
    complete(&app, &who, &course, "2026-02-02T08:00:00Z");
    app.at("2026-02-10T08:00:00Z");
    app.scim().delete(&format!("/Users/{dora}")).expect(204);
    app.scim().get(&format!("/Users/{dora}")).expect(404);
    app.scim().delete(&format!("/Users/{dora}")).expect(404);
    assert!(
        app.scim()
            .get(&format!("/Groups/{sales}"))
            .members()
            .is_empty()
    );
    let kept = app.api().get("/completions");
    assert_eq!(
        (
            &kept.expect(200).json["data"][0]["former"],
            &kept.json["data"][0]["completed_at"]
        ),
        (&json!(true), &json!("2026-02-02T08:00:00.000Z"))
    );
    app.at("2026-03-01T08:00:00Z");
    let body = json!({"schemas": [crate::harness::USER], "userName": "dora.new", "externalId": "x-dora", "active": true});
    let back = app.scim().post("/Users", &body).expect(201).id();
    assert_ne!(back, dora, "ids are never reused");
    assert_eq!(learner(&app.api(), "dora.new"), who, "the same person");
    join(&app, &sales, &[&back]);
    assert_eq!(enrollment(&app, &who)["status"], "compliant");
    assert_eq!(
        app.api().get("/completions").json["data"][0]["former"],
        false
    );
    app.check();
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

#[test]
fn h_the_31st_of_january() {
    let app = TestApp::in_zone(BERLIN, "2026-01-20T10:00:00Z");
    let (course, sales) = (app.course("Drill"), group(&app, "Sales"));
    assign(
        &app,
        &sales,
        &course,
        json!({"mandatory": true, "recert_months": 1}),
    );
    let (ann, who) = person(&app, "ann");
    join(&app, &sales, &[&ann]);
    app.at("2026-01-31T10:00:00Z");
    complete(&app, &who, &course, "2026-01-31T10:00:00Z");
    for (at, status) in [
        ("2026-02-13T22:59:59Z", "compliant"),
        ("2026-02-13T23:00:00Z", "expiring"),
        ("2026-02-28T22:59:59Z", "expiring"),
        ("2026-02-28T23:00:00Z", "expired"),
    ] {
        app.at(at);
        let one = enrollment(&app, &who);
        assert_eq!(
            (&one["status"], &one["valid_until"]),
            (&json!(status), &json!("2026-02-28")),
            "{at}"
        );
    }
    complete(&app, &who, &course, "2026-02-28T10:00:00Z");
    assert_eq!(enrollment(&app, &who)["valid_until"], "2026-03-28");
    app.check();
}

#[test]
fn i_downgrade_and_upgrade() {
    let app = TestApp::in_zone(BERLIN, "2026-05-01T08:00:00Z");
    let course = app.course("Security");
    let sales = app
        .scim()
        .post("/Groups", &crate::harness::group("Sales", &[]))
        .expect(201)
        .id();
    assign(
        &app,
        &sales,
        &course,
        json!({"mandatory": true, "due": {"kind": "date", "date": "2026-05-20"}}),
    );
    let members: Vec<String> = (0..5)
        .map(|n| person(&app, &format!("member{n}")).0)
        .collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    join(&app, &sales, &members);
    app.at("2026-06-01T08:00:00Z");
    app.set_plan(SubscriptionPlan::Starter);
    let refused = app.api().post("/groups", &json!({"name": "New"}));
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (403, &json!("plan_upgrade_required"))
    );
    app.at("2026-06-03T08:00:00Z");
    let (eve, who) = person(&app, "eve");
    join(&app, &sales, &[&eve]);
    assert!(enrollments(&app, &who).is_empty(), "nothing is owed");
    assert!(
        app.scim()
            .get(&format!("/Groups/{sales}"))
            .members()
            .contains(&eve)
    );
    let logged = app.logged("the parked push", |row| {
        row["operation"] == "patch" && row["resource_type"] == "Group" && row["outcome"] == "parked"
    });
    assert_eq!(logged["http_status"], 204);
    app.at("2026-06-10T08:00:00Z");
    app.set_plan(SubscriptionPlan::Business);
    let one = enrollment(&app, &who);
    assert_eq!(through(&one, &sales)["since"], "2026-06-10T08:00:00.000Z");
    assert_eq!(
        (&one["due"], &one["status"]),
        (&json!("2026-07-10"), &json!("not_started")),
        "time to do it (§7.15)"
    );
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
    let mut both = vec![ann, bob];
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
    assert!(
        push.json.to_string().contains("member_pending_approval"),
        "{push:?}"
    );
    app.at("2026-03-04T10:00:00Z");
    let approved = app
        .api()
        .post(&format!("/learners/{who}/approve"), &json!({}));
    assert_eq!(approved.expect(200).json["enrollments_created"], 1);
    let one = enrollment(&app, &who);
    assert_eq!(through(&one, &sales)["since"], "2026-03-04T10:00:00.000Z");
    app.check();
}

#[test]
fn f_shortening_a_recertification_shows_whom_it_hits_and_gives_them_time() {
    let app = TestApp::in_zone(BERLIN, "2025-06-01T08:00:00Z");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    let assignment = assign(
        &app,
        &sales,
        &course,
        json!({"mandatory": true, "recert_months": 24}),
    );
    let people: Vec<(String, String)> = (0..6).map(|n| person(&app, &format!("p{n}"))).collect();
    let users: Vec<&str> = people.iter().map(|(user, _)| user.as_str()).collect();
    join(&app, &sales, &users);
    for (n, (_, who)) in people.iter().enumerate() {
        // Two long ago, the others a month ago.
        let at = if n < 2 {
            "2024-09-01T08:00:00Z"
        } else {
            "2025-05-01T08:00:00Z"
        };
        complete(&app, who, &course, at);
    }
    app.at("2025-11-10T08:00:00Z");
    let path = format!("/assignments/{assignment}");
    let shorter = json!({"recert_months": 12});
    let refused = app.api().patch(&path, &shorter);
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (422, &json!("impact_confirmation_required")),
        "{refused:?}"
    );
    assert_eq!(refused.json["becomes_expired"], 2);
    let listed = refused.json["learners"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    for (_, who) in &people[..2] {
        assert!(listed.contains(&json!(who)), "{refused:?}");
    }
    let stale = json!({"recert_months": 12, "impact_token": "another"});
    assert_eq!(app.api().patch(&path, &stale).status, 422);
    let seen = json!({"recert_months": 12, "impact_token": refused.json["impact_token"]});
    let edited = app.api().patch(&path, &seen);
    assert_eq!(edited.expect(200).json["impact"]["extended"], 2);
    for (n, (_, who)) in people.iter().enumerate() {
        let one = enrollment(&app, who);
        if n < 2 {
            assert_eq!(
                (&one["status"], &one["in_grace"], &one["due"]),
                (&json!("expiring"), &json!(true), &json!("2025-12-10"))
            );
        } else {
            assert_eq!(
                (&one["status"], &one["valid_until"]),
                (&json!("compliant"), &json!("2026-05-01"))
            );
        }
    }
    let strict = app
        .api()
        .get(&format!("/groups/{sales}/compliance?strict=true"));
    assert_eq!(strict.expect(200).json["total"]["mandatory"]["expired"], 2);
    app.at("2025-12-10T23:00:00Z");
    assert_eq!(enrollment(&app, &people[0].1)["status"], "expired");
    app.check();
}

#[test]
fn an_edit_for_the_future_leaves_present_obligations_their_terms() {
    // §6.4; mandatory holds for all at once (§6.3)
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    let due = |date: &str| json!({"kind": "date", "date": date});
    let assignment = assign(&app, &sales, &course, json!({"due": due("2026-03-31")}));
    let (ann, who) = person(&app, "ann");
    join(&app, &sales, &[&ann]);
    app.at("2026-03-02T08:00:00Z");
    let edit = json!({"due": due("2026-06-30"), "mandatory": true, "apply_to": "future"});
    app.api()
        .patch(&format!("/assignments/{assignment}"), &edit)
        .expect(200);
    let (bob, other) = person(&app, "bob");
    join(&app, &sales, &[&bob]);
    let (first, second) = (enrollment(&app, &who), enrollment(&app, &other));
    assert_eq!(
        (&first["due"], &first["mandatory"]),
        (&json!("2026-03-31"), &json!(true))
    );
    assert_eq!(second["due"], "2026-06-30");
    app.check();
}

fn explained(app: &TestApp, learner: &str, course: &str) -> Value {
    let answer = app
        .api()
        .get(&format!("/explain?learner={learner}&course={course}"));
    answer.expect(200);
    answer.json.clone()
}

#[test]
fn explain_names_the_chain_of_an_enrollment_and_the_first_blocker_of_everybody_else() {
    // §10, A6
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    assign(
        &app,
        &sales,
        &course,
        json!({"due": {"kind": "relative", "days": 10}}),
    );
    let (ann, who) = person(&app, "ann");
    let (_, nobody) = person(&app, "nobody");
    let why = explained(&app, &nobody, &course);
    assert_eq!(
        (&why["enrolled"], &why["first_blocker"]["code"]),
        (&json!(false), &json!("no_membership"))
    );
    join(&app, &sales, &[&ann]);
    let why = explained(&app, &who, &course);
    assert_eq!(
        (&why["enrolled"], &why["first_blocker"]),
        (&json!(true), &Value::Null)
    );
    let chain = why["chain"].to_string();
    for part in ["sync_request/", "membership/", "assignment/", "enrollment/"] {
        assert!(chain.contains(part), "{part}: {chain}");
    }
    assert_eq!(why["due"]["from"], "Sales: 10 days after joining");

    // Each kind of not enrolled, and what to do.
    let draft = app.course("Ethics");
    let (bob, waiting) = person(&app, "bob");
    app.api()
        .post(&format!("/learners/{waiting}/revoke"), &json!({}))
        .expect(200);
    let (carl, away) = person(&app, "carl");
    activate(&app, &carl, false);
    join(&app, &sales, &[&bob, &carl]);
    for (learner, code, fix) in [
        (&waiting, "pending_approval", "Approve bob"),
        (&away, "dormant", "Activate carl in the directory"),
    ] {
        let blocker = explained(&app, learner, &course)["first_blocker"].clone();
        assert_eq!(
            (&blocker["code"], &blocker["fix"]["label"]),
            (&json!(code), &json!(fix))
        );
    }
    assign(&app, &sales, &draft, json!({}));
    app.api()
        .patch(&format!("/courses/{draft}"), &json!({"status": "archived"}))
        .expect(200);
    let (dora, late) = person(&app, "dora");
    join(&app, &sales, &[&dora]);
    assert_eq!(
        explained(&app, &late, &draft)["first_blocker"]["code"],
        "course_not_published"
    );
    let id = enrollment_in(&app, &late, &course)["id"].clone();
    let path = format!("/enrollments/{}/withdraw", id.as_str().unwrap_or_default());
    app.api()
        .post(&path, &json!({"reason": "by mistake"}))
        .expect(200);
    assert_eq!(
        explained(&app, &late, &course)["first_blocker"]["code"],
        "withdrawn"
    );
    app.set_plan(SubscriptionPlan::Starter);
    let (eve, parked) = person(&app, "eve");
    join(&app, &sales, &[&eve]);
    assert_eq!(
        explained(&app, &parked, &course)["first_blocker"]["code"],
        "parked_plan"
    );
    app.check();
}

fn enrollment_in(app: &TestApp, learner: &str, course: &str) -> Value {
    enrollments(app, learner)
        .into_iter()
        .find(|one| one["course_id"] == course)
        .expect("an enrollment")
}

#[test]
fn a_starter_tenant_sees_no_groups_and_its_users_keep_working() {
    // S-02, §7.15
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    app.set_plan(SubscriptionPlan::Starter);
    let types = app.scim().get("/ResourceTypes");
    assert!(
        !types.expect(200).json.to_string().contains("\"Group\""),
        "{types:?}"
    );
    app.scim().get("/ResourceTypes/Group").expect(404);
    let list = app.scim().get("/Groups");
    assert_eq!(list.status, 403, "{list:?}");
    assert!(
        list.json["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("Professional")),
        "{list:?}"
    );
    let made = app
        .scim()
        .post("/Groups", &crate::harness::group("Sales", &[]));
    assert_eq!(made.status, 403);
    let (ann, _) = person(&app, "ann");
    activate(&app, &ann, false);
    app.scim().get(&format!("/Users/{ann}")).expect(200);
    app.set_plan(SubscriptionPlan::Professional);
    let types = app.scim().get("/ResourceTypes");
    assert!(types.expect(200).json.to_string().contains("\"Group\""));
    app.scim().get("/Groups").expect(200);
}

#[test]
fn suspension_is_an_admins_and_the_directory_never_lifts_it() {
    // §2.2, §7.27
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    let (ann, who) = person(&app, "ann");
    join(&app, &sales, &[&ann]);
    let suspend = |yes: bool| {
        let edit = json!({ "suspended": yes });
        app.api()
            .patch(&format!("/learners/{who}"), &edit)
            .expect(200);
    };
    suspend(true);
    activate(&app, &ann, false);
    activate(&app, &ann, true);
    assign(&app, &sales, &course, json!({"mandatory": true}));
    assert!(enrollments(&app, &who).is_empty(), "dormant");
    suspend(false);
    assert_eq!(enrollment(&app, &who)["status"], "not_started");
    let since = through(&enrollment(&app, &who), &sales)["since"].clone();
    app.at("2026-03-05T08:00:00Z");
    app.api()
        .post(&format!("/learners/{who}/revoke"), &json!({}))
        .expect(200);
    let report = app.api().get(&format!("/groups/{sales}/compliance"));
    assert_eq!(
        (
            &report.json["counts"]["pending"],
            &report.json["total"]["mandatory"]["obligations"]
        ),
        (&json!(1), &json!(0))
    );
    app.at("2026-03-09T08:00:00Z");
    app.api()
        .post(&format!("/learners/{who}/approve"), &json!({}))
        .expect(200);
    assert_eq!(
        through(&enrollment(&app, &who), &sales)["since"],
        since,
        "the old clock"
    );
    app.check();
}
