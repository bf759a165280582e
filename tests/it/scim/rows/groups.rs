//! The Group schema. Checklist §5; RFC 7643 §4.2.

use rollcall::scim::switches::{Switches, UnknownMember};

use crate::harness::{
    GROUP, LEARNER_GROUP, TestApp, Value, add_members, group, json, member_list, patch,
};

#[test]
fn a_group_has_a_name_and_it_is_unique_ignoring_case() {
    // G-01, G-02: on POST, PUT and PATCH
    let app = TestApp::new();
    let scim = app.scim();
    for empty in [
        json!({ "schemas": [GROUP] }),
        json!({ "schemas": [GROUP], "displayName": "" }),
        json!({ "schemas": [GROUP], "displayName": null }),
    ] {
        scim.post("/Groups", &empty).scim_error("invalidValue");
    }
    app.group("Ops", &[]);
    let path = format!("/Groups/{}", app.group("Dev", &[]));
    let before = scim.get(&path).json;
    scim.post("/Groups", &group("oPS", &[]))
        .scim_error("uniqueness");
    scim.put(&path, &group("OPS", &[])).scim_error("uniqueness");
    for change in [
        json!([{ "op": "replace", "path": "displayName", "value": "ops" }]),
        json!([{ "op": "replace", "value": { "displayName": "ops" } }]),
    ] {
        scim.patch(&path, &patch(change)).scim_error("uniqueness");
    }
    let remove = json!([{ "op": "remove", "path": "displayName" }]);
    scim.patch(&path, &patch(remove)).scim_error("mutability");
    scim.put(&path, &json!({ "schemas": [GROUP] }))
        .scim_error("invalidValue");
    assert_eq!(scim.get(&path).json, before);
    assert_eq!(scim.get("/Groups").json["totalResults"], 2);
    // its own name in another case is free
    let renamed = json!([{ "op": "replace", "path": "displayName", "value": "DEV" }]);
    scim.patch(&path, &patch(renamed)).expect(204);
    assert_eq!(scim.get(&path).json["displayName"], "DEV");
    let (theirs, _) = app.other_tenant();
    theirs.post("/Groups", &group("Ops", &[])).expect(201);
}

#[test]
fn members_come_and_go_but_are_not_edited() {
    // G-03
    let app = TestApp::new();
    let (ada, bo) = (app.user("ada"), app.user("bo"));
    let path = format!("/Groups/{}", app.group("Ops", &[&ada]));
    let before = app.scim().get(&path).json;
    for (sub, value) in [
        ("value", bo.as_str()),
        ("type", "Group"),
        ("display", "x"),
        ("$ref", "x"),
    ] {
        let target = format!("members[value eq \"{ada}\"].{sub}");
        let change = json!([{ "op": "replace", "path": target, "value": value }]);
        app.scim()
            .patch(&path, &patch(change))
            .scim_error("mutability");
    }
    assert_eq!(app.scim().get(&path).json, before);
    let change = json!([add_members(&[&bo]), crate::harness::remove_member(&ada)]);
    app.scim().patch(&path, &patch(change)).expect(204);
    assert_eq!(app.scim().get(&path).members(), [bo.as_str()]);
}

#[test]
fn a_member_is_a_user_by_id_and_reference() {
    // G-04, G-06: the server fills in `type`; in any case it may be sent
    let app = TestApp::new();
    let (ada, bo) = (app.user("ada"), app.user("bo"));
    let members = json!([{ "value": ada, "type": "uSER" }, { "value": bo }]);
    let body = json!({ "schemas": [GROUP], "displayName": "Ops", "members": members });
    let made = app.scim().post("/Groups", &body);
    let shown = made.expect(201).json["members"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert_eq!(shown.len(), 2);
    for member in shown {
        let id = member["value"].as_str().unwrap_or_default();
        assert!([&ada, &bo].iter().any(|one| *one == id));
        assert_eq!(member["$ref"], format!("{}/Users/{id}", app.scim_base()));
        assert_eq!(member["type"], "User");
    }
}

#[test]
fn a_member_that_says_it_is_a_group_but_is_a_user_is_refused() {
    // G-06: a contradicting type
    let app = TestApp::new();
    let (ada, bo) = (app.user("ada"), app.user("bo"));
    let contradiction = json!([{ "value": ada, "type": "Group" }, { "value": bo }]);
    let body = json!({ "schemas": [GROUP], "displayName": "Ops", "members": contradiction });
    app.scim().post("/Groups", &body).scim_error("invalidValue");
    let path = format!("/Groups/{}", app.group("Dev", &[]));
    let change = json!([{ "op": "add", "path": "members", "value": contradiction }]);
    app.scim()
        .patch(&path, &patch(change))
        .scim_error("invalidValue");
    assert!(app.scim().get(&path).members().is_empty());
    assert_eq!(app.scim().get("/Groups").json["totalResults"], 1);
}

#[test]
fn a_group_within_a_group_is_left_out_and_logged() {
    // G-05
    let app = TestApp::new();
    let ada = app.user("ada");
    let inner = app.group("Inner", &[]);
    let nested = json!([{ "value": ada }, { "value": inner, "type": "Group" }]);
    let body = json!({ "schemas": [GROUP], "displayName": "Outer", "members": nested });
    let made = app.scim().post("/Groups", &body);
    assert_eq!(made.expect(201).members(), [ada.as_str()]);
    let logged = app.logged("partial", |row| row["outcome"] == "partial");
    assert!(
        logged["warnings"]
            .to_string()
            .contains("nested_group_ignored"),
        "{logged}"
    );
    let untyped =
        json!([{ "op": "add", "path": "members", "value": member_list(&[&ada, &inner]) }]);
    app.scim()
        .patch(&format!("/Groups/{}", made.id()), &patch(untyped))
        .expect(204);
    assert_eq!(
        app.scim().get(&format!("/Groups/{}", made.id())).members(),
        [ada.as_str()]
    );
    let strict = Switches {
        unknown_scim_member: UnknownMember::Reject,
        ..Switches::default()
    };
    let rejecting = app.scim_with("rejecting", strict);
    let mut body = body;
    body["displayName"] = json!("Another");
    let refused = rejecting.post("/Groups", &body);
    refused.scim_error("invalidValue");
    assert!(refused.text.contains(&inner), "{refused:?}");
}

#[test]
fn groups_of_a_bulk_that_contain_each_other_are_both_made_without() {
    // G-07
    let app = TestApp::new();
    let operation = |id: &str, name: &str, other: &str| {
        json!({
            "method": "POST", "path": "/Groups", "bulkId": id,
            "data": { "schemas": [GROUP], "displayName": name, "members": [{ "type": "Group", "value": format!("bulkId:{other}") }] },
        })
    };
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [operation("a", "Group A", "b"), operation("b", "Group B", "a")],
    });
    let done = app.scim().post("/Bulk", &body);
    let statuses: Vec<&Value> = done.expect(200).json["Operations"]
        .as_array()
        .expect("operations")
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(statuses, ["201", "201"], "{done:?}");
    let groups = app.scim().get("/Groups");
    assert_eq!(groups.names("displayName"), ["Group A", "Group B"]);
    for one in groups.json["Resources"].as_array().expect("groups") {
        assert!(one.get("members").is_none());
    }
}

