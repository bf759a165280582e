//! `Idempotency-Key`: once is once, however often it is sent (A1).

use crate::harness::build::rows;
use crate::harness::{TestApp, json};

#[test]
fn a_repeat_gets_the_first_answer_and_does_nothing() {
    let app = TestApp::new();
    let once = app.api().with_header("Idempotency-Key", "key-1");
    let sales = json!({"name": "Sales"});
    let first = once.post("/groups", &sales);
    first.expect(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = once.post("/groups", &sales);
    again.expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.text, first.text);
    assert_eq!(
        (again.header("location"), again.header("etag")),
        (first.header("location"), first.header("etag"))
    );
    assert_eq!(rows(&app.api(), "/groups").len(), 1);

    let other = once.post("/groups", &json!({"name": "Marketing"}));
    assert_eq!(other.expect(422).json["code"], "idempotency_mismatch");
    let elsewhere = once.post("/courses", &json!({"title": "Sales"}));
    assert_eq!(elsewhere.expect(422).json["code"], "idempotency_mismatch");
    // the key is the token's own
    let token = app.token("api", None, None);
    let stranger = app
        .client("/api/v1", Some(&token))
        .with_header("Idempotency-Key", "key-1");
    stranger
        .post("/groups", &json!({"name": "Marketing"}))
        .expect(201);
}

#[test]
fn refusals_are_kept_dry_runs_and_secrets_are_not() {
    let app = TestApp::new();
    let api = app.api();
    api.post("/groups", &json!({"name": "Sales"})).expect(201);
    let keyed = api.with_header("Idempotency-Key", "again");
    keyed
        .post("/groups?dry_run=true", &json!({"name": "Other"}))
        .expect(200);
    let refused = keyed.post("/groups", &json!({"name": "sales"}));
    assert_eq!(refused.expect(409).json["code"], "group_name_taken");
    let id = rows(&api, "/groups")[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    api.delete(&format!("/groups/{id}")).expect(204);
    let again = keyed.post("/groups", &json!({"name": "sales"}));
    again.expect(409);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.text, refused.text);

    let token = api.with_header("Idempotency-Key", "token");
    let body = json!({"label": "x", "kind": "scim"});
    let made = token.post("/tokens", &body);
    assert!(made.expect(201).json["token"].is_string());
    let again = token.post("/tokens", &body);
    assert_eq!(again.expect(201).json["jti"], made.json["jti"]);
    assert!(again.json["token"].is_null(), "shown once (B6)");
}

#[test]
fn keys_are_forgotten_after_a_week() {
    let app = TestApp::new();
    let once = app.api().with_header("Idempotency-Key", "weekly");
    once.post("/courses", &json!({"title": "One"})).expect(201);
    app.clock.advance_millis(7 * 24 * 3600 * 1000 - 1000);
    let still = once.post("/courses", &json!({"title": "One"}));
    assert_eq!(still.expect(201).header("idempotency-replayed"), "true");
    app.clock.advance_millis(2000);
    let fresh = once.post("/courses", &json!({"title": "Two"}));
    assert_eq!(fresh.expect(201).header("idempotency-replayed"), "");
    assert_eq!(rows(&app.api(), "/courses").len(), 2);
}

#[test]
fn many_at_once_make_one() {
    let app = TestApp::new();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let sent: Vec<_> = (0..16)
            .map(|_| {
                let once = app.api().with_header("Idempotency-Key", "race");
                scope.spawn(move || once.post("/courses", &json!({"title": "One"})))
            })
            .collect();
        sent.into_iter()
            .map(|thread| {
                let reply = thread.join().expect("an answer");
                assert!(
                    reply.status == 201 || reply.json["code"] == "idempotency_in_progress",
                    "{reply:?}"
                );
                reply.status
            })
            .collect()
    });
    assert!(statuses.contains(&201));
    assert_eq!(rows(&app.api(), "/courses").len(), 1);
}

#[test]
fn a_key_that_is_none_is_refused() {
    let app = TestApp::new();
    for key in ["with blank", &"k".repeat(256)] {
        let odd = app.api().with_header("Idempotency-Key", key);
        let odd = odd.post("/courses", &json!({"title": "One"}));
        assert_eq!(
            odd.expect(400).json["errors"][0]["header"],
            "Idempotency-Key",
            "{key}"
        );
    }
}
