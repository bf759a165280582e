//! Enrollment: every trigger ends in the same relation.

use crate::harness::build::pairs;
use crate::harness::{GROUP, TestApp, add_members, json, patch, remove_member, user};

#[test]
fn a_member_is_enrolled_in_what_the_group_has() {
    let app = TestApp::new();
    let (ann, course) = (app.user("ann@acme.test"), app.course("Fire safety"));
    let group = app.group("Sales", &[]);
    app.assign(&group, &course);
    app.scim()
        .patch(
            &format!("/Groups/{group}"),
            &patch(json!([add_members(&[&ann])])),
        )
        .expect(204);
    let enrollments = app.enrollments();
    assert_eq!(enrollments.len(), 1);
    assert_eq!(enrollments[0]["course_id"], course);
}

#[test]
fn assigning_a_course_enrolls_those_who_are_members_already() {
    let app = TestApp::new();
    let users = app.users(7);
    let ids: Vec<&str> = users.iter().map(String::as_str).collect();
    let group = app.group("Sales", &ids);
    assert!(app.enrollments().is_empty());
    app.assign(&group, &app.course("Fire safety"));
    assert_eq!(pairs(&app.enrollments()).len(), 7);
}

#[test]
fn a_group_made_with_members_and_a_replaced_one_enroll_too() {
    let app = TestApp::new();
    let users = app.users(3);
    let group = app.group("Sales", &[&users[0]]);
    app.assign(&group, &app.course("Fire safety"));
    let members = json!([{ "value": users[1] }, { "value": users[2] }]);
    app.scim()
        .put(
            &format!("/Groups/{group}"),
            &json!({ "schemas": [GROUP], "displayName": "Sales", "members": members }),
        )
        .expect(200);
    assert_eq!(
        pairs(&app.enrollments()).len(),
        3,
        "the one who left keeps the enrollment"
    );
}

#[test]
fn a_course_of_two_groups_is_one_enrollment_with_two_reasons() {
    let app = TestApp::new();
    let (ann, course) = (app.user("ann@acme.test"), app.course("Fire safety"));
    for name in ["Sales", "Berlin"] {
        let group = app.group(name, &[&ann]);
        app.assign(&group, &course);
    }
    let enrollments = app.enrollments();
    assert_eq!(enrollments.len(), 1);
    let one = app.api().get(&format!(
        "/enrollments/{}",
        enrollments[0]["id"].as_str().unwrap_or_default()
    ));
    assert_eq!(
        one.expect(200).json["reasons"].as_array().map(Vec::len),
        Some(2),
        "{one:?}"
    );
}

#[test]
fn added_and_removed_in_one_request_enrolls_nobody() {
    let app = TestApp::new();
    let ann = app.user("ann@acme.test");
    let group = app.group("Sales", &[]);
    app.assign(&group, &app.course("Fire safety"));
    app.scim()
        .patch(
            &format!("/Groups/{group}"),
            &patch(json!([add_members(&[&ann]), remove_member(&ann)])),
        )
        .expect(204);
    assert!(app.enrollments().is_empty());
}

#[test]
fn an_inactive_member_is_enrolled_when_active_again() {
    let app = TestApp::new();
    let ann = app.user("ann@acme.test");
    let active = |value: bool| {
        app.scim().patch(
            &format!("/Users/{ann}"),
            &patch(json!([{ "op": "replace", "value": { "active": value } }])),
        )
    };
    active(false).expect(200);
    let group = app.group("Sales", &[&ann]);
    app.assign(&group, &app.course("Fire safety"));
    assert!(app.enrollments().is_empty());
    assert_eq!(
        app.scim().get(&format!("/Groups/{group}")).members(),
        [ann.as_str()],
        "still a member"
    );
    active(true).expect(200);
    assert_eq!(pairs(&app.enrollments()).len(), 1);
}

#[test]
fn deactivating_and_deleting_an_account_un_enrolls_nobody() {
    let app = TestApp::new();
    let users = app.users(2);
    let group = app.group("Sales", &[&users[0], &users[1]]);
    app.assign(&group, &app.course("Fire safety"));
    app.scim()
        .patch(
            &format!("/Users/{}", users[0]),
            &patch(json!([{ "op": "replace", "path": "active", "value": "False" }])),
        )
        .expect(200);
    app.scim()
        .delete(&format!("/Users/{}", users[1]))
        .expect(204);
    assert_eq!(pairs(&app.enrollments()).len(), 2);
}

#[test]
fn somebody_who_comes_back_is_the_same_learner() {
    let app = TestApp::with_okta();
    let body = json!({ "schemas": [crate::harness::USER], "userName": "ann@acme.test", "externalId": "HR-7" });
    let first = app.scim().post("/Users", &body).expect(201).id();
    let group = app.group("Sales", &[&first]);
    app.assign(&group, &app.course("Fire safety"));
    app.scim().delete(&format!("/Users/{first}")).expect(204);
    let second = app.scim().post("/Users", &body).expect(201).id();
    assert_ne!(first, second);
    app.scim()
        .patch(
            &format!("/Groups/{group}"),
            &patch(json!([add_members(&[&second])])),
        )
        .expect(204);
    assert_eq!(
        pairs(&app.enrollments()).len(),
        1,
        "one person, one course, one enrollment"
    );
}

#[test]
fn nobody_is_taken_for_somebody_else_by_a_name() {
    let app = TestApp::new();
    let first = app.user("ann@acme.test");
    let group = app.group("Sales", &[&first]);
    app.assign(&group, &app.course("Fire safety"));
    app.scim().delete(&format!("/Users/{first}")).expect(204);
    let second = app
        .scim()
        .post("/Users", &user("ann@acme.test"))
        .expect(201)
        .id();
    app.scim()
        .patch(
            &format!("/Groups/{group}"),
            &patch(json!([add_members(&[&second])])),
        )
        .expect(204);
    assert_eq!(
        pairs(&app.enrollments()).len(),
        2,
        "another person with the same name"
    );
}

#[test]
fn a_course_that_is_not_published_owes_nothing_until_it_is() {
    let app = TestApp::new();
    let draft = app
        .api()
        .post("/courses", &json!({ "title": "Draft", "status": "draft" }))
        .expect(201)
        .id();
    let group = app.group("Sales", &[&app.user("ann@acme.test")]);
    let refused = app.api().post(
        &format!("/groups/{group}/assignments"),
        &json!({ "course_id": draft }),
    );
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (422, &json!("course_not_published")),
        "{refused:?}"
    );
    assert!(app.enrollments().is_empty());
}
