//! Files of completions: planned, recorded once, exported and read back (A4; domain §2.8, §7.23, §7.24).

use crate::harness::{TestApp, build::rows, json};

use super::{commit, import, outcomes, upload};

const COLUMNS: &str = "email,course_code,completed_at,score,evidence,source_ref\n";

fn course(app: &TestApp, title: &str, code: &str) -> String {
    let body = json!({"title": title, "code": code, "status": "published"});
    app.api().post("/courses", &body).expect(201).id()
}

#[test]
fn completions_are_planned_then_recorded_and_the_same_file_records_nothing_twice() {
    // A4: dry run, per-row outcomes, commit by plan, a repeat is a no-op.
    let app = TestApp::in_zone("Europe/Berlin", "2026-03-02T09:00:00Z");
    let api = app.api();
    let ids = app.users(3);
    let fire = course(&app, "Fire safety", "FIRE");
    course(&app, "Security basics", "SEC");
    let sales = app.group("Sales", &[&ids[0], &ids[1]]);
    app.assign(&sales, &fire);
    let text = format!(
        "{COLUMNS}learner1@acme.test,fire,2026-02-20,87.5,cert.pdf,a-1\n\
         learner1@acme.test,FIRE,2026-02-20,87.5,cert.pdf,a-1\n\
         learner2@acme.test,fire,2026-02-28T23:30:00Z,,,\n\
         learner3@acme.test,sec,2026-03-02,,,\n\
         nobody@acme.test,fire,2026-02-20,,,\n\
         learner1@acme.test,none,2026-02-20,,,\n\
         learner1@acme.test,sec,2026-03-03,,,\n\
         learner1@acme.test,sec,1969-12-31,,,\n\
         learner1@acme.test,sec,03/04/2026,,,\n\
         learner1@acme.test,sec,2026-02-20,101,,\n"
    );
    let plan = upload(&api, "kind=completions", &text);
    plan.expect(201);
    assert_eq!(
        outcomes(&api, &plan.id()),
        [
            "2 recorded -",
            "3 no_op duplicate_row",
            "4 recorded -",
            "5 recorded -",
            "6 error not_found",
            "7 error not_found",
            "8 error completed_in_future",
            "9 error validation_failed",
            "10 error bad_date",
            "11 error bad_number",
        ]
    );
    let summary = &plan.json["plan"]["summary"];
    assert_eq!(summary["completions"]["create"], 3);
    assert_eq!(
        summary["enrollments"],
        json!({"create": 1, "keep": 2, "remove": 0})
    );
    // I-14: the plan has written nothing.
    assert!(rows(&api, "/completions").is_empty());
    assert_eq!(app.enrollments().len(), 2);
    let done = commit(&api, &plan.id());
    done.expect(200);
    assert_eq!(
        done.json["result"]["rows"],
        json!({"recorded": 3, "no_op": 1, "error": 6})
    );
    assert_eq!(done.json["result"]["enrollments"], 1);
    let recorded = rows(&api, "/completions");
    assert_eq!(recorded.len(), 3);
    let first = &recorded[0];
    assert_eq!(first["source"], "import");
    assert_eq!(first["source_ref"], "a-1");
    assert_eq!(first["score"], 87.5);
    assert_eq!(first["evidence_ref"], "cert.pdf");
    // A day is its noon in the tenant's zone; it closes the cycle that the group opened later (§7.9).
    assert_eq!(first["completed_at"], "2026-02-20T11:00:00.000Z");
    assert_eq!(first["cycle"], 1);
    // Today's day is now.
    assert_eq!(recorded[2]["completed_at"], "2026-03-02T09:00:00.000Z");
    // §7.23: who had no enrollment has one, without a group.
    assert_eq!(app.enrollments().len(), 3);
    let report = api.get(&format!("/groups/{sales}/compliance"));
    assert_eq!(
        report.json["total"]["optional"]["compliant"], 2,
        "{report:?}"
    );

    let again = import(&api, "kind=completions", &text);
    assert_eq!(again["plan"]["summary"]["completions"]["create"], 0);
    assert_eq!(again["result"]["rows"], json!({"no_op": 4, "error": 6}));
    assert_eq!(rows(&api, "/completions").len(), 3);
    app.check();
}

#[test]
fn refused_rows_come_back_as_a_file_that_can_be_corrected() {
    let app = TestApp::new();
    let api = app.api();
    app.users(1);
    course(&app, "Fire safety", "FIRE");
    let text = format!("{COLUMNS}learner1@acme.test,FIRE,soon,,,\n");
    let plan = upload(&api, "kind=completions", &text);
    let errors = api.get(&format!("/imports/{}/errors.csv", plan.expect(201).id()));
    errors.expect(200);
    assert!(errors.text.contains("bad_date"), "{}", errors.text);
    let right = errors.text.replace(",soon,", ",2026-02-20,");
    let done = import(&api, "kind=completions", &right);
    assert_eq!(done["result"]["rows"], json!({"recorded": 1}));
}

#[test]
fn what_was_exported_is_on_record_and_a_voided_completion_stays_void() {
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(2);
    let fire = course(&app, "=Fire", "FIRE");
    let learner = rows(&api, "/learners")[0]["id"].clone();
    let new = json!({"completions": [{"learner_id": learner, "course_id": fire, "completed_at": "2026-02-01T10:00:00Z",
        "source": "player", "source_ref": "p-1", "score": 90}]});
    api.post("/completions", &new).expect(200);
    import(
        &api,
        "kind=completions",
        &format!("{COLUMNS}learner2@acme.test,FIRE,2026-02-20,,,\n"),
    );
    let of_file = rows(&api, "/completions")[1]["id"].clone();
    let void = format!("/completions/{}/void", of_file.as_str().expect("an id"));
    api.post(&void, &json!({"reason": "the wrong person"}))
        .expect(200);
    // Dora leaves; what she completed stays (§8).
    app.scim().delete(&format!("/Users/{}", ids[0])).expect(204);
    let export = api.get("/exports/completions.csv");
    export.expect(200);
    assert_eq!(export.text.matches("\r\n").count(), 3, "{}", export.text);
    assert!(
        export
            .text
            .contains(",true,FIRE,'=Fire,2026-02-01T10:00:00.000Z,90.00,,player,p-1,"),
        "{}",
        export.text
    );
    assert!(
        export.text.contains(",the wrong person,"),
        "{}",
        export.text
    );
    let plan = upload(&api, "kind=completions", &export.text);
    assert_eq!(
        outcomes(&api, &plan.expect(201).id()),
        ["2 no_op already_recorded", "3 no_op already_recorded"]
    );
}

#[test]
fn a_completion_needs_its_scope() {
    let app = TestApp::new();
    let token = app.token("api", Some("completions:read"), None);
    let reader = app.client("/api/v1", Some(&token));
    let text = format!("{COLUMNS}a@acme.test,FIRE,2026-02-20,,,\n");
    upload(&reader, "kind=completions", &text).expect(403);
    reader.get("/exports/completions.csv").expect(200);
    reader.get("/exports/compliance.csv").expect(403);
    reader.get("/exports/audit-events.csv").expect(403);
}
