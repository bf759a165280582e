//! Laws that hold for every PATCH: adding what is there is nothing, what was removed can be added again, and no PATCH
//! leaves a document that is not a stored one.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::vectors::{patched, run, schemas};
use crate::scim::error::ScimError;
use crate::scim::filter::fixture::user_type;
use crate::scim::resource::Resource;
use crate::scim::switches::Switches;
use crate::scim::validate::{Context, accept};

/// One element of a multi-valued attribute.
fn element() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![Just("work"), Just("home"), Just("other")];
    (
        prop_oneof![Just("a@x"), Just("b@x"), Just("C@x")],
        proptest::option::of(kind),
        proptest::option::of("[a-z]{1,3}"),
    )
        .prop_map(|(value, kind, display)| {
            let mut object = Map::from_iter([("value".to_owned(), json!(value))]);
            object.extend(kind.map(|kind| ("type".to_owned(), json!(kind))));
            object.extend(display.map(|display| ("display".to_owned(), json!(display))));
            Value::Object(object)
        })
}

fn person() -> impl Strategy<Value = Value> {
    (
        proptest::option::of("[a-z]{1,4}"),
        proptest::collection::vec(element(), 0..4),
    )
        .prop_map(|(title, emails)| {
            let mut object = Map::from_iter([("userName".to_owned(), json!("ada"))]);
            object.extend(title.map(|title| ("title".to_owned(), json!(title))));
            // Through the engine, so that it is a stored document: no two elements alike.
            match run(
                Value::Object(object.clone()),
                json!([{"op": "add", "path": "emails", "value": emails}]),
            ) {
                Ok(person) => person,
                Err(_) => Value::Object(object),
            }
        })
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop_oneof![Just(""), Just("x"), Just("True"), Just("work"), Just("a@x")]
            .prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("value"),
        Just("type"),
        Just("primary"),
        Just("emails"),
        Just("name.givenName"),
        Just("emails[type eq \"work\"].value"),
        Just("manager"),
        Just("schemas"),
        Just("tags"),
        Just("$ref"),
    ];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..3).prop_map(|pairs| pairs
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()),
        ]
    })
}

fn operation() -> impl Strategy<Value = Value> {
    let paths = [
        "title",
        "emails",
        "emails.type",
        "emails.primary",
        "name",
        "name.givenName",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "emails[not (primary eq true)].primary",
        "emails[type ne \"work\" and value sw \"a\"].display",
        "addresses[type eq \"x\"].country",
        "schemas",
        "schemas[value pr]",
        "groups",
        "id",
        "active",
        "manager",
        "department",
        "urn:example:scim:schemas:acme:1.0:User",
        "urn:example:scim:schemas:acme:1.0:User:tags",
        "tags[value eq \"red\"]",
        "tags eq \"red\"",
        "serial",
        "emails[",
        "emails[0]",
        "",
        "/x",
        "é[\"",
        "userName",
    ];
    let path = proptest::option::of(proptest::sample::select(paths.to_vec()));
    let op = prop_oneof![Just("add"), Just("replace"), Just("remove")];
    (op, path, proptest::option::of(anything())).prop_map(|(op, path, value)| {
        let mut object = Map::from_iter([("op".to_owned(), json!(op))]);
        object.extend(path.map(|path| ("path".to_owned(), json!(path))));
        object.extend(value.map(|value| ("value".to_owned(), value)));
        Value::Object(object)
    })
}

/// What a PUT of a patched resource comes to.
fn put_back(document: &Value) -> Result<Value, ScimError> {
    let rt = user_type();
    let before = Resource::from_valid(document.as_object().cloned().unwrap_or_default());
    let mut body = before.document().clone();
    body.insert("schemas".to_owned(), schemas(&rt, before.document()));
    let context = Context::Replace { before: &before };
    let accepted = accept(&rt, Value::Object(body), context, &Switches::strict())?;
    Ok(Value::Object(accepted.resource.into_document()))
}

/// Whether a document holds no `null`, `[]`, `{}` or `""` anywhere.
fn is_canonical(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty() && list.iter().all(is_canonical),
        Value::Object(object) => !object.is_empty() && object.values().all(is_canonical),
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn adding_what_is_there_changes_nothing(person in person()) {
        let value = json!({"emails": person.get("emails").cloned().unwrap_or(Value::Null), "title": person.get("title").cloned().unwrap_or(Value::Null)});
        let ops = json!([{"op": "add", "value": value}]);
        let (after, changed) = patched(&user_type(), &person, &ops, &Switches::default()).unwrap();
        prop_assert_eq!(after, person);
        prop_assert!(!changed);
    }

    #[test]
    fn removing_and_adding_again_restores(person in person()) {
        let Some(emails) = person.get("emails").cloned() else { return Ok(()) };
        let ops = json!([{"op": "remove", "path": "emails"}, {"op": "add", "path": "emails", "value": emails}]);
        let (after, changed) = patched(&user_type(), &person, &ops, &Switches::default()).unwrap();
        prop_assert_eq!(after, person);
        prop_assert!(!changed);
    }

    // PA-11, PA-38
    #[test]
    fn replacing_twice_is_replacing_once(person in person(), other in person()) {
        let mut value = other;
        if let Some(value) = value.as_object_mut() { value.insert("userName".to_owned(), json!("ada")); }
        let ops = json!([{"op": "replace", "value": value}]);
        let (once, _) = patched(&user_type(), &person, &ops, &Switches::default()).unwrap();
        let (twice, changed) = patched(&user_type(), &once, &ops, &Switches::default()).unwrap();
        prop_assert_eq!(twice, once);
        prop_assert!(!changed);
    }

    // PA-33, PA-47
    #[test]
    fn what_is_added_and_removed_again_leaves_nothing(person in person(), display in "[a-z]{1,3}") {
        let path = "emails[value eq \"new@x.test\"]";
        let ops = json!([{"op": "add", "path": "emails", "value": [{"value": "new@x.test", "display": display}]}, {"op": "remove", "path": path}]);
        let (after, changed) = patched(&user_type(), &person, &ops, &Switches::default()).unwrap();
        prop_assert_eq!(after, person);
        prop_assert!(!changed);
    }

    #[test]
    fn random_patches_never_panic_and_leave_a_document_that_a_put_would_accept_unchanged(person in person(), ops in proptest::collection::vec(operation(), 1..5)) {
        for switches in [Switches::default(), Switches { replace_creates: true, ..Switches::default() }, Switches::strict()] {
            if let Ok((after, _)) = patched(&user_type(), &person, &json!(ops), &switches) {
                prop_assert!(is_canonical(&after), "{after}");
                prop_assert_eq!(put_back(&after), Ok(after));
            }
        }
    }
}
