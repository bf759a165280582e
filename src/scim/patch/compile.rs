//! From operations to steps: paths resolved, path-less values expanded, what may not be written refused or noted.
//!
//! Looks at the schema only, never at stored data; so every detached change is known here already.
//! RFC 7644 §3.5.2; PA-14, PA-16, PA-20..PA-25, PA-49, W-09, U-07.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::changes::MembersChange;
use super::members;
use super::note;
use super::request::{Op, Operation, PatchRequest, in_operation};
use super::target::{ElementFilter, Place, Target};
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::message::Note;
use crate::scim::schema::{Attr, AttributeDef, Mutability, ResourceType, Schema};
use crate::scim::switches::Switches;

/// A PATCH that fits its resource type, ready to be applied to any resource of that type.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledPatch {
    pub(super) steps: Vec<Step>,
    pub(super) members: Vec<MembersChange>,
    pub(super) notes: Vec<Note>,
}

/// One change of the document.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// The operation it belongs to, from 1.
    pub number: usize,
    pub change: Change,
}

/// What a step does. `Add` and `Replace` never have a container as their target: those are expanded.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    Add(Place, Value),
    Replace(Place, Value),
    /// With the list of values, where one was sent (PA-44).
    Remove(Place, Option<Value>),
    RemoveExtension(Arc<Schema>),
    /// `remove` on `schemas`: the extensions with these URNs, or those the filter picks (PA-52).
    RemoveSchemas(Option<ElementFilter>, Option<Value>),
}

/// Resolves a PATCH against the schema of a resource type.
///
/// # Errors
/// `invalidPath` and `invalidFilter` for a path, `mutability` for a target that may not be written or removed,
/// `noTarget` for a `remove` without path, `invalidValue` for a value of the wrong shape or an unreadable member.
pub fn compile(
    request: &PatchRequest,
    rt: &ResourceType,
    switches: &Switches,
) -> Result<CompiledPatch, ScimError> {
    let mut compiler = Compiler {
        rt,
        switches,
        number: 0,
        out: CompiledPatch::empty(),
    };
    for (index, operation) in request.operations.iter().enumerate() {
        compiler.number = index + 1;
        compiler
            .operation(operation)
            .map_err(|error| in_operation(index + 1, error))?;
    }
    Ok(compiler.out)
}

impl CompiledPatch {
    const fn empty() -> Self {
        Self {
            steps: Vec::new(),
            members: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// What happens to the members, in order, before anything is applied: the service may look the ids up early.
    #[must_use]
    pub fn members(&self) -> &[MembersChange] {
        &self.members
    }

    /// Paths of the attributes the operations write, in the schema's spelling: what `returned: request` asks for (M-28).
    #[must_use]
    pub fn named(&self) -> Vec<String> {
        let mut named = Vec::new();
        for step in &self.steps {
            let (Change::Add(place, value) | Change::Replace(place, value)) = &step.change else {
                continue;
            };
            let whole = Attr {
                sub: None,
                ..place.attr.clone()
            };
            let path = whole.path();
            let keys = value.as_object().into_iter().flat_map(Map::keys);
            let parts = keys.filter_map(|key| place.attr.def.sub(key));
            named.extend(
                place
                    .attr
                    .sub
                    .iter()
                    .chain(parts)
                    .map(|sub| format!("{path}.{}", sub.name)),
            );
            named.push(path);
        }
        named.sort_unstable();
        named.dedup();
        named
    }

    /// Whether the document is touched at all.
    #[must_use]
    pub fn touches_document(&self) -> bool {
        !self.steps.is_empty()
    }
}

struct Compiler<'a> {
    rt: &'a ResourceType,
    switches: &'a Switches,
    number: usize,
    out: CompiledPatch,
}

/// Whether the client named the attribute itself (refuse what cannot be) or inside a value (ignore and note it).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    Path,
    Key,
}

