//! Whole bodies: what is kept, ignored, noted and refused.

use super::*;

#[test]
fn a_new_user_is_active_unless_the_body_says_otherwise() {
    assert_eq!(
        post_kind(json!({"userName": "ada"})),
        Ok(json!({"userName": "ada", "active": true}))
    );
    assert_eq!(
        post_kind(json!({"userName": "ada", "active": null})),
        Ok(json!({"userName": "ada"}))
    );
    assert_eq!(
        post_kind(json!({"USERNAME": "ada", "Active": "False"})),
        Ok(json!({"userName": "ada", "active": false}))
    );
    for body in [
        json!({}),
        json!({"userName": null}),
        json!({"userName": ""}),
    ] {
        assert_eq!(post_kind(body), Err(BAD));
    }
}

#[test]
fn what_the_server_owns_is_ignored_and_what_nobody_knows_is_noted() {
    let accepted = post(json!({
        "userName": "eve", "id": "mine", "meta": {"created": "2000-01-01T00:00:00Z"}, "groups": [{"value": "g1"}],
        "favColor": "red", "name": {"givenName": "Eve", "preferred": "E"}, "password": "x", "active": "true",
        "urn:nobody:1": {"x": 1}, "http://example.test/Group": null,
        "urn:rollcall:params:scim:schemas:extension:learner:2.0:User": {"approval": "approved"},
    }))
    .unwrap();
    let expected = json!({"userName": "eve", "name": {"givenName": "Eve"}, "active": true});
    assert_eq!(
        Value::Object(accepted.resource.document().clone()),
        expected
    );
    assert_eq!(
        codes(&accepted),
        [
            ("unknown_attribute", "favColor"),
            ("unknown_attribute", "name.preferred"),
            ("password_discarded", "password"),
            ("string_boolean", "active"),
            ("unknown_schema", "urn:nobody:1"),
            ("unknown_schema", "http://example.test/Group"),
        ]
    );
    assert!(
        accepted.named.contains(&"groups".to_owned())
            && !accepted.named.contains(&"title".to_owned())
    );
    let strict = |attributes| {
        accept(
            &types().0,
            user(attributes),
            Context::Create,
            &Switches::strict(),
        )
        .map_err(|error| error.kind)
    };
    for attributes in [
        json!({"favColor": 1}),
        json!({"name": {"x": 1}}),
        json!({"urn:nobody:1": {}}),
        json!({"active": "true"}),
    ] {
        let mut body = attributes.clone();
        body["userName"] = json!("eve");
        assert_eq!(strict(body).err(), Some(BAD), "{attributes}");
    }
}

#[test]
fn schemas_must_name_the_base_schema_of_the_endpoint() {
    let (user_type, _) = types();
    let with = |schemas: Value, switches: &Switches| {
        let body = json!({"schemas": schemas, "userName": "ada"});
        accept(&user_type, body, Context::Create, switches).map_err(|error| error.kind)
    };
    let tolerant = Switches::default();
    let syntax = ScimErrorKind::InvalidSyntax;
    for (schemas, expected) in [
        (json!([USER]), None),
        (json!([USER.to_uppercase(), ENT]), None),
        (json!([USER, "urn:nobody:1"]), None),
        (
            json!([
                USER,
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"
            ]),
            None,
        ),
        (json!(["urn:scim:schemas:core:1.0"]), None),
        (
            json!([
                "urn:scim:schemas:core:2.0",
                "urn:scim:schemas:extension:enterprise:2.0"
            ]),
            None,
        ),
        (json!([]), Some(syntax)),
        (json!(null), Some(syntax)),
        (json!(USER), Some(syntax)),
        (json!([5]), Some(syntax)),
        (json!([ENT]), Some(BAD)),
        (json!([GROUP]), Some(BAD)),
        (json!([USER, GROUP]), Some(BAD)),
    ] {
        assert_eq!(
            with(schemas.clone(), &tolerant).err(),
            expected,
            "{schemas}"
        );
    }
    assert!(
        with(
            json!([]),
            &Switches {
                infer_schemas: true,
                ..Switches::default()
            }
        )
        .is_ok()
    );
    assert_eq!(
        with(json!([USER, "urn:nobody:1"]), &Switches::strict()).err(),
        Some(BAD)
    );
    for body in [json!([]), json!("x"), json!(null)] {
        let refused = accept(&user_type, body, Context::Create, &tolerant);
        assert_eq!(refused.map_err(|error| error.kind), Err(syntax));
    }
}

