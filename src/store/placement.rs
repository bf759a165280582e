//! Where the value of a SCIM attribute lives: a column, a value row, a membership, or the document only.
//!
//! The one table behind filters, sorting and the rows written beside a document. The numbers of attributes are stored:
//! they are never used again for another attribute.

use serde_json::Value;

use super::custom_values;
pub use super::kind::Kind;
use super::queries::values::ValueRow;
use super::value_keys::canonical_base64;
pub use super::value_keys::{Form, KEY_CHARS, LONG, bytes_key, cut};
use crate::scim::fold::fold;
use crate::scim::resource::Resource;
use crate::scim::schema::Attr;

/// Where an attribute lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Id,
    /// A text column that holds the comparison key.
    Text(TextColumn),
    Active,
    Created,
    Modified,
    ResourceType,
    /// Rows of `user_values` or `resource_values`, and which part of an element is meant.
    Value(ValueAttr, Part),
    /// Live memberships: the groups of a user, the members of a group; and which part of an element is meant.
    Membership(Part),
    /// A column of a membership that names another resource, and which part of the reference is meant.
    Link(&'static str, Part),
    /// In the document only.
    Document,
}

/// A text column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextColumn {
    pub name: &'static str,
    pub form: Form,
    pub nullable: bool,
    /// The column may hold the beginning of a long text only, see [`KEY_CHARS`].
    pub shortened: bool,
}

/// An attribute with rows in `user_values`, or in `resource_values` when an operator's schema defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueAttr {
    pub number: i64,
    extension: Option<&'static str>,
    name: &'static str,
    /// Whose text is the key of a single value: `manager.value`; elements of multi-valued attributes use `value`.
    sub: Option<&'static str>,
    pub form: Form,
    /// Whether `co` and `ew` may be asked of the key. Then a shortened key leaves a [`LONG`] row.
    pub substrings: bool,
    pub custom: bool,
}

impl ValueAttr {
    /// An attribute of an operator's schema.
    const fn custom(number: i64, form: Form) -> Self {
        Self {
            number,
            extension: None,
            name: "",
            sub: None,
            form,
            substrings: matches!(form, Form::Folded | Form::Exact),
            custom: true,
        }
    }
}

/// A part of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The attribute itself, as in `emails pr`.
    Whole,
    Value,
    Type,
    Primary,
    /// The name of a member or group.
    Display,
    /// The URI of a member or group.
    Reference,
    /// In the document only.
    Other,
}

/// The number under which a user's `manager.value` is kept.
pub const MANAGER: i64 = 9;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

const fn multi(number: i64, name: &'static str, form: Form, substrings: bool) -> ValueAttr {
    ValueAttr {
        number,
        extension: None,
        name,
        sub: Some("value"),
        form,
        substrings,
        custom: false,
    }
}

const VALUES: [ValueAttr; 9] = [
    multi(1, "emails", Form::Folded, true),
    multi(2, "phoneNumbers", Form::Folded, true),
    multi(3, "ims", Form::Folded, true),
    multi(4, "photos", Form::Exact, false),
    multi(5, "entitlements", Form::Folded, true),
    multi(6, "roles", Form::Folded, true),
    multi(7, "x509Certificates", Form::Bytes, false),
    ValueAttr {
        number: 8,
        extension: Some(ENTERPRISE),
        name: "employeeNumber",
        sub: None,
        form: Form::Folded,
        substrings: true,
        custom: false,
    },
    ValueAttr {
        number: MANAGER,
        extension: Some(ENTERPRISE),
        name: "manager",
        sub: Some("value"),
        form: Form::Exact,
        substrings: true,
        custom: false,
    },
];

const fn text(name: &'static str, form: Form, nullable: bool, shortened: bool) -> Place {
    Place::Text(TextColumn {
        name,
        form,
        nullable,
        shortened,
    })
}

/// Where the attribute of a checked filter or sort lives.
#[must_use]
pub fn place(kind: Kind, attr: &Attr) -> Place {
    let name = attr.def.name.as_str();
    let sub = attr.sub.as_ref().map(|sub| sub.name.as_str());
    if attr.extension.is_none() {
        match (kind, name, sub) {
            (_, "id", None) => return Place::Id,
            (_, "externalId", None) => return text("external_id", Form::Exact, true, false),
            (_, "meta", Some("created")) => return Place::Created,
            (_, "meta", Some("lastModified")) => return Place::Modified,
            (_, "meta", Some("resourceType")) => return Place::ResourceType,
            (Kind::User, "userName", None) => {
                return text("user_name_key", Form::Folded, false, false);
            }
            (Kind::User, "displayName", None) => {
                return text("display_name_key", Form::Folded, true, true);
            }
            (Kind::User, "active", None) => return Place::Active,
            (Kind::Group, "displayName", None) => {
                return text("name_key", Form::Folded, false, false);
            }
            (Kind::User, "groups", sub) | (Kind::Group, "members", sub) => {
                return Place::Membership(part_of_reference(sub));
            }
            (Kind::Membership, "group", sub) => {
                return Place::Link("group_id", part_of_reference(sub));
            }
            (Kind::Membership, "member", sub) => {
                return Place::Link("user_id", part_of_reference(sub));
            }
            _ => {}
        }
    }
    if custom_values::is_custom(kind, attr) {
        return match custom_values::key_of(kind, attr) {
            Some((number, form)) => Place::Value(ValueAttr::custom(number, form), Part::Value),
            None => Place::Document,
        };
    }
    if kind != Kind::User {
        return Place::Document;
    }
    let urn = attr.extension.as_ref().map(|schema| schema.id.as_str());
    let Some(value) = VALUES
        .iter()
        .find(|value| value.extension == urn && value.name == name)
    else {
        return Place::Document;
    };
    let part = match sub {
        // Of a single-valued complex attribute other parts may be there without the one that has the row.
        None if value.sub.is_some() && !attr.def.multi_valued => return Place::Document,
        None if value.sub.is_some() => Part::Whole,
        None | Some("value") => Part::Value,
        Some("type") if attr.def.multi_valued => Part::Type,
        Some("primary") if attr.def.multi_valued => Part::Primary,
        Some(_) => Part::Other,
    };
    Place::Value(*value, part)
}

