//! The ground everything is measured on: accounts by the hundred thousand and groups of given sizes, made in sets.

use rollcall::ids::{ConnectionId, GroupId, RequestId, TenantId, UserId};
use rollcall::service::{Scope, ServiceError, groups};
use rollcall::store::listing::Paging;
use rollcall::store::queries::memberships::Added;
use rollcall::store::queries::{counters, groups_learning};
use rollcall::store::statement::Stmt;
use rollcall::store::{Db, StoreError};

use crate::server::Bench;

/// How many accounts one transaction makes.
const CHUNK: usize = 10_000;
/// How many accounts are in no group, at least: those to be added.
const SPARE: usize = 100_000;

/// What is there.
pub struct Ground {
    pub accounts: usize,
    /// Each with the size it was made with.
    pub groups: Vec<(usize, GroupId)>,
    /// Accounts that are in no group.
    pub spare: Vec<UserId>,
}

/// Makes accounts, at least so many, and groups. The members of every group are the first accounts.
pub fn ground(bench: &Bench, sizes: &[usize], users: usize) -> anyhow::Result<Ground> {
    let largest = sizes.last().copied().unwrap_or(0);
    let chunks = (largest + SPARE).max(users).div_ceil(CHUNK);
    let scope = bench.scope();
    let tenant = scope.tenant;
    let there = bench
        .store
        .read_blocking(move |db| counters::sum(db, tenant, "users"))?;
    let there = usize::try_from(there).unwrap_or(0) / CHUNK;
    for chunk in there..chunks {
        let scope = scope.clone();
        bench
            .store
            .write_blocking("bench accounts", move |db| accounts(db, &scope, chunk))?;
    }
    if there < chunks {
        bench
            .store
            .write_blocking("bench statistics", |db| match db {
                Db::Postgres(..) => db.batch("ANALYZE"),
                Db::Sqlite(..) => Ok(()),
            })?;
    }
    let mut made = Vec::new();
    for size in sizes.iter().copied() {
        let scope = scope.clone();
        let named = groups_learning::GroupFilter {
            name_part: Some(name_of(size).to_lowercase()),
            ..Default::default()
        };
        let kept = bench.store.read_blocking(move |db| {
            let by_name = (groups_learning::GroupOrder::Name, false);
            groups_learning::page(db, tenant, &named, by_name, &Paging::first(1))
        })?;
        if let Some(group) = kept.rows.first() {
            made.push((size, group.id));
            continue;
        }
        let group = bench.store.write_blocking("bench group", move |db| {
            let fields = groups::GroupFields {
                name: Some(name_of(size)),
                ..Default::default()
            };
            groups::create(
                db,
                &scope,
                &fields,
                rollcall::learning::group::Origin::Console,
            )
            .map(|row| row.id)
        })?;
        for chunk in 0..size.div_ceil(CHUNK) {
            let (scope, count) = (bench.scope(), CHUNK.min(size - chunk * CHUNK));
            bench.store.write_blocking("bench members", move |db| {
                members(db, &scope, group, chunk, count)
            })?;
        }
        made.push((size, group));
    }
    let spare = bench
        .store
        .read_blocking(move |db| spare(db, scope.tenant, largest.div_ceil(CHUNK)))?;
    Ok(Ground {
        accounts: chunks * CHUNK,
        groups: made,
        spare,
    })
}

/// A group of so many learners who wait for approval: taken from the last accounts, afresh each time.
pub fn waiting(bench: &Bench, count: usize) -> anyhow::Result<GroupId> {
    let scope = bench.scope();
    let group = bench.store.write_blocking("bench pending", move |db| {
        let fields = groups::GroupFields {
            name: Some(format!("Waiting {}", scope.request)),
            ..Default::default()
        };
        let origin = rollcall::learning::group::Origin::Console;
        let group = groups::create(db, &scope, &fields, origin)?.id;
        let users = counters::sum(db, scope.tenant, "users")?;
        let last = usize::try_from(users).unwrap_or(0) / CHUNK;
        let last = (0..last).rev().find_map(|chunk| {
            let found = spare(db, scope.tenant, chunk).ok()?;
            (found.len() >= count).then_some(chunk)
        });
        members(db, &scope, group, last.unwrap_or(0), count)?;
        db.execute(
            Stmt::new(
                "UPDATE learners SET approval = 'pending', approved_by = NULL, approved_at = NULL WHERE tenant_id = ? AND id IN \
                 (SELECT m.learner_id FROM memberships m WHERE m.tenant_id = ? AND m.group_id = ? AND m.ended_at IS NULL)",
            )
            .bind(scope.tenant)
            .bind(scope.tenant)
            .bind(group),
        )?;
        Ok::<_, ServiceError>(group)
    })?;
    Ok(group)
}

fn name_of(size: usize) -> String {
    format!("Everybody of {size}")
}

