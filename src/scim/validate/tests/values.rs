//! One value at a time: types, emptiness, wrapping, duplicates, limits.

use super::*;

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
