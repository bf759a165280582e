//! Lists: filter, sort and page over Users and Groups, and what a page shows beside the rows. RFC 7644 §3.4.2.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::ids::{TenantId, UserId};
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::filter::checked::CheckedFilter;
use crate::scim::filter::eval::{self, Subject};
use crate::scim::filter::sort::{Sort, SortKey, SortOrder};
use crate::scim::filter::{Filter, FilterError};
use crate::scim::message::SearchRequest;
use crate::scim::schema::{Attr, ResourceType};
use crate::scim::switches::Switches;
use crate::store::Db;
use crate::store::placement;
use crate::store::queries::groups_directory::GroupRow;
use crate::store::queries::learner_views::{self, LearnerOfUser};
use crate::store::queries::membership_views;
use crate::store::queries::search as rows;
use crate::store::queries::users::UserRow;

use super::super::{Scope, ServiceError};
use super::document::{self, ENTERPRISE, LEARNER_EXTENSION};
use super::types::{Call, Kind, Resource};
use super::{shown_group, shown_user};

/// One page.
#[derive(Debug)]
pub struct Found {
    /// All matches, not only this page's.
    pub total: i64,
    pub resources: Vec<Resource>,
}

/// Searches one resource type. Errors: `invalidFilter`, `invalidValue` for `sortBy`, `tooMany`.
pub fn search(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    kind: Kind,
    request: &SearchRequest,
) -> Result<Found, ServiceError> {
    let window = (request.start_index - 1, request.count);
    search_one(db, scope, call, kind, request, Filter::check, window)
}

/// Searches every resource type, one after the other: an attribute a type does not have counts as unassigned.
/// `sortBy` orders within each type.
pub fn search_all(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    request: &SearchRequest,
) -> Result<Found, ServiceError> {
    let mut found = Found {
        total: 0,
        resources: Vec::new(),
    };
    for kind in [Kind::User, Kind::Group] {
        let skip = (request.start_index - 1 - found.total).max(0);
        let shown = i64::try_from(found.resources.len()).unwrap_or(i64::MAX);
        let window = (skip, request.count.saturating_sub(shown));
        let page = search_one(db, scope, call, kind, request, Filter::check_any, window)?;
        found.total += page.total;
        found.resources.extend(page.resources);
    }
    Ok(found)
}

/// How a filter is held against a type.
type Check = fn(&Filter, &ResourceType, &Switches) -> Result<CheckedFilter, FilterError>;

fn search_one(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    kind: Kind,
    request: &SearchRequest,
    check: Check,
    window: (i64, i64),
) -> Result<Found, ServiceError> {
    let resource_type = kind
        .resource_type(call.registry)
        .ok_or_else(|| ServiceError::Bug(anyhow::anyhow!("the registry has no {}", kind.name())))?;
    let filter = match &request.filter {
        Some(text) => {
            let checked = Filter::parse(text)
                .and_then(|filter| check(&filter, resource_type, &scope.switches()));
            Some(checked.map_err(ScimError::from)?)
        }
        None => None,
    };
    let sort = match &request.sort_by {
        Some(by) => Some(Sort::parse(
            resource_type,
            by,
            request.sort_order.as_deref(),
        )?),
        None => None,
    };
    let judge = Judge {
        resource_type,
        base: call.base,
        filter: filter.as_ref(),
        sort: sort.as_ref(),
    };
    match kind {
        Kind::User => {
            let wanted = wanted(placement::Kind::User, &judge, window);
            let page = page(rows::search(
                db,
                scope.tenant,
                &wanted,
                &mut |db: &mut Db, batch: &[UserRow]| judge.users(db, scope.tenant, batch),
            )?)?;
            let resources = shown_user::render_all(db, scope, call, &page.rows)?;
            Ok(Found {
                total: page.total,
                resources,
            })
        }
        Kind::Group => {
            let wanted = wanted(placement::Kind::Group, &judge, window);
            let page = page(rows::search(
                db,
                scope.tenant,
                &wanted,
                &mut |db: &mut Db, batch: &[GroupRow]| {
                    batch
                        .iter()
                        .map(|row| judge.group(db, scope.tenant, row))
                        .collect()
                },
            )?)?;
            let mut resources = Vec::with_capacity(page.rows.len());
            for row in &page.rows {
                let members = if call.parts.members {
                    shown_group::members_of(db, scope, call, row.id)?
                } else {
                    None
                };
                resources.push(shown_group::render(call, row, members)?);
            }
            Ok(Found {
                total: page.total,
                resources,
            })
        }
    }
}

/// The search in the store's words: by a column where one gives the order, else by the judge's keys.
fn wanted<'a>(
    kind: placement::Kind,
    judge: &Judge<'a>,
    (offset, limit): (i64, i64),
) -> rows::Search<'a> {
    let order = match judge.sort {
        None => rows::Order::Natural,
        Some(sort) => {
            let descending = sort.order == SortOrder::Descending;
            match placement::sort_column(kind, &sort.attr) {
                Some(column) => rows::Order::Column { column, descending },
                None => rows::Order::Judge { descending },
            }
        }
    };
    rows::Search {
        filter: judge.filter,
        order,
        offset: usize::try_from(offset).unwrap_or(0),
        limit: usize::try_from(limit).unwrap_or(0),
    }
}

fn page<R>(found: rows::Found<R>) -> Result<rows::Page<R>, ServiceError> {
    match found {
        rows::Found::Page(page) => Ok(page),
        rows::Found::TooMany => Err(ScimError::new(
            ScimErrorKind::TooMany,
            "too many resources match for a sort by this attribute; narrow the filter",
        )
        .into()),
    }
}

