//! Imports as people ask for them: received, looked at, committed, canceled.

use crate::clock::Instant;
use crate::csv::columns::Kind;
use crate::csv::reader::Row;
use crate::csv::write::{self, Style};
use crate::ids::JobId;
use crate::service::jobs::book::{JobRow, Kind as JobKind, State};
use crate::service::jobs::run::{self, Runner};
use crate::service::{Scope, ServiceError, enroll, groups};
use crate::store::Db;
use crate::store::listing::{self, Found, Paging};
use crate::store::queries::imports as rows;
pub use crate::store::queries::imports::ImportRow;
use crate::store::queries::jobs::{self, NewJob};

pub use super::error::ImportError;
use super::spec::{Mode, Outcome, Phase, Place, Spec, permissions};
use super::survey;

/// How long a file may take to arrive.
const RECEIVING: i64 = 60 * 60 * 1000;

/// What people say of an import beside its file.
#[derive(Clone, Debug)]
pub struct Asked {
    pub kind: Kind,
    pub mode: Mode,
    pub max_change_pct: Option<i64>,
    pub atomic: bool,
    pub file_name: Option<String>,
    /// The SHA-256 of the file.
    pub digest: String,
}

/// Checks that the scope may import a kind of file. Errors: denied, plan.
pub fn check(db: &mut Db, scope: &Scope, kind: Kind) -> Result<(), ServiceError> {
    may(scope, kind)?;
    if matches!(kind, Kind::Members | Kind::Cohort | Kind::Assignments) {
        groups::require_plan(db, scope)?;
    }
    Ok(())
}

fn may(scope: &Scope, kind: Kind) -> Result<(), ServiceError> {
    match permissions(kind)
        .iter()
        .find(|needed| !scope.permissions.contains(**needed))
    {
        Some(lacking) => Err(ServiceError::Denied(format!(
            "do this: it lacks the scope `{lacking}`"
        ))),
        None => Ok(()),
    }
}

/// Begins an import whose rows arrive from now on. Errors: denied, plan, `invalid` mode.
pub fn begin(db: &mut Db, scope: &Scope, spec: &Spec) -> Result<JobId, ServiceError> {
    let kind = spec.kind();
    check(db, scope, kind)?;
    if spec.is_sync() && kind != Kind::Members {
        return Err(ServiceError::invalid(
            "/mode",
            "`sync` is for files of members",
        ));
    }
    let id = JobId::new();
    let permission = permissions(kind).first().map_or("", |first| first.as_str());
    let new = NewJob {
        id,
        kind: JobKind::Import.as_str(),
        state: State::Ready.as_str(),
        permission,
        subject: None,
        spec: spec.text(),
        place: Place::default().text(),
        total: None,
        expires_at: Some(scope.now.plus_millis(RECEIVING)),
    };
    let mut by = enroll::by(scope);
    // What an import writes says which import.
    by.request = crate::ids::RequestId(id.0);
    jobs::insert(db, scope.tenant, &new, &by)?;
    Ok(id)
}

/// Stores the next rows of a file.
pub fn stage(db: &mut Db, scope: &Scope, id: JobId, read: &[Row]) -> Result<(), ServiceError> {
    let staged: Vec<ImportRow> = read.iter().map(staged).collect();
    Ok(rows::put(db, scope.tenant, id, &staged)?)
}

fn staged(row: &Row) -> ImportRow {
    let (fields, outcome, error) = match &row.read {
        Ok(fields) => (
            serde_json::to_string(fields).unwrap_or_default(),
            Outcome::Staged,
            None,
        ),
        Err(error) => ("{}".to_owned(), Outcome::Error, Some(error.clone())),
    };
    let (code, detail) = error.map(|error| (error.code, error.detail)).unzip();
    ImportRow {
        line: i64::try_from(row.line).unwrap_or(i64::MAX),
        cells: serde_json::to_string(&row.cells).unwrap_or_default(),
        fields,
        outcome: outcome.as_str().to_owned(),
        code,
        detail,
        group_id: None,
        learner_id: None,
        user_id: None,
        course_id: None,
        assigns: false,
        due_date: None,
    }
}

