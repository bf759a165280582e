//! Who may be one person: suggested, confirmed, declined (7.13, §8). A label alone ties nobody to anybody.

use super::examples::*;
use crate::harness::build::rows;
use crate::harness::{Client, TestApp, USER, Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn provision(scim: &Client, name: &str, external_id: &str, more: &Value) -> String {
    let mut body = json!({"schemas": [USER, ENTERPRISE], "userName": name, "externalId": external_id, "active": true});
    for (field, value) in more.as_object().into_iter().flatten() {
        body[field] = value.clone();
    }
    scim.post("/Users", &body).expect(201).id()
}

fn numbered(number: &str) -> Value {
    json!({(ENTERPRISE): {"employeeNumber": number}})
}

fn mail(address: &str) -> Value {
    json!({"emails": [{"value": address, "primary": true}]})
}

fn open(app: &TestApp) -> Vec<Value> {
    rows(&app.api(), "/learner-suggestions?state=open")
}

fn path(suggestion: &Value, verb: &str) -> String {
    let id = suggestion["id"].as_str().unwrap_or_default();
    format!("/learner-suggestions/{id}/{verb}")
}

#[test]
fn c_8_a_former_learner_gets_their_history_when_an_admin_confirms() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (api, scim) = (app.api(), app.scim());
    let (course, team) = (app.course("Security"), group(&app, "Sales"));
    assign(
        &app,
        &team,
        &course,
        json!({"mandatory": true, "recert_months": 12}),
    );
    let first = provision(&scim, "dora", "x-1", &numbered("4711"));
    let dora = learner(&api, "dora");
    join(&app, &team, &[&first]);
    complete(&app, &dora, &course, "2026-02-02T08:00:00Z");
    app.at("2026-03-05T08:00:00Z");
    scim.delete(&format!("/Users/{first}")).expect(204);
    app.at("2026-05-01T08:00:00Z");
    // Hired again, under another name and another externalId: only the number is the same.
    let second = provision(&scim, "dora.fox", "x-2", &numbered("4711"));
    join(&app, &team, &[&second]);
    let new = learner(&api, "dora.fox");
    assert_eq!(
        enrollment(&app, &new)["status"],
        "not_started",
        "nothing follows by itself"
    );
    let noted = app.logged("the create", |row| {
        row["operation"] == "create" && row["resource_label"] == "dora.fox"
    });
    assert_eq!(
        noted["warnings"][0]["code"], "possible_same_person",
        "{noted}"
    );
    let asked = open(&app);
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (
            &asked[0]["learner"]["id"],
            &asked[0]["other"]["id"],
            &asked[0]["matched"]
        ),
        (&json!(new), &json!(dora), &json!(["employee_number"]))
    );
    let why = json!({"reason": "HR confirms"});
    let plan = api.post(
        &format!("{}?dry_run=true", path(&asked[0], "confirm")),
        &why,
    );
    assert_eq!(plan.expect(200).json["summary"]["memberships"]["add"], 1);
    assert_eq!(open(&app).len(), 1, "I-14");
    let done = api.post(&path(&asked[0], "confirm"), &why);
    assert_eq!(
        done.expect(200).json["learner"]["id"],
        json!(dora),
        "who was here first is kept"
    );
    assert!(open(&app).is_empty());
    let one = enrollment(&app, &dora);
    assert_eq!(
        (&one["status"], &one["valid_until"], &one["learner_name"]),
        (
            &json!("compliant"),
            &json!("2027-02-02"),
            &json!("dora.fox")
        ),
        "{one}"
    );
    // The account is the new one, and the directory sees no difference.
    assert_eq!(
        scim.get(&format!("/Groups/{team}")).members(),
        std::slice::from_ref(&second)
    );
    scim.get(&format!("/Users/{second}")).expect(200);
    let decided = &rows(&api, "/learner-suggestions?state=confirmed")[0];
    assert!(decided["decided_by"].is_string(), "{decided}");
    api.post(&path(decided, "decline"), &json!({})).expect(409);
    // The link can be taken back, and the suggestion is then declined.
    api.post(
        &format!("/learners/{new}/unlink"),
        &json!({"reason": "a namesake"}),
    )
    .expect(200);
    assert_eq!(rows(&api, "/learner-suggestions?state=declined").len(), 1);
    assert_eq!(enrollment(&app, &new)["status"], "not_started");
    app.check();
}

