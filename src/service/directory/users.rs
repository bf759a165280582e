//! Users: the SCIM account and the learner it names. `learning-domain.md` §2.2, §8.

use serde_json::{Value, json};

use crate::ids::{LearnerId, UserId};
use crate::scim::error::ScimError;
use crate::scim::patch::{self, CompiledPatch};
use crate::scim::resource::Resource as Document;
use crate::scim::validate::{self, Context};
use crate::scim::version::{IfMatch, Version};
use crate::store::Db;
use crate::store::queries::membership_views::GroupOfUser;
use crate::store::queries::suggestions as remembered;
use crate::store::queries::users::{self, NewUser, UserRow};
use crate::store::queries::{counters, resource_values, values};
use crate::store::{StoreError, placement};

use super::super::enroll::Effects;
use super::super::suggestions::{self, Known};
use super::super::{Scope, ServiceError, learners};
use super::bindings::UserFacts;
use super::shown_user::{self, resource_type};
use super::types::{Call, Parts, Resource, Written, check_version, next_modified};
use super::{custom, document, rights};

fn taken(facts: &UserFacts) -> ServiceError {
    ServiceError::Taken {
        attribute: "userName",
        detail: format!("userName `{}` is already taken", facts.user_name),
    }
}

pub(super) fn create(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    body: &Value,
) -> Result<Written, ServiceError> {
    let resource_type = resource_type(call)?;
    let accepted = validate::accept(
        resource_type,
        body.clone(),
        Context::Create,
        &scope.switches(),
    )?;
    rights::check_created(scope, resource_type, &accepted)?;
    let facts = UserFacts::of(&accepted.resource)?;
    let id = UserId::new();
    check_manager(db, scope, None, &accepted.resource)?;
    let learner = learners::for_new_account(db, scope, id, facts.learner())?;
    let doc = document::stored(resource_type, &accepted.resource);
    let row = NewUser {
        id,
        learner_id: learner.id,
        connection_id: scope.connection.as_ref().map(|connection| connection.id),
        user_name: facts.user_name.clone(),
        user_name_key: facts.user_name_key.clone(),
        external_id: facts.external_id.clone(),
        display_name_key: facts.display_name_key.clone(),
        active: facts.active,
        created_at: scope.now,
        doc: doc.clone(),
    };
    users::insert(db, scope.tenant, &row).map_err(|error| conflict(error, &facts))?;
    values::insert_all(db, scope.tenant, id, &facts.values)?;
    custom::add_values(db, scope, resource_type, id.0, &accepted.resource)?;
    counters::add(db, scope.tenant, "users", id.0, 1)?;
    let mut notes = accepted.notes;
    if !learner.returned {
        notes.extend(suggestions::look(
            db,
            scope,
            Known::new(&row, &facts.values),
        )?);
    }
    let row = UserRow {
        id,
        learner_id: learner.id,
        connection_id: row.connection_id,
        user_name: row.user_name,
        external_id: row.external_id,
        active: row.active,
        version: 1,
        created_at: scope.now,
        modified_at: scope.now,
        doc,
    };
    // an account just made is in no group yet
    let resource = shown_user::render_one(db, scope, call, &row, &[])?;
    Ok(Written {
        id: resource.id.clone(),
        version: resource.version,
        label: facts.user_name,
        external_id: facts.external_id,
        changed: true,
        members_added: 0,
        members_ended: 0,
        effects: learner.effects,
        notes,
        named: accepted.named,
        changes: json!({}),
        resource: Some(resource),
    })
}

