//! Committing: by plan, refused when the groups have changed, confirmed when much would end; nobody else's.

use crate::harness::{TestApp, add_members, build::rows, json, patch};

use super::{commit, import, outcomes, upload};

#[test]
fn a_plan_is_stale_when_its_groups_have_changed_and_a_new_one_is_made() {
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(3);
    let sales = app.group("Sales", &[&ids[0]]);
    let text = "group,email\nSales,learner2@acme.test\nSales,learner3@acme.test\n";
    let plan = upload(&api, "kind=members", text);
    plan.expect(201);
    let hash = plan.json["plan"]["state_hash"].clone();
    let add = patch(json!([add_members(&[&ids[1]])]));
    app.scim()
        .patch(&format!("/Groups/{sales}"), &add)
        .expect(204);
    let refused = commit(&api, &plan.id());
    refused.expect(409);
    assert_eq!(refused.json["code"], "plan_stale");
    assert_eq!(
        app.scim().get(&format!("/Groups/{sales}")).members().len(),
        2
    );
    let new = api.get(&format!("/imports/{}", plan.id()));
    assert_eq!(new.json["state"], "planned");
    assert_ne!(new.json["plan"]["state_hash"], hash);
    assert_eq!(outcomes(&api, &plan.id()), ["2 no_op -", "3 added -"]);
    commit(&api, &plan.id()).expect(200);
    assert_eq!(
        app.scim().get(&format!("/Groups/{sales}")).members().len(),
        3
    );
}

#[test]
fn a_plan_lives_a_day() {
    let app = TestApp::new();
    let api = app.api();
    let plan = upload(&api, "kind=learners", "email\nann@acme.test\n");
    plan.expect(201);
    app.clock.advance_millis(24 * 60 * 60 * 1000 - 1);
    api.get(&format!("/imports/{}", plan.id())).expect(200);
    app.clock.advance_millis(1);
    let late = commit(&api, &plan.id());
    // Stale, or forgotten already.
    assert!([404, 409].contains(&late.status), "{late:?}");
    assert!(rows(&api, "/learners").is_empty());
}

#[test]
fn sync_ends_whom_the_file_does_not_name_and_asks_when_that_is_much() {
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(6);
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let sales = app.group("Sales", &all[..5]);
    let other = app.group("Other", &all[..5]);
    let course = app.course("Fire safety");
    app.assign(&sales, &course);
    let enrolled = app.enrollments().len();
    let text = "group,email\nSales,learner1@acme.test\nSales,learner2@acme.test\nSales,learner6@acme.test\n";
    let plan = upload(&api, "kind=members&mode=sync", text);
    plan.expect(201);
    assert_eq!(
        plan.json["plan"]["summary"]["memberships"],
        json!({"add": 1, "end": 3, "pend": 0})
    );
    let asked = commit(&api, &plan.id());
    asked.expect(422);
    assert_eq!(asked.json["code"], "impact_confirmation_required");
    let confirmed = api.post(
        &format!("/imports/{}/commit", plan.id()),
        &json!({"confirm": true}),
    );
    confirmed.expect(200);
    assert_eq!(confirmed.json["result"]["memberships_ended"], 3);
    assert_eq!(
        app.scim().get(&format!("/Groups/{sales}")).members().len(),
        3
    );
    assert_eq!(
        app.scim().get(&format!("/Groups/{other}")).members().len(),
        5
    );
    assert_eq!(
        app.enrollments().len(),
        enrolled + 1,
        "nobody is un-enrolled"
    );
    // One of a file's few may go without a word when that was allowed.
    let few = "group,email\nSales,learner1@acme.test\nSales,learner2@acme.test\n";
    let done = import(&api, "kind=members&mode=sync&max_change_pct=40", few);
    assert_eq!(done["result"]["memberships_ended"], 1);
    let no_sync = upload(&api, "kind=learners&mode=sync", "email\na@b.test\n");
    no_sync.expect(422);
}

