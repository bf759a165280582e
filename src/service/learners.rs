//! Learners: the person behind accounts; approval, activity, coming back and leaving (§2.2, §4.4, §4.5, §8).
//!
//! The directory calls [`for_new_account`], [`account_changed`] and [`end_account`] around its writes of `users`.
//! No account is ever adopted by a label; only the externalId of an *ended* account of the same connection ties.

use serde_json::json;

use crate::ids::{LearnerId, UserId};
use crate::learning::course::line;
use crate::learning::error::LearningError;
use crate::learning::event::{Entity, Event, EventType};
use crate::learning::learner::{
    Approval, Facts, RegisteredVia, Registration, approval_at_creation,
};
use crate::learning::membership::EndCause;
use crate::learning::settings::ApprovalPolicy;
use crate::store::Db;
use crate::store::listing::{Found, Paging};
use crate::store::queries::learners::{self as rows, AccountRow, NewLearner};
pub use crate::store::queries::learners::{LearnerFilter, LearnerOrder, LearnerRow};
use crate::store::queries::links::{self, LinkRow};
use crate::store::queries::member_pages::{self, MemberRow};
use crate::store::queries::memberships::{self, Which};
use crate::store::queries::{events, groups_learning};

use super::directory::bindings::LearnerFacts;
use super::enroll::{self, Effects, EnrollScope, by};
use super::obligations::Narrow;
use super::{Actor, Scope, ServiceError, cycles};

/// The learner of an account that is being created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountLearner {
    pub id: LearnerId,
    /// The person has been here before.
    pub returned: bool,
    pub effects: Effects,
}

/// Finds or makes the learner of a new account, before the account is stored.
pub fn for_new_account(
    db: &mut Db,
    scope: &Scope,
    user: UserId,
    facts: LearnerFacts,
) -> Result<AccountLearner, ServiceError> {
    let Admission {
        registration,
        approves,
    } = admission(db, scope)?;
    let back = match (&scope.connection, &facts.external_id) {
        (Some(connection), Some(external_id)) => {
            rows::ended_with_external_id(db, scope.tenant, connection.id, external_id)?
        }
        _ => None,
    };
    if let Some(id) = back
        && let Some(row) = rows::find_for_update(db, scope.tenant, id)?
    {
        let effects = come_back(db, scope, &row, user, &facts, (registration, approves))?;
        return Ok(AccountLearner {
            id,
            returned: true,
            effects,
        });
    }
    let id = LearnerId::new();
    let new = NewLearner {
        registration,
        approval: approval_at_creation(approves),
        active: facts.active,
        display_name: facts.display_name,
        email: facts.email,
        registered_via: match scope.actor {
            Actor::Scim { .. } => RegisteredVia::Scim,
            Actor::Api { .. } => RegisteredVia::Rest,
            Actor::System(_) => RegisteredVia::Import,
        },
    };
    rows::insert(db, scope.tenant, id, &new, &by(scope))?;
    Ok(AccountLearner {
        id,
        returned: false,
        effects: Effects::default(),
    })
}

/// What coming this way counts for (§2.1): a directory's account by its connection and the tenant's settings, one that a
/// person makes by hand as their word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Admission {
    registration: Registration,
    approves: bool,
}

fn admission(db: &mut Db, scope: &Scope) -> Result<Admission, ServiceError> {
    if !matches!(scope.actor, Actor::Scim { .. }) {
        return Ok(Admission {
            registration: Registration::Registered,
            approves: true,
        });
    }
    let settings = super::obligations::settings(db, scope.tenant)?;
    let told = scope.connection.as_ref().and_then(|one| one.approves);
    Ok(Admission {
        registration: if settings.scim.registers {
            Registration::Registered
        } else {
            Registration::Invited
        },
        approves: told.unwrap_or(settings.approval.scim == ApprovalPolicy::Auto),
    })
}

/// The same person with a new account. A rejected learner stays rejected.
fn come_back(
    db: &mut Db,
    scope: &Scope,
    row: &LearnerRow,
    user: UserId,
    account: &LearnerFacts,
    (registration, approves): (Registration, bool),
) -> Result<Effects, ServiceError> {
    let before = row.facts();
    let approval = if before.approval == Approval::Pending {
        approval_at_creation(approves)
    } else {
        before.approval
    };
    let others = rows::accounts(db, scope.tenant, row.id)?;
    let after = Facts {
        // Unchanged, or registered now (§2.2).
        registration: if before.registration == Registration::Registered {
            before.registration
        } else {
            registration
        },
        approval,
        active: account.active || any_active(&others),
        deleted: false,
        ..before
    };
    write(db, scope, row, after)?;
    rows::update_name(
        db,
        scope.tenant,
        row.id,
        &account.display_name,
        account.email.as_deref(),
        scope.now,
    )?;
    event(
        db,
        scope,
        row.id,
        EventType::LearnerReturned,
        json!({"user_id": user}),
    )?;
    catch_up(db, scope, row.id)
}

