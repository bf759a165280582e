//! Who may speak at all. RFC 7644 §2, RFC 6750 §3.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::people::people;
use crate::harness::{TestApp, json, patch, user};

const YEAR: i64 = 366 * 24 * 3_600_000;

fn is_401(app: &TestApp, token: Option<&str>) {
    let reply = app.client("/scim/v2", token).get("/Users");
    reply.scim_failure(401);
    assert!(
        reply.header("www-authenticate").starts_with("Bearer"),
        "{reply:?}"
    );
    let reply = app.client("/scim/v2", token).post("/Users", &user("eve"));
    reply.scim_failure(401);
}

#[test]
fn hv_52_without_a_token_nothing_is_said() {
    let app = TestApp::new();
    is_401(&app, None);
    is_401(&app, Some(""));
    is_401(&app, Some("nonsense"));
    let basic = app
        .client("/scim/v2", None)
        .with_header("Authorization", "Basic YTpi")
        .get("/Users");
    basic.scim_failure(401);
    assert_eq!(app.scim().get("/Users").expect(200).json["totalResults"], 0);
}

#[test]
fn hv_53_a_token_that_may_only_read_deletes_nobody() {
    let p = people();
    let reader = p.app.client(
        "/scim/v2",
        Some(&p.app.token("scim", Some("scim:read"), None)),
    );
    reader.get(&format!("/Users/{}", p.u1)).expect(200);
    reader.delete(&format!("/Users/{}", p.u1)).scim_failure(403);
    reader.post("/Users", &user("eve")).scim_failure(403);
    assert_eq!(p.app.scim().get("/Users").json["totalResults"], 4);
}

#[test]
fn hv_54_another_tenants_resource_does_not_exist() {
    let p = people();
    let (theirs, _) = p.app.other_tenant();
    for path in [format!("/Users/{}", p.u1), format!("/Groups/{}", p.g1)] {
        theirs.get(&path).scim_failure(404);
        theirs.delete(&path).scim_failure(404);
        theirs
            .patch(
                &path,
                &patch(json!([{ "op": "replace", "path": "displayName", "value": "Mine" }])),
            )
            .scim_failure(404);
    }
    assert_eq!(theirs.get("/Users").expect(200).json["totalResults"], 0);
    assert_eq!(theirs.get("/Groups").expect(200).json["totalResults"], 0);
    p.app.scim().get(&format!("/Users/{}", p.u1)).expect(200);
}

#[test]
fn an_expired_token_is_refused_even_if_it_was_good_a_moment_ago() {
    let app = TestApp::new();
    let scim = app.scim();
    scim.get("/Users").expect(200);
    app.clock.advance_millis(2 * YEAR);
    scim.get("/Users").scim_failure(401);
}

#[test]
fn a_revoked_token_is_refused_at_once() {
    let app = TestApp::new();
    let token = app.token("scim", None, None);
    let scim = app.client("/scim/v2", Some(&token));
    scim.get("/Users").expect(200);
    app.revoke(&token);
    scim.get("/Users").scim_failure(401);
}

#[test]
fn a_forged_token_is_refused() {
    let app = TestApp::new();
    let token = app.token("scim", None, None);
    let parts: Vec<&str> = token.split('.').collect();
    let decode = |part: &str| {
        serde_json::from_slice::<serde_json::Value>(
            &URL_SAFE_NO_PAD.decode(part).unwrap_or_default(),
        )
        .unwrap_or_default()
    };
    let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let (header, claims) = (decode(parts[0]), decode(parts[1]));

    for algorithm in ["none", "None", "HS256"] {
        let mut forged = header.clone();
        forged["alg"] = json!(algorithm);
        is_401(&app, Some(&format!("{}.{}.", encode(&forged), parts[1])));
        is_401(
            &app,
            Some(&format!("{}.{}.{}", encode(&forged), parts[1], parts[2])),
        );
    }
    let mut widened = claims.clone();
    widened["scope"] = json!("scim:read scim:write settings:admin");
    widened["tid"] = json!(999);
    is_401(
        &app,
        Some(&format!("{}.{}.{}", parts[0], encode(&widened), parts[2])),
    );
    let mut signature = parts[2].to_owned().into_bytes();
    signature[10] = if signature[10] == b'A' { b'B' } else { b'A' };
    is_401(
        &app,
        Some(&format!(
            "{}.{}.{}",
            parts[0],
            parts[1],
            String::from_utf8_lossy(&signature)
        )),
    );
    is_401(&app, Some(&"x.".repeat(5_000)));
}

#[test]
fn a_token_of_another_server_is_refused() {
    let (ours, theirs) = (TestApp::new(), TestApp::new());
    is_401(&ours, Some(&theirs.token("scim", None, None)));
}

#[test]
fn a_token_works_on_its_own_face_only() {
    let app = TestApp::new();
    let (scim, api) = (app.token("scim", None, None), app.token("api", None, None));
    let reply = app.client("/scim/v2", Some(&api)).get("/Users");
    assert!(matches!(reply.status, 401 | 403), "{reply:?}");
    reply.scim_failure(reply.status);
    let reply = app.client("/api/v1", Some(&scim)).get("/courses");
    assert!(matches!(reply.status, 401 | 403), "{reply:?}");
    assert_eq!(reply.header("content-type"), "application/problem+json");
}

#[test]
fn the_word_bearer_may_be_missing_or_in_any_case() {
    let app = TestApp::new();
    let token = app.token("scim", None, None);
    for value in [
        token.clone(),
        format!("bearer {token}"),
        format!("BEARER {token}"),
    ] {
        app.client("/scim/v2", None)
            .with_header("Authorization", &value)
            .get("/Users")
            .expect(200);
    }
    app.client("/scim/v2", None)
        .get(&format!("/Users?access_token={token}"))
        .scim_failure(401);
}
