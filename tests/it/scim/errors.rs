//! Hostile and broken input: always a SCIM error with the right status, never a 5xx, nothing changed.

use super::people::{People, people};
use crate::harness::{GROUP, PATCH_OP, Reply, USER, Value, add_members, json, patch, user};

/// Everything that can be read, to compare before and after.
fn world(p: &People) -> (Value, Value) {
    let scim = p.app.scim();
    (
        scim.get("/Users?sortBy=userName").expect(200).json.clone(),
        scim.get("/Groups?sortBy=displayName")
            .expect(200)
            .json
            .clone(),
    )
}

/// Sends bytes to every writing endpoint and checks that each refuses them and nothing moved.
#[track_caller]
fn refused_everywhere(p: &People, body: &[u8], status: u16, keyword: Option<&str>) {
    let before = world(p);
    for (method, path) in endpoints(p) {
        let reply = p.app.scim().send(method, &path, Some(body));
        reply.scim_failure(status);
        if let Some(keyword) = keyword {
            assert_eq!(reply.json["scimType"], keyword, "{reply:?}");
        }
    }
    assert_eq!(world(p), before);
}

fn endpoints(p: &People) -> Vec<(&'static str, String)> {
    vec![
        ("POST", "/Users".to_owned()),
        ("PUT", format!("/Users/{}", p.u1)),
        ("PATCH", format!("/Users/{}", p.u1)),
        ("POST", "/Groups".to_owned()),
        ("PUT", format!("/Groups/{}", p.g1)),
        ("PATCH", format!("/Groups/{}", p.g1)),
        ("POST", "/Users/.search".to_owned()),
    ]
}

#[test]
fn malformed_json_is_refused_everywhere() {
    let p = people();
    for body in [
        "",
        "{",
        "{\"schemas\":",
        "not json",
        "{\"a\":1}{\"b\":2}",
        "{\"a\":1,}",
        "[",
        "\u{0}",
        "{'a':1}",
        "{\"a\":01}",
        "nul",
    ] {
        refused_everywhere(&p, body.as_bytes(), 400, Some("invalidSyntax"));
    }
    refused_everywhere(
        &p,
        b"{\"userName\":\"\xff\xfe\"}",
        400,
        Some("invalidSyntax"),
    );
}

#[test]
fn json_that_is_no_object_is_refused_everywhere() {
    let p = people();
    for body in [
        "[]",
        "\"x\"",
        "null",
        "true",
        "7",
        "[{\"userName\":\"eve\"}]",
    ] {
        refused_everywhere(&p, body.as_bytes(), 400, Some("invalidSyntax"));
    }
}

#[test]
fn deep_nesting_is_refused_everywhere() {
    let p = people();
    for depth in [40, 200, 100_000] {
        refused_everywhere(
            &p,
            format!("{}1{}", "[".repeat(depth), "]".repeat(depth)).as_bytes(),
            400,
            Some("invalidSyntax"),
        );
        let object = format!(
            "{{\"schemas\":[\"{USER}\"],\"userName\":\"eve\",\"name\":{}1{}}}",
            "{\"a\":".repeat(depth),
            "}".repeat(depth)
        );
        refused_everywhere(&p, object.as_bytes(), 400, Some("invalidSyntax"));
    }
}

#[test]
fn a_body_over_the_limit_is_refused_and_the_server_goes_on() {
    let p = people();
    let before = world(&p);
    let huge = json!({ "schemas": [USER], "userName": "eve", "title": "x".repeat(17 << 20) });
    p.app.scim().post("/Users", &huge).scim_failure(413);
    p.app
        .scim()
        .put(
            &format!("/Groups/{}", p.g1),
            &json!({ "schemas": [GROUP], "displayName": "x".repeat(17 << 20) }),
        )
        .scim_failure(413);
    assert_eq!(world(&p), before);
}