/// N-03: a connection that says so sets a manager only who is a user here.
fn check_manager(
    db: &mut Db,
    scope: &Scope,
    before: Option<&Document>,
    after: &Document,
) -> Result<(), ServiceError> {
    let manager = |document: &Document| -> Option<String> {
        let manager = document
            .document()
            .get(document::ENTERPRISE)?
            .get("manager")?;
        Some(manager.get("value")?.as_str()?.to_owned())
    };
    let Some(value) = manager(after).filter(|_| !scope.switches().any_manager) else {
        return Ok(());
    };
    if before.and_then(manager).as_ref() == Some(&value) {
        return Ok(());
    }
    let found = match value.parse::<UserId>() {
        Ok(id) => users::find(db, scope.tenant, id)?,
        Err(_) => None,
    };
    if found.is_some() {
        return Ok(());
    }
    Err(ScimError::invalid_value(format!("manager.value: no user has the id `{value}`")).into())
}

fn conflict(error: StoreError, facts: &UserFacts) -> ServiceError {
    match error {
        StoreError::Conflict => taken(facts),
        other => other.into(),
    }
}

pub(super) fn get(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    id: UserId,
) -> Result<Resource, ServiceError> {
    let found = if call.parts.groups {
        users::find_with_groups(db, scope.tenant, id)?
    } else {
        users::find(db, scope.tenant, id)?.map(|row| (row, Vec::new()))
    };
    let (row, groups) = found.ok_or_else(|| ServiceError::not_found("User", id))?;
    shown_user::render_one(db, scope, call, &row, &groups)
}

pub(super) fn replace(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    id: UserId,
    body: &Value,
    expected: &IfMatch,
) -> Result<Written, ServiceError> {
    let held = locked(db, scope, call.parts, id, expected)?;
    let before = document::parse(&held.row.doc)?;
    let mut accepted = validate::accept(
        resource_type(call)?,
        body.clone(),
        Context::Replace { before: &before },
        &scope.switches(),
    )?;
    rights::kept(scope, resource_type(call)?, &before, &mut accepted);
    let mut written = store(
        db,
        scope,
        call,
        held,
        &before,
        &accepted.resource,
        accepted.notes,
    )?;
    written.named = accepted.named;
    Ok(written)
}

pub(super) fn patch(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    id: UserId,
    compiled: &CompiledPatch,
    expected: &IfMatch,
) -> Result<Written, ServiceError> {
    let held = locked(db, scope, call.parts, id, expected)?;
    let before = document::parse(&held.row.doc)?;
    let applied = patch::apply(compiled, &before, resource_type(call)?, &scope.switches())?;
    let mut written = store(
        db,
        scope,
        call,
        held,
        &before,
        &applied.resource,
        applied.notes,
    )?;
    written.named = compiled.named();
    Ok(written)
}

/// An account under its lock, and its groups where the answer shows them.
struct Held {
    row: UserRow,
    groups: Vec<GroupOfUser>,
}

fn locked(
    db: &mut Db,
    scope: &Scope,
    parts: Parts,
    id: UserId,
    expected: &IfMatch,
) -> Result<Held, ServiceError> {
    let found = if parts.groups {
        users::find_with_groups_for_update(db, scope.tenant, id)?
    } else {
        users::find_for_update(db, scope.tenant, id)?.map(|row| (row, Vec::new()))
    };
    let (row, groups) = found.ok_or_else(|| ServiceError::not_found("User", id))?;
    check_version(scope, expected, row.version)?;
    Ok(Held { row, groups })
}