/// Every row has arrived: the plan is to be made, by this runner if one is named.
pub fn received(
    db: &mut Db,
    scope: &Scope,
    id: JobId,
    count: i64,
    runner: Option<Runner>,
) -> Result<(), ServiceError> {
    let mut job = locked(db, scope, id)?;
    let mut spec = Spec::of(&job)?;
    spec.rows = count;
    replan(&mut job, &mut spec);
    jobs::save(db, &job, scope.now)?;
    hold(db, scope, id, runner)
}

fn hold(db: &mut Db, scope: &Scope, id: JobId, runner: Option<Runner>) -> Result<(), ServiceError> {
    match runner {
        Some(runner) => run::hold(db, runner, scope.tenant, id, scope.now),
        None => Ok(()),
    }
}

fn replan(job: &mut JobRow, spec: &mut Spec) {
    spec.enter(Phase::Planning);
    spec.plan = None;
    spec.state_hash = None;
    job.spec = spec.text();
    job.place = Place::default().text();
    job.done = 0;
    job.total = Some(spec.rows);
    State::Waiting.as_str().clone_into(&mut job.state);
    job.expire(None);
}

fn locked(db: &mut Db, scope: &Scope, id: JobId) -> Result<JobRow, ServiceError> {
    let job = jobs::find_for_update(db, scope.tenant, id)?
        .filter(|job| job.kind == JobKind::Import.as_str())
        .ok_or_else(|| ServiceError::not_found("Import", id))?;
    visible(scope, &job)?;
    Ok(job)
}

/// Who may not make an import does not learn that there is one.
fn visible(scope: &Scope, job: &JobRow) -> Result<(), ServiceError> {
    let kind = Spec::of(job)?.kind();
    may(scope, kind).map_err(|_| ServiceError::not_found("Import", job.id))
}

/// Reads an import. Errors: not found.
pub fn find(db: &mut Db, scope: &Scope, id: JobId) -> Result<(JobRow, Spec), ServiceError> {
    let job = jobs::find(db, scope.tenant, id)?
        .filter(|job| job.kind == JobKind::Import.as_str())
        .ok_or_else(|| ServiceError::not_found("Import", id))?;
    visible(scope, &job)?;
    let spec = Spec::of(&job)?;
    Ok((job, spec))
}

/// Where an import stands.
#[must_use]
pub fn phase(job: &JobRow, spec: &Spec) -> Phase {
    match State::parse(&job.state) {
        Some(State::Failed) => Phase::Failed,
        Some(State::Canceled) => Phase::Canceled,
        _ => Phase::parse(&spec.phase).unwrap_or(Phase::Failed),
    }
}

/// One page of an import's rows, in the order of the file; of one outcome if one is named.
pub fn page(
    db: &mut Db,
    scope: &Scope,
    id: JobId,
    outcomes: &[Outcome],
    paging: &Paging,
) -> Result<Found<ImportRow>, ServiceError> {
    find(db, scope, id)?;
    let outcomes: Vec<&str> = outcomes.iter().map(|one| one.as_str()).collect();
    Ok(rows::page(db, scope.tenant, id, &outcomes, paging)?)
}

/// The next refused rows behind a line as they stand in the file of errors, and the last line of them.
pub fn errors(
    db: &mut Db,
    scope: &Scope,
    id: JobId,
    (spec, style): (&Spec, Style),
    after: i64,
) -> Result<(String, Option<i64>), ServiceError> {
    let paging = Paging {
        after: Some(listing::Place::of(after, uuid::Uuid::nil())),
        ..Paging::first(1000)
    };
    let found = page(db, scope, id, &[Outcome::Error], &paging)?.rows;
    let mut text = String::new();
    for row in &found {
        error_line(&mut text, style, spec, row);
    }
    Ok((text, found.last().map(|row| row.line)))
}

/// The first rows that change something.
pub fn changes(
    db: &mut Db,
    scope: &Scope,
    id: JobId,
    limit: i64,
) -> Result<Vec<ImportRow>, ServiceError> {
    find(db, scope, id)?;
    Ok(rows::changing(db, scope.tenant, id, limit)?)
}

/// The header of the file of refused rows: the file's own, and `error`.
pub fn error_header(out: &mut String, style: Style, spec: &Spec) {
    let mut header: Vec<&str> = spec.header.iter().map(String::as_str).collect();
    // A file of errors that was sent again has the column already.
    header.retain(|cell| !cell.eq_ignore_ascii_case("error"));
    header.push("error");
    write::line(out, style, header);
}

