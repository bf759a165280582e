//! Filters: parsing rules, operators by type, bounds. Checklist §14. The vectors are `filter_vectors`.

use rollcall::scim::switches::Switches;

use super::acme::{ACME, acme, app, percent, search};
use crate::harness::{ENT, TestApp, USER, json, patch, user};

const NOBODY: [&str; 0] = [];

// F-01, F-16, F-17, F-18: letter case, unqualified names, URNs, an extension's name without its URN
#[test]
fn names_ignore_case_and_an_extension_may_be_named_with_and_without_its_urn() {
    let world = acme();
    let users = |filter: &str| world.found("/Users", filter);
    assert_eq!(users("USERNAME Eq \"DAVE\""), ["u4"]);
    assert_eq!(
        users("title pr AND NOT (USERTYPE eq \"intern\")"),
        ["u1", "u3"]
    );
    assert_eq!(
        users(&format!("{}:USERNAME eq \"dave\"", USER.to_uppercase())),
        ["u4"]
    );
    assert_eq!(
        users(&format!("{ENT}:department eq \"platform ops\"")),
        ["u4"]
    );
    assert_eq!(users("department eq \"platform ops\""), ["u4"]);
    assert_eq!(users(&format!("{ACME}:badge pr")), ["u1", "u3"]);
    let u3 = world.real("\"u3\"");
    assert_eq!(users(&format!("{ENT}:manager.value eq {u3}")), ["u1"]);
}

