//! The tables of the domain document, row by row: settings (§2.1), what a directory's request makes of a learner (§2.2), the
//! states of a membership (§2.4), the figures (§3.3), what is owed (§4). §9.1 and §9.2 are beside the functions they are of.

use rollcall::learning::plan::SubscriptionPlan;

use super::examples::*;
use crate::harness::build::rows;
use crate::harness::{TestApp, USER, Value, json, patch};

fn configure(app: &TestApp, settings: &Value) {
    app.api().patch("/settings", settings).expect(200);
}

/// The row of a learner.
fn facts(app: &TestApp, name: &str) -> Value {
    rows(&app.api(), "/learners?deleted=include")
        .into_iter()
        .find(|row| row["name"] == name)
        .unwrap_or_else(|| panic!("no learner {name}"))
}

#[test]
fn t_2_1_every_setting_has_its_default() {
    let app = TestApp::new();
    let shown = app.api().get("/settings");
    for (setting, default) in [
        ("/approval/self_signup", json!("manual")),
        ("/approval/invite", json!("auto")),
        ("/approval/import", json!("auto")),
        ("/approval/scim", json!("auto")),
        ("/scim/registers", json!(true)),
        ("/renewal_window_days", json!(30)),
        ("/recert_anchor", json!("completion")),
        ("/late_joiner_grace_days", json!(0)),
        ("/return_grace_days", json!(14)),
        ("/rejoin_resume_days", json!(30)),
        ("/honor_prior_completion", json!(true)),
        ("/payload_retention_days", json!(90)),
    ] {
        assert_eq!(
            shown.expect(200).json.pointer(setting),
            Some(&default),
            "{setting}"
        );
    }
    // The last two of the table are tolerances of a connection, because identity providers differ in them.
    let made = app
        .api()
        .post("/connections", &json!({"name": "HR", "idp": "generic"}));
    let switches = &made.expect(201).json["switches"];
    assert_eq!(
        (
            &switches["unknown_scim_member"],
            &switches["put_omitted_members"]
        ),
        (&json!("skip_and_warn"), &json!("keep"))
    );
    // §2.10, §7.16
    assert_eq!(made.json["effect_brake"], 500);
}

#[test]
fn t_2_1_each_setting_that_moves_a_date_moves_it() {
    // One certificate, one absence of membership, one late joiner; each setting alone.
    struct Case {
        setting: Value,
        /// Status and date of: a certificate near its end, somebody who came too late, somebody who was done before.
        renewal: (&'static str, &'static str),
        late: (&'static str, &'static str),
        before: &'static str,
        resumed: &'static str,
    }
    let usual = || Case {
        setting: json!({}),
        renewal: ("compliant", "2026-06-10"),
        late: ("overdue", "2026-03-31"),
        before: "compliant",
        resumed: "2026-03-10T08:00:00.000Z",
    };
    for case in [
        usual(),
        Case {
            setting: json!({"renewal_window_days": 45}),
            renewal: ("expiring", "2026-06-10"),
            ..usual()
        },
        Case {
            setting: json!({"late_joiner_grace_days": 10}),
            late: ("not_started", "2026-05-11"),
            ..usual()
        },
        Case {
            setting: json!({"honor_prior_completion": false}),
            before: "overdue",
            ..usual()
        },
        Case {
            setting: json!({"rejoin_resume_days": 3}),
            resumed: "2026-05-01T08:00:00.000Z",
            ..usual()
        },
    ] {
        let app = TestApp::in_zone(BERLIN, "2026-03-10T08:00:00Z");
        configure(&app, &case.setting);
        let (renewed, dated, plain) = (app.course("R"), app.course("D"), app.course("P"));
        let sales = group(&app, "Sales");
        let (ann, who) = person(&app, "ann");
        join(&app, &sales, &[&ann]);
        assign(&app, &sales, &renewed, json!({"recert_months": 3}));
        let due = json!({"kind": "date", "date": "2026-03-31"});
        assign(&app, &sales, &plain, json!({"due": due}));
        complete(&app, &who, &renewed, "2026-03-10T08:00:00Z");
        let (bob, late) = person(&app, "bob");
        complete(&app, &late, &plain, "2026-03-10T08:00:00Z");
        app.at("2026-04-27T08:00:00Z");
        leave(&app, &sales, &ann);
        app.at("2026-05-01T08:00:00Z");
        assign(&app, &sales, &dated, json!({"due": due}));
        join(&app, &sales, &[&ann, &bob]);

        let told = &case.setting;
        let one = enrollment_in(&app, &who, &renewed);
        assert_eq!(
            (&one["status"], &one["due"]),
            (&json!(case.renewal.0), &json!(case.renewal.1)),
            "renewal_window_days {told}"
        );
        assert_eq!(
            through(&one, &sales)["since"],
            case.resumed,
            "rejoin_resume_days {told}"
        );
        let one = enrollment_in(&app, &late, &dated);
        assert_eq!(
            (&one["status"], &one["due"]),
            (&json!(case.late.0), &json!(case.late.1)),
            "late_joiner_grace_days {told}"
        );
        let one = enrollment_in(&app, &late, &plain);
        assert_eq!(one["status"], case.before, "honor_prior_completion {told}");
        app.check();
    }
}

