//! Whether a row matches, and by what it is ordered, where no index tells.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::ids::{TenantId, UserId};
use crate::scim::filter::checked::CheckedFilter;
use crate::scim::filter::eval::{self, Subject};
use crate::scim::filter::sort::{Sort, SortKey};
use crate::scim::schema::ResourceType;
use crate::store::Db;
use crate::store::queries::groups_directory::GroupRow;
use crate::store::queries::membership_views;
use crate::store::queries::users::UserRow;

use super::super::super::ServiceError;
use super::super::{document, shown_group};

/// Decides in memory what no index can: whether a row matches, and by what it is ordered.
pub(super) struct Judge<'a> {
    pub resource_type: &'a ResourceType,
    pub filter: Option<&'a CheckedFilter>,
    pub sort: Option<&'a Sort>,
}

/// What the store asks of a row: `None` when it does not match, else its key.
type Verdict = Result<Option<SortKey>, ServiceError>;

impl Judge<'_> {
    pub fn users(
        &self,
        db: &mut Db,
        tenant: TenantId,
        batch: &[UserRow],
    ) -> Result<Vec<Option<SortKey>>, ServiceError> {
        let mut lists: HashMap<UserId, Vec<Value>> = HashMap::new();
        if self.mentions("groups") {
            let ids: Vec<UserId> = batch.iter().map(|row| row.id).collect();
            for group in membership_views::groups_of(db, tenant, &ids)? {
                let shown =
                    json!({ "value": group.group_id, "display": group.name, "type": "direct" });
                lists.entry(group.user_id).or_default().push(shown);
            }
        }
        batch
            .iter()
            .map(|row| self.user(row, lists.remove(&row.id)))
            .collect()
    }

    fn user(&self, row: &UserRow, groups: Option<Vec<Value>>) -> Verdict {
        let resource = document::parse(&row.doc)?;
        let id = row.id.to_string();
        let mut derived = meta(row.version);
        if let Some(groups) = groups {
            derived.insert("groups".to_owned(), Value::Array(groups));
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

    pub fn group(&self, db: &mut Db, tenant: TenantId, row: &GroupRow) -> Verdict {
        let resource = shown_group::document_of(row)?;
        let id = row.id.to_string();
        let mut derived = meta(row.version);
        if self.mentions("members") {
            let mut list = Vec::new();
            shown_group::each_member(db, tenant, row.id, |member| {
                list.push(
                    json!({ "value": member.user_id, "display": member.user_name, "type": "User" }),
                );
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

    fn mentions(&self, name: &str) -> bool {
        self.filter.is_some_and(|filter| mentions(filter, name))
            || self.sort.is_some_and(|sort| sort.attr.def.name == name)
    }
}

fn meta(version: i64) -> Map<String, Value> {
    let mut derived = Map::new();
    derived.insert(
        "meta".to_owned(),
        json!({ "version": crate::scim::version::Version(version).to_string() }),
    );
    derived
}

fn mentions(filter: &CheckedFilter, name: &str) -> bool {
    match filter {
        CheckedFilter::And(terms) | CheckedFilter::Or(terms) => {
            terms.iter().any(|term| mentions(term, name))
        }
        CheckedFilter::Not(inner) => mentions(inner, name),
        CheckedFilter::Test(test) => test.attr.def.name == name,
        CheckedFilter::ValuePath { attr, .. } => attr.def.name == name,
        CheckedFilter::Nothing => false,
    }
}