/// What a learner is owed who may take part again: enrollments, and cycles for what has come up meanwhile (4.4, 4.5).
fn catch_up(db: &mut Db, scope: &Scope, id: LearnerId) -> Result<Effects, ServiceError> {
    let mut effects = enroll::enroll(db, scope, &EnrollScope::Learner(id))?;
    effects.cycles += cycles::open_due(db, scope.tenant, &Narrow::Learner(id), &by(scope))?;
    Ok(effects)
}

pub(super) fn any_active(accounts: &[AccountRow]) -> bool {
    accounts
        .iter()
        .any(|account| account.deleted_at.is_none() && account.active == Some(true))
}

/// Writes facts; keeps who approved while the approval stands.
pub(super) fn write(
    db: &mut Db,
    scope: &Scope,
    row: &LearnerRow,
    after: Facts,
) -> Result<(), ServiceError> {
    let actor = scope.actor.to_string();
    let approved = match (row.facts().approval, after.approval) {
        (Approval::Approved, Approval::Approved) => row
            .approved_by
            .as_deref()
            .zip(row.approved_at.map(crate::clock::Instant)),
        (_, Approval::Approved) => Some((actor.as_str(), scope.now)),
        _ => None,
    };
    Ok(rows::update_facts(
        db,
        scope.tenant,
        row.id,
        after,
        approved,
        scope.now,
    )?)
}

pub(super) fn event(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
    event_type: EventType,
    data: serde_json::Value,
) -> Result<(), ServiceError> {
    let event = Event {
        entity: Entity::Learner,
        entity_id: id.0,
        event_type,
        data,
    };
    Ok(events::insert(db, scope.tenant, &by(scope), &event)?)
}

/// Locks a learner in the one global order: their groups first, then the row. Nobody can join them to a group meanwhile.
fn locked(db: &mut Db, scope: &Scope, id: LearnerId) -> Result<LearnerRow, ServiceError> {
    rows::lock(db, scope.tenant, &[id])?;
    rows::find(db, scope.tenant, id)?.ok_or_else(|| ServiceError::not_found("Learner", id))
}

/// Takes over what a changed account tells about its learner, after the account is stored. Reactivation enrolls (4.5).
pub fn account_changed(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
    account: LearnerFacts,
) -> Result<Effects, ServiceError> {
    let row = locked(db, scope, id)?;
    if row.display_name != account.display_name || row.email != account.email {
        rows::update_name(
            db,
            scope.tenant,
            id,
            &account.display_name,
            account.email.as_deref(),
            scope.now,
        )?;
    }
    let active = account.active || any_active(&rows::accounts(db, scope.tenant, id)?);
    set_active(db, scope, &row, active)
}

/// Writes whether a learner is active; becoming active enrolls what was owed meanwhile.
fn set_active(
    db: &mut Db,
    scope: &Scope,
    row: &LearnerRow,
    active: bool,
) -> Result<Effects, ServiceError> {
    let before = row.facts();
    if before.active == active {
        return Ok(Effects::default());
    }
    write(db, scope, row, Facts { active, ..before })?;
    if active {
        event(db, scope, row.id, EventType::LearnerActivated, json!({}))?;
        catch_up(db, scope, row.id)
    } else {
        event(db, scope, row.id, EventType::LearnerDeactivated, json!({}))?;
        Ok(Effects::default())
    }
}

/// Follows the end of an account, after `users` says so (§8); returns how many memberships ended.
///
/// The learner ends with their last live account; another live account takes over the memberships.
pub fn end_account(
    db: &mut Db,
    scope: &Scope,
    user: UserId,
    id: LearnerId,
) -> Result<i64, ServiceError> {
    let row = locked(db, scope, id)?;
    let others: Vec<AccountRow> = rows::accounts(db, scope.tenant, id)?
        .into_iter()
        .filter(|account| account.id != user && account.deleted_at.is_none())
        .collect();
    if let Some(other) = others.first() {
        memberships::change_account(db, scope.tenant, user, other.id)?;
        set_active(db, scope, &row, any_active(&others))?;
        return Ok(0);
    }
    groups_learning::touch_of_learner(db, scope.tenant, id, scope.now)?;
    let ended = memberships::end(
        db,
        scope.tenant,
        Which::Learner(id),
        EndCause::UserDeleted,
        &by(scope),
    )?
    .count;
    write(
        db,
        scope,
        &row,
        Facts {
            deleted: true,
            ..row.facts()
        },
    )?;
    event(
        db,
        scope,
        id,
        EventType::LearnerEnded,
        json!({"user_id": user, "memberships": ended}),
    )?;
    Ok(ended)
}

/// Approves a learner: every waiting membership takes effect (4.4). Approving twice changes nothing.
pub fn approve(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
) -> Result<(LearnerRow, Effects), ServiceError> {
    decide(db, scope, id, Approval::Approved)
}

/// Rejects a learner. Memberships and enrollments stay; nothing new is owed (§5.7, §7.27).
pub fn reject(db: &mut Db, scope: &Scope, id: LearnerId) -> Result<LearnerRow, ServiceError> {
    decide(db, scope, id, Approval::Rejected).map(|(row, _)| row)
}

