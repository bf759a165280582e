//! Reading and writing one attribute of a stored document, extension containers included.
//!
//! Keeps the invariants of [`crate::scim::resource::Resource`]: nothing empty, an extension without data disappears
//! (PA-15).

use serde_json::{Map, Value};

use crate::scim::schema::Attr;

/// The value at an attribute; its sub-attribute is not looked at.
pub(super) fn get<'d>(document: &'d Map<String, Value>, attr: &Attr) -> Option<&'d Value> {
    match &attr.extension {
        Some(schema) => document.get(&schema.id)?.get(&attr.def.name),
        None => document.get(&attr.def.name),
    }
}

/// Takes the value out, leaving `null` in its place so that [`put`] finds its position again.
pub(super) fn take(document: &mut Map<String, Value>, attr: &Attr) -> Option<Value> {
    let slot = match &attr.extension {
        Some(schema) => document.get_mut(&schema.id)?.get_mut(&attr.def.name)?,
        None => document.get_mut(&attr.def.name)?,
    };
    Some(slot.take())
}

/// Takes the elements of a multi-valued attribute out; none when unassigned.
pub(super) fn take_elements(document: &mut Map<String, Value>, attr: &Attr) -> Vec<Value> {
    match take(document, attr) {
        Some(Value::Array(elements)) => elements,
        _ => Vec::new(),
    }
}

/// Takes a complex value out; empty when unassigned.
pub(super) fn take_object(document: &mut Map<String, Value>, attr: &Attr) -> Map<String, Value> {
    match take(document, attr) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

/// Assigns a value, or unassigns the attribute when there is none or it is empty.
pub(super) fn put(document: &mut Map<String, Value>, attr: &Attr, value: Option<Value>) {
    let value = value.filter(|value| !is_empty(value));
    let Some(schema) = &attr.extension else {
        match value {
            Some(value) => document.insert(attr.def.name.clone(), value),
            None => document.shift_remove(&attr.def.name),
        };
        return;
    };
    match value {
        Some(value) => {
            let container = document
                .entry(schema.id.as_str())
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(container) = container {
                container.insert(attr.def.name.clone(), value);
            }
        }
        None => {
            if let Some(Value::Object(container)) = document.get_mut(&schema.id) {
                container.shift_remove(&attr.def.name);
                if container.is_empty() {
                    document.shift_remove(&schema.id);
                }
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}
