//! Lists as CSV lines, a page at a time. What an import reads has the same column names.

use uuid::Uuid;

use crate::clock::Instant;
use crate::ids::LearnerId;
use crate::learning::membership::State;
use crate::store::Db;
use crate::store::listing::{Paging, Place};
use crate::store::queries::exports as rows;
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

impl What {
    /// The first line.
    #[must_use]
    pub const fn header(self) -> &'static [&'static str] {
        match self {
            Self::Learners => &[
                "user_name",
                "email",
                "external_id",
                "display_name",
                "active",
                "registration",
                "approval",
                "registered_via",
                "created_at",
                "approved_at",
                "learner_id",
            ],
            Self::Members(_) | Self::AllMembers => &[
                "group",
                "external_id",
                "user_name",
                "email",
                "display_name",
                "state",
                "source",
                "since",
            ],
            Self::Enrollments => &[
                "user_name",
                "email",
                "display_name",
                "course_code",
                "course_title",
                "enrolled_at",
                "withdrawn_at",
                "enrollment_id",
            ],
            Self::SyncRequests => &[
                "at",
                "method",
                "path",
                "operation",
                "outcome",
                "http_status",
                "scim_type",
                "resource",
                "detail",
                "request_id",
            ],
        }
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
            cells: cells(what, row),
        })
        .collect())
}

fn cells(what: What, row: rows::Line) -> Vec<String> {
    let at = |millis: Option<i64>| millis.map(|at| Instant(at).to_string()).unwrap_or_default();
    let key = row.key().to_string();
    let truth = row.t.unwrap_or(false).to_string();
    let number = row.m.map(|m| m.to_string()).unwrap_or_default();
    let [a, b, c, d, e, f, g] =
        [row.a, row.b, row.c, row.d, row.e, row.f, row.g].map(Option::unwrap_or_default);
    match what {
        What::Learners => vec![a, b, c, d, truth, e, f, g, at(row.n), at(row.m), key],
        What::Members(_) | What::AllMembers => vec![a, b, c, d, e, g, f, at(row.n)],
        What::Enrollments => vec![a, b, c, d, e, at(row.n), at(row.m), key],
        What::SyncRequests => vec![at(row.n), a, b, c, d, number, g, e, f, key],
    }
}

/// The columns of completions: what an import of completions reads, then what else is on record.
pub const COMPLETIONS: &[&str] = &[
    "id",
    "email",
    "display_name",
    "former",
    "course_code",
    "course_title",
    "completed_at",
    "score",
    "evidence",
    "source",
    "source_ref",
    "recorded_at",
    "recorded_by",
    "voided_at",
    "void_reason",
    "completion_id",
];

/// The page of completions behind a key, those of former learners and voided ones included; empty at the end.
pub fn completions(
    db: &mut Db,
    scope: &Scope,
    after: Option<Uuid>,
) -> Result<Vec<Line>, ServiceError> {
    let at = |millis: Option<i64>| millis.map(|at| Instant(at).to_string()).unwrap_or_default();
    let rows = rows::completions(db, scope.tenant, after, PAGE)?;
    let line = |rows::CompletionLine {
                    completion: row,
                    email,
                    course_code,
                }| Line {
        key: row.id.0,
        cells: vec![
            row.learner_id.to_string(),
            email.unwrap_or_default(),
            row.learner_name,
            row.former.to_string(),
            course_code.unwrap_or_default(),
            row.course_title,
            at(Some(row.completed_at)),
            row.score.map(hundredths).unwrap_or_default(),
            row.evidence_ref.unwrap_or_default(),
            row.source,
            row.source_ref.unwrap_or_default(),
            at(Some(row.recorded_at)),
            row.recorded_by,
            at(row.voided_at),
            row.void_reason.unwrap_or_default(),
            row.id.to_string(),
        ],
    };
    Ok(rows.into_iter().map(line).collect())
}

fn hundredths(score: i64) -> String {
    format!("{}.{:02}", score / 100, score % 100)
}

/// The columns of audit events.
pub const EVENTS: &[&str] = &[
    "at",
    "actor",
    "type",
    "entity",
    "entity_id",
    "data",
    "request_id",
    "event_id",
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
    let line = |AuditRow {
                    event,
                    entity,
                    entity_id,
                }| Line {
        key: event.id.0,
        cells: vec![
            Instant(event.at).to_string(),
            event.actor,
            event.event_type,
            entity,
            entity_id.to_string(),
            event.data,
            event.request_id.to_string(),
            event.id.to_string(),
        ],
    };
    Ok(rows.into_iter().map(line).collect())
}

/// The columns of the compliance matrix.
pub const MATRIX: &[&str] = &[
    "email",
    "display_name",
    "state",
    "group",
    "course_title",
    "mandatory",
    "status",
    "in_grace",
    "due",
    "valid_until",
    "progress_pct",
    "required_since",
    "learner_id",
    "course_id",
];

/// The obligations of the next learners, a line each, and where the next page begins; `None` at the end.
pub fn matrix(
    db: &mut Db,
    scope: &Scope,
    question: Question,
    keep: impl Fn(&MatrixRow) -> bool,
    after: Option<LearnerId>,
) -> Result<Option<(Vec<Line>, LearnerId)>, ServiceError> {
    let Some((rows, upto)) = reports::matrix(db, scope, question, after)? else {
        return Ok(None);
    };
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let line = |row: MatrixRow| {
        let status = row.status(question);
        let cells = vec![
            row.email.unwrap_or_default(),
            row.learner_name,
            State::as_str(row.state).to_owned(),
            row.group,
            row.course,
            row.mandatory.to_string(),
            status.to_string(),
            row.judgment.in_grace.to_string(),
            day(row.judgment.due),
            day(row.judgment.valid_until),
            row.progress_pct.to_string(),
            Instant(row.required_since).to_string(),
            row.learner_id.to_string(),
            row.course_id.to_string(),
        ];
        Line {
            key: row.learner_id.0,
            cells,
        }
    };
    let lines = rows.into_iter().filter(|row| keep(row)).map(line).collect();
    Ok(Some((lines, upto)))
}
