//! The edge cases 7.2 to 7.14 that no worked example shows: who comes back, who writes, what was done before. The numbers are
//! the document's.

use super::examples::*;
use crate::harness::build::rows;
use crate::harness::{GROUP, TestApp, USER, Value, add_members, json, patch};

pub(super) fn sales(app: &TestApp, terms: Value) -> (String, String) {
    let (course, sales) = (app.course("Security"), group(app, "Sales"));
    assign(app, &sales, &course, terms);
    (course, sales)
}

pub(super) fn withdraw(app: &TestApp, learner: &str) {
    let id = enrollment(app, learner)["id"].clone();
    let path = format!("/enrollments/{}/withdraw", id.as_str().unwrap_or_default());
    app.api()
        .post(&path, &json!({"reason": "asked for"}))
        .expect(200);
}

#[test]
fn c_7_2_somebody_valid_who_comes_back_has_nothing_to_do_again() {
    for back in ["2026-03-12T08:00:00Z", "2026-09-01T08:00:00Z"] {
        let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
        let (course, team) = sales(&app, json!({"mandatory": true, "recert_months": 12}));
        let (ann, who) = person(&app, "ann");
        join(&app, &team, &[&ann]);
        complete(&app, &who, &course, "2026-03-01T08:00:00Z");
        app.at("2026-03-10T08:00:00Z");
        leave(&app, &team, &ann);
        app.at(back);
        join(&app, &team, &[&ann]);
        let one = enrollment(&app, &who);
        assert_eq!(
            (&one["status"], &one["cycle"]["n"], &one["valid_until"]),
            (&json!("compliant"), &json!(1), &json!("2027-03-01")),
            "{back}"
        );
        app.check();
    }
}

#[test]
fn c_7_3_the_last_writer_wins_in_a_group_that_nobody_manages() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (_, team) = sales(&app, json!({}));
    let (ann, who) = person(&app, "ann");
    let (bob, _) = person(&app, "bob");
    let by_hand = || {
        let body = json!({"learners": [{"id": who}]});
        app.api()
            .post(&format!("/groups/{team}/members"), &body)
            .expect(200)
            .json["outcome"]
            .clone()
    };
    assert_eq!(by_hand(), "success");
    // The directory's add is a no-op and takes nothing over.
    join(&app, &team, &[&ann]);
    let members = rows(&app.api(), &format!("/groups/{team}/members"));
    assert_eq!(members[0]["source"], "rest");
    app.at("2026-03-02T08:00:00Z");
    // A PUT without her ends what the person began.
    let body = json!({"schemas": [GROUP], "displayName": "Sales", "members": [{"value": bob}]});
    app.scim()
        .put(&format!("/Groups/{team}"), &body)
        .expect(200);
    assert_eq!(app.scim().get(&format!("/Groups/{team}")).members(), [bob]);
    app.at("2026-03-03T08:00:00Z");
    assert_eq!(by_hand(), "success");
    let one = enrollment(&app, &who);
    let periods: Vec<&Value> = one["reasons"]
        .as_array()
        .map(|all| all.iter().map(|reason| &reason["membership_id"]).collect())
        .unwrap_or_default();
    assert!(
        periods.len() == 2 && periods[0] != periods[1],
        "a new period: {one}"
    );
    let writers: Vec<(Value, bool)> = rows(&app.api(), &format!("/groups/{team}/timeline"))
        .iter()
        .filter(|row| row["learner_name"] == "ann")
        .map(|row| {
            let scim = row["actor"]
                .as_str()
                .is_some_and(|by| by.starts_with("scim"));
            (row["what"].clone(), scim)
        })
        .collect();
    assert_eq!(
        writers,
        [
            (json!("membership.began"), false),
            (json!("membership.ended"), true),
            (json!("membership.began"), false),
        ]
    );
    app.check();
}

