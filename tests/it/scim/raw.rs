//! Bytes that are hardly HTTP. Whatever reaches a handler is answered in SCIM's shape; what the parser refuses before
//! there is a request at all is a plain 4xx. H-16, H-33, E1, E5. Not here: a chunk of no size, at which the HTTP library
//! may end the connection before the handler has answered.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::harness::{TestApp, Value};

/// Sends bytes and reads what comes until the server ends the connection.
fn answer_to(app: &TestApp, bytes: &[u8]) -> (u16, String, Value) {
    let base = app.scim_base();
    let address = base
        .trim_start_matches("http://")
        .trim_end_matches("/scim/v2");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    stream.write_all(bytes).expect("sent");
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    (
        status,
        head.to_ascii_lowercase(),
        serde_json::from_str(body).unwrap_or_default(),
    )
}

#[test]
fn what_reaches_a_handler_is_refused_in_the_shape_of_scim() {
    let app = TestApp::new();
    let token = app.token("scim", None, None);
    let head = |line: &str, more: &str| {
        format!(
            "{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/scim+json\r\n{more}\r\n"
        )
    };
    let long = "x".repeat(20_000);
    for (bytes, status) in [
        // no body at all
        (head("POST /scim/v2/Users", ""), 400),
        (head("PUT /scim/v2/Users/x", "Content-Length: 0\r\n"), 400),
        // too long to be read
        (
            head("POST /scim/v2/Users", "Content-Length: 999999999\r\n"),
            413,
        ),
        (head(&format!("GET /scim/v2/Users?filter={long}"), ""), 414),
        // addresses that are no text
        (head("GET /scim/v2/Users/%FF%FE", ""), 404),
        (head("DELETE /scim/v2/Groups/%C3%28", ""), 404),
        (head("GET /scim/v2/%FF", ""), 404),
        (head("GET /scim/v2/Schemas/%80", ""), 404),
        (head("GET /scim/v2/Users?filter=%FF", ""), 400),
        (head("BREW /scim/v2/Users", ""), 405),
    ] {
        let line = bytes
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(60)
            .collect::<String>();
        let (found, head, body) = answer_to(&app, bytes.as_bytes());
        assert_eq!(found, status, "{line}: {head} {body}");
        assert!(
            head.contains("content-type: application/scim+json"),
            "{line}: {head}"
        );
        assert_eq!(body["status"], status.to_string(), "{line}: {body}");
        assert!(
            body["detail"].as_str().is_some_and(|text| text.len() > 10),
            "{line}"
        );
    }
    assert_eq!(app.scim().get("/Users").json["totalResults"], 0);
}

#[test]
fn what_is_no_request_is_refused_before_there_is_one() {
    let app = TestApp::new();
    let many: String = (0..200)
        .map(|number| format!("X-H{number}: y\r\n"))
        .collect();
    for bytes in [
        "NONSENSE\r\n\r\n".to_owned(),
        "GET /scim/v2/Users HTTP/9.9\r\n\r\n".to_owned(),
        "GET /scim/v2/Users HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n".to_owned(),
        "POST /scim/v2/Users HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc".to_owned(),
        "POST /scim/v2/Users HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc".to_owned(),
        format!("GET /scim/v2/Users HTTP/1.1\r\nHost: a\r\n{many}\r\n"),
        format!("GET /scim/v2/Users HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(200_000)),
    ] {
        let (status, head, _) = answer_to(&app, bytes.as_bytes());
        assert!((400..500).contains(&status), "{}: {head}", bytes.lines().next().unwrap_or_default());
    }
    app.scim().get("/Users").expect(200);
}
