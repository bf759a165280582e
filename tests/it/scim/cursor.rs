//! Pages by cursor. RFC 9865; section 16.2 of the checklist.

use super::people::people;
use crate::harness::{Client, Reply, TestApp, Value, json};

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

pub fn cursor(page: &Reply, name: &str) -> Option<String> {
    page.expect(200).json[name].as_str().map(str::to_owned)
}

/// All pages of a query, from the first to the last.
pub fn walk(scim: &Client, path: &str, query: &str) -> Vec<Reply> {
    let mut pages = vec![scim.get(&format!("{path}?cursor&{query}"))];
    while let Some(next) = pages.last().and_then(|page| cursor(page, "nextCursor")) {
        pages.push(scim.get(&format!("{path}?cursor={next}&{query}")));
        assert!(pages.len() < 200, "the walk does not end");
    }
    pages
}

pub fn ids(pages: &[Reply]) -> Vec<String> {
    pages.iter().flat_map(|page| page.names("id")).collect()
}

pub fn sizes(pages: &[Reply]) -> Vec<usize> {
    pages.iter().map(|page| page.names("id").len()).collect()
}

// K-01, K-03, SP-06
#[test]
fn discovery_says_how_pages_are_made() {
    let app = TestApp::new();
    let config = app.scim().get("/ServiceProviderConfig");
    assert_eq!(
        config.expect(200).json["pagination"],
        json!({ "cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": 100,
            "maxPageSize": 1000, "cursorTimeout": 3600 })
    );
    // index is what a request gets that names neither
    let page = app.scim().get("/Users?count=1");
    assert_eq!(page.expect(200).json["startIndex"], 1);
    assert_eq!(page.json.get("nextCursor"), None);
}

// K-02, K-04, K-11
#[test]
fn an_empty_cursor_begins_and_every_page_but_the_last_leads_on() {
    let app = TestApp::new();
    let mut everybody = app.users(5);
    let scim = app.scim();
    for first in ["?cursor&count=2", "?cursor=&count=2"] {
        let page = scim.get(&format!("/Users{first}"));
        assert!(cursor(&page, "nextCursor").is_some(), "{first}");
        assert_eq!(page.json.get("previousCursor"), None);
        assert_eq!(page.json.get("startIndex"), None);
        assert_eq!(page.json["itemsPerPage"], 2);
        assert_eq!(page.json["totalResults"], 5);
    }
    let pages = walk(&scim, "/Users", "count=2");
    assert_eq!(sizes(&pages), [2, 2, 1]);
    assert!(pages.iter().all(|page| page.json["totalResults"] == 5));
    let mut seen = ids(&pages);
    seen.sort();
    everybody.sort();
    assert_eq!(seen, everybody);
    // a last page that is full leads nowhere, too
    assert_eq!(sizes(&walk(&scim, "/Users", "count=5")), [5]);
    assert_eq!(sizes(&walk(&scim, "/Groups", "count=5")), [0]);
}

// K-05
#[test]
fn a_walk_goes_back_as_it_came() {
    let app = TestApp::new();
    app.users(7);
    let scim = app.scim();
    for query in [
        "count=2",
        "count=2&sortBy=userName&sortOrder=descending",
        "count=2&sortBy=title",
        "count=2&filter=not (nickName pr)",
    ] {
        let there = walk(&scim, "/Users", query);
        let mut page = there.last().expect("a page").clone();
        let mut back = vec![page.names("id")];
        while let Some(previous) = cursor(&page, "previousCursor") {
            page = scim.get(&format!("/Users?cursor={previous}&{query}"));
            assert!(cursor(&page, "nextCursor").is_some());
            back.insert(0, page.names("id"));
        }
        assert_eq!(back.concat(), ids(&there), "{query}");
        assert_eq!(back.len(), there.len(), "{query}");
        // and there again
        let next = cursor(&page, "nextCursor").expect("a next page");
        let again = scim.get(&format!("/Users?cursor={next}&{query}"));
        assert_eq!(again.names("id"), there[1].names("id"), "{query}");
    }
}