#[test]
fn old_and_misspelled_containers_count_when_the_right_one_is_absent() {
    for urn in [
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        "urn:scim:schemas:extension:enterprise:1.0",
    ] {
        let document = post_kind(json!({"userName": "ada", urn: {"department": "Ops"}})).unwrap();
        assert_eq!(document[ENT], json!({"department": "Ops"}), "{urn}");
        let document = post_kind(
            json!({"userName": "ada", urn: {"department": "No"}, ENT: {"division": "D"}}),
        )
        .unwrap();
        assert_eq!(document[ENT], json!({"division": "D"}), "{urn}");
    }
}

#[test]
fn names_that_differ_in_case_only_are_refused_at_every_level() {
    for body in [
        json!({"userName": "a", "username": "b"}),
        json!({"userName": "a", "name": {"givenName": "A", "GivenName": "B"}}),
        json!({"userName": "a", "emails": [{"value": "a@x.test", "VALUE": "b@x.test"}]}),
    ] {
        assert_eq!(post_kind(body), Err(ScimErrorKind::InvalidSyntax));
    }
}

#[test]
fn a_put_clears_what_it_omits_and_keeps_what_it_must() {
    let before = json!({
        "userName": "bo", "title": "T", "externalId": "x", "active": false,
        ENT: {"department": "Ops"}, ACME: {"serial": "s1", "badge": 7, "desk": {"floor": "1", "room": "2"}},
    });
    let kept = json!({"userName": "bo", "active": false, ACME: {"serial": "s1"}});
    let without_desk = json!({
        "userName": "bo", "title": "T", "externalId": "x", "active": false, ENT: {"department": "Ops"},
        ACME: {"serial": "s1", "badge": 7},
    });
    assert_eq!(
        put(without_desk.clone(), json!({"userName": "bo"})),
        Ok(kept)
    );
    assert_eq!(
        put(
            without_desk.clone(),
            json!({"userName": "bo", "active": null})
        )
        .map(|document| document.get("active").is_none()),
        Ok(true)
    );
    let immutable = ScimErrorKind::Mutability;
    assert_eq!(
        put(
            before.clone(),
            json!({"userName": "bo", ACME: {"serial": "s2"}})
        ),
        Err(immutable)
    );
    assert_eq!(
        put(
            before.clone(),
            json!({"userName": "bo", ACME: {"desk": {"floor": "9", "room": "2"}}})
        ),
        Err(immutable)
    );
    assert_eq!(
        put(
            without_desk.clone(),
            json!({"userName": "bo", ACME: {"desk": {"floor": "9"}}})
        ),
        Err(BAD)
    );
    assert_eq!(put(before.clone(), json!({"title": "T"})), Err(BAD));
    assert_eq!(put(before.clone(), before.clone()), Ok(before));
}

#[test]
fn a_put_of_a_group_keeps_our_extension_attribute_by_attribute() {
    const OURS: &str = KEPT_EXTENSION;
    let before = json!({"displayName": "Ops", "externalId": "x", OURS: {"description": "d", "color": "teal"}});
    let before = Resource::from_valid(before.as_object().unwrap().clone());
    for (container, expected) in [
        (None, json!({"description": "d", "color": "teal"})),
        (
            Some(json!({})),
            json!({"description": "d", "color": "teal"}),
        ),
        (
            Some(json!({"color": "red"})),
            json!({"description": "d", "color": "red"}),
        ),
        (Some(json!({"color": null})), json!({"description": "d"})),
        (Some(json!(null)), json!(null)),
    ] {
        let mut body = json!({"schemas": [GROUP], "displayName": "Ops 2"});
        if let Some(container) = container {
            body[OURS] = container;
        }
        let accepted = accept(
            &types().1,
            body,
            Context::Replace { before: &before },
            &Switches::default(),
        )
        .unwrap();
        assert_eq!(
            accepted
                .resource
                .document()
                .get(OURS)
                .cloned()
                .unwrap_or_default(),
            expected
        );
        assert_eq!(accepted.resource.text("externalId", None), None);
        assert_eq!(accepted.members, None);
    }
}

