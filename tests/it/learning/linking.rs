//! Two accounts of one person, and what an administrator makes of them (7.13, §8).

use super::examples::*;
use crate::harness::build::rows;
use crate::harness::{Client, TestApp, USER, Value, add_members, json, patch};

/// A second directory beside the app's own.
fn entra(app: &TestApp) -> Client {
    app.client("/scim/v2", Some(&app.token("scim", None, Some("entra"))))
}

fn provision(scim: &Client, name: &str, external_id: &str) -> String {
    let body =
        json!({"schemas": [USER], "userName": name, "externalId": external_id, "active": true});
    scim.post("/Users", &body).expect(201).id()
}

fn add(scim: &Client, group: &str, user: &str) {
    let body = patch(json!([add_members(&[user])]));
    scim.patch(&format!("/Groups/{group}"), &body).expect(204);
}

fn members(app: &TestApp, group: &str) -> Vec<String> {
    app.scim().get(&format!("/Groups/{group}")).members()
}

/// Sales and Berlin, each with its course, and both in a third group; two accounts, each in one of them and both in the third.
struct Twins {
    app: TestApp,
    entra: Client,
    users: [String; 2],
    learners: [String; 2],
    groups: [String; 3],
    courses: [String; 3],
}

fn twins() -> Twins {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let entra = entra(&app);
    let names = ["Sales", "Berlin", "Everybody"];
    let groups = names.map(|name| group(&app, name));
    let courses = ["Security", "Safety", "Ethics"].map(|title| app.course(title));
    for (group, course) in groups.iter().zip(&courses) {
        let terms = json!({"mandatory": true, "due": {"kind": "relative", "days": 30}});
        assign(&app, group, course, terms);
    }
    let users = [
        provision(&app.scim(), "ann", "o-1"),
        provision(&entra, "ann.smith", "e-1"),
    ];
    let learners = ["ann", "ann.smith"].map(|name| learner(&app.api(), name));
    add(&app.scim(), &groups[0], &users[0]);
    add(&entra, &groups[1], &users[1]);
    add(&app.scim(), &groups[2], &users[0]);
    add(&entra, &groups[2], &users[1]);
    Twins {
        app,
        entra,
        users,
        learners,
        groups,
        courses,
    }
}

fn link(app: &TestApp, kept: &str, other: &str) -> Value {
    let body = json!({"learner_id": other, "reason": "one person, two directories"});
    let done = app.api().post(&format!("/learners/{kept}/link"), &body);
    done.expect(200);
    done.json.clone()
}

#[test]
fn c_7_13_two_accounts_are_linked_to_one_learner_who_has_what_both_had() {
    let Twins {
        app,
        users,
        learners,
        groups,
        courses,
        ..
    } = twins();
    let api = app.api();
    let [ann, smith] = &learners;
    // Done under one name, and begun.
    complete(&app, smith, &courses[2], "2026-03-01T08:00:00Z");
    let begun = enrollment_in(&app, smith, &courses[1])["id"].clone();
    let progress = format!("/enrollments/{}/progress", begun.as_str().expect("an id"));
    api.post(&progress, &json!({"progress_pct": 40}))
        .expect(200);

    app.at("2026-03-10T08:00:00Z");
    let path = format!("/learners/{ann}/link");
    let body = json!({"learner_id": smith, "reason": "one person, two directories"});
    let before = app.enrollments().len();
    let plan = api.post(&format!("{path}?dry_run=true"), &body);
    plan.expect(200);
    let counts = &plan.json["summary"]["memberships"];
    assert_eq!(
        (&counts["add"], &counts["end"]),
        (&json!(1), &json!(2)),
        "{plan:?}"
    );
    assert_eq!(plan.json["summary"]["enrollments"]["create"], 1);
    assert_eq!(app.enrollments().len(), before, "I-14");
    assert!(api.get(&format!("/learners/{smith}")).json["linked_to"].is_null());

    let done = link(&app, ann, smith);
    assert_eq!(
        (
            &done["memberships"],
            &done["completions"],
            &done["enrollments_created"]
        ),
        (&json!(1), &json!(1), &json!(1)),
        "{done}"
    );
    let one = api.get(&format!("/learners/{ann}"));
    assert_eq!(one.json["accounts"].as_array().map(Vec::len), Some(2));
    assert_eq!(one.json["groups"].as_array().map(Vec::len), Some(3));
    assert_eq!(one.json["linked"][0]["learner_id"], json!(smith));
    let other = api.get(&format!("/learners/{smith}"));
    assert_eq!(other.json["linked_to"], json!(ann));
    assert!(!other.json["deleted_at"].is_null());
    // The directories read back what they wrote (I-8).
    assert_eq!(members(&app, &groups[1]), [users[1].clone()]);
    assert_eq!(members(&app, &groups[2]), [users[0].clone()]);
    // The course came with the group, and its clock with it: 30 days from the first of March, not from the tenth.
    let safety = enrollment_in(&app, ann, &courses[1]);
    assert_eq!(
        (
            &safety["due"],
            &safety["status"],
            &safety["cycle"]["progress_pct"]
        ),
        (&json!("2026-03-31"), &json!("in_progress"), &json!(40)),
        "{safety}"
    );
    let ethics = enrollment_in(&app, ann, &courses[2]);
    assert_eq!(ethics["status"], "compliant", "{ethics}");
    assert_eq!(through(&ethics, &groups[2])["ended_at"], Value::Null);
    // Reports count one person.
    let report = rows(&api, &format!("/groups/{}/progress", groups[2]));
    assert_eq!(report.len(), 1, "{}", json!(report));
    // Why, and why not.
    let why = explained(&app, ann, &courses[1]);
    let chain = why["chain"].to_string();
    assert!(
        chain.contains("linked another learner to ann: one person"),
        "{why}"
    );
    let why_not = explained(&app, smith, &app.course("Other"));
    assert_eq!(why_not["first_blocker"]["code"], "linked", "{why_not}");
    let history = rows(&api, &format!("/learners/{smith}/history"));
    let ended = history.iter().find(|row| row["what"] == "membership.ended");
    assert_eq!(ended.expect("an end")["detail"], "linked");
    assert!(
        rows(&api, "/audit-events")
            .iter()
            .any(|event| event["type"] == "learner.linked")
    );
    app.check();
}