/// When the first account was made. Each was last modified a second after the one before it; one in a hundred is inactive.
pub const FIRST: i64 = 1_700_000_000_000;

/// The chunk stands in `created_at`, so that it can be found again by an index.
fn created_at(chunk: usize) -> i64 {
    FIRST + i64::try_from(chunk).unwrap_or(0)
}

fn accounts(db: &mut Db, scope: &Scope, chunk: usize) -> Result<(), ServiceError> {
    let new_id = db.dialect().new_id;
    let (at, first) = (created_at(chunk), i64::try_from(chunk * CHUNK).unwrap_or(0));
    let learners = Stmt::new(format!(
        "INSERT INTO learners (tenant_id, id, registration, approval, active, suspended, display_name, email, registered_via, \
         approved_by, approved_at, version, created_at, modified_at) \
         WITH RECURSIVE n(i) AS (SELECT CAST(? AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
         SELECT ?, {new_id}, 'registered', 'approved', TRUE, FALSE, 'Bulk User ' || CAST(i AS TEXT), \
         'bulk' || CAST(i AS TEXT) || '@example.com', 'scim', 'bench', 1, 1, CAST(? AS BIGINT), CAST(? AS BIGINT) FROM n"
    ));
    let last = first + i64::try_from(CHUNK).unwrap_or(0) - 1;
    db.execute(
        learners
            .bind(first)
            .bind(last)
            .bind(scope.tenant)
            .bind(at)
            .bind(at),
    )?;
    let number = "CAST(substr(l.display_name, 11) AS BIGINT)";
    let connection: Option<ConnectionId> =
        scope.connection.as_ref().map(|connection| connection.id);
    let users = Stmt::new(format!(
        "INSERT INTO users (tenant_id, id, learner_id, connection_id, user_name, user_name_key, external_id, display_name_key, \
         active, version, created_at, modified_at, doc) \
         SELECT l.tenant_id, {new_id}, l.id, ?, l.email, l.email, l.email, lower(l.display_name), \
         {number} % 100 > 0, 1, l.created_at, {FIRST} + 1000 * {number}, \
         '{{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"' || l.email || \
         '\",\"name\":{{\"givenName\":\"Bulk\",\"familyName\":\"User\"}},\"displayName\":\"' || l.display_name || \
         '\",\"title\":\"Engineer\",\"preferredLanguage\":\"en-US\",\"emails\":[{{\"value\":\"' || l.email || \
         '\",\"type\":\"work\",\"primary\":true}}],\"phoneNumbers\":[{{\"value\":\"+49 30 1234567\",\"type\":\"work\"}}],\"active\":true}}' \
         FROM learners l WHERE l.tenant_id = ? AND l.created_at = ?"
    ));
    db.execute(users.bind(connection).bind(scope.tenant).bind(at))?;
    // one work address and one telephone number each
    for (attr, key) in [(1, "r.user_name_key"), (2, "'+49 30 1234567'")] {
        let values = Stmt::new(format!(
            "INSERT INTO user_values (tenant_id, attr, value_key, user_id, ord, type_key, is_primary) \
             SELECT r.tenant_id, CAST({attr} AS INTEGER), {key}, r.id, 0, 'work', (1 = 1) FROM users r \
             WHERE r.tenant_id = ? AND r.created_at = ? AND r.deleted_at IS NULL"
        ));
        db.execute(values.bind(scope.tenant).bind(at))?;
    }
    counters::add(
        db,
        scope.tenant,
        "users",
        RequestId::new().0,
        i64::try_from(CHUNK).unwrap_or(0),
    )?;
    Ok(())
}

fn members(
    db: &mut Db,
    scope: &Scope,
    group: GroupId,
    chunk: usize,
    count: usize,
) -> Result<(), StoreError> {
    let new_id = db.dialect().new_id;
    db.execute(
        Stmt::new(format!(
            "INSERT INTO memberships (tenant_id, id, group_id, learner_id, user_id, source, added_by, added_at, request_id) \
             SELECT u.tenant_id, {new_id}, ?, u.learner_id, u.id, 'console', 'bench', ?, ? FROM \
             (SELECT * FROM users WHERE tenant_id = ? AND created_at = ? AND deleted_at IS NULL ORDER BY id LIMIT {count}) u"
        ))
        .bind(group)
        .bind(scope.now)
        .bind(scope.request)
        .bind(scope.tenant)
        .bind(created_at(chunk)),
    )
    .map(drop)
}

fn spare(db: &mut Db, tenant: TenantId, chunk: usize) -> Result<Vec<UserId>, StoreError> {
    let rows: Vec<Added> = db.load(
        Stmt::new("SELECT id, learner_id, id AS user_id FROM users WHERE tenant_id = ? AND created_at >= ? AND deleted_at IS NULL")
            .bind(tenant)
            .bind(created_at(chunk)),
    )?;
    Ok(rows.into_iter().map(|row| row.user_id).collect())
}
