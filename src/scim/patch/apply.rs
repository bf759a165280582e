//! Runs the steps of a compiled PATCH on a copy of the document. RFC 7644 §3.5.2; PA-07, PA-08, PA-11, PA-27.

use serde_json::{Map, Value};

use super::add::add;
use super::changes::Applied;
use super::compile::{Change, CompiledPatch};
use super::document::get;
use super::elements::is_bare;
use super::note;
use super::remove::{check_immutable, remove, remove_extension, remove_schemas};
use super::replace::replace;
use super::request::in_operation;
use super::target::Place;
use super::work::Work;
use crate::scim::error::ScimError;
use crate::scim::message::Note;
use crate::scim::resource::Resource;
use crate::scim::schema::{Mutability, ResourceType, Schema, Type};
use crate::scim::switches::Switches;
use crate::scim::validate;

/// Applies a PATCH to a resource: every step on the result of the one before, then the whole is checked once more.
///
/// # Errors
/// `noTarget` where a path finds nothing to write to, `invalidValue` for a value that does not fit, `mutability` for a
/// changed immutable value. Nothing is changed then.
pub fn apply(
    patch: &CompiledPatch,
    before: &Resource,
    rt: &ResourceType,
    switches: &Switches,
) -> Result<Applied, ScimError> {
    let mut work = Work {
        document: before.document().clone(),
        switches,
        notes: patch.notes.clone(),
    };
    for step in &patch.steps {
        run(&mut work, rt, &step.change).map_err(|error| in_operation(step.number, error))?;
    }
    let mut document = work.document;
    if !patch.steps.is_empty() {
        drop_bare(&mut document, rt, &mut work.notes);
    }
    let resource = Resource::from_valid(document);
    let changed = resource != *before;
    if changed {
        validate::check_whole(rt, Some(before), &resource)?;
        validate::check_contents(rt, switches, Some(before), &resource)?;
    }
    Ok(Applied {
        resource,
        changed,
        members: patch.members.clone(),
        notes: work.notes,
    })
}

fn run(work: &mut Work<'_>, rt: &ResourceType, change: &Change) -> Result<(), ScimError> {
    match change {
        Change::Add(place, value) => {
            keeping_immutable(work, place, |work| add(work, place, value.clone()))
        }
        Change::Replace(place, value) => {
            keeping_immutable(work, place, |work| replace(work, place, value.clone()))
        }
        Change::Remove(place, value) => {
            keeping_immutable(work, place, |work| remove(work, place, value.clone()))
        }
        Change::RemoveExtension(schema) => remove_extension(work, schema),
        Change::RemoveSchemas(filter, value) => {
            remove_schemas(work, rt, filter.as_ref(), value.clone())
        }
    }
}

fn keeping_immutable(
    work: &mut Work<'_>,
    place: &Place,
    step: impl FnOnce(&mut Work<'_>) -> Result<(), ScimError>,
) -> Result<(), ScimError> {
    if place.attr.def.mutability != Mutability::Immutable {
        return step(work);
    }
    let before = get(&work.document, &place.attr).cloned();
    step(work)?;
    check_immutable(
        before.as_ref(),
        get(&work.document, &place.attr),
        &place.attr,
    )
}

/// An element that is nothing but its `type` and `primary` was waiting for a value that never came (M-58).
fn drop_bare(document: &mut Map<String, Value>, rt: &ResourceType, notes: &mut Vec<Note>) {
    drop_bare_in(document, &rt.schema, "", notes);
    for extension in &rt.extensions {
        let schema = &extension.schema;
        let Some(Value::Object(container)) = document.get_mut(&schema.id) else {
            continue;
        };
        drop_bare_in(container, schema, &format!("{}:", schema.id), notes);
        if container.is_empty() {
            document.shift_remove(&schema.id);
        }
    }
}

fn drop_bare_in(
    container: &mut Map<String, Value>,
    schema: &Schema,
    prefix: &str,
    notes: &mut Vec<Note>,
) {
    for def in schema
        .attributes
        .iter()
        .filter(|def| def.multi_valued && def.attribute_type == Type::Complex)
    {
        let Some(Value::Array(elements)) = container.get_mut(&def.name) else {
            continue;
        };
        let count = elements.len();
        elements.retain(|element| !is_bare(element));
        if elements.len() < count {
            note(
                notes,
                "empty_value_dropped",
                format!("{prefix}{}", def.name),
            );
        }
        if elements.is_empty() {
            container.shift_remove(&def.name);
        }
    }
}
