//! Tenants. Checklist §24.

use crate::harness::{Client, Value, add_members, group, json, patch, user};
use crate::scim::people::{People, people};

/// The other tenant, with a user and a group of the same names.
fn neighbors(p: &People) -> (Client, String, String) {
    let (theirs, _) = p.app.other_tenant();
    let user = theirs.post("/Users", &json!({ "schemas": [crate::harness::USER], "userName": "ada@acme.test", "externalId": "HR-001" })).expect(201).id();
    let group = theirs
        .post("/Groups", &group("Ops", &[&user]))
        .expect(201)
        .id();
    (theirs, user, group)
}

// MT-01, MT-02, MT-05, MT-06, MT-09
#[test]
fn the_same_person_may_be_in_two_tenants_and_has_two_ids() {
    let p = people();
    let (theirs, user, group) = neighbors(&p);
    assert_ne!(user, p.u1);
    assert_ne!(group, p.g1);
    assert_eq!(theirs.get("/Users").json["totalResults"], 1);
    assert_eq!(p.app.scim().get("/Users").json["totalResults"], 4);
    theirs
        .post("/Users", &crate::harness::user("ADA@acme.test"))
        .scim_error("uniqueness");
    theirs
        .post("/Users", &crate::harness::user("dave"))
        .expect(201);
}

// MT-03, MT-04: whatever a request says beside its token, and whatever it names
#[test]
fn no_request_reaches_another_tenant() {
    let p = people();
    let (theirs, user, group) = neighbors(&p);
    let ours = p.app.scim();
    let world = |client: &Client| client.get("/?sortBy=id&count=100").expect(200).text.clone();
    let before = (world(&ours), world(&theirs));
    let change = patch(json!([{ "op": "replace", "path": "displayName", "value": "Mine" }]));
    for (path, list) in [
        (format!("/Users/{}", p.u1), "/Users"),
        (format!("/Groups/{}", p.g1), "/Groups"),
    ] {
        theirs.get(&path).scim_failure(404);
        theirs.send("HEAD", &path, None).expect(404);
        theirs.put(&path, &ours.get(&path).json).scim_failure(404);
        theirs.patch(&path, &change).scim_failure(404);
        theirs.delete(&path).scim_failure(404);
        let id = path.rsplit('/').next().unwrap_or_default().to_owned();
        for query in [
            format!("{list}?filter=id eq \"{id}\""),
            format!("/?filter=id eq \"{id}\""),
            format!("{list}?filter=meta.location co \"{id}\""),
        ] {
            assert_eq!(
                theirs.get(&query).expect(200).json["totalResults"],
                0,
                "{query}"
            );
        }
    }
    // their people are unknown ids here: nobody joins, nobody is filtered, nobody leaves
    let path = format!("/Groups/{}", p.g1);
    ours.patch(&path, &patch(json!([add_members(&[&user])])))
        .scim_error("invalidValue");
    assert_eq!(
        ours.get(&format!("/Groups?filter=members eq \"{user}\""))
            .json["totalResults"],
        0
    );
    ours.patch(
        &path,
        &patch(json!([{ "op": "remove", "path": format!("members[value eq \"{user}\"]") }])),
    )
    .expect(204);
    let bulk = |id: &str| json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [{ "method": "DELETE", "path": format!("/Users/{id}") }, { "method": "PATCH", "path": format!("/Groups/{}", p.g1), "data": change }] });
    let answer = theirs.post("/Bulk", &bulk(&p.u1));
    let statuses: Vec<&Value> = answer.expect(200).json["Operations"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(statuses, ["404", "404"]);
    // nothing but the token names the tenant
    let claims = [
        ("X-Tenant", "acme"),
        ("X-Tenant-Id", "1"),
        ("Tenant", "1"),
        ("X-Forwarded-Host", "acme.rollcall.test"),
    ];
    for (name, value) in claims {
        let client = theirs.with_header(name, value);
        client
            .get(&format!("/Users/{}?tenant=acme&tenant_id=1", p.u1))
            .scim_failure(404);
        assert_eq!(
            client.get("/Users?tenant=acme").expect(200).json["totalResults"],
            1,
            "{name}"
        );
    }
    theirs
        .get(&format!("/acme/Users/{}", p.u1))
        .scim_failure(404);
    let mut eve = user_with_tenant("eve");
    eve["tenantId"] = json!(1);
    let made = theirs.post("/Users", &eve).expect(201).id();
    ours.get(&format!("/Users/{made}")).scim_failure(404);
    theirs.delete(&format!("/Users/{made}")).expect(204);
    assert_eq!((world(&ours), world(&theirs)), before);
    theirs.get(&format!("/Groups/{group}")).expect(200);
}

fn user_with_tenant(name: &str) -> Value {
    let mut body = user(name);
    body["tenant"] = json!("acme");
    body
}

// MT-08
#[test]
fn an_address_has_no_tenant_in_it() {
    let p = people();
    let (theirs, user, _) = neighbors(&p);
    let place = |client: &Client, id: &str| {
        client.get(&format!("/Users/{id}")).expect(200).json["meta"]["location"]
            .as_str()
            .unwrap_or_default()
            .replace(id, "{id}")
    };
    assert_eq!(place(&theirs, &user), place(&p.app.scim(), &p.u1));
    assert!(place(&theirs, &user).ends_with("/scim/v2/Users/{id}"));
}

// MT-07: a tag of one tenant's resource says nothing about another's
#[test]
fn tags_are_about_ones_own_resources() {
    let p = people();
    let (theirs, user, _) = neighbors(&p);
    let tag = theirs.get(&format!("/Users/{user}")).etag();
    for _ in 0..3 {
        p.app.scim().patch(&format!("/Users/{}", p.u1), &patch(json!([{ "op": "replace", "path": "title", "value": p.app.clock.now().to_string() }]))).expect(200);
        p.app.clock.advance_millis(1_000);
    }
    assert_eq!(theirs.get(&format!("/Users/{user}")).etag(), tag);
    let cursor = p.app.scim().get("/Users?cursor=&count=1");
    if let Some(next) = cursor.expect(200).json["nextCursor"].as_str() {
        theirs
            .get(&format!("/Users?cursor={next}&count=1"))
            .scim_error("invalidCursor");
    }
}
