//! One table per group of rules; the ids are those of `scim-conformance.md`.

use serde_json::{Value, json};

use super::accept::KEPT_EXTENSION;
use super::note::MAX_NOTES;
use super::*;
use crate::scim::error::ScimError;
use crate::scim::error::ScimErrorKind;
use crate::scim::resource::Resource;
use crate::scim::schema::{Registry, ResourceType};
use crate::scim::switches::{OmittedMembers, Switches};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const ACME: &str = "urn:example:scim:schemas:acme:1.0:User";
const ACME_FILE: &str = r#"{"id":"urn:example:scim:schemas:acme:1.0:User","name":"Acme","rollcall":{"extends":"User"},
    "attributes":[{"name":"badge","type":"integer"},{"name":"score","type":"decimal"},{"name":"vip","type":"boolean"},
    {"name":"tags","multiValued":true,"caseExact":true},{"name":"hired","type":"dateTime"},
    {"name":"blob","type":"binary"},{"name":"serial","mutability":"immutable"},
    {"name":"desk","type":"complex","subAttributes":[{"name":"floor","mutability":"immutable"},{"name":"room","required":true}]}]}"#;

fn types() -> (ResourceType, ResourceType) {
    let mut registry = Registry::builtin().unwrap();
    registry.add("acme.json", ACME_FILE).unwrap();
    let of = |name| registry.resource_type(name).unwrap().as_ref().clone();
    (of("User"), of("Group"))
}

fn user(mut attributes: Value) -> Value {
    attributes["schemas"] = json!([USER]);
    attributes
}

fn post(attributes: Value) -> Result<Accepted, ScimError> {
    accept(
        &types().0,
        user(attributes),
        Context::Create,
        &Switches::default(),
    )
}

fn post_kind(attributes: Value) -> Result<Value, ScimErrorKind> {
    post(attributes)
        .map(|accepted| Value::Object(accepted.resource.into_document()))
        .map_err(|error| error.kind)
}

fn put(before: Value, attributes: Value) -> Result<Value, ScimErrorKind> {
    let before = Resource::from_valid(before.as_object().unwrap().clone());
    accept(
        &types().0,
        user(attributes),
        Context::Replace { before: &before },
        &Switches::default(),
    )
    .map(|accepted| Value::Object(accepted.resource.into_document()))
    .map_err(|error| error.kind)
}

/// The stored form of one attribute of a new user.
fn stored(name: &str, value: Value) -> Result<Option<Value>, ScimErrorKind> {
    let document = post_kind(json!({"userName": "ada", name: value}))?;
    Ok(document.get(name).cloned())
}

/// The same inside the made-up extension.
fn acme(name: &str, value: Value) -> Result<Option<Value>, ScimErrorKind> {
    let document = post_kind(json!({"userName": "ada", ACME: {name: value}}))?;
    Ok(document
        .get(ACME)
        .and_then(|container| container.get(name))
        .cloned())
}

fn codes(accepted: &Accepted) -> Vec<(&str, &str)> {
    accepted
        .notes
        .iter()
        .map(|note| (note.code, note.path.as_str()))
        .collect()
}

const BAD: ScimErrorKind = ScimErrorKind::InvalidValue;

#[test]
fn a_value_must_have_the_type_of_its_attribute() {
    let good = [
        ("badge", json!(7), json!(7)),
        ("badge", json!(i64::MIN), json!(i64::MIN)),
        ("score", json!(1.5), json!(1.5)),
        ("score", json!(2), json!(2)),
        ("vip", json!("TRUE"), json!(true)),
        ("vip", json!(false), json!(false)),
        (
            "hired",
            json!("2026-03-01T12:00:00.5+02:00"),
            json!("2026-03-01T10:00:00.500Z"),
        ),
        (
            "hired",
            json!("2026-03-01T12:00:00"),
            json!("2026-03-01T12:00:00.000Z"),
        ),
        ("blob", json!("QUJD"), json!("QUJD")),
        ("blob", json!("-_8"), json!("+/8=")),
        (
            "tags",
            json!(["red", "Blue", "red", ""]),
            json!(["red", "Blue"]),
        ),
    ];
    for (name, sent, expected) in good {
        assert_eq!(
            acme(name, sent.clone()),
            Ok(Some(expected)),
            "{name} {sent}"
        );
    }
    let bad = [
        ("badge", json!(5.0)),
        ("badge", json!(1e3)),
        ("badge", json!("5")),
        ("badge", json!(u64::MAX)),
        ("score", json!("1.5")),
        ("vip", json!("yes")),
        ("vip", json!("0")),
        ("vip", json!(1)),
        ("vip", json!("")),
        ("hired", json!("2026-03-01")),
        ("hired", json!("2026-03-01T12:00:00z")),
        ("hired", json!("yesterday")),
        ("blob", json!("@@")),
        ("blob", json!(5)),
        ("tags", json!("red")),
        ("tags", json!({"value": "red"})),
        ("tags", json!(["a", {"value": "b"}])),
        ("tags", json!([["a"]])),
    ];
    for (name, sent) in bad {
        assert_eq!(acme(name, sent.clone()), Err(BAD), "{name} {sent}");
    }
    for sent in [
        json!(5),
        json!(true),
        json!({"a": "b"}),
        json!(["x"]),
        json!("a\0b"),
    ] {
        assert_eq!(stored("title", sent.clone()), Err(BAD), "{sent}");
    }
}

