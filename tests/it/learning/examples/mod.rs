//! The worked examples A to I of the domain document (§12), instant by instant, through SCIM and REST; here is how they speak.

mod explain;
mod joining;
mod time;

use crate::harness::build::rows;
use crate::harness::{Client, TestApp, Value, add_members, json, patch, remove_member};

pub const BERLIN: &str = "Europe/Berlin";

pub fn person(app: &TestApp, name: &str) -> (String, String) {
    let body = json!({"schemas": [crate::harness::USER], "userName": name, "externalId": format!("x-{name}"), "active": true});
    let id = app.scim().post("/Users", &body).expect(201).id();
    (id, learner(&app.api(), name))
}

pub fn learner(api: &Client, name: &str) -> String {
    rows(api, "/learners")
        .into_iter()
        .find(|row| row["name"] == name)
        .unwrap_or_else(|| panic!("no learner {name}"))["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

pub fn group(app: &TestApp, name: &str) -> String {
    app.api()
        .post("/groups", &json!({ "name": name }))
        .expect(201)
        .id()
}

pub fn assign(app: &TestApp, group: &str, course: &str, options: Value) -> String {
    let mut body = options;
    body["course_id"] = json!(course);
    app.api()
        .post(&format!("/groups/{group}/assignments"), &body)
        .expect(201)
        .id()
}

pub fn join(app: &TestApp, group: &str, users: &[&str]) {
    app.scim()
        .patch(
            &format!("/Groups/{group}"),
            &patch(json!([add_members(users)])),
        )
        .expect(204);
}

pub fn leave(app: &TestApp, group: &str, user: &str) {
    app.scim()
        .patch(
            &format!("/Groups/{group}"),
            &patch(json!([remove_member(user)])),
        )
        .expect(204);
}

pub fn activate(app: &TestApp, user: &str, active: bool) {
    let operation = json!([{"op": "replace", "path": "active", "value": active}]);
    app.scim()
        .patch(&format!("/Users/{user}"), &patch(operation));
}

pub fn complete(app: &TestApp, learner: &str, course: &str, at: &str) {
    let body = json!({"completions": [{"learner_id": learner, "course_id": course, "completed_at": at, "source": "player"}]});
    let done = app.api().post("/completions", &body);
    done.expect(200);
    assert_eq!(done.json["results"][0]["outcome"], "recorded", "{done:?}");
}

pub fn enrollments(app: &TestApp, learner: &str) -> Vec<Value> {
    let report = app.api().get(&format!("/learners/{learner}/compliance"));
    report.expect(200);
    report.json["enrollments"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// The one enrollment of a learner.
#[track_caller]
pub fn enrollment(app: &TestApp, learner: &str) -> Value {
    let mut all = enrollments(app, learner);
    assert_eq!(all.len(), 1, "{}", json!(all));
    all.remove(0)
}

/// The live reason of a group.
pub fn through(enrollment: &Value, group: &str) -> Value {
    let reasons = enrollment["reasons"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    reasons
        .into_iter()
        .find(|one| one["group"]["id"] == group && one["ended_at"].is_null())
        .unwrap_or_else(|| panic!("no live reason: {enrollment}"))
}

/// How the only obligation of a group's only learner stands in the group's own report.
pub fn in_report(app: &TestApp, group: &str) -> Value {
    let rows = rows(&app.api(), &format!("/groups/{group}/progress"));
    rows[0]["courses"][0]["standing"]["status"].clone()
}

/// A REST client whose token was made now: the first one's year is over.
pub fn fresh(app: &TestApp) -> Client {
    app.client("/api/v1", Some(&app.token("api", None, None)))
}

pub fn cycle(api: &Client, learner: &str) -> Value {
    let page = api.get(&format!("/enrollments?learner_id={learner}"));
    page.expect(200);
    page.json["data"][0]["cycle"].clone()
}

pub fn explained(app: &TestApp, learner: &str, course: &str) -> Value {
    let answer = app
        .api()
        .get(&format!("/explain?learner={learner}&course={course}"));
    answer.expect(200);
    answer.json.clone()
}

pub fn enrollment_in(app: &TestApp, learner: &str, course: &str) -> Value {
    enrollments(app, learner)
        .into_iter()
        .find(|one| one["course_id"] == course)
        .expect("an enrollment")
}
