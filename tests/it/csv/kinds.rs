//! What each kind of file does, and that its plan says so beforehand.

use crate::harness::{TestApp, Value, build::rows, json};

use super::{commit, import, outcomes, upload};

#[test]
fn learners_are_planned_then_made_with_accounts_and_made_once() {
    let app = TestApp::new();
    let api = app.api();
    let text = "user_name,email,external_id,given_name,family_name,department,active\n\
                ann,ann@acme.test,e-1,Ann,Baker,Sales,yes\n\
                ,bob@acme.test,,Bob,Cole,,no\n\
                ANN,other@acme.test,,,,,\n\
                ,no address,,,,,\n";
    let plan = upload(&api, "kind=learners", text);
    plan.expect(201);
    let summary = &plan.json["plan"]["summary"];
    assert_eq!(summary["learners"]["create"], 2);
    assert_eq!(
        summary["rows"],
        json!({"created": 2, "error": 1, "no_op": 1})
    );
    assert_eq!(
        outcomes(&api, &plan.id()),
        [
            "2 created -",
            "3 created -",
            "4 no_op duplicate_row",
            "5 error bad_email"
        ]
    );
    // The plan has written nobody (I-14).
    assert!(rows(&api, "/learners").is_empty());
    let done = commit(&api, &plan.id());
    done.expect(200);
    assert_eq!(done.json["state"], "committed");
    assert_eq!(
        done.json["result"]["rows"],
        json!({"created": 2, "no_op": 1, "error": 1})
    );

    let learners = rows(&api, "/learners");
    assert_eq!(learners.len(), 2);
    for learner in &learners {
        assert_eq!(learner["registered_via"], "import");
        // An admin's file counts as the approval (§2.1 `approval.import`).
        assert_eq!(learner["approval"], "approved");
    }
    // Each has an account that a directory's probe finds.
    let found = app.scim().get("/Users?filter=userName eq \"ann\"");
    let ann = &found.expect(200).json["Resources"][0];
    assert_eq!(ann["emails"][0]["value"], "ann@acme.test");
    assert_eq!(ann["externalId"], "e-1");
    assert_eq!(ann["active"], true);
    assert_eq!(ann["name"]["familyName"], "Baker");
    let bob = app
        .scim()
        .get("/Users?filter=emails.value eq \"bob@acme.test\"");
    assert_eq!(bob.expect(200).json["Resources"][0]["active"], false);

    // The same file again changes nothing, and committing the same plan again neither.
    let again = import(&api, "kind=learners", text);
    assert_eq!(again["plan"]["summary"]["learners"]["create"], 0);
    assert_eq!(again["result"]["rows"], json!({"no_op": 3, "error": 1}));
    commit(&api, &plan.id()).expect(200);
    assert_eq!(rows(&api, "/learners").len(), 2);
}

