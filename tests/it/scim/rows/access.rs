//! Who may do what. Checklist §25.

use crate::harness::{TestApp, json, patch, user};
use crate::scim::people::people;

// AU-01, AU-05
#[test]
fn a_stranger_is_told_which_scheme_to_use() {
    let app = TestApp::new();
    for header in [
        None,
        Some("Basic YWRtaW46YWRtaW4="),
        Some("Digest x"),
        Some("Bearer"),
        Some("Bearer nonsense"),
    ] {
        let mut client = app.client("/scim/v2", None);
        if let Some(value) = header {
            client = client.with_header("Authorization", value);
        }
        for path in ["/Users", "/Schemas", "/ResourceTypes", "/nosuch", "/"] {
            let reply = client.get(path);
            reply.scim_failure(401);
            assert!(
                reply
                    .header("www-authenticate")
                    .starts_with("Bearer realm=\"scim\""),
                "{reply:?}"
            );
        }
        client
            .send("POST", "/Users", Some(b"{ not json"))
            .scim_failure(401);
    }
}

// AU-02, AU-06: the right is looked at before the request is
#[test]
fn a_reader_is_refused_before_its_body_is_read() {
    let p = people();
    let reader = p.app.client(
        "/scim/v2",
        Some(&p.app.token("scim", Some("scim:read"), None)),
    );
    let writer = p.app.client(
        "/scim/v2",
        Some(&p.app.token("scim", Some("scim:write"), None)),
    );
    let before = p.app.scim().get("/").json.clone();
    let path = format!("/Users/{}", p.u1);
    for body in [
        &b"{ not json"[..],
        b"{}",
        user("eve").to_string().as_bytes(),
        patch(json!([])).to_string().as_bytes(),
    ] {
        reader.send("POST", "/Users", Some(body)).scim_failure(403);
        reader.send("PUT", &path, Some(body)).scim_failure(403);
        reader.send("PATCH", &path, Some(body)).scim_failure(403);
        reader.send("POST", "/Groups", Some(body)).scim_failure(403);
        reader.send("POST", "/Bulk", Some(body)).scim_failure(403);
        for path in ["/.search", "/Users/.search"] {
            writer.send("POST", path, Some(body)).scim_failure(403);
        }
    }
    reader.delete(&path).scim_failure(403);
    reader.get(&path).expect(200);
    reader.get("/Users?filter=userName pr").expect(200);
    let refused = writer.get(&path);
    refused.scim_failure(403);
    assert!(
        refused.text.contains("scim:read"),
        "the missing right is named: {refused:?}"
    );
    writer.get("/Users").scim_failure(403);
    writer.get("/").scim_failure(403);
    writer
        .patch(
            &path,
            &patch(json!([{ "op": "replace", "path": "nickName", "value": "A" }])),
        )
        .expect(200);
    p.app
        .scim()
        .patch(
            &path,
            &patch(json!([{ "op": "remove", "path": "nickName" }])),
        )
        .expect(200);
    assert_eq!(
        p.app.scim().get("/").json["totalResults"],
        before["totalResults"]
    );
}

// AU-03, AU-04, AU-07: kinds, ends, rotation
#[test]
fn tokens_have_a_kind_an_end_and_may_overlap() {
    let app = TestApp::new();
    let (old, new) = (app.token("scim", None, None), app.token("scim", None, None));
    let speak = |token: &str| app.client("/scim/v2", Some(token)).get("/Users").status;
    assert_eq!(
        (speak(&old), speak(&new)),
        (200, 200),
        "two at once, for rotation"
    );
    app.revoke(&old);
    assert_eq!((speak(&old), speak(&new)), (401, 200), "one by one");
    let bare = app
        .client("/scim/v2", None)
        .with_header("Authorization", &new);
    bare.get("/Users").expect(200);
    app.client("/scim/v2", Some(&app.token("api", None, None)))
        .get("/Users")
        .scim_failure(403);
    app.clock.advance_millis(400 * 24 * 3_600_000);
    assert_eq!(speak(&new), 401, "a lifetime the server knows");
}
