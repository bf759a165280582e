//! A POST or PUT body → [`Accepted`]: which attribute is taken, ignored, kept or refused. Rules W-*, PO-*, R-*.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::contents::check_contents;
use super::members::{self, MembersInput};
use super::note::{excerpt, path_of, unknown_attribute};
use super::schemas;
use super::value::normalize;
use super::whole::{check_whole, same_element};
use crate::scim::error::ScimError;
use crate::scim::message::Note;
use crate::scim::resource::Resource;
use crate::scim::schema::{AttributeDef, Mutability, ResourceType, Returned, Schema, Type};
use crate::scim::switches::Switches;

/// A PUT leaves attributes of this extension as they are when it does not name them: an IdP's push must not
/// wipe what an administrator set.
pub(super) const KEPT_EXTENSION: &str =
    "urn:rollcall:params:scim:schemas:extension:group:2.0:Group";
/// The attribute with a default on POST (PO-06), which an incomplete PUT leaves as it is.
const ACTIVE: &str = "active";
/// What a body is for.
#[derive(Clone, Copy, Debug)]
pub enum Context<'a> {
    /// POST.
    Create,
    /// PUT.
    Replace { before: &'a Resource },
}

/// A body that fits its schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    pub resource: Resource,
    /// The detached attribute as sent, in order and without duplicates; `None` when the body does not have it.
    pub members: Option<MembersInput>,
    /// What was ignored or rewritten.
    pub notes: Vec<Note>,
    /// Paths of the attributes the body names, in the schema's spelling: what `returned: request` asks for (M-28).
    pub named: Vec<String>,
}

/// Checks a POST or PUT body and brings it into the stored form.
///
/// # Errors
/// `invalidSyntax` for the body's shape, `invalidValue` for its content, `mutability` for a changed immutable value.
pub fn accept(
    rt: &ResourceType,
    body: Value,
    context: Context<'_>,
    switches: &Switches,
) -> Result<Accepted, ScimError> {
    refuse_twins(&body)?;
    let Value::Object(body) = body else {
        return Err(ScimError::invalid_syntax("the body must be a JSON object"));
    };
    let mut draft = Draft {
        switches,
        document: Map::new(),
        members: None,
        notes: Vec::new(),
        named: HashSet::new(),
    };
    let urns = body
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case("schemas"))
        .map(|(_, urns)| urns);
    schemas::check(rt, urns, switches, &mut draft.notes)?;
    let present: Vec<String> = body
        .keys()
        .filter(|key| key.contains(':'))
        .cloned()
        .collect();
    for (key, value) in body {
        if key.eq_ignore_ascii_case("schemas") {
            continue;
        }
        if !key.contains(':') {
            draft.attribute(rt.core_attribute(&key), None, &key, value)?;
        } else if let Some(schema) = schemas::container(rt, &key, &present, &mut draft.notes) {
            draft.container(schema, value)?;
        } else {
            schemas::unknown(&key, switches, &mut draft.notes)?;
        }
    }
    let before = match context {
        Context::Create => {
            draft.default_active(rt);
            None
        }
        Context::Replace { before } => {
            draft.keep(rt, before);
            Some(before)
        }
    };
    let resource = Resource::from_valid(draft.document);
    check_whole(rt, before, &resource)?;
    check_contents(rt, switches, before, &resource)?;
    let mut named: Vec<String> = draft.named.into_iter().collect();
    named.sort_unstable();
    Ok(Accepted {
        resource,
        members: draft.members,
        notes: draft.notes,
        named,
    })
}

/// The document under construction.
struct Draft<'a> {
    switches: &'a Switches,
    document: Map<String, Value>,
    members: Option<MembersInput>,
    notes: Vec<Note>,
    named: HashSet<String>,
}

