//! The end of memberships, and of the reasons they gave.

use diesel::QueryableByName;

use crate::ids::{GroupId, LearnerId, MembershipId, TenantId, UserId};
use crate::learning::membership::EndCause;
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::super::events::By;
use super::{CHUNK, afresh, padded};

/// Which live memberships to end.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// Those of these accounts in one group. Not those of their learners: an account that has ended, or another of the
    /// same person, is none of the group's members.
    Users(GroupId, &'a [UserId]),
    /// Those of these learners in one group.
    Learners(GroupId, &'a [LearnerId]),
    /// Everybody's in one group.
    Group(GroupId),
    /// One learner's in every group.
    Learner(LearnerId),
    /// These.
    Periods(&'a [MembershipId]),
}

/// What ended.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    pub count: i64,
    /// Who left which group, where the change named them.
    pub named: Vec<Left>,
}

/// Somebody who left a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Left {
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
}

/// Ends live memberships and their reasons; enrollments are never touched (S-12, S-13, S-15).
pub fn end(
    db: &mut Db,
    tenant: TenantId,
    which: Which<'_>,
    cause: EndCause,
    by: &By,
) -> Result<Ended, StoreError> {
    let of_group = |group: GroupId, column: &str, ids: Vec<Bind<'static>>| {
        let condition = format!("m.group_id = ? AND m.{column} IN ({})", marks(ids.len()));
        let binds: Vec<Bind> = std::iter::once(group.into()).chain(ids).collect();
        (condition, binds)
    };
    let named: Vec<(String, Vec<Bind>)> = match which {
        Which::Users(group, users) => users
            .chunks(CHUNK)
            .map(|chunk| of_group(group, "user_id", padded(chunk)))
            .collect(),
        Which::Learners(group, learners) => learners
            .chunks(CHUNK)
            .map(|chunk| of_group(group, "learner_id", padded(chunk)))
            .collect(),
        Which::Periods(periods) => periods
            .chunks(CHUNK)
            .map(|chunk| {
                let ids = padded(chunk);
                (format!("m.id IN ({})", marks(ids.len())), ids)
            })
            .collect(),
        Which::Group(group) => {
            let binds = [group.into()];
            return everybody(db, tenant, "m.group_id = ?", &binds, cause, by);
        }
        Which::Learner(learner) => {
            let binds = [learner.into()];
            return everybody(db, tenant, "m.learner_id = ?", &binds, cause, by);
        }
    };
    let mut ended = Ended::default();
    for (condition, binds) in named {
        let who = " RETURNING group_id, learner_id";
        let stmt = end_reasons(db, tenant, (&condition, who), &binds, cause, by)?;
        ended.named.extend(db.load::<Left>(stmt)?);
    }
    ended.count = i64::try_from(ended.named.len()).unwrap_or(i64::MAX);
    Ok(ended)
}

fn everybody(
    db: &mut Db,
    tenant: TenantId,
    condition: &str,
    binds: &[Bind<'static>],
    cause: EndCause,
    by: &By,
) -> Result<Ended, StoreError> {
    let stmt = end_reasons(db, tenant, (condition, ""), binds, cause, by)?;
    Ok(Ended {
        count: i64::try_from(db.execute(stmt)?).unwrap_or(i64::MAX),
        named: Vec::new(),
    })
}

/// Ends the reasons that memberships gave; hands out the statement that ends the memberships themselves.
fn end_reasons<'a>(
    db: &mut Db,
    tenant: TenantId,
    (condition, returning): (&str, &str),
    binds: &[Bind<'static>],
    cause: EndCause,
    by: &'a By,
) -> Result<Stmt<'a>, StoreError> {
    let periods = format!(
        "SELECT m.id FROM memberships m WHERE m.tenant_id = ? AND m.ended_at IS NULL AND {condition}"
    );
    let latest = db.dialect().latest;
    let reasons = Stmt::new(format!(
        "UPDATE enrollment_reasons SET ended_at = {latest}(?, recorded_at), end_cause = ? \
         WHERE tenant_id = ? AND ended_at IS NULL AND membership_id IN ({periods})"
    ))
    .once(afresh(db, binds.len()))
    .bind(by.at)
    .bind(cause.as_str())
    .bind(tenant)
    .bind(tenant)
    .binds(binds.iter().cloned());
    db.execute(reasons)?;
    Ok(Stmt::new(format!(
        "UPDATE memberships SET ended_at = {latest}(?, added_at), ended_by = ?, end_cause = ?, ended_request_id = ? WHERE tenant_id = ? AND id IN ({periods}){returning}"
    ))
    .once(afresh(db, binds.len()))
    .bind(by.at)
    .bind(by.actor.as_str())
    .bind(cause.as_str())
    .bind(by.request)
    .bind(tenant)
    .bind(tenant)
    .binds(binds.iter().cloned()))
}
