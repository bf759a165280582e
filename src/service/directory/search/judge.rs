//! Whether a row matches, and by what it is ordered, where no index tells.

use std::collections::HashMap;
use std::fmt::Display;

use serde_json::{Map, Value, json};

use crate::ids::{TenantId, UserId};
use crate::scim::filter::checked::{CheckedFilter, is_schemas};
use crate::scim::filter::eval::{self, Subject};
use crate::scim::filter::sort::{Sort, SortKey};
use crate::scim::resource::Resource;
use crate::scim::schema::{Attr, ResourceType};
use crate::store::Db;
use crate::store::queries::groups_directory::GroupRow;
use crate::store::queries::learner_views::{self, LearnerOfUser};
use crate::store::queries::membership_views;
use crate::store::queries::resources::ResourceRow;
use crate::store::queries::users::UserRow;

use super::super::super::ServiceError;
use super::super::document::{self, ENTERPRISE, LEARNER_EXTENSION};
use super::super::{shown_group, shown_user};

/// Decides in memory what no index can: whether a row matches, and by what it is ordered.
pub(super) struct Judge<'a> {
    resource_type: &'a ResourceType,
    base: &'a str,
    filter: Option<&'a CheckedFilter>,
    sort: Option<&'a Sort>,
    /// The members of a document that filter and sort look at; `None`: all of them.
    members: Option<Vec<&'a str>>,
    /// Whether they look at what `meta` has beyond the times.
    meta: bool,
}

/// What the store asks of a row: `None` when it does not match, else its key.
type Verdict = Result<Option<SortKey>, ServiceError>;

impl<'a> Judge<'a> {
    pub fn new(
        resource_type: &'a ResourceType,
        base: &'a str,
        filter: Option<&'a CheckedFilter>,
        sort: Option<&'a Sort>,
    ) -> Self {
        let mut attributes = Vec::new();
        if let Some(filter) = filter {
            collect(filter, &mut attributes);
        }
        attributes.extend(sort.map(|sort| &sort.attr));
        // which extensions a resource uses is told by all of its document
        let is_whole = attributes.iter().any(|attr| is_schemas(attr));
        let members = attributes.iter().map(|attr| match &attr.extension {
            Some(schema) => schema.id.as_str(),
            None => attr.def.name.as_str(),
        });
        Self {
            resource_type,
            base,
            filter,
            sort,
            members: (!is_whole).then(|| members.collect()),
            meta: attributes.iter().any(|attr| attr.def.name == "meta"),
        }
    }

    fn read(&self, doc: &str) -> Result<Resource, ServiceError> {
        match &self.members {
            Some(names) => document::parse_members(doc, names),
            None => document::parse(doc),
        }
    }

    pub fn users(
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
                let mut derived = self.meta("/Users", &row.id, row.version);
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
        let resource = self.read(&row.doc)?;
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

    pub fn group(&self, db: &mut Db, tenant: TenantId, row: &GroupRow) -> Verdict {
        let resource = shown_group::document_of(row)?;
        let id = row.id.to_string();
        let mut derived = self.meta("/Groups", &row.id, row.version);
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

    pub fn custom(&self, row: &ResourceRow) -> Verdict {
        let resource = self.read(&row.doc)?;
        Ok(self.judge(&Subject {
            resource: &resource,
            id: &row.id.to_string(),
            resource_type: self.resource_type,
            created: row.created_at,
            modified: row.modified_at,
            derived: &self.meta(&self.resource_type.endpoint, &row.id, row.version),
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
    fn meta(&self, endpoint: &str, id: &dyn Display, version: i64) -> Map<String, Value> {
        if !self.meta {
            return Map::new();
        }
        let version = crate::scim::version::Version(version).to_string();
        let location = format!("{}{endpoint}/{id}", self.base);
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
        let mut attributes = Vec::new();
        if let Some(filter) = self.filter {
            collect(filter, &mut attributes);
        }
        attributes.extend(self.sort.map(|sort| &sort.attr));
        attributes.into_iter().any(of)
    }
}

/// The attributes that a filter names.
fn collect<'a>(filter: &'a CheckedFilter, attributes: &mut Vec<&'a Attr>) {
    match filter {
        CheckedFilter::And(terms) | CheckedFilter::Or(terms) => {
            for term in terms {
                collect(term, attributes);
            }
        }
        CheckedFilter::Not(inner) => collect(inner, attributes),
        CheckedFilter::Test(test) => attributes.push(&test.attr),
        CheckedFilter::ValuePath { attr, .. } => attributes.push(attr),
        CheckedFilter::Nothing => {}
    }
}
