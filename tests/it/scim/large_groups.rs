//! Groups with more members than one piece of text holds. RFC 7644 §3.4.1, §3.9; row G-09.

use crate::harness::{TestApp, Value, group, json, patch};

/// A group of 2,501 members: three pieces.
fn large() -> (TestApp, String, Vec<String>) {
    let app = TestApp::new();
    let scim = app.scim();
    let mut ids = Vec::new();
    let numbers: Vec<usize> = (0..2_501).collect();
    for chunk in numbers.chunks(500) {
        let operations: Vec<Value> = chunk
            .iter()
            .map(|number| {
                json!({ "method": "POST", "path": "/Users", "bulkId": number.to_string(),
                    "data": crate::harness::user(&format!("m{number}")) })
            })
            .collect();
        let bulk = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations });
        let done = scim.post("/Bulk", &bulk);
        for one in done.expect(200).json["Operations"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let location = one["location"].as_str().expect("a location");
            ids.push(location.rsplit('/').next().unwrap_or_default().to_owned());
        }
    }
    let members: Vec<&str> = ids.iter().map(String::as_str).collect();
    let id = scim
        .post("/Groups", &group("All", &members))
        .expect(201)
        .id();
    ids.sort();
    (app, id, ids)
}

// G-09, A-19
#[test]
fn a_large_group_comes_in_chunks_and_whole() {
    let (app, id, mut ids) = large();
    let scim = app.scim();
    let path = format!("/Groups/{id}");
    let whole = scim.get(&path);
    assert_eq!(whole.expect(200).header("transfer-encoding"), "chunked");
    assert_eq!(whole.header("content-type"), "application/scim+json");
    assert_eq!(whole.members(), ids);
    let first = &whole.json["members"][0];
    assert_eq!(first["type"], "User");
    let value = first["value"].as_str().expect("a value");
    assert!(
        first["$ref"]
            .as_str()
            .is_some_and(|link| link.ends_with(&format!("/Users/{value}")))
    );
    let named = scim.get(&format!("{path}?attributes=members.display"));
    assert!(
        named.expect(200).json["members"][0]["display"]
            .as_str()
            .is_some_and(|name| name.starts_with('m'))
    );

    // what is not asked for is not sent
    let values = scim.get(&format!("{path}?attributes=members.value"));
    assert_eq!(values.expect(200).members(), ids);
    assert_eq!(
        values.json["members"][0]
            .as_object()
            .map(serde_json::Map::len),
        Some(1)
    );
    assert_eq!(values.keys(), ["id", "members", "schemas"]);
    let without = scim.get(&format!(
        "{path}?excludedAttributes=members.display,displayName"
    ));
    assert_eq!(without.expect(200).members(), ids);
    assert_eq!(without.json["members"][7].get("display"), None);
    assert_eq!(without.json.get("displayName"), None);
    for small in ["attributes=displayName", "excludedAttributes=members"] {
        let head = scim.get(&format!("{path}?{small}"));
        assert_eq!(head.expect(200).json.get("members"), None);
        assert_eq!(head.json["displayName"], "All");
        assert!(head.text.len() < 700 && head.header("transfer-encoding").is_empty());
        assert_eq!(head.etag(), whole.etag());
    }

    // the body belongs to its ETag
    let same = scim.with_header("If-None-Match", &whole.etag()).get(&path);
    assert_eq!(same.expect(304).text, "");
    let gone = ids.remove(1234);
    let leave = patch(json!([crate::harness::remove_member(&gone)]));
    scim.patch(&path, &leave).expect(204);
    let later = scim.with_header("If-None-Match", &whole.etag()).get(&path);
    assert_eq!(later.expect(200).members(), ids);
    assert_ne!(later.etag(), whole.etag());
    assert_eq!(scim.send("HEAD", &path, None).expect(200).text, "");

    // and it is found by a member without being read
    let found = scim.get(&format!(
        "/Groups?filter=members[value eq \"{}\"]&attributes=id",
        ids[0]
    ));
    assert_eq!(found.expect(200).names("id"), [id.as_str()]);
    let none = scim.get(&format!(
        "/Groups?filter=members.value eq \"{gone}\"&attributes=id"
    ));
    assert_eq!(none.expect(200).json["totalResults"], 0);
}

