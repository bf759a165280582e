//! Groups: a learner group as SCIM sees it. Members are rows; no write reads the other members. `learning-domain.md` §2.3, §2.4.

use serde_json::{Map, Value, json};

use crate::ids::GroupId;
use crate::learning::event::EventType;
use crate::learning::group::{Color, Description, GroupName};
use crate::scim::fold::fold;
use crate::scim::message::Note;
use crate::scim::patch::{self, CompiledPatch, MembersChange};
use crate::scim::resource::Resource as Document;
use crate::scim::switches::OmittedMembers;
use crate::scim::validate::{self, Context};
use crate::scim::version::{IfMatch, Version};
use crate::store::queries::counters;
use crate::store::queries::groups_directory::{self, GroupRow, NewGroup};
use crate::store::queries::{groups_learning, restore};
use crate::store::{Db, StoreError};

use super::super::groups::{self as learner_groups, MembersOutcome};
use super::super::{Scope, ServiceError};
use super::custom;
use super::document::{self, GROUP_EXTENSION};
use super::references;
use super::rights;
use super::shown_group::{self, document_of, members_of, resource_type};
use super::types::{Call, Kind, Resource, Written, check_version, next_modified};

/// The columns of a group, from its document.
struct GroupFacts {
    name: String,
    external_id: Option<String>,
    description: Option<String>,
    color: Option<String>,
    /// What no column holds.
    rest: Map<String, Value>,
}

impl GroupFacts {
    fn of(document: &Document) -> Result<Self, ServiceError> {
        let mut rest = document.document().clone();
        let name =
            GroupName::parse(document.text("displayName", None).unwrap_or_default())?.to_string();
        let external_id = document.text("externalId", None).map(str::to_owned);
        let ours = document.document().get(GROUP_EXTENSION);
        let part = |name: &str| ours.and_then(|ours| ours.get(name)).and_then(Value::as_str);
        let description = part("description")
            .map(Description::parse)
            .transpose()?
            .map(|text| text.to_string());
        let color = part("color")
            .map(Color::parse)
            .transpose()?
            .map(|color| color.to_string());
        for name in ["displayName", "externalId", GROUP_EXTENSION] {
            rest.remove(name);
        }
        Ok(Self {
            name,
            external_id,
            description,
            color,
            rest,
        })
    }
}

pub(super) fn get(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    id: GroupId,
) -> Result<Resource, ServiceError> {
    let row = groups_directory::find(db, scope.tenant, id)?
        .ok_or_else(|| ServiceError::not_found("Group", id))?;
    let members = if call.parts.members {
        members_of(db, scope, call, id)?
    } else {
        None
    };
    shown_group::render(call, &row, members)
}

pub(super) fn create(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    body: &Value,
) -> Result<Written, ServiceError> {
    groups_learning::share_tenant(db, scope.tenant)?;
    learner_groups::require_plan(db, scope)?;
    let accepted = validate::accept(
        resource_type(call)?,
        body.clone(),
        Context::Create,
        &scope.switches(),
    )?;
    rights::check_created(scope, resource_type(call)?, &accepted)?;
    let facts = GroupFacts::of(&accepted.resource)?;
    let id = GroupId::new();
    let row = GroupRow {
        id,
        name: facts.name,
        external_id: facts.external_id,
        description: facts.description,
        color: facts.color,
        managed_by: scope.connection.as_ref().map(|connection| connection.id),
        version: 1,
        created_at: scope.now,
        modified_at: scope.now,
        doc: Value::Object(facts.rest).to_string(),
    };
    groups_directory::insert(
        db,
        scope.tenant,
        &NewGroup {
            row: &row,
            name_key: fold(&row.name),
            origin: "scim",
        },
    )
    .map_err(|error| conflict(error, &row.name))?;
    custom::add_values(db, scope, resource_type(call)?, id.0, &accepted.resource)?;
    counters::add(db, scope.tenant, "groups", id.0, 1)?;
    let mut facts = shown(&row);
    facts["origin"] = json!("scim");
    learner_groups::event(db, scope, id, EventType::GroupCreated, facts)?;
    let changes = accepted
        .members
        .map(MembersChange::ReplaceAll)
        .into_iter()
        .collect::<Vec<_>>();
    let outcome = learner_groups::apply_members(db, scope, id, &changes)?;
    rights::check_members(scope, resource_type(call)?, outcome.added > 0)?;
    let mut notes = accepted.notes;
    notes.extend(was_here(db, scope, &row)?);
    let mut written = written(db, scope, call, &row, true, outcome, notes, json!({}))?;
    written.named = accepted.named;
    Ok(written)
}

/// How long a deleted group is remembered when its directory makes it again, in milliseconds.
const REMEMBERED: i64 = 30 * 24 * 60 * 60 * 1000;

/// Offers the courses of a group that the connection deleted lately and now makes again; an admin decides (§7.14).
fn was_here(db: &mut Db, scope: &Scope, row: &GroupRow) -> Result<Option<Note>, ServiceError> {
    let Some(connection) = row.managed_by else {
        return Ok(None);
    };
    let since = scope.now.plus_millis(-REMEMBERED);
    let named = (fold(&row.name), row.external_id.as_deref());
    let like = (named.0.as_str(), named.1);
    let found = restore::deleted_like(db, scope.tenant, connection, like, since)?;
    Ok(found.map(|old| Note::new("deleted_group_had_courses", format!("id eq \"{old}\""))))
}

/// What the audit trail says of a group.
fn shown(row: &GroupRow) -> Value {
    json!({"name": row.name, "description": row.description, "color": row.color, "external_id": row.external_id})
}

