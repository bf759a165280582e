//! The bare limits of writes: the statements of one request, prepared values, no HTTP, no protocol, no rules.
//!
//! The rows are copies of what a real request has just stored, sync log and all, so that both sides write the same bytes.

use anyhow::Context as _;
use rollcall::ids::{AssignmentId, CourseId, GroupId, LearnerId, RequestId, TenantId, UserId};
use rollcall::learning::assignment::Options;
use rollcall::learning::learner::{Approval, RegisteredVia, Registration};
use rollcall::learning::membership::Source;
use rollcall::service::directory::bindings::UserFacts;
use rollcall::service::directory::document;
use rollcall::store::listing::Paging;
use rollcall::store::queries::enroll::{EnrollScope, Terms};
use rollcall::store::queries::events::By;
use rollcall::store::queries::learners::NewLearner;
use rollcall::store::queries::memberships::Origin;
use rollcall::store::queries::sync_log::{SyncFilter, SyncRow};
use rollcall::store::queries::users::{NewUser, UserRow};
use rollcall::store::queries::{
    assignments, counters, enroll, groups_directory, learners, memberships, sync_log, users, values,
};
use rollcall::store::{Db, StoreError};

use crate::server::{Bench, now};

/// The newest row of the sync log, to be written again and again.
pub fn last_log(bench: &Bench) -> anyhow::Result<SyncRow> {
    let tenant = bench.scope().tenant;
    let row = bench.store.read_blocking::<_, StoreError, _>(|db| {
        let first = Paging::first(1);
        let Some(newest) = sync_log::page(db, tenant, &SyncFilter::default(), &first)?
            .rows
            .pop()
        else {
            return Ok(None);
        };
        sync_log::find(db, tenant, newest.id)
    })?;
    row.context("no request was logged")
}

fn log(db: &mut Db, row: &SyncRow) -> Result<(), StoreError> {
    sync_log::insert(
        db,
        &[SyncRow {
            id: RequestId::new(),
            ..row.clone()
        }],
    )
    .map(drop)
}

fn by(log: &SyncRow) -> By {
    By {
        actor: "scim:bench".to_owned(),
        request: log.id,
        at: now(),
    }
}

/// A stored user and the log's row of its creation.
#[derive(Clone)]
pub struct Person {
    tenant: TenantId,
    row: UserRow,
    facts: UserFacts,
    log: SyncRow,
}

impl Person {
    pub fn of(bench: &Bench, id: UserId, log: SyncRow) -> anyhow::Result<Self> {
        let tenant = bench.scope().tenant;
        let row = bench
            .store
            .read_blocking::<_, StoreError, _>(|db| users::find(db, tenant, id))?
            .context("the user is gone")?;
        let facts = UserFacts::of(&document::parse(&row.doc)?)?;
        Ok(Self {
            tenant,
            row,
            facts,
            log,
        })
    }

    /// Another user like this one.
    pub fn create(&self, db: &mut Db, name: &str) -> Result<(), StoreError> {
        let (id, learner_id, by) = (UserId::new(), LearnerId::new(), by(&self.log));
        if let (Some(connection), Some(_)) = (self.row.connection_id, &self.row.external_id) {
            learners::ended_with_external_id(db, self.tenant, connection, name)?;
        }
        let new = NewLearner {
            registration: Registration::Registered,
            approval: Approval::Approved,
            active: true,
            display_name: self.facts.display_name.clone(),
            email: self.facts.email.clone(),
            registered_via: RegisteredVia::Scim,
        };
        learners::insert(db, self.tenant, learner_id, &new, &by)?;
        let user = NewUser {
            id,
            learner_id,
            connection_id: self.row.connection_id,
            user_name: name.to_owned(),
            user_name_key: name.to_owned(),
            external_id: Some(name.to_owned()),
            display_name_key: self.facts.display_name_key.clone(),
            active: self.row.active,
            created_at: by.at,
            doc: self.row.doc.clone(),
        };
        users::insert(db, self.tenant, &user)?;
        values::insert_all(db, self.tenant, id, &self.facts.values)?;
        counters::add(db, self.tenant, "users", id.0, 1)?;
        log(db, &self.log)
    }

    /// The next version of one user, with this one's document.
    pub fn patch(&self, db: &mut Db, id: UserId) -> Result<(), StoreError> {
        let Some(mut row) = users::find_for_update(db, self.tenant, id)? else {
            return Ok(());
        };
        row.version += 1;
        users::replace(
            db,
            self.tenant,
            &row,
            &row.user_name,
            self.facts.display_name_key.as_deref(),
        )?;
        log(db, &self.log)
    }
}

/// One user more in a group, with the enrollments that this owes.
pub fn add_member(
    db: &mut Db,
    bench: (TenantId, &SyncRow),
    group: GroupId,
    user: UserId,
) -> Result<(), StoreError> {
    let (tenant, row) = bench;
    let by = by(row);
    let Some(found) = groups_directory::find_for_update(db, tenant, group)? else {
        return Ok(());
    };
    memberships::known_users(db, tenant, &[user])?;
    let added = memberships::add(
        db,
        tenant,
        group,
        &[user],
        Origin {
            source: Source::Scim,
            connection: None,
        },
        &by,
    )?;
    let ids = added.iter().map(|one| one.id).collect();
    enroll::enroll(db, tenant, &EnrollScope::Memberships(ids), terms, &by)?;
    groups_directory::touch(db, tenant, group, found.version + 1, by.at)?;
    log(db, row)
}

/// A course more for a group, with the enrollments of its members.
pub fn assign(
    db: &mut Db,
    bench: (TenantId, &SyncRow),
    group: GroupId,
    course: CourseId,
) -> Result<(), StoreError> {
    let (tenant, by) = (bench.0, by(bench.1));
    let id = AssignmentId::new();
    assignments::insert(db, tenant, id, group, course, Options::default(), &by)?;
    enroll::enroll(db, tenant, &EnrollScope::Assignment(id), terms, &by).map(drop)
}

fn terms(_: &mut Db, _: i64) -> Result<Option<Terms>, StoreError> {
    Ok(Some(Terms {
        today: None,
        rejoin_resume_days: 30,
        due_floor: None,
    }))
}
