//! Lists and searches. Checklist §13.

use super::acme::{SEARCH, acme, search};
use crate::harness::{GROUP, LIST, TestApp, USER, json, user};
use crate::scim::people::people;

//
#[test]
fn a_list_says_what_it_is_how_much_there_is_and_where_the_page_stands() {
    let app = TestApp::new();
    app.users(12);
    let scim = app.scim();
    for (query, start, shown) in [
        ("", 1, 12),
        ("?count=5", 1, 5),
        ("?count=5&startIndex=11", 11, 2),
        ("?count=0", 1, 0),
    ] {
        let page = scim.get(&format!("/Users{query}"));
        page.expect(200);
        assert_eq!(page.json["schemas"], json!([LIST]));
        assert_eq!(
            (
                &page.json["totalResults"],
                &page.json["startIndex"],
                &page.json["itemsPerPage"]
            ),
            (&json!(12), &json!(start), &json!(shown)),
            "{query}"
        );
        assert_eq!(
            page.json["Resources"].as_array().map(Vec::len),
            Some(shown),
            "{query}"
        );
    }
    let nobody = scim.get("/Users?filter=userName eq \"0b7d1a\"");
    assert_eq!(
        (
            nobody.expect(200).json["totalResults"].clone(),
            nobody.json["Resources"].clone()
        ),
        (json!(0), json!([]))
    );
}

//
#[test]
fn an_item_of_a_list_is_what_a_single_get_shows() {
    let p = people();
    let scim = p.app.scim();
    for (endpoint, id) in [("/Users", &p.u1), ("/Groups", &p.g1)] {
        for shape in [
            "",
            "attributes=displayName,emails.value,members",
            "excludedAttributes=emails,meta",
        ] {
            let one = scim.get(&format!("{endpoint}/{id}?{shape}"));
            let list = scim.get(&format!("{endpoint}?filter=id eq \"{id}\"&{shape}"));
            assert_eq!(
                list.expect(200).json["Resources"],
                json!([one.expect(200).json]),
                "{shape}"
            );
            assert!(one.json["schemas"].is_array() && one.json["id"] == **id);
        }
    }
    scim.delete(&format!("/Users/{}", p.u1)).expect(204);
    for path in [
        "/Users",
        "/",
        "/Users?filter=externalId eq \"HR-001\"",
        "/Users?sortBy=userName",
        "/?filter=userName pr",
    ] {
        let page = scim.get(path);
        assert!(!page.expect(200).names("id").contains(&p.u1), "{path}");
    }
    assert_eq!(scim.get("/Users").json["totalResults"], 3);
}

// the root is about every type
#[test]
fn the_root_asks_all_types_and_an_attribute_a_type_lacks_has_no_value_there() {
    let world = acme();
    let root = |filter: &str| world.found("/", filter);
    assert_eq!(root("meta.resourceType eq \"Group\""), ["g1"]);
    assert_eq!(root("userName pr"), ["u1", "u2", "u3", "u4"]);
    assert_eq!(root("not (userName pr)"), ["g1"]);
    assert_eq!(
        root("userName eq \"dave\" or displayName eq \"ops\""),
        ["g1", "u4"]
    );
    assert_eq!(root("members pr"), ["g1"]);
    let scim = world.app.scim();
    let ids = |path: &str| scim.get(path).expect(200).names("id");
    let all = ids("/");
    assert_eq!(world.names(&all), ["g1", "u1", "u2", "u3", "u4"]);
    let in_order: Vec<&str> = all
        .iter()
        .map(|id| world.names(std::slice::from_ref(id))[0])
        .collect();
    assert_eq!(
        in_order,
        ["u3", "u1", "u2", "u4", "g1"],
        "by type, then creation"
    );
    assert_eq!(ids("/?count=2"), all[..2]);
    assert_eq!(ids("/?count=2&startIndex=4"), all[3..]);
    let text = scim.get("/").text;
    assert!(
        !text.contains("\"resourceType\":\"Schema\"") && !text.contains("ServiceProviderConfig")
    );
    let page = scim.get("/?filter=nosuch pr");
    assert_eq!(page.expect(200).json["totalResults"], 0);
}

//
#[test]
fn at_one_types_endpoint_an_attribute_it_lacks_is_a_mistake() {
    let p = people();
    p.app
        .scim()
        .get("/Groups?filter=userName pr")
        .scim_error("invalidFilter");
    p.app
        .scim()
        .get("/Users?filter=members pr")
        .scim_error("invalidFilter");
    p.app
        .scim()
        .get("/Users?filter=nosuch eq \"x\"")
        .scim_error("invalidFilter");
}

// Q-12, SE-09: what would cost too much is refused, and what is narrower or has an index is answered
#[test]
fn an_order_no_index_serves_is_refused_for_a_crowd() {
    let app = TestApp::new();
    let scim = app.scim();
    app.crowd(100_001);
    let wide = scim.get("/Users?sortBy=title&count=1");
    wide.scim_error("tooMany");
    assert!(wide.text.contains("100000"), "the limit is named: {wide:?}");
    for narrow in [
        "/Users?sortBy=userName&count=1",
        "/Users?count=1",
        "/Users?sortBy=title&filter=userName eq \"crowd7@acme.test\"",
    ] {
        let page = scim.get(narrow);
        assert_eq!(page.expect(200).names("userName").len(), 1, "{narrow}");
    }
}

