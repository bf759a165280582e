//! `sortBy` and `sortOrder`. RFC 7644 §3.4.2.3; section 15 of the checklist.

use super::people::people;
use crate::harness::{Client, ENT, GROUP, TestApp, USER, Value, json, patch};

/// The user names of a list, in its order.
fn order(scim: &Client, query: &str) -> Vec<String> {
    scim.get(&format!("/Users?{query}"))
        .expect(200)
        .names("userName")
}

fn push(scim: &Client, name: &str, attributes: Value) -> String {
    let mut user = json!({ "schemas": [USER, ENT], "userName": name });
    for (key, value) in attributes.as_object().into_iter().flatten() {
        user[key] = value.clone();
    }
    scim.post("/Users", &user).expect(201).id()
}

// S-01
#[test]
fn sorting_is_announced_and_done() {
    let p = people();
    let config = p.app.scim().get("/ServiceProviderConfig");
    assert_eq!(config.expect(200).json["sort"]["supported"], true);
    assert_eq!(
        order(&p.app.scim(), "sortBy=userName"),
        ["ada@acme.test", "Bo.Li", "chloe", "dave"]
    );
}

// S-02, S-03
#[test]
fn ascending_is_the_default_and_the_words_come_in_any_case() {
    let p = people();
    let scim = p.app.scim();
    let up = order(&scim, "sortBy=userName");
    assert_eq!(order(&scim, "sortBy=userName&sortOrder=ASCENDING"), up);
    let mut down = up.clone();
    down.reverse();
    assert_eq!(order(&scim, "sortBy=userName&sortOrder=Descending"), down);
    for word in ["up", "asc", "1"] {
        scim.get(&format!("/Users?sortBy=userName&sortOrder={word}"))
            .scim_error("invalidValue");
    }
    // alone it says nothing, not even nonsense
    assert_eq!(
        order(&scim, "sortOrder=descending"),
        ["chloe", "ada@acme.test", "Bo.Li", "dave"]
    );
    assert_eq!(order(&scim, "sortOrder=up").len(), 4);
}

// S-04
#[test]
fn each_type_of_attribute_has_its_own_order() {
    let p = people();
    let scim = p.app.scim();
    assert_eq!(
        order(&scim, "sortBy=meta.created"),
        ["chloe", "ada@acme.test", "Bo.Li", "dave"]
    );
    p.app.clock.advance_millis(60_000);
    let title = patch(json!([{ "op": "replace", "path": "title", "value": "CTO" }]));
    scim.patch(&format!("/Users/{}", p.u1), &title).expect(200);
    assert_eq!(
        order(&scim, "sortBy=meta.lastModified&sortOrder=descending")[0],
        "ada@acme.test"
    );
    // text is text, even of digits
    push(
        &scim,
        "nine",
        json!({ ENT: { "employeeNumber": "9", "department": "z" } }),
    );
    push(
        &scim,
        "ten",
        json!({ ENT: { "employeeNumber": "10", "department": "z" } }),
    );
    let by_number = order(
        &scim,
        "sortBy=employeeNumber&filter=department eq \"z\" and employeeNumber pr",
    );
    assert_eq!(by_number, ["ten", "nine"]);
}

// S-05
#[test]
fn text_ignores_case_unless_the_attribute_is_case_exact() {
    let app = TestApp::new();
    let scim = app.scim();
    for (name, external) in [
        ("one", "b"),
        ("two", "C"),
        ("three", "a"),
        ("four", "B"),
        ("five", "é"),
        ("six", "Z"),
    ] {
        push(
            &scim,
            name,
            json!({ "displayName": external, "externalId": external, "title": external }),
        );
    }
    for folded in ["displayName", "title"] {
        let names = order(&scim, &format!("sortBy={folded}"));
        assert_eq!(names[0], "three", "{folded}");
        let mut tied = names[1..3].to_vec();
        tied.sort();
        assert_eq!(tied, ["four", "one"], "{folded}");
        assert_eq!(names[3..], ["two", "six", "five"], "{folded}");
    }
    assert_eq!(
        order(&scim, "sortBy=externalId"),
        ["four", "two", "six", "three", "one", "five"]
    );
}

// S-06
#[test]
fn who_has_no_value_is_last_ascending_and_first_descending() {
    let p = people();
    let scim = p.app.scim();
    for attribute in [
        "title",
        "externalId",
        "displayName",
        "emails",
        "name.givenName",
        "manager.value",
    ] {
        let having = scim
            .get(&format!("/Users?filter={attribute} pr"))
            .expect(200)
            .names("userName");
        let up = order(&scim, &format!("sortBy={attribute}"));
        let down = order(&scim, &format!("sortBy={attribute}&sortOrder=descending"));
        assert!(having.len() < 4 && !having.is_empty(), "{attribute}");
        for name in &having {
            assert!(up[..having.len()].contains(name), "{attribute}: {up:?}");
            assert!(
                down[4 - having.len()..].contains(name),
                "{attribute}: {down:?}"
            );
        }
    }
}

