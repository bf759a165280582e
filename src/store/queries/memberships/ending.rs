//! The end of memberships, and of the reasons they gave.

use crate::ids::{GroupId, LearnerId, MembershipId, TenantId, UserId};
use crate::learning::membership::EndCause;
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, StoreError};

use super::super::events::By;
use super::{CHUNK, afresh, padded};

/// Which live memberships to end.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// Those of these accounts' learners in one group.
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

/// Ends live memberships and their reasons; enrollments are never touched (S-12, S-13, S-15). Returns how many ended.
pub fn end(
    db: &mut Db,
    tenant: TenantId,
    which: Which<'_>,
    cause: EndCause,
    by: &By,
) -> Result<i64, StoreError> {
    match which {
        Which::Users(group, users) => {
            let mut ended = 0;
            for chunk in users.chunks(CHUNK) {
                let ids = padded(chunk);
                let condition = format!(
                    "m.group_id = ? AND m.learner_id IN (SELECT u.learner_id FROM users u WHERE u.tenant_id = ? AND u.id IN ({}))",
                    marks(ids.len())
                );
                let binds: Vec<Bind> = [group.into(), tenant.into()]
                    .into_iter()
                    .chain(ids)
                    .collect();
                ended += end_where(db, tenant, &condition, &binds, cause, by)?;
            }
            Ok(ended)
        }
        Which::Learners(group, learners) => {
            let mut ended = 0;
            for chunk in learners.chunks(CHUNK) {
                let ids = padded(chunk);
                let condition =
                    format!("m.group_id = ? AND m.learner_id IN ({})", marks(ids.len()));
                let binds: Vec<Bind> = std::iter::once(group.into()).chain(ids).collect();
                ended += end_where(db, tenant, &condition, &binds, cause, by)?;
            }
            Ok(ended)
        }
        Which::Periods(periods) => {
            let mut ended = 0;
            for chunk in periods.chunks(CHUNK) {
                let ids = padded(chunk);
                let condition = format!("m.id IN ({})", marks(ids.len()));
                ended += end_where(db, tenant, &condition, &ids, cause, by)?;
            }
            Ok(ended)
        }
        Which::Group(group) => end_where(db, tenant, "m.group_id = ?", &[group.into()], cause, by),
        Which::Learner(learner) => {
            end_where(db, tenant, "m.learner_id = ?", &[learner.into()], cause, by)
        }
    }
}

fn end_where(
    db: &mut Db,
    tenant: TenantId,
    condition: &str,
    binds: &[Bind],
    cause: EndCause,
    by: &By,
) -> Result<i64, StoreError> {
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
    let memberships = Stmt::new(format!(
        "UPDATE memberships SET ended_at = {latest}(?, added_at), ended_by = ?, end_cause = ?, ended_request_id = ? WHERE tenant_id = ? AND id IN ({periods})"
    ))
    .once(afresh(db, binds.len()))
    .bind(by.at)
    .bind(by.actor.as_str())
    .bind(cause.as_str())
    .bind(by.request)
    .bind(tenant)
    .bind(tenant)
    .binds(binds.iter().cloned());
    Ok(i64::try_from(db.execute(memberships)?).unwrap_or(i64::MAX))
}
