//! Laws of bodies and values.

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
