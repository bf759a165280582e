//! What a stranger reaches, and what every answer carries. A1–A3, A7, A34, A37, B22, B29–B31, C31, E32.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::harness::{Client, TestApp, json, user};
use crate::rest::walk::operations;

/// Sends bytes and returns what comes back until the connection ends.
fn raw(app: &TestApp, bytes: &str) -> String {
    let base = app.scim_base();
    let address = base
        .trim_start_matches("http://")
        .trim_end_matches("/scim/v2");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a limit");
    stream.write_all(bytes.as_bytes()).expect("sent");
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn statuses(answer: &str) -> Vec<&str> {
    answer
        .match_indices("HTTP/1.1 ")
        .filter_map(|(at, found)| answer.get(at + found.len()..at + found.len() + 3))
        .collect()
}

const SCIM: &[&str] = &[
    "",
    "/Users",
    "/Users/x",
    "/Users/.search",
    "/Groups",
    "/Groups/x",
    "/Groups/.search",
    "/Schemas",
    "/Schemas/x",
    "/ResourceTypes",
    "/ResourceTypes/User",
    "/Bulk",
    "/.search",
    "/Me",
    "/nothing",
];

#[test]
fn every_route_but_the_public_ones_answers_a_stranger_with_401() {
    // A1: `Bearer` and `Bearer ` are no tokens
    let app = TestApp::new();
    for sent in [
        None,
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer  bearer"),
    ] {
        let stranger = |base: &str| {
            let client = app.client(base, None);
            sent.map_or(client.clone(), |value| {
                client.with_header("Authorization", value)
            })
        };
        let scim = stranger("/scim/v2");
        for path in SCIM {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                let reply = scim.send(method, path, None);
                assert_eq!(reply.status, 401, "{method} {path} {sent:?}");
            }
        }
        let api = stranger("/api/v1");
        for operation in operations() {
            let path = operation.path.replace(['{', '}'], "x");
            let reply = api.send(&operation.method.to_uppercase(), &path, None);
            assert_eq!(reply.status, 401, "{} {path}", operation.method);
        }
    }
    let public = app.client("", None);
    for path in [
        "/healthz",
        "/readyz",
        "/metrics",
        "/.well-known/jwks.json",
        "/scim/v2/ServiceProviderConfig",
        "/api/v1/openapi.json",
    ] {
        public.get(path).expect(200);
    }
}

#[test]
fn a_stranger_hears_the_same_whatever_else_is_wrong() {
    // A2: nothing is parsed before the token
    let app = TestApp::new();
    let scim = app.client("/scim/v2", None);
    let deep = "(".repeat(5_000);
    let bodies: Vec<String> = [
        scim.get(&format!("/Users?filter={deep}")),
        scim.send("POST", "/Users", Some(b"{\"broken")),
        scim.with_header("Content-Type", "text/plain")
            .send("POST", "/Users", Some(b"x")),
        scim.get("/Users/00000000-0000-7000-8000-000000000000"),
        scim.get("/Users?count=many&sortOrder=up"),
    ]
    .into_iter()
    .map(|reply| {
        assert_eq!(reply.status, 401, "{reply:?}");
        reply.text
    })
    .collect();
    assert!(
        bodies.windows(2).all(|pair| pair[0] == pair[1]),
        "{bodies:?}"
    );
}

#[test]
fn no_spelling_of_a_path_goes_around_the_guard() {
    // A3: 25 spellings; a good token reaches the route or nothing at all
    let app = TestApp::new();
    let id = app.scim().post("/Users", &user("ann")).expect(201).id();
    for spelled in [
        "/scim/v2/%55sers",
        "/scim/v2/Users%2F",
        "/scim/v2//Users",
        "//scim/v2/Users",
        "/scim//v2/Users",
        "/scim/v2/Users/",
        "/scim/v2/./Users",
        "/scim/v2/x/../Users",
        "/scim/v2/Users;a=b",
        "/scim/v2/users",
        "/SCIM/v2/Users",
        "/scim/V2/Users",
        "/scim/v2/Users%00",
        "/scim/v2/Users%20",
        "/scim/v2/%2e/Users",
        "/scim/v2/%2e%2e/v2/Users",
        "/scim%2Fv2%2FUsers",
        "/scim/v2/Users%3F",
        "/scim/v2/Users%23",
        "/scim/v2\\Users",
        "/scim/v2/Users/ID",
        "/scim/v2/Users//ID",
        "/scim/v2/Users/%2E/ID",
        "/scim/v2/Users/ID/",
        "/scim/v2/Users/ID%2F",
    ] {
        let path = spelled.replace("ID", &id);
        let answer = raw(
            &app,
            &format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        );
        let status = statuses(&answer);
        assert!(
            matches!(status.as_slice(), ["401" | "404" | "400"]) && !answer.contains("ann"),
            "{path}: {answer}"
        );
    }
}

