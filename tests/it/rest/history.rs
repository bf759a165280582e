//! What was stays told: timeline of a group, record of a learner, a deleted group made again (domain §7.14, §10; S-13, S-15).

use crate::harness::{TestApp, Value, add_members, build::rows, json, patch};

fn whats(list: &[Value]) -> Vec<&str> {
    list.iter().filter_map(|row| row["what"].as_str()).collect()
}

#[test]
fn the_timeline_of_a_group_names_every_writer_and_outlives_it() {
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(2);
    let sales = api
        .post("/groups", &json!({"name": "Sales"}))
        .expect(201)
        .id();
    let add = patch(json!([add_members(&[&ids[0]])]));
    app.scim()
        .patch(&format!("/Groups/{sales}"), &add)
        .expect(204);
    app.at("2026-03-03T09:00:00Z");
    let course = app.course("Fire safety");
    let assignment = app.assign(&sales, &course);
    app.at("2026-03-04T09:00:00Z");
    let body = json!({"learners": [{"email": "learner2@acme.test"}]});
    api.post(&format!("/groups/{sales}/members"), &body)
        .expect(200);
    app.at("2026-03-05T09:00:00Z");
    api.post(&format!("/groups/{sales}/members:remove"), &body)
        .expect(200);
    api.delete(&format!("/assignments/{assignment}"))
        .expect(204);
    app.at("2026-03-06T09:00:00Z");
    api.delete(&format!("/groups/{sales}")).expect(204);

    let path = format!("/groups/{sales}/timeline");
    let all = rows(&api, &path);
    let mut whats = whats(&all);
    whats.sort_unstable();
    assert_eq!(
        whats,
        [
            "assignment.created",
            "assignment.removed",
            "group.created",
            "group.deleted",
            "membership.began",
            "membership.began",
            "membership.ended",
            "membership.ended",
        ]
    );
    let joined: Vec<&Value> = all
        .iter()
        .filter(|row| row["what"] == "membership.began")
        .collect();
    assert_eq!(joined[0]["detail"], "rest");
    assert_eq!(joined[0]["learner_name"], "learner2@acme.test");
    assert_eq!(joined[1]["detail"], "scim");
    assert!(
        joined[1]["actor"]
            .as_str()
            .is_some_and(|actor| actor.starts_with("scim"))
    );
    assert_eq!(all.last().expect("rows")["at"], "2026-03-02T09:00:00.000Z");
    let assigned = all
        .iter()
        .find(|row| row["what"] == "assignment.created")
        .expect("it");
    assert_eq!(assigned["course_title"], "Fire safety");
    // Page by page it is the same list.
    assert_eq!(rows(&api, &format!("{path}?limit=1")), all);
    let (_, theirs) = app.other_tenant();
    theirs.get(&path).expect(404);
}

#[test]
fn the_record_of_a_learner_has_every_cause_and_how_it_ended() {
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(1);
    let sales = app.group("Sales", &[&ids[0]]);
    let course = app.course("Fire safety");
    app.assign(&sales, &course);
    let learner = rows(&api, "/learners")[0]["id"].clone();
    let done = json!({"completions": [{"learner_id": learner, "course_id": course, "source": "player", "source_ref": "p-1"}]});
    api.post("/completions", &done).expect(200);
    app.at("2026-03-10T09:00:00Z");
    app.scim().delete(&format!("/Users/{}", ids[0])).expect(204);
    let path = format!("/learners/{}/history", learner.as_str().expect("an id"));
    let all = rows(&api, &path);
    let mut whats = whats(&all);
    whats.sort_unstable();
    assert_eq!(
        whats,
        [
            "completion.recorded",
            "enrollment.created",
            "learner.ended",
            "membership.began",
            "membership.ended",
            "reason.began",
            "reason.ended",
        ]
    );
    let ended = all
        .iter()
        .find(|row| row["what"] == "reason.ended")
        .expect("it");
    assert_eq!(ended["detail"], "user_deleted");
    assert_eq!(ended["group_name"], "Sales");
    assert_eq!(ended["course_title"], "Fire safety");
    assert_eq!(rows(&api, &format!("{path}?limit=2")), all);
    let it = app.client(
        "/api/v1",
        Some(&app.token("api", Some("learners:read"), None)),
    );
    it.get(&path).expect(403);
}

#[test]
fn a_deleted_group_comes_back_as_a_new_one_with_its_courses_and_people() {
    // §7.14: new id, nobody manages it, plan first; S-15: enrollments were never gone.
    let app = TestApp::with_okta();
    let api = app.api();
    let ids = app.users(3);
    let sales = app.group("Sales", &[&ids[0], &ids[1], &ids[2]]);
    let (first, second) = (app.course("Fire safety"), app.course("Security basics"));
    let body = json!({"course_id": first, "mandatory": true, "due": {"kind": "date", "date": "2026-06-30"}, "recert_months": 12});
    api.post(&format!("/groups/{sales}/assignments"), &body)
        .expect(201);
    let gone = app.assign(&sales, &app.course("Taken away before"));
    api.delete(&format!("/assignments/{gone}")).expect(204);
    app.assign(&sales, &second);
    api.patch(&format!("/groups/{sales}"), &json!({"color": "#2563EB"}))
        .expect(200);
    let restore = format!("/groups/{sales}/restore");
    api.post(&restore, &json!({})).expect(422);
    app.at("2026-03-10T09:00:00Z");
    app.scim().delete(&format!("/Groups/{sales}")).expect(204);
    app.scim().delete(&format!("/Users/{}", ids[2])).expect(204);
    api.patch(
        &format!("/courses/{second}"),
        &json!({"status": "archived"}),
    )
    .expect(200);
    let enrolled = app.enrollments().len();
    app.at("2026-03-11T09:00:00Z");
    let plan = api.post(&format!("{restore}?dry_run=true"), &json!({}));
    let summary = &plan.expect(200).json["summary"];
    assert_eq!(
        summary["memberships"],
        json!({"add": 2, "end": 0, "pend": 0})
    );
    assert_eq!(
        summary["enrollments"],
        json!({"create": 0, "keep": 2, "remove": 0})
    );
    assert_eq!(plan.json["warnings"][0]["code"], "course_not_published");
    assert!(rows(&api, "/groups").is_empty(), "the plan made nothing");

    let done = api.post(&restore, &json!({}));
    done.expect(201);
    assert_eq!(
        (&done.json["members"], &done.json["assignments"]),
        (&json!(2), &json!(1))
    );
    let group = api.get(&format!("/groups/{}", done.id()));
    assert_ne!(done.id(), sales);
    assert_eq!(group.json["name"], "Sales");
    assert_eq!(group.json["color"], "#2563EB");
    assert!(group.json["managed_by"].is_null());
    let assignments = rows(&api, &format!("/groups/{}/assignments", done.id()));
    assert_eq!(assignments[0]["recert_months"], 12);
    assert_eq!(assignments[0]["due"]["date"], "2026-06-30");
    assert_eq!(app.enrollments().len(), enrolled);
    let taken = api.post(&restore, &json!({}));
    assert_eq!(taken.expect(409).json["code"], "group_name_taken");
    let empty = api.post(
        &restore,
        &json!({"name": "Sales without", "members": false}),
    );
    assert_eq!(empty.expect(201).json["members"], 0);
    app.check();
}
