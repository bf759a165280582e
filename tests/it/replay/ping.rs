//! Ping. Interop notes §6: users by PUT only; groups are found by reading all of them.

use crate::harness::{GROUP, TestApp, USER, Value, group, json};

#[test]
fn users_are_kept_by_put_and_switched_off_by_put() {
    let app = TestApp::new();
    let scim = app.scim();
    let person = |title: &str, active: bool| json!({ "schemas": [USER], "userName": "olu@acme.test", "externalId": "P-7", "title": title, "active": active, "name": { "givenName": "Olu" }, "emails": [{ "value": "olu@acme.test", "type": "work" }] });
    let id = scim.post("/Users", &person("Clerk", true)).expect(201).id();
    let path = format!("/Users/{id}");
    let group = app.group("Clerks", &[&id]);
    assert_eq!(
        scim.get("/Users?filter=userName eq \"olu@acme.test\"")
            .expect(200)
            .names("id"),
        [id.as_str()]
    );
    assert_eq!(
        scim.get("/Users?filter=externalId eq \"P-7\" and active eq true")
            .expect(200)
            .names("id"),
        [id.as_str()]
    );
    assert_eq!(
        scim.put(&path, &person("Chief", true)).expect(200).json["title"],
        "Chief"
    );
    let off = scim.put(&path, &person("Chief", false));
    assert_eq!(off.expect(200).json["active"], false);
    assert_eq!(
        scim.get("/Users?filter=userName eq \"olu@acme.test\"")
            .expect(200)
            .json["Resources"][0]["active"],
        false
    );
    assert_eq!(
        scim.get(&format!("/Groups/{group}")).members(),
        [id.as_str()]
    );
    assert_eq!(
        scim.put(&path, &person("Chief", true)).expect(200).json["active"],
        true
    );
    scim.delete(&path).expect(204);
}

#[test]
fn all_groups_are_read_without_a_filter_and_each_is_there_once() {
    let app = TestApp::new();
    let scim = app.scim();
    let mut names: Vec<String> = (0..257)
        .map(|number| format!("Group {number:03}"))
        .collect();
    for name in &names {
        scim.post("/Groups", &group(name, &[])).expect(201);
    }
    let (mut seen, mut start) = (Vec::new(), 1);
    loop {
        let page = scim.get(&format!("/Groups?startIndex={start}"));
        let shown = page.expect(200).names("displayName");
        assert_eq!(page.json["totalResults"], 257);
        start += shown.len();
        seen.extend(shown.clone());
        if shown.is_empty() || seen.len() >= 257 {
            break;
        }
        assert_eq!(shown.len(), 100, "full pages but for the last");
    }
    seen.sort();
    names.sort();
    assert_eq!(seen, names);
}

#[test]
fn a_group_is_kept_by_put_with_its_members() {
    let app = TestApp::new();
    let scim = app.scim();
    let people = app.users(3);
    let members =
        |ids: &[&String]| -> Value { ids.iter().map(|id| json!({ "value": id })).collect() };
    let put = |name: &str, ids: &[&String]| json!({ "schemas": [GROUP], "displayName": name, "members": members(ids) });
    let path = format!("/Groups/{}", app.group("Clerks", &[&people[0]]));
    let mut wanted = [people[1].clone(), people[2].clone()];
    wanted.sort();
    assert_eq!(
        scim.put(&path, &put("Clerks", &[&people[1], &people[2]]))
            .expect(200)
            .members(),
        wanted
    );
    assert_eq!(
        scim.put(&path, &put("Office", &[&people[1], &people[2]]))
            .expect(200)
            .members(),
        wanted
    );
    assert!(
        scim.put(&path, &put("Office", &[]))
            .expect(200)
            .members()
            .is_empty()
    );
}
