//! Resources of types that an operator's schemas declare: a document, its searchable values, and nothing else. And the
//! values of an operator's extension, whatever resource carries it.

use serde_json::{Value, json};

use crate::ids::ResourceId;
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::message::Note;
use crate::scim::patch::{self, CompiledPatch};
use crate::scim::resource::Resource as Document;
use crate::scim::schema::{AttributeDef, ResourceType, Type, Uniqueness};
use crate::scim::validate::{self, Context};
use crate::scim::version::{IfMatch, Version};
use crate::store::custom_values::{self, CustomValue};
use crate::store::queries::resources::{self, ResourceRow};
use crate::store::queries::{counters, resource_values};
use crate::store::{Db, StoreError};

use super::super::enroll::Effects;
use super::super::{Scope, ServiceError};
use super::document::{self, Envelope};
use super::rights;
use super::types::{Call, Kind, Resource, Written, check_version, definition, next_modified};

pub(super) fn create(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    kind: Kind,
    body: &Value,
) -> Result<Written, ServiceError> {
    let rt = definition(call, kind)?;
    let accepted = validate::accept(rt, body.clone(), Context::Create, &scope.switches())?;
    rights::check_created(scope, rt, &accepted)?;
    let row = ResourceRow {
        id: ResourceId::new(),
        resource_type: rt.name.to_owned(),
        external_id: external_id(&accepted.resource),
        version: 1,
        created_at: scope.now,
        modified_at: scope.now,
        doc: document::stored(rt, &accepted.resource),
    };
    resources::insert(db, scope.tenant, &row)?;
    add_values(db, scope, rt, row.id.0, &accepted.resource)?;
    count(db, scope, kind, row.id, 1)?;
    let named = accepted.named;
    let mut written = written(call, &row, true, accepted.notes, json!({}))?;
    written.named = named;
    Ok(written)
}

pub(super) fn get(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    (kind, id): (Kind, ResourceId),
) -> Result<Resource, ServiceError> {
    let row = resources::find(db, scope.tenant, kind.name(), id)?
        .ok_or_else(|| ServiceError::not_found(kind.name(), id))?;
    render(call, &row)
}

fn locked(
    db: &mut Db,
    scope: &Scope,
    (kind, id): (Kind, ResourceId),
    expected: &IfMatch,
) -> Result<ResourceRow, ServiceError> {
    let row = resources::find_for_update(db, scope.tenant, kind.name(), id)?
        .ok_or_else(|| ServiceError::not_found(kind.name(), id))?;
    check_version(scope, expected, row.version)?;
    Ok(row)
}

pub(super) fn replace(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    which: (Kind, ResourceId),
    body: &Value,
    expected: &IfMatch,
) -> Result<Written, ServiceError> {
    let row = locked(db, scope, which, expected)?;
    let before = document::parse(&row.doc)?;
    let rt = definition(call, which.0)?;
    let mut accepted = validate::accept(
        rt,
        body.clone(),
        Context::Replace { before: &before },
        &scope.switches(),
    )?;
    rights::kept(scope, rt, &before, &mut accepted);
    let named = accepted.named;
    let documents = (&before, &accepted.resource);
    let mut written = store(db, scope, call, which.0, row, documents, accepted.notes)?;
    written.named = named;
    Ok(written)
}

pub(super) fn patch(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    which: (Kind, ResourceId),
    compiled: &CompiledPatch,
    expected: &IfMatch,
) -> Result<Written, ServiceError> {
    let row = locked(db, scope, which, expected)?;
    let before = document::parse(&row.doc)?;
    let rt = definition(call, which.0)?;
    let applied = patch::apply(compiled, &before, rt, &scope.switches())?;
    let documents = (&before, &applied.resource);
    let mut written = store(db, scope, call, which.0, row, documents, applied.notes)?;
    written.named = compiled.named();
    Ok(written)
}

/// Writes the new document where it differs from the old one; the same document changes nothing (D-29).
fn store(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    kind: Kind,
    mut row: ResourceRow,
    (before, after): (&Document, &Document),
    notes: Vec<Note>,
) -> Result<Written, ServiceError> {
    let rt = definition(call, kind)?;
    let changed = before != after;
    let mut changes = json!({});
    if changed {
        rights::check(scope, rt, before, after)?;
        changes = document::difference(before, after);
        row.doc = document::stored(rt, after);
        row.external_id = external_id(after);
        row.modified_at = next_modified(scope.now, row.modified_at);
        row.version += 1;
        resources::replace(db, scope.tenant, &row)?;
        change_values(db, scope, rt, row.id.0, before, after)?;
    }
    written(call, &row, changed, notes, changes)
}

fn written(
    call: Call<'_>,
    row: &ResourceRow,
    changed: bool,
    notes: Vec<Note>,
    changes: Value,
) -> Result<Written, ServiceError> {
    let resource = render(call, row)?;
    Ok(Written {
        id: resource.id.clone(),
        version: resource.version,
        label: resource.label.clone(),
        external_id: resource.external_id.clone(),
        changed,
        members_added: 0,
        members_ended: 0,
        effects: Effects::default(),
        notes,
        named: Vec::new(),
        changes,
        resource: Some(resource),
    })
}

