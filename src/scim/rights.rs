//! What one client may do with which attributes: read, write, and name in a URL. RFC 7643 §9.3, RFC 7644 §7.5.2, §7.7; rows
//! AU-06, AU-08, SE-11, X-12, F-54.
//!
//! Names are whole attributes (`title`, `urn:…:User:department`) or whole schemas; a URN before a name narrows it to the types
//! that have that schema. `id`, `schemas` and `meta` are the protocol's own and always readable.
//! A filter in a PATCH path chooses among the values that are written, whatever may be read.
//! Not here: what a request may do at all, which is its token's scopes.

use serde::{Deserialize, Serialize};

use super::error::{ScimError, ScimErrorKind};
use super::filter::Filter;
use super::filter::checked::CheckedFilter;
use super::filter::syntax::AttrPath;
use super::resource::Resource;
use super::schema::{Attr, AttributeDef, Mutability, Registry, ResourceType, Schema};

/// What is the protocol's own.
const ALWAYS: [&str; 3] = ["id", "schemas", "meta"];

/// The rights of one client. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttributeRights {
    /// What it may read; `None` for everything.
    pub readable: Option<Vec<String>>,
    /// What it may write; `None` for everything.
    pub writable: Option<Vec<String>>,
    /// What may not stand in the filter of a GET.
    pub confidential: Vec<String>,
}

impl AttributeRights {
    /// Whether nothing is restricted.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.readable.is_none() && self.writable.is_none() && self.confidential.is_empty()
    }

    /// Whether the client may see an attribute.
    #[must_use]
    pub fn may_read(
        &self,
        rt: &ResourceType,
        extension: Option<&Schema>,
        def: &AttributeDef,
    ) -> bool {
        (extension.is_none() && ALWAYS.contains(&def.name.as_str()))
            || lets(self.readable.as_deref(), rt, extension, def)
    }

    /// Whether the client may change an attribute.
    #[must_use]
    pub fn may_write(
        &self,
        rt: &ResourceType,
        extension: Option<&Schema>,
        def: &AttributeDef,
    ) -> bool {
        lets(self.writable.as_deref(), rt, extension, def)
    }

    /// The filter as somebody sees it to whom the attributes that may not be read are unassigned (F-54).
    #[must_use]
    pub fn blind(&self, rt: &ResourceType, filter: CheckedFilter) -> CheckedFilter {
        if self.readable.is_none() {
            return filter;
        }
        filter.unassigned(&|attr| !self.may_read(rt, attr.extension.as_deref(), &attr.def))
    }

    /// Refuses an order by what may not be read: it would tell it.
    ///
    /// # Errors
    /// `invalidValue`, as for what is never returned (S-09).
    pub fn check_sort(&self, rt: &ResourceType, attr: &Attr) -> Result<(), ScimError> {
        if self.may_read(rt, attr.extension.as_deref(), &attr.def) {
            return Ok(());
        }
        Err(ScimError::invalid_value(format!(
            "sortBy: this token may not read {}, and so cannot sort by it",
            attr.path()
        )))
    }

    /// Refuses a filter in a URL that names what is confidential. A filter that cannot be read is refused elsewhere.
    ///
    /// # Errors
    /// `sensitive`.
    pub fn check_url(&self, rt: &ResourceType, filter: Option<&str>) -> Result<(), ScimError> {
        let Some(filter) = filter.filter(|_| !self.confidential.is_empty()) else {
            return Ok(());
        };
        let Ok(filter) = Filter::parse(filter) else {
            return Ok(());
        };
        let mut named = None;
        filter.visit_paths(&mut |path: &AttrPath| {
            if let Some(attr) = rt.attr(&path.to_string())
                && names(&self.confidential, rt, attr.extension.as_deref(), &attr.def)
            {
                named.get_or_insert(attr.path());
            }
        });
        match named {
            None => Ok(()),
            Some(path) => Err(ScimError::new(
                ScimErrorKind::Sensitive,
                format!(
                    "{path} is confidential and may not stand in a URL; send the filter in the body of POST {}/.search",
                    rt.endpoint
                ),
            )),
        }
    }

    /// The paths of the attributes that differ and may not be written (AU-08). What the server computes is nobody's to write.
    #[must_use]
    pub fn forbidden(&self, rt: &ResourceType, before: &Resource, after: &Resource) -> Vec<String> {
        let mut found = Vec::new();
        if self.writable.is_some() {
            for (extension, def) in attributes(rt) {
                if value(before, extension, def) != value(after, extension, def)
                    && !self.may_write(rt, extension, def)
                {
                    found.push(path(extension, def));
                }
            }
        }
        found
    }

    /// The attributes that a PUT of this client leaves as they are when it leaves them out: what it may not write, and what it
    /// could not read and so could not send back.
    #[must_use]
    pub fn kept(
        &self,
        rt: &ResourceType,
        before: &Resource,
        after: Resource,
        named: &[String],
    ) -> Resource {
        let mut document = after.into_document();
        for (extension, def) in attributes(rt) {
            let both = self.may_read(rt, extension, def) && self.may_write(rt, extension, def);
            if both || named.contains(&path(extension, def)) {
                continue;
            }
            if let Some(old) = value(before, extension, def) {
                let into = match extension {
                    None => Some(&mut document),
                    Some(schema) => document
                        .entry(schema.id.clone())
                        .or_insert_with(|| serde_json::Map::new().into())
                        .as_object_mut(),
                };
                if let Some(into) = into {
                    into.insert(def.name.clone(), old.clone());
                }
            }
        }
        Resource::from_valid(document)
    }

    /// The three lists and what they are called.
    #[must_use]
    pub fn lists(&self) -> [(&'static str, &[String]); 3] {
        [
            ("readable", self.readable.as_deref().unwrap_or_default()),
            ("writable", self.writable.as_deref().unwrap_or_default()),
            ("confidential", self.confidential.as_slice()),
        ]
    }

    /// Whether every name means an attribute or a schema of some type. Returns the first list and place that does not.
    #[must_use]
    pub fn unknown(&self, registry: &Registry) -> Option<(&'static str, usize, &str)> {
        let known = |name: &str| {
            registry.resource_types.iter().any(|rt| {
                rt.schema_of(name).is_some() || rt.attr(name).is_some_and(|attr| attr.sub.is_none())
            })
        };
        self.lists().into_iter().find_map(|(list, names)| {
            let place = names.iter().position(|name| !known(name))?;
            Some((list, place, names.get(place)?.as_str()))
        })
    }
}

