//! Whether a row matches, and by what it is ordered, where no index tells.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use serde_json::{Map, Value, json};

use crate::ids::{GroupId, TenantId, UserId};
use crate::scim::filter::checked::{CheckedFilter, is_schemas};
use crate::scim::filter::eval::{self, Subject};
use crate::scim::filter::sort::{Sort, SortKey};
use crate::scim::resource::Resource;
use crate::scim::schema::{Attr, ResourceType};
use crate::store::Db;
use crate::store::queries::group_memberships::MembershipRow;
use crate::store::queries::groups_directory::GroupRow;
use crate::store::queries::learner_views::{self, LearnerOfUser};
use crate::store::queries::membership_views::{self, FirstMember};
use crate::store::queries::resources::ResourceRow;
use crate::store::queries::search as rows;
use crate::store::queries::users::UserRow;

use super::super::super::ServiceError;
use super::super::document::{self, ENTERPRISE, LEARNER_EXTENSION};
use super::super::types::Kind;
use super::super::{memberships, shown_group, shown_user};

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

    /// The verdicts on groups. What is asked of their members the database tells, which no group is loaded for.
    pub fn groups(
        &self,
        db: &mut Db,
        tenant: TenantId,
        batch: &[GroupRow],
    ) -> Result<Vec<Option<SortKey>>, ServiceError> {
        let mut firsts = HashMap::new();
        if self
            .sort
            .is_some_and(|sort| sort.attr.def.name == "members")
        {
            // S-07: none of them is primary, so the first counts
            let ids: Vec<GroupId> = batch.iter().map(|row| row.id).collect();
            for first in membership_views::first_members(db, tenant, &ids)? {
                firsts.insert(first.group_id, first);
            }
        }
        let Some(filter) = self.filter.filter(|_| self.mentions("members")) else {
            return batch
                .iter()
                .map(|row| self.group(row, firsts.get(&row.id)))
                .collect();
        };
        let ids: Vec<uuid::Uuid> = batch.iter().map(|row| row.id.0).collect();
        let told = Told::of(db, tenant, filter, &ids)?;
        batch
            .iter()
            .map(|row| {
                let filter = told.of_row(filter, row.id.0);
                let judge = Judge {
                    filter: Some(&filter),
                    members: self.members.clone(),
                    ..*self
                };
                judge.group(row, firsts.get(&row.id))
            })
            .collect()
    }

    fn group(&self, row: &GroupRow, first: Option<&FirstMember>) -> Verdict {
        let resource = shown_group::document_of(row)?;
        let id = row.id.to_string();
        let mut derived = self.meta("/Groups", &row.id, row.version);
        if let Some(member) = first {
            let shown = json!([{
                "value": member.user_id, "display": member.user_name, "type": "User",
                "$ref": format!("{}/Users/{}", self.base, member.user_id),
            }]);
            derived.insert("members".to_owned(), shown);
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

    pub fn membership(&self, row: &MembershipRow) -> Option<SortKey> {
        let id = row.id.to_string();
        let derived = self.meta("/GroupMemberships", &row.id, memberships::VERSION.0);
        self.judge(&Subject {
            resource: &Resource::from_valid(memberships::document(self.base, row)),
            id: &id,
            resource_type: self.resource_type,
            created: row.created_at,
            modified: row.created_at,
            derived: &derived,
        })
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

/// What the database says of the parts of a filter that ask for members: the groups that pass, part by part.
struct Told {
    parts: Vec<(CheckedFilter, HashSet<uuid::Uuid>)>,
}

impl Told {
    fn of(
        db: &mut Db,
        tenant: TenantId,
        filter: &CheckedFilter,
        ids: &[uuid::Uuid],
    ) -> Result<Self, ServiceError> {
        let mut asked = Vec::new();
        parts_on_members(filter, &mut asked);
        let mut parts = Vec::with_capacity(asked.len());
        for part in asked {
            if let Some(passing) = rows::passing::<GroupRow>(db, tenant, Kind::Group, part, ids)? {
                parts.push((part.clone(), passing));
            }
        }
        Ok(Self { parts })
    }

    /// The filter with what is known of one group in the place of these parts.
    fn of_row(&self, filter: &CheckedFilter, id: uuid::Uuid) -> CheckedFilter {
        let each =
            |terms: &[CheckedFilter]| terms.iter().map(|term| self.of_row(term, id)).collect();
        match filter {
            CheckedFilter::And(terms) => CheckedFilter::And(each(terms)),
            CheckedFilter::Or(terms) => CheckedFilter::Or(each(terms)),
            CheckedFilter::Not(inner) => CheckedFilter::Not(Box::new(self.of_row(inner, id))),
            part => match self.parts.iter().find(|(known, _)| known == part) {
                Some((_, passing)) if passing.contains(&id) => CheckedFilter::everything(),
                Some(_) => CheckedFilter::Nothing,
                None => part.clone(),
            },
        }
    }
}

fn parts_on_members<'f>(filter: &'f CheckedFilter, out: &mut Vec<&'f CheckedFilter>) {
    match filter {
        CheckedFilter::And(terms) | CheckedFilter::Or(terms) => {
            terms.iter().for_each(|term| parts_on_members(term, out));
        }
        CheckedFilter::Not(inner) => parts_on_members(inner, out),
        part => {
            let mut attributes = Vec::new();
            collect(part, &mut attributes);
            if attributes.iter().any(|attr| attr.def.name == "members") {
                out.push(part);
            }
        }
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
