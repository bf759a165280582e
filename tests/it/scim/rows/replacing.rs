//! PUT. Checklist §18.

use rollcall::scim::switches::{OmittedMembers, Switches};

use super::acme::{ACME, SHOWN, app};
use crate::harness::{ENT, GROUP, LEARNER_GROUP, TestApp, USER, Value, group, json, user};
use crate::scim::people::people;

//
#[test]
fn a_put_replaces_and_never_creates() {
    let p = people();
    let scim = p.app.scim();
    for path in [
        "/Users/ghost",
        "/Users/0199a2c4-0000-7000-8000-000000000000",
    ] {
        scim.put(path, &user("ghost")).scim_failure(404);
    }
    scim.put(&format!("/Groups/{}", p.u1), &group("X", &[]))
        .scim_failure(404);
    scim.put("/Groups/ghost", &group("X", &[]))
        .scim_failure(404);
    assert_eq!(scim.get("/").json["totalResults"], 5);
    let done = scim.put(&format!("/Users/{}", p.u4), &user("david"));
    assert_eq!(
        done.expect(200).json,
        scim.get(&format!("/Users/{}", p.u4)).json
    );
    assert_eq!(
        done.header("location"),
        done.json["meta"]["location"].as_str().unwrap_or_default()
    );
    let narrow = scim.put(
        &format!("/Users/{}?attributes=userName", p.u4),
        &user("dave"),
    );
    assert_eq!(narrow.expect(200).keys(), ["id", "schemas", "userName"]);
}

//
#[test]
fn what_is_given_replaces_completely_and_what_is_left_out_goes() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u1);
    let body = json!({ "schemas": [USER], "userName": "ada@acme.test", "name": { "givenName": "A" }, "emails": [{ "value": "new@acme.test" }] });
    let done = scim.put(&path, &body);
    assert_eq!(done.expect(200).json["name"], json!({ "givenName": "A" }));
    assert_eq!(done.json["emails"], json!([{ "value": "new@acme.test" }]));
    assert_eq!(
        done.keys(),
        [
            "active", "emails", "id", "meta", "name", "schemas", "userName"
        ]
    );
    assert_eq!(done.json["schemas"], json!([USER]));
    assert_eq!(scim.get(&path).json, done.json);
    let ours = json!({ "schemas": [GROUP, LEARNER_GROUP], "displayName": "Ops", "externalId": "x", LEARNER_GROUP: { "color": "#2563EB" } });
    let place = format!("/Groups/{}", p.g1);
    scim.put(&place, &ours).expect(200);
    let kept = scim.put(&place, &json!({ "schemas": [GROUP], "displayName": "Ops" }));
    assert_eq!(kept.expect(200).json[LEARNER_GROUP]["color"], "#2563EB");
    assert_eq!(kept.json.get("externalId"), None);
    let cleared = scim.put(&place, &json!({ "schemas": [GROUP, LEARNER_GROUP], "displayName": "Ops", LEARNER_GROUP: { "color": null } }));
    assert_eq!(cleared.expect(200).json.get(LEARNER_GROUP), None);
}

//
#[test]
fn read_only_values_are_ignored() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u3);
    let before = scim.get(&path).json.clone();
    let mut body = before.clone();
    body["id"] = json!("other");
    body["meta"] = json!({ "created": "2000-01-01T00:00:00Z", "resourceType": "Group", "version": "W/\"99\"" });
    body["groups"] = json!([{ "value": "nowhere" }]);
    assert_eq!(scim.put(&path, &body).expect(200).json, before);
    let mut managed = scim.get(&format!("/Users/{}", p.u1)).json.clone();
    managed[ENT]["manager"]["displayName"] = json!("Somebody else");
    managed[ENT]["manager"]["$ref"] = json!("https://elsewhere.test/Users/1");
    let after = scim.put(&format!("/Users/{}", p.u1), &managed);
    assert_eq!(
        after.expect(200).json,
        scim.get(&format!("/Users/{}", p.u1)).json
    );
    assert!(!after.text.contains("elsewhere"));
}