fn conflict(error: StoreError, name: &str) -> ServiceError {
    match error {
        StoreError::Conflict => ServiceError::Taken {
            attribute: "displayName",
            detail: format!("a group with the displayName `{name}` exists already"),
        },
        other => other.into(),
    }
}

fn locked(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    expected: &IfMatch,
) -> Result<GroupRow, ServiceError> {
    let row = groups_directory::find_for_update(db, scope.tenant, id)?
        .ok_or_else(|| ServiceError::not_found("Group", id))?;
    check_version(scope, expected, row.version)?;
    Ok(row)
}

pub(super) fn replace(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    id: GroupId,
    body: &Value,
    expected: &IfMatch,
) -> Result<Written, ServiceError> {
    let row = locked(db, scope, id, expected)?;
    let before = document_of(&row)?;
    let switches = scope.switches();
    let mut accepted = validate::accept(
        resource_type(call)?,
        body.clone(),
        Context::Replace { before: &before },
        &switches,
    )?;
    rights::kept(scope, resource_type(call)?, &before, &mut accepted);
    let members = match accepted.members {
        Some(members) => vec![MembersChange::ReplaceAll(members)],
        None if switches.put_omitted_members == OmittedMembers::Clear
            && rights::empties_members(scope, resource_type(call)?) =>
        {
            vec![MembersChange::RemoveAll]
        }
        None => Vec::new(),
    };
    let mut written = store(
        db,
        scope,
        call,
        row,
        &before,
        &accepted.resource,
        &members,
        accepted.notes,
    )?;
    written.named = accepted.named;
    Ok(written)
}

pub(super) fn patch(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    id: GroupId,
    compiled: &CompiledPatch,
    expected: &IfMatch,
) -> Result<Written, ServiceError> {
    let row = locked(db, scope, id, expected)?;
    let before = document_of(&row)?;
    let applied = patch::apply(compiled, &before, resource_type(call)?, &scope.switches())?;
    let members: Vec<MembersChange> = applied
        .members
        .into_iter()
        .map(|change| match change {
            MembersChange::RemoveWhere(filter) => {
                MembersChange::RemoveWhere(references::by_id(filter, Kind::Group, call.base))
            }
            other => other,
        })
        .collect();
    let mut written = store(
        db,
        scope,
        call,
        row,
        &before,
        &applied.resource,
        &members,
        applied.notes,
    )?;
    written.named = compiled.named();
    Ok(written)
}

/// Writes attributes and members where they differ. A change of members moves the group's version too (G-08).
#[allow(
    clippy::too_many_arguments,
    reason = "the one place where a group is written"
)]
fn store(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    mut row: GroupRow,
    before: &Document,
    after: &Document,
    members: &[MembersChange],
    notes: Vec<Note>,
) -> Result<Written, ServiceError> {
    let outcome = learner_groups::apply_members(db, scope, row.id, members)?;
    let members_changed = outcome.added > 0 || outcome.ended > 0;
    rights::check_members(scope, resource_type(call)?, members_changed)?;
    let attributes_changed = before != after;
    let changed = attributes_changed || members_changed;
    let mut changes = json!({});
    if changed {
        row.version += 1;
        row.modified_at = next_modified(scope.now, row.modified_at);
        if attributes_changed {
            rights::check(scope, resource_type(call)?, before, after)?;
            changes = document::difference(before, after);
            let facts = GroupFacts::of(after)?;
            let was = shown(&row);
            row.name = facts.name;
            row.external_id = facts.external_id;
            row.description = facts.description;
            row.color = facts.color;
            row.doc = Value::Object(facts.rest).to_string();
            groups_directory::replace(db, scope.tenant, &row, &fold(&row.name))
                .map_err(|error| conflict(error, &row.name))?;
            custom::change_values(db, scope, resource_type(call)?, row.id.0, before, after)?;
            let is = shown(&row);
            let data = json!({"before": was, "after": is});
            learner_groups::event(db, scope, row.id, EventType::GroupUpdated, data)?;
        } else {
            groups_directory::touch(db, scope.tenant, row.id, row.version, row.modified_at)?;
        }
    }
    written(db, scope, call, &row, changed, outcome, notes, changes)
}

#[allow(clippy::too_many_arguments, reason = "gathers what a group write did")]
fn written(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    row: &GroupRow,
    changed: bool,
    outcome: MembersOutcome,
    mut notes: Vec<Note>,
    changes: Value,
) -> Result<Written, ServiceError> {
    notes.extend(outcome.notes);
    let members = if call.parts.members {
        members_of(db, scope, call, row.id)?
    } else {
        None
    };
    let resource = shown_group::render(call, row, members)?;
    Ok(Written {
        id: resource.id.clone(),
        version: resource.version,
        label: resource.label.clone(),
        external_id: resource.external_id.clone(),
        changed,
        members_added: outcome.added,
        members_ended: outcome.ended,
        effects: outcome.effects,
        notes,
        named: Vec::new(),
        changes,
        resource: Some(resource),
    })
}

pub(super) fn delete(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    expected: &IfMatch,
) -> Result<Written, ServiceError> {
    let row = locked(db, scope, id, expected)?;
    let members_ended = learner_groups::end_group(db, scope, id)?;
    Ok(Written {
        resource: None,
        id: id.to_string(),
        version: Version(0),
        label: row.name,
        external_id: row.external_id,
        changed: true,
        members_added: 0,
        members_ended,
        effects: Default::default(),
        notes: Vec::new(),
        named: Vec::new(),
        changes: json!({}),
    })
}
