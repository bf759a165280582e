//! What of a resource goes out: `returned` × `attributes` × `excludedAttributes`. RFC 7644 §3.4.2.5, §3.9; rows A-*.
//!
//! A projection decides once, for every attribute of a type; applying it to a document is a walk over that document. Where
//! the request says nothing, nothing needs to be decided: the stored text is the answer.
//! What no schema defines, and what is never returned, has no entry and so cannot leave.

mod selection;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::canonical;
use super::error::ScimError;
use super::rights::AttributeRights;
use super::schema::{Attr, AttributeDef, Mutability, ResourceType, Returned, Schema};
use selection::{Named, Selection};

/// What is shown of one attribute that is shown at all.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Show {
    Whole,
    /// These sub-attributes, in the schema's spelling.
    Parts(HashSet<String>),
}

/// The attributes of a core schema or an extension that are shown.
type Shown = HashMap<String, Show>;

/// The shape of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    asked: Asked,
    /// `None` while the request says nothing and the type stores nothing that is hidden: a stored document goes out as it is.
    decided: Option<Decided>,
}

/// What is shown of every attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Decided {
    core: Shown,
    extensions: HashMap<String, Shown>,
}

/// The client's wish.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    Only(Selection),
    Except(Selection),
}

impl Projection {
    /// Reads the two parameters; an empty one counts as absent.
    ///
    /// # Errors
    /// `invalidValue` for both at once, a malformed name, too many names (E17).
    pub fn parse(
        rt: &ResourceType,
        attributes: Option<&str>,
        excluded: Option<&str>,
    ) -> Result<Self, ScimError> {
        let attributes = attributes.filter(|text| !text.trim().is_empty());
        let excluded = excluded.filter(|text| !text.trim().is_empty());
        let asked = match (attributes, excluded) {
            (Some(_), Some(_)) => {
                return Err(ScimError::invalid_value(
                    "attributes and excludedAttributes exclude each other; send one",
                ));
            }
            (Some(text), None) => Asked::Only(Selection::read(rt, "attributes", text)?),
            (None, Some(text)) => Asked::Except(Selection::read(rt, "excludedAttributes", text)?),
            (None, None) => return Ok(Self::standard(rt)),
        };
        Ok(Self {
            decided: Some(Decided::of(rt, &asked)),
            asked,
        })
    }

    /// The shape of a response whose request says nothing about it.
    #[must_use]
    pub fn standard(rt: &ResourceType) -> Self {
        let asked = Asked::Nothing;
        Self {
            decided: hides_stored(rt).then(|| Decided::of(rt, &asked)),
            asked,
        }
    }

    /// The same, and the attributes of `returned: request` which the body of this very write named (M-28).
    #[must_use]
    pub fn with_supplied(mut self, rt: &ResourceType, named: &[String]) -> Self {
        if matches!(self.asked, Asked::Only(_)) {
            return self;
        }
        let mut decided = match self.decided.take() {
            Some(decided) => decided,
            None => Decided::of(rt, &self.asked),
        };
        for attr in named.iter().filter_map(|path| rt.attr(path)) {
            if attr.leaf().returned != Returned::Request || self.excludes(&attr) {
                continue;
            }
            let shown = match &attr.extension {
                Some(schema) => decided.extensions.entry(schema.id.clone()).or_default(),
                None => &mut decided.core,
            };
            match &attr.sub {
                None => {
                    shown.insert(attr.def.name.clone(), default_parts(&attr.def));
                }
                Some(sub) => {
                    if let Some(Show::Parts(parts)) = shown.get_mut(&attr.def.name) {
                        parts.insert(sub.name.clone());
                    }
                }
            }
        }
        self.decided = Some(decided);
        self
    }

    /// The same without what this client may not read (SE-11, AU-08).
    #[must_use]
    pub fn within(mut self, rt: &ResourceType, rights: Option<&AttributeRights>) -> Self {
        let Some(rights) = rights.filter(|rights| rights.readable.is_some()) else {
            return self;
        };
        let mut decided = match self.decided.take() {
            Some(decided) => decided,
            None => Decided::of(rt, &self.asked),
        };
        decided.core.retain(|name, _| {
            rt.core_attribute(name)
                .is_some_and(|def| rights.may_read(rt, None, def))
        });
        for extension in &rt.extensions {
            let schema = extension.schema.as_ref();
            if let Some(shown) = decided.extensions.get_mut(&schema.id) {
                shown.retain(|name, _| {
                    let def = schema.attribute(name);
                    def.is_some_and(|def| rights.may_read(rt, Some(schema), def))
                });
            }
        }
        self.decided = Some(decided);
        self
    }

