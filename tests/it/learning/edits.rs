//! Edits and what they mean for enrollments that are there (§6), paragraph by paragraph.

use super::examples::*;
use crate::harness::build::rows;
use crate::harness::{TestApp, Value, json, patch};

fn date(day: &str) -> Value {
    json!({"kind": "date", "date": day})
}

fn edit(app: &TestApp, assignment: &str, body: &Value) -> Value {
    let done = app.api().patch(&format!("/assignments/{assignment}"), body);
    done.expect(200).json.clone()
}

#[test]
fn e_6_1_and_6_2_a_rename_by_the_directory_changes_the_name_and_nothing_else() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let course = app.course("Security");
    let (ann, who) = person(&app, "ann");
    let team = app.group("Sales", &[&ann]);
    app.group("Support", &[]);
    let assignment = assign(&app, &team, &course, json!({}));
    app.at("2026-03-02T08:00:00Z");
    let rename = |to: &str| {
        let body = patch(json!([{"op": "replace", "path": "displayName", "value": to}]));
        app.scim().patch(&format!("/Groups/{team}"), &body)
    };
    rename("Revenue").expect(204);
    // A collision keeps the old name.
    rename("SUPPORT").scim_error("uniqueness");
    let shown = app.api().get(&format!("/groups/{team}"));
    assert_eq!(shown.expect(200).json["name"], "Revenue");
    let assigned = rows(&app.api(), &format!("/groups/{team}/assignments"));
    assert_eq!(assigned[0]["id"], json!(assignment));
    let reason = through(&enrollment(&app, &who), &team);
    assert_eq!(
        (&reason["group"]["name"], &reason["group"]["name_now"]),
        (&json!("Sales"), &json!("Revenue")),
        "4.9: reasons keep the name they had"
    );
    let timeline = rows(&app.api(), &format!("/groups/{team}/timeline"));
    let renamed = timeline
        .iter()
        .find(|row| row["what"] == "group.updated")
        .expect("a rename in the timeline");
    assert_eq!(
        (
            &renamed["data"]["before"]["name"],
            &renamed["data"]["after"]["name"]
        ),
        (&json!("Sales"), &json!("Revenue"))
    );
    assert!(
        renamed["actor"]
            .as_str()
            .is_some_and(|by| by.starts_with("scim:"))
    );
    assert!(timeline.iter().any(|row| row["what"] == "group.created"));
    app.check();
}

#[test]
fn e_6_3_mandatory_holds_for_all_at_once_and_its_history_is_kept() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    let assignment = assign(&app, &sales, &course, json!({}));
    let (ann, who) = person(&app, "ann");
    join(&app, &sales, &[&ann]);
    app.at("2026-03-05T08:00:00Z");
    edit(&app, &assignment, &json!({"mandatory": true}));
    assert_eq!(enrollment(&app, &who)["mandatory"], true);
    let obligations = |at: &str| {
        let path = format!("/groups/{sales}/compliance?as_of={at}");
        let total = app.api().get(&path).expect(200).json["total"].clone();
        (
            total["mandatory"]["obligations"].clone(),
            total["optional"]["obligations"].clone(),
        )
    };
    app.at("2026-03-06T08:00:00Z");
    assert_eq!(obligations("2026-03-04T08:00:00Z"), (json!(0), json!(1)));
    assert_eq!(obligations("2026-03-05T09:00:00Z"), (json!(1), json!(0)));
    app.check();
}

#[test]
fn e_6_4_open_cycles_follow_a_new_date_completed_ones_keep_theirs_and_extensions_win() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    let terms = json!({"mandatory": true, "due": date("2026-03-31")});
    let assignment = assign(&app, &sales, &course, terms);
    let people: Vec<(String, String)> = ["open", "done", "granted"]
        .map(|name| person(&app, name))
        .to_vec();
    let users: Vec<&str> = people.iter().map(|(user, _)| user.as_str()).collect();
    join(&app, &sales, &users);
    let [open, done, granted] = [0, 1, 2].map(|n: usize| people[n].1.clone());
    complete(&app, &done, &course, "2026-03-01T08:00:00Z");
    let id = enrollment(&app, &granted)["id"].clone();
    let path = format!("/enrollments/{}/extension", id.as_str().unwrap_or_default());
    let body = json!({"reason": "ill", "due": "2026-04-15"});
    app.api().post(&path, &body).expect(200);
    app.at("2026-03-10T08:00:00Z");
    let edited = edit(&app, &assignment, &json!({"due": date("2026-03-05")}));
    assert_eq!(edited["warnings"][0]["code"], "due_date_in_past", "7.8");
    assert_eq!(edited["impact"]["becomes_overdue"], 1);
    assert_eq!(
        (
            &enrollment(&app, &open)["due"],
            &enrollment(&app, &open)["status"]
        ),
        (&json!("2026-03-05"), &json!("overdue"))
    );
    assert_eq!(
        through(&enrollment(&app, &done), &sales)["outcomes"],
        json!([{"cycle": 1, "due": "2026-03-31", "on_time": true}])
    );
    assert_eq!(
        (
            &enrollment(&app, &granted)["due"],
            &enrollment(&app, &granted)["status"]
        ),
        (&json!("2026-04-15"), &json!("not_started"))
    );
    app.check();
}