#[test]
fn a_wrong_content_type_is_refused_everywhere() {
    let p = people();
    let before = world(&p);
    for kind in [
        "text/plain",
        "text/csv",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "nonsense",
    ] {
        let client = p.app.scim().with_header("Content-Type", kind);
        for (method, path) in endpoints(&p) {
            client
                .send(method, &path, Some(user("eve").to_string().as_bytes()))
                .scim_failure(415);
        }
    }
    p.app
        .scim()
        .with_header("Content-Encoding", "gzip")
        .send("POST", "/Users", Some(b"\x1f\x8b"))
        .scim_failure(415);
    assert_eq!(world(&p), before);
    for kind in [
        "application/json",
        "application/scim+json; charset=utf-8",
        "application/vnd.acme+json",
        "text/json",
        "Application/JSON; Charset=UTF-8",
    ] {
        let name = format!("user of {kind}");
        p.app
            .scim()
            .with_header("Content-Type", kind)
            .post("/Users", &user(&name))
            .expect(201);
    }
}

#[test]
fn wrong_types_are_refused_and_name_the_attribute() {
    let p = people();
    let before = world(&p);
    for (attribute, value) in [
        ("userName", json!(7)),
        ("userName", json!(["eve"])),
        ("userName", json!("")),
        ("userName", json!(null)),
        ("name", json!("Ada")),
        ("name", json!(7)),
        ("name", json!([{ "givenName": "A" }, { "givenName": "B" }])),
        ("active", json!("maybe")),
        ("active", json!(1)),
        ("title", json!({ "value": "x" })),
        ("title", json!("x".repeat(5_000))),
        ("emails", json!(7)),
        ("emails", json!([[1]])),
        ("emails", json!([{ "value": 7 }])),
        (
            "emails",
            json!([{ "value": "a@x.test", "primary": "perhaps" }]),
        ),
    ] {
        let mut body = user("eve");
        body[attribute] = value.clone();
        let created = p.app.scim().post("/Users", &body);
        created.scim_error("invalidValue");
        assert!(created.text.contains(attribute), "{created:?}");
        p.app
            .scim()
            .put(&format!("/Users/{}", p.u1), &body)
            .scim_error("invalidValue");
    }
    assert_eq!(world(&p), before);
}

#[test]
fn broken_patch_messages_are_refused() {
    let p = people();
    let before = world(&p);
    for path in [format!("/Users/{}", p.u1), format!("/Groups/{}", p.g1)] {
        for body in [
            json!({}),
            json!({ "schemas": [PATCH_OP] }),
            json!({ "schemas": [PATCH_OP], "Operations": {} }),
            json!({ "schemas": [PATCH_OP], "Operations": "add" }),
            json!({ "schemas": [PATCH_OP], "Operations": [] }),
            json!({ "schemas": [PATCH_OP], "Operations": [7] }),
            json!({ "schemas": [PATCH_OP], "Operations": [{}] }),
            json!({ "schemas": [PATCH_OP], "Operations": [{ "op": 7 }] }),
            json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "add", "path": 7, "value": 1 }] }),
            json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "add", "path": "a".repeat(20_000), "value": 1 }] }),
            json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "add", "value": "x" }] }),
            json!({ "schemas": [USER], "Operations": [{ "op": "add", "path": "displayName", "value": "x" }] }),
            patch(json!([{ "op": "add", "path": "displayName", "value": { "a": 1 } }])),
        ] {
            let reply = p.app.scim().patch(&path, &body);
            reply.scim_failure(400);
            assert!(reply.json["scimType"].is_string(), "{reply:?}");
        }
        let many: Vec<Value> = (0..1_500)
            .map(|n| json!({ "op": "replace", "path": "displayName", "value": n.to_string() }))
            .collect();
        p.app
            .scim()
            .patch(&path, &patch(json!(many)))
            .scim_failure(413);
    }
    assert_eq!(world(&p), before);
}

#[test]
fn filters_made_to_hurt_are_refused_quickly() {
    let p = people();
    for filter in [
        format!("{}userName pr{}", "(".repeat(60), ")".repeat(60)),
        vec!["userName eq \"x\""; 2_000].join(" or "),
        format!("userName eq \"{}", "x".repeat(9_000)),
        "emails[emails[type eq \"x\"]]".to_owned(),
        "userName eq \"\\u12\"".to_owned(),
        "\u{1F600}".to_owned(),
        "'; DROP TABLE users; --".to_owned(),
        "userName eq \"x\" union select 1".to_owned(),
    ] {
        let started = std::time::Instant::now();
        let reply = p.app.scim().post(
            "/Users/.search",
            &json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter }),
        );
        reply.scim_error("invalidFilter");
        assert!(started.elapsed().as_secs() < 30, "{filter}");
    }
}

