//! What Microsoft's validator and its certification tests send beyond the daily traffic (interop notes §3.3, §3.5, §3.8, §18.2).

use crate::harness::{ENT, GROUP, TestApp, USER, Value, json, patch};

fn random_user(name: &str) -> Value {
    json!({ "schemas": [USER, ENT], "userName": name, "externalId": name, "displayName": "QWRTYB", "active": true,
        "profileUrl": "BKWNYOGTLPKR", "locale": "XQKJ", "timezone": "Z_ZPQ", "preferredLanguage": "ro-MD", "nickName": "NDXJ",
        "name": { "formatted": "Leda", "familyName": "Rosalia", "givenName": "Loy", "honorificPrefix": "Ahmad" },
        "emails": [{ "type": "work", "value": "loy@heller.test", "primary": "true" }],
        "phoneNumbers": [{ "type": "work", "value": "91-787-8383", "primary": "True" }, { "type": "fax", "value": "x" }],
        "addresses": [{ "type": "work", "formatted": "UYKI", "country": "Lao People's Democratic Republic", "primary": "TRUE" }],
        "roles": [{ "primary": "True", "display": "IZZE", "value": "GVFP", "type": "KRQN" }],
        ENT: { "employeeNumber": "LHGT", "department": "ANQS", "manager": { "value": "nobody-at-all" } } })
}

#[test]
fn a_validators_user_of_random_words_is_created_compared_and_deleted_twice() {
    // random words where formats would be; text for booleans; a manager that is nobody
    let app = TestApp::with_entra();
    let scim = app.scim();
    let sent = random_user("loy");
    let made = scim.post("/Users", &sent);
    made.expect(201);
    for name in [
        "profileUrl",
        "locale",
        "timezone",
        "preferredLanguage",
        "name",
    ] {
        assert_eq!(made.json[name], sent[name], "{name}");
    }
    for list in ["emails", "phoneNumbers", "addresses", "roles"] {
        assert_eq!(made.json[list][0]["primary"], true, "{list}");
    }
    assert_eq!(
        made.json[ENT]["manager"],
        json!({ "value": "nobody-at-all" })
    );
    scim.post("/Users", &sent).scim_error("uniqueness");
    let mut other = sent.clone();
    other["userName"] = json!("LOY");
    scim.post("/Users", &other).scim_error("uniqueness");
    let path = format!("/Users/{}", made.id());
    for probe in ["userName eq \"loy\"", "userName eq \"LOY\""] {
        assert_eq!(
            scim.get(&format!("/Users?filter={probe}")).json["totalResults"],
            1
        );
    }
    assert_eq!(
        scim.get("/Users?filter=userName eq \"non-existent\"").json["totalResults"],
        0
    );
    let rename = patch(json!([{ "op": "replace", "path": "userName", "value": "5b50642d-79fc" }]));
    assert_eq!(
        scim.patch(&path, &rename).expect(200).json["userName"],
        "5b50642d-79fc"
    );
    let off = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
    assert_eq!(scim.patch(&path, &off).expect(200).json["active"], false);
    scim.delete(&path).expect(204);
    scim.delete(&path).scim_failure(404);
}

#[test]
fn paths_by_primary_meet_the_primary_value() {
    // what Entra writes when a schema suggests no types
    let app = TestApp::with_entra();
    let scim = app.scim();
    let id = scim.post("/Users", &random_user("loy")).expect(201).id();
    let path = format!("/Users/{id}");
    let changed = scim.patch(
        &path,
        &patch(json!([
            { "op": "replace", "path": "emails[primary eq true].value", "value": "new@heller.test" },
            { "op": "replace", "path": "phoneNumbers[primary eq \"True\"].value", "value": "92" },
            { "op": "Replace", "path": "roles[primary eq \"True\"].display", "value": "Tutor" },
            { "op": "replace", "path": "addresses[primary eq true].locality", "value": "Vientiane" },
        ])),
    );
    changed.expect(200);
    assert_eq!(
        changed.json["emails"],
        json!([{ "type": "work", "value": "new@heller.test", "primary": true }])
    );
    assert_eq!(changed.json["phoneNumbers"][0]["value"], "92");
    assert_eq!(
        changed.json["phoneNumbers"][1],
        json!({ "type": "fax", "value": "x" })
    );
    assert_eq!(changed.json["roles"][0]["display"], "Tutor");
    assert_eq!(changed.json["addresses"][0]["locality"], "Vientiane");
    assert_eq!(changed.json["addresses"].as_array().map(Vec::len), Some(1));
}

