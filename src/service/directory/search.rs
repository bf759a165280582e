//! Lists: filter, sort and page over Users and Groups, and what a page shows beside the rows. RFC 7644 §3.4.2.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::ids::{GroupId, UserId};
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::filter::eval::{self, Subject};
use crate::scim::filter::sort::SortKey;
use crate::scim::filter::{CheckedFilter, Filter};
use crate::scim::message::SearchRequest;
use crate::store::Db;
use crate::store::queries::{memberships, search as rows};

use super::super::{Scope, ServiceError};
use super::{Call, Kind, Resource, document, groups, users};

/// One page.
#[derive(Debug)]
pub struct Found {
    /// All matches, not only this page's.
    pub total: i64,
    pub resources: Vec<Resource>,
}

/// Searches one resource type. Errors: `invalidFilter`, `invalidValue` for `sortBy`, `tooMany`.
pub fn search(db: &mut Db, scope: &Scope, call: Call<'_>, kind: Kind, request: &SearchRequest) -> Result<Found, ServiceError> {
    let resource_type = kind
        .resource_type(call.registry)
        .ok_or_else(|| ServiceError::Bug(anyhow::anyhow!("the registry has no {}", kind.name())))?;
    let filter: Option<CheckedFilter> = match &request.filter {
        Some(text) => Some(Filter::parse(text).and_then(|filter| filter.check(resource_type, &scope.switches())).map_err(ScimError::from)?),
        None => None,
    };
    let sort = match &request.sort_by {
        Some(by) => Some(SortKey::resolve(by, resource_type)?),
        None => None,
    };
    todo_search(db, scope, call, kind, request, filter, sort)
}