#[test]
fn who_is_deleted_is_in_no_group_any_more() {
    // G-08: and each of those groups has changed
    let app = TestApp::new();
    let (ada, bo) = (app.user("ada"), app.user("bo"));
    let (ops, dev) = (app.group("Ops", &[&ada, &bo]), app.group("Dev", &[&ada]));
    let other = app.group("Other", &[&bo]);
    let versions = || -> Vec<String> {
        [&ops, &dev, &other]
            .map(|id| app.scim().get(&format!("/Groups/{id}")).etag())
            .to_vec()
    };
    let before = versions();
    app.clock.advance_millis(1_000);
    app.scim().delete(&format!("/Users/{ada}")).expect(204);
    let after = versions();
    assert!(before[0] != after[0] && before[1] != after[1]);
    assert_eq!(before[2], after[2]);
    let left = app.scim().get(&format!("/Groups/{ops}"));
    assert_eq!(left.members(), [bo.as_str()]);
    assert_eq!(
        left.json["meta"]["lastModified"],
        app.clock.now().to_string()
    );
    assert!(
        app.scim()
            .get(&format!("/Groups/{dev}"))
            .json
            .get("members")
            .is_none()
    );
}

#[test]
fn a_group_is_read_without_its_members() {
    // G-09, in lists and alone
    let app = TestApp::new();
    let ada = app.user("ada");
    let ops = app.group("Ops", &[&ada]);
    for path in [
        "/Groups?excludedAttributes=members".to_owned(),
        "/Groups?filter=displayName eq \"Ops\"&excludedAttributes=members".to_owned(),
        format!("/Groups/{ops}?excludedAttributes=members"),
    ] {
        let read = app.scim().get(&path);
        assert!(!read.expect(200).text.contains("members"), "{read:?}");
        assert!(read.text.contains(&ops), "{read:?}");
    }
    assert_eq!(
        app.scim().get("/Groups").json["Resources"][0]["members"][0]["value"],
        ada
    );
}

#[test]
fn joining_and_leaving_changes_the_group_and_not_the_member() {
    // G-10
    let app = TestApp::new();
    let ada = app.user("ada");
    let ops = app.group("Ops", &[]);
    let meta = |path: String| app.scim().get(&path).json["meta"].clone();
    let before = (
        meta(format!("/Users/{ada}")),
        meta(format!("/Groups/{ops}")),
    );
    app.clock.advance_millis(1_000);
    let join = patch(json!([add_members(&[&ada])]));
    app.scim()
        .patch(&format!("/Groups/{ops}"), &join)
        .expect(204);
    let joined = (
        meta(format!("/Users/{ada}")),
        meta(format!("/Groups/{ops}")),
    );
    assert_eq!(joined.0, before.0);
    assert_ne!(joined.1["version"], before.1["version"]);
    assert_ne!(joined.1["lastModified"], before.1["lastModified"]);
    let leave = patch(json!([crate::harness::remove_member(&ada)]));
    app.scim()
        .patch(&format!("/Groups/{ops}"), &leave)
        .expect(204);
    assert_eq!(meta(format!("/Users/{ada}")), before.0);
    assert_ne!(
        meta(format!("/Groups/{ops}"))["version"],
        joined.1["version"]
    );
}

#[test]
fn description_and_color_live_in_the_extension_of_groups() {
    // C-04, R-04: and survive a PUT that leaves them out
    let app = TestApp::new();
    let ours = json!({ "description": "People of the night shift", "color": "#aa3366" });
    let mut body = group("Ops", &[]);
    body[LEARNER_GROUP] = ours.clone();
    let made = app.scim().post("/Groups", &body);
    assert_eq!(
        made.expect(201).json[LEARNER_GROUP]["description"],
        ours["description"]
    );
    let put = app
        .scim()
        .put(&format!("/Groups/{}", made.id()), &group("Operations", &[]));
    assert_eq!(
        put.expect(200).json[LEARNER_GROUP],
        made.json[LEARNER_GROUP]
    );
}