#[test]
fn members_are_read_as_ids_each_once_and_in_order() {
    let group = |members: Value, switches: &Switches| {
        let body = json!({"schemas": [GROUP], "displayName": "Ops", "members": members});
        accept(&types().1, body, Context::Create, switches)
    };
    let tolerant = Switches {
        put_omitted_members: OmittedMembers::Keep,
        ..Switches::default()
    };
    let ids = |members: Value| {
        let accepted = group(members, &tolerant).map_err(|error| error.kind)?;
        let members = accepted.members.expect("sent");
        Ok(members
            .into_iter()
            .map(|member| (member.id, member.is_group))
            .collect::<Vec<_>>())
    };
    let user = |id: &str| (id.to_owned(), false);
    let nested = |id: &str| (id.to_owned(), true);
    for (members, expected) in [
        (
            json!([{"value": "u2"}, {"value": "u1", "type": "USER"}, {"value": "u2"}]),
            vec![user("u2"), user("u1")],
        ),
        (json!({"value": "u1"}), vec![user("u1")]),
        (json!(["u1"]), vec![user("u1")]),
        (
            json!([{"$ref": "https://x.test/scim/v2/Users/u1", "value": null}]),
            vec![user("u1")],
        ),
        (json!([{"$ref": null, "VALUE": "u1"}]), vec![user("u1")]),
        (json!([{"$ref": "../Groups/g1"}]), vec![nested("g1")]),
        (
            json!([{"value": "g1", "type": "Group"}]),
            vec![nested("g1")],
        ),
        (json!([]), vec![]),
        (json!(null), vec![]),
    ] {
        assert_eq!(ids(members.clone()), Ok(expected), "{members}");
    }
    for members in [
        json!("u1"),
        json!(""),
        json!([{}]),
        json!([null]),
        json!([{"value": null}]),
        json!([{"value": 5}]),
        json!([{"display": "x"}]),
        json!([{"value": "u1", "type": 5}]),
    ] {
        assert_eq!(ids(members.clone()), Err(BAD), "{members}");
    }
    assert_eq!(
        ids(Value::Array(vec![json!("u"); MAX_MEMBERS + 1])),
        Err(ScimErrorKind::TooLarge)
    );
    let noted = group(json!([{"value": "g1", "type": "Group"}]), &tolerant).unwrap();
    assert_eq!(
        codes(&noted),
        [("nested_group_ignored", "members[value eq \"g1\"]")]
    );
    assert!(noted.resource.document().get("members").is_none());
}

#[test]
fn a_required_extension_must_be_there_with_its_required_attributes() {
    let mut registry = Registry::builtin().unwrap();
    let file = r#"{"id":"urn:x:1","name":"X","attributes":[{"name":"x","required":true},{"name":"y"}],
        "rollcall":{"extends":"User","required":true}}"#;
    registry.add("x.json", file).unwrap();
    let rt = registry.resource_type("User").unwrap();
    let fits = |container: Value| {
        let body = user(json!({"userName": "ada", "urn:x:1": container}));
        accept(rt, body, Context::Create, &Switches::default())
            .map_err(|error| error.kind)
            .map(|_| ())
    };
    assert_eq!(fits(json!({"x": "1"})), Ok(()));
    assert_eq!(fits(json!({"y": "1"})), Err(BAD));
    assert_eq!(fits(json!(null)), Err(BAD));
}

#[test]
fn errors_name_the_attribute_and_never_the_value() {
    for (body, path) in [
        (
            json!({"userName": "a", "emails": [{"value": "a@x.test"}, {"value": "sécret"}]}),
            "emails[1].value",
        ),
        (
            json!({"userName": "a", "name": {"givenname": 5}}),
            "name.givenName",
        ),
        (
            json!({"userName": "a", ENT: {"costCenter": ["sécret"]}}),
            "enterprise:2.0:User:costCenter",
        ),
        (json!({"userName": "a", "active": "sécret"}), "active"),
    ] {
        let error = post(body).expect_err(path);
        assert!(error.detail.contains(path), "{}", error.detail);
        assert!(!error.detail.contains("sécret"), "{}", error.detail);
    }
}

#[test]
fn a_body_of_unknown_names_fills_no_log() {
    let mut body = json!({"userName": "ada"});
    for number in 0..1000 {
        body[format!("x{number}")] = json!(1);
    }
    assert_eq!(post(body).unwrap().notes.len(), MAX_NOTES);
}