#[test]
fn t_2_2_what_each_scim_request_makes_of_a_learner() {
    // Rows 1 and 2: registration by `scim.registers`, approval by the connection, else by `approval.scim`; `active` as sent,
    // and read back as sent whatever the approval.
    for (registers, connection, tenant, registration, approval) in [
        (true, "inherit", "auto", "registered", "approved"),
        (true, "inherit", "manual", "registered", "pending"),
        (true, "manual", "auto", "registered", "pending"),
        (true, "auto", "manual", "registered", "approved"),
        (false, "inherit", "auto", "invited", "approved"),
    ] {
        let app = TestApp::with_okta();
        configure(
            &app,
            &json!({"scim": {"registers": registers}, "approval": {"scim": tenant}}),
        );
        let id = rows(&app.api(), "/connections")[0]["id"].clone();
        let path = format!("/connections/{}", id.as_str().unwrap_or_default());
        app.api()
            .patch(&path, &json!({ "approve": connection }))
            .expect(200);
        for active in [true, false] {
            let name = format!("ann{active}");
            let body =
                json!({"schemas": [USER], "userName": name, "externalId": name, "active": active});
            let made = app.scim().post("/Users", &body);
            assert_eq!(made.expect(201).json["active"], active);
            let row = facts(&app, &name);
            assert_eq!(
                (&row["registration"], &row["approval"], &row["active"]),
                (&json!(registration), &json!(approval), &json!(active)),
                "{registers} {connection} {tenant}"
            );
            // Rows 3 and 4: `active` never touches the approval.
            for flipped in [!active, active] {
                activate(&app, &made.id(), flipped);
                let shown = app.scim().get(&format!("/Users/{}", made.id()));
                assert_eq!(shown.expect(200).json["active"], flipped);
                let after = facts(&app, &name);
                assert_eq!(
                    (&after["approval"], &after["active"]),
                    (&json!(approval), &json!(flipped))
                );
            }
        }
        app.check();
    }

    // Row 6: back with the same externalId on the same connection; a rejected learner stays rejected.
    let app = TestApp::with_okta();
    for (name, decision, after) in [
        ("fay", None, "approved"),
        ("gus", Some("reject"), "rejected"),
        ("ida", Some("revoke"), "approved"),
    ] {
        let (account, who) = person(&app, name);
        if let Some(verb) = decision {
            app.api()
                .post(&format!("/learners/{who}/{verb}"), &json!({}))
                .expect(200);
        }
        // Row 5.
        app.scim().delete(&format!("/Users/{account}")).expect(204);
        assert!(!facts(&app, name)["deleted_at"].is_null());
        let (back, same) = person(&app, name);
        assert_ne!(back, account);
        assert_eq!(same, who);
        assert_eq!(facts(&app, name)["approval"], after, "{name}");
        // Row 7: a live account's userName.
        let twin = json!({"schemas": [USER], "userName": name.to_uppercase()});
        app.scim().post("/Users", &twin).scim_error("uniqueness");
    }
    app.check();
}

