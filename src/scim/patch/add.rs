//! `add`, and the part of `replace` that is the same. RFC 7644 §3.5.2.1; PA-31..PA-36b.

use serde_json::{Map, Value};

use super::document::{put, take_elements, take_object};
use super::elements::{
    append, dedupe, is_hollow, is_primary, makes_primary, merge, parts, set, settle_primary,
};
use super::note;
use super::target::{ElementFilter, Place};
use super::work::Work;
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::schema::{AttributeDef, Type};
use crate::scim::validate;

/// Which of the two operations writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Add,
    Replace,
}

/// Runs an `add`.
pub(super) fn add(work: &mut Work<'_>, place: &Place, value: Value) -> Result<(), ScimError> {
    let def = &place.attr.def;
    if !def.multi_valued {
        return write_single(work, place, value, Mode::Add);
    }
    if place.filter.is_some() || place.attr.sub.is_some() {
        return write_elements(work, place, value, Mode::Add);
    }
    let path = place.shown();
    let incoming = match validate::normalize(def, &path, value, work.switches, &mut work.notes)? {
        Some(Value::Array(incoming)) => incoming,
        // PA-36b: nothing is added.
        _ => return Ok(()),
    };
    let mut elements = take_elements(&mut work.document, &place.attr);
    let chosen = append(def, &path, &mut elements, incoming)?;
    settle_primary(&mut elements, &chosen, &path)?;
    put(
        &mut work.document,
        &place.attr,
        Some(Value::Array(elements)),
    );
    Ok(())
}

/// Writes a single-valued attribute: simple ones are set, complex ones are merged, `null` and `""` clear.
pub(super) fn write_single(
    work: &mut Work<'_>,
    place: &Place,
    value: Value,
    mode: Mode,
) -> Result<(), ScimError> {
    let (attr, def, path) = (&place.attr, &place.attr.def, place.shown());
    if let Some(sub) = &attr.sub {
        let value = validate::normalize(sub, &path, value, work.switches, &mut work.notes)?;
        let mut object = take_object(&mut work.document, attr);
        write_sub(&mut object, sub, value, &path, mode)?;
        put(&mut work.document, attr, Some(Value::Object(object)));
    } else if def.attribute_type == Type::Complex {
        let given = parts(def, &path, value, work)?;
        let mut object = take_object(&mut work.document, attr);
        match given {
            Some(given) => merge(&mut object, &given, &path)?,
            None => object.clear(),
        }
        put(&mut work.document, attr, Some(Value::Object(object)));
    } else {
        let value = validate::normalize(def, &path, value, work.switches, &mut work.notes)?;
        put(&mut work.document, attr, value);
    }
    Ok(())
}

/// Writes through brackets, or a part of every element (PA-36, PA-36a, PA-37, PA-42, PA-43).
pub(super) fn write_elements(
    work: &mut Work<'_>,
    place: &Place,
    value: Value,
    mode: Mode,
) -> Result<(), ScimError> {
    let path = place.shown();
    let new = New::read(work, place, value)?;
    let mut elements = take_elements(&mut work.document, &place.attr);
    let passes = |element: &Value| {
        place
            .filter
            .as_ref()
            .is_none_or(|filter| filter.matches(element))
    };
    let matches: Vec<usize> = elements
        .iter()
        .enumerate()
        .filter(|(_, element)| passes(element))
        .map(|(index, _)| index)
        .collect();
    let mut chosen = Vec::new();
    if matches.is_empty() {
        if !new.is_nothing() {
            let created = create(work, place, &new, mode)?;
            if is_primary(&created) {
                chosen.push(elements.len());
            }
            elements.push(created);
        }
    } else if matches!(new, New::Nothing) {
        if mode == Mode::Replace {
            elements.retain(|element| !passes(element));
        }
    } else {
        for &index in &matches {
            let Some(element) = elements.get_mut(index) else {
                continue;
            };
            let before = if new.clears() {
                Some(element.clone())
            } else {
                None
            };
            new.write(element, &path, mode)?;
            if before.is_some_and(|before| before != *element) && is_hollow(element) {
                *element = Value::Null;
            }
        }
        if new.makes_primary() {
            chosen = matches;
        }
    }
    settle_primary(&mut elements, &chosen, &path)?;
    elements.retain(|element| !element.is_null());
    let elements = dedupe(&place.attr.def, &path, elements)?;
    put(
        &mut work.document,
        &place.attr,
        Some(Value::Array(elements)),
    );
    Ok(())
}

/// What is written into each element that matches.
enum New<'a> {
    /// `null`, `[]` or `""` for whole elements.
    Nothing,
    /// One sub-attribute, or its clearing.
    Sub(&'a AttributeDef, Option<Value>),
    Parts(super::elements::Parts),
    /// An element of a multi-valued simple attribute.
    Simple(Value),
}

