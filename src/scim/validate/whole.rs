//! What must hold of a whole resource after any write: required, immutable, one primary, bounded lists.
//!
//! M-23, M-33, M-52, R-06, RT-06, E7.

use serde_json::{Map, Value};

use super::note::path_of;
use super::value::MAX_VALUES;
use crate::scim::error::{ScimError, ScimErrorKind};
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
            Some(Value::Array(elements)) => check_elements(def, &path, elements)?,
            Some(value) => check_parts(def, &path, value)?,
        }
    }
    Ok(())
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

/// A value once given stays (M-23). Sub-attributes count in a single complex value; elements of a list have no
/// identity by which an old one could be told from a new one.
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
    let changed = def
        .sub_attributes
        .iter()
        .filter(|sub| sub.mutability == Mutability::Immutable && !def.multi_valued)
        .find(|sub| {
            before
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