/// Writes the new document where it differs from the old one; the same document changes nothing (D-29).
fn store(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    Held { mut row, groups }: Held,
    before: &Document,
    after: &Document,
    mut notes: Vec<crate::scim::message::Note>,
) -> Result<Written, ServiceError> {
    let changed = before != after;
    let mut effects = Effects::default();
    let mut changes = json!({});
    if changed {
        rights::check(scope, resource_type(call)?, before, after)?;
        check_manager(db, scope, Some(before), after)?;
        let facts = UserFacts::of(after)?;
        let old = UserFacts::of(before)?;
        changes = document::difference(before, after);
        row.doc = document::stored(resource_type(call)?, after);
        row.modified_at = next_modified(scope.now, row.modified_at);
        row.version += 1;
        row.user_name.clone_from(&facts.user_name);
        row.external_id.clone_from(&facts.external_id);
        row.active = facts.active;
        users::replace(
            db,
            scope.tenant,
            &row,
            &facts.user_name_key,
            facts.display_name_key.as_deref(),
        )
        .map_err(|error| conflict(error, &facts))?;
        custom::change_values(db, scope, resource_type(call)?, row.id.0, before, after)?;
        if facts.values != old.values {
            values::replace_all(db, scope.tenant, row.id, &facts.values)?;
        }
        if facts.values != old.values || facts.user_name_key != old.user_name_key {
            let known = Known::of(
                row.id,
                row.learner_id,
                row.connection_id,
                &facts.user_name_key,
                &facts.values,
            );
            notes.extend(suggestions::look(db, scope, known)?);
        }
        if facts.learner() != old.learner() {
            effects = learners::account_changed(db, scope, row.learner_id, facts.learner())?;
        }
    }
    let resource = shown_user::render_one(db, scope, call, &row, &groups)?;
    Ok(Written {
        id: resource.id.clone(),
        version: resource.version,
        label: resource.label.clone(),
        external_id: resource.external_id.clone(),
        changed,
        members_added: 0,
        members_ended: 0,
        effects,
        notes,
        named: Vec::new(),
        changes,
        resource: Some(resource),
    })
}

pub(super) fn delete(
    db: &mut Db,
    scope: &Scope,
    id: UserId,
    expected: &IfMatch,
) -> Result<Written, ServiceError> {
    let Held { row, .. } = locked(db, scope, Parts::default(), id, expected)?;
    let members_ended = end(db, scope, &row)?;
    Ok(Written {
        resource: None,
        id: id.to_string(),
        version: Version(0),
        label: row.user_name,
        external_id: row.external_id,
        changed: true,
        members_added: 0,
        members_ended,
        effects: Effects::default(),
        notes: Vec::new(),
        named: Vec::new(),
        changes: json!({}),
    })
}

/// Ends an account; the learner ends with their last (§8). Returns how many memberships ended.
fn end(db: &mut Db, scope: &Scope, row: &UserRow) -> Result<i64, ServiceError> {
    remembered::remember(db, scope.tenant, row.id)?;
    users::end(db, scope.tenant, row.id, scope.now)?;
    resource_values::remove_all(db, scope.tenant, row.id.0)?;
    counters::add(db, scope.tenant, "users", row.id.0, -1)?;
    let members_ended = learners::end_account(db, scope, row.id, row.learner_id)?;
    leave_without_manager(db, scope, row.id)?;
    Ok(members_ended)
}

/// Ends every live account of a learner, for an admin (§2.2). Errors: not found, also when they had ended.
pub fn end_learner(db: &mut Db, scope: &Scope, id: LearnerId) -> Result<i64, ServiceError> {
    let accounts = learners::live_accounts(db, scope, id)?;
    if accounts.is_empty() {
        return Err(ServiceError::not_found("Learner", id));
    }
    let mut ended = 0;
    for account in accounts {
        if let Some(row) = users::find_for_update(db, scope.tenant, account)? {
            ended += end(db, scope, &row)?;
        }
    }
    Ok(ended)
}

/// Unsets the reference of everybody whose manager is gone (DE-07); a change of their own document, so their version moves.
fn leave_without_manager(db: &mut Db, scope: &Scope, gone: UserId) -> Result<(), ServiceError> {
    let reports = values::holders(db, scope.tenant, placement::MANAGER, &gone.to_string())?;
    for mut row in users::find_all(db, scope.tenant, &reports)? {
        let before = document::parse(&row.doc)?;
        let after = document::without_manager(&before);
        let facts = UserFacts::of(&after)?;
        row.doc = document::stored_without_manager(&row.doc, &after);
        row.modified_at = next_modified(scope.now, row.modified_at);
        row.version += 1;
        users::replace(
            db,
            scope.tenant,
            &row,
            &facts.user_name_key,
            facts.display_name_key.as_deref(),
        )?;
        values::replace_all(db, scope.tenant, row.id, &facts.values)?;
    }
    Ok(())
}