#[test]
fn c_7_3_a_managed_group_has_one_writer_unless_its_lock_is_off_or_it_is_released() {
    // §2.3: who may write what, row by row.
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (ann, who) = person(&app, "ann");
    let team = app.group("Sales", &[&ann]);
    let (path, members) = (format!("/groups/{team}"), format!("/groups/{team}/members"));
    let api = app.api();
    let write = |status: u16| {
        let named = api.patch(&path, &json!({"name": format!("Sales {status}")}));
        let added = api.post(&members, &json!({"learners": [{"id": who}]}));
        let removed = api.delete(&format!("{members}/{who}?dry_run=true"));
        for reply in [named, added, removed] {
            assert_eq!(reply.status, status, "{reply:?}");
            if status == 409 {
                assert_eq!(reply.json["code"], "managed_by_directory");
                assert!(
                    reply.text.contains("okta"),
                    "it names the connection: {reply:?}"
                );
            }
        }
        let course = app.course("Any");
        api.patch(&path, &json!({"description": "text", "color": "#123456"}))
            .expect(200);
        assign(&app, &team, &course, json!({}));
    };
    write(409);
    let id = rows(&api, "/connections")[0]["id"].clone();
    let connection = format!("/connections/{}", id.as_str().unwrap_or_default());
    api.patch(&connection, &json!({"lock_groups": false}))
        .expect(200);
    write(200);
    api.patch(&connection, &json!({"lock_groups": true}))
        .expect(200);
    write(409);
    let released = api.post(&format!("{path}/release"), &json!({}));
    assert!(released.expect(200).json["managed_by"].is_null());
    write(200);
    // SCIM may still write it.
    join(&app, &team, &[&ann]);
    app.check();
}

#[test]
fn c_7_4_a_withdrawal_stands_until_there_is_a_new_cause() {
    // 4.13; each new cause of the paragraph alone.
    for cause in ["another group", "added again", "assigned again"] {
        let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
        let (course, team) = (app.course("Security"), group(&app, "Sales"));
        let assignment = assign(&app, &team, &course, json!({}));
        let (ann, who) = person(&app, "ann");
        join(&app, &team, &[&ann]);
        withdraw(&app, &who);
        app.at("2026-03-02T08:00:00Z");
        app.reconcile();
        join(&app, &team, &[&ann]);
        let edit = json!({"mandatory": true});
        app.api()
            .patch(&format!("/assignments/{assignment}"), &edit)
            .expect(200);
        app.api()
            .patch(&format!("/courses/{course}"), &json!({"title": "Safety"}))
            .expect(200);
        assert!(!enrollment(&app, &who)["withdrawn_at"].is_null());
        match cause {
            "another group" => {
                let other = group(&app, "Berlin");
                assign(&app, &other, &course, json!({}));
                join(&app, &other, &[&ann]);
            }
            "added again" => {
                leave(&app, &team, &ann);
                join(&app, &team, &[&ann]);
            }
            _ => {
                app.api()
                    .delete(&format!("/assignments/{assignment}"))
                    .expect(204);
                assign(&app, &team, &course, json!({}));
            }
        }
        let one = enrollment(&app, &who);
        assert!(one["withdrawn_at"].is_null(), "{cause}: {one}");
        app.check();
    }
}

#[test]
fn c_7_5_deactivation_and_removal_end_alike_in_either_order_and_completions_still_count() {
    let mut ends = Vec::new();
    for remove_first in [true, false] {
        let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
        let (course, team) = sales(&app, json!({"mandatory": true}));
        let (ann, who) = person(&app, "ann");
        join(&app, &team, &[&ann]);
        if remove_first {
            leave(&app, &team, &ann);
            activate(&app, &ann, false);
        } else {
            activate(&app, &ann, false);
            leave(&app, &team, &ann);
        }
        complete(&app, &who, &course, "2026-03-01T08:00:00Z");
        let one = enrollment(&app, &who);
        ends.push((
            one["status"].clone(),
            one["reasons"][0]["end_cause"].clone(),
            one["obligation"].clone(),
            one["withdrawn_at"].clone(),
            app.scim().get(&format!("/Groups/{team}")).members(),
        ));
        app.check();
    }
    assert_eq!(ends[0], ends[1], "I-7");
    assert_eq!(ends[0].1, "member_removed");
}

