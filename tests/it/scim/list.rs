//! Lists: paging, filter, sort, `.search`. RFC 7644 §3.4.2 and §3.4.3.

use super::people::people;
use crate::harness::{LIST, TestApp, json};

#[test]
fn hv_01_a_page_says_how_many_there_are_in_all() {
    let p = people();
    let page = p.app.scim().get("/Users?count=2");
    page.expect(200);
    assert_eq!(page.json["schemas"], json!([LIST]));
    assert_eq!(
        (
            &page.json["totalResults"],
            &page.json["itemsPerPage"],
            &page.json["startIndex"]
        ),
        (&json!(4), &json!(2), &json!(1))
    );
    assert_eq!(page.names("userName").len(), 2);
}

#[test]
fn hv_02_the_last_page_is_as_long_as_what_is_left() {
    let p = people();
    let page = p.app.scim().get("/Users?startIndex=4&count=2");
    page.expect(200);
    assert_eq!(
        (
            &page.json["totalResults"],
            &page.json["itemsPerPage"],
            &page.json["startIndex"]
        ),
        (&json!(4), &json!(1), &json!(4))
    );
}

#[test]
fn hv_03_a_page_beyond_the_end_is_empty_and_no_error() {
    let p = people();
    let page = p.app.scim().get("/Users?startIndex=9");
    page.expect(200);
    assert_eq!(
        (
            &page.json["totalResults"],
            &page.json["itemsPerPage"],
            &page.json["startIndex"]
        ),
        (&json!(4), &json!(0), &json!(9))
    );
    assert_eq!(page.json["Resources"], json!([]));
}

#[test]
fn hv_04_negative_numbers_count_as_the_smallest_possible() {
    let p = people();
    let page = p.app.scim().get("/Users?startIndex=-3&count=-1");
    page.expect(200);
    assert_eq!(
        (
            &page.json["totalResults"],
            &page.json["itemsPerPage"],
            &page.json["startIndex"]
        ),
        (&json!(4), &json!(0), &json!(1))
    );
    assert_eq!(page.json["Resources"], json!([]));
}

#[test]
fn hv_05_a_count_that_is_no_number_is_refused() {
    let app = TestApp::new();
    for query in [
        "count=abc",
        "count=1e2",
        "count=99999999999999999999",
        "startIndex=one",
    ] {
        app.scim()
            .get(&format!("/Users?{query}"))
            .scim_error("invalidValue");
    }
}

#[test]
fn hv_06_a_filter_that_matches_nobody_answers_an_empty_list() {
    let p = people();
    let page = p.app.scim().get("/Users?filter=userName eq \"nobody\"");
    page.expect(200);
    assert_eq!(page.json["totalResults"], 0);
    assert_eq!(page.json["Resources"], json!([]));
}

#[test]
fn hv_07_ascending_order_ends_with_those_who_have_no_value() {
    let p = people();
    let page = p.app.scim().get("/Users?sortBy=title");
    assert_eq!(
        page.expect(200).names("userName"),
        ["Bo.Li", "chloe", "ada@acme.test", "dave"]
    );
}

#[test]
fn hv_08_descending_order_begins_with_those_who_have_no_value() {
    let p = people();
    let page = p.app.scim().get("/Users?sortBy=title&sortOrder=descending");
    assert_eq!(
        page.expect(200).names("userName"),
        ["dave", "ada@acme.test", "chloe", "Bo.Li"]
    );
}

#[test]
fn hv_09_a_multi_valued_attribute_sorts_by_its_primary_value() {
    let p = people();
    let page = p.app.scim().get("/Users?sortBy=emails");
    assert_eq!(
        page.expect(200).names("userName"),
        ["ada@acme.test", "Bo.Li", "chloe", "dave"]
    );
}

#[test]
fn hv_10_a_complex_attribute_or_an_unknown_one_is_no_sort_key() {
    let p = people();
    for key in ["name", "nosuch", "password"] {
        p.app
            .scim()
            .get(&format!("/Users?sortBy={key}"))
            .scim_error("invalidValue");
    }
    p.app
        .scim()
        .get("/Users?sortBy=title&sortOrder=up")
        .scim_error("invalidValue");
}

#[test]
fn hv_20_a_group_is_found_by_its_member() {
    let p = people();
    let scim = p.app.scim();
    for filter in [
        format!("members eq \"{}\"", p.u3),
        format!("members.value eq \"{}\"", p.u3),
        format!("members[value eq \"{}\"]", p.u3),
        format!("id eq \"{}\" and members eq \"{}\"", p.g1, p.u3),
    ] {
        let page = scim.get(&format!("/Groups?filter={filter}&attributes=id"));
        page.expect(200);
        assert_eq!(page.names("id"), [p.g1.as_str()], "{filter}");
        let mut keys: Vec<String> = page.json["Resources"][0]
            .as_object()
            .map(|one| one.keys().cloned().collect())
            .unwrap_or_default();
        keys.sort();
        assert_eq!(keys, ["id", "schemas"], "{filter}");
    }
    let page = scim.get(&format!(
        "/Groups?filter=members eq \"{}\"&attributes=id",
        p.u1
    ));
    assert_eq!(page.expect(200).json["totalResults"], 0);
}