#[test]
fn c_7_13_one_who_was_linked_is_active_if_any_live_account_is() {
    let Twins {
        app,
        entra,
        users,
        learners,
        groups,
        ..
    } = twins();
    let [ann, smith] = &learners;
    link(&app, ann, smith);
    let active = || app.api().get(&format!("/learners/{ann}")).json["active"].clone();
    let set = |scim: &Client, user: &str, active: bool| {
        let operation = json!([{"op": "replace", "path": "active", "value": active}]);
        scim.patch(&format!("/Users/{user}"), &patch(operation));
    };
    set(&app.scim(), &users[0], false);
    assert_eq!(active(), json!(true));
    set(&entra, &users[1], false);
    assert_eq!(active(), json!(false));
    set(&entra, &users[1], true);
    assert_eq!(active(), json!(true));
    // The end of one account ends nothing but the account.
    app.scim()
        .delete(&format!("/Users/{}", users[0]))
        .expect(204);
    assert_eq!(members(&app, &groups[0]), [users[1].clone()]);
    assert_eq!(enrollments(&app, ann).len(), 3);
    // Whoever comes back under the linked account's externalId is this person (§8).
    entra.delete(&format!("/Users/{}", users[1])).expect(204);
    provision(&entra, "ann.again", "e-1");
    let one = app.api().get(&format!("/learners/{ann}"));
    assert_eq!(
        (&one.json["name"], &one.json["deleted_at"]),
        (&json!("ann.again"), &Value::Null)
    );
    app.check();
}

#[test]
fn c_7_13_a_link_taken_back_leaves_each_with_what_was_theirs() {
    let Twins {
        app,
        entra,
        users,
        learners,
        groups,
        courses,
    } = twins();
    let api = app.api();
    let [ann, smith] = &learners;
    complete(&app, smith, &courses[1], "2026-03-01T08:00:00Z");
    app.at("2026-03-02T08:00:00Z");
    link(&app, ann, smith);
    app.at("2026-03-03T08:00:00Z");
    let late = group(&app, "Late");
    let extra = app.course("Extra");
    assign(&app, &late, &extra, json!({}));
    add(&entra, &late, &users[1]);
    app.at("2026-03-04T08:00:00Z");
    let path = format!("/learners/{smith}/unlink");
    let why = json!({"reason": "two people after all"});
    let plan = api.post(&format!("{path}?dry_run=true"), &why);
    assert_eq!(plan.expect(200).json["summary"]["memberships"]["end"], 2);
    let done = api.post(&path, &why);
    assert_eq!(done.expect(200).json["memberships"], 3, "{done:?}");
    assert_eq!(done.json["completions"], 1);
    let groups_of = |who: &str| {
        let one = api.get(&format!("/learners/{who}"));
        let mut names: Vec<String> = one.json["groups"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|group| group["name"].as_str().map(str::to_owned))
            .collect();
        names.sort();
        names
    };
    assert_eq!(groups_of(ann), ["Everybody", "Sales"]);
    assert_eq!(groups_of(smith), ["Berlin", "Everybody", "Late"]);
    let mut both = members(&app, &groups[2]);
    both.sort();
    let mut expected = users.to_vec();
    expected.sort();
    assert_eq!(both, expected);
    // The certificate is hers again, and no longer the other's, whom nothing obliges to that course.
    assert_eq!(
        enrollment_in(&app, smith, &courses[1])["status"],
        "compliant"
    );
    let was = enrollment_in(&app, ann, &courses[1]);
    assert_eq!(
        (&was["obligation"], &was["status"]),
        (&json!(false), &json!("not_started")),
        "{was}"
    );
    // The clock is the one of March 1.
    assert_eq!(enrollment_in(&app, smith, &courses[2])["due"], "2026-03-31");
    let one = api.get(&format!("/learners/{smith}"));
    assert_eq!(
        (&one.json["linked_to"], &one.json["deleted_at"]),
        (&Value::Null, &Value::Null)
    );
    api.post(&path, &why).expect(404);
    app.check();
    // And once more.
    link(&app, ann, smith);
    assert_eq!(enrollment_in(&app, ann, &courses[1])["status"], "compliant");
    app.check();
}

