//! `/tokens`, `/whoami`, `/audit-events`: made once, shown once, revoked at once, never more than one has (A8, B4–B6, B47).

use crate::harness::build::rows;
use crate::harness::{TestApp, json};

#[test]
fn a_token_is_shown_once_works_rotates_and_is_revoked_at_once() {
    let app = TestApp::new();
    let api = app.api();
    let new = json!({"label": "HR script", "kind": "api", "scopes": ["groups:read", "audit:read"], "expires_in_days": 30});
    let made = api.post("/tokens", &new);
    let made = &made.expect(201).json;
    let (token, jti) = (
        made["token"].as_str().expect("a token"),
        made["jti"].as_str().expect("a jti"),
    );
    assert_eq!(made["expires_at"], "2026-04-01T09:00:00.000Z");
    assert!(
        !api.get(&format!("/tokens/{jti}"))
            .expect(200)
            .text
            .contains(token),
        "B6"
    );
    assert!(
        rows(&api, "/tokens")
            .iter()
            .any(|one| one["jti"] == jti && one["token"].is_null())
    );

    let script = app.client("/api/v1", Some(token));
    assert_eq!(
        script.get("/whoami").expect(200).json["token"]["scopes"],
        json!(["groups:read", "audit:read"])
    );
    script.get("/groups").expect(200);
    assert_eq!(
        script
            .post("/groups", &json!({"name": "x"}))
            .expect(403)
            .json["code"],
        "forbidden"
    );

    let rotated = api.post(&format!("/tokens/{jti}/rotate"), &json!({}));
    let second = rotated.expect(201).json["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let other = app.client("/api/v1", Some(&second));
    other.get("/groups").expect(200);
    script.get("/groups").expect(200);

    let dry = api.delete(&format!("/tokens/{jti}?dry_run=true"));
    assert_eq!(dry.expect(200).json["response"]["status"], 204);
    script.get("/groups").expect(200);
    api.delete(&format!("/tokens/{jti}")).expect(204);
    // B5: on this node without any waiting
    script.get("/groups").expect(401);
    other.get("/groups").expect(200);
    api.delete(&format!("/tokens/{jti}")).expect(404);
    api.post(&format!("/tokens/{jti}/rotate"), &json!({}))
        .expect(422);

    let told: Vec<String> = rows(&api, "/audit-events?entity=token")
        .iter()
        .map(|event| event["type"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(told, ["token.revoked", "token.rotated", "token.created"]);
    assert!(!api.get("/audit-events").expect(200).text.contains(token));
}

#[test]
fn a_dry_run_makes_no_token_and_shows_none() {
    let app = TestApp::new();
    let before = rows(&app.api(), "/tokens").len();
    let plan = app.api().post(
        "/tokens?dry_run=true",
        &json!({"label": "x", "kind": "scim"}),
    );
    let plan = plan.expect(200);
    assert_eq!(plan.json["response"]["status"], 201);
    assert!(plan.json["response"]["body"]["token"].is_null(), "{plan:?}");
    assert_eq!(rows(&app.api(), "/tokens").len(), before);
}

#[test]
fn nobody_hands_out_more_than_they_have() {
    let app = TestApp::new();
    let token = app.token("api", Some("tokens:admin,groups:read"), None);
    let it = app.client("/api/v1", Some(&token));
    let made = it.post("/tokens", &json!({"label": "mine", "kind": "api"}));
    assert_eq!(
        made.expect(201).json["scopes"],
        json!(["groups:read", "tokens:admin"])
    );
    let more = it.post(
        "/tokens",
        &json!({"label": "more", "kind": "api", "scopes": ["groups:write"]}),
    );
    assert!(more.expect(403).text.contains("groups:write"), "{more:?}");
    let strong = rows(&it, "/tokens")
        .into_iter()
        .find(|one| one["scopes"].to_string().contains("settings:admin"))
        .expect("the app's own token");
    let rotate = format!("/tokens/{}/rotate", strong["jti"].as_str().expect("a jti"));
    it.post(&rotate, &json!({})).expect(403);
    // a SCIM token is what this right is for
    it.post("/tokens", &json!({"label": "Okta", "kind": "scim"}))
        .expect(201);
    let mixed = it.post(
        "/tokens",
        &json!({"label": "x", "kind": "scim", "scopes": ["groups:reed"]}),
    );
    let mixed = &mixed.expect(422).json;
    assert_eq!(mixed["errors"][0]["pointer"], "/scopes/0");
    assert!(
        mixed["detail"]
            .to_string()
            .contains("is `groups:read` meant?")
    );
}

#[test]
fn the_trail_is_narrowed_paged_and_read_by_line() {
    let app = TestApp::new();
    let api = app.api();
    for n in 1..=5 {
        api.post("/groups", &json!({"name": format!("Group {n}")}))
            .expect(201);
    }
    let page = api.get("/audit-events?type=group.created&limit=2");
    let page = page.expect(200);
    assert_eq!(
        page.json["data"][0]["data"]["name"], "Group 5",
        "newest first"
    );
    assert_eq!(
        rows(&api, "/audit-events?type=group.created&limit=2").len(),
        5
    );
    assert!(rows(&api, "/audit-events?since=2026-03-03T00:00:00Z").is_empty());
    let lines = api
        .with_header("Accept", "application/x-ndjson")
        .get("/audit-events?entity=group");
    assert_eq!(lines.expect(200).text.lines().count(), 5);
    let odd = api.get("/audit-events?since=yesterday");
    assert_eq!(odd.expect(400).json["errors"][0]["parameter"], "since");
}