impl Compiler<'_> {
    fn operation(&mut self, operation: &Operation) -> Result<(), ScimError> {
        let Some(path) = &operation.path else {
            return self.without_path(operation);
        };
        let target = Target::resolve(path, self.rt, self.switches)?;
        if operation.op == Op::Remove {
            return self.remove(target, operation.value.clone());
        }
        let Some(value) = operation.value.clone() else {
            return Err(ScimError::invalid_value(format!(
                "{path:?}: add and replace need a value"
            )));
        };
        self.write(operation.op, target, value, Naming::Path)
    }

    fn without_path(&mut self, operation: &Operation) -> Result<(), ScimError> {
        if operation.op == Op::Remove {
            return Err(ScimError::new(
                ScimErrorKind::NoTarget,
                "remove needs a path",
            ));
        }
        match &operation.value {
            Some(Value::Object(object)) => object
                .iter()
                .try_for_each(|(key, value)| self.key(operation.op, key, value.clone())),
            Some(_) => Err(ScimError::invalid_value(
                "without a path, value must be an object of attributes",
            )),
            None => Err(ScimError::invalid_value("add and replace need a value")),
        }
    }

    /// One key of a path-less value (PA-16).
    fn key(&mut self, op: Op, key: &str, value: Value) -> Result<(), ScimError> {
        let plain = self.rt.core_attribute(key).is_some() || self.rt.extension(key).is_some();
        let target = if plain || self.switches.dotted_keys {
            Target::resolve_key(key, self.rt, self.switches)?
        } else {
            None
        };
        match target {
            Some(target) => self.write(op, target, value, Naming::Key),
            None => self.unknown(key),
        }
    }

    /// A key nothing is known of: ignored and noted (W-09, W-10).
    fn unknown(&mut self, key: &str) -> Result<(), ScimError> {
        let is_schema = key
            .get(..4)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn:"))
            && self.rt.split_urn(key).0.is_none();
        let (ignored, code) = if is_schema {
            (self.switches.ignore_unknown_schemas, "unknown_schema")
        } else {
            (self.switches.ignore_unknown_attrs, "unknown_attribute")
        };
        if !ignored {
            return Err(ScimError::invalid_value(format!(
                "{} has no attribute {:?}",
                self.rt.name,
                shorten(key)
            )));
        }
        self.note(code, &shorten(key));
        Ok(())
    }

    fn write(
        &mut self,
        op: Op,
        target: Target,
        value: Value,
        naming: Naming,
    ) -> Result<(), ScimError> {
        match target {
            Target::Container(schema) => self.write_container(op, &schema, value),
            Target::Schemas(_) if naming == Naming::Key => Ok(()),
            Target::Schemas(_) => self.write_schemas(value),
            Target::Place(place) => {
                if !self.writable(&place, naming)? {
                    return Ok(());
                }
                if place.attr.def.detached {
                    let change =
                        members::write(op, &place, value, self.switches, &mut self.out.notes)?;
                    self.members(change);
                    return Ok(());
                }
                let change = if op == Op::Add {
                    Change::Add(place, value)
                } else {
                    Change::Replace(place, value)
                };
                self.step(change);
                Ok(())
            }
        }
    }

    /// An object under a schema's URN is merged, attribute by attribute (PV-74).
    fn write_container(
        &mut self,
        op: Op,
        schema: &Arc<Schema>,
        value: Value,
    ) -> Result<(), ScimError> {
        let object: Map<String, Value> = match value {
            Value::Object(object) => object,
            Value::Null if op == Op::Add || schema.id == self.rt.schema.id => return Ok(()),
            Value::Null => return self.remove(Target::Container(schema.clone()), None),
            _ => {
                return Err(ScimError::invalid_value(format!(
                    "{} must be an object of its attributes",
                    schema.id
                )));
            }
        };
        for (name, value) in object {
            let known = schema.attribute(&name).is_some()
                || (self.switches.dotted_keys && name.contains(['.', '[']));
            let key = format!("{}:{name}", schema.id);
            let target = if known {
                Target::resolve_key(&key, self.rt, self.switches)?
            } else {
                None
            };
            match target {
                Some(target) => self.write(op, target, value, Naming::Key)?,
                None => self.unknown(&key)?,
            }
        }
        Ok(())
    }

    /// `schemas` follows from the data: a list of known URNs with the core URN among them changes nothing.
    fn write_schemas(&mut self, value: Value) -> Result<(), ScimError> {
        let urns = match value {
            Value::Array(urns) => urns,
            single => vec![single],
        };
        for urn in &urns {
            let Value::String(urn) = urn else {
                return Err(ScimError::invalid_value("schemas takes a list of URNs"));
            };
            if self.rt.schema_of(urn).is_none() {
                self.unknown(urn)?;
            }
        }
        self.note("schemas_ignored", "schemas");
        Ok(())
    }

    fn remove(&mut self, target: Target, value: Option<Value>) -> Result<(), ScimError> {
        let value = value.filter(|value| !value.is_null());
        match target {
            Target::Container(schema) => {
                let removable = self
                    .rt
                    .extensions
                    .iter()
                    .any(|extension| extension.schema.id == schema.id && !extension.required);
                if !removable {
                    return Err(mutability(format!("{} cannot be removed", schema.id)));
                }
                self.step(Change::RemoveExtension(schema));
            }
            Target::Schemas(None) if value.is_none() => {
                return Err(mutability(format!(
                    "{} cannot be removed from schemas",
                    self.rt.schema.id
                )));
            }
            Target::Schemas(filter) => self.step(Change::RemoveSchemas(filter, value)),
            Target::Place(place) => {
                if !self.writable(&place, Naming::Path)? {
                    return Ok(());
                }
                // PA-44 without its tolerance: the RFC knows no value here, and taking everything is what nobody meant
                if value.is_some()
                    && place.attr.def.multi_valued
                    && place.filter.is_none()
                    && !self.switches.remove_value_list
                {
                    return Err(ScimError::invalid_value(format!(
                        "{}: remove takes no value; name the values in brackets in the path",
                        place.shown()
                    )));
                }
                if place.attr.def.detached {
                    let change = members::remove(&place, value, self.switches)?;
                    self.members(change);
                    return Ok(());
                }
                let whole = place.filter.is_none() && value.is_none();
                if place.attr.leaf().required && (whole || place.attr.sub.is_some()) {
                    return Err(mutability(format!(
                        "{} is required and cannot be removed",
                        place.shown()
                    )));
                }
                self.step(Change::Remove(place, value));
            }
        }
        Ok(())
    }

    /// Whether a step is to be made: read-only targets are refused in a path and ignored as a key (PA-24, PA-25);
    /// a password is taken and thrown away (U-07).
    fn writable(&mut self, place: &Place, naming: Naming) -> Result<bool, ScimError> {
        let attr = &place.attr;
        if attr.extension.is_none() && attr.def.name == "password" {
            self.note("password_discarded", "password");
            return Ok(false);
        }
        let computed = |def: &AttributeDef| def.derived || def.mutability == Mutability::ReadOnly;
        if attr.def.detached
            || !(computed(&attr.def) || attr.sub.as_ref().is_some_and(|sub| computed(sub)))
        {
            return Ok(true);
        }
        match naming {
            Naming::Path => Err(mutability(format!("{} is read-only", place.shown()))),
            Naming::Key => Ok(false),
        }
    }

    /// Removals that follow each other are one: some clients send an operation per member. Additions stay apart,
    /// because one that names only unknown ids is refused by itself (T-12).
    fn members(&mut self, change: Option<MembersChange>) {
        match (self.out.members.last_mut(), change) {
            (Some(MembersChange::Remove(ids)), Some(MembersChange::Remove(more))) => {
                ids.extend(more)
            }
            (_, change) => self.out.members.extend(change),
        }
    }

    fn step(&mut self, change: Change) {
        self.out.steps.push(Step {
            number: self.number,
            change,
        });
    }

    fn note(&mut self, code: &'static str, path: &str) {
        note(&mut self.out.notes, code, path);
    }
}

fn mutability(detail: String) -> ScimError {
    ScimError::new(ScimErrorKind::Mutability, detail)
}

/// A client's text, cut for messages and notes.
fn shorten(text: &str) -> String {
    text.chars().take(120).collect()
}
