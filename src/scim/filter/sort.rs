//! `sortBy` and `sortOrder`: which attribute orders a list, and the key of one resource. RFC 7644 §3.4.2.3, S-01 to S-11.
//!
//! `store` sorts by columns; [`Sort::key`] is what it must agree with. Ties are broken by `id` there (S-10).

use std::cmp::Ordering;

use serde_json::Value;

use super::checked::compares_exactly;
use super::error::excerpt;
use super::nearest::nearest_attribute;
use super::subject::Subject;
use crate::clock::Instant;
use crate::scim::error::ScimError;
use crate::scim::fold::fold;
use crate::scim::schema::{Attr, Mutability, ResourceType, Returned, Type};

/// The direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortOrder {
    #[default]
    Ascending,
    Descending,
}

impl SortOrder {
    /// Reads `ascending` or `descending` in any letter case (S-03).
    ///
    /// # Errors
    /// `invalidValue` for anything else.
    pub fn parse(text: &str) -> Result<Self, ScimError> {
        if text.eq_ignore_ascii_case("ascending") {
            Ok(Self::Ascending)
        } else if text.eq_ignore_ascii_case("descending") {
            Ok(Self::Descending)
        } else {
            Err(ScimError::invalid_value(format!(
                "sortOrder is ascending or descending, not \"{}\"",
                excerpt(text)
            )))
        }
    }
}

/// A checked sort: the attribute is simple, or a simple part of a complex one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    pub attr: Attr,
    pub order: SortOrder,
}

/// What a resource is ordered by. [`SortKey::Missing`] is greater than every value, so it comes last ascending and
/// first descending (S-06).
#[derive(Clone, Debug)]
pub enum SortKey {
    Bool(bool),
    Integer(i64),
    Decimal(f64),
    Instant(Instant),
    /// Folded unless the attribute is case exact (S-05).
    Text(String),
    Missing,
}

impl Sort {
    /// Resolves `sortBy` and reads `sortOrder`.
    ///
    /// # Errors
    /// `invalidValue` for an unknown or never-returned attribute, a complex one without `value` (S-08, S-09), or
    /// another order (S-03).
    pub fn parse(
        resource_type: &ResourceType,
        sort_by: &str,
        sort_order: Option<&str>,
    ) -> Result<Self, ScimError> {
        let order = sort_order.map_or(Ok(SortOrder::default()), SortOrder::parse)?;
        Ok(Self {
            attr: resolve(resource_type, sort_by)?,
            order,
        })
    }

    /// The key of one resource: of a multi-valued attribute the primary element's, else the first's (S-07).
    #[must_use]
    pub fn key(&self, subject: &Subject<'_>) -> SortKey {
        let value = subject.value(&self.attr);
        value
            .as_deref()
            .and_then(|value| self.part(value))
            .map_or(SortKey::Missing, |value| self.key_of(value))
    }

    /// The simple value in an attribute's value that counts.
    fn part<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let element = first(value, |element| {
            element.get("primary") == Some(&Value::Bool(true))
        })?;
        match &self.attr.sub {
            Some(sub) => first(element.get(&sub.name)?, |_| false),
            None => Some(element),
        }
    }

    /// A simple value as a key.
    fn key_of(&self, value: &Value) -> SortKey {
        let text = value.as_str().filter(|text| !text.is_empty());
        let key = match self.attr.leaf().attribute_type {
            Type::Boolean => value.as_bool().map(SortKey::Bool),
            Type::Integer => value
                .as_i64()
                .map(SortKey::Integer)
                .or_else(|| value.as_f64().map(SortKey::Decimal)),
            Type::Decimal => value.as_f64().map(SortKey::Decimal),
            Type::DateTime => text.and_then(Instant::parse).map(SortKey::Instant),
            Type::String | Type::Reference if !compares_exactly(&self.attr) => {
                text.map(|text| SortKey::Text(fold(text)))
            }
            Type::String | Type::Reference | Type::Binary => {
                text.map(|text| SortKey::Text(text.to_owned()))
            }
            Type::Complex => None,
        };
        key.unwrap_or(SortKey::Missing)
    }

    /// The order of two keys in the direction of this sort.
    #[must_use]
    pub fn compare(&self, a: &SortKey, b: &SortKey) -> Ordering {
        match self.order {
            SortOrder::Ascending => a.cmp(b),
            SortOrder::Descending => b.cmp(a),
        }
    }

    /// The order of two resources with equal keys: by id, in the direction of this sort (S-10).
    #[must_use]
    pub fn compare_ids(&self, a: &uuid::Uuid, b: &uuid::Uuid) -> Ordering {
        match self.order {
            SortOrder::Ascending => a.cmp(b),
            SortOrder::Descending => b.cmp(a),
        }
    }
}

/// The preferred element of an array, else its first; a single value is itself.
fn first(value: &Value, preferred: impl Fn(&Value) -> bool) -> Option<&Value> {
    match value {
        Value::Array(elements) => elements
            .iter()
            .find(|element| preferred(element))
            .or_else(|| elements.first()),
        single => Some(single),
    }
}

