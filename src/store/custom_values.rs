//! The values of attributes that an operator's schemas define, as rows of `resource_values`: which there are, under which
//! number, with which key.
//!
//! A number is made of the attribute's type, path and form of key, so nothing has to be handed out or remembered, every
//! node has the same, and an attribute whose definition changes gets another: its rows are then gathered anew
//! (`service::custom`). Without rows are decimals and complex attributes as such; filters on them read documents.

use serde_json::Value;

use super::kind::Kind;
use super::value_keys::{Form, LONG, canonical_base64, cut};
use crate::clock::Instant;
use crate::scim::filter::checked::compares_exactly;
use crate::scim::fold::fold;
use crate::scim::resource::Resource;
use crate::scim::schema::{Attr, AttributeDef, Mutability, ResourceType, Schema, Type, Uniqueness};

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomValue {
    /// The number of the attribute.
    pub attr: i64,
    pub value_key: String,
    /// The place among the attribute's values.
    pub ord: i64,
    /// No other resource may have this key.
    pub is_unique: bool,
}

/// An attribute with rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomAttr {
    pub number: i64,
    /// `User urn:…:badge.color`.
    pub path: String,
    pub is_unique: bool,
    form: Form,
}

/// Whether an operator's schema defines the attribute.
#[must_use]
pub fn is_custom(kind: Kind, attr: &Attr) -> bool {
    match (&attr.extension, kind) {
        (Some(schema), _) => schema.custom,
        (None, Kind::Other(_)) => !COMMON.contains(&attr.def.name.as_str()),
        (None, Kind::User | Kind::Group | Kind::Membership) => false,
    }
}

const COMMON: [&str; 4] = ["id", "externalId", "meta", "schemas"];

/// The number and the form of key of an attribute that a checked filter names; `None` when it has no rows.
#[must_use]
pub fn key_of(kind: Kind, attr: &Attr) -> Option<(i64, Form)> {
    let found = custom_attr(kind.name(), attr)?;
    Some((found.number, found.form))
}

fn custom_attr(type_name: &str, attr: &Attr) -> Option<CustomAttr> {
    let leaf = attr.leaf();
    if leaf.mutability == Mutability::WriteOnly || attr.def.mutability == Mutability::WriteOnly {
        return None;
    }
    let form = match leaf.attribute_type {
        Type::String | Type::Reference if compares_exactly(attr) => Form::Exact,
        Type::String | Type::Reference => Form::Folded,
        Type::Binary => Form::Bytes,
        Type::Integer => Form::Integer,
        Type::DateTime => Form::Instant,
        // An element without `primary` is not primary (F-49), and has no row that says so.
        Type::Boolean if attr.sub.is_some() && leaf.name == "primary" => return None,
        Type::Boolean => Form::Bool,
        Type::Decimal | Type::Complex => return None,
    };
    let is_unique = leaf.uniqueness != Uniqueness::None;
    let path = format!("{type_name} {}", attr.path());
    Some(CustomAttr {
        number: number(&format!("{path} {} {is_unique}", word(form))),
        path,
        is_unique,
        form,
    })
}

/// A form in the text a number is made of: never to be changed.
const fn word(form: Form) -> &'static str {
    match form {
        Form::Folded => "folded",
        Form::Exact => "exact",
        Form::Bytes => "bytes",
        Form::Integer => "integer",
        Form::Instant => "instant",
        Form::Bool => "bool",
    }
}

/// FNV-1a, without the sign and never [`LONG`].
fn number(text: &str) -> i64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i64::try_from(hash >> 1).unwrap_or(i64::MAX).max(LONG + 1)
}

/// The key of an integer: texts in the order of the numbers.
#[must_use]
pub fn integer_key(number: i64) -> String {
    format!("{:020}", number.abs_diff(i64::MIN))
}

fn key(form: Form, value: &Value) -> Option<String> {
    let text = || value.as_str();
    match form {
        Form::Folded => text().map(fold),
        Form::Exact => text().map(str::to_owned),
        Form::Bytes => text().map(canonical_base64),
        Form::Integer => value.as_i64().map(integer_key),
        Form::Instant => text()
            .and_then(Instant::parse)
            .map(|instant| integer_key(instant.0)),
        Form::Bool => value.as_bool().map(|flag| flag.to_string()),
    }
}

/// The schemas of a type that operators wrote, with the container of each: the core schema has none.
fn schemas(rt: &ResourceType) -> impl Iterator<Item = (Option<&std::sync::Arc<Schema>>, &Schema)> {
    let core = rt.schema.custom.then_some((None, rt.schema.as_ref()));
    let extensions = rt
        .extensions
        .iter()
        .filter(|extension| extension.schema.custom)
        .map(|extension| (Some(&extension.schema), extension.schema.as_ref()));
    core.into_iter().chain(extensions)
}

/// Each attribute and sub-attribute with rows, and what to do with it.
fn each(rt: &ResourceType, mut visit: impl FnMut(&Attr, CustomAttr)) {
    for (extension, schema) in schemas(rt) {
        for def in schema
            .attributes
            .iter()
            .filter(|def| !COMMON.contains(&def.name.as_str()))
        {
            let mut see = |sub: Option<&std::sync::Arc<AttributeDef>>| {
                let attr = Attr {
                    extension: extension.cloned(),
                    def: def.clone(),
                    sub: sub.cloned(),
                };
                if let Some(found) = custom_attr(rt.name, &attr) {
                    visit(&attr, found);
                }
            };
            see(None);
            def.sub_attributes.iter().for_each(|sub| see(Some(sub)));
        }
    }
}