#[test]
fn t_2_2_registration_and_approval_go_their_ways() {
    let app = TestApp::new();
    let new = json!({"user_name": "ann"});
    let ann = app.api().post("/learners", &new).expect(201).id();
    let step = |verb: &str| {
        let done = app
            .api()
            .post(&format!("/learners/{ann}/{verb}"), &json!({}));
        done.expect(200);
        (
            done.json["registration"].clone(),
            done.json["approval"].clone(),
        )
    };
    for (verb, registration, approval) in [
        ("register", "registered", "approved"),
        ("register", "registered", "approved"),
        ("revoke", "registered", "pending"),
        ("reject", "registered", "rejected"),
        ("approve", "registered", "approved"),
        ("revoke", "registered", "pending"),
        ("approve", "registered", "approved"),
    ] {
        assert_eq!(step(verb), (json!(registration), json!(approval)), "{verb}");
    }
    let row = facts(&app, "ann");
    assert!(!row["approved_by"].is_null() && !row["approved_at"].is_null());
}

#[test]
fn t_2_4_the_state_of_a_membership_follows_from_the_learner() {
    let app = TestApp::with_okta();
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    assign(&app, &sales, &course, json!({"mandatory": true}));
    // Registered? Approval by hand? Active? → state, reason of waiting, member, enrolled.
    let cases: [(bool, Option<&str>, bool, &str, Value); 7] = [
        (true, None, true, "active", Value::Null),
        (true, None, false, "dormant", Value::Null),
        (true, Some("revoke"), true, "pending", json!("not_approved")),
        (
            true,
            Some("revoke"),
            false,
            "pending",
            json!("not_approved"),
        ),
        (true, Some("reject"), true, "pending", json!("rejected")),
        (false, None, true, "pending", json!("not_registered")),
        (
            false,
            Some("reject"),
            true,
            "pending",
            json!("not_registered"),
        ),
    ];
    for (n, (registered, decision, active, ..)) in cases.iter().enumerate() {
        configure(&app, &json!({"scim": {"registers": registered}}));
        let (account, who) = person(&app, &format!("p{n}"));
        if let Some(verb) = decision {
            app.api()
                .post(&format!("/learners/{who}/{verb}"), &json!({}))
                .expect(200);
        }
        activate(&app, &account, *active);
        join(&app, &sales, &[&account]);
    }
    let members = rows(&app.api(), &format!("/groups/{sales}/members"));
    assert_eq!(members.len(), cases.len());
    for (n, (_, _, _, state, waiting)) in cases.iter().enumerate() {
        let row = members
            .iter()
            .find(|row| row["name"] == format!("p{n}"))
            .expect("a member");
        assert_eq!(
            (&row["state"], &row["waiting_for"]),
            (&json!(state), waiting),
            "p{n}"
        );
        let enrolled = enrollments(&app, row["learner_id"].as_str().unwrap_or_default()).len();
        assert_eq!(enrolled, usize::from(*state == "active"), "p{n}");
    }
    let counts = app.api().get(&format!("/groups/{sales}")).json["counts"].clone();
    assert_eq!(
        (&counts["active"], &counts["dormant"], &counts["pending"]),
        (&json!(1), &json!(1), &json!(5))
    );
    let group = app.scim().get(&format!("/Groups/{sales}"));
    assert_eq!(
        group.members().len(),
        cases.len(),
        "§5: the directory's own view"
    );
    app.check();
}

