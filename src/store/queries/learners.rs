//! Learners and the accounts that name them (§2.2, §8).
//!
//! Not here: the SCIM document of an account (`queries::users`).

use std::collections::HashMap;

use crate::clock::Instant;
use crate::ids::{ConnectionId, GroupId, LearnerId, TenantId, UserId};
use crate::learning::learner::{Approval, Facts, RegisteredVia, Registration};
use crate::store::listing::{Found, Listing, Order, Paging};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::events::By;
use super::memberships::facts;

/// One learner, with one live account to show.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct LearnerRow {
    #[diesel(sql_type = SqlId)]
    pub id: LearnerId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    registration: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    approval: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    active: bool,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    suspended: bool,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub display_name: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub registered_via: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub approved_by: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub approved_at: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub deleted_at: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub version: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub created_at: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub modified_at: i64,
    /// Who has their accounts, if an administrator has said that the two are one person.
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub linked_to: Option<LearnerId>,
    /// When they were erased on request.
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub anonymized_at: Option<i64>,
    /// Why they must not be erased.
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub legal_hold: Option<String>,
}

impl LearnerRow {
    /// The three facts, and the end.
    #[must_use]
    pub fn facts(&self) -> Facts {
        facts(
            &self.registration,
            &self.approval,
            self.active,
            self.suspended,
            self.deleted_at.is_some(),
        )
    }
}

const LEARNER: &str = "SELECT l.id, l.registration, l.approval, l.active, l.suspended, l.display_name, l.email, l.registered_via, \
     l.approved_by, l.approved_at, l.deleted_at, l.version, l.created_at, l.modified_at, \
     (SELECT k.learner_id FROM learner_links k WHERE k.tenant_id = l.tenant_id AND k.linked_id = l.id AND k.ended_at IS NULL) AS linked_to, \
     l.anonymized_at, l.legal_hold \
     FROM learners l WHERE l.tenant_id = ?";

/// A learner before they are stored.
#[derive(Debug, Clone)]
pub struct NewLearner {
    pub registration: Registration,
    pub approval: Approval,
    pub active: bool,
    pub display_name: String,
    pub email: Option<String>,
    pub registered_via: RegisteredVia,
}

/// Inserts a learner.
pub fn insert(
    db: &mut Db,
    tenant: TenantId,
    id: LearnerId,
    new: &NewLearner,
    by: &By,
) -> Result<(), StoreError> {
    let approved = new.approval == Approval::Approved;
    db.execute(
        Stmt::new(
            "INSERT INTO learners (tenant_id, id, registration, approval, active, suspended, display_name, email, registered_via, \
             approved_by, approved_at, version, created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
        )
        .bind(tenant)
        .bind(id)
        .bind(new.registration.as_str())
        .bind(new.approval.as_str())
        .bind(new.active)
        .bind(false)
        .bind(new.display_name.as_str())
        .bind(new.email.clone())
        .bind(new.registered_via.as_str())
        .bind(approved.then(|| by.actor.clone()))
        .bind(approved.then_some(by.at))
        .bind(by.at)
        .bind(by.at),
    )
    .map(drop)
}

/// Finds a learner, ended ones included.
pub fn find(
    db: &mut Db,
    tenant: TenantId,
    id: LearnerId,
) -> Result<Option<LearnerRow>, StoreError> {
    db.optional(
        Stmt::new(format!("{LEARNER} AND l.id = ?"))
            .bind(tenant)
            .bind(id),
    )
}

/// Which of these learners there are, ended ones included.
pub fn known(
    db: &mut Db,
    tenant: TenantId,
    learners: &[LearnerId],
) -> Result<Vec<LearnerId>, StoreError> {
    Ok(names(db, tenant, learners)?.into_keys().collect())
}

#[derive(diesel::QueryableByName)]
struct Named {
    #[diesel(sql_type = SqlId)]
    id: LearnerId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    display_name: String,
}

/// What these learners are called, ended ones included.
pub fn names(
    db: &mut Db,
    tenant: TenantId,
    learners: &[LearnerId],
) -> Result<HashMap<LearnerId, String>, StoreError> {
    let mut found = HashMap::with_capacity(learners.len());
    for chunk in learners.chunks(super::memberships::CHUNK) {
        let ids = super::memberships::padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT id, display_name FROM learners WHERE tenant_id = ? AND id IN ({})",
            marks(ids.len())
        ))
        .bind(tenant)
        .binds(ids);
        found.extend(
            db.load::<Named>(stmt)?
                .into_iter()
                .map(|row| (row.id, row.display_name)),
        );
    }
    Ok(found)
}

