//! PATCH of users. RFC 7644 §3.5.2; the cases of single operations are unit tests of `scim::patch`.

use super::people::people;
use crate::harness::{ENT, json, patch};

#[test]
fn operations_run_in_order_on_each_others_result() {
    let p = people();
    let reply = p.app.scim().patch(
        &format!("/Users/{}", p.u4),
        &patch(json!([
            { "op": "add", "path": "emails[type eq \"work\"].value", "value": "dave@acme.test" },
            { "op": "replace", "path": "emails[type eq \"work\"].primary", "value": true },
            { "op": "replace", "value": { "name.givenName": "Dave", format!("{ENT}:department"): "Ops" } },
        ])),
    );
    reply.expect(200);
    assert_eq!(
        reply.json["emails"],
        json!([{ "type": "work", "value": "dave@acme.test", "primary": true }])
    );
    assert_eq!(reply.json["name"], json!({ "givenName": "Dave" }));
    assert_eq!(reply.json[ENT]["department"], "Ops");
    assert_eq!(
        p.app.scim().get(&format!("/Users/{}", p.u4)).json,
        reply.json
    );
}

#[test]
fn one_bad_operation_takes_back_all_of_them() {
    let p = people();
    let path = format!("/Users/{}", p.u1);
    let before = p.app.scim().get(&path);
    p.app.clock.advance_millis(1_000);
    p.app
        .scim()
        .patch(&path, &patch(json!([{ "op": "replace", "path": "title", "value": "X" }, { "op": "replace", "path": "favColor", "value": "red" }])))
        .scim_error("invalidPath");
    assert_eq!(p.app.scim().get(&path).json, before.json);
}

#[test]
fn a_patch_that_changes_nothing_moves_no_version() {
    let p = people();
    let path = format!("/Users/{}", p.u1);
    let before = p.app.scim().get(&path);
    p.app.clock.advance_millis(1_000);
    let reply = p.app.scim().patch(
        &path,
        &patch(json!([{ "op": "replace", "path": "title", "value": "Engineer" }])),
    );
    assert_eq!(reply.expect(200).json, before.json);
    assert_eq!(reply.etag(), before.etag());
    let logged = p.app.logged("the patch", |row| row["operation"] == "patch");
    assert_eq!(logged["outcome"], "no_op", "{logged}");
}

#[test]
fn each_mistake_has_its_own_name() {
    let p = people();
    let path = format!("/Users/{}", p.u1);
    for (operation, keyword) in [
        (
            json!({ "op": "move", "path": "title", "value": "x" }),
            "invalidSyntax",
        ),
        (
            json!({ "op": "add", "path": "title", "value": 5 }),
            "invalidValue",
        ),
        (json!({ "op": "add", "path": "title" }), "invalidValue"),
        (json!({ "op": "remove" }), "noTarget"),
        (
            json!({ "op": "replace", "path": "id", "value": "x" }),
            "mutability",
        ),
        (json!({ "op": "remove", "path": "userName" }), "mutability"),
        (
            json!({ "op": "replace", "path": "/title", "value": "x" }),
            "invalidPath",
        ),
        (
            json!({ "op": "replace", "path": "emails[type eq \"work\"", "value": "x" }),
            "invalidPath",
        ),
        (
            json!({ "op": "replace", "path": "emails[type zz \"work\"].value", "value": "x" }),
            "invalidFilter",
        ),
        (
            json!({ "op": "replace", "path": "emails[type eq \"fax\"].value", "value": "x@x.test" }),
            "noTarget",
        ),
    ] {
        let reply = p.app.scim().patch(&path, &patch(json!([operation])));
        assert_eq!(
            (reply.status, &reply.json["scimType"]),
            (400, &json!(keyword)),
            "{operation}\n{reply:?}"
        );
    }
    p.app
        .scim()
        .patch(&path, &patch(json!([])))
        .scim_error("invalidSyntax");
    p.app
        .scim()
        .patch(&path, &json!({ "schemas": [crate::harness::PATCH_OP] }))
        .scim_error("invalidSyntax");
}

#[test]
fn a_taken_name_is_refused() {
    let p = people();
    p.app
        .scim()
        .patch(
            &format!("/Users/{}", p.u1),
            &patch(json!([{ "op": "replace", "path": "userName", "value": "CHLOE" }])),
        )
        .scim_error("uniqueness");
    assert_eq!(
        p.app
            .scim()
            .get("/Users?filter=userName eq \"ada@acme.test\"")
            .json["totalResults"],
        1
    );
}

#[test]
fn hv_46_after_delete_every_request_is_404() {
    let p = people();
    let path = format!("/Users/{}", p.u3);
    p.app.scim().delete(&path).expect(204);
    p.app.scim().delete(&path).scim_failure(404);
    p.app.scim().get(&path).scim_failure(404);
    p.app
        .scim()
        .put(&path, &crate::harness::user("chloe"))
        .scim_failure(404);
    p.app
        .scim()
        .patch(
            &path,
            &patch(json!([{ "op": "replace", "path": "title", "value": "x" }])),
        )
        .scim_failure(404);
}
