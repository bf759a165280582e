//! Approving many learners at once (4.4): whoever waits, or these; as a set, the rest by a job.

use crate::ids::{ConnectionId, JobId, LearnerId};
use crate::store::Db;
use crate::store::queries::learners as rows;

use super::enroll::{self, Effects, EnrollScope, by};
use super::jobs::book::{self, AT_ONCE, Work};
use super::{Scope, ServiceError};

/// Whom to approve at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approvals {
    /// Whoever waits, of one connection's accounts or of all.
    Pending(Option<ConnectionId>),
    These(Vec<LearnerId>),
}

/// What approving many did; the rest is a job's where there is one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Approved {
    pub approved: i64,
    pub effects: Effects,
    pub job: Option<JobId>,
}

/// Approves many learners and writes what they are owed, as a set (4.4). Errors: not found, naming one of the ids.
pub fn approve_many(
    db: &mut Db,
    scope: &Scope,
    whom: &Approvals,
) -> Result<Approved, ServiceError> {
    let (ids, work) = match whom {
        Approvals::Pending(connection) => {
            let first = LearnerId(uuid::Uuid::nil());
            let ids = rows::pending(db, scope.tenant, *connection, first, AT_ONCE + 1)?;
            (ids, Work::ApprovePending(*connection))
        }
        Approvals::These(ids) => {
            let known = rows::live(db, scope.tenant, ids)?;
            if let Some(id) = ids.iter().find(|id| !known.contains(id)) {
                return Err(ServiceError::not_found("Learner", id));
            }
            (ids.clone(), Work::Approve(ids.clone()))
        }
    };
    let count = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    if count > AT_ONCE {
        let total = matches!(whom, Approvals::These(_)).then_some(count);
        let job = book::later(db, scope.tenant, &work, total, &by(scope))?;
        return Ok(Approved {
            job: Some(job),
            ..Approved::default()
        });
    }
    let approved = rows::approve_all(db, scope.tenant, &ids, &by(scope))?;
    let mut effects = Effects::default();
    for some in approved.chunks(enroll::NAMED_AT_MOST) {
        effects += enroll::enroll(db, scope, &EnrollScope::Learners(some.to_vec()))?;
    }
    Ok(Approved {
        approved: i64::try_from(approved.len()).unwrap_or(i64::MAX),
        effects,
        job: None,
    })
}