/// Decides in memory what no index can: whether a row matches, and by what it is ordered.
struct Judge<'a> {
    resource_type: &'a ResourceType,
    base: &'a str,
    filter: Option<&'a CheckedFilter>,
    sort: Option<&'a Sort>,
}

/// What the store asks of a row: `None` when it does not match, else its key.
type Verdict = Result<Option<SortKey>, ServiceError>;

impl Judge<'_> {
    fn users(
        &self,
        db: &mut Db,
        tenant: TenantId,
        batch: &[UserRow],
    ) -> Result<Vec<Option<SortKey>>, ServiceError> {
        let ids: Vec<UserId> = batch.iter().map(|row| row.id).collect();
        let mut lists: HashMap<UserId, Vec<Value>> = HashMap::new();
        if self.mentions("groups") {
            for group in membership_views::groups_of(db, tenant, &ids)? {
                // without `$ref`: it is shown, but to filters it is unassigned (FV-54)
                let shown =
                    json!({ "value": group.group_id, "display": group.name, "type": "direct" });
                lists.entry(group.user_id).or_default().push(shown);
            }
        }
        let mut learners: HashMap<UserId, LearnerOfUser> = HashMap::new();
        if self.mentions_learner() {
            let found = learner_views::learners_of(db, tenant, &ids, true)?;
            learners.extend(found.into_iter().map(|learner| (learner.user_id, learner)));
        }
        let mut managers = HashMap::new();
        if self.mentions("manager") {
            managers = shown_user::managers_of(db, tenant, batch)?;
        }
        batch
            .iter()
            .map(|row| {
                let mut derived = self.meta(&format!("/Users/{}", row.id), row.version);
                if let Some(groups) = lists.remove(&row.id) {
                    derived.insert("groups".to_owned(), Value::Array(groups));
                }
                if let Some(learner) = learners.get(&row.id) {
                    let shown = shown_user::learner_json(learner);
                    derived.insert(LEARNER_EXTENSION.to_owned(), shown);
                }
                if let Some(manager) =
                    shown_user::manager_of(&row.doc).and_then(|id| managers.get(&id))
                {
                    let shown = shown_user::manager_json(self.base, manager);
                    derived.insert(ENTERPRISE.to_owned(), json!({ "manager": shown }));
                }
                self.user(row, &derived)
            })
            .collect()
    }

    fn user(&self, row: &UserRow, derived: &Map<String, Value>) -> Verdict {
        let resource = document::parse(&row.doc)?;
        let id = row.id.to_string();
        Ok(self.judge(&Subject {
            resource: &resource,
            id: &id,
            resource_type: self.resource_type,
            created: row.created_at,
            modified: row.modified_at,
            derived,
        }))
    }

    fn group(&self, db: &mut Db, tenant: TenantId, row: &GroupRow) -> Verdict {
        let resource = shown_group::document_of(row)?;
        let id = row.id.to_string();
        let mut derived = self.meta(&format!("/Groups/{id}"), row.version);
        if self.mentions("members") {
            let mut list = Vec::new();
            shown_group::each_member(db, tenant, row.id, |member| {
                list.push(json!({
                    "value": member.user_id, "display": member.user_name, "type": "User",
                    "$ref": format!("{}/Users/{}", self.base, member.user_id),
                }));
            })?;
            if !list.is_empty() {
                derived.insert("members".to_owned(), Value::Array(list));
            }
        }
        Ok(self.judge(&Subject {
            resource: &resource,
            id: &id,
            resource_type: self.resource_type,
            created: row.created_at,
            modified: row.modified_at,
            derived: &derived,
        }))
    }

    fn judge(&self, subject: &Subject<'_>) -> Option<SortKey> {
        if self
            .filter
            .is_some_and(|filter| !eval::matches(filter, subject))
        {
            return None;
        }
        Some(self.sort.map_or(SortKey::Missing, |sort| sort.key(subject)))
    }

    /// What `meta` has beyond the times.
    fn meta(&self, path: &str, version: i64) -> Map<String, Value> {
        let version = crate::scim::version::Version(version).to_string();
        let location = format!("{}{path}", self.base);
        let meta = json!({ "version": version, "location": location });
        Map::from_iter([("meta".to_owned(), meta)])
    }

    fn mentions(&self, name: &str) -> bool {
        self.asks(&|attr| attr.def.name == name)
    }

    fn mentions_learner(&self) -> bool {
        self.asks(&|attr| {
            let extension = attr.extension.as_ref();
            extension.is_some_and(|schema| schema.id == LEARNER_EXTENSION)
        })
    }

    fn asks(&self, of: &dyn Fn(&Attr) -> bool) -> bool {
        self.filter.is_some_and(|filter| mentions(filter, of))
            || self.sort.is_some_and(|sort| of(&sort.attr))
    }
}

fn mentions(filter: &CheckedFilter, of: &dyn Fn(&Attr) -> bool) -> bool {
    match filter {
        CheckedFilter::And(terms) | CheckedFilter::Or(terms) => {
            terms.iter().any(|term| mentions(term, of))
        }
        CheckedFilter::Not(inner) => mentions(inner, of),
        CheckedFilter::Test(test) => of(&test.attr),
        CheckedFilter::ValuePath { attr, .. } => of(attr),
        CheckedFilter::Nothing => false,
    }
}