// K-05, K-20: what was there before may be gone when a walk turns around
#[test]
fn a_page_back_may_be_empty_and_still_leads_on() {
    let app = TestApp::new();
    let everybody = app.users(4);
    let scim = app.scim();
    let pages = walk(&scim, "/Users", "count=2");
    let previous = cursor(&pages[1], "previousCursor").expect("a previous page");
    for id in &everybody[..2] {
        scim.delete(&format!("/Users/{id}")).expect(204);
    }
    let empty = scim.get(&format!("/Users?cursor={previous}&count=2"));
    assert_eq!(empty.expect(200).json["Resources"], json!([]));
    assert_eq!(empty.json.get("previousCursor"), None);
    let next = cursor(&empty, "nextCursor").expect("it leads on");
    let rest = scim.get(&format!("/Users?cursor={next}&count=2"));
    assert_eq!(rest.expect(200).names("id"), everybody[2..]);
}

// K-06
#[test]
fn a_cursor_can_stand_in_a_url_as_it_is() {
    let app = TestApp::new();
    app.users(3);
    let scim = app.scim();
    for query in ["count=1", "count=1&sortBy=userName", "count=1&sortBy=title"] {
        for page in walk(&scim, "/Users", query) {
            for name in ["nextCursor", "previousCursor"] {
                if let Some(text) = cursor(&page, name) {
                    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
                    assert!(text.bytes().all(plain), "{text}");
                }
            }
        }
    }
}

// K-07
#[test]
fn a_count_of_nothing_asks_for_the_total_alone() {
    let p = people();
    for count in ["0", "-1"] {
        let page = p.app.scim().get(&format!("/Users?cursor&count={count}"));
        assert_eq!(page.expect(200).json["totalResults"], 4);
        assert_eq!(page.json["Resources"], json!([]));
        assert_eq!(page.json["itemsPerPage"], 0);
        assert_eq!(page.json.get("nextCursor"), None);
    }
}

// K-08, K-09, K-17
#[test]
fn a_cursor_serves_its_own_query_alone() {
    let app = TestApp::new();
    app.users(5);
    let scim = app.scim();
    let query = "filter=userName pr&sortBy=userName&count=2";
    let first = scim.get(&format!("/Users?cursor&{query}"));
    let next = cursor(&first, "nextCursor").expect("a next page");
    scim.get(&format!("/Users?cursor={next}&{query}&attributes=userName"))
        .expect(200);
    scim.get(&format!(
        "/Users?cursor={next}&filter=userName pr&sortBy=USERNAME&sortOrder=ascending&count=2"
    ))
    .expect(200);
    let mut refusals = Vec::new();
    for path in [
        "/Users?count=2",
        "/Users?filter=userName pr&count=2",
        "/Users?filter=title pr&sortBy=userName&count=2",
        "/Users?filter=userName pr&sortBy=displayName&count=2",
        "/Users?filter=userName pr&sortBy=userName&sortOrder=descending&count=2",
        "/Groups?filter=displayName pr&sortBy=displayName&count=2",
        "/?filter=userName pr&sortBy=userName&count=2",
    ] {
        let refused = scim.get(&format!("{path}&cursor={next}"));
        refusals.push(refused.scim_error("invalidCursor").text.clone());
    }
    scim.get(&format!(
        "/Users?cursor={next}&filter=userName pr&sortBy=userName&count=3"
    ))
    .scim_error("invalidCount");
    // the size of the pages is known without being repeated
    let on = scim.get(&format!(
        "/Users?cursor={next}&filter=userName pr&sortBy=userName"
    ));
    assert_eq!(on.expect(200).names("id").len(), 2);
    // where it was given counts, too, where everything else is the same
    let plain = scim.get("/Users?cursor&count=2&filter=id pr");
    let plain = cursor(&plain, "nextCursor").expect("a next page");
    let elsewhere = scim.get(&format!("/Groups?cursor={plain}&count=2&filter=id pr"));
    refusals.push(elsewhere.scim_error("invalidCursor").text.clone());
    refusals.push(
        scim.get("/Users?cursor=AAAA&count=2")
            .scim_error("invalidCursor")
            .text
            .clone(),
    );
    refusals.dedup();
    assert_eq!(refusals.len(), 1, "one answer for every reason");
}