impl Draft<'_> {
    /// One attribute of the core schema or of an extension.
    fn attribute(
        &mut self,
        def: Option<&Arc<AttributeDef>>,
        extension: Option<&Schema>,
        key: &str,
        value: Value,
    ) -> Result<(), ScimError> {
        let Some(def) = def else {
            return unknown_attribute(&path_of(extension, key), self.switches, &mut self.notes);
        };
        let path = path_of(extension, &def.name);
        self.named.insert(path.clone());
        if def.detached {
            self.members = Some(members::read(def, value, self.switches, &mut self.notes)?);
            return Ok(());
        }
        // W-06: ignored without a word; every client that sends back what it has read does this
        if def.derived || def.mutability == Mutability::ReadOnly {
            return Ok(());
        }
        self.name_parts(def, &path, &value);
        if let Some(value) = normalize(def, &path, value, self.switches, &mut self.notes)? {
            self.put(extension, &def.name, value);
        }
        Ok(())
    }

    /// Sub-attributes that no response shows unasked and that a value names all the same (M-28, R-13).
    fn name_parts(&mut self, def: &AttributeDef, path: &str, value: &Value) {
        let parts = def.sub_attributes.iter().filter(|sub| is_unseen(sub));
        for sub in parts {
            let named = |object: &Value| {
                object.as_object().is_some_and(|object| {
                    object.keys().any(|key| key.eq_ignore_ascii_case(&sub.name))
                })
            };
            let found = match value {
                Value::Array(elements) => elements.iter().any(named),
                single => named(single),
            };
            if found {
                self.named.insert(format!("{path}.{}", sub.name));
            }
        }
    }

    /// The object under an extension's URN.
    fn container(&mut self, schema: &Arc<Schema>, value: Value) -> Result<(), ScimError> {
        match value {
            Value::Object(attributes) => {
                for (key, value) in attributes {
                    self.attribute(schema.attribute(&key), Some(schema), &key, value)?;
                }
                Ok(())
            }
            // an explicit null clears what a PUT would otherwise keep
            Value::Null => {
                self.named.extend(
                    schema
                        .attributes
                        .iter()
                        .map(|def| path_of(Some(schema), &def.name)),
                );
                Ok(())
            }
            Value::Array(elements) if elements.is_empty() => Ok(()),
            _ => Err(ScimError::invalid_value(format!(
                "{} must be an object",
                schema.id
            ))),
        }
    }

    fn put(&mut self, extension: Option<&Schema>, name: &str, value: Value) {
        match extension {
            None => {
                self.document.insert(name.to_owned(), value);
            }
            Some(schema) => {
                let container = self
                    .document
                    .entry(schema.id.as_str())
                    .or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(container) = container {
                    container.insert(name.to_owned(), value);
                }
            }
        }
    }

    /// PO-06: an account is active unless the body says otherwise; `null` says "no default".
    fn default_active(&mut self, rt: &ResourceType) {
        let is_flag = rt
            .core_attribute(ACTIVE)
            .is_some_and(|def| def.attribute_type == Type::Boolean);
        if is_flag && !self.named.contains(ACTIVE) {
            self.document.insert(ACTIVE.to_owned(), Value::Bool(true));
        }
    }

    /// What a PUT that leaves it out does not clear: `active`, our Group extension, immutable values, what no
    /// response shows unasked, and extensions whose schema file is away, which no client can name.
    fn keep(&mut self, rt: &ResourceType, before: &Resource) {
        keep_parts(
            &mut self.document,
            before.document(),
            (&rt.schema, None),
            &self.named,
        );
        for extension in &rt.extensions {
            let schema = extension.schema.as_ref();
            let Some(Value::Object(old)) = before.document().get(&schema.id) else {
                continue;
            };
            if !has_kept_parts(schema) {
                continue;
            }
            let entry = self
                .document
                .entry(schema.id.as_str())
                .or_insert_with(|| Value::Object(Map::new()));
            let emptied = match entry {
                Value::Object(container) => {
                    keep_parts(container, old, (schema, Some(schema)), &self.named);
                    container.is_empty()
                }
                _ => false,
            };
            if emptied {
                self.document.shift_remove(&schema.id);
            }
        }
        for def in &rt.schema.attributes {
            let kept = def.name == ACTIVE || is_unseen(def);
            let omitted = kept && !self.named.contains(&def.name);
            if (omitted || def.mutability == Mutability::Immutable)
                && !self.document.contains_key(&def.name)
                && let Some(value) = before.document().get(&def.name)
            {
                self.document.insert(def.name.clone(), value.clone());
            }
        }
        for (urn, value) in before.document() {
            if rt.is_forgotten(urn) {
                self.document.insert(urn.clone(), value.clone());
            }
        }
        for extension in &rt.extensions {
            let schema = extension.schema.as_ref();
            let Some(Value::Object(old)) = before.document().get(&schema.id) else {
                continue;
            };
            for (name, value) in old {
                let def = schema.attribute(name);
                let kept = schema.id == KEPT_EXTENSION || def.is_some_and(|def| is_unseen(def));
                let omitted = kept && !self.named.contains(&path_of(Some(schema), name));
                let immutable = def.is_some_and(|def| def.mutability == Mutability::Immutable);
                let absent = self
                    .document
                    .get(&schema.id)
                    .is_none_or(|container| container.get(name).is_none());
                if (omitted || immutable) && absent {
                    self.put(Some(schema), name, value.clone());
                }
            }
        }
    }
}

