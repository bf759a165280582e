//! What every route has in common: problems, versions, cursors, methods, media types (A1).

use crate::harness::{TestApp, json};

#[test]
fn a_cursor_is_of_one_tenant_and_one_list_and_cannot_be_made() {
    let app = TestApp::new();
    let api = app.api();
    for title in ["One", "Two", "Three"] {
        app.course(title);
        api.post("/groups", &json!({"name": title})).expect(201);
    }
    let page = api.get("/courses?limit=1");
    let cursor = page.expect(200).json["page"]["next_cursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    assert!(page.header("link").contains(&cursor));
    api.get(&format!("/courses?limit=2&cursor={cursor}"))
        .expect(200);
    let mut changed = cursor.clone();
    changed.replace_range(3..4, if &cursor[3..4] == "A" { "B" } else { "A" });
    let (_, other) = app.other_tenant();
    for (who, path) in [
        (&api, format!("/groups?cursor={cursor}")),
        (&api, format!("/courses?cursor={changed}")),
        (&api, "/courses?cursor=MDE5OQ".to_owned()),
        (&api, "/courses?cursor=%21".to_owned()),
        (&other, format!("/courses?cursor={cursor}")),
    ] {
        assert_eq!(
            who.get(&path).expect(400).json["code"],
            "bad_cursor",
            "{path}"
        );
    }
}

#[test]
fn versions_guard_edits_and_spare_reads() {
    let app = TestApp::new();
    let api = app.api();
    let id = app.course("One");
    let path = format!("/courses/{id}");
    let tag = api.get(&path).expect(200).etag();
    assert_eq!(
        api.with_header("If-None-Match", &tag).get(&path).status,
        304
    );
    let edit = json!({"title": "Uno"});
    api.with_header("If-Match", &tag)
        .patch(&path, &edit)
        .expect(200);
    let late = api
        .with_header("If-Match", &tag)
        .patch(&path, &json!({"title": "Eins"}));
    assert_eq!(late.expect(412).json["code"], "version_conflict");
    assert_eq!(late.etag(), api.get(&path).etag(), "the present one");
    assert_eq!(
        api.with_header("If-None-Match", &tag).get(&path).status,
        200
    );
}

#[test]
fn refusals_before_any_handler_are_problems_too() {
    let app = TestApp::new();
    let api = app.api();
    let post = |kind: &str, body: &[u8]| {
        api.with_header("Content-Type", kind)
            .send("POST", "/courses", Some(body))
    };
    for (reply, status, code) in [
        (api.get("/nothing"), 404, "not_found"),
        (api.put("/courses", &json!({})), 405, "method_not_allowed"),
        (post("text/plain", b"{}"), 415, "unsupported_media_type"),
        (post("application/json", b"{"), 400, "malformed_json"),
        (
            post("application/json", br#"{"title":"a","title":"b"}"#),
            400,
            "malformed_json",
        ),
        (
            post("application/json", &vec![b' '; 3 << 20]),
            413,
            "too_large",
        ),
        (
            api.with_header("Accept", "image/png").get("/courses"),
            406,
            "not_acceptable",
        ),
        (
            app.client("/api/v1", None).get("/courses"),
            401,
            "unauthenticated",
        ),
        (
            app.client("/api/v1", Some(&app.token("scim", None, None)))
                .get("/courses"),
            403,
            "wrong_token_kind",
        ),
    ] {
        assert_eq!(reply.expect(status).json["code"], code);
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert_eq!(reply.json["status"], status);
        if status != 401 && status != 403 {
            let id = reply.header("x-request-id");
            assert!(
                reply.json["instance"]
                    .as_str()
                    .is_some_and(|text| text.ends_with(id)),
                "{reply:?}"
            );
        }
    }
    assert_eq!(api.put("/courses", &json!({})).header("allow"), "GET, POST");
}

#[test]
fn everything_wrong_is_told_at_once_and_the_nearest_name_is_offered() {
    let app = TestApp::new();
    let body = json!({"titel": "One", "status": "live", "code": 7});
    let reply = app.api().post("/courses", &body);
    let errors = reply.expect(422).json["errors"]
        .as_array()
        .expect("errors")
        .clone();
    let pointers: Vec<&str> = errors
        .iter()
        .filter_map(|one| one["pointer"].as_str())
        .collect();
    assert_eq!(pointers, ["/title", "/titel", "/status", "/code"]);
    assert!(
        errors[1]["detail"]
            .to_string()
            .contains("is `title` meant?")
    );
    let reply = app.api().get("/courses?limt=3&status=live&status=draft");
    let errors = reply.expect(400).json["errors"]
        .as_array()
        .expect("errors")
        .clone();
    assert_eq!(errors.len(), 3, "{errors:?}");
}

#[test]
fn every_single_resource_has_a_tag_and_a_condition_that_nobody_compares_is_refused() {
    // A1 "Concurrency"
    let app = TestApp::new();
    let site = super::walk::Site::of(&app, "wombat");
    let api = app.api();
    let mut tagged = 0;
    for operation in super::walk::operations() {
        let one = operation.path.ends_with("{id}") || operation.path.ends_with("{jti}");
        let own = ["/settings", "/whoami", "/plan"].contains(&operation.path.as_str());
        let name = format!("{} {}", operation.method, operation.path);
        let address = operation.address(&site);
        if operation.method == "GET" && (one || own) {
            let tag = api.get(&address).expect(200).etag();
            assert!(tag.starts_with('"'), "{name}: {tag}");
            let known = api.with_header("If-None-Match", &tag).get(&address);
            assert_eq!(known.expect(304).text, "", "{name}");
            tagged += 1;
        }
        if operation.method != "GET"
            && operation.detail["requestBody"]["content"]["text/csv"].is_null()
        {
            let stale = operation.send(&api.with_header("If-Match", "\"99\""), &site);
            assert!(
                [400, 412].contains(&stale.status),
                "{name} does not look at If-Match: {stale:?}"
            );
        }
    }
    assert!(tagged >= 13, "{tagged}");
}

#[test]
fn the_page_for_people_is_found_where_it_is_looked_for() {
    let app = TestApp::new();
    let page = app.client("/api", None).get("/docs");
    assert_eq!(page.status, 307, "{page:?}");
    assert_eq!(page.header("location"), "/api/v1/docs");
}
