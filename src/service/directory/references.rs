//! Filters on `$ref` said by ids: the address of a resource is its id behind a text that all of a kind share.
//!
//! So whoever asks for members by their address is served by the index that has their ids.

use std::cmp::Ordering;

use crate::scim::filter::checked::{CheckedFilter, Literal, Operator, Predicate, Test};
use crate::scim::schema::Attr;

use super::types::Kind;

/// How many characters an id has.
const ID: usize = 36;

/// The same filter without tests on the `$ref` of members, where it is `base` and an id.
pub(super) fn by_id(filter: CheckedFilter, kind: Kind, base: &str) -> CheckedFilter {
    let each = |terms: Vec<CheckedFilter>| -> Vec<CheckedFilter> {
        terms
            .into_iter()
            .map(|term| by_id(term, kind, base))
            .collect()
    };
    match filter {
        CheckedFilter::And(terms) => CheckedFilter::And(each(terms)),
        CheckedFilter::Or(terms) => CheckedFilter::Or(each(terms)),
        CheckedFilter::Not(inner) => CheckedFilter::Not(Box::new(by_id(*inner, kind, base))),
        CheckedFilter::ValuePath { attr, inner } => CheckedFilter::ValuePath {
            attr,
            inner: Box::new(by_id(*inner, kind, base)),
        },
        CheckedFilter::Test(test) => match (endpoint(kind, &test.attr), value_of(&test.attr)) {
            (Some(endpoint), Some(value)) => {
                rewritten(&test, &value, &format!("{base}{endpoint}/"))
            }
            _ => CheckedFilter::Test(test),
        },
        CheckedFilter::Nothing => CheckedFilter::Nothing,
    }
}

/// Where the resources live whose addresses stand at this path.
fn endpoint(kind: Kind, attr: &Attr) -> Option<&'static str> {
    let is_reference = attr.extension.is_none() && attr.sub.as_ref()?.name == "$ref";
    match (kind, attr.def.name.as_str()) {
        (Kind::Group, "members") | (Kind::Membership, "member") if is_reference => Some("/Users"),
        (Kind::Membership, "group") if is_reference => Some("/Groups"),
        _ => None,
    }
}

fn value_of(attr: &Attr) -> Option<Attr> {
    Some(Attr {
        sub: Some(attr.def.sub("value")?.clone()),
        ..attr.clone()
    })
}

fn rewritten(test: &Test, value: &Attr, prefix: &str) -> CheckedFilter {
    let say = |predicate| {
        CheckedFilter::Test(Test {
            attr: value.clone(),
            predicate,
        })
    };
    let compare = |operator, text: &str| {
        say(Predicate::Compare(
            operator,
            Literal::Exact(text.to_owned()),
        ))
    };
    // every member has an id, and so an address
    let whether = |holds: bool| {
        if holds {
            say(Predicate::Present)
        } else {
            CheckedFilter::Nothing
        }
    };
    let Predicate::Compare(operator, Literal::Exact(text)) = &test.predicate else {
        return match &test.predicate {
            Predicate::Present => say(Predicate::Present),
            Predicate::Compare(..) => CheckedFilter::Test(test.clone()),
        };
    };
    let rest = text.strip_prefix(prefix);
    match (operator, rest) {
        (Operator::Eq, Some(id)) => compare(Operator::Eq, id),
        (Operator::Eq, None) => CheckedFilter::Nothing,
        (Operator::Ne, Some(id)) => compare(Operator::Ne, id),
        (Operator::Ne, None) => CheckedFilter::everything(),
        (Operator::Sw, Some(id)) => compare(Operator::Sw, id),
        (Operator::Sw, None) => whether(prefix.starts_with(text.as_str())),
        (Operator::Ew, _) => match split_from_end(text, ID) {
            None => compare(Operator::Ew, text),
            Some((head, id)) if prefix.ends_with(head) => compare(Operator::Eq, id),
            Some(_) => CheckedFilter::Nothing,
        },
        (Operator::Co, _) if prefix.contains(text.as_str()) => whether(true),
        (Operator::Co, _) => {
            let across = text
                .char_indices()
                .skip(1)
                .filter_map(|(at, _)| text.split_at_checked(at))
                .filter(|(head, _)| prefix.ends_with(head))
                .map(|(_, id)| compare(Operator::Sw, id));
            CheckedFilter::or(
                std::iter::once(compare(Operator::Co, text))
                    .chain(across)
                    .collect(),
            )
        }
        (Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le, Some(id)) => {
            compare(*operator, id)
        }
        (Operator::Gt | Operator::Ge, None) => whether(prefix.cmp(text) == Ordering::Greater),
        (Operator::Lt | Operator::Le, None) => whether(prefix.cmp(text) == Ordering::Less),
    }
}

/// A text in two, the second of `length` characters; `None` when it has no more than those.
fn split_from_end(text: &str, length: usize) -> Option<(&str, &str)> {
    let count = text.chars().count();
    let (at, _) = text.char_indices().nth(count.checked_sub(length)?)?;
    (at > 0).then(|| text.split_at(at))
}
