//! Why somebody is enrolled or not (§10), a plan without groups (§7.15), suspension (§2.2).

use rollcall::learning::plan::SubscriptionPlan;

use super::*;

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

#[test]
fn explain_knows_the_other_blockers_too() {
    // §10: rejected, an observing connection, an ended account
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    assign(&app, &sales, &course, json!({}));
    let (ann, rejected) = person(&app, "ann");
    app.api()
        .post(&format!("/learners/{rejected}/reject"), &json!({}))
        .expect(200);
    join(&app, &sales, &[&ann]);
    let connection = rows(&app.api(), "/connections")[0]["id"].clone();
    let path = format!("/connections/{}", connection.as_str().unwrap_or_default());
    app.api()
        .patch(&path, &json!({"mode": "observe"}))
        .expect(200);
    let (bob, observed) = person(&app, "bob");
    join(&app, &sales, &[&bob]);
    let (carl, gone) = person(&app, "carl");
    join(&app, &sales, &[&carl]);
    app.scim().delete(&format!("/Users/{carl}")).expect(204);
    for (learner, code) in [
        (&rejected, "rejected"),
        (&observed, "connection_observing"),
        (&gone, "no_membership"),
    ] {
        let why = explained(&app, learner, &course);
        assert_eq!(why["enrolled"], false);
        let blocker = &why["first_blocker"];
        assert_eq!(blocker["code"], code, "{blocker}");
        assert!(
            blocker["fix"]["label"]
                .as_str()
                .is_some_and(|label| !label.is_empty()),
            "what to do: {blocker}"
        );
    }
}