pub(super) fn delete(
    db: &mut Db,
    scope: &Scope,
    which: (Kind, ResourceId),
    expected: &IfMatch,
) -> Result<Written, ServiceError> {
    let row = locked(db, scope, which, expected)?;
    let document = document::parse(&row.doc)?;
    let name = ["displayName", "name", "externalId"]
        .into_iter()
        .find_map(|name| document.text(name, None))
        .map(str::to_owned);
    resources::delete(db, scope.tenant, row.id)?;
    resource_values::remove_all(db, scope.tenant, row.id.0)?;
    count(db, scope, which.0, row.id, -1)?;
    Ok(Written {
        resource: None,
        id: row.id.to_string(),
        version: Version(0),
        label: name.unwrap_or_else(|| row.id.to_string()),
        external_id: row.external_id,
        changed: true,
        members_added: 0,
        members_ended: 0,
        effects: Effects::default(),
        notes: Vec::new(),
        named: Vec::new(),
        changes: json!({}),
    })
}

fn count(
    db: &mut Db,
    scope: &Scope,
    kind: Kind,
    id: ResourceId,
    by: i64,
) -> Result<(), ServiceError> {
    match kind.counter() {
        Some(name) => Ok(counters::add(db, scope.tenant, &name, id.0, by)?),
        None => Ok(()),
    }
}

/// The response of a row.
pub(super) fn render(call: Call<'_>, row: &ResourceRow) -> Result<Resource, ServiceError> {
    let rt = call
        .registry
        .resource_type(&row.resource_type)
        .ok_or_else(|| {
            ServiceError::Bug(anyhow::anyhow!("the registry has no {}", row.resource_type))
        })?;
    let id = row.id.to_string();
    let envelope = Envelope {
        resource_type: rt,
        base: call.base,
        id: &id,
        version: Version(row.version),
        created: row.created_at,
        modified: row.modified_at,
    };
    let body = envelope.wrap(&document::shown(rt, &row.doc), &[]);
    Ok(Resource {
        kind: Kind::of(rt),
        version: Version(row.version),
        modified: row.modified_at,
        label: label(rt, row)?.unwrap_or_else(|| id.clone()),
        external_id: row.external_id.clone(),
        body,
        id,
    })
}

/// What an admin would call it: `displayName`, `name`, else the first text that must be there or is unique.
fn label(rt: &ResourceType, row: &ResourceRow) -> Result<Option<String>, ServiceError> {
    let resource = document::parse(&row.doc)?;
    let telling = |def: &&std::sync::Arc<AttributeDef>| {
        def.attribute_type == Type::String && (def.required || def.uniqueness != Uniqueness::None)
    };
    let names = ["displayName", "name"].into_iter().chain(
        rt.schema
            .attributes
            .iter()
            .filter(telling)
            .map(|def| def.name.as_str()),
    );
    let mut found = names.filter_map(|name| resource.text(name, None));
    Ok(found.next().map(str::to_owned))
}

fn external_id(document: &Document) -> Option<String> {
    document.text("externalId", None).map(str::to_owned)
}

/// Stores the values of a resource that was just made. Errors: 409 `uniqueness`.
pub(super) fn add_values(
    db: &mut Db,
    scope: &Scope,
    rt: &ResourceType,
    id: uuid::Uuid,
    document: &Document,
) -> Result<(), ServiceError> {
    insert(db, scope, rt, id, &custom_values::rows(rt, document))
}

/// Stores what is new in the values of a resource. Errors: 409 `uniqueness`.
pub(super) fn change_values(
    db: &mut Db,
    scope: &Scope,
    rt: &ResourceType,
    id: uuid::Uuid,
    before: &Document,
    after: &Document,
) -> Result<(), ServiceError> {
    let (old, new) = (
        custom_values::rows(rt, before),
        custom_values::rows(rt, after),
    );
    if old == new {
        return Ok(());
    }
    let of = |rows: &[CustomValue], attr: i64| -> Vec<CustomValue> {
        rows.iter()
            .filter(|row| row.attr == attr)
            .cloned()
            .collect()
    };
    let mut changed: Vec<i64> = old.iter().chain(&new).map(|row| row.attr).collect();
    changed.sort_unstable();
    changed.dedup();
    changed.retain(|attr| of(&old, *attr) != of(&new, *attr));
    resource_values::remove(db, scope.tenant, id, &changed)?;
    let rows: Vec<CustomValue> = new
        .into_iter()
        .filter(|row| changed.contains(&row.attr))
        .collect();
    insert(db, scope, rt, id, &rows)
}

fn insert(
    db: &mut Db,
    scope: &Scope,
    rt: &ResourceType,
    id: uuid::Uuid,
    rows: &[CustomValue],
) -> Result<(), ServiceError> {
    match resource_values::insert(db, scope.tenant, id, rows) {
        Err(StoreError::Conflict) => Err(taken(db, scope, rt, id, rows)?.into()),
        other => Ok(other?),
    }
}

/// Which value is taken.
fn taken(
    db: &mut Db,
    scope: &Scope,
    rt: &ResourceType,
    id: uuid::Uuid,
    rows: &[CustomValue],
) -> Result<ScimError, ServiceError> {
    let mut which = None;
    for row in rows.iter().filter(|row| row.is_unique) {
        if resource_values::is_taken(db, scope.tenant, id, row)? {
            which = custom_values::attributes(rt)
                .into_iter()
                .find(|attr| attr.number == row.attr);
            break;
        }
    }
    let name = which.map_or_else(
        || "a unique attribute".to_owned(),
        |attr| {
            attr.path
                .split_once(' ')
                .map_or_else(String::new, |(_, path)| path.to_owned())
        },
    );
    Ok(ScimError::new(
        ScimErrorKind::Uniqueness,
        format!(
            "the value of {name} is already taken by another {}",
            rt.name
        ),
    ))
}