/// A line of the file of refused rows.
pub fn error_line(out: &mut String, style: Style, spec: &Spec, row: &ImportRow) {
    let mut cells: Vec<String> = serde_json::from_str(&row.cells).unwrap_or_default();
    cells.resize(spec.header.len(), String::new());
    let mut kept: Vec<String> = spec
        .header
        .iter()
        .zip(cells)
        .filter(|(header, _)| !header.eq_ignore_ascii_case("error"))
        .map(|(_, cell)| cell)
        .collect();
    let (code, detail) = (row.code.as_deref(), row.detail.as_deref());
    kept.push(format!(
        "line {}: {}: {}",
        row.line,
        code.unwrap_or("error"),
        detail.unwrap_or_default()
    ));
    write::line(out, style, kept);
}

/// What became of the wish to commit.
#[derive(Clone, Debug)]
pub enum Commit {
    /// It is being done.
    Begun,
    /// It was done before: nothing new.
    Before,
    /// A new plan is being made.
    Stale(&'static str),
}

/// Begins to commit a plan; one of at most `most` rows is this runner's to do. Errors: not found, not ready, to be confirmed.
pub fn commit(
    db: &mut Db,
    scope: &Scope,
    id: JobId,
    confirmed: bool,
    (runner, most): (Runner, i64),
) -> Result<Commit, ServiceError> {
    let mut job = locked(db, scope, id)?;
    let mut spec = Spec::of(&job)?;
    let runner = (spec.rows <= most).then_some(runner);
    check(db, scope, spec.kind())?;
    match phase(&job, &spec) {
        Phase::Committing | Phase::Committed => return Ok(Commit::Before),
        Phase::Planned => {}
        other => {
            return Err(ServiceError::Import(ImportError::NotReady {
                phase: other.to_string(),
            }));
        }
    }
    let stale = if job.expires_at().is_some_and(|end| end <= scope.now) {
        Some("the plan is older than a day")
    } else if spec.state_hash != Some(survey::state_hash(db, scope.tenant, id)?) {
        Some("the groups have changed since the plan was made")
    } else {
        None
    };
    if let Some(why) = stale {
        replan(&mut job, &mut spec);
        jobs::save(db, &job, scope.now)?;
        hold(db, scope, id, runner)?;
        return Ok(Commit::Stale(why));
    }
    let pct = spec.plan.as_ref().map_or(0, super::spec::Plan::change_pct);
    if spec.is_sync() && pct > spec.max_change_pct && !confirmed {
        return Err(ServiceError::Import(ImportError::Confirm {
            pct,
            most: spec.max_change_pct,
        }));
    }
    spec.enter(Phase::Committing);
    spec.committed_at = Some(scope.now.0);
    job.spec = spec.text();
    job.place = Place::default().text();
    job.done = 0;
    State::Waiting.as_str().clone_into(&mut job.state);
    job.expire(None);
    jobs::save(db, &job, scope.now)?;
    hold(db, scope, id, runner)?;
    Ok(Commit::Begun)
}

/// Gives up an import; what is committed stays. Errors: not found, over already.
pub fn cancel(db: &mut Db, scope: &Scope, id: JobId) -> Result<(), ServiceError> {
    let mut job = locked(db, scope, id)?;
    let spec = Spec::of(&job)?;
    match phase(&job, &spec) {
        Phase::Canceled => Ok(()),
        Phase::Receiving | Phase::Planning | Phase::Planned | Phase::Committing => {
            State::Canceled.as_str().clone_into(&mut job.state);
            job.expire(Some(
                scope.now.plus_millis(crate::service::jobs::book::KEPT),
            ));
            Ok(jobs::save(db, &job, scope.now)?)
        }
        over @ (Phase::Committed | Phase::Failed) => {
            Err(ServiceError::Import(ImportError::NotReady {
                phase: over.to_string(),
            }))
        }
    }
}

/// A file that broke off while it was read: its rows are to be forgotten.
pub fn abandon(db: &mut Db, scope: &Scope, id: JobId, now: Instant) -> Result<(), ServiceError> {
    let mut job = locked(db, scope, id)?;
    State::Canceled.as_str().clone_into(&mut job.state);
    job.expire(Some(now));
    Ok(jobs::save(db, &job, now)?)
}