/// Every attribute with rows of a type.
#[must_use]
pub fn attributes(rt: &ResourceType) -> Vec<CustomAttr> {
    let mut all = Vec::new();
    each(rt, |_, attr| all.push(attr));
    all
}

/// The elements of an array; another value is its only one.
fn elements(value: &Value) -> std::slice::Iter<'_, Value> {
    match value {
        Value::Array(elements) => elements.iter(),
        single => std::slice::from_ref(single).iter(),
    }
}

/// The rows of a resource, in a fixed order.
#[must_use]
pub fn rows(rt: &ResourceType, resource: &Resource) -> Vec<CustomValue> {
    let mut rows = Vec::new();
    let mut long = false;
    each(rt, |attr, found| {
        let Some(value) = resource.value(attr) else {
            return;
        };
        let parts = elements(value).filter_map(|element| match &attr.sub {
            Some(sub) => element.get(&sub.name),
            None => Some(element),
        });
        let keys = parts
            .flat_map(elements)
            .filter_map(|part| key(found.form, part));
        for (ord, key) in (0..).zip(keys) {
            let (value_key, shortened) = cut(key);
            long |= shortened;
            let row = CustomValue {
                attr: found.number,
                value_key,
                ord,
                is_unique: found.is_unique,
            };
            // a resource does not clash with itself
            let twice = |other: &CustomValue| {
                other.attr == row.attr && other.value_key == row.value_key && row.is_unique
            };
            if !rows.iter().any(twice) {
                rows.push(row);
            }
        }
    });
    if long {
        rows.push(CustomValue {
            attr: LONG,
            value_key: String::new(),
            ord: 0,
            is_unique: false,
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::Registry;

    const FILE: &str = r#"{"id": "urn:x:params:E", "name": "E", "rollcall": {"extends": "User"}, "attributes": [
        {"name": "color"}, {"name": "code", "caseExact": true, "uniqueness": "server"}, {"name": "score", "type": "decimal"},
        {"name": "size", "type": "integer"}, {"name": "since", "type": "dateTime"}, {"name": "tags", "multiValued": true},
        {"name": "keys", "type": "complex", "multiValued": true, "subAttributes": [{"name": "value"}, {"name": "primary", "type": "boolean"}]}]}"#;

    fn user(file: &str) -> std::sync::Arc<ResourceType> {
        let mut registry = Registry::builtin().unwrap();
        registry.add("e.json", file).unwrap();
        registry.resource_type("User").unwrap().clone()
    }

    fn keys(document: Value) -> Vec<(String, i64)> {
        let rt = user(FILE);
        let Value::Object(document) = json!({ "userName": "a", "urn:x:params:E": document }) else {
            panic!("an object")
        };
        let all = attributes(&rt);
        rows(&rt, &Resource::from_valid(document))
            .into_iter()
            .map(|row| {
                let attr = all.iter().find(|attr| attr.number == row.attr);
                let path = attr.map_or("LONG", |attr| attr.path.as_str());
                let name = path.rsplit(':').next().unwrap_or_default();
                (format!("{name}={}", row.value_key), row.ord)
            })
            .collect()
    }

    #[test]
    fn every_value_that_can_be_compared_has_a_row() {
        let found = keys(json!({
            "color": "Red", "code": "Ab", "score": 1.5, "size": -3, "since": "2026-01-01T00:00:00.000Z",
            "tags": ["X", "y"], "keys": [{"value": "K"}, {"value": "L", "primary": true}],
        }));
        let expected = [
            ("color=red", 0),
            ("code=Ab", 0),
            ("size=09223372036854775805", 0),
            ("since=09223373804080375808", 0),
            ("tags=x", 0),
            ("tags=y", 1),
            ("keys.value=k", 0),
            ("keys.value=l", 1),
        ]
        .map(|(text, ord)| (text.to_owned(), ord));
        assert_eq!(found, expected);
    }

    #[test]
    fn keys_of_integers_are_in_their_order() {
        let mut sorted = [i64::MIN, -20, -3, 0, 5, 40, i64::MAX].map(integer_key);
        let expected = sorted.clone();
        sorted.sort();
        assert_eq!(sorted, expected);
    }

    #[test]
    fn a_cut_value_leaves_a_mark() {
        let found = keys(json!({ "color": "x".repeat(600) }));
        assert_eq!(found.last(), Some(&("LONG=".to_owned(), 0)));
    }

    #[test]
    fn a_changed_definition_has_another_number() {
        let of = |file: &str| {
            attributes(&user(file))
                .first()
                .map(|attr| attr.number)
                .unwrap()
        };
        let changed = FILE.replacen(r#""color""#, r#""color", "caseExact": true"#, 1);
        assert_ne!(of(FILE), of(&changed));
        assert_eq!(of(FILE), of(&FILE.replace("e.json", "f.json")));
    }
}