#[test]
fn e_6_5_a_period_that_is_added_counts_from_completions_and_one_that_is_removed_makes_them_valid_again()
 {
    let app = TestApp::in_zone(BERLIN, "2025-01-10T08:00:00Z");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    let assignment = assign(&app, &sales, &course, json!({"mandatory": true}));
    let (ann, who) = person(&app, "ann");
    join(&app, &sales, &[&ann]);
    complete(&app, &who, &course, "2025-01-10T08:00:00Z");
    app.at("2025-12-01T08:00:00Z");
    let months = |months: Value| edit(&app, &assignment, &json!({"recert_months": months}));
    let shows = |status: &str, until: Value| {
        let one = enrollment(&app, &who);
        assert_eq!(
            (&one["status"], &one["valid_until"]),
            (&json!(status), &until)
        );
    };
    shows("compliant", Value::Null);
    months(json!(24));
    shows("compliant", json!("2027-01-10"));
    months(json!(12));
    shows("compliant", json!("2026-01-10"));
    app.at("2025-12-31T08:00:00Z");
    shows("expiring", json!("2026-01-10"));
    app.at("2026-01-10T23:00:00Z");
    let scim = fresh(&app);
    let status = || {
        let page = scim.get(&format!("/enrollments?learner_id={who}"));
        page.expect(200).json["data"][0]["status"].clone()
    };
    assert_eq!(status(), "expired");
    let none = json!({"recert_months": null});
    scim.patch(&format!("/assignments/{assignment}"), &none)
        .expect(200);
    assert_eq!(status(), "compliant");
    // Adding one again: it lapsed while owed, so it asks, and who confirms gives time.
    let one = json!({"recert_months": 1});
    let refused = scim.patch(&format!("/assignments/{assignment}"), &one);
    assert_eq!(refused.expect(422).json["becomes_expired"], 1);
    let sure = json!({"recert_months": 1, "confirm": true});
    let path = format!("/assignments/{assignment}");
    // I-14, A5: rehearsed, it says the same.
    let plan = scim.patch(&format!("{path}?dry_run=true"), &sure);
    let told = &plan.expect(200).json["response"]["body"]["impact"];
    let done = scim.patch(&path, &sure);
    assert_eq!(*told, done.expect(200).json["impact"]);
    assert_eq!(
        (&told["extended"], &told["renew_by"]),
        (&json!(1), &json!("2026-02-10"))
    );
    assert_eq!(status(), "expiring");
    app.check();
}

#[test]
fn e_6_6_an_archived_course_keeps_all_it_has_and_takes_nobody_new_until_it_is_published() {
    // §2.5, 4.14
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    assign(&app, &sales, &course, json!({"mandatory": true}));
    let (ann, who) = person(&app, "ann");
    join(&app, &sales, &[&ann]);
    complete(&app, &who, &course, "2026-03-01T08:00:00Z");
    let status = |status: &str| {
        let body = json!({ "status": status });
        app.api()
            .patch(&format!("/courses/{course}"), &body)
            .expect(200);
    };
    for away in ["archived", "draft"] {
        status(away);
        assert_eq!(enrollment(&app, &who)["status"], "compliant", "{away}");
        let report = app.api().get(&format!("/groups/{sales}/compliance"));
        assert_eq!(
            report.expect(200).json["total"]["mandatory"]["compliant"],
            1
        );
        let (user, new) = person(&app, away);
        join(&app, &sales, &[&user]);
        assert!(enrollments(&app, &new).is_empty(), "{away}");
        let other = group(&app, &format!("Other {away}"));
        let body = json!({"course_id": course});
        let refused = app
            .api()
            .post(&format!("/groups/{other}/assignments"), &body);
        assert_eq!(refused.expect(422).json["code"], "course_not_published");
        app.at(if away == "draft" {
            "2026-03-03T08:00:00Z"
        } else {
            "2026-03-02T08:00:00Z"
        });
        status("published");
        let since = through(&enrollment(&app, &new), &sales)["since"].clone();
        assert_eq!(
            since,
            json!(format!(
                "2026-03-0{}T08:00:00.000Z",
                if away == "draft" { 3 } else { 2 }
            ))
        );
    }
    app.check();
}

#[test]
fn e_6_7_a_course_assigned_again_has_a_new_clock_and_what_was_done_counts() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (course, sales) = (app.course("Security"), group(&app, "Sales"));
    let terms = json!({"mandatory": true, "due": {"kind": "relative", "days": 10}});
    let first = assign(&app, &sales, &course, terms.clone());
    let (ann, done) = person(&app, "ann");
    let (bob, open) = person(&app, "bob");
    join(&app, &sales, &[&ann, &bob]);
    complete(&app, &done, &course, "2026-03-01T08:00:00Z");
    let before = enrollment(&app, &open)["id"].clone();
    app.api()
        .delete(&format!("/assignments/{first}"))
        .expect(204);
    app.at("2026-03-20T08:00:00Z");
    let second = assign(&app, &sales, &course, terms);
    assert_ne!(first, second);
    let one = enrollment(&app, &open);
    assert_eq!(one["id"], before);
    assert_eq!(
        (&one["due"], &through(&one, &sales)["since"]),
        (&json!("2026-03-30"), &json!("2026-03-20T08:00:00.000Z"))
    );
    assert_eq!(one["reasons"].as_array().map(Vec::len), Some(2));
    assert_eq!(enrollment(&app, &done)["status"], "compliant");
    app.check();
}
