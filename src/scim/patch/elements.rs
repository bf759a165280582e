//! Values of an attribute: parts of a complex value, elements of a multi-valued one, their identity and their primary.
//!
//! RFC 7643 §2.4; PA-12, PA-13, PA-17, PA-26, PA-34, PA-35, PA-50, M-54, M-58.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::note;
use super::work::Work;
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::fold::fold;
use crate::scim::schema::{AttributeDef, Mutability, Type};
use crate::scim::validate::{self, MAX_VALUES};

/// The parts of a complex value a client gave: each sub-attribute with its new value, `None` to clear it.
pub(super) type Parts = Vec<(Arc<AttributeDef>, Option<Value>)>;

/// Reads a complex value for merging; `None` when it stands for nothing (`null`, `[]`, `""`).
/// A bare string is the `value`, an array of one is its element (PA-17).
pub(super) fn parts(
    def: &AttributeDef,
    path: &str,
    value: Value,
    work: &mut Work<'_>,
) -> Result<Option<Parts>, ScimError> {
    let switches = work.switches;
    let value = match value {
        Value::Array(mut list) if list.len() <= 1 && (switches.wrap_scalar || list.is_empty()) => {
            list.pop().unwrap_or(Value::Null)
        }
        other => other,
    };
    let object = match value {
        Value::Null => return Ok(None),
        Value::String(text) if switches.wrap_scalar && def.sub("value").is_some() => {
            if text.is_empty() {
                return Ok(None);
            }
            Map::from_iter([("value".to_owned(), Value::String(text))])
        }
        Value::Object(object) => object,
        _ => {
            return Err(ScimError::invalid_value(format!(
                "{path} takes an object of its sub-attributes"
            )));
        }
    };
    object_parts(def, path, object, work).map(Some)
}

fn object_parts(
    def: &AttributeDef,
    path: &str,
    object: Map<String, Value>,
    work: &mut Work<'_>,
) -> Result<Parts, ScimError> {
    let mut parts: Parts = Vec::with_capacity(object.len());
    let mut reference = None;
    for (name, value) in object {
        let sub_path = format!("{path}.{name}");
        let Some(sub) = def.sub(&name) else {
            if !work.switches.ignore_unknown_attrs {
                return Err(ScimError::invalid_value(format!(
                    "{path} has no sub-attribute {name:?}"
                )));
            }
            note(&mut work.notes, "unknown_attribute", sub_path);
            continue;
        };
        if sub.derived || sub.mutability == Mutability::ReadOnly {
            if sub.name == "$ref" {
                reference = value
                    .as_str()
                    .and_then(|uri| Some(uri.trim_end_matches('/').rsplit_once('/')?.1.to_owned()));
            }
            continue;
        }
        let value = validate::normalize(sub, &sub_path, value, work.switches, &mut work.notes)?;
        parts.retain(|(known, _)| known.name != sub.name);
        parts.push((sub.clone(), value));
    }
    // T-13: a reference stands in for a missing value.
    if let (Some(id), Some(sub)) = (reference.filter(|id| !id.is_empty()), def.sub("value"))
        && !parts.iter().any(|(known, _)| known.name == sub.name)
    {
        parts.push((sub.clone(), Some(Value::String(id))));
    }
    Ok(parts)
}

/// Assigns or clears one sub-attribute; an assigned immutable one keeps its value (PA-26).
pub(super) fn set(
    object: &mut Map<String, Value>,
    sub: &AttributeDef,
    value: Option<Value>,
    path: &str,
) -> Result<(), ScimError> {
    let before = object.get(&sub.name);
    if sub.mutability == Mutability::Immutable && before.is_some() && before != value.as_ref() {
        let detail = format!("{path}: {} cannot be changed once it has a value", sub.name);
        return Err(ScimError::new(ScimErrorKind::Mutability, detail));
    }
    match value {
        // A missing primary is a false one (M-53).
        Some(Value::Bool(false)) if before.is_none() && sub.name == "primary" => {}
        Some(value) => {
            object.insert(sub.name.clone(), value);
        }
        None => {
            object.shift_remove(&sub.name);
        }
    }
    Ok(())
}

/// Merges parts into one element or complex value.
pub(super) fn merge(
    object: &mut Map<String, Value>,
    parts: &Parts,
    path: &str,
) -> Result<(), ScimError> {
    parts
        .iter()
        .try_for_each(|(sub, value)| set(object, sub, value.clone(), path))
}

/// Whether parts make the element they are merged into the primary one.
pub(super) fn makes_primary(parts: &Parts) -> bool {
    parts
        .iter()
        .any(|(sub, value)| sub.name == "primary" && *value == Some(Value::Bool(true)))
}

