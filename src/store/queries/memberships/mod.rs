//! Memberships: added, ended and listed by name; never read to be written back (§2.4, §4.2, §4.7).
//!
//! One row per (group, learner) while it lasts. A list of accounts is one statement per thousand of them.

mod accounts;
mod ending;
mod members;

use diesel::QueryableByName;

use crate::ids::{ConnectionId, GroupId, LearnerId, MembershipId, TenantId, UserId};
use crate::learning::membership::Source;
use crate::store::db::Number;
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::events::By;

pub(super) use accounts::facts;
pub use accounts::{Candidate, KnownUser, Label, candidates, known_users};
pub use ending::{Ended, Left, Which, end};
pub use members::{
    Live, Named, PeriodRow, StateCounts, count, live, meant, period, present, state_counts,
};

/// How many ids one statement names; more are several statements.
pub const CHUNK: usize = 1000;

/// The ids of a chunk, the last repeated up to a few fixed lengths, so that the statement cache holds few texts.
pub(super) fn padded<'a, I: Copy + Into<Bind<'a>>>(ids: &[I]) -> Vec<Bind<'a>> {
    let Some(last) = ids.last() else {
        return Vec::new();
    };
    let length = [1, 4, 16, 64, 100, 256]
        .into_iter()
        .find(|length| ids.len() <= *length)
        .unwrap_or(CHUNK.max(ids.len()));
    let mut binds: Vec<Bind> = ids.iter().map(|id| (*id).into()).collect();
    binds.resize(length, (*last).into());
    binds
}

/// Whether a statement with so many ids is planned for the tables as they are: one from when they were nearly empty walks
/// them, and compares each row with every id.
pub(super) fn afresh(db: &Db, ids: usize) -> bool {
    db.dialect().plans_once && ids > 64
}

/// Where a membership comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub source: Source,
    pub connection: Option<ConnectionId>,
}

/// A period that has just begun.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub struct Added {
    #[diesel(sql_type = SqlId)]
    pub id: MembershipId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = SqlId)]
    pub user_id: UserId,
}

/// Opens a period for each of these accounts that exists and whose learner is not in the group; returns the new periods.
pub fn add(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    users: &[UserId],
    origin: Origin,
    by: &By,
) -> Result<Vec<Added>, StoreError> {
    let mut added = Vec::with_capacity(users.len());
    if users.len() > CHUNK {
        db.notice_growth(&["users", "learners", "memberships"])?;
    }
    let lock = db.dialect().for_key_share;
    for chunk in users.chunks(CHUNK) {
        let ids = padded(chunk);
        if !lock.is_empty() {
            // Who is just ending, or being approved, is waited for, one learner after the other: the next statement sees how.
            let learners = Stmt::new(format!(
                "SELECT l.version AS n FROM learners l WHERE l.tenant_id = ? AND l.id IN \
                 (SELECT u.learner_id FROM users u WHERE u.tenant_id = ? AND u.id IN ({})) ORDER BY l.id {lock}",
                marks(ids.len())
            ))
            .once(afresh(db, ids.len()));
            db.load::<Number>(learners.bind(tenant).bind(tenant).binds(ids.clone()))?;
        }
        let stmt = Stmt::new(format!(
            "INSERT INTO memberships (tenant_id, id, group_id, learner_id, user_id, source, connection_id, added_by, added_at, request_id) \
             SELECT u.tenant_id, {new_id}, ?, u.learner_id, u.id, ?, ?, ?, ?, ? \
             FROM users u \
             WHERE u.tenant_id = ? AND u.id IN ({marks}) AND u.deleted_at IS NULL \
             ON CONFLICT (tenant_id, group_id, learner_id) WHERE ended_at IS NULL DO NOTHING \
             RETURNING id, learner_id, user_id",
            new_id = db.dialect().new_id,
            marks = marks(ids.len()),
        ))
        .once(afresh(db, ids.len()))
        .bind(group)
        .bind(origin.source.as_str())
        .bind(origin.connection)
        .bind(by.actor.as_str())
        .bind(by.at)
        .bind(by.request)
        .bind(tenant)
        .binds(ids);
        added.extend(db.load::<Added>(stmt)?);
    }
    Ok(added)
}

/// Lets another account of the same learner stand for their live memberships, when one of several accounts ends.
pub fn change_account(
    db: &mut Db,
    tenant: TenantId,
    from: UserId,
    to: UserId,
) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("UPDATE memberships SET user_id = ? WHERE tenant_id = ? AND user_id = ? AND ended_at IS NULL")
            .bind(to)
            .bind(tenant)
            .bind(from),
    )
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_ids_have_few_lengths() {
        let lengths: Vec<usize> = [0, 1, 2, 5, 17, 65, 300, 1000]
            .map(|count| padded(&vec![UserId::new(); count]).len())
            .to_vec();
        assert_eq!(lengths, [0, 1, 4, 16, 64, 100, 1000, 1000]);
    }
}
