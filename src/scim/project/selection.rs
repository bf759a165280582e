//! The names in `attributes` and `excludedAttributes`. Rows, E17.

use std::collections::{HashMap, HashSet};

use crate::scim::error::ScimError;
use crate::scim::schema::{AttributeDef, ResourceType, Schema, is_attribute_name};

/// Names in one parameter, and its length (E17).
const MAX_NAMES: usize = 100;
const MAX_LENGTH: usize = 4096;

/// The attributes a parameter names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// URNs named as a whole, `""` for the core schema.
    schemas: HashSet<String>,
    /// By URN (`""` for core and common attributes) and name.
    attributes: HashMap<(String, String), Named>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// The attribute itself, and perhaps some of its sub-attributes too.
    Whole { also: HashSet<String> },
    /// These sub-attributes only.
    Parts(HashSet<String>),
}

impl Selection {
    pub(super) fn read(rt: &ResourceType, parameter: &str, text: &str) -> Result<Self, ScimError> {
        let too_many = || {
            ScimError::invalid_value(format!(
                "{parameter} takes at most {MAX_NAMES} names in {MAX_LENGTH} characters"
            ))
        };
        if text.len() > MAX_LENGTH {
            return Err(too_many());
        }
        let mut selection = Self::default();
        for (position, name) in split(text).filter(|name| !name.is_empty()).enumerate() {
            if position >= MAX_NAMES {
                return Err(too_many());
            }
            let malformed = || {
                ScimError::invalid_value(format!("{parameter}: `{name}` is not an attribute name"))
            };
            let name = without_filter(name).ok_or_else(malformed)?;
            selection.add(rt, &name).ok_or_else(malformed)?;
        }
        Ok(selection)
    }

    /// Adds one name; an unknown one selects nothing. `None` when it is no name at all.
    fn add(&mut self, rt: &ResourceType, name: &str) -> Option<()> {
        if let Some(schema) = rt.schema_of(name) {
            let urn = if schema.id == rt.schema.id {
                String::new()
            } else {
                schema.id.clone()
            };
            self.schemas.insert(urn);
            return Some(());
        }
        // of a URN nobody knows, only the end is checked
        let (_, rest) = rt.split_urn(name);
        let bare = rest.rsplit(':').next().unwrap_or(rest);
        let part_of_urn = rest.contains(':')
            && bare
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-$".contains(c));
        let mut parts = bare.split('.');
        let well_formed = parts.clone().count() <= 2 && parts.all(is_attribute_name);
        if !(well_formed || part_of_urn) {
            return None;
        }
        let Some(attr) = rt.attr(name) else {
            return Some(());
        };
        let urn = attr
            .extension
            .as_ref()
            .map(|schema| schema.id.clone())
            .unwrap_or_default();
        let entry = self
            .attributes
            .entry((urn, attr.def.name.clone()))
            .or_insert_with(|| Named::Parts(HashSet::new()));
        match (attr.sub, entry) {
            (Some(sub), Named::Whole { also: names } | Named::Parts(names)) => {
                names.insert(sub.name.clone());
            }
            (None, entry) => {
                if let Named::Parts(names) = entry {
                    *entry = Named::Whole {
                        also: std::mem::take(names),
                    };
                }
            }
        }
        Some(())
    }

    pub(super) fn find(&self, extension: Option<&Schema>, def: &AttributeDef) -> Option<Named> {
        let urn = extension.map_or("", |schema| schema.id.as_str());
        let named = self.attributes.get(&(urn.to_owned(), def.name.clone()));
        if self.schemas.contains(urn) {
            let also = match named {
                Some(Named::Whole { also: names } | Named::Parts(names)) => names.clone(),
                None => HashSet::new(),
            };
            return Some(Named::Whole { also });
        }
        named.cloned()
    }
}

/// Splits at commas outside brackets and strings.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut in_string, mut escaped) = (0_u32, false, false);
    text.split(move |c: char| {
        if escaped {
            escaped = false;
            return false;
        }
        match c {
            '\\' if in_string => escaped = true,
            '"' if depth > 0 => in_string = !in_string,
            '[' if !in_string => depth += 1,
            ']' if !in_string => depth = depth.saturating_sub(1),
            ',' => return depth == 0,
            _ => {}
        }
        false
    })
    .map(str::trim)
}

/// `emails[type eq "work"].value` → `emails.value`. `None` when the bracket does not end.
fn without_filter(name: &str) -> Option<String> {
    let Some((head, rest)) = name.split_once('[') else {
        return Some(name.to_owned());
    };
    let (_, tail) = rest.rsplit_once(']')?;
    Some(format!("{head}{tail}"))
}
