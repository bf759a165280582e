//! An import as people see it: its file, its plan (A5), what became of its rows.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::clock::Instant;
use crate::csv::columns::Kind;
use crate::csv::delimiter;
use crate::ids::JobId;
use crate::service::imports::book::{self, ImportRow};
use crate::service::imports::spec::{Mode, Outcome, Phase, Plan, Spec};
use crate::service::jobs::book::JobRow;

/// A file that was read, and what becomes of its rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct Import {
    pub id: JobId,
    pub kind: Kind,
    pub state: Phase,
    pub mode: Mode,
    pub max_change_pct: i64,
    pub atomic: bool,
    pub file: ImportedFile,
    /// Rows of the file.
    pub total: i64,
    /// How many of them the present phase has gone through.
    pub done: i64,
    pub plan: Option<ImportPlan>,
    /// What a commit has done so far: rows by outcome, enrollments.
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    /// The refused rows with the reason, to be corrected and sent again.
    pub errors_url: Option<String>,
    pub rows_url: String,
    pub error: Option<String>,
    pub by: String,
    pub created_at: Instant,
    pub committed_at: Option<Instant>,
}

/// How a file was read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedFile {
    pub name: Option<String>,
    pub encoding: String,
    pub delimiter: String,
    /// Our name of each column that is read, and the file's.
    pub columns: Vec<ReadColumn>,
    pub ignored_columns: Vec<String>,
    /// `encoding_guessed`, `columns_ignored`.
    pub notes: Vec<String>,
    pub sha256: String,
}

/// A column that is read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadColumn {
    pub column: String,
    pub header: String,
}

/// What committing would do (A5).
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportPlan {
    pub plan_id: JobId,
    pub expires_at: Option<Instant>,
    pub summary: Summary,
    /// The first changes; every row's outcome stands in `rows_url`.
    pub changes: Vec<Change>,
    /// Codes with how many rows they are about.
    pub warnings: Vec<PlanWarning>,
    pub state_hash: String,
}

/// A plan in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Summary {
    /// Rows by outcome.
    #[schema(value_type = Object)]
    pub rows: Value,
    pub learners_affected: i64,
    pub learners: Made,
    pub groups: Made,
    pub assignments: Made,
    pub completions: Made,
    pub memberships: MembershipChanges,
    pub enrollments: EnrollmentChanges,
    pub cycles_opened: i64,
    pub becomes_overdue: i64,
    pub becomes_expired: i64,
    pub emails: i64,
}

/// How many are made.
#[derive(Debug, Serialize, ToSchema)]
pub struct Made {
    pub create: i64,
}

/// Memberships that begin, end, and wait.
#[derive(Debug, Serialize, ToSchema)]
pub struct MembershipChanges {
    pub add: i64,
    pub end: i64,
    pub pend: i64,
}

/// Enrollments that are made or kept. None is ever removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnrollmentChanges {
    pub create: i64,
    pub keep: i64,
    pub remove: i64,
}

/// What a row changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Change {
    pub line: i64,
    pub outcome: Outcome,
    #[schema(value_type = Object)]
    pub row: Value,
}

/// What a person should know before they commit.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanWarning {
    pub code: String,
    pub count: i64,
}

/// What becomes of a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowOutcome {
    pub line: i64,
    pub outcome: Outcome,
    pub code: Option<String>,
    pub detail: Option<String>,
    /// The cells as they stand in the file.
    pub cells: Vec<String>,
}

impl From<&ImportRow> for RowOutcome {
    fn from(row: &ImportRow) -> Self {
        Self {
            line: row.line,
            outcome: Outcome::parse(&row.outcome).unwrap_or(Outcome::Error),
            code: row.code.clone(),
            detail: row.detail.clone(),
            cells: serde_json::from_str(&row.cells).unwrap_or_default(),
        }
    }
}

fn summary(plan: &Plan) -> Summary {
    Summary {
        rows: json!(plan.rows),
        learners_affected: plan.learners_affected,
        learners: Made {
            create: plan.learners_created,
        },
        groups: Made {
            create: plan.groups_created,
        },
        assignments: Made {
            create: plan.assignments_created,
        },
        completions: Made {
            create: plan.completions_recorded,
        },
        memberships: MembershipChanges {
            add: plan.memberships_added,
            end: plan.memberships_ended,
            pend: plan.memberships_pended,
        },
        enrollments: EnrollmentChanges {
            create: plan.enrollments_created,
            keep: plan.enrollments_kept,
            remove: 0,
        },
        cycles_opened: plan.cycles_opened,
        becomes_overdue: plan.becomes_overdue,
        becomes_expired: 0,
        emails: 0,
    }
}

fn warnings(plan: &Plan) -> Vec<PlanWarning> {
    [
        ("member_pending_approval", plan.memberships_pended),
        ("due_date_in_past", plan.becomes_overdue),
        ("rows_refused", plan.count(Outcome::Error)),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(code, count)| PlanWarning {
        code: code.to_owned(),
        count,
    })
    .collect()
}

/// An import with its first changes.
pub(super) fn show(job: &JobRow, spec: &Spec, changes: &[ImportRow]) -> Import {
    let phase = book::phase(job, spec);
    let plan = spec.plan.as_ref().map(|plan| ImportPlan {
        plan_id: job.id,
        expires_at: job.expires_at().filter(|_| phase == Phase::Planned),
        summary: summary(plan),
        changes: changes
            .iter()
            .map(|row| Change {
                line: row.line,
                outcome: Outcome::parse(&row.outcome).unwrap_or(Outcome::Error),
                row: serde_json::from_str(&row.fields).unwrap_or_default(),
            })
            .collect(),
        warnings: warnings(plan),
        state_hash: spec.state_hash.clone().unwrap_or_default(),
    });
    let refused = spec
        .plan
        .as_ref()
        .is_some_and(|plan| plan.count(Outcome::Error) > 0);
    Import {
        id: job.id,
        kind: spec.kind(),
        state: phase,
        mode: Mode::parse(&spec.mode).unwrap_or(Mode::AddOnly),
        max_change_pct: spec.max_change_pct,
        atomic: spec.atomic,
        file: ImportedFile {
            name: spec.file_name.clone(),
            encoding: spec.encoding.clone(),
            delimiter: delimiter::name(spec.delimiter).to_owned(),
            columns: spec
                .columns
                .iter()
                .map(|(column, header)| ReadColumn {
                    column: column.clone(),
                    header: header.clone(),
                })
                .collect(),
            ignored_columns: spec.ignored.clone(),
            notes: spec.notes.clone(),
            sha256: spec.digest.clone(),
        },
        total: spec.rows,
        done: job.done,
        plan,
        result: spec
            .committed_at
            .map(|_| serde_json::from_str(&job.result).unwrap_or_default()),
        errors_url: refused.then(|| format!("/api/v1/imports/{}/errors.csv", job.id)),
        rows_url: format!("/api/v1/imports/{}/rows", job.id),
        error: job.error.clone(),
        by: job.actor.clone(),
        created_at: job.created_at,
        committed_at: spec.committed_at.map(Instant),
    }
}