#[test]
fn c_7_5_who_is_away_has_not_come_back_whatever_is_decided_about_them() {
    // §3.2 (2): the grace of a return begins with the return.
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let due = json!({"kind": "date", "date": "2026-03-10"});
    let (_, team) = sales(&app, json!({"mandatory": true, "due": due}));
    let (ann, who) = person(&app, "ann");
    join(&app, &team, &[&ann]);
    app.at("2026-03-05T08:00:00Z");
    activate(&app, &ann, false);
    let decide = |verb: &str| {
        app.api()
            .post(&format!("/learners/{who}/{verb}"), &json!({}))
            .expect(200);
    };
    app.at("2026-03-20T08:00:00Z");
    decide("revoke");
    decide("approve");
    let one = enrollment(&app, &who);
    assert_eq!(
        (&one["due"], &one["status"]),
        (&json!("2026-03-10"), &json!("overdue"))
    );
    app.at("2026-03-25T08:00:00Z");
    activate(&app, &ann, true);
    let one = enrollment(&app, &who);
    assert_eq!(
        (&one["due"], &one["status"]),
        (&json!("2026-04-08"), &json!("not_started")),
        "one absence, from the fifth to the twenty-fifth"
    );
    app.check();
}

#[test]
fn c_7_7_a_group_among_the_members_is_left_out_and_noted() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (ann, _) = person(&app, "ann");
    let (team, other) = (group(&app, "Sales"), group(&app, "Other"));
    let body = patch(json!([add_members(&[&ann, &other])]));
    let done = app.scim().patch(&format!("/Groups/{team}"), &body);
    done.expect(204);
    assert_eq!(app.scim().get(&format!("/Groups/{team}")).members(), [ann]);
    let row = app
        .api()
        .get(&format!("/sync/requests/{}", done.header("x-request-id")));
    assert!(
        row.expect(200).json["warnings"]
            .to_string()
            .contains("nested_group_ignored"),
        "{row:?}"
    );
}

#[test]
fn c_7_8_a_date_in_the_past_is_taken_with_a_warning_and_whoever_joins_is_late_at_once() {
    let app = TestApp::in_zone(BERLIN, "2026-04-15T08:00:00Z");
    let (course, team) = (app.course("Security"), group(&app, "Sales"));
    let body = json!({"course_id": course, "mandatory": true, "due": {"kind": "date", "date": "2026-03-31"}});
    let path = format!("/groups/{team}/assignments");
    let plan = app.api().post(&format!("{path}?dry_run=true"), &body);
    assert_eq!(plan.expect(200).json["summary"]["becomes_overdue"], 0);
    let made = app.api().post(&path, &body);
    assert_eq!(
        made.expect(201).json["warnings"][0]["code"],
        "due_date_in_past"
    );
    let (ann, who) = person(&app, "ann");
    let pushed = app.scim().patch(
        &format!("/Groups/{team}"),
        &patch(json!([add_members(&[&ann])])),
    );
    let row = app.api().get(&format!(
        "/sync/requests/{}",
        pushed.expect(204).header("x-request-id")
    ));
    assert!(
        row.json["warnings"]
            .to_string()
            .contains("due_date_in_past"),
        "{row:?}"
    );
    assert_eq!(enrollment(&app, &who)["status"], "overdue");
    // By hand the same, and how many will be late is told before.
    let (_, bob) = person(&app, "bob");
    let (_, done) = person(&app, "carl");
    complete(&app, &done, &course, "2026-03-01T08:00:00Z");
    let members = format!("/groups/{team}/members");
    for (learners, late) in [(json!([{"id": done}]), 0), (json!([{"id": bob}]), 1)] {
        let body = json!({ "learners": learners });
        let plan = app.api().post(&format!("{members}?dry_run=true"), &body);
        assert_eq!(plan.expect(200).json["summary"]["becomes_overdue"], late);
        let added = app.api().post(&members, &body);
        let warned = added.expect(200).json["warnings"].to_string();
        assert_eq!(warned.contains("due_date_in_past"), late == 1, "{warned}");
    }
    app.check();
}