// K-09, K-18
#[test]
fn a_changed_cursor_is_no_cursor() {
    let app = TestApp::new();
    app.users(3);
    let scim = app.scim();
    let next = cursor(&scim.get("/Users?cursor&count=1"), "nextCursor").expect("a next page");
    let mut letters: Vec<char> = next.chars().collect();
    for at in 0..letters.len() {
        let before = letters[at];
        letters[at] = if before == 'x' { 'y' } else { 'x' };
        let changed: String = letters.iter().collect();
        letters[at] = before;
        scim.get(&format!("/Users?cursor={changed}&count=1"))
            .scim_error("invalidCursor");
    }
    for nonsense in [
        "0",
        "null",
        "%00",
        "..",
        &next[1..],
        &next[..next.len() - 1],
        &format!("{next}="),
        &format!("{next}{next}"),
        &"A".repeat(5000),
        "%F0%9F%98%80",
    ] {
        scim.get(&format!("/Users?cursor={nonsense}&count=1"))
            .scim_error("invalidCursor");
    }
    // nothing of what it knows can be read from it
    let by_name = scim.get("/Users?cursor&count=1&sortBy=userName");
    let name = by_name.names("userName")[0].clone();
    let sealed = cursor(&by_name, "nextCursor").expect("a next page");
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &sealed)
        .expect("base64url");
    assert!(!String::from_utf8_lossy(&bytes).contains(&name));
}

// K-09, K-21
#[test]
fn a_cursor_holds_as_long_as_promised() {
    let app = TestApp::new();
    app.users(3);
    let scim = app.scim();
    let next = cursor(&scim.get("/Users?cursor&count=1"), "nextCursor").expect("a next page");
    app.clock.advance_millis(3_600_000);
    let page = scim.get(&format!("/Users?cursor={next}&count=1"));
    let younger = cursor(&page, "nextCursor").expect("a next page");
    app.clock.advance_millis(1);
    scim.get(&format!("/Users?cursor={next}&count=1"))
        .scim_error("expiredCursor");
    scim.get(&format!("/Users?cursor={younger}&count=1"))
        .expect(200);
}

// K-09, Q-20
#[test]
fn a_count_that_is_no_number_has_its_own_error() {
    let app = TestApp::new();
    for count in ["ten", "1e2", "99999999999999999999"] {
        app.scim()
            .get(&format!("/Users?cursor&count={count}"))
            .scim_error("invalidCount");
    }
    for count in [json!(true), json!("x"), json!([2])] {
        let body = json!({ "schemas": [SEARCH], "cursor": "", "count": count });
        app.scim()
            .post("/Users/.search", &body)
            .scim_error("invalidCount");
    }
}

// K-12
#[test]
fn a_walk_keeps_to_its_order() {
    let p = people();
    let scim = p.app.scim();
    for by in [
        "userName",
        "externalId",
        "displayName",
        "meta.created",
        "meta.lastModified",
        "id",
        "title",
        "emails",
        "active",
        "name.familyName",
        "department",
    ] {
        for word in ["ascending", "descending"] {
            for filter in ["", "&filter=not (nickName pr)", "&filter=userName pr"] {
                let query = format!("sortBy={by}&sortOrder={word}{filter}");
                let whole = scim.get(&format!("/Users?{query}")).expect(200).names("id");
                for count in [1, 3] {
                    let pages = walk(&scim, "/Users", &format!("{query}&count={count}"));
                    assert_eq!(ids(&pages), whole, "{query} by {count}");
                }
            }
        }
    }
}