#[test]
fn members_join_leave_wait_and_are_enrolled_as_the_plan_says() {
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(4);
    let sales = app.group("Sales", &[&ids[0], &ids[3]]);
    for title in ["Fire safety", "Security basics"] {
        let course = app.course(title);
        app.assign(&sales, &course);
    }
    let carl = app.user("carl@acme.test");
    let learner = rows(&api, "/learners")
        .into_iter()
        .find(|row| row["name"] == "carl@acme.test")
        .expect("carl");
    let reject = format!(
        "/learners/{}/reject",
        learner["id"].as_str().expect("an id")
    );
    api.send("POST", &reject, None).expect(200);
    let text = format!(
        "Group;E-Mail;Action\r\n\
         sales;learner1@acme.test;\r\n\
         SALES;learner2@acme.test;add\r\n\
         {sales};learner3@acme.test;\r\n\
         Sales;learner4@acme.test;remove\r\n\
         Sales;carl@acme.test;\r\n\
         Sales;nobody@acme.test;\r\n\
         Support;learner1@acme.test;\r\n\
         Sales;learner2@acme.test;\r\n"
    );
    let before = app.enrollments().len();
    let plan = upload(&api, "kind=members", &text);
    plan.expect(201);
    assert_eq!(plan.json["file"]["delimiter"], ";");
    let summary = &plan.json["plan"]["summary"];
    assert_eq!(
        summary["memberships"],
        json!({"add": 2, "end": 1, "pend": 1})
    );
    assert_eq!(
        summary["enrollments"],
        json!({"create": 4, "keep": 0, "remove": 0})
    );
    assert_eq!(
        outcomes(&api, &plan.id()),
        [
            "2 no_op -",
            "3 added -",
            "4 added -",
            "5 removed -",
            "6 pended rejected",
            "7 error not_found",
            "8 error not_found",
            "9 no_op duplicate_row"
        ]
    );
    assert_eq!(app.enrollments().len(), before);
    let done = commit(&api, &plan.id());
    done.expect(200);
    // The dry run announced exactly what happened.
    assert_eq!(done.json["result"]["enrollments"], 4);
    assert_eq!(app.enrollments().len(), before + 4, "nobody is un-enrolled");
    let members = rows(&api, &format!("/groups/{sales}/members"));
    let source = |name: &str| {
        members
            .iter()
            .find(|row| row["learner"]["name"] == name || row["name"] == name)
            .map(|row| row["source"].clone())
    };
    assert_eq!(source("learner2@acme.test"), Some(json!("import")));
    assert_eq!(
        source("learner1@acme.test"),
        Some(json!("scim")),
        "an add that finds a row leaves it"
    );
    assert_eq!(source("learner4@acme.test"), None);
    let in_scim = app.scim().get(&format!("/Groups/{sales}"));
    assert!(
        in_scim.members().contains(&carl),
        "a pending member is shown"
    );

    // The refused rows come back as a file, ready to be corrected.
    let errors = api.get(&format!("/imports/{}/errors.csv", plan.id()));
    errors.expect(200);
    assert_eq!(
        errors.header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(
        errors.text,
        "Group;E-Mail;Action;error\r\n\
         Sales;nobody@acme.test;;line 7: not_found: no learner has email nobody@acme.test\r\n\
         Support;learner1@acme.test;;line 8: not_found: there is no group `Support`\r\n"
    );
    app.group("Support", &[]);
    let second = upload(&api, "kind=members", &errors.text);
    assert_eq!(
        outcomes(&api, &second.expect(201).id()),
        ["2 error not_found", "3 added -"]
    );
}

#[test]
fn a_learner_is_named_by_any_label_and_an_ambiguous_one_is_refused() {
    let app = TestApp::new();
    let api = app.api();
    for (name, external) in [("a", "x-1"), ("b", "x-2"), ("c", "same"), ("d", "same")] {
        app.scim()
            .post(
                "/Users",
                &json!({"schemas": [crate::harness::USER], "userName": name, "externalId": external}),
            )
            .expect(201);
    }
    app.group("Sales", &[]);
    let learner = rows(&api, "/learners")
        .into_iter()
        .find(|row| row["name"] == "b");
    let id = learner.expect("b")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let text = format!(
        "group,id,external_id,user_name\nSales,,x-1,\nSales,{id},,\nSales,,,C\nSales,,same,\nSales,,,A\n"
    );
    let plan = upload(&api, "kind=members", &text);
    assert_eq!(
        outcomes(&api, &plan.expect(201).id()),
        [
            "2 added -",
            "3 added -",
            "4 added -",
            "5 error ambiguous_reference",
            "6 no_op duplicate_row"
        ]
    );
}

#[test]
fn a_cohort_is_one_file_group_members_and_courses() {
    let app = TestApp::new();
    let api = app.api();
    app.users(3);
    for (title, code) in [("Security basics", "SEC"), ("Fire safety", "FIRE")] {
        let course = json!({"title": title, "code": code, "status": "published"});
        api.post("/courses", &course).expect(201);
    }
    let text = "group,description,color,email,course_code,mandatory,due_date,recert_months\n\
                New Hires Q1 2026,The first quarter,#2563eb,learner1@acme.test,SEC,true,2026-03-31,12\n\
                ,,,learner2@acme.test,FIRE,,,\n\
                ,,,learner3@acme.test,SEC,,,\n\
                ,,,,NONE,,,\n";
    let plan = upload(&api, "kind=cohort", text);
    plan.expect(201);
    let summary = &plan.json["plan"]["summary"];
    assert_eq!(summary["groups"]["create"], 1);
    assert_eq!(summary["assignments"]["create"], 2);
    assert_eq!(summary["memberships"]["add"], 3);
    assert_eq!(
        summary["enrollments"],
        json!({"create": 6, "keep": 0, "remove": 0})
    );
    assert!(rows(&api, "/groups").is_empty(), "a plan makes nothing");
    let done = commit(&api, &plan.id());
    done.expect(200);
    assert_eq!(done.json["result"]["enrollments"], 6);
    let groups = rows(&api, "/groups");
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0]["name"], "New Hires Q1 2026");
    assert_eq!(groups[0]["color"], "#2563EB");
    assert_eq!(groups[0]["origin"], "import");
    assert_eq!(app.enrollments().len(), 6);
    let id = groups[0]["id"].as_str().expect("an id");
    let assignments = rows(&api, &format!("/groups/{id}/assignments"));
    let secure = assignments
        .iter()
        .find(|one| one["course"]["title"] == "Security basics")
        .expect("assigned");
    assert_eq!(secure["mandatory"], true);
    assert_eq!(secure["due"], json!({"kind": "date", "date": "2026-03-31"}));
    assert_eq!(secure["recert_months"], 12);
    // Again: everything is so already.
    let again = import(&api, "kind=cohort", text);
    assert_eq!(again["result"]["rows"], json!({"no_op": 3, "error": 1}));
    assert_eq!(app.enrollments().len(), 6);
}