pub(super) fn is_primary(element: &Value) -> bool {
    element
        .get("primary")
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

/// Appends elements; one that is there already is merged instead (PA-33..PA-35). Returns who was made primary.
pub(super) fn append(
    def: &AttributeDef,
    path: &str,
    elements: &mut Vec<Value>,
    incoming: Vec<Value>,
) -> Result<Vec<usize>, ScimError> {
    let mut known: HashMap<String, usize> = HashMap::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        known.entry(identity(def, element)).or_insert(index);
    }
    let mut chosen = Vec::new();
    for element in incoming {
        let primary = is_primary(&element);
        let index = match known.get(&identity(def, &element)) {
            Some(&index) => {
                if let (Some(Value::Object(present)), Value::Object(new)) =
                    (elements.get_mut(index), element)
                {
                    merge_equal(def, path, present, new)?;
                }
                index
            }
            None => {
                known.insert(identity(def, &element), elements.len());
                elements.push(element);
                elements.len() - 1
            }
        };
        if primary && !chosen.contains(&index) {
            chosen.push(index);
        }
        // Here and not only at the end: a thousand operations must not grow a list nobody may have (E7).
        if elements.len() > MAX_VALUES {
            return Err(ScimError::invalid_value(format!(
                "{path} holds more than {MAX_VALUES} values"
            )));
        }
    }
    Ok(chosen)
}

/// Merges an element into one of the same identity; what compares equal keeps its spelling (PV-09).
fn merge_equal(
    def: &AttributeDef,
    path: &str,
    present: &mut Map<String, Value>,
    new: Map<String, Value>,
) -> Result<(), ScimError> {
    for (name, value) in new {
        let Some(sub) = def.sub(&name) else { continue };
        let same = present
            .get(&sub.name)
            .is_some_and(|old| comparable(sub, old) == comparable(sub, &value));
        if !same {
            set(present, sub, Some(value), path)?;
        }
    }
    Ok(())
}

/// At most one element was made primary by one operation; all others stop being it (PA-12, PA-13).
pub(super) fn settle_primary(
    elements: &mut [Value],
    chosen: &[usize],
    path: &str,
) -> Result<(), ScimError> {
    let keep = match chosen {
        [] => return Ok(()),
        [keep] => *keep,
        _ => {
            return Err(ScimError::invalid_value(format!(
                "{path}: only one value can be primary"
            )));
        }
    };
    for (index, element) in elements.iter_mut().enumerate() {
        if index != keep
            && is_primary(element)
            && let Value::Object(object) = element
        {
            object.insert("primary".to_owned(), Value::Bool(false));
        }
    }
    Ok(())
}

/// Merges elements that have come to have the same identity, the first position kept (M-54, M-55).
pub(super) fn dedupe(
    def: &AttributeDef,
    path: &str,
    elements: Vec<Value>,
) -> Result<Vec<Value>, ScimError> {
    let mut kept = Vec::with_capacity(elements.len());
    append(def, path, &mut kept, elements)?;
    Ok(kept)
}

/// Whether an element says nothing once its value is cleared (PA-43, PA-50).
pub(super) fn is_hollow(element: &Value) -> bool {
    let label = |key: &String| matches!(key.as_str(), "type" | "primary" | "display" | "$ref");
    element
        .as_object()
        .is_some_and(|object| object.keys().all(label))
}

/// Whether an element is nothing but its `type` and `primary` (M-58).
pub(super) fn is_bare(element: &Value) -> bool {
    let label = |key: &String| matches!(key.as_str(), "type" | "primary");
    element
        .as_object()
        .is_some_and(|object| object.keys().all(label))
}

/// What makes two elements the same: `type` and `value`; without a `value`, everything but `$ref` and a false
/// `primary` (PA-34, PA-35).
pub(super) fn identity(def: &AttributeDef, element: &Value) -> String {
    let Value::Object(object) = element else {
        return comparable(def, element);
    };
    if let Some(value) = object.get("value") {
        let part = |name: &str, value: &Value| {
            def.sub(name)
                .map_or_else(|| value.to_string(), |sub| comparable(sub, value))
        };
        let kind = object
            .get("type")
            .map_or_else(String::new, |kind| part("type", kind));
        return format!("{}\u{0}{kind}", part("value", value));
    }
    let mut all: Vec<String> = object
        .iter()
        .filter(|(name, value)| {
            *name != "$ref" && !(*name == "primary" && **value == Value::Bool(false))
        })
        .map(|(name, value)| {
            let value = def
                .sub(name)
                .map_or_else(|| value.to_string(), |sub| comparable(sub, value));
            format!("{name}\u{0}{value}")
        })
        .collect();
    all.sort_unstable();
    // Never the key of an element with a `value`.
    format!("\u{1}{}", all.join("\u{1}"))
}

/// The key by which two values of one attribute are equal.
pub(super) fn comparable(def: &AttributeDef, value: &Value) -> String {
    match value {
        Value::String(text) if def.attribute_type == Type::String && !def.case_exact => fold(text),
        Value::String(text) => text.clone(),
        Value::Array(list) => list
            .iter()
            .map(|value| comparable(def, value))
            .collect::<Vec<_>>()
            .join("\u{0}"),
        other => other.to_string(),
    }
}
