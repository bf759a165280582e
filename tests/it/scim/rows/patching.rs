//! PATCH. Checklist §19. The vectors are `patch_vectors`; here is what one operation on one resource does not show.

use std::thread;

use rollcall::scim::switches::{Switches, UnknownMember};

use crate::harness::{ENT, PATCH_OP, TestApp, USER, Value, add_members, json, patch, user};
use crate::scim::people::people;

// PA-01, PA-02, PA-03, PA-04, PA-05, PA-06, PA-23
#[test]
fn the_message_is_read_leniently_in_letters_and_strictly_in_shape() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u1);
    assert_eq!(
        scim.get("/ServiceProviderConfig").json["patch"]["supported"],
        true
    );
    let lenient = json!({ "SCHEMAS": [PATCH_OP], "operations": [{ "OP": "Replace", "PATH": "title", "Value": "Lead", "name": "x", "comment": 7 }] });
    assert_eq!(
        scim.patch(&path, &lenient).expect(200).json["title"],
        "Lead"
    );
    let before = scim.get(&path).json.clone();
    for body in [
        json!({ "Operations": [{ "op": "add", "path": "title", "value": "x" }] }),
        json!({ "schemas": [USER], "Operations": [{ "op": "add", "path": "title", "value": "x" }] }),
        json!({ "schemas": [PATCH_OP] }),
        json!({ "schemas": [PATCH_OP], "Operations": [] }),
        json!({ "schemas": [PATCH_OP], "Operations": null }),
        patch(json!([{ "path": "title", "value": "x" }])),
        patch(json!([{ "op": "move", "path": "title", "value": "x" }])),
        patch(json!([{ "op": "", "path": "title", "value": "x" }])),
        patch(json!([{ "op": ["add"], "path": "title", "value": "x" }])),
    ] {
        scim.patch(&path, &body).scim_error("invalidSyntax");
    }
    let null_path = json!([{ "op": "add", "path": null, "value": { "nickName": "A" } }]);
    assert_eq!(
        scim.patch(&path, &patch(null_path)).expect(200).json["nickName"],
        "A"
    );
    for remove in [
        json!({ "op": "remove" }),
        json!({ "op": "remove", "path": null }),
        json!({ "op": "remove", "value": { "title": "x" } }),
    ] {
        scim.patch(&path, &patch(json!([remove])))
            .scim_error("noTarget");
    }
    assert_eq!(scim.get(&path).json["title"], before["title"]);
    let strict = p.app.scim_with("strict", Switches::strict());
    strict
        .patch(
            &path,
            &patch(json!([{ "op": "Replace", "path": "title", "value": "x" }])),
        )
        .scim_error("invalidSyntax");
    strict
        .patch(
            &path,
            &patch(json!([{ "op": "replace", "path": "title", "value": "x" }])),
        )
        .expect(200);
}

// PA-07, PA-08
#[test]
fn operations_see_each_other_and_fail_together() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Groups/{}", p.g1);
    let before = scim.get(&path);
    let halves = json!([{ "op": "replace", "path": "displayName", "value": "New" }, add_members(&[&p.u1]), { "op": "remove", "path": "members[value eq" }]);
    scim.patch(&path, &patch(halves)).scim_failure(400);
    let taken = p.app.group("Sales", &[]);
    let late = json!([add_members(&[&p.u1, &p.u2]), { "op": "replace", "path": "displayName", "value": "sales" }]);
    scim.patch(&path, &patch(late)).scim_error("uniqueness");
    assert_eq!(
        scim.get(&path).json,
        before.json,
        "members and name as before"
    );
    scim.get(&format!("/Groups/{taken}")).expect(200);
    let user = format!("/Users/{}", p.u1);
    let chain = json!([{ "op": "remove", "path": "emails" }, { "op": "add", "path": "emails", "value": [{ "value": "x@acme.test", "type": "work" }] }, { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "y@acme.test" }]);
    assert_eq!(
        scim.patch(&user, &patch(chain)).expect(200).json["emails"],
        json!([{ "value": "y@acme.test", "type": "work" }])
    );
}