// S-07
#[test]
fn of_several_values_the_primary_counts_else_the_first() {
    let app = TestApp::new();
    let scim = app.scim();
    let mail = |value: &str, primary: bool| json!({ "value": value, "primary": primary });
    push(
        &scim,
        "primary-last",
        json!({ "emails": [mail("a@x.test", false), mail("m@x.test", true)] }),
    );
    push(
        &scim,
        "first",
        json!({ "emails": [{ "value": "k@x.test" }, { "value": "b@x.test" }] }),
    );
    push(
        &scim,
        "primary-first",
        json!({ "emails": [mail("z@x.test", true), mail("c@x.test", false)] }),
    );
    for by in ["emails", "emails.value"] {
        assert_eq!(
            order(&scim, &format!("sortBy={by}")),
            ["first", "primary-last", "primary-first"]
        );
    }
}

// S-08
#[test]
fn a_complex_attribute_is_sorted_by_one_of_its_parts() {
    let p = people();
    let scim = p.app.scim();
    assert_eq!(
        order(&scim, "sortBy=name.familyName"),
        ["Bo.Li", "chloe", "ada@acme.test", "dave"]
    );
    assert_eq!(
        order(&scim, "sortBy=emails"),
        order(&scim, "sortBy=emails.value")
    );
    for whole in ["name", "addresses", "meta"] {
        scim.get(&format!("/Users?sortBy={whole}"))
            .scim_error("invalidValue");
    }
}

// S-09
#[test]
fn unknown_and_hidden_attributes_are_refused_and_urns_are_understood() {
    let p = people();
    let scim = p.app.scim();
    for by in ["nosuch", "password", "emails.nosuch", "urn:none:title"] {
        scim.get(&format!("/Users?sortBy={by}"))
            .scim_error("invalidValue");
        scim.get(&format!("/?sortBy={by}"))
            .scim_error("invalidValue");
    }
    assert_eq!(
        order(&scim, &format!("sortBy={ENT}:department")),
        order(&scim, "sortBy=department")
    );
    assert_eq!(
        order(&scim, &format!("sortBy={USER}:userName")),
        order(&scim, "sortBy=userName")
    );
}

// S-10
#[test]
fn ties_are_broken_by_id_so_that_pages_join() {
    let app = TestApp::new();
    let mut everybody = app.users(9);
    let scim = app.scim();
    for id in &everybody {
        let title = patch(json!([{ "op": "replace", "path": "title", "value": "Same" }]));
        scim.patch(&format!("/Users/{id}"), &title).expect(200);
    }
    everybody.sort();
    for (word, reversed) in [("ascending", false), ("descending", true)] {
        let mut seen = Vec::new();
        for start in [1, 4, 7] {
            let page = scim.get(&format!(
                "/Users?sortBy=title&sortOrder={word}&startIndex={start}&count=3"
            ));
            seen.extend(page.expect(200).names("id"));
        }
        if reversed {
            seen.reverse();
        }
        assert_eq!(seen, everybody, "{word}");
    }
}

// S-11
#[test]
fn false_comes_before_true() {
    let p = people();
    let up = order(&p.app.scim(), "sortBy=active");
    assert_eq!(up[0], "Bo.Li");
    let down = order(&p.app.scim(), "sortBy=active&sortOrder=descending");
    assert_eq!((up.len(), down[3].as_str()), (4, "Bo.Li"));
}

// S-04, S-06, S-10, Q-09: every kind of resource in one order
#[test]
fn at_the_root_all_kinds_are_in_one_order() {
    let app = TestApp::new();
    let scim = app.scim();
    let name = |name: &str| json!({ "displayName": name });
    push(&scim, "u1", name("Mia"));
    push(&scim, "u2", name("ada"));
    push(&scim, "u3", json!({}));
    for group in ["Welders", "Bakers", "mia club"] {
        let body = json!({ "schemas": [GROUP], "displayName": group });
        scim.post("/Groups", &body).expect(201);
    }
    let shown = |query: &str| -> Vec<String> {
        let page = scim.get(&format!("/?sortBy=displayName{query}"));
        let page = &page.expect(200).json;
        assert_eq!(page["totalResults"], 6);
        let resources = page["Resources"].as_array().cloned().unwrap_or_default();
        resources
            .iter()
            .map(|one| one["displayName"].as_str().unwrap_or("-").to_owned())
            .collect()
    };
    let all = ["ada", "Bakers", "Mia", "mia club", "Welders", "-"];
    assert_eq!(shown(""), all);
    let mut down = all;
    down.reverse();
    assert_eq!(shown("&sortOrder=descending"), down);
    let pages: Vec<String> = [1, 3, 5]
        .iter()
        .flat_map(|start| shown(&format!("&startIndex={start}&count=2")))
        .collect();
    assert_eq!(pages, all);
    assert!(shown("&startIndex=7").is_empty());
    // what only one kind has, the other lacks: it comes last
    let page = scim.get("/?sortBy=userName");
    let names = page.expect(200).names("userName");
    assert_eq!(names[..3], ["u1", "u2", "u3"]);
    assert_eq!(page.json["Resources"].as_array().map(Vec::len), Some(6));
}