    /// Whether the client asks for an attribute by name whose canonical form is shown in `display` (M-57).
    fn derives_display(&self, rt: &ResourceType, name: &str) -> bool {
        matches!(self.asked, Asked::Only(_))
            && matches!(name, "emails" | "phoneNumbers")
            && rt.name == "User"
    }

    fn excludes(&self, attr: &Attr) -> bool {
        let Asked::Except(names) = &self.asked else {
            return false;
        };
        match (names.find(attr.extension.as_deref(), &attr.def), &attr.sub) {
            (None, _) => false,
            (Some(Named::Whole { .. }), _) => true,
            (Some(Named::Parts(parts)), Some(sub)) => parts.contains(&sub.name),
            (Some(Named::Parts(_)), None) => false,
        }
    }

    /// Whether the request says nothing about the shape.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        matches!(self.asked, Asked::Nothing)
    }

    /// Whether the request says nothing and the type stores nothing that is hidden, so that the stored text can go out
    /// as it is.
    #[must_use]
    pub const fn is_raw(&self) -> bool {
        self.decided.is_none()
    }

    /// Whether anything of a core attribute (`members`, `groups`, `meta`) or of one of the extension `urn` is shown. The
    /// names are in the schema's spelling.
    #[must_use]
    pub fn wants(&self, rt: &ResourceType, urn: Option<&str>, name: &str) -> bool {
        match (&self.decided, urn) {
            (Some(decided), Some(urn)) => decided
                .extensions
                .get(urn)
                .is_some_and(|shown| shown.contains_key(name)),
            (Some(decided), None) => decided.core.contains_key(name),
            (None, _) => {
                let defs = match urn {
                    Some(urn) => rt.extension(urn).map(|schema| &schema.attributes),
                    None => Some(&rt.schema.attributes),
                };
                let common = rt.common.iter().filter(|_| urn.is_none());
                defs.into_iter()
                    .flatten()
                    .chain(common)
                    .find(|def| def.name == name)
                    .is_some_and(|def| goes_out(def))
            }
        }
    }

    /// Whether a sub-attribute of a core attribute is shown; both names in the schema's spelling.
    #[must_use]
    pub fn wants_part(&self, rt: &ResourceType, name: &str, part: &str) -> bool {
        let Some(decided) = &self.decided else {
            return rt
                .attr(&format!("{name}.{part}"))
                .is_some_and(|attr| goes_out(&attr.def) && goes_out(attr.leaf()));
        };
        match decided.core.get(name) {
            Some(Show::Whole) => true,
            Some(Show::Parts(parts)) => parts.contains(part),
            None => false,
        }
    }

    /// The document as the client wants it; `id`, `schemas` and `meta` are part of the document given.
    #[must_use]
    pub fn apply(&self, rt: &ResourceType, document: &Map<String, Value>) -> Map<String, Value> {
        let standard;
        let decided = match &self.decided {
            Some(decided) => decided,
            None => {
                standard = Decided::of(rt, &self.asked);
                &standard
            }
        };
        let mut out = Map::with_capacity(document.len());
        for (name, value) in document {
            let value = match decided.core.get(name) {
                Some(show) if self.derives_display(rt, name) => {
                    let mut whole = value.clone();
                    canonical::fill_display(name, &mut whole);
                    show.apply(&whole)
                }
                Some(show) => show.apply(value),
                None => decided.apply_extension(rt, name, value),
            };
            out.extend(value.map(|value| (name.clone(), value)));
        }
        out
    }
}

/// Whether an attribute goes out to who asks for nothing.
const fn goes_out(def: &AttributeDef) -> bool {
    matches!(def.returned, Returned::Always | Returned::Default)
}