// G-09, R-*, PA-10: the answers of writes are sent in chunks, too, and are the group at its ETag
#[test]
fn writes_answer_with_a_large_group_in_chunks() {
    let (app, id, ids) = large();
    let scim = app.scim();
    let path = format!("/Groups/{id}");
    let members: Vec<&str> = ids.iter().map(String::as_str).collect();
    let whole = scim.put(&path, &group("All of them", &members));
    assert_eq!(whole.expect(200).header("transfer-encoding"), "chunked");
    assert_eq!(whole.members(), ids);
    assert_eq!(whole.json["displayName"], "All of them");
    let read = scim.get(&path);
    assert_eq!(read.etag(), whole.etag());
    assert_eq!(read.json, whole.json);

    let leave = patch(json!([crate::harness::remove_member(&ids[7])]));
    let shown = scim
        .with_header("Prefer", "return=representation")
        .patch(&path, &leave);
    assert_eq!(shown.expect(200).header("transfer-encoding"), "chunked");
    assert_eq!(shown.members().len(), ids.len() - 1);
    assert_ne!(shown.etag(), whole.etag());

    let made = scim.post("/Groups", &group("Another", &members));
    assert_eq!(made.expect(201).header("transfer-encoding"), "chunked");
    assert_eq!(made.members(), ids);
    assert_eq!(made.header("location"), made.json["meta"]["location"]);
    let narrow = scim.post("/Groups?attributes=members.type", &group("Third", &members));
    let first = &narrow.expect(201).json["members"][0];
    assert_eq!(first, &json!({ "type": "User" }));
    let row = app.logged("the write of a large group", |row| {
        row["operation"] == "create" && row["resource_label"] == "Another"
    });
    assert_eq!(row["outcome"], "success");
}

// P-02, K-20, G-09: 16 MB of members end a page early; nobody is lost or shown twice
#[test]
fn a_page_of_large_groups_ends_early_and_the_next_one_goes_on() {
    // long addresses stand for many members
    let app = TestApp::at_address(&format!("https://{}.test", "long".repeat(1000)));
    let scim = app.scim();
    app.crowd(900);
    let mut everybody = Vec::new();
    for start in (1..=900).step_by(200) {
        everybody.extend(
            scim.get(&format!(
                "/Users?startIndex={start}&count=200&attributes=id"
            ))
            .names("id"),
        );
    }
    let members: Vec<&str> = everybody.iter().map(String::as_str).collect();
    let names: Vec<String> = (1..=6).map(|number| format!("Group {number}")).collect();
    for name in &names {
        scim.post("/Groups?attributes=id", &group(name, &members))
            .expect(201);
    }
    let asked = "/Groups?count=6&sortBy=displayName";
    let page = scim.get(asked);
    let first = page.expect(200).names("displayName");
    assert_eq!(page.json["totalResults"], 6);
    assert_eq!(page.json["itemsPerPage"], first.len());
    assert!(page.text.len() < (16 << 20) + 10_000, "{}", page.text.len());
    assert!(!first.is_empty() && first.len() < 6, "{first:?}");
    let rest = scim.get(&format!("{asked}&startIndex={}", first.len() + 1));
    assert_eq!([first.clone(), rest.names("displayName")].concat(), names);
    // by cursor, there and back
    let start = scim.get(&format!("{asked}&cursor="));
    assert_eq!(start.expect(200).names("displayName"), first);
    let next = start.json["nextCursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    let end = scim.get(&format!("{asked}&cursor={next}"));
    assert_eq!(
        [first.clone(), end.expect(200).names("displayName")].concat(),
        names
    );
    let back = end.json["previousCursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    assert_eq!(
        scim.get(&format!("{asked}&cursor={back}"))
            .expect(200)
            .names("displayName"),
        first
    );
    // without members it is one page
    let short = scim.get(&format!("{asked}&excludedAttributes=members"));
    assert_eq!(short.expect(200).names("displayName"), names);
}
