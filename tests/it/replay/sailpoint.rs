//! SailPoint. Interop notes §8: five discovery documents, each at the address it names; aggregation by page; PATCH in parts.

use crate::harness::{ENT, GROUP, TestApp, USER, json, patch};

#[test]
fn every_discovery_document_is_there_and_says_where_it_stands() {
    let app = TestApp::new();
    let scim = app.scim();
    let documents = [
        "/ServiceProviderConfig".to_owned(),
        "/ResourceTypes/User".to_owned(),
        "/ResourceTypes/Group".to_owned(),
        format!("/Schemas/{USER}"),
        format!("/Schemas/{GROUP}"),
        format!("/Schemas/{ENT}"),
    ];
    for path in &documents {
        let reply = scim.get(path);
        let location = reply.expect(200).json["meta"]["location"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(
            location.ends_with(&format!("/scim/v2{path}")),
            "{path}: {location}"
        );
        assert!(location.starts_with("http"), "{location}");
    }
    for list in ["/ResourceTypes", "/Schemas"] {
        let page = scim.get(list);
        assert_eq!(
            page.expect(200).json["totalResults"],
            json!(page.json["Resources"].as_array().map(Vec::len))
        );
        for one in page.json["Resources"].as_array().into_iter().flatten() {
            let location = one["meta"]["location"].as_str().unwrap_or_default();
            let path = location.split_once("/scim/v2").map_or("", |(_, path)| path);
            assert_eq!(&scim.get(path).expect(200).json, one);
        }
    }
    assert_eq!(scim.get("/ResourceTypes/User").json["schema"], USER);
}

#[test]
fn accounts_are_aggregated_by_page_with_their_groups() {
    let app = TestApp::new();
    let scim = app.scim();
    let people = app.users(7);
    let group = app.group("Auditors", &[&people[0], &people[3]]);
    let mut seen = Vec::new();
    for start in [1, 4, 7, 10] {
        let page = scim.get(&format!("/Users?startIndex={start}&count=3&sortBy=id"));
        assert_eq!(page.expect(200).json["totalResults"], 7);
        for one in page.json["Resources"].as_array().into_iter().flatten() {
            let id = one["id"].as_str().unwrap_or_default().to_owned();
            let grouped = [&people[0], &people[3]].contains(&&id);
            assert_eq!(one.get("groups").is_some(), grouped, "{one}");
            if grouped {
                assert_eq!(one["groups"][0]["value"], json!(group));
            }
            seen.push(id);
        }
    }
    seen.sort();
    let mut all = people.clone();
    all.sort();
    assert_eq!(seen, all);
}

#[test]
fn a_name_sent_in_parts_is_put_together() {
    let app = TestApp::new();
    let scim = app.scim();
    let path = format!("/Users/{}", app.user("ivo"));
    let parts = json!([{ "op": "replace", "value": { "name": { "familyName": "Horvat" } } }, { "op": "replace", "value": { "name": { "givenName": "Ivo" } } }]);
    assert_eq!(
        scim.patch(&path, &patch(parts)).expect(200).json["name"],
        json!({ "familyName": "Horvat", "givenName": "Ivo" })
    );
    let later = json!([{ "op": "replace", "value": { "name": { "givenName": "Ivan" } } }]);
    assert_eq!(
        scim.patch(&path, &patch(later)).expect(200).json["name"],
        json!({ "familyName": "Horvat", "givenName": "Ivan" })
    );
}
