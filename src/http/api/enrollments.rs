//! `/enrollments`: one per learner and course, with the reasons why; and the only un-enrollment.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::assignments::DueDate;
use super::call::{Answer, Body, Call};
use super::need;
use super::page::{self, Page};
use super::reply::Reply;
use crate::clock::Instant;
use crate::ids::{
    AssignmentId, CourseId, EnrollmentId, GroupId, LearnerId, MembershipId, RequestId,
};
use crate::learning::owed::Blocker;
use crate::service::enroll;
use crate::service::enrollments::{self, EnrollmentView, ReasonRow};

/// The one enrollment of a learner in a course.
#[derive(Debug, Serialize, ToSchema)]
pub struct Enrollment {
    pub id: EnrollmentId,
    pub learner_id: LearnerId,
    pub learner_name: String,
    pub course_id: CourseId,
    pub course_title: String,
    pub status: String,
    pub mandatory: bool,
    pub due: Option<String>,
    pub due_set_by: Option<DueSetBy>,
    pub cycle: Option<Cycle>,
    pub reasons: Vec<Reason>,
    pub created_at: Instant,
    pub withdrawn_at: Option<Instant>,
    pub withdrawn_cause: Option<String>,
}

/// What sets the due date.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueSetBy {
    pub group: Option<String>,
    pub assignment_id: Option<AssignmentId>,
}

/// The present cycle: from enrollment or renewal to completion.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cycle {
    pub n: i64,
    pub opened_at: Option<Instant>,
    pub opened_by: Option<String>,
    pub started_at: Option<Instant>,
    pub completed_at: Option<Instant>,
    pub progress_pct: Option<i64>,
}

/// Why somebody is enrolled.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reason {
    pub kind: String,
    pub group: Option<ReasonGroup>,
    pub assignment_id: Option<AssignmentId>,
    pub membership_id: Option<MembershipId>,
    pub mandatory: bool,
    pub due: Option<DueDate>,
    pub recert_months: Option<i64>,
    pub since: Instant,
    pub ended_at: Option<Instant>,
    pub end_cause: Option<String>,
    pub request_id: RequestId,
    pub by: String,
}

/// The group of a reason, by the name it had.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonGroup {
    pub id: GroupId,
    pub name: Option<String>,
    pub live: bool,
}

impl From<&ReasonRow> for Reason {
    fn from(reason: &ReasonRow) -> Self {
        Self {
            kind: reason.kind.clone(),
            group: reason.group_id.map(|id| ReasonGroup {
                id,
                name: reason.group_name.clone(),
                live: reason.group_live,
            }),
            assignment_id: reason.assignment_id,
            membership_id: reason.membership_id,
            mandatory: reason.mandatory,
            due: DueDate::of(reason.due()),
            recert_months: reason.recert_months,
            since: Instant(reason.required_since),
            ended_at: reason.ended_at.map(Instant),
            end_cause: reason.end_cause.clone(),
            request_id: reason.request_id,
            by: reason.actor.clone(),
        }
    }
}

impl From<&EnrollmentView> for Enrollment {
    fn from(view: &EnrollmentView) -> Self {
        let row = &view.row;
        Self {
            id: row.id,
            learner_id: row.learner_id,
            learner_name: row.learner_name.clone(),
            course_id: row.course_id,
            course_title: row.course_title.clone(),
            status: view.now.status.as_str().to_owned(),
            mandatory: view.now.mandatory,
            due: view.now.due.map(|date| date.to_string()),
            due_set_by: view.due_set_by.as_ref().map(|reason| DueSetBy {
                group: reason.group_name.clone(),
                assignment_id: reason.assignment_id,
            }),
            cycle: row.cycle_n.map(|n| Cycle {
                n,
                opened_at: row.opened_at.map(Instant),
                opened_by: row.opened_by.clone(),
                started_at: row.started_at.map(Instant),
                completed_at: row.completed_at.map(Instant),
                progress_pct: row.progress_pct,
            }),
            reasons: view.reasons.iter().map(Reason::from).collect(),
            created_at: Instant(row.created_at),
            withdrawn_at: row.withdrawn_at.map(Instant),
            withdrawn_cause: row.withdrawn_cause.clone(),
        }
    }
}

/// What narrows a list of enrollments.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListEnrollments {
    #[param(inline)]
    pub learner_id: Option<LearnerId>,
    #[param(inline)]
    pub course_id: Option<CourseId>,
    /// How many rows at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List enrollments with their reasons.