#[test]
fn hv_22_a_search_answers_as_the_list_does() {
    let p = people();
    let scim = p.app.scim();
    let listed = scim.get("/Users?filter=title pr&attributes=userName&startIndex=2&count=1");
    let found = scim.post(
        "/Users/.search",
        &json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "title pr",
            "attributes": ["userName"], "startIndex": 2, "count": 1 }),
    );
    assert_eq!(found.expect(200).json, listed.expect(200).json);
    assert_eq!(found.json["totalResults"], 3);
    assert_eq!(found.json["itemsPerPage"], 1);
}

#[test]
fn hv_23_a_search_without_schemas_is_refused() {
    let app = TestApp::new();
    app.scim()
        .post("/Users/.search", &json!({ "filter": "title pr" }))
        .scim_error("invalidSyntax");
}

#[test]
fn filters_find_what_they_say() {
    let p = people();
    let scim = p.app.scim();
    for (filter, expected) in [
        ("userName eq \"ADA@acme.test\"", vec!["ada@acme.test"]),
        ("externalId eq \"HR-001\"", vec!["ada@acme.test"]),
        ("title co \"100%\"", vec!["Bo.Li"]),
        (
            "emails[type eq \"work\"].value eq \"bo@acme.test\"",
            vec!["Bo.Li"],
        ),
        (
            "emails.value ew \"@acme.test\"",
            vec!["Bo.Li", "ada@acme.test", "chloe"],
        ),
        ("active eq false", vec!["Bo.Li"]),
        (
            "userType eq \"employee\" and not (title sw \"D\")",
            vec!["ada@acme.test"],
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department sw \"platform\"",
            vec!["ada@acme.test", "dave"],
        ),
        ("displayName eq \"Straße \\\"D\\\" \\\\ 4\"", vec!["dave"]),
        ("not (title pr)", vec!["dave"]),
        (
            "meta.resourceType eq \"User\" and phoneNumbers pr",
            vec!["chloe"],
        ),
    ] {
        let page = scim.get(&format!(
            "/Users?filter={}",
            filter.replace('%', "%25").replace('+', "%2B")
        ));
        let mut names = page.expect(200).names("userName");
        names.sort();
        assert_eq!(names, expected, "{filter}");
        assert_eq!(page.json["totalResults"], expected.len(), "{filter}");
    }
}

#[test]
fn bad_filters_are_refused_by_name() {
    let p = people();
    for filter in [
        "userName",
        "userName regex \"x\"",
        "userName eq",
        "nosuch eq \"x\"",
        "active gt true",
        "(userName pr",
        "userName eq \"a",
        "userName eq bare",
    ] {
        p.app
            .scim()
            .get(&format!("/Users?filter={filter}"))
            .scim_error("invalidFilter");
    }
    p.app
        .scim()
        .get("/Groups?filter=userName pr")
        .scim_error("invalidFilter");
}

#[test]
fn pages_together_show_everybody_once() {
    let app = TestApp::new();
    let mut everybody = app.users(23);
    let mut seen = Vec::new();
    for start in [1, 6, 11, 16, 21] {
        seen.extend(
            app.scim()
                .get(&format!("/Users?startIndex={start}&count=5"))
                .expect(200)
                .names("id"),
        );
    }
    assert_eq!(seen.len(), 23);
    everybody.sort();
    seen.sort();
    assert_eq!(seen, everybody);
}

#[test]
fn a_deleted_user_is_in_no_list_and_in_no_total() {
    let p = people();
    let scim = p.app.scim();
    scim.delete(&format!("/Users/{}", p.u4)).expect(204);
    let page = scim.get("/Users");
    assert_eq!(page.expect(200).json["totalResults"], 3);
    assert!(!page.names("userName").contains(&"dave".to_owned()));
    assert_eq!(
        scim.get("/Users?filter=userName eq \"dave\"")
            .expect(200)
            .json["totalResults"],
        0
    );
}

#[test]
fn parameter_names_match_whatever_their_case_and_unknown_ones_are_ignored() {
    let p = people();
    let page = p.app.scim().get("/Users?startindex=4&COUNT=2&foo=1");
    assert_eq!(page.expect(200).json["startIndex"], 4);
    assert_eq!(page.json["itemsPerPage"], 1);
}

#[test]
fn hv_17_the_root_lists_every_kind() {
    let p = people();
    let page = p.app.scim().get("/?filter=meta.resourceType eq \"Group\"");
    assert_eq!(page.expect(200).names("id"), [p.g1.as_str()]);
    let everything = p.app.scim().get("/?count=2");
    assert_eq!(everything.expect(200).json["totalResults"], 5);
    assert_eq!(everything.json["itemsPerPage"], 2);
}

#[test]
fn hv_18_a_filter_at_the_root_meets_every_kind() {
    let p = people();
    let page = p.app.scim().get("/?filter=displayName sw \"O\"");
    assert_eq!(page.expect(200).names("id"), [p.g1.as_str()]);
}

#[test]
fn hv_19_an_attribute_a_kind_does_not_have_has_no_value() {
    let p = people();
    let page = p.app.scim().get("/?filter=not (userName pr)");
    assert_eq!(page.expect(200).names("id"), [p.g1.as_str()]);
    let page = p.app.scim().get("/?filter=userName pr");
    assert_eq!(page.expect(200).json["totalResults"], 4);
}
