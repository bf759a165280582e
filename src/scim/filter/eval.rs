//! [`CheckedFilter`] on one resource in memory. RFC 7644 §3.4.2.2, F-30 to F-54.
//!
//! Serves PATCH value paths and is the yardstick for the SQL of `store`: both must agree (F-62). `ne` is the negation
//! of `eq` (F-41), so an unassigned attribute passes it.

use std::cmp::Ordering;

use serde_json::Value;

use super::checked::{CheckedFilter, Literal, Operator, Predicate, Test};
pub use super::subject::Subject;
use crate::clock::Instant;
use crate::scim::fold::fold;
use crate::scim::schema::{AttributeDef, Type};

/// Whether a resource passes a filter.
#[must_use]
pub fn matches(filter: &CheckedFilter, subject: &Subject<'_>) -> bool {
    match filter {
        CheckedFilter::And(terms) => terms.iter().all(|term| matches(term, subject)),
        CheckedFilter::Or(terms) => terms.iter().any(|term| matches(term, subject)),
        CheckedFilter::Not(inner) => !matches(inner, subject),
        CheckedFilter::Nothing => false,
        CheckedFilter::Test(test) => {
            let value = subject.value(&test.attr);
            let elements = value.as_deref().map_or_else(Default::default, elements);
            holds(test, elements)
        }
        CheckedFilter::ValuePath { attr, inner } => {
            let value = subject.value(attr);
            let elements = value.as_deref().map_or_else(Default::default, elements);
            elements
                .iter()
                .any(|element| element_matches(inner, element))
        }
    }
}

/// Whether one element of a multi-valued attribute passes the filter between its brackets (F-43).
#[must_use]
pub fn element_matches(inner: &CheckedFilter, element: &Value) -> bool {
    match inner {
        CheckedFilter::And(terms) => terms.iter().all(|term| element_matches(term, element)),
        CheckedFilter::Or(terms) => terms.iter().any(|term| element_matches(term, element)),
        CheckedFilter::Not(inner) => !element_matches(inner, element),
        CheckedFilter::Test(test) => holds(test, std::slice::from_ref(element)),
        // `check` never nests brackets.
        CheckedFilter::Nothing | CheckedFilter::ValuePath { .. } => false,
    }
}

/// The elements of an array, or the one value.
fn elements(value: &Value) -> &[Value] {
    match value {
        Value::Array(elements) => elements,
        single => std::slice::from_ref(single),
    }
}

/// Whether some element (F-40) passes a test; for `ne`, whether none equals.
fn holds(test: &Test, elements: &[Value]) -> bool {
    match &test.predicate {
        Predicate::Present => elements.iter().any(|element| match &test.attr.sub {
            Some(sub) => element.get(&sub.name).is_some_and(is_assigned),
            None => is_assigned(element),
        }),
        Predicate::Compare(Operator::Ne, literal) => {
            !some_compares(test, elements, Operator::Eq, literal)
        }
        Predicate::Compare(operator, literal) => some_compares(test, elements, *operator, literal),
    }
}

/// Whether some value at the test's path compares as asked.
fn some_compares(test: &Test, values: &[Value], operator: Operator, literal: &Literal) -> bool {
    let leaf = test.attr.leaf();
    values.iter().any(|element| match &test.attr.sub {
        None => compares(leaf, element, operator, literal),
        Some(sub) => match element.get(&sub.name) {
            Some(value) => elements(value)
                .iter()
                .any(|value| compares(leaf, value, operator, literal)),
            // An element without `primary` is not primary (F-49).
            None if test.attr.def.multi_valued && is_primary(sub) => {
                compares(leaf, &Value::Bool(false), operator, literal)
            }
            None => false,
        },
    })
}

/// Whether this is the sub-attribute that is false where it is absent.
fn is_primary(sub: &AttributeDef) -> bool {
    sub.name == "primary" && sub.attribute_type == Type::Boolean
}

/// Whether a value counts as present (F-38): not empty, or complex with a part that is not empty.
#[must_use]
pub fn is_assigned(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => elements.iter().any(is_assigned),
        Value::Object(parts) => parts.values().any(is_assigned),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// One value against one literal, by the attribute's type.
fn compares(leaf: &AttributeDef, value: &Value, operator: Operator, literal: &Literal) -> bool {
    if !is_assigned(value) {
        return false;
    }
    match literal {
        Literal::Exact(wanted) => {
            shown(leaf, value).is_some_and(|text| text_passes(&text, operator, wanted))
        }
        Literal::Folded(wanted) => value
            .as_str()
            .is_some_and(|text| text_passes(&fold(text), operator, wanted)),
        Literal::Bool(wanted) => value
            .as_bool()
            .is_some_and(|flag| ordered(Some(flag.cmp(wanted)), operator)),
        Literal::Integer(wanted) => match (value.as_i64(), value.as_f64()) {
            (Some(number), _) => ordered(Some(number.cmp(wanted)), operator),
            #[expect(
                clippy::cast_precision_loss,
                reason = "the stored number is no integer, so doubles must do"
            )]
            (None, Some(number)) => ordered(number.partial_cmp(&(*wanted as f64)), operator),
            (None, None) => false,
        },
        Literal::Decimal(wanted) => value
            .as_f64()
            .is_some_and(|number| ordered(number.partial_cmp(wanted), operator)),
        Literal::Instant(wanted) => value
            .as_str()
            .and_then(Instant::parse)
            .is_some_and(|at| ordered(Some(at.cmp(wanted)), operator)),
        Literal::Bytes(wanted) => value
            .as_str()
            .and_then(decode_binary)
            .is_some_and(|bytes| ordered(Some(bytes.cmp(wanted)), operator)),
    }
}