#[test]
fn c_7_13_what_cannot_be_linked_is_refused_and_changes_nothing() {
    let Twins { app, learners, .. } = twins();
    let api = app.api();
    let [ann, smith] = &learners;
    let (_, bob) = person(&app, "bob");
    let try_to = |kept: &str, other: &str| {
        let body = json!({"learner_id": other, "reason": "why not"});
        api.post(&format!("/learners/{kept}/link"), &body)
    };
    let refused = try_to(ann, ann);
    assert_eq!(
        refused.expect(422).json["errors"][0]["pointer"],
        "/learner_id"
    );
    let nobody = "0199a2c4-0000-7000-8000-000000000001";
    try_to(ann, nobody).expect(404);
    try_to(nobody, ann).expect(404);
    let blank = json!({"learner_id": smith, "reason": " "});
    let refused = api.post(&format!("/learners/{ann}/link"), &blank);
    assert_eq!(refused.expect(422).json["errors"][0]["pointer"], "/reason");
    api.post(&format!("/learners/{ann}/unlink"), &json!({"reason": "x"}))
        .expect(404);
    link(&app, ann, smith);
    for (kept, other) in [(&bob, smith), (smith, &bob)] {
        let refused = try_to(kept, other);
        assert_eq!(
            refused.expect(409).json["code"],
            "already_linked",
            "{refused:?}"
        );
    }
    // A chain is taken back from its end.
    link(&app, &bob, ann);
    let refused = api.post(
        &format!("/learners/{smith}/unlink"),
        &json!({"reason": "x"}),
    );
    assert_eq!(refused.expect(409).json["code"], "already_linked");
    app.check();
}

#[test]
fn what_was_granted_and_enrolled_by_hand_goes_with_the_accounts() {
    let Twins {
        app,
        learners,
        courses,
        ..
    } = twins();
    let api = app.api();
    let [ann, smith] = &learners;
    let by_hand = app.course("By hand");
    let body = json!({"learner_id": smith, "course_id": by_hand});
    api.post("/enrollments", &body).expect(201);
    let safety = enrollment_in(&app, smith, &courses[1])["id"].clone();
    let extension = format!("/enrollments/{}/extension", safety.as_str().expect("an id"));
    api.post(&extension, &json!({"due": "2026-06-30", "reason": "ill"}))
        .expect(200);
    link(&app, ann, smith);
    assert_eq!(enrollment_in(&app, ann, &courses[1])["due"], "2026-06-30");
    let manual = enrollment_in(&app, ann, &by_hand);
    assert_eq!(manual["reasons"][0]["kind"], "manual", "{manual}");
    app.check();
    api.post(
        &format!("/learners/{smith}/unlink"),
        &json!({"reason": "no"}),
    )
    .expect(200);
    assert_eq!(enrollment_in(&app, smith, &courses[1])["due"], "2026-06-30");
    app.check();
}

#[test]
fn a_course_taken_by_ones_own_will_is_open_again_when_its_completion_is_voided() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let api = app.api();
    let (_, ann) = person(&app, "ann");
    let course = app.course("Rhetoric");
    api.post(
        "/enrollments",
        &json!({"learner_id": ann, "course_id": course}),
    )
    .expect(201);
    complete(&app, &ann, &course, "2026-03-01T08:00:00Z");
    assert_eq!(enrollment(&app, &ann)["status"], "compliant");
    let done = rows(&api, "/completions")[0]["id"].clone();
    let void = format!("/completions/{}/void", done.as_str().expect("an id"));
    api.post(&void, &json!({"reason": "somebody else's"}))
        .expect(200);
    let again = enrollment(&app, &ann);
    assert_eq!(
        (&again["status"], &again["cycle"]["n"]),
        (&json!("not_started"), &json!(2)),
        "{again}"
    );
    app.check();
}