#[test]
fn the_address_names_the_target_and_the_body_does_not() {
    // A7
    let app = TestApp::new();
    let scim = app.scim();
    let (a, b) = (
        scim.post("/Users", &user("a")).expect(201).id(),
        scim.post("/Users", &user("b")).expect(201).id(),
    );
    let before = scim.get(&format!("/Users/{b}")).text;
    let mut body = user("a2");
    body["id"] = json!(b);
    body["meta"] = json!({"location": format!("{}/Users/{b}", app.scim_base())});
    let reply = scim.put(&format!("/Users/{a}"), &body);
    assert!(reply.status == 200 || reply.status == 400, "{reply:?}");
    assert_eq!(scim.get(&format!("/Users/{b}")).text, before);
}

#[test]
fn nothing_that_was_sent_becomes_a_header() {
    // A34
    let app = TestApp::new();
    let scim = app.scim();
    for path in [
        "/Users/%0d%0aX-Injected:%201",
        "/Users/x%0aX-Injected:1",
        "/%0d%0aX-Injected:1",
    ] {
        let reply = scim.get(path);
        assert!(reply.status == 404 || reply.status == 400, "{reply:?}");
        assert_eq!(reply.header("x-injected"), "");
    }
    let mut body = user("crlf\r\nX-Injected: 1");
    body["externalId"] = json!("e\r\nX-Injected: 1");
    let made = scim.post("/Users", &body);
    assert!(
        made.status < 500 && made.header("x-injected").is_empty(),
        "{made:?}"
    );
    let echoed = scim.with_header("X-Request-Id", "abc-123").get("/Users");
    assert_eq!(echoed.header("x-client-request-id"), "abc-123");
    for odd in ["a b", &"x".repeat(65), "\"quoted\"", "ä"] {
        let reply = scim.with_header("X-Request-Id", odd).get("/Users");
        assert_eq!(reply.expect(200).header("x-client-request-id"), "", "{odd}");
    }
}

#[test]
fn every_request_has_an_id_of_ours_that_the_sync_log_shows() {
    // C31: a client may send its own id twice, so ours names the rows
    let app = TestApp::new();
    let client = app.scim().with_header("X-Request-Id", "same");
    let ids: Vec<String> = (0..2)
        .map(|n| {
            let reply = client.post("/Users", &user(&format!("u{n}")));
            reply.expect(201).header("x-request-id").to_owned()
        })
        .collect();
    assert_ne!(ids[0], ids[1]);
    for id in &ids {
        app.api().get(&format!("/sync/requests/{id}")).expect(200);
    }
}

#[test]
fn two_readings_of_one_request_are_refused() {
    // A37: what a proxy in front might read otherwise
    let app = TestApp::new();
    let head = "POST /scim/v2/Users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    let hidden = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    for framing in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
        "Content-Length: +5\r\n\r\nhello",
        "Content-Length : 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n folded: x\r\n\r\n0\r\n\r\n",
    ] {
        let answer = raw(&app, &format!("{head}{framing}{hidden}"));
        let status = statuses(&answer);
        assert!(
            status.len() <= 1 && status.iter().all(|one| *one == "400"),
            "{framing:?}: {answer}"
        );
    }
}

#[test]
fn answers_carry_safe_headers_and_no_other_origin_is_let_in() {
    // B29, B30, B22: cookies are nothing here, nor is where a page comes from
    let app = TestApp::new();
    let foreign = |client: Client| client.with_header("Origin", "https://evil.test");
    let stranger = app.client("/scim/v2", None).with_header("Cookie", "sid=x");
    for reply in [
        foreign(app.scim()).get("/Users"),
        foreign(app.scim()).get("/Users/x"),
        foreign(app.api()).get("/courses"),
        foreign(app.client("", None)).get("/healthz"),
        foreign(stranger).get("/Users"),
        foreign(app.scim()).send("OPTIONS", "/Users", None),
    ] {
        assert_eq!(
            reply.header("x-content-type-options"),
            "nosniff",
            "{reply:?}"
        );
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        for absent in [
            "server",
            "x-powered-by",
            "access-control-allow-origin",
            "set-cookie",
        ] {
            assert_eq!(reply.header(absent), "", "{absent}: {reply:?}");
        }
    }
    assert_eq!(
        app.api().get("/courses").header("cache-control"),
        "no-store"
    );
    assert_eq!(app.scim().get("/Users").header("cache-control"), "no-store");
}

#[test]
fn a_strangers_word_about_our_address_is_not_believed() {
    // B31
    let app = TestApp::new();
    let scim = app.scim();
    for (name, value) in [
        ("X-Forwarded-Host", "evil.test"),
        ("X-Forwarded-Proto", "https"),
        ("Forwarded", "host=evil.test;proto=https"),
        ("Host", "evil.test"),
    ] {
        let reply = scim
            .with_header(name, value)
            .post("/Users", &user(&format!("by-{name}")));
        let reply = reply.expect(201);
        assert!(!reply.text.contains("evil.test"), "{reply:?}");
        assert!(
            reply.header("location").starts_with(&app.scim_base()),
            "{reply:?}"
        );
    }
}