fn lets(
    list: Option<&[String]>,
    rt: &ResourceType,
    extension: Option<&Schema>,
    def: &AttributeDef,
) -> bool {
    list.is_none_or(|list| names(list, rt, extension, def))
}

/// Whether a list names an attribute, by itself or with its schema.
fn names(
    list: &[String],
    rt: &ResourceType,
    extension: Option<&Schema>,
    def: &AttributeDef,
) -> bool {
    let urn = extension.map_or(rt.schema.id.as_str(), |schema| schema.id.as_str());
    list.iter().any(|name| {
        name.eq_ignore_ascii_case(urn)
            || rt.attr(name).is_some_and(|attr| {
                attr.def.name == def.name
                    && attr.extension.as_ref().map(|schema| schema.id.as_str())
                        == extension.map(|schema| schema.id.as_str())
            })
    })
}

/// Every attribute a client can write, with its extension.
fn attributes(rt: &ResourceType) -> impl Iterator<Item = (Option<&Schema>, &AttributeDef)> {
    // a schema may list a common attribute too (SH-09)
    let listed = |def: &AttributeDef| rt.schema.attribute(&def.name).is_some();
    let common = rt.common.iter().filter(move |def| !listed(def));
    let core = common.chain(&rt.schema.attributes);
    let extensions = rt.extensions.iter().flat_map(|extension| {
        let schema = extension.schema.as_ref();
        schema
            .attributes
            .iter()
            .map(move |def| (Some(schema), def.as_ref()))
    });
    core.map(|def| (None, def.as_ref()))
        .chain(extensions)
        .filter(|(_, def)| !def.derived && def.mutability != Mutability::ReadOnly)
}

fn value<'r>(
    resource: &'r Resource,
    extension: Option<&Schema>,
    def: &AttributeDef,
) -> Option<&'r serde_json::Value> {
    match extension {
        None => resource.document().get(&def.name),
        Some(schema) => resource.document().get(&schema.id)?.get(&def.name),
    }
}

fn path(extension: Option<&Schema>, def: &AttributeDef) -> String {
    extension.map_or_else(
        || def.name.clone(),
        |schema| format!("{}:{}", schema.id, def.name),
    )
}