// S-06, S-07, S-08: members have no primary, so the first counts; groups without any come last
#[test]
fn groups_are_ordered_by_their_first_member() {
    let app = TestApp::new();
    let scim = app.scim();
    let (zoe, ada, mia) = (app.user("zoe"), app.user("ada"), app.user("mia"));
    app.group("Empty", &[]);
    app.group("Mia", &[&mia]);
    app.group("Ada first", &[&ada, &mia]);
    app.group("Zoe first", &[&mia, &zoe, &ada]);
    let order = |query: &str| {
        scim.get(&format!("/Groups?{query}"))
            .expect(200)
            .names("displayName")
    };
    let by_id = ["Zoe first", "Ada first", "Mia", "Empty"];
    for sort in ["members", "members.value", "members.$ref"] {
        assert_eq!(order(&format!("sortBy={sort}")), by_id, "{sort}");
    }
    let mut down = by_id;
    down.reverse();
    assert_eq!(order("sortBy=members.value&sortOrder=descending"), down);
    let by_name = ["Ada first", "Mia", "Zoe first", "Empty"];
    assert_eq!(order("sortBy=members.display"), by_name);
    let some = order(&format!(
        "sortBy=members.display&filter=members.value eq \"{mia}\""
    ));
    assert_eq!(some, by_name[..3]);
    let page = order("sortBy=members.display&startIndex=2&count=2");
    assert_eq!(page, by_name[1..3]);
}

// S-10, S-04: names that several kinds share are in the order of ids, whatever is of which kind
#[test]
fn at_the_root_ties_are_broken_by_id_among_all_kinds() {
    let app = TestApp::new();
    let scim = app.scim();
    let mut ids = Vec::new();
    for at in 0..4 {
        let user = json!({ "displayName": "Same", "externalId": "x" });
        ids.push(push(&scim, &format!("u{at}"), user));
        let body =
            json!({ "schemas": [GROUP], "displayName": format!("Group {at}"), "externalId": "x" });
        ids.push(scim.post("/Groups", &body).expect(201).id());
    }
    ids.sort();
    for (word, down) in [("ascending", false), ("descending", true)] {
        let mut seen = Vec::new();
        for start in [1, 4, 7] {
            let page = format!("/?sortBy=externalId&sortOrder={word}&startIndex={start}&count=3");
            seen.extend(scim.get(&page).expect(200).names("id"));
        }
        if down {
            seen.reverse();
        }
        assert_eq!(seen, ids, "{word}");
    }
}

// S-04 to S-07, S-11: attributes nobody has built in, which have no column
#[test]
fn an_operators_attributes_are_ordered_by_their_types_as_any() {
    use super::custom::{EMPLOYEE, folder};
    let app = TestApp::with_folder(&folder());
    let scim = app.scim();
    for (name, of) in [
        (
            "a",
            json!({ "quota": 9.25, "grade": 9, "hiredAt": "2020-01-01T01:00:00+02:00", "badgeNumber": "b",
                "skills": ["m", "a"], "contractor": true, "certificates": [{ "value": "x", "level": 1 }, { "value": "y", "level": 7, "primary": true }] }),
        ),
        (
            "b",
            json!({ "quota": 10, "grade": -3, "hiredAt": "2019-12-31T23:30:00Z", "badgeNumber": "A",
                "skills": ["Z"], "contractor": false, "certificates": [{ "value": "x", "level": 3 }, { "value": "y", "level": 9 }] }),
        ),
        (
            "c",
            json!({ "quota": -0.5, "grade": 10, "hiredAt": "2020-01-01T00:00:00Z", "badgeNumber": "a",
                "skills": ["b", "y"], "certificates": [{ "value": "x", "level": 20 }] }),
        ),
        ("d", json!({ "site": "Aachen" })),
    ] {
        let body = json!({ "schemas": [USER, EMPLOYEE], "userName": name, EMPLOYEE: of });
        scim.post("/Users", &body).expect(201);
    }
    for (by, up) in [
        ("quota", "cabd"),
        ("grade", "bacd"),
        ("hiredAt", "abcd"),
        ("badgeNumber", "bcad"),
        ("skills", "cabd"),
        ("certificates.level", "bacd"),
        ("contractor", "bacd"),
    ] {
        let down: String = up.chars().rev().collect();
        for (word, expected) in [("ascending", up), ("descending", &down)] {
            let query = format!("sortBy={EMPLOYEE}:{by}&sortOrder={word}");
            assert_eq!(order(&scim, &query).concat(), *expected, "{query}");
        }
    }
}
