//! A group as responses show it: composed of its columns, the document of its other extensions, and its member rows.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::ids::{GroupId, TenantId};
use crate::scim::resource::Resource as Document;
use crate::scim::schema::ResourceType;
use crate::scim::version::Version;
use crate::store::Db;
use crate::store::queries::groups_directory::GroupRow;
use crate::store::queries::membership_views::{self, Member};

use super::super::{Scope, ServiceError};
use super::document::{self, Envelope, GROUP_EXTENSION};
use super::types::{Call, Kind, Resource};

/// Members read at a time while a group is written out.
const MEMBERS_AT_A_TIME: i64 = 2000;

/// The definition of groups.
pub(super) fn resource_type(call: Call<'_>) -> Result<&ResourceType, ServiceError> {
    Kind::Group
        .resource_type(call.registry)
        .map(AsRef::as_ref)
        .ok_or_else(|| ServiceError::Bug(anyhow::anyhow!("the registry has no Group")))
}

/// The document of a row: its columns and what no column holds.
pub(super) fn document_of(row: &GroupRow) -> Result<Document, ServiceError> {
    let mut whole = Map::new();
    whole.insert("displayName".to_owned(), Value::from(row.name.as_str()));
    if let Some(external_id) = &row.external_id {
        whole.insert("externalId".to_owned(), Value::from(external_id.as_str()));
    }
    let mut ours = Map::new();
    if let Some(description) = &row.description {
        ours.insert("description".to_owned(), Value::from(description.as_str()));
    }
    if let Some(color) = &row.color {
        ours.insert("color".to_owned(), Value::from(color.as_str()));
    }
    if !ours.is_empty() {
        whole.insert(GROUP_EXTENSION.to_owned(), Value::Object(ours));
    }
    if row.doc.len() > 2 {
        whole.extend(document::parse(&row.doc)?.into_document());
    }
    Ok(Document::from_valid(whole))
}

/// The response of a row; `members` is the inside of the array, `None` where it was not asked for or is empty.
pub(super) fn render(
    call: Call<'_>,
    row: &GroupRow,
    members: Option<String>,
) -> Result<Resource, ServiceError> {
    let resource_type = resource_type(call)?;
    let id = row.id.to_string();
    let stored = document::stored(resource_type, &document_of(row)?);
    let extra: Vec<String> = members
        .into_iter()
        .map(|members| format!("\"members\":[{members}]"))
        .collect();
    let envelope = Envelope {
        resource_type,
        base: call.base,
        id: &id,
        version: Version(row.version),
        created: row.created_at,
        modified: row.modified_at,
    };
    let body = envelope.wrap(&stored, &extra);
    Ok(Resource {
        kind: Kind::Group,
        version: Version(row.version),
        modified: row.modified_at,
        label: row.name.clone(),
        external_id: row.external_id.clone(),
        body,
        id,
    })
}

/// The inside of a group's `members` array; `None` when nobody is in it.
pub(super) fn members_of(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    id: GroupId,
) -> Result<Option<String>, ServiceError> {
    let mut list = String::new();
    each_member(db, scope.tenant, id, |member| {
        if !list.is_empty() {
            list.push(',');
        }
        // writing to a String cannot fail
        let _ = write!(
            list,
            "{{\"value\":\"{id}\",\"$ref\":\"{base}/Users/{id}\",\"type\":\"User\"",
            id = member.user_id,
            base = call.base,
        );
        if call.parts.names {
            let _ = write!(list, ",\"display\":{}", document::text(&member.user_name));
        }
        list.push('}');
    })?;
    Ok((!list.is_empty()).then_some(list))
}

/// Walks a group's members by keyset, never holding more than a few of their rows.
pub(super) fn each_member(
    db: &mut Db,
    tenant: TenantId,
    id: GroupId,
    mut visit: impl FnMut(&Member),
) -> Result<(), ServiceError> {
    let mut after = None;
    loop {
        let batch = membership_views::members_after(db, tenant, id, after, MEMBERS_AT_A_TIME)?;
        batch.iter().for_each(&mut visit);
        match batch.last() {
            Some(last) if batch.len() as i64 == MEMBERS_AT_A_TIME => after = Some(last.user_id),
            _ => return Ok(()),
        }
    }
}
