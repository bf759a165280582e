//! Bodies of a hundred megabytes, against the program itself: refused unread, in flat memory. E1, B-31.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::hostile::SOON;
use crate::harness::binary::Binary;
use crate::harness::database::Database;
use crate::harness::user;

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