// M-23: immutable values, of attributes, of parts, and of elements of a list
#[test]
fn an_immutable_value_is_set_once_and_kept_when_left_out() {
    let app = app();
    let scim = app.scim();
    let path = format!("/Users/{}", app.user("eve"));
    let with =
        |urn: &str, value: Value| json!({ "schemas": [USER, urn], "userName": "eve", urn: value });
    let put = |urn: &str, value: Value| scim.put(&path, &with(urn, value));
    assert_eq!(
        put(ACME, json!({ "serial": "S1" })).expect(200).json[ACME],
        json!({ "serial": "S1" })
    );
    put(ACME, json!({ "serial": "S2" })).scim_error("mutability");
    assert_eq!(
        put(ACME, json!({ "serial": "S1", "badge": 4 }))
            .expect(200)
            .json[ACME]["badge"],
        4
    );
    assert_eq!(
        put(ACME, json!({ "badge": 5 })).expect(200).json[ACME],
        json!({ "badge": 5, "serial": "S1" })
    );
    assert_eq!(
        scim.put(&path, &user("eve")).expect(200).json[ACME],
        json!({ "serial": "S1" })
    );

    put(
        SHOWN,
        json!({ "locker": { "maker": "Metalco", "color": "red" } }),
    )
    .expect(200);
    put(SHOWN, json!({ "locker": { "maker": "Woodco" } })).scim_error("mutability");
    assert_eq!(
        put(SHOWN, json!({ "locker": { "color": "blue" } }))
            .expect(200)
            .json[SHOWN]["locker"],
        json!({ "color": "blue", "maker": "Metalco" })
    );
    assert_eq!(
        scim.put(&path, &user("eve")).expect(200).json[SHOWN]["locker"],
        json!({ "maker": "Metalco" })
    );

    let device = |value: &str, serial: Value, label: &str| json!({ "value": value, "serial": serial, "label": label });
    put(
        SHOWN,
        json!({ "devices": [device("phone", json!("P-1"), "old"), { "value": "tablet" }] }),
    )
    .expect(200);
    let refused = put(
        SHOWN,
        json!({ "devices": [device("phone", json!("P-2"), "old")] }),
    );
    refused.scim_error("mutability");
    assert!(
        refused.text.contains("devices") && refused.text.contains("serial"),
        "{refused:?}"
    );
    let relabeled = put(
        SHOWN,
        json!({ "devices": [{ "value": "phone", "label": "new" }, device("tablet", json!("T-1"), "x")] }),
    );
    assert_eq!(
        relabeled.expect(200).json[SHOWN]["devices"][0]["serial"],
        "P-1",
        "kept: {relabeled:?}"
    );
    assert_eq!(
        relabeled.json[SHOWN]["devices"][1]["serial"], "T-1",
        "set while empty"
    );
    let gone = put(
        SHOWN,
        json!({ "devices": [{ "value": "watch", "serial": "W-1" }] }),
    );
    assert_eq!(
        gone.expect(200).json[SHOWN]["devices"],
        json!([{ "value": "watch", "serial": "W-1" }]),
        "an element may go as a whole"
    );
}

//
#[test]
fn what_is_required_must_be_there_and_null_clears() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u1);
    for body in [
        json!({ "schemas": [USER] }),
        json!({ "schemas": [USER], "userName": null }),
        json!({ "schemas": [USER], "userName": [] }),
    ] {
        let reply = scim.put(&path, &body);
        reply.scim_error("invalidValue");
        assert!(reply.text.contains("userName"));
    }
    scim.put(&format!("/Groups/{}", p.g1), &json!({ "schemas": [GROUP] }))
        .scim_error("invalidValue");
    let cleared = scim.put(&path, &json!({ "schemas": [USER], "userName": "ada@acme.test", "title": null, "roles": [], "emails": null, "active": null }));
    assert_eq!(
        cleared.expect(200).keys(),
        ["id", "meta", "schemas", "userName"]
    );
}

//
#[test]
fn a_put_neither_sets_a_password_nor_switches_anybody_on_or_off() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u2);
    let mut body = scim.get(&path).json.clone();
    let tag = scim.get(&path).etag();
    for password in [json!("secret-1"), Value::Null, json!("")] {
        body["password"] = password;
        let reply = scim.put(&path, &body);
        assert_eq!(reply.expect(200).etag(), tag);
        assert!(!reply.text.contains("secret-1"));
    }
    assert_eq!(
        scim.put(&path, &user("Bo.Li")).expect(200).json["active"],
        false
    );
    let active = format!("/Users/{}", p.u1);
    assert_eq!(
        scim.put(&active, &user("ada@acme.test")).expect(200).json["active"],
        true
    );
}

// by switch, and as a difference
#[test]
fn a_group_put_without_members_keeps_or_clears_them_as_the_connection_says() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Groups/{}", p.g1);
    let rename = |name: &str| json!({ "schemas": [GROUP], "displayName": name });
    assert_eq!(
        scim.put(&path, &rename("A")).expect(200).members(),
        [p.u3.as_str()]
    );
    let both = json!({ "schemas": [GROUP], "displayName": "A", "members": [{ "value": p.u3 }, { "value": p.u1 }] });
    scim.put(&path, &both).expect(200);
    let logged = p.app.logged("the put", |row| {
        row["operation"] == "replace" && row["effects"]["members_added"] == 1
    });
    assert_eq!(
        logged["effects"]["members_ended"], 0,
        "who stays is not touched: {logged}"
    );
    for empty in [json!([]), Value::Null] {
        scim.put(&path, &both).expect(200);
        let mut body = rename("A");
        body["members"] = empty;
        assert!(scim.put(&path, &body).expect(200).members().is_empty());
    }
    scim.put(&path, &both).expect(200);
    let clearing = p.app.scim_with(
        "clearing",
        Switches {
            put_omitted_members: OmittedMembers::Clear,
            ..Switches::default()
        },
    );
    assert!(
        clearing
            .put(&path, &rename("A"))
            .expect(200)
            .members()
            .is_empty()
    );
}