// PA-09, PA-10
#[test]
fn users_answer_with_a_body_and_groups_without_unless_asked() {
    let p = people();
    let scim = p.app.scim();
    let (user, group) = (format!("/Users/{}", p.u1), format!("/Groups/{}", p.g1));
    let rename =
        |name: &str| patch(json!([{ "op": "replace", "path": "displayName", "value": name }]));
    let whole = scim.patch(&user, &rename("A"));
    assert_eq!(whole.expect(200).json, scim.get(&user).json);
    let silent = scim.patch(&group, &rename("B"));
    assert!(silent.expect(204).text.is_empty());
    assert_eq!(silent.etag(), scim.get(&group).etag());
    assert!(silent.header("location").ends_with(&group));
    assert_eq!(
        scim.patch(&format!("{group}?attributes=displayName"), &rename("C"))
            .expect(200)
            .keys(),
        ["displayName", "id", "schemas"]
    );
    assert_eq!(
        scim.patch(&format!("{group}?excludedAttributes=members"), &rename("D"))
            .expect(200)
            .json["displayName"],
        "D"
    );
    let preferring = scim.with_header("Prefer", "return=representation");
    assert_eq!(
        preferring.patch(&group, &rename("E")).expect(200).json["displayName"],
        "E"
    );
    let sparing = scim.with_header("Prefer", "return=minimal");
    sparing.patch(&user, &rename("F")).expect(204);
    sparing
        .patch(&format!("{user}?attributes=displayName"), &rename("G"))
        .expect(200);
}

// PA-11, PA-34, PA-48: no effective change
#[test]
fn a_patch_that_changes_nothing_leaves_every_trace_of_time_alone() {
    let p = people();
    let scim = p.app.scim();
    let (user, group) = (format!("/Users/{}", p.u1), format!("/Groups/{}", p.g1));
    for (path, operations) in [
        (
            &user,
            json!([{ "op": "add", "path": "title", "value": "Engineer" }]),
        ),
        (
            &user,
            json!([{ "op": "add", "path": "emails", "value": [{ "value": "ADA@acme.test", "type": "work" }] }]),
        ),
        (
            &user,
            json!([{ "op": "remove", "path": "nickName" }, { "op": "remove", "path": "emails[type eq \"fax\"]" }]),
        ),
        (
            &user,
            json!([{ "op": "replace", "path": "title", "value": "X" }, { "op": "replace", "path": "title", "value": "Engineer" }]),
        ),
        (&group, json!([add_members(&[&p.u3])])),
        (
            &group,
            json!([{ "op": "remove", "path": format!("members[value eq \"{}\"]", p.u1) }]),
        ),
        (
            &group,
            json!([{ "op": "replace", "path": "members", "value": [{ "value": p.u3, "display": "X", "$ref": null }] }]),
        ),
        (
            &group,
            json!([{ "op": "remove", "path": "members", "value": [] }]),
        ),
    ] {
        let before = scim.get(path);
        p.app.clock.advance_millis(1_000);
        let answer = scim.patch(path, &patch(operations.clone()));
        assert!(answer.status == 200 || answer.status == 204, "{answer:?}");
        assert_eq!(scim.get(path).json, before.json, "{operations}");
        assert_eq!(answer.etag(), before.etag(), "{operations}");
        let logged = p.app.logged("the patch", |row| row["operation"] == "patch");
        assert_eq!(logged["outcome"], "no_op", "{operations}");
    }
}

// PA-12, PA-13
#[test]
fn one_value_is_primary() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u1);
    let change =
        json!([{ "op": "replace", "path": "emails[type eq \"home\"].primary", "value": true }]);
    let emails = scim.patch(&path, &patch(change)).expect(200).json["emails"].clone();
    assert_eq!(
        (&emails[0]["primary"], &emails[1]["primary"]),
        (&json!(false), &json!(true))
    );
    for operation in [
        json!({ "op": "replace", "path": "emails.primary", "value": true }),
        json!({ "op": "add", "path": "emails", "value": [{ "value": "a@x.test", "primary": true }, { "value": "b@x.test", "primary": true }] }),
        json!({ "op": "replace", "path": "emails", "value": [{ "value": "a@x.test", "primary": true }, { "value": "b@x.test", "primary": true }] }),
    ] {
        scim.patch(&path, &patch(json!([operation])))
            .scim_error("invalidValue");
    }
    assert_eq!(scim.get(&path).json["emails"], emails);
}

// PA-14, PA-15
#[test]
fn urns_come_and_go_with_their_data() {
    let app = TestApp::new();
    let scim = app.scim();
    let path = format!("/Users/{}", app.user("eve"));
    let run = |operations: Value| {
        scim.patch(&path, &patch(operations))
            .expect(200)
            .json
            .clone()
    };
    let after = run(
        json!([{ "op": "add", "path": format!("{}:Department", ENT.to_uppercase()), "value": "Ops" }]),
    );
    assert_eq!(
        (&after["schemas"], &after[ENT]),
        (&json!([USER, ENT]), &json!({ "department": "Ops" }))
    );
    assert_eq!(
        run(json!([{ "op": "remove", "path": format!("{ENT}:department") }]))["schemas"],
        json!([USER])
    );
}