/// Finds a learner and locks them. `FOR UPDATE` also makes new memberships of theirs wait, which refer to the row.
pub fn find_for_update(
    db: &mut Db,
    tenant: TenantId,
    id: LearnerId,
) -> Result<Option<LearnerRow>, StoreError> {
    let lock = db.dialect().for_update;
    db.optional(
        Stmt::new(format!("{LEARNER} AND l.id = ? {lock}"))
            .bind(tenant)
            .bind(id),
    )
}

/// Locks learners, a thousand at most, and every group they are in, in the one global order: groups, then learners.
///
/// Somebody may let them into another group between the two. Then everything is let go and locked anew, for a group
/// must not be waited for while a learner is held. When this returns, nobody can change what these groups owe.
pub fn lock(db: &mut Db, tenant: TenantId, ids: &[LearnerId]) -> Result<(), StoreError> {
    /// Why the savepoint is taken back.
    enum Not {
        All,
        Failed(StoreError),
    }
    impl From<StoreError> for Not {
        fn from(error: StoreError) -> Self {
            Self::Failed(error)
        }
    }
    let for_update = db.dialect().for_update;
    if for_update.is_empty() {
        return Ok(());
    }
    let binds = super::memberships::padded(ids);
    let locked = Stmt::new(format!(
        "SELECT l.version AS n FROM learners l WHERE l.tenant_id = ? AND l.id IN ({}) ORDER BY l.id {for_update}",
        crate::store::statement::marks(binds.len())
    ))
    .bind(tenant)
    .binds(binds);
    loop {
        let all = db.savepoint(|db| {
            let before = groups(db, tenant, ids)?;
            super::groups_learning::lock(db, tenant, &before)?;
            db.load::<crate::store::db::Number>(locked.clone())?;
            let after = groups(db, tenant, ids)?;
            if after
                .iter()
                .all(|group| before.binary_search(group).is_ok())
            {
                Ok(())
            } else {
                Err(Not::All)
            }
        });
        match all {
            Err(Not::All) => {}
            Err(Not::Failed(error)) => return Err(error),
            Ok(()) => return Ok(()),
        }
    }
}

/// The groups these learners are in, in the one global order of locks.
fn groups(db: &mut Db, tenant: TenantId, ids: &[LearnerId]) -> Result<Vec<GroupId>, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Group {
        #[diesel(sql_type = SqlId)]
        id: GroupId,
    }
    let binds = super::memberships::padded(ids);
    let stmt = Stmt::new(format!(
        "SELECT DISTINCT m.group_id AS id FROM memberships m WHERE m.tenant_id = ? AND m.learner_id IN ({}) AND m.ended_at IS NULL \
         ORDER BY m.group_id",
        crate::store::statement::marks(binds.len())
    ));
    let rows: Vec<Group> = db.load(stmt.bind(tenant).binds(binds))?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Keeps what the facts of learners were until now, for whoever asks about the past; `condition` narrows `l`.
pub(super) fn end_periods(
    db: &mut Db,
    condition: &str,
    binds: Vec<Bind<'static>>,
    at: Instant,
) -> Result<(), StoreError> {
    const BEFORE: &str =
        "FROM learner_periods p WHERE p.tenant_id = l.tenant_id AND p.learner_id = l.id";
    let began = format!("COALESCE((SELECT max(p.ended_at) {BEFORE}), l.created_at)");
    // A change may have waited for one that came later: no period ends before it began, nor before what was written in it.
    let latest = db.dialect().latest;
    let last = "COALESCE((SELECT max(r.recorded_at) FROM enrollment_reasons r WHERE r.tenant_id = l.tenant_id AND r.learner_id = l.id), 0)";
    db.execute(
        Stmt::new(format!(
            "INSERT INTO learner_periods (tenant_id, learner_id, ended_at, began_at, initial, registration, approval, active, suspended, deleted) \
             SELECT l.tenant_id, l.id, {latest}(?, {began}, {last}), {began}, NOT EXISTS (SELECT 1 {BEFORE}), \
             l.registration, l.approval, l.active, l.suspended, (l.deleted_at IS NOT NULL) FROM learners l WHERE {condition} \
             ON CONFLICT (tenant_id, learner_id, ended_at) DO NOTHING"
        ))
        .bind(at)
        .binds(binds),
    )
    .map(drop)
}

