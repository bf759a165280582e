//! What the path of an operation points at, resolved against the schema. RFC 7644 §3.5.2, §3.10; PA-14, PA-19, PA-20.

use std::sync::Arc;

use serde_json::Value;

use crate::scim::error::ScimError;
use crate::scim::filter::checked::{CheckedFilter, is_schemas};
use crate::scim::filter::{Filter, eval};
use crate::scim::path::{Path, PathError, ResolvedPath};
use crate::scim::schema::{Attr, AttributeDef, ResourceType, Schema};
use crate::scim::switches::Switches;

/// The object of an operation.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    /// A whole container: an extension, or the core schema by its URN.
    Container(Arc<Schema>),
    /// `schemas`, or those of its values a filter picks (PA-52).
    Schemas(Option<ElementFilter>),
    Place(Place),
}

/// An attribute or sub-attribute, of all elements or of those a filter picks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub attr: Attr,
    /// Only on a multi-valued attribute.
    pub filter: Option<ElementFilter>,
}

/// The part between brackets.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ElementFilter {
    pub checked: CheckedFilter,
    /// Present when the filter is only `eq` joined by `and`: what an element created through it holds (PA-36).
    /// The values are as written, not folded; `None` for the element itself (a multi-valued simple attribute).
    pub terms: Option<Vec<(Option<Arc<AttributeDef>>, Value)>>,
}

impl Place {
    /// The path in the schema's spelling, for messages and notes; the filter is left out.
    pub fn shown(&self) -> String {
        match (&self.filter, &self.attr.sub) {
            (None, _) => self.attr.path(),
            (Some(_), None) => format!("{}[…]", self.attr.path()),
            (Some(_), Some(sub)) => {
                let whole = Attr {
                    sub: None,
                    ..self.attr.clone()
                };
                format!("{}[…].{}", whole.path(), sub.name)
            }
        }
    }
}

impl ElementFilter {
    /// Whether one element passes.
    pub fn matches(&self, element: &Value) -> bool {
        eval::element_matches(&self.checked, element)
    }

    fn new(attr: &Attr, checked: CheckedFilter, written: &Filter) -> Self {
        Self {
            checked,
            terms: terms(attr, written),
        }
    }
}

impl Target {
    /// Resolves an explicit path.
    pub fn resolve(path: &str, rt: &ResourceType, switches: &Switches) -> Result<Self, ScimError> {
        Self::look_up(path, rt, switches).map_err(ScimError::from)
    }

    /// Resolves a key of a path-less value: `None` when nothing has this name (W-09). A broken filter stays an error.
    pub fn resolve_key(
        key: &str,
        rt: &ResourceType,
        switches: &Switches,
    ) -> Result<Option<Self>, ScimError> {
        match Self::look_up(key, rt, switches) {
            Ok(target) => Ok(Some(target)),
            Err(
                error @ (PathError::Filter(_)
                | PathError::Comparison(_)
                | PathError::UnclosedBracket),
            ) => Err(ScimError::from(error)),
            Err(_) => Ok(None),
        }
    }

    fn look_up(path: &str, rt: &ResourceType, switches: &Switches) -> Result<Self, PathError> {
        if let Some(schema) = rt.schema_of(path) {
            return Ok(Self::Container(schema.clone()));
        }
        Ok(match Path::parse(path)?.resolve(rt, switches)? {
            ResolvedPath::Extension(schema) => Self::Container(schema),
            ResolvedPath::Schemas => Self::Schemas(None),
            ResolvedPath::Attribute(attr) => Self::Place(Place { attr, filter: None }),
            ResolvedPath::Filtered {
                attr,
                filter,
                written,
                sub,
            } => {
                let filter = Some(ElementFilter::new(&attr, filter, &written));
                if is_schemas(&attr) {
                    Self::Schemas(filter)
                } else {
                    Self::Place(Place {
                        attr: Attr { sub, ..attr },
                        filter,
                    })
                }
            }
        })
    }
}

/// The `eq` terms of a filter as sub-attributes and JSON values. `eq null` describes nothing that could be created.
fn terms(attr: &Attr, written: &Filter) -> Option<Vec<(Option<Arc<AttributeDef>>, Value)>> {
    let terms = written.eq_terms()?.into_iter().map(|(name, literal)| {
        let value = Some(literal.to_json()).filter(|value| !value.is_null())?;
        match attr.def.sub(name) {
            Some(sub) => Some((Some(sub.clone()), value)),
            None => Some((None, value)),
        }
    });
    terms.collect()
}