#[test]
fn t_3_3_the_figures_of_a_group() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let sales = group(&app, "Sales");
    let report = |strict: bool| {
        let path = format!("/groups/{sales}/compliance?strict={strict}");
        app.api().get(&path).expect(200).json.clone()
    };
    // An empty denominator is no number.
    assert_eq!(
        (
            &report(false)["total"]["mandatory"]["rate"],
            &report(false)["fully_compliant_rate"]
        ),
        (&Value::Null, &Value::Null)
    );
    let (must, may) = (app.course("Must"), app.course("May"));
    let due = json!({"kind": "date", "date": "2026-03-10"});
    let terms = json!({"mandatory": true, "due": due, "recert_months": 1});
    assign(&app, &sales, &must, terms);
    assign(&app, &sales, &may, json!({}));
    let people: Vec<(String, String)> = (0..8).map(|n| person(&app, &format!("p{n}"))).collect();
    let users: Vec<&str> = people.iter().map(|(user, _)| user.as_str()).collect();
    join(&app, &sales, &users);
    let who = |n: usize| people[n].1.as_str();
    let cell = |n: usize, course: &str| {
        enrollment_in(&app, who(n), course)["id"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    // 0 done, 1 done and about to lapse, 2 half way, 3 not begun, 4 waived, 5 in extra time, 6 away, 7 waiting.
    complete(&app, who(1), &must, "2026-03-01T08:00:00Z");
    complete(&app, who(5), &must, "2026-02-15T08:00:00Z");
    complete(&app, who(0), &may, "2026-03-01T08:00:00Z");
    let half = json!({"progress_pct": 50});
    app.api()
        .post(&format!("/enrollments/{}/progress", cell(2, &must)), &half)
        .expect(200);
    let waiver = json!({"reason": "on parental leave"});
    app.api()
        .post(&format!("/enrollments/{}/waiver", cell(4, &must)), &waiver)
        .expect(200);
    let more = json!({"reason": "ill", "due": "2026-05-31"});
    app.api()
        .post(&format!("/enrollments/{}/extension", cell(5, &must)), &more)
        .expect(200);
    activate(&app, users[6], false);
    app.api()
        .post(&format!("/learners/{}/revoke", who(7)), &json!({}))
        .expect(200);
    app.at("2026-03-09T08:00:00Z");
    complete(&app, who(0), &must, "2026-03-09T08:00:00Z");
    app.at("2026-03-20T08:00:00Z");

    let now = report(false);
    let must_be = json!({"rate": 0.6, "on_track_rate": 0.6, "compliant": 1, "expiring": 2, "in_grace": 1, "in_progress": 0,
        "not_started": 0, "overdue": 2, "expired": 0, "waived": 1, "obligations": 5});
    assert_eq!(now["total"]["mandatory"], must_be);
    assert_eq!(now["courses"].as_array().map(Vec::len), Some(2));
    // 0, 1, 4 and 5 of six active members who have a mandatory obligation.
    assert_eq!(now["fully_compliant_rate"], 0.667);
    assert_eq!(
        (
            &now["counts"]["active"],
            &now["counts"]["dormant"],
            &now["counts"]["pending"]
        ),
        (&json!(6), &json!(1), &json!(1)),
        "outside every denominator, beside every figure"
    );
    let optional = &now["total"]["optional"];
    assert_eq!(
        (
            &optional["compliant"],
            &optional["not_started"],
            &optional["obligations"]
        ),
        (&json!(1), &json!(5), &json!(6))
    );
    // Must: 100, 100, 50 and three times 0, the lapsed one among them; may: 100 and five times 0.
    assert_eq!(
        now["total"]["progress"], 0.292,
        "completed = 100 while valid"
    );
    let strict = report(true);
    assert_eq!(
        (
            &strict["total"]["mandatory"]["expired"],
            &strict["total"]["mandatory"]["rate"]
        ),
        (&json!(1), &json!(0.4)),
        "extra time counts as expired"
    );
    // I-15
    let sum: i64 = [
        "compliant",
        "expiring",
        "in_progress",
        "not_started",
        "overdue",
        "expired",
    ]
    .iter()
    .map(|status| now["total"]["mandatory"][*status].as_i64().unwrap_or(-1))
    .sum();
    assert_eq!(Some(sum), now["total"]["mandatory"]["obligations"].as_i64());
    app.check();
}

#[test]
fn t_4_each_predicate_of_what_is_owed_stops_by_itself_and_in_the_order_of_the_table() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    assign(&app, &sales, &course, json!({}));
    let (ann, who) = person(&app, "ann");
    let api = app.api();
    let connection = rows(&api, "/connections")[0]["id"].clone();
    let connection = format!("/connections/{}", connection.as_str().unwrap_or_default());
    let learner = format!("/learners/{who}");
    // Everything is in the way, then one thing after another goes, from the first predicate on.
    api.post(&format!("{learner}/revoke"), &json!({}))
        .expect(200);
    activate(&app, &ann, false);
    api.patch(&connection, &json!({"mode": "observe"}))
        .expect(200);
    join(&app, &sales, &[&ann]);
    api.patch(
        &format!("/courses/{course}"),
        &json!({"status": "archived"}),
    )
    .expect(200);
    app.set_plan(SubscriptionPlan::Starter);
    let blocker = |code: &str, fix: &str| {
        assert!(enrollments(&app, &who).is_empty(), "{code}");
        let why = explained(&app, &who, &course);
        assert_eq!(why["enrolled"], false);
        assert_eq!(why["first_blocker"]["code"], code);
        assert_eq!(why["first_blocker"]["fix"]["label"], fix);
    };
    blocker("pending_approval", "Approve ann");
    api.post(&format!("{learner}/approve"), &json!({}))
        .expect(200);
    blocker("dormant", "Activate ann in the directory");
    activate(&app, &ann, true);
    blocker("course_not_published", "Publish Security");
    api.patch(
        &format!("/courses/{course}"),
        &json!({"status": "published"}),
    )
    .expect(200);
    blocker("parked_plan", "Upgrade the plan");
    app.set_plan(SubscriptionPlan::Business);
    blocker("connection_observing", "Let the connection go live");
    let live = api.post(&format!("{connection}/go-live"), &json!({}));
    assert_eq!(live.expect(200).json["enrollments_created"], 1);
    assert_eq!(explained(&app, &who, &course)["enrolled"], true);
    // Predicate 6: a reason that has ended is not written again by any sweep.
    let id = enrollment(&app, &who)["id"].clone();
    let path = format!("/enrollments/{}/withdraw", id.as_str().unwrap_or_default());
    api.post(&path, &json!({"reason": "by mistake"}))
        .expect(200);
    app.reconcile();
    let why = explained(&app, &who, &course);
    assert_eq!(
        (&why["enrolled"], &why["first_blocker"]["code"]),
        (&json!(false), &json!("withdrawn"))
    );
    app.check();
}