/// Writes the facts of a learner and keeps what they were. `approved` says who approved and when, as it is to stand from now on.
pub fn update_facts(
    db: &mut Db,
    tenant: TenantId,
    id: LearnerId,
    facts: Facts,
    approved: Option<(&str, Instant)>,
    at: Instant,
) -> Result<(), StoreError> {
    end_periods(
        db,
        "l.tenant_id = ? AND l.id = ?",
        vec![tenant.into(), id.into()],
        at,
    )?;
    let latest = db.dialect().latest;
    db.execute(
        Stmt::new(format!(
            "UPDATE learners SET registration = ?, approval = ?, active = ?, suspended = ?, approved_by = ?, approved_at = ?, \
             deleted_at = CASE WHEN ? THEN COALESCE(deleted_at, ?) END, version = version + 1, modified_at = {latest}(?, modified_at) \
             WHERE tenant_id = ? AND id = ?",
        ))
        .bind(facts.registration.as_str())
        .bind(facts.approval.as_str())
        .bind(facts.active)
        .bind(facts.suspended)
        .bind(approved.map(|(by, _)| by))
        .bind(approved.map(|(_, at)| at))
        .bind(facts.deleted)
        .bind(at)
        .bind(at)
        .bind(tenant)
        .bind(id),
    )
    .map(drop)
}

/// Writes how a learner is called; nothing else of theirs.
pub fn update_name(
    db: &mut Db,
    tenant: TenantId,
    id: LearnerId,
    name: &str,
    email: Option<&str>,
    at: Instant,
) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("UPDATE learners SET display_name = ?, email = ?, version = version + 1, modified_at = ? WHERE tenant_id = ? AND id = ?")
            .bind(name)
            .bind(email)
            .bind(at)
            .bind(tenant)
            .bind(id),
    )
    .map(drop)
}

/// Writes why a learner must not be erased, or that nothing stands against it.
pub fn set_legal_hold(
    db: &mut Db,
    tenant: TenantId,
    id: LearnerId,
    why: Option<&str>,
    at: Instant,
) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("UPDATE learners SET legal_hold = ?, version = version + 1, modified_at = ? WHERE tenant_id = ? AND id = ?")
            .bind(why)
            .bind(at)
            .bind(tenant)
            .bind(id),
    )
    .map(drop)
}

#[derive(diesel::QueryableByName)]
struct One {
    #[diesel(sql_type = SqlId)]
    id: LearnerId,
}

/// Some learners who wait for approval, behind `after`; of one connection's accounts, or all.
pub fn pending(
    db: &mut Db,
    tenant: TenantId,
    connection: Option<ConnectionId>,
    after: LearnerId,
    limit: i64,
) -> Result<Vec<LearnerId>, StoreError> {
    let mut sql = "SELECT l.id FROM learners l WHERE l.tenant_id = ? AND l.approval = 'pending' AND l.deleted_at IS NULL AND l.id > ?"
        .to_owned();
    if connection.is_some() {
        sql.push_str(
            " AND EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = l.tenant_id AND u.learner_id = l.id AND u.connection_id = ?)",
        );
    }
    sql.push_str(" ORDER BY l.id LIMIT ?");
    let mut stmt = Stmt::new(sql).bind(tenant).bind(after);
    if let Some(connection) = connection {
        stmt = stmt.bind(connection);
    }
    let rows: Vec<One> = db.load(stmt.bind(limit))?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Which of these learners have not ended.
pub fn live(
    db: &mut Db,
    tenant: TenantId,
    ids: &[LearnerId],
) -> Result<std::collections::HashSet<LearnerId>, StoreError> {
    let mut found = std::collections::HashSet::with_capacity(ids.len());
    for chunk in ids.chunks(super::memberships::CHUNK) {
        let binds = super::memberships::padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT l.id FROM learners l WHERE l.tenant_id = ? AND l.id IN ({}) AND l.deleted_at IS NULL",
            crate::store::statement::marks(binds.len())
        ));
        let rows: Vec<One> = db.load(stmt.bind(tenant).binds(binds))?;
        found.extend(rows.into_iter().map(|row| row.id));
    }
    Ok(found)
}

