//! PATCH paths: which attribute, which elements, which part. RFC 7644 §3.5.2 with erratum 7122.
//!
//! ```text
//! Path ← ExtensionUrn                             the whole extension container
//!      | AttrPath                                 members · name.givenName · urn:…:manager.value
//!      | AttrTop Bracket ( '.' Name )?            emails[type eq "work"].value
//!      | AttrTop SP CompareOp SP Literal          elements of a multi-valued simple attribute
//! ```
//!
//! The brackets are those of [`super::filter::parse`]. What is wrong between them is `invalidFilter`, everything else
//! `invalidPath` (PA-19). What an operation then does with its target is the business of `patch`.

use std::fmt;
use std::sync::Arc;

use super::error::{ScimError, ScimErrorKind};
use super::filter::checked::is_schemas;
use super::filter::error::excerpt;
use super::filter::parse::{leading_bracket, leading_operation, whole_attr_path};
use super::filter::syntax::{AttrPath, Column, Filter, Op, Test};
use super::filter::{CheckedFilter, FilterError, FilterErrorKind, is_name, nearest_attribute};
use super::schema::{Attr, AttributeDef, ResourceType, Schema, Type};
use super::switches::Switches;

/// The longest path, in bytes (E10).
pub const MAX_PATH: usize = 1024;

/// A path as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Path {
    /// An attribute path or an extension's URN; only the schema can tell.
    Plain(String),
    /// `attr[filter].sub`
    Filtered {
        attr: AttrPath,
        filter: Filter,
        sub: Option<String>,
    },
    /// `attr eq "x"`, its test written on the pseudo sub-attribute `value`.
    Compared { attr: AttrPath, filter: Filter },
}

/// As [`Path::parse`] reads it.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => f.write_str(text),
            Self::Filtered { attr, filter, sub } => {
                write!(f, "{attr}[{filter}]")?;
                sub.iter().try_for_each(|sub| write!(f, ".{sub}"))
            }
            Self::Compared { attr, filter } => match filter {
                Filter::Test(test) => {
                    let test = Test {
                        path: attr.clone(),
                        op: test.op.clone(),
                    };
                    write!(f, "{test}")
                }
                other => write!(f, "{attr}[{other}]"),
            },
        }
    }
}

/// A path that fits one resource type.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one short-lived value per operation; a box would cost more than it saves"
)]
pub enum ResolvedPath {
    /// A whole extension container.
    Extension(Arc<Schema>),
    /// An attribute, or a sub-attribute of it.
    Attribute(Attr),
    /// The elements of a multi-valued attribute that pass a filter, or one part of each.
    Filtered {
        /// Without a sub-attribute.
        attr: Attr,
        /// For [`super::filter::eval::element_matches`].
        filter: CheckedFilter,
        /// The same filter as written, for [`Filter::eq_terms`].
        written: Filter,
        sub: Option<Arc<AttributeDef>>,
    },
    /// The common attribute `schemas`, which follows from the extensions that have values (PA-52).
    Schemas,
}

/// What is wrong with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathError {
    Empty,
    TooLong,
    /// Outside the grammar.
    Malformed(String),
    UnclosedBracket,
    /// Text behind the end of a path.
    Trailing(String),
    Unknown {
        name: String,
        nearest: Option<String>,
    },
    UnknownSub {
        attribute: String,
        name: String,
    },
    /// Brackets or a comparison on what has one value.
    SingleValued(String),
    /// A comparison on a complex attribute.
    NotSimple(String),
    /// A comparison outside brackets that cannot be made.
    Comparison(FilterErrorKind),
    /// Something between the brackets.
    Filter(FilterError),
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// The first mistake; nothing has been looked up yet.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > MAX_PATH {
            return Err(PathError::TooLong);
        }
        let end = text.find(['[', ' ']).unwrap_or(text.len());
        let (head, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        if rest.is_empty() {
            return Self::plain(text);
        }
        let attr = whole_attr_path(head).map_err(|_| PathError::Malformed(excerpt(text)))?;
        if attr.sub.is_some() {
            return Err(PathError::Malformed(excerpt(text)));
        }
        if rest.starts_with('[') {
            Self::filtered(text, attr, rest)
        } else {
            Self::compared(text, attr, rest)
        }
    }

    /// `ExtensionUrn | AttrPath`. The last part of a URN may be no name (`…:2.0`), so a URN is let through.
    fn plain(text: &str) -> Result<Self, PathError> {
        let is_urn = text
            .get(..4)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn:"));
        if is_urn || whole_attr_path(text).is_ok() {
            Ok(Self::Plain(text.to_owned()))
        } else {
            Err(PathError::Malformed(excerpt(text)))
        }
    }

    /// `AttrTop Bracket ( '.' Name )?`, from the bracket on.
    fn filtered(text: &str, attr: AttrPath, bracket: &str) -> Result<Self, PathError> {
        let (rest, filter) = leading_bracket(text, bracket).map_err(|error| match error.kind {
            FilterErrorKind::UnclosedBracket => PathError::UnclosedBracket,
            _ => PathError::Filter(error),
        })?;
        let sub = match rest.strip_prefix('.') {
            Some(sub) if is_name(sub) => Some(sub.to_owned()),
            None if rest.is_empty() => None,
            _ => return Err(PathError::Trailing(excerpt(rest))),
        };
        Ok(Self::Filtered { attr, filter, sub })
    }

    /// `AttrTop SP CompareOp SP Literal`, from the space on.
    fn compared(text: &str, attr: AttrPath, rest: &str) -> Result<Self, PathError> {
        let (rest, op) =
            leading_operation(text, rest).map_err(|error| PathError::Comparison(error.kind))?;
        if !rest.is_empty() {
            return Err(PathError::Trailing(excerpt(rest)));
        }
        if op == Op::Present {
            return Err(PathError::Malformed(excerpt(text)));
        }
        let test = Test {
            path: AttrPath::bare("value", Column(1)),
            op,
        };
        Ok(Self::Compared {
            attr,
            filter: Filter::Test(test),
        })
    }

    /// Fits the path to a resource type.
    ///
    /// # Errors
    /// A name that does not exist, brackets where there is one value, or a filter that does not fit.
    pub fn resolve(
        &self,
        resource_type: &ResourceType,
        switches: &Switches,
    ) -> Result<ResolvedPath, PathError> {
        match self {
            Self::Plain(text) => {
                if let Some(schema) = resource_type.extension(text) {
                    return Ok(ResolvedPath::Extension(schema.clone()));
                }
                let attr = attribute(resource_type, text)?;
                Ok(if is_schemas(&attr) {
                    ResolvedPath::Schemas
                } else {
                    ResolvedPath::Attribute(attr)
                })
            }
            Self::Filtered { attr, filter, sub } => {
                let attr = multi_valued(resource_type, attr)?;
                let sub = match sub {
                    Some(name) => Some(sub_attribute(&attr, name)?),
                    None => None,
                };
                let checked = filter
                    .check_inner(resource_type, &attr, switches)
                    .map_err(PathError::Filter)?;
                Ok(ResolvedPath::Filtered {
                    attr,
                    filter: checked,
                    written: filter.clone(),
                    sub,
                })
            }
            Self::Compared { attr, filter } => {
                let attr = multi_valued(resource_type, attr)?;
                if attr.def.attribute_type == Type::Complex {
                    return Err(PathError::NotSimple(attr.path()));
                }
                let checked = filter
                    .check_inner(resource_type, &attr, switches)
                    .map_err(|error| PathError::Comparison(error.kind))?;
                Ok(ResolvedPath::Filtered {
                    attr,
                    filter: checked,
                    written: filter.clone(),
                    sub: None,
                })
            }
        }
    }
}

