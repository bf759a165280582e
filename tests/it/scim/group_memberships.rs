//! Memberships as resources of their own: *draft-zollner-scim-group-membership*; WL-01.

use crate::harness::{Client, Reply, TestApp, Value, group, json, member_list, patch};

const URN: &str = "urn:ietf:params:scim:schemas:core:2.0:GroupMembership";
const PATH: &str = "/GroupMemberships";

fn membership(group: &str, member: &str) -> Value {
    json!({ "schemas": [URN], "group": { "value": group }, "member": { "value": member } })
}

fn of_group(group: &str) -> String {
    format!("{PATH}?filter=group.value eq \"{group}\"")
}

fn members(page: &Reply) -> Vec<String> {
    let resources = page.json["Resources"].as_array().cloned();
    resources
        .unwrap_or_default()
        .iter()
        .map(|one| {
            one["member"]["value"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

fn total(scim: &Client, filter: &str) -> Value {
    scim.get(&format!("{PATH}?count=0&filter={filter}"))
        .expect(200)
        .json["totalResults"]
        .clone()
}

// WL-01
#[test]
fn nobody_sees_memberships_until_the_server_is_told_to_show_them() {
    let app = TestApp::new();
    let scim = app.scim();
    scim.get(PATH).expect(404);
    for place in ["/ResourceTypes", "/Schemas"] {
        assert!(!scim.get(place).expect(200).text.contains("GroupMembership"));
    }
    let app = TestApp::with_group_memberships();
    let scim = app.scim();
    let one = scim.get("/ResourceTypes/GroupMembership");
    assert_eq!(one.expect(200).json["endpoint"], PATH);
    assert_eq!(one.json["schema"], URN);
    let schema = scim.get(&format!("/Schemas/{URN}"));
    let attributes = schema.expect(200).json["attributes"].as_array().cloned();
    for attribute in attributes.expect("attributes") {
        assert_eq!(attribute["mutability"], "immutable", "{attribute}");
        assert_eq!(attribute["required"], true);
    }
    assert_eq!(scim.get("/ResourceTypes").json["totalResults"], 3);
}

// WL-01: the same rows, the same rules
#[test]
fn a_membership_is_made_read_and_ended_by_the_rules_of_the_group() {
    let app = TestApp::with_group_memberships();
    let scim = app.scim();
    let (ann, bob) = (app.user("ann"), app.user("bob"));
    let sales = app.group("Sales", &[&bob]);
    let course = app.course("Fire safety");
    app.assign(&sales, &course);
    let before = scim.get(&format!("/Groups/{sales}")).etag();
    let made = scim.post(PATH, &membership(&sales, &ann));
    let id = made.expect(201).id();
    let place = format!("{}{PATH}/{id}", app.scim_base());
    assert_eq!(made.header("location"), place);
    assert_eq!(made.json["meta"]["location"], place);
    assert_eq!(made.json["meta"]["resourceType"], "GroupMembership");
    let base = app.scim_base();
    assert_eq!(
        made.json["member"],
        json!({ "value": ann, "$ref": format!("{base}/Users/{ann}"), "type": "User" })
    );
    assert_eq!(
        made.json["group"],
        json!({ "value": sales, "$ref": format!("{base}/Groups/{sales}") })
    );
    let read = scim.get(&format!("{PATH}/{id}"));
    assert_eq!(read.expect(200).json, made.json);
    assert_eq!(read.etag(), made.etag());
    scim.with_header("If-None-Match", &read.etag())
        .get(&format!("{PATH}/{id}"))
        .expect(304);

    // enrolled in the same moment, once; the group has changed
    assert_eq!(app.enrollments().len(), 2);
    let after = scim.get(&format!("/Groups/{sales}"));
    assert_ne!(after.etag(), before);
    let mut both = [ann.clone(), bob.clone()];
    both.sort();
    assert_eq!(after.members(), both);
    let row = app.logged("the membership", |row| {
        row["resource_type"] == "GroupMembership" && row["operation"] == "create"
    });
    assert_eq!(row["outcome"], "success");
    assert_eq!(row["resource_id"], id.as_str());

    // there is one of it
    let twice = scim.post(PATH, &membership(&sales, &ann));
    assert_eq!(twice.expect(409).json["scimType"], "uniqueness");

    // it ends, nobody is un-enrolled, and the group knows
    scim.with_header("If-Match", "W/\"9\"")
        .delete(&format!("{PATH}/{id}"))
        .expect(412);
    scim.delete(&format!("{PATH}/{id}")).expect(204);
    scim.delete(&format!("{PATH}/{id}")).expect(404);
    scim.get(&format!("{PATH}/{id}")).expect(404);
    let left = scim.get(&format!("/Groups/{sales}"));
    assert_eq!(left.members(), std::slice::from_ref(&bob));
    assert_ne!(left.etag(), after.etag());
    assert_eq!(app.enrollments().len(), 2);

    // and what the group does shows here
    let bobs = scim.get(&of_group(&sales));
    assert_eq!(members(&bobs), std::slice::from_ref(&bob));
    let leave = patch(json!([crate::harness::remove_member(&bob)]));
    scim.patch(&format!("/Groups/{sales}"), &leave).expect(204);
    assert_eq!(scim.get(&of_group(&sales)).json["totalResults"], 0);
    let again = scim.post(PATH, &membership(&sales, &ann)).expect(201).id();
    assert_ne!(again, id);
    scim.delete(&format!("/Groups/{sales}")).expect(204);
    scim.get(&format!("{PATH}/{again}")).expect(404);
    assert_eq!(scim.get(PATH).json["totalResults"], 0);
    app.check();
}

// WL-01: refusals name what to fix and change nothing
#[test]
fn what_cannot_be_a_membership_is_refused() {
    let app = TestApp::with_group_memberships();
    let scim = app.scim();
    let ann = app.user("ann");
    let (sales, staff) = (app.group("Sales", &[]), app.group("Staff", &[]));
    let stranger = "0193b1a0-0000-7000-8000-000000000000";
    for (body, word) in [
        (membership(stranger, &ann), "group.value"),
        (membership(&ann, &ann), "group.value"),
        (membership("Sales", &ann), "group.value"),
        (membership(&sales, stranger), "member.value"),
        (membership(&sales, "ann"), "member.value"),
        (membership(&sales, &staff), "member.value"),
        (
            json!({ "schemas": [URN], "group": { "value": sales } }),
            "member",
        ),
        (
            json!({ "schemas": [URN], "group": {}, "member": { "value": ann } }),
            "group",
        ),
    ] {
        let refused = scim.post(PATH, &body);
        assert_eq!(refused.expect(400).json["scimType"], "invalidValue");
        let detail = refused.json["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(word), "{detail}");
    }
    let (other, _) = app.other_tenant();
    let id = scim.post(PATH, &membership(&sales, &ann)).expect(201).id();
    let place = format!("{PATH}/{id}");
    other.get(&place).expect(404);
    other.delete(&place).expect(404);
    assert_eq!(other.get(PATH).json["totalResults"], 0);
    for (method, body) in [("PUT", "{}"), ("PATCH", "{}"), ("POST", "{}")] {
        let refused = scim.send(method, &place, Some(body.as_bytes()));
        assert_eq!(
            refused.expect(405).header("allow"),
            "DELETE, GET, HEAD, OPTIONS"
        );
        assert_eq!(refused.header("content-type"), "application/scim+json");
    }
    assert_eq!(scim.send("OPTIONS", &place, None).expect(204).text, "");
    let reader = app.client(
        "/scim/v2",
        Some(&app.token("scim", Some("scim:read"), None)),
    );
    reader.post(PATH, &membership(&staff, &ann)).expect(403);
    reader.delete(&place).expect(403);
    reader.get(&place).expect(200);
    assert_eq!(scim.get(PATH).json["totalResults"], 1);
}

// WL-01: filters on both ends, typed as any
#[test]
fn memberships_are_found_by_group_by_member_and_by_type() {
    let app = TestApp::with_group_memberships();
    let scim = app.scim();
    let ids = app.users(3);
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (a, b) = (app.group("A", &all), app.group("B", &all[..2]));
    let base = app.scim_base();
    for (filter, expected) in [
        (format!("group.value eq \"{a}\""), 3),
        (format!("group eq \"{a}\""), 3),
        (format!("member.value eq \"{}\"", ids[0]), 2),
        (format!("member.value eq \"{}\"", ids[2]), 1),
        (format!("member.value ne \"{}\"", ids[2]), 4),
        (
            format!("group.value eq \"{b}\" and member.value eq \"{}\"", ids[2]),
            0,
        ),
        (
            format!("group.value eq \"{a}\" and member.type eq \"user\""),
            3,
        ),
        (
            format!("group.value eq \"{a}\" and member.type eq \"Group\""),
            0,
        ),
        (
            format!(
                "group.value eq \"{a}\" and not (member.value eq \"{}\")",
                ids[1]
            ),
            2,
        ),
        (format!("group.$ref eq \"{base}/Groups/{b}\""), 2),
        (format!("member.$ref eq \"{base}/Users/{}\"", ids[1]), 2),
        (format!("member.$ref ew \"{}\"", ids[1]), 2),
        (format!("member.$ref co \"/Users/{}\"", &ids[1][..36]), 2),
        ("member.$ref sw \"https://elsewhere\"".to_owned(), 0),
        (format!("member.value co \"{}\"", &ids[2][20..]), 1),
        (
            format!("group.value sw \"{a}\" or member.value gt \"zz\""),
            3,
        ),
        ("member.display pr".to_owned(), -1),
        ("externalId pr".to_owned(), 0),
        ("meta.created lt \"2020-01-01T00:00:00Z\"".to_owned(), 0),
        (format!("schemas eq \"{URN}\""), 5),
        ("meta.resourceType eq \"GroupMembership\"".to_owned(), 5),
        ("group.value eq \"nobody\"".to_owned(), 0),
    ] {
        if expected < 0 {
            scim.get(&format!("{PATH}?filter={filter}")).expect(400);
        } else {
            assert_eq!(total(&scim, &filter), expected, "{filter}");
        }
    }
    assert_eq!(scim.get(PATH).json["totalResults"], 5);
    let shown = scim.get(&format!("{}&attributes=member.value", of_group(&b)));
    let one = &shown.expect(200).json["Resources"][0];
    assert_eq!(one["member"].as_object().map(serde_json::Map::len), Some(1));
    assert_eq!(one.get("group"), None);
    // every order is the one asked for
    for (sort, by) in [("group.value", "group"), ("member.value", "member")] {
        for order in ["ascending", "descending"] {
            let page = scim.get(&format!("{PATH}?sortBy={sort}&sortOrder={order}"));
            let mut keys: Vec<String> = page.expect(200).json["Resources"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|one| one[by]["value"].as_str().unwrap_or_default().to_owned())
                .collect();
            if order == "descending" {
                keys.reverse();
            }
            assert!(
                keys.len() == 5 && keys.is_sorted(),
                "{sort} {order}: {keys:?}"
            );
        }
    }
    scim.get(&format!("{PATH}?sortBy=meta.created")).expect(200);
    // among all resources, too
    assert_eq!(scim.get("/?count=0").json["totalResults"], 10);
    assert_eq!(
        scim.get("/?sortBy=meta.created&count=200").json["totalResults"],
        10
    );
}

// WL-01, K-20: by index and by cursor every member once
#[test]
fn the_members_of_a_group_come_page_by_page() {
    let app = TestApp::with_group_memberships();
    let scim = app.scim();
    app.crowd(250);
    let everybody = scim.get("/Users?count=200&attributes=id").names("id");
    let ids: Vec<&str> = everybody.iter().map(String::as_str).collect();
    let all = app.group("All", &ids);
    app.group("Some", &ids[..20]);
    let mut expected = everybody.clone();
    expected.sort();

    let mut by_index = Vec::new();
    for start in (1..=200).step_by(30) {
        let page = scim.get(&format!("{}&startIndex={start}&count=30", of_group(&all)));
        assert_eq!(page.expect(200).json["totalResults"], 200);
        by_index.extend(members(&page));
    }
    assert_eq!(by_index, expected);

    let mut by_cursor = Vec::new();
    let mut cursor = String::new();
    let mut previous = None;
    loop {
        let page = scim.get(&format!("{}&count=70&cursor={cursor}", of_group(&all)));
        assert_eq!(page.expect(200).json["totalResults"], 200);
        by_cursor.extend(members(&page));
        if by_cursor.len() == 140 {
            previous = page.json["previousCursor"].as_str().map(str::to_owned);
        }
        match page.json["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(by_cursor, expected);
    let back = format!(
        "{}&count=70&cursor={}",
        of_group(&all),
        previous.expect("a cursor")
    );
    assert_eq!(members(&scim.get(&back)), expected[..70]);

    // and without a filter, group by group
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = scim.get(&format!("{PATH}?count=90&attributes=id&cursor={cursor}"));
        seen.extend(page.expect(200).names("id"));
        match page.json["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 220);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 220);
}

// WL-01, B-16, B-20
#[test]
fn bulk_makes_groups_people_and_memberships_at_once() {
    let app = TestApp::with_group_memberships();
    let scim = app.scim();
    let bob = app.user("bob");
    let staff = app.group("Staff", &[&bob]);
    let old = scim.get(&of_group(&staff)).json["Resources"][0]["id"].clone();
    let old = old.as_str().expect("an id");
    let bulk = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        { "method": "POST", "path": PATH, "bulkId": "m", "data": membership("bulkId:g", "bulkId:u") },
        { "method": "POST", "path": PATH, "bulkId": "n", "data": membership("bulkId:g", &bob) },
        { "method": "POST", "path": PATH, "bulkId": "o", "data": membership(&staff, &bob) },
        { "method": "POST", "path": "/Users", "bulkId": "u", "data": crate::harness::user("ann") },
        { "method": "POST", "path": "/Groups", "bulkId": "g", "data": group("New", &[]) },
        { "method": "DELETE", "path": format!("{PATH}/{old}") },
        { "method": "PUT", "path": format!("{PATH}/{old}"), "data": membership(&staff, &bob) },
    ] });
    let done = scim.post("/Bulk", &bulk);
    let statuses: Vec<Value> = done.expect(200).json["Operations"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["status"].clone())
        .collect();
    assert_eq!(statuses, ["201", "201", "409", "201", "201", "204", "400"]);
    assert_eq!(
        done.json["Operations"][6]["response"]["scimType"],
        "mutability"
    );
    assert_eq!(scim.get(PATH).json["totalResults"], 2);
    let put = json!({ "schemas": [crate::harness::GROUP], "displayName": "Staff", "members": member_list(&[&bob]) });
    scim.put(&format!("/Groups/{staff}"), &put).expect(200);
    assert_eq!(scim.get(PATH).json["totalResults"], 3);
    app.check();
}