fn part_of_reference(sub: Option<&str>) -> Part {
    match sub {
        None => Part::Whole,
        Some("value") => Part::Value,
        Some("type") => Part::Type,
        Some("display") => Part::Display,
        Some("$ref") => Part::Reference,
        Some(_) => Part::Other,
    }
}

/// The rows of `user_values` for a user's document, in a fixed order.
#[must_use]
pub fn user_values(resource: &Resource) -> Vec<ValueRow> {
    let mut rows = Vec::new();
    let mut long = resource
        .text("displayName", None)
        .is_some_and(|name| cut(fold(name)).1);
    for attr in &VALUES {
        let container = match attr.extension {
            Some(urn) => resource.document().get(urn).and_then(Value::as_object),
            None => Some(resource.document()),
        };
        let Some(value) = container.and_then(|container| container.get(attr.name)) else {
            continue;
        };
        let elements = match value {
            Value::Array(elements) => elements.as_slice(),
            single => std::slice::from_ref(single),
        };
        for (ord, element) in (0..).zip(elements) {
            let part = |name: &str| element.get(name).and_then(Value::as_str);
            let written = match attr.sub {
                Some(sub) => part(sub),
                None => element.as_str(),
            };
            let is_multi = value.is_array();
            if written.is_none() && !is_multi {
                continue;
            }
            let (value_key, shortened) = cut(match (attr.form, written) {
                (_, None) => String::new(),
                (Form::Folded, Some(text)) => fold(text),
                (Form::Bytes, Some(text)) => canonical_base64(text),
                (_, Some(text)) => text.to_owned(),
            });
            long |= shortened && attr.substrings;
            rows.push(ValueRow {
                attr: attr.number,
                value_key,
                ord,
                type_key: if is_multi {
                    part("type").map(fold)
                } else {
                    None
                },
                is_primary: is_multi && element.get("primary") == Some(&Value::Bool(true)),
            });
        }
    }
    if long {
        rows.push(ValueRow {
            attr: LONG,
            value_key: String::new(),
            ord: 0,
            type_key: None,
            is_primary: false,
        });
    }
    rows
}

/// An order the database can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortColumn {
    Id,
    Created,
    Modified,
    Text(TextColumn),
    /// Memberships by group, then by user.
    Group,
    /// Those of one group by user.
    Member,
}

/// The column that orders by this attribute; `None` where only the document does.
#[must_use]
pub fn sort_column(kind: Kind, attr: &Attr) -> Option<SortColumn> {
    match place(kind, attr) {
        Place::Id => Some(SortColumn::Id),
        Place::Link("group_id", Part::Value) => Some(SortColumn::Group),
        // A tenant's memberships have no index of their times.
        _ if kind == Kind::Membership => None,
        Place::Created => Some(SortColumn::Created),
        Place::Modified => Some(SortColumn::Modified),
        Place::Text(column) => Some(SortColumn::Text(column)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(document: Value) -> Vec<ValueRow> {
        let Value::Object(document) = document else {
            panic!("an object")
        };
        user_values(&Resource::from_valid(document))
    }

    #[test]
    fn every_element_has_a_row_even_without_a_value() {
        let rows = rows(
            json!({"emails": [{"value": "A@X.test", "type": "Work", "primary": true}, {"type": "home"}]}),
        );
        let keys: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row.value_key.as_str(),
                    row.type_key.as_deref(),
                    row.is_primary,
                )
            })
            .collect();
        assert_eq!(
            keys,
            [("a@x.test", Some("work"), true), ("", Some("home"), false)]
        );
    }

    #[test]
    fn single_values_of_the_enterprise_extension_have_rows() {
        let rows = rows(
            json!({ENTERPRISE: {"employeeNumber": "E7", "manager": {"value": "Ab"}, "department": "x"}}),
        );
        let keys: Vec<_> = rows
            .iter()
            .map(|row| (row.attr, row.value_key.as_str()))
            .collect();
        assert_eq!(keys, [(8, "e7"), (9, "Ab")]);
    }

    #[test]
    fn a_long_value_is_cut_and_leaves_a_mark() {
        let rows = rows(
            json!({"emails": [{"value": "é".repeat(600)}], "photos": [{"value": "x".repeat(600)}]}),
        );
        let keys: Vec<_> = rows
            .iter()
            .map(|row| (row.attr, row.value_key.chars().count()))
            .collect();
        assert_eq!(keys, [(1, 512), (4, 512), (LONG, 0)]);
    }

    #[test]
    fn certificates_compare_by_their_bytes() {
        assert_eq!(canonical_base64("-_8"), bytes_key(&[0xfb, 0xff]));
    }
}
