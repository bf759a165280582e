//! `remove`. RFC 7644 §3.5.2.2; PA-44..PA-53. What finds nothing succeeds (PA-48).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::document::{get, put, take_elements, take_object};
use super::elements::{comparable, dedupe, is_hollow, set};
use super::target::{ElementFilter, Place};
use super::work::Work;
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::schema::{Attr, AttributeDef, Mutability, ResourceType, Schema, Type};
use crate::scim::validate;

/// Runs a `remove`; `value` is the list of values to remove, where one was sent (PA-44).
pub(super) fn remove(
    work: &mut Work<'_>,
    place: &Place,
    value: Option<Value>,
) -> Result<(), ScimError> {
    let (attr, def, path) = (&place.attr, &place.attr.def, place.shown());
    if get(&work.document, attr).is_none() {
        return Ok(());
    }
    match (def.multi_valued, &attr.sub) {
        (false, None) => put(&mut work.document, attr, None),
        (false, Some(sub)) => {
            let mut object = take_object(&mut work.document, attr);
            set(&mut object, sub, None, &path)?;
            put(&mut work.document, attr, Some(Value::Object(object)));
        }
        (true, _) => {
            let listed = match value {
                Some(value)
                    if work.switches.remove_value_list
                        && place.filter.is_none()
                        && attr.sub.is_none() =>
                {
                    Some(listed(work, def, &path, value)?)
                }
                _ => None,
            };
            let mut elements = take_elements(&mut work.document, attr);
            let passes = |element: &Value| match &listed {
                Some(listed) => listed.iter().any(|entry| is_listed(def, element, entry)),
                None => place
                    .filter
                    .as_ref()
                    .is_none_or(|filter| filter.matches(element)),
            };
            if let Some(sub) = &attr.sub {
                for element in elements.iter_mut().filter(|element| passes(element)) {
                    clear(element, sub, &path)?;
                }
                elements.retain(|element| !element.is_null());
                elements = dedupe(def, &path, elements)?;
            } else {
                elements.retain(|element| !passes(element));
            }
            put(&mut work.document, attr, Some(Value::Array(elements)));
        }
    }
    Ok(())
}

/// Clears a sub-attribute of one element; an element that says nothing any more becomes `null` (PA-50).
fn clear(element: &mut Value, sub: &AttributeDef, path: &str) -> Result<(), ScimError> {
    let Value::Object(object) = element else {
        return Ok(());
    };
    if object.contains_key(&sub.name) {
        set(object, sub, None, path)?;
        if is_hollow(element) {
            *element = Value::Null;
        }
    }
    Ok(())
}

/// Reads the values to remove. A single object is a list of one; a bare value is refused, lest everything goes.
fn listed(
    work: &mut Work<'_>,
    def: &AttributeDef,
    path: &str,
    value: Value,
) -> Result<Vec<Value>, ScimError> {
    let list = match value {
        Value::Array(list) => list,
        object @ Value::Object(_) => vec![object],
        _ => {
            return Err(ScimError::invalid_value(format!(
                "{path}: remove takes an array of values, or none"
            )));
        }
    };
    let mut listed = Vec::with_capacity(list.len());
    for entry in list {
        if entry.is_null() {
            continue;
        }
        if def.attribute_type != Type::Complex {
            if let Some(Value::Array(one)) = validate::normalize(
                def,
                path,
                Value::Array(vec![entry]),
                work.switches,
                &mut work.notes,
            )? {
                listed.extend(one);
            }
            continue;
        }
        let object = match entry {
            Value::Object(object) => object,
            Value::String(text) if work.switches.wrap_scalar && def.sub("value").is_some() => {
                Map::from_iter([("value".to_owned(), Value::String(text))])
            }
            _ => {
                return Err(ScimError::invalid_value(format!(
                    "{path}: every value to remove must be an object"
                )));
            }
        };
        listed.push(Value::Object(known_parts(work, def, path, object)?));
    }
    Ok(listed)
}

/// The sub-attributes by which a listed element is found: `value` and `type`, or without a `value` all that are given.
fn known_parts(
    work: &mut Work<'_>,
    def: &AttributeDef,
    path: &str,
    object: Map<String, Value>,
) -> Result<Map<String, Value>, ScimError> {
    let mut parts = Map::new();
    for (name, value) in object {
        let Some(sub) = def.sub(&name).filter(|sub| !sub.derived) else {
            continue;
        };
        if let Some(value) = validate::normalize(sub, path, value, work.switches, &mut work.notes)?
        {
            parts.insert(sub.name.clone(), value);
        }
    }
    if parts.contains_key("value") {
        parts.retain(|name, _| name == "value" || name == "type");
    } else {
        parts.shift_remove("primary");
    }
    Ok(parts)
}

fn is_listed(def: &AttributeDef, element: &Value, entry: &Value) -> bool {
    let Value::Object(parts) = entry else {
        return comparable(def, element) == comparable(def, entry);
    };
    let agrees = |(name, value): (&String, &Value)| {
        let sub = def.sub(name);
        element.get(name).is_some_and(|old| {
            sub.is_some_and(|sub| comparable(sub, old) == comparable(sub, value))
        })
    };
    !parts.is_empty() && parts.iter().all(agrees)
}

/// Removes a whole extension (PA-51).
pub(super) fn remove_extension(work: &mut Work<'_>, schema: &Schema) -> Result<(), ScimError> {
    let Some(Value::Object(container)) = work.document.get(&schema.id) else {
        return Ok(());
    };
    let fixed = |def: &&Arc<AttributeDef>| {
        def.mutability == Mutability::Immutable && container.contains_key(&def.name)
    };
    if let Some(def) = schema.attributes.iter().find(fixed) {
        return Err(mutability(format!(
            "{}:{} cannot be removed once it has a value",
            schema.id, def.name
        )));
    }
    work.document.shift_remove(&schema.id);
    Ok(())
}

/// Removes the data of the extensions whose URNs are listed or picked by a filter (PA-52).
pub(super) fn remove_schemas(
    work: &mut Work<'_>,
    rt: &ResourceType,
    filter: Option<&ElementFilter>,
    value: Option<Value>,
) -> Result<(), ScimError> {
    let listed = match value {
        None => Vec::new(),
        Some(Value::Array(list)) => list,
        Some(single) => vec![single],
    };
    let picked = |urn: &str| match filter {
        Some(filter) => filter.matches(&Value::String(urn.to_owned())),
        None => listed.iter().any(|entry| {
            entry
                .as_str()
                .is_some_and(|entry| entry.eq_ignore_ascii_case(urn))
        }),
    };
    if picked(&rt.schema.id) {
        return Err(mutability(format!(
            "{} cannot be removed from schemas",
            rt.schema.id
        )));
    }
    for extension in rt
        .extensions
        .iter()
        .filter(|extension| picked(&extension.schema.id))
    {
        if extension.required {
            return Err(mutability(format!(
                "{} cannot be removed from schemas",
                extension.schema.id
            )));
        }
        remove_extension(work, &extension.schema)?;
    }
    Ok(())
}

/// An immutable attribute with a value keeps it (PA-26, PV-49).
pub(super) fn check_immutable(
    before: Option<&Value>,
    after: Option<&Value>,
    attr: &Attr,
) -> Result<(), ScimError> {
    match before {
        Some(value) if after != Some(value) => Err(mutability(format!(
            "{} cannot be changed once it has a value",
            attr.path()
        ))),
        _ => Ok(()),
    }
}

fn mutability(detail: String) -> ScimError {
    ScimError::new(ScimErrorKind::Mutability, detail)
}
