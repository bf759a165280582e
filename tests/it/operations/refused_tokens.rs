//! What an administrator sees of an identity provider whose token is not taken. `idp-behavior.md` §17.

use crate::harness::build::rows;
use crate::harness::{TestApp, Value, user};

/// The rows of the sync log that tell of a refusal, newest first.
fn refusals(app: &TestApp) -> Vec<Value> {
    let mut found = rows(&app.api(), "/sync/requests");
    found.retain(|row| row["http_status"] == 401 || row["http_status"] == 403);
    found
}

#[test]
fn a_token_that_expired_or_was_revoked_or_is_of_the_other_kind_stands_in_the_log() {
    let app = TestApp::new();
    let revoked = app.token("scim", None, Some("okta"));
    let client = app.client("/scim/v2", Some(&revoked));
    client.post("/Users", &user("ann")).expect(201);
    app.revoke(&revoked);
    client.post("/Users", &user("bob")).scim_failure(401);
    app.settle(|| refusals(&app).len() == 1);
    let row = &refusals(&app)[0];
    assert!(
        row["detail"].to_string().contains("revoked at 2026-03-02T"),
        "{row}"
    );
    assert_eq!(row["outcome"], "rejected");
    assert_eq!(row["method"], "POST");
    assert_eq!(row["operation"], "create");
    assert!(
        row["connection"].is_object() || row["connection_id"].is_string(),
        "{row}"
    );

    let api = app.token("api", None, None);
    app.client("/scim/v2", Some(&api))
        .get("/Users")
        .scim_failure(403);
    app.settle(|| refusals(&app).len() == 2);
    assert!(refusals(&app)[0]["detail"].to_string().contains("REST API"));

    let short = app.short_token("scim", 60_000);
    app.clock.advance_millis(10 * 60_000);
    let probe = app.client("/scim/v2", Some(&short));
    probe
        .get("/Users?filter=userName%20eq%20%22ann%22")
        .scim_failure(401);
    app.settle(|| refusals(&app).len() == 3);
    let row = &refusals(&app)[0];
    assert!(row["detail"].to_string().contains("expired at"), "{row}");
    assert_eq!(row["operation"], "probe");

    // a token that nobody made concerns nobody
    app.client("/scim/v2", Some("nonsense"))
        .get("/Users")
        .scim_failure(401);
    assert_eq!(refusals(&app).len(), 3);
}
