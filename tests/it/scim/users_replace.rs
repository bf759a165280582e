//! PUT. RFC 7644 §3.5.1.

use super::people::people;
use crate::harness::{GROUP, LEARNER_GROUP, USER, json, user};

#[test]
fn hv_36_what_was_read_can_be_put_back_and_nothing_changes() {
    let p = people();
    for path in [format!("/Users/{}", p.u1), format!("/Groups/{}", p.g1)] {
        let before = p.app.scim().get(&path);
        p.app.clock.advance_millis(5_000);
        let after = p.app.scim().put(&path, &before.json);
        assert_eq!(after.expect(200).etag(), before.etag());
        assert_eq!(after.json, before.json);
    }
}

#[test]
fn hv_37_what_is_left_out_goes_but_a_disabled_account_stays_disabled() {
    let p = people();
    let reply = p.app.scim().put(&format!("/Users/{}", p.u2), &user("bo"));
    reply.expect(200);
    for gone in ["name", "title", "emails", "externalId", "userType"] {
        assert!(reply.json.get(gone).is_none(), "{gone}");
    }
    assert_eq!(
        (&reply.json["userName"], &reply.json["active"]),
        (&json!("bo"), &json!(false))
    );
}

#[test]
fn hv_38_replacing_somebody_who_is_not_there_is_404() {
    let p = people();
    p.app
        .scim()
        .put("/Users/zzz", &user("eve"))
        .scim_failure(404);
    p.app
        .scim()
        .put("/Users/0199a2c4-0000-7000-8000-000000000000", &user("eve"))
        .scim_failure(404);
}

#[test]
fn hv_39_a_taken_name_is_refused_and_nothing_changes() {
    let p = people();
    let before = p.app.scim().get(&format!("/Users/{}", p.u1));
    p.app
        .scim()
        .put(&format!("/Users/{}", p.u1), &user("bo.li"))
        .scim_error("uniqueness");
    assert_eq!(
        p.app.scim().get(&format!("/Users/{}", p.u1)).json,
        before.json
    );
}

#[test]
fn another_id_in_the_body_is_ignored() {
    let p = people();
    let reply = p.app.scim().put(
        &format!("/Users/{}", p.u4),
        &json!({ "schemas": [USER], "id": "other", "userName": "dave" }),
    );
    assert_eq!(reply.expect(200).id(), p.u4);
}

#[test]
fn an_empty_text_clears_and_a_null_clears() {
    let p = people();
    let reply = p.app.scim().put(
        &format!("/Users/{}", p.u3),
        &json!({ "schemas": [USER], "userName": "chloe", "title": "", "nickName": null, "profileUrl": "", "emails": [] }),
    );
    reply.expect(200);
    for gone in ["title", "nickName", "profileUrl", "emails"] {
        assert!(reply.json.get(gone).is_none(), "{gone}");
    }
}

#[test]
fn a_group_keeps_its_members_and_our_extension_when_they_are_left_out() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Groups/{}", p.g1);
    let described = json!({ "schemas": [GROUP, LEARNER_GROUP], "displayName": "Ops", LEARNER_GROUP: { "description": "Keeps it running", "color": "#2563EB" } });
    scim.put(&path, &described).expect(200);
    let reply = scim.put(
        &path,
        &json!({ "schemas": [GROUP], "displayName": "Operations" }),
    );
    assert_eq!(reply.expect(200).members(), [p.u3.as_str()]);
    assert_eq!(reply.json["displayName"], "Operations");
    assert_eq!(reply.json[LEARNER_GROUP]["description"], "Keeps it running");
}

#[test]
fn an_empty_list_of_members_empties_the_group() {
    let p = people();
    let path = format!("/Groups/{}", p.g1);
    let reply = p.app.scim().put(
        &path,
        &json!({ "schemas": [GROUP], "displayName": "Ops", "members": [] }),
    );
    assert!(reply.expect(200).members().is_empty());
    assert!(p.app.scim().get(&path).members().is_empty());
}

#[test]
fn a_list_of_members_becomes_the_membership() {
    let p = people();
    let path = format!("/Groups/{}", p.g1);
    let members = json!([{ "value": p.u1 }, { "value": p.u2 }, { "value": p.u1 }]);
    p.app
        .scim()
        .put(
            &path,
            &json!({ "schemas": [GROUP], "displayName": "Ops", "members": members }),
        )
        .expect(200);
    let mut expected = [p.u1.clone(), p.u2.clone()];
    expected.sort();
    assert_eq!(p.app.scim().get(&path).members(), expected);
}
