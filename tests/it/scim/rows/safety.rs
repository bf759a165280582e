//! Security and privacy. Checklist §26.

use std::fs::File;

use rollcall::config::Config;

use super::acme::search;
use crate::harness::binary::Binary;
use crate::harness::build::rows;
use crate::harness::database::Database;
use crate::harness::{TestApp, USER, json, patch, user};
use crate::scim::people::people;

// SE-01: no TLS of our own, so nobody but this machine is spoken to unless the operator says so
#[test]
fn the_server_listens_on_this_machine_only_unless_told_otherwise() {
    assert!(Config::default().listen.starts_with("127.0.0.1:"));
}

// SE-02
#[test]
fn a_token_in_the_address_is_no_token() {
    let app = TestApp::new();
    let token = app.token("scim", None, None);
    let nobody = app.client("/scim/v2", None);
    for query in [
        format!("access_token={token}"),
        format!("token={token}"),
        format!("authorization=Bearer%20{token}"),
    ] {
        nobody.get(&format!("/Users?{query}")).scim_failure(401);
    }
}

// SE-03, SE-05, Q-18, AU-07: what a server writes down
#[test]
fn neither_passwords_nor_tokens_nor_searched_values_are_written_anywhere() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    let token = binary.token("acme", "scim");
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let server = binary.serve_logging(File::create(&log).expect("a log"), "info");
    let scim = server.scim(&token);
    let secret = "pass-phrase-77142";
    let body = json!({ "schemas": [USER], "userName": "eve@acme.test", "password": secret, "title": "CTO" });
    let path = format!("/Users/{}", scim.post("/Users", &body).expect(201).id());
    scim.put(&path, &body).expect(200);
    scim.patch(&path, &patch(json!([{ "op": "replace", "path": "password", "value": secret }, { "op": "replace", "value": { "password": secret, "nickName": "E" } }]))).expect(200);
    scim.post("/Users", &body).scim_error("uniqueness");
    scim.get("/Users?filter=emails.value eq \"private@home.test\"")
        .expect(200);
    scim.get("/Users?filter=emails.value xx \"private@home.test\"")
        .scim_error("invalidFilter");
    let api = server.api(&binary.token("acme", "api"));
    for row in rows(&api, "/sync/requests") {
        let whole = api.get(&format!(
            "/sync/requests/{}",
            row["id"].as_str().unwrap_or_default()
        ));
        assert!(!whole.text.contains(secret), "{whole:?}");
        assert!(!whole.text.contains(&token), "{whole:?}");
    }
    let listed = api.get("/tokens");
    assert!(!listed.text.contains(&token), "{listed:?}");
    assert_eq!(server.stop(), Some(0));
    let log = std::fs::read_to_string(&log).expect("the log");
    assert!(log.contains("answered"), "the log of requests is on: {log}");
    for kept in [secret, token.as_str(), "private@home.test"] {
        assert!(!log.contains(kept), "{kept} is in the log");
    }
    if let Some(file) = database.url.strip_prefix("sqlite://") {
        for part in ["", "-wal"] {
            let bytes = std::fs::read(format!("{file}{part}")).unwrap_or_default();
            for kept in [secret.as_bytes(), token.as_bytes()] {
                assert!(
                    !bytes.windows(kept.len()).any(|window| window == kept),
                    "in the database"
                );
            }
        }
    }
}

// SE-04
#[test]
fn no_value_is_ever_part_of_a_statement() {
    let p = people();
    let scim = p.app.scim();
    let before = scim.get("/Users?sortBy=id").text;
    for text in [
        "'",
        "''",
        "\\",
        "%",
        "_",
        "';--",
        "' OR 1=1 --",
        "\") OR (\"1\"=\"1",
        "$1",
        "?",
        ":a",
        "\u{1}",
        "x'41'",
        "U&'\\0041'",
        "E'\\n'",
    ] {
        let literal = json!(text).to_string();
        for attribute in [
            "userName",
            "title",
            "externalId",
            "id",
            "emails.value",
            "name.familyName",
            "displayName",
        ] {
            for operator in ["eq", "ne", "co", "sw", "ew", "gt"] {
                let reply = search(
                    &scim,
                    "/Users",
                    &format!("{attribute} {operator} {literal}"),
                );
                reply.expect(200);
                if operator == "eq" {
                    assert_eq!(reply.json["totalResults"], 0, "{attribute} {text}");
                }
            }
        }
        search(
            &scim,
            "/Groups",
            &format!("members eq {literal} or displayName co {literal}"),
        )
        .expect(200);
        scim.get(&format!("/Users?sortBy={}", super::acme::percent(text)))
            .scim_error("invalidValue");
        scim.get(&format!("/Users/{}", super::acme::percent(text)))
            .expect_below_500();
    }
    assert_eq!(scim.get("/Users?sortBy=id").text, before);
}

