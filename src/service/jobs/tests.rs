//! What is too large for one transaction is written by a job, whole, once, also when it is broken off (§4 "Size", S-10, S-15, 4.4).

use std::sync::Arc;

use crate::clock::Instant;
use crate::ids::{GroupId, JobId, LearnerId, TenantId};
use crate::learning::assignment::Options;
use crate::learning::course::CourseStatus;
use crate::learning::group::Origin;
use crate::scim::schema::Registry;
use crate::service::courses::CourseFields;
use crate::service::groups::GroupFields;
use crate::service::learners::Approvals;
use crate::service::{Scope, ServiceError, assignments, check, courses, groups, learners};
use crate::store::statement::Stmt;
use crate::store::{Db, Store, testing};

use super::book::AT_ONCE;
use super::run::{Runner, Step, Tools, claim, step, waits};

const TENANT: TenantId = TenantId(7);
const MEMBERS: i64 = AT_ONCE + 600;

fn scope(now: i64) -> Scope {
    Scope::system(TENANT, "test", Instant(1_772_355_600_000 + now))
}

/// A tenant with a group of more members than one transaction enrolls, pending if asked for, and a course.
fn begin(db: &mut Db, pending: bool) -> Result<(GroupId, crate::ids::CourseId), ServiceError> {
    let sql = "INSERT INTO tenants (tenant_id, name, name_key, plan, time_zone, settings, created_at) VALUES (?, ?, ?, 'business', 'UTC', '{}', 0)";
    db.execute(Stmt::new(sql).bind(TENANT).bind("Acme").bind("acme"))?;
    let new_id = db.dialect().new_id;
    let approval = if pending { "pending" } else { "approved" };
    db.execute(
        Stmt::new(format!(
            "INSERT INTO learners (tenant_id, id, registration, approval, active, suspended, display_name, registered_via, version, \
             created_at, modified_at) WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
             SELECT ?, {new_id}, 'registered', ?, TRUE, FALSE, 'l' || CAST(i AS TEXT), 'rest', 1, 0, 0 FROM n"
        ))
        .bind(MEMBERS)
        .bind(TENANT)
        .bind(approval),
    )?;
    db.execute(
        Stmt::new(format!(
            "INSERT INTO users (tenant_id, id, learner_id, user_name, user_name_key, active, version, created_at, modified_at, doc) \
             SELECT l.tenant_id, {new_id}, l.id, l.display_name, l.display_name, TRUE, 1, 0, 0, '{{}}' FROM learners l WHERE l.tenant_id = ?"
        ))
        .bind(TENANT),
    )?;
    crate::store::queries::counters::add(db, TENANT, "users", uuid::Uuid::nil(), MEMBERS)?;
    let scope = scope(0);
    let group = groups::create(
        db,
        &scope,
        &GroupFields {
            name: Some("Everybody".to_owned()),
            ..GroupFields::default()
        },
        Origin::Rest,
    )?
    .id;
    db.execute(
        Stmt::new(format!(
            "INSERT INTO memberships (tenant_id, id, group_id, learner_id, user_id, source, added_by, added_at, request_id) \
             SELECT u.tenant_id, {new_id}, ?, u.learner_id, u.id, 'rest', 'test', 0, ? FROM users u WHERE u.tenant_id = ?"
        ))
        .bind(group)
        .bind(scope.request)
        .bind(TENANT),
    )?;
    let course = courses::create(
        db,
        &scope,
        &CourseFields {
            title: Some("Fire safety".to_owned()),
            status: Some(CourseStatus::Published),
            ..CourseFields::default()
        },
    )?;
    Ok((group, course.id))
}

fn number(store: &Store, sql: &'static str) -> i64 {
    testing::write(store, move |db| db.number(Stmt::new(sql)))
}

fn tools() -> Arc<Tools> {
    Arc::new(Tools {
        registry: Arc::new(Registry::builtin().expect("the schemas are well-formed")),
    })
}

/// Works on whatever waits, a runner for each step: as if every one of them had died after its step.
fn finish(store: &Store) -> i64 {
    let tools = tools();
    let mut steps = 0;
    loop {
        let runner = Runner::new();
        // A day for every step, so that no lease is in the way.
        let now = scope(steps * 86_400_000).now;
        let done: Result<Option<Step>, ServiceError> = {
            let tools = Arc::clone(&tools);
            store.write_blocking("step", move |db| {
                let Some(job) = claim(db, runner, now)? else {
                    return Ok(None);
                };
                step(db, &tools, runner, job, now, 500).map(Some)
            })
        };
        match done.expect("the step commits") {
            None => return steps,
            Some(_) => steps += 1,
        }
    }
}

fn clean(store: &Store) {
    let findings: Result<Vec<check::Finding>, ServiceError> =
        store.read_blocking(|db| check::check(db, TENANT, Instant(1_772_355_600_000 + 86_400_000)));
    assert_eq!(findings.expect("it is checked"), Vec::new());
}