#[test]
fn null_the_empty_list_and_the_empty_string_are_unassigned() {
    let cases = [
        ("title", json!(null)),
        ("title", json!([])),
        ("title", json!("")),
        ("profileUrl", json!("")),
        ("name", json!({})),
        ("name", json!({"givenName": "", "familyName": null})),
        ("roles", json!([])),
        ("roles", json!("")),
        ("emails", json!([null])),
        (
            "emails",
            json!([{}, {"value": null, "type": "work"}, {"type": "home", "primary": true}]),
        ),
        ("phoneNumbers", json!([{"value": "", "type": "work"}])),
        (ENT, json!({"manager": ""})),
        (ENT, json!({"manager": {"value": ""}})),
        (
            ENT,
            json!({"manager": {"managerId": "", "displayName": ""}}),
        ),
        (ENT, json!(null)),
        (ENT, json!({})),
    ];
    for (name, sent) in cases {
        assert_eq!(stored(name, sent.clone()), Ok(None), "{name} {sent}");
    }
}

#[test]
fn a_scalar_is_wrapped_and_a_list_of_one_unwrapped_where_only_that_can_be_meant() {
    let cases = [
        (
            "emails",
            json!({"value": "a@x.test"}),
            json!([{"value": "a@x.test"}]),
        ),
        (
            "emails",
            json!(["a@x.test"]),
            json!([{"value": "a@x.test"}]),
        ),
        (
            ENT,
            json!({"manager": "u3"}),
            json!({"manager": {"value": "u3"}}),
        ),
        (
            ENT,
            json!({"manager": [{"value": "u3"}]}),
            json!({"manager": {"value": "u3"}}),
        ),
        (
            ENT,
            json!({"manager": {"$ref": "../Users/u3"}}),
            json!({"manager": {"value": "u3"}}),
        ),
        (
            ENT,
            json!({"manager": {"managerId": "u3"}}),
            json!({"manager": {"value": "u3"}}),
        ),
        (
            ENT,
            json!({"manager": {"value": "u3", "displayName": "C", "$ref": "Users/u4"}}),
            json!({"manager": {"value": "u3"}}),
        ),
    ];
    let strict = Switches {
        wrap_scalar: false,
        ..Switches::default()
    };
    for (name, sent, expected) in cases {
        assert_eq!(
            stored(name, sent.clone()),
            Ok(Some(expected.clone())),
            "{name} {sent}"
        );
        let refused = accept(
            &types().0,
            user(json!({"userName": "ada", name: sent})),
            Context::Create,
            &strict,
        );
        let accepts_object = expected.get("manager").is_some() && sent["manager"].is_object();
        assert_eq!(refused.is_ok(), accepts_object, "{name} {sent}");
    }
    for (name, sent) in [
        ("name", json!("Ada")),
        ("name", json!([{"givenName": "A"}, {"givenName": "B"}])),
        ("emails", json!("a@x.test")),
        ("emails", json!(["a@x.test", {"value": "b@x.test"}])),
        ("emails", json!([5])),
        (ENT, json!("x")),
    ] {
        assert_eq!(stored(name, sent.clone()), Err(BAD), "{name} {sent}");
    }
}

#[test]
fn equal_elements_are_merged_at_the_first_place() {
    let sent = json!([
        {"value": "a@x.test", "type": "Work"}, {"value": "b@x.test"}, {"value": "A@x.test", "type": "work", "display": "A"},
        {"value": "a@x.test", "type": "home"}, {"value": "b@x.test"}
    ]);
    let expected = json!([
        {"value": "A@x.test", "type": "work", "display": "A"}, {"value": "b@x.test"}, {"value": "a@x.test", "type": "home"}
    ]);
    assert_eq!(stored("emails", sent), Ok(Some(expected)));
    let addresses = json!([{"locality": "Oslo"}, {"locality": "Bergen"}, {"locality": "Oslo"}]);
    assert_eq!(
        stored("addresses", addresses),
        Ok(Some(json!([{"locality": "Oslo"}, {"locality": "Bergen"}])))
    );
}