//
#[test]
fn a_search_answers_as_the_list_does_and_makes_nothing() {
    let p = people();
    let scim = p.app.scim();
    let list = scim.get("/Users?filter=title pr&attributes=userName,emails.value&sortBy=userName&sortOrder=descending&startIndex=2&count=1");
    for names in [
        json!(["userName", "emails.value"]),
        json!("userName, emails.value"),
    ] {
        let body = json!({ "schemas": [SEARCH], "filter": "title pr", "attributes": names, "sortBy": "userName", "sortOrder": "descending", "startIndex": 2, "count": 1 });
        let found = scim.post("/Users/.search?count=4&filter=userName eq \"dave\"", &body);
        assert_eq!(found.expect(200).json, list.expect(200).json);
        assert_eq!(found.header("location"), "");
    }
    let excluded = json!({ "schemas": [SEARCH], "excludedAttributes": ["emails"] });
    assert_eq!(
        scim.post("/Users/.search", &excluded).expect(200).json,
        scim.get("/Users?excludedAttributes=emails").json
    );
    assert_eq!(
        scim.post("/.search", &json!({ "schemas": [SEARCH], "count": 3 }))
            .expect(200)
            .json,
        scim.get("/?count=3").json
    );
    assert_eq!(scim.get("/").json["totalResults"], 5);
}

//
#[test]
fn a_search_names_its_schema_and_numbers_are_numbers() {
    let app = TestApp::new();
    let scim = app.scim();
    for endpoint in ["/.search", "/Users/.search", "/Groups/.search"] {
        for body in [
            json!({ "filter": "id pr" }),
            json!({ "schemas": [], "filter": "id pr" }),
            json!({ "schemas": [USER] }),
        ] {
            scim.post(endpoint, &body).scim_error("invalidSyntax");
        }
        for (name, value) in [
            ("count", json!("ten")),
            ("count", json!(1.5)),
            ("startIndex", json!(true)),
            ("startIndex", json!({})),
            ("filter", json!(7)),
            ("sortBy", json!(["a", 7])),
        ] {
            let mut body = json!({ "schemas": [SEARCH] });
            body[name] = value.clone();
            let reply = scim.post(endpoint, &body);
            reply.scim_failure(400);
            assert!(
                ["invalidValue", "invalidFilter"]
                    .contains(&reply.json["scimType"].as_str().unwrap_or_default()),
                "{name} {value}: {}",
                reply.text
            );
        }
    }
    for query in [
        "count=ten",
        "startIndex=1.5",
        "count=1e1",
        "startIndex=",
        "count=%201",
    ] {
        let reply = scim.get(&format!("/Users?{query}"));
        if query.ends_with('=') || query.contains("%20") {
            reply.expect(200);
        } else {
            reply.scim_error("invalidValue");
        }
    }
}

// Q-18, SE-05: a refusal does not repeat the values that were searched for
#[test]
fn a_refused_filter_is_not_repeated_in_the_answer() {
    let app = TestApp::new();
    for filter in [
        "emails.value eq \"private@home.test\" and nosuch pr",
        "userName xx \"private@home.test\"",
        "userName eq \"private@home.test",
    ] {
        let reply = search(&app.scim(), "/Users", filter);
        reply.scim_error("invalidFilter");
        assert!(!reply.text.contains("private"), "{}", reply.text);
    }
}

// without sortBy, creation decides
#[test]
fn without_a_sort_key_the_list_is_in_order_of_creation() {
    let app = TestApp::new();
    let mut made = Vec::new();
    for name in ["mia", "zoe", "abe", "kim", "ben"] {
        made.push(app.user(name));
        app.clock.advance_millis(7);
    }
    assert_eq!(app.scim().get("/Users").expect(200).names("id"), made);
    let changed = json!({ "schemas": [USER], "userName": "mia", "title": "x" });
    app.scim()
        .put(&format!("/Users/{}", made[0]), &changed)
        .expect(200);
    assert_eq!(
        app.scim().get("/Users?filter=userName pr").names("id"),
        made
    );
    assert_eq!(
        app.scim().get("/Users?startIndex=2&count=2").names("id"),
        made[1..3]
    );
}

//
#[test]
fn a_search_exists_at_the_root_and_at_the_types_only() {
    let p = people();
    let scim = p.app.scim();
    let body = json!({ "schemas": [SEARCH] });
    for path in [
        format!("/Users/{}/.search", p.u1),
        "/Schemas/.search".to_owned(),
        "/ResourceTypes/.search".to_owned(),
        "/ServiceProviderConfig/.search".to_owned(),
        "/Me/.search".to_owned(),
        "/nosuch/.search".to_owned(),
    ] {
        scim.post(&path, &body).scim_failure(404);
    }
    for path in ["/.search", "/Users/.search", "/Groups/.search"] {
        scim.get(path).scim_failure(405);
        scim.post(path, &body).expect(200);
    }
}

// filtering is announced, and done
#[test]
fn a_filter_is_never_ignored() {
    let p = people();
    let scim = p.app.scim();
    assert_eq!(
        scim.get("/ServiceProviderConfig").expect(200).json["filter"]["supported"],
        true
    );
    for path in [
        "/Users?filter=",
        "/Groups?filter=displayName",
        "/?filter=(",
        "/Users?FILTER=x",
        &format!("/Users/{}?filter=userName pr", p.u1),
    ] {
        scim.get(path).scim_error("invalidFilter");
    }
    scim.post(
        "/Groups",
        &json!({ "schemas": [GROUP], "displayName": "Sales" }),
    )
    .expect(201);
    assert_eq!(
        scim.get("/Groups?filter=displayName eq \"sales\"").json["totalResults"],
        1
    );
    scim.post("/Users", &user("x")).expect(201);
}