#[test]
fn a_large_assignment_is_enrolled_in_steps_each_of_which_may_be_the_last_of_its_process() {
    testing::on_both(|store| {
        let assigned: Result<_, ServiceError> = store.write_blocking("assign", |db| {
            let (group, course) = begin(db, false)?;
            assignments::assign(db, &scope(0), group, course, Options::default())
        });
        let assigned = assigned.expect("it is assigned");
        assert!(assigned.effects.deferred && assigned.effects.enrollments == 0);
        assert_eq!(assigned.row.enrolling(), Some((0, Some(MEMBERS))));
        assert_eq!(number(store, "SELECT count(*) AS n FROM enrollments"), 0);
        clean(store);
        assert_eq!(finish(store), MEMBERS / 500 + 1);
        for table in [
            "SELECT count(*) AS n FROM enrollments",
            "SELECT count(*) AS n FROM enrollment_cycles",
            "SELECT count(*) AS n FROM enrollment_reasons WHERE required_since = 1772355600000",
            "SELECT count(*) AS n FROM events WHERE event_type = 'enrollment.created'",
        ] {
            assert_eq!(number(store, table), MEMBERS, "{table}");
        }
        clean(store);
        // In steps as well: the assignment is gone at once, its reasons end behind it, nobody is un-enrolled.
        let id = assigned.row.id;
        let removed: Result<(), ServiceError> = store.write_blocking("remove", move |db| {
            assignments::remove(db, &scope(1000), id)
        });
        removed.expect("it is removed");
        assert!(finish(store) > 1);
        let ended = "SELECT count(*) AS n FROM enrollment_reasons WHERE end_cause = 'assignment_removed' AND ended_at = 1772355601000";
        assert_eq!(number(store, ended), MEMBERS);
        assert_eq!(
            number(
                store,
                "SELECT count(*) AS n FROM enrollments WHERE withdrawn_at IS NULL"
            ),
            MEMBERS
        );
        clean(store);
    });
}

#[test]
fn a_large_group_is_gone_at_once_and_its_memberships_end_behind_it() {
    testing::on_both(|store| {
        let deleted: Result<_, ServiceError> = store.write_blocking("delete", |db| {
            let (group, _) = begin(db, false)?;
            let deleted = groups::delete(db, &scope(0), group, None)?;
            assert!(groups::find(db, &scope(0), group).is_err());
            Ok(deleted)
        });
        assert_eq!(deleted.expect("it is deleted").memberships, MEMBERS);
        assert_eq!(finish(store), MEMBERS / 500 + 1);
        let ended = "SELECT count(*) AS n FROM memberships WHERE end_cause = 'group_deleted' AND ended_at = 1772355600000 \
                     AND ended_by = 'system:test'";
        assert_eq!(number(store, ended), MEMBERS);
        clean(store);
    });
}

#[test]
fn many_are_approved_in_steps_and_enrolled_by_them() {
    testing::on_both(|store| {
        let approved: Result<_, ServiceError> = store.write_blocking("approve", |db| {
            let (group, course) = begin(db, true)?;
            let assigned = assignments::assign(db, &scope(0), group, course, Options::default())?;
            assert!(assigned.effects.is_none(), "nobody is addable yet");
            learners::approve_many(db, &scope(0), &Approvals::Pending(None))
        });
        assert!(approved.expect("it is left to a job").job.is_some());
        assert_eq!(finish(store), MEMBERS / 500 + 1);
        let approved = "SELECT count(*) AS n FROM learners WHERE approval = 'approved' AND approved_by = 'system:test' AND version = 2";
        assert_eq!(number(store, approved), MEMBERS);
        assert_eq!(
            number(store, "SELECT count(*) AS n FROM enrollments"),
            MEMBERS
        );
        let events = "SELECT count(*) AS n FROM events WHERE event_type = 'learner.approved'";
        assert_eq!(number(store, events), MEMBERS);
        clean(store);
    });
}

#[test]
fn few_are_approved_in_the_transaction_itself_and_unknown_ones_are_named() {
    testing::on_both(|store| {
        let told: Result<(), ServiceError> = store.write_blocking("approve", |db| {
            let (group, course) = begin(db, true)?;
            assignments::assign(db, &scope(0), group, course, Options::default())?;
            let some = crate::store::queries::learners::pending(
                db,
                TENANT,
                None,
                LearnerId(uuid::Uuid::nil()),
                700,
            )?;
            let done = learners::approve_many(db, &scope(0), &Approvals::These(some.clone()))?;
            assert_eq!(
                (done.approved, done.effects.enrollments, done.job),
                (700, 700, None)
            );
            let again = learners::approve_many(db, &scope(0), &Approvals::These(some))?;
            assert_eq!((again.approved, again.effects.enrollments), (0, 0));
            let unknown = Approvals::These(vec![LearnerId::new()]);
            assert!(matches!(
                learners::approve_many(db, &scope(0), &unknown),
                Err(ServiceError::NotFound { .. })
            ));
            Ok(())
        });
        told.expect("the story holds");
        clean(store);
    });
}

#[test]
fn a_leased_job_is_left_alone_until_its_lease_ends() {
    let store = testing::sqlite();
    let told: Result<(), ServiceError> = store.write_blocking("lease", |db| {
        let (group, course) = begin(db, false)?;
        assignments::assign(db, &scope(0), group, course, Options::default())?;
        let (one, other) = (Runner::new(), Runner::new());
        let job: Option<(TenantId, JobId)> = claim(db, one, scope(0).now)?;
        assert!(job.is_some());
        assert!(claim(db, other, scope(4_000).now)?.is_none());
        assert_eq!(
            claim(db, one, scope(4_000).now)?,
            job,
            "its own runner goes on"
        );
        assert_eq!(claim(db, other, scope(120_000).now)?, job);
        let tools = tools();
        let job = job.ok_or_else(|| ServiceError::not_found("Job", "none"))?;
        assert_eq!(
            step(db, &tools, one, job, scope(121_000).now, 10)?,
            Step::Taken
        );
        assert!(waits(db, other, scope(121_000).now)?);
        Ok(())
    });
    told.expect("the story holds");
}