// SE-07, U-02
#[test]
fn names_that_look_the_same_are_the_same() {
    let app = TestApp::new();
    let scim = app.scim();
    scim.post("/Users", &user("Stra\u{df}e@acme.test"))
        .expect(201);
    scim.post("/Users", &user("Chlo\u{e9}")).expect(201);
    for twin in [
        "STRASSE@acme.test",
        "stra\u{df}E@ACME.test",
        "\u{ff33}trasse@acme.test",
        "chlo\u{e9}",
        "Chloe\u{301}",
        "CHLO\u{c9}",
    ] {
        scim.post("/Users", &user(twin)).scim_error("uniqueness");
        let found = search(&scim, "/Users", &format!("userName eq {}", json!(twin)));
        assert_eq!(found.expect(200).json["totalResults"], 1, "{twin}");
    }
}

// SE-08
#[test]
fn answers_are_kept_by_nobody_and_shared_with_no_other_origin() {
    let p = people();
    let scim = p.app.scim().with_header("Origin", "https://evil.test");
    for path in [
        format!("/Users/{}", p.u1),
        "/Users".to_owned(),
        "/".to_owned(),
        format!("/Groups/{}", p.g1),
        "/Users/ghost".to_owned(),
        "/Schemas".to_owned(),
    ] {
        let reply = scim.get(&path);
        assert_eq!(
            reply.header("x-content-type-options"),
            "nosniff",
            "{reply:?}"
        );
        assert_eq!(reply.header("access-control-allow-origin"), "", "{reply:?}");
        if path.starts_with("/Users") && reply.status == 200 || path.starts_with("/Groups") {
            assert_eq!(reply.header("cache-control"), "no-store", "{reply:?}");
        }
    }
    let preflight = scim
        .with_header("Access-Control-Request-Method", "PATCH")
        .send("OPTIONS", "/Users", None);
    assert_eq!(preflight.header("access-control-allow-origin"), "");
}

// SE-10: who, when, what, which attributes, which request
#[test]
fn every_write_is_in_the_log_with_what_it_changed() {
    let app = TestApp::new();
    let scim = app.scim();
    let created = scim.post("/Users", &user("eve"));
    let path = format!("/Users/{}", created.expect(201).id());
    app.clock.advance_millis(1_000);
    let change = scim.patch(
        &path,
        &patch(json!([{ "op": "replace", "path": "title", "value": "CTO" }])),
    );
    scim.put(&path, &user("eve2")).expect(200);
    scim.delete(&path).expect(204);
    let log = crate::harness::build::writes_in_log(&app.api());
    let operations: Vec<&str> = log
        .iter()
        .filter_map(|row| row["operation"].as_str())
        .collect();
    assert_eq!(operations, ["create", "patch", "replace", "delete"]);
    for row in &log {
        assert_eq!(row["resource_id"], json!(created.id()), "{row}");
        assert!(
            row["at"].is_string()
                && row["token_hint"].is_string()
                && row["http_status"].is_number(),
            "{row}"
        );
    }
    assert_eq!(log[1]["diff"]["title"]["after"], "CTO");
    assert_eq!(
        log[2]["diff"]["userName"],
        json!({ "before": "eve", "after": "eve2" })
    );
    assert_eq!(
        log[1]["id"],
        json!(change.header("x-request-id")),
        "the log names the request"
    );
    app.api()
        .delete(&format!(
            "/sync/requests/{}",
            log[0]["id"].as_str().unwrap_or_default()
        ))
        .expect_below_500();
    assert_eq!(
        crate::harness::build::writes_in_log(&app.api()).len(),
        4,
        "nobody deletes from the log"
    );
}