// PA-16, PA-17, PA-18
#[test]
fn entras_and_oktas_shapes_are_understood_unless_the_connection_is_strict() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u4);
    let boss = &p.u3;
    let run = |operation: Value| {
        scim.patch(&path, &patch(json!([operation])))
            .expect(200)
            .json
            .clone()
    };
    let keyed = run(
        json!({ "op": "add", "value": { "name.givenName": "Dave", format!("{ENT}:costCenter"): "7", "emails[type eq \"work\"].value": "d@acme.test" } }),
    );
    assert_eq!(
        (&keyed["name"], &keyed[ENT]["costCenter"], &keyed["emails"]),
        (
            &json!({ "givenName": "Dave" }),
            &json!("7"),
            &json!([{ "type": "work", "value": "d@acme.test" }])
        )
    );
    for value in [
        json!(boss),
        json!({ "value": boss }),
        json!([{ "value": boss }]),
    ] {
        assert_eq!(
            run(json!({ "op": "Add", "path": format!("{ENT}:manager"), "value": value }))[ENT]["manager"]
                ["value"],
            json!(boss)
        );
        assert_eq!(
            run(json!({ "op": "Replace", "path": format!("{ENT}:manager"), "value": "" }))[ENT]
                .get("manager"),
            None
        );
    }
    assert_eq!(
        run(
            json!({ "op": "add", "path": "phoneNumbers", "value": { "value": "+1", "type": "work" } })
        )["phoneNumbers"],
        json!([{ "value": "+1", "type": "work" }])
    );
    let strict = p.app.scim_with("strict", Switches::strict());
    for operation in [
        json!({ "op": "add", "path": format!("{ENT}:manager"), "value": boss }),
        json!({ "op": "add", "path": "phoneNumbers", "value": { "value": "+2" } }),
        json!({ "op": "add", "value": { "name.givenName": "D" } }),
        json!({ "op": "add", "path": "active", "value": "True" }),
    ] {
        strict
            .patch(&path, &patch(json!([operation])))
            .scim_error("invalidValue");
    }
}

// PA-51, PA-52, PA-15
#[test]
fn an_extension_is_removed_by_its_urn_or_through_schemas_and_the_core_never() {
    let p = people();
    let scim = p.app.scim();
    let (path, other) = (format!("/Users/{}", p.u1), format!("/Users/{}", p.u4));
    let gone = scim.patch(&path, &patch(json!([{ "op": "remove", "path": ENT }])));
    assert_eq!(
        (gone.expect(200).json.get(ENT), &gone.json["schemas"]),
        (None, &json!([USER]))
    );
    let gone = scim.patch(
        &other,
        &patch(json!([{ "op": "remove", "path": format!("schemas[value eq \"{ENT}\"]") }])),
    );
    assert_eq!(
        (gone.expect(200).json.get(ENT), &gone.json["schemas"]),
        (None, &json!([USER]))
    );
    for operation in [
        json!({ "op": "remove", "path": "schemas" }),
        json!({ "op": "remove", "path": USER }),
        json!({ "op": "remove", "path": format!("schemas[value eq \"{USER}\"]") }),
    ] {
        scim.patch(&path, &patch(json!([operation])))
            .scim_error("mutability");
    }
}

// PA-19, PA-20, PA-21, PA-22, PA-24, PA-49
#[test]
fn every_mistake_in_a_path_or_value_has_its_keyword() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u1);
    let before = scim.get(&path).json.clone();
    let manager_name = format!("{ENT}:manager.displayName");
    for (op, target, value, keyword) in [
        ("add", "/name", json!("x"), "invalidPath"),
        ("add", "emails[*]", json!("x"), "invalidFilter"),
        ("remove", "emails[0]", Value::Null, "invalidFilter"),
        (
            "remove",
            "emails[type eq \"work\"",
            Value::Null,
            "invalidPath",
        ),
        ("remove", "*", Value::Null, "invalidPath"),
        ("add", "", json!({ "title": "x" }), "invalidPath"),
        ("add", "favColor", json!("red"), "invalidPath"),
        ("add", "name.favColor", json!("red"), "invalidPath"),
        (
            "add",
            "urn:example:none:1.0:User:x",
            json!("red"),
            "invalidPath",
        ),
        ("replace", "title", json!(5), "invalidValue"),
        ("replace", "name", json!(true), "invalidValue"),
        ("replace", "active", json!("maybe"), "invalidValue"),
        ("replace", "id", json!("x"), "mutability"),
        ("replace", "groups", json!([]), "mutability"),
        (
            "replace",
            "meta.created",
            json!("2020-01-01T00:00:00Z"),
            "mutability",
        ),
        ("replace", &manager_name, json!("x"), "mutability"),
        ("remove", "userName", Value::Null, "mutability"),
        ("remove", "id", Value::Null, "mutability"),
    ] {
        let reply = scim.patch(
            &path,
            &patch(json!([{ "op": op, "path": target, "value": value }])),
        );
        assert_eq!(
            (reply.status, reply.json["scimType"].as_str()),
            (400, Some(keyword)),
            "{op} {target}\n{reply:?}"
        );
    }
    for op in ["add", "replace"] {
        scim.patch(&path, &patch(json!([{ "op": op, "path": "title" }])))
            .scim_error("invalidValue");
        scim.patch(&path, &patch(json!([{ "op": op }])))
            .scim_error("invalidValue");
        scim.patch(&path, &patch(json!([{ "op": op, "value": "x" }])))
            .scim_error("invalidValue");
    }
    assert_eq!(scim.get(&path).json, before);
}

