//! Filters on the parts of `members` and `groups`, decided where the rows are. FI-*, F-40..F-44, Q-05.

use std::collections::HashMap;

use crate::harness::{TestApp, json, patch};

// F-40, F-41, F-43, F-62: every part, every operator, beside what only the document tells
#[test]
fn groups_are_found_by_every_part_of_their_members() {
    let app = TestApp::new();
    let scim = app.scim();
    let (ann, bob) = (app.user("Ann@Acme.test"), app.user("bob@acme.test"));
    app.group("Both", &[&ann, &bob]);
    app.group("Only Ann", &[&ann]);
    app.group("Nobody", &[]);
    let base = app.scim_base();
    for (filter, expected) in [
        (format!("members.value eq \"{ann}\""), "Both|Only Ann"),
        (format!("members.value ne \"{bob}\""), "Nobody|Only Ann"),
        (format!("members.value sw \"{}\"", &bob[..35]), "?"),
        (format!("members.value co \"{}\"", &bob[24..]), "Both"),
        (format!("members.value ew \"{}\"", &bob[24..]), "Both"),
        (format!("members.value ge \"{bob}\""), "Both"),
        (format!("members.value lt \"{bob}\""), "Both|Only Ann"),
        ("members.value pr".to_owned(), "Both|Only Ann"),
        (
            "members.display eq \"ann@ACME.test\"".to_owned(),
            "Both|Only Ann",
        ),
        (
            "members.display ne \"bob@acme.test\"".to_owned(),
            "Nobody|Only Ann",
        ),
        ("members.display co \"@acme\"".to_owned(), "Both|Only Ann"),
        ("members.display sw \"BOB\"".to_owned(), "Both"),
        ("members.display ew \"b@acme.test\"".to_owned(), "Both"),
        ("members.display gt \"b\"".to_owned(), "Both"),
        ("members.display eq \"carl\"".to_owned(), ""),
        ("members.display pr".to_owned(), "Both|Only Ann"),
        ("members.type eq \"user\"".to_owned(), "Both|Only Ann"),
        ("members.type ne \"User\"".to_owned(), "Nobody"),
        ("members.type eq \"Group\"".to_owned(), ""),
        (format!("members.$ref eq \"{base}/Users/{bob}\""), "Both"),
        (
            format!("members.$ref ne \"{base}/Users/{bob}\""),
            "Nobody|Only Ann",
        ),
        (
            format!("members.$ref ne \"{base}/Groups/{bob}\""),
            "Both|Nobody|Only Ann",
        ),
        (format!("members.$ref ew \"sers/{bob}\""), "Both"),
        (format!("members.$ref ew \"roups/{bob}\""), ""),
        (format!("members.$ref sw \"{base}/Users/{bob}\""), "Both"),
        (format!("members.$ref sw \"{base}/U\""), "Both|Only Ann"),
        ("members.$ref sw \"ftp\"".to_owned(), ""),
        (format!("members.$ref co \"s/{}\"", &bob[..35]), "?"),
        (
            "members.$ref co \"scim/v2/Users\"".to_owned(),
            "Both|Only Ann",
        ),
        ("members.$ref gt \"a\"".to_owned(), "Both|Only Ann"),
        ("members.$ref lt \"a\"".to_owned(), ""),
        (
            format!("members.$ref le \"{base}/Users/{ann}\""),
            "Both|Only Ann",
        ),
        ("members.$ref pr".to_owned(), "Both|Only Ann"),
        (
            format!("members[display sw \"ann\" and value eq \"{ann}\"]"),
            "Both|Only Ann",
        ),
        (
            format!("members[display sw \"ann\" and value eq \"{bob}\"]"),
            "",
        ),
        (
            format!("members[type eq \"User\" and $ref eq \"{base}/Users/{bob}\"]"),
            "Both",
        ),
        (
            "members[not (display eq \"ann@acme.test\")]".to_owned(),
            "Both",
        ),
        (
            "displayName co \"o\" and members.display sw \"ann\"".to_owned(),
            "Both|Only Ann",
        ),
        // the version is told by the row, not by a column
        (
            "meta.location co \"Groups\" and members.display eq \"bob@acme.test\" or displayName eq \"Nobody\"".to_owned(),
            "Both|Nobody",
        ),
        (
            format!("meta.location co \"Groups\" and members.value ne \"{bob}\""),
            "Nobody|Only Ann",
        ),
    ] {
        let page = scim.get(&format!(
            "/Groups?sortBy=displayName&attributes=displayName&filter={filter}"
        ));
        let found = page.expect(200).names("displayName").join("|");
        if expected == "?" {
            // ids made in the same millisecond begin alike
            assert!(found.contains("Both"), "{filter}: {found}");
        } else {
            assert_eq!(found, expected, "{filter}");
        }
    }
}

