//! The `attributes` of a schema document → definitions. RFC 7643 §2.2, §7; what is left out has the defaults (M-20).

use std::sync::Arc;

use serde_json::Value;

use super::node::{LoadError, Node};
use crate::scim::schema::attribute::{AttributeDef, Mutability, Returned, Type, Uniqueness};

const TYPES: [(&str, Type); 8] = [
    ("string", Type::String),
    ("boolean", Type::Boolean),
    ("decimal", Type::Decimal),
    ("integer", Type::Integer),
    ("dateTime", Type::DateTime),
    ("binary", Type::Binary),
    ("reference", Type::Reference),
    ("complex", Type::Complex),
];
const MUTABILITIES: [(&str, Mutability); 4] = [
    ("readOnly", Mutability::ReadOnly),
    ("readWrite", Mutability::ReadWrite),
    ("immutable", Mutability::Immutable),
    ("writeOnly", Mutability::WriteOnly),
];
const RETURNS: [(&str, Returned); 4] = [
    ("always", Returned::Always),
    ("never", Returned::Never),
    ("default", Returned::Default),
    ("request", Returned::Request),
];
const UNIQUENESSES: [(&str, Uniqueness); 3] = [
    ("none", Uniqueness::None),
    ("server", Uniqueness::Server),
    ("global", Uniqueness::Global),
];
const ATTRIBUTE_KEYS: [&str; 13] = [
    "name",
    "type",
    "multiValued",
    "description",
    "required",
    "canonicalValues",
    "caseExact",
    "mutability",
    "returned",
    "uniqueness",
    "referenceTypes",
    "subAttributes",
    "rollcall",
];

/// A name as M-04 and M-05 have it: a letter (or `$`), then letters, digits, `$`, `-`, `_`.
#[must_use]
pub fn is_attribute_name(name: &str) -> bool {
    let rest = name.strip_prefix('$').unwrap_or(name);
    rest.starts_with(|first: char| first.is_ascii_alphabetic())
        && rest
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '$' | '-' | '_'))
}

/// Reads the list under `key`; `prefix` is the complex attribute it belongs to, with a dot.
pub(super) fn parse_attributes(
    node: &Node<'_>,
    key: &str,
    prefix: &str,
    builtin: bool,
) -> Result<Vec<Arc<AttributeDef>>, LoadError> {
    let items = node.array(key)?.unwrap_or_default();
    if items.is_empty() {
        return Err(node.fault_at(key, format!("`{key}` must list at least one attribute")));
    }
    let mut attributes: Vec<Arc<AttributeDef>> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let name = item
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or("(unnamed)");
        let inner = Node::new(
            node.file,
            format!("{}[{index}]", node.at(key)),
            Some(format!("{prefix}{name}")),
            item,
        )?;
        let attribute = parse_attribute(&inner, prefix, builtin)?;
        if attributes
            .iter()
            .any(|known| known.name.eq_ignore_ascii_case(&attribute.name))
        {
            return Err(inner.fault("is defined twice (letter case does not count)"));
        }
        attributes.push(Arc::new(attribute));
    }
    Ok(attributes)
}

