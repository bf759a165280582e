//! Random user documents and filters over a small vocabulary, so that filters hit often.

use std::collections::HashSet;

use proptest::prelude::*;
use rollcall::scim::fold::fold;
use serde_json::{Map, Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Words that differ only by case, width, accents or wildcards: what folding and LIKE get wrong.
fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "ada", "Ada", "ADA", "bo", "Bo.Li", "Straße", "STRASSE", "Ａda", "é", "e\u{301}", "100%",
        "a_b", "a\\b", "o'neil", "x y", "ß", "ω", "z",
    ])
    .prop_map(str::to_owned)
}

/// Words that differ only behind what an index holds of them.
fn long_word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "B", "c"]).prop_map(|end| format!("{}{end}", "é".repeat(600)))
}

/// The same in an e-mail address.
fn address() -> impl Strategy<Value = String> {
    (word(), word()).prop_map(|(local, domain)| format!("{local}@{domain}").replace(' ', "-"))
}

fn element(value: impl Strategy<Value = String>) -> impl Strategy<Value = Value> {
    (
        value,
        prop::option::of(prop::sample::select(vec!["work", "Work", "home", "other"])),
    )
        .prop_map(|(value, kind)| {
            let mut element = Map::new();
            element.insert("value".into(), json!(value));
            if let Some(kind) = kind {
                element.insert("type".into(), json!(kind));
            }
            Value::Object(element)
        })
}

prop_compose! {
    /// A user to be created.
    pub fn user()(
        name in word(),
        external in prop::option::of(word()),
        display in prop::option::of(prop_oneof![8 => word(), 1 => long_word()]),
        title in prop::option::of(word()),
        family in prop::option::of(word()),
        active in prop::option::of(any::<bool>()),
        mut emails in prop::collection::vec(element(address()), 0..3),
        phones in prop::collection::vec(element(word()), 0..2),
        primary in any::<bool>(),
        department in prop::option::of(word()),
        number in prop::option::of(word()),
    ) -> Value {
        if let (true, Some(first)) = (primary, emails.first_mut().and_then(Value::as_object_mut)) {
            first.insert("primary".into(), json!(true));
        }
        let mut user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            "userName": name, "externalId": external, "displayName": display, "title": title,
            "name": { "familyName": family }, "emails": emails, "phoneNumbers": phones,
        });
        user[ENTERPRISE] = json!({ "department": department, "employeeNumber": number });
        if let Some(active) = active {
            user["active"] = json!(active);
        }
        user
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn text_test(path: &'static str) -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec!["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
    let operand = prop_oneof![4 => word(), 1 => address(), 1 => Just(String::new()), 1 => Just("%".to_owned()), 1 => Just("a".to_owned())];
    (operator, operand)
        .prop_map(move |(operator, operand)| format!("{path} {operator} {}", quoted(&operand)))
}

fn inner() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        text_test("value"),
        text_test("type"),
        Just("primary eq true".to_owned()),
        Just("primary eq false".to_owned()),
        Just("value pr".to_owned()),
        Just("type pr".to_owned()),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) or ({b})")),
            inner.prop_map(|one| format!("not ({one})")),
        ]
    })
}

/// A filter over what users hold: columns, value rows and attributes that live in the document only.
pub fn filter() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        text_test("userName"),
        text_test("externalId"),
        text_test("displayName"),
        text_test("title"),
        text_test("name.familyName"),
        text_test("emails"),
        text_test("emails.value"),
        text_test("emails.type"),
        text_test("phoneNumbers.value"),
        text_test("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"),
        text_test("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"),
        prop::sample::select(vec![
            "active eq true",
            "active eq false",
            "active ne true",
            "active pr",
            "title pr",
            "emails pr",
            "emails.primary eq true",
            "emails.primary eq false",
            "phoneNumbers pr",
            "displayName eq null",
            "emails ne null",
            "externalId pr",
            "name pr",
            "meta.created gt \"2026-01-01T00:00:00Z\"",
            "meta.lastModified lt \"2026-01-01T00:00:00Z\"",
            "meta.resourceType eq \"User\"",
            "id pr",
        ])
        .prop_map(str::to_owned),
        inner().prop_map(|inner| format!("emails[{inner}]")),
        inner().prop_map(|inner| format!("phoneNumbers[{inner}]")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|terms| join(&terms, "and")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|terms| join(&terms, "or")),
            inner.prop_map(|one| format!("not ({one})")),
        ]
    })
}

fn join(terms: &[String], word: &str) -> String {
    terms
        .iter()
        .map(|term| format!("({term})"))
        .collect::<Vec<_>>()
        .join(&format!(" {word} "))
}

/// Users whose names are not taken by each other.
pub fn users(most: usize) -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(user(), 1..most).prop_map(|users| {
        let mut names = HashSet::new();
        users
            .into_iter()
            .filter(|user| names.insert(fold(user["userName"].as_str().unwrap_or_default())))
            .collect()
    })
}