// F-40, FV-54
#[test]
fn people_are_found_by_every_part_of_their_groups() {
    let app = TestApp::new();
    let scim = app.scim();
    let (ann, bob) = (app.user("ann"), app.user("bob"));
    let sales = app.group("Sales", &[&ann, &bob]);
    app.group("Staff", &[&ann]);
    for (filter, expected) in [
        (format!("groups.value eq \"{sales}\""), "ann|bob"),
        ("groups.display eq \"STAFF\"".to_owned(), "ann"),
        ("groups.display sw \"sa\"".to_owned(), "ann|bob"),
        ("groups.display ne \"Staff\"".to_owned(), "bob"),
        ("groups.display co \"al\"".to_owned(), "ann|bob"),
        ("groups.type eq \"direct\"".to_owned(), "ann|bob"),
        ("groups.type eq \"indirect\"".to_owned(), ""),
        ("groups.$ref pr".to_owned(), ""),
        (
            format!("groups[display eq \"Staff\" and value eq \"{sales}\"]"),
            "",
        ),
        ("title pr or groups.display eq \"staff\"".to_owned(), "ann"),
    ] {
        let page = scim.get(&format!("/Users?sortBy=userName&filter={filter}"));
        assert_eq!(
            page.expect(200).names("userName").join("|"),
            expected,
            "{filter}"
        );
    }
}

// T-*, G-09: a removal by a part of a member finds them where the rows are
#[test]
fn members_are_removed_by_what_a_filter_says_of_them() {
    let app = TestApp::new();
    let scim = app.scim();
    let ids: HashMap<&str, String> = ["ann", "bob", "cid", "dan"]
        .into_iter()
        .map(|name| (name, app.user(name)))
        .collect();
    let all: Vec<&str> = ids.values().map(String::as_str).collect();
    let id = app.group("All", &all);
    let path = format!("/Groups/{id}");
    let base = app.scim_base();
    let shown = |names: &[&str]| {
        let mut shown: Vec<String> = names.iter().map(|name| ids[name].clone()).collect();
        shown.sort();
        shown
    };
    for (filter, left) in [
        ("display eq \"ANN\"".to_owned(), &["bob", "cid", "dan"][..]),
        (
            format!("$ref eq \"{base}/Users/{}\"", ids["bob"]),
            &["cid", "dan"],
        ),
        (
            format!("type eq \"User\" and not (value eq \"{}\")", ids["dan"]),
            &["dan"],
        ),
    ] {
        let operation = json!({ "op": "remove", "path": format!("members[{filter}]") });
        scim.patch(&path, &patch(json!([operation]))).expect(204);
        assert_eq!(scim.get(&path).members(), shown(left), "{filter}");
    }
    // those who come in the same request count, too
    let add = json!({ "op": "add", "path": "members", "value": [{ "value": ids["ann"] }, { "value": ids["bob"] }] });
    let remove = json!({ "op": "remove", "path": "members[display sw \"b\" or display sw \"d\"]" });
    scim.patch(&path, &patch(json!([add, remove]))).expect(204);
    assert_eq!(scim.get(&path).members(), shown(&["ann"]));
    app.check();
}