// PA-25, PA-30, PA-38, PA-27
#[test]
fn without_a_path_what_is_read_only_is_ignored_and_the_rest_is_merged() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u1);
    let value = json!({ "id": "other", "schemas": ["urn:x"], "meta": { "version": "x" }, "groups": [{ "value": "g9" }], "title": "Lead", "name": { "givenName": "A" }, "emails": [{ "value": "only@acme.test" }] });
    let after = scim.patch(&path, &patch(json!([{ "op": "replace", "value": value }])));
    assert_eq!(after.expect(200).id(), p.u1);
    assert_eq!(
        after.json["name"],
        json!({ "givenName": "A", "familyName": "Okafor" })
    );
    assert_eq!(after.json["emails"], json!([{ "value": "only@acme.test" }]));
    assert_eq!(
        (
            &after.json["title"],
            &after.json["displayName"],
            after.json.get("groups")
        ),
        (&json!("Lead"), &json!("Ada Okafor"), None)
    );
    let added = scim.patch(&path, &patch(json!([{ "op": "add", "value": { "emails": [{ "value": "two@acme.test" }], "nickName": "Ad" } }])));
    assert_eq!(
        added.expect(200).json["emails"].as_array().map(Vec::len),
        Some(2)
    );
    let group = format!("/Groups/{}", p.g1);
    scim.patch(
        &group,
        &patch(json!([{ "op": "replace", "value": { "id": "other", "displayName": "Platform" } }])),
    )
    .expect(204);
    assert_eq!(scim.get(&group).json["displayName"], "Platform");
    scim.patch(
        &path,
        &patch(json!([{ "op": "replace", "value": { "userName": "dave" } }])),
    )
    .scim_error("uniqueness");
    scim.patch(
        &path,
        &patch(json!([{ "op": "replace", "value": { "userName": "" } }])),
    )
    .scim_error("invalidValue");
}

// PA-28: bounded, and the bound is named
#[test]
fn a_patch_of_too_many_operations_is_refused_by_number() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u1);
    let many = |count: usize| -> Value {
        (0..count)
            .map(|n| json!({ "op": "replace", "path": "title", "value": format!("t{n}") }))
            .collect()
    };
    assert_eq!(
        scim.patch(&path, &patch(many(1_000))).expect(200).json["title"],
        "t999"
    );
    let reply = scim.patch(&path, &patch(many(1_001)));
    reply.scim_failure(413);
    assert!(reply.text.contains("1000"), "{reply:?}");
    assert_eq!(scim.get(&path).json["title"], "t999");
}

// PA-29
#[test]
fn parallel_patches_of_one_user_all_take_effect() {
    let app = TestApp::new();
    let path = format!("/Users/{}", app.user("eve"));
    thread::scope(|scope| {
        for client in 0..32 {
            let (app, path) = (&app, &path);
            scope.spawn(move || {
                let email = json!([{ "op": "add", "path": "emails", "value": [{ "value": format!("e{client}@acme.test") }] }]);
                app.scim().patch(path, &patch(email)).expect(200);
            });
        }
    });
    let after = app.scim().get(&path);
    assert_eq!(after.json["emails"].as_array().map(Vec::len), Some(32));
    assert_eq!(after.etag(), "W/\"33\"");
}

// HV-42, HV-43, T-12: under `reject` one unknown id refuses the whole
#[test]
fn a_connection_that_rejects_unknown_members_changes_nothing() {
    let p = people();
    let path = format!("/Groups/{}", p.g1);
    let rejecting = p.app.scim_with(
        "rejecting",
        Switches {
            unknown_scim_member: UnknownMember::Reject,
            ..Switches::default()
        },
    );
    let operation = json!([{ "op": "replace", "path": "members", "value": [{ "value": p.u1 }, { "value": "ghost" }] }]);
    let reply = rejecting.patch(&path, &patch(operation));
    reply.scim_error("invalidValue");
    assert!(reply.text.contains("ghost"));
    assert_eq!(p.app.scim().get(&path).members(), [p.u3.as_str()]);
    p.app.scim().post("/Users", &user("x")).expect(201);
}
