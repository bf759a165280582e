//! The steps of an import: planning, then committing, some rows at a time.

use serde_json::Value;

use crate::clock::Instant;
use crate::ids::{GroupId, TenantId};
use crate::learning::membership::EndCause;
use crate::learning::settings::{ApprovalPolicy, Settings};
use crate::scim::schema::Registry;
use crate::service::ServiceError;
use crate::service::jobs::book::{self, JobRow};
use crate::store::Db;
use crate::store::listing::{self, Paging};
use crate::store::queries::events::By;
use crate::store::queries::groups_learning;
use crate::store::queries::imports as rows;
use crate::store::queries::memberships::{self, Which};

use super::classify::classify;
use super::lookup::Ground;
use super::spec::{Outcome, Phase, Place, Planned, Spec};
use super::write;

/// What a step left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    More,
    /// All rows are classified: they are to be summed up.
    Survey,
    Over,
}

/// One step; the caller saves the job.
pub fn step(
    db: &mut Db,
    registry: &Registry,
    job: &mut JobRow,
    now: Instant,
    size: i64,
) -> Result<Left, ServiceError> {
    let spec = Spec::of(job)?;
    if spec.is(Phase::Planning) {
        plan(db, registry, job, &spec, now, size)
    } else {
        commit(db, registry, job, spec, size)
    }
}

/// The next rows, and the last line of them.
fn take(
    db: &mut Db,
    job: &JobRow,
    place: &Place,
    size: i64,
) -> Result<(Vec<rows::ImportRow>, i64), ServiceError> {
    let paging = Paging {
        after: Some(listing::Place::of(place.line, uuid::Uuid::nil())),
        ..Paging::first(size)
    };
    let staged = rows::page(db, job.tenant(), job.id, &[], &paging)?.rows;
    let last = staged.last().map_or(place.line, |row| row.line);
    Ok((staged, last))
}

/// Rows that could be read at all; the others stay refused.
fn readable(staged: Vec<rows::ImportRow>) -> Vec<rows::ImportRow> {
    staged
        .into_iter()
        .filter(|row| row.fields != "{}")
        .collect()
}

/// Rows that the plan did not refuse: what a person agreed to.
fn planned(staged: Vec<rows::ImportRow>) -> Vec<rows::ImportRow> {
    let refused = Outcome::Error.as_str();
    staged
        .into_iter()
        .filter(|row| row.outcome != refused)
        .collect()
}

fn plan(
    db: &mut Db,
    registry: &Registry,
    job: &mut JobRow,
    spec: &Spec,
    now: Instant,
    size: i64,
) -> Result<Left, ServiceError> {
    let tenant = job.tenant();
    let mut place: Place = book::read(&job.place)?;
    let (staged, last) = take(db, job, &place, size)?;
    let count = i64::try_from(staged.len()).unwrap_or(i64::MAX);
    if count == 0 {
        return Ok(Left::Survey);
    }
    let ground = Ground {
        tenant,
        kind: spec.kind(),
        now,
        registry,
        zone: zone(db, tenant)?,
    };
    let done = classify(db, &ground, readable(staged), &mut place.planned)?;
    rows::put(db, tenant, job.id, &done.rows)?;
    rows::mark_twins(db, tenant, job.id, (place.line, last))?;
    place.line = last;
    job.place = place.text();
    job.done += count;
    Ok(Left::More)
}

fn commit(
    db: &mut Db,
    registry: &Registry,
    job: &mut JobRow,
    spec: Spec,
    size: i64,
) -> Result<Left, ServiceError> {
    let (tenant, by) = (job.tenant(), by(job, &spec));
    let mut place: Place = book::read(&job.place)?;
    loop {
        if place.ending {
            return end_strangers(db, job, spec, &by, size);
        }
        // All in one transaction if a person asked for that.
        let (staged, last) = take(db, job, &place, if spec.atomic { 1000 } else { size })?;
        let count = i64::try_from(staged.len()).unwrap_or(i64::MAX);
        if count == 0 {
            place.ending = true;
            job.place = place.text();
            if spec.atomic {
                continue;
            }
            return Ok(Left::More);
        }
        lock(db, tenant, &staged)?;
        let ground = Ground {
            tenant,
            kind: spec.kind(),
            now: by.at,
            registry,
            zone: zone(db, tenant)?,
        };
        let staged = planned(staged);
        let refused = count - i64::try_from(staged.len()).unwrap_or(0);
        // Groups that rows before have made are found like any other.
        let done = classify(db, &ground, staged, &mut Planned::default())?;
        let approved = approves(db, tenant)?;
        let lines = (place.line, last);
        let effects = write::write(db, tenant, job.id, &done, lines, approved, &by)?;
        tally(
            job,
            done.rows.iter().map(|row| row.outcome.as_str()),
            refused,
        )?;
        book::add(job, effects)?;
        place.line = last;
        job.place = place.text();
        job.done += count;
        if !spec.atomic {
            return Ok(Left::More);
        }
    }
}

