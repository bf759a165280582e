//! PATCH of groups: members are rows, never a list that is read and written back.

use super::people::people;
use crate::harness::{GROUP, TestApp, add_members, group, json, patch, remove_member};

#[test]
fn hv_41_adding_a_member_answers_204_with_a_new_version() {
    let p = people();
    let path = format!("/Groups/{}", p.g1);
    let before = p.app.scim().get(&path).etag();
    let reply = p
        .app
        .scim()
        .patch(&path, &patch(json!([add_members(&[&p.u1])])));
    reply.expect(204);
    assert!(reply.text.is_empty());
    assert_ne!(reply.etag(), before);
    let after = p.app.scim().get(&path);
    assert_eq!(after.etag(), reply.etag());
    assert_eq!(after.members().len(), 2);
}

#[test]
fn hv_42_only_unknown_members_is_refused_and_nobody_leaves() {
    let p = people();
    let path = format!("/Groups/{}", p.g1);
    for operation in [
        add_members(&["ghost"]),
        json!({ "op": "replace", "path": "members", "value": [{ "value": "ghost" }] }),
    ] {
        let reply = p.app.scim().patch(&path, &patch(json!([operation])));
        reply.scim_error("invalidValue");
        assert!(
            reply.json["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains("ghost")),
            "{reply:?}"
        );
        assert_eq!(p.app.scim().get(&path).members(), [p.u3.as_str()]);
    }
}

#[test]
fn hv_43_known_members_are_applied_and_unknown_ones_are_named_in_the_log() {
    let p = people();
    let path = format!("/Groups/{}", p.g1);
    let operation = json!({ "op": "replace", "path": "members", "value": [{ "value": p.u1 }, { "value": "ghost" }] });
    p.app
        .scim()
        .patch(&path, &patch(json!([operation])))
        .expect(204);
    assert_eq!(p.app.scim().get(&path).members(), [p.u1.as_str()]);
    let logged = p.app.logged("the patch", |row| row["operation"] == "patch");
    assert_eq!(logged["outcome"], "partial", "{logged}");
    assert!(logged["warnings"].to_string().contains("ghost"), "{logged}");
}

#[test]
fn hv_44_a_member_sees_the_group() {
    let p = people();
    p.app
        .scim()
        .patch(
            &format!("/Groups/{}", p.g1),
            &patch(json!([add_members(&[&p.u1])])),
        )
        .expect(204);
    let groups = p.app.scim().get(&format!("/Users/{}", p.u1)).json["groups"].clone();
    assert_eq!(groups.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (
            &groups[0]["value"],
            &groups[0]["display"],
            &groups[0]["type"]
        ),
        (&json!(p.g1), &json!("Ops"), &json!("direct"))
    );
}

#[test]
fn hv_45_deleting_a_user_ends_the_membership_and_unsets_the_manager() {
    let p = people();
    let path = format!("/Groups/{}", p.g1);
    let before = p.app.scim().get(&path).etag();
    p.app.scim().delete(&format!("/Users/{}", p.u3)).expect(204);
    let after = p.app.scim().get(&path);
    assert!(after.members().is_empty());
    assert_ne!(after.etag(), before);
    let report = p.app.scim().get(&format!("/Users/{}", p.u1));
    assert!(
        report.json[crate::harness::ENT].get("manager").is_none(),
        "{report:?}"
    );
}

#[test]
fn every_way_to_remove_removes_only_those_who_were_named() {
    let p = people();
    let path = format!("/Groups/{}", p.g1);
    let all = [p.u1.as_str(), &p.u2, &p.u4];
    for (operation, leaves) in [
        (remove_member(&p.u1), &p.u1),
        (
            json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": p.u2 }] }),
            &p.u2,
        ),
        (
            json!({ "op": "remove", "path": "members", "value": { "value": p.u4 } }),
            &p.u4,
        ),
    ] {
        p.app
            .scim()
            .patch(&path, &patch(json!([add_members(&all)])))
            .expect(204);
        p.app
            .scim()
            .patch(&path, &patch(json!([operation])))
            .expect(204);
        let members = p.app.scim().get(&path).members();
        assert!(!members.contains(leaves), "{operation}");
        assert_eq!(members.len(), 3, "{operation}: {members:?}");
        p.app
            .scim()
            .patch(&path, &patch(json!([operation])))
            .expect(204);
        assert_eq!(
            p.app.scim().get(&path).members().len(),
            3,
            "{operation} again"
        );
    }
    p.app
        .scim()
        .patch(
            &path,
            &patch(json!([{ "op": "remove", "path": "members", "value": [] }])),
        )
        .expect(204);
    assert!(
        !p.app.scim().get(&path).members().is_empty(),
        "an empty list names nobody"
    );
    p.app
        .scim()
        .patch(
            &path,
            &patch(json!([{ "op": "remove", "path": "members" }])),
        )
        .expect(204);
    assert!(p.app.scim().get(&path).members().is_empty());
}

#[test]
fn a_present_member_is_not_added_again_whatever_is_said_about_them() {
    let p = people();
    let path = format!("/Groups/{}", p.g1);
    let before = p.app.scim().get(&path);
    let again = json!({ "op": "add", "path": "members", "value": [{ "value": p.u3, "display": "Somebody else", "type": "User", "$ref": "../Users/x" }] });
    p.app
        .scim()
        .patch(&path, &patch(json!([again])))
        .expect(204);
    assert_eq!(p.app.scim().get(&path).json, before.json);
    assert_eq!(
        p.app.logged("the patch", |row| row["operation"] == "patch")["outcome"],
        "no_op"
    );
}

#[test]
fn add_and_remove_in_one_request_run_in_order() {
    let p = people();
    let path = format!("/Groups/{}", p.g1);
    let reply = p.app.scim().patch(
        &format!("{path}?attributes=members,displayName"),
        &patch(json!([remove_member(&p.u3), add_members(&[&p.u1, &p.u2]), remove_member(&p.u2), { "op": "replace", "path": "displayName", "value": "Platform" }])),
    );
    assert_eq!(reply.expect(200).members(), [p.u1.as_str()]);
    assert_eq!(reply.json["displayName"], "Platform");
}

#[test]
fn a_member_without_a_readable_value_is_refused_and_nobody_moves() {
    let p = people();
    let path = format!("/Groups/{}", p.g1);
    for operation in [
        json!({ "op": "add", "path": "members", "value": [{ "display": "Ann" }] }),
        json!({ "op": "replace", "path": "members", "value": [{ "value": 7 }] }),
        json!({ "op": "replace", "path": "members", "value": "everybody" }),
        json!({ "op": "remove", "path": "members[value eq]" }),
    ] {
        let reply = p.app.scim().patch(&path, &patch(json!([operation])));
        assert_eq!(reply.status, 400, "{operation}\n{reply:?}");
        assert_eq!(
            p.app.scim().get(&path).members(),
            [p.u3.as_str()],
            "{operation}"
        );
    }
}

#[test]
fn a_group_name_is_taken_whatever_its_case() {
    let p = people();
    p.app
        .scim()
        .post("/Groups", &group("OPS", &[]))
        .scim_error("uniqueness");
    let other = p.app.group("Sales", &[]);
    p.app
        .scim()
        .patch(
            &format!("/Groups/{other}"),
            &patch(json!([{ "op": "replace", "path": "displayName", "value": "ops" }])),
        )
        .scim_error("uniqueness");
    p.app
        .scim()
        .put(
            &format!("/Groups/{other}"),
            &json!({ "schemas": [GROUP], "displayName": "oPs" }),
        )
        .scim_error("uniqueness");
}

#[test]
fn a_group_is_created_with_its_members() {
    let app = TestApp::new();
    let users = app.users(3);
    let ids: Vec<&str> = users.iter().map(String::as_str).collect();
    let reply = app.scim().post("/Groups", &group("Sales", &ids));
    assert_eq!(reply.expect(201).members(), {
        let mut sorted = users.clone();
        sorted.sort();
        sorted
    });
    let member = &reply.json["members"][0];
    assert_eq!(member["type"], "User");
    assert!(
        member["$ref"]
            .as_str()
            .is_some_and(|url| url.starts_with("http") && url.contains("/Users/")),
        "{reply:?}"
    );
}