#[test]
fn c_7_9_and_7_10_what_was_done_and_begun_before_joining_counts_and_the_obligation_begins_now() {
    let app = TestApp::in_zone(BERLIN, "2026-06-01T08:00:00Z");
    let (course, team) = (app.course("Security"), group(&app, "Sales"));
    let terms =
        json!({"mandatory": true, "due": {"kind": "relative", "days": 10}, "recert_months": 1});
    assign(&app, &team, &course, terms);
    let (valid, lapsed, begun) = (
        person(&app, "ann"),
        person(&app, "bob"),
        person(&app, "carl"),
    );
    complete(&app, &valid.1, &course, "2026-05-20T08:00:00Z");
    complete(&app, &lapsed.1, &course, "2026-01-20T08:00:00Z");
    let by_hand = json!({"learner_id": begun.1, "course_id": course});
    let id = app.api().post("/enrollments", &by_hand).expect(201).id();
    app.api()
        .post(
            &format!("/enrollments/{id}/progress"),
            &json!({"progress_pct": 40}),
        )
        .expect(200);
    app.at("2026-06-02T08:00:00Z");
    join(&app, &team, &[&valid.0, &lapsed.0, &begun.0]);
    let one = enrollment(&app, &valid.1);
    assert_eq!(
        (&one["status"], &one["valid_until"]),
        (&json!("compliant"), &json!("2026-06-20"))
    );
    let one = enrollment(&app, &lapsed.1);
    assert_eq!(
        (&one["status"], &one["due"], &one["cycle"]["n"]),
        (&json!("not_started"), &json!("2026-06-12"), &json!(2)),
        "treated as not done, due from the assignment"
    );
    let one = enrollment(&app, &begun.1);
    assert_eq!(
        (
            &one["id"],
            &one["status"],
            &one["due"],
            &one["cycle"]["progress_pct"]
        ),
        (
            &json!(id),
            &json!("in_progress"),
            &json!("2026-06-12"),
            &json!(40)
        )
    );
    app.api().delete(&format!("/groups/{team}")).expect(204);
    let one = enrollment(&app, &begun.1);
    let live: Vec<&Value> = one["reasons"]
        .as_array()
        .map(|all| {
            all.iter()
                .filter(|reason| reason["ended_at"].is_null())
                .collect()
        })
        .unwrap_or_default();
    assert_eq!(live.len(), 1);
    assert_eq!(live[0]["kind"], "manual");
    app.check();
}

#[test]
fn c_7_11_after_the_last_reason_nothing_is_due_and_no_renewal_opens() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let terms = json!({"mandatory": true, "due": {"kind": "date", "date": "2026-03-10"}, "recert_months": 1});
    let (course, team) = sales(&app, terms);
    let (open, done) = (person(&app, "ann"), person(&app, "bob"));
    join(&app, &team, &[&open.0, &done.0]);
    complete(&app, &done.1, &course, "2026-03-01T08:00:00Z");
    app.at("2026-03-05T08:00:00Z");
    leave(&app, &team, &open.0);
    leave(&app, &team, &done.0);
    app.at("2026-05-01T08:00:00Z");
    app.reconcile();
    let one = enrollment(&app, &open.1);
    assert_eq!(
        (&one["obligation"], &one["status"], &one["due"]),
        (&json!(false), &json!("not_started"), &Value::Null)
    );
    assert_eq!(
        one["reasons"][0]["due"],
        json!({"kind": "date", "date": "2026-03-10"}),
        "was due"
    );
    let one = enrollment(&app, &done.1);
    assert_eq!(
        (&one["status"], &one["cycle"]["n"]),
        (&json!("compliant"), &json!(1))
    );
    assert_eq!(
        one["reasons"][0]["outcomes"],
        json!([{"cycle": 1, "due": "2026-03-10", "on_time": true}]),
        "the certificate stays as history"
    );
    app.check();
}