/// The attribute of this path.
fn attribute(resource_type: &ResourceType, text: &str) -> Result<Attr, PathError> {
    if let Some(attr) = resource_type.attr(text) {
        return Ok(attr);
    }
    if let Ok(path) = whole_attr_path(text)
        && let Some(sub) = &path.sub
        && let Some(attr) = resource_type.attr(
            &AttrPath {
                sub: None,
                ..path.clone()
            }
            .to_string(),
        )
    {
        return Err(PathError::UnknownSub {
            attribute: attr.path(),
            name: excerpt(sub),
        });
    }
    let name = resource_type.split_urn(text).1;
    let name = name.split('.').next().unwrap_or(name);
    Err(PathError::Unknown {
        name: excerpt(text),
        nearest: nearest_attribute(resource_type, name),
    })
}

/// The attribute of this path, which must have elements (F-12).
fn multi_valued(resource_type: &ResourceType, path: &AttrPath) -> Result<Attr, PathError> {
    let attr = attribute(resource_type, &path.to_string())?;
    if attr.def.multi_valued && attr.sub.is_none() {
        Ok(attr)
    } else {
        Err(PathError::SingleValued(attr.path()))
    }
}

/// The part behind the brackets.
fn sub_attribute(attr: &Attr, name: &str) -> Result<Arc<AttributeDef>, PathError> {
    let unknown = || PathError::UnknownSub {
        attribute: attr.path(),
        name: excerpt(name),
    };
    attr.def.sub(name).cloned().ok_or_else(unknown)
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the path is empty; leave it out or name an attribute"),
            Self::TooLong => f.write_str("the path is longer than 1 KiB"),
            Self::Malformed(text) => {
                write!(
                    f,
                    "\"{text}\" is not a path such as title, name.givenName or emails[type eq \"work\"].value"
                )
            }
            Self::UnclosedBracket => f.write_str("the bracket in the path is never closed"),
            Self::Trailing(text) => write!(f, "nothing may follow the path, but \"{text}\" does"),
            Self::Unknown { name, nearest } => {
                write!(f, "this resource type has no attribute \"{name}\"")?;
                match nearest {
                    Some(nearest) => write!(f, "; did you mean {nearest}?"),
                    None => Ok(()),
                }
            }
            Self::UnknownSub { attribute, name } => {
                write!(f, "{attribute} has no sub-attribute \"{name}\"")
            }
            Self::SingleValued(attribute) => {
                write!(f, "{attribute} has one value; no element can be chosen")
            }
            Self::NotSimple(attribute) => {
                write!(
                    f,
                    "{attribute} is complex; choose elements with brackets: {attribute}[value eq \"…\"]"
                )
            }
            Self::Comparison(kind) => write!(f, "the comparison in the path: {kind}"),
            Self::Filter(error) => write!(f, "the path's {error}"),
        }
    }
}

impl std::error::Error for PathError {}

impl From<PathError> for ScimError {
    fn from(error: PathError) -> Self {
        let kind = match error {
            PathError::Filter(_) => ScimErrorKind::InvalidFilter,
            _ => ScimErrorKind::InvalidPath,
        };
        Self::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests;
