//! DELETE. Checklist §20.

use crate::harness::{ENT, TestApp, add_members, json, patch, user};
use crate::scim::people::people;

// DE-01, DE-02, DE-03, DE-04
#[test]
fn what_is_deleted_is_gone_for_every_request() {
    let p = people();
    let scim = p.app.scim();
    for (path, list) in [
        (format!("/Users/{}", p.u4), "/Users"),
        (format!("/Groups/{}", p.g1), "/Groups"),
    ] {
        let total = scim.get(list).json["totalResults"]
            .as_i64()
            .unwrap_or_default();
        let body = scim.get(&path).json.clone();
        let done = scim.delete(&path);
        assert!(done.expect(204).text.is_empty());
        assert_eq!(
            (
                done.header("etag"),
                done.header("location"),
                done.header("content-type")
            ),
            ("", "", "")
        );
        scim.get(&path).scim_failure(404);
        scim.put(&path, &body).scim_failure(404);
        scim.patch(
            &path,
            &patch(json!([{ "op": "replace", "path": "displayName", "value": "x" }])),
        )
        .scim_failure(404);
        scim.delete(&path).scim_failure(404);
        scim.with_header("If-None-Match", "*")
            .get(&path)
            .scim_failure(404);
        let id = body["id"].as_str().unwrap_or_default().to_owned();
        for query in [
            list.to_owned(),
            format!("{list}?filter=id eq \"{id}\""),
            format!("/?filter=id eq \"{id}\""),
            format!("{list}?sortBy=meta.created&count=1000"),
        ] {
            assert!(!scim.get(&query).expect(200).text.contains(&id), "{query}");
        }
        assert_eq!(scim.get(list).json["totalResults"], total - 1);
        assert_eq!(
            scim.get(&format!("{list}?filter=displayName pr or id pr"))
                .json["totalResults"],
            total - 1
        );
    }
}

// DE-05, DE-06
#[test]
fn a_deleted_name_is_free_again_and_its_id_never_returns() {
    let p = people();
    let scim = p.app.scim();
    let mut ids = vec![p.u4.clone()];
    for _ in 0..5 {
        scim.delete(&format!("/Users/{}", ids[ids.len() - 1]))
            .expect(204);
        let mut body = user("dave");
        body["externalId"] = json!("D-1");
        ids.push(scim.post("/Users", &body).expect(201).id());
    }
    let mut once = ids.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), ids.len());
    scim.delete(&format!("/Groups/{}", p.g1)).expect(204);
    let again = p.app.group("ops", &[&p.u1]);
    assert_ne!(again, p.g1);
    assert_eq!(
        scim.get(&format!("/Groups/{again}")).members(),
        [p.u1.as_str()],
        "no member of the old group"
    );
}

// DE-07
#[test]
fn references_to_somebody_who_is_gone_are_cleaned() {
    let p = people();
    let scim = p.app.scim();
    scim.patch(
        &format!("/Groups/{}", p.g1),
        &patch(json!([add_members(&[&p.u1])])),
    )
    .expect(204);
    let (group, report) = (
        scim.get(&format!("/Groups/{}", p.g1)),
        scim.get(&format!("/Users/{}", p.u1)),
    );
    assert_eq!(report.json[ENT]["manager"]["value"], json!(p.u3));
    p.app.clock.advance_millis(1_000);
    scim.delete(&format!("/Users/{}", p.u3)).expect(204);
    let (group_now, report_now) = (
        scim.get(&format!("/Groups/{}", p.g1)),
        scim.get(&format!("/Users/{}", p.u1)),
    );
    assert_eq!(group_now.members(), [p.u1.as_str()]);
    assert_ne!(group_now.etag(), group.etag());
    assert_eq!(report_now.json[ENT].get("manager"), None);
    assert_ne!(report_now.etag(), report.etag());
    assert_eq!(
        scim.get(&format!("/Users?filter={ENT}:manager eq \"{}\"", p.u3))
            .json["totalResults"],
        0
    );
    assert_eq!(
        scim.get(&format!("/Groups?filter=members eq \"{}\"", p.u3))
            .json["totalResults"],
        0
    );
    scim.delete(&format!("/Groups/{}", p.g1)).expect(204);
    assert_eq!(
        scim.get(&format!("/Users/{}", p.u1)).json.get("groups"),
        None
    );
}

// DE-08
#[test]
fn a_delete_honors_a_condition_and_ignores_a_body() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u4);
    scim.with_header("If-Match", "W/\"99\"")
        .delete(&path)
        .scim_failure(412);
    scim.with_header("If-None-Match", "*")
        .delete(&path)
        .scim_failure(412);
    let tag = scim.get(&path).expect(200).etag();
    let done = scim
        .with_header("If-Match", &tag)
        .send("DELETE", &path, Some(b"{ not json"));
    done.expect(204);
    scim.with_header("If-Match", &tag)
        .delete(&path)
        .scim_failure(404);
    scim.with_header("If-Match", "*")
        .delete("/Groups/ghost")
        .scim_failure(404);
}

// DE-09
#[test]
fn deactivating_deletes_nobody() {
    let app = TestApp::new();
    let id = app.user("eve");
    let group = app.group("Ops", &[&id]);
    let off = patch(json!([{ "op": "replace", "value": { "active": false } }]));
    app.scim().patch(&format!("/Users/{id}"), &off).expect(200);
    assert_eq!(
        app.scim()
            .get("/Users?filter=userName eq \"eve\"")
            .expect(200)
            .json["Resources"][0]["active"],
        false
    );
    assert_eq!(app.scim().get(&format!("/Groups/{group}")).members(), [id]);
    app.scim()
        .post("/Users", &user("eve"))
        .scim_error("uniqueness");
}