#[test]
fn c_8_a_reissued_mailbox_is_declined_and_not_suggested_again() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let (api, scim) = (app.api(), app.scim());
    let first = provision(&scim, "sales@acme.test", "x-1", &mail("sales@acme.test"));
    scim.delete(&format!("/Users/{first}")).expect(204);
    let second = provision(&scim, "Sales@acme.test", "x-2", &mail("SALES@acme.test"));
    let asked = open(&app);
    assert_eq!(asked.len(), 1, "{}", json!(asked));
    assert_eq!(asked[0]["matched"], json!(["user_name", "email"]));
    let declined = api.post(&path(&asked[0], "decline"), &json!({}));
    assert_eq!(declined.expect(200).json["state"], "declined");
    api.post(&path(&asked[0], "decline"), &json!({}))
        .expect(200);
    // The same person's account changes, and a third comes: who was declined stays so.
    let body = json!({"schemas": [USER], "userName": "sales.team@acme.test", "externalId": "x-2", "active": true,
        "emails": [{"value": "sales@acme.test"}]});
    scim.put(&format!("/Users/{second}"), &body).expect(200);
    assert!(open(&app).is_empty());
    let events = rows(&api, "/audit-events");
    let told = events
        .iter()
        .filter(|event| event["type"] == "learner.suggestion_declined");
    assert_eq!(told.count(), 1);
    app.check();
}

#[test]
fn c_7_13_accounts_of_two_directories_with_one_number_or_address_are_flagged_and_never_linked() {
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let entra = app.client("/scim/v2", Some(&app.token("scim", None, Some("entra"))));
    provision(&app.scim(), "ann", "o-1", &mail("ann@acme.test"));
    // Of one directory the same address is a mailbox that people share.
    provision(&app.scim(), "bob", "o-2", &mail("ann@acme.test"));
    assert!(open(&app).is_empty());
    let other = provision(&entra, "ann.smith", "e-1", &json!({}));
    assert!(open(&app).is_empty());
    // Later the address comes, too.
    let body = json!({"schemas": [USER], "userName": "ann.smith", "externalId": "e-1", "active": true,
        "emails": [{"value": "Ann@acme.test"}]});
    entra.put(&format!("/Users/{other}"), &body).expect(200);
    let asked = open(&app);
    assert_eq!(asked.len(), 2, "{}", json!(asked));
    assert!(asked.iter().all(|one| one["matched"] == json!(["email"])));
    let smith = learner(&app.api(), "ann.smith");
    assert!(app.api().get(&format!("/learners/{smith}")).json["linked_to"].is_null());
    // People whom a file brings are looked at alike.
    crate::csv::import(
        &app.api(),
        "kind=learners",
        "user_name,email\nann3,ann@acme.test\n",
    );
    assert_eq!(open(&app).len(), 5);
    app.check();
}

#[test]
fn what_a_former_learner_went_by_is_forgotten_with_their_profile() {
    // SE-14; §8: the question can be asked as long as the profile is kept.
    let app = TestApp::in_zone(BERLIN, "2026-03-01T08:00:00Z");
    let scim = app.scim();
    let first = provision(&scim, "dora", "x-1", &numbered("4711"));
    scim.delete(&format!("/Users/{first}")).expect(204);
    app.at("2026-07-01T08:00:00Z");
    app.reconcile();
    let token = app.token("scim", None, Some("okta"));
    provision(
        &app.client("/scim/v2", Some(&token)),
        "dora",
        "x-2",
        &numbered("4711"),
    );
    assert!(open(&app).is_empty());
    app.check();
}
