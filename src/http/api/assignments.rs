//! `/groups/{id}/assignments` and `/assignments/{id}`. Removing never un-enrolls (S-12).

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Body, Call};
use super::input::present;
use super::members::Warning;
use super::need;
use super::page::{Page, PageQuery};
use super::reply::Reply;
use crate::clock::Instant;
use crate::ids::{AssignmentId, CourseId, GroupId};
use crate::learning::assignment::{Due, Options};
use crate::learning::course::CourseStatus;
use crate::service::assignments::{self, AssignmentRow, EditHow};
use crate::service::listing::Place;
use crate::service::{ServiceError, groups};

/// When a course is to be completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DueDate {
    /// On a calendar date in the tenant's time zone, inclusive.
    Date { date: chrono::NaiveDate },
    /// Days after the obligation starts.
    Relative {
        #[schema(minimum = 0, maximum = 3650)]
        days: u16,
    },
}

impl DueDate {
    pub(super) fn of(due: Due) -> Option<Self> {
        match due {
            Due::None => None,
            Due::Date(date) => Some(Self::Date { date }),
            Due::Relative(days) => Some(Self::Relative { days }),
        }
    }
}

impl From<Option<DueDate>> for Due {
    fn from(due: Option<DueDate>) -> Self {
        match due {
            None => Self::None,
            Some(DueDate::Date { date }) => Self::Date(date),
            Some(DueDate::Relative { days }) => Self::Relative(days),
        }
    }
}

/// A course assigned to a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct Assignment {
    pub id: AssignmentId,
    pub group_id: GroupId,
    pub course: AssignedCourse,
    pub mandatory: bool,
    pub due: Option<DueDate>,
    /// Complete it again every so many months.
    pub recert_months: Option<i64>,
    pub version: i64,
    /// How far a job is that enrolls a large group; null: everybody owed the course is enrolled.
    pub enrolling: Option<Enrolling>,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// What the assignment did, in the answer to `POST`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrollment: Option<Enrolled>,
    /// What an edit meant for the members of today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<EditImpact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<Warning>>,
}

/// What an edit meant for the members of today.
#[derive(Debug, Serialize, ToSchema)]
pub struct EditImpact {
    pub becomes_overdue: i64,
    /// Learners whose certificate would have lapsed; they have until `renew_by`.
    pub extended: i64,
    pub renew_by: Option<chrono::NaiveDate>,
}

/// How many members of how many a job has looked at.
#[derive(Debug, Serialize, ToSchema)]
pub struct Enrolling {
    pub done: i64,
    pub total: Option<i64>,
}

/// The course of an assignment.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssignedCourse {
    pub id: CourseId,
    pub title: String,
    pub status: CourseStatus,
}

/// How many members were enrolled, were enrolled before, and wait.
#[derive(Debug, Serialize, ToSchema)]
pub struct Enrolled {
    pub created: i64,
    pub kept: i64,
    pub pending: i64,
}

impl From<&AssignmentRow> for Assignment {
    fn from(row: &AssignmentRow) -> Self {
        Self {
            id: row.id,
            group_id: row.group_id,
            course: AssignedCourse {
                id: row.course_id,
                title: row.course_title.clone(),
                status: CourseStatus::parse(&row.course_status).unwrap_or(CourseStatus::Draft),
            },
            mandatory: row.mandatory,
            due: DueDate::of(row.due()),
            recert_months: row.recert_months,
            version: row.version,
            enrolling: row
                .enrolling()
                .map(|(done, total)| Enrolling { done, total }),
            created_at: Instant(row.created_at),
            updated_at: Instant(row.modified_at),
            enrollment: None,
            impact: None,
            warnings: None,
        }
    }
}

fn warnings(codes: &[&'static str]) -> Option<Vec<Warning>> {
    let warning = |code: &&str| Warning {
        code: (*code).to_owned(),
        path: None,
    };
    Some(codes.iter().map(warning).collect())
}

/// What a list of assignments is about.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListAssignments {
    /// The courses the group had at this instant, on the terms of then; now unless told.
    #[param(inline)]
    pub as_of: Option<Instant>,
}

/// List a group's courses.
#[utoipa::path(get, path = "/groups/{id}/assignments", tag = "Assignments", params(("id" = GroupId, Path), ListAssignments, PageQuery),
    security(("token" = ["groups:read"])),
    responses((status = 200, description = "A page of assignments.", body = Page<Assignment>)))]
pub async fn list(call: Call<need::GroupsRead>) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let (asked, page): (ListAssignments, _) = call.listed()?;
    let list = call.list(page, "")?;
    let paging = list.paging.clone();
    let found = call
        .read(move |db, scope| assignments::list(db, scope, id, asked.as_of, &paging))
        .await?;
    let place = |row: &AssignmentRow| Place::id(row.id.0);
    Ok(call.page(found, &list, place, |row| Assignment::from(row)))
}

/// A course for a group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"course_id": "0199a2aa-0000-7000-8000-000000000001", "mandatory": true, "due": {"kind": "date", "date": "2027-03-31"}, "recert_months": 12}))]
pub struct NewAssignment {
    pub course_id: CourseId,
    #[serde(default)]
    pub mandatory: bool,
    #[serde(default)]
    pub due: Option<DueDate>,
    /// 1 to 120.
    #[serde(default)]
    pub recert_months: Option<i64>,
}

