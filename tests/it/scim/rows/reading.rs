//! Read one. Checklist §12; RFC 7644 §3.4.1.

use super::acme::{SHOWN, app};
use crate::harness::{TestApp, USER, json};

#[test]
fn what_exists_is_read_and_what_does_not_is_404() {
    // GE-01, GE-07
    let app = TestApp::new();
    let ada = app.user("ada");
    let ops = app.group("Ops", &[&ada]);
    for path in [format!("/Users/{ada}"), format!("/Groups/{ops}")] {
        let read = app.scim().get(&path);
        assert!(path.ends_with(&read.expect(200).id()));
        app.scim().delete(&path).expect(204);
        for _ in 0..2 {
            app.scim().get(&path).scim_failure(404);
            app.scim().delete(&path).scim_failure(404);
        }
    }
    // a user's id is no group's
    let bo = app.user("bo");
    app.scim().get(&format!("/Groups/{bo}")).scim_failure(404);
}

#[test]
fn what_is_shown_by_default_is_always_and_default() {
    // GE-02, GE-03
    let app = app();
    let body = json!({
        "schemas": [USER, SHOWN], "userName": "ada", "title": "x",
        SHOWN: { "badgeCode": "B", "pin": "1234", "remark": "r", "shift": "late" },
    });
    let path = format!(
        "/Users/{}",
        app.scim().post("/Users", &body).expect(201).id()
    );
    let shown = |query: &str| {
        app.scim()
            .get(&format!("{path}{query}"))
            .expect(200)
            .json
            .clone()
    };
    assert_eq!(
        shown("")[SHOWN],
        json!({ "badgeCode": "B", "shift": "late" })
    );
    assert_eq!(shown("")["title"], "x");
    assert_eq!(
        shown("?attributes=title")[SHOWN],
        json!({ "badgeCode": "B" })
    );
    assert!(shown("?attributes=title").get("userName").is_none());
    assert!(shown("?excludedAttributes=title").get("title").is_none());
    assert_eq!(shown("?excludedAttributes=title")["userName"], "ada");
}

#[test]
fn who_has_the_newest_version_is_told_so() {
    // GE-05
    let app = TestApp::new();
    let path = format!("/Users/{}", app.user("ada"));
    let read = app.scim().get(&path);
    let tag = read.etag();
    let same = app.scim().with_header("If-None-Match", &tag).get(&path);
    assert_eq!(same.expect(304).etag(), tag);
    assert!(same.text.is_empty());
    let other = app
        .scim()
        .with_header("If-None-Match", "W/\"99\"")
        .get(&path);
    assert_eq!(other.expect(200).json, read.json);
}

#[test]
fn a_filter_does_not_belong_to_one_resource_and_the_rest_of_a_query_is_ignored() {
    // GE-06
    let app = TestApp::new();
    let ada = app.user("ada");
    let ops = app.group("Ops", &[&ada]);
    for path in [format!("/Users/{ada}"), format!("/Groups/{ops}")] {
        let plain = app.scim().get(&path).json;
        for filter in ["userName eq \"ada\"", "nonsense", ""] {
            app.scim()
                .get(&format!("{path}?filter={filter}"))
                .scim_error("invalidFilter");
        }
        for query in [
            "sortBy=userName",
            "sortOrder=descending",
            "startIndex=2",
            "count=0",
            "foo=1",
        ] {
            let read = app.scim().get(&format!("{path}?{query}"));
            assert_eq!(read.expect(200).json, plain, "{query}");
        }
    }
}
