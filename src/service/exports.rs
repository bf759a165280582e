//! Lists as CSV lines, a page at a time. What an import reads has the same column names.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::clock::Instant;
use crate::csv::write::{self, Column};
use crate::ids::LearnerId;
use crate::learning::membership::State;
use crate::learning::obligation::Status;
use crate::store::Db;
use crate::store::listing::{Paging, Place};
use crate::store::queries::exports as rows;
use crate::store::queries::exports::CompletionLine;
pub use crate::store::queries::exports::List as What;

use super::audit::{self, AuditRow, EventFilter};
use super::compliance::Question;
use super::reports::{self, MatrixRow};
use super::{Scope, ServiceError};

/// How many lines a page has.
const PAGE: i64 = 1000;

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    pub key: Uuid,
    pub cells: Vec<String>,
}

const LEARNERS: &[Column<rows::Line>] = &[
    ("user_name", |line| text(&line.a)),
    ("email", |line| text(&line.b)),
    ("external_id", |line| text(&line.c)),
    ("display_name", |line| text(&line.d)),
    ("active", |line| line.t.unwrap_or(false).to_string()),
    ("registration", |line| text(&line.e)),
    ("approval", |line| text(&line.f)),
    ("registered_via", |line| text(&line.g)),
    ("created_at", |line| at(line.n)),
    ("approved_at", |line| at(line.m)),
    ("learner_id", |line| line.key().to_string()),
];

const MEMBERS: &[Column<rows::Line>] = &[
    ("group", |line| text(&line.a)),
    ("external_id", |line| text(&line.b)),
    ("user_name", |line| text(&line.c)),
    ("email", |line| text(&line.d)),
    ("display_name", |line| text(&line.e)),
    ("state", |line| text(&line.g)),
    ("source", |line| text(&line.f)),
    ("since", |line| at(line.n)),
];

const ENROLLMENTS: &[Column<rows::Line>] = &[
    ("user_name", |line| text(&line.a)),
    ("email", |line| text(&line.b)),
    ("display_name", |line| text(&line.c)),
    ("course_code", |line| text(&line.d)),
    ("course_title", |line| text(&line.e)),
    ("enrolled_at", |line| at(line.n)),
    ("withdrawn_at", |line| at(line.m)),
    ("enrollment_id", |line| line.key().to_string()),
];

const SYNC_REQUESTS: &[Column<rows::Line>] = &[
    ("at", |line| at(line.n)),
    ("method", |line| text(&line.a)),
    ("path", |line| text(&line.b)),
    ("operation", |line| text(&line.c)),
    ("outcome", |line| text(&line.d)),
    ("http_status", |line| {
        line.m.map(|status| status.to_string()).unwrap_or_default()
    }),
    ("scim_type", |line| text(&line.g)),
    ("resource", |line| text(&line.e)),
    ("detail", |line| text(&line.f)),
    ("request_id", |line| line.key().to_string()),
];

fn text(text: &Option<String>) -> String {
    text.clone().unwrap_or_default()
}

fn at(millis: Option<i64>) -> String {
    millis.map(|at| Instant(at).to_string()).unwrap_or_default()
}

fn day(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

impl What {
    const fn columns(self) -> &'static [Column<rows::Line>] {
        match self {
            Self::Learners => LEARNERS,
            Self::Members(_) | Self::AllMembers => MEMBERS,
            Self::Enrollments => ENROLLMENTS,
            Self::SyncRequests => SYNC_REQUESTS,
        }
    }

    /// The first line.
    #[must_use]
    pub fn header(self) -> Vec<&'static str> {
        write::names(self.columns())
    }
}

/// The page of a list behind a key; empty at the end.
pub fn page(
    db: &mut Db,
    scope: &Scope,
    what: What,
    after: Option<Uuid>,
) -> Result<Vec<Line>, ServiceError> {
    let rows = rows::page(db, scope.tenant, what, after, PAGE)?;
    Ok(rows
        .into_iter()
        .map(|row| Line {
            key: row.key(),
            cells: write::cells(what.columns(), &row),
        })
        .collect())
}