#[test]
fn c_7_12_and_7_13_a_person_is_their_id_and_two_user_names_are_two_people() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, team) = sales(&app, json!({}));
    let (ann, who) = person(&app, "ann");
    join(&app, &team, &[&ann]);
    let rename = patch(
        json!([{"op": "replace", "path": "userName", "value": "ann.married"},
        {"op": "add", "path": "emails", "value": [{"value": "new@acme.test", "primary": true}]}]),
    );
    app.scim()
        .patch(&format!("/Users/{ann}"), &rename)
        .expect(200);
    assert_eq!(learner(&app.api(), "ann.married"), who);
    assert_eq!(enrollment(&app, &who)["course_id"], json!(course));
    // Another connection finds the account and writes it; its own name for her makes nobody new.
    let entra = app.client("/scim/v2", Some(&app.token("scim", None, Some("entra"))));
    let twin = json!({"schemas": [USER], "userName": "ANN.married", "externalId": "e-1"});
    entra.post("/Users", &twin).scim_error("uniqueness");
    let found = entra.get("/Users?filter=userName eq \"ann.married\"");
    assert_eq!(found.expect(200).json["Resources"][0]["id"], json!(ann));
    activate(&app, &ann, false);
    let back = patch(json!([{"op": "replace", "path": "active", "value": true}]));
    entra.patch(&format!("/Users/{ann}"), &back).expect(200);
    assert_eq!(
        app.scim().get(&format!("/Users/{ann}")).json["active"],
        true,
        "the last write wins"
    );
    // Never by e-mail.
    let other =
        json!({"schemas": [USER], "userName": "a.married", "emails": [{"value": "new@acme.test"}]});
    let other = entra.post("/Users", &other).expect(201).id();
    assert_ne!(other, ann);
    assert_eq!(rows(&app.api(), "/learners").len(), 2);
    app.check();
}

#[test]
fn c_7_14_a_group_that_its_directory_makes_again_is_offered_its_courses_and_given_none() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (first, second) = (app.course("Security"), app.course("First aid"));
    let (ann, who) = person(&app, "ann");
    let make = |name: &str, external: &str| {
        let members = json!([{"value": ann}]);
        let body = json!({"schemas": [GROUP], "displayName": name, "externalId": external, "members": members});
        let made = app.scim().post("/Groups", &body);
        made.expect(201);
        let log = format!("/sync/requests/{}", made.header("x-request-id"));
        let warnings = app.api().get(&log).expect(200).json["warnings"].clone();
        let offered = warnings
            .as_array()
            .and_then(|all| {
                all.iter()
                    .find(|one| one["code"] == "deleted_group_had_courses")
            })
            .map(|one| one["path"].as_str().unwrap_or_default().to_owned());
        (made.id(), offered)
    };
    let (old, offered) = make("Sales", "x-1");
    assert_eq!(offered, None);
    assign(&app, &old, &first, json!({"mandatory": true}));
    assign(&app, &old, &second, json!({}));
    let end = |id: &str| {
        app.scim()
            .delete(&format!("/Groups/{id}"))
            .expect(204)
            .status
    };
    end(&old);
    // By the same name or the same externalId, for 30 days.
    for (at, name, external, expected) in [
        ("2026-03-02T08:00:00Z", "SALES", "x-2", true),
        ("2026-03-03T08:00:00Z", "Revenue", "x-1", true),
        ("2026-03-04T08:00:00Z", "Revenue", "x-2", false),
        ("2026-03-31T08:00:01Z", "Sales", "x-1", false),
    ] {
        app.at(at);
        let (new, offered) = make(name, external);
        assert_eq!(
            offered,
            expected.then(|| format!("id eq \"{old}\"")),
            "{at}"
        );
        let path = format!("/groups/{new}/assignments");
        assert!(rows(&app.api(), &path).is_empty(), "never silently");
        end(&new);
    }
    // An admin takes the offer: the courses go to the group that is there.
    let (new, _) = make("Sales", "x-1");
    assign(&app, &new, &second, json!({}));
    let restore = format!("/groups/{old}/restore");
    let body = json!({ "into": new });
    let plan = app.api().post(&format!("{restore}?dry_run=true"), &body);
    assert_eq!(
        plan.expect(200).json["warnings"][0]["code"],
        "already_assigned"
    );
    let done = app.api().post(&restore, &body);
    assert_eq!(
        (
            &done.expect(201).json["id"],
            &done.json["assignments"],
            &done.json["members"]
        ),
        (&json!(new), &json!(1), &json!(0))
    );
    assert_eq!(
        rows(&app.api(), &format!("/groups/{new}/assignments")).len(),
        2
    );
    assert_eq!(enrollments(&app, &who).len(), 2);
    app.check();
}