#[test]
fn an_atomic_commit_is_one_transaction() {
    let app = TestApp::new();
    let api = app.api();
    let lines: String = (0..1500).map(|n| format!("a{n}@acme.test\n")).collect();
    let done = import(
        &api,
        "kind=learners&atomic=true",
        &format!("email\n{lines}"),
    );
    assert_eq!(done["result"]["rows"], json!({"created": 1500}));
    let jobs = rows(&api, "/jobs");
    assert_eq!(jobs[0]["done"], 1500);
}

#[test]
fn a_canceled_import_cannot_be_committed() {
    let app = TestApp::new();
    let api = app.api();
    let plan = upload(&api, "kind=learners", "email\nann@acme.test\n");
    let path = format!("/imports/{}", plan.expect(201).id());
    api.delete(&path).expect(204);
    let refused = commit(&api, &plan.id());
    refused.expect(409);
    assert_eq!(refused.json["code"], "import_not_ready");
    assert!(rows(&api, "/learners").is_empty());
    let done = import(&api, "kind=learners", "email\nann@acme.test\n");
    let over = format!("/imports/{}", done["id"].as_str().expect("an id"));
    api.delete(&over).expect(409);
}

#[test]
fn another_tenant_neither_sees_an_import_nor_what_it_names() {
    // I-12
    let app = TestApp::new();
    let (_, theirs) = app.other_tenant();
    app.users(1);
    app.group("Sales", &[]);
    let plan = upload(
        &app.api(),
        "kind=members",
        "group,email\nSales,learner1@acme.test\n",
    );
    let id = plan.expect(201).id();
    for path in ["", "/rows", "/errors.csv"] {
        theirs.get(&format!("/imports/{id}{path}")).expect(404);
    }
    theirs.get(&format!("/jobs/{id}")).expect(404);
    theirs.delete(&format!("/imports/{id}")).expect(404);
    commit(&theirs, &id).expect(404);
    assert!(rows(&theirs, "/jobs").is_empty());
    let group = rows(&app.api(), "/groups")[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let foreign = upload(
        &theirs,
        "kind=members",
        &format!("group,email\nSales,learner1@acme.test\n{group},learner1@acme.test\n"),
    );
    assert_eq!(
        outcomes(&theirs, &foreign.expect(201).id()),
        ["2 error not_found", "3 error not_found"]
    );
}

#[test]
fn a_token_imports_what_it_may_write_and_sees_no_other_import() {
    let app = TestApp::new();
    let reader = app.client(
        "/api/v1",
        Some(&app.token("api", Some("groups:read"), None)),
    );
    let text = "email\nann@acme.test\n";
    upload(&reader, "kind=learners", text).expect(403);
    let people = app.client(
        "/api/v1",
        Some(&app.token("api", Some("learners:write"), None)),
    );
    let id = upload(&people, "kind=learners", text).expect(201).id();
    upload(&people, "kind=cohort", "group,email\nA,b@c\n").expect(403);
    reader.get(&format!("/imports/{id}")).expect(404);
    assert!(rows(&reader, "/jobs").is_empty());
    assert_eq!(rows(&people, "/jobs").len(), 1);
    commit(&people, &id).expect(200);
}

#[test]
fn an_upload_and_a_commit_with_a_key_count_once() {
    // A1 "Idempotency": every POST
    let app = TestApp::new();
    let api = app.api();
    let keyed = |key: &str| api.with_header("Idempotency-Key", key);
    let file = "email\nann@acme.test\n";
    let first = upload(&keyed("up"), "kind=learners", file);
    let id = first.expect(201).id();
    let again = upload(&keyed("up"), "kind=learners", file);
    assert_eq!(again.expect(201).id(), id);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("location"), first.header("location"));
    let other = upload(&keyed("up"), "kind=learners", "email\nbob@acme.test\n");
    assert_eq!(other.expect(422).json["code"], "idempotency_mismatch");
    assert_eq!(rows(&api, "/jobs").len(), 1);
    let done = commit(&keyed("do"), &id);
    done.expect(200);
    let again = commit(&keyed("do"), &id);
    assert_eq!(again.expect(200).header("idempotency-replayed"), "true");
    assert_eq!(again.text, done.text);
    assert_eq!(rows(&api, "/learners").len(), 1);
}