/// Takes an approval back: memberships wait again, enrollments stay (§7.27).
pub fn revoke(db: &mut Db, scope: &Scope, id: LearnerId) -> Result<LearnerRow, ServiceError> {
    decide(db, scope, id, Approval::Pending).map(|(row, _)| row)
}

/// The person has registered: whatever waited for that takes effect (4.4).
pub fn register(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
) -> Result<(LearnerRow, Effects), ServiceError> {
    let registered = |facts: Facts| Facts {
        registration: Registration::Registered,
        ..facts
    };
    change(db, scope, id, EventType::LearnerRegistered, registered)
}

/// Suspends a learner, whatever the directory says, or ends that; SCIM never lifts it.
pub fn suspend(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
    suspended: bool,
) -> Result<(LearnerRow, Effects), ServiceError> {
    let event_type = if suspended {
        EventType::LearnerSuspended
    } else {
        EventType::LearnerUnsuspended
    };
    change(db, scope, id, event_type, |facts| Facts {
        suspended,
        ..facts
    })
}

/// Says why a learner must not be erased, or lifts that; also of somebody who has left (7.25).
pub fn hold(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
    why: Option<&str>,
) -> Result<LearnerRow, ServiceError> {
    let why = why.map(|why| line("legal_hold", why, 500)).transpose()?;
    let row = locked(db, scope, id)?;
    if row.anonymized_at.is_some() {
        return Err(LearningError::Erased.into());
    }
    if row.legal_hold != why {
        rows::set_legal_hold(db, scope.tenant, id, why.as_deref(), scope.now)?;
        let told = json!({"before": row.legal_hold, "after": why});
        event(db, scope, id, EventType::LegalHoldChanged, told)?;
    }
    find(db, scope, id)
}

/// Writes other facts of a learner who is there; who may take part by it catches up.
fn change(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
    event_type: EventType,
    to: impl FnOnce(Facts) -> Facts,
) -> Result<(LearnerRow, Effects), ServiceError> {
    let row = locked(db, scope, id)?;
    let before = row.facts();
    if before.deleted {
        return Err(ServiceError::not_found("Learner", id));
    }
    let after = to(before);
    let mut effects = Effects::default();
    if after != before {
        write(db, scope, &row, after)?;
        event(db, scope, id, event_type, json!({}))?;
        if after.enrollable() && !before.enrollable() {
            effects = catch_up(db, scope, id)?;
        }
    }
    Ok((find(db, scope, id)?, effects))
}

fn decide(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
    approval: Approval,
) -> Result<(LearnerRow, Effects), ServiceError> {
    let row = locked(db, scope, id)?;
    let before = row.facts();
    if before.deleted {
        return Err(ServiceError::not_found("Learner", id));
    }
    let mut effects = Effects::default();
    if before.approval != approval {
        write(db, scope, &row, Facts { approval, ..before })?;
        let event_type = match approval {
            Approval::Approved => EventType::LearnerApproved,
            Approval::Rejected => EventType::LearnerRejected,
            Approval::Pending => EventType::LearnerRevoked,
        };
        event(
            db,
            scope,
            id,
            event_type,
            json!({"before": before.approval.as_str(), "after": approval.as_str()}),
        )?;
        if approval == Approval::Approved {
            effects = catch_up(db, scope, id)?;
        }
    }
    Ok((find(db, scope, id)?, effects))
}

/// The accounts of a learner that have not ended.
pub fn live_accounts(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
) -> Result<Vec<UserId>, ServiceError> {
    let accounts = rows::accounts(db, scope.tenant, id)?;
    let live = accounts.iter().filter(|one| one.deleted_at.is_none());
    Ok(live.map(|one| one.id).collect())
}

/// Reads a learner, ended ones included.
pub fn find(db: &mut Db, scope: &Scope, id: LearnerId) -> Result<LearnerRow, ServiceError> {
    rows::find(db, scope.tenant, id)?.ok_or_else(|| ServiceError::not_found("Learner", id))
}

/// A learner with accounts and groups.
#[derive(Clone, Debug)]
pub struct LearnerView {
    pub row: LearnerRow,
    pub accounts: Vec<AccountRow>,
    /// Whose accounts they have, too.
    pub links: Vec<LinkRow>,
    pub memberships: Vec<MemberRow>,
}

/// Reads a learner with accounts and groups.
pub fn view(db: &mut Db, scope: &Scope, id: LearnerId) -> Result<LearnerView, ServiceError> {
    let row = find(db, scope, id)?;
    let accounts = rows::accounts(db, scope.tenant, id)?;
    let links = links::of_learner(db, scope.tenant, id)?;
    let memberships = member_pages::of_learner(db, scope.tenant, id)?;
    Ok(LearnerView {
        row,
        accounts,
        links,
        memberships,
    })
}

/// One page of learners by id.
pub fn list(
    db: &mut Db,
    scope: &Scope,
    filter: &LearnerFilter,
    order: (LearnerOrder, bool),
    paging: &Paging,
) -> Result<Found<LearnerRow>, ServiceError> {
    Ok(rows::page(db, scope.tenant, filter, order, paging)?)
}