impl Decided {
    fn apply_extension(&self, rt: &ResourceType, urn: &str, value: &Value) -> Option<Value> {
        let schema = rt.extension(urn)?;
        let shown = self.extensions.get(&schema.id)?;
        let container = value.as_object()?;
        let kept: Map<String, Value> = container
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), shown.get(name)?.apply(value)?)))
            .collect();
        (!kept.is_empty()).then_some(Value::Object(kept))
    }

    fn of(rt: &ResourceType, asked: &Asked) -> Self {
        let shown =
            |extension: Option<&Schema>, defs: &mut dyn Iterator<Item = &AttributeDef>| -> Shown {
                defs.filter_map(|def| Some((def.name.clone(), decide(asked, extension, def)?)))
                    .collect()
            };
        let core = shown(
            None,
            &mut rt
                .common
                .iter()
                .chain(&rt.schema.attributes)
                .map(AsRef::as_ref),
        );
        let extensions = rt
            .extensions
            .iter()
            .map(|extension| {
                let schema = extension.schema.as_ref();
                (
                    schema.id.clone(),
                    shown(
                        Some(schema),
                        &mut schema.attributes.iter().map(AsRef::as_ref),
                    ),
                )
            })
            .collect();
        Self { core, extensions }
    }
}

impl Show {
    /// The visible part of a value; `None` when nothing of it is left.
    fn apply(&self, value: &Value) -> Option<Value> {
        let Self::Parts(parts) = self else {
            return Some(value.clone());
        };
        let pick = |object: &Map<String, Value>| -> Option<Value> {
            let kept: Map<String, Value> = object
                .iter()
                .filter(|(name, _)| parts.contains(*name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        };
        match value {
            Value::Object(object) => pick(object),
            Value::Array(elements) => {
                let kept: Vec<Value> = elements
                    .iter()
                    .filter_map(|element| pick(element.as_object()?))
                    .collect();
                (!kept.is_empty()).then_some(Value::Array(kept))
            }
            other => Some(other.clone()),
        }
    }
}

/// What one attribute shows, all characteristics considered; `None` hides it.
fn decide(asked: &Asked, extension: Option<&Schema>, def: &AttributeDef) -> Option<Show> {
    let named = match asked {
        Asked::Nothing => None,
        Asked::Only(names) | Asked::Except(names) => names.find(extension, def),
    };
    let always = def.returned == Returned::Always;
    match (def.returned, asked, named) {
        (Returned::Never, _, _) => None,
        (_, Asked::Only(_), Some(Named::Whole { also })) => Some(parts_where(def, |sub| {
            sub.returned != Returned::Request || also.contains(&sub.name)
        })),
        (_, Asked::Only(_), Some(Named::Parts(parts))) => Some(parts_where(def, |sub| {
            always || sub.returned == Returned::Always || parts.contains(&sub.name)
        })),
        (_, Asked::Only(_), None) if !always => None,
        (_, Asked::Except(_), Some(Named::Whole { .. })) if !always => None,
        (Returned::Request, _, _) => None,
        (_, Asked::Except(_), Some(Named::Parts(parts))) => Some(parts_where(def, |sub| {
            sub.returned == Returned::Always
                || (sub.returned == Returned::Default && !parts.contains(&sub.name))
        })),
        _ => Some(default_parts(def)),
    }
}

/// Whether a stored document may hold what an answer does not show by itself: `returned` is `never` or `request`.
/// What the server computes or throws away is in no document.
fn hides_stored(rt: &ResourceType) -> bool {
    let stored = |def: &AttributeDef| {
        !def.derived
            && !def.detached
            && !matches!(def.mutability, Mutability::ReadOnly | Mutability::WriteOnly)
    };
    let hidden = |def: &AttributeDef| {
        stored(def) && matches!(def.returned, Returned::Never | Returned::Request)
    };
    let extensions = rt.extensions.iter().flat_map(|one| &one.schema.attributes);
    rt.schema
        .attributes
        .iter()
        .chain(extensions)
        .any(|def| hidden(def) || (stored(def) && def.sub_attributes.iter().any(|sub| hidden(sub))))
}

fn default_parts(def: &AttributeDef) -> Show {
    parts_where(def, |sub| sub.returned != Returned::Request)
}

/// The sub-attributes that pass; what is never returned does not.
fn parts_where(def: &AttributeDef, pass: impl Fn(&AttributeDef) -> bool) -> Show {
    let passes = |sub: &AttributeDef| sub.returned != Returned::Never && pass(sub);
    if def.sub_attributes.iter().all(|sub| passes(sub)) {
        return Show::Whole;
    }
    Show::Parts(
        def.sub_attributes
            .iter()
            .filter(|sub| passes(sub))
            .map(|sub| sub.name.clone())
            .collect(),
    )
}

#[cfg(test)]
mod tests;
