//! Who sent what, as far as it may be told: traces, networks, guesses, retries (A1 "Correlation", A7, A8; C31, B4, B43).

use crate::harness::build::rows;
use crate::harness::{TestApp, json, user};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[test]
fn a_trace_is_answered_and_stands_in_the_sync_log() {
    let app = TestApp::new();
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let traced = app.scim().with_header("traceparent", &parent);
    let made = traced.post("/Users", &user("ann@acme.test"));
    let answered = made.expect(201).header("traceparent").to_owned();
    let id = made.header("x-request-id").replace('-', "");
    assert_eq!(answered, format!("00-{TRACE}-{}-01", &id[16..]));
    traced.get("/Users").expect(200);
    for operation in ["create", "read"] {
        let row = app.logged("a request of the trace", |row| {
            row["operation"] == operation && row["trace_id"] == TRACE
        });
        assert_eq!(row["client"]["ip"], "127.0.0.0/24", "{row}");
    }
    let api = app.api();
    let rest = api.with_header("traceparent", &parent).get("/groups/x");
    assert!(rest.expect(404).header("traceparent").contains(TRACE));
    // what is no trace is as if it were not there
    let odd = api.with_header("traceparent", "00-xyz").get("/groups");
    assert_eq!(odd.expect(200).header("traceparent"), "");
}

#[test]
fn the_log_guesses_the_provider_finds_retries_and_hides_the_noise() {
    let app = TestApp::new();
    let api = app.api();
    let okta = app
        .scim()
        .with_header("User-Agent", "Okta SCIM Client 1.0.0");
    let nameless = json!({"schemas": [crate::harness::USER], "userName": ""});
    let mut attempts = Vec::new();
    for _ in 0..3 {
        let refused = okta.post("/Users", &nameless);
        refused.expect(400);
        attempts.push(refused.header("x-request-id").to_owned());
        app.logged("the attempt", |row| {
            row["id"] == attempts[attempts.len() - 1].as_str()
        });
    }
    let read = |id: &str| {
        api.get(&format!("/sync/requests/{id}"))
            .expect(200)
            .json
            .clone()
    };
    assert_eq!(read(&attempts[0])["idp_guess"], "okta");
    assert_eq!(read(&attempts[0])["attempt_of"], json!(null));
    assert_eq!(read(&attempts[1])["attempt_of"], attempts[0].as_str());
    assert_eq!(read(&attempts[2])["attempt_of"], attempts[0].as_str());
    // another body, another token, a day later: no retries
    let other = okta.post(
        "/Users",
        &json!({"schemas": [crate::harness::USER], "userName": "", "title": "x"}),
    );
    let other = other.expect(400).header("x-request-id").to_owned();
    app.logged("the other", |row| row["id"] == other.as_str());
    assert_eq!(read(&other)["attempt_of"], json!(null));
    app.clock.advance_millis(25 * 3600 * 1000);
    let late = okta
        .post("/Users", &nameless)
        .expect(400)
        .header("x-request-id")
        .to_owned();
    app.logged("the late one", |row| row["id"] == late.as_str());
    assert_eq!(read(&late)["attempt_of"], json!(null));

    let ann = app.user("ann@acme.test");
    app.scim()
        .put(&format!("/Users/{ann}"), &user("ann@acme.test"))
        .expect(200);
    app.scim().get(&format!("/Users/{ann}")).expect(200);
    app.logged("the read", |row| row["operation"] == "read");
    let shown = rows(&api, "/sync/requests?quiet=true");
    let outcomes: Vec<&str> = shown
        .iter()
        .filter_map(|row| row["outcome"].as_str())
        .collect();
    assert_eq!(
        outcomes,
        [
            "success", "rejected", "rejected", "rejected", "rejected", "rejected"
        ]
    );
}

#[test]
fn a_token_says_when_and_from_where_it_was_last_used() {
    // A8, B4
    let app = TestApp::new();
    app.scim()
        .with_header("User-Agent", "Okta SCIM Client 1.0.0")
        .get("/Users")
        .expect(200);
    let find = || {
        let all = rows(&app.api(), "/tokens");
        all.into_iter()
            .find(|one| one["kind"] == "scim")
            .expect("the token")
    };
    app.settle(|| !find()["last_used_at"].is_null());
    let token = find();
    assert_eq!(token["last_used_ip"], "127.0.0.0/24");
    assert_eq!(token["last_used_agent"], "Okta SCIM Client 1.0.0");
}