#[test]
fn values_that_look_like_sql_are_only_values() {
    let p = people();
    for name in [
        "'; DROP TABLE users; --",
        "a%b_c",
        "x\\y",
        "\"quoted\"",
        "日本語",
        "a?b",
        "Ünïcödé",
        "?1",
    ] {
        let created = p.app.scim().post("/Users", &user(name));
        assert_eq!(created.expect(201).json["userName"], name);
        let literal = json!(name).to_string();
        let found = p.app.scim().post(
            "/Users/.search",
            &json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": format!("userName eq {literal}") }),
        );
        assert_eq!(found.expect(200).names("userName"), [name]);
    }
    assert_eq!(
        p.app
            .scim()
            .get("/Users?filter=userName co \"%25\"")
            .expect(200)
            .names("userName"),
        ["a%b_c"]
    );
    assert_eq!(
        p.app
            .scim()
            .get("/Users?filter=userName co \"_\"")
            .expect(200)
            .names("userName"),
        ["a%b_c"]
    );
}

#[test]
fn impossible_ids_are_404() {
    let p = people();
    for id in [
        "0",
        "-1",
        "null",
        "%00",
        "..%2f..",
        "%ff",
        "a%20b",
        "0199A2C4-0000-7000-8000-000000000000",
        "{0199a2c4-0000-7000-8000-000000000000}",
    ] {
        for kind in ["Users", "Groups"] {
            let reply = p.app.scim().get(&format!("/{kind}/{id}"));
            assert!(
                reply.status == 404 || reply.status == 400,
                "{id}\n{reply:?}"
            );
            assert_eq!(
                reply.header("content-type"),
                "application/scim+json",
                "{reply:?}"
            );
        }
    }
    p.app
        .scim()
        .get(&format!("/Groups/{}", p.u1))
        .scim_failure(404);
    p.app
        .scim()
        .patch("/Groups/ghost", &patch(json!([add_members(&[&p.u1])])))
        .scim_failure(404);
}

#[test]
fn an_answer_carries_a_request_id_and_is_not_kept_by_anybody() {
    let p = people();
    let check = |reply: &Reply| {
        assert!(!reply.header("x-request-id").is_empty(), "{reply:?}");
        assert_eq!(
            reply.header("x-content-type-options"),
            "nosniff",
            "{reply:?}"
        );
    };
    let one = p.app.scim().get(&format!("/Users/{}", p.u1));
    check(&one);
    assert!(one.header("cache-control").contains("no-store"));
    check(&p.app.scim().get("/Users/ghost"));
    check(&p.app.client("/scim/v2", None).get("/Users"));
}

#[test]
fn a_text_no_database_can_hold_is_refused() {
    let p = people();
    let before = world(&p);
    for value in [r#""nul\u0000byte""#, r#""half\ud800surrogate""#] {
        for attribute in ["userName", "title", "nickName"] {
            let body =
                format!(r#"{{"schemas":["{USER}"],"userName":"eve","{attribute}":{value}}}"#);
            let reply = p.app.scim().send("POST", "/Users", Some(body.as_bytes()));
            assert_eq!(reply.status, 400, "{reply:?}");
        }
        let body = format!(
            r#"{{"schemas":["{PATCH_OP}"],"Operations":[{{"op":"replace","path":"title","value":{value}}}]}}"#
        );
        let reply = p
            .app
            .scim()
            .send("PATCH", &format!("/Users/{}", p.u1), Some(body.as_bytes()));
        assert_eq!(reply.status, 400, "{reply:?}");
        let body = format!(r#"{{"schemas":["{GROUP}"],"displayName":{value}}}"#);
        assert_eq!(
            p.app
                .scim()
                .send("POST", "/Groups", Some(body.as_bytes()))
                .status,
            400
        );
    }
    p.app
        .scim()
        .get("/Users?filter=userName eq \"a%00b\"")
        .scim_failure(400);
    p.app
        .scim()
        .get("/Users?filter=userName eq \"a\\u0000b\"")
        .expect_below_500();
    assert_eq!(world(&p), before);
}