// R-13, C-18
#[test]
fn what_was_read_can_be_put_back_unchanged() {
    let p = people();
    let scim = p.app.scim();
    for path in [
        format!("/Users/{}", p.u1),
        format!("/Users/{}", p.u2),
        format!("/Users/{}", p.u4),
        format!("/Groups/{}", p.g1),
    ] {
        let before = scim.get(&path);
        p.app.clock.advance_millis(60_000);
        let after = scim.put(&path, &before.json);
        assert_eq!(
            (after.expect(200).etag(), &after.json),
            (before.etag(), &before.json)
        );
        let logged = p.app.logged("the put", |row| row["operation"] == "replace");
        assert_eq!(logged["outcome"], "no_op");
    }
}

//
#[test]
fn a_taken_name_is_a_conflict_and_ones_own_is_not() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u1);
    let before = scim.get(&path);
    scim.put(&path, &user("DAVE")).scim_error("uniqueness");
    assert_eq!(scim.get(&path).json, before.json);
    assert_eq!(
        scim.put(&path, &user("ADA@acme.test")).expect(200).json["userName"],
        "ADA@acme.test"
    );
    scim.with_header("If-Match", &before.etag())
        .put(&path, &user("ada"))
        .scim_failure(412);
    let now = scim.get(&path).etag();
    scim.with_header("If-Match", &now)
        .put(&path, &user("ada"))
        .expect(200);
}

// R-04, W-06: a group made by a PUT of what another server showed
#[test]
fn unknown_parts_of_a_put_are_ignored() {
    let app = TestApp::new();
    let path = format!("/Users/{}", app.user("eve"));
    let body = json!({ "schemas": [USER, "urn:example:other:2.0:User"], "userName": "eve", "favColor": "red", "urn:example:other:2.0:User": { "a": 1 }, "name": { "nickname2": "x", "givenName": "Eve" } });
    let reply = app.scim().put(&path, &body);
    assert_eq!(
        reply.expect(200).json["name"],
        json!({ "givenName": "Eve" })
    );
    assert_eq!(reply.json["schemas"], json!([USER]));
    assert!(!reply.text.contains("favColor") && !reply.text.contains("example:other"));
}

// parts of a value that no response shows unasked are kept as whole attributes are
#[test]
fn the_hidden_parts_of_a_value_survive_sending_back_what_was_read() {
    let app = app();
    let scim = app.scim();
    let body = json!({ "schemas": [USER, SHOWN], "userName": "eve", SHOWN: {
        "locker": { "number": "12", "code": "c0de-77", "note": "by the door", "color": "red" },
        "devices": [{ "value": "phone", "label": "a", "secret": "hush-88" }, { "value": "tablet", "secret": "hush-99" }],
    } });
    let path = format!("/Users/{}", scim.post("/Users", &body).expect(201).id());
    let note = || {
        let asked = format!("{path}?attributes={SHOWN}:locker.note");
        scim.get(&asked).expect(200).json[SHOWN]["locker"]["note"].clone()
    };
    let read = scim.get(&path);
    let put = scim.put(&path, &read.json);
    assert_eq!(put.expect(200).etag(), read.etag());
    assert_eq!(put.json, read.json);
    assert_eq!(note(), "by the door");
    // with a change beside them, and in the elements that go on
    let mut changed = read.json.clone();
    changed[SHOWN]["locker"]["color"] = json!("blue");
    changed[SHOWN]["devices"] = json!([{ "value": "tablet" }, { "value": "watch" }]);
    let put = scim.put(&path, &changed);
    assert_ne!(put.expect(200).etag(), read.etag());
    assert_eq!(note(), "by the door");
    let devices = app.everything_at_rest();
    assert!(devices.contains("c0de-77") && devices.contains("hush-99"));
    // what is named is meant, and a value that is left out goes with all of its parts
    changed[SHOWN]["locker"]["note"] = json!(null);
    scim.put(&path, &changed).expect(200);
    assert!(note().is_null());
    let filter = format!("/Users?filter={SHOWN}:locker pr");
    assert_eq!(scim.get(&filter).json["totalResults"], 1);
    changed[SHOWN]["locker"] = json!(null);
    scim.put(&path, &changed).expect(200);
    assert_eq!(scim.get(&filter).json["totalResults"], 0);
}
