//! The lifecycle of a learner over REST and what the tenant's settings decide about it (domain §2.1, §2.2, §4.4, §8).

use crate::harness::{TestApp, build::rows, json, user};

#[test]
fn an_invited_learner_waits_and_takes_part_when_they_register() {
    // S-08: only who is registered and approved may be added; §4.4.
    let app = TestApp::new();
    let api = app.api();
    let sales = app.group("Sales", &[]);
    let course = app.course("Fire safety");
    app.assign(&sales, &course);
    let new = json!({"email": "Cleo@acme.test", "given_name": "Cleo", "family_name": "Fox", "external_id": "e-7"});
    let plan = api.post("/learners?dry_run=true", &new);
    assert_eq!(
        plan.expect(200).json["summary"]["learners_affected"],
        1,
        "{plan:?}"
    );
    assert!(rows(&api, "/learners").is_empty(), "a dry run makes nobody");
    let cleo = api.post("/learners", &new);
    cleo.expect(201);
    assert_eq!(cleo.json["registration"], "invited");
    assert_eq!(cleo.json["approval"], "approved");
    assert_eq!(cleo.json["registered_via"], "invite");
    let again = api.post("/learners", &json!({"user_name": "cleo@ACME.test"}));
    assert_eq!(again.expect(409).json["code"], "already_taken");
    // The account is there for a directory's probe.
    let probe = app
        .scim()
        .get("/Users?filter=userName eq \"cleo@acme.test\"");
    assert_eq!(probe.expect(200).json["totalResults"], 1);

    let members = format!("/groups/{sales}/members");
    let who = json!({"learners": [{"email": "cleo@acme.test"}]});
    let refused = api.post(&members, &who);
    refused.expect(422);
    assert_eq!(refused.json["errors"][0]["code"], "not_registered");
    let pend = json!({"learners": [{"email": "cleo@acme.test"}], "on_ineligible": "pend"});
    assert_eq!(
        api.post(&members, &pend).expect(200).json["results"][0]["outcome"],
        "pended"
    );
    assert!(app.enrollments().is_empty());
    let register = format!("/learners/{}/register", cleo.id());
    let done = api.send("POST", &register, None);
    assert_eq!(done.expect(200).json["enrollments_created"], 1);
    assert_eq!(app.enrollments().len(), 1);
    app.check();
}

#[test]
fn settings_and_connections_decide_who_is_approved_and_registered() {
    // §2.1: `approval.invite`, `approval.scim`, `scim.registers`; a connection's own word wins.
    let app = TestApp::with_okta();
    let api = app.api();
    let facts = |name: &str| {
        let row = rows(&api, "/learners")
            .into_iter()
            .find(|row| row["name"] == name);
        let row = row.expect("a learner");
        (row["registration"].clone(), row["approval"].clone())
    };
    let manual = json!({"approval": {"invite": "manual", "scim": "manual", "import": "manual"}, "scim": {"registers": false}});
    api.patch("/settings", &manual).expect(200);
    app.scim().post("/Users", &user("ann")).expect(201);
    assert_eq!(facts("ann"), (json!("invited"), json!("pending")));
    let bob = json!({"user_name": "bob", "registered": true});
    let bob = api.post("/learners", &bob);
    assert_eq!(bob.expect(201).json["approval"], "pending");
    assert_eq!(bob.json["registration"], "registered");
    crate::csv::import(&api, "kind=learners", "user_name\ncarl\n");
    assert_eq!(facts("carl"), (json!("registered"), json!("pending")));

    let connection = &rows(&api, "/connections")[0]["id"];
    let path = format!("/connections/{}", connection.as_str().expect("an id"));
    api.patch(&path, &json!({"approve": "auto"})).expect(200);
    app.scim().post("/Users", &user("dora")).expect(201);
    assert_eq!(facts("dora"), (json!("invited"), json!("approved")));
    // SCIM shows `active` as it was written, whatever we think of the person.
    let dora = app.scim().get("/Users?filter=userName eq \"dora\"");
    assert_eq!(dora.json["Resources"][0]["active"], true);

    let automatic = json!({"approval": {"scim": "auto"}, "scim": {"registers": true}});
    api.patch("/settings", &automatic).expect(200);
    api.patch(&path, &json!({"approve": "manual"})).expect(200);
    app.scim().post("/Users", &user("eve")).expect(201);
    assert_eq!(facts("eve"), (json!("registered"), json!("pending")));
    api.patch(&path, &json!({"approve": "inherit"})).expect(200);
    app.scim().post("/Users", &user("finn")).expect(201);
    assert_eq!(facts("finn"), (json!("registered"), json!("approved")));
}

