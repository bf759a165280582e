//! The brake on effects (§7.16): a request that would bring its connection over so many new enrollments within an hour puts
//! it on observation; what it wrote stays, and going live again enrolls whom it held.

use super::examples::*;
use crate::harness::build::rows;
use crate::harness::{Client, TestApp, Value, add_members, json, patch};

struct Pushed {
    app: TestApp,
    api: Client,
    connection: String,
    team: String,
    users: Vec<String>,
}

/// Twelve people, a group with a course, and a connection that may cause five enrollments in an hour.
fn start(brake: &Value) -> Pushed {
    let app = TestApp::with_okta();
    let api = app.api();
    let id = rows(&api, "/connections")[0]["id"].clone();
    let connection = format!("/connections/{}", id.as_str().unwrap_or_default());
    let edited = api.patch(&connection, &json!({ "effect_brake": brake }));
    assert_eq!(edited.expect(200).json["effect_brake"], *brake);
    let team = group(&app, "Sales");
    assign(&app, &team, &app.course("Security"), json!({}));
    let users = app.users(12);
    Pushed {
        app,
        api,
        connection,
        team,
        users,
    }
}

impl Pushed {
    /// Adds some people and says how the log calls it.
    fn add(&self, people: std::ops::Range<usize>) -> Value {
        let ids: Vec<&str> = self.users[people].iter().map(String::as_str).collect();
        let body = patch(json!([add_members(&ids)]));
        let done = self
            .app
            .scim()
            .patch(&format!("/Groups/{}", self.team), &body);
        done.expect(204);
        let id = done.header("x-request-id").to_owned();
        let row = self.api.get(&format!("/sync/requests/{id}"));
        row.expect(200).json.clone()
    }

    fn mode(&self) -> Value {
        self.api.get(&self.connection).expect(200).json["mode"].clone()
    }
}

#[test]
fn a_push_over_the_brake_is_stored_and_held_until_somebody_goes_live_again() {
    let pushed = start(&json!(5));
    for people in [0..2, 2..5] {
        assert_eq!(pushed.add(people)["outcome"], "success");
    }
    assert_eq!(pushed.mode(), "live", "five are allowed");
    let held = pushed.add(5..8);
    assert_eq!(
        (
            &held["outcome"],
            &held["effects"]["members_added"],
            &held["effects"]["enrollments"]
        ),
        (&json!("held"), &json!(3), &json!(0))
    );
    assert!(
        held["warnings"].to_string().contains("effect_brake"),
        "{held}"
    );
    assert_eq!(pushed.mode(), "observe");
    assert_eq!(pushed.app.enrollments().len(), 5);
    let group = pushed.app.scim().get(&format!("/Groups/{}", pushed.team));
    assert_eq!(group.members().len(), 8, "its memberships are stored");
    let event = &rows(&pushed.api, "/audit-events?type=connection.braked")[0];
    assert_eq!(
        (
            &event["data"]["effect_brake"],
            &event["data"]["enrollments_within_an_hour"]
        ),
        (&json!(5), &json!(8))
    );
    let why = &rows(&pushed.api, &format!("/groups/{}/members", pushed.team))[7];
    let course = rows(&pushed.api, "/courses")[0]["id"].clone();
    let why = explained(
        &pushed.app,
        why["learner_id"].as_str().unwrap_or_default(),
        course.as_str().unwrap_or_default(),
    );
    assert_eq!(why["first_blocker"]["code"], "connection_observing");
    // What a release would do is shown before, and is what it does.
    let owed = pushed.api.get(&format!("{}/owed", pushed.connection));
    assert_eq!(owed.expect(200).json["summary"]["enrollments"]["create"], 3);
    let live = pushed
        .api
        .post(&format!("{}/go-live", pushed.connection), &json!({}));
    assert_eq!(live.expect(200).json["enrollments_created"], 3);
    // What came before the release counts no more.
    assert_eq!(pushed.add(8..12)["outcome"], "success");
    assert_eq!(pushed.app.enrollments().len(), 12);
    pushed.app.check();
}

#[test]
fn an_hour_later_the_count_begins_anew_and_no_brake_counts_nothing() {
    let pushed = start(&json!(5));
    pushed.add(0..5);
    pushed.app.clock.advance_millis(60 * 60 * 1000 + 1);
    assert_eq!(pushed.add(5..10)["outcome"], "success");
    assert_eq!(pushed.add(10..11)["outcome"], "held");
    let pushed = start(&Value::Null);
    assert_eq!(pushed.add(0..12)["outcome"], "success");
    assert_eq!(pushed.mode(), "live");
    let wrong = json!({"effect_brake": 0});
    pushed.api.patch(&pushed.connection, &wrong).expect(422);
}

#[test]
fn what_other_hands_wrote_is_not_held_by_the_brake() {
    // Predicate 5 of §4: the connection of the membership decides.
    let pushed = start(&json!(1));
    let who = learner(&pushed.api, "learner12@acme.test");
    activate(&pushed.app, &pushed.users[11], false);
    let body = json!({"learners": [{"id": who}]});
    let members = format!("/groups/{}/members", pushed.team);
    pushed.api.post(&members, &body).expect(200);
    assert_eq!(pushed.add(0..3)["outcome"], "held");
    assert!(pushed.app.enrollments().is_empty());
    activate(&pushed.app, &pushed.users[11], true);
    assert_eq!(pushed.app.enrollments().len(), 1, "a person added them");
    pushed.app.check();
}