impl<'a> New<'a> {
    fn read(work: &mut Work<'_>, place: &'a Place, value: Value) -> Result<Self, ScimError> {
        let (def, path) = (&place.attr.def, place.shown());
        if let Some(sub) = &place.attr.sub {
            let value = validate::normalize(sub, &path, value, work.switches, &mut work.notes)?;
            return Ok(Self::Sub(sub, value));
        }
        if def.attribute_type == Type::Complex {
            let given = parts(def, &path, value, work)?;
            return Ok(given.map_or(Self::Nothing, Self::Parts));
        }
        let list = match value {
            Value::Array(list) if list.len() <= 1 => Value::Array(list),
            Value::Array(_) => {
                return Err(ScimError::invalid_value(format!("{path} takes one value")));
            }
            Value::Null => return Ok(Self::Nothing),
            single => Value::Array(vec![single]),
        };
        match validate::normalize(def, &path, list, work.switches, &mut work.notes)? {
            Some(Value::Array(mut list)) => Ok(list.pop().map_or(Self::Nothing, Self::Simple)),
            _ => Ok(Self::Nothing),
        }
    }

    fn write(&self, element: &mut Value, path: &str, mode: Mode) -> Result<(), ScimError> {
        match (self, element) {
            (Self::Sub(sub, value), Value::Object(object)) => {
                write_sub(object, sub, value.clone(), path, mode)
            }
            (Self::Parts(parts), Value::Object(object)) => merge(object, parts, path),
            (Self::Simple(value), element) => {
                *element = value.clone();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether nothing would be assigned.
    fn is_nothing(&self) -> bool {
        match self {
            Self::Nothing | Self::Sub(_, None) => true,
            Self::Parts(parts) => parts.iter().all(|(_, value)| value.is_none()),
            Self::Sub(_, Some(_)) | Self::Simple(_) => false,
        }
    }

    /// Whether a sub-attribute is cleared.
    fn clears(&self) -> bool {
        match self {
            Self::Sub(_, value) => value.is_none(),
            Self::Parts(parts) => parts.iter().any(|(_, value)| value.is_none()),
            Self::Nothing | Self::Simple(_) => false,
        }
    }

    fn makes_primary(&self) -> bool {
        match self {
            Self::Sub(sub, value) => sub.name == "primary" && *value == Some(Value::Bool(true)),
            Self::Parts(parts) => makes_primary(parts),
            Self::Nothing | Self::Simple(_) => false,
        }
    }
}

/// Builds the element a filter of `eq` terms describes, with the new value in it (PA-36, PA-37).
fn create(
    work: &mut Work<'_>,
    place: &Place,
    new: &New<'_>,
    mode: Mode,
) -> Result<Value, ScimError> {
    let path = place.shown();
    let Some(filter) = &place.filter else {
        return Err(no_target(format!("{path}: there is no value to write to")));
    };
    if mode == Mode::Replace && !work.switches.replace_creates {
        return Err(no_target(format!("{path}: no value matches the filter")));
    }
    let mut element = described(work, place, filter)?;
    new.write(&mut element, &path, mode)?;
    let code = if mode == Mode::Replace {
        "replace_created"
    } else {
        "add_created"
    };
    note(&mut work.notes, code, path);
    Ok(element)
}

fn described(
    work: &mut Work<'_>,
    place: &Place,
    filter: &ElementFilter,
) -> Result<Value, ScimError> {
    let path = place.shown();
    let Some(terms) = &filter.terms else {
        return Err(no_target(format!(
            "{path}: no value matches, and only a filter of eq terms describes a new one"
        )));
    };
    if place.attr.def.attribute_type != Type::Complex {
        return Ok(Value::Null);
    }
    let mut object = Map::new();
    for (sub, value) in terms {
        let Some(sub) = sub else { continue };
        if sub.derived {
            continue;
        }
        let value = validate::normalize(sub, &path, value.clone(), work.switches, &mut work.notes)?;
        set(&mut object, sub, value, &path)?;
    }
    Ok(Value::Object(object))
}

/// Assigns a sub-attribute; `add` appends to a multi-valued one (M-08).
pub(super) fn write_sub(
    object: &mut Map<String, Value>,
    sub: &AttributeDef,
    value: Option<Value>,
    path: &str,
    mode: Mode,
) -> Result<(), ScimError> {
    if !(sub.multi_valued && mode == Mode::Add) {
        return set(object, sub, value, path);
    }
    let Some(Value::Array(incoming)) = value else {
        return Ok(());
    };
    let mut elements = match object.get(&sub.name) {
        Some(Value::Array(elements)) => elements.clone(),
        _ => Vec::new(),
    };
    append(sub, path, &mut elements, incoming)?;
    set(object, sub, Some(Value::Array(elements)), path)
}

fn no_target(detail: String) -> ScimError {
    ScimError::new(ScimErrorKind::NoTarget, detail)
}