fn parse_attribute(
    node: &Node<'_>,
    prefix: &str,
    builtin: bool,
) -> Result<AttributeDef, LoadError> {
    node.only(&ATTRIBUTE_KEYS)?;
    let name = node.required_text("name")?;
    if !is_attribute_name(name) {
        return Err(node.fault_at(
            "name",
            "`name` must be a letter followed by letters, digits, `$`, `-` or `_`",
        ));
    }
    let attribute_type = node.keyword("type", &TYPES)?.unwrap_or(Type::String);
    let mutability = node
        .keyword("mutability", &MUTABILITIES)?
        .unwrap_or(Mutability::ReadWrite);
    let returned = node
        .keyword("returned", &RETURNS)?
        .unwrap_or(Returned::Default);
    let uniqueness = node
        .keyword("uniqueness", &UNIQUENESSES)?
        .unwrap_or(Uniqueness::None);
    let required = node.flag("required")?.unwrap_or(false);
    if mutability == Mutability::WriteOnly && returned != Returned::Never {
        return Err(node.fault("`mutability` writeOnly needs `returned` never"));
    }
    check_applicable(node, attribute_type)?;
    if !builtin {
        check_possible(node, attribute_type, mutability, uniqueness, required)?;
    }
    let sub_attributes = if attribute_type == Type::Complex {
        if !prefix.is_empty() {
            return Err(node.fault_at("type", "a sub-attribute cannot be complex"));
        }
        let subs = parse_attributes(node, "subAttributes", &format!("{name}."), builtin)?;
        if mutability == Mutability::ReadOnly
            && let Some(sub) = subs
                .iter()
                .find(|sub| sub.mutability != Mutability::ReadOnly)
        {
            return Err(node.fault(format!(
                "is readOnly, so its sub-attribute {} must be readOnly too",
                sub.name
            )));
        }
        subs
    } else {
        Vec::new()
    };
    let multi_valued = node.flag("multiValued")?.unwrap_or(false);
    let (detached, derived) = match node.ours(&["detached", "derived"])? {
        Some(_) if !builtin => {
            return Err(node.fault_at(
                "rollcall",
                "`detached` and `derived` are for built-in schemas only",
            ));
        }
        Some(ours) => (
            ours.flag("detached")?.unwrap_or(false),
            ours.flag("derived")?.unwrap_or(false),
        ),
        None => (false, false),
    };
    if detached && !(multi_valued && attribute_type == Type::Complex) {
        return Err(node.fault("only a multi-valued complex attribute can be detached"));
    }
    Ok(AttributeDef {
        name: name.to_owned(),
        attribute_type,
        multi_valued,
        description: node.free_text("description")?,
        required,
        canonical_values: node.texts("canonicalValues")?,
        // T-08, T-10: these two are case exact unless a file says otherwise.
        case_exact: node
            .flag("caseExact")?
            .unwrap_or(matches!(attribute_type, Type::Binary | Type::Reference)),
        mutability,
        returned,
        uniqueness,
        reference_types: node.texts("referenceTypes")?,
        sub_attributes,
        detached,
        derived,
    })
}

/// Refuses characteristics that mean nothing for a type (M-35, M-37, SH-11).
fn check_applicable(node: &Node<'_>, attribute_type: Type) -> Result<(), LoadError> {
    let refused: &[&str] = match attribute_type {
        Type::Complex => &[
            "caseExact",
            "uniqueness",
            "canonicalValues",
            "referenceTypes",
        ],
        Type::Boolean => &[
            "caseExact",
            "uniqueness",
            "canonicalValues",
            "referenceTypes",
            "subAttributes",
        ],
        Type::Reference => &["subAttributes"],
        _ => &["referenceTypes", "subAttributes"],
    };
    if let Some(key) = refused.iter().find(|key| node.object.contains_key(**key)) {
        return Err(node.fault_at(
            key,
            format!("`{key}` does not apply to this type; leave it out"),
        ));
    }
    if attribute_type == Type::Complex && !node.object.contains_key("subAttributes") {
        return Err(node.fault("a complex attribute must list `subAttributes`"));
    }
    if attribute_type == Type::Reference && node.texts("referenceTypes")?.is_empty() {
        return Err(node.fault(
            "a reference must list `referenceTypes`: resource types such as User, `external` or `uri`",
        ));
    }
    Ok(())
}

/// Refuses what this server could not keep its word about.
fn check_possible(
    node: &Node<'_>,
    attribute_type: Type,
    mutability: Mutability,
    uniqueness: Uniqueness,
    required: bool,
) -> Result<(), LoadError> {
    if required && mutability == Mutability::ReadOnly {
        return Err(node.fault_at(
            "required",
            "is required but readOnly, so nobody could ever supply it; drop one of the two",
        ));
    }
    if uniqueness != Uniqueness::None && attribute_type == Type::Decimal {
        return Err(node.fault_at(
            "uniqueness",
            "decimals have no exact form that could be unique; use a string or an integer",
        ));
    }
    Ok(())
}