/// Whether a client that sends back what it has read cannot know the value.
fn is_unseen(def: &AttributeDef) -> bool {
    matches!(def.returned, Returned::Never | Returned::Request)
}

/// Whether a PUT may keep a part of a value that it replaces.
fn is_kept_part(sub: &AttributeDef) -> bool {
    let stored =
        !sub.derived && !matches!(sub.mutability, Mutability::ReadOnly | Mutability::WriteOnly);
    stored && (sub.mutability == Mutability::Immutable || is_unseen(sub))
}

fn has_kept_parts(schema: &Schema) -> bool {
    schema
        .attributes
        .iter()
        .any(|def| def.sub_attributes.iter().any(|sub| is_kept_part(sub)))
}

/// Sub-attributes that the new value leaves out and that stay: immutable ones, and those that no response shows
/// unasked and the body does not name. An element of a list is the old one when its `value` is.
fn keep_parts(
    after: &mut Map<String, Value>,
    before: &Map<String, Value>,
    (schema, extension): (&Schema, Option<&Schema>),
    named: &HashSet<String>,
) {
    for def in &schema.attributes {
        if !def.sub_attributes.iter().any(|sub| is_kept_part(sub)) {
            continue;
        }
        let Some(old) = before.get(&def.name) else {
            continue;
        };
        let path = path_of(extension, &def.name);
        let is_named = |sub: &AttributeDef| named.contains(&format!("{path}.{}", sub.name));
        let kept = |old: &Map<String, Value>, whole: bool| -> Vec<(String, Value)> {
            def.sub_attributes
                .iter()
                .filter(|sub| is_kept_part(sub))
                .filter(|sub| sub.mutability == Mutability::Immutable || (whole && !is_named(sub)))
                .filter_map(|sub| Some((sub.name.clone(), old.get(&sub.name)?.clone())))
                .collect()
        };
        match old {
            Value::Object(old) => {
                // of a value that was not shown at all nothing can be sent back
                let is_hidden = |sub: &AttributeDef| !old.contains_key(&sub.name) || is_unseen(sub);
                let unseen = def.sub_attributes.iter().all(|sub| is_hidden(sub));
                let whole = after.contains_key(&def.name) || (unseen && !named.contains(&path));
                let missing = kept(old, whole);
                if missing.is_empty() {
                    continue;
                }
                let entry = after
                    .entry(def.name.as_str())
                    .or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(new) = entry {
                    for (name, value) in missing {
                        new.entry(name).or_insert(value);
                    }
                }
            }
            Value::Array(olds) => {
                let Some(Value::Array(elements)) = after.get_mut(&def.name) else {
                    continue;
                };
                for new in elements.iter_mut() {
                    let Some(old) = same_element(def, olds, new) else {
                        continue;
                    };
                    let (Value::Object(new), Value::Object(old)) = (new, old) else {
                        continue;
                    };
                    for (name, value) in kept(old, true) {
                        new.entry(name).or_insert(value);
                    }
                }
            }
            _ => {}
        }
    }
}

/// M-10: two names that differ in letter case only have no order anybody could rely on.
pub(in crate::scim) fn refuse_twins(value: &Value) -> Result<(), ScimError> {
    match value {
        Value::Array(elements) => elements.iter().try_for_each(refuse_twins),
        Value::Object(object) => {
            if let Some(name) = twin(object) {
                let name = excerpt(name);
                return Err(ScimError::invalid_syntax(format!(
                    "the name {name} stands twice in one object"
                )));
            }
            object.values().try_for_each(refuse_twins)
        }
        _ => Ok(()),
    }
}

/// A name that stands a second time. The few names of most objects are compared as they are: nothing is allocated.
fn twin(object: &Map<String, Value>) -> Option<&str> {
    const FEW: usize = 12;
    if object.len() <= FEW {
        let later = |(position, name): (usize, &'_ String)| {
            object
                .keys()
                .skip(position + 1)
                .any(|other| other.eq_ignore_ascii_case(name))
        };
        let position = object.keys().enumerate().position(later)?;
        return object.keys().nth(position).map(String::as_str);
    }
    let mut seen: HashSet<String> = HashSet::with_capacity(object.len());
    object
        .keys()
        .find(|name| !seen.insert(name.to_ascii_lowercase()))
        .map(String::as_str)
}