#[test]
fn every_attribute_is_replaced_in_one_verbose_and_one_path_less_patch() {
    let app = TestApp::with_entra();
    let scim = app.scim();
    let made = |name: &str| {
        let made = scim.post("/Users", &random_user(name));
        format!("/Users/{}", made.expect(201).id())
    };
    let (one, two) = (made("one"), made("two"));
    let wanted = [
        ("displayName", json!("A")),
        ("nickName", json!("B")),
        ("locale", json!("C")),
        ("name.familyName", json!("D")),
        ("name.honorificPrefix", json!("E")),
        ("emails[type eq \"work\"].value", json!("f@heller.test")),
        ("addresses[type eq \"work\"].formatted", json!("G")),
        ("phoneNumbers[type eq \"fax\"].value", json!("H")),
    ];
    let department = format!("{ENT}:department");
    let mut operations: Vec<Value> = wanted
        .iter()
        .map(|(path, value)| json!({ "op": "replace", "path": path, "value": value }))
        .collect();
    operations.push(json!({ "op": "replace", "path": department, "value": "I" }));
    let mut whole: serde_json::Map<String, Value> = wanted
        .iter()
        .map(|(path, value)| ((*path).to_owned(), value.clone()))
        .collect();
    whole.insert(department, json!("I"));
    let verbose = scim.patch(&one, &patch(json!(operations)));
    let compact = scim.patch(&two, &patch(json!([{ "op": "replace", "value": whole }])));
    for reply in [verbose.expect(200), compact.expect(200)] {
        assert_eq!(reply.json["displayName"], "A");
        assert_eq!(reply.json["name"]["familyName"], "D");
        assert_eq!(reply.json["name"]["givenName"], "Loy");
        assert_eq!(reply.json["emails"][0]["value"], "f@heller.test");
        assert_eq!(reply.json["addresses"][0]["formatted"], "G");
        assert_eq!(reply.json["phoneNumbers"][1]["value"], "H");
        assert_eq!(reply.json[ENT]["department"], "I");
        assert_eq!(reply.json[ENT]["employeeNumber"], "LHGT");
    }
    for name in [
        "nickName",
        "locale",
        "emails",
        "addresses",
        "phoneNumbers",
        "name",
        ENT,
    ] {
        assert_eq!(verbose.json[name], compact.json[name], "{name}");
    }
}

#[test]
fn a_group_is_matched_by_name_without_its_members() {
    let app = TestApp::with_entra();
    let scim = app.scim();
    let ada = app.user("ada");
    let id = app.group("Cohort 7", &[&ada]);
    for name in ["Cohort 7", "cOHORT 7"] {
        let found = scim.get(&format!(
            "/Groups?excludedAttributes=members&filter=displayName eq \"{name}\""
        ));
        assert_eq!(found.expect(200).names("id"), [id.as_str()]);
        assert!(!found.text.contains("members"), "{found:?}");
    }
    let taken = json!({ "schemas": [GROUP], "displayName": "COHORT 7" });
    scim.post("/Groups", &taken).scim_error("uniqueness");
    assert_eq!(
        scim.get(&format!("/Groups/{id}")).members(),
        [ada],
        "and they are all still there"
    );
}

#[test]
fn account_discovery_pages_through_everybody_the_inactive_too() {
    // certification: at least 11 users, `count=5`, `startIndex` echoed as 6, 11
    let app = TestApp::with_entra();
    let scim = app.scim();
    let users = app.users(11);
    let off = patch(json!([{ "op": "Replace", "path": "active", "value": "False" }]));
    for id in &users[3..7] {
        scim.patch(&format!("/Users/{id}"), &off).expect(200);
    }
    let mut seen = Vec::new();
    for (start, shown) in [(1, 5), (6, 5), (11, 1)] {
        let page = scim.get(&format!("/Users?startIndex={start}&count=5"));
        let page_json = &page.expect(200).json;
        assert_eq!(
            (
                &page_json["startIndex"],
                &page_json["itemsPerPage"],
                &page_json["totalResults"]
            ),
            (&json!(start), &json!(shown), &json!(11))
        );
        seen.extend(page.names("id"));
    }
    let mut everybody = users;
    everybody.sort();
    seen.sort();
    assert_eq!(seen, everybody);
}

#[test]
fn an_unquoted_probe_is_refused_as_a_bad_filter_and_in_the_log() {
    // §20: old Entra; 400 and not an empty answer, which would read as "not there"
    let app = TestApp::with_entra();
    let probe = "/Users?attributes=id&filter=id eq 77ab and manager eq 3f6c";
    let refused = app.scim().get(probe);
    refused.scim_error("invalidFilter");
    let row = app.logged("the probe", |row| row["outcome"] == "rejected");
    assert_eq!(row["scim_type"], "invalidFilter", "{row}");
}
