//! Input made to hurt: refused fast, with the limit named, in flat memory, never with a 5xx, and nothing changed.

use std::time::{Duration, Instant};

use super::people::{People, people};
use crate::harness::{Client, GROUP, PATCH_OP, Reply, USER, Value, json, patch, user};

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// A bound against what grows without one, not a measure of speed: a refusal takes milliseconds, also without optimization, and
/// a machine that runs other tests beside it may be many times slower.
pub const SOON: Duration = Duration::from_secs(30);

/// Every endpoint that reads a body.
fn endpoints(p: &People) -> Vec<(&'static str, String)> {
    let (user, group) = (format!("/Users/{}", p.u1), format!("/Groups/{}", p.g1));
    vec![
        ("POST", "/Users".to_owned()),
        ("PUT", user.clone()),
        ("PATCH", user),
        ("POST", "/Groups".to_owned()),
        ("PUT", group.clone()),
        ("PATCH", group),
        ("POST", "/Users/.search".to_owned()),
        ("POST", "/.search".to_owned()),
        ("POST", "/Bulk".to_owned()),
    ]
}

pub fn world(p: &People) -> String {
    p.app.scim().get("/?count=1000").expect(200).text.clone()
}

/// Sends a body everywhere: refused in time with one of these statuses, in a SCIM error that says `named`.
#[track_caller]
fn refused_everywhere(p: &People, body: &[u8], statuses: &[u16], named: &str) {
    let before = world(p);
    for (method, path) in endpoints(p) {
        let started = Instant::now();
        let reply = p.app.scim().send(method, &path, Some(body));
        assert!(
            started.elapsed() < SOON,
            "{method} {path} took {:?}",
            started.elapsed()
        );
        assert!(statuses.contains(&reply.status), "{reply:?}");
        reply.scim_failure(reply.status);
        assert!(
            reply.text.contains(named),
            "{named} is not named\n{reply:?}"
        );
    }
    assert_eq!(world(p), before);
}

#[test]
fn ten_thousand_levels_are_refused_and_the_limit_is_named() {
    let p = people();
    for depth in [33, 10_000, 200_000] {
        let lists = format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        let objects = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        for body in [lists, objects, "[".repeat(depth), "{\"a\":".repeat(depth)] {
            refused_everywhere(&p, body.as_bytes(), &[400], "32");
        }
    }
}