/// Approves those of these learners who have not ended and are not approved yet, with an event each; returns them.
///
/// Locked in the one global order: their groups first, then the rows.
pub fn approve_all(
    db: &mut Db,
    tenant: TenantId,
    ids: &[LearnerId],
    by: &By,
) -> Result<Vec<LearnerId>, StoreError> {
    let mut approved = Vec::new();
    for chunk in ids.chunks(super::memberships::CHUNK) {
        lock(db, tenant, chunk)?;
        let binds = super::memberships::padded(chunk);
        let marks = crate::store::statement::marks(binds.len());
        let latest = db.dialect().latest;
        let event = Stmt::new(format!(
            "INSERT INTO events (tenant_id, id, at, actor, request_id, entity, entity_id, event_type, data) \
             SELECT l.tenant_id, {new_id}, ?, ?, ?, 'learner', l.id, 'learner.approved', \
             '{{\"before\":\"' || l.approval || '\",\"after\":\"approved\"}}' \
             FROM learners l WHERE l.tenant_id = ? AND l.id IN ({marks}) AND l.approval <> 'approved' AND l.deleted_at IS NULL",
            new_id = db.dialect().new_id,
        ));
        db.execute(
            event
                .bind(by.at)
                .bind(by.actor.as_str())
                .bind(by.request)
                .bind(tenant)
                .binds(binds.clone()),
        )?;
        end_periods(
            db,
            &format!(
                "l.tenant_id = ? AND l.id IN ({marks}) AND l.approval <> 'approved' AND l.deleted_at IS NULL"
            ),
            std::iter::once(tenant.into())
                .chain(binds.clone())
                .collect(),
            by.at,
        )?;
        let update = Stmt::new(format!(
            "UPDATE learners SET approval = 'approved', approved_by = ?, approved_at = ?, version = version + 1, \
             modified_at = {latest}(?, modified_at) \
             WHERE tenant_id = ? AND id IN ({marks}) AND approval <> 'approved' AND deleted_at IS NULL RETURNING id"
        ));
        let rows: Vec<One> = db.load(
            update
                .bind(by.actor.as_str())
                .bind(by.at)
                .bind(by.at)
                .bind(tenant)
                .binds(binds),
        )?;
        approved.extend(rows.into_iter().map(|row| row.id));
    }
    Ok(approved)
}

/// What a list of learners is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct LearnerFilter {
    /// One of these; empty: any.
    pub approvals: Vec<Approval>,
    pub active: Option<bool>,
    pub include_deleted: bool,
    /// Part of the display name, exactly as written.
    pub name_part: Option<String>,
    pub updated_since: Option<Instant>,
}

/// What a list of learners is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LearnerOrder {
    /// Their id, which tells when they came.
    #[default]
    Created,
    Updated,
}

/// A page of learners.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    filter: &LearnerFilter,
    (order, down): (LearnerOrder, bool),
    paging: &Paging,
) -> Result<Found<LearnerRow>, StoreError> {
    let mut list = Listing::of(LEARNER, vec![tenant.into()]);
    match filter.approvals.as_slice() {
        // The text stands in the statement so that its partial index serves it.
        [Approval::Pending] => list.fixed("l.approval = 'pending'"),
        several => {
            let texts: Vec<&str> = several.iter().map(|one| one.as_str()).collect();
            list.and_one_of("l.approval", &texts);
        }
    }
    match filter.active {
        Some(true) => list.fixed("l.active"),
        Some(false) => list.fixed("NOT l.active"),
        None => {}
    }
    if !filter.include_deleted {
        list.fixed("l.deleted_at IS NULL");
    }
    list.and_contains(db.dialect(), "l.display_name", filter.name_part.as_deref());
    list.and_some("l.modified_at >= ?", filter.updated_since);
    let order = match order {
        LearnerOrder::Created => Order::id("l.id"),
        LearnerOrder::Updated => Order::number("l.modified_at", "l.id"),
    };
    list.find(db, order.down(down), paging)
}

/// An account of a learner, as far as the domain needs it.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct AccountRow {
    #[diesel(sql_type = SqlId)]
    pub id: UserId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub user_name: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub external_id: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Bool>)]
    pub active: Option<bool>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub deleted_at: Option<i64>,
}

const ACCOUNT: &str = "SELECT id, learner_id, user_name, external_id, active, deleted_at FROM users WHERE tenant_id = ?";

/// The accounts of a learner, ended ones last.
pub fn accounts(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
) -> Result<Vec<AccountRow>, StoreError> {
    let mut rows: Vec<AccountRow> = db.load(
        Stmt::new(format!("{ACCOUNT} AND learner_id = ? ORDER BY id"))
            .bind(tenant)
            .bind(learner),
    )?;
    rows.sort_by_key(|row| row.deleted_at.is_some());
    Ok(rows)
}

/// One account, ended or not.
pub fn account(
    db: &mut Db,
    tenant: TenantId,
    id: UserId,
) -> Result<Option<AccountRow>, StoreError> {
    db.optional(
        Stmt::new(format!("{ACCOUNT} AND id = ?"))
            .bind(tenant)
            .bind(id),
    )
}

/// The learner of the account that ended last on this connection with this externalId (§8): who comes back.
pub fn ended_with_external_id(
    db: &mut Db,
    tenant: TenantId,
    connection: ConnectionId,
    external_id: &str,
) -> Result<Option<LearnerId>, StoreError> {
    let row: Option<AccountRow> = db.optional(
        Stmt::new(format!(
            "{ACCOUNT} AND external_id = ? AND connection_id = ? AND deleted_at IS NOT NULL ORDER BY deleted_at DESC, id DESC LIMIT 1"
        ))
        .bind(tenant)
        .bind(external_id)
        .bind(connection),
    )?;
    Ok(row.map(|row| row.learner_id))
}
