//! Versions and conditional requests. RFC 7644 §3.14.

use super::people::people;
use crate::harness::{json, patch, user};

#[test]
fn hv_34_a_reader_who_has_the_newest_version_gets_304() {
    let p = people();
    let path = format!("/Users/{}", p.u1);
    let tag = p.app.scim().get(&path).etag();
    let reply = p.app.scim().with_header("If-None-Match", &tag).get(&path);
    reply.expect(304);
    assert!(reply.text.is_empty());
    assert_eq!(reply.etag(), tag);
    p.app
        .scim()
        .with_header("If-None-Match", "W/\"other\"")
        .get(&path)
        .expect(200);
    p.app
        .scim()
        .with_header("If-None-Match", "*")
        .get(&path)
        .expect(304);
}

#[test]
fn hv_35_a_stale_etag_is_refused_and_nothing_changes() {
    let p = people();
    for path in [format!("/Users/{}", p.u1), format!("/Groups/{}", p.g1)] {
        let before = p.app.scim().get(&path);
        let stale = p.app.scim().with_header("If-Match", "W/\"old\"");
        stale.put(&path, &before.json).scim_failure(412);
        stale
            .patch(
                &path,
                &patch(json!([{ "op": "replace", "path": "displayName", "value": "X" }])),
            )
            .scim_failure(412);
        stale.delete(&path).scim_failure(412);
        assert_eq!(p.app.scim().get(&path).json, before.json);
    }
}

#[test]
fn the_right_etag_lets_a_write_through_once() {
    let p = people();
    let path = format!("/Users/{}", p.u1);
    let tag = p.app.scim().get(&path).etag();
    let change = |title: &str| patch(json!([{ "op": "replace", "path": "title", "value": title }]));
    p.app
        .scim()
        .with_header("If-Match", &tag)
        .patch(&path, &change("One"))
        .expect(200);
    p.app
        .scim()
        .with_header("If-Match", &tag)
        .patch(&path, &change("Two"))
        .scim_failure(412);
    let listed = format!("W/\"999\", {}", p.app.scim().get(&path).etag());
    p.app
        .scim()
        .with_header("If-Match", &listed)
        .patch(&path, &change("Three"))
        .expect(200);
    p.app
        .scim()
        .with_header("If-Match", "*")
        .patch(&path, &change("Four"))
        .expect(200);
    let strong = p.app.scim().get(&path).etag().replace("W/", "");
    p.app
        .scim()
        .with_header("If-Match", &strong)
        .patch(&path, &change("Five"))
        .expect(200);
}

#[test]
fn a_condition_on_a_missing_resource_is_404() {
    let p = people();
    p.app
        .scim()
        .with_header("If-Match", "W/\"1\"")
        .put("/Users/ghost", &user("x"))
        .scim_failure(404);
}

#[test]
fn the_version_moves_with_every_change_and_only_then() {
    let p = people();
    let path = format!("/Groups/{}", p.g1);
    let first = p.app.scim().get(&path).etag();
    let rename = patch(json!([{ "op": "replace", "path": "displayName", "value": "Platform" }]));
    let second = p.app.scim().patch(&path, &rename).expect(204).etag();
    let third = p.app.scim().patch(&path, &rename).expect(204).etag();
    assert_ne!(first, second);
    assert_eq!(second, third);
}
