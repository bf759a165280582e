//! Summing up a plan: what its rows would do all together. Read beside the writer, noted in a transaction of its own.

use sha2::{Digest, Sha256};

use crate::clock::Instant;
use crate::csv::columns::Kind;
use crate::ids::{JobId, TenantId};
use crate::learning::calendar::local_date;
use crate::service::ServiceError;
use crate::service::jobs::book::State;
use crate::store::Db;
use crate::store::queries::imports as rows;
use crate::store::queries::jobs;

use super::spec::{Outcome, PLAN_LIFE, Phase, Place, Plan, Spec};

/// What a look at a planned file saw.
#[derive(Clone, Debug)]
pub struct Seen {
    plan: Plan,
    state_hash: String,
}

/// Looks at the rows of a file that are classified.
pub fn look(db: &mut Db, tenant: TenantId, id: JobId, now: Instant) -> Result<Seen, ServiceError> {
    let job = jobs::find(db, tenant, id)?.ok_or_else(|| ServiceError::not_found("Import", id))?;
    let spec = Spec::of(&job)?;
    let mut plan = Plan::default();
    for count in rows::outcomes(db, tenant, id)? {
        plan.rows.insert(count.outcome, count.n);
    }
    let (assignments, learners) = rows::count_distinct(db, tenant, id)?;
    plan.learners_affected = learners;
    match spec.kind() {
        Kind::Learners => {
            plan.learners_created = plan.count(Outcome::Created);
            plan.learners_affected = plan.learners_created;
        }
        Kind::Completions => {
            plan.completions_recorded = plan.count(Outcome::Recorded);
            let (pairs, enrolled) = rows::foresee_completions(db, tenant, id)?;
            plan.enrollments_created = pairs - enrolled;
            plan.enrollments_kept = enrolled;
            plan.cycles_opened = plan.enrollments_created;
        }
        Kind::Members | Kind::Cohort | Kind::Assignments => {
            let place: Place = crate::service::jobs::book::read(&job.place)?;
            plan.groups_created = i64::try_from(place.planned.groups.len()).unwrap_or(i64::MAX);
            plan.assignments_created = assignments;
            plan.memberships_added = plan.count(Outcome::Added);
            plan.memberships_pended = plan.count(Outcome::Pended);
            plan.memberships_ended = plan.count(Outcome::Removed);
            if spec.is_sync() {
                let (strangers, members) = rows::count_strangers(db, tenant, id)?;
                plan.memberships_ended += strangers;
                plan.members = members;
            }
            let today = local_date(now, super::steps::zone(db, tenant)?).to_string();
            let foreseen = rows::foresee(db, tenant, id, &today)?;
            plan.enrollments_created = foreseen.pairs - foreseen.enrolled + foreseen.withdrawn;
            plan.enrollments_kept = foreseen.enrolled - foreseen.withdrawn;
            plan.cycles_opened = foreseen.pairs - foreseen.enrolled;
            plan.becomes_overdue = foreseen.late;
            plan.learners_affected = plan.learners_affected.max(foreseen.learners);
        }
    }
    Ok(Seen {
        plan,
        state_hash: state_hash(db, tenant, id)?,
    })
}

/// What the plan stands on: the versions of the groups that rows name and of their assignments.
pub fn state_hash(db: &mut Db, tenant: TenantId, id: JobId) -> Result<String, ServiceError> {
    let mut hash = Sha256::new();
    for line in rows::state(db, tenant, id)? {
        hash.update(line.id.0.as_bytes());
        hash.update(line.version.to_be_bytes());
    }
    Ok(hash
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// Notes what was seen: the plan can be committed from now on.
pub fn note(
    db: &mut Db,
    tenant: TenantId,
    id: JobId,
    seen: &Seen,
    now: Instant,
) -> Result<(), ServiceError> {
    let Some(mut job) = jobs::find_for_update(db, tenant, id)? else {
        return Ok(());
    };
    let mut spec = Spec::of(&job)?;
    if !spec.is(Phase::Planning) || job.state != State::Waiting.as_str() {
        return Ok(());
    }
    spec.plan = Some(seen.plan.clone());
    spec.state_hash = Some(seen.state_hash.clone());
    spec.enter(Phase::Planned);
    job.spec = spec.text();
    State::Ready.as_str().clone_into(&mut job.state);
    job.expire(Some(now.plus_millis(PLAN_LIFE)));
    Ok(jobs::save(db, &job, now)?)
}