#[test]
fn one_element_at_most_is_primary() {
    let two =
        json!([{"value": "a@x.test", "primary": true}, {"value": "b@x.test", "primary": "True"}]);
    assert_eq!(stored("emails", two), Err(BAD));
    let one =
        json!([{"value": "a@x.test", "primary": false}, {"value": "b@x.test", "primary": "true"}]);
    let expected =
        json!([{"value": "a@x.test", "primary": false}, {"value": "b@x.test", "primary": true}]);
    assert_eq!(stored("emails", one), Ok(Some(expected)));
}

#[test]
fn limits_are_limits() {
    let chars = |count: usize| json!("é".repeat(count));
    let emails = |count: usize| {
        Value::Array(
            (0..count)
                .map(|number| json!({"value": format!("a{number}@x.test")}))
                .collect::<Vec<_>>(),
        )
    };
    let cases = [
        ("title", chars(4096), true),
        ("title", chars(4097), false),
        ("userName", chars(512), true),
        ("userName", chars(513), false),
        ("externalId", chars(513), false),
        ("profileUrl", chars(8192), true),
        ("profileUrl", chars(8193), false),
        ("name", json!({"formatted": "x".repeat(8192)}), true),
        ("name", json!({"formatted": "x".repeat(8193)}), false),
        ("emails", emails(200), true),
        ("emails", emails(201), false),
        (
            "x509Certificates",
            json!([{"value": "QUJD".repeat(16_384)}]),
            true,
        ),
        (
            "x509Certificates",
            json!([{"value": "QUJD".repeat(22_000)}]),
            false,
        ),
    ];
    for (name, sent, fits) in cases {
        let mut body = json!({"userName": "ada"});
        body[name] = sent;
        assert_eq!(post(body).is_ok(), fits, "{name}");
    }
}

#[test]
fn strings_stay_as_they_are_but_suggested_values_get_their_spelling() {
    for (name, sent, expected) in [
        (
            "title",
            json!(" Engineer \u{7} "),
            json!(" Engineer \u{7} "),
        ),
        ("profileUrl", json!("any word"), json!("any word")),
        (
            "roles",
            json!([{"value": "{\"id\":1}", "type": "WindowsAzureActiveDirectoryRole"}]),
            json!([{"value": "{\"id\":1}", "type": "WindowsAzureActiveDirectoryRole"}]),
        ),
        (
            "phoneNumbers",
            json!([{"value": "1", "type": "MOBILE"}]),
            json!([{"value": "1", "type": "mobile"}]),
        ),
        (
            "phoneNumbers",
            json!([{"value": "1", "type": "mobile2"}]),
            json!([{"value": "1", "type": "mobile2"}]),
        ),
    ] {
        assert_eq!(stored(name, sent), Ok(Some(expected)));
    }
    assert_eq!(stored("emails", json!([{"value": "no address"}])), Err(BAD));
    assert!(stored("emails", json!([{"value": "josé@exämple.test"}])).is_ok());
}

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

mod laws {
    use proptest::prelude::*;

    use super::*;

    fn any_json() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[a-z]{0,3}",
            "work|Work|true|False|QUI=|a@x.test|2026-03-01T12:00:00[+]01:00",
            ".{0,4}"
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e6..1e6_f64).prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let name = prop_oneof![
                "value|type|primary|display|[$]ref|givenName|formatted|managerId",
                "[a-z]{1,3}"
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..5)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    /// No `null`, `""`, `[]` or `{}` at any depth.
    fn is_dense(value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(elements) => !elements.is_empty() && elements.iter().all(is_dense),
            Value::Object(object) => !object.is_empty() && object.values().all(is_dense),
            _ => true,
        }
    }

    proptest! {
        #[test]
        fn the_stored_form_is_dense_and_stays_as_it_is(value in any_json(), wrap in any::<bool>()) {
            let switches = Switches { wrap_scalar: wrap, ..Switches::default() };
            let (rt, _) = types();
            let extensions = rt.extensions.iter().flat_map(|extension| &extension.schema.attributes);
            for def in rt.schema.attributes.iter().chain(extensions).filter(|def| !def.derived) {
                let mut notes = Vec::new();
                if let Ok(Some(stored)) = normalize(def, &def.name, value.clone(), &switches, &mut notes) {
                    prop_assert!(is_dense(&stored), "{}: {stored}", def.name);
                    let again = normalize(def, &def.name, stored.clone(), &Switches::strict(), &mut notes);
                    prop_assert_eq!(again, Ok(Some(stored)), "{}", &def.name);
                }
            }
        }

        #[test]
        fn a_put_of_what_was_stored_changes_nothing(emails in any_json(), manager in any_json(), name in any_json()) {
            let sent = json!({"userName": "ada", "emails": emails, "name": name, ENT: {"manager": manager}});
            if let Ok(stored) = post_kind(sent) {
                prop_assert_eq!(put(stored.clone(), stored.clone()), Ok(stored));
            }
        }
    }
}
