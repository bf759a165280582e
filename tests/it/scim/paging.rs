//! Pages by index. RFC 7644 §3.4.2.4; section 16.1 of the checklist.

use super::people::people;
use crate::harness::{Reply, TestApp, Value, json, user};

/// `totalResults`, `startIndex`, `itemsPerPage`, and how many resources there are.
#[track_caller]
fn numbers(page: &Reply) -> (i64, i64, i64, usize) {
    let number = |name: &str| {
        page.expect(200).json[name]
            .as_i64()
            .unwrap_or_else(|| panic!("{name}\n{page:?}"))
    };
    let shown = page.json["Resources"].as_array().map_or(0, Vec::len);
    (
        number("totalResults"),
        number("startIndex"),
        number("itemsPerPage"),
        shown,
    )
}

// P-01
#[test]
fn indexes_begin_at_one_and_nothing_is_below() {
    let p = people();
    let scim = p.app.scim();
    let first = scim.get("/Users?count=2").expect(200).json.clone();
    for start in ["1", "0", "-5", "-9223372036854775808", ""] {
        let page = scim.get(&format!("/Users?count=2&startIndex={start}"));
        assert_eq!(page.expect(200).json, first, "{start}");
    }
    assert_eq!(first["startIndex"], 1);
}

// P-02, P-05
#[test]
fn a_page_has_at_most_as_many_as_asked_and_says_how_many() {
    let app = TestApp::new();
    app.users(12);
    let scim = app.scim();
    let page = |query: &str| numbers(&scim.get(&format!("/Users?{query}")));
    assert_eq!(page("count=5"), (12, 1, 5, 5));
    assert_eq!(page("count=5&startIndex=6"), (12, 6, 5, 5));
    assert_eq!(page("count=5&startIndex=11"), (12, 11, 2, 2));
    assert_eq!(page("count=12"), (12, 1, 12, 12));
    assert_eq!(page("count=13"), (12, 1, 12, 12));
}

// P-03, P-04
#[test]
fn a_count_of_nothing_or_less_asks_for_the_total_alone() {
    let app = TestApp::new();
    app.users(12);
    let scim = app.scim();
    for query in [
        "count=0",
        "count=-1",
        "count=-77",
        "count=0&filter=userName pr",
        "count=0&sortBy=title",
    ] {
        let page = scim.get(&format!("/Users?{query}"));
        assert_eq!(numbers(&page), (12, 1, 0, 0), "{query}");
        assert_eq!(page.json["Resources"], json!([]), "{query}");
    }
}

// P-06, P-08, K-10: the numbers are those that discovery publishes (SP-05)
#[test]
fn a_page_has_the_published_sizes() {
    let app = TestApp::new();
    let scim = app.scim();
    let config = scim.get("/ServiceProviderConfig").expect(200).json.clone();
    assert_eq!(
        config["pagination"]["maxPageSize"],
        config["filter"]["maxResults"]
    );
    let number = |value: &Value| value.as_i64().expect("a number");
    let (usual, most) = (
        number(&config["pagination"]["defaultPageSize"]),
        number(&config["filter"]["maxResults"]),
    );
    let mut operations = Vec::new();
    for at in 0..=most {
        operations.push(json!({ "method": "POST", "path": "/Users", "bulkId": at.to_string(), "data": user(&format!("p{at}")) }));
    }
    for chunk in operations.chunks(501) {
        let bulk = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": chunk });
        scim.post("/Bulk", &bulk).expect(200);
    }
    let page = |query: &str| numbers(&scim.get(&format!("/Users?attributes=userName{query}"))).2;
    assert_eq!(page(""), usual);
    assert_eq!(page(&format!("&count={}", most + 1)), most);
    assert_eq!(page("&count=9223372036854775807"), most);
    let walk = scim.get(&format!(
        "/Users?cursor&attributes=userName&count={}",
        most + 1
    ));
    assert_eq!(walk.expect(200).json["itemsPerPage"], most);
    assert!(walk.json["nextCursor"].is_string(), "one is left");
}

// P-07, P-11
#[test]
fn a_page_beyond_the_end_is_empty_however_far_beyond() {
    let p = people();
    let scim = p.app.scim();
    for start in ["5", "1000001", "2147483647", "9223372036854775807"] {
        for more in [
            "",
            "&filter=userName pr",
            "&sortBy=title",
            "&sortBy=userName",
        ] {
            let page = scim.get(&format!("/Users?startIndex={start}{more}"));
            let start: i64 = start.parse().expect("a number");
            assert_eq!(numbers(&page), (4, start, 0, 0), "{start} {more}");
        }
        scim.get(&format!("/?startIndex={start}")).expect(200);
        scim.get(&format!("/?startIndex={start}&sortBy=displayName"))
            .expect(200);
    }
}

// P-09
#[test]
fn pages_go_on_while_rows_come_and_go() {
    let app = TestApp::new();
    let everybody = app.users(6);
    let scim = app.scim();
    let first = scim.get("/Users?count=3");
    assert_eq!(numbers(&first), (6, 1, 3, 3));
    scim.delete(&format!("/Users/{}", everybody[0])).expect(204);
    app.user("late@acme.test");
    assert_eq!(
        numbers(&scim.get("/Users?startIndex=4&count=3")),
        (6, 4, 3, 3)
    );
    for id in &everybody[1..] {
        scim.delete(&format!("/Users/{id}")).expect(204);
    }
    assert_eq!(
        numbers(&scim.get("/Users?startIndex=4&count=3")),
        (1, 4, 0, 0)
    );
}

// P-10
#[test]
fn numbers_are_whole_fit_64_bits_and_may_have_spaces_around() {
    let p = people();
    let scim = p.app.scim();
    for bad in [
        "1e2",
        "1.0",
        "ten",
        "0x10",
        "9223372036854775808",
        "--1",
        "1 2",
    ] {
        for name in ["count", "startIndex"] {
            scim.get(&format!("/Users?{name}={bad}"))
                .scim_error("invalidValue");
        }
    }
    assert_eq!(
        numbers(&scim.get("/Users?count=%202%20&startIndex=+3+")),
        (4, 3, 2, 2)
    );
}