// K-13
#[test]
fn nobody_gets_cursors_unasked() {
    let app = TestApp::new();
    app.users(3);
    for path in ["/Users?count=1", "/?count=1", "/Users?startIndex=2&count=1"] {
        let page = app.scim().get(path);
        assert_eq!(page.expect(200).json.get("nextCursor"), None, "{path}");
        assert!(page.json["startIndex"].is_i64(), "{path}");
    }
}

// K-14, Q-13
#[test]
fn a_search_walks_as_a_list_does() {
    let p = people();
    let scim = p.app.scim();
    for (list, search) in [("/Users", "/Users/.search"), ("/", "/.search")] {
        let mut text = String::new();
        let mut seen = Vec::new();
        loop {
            let body = json!({ "schemas": [SEARCH], "cursor": text, "count": 3, "sortBy": "displayName",
                "attributes": ["displayName"] });
            let page = scim.post(search, &body);
            seen.push(page.expect(200).clone());
            match cursor(&page, "nextCursor") {
                Some(next) => text = next,
                None => break,
            }
        }
        let listed = walk(
            &scim,
            list,
            "count=3&sortBy=displayName&attributes=displayName",
        );
        assert_eq!(ids(&seen), ids(&listed), "{list}");
        assert_eq!(sizes(&seen), sizes(&listed), "{list}");
    }
    // absent and null are the same: pages by index
    let body = json!({ "schemas": [SEARCH], "cursor": null, "count": 1 });
    let page = scim.post("/Users/.search", &body);
    assert_eq!(page.expect(200).json["startIndex"], 1);
}

// K-15, K-16, MT-07
#[test]
fn a_cursor_opens_nothing_for_anybody_else() {
    let app = TestApp::new();
    app.users(3);
    let next = cursor(&app.scim().get("/Users?cursor&count=1"), "nextCursor").expect("a next page");
    let path = format!("/Users?cursor={next}&count=1");
    let colleague = app.client("/scim/v2", Some(&app.token("scim", None, None)));
    colleague.get(&path).scim_error("invalidCursor");
    let (stranger, _) = app.other_tenant();
    stranger.get(&path).scim_error("invalidCursor");
    app.client("/scim/v2", None).get(&path).scim_failure(401);
    let writer = app.client(
        "/scim/v2",
        Some(&app.token("scim", Some("scim:write"), None)),
    );
    writer.get(&path).scim_failure(403);
    // a token that was taken back takes its cursors with it
    let token = app.token("scim", None, None);
    let mine = app.client("/scim/v2", Some(&token));
    let next = cursor(&mine.get("/Users?cursor&count=1"), "nextCursor").expect("a next page");
    app.revoke(&token);
    mine.get(&format!("/Users?cursor={next}&count=1"))
        .scim_failure(401);
}

// K-19
#[test]
fn a_cursor_and_an_index_exclude_each_other() {
    let app = TestApp::new();
    let scim = app.scim();
    scim.get("/Users?cursor&startIndex=1")
        .scim_error("invalidValue");
    let body = json!({ "schemas": [SEARCH], "cursor": "", "startIndex": 1 });
    scim.post("/.search", &body).scim_error("invalidValue");
}

// K-22
#[test]
fn the_typos_of_the_rfc_are_not_taken() {
    let app = TestApp::new();
    let body = json!({ "schemas": [SEARCH], "cursor": "" });
    app.scim().post("/User/.search", &body).scim_failure(404);
    app.scim()
        .get("/Users?cursor&filter=userName sw J")
        .scim_error("invalidFilter");
}

/// Not a walk: the body of a search is checked before anything is read.
#[test]
fn a_cursor_of_the_wrong_type_is_refused() {
    let app = TestApp::new();
    for (value, keyword) in [
        (json!(true), "invalidValue"),
        (json!({}), "invalidValue"),
        (json!(12), "invalidCursor"),
        (json!("12"), "invalidCursor"),
    ] {
        let body: Value = json!({ "schemas": [SEARCH], "cursor": value });
        app.scim().post("/Users/.search", &body).scim_error(keyword);
    }
}