#[utoipa::path(get, path = "/enrollments", tag = "Enrollments", params(ListEnrollments), security(("token" = ["enrollments:read"])),
    responses((status = 200, description = "A page of enrollments.", body = Page<Enrollment>)))]
pub async fn list(call: Call<need::EnrollmentsRead>) -> Answer {
    let asked: ListEnrollments = call.query()?;
    let (limit, after) = (
        page::limit(asked.limit),
        call.after::<EnrollmentId>(asked.cursor.as_deref())?,
    );
    let rows = call
        .read(move |db, scope| {
            enrollments::list(
                db,
                scope,
                asked.learner_id,
                asked.course_id,
                after,
                limit + 1,
            )
        })
        .await?;
    Ok(call.page(
        rows,
        limit,
        |view| view.row.id.to_string(),
        |view| Enrollment::from(view),
    ))
}

/// Read an enrollment.
#[utoipa::path(get, path = "/enrollments/{id}", tag = "Enrollments", params(("id" = EnrollmentId, Path)),
    security(("token" = ["enrollments:read"])),
    responses((status = 200, description = "The enrollment.", body = Enrollment)))]
pub async fn get(call: Call<need::EnrollmentsRead>) -> Answer {
    let id: EnrollmentId = call.id("Enrollment", "id")?;
    let view = call
        .read(move |db, scope| enrollments::view(db, scope, id))
        .await?;
    Ok(actix_web::HttpResponse::Ok().json(Enrollment::from(&view)))
}

/// Why a person does this.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Moved to a job that does not need it"}))]
pub struct BecauseOf {
    pub reason: String,
}

/// Withdraw: the only way anybody is un-enrolled.
#[utoipa::path(post, path = "/enrollments/{id}/withdraw", tag = "Enrollments", params(("id" = EnrollmentId, Path)),
    request_body = BecauseOf, security(("token" = ["enrollments:write"])),
    responses((status = 200, description = "The enrollment.", body = Enrollment)))]
pub async fn withdraw(call: Call<need::EnrollmentsWrite>, body: Body) -> Answer {
    let id: EnrollmentId = call.id("Enrollment", "id")?;
    let because: BecauseOf = body.read()?;
    call.change("withdraw enrollment", move |db, scope| {
        Reply::ok(&Enrollment::from(&enrollments::withdraw(
            db,
            scope,
            id,
            &because.reason,
        )?))
    })
    .await
}

/// Whose enrollment in what.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExplainPair {
    #[param(inline)]
    pub learner: LearnerId,
    #[param(inline)]
    pub course: CourseId,
}

/// Why somebody is enrolled, or why not.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    pub enrolled: bool,
    /// What stands in the way first.
    pub first_blocker: Option<FirstBlocker>,
    /// Every membership through which the course could be owed.
    pub checked: Vec<CheckedPath>,
}

/// What stands in the way.
#[derive(Debug, Serialize, ToSchema)]
pub struct FirstBlocker {
    pub code: String,
}

/// One membership and assignment that was looked at.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckedPath {
    pub group: ReasonGroup,
    pub assignment_id: AssignmentId,
    pub membership_id: MembershipId,
    pub code: String,
    pub detail: String,
}

/// Explain why a learner is or is not enrolled in a course.
#[utoipa::path(get, path = "/explain", tag = "Enrollments", params(ExplainPair), security(("token" = ["enrollments:read"])),
    responses((status = 200, description = "The predicates, one by one.", body = Explanation)))]
pub async fn explain(call: Call<need::EnrollmentsRead>) -> Answer {
    let pair: ExplainPair = call.query()?;
    let checked = call
        .read(move |db, scope| enroll::explain(db, scope, pair.learner, pair.course))
        .await?;
    let enrolled = checked.iter().any(|one| one.blocker == Blocker::Enrolled);
    let first = checked
        .first()
        .map_or("no_membership", |one| one.blocker.code());
    let shown = checked.iter().map(|one| CheckedPath {
        group: ReasonGroup {
            id: one.through.group_id,
            name: Some(one.through.group_name.clone()),
            live: true,
        },
        assignment_id: one.through.assignment_id,
        membership_id: one.through.membership_id,
        code: one.blocker.code().to_owned(),
        detail: one.blocker.sentence().to_owned(),
    });
    Ok(actix_web::HttpResponse::Ok().json(Explanation {
        enrolled,
        first_blocker: (!enrolled).then(|| FirstBlocker {
            code: first.to_owned(),
        }),
        checked: shown.collect(),
    }))
}