/// Who writes what a commit writes, as if all of it were written when it was asked for.
pub fn by(job: &JobRow, spec: &Spec) -> By {
    By {
        at: spec.at(job),
        ..job.by()
    }
}

/// The one global order: groups first. Those that rows make are nobody else's yet.
fn lock(db: &mut Db, tenant: TenantId, staged: &[rows::ImportRow]) -> Result<(), ServiceError> {
    let mut groups: Vec<GroupId> = staged.iter().filter_map(|row| row.group_id).collect();
    groups.sort_unstable();
    groups.dedup();
    Ok(groups_learning::lock(db, tenant, &groups)?)
}

/// Whether an import counts as the approval (`approval.import`).
fn approves(db: &mut Db, tenant: TenantId) -> Result<bool, ServiceError> {
    let settings = groups_learning::settings(db, tenant)?;
    let settings = settings.map_or_else(Settings::default, |row| Settings::parse(&row.settings));
    Ok(settings.approval.import == ApprovalPolicy::Auto)
}

/// Where the tenant's calendar dates are.
pub(super) fn zone(db: &mut Db, tenant: TenantId) -> Result<chrono_tz::Tz, ServiceError> {
    Ok(groups_learning::settings(db, tenant)?
        .and_then(|settings| settings.time_zone.parse().ok())
        .unwrap_or(chrono_tz::UTC))
}

/// Counts the outcomes of a chunk into the job's result.
fn tally<'a>(
    job: &mut JobRow,
    outcomes: impl Iterator<Item = &'a str>,
    refused: i64,
) -> Result<(), ServiceError> {
    let mut result: Value = book::read(&job.result)?;
    let mut count = |name: &str, more: i64| {
        if more > 0 {
            let before = result["rows"][name].as_i64().unwrap_or(0);
            result["rows"][name] = (before + more).into();
        }
    };
    for outcome in outcomes {
        count(outcome, 1);
    }
    count(Outcome::Error.as_str(), refused);
    job.result = result.to_string();
    Ok(())
}

/// `sync`: ends the memberships of whom no row names, in the groups that the file names.
fn end_strangers(
    db: &mut Db,
    job: &mut JobRow,
    spec: Spec,
    by: &By,
    size: i64,
) -> Result<Left, ServiceError> {
    let tenant = job.tenant();
    if spec.is_sync() {
        loop {
            let some = rows::strangers(db, tenant, job.id, size)?;
            if !some.is_empty() {
                let ids: Vec<_> = some.iter().map(|one| one.id).collect();
                let mut groups: Vec<GroupId> = some.iter().map(|one| one.group_id).collect();
                groups.sort_unstable();
                groups.dedup();
                groups_learning::lock(db, tenant, &groups)?;
                let ended = memberships::end(
                    db,
                    tenant,
                    Which::Periods(&ids),
                    EndCause::MemberRemoved,
                    by,
                )?;
                write::tell(db, tenant, &[], &ended.named, by)?;
                rows::touch(db, tenant, &groups, by.at)?;
                let mut result: Value = book::read(&job.result)?;
                let before = result["memberships_ended"].as_i64().unwrap_or(0);
                result["memberships_ended"] = (before + ended.count).into();
                job.result = result.to_string();
            }
            if i64::try_from(some.len()).unwrap_or(i64::MAX) < size {
                break;
            }
            if !spec.atomic {
                return Ok(Left::More);
            }
        }
    }
    finish(db, job, spec, by)?;
    Ok(Left::Over)
}

/// The last step: the import is committed, and the audit trail says so.
fn finish(db: &mut Db, job: &mut JobRow, mut spec: Spec, by: &By) -> Result<(), ServiceError> {
    let event = rows::NewEvent {
        entity: "import",
        entity_id: job.id.0,
        event_type: "import.committed",
        data: serde_json::json!({
            "kind": spec.kind,
            "mode": spec.mode,
            "file_name": spec.file_name,
            "digest": spec.digest,
            "result": book::read::<Value>(&job.result)?,
        })
        .to_string(),
    };
    rows::insert_events(db, job.tenant(), &[event], by)?;
    spec.enter(Phase::Committed);
    job.spec = spec.text();
    Ok(())
}