// F-02, F-05, F-08, F-09, F-11, F-12, F-13, F-14, F-19, F-20
#[test]
fn what_the_grammar_does_not_have_is_refused_with_the_place_of_the_mistake() {
    let app = app();
    let scim = app.scim();
    let inside = format!("emails[{ENT}:type pr]");
    let mut wrong = Vec::new();
    for (filter, column) in [
        ("", 1),
        ("   ", 1),
        ("not title pr", 1),
        ("emails [type eq \"x\"]", 8),
        ("emails[type eq \"work\"] .value eq \"x\"", 24),
        ("emails[emails[type pr]]", 14),
        (inside.as_str(), 8),
        ("name[givenName pr]", 1),
        ("emails.type[value pr]", 12),
        ("userName eq 'ada'", 13),
        ("userName eq ada", 13),
        ("badge eq 01", 10),
        ("badge eq +1", 10),
        ("badge eq .5", 10),
        ("badge eq NaN", 10),
        ("badge eq 1e400", 10),
        ("userName like \"a\"", 10),
        ("title\tpr", 1),
        ("title pr\nand title pr", 7),
    ] {
        for reply in [
            scim.get(&format!("/Users?filter={}", percent(filter))),
            search(&scim, "/Users", filter),
        ] {
            reply.scim_error("invalidFilter");
            let detail = reply.json["detail"].as_str().unwrap_or_default().to_owned();
            if !detail.contains(&format!("column {column}:")) {
                wrong.push(format!("{filter:?}: {detail}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

// F-03, F-04: precedence, long chains
#[test]
fn and_binds_tighter_than_or_and_a_chain_may_be_long() {
    let world = acme();
    let users = |filter: &str| world.found("/Users", filter);
    let loose = "userName eq \"dave\" or title pr and active eq false";
    assert_eq!(users(loose), ["u2", "u4"]);
    assert_eq!(
        users("userName eq \"dave\" or (title pr and active eq false)"),
        ["u2", "u4"]
    );
    assert_eq!(
        users("(userName eq \"dave\" or title pr) and active eq false"),
        ["u2"]
    );
    assert_eq!(users("not (title pr) or active eq false"), ["u2", "u4"]);
    let chain: Vec<String> = (0..499).map(|n| format!("userName eq \"x{n}\"")).collect();
    let reply = search(
        &world.app.scim(),
        "/Users",
        &format!("{} or userName eq \"dave\"", chain.join(" or ")),
    );
    assert_eq!(reply.expect(200).names("userName"), ["dave"]);
}

// F-06, F-07, F-10, F-15: spaces where people put them, brackets with logic inside
#[test]
fn spaces_are_free_where_they_cannot_change_the_meaning() {
    let world = acme();
    let users = |filter: &str| world.found("/Users", filter);
    assert_eq!(users("not(title pr)"), ["u4"]);
    assert_eq!(users("not (title pr)"), ["u4"]);
    assert_eq!(
        users("  ( title   pr )  and  userType  eq  \"intern\"  "),
        ["u2"]
    );
    assert_eq!(users("userName eq\"dave\""), ["u4"]);
    assert_eq!(
        users("emails[ (type eq \"home\" or type eq \"other\") and value pr ]"),
        ["u1", "u3"]
    );
    let g1 = world.real("\"u3\"");
    assert_eq!(
        world.found("/Groups", &format!("members[value eq{g1}]")),
        ["g1"]
    );
}

// F-30, F-50: letter case by attribute, Unicode folding, width
#[test]
fn text_is_compared_as_its_attribute_says() {
    let world = acme();
    let users = |filter: &str| world.found("/Users", filter);
    let u1 = world.real("\"u1\"");
    assert_eq!(users(&format!("id eq {u1}")), ["u1"]);
    assert_eq!(users(&format!("id eq {}", u1.to_uppercase())), NOBODY);
    assert_eq!(users("externalId eq \"hr-001\""), ["u2"]);
    assert_eq!(users("externalId eq \"HR-001\""), ["u1"]);
    assert_eq!(users("userName eq \"DAVE\""), ["u4"]);
    assert_eq!(users("userName eq \"ＤＡＶＥ\""), ["u4"]);
    assert_eq!(users("displayName sw \"STRASSE\""), ["u4"]);
    assert_eq!(users("displayName sw \"straße\""), ["u4"]);
    assert_eq!(users(&format!("{ACME}:tags eq \"blue\"")), ["u3"]);
    assert_eq!(users(&format!("{ACME}:tags eq \"Blue\"")), ["u1"]);
}

// F-31, F-32, F-35, F-36, F-48, F-49
#[test]
fn booleans_and_numbers_are_compared_by_value() {
    let world = acme();
    let users = |filter: &str| world.found("/Users", filter);
    assert_eq!(users("active eq true"), ["u1", "u3"]);
    assert_eq!(users("active eq \"True\""), ["u1", "u3"]);
    assert_eq!(users("emails[primary eq \"True\"]"), ["u1", "u3"]);
    assert_eq!(users("emails[primary eq false]"), ["u1", "u2", "u3"]);
    assert_eq!(users("emails[primary ne true]"), ["u1", "u2", "u3"]);
    assert_eq!(users(&format!("{ACME}:vip eq false")), NOBODY);
    assert_eq!(users(&format!("{ACME}:score eq 1.50")), ["u1"]);
    assert_eq!(users(&format!("{ACME}:score eq 2")), ["u3"]);
    assert_eq!(users(&format!("{ACME}:badge eq 7.0")), ["u1"]);
    assert_eq!(users(&format!("{ACME}:badge eq \"12\"")), ["u3"]);
    assert_eq!(users(&format!("{ACME}:badge gt 8")), ["u3"]);
    let scim = world.app.scim();
    let blob = format!("{ACME}:blob ge \"QUJD\"");
    for filter in [
        "active gt false",
        "emails[primary le true]",
        &blob,
        "userName eq 5",
        "userName eq true",
        "active eq 1",
    ] {
        search(&scim, "/Users", filter).scim_error("invalidFilter");
    }
    let eve = scim.post("/Users", &user("eve")).expect(201).clone();
    assert_eq!(eve.json["active"], true);
    let active = scim.get("/Users?filter=active eq true and userName eq \"eve\"");
    assert_eq!(active.expect(200).names("userName"), ["eve"]);
}

// F-33, F-34, F-51: instants across zones, common attributes
#[test]
fn instants_are_compared_as_instants() {
    let world = acme();
    let users = |filter: &str| world.found("/Users", filter);
    assert_eq!(
        users("meta.created gt \"2026-02-01T01:00:00+01:00\""),
        ["u4"]
    );
    assert_eq!(
        users("meta.created ge \"2026-02-01T01:00:00+01:00\""),
        ["u2", "u4"]
    );
    assert_eq!(
        users("meta.created eq \"2026-01-10T10:00:00+01:00\""),
        ["u1"]
    );
    assert_eq!(
        users("meta.lastModified gt \"2026-03-31T23:59:59.999Z\""),
        ["u3", "u4"]
    );
    assert_eq!(
        users(&format!("{ACME}:hired lt \"2020-04-30T22:00:00.001Z\"")),
        ["u1"]
    );
    assert_eq!(
        users("externalId pr and meta.resourceType eq \"User\""),
        ["u1", "u2"]
    );
    for filter in [
        "meta.created gt \"yesterday\"",
        "meta.created eq \"2026-01-01\"",
        "meta.created le \"2026-13-01T00:00:00Z\"",
    ] {
        search(&world.app.scim(), "/Users", filter).scim_error("invalidFilter");
    }
}

// F-37, F-38, F-41: absence
#[test]
fn an_absent_value_is_null_and_differs_from_everything() {
    let world = acme();
    let users = |filter: &str| world.found("/Users", filter);
    assert_eq!(users(&format!("{ENT}:manager eq null")), ["u2", "u3", "u4"]);
    assert_eq!(users(&format!("{ENT}:manager ne null")), ["u1"]);
    assert_eq!(users("name pr"), ["u1", "u2", "u3"]);
    assert_eq!(
        users("emails.type ne \"work\""),
        users("not (emails.type eq \"work\")")
    );
    assert_eq!(users("emails.type ne \"home\""), ["u2", "u3", "u4"]);
    assert_eq!(users("title ne \"Engineer\""), ["u2", "u3", "u4"]);
    search(&world.app.scim(), "/Users", "title gt null").scim_error("invalidFilter");
}

// F-39, SE-04: wildcards of SQL are letters
#[test]
fn a_part_of_a_text_is_only_that_text() {
    let world = acme();
    let scim = world.app.scim();
    for (name, title) in [
        ("p1", "1000"),
        ("p2", "50% off"),
        ("p3", "a_b"),
        ("p4", "axb"),
        ("p5", "back\\slash"),
        ("p6", "it's"),
    ] {
        let mut body = user(name);
        body["title"] = json!(title);
        scim.post("/Users", &body).expect(201);
    }
    let found = |filter: &str| {
        let mut names = search(&scim, "/Users", filter)
            .expect(200)
            .names("userName");
        names.sort();
        names
    };
    assert_eq!(found("title co \"0%\""), ["Bo.Li", "p2"]);
    assert_eq!(found("title co \"100%\""), ["Bo.Li"]);
    assert_eq!(found("title co \"_\""), ["p3"]);
    assert_eq!(found("title sw \"a_\""), ["p3"]);
    assert_eq!(found("title co \"\\\\\""), ["p5"]);
    assert_eq!(found("title ew \"'s\""), ["p6"]);
    assert_eq!(found("title sw \"axb\""), ["p4"]);
    assert_eq!(found("title ew \"axb\""), ["p4"]);
    assert_eq!(
        found("title co \"\" and userName sw \"p\""),
        ["p1", "p2", "p3", "p4", "p5", "p6"]
    );
    assert_eq!(found("title eq \"' OR '1'='1\""), NOBODY);
    assert_eq!(found("title co \"'%_\\\\\""), NOBODY);
}

// F-40, F-42, F-43, F-44, F-45
#[test]
fn several_values_are_tested_one_by_one() {
    let world = acme();
    let users = |filter: &str| world.found("/Users", filter);
    assert_eq!(users("emails.type eq \"home\""), ["u1"]);
    assert_eq!(
        users("emails.type eq \"work\" and emails.value co \"acme\""),
        ["u1", "u2", "u3"]
    );
    assert_eq!(
        users("emails[type eq \"work\" and value co \"acme\"]"),
        ["u1", "u2"]
    );
    assert_eq!(users("emails[not (type eq \"work\")]"), ["u1", "u3"]);
    assert_eq!(users("not (emails[type eq \"work\"])"), ["u4"]);
    assert_eq!(users("emails co \"corp\""), ["u3"]);
    let (u3, g1) = (world.real("\"u3\""), world.real("\"g1\""));
    assert_eq!(world.found("/Groups", &format!("members eq {u3}")), ["g1"]);
    assert_eq!(users(&format!("groups eq {g1}")), ["u3"]);
    for filter in ["name eq \"Ada\"", "addresses co \"x\"", "name gt \"A\""] {
        search(&world.app.scim(), "/Users", filter).scim_error("invalidFilter");
    }
}

// F-46, F-31: tolerances, and the same without them
#[test]
fn what_entra_sends_is_understood_unless_the_connection_is_strict() {
    let world = acme();
    let users = |filter: &str| world.found("/Users", filter);
    let matching = "emails[type eq \"work\"].value eq \"bo@acme.test\"";
    assert_eq!(users(matching), ["u2"]);
    assert_eq!(
        users("emails[type eq \"other\"].value eq \"bo@acme.test\""),
        NOBODY
    );
    let strict = world.app.scim_with("strict", Switches::strict());
    search(&strict, "/Users", matching).scim_error("invalidFilter");
    search(&strict, "/Users", "active eq \"True\"").scim_error("invalidFilter");
    search(&strict, "/Users", "active eq true").expect(200);
}

// F-47, F-52
#[test]
fn schemas_groups_and_members_can_be_filtered() {
    let world = acme();
    let users = |filter: &str| world.found("/Users", filter);
    assert_eq!(
        users(&format!("schemas eq \"{}\"", ENT.to_uppercase())),
        ["u1", "u4"]
    );
    assert_eq!(users(&format!("schemas eq \"{ACME}\"")), ["u1", "u3"]);
    let (u3, u1, g1) = (
        world.real("\"u3\""),
        world.real("\"u1\""),
        world.real("\"g1\""),
    );
    assert_eq!(
        world.found("/Groups", &format!("members.value eq {u3}")),
        ["g1"]
    );
    assert_eq!(
        world.found("/Groups", &format!("members.value eq {u1}")),
        NOBODY
    );
    assert_eq!(users(&format!("groups.value eq {g1}")), ["u3"]);
    assert_eq!(users("groups pr"), ["u3"]);
    assert_eq!(users("groups.display eq \"ops\""), ["u3"]);
}

// F-53: what is filtered by is not shown for that
#[test]
fn filtering_by_an_attribute_does_not_show_it() {
    let world = acme();
    let page = world
        .app
        .scim()
        .get("/Users?filter=title eq \"Engineer\"&attributes=userName");
    assert_eq!(
        page.expect(200).json["Resources"][0]["userName"],
        "ada@acme.test"
    );
    assert!(page.json["Resources"][0].get("title").is_none());
    assert!(!page.text.contains("Engineer"));
}

// F-60, SE-09: bounds in the URL and in a body
#[test]
fn the_bounds_of_a_filter_are_named() {
    let app = TestApp::new();
    let scim = app.scim();
    let nested = |depth: usize| format!("{}title pr{}", "(".repeat(depth), ")".repeat(depth));
    let terms = |count: usize| vec!["title pr"; count].join(" or ");
    let long = |length: usize| format!("title eq \"{}\"", "x".repeat(length - 11));
    search(&scim, "/Users", &nested(31)).expect(200);
    search(&scim, "/Users", &terms(500)).expect(200);
    search(&scim, "/Users", &long(4_000)).expect(200);
    for (filter, limit) in [
        (nested(33), "32"),
        (nested(10_000), "32"),
        (terms(501), "500"),
        (long(64 * 1024 + 1), "64 KiB"),
    ] {
        let reply = search(&scim, "/Users", &filter);
        reply.scim_error("invalidFilter");
        assert!(
            reply.json["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains(limit)),
            "{limit}: {}",
            reply.text
        );
    }
    let fits = format!("title eq \"{}\"", "x".repeat(4_000));
    scim.get(&format!("/Users?filter={fits}")).expect(200);
    let reply = scim.get(&format!(
        "/Users?filter=title eq \"{}\"",
        "x".repeat(8 * 1024)
    ));
    reply.scim_error("invalidFilter");
    assert!(reply.text.contains("8192"), "{}", reply.text);
    let reply = scim.get(&format!("/Users?filter={}", "x".repeat(17 * 1024)));
    reply.scim_failure(414);
    assert!(reply.text.contains("16384"), "{}", reply.text);
}

// F-54: a filter is no oracle for what is never shown
#[test]
fn what_is_never_returned_cannot_be_filtered() {
    let app = app();
    let scim = app.scim();
    let pin = format!("{}:pin", super::acme::SHOWN);
    scim.post("/Users", &json!({ "schemas": [USER, super::acme::SHOWN], "userName": "eve", super::acme::SHOWN: { "pin": "1234" } })).expect(201);
    for filter in [
        format!("{pin} eq \"1234\""),
        format!("{pin} pr"),
        "password pr".to_owned(),
        format!("{}:locker.code pr", super::acme::SHOWN),
        format!("{}:devices[secret eq \"x\"]", super::acme::SHOWN),
    ] {
        search(&scim, "/Users", &filter).scim_error("invalidFilter");
        scim.get(&format!("/?filter={}", percent(&filter)))
            .scim_error("invalidFilter");
    }
    scim.get("/Users?sortBy=pin").scim_error("invalidValue");
    let remove = patch(json!([{ "op": "remove", "path": "emails[type eq \"work\"]" }]));
    let eve = scim.get("/Users").names("id")[0].clone();
    scim.patch(&format!("/Users/{eve}"), &remove).expect(200);
}
