//! Media types. Checklist §7.2; RFC 7644 §3.1, §3.8.

use crate::harness::{Client, TestApp, USER, json, patch, user};

const SCIM_JSON: &str = "application/scim+json";

#[test]
fn the_answer_is_scim_json_in_utf_8_whatever_accept_says() {
    // H-30, H-31, H-32, H-33, H-34: errors too, never 406
    let app = TestApp::new();
    let mut body = user("ada");
    body["title"] = json!("Ingénieure 工程师");
    let ada = app.scim().post("/Users", &body).expect(201).id();
    for accept in [
        "application/scim+json",
        "application/json",
        "*/*",
        "application/*",
        "",
        "text/html",
        "text/html, application/xhtml+xml;q=0.9, image/webp",
        "application/xml;q=1, application/scim+json;q=0",
        "nonsense",
        "application/scim+json;charset=utf-16",
    ] {
        let client = app.scim().with_header("Accept", accept);
        let read = client.get(&format!("/Users/{ada}"));
        assert_eq!(
            read.expect(200).header("content-type"),
            SCIM_JSON,
            "{accept}"
        );
        assert_eq!(read.json["title"], "Ingénieure 工程师");
        for path in ["/Users", "/Schemas", "/ServiceProviderConfig"] {
            let reply = client.get(path);
            assert_eq!(reply.expect(200).header("content-type"), SCIM_JSON);
        }
        client.get("/Users/nobody").scim_failure(404);
        client.get("/Users?filter=x").scim_error("invalidFilter");
        client.send("PUT", "/Users", None).scim_failure(405);
        client
            .post("/Users", &user(&format!("of {accept}")))
            .expect(201);
    }
}

#[test]
fn json_of_any_label_is_taken_and_nothing_else() {
    // H-35, H-36
    let app = TestApp::new();
    let ada = format!("/Users/{}", app.user("ada"));
    let with = |kind: &str| app.scim().with_header("Content-Type", kind);
    let change = patch(json!([{ "op": "replace", "path": "title", "value": "x" }]));
    for (number, kind) in [
        "application/scim+json",
        "application/json",
        "application/scim+json; charset=utf-8",
        "application/json;charset=UTF-8",
        "application/json; charset=\"utf-8\"",
        "APPLICATION/SCIM+JSON",
        "application/vnd.acme.v1+json",
        "text/json",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        with(kind)
            .post("/Users", &user(&format!("u{number}")))
            .expect(201);
        with(kind).put(&ada, &user("ada")).expect(200);
        with(kind).patch(&ada, &change).expect(200);
    }
    let before = app.scim().get(&ada).json;
    for kind in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/octet-stream",
        "json",
    ] {
        with(kind).post("/Users", &user("zoe")).scim_failure(415);
        with(kind).put(&ada, &user("zoe")).scim_failure(415);
        with(kind).patch(&ada, &change).scim_failure(415);
        // without a body the header says nothing
        with(kind).get(&ada).expect(200);
        with(kind).get("/Users").expect(200);
        let other = app.user(&format!("of {kind}"));
        with(kind).delete(&format!("/Users/{other}")).expect(204);
    }
    assert_eq!(app.scim().get(&ada).json, before);
}

#[test]
fn other_charsets_and_broken_bytes_are_refused_and_a_mark_is_skipped() {
    // H-37
    let app = TestApp::new();
    for charset in ["utf-16", "iso-8859-1", "us-ascii;x=y", "\"latin1\""] {
        let client = app.scim().with_header(
            "Content-Type",
            &format!("application/json; charset={charset}"),
        );
        client.post("/Users", &user("ada")).scim_failure(415);
    }
    let body = |name: &[u8]| {
        let mut body = format!("{{\"schemas\":[\"{USER}\"],\"userName\":\"").into_bytes();
        body.extend_from_slice(name);
        body.extend_from_slice(b"\"}");
        body
    };
    for broken in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf"] {
        let reply = app.scim().send("POST", "/Users", Some(&body(broken)));
        reply.scim_error("invalidSyntax");
    }
    let mut marked = b"\xef\xbb\xbf".to_vec();
    marked.extend(body("Zoë".as_bytes()));
    let made = app.scim().send("POST", "/Users", Some(&marked));
    assert_eq!(made.expect(201).json["userName"], "Zoë");
    assert_eq!(app.scim().get("/Users").json["totalResults"], 1);
}

#[test]
fn a_suffix_selects_no_format() {
    // H-38
    let app = TestApp::new();
    let ada = app.user("ada");
    for suffix in [".scim", ".json", ".xml"] {
        app.scim()
            .get(&format!("/Users/{ada}{suffix}"))
            .scim_failure(404);
        app.scim().get(&format!("/Users{suffix}")).scim_failure(404);
    }
}

#[test]
fn a_compressed_body_is_refused() {
    // H-39
    let app = TestApp::new();
    for encoding in ["gzip", "deflate", "br", "zstd", "identity, gzip"] {
        let client = app.scim().with_header("Content-Encoding", encoding);
        client.post("/Users", &user("ada")).scim_failure(415);
    }
    let client = app.scim().with_header("Content-Encoding", "identity");
    client.post("/Users", &user("ada")).expect(201);
}

#[test]
fn an_answer_is_compressed_for_those_who_ask() {
    // H-39
    let app = TestApp::new();
    app.users(20);
    let plain = app.scim().get("/Users");
    assert_eq!(plain.expect(200).header("content-encoding"), "");
    for accept in ["gzip", "deflate;q=0, gzip;q=1.0, *;q=0.5", "gzip, br"] {
        let zipped = app
            .scim()
            .with_header("Accept-Encoding", accept)
            .get("/Users");
        assert_eq!(
            zipped.expect(200).header("content-encoding"),
            "gzip",
            "{accept}"
        );
        assert!(
            zipped
                .header("vary")
                .to_lowercase()
                .contains("accept-encoding")
        );
        assert_eq!(zipped.header("content-type"), SCIM_JSON);
        assert_eq!(zipped.gunzipped(), plain.text);
    }
    for accept in ["identity", "gzip;q=0", "br"] {
        let plain = app
            .scim()
            .with_header("Accept-Encoding", accept)
            .get("/Users");
        assert_eq!(plain.expect(200).header("content-encoding"), "", "{accept}");
        assert_eq!(plain.json["totalResults"], 20);
    }
    // small answers and those without a body stay as they are
    let ada = app.user("ada");
    let client: Client = app.scim().with_header("Accept-Encoding", "gzip");
    let gone = client.delete(&format!("/Users/{ada}"));
    assert_eq!(gone.expect(204).header("content-encoding"), "");
}

#[test]
fn an_answer_without_a_body_has_no_type() {
    // H-40
    let app = TestApp::new();
    let ada = format!("/Users/{}", app.user("ada"));
    let ops = format!("/Groups/{}", app.group("Ops", &[]));
    let tag = app.scim().get(&ada).etag();
    let change = patch(json!([{ "op": "replace", "path": "displayName", "value": "x" }]));
    for (reply, status) in [
        (app.scim().with_header("If-None-Match", &tag).get(&ada), 304),
        (app.scim().patch(&ops, &change), 204),
        (app.scim().delete(&ada), 204),
        (app.scim().delete(&ops), 204),
    ] {
        assert!(reply.expect(status).text.is_empty());
        assert_eq!(reply.header("content-type"), "");
        assert!(matches!(reply.header("content-length"), "" | "0"));
    }
}
