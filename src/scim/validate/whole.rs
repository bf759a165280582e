//! What must hold of a whole resource after any write: required, immutable, one primary, bounded lists.
//!
//! M-23, M-33, M-52, R-06, RT-06, E7.

use serde_json::{Map, Value};

use super::note::path_of;
use super::value::MAX_VALUES;
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::fold::fold;
use crate::scim::resource::Resource;
use crate::scim::schema::{AttributeDef, Mutability, ResourceType, Schema, Type};

/// Checks the result of a POST, PUT or PATCH; `before` is what was stored.
///
/// # Errors
/// `invalidValue` for a missing required value, a second primary or too many values; `mutability` for an immutable
/// value that has changed or gone.
pub fn check_whole(
    rt: &ResourceType,
    before: Option<&Resource>,
    after: &Resource,
) -> Result<(), ScimError> {
    let old = before.map(Resource::document);
    check_schema(&rt.schema, None, old, after.document())?;
    for extension in &rt.extensions {
        let schema = extension.schema.as_ref();
        let old = old
            .and_then(|old| old.get(&schema.id))
            .and_then(Value::as_object);
        match after.document().get(&schema.id).and_then(Value::as_object) {
            Some(container) => check_schema(schema, Some(schema), old, container)?,
            None if extension.required => {
                return Err(ScimError::invalid_value(format!(
                    "the extension {} is required",
                    schema.id
                )));
            }
            None => {
                for def in &schema.attributes {
                    let old = old.and_then(|old| old.get(&def.name));
                    check_immutable(def, &path_of(Some(schema), &def.name), old, None)?;
                }
            }
        }
    }
    Ok(())
}

fn check_schema(
    schema: &Schema,
    extension: Option<&Schema>,
    before: Option<&Map<String, Value>>,
    after: &Map<String, Value>,
) -> Result<(), ScimError> {
    for def in &schema.attributes {
        let unstored = def.derived || def.detached;
        if unstored || matches!(def.mutability, Mutability::ReadOnly | Mutability::WriteOnly) {
            continue;
        }
        let path = path_of(extension, &def.name);
        let value = after.get(&def.name);
        check_immutable(
            def,
            &path,
            before.and_then(|before| before.get(&def.name)),
            value,
        )?;
        match value {
            None if def.required => {
                return Err(ScimError::invalid_value(format!(
                    "{path} is required and must not be empty"
                )));
            }
            None => {}
            Some(Value::String(text)) if def.required && is_blank(text) => {
                return Err(ScimError::invalid_value(format!(
                    "{path} is required and must not be blank"
                )));
            }
            Some(Value::Array(elements)) => check_elements(def, &path, elements)?,
            Some(value) => check_parts(def, &path, value)?,
        }
    }
    Ok(())
}

/// Whether a text shows nothing: whitespace, control characters, what has no width. As a name it would be one that nobody
/// can see or type (U-01, G-01, M-33).
fn is_blank(text: &str) -> bool {
    let unseen = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
    };
    text.chars().all(unseen)
}

fn check_elements(def: &AttributeDef, path: &str, elements: &[Value]) -> Result<(), ScimError> {
    if elements.len() > MAX_VALUES {
        return Err(ScimError::invalid_value(format!(
            "{path} holds more than {MAX_VALUES} values"
        )));
    }
    let mut primaries = 0;
    for (index, element) in elements.iter().enumerate() {
        let path = format!("{path}[{index}]");
        check_parts(def, &path, element)?;
        if element.get("primary") == Some(&Value::Bool(true)) {
            primaries += 1;
            if primaries > 1 {
                return Err(ScimError::invalid_value(format!(
                    "{path}.primary: only one value can be primary"
                )));
            }
        }
    }
    Ok(())
}

/// The required parts of a complex value.
fn check_parts(def: &AttributeDef, path: &str, value: &Value) -> Result<(), ScimError> {
    if def.attribute_type != Type::Complex {
        return Ok(());
    }
    let missing = def.sub_attributes.iter().find(|sub| {
        sub.required
            && !sub.derived
            && sub.mutability != Mutability::ReadOnly
            && value.get(&sub.name).is_none()
    });
    match missing {
        Some(sub) => Err(ScimError::invalid_value(format!(
            "{path}.{} is required",
            sub.name
        ))),
        None => Ok(()),
    }
}

/// The old element of a list that a new one continues: the same `type` and `value`, letter case as the schema says.
/// Without a `value` an element has no identity, and every one is new.
pub(super) fn same_element<'v>(
    def: &AttributeDef,
    olds: &'v [Value],
    new: &Value,
) -> Option<&'v Value> {
    let key = |element: &Value, name: &str| {
        let sub = def.sub(name)?;
        let value = element.get(&sub.name)?;
        Some(match value.as_str() {
            Some(text) if !sub.case_exact => fold(text),
            Some(text) => text.to_owned(),
            None => value.to_string(),
        })
    };
    let value = key(new, "value")?;
    olds.iter().find(|old| {
        key(old, "value").as_deref() == Some(value.as_str()) && key(old, "type") == key(new, "type")
    })
}

/// A value once given stays (M-23). Sub-attributes count in a complex value, and in the elements of a list that have
/// a `value` to be told by; an element may go as a whole.
fn check_immutable(
    def: &AttributeDef,
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Result<(), ScimError> {
    let Some(before) = before else { return Ok(()) };
    if def.mutability == Mutability::Immutable {
        return if after == Some(before) {
            Ok(())
        } else {
            Err(immutable(path))
        };
    }
    if !def
        .sub_attributes
        .iter()
        .any(|sub| sub.mutability == Mutability::Immutable)
    {
        return Ok(());
    }
    match (before, after) {
        (Value::Array(olds), Some(Value::Array(elements))) => elements
            .iter()
            .filter_map(|new| Some((same_element(def, olds, new)?, new)))
            .try_for_each(|(old, new)| check_immutable_parts(def, path, old, Some(new))),
        (Value::Array(_), _) => Ok(()),
        _ => check_immutable_parts(def, path, before, after),
    }
}

fn check_immutable_parts(
    def: &AttributeDef,
    path: &str,
    before: &Value,
    after: Option<&Value>,
) -> Result<(), ScimError> {
    let changed = def
        .sub_attributes
        .iter()
        .filter(|sub| sub.mutability == Mutability::Immutable)
        .find(|sub| {
            // what a list's element is told by may change its letter case
            let told_by = def.multi_valued && matches!(sub.name.as_str(), "value" | "type");
            !told_by
                && before
                    .get(&sub.name)
                    .is_some_and(|old| after.and_then(|after| after.get(&sub.name)) != Some(old))
        });
    match changed {
        Some(sub) => Err(immutable(&format!("{path}.{}", sub.name))),
        None => Ok(()),
    }
}

fn immutable(path: &str) -> ScimError {
    ScimError::new(
        ScimErrorKind::Mutability,
        format!("{path} cannot be changed once it has a value"),
    )
}
