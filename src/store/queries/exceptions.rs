//! Extensions and waivers (§2.9): granted for one reason or for a learner's course, revoked, never changed.

use crate::ids::{CourseId, ExceptionId, LearnerId, ReasonId, TenantId};
use crate::store::statement::{Bind, Stmt};
use crate::store::{Db, StoreError};

use super::events::By;

/// An exception before it is stored.
#[derive(Clone, Debug)]
pub struct NewException<'a> {
    pub id: ExceptionId,
    /// `extension` or `waiver`.
    pub kind: &'static str,
    pub learner: LearnerId,
    pub course: CourseId,
    pub reason: Option<ReasonId>,
    pub until: Option<String>,
    pub why: &'a str,
}

/// Grants exceptions.
pub fn insert(
    db: &mut Db,
    tenant: TenantId,
    list: &[NewException<'_>],
    by: &By,
) -> Result<(), StoreError> {
    for chunk in list.chunks(200) {
        let mut stmt = Stmt::new(format!(
            "INSERT INTO exceptions (tenant_id, id, kind, learner_id, course_id, reason_id, until, why, granted_at, granted_by, request_id) \
             VALUES {}",
            vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; chunk.len()].join(", ")
        ))
        .once(chunk.len() != 1);
        for one in chunk {
            stmt = stmt.binds([
                Bind::from(tenant),
                one.id.into(),
                one.kind.into(),
                one.learner.into(),
                one.course.into(),
                one.reason.into(),
                one.until.clone().into(),
                one.why.into(),
                by.at.into(),
                by.actor.as_str().into(),
                by.request.into(),
            ]);
        }
        db.execute(stmt)?;
    }
    Ok(())
}

/// Revokes an exception of a learner's course; `false` when there is none in force.
pub fn revoke(
    db: &mut Db,
    tenant: TenantId,
    id: ExceptionId,
    learner: LearnerId,
    course: CourseId,
    by: &By,
) -> Result<bool, StoreError> {
    let changed = db.execute(
        Stmt::new(
            "UPDATE exceptions SET revoked_at = ?, revoked_by = ? \
             WHERE tenant_id = ? AND id = ? AND learner_id = ? AND course_id = ? AND revoked_at IS NULL",
        )
        .bind(by.at)
        .bind(by.actor.as_str())
        .bind(tenant)
        .bind(id)
        .bind(learner)
        .bind(course),
    )?;
    Ok(changed == 1)
}
