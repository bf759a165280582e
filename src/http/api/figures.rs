//! What reports are made of and asked by: counts, rates, their lines, the instant they are about (`learning-domain.md` §3.3).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::Call;
use super::enrollments::Standing;
use super::need::Need;
use crate::clock::Instant;
use crate::ids::{AssignmentId, CourseId, EnrollmentId, GroupId, LearnerId};
use crate::learning::figures::Tally;
use crate::learning::membership::State;
use crate::service::compliance::{self, Figures, GroupFigures, MemberProgress, Question};
use crate::service::obligations::AsOf;

/// How many members a group has in each state, and how many courses.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupCounts {
    pub active: i64,
    pub pending: i64,
    pub dormant: i64,
    pub courses: i64,
}

/// Whether a report of the past knows what was recorded later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Knowledge {
    Then,
    #[default]
    Now,
}

pub(super) fn question<N: Need>(
    call: &Call<N>,
    strict: Option<bool>,
    at: Option<Instant>,
    knowledge: Option<Knowledge>,
) -> Question {
    let at = call.as_of(at);
    Question {
        as_of: AsOf {
            at,
            known_then: knowledge == Some(Knowledge::Then),
            past: at < call.scope.now,
        },
        strict: strict.unwrap_or(false),
    }
}

/// How many obligations stand how.
#[derive(Debug, Serialize, ToSchema)]
pub struct Counts {
    /// Met, of all but the waived; null when there is none.
    pub rate: Option<f64>,
    /// Met or still in time.
    pub on_track_rate: Option<f64>,
    pub compliant: i64,
    pub expiring: i64,
    /// Of the expiring ones, those in extra time.
    pub in_grace: i64,
    pub in_progress: i64,
    pub not_started: i64,
    pub overdue: i64,
    pub expired: i64,
    pub waived: i64,
    /// The denominator: all but the waived.
    pub obligations: i64,
}

impl From<&Tally> for Counts {
    fn from(tally: &Tally) -> Self {
        Self {
            rate: tally.compliance().rate(),
            on_track_rate: tally.on_track().rate(),
            compliant: tally.compliant,
            expiring: tally.expiring,
            in_grace: tally.in_grace,
            in_progress: tally.in_progress,
            not_started: tally.not_started,
            overdue: tally.overdue,
            expired: tally.expired,
            waived: tally.waived,
            obligations: tally.obligations(),
        }
    }
}

/// Mandatory and optional obligations, and the mean progress of both.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportFigures {
    pub mandatory: Counts,
    pub optional: Counts,
    pub progress: Option<f64>,
}

impl From<&Figures> for ReportFigures {
    fn from(figures: &Figures) -> Self {
        Self {
            mandatory: Counts::from(&figures.mandatory),
            optional: Counts::from(&figures.optional),
            progress: figures.progress().rate(),
        }
    }
}

/// One course of a group in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct CourseCompliance {
    pub assignment_id: AssignmentId,
    pub course_id: CourseId,
    pub title: String,
    pub mandatory: bool,
    pub figures: ReportFigures,
}

/// A group in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupCompliance {
    pub group_id: GroupId,
    pub name: String,
    pub as_of: Instant,
    pub total: ReportFigures,
    /// The share of members whose every mandatory obligation is met or waived.
    pub fully_compliant_rate: Option<f64>,
    pub courses: Vec<CourseCompliance>,
    /// Pending and dormant members stand outside every number above.
    pub counts: GroupCounts,
}

impl GroupCompliance {
    pub(super) fn of(figures: &GroupFigures, as_of: Instant) -> Self {
        let course = |one: &compliance::CourseFigures| CourseCompliance {
            assignment_id: one.assignment_id,
            course_id: one.course_id,
            title: one.title.clone(),
            mandatory: one.mandatory,
            figures: ReportFigures::from(&one.figures),
        };
        Self {
            group_id: figures.group_id,
            name: figures.name.clone(),
            as_of,
            total: ReportFigures::from(&figures.total),
            fully_compliant_rate: figures.fully_compliant.rate(),
            courses: figures.courses.iter().map(course).collect(),
            counts: GroupCounts {
                active: figures.counts.active,
                pending: figures.counts.pending,
                dormant: figures.counts.dormant,
                courses: i64::try_from(figures.courses.len()).unwrap_or(i64::MAX),
            },
        }
    }
}

/// One course of one member.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgressCell {
    pub course_id: CourseId,
    pub title: String,
    pub assignment_id: AssignmentId,
    pub enrollment_id: EnrollmentId,
    pub mandatory: bool,
    pub progress_pct: i64,
    pub standing: Standing,
}

/// One member with every course of the group.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgressRow {
    pub learner_id: LearnerId,
    pub name: String,
    pub state: State,
    pub courses: Vec<ProgressCell>,
}

impl ProgressRow {
    /// As it is shown; `strict` counts extra time as expired.
    pub(super) fn of(row: &MemberProgress, strict: bool) -> Self {
        let cell = |one: &compliance::Cell| ProgressCell {
            course_id: one.course_id,
            title: one.title.clone(),
            assignment_id: one.assignment_id,
            enrollment_id: one.enrollment_id,
            mandatory: one.mandatory,
            progress_pct: one.progress_pct,
            standing: Standing {
                status: if strict {
                    one.judgment.strict()
                } else {
                    one.judgment.status
                },
                ..Standing::from(&one.judgment)
            },
        };
        Self {
            learner_id: row.learner_id,
            name: row.name.clone(),
            state: row.state,
            courses: row.courses.iter().map(cell).collect(),
        }
    }
}

/// One line of the report: a group, a course, a department or a manager's people.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportLine {
    /// Of the group, the course or the manager's account.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub id: Option<uuid::Uuid>,
    /// Empty: people without one.
    pub name: String,
    pub figures: ReportFigures,
}

/// The tenant in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct TenantReport {
    pub as_of: Instant,
    pub total: ReportFigures,
    pub lines: Vec<ReportLine>,
}
