//! Members in bulk over REST: by any name, removed together, made equal a list, as of an instant (A1, A2; S-05 to S-13).

use crate::harness::{TestApp, build::rows, json};

fn emails(numbers: &[usize]) -> crate::harness::Value {
    let learners: Vec<_> = numbers
        .iter()
        .map(|n| json!({"email": format!("learner{n}@acme.test")}))
        .collect();
    json!(learners)
}

#[test]
fn several_members_leave_at_once_and_keep_their_enrollments() {
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(3);
    let sales = app.group("Sales", &[&ids[0], &ids[1]]);
    app.assign(&sales, &app.course("Fire safety"));
    let body = json!({"learners": [{"email": "LEARNER1@acme.test"}, {"user_name": "learner1@acme.test"},
        {"email": "learner3@acme.test"}, {"external_id": "nobody"}]});
    let path = format!("/groups/{sales}/members:remove");
    let plan = api.post(&format!("{path}?dry_run=true"), &body);
    assert_eq!(plan.expect(200).json["summary"]["memberships"]["end"], 1);
    assert_eq!(plan.json["skipped"][0]["code"], "not_found");
    let done = api.post(&path, &body);
    done.expect(200);
    let outcomes: Vec<_> = done.json["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|one| one["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["removed", "no_op", "no_op", "error"]);
    assert_eq!(rows(&api, &format!("/groups/{sales}/members")).len(), 1);
    assert_eq!(app.enrollments().len(), 2, "nobody is un-enrolled");
    assert_eq!(api.post(&path, &body).expect(200).json["outcome"], "no_op");
    app.check();
}

#[test]
fn a_list_becomes_the_membership_and_much_change_is_asked_about() {
    // A2: PUT returns the difference and honors `max_change_pct`.
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(7);
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let sales = app.group("Sales", &all[..5]);
    app.assign(&sales, &app.course("Fire safety"));
    let path = format!("/groups/{sales}/members");
    let body = json!({"learners": emails(&[1, 2, 3, 4, 6])});
    let plan = api.put(&format!("{path}?dry_run=true"), &body);
    assert_eq!(
        plan.expect(200).json["summary"]["memberships"],
        json!({"add": 1, "end": 1, "pend": 0})
    );
    let done = api.put(&path, &body);
    assert_eq!(done.expect(200).json["added"], 1);
    assert_eq!(done.json["ended"], 1);
    assert_eq!(done.json["enrollments_created"], 1);
    let version = api.get(&format!("/groups/{sales}")).json["version"].clone();
    let again = api.put(&path, &body);
    assert_eq!(again.expect(200).json["outcome"], "no_op");
    assert_eq!(
        api.get(&format!("/groups/{sales}")).json["version"],
        version
    );

    let few = json!({"learners": emails(&[1])});
    let asked = api.put(&path, &few);
    assert_eq!(
        asked.expect(422).json["code"],
        "impact_confirmation_required"
    );
    assert_eq!(rows(&api, &path).len(), 5);
    let mut sure = few;
    sure["confirm"] = json!(true);
    assert_eq!(api.put(&path, &sure).expect(200).json["ended"], 4);
    assert_eq!(app.enrollments().len(), 6, "nobody is un-enrolled");
    let unknown = json!({"learners": emails(&[1, 99])});
    api.put(&path, &unknown).expect(422);
    app.check();
}

#[test]
fn a_group_that_a_directory_manages_is_written_by_nobody_else() {
    // I-5
    let app = TestApp::with_okta();
    let api = app.api();
    let ids = app.users(1);
    let sales = app.group("Sales", &[&ids[0]]);
    for (method, path) in [("PUT", "members"), ("POST", "members:remove")] {
        let body = json!({"learners": emails(&[1])}).to_string();
        let refused = api.send(
            method,
            &format!("/groups/{sales}/{path}"),
            Some(body.as_bytes()),
        );
        assert_eq!(refused.expect(409).json["code"], "managed_by_directory");
    }
}

#[test]
fn an_address_of_two_people_names_neither() {
    let app = TestApp::new();
    let api = app.api();
    let team = app.group("Team", &[]);
    for name in ["ann", "other"] {
        let new = json!({"user_name": name, "email": "team@acme.test", "registered": true});
        api.post("/learners", &new).expect(201);
    }
    let body = json!({"learners": [{"email": "team@acme.test"}]});
    let refused = api.post(&format!("/groups/{team}/members"), &body);
    assert_eq!(refused.expect(409).json["code"], "ambiguous_reference");
}

#[test]
fn members_and_courses_are_shown_as_they_were() {
    // A1 `as_of`, §10
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(2);
    let sales = app.group("Sales", &[&ids[0], &ids[1]]);
    let course = app.course("Fire safety");
    let assignment = app.assign(&sales, &course);
    app.at("2026-03-10T09:00:00Z");
    app.scim()
        .patch(
            &format!("/Users/{}", ids[1]),
            &crate::harness::patch(json!([{"op": "replace", "path": "active", "value": false}])),
        )
        .expect(200);
    let edit = json!({"mandatory": true, "recert_months": 12});
    api.patch(&format!("/assignments/{assignment}"), &edit)
        .expect(200);
    app.at("2026-03-20T09:00:00Z");
    let first = rows(&api, &format!("/groups/{sales}/members"))[0]["learner_id"].clone();
    let first = first.as_str().expect("an id");
    api.delete(&format!("/groups/{sales}/members/{first}"))
        .expect(204);
    api.delete(&format!("/assignments/{assignment}"))
        .expect(204);
    let states = |at: &str| -> Vec<String> {
        rows(&api, &format!("/groups/{sales}/members?as_of={at}"))
            .iter()
            .map(|row| row["state"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(states("2026-03-05T00:00:00Z"), ["active", "active"]);
    assert_eq!(states("2026-03-15T00:00:00Z"), ["active", "dormant"]);
    assert_eq!(states("2026-03-21T00:00:00Z"), ["dormant"]);
    assert!(states("2026-03-01T00:00:00Z").is_empty());
    let terms = |at: &str| {
        let rows = rows(&api, &format!("/groups/{sales}/assignments?as_of={at}"));
        rows.iter()
            .map(|row| (row["mandatory"].clone(), row["recert_months"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(terms("2026-03-05T00:00:00Z"), [(json!(false), json!(null))]);
    assert_eq!(terms("2026-03-15T00:00:00Z"), [(json!(true), json!(12))]);
    assert!(terms("2026-03-21T00:00:00Z").is_empty());
}

/// S-08 and A1: what is so already is a success, whatever has become of the person since.
#[test]
fn a_member_who_was_rejected_may_be_named_again() {
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(2);
    let sales = app.group("Sales", &[&ids[0]]);
    let first = rows(&api, &format!("/groups/{sales}/members"))[0]["learner_id"].clone();
    let reject = format!("/learners/{}/reject", first.as_str().expect("an id"));
    api.post(&reject, &json!({"reason": "left"})).expect(200);
    let path = format!("/groups/{sales}/members");
    let both = json!({"learners": [{"id": first}, {"email": "learner2@acme.test"}]});
    let done = api.post(&path, &both);
    let outcomes: Vec<_> = done.expect(200).json["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|one| one["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["no_op", "added"]);
    // who is no member is still refused
    api.delete(&format!("{path}/{}", first.as_str().expect("an id")))
        .expect(204);
    assert_eq!(
        api.post(&path, &both).expect(422).json["code"],
        "learner_not_eligible"
    );
}