/// The attribute `sortBy` names; `emails` means `emails.value` (S-08).
fn resolve(resource_type: &ResourceType, sort_by: &str) -> Result<Attr, ScimError> {
    let Some(mut attr) = resource_type.attr(sort_by) else {
        let mut detail = format!(
            "sortBy: this resource type has no attribute \"{}\"",
            excerpt(sort_by)
        );
        let name = resource_type.split_urn(sort_by).1;
        if let Some(nearest) = nearest_attribute(resource_type, name) {
            detail.push_str(&format!("; did you mean {nearest}?"));
        }
        return Err(ScimError::invalid_value(detail));
    };
    if attr.leaf().attribute_type == Type::Complex {
        let Some(value) = attr.def.sub("value").cloned() else {
            return Err(ScimError::invalid_value(format!(
                "sortBy: name one of the sub-attributes of {}",
                attr.path()
            )));
        };
        attr.sub = Some(value);
    }
    let hidden =
        |returned, mutability| returned == Returned::Never || mutability == Mutability::WriteOnly;
    if hidden(attr.def.returned, attr.def.mutability)
        || hidden(attr.leaf().returned, attr.leaf().mutability)
    {
        return Err(ScimError::invalid_value(format!(
            "sortBy: {} is never returned and cannot be sorted by",
            attr.path()
        )));
    }
    Ok(attr)
}

impl SortKey {
    /// The place of the kind among kinds; numbers share one. Keys of one sort are of one kind or missing.
    const fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Integer(_) | Self::Decimal(_) => 1,
            Self::Instant(_) => 2,
            Self::Text(_) => 3,
            Self::Missing => 4,
        }
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Decimal(a), Self::Decimal(b)) => a.total_cmp(b),
            #[expect(
                clippy::cast_precision_loss,
                reason = "an integer attribute that holds a decimal is already off the road"
            )]
            (Self::Integer(a), Self::Decimal(b)) => (*a as f64).total_cmp(b),
            #[expect(
                clippy::cast_precision_loss,
                reason = "an integer attribute that holds a decimal is already off the road"
            )]
            (Self::Decimal(a), Self::Integer(b)) => a.total_cmp(&(*b as f64)),
            (Self::Instant(a), Self::Instant(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SortKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for SortKey {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::error::ScimErrorKind;
    use crate::scim::filter::fixture::{self, ACME};

    /// The fixture's users in the order of a sort; ties keep the order of the fixture.
    fn sorted(sort_by: &str, order: &str) -> String {
        let user = fixture::user_type();
        let sort = Sort::parse(&user, sort_by, Some(order)).expect("a sort");
        let people = fixture::users();
        let mut keyed: Vec<_> = people
            .iter()
            .map(|person| (sort.key(&person.subject(&user)), person.id.as_str()))
            .collect();
        keyed.sort_by(|(a, _), (b, _)| sort.compare(a, b));
        keyed
            .iter()
            .map(|(_, id)| *id)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn text_ignores_case_and_missing_comes_last_ascending_and_first_descending() {
        assert_eq!(sorted("userName", "ascending"), "u1 u2 u3 u4");
        assert_eq!(sorted("userName", "Descending"), "u4 u3 u2 u1");
        assert_eq!(sorted("title", "ascending"), "u2 u3 u1 u4");
        assert_eq!(sorted("title", "descending"), "u4 u1 u3 u2");
    }

    #[test]
    fn each_type_has_its_own_order() {
        assert_eq!(sorted("meta.created", "ascending"), "u3 u1 u2 u4");
        assert_eq!(
            sorted(&format!("{ACME}:badge"), "descending"),
            "u2 u4 u3 u1"
        );
        assert_eq!(sorted("active", "ascending"), "u2 u1 u3 u4");
        assert_eq!(sorted("NAME.familyName", "ascending"), "u2 u3 u1 u4");
    }

    #[test]
    fn the_primary_element_counts_before_the_first() {
        let user = fixture::user_type();
        let sort = Sort::parse(&user, "emails", None).expect("a sort");
        let mut person = fixture::users().remove(0);
        let mut document = person.resource.clone().into_document();
        let emails =
            serde_json::json!([{"value": "Z@x.test"}, {"value": "A@x.test", "primary": true}]);
        document.insert("emails".to_owned(), emails);
        person.resource = crate::scim::resource::Resource::from_valid(document);
        assert_eq!(
            sort.key(&person.subject(&user)),
            SortKey::Text("a@x.test".to_owned())
        );
        assert_eq!(sorted("emails", "ascending"), "u1 u2 u3 u4");
    }

    #[test]
    fn what_cannot_be_sorted_by_is_an_invalid_value() {
        let user = fixture::user_type();
        for sort_by in [
            "name",
            "addresses",
            "nosuch",
            "password",
            "emails[type eq \"work\"]",
            "",
            "emails.nosuch",
        ] {
            let kind = Sort::parse(&user, sort_by, None).map_err(|error| error.kind);
            assert_eq!(kind, Err(ScimErrorKind::InvalidValue), "{sort_by}");
        }
        assert!(Sort::parse(&user, "title", Some("up")).is_err());
    }
}