#[test]
fn courses_are_assigned_and_what_is_assigned_otherwise_is_not_changed() {
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(2);
    app.group("Sales", &[&ids[0], &ids[1]]);
    for (title, code, status) in [
        ("Security basics", "SEC", "published"),
        ("Draft", "DRAFT", "draft"),
    ] {
        let course = json!({"title": title, "code": code, "status": status});
        api.post("/courses", &course).expect(201);
    }
    let text = "group,course_code,mandatory,due_days\nSales,sec,yes,30\nSales,DRAFT,,\nSales,NONE,,\nNone,SEC,,\n";
    let plan = upload(&api, "kind=assignments", text);
    plan.expect(201);
    assert_eq!(plan.json["plan"]["summary"]["enrollments"]["create"], 2);
    assert_eq!(
        outcomes(&api, &plan.id()),
        [
            "2 assigned -",
            "3 error course_not_published",
            "4 error not_found",
            "5 error not_found"
        ]
    );
    commit(&api, &plan.id()).expect(200);
    assert_eq!(app.enrollments().len(), 2);
    let again = upload(
        &api,
        "kind=assignments",
        "group,course_code,mandatory,due_days\nSales,SEC,yes,30\n",
    );
    assert_eq!(outcomes(&api, &again.id()), ["2 no_op -"]);
    let other = upload(&api, "kind=assignments", "group,course_code\nSales,SEC\n");
    assert_eq!(outcomes(&api, &other.id()), ["2 error already_assigned"]);
}

#[test]
fn a_group_that_a_directory_manages_is_not_written_by_a_file() {
    // I-5
    let app = TestApp::with_okta();
    let api = app.api();
    let ids = app.users(2);
    let team = app.group("Team", &[&ids[0]]);
    let text = "group,email\nTeam,learner2@acme.test\n";
    let plan = upload(&api, "kind=members", text);
    assert_eq!(
        outcomes(&api, &plan.expect(201).id()),
        ["2 error managed_by_directory"]
    );
    commit(&api, &plan.id()).expect(200);
    assert_eq!(
        app.scim().get(&format!("/Groups/{team}")).members().len(),
        1
    );
    let release = format!("/groups/{team}/release");
    api.send("POST", &release, None).expect(200);
    let done = import(&api, "kind=members", text);
    assert_eq!(done["result"]["rows"], json!({"added": 1}));
}

#[test]
fn what_an_import_did_stands_in_the_events_with_its_id() {
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(1);
    let done = import(&api, "kind=learners", "email\nann@acme.test\n");
    let sales = app.group("Sales", &[&ids[0]]);
    let course = app.course("Fire safety");
    app.assign(&sales, &course);
    let members = import(&api, "kind=members", "group,email\nSales,ann@acme.test\n");
    assert_eq!(members["result"]["enrollments"], 1);
    assert!(done["id"] != members["id"]);
    let job = api.get(&format!("/jobs/{}", members["id"].as_str().expect("an id")));
    job.expect(200);
    assert_eq!(job.json["kind"], "import");
    assert_eq!(job.json["state"], "done");
    assert_eq!(job.json["total"], 1);
    let all: Vec<Value> = rows(&api, "/jobs");
    assert_eq!(all.len(), 2);
}
