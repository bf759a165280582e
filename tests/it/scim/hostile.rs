//! Input made to hurt: refused fast, with the limit named, in flat memory, never with a 5xx, and nothing changed.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::people::{People, people};
use crate::harness::binary::Binary;
use crate::harness::database::Database;
use crate::harness::{Client, GROUP, PATCH_OP, Reply, USER, Value, json, patch, user};

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// A bound against what grows without one, not a measure of speed: a refusal takes milliseconds, also without optimization, and
/// a machine that runs other tests beside it may be many times slower.
const SOON: Duration = Duration::from_secs(30);

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

fn world(p: &People) -> String {
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

/// The head of a request that announces or streams a body.
fn head(method: &str, path: &str, token: &str, framing: &str) -> String {
    let mut head = format!(
        "{method} /scim/v2{path} HTTP/1.1\r\nHost: rollcall.test\r\nContent-Type: application/scim+json\r\n{framing}\r\n"
    );
    if !token.is_empty() {
        let _ = write!(head, "Authorization: Bearer {token}\r\n");
    }
    head.push_str("\r\n");
    head
}

/// Sends a head and then up to `megabytes` of body, until an answer comes; the status, the text, and what was sent.
fn pour(address: &str, head: &str, megabytes: usize, chunked: bool) -> (u16, String, usize) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    stream
        .set_write_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    stream.write_all(head.as_bytes()).expect("the head is read");
    let piece = vec![b' '; 64 << 10];
    let mut sent = 0;
    while sent < megabytes << 20 {
        let done = if chunked {
            write!(stream, "{:x}\r\n", piece.len())
                .and_then(|()| stream.write_all(&piece))
                .and_then(|()| stream.write_all(b"\r\n"))
        } else {
            stream.write_all(&piece)
        };
        // the server has answered and closed: there is nobody to send to
        if done.is_err() {
            break;
        }
        sent += piece.len();
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&answer);
        if count == 0 || (text.contains("\r\n\r\n") && text.ends_with('}')) {
            break;
        }
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    (status, text, sent)
}

/// The most memory a process ever had, in MiB; `None` where the system does not tell.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}

#[test]
fn a_hundred_megabytes_are_refused_unread_and_in_flat_memory() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    let token = binary.token("acme", "scim");
    let server = binary.serve();
    let scim = server.scim(&token);
    let id = scim.post("/Users", &user("eve")).expect(201).id();
    let address = server.url.trim_start_matches("http://").to_owned();
    let before = peak(server.pid());
    let targets = [
        ("POST", "/Users".to_owned(), "2097152"),
        ("PUT", format!("/Users/{id}"), "2097152"),
        ("PATCH", format!("/Users/{id}"), "2097152"),
        ("POST", "/Groups".to_owned(), "8388608"),
        ("POST", "/Users/.search".to_owned(), "2097152"),
        ("POST", "/Bulk".to_owned(), "2097152"),
    ];
    for (method, path, limit) in &targets {
        for (framing, chunked) in [
            ("Content-Length: 104857600", false),
            ("Transfer-Encoding: chunked", true),
        ] {
            let started = Instant::now();
            let (status, text, _) =
                pour(&address, &head(method, path, &token, framing), 100, chunked);
            // B-31; a connection that was closed on us in the middle of 100 MB may take the answer with it
            assert!(
                status == 413 || text.is_empty(),
                "{method} {path} {framing}: {text}"
            );
            if status == 413 {
                assert!(text.contains(limit), "{limit} is not named: {text}");
            }
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "{method} {path} {framing}: {:?}",
                started.elapsed()
            );
        }
        // announced and not sent: the answer does not wait for the body
        let started = Instant::now();
        let (status, text, _) = pour(
            &address,
            &head(method, path, &token, "Content-Length: 104857600"),
            0,
            false,
        );
        assert_eq!(status, 413, "{method} {path}: {text}");
        assert!(text.contains(limit) && started.elapsed() < SOON, "{text}");
        let (status, text, _) = pour(
            &address,
            &head(method, path, "", "Content-Length: 104857600"),
            0,
            false,
        );
        assert_eq!(status, 401, "{method} {path}: {text}");
    }
    if let (Some(before), Some(after)) = (before, peak(server.pid())) {
        assert!(
            after < before + 64,
            "memory grew from {before} to {after} MiB"
        );
    }
    assert_eq!(scim.get("/Users").expect(200).json["totalResults"], 1);
    assert_eq!(server.stop(), Some(0));
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