#[test]
fn a_learner_who_is_removed_leaves_every_group_and_keeps_every_record() {
    // §2.2, §8; S-13: nobody is un-enrolled.
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(2);
    let sales = app.group("Sales", &[&ids[0], &ids[1]]);
    let course = app.course("Fire safety");
    app.assign(&sales, &course);
    let learner = rows(&api, &format!("/groups/{sales}/members"))[0]["learner_id"].clone();
    let path = format!("/learners/{}", learner.as_str().expect("an id"));
    let plan = api.delete(&format!("{path}?dry_run=true"));
    assert_eq!(plan.expect(200).json["summary"]["memberships"]["end"], 1);
    assert_eq!(plan.json["summary"]["enrollments"]["remove"], 0);
    api.delete(&path).expect(204);
    api.delete(&path).expect(404);
    app.scim()
        .get(&format!("/Users/{}", ids[0]))
        .scim_failure(404);
    assert_eq!(rows(&api, &format!("/groups/{sales}/members")).len(), 1);
    assert_eq!(app.enrollments().len(), 2);
    assert!(!api.get(&path).expect(200).json["deleted_at"].is_null());
    let history = rows(&api, &format!("{path}/history"));
    let last = history.iter().find(|row| row["what"] == "membership.ended");
    assert_eq!(last.expect("an end")["detail"], "user_deleted");
    // The user name is free again.
    app.scim()
        .post("/Users", &user("learner1@acme.test"))
        .expect(201);
    app.check();
}

#[test]
fn what_nobody_can_be_called_is_refused_in_the_field_that_says_it() {
    let app = TestApp::new();
    let api = app.api();
    for (body, pointer) in [
        (json!({"given_name": "Ann"}), "/user_name"),
        (json!({"user_name": "  "}), "/user_name"),
        (json!({"email": "no address"}), "/email"),
        (json!({"user_name": "ann", "nickname": "A"}), "/nickname"),
    ] {
        let refused = api.post("/learners", &body);
        assert_eq!(
            refused.expect(422).json["errors"][0]["pointer"],
            pointer,
            "{refused:?}"
        );
    }
    assert!(rows(&api, "/learners").is_empty());
}

#[test]
fn many_are_approved_and_explained_by_whatever_names_them() {
    // A1 "Ids", A2
    let app = TestApp::new();
    let api = app.api();
    let course = json!({"title": "Fire safety", "code": "FIRE-1", "status": "published"});
    api.post("/courses", &course).expect(201);
    api.patch("/settings", &json!({"approval": {"scim": "manual"}}))
        .expect(200);
    for name in ["ann@acme.test", "bob@acme.test", "eve@acme.test"] {
        app.user(name);
    }
    let waiting = || rows(&api, "/learners?approval=pending").len();
    assert_eq!(waiting(), 3);
    let bob = rows(&api, "/learners?q=bob")[0]["id"].clone();
    let both = json!({"learners": [bob, {"user_name": "ANN@acme.test"}]});
    let done = api.post("/learners:approve", &both);
    assert_eq!(done.expect(200).json["approved"], 2);
    assert_eq!(waiting(), 1);
    let nobody = api.post(
        "/learners:approve",
        &json!({"learners": [{"user_name": "nobody"}]}),
    );
    nobody.expect(404);
    let two = api.post(
        "/learners:approve",
        &json!({"learners": [{"user_name": "eve@acme.test", "email": "eve@acme.test"}]}),
    );
    assert_eq!(two.expect(422).json["errors"][0]["pointer"], "/learners/0");
    assert_eq!(waiting(), 1);

    let why = api.get("/explain?user_name=ann@acme.test&course_code=fire-1");
    assert_eq!(
        why.expect(200).json["first_blocker"]["code"],
        "no_membership"
    );
    for (query, status, code) in [
        ("user_name=nobody&course_code=fire-1", 404, "not_found"),
        ("user_name=ann@acme.test&course_code=none", 404, "not_found"),
        ("user_name=ann@acme.test", 400, "invalid_parameter"),
        (
            "user_name=a&email=b&course_code=fire-1",
            400,
            "invalid_parameter",
        ),
        ("course_code=fire-1", 400, "invalid_parameter"),
    ] {
        let refused = api.get(&format!("/explain?{query}"));
        assert_eq!(refused.expect(status).json["code"], code, "{query}");
    }
}