/// The text clients are shown: a dateTime in UTC with milliseconds (T-07), anything else as stored.
fn shown(leaf: &AttributeDef, value: &Value) -> Option<String> {
    let text = value.as_str()?;
    match leaf.attribute_type {
        Type::DateTime => {
            Some(Instant::parse(text).map_or_else(|| text.to_owned(), |at| at.to_string()))
        }
        _ => Some(text.to_owned()),
    }
}

/// Texts compare by code point, which is the order of their UTF-8 bytes.
pub(crate) fn text_passes(text: &str, operator: Operator, wanted: &str) -> bool {
    match operator {
        Operator::Co => text.contains(wanted),
        Operator::Sw => text.starts_with(wanted),
        Operator::Ew => text.ends_with(wanted),
        Operator::Eq | Operator::Ne | Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le => {
            ordered(Some(text.cmp(wanted)), operator)
        }
    }
}

/// Whether an order satisfies an operator; no order satisfies none.
fn ordered(order: Option<Ordering>, operator: Operator) -> bool {
    let Some(order) = order else { return false };
    match operator {
        Operator::Eq => order.is_eq(),
        Operator::Ne => order.is_ne(),
        Operator::Gt => order.is_gt(),
        Operator::Ge => order.is_ge(),
        Operator::Lt => order.is_lt(),
        Operator::Le => order.is_le(),
        // `check` lets these through for texts only.
        Operator::Co | Operator::Sw | Operator::Ew => false,
    }
}

/// The bytes of base64 text: either alphabet, with or without padding (T-09).
pub(super) fn decode_binary(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    use base64::alphabet::STANDARD;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    const TOLERANT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    TOLERANT
        .decode(text.replace('-', "+").replace('_', "/"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::filter::{Filter, fixture};
    use crate::scim::switches::Switches;

    /// The ids of the fixture's users that pass.
    fn found(text: &str) -> Result<String, String> {
        let user = fixture::user_type();
        let filter = Filter::parse(text).map_err(|error| error.to_string())?;
        let checked = filter
            .check(&user, &Switches::default())
            .map_err(|error| error.to_string())?;
        let people = fixture::users();
        let ids = people
            .iter()
            .filter(|person| matches(&checked, &person.subject(&user)))
            .map(|person| person.id.as_str());
        Ok(ids.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn every_valid_vector_finds_its_users() {
        let mut wrong = Vec::new();
        let vectors = include_str!("../../../tests/fixtures/scim/filters-valid.txt").lines();
        let mut count = 0;
        for line in vectors {
            count += 1;
            let mut cells = line.split('\t');
            let (Some(id), Some(filter), Some(expected)) =
                (cells.next(), cells.next(), cells.next())
            else {
                panic!("{line}")
            };
            let expected = if expected == "none" { "" } else { expected };
            let found = found(filter);
            if found.as_deref() != Ok(expected) {
                wrong.push(format!("{id} {filter}: {found:?}, not {expected:?}"));
            }
        }
        assert_eq!(count, 92);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn schemas_follow_the_containers_that_exist() {
        assert_eq!(
            found(r#"schemas eq "URN:ietf:params:scim:schemas:core:2.0:user""#).as_deref(),
            Ok("u1 u2 u3 u4")
        );
        assert_eq!(
            found(&format!("schemas ne \"{}\"", fixture::ACME)).as_deref(),
            Ok("u2 u4")
        );
        assert_eq!(found(r#"schemas[value co "acme"]"#).as_deref(), Ok("u1 u3"));
    }

    #[test]
    fn binary_compares_by_its_bytes_in_either_alphabet() {
        assert_eq!(decode_binary("-_8="), decode_binary("+/8"));
        assert_eq!(decode_binary("@@"), None);
        assert_eq!(
            found(&format!("{}:blob eq \"QUJD\"", fixture::ACME)).as_deref(),
            Ok("u1")
        );
        assert_eq!(
            found(&format!("{}:blob ne \"QUJE\"", fixture::ACME)).as_deref(),
            Ok("u1 u2 u3 u4")
        );
    }

    #[test]
    fn a_number_that_fits_no_integer_still_orders_integers() {
        assert_eq!(
            found(&format!("{}:badge gt 7.5", fixture::ACME)).as_deref(),
            Ok("u3")
        );
        assert_eq!(
            found(&format!("{}:badge lt 1e300", fixture::ACME)).as_deref(),
            Ok("u1 u3")
        );
        assert_eq!(
            found(&format!("{}:badge eq 1.2e1", fixture::ACME)).as_deref(),
            Ok("u3")
        );
    }

    #[test]
    fn ne_is_the_negation_of_eq() {
        for (ne, eq) in [
            ("title ne \"Director\"", "title eq \"Director\""),
            ("emails.type ne \"home\"", "emails.type eq \"home\""),
            ("emails.primary ne true", "emails.primary eq true"),
            ("groups ne \"g1\"", "groups eq \"g1\""),
        ] {
            assert_eq!(found(ne), found(&format!("not ({eq})")), "{ne}");
        }
    }

    #[test]
    fn empty_values_are_not_present() {
        for (json, present) in [
            ("null", false),
            ("\"\"", false),
            ("[]", false),
            ("{\"a\":null}", false),
            ("false", true),
        ] {
            let value: Value = serde_json::from_str(json).expect("JSON");
            assert_eq!(is_assigned(&value), present, "{json}");
        }
    }
}
