//! Examples D, E, F, H and I: absences, ended accounts, certificates, plans.

use rollcall::learning::plan::SubscriptionPlan;

use super::*;

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
    let counts = app.api().get(&format!("/groups/{sales}"));
    assert_eq!(counts.expect(200).json["counts"]["active"], 0);
    let export = app.api().get("/exports/completions.csv");
    let line = export
        .expect(200)
        .text
        .lines()
        .find(|line| line.contains("2026-02-02"))
        .unwrap_or_default()
        .to_owned();
    assert!(line.contains("true"), "still there, as former: {line}");
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
    // §9.4: counted from the first of the series, never from a clamped day.
    let anchor = json!({"recert_anchor": "previous_expiry"});
    app.api().patch("/settings", &anchor).expect(200);
    assert_eq!(enrollment(&app, &who)["valid_until"], "2026-03-31");
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
    let members = app.users(40);
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
fn f_shortening_a_recertification_shows_whom_it_hits_and_gives_them_time() {
    let app = TestApp::in_zone(BERLIN, "2025-06-01T08:00:00Z");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    let terms = json!({"mandatory": true, "recert_months": 24});
    let assignment = assign(&app, &sales, &course, terms);
    let names: String = (0..120).map(|n| format!("{sales},p{n:03}\n")).collect();
    let people: String = (0..120).map(|n| format!("p{n:03}\n")).collect();
    crate::csv::import(&app.api(), "kind=learners", &format!("user_name\n{people}"));
    crate::csv::import(
        &app.api(),
        "kind=members",
        &format!("group,user_name\n{names}"),
    );
    let mut learners: Vec<(String, String)> = rows(&app.api(), "/learners")
        .iter()
        .map(|row| {
            let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
            (text("name"), text("id"))
        })
        .collect();
    learners.sort();
    // 37 between a year and two before the edit, the others half a year.
    let done = |n: usize| {
        if n < 37 {
            "2024-09-01T08:00:00Z"
        } else {
            "2025-05-01T08:00:00Z"
        }
    };
    let completions: Vec<Value> = learners
        .iter()
        .enumerate()
        .map(|(n, (_, who))| json!({"learner_id": who, "course_id": course, "completed_at": done(n), "source": "player"}))
        .collect();
    app.api()
        .post("/completions", &json!({ "completions": completions }))
        .expect(200);
    app.at("2025-11-10T08:00:00Z");
    let path = format!("/assignments/{assignment}");
    let shorter = json!({"recert_months": 12});
    let refused = app.api().patch(&path, &shorter);
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (422, &json!("impact_confirmation_required")),
        "{refused:?}"
    );
    assert_eq!(refused.json["becomes_expired"], 37);
    let mut listed: Vec<&str> = refused.json["learners"]
        .as_array()
        .map(|all| all.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    listed.sort_unstable();
    let mut hit: Vec<&str> = learners[..37].iter().map(|(_, who)| who.as_str()).collect();
    hit.sort_unstable();
    assert_eq!(listed, hit, "the preview lists the 37");
    let stale = json!({"recert_months": 12, "impact_token": "another"});
    assert_eq!(app.api().patch(&path, &stale).status, 422);
    let seen = json!({"recert_months": 12, "impact_token": refused.json["impact_token"]});
    let edited = app.api().patch(&path, &seen);
    assert_eq!(
        edited.expect(200).json["impact"],
        json!({"becomes_overdue": 0, "extended": 37, "renew_by": "2025-12-10"})
    );
    let report = |strict: bool| {
        let path = format!("/groups/{sales}/compliance?strict={strict}");
        let total = app.api().get(&path).expect(200).json["total"]["mandatory"].clone();
        ["compliant", "expiring", "in_grace", "expired"].map(|name| total[name].as_i64())
    };
    let numbers = |all: [i64; 4]| all.map(Some);
    assert_eq!(report(false), numbers([83, 37, 37, 0]), "nobody is expired");
    assert_eq!(report(true), numbers([83, 0, 0, 37]));
    for (n, status, due) in [
        (0, "expiring", "2025-12-10"),
        (36, "expiring", "2025-12-10"),
        (37, "compliant", "2026-05-01"),
    ] {
        let one = enrollment(&app, &learners[n].1);
        assert_eq!(
            (&one["status"], &one["due"]),
            (&json!(status), &json!(due)),
            "{n}"
        );
    }
    app.at("2025-12-10T22:59:59Z");
    assert_eq!(enrollment(&app, &learners[0].1)["status"], "expiring");
    app.at("2025-12-10T23:00:00Z");
    assert_eq!(report(false), numbers([83, 0, 0, 37]));
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