#[test]
fn t_4_predicate_5_asks_the_groups_connection_else_the_one_that_wrote_the_membership() {
    let app = TestApp::with_okta();
    let course = app.course("Security");
    let (managed, free) = (app.group("Managed", &[]), group(&app, "Free"));
    for team in [&managed, &free] {
        assign(&app, team, &course, json!({}));
    }
    let id = rows(&app.api(), "/connections")[0]["id"].clone();
    let path = format!("/connections/{}", id.as_str().unwrap_or_default());
    let mode = json!({"mode": "observe", "lock_groups": false});
    app.api().patch(&path, &mode).expect(200);
    // Who writes, where → is anything owed?
    for (n, (team, by_scim, owed)) in [
        (&managed, true, false),
        (&managed, false, false),
        (&free, true, false),
        (&free, false, true),
    ]
    .into_iter()
    .enumerate()
    {
        let (user, who) = person(&app, &format!("p{n}"));
        if by_scim {
            join(&app, team, &[&user]);
        } else {
            let body = json!({"learners": [{"id": who}]});
            app.api()
                .post(&format!("/groups/{team}/members"), &body)
                .expect(200);
        }
        assert_eq!(enrollments(&app, &who).len(), usize::from(owed), "row {n}");
    }
    let group = patch(json!([{"op": "replace", "path": "displayName", "value": "Still managed"}]));
    app.scim()
        .patch(&format!("/Groups/{managed}"), &group)
        .expect(204);
    app.check();
}