/// The columns of completions: what an import of completions reads, then what else is on record.
pub const COMPLETIONS: &[Column<CompletionLine>] = &[
    ("id", |line| line.completion.learner_id.to_string()),
    ("email", |line| text(&line.email)),
    ("display_name", |line| line.completion.learner_name.clone()),
    ("former", |line| line.completion.former.to_string()),
    ("course_code", |line| text(&line.course_code)),
    ("course_title", |line| line.completion.course_title.clone()),
    ("completed_at", |line| {
        at(Some(line.completion.completed_at))
    }),
    ("score", |line| {
        line.completion.score.map(hundredths).unwrap_or_default()
    }),
    ("evidence", |line| text(&line.completion.evidence_ref)),
    ("source", |line| line.completion.source.clone()),
    ("source_ref", |line| text(&line.completion.source_ref)),
    ("recorded_at", |line| at(Some(line.completion.recorded_at))),
    ("recorded_by", |line| line.completion.recorded_by.clone()),
    ("voided_at", |line| at(line.completion.voided_at)),
    ("void_reason", |line| text(&line.completion.void_reason)),
    ("completion_id", |line| line.completion.id.to_string()),
];

/// The page of completions behind a key, those of former learners and voided ones included; empty at the end.
pub fn completions(
    db: &mut Db,
    scope: &Scope,
    after: Option<Uuid>,
) -> Result<Vec<Line>, ServiceError> {
    let rows = rows::completions(db, scope.tenant, after, PAGE)?;
    let line = |row: &CompletionLine| Line {
        key: row.completion.id.0,
        cells: write::cells(COMPLETIONS, row),
    };
    Ok(rows.iter().map(line).collect())
}

fn hundredths(score: i64) -> String {
    format!("{}.{:02}", score / 100, score % 100)
}

/// The columns of audit events.
pub const EVENTS: &[Column<AuditRow>] = &[
    ("at", |row| Instant(row.event.at).to_string()),
    ("actor", |row| row.event.actor.clone()),
    ("type", |row| row.event.event_type.clone()),
    ("entity", |row| row.entity.clone()),
    ("entity_id", |row| row.entity_id.to_string()),
    ("data", |row| row.event.data.clone()),
    ("request_id", |row| row.event.request_id.to_string()),
    ("event_id", |row| row.event.id.to_string()),
];

/// The page of audit events behind a key, oldest first; empty at the end.
pub fn events(
    db: &mut Db,
    scope: &Scope,
    filter: &EventFilter,
    after: Option<Uuid>,
) -> Result<Vec<Line>, ServiceError> {
    let paging = Paging {
        after: after.map(Place::id),
        ..Paging::first(PAGE)
    };
    let rows = audit::page(db, scope, filter, false, &paging)?.rows;
    let line = |row: &AuditRow| Line {
        key: row.event.id.0,
        cells: write::cells(EVENTS, row),
    };
    Ok(rows.iter().map(line).collect())
}

/// The columns of the compliance matrix.
pub const MATRIX: &[Column<(MatrixRow, Status)>] = &[
    ("email", |(row, _)| text(&row.email)),
    ("display_name", |(row, _)| row.learner_name.clone()),
    ("state", |(row, _)| State::as_str(row.state).to_owned()),
    ("group", |(row, _)| row.group.clone()),
    ("course_title", |(row, _)| row.course.clone()),
    ("mandatory", |(row, _)| row.mandatory.to_string()),
    ("status", |(_, status)| status.to_string()),
    ("in_grace", |(row, _)| row.judgment.in_grace.to_string()),
    ("due", |(row, _)| day(row.judgment.due)),
    ("valid_until", |(row, _)| day(row.judgment.valid_until)),
    ("progress_pct", |(row, _)| row.progress_pct.to_string()),
    ("required_since", |(row, _)| {
        Instant(row.required_since).to_string()
    }),
    ("learner_id", |(row, _)| row.learner_id.to_string()),
    ("course_id", |(row, _)| row.course_id.to_string()),
];

/// The obligations of the next learners, a line each, and where the next page begins; `None` at the end.
pub fn matrix(
    db: &mut Db,
    scope: &Scope,
    question: Question,
    keep: impl Fn(Status) -> bool,
    after: Option<LearnerId>,
) -> Result<Option<(Vec<Line>, LearnerId)>, ServiceError> {
    let Some((rows, upto)) = reports::matrix(db, scope, question, after)? else {
        return Ok(None);
    };
    let judged = rows.into_iter().map(|row| {
        let status = row.status(question);
        (row, status)
    });
    let line = |one: (MatrixRow, Status)| Line {
        key: one.0.learner_id.0,
        cells: write::cells(MATRIX, &one),
    };
    let lines = judged.filter(|(_, status)| keep(*status)).map(line);
    Ok(Some((lines.collect(), upto)))
}
