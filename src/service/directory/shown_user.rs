//! What a user's response shows beyond its document: groups, the manager's name, the learner. All of a page in a query each.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use memchr::memmem;
use serde_json::json;

use crate::ids::{TenantId, UserId};
use crate::scim::schema::ResourceType;
use crate::scim::version::Version;
use crate::store::Db;
use crate::store::queries::learner_views::{self, LearnerOfUser};
use crate::store::queries::membership_views::{self, GroupOfUser};
use crate::store::queries::users::UserRow;

use super::super::{Scope, ServiceError};
use super::document::{self, Envelope, LEARNER_EXTENSION};
use super::types::{Call, Kind, Resource};

/// How a manager stands in a stored document: nothing but the value is stored.
const MANAGER: &str = "\"manager\":{\"value\":\"";
/// Built once, because every user that is shown is searched for it.
static FIND_MANAGER: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new(MANAGER));

/// Renders a page of users.
pub(super) fn render_all(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    rows: &[UserRow],
) -> Result<Vec<Resource>, ServiceError> {
    let groups = if call.parts.groups {
        let ids: Vec<UserId> = rows.iter().map(|row| row.id).collect();
        membership_views::groups_of(db, scope.tenant, &ids)?
    } else {
        Vec::new()
    };
    compose(db, scope, call, rows, &groups)
}

/// Renders one user whose groups are known, by their ids.
pub(super) fn render_one(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    row: &UserRow,
    groups: &[GroupOfUser],
) -> Result<Resource, ServiceError> {
    compose(db, scope, call, std::slice::from_ref(row), groups)?
        .pop()
        .ok_or_else(|| ServiceError::Bug(anyhow::anyhow!("a row renders to one resource")))
}

fn compose(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    rows: &[UserRow],
    groups: &[GroupOfUser],
) -> Result<Vec<Resource>, ServiceError> {
    let mut groups = if call.parts.groups {
        lists_of(call, groups)
    } else {
        HashMap::new()
    };
    let mut learners: HashMap<UserId, LearnerOfUser> = HashMap::new();
    if call.parts.learner {
        let ids: Vec<UserId> = rows.iter().map(|row| row.id).collect();
        let found = learner_views::learners_of(db, scope.tenant, &ids, true)?;
        learners.extend(found.into_iter().map(|learner| (learner.user_id, learner)));
    }
    let managers = managers_of(db, scope.tenant, rows)?;
    let mut resources = Vec::with_capacity(rows.len());
    for row in rows {
        let mut extra = Vec::new();
        if let Some(groups) = groups.remove(&row.id) {
            extra.push(format!("\"groups\":[{groups}]"));
        }
        let learner = learners.get(&row.id);
        if let Some(learner) = learner {
            extra.push(format!("\"{LEARNER_EXTENSION}\":{}", learner_json(learner)));
        }
        let mut resource = render(call, row, &extra)?;
        if learner.is_some() {
            // C-04: the URN of every extension that is shown
            resource.body = resource
                .body
                .replacen(']', &format!(",\"{LEARNER_EXTENSION}\"]"), 1);
        }
        if let Some(manager) = manager_of(&row.doc).and_then(|id| managers.get(&id)) {
            resource.body = with_manager(&resource.body, call, manager);
        }
        resources.push(resource);
    }
    Ok(resources)
}

/// The manager's id, where it has the form of an id of ours; other text is stored as sent (N-03).
pub(super) fn manager_of(doc: &str) -> Option<UserId> {
    let at = FIND_MANAGER.find(doc.as_bytes())? + MANAGER.len();
    doc.get(at..at + 36)?.parse().ok()
}

/// The managers of a page of users, where the references resolve.
pub(super) fn managers_of(
    db: &mut Db,
    tenant: TenantId,
    rows: &[UserRow],
) -> Result<HashMap<UserId, LearnerOfUser>, ServiceError> {
    let wanted: Vec<UserId> = rows.iter().filter_map(|row| manager_of(&row.doc)).collect();
    let found = learner_views::learners_of(db, tenant, &wanted, false)?;
    Ok(found
        .into_iter()
        .map(|manager| (manager.user_id, manager))
        .collect())
}

/// A manager as filters and sorting see it: what [`with_manager`] shows.
pub(super) fn manager_json(base: &str, manager: &LearnerOfUser) -> serde_json::Value {
    let id = manager.user_id;
    json!({ "value": id, "$ref": format!("{base}/Users/{id}"), "displayName": manager.display_name })
}

/// `$ref` and `displayName`, computed where the reference resolves (N-02, T-13).
fn with_manager(body: &str, call: Call<'_>, manager: &LearnerOfUser) -> String {
    let id = manager.user_id;
    let name = if call.parts.names {
        format!(",\"displayName\":{}", document::text(&manager.display_name))
    } else {
        String::new()
    };
    body.replacen(
        &format!("{MANAGER}{id}\""),
        &format!(
            "{MANAGER}{id}\",\"$ref\":\"{}/Users/{id}\"{name}",
            call.base
        ),
        1,
    )
}

/// The learner as its extension shows it.
pub(super) fn learner_json(learner: &LearnerOfUser) -> serde_json::Value {
    json!({
        "registration": learner.registration,
        "approval": learner.approval,
        "enrollments": { "total": learner.enrollments },
    })
}

/// The definition of users.
pub(super) fn resource_type(call: Call<'_>) -> Result<&ResourceType, ServiceError> {
    Kind::User
        .resource_type(call.registry)
        .map(AsRef::as_ref)
        .ok_or_else(|| ServiceError::Bug(anyhow::anyhow!("the registry has no User")))
}

/// The response of a row with complete `"name":value` members beside the document.
fn render(call: Call<'_>, row: &UserRow, extra: &[String]) -> Result<Resource, ServiceError> {
    let resource_type = resource_type(call)?;
    let id = row.id.to_string();
    let envelope = Envelope {
        resource_type,
        base: call.base,
        id: &id,
        version: Version(row.version),
        created: row.created_at,
        modified: row.modified_at,
    };
    let body = envelope.wrap(&document::shown(resource_type, &row.doc), extra);
    Ok(Resource {
        kind: Kind::User,
        version: Version(row.version),
        modified: row.modified_at,
        label: row.user_name.clone(),
        external_id: row.external_id.clone(),
        body,
        id,
    })
}

/// The inside of each user's `groups` array; users without groups are left out.
fn lists_of(call: Call<'_>, groups: &[GroupOfUser]) -> HashMap<UserId, String> {
    let mut of: HashMap<UserId, String> = HashMap::new();
    for group in groups {
        let list = of.entry(group.user_id).or_default();
        if !list.is_empty() {
            list.push(',');
        }
        // writing to a String cannot fail
        let _ = write!(
            list,
            "{{\"value\":\"{id}\",\"$ref\":\"{base}/Groups/{id}\",\"display\":{name},\"type\":\"direct\"}}",
            id = group.group_id,
            base = call.base,
            name = document::text(&group.name),
        );
    }
    of
}