/// Assign a course; every member who is owed it is enrolled at once.
#[utoipa::path(post, path = "/groups/{id}/assignments", tag = "Assignments", params(("id" = GroupId, Path)),
    request_body = NewAssignment, security(("token" = ["assignments:write"])),
    responses((status = 201, description = "The assignment and what it did.", body = Assignment),
        (status = 409, description = "`already_assigned`"),
        (status = 422, description = "`course_not_published`, `recert_months_out_of_range`, `validation_failed`")))]
pub async fn assign(call: Call<need::AssignmentsWrite>, body: Body) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let new: NewAssignment = body.read()?;
    let options = Options::new(new.mandatory, new.due.into(), new.recert_months)
        .map_err(ServiceError::from)?;
    call.change("assign course", move |db, scope| {
        let assigned = assignments::assign(db, scope, id, new.course_id, options)?;
        let pending = groups::view(db, scope, id)?.counts.pending;
        let made = assigned.effects.enrollments;
        let shown = Assignment {
            enrollment: Some(Enrolled {
                created: made,
                kept: assigned.effects.reasons - made,
                pending,
            }),
            warnings: warnings(&assigned.warnings),
            ..Assignment::from(&assigned.row)
        };
        Reply::created(
            &format!("/assignments/{}", assigned.row.id),
            assigned.row.version,
            &shown,
        )
    })
    .await
}

/// Read an assignment.
#[utoipa::path(get, path = "/assignments/{id}", tag = "Assignments", params(("id" = AssignmentId, Path)), security(("token" = ["groups:read"])),
    responses((status = 200, description = "The assignment.", body = Assignment)))]
pub async fn get(call: Call<need::GroupsRead>) -> Answer {
    let id: AssignmentId = call.id("Assignment", "id")?;
    let row = call
        .read(move |db, scope| assignments::find(db, scope, id))
        .await?;
    Ok(call.resource(row.version, &Assignment::from(&row)))
}

/// What changes in an assignment; absent fields stay, null clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"mandatory": true, "due": {"kind": "relative", "days": 30}}))]
pub struct AssignmentEdit {
    #[serde(default)]
    #[schema(nullable = false)]
    pub mandatory: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<DueDate>)]
    pub due: Option<Option<DueDate>>,
    /// 1 to 120.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    pub recert_months: Option<Option<i64>>,
    /// Whether present obligations follow too; `mandatory` always does.
    #[serde(default)]
    #[schema(default = "all")]
    pub apply_to: ApplyTo,
    /// Certificates may lapse by it; their holders get time to renew.
    #[serde(default)]
    pub confirm: bool,
    /// The token of the refusal that told the impact.
    #[serde(default)]
    pub impact_token: Option<String>,
}

/// Whose terms an edit changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApplyTo {
    #[default]
    All,
    Future,
}

/// Change the compliance options.
#[utoipa::path(patch, path = "/assignments/{id}", tag = "Assignments", params(("id" = AssignmentId, Path)),
    request_body = AssignmentEdit, security(("token" = ["assignments:write"])),
    responses((status = 200, description = "The assignment.", body = Assignment),
        (status = 422, description = "`recert_months_out_of_range`, `impact_confirmation_required`, `validation_failed`")))]
pub async fn edit(call: Call<need::AssignmentsWrite>, body: Body) -> Answer {
    let id: AssignmentId = call.id("Assignment", "id")?;
    let edit: AssignmentEdit = body.read()?;
    let how = EditHow {
        future_only: edit.apply_to == ApplyTo::Future,
        confirmed: edit.confirm,
        impact_token: edit.impact_token.clone(),
    };
    let expected = call.expected();
    call.change("edit assignment", move |db, scope| {
        let before = assignments::find(db, scope, id)?;
        let options = Options::new(
            edit.mandatory.unwrap_or(before.mandatory),
            edit.due.map_or_else(|| before.due(), Due::from),
            edit.recert_months.unwrap_or(before.recert_months),
        )?;
        // The options were merged with the version just read, so that version is what the write expects.
        let expected = expected.or(Some(before.version));
        let edited = assignments::edit(db, scope, id, expected, options, &how)?;
        let shown = Assignment {
            impact: Some(EditImpact {
                becomes_overdue: edited.impact.becomes_overdue,
                extended: i64::try_from(edited.impact.becomes_expired.len()).unwrap_or(i64::MAX),
                renew_by: edited.impact.renew_by,
            }),
            warnings: warnings(&edited.warnings),
            ..Assignment::from(&edited.row)
        };
        Reply::resource(edited.row.version, &shown)
    })
    .await
}

/// Take a course from a group. Who is enrolled stays enrolled.
#[utoipa::path(delete, path = "/assignments/{id}", tag = "Assignments", params(("id" = AssignmentId, Path)),
    security(("token" = ["assignments:write"])), responses((status = 204, description = "It is gone.")))]
pub async fn remove(call: Call<need::AssignmentsWrite>) -> Answer {
    let id: AssignmentId = call.id("Assignment", "id")?;
    call.change("remove assignment", move |db, scope| {
        assignments::remove(db, scope, id)?;
        Ok(Reply::none())
    })
    .await
}
