//! Paths, queries, methods and headers made to confuse. E9 to E17.

use super::hostile::world;
use super::people::people;
use crate::harness::{json, patch, user};

#[test]
fn addresses_made_to_confuse_name_nothing() {
    let p = people();
    let scim = p.app.scim();
    let before = world(&p);
    for id in [
        "%2e%2e",
        "..",
        "%2e%2e%2fGroups",
        "..%5c",
        "%00",
        "%c0%ae%c0%ae",
        "%ff%fe",
        "%u002e",
        "%25%30%30",
        "%zz",
        "%",
        "a%0d%0aX-Evil:%201",
        "%e2%80%ae",
        "*",
        "'",
        "%27%20OR%201=1",
        "{id}",
        "null",
        "undefined",
        "-1",
        "0",
        "%20",
        ";a=b",
        "a%3Bb",
        "@",
        "~",
        "..;",
    ] {
        for (method, body) in [
            ("GET", None),
            ("DELETE", None),
            ("PUT", Some(user("eve").to_string())),
            (
                "PATCH",
                Some(
                    patch(json!([{ "op": "replace", "path": "displayName", "value": "x" }]))
                        .to_string(),
                ),
            ),
        ] {
            let reply = scim.send(
                method,
                &format!("/Users/{id}"),
                body.as_deref().map(str::as_bytes),
            );
            assert!(
                (400..500).contains(&reply.status),
                "{method} {id}\n{reply:?}"
            );
            reply.scim_failure(reply.status);
            assert!(reply.headers.iter().all(|(name, _)| name != "x-evil"));
        }
    }
    let long = "x".repeat(10_000);
    scim.get(&format!("/Users/{long}")).scim_failure(404);
    let longer = "x".repeat(20_000);
    let reply = scim.get(&format!("/Users/{longer}"));
    reply.scim_failure(414);
    assert!(
        reply.text.contains("16384") && reply.text.len() < 500,
        "{reply:?}"
    );
    for query in [
        "filter=%ff",
        "filter=%c0%af",
        "attributes=%zz",
        "%ff=1",
        "filter=%00",
        "a=%",
    ] {
        scim.get(&format!("/Users?{query}")).scim_failure(400);
    }
    for query in ["&&&&", "=", "?", "&=&", "filter", "unknown=%41", "a=1&a=2"] {
        let reply = scim.get(&format!("/Users?{query}"));
        if query == "filter" {
            reply.scim_error("invalidFilter");
        } else {
            reply.expect(200);
        }
    }
    let many = vec!["a=1"; 4_000].join("&");
    scim.get(&format!("/Users?{many}")).expect(200);
    assert_eq!(world(&p), before);
}

#[test]
fn methods_and_headers_made_to_confuse_are_refused() {
    let p = people();
    let scim = p.app.scim();
    let before = world(&p);
    for method in ["TRACE", "CONNECT", "PROPFIND", "get", "LOCK", "X"] {
        let reply = scim.send(method, &format!("/Users/{}", p.u1), None);
        assert!(
            (400..=501).contains(&reply.status) && reply.status != 500,
            "{reply:?}"
        );
    }
    for (name, value) in [
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Method-Override", "DELETE"),
        ("X-Original-URL", "/scim/v2/Groups"),
        ("Range", "bytes=0-1"),
        ("Expect", "200-ok"),
        ("Accept", "text/html"),
        ("Accept-Encoding", "br;q=nonsense"),
        ("Prefer", &"x".repeat(10_000)),
        ("If-None-Match", &"W/\"1\", ".repeat(2_000)),
    ] {
        let reply = scim
            .with_header(name, value)
            .get(&format!("/Users/{}", p.u1));
        assert!(reply.status < 500, "{name}\n{reply:?}");
        if reply.status == 200 {
            assert_eq!(reply.id(), p.u1);
        }
    }
    let huge = scim
        .with_header("X-Huge", &"x".repeat(200_000))
        .try_send("GET", "/Users", None);
    assert!(huge.is_err() || huge.is_ok_and(|reply| (400..500).contains(&reply.status)));
    assert_eq!(world(&p), before);
}