#[test]
fn names_that_stand_twice_are_refused_at_every_level() {
    let p = people();
    let scim = p.app.scim();
    let before = world(&p);
    for body in [
        format!(r#"{{"schemas":["{USER}"],"userName":"eve","userName":"ivy"}}"#),
        format!(r#"{{"schemas":["{USER}"],"userName":"eve","USERNAME":"ivy"}}"#),
        format!(
            r#"{{"schemas":["{USER}"],"userName":"eve","name":{{"givenName":"a","givenname":"b"}}}}"#
        ),
        format!(
            r#"{{"schemas":["{USER}"],"userName":"eve","emails":[{{"value":"a@x.test","value":"b@x.test"}}]}}"#
        ),
        format!(r#"{{"schemas":["{USER}"],"schemas":["{USER}"],"userName":"eve"}}"#),
    ] {
        scim.send("POST", "/Users", Some(body.as_bytes()))
            .scim_error("invalidSyntax");
        scim.send("PUT", &format!("/Users/{}", p.u1), Some(body.as_bytes()))
            .scim_error("invalidSyntax");
    }
    for operations in [
        r#"[{"op":"add","op":"remove","path":"title","value":"x"}]"#,
        r#"[{"op":"add","path":"title","PATH":"nickName","value":"x"}]"#,
        r#"[{"op":"add","path":"title","value":"x","value":"y"}]"#,
        r#"[{"op":"add","value":{"title":"x","title":"y"}}]"#,
        r#"[{"op":"add","value":{"title":"x","TITLE":"y"}}]"#,
        r#"[{"op":"replace","path":"name","value":{"givenName":"x","GIVENNAME":"y"}}]"#,
    ] {
        let body = format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":{operations}}}"#);
        let reply = scim.send("PATCH", &format!("/Users/{}", p.u1), Some(body.as_bytes()));
        reply.scim_failure(400);
        let twice =
            format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":[],"operations":{operations}}}"#);
        scim.send("PATCH", &format!("/Users/{}", p.u1), Some(twice.as_bytes()))
            .scim_failure(400);
    }
    let bulk = format!(
        r#"{{"schemas":["{BULK}"],"Operations":[{{"method":"POST","method":"DELETE","path":"/Users","bulkId":"a","data":{{"schemas":["{USER}"],"userName":"eve"}}}}]}}"#
    );
    scim.send("POST", "/Bulk", Some(bulk.as_bytes()))
        .scim_error("invalidSyntax");
    assert_eq!(world(&p), before);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let p = people();
    for bytes in [
        &b"\xff\xfe{}"[..],
        b"{\"a\":\"\xc0\xaf\"}",
        b"{\"a\":\"\xed\xa0\x80\"}",
        b"{\"a\":\"\xf8\x88\x80\x80\x80\"}",
        b"\x80",
        b"{\"\xff\":1}",
        b"\xef\xbb",
        b"\x00\x00\xfe\xff\x00\x00\x00{",
    ] {
        refused_everywhere(&p, bytes, &[400], "UTF-8");
    }
    for text in [r#"{"a":"\u0000"}"#, r#"{"\u0000":1}"#] {
        refused_everywhere(&p, text.as_bytes(), &[400], "U+0000");
    }
    for text in [
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\udc00\ud800"}"#,
        r#"{"a":"\ud83d\u0041"}"#,
    ] {
        refused_everywhere(&p, text.as_bytes(), &[400], "surrogate");
    }
    refused_everywhere(&p, b"{\"a\":\"\x01\"}", &[400], "JSON");
    refused_everywhere(&p, b"{\"a\":\"\0\"}", &[400], "JSON");
}

#[test]
fn numbers_nobody_can_hold_are_refused() {
    let p = people();
    let digits = "9".repeat(400);
    for number in [
        digits.as_str(),
        "1e400",
        "-1e999999999",
        "0.1234567890123456789012345",
        "123456789012345678901234567890",
        "1e99999999999999999999",
    ] {
        refused_everywhere(
            &p,
            format!("{{\"a\":{number}}}").as_bytes(),
            &[400],
            "\"detail\"",
        );
    }
    let megabyte = format!("{{\"a\":{}}}", "7".repeat(1 << 20));
    refused_everywhere(&p, megabyte.as_bytes(), &[400], "\"detail\"");
    let scim = p.app.scim();
    for query in [
        "count=99999999999999999999",
        "startIndex=-99999999999999999999",
        "count=1e9",
        "count=0x10",
        "startIndex=9223372036854775808",
        "count=\u{0661}",
    ] {
        scim.get(&format!("/Users?{query}"))
            .scim_error("invalidValue");
    }
    for query in [
        "count=9223372036854775807",
        "startIndex=9223372036854775807",
        "startIndex=-9223372036854775808&count=-9223372036854775808",
    ] {
        scim.get(&format!("/Users?{query}")).expect(200);
    }
}

#[test]
fn a_hundred_thousand_operations_are_refused_by_number() {
    let p = people();
    let scim = p.app.scim();
    let before = world(&p);
    let operations = vec!["{\"op\":\"add\"}"; 100_000].join(",");
    let patch = format!("{{\"schemas\":[\"{PATCH_OP}\"],\"Operations\":[{operations}]}}");
    let bulk = format!("{{\"schemas\":[\"{BULK}\"],\"Operations\":[{operations}]}}");
    for (method, path, body) in [
        ("PATCH", format!("/Users/{}", p.u1), &patch),
        ("PATCH", format!("/Groups/{}", p.g1), &patch),
        ("POST", "/Bulk".to_owned(), &bulk),
    ] {
        let started = Instant::now();
        let reply = scim.send(method, &path, Some(body.as_bytes()));
        reply.scim_failure(413);
        assert!(reply.text.contains("1000"), "{reply:?}");
        assert!(
            started.elapsed() < SOON,
            "{method} {path}: {:?}",
            started.elapsed()
        );
    }
    assert_eq!(world(&p), before);
}

#[test]
fn filters_of_ten_thousand_parts_are_refused_and_the_limit_is_named() {
    let p = people();
    let scim = p.app.scim();
    let before = world(&p);
    let nots = format!("{}title pr{}", "not (".repeat(5_000), ")".repeat(5_000));
    for (filter, limit) in [
        (vec!["a eq 1"; 10_000].join(" or "), "64 KiB"),
        (vec!["id pr"; 7_000].join(" or "), "500"),
        (vec!["id pr"; 5_900].join(" and "), "500"),
        (
            format!("{}title pr{}", "(".repeat(5_000), ")".repeat(5_000)),
            "32",
        ),
        ("(".repeat(5_000), "32"),
        (nots, "32"),
        (
            format!("emails[{}value pr{}]", "(".repeat(5_000), ")".repeat(5_000)),
            "32",
        ),
        (format!("title eq \"{}\"", "x".repeat(100_000)), "64 KiB"),
        ("emails[".repeat(5_000), "column"),
        (format!("{} pr", "a.".repeat(5_000)), "column"),
        (format!("{}:x pr", "urn:a".repeat(5_000)), "column"),
        (format!("title eq {}", "9".repeat(5_000)), "column"),
        (format!("title eq \"{}\"", "\\".repeat(5_001)), "column"),
        ("\u{1F600}".repeat(5_000), "column"),
    ] {
        let started = Instant::now();
        let reply = scim.post(
            "/Users/.search",
            &json!({ "schemas": [SEARCH], "filter": filter }),
        );
        reply.scim_error("invalidFilter");
        assert!(reply.text.contains(limit), "{limit}\n{reply:?}");
        assert!(reply.text.len() < 2_000, "a short answer\n{reply:?}");
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        let path = format!("emails[{filter}].value");
        let patched = scim.patch(
            &format!("/Users/{}", p.u1),
            &patch(json!([{ "op": "remove", "path": path }])),
        );
        patched.scim_failure(400);
        assert!(patched.text.len() < 2_000, "a short answer\n{patched:?}");
    }
    // what just fits is answered
    let fits = vec!["title eq \"x\""; 500].join(" or ");
    scim.post(
        "/Users/.search",
        &json!({ "schemas": [SEARCH], "filter": fits }),
    )
    .expect(200);
    assert_eq!(world(&p), before);
}

#[test]
fn names_and_sort_keys_without_end_are_refused() {
    let p = people();
    let scim = p.app.scim();
    let many = vec!["title"; 10_000].join(",");
    let long = "x".repeat(100_000);
    for (name, text) in [
        ("attributes", &many),
        ("excludedAttributes", &many),
        ("attributes", &long),
        ("sortBy", &long),
        ("sortOrder", &long),
        ("sortBy", &many),
    ] {
        let mut body = json!({ "schemas": [SEARCH], "sortBy": "userName" });
        body[name] = json!(text);
        let reply = scim.post("/Users/.search", &body);
        reply.scim_error("invalidValue");
        assert!(reply.text.len() < 2_000, "a short answer\n{reply:?}");
    }
}

#[test]
fn what_a_value_may_hold_is_bounded() {
    let p = people();
    let scim = p.app.scim();
    let before = world(&p);
    let path = format!("/Users/{}", p.u1);
    let values = |count: usize| -> Value {
        (0..count)
            .map(|n| json!({ "value": format!("a{n}@x.test") }))
            .collect()
    };
    for (attribute, value, limit) in [
        ("title", json!("x".repeat(5_000)), "4096"),
        ("userName", json!("x".repeat(600)), "512"),
        ("externalId", json!("x".repeat(600)), "512"),
        ("emails", values(201), "200"),
        ("emails", values(10_000), "200"),
        ("profileUrl", json!("x".repeat(9_000)), "8192"),
        (
            "x509Certificates",
            json!([{ "value": "QUJD".repeat(30_000) }]),
            "65536",
        ),
    ] {
        let mut body = user("eve");
        body[attribute] = value.clone();
        let reply = scim.post("/Users", &body);
        reply.scim_error("invalidValue");
        assert!(
            reply.text.contains(limit) && reply.text.contains(attribute),
            "{limit}\n{reply:?}"
        );
        assert!(reply.text.len() < 1_000, "{reply:?}");
        scim.patch(
            &path,
            &patch(json!([{ "op": "add", "path": attribute, "value": value }])),
        )
        .scim_error("invalidValue");
    }
    let names: serde_json::Map<String, Value> =
        (0..20_000).map(|n| (format!("a{n}"), json!(1))).collect();
    let mut crowded = Value::Object(names);
    crowded["schemas"] = json!([USER]);
    crowded["userName"] = json!("crowded");
    let reply = scim.post("/Users", &crowded);
    assert!(reply.expect(201).text.len() < 2_000);
    scim.delete(&format!("/Users/{}", reply.id())).expect(204);
    let urns: Vec<String> = (0..20_000)
        .map(|n| format!("urn:example:{n}"))
        .chain([GROUP.to_owned()])
        .collect();
    let reply = scim.post(
        "/Groups",
        &json!({ "schemas": urns, "displayName": "Crowded" }),
    );
    reply.expect_below_500();
    if reply.status == 201 {
        scim.delete(&format!("/Groups/{}", reply.id())).expect(204);
    }
    assert_eq!(world(&p), before);
}

#[test]
fn many_hostile_clients_at_once_do_not_keep_others_waiting() {
    let p = people();
    let nested = "[".repeat(1 << 20);
    let clauses =
        json!({ "schemas": [SEARCH], "filter": vec!["id pr"; 9_000].join(" or ") }).to_string();
    std::thread::scope(|scope| {
        for client in 0..8 {
            let (p, nested, clauses) = (&p, &nested, &clauses);
            scope.spawn(move || {
                let scim: Client = p.app.scim();
                for _ in 0..5 {
                    let reply: Reply = if client % 2 == 0 {
                        scim.send("POST", "/Users", Some(nested.as_bytes()))
                    } else {
                        scim.send("POST", "/Users/.search", Some(clauses.as_bytes()))
                    };
                    reply.scim_failure(400);
                }
            });
        }
        for _ in 0..20 {
            let started = Instant::now();
            p.app.scim().get(&format!("/Users/{}", p.u1)).expect(200);
            assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        }
    });
}
